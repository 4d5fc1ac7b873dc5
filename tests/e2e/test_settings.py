"""The settings over REST and in config.yaml."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from octoprint_uptime import settings
from support import ID, MakeServer, OctoPrint

pytestmark = pytest.mark.each_octoprint

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
    ("mqtt", True, True),
    ("mqtt", "on", False),
]
GOOD = {("display_format", "short"), ("poll_interval_seconds", "5")}


def is_bad(key: str, raw: Any, value: Any) -> bool:
    return raw != value and (key, str(raw)) not in GOOD


def test_defaults(server: OctoPrint) -> None:
    assert server.settings() == settings.defaults()


def test_posted_values_are_repaired_and_stored(server: OctoPrint) -> None:
    # Each save has a row of every setting that has rows left.
    rows = [[row for row in ROWS if row[0] == key] for key in settings.RULES]
    for save in itertools.zip_longest(*rows):
        chosen = [row for row in save if row]
        server.new_log()
        response = server.save({key: raw for key, raw, _ in chosen})
        assert response.status_code == 200
        expected = {**server.settings(), **{key: value for key, _, value in chosen}}
        assert response.json()["plugins"][ID] == server.settings() == expected
        assert {**settings.defaults(), **server.stored()} == {**expected, "_config_version": 2}
        bad = [(key, raw) for key, raw, value in chosen if is_bad(key, raw, value)]
        warnings = server.warnings()
        assert len(warnings) == len(bad)
        for key, raw in bad:
            assert sum(key in warning and repr(raw)[:20] in warning for warning in warnings) == 1


def test_invalid_values_in_the_config_are_repaired_with_one_warning_each(make_server: MakeServer) -> None:
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


@pytest.mark.parametrize("version", [[1], {"a": 1}, 1.5])
def test_version_that_cannot_be_one_costs_no_setting(make_server: MakeServer, version: object) -> None:
    server = make_server(plugins={ID: {"_config_version": version, "poll_interval_seconds": 10}})
    assert server.settings() == {**settings.defaults(), "poll_interval_seconds": 10}
    assert server.answer()["poll_interval_seconds"] == 10


def test_partial_save_keeps_the_rest(server: OctoPrint) -> None:
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
def test_anything_but_an_object_changes_nothing(server: OctoPrint, data: Any) -> None:
    server.save({"poll_interval_seconds": 10})
    server.new_log()
    server.save(data)
    assert server.settings() == {**settings.defaults(), "poll_interval_seconds": 10}
    assert len(server.warnings()) == 1


@pytest.mark.parametrize("user", ["operator", "viewer", "stranger", None])
def test_saving_takes_the_settings_permission(server: OctoPrint, user: Any) -> None:
    response = server.session(user).post(
        f"{server.url}/api/settings", json={"plugins": {ID: {"poll_interval_seconds": 10}}}
    )
    assert response.status_code in (400, 403)
    assert server.settings() == settings.defaults()


# Initialises the plugin as a server does, but without a server.
INITIALIZE = """
import json, logging, pathlib, sys, types
import octoprint.plugin
from octoprint.settings import Settings
from octoprint_uptime.plugin import UptimePlugin

lines = []
logging.getLogger().addHandler(logging.Handler())
logging.getLogger().handlers[-1].emit = lambda record: lines.append(record.getMessage())
for basedir in sys.argv[1:]:
    plugin = UptimePlugin()
    plugin._identifier = "octoprint_uptime"
    plugin._logger = logging.getLogger("octoprint.plugins.octoprint_uptime")
    plugin._data_folder = basedir
    plugin._printer = types.SimpleNamespace(get_current_data=dict)
    settings = Settings(basedir=basedir)
    settings.add_overlay({"plugins": {plugin._identifier: plugin.get_settings_defaults()}}, at_end=True)
    plugin._settings = octoprint.plugin.plugin_settings_for_settings_plugin(plugin._identifier, plugin, settings)
    lines.clear()
    plugin.initialize()
    plugin.on_settings_initialized()
    print(json.dumps([plugin.on_settings_load(), lines]))
"""


def test_section_that_is_no_mapping_means_defaults_and_one_warning(octoprint_executable: Path, tmp_path: Path) -> None:
    sections = ["text", 5, [1, "a"], None, True]
    folders = [tmp_path / str(number) for number in range(len(sections))]
    for folder, section in zip(folders, sections, strict=True):
        OctoPrint(octoprint_executable, folder).prepare({}, plugins={ID: section})
    command: list[str | Path] = [octoprint_executable.with_name("python"), "-c", INITIALIZE, *folders]
    run = subprocess.run(command, capture_output=True, text=True, cwd="/")  # not here, where the package is source
    assert run.returncode == 0, run.stderr
    for line, section in zip(run.stdout.splitlines(), sections, strict=True):
        values, warnings = json.loads(line)
        assert values == settings.defaults()
        assert warnings == [f"Ignoring settings in config.yaml: expected a mapping, found {type(section).__name__}"]


def test_section_that_is_text_can_be_replaced_and_the_new_one_survives_a_restart(
    make_server: MakeServer,
) -> None:
    server = make_server(plugins={ID: "text"})
    assert server.settings() == settings.defaults()
    answer = server.answer()
    assert answer["poll_interval_seconds"] == 60
    assert answer["uptime_available"] is True
    assert len(server.warnings()) == 1
    server.save({"poll_interval_seconds": 10, "display_format": "d"}).raise_for_status()
    expected = {**settings.defaults(), "poll_interval_seconds": 10, "display_format": "d"}
    assert server.settings() == expected
    server.stop()
    server.start()
    assert server.settings() == expected
    assert server.warnings() == []
