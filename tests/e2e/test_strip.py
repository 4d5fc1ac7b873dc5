"""The last 30 days in the popover, a bar for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accessibility import violations
from page_parts import (
    UP_FOR_AN_HOUR,
    all_words_of,
    changing,
    figures,
    open_log,
    open_popover,
    poll_now,
    popover,
    seed,
    strip,
    words_of,
)
from runs import Run
from support import ENDPOINT, MakeServer, OctoPrint, OpenPage, entry

NOW = datetime(2026, 11, 25, 18, 40, tzinfo=timezone.utc)  # 19:40 in Berlin
BERLIN = "Europe/Berlin"


def restart(
    ended: str, started: str, until: str | None = None, run: str | None = None, lost: bool = False, **changes: Any
) -> dict[str, Any]:
    """A restart; moments are local ones of Berlin. It was clean where ``until`` is not given."""
    return {
        "kind": "host",
        "clean": until is None,
        "unattended_print": None,
        "run_started_at": local(run or "2026-10-01 00:00"),
        "ended_after": local(ended),
        "ended_before": local(until or ended),
        "host_started_at": local(until or started),
        "started_at": local(started),
        "lost_print": {"file": "benchy.gcode", "progress": 43.7, "z": 12.4} if lost else None,
        **changes,
    }


def local(text: str) -> str:
    """A moment of Berlin's winter or, before the end of October, summer, as the API writes it."""
    hours = 2 if text < "2026-10-25 03:00" else 1
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc) - timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def days(server: OctoPrint, open_page: OpenPage) -> Callable[..., dict[str, tuple[Any, ...]]]:
    """The bars of an answer in a page of Berlin, by date: state, height in percent, words."""
    page = open_page(server, timezone_id=BERLIN)
    page.clock.set_fixed_time(NOW)

    def days(
        restarts: list[dict[str, Any]],
        started: str,
        since: str = "2026-10-01 00:00",
        not_recorded: list[dict[str, Any]] | None = None,
    ) -> dict[str, tuple[Any, ...]]:
        answer = {
            "restarts": restarts,
            "not_recorded": not_recorded or [],
            "recorded_since": local(since),
            "octoprint_started_at": local(started),
            "started_at": local(started),
            "uptime_scope": "host",
        }
        page.evaluate(
            "answer => OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel.fromResponse(answer)", answer
        )
        found = page.evaluate(
            "OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel.days()"
            ".map(({start, state, share, words}) => [start.format('MM-DD'), state, share * 100, words])"
        )
        assert len(found) == 30
        return {date: (state, share, words) for date, state, share, words in found}

    return days


Days = Callable[..., dict[str, tuple[Any, ...]]]


def test_a_day_is_told_by_its_worst_and_by_how_long_octoprint_ran(days: Days) -> None:
    found = days(
        [
            restart(
                "2026-11-25 18:55", "2026-11-25 19:04", until="2026-11-25 19:02", run="2026-11-22 11:24", lost=True
            ),
            restart("2026-11-22 11:23", "2026-11-22 11:24", run="2026-11-16 08:06", kind="octoprint"),
            restart("2026-11-15 23:00", "2026-11-16 08:06", run="2026-11-12 09:00"),
            restart("2026-11-10 12:00", "2026-11-12 09:00", until="2026-11-12 08:59", run="2026-11-04 07:45"),
            restart("2026-11-04 03:12", "2026-11-04 07:45", lost=True),
            restart("2026-11-02 16:10", "2026-11-02 18:00", until="2026-11-02 17:58"),
        ],
        started="2026-11-25 19:04",
    )
    assert (min(found), max(found)) == ("10-27", "11-25")
    ran = pytest.approx
    assert found["11-25"][:2] == ("lost", ran(100 * (18.917 + 0.6) / 19.667, abs=0.1))
    assert found["11-25"][2] == "Today: 1 end without warning, 1 lost print, running for 19h 31m"
    assert found["11-24"] == ("running", 100, "Tue, Nov 24: running all day")
    assert found["11-22"][0] == "running", "a restart of a minute is no stop"
    assert found["11-22"][2] == "Sun, Nov 22: 1 restart, running for 23h 59m"
    assert found["11-16"][::2] == ("stopped", "Mon, Nov 16: 1 restart, running for 15h 54m")
    assert found["11-15"][::2] == ("stopped", "Sun, Nov 15: running for 23h 0m")
    assert found["11-12"][::2] == ("running", "Thu, Nov 12: 1 restart, running for 15h 0m")
    # An end belongs to the day it was last seen alive; the downtime after it shortens the days that it covers.
    assert found["11-11"] == ("stopped", 0, "Wed, Nov 11: not running all day")
    assert found["11-10"] == ("unexpected", ran(50), "Tue, Nov 10: 1 end without warning, running for 12h 0m")
    # A print is lost by a clean end, too.
    assert found["11-04"][::2] == ("lost", "Wed, Nov 4: 1 lost print, 1 restart, running for 19h 27m")
    assert found["11-02"][0] == "unexpected"


