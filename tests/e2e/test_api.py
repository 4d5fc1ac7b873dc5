"""GET /api/plugin/octoprint_uptime on a real server."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from namespaces import with_files
from octoprint_server import api_key
from octoprint_uptime import format_uptime
from support import ENDPOINT, MakeServer, OctoPrint, boot_clock, process_age

SUFFIXES = {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}
FIELDS = {
    *(f"{prefix}seconds" for prefix in ("", "octoprint_")),
    *(f"{prefix}started_at" for prefix in ("", "octoprint_")),
    *(f"{prefix}uptime{suffix}" for prefix in ("", "octoprint_") for suffix in SUFFIXES),
    *("uptime_available", "uptime_source", "uptime_scope", "display_format", "poll_interval_seconds"),
    *("last_restart", "unseen_restart"),
}


REFUSER = """
import flask

__plugin_pythoncompat__ = ">=3"

def refuse():
    status = flask.request.headers.get("X-Refuse")
    if status:
        flask.abort(int(status))

def __plugin_load__():
    global __plugin_hooks__
    __plugin_hooks__ = {"octoprint.server.api.before_request": lambda *args, **kwargs: [refuse]}
"""


def test_it_answers_just_the_documented_fields(server: OctoPrint) -> None:
    assert set(server.answer()) == FIELDS


@pytest.mark.parametrize("prefix", ["", "octoprint_"])
def test_the_texts_are_the_formats_of_the_seconds(server: OctoPrint, prefix: str) -> None:
    answer = server.answer()
    seconds = answer[f"{prefix}seconds"]
    assert isinstance(seconds, float)
    for suffix, display_format in SUFFIXES.items():
        assert answer[f"{prefix}uptime{suffix}"] == format_uptime(seconds, display_format)


def test_the_system_uptime_is_that_of_proc(server: OctoPrint) -> None:
    before = float(Path("/proc/uptime").read_text().split()[0])
    answer = server.answer()
    after = float(Path("/proc/uptime").read_text().split()[0])
    assert before <= answer["seconds"] <= after
    assert answer["uptime_available"] is True
    assert answer["uptime_source"] == "proc"


def test_the_octoprint_uptime_is_the_age_of_its_process(server: OctoPrint) -> None:
    assert server.process is not None
    before = process_age(server.process.pid)
    answer = server.answer()
    after = process_age(server.process.pid)
    assert before - 0.02 <= answer["octoprint_seconds"] <= after + 0.02


@pytest.mark.parametrize("prefix", ["", "octoprint_"])
def test_the_starting_moment_is_whole_seconds_in_utc_and_stable(server: OctoPrint, prefix: str) -> None:
    answers = [server.answer() for _ in range(20)]
    (text,) = {answer[f"{prefix}started_at"] for answer in answers}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    age = datetime.now(timezone.utc) - moment
    assert age.total_seconds() == pytest.approx(answers[-1][f"{prefix}seconds"], abs=2.5)


def test_the_configured_values_are_those_saved(server: OctoPrint) -> None:
    assert {"display_format": "full", "poll_interval_seconds": 60}.items() <= server.answer().items()
    server.save({"display_format": "dh", "poll_interval_seconds": 7}).raise_for_status()
    assert {"display_format": "dh", "poll_interval_seconds": 7}.items() <= server.answer().items()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_proxy_may_cache_it(server: OctoPrint, method: str) -> None:
    assert "no-store" in server.session("admin").request(method, server.url + ENDPOINT).headers["Cache-Control"]


def test_the_values_are_the_same_in_german(server: OctoPrint) -> None:
    german = server.session("admin").get(server.url + ENDPOINT, headers={"X-Locale": "de"}).json()
    assert german.keys() == FIELDS
    english = server.answer()
    for field in (
        "started_at",
        "octoprint_started_at",
        "uptime_available",
        "uptime_source",
        "uptime_scope",
        "display_format",
    ):
        assert german[field] == english[field]
    for prefix in ("", "octoprint_"):
        for suffix, display_format in SUFFIXES.items():
            assert german[f"{prefix}uptime{suffix}"] == format_uptime(german[f"{prefix}seconds"], display_format)


def test_unknown_uptime_is_null_with_a_note_in_the_callers_language(make_server: MakeServer, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.touch()
    # Without its btime psutil knows no boot time either.
    server = make_server(with_files({"/proc/uptime": nothing, "/proc/stat": nothing}))
    answer = server.answer()
    assert set(answer) == FIELDS | {"uptime_note"}
    assert {answer[field] for field in ("seconds", "started_at", "uptime", "uptime_dhm", "uptime_dh", "uptime_d")} == {
        None
    }
    assert answer["uptime_available"] is False
    assert answer["uptime_source"] is None
    assert answer["octoprint_seconds"] > 0
    german = server.session("admin").get(server.url + ENDPOINT, headers={"X-Locale": "de"}).json()["uptime_note"]
    assert "pip install psutil" in answer["uptime_note"]
    assert "virtual environment" in answer["uptime_note"]
    assert "pip install psutil" in german
    assert "virtueller Umgebung" in german
    assert len(server.warnings()) == 2


def test_without_proc_uptime_psutil_answers(make_server: MakeServer, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_text("garbage")
    server = make_server(with_files({"/proc/uptime": tmp_path / "garbage"}))
    answers = [server.answer() for _ in range(3)]
    assert {answer["uptime_source"] for answer in answers} == {"psutil"}
    assert answers[-1]["seconds"] == pytest.approx(boot_clock(), abs=1.5)
    assert answers[-1]["uptime_available"] is True
    assert len(server.warnings()) == 1


# Who may, and what everybody else gets


@pytest.mark.parametrize("user", ["admin", "operator", "viewer"])
@pytest.mark.parametrize(
    "credentials",
    [
        lambda key: {"headers": {"X-Api-Key": key}},
        lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
        lambda key: {"params": {"apikey": key}},
    ],
    ids=["header", "bearer", "query"],
)
def test_whoever_has_status_may_read_it(server: OctoPrint, user: str, credentials: Any) -> None:
    response = requests.get(server.url + ENDPOINT, **credentials(api_key(user)))
    assert response.status_code == 200
    assert response.json()["uptime_available"] is True


def test_a_session_cookie_will_do(server: OctoPrint) -> None:
    assert server.log_in("viewer").get(server.url + ENDPOINT).status_code == 200


@pytest.mark.parametrize("user", [None, "nobody", "stranger", "former"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nobody_else_may(server: OctoPrint, user: str | None, method: str) -> None:
    response = server.session(user).request(method, server.url + ENDPOINT)
    assert response.status_code == 403
    check_error(response, method)


def test_a_cookie_without_status_is_not_enough(server: OctoPrint) -> None:
    response = server.log_in("stranger").get(server.url + ENDPOINT)
    assert response.status_code == 403
    check_error(response, "GET")


@pytest.mark.parametrize(
    ("user", "status"),
    # Without a valid key OctoPrint takes it for a browser's and misses the CSRF token.
    [("admin", 204), ("viewer", 204), ("stranger", 403), ("former", 403), ("nobody", 400), (None, 400)],
)
def test_a_post_is_refused_with_the_same_body(server: OctoPrint, user: str | None, status: int) -> None:
    response = server.session(user).post(server.url + ENDPOINT, json={"command": "dismiss", "id": 0})
    assert response.status_code == status
    if status != 204:
        check_error(response, "POST")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command": None},
        {"command": "x"},
        {"command": "dismiss"},
        *({"command": "dismiss", "id": bad} for bad in ("1", 1.0, True, None, [1])),
    ],
    ids=str,
)
def test_a_post_of_no_known_command_is_refused_with_the_same_body(server: OctoPrint, body: dict[str, Any]) -> None:
    response = server.session("admin").post(server.url + ENDPOINT, json=body)
    assert response.status_code == 400
    check_error(response, "POST")


def test_a_post_without_csrf_token_is_refused_with_the_same_body(server: OctoPrint) -> None:
    session = server.log_in("admin")
    del session.headers["X-CSRF-Token"]
    response = session.post(server.url + ENDPOINT, json={})
    assert response.status_code == 400
    check_error(response, "POST")


def test_what_another_plugin_does_to_the_request_keeps_the_body(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"refuser.py": REFUSER})
    for status in (404, 500, 503):
        response = server.session("admin").get(server.url + ENDPOINT, headers={"X-Refuse": str(status)})
        assert response.status_code == status
        check_error(response, "GET")
    server.stop()
    server.new_log()  # where OctoPrint notes a 5xx as an error


def check_error(response: requests.Response, method: str) -> None:
    assert response.headers["Content-Type"] == "application/json"
    assert "no-store" in response.headers["Cache-Control"]
    if method == "HEAD":
        assert int(response.headers["Content-Length"]) > 0
        return
    body = response.json()
    assert body.keys() == {"error", "uptime_available"}
    assert body["uptime_available"] is False
    assert isinstance(body["error"], str)
    assert len(body["error"]) > 5


@pytest.mark.parametrize(
    "path",
    ["/api/settings", "/api/plugin/virtual_printer", "/api/plugin/octoprint_uptime2", "/api/nothing", "/api/version"],
)
def test_no_other_endpoints_errors_change(server: OctoPrint, path: str) -> None:
    response = server.session().get(server.url + path)
    assert response.status_code >= 400
    assert response.json().keys() == {"error"}
    assert "no-store" not in response.headers.get("Cache-Control", "")
