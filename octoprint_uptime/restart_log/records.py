"""The records that the files of the restart log hand to each other."""

from typing import NamedTuple

CLOCK_JITTER_SECONDS = 2  # by which the moment of one boot may jitter


class Progress(NamedTuple):
    """How far a print was at one moment.

    ``percent`` of the file, ``position`` in bytes from its start, ``z`` in mm; the last two are None where unknown.
    ``seen`` is when OctoPrint said so. `Recording` takes all of it from OctoPrint's printer and its events.
    """

    percent: float
    position: int | None
    z: float | None
    seen: float | None

    @classmethod
    def of(cls, percent: object, position: object, z: object, seen: float | None) -> "Progress | None":
        """The progress that these values describe, or None where ``percent`` is not from 0 to 100."""
        checked = number(percent, 0, 100)
        whole = number(position, 0)
        return None if checked is None else cls(checked, None if whole is None else int(whole), number(z), seen)


class Print(NamedTuple):
    """A print that runs or is paused.

    ``path`` and ``origin`` name its file as OctoPrint does. Where ``origin`` is None, ``path`` is the file's name
    alone: the first versions of the log kept no more.
    """

    path: str
    origin: str | None
    started: float | None
    progress: Progress | None

    @property
    def streamed(self) -> bool:
        """Whether OctoPrint sends the file, so that the print ends with it; the printer reads its own storage alone."""
        return self.origin in (None, "local")


class Run(NamedTuple):
    """One run of OctoPrint, from the start of its process to its end.

    Its moments, and its print's, are seconds by the boot clock; ``offset`` turns them into seconds since 1970.
    ``boot`` is the same for all runs of one boot. ``id`` is 0 until the run is stored. ``recorded_from`` is later
    than ``started`` where the log was switched on during the run. ``last_alive`` is when the run was last seen alive.
    ``ended`` is ``clean`` when OctoPrint was shut down in order and so told the plugin, ``off`` when the log was
    switched off, or None: the run goes on, or ended without warning. ``own_boot_id`` says that ``boot`` names one
    start of a container rather than a boot of the host.
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

    @property
    def earliest_end(self) -> float:
        """What the next run can't have started before."""
        # A process whose log was switched off and on again has two runs, both with its start.
        return self.started if self.ended == "off" else self.last_alive

    def in_one_boot_with(self, following: "Run") -> bool:
        """Whether the host was not booted between this run and the following one."""
        return self.boot == following.boot or self.before_a_container_restart(following)

    def before_a_container_restart(self, following: "Run") -> bool:
        """Whether a container was started anew after this run, while its host went on.

        Both names of a boot are then the container's own, the boot clock went on, and the wall clock was not set.
        """
        return (
            self.may_be_before_a_container_restart(following)
            and self.own_boot_id
            and following.own_boot_id
            and abs(following.offset - self.offset) <= CLOCK_JITTER_SECONDS
        )

    def may_be_before_a_container_restart(self, following: "Run") -> bool:
        """Whether nothing speaks against that but a wall clock that was set, or a name that an older version kept."""
        own = self.own_boot_id or following.own_boot_id
        return own and self.boot != following.boot and following.started >= self.earliest_end


class Restart(NamedTuple):
    """The end of one run and the start of the next.

    Moments, its print's included, are seconds since 1970, and None where no clock can be trusted; downtimes are
    seconds. The run ended between ``ended_after`` and ``ended_before``. ``kind`` is ``host``, ``container`` or
    ``octoprint``, by what was started anew; ``host_started`` is None where that was not the host. ``id`` and
    ``version``, which is OctoPrint's, are those of the run that ended. ``lost_print`` is the print that OctoPrint was
    streaming; one that the printer was reading from its own storage is the ``unattended_print``, and may have gone on.
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


class Unrecorded(NamedTuple):
    """A time in which nothing was recorded; both moments are seconds since 1970, or None where they are not known."""

    since: float | None
    until: float | None


def number(raw: object, low: float = -1e12, high: float = 1e12) -> float | None:
    """``raw`` as a float, or None where it is not a number from ``low`` to ``high``."""
    return float(raw) if isinstance(raw, (int, float)) and low <= raw <= high else None
