"""The records that the files of the restart log pass to each other."""

from typing import NamedTuple

from ..clock import is_time
from ..evidence.records import Found, Process, Signs
from ..readings import JITTER_SECONDS

_ASKED_SECONDS = 120  # a requested shutdown that hasn't ended the run within this time has failed


class Progress(NamedTuple):
    """How far along a print was at one moment, as OctoPrint reported it.

    ``percent`` of the file; ``position`` in bytes from its start; ``z`` in mm. ``seen`` is the moment. Each is None if
    unknown.
    """

    percent: float | None
    position: int | None
    z: float | None
    seen: float | None

    @classmethod
    def of(cls, percent: object, position: object, z: object, seen: float | None) -> "Progress | None":
        """Return the progress without implausible values, or None if no value remains."""
        known = cls(number(percent, 0, 100), whole(position, 0), number(z), seen)
        return None if known[:3] == (None, None, None) else known


class Print(NamedTuple):
    """A print that is running or paused.

    ``path`` and ``origin`` name its file as OctoPrint does. ``started`` is None if the plugin did not see it start.
    ``streamed`` is true if OctoPrint sends the file, so that the print stops with OctoPrint. Otherwise the printer may
    continue by itself.
    """

    path: str
    origin: str | None
    started: float | None
    progress: Progress | None
    streamed: bool


class Totals(NamedTuple):
    """Counts of all runs ever recorded, including deleted ones. They start over in a new file.

    ``recorded_runs`` includes the current run. ``unexpected_shutdowns`` and ``lost_prints`` count the earlier runs that
    stopped unexpectedly or lost a print. Runs that ended because the log was switched off don't count. ``boots`` is how
    many runs, except the first, began after a new start of the host or LXC container. All but ``recorded_runs`` also
    start over if the log is cleared while it is off.
    """

    recorded_runs: int = 0
    unexpected_shutdowns: int = 0
    lost_prints: int = 0
    boots: int = 0


class Run(NamedTuple):
    """One run of OctoPrint, from the start of its process, or from when the log was switched on, to its end.

    All times, including those of its print, are boot-clock times in seconds. ``offset`` converts them to seconds since
    1970.

    - ``id`` is 0 until the run is stored.
    - ``boot`` is the same for all runs of one boot. ``own_boot_id`` is true if ``boot`` names one start of a
      container instead of a boot of the host.
    - ``recorded_from`` is later than ``started`` if the log was switched on during the run.
    - ``last_alive`` is the last heartbeat.
    - ``ended`` is ``clean`` after a clean shutdown, ``off`` if the log was switched off, and None if the run is
      still going or stopped unexpectedly.
    - ``printed`` is true if there was a print in this run.
    - ``found`` is None until the end of the run has been examined.
    - ``totals`` are those stored with this run.
    """

    id: int
    boot: str
    offset: float
    started: float
    recorded_from: float
    last_alive: float
    version: str
    ended: str | None
    print: Print | None
    dismissed: bool
    own_boot_id: bool = False
    printed: bool = False
    signs: Signs = Signs()
    process: Process = Process()
    found: Found | None = None
    totals: Totals = Totals()

    @property
    def unexpected(self) -> bool:
        """Whether this run stopped unexpectedly, as in `Restart.unexpected`. Meaningful only once the run has ended."""
        return self.ended is None or (self.found is not None and self.found.cause is not None)

    @property
    def precedes_restart(self) -> bool:
        """Whether the next run counts as a restart. It doesn't if this run ended because the log was switched off."""
        return self.ended != "off"

    @property
    def asked_by(self) -> str | None:
        """What asked OctoPrint to shut down; None if nothing did, or if the run went on for too long after that."""
        asked_at = self.signs.asked_at
        return None if asked_at is None or self.last_alive > asked_at + _ASKED_SECONDS else self.signs.asked

    @property
    def earliest_end(self) -> float:
        """The earliest time at which the next run could have started."""
        # A process whose log was switched off and on again has two runs, both with its start.
        return self.started if self.ended == "off" else self.last_alive

    def in_one_boot_with(self, following: "Run") -> bool:
        """Return whether the host stayed up between this run and the following one."""
        return self.boot == following.boot or self.before_a_container_restart(following)

    def before_a_container_restart(self, following: "Run") -> bool:
        """Return whether a container restarted after this run while its host stayed up.

        This is the case if both boot ids are the container's own, the boot clock kept running, and the wall clock
        did not change.
        """
        return (
            self.may_be_in_one_boot_with(following)
            and self.own_boot_id
            and following.own_boot_id
            and abs(following.offset - self.offset) <= JITTER_SECONDS
        )

    def may_be_in_one_boot_with(self, following: "Run") -> bool:
        """Return whether the host may have stayed up until the following run although the boots have different names.

        A name may be a container's own. If there is no boot id, the name is a time, which changes with the wall clock.
        """
        vague = any(run.own_boot_id or is_time(run.boot) for run in (self, following))
        return vague and self.boot != following.boot and following.started >= self.earliest_end


