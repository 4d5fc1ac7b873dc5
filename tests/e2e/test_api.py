"""GET /api/plugin/octoprint_uptime."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from octoprint_uptime import format_uptime
from support import ANSWER_FIELDS, ENDPOINT, SUFFIXES, MakeServer, OctoPrint, check_error, process_age

pytestmark = pytest.mark.each_octoprint

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


def test_it_has_the_documented_fields(server: OctoPrint) -> None:
    assert set(server.answer()) == ANSWER_FIELDS


@pytest.mark.parametrize("prefix", ["", "octoprint_"])
def test_texts_are_the_formatted_seconds(server: OctoPrint, prefix: str) -> None:
    answer = server.answer()
    seconds = answer[f"{prefix}seconds"]
    assert isinstance(seconds, float)
    for suffix, display_format in SUFFIXES.items():
        assert answer[f"{prefix}uptime{suffix}"] == format_uptime(seconds, display_format)


def test_host_uptime_is_that_of_proc(server: OctoPrint) -> None:
    before = float(Path("/proc/uptime").read_text().split()[0])
    answer = server.answer()
    after = float(Path("/proc/uptime").read_text().split()[0])
    assert before <= answer["seconds"] <= after
    assert answer["uptime_available"] is True
    assert answer["uptime_source"] == "proc"


def test_octoprint_uptime_is_the_age_of_its_process(server: OctoPrint) -> None:
    assert server.process is not None
    before = process_age(server.process.pid)
    answer = server.answer()
    after = process_age(server.process.pid)
    assert before - 0.02 <= answer["octoprint_seconds"] <= after + 0.02


@pytest.mark.parametrize("prefix", ["", "octoprint_"])
def test_start_time_is_stable_and_in_whole_seconds_of_utc(server: OctoPrint, prefix: str) -> None:
    answers = [server.answer() for _ in range(20)]
    (text,) = {answer[f"{prefix}started_at"] for answer in answers}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    age = datetime.now(timezone.utc) - moment
    assert age.total_seconds() == pytest.approx(answers[-1][f"{prefix}seconds"], abs=2.5)


def test_it_has_the_saved_settings(server: OctoPrint) -> None:
    assert {"display_format": "full", "poll_interval_seconds": 60}.items() <= server.answer().items()
    server.save({"display_format": "dh", "poll_interval_seconds": 7}).raise_for_status()
    assert {"display_format": "dh", "poll_interval_seconds": 7}.items() <= server.answer().items()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_proxy_may_cache_it(server: OctoPrint, method: str) -> None:
    assert "no-store" in server.session("admin").request(method, server.url + ENDPOINT).headers["Cache-Control"]


def test_values_are_the_same_in_german(server: OctoPrint) -> None:
    german = server.session("admin").get(server.url + ENDPOINT, headers={"X-Locale": "de"}).json()
    assert german.keys() == ANSWER_FIELDS
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


# Refusals; test_callers.py has who gets them


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
def test_unknown_command_is_refused_with_the_error_body(server: OctoPrint, body: dict[str, Any]) -> None:
    response = server.session("admin").post(server.url + ENDPOINT, json=body)
    assert response.status_code == 400
    check_error(response)


def test_post_without_csrf_token_is_refused_with_the_error_body(server: OctoPrint) -> None:
    session = server.log_in("admin")
    del session.headers["X-CSRF-Token"]
    response = session.post(server.url + ENDPOINT, json={})
    assert response.status_code == 400
    check_error(response)


def test_another_plugins_refusal_has_the_error_body(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"refuser.py": REFUSER})
    for status in (404, 500, 503):
        response = server.session("admin").get(server.url + ENDPOINT, headers={"X-Refuse": str(status)})
        assert response.status_code == status
        check_error(response)
    server.stop()
    server.new_log()  # where OctoPrint notes a 5xx as an error


@pytest.mark.parametrize(
    "path",
    ["/api/settings", "/api/plugin/virtual_printer", "/api/plugin/octoprint_uptime2", "/api/nothing", "/api/version"],
)
def test_errors_of_other_endpoints_are_unchanged(server: OctoPrint, path: str) -> None:
    response = server.session().get(server.url + path)
    assert response.status_code >= 400
    assert response.json().keys() == {"error"}
    assert "no-store" not in response.headers.get("Cache-Control", "")
