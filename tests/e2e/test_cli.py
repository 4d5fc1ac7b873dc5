"""`octoprint plugins octoprint_uptime:show`, with and without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from namespaces import with_files
from support import ID, OctoPrint

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
    return with_files({"/proc/uptime": tmp_path / "uptime"})


@pytest.fixture
def unknown(tmp_path: Path) -> list[str]:
    (tmp_path / "nothing").touch()
    # Without its btime psutil knows no boot time either.
    return with_files({"/proc/uptime": tmp_path / "nothing", "/proc/stat": tmp_path / "nothing"})


@pytest.mark.parametrize(
    ("stored", "shown", "complaint"),
    [
        ({}, "1d 2h 3m 4s", ""),
        ({"display_format": "dhm"}, "1d 2h 3m", ""),
        ({"display_format": "d", "poll_interval_seconds": "nonsense"}, "1d", ""),
        ({"display_format": "short"}, "1d 2h", ""),
        ({"display_format": "D"}, "1d 2h 3m 4s", "Using 'full' for the setting display_format, since 'D' is not valid"),
        ({"display_format": ["dh"]}, "1d 2h 3m 4s", "since ['dh'] is not valid"),
        ("dh", "1d 2h 3m 4s", ""),
        (None, "1d 2h 3m 4s", ""),
    ],
)
def test_it_shows_the_system_uptime_in_the_format_that_is_set(
    octoprint: Callable[..., OctoPrint], up_for_a_day: list[str], stored: Any, shown: str, complaint: str
) -> None:
    run = octoprint(stored).shell(SHOW, up_for_a_day)
    assert run.stdout == f"{OCTOPRINTS_OWN_LINE}{shown}\n"
    assert complaint in run.stderr
    assert len(run.stderr.splitlines()) == bool(complaint)
    assert run.returncode == 0


def test_json_has_the_fields_of_the_api(octoprint: Callable[..., OctoPrint], up_for_a_day: list[str]) -> None:
    run = octoprint({"display_format": "dh"}).shell(f"{SHOW} --json", up_for_a_day)
    assert run.stdout.startswith(OCTOPRINTS_OWN_LINE)
    answer = json.loads(run.stdout.removeprefix(OCTOPRINTS_OWN_LINE))
    assert answer.pop("started_at").endswith("Z")
    assert answer == {
        "display_format": "dh",
        "seconds": 93784.25,
        "uptime": "1d 2h 3m 4s",
        "uptime_available": True,
        "uptime_scope": "container",  # by lxcfs, for all that can be seen
        "uptime_source": "proc",
    }
    assert (run.returncode, run.stderr) == (0, "")


def test_it_agrees_with_a_running_server(server: OctoPrint) -> None:
    server.save({"display_format": "dhm"}).raise_for_status()
    api = server.answer()
    answer = json.loads(server.shell(f"{SHOW} --json").stdout.splitlines()[-1])
    assert answer.keys() < api.keys()
    assert answer["seconds"] == pytest.approx(api["seconds"], abs=15)
    for field in ("display_format", "uptime_available", "uptime_scope", "uptime_source"):
        assert answer[field] == api[field]
    assert server.shell(SHOW).stdout.splitlines()[-1] in {api["uptime_dhm"], server.answer()["uptime_dhm"]}


@pytest.mark.parametrize("option", ["", "--json"])
def test_an_unknown_uptime_is_an_error(octoprint: Callable[..., OctoPrint], unknown: list[str], option: str) -> None:
    run = octoprint({}).shell(f"{SHOW} {option}", unknown)
    assert run.returncode == 1
    assert run.stderr.endswith("Error: Neither /proc/uptime nor psutil gives the system uptime.\n")
    assert "can't be read from proc" in run.stderr
    assert "Traceback" not in run.stderr
    output = run.stdout.removeprefix(OCTOPRINTS_OWN_LINE)
    if option:
        nothing = dict.fromkeys(("seconds", "started_at", "uptime", "uptime_scope", "uptime_source"))
        assert json.loads(output) == {**nothing, "display_format": "full", "uptime_available": False}
    else:
        assert output == ""


def test_it_explains_itself(octoprint: Callable[..., OctoPrint]) -> None:
    run = octoprint({}).shell(f"{SHOW} --help")
    assert "--json" in run.stdout
    assert run.returncode == 0
    assert f"{ID}:show" in octoprint({}).shell("octoprint plugins --help").stdout
