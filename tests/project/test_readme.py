"""What the README says is so."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template

from octoprint_uptime import format_uptime, settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENTRY = (ROOT / "extras" / "octoprint_uptime.md").read_text(encoding="utf-8")
SITE = "https://ajimaru.github.io/OctoPrint-Uptime/"
PAGES = {path.stem for path in (ROOT / "docs").glob("*.md")}


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


def example() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(block("json"))
    return found


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("prefix", ["", "octoprint_"])
def test_the_example_answer_is_consistent(prefix: str) -> None:
    answer = example()
    for suffix, display_format in {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}.items():
        assert answer[f"{prefix}uptime{suffix}"] == format_uptime(answer[f"{prefix}seconds"], display_format)
    system, octoprint = (
        moment(answer[f"{each}started_at"]) + timedelta(seconds=answer[f"{each}seconds"]) for each in ("", "octoprint_")
    )
    assert abs(system - octoprint) < timedelta(seconds=2)  # whole seconds each


def test_the_restart_in_the_example_is_in_order_and_its_downtime_that_of_its_bounds() -> None:
    answer = example()
    restart = answer["last_restart"]
    lost = restart["lost_print"]
    moments = [
        answer["recorded_since"],
        *(restart["run_started_at"], lost["started_at"], lost["seen_at"]),
        *(restart["ended_after"], restart["ended_before"], restart["host_started_at"], restart["started_at"]),
    ]
    assert moments == sorted(moments, key=moment)
    assert (restart["host_started_at"], restart["started_at"]) == (answer["started_at"], answer["octoprint_started_at"])
    for bound, end in (("max", "ended_after"), ("min", "ended_before")):
        downtime = (moment(restart["started_at"]) - moment(restart[end])).total_seconds()
        assert restart[f"downtime_seconds_{bound}"] == pytest.approx(downtime, abs=1)  # whole seconds each


def test_the_example_is_of_what_the_words_beside_it_say() -> None:
    """A power cut during a print whose notice has been dismissed."""
    answer = example()
    restart = answer["last_restart"]
    assert (restart["kind"], restart["clean"], restart["dismissed"]) == ("host", False, True)
    assert restart["lost_print"]
    assert answer["unseen_restart"] is None


def test_the_fields_that_are_told_of_are_in_the_example() -> None:
    answer = example()
    restart = answer["last_restart"]
    told = set(re.findall(r"`(\w+)`", section("API").rpartition("```")[2]))
    values = {"null", "false", "host", "container", "octoprint"}
    assert told - values <= answer.keys() | restart.keys() | restart["lost_print"].keys()
    assert "last_restart" in told


def test_home_assistant_gets_what_the_sensor_is_named_for() -> None:
    (template,) = re.findall(r'value_template: "(.*)"', block("yaml"))
    assert Template(template).render(value_json=example()) == example()["octoprint_started_at"]


def test_what_make_is_asked_for_is_in_the_makefile() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    asked = set(re.findall(r"\bmake (\w+)", README))
    assert asked == {"run", "check", "test"}
    assert asked <= set(targets.split())


def test_the_octoprints_of_the_tests_are_those_named() -> None:
    (versions,) = re.findall(r"^OCTOPRINTS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"OctoPrint {versions.replace(' ', ' and ')} " in re.sub(r"\s+", " ", README)


@pytest.mark.parametrize("text", [README, ENTRY], ids=["README", "entry"])
def test_every_page_of_the_site_it_points_to_is_there(text: str) -> None:
    pages = re.findall(rf"\({re.escape(SITE)}([^)]*)\)", text)
    assert pages
    assert {page.partition("#")[0] for page in pages} <= {f"{page}.html" for page in PAGES}


def test_the_python_line_does_what_it_says() -> None:
    (line,) = re.findall(r"^    (from octoprint_uptime import .*)$", README, re.MULTILINE)
    statement, call, result = re.split(r"; |  # ", line)
    names: dict[str, Any] = {}
    exec(statement, names)
    assert eval(call, names) == json.loads(result)


def test_every_file_it_points_to_is_there() -> None:
    paths = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert "assets/img/uptime_overview.png" in paths
    for path in paths:
        assert (ROOT / path).is_file()
