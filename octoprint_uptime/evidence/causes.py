"""Decide why a run of OctoPrint ended. No side effects."""

from typing import NamedTuple

from .records import Answer, Signs

_SOON_SECONDS = 600
_FAULTS = frozenset({4, 5, 6, 7, 8, 11, 31})  # the signals ILL, TRAP, ABRT, BUS, FPE, SEGV and SYS
_KILL = 9
_UNDER_VOLTAGE = 2  # a bit of the Raspberry Pi 5's power_reset


class Evidence(NamedTuple):
    """What is known about the end of a run.

    ``same_boot`` is true if the next run was in the same boot. ``gap`` is the number of seconds from the last heartbeat
    to the next run's start, or from that start until the next run's signs were read, if that took longer.
    ``fatal_error`` is true if the run left the stack trace of a crash. ``signs`` and ``power_reset`` are the run's, and
    ``next_signs`` and ``next_power_reset`` are those that the next run read first.
    """

    clean: bool
    same_boot: bool
    gap: float
    signs: Signs
    power_reset: int | None
    next_signs: Signs = Signs()
    next_power_reset: int | None = None
    fatal_error: bool = False
    answer: Answer = Answer()


def cause(evidence: Evidence) -> tuple[str | None, bool]:
    """Return the cause, or None if it is unknown, and whether it is proven."""
    answer = evidence.answer
    if evidence.clean:
        # If the kernel kills a child of OctoPrint for lack of memory, systemd stops the whole unit cleanly.
        return ("out_of_memory", True) if answer.unit_result == "oom-kill" else (None, False)
    died, status = answer.exit_code in ("killed", "dumped"), answer.exit_status or 0
    killed = answer.exit_code == "killed" and status == _KILL
    kills, next_kills = evidence.signs.oom_kills, evidence.next_signs.oom_kills
    # The counter includes every process on the host that was killed for lack of memory, so it says little about a run
    # that ended long before.
    is_soon = evidence.same_boot and evidence.gap <= _SOON_SECONDS
    more_kills = is_soon and kills is not None and next_kills is not None and next_kills > kills
    # The bit may survive orderly reboots, so only a change of it counts.
    was_set = evidence.power_reset is None or evidence.power_reset & _UNDER_VOLTAGE
    sagged = not was_set and (evidence.next_power_reset or 0) & _UNDER_VOLTAGE
    is_unrecorded = answer.journal != "found"
    table = (
        (answer.killed_for_memory or answer.unit_result == "oom-kill", "out_of_memory", True),
        (answer.unit_result == "timeout", "hung", True),
        (evidence.fatal_error, "crashed", True),
        (died and status in _FAULTS, "crashed", True),
        (answer.exit_code == "exited" and status, "crashed", True),
        (killed and (more_kills or evidence.signs.little_memory is not None), "out_of_memory", False),
        (killed, "killed", True),
        (is_unrecorded and more_kills, "out_of_memory", False),
        (is_unrecorded and not evidence.same_boot and sagged, "under_voltage", False),
    )
    return next(((name, proven) for holds, name, proven in table if holds), (None, False))
