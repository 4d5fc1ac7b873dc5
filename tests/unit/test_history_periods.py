"""Test periods and their figures, with tables of cases and with any runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given

from made_up_runs import DAY, MARCH, any_runs, run
from octoprint_uptime.evidence.records import Found
from octoprint_uptime.restart_log.history import History
from octoprint_uptime.restart_log.records import Figures, Period, Print, Run, Span

STATES = {"R": "running", "M": "maybe_running", "N": "not_recorded", "U": "unknown"}
BENCHY = Print("benchy.gcode", "local", 50, None, True)


def period(runs: Sequence[Run], until: float, days: int = 1, scope: str = "host", up_since: float = MARCH) -> Period:
    """Return the period until ``until``, in seconds since the start of March."""
    return History(runs, MARCH + until).period(days, scope, up_since)


def drawn(found: Period, lane: str = "octoprint") -> str:
    """Return a lane as text, such as ``N..10 R10-60``, in seconds since the start of March."""
    letters = {state: letter for letter, state in STATES.items()}
    spans: list[Span] = getattr(found, lane)
    texts = [f"{letters[state]}{since - int(MARCH)}-{until - int(MARCH)}" for since, until, state in spans]
    return " ".join(texts).replace(f"{found.since - int(MARCH)}-", "..", 1)


def octoprint(runs: Sequence[Run], until: float, days: int = 1) -> str:
    return drawn(period(runs, until, days))


def host(runs: Sequence[Run], until: float, scope: str = "host", up_since: float = 0) -> str:
    return drawn(period(runs, until, scope=scope, up_since=MARCH + up_since), "host")


def figures(runs: Sequence[Run], until: float, days: int = 1) -> Figures:
    return period(runs, until, days).figures


def test_period_covers_its_days_in_whole_seconds() -> None:
    found = period([run(1, "a", 10.9, 100.7)], 100.7, days=2)
    assert (found.since, found.until) == (MARCH + 100 - 2 * DAY, MARCH + 100)
    assert found.octoprint == [
        Span(int(MARCH + 100 - 2 * DAY), int(MARCH + 10), "not_recorded"),
        Span(int(MARCH + 10), int(MARCH + 100), "running"),
    ]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run(1, "a", 10, 900)], "N..10 R10-900"),
        # After a clean shutdown the gap is as long as the downtime.
        ([run(1, "a", 10, 100, "clean"), run(2, "a", 160, 900)], "N..10 R10-100 R160-900"),
        # After an unexpected one, OctoPrint may have continued for as long as the log can't exclude it.
        ([run(1, "a", 10, 100), run(2, "a", 160, 900)], "N..10 R10-100 M100-160 R160-900"),
        # A run that was killed before its first heartbeat.
        ([run(1, "a", 10, 10), run(2, "a", 160, 900)], "N..10 M10-160 R160-900"),
        # The log was off, from the first run to within the third.
        (
            [run(1, "a", 10, 100, "off"), run(2, "a", 400, 500, "clean", recorded_from=450), run(3, "a", 600, 900)],
            "N..10 R10-100 N100-450 R450-500 R600-900",
        ),
        # OctoPrint started without the log, and recorded from then on.
        ([run(1, "a", 10, 100, "clean"), run(2, "a", 160, 900, recorded_from=300)], "N..10 R10-100 N160-300 R300-900"),
        # On a slow card the end of one run is noted after the next one has begun.
        ([run(1, "a", 10, 205, "off"), run(2, "a", 10, 900, recorded_from=203)], "N..10 R10-900"),
        # The log is off now.
        ([run(1, "a", 10, 100, "off")], "N..10 R10-100 N100-900"),
        ([], "N..900"),
    ],
)
def test_octoprints_lane(runs: list[Run], expected: str) -> None:
    assert octoprint(runs, 900) == expected


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        # Up to the boot OctoPrint may have been running, but not between the boot and its start.
        ([run(1, "a", 10, 100), run(2, "b", 30, 900)], "N..10 R10-100 M100-86400 R86430-87300"),
        ([run(1, "a", 10, 1000, "clean"), run(2, "b", 30, 900)], "N..10 R10-1000 R86430-87300"),
    ],
)
def test_octoprints_lane_after_a_boot(runs: list[Run], expected: str) -> None:
    assert octoprint(runs, DAY + 900, days=2) == expected


NEVER = 0.0  # as offset: the clock stood in 1970


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        # Before the first trusted clock nothing is recorded, but after its boot OctoPrint was not running yet.
        ([run(1, "x", 10, 100, offset=NEVER), run(2, "a", 160, 900)], "N..0 R160-900"),
        # Between two trusted clocks the time around an untrusted one is unknown.
        (
            [run(1, "a", 10, 100), run(2, "x", 10, 50, offset=NEVER), run(3, "c", 10, 900, offset=MARCH + 700)],
            "N..10 R10-100 U100-700 R710-900",
        ),
        # From the last trusted clock on, if that of now is not trusted.
        ([run(1, "a", 10, 100, "clean"), run(2, "x", 10, 50, offset=NEVER)], "N..10 R10-100 U100-900"),
        ([run(1, "a", 10, 100, "off"), run(2, "x", 10, 50, offset=NEVER)], "N..10 R10-100 U100-900"),
        # Within a boot the boot clock went back, as when a virtual machine is restored.
        ([run(1, "a", 500, 600), run(2, "a", 100, 900)], "N..500 R500-600 U600-900"),
    ],
)
def test_time_without_a_trusted_clock_is_unknown(runs: list[Run], expected: str) -> None:
    assert octoprint(runs, 900) == expected


def test_clock_that_is_behind_shows_nothing_of_the_future() -> None:
    runs = [run(1, "b", 10, 100), run(2, "x", 10, 50, offset=NEVER)]
    assert octoprint(runs, 50) == "N..50"


def test_boot_decades_ahead_leaves_its_time_unknown() -> None:
    ahead = run(2, "b", 10, 50, offset=MARCH + 16_000 * DAY)
    assert octoprint([run(1, "a", 10, 100), ahead, run(3, "c", 10, 200, offset=MARCH + 700)], 900) == (
        "N..10 R10-100 U100-700 R710-900"
    )
    assert octoprint([ahead, run(3, "a", 10, 900)], 900) == "N..0 R10-900"


def test_boot_that_is_partly_in_the_future_is_shown_until_now() -> None:
    runs = [run(1, "a", 10, 1000), run(2, "b", 10, 50, offset=MARCH + 500)]
    assert octoprint(runs, 550) == "N..10 R10-550"


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        # Running beats not recorded: the host was up before the log began, and while the log was off.
        ([run(1, "a", 10, 900)], "N..0 R0-900"),
        ([run(1, "a", 10, 100, "off"), run(2, "a", 400, 900, recorded_from=450)], "N..0 R0-900"),
        ([run(1, "a", 10, 100), run(2, "a", 160, 900)], "N..0 R0-900"),
        ([run(1, "a", 10, 100), run(2, "b", 30, 400, offset=MARCH + 500)], "N..0 R0-100 M100-500 R500-900"),
        ([run(1, "a", 10, 100, "clean"), run(2, "b", 30, 400, offset=MARCH + 500)], "N..0 R0-100 R500-900"),
        ([run(1, "a", 10, 100, "off"), run(2, "b", 30, 400, offset=MARCH + 500)], "N..0 R0-100 N100-500 R500-900"),
        ([run(1, "a", 10, 100, "off")], "N..0 R0-900"),
        ([run(1, "a", 10, 100), run(2, "x", 30, 400, offset=NEVER)], "N..0 R0-100 U100-900"),
    ],
)
def test_hosts_lane(runs: list[Run], expected: str) -> None:
    assert host(runs, 900) == expected


def in_container(number: int, boot: str, started: float, last_alive: float, ended: str | None = None) -> Run:
    return run(number, boot, started, last_alive, ended, offset=MARCH, own_boot_id=True)


def test_host_stays_up_while_its_container_restarts() -> None:
    runs = [in_container(1, "a", 10, 100), in_container(2, "b", 160, 900)]
    assert host(runs, 900) == "N..0 R0-900"


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (None, "N..10 R10-100 M100-300 R300-400 M400-750 R750-900"),
        ("clean", "N..10 R10-100 R300-400 R750-900"),
        ("off", "N..10 R10-100 N100-300 R300-400 N400-750 R750-900"),
    ],
)
def test_containers_lane(ended: str | None, expected: str) -> None:
    """Only the container's latest start is known. Before that, use the starts of OctoPrint."""
    runs = [
        in_container(1, "a", 10, 100, ended),
        in_container(2, "b", 300, 350, ended),
        in_container(3, "b", 360, 400, ended),
        in_container(4, "c", 800, 900),
    ]
    assert host(runs, 900, "container", 750) == expected


