"""Uptimes and start times under every clock."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from namespaces import with_boot_clock, with_files, with_wall_clock, without_proc
from support import ID, MakeServer, OctoPrint, boot_clock, process_age

KINDS = ("", "octoprint_")


def server_age(server: OctoPrint) -> float:
    assert server.process is not None
    return process_age(server.process.pid)


def answer_with_age(server: OctoPrint) -> dict[str, Any]:
    """Return the API's answer, after checking that its OctoPrint uptime is the process's age."""
    before = server_age(server)
    answer = server.answer()
    assert before - 0.05 <= answer["octoprint_seconds"] <= server_age(server) + 0.05
    return answer


def moment(answer: dict[str, Any], kind: str) -> datetime:
    return datetime.strptime(answer[f"{kind}started_at"], "%Y-%m-%dT%H:%M:%S%z")


def check_moments(answer: dict[str, Any], offset: timedelta) -> None:
    """Check the start times against the server's wall clock, which is off by ``offset``."""
    now = datetime.now(timezone.utc) + offset
    for kind in KINDS:
        started = now - timedelta(seconds=answer[f"{kind}seconds"])
        assert abs(moment(answer, kind) - started) < timedelta(seconds=2.5)


@pytest.mark.parametrize("source", ["proc", "psutil"])
def test_setting_the_wall_clock_moves_start_times_but_no_uptime(
    make_server: MakeServer, tmp_path: Path, source: str
) -> None:
    """Jitter of the wall clock moves neither."""
    environment, set_clock = with_wall_clock(tmp_path / "clock")
    nothing = tmp_path / "uptime"
    nothing.touch()
    # As on a Pi without a clock chip: OctoPrint starts before NTP sets the clock; then it is set again.
    wrapper = with_files({"/proc/uptime": nothing}) if source == "psutil" else []
    set_clock("-400d" if source == "proc" else "+0")
    server = make_server(wrapper, env=environment)
    steps = [("+365d", timedelta(days=365)), ("-1h", timedelta(hours=-1)), ("+0", timedelta())]
    if source == "proc":
        steps.insert(0, ("-400d", timedelta(days=-400)))
    for text, offset in steps:
        set_clock(text)
        before = boot_clock(), server_age(server)
        answer = server.answer()
        after = boot_clock(), server_age(server)
        assert answer["uptime_source"] == source
        slack = 0.02 if source == "proc" else 1.1  # psutil's boot time has whole seconds
        assert before[0] - slack <= answer["seconds"] <= after[0] + slack
        assert before[1] - 0.02 <= answer["octoprint_seconds"] <= after[1] + 0.02
        check_moments(answer, offset)
        again = server.answer()
        assert [again[f"{kind}started_at"] for kind in KINDS] == [answer[f"{kind}started_at"] for kind in KINDS]
    for number in range(30):
        set_clock(f"{(number % 15 - 7) / 10:+}")  # the jitter that moments are known for, up to its worst
        again = server.answer()
        assert [again[f"{kind}started_at"] for kind in KINDS] == [answer[f"{kind}started_at"] for kind in KINDS]
    server.new_log()


def test_time_namespace_shifts_only_the_host(make_server: MakeServer) -> None:
    server = make_server(with_boot_clock(1_000_000))
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    answer = server.answer()
    assert answer["seconds"] == pytest.approx(boot_clock() + 1_000_000, abs=0.5)
    assert answer["octoprint_seconds"] == pytest.approx(process_age(int(children[0])), abs=0.5)


def test_empty_proc_means_unknown_uptimes(make_server: MakeServer) -> None:
    server = make_server(without_proc())
    answers = [server.answer() for _ in range(3)]
    for answer in answers:
        assert {answer[f"{kind}{field}"] for kind in KINDS for field in ("seconds", "uptime", "started_at")} == {None}
        assert answer["uptime_available"] is False
        assert "pip install psutil" in answer["uptime_note"]
    own = [line for line in server.new_log().splitlines() if f"octoprint.plugins.{ID} - " in line]
    assert len(own) == 4  # two uptimes, two sources each; OctoPrint itself misses /proc too
    server.stop()
    server.new_log()


