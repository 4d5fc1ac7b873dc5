"""Check that the plugin repository would accept the registration entry.

Its rules are in OctoPrint/plugins.octoprint.org at c6febb73cf3f1d4984589fafc5bc62067e351779: the schema in
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
# The schema has more; the entry uses these.
OPTIONAL = {"authors": list, "tags": list, "screenshots": list, "featuredimage": str, "compatibility": dict}
FOLDER = "/assets/img/plugins/octoprint_uptime/"  # in the repository; pictures from elsewhere get a warning
SYSTEMS = {"windows", "linux", "macos", "freebsd", "posix", "nix"}


def pictures() -> list[str]:
    return [*(each["url"] for each in ENTRY["screenshots"]), ENTRY["featuredimage"]]


def test_entry_has_all_required_and_no_unknown_keys() -> None:
    assert REQUIRED.keys() <= ENTRY.keys() <= (REQUIRED | OPTIONAL).keys()
    for key, value in ENTRY.items():
        assert isinstance(value, (REQUIRED | OPTIONAL)[key]), key
        assert value, key
    assert ENTRY["layout"] == "plugin"


@pytest.mark.parametrize("key", ["homepage", "source", "archive"])
def test_addresses_are_complete(key: str) -> None:
    assert re.fullmatch(r"https://[\w.-]+\.\w+/\S*", ENTRY[key])


def test_id_matches_file_and_package() -> None:
    assert ENTRY["id"] == PATH.stem
    assert (ROOT / ENTRY["id"] / "plugin.py").is_file()


def test_screenshots_have_address_alt_text_and_caption() -> None:
    for each in ENTRY["screenshots"]:
        assert each.keys() == {"url", "alt", "caption"}
        assert all(each.values())


def test_pictures_exist_at_the_repositorys_paths(tmp_path: Path) -> None:
    """Build the repository's folder with the pictures copied into it."""
    (tmp_path / FOLDER[1:]).mkdir(parents=True)
    for picture in [*(ROOT / "assets" / "img").iterdir(), *(ROOT / "octoprint_uptime" / "static" / "img").iterdir()]:
        shutil.copy(picture, tmp_path / FOLDER[1:])
    shown = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    assert shown
    for url in [*pictures(), *shown]:
        assert url.startswith(FOLDER)
        assert (tmp_path / url[1:]).is_file()


def test_compatibility_uses_valid_versions_and_systems() -> None:
    compatibility = ENTRY["compatibility"]
    assert compatibility.keys() == {"octoprint", "os", "python"}
    for version in [*compatibility["octoprint"], *compatibility["python"].split(",")]:
        assert isinstance(version, str)  # an unquoted 1.11 is a number in YAML, and less than 1.2
        assert re.fullmatch(r"(>=|<)?\d+(\.\d+)*", version)
    assert set(compatibility["os"]) <= SYSTEMS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("requires-python", ENTRY["compatibility"]["python"]),
        ("description", ENTRY["description"]),
        ("license", ENTRY["license"]),
        ("Homepage", ENTRY["homepage"]),
        ("Source", ENTRY["source"]),
    ],
)
def test_entry_agrees_with_the_package(key: str, value: str) -> None:
    assert re.findall(rf'^{key} = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE) == [value]


def test_archive_is_the_latest_release() -> None:
    """From a branch, OctoPrint would install unreleased changes under the version that the repository shows."""
    assert ENTRY["archive"].startswith(f"{ENTRY['source']}/releases/latest/download/")


def test_entry_embeds_nothing_from_other_sites() -> None:
    """Embedded content would reveal the page's visitors to other sites."""
    assert not re.search(r"<\w|!\[.*?\]\(http", TEXT)
