"""Hostile settings, over REST and in config.yaml."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from octoprint_uptime import settings
from support import BOTH, ID, MakeServer, OctoPrint, OpenPage, SharePage, entry

SCRIPT = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
HOSTILE: dict[str, Any] = {
    "huge": 10**300,
    "huge negative": -(10**300),
    "past 64 bits": 2**64,
    "tiny": 5e-324,
    "negative zero": -0.0,
    "fraction": 59.999,
    "zero": 0,
    "minus one": -1,
    "true": True,
    "false": False,
    "null": None,
    "empty text": "",
    "blank": " \t\n",
    "1e9": "1e9",
    "hexadecimal": "0x10",
    "nan": "nan",
    "infinity": "Infinity",
    "minus infinity": "-inf",
    "underscored": "1_0",
    "arabic digits": "\u0663\u0660",
    "full-width digits": "\uff13\uff10",
    "with unit": "30s",
    "comma": "30,5",
    "true as text": "true",
    "format in capitals": "FULL",
    "format with blank": " full",
    "a format and more": "full\u0000",
    "emoji": "⏱️💥",
    "right to left": "\u202efull",
    "line breaks": "a\r\nb: c\n- d",
    "yaml": "!!python/object/apply:os.system ['true']",
    "jinja": "{{ 7 * 7 }}{% raw %}",
    "knockout": "'}, text: window.hacked = 1, x: {'",
    "markup": SCRIPT,
    "ten kilobytes": "x" * 10_000,
    "empty list": [],
    "list": [60],
    "nested list": [[[[[[60]]]]]],
    "long list": [1] * 1_000,
    "empty object": {},
    "object": {"value": 60},
    "object that looks like settings": {"display_format": "dh"},
    "deep object": {"a": {"b": {"c": {"d": SCRIPT}}}},
    "python's attributes": {"__class__": "x", "__proto__": {"hacked": 1}},
}


def without_ours(config: dict[str, Any]) -> dict[str, Any]:
    """Return config.yaml without the plugin's part."""
    plugins = {key: value for key, value in config["plugins"].items() if key != ID}
    return {**config, "plugins": plugins}


def is_valid(values: dict[str, Any]) -> bool:
    return settings.clean(values) == (values, []) and values.keys() == settings.RULES.keys()


def test_hostile_values_break_nothing(server: OctoPrint, share_page: SharePage) -> None:
    other = {"virtual_printer": {"okFormatString": "ok {lastN}"}}
    server.session("admin").post(f"{server.url}/api/settings", json={"plugins": other}).raise_for_status()
    before = settings.defaults()
    others = without_ours(server.config())
    for name, value in HOSTILE.items():
        response = server.save(dict.fromkeys(settings.RULES, value))
        assert response.status_code == 200, name
        assert is_valid(response.json()["plugins"][ID]), name
        before |= settings.clean(dict.fromkeys(settings.RULES, value))[0]
        assert server.settings() == before, name
        answer = server.answer()
        assert answer["display_format"] in ("full", "dhm", "dh", "d"), name
        assert 1 <= answer["poll_interval_seconds"] <= 3600, name
        config = server.config()
        stored = {key: value for key, value in (config["plugins"].get(ID) or {}).items() if key != "_config_version"}
        assert is_valid({**settings.defaults(), **stored}), name
        assert without_ours(config) == others, name
        assert config["plugins"]["virtual_printer"]["okFormatString"] == "ok {lastN}", name
    server.save(dict.fromkeys(settings.RULES, SCRIPT)).raise_for_status()
    page = share_page(server)
    expect(entry(page)).to_have_text(BOTH)
    page.locator("#navbar_show_settings").click()
    page.locator(f"#settings_plugin_{ID}_link a").click()
    expect(page.locator("#octoprint_uptime_poll_interval_seconds")).to_be_visible()
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert max(map(len, server.warnings())) < 300


CHANGED = {
    "show_system_uptime": False,
    "show_octoprint_uptime": False,
    "display_format": "dh",
    "poll_interval_seconds": 7,
    "compact_display": True,
    "compact_toggle_interval_seconds": 9,
    "include_in_systeminfo": False,
    "restart_log": False,
    "mqtt": True,
}


# tests/unit/test_settings_properties.py has any other JSON.
@pytest.mark.each_octoprint
def test_saving_some_settings_keeps_the_others_and_other_plugins(server: OctoPrint) -> None:
    assert CHANGED.keys() == settings.RULES.keys()
    others, expected = without_ours(server.config()), server.settings()
    each: list[dict[str, Any]] = [{key: value} for key, value in CHANGED.items()]
    back: list[dict[str, Any]] = [dict(pair) for pair in itertools.pairwise(settings.defaults().items())]
    for some in [*each, {}, *back]:
        server.save(some).raise_for_status()
        expected |= some
        assert server.settings() == expected
        assert without_ours(server.config()) == others
    assert expected == settings.defaults()


@pytest.mark.parametrize("body", ["text", 5, [1], None, True, {"display_format": {"x": 1}}, {"": 1}, {SCRIPT: SCRIPT}])
@pytest.mark.each_octoprint
def test_hostile_shapes_break_nothing(server: OctoPrint, body: Any) -> None:
    server.save({"poll_interval_seconds": 10}).raise_for_status()
    server.save(body)
    assert is_valid(server.settings())
    assert server.settings()["poll_interval_seconds"] == 10
    server.warnings()


@pytest.mark.parametrize(("number", "value"), [("NaN", 60), ("Infinity", 3600), ("-Infinity", 1), ("1e999", 3600)])
@pytest.mark.each_octoprint
def test_numbers_beyond_json_are_clamped(server: OctoPrint, number: str, value: int) -> None:
    body = f'{{"plugins": {{"{ID}": {{"poll_interval_seconds": {number}}}}}}}'
    headers = {"Content-Type": "application/json"}
    server.session("admin").post(f"{server.url}/api/settings", data=body, headers=headers).raise_for_status()
    assert server.settings() == {**settings.defaults(), "poll_interval_seconds": value}
    assert len(server.warnings()) == 1


@pytest.mark.each_octoprint
def test_a_megabyte_over_rest_is_refused(server: OctoPrint) -> None:
    # OctoPrint itself takes no more than 100 kB; it answers 400 or hangs up before it has read the rest.
    with contextlib.suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        assert server.save({"display_format": "x" * 1_000_000}).status_code == 400
    assert server.settings() == settings.defaults()


def test_a_megabyte_in_the_config_gets_one_short_warning(make_server: MakeServer) -> None:
    server = make_server(plugins={ID: {"display_format": "x" * 1_000_000, "poll_interval_seconds": 9}})
    assert server.settings() == {**settings.defaults(), "poll_interval_seconds": 9}
    (warning,) = server.warnings()
    assert len(warning) < 300


def test_markup_in_the_config_is_not_run(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(plugins={ID: {**dict.fromkeys(settings.RULES, SCRIPT), SCRIPT: SCRIPT}})
    assert server.settings() == settings.defaults()
    page = open_page(server)
    expect(entry(page)).to_have_text(BOTH)
    assert page.evaluate("typeof window.hacked") == "undefined"
    server.new_log()
