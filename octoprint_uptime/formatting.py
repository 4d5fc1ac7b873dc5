"""Format durations and times as text."""

import math
from datetime import datetime, timezone
from functools import lru_cache

# The units of each format, largest first, and how many of the last ones are shown even if they are zero.
_UNITS = {"full": ("dhms", 1), "dhm": ("dhm", 2), "dh": ("dh", 1), "d": ("d", 1)}
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

DISPLAY_FORMATS = tuple(_UNITS)


def format_uptime(seconds: float, display_format: str = "full") -> str:
    """Return a duration as text such as ``1d 2h 3m 4s``, the same in every language.

    ``display_format`` is ``full``, ``dhm``, ``dh`` or ``d``. The duration is rounded down to the last unit of the
    format. Raises `TypeError` if ``seconds`` is not a number, and `ValueError` if it is negative, infinite or NaN, or
    if the format is unknown.
    """
    if display_format not in DISPLAY_FORMATS:
        raise ValueError(f"unknown display format {display_format!r}, expected one of {', '.join(DISPLAY_FORMATS)}")
    try:
        rest = math.floor(seconds)
    except (OverflowError, ValueError) as error:  # infinite, NaN
        raise ValueError(f"an uptime must be finite, not {seconds!r}") from error
    if rest < 0:
        raise ValueError(f"an uptime must not be negative: {seconds!r}")

    units, always = _UNITS[display_format]
    parts: list[str] = []
    for place, unit in enumerate(units):
        count, rest = divmod(rest, _SECONDS[unit])
        if count or parts or place >= len(units) - always:
            parts.append(f"{count}{unit}")
    return " ".join(parts)


def format_uptime_dhm(seconds: float) -> str:
    """Return a duration in days, hours and minutes. Raises the same errors as `format_uptime`."""
    return format_uptime(seconds, "dhm")


def format_uptime_dh(seconds: float) -> str:
    """Return a duration in days and hours. Raises the same errors as `format_uptime`."""
    return format_uptime(seconds, "dh")


def format_uptime_d(seconds: float) -> str:
    """Return a duration in days. Raises the same errors as `format_uptime`."""
    return format_uptime(seconds, "d")


@lru_cache  # polls format the same times repeatedly
def format_moment(moment: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601 in UTC, rounded down, such as 2026-03-01T12:00:00Z."""
    return datetime.fromtimestamp(moment, timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
