"""Test which readings are believed, with made-up readings and a made-up boot clock."""

from __future__ import annotations

import math
import random

import pytest

from octoprint_uptime.readings import Reading, Readings

PROCESS_START = 1000.0  # by the boot clock


def answers(*readings: tuple[float, float]) -> list[float | None]:
    """Add readings, each as the boot clock and the uptime, and return the uptime after each one."""
    subject = Readings(PROCESS_START)
    return [believed and believed.uptime for believed in (subject.add(Reading(*reading)) for reading in readings)]


@pytest.mark.parametrize(
    ("boot_clock", "uptime", "plausible"),
    [
        (5000, 5000, True),  # the host's
        (5000, 5001.9, True),
        (5000, 5002.1, False),  # longer than the host has been up
        (5000, 4000, True),  # as old as this process
        (5000, 3998.1, True),
        (5000, 3997.9, False),  # younger than this process
        (1000.5, 0, True),
        (1000.5, -0.1, False),
        (5000, math.nan, False),
        (5000, math.inf, False),
        (5000, -math.inf, False),
    ],
)
def test_first_reading_has_to_be_plausible(boot_clock: float, uptime: float, plausible: bool) -> None:
    assert answers((boot_clock, uptime)) == [uptime if plausible else None]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        # It runs with the boot clock, at whatever interval.
        ([(5000, 4500), (5001, 4501), (8601, 8101)], [4500, 4501, 8101]),
        # Two seconds more or less are normal: each reading is the answer.
        ([(5000, 4500), (5010, 4511.9), (5020, 4518.1)], [4500, 4511.9, 4518.1]),
        # Two requests at the same moment, or while the seconds have not changed yet.
        ([(5000, 4500), (5000, 4500), (5000.9, 4500), (5001, 4501)], [4500, 4500, 4500.9, 4501]),
        # It counts from the last believed reading, not the first.
        ([(5000, 4500), (5010, 4511.9), (5020, 0)], [4500, 4511.9, 4521.9]),
        # A single reading that is off, unreadable, or for as long as nine readings.
        ([(5000, 4500), (5010, 0), (5020, 4520)], [4500, 4510, 4520]),
        ([(5000, 4500), (8600, math.nan), (12200, 11700)], [4500, 8100, 11700]),
        ([(5000, 4500), *[(5000 + 60 * n, 0.0) for n in range(1, 10)]], [4500 + 60 * n for n in range(10)]),
        # Twenty requests at once are not a long time.
        ([(5000, 4500), *[(5005, 0.0)] * 20], [4500, *[4505.0] * 20]),
        # It agrees with the last one, and yet is longer than the host has been up.
        ([(5000, 5001.9), (5010, 5012.1)], [5001.9, 5011.9]),
        # The first plausible reading may come later.
        ([(5000, 0), (5010, math.nan), (5020, 4520)], [None, None, 4520]),
    ],
)
def test_true_uptime_is_returned_through_bad_readings(
    readings: list[tuple[float, float]], expected: list[float]
) -> None:
    assert answers(*readings) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        # Three readings over ten seconds agree.
        ([(5000, 4500), (5005, 4105), (5010, 4110), (5015, 4115)], [4500, 4505, 4510, 4115]),
        # Three, but within less time.
        ([(5000, 4500), (5005, 4105), (5009, 4109), (5014, 4114)], [4500, 4505, 4509, 4514]),
        # Over ten seconds, but only two.
        ([(5000, 4500), (5005, 4105), (8605, 7705)], [4500, 4505, 8105]),
        # Implausible ones in between say nothing about the lag.
        ([(5000, 4500), (5005, 4105), (5010, 0), (5015, 4115), (5020, 4120)], [4500, 4505, 4510, 4515, 4120]),
        # It returned to the old lag in between.
        (
            [(5000, 4500), (5005, 4105), (5010, 4110), (5012, 4512), (5015, 4115), (5020, 4120)],
            [4500, 4505, 4510, 4512, 4515, 4520],
        ),
        # They disagree.
        ([(5000, 4500), (5005, 4105), (5010, 4200), (5015, 4300)], [4500, 4505, 4510, 4515]),
    ],
)
def test_another_lag_has_to_settle(readings: list[tuple[float, float]], expected: list[float]) -> None:
    assert answers(*readings) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([5000, 5001, 5002, 5003, 5004], [4500, 4501, 4502, None, None]),
        ([5000, 8600, 12200], [4500, None, None]),
        ([5000, 5000.5, 5002.1], [4500, 4500.5, None]),
    ],
)
def test_seconds_that_stand_still_are_rejected(times: list[float], expected: list[float | None]) -> None:
    assert answers(*[(time, 4500.0) for time in times]) == expected


