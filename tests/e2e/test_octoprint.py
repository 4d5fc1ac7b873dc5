"""What the plugin contributes to OctoPrint itself."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any

import pytest

from restart_log import until
from support import ID, MakeServer, OctoPrint

FIELDS = {"seconds", "uptime", "started_at"}


def environment(server: OctoPrint) -> dict[str, object]:
    info = server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"]
    prefix = f"env.plugins.{ID}."
    return {key.removeprefix(prefix): value for key, value in info.items() if key.startswith(prefix)}


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


def test_the_bundle_has_them_too(server: OctoPrint) -> None:
    session = server.session("admin")
    bundle = zipfile.ZipFile(io.BytesIO(session.get(f"{server.url}/downloads/systeminfo.zip").content))
    text = bundle.read("systeminfo.txt").decode()
    assert f"env.plugins.{ID}.started_at: {server.answer()['started_at']}" in text
    assert f"env.plugins.{ID}.octoprint_uptime: " in text


def test_switched_off_system_info_has_nothing(server: OctoPrint) -> None:
    server.save({"include_in_systeminfo": False}).raise_for_status()
    assert environment(server) == {}
    bundle = zipfile.ZipFile(io.BytesIO(server.session("admin").get(f"{server.url}/downloads/systeminfo.zip").content))
    assert f"env.plugins.{ID}." not in bundle.read("systeminfo.txt").decode()


def test_the_plugin_manager_and_software_update_know_what_it_is(make_server: MakeServer) -> None:
    # No release is asked for: the proxy is a closed port.
    proxy = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    server = make_server(enable=["pluginmanager", "softwareupdate"], env=proxy)
    session = server.session("admin")
    plugins = session.get(f"{server.url}/plugin/pluginmanager/plugins").json()["plugins"]
    (plugin,) = (plugin for plugin in plugins if plugin["key"] == ID)
    assert plugin["name"] == "OctoPrint Uptime"
    assert plugin["version"] == version("OctoPrint-Uptime")
    assert plugin["author"] == "Ajimaru"
    assert plugin["license"] == "AGPL-3.0-or-later"
    assert plugin["url"] == "https://github.com/Ajimaru/OctoPrint-Uptime"
    assert "how long" in plugin["description"]
    assert plugin["enabled"]
    response = session.get(f"{server.url}/plugin/softwareupdate/check", params={"check": ID})
    check = response.json()["information"][ID]
    assert check["displayName"] == "OctoPrint Uptime"
    assert check["displayVersion"] == version("OctoPrint-Uptime")
    assert check["error"] == "network"
    assert f"Could not check {ID} for updates due to a network error" in server.new_log()


# Software Update asks GitHub at an address that is a constant.
RELEASES = """
__plugin_name__ = "Releases"
__plugin_pythoncompat__ = ">=3"

def __plugin_load__():
    from octoprint.plugins.softwareupdate.version_checks import github_release
    github_release.RELEASE_URL = "{url}/{{user}}/{{repo}}"
"""


def release(version: str, branch: str, prerelease: bool) -> dict[str, Any]:
    return {
        "name": version,
        "tag_name": version,
        "html_url": "https://example.com",
        "draft": False,
        "published_at": "2026-11-25T00:00:00Z",
        "prerelease": prerelease,
        "target_commitish": branch,
    }


@pytest.fixture
def releases() -> Iterator[str]:
    """Where there are a release and a candidate, as GitHub lists them."""
    listed = [release("9.1.0", "main", False), release("9.2.0rc1", "rc", True), release("9.3.0rc1", "other", True)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == "/Ajimaru/OctoPrint-Uptime"
            body = json.dumps(listed if found else []).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("settings", "offered"),
    [({}, "9.1.0"), ({"checks": {ID: {"prerelease": True, "prerelease_channel": "rc"}}}, "9.2.0rc1")],
    ids=["stable", "candidates"],
)
def test_software_update_offers_releases_and_candidates_to_whoever_asks_for_them(
    make_server: MakeServer, releases: str, settings: dict[str, Any], offered: str
) -> None:
    server = make_server(
        enable=["softwareupdate"],
        plugins={"softwareupdate": settings},
        extra_plugins={"releases.py": RELEASES.format(url=releases)},
    )
    response = server.session("admin").get(f"{server.url}/plugin/softwareupdate/check", params={"check": ID})
    check = response.json()["information"][ID]
    assert check["error"] is None
    assert (check["updateAvailable"], check["information"]["remote"]["value"]) == (True, offered)


def test_nothing_is_logged_but_that_it_is_there_and_more_when_asked_to(make_server: MakeServer) -> None:
    server = make_server()
    server.answer()
    assert f"octoprint.plugins.{ID} " not in server.new_log()
    levels = {f"octoprint.plugins.{ID}": "DEBUG"}
    server.session("admin").put(f"{server.url}/plugin/logging/setup/levels", json=levels).raise_for_status()
    server.answer()
    until(lambda: f"octoprint.plugins.{ID} - DEBUG - " in server.new_log())