def test_what_was_not_recorded_is_neither_up_nor_down(days: Days) -> None:
    found = days(
        [restart("2026-11-14 00:20", "2026-11-14 10:05", run="2026-11-13 09:00")],
        started="2026-11-14 10:05",
        since="2026-11-05 12:00",
        # Switched off, and OctoPrint restarted before the log was switched on again; later for an hour in one run.
        not_recorded=[
            {"from": local("2026-11-20 10:00"), "to": local("2026-11-20 11:00")},
            {"from": local("2026-11-11 22:00"), "to": local("2026-11-13 09:00")},
        ],
    )
    assert found["11-04"] == ("unrecorded", 100, "Wed, Nov 4: not recorded")
    assert found["11-05"] == ("running", 100, "Thu, Nov 5: running for 12h 0m, the rest not recorded")
    assert found["11-10"] == ("running", 100, "Tue, Nov 10: running all day")
    assert found["11-11"] == ("running", 100, "Wed, Nov 11: running for 22h 0m, the rest not recorded")
    assert found["11-12"][0] == "unrecorded"
    assert found["11-13"] == ("running", 100, "Fri, Nov 13: running for 15h 0m, the rest not recorded")
    assert found["11-14"][0] == "stopped"
    assert found["11-20"] == ("running", 100, "Fri, Nov 20: running for 23h 0m, the rest not recorded")
    assert found["11-25"][2] == "Today: running since midnight"


def test_an_end_without_a_moment_is_not_drawn_and_nor_is_the_time_around_it(days: Days) -> None:
    nowhere: dict[str, Any] = {"run_started_at": None, "ended_after": None, "ended_before": None}
    found = days(
        [
            restart("2026-11-20 00:00", "2026-11-20 12:00", until="2026-11-20 11:59", **nowhere),
            restart("2026-11-18 12:00", "2026-11-18 12:00", started_at=None, ended_before=None),
        ],
        started="2026-11-20 12:00",
    )
    assert {date: state for date, (state, *_) in found.items() if "11-18" <= date <= "11-20"} == {
        "11-18": "running",
        "11-19": "unrecorded",
        "11-20": "running",
    }
    assert found["11-20"][2] == "Fri, Nov 20: 1 restart, running for 12h 0m, the rest not recorded"


def test_an_end_without_a_moment_is_counted(only_read: OctoPrint, open_page: OpenPage) -> None:
    def change(answer: dict[str, Any]) -> None:
        for listed in answer.get("restarts", [])[:1]:
            listed.update(run_started_at=None, ended_after=None, ended_before=None)

    page = open_page(only_read, prepare=changing(change))
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    expect(popover(page)).to_contain_text("2 ends without warning, 3 lost prints.")
    assert strip(page).locator(".octoprint_uptime_mark").count() == 2


def test_a_day_is_as_long_as_the_readers_calendar_has_it(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server, timezone_id=BERLIN)
    page.clock.set_fixed_time(datetime(2026, 11, 1, 12, tzinfo=timezone.utc))
    answer = {
        "restarts": [],
        "not_recorded": [],
        "recorded_since": local("2026-09-01 00:00"),
        "uptime_scope": "host",
        "octoprint_started_at": local("2026-10-25 12:00"),
        "started_at": local("2026-10-01 00:00"),
    }
    found = page.evaluate(
        """answer => {
            const strip = OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel;
            strip.fromResponse(answer);
            return strip.days().map(({start, seconds}) => [start.format("MM-DD HH:mm"), seconds / 3600]);
        }""",
        answer,
    )
    assert ["10-25 00:00", 12] in found
    assert ["10-26 00:00", 24] in found
    page.evaluate(
        "answer => OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel.fromResponse(answer)",
        {**answer, "octoprint_started_at": local("2026-10-01 00:00")},
    )
    hours = page.evaluate("OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel.days().map(d => d.seconds / 3600)")
    assert hours[:-1].count(25) == 1
    assert set(hours[:-1]) == {24, 25}


