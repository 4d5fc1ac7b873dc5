"""Compute restarts, uptimes and figures from the recorded runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import floor, inf
from typing import NamedTuple

from ..evidence.records import Found
from ..readings import JITTER_SECONDS
from .records import Figures, Period, Print, Restart, Run, Span, Unrecorded
from .trusted_clocks import trusted_boots

RUNNING = "running"
MAYBE_RUNNING = "maybe_running"
NOT_RECORDED = "not_recorded"
UNKNOWN = "unknown"
_STOPPED = "stopped"  # has no spans: a gap between spans means that nothing was running

_DAY_SECONDS = 86400


class _Change(NamedTuple):
    """The state that a lane has from ``moment`` on.

    ``moment`` is in seconds since 1970, or None if it is unknown because no clock can be trusted.
    """

    moment: float | None
    state: str


class History:
    """The restarts, uptimes and figures of some runs.

    ``runs`` are in chronological order. ``now`` is in seconds since 1970. If the last run is still running, ``now`` is
    also its last heartbeat. ``clock_is_right`` is true if there is evidence that ``now`` is correct. Times later than
    ``now`` are not reported.
    """

    def __init__(self, runs: Sequence[Run], now: float, clock_is_right: bool = False) -> None:
        self._runs = runs
        self._boots = trusted_boots(runs, now, clock_is_right)
        self._now = now
        self._known: dict[int, Restart] = {}

    @property
    def recorded_since(self) -> float | None:
        """When recording began in the oldest run whose clock is trusted, in seconds since 1970."""
        return next(
            (
                self._until_now(boot + run.recorded_from)
                for run, boot in zip(self._runs, self._boots, strict=True)
                if boot is not None
            ),
            None,
        )

    def restarts(self, days: int | None = None) -> Iterator[Restart]:
        """Return the restarts, newest first: all, or those of the last ``days`` and those without a known date.

        A run that follows one in which the log was switched off does not count as a restart, because nothing is known
        about what happened in between.
        """
        return map(self._reported, self._restarts(days))

    def _restarts(self, days: int | None) -> Iterator[Restart]:
        """Yield the same restarts as `restarts`, including their times in the future."""
        since = -inf if days is None else self._days_ago(days)
        for index in range(len(self._runs) - 1, 0, -1):
            if self._runs[index - 1].precedes_restart:
                restart = self._restart_before(index)
                if restart.started is None or restart.started >= since:
                    yield restart

    def restart_after(self, run: Run) -> Restart:
        """Return the restart that followed this run."""
        return self._reported(self._restart_before(self._runs.index(run) + 1))

    def unrecorded(self) -> list[Unrecorded]:
        """Return the periods in which OctoPrint may have run without being recorded, newest first."""
        changes = [*self._octoprint_changes(), _Change(None, _STOPPED)]
        found = [
            Unrecorded(self._until_now(change.moment), self._until_now(following.moment))
            for change, following in pairwise(changes)
            if change.state == NOT_RECORDED and not _is_over(change, following)
        ]
        return found[::-1]

    def period(self, days: int, scope: str | None, up_since: float | None) -> Period:
        """Return what happened in the last ``days`` times 24 hours, in whole seconds.

        ``scope`` says whose uptime is reported as the host's: ``host`` or ``container``.
        ``up_since`` says when the host or container started.
        """
        since, until = floor(self._days_ago(days)), floor(self._now)
        octoprint = _spans(self._octoprint_changes(), since, until)
        host = _spans(self._host_changes(scope == "container", up_since), since, until)
        return Period(since, until, octoprint, host, self._figures(days, octoprint, until - since))

    def _days_ago(self, days: int) -> float:
        return self._now - days * _DAY_SECONDS

    def _started(self, index: int) -> float | None:
        return _sum(self._boots[index], self._runs[index].started)

    def _restart_before(self, index: int) -> Restart:
        """Return the restart between the run with this index and the one before it."""
        if index not in self._known:
            runs, boots = self._runs, self._boots
            self._known[index] = _restart(runs[index - 1], runs[index], boots[index - 1], boots[index])
        return self._known[index]

    def _until_now(self, moment: float | None) -> float | None:
        """Return a time, or None if it lies in the future."""
        return None if moment is None or moment > self._now else moment

    def _reported(self, restart: Restart) -> Restart:
        """Return the restart without times in the future."""
        return restart._replace(
            run_started=self._until_now(restart.run_started),
            ended_after=self._until_now(restart.ended_after),
            ended_before=self._until_now(restart.ended_before),
            host_started=self._until_now(restart.host_started),
            started=self._until_now(restart.started),
            lost_print=restart.lost_print and _dated(restart.lost_print, self._until_now),
            unattended_print=restart.unattended_print and _dated(restart.unattended_print, self._until_now),
            under_voltage=self._until_now(restart.under_voltage),
        )

    # Lanes

    def _octoprint_changes(self) -> Iterator[_Change]:
        for index, run in enumerate(self._runs):
            if index:
                restart = self._restart_before(index)
                yield _Change(restart.ended_after, self._state_after(index - 1))
                if self._runs[index - 1].precedes_restart:
                    yield _Change(restart.ended_before, _STOPPED)
                    if run.recorded_from > run.started:
                        yield _Change(restart.started, NOT_RECORDED)
            yield _Change(_sum(self._boots[index], run.recorded_from), RUNNING)
        if self._runs and self._runs[-1].ended:
            end = _sum(self._boots[-1], self._runs[-1].last_alive)
            yield _Change(end, self._state_after(len(self._runs) - 1))

    def _host_changes(self, is_container: bool, up_since: float | None) -> Iterator[_Change]:
        # Only LXC gives each start of a container its own boot id.
        kinds = ("host", "container") if is_container else ("host",)
        starts = [
            not index
            or self._restart_before(index).kind in kinds
            or (is_container and self._is_between(index, up_since))
            for index in range(len(self._runs))
        ]
        latest = max((index for index, is_start in enumerate(starts) if is_start), default=0)
        for index, boot in enumerate(self._boots):
            started = self._started(index)
            if starts[index]:
                if index:
                    restart = self._restart_before(index)
                    yield _Change(restart.ended_after, self._state_after(index - 1))
                    if restart.kind == "host":
                        yield _Change(boot, _STOPPED)
                # For a container, only the latest start is known. For earlier ones, use when OctoPrint started in them.
                begun = started if is_container else boot
                if is_container and index == latest:
                    begun = None if up_since is None or started is None else min(up_since, started)
                yield _Change(boot and begun, RUNNING)
            yield _Change(started, RUNNING)

    def _is_between(self, index: int, moment: float | None) -> bool:
        """Return whether ``moment`` is between the start of the run with this index and the end of the previous one."""
        restart = self._restart_before(index)
        after, before = restart.ended_after, restart.started
        if after is None or before is None or moment is None:
            return False
        return after <= moment <= before + JITTER_SECONDS

    def _state_after(self, index: int) -> str:
        return {"clean": _STOPPED, "off": NOT_RECORDED, None: MAYBE_RUNNING}[self._runs[index].ended]

    # Figures

    def _figures(self, days: int, octoprint: Iterable[Span], seconds: int) -> Figures:
        restarts = list(self._restarts(days))
        unexpected = [restart for restart in restarts if restart.unexpected]
        totals = dict.fromkeys((RUNNING, MAYBE_RUNNING, NOT_RECORDED, UNKNOWN), 0)
        for span in octoprint:
            totals[span.state] += span.until - span.since
        longest, is_exact = self._longest_uptime(self._days_ago(days))
        return Figures(
            restarts=len(restarts),
            unexpected_shutdowns=len(unexpected),
            lost_prints=sum(restart.lost_print is not None for restart in restarts),
            running_min=totals[RUNNING],
            running_max=None if totals[UNKNOWN] else totals[RUNNING] + totals[MAYBE_RUNNING],
            recorded=seconds - totals[NOT_RECORDED] - totals[UNKNOWN],
            longest_uptime=longest,
            longest_uptime_is_exact=is_exact,
            unexpected_downtime_min=sum(restart.downtime_min or 0 for restart in unexpected),
            unexpected_downtime_max=_total(restart.downtime_max for restart in unexpected),
        )

    def _longest_uptime(self, since: float) -> tuple[float | None, bool]:
        """Return the length of the longest run that lasted beyond ``since``, in seconds.

        The second value is true if this is exact, that is, if no run can have been longer.
        """
        least: list[float] = []
        most: list[float] = []
        known_after = self._now
        for index in range(len(self._runs) - 1, -1, -1):
            run, boot = self._runs[index], self._boots[index]
            if (known_after if boot is None else boot + run.last_alive) < since:
                break
            started = self._started(index)
            known_after = known_after if started is None else started
            if not self._goes_on(index):
                least.append(run.last_alive - run.started)
                most.append(least[-1] + self._longer_by(index))
        longest = max(least, default=None)
        return longest, longest is not None and max(most) <= longest

    def _goes_on(self, index: int) -> bool:
        """Return whether the next run is the same process, whose log was only switched off and on again."""
        run, *following = self._runs[index : index + 2]
        return any(run.ended == "off" and (run.boot, run.started) == (each.boot, each.started) for each in following)

    def _longer_by(self, index: int) -> float:
        """Return the longest time, in seconds, that a run may have lasted after its last heartbeat."""
        run = self._runs[index]
        if index + 1 == len(self._runs):
            return inf if run.ended == "off" else 0
        restart = self._restart_before(index + 1)
        uncertainty = _difference(restart.ended_before, restart.ended_after)
        return 0 if restart.clean else inf if uncertainty is None else uncertainty


def _is_over(change: _Change, following: _Change) -> bool:
    """Return whether a state ended before it began.

    This happens on a slow disk, where tasks wait in the queue.
    """
    return change.moment is not None and following.moment is not None and following.moment <= change.moment


def _spans(changes: Iterable[_Change], since: int, until: int) -> list[Span]:
    """Return the spans from ``since`` to ``until`` between these changes.

    Before the first change at a known time, the state is `NOT_RECORDED`. After that, a change at an unknown time makes
    the state unknown from the last change at a known time to the next one.
    """
    spans: list[Span] = []
    begun, state = -inf, NOT_RECORDED
    for change in (*changes, _Change(until, _STOPPED)):
        if change.moment is None:
            state = NOT_RECORDED if begun == -inf else UNKNOWN
            continue
        start = max(begun, since, spans[-1].until if spans else since)
        end = min(floor(change.moment), until)
        if state != _STOPPED and start < end:
            if spans and spans[-1].until == start and spans[-1].state == state:
                start = spans.pop().since
            spans.append(Span(int(start), end, state))
        begun, state = floor(change.moment), change.state
    return spans


def _restart(previous: Run, current: Run, previous_boot: float | None, current_boot: float | None) -> Restart:
    clean = previous.ended == "clean"
    kind = _kind(previous, current)
    ended_after = _sum(previous_boot, previous.last_alive)
    started = _sum(current_boot, current.started)

    ended_before = ended_after if clean else started
    by_boot_clock = current.started - previous.last_alive
    longest: float | None
    shortest: float | None
    if kind != "host":
        # It is negative if a virtual machine was restored to an earlier state, or two servers wrote at the same time.
        longest = by_boot_clock if by_boot_clock >= 0 else None
        shortest = longest if clean or longest is None else 0
    else:
        longest = _difference(started, ended_after)
        if previous.may_be_in_one_boot_with(current):
            # If the host stayed up and its clock was set, OctoPrint was down for as long as the boot clock shows. If
            # the host did restart, it was down for longer.
            shortest = by_boot_clock if clean else 0
        else:
            # OctoPrint was down at least from the boot until its start.
            shortest = longest if clean else current.started
            ended_before = ended_after if clean else current_boot

    printing = previous.print and _dated(previous.print, partial(_sum, previous_boot))
    signs, found = previous.signs, previous.found or Found()
    return Restart(
        id=previous.id,
        kind=kind,
        clean=clean,
        run_started=_sum(previous_boot, previous.started),
        ended_after=ended_after,
        ended_before=ended_before,
        host_started=current_boot if kind == "host" else None,
        started=started,
        downtime_min=shortest,
        downtime_max=longest,
        version=previous.version,
        lost_print=printing if printing and printing.streamed else None,
        unattended_print=printing if printing and not printing.streamed else None,
        dismissed=previous.dismissed,
        asked_by=previous.asked_by,
        cause=found.cause,
        cause_proven=found.proven if found.cause else None,
        crashed_in=found.crashed_in,
        under_voltage=_sum(previous_boot, signs.under_voltage),
        memory=signs.little_memory,
        journal=found.journal,
    )


def _kind(previous: Run, current: Run) -> str:
    if previous.boot == current.boot:
        return "octoprint"
    return "container" if previous.before_a_container_restart(current) else "host"


def _dated(print_: Print, date: Callable[[float | None], float | None]) -> Print:
    """Return the print with ``date`` applied to each of its times."""
    progress = print_.progress
    if progress:
        progress = progress._replace(seen=date(progress.seen))
    return print_._replace(started=date(print_.started), progress=progress)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


def _total(parts: Iterable[float | None]) -> float | None:
    """Return the sum, or None if one of the parts is unknown."""
    total: float | None = 0.0
    for part in parts:
        total = _sum(total, part)
    return total
