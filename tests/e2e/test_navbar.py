"""The navbar entry, in a real browser."""

from __future__ import annotations

import itertools
import re
import time
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from namespaces import with_files
from octoprint_uptime import format_uptime
from page_parts import IN_A_MONTH, answers, notice, open_log, open_popover, poll_now, popover, rows, strip
from support import (
    BOTH,
    ENDPOINT,
    OCTOPRINT,
    SYSTEM,
    UPTIME,
    MakeServer,
    OctoPrint,
    OpenPage,
    PageRequests,
    Requests,
    SharePage,
    entry,
    said_about,
)

HIDE_TAB = """hidden => {
    const state = hidden ? "hidden" : "visible";
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    Object.defineProperty(document, "visibilityState", {value: state, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def hide_tab(page: Page, hidden: bool) -> None:
    page.evaluate(HIDE_TAB, hidden)


@pytest.mark.parametrize("user", ["admin", "viewer"])
@pytest.mark.each_octoprint
def test_it_shows_an_icon_and_both_uptimes(server: OctoPrint, share_page: SharePage, user: str) -> None:
    page = share_page(server, user)
    expect(entry(page)).to_have_text(BOTH)
    expect(entry(page).locator("i.fa-stopwatch")).to_be_visible()


def test_both_uptimes_count_up_together_and_agree_with_the_api(server: OctoPrint, page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    # An answer that comes while the page is loading is processed late, so it counts from too late. Ask again.
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)
    requests = Requests(page)
    seen = set()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        before = server.answer()
        text = entry(page).inner_text().strip()
        after = server.answer()
        seen.add(text)
        for part, name, field in zip(
            text.split(" | "), ("Host", "OctoPrint"), ("seconds", "octoprint_seconds"), strict=True
        ):
            # The whole second, or the one before it, at some moment between the two answers.
            near = range(int(before[field]) - 1, int(after[field]) + 1)
            assert part in {f"{name} {format_uptime(seconds)}" for seconds in near if seconds >= 0}
        page.wait_for_timeout(50)
    # Both turn at the same moment.
    assert 3 <= len(seen) <= 4
    assert requests.count == 0


def test_a_tick_changes_two_texts_and_measures_nothing(server: OctoPrint, page: Page) -> None:
    # Seconds of two digits, with minutes that stay as they are.
    answers(server, seconds=93700, octoprint_seconds=7300)(page)
    poll_now(page)
    expect(entry(page)).to_have_text(re.compile("Host 1d 2h 1m "))
    text = entry(page).inner_text()
    expect(entry(page)).not_to_have_text(text)  # it ticks, so it is drawn
    page.evaluate(
        """() => {
            window.changes = [];
            window.measured = 0;
            const note = mutations => changes.push(...mutations.map(({type, target}) => `${type} ${target.nodeName}`));
            const everything = {subtree: true, childList: true, attributes: true, characterData: true};
            window.observer = new MutationObserver(note);
            observer.observe(document.querySelector("#navbar_plugin_octoprint_uptime"), everything);
            const {get} = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "offsetHeight");
            Object.defineProperty(document.querySelector("#navbar"), "offsetHeight", {
                configurable: true,
                get() { window.measured++; return get.call(this); }
            });
        }"""
    )
    page.wait_for_function("changes.length >= 6")
    changes, measured = page.evaluate("[changes, measured]")
    assert set(changes) == {"characterData #text"}
    assert len(changes) % 2 == 0
    assert measured == 0
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function("measured > 0")
    page.evaluate("() => { observer.disconnect(); delete document.querySelector('#navbar').offsetHeight; }")


def test_tooltip_appears_while_the_mouse_is_over_it(page: Page) -> None:
    expect(entry(page)).to_have_text(BOTH)
    assert entry(page).get_attribute("title") is None
    entry(page).hover()
    expect(entry(page)).to_have_attribute("title", re.compile("^Host since "))
    page.mouse.move(600, 500)
    expect(entry(page)).not_to_have_attribute("title", re.compile(""))


def test_it_polls_at_the_configured_interval(server: OctoPrint, open_page: OpenPage) -> None:
    watched: list[PageRequests] = []
    page = open_page(server, prepare=lambda page: watched.append(PageRequests(page)))
    (requests,) = watched
    expect(entry(page)).to_have_text(BOTH)
    before = len(requests.times)
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        server.save({"poll_interval_seconds": 2}).raise_for_status()
    times = requests.within(9, answered=True)
    assert len(times) in (4, 5)
    gaps = [later - earlier for earlier, later in itertools.pairwise([requests.times[before], *times])]
    assert all(gap == pytest.approx(2, abs=0.5) for gap in gaps)
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        server.save({"poll_interval_seconds": 3600}).raise_for_status()
    page.wait_for_function("JSON.parse(lastAnswer).poll_interval_seconds === 3600")
    requests.within(1, answered=True)  # a poll may have been under way when the setting changed
    assert requests.within(4) == []


def test_hidden_tab_does_not_poll_and_is_right_when_shown(server: OctoPrint, open_page: OpenPage) -> None:
    server.save({"poll_interval_seconds": 1}).raise_for_status()
    page = open_page(server, prepare=lambda page: page.clock.install())
    expect(entry(page)).to_have_text(BOTH)
    hide_tab(page, True)
    page.clock.run_for(300)
    page.wait_for_timeout(100)  # for a request that is under way
    requests = Requests(page)
    before = entry(page).inner_text()
    page.clock.run_for(5000)
    assert requests.count == 0
    assert entry(page).inner_text() == before
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        hide_tab(page, False)
    expect(entry(page)).not_to_have_text(before)
    assert requests.count == 1


@pytest.mark.parametrize("shown", [True, False])
def test_tab_opened_in_the_background_asks_nothing_until_shown(
    server: OctoPrint, open_page: OpenPage, shown: bool
) -> None:
    values = {"show_system_uptime": shown, "show_octoprint_uptime": shown, "poll_interval_seconds": 1}
    server.save(values).raise_for_status()
    watched: list[Requests] = []

    def prepare(page: Page) -> None:
        page.clock.install()
        page.add_init_script(f"({HIDE_TAB})(true)")
        watched.append(Requests(page))

    page = open_page(server, prepare=prepare)
    page.clock.run_for(5000)
    assert watched[0].count == 0
    # It asks once even without an entry, since there may be a restart to report.
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)) as response:
        hide_tab(page, False)
    response.value.finished()
    page.wait_for_timeout(100)  # the page reads the answer, and sets its timer
    for _ in range(3):
        page.clock.run_for(1000)
        page.wait_for_timeout(50)
    assert watched[0].count in (range(2, 6) if shown else [1])


@pytest.mark.each_octoprint
def test_saved_settings_show_at_once(server: OctoPrint, page: Page) -> None:
    for values, text in [
        ({"show_octoprint_uptime": False}, SYSTEM),
        ({"show_octoprint_uptime": True, "show_system_uptime": False}, OCTOPRINT),
        ({"display_format": "d"}, re.compile(r"^\s*OctoPrint 0d\s*$")),
        ({"display_format": "dhm"}, re.compile(r"^\s*OctoPrint 0h \d+m\s*$")),
        (
            {"display_format": "dh", "show_system_uptime": True},
            re.compile(r"^\s*Host (\d+d )?\d+h \| OctoPrint 0h\s*$"),
        ),
    ]:
        server.save(values).raise_for_status()
        expect(entry(page)).to_have_text(text, timeout=2000)
    server.save({"show_octoprint_uptime": False, "show_system_uptime": False}).raise_for_status()
    expect(entry(page)).to_be_hidden(timeout=2000)
    requests = Requests(page)
    with page.expect_response(lambda response: response.url.endswith("/api/settings")):
        server.save({"poll_interval_seconds": 1}).raise_for_status()
    page.wait_for_timeout(1500)  # longer than the interval
    assert requests.count == 0
    server.save({"show_system_uptime": True, "display_format": "full"}).raise_for_status()
    expect(entry(page)).to_have_text(SYSTEM, timeout=2000)
    expect(entry(page)).to_be_visible()


def test_compact_display_alternates(server: OctoPrint, open_page: OpenPage) -> None:
    server.save({"compact_display": True, "compact_toggle_interval_seconds": 5}).raise_for_status()
    page = open_page(server, prepare=lambda page: page.clock.install())
    expect(entry(page)).to_have_text(re.compile(r"\d"))
    changes = []
    kind = None
    start = now = page.evaluate("performance.now() / 1000")
    while now < start + 17:
        text = entry(page).inner_text().strip()
        shown = "system" if SYSTEM.match(text) else "octoprint" if OCTOPRINT.match(text) else text
        if kind is not None and shown != kind:
            changes.append(now)
        assert shown in ("system", "octoprint")
        kind = shown
        page.clock.run_for(250)
        now = page.evaluate("performance.now() / 1000")
    assert len(changes) in (3, 4)
    gaps = [later - earlier for earlier, later in itertools.pairwise(changes)]
    assert all(gap == pytest.approx(5, abs=1.1) for gap in gaps)


def test_compact_display_of_one_uptime_does_not_alternate(server: OctoPrint, open_page: OpenPage) -> None:
    server.save({"compact_display": True, "show_system_uptime": False}).raise_for_status()
    page = open_page(server, prepare=lambda page: page.clock.install())
    expect(entry(page)).to_have_text(OCTOPRINT)
    for _ in range(24):
        assert OCTOPRINT.match(entry(page).inner_text())
        page.clock.run_for(250)


def test_tooltip_has_both_start_times_in_the_readers_language_and_zone(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server, locale="de-DE", timezone_id="Asia/Tokyo")
    expect(entry(page)).to_have_text(BOTH)
    entry(page).hover()
    expect(entry(page)).to_have_attribute("title", re.compile("seit"))
    lines = (entry(page).get_attribute("title") or "").split("\n")
    answer = server.answer()
    assert len(lines) == 2
    for line, name, field in zip(lines, ("Host", "OctoPrint"), ("started_at", "octoprint_started_at"), strict=True):
        moment = datetime.fromisoformat(answer[field].replace("Z", "+00:00"))
        assert line in {f"{name} seit {text}" for text in said_about(moment, "de-DE", "Asia/Tokyo")}


def test_unknown_uptime_comes_with_advice(make_server: MakeServer, open_page: OpenPage, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.touch()
    server = make_server(with_files({"/proc/uptime": nothing, "/proc/stat": nothing}))
    for locale, text, note, source in [
        ("en-US", "Host uptime unknown", "neither /proc/uptime nor psutil gives a usable value", "comes from"),
        ("de-DE", "Host Betriebszeit unbekannt", "Weder /proc/uptime noch psutil liefert", "kommt von"),
    ]:
        page = open_page(server, locale=locale)
        expect(entry(page)).to_have_text(re.compile(rf"^\s*{text} \| OctoPrint {UPTIME}\s*$"))
        entry(page).hover()
        expect(entry(page)).to_have_attribute("title", re.compile(re.escape(note)))
        entry(page).click()
        popover = page.locator("#navbar_plugin_octoprint_uptime_popover")
        expect(popover.get_by_text(note)).to_be_visible()
        expect(popover.locator("dt")).to_have_count(1)
        expect(popover.get_by_text(source)).to_be_hidden()
    assert len(server.warnings()) == 2


def says_what_the_server_says(page: Page, server: OctoPrint) -> bool:
    seconds = server.answer()["seconds"]
    texts = {f"Host {format_uptime(seconds + off)}" for off in (-1, 0, 1)}
    return entry(page).inner_text().strip().partition(" | ")[0] in texts


def test_it_is_right_within_a_second_after_sleep_or_a_clock_change(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server, prepare=lambda page: page.clock.install())
    expect(entry(page)).to_have_text(BOTH)
    for jump in ("asleep", "clock ahead", "clock behind"):
        requests = Requests(page)
        with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
            if jump == "asleep":
                page.clock.fast_forward("08:00:00")
            else:
                # As in browsers whose steady clock stands still while the computer sleeps.
                now = page.evaluate("Date.now()")
                page.clock.set_system_time((now + (8 if jump == "clock ahead" else -8) * 3600_000) / 1000)
            page.clock.run_for(1000)  # by the page's clock, which a busy machine doesn't slow down
            page.wait_for_timeout(50)
            assert requests.count >= 1, jump
        page.wait_for_timeout(300)
        assert says_what_the_server_says(page, server), jump
        entry(page).hover()
        title = (entry(page).get_attribute("title") or "").replace("\u00a0", " ")
        title = re.sub(" (today|yesterday)$", "", title)
        age = server.answer()["octoprint_seconds"]
        starts = [page.evaluate("age => moment().subtract(age, 's').format('LT')", age + off) for off in (-2, 0, 2)]
        assert title.endswith(tuple(starts)), jump


def test_each_tab_makes_only_its_own_requests(server: OctoPrint, open_page: OpenPage) -> None:
    server.save({"poll_interval_seconds": 3600}).raise_for_status()  # longer than it takes to open them
    first = open_page(server)
    pages = [first, *(first.context.new_page() for _ in range(2))]
    requests = []
    for page in pages:
        requests.append(Requests(page))
        if page is not first:
            page.goto("/")
        expect(entry(page)).to_have_text(BOTH, timeout=30000)
    first.wait_for_timeout(1000)
    assert [each.count for each in requests] == [0, 1, 1]


def test_missing_features_of_the_browser_cost_only_themselves(only_read: OctoPrint, open_page: OpenPage) -> None:
    def without_them(page: Page) -> None:
        page.add_init_script("for (const name of ['Resize', 'Intersection']) delete window[`${name}Observer`]")
        page.add_init_script("delete window.PointerEvent")

    page = open_page(only_read, prepare=without_them)
    expect(entry(page)).to_have_text(BOTH)
    expect(notice(page)).to_be_visible()
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    page.keyboard.press("Escape")
    expect(popover(page)).to_be_hidden()
    open_popover(page)
    page.mouse.click(300, 700)
    expect(popover(page)).to_be_hidden()
    open_log(page)
    expect(rows(page)).to_have_count(IN_A_MONTH)
