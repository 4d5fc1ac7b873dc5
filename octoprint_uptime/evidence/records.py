"""The records that hold evidence, and what follows from it."""

from typing import NamedTuple

CAUSES = ("out_of_memory", "crashed", "hung", "killed", "under_voltage")
ASKED_BY = ("restart", "restart_safe", "reboot", "shutdown", "update")
JOURNAL = ("found", "nothing_found", "unavailable")

LITTLE_MEMORY = 50_000_000  # bytes


class Signs(NamedTuple):
    """What a run observed while it was running, as of its last heartbeat. Each is None if unknown or never seen.

    - ``oom_kills`` is how many processes the kernel has killed for lack of memory since the host booted.
    - ``memory`` is how many bytes were available.
    - ``under_voltage`` is the boot-clock time at which under-voltage was last detected.
    - ``asked`` is what asked OctoPrint to shut down, and ``asked_at`` is when, by the boot clock.
    """

    oom_kills: int | None = None
    memory: int | None = None
    under_voltage: float | None = None
    asked: str | None = None
    asked_at: float | None = None

    @property
    def little_memory(self) -> int | None:
        """How many bytes were available if that was less than `LITTLE_MEMORY`, otherwise None."""
        return self.memory if self.memory is not None and self.memory < LITTLE_MEMORY else None


class Process(NamedTuple):
    """What identifies a run's process to the system, and why the board was last reset. Each is None if unknown.

    ``invocation`` is systemd's id for this start of the unit. ``power_reset`` is why a Raspberry Pi 5's power chip
    reset the board before this boot.
    """

    pid: int | None = None
    invocation: str | None = None
    power_reset: int | None = None


class Found(NamedTuple):
    """What was found out about the end of a run. Each except ``proven`` is None if unknown.

    ``proven`` is true if the cause was recorded for exactly this run, and false if it is only probable.
    ``crashed_in`` is a plugin's identifier. ``journal`` says what systemd's journal has, or is None if it was not
    checked.
    """

    cause: str | None = None
    proven: bool = False
    crashed_in: str | None = None
    journal: str | None = None


class Answer(NamedTuple):
    """What systemd's journal has about the end of a run. ``journal`` is as in `Found`.

    ``killed_for_memory`` is true if the kernel's record of running out of memory names the run's process. The other
    fields are systemd's, with the same names.
    """

    journal: str | None = None
    killed_for_memory: bool = False
    unit_result: str | None = None
    exit_code: str | None = None
    exit_status: int | None = None
