"""What OctoPrint's Pi Support reports for the firmware's values, as its class ThrottleState returned it."""

from __future__ import annotations

FIELDS = (
    *("current_undervoltage", "past_undervoltage", "current_overheat", "past_overheat"),
    *("current_issue", "past_issue"),
)
_SET: dict[int, set[str]] = {
    0x0: set(),
    0x10000: {"past_undervoltage", "past_issue"},
    0x50000: {"past_undervoltage", "past_issue"},
    0x50005: {"current_undervoltage", "past_undervoltage", "current_issue", "past_issue"},
    0xD0008: {"past_undervoltage", "past_issue"},
    0x10001: {"current_undervoltage", "past_undervoltage", "current_issue", "past_issue"},
    0x20002: {"current_overheat", "past_overheat", "current_issue", "past_issue"},
    0x60006: {"current_overheat", "past_overheat", "current_issue", "past_issue"},
    0x80008: set(),
    0xE0008: {"past_overheat", "past_issue"},
}
STATES = {value: {"raw_value": value} | {field: field in fields for field in FIELDS} for value, fields in _SET.items()}

# Before, during and after under-voltage. A Raspberry Pi 3 throttles, too.
PI_3_AND_5 = [[0x0, 0x50005, 0x50000], [0x0, 0x10001, 0x10000]]
