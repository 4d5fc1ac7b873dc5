"""When OctoPrint and the host were running, as the API reports it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from page_parts import IN_A_MONTH, RUNS
from recorded_runs import moment, until
from support import ENDPOINT, OctoPrint

pytestmark = pytest.mark.each_octoprint


def history_of(server: OctoPrint, days: int, user: str = "viewer") -> Any:
    response = server.session(user).get(server.url + ENDPOINT, params={"days": str(days)})
    assert response.status_code == 200, response.text
    return response.json()["history"]


def hours_ago(text: str) -> Any:
    return (datetime.now(timezone.utc).timestamp() - moment(text)) / 3600


def test_spans_are_those_of_the_recorded_runs(only_read: OctoPrint) -> None:
    history = history_of(only_read, 366)
    found = [(hours_ago(span["from"]), hours_ago(span["to"]), span["state"]) for span in history["octoprint"]]
    (first_from, _, first), *spans, (_, last_to, last) = found
    assert (first, first_from) == ("not_recorded", pytest.approx(366 * 24, abs=0.5))
    assert (last, last_to) == ("running", pytest.approx(0, abs=0.5))
    assert moment(history["octoprint"][-1]["from"]) == moment(only_read.answer()["octoprint_started_at"])
    running = [(since, to) for since, to, state in spans if state == "running"]
    # The first two follow each other at once.
    expected = [(40 * 24, 11 * 24), *((run.start, run.end) for run in RUNS[2:])]
    assert running == [pytest.approx(each, abs=0.5) for each in expected]
    maybe = [(since, to) for since, to, state in spans if state == "maybe_running"]
    assert [since for since, _ in maybe] == [pytest.approx(each, abs=0.5) for each in (11 * 24, 5)]
    assert len(spans) == len(running) + len(maybe)


def test_host_is_up_from_its_boot_to_its_last_sign_of_life(only_read: OctoPrint) -> None:
    history = history_of(only_read, 30)
    states = [span["state"] for span in history["host"]]
    assert states == ["running", "maybe_running", "running", "running", "maybe_running", "running"]
    assert moment(history["host"][-1]["from"]) == pytest.approx(moment(only_read.answer()["started_at"]), abs=2)


@pytest.mark.parametrize("days", [1, 30, 366])
def test_spans_are_cut_at_the_range_and_add_up_to_the_figures(only_read: OctoPrint, days: int) -> None:
    history = history_of(only_read, days)
    assert moment(history["to"]) - moment(history["from"]) == days * 86400
    assert datetime.now(timezone.utc) - timedelta(seconds=5) < datetime.fromisoformat(
        history["to"].replace("Z", "+00:00")
    )
    sums = {"running": 0.0, "maybe_running": 0.0, "not_recorded": 0.0}
    for lane in ("octoprint", "host"):
        last = moment(history["from"])
        for span in history[lane]:
            assert last <= moment(span["from"]) < moment(span["to"]) <= moment(history["to"])
            last = moment(span["to"])
    for span in history["octoprint"]:
        sums[span["state"]] += moment(span["to"]) - moment(span["from"])
    figures = history["figures"]
    assert figures["running_seconds_min"] == sums["running"]
    assert figures["running_seconds_max"] == sums["running"] + sums["maybe_running"]
    assert figures["recorded_seconds"] == days * 86400 - sums["not_recorded"]


def test_figures_are_those_of_the_restarts(only_read: OctoPrint) -> None:
    response = only_read.session("admin").get(only_read.url + ENDPOINT, params={"days": "30", "restarts": "1"})
    answer = response.json()
    figures = answer["history"]["figures"]
    assert len(answer["restarts"]) == 1
    assert (figures["restarts"], figures["unexpected_shutdowns"], figures["lost_prints"]) == (IN_A_MONTH, 2, 3)
    # From 36 to 11 days ago, and OctoPrint stopped unexpectedly then.
    assert figures["longest_uptime_seconds"] == pytest.approx(25 * 86400, abs=5)
    assert figures["longest_uptime_is_exact"] is False
    listed = [
        each
        for each in only_read.session("admin").get(only_read.url + ENDPOINT, params={"days": "30"}).json()["restarts"]
        if not each["clean"]
    ]
    for bound in ("min", "max"):
        total = sum(each[f"downtime_seconds_{bound}"] for each in listed)
        assert figures[f"unexpected_downtime_seconds_{bound}"] == pytest.approx(total, abs=2)


def test_history_comes_only_with_days(only_read: OctoPrint) -> None:
    assert "history" not in only_read.answer()
    response = only_read.session("viewer").get(only_read.url + ENDPOINT, params={"restarts": "5"})
    assert "history" not in response.json()


def test_history_is_null_while_the_log_is_off(server: OctoPrint) -> None:
    until(lambda: history_of(server, 1))
    server.save({"restart_log": False}).raise_for_status()
    assert history_of(server, 1) is None
    server.save({"restart_log": True}).raise_for_status()
    states = until(lambda: history_of(server, 1))["octoprint"]
    assert states[-1]["state"] in ("running", "not_recorded")