def test_containers_lane_after_a_boot_of_its_host() -> None:
    runs = [run(1, "a", 10, 100), run(2, "b", 300, 400, offset=MARCH + 500)]
    assert host(runs, 900, "container", 700) == "N..10 R10-100 M100-500 R700-900"


@pytest.mark.parametrize(
    ("up_since", "expected"),
    [
        (750, "N..10 R10-400 M400-750 R750-900"),
        (250, "N..10 R10-100 M100-250 R250-900"),
        (5, "N..5 R5-900"),
        (500, "N..10 R10-400 M400-500 R500-900"),
        (801, "N..10 R10-400 M400-800 R800-900"),  # OctoPrint is the container's first process
    ],
)
def test_lane_of_a_container_with_the_boot_id_of_its_host(up_since: float, expected: str) -> None:
    """With lxcfs, a Docker container has an uptime of its own, but its restarts are recorded as OctoPrint's."""
    runs = [run(1, "a", 10, 100), run(2, "a", 300, 400), run(3, "a", 800, 900)]
    assert host(runs, 900, "container", up_since) == expected


def test_lane_of_a_first_container_begins_with_its_start() -> None:
    assert host([in_container(1, "a", 100, 900)], 900, "container", 40) == "N..40 R40-900"


def test_figures_count_what_the_days_cover() -> None:
    runs = [
        run(1, "a", 10, 100),  # the run that follows started before these days
        run(2, "a", 160, 1000, "clean", BENCHY),
        run(3, "b", 30, 500, None, BENCHY),
        run(4, "b", 600, 900),
        run(5, "b", 960, 2000),
    ]
    assert figures(runs, DAY + 2000) == Figures(
        restarts=3,
        unexpected_shutdowns=2,
        lost_prints=2,
        running_min=470 + 300 + 1040,
        running_max=470 + 100 + 300 + 60 + 1040,
        recorded=int(DAY),
        longest_uptime=1040,
        longest_uptime_is_exact=True,
        unexpected_downtime_min=0,
        unexpected_downtime_max=160,
    )


