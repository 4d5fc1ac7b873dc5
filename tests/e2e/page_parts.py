"""Locate and open the parts of the page that tests look at, and provide runs for them to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from runs import Run, write_runs
from support import ENDPOINT, ID, OctoPrint, entry

# Each of these ended before the host of `UP_FOR_AN_HOUR` booted.
RUNS = [
    Run("a", 40 * 24, 36 * 24, "clean"),
    Run("a", 36 * 24, 11 * 24, None, "<i>old.gcode"),
    Run("b", 10 * 24, 72, "clean"),
    Run("b", 71, 48, "clean", "paused.gcode"),
    Run("c", 47, 20, "clean"),
    Run("c", 19, 5, None, "parts/benchy.gcode"),
]
# One of these runs was stopped in order, for lack of memory.
WITH_CAUSES = [
    *(*RUNS[:-2], RUNS[-2]._replace(cause="out_of_memory")),
    RUNS[-1]._replace(cause="crashed", crashed_in="gpx"),
]
IN_A_MONTH = 5  # restarts


def seed(runs: Iterable[Run]) -> Callable[[Path], None]:
    return lambda basedir: write_runs(basedir, runs)


def changing(change: Callable[[dict[str, Any]], None]) -> Callable[[Page], None]:
    """Return a function that makes a page get changed responses from the API."""

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            route.continue_()
            return
        answer = route.fetch().json()
        change(answer)
        route.fulfill(json=answer)

    def prepare(page: Page) -> None:
        page.route(re.compile(ENDPOINT), handle)

    return prepare


def refuse_posts(page: Page, status: int) -> None:
    """Make the API refuse each POST of a page."""

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status, json={"error": "no", "uptime_available": False})
        else:
            route.continue_()

    page.route(f"**{ENDPOINT}*", handle)


def popover(page: Page) -> Locator:
    return page.locator(f"#navbar_plugin_{ID}_popover")


def open_popover(page: Page) -> Locator:
    entry(page).click()
    expect(popover(page)).to_be_visible()
    return popover(page)


def strip(page: Page) -> Locator:
    return popover(page).get_by_role("listbox")


def open_strip_by_keyboard(page: Page) -> Locator:
    """Open the popover, and return the days of its strip once they are there."""
    entry(page).focus()
    page.keyboard.press("Enter")
    options = strip(page).get_by_role("option")
    expect(options).to_have_count(30)
    return options


def badge(page: Page) -> Locator:
    return entry(page).locator(".octoprint_uptime_badge")


def notice(page: Page) -> Locator:
    return page.locator(".octoprint_uptime_notice:visible")


def log(page: Page) -> Locator:
    return page.locator(f"#{ID}")


def rows(page: Page) -> Locator:
    return log(page).locator("summary")


def open_log(page: Page) -> None:
    # By keyboard, because the button moves down once the strip is loaded, and a click could miss it.
    open_popover(page).get_by_role("button", name=re.compile("^(Restart log|Neustart-Protokoll)$")).press("Enter")
    wait_for_log(page)


def log_figures(page: Page) -> Locator:
    """Return a part of the log that another range replaces."""
    return log(page).locator(".octoprint_uptime_figures")


def wait_for_log(page: Page) -> None:
    expect(log(page).locator(".octoprint_uptime_figures, .modal-body li").first).to_be_visible()
    # Bootstrap takes the focus once the dialog is open.
    page.wait_for_function("id => document.getElementById(id).contains(document.activeElement)", arg=ID)


@contextmanager
def drawn_anew(part: Locator) -> Iterator[None]:
    """Wait until what is done meanwhile has drawn a part of the page anew."""
    shown = part.element_handle()
    yield
    shown.wait_for_element_state("hidden")


def close_log(page: Page) -> None:
    log(page).locator(".modal-footer [data-dismiss]").click()
    expect(log(page)).to_be_hidden()


def words_of(place: Locator) -> str:
    """Return the visible text with plain spaces."""
    return re.sub(r"\s+", " ", place.inner_text()).strip()


def all_words_of(places: Locator) -> list[str]:
    return [re.sub(r"\s+", " ", text).strip() for text in places.all_inner_texts()]


def figures(page: Page) -> dict[str, str]:
    """Return the log's figures by name."""
    found = log_figures(page).locator("> div")
    return {words_of(each.locator("dt")): words_of(each.locator("dd").first) for each in found.all()}


def poll_now(page: Page) -> None:
    """Make the page poll immediately."""
    page.evaluate("OctoPrint.coreui.viewmodels.octoprintUptimeViewModel.askNow()")


def answers(server: OctoPrint, **values: object) -> Callable[[Page], None]:
    """Return a function that makes a page get other values from the API."""
    answer = {**server.answer(), **values}

    def prepare(page: Page) -> None:
        page.route(f"**{ENDPOINT}", lambda route: route.fulfill(json=answer))

    return prepare


def dialog(page: Page) -> Locator:
    """Open the plugin's settings, and wait until they have faded in."""
    page.locator("#navbar_show_settings").click()
    page.locator(f"#settings_plugin_{ID}_link a").click()
    for part in ("#settings_dialog", f"#settings_plugin_{ID}"):
        expect(page.locator(part)).to_have_css("opacity", "1")
    return page.locator(f"#settings_plugin_{ID}")


def control(page: Page, key: str) -> Locator:
    return page.locator(f"#octoprint_uptime_{key}")


def save(page: Page) -> dict[str, Any]:
    """Save the dialog, and return what it sent."""
    with page.expect_response(lambda r: r.url.endswith("/api/settings") and r.request.method == "POST") as response:
        page.get_by_test_id("settings-save").click()
    sent: dict[str, Any] = response.value.request.post_data_json or {}
    return sent
