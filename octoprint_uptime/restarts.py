"""What the gaps between the runs of OctoPrint were: who restarted, when, for how long, and what it cost."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from .formatting import format_moment

# No run of this plugin is older, or will be younger: whatever lies outside comes from a clock that was not set.
EARLIEST = 1767225600.0  # 2026-01-01
LATEST = 4102444800.0  # 2100-01-01


class Print(NamedTuple):
    """A print that runs or is paused; ``progress`` in percent, ``started`` by the boot clock, both None if unknown."""

    name: str
    progress: float | None
    started: float | None


class Run(NamedTuple):
    """One run of OctoPrint; ``started`` and ``seen``, when it was last known to be alive, are by the boot clock.

    ``boot`` tells boots apart; each has an offset, the wall clock less the boot clock. ``ended`` is ``clean``, ``off``
    when the log was switched off, or None: the run goes on, or ended without warning.
    """

    id: int
    boot: str
    started: float
    seen: float
    version: str
    ended: str | None
    print: Print | None
    dismissed: bool


def restarts(runs: Sequence[Run], offsets: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """What lay between each run and the next, the newest first, made one by one as they are asked for.

    ``runs`` come in their order, the current one last. A moment that no clock can be believed about is None.
    """
    zeros = _zeros(runs, offsets)
    for index in range(len(runs) - 1, 0, -1):
        ended, began = runs[index - 1], runs[index]
        if ended.ended != "off":
            yield _restart(ended, began, zeros[index - 1], zeros[index])


def _restart(ended: Run, began: Run, ended_zero: float | None, began_zero: float | None) -> dict[str, Any]:
    clean = ended.ended == "clean"
    host = ended.boot != began.boot
    ended_after = _sum(ended_zero, ended.seen)
    started_at = _sum(began_zero, began.started)
    if host:
        longest = _sum(started_at, ended_after, -1)
        shortest = longest if clean else began.started
    else:
        # Two processes that wrote at once, or a virtual machine put back to an earlier state, went back in time.
        longest = began.started - ended.seen if began.started >= ended.seen else None
        shortest = longest if clean or longest is None else 0
    ended_before = ended_after if clean else began_zero if host else started_at
    return {
        "id": ended.id,
        "kind": "host" if host else "octoprint",
        "clean": clean,
        "run_started_at": _moment(_sum(ended_zero, ended.started)),
        "ended_after": _moment(ended_after),
        "ended_before": _moment(ended_before),
        "host_started_at": _moment(began_zero) if host else None,
        "started_at": _moment(started_at),
        "downtime_seconds_min": None if shortest is None else int(shortest),
        "downtime_seconds_max": None if longest is None else int(longest),
        "octoprint_version": ended.version,
        "lost_print": ended.print
        and {
            "file": ended.print.name,
            "progress": None if ended.print.progress is None else round(ended.print.progress, 1),
            "started_at": _moment(_sum(ended_zero, ended.print.started)),
        },
        "dismissed": ended.dismissed,
    }


def _sum(zero: float | None, seconds: float | None, sign: int = 1) -> float | None:
    return None if zero is None or seconds is None else zero + sign * seconds


def _moment(moment: float | None) -> str | None:
    return None if moment is None else format_moment(moment)


def _zeros(runs: Sequence[Run], offsets: Mapping[str, float]) -> list[float | None]:
    """For each run the moment of its boot, or None where that can't be believed.

    Believed is the largest set of stretches whose moments are in order, a stretch being what ran in one boot without
    going back in time. Of several such sets it is the one with the earlier stretches: a clock that isn't set yet, or
    was restored from a file, lies behind, so that the later one of two that contradict each other is the wrong one.
    """
    pairs = enumerate(pairwise(runs), start=1)
    ends = [index for index, (run, after) in pairs if _breaks(run, after)]
    stretches = list(zip([0, *ends], [*ends, len(runs)], strict=True)) if runs else []
    spans: list[tuple[float, float] | None] = []
    for first, last in stretches:
        zero = offsets[runs[first].boot]
        began, seen = zero + runs[first].started, zero + runs[last - 1].seen
        spans.append((zero, seen) if zero >= 0 and EARLIEST <= began <= seen < LATEST else None)
    zeros: list[float | None] = []
    for (first, last), believed in zip(stretches, _in_order(spans), strict=True):
        zeros += [offsets[runs[first].boot] if believed else None] * (last - first)
    return zeros


def _breaks(run: Run, after: Run) -> bool:
    # Switched off and on again, the log has two runs of one process, both with its start.
    earliest = run.started if run.ended == "off" else run.seen
    return run.boot != after.boot or after.started < earliest


def _in_order(spans: Sequence[tuple[float, float] | None]) -> list[bool]:
    """Which spans make up the longest chain where none begins before the last one's end: from the back, by bisect."""
    starts: list[float] = []  # negated; at n the latest start of a chain of n + 1 spans
    lengths: list[int] = []  # of the longest chain that each span begins
    for span in reversed(spans):
        length = 0
        if span is not None:
            length = bisect_right(starts, -span[1]) + 1
            starts[length - 1 : length] = [min(-span[0], *starts[length - 1 : length], math.inf)]
        lengths.append(length)
    chosen: list[bool] = []
    missing, end = len(starts), -math.inf
    for span, length in zip(spans, reversed(lengths), strict=True):
        chosen.append(span is not None and length == missing and span[0] >= end)
        if span is not None and chosen[-1]:
            missing, end = missing - 1, span[1]
    return chosen