def test_an_end_is_of_one_day_where_that_day_has_no_midnight(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server, timezone_id="America/Santiago")  # whose summer began at 01:00 on the 6th
    page.clock.set_fixed_time(datetime(2026, 9, 10, 12, tzinfo=timezone.utc))
    answer = {
        "not_recorded": [],
        "recorded_since": "2026-08-01T00:00:00Z",
        "uptime_scope": "host",
        "octoprint_started_at": "2026-09-07T04:00:00Z",
        "started_at": "2026-09-01T00:00:00Z",
        "restarts": [
            {
                **restart("2026-09-01 00:00", "2026-09-01 00:00", until="2026-09-01 00:00", kind="octoprint"),
                "run_started_at": "2026-08-01T00:00:00Z",
                "ended_after": "2026-09-07T03:25:00Z",
                "ended_before": "2026-09-07T04:00:00Z",
                "started_at": "2026-09-07T04:00:00Z",
            }
        ],
    }
    ends = page.evaluate(
        """answer => {
            const strip = OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel;
            strip.fromResponse(answer);
            return strip.days().filter(({ends}) => ends).map(({start, ends}) => [start.format("MM-DD"), ends]);
        }""",
        answer,
    )
    assert ends == [["09-07", 1]]


def test_it_follows_the_log_while_it_is_open(only_read: OctoPrint, open_page: OpenPage) -> None:
    newer = False

    def change(answer: dict[str, Any]) -> None:
        if newer:
            answer["last_restart"]["id"] += 1

    asked: list[str] = []
    page = open_page(only_read, prepare=changing(change))
    page.on("request", lambda request: asked.append(request.url) if "?days=30" in request.url else None)
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    poll_now(page)
    page.wait_for_timeout(500)
    assert len(asked) == 1
    newer = True
    poll_now(page)
    page.wait_for_timeout(500)
    assert len(asked) == 2


def test_it_is_asked_for_on_opening_alone_and_for_thirty_days(only_read: OctoPrint, open_page: OpenPage) -> None:
    asked: list[str] = []

    def watch(page: Page) -> None:
        page.on(
            "request",
            lambda request: asked.append(request.url) if "?" in request.url and ENDPOINT in request.url else None,
        )

    page = open_page(only_read, prepare=watch)
    expect(entry(page)).to_contain_text("Host")
    page.wait_for_timeout(500)
    assert asked == []
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    assert [url.partition("?")[2] for url in asked] == ["days=30"]


