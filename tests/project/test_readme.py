"""What the README says is so."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from octoprint_uptime import format_uptime, settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def test_the_settings_table_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) \|", README, re.MULTILINE)
    expected = []
    for key, rule in settings.RULES.items():
        match rule:
            case settings.Flag(default):
                valid = "`true`, `false`"
            case settings.Choice(default, choices):
                valid = ", ".join(f"`{choice}`" for choice in choices)
            case settings.Whole(default, low, high):
                valid = f"{low} to {high}"
        expected.append((key, default if isinstance(default, str) else json.dumps(default), valid))
    assert rows == expected


@pytest.mark.parametrize("prefix", ["", "octoprint_"])
def test_the_example_answer_is_consistent(prefix: str) -> None:
    answer: dict[str, Any] = json.loads(block("json"))
    for suffix, display_format in {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}.items():
        assert answer[f"{prefix}uptime{suffix}"] == format_uptime(answer[f"{prefix}seconds"], display_format)
    system, octoprint = (
        datetime.strptime(answer[f"{each}started_at"], "%Y-%m-%dT%H:%M:%S%z")
        + timedelta(seconds=answer[f"{each}seconds"])
        for each in ("", "octoprint_")
    )
    assert abs(system - octoprint) < timedelta(seconds=2)  # whole seconds each


def test_the_python_line_does_what_it_says() -> None:
    (line,) = re.findall(r"^    (from octoprint_uptime import .*)$", README, re.MULTILINE)
    statement, call, result = re.split(r"; |  # ", line)
    names: dict[str, Any] = {}
    exec(statement, names)
    assert eval(call, names) == json.loads(result)


@pytest.mark.parametrize("file", ["README.md", "extras/octoprint_uptime.md"])
def test_every_file_it_points_to_is_there(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    paths = re.findall(r"\]\((?!https?:)([^)]+)\)|githubusercontent\.com/Ajimaru/OctoPrint-Uptime/main/(\S+)", text)
    assert paths
    for relative, raw in paths:
        assert (ROOT / (relative or raw)).is_file()