def test_clean_shutdown_with_a_cause_counts_as_unexpected() -> None:
    killed = run(1, "a", 10, 1000, "clean", found=Found("out_of_memory", True))
    runs = [killed, run(2, "a", 1160, 1200, "clean", found=Found()), run(3, "a", 1300, 2000)]
    found = figures(runs, 2000)
    assert (found.restarts, found.unexpected_shutdowns) == (2, 1)
    assert found.unexpected_downtime_min == found.unexpected_downtime_max == 160


def test_restart_of_an_unknown_moment_is_counted_and_makes_a_maximum_unknown() -> None:
    runs = [run(1, "a", 10, 1000), run(2, "x", 30, 500, offset=NEVER), run(3, "b", 40, 2000)]
    found = figures(runs, DAY + 2000, days=2)
    assert (found.restarts, found.unexpected_shutdowns) == (2, 2)
    assert (found.unexpected_downtime_min, found.unexpected_downtime_max) == (30 + 40, None)
    assert (found.running_min, found.running_max) == (990 + 1960, None)
    assert found.recorded == 990 + 40 + 1960


@pytest.mark.parametrize(
    ("runs", "until", "longest", "is_exact"),
    [
        ([run(1, "a", 10, 500)], 500, 490, True),
        # A whole run counts, though it began before the period.
        (
            [run(1, "a", 10, 2 * DAY, "clean"), run(2, "a", 2 * DAY + 60, 2 * DAY + 90)],
            2 * DAY + 90,
            2 * DAY - 10,
            True,
        ),
        # A run that ended before the period doesn't.
        ([run(1, "a", 10, 500, "clean"), run(2, "a", 2 * DAY, 2 * DAY + 90)], 2 * DAY + 90, 90, True),
        # After an unexpected shutdown it may have been longer.
        ([run(1, "a", 10, 500), run(2, "a", 600, 700)], 700, 490, False),
        # A short run can't be the longest one, however it ended.
        ([run(1, "a", 10, 60), run(2, "a", 70, 700)], 700, 630, True),
        # Unless it is unknown how long it continued.
        ([run(1, "a", 10, 60), run(2, "x", 70, 700, offset=NEVER)], 700, 630, False),
        # Switched off and on again, the log has two runs of one process.
        ([run(1, "a", 10, 500, "off"), run(2, "a", 10, 700, recorded_from=600)], 700, 690, True),
        # Switched off, it doesn't know when the process ended.
        ([run(1, "a", 10, 500, "off"), run(2, "a", 800, 900, recorded_from=850)], 900, 490, False),
        ([run(1, "a", 10, 500, "off")], 900, 490, False),
        ([], 900, None, False),
    ],
)
def test_longest_uptime(runs: list[Run], until: float, longest: float | None, is_exact: bool) -> None:
    found = figures(runs, until)
    assert (found.longest_uptime, found.longest_uptime_is_exact) == (longest, is_exact)


@given(any_runs())
def test_spans_are_in_order_and_within_the_period(runs: list[Run]) -> None:
    found = period(runs, 60 * DAY, days=366)
    for lane in (found.octoprint, found.host):
        assert all(found.since <= span.since < span.until <= found.until for span in lane)
        for one, other in pairwise(lane):
            assert one.until < other.since or (one.until == other.since and one.state != other.state)
    known = found.figures
    assert 0 <= known.running_min <= known.recorded <= found.until - found.since
    assert known.running_max is None or known.running_min <= known.running_max <= known.recorded
