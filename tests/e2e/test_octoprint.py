"""The plugin in System info, the Plugin Manager, Software Update and the log."""

from __future__ import annotations

import io
import re
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from recorded_runs import until
from support import ID, MakeServer, OctoPrint

pytestmark = pytest.mark.each_octoprint

FIELDS = {"seconds", "uptime", "started_at"}


def environment(server: OctoPrint) -> dict[str, object]:
    info = server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"]
    prefix = f"env.plugins.{ID}."
    return {key.removeprefix(prefix): value for key, value in info.items() if key.startswith(prefix)}


def test_servers_run_the_installed_plugin(server: OctoPrint, octoprint_environment: Path) -> None:
    """Not the source in the folder where the tests start."""
    (folder,) = re.findall(r"OctoPrint Uptime \(\S+\) = (.*)", server.log)
    assert Path(folder).is_relative_to(octoprint_environment)


def test_system_info_has_both_uptimes(server: OctoPrint) -> None:
    answer = server.answer()
    found = environment(server)
    others = {"uptime_source", "uptime_scope", "last_restart", "last_restart_at"}
    assert found.keys() == FIELDS | {f"octoprint_{field}" for field in FIELDS} | others
    assert found["seconds"] == pytest.approx(answer["seconds"], abs=2)
    assert found["octoprint_seconds"] == pytest.approx(answer["octoprint_seconds"], abs=2)
    assert re.fullmatch(r"(\d+[dhms] ?)+", str(found["uptime"]))
    for field in ("started_at", "octoprint_started_at", "uptime_source"):
        assert found[field] == answer[field]


def test_system_info_bundle_has_both_uptimes(server: OctoPrint) -> None:
    session = server.session("admin")
    bundle = zipfile.ZipFile(io.BytesIO(session.get(f"{server.url}/downloads/systeminfo.zip").content))
    text = bundle.read("systeminfo.txt").decode()
    assert f"env.plugins.{ID}.started_at: {server.answer()['started_at']}" in text
    assert f"env.plugins.{ID}.octoprint_uptime: " in text


def test_switched_off_they_are_in_neither(server: OctoPrint) -> None:
    server.save({"include_in_systeminfo": False}).raise_for_status()
    assert environment(server) == {}
    bundle = zipfile.ZipFile(io.BytesIO(server.session("admin").get(f"{server.url}/downloads/systeminfo.zip").content))
    assert f"env.plugins.{ID}." not in bundle.read("systeminfo.txt").decode()


def test_plugin_manager_and_software_update_know_the_plugin(make_server: MakeServer) -> None:
    # The proxy is a closed port, so that nothing asks GitHub.
    proxy = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    server = make_server(enable=["pluginmanager", "softwareupdate"], env=proxy)
    session = server.session("admin")
    plugins = session.get(f"{server.url}/plugin/pluginmanager/plugins").json()["plugins"]
    (plugin,) = (plugin for plugin in plugins if plugin["key"] == ID)
    assert plugin["name"] == "OctoPrint Uptime"
    assert plugin["version"] == version("OctoPrint-Uptime")
    assert plugin["author"] == "Ajimaru"
    assert plugin["license"] == "AGPL-3.0-or-later"
    assert plugin["url"] == "https://ajimaru.github.io/OctoPrint-Uptime/"
    assert "how long" in plugin["description"]
    assert plugin["enabled"]
    response = session.get(f"{server.url}/plugin/softwareupdate/check", params={"check": ID})
    check = response.json()["information"][ID]
    assert check["displayName"] == "OctoPrint Uptime"
    assert check["displayVersion"] == version("OctoPrint-Uptime")
    assert check["error"] == "network"
    assert f"Could not check {ID} for updates due to a network error" in server.new_log()


def test_it_logs_nothing_unless_its_level_is_debug(make_server: MakeServer) -> None:
    server = make_server(enable=["logging"])
    server.answer()
    assert f"octoprint.plugins.{ID} " not in server.new_log()
    levels = {f"octoprint.plugins.{ID}": "DEBUG"}
    server.session("admin").put(f"{server.url}/plugin/logging/setup/levels", json=levels).raise_for_status()
    server.answer()
    until(lambda: f"octoprint.plugins.{ID} - DEBUG - " in server.new_log())
