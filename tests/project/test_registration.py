"""The plugin repository would take the entry.

What it asks of one is in OctoPrint/plugins.octoprint.org at c6febb73cf3f1d4984589fafc5bc62067e351779: its schema in
.github/scripts/validate_front_matter.py, the rest in help/registering/index.md.
"""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "extras" / "octoprint_uptime.md"
_, _FRONT, TEXT = PATH.read_text(encoding="utf-8").split("---\n", 2)
ENTRY: dict[str, Any] = yaml.safe_load(_FRONT)

REQUIRED = {
    "layout": str,
    "id": str,
    "title": str,
    "description": str,
    "license": str,
    "date": date,
    "homepage": str,
    "source": str,
    "archive": str,
}
# There are more; these are the ones that we use.
OPTIONAL = {"authors": list, "tags": list, "screenshots": list, "featuredimage": str, "compatibility": dict}
FOLDER = "/assets/img/plugins/octoprint_uptime/"  # in the repository; pictures from elsewhere get a warning
SYSTEMS = {"windows", "linux", "macos", "freebsd", "posix", "nix"}


def pictures() -> list[str]:
    return [*(each["url"] for each in ENTRY["screenshots"]), ENTRY["featuredimage"]]


def test_it_has_every_key_that_must_be_there_and_no_unknown_one() -> None:
    assert REQUIRED.keys() <= ENTRY.keys() <= (REQUIRED | OPTIONAL).keys()
    for key, value in ENTRY.items():
        assert isinstance(value, (REQUIRED | OPTIONAL)[key]), key
        assert value, key
    assert ENTRY["layout"] == "plugin"


@pytest.mark.parametrize("key", ["homepage", "source", "archive"])
def test_addresses_are_whole(key: str) -> None:
    assert re.fullmatch(r"https://[\w.-]+\.\w+/\S*", ENTRY[key])


def test_its_id_is_the_files_name_and_the_plugins() -> None:
    assert ENTRY["id"] == PATH.stem
    assert (ROOT / ENTRY["id"] / "plugin.py").is_file()


def test_each_screenshot_has_an_address_and_words() -> None:
    for each in ENTRY["screenshots"]:
        assert each.keys() == {"url", "alt", "caption"}
        assert all(each.values())


def test_the_pictures_are_where_the_repository_wants_them(tmp_path: Path) -> None:
    """In a tree as it is there, once whoever registers the plugin has copied ours."""
    (tmp_path / FOLDER[1:]).mkdir(parents=True)
    for ours in [*(ROOT / "assets" / "img").iterdir(), *(ROOT / "octoprint_uptime" / "static" / "img").iterdir()]:
        shutil.copy(ours, tmp_path / FOLDER[1:])
    shown = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    assert shown
    for url in [*pictures(), *shown]:
        assert url.startswith(FOLDER)
        assert (tmp_path / url[1:]).is_file()


def test_versions_and_systems_are_of_the_kind_it_knows() -> None:
    compatibility = ENTRY["compatibility"]
    assert compatibility.keys() == {"octoprint", "os", "python"}
    for version in [*compatibility["octoprint"], *compatibility["python"].split(",")]:
        assert isinstance(version, str)  # an unquoted 1.11 is a number in YAML, and less than 1.2
        assert re.fullmatch(r"(>=|<)?\d+(\.\d+)*", version)
    assert set(compatibility["os"]) <= SYSTEMS


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("requires-python", ENTRY["compatibility"]["python"]),
        ("description", ENTRY["description"]),
        ("license", ENTRY["license"]),
        ("Homepage", ENTRY["homepage"]),
        ("Source", ENTRY["source"]),
    ],
)
def test_it_says_what_the_package_says(key: str, said: str) -> None:
    assert re.findall(rf'^{key} = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE) == [said]


def test_it_installs_the_latest_release() -> None:
    """Not a branch: OctoPrint installs what is there, whatever version it shows."""
    assert ENTRY["archive"].startswith(f"{ENTRY['source']}/releases/latest/download/")


def test_it_shows_nothing_from_elsewhere() -> None:
    """Embedding it would tell somebody else who reads the page."""
    assert not re.search(r"<\w|!\[.*?\]\(http", TEXT)
