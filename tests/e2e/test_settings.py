"""The settings, by REST, by config.yaml, and through a migration, on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from octoprint_uptime import settings
from restart_log import until
from support import ID, MakeServer, OctoPrint

# One of each kind; the whole table is in tests/unit/test_settings.py.
ROWS = [
    ("show_system_uptime", False, False),
    ("show_system_uptime", "no", True),
    ("show_octoprint_uptime", False, False),
    ("show_octoprint_uptime", 0, True),
    ("display_format", "dhm", "dhm"),
    ("display_format", "short", "dh"),
    ("display_format", "long", "full"),
    ("display_format", ["dh"], "full"),
    ("poll_interval_seconds", 5, 5),
    ("poll_interval_seconds", "5", 5),
    ("poll_interval_seconds", 0, 1),
    ("poll_interval_seconds", 10**6, 3600),
    ("poll_interval_seconds", "soon", 60),
    ("poll_interval_seconds", True, 60),
    ("compact_display", True, True),
    ("compact_display", {"a": 1}, False),
    ("compact_toggle_interval_seconds", 30, 30),
    ("compact_toggle_interval_seconds", 1, 5),
    ("compact_toggle_interval_seconds", None, 5),
    ("include_in_systeminfo", False, False),
    ("include_in_systeminfo", "x", True),
    ("restart_log", False, False),
    ("restart_log", "off", True),
]
GOOD = {("display_format", "short"), ("poll_interval_seconds", "5")}


def is_bad(key: str, raw: Any, value: Any) -> bool:
    return raw != value and (key, str(raw)) not in GOOD


def test_the_defaults_are_those_of_the_table(server: OctoPrint) -> None:
    assert server.settings() == settings.defaults()


@pytest.mark.parametrize(("key", "raw", "value"), ROWS)
def test_what_is_posted_is_stored_repaired(server: OctoPrint, key: str, raw: Any, value: Any) -> None:
    server.new_log()
    response = server.save({key: raw})
    assert response.status_code == 200
    assert response.json()["plugins"][ID] == {**settings.defaults(), key: value}
    assert server.settings() == {**settings.defaults(), key: value}
    default = settings.defaults()[key]
    assert (server.stored() or {}).get(key, default) == value
    warnings = server.warnings()
    assert len(warnings) == is_bad(key, raw, value)
    assert all(key in warning and repr(raw)[:20] in warning for warning in warnings)


def test_what_somebody_typed_into_the_config_is_read_repaired_and_said_once(make_server: MakeServer) -> None:
    assert {row[0] for row in ROWS} == settings.RULES.keys()
    typed = {key: raw for key, raw, value in ROWS if is_bad(key, raw, value)}
    server = make_server(plugins={ID: {"_config_version": 2, **typed, "pol_interval_seconds": 5}})
    expected = {key: value for key, raw, value in ROWS if is_bad(key, raw, value)}
    assert server.settings() == {**settings.defaults(), **expected}
    assert server.answer()["poll_interval_seconds"] == 60
    warnings = server.warnings()
    assert len(warnings) == len(typed) + 1
    assert sum("'pol_interval_seconds'" in warning for warning in warnings) == 1
    for key, raw in typed.items():
        assert sum(key in warning and repr(raw) in warning for warning in warnings) == 1
    server.save({"compact_display": True}).raise_for_status()
    assert server.warnings() == []


def test_a_partial_save_keeps_the_rest(server: OctoPrint) -> None:
    server.save({"poll_interval_seconds": 10, "compact_display": True})
    server.save({"display_format": "d"})
    expected = {"poll_interval_seconds": 10, "compact_display": True, "display_format": "d"}
    assert server.settings() == {**settings.defaults(), **expected}
    assert server.stored() == {"_config_version": 2, **expected}


def test_unknown_keys_are_not_stored(server: OctoPrint) -> None:
    server.save({"debug": True, "poll_interval_seconds": 10, "nested": {"a": 1}})
    assert server.stored() == {"_config_version": 2, "poll_interval_seconds": 10}
    assert len(server.warnings()) == 2


@pytest.mark.parametrize("data", ["text", 5, ["a"], None])
def test_what_is_no_object_changes_nothing(server: OctoPrint, data: Any) -> None:
    server.save({"poll_interval_seconds": 10})
    server.new_log()
    server.save(data)
    assert server.settings() == {**settings.defaults(), "poll_interval_seconds": 10}
    assert len(server.warnings()) == 1


@pytest.mark.parametrize("user", ["operator", "viewer", "stranger", None])
def test_nobody_without_the_settings_permission_changes_anything(server: OctoPrint, user: Any) -> None:
    response = server.session(user).post(
        f"{server.url}/api/settings", json={"plugins": {ID: {"poll_interval_seconds": 10}}}
    )
    assert response.status_code in (400, 403)
    assert server.settings() == settings.defaults()


@pytest.mark.parametrize("section", ["text", 5, [1, "a"], None, True])
def test_a_section_that_is_no_mapping_means_the_defaults_and_one_warning(make_server: MakeServer, section: Any) -> None:
    server = make_server(plugins={ID: section})
    assert server.settings() == settings.defaults()
    answer = server.answer()
    assert answer["poll_interval_seconds"] == 60
    assert answer["uptime_available"] is True
    assert len(server.warnings()) == 1
    server.save({"poll_interval_seconds": 10}).raise_for_status()
    assert server.settings()["poll_interval_seconds"] == 10


def test_settings_survive_a_restart(make_server: MakeServer) -> None:
    server = make_server()
    server.save({"poll_interval_seconds": 10, "display_format": "d"})
    before = server.settings()
    server.stop()
    server.start()
    assert server.settings() == before


def test_debug_output_goes_through_the_plugins_logger(make_server: MakeServer) -> None:
    server = make_server()
    server.answer()
    assert "DEBUG" not in server.new_log()
    levels = {f"octoprint.plugins.{ID}": "DEBUG"}
    server.session("admin").put(f"{server.url}/plugin/logging/setup/levels", json=levels).raise_for_status()
    server.answer()
    until(lambda: f"octoprint.plugins.{ID} - DEBUG - " in server.new_log())