CONTENTS = {
    "garbage": b"\x00\xffgarbage",
    "empty": b"",
    "blank": b"  \n",
    "negative": b"-1.00 2.00\n",
    "nan": b"nan 2.00\n",
    "infinite": b"inf 2.00\n",
    "beyond belief": b"1e300 2.00\n",
}


def test_lxcfs_gives_the_containers_uptime(make_server: MakeServer, tmp_path: Path) -> None:
    """Unusable contents make psutil answer, with one warning for all of them."""
    file = tmp_path / "uptime"
    file.write_bytes(b"299.11 1000.00\n")
    server = make_server(with_files({"/proc/uptime": file}))
    answer = answer_with_age(server)
    assert (answer["seconds"], answer["uptime_source"]) == (299.11, "proc")
    for content in CONTENTS.values():
        file.write_bytes(content)  # in place, under the mount
        answer = answer_with_age(server)
        assert answer["uptime_source"] == "psutil", content
        assert answer["seconds"] == pytest.approx(boot_clock(), abs=1.2)
        assert answer["uptime_available"] is True
    assert len(server.warnings()) == 1
    file.write_bytes(b"200.00 1.00\n")
    assert server.answer()["seconds"] == 200


# OctoPrint needs psutil to start, so this plugin removes it afterwards.
WITHOUT_PSUTIL = """
import sys
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class Breaker(octoprint.plugin.StartupPlugin):
    def on_startup(self, host, port):
        sys.modules["psutil"] = None

__plugin_implementation__ = Breaker()
"""


def test_without_psutil_proc_still_works(make_server: MakeServer, tmp_path: Path) -> None:
    file = tmp_path / "uptime"
    file.write_bytes(b"299.11 1000.00\n")
    # System info would ask psutil first.
    server = make_server(
        with_files({"/proc/uptime": file}), {ID: {"include_in_systeminfo": False}}, {"breaker.py": WITHOUT_PSUTIL}
    )

    def warnings() -> int:
        return server.new_log().count(f"octoprint.plugins.{ID} - WARNING")

    for content, available, said in [(b"299.11 1.00\n", True, 0), (b"", False, 2), (b"300.00 1.00\n", True, 0)]:
        file.write_bytes(content)  # in place, under the mount
        answer = [answer_with_age(server) for _ in range(3)][-1]
        assert answer["uptime_available"] is available
        assert answer["uptime_source"] == ("proc" if available else None)
        assert ("uptime_note" in answer) is not available
        assert warnings() == said
    server.stop()
    server.new_log()  # OctoPrint's own code may stumble too


@pytest.mark.each_octoprint
def test_psutil_and_proc_agree(octoprint_executable: Path) -> None:
    """OctoPrint 1.11 pins psutil 6, and 2.0 pins psutil 7."""
    code = (
        "import logging, pathlib, time; from octoprint_uptime import clock; time.sleep(2.5);"
        "proc = [make(logging.getLogger()).read() for make in (clock.system_clock, clock.process_clock)];"
        "clock.PROC_UPTIME = clock.PROC_STAT = pathlib.Path('/nonexistent');"
        "other = [make(logging.getLogger()).read() for make in (clock.system_clock, clock.process_clock)];"
        "print(*(x.source for x in proc + other), *(x.seconds for x in proc + other))"
    )
    run = subprocess.run(
        [octoprint_executable.with_name("python"), "-c", code], check=True, capture_output=True, text=True
    )
    rest = run.stdout.split()
    assert rest[:4] == ["proc", "proc", "psutil", "psutil"]
    system, process, system2, process2 = map(float, rest[4:])
    assert system2 == pytest.approx(system, abs=1)
    assert process2 == pytest.approx(process, abs=1)