def test_uptime_that_stops_running_is_rejected() -> None:
    running = [(5000.0 + n, 4500.0 + n) for n in range(60)]
    still = [(5060.0 + n, 4559.0) for n in range(4)]
    assert answers(*running, *still)[-5:] == [4559, 4560, 4561, None, None]


@pytest.mark.parametrize("bad", [0.0, math.nan, 4300.0])
def test_source_that_only_gives_bad_readings_is_rejected(bad: float) -> None:
    readings = [(5000.0, 4500.0), *[(5000.0 + 2 * n, bad) for n in range(1, 13)]]
    assert answers(*readings) == [*[4500.0 + 2 * n for n in range(10)], None, None, None]


def test_rejected_source_has_to_settle() -> None:
    still = [(5000.0 + 5 * n, 4500.0) for n in range(20)]
    runs = [(5100.0 + 5 * n, 4600.0 + 5 * n) for n in range(4)]
    assert answers(*still)[1:] == [None] * 19
    assert answers(*still, *runs)[-4:] == [None, None, 4610, 4615]


def test_rejected_source_may_have_settled_elsewhere_before() -> None:
    readings = [(5000, 4500), (5005, 4105), (5010, 4110), (5012, 4500), (5020, 4120)]
    assert answers(*readings) == [4500, 4505, 4510, None, 4120]


@pytest.mark.parametrize("seconds", [1, 4, 3600])
def test_constant_is_never_believed_again(seconds: int) -> None:
    assert set(answers(*[(5000.0 + seconds * n, 4500.0) for n in range(500)])[3:]) == {None}


@pytest.mark.parametrize(
    ("readings", "problem"),
    [
        ([(5000, 5100)], "5100 seconds is not between"),
        ([(5000, 4500), (5003, 4500)], "stays at 4500 seconds"),
        ([(5000, 4500), (5003, 4500), (5004, 4500)], "stays at 4500 seconds"),
        ([(5000, 4500), *[(5000 + 2 * n, 0) for n in range(1, 11)]], "no usable uptime"),
    ],
)
def test_problem_says_why_nothing_is_believed(readings: list[tuple[float, float]], problem: str) -> None:
    subject = Readings(PROCESS_START)
    for reading in readings:
        believed = subject.add(Reading(*reading))
    assert believed is None
    assert problem in subject.problem


@pytest.mark.parametrize("seed", range(20))
def test_true_uptime_with_flicker_at_any_interval(seed: int) -> None:
    """The answers are right, however often somebody asks, if one reading in five is bad."""
    chance = random.Random(seed)
    lag = chance.choice([0.0, 1.5, 500.0])
    subject = Readings(PROCESS_START)
    boot_clock = 5000.0
    subject.add(Reading(boot_clock, boot_clock - lag))
    for _ in range(1000):
        boot_clock += chance.choice([0, 0.01, 1, 5, 60, 3600, 86400])
        true = boot_clock - lag
        uptime = chance.choice([0.0, math.nan, 3.0, -1.0, 1e9]) if chance.random() < 0.2 else true
        believed = subject.add(Reading(boot_clock, uptime))
        assert believed is not None
        assert believed.uptime == pytest.approx(true, abs=0.01)
        assert subject.lag == lag
