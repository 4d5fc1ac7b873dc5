"""What happened between the runs of OctoPrint: what restarted, when, for how long, and what it cost."""

from collections.abc import Iterator, Sequence

from .records import Print, Restart, Run
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


def _restart(previous: Run, current: Run, previous_boot: float | None, current_boot: float | None) -> Restart:
    clean = previous.ended == "clean"
    host = previous.boot != current.boot
    ended_after = _sum(previous_boot, previous.last_alive)
    started = _sum(current_boot, current.started)

    longest: float | None
    shortest: float | None
    if host:
        longest = _difference(started, ended_after)
        shortest = longest if clean else current.started  # it was not running from the boot on, at the least
        ended_before = ended_after if clean else current_boot
    else:
        longest = current.started - previous.last_alive
        if longest < 0:  # a virtual machine was put back to an earlier state, or two servers wrote at once
            longest = None
        shortest = longest if clean or longest is None else 0
        ended_before = ended_after if clean else started

    return Restart(
        id=previous.id,
        kind="host" if host else "octoprint",
        clean=clean,
        run_started=_sum(previous_boot, previous.started),
        ended_after=ended_after,
        ended_before=ended_before,
        host_started=current_boot if host else None,
        started=started,
        downtime_min=shortest,
        downtime_max=longest,
        version=previous.version,
        lost_print=previous.print and _dated(previous.print, previous_boot),
        dismissed=previous.dismissed,
    )


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
