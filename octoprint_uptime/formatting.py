"""Seconds to text."""

import math
from datetime import datetime, timezone
from functools import lru_cache

# How each format is built: its units from the largest down, and how many of the last ones show even when zero.
_UNITS = {"full": ("dhms", 1), "dhm": ("dhm", 2), "dh": ("dh", 1), "d": ("d", 1)}
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

DISPLAY_FORMATS = tuple(_UNITS)


def format_uptime(seconds: float, display_format: str = "full") -> str:
    """Write a duration such as ``1d 2h 3m 4s``, the same in every language.

    ``seconds`` is rounded down to whole seconds; ``display_format`` is ``full``, ``dhm``, ``dh`` or ``d``, and
    what is smaller than the format's last unit is dropped. Raises `TypeError` where ``seconds`` is not a number,
    and `ValueError` where it is negative, infinite or NaN, or where the format is none of the four.
    """
    if display_format not in DISPLAY_FORMATS:
        raise ValueError(f"unknown display format {display_format!r}, expected one of {', '.join(DISPLAY_FORMATS)}")
    try:
        rest = math.floor(seconds)
    except (OverflowError, ValueError) as error:  # infinite, NaN
        raise ValueError(f"an uptime is finite, not {seconds!r}") from error
    if rest < 0:
        raise ValueError(f"an uptime is not negative: {seconds!r}")

    units, always = _UNITS[display_format]
    parts: list[str] = []
    for place, unit in enumerate(units):
        count, rest = divmod(rest, _SECONDS[unit])
        if count or parts or place >= len(units) - always:
            parts.append(f"{count}{unit}")
    return " ".join(parts)


def format_uptime_dhm(seconds: float) -> str:
    """Write a duration in days, hours and minutes; errors as for `format_uptime`."""
    return format_uptime(seconds, "dhm")


def format_uptime_dh(seconds: float) -> str:
    """Write a duration in days and hours; errors as for `format_uptime`."""
    return format_uptime(seconds, "dh")


def format_uptime_d(seconds: float) -> str:
    """Write a duration in days; errors as for `format_uptime`."""
    return format_uptime(seconds, "d")


@lru_cache  # since a start is the same from one answer to the next
def format_moment(moment: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC, rounded down to the whole second; such as 2026-03-01T12:00:00Z."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
