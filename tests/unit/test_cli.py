"""Test the command with fake settings. tests/e2e/test_cli.py runs it in a real OctoPrint."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result
from pytest_mock import MockerFixture

from octoprint_uptime import cli, clock


class Stored:
    """Replace OctoPrint's `Settings`, which returns the stored value or ``None``."""

    def __init__(self, display_format: object) -> None:
        self._display_format = display_format

    def get(self, path: list[str]) -> object:
        assert path == ["plugins", "octoprint_uptime", "display_format"]
        return self._display_format


def show(stored: object, *options: str) -> Result:
    (command,) = cli.commands(Stored(stored))
    assert command.name == "show"
    return CliRunner().invoke(command, options)


@pytest.fixture
def _up_for_a_day(tmp_path: Path, mocker: MockerFixture) -> None:
    (tmp_path / "uptime").write_text("93784.25 1000.00\n")
    mocker.patch.object(clock, "PROC_UPTIME", tmp_path / "uptime")
    mocker.patch.object(clock, "boot_clock", return_value=93784.25)


@pytest.fixture
def _unknown(tmp_path: Path, mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "PROC_UPTIME", tmp_path / "nothing")
    mocker.patch.object(psutil, "boot_time", side_effect=RuntimeError("no btime"))


@pytest.mark.usefixtures("_up_for_a_day")
@pytest.mark.parametrize(
    ("stored", "shown", "complaint"),
    [
        (None, "1d 2h 3m 4s", ""),
        ("full", "1d 2h 3m 4s", ""),
        ("dhm", "1d 2h 3m", ""),
        ("dh", "1d 2h", ""),
        ("d", "1d", ""),
        ("short", "1d 2h", ""),
        ("D", "1d 2h 3m 4s", "Using 'full' for the setting display_format, because 'D' is not valid"),
        (["dh"], "1d 2h 3m 4s", "because ['dh'] is not valid"),
    ],
)
def test_show_uses_the_display_format(
    caplog: pytest.LogCaptureFixture, stored: object, shown: str, complaint: str
) -> None:
    run = show(stored)
    assert run.stdout == f"{shown}\n"
    assert complaint in caplog.text
    assert len(caplog.messages) == bool(complaint)
    assert run.exit_code == 0


@pytest.mark.usefixtures("_unknown")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_unknown_uptime_is_an_error(options: list[str]) -> None:
    run = show(None, *options)
    assert run.exit_code == 1
    assert run.stderr == "Error: Could not read the host's uptime from /proc/uptime or psutil.\n"
    if options:
        nothing = dict.fromkeys(("seconds", "started_at", "uptime", "uptime_scope", "uptime_source"))
        assert json.loads(run.stdout) == {**nothing, "display_format": "full", "uptime_available": False}
    else:
        assert run.stdout == ""


def test_help_names_the_options() -> None:
    run = show(None, "--help")
    assert "--json" in run.output
    assert run.exit_code == 0
