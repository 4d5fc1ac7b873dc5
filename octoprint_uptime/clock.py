"""Read from the operating system how long the host and this process have been up, and since when."""

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

JITTER_SECONDS = 2  # the same time, computed twice from the wall clock, may differ by this much

_MAX_SECONDS = 1e10  # three hundred years
_CLOCKS_WITH_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}
_SAME_BOOT_SECONDS = 60


class Uptime(NamedTuple):
    """Hold one reading of a `Clock`; all ``None`` if no source works.

    ``source`` is ``proc`` or ``psutil``. ``started`` is the time of the start in seconds since 1970, by this
    machine's wall clock. It stays the same from one reading to the next.
    """

    seconds: float | None
    source: str | None
    started: float | None


class Clock:
    """Measure how long something has been up, with the first of its sources that works."""

    def __init__(self, name: str, sources: dict[str, Callable[[], float]], logger: logging.Logger) -> None:
        self._name = name
        self._sources = sources
        self._logger = logger
        self._lock = threading.Lock()
        self._failed: set[str] = set()
        self._steadied = _Steadied()

    def read(self) -> Uptime:
        """Read the uptime. Never raises, logs the failure of a source once, and may be called by any thread."""
        with self._lock:
            return self._first_answer()

    def _first_answer(self) -> Uptime:
        for source, seconds_of in self._sources.items():
            try:
                seconds = seconds_of()
                if not 0 <= seconds < _MAX_SECONDS:
                    raise ValueError(f"{seconds} seconds is not a possible uptime")
            except Exception as error:  # a broken psutil raises anything, on import or later
                self._report(source, error)
                continue
            # The restart log uses the same offset, so both report the same time for one start.
            return Uptime(seconds, source, self._steadied(boot_offset() + boot_clock() - seconds))
        return Uptime(None, None, None)

    def _report(self, source: str, error: Exception) -> None:
        if source not in self._failed:
            self._failed.add(source)
            self._logger.warning("Could not read the uptime of %s from %s: %r", self._name, source, error)


class _Steadied:
    """Keep a computed time the same until it moves by more than two seconds."""

    def __init__(self) -> None:
        self._kept = math.inf

    def __call__(self, moment: float) -> float:
        # Each computation jitters by up to a second, which would look like a restart. A larger difference is real: the
        # wall clock was set.
        if abs(moment - self._kept) > JITTER_SECONDS:
            self._kept = moment
        return self._kept


_steadied_offset = _Steadied()


def system_clock(logger: logging.Logger) -> Clock:
    """Return a clock for the host's uptime, by ``/proc/uptime`` or psutil. Under lxcfs it is the container's."""
    return _clock("the host", _proc_uptime, _Stopwatch(_psutil_boot_time), logger)


def process_clock(logger: logging.Logger) -> Clock:
    """Return a clock for this process's age: the boot clock minus the start in ``/proc/self/stat``, or psutil."""
    return _clock("OctoPrint", _ProcAge(), _Stopwatch(_psutil_create_time), logger)


def _clock(name: str, proc: Callable[[], float], psutil: Callable[[], float], logger: logging.Logger) -> Clock:
    # Other systems have no /proc, or another kind of it.
    return Clock(name, {"proc": proc, "psutil": psutil} if sys.platform == "linux" else {"psutil": psutil}, logger)


def scope_of(system: Uptime) -> str | None:
    """Return whether this is the uptime of a ``container`` or of the ``host``; ``None`` if the uptime is unknown.

    Call it right after reading the uptime. lxcfs gives a container its own ``/proc/uptime``, which is behind the
    kernel's boot clock.
    """
    if system.seconds is None:
        return None
    if system.source == "proc" and abs(boot_clock() - system.seconds) > JITTER_SECONDS:
        return "container"
    return "host"


def boot_clock() -> float:
    """Return the seconds since the host booted, including sleep. Setting the wall clock doesn't change them.

    The clock that keeps running during sleep is ``CLOCK_BOOTTIME`` on Linux, ``CLOCK_MONOTONIC`` on macOS, and
    ``time.monotonic`` on Windows. On Linux and macOS ``time.monotonic`` stops during sleep.
    """
    name = _CLOCKS_WITH_SLEEP.get(sys.platform)
    return time.clock_gettime(getattr(time, name)) if name else time.monotonic()


def boot_offset() -> float:
    """Return the time of the boot in seconds since 1970, by the current wall clock.

    Add it to a reading of the boot clock to get a date. It stays the same until the wall clock moves by more than two
    seconds.
    """
    return _steadied_offset(time.time() - boot_clock())


def boot_id() -> str:
    """Return a name for this boot: Linux's boot id, or the second of the boot. Compare names with `same_boot`."""
    # On most systems psutil computes its boot time in the same way.
    return _proc_text(PROC_BOOT_ID).strip() or str(round(time.time() - boot_clock()))


def has_own_boot_id() -> bool:
    """Return whether this is a container with its own boot id, such as LXC gives a container at each start.

    The container then has a file mounted over the kernel's boot id. Its boot clock is still the host's.
    """
    mounts = (line.split() for line in _proc_text(PROC_MOUNTINFO).splitlines())
    return any(fields[4:5] == [str(PROC_BOOT_ID)] for fields in mounts)


def _proc_text(path: Path) -> str:
    """Return the content of a file in /proc, or an empty text if there is no such file."""
    if sys.platform != "linux":
        return ""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def same_boot(one: str, other: str) -> bool:
    """Return whether two results of `boot_id` name the same boot."""
    try:
        # Without an id, compare the times. NTP can move them by some seconds, and no two boots are that close.
        return one == other or abs(int(one) - int(other)) <= _SAME_BOOT_SECONDS
    except ValueError:
        return False


def _proc_uptime() -> float:
    # Every request reads this file. Without a buffer that takes a third less time.
    with open(PROC_UPTIME, "rb", buffering=0) as file:
        return float(file.read().split()[0])


class _ProcAge:
    """Return the boot clock minus the start of this process, which is read once."""

    def __init__(self) -> None:
        self._start: float | None = None

    def __call__(self) -> float:
        if self._start is None:
            # The start time is field 22. The name before it, in brackets, may contain spaces and brackets.
            ticks = int(PROC_STAT.read_bytes().rpartition(b")")[2].split()[19])
            self._start = ticks / os.sysconf("SC_CLK_TCK")
        # Not from /proc/uptime: lxcfs replaces it, but the start time is by the kernel's clock.
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self._start


def _psutil_boot_time() -> float:
    import psutil

    return psutil.boot_time()


def _psutil_create_time() -> float:
    import psutil

    return psutil.Process().create_time()


class _Stopwatch:
    """Count the seconds since a time from psutil. Setting the wall clock later doesn't change them."""

    def __init__(self, moment: Callable[[], float]) -> None:
        self._moment = moment
        self._zero: float | None = None

    def __call__(self) -> float:
        if self._zero is None:
            elapsed = time.time() - self._moment()
            if elapsed < 0:
                raise ValueError(f"psutil's time is {-elapsed} seconds in the future")
            self._zero = boot_clock() - elapsed
        return boot_clock() - self._zero
