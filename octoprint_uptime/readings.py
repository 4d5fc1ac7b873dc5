"""Decide which readings of an uptime to believe."""

import math
from typing import NamedTuple

JITTER_SECONDS = 2  # two computations of the same time may differ by this much

_SETTLED_READINGS = 3
_HOPELESS_READINGS = 10
_ROW_SECONDS = 10


class Reading(NamedTuple):
    """An uptime, and the boot clock at the same time. The uptime is NaN if it could not be read."""

    boot_clock: float
    uptime: float

    @property
    def lag(self) -> float:
        """How far the uptime is behind the boot clock."""
        return self.boot_clock - self.uptime

    def at(self, boot_clock: float) -> "Reading":
        """Return the uptime at another time, assuming that it advances with the boot clock."""
        return Reading(boot_clock, self.uptime + (boot_clock - self.boot_clock))

    @property
    def implausible(self) -> str:
        """The error message for an implausible uptime."""
        return f"{self.uptime} seconds is not between this process's age and the time since the boot"

    def is_plausible(self, process_start: float) -> bool:
        """Return whether the uptime lies between the age of this process and the boot clock.

        The process started at ``process_start``, in boot-clock time.
        """
        return self.uptime >= 0 and -JITTER_SECONDS <= self.lag <= process_start + JITTER_SECONDS


class Readings:
    """Judges the readings of a source that is read repeatedly.

    A true uptime advances with the boot clock, so its lag stays the same. For a host it is 0; for a container it is the
    boot-clock time at which the container started. Therefore:

    - Believe the first plausible reading, and then each one with the same lag.
    - Doubt all others, such as a single 0.0. Answer with the last believed reading plus the boot clock's advance.
    - If three doubted readings spanning at least ten seconds agree on another lag, believe that one instead.
    - Reject the source if its seconds don't change, or after ten doubted readings in a row spanning at least ten
      seconds. Then believe nothing until three readings spanning at least ten seconds agree.

    Two lags agree if they differ by no more than `JITTER_SECONDS`.
    """

    def __init__(self, process_start: float) -> None:
        self._process_start = process_start
        self._believed: Reading | None = None
        self._is_rejected = False
        self._doubted = _Row()
        self._agreeing = _Row()
        self.lag = math.nan  # of the first believed reading, so that it doesn't jitter
        self.problem = ""  # why nothing is believed

    def add(self, reading: Reading) -> Reading | None:
        """Judge a new reading, and return the believed uptime at that moment; None if nothing is believed."""
        self._judge(reading)
        return self._believed and self._believed.at(reading.boot_clock)

    def _judge(self, reading: Reading) -> None:
        plausible = reading.is_plausible(self._process_start)
        if self._believed is None:
            if plausible and (not self._is_rejected or self._is_settled(reading)):
                self._believe(reading, reading.lag)
            elif not self._is_rejected:
                self.problem = reading.implausible
        elif reading.uptime == self._believed.uptime:
            # Keep the older reading: it shows when the seconds stopped changing.
            if reading.boot_clock - self._believed.boot_clock > JITTER_SECONDS:
                self._reject(f"it no longer changes and stays at {reading.uptime} seconds")
        elif plausible and _agree(reading.lag, self.lag):
            self._believe(reading, self.lag)
        elif plausible and self._is_settled(reading):
            self._believe(reading, reading.lag)
        else:
            self._doubted.add(reading)
            if self._doubted.is_long(_HOPELESS_READINGS):
                self._reject("it gave no usable uptime ten times in a row")

    def _believe(self, reading: Reading, lag: float) -> None:
        self._believed, self.lag = reading, lag
        self._doubted, self._agreeing = _Row(), _Row()

    def _reject(self, reason: str) -> None:
        self._believed, self._is_rejected, self.problem = None, True, reason

    def _is_settled(self, reading: Reading) -> bool:
        # Implausible readings in between say nothing about the lag.
        if self._agreeing.first is None or not _agree(reading.lag, self._agreeing.first.lag):
            self._agreeing = _Row()
        self._agreeing.add(reading)
        return self._agreeing.is_long(_SETTLED_READINGS)


class _Row:
    """A number of readings in a row."""

    def __init__(self) -> None:
        self.first: Reading | None = None
        self._count = 0
        self._seconds = 0.0

    def add(self, reading: Reading) -> None:
        self.first = self.first or reading
        self._count += 1
        self._seconds = reading.boot_clock - self.first.boot_clock

    def is_long(self, readings: int) -> bool:
        return self._count >= readings and self._seconds >= _ROW_SECONDS


def _agree(lag: float, other: float) -> bool:
    return abs(lag - other) <= JITTER_SECONDS
