"""Test `octoprint plugins octoprint_uptime:show` without a server. test_readme.py tests it with one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from namespaces import with_boot_clock, with_files
from support import ID, OctoPrint, boot_clock

SHOW = f"octoprint plugins {ID}:show"
OCTOPRINTS_OWN_LINE = "Initializing settings & plugin subsystem...\n"


@pytest.fixture
def octoprint(octoprint_executable: Path, tmp_path: Path) -> Callable[..., OctoPrint]:
    """Makes a data folder with these settings of the plugin, and starts no server."""

    def make(stored: Any) -> OctoPrint:
        octoprint = OctoPrint(octoprint_executable, tmp_path / "octoprint")
        octoprint.prepare({}, plugins={ID: stored})
        return octoprint

    return make


@pytest.fixture
def up_for_a_day(tmp_path: Path) -> list[str]:
    (tmp_path / "uptime").write_text("93784.25 1000.00\n")
    # On a host that has been up for longer; a container's uptime can't be longer than its host's.
    return [*with_boot_clock(200_000), *with_files({"/proc/uptime": tmp_path / "uptime"})]


@pytest.fixture
def unknown(tmp_path: Path) -> list[str]:
    (tmp_path / "nothing").touch()
    # Without its btime psutil knows no boot time either.
    return with_files({"/proc/uptime": tmp_path / "nothing", "/proc/stat": tmp_path / "nothing"})


# tests/unit/test_cli.py tests each format and other stored values. This tests what OctoPrint reads from the file.
@pytest.mark.parametrize(
    ("stored", "shown", "complaint"),
    [
        ({"display_format": "dhm", "poll_interval_seconds": "nonsense"}, "1d 2h 3m", ""),
        (
            {"display_format": "D"},
            "1d 2h 3m 4s",
            "Using 'full' for the setting display_format, because 'D' is not valid",
        ),
        ("dh", "1d 2h 3m 4s", ""),
        (None, "1d 2h 3m 4s", ""),
    ],
)
def test_it_shows_the_hosts_uptime_in_the_saved_format(
    octoprint: Callable[..., OctoPrint], up_for_a_day: list[str], stored: Any, shown: str, complaint: str
) -> None:
    run = octoprint(stored).shell(SHOW, up_for_a_day)
    assert run.stdout == f"{OCTOPRINTS_OWN_LINE}{shown}\n"
    assert complaint in run.stderr
    assert len(run.stderr.splitlines()) == bool(complaint)
    assert run.returncode == 0


@pytest.mark.each_octoprint
def test_json_has_the_apis_fields(octoprint: Callable[..., OctoPrint], up_for_a_day: list[str]) -> None:
    run = octoprint({"display_format": "dh"}).shell(f"{SHOW} --json", up_for_a_day)
    assert run.stdout.startswith(OCTOPRINTS_OWN_LINE)
    answer = json.loads(run.stdout.removeprefix(OCTOPRINTS_OWN_LINE))
    assert answer.pop("started_at").endswith("Z")
    assert answer == {
        "display_format": "dh",
        "seconds": 93784.25,
        "uptime": "1d 2h 3m 4s",
        "uptime_available": True,
        "uptime_scope": "container",
        "uptime_source": "proc",
    }
    assert (run.returncode, run.stderr) == (0, "")


def test_impossible_uptime_is_not_shown(octoprint: Callable[..., OctoPrint], tmp_path: Path) -> None:
    """A single reading can't show that the seconds stand still, but the time since the boot bounds it."""
    (tmp_path / "uptime").write_text("9378400.25 1000.00\n")
    run = octoprint({}).shell(f"{SHOW} --json", with_files({"/proc/uptime": tmp_path / "uptime"}))
    answer = json.loads(run.stdout.removeprefix(OCTOPRINTS_OWN_LINE))
    assert answer["uptime_source"] == "psutil"
    assert answer["seconds"] == pytest.approx(boot_clock(), abs=3)
    assert "9378400.25 seconds is not between" in run.stderr


def test_unknown_uptime_is_an_error(octoprint: Callable[..., OctoPrint], unknown: list[str]) -> None:
    run = octoprint({}).shell(f"{SHOW} --json", unknown)
    assert run.returncode == 1
    assert run.stderr.endswith("Error: Could not read the host's uptime from /proc/uptime or psutil.\n")
    assert "Could not read the uptime of the host from proc" in run.stderr
    assert "Traceback" not in run.stderr
    nothing = dict.fromkeys(("seconds", "started_at", "uptime", "uptime_scope", "uptime_source"))
    answer = json.loads(run.stdout.removeprefix(OCTOPRINTS_OWN_LINE))
    assert answer == {**nothing, "display_format": "full", "uptime_available": False}


@pytest.mark.each_octoprint
def test_octoprint_lists_it(octoprint: Callable[..., OctoPrint]) -> None:
    assert f"{ID}:show" in octoprint({}).shell("octoprint plugins --help").stdout
