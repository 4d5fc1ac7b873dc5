"""Compare the README with the code."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from octoprint_uptime import settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENTRY = (ROOT / "extras" / "octoprint_uptime.md").read_text(encoding="utf-8")
SITE = "https://ajimaru.github.io/OctoPrint-Uptime/"
PAGES = {path.stem for path in (ROOT / "docs").glob("*.md")}


def example() -> dict[str, Any]:
    (found,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    answer: dict[str, Any] = json.loads(found)
    return answer


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def seconds(text: str) -> int:
    return sum(
        int(number) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)(\w)", text)
    )


def test_settings_table_matches_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) \| \w.*? \|$", README, re.MULTILINE)
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


def test_uptimes_in_the_example_end_at_the_same_moment() -> None:
    answer = example()
    host, octoprint = (
        moment(answer[f"{each}started_at"]) + timedelta(seconds=seconds(answer[f"{each}uptime"]))
        for each in ("", "octoprint_")
    )
    assert abs(host - octoprint) < timedelta(seconds=2)  # whole seconds each


def test_moments_in_the_example_are_in_order() -> None:
    answer = example()
    restart = answer["last_restart"]
    moments = [restart["ended_after"], restart["ended_before"], restart["started_at"]]
    assert moments == sorted(moments, key=moment)
    assert (restart["ended_before"], restart["started_at"]) == (answer["started_at"], answer["octoprint_started_at"])


def test_example_shows_a_dismissed_power_cut_during_a_print() -> None:
    answer = example()
    restart = answer["last_restart"]
    assert (restart["kind"], restart["clean"]) == ("host", False)
    assert restart["lost_print"]
    assert answer["unseen_restarts"] == 0


def test_explained_fields_are_in_the_example() -> None:
    answer = example()
    restart = answer["last_restart"]
    (explained,) = re.findall(r"```json.*?```\n\n(.*?)\n\n", README, re.DOTALL)
    names = set(re.findall(r"`(\w+)`", explained))
    assert names - {"null", "false", "host", "container", "octoprint"} <= {*answer, *restart, *restart["lost_print"]}
    assert "last_restart" in names


def test_make_targets_exist() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    asked = set(re.findall(r"\bmake (\w+)", README))
    assert asked == {"run", "zip"}
    assert asked <= set(targets.split())


def test_tested_octoprints_are_those_of_the_makefile() -> None:
    (versions,) = re.findall(r"^OCTOPRINTS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"OctoPrint {versions.replace(' ', ' and ')}." in re.sub(r"\s+", " ", README)


def test_linked_pages_of_the_site_exist() -> None:
    pages = re.findall(rf"\({re.escape(SITE)}([^)]*)\)", ENTRY)
    assert pages
    assert {page.partition("#")[0] for page in pages} <= {f"{page}.html" for page in PAGES}


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_linked_files_exist(path: str) -> None:
    file, _, anchor = path.partition("#")
    assert (ROOT / file).is_file()
    headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
    assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_overview_picture_comes_before_the_first_section() -> None:
    assert "](assets/img/uptime_overview.png)" in README.partition("\n## ")[0]
