"""One walk through all features: what `make check` runs in an OctoPrint and a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from recorded_runs import until
from support import BOTH, COLD, ID, OCTOPRINT, UPTIME, MakeServer, OpenPage, entry

pytestmark = pytest.mark.each_octoprint


def test_walk_through_all_features(make_server: MakeServer, open_page: OpenPage, console_errors: list[str]) -> None:
    server = make_server(COLD, has_whole_page=True)

    # The entry counts, and the API works.
    page = open_page(server)
    expect(entry(page)).to_have_text(BOTH)
    before = entry(page).inner_text()
    expect(entry(page)).not_to_have_text(before, timeout=3000)
    answer = server.answer()
    assert answer["uptime_available"] is True
    assert answer["last_restart"] is None

    # Saving a setting changes the entry.
    page.locator("#navbar_show_settings").click()
    page.locator(f"#settings_plugin_{ID}_link a").click()
    page.get_by_label("Show the host's uptime", exact=True).uncheck()
    page.get_by_test_id("settings-save").click()
    expect(entry(page)).to_have_text(OCTOPRINT)
    assert server.settings()["show_system_uptime"] is False

    # System info has the uptimes.
    info = server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"]
    assert info[f"env.plugins.{ID}.started_at"] == answer["started_at"]

    # After a kill, the open page shows a notice.
    server.kill()
    expect(entry(page).locator("i.fa-unlink")).to_be_visible(timeout=15000)
    server.start(COLD)
    told = until(lambda: server.answer()["unseen_restart"])
    assert (told["kind"], told["clean"]) == ("octoprint", False)
    notice = page.locator(".ui-pnotify:visible").filter(has_text="OctoPrint stopped unexpectedly")
    expect(notice).to_be_visible(timeout=40000)
    expect(entry(page)).to_have_text(OCTOPRINT)
    console_errors.clear()  # the browser's, of the connections that were refused
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    until(lambda: server.answer()["unseen_restart"] is None)

    # German works.
    server.save({"show_system_uptime": True}).raise_for_status()
    german = open_page(server, locale="de-DE")
    expect(entry(german)).to_have_text(re.compile(rf"^\s*Host {UPTIME} \| OctoPrint {UPTIME}\s*$"))
    entry(german).hover()
    expect(entry(german)).to_have_attribute("title", re.compile("^Host seit "))
    entry(german).click()
    expect(german.locator(f"#navbar_plugin_{ID}_popover")).to_contain_text("Neustart-Protokoll")
