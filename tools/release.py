"""Release this commit, in the steps of `make release` and `make publish`.

`check` reports each problem that prevents the release. `build` builds the files and installs each in both OctoPrint
versions. `publish` uploads them to GitHub, if the commit has its tag. `zip` only builds the zip file, for `make zip`.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

from octoprint_server import Server, api_key

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/Ajimaru/OctoPrint-Uptime"
# The archive has the same name in every release, so the link to the latest one never changes.
ARCHIVE = "OctoPrint-Uptime-latest.zip"
CANDIDATE = "rc"
# The screenshots show what these files produce, and must be retaken when they change.
PICTURED = ("octoprint_uptime/static", "octoprint_uptime/templates", "octoprint_uptime/translations")
PICTURES = "assets/img"


def is_candidate(version: str) -> bool:
    return CANDIDATE in version


def problems(root: Path, version: str) -> Iterator[str]:
    """Yield each problem that prevents a release of this version. Runs no tests."""
    if not re.fullmatch(r"\d+\.\d+\.\d+(rc\d+)?", version):
        yield f"{version!r} is not a version such as 1.1.0 or 1.1.0rc1"
    if changed := _git(root, "status", "--porcelain"):
        yield f"uncommitted changes:\n{changed}"
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    if f'\nversion = "{version}"\n' not in project:
        yield "pyproject.toml has another version"
    if not notes(root, version):
        yield f"CHANGELOG.md has no entries under {heading(version)}"
    if not is_candidate(version) and notes(root, "Unreleased"):
        yield "CHANGELOG.md still has entries under Unreleased"
    taken = _git(root, "log", "-1", "--format=%H", "--", PICTURES)
    if _git(root, "log", "--oneline", f"{taken}..", "--", *PICTURED):
        yield f"the page has changed since the screenshots in {PICTURES}: run make screenshots"


def notes(root: Path, version: str) -> str:
    """Return a version's section of the changelog. For a release candidate, that is the section Unreleased."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(heading(version))}\].*?\n(.*?)(?=^## |^\[)", text, re.DOTALL | re.MULTILINE)
    # Relative links don't work on GitHub's release page.
    return re.sub(r"\]\((?![a-z]+:)", f"]({REPOSITORY}/blob/{version}/", found[1].strip()) if found else ""


def heading(version: str) -> str:
    """Return the changelog's heading for a version: the version, or Unreleased for a release candidate."""
    return version if re.fullmatch(r"[\d.]+", version) else "Unreleased"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def zipped(sdist: Path) -> Path:
    """Convert the sdist to a zip file that OctoPrint's Plugin Manager can install."""
    made = sdist.parent / ARCHIVE
    with tarfile.open(sdist) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in source:
            if file := source.extractfile(member):  # None for a folder
                archive.writestr(member.name, file.read())
    return made


def make_zip() -> Path:
    """Convert the sdist that `make` has built."""
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    return zipped(sdist)


def build(version: str) -> None:
    """Build the zip file, write the release notes, and check that each file can be installed."""
    make_zip()
    _notes_file().write_text(notes(ROOT, version) + "\n", encoding="utf-8")
    environments = sorted((ROOT / ".venv").glob("octoprint-*"))
    for environment in environments:
        for file in _files():  # install the wheel last, because the tests expect it
            _install(environment, file, version)
            print(f"{environment.name}: {file.name} is installed and reports version {version}")
    tag = f"git tag {version} {_git(ROOT, 'rev-parse', 'HEAD')} && git push origin {version}"
    print(f"\nTo release it with .github/workflows/release.yml, push the tag:\n    {tag}")
    print(f"To release it without the workflow, also run:\n    make publish VERSION={version}")


def _files() -> list[Path]:
    return [file for pattern in ("*.zip", "*.tar.gz", "*.whl") for file in (ROOT / "dist").glob(pattern)]


def _notes_file() -> Path:
    return ROOT / "dist" / "notes.md"


def _install(environment: Path, file: Path, version: str) -> None:
    pip = [str(environment / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "uninstall", "--yes", "OctoPrint-Uptime"], check=True)
    subprocess.run([*pip, "install", str(file)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(environment / "bin" / "octoprint", Path(folder))
        server.prepare({"reader": {}})
        server.start()
        try:
            request = urllib.request.Request(
                f"{server.url}/api/plugin/octoprint_uptime", headers={"X-Api-Key": api_key("reader")}
            )
            with urllib.request.urlopen(request, timeout=10) as response:
                answer = json.load(response)
        finally:
            server.stop()
        if answer["plugin_version"] != version or " - ERROR - " in server.log:
            sys.exit(f"{environment.name} with {file.name}: {answer}\n{server.log}")


def publishing(version: str) -> list[str]:
    """Return the command that creates the release on GitHub.

    For a release candidate, Software Update needs both --prerelease and --target.
    """
    target = ["--prerelease", "--target", CANDIDATE] if is_candidate(version) else ["--target", "main"]
    files = [str(file.relative_to(ROOT)) for file in _files()]
    command = ["gh", "release", "create", version, "--verify-tag", "--title", version, *target]
    return [*command, "--notes-file", str(_notes_file().relative_to(ROOT)), *files]


def publish(version: str) -> None:
    command = publishing(version)
    print(shlex.join(command), flush=True)
    subprocess.run(command, cwd=ROOT, check=True)


def check(version: str) -> None:
    if found := list(problems(ROOT, version)):
        sys.exit("\n".join([f"Not ready to release {version}:", *found]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("zip").set_defaults(run=lambda _: print(make_zip()))
    for step in (check, build, publish):
        command = commands.add_parser(step.__name__)
        command.add_argument("version", help="such as 1.1.0, or 1.1.0rc1 for a candidate")
        command.set_defaults(run=lambda arguments, step=step: step(arguments.version))
    arguments = parser.parse_args()
    arguments.run(arguments)
