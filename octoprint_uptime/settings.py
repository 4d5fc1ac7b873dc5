"""Define the default and the bounds of each setting, and repair invalid values."""

import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from .formatting import DISPLAY_FORMATS

Value = bool | int | str


class Flag(NamedTuple):
    """A setting that is true or false."""

    default: bool

    def repair(self, raw: object) -> tuple[bool, bool]:
        return (raw, True) if isinstance(raw, bool) else (self.default, False)


class Choice(NamedTuple):
    """A setting that is one of a few names. ``aliases`` maps old names to current ones."""

    default: str
    choices: tuple[str, ...]
    aliases: dict[str, str]

    def repair(self, raw: object) -> tuple[str, bool]:
        name = self.aliases.get(raw, raw) if isinstance(raw, str) else None
        return (name, True) if name in self.choices else (self.default, False)


class Whole(NamedTuple):
    """A setting that is a whole number from ``low`` to ``high``. Other numbers are clamped and truncated."""

    default: int
    low: int
    high: int

    def repair(self, raw: object) -> tuple[int, bool]:
        number = raw
        if isinstance(raw, str):  # HTML forms send text
            try:
                number = float(raw)
            except ValueError:
                return self.default, False
        not_a_number = number != number
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not_a_number:
            return self.default, False
        value = int(min(max(number, self.low), self.high))
        return value, value == number


# The `repair` of a rule returns the value to use, and whether the raw value was valid.
RULES: dict[str, Flag | Choice | Whole] = {
    "show_system_uptime": Flag(True),
    "show_octoprint_uptime": Flag(True),
    "display_format": Choice("full", DISPLAY_FORMATS, {"short": "dh"}),
    "poll_interval_seconds": Whole(60, 1, 3600),
    "compact_display": Flag(False),
    "compact_toggle_interval_seconds": Whole(5, 5, 60),
    "include_in_systeminfo": Flag(True),
    "restart_log": Flag(True),
    "mqtt": Flag(False),
}


def defaults() -> dict[str, Value]:
    """Return a new dict with the default of each setting. Intervals are in whole seconds."""
    return {key: rule.default for key, rule in RULES.items()}


def clean(raw: Mapping[Any, object]) -> tuple[dict[str, Value], list[str]]:
    """Return the repaired settings from ``raw``, and a message for each invalid key or value.

    Unknown keys are dropped, and missing keys stay missing. Never raises.
    """
    values: dict[str, Value] = {}
    complaints: list[str] = []
    for key, value in raw.items():
        if key not in RULES:
            complaints.append(f"Ignoring the unknown setting {_brief(key)}")
            continue
        values[key], valid = RULES[key].repair(value)
        if not valid:
            complaints.append(f"Using {values[key]!r} for the setting {key}, because {_brief(value)} is not valid")
    return values, complaints


def _brief(value: object) -> str:
    try:
        text = reprlib.repr(value)
    except ValueError:  # an int with more digits than Python can print, such as a long hexadecimal number in YAML
        return "a very long number"
    return text if len(text) <= 100 else f"{text[:100]}..."
