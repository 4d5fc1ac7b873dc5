"""How long the host and this process have been up, and since when: the only door to the operating system."""

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PROC_UPTIME = Path("/proc/uptime")
PROC_STAT = Path("/proc/self/stat")
PROC_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROC_MOUNTINFO = Path("/proc/self/mountinfo")

JITTER_SECONDS = 2  # a moment computed twice from the wall clock may differ by this much

_BELIEVABLE_SECONDS = 1e10  # three hundred years
_CLOCKS_WITH_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}
_SAME_BOOT_SECONDS = 60


class Uptime(NamedTuple):
    """One answer of a `Clock`; all ``None`` when no source answered.

    ``source`` is ``proc`` or ``psutil``. ``started`` is the moment of the start in seconds since 1970, by this
    machine's wall clock, and the same from one answer to the next.
    """

    seconds: float | None
    source: str | None
    started: float | None


class Clock:
    """How long one thing has been up, by the first of its sources that answers."""

    def __init__(self, name: str, sources: dict[str, Callable[[], float]], logger: logging.Logger) -> None:
        self._name = name
        self._sources = sources
        self._logger = logger
        self._lock = threading.Lock()
        self._failed: set[str] = set()
        self._steadied = _Steadied()

    def read(self) -> Uptime:
        """Read the uptime now; never raises, logs a source's failure once. OctoPrint's requests run in threads."""
        with self._lock:
            return self._first_answer()

    def _first_answer(self) -> Uptime:
        for source, seconds_of in self._sources.items():
            try:
                seconds = seconds_of()
                if not 0 <= seconds < _BELIEVABLE_SECONDS:
                    raise ValueError(f"{seconds} seconds can't be")
            except Exception as error:  # a psutil that is broken raises anything, on import or later
                self._report(source, error)
                continue
            # By the same offset as the restart log's moments, so that both tell one moment of one start.
            return Uptime(seconds, source, self._steadied(boot_offset() + boot_clock() - seconds))
        return Uptime(None, None, None)

    def _report(self, source: str, error: Exception) -> None:
        if source not in self._failed:
            self._failed.add(source)
            self._logger.warning("The %s uptime can't be read from %s: %r", self._name, source, error)


class _Steadied:
    """A moment that is computed anew at each call, and yet stays the same until it moves by over two seconds."""

    def __init__(self) -> None:
        self._kept = math.inf

    def __call__(self, moment: float) -> float:
        # A moment computed anew jitters by a second, and whoever watches it takes that for a restart. One that lies
        # further off is right: the wall clock was set.
        if abs(moment - self._kept) > JITTER_SECONDS:
            self._kept = moment
        return self._kept


_steadied_offset = _Steadied()


def system_clock(logger: logging.Logger) -> Clock:
    """The host's uptime, from ``/proc/uptime``, in a container with lxcfs the container's; else from psutil."""
    return _clock("system", _proc_uptime, _Stopwatch(_psutil_boot_time), logger)


def process_clock(logger: logging.Logger) -> Clock:
    """This process's age: the boot clock minus its start in ``/proc/self/stat``; elsewhere psutil."""
    return _clock("OctoPrint", _ProcAge(), _Stopwatch(_psutil_create_time), logger)


def _clock(name: str, proc: Callable[[], float], psutil: Callable[[], float], logger: logging.Logger) -> Clock:
    # Other systems have no /proc, or one that holds something else.
    return Clock(name, {"proc": proc, "psutil": psutil} if sys.platform == "linux" else {"psutil": psutil}, logger)


def scope_of(system: Uptime) -> str | None:
    """Whether the host's uptime is that of a ``container`` or of the ``host``; ``None`` where the uptime is unknown.

    To be asked right after the uptime was read: lxcfs shows a container a ``/proc/uptime`` of its own, which is behind
    the kernel's boot clock.
    """
    if system.seconds is None:
        return None
    if system.source == "proc" and abs(boot_clock() - system.seconds) > JITTER_SECONDS:
        return "container"
    return "host"


def boot_clock() -> float:
    """Seconds since the host was booted, sleep included; setting the wall clock changes nothing.

    Each system has a clock that goes on while the machine sleeps: Linux ``CLOCK_BOOTTIME``, macOS ``CLOCK_MONOTONIC``,
    and Windows the one behind ``time.monotonic``, which stands still on the other two.
    """
    name = _CLOCKS_WITH_SLEEP.get(sys.platform)
    return time.clock_gettime(getattr(time, name)) if name else time.monotonic()


def boot_offset() -> float:
    """The moment of the boot in seconds since 1970, by the wall clock as it is set now.

    Added to a reading of the boot clock, it gives that reading's date. It stays the same from call to call, until the
    wall clock moves by over two seconds.
    """
    return _steadied_offset(time.time() - boot_clock())


def boot_id() -> str:
    """A name for this boot, to be compared by `same_boot`: Linux's own id; elsewhere the second when it began."""
    # On most systems psutil computes its boot time in the same way, so it need not be asked.
    return _proc_text(PROC_BOOT_ID).strip() or str(round(time.time() - boot_clock()))


def has_own_boot_id() -> bool:
    """Whether this is a container that was given a boot id of its own, as LXC gives at each start of a container.

    A file is then mounted over the kernel's boot id. The boot clock is still the host's.
    """
    mounts = (line.split() for line in _proc_text(PROC_MOUNTINFO).splitlines())
    return any(fields[4:5] == [str(PROC_BOOT_ID)] for fields in mounts)


def _proc_text(path: Path) -> str:
    """What a file of /proc holds; nothing where there is no such file."""
    if sys.platform != "linux":
        return ""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def same_boot(one: str, other: str) -> bool:
    """Whether two answers of `boot_id` are of one boot."""
    try:
        # Without an id the wall clock decides, and NTP sets that by some seconds; no two boots begin that close.
        return one == other or abs(int(one) - int(other)) <= _SAME_BOOT_SECONDS
    except ValueError:
        return False


def _proc_uptime() -> float:
    # The one file that each request reads: without a buffer it takes two thirds of the time.
    with open(PROC_UPTIME, "rb", buffering=0) as file:
        return float(file.read().split()[0])


class _ProcAge:
    """The boot clock less the moment when this process started, which does not change and is read once."""

    def __init__(self) -> None:
        self._start: float | None = None

    def __call__(self) -> float:
        if self._start is None:
            # The name, in brackets, may itself hold spaces and brackets; the start time is field 22.
            ticks = int(PROC_STAT.read_bytes().rpartition(b")")[2].split()[19])
            self._start = ticks / os.sysconf("SC_CLK_TCK")
        # Not /proc/uptime, which lxcfs replaces, while the start time stays the kernel's.
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self._start


def _psutil_boot_time() -> float:
    import psutil

    return psutil.boot_time()


def _psutil_create_time() -> float:
    import psutil

    return psutil.Process().create_time()


class _Stopwatch:
    """Seconds since a moment that psutil gives by the wall clock; setting that clock later changes nothing."""

    def __init__(self, moment: Callable[[], float]) -> None:
        self._moment = moment
        self._zero: float | None = None

    def __call__(self) -> float:
        if self._zero is None:
            elapsed = time.time() - self._moment()
            if elapsed < 0:
                raise ValueError(f"psutil's moment is {-elapsed} seconds ahead")
            self._zero = boot_clock() - elapsed
        return boot_clock() - self._zero