def test_it_shows_what_is_in_the_log(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    open_popover(page)
    options = strip(page).get_by_role("option")
    expect(options).to_have_count(30)
    # Three ends: a print was lost without warning five hours and eleven days ago, and by a clean end two days ago.
    now = datetime.now(timezone.utc)
    days = sorted({(now - timedelta(hours=hours)).date() for hours in (5, 48, 11 * 24)})
    first = now.date() - timedelta(days=29)
    marked = options.evaluate_all("all => all.flatMap((each, n) => each.querySelector('.lost ~ .lost') ? [n] : [])")
    assert [first + timedelta(days=n) for n in marked] == days
    expect(popover(page)).to_contain_text("2 ends without warning, 3 lost prints.")
    legend = all_words_of(popover(page).locator(".octoprint_uptime_legend li"))
    assert legend[-1] == "Lost print"
    assert "Running" in legend
    assert violations(page, "#navbar_plugin_octoprint_uptime") == []


def test_arrow_keys_move_along_it_and_one_tab_leads_past_it(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    entry(page).focus()
    page.keyboard.press("Enter")
    options = strip(page).get_by_role("option")
    expect(options).to_have_count(30)
    page.keyboard.press("Tab")
    expect(options.last).to_be_focused()
    line = popover(page).locator(".octoprint_uptime_day")

    def told() -> int:
        """The number of the day that has the focus, is pointed at and is told."""
        (number,) = options.evaluate_all("all => all.flatMap((one, n) => one === document.activeElement ? [n] : [])")
        expect(options.nth(number)).to_have_attribute("aria-selected", "true")
        expect(strip(page).locator("[aria-selected=true]")).to_have_count(1)
        expect(line).to_have_text(options.nth(number).get_attribute("aria-label") or "", use_inner_text=True)
        return int(number)

    assert words_of(line).startswith("Today: ")
    keys = ["ArrowLeft", "ArrowLeft", "PageUp", "ArrowRight", "Home", "ArrowLeft", "PageDown", "End", "ArrowRight"]
    moves = []
    for key in keys:
        page.keyboard.press(key)
        moves.append(told())
    assert moves == [28, 27, 20, 21, 0, 0, 7, 29, 29]
    page.keyboard.press("ArrowLeft")
    # What the browser does with Alt is not taken from it.
    page.evaluate("() => document.addEventListener('keydown', event => { window.taken = event.defaultPrevented; })")
    page.keyboard.press("Alt+PageUp")
    assert page.evaluate("window.taken") is False
    assert told() == 28
    # A mouse that crosses it leaves the day that has the focus.
    options.nth(3).hover()
    expect(options.nth(3)).to_have_attribute("aria-selected", "true")
    page.mouse.move(600, 700)
    assert told() == 28
    page.keyboard.press("Tab")
    expect(popover(page).get_by_role("button", name="Restart log")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert told() == 28
    page.keyboard.press("Escape")
    expect(entry(page)).to_be_focused()


def test_a_mouse_and_a_finger_have_each_day_told(only_read: OctoPrint, open_page: OpenPage) -> None:
    for touch in (False, True):
        page = open_page(only_read, has_touch=touch)
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
            assert words_of(line) == before
        expect(popover(page)).to_be_visible()


def test_in_german_a_day_is_told_in_german(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read, locale="de-DE")
    open_popover(page)
    options = strip(page).get_by_role("option")
    expect(options).to_have_count(30)
    said = " ".join(option.get_attribute("aria-label") or "" for option in options.all())
    for word in ("1 verlorener Druck", "lief den ganzen Tag", "1 Ausfall"):
        assert word in said
    assert not re.search("running|recorded|warning|today", said + popover(page).inner_text())


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_before_there_is_anything_to_show_it_says_since_when_and_what(
    server: OctoPrint, open_page: OpenPage, locale: str
) -> None:
    page = open_page(server, locale=locale)
    open_popover(page)
    promise = {
        "en-US": r"Recording since today \d+:\d\d [AP]M\. From now on you see here, day by day, whether OctoPrint was "
        r"running, and what stopped it\.",
        "de-DE": r"Aufgezeichnet wird seit heute \d\d:\d\d\. Von nun an siehst du hier Tag für Tag, ob OctoPrint lief "
        r"und was es beendet hat\.",
    }[locale]
    expect(popover(page)).to_contain_text(re.compile("From now on|Von nun an"))
    assert re.search(promise, words_of(popover(page)))
    expect(strip(page)).to_have_count(0)


def test_from_the_second_day_on_it_is_there_without_a_restart(server: OctoPrint, open_page: OpenPage) -> None:
    def change(answer: dict[str, Any]) -> None:
        since = (datetime.now(timezone.utc) - timedelta(days=3)).strftime("%Y-%m-%dT12:00:00Z")
        answer.update(recorded_since=since, octoprint_started_at=since)

    page = open_page(server, prepare=changing(change))
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    expect(popover(page)).to_contain_text("No end without warning.")
    expect(popover(page)).to_contain_text(re.compile(r"No restart since \w+ \d+, 12:00\s[AP]M\."))


def test_that_it_does_not_come_is_said(only_read: OctoPrint, open_page: OpenPage, console_errors: list[str]) -> None:
    page = open_page(only_read)
    page.route(re.compile(rf"{ENDPOINT}\?"), lambda route: route.fulfill(status=500))
    open_popover(page)
    expect(popover(page)).to_contain_text("The last 30 days could not be loaded.")
    page.unroute(re.compile(rf"{ENDPOINT}\?"))
    entry(page).click()
    open_popover(page)
    expect(strip(page).get_by_role("option")).to_have_count(30)
    expect(popover(page).get_by_text("could not be loaded")).to_be_hidden()
    console_errors.clear()


def test_whoever_switches_off_each_night_gets_short_bars_and_not_bad_ones(
    make_server: MakeServer, open_page: OpenPage
) -> None:
    evenings = [Run(f"boot {day}", 24 * day + 5, 24 * day + 1, "clean") for day in range(20, 0, -1)]
    page = open_page(make_server(UP_FOR_AN_HOUR, seed=seed(evenings)))
    open_popover(page)
    bars = strip(page).get_by_role("option")
    expect(bars).to_have_count(30)
    assert strip(page).locator(".octoprint_uptime_mark").count() == 0
    expect(popover(page)).to_contain_text("No end without warning.")
    heights = bars.evaluate_all("all => all.slice(12, 29).map(each => each.firstElementChild.offsetHeight)")
    assert max(heights) < 10
    # Nor is it time lost.
    entry(page).click()
    open_log(page)
    assert figures(page) == {
        "Restarts": "20",
        "Ends without warning": "0",
        "Lost prints": "0",
        "Longest uptime": "4h 0m",
        "Time lost": "0s",
    }
