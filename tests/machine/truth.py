"""Record what really happened to OctoPrint, and compare the restart log with it.

All times are seconds since 1970 by the clock of the host that emulates the machine.
"""

from __future__ import annotations

import math
import time
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

# The machine's clock starts up to a second late, the API drops fractions, and a request takes about a second.
TOLERANCE = 3.0
# A commit survives a power cut if it is older than this.
ON_DISK_SECONDS = 5.0
# In a slow emulated machine, a change may reach the log this much later than OctoPrint's API.
NOTED_SECONDS = 2.0

Told = dict[str, Any]


class Span(NamedTuple):
    """Hold the earliest and the latest time at which something happened."""

    low: float
    high: float


class WallClock(NamedTuple):
    """Describe the machine's wall clock during one boot.

    If it is not ``right``, the log may report times as unknown. If it shows a possible date, the log can't know that it
    is wrong, and may report times that are ``behind`` by so many seconds.
    """

    right: bool = True
    behind: float = 0

    @property
    def now(self) -> float:
        """Return the latest time that doesn't lie in the future by this clock."""
        if self.right:
            return math.inf
        return time.time() - self.behind if self.behind else -math.inf


class Why(NamedTuple):
    """What the log may report about why a run ended. The names are those of the API."""

    cause: str | None = None
    cause_proven: bool | None = None
    asked_by: str | None = None
    crashed_in: str | None = None
    journal: str | None = None


NOTHING_FOUND = Why(journal="nothing_found")
UNAVAILABLE = Why(journal="unavailable")
# The journal may have lost the whole boot, but no cause may be reported.
NO_CAUSE = (NOTHING_FOUND, UNAVAILABLE)


class Start(NamedTuple):
    """Describe a start of OctoPrint, with the number of the machine's boot and of the container's, or 0 for none."""

    machine: int
    machine_started: float
    clock: WallClock
    container: int
    started: float


class Run(NamedTuple):
    """Describe a run of OctoPrint. The log had it by the time ``recorded``; ``lost`` is the file that it printed.

    ``whys`` are the right reports of why it ended.

    ``may_be_unrecorded`` and ``print_may_be_unrecorded`` mean that the start of the run or of the print may not have
    reached the disk. Then it may be missing from the log, but the log must not report anything wrong instead.
    """

    start: Start
    recorded: float
    lost: str | None = None
    print_started: Span = Span(0, 0)
    ended: Span = Span(0, 0)
    clean: bool = False
    whys: tuple[Why, ...] = ()
    may_be_unrecorded: bool = False
    print_may_be_unrecorded: bool = False

    @property
    def last_alive(self) -> float:
        """Return the earliest last heartbeat that the log may have."""
        print_is_recorded = self.lost and not self.print_may_be_unrecorded
        return self.print_started.low if print_is_recorded else self.start.started

    def printing(self, file: str, started: Span) -> Run:
        """Return this run with a print."""
        return self._replace(lost=file, print_started=started)

    def end(self, ended: Span, clean: bool, *whys: Why) -> Run:
        """Return this run with an end that loses no data."""
        return self._replace(ended=ended, clean=clean, whys=whys)

    def end_with_the_machine(self, ended: Span) -> Run:
        """Return this run with a crash of the machine, which may lose the last commits."""
        on_disk = ended.low - ON_DISK_SECONDS
        return self._replace(
            ended=ended,
            whys=NO_CAUSE,
            may_be_unrecorded=self.recorded > on_disk,
            print_may_be_unrecorded=self.print_started.high > on_disk - NOTED_SECONDS,
        )


class Truth:
    """Hold the runs of one OctoPrint that its log should have. The newest is still running."""

    def __init__(self, first: Run) -> None:
        self.runs = [first]

    @property
    def current(self) -> Run:
        return self.runs[-1]

    @current.setter
    def current(self, run: Run) -> None:
        self.runs[-1] = run

    def restarts_next(self) -> int:
        """Return the minimum number of restarts in the log after the next start."""
        return len([run for run in self.runs if not run.may_be_unrecorded])

    def clock_was_set(self, machine: int) -> None:
        """Mark the machine's clock as right for all runs of this boot."""
        self.runs = [
            run._replace(start=run.start._replace(clock=WallClock())) if run.start.machine == machine else run
            for run in self.runs
        ]

    def is_explained(self, told: list[Told]) -> bool:
        """Return whether the last restart has its cause. The log asks the journal after it has reported the restart."""
        return len(self.runs) < 2 or not told or why(told[0]) in self.runs[-2].whys

    def complaints(self, told: list[Told]) -> list[str]:
        """Return a sentence for each error in the restarts that the log reports, newest first."""
        self._drop_unrecorded(len(told))
        pairs = list(pairwise(self.runs))
        if len(told) != len(pairs):
            return [f"{len(pairs)} restarts have happened, and the log has {len(told)}: {told}"]
        found = []
        for (ended, begun), each in zip(pairs, reversed(told), strict=True):
            wrong = _Comparison(each, ended, begun, self.current.start.clock.now).wrong()
            found += [f"{sentence}; the log has {each}" for sentence in wrong]
        return found

    def _drop_unrecorded(self, told: int) -> None:
        """Drop the runs that may be missing and are. All others are in the log from now on."""
        uncertain = [run for run in self.runs if run.may_be_unrecorded]
        for run in uncertain[: max(0, len(self.runs) - 1 - told)]:
            self.runs.remove(run)
        self.runs = [run._replace(may_be_unrecorded=False) for run in self.runs]


