"""Test updates from other versions: Software Update, settings and the restart log."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from former_logs import SCHEMA_3, write_log
from octoprint_uptime import settings
from recorded_runs import restarts, until
from release import zipped
from support import COLD, ENDPOINT, GROUPS, ID, USERS, MakeServer, OctoPrint, serving

VERSION = importlib.metadata.version("OctoPrint-Uptime")
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "show_system_uptime": False,
    "display_format": "d",
    "poll_interval_seconds": 5,
    "compact_display": True,
    "compact_toggle_interval_seconds": 8,
}
EARLIER_PLUGINS = {  # it also stored defaults
    **SETTINGS,
    "display_format": "short",
    "show_octoprint_uptime": True,
    "debug": True,
    "debug_throttle_seconds": 60,
}
RELEASES = [("1.0.0", "main", False), ("1.2.0", "main", False), ("1.3.0rc1", "rc", True), ("1.4.0rc1", "other", True)]

# Software Update has GitHub's address in a constant.
ASKS_US = """
__plugin_name__ = "Releases"
__plugin_pythoncompat__ = ">=3"

def __plugin_load__():
    from octoprint.plugins.softwareupdate.version_checks import github_release
    github_release.RELEASE_URL = "{url}/{{user}}/{{repo}}"
"""


def listed(version: str, branch: str, prerelease: bool) -> dict[str, Any]:
    """Return a release in GitHub's format."""
    return {
        "name": version,
        "tag_name": version,
        "html_url": "https://example.com",
        "draft": False,
        "published_at": "2026-11-25T00:00:00Z",
        "prerelease": prerelease,
        "target_commitish": branch,
    }


def archive(version: str, folder: Path) -> Path:
    """Build the archive that GitHub makes of a tag, with this version."""
    tree = folder / version / f"OctoPrint-Uptime-{version}"
    shutil.copytree(ROOT / ID, tree / ID)
    for name in ("setup.py", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tree / "pyproject.toml").write_text(re.sub(r'^version = ".*"$', f'version = "{version}"', project, flags=re.M))
    return Path(shutil.make_archive(str(folder / version), "zip", tree.parent))


@pytest.fixture
def github(tmp_path: Path) -> Iterator[str]:
    """Run a server that replaces GitHub, with a list of releases and their archives."""
    (tmp_path / "archives").mkdir()
    answers = {"/Ajimaru/OctoPrint-Uptime": json.dumps([listed(*release) for release in RELEASES]).encode()}
    for version, *_ in RELEASES:
        answers[f"/{version}.zip"] = archive(version, tmp_path / "archives").read_bytes()

    def handle(request: BaseHTTPRequestHandler) -> bytes:
        return answers.get(request.path.partition("?")[0], b"[]")

    with serving(handle) as address:
        yield address


@pytest.fixture
def own_environment(octoprint_environment: Path, tmp_path: Path) -> Path:
    """Create a virtual environment on top of the shared one.

    It hides the shared one's plugin and the package that only the plugin needs.
    """
    environment = tmp_path / "environment"
    python = octoprint_environment / "bin" / "python"
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(environment)], check=True)
    (below,) = octoprint_environment.glob("lib/python*/site-packages")
    (packages,) = environment.glob("lib/python*/site-packages")
    shown = tmp_path / "below"
    shown.mkdir()
    for path in below.iterdir():
        if not path.name.startswith((ID, "prometheus_client")):
            (shown / path.name).symlink_to(path)
    (packages / "below.pth").write_text(f"{shown}\n")
    script = (octoprint_environment / "bin" / "octoprint").read_text().partition("\n")[2]
    (environment / "bin" / "octoprint").write_text(f"#!{environment}/bin/python\n{script}")
    (environment / "bin" / "octoprint").chmod(0o755)
    return environment


@pytest.fixture
def own_octoprint(own_environment: Path, tmp_path: Path) -> Iterator[OctoPrint]:
    """Give an OctoPrint that has not been started, in an environment without the plugin."""
    server = OctoPrint(own_environment / "bin" / "octoprint", tmp_path / "octoprint")
    yield server
    server.stop()
    server.check_log()


def install_as(version: str, folder: Path, packages: Path) -> None:
    """Copy one of the two folders of the installed plugin, and give it another version."""
    copy = packages / folder.name.replace(VERSION, version)
    shutil.copytree(folder, copy)
    for file in (copy / "METADATA", copy / "RECORD"):
        if file.exists():
            file.write_text(file.read_text(encoding="utf-8").replace(VERSION, version), encoding="utf-8")


