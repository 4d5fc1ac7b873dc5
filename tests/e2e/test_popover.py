"""The popover of the navbar entry."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crowded_navbar import longest, show_others
from lxcfs import Lxcfs
from namespaces import with_boot_clock, with_files
from page_parts import answers, open_popover, poll_now, popover
from support import (
    BOTH,
    ID,
    UPTIME,
    MakeServer,
    OctoPrint,
    OpenPage,
    Requests,
    SharePage,
    boot_clock,
    entry,
    said_about,
)

DAY = 86400


def test_click_opens_and_closes_it(page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    expect(popover(page)).to_be_hidden()
    expect(entry(page)).to_have_attribute("aria-expanded", "false")
    entry(page).click()
    expect(popover(page)).to_be_visible()
    expect(entry(page)).to_have_attribute("aria-expanded", "true")
    popover(page).click()
    expect(popover(page)).to_be_visible()
    entry(page).click()
    expect(popover(page)).to_be_hidden()
    assert not page.url.endswith("#")


def test_click_elsewhere_and_escape_close_it(page: Page) -> None:
    entry(page).click()
    page.mouse.click(600, 500)
    expect(popover(page)).to_be_hidden()
    entry(page).click()
    expect(popover(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(popover(page)).to_be_hidden()
    expect(entry(page)).to_be_focused()


def test_keys_after_a_click_on_its_text_reach_its_buttons(page: Page) -> None:
    open_popover(page).locator("dt").first.click()
    page.keyboard.press("Tab")
    expect(popover(page).get_by_role("button", name="Restart log")).to_be_focused()


def test_selecting_its_text_leaves_it_open(page: Page) -> None:
    box = open_popover(page).locator("dt").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(600, 500, steps=3)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()") != ""
    expect(popover(page)).to_be_visible()


def test_tap_opens_and_closes_it(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server, has_touch=True)
    entry(page).tap()
    expect(popover(page)).to_be_visible()
    page.touchscreen.tap(600, 500)
    expect(popover(page)).to_be_hidden()


@pytest.mark.each_octoprint
def test_keyboard_opens_and_leaves_it(page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    for key in ("Enter", " "):
        page.locator("#navbar .brand").focus()
        for _ in range(20):
            page.keyboard.press("Tab")
            if entry(page).evaluate("button => button === document.activeElement"):
                break
        expect(entry(page)).to_be_focused()
        assert entry(page).evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
        page.keyboard.press(key)
        expect(popover(page)).to_be_visible()
        for link in ("Restart log", "Uptime settings"):
            page.keyboard.press("Tab")
            expect(popover(page).get_by_text(link)).to_be_focused()
        page.keyboard.press("Tab")
        expect(popover(page)).to_be_hidden()
        assert page.evaluate("window.scrollY") == 0


NAMES = {
    "en-US": ("Uptime: Host OctoPrint", "Uptime: Host uptime unknown OctoPrint", "since"),
    "de-DE": ("Betriebszeit: Host OctoPrint", "Betriebszeit: Host Betriebszeit unbekannt OctoPrint", "seit"),
}


@pytest.mark.parametrize("locale", NAMES)
def test_accessible_name_has_the_visible_words_and_does_not_tick(
    server: OctoPrint, share_page: SharePage, locale: str
) -> None:
    name, unknown, since = NAMES[locale]
    page = share_page(server, locale=locale)
    expect(entry(page)).to_have_text(BOTH)
    expect(entry(page)).to_have_accessible_name(name)
    entry(page).focus()
    expect(entry(page)).to_have_accessible_description(re.compile(f"^Host {since} .* OctoPrint {since} "))
    expect(entry(page)).to_have_attribute("aria-controls", f"navbar_plugin_{ID}_popover")
    assert page.locator(f"#navbar_plugin_{ID} [aria-live], #navbar_plugin_{ID} [role=status]").count() == 0
    # As a screen reader gets it: the tree of everything that is not hidden from it.
    heard, text = entry(page).aria_snapshot(), entry(page).inner_text()
    expect(entry(page)).not_to_have_text(text)  # it ticks
    assert entry(page).aria_snapshot() == heard
    answers(server, seconds=None)(page)
    poll_now(page)
    expect(entry(page)).to_have_accessible_name(unknown)


def test_accessible_name_stays_without_room_for_text(crowded_server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(crowded_server, width=960, prepare=longest(crowded_server))
    for others, name in ((0, "Uptime: Host OctoPrint"), (2, "Uptime: (Host|OctoPrint)"), (3, "Uptime:")):
        show_others(page, others)
        expect(entry(page)).to_have_accessible_name(re.compile(f"^{name}$"))


def test_uptime_that_becomes_unknown_disappears(server: OctoPrint, page: Page) -> None:
    open_popover(page)
    expect(popover(page).locator("dt")).to_have_text(["Host", "OctoPrint"])
    answers(server, seconds=None)(page)
    poll_now(page)
    expect(popover(page).locator("dt")).to_have_text(["OctoPrint"])


def test_uptimes_are_never_rounded_up(server: OctoPrint, page: Page) -> None:
    answers(server, seconds=12.6 * DAY, octoprint_seconds=9100)(page)
    poll_now(page)
    entry(page).click()
    expect(popover(page).locator("dd b").last).to_have_text(re.compile("^2h 31m"))
    for words in (popover(page).inner_text(), entry(page).get_attribute("title") or ""):
        assert not re.search(r"ago|\d+ day|hour", words)


def test_it_has_uptimes_and_start_times_in_the_users_language(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(with_boot_clock(12 * DAY - int(boot_clock()) + 100))
    for locale, since in [("en-US", "since"), ("de-DE", "seit")]:
        page = open_page(server, locale=locale, timezone_id="UTC")
        open_popover(page)
        expect(popover(page).locator("dt")).to_have_text(["Host", "OctoPrint"])
        uptimes = popover(page).locator("dd b")
        expect(uptimes).to_have_text([re.compile(r"^12d 0h"), re.compile(r"^(\d+m )?\d+s$")])
        answer = server.answer()
        lines = popover(page).locator("dd.octoprint_uptime_small").all_inner_texts()
        for line, field in zip(lines, ("started_at", "octoprint_started_at"), strict=True):
            moment = datetime.fromisoformat(answer[field].replace("Z", "+00:00"))
            assert line in {f"{since} {text}" for text in said_about(moment, locale)}
        before = uptimes.first.inner_text()
        expect(uptimes.first).not_to_have_text(before, timeout=3000)
        # Each start time appears once, and the usual source not at all.
        assert popover(page).inner_text().count(lines[0]) == 1
        expect(popover(page)).not_to_contain_text("proc")


def test_unusual_source_is_named(server: OctoPrint, share_page: SharePage) -> None:
    for locale, words in (
        ("en-US", "The host's uptime comes from psutil."),
        ("de-DE", "Die Betriebszeit des Hosts kommt von psutil."),
    ):
        page = share_page(server, locale=locale)
        answers(server, uptime_source="psutil")(page)
        poll_now(page)
        open_popover(page)
        expect(popover(page)).to_contain_text(words)


def test_uptime_of_a_container_is_labelled(make_server: MakeServer, open_page: OpenPage, tmp_path: Path) -> None:
    with Lxcfs(tmp_path / "uptime") as lxcfs:
        server = make_server(with_files({"/proc/uptime": lxcfs.file}))
        assert server.answer()["uptime_scope"] == "container"
        page = open_page(server)
        entry(page).click()
        expect(popover(page).locator("dt")).to_have_text(["Container", "OctoPrint"])
        expect(entry(page)).to_have_text(re.compile(rf"^\s*Container {UPTIME} \| OctoPrint"))


def test_uptime_of_a_host_has_the_scope_host(server: OctoPrint) -> None:
    assert server.answer()["uptime_scope"] == "host"


def test_without_a_server_it_says_since_when(page: Page, console_errors: list[str]) -> None:
    expect(entry(page)).to_have_text(BOTH)
    page.route(f"**/api/plugin/{ID}", lambda route: route.abort())
    poll_now(page)
    entry(page).click()
    expect(
        popover(page).get_by_text(re.compile(r"No response from the server since \d+:\d\d\s[AP]M today"))
    ).to_be_visible()
    console_errors.clear()


@pytest.mark.each_octoprint
def test_settings_link_is_for_users_who_may_change_them(server: OctoPrint, page: Page, share_page: SharePage) -> None:
    entry(page).click()
    popover(page).get_by_text("Uptime settings").click()
    expect(page.locator(f"#settings_plugin_{ID}")).to_be_visible()
    expect(popover(page)).to_be_hidden()
    other = share_page(server, "viewer")
    entry(other).click()
    expect(popover(other)).to_be_visible()
    expect(popover(other).get_by_text("Uptime settings")).to_be_hidden()


@pytest.mark.each_octoprint
def test_it_covers_no_menu_of_the_navbar(page: Page) -> None:
    menu = page.locator("#navbar_login .dropdown-menu:visible")
    entry(page).click()
    page.locator("#navbar_login > a").click()
    expect(menu).to_be_visible()
    expect(popover(page)).to_be_hidden()
    entry(page).click()
    expect(popover(page)).to_be_visible()
    expect(menu).to_have_count(0)


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": 960, "height": 700}},
        {"viewport": {"width": 412, "height": 915}, "device_scale_factor": 2.6, "is_mobile": True, "has_touch": True},
    ],
    ids=["960 px", "phone"],
)
def test_it_stays_inside_the_page(crowded_server: OctoPrint, open_page: OpenPage, options: dict[str, Any]) -> None:
    page = open_page(crowded_server, locale="de-DE", **options)
    expect(entry(page)).to_be_visible()
    # The same with the entry at the far left.
    for first, others in ((False, 0), (False, 3), (True, 0), (True, 3)):
        show_others(page, others)
        if first:
            page.evaluate(f"$('#navbar_plugin_{ID}').prependTo('#navbar .nav')")
        width = page.evaluate("document.documentElement.scrollWidth")
        entry(page).click()
        left, right, top, bottom, width_now, height = popover(page).evaluate(
            """popover => {
                const {left, right, top, bottom} = popover.getBoundingClientRect();
                const page = document.documentElement;
                return [left + scrollX, right + scrollX, top, bottom, page.scrollWidth, page.scrollHeight];
            }"""
        )
        assert 0 <= left < right <= width
        assert 41 <= top < bottom <= height
        assert width_now == width
        entry(page).click()


def test_all_of_it_is_reachable_on_a_low_screen(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 200})
    entry(page).click()
    expect(popover(page)).to_be_visible()
    assert popover(page).evaluate("popover => popover.getBoundingClientRect().bottom") <= 200
    expect(popover(page).get_by_text("Uptime settings")).not_to_be_in_viewport()
    popover(page).get_by_text("Uptime settings").scroll_into_view_if_needed()
    expect(popover(page).get_by_text("Uptime settings")).to_be_in_viewport(ratio=1)


def test_opening_it_makes_no_request(page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    requests = Requests(page)
    entry(page).click()
    page.wait_for_timeout(500)
    assert requests.count == 0
