"""Test what `make release` requires of a commit, and what it builds."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from release import ARCHIVE, CANDIDATE, heading, notes, problems, publishing, zipped

ROOT = Path(__file__).resolve().parents[2]
OTHER = "- [Another](docs/api.md) thing, [elsewhere](https://example.com)."
CHANGELOG = f"""# Changelog

## [Unreleased]

### Added

- A thing.

## [1.1.0] - 2026-11-25

{OTHER}

## [1.0.0] - 2026-11-21

- The first.

[1.1.0]: https://example.com
"""
RELEASED = CHANGELOG.replace("\n### Added\n\n- A thing.\n", "")


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-m", path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository that is ready for 1.1.0."""
    git(tmp_path, "init")
    commit(tmp_path, "octoprint_uptime/static/js/octoprint_uptime.js", "draw()")
    commit(tmp_path, "assets/img/uptime_navbar.png", "its picture")
    commit(tmp_path, "pyproject.toml", '[project]\nversion = "1.1.0"\n')
    commit(tmp_path, "CHANGELOG.md", RELEASED)
    return tmp_path


def test_a_commit_that_is_ready_is_released(root: Path) -> None:
    assert list(problems(root, "1.1.0")) == []


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("pyproject.toml", '[project]\nversion = "1.0.0"\n', "pyproject.toml has another version"),
        ("CHANGELOG.md", RELEASED.replace(OTHER, ""), "CHANGELOG.md has no entries under 1.1.0"),
        ("CHANGELOG.md", RELEASED.replace("[1.1.0] -", "[1.1.1] -"), "CHANGELOG.md has no entries under 1.1.0"),
        ("CHANGELOG.md", CHANGELOG, "CHANGELOG.md still has entries under Unreleased"),
        (
            "octoprint_uptime/templates/octoprint_uptime_navbar.jinja2",
            "<li>",
            "the page has changed since the screenshots in assets/img: run make screenshots",
        ),
    ],
)
def test_one_that_is_not_is_told_why(root: Path, path: str, text: str, problem: str) -> None:
    commit(root, path, text)
    assert list(problems(root, "1.1.0")) == [problem]


@pytest.mark.parametrize("path", ["CHANGELOG.md", "new.py"])
def test_what_is_not_committed_is_in_no_release(root: Path, path: str) -> None:
    (root / path).write_text(RELEASED + "\n")
    (problem,) = problems(root, "1.1.0")
    assert problem.startswith("uncommitted changes:\n")
    assert path in problem


def test_what_is_no_version_is_none(root: Path) -> None:
    commit(root, "pyproject.toml", 'name = "x"\nversion = "1.1"\n')
    commit(root, "CHANGELOG.md", RELEASED.replace("1.1.0", "1.1"))
    assert list(problems(root, "1.1")) == ["'1.1' is not a version such as 1.1.0 or 1.1.0rc1"]


def test_a_candidate_is_of_what_is_not_released(root: Path) -> None:
    commit(root, "pyproject.toml", 'name = "x"\nversion = "1.2.0rc1"\n')
    assert list(problems(root, "1.2.0rc1")) == ["CHANGELOG.md has no entries under Unreleased"]
    commit(root, "CHANGELOG.md", CHANGELOG)
    assert list(problems(root, "1.2.0rc1")) == []
    assert notes(root, "1.2.0rc1") == "### Added\n\n- A thing."


def test_a_releases_notes_are_its_section(root: Path) -> None:
    address = "https://github.com/Ajimaru/OctoPrint-Uptime/blob/1.1.0/docs/api.md"
    assert notes(root, "1.1.0") == f"- [Another]({address}) thing, [elsewhere](https://example.com)."
    assert notes(root, "1.0.0") == "- The first."
    assert notes(root, "1.0") == ""


@pytest.mark.parametrize("version", ["1.2.0rc1", "1.2.0.dev0"])
def test_what_is_no_release_yet_stands_under_unreleased(version: str) -> None:
    assert heading(version) == "Unreleased"


def test_the_archive_is_the_sdist_in_one_folder(tmp_path: Path) -> None:
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    archive = zipped(Path(shutil.copy(sdist, tmp_path)))
    assert archive == tmp_path / ARCHIVE
    shutil.unpack_archive(sdist, tmp_path / "sdist", filter="data")
    with zipfile.ZipFile(archive) as opened:
        names = {name for name in opened.namelist() if not name.endswith("/")}
        assert {name.partition("/")[0] for name in names} == {sdist.name.removesuffix(".tar.gz")}
        assert {name: opened.read(name) for name in names} == {
            path.relative_to(tmp_path / "sdist").as_posix(): path.read_bytes()
            for path in (tmp_path / "sdist").rglob("*")
            if path.is_file()
        }


def test_documents_name_the_archive() -> None:
    releases = "https://github.com/Ajimaru/OctoPrint-Uptime/releases"
    latest = re.findall(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    address = f"{releases}/download/{latest}/{ARCHIVE}"
    assert set(re.findall(r"[\w/.:-]+\.zip", readme)) == {address, f"dist/{ARCHIVE}", ARCHIVE}
    entry = (ROOT / "extras" / "octoprint_uptime.md").read_text(encoding="utf-8")
    assert set(re.findall(r"https://\S+\.zip", entry)) == {f"{releases}/latest/download/{ARCHIVE}"}


@pytest.mark.parametrize(
    ("version", "options"),
    [("1.1.0", ["--target", "main"]), ("1.2.0rc1", ["--prerelease", "--target", CANDIDATE])],
)
def test_software_update_can_tell_candidates_from_releases(version: str, options: list[str]) -> None:
    command = publishing(version)
    assert command[:4] == ["gh", "release", "create", version]
    assert " ".join(options) in " ".join(command)
    assert ("--prerelease" in command) == ("--prerelease" in options)
