"""What the gaps between runs were, in tables, and what holds whatever the runs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoprint_uptime.restarts import Print, Run, restarts

HOUR = 3600.0
DAY = 24 * HOUR


def at(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc).timestamp()


MARCH = at("2026-03-01 00:00")
OFFSETS = {"a": MARCH, "b": MARCH + DAY, "c": MARCH + 2 * DAY, "d": MARCH + 3 * DAY}


def run(
    number: int,
    boot: str,
    started: float,
    seen: float,
    ended: str | None = None,
    job: Print | None = None,
    dismissed: bool = False,
) -> Run:
    return Run(number, boot, started, seen, "1.11.8", ended, job, dismissed)


def last(runs: list[Run], offsets: dict[str, float] = OFFSETS) -> dict[str, Any]:
    return next(restarts(runs, offsets))


def moments(answer: dict[str, Any]) -> list[str | None]:
    keys = ("run_started_at", "ended_after", "ended_before", "host_started_at", "started_at")
    return [answer[key] for key in keys]


def downtime(answer: dict[str, Any]) -> tuple[int | None, int | None]:
    return answer["downtime_seconds_min"], answer["downtime_seconds_max"]


def test_all_that_is_known_of_a_restart() -> None:
    job = Print("benchy.gcode", 43.2109, 1 * HOUR)
    runs = [run(7, "a", 60.9, 2 * HOUR, job=job, dismissed=True), run(9, "b", 90, 90)]
    assert last(runs) == {
        "id": 7,
        "kind": "host",
        "clean": False,
        "run_started_at": "2026-03-01T00:01:00Z",
        "ended_after": "2026-03-01T02:00:00Z",
        "ended_before": "2026-03-02T00:00:00Z",
        "host_started_at": "2026-03-02T00:00:00Z",
        "started_at": "2026-03-02T00:01:30Z",
        "downtime_seconds_min": 90,
        "downtime_seconds_max": 22 * 3600 + 90,
        "octoprint_version": "1.11.8",
        "lost_print": {"file": "benchy.gcode", "progress": 43.2, "started_at": "2026-03-01T01:00:00Z"},
        "dismissed": True,
    }


@pytest.mark.parametrize(
    ("ended", "boot", "started", "kind", "before", "shortest", "longest"),
    [
        ("clean", "a", 160, "octoprint", "2026-03-01T00:01:40Z", 60, 60),
        (None, "a", 160, "octoprint", "2026-03-01T00:02:40Z", 0, 60),
        ("clean", "b", 30, "host", "2026-03-01T00:01:40Z", 86400 - 70, 86400 - 70),
        (None, "b", 30, "host", "2026-03-02T00:00:00Z", 30, 86400 - 70),
        # suspended for three days in between: the boot clock goes on
        (None, "a", 3 * DAY, "octoprint", "2026-03-04T00:00:00Z", 0, 3 * 86400 - 100),
        ("clean", "a", 100, "octoprint", "2026-03-01T00:01:40Z", 0, 0),
    ],
)
def test_each_kind_of_restart(
    ended: str | None, boot: str, started: float, kind: str, before: str, shortest: int, longest: int
) -> None:
    answer = last([run(1, "a", 10, 100, ended), run(2, boot, started, started)])
    assert (answer["kind"], answer["clean"]) == (kind, ended == "clean")
    assert answer["ended_after"] == "2026-03-01T00:01:40Z"
    assert answer["ended_before"] == before
    assert (answer["host_started_at"] is not None) == (kind == "host")
    assert downtime(answer) == (shortest, longest)


@pytest.mark.parametrize("runs", [[], [run(1, "a", 10, 100)]])
def test_without_two_runs_there_is_no_restart(runs: list[Run]) -> None:
    assert list(restarts(runs, OFFSETS)) == []


def test_the_newest_comes_first() -> None:
    runs = [run(1, "a", 10, 100), run(3, "a", 110, 200, "clean"), run(4, "b", 10, 20), run(8, "c", 10, 10)]
    assert [answer["id"] for answer in restarts(runs, OFFSETS)] == [4, 3, 1]


def test_what_follows_a_log_that_was_switched_off_is_no_restart() -> None:
    runs = [run(1, "a", 10, 100), run(2, "a", 110, 200, "off"), run(3, "a", 300, 400, "clean"), run(4, "a", 500, 500)]
    assert [answer["id"] for answer in restarts(runs, OFFSETS)] == [3, 1]


@pytest.mark.parametrize("ended", ["clean", None])
@pytest.mark.parametrize("boot", ["a", "b"])
def test_a_print_is_lost_however_the_run_ended(ended: str | None, boot: str) -> None:
    runs = [run(1, "a", 10, 100, ended, Print("x.gcode", None, None)), run(2, boot, 200, 200)]
    assert last(runs)["lost_print"] == {"file": "x.gcode", "progress": None, "started_at": None}


def test_no_print_no_loss() -> None:
    assert last([run(1, "a", 10, 100), run(2, "a", 200, 200, job=Print("x", 1.0, 150))])["lost_print"] is None


def test_a_clock_set_late_puts_the_moments_right_at_once() -> None:
    runs = [run(1, "a", 10, 2 * HOUR), run(2, "b", 30, 30)]
    behind = last(runs, {**OFFSETS, "b": MARCH + HOUR})
    assert moments(behind)[:2] == ["2026-03-01T00:00:10Z", "2026-03-01T02:00:00Z"]
    assert moments(behind)[2:] == [None] * 3
    assert downtime(behind) == (30, None)
    assert last(runs, {**OFFSETS, "b": MARCH + 3 * HOUR})["started_at"] == "2026-03-01T03:00:30Z"


@pytest.mark.parametrize(
    ("wrong", "offset"),
    [
        ("first", 0.0),  # 1970
        ("first", at("2025-12-31 00:00")),  # before there was this plugin
        ("first", at("2040-01-01 00:00")),
        ("first", 1e300),
        ("first", -1e12),
        ("middle", 0.0),
        ("middle", at("2026-02-28 00:00")),
        ("middle", MARCH + 0.5 * HOUR),  # by fake-hwclock, which saves the time once an hour
        ("middle", at("2040-01-01 00:00")),
        ("middle", MARCH + 3 * DAY - 1),
        ("current", 0.0),
        ("current", at("2026-02-28 00:00")),
        ("current", MARCH + 2 * DAY + 99),
    ],
)
def test_one_wrong_clock_costs_its_own_moments_alone(wrong: str, offset: float) -> None:
    doubted = {"first": "a", "middle": "b", "current": "d"}[wrong]
    runs = [
        run(1, "a", 10, HOUR),
        run(2, "b", 10, 100),
        run(3, "b", 200, HOUR, "clean"),
        run(4, "c", 10, 100, "clean"),
        run(5, "d", 10, 10),
    ]
    right = list(restarts(runs, OFFSETS))
    answers = list(restarts(runs, {**OFFSETS, doubted: offset}))
    for good, bad in zip(right, answers, strict=True):
        ended, began = (next(r.boot for r in runs if r.id == bad["id"] + n) for n in (0, 1))
        boots = [ended, ended, ended if good["clean"] else began, began, began]
        known = zip(boots, moments(good), strict=True)
        assert moments(bad) == [None if boot == doubted else moment for boot, moment in known]
        if ended != began and doubted in (ended, began):
            assert downtime(bad) == (None if bad["clean"] else 10, None)
        else:
            assert downtime(bad) == downtime(good)


def test_of_two_that_contradict_each_other_the_earlier_is_believed() -> None:
    runs = [run(1, "a", 10, 2 * HOUR), run(2, "b", 10, HOUR), run(3, "c", 10, 10)]
    answers = list(restarts(runs, {**OFFSETS, "b": MARCH + HOUR}))
    assert [answer["started_at"] is None for answer in answers] == [False, True]
    assert [answer["ended_after"] is None for answer in answers] == [True, False]


def test_the_largest_set_is_believed_wherever_it_begins() -> None:
    offsets = {"a": MARCH + 9 * DAY, "b": MARCH + 8 * DAY, "c": MARCH, "d": MARCH + DAY, "e": MARCH + 2 * DAY}
    runs = [run(number, boot, 10, 100) for number, boot in enumerate(offsets)]
    known = [answer["started_at"] is not None for answer in restarts(runs, offsets)]
    assert known == [True, True, True, False]


def test_what_is_doubted_does_not_take_the_place_of_what_is_believed() -> None:
    offsets = {"a": MARCH, "b": MARCH + 8 * HOUR, "c": MARCH + 20 * HOUR}
    runs = [run(1, "a", 10, 10 * HOUR), run(2, "b", 10, 17 * HOUR), run(3, "c", 10, 10)]
    assert [answer["started_at"] is None for answer in restarts(runs, offsets)] == [False, True]


def test_a_boot_long_before_the_first_run_is_believed() -> None:
    runs = [run(1, "a", 400 * DAY, 400 * DAY + 10), run(2, "a", 401 * DAY, 401 * DAY)]
    assert last(runs, {"a": MARCH - 380 * DAY})["ended_after"] == "2026-03-21T00:00:10Z"


@pytest.mark.parametrize("ended", ["clean", None])
def test_a_boot_clock_that_went_back_tells_nothing(ended: str | None) -> None:
    answer = last([run(1, "a", 1000, 2000, ended), run(2, "a", 500, 500)])
    assert answer["kind"] == "octoprint"
    assert downtime(answer) == (None, None)
    assert answer["ended_after"] == "2026-03-01T00:33:20Z"
    assert answer["started_at"] is None


def test_a_boot_clock_that_went_back_while_the_log_was_off_tells_nothing() -> None:
    runs = [run(1, "a", 10, 20), run(2, "a", 1000, 2000, "off"), run(3, "a", 500, 600), run(4, "a", 700, 700)]
    newer, older = restarts(runs, OFFSETS)
    assert older["started_at"] == "2026-03-01T00:16:40Z"
    assert (newer["ended_after"], newer["started_at"]) == (None, None)


def test_another_boot_of_an_earlier_id_is_another_boot() -> None:
    runs = [run(1, "a", 10, 100), run(2, "b", 10, 100), run(3, "a", 2 * DAY, 2 * DAY)]
    assert [answer["kind"] for answer in restarts(runs, OFFSETS)] == ["host", "host"]


seconds = st.integers(0, 10**6).map(float) | st.floats(0, 1e6)
jobs = st.none() | st.builds(Print, st.text("ab/"), st.none() | st.floats(0, 100), st.none() | seconds)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Run], dict[str, float]]:
    offsets = {
        str(number): draw(st.floats(-1e12, 1e12) | st.floats(MARCH - DAY, MARCH + 90 * DAY)) for number in range(5)
    }
    runs = []
    for number in range(draw(st.integers(0, 12))):
        started = draw(seconds)
        ended = draw(st.sampled_from(["clean", "off", None]))
        boot = draw(st.sampled_from(sorted(offsets)))
        runs.append(run(number, boot, started, started + draw(seconds), ended, draw(jobs)))
    if draw(st.booleans()):
        runs.sort(key=lambda each: (each.boot, each.started))  # else hardly any would be in order
        offsets = dict(zip(sorted(offsets), sorted(offsets.values()), strict=True))
    return runs, offsets


@given(histories())
def test_moments_are_in_order_and_downtimes_possible(history: tuple[list[Run], dict[str, float]]) -> None:
    runs, offsets = history
    answers = list(restarts(runs, offsets))
    assert [answer["id"] for answer in answers] == [each.id for each in runs[:-1] if each.ended != "off"][::-1]
    assert json.loads(json.dumps(answers)) == answers
    known: list[str] = []
    for answer in reversed(answers):
        # by clean ends it is the moment itself, else the host's start, or this run's own
        known += [moment for moment in moments(answer) if moment is not None]
        shortest, longest = downtime(answer)
        assert shortest is None or shortest >= 0
        assert longest is None or (shortest is not None and longest >= shortest)
    assert known == sorted(known)
    assert all("2026" <= answer["ended_after"] < "2100" for answer in answers if answer["ended_after"])


@given(histories())
def test_every_moment_is_known_where_all_are_in_order(history: tuple[list[Run], dict[str, float]]) -> None:
    runs, offsets = history
    offsets = {boot: MARCH + int(boot) * 100 * DAY for boot in offsets}
    runs = sorted((each._replace(seen=each.started) for each in runs), key=lambda each: (each.boot, each.started))
    for answer in restarts(runs, offsets):
        assert answer["ended_after"] is not None
        assert answer["started_at"] is not None
        assert answer["downtime_seconds_max"] is not None
