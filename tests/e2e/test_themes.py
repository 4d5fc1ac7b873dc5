"""Test readability with small style sheets that imitate themes."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from contrast import Contrast, contrasts
from page_parts import control, dialog, log, notice, open_log, open_popover, popover, rows, strip
from support import BOTH, ID, entry
from themes import DARK, LIGHT, set_theme

pytestmark = pytest.mark.each_octoprint

COLOURS = ["default", "red", "orange", "yellow", "green", "blue", "violet", "black", "white"]

# They colour the core's classes and none of the plugin's.
THEMES = {
    "none": "",
    "dark": DARK,
    "light": LIGHT,
    "dark menus": ".dropdown-menu, .popover { background: #2c3e50; } .dropdown-menu a { color: #fff !important; }",
    "dark with notices": f"{DARK} .alert {{ background: #3a0d0d !important; color: #f0c0c0; }}",
    "dark with pale buttons": f"{DARK} .btn {{ background: #40454a; color: #fff; opacity: 0.7; }}",
    "light with notices": f"{LIGHT} .alert {{ background: #586e75 !important; color: #fff; }}",
}


def unreadable(page: Page, *roots: str) -> dict[str, list[Contrast]]:
    """Return the unreadable parts of some elements, by theme."""
    found = {}
    for name, sheet in THEMES.items():
        set_theme(page, sheet)
        found[name] = contrasts(page, *roots)
        assert len(found[name]) > 1
    set_theme(page, "")
    return {name: bad for name, each in found.items() if (bad := [one for one in each if not one.enough])}


def test_contrast_is_measured_by_wcag_2(page: Page) -> None:
    page.evaluate(
        """() => $("body").append(`
            <div id="probe" style="background: #fff">
                <b style="color: #777">grey on white</b>
                <b style="color: rgba(0, 0, 0, 0.5)">half black on white</b>
                <b style="color: oklch(0.5693 0 0)">the same grey</b>
                <div style="background: #000; color: #fff; opacity: 0.5">half of white on black, on white</div>
                <div style="color: #fff; background: linear-gradient(#000, #777)">the worst of a gradient</div>
                <div class="octoprint_uptime_plate" style="background: #777">
                    <i style="background: #fff"></i>
                    <i style="background: repeating-linear-gradient(#fff 0 1px, transparent 1px 4px)"></i>
                    <i style="background: none; box-shadow: inset 0 0 0 1px #fff"></i>
                </div>
            </div>`)"""
    )
    found = [one.found for one in contrasts(page, "#probe")]
    page.evaluate("$('#probe').remove()")
    assert found == [pytest.approx(value, abs=0.06) for value in (4.48, 3.98, 4.48, 3.95, 4.48, 4.48, 4.48, 4.48)]


def test_popover_and_strip_are_readable(page_with_log: Page) -> None:
    page = page_with_log
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    assert unreadable(page, f"#navbar_plugin_{ID}") == {}


def test_entry_and_popover_are_readable_with_each_navbar_colour(page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    offered = page.locator("#settings_appearance select:has([value=violet]) option").evaluate_all(
        "options => options.map(o => o.value)"
    )
    assert {value for value in offered if re.fullmatch("[a-z]{3,}", value)} == set(COLOURS)
    entry(page).click()
    for colour, transparent in [*itertools.product(COLOURS, (True, False)), ("default", False)]:
        page.evaluate(
            """([colour, transparent]) => {
                const {settings} = ko.dataFor(document.querySelector("#settings_appearance"));
                settings.appearance.color(colour);
                settings.appearance.colorTransparent(transparent);
            }""",
            [colour, transparent],
        )
        for sheet in ("", DARK):
            set_theme(page, sheet)
            bad = [one for one in contrasts(page, f"#navbar_plugin_{ID}") if not one.enough]
            assert bad == [], (colour, transparent, sheet)


def test_restart_log_is_readable(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    rows(page).first.click()
    expect(log(page).locator("details dl").first).to_be_visible()
    assert unreadable(page, f"#{ID}") == {}


def test_notice_is_readable(page_with_log: Page) -> None:
    page = page_with_log
    expect(notice(page)).to_have_css("opacity", "1")  # it fades in
    assert unreadable(page, ".octoprint_uptime_notice") == {}


def test_settings_are_readable(page: Page) -> None:
    pane = dialog(page)
    assert unreadable(page, f"#settings_plugin_{ID}") == {}
    control(page, "show_system_uptime").uncheck()
    control(page, "show_octoprint_uptime").uncheck()
    expect(pane.get_by_text("No entry in the navbar")).to_be_visible()
    assert unreadable(page, f"#settings_plugin_{ID}") == {}


def test_border_box_theme_changes_no_size(page_with_log: Page) -> None:
    page = page_with_log
    expect(notice(page)).to_be_visible()
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    boxes = [entry(page), popover(page), notice(page), strip(page)]
    before = [box.evaluate("box => [box.offsetWidth, box.offsetHeight]") for box in boxes]
    set_theme(page, "*, *::before, *::after { box-sizing: border-box; }")
    assert [box.evaluate("box => [box.offsetWidth, box.offsetHeight]") for box in boxes] == before