@pytest.fixture
def released(own_octoprint: OctoPrint, own_environment: Path, octoprint_environment: Path, github: str) -> OctoPrint:
    """Run an OctoPrint with 1.0.0 that looks for releases on the fake GitHub."""
    (packages,) = own_environment.glob("lib/python*/site-packages")
    for path in octoprint_environment.glob(f"lib/python*/site-packages/{ID}*"):
        install_as("1.0.0", path, packages)
    updates = {"checks": {ID: {"pip": github + "/{target_version}.zip"}}, "check_overlay_url": f"{github}/overlay"}
    own_octoprint.prepare(USERS, GROUPS, {"softwareupdate": updates, ID: SETTINGS}, enable=["softwareupdate"])
    own_octoprint.add_plugins({"releases.py": ASKS_US.format(url=github)})
    own_octoprint.start(COLD)
    return own_octoprint


def update(server: OctoPrint, log: str = "") -> str:
    """Install the offered update, start OctoPrint with this ``log``, if any, and return the new version."""
    session = server.session("admin")
    session.post(f"{server.url}/plugin/softwareupdate/update", json={"targets": [ID]}).raise_for_status()
    until(lambda: re.search(f"Update of {ID} to .* successful!", server.new_log()), 60)
    server.stop()
    if log:
        shutil.rmtree(server.basedir / "data" / ID)
        write_log(server.basedir / "data" / ID / "restart_log.db", log)
    server.start(COLD)
    return str(server.answer()["plugin_version"])


def offered(server: OctoPrint) -> str | None:
    response = server.session("admin").get(f"{server.url}/plugin/softwareupdate/check", params={"check": ID})
    check = response.json()["information"][ID]
    assert check["error"] is None
    return check["information"]["remote"]["value"] if check["updateAvailable"] else None


@pytest.mark.each_octoprint
def test_software_update_offers_releases_and_candidates(released: OctoPrint) -> None:
    metrics = f"{released.url}{ENDPOINT}?format=prometheus"
    session = released.session("admin")
    assert released.answer()["plugin_version"] == "1.0.0"
    assert session.get(metrics).status_code == 501, "its package is missing"
    assert offered(released) == "1.2.0"
    assert update(released) == "1.2.0"
    assert session.get(metrics).status_code == 200, "the update has installed its package"
    assert [restart["asked_by"] for restart in until(lambda: restarts(released))] == ["update"]
    assert offered(released) is None
    choice = {ID: {"channel": "rc"}}  # like its dialog
    session.post(f"{released.url}/plugin/softwareupdate/configure", json=choice).raise_for_status()
    assert offered(released) == "1.3.0rc1"
    assert update(released, log=SCHEMA_3) == "1.3.0rc1"
    assert [restart["id"] for restart in until(lambda: restarts(released))] == [7]
    assert offered(released) is None
    assert released.settings() == {**settings.defaults(), **SETTINGS}


@pytest.mark.each_octoprint
def test_plugin_manager_installs_the_uploaded_archive(
    own_octoprint: OctoPrint, own_environment: Path, tmp_path: Path
) -> None:
    server = own_octoprint
    server.prepare(USERS, GROUPS, enable=["pluginmanager"])
    server.start(COLD)
    session = server.session("admin")
    assert session.get(server.url + ENDPOINT).status_code == 404
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    file = zipped(Path(shutil.copy(sdist, tmp_path)))
    upload = {"file": (file.name, file.read_bytes())}
    session.post(f"{server.url}/plugin/pluginmanager/upload_file", files=upload).raise_for_status()
    until(lambda: [*own_environment.glob(f"lib/python*/site-packages/{ID}-*.dist-info/RECORD")], 60)
    server.stop()
    server.start(COLD)
    assert server.answer()["plugin_version"] == VERSION
    assert session.get(f"{server.url}{ENDPOINT}?format=prometheus").status_code == 200, "its package is there, too"


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        (EARLIER_PLUGINS, {**SETTINGS, "display_format": "dh"}),
        ({"_config_version": 2, **SETTINGS}, SETTINGS),
        ({"_config_version": 2, **SETTINGS, "restart_log": True}, SETTINGS),
    ],
    ids=["0.4.5", "1.0.0", "1.1.0"],
)
def test_settings_survive_an_update(make_server: MakeServer, left: dict[str, Any], kept: dict[str, Any]) -> None:
    """0.4.5 is the earlier plugin with this identifier; 1.0.0 is the first release of this one."""
    server = make_server(plugins={ID: left})
    assert server.settings() == {**settings.defaults(), **kept}
    assert server.answer()["display_format"] == kept["display_format"]
    assert server.stored() == {"_config_version": 2, **{key: left[key] for key in SETTINGS}}
    assert server.warnings() == []
    server.save({"compact_display": False}).raise_for_status()
    assert server.settings() == {**settings.defaults(), **kept, "compact_display": False}


@pytest.mark.each_octoprint
def test_the_restart_log_survives_an_update(make_server: MakeServer) -> None:
    server = make_server(seed=lambda basedir: write_log(basedir / "data" / ID / "restart_log.db", SCHEMA_3))
    (restart,) = until(lambda: restarts(server))
    assert restart["id"] == 7
    assert restart["lost_print"]["file"] == "y"
    assert server.warnings() == []
