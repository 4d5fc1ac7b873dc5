"""What happened between the runs of OctoPrint: what restarted, when, for how long, and what it cost."""

from collections.abc import Iterator, Sequence

from .records import Print, Restart, Run, Unrecorded
from .trusted_clocks import trusted_boots


def restarts(runs: Sequence[Run]) -> Iterator[Restart]:
    """The restarts between these runs, newest first, each made when it is asked for.

    ``runs`` are in their order, the current one last. A run that ended because the log was switched off is followed
    by no restart, as far as is known.
    """
    boots = trusted_boots(runs)
    for index in range(len(runs) - 1, 0, -1):
        if runs[index - 1].ended != "off":
            yield _restart(runs[index - 1], runs[index], boots[index - 1], boots[index])


def recorded_since(runs: Sequence[Run]) -> float | None:
    """When the oldest of these runs began to be recorded, in seconds since 1970; None where no clock can be trusted."""
    for run, boot in zip(runs, trusted_boots(runs), strict=True):
        if boot is not None:
            return boot + run.recorded_from
    return None


def unrecorded(runs: Sequence[Run]) -> Iterator[Unrecorded]:
    """When OctoPrint may have run without being recorded, newest first: while the log was off, or the plugin."""
    boots = trusted_boots(runs)
    if runs and runs[-1].ended == "off":
        yield Unrecorded(_sum(boots[-1], runs[-1].last_alive), None)
    for index in range(len(runs) - 1, 0, -1):
        previous, current = runs[index - 1], runs[index]
        until = _sum(boots[index], current.recorded_from)
        if previous.ended == "off":
            since = _sum(boots[index - 1], previous.last_alive)
            if since is None or until is None or since < until:
                yield Unrecorded(since, until)
        elif current.recorded_from > current.started:
            yield Unrecorded(_sum(boots[index], current.started), until)


def _restart(previous: Run, current: Run, previous_boot: float | None, current_boot: float | None) -> Restart:
    clean = previous.ended == "clean"
    kind = _kind(previous, current)
    ended_after = _sum(previous_boot, previous.last_alive)
    started = _sum(current_boot, current.started)

    longest: float | None
    shortest: float | None
    if kind == "host":
        longest = _difference(started, ended_after)
        # It was not running from the boot on, at the least; unless that was a container's, after all.
        shortest = longest if clean else 0 if previous.may_be_before_a_container_restart(current) else current.started
        ended_before = ended_after if clean else current_boot
    else:
        longest = current.started - previous.last_alive
        if longest < 0:  # a virtual machine was put back to an earlier state, or two servers wrote at once
            longest = None
        shortest = longest if clean or longest is None else 0
        ended_before = ended_after if clean else started

    printing = previous.print and _dated(previous.print, previous_boot)
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
    )


def _kind(previous: Run, current: Run) -> str:
    if previous.boot == current.boot:
        return "octoprint"
    return "container" if previous.before_a_container_restart(current) else "host"


def _dated(print_: Print, boot: float | None) -> Print:
    """The print with its moments in seconds since 1970."""
    progress = print_.progress
    if progress:
        progress = progress._replace(seen=_sum(boot, progress.seen))
    return print_._replace(started=_sum(boot, print_.started), progress=progress)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier
