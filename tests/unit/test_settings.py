"""Test the defaults and the repair of settings."""

import json
import math
from typing import Any

import pytest

from octoprint_uptime import settings

FLAGS = {
    "show_system_uptime": True,
    "show_octoprint_uptime": True,
    "compact_display": False,
    "include_in_systeminfo": True,
    "restart_log": True,
    "mqtt": False,
}
NO_FLAGS: list[Any] = ["true", "false", 2, None, [], {}, 0.5]
GOOD: list[tuple[str, Any, Any]] = [
    *((key, value, value) for key in FLAGS for value in (True, False)),
    ("display_format", "full", "full"),
    ("display_format", "dhm", "dhm"),
    ("display_format", "dh", "dh"),
    ("display_format", "d", "d"),
    ("display_format", "short", "dh"),
    ("poll_interval_seconds", 1, 1),
    ("poll_interval_seconds", 3600, 3600),
    ("poll_interval_seconds", 30.0, 30),
    ("poll_interval_seconds", "30", 30),
    ("compact_toggle_interval_seconds", 5, 5),
    ("compact_toggle_interval_seconds", 60, 60),
]
BAD: list[tuple[str, Any, Any]] = [
    *((key, value, default) for key, default in FLAGS.items() for value in NO_FLAGS),
    ("display_format", "FULL", "full"),
    ("display_format", "", "full"),
    ("display_format", None, "full"),
    ("display_format", ["dh"], "full"),
    ("display_format", {"dh": 1}, "full"),
    ("display_format", True, "full"),
    ("poll_interval_seconds", 0, 1),
    ("poll_interval_seconds", -5, 1),
    ("poll_interval_seconds", 0.5, 1),
    ("poll_interval_seconds", 30.9, 30),
    ("poll_interval_seconds", 3601, 3600),
    ("poll_interval_seconds", 10**400, 3600),
    ("poll_interval_seconds", "1e9", 3600),
    ("poll_interval_seconds", math.inf, 3600),
    ("poll_interval_seconds", -math.inf, 1),
    ("poll_interval_seconds", math.nan, 60),
    ("poll_interval_seconds", "nan", 60),
    ("poll_interval_seconds", "", 60),
    ("poll_interval_seconds", "soon", 60),
    ("poll_interval_seconds", True, 60),
    ("poll_interval_seconds", None, 60),
    ("poll_interval_seconds", [30], 60),
    ("poll_interval_seconds", {}, 60),
    ("compact_toggle_interval_seconds", 4, 5),
    ("compact_toggle_interval_seconds", 61, 60),
    ("compact_toggle_interval_seconds", "x", 5),
    ("compact_toggle_interval_seconds", False, 5),
]


def test_defaults() -> None:
    assert settings.defaults() == {
        "show_system_uptime": True,
        "show_octoprint_uptime": True,
        "display_format": "full",
        "poll_interval_seconds": 60,
        "compact_display": False,
        "compact_toggle_interval_seconds": 5,
        "include_in_systeminfo": True,
        "restart_log": True,
        "mqtt": False,
    }


def test_defaults_is_a_new_dict_each_time() -> None:
    # OctoPrint writes into it.
    settings.defaults()["_config_version"] = 1
    assert "_config_version" not in settings.defaults()


@pytest.mark.parametrize(("key", "raw", "value"), GOOD)
def test_valid_value_is_kept(key: str, raw: Any, value: Any) -> None:
    assert settings.clean({key: raw}) == ({key: value}, [])
    assert type(settings.clean({key: raw})[0][key]) is type(value)


@pytest.mark.parametrize(("key", "raw", "value"), BAD)
def test_invalid_value_is_repaired_and_reported(key: str, raw: Any, value: Any) -> None:
    values, (complaint,) = settings.clean({key: raw})
    assert values == {key: value}
    assert type(values[key]) is type(value)
    assert key in complaint
    assert repr(raw)[:10] in complaint


def test_unknown_key_is_dropped_and_reported() -> None:
    values, (complaint,) = settings.clean({"debug": True, "compact_display": True})
    assert values == {"compact_display": True}
    assert "'debug'" in complaint


def test_missing_key_stays_missing() -> None:
    assert settings.clean({}) == ({}, [])


@pytest.mark.parametrize("raw", ["x" * 1_000_000, ["x" * 1000] * 1000, 16**5000, {"a\nb": 1}], ids=type)
def test_complaint_is_one_short_line(raw: Any) -> None:
    _, (complaint,) = settings.clean({"poll_interval_seconds": raw})
    assert len(complaint) < 300
    assert "\n" not in complaint


def test_defaults_survive_json() -> None:
    assert json.loads(json.dumps(settings.defaults())) == settings.defaults()
