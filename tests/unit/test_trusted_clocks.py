"""Test which boots' clocks are trusted, with tables of cases and with any runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.restart_log.trusted_clocks import EARLIEST, LATEST, trusted_boots

HOUR = 3600.0
DAY = 24 * HOUR


def at(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc).timestamp()


MARCH = at("2026-03-01 00:00")


def run(boot: str, offset: float, started: float, last_alive: float, ended: str | None = None) -> Run:
    return Run(1, boot, offset, started, started, last_alive, "1.11.8", ended, None, False)


def boots_of(runs: Sequence[Run]) -> list[float | None]:
    """Return the result of `trusted_boots` if none of these times lies in the future."""
    return trusted_boots(runs, LATEST, clock_is_right=False)


def trusted(*runs: Run, now: float = LATEST, clock_is_right: bool = False) -> str:
    """Return the trusted boots, each once."""
    boots = trusted_boots(runs, now, clock_is_right)
    return "".join(dict.fromkeys(run.boot for run, boot in zip(runs, boots, strict=True) if boot is not None))


EXAMPLE = [
    run(boot, at(began), 30, at(last_alive) - at(began))
    for boot, began, last_alive in [
        ("a", "2026-03-01 10:00", "2026-03-01 18:00"),
        ("b", "2026-03-01 17:00", "2026-03-01 17:20"),
        ("c", "2071-03-01 00:00", "2071-03-01 01:00"),
        ("d", "2026-03-02 09:00", "2026-03-02 12:00"),
    ]
]


@pytest.mark.parametrize("clock_is_right", [False, True])
def test_example_of_the_docstring(clock_is_right: bool) -> None:
    now = at("2026-03-02 12:00")
    assert trusted_boots(EXAMPLE, now, clock_is_right) == [
        at("2026-03-01 10:00"),
        None,
        None,
        at("2026-03-02 09:00"),
    ]


def test_evidence_decides_between_the_present_and_an_earlier_boot() -> None:
    now = at("2026-03-01 17:20")
    assert trusted(*EXAMPLE[:2], now=now) == "a"
    assert trusted(*EXAMPLE[:2], now=now, clock_is_right=True) == "b"


WRONG = [run("x", at("2071-01-01 00:00") + number * DAY, 10, HOUR) for number in range(3)]
RIGHT = run("a", MARCH, 10, HOUR)


@pytest.mark.parametrize("clock_is_right", [False, True])
def test_boots_of_the_future_do_not_outnumber_the_present(clock_is_right: bool) -> None:
    assert trusted(*WRONG, RIGHT, now=MARCH + HOUR, clock_is_right=clock_is_right) == "a"


@pytest.mark.parametrize("clock_is_right", [False, True])
def test_boots_of_the_future_are_not_trusted_while_the_log_is_off(clock_is_right: bool) -> None:
    off = RIGHT._replace(ended="off")
    assert trusted(*WRONG, off, now=MARCH + 2 * HOUR, clock_is_right=clock_is_right) == "a"
    assert trusted(*WRONG, off, now=at("2071-02-01 00:00"), clock_is_right=clock_is_right) == "x"


def test_boot_that_is_partly_in_the_future_may_be_right() -> None:
    runs = [RIGHT, run("b", MARCH + 600, 10, 20)]
    assert trusted(*runs, now=MARCH + 620) == "a"
    assert trusted(*runs, now=MARCH + 620, clock_is_right=True) == "b"
    # b has ended, and nothing is known of what goes on now.
    ended = [RIGHT, run("b", MARCH + 600, 10, 20, "off")]
    assert trusted(*ended, now=MARCH + 630, clock_is_right=True) == "b"
    assert trusted(*ended, now=MARCH + HOUR, clock_is_right=True) == "a"


def test_boots_count_again_once_a_clock_that_was_behind_is_set() -> None:
    earlier = [RIGHT, run("b", MARCH + DAY, 10, HOUR)]
    behind, right = run("c", at("2026-01-05 00:00"), 10, 100), run("c", MARCH + 2 * DAY, 10, 100)
    assert trusted(*earlier, behind, now=at("2026-01-05 00:00") + 100) == "c"
    assert trusted(*earlier, right, now=MARCH + 2 * DAY + 100, clock_is_right=True) == "abc"


@pytest.mark.parametrize("clock_is_right", [False, True])
def test_clock_that_was_never_set_shows_nothing_about_other_boots(clock_is_right: bool) -> None:
    runs = [RIGHT, run("b", MARCH + DAY, 10, HOUR), run("c", 100, 10, 100)]
    assert trusted(*runs, now=200, clock_is_right=clock_is_right) == "ab"


def test_present_that_is_decades_ahead_is_trusted_without_evidence() -> None:
    """Nothing shows that it is wrong, and the past stays in order."""
    now = at("2071-01-01 01:00")
    assert trusted(RIGHT, WRONG[0], now=now) == "ax"


def test_present_beyond_2100_is_not_trusted() -> None:
    beyond = run("x", LATEST + DAY, 10, HOUR)
    assert trusted(RIGHT, beyond, now=LATEST + DAY + HOUR) == "a"


@pytest.mark.parametrize("clock_is_right", [False, True])
def test_no_runs_have_no_boots(clock_is_right: bool) -> None:
    assert trusted_boots([], MARCH, clock_is_right) == []


def test_boot_may_begin_at_the_last_beat_before_it() -> None:
    assert trusted(run("a", MARCH, 10, HOUR), run("b", MARCH + HOUR, 10, 100)) == "ab"
    assert trusted(run("a", MARCH, 10, HOUR), run("b", MARCH + HOUR - 1, 10, 100)) == "a"


@pytest.mark.parametrize(
    ("offset", "is_trusted"),
    [
        (EARLIEST - 10, True),
        (EARLIEST - 11, False),
        (LATEST - 101, True),
        (LATEST - 100, False),
        (0.0, False),
        (1e300, False),
        (-1e12, False),
    ],
)
def test_moment_before_the_plugin_or_after_2100_is_not_trusted(offset: float, is_trusted: bool) -> None:
    assert boots_of([run("a", offset, 10, 100)]) == [offset if is_trusted else None]


@pytest.mark.parametrize(("offset", "boot"), [(0.0, 0.0), (-1.0, None)])
def test_boot_before_1970_is_not_trusted(offset: float, boot: float | None) -> None:
    assert boots_of([run("a", offset, MARCH + 1, MARCH + 2)]) == [boot]


def test_boot_long_before_its_first_run_is_trusted() -> None:
    assert trusted(run("a", MARCH - 380 * DAY, 400 * DAY, 400 * DAY + 10)) == "a"


@pytest.mark.parametrize(
    ("doubted", "offset"),
    [
        ("a", 0.0),  # 1970
        ("a", at("2025-12-31 00:00")),
        ("a", at("2040-01-01 00:00")),
        ("b", 0.0),
        ("b", at("2026-02-28 00:00")),
        ("b", MARCH + 0.5 * HOUR),  # by fake-hwclock, which saves the time once an hour
        ("b", at("2040-01-01 00:00")),
        ("b", MARCH + 3 * DAY - 1),
        ("d", 0.0),
        ("d", at("2026-02-28 00:00")),
        ("d", MARCH + 2 * DAY + 99),
    ],
)
def test_wrong_clock_costs_only_its_own_boot(doubted: str, offset: float) -> None:
    runs = [
        run("a", MARCH, 10, HOUR),
        run("b", MARCH + DAY, 10, 100),
        run("b", MARCH + DAY, 200, HOUR, "clean"),
        run("c", MARCH + 2 * DAY, 10, 100, "clean"),
        run("d", MARCH + 3 * DAY, 10, 10),
    ]
    assert trusted(*runs) == "abcd"
    wrong = [each._replace(offset=offset) if each.boot == doubted else each for each in runs]
    assert trusted(*wrong) == "abcd".replace(doubted, "")


def test_largest_set_is_trusted_wherever_it_begins() -> None:
    days = {"a": 9, "b": 8, "c": 0, "d": 1, "e": 2}
    assert trusted(*(run(boot, MARCH + day * DAY, 10, 100) for boot, day in days.items())) == "cde"


def test_doubted_boot_does_not_displace_a_trusted_one() -> None:
    # b's last heartbeat is later than c's boot, but b is doubted already because of a.
    runs = [
        run("a", MARCH, 10, 10 * HOUR),
        run("b", MARCH + 8 * HOUR, 10, 17 * HOUR),
        run("c", MARCH + 20 * HOUR, 10, 10),
    ]
    assert trusted(*runs) == "ac"


def test_boot_clock_that_went_back_begins_a_new_segment() -> None:
    runs = [run("a", MARCH, 1000, 2000), run("a", MARCH, 500, 600), run("a", MARCH, 700, 800)]
    assert boots_of(runs) == [MARCH, None, None]


def test_log_that_was_off_for_a_while_has_not_gone_back() -> None:
    runs = [run("a", MARCH, 10, 2000, "off"), run("a", MARCH, 10, 3000, "off"), run("a", MARCH, 10, 4000)]
    assert boots_of(runs) == [MARCH] * 3
    assert boots_of([runs[0], run("a", MARCH, 9, 3000)]) == [MARCH, None]


def test_clock_counts_as_last_set_in_its_boot() -> None:
    runs = [run("a", 100, 10, HOUR, "off"), run("a", MARCH, 10, 2 * HOUR)]
    assert boots_of(runs) == [MARCH] * 2


def longest_chain(runs: Sequence[Run]) -> tuple[int, ...]:
    """Return the longest chain of boots that each begin after the one before ended; of several, the earliest."""
    possible = [number for number, each in enumerate(runs) if each.offset + each.started >= EARLIEST]
    chains = (chain for length in range(len(possible), 0, -1) for chain in combinations(possible, length))
    return next(
        (
            chain
            for chain in chains
            if all(runs[one].offset + runs[one].last_alive <= runs[other].offset for one, other in pairwise(chain))
        ),
        (),
    )


@given(st.lists(st.tuples(st.integers(-1, 9), st.integers(0, 4)), max_size=9))
def test_longest_chain_is_trusted_and_the_earliest_of_several(boots: list[tuple[int, int]]) -> None:
    runs = [
        run(str(number), MARCH + day * DAY if day >= 0 else 0, 0, days * DAY)
        for number, (day, days) in enumerate(boots)
    ]
    found = tuple(number for number, boot in enumerate(boots_of(runs)) if boot is not None)
    assert found == longest_chain(runs)


moments = st.floats(-1e12, 1e12) | st.floats(MARCH - DAY, MARCH + 90 * DAY)
seconds = st.integers(0, 10**6).map(float) | st.floats(0, 1e6)


@st.composite
def any_runs(draw: st.DrawFn) -> list[Run]:
    offsets = draw(st.lists(moments, min_size=5, max_size=5))
    runs = []
    for _ in range(draw(st.integers(0, 12))):
        boot = draw(st.integers(0, 4))
        started = draw(seconds)
        ended = draw(st.sampled_from(["clean", "off", None]))
        runs.append(run(str(boot), offsets[boot], started, started + draw(seconds), ended))
    return runs


@given(any_runs(), moments, st.booleans())
def test_trusted_moments_are_in_order_and_of_this_century(runs: list[Run], now: float, clock_is_right: bool) -> None:
    boots = trusted_boots(runs, now, clock_is_right)
    assert len(boots) == len(runs)
    known = [(each, boot) for each, boot in zip(runs, boots, strict=True) if boot is not None]
    assert all(boot == each.offset for each, boot in known)
    ends = [boot + each.last_alive for each, boot in known]
    assert all(EARLIEST <= end < LATEST for end in ends)
    for ((one, _), (other, later_boot)), end in zip(pairwise(known), ends, strict=False):
        assert one.boot == other.boot or end <= later_boot


@given(any_runs())
def test_all_boots_are_trusted_if_all_are_in_order(runs: list[Run]) -> None:
    runs = sorted(
        (each._replace(last_alive=each.started, offset=MARCH + int(each.boot) * 100 * DAY) for each in runs),
        key=lambda each: (each.boot, each.started),
    )
    assert boots_of(runs) == [each.offset for each in runs]


@given(any_runs(), st.booleans())
def test_no_boot_of_the_future_is_trusted(runs: list[Run], clock_is_right: bool) -> None:
    for now in (MARCH, MARCH + 30 * DAY):
        boots = trusted_boots(runs, now, clock_is_right)
        assert all(boot is None or boot <= now for boot in boots)


@given(any_runs(), st.floats(MARCH, MARCH + 90 * DAY), seconds)
def test_present_is_trusted_with_evidence(runs: list[Run], boot: float, last_alive: float) -> None:
    present = run("present", boot, 0, last_alive)
    assert trusted_boots([*runs, present], boot + last_alive, clock_is_right=True)[-1] == boot
