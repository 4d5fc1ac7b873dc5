"""What the page says about restarts, in a real browser."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from namespaces import with_boot_clock
from restart_log import rows_of_any_print, until
from runs import Run, write_runs
from support import ENDPOINT, GROUPS, ID, USERS, MakeServer, OctoPrint, OpenPage, boot_clock, entry
from test_failures import poll_now
from test_looks import violations
from test_popover import popover
from test_settings_dialog import dialog

NAMELESS = {
    "name": "Nameless",
    "description": "",
    "subgroups": [],
    "default": False,
    "permissions": ["STATUS", "SETTINGS_READ"],
}
UP_FOR_AN_HOUR = with_boot_clock(3600 - int(boot_clock()))  # less than any end below is ago
RUNS = [
    Run("a", 40 * 24, 36 * 24, "clean"),
    Run("a", 36 * 24, 11 * 24, None, "<i>old.gcode"),
    Run("b", 10 * 24, 72, "clean"),
    Run("b", 71, 48, "clean", "paused.gcode"),
    Run("c", 47, 20, "clean"),
    Run("c", 19, 5, None, "benchy.gcode"),
]


def seed(runs: Iterable[Run]) -> Callable[[Path], None]:
    return lambda basedir: write_runs(basedir, runs)


@pytest.fixture
def seeded(make_server: MakeServer) -> OctoPrint:
    """A server with some runs behind it."""
    return make_server(UP_FOR_AN_HOUR, seed=seed(RUNS))


@pytest.fixture(scope="session")
def only_read(octoprint_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrint]:
    """The same for tests that dismiss and clear nothing."""
    server = OctoPrint(octoprint_executable, tmp_path_factory.mktemp("restart_log"))
    server.prepare(USERS, {**GROUPS, "bare": NAMELESS})
    write_runs(server.basedir, RUNS)
    server.start(UP_FOR_AN_HOUR)
    yield server
    server.stop()
    server.check_log()


def notice(page: Page) -> Locator:
    return page.locator(".ui-pnotify:visible").filter(has_text=re.compile("unexpectedly|unerwartet"))


def log(page: Page) -> Locator:
    return page.locator(f"#{ID}")


def open_log(page: Page) -> None:
    entry(page).click()
    popover(page).get_by_text(re.compile("^(Restart log|Neustart-Protokoll)$")).click()
    expect(log(page).locator("tbody tr").first).to_be_visible()
    page.wait_for_timeout(500)  # the dialog's animation


SENTENCES = {
    "en-US": r"OctoPrint stopped unexpectedly between .* and .* while printing benchy\.gcode \(at least 43 %\)\. "
    r"The host was restarted\.",
    "de-DE": r"OctoPrint wurde zwischen .* und .* unerwartet beendet, "
    r"beim Druck von benchy\.gcode \(mindestens 43 %\)\. Der Rechner wurde neu gestartet\.",
}
KINDS = {
    "en-US": ["Host went down without warning", "OctoPrint restarted", "Host restarted", "OctoPrint restarted"],
    "de-DE": [
        "Rechner ohne Vorwarnung ausgefallen",
        "OctoPrint neu gestartet",
        "Rechner neu gestartet",
        "OctoPrint neu gestartet",
    ],
}


def test_the_notice_is_dismissed_once_for_all_and_the_log_tells_the_rest(
    seeded: OctoPrint, open_page: OpenPage
) -> None:
    pages = {locale: open_page(seeded, locale=locale) for locale in SENTENCES}
    for (locale, page), width in itertools.product(pages.items(), (1400, 960)):
        page.set_viewport_size({"width": width, "height": 900})
        expect(notice(page)).to_contain_text(re.compile(SENTENCES[locale]))
        assert violations(page, ".ui-pnotify") == []
        entry(page).click()
        assert popover(page).evaluate(
            """popover => {
                const {left, right, top, bottom} = popover.getBoundingClientRect();
                const corners = [left + 9, right - 9].flatMap((x) => [top + 9, bottom - 9].map((y) => [x, y]));
                return corners.every(([x, y]) => popover.contains(document.elementFromPoint(x, y)));
            }"""
        )
        entry(page).click()

    notice(pages["en-US"]).get_by_role("button").last.click()
    expect(notice(pages["en-US"])).to_have_count(0)
    until(lambda: seeded.answer()["last_restart"]["dismissed"])
    poll_now(pages["de-DE"])
    expect(notice(pages["de-DE"])).to_have_count(0)
    for user, locale in (("admin", "en-US"), ("viewer", "de-DE")):
        other = open_page(seeded, user, locale=locale)
        entry(other).click()
        expect(popover(other)).to_contain_text(re.compile(SENTENCES[locale]))
        expect(notice(other)).to_have_count(0)
        other.close()

    for (locale, page), width in itertools.product(pages.items(), (1400, 960)):
        page.set_viewport_size({"width": width, "height": 900})
        open_log(page)
        table = log(page).locator("tbody tr")
        expect(table).to_have_count(6)
        kinds = [text.strip() for text in log(page).locator("tbody td:nth-child(2)").all_inner_texts()]
        assert kinds[:4] == KINDS[locale]
        lost = [text.strip() for text in log(page).locator("tbody td:nth-child(5)").all_inner_texts()]
        known = {"en-US": "at least 43 %", "de-DE": "mindestens 43 %"}[locale]
        assert lost == [f"benchy.gcode ({known})", "", f"paused.gcode ({known})", "", f"<i>old.gcode ({known})", ""]
        downtimes = [text.strip() for text in log(page).locator("tbody td:nth-child(3)").all_inner_texts()]
        assert downtimes[1] == downtimes[2] == downtimes[3] == "1h 0m 0s"
        expect(log(page).locator(".modal-body")).to_contain_text("25d 0h 0m 0s")
        # In 30 days there were six runs of OctoPrint in four boots, the current ones included, and three lost prints.
        assert log(page).locator("svg .octoprint_uptime_octoprint").count() == 6
        assert log(page).locator("svg .octoprint_uptime_host").count() == 4
        assert log(page).locator("svg circle").count() == 3
        assert violations(page, f"#{ID}") == []
        right = log(page).evaluate("log => log.getBoundingClientRect().right")
        assert right <= width
        log(page).locator(".modal-footer [data-dismiss]").click()
        expect(log(page)).to_be_hidden()


def test_the_timeline_is_to_scale(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    open_log(page)
    bars = (
        log(page)
        .locator("svg .octoprint_uptime_octoprint")
        .evaluate_all("bars => bars.map(bar => [+bar.getAttribute('x'), +bar.getAttribute('width')])")
    )
    hour = 720 / 30 / 24
    for (x, width), run in zip(bars[1:], reversed(RUNS), strict=False):
        assert x == pytest.approx(720 - min(run.start, 720) * hour, abs=0.5)
        assert x + width + 1 == pytest.approx(720 - run.end * hour, abs=0.5)


def test_a_boot_is_not_drawn_across_a_run_that_is_not_in_the_log(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(
        UP_FOR_AN_HOUR, seed=seed([Run("a", 10 * 24, 8 * 24, "clean"), Run("b", 7 * 24, 6 * 24, "off")])
    )
    page = open_page(server)
    open_log(page)
    bars = log(page).locator("svg .octoprint_uptime_host")
    xs = bars.evaluate_all("bars => bars.map(bar => +bar.getAttribute('x'))")
    days = (server.answer()["seconds"] / 86400, 7, 10)
    assert xs == [pytest.approx(720 - min(day, 30) * 24, abs=0.5) for day in days]


def test_a_lost_print_is_told_even_after_a_clean_restart_and_once_more_without_a_print(
    make_server: MakeServer, open_page: OpenPage
) -> None:
    later = [Run("c", 4.9, 4, None), Run("c", 3.9, 3, "clean")]
    server = make_server(UP_FOR_AN_HOUR, seed=seed([*RUNS, *later]))
    until(lambda: server.answer()["last_restart"])
    answer = server.answer()
    assert answer["last_restart"]["clean"]
    assert answer["unseen_restart"]["lost_print"]["file"] == "benchy.gcode"
    page = open_page(server)
    expect(notice(page)).to_contain_text("benchy.gcode (at least 43 %)")
    notice(page).get_by_role("button", name="Dismiss").click()
    page.wait_for_timeout(500)
    assert server.answer()["unseen_restart"] is None
    page.reload()
    expect(entry(page)).to_contain_text("System")
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)


def test_the_notice_comes_and_the_log_opens_where_the_navbar_shows_nothing(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    only_read.save({"show_system_uptime": False, "show_octoprint_uptime": False}).raise_for_status()
    page = open_page(only_read)
    expect(entry(page)).to_be_hidden()
    expect(notice(page)).to_contain_text("benchy.gcode")
    dialog(page).get_by_role("button", name="Restart log").click()
    expect(log(page).locator("tbody tr")).to_have_count(6)
    # The server may be back from another restart.
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)
    only_read.save({"show_system_uptime": True, "show_octoprint_uptime": True}).raise_for_status()


def test_after_a_logout_nothing_of_it_is_left(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    expect(notice(page)).to_be_visible()
    open_log(page)
    assert "benchy" in page.content()
    # Nor of what is still under way.
    held: list[Route] = []
    page.route(re.compile(ENDPOINT), lambda route: held.append(route) if len(held) < 2 else route.continue_())
    poll_now(page)
    page.evaluate("OctoPrint.coreui.viewmodels.octoprintUptimeRestartsViewModel.showLog()")
    page.wait_for_timeout(300)
    assert len(held) == 2
    page.evaluate("OctoPrint.coreui.viewmodels.loginStateViewModel.loggedIn(false)")
    for route in held:
        with page.expect_response(lambda response: ENDPOINT in response.url):
            route.continue_()
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)
    expect(log(page)).to_be_hidden()
    assert "benchy" not in page.content()
    page.evaluate("OctoPrint.coreui.viewmodels.loginStateViewModel.loggedIn(true)")
    expect(notice(page)).to_be_visible()


def test_opening_the_log_from_the_notice_dismisses_it(seeded: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(seeded)
    notice(page).get_by_role("button", name="Restart log").click()
    expect(log(page).locator("tbody tr")).to_have_count(6)
    expect(notice(page)).to_have_count(0)
    page.wait_for_timeout(300)
    assert seeded.answer()["unseen_restart"] is None


def test_who_may_not_dismiss_the_notice_hides_it_until_the_next_visit(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    page = open_page(only_read, "viewer")
    expect(notice(page).get_by_role("button", name="Dismiss")).to_have_count(0)
    notice(page).get_by_role("button", name="Hide until the next visit").click()
    expect(notice(page)).to_have_count(0)
    poll_now(page)
    page.wait_for_timeout(300)
    expect(notice(page)).to_have_count(0)
    assert only_read.answer()["unseen_restart"] is not None, "for everybody else it is there"
    page.reload()
    expect(notice(page)).to_be_visible()


@pytest.mark.parametrize("status", [403, 503])
def test_what_fails_is_said_to_whoever_dismisses_or_clears(
    only_read: OctoPrint, open_page: OpenPage, console_errors: list[str], status: int
) -> None:
    page = open_page(only_read)
    refused = json.dumps({"error": "no", "uptime_available": False})

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status, content_type="application/json", body=refused)
        else:
            route.continue_()

    page.route(f"**{ENDPOINT}*", refuse)
    notice(page).get_by_role("button", name="Dismiss").click()
    said = page.locator(".ui-pnotify:visible")
    expect(said.filter(has_text="could not be dismissed for good")).to_be_visible()
    poll_now(page)
    expect(notice(page)).to_be_visible()
    open_log(page)
    log(page).get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Proceed").click()
    expect(said.filter(has_text="could not be cleared for good")).to_be_visible()
    expect(log(page).locator("tbody tr")).to_have_count(6)
    console_errors.clear()


def test_a_container_and_a_print_of_the_printers_own_and_what_was_not_recorded(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    def change(route: Route) -> None:
        answer = route.fetch().json()
        for restart in [answer["unseen_restart"], *answer.get("restarts", [])]:
            restart["kind"] = "container"
            restart["unattended_print"] = restart["lost_print"]
            restart["lost_print"] = None
        if "restarts" in answer:
            oldest = answer["restarts"][-1]
            answer["not_recorded"] = [{"from": oldest["ended_after"], "to": oldest["started_at"]}]
            answer["recorded_since"] = answer["restarts"][2]["started_at"]
        route.fulfill(json=answer)

    def prepare(page: Page) -> None:
        page.route(re.compile(ENDPOINT), change)

    page = open_page(only_read, prepare=prepare)
    sentence = "The printer was printing benchy.gcode (at least 43 %) from its own storage and may have gone on."
    expect(notice(page)).to_contain_text(f"{sentence} The container was restarted.")
    open_log(page)
    what = log(page).locator("tbody td:nth-child(2)")
    expect(what.nth(0)).to_have_text(f"Container ended without warning. {sentence}")
    expect(what.nth(1)).to_have_text("Container restarted")
    expect(log(page).locator("tbody td:nth-child(5)").nth(0)).to_have_text("")
    expect(log(page).locator(".octoprint_uptime_lost")).to_have_count(0)
    expect(log(page).locator(".octoprint_uptime_unrecorded")).to_have_count(1)
    expect(log(page)).to_contain_text("A dashed frame is time that was not recorded.")


def test_without_a_restart_there_is_no_notice_and_the_log_says_so(server: OctoPrint, open_page: OpenPage) -> None:
    assert server.answer()["last_restart"] is None
    page = open_page(server)
    entry(page).click()
    expect(popover(page)).to_contain_text("No restart has been recorded yet.")
    popover(page).get_by_text("Restart log").click()
    expect(log(page)).to_contain_text("No restart has been recorded yet.")
    expect(log(page).locator("table")).to_be_hidden()
    expect(notice(page)).to_have_count(0)


def test_a_log_that_does_not_come_is_said_not_to(
    server: OctoPrint, open_page: OpenPage, console_errors: list[str]
) -> None:
    page = open_page(server)
    page.route(f"**{ENDPOINT}?restarts=*", lambda route: route.fulfill(status=500))
    entry(page).click()
    popover(page).get_by_text("Restart log").click()
    expect(page.locator(".ui-pnotify:visible")).to_contain_text("The restart log could not be loaded.")
    expect(log(page)).to_be_hidden()
    page.unroute(f"**{ENDPOINT}?restarts=*")
    entry(page).click()
    popover(page).get_by_text("Restart log").click()
    expect(log(page)).to_contain_text("No restart has been recorded yet.")
    console_errors.clear()


def test_no_data_of_it_are_loaded_before_it_is_opened(only_read: OctoPrint, open_page: OpenPage) -> None:
    asked: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))

    page = open_page(only_read, prepare=watch)
    expect(entry(page)).to_contain_text("System")
    page.wait_for_timeout(500)
    assert not [url for url in asked if "restarts=" in url]
    open_log(page)
    assert [url for url in asked if f"{ENDPOINT}?restarts=" in url]


def test_the_newest_come_first_and_older_ones_on_demand(make_server: MakeServer, open_page: OpenPage) -> None:
    runs = [Run("a", 2000 - n, 1999.5 - n, "clean") for n in range(120)]
    page = open_page(make_server(UP_FOR_AN_HOUR, seed=seed(runs)))
    open_log(page)
    expect(log(page).locator("tbody tr")).to_have_count(50)
    log(page).get_by_role("button", name="Show older restarts").click()
    expect(log(page).locator("tbody tr")).to_have_count(120)
    expect(log(page).get_by_role("button", name="Show older restarts")).to_be_hidden()


def test_whoever_may_change_settings_clears_it_after_a_question(seeded: OctoPrint, open_page: OpenPage) -> None:
    viewer = open_page(seeded, "viewer")
    open_log(viewer)
    expect(log(viewer).get_by_role("button", name="Clear the restart log")).to_be_hidden()
    other = open_page(seeded)
    expect(notice(other)).to_be_visible()
    page = open_page(seeded)
    open_log(page)
    log(page).get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Cancel").click()
    assert len(seeded.session("admin").get(f"{seeded.url}{ENDPOINT}?restarts=9").json()["restarts"]) == 6
    page.wait_for_timeout(500)
    log(page).get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Proceed").click()
    expect(log(page)).to_contain_text("No restart has been recorded yet.")
    expect(log(page).locator("tbody tr")).to_have_count(0)
    assert seeded.answer()["last_restart"] is None
    expect(notice(page)).to_have_count(0)
    # Another page hears of it with its next poll.
    poll_now(other)
    expect(notice(other)).to_have_count(0)


def test_without_the_right_to_see_files_there_is_no_name(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read, "stranger")
    expect(notice(page)).to_contain_text("while printing a file (at least 43 %)")
    open_log(page)
    assert "benchy" not in page.content()


def test_switched_off_nothing_of_it_is_there(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(UP_FOR_AN_HOUR, seed=seed(RUNS), plugins={ID: {"restart_log": False}})
    page = open_page(server)
    entry(page).click()
    expect(popover(page)).to_be_visible()
    expect(popover(page).get_by_text("Restart log")).to_be_hidden()
    expect(notice(page)).to_have_count(0)
    # But what is stored can be cleared.
    entry(page).click()
    pane = dialog(page)
    expect(pane.get_by_role("button", name="Restart log", exact=True)).to_be_hidden()
    pane.get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Proceed").click()
    until(lambda: rows_of_any_print(server) == [])
