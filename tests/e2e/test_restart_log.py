"""The restart log in the page: its ranges, figures, timeline and list."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from accessibility import violations
from page_parts import (
    IN_A_MONTH,
    RUNS,
    all_words_of,
    changing,
    close_log,
    control,
    dialog,
    drawn_anew,
    figures,
    log,
    log_figures,
    notice,
    open_log,
    open_popover,
    poll_now,
    popover,
    refuse_posts,
    rows,
    save,
    seed,
    words_of,
)
from recorded_runs import rows_of_any_print, until
from runs import Run
from support import ENDPOINT, ID, UP_FOR_AN_HOUR, MakeServer, OctoPrint, OpenPage, SharePage, entry


def bars(page: Page, lane: int, state: str) -> Locator:
    """Return the bars in the lane of the host (0) or of OctoPrint (1)."""
    return log(page).locator(".octoprint_uptime_timeline .octoprint_uptime_plate").nth(lane).locator(f"i.{state}")


def places(found: Locator) -> list[Any]:
    """Return where bars begin and end, in percent of the timeline."""
    return [
        (left, right)
        for left, right in found.evaluate_all(
            """all => all.map(bar => {
                const [box, lane] = [bar, bar.parentElement].map(each => each.getBoundingClientRect());
                return [box.left, box.right].map(x => (x - lane.left) / lane.width * 100);
            })"""
        )
    ]


def choose(page: Page, name: str) -> None:
    with drawn_anew(log_figures(page)), page.expect_response(re.compile(rf"{ENDPOINT}\?days=")):
        log(page).get_by_role("button", name=name, exact=True).click()
    expect(log_figures(page)).to_be_visible()
    expect(log(page).get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")


def test_figures_and_rows_belong_to_the_range(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    expect(log(page).get_by_role("group", name="Range").locator("[aria-pressed=true]")).to_have_text("30 days")
    expect(rows(page)).to_have_count(IN_A_MONTH)
    assert figures(page) == {
        "Restarts": "5",
        "Unexpected shutdowns": "2",
        "Lost prints": "3",
        "Availability": figures(page)["Availability"],
        "Longest uptime": figures(page)["Longest uptime"],
        "Unexpected downtime": figures(page)["Unexpected downtime"],
    }
    assert re.fullmatch(r"9\d(\.\d)?% to 9\d(\.\d)?%", figures(page)["Availability"])
    assert re.fullmatch(r"at least 25d 0h [01]m", figures(page)["Longest uptime"])
    # Of the host: from the boots on, at the least; both ends and their boots are 30 seconds before a start.
    assert re.fullmatch(r"(59m|1h \d+m) to 1d (4h 59m|5h \d+m)", figures(page)["Unexpected downtime"])
    what = all_words_of(rows(page).locator("> span:nth-of-type(3)"))
    known = "at least 43% printed (Z 12.4 mm)"
    assert what == [
        f"A print was lost: benchy.gcode, {known}",
        "OctoPrint was restarted",
        f"A print was lost: paused.gcode, {known}",
        "OctoPrint was restarted",
        f"A print was lost: <i>old.gcode, {known}",
    ]
    downtimes = all_words_of(rows(page).locator("> span:last-child"))
    assert downtimes[1:4] == ["down for 1h 0m"] * 3
    assert re.fullmatch(r"down for (59m|1h \d+m) to (4h 59m|5h \d+m)", downtimes[0])
    lost = bars(page, 1, "lost").first
    lost.hover()
    expect(lost).to_have_attribute("title", re.compile("^A print was lost: (at|between) "))
    choose(page, "Day")
    expect(rows(page)).to_have_count(2)
    assert figures(page)["Restarts"] == "2"
    choose(page, "Week")
    expect(rows(page)).to_have_count(4)
    choose(page, "Year")
    expect(rows(page)).to_have_count(len(RUNS))
    expect(log(page)).to_contain_text("Recorded since")


@pytest.mark.parametrize(("hours", "first"), [(3, "Day"), (30, "Week"), (8 * 24, "30 days"), (50 * 24, "30 days")])
def test_the_first_range_holds_everything_recorded(page_with_log: Page, hours: float, first: str) -> None:
    page = page_with_log

    def change(answer: dict[str, Any]) -> None:
        answer["recorded_since"] = (datetime.now(timezone.utc) - timedelta(hours=hours)).isoformat()

    changing(change)(page)
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)
    open_log(page)
    expect(log(page).get_by_role("group", name="Range").locator("[aria-pressed=true]")).to_have_text(first)


def test_the_timeline_is_to_scale(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)

    def at(hours: float) -> float:
        return max(0, 100 - hours / 24 / 30 * 100)

    near = 0.2  # of a percent: a pixel and a half
    octoprint = places(bars(page, 1, "running"))
    runs = [run for run in RUNS if run.end < 30 * 24]
    assert len(octoprint) == len(runs) + 1
    for (left, right), run in zip(octoprint, runs, strict=False):
        assert left == pytest.approx(at(run.start), abs=near)
        assert right == pytest.approx(at(run.end), abs=near)
    # Three boots of 30 days and the current one; the second began 30 seconds before its first run.
    assert len(places(bars(page, 0, "running"))) == 4
    lost = max(places(bars(page, 1, "lost")))
    assert (lost[0] + lost[1]) / 2 == pytest.approx(at(5), abs=near)
    assert [bars(page, lane, state).count() for lane in (0, 1) for state in ("unexpected", "lost")] == [2, 0, 0, 3]
    # The host may have been running for some of the four hours before its boot.
    doubtful = max(places(bars(page, 1, "maybe")))
    assert doubtful[1] - doubtful[0] == pytest.approx(4 / 24 / 30 * 100, abs=near)
    assert bars(page, 1, "unrecorded").count() == 0
    label = log(page).get_by_role("img").get_attribute("aria-label")
    assert label == "Host and OctoPrint in the last 30 days, as a timeline. The restarts are listed below."
    ticks = all_words_of(log(page).locator(".octoprint_uptime_axis span"))
    assert len(ticks) == 7
    assert ticks[-1] == "Now"
    choose(page, "Day")
    assert re.fullmatch(r"\d+:\d\d [AP]M", words_of(log(page).locator(".octoprint_uptime_axis span").first))
    choose(page, "Year")
    # It begins where the record begins, 40 days ago.
    first, *_ = places(bars(page, 1, "running"))
    assert first == (pytest.approx(0, abs=near), pytest.approx(100 - 11 / 40 * 100, abs=near))
    assert bars(page, 1, "unrecorded").count() == 0


def test_not_recorded_looks_different_from_not_running(make_server: MakeServer, open_page: OpenPage) -> None:
    runs = [Run("a", 10 * 24, 8 * 24, "clean"), Run("b", 7 * 24, 6 * 24, "off"), Run("c", 4 * 24, 2 * 24, "clean")]
    page = open_page(make_server(UP_FOR_AN_HOUR, seed=seed(runs)))
    open_log(page)

    def day(number: float) -> float:
        return 100 - number / 10 * 100  # the axis begins where the record begins

    near = 0.2
    shown = [
        (pytest.approx(day(start), abs=near), pytest.approx(day(end), abs=near))
        for start, end in ((10, 8), (7, 6), (4, 2))
    ]
    assert places(bars(page, 1, "running"))[:-1] == shown
    assert places(bars(page, 0, "running"))[:-1] == shown
    for lane in (0, 1):
        unrecorded = (pytest.approx(day(6), abs=near), pytest.approx(day(4), abs=near))
        assert places(bars(page, lane, "unrecorded")) == [unrecorded]
    expect(log(page)).to_contain_text("because nothing was recorded earlier in this period.")
    legend = all_words_of(log(page).locator(".octoprint_uptime_legend li"))
    assert legend == ["Running", "Not running", "Not recorded"]
    # The run in which the log was switched off may have continued.
    assert figures(page)["Longest uptime"] == "at least 2d 0h 0m"
    # The end of the run in which the log was switched off is unknown.
    choose(page, "Year")
    assert figures(page)["Restarts"] == "2"
    close_log(page)
    expect(entry(page)).to_be_focused()


def test_a_row_opens_to_its_details(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    assert log(page).locator("details dt").count() == 0
    rows(page).first.focus()
    page.keyboard.press("Enter")
    facts = log(page).locator("details").first.locator("dl")
    expect(facts).to_be_visible()
    found = dict(zip(all_words_of(facts.locator("dt")), all_words_of(facts.locator("dd")), strict=True))
    assert found.pop("Was printing").startswith("benchy.gcode, started at ")
    assert re.fullmatch(r"at least 43%, 43 KB of the file, Z 12\.4 mm, last recorded .*", found.pop("Print progress"))
    assert re.search("between .* and", found.pop("Went down"), re.IGNORECASE)
    assert re.fullmatch(r"At \d+:\d\d [AP]M (today|yesterday)", found.pop("Came back"))
    assert re.fullmatch(r"(59m|1h \d+m) to (4h 59m|5h \d+m)", found.pop("Downtime"))
    assert found == {
        "OctoPrint had been up for": "at least 14h 0m",
        "What restarted": "The host",
        "Cause": "The cause is unknown: the power may have failed, or the host may have hung.",
        "What to do": "How to find out next time",
        "Version before the restart": "OctoPrint 1.11.8",
    }
    expect(log(page).locator("details").first.get_by_role("button", name="Show file")).to_be_visible()
    assert violations(page, f"#{ID}") == []
    rows(page).nth(1).click()
    clean = log(page).locator("details").nth(1)
    expect(clean).to_contain_text("Clean shutdown")
    expect(clean).to_contain_text("OctoPrint only")
    expect(clean.get_by_role("button", name="Show file")).to_have_count(0)
    rows(page).first.click()
    assert log(page).locator("details").first.get_attribute("open") is None


def download_csv(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        log(page).get_by_role("button", name="Download CSV").click()
    assert re.fullmatch(r"octoprint-uptime-restarts-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def copy_text(page: Page) -> list[str]:
    log(page).get_by_role("button", name="Copy as text").click()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text.replace("\u00a0", " ").splitlines()


def test_it_can_be_downloaded_as_csv_and_copied_as_text(only_read: OctoPrint, page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    status = log(page).get_by_role("status")
    expect(status).to_have_text("")
    lines = copy_text(page)
    expect(status).to_have_text("Copied.")
    expect(log(page).get_by_role("button", name="Copy as text")).to_be_focused()
    assert len(lines) == IN_A_MONTH
    assert re.fullmatch(
        r"- .*: A print was lost: benchy\.gcode, at least 43% printed \(Z 12\.4 mm\), down for .* \(Octo.*", lines[0]
    )
    found = download_csv(page)
    answer = only_read.session("admin").get(f"{only_read.url}{ENDPOINT}?days=30").json()
    assert len(found) == IN_A_MONTH
    for line, restart in zip(found, answer["restarts"], strict=True):
        for key, value in restart.items():
            if key not in ("lost_print", "unattended_print"):
                assert line[key] == ("" if value is None else json.dumps(value).strip('"'))
        for key, value in (restart["lost_print"] or {}).items():
            assert line[f"lost_print_{key}"] == str(value)
        assert line["unattended_print_file"] == ""


def test_its_rows_can_be_filtered(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    group = log(page).get_by_role("group", name="Filter")
    assert all_words_of(group.get_by_role("button")) == ["All (5)", "Unexpected shutdowns (2)", "Lost prints (3)"]
    pressed = group.locator("[aria-pressed=true]")
    expect(pressed).to_have_text("All (5)")
    for name, count in (("Unexpected shutdowns", 2), ("Lost prints", 3), ("All", 5)):
        button = group.get_by_role("button", name=name)
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_be_focused()
        expect(pressed).to_have_text(f"{name} ({count})")
        expect(rows(page)).to_have_count(count)
        assert len(download_csv(page)) == count
        assert len(copy_text(page)) == count
    # It stays when another range is chosen, also if there is nothing to show then.
    group.get_by_role("button", name="Lost prints").click()
    choose(page, "Day")
    expect(pressed).to_have_text("Lost prints (1)")
    expect(rows(page)).to_have_count(1)
    page.route(re.compile(rf"{ENDPOINT}\?days="), without_lost_prints)
    choose(page, "Week")
    expect(pressed).to_have_text("Lost prints (0)")
    expect(log(page)).to_contain_text("No restarts of this kind in this period.")
    expect(log(page).get_by_role("button", name="Download CSV")).to_be_hidden()
    assert violations(page, f"#{ID}") == []


def test_another_range_that_comes_late_leaves_the_focus_in_the_log(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    held: list[Route] = []
    page.route(re.compile(rf"{ENDPOINT}\?days="), lambda route: held.append(route))
    with page.expect_request(re.compile(r"\?days=")):
        log(page).get_by_role("button", name="Week").press("Enter")
    rows(page).first.focus()
    with drawn_anew(log_figures(page)):
        held.pop().continue_()
    expect(log(page)).to_be_focused()
    # Without a row, nothing can be downloaded.
    log(page).get_by_role("group", name="Filter").get_by_role("button", name="Lost prints").click()
    with page.expect_request(re.compile(r"\?days=")):
        log(page).get_by_role("button", name="30 days").press("Enter")
    log(page).get_by_role("button", name="Download CSV").focus()
    with drawn_anew(log_figures(page)):
        without_lost_prints(held.pop())
    expect(log(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(log(page)).to_be_hidden()


def test_a_reconnection_leaves_its_rows_as_they_are(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    rows(page).first.press("Enter")
    expect(log(page).locator("[open]")).to_have_count(1)
    page.evaluate("OctoPrint.coreui.viewmodels.loginStateViewModel.requestData()")  # as OctoPrint's page does then
    expect(rows(page).first).to_be_focused()
    expect(log(page).locator("[open]")).to_have_count(1)


def without_lost_prints(route: Route) -> None:
    answer = route.fetch().json()
    for restart in answer["restarts"]:
        restart["lost_print"] = None
    route.fulfill(json=answer)


def test_older_restarts_are_shown_on_demand(make_server: MakeServer, open_page: OpenPage) -> None:
    runs = [Run("a", 600 - n, 599.5 - n, "clean") for n in range(120)]
    page = open_page(make_server(UP_FOR_AN_HOUR, seed=seed(runs)))
    open_log(page)
    expect(rows(page)).to_have_count(50)
    rows(page).first.click()
    log(page).get_by_role("button", name="Show older restarts").click()
    expect(rows(page)).to_have_count(120)
    expect(log(page).locator("[open]")).to_have_count(1)
    expect(rows(page).nth(50)).to_be_focused()
    expect(log(page).get_by_role("button", name="Show older restarts")).to_be_hidden()


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_on_the_first_day_it_says_what_it_will_show(server: OctoPrint, share_page: SharePage, locale: str) -> None:
    assert server.answer()["last_restart"] is None
    page = share_page(server, locale=locale)
    open_log(page)
    text = words_of(log(page).locator(".modal-body"))
    if locale == "en-US":
        assert re.match(r"Recording started at \d+:\d\d [AP]M today\. OctoPrint hasn't restarted since\.", text)
        assert "such as a crash or a power cut, or if a print was lost." in text
    else:
        assert re.match(
            r"Die Aufzeichnung begann heute um \d\d:\d\d\. OctoPrint wurde seitdem nicht neu gestartet\.", text
        )
        assert "etwa einem Absturz oder Stromausfall, oder wenn ein Druck verloren ging." in text
    expect(log(page).get_by_role("img")).to_have_count(0)
    expect(log(page).get_by_role("button", name=re.compile("CSV|Clear|löschen"))).to_have_count(0)
    expect(notice(page)).to_have_count(0)


def test_a_logout_leaves_nothing_behind(only_read: OctoPrint, open_page: OpenPage) -> None:
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


def test_it_opens_from_the_settings_without_a_navbar_entry(only_read: OctoPrint, share_page: SharePage) -> None:
    only_read.save({"show_system_uptime": False, "show_octoprint_uptime": False}).raise_for_status()
    page = share_page(only_read)
    expect(entry(page)).to_be_hidden()
    expect(notice(page)).to_contain_text("benchy.gcode")
    dialog(page).get_by_role("button", name="Restart log").click()
    expect(rows(page)).to_have_count(IN_A_MONTH)
    # The server may be back from another restart.
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)
    close_log(page)
    page.get_by_test_id("settings-close-button").click()
    expect(page.locator("#settings_dialog")).to_be_hidden()
    only_read.save({"show_system_uptime": True, "show_octoprint_uptime": True}).raise_for_status()


def test_a_failure_to_load_it_is_reported(page_with_log: Page, console_errors: list[str]) -> None:
    page = page_with_log
    page.route(re.compile(rf"{ENDPOINT}\?"), lambda route: route.fulfill(status=500))
    open_popover(page).get_by_role("button", name="Restart log").press("Enter")
    expect(page.locator(".ui-pnotify:visible", has_text="The restart log could not be loaded.")).to_be_visible()
    expect(log(page)).to_be_hidden()
    page.unroute(re.compile(rf"{ENDPOINT}\?"))
    open_log(page)
    expect(rows(page)).to_have_count(IN_A_MONTH)
    console_errors.clear()


def test_clearing_it_asks_first_and_needs_settings(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(UP_FOR_AN_HOUR, seed=seed(RUNS))
    viewer = open_page(server, "viewer")
    open_log(viewer)
    expect(log(viewer).get_by_role("button", name="Download CSV")).to_be_visible()
    expect(log(viewer).get_by_role("button", name="Clear the restart log")).to_be_hidden()
    other = open_page(server)
    expect(notice(other)).to_be_visible()
    page = open_page(server)
    open_log(page)
    log(page).get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Cancel").click()
    assert len(server.session("admin").get(f"{server.url}{ENDPOINT}?restarts=9").json()["restarts"]) == 6
    page.wait_for_timeout(500)
    log(page).get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Proceed").click()
    expect(log(page)).to_contain_text("OctoPrint hasn't restarted since.")
    expect(rows(page)).to_have_count(0)
    assert server.answer()["last_restart"] is None
    expect(notice(page)).to_have_count(0)
    # Another page gets it with its next poll.
    poll_now(other)
    expect(notice(other)).to_have_count(0)


@pytest.mark.each_octoprint
def test_escape_closes_the_question_before_the_log(page_with_log: Page) -> None:
    page = page_with_log
    open_log(page)
    log(page).get_by_role("button", name="Clear the restart log").click()
    question = page.locator(".modal:visible", has_text="This permanently deletes all recorded restarts.")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    page.wait_for_timeout(500)
    expect(log(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(log(page)).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (403, "The restart log could not be cleared."),
        (503, "The restart log was cleared, but this could not be saved. The restarts may come back."),
    ],
)
def test_a_failed_clearing_is_reported(
    page_with_log: Page, console_errors: list[str], status: int, complaint: str
) -> None:
    page = page_with_log
    refuse_posts(page, status)
    open_log(page)
    log(page).get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Proceed").click()
    expect(page.locator(".ui-pnotify-text:visible", has_text=complaint)).to_be_visible()
    expect(rows(page)).to_have_count(IN_A_MONTH)
    console_errors.clear()


def test_without_files_list_it_names_no_file(only_read: OctoPrint, share_page: SharePage) -> None:
    page = share_page(only_read, "nameless")
    open_log(page)
    expect(rows(page).first).to_contain_text(re.compile(r"A print was lost: a file, at least 43%"))
    assert "benchy" not in page.content()


def test_switching_it_off_hides_everything_at_once_and_later(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(UP_FOR_AN_HOUR, seed=seed(RUNS))
    page = open_page(server)
    expect(notice(page)).to_be_visible()
    dialog(page)
    control(page, "restart_log").uncheck()
    save(page)
    expect(notice(page)).to_have_count(0, timeout=2000)
    expect(entry(page)).to_have_accessible_name("Uptime: Host OctoPrint")
    page.reload()
    open_popover(page)
    expect(popover(page).get_by_role("button", name="Restart log")).to_be_hidden()
    expect(popover(page).get_by_role("listbox")).to_have_count(0)
    expect(notice(page)).to_have_count(0)
    # But stored runs can be cleared.
    entry(page).click()
    pane = dialog(page)
    expect(pane.get_by_role("button", name="Restart log", exact=True)).to_be_hidden()
    pane.get_by_role("button", name="Clear the restart log").click()
    page.locator(".modal:visible .btn", has_text="Proceed").click()
    until(lambda: rows_of_any_print(server) == [])
