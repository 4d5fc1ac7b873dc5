"""The last 30 days in the popover: loading, keys, mouse and finger. tests/js tests the bars and words of each day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accessibility import violations
from page_parts import (
    all_words_of,
    changing,
    drawn_anew,
    figures,
    open_log,
    open_popover,
    open_strip_by_keyboard,
    poll_now,
    popover,
    seed,
    strip,
    words_of,
)
from runs import Run
from support import ENDPOINT, UP_FOR_AN_HOUR, MakeServer, OctoPrint, OpenPage, SharePage, entry


def test_it_is_loaded_when_the_popover_opens_and_when_the_log_changes(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    newer = False

    def change(answer: dict[str, Any]) -> None:
        if newer:
            answer["last_restart"]["id"] += 1

    asked: list[str] = []
    page = open_page(only_read, prepare=changing(change))
    page.on("request", lambda request: asked.append(request.url) if f"{ENDPOINT}?" in request.url else None)
    expect(entry(page)).to_contain_text("Host")
    poll_now(page)
    assert asked == []
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    poll_now(page)
    assert [url.partition("?")[2] for url in asked] == ["days=31"]
    newer = True
    with page.expect_response(lambda response: "?days=31" in response.url):
        poll_now(page)
    assert len(asked) == 2


def test_it_shows_what_is_in_the_log(page_with_log: Page) -> None:
    page = page_with_log
    open_popover(page)
    options = strip(page).get_by_role("option")
    expect(options).to_have_count(30)
    # Prints were lost in unexpected shutdowns five hours and eleven days ago, and in a clean one two days ago.
    now = datetime.now(timezone.utc)
    days = sorted({(now - timedelta(hours=hours)).date() for hours in (5, 48, 11 * 24)})
    first = now.date() - timedelta(days=29)
    marked = options.evaluate_all("all => all.flatMap((each, n) => each.querySelector('.lost ~ .lost') ? [n] : [])")
    assert [first + timedelta(days=n) for n in marked] == days
    expect(popover(page)).to_contain_text("2 unexpected shutdowns, 3 lost prints.")
    expect(popover(page)).to_contain_text(re.compile(r"Availability: 9\d\.\d% to 9\d\.\d%"))
    legend = all_words_of(popover(page).locator(".octoprint_uptime_legend li"))
    assert legend[-1] == "Lost print"
    assert "Running" in legend
    assert violations(page, "#navbar_plugin_octoprint_uptime") == []


def test_arrow_keys_move_along_it_and_one_tab_leaves_it(page_with_log: Page) -> None:
    page = page_with_log
    options = open_strip_by_keyboard(page)
    page.keyboard.press("Tab")
    expect(options.last).to_be_focused()
    line = popover(page).locator(".octoprint_uptime_day")

    def focused() -> int:
        """Return the number of the day that has the focus and is described."""
        (number,) = options.evaluate_all("all => all.flatMap((one, n) => one === document.activeElement ? [n] : [])")
        expect(options.nth(number)).to_have_attribute("aria-selected", "true")
        expect(strip(page).locator("[aria-selected=true]")).to_have_count(1)
        expect(line).to_have_text(options.nth(number).get_attribute("aria-label") or "", use_inner_text=True)
        return int(number)

    expect(line).to_have_text(re.compile("^Today: "), use_inner_text=True)
    keys = ["ArrowLeft", "ArrowLeft", "PageUp", "ArrowRight", "Home", "ArrowLeft", "PageDown", "End", "ArrowRight"]
    moves = []
    for key in keys:
        page.keyboard.press(key)
        moves.append(focused())
    assert moves == [28, 27, 20, 21, 0, 0, 7, 29, 29]
    page.keyboard.press("ArrowLeft")
    # The browser's own shortcuts with Alt still work.
    page.evaluate("() => document.addEventListener('keydown', event => { window.taken = event.defaultPrevented; })")
    page.keyboard.press("Alt+PageUp")
    assert page.evaluate("window.taken") is False
    assert focused() == 28
    # A mouse that crosses it leaves the day that has the focus.
    options.nth(3).hover()
    expect(options.nth(3)).to_have_attribute("aria-selected", "true")
    page.mouse.move(600, 700)
    assert focused() == 28
    page.keyboard.press("Tab")
    expect(popover(page).get_by_role("button", name="Restart log")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert focused() == 28
    page.keyboard.press("Escape")
    expect(entry(page)).to_be_focused()


def load_anew(page: Page) -> None:
    with drawn_anew(strip(page).get_by_role("option").first):
        page.evaluate("OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel.load()")


def test_loading_it_anew_keeps_the_focus(page_with_log: Page) -> None:
    page = page_with_log
    with page.expect_response(lambda response: "?days=31" in response.url):
        options = open_strip_by_keyboard(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    load_anew(page)
    expect(options.nth(28)).to_be_focused()
    expect(options.nth(28)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    expect(options.nth(27)).to_be_focused()
    page.keyboard.press("Tab")
    expect(popover(page).get_by_role("button", name="Restart log")).to_be_focused()
    load_anew(page)
    expect(popover(page).get_by_role("button", name="Restart log")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    options.nth(3).hover()
    load_anew(page)
    expect(options.nth(3)).to_have_attribute("aria-selected", "true")


def test_mouse_and_finger_pick_a_day(only_read: OctoPrint, page_with_log: Page, open_page: OpenPage) -> None:
    for touch, page in ((False, page_with_log), (True, open_page(only_read, has_touch=True))):
        open_popover(page)
        options = strip(page).get_by_role("option")
        expect(options).to_have_count(30)
        line = popover(page).locator(".octoprint_uptime_day")
        before = words_of(line)
        for number in (0, 12, 29):
            if touch:
                options.nth(number).tap()
            else:
                options.nth(number).hover()
            expect(line).to_have_text(options.nth(number).get_attribute("aria-label") or "", use_inner_text=True)
        if not touch:
            page.mouse.move(600, 500)
            expect(line).to_have_text(before, use_inner_text=True)
        expect(popover(page)).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_on_the_first_day_it_says_what_it_will_show(server: OctoPrint, share_page: SharePage, locale: str) -> None:
    page = share_page(server, locale=locale)
    open_popover(page)
    promise = {
        "en-US": r"Recording started at \d+:\d\d [AP]M today\. This will show, day by day, how long OctoPrint "
        r"was running and when it stopped unexpectedly\.",
        "de-DE": r"Die Aufzeichnung begann heute um \d\d:\d\d\. Hier siehst du künftig Tag für Tag, wie lange "
        r"OctoPrint lief und wann es ausgefallen ist\.",
    }[locale]
    expect(popover(page)).to_contain_text(re.compile("This will show|siehst du künftig"))
    assert re.search(promise, words_of(popover(page)))
    expect(strip(page)).to_have_count(0)


def test_it_appears_on_the_second_day_without_a_restart(server: OctoPrint, open_page: OpenPage) -> None:
    def change(answer: dict[str, Any]) -> None:
        since = (datetime.now(timezone.utc) - timedelta(days=3)).strftime("%Y-%m-%dT12:00:00Z")
        answer.update(recorded_since=since, octoprint_started_at=since)

    page = open_page(server, prepare=changing(change))
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    expect(popover(page)).to_contain_text("No unexpected shutdowns.")
    expect(popover(page)).to_contain_text(re.compile(r"No restart since \w+ \d+, 12:00\s[AP]M\."))


def test_a_failure_to_load_it_is_reported(only_read: OctoPrint, open_page: OpenPage, console_errors: list[str]) -> None:
    page = open_page(only_read)  # a page that hasn't loaded it yet
    page.route(re.compile(rf"{ENDPOINT}\?"), lambda route: route.fulfill(status=500))
    open_popover(page)
    expect(popover(page)).to_contain_text("The last 30 days could not be loaded.")
    page.unroute(re.compile(rf"{ENDPOINT}\?"))
    entry(page).click()
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    expect(popover(page).get_by_text("could not be loaded")).to_be_hidden()
    console_errors.clear()


def test_evenings_only_give_short_bars_and_no_marks(make_server: MakeServer, open_page: OpenPage) -> None:
    evenings = [Run(f"boot {day}", 24 * day + 5, 24 * day + 1, "clean") for day in range(20, 0, -1)]
    page = open_page(make_server(UP_FOR_AN_HOUR, seed=seed(evenings)))
    open_popover(page)
    bars = strip(page).get_by_role("option")
    expect(bars).to_have_count(30)
    assert strip(page).locator(".octoprint_uptime_mark").count() == 0
    expect(popover(page)).to_contain_text("No unexpected shutdowns.")
    heights = bars.evaluate_all("all => all.slice(12, 29).map(each => each.firstElementChild.offsetHeight)")
    assert max(heights) < 10
    # Nor does it count as downtime.
    entry(page).click()
    open_log(page)
    assert figures(page) == {
        "Restarts": "20",
        "Unexpected shutdowns": "0",
        "Lost prints": "0",
        "Availability": figures(page)["Availability"],
        "Longest uptime": "4h 0m",
        "Unexpected downtime": "0s",
    }
    percent = re.fullmatch(r"(\d+(?:\.\d)?)%", figures(page)["Availability"])
    assert percent
    assert 15 < float(percent[1]) < 20  # four hours a day