class _Comparison:
    """Compare a restart in the log with the end of one run and the start of the next.

    The log does not report what is later than ``now`` by the machine's clock.
    """

    def __init__(self, told: Told, ended: Run, begun: Run, now: float) -> None:
        self._now = now
        self._told = told
        self._ended = ended
        self._begun = begun
        self._wrong: list[str] = []

    def wrong(self) -> list[str]:
        """Return a sentence for each error."""
        self._is("kind", _kind(self._ended.start, self._begun.start))
        self._is("clean", self._ended.clean)
        self._why()
        self._lost_print()
        self._end()
        self._start()
        self._downtime()
        return self._wrong

    def _why(self) -> None:
        if why(self._told) not in self._ended.whys:
            expected = " or ".join(map(str, self._ended.whys))
            self._wrong.append(f"why it ended was {expected}, and the log has {why(self._told)}")

    def _lost_print(self) -> None:
        ended, lost = self._ended, self._told["lost_print"]
        file = lost and lost["file"]
        if file != ended.lost and not (ended.print_may_be_unrecorded and file is None):
            self._wrong.append(f"the print was {ended.lost}, and the log has {file}")
        elif lost:
            started, clock = ended.print_started, ended.start.clock
            # The log writes a print when the printer shows it, and again after `PrintStarted`.
            if lost["started_at"] is not None or not ended.print_may_be_unrecorded:
                self._moment("the print's started_at", lost["started_at"], started, clock)
            if lost["seen_at"] is not None:
                self._moment("the print's seen_at", lost["seen_at"], Span(started.low, ended.ended.high), clock)

    def _end(self) -> None:
        told, ended, clock = self._told, self._ended, self._ended.start.clock
        self._moment("run_started_at", told["run_started_at"], _at(ended.start.started), clock)
        if ended.clean:
            self._moment("ended_after", told["ended_after"], ended.ended, clock)
            self._moment("ended_before", told["ended_before"], ended.ended, clock)
        else:
            begun = self._begun.start
            self._moment("ended_after", told["ended_after"], Span(ended.last_alive, ended.ended.high), clock)
            self._moment("ended_before", told["ended_before"], Span(ended.ended.low, begun.started), begun.clock)

    def _start(self) -> None:
        told, begun = self._told, self._begun.start
        self._moment("started_at", told["started_at"], _at(begun.started), begun.clock)
        if told["kind"] == "host":
            self._moment("host_started_at", told["host_started_at"], _at(begun.machine_started), begun.clock)
        else:
            self._is("host_started_at", None)

    def _downtime(self) -> None:
        ended, begun = self._ended, self._begun.start
        low, high = self._told["downtime_seconds_min"], self._told["downtime_seconds_max"]
        shortest, longest = begun.started - ended.ended.high, begun.started - ended.ended.low
        if ended.start.clock.right and begun.clock.right and begun.started <= self._now:
            if low is None or high is None:
                self._wrong.append(
                    f"the downtime was {shortest:.1f} to {longest:.1f} s, and the log has {low} to {high}"
                )
            elif ended.clean and low != high:
                self._wrong.append(f"after a clean shutdown the downtime is known, and the log has {low} to {high}")
        behind = begun.clock.behind
        if low is not None:
            self._number("the shortest downtime", low, Span(shortest if ended.clean else 0, longest), behind)
        if high is not None:
            known = longest if ended.clean else begun.started - ended.last_alive
            self._number("the longest downtime", high, Span(shortest, known), behind)

    def _is(self, name: str, expected: object) -> None:
        if self._told[name] != expected:
            self._wrong.append(f"{name} was {expected}, and the log has {self._told[name]}")

    def _moment(self, name: str, text: str | None, truth: Span, clock: WallClock) -> None:
        if text is not None:
            self._number(name, moment(text), truth, clock.behind)
        elif clock.right and truth.high <= self._now:
            self._wrong.append(f"{name} is missing")

    def _number(self, name: str, number: float, truth: Span, behind: float) -> None:
        low, high = truth
        if not low - behind - TOLERANCE <= number <= high + TOLERANCE:
            self._wrong.append(
                f"{name} is {number - low:+.1f} s from {low:.1f}, {number - high:+.1f} s from {high:.1f}"
            )


def _at(moment: float) -> Span:
    return Span(moment, moment)


def _kind(ended: Start, begun: Start) -> str:
    if ended.machine != begun.machine:
        return "host"
    return "octoprint" if ended.container == begun.container else "container"


def why(told: Told) -> Why:
    """Return what the log reports about why a run ended."""
    return Why(*(told[name] for name in Why._fields))


def moment(text: str) -> float:
    """Convert a time of the API to seconds since 1970."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