class Restart(NamedTuple):
    """What happened between the end of one run and the start of the next.

    Times, including those of its print, are seconds since 1970, or None if no clock can be trusted. Downtimes are
    seconds.

    - ``kind`` is what restarted: ``host``, ``container`` or ``octoprint``. ``host_started`` is None unless
      the kind is ``host``.
    - ``clean`` is true after a clean shutdown.
    - The run ended between ``ended_after`` and ``ended_before``.
    - ``id`` and ``version`` are those of the run that ended; the version is OctoPrint's.
    - ``lost_print`` was streamed by OctoPrint; ``unattended_print`` was not, and may have continued.
    - ``asked_by`` is what asked OctoPrint to shut down. ``cause``, ``crashed_in`` and ``journal`` are as in `Found`;
      ``cause_proven`` is None if there is no cause.
    - ``under_voltage`` is when under-voltage was last detected. ``memory`` is how many bytes were left at
      ``ended_after`` if few were left, and otherwise None.
    """

    id: int
    kind: str
    clean: bool
    run_started: float | None
    ended_after: float | None
    ended_before: float | None
    host_started: float | None
    started: float | None
    downtime_min: float | None
    downtime_max: float | None
    version: str
    lost_print: Print | None
    unattended_print: Print | None
    dismissed: bool
    asked_by: str | None = None
    cause: str | None = None
    cause_proven: bool | None = None
    crashed_in: str | None = None
    under_voltage: float | None = None
    memory: int | None = None
    journal: str | None = None

    @property
    def unexpected(self) -> bool:
        """Whether this was an unexpected shutdown.

        A clean shutdown with a cause counts, too. For example, systemd shuts OctoPrint down cleanly after the kernel
        has killed one of OctoPrint's child processes for lack of memory.
        """
        return not self.clean or self.cause is not None


class Unrecorded(NamedTuple):
    """A period in which nothing was recorded. Both times are seconds since 1970, or None if unknown."""

    since: float | None
    until: float | None


class Span(NamedTuple):
    """A period in one state. Both times are seconds since 1970."""

    since: int
    until: int
    state: str


class Figures(NamedTuple):
    """The totals for a period: counts and seconds.

    A ``max`` is None if one of its parts is unknown. The longest uptime is that of a whole run of OctoPrint, even if
    it began before the period. It is None if there was no run.
    """

    restarts: int
    unexpected_shutdowns: int
    lost_prints: int
    running_min: int
    running_max: int | None
    recorded: int
    longest_uptime: float | None
    longest_uptime_is_exact: bool
    unexpected_downtime_min: float
    unexpected_downtime_max: float | None


class Period(NamedTuple):
    """What happened from ``since`` to ``until``, in seconds since 1970, with a lane for OctoPrint and one for its host.

    The spans of a lane are in order and don't overlap. Between them nothing was running.
    """

    since: int
    until: int
    octoprint: list[Span]
    host: list[Span]
    figures: Figures


def text(raw: object) -> str | None:
    """Return ``raw``, or None if it is not a string."""
    return raw if isinstance(raw, str) else None


def number(raw: object, low: float = -1e12, high: float = 1e12) -> float | None:
    """Return ``raw`` as a float, or None if it is not a number from ``low`` to ``high``."""
    return float(raw) if isinstance(raw, (int, float)) and low <= raw <= high else None


def whole(raw: object, low: float = -1e12, high: float = 1e12) -> int | None:
    """Return ``raw`` as an integer, or None if it is not a number from ``low`` to ``high``."""
    checked = number(raw, low, high)
    return None if checked is None else int(checked)
