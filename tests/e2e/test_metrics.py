"""GET /api/plugin/octoprint_uptime?format=prometheus."""

from __future__ import annotations

import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from octoprint_server import api_key
from recorded_runs import connect, moment, pause, print_file, state, until
from support import ENDPOINT, MakeServer, OctoPrint, check_error
from system import unpacked

pytestmark = pytest.mark.each_octoprint

METRICS = f"{ENDPOINT}?format=prometheus"

# OctoPrint's environment has the library, so this plugin hides it.
WITHOUT_LIBRARY = """
import sys

__plugin_pythoncompat__ = ">=3"

sys.modules["prometheus_client"] = None
"""


def scrape(server: OctoPrint) -> dict[str, float]:
    """Return the value of each metric by its name, and check that Prometheus can read the text."""
    key = {"Authorization": f"Bearer {api_key('viewer')}"}  # the only header that Prometheus 2 can send
    response = server.session().get(server.url + METRICS, headers=key)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    check = subprocess.run([*unpacked("promtool"), "check", "metrics"], input=response.content, capture_output=True)
    assert (check.returncode, check.stderr) == (0, b"")
    families = list(text_string_to_metric_families(response.text))  # type: ignore[no-untyped-call]
    return {sample.name.removeprefix("octoprint_uptime_"): sample.value for each in families for sample in each.samples}


def test_metrics_agree_with_json(only_read: OctoPrint) -> None:
    found, answer = scrape(only_read), only_read.answer()
    assert found == {
        "info": 1,
        "host_start_time_seconds": moment(answer["started_at"]),
        "process_start_time_seconds": moment(answer["octoprint_started_at"]),
        "printing": 0,
        "last_restart_timestamp_seconds": moment(answer["last_restart"]["started_at"]),
        "recorded_runs_total": answer["recorded_runs"],
        "unexpected_shutdowns_total": answer["unexpected_shutdowns"],
        "lost_prints_total": answer["lost_prints"],
        "boots_total": answer["boots"],
        "unseen_restarts": answer["unseen_restarts"],
        "unseen_lost_prints": answer["unseen_lost_prints"],
    }
    assert answer["unseen_restarts"] > 0


def test_print_is_reported_while_it_runs_or_is_paused_even_without_the_log(make_server: MakeServer) -> None:
    server = make_server(plugins={"octoprint_uptime": {"restart_log": False}})
    connect(server)
    assert scrape(server)["printing"] == 0
    print_file(server, "flat.gcode")
    until(lambda: state(server) == "Printing")
    found = scrape(server)
    assert found.keys() == {"info", "host_start_time_seconds", "process_start_time_seconds", "printing"}
    assert found["printing"] == 1
    pause(server)
    assert scrape(server)["printing"] == 1
    server.session("admin").post(f"{server.url}/api/job", json={"command": "cancel"}).raise_for_status()
    until(lambda: state(server) == "Operational")
    assert scrape(server)["printing"] == 0


@pytest.mark.parametrize("query", ["format=xml", "format=", "format=PROMETHEUS", "format=prometheus&days=0"])
def test_bad_query_is_refused(server: OctoPrint, query: str) -> None:
    response = server.session("viewer").get(f"{server.url}{ENDPOINT}?{query}")
    assert response.status_code == 400
    check_error(response)


@pytest.mark.parametrize("user", [None, "stranger", "former"])
def test_callers_without_permission_are_refused_with_json(server: OctoPrint, user: str | None) -> None:
    response = server.session(user).get(server.url + METRICS)
    assert response.status_code == 403
    check_error(response)


def test_json_is_unchanged_by_its_format_and_by_accept(server: OctoPrint) -> None:
    session = server.session("viewer")
    for url, accept in ((f"{ENDPOINT}?format=json", "*/*"), (ENDPOINT, "text/plain;version=0.0.4")):
        response = session.get(server.url + url, headers={"Accept": accept})
        assert response.headers["Content-Type"] == "application/json"
        assert response.json().keys() == server.answer().keys()


def test_restarts_and_days_add_nothing(only_read: OctoPrint) -> None:
    plain, more = (only_read.session("viewer").get(only_read.url + url) for url in (METRICS, f"{METRICS}&days=30"))
    assert plain.text == more.text


def test_missing_library_costs_only_the_metrics(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"without_library.py": WITHOUT_LIBRARY})
    response = server.session("viewer").get(server.url + METRICS)
    assert response.status_code == 501
    check_error(response)
    assert "pip install prometheus_client" in response.json()["error"]
    server.answer()
    assert server.new_log().count("ERROR") == 1  # OctoPrint logs each 5xx
