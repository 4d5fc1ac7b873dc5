"""All parts of the page in each language, width and theme, by keyboard and by touch, and without motion."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from accessibility import violations
from page_parts import (
    close_log,
    drawn_anew,
    log,
    log_figures,
    notice,
    open_log,
    open_popover,
    open_strip_by_keyboard,
    popover,
    rows,
    strip,
)
from support import ID, OctoPrint, OpenPage, SharePage, entry
from themes import DARK, LIGHT, set_theme

# Text that no reader should see. File names and units are the same in each language.
NEVER = re.compile(r"undefined|NaN|null|\[object|%\(")
ENGLISH = re.compile(r"\b(?:since|today|yesterday|running|without|recorded|lost|down|Copy|Close|Show|Day|Year)\b")


def cut_off(page: Page, selector: str) -> list[str]:
    """Return elements whose text is wider than they are."""
    found: list[str] = page.locator(selector).evaluate(
        """root => [...root.querySelectorAll("p, span, dt, dd, li, button, h3, h4")]
            .filter(element => element.offsetParent && element.clientWidth)
            .filter(element => element.scrollWidth > element.clientWidth + 1
                || element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map(element => element.outerHTML.slice(0, 120))"""
    )
    return found


def check(page: Page, selector: str, german: bool, with_axe: bool) -> None:
    text = page.locator(selector).inner_text()
    assert not NEVER.search(text), text
    assert not (german and ENGLISH.search(text)), text
    assert cut_off(page, selector) == []
    if with_axe:
        assert violations(page, selector) == []


# With `--hypothesis-profile nightly` more widths, each under each theme.
USUAL = [(1400, ""), (960, DARK)]
NIGHTLY = list(itertools.product((960, 1100, 1400, 1920), ("", DARK, LIGHT)))


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_everything_in_each_width_and_theme(
    only_read: OctoPrint, share_page: SharePage, pytestconfig: pytest.Config, locale: str
) -> None:
    page = share_page(only_read, locale=locale)
    german = locale == "de-DE"
    is_nightly = pytestconfig.getoption("--hypothesis-profile") == "nightly"
    for width, sheet in NIGHTLY if is_nightly else USUAL:
        with_axe = is_nightly or sheet == DARK
        page.set_viewport_size({"width": width, "height": 900})
        set_theme(page, sheet)
        expect(notice(page)).to_have_css("opacity", "1")
        check(page, ".octoprint_uptime_notice", german, with_axe)
        open_popover(page)
        expect(strip(page).get_by_role("option")).to_have_count(30)
        strip(page).get_by_role("option").first.hover()
        check(page, f"#navbar_plugin_{ID}", german, with_axe)
        entry(page).click()
        open_log(page)
        rows(page).first.click()
        expect(log(page).locator("details dl").first).to_be_visible()
        check(page, f"#{ID}", german, with_axe)
        assert log(page).evaluate("log => log.getBoundingClientRect().right") <= width
        close_log(page)


# Words of a paragraph or a cell of the log that stand in a column of fewer than ten letters, or beyond the window.
UNREADABLE = """root => [...root.querySelectorAll("summary > span, dd, dt, p, li, button, .octoprint_uptime_axis span")]
    .filter(element => element.offsetParent && element.textContent.trim())
    .filter(element => {
        const range = document.createRange();
        range.selectNodeContents(element);
        const {left, right, width, height} = range.getBoundingClientRect();
        const isColumn = width < 60 && height > 60;
        return isColumn || left < -1 || right > document.documentElement.clientWidth + 1;
    })
    .map(element => element.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_a_narrow_window_shows_everything(only_read: OctoPrint, share_page: SharePage, locale: str) -> None:
    page = share_page(only_read, locale=locale)
    widths = (320, 390, 480, 560, 640, 700, 767, 768, 800, 900, 960)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("scrollTo(0, 0)")
        expect(notice(page)).to_have_css("opacity", "1")
        assert_inside(notice(page), width)
        open_popover(page)
        expect(strip(page).get_by_role("option")).to_have_count(30)
        assert_inside(popover(page), width)
        assert cut_off(page, f"#navbar_plugin_{ID}_popover") == []
        popover(page).get_by_role("button").filter(visible=True).first.click(trial=True)  # that nothing covers it
        page.keyboard.press("Escape")
        expect(popover(page)).to_be_hidden()
    open_log(page)
    rows(page).first.click()
    expect(log(page).locator("details dl").first).to_be_visible()
    for width in reversed(widths):
        page.set_viewport_size({"width": width, "height": 900})
        assert_inside(log(page), width)
        assert log(page).evaluate(UNREADABLE) == [], width
        assert ticks_that_touch(page) == [], width
        assert cut_off(page, f"#{ID}") == [], width


def assert_inside(place: Locator, width: int) -> None:
    box = place.bounding_box()
    assert box is not None
    assert box["x"] >= 0, (width, box)
    assert box["x"] + box["width"] <= width, (width, box)


def ticks_that_touch(page: Page) -> list[str]:
    found: list[str] = page.locator(".octoprint_uptime_axis").evaluate(
        """axis => {
            const ticks = [...axis.children].filter(tick => tick.offsetParent);
            return ticks.slice(1).filter((tick, n) =>
                tick.getBoundingClientRect().left < ticks[n].getBoundingClientRect().right + 2
            ).map(tick => tick.textContent);
        }"""
    )
    return found


def test_keyboard_reaches_everything(page_with_log: Page) -> None:
    page = page_with_log
    expect(notice(page)).to_be_visible()
    open_strip_by_keyboard(page)
    for key in ("Tab", "ArrowLeft", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(rows(page).first).to_be_visible()
    expect(popover(page)).to_be_hidden()
    reached: list[str] = []
    while "Close the log" not in reached and len(reached) < 60:
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent.replace(/\\s+/g, ' ').trim()")
        if page.evaluate(f"document.activeElement.closest('#{ID} summary') !== null") and "fold" not in reached:
            page.keyboard.press("Enter")
            reached.append("fold")
        elif focused == "Week":
            with drawn_anew(log_figures(page)):
                page.keyboard.press("Enter")
                expect(log(page).get_by_role("button", name="Week")).to_have_attribute("aria-pressed", "true")
        reached.append(focused)
    assert {"Day", "Week", "30 days", "Year", "Download CSV", "Copy as text", "Close the log", "fold"} <= {*reached}
    log(page).get_by_role("button", name="Week").focus()
    page.keyboard.press("Escape")
    expect(log(page)).to_be_hidden()
    for name in ("Show file", "Restart log", "Dismiss", "Close the notice"):
        notice(page).get_by_role("button", name=name).focus()
        expect(notice(page).get_by_role("button", name=name)).to_be_focused()


def test_touch_reaches_everything_and_reduced_motion_is_respected(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read, has_touch=True, reduced_motion="reduce")
    expect(notice(page)).to_be_visible()
    entry(page).tap()
    expect(strip(page).get_by_role("option")).to_have_count(30)
    strip(page).get_by_role("option").nth(3).tap()
    line = popover(page).locator(".octoprint_uptime_day")
    expect(line).to_have_text(re.compile(r"^\w+, \w+ \d+: "), use_inner_text=True)
    ours = f"#navbar_plugin_{ID} *, #{ID} *, .octoprint_uptime_notice p"
    popover(page).get_by_role("button", name="Restart log").tap()
    expect(rows(page).first).to_be_visible()
    rows(page).first.tap()
    expect(log(page).locator("details dl").first).to_be_visible()
    moving = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(element => {
            const {animationName, transitionDuration} = getComputedStyle(element);
            return animationName !== "none" || (!element.matches(".btn") && parseFloat(transitionDuration) > 0);
        }).map(element => element.outerHTML.slice(0, 100))""",
        ours,
    )
    assert moving == []
    log(page).get_by_role("button", name="Close the log").tap()
    expect(log(page)).to_be_hidden()
    notice(page).get_by_role("button", name="Close the notice").tap()
    expect(notice(page)).to_have_count(0)
