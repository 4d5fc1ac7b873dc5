"""Test the plugin while OctoPrint's appearance settings hide one of its components."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from page_parts import (
    IN_A_MONTH,
    RUNS,
    close_log,
    control,
    dialog,
    log,
    notice,
    poll_now,
    popover,
    rows,
    save,
    seed,
)
from recorded_runs import until
from support import ID, UP_FOR_AN_HOUR, MakeServer, OctoPrint, OpenPage, Requests, entry

pytestmark = pytest.mark.each_octoprint


def without(kind: str) -> Callable[[Path], None]:
    """Write a restart log, and settings that hide one kind of component."""

    def write(basedir: Path) -> None:
        seed(RUNS)(basedir)
        path = basedir / "config.yaml"
        config = json.loads(path.read_text(encoding="utf-8"))  # the file is JSON, which is YAML
        component = "files" if kind == "sidebar" else f"plugin_{ID}"
        config["appearance"] = {"components": {"disabled": {kind: [component]}}}
        path.write_text(json.dumps(config), encoding="utf-8")

    return write


def serve(make_server: MakeServer, kind: str, **settings: Any) -> OctoPrint:
    return make_server(UP_FOR_AN_HOUR, seed=without(kind), plugins={ID: {"poll_interval_seconds": 1, **settings}})


def asks_nothing(page: Page) -> bool:
    """Return whether the page makes no request for longer than its interval."""
    requests = Requests(page)
    page.wait_for_timeout(1500)
    return requests.count == 0


def test_without_the_entry_all_else_works_and_nothing_is_polled(make_server: MakeServer, open_page: OpenPage) -> None:
    server = serve(make_server, "navbar")
    page = open_page(server)  # which fails on an exception
    assert page.locator(f"#navbar_plugin_{ID}").count() == 0
    expect(notice(page)).to_be_visible()
    server.save({"display_format": "dhm"}).raise_for_status()  # which changes the text that would be fitted
    page.set_viewport_size({"width": 1000, "height": 900})
    page.mouse.click(600, 500)
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    assert asks_nothing(page)

    notice(page).get_by_role("button", name="Restart log").click()
    expect(rows(page)).to_have_count(IN_A_MONTH)
    close_log(page)

    dialog(page).get_by_role("button", name="Restart log").click()
    expect(rows(page)).to_have_count(IN_A_MONTH)
    close_log(page)
    expect(page.locator(f"#{ID}_preview")).to_have_text(re.compile(r"Host .*m \| OctoPrint"), use_inner_text=True)
    control(page, "show_octoprint_uptime").uncheck()
    save(page)
    assert server.settings()["show_octoprint_uptime"] is False
    assert asks_nothing(page)
    with page.expect_response(lambda response: ID in response.url):
        poll_now(page)


def test_without_the_log_nothing_links_to_it(make_server: MakeServer, open_page: OpenPage) -> None:
    server = serve(make_server, "generic")
    for locale in ("en-US", "de-DE"):
        page = open_page(server, locale=locale)
        check_no_link(page)
    page.get_by_test_id("settings-close-button").click()
    notice(page).get_by_role("button").last.click()
    expect(notice(page)).to_have_count(0)
    until(lambda: server.answer()["unseen_restart"] is None)


def check_no_link(page: Page) -> None:
    name = re.compile("^(Restart log|Neustart-Protokoll)$")
    assert log(page).count() == 0
    entry(page).click()
    expect(popover(page)).to_contain_text("benchy.gcode")
    expect(popover(page).get_by_text(name)).to_be_hidden()
    entry(page).click()
    expect(notice(page).get_by_role("button", name=name)).to_be_hidden()
    expect(dialog(page).locator("button", has_text=name)).to_be_hidden()


def test_without_the_settings_nothing_links_to_them_or_polls(make_server: MakeServer, open_page: OpenPage) -> None:
    server = serve(make_server, "settings")
    page = open_page(server)
    entry(page).click()
    expect(popover(page).get_by_text("Restart log")).to_be_visible()
    expect(popover(page).get_by_text("Uptime settings")).to_be_hidden()
    server.save({"show_system_uptime": False, "show_octoprint_uptime": False}).raise_for_status()
    expect(entry(page)).to_be_hidden()
    page.locator("#navbar_show_settings").click()
    expect(page.locator("#settings_dialog")).to_be_visible()
    assert asks_nothing(page)


def test_without_the_file_list_no_link_to_a_file(make_server: MakeServer, open_page: OpenPage) -> None:
    page = open_page(serve(make_server, "sidebar"))
    expect(notice(page)).to_contain_text("benchy.gcode")
    expect(notice(page).get_by_role("button", name="Show file")).to_be_hidden()
