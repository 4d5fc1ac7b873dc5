"""Test restarts between runs, with tables of cases and with any runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_up_runs import DAY, HOUR, MARCH, OFFSETS, any_runs, run
from octoprint_uptime.evidence.records import Found, Signs
from octoprint_uptime.restart_log.history import History
from octoprint_uptime.restart_log.records import Print, Progress, Restart, Run, Unrecorded


def history(runs: Sequence[Run], now: float = MARCH + 30 * DAY, clock_is_right: bool = False) -> History:
    return History(runs, now, clock_is_right)


def restarts(runs: Sequence[Run], now: float = MARCH + 30 * DAY, clock_is_right: bool = False) -> list[Restart]:
    return list(history(runs, now, clock_is_right).restarts())


def last(*runs: Run) -> Restart:
    return restarts(runs)[0]


def test_restart_has_all_that_is_known() -> None:
    print_ = Print("parts/benchy.gcode", "local", 1 * HOUR, Progress(43.2109, 5000, 1.2, 1.5 * HOUR), True)
    assert last(run(7, "a", 60.5, 2 * HOUR, print_=print_, dismissed=True), run(9, "b", 90, 90)) == Restart(
        id=7,
        kind="host",
        clean=False,
        run_started=MARCH + 60.5,
        ended_after=MARCH + 2 * HOUR,
        ended_before=MARCH + DAY,
        host_started=MARCH + DAY,
        started=MARCH + DAY + 90,
        downtime_min=90,
        downtime_max=22 * HOUR + 90,
        version="1.11.8",
        lost_print=print_._replace(started=MARCH + HOUR, progress=Progress(43.2109, 5000, 1.2, MARCH + 1.5 * HOUR)),
        unattended_print=None,
        dismissed=True,
    )


def test_restart_has_the_evidence() -> None:
    """Times of signs are dated, and memory is reported only if little was left."""
    ended = run(7, "a", 60.5, HOUR, found=Found("crashed", True, "badplugin", "found"))
    signs = Signs(3, 49_999_999, HOUR - 60, "restart", HOUR - 60)
    found = last(ended._replace(signs=signs), run(9, "a", 2 * HOUR, 2 * HOUR))
    causes = (found.cause, found.cause_proven, found.crashed_in)
    assert (found.asked_by, causes) == ("restart", ("crashed", True, "badplugin"))
    assert (found.under_voltage, found.memory, found.journal) == (MARCH + HOUR - 60, 49_999_999, "found")
    late = signs._replace(memory=50_000_000, asked_at=HOUR - 121)
    found = last(ended._replace(signs=late, found=Found()), run(9, "a", 2 * HOUR, 2 * HOUR))
    assert (found.asked_by, found.cause, found.cause_proven, found.memory) == (None, None, None, None)


def test_under_voltage_in_the_future_is_unknown() -> None:
    ended = run(7, "a", 60.5, HOUR)._replace(signs=Signs(under_voltage=HOUR))
    found = restarts([ended, run(9, "b", 90, 90)], now=MARCH + HOUR - 1)
    assert [each.under_voltage for each in found] == [None]


@pytest.mark.parametrize(
    ("ended", "cause", "unexpected"),
    [(None, None, True), (None, "killed", True), ("clean", None, False), ("clean", "out_of_memory", True)],
)
def test_clean_shutdown_with_a_cause_is_unexpected(ended: str | None, cause: str | None, unexpected: bool) -> None:
    before = run(7, "a", 60.5, HOUR, ended, found=Found(cause))
    found = last(before, run(9, "a", 2 * HOUR, 2 * HOUR))
    assert (found.clean, found.unexpected, before.unexpected) == (ended == "clean", unexpected, unexpected)


@pytest.mark.parametrize(
    ("ended", "boot", "started", "kind", "ended_before", "shortest", "longest"),
    [
        ("clean", "a", 160, "octoprint", MARCH + 100, 60, 60),
        (None, "a", 160, "octoprint", MARCH + 160, 0, 60),
        ("clean", "b", 30, "host", MARCH + 100, DAY - 70, DAY - 70),
        (None, "b", 30, "host", MARCH + DAY, 30, DAY - 70),
        # suspended for three days in between: the boot clock keeps running
        (None, "a", 3 * DAY, "octoprint", MARCH + 3 * DAY, 0, 3 * DAY - 100),
        ("clean", "a", 100, "octoprint", MARCH + 100, 0, 0),
    ],
)
def test_each_kind_of_restart(
    ended: str | None, boot: str, started: float, kind: str, ended_before: float, shortest: float, longest: float
) -> None:
    found = last(run(1, "a", 10, 100, ended), run(2, boot, started, started))
    assert (found.kind, found.clean) == (kind, ended == "clean")
    assert (found.ended_after, found.ended_before) == (MARCH + 100, ended_before)
    assert found.host_started == (OFFSETS[boot] if kind == "host" else None)
    assert (found.downtime_min, found.downtime_max) == (shortest, longest)


@pytest.mark.parametrize("runs", [[], [run(1, "a", 10, 100)]])
def test_one_run_makes_no_restart(runs: list[Run]) -> None:
    assert restarts(runs) == []


def test_newest_restart_comes_first() -> None:
    runs = [run(1, "a", 10, 100), run(3, "a", 110, 200, "clean"), run(4, "b", 10, 20), run(8, "c", 10, 10)]
    assert [found.id for found in restarts(runs)] == [4, 3, 1]


def test_run_after_the_log_was_off_is_no_restart() -> None:
    runs = [run(1, "a", 10, 100), run(2, "a", 110, 200, "off"), run(3, "a", 300, 400, "clean"), run(4, "a", 500, 500)]
    assert [found.id for found in restarts(runs)] == [3, 1]


@pytest.mark.parametrize("ended", ["clean", None])
@pytest.mark.parametrize("boot", ["a", "b"])
@pytest.mark.parametrize("lost", [True, False])
def test_streamed_print_is_lost_and_any_other_is_unattended(ended: str | None, boot: str, lost: bool) -> None:
    print_ = Print("x.gcode", "local", None, Progress(1.5, None, None, None), streamed=lost)
    found = last(run(1, "a", 10, 100, ended, print_), run(2, boot, 200, 200))
    assert (found.lost_print, found.unattended_print) == ((print_, None) if lost else (None, print_))


def test_nothing_is_lost_without_a_print() -> None:
    current = run(2, "a", 200, 200, print_=Print("x", None, 150, None, True))
    found = last(run(1, "a", 10, 100), current)
    assert (found.lost_print, found.unattended_print) == (None, None)


@pytest.mark.parametrize("ended", ["clean", None])
def test_container_restart_is_told_from_a_host_restart(ended: str | None) -> None:
    # Each start of the container has its own name, while the host's boot clock keeps running.
    first = run(1, "a", 1000, 2000, ended, offset=MARCH, own_boot_id=True)
    second = run(2, "b", 2060, 3000, ended, offset=MARCH + 1.5, own_boot_id=True)
    third = run(3, "c", 3100, 3200, offset=MARCH, own_boot_id=True)
    for found, end, start in zip(restarts([first, second, third]), (3000, 2000), (3100, 2060), strict=True):
        assert (found.kind, found.clean, found.host_started) == ("container", ended == "clean", None)
        assert found.ended_after == pytest.approx(MARCH + end, abs=2)
        assert found.ended_before == (found.ended_after if ended else found.started)
        assert found.started == pytest.approx(MARCH + start, abs=2)
        assert (found.downtime_min, found.downtime_max) == (start - end if ended else 0, start - end)


@pytest.mark.parametrize(
    "following",
    [
        run(2, "b", 2060, 3000, offset=MARCH, own_boot_id=False),
        # the host was booted, or the clock was set
        run(2, "b", 2060, 3000, offset=MARCH + 2.5, own_boot_id=True),
        # a clock that was restored from a file: the boot clock started again
        run(2, "b", 30, 3000, offset=MARCH, own_boot_id=True),
    ],
)
@pytest.mark.parametrize("ended", ["clean", None])
def test_any_other_boot_is_a_host_restart(following: Run, ended: str | None) -> None:
    assert last(run(1, "a", 1000, 2000, ended, offset=MARCH, own_boot_id=True), following).kind == "host"


@pytest.mark.parametrize(
    ("own", "offset", "longest"),
    [(True, MARCH + HOUR, 60 + HOUR), (False, MARCH + HOUR, 60 + HOUR), (True, MARCH + 3, None), (False, MARCH, None)],
)
@pytest.mark.parametrize(("ended", "shortest"), [(None, 0), ("clean", 60)])
def test_bounds_hold_if_only_a_container_restarted(
    own: bool, offset: float, longest: float | None, ended: str | None, shortest: float
) -> None:
    # The clock was set since, or only one of the boot ids is known to be the container's.
    first = run(1, "a", 1000, 2000, ended, offset=MARCH, own_boot_id=own)
    found = last(first, run(2, "b", 2060, 3000, offset=offset, own_boot_id=True))
    assert (found.kind, found.downtime_min, found.downtime_max) == ("host", shortest, longest)
    assert found.ended_before == (found.ended_after if ended else found.started)


@pytest.mark.parametrize(("ended", "shortest"), [(None, 0), ("clean", 60)])
@pytest.mark.parametrize(("one", "other"), [("1772366400", "1772370000"), ("1772366400", "b"), ("a", "1772370000")])
def test_bounds_hold_without_a_boot_id(one: str, other: str, ended: str | None, shortest: float) -> None:
    """Either the host booted, or it stayed up and its clock was set forward by an hour."""
    first = run(1, one, 1000, 2000, ended, offset=MARCH)
    found = last(first, run(2, other, 2060, 3000, offset=MARCH + HOUR))
    assert (found.kind, found.host_started) == ("host", MARCH + HOUR)
    assert (found.downtime_min, found.downtime_max) == (shortest, 60 + HOUR)
    assert found.ended_before == (found.ended_after if ended else found.started)


@pytest.mark.parametrize(("ended", "shortest"), [(None, 0), ("clean", 60)])
def test_maximum_is_unknown_without_a_boot_id_if_the_clocks_disagree(ended: str | None, shortest: float) -> None:
    found = last(run(1, "7200", 1000, 2000, ended, offset=MARCH), run(2, "3600", 2060, 3000, offset=MARCH - HOUR))
    assert (found.kind, found.downtime_min, found.downtime_max) == ("host", shortest, None)


def test_boot_clock_that_began_anew_shows_a_boot_without_an_id() -> None:
    found = last(run(1, "1772366400", 1000, 2000, offset=MARCH), run(2, "1772370000", 30, 3000, offset=MARCH + HOUR))
    assert (found.kind, found.downtime_min, found.downtime_max) == ("host", 30, HOUR - 2000 + 30)
    assert found.ended_before == found.host_started == MARCH + HOUR


def test_kinds_of_restart_in_turn() -> None:
    runs = [
        run(1, "a", 100, 200, offset=MARCH, own_boot_id=True),
        run(2, "b", 210, 300, "clean", offset=MARCH, own_boot_id=True),
        run(3, "b", 310, 400, offset=MARCH, own_boot_id=True),
        run(4, "c", 100, 200, "off", offset=MARCH + DAY, own_boot_id=True),
        run(5, "c", 100, 500, "clean", offset=MARCH + DAY, own_boot_id=True, recorded_from=300),
        run(6, "d", 600, 600, offset=MARCH + DAY, own_boot_id=True),
    ]
    found = restarts(runs)
    assert [each.id for each in found] == [5, 3, 2, 1]
    assert [each.kind for each in found] == ["container", "host", "octoprint", "container"]
    assert all(each.ended_after and each.started for each in found)


def test_time_with_the_log_off_is_unrecorded() -> None:
    runs = [
        run(1, "a", 100, 200, recorded_from=150),
        run(2, "a", 210, 300, "off"),
        run(3, "a", 400, 500, "clean", recorded_from=450),
        run(4, "b", 10, 100, "clean", recorded_from=40),
        run(5, "b", 110, 200, "off"),
    ]
    assert history(runs).unrecorded() == [
        Unrecorded(MARCH + DAY + 200, None),
        Unrecorded(MARCH + DAY + 10, MARCH + DAY + 40),
        Unrecorded(MARCH + 300, MARCH + 450),
    ]
    assert history(runs[:1]).unrecorded() == history([]).unrecorded() == []


def test_log_that_ended_after_it_began_again_was_not_off() -> None:
    # On a slow card, the log's tasks wait.
    runs = [run(1, "a", 100, 205, "off"), run(2, "a", 100, 300, recorded_from=203)]
    assert history(runs).unrecorded() == []


def test_recorded_since_is_the_oldest_run_with_a_trusted_clock() -> None:
    unset = run(1, "a", 100, 200, offset=0)
    assert history([unset, run(2, "b", 10, 100, recorded_from=50)]).recorded_since == MARCH + DAY + 50
    assert history([unset]).recorded_since is None
    assert history([]).recorded_since is None


DECADES = 45 * 365 * DAY
WRONG = Print("x", "local", 20, Progress(1.5, 7, 0.2, 30), True)


@pytest.mark.parametrize("clock_is_right", [False, True])
def test_boot_decades_ahead_costs_only_its_own_moments(clock_is_right: bool) -> None:
    ahead = [
        run(number, str(number), 10, 100, print_=WRONG, offset=MARCH + DECADES + number * DAY) for number in (1, 2)
    ]
    found = history([*ahead, run(3, "a", 30, 60)], MARCH + 60, clock_is_right)
    newer, older = found.restarts()
    assert found.recorded_since == MARCH + 30
    assert (newer.run_started, newer.ended_after, newer.downtime_max) == (None, None, None)
    assert newer.lost_print == WRONG._replace(started=None, progress=Progress(1.5, 7, 0.2, None))
    assert (newer.ended_before, newer.host_started, newer.started) == (MARCH, MARCH, MARCH + 30)
    assert (older.run_started, older.ended_after, older.started) == (None, None, None)


def test_downtime_is_known_while_its_moments_lie_in_the_future() -> None:
    found = restarts([run(1, "a", 10, 100), run(2, "b", 30, 60), run(3, "c", 10, 50, offset=100)], 150)[1]
    assert (found.run_started, found.ended_after, found.ended_before, found.started) == (None, None, None, None)
    assert (found.downtime_min, found.downtime_max) == (30, DAY - 70)


def test_evidence_decides_if_a_boot_is_partly_in_the_future() -> None:
    """The clock was set between two boots, either from or to a wrong time."""
    print_ = Print("x", "local", HOUR, Progress(1.5, 7, 0.2, 3 * HOUR), True)
    runs = [run(1, "a", 10, 4 * HOUR, print_=print_), run(2, "b", 30, HOUR, offset=MARCH + HOUR)]
    (found,) = restarts(runs, MARCH + 2 * HOUR)
    assert (found.run_started, found.ended_after, found.started) == (MARCH + 10, None, None)
    assert found.lost_print == Print("x", "local", MARCH + HOUR, Progress(1.5, 7, 0.2, None), True)
    (found,) = restarts(runs, MARCH + 2 * HOUR, clock_is_right=True)
    assert (found.run_started, found.ended_after, found.started) == (None, None, MARCH + HOUR + 30)


def test_unattended_print_has_no_moment_in_the_future() -> None:
    print_ = Print("x", "sdcard", 3 * HOUR, None, False)
    runs = [run(1, "a", 10, 4 * HOUR, print_=print_), run(2, "b", 30, HOUR, offset=MARCH + HOUR)]
    (found,) = restarts(runs, MARCH + 2 * HOUR)
    assert found.unattended_print == print_._replace(started=None)


def test_recording_that_begins_in_the_future_has_no_beginning() -> None:
    runs = [run(1, "a", 10, 4 * HOUR, recorded_from=3 * HOUR), run(2, "b", 30, HOUR, offset=MARCH + HOUR)]
    assert history(runs, MARCH + 2 * HOUR).recorded_since is None


def test_unrecorded_time_has_no_moment_in_the_future() -> None:
    runs = [run(1, "a", 10, 2 * HOUR, "off"), run(2, "a", 10, 4 * HOUR, recorded_from=3 * HOUR), run(3, "b", 0, 60)]
    unset = [*runs[:2], runs[2]._replace(offset=MARCH)]
    assert history(unset, MARCH + 60).unrecorded() == [Unrecorded(None, None)]
    assert history(unset, MARCH + 2.5 * HOUR).unrecorded() == [Unrecorded(MARCH + 2 * HOUR, None)]
    assert history(runs).unrecorded() == [Unrecorded(MARCH + 2 * HOUR, MARCH + 3 * HOUR)]


def test_moments_of_an_untrusted_ended_run_are_unknown() -> None:
    print_ = Print("x", None, 20, Progress(1.5, 7, 0.2, 30), True)
    found = last(run(1, "a", 10, 100, None, print_, offset=0), run(2, "b", 30, 30))
    assert (found.run_started, found.ended_after) == (None, None)
    assert found.lost_print == Print("x", None, None, Progress(1.5, 7, 0.2, None), True)
    assert (found.ended_before, found.host_started, found.started) == (MARCH + DAY, MARCH + DAY, MARCH + DAY + 30)
    assert (found.downtime_min, found.downtime_max) == (30, None)


@pytest.mark.parametrize(("ended", "shortest"), [("clean", None), (None, 30)])
def test_moments_of_an_untrusted_new_run_are_unknown(ended: str | None, shortest: float | None) -> None:
    found = last(run(1, "a", 10, 100, ended), run(2, "b", 30, 30, offset=MARCH + 99))
    assert (found.run_started, found.ended_after) == (MARCH + 10, MARCH + 100)
    assert found.ended_before == (MARCH + 100 if ended else None)
    assert (found.host_started, found.started) == (None, None)
    assert (found.downtime_min, found.downtime_max) == (shortest, None)


def test_downtime_within_a_boot_needs_no_clock() -> None:
    found = last(run(1, "a", 10, 100, offset=0), run(2, "a", 160, 160, offset=0))
    assert (found.ended_after, found.ended_before, found.started) == (None, None, None)
    assert (found.downtime_min, found.downtime_max) == (0, 60)


@pytest.mark.parametrize("ended", ["clean", None])
def test_boot_clock_that_went_back_proves_nothing(ended: str | None) -> None:
    found = last(run(1, "a", 1000, 2000, ended), run(2, "a", 500, 500))
    assert found.kind == "octoprint"
    assert (found.downtime_min, found.downtime_max) == (None, None)
    assert (found.ended_after, found.started) == (MARCH + 2000, None)


def test_boot_clock_that_went_back_while_off_proves_nothing() -> None:
    runs = [run(1, "a", 10, 20), run(2, "a", 1000, 2000, "off"), run(3, "a", 500, 600), run(4, "a", 700, 700)]
    newer, older = restarts(runs)
    assert older.started == MARCH + 1000
    assert (newer.ended_after, newer.started) == (None, None)


def test_reused_boot_id_is_another_boot() -> None:
    runs = [run(1, "a", 10, 100), run(2, "b", 10, 100), run(3, "a", 2 * DAY, 2 * DAY)]
    assert [found.kind for found in restarts(runs)] == ["host", "host"]


@given(any_runs(), st.floats(MARCH, MARCH + 90 * DAY), st.booleans())
def test_moments_are_in_order_and_downtimes_are_possible(runs: list[Run], now: float, clock_is_right: bool) -> None:
    found = restarts(runs, now, clock_is_right)
    assert [each.id for each in found] == [each.id for each in runs[:-1] if each.ended != "off"][::-1]
    known: list[float] = []
    for each in reversed(found):
        moments = (each.run_started, each.ended_after, each.ended_before, each.started)
        known += [moment for moment in moments if moment is not None]
        assert each.host_started is None or (each.ended_after or 0) <= each.host_started <= (each.started or now)
        if each.downtime_max is not None:
            assert each.downtime_min is not None
            # Each is the difference of two moments, which floats hold to a microsecond.
            assert -1e-6 <= each.downtime_min <= each.downtime_max + 1e-6
    assert all(one <= other + 1e-6 for one, other in pairwise(known))
    assert all(moment <= now for moment in known)


@given(any_runs())
def test_every_moment_is_known_if_all_are_in_order(runs: list[Run]) -> None:
    runs = sorted(
        (each._replace(last_alive=each.started, offset=MARCH + int(each.boot, 16) * 100 * DAY) for each in runs),
        key=lambda each: (each.offset, each.started),
    )
    for each in restarts(runs, MARCH + 2000 * DAY):
        assert None not in (each.ended_after, each.ended_before, each.started, each.downtime_max)
