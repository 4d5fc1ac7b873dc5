"""Read from the operating system how long the host and this process have been up, and when they started."""

import logging
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from .readings import JITTER_SECONDS, Reading, Readings

PROC_UPTIME = Path("/proc/uptime")
PROC_STAT = Path("/proc/self/stat")
PROC_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROC_MOUNTINFO = Path("/proc/self/mountinfo")
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

_CLOCKS_WITH_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}
_SAME_BOOT_SECONDS = 60


class Uptime(NamedTuple):
    """One result of `Clock.read`. All but ``lacks_psutil`` are ``None`` if no source works.

    ``source`` is ``proc`` or ``psutil``. ``started`` is the start time in seconds since 1970, by the host's wall
    clock. It doesn't change from one reading to the next, unless that clock is changed. ``scope`` says whose uptime it
    is: ``host`` or ``container``, or ``None`` for OctoPrint's. ``lacks_psutil`` is true if the uptime is unknown and
    psutil is not installed.
    """

    seconds: float | None
    source: str | None
    started: float | None
    scope: str | None = None
    lacks_psutil: bool = False


class Source(Protocol):
    """Something that an uptime can be read from."""

    def read(self) -> Reading:
        """Return the current uptime. May raise any exception if it is unknown."""

    @property
    def scope(self) -> str | None:
        """The scope of the last reading, for `Uptime`."""


class Clock:
    """A clock that measures how long something has been up, with the first of its sources that works."""

    def __init__(self, name: str, sources: Mapping[str, Source], logger: logging.Logger) -> None:
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
        lacks_psutil = False
        for name, source in self._sources.items():
            try:
                reading = source.read()
            except Exception as error:  # a broken psutil can raise anything, on import or later
                self._report(name, error)
                lacks_psutil |= isinstance(error, ModuleNotFoundError) and error.name == "psutil"
                continue
            # The restart log uses the same offset, so both report the same start time.
            started = self._steadied(boot_offset() + reading.lag)
            return Uptime(reading.uptime, name, started, source.scope)
        return Uptime(None, None, None, None, lacks_psutil)

    def _report(self, source: str, error: Exception) -> None:
        if source not in self._failed:
            self._failed.add(source)
            self._logger.warning("Could not read the uptime of %s from %s: %r", self._name, source, error)


class _Steadied:
    """Keeps a time that is computed repeatedly, until a new result differs from it by more than two seconds."""

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
    """Return a clock for the host's uptime, from ``/proc/uptime`` or psutil. Under lxcfs it is the container's."""
    start = _process_start()
    return _clock("the host", _ProcUptime(start), _Stopwatch(_psutil_uptime, start, "host"), logger)


def process_clock(logger: logging.Logger) -> Clock:
    """Return a clock for this process's age, from ``/proc/self/stat`` or psutil."""
    start = _process_start()
    return _clock("OctoPrint", _Stopwatch(_proc_age, start), _Stopwatch(_psutil_age, start), logger)


def _clock(name: str, proc: Source, psutil: Source, logger: logging.Logger) -> Clock:
    # Other systems have no /proc, or a different kind of /proc.
    return Clock(name, {"proc": proc, "psutil": psutil} if sys.platform == "linux" else {"psutil": psutil}, logger)


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
    """Return a name for this boot: Linux's boot id, or else the time of the boot in whole seconds.

    Compare names with `same_boot`.
    """
    return proc_text(PROC_BOOT_ID).strip() or str(round(time.time() - boot_clock()))


def has_own_boot_id() -> bool:
    """Return whether this is a container with its own boot id. LXC gives a container a new one at each start.

    The container then has a file mounted over the kernel's boot id. Its boot clock is still the host's.
    """
    return str(PROC_BOOT_ID) in mounts()


def mounts() -> dict[str, str]:
    """Return the file system type mounted at each path. On systems other than Linux, return an empty dict."""
    # The fifth field is the path; the type is the first field after the hyphen. Of several mounts at one path, the last
    # covers the others.
    found = re.findall(r"^(?:\S+ ){4}(\S+) .*? - (\S+) ", proc_text(PROC_MOUNTINFO), re.MULTILINE)
    return {re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path): kind for path, kind in found}


def proc_text(path: Path) -> str:
    """Return the content of a file in /proc, or an empty string if there is no such file."""
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


def is_time(boot: str) -> bool:
    """Return whether this result of `boot_id` is a time in seconds, rather than an id."""
    return boot.removeprefix("-").isdecimal()


def is_synchronized() -> bool:
    """Return whether systemd-timesyncd has set the wall clock since the boot.

    systemd-timesyncd's file doesn't exist with other NTP services, on other systems, or in most containers.
    """
    return os.path.exists(SYNCHRONIZED)


class _ProcUptime:
    """A source that reads ``/proc/uptime`` each time. In a container, lxcfs replaces that file, and may fail."""

    def __init__(self, process_start: float) -> None:
        self._readings = Readings(process_start)

    def read(self) -> Reading:
        failure: Exception | None = None
        try:
            # Every request reads this file. Unbuffered, the read takes a third less time.
            with open(PROC_UPTIME, "rb", buffering=0) as file:
                seconds = float(file.read().split()[0])
        except (OSError, ValueError, IndexError) as error:
            seconds, failure = math.nan, error
        believed = self._readings.add(Reading(boot_clock(), seconds))
        if believed is None:
            raise failure or ValueError(self._readings.problem)
        return believed

    @property
    def scope(self) -> str:
        return "container" if self._readings.lag > JITTER_SECONDS else "host"


class _Stopwatch:
    """A source that reads an uptime until it gets a plausible one, and then advances it with the boot clock.

    So later changes to the wall clock, which psutil uses, don't matter.
    """

    def __init__(self, seconds: Callable[[], float], process_start: float, scope: str | None = None) -> None:
        self._seconds = seconds
        self._process_start = process_start
        self._reading: Reading | None = None
        self.scope = scope

    def read(self) -> Reading:
        if self._reading is None:
            seconds = self._seconds()
            reading = Reading(boot_clock(), seconds)
            if not reading.is_plausible(self._process_start):
                raise ValueError(reading.implausible)
            self._reading = reading
        return self._reading.at(boot_clock())


def _proc_start() -> float:
    """Return the boot-clock time at which this process started."""
    # The start time is field 22. The name before it, in brackets, may contain spaces and brackets.
    ticks = int(PROC_STAT.read_bytes().rpartition(b")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK")


def _process_start() -> float:
    """Return when this process started, in boot-clock time.

    If that is unknown, return the current time: a later start only makes the check more lenient.
    """
    try:
        return _proc_start() if sys.platform == "linux" else boot_clock()
    except (OSError, ValueError, IndexError):
        return boot_clock()


def _proc_age() -> float:
    # Don't use /proc/uptime: lxcfs replaces it, but not the process's start time.
    start = _proc_start()  # read this first, because it takes longer than reading the clock
    return boot_clock() - start


def _psutil_uptime() -> float:
    import psutil

    start = psutil.boot_time()
    return time.time() - start


def _psutil_age() -> float:
    import psutil

    start = psutil.Process().create_time()
    return time.time() - start
