"""Decide which boots' clocks can be trusted, if some were set late or never."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .records import Run

# No run of this plugin can lie outside this range. Any other time comes from a clock that is wrong.
EARLIEST = 1767225600.0  # 2026-01-01
LATEST = 4102444800.0  # 2100-01-01


class _Segment(NamedTuple):
    """Successive runs of one boot whose boot clock never went back. Times are in seconds since 1970."""

    run_count: int
    boot: float  # when the host booted
    started: float  # when the first run started
    last_alive: float  # the last heartbeat of the last run

    @property
    def possible(self) -> bool:
        return self.boot >= 0 and EARLIEST <= self.started <= self.last_alive < LATEST


def trusted_boots(runs: Sequence[Run], now: float, clock_is_right: bool) -> list[float | None]:
    """Return the time of each run's boot, in seconds since 1970, or None if the boot's clock is not trusted.

    ``now`` is the current time by the wall clock. ``clock_is_right`` is true if there is evidence for it; otherwise
    the clock may be behind or ahead. If the last run is still running, its last heartbeat is ``now``.

    The runs are in order, so their times must be in order, too. Trust the largest set of boots for which this is the
    case. If two sets are equally large, prefer the earlier boot, because a clock that is not set yet, or was restored
    from a file, is behind. Two kinds of boots don't count:

    - those that lie in the future: nothing can have started later than ``now``;
    - with evidence, those that contradict the present boot, because every earlier boot must have ended before the
      present one began.

    A clock that shows a time before 2026 has not been set, and says nothing about other boots. Nothing is discarded:
    once a clock that was behind has been set, boots that seemed to lie in the future count again.

    An example with four boots, on a Pi without a clock chip. Now it is Mar 2, 12:00, and D is still running:

    ====  =============  ==============  =======
    boot  began          last heartbeat  trusted
    ====  =============  ==============  =======
    A     Mar 1, 10:00   Mar 1, 18:00    yes
    B     Mar 1, 17:00   Mar 1, 17:20    no
    C     2071           2071            no
    D     Mar 2, 09:00   Mar 2, 12:00    yes
    ====  =============  ==============  =======

    C lies in the future. B came after A, but its clock says that it began before A ended: the clock was restored from
    a file and never set. A and D fit together, and so do B and D. Trust A and D, because A came before B.

    While B was running, A contradicted the present boot. Without evidence, A was trusted even then. With evidence for
    B's clock, B would have been trusted instead.
    """
    segments = _segments(runs)
    present = segments[-1] if runs and runs[-1].ended is None else None
    latest_start = latest_end = math.inf
    if now >= EARLIEST:  # else the clock has not been set, and says nothing about other boots
        latest_start = now
        latest_end = (present.boot if present else now) if clock_is_right else math.inf
    possible = [
        segment.possible
        and segment.started <= latest_start
        and (segment is present or segment.last_alive <= latest_end)
        for segment in segments
    ]
    boots: list[float | None] = []
    for segment, trusted in zip(segments, _longest_chain(segments, possible), strict=True):
        boots += [segment.boot if trusted else None] * segment.run_count
    return boots


def _segments(runs: Sequence[Run]) -> list[_Segment]:
    if not runs:
        return []
    ends = [index for index, (run, after) in enumerate(pairwise(runs), start=1) if _separates(run, after)]
    segments = []
    for first, end in pairwise([0, *ends, len(runs)]):
        started, last = runs[first], runs[end - 1]
        boot = last.offset
        segments.append(_Segment(end - first, boot, boot + started.started, boot + last.last_alive))
    return segments


def _separates(run: Run, after: Run) -> bool:
    return not run.in_one_boot_with(after) or after.started < run.earliest_end


def _longest_chain(segments: Sequence[_Segment], possible: Sequence[bool]) -> list[bool]:
    """Return for each segment whether it is in the longest chain.

    In a chain, each boot begins after the previous one has ended.

    This is patience sorting, the algorithm for the longest increasing subsequence. Walk from the last segment to the
    first, and remember for each length how late a chain of that length can begin. Bisection finds the longest chain
    that begins after a segment has ended.
    """
    latest_starts: list[float] = []  # [n] is for chains of n + 1 segments; negated, since bisect needs ascending values
    lengths: list[int] = []  # of the longest chain from each segment on; 0 if the segment is impossible
    for segment, counts in zip(reversed(segments), reversed(possible), strict=True):
        if not counts:
            lengths.append(0)
            continue
        shorter = bisect_right(latest_starts, -segment.last_alive)
        if shorter == len(latest_starts):
            latest_starts.append(-segment.boot)
        elif -segment.boot < latest_starts[shorter]:
            latest_starts[shorter] = -segment.boot
        lengths.append(shorter + 1)
    lengths.reverse()

    chosen: list[bool] = []
    wanted, end = len(latest_starts), -math.inf
    for segment, length in zip(segments, lengths, strict=True):
        fits = 0 < length == wanted and segment.boot >= end
        if fits:
            wanted, end = wanted - 1, segment.last_alive
        chosen.append(fits)
    return chosen
