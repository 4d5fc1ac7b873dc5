"""Uptimes and start times under every clock."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from lxcfs import Lxcfs
from namespaces import with_boot_clock, with_files, with_wall_clock, without_proc
from recorded_runs import until
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


@pytest.mark.parametrize("source", ["proc", pytest.param("psutil", marks=pytest.mark.nightly)])
def test_setting_the_wall_clock_moves_start_times_but_no_uptime(
    make_server: MakeServer, tmp_path: Path, source: str
) -> None:
    """Neither changes when the wall clock jitters."""
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
    before = boot_clock(), process_age(int(children[0]))
    answer = server.answer()
    after = boot_clock(), process_age(int(children[0]))
    assert before[0] - 0.02 <= answer["seconds"] - 1_000_000 <= after[0] + 0.02
    assert before[1] - 0.02 <= answer["octoprint_seconds"] <= after[1] + 0.02


def test_empty_proc_means_unknown_uptimes(make_server: MakeServer) -> None:
    server = make_server(without_proc())
    answers = [server.answer() for _ in range(3)]
    for answer in answers:
        assert {answer[f"{kind}{field}"] for kind in KINDS for field in ("seconds", "uptime", "started_at")} == {None}
        assert answer["uptime_available"] is False
        assert "neither /proc/uptime nor psutil gives" in answer["uptime_note"]
    own = [line for line in server.new_log().splitlines() if f"octoprint.plugins.{ID} - " in line]
    assert len(own) == 4  # two uptimes, two sources each; OctoPrint itself also misses /proc
    server.stop()
    server.new_log()


CONTENTS = {
    "garbage": b"\x00\xffgarbage",
    "empty": b"",
    "blank": b"  \n",
    "zero": b"0.00 0.00\n",
    "negative": b"-1.00 2.00\n",
    "nan": b"nan 2.00\n",
    "infinite": b"inf 2.00\n",
    "beyond belief": b"1e300 2.00\n",
}


@pytest.fixture
def lxcfs(tmp_path: Path) -> Iterator[Lxcfs]:
    with Lxcfs(tmp_path / "uptime") as lxcfs:
        yield lxcfs


@pytest.mark.each_octoprint
def test_lxcfs_may_flicker(make_server: MakeServer, lxcfs: Lxcfs) -> None:
    """The uptime stays the container's, and OctoPrint's is true."""
    server = make_server(with_files({"/proc/uptime": lxcfs.file}))
    first = server.answer()
    assert (first["uptime_source"], first["uptime_scope"]) == ("proc", "container")
    for content in CONTENTS.values():
        for shown in (content, content, None):
            lxcfs.show(shown)
            before = lxcfs.age
            answer = answer_with_age(server)
            assert before - 0.5 <= answer["seconds"] <= lxcfs.age + 0.5, content
            for field in ("uptime_source", "uptime_scope", "started_at"):
                assert answer[field] == first[field], content
    server.check_log()


@pytest.mark.nightly
def test_lxcfs_may_break_and_come_back(make_server: MakeServer, lxcfs: Lxcfs) -> None:
    server = make_server(with_files({"/proc/uptime": lxcfs.file}))
    assert server.answer()["uptime_scope"] == "container"
    lxcfs.show(b"")
    began = boot_clock()
    broken = until(lambda: (answer := server.answer())["uptime_source"] == "psutil" and answer)
    assert boot_clock() - began >= 10
    assert broken["seconds"] == pytest.approx(boot_clock(), abs=1.2)
    assert broken["uptime_scope"] == "host"
    (warning,) = server.warnings()
    assert "IndexError" in warning
    lxcfs.show(None)
    back = until(lambda: (answer := server.answer())["uptime_source"] == "proc" and answer)
    assert back["seconds"] == pytest.approx(lxcfs.age, abs=0.5)
    assert back["uptime_scope"] == "container"


@pytest.mark.parametrize(
    ("btime", "available"), [("constant", True), ("impossible", False)], ids=["constant btime", "impossible btime"]
)
def test_uptime_that_stands_still_is_not_reported(
    make_server: MakeServer, tmp_path: Path, btime: str, available: bool
) -> None:
    """proot-distro on Android binds constant files over /proc/uptime and /proc/stat."""
    uptime, stat = tmp_path / "uptime", tmp_path / "stat"
    uptime.write_text(f"{boot_clock() / 2:.2f} 1000.00\n")
    text = Path("/proc/stat").read_text()
    stat.write_text(
        text if btime == "constant" else re.sub(r"^btime \d+", "btime 1000000000", text, flags=re.MULTILINE)
    )
    server = make_server(with_files({"/proc/uptime": uptime, "/proc/stat": stat}))
    source = "psutil" if available else None
    # The first reading shows nothing.
    answer = until(lambda: (answer := server.answer())["uptime_source"] == source and answer, 5)
    for _ in range(3):
        assert answer["uptime_available"] is available
        assert answer["uptime_scope"] == ("host" if available else None)
        assert answer["seconds"] == (pytest.approx(boot_clock(), abs=1.5) if available else None)
        assert available or "neither /proc/uptime nor psutil gives" in answer["uptime_note"]
        time.sleep(1)
        answer, before = server.answer(), answer
        assert answer["started_at"] == before["started_at"]
    info = server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"]
    assert info[f"env.plugins.{ID}.uptime_source"] == source
    warnings = server.warnings()
    assert "it no longer changes" in warnings[0]
    assert ["seconds is not between" in warning for warning in warnings[1:]] == ([] if available else [True])


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


def test_without_psutil_the_rest_still_works(make_server: MakeServer, lxcfs: Lxcfs) -> None:
    lxcfs.show(b"")
    # And before our plugin has asked it: System info would be the first to.
    server = make_server(
        with_files({"/proc/uptime": lxcfs.file}), {ID: {"include_in_systeminfo": False}}, {"breaker.py": WITHOUT_PSUTIL}
    )

    def warnings() -> int:
        return server.new_log().count(f"octoprint.plugins.{ID} - WARNING")

    for content, available, said in [(b"", False, 2), (None, True, 0), (b"", True, 0)]:
        lxcfs.show(content)
        answer = [answer_with_age(server) for _ in range(3)][-1]
        assert answer["uptime_available"] is available
        assert answer["uptime_source"] == ("proc" if available else None)
        assert ("pip install psutil" in answer.get("uptime_note", "")) is not available
        assert warnings() == said
    server.stop()
    server.new_log()  # OctoPrint's own code may fail, too


@pytest.mark.each_octoprint
def test_psutil_and_proc_agree(octoprint_executable: Path) -> None:
    """OctoPrint 1.11 pins psutil 6, and 2.0 pins psutil 7."""
    code = (
        "import logging, pathlib, time; from octoprint_uptime import clock; time.sleep(2.5);"
        "makers = clock.system_clock, clock.process_clock;"
        "read_both = lambda: [(make(logging.getLogger()).read(), time.monotonic()) for make in makers];"
        "proc = read_both(); clock.PROC_UPTIME = clock.PROC_STAT = pathlib.Path('/nonexistent'); other = read_both();"
        "print(*(x.source for x, _ in proc + other), *(x.seconds - moment for x, moment in proc + other))"
    )
    run = subprocess.run(
        [octoprint_executable.with_name("python"), "-c", code], check=True, capture_output=True, text=True, cwd="/"
    )
    rest = run.stdout.split()
    assert rest[:4] == ["proc", "proc", "psutil", "psutil"]
    system, process, system2, process2 = map(float, rest[4:])
    assert system2 == pytest.approx(system, abs=1)
    assert process2 == pytest.approx(process, abs=1)
