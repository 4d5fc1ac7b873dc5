"""Test each kind of user with each way to authenticate, and many callers at the same time."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from octoprint_server import api_key
from octoprint_uptime import format_uptime
from recorded_runs import until
from support import ENDPOINT, MakeServer, OctoPrint, boot_clock, check_error

WAYS = ("header", "bearer", "query", "cookie")
MAY = {"admin": 204, "operator": 204, "viewer": 403}  # the status of dismissing, which takes CONTROL
DISMISS = {"command": "dismiss", "id": 0}  # no restart has this id


def client(server: OctoPrint, user: str | None, way: str) -> requests.Session:
    """Return a session that authenticates as a user in one of the ways."""
    if user is not None and way == "cookie":
        return server.log_in(user)
    session = requests.Session()
    if user is not None:
        key = api_key(user)
        session.headers.update(
            {"header": {"X-Api-Key": key}, "bearer": {"Authorization": f"Bearer {key}"}}.get(way, {})
        )
        session.params = {"apikey": key} if way == "query" else {}
    return session


ROWS = [
    *((user, way, 200, post, 415) for user, post in MAY.items() for way in WAYS),
    *(("stranger", way, 403, 403, 415) for way in WAYS),  # has no STATUS
    *(("former", way, 403, 403, 403) for way in WAYS if way != "cookie"),  # is deactivated, and can't log in
    # Without a valid key OctoPrint expects a CSRF token.
    *(("nobody", way, 403, 400, 400) for way in WAYS if way != "cookie"),  # a wrong key
    (None, "header", 403, 400, 400),
]


@pytest.mark.parametrize(("user", "way", "read", "post", "without_json"), ROWS)
@pytest.mark.each_octoprint
def test_each_user_by_each_way_and_method(
    server: OctoPrint, user: str | None, way: str, read: int, post: int, without_json: int
) -> None:
    session = client(server, user, way)
    for method, body, status in (
        ("GET", None, read),
        ("HEAD", None, read),
        ("POST", None, without_json),
        ("POST", DISMISS, post),
        ("PUT", None, 405),
        ("BREW", None, 405),
    ):
        response = session.request(method, server.url + ENDPOINT, json=body)
        assert response.status_code == status, (method, body)
        assert "Traceback" not in response.text
        if status == 405:
            # OctoPrint refuses these before it asks a plugin.
            assert "uptime" not in response.text
            assert "seconds" not in response.text
        elif status >= 400:
            check_error(response)
        elif method == "GET":
            assert response.json()["uptime"]
            assert response.json()["uptime_available"] is True
        else:
            assert response.text == ""


GUESTS = {"name": "Guests", "description": "", "permissions": ["STATUS", "CONTROL"], "subgroups": [], "default": True}
# OctoPrint before 1.11.2 doesn't ask a plugin whether its API is protected.
UNPROTECTED = """
import octoprint.plugin


class UnprotectedPlugin(octoprint.plugin.StartupPlugin):
    def on_startup(self, host, port):
        self._plugin_manager.plugins["octoprint_uptime"].implementation.is_api_protected = lambda: False


__plugin_name__ = "Unprotected"
__plugin_pythoncompat__ = ">=3.10,<4"
__plugin_implementation__ = UnprotectedPlugin()
"""


def test_guests_are_refused_without_octoprints_protection(make_server: MakeServer) -> None:
    """Guests have STATUS and CONTROL, and OctoPrint does not check the login."""
    server = make_server(groups={"guests": GUESTS}, extra_plugins={"unprotected.py": UNPROTECTED})
    assert server.session().get(f"{server.url}/api/job").status_code == 200, "guests have STATUS"
    for form in ("json", "prometheus"):
        address = f"{server.url}{ENDPOINT}?format={form}"
        assert server.session("viewer").get(address).status_code == 200
        for user in (None, "nobody", "former"):
            response = server.session(user).get(address)
            assert response.status_code == 403, user
            check_error(response)
    dismiss = {"command": "dismiss", "id": 1}
    assert server.session("operator").post(server.url + ENDPOINT, json=dismiss).status_code == 204
    assert server.session("former").post(server.url + ENDPOINT, json=dismiss).status_code == 403


@pytest.mark.each_octoprint
def test_deactivated_user_can_not_log_in(server: OctoPrint) -> None:
    with pytest.raises(requests.HTTPError, match="403"):
        server.log_in("former")


@pytest.mark.each_octoprint
def test_deactivation_ends_a_users_session(server: OctoPrint) -> None:
    session = server.log_in("viewer")
    assert session.get(server.url + ENDPOINT).status_code == 200
    account = f"{server.url}/api/access/users/viewer"
    try:
        server.session("admin").put(account, json={"active": False}).raise_for_status()
        response = session.get(server.url + ENDPOINT)
        assert response.status_code == 403
        assert response.json()["uptime_available"] is False
    finally:
        server.session("admin").put(account, json={"active": True}).raise_for_status()


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident_megabytes(pid: int) -> float:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("requests_at_least", [600, pytest.param(20_000, marks=pytest.mark.nightly)])
def test_twenty_concurrent_callers_leave_nothing_behind(server: OctoPrint, requests_at_least: int) -> None:
    """Responses stay correct, and neither open files nor memory grow."""
    assert server.process is not None
    pid = server.process.pid
    first = server.answer()
    wrong: list[str] = []
    count = 0
    lock = threading.Lock()
    stop = threading.Event()

    def check(answer: dict[str, Any], last: float) -> bool:
        return (
            last <= answer["seconds"] <= boot_clock() + 0.02
            and answer["started_at"] == first["started_at"]
            and answer["octoprint_started_at"] == first["octoprint_started_at"]
            and all(
                answer[f"{prefix}uptime{suffix}"] == format_uptime(answer[f"{prefix}seconds"], name)
                for prefix in ("", "octoprint_")
                for suffix, name in {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}.items()
            )
        )

    def call() -> None:
        nonlocal count
        # http.client costs less than requests, on the machine that the server needs.
        last = 0.0
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            while not stop.is_set():
                connection.request("GET", ENDPOINT, headers={"X-Api-Key": api_key("viewer")})
                response = connection.getresponse()
                text = response.read()
                answer = json.loads(text)
                good = response.status == 200 and check(answer, last)
                last = answer["seconds"] if good else last
                with lock:
                    count += 1
                    if not good:
                        wrong.append(text.decode())

    def run(more: int) -> None:
        stop.clear()
        target = count + more
        threads = [threading.Thread(target=call, daemon=True) for _ in range(20)]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        try:
            while count < target:
                version = server.session("viewer").get(f"{server.url}/api/version", timeout=30)
                assert version.status_code == 200
                assert all(thread.is_alive() for thread in threads)
                assert time.monotonic() - started < 300
                time.sleep(0.2)
        finally:
            stop.set()
        for thread in threads:
            thread.join(60)

    run(requests_at_least // 3)  # OctoPrint fills its own caches
    files, memory = open_files(pid), resident_megabytes(pid)
    run(requests_at_least)
    until(lambda: open_files(pid) <= files + 2)
    assert wrong == []
    assert resident_megabytes(pid) - memory < 5
