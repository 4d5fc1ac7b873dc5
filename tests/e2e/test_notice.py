"""The notice of an unexpected shutdown, and its badge. tests/js tests what the notice says in other cases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accessibility import violations
from page_parts import (
    RUNS,
    WITH_CAUSES,
    all_words_of,
    badge,
    changing,
    close_log,
    drawn_anew,
    figures,
    log,
    notice,
    open_log,
    open_popover,
    poll_now,
    popover,
    refuse_posts,
    rows,
    seed,
    wait_for_log,
)
from recorded_runs import start_with_runs, until
from support import (
    GROUPS,
    UP_FOR_AN_HOUR,
    USERS,
    MakeServer,
    OctoPrint,
    OpenPage,
    SharedServer,
    SharePage,
    entry,
    said_about,
)

CHECK = "Check your printer: the heaters may still be on."
CAUSE = "The cause is unknown: the power may have failed, or the host may have hung. How to find out next time"


def said(moment: str) -> str:
    """Return a pattern of the page's words for one of the API's times."""
    found = said_about(datetime.fromisoformat(moment.replace("Z", "+00:00")))
    return "(?:" + "|".join(re.escape(f"at {text}".replace("\u00a0", " ")) for text in found) + ")"


def paragraphs(page: Page) -> list[str]:
    expect(notice(page)).to_be_visible()
    return all_words_of(notice(page).locator(".ui-pnotify-text p"))


def check(page: Page, title: str, *patterns: str) -> None:
    """Check that the notice has this title, and a paragraph for each pattern."""
    expect(notice(page).locator(".ui-pnotify-title")).to_have_text(title)
    found = paragraphs(page)
    assert len(found) == len(patterns), found
    for text, pattern in zip(found, patterns, strict=True):
        assert re.fullmatch(pattern, text), (text, pattern)


def test_it_says_what_was_lost_and_what_to_do(only_read: OctoPrint, page_with_log: Page) -> None:
    page = page_with_log
    unseen, prints = (only_read.answer()[name] for name in ("unseen_restart", "unseen_lost_prints"))
    seen, again = said(unseen["lost_print"]["seen_at"]), said(unseen["started_at"])
    check(
        page,
        f"{prints} prints were lost",
        rf"The most recent: benchy\.gcode, at least 43% printed \(Z 12\.4 mm\), last recorded {seen}\. "
        r"OctoPrint did not resume the print\.",
        rf"The host went down unexpectedly between .* and .*\. OctoPrint came back {again}\.",
        r"This is one of 2 unexpected shutdowns that haven't been dismissed\. The restart log lists them all\.",
        re.escape(CHECK),
        re.escape(CAUSE),
    )
    assert violations(page, ".octoprint_uptime_notice") == []
    expect(page.get_by_role("region", name=f"{prints} prints were lost")).to_be_visible()
    # The popover reports the same shutdown in the same words.
    open_popover(page)
    expect(popover(page)).to_contain_text(
        re.compile(r"The host went down unexpectedly .*\. Lost print: benchy\.gcode, at least 43% printed \(Z\s12\.4\s")
    )


@pytest.mark.parametrize(
    ("locale", "check", "end", "cause"),
    [
        ("en-US", CHECK, "The host went down unexpectedly", "The cause is unknown"),
        (
            "de-DE",
            "Sieh nach dem Drucker: Womöglich heizt er noch.",
            "Der Host ist ",
            "Die Ursache ist unbekannt",
        ),
    ],
)
def test_notice_and_popover_never_cover_each_others_buttons(
    only_read: OctoPrint, share_page: SharePage, locale: str, check: str, end: str, cause: str
) -> None:
    page = share_page(only_read, locale=locale)
    for width in (1400, 960):
        page.set_viewport_size({"width": width, "height": 900})
        expect(notice(page)).to_contain_text(check)
        expect(notice(page)).to_contain_text(end)
        expect(notice(page)).to_contain_text(cause)
        expect(notice(page)).to_have_css("opacity", "1")
        open_popover(page)
        page.wait_for_timeout(300)
        for box in (notice(page), popover(page)):
            buttons = box.get_by_role("button").filter(visible=True)
            assert buttons.count() >= 2
            covered = buttons.evaluate_all(
                """all => all.filter(button => {
                    const {left, right, top, bottom} = button.getBoundingClientRect();
                    const corners = [left + 3, right - 3].flatMap(x => [top + 3, bottom - 3].map(y => [x, y]));
                    return !corners.every(([x, y]) => button.contains(document.elementFromPoint(x, y)));
                }).map(button => button.outerHTML)"""
            )
            assert covered == []
        entry(page).click()


def test_a_print_lost_by_a_clean_shutdown_has_notice_and_badge(only_read: OctoPrint, open_page: OpenPage) -> None:
    def change(answer: dict[str, Any]) -> None:
        restart = {**answer["unseen_restart"], "clean": True, "kind": "octoprint", "printed_since": printed_since}
        restart["ended_before"] = restart["ended_after"]
        answer.update(last_restart=restart, unseen_restart=restart, unseen_restarts=0, unseen_lost_prints=1)

    printed_since = False
    page = open_page(only_read, prepare=changing(change))
    expect(notice(page)).to_contain_text(re.compile("OctoPrint was shut down at .*, during a print"))
    expect(notice(page)).to_contain_text("OctoPrint did not resume the print.")
    expect(notice(page)).to_contain_text(CHECK)
    expect(notice(page)).not_to_contain_text("unexpected")
    expect(notice(page)).not_to_contain_text("The cause is unknown")
    assert violations(page, ".octoprint_uptime_notice") == []
    expect(badge(page)).to_be_visible()
    expect(entry(page)).to_have_accessible_name("New: 1 lost print. Uptime: Host OctoPrint")
    expect(open_popover(page)).to_contain_text(re.compile("OctoPrint was shut down at .*, during a print"))
    # Then something is printed while the notice stands.
    printed_since = True
    poll_now(page)
    expect(notice(page)).not_to_contain_text(CHECK)
    expect(notice(page)).to_contain_text(re.compile("OctoPrint was shut down at .*, during a print"))
    expect(notice(page)).not_to_contain_text("did not resume")


def test_only_dismiss_dismisses(only_read: OctoPrint, page_with_log: Page) -> None:
    page = page_with_log
    expect(badge(page)).to_be_visible()
    prints = only_read.answer()["unseen_lost_prints"]
    name = f"New: 2 unexpected shutdowns, {prints} lost prints. Uptime: Host OctoPrint"
    expect(entry(page)).to_have_accessible_name(name)
    notice(page).get_by_role("button", name="Restart log").click()
    expect(rows(page).first).to_be_visible()
    page.wait_for_timeout(500)
    close_log(page)
    expect(notice(page)).to_be_visible()
    assert only_read.answer()["unseen_restart"] is not None
    # With the keyboard, which can't reach PNotify's own button.
    notice(page).get_by_role("button", name="Close the notice").focus()
    page.keyboard.press("Enter")
    expect(notice(page)).to_have_count(0)
    poll_now(page)
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)
    expect(badge(page)).to_be_visible()
    assert only_read.answer()["unseen_restarts"] == 2
    page.reload()
    expect(notice(page)).to_be_visible()


def test_a_newer_shutdown_updates_or_reopens_it(only_read: OctoPrint, open_page: OpenPage) -> None:
    newer = 0

    def change(answer: dict[str, Any]) -> None:
        if newer:  # a shutdown without a print, so the notice is still about the lost one
            answer["last_restart"] = {**answer["last_restart"], "id": 1000 + newer, "lost_print": None}
            answer["unseen_restarts"] += newer

    page = open_page(only_read, prepare=changing(change))
    expect(notice(page)).to_contain_text("one of 2 unexpected shutdowns")
    newer = 1
    poll_now(page)
    expect(notice(page)).to_contain_text("one of 3 unexpected shutdowns")
    expect(notice(page)).to_have_count(1)
    notice(page).get_by_role("button", name="Close the notice").click()
    poll_now(page)
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)
    newer = 2
    poll_now(page)
    expect(notice(page)).to_contain_text("one of 4 unexpected shutdowns")


def test_news_about_the_same_shutdown_keep_the_focus(only_read: OctoPrint, open_page: OpenPage) -> None:
    cause = None

    def change(answer: dict[str, Any]) -> None:
        answer["unseen_restart"]["cause"] = cause

    page = open_page(only_read, prepare=changing(change))

    def poll_news() -> None:
        with drawn_anew(notice(page).locator("p").first):
            poll_now(page)

    for name, new in (("Restart log", "killed"), ("Close the notice", "hung")):
        notice(page).get_by_role("button", name=name).focus()
        cause = new
        poll_news()
        expect(notice(page).get_by_role("button", name=name)).to_be_focused()
    entry(page).focus()
    cause = None
    poll_news()
    expect(entry(page)).to_be_focused()
    notice(page).get_by_role("link", name="How to find out next time").focus()
    cause = "killed"  # which has no link
    poll_news()
    expect(notice(page).get_by_role("button", name="Close the notice")).to_be_focused()


def test_tab_passes_the_button_that_closes_it(page_with_log: Page) -> None:
    page = page_with_log
    close = notice(page).get_by_role("button", name="Close the notice")
    close.focus()
    page.keyboard.press("Tab")
    expect(notice(page).get_by_role("link", name="How to find out next time")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(close).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(close).not_to_be_focused()


def test_the_log_returns_the_focus_if_the_notice_is_gone(only_read: OctoPrint, open_page: OpenPage) -> None:
    is_gone = False

    def change(answer: dict[str, Any]) -> None:
        if is_gone:
            answer.update(unseen_restart=None, unseen_restarts=0, unseen_lost_prints=0)

    page = open_page(only_read, prepare=changing(change))
    notice(page).get_by_role("button", name="Restart log").press("Enter")
    wait_for_log(page)
    is_gone = True
    poll_now(page)
    expect(notice(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(log(page)).to_be_hidden()
    expect(entry(page)).to_be_focused()


def test_the_open_popover_moves_aside_for_it(only_read: OctoPrint, open_page: OpenPage) -> None:
    comes = False

    def change(answer: dict[str, Any]) -> None:
        if not comes:
            answer.update(unseen_restart=None, unseen_restarts=0, unseen_lost_prints=0)

    page = open_page(only_read, width=960, prepare=changing(change))
    open_popover(page)
    comes = True
    poll_now(page)
    expect(notice(page)).to_have_css("opacity", "1")
    page.wait_for_timeout(200)
    right = popover(page).evaluate("popover => popover.getBoundingClientRect().right")
    assert right <= notice(page).evaluate("notice => notice.getBoundingClientRect().left")


def test_midnight_turns_today_into_yesterday(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    since = open_popover(page).locator("dd.octoprint_uptime_small").last
    expect(since).to_contain_text(re.compile("since .* today"))
    page.evaluate("() => { const {now} = moment; moment.now = () => now.call(moment) + 86400000; }")
    poll_now(page)
    expect(since).to_contain_text(re.compile("since .* yesterday"))
    expect(notice(page)).to_contain_text(re.compile("OctoPrint came back at .* yesterday"))


def test_dismissing_it_dismisses_it_for_everybody(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(UP_FOR_AN_HOUR, seed=seed(RUNS))
    pages = [open_page(server), open_page(server, "viewer", locale="de-DE")]
    expect(notice(pages[1])).to_be_visible()
    notice(pages[0]).get_by_role("button", name="Dismiss").click()
    expect(notice(pages[0])).to_have_count(0)
    expect(badge(pages[0])).to_be_hidden()
    expect(entry(pages[0])).to_have_accessible_name("Uptime: Host OctoPrint")
    until(lambda: server.answer()["last_restart"]["dismissed"])
    answer = server.answer()
    assert (answer["unseen_restart"], answer["unseen_restarts"], answer["unseen_lost_prints"]) == (None, 0, 0)
    poll_now(pages[1])
    expect(notice(pages[1])).to_have_count(0)
    for page in pages:
        page.reload()
        expect(entry(page)).to_contain_text("Host")
        open_popover(page)
        expect(popover(page)).to_contain_text("benchy.gcode")
        expect(notice(page)).to_have_count(0)
        expect(badge(page)).to_be_hidden()


def test_without_control_it_can_be_hidden_until_next_visit(only_read: OctoPrint, share_page: SharePage) -> None:
    page = share_page(only_read, "viewer")
    expect(notice(page).get_by_role("button", name="Dismiss")).to_have_count(0)
    notice(page).get_by_role("button", name="Hide until the next visit").click()
    expect(notice(page)).to_have_count(0)
    poll_now(page)
    page.wait_for_timeout(300)
    expect(notice(page)).to_have_count(0)
    expect(badge(page)).to_be_visible()
    assert only_read.answer()["unseen_restart"] is not None, "for everybody else it is there"
    page.reload()
    expect(notice(page)).to_be_visible()


def test_without_files_list_it_names_no_file(only_read: OctoPrint, share_page: SharePage) -> None:
    page = share_page(only_read, "nameless")
    expect(notice(page)).to_contain_text(
        re.compile(r"The most recent: a file, at least 43% printed \(Z\s12\.4\smm\), last recorded")
    )
    expect(notice(page).get_by_role("button", name="Show file")).to_be_hidden()
    assert "benchy" not in page.content()


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (403, "The notice could not be dismissed."),
        (503, "The notice was dismissed, but this could not be saved. It may come back."),
    ],
)
def test_a_failed_dismissal_is_reported(
    page_with_log: Page, console_errors: list[str], status: int, complaint: str
) -> None:
    page = page_with_log
    refuse_posts(page, status)
    notice(page).get_by_role("button", name="Dismiss").click()
    expect(page.locator(".ui-pnotify-text:visible", has_text=complaint)).to_be_visible()
    poll_now(page)
    expect(notice(page)).to_be_visible()
    console_errors.clear()


@pytest.fixture
def with_files(only_read: OctoPrint) -> Iterator[OctoPrint]:
    """The server has the file whose print was lost, and another one of that name in its root."""
    session = only_read.session("admin")
    files = f"{only_read.url}/api/files/local"
    for folder in ("parts", ""):
        upload = {"file": ("benchy.gcode", b"G28\n"), "path": (None, folder)}
        session.post(files, files=upload).raise_for_status()
    yield only_read
    for path in ("parts", "benchy.gcode"):
        session.delete(f"{files}/{path}")


def click_files_heading(page: Page) -> None:
    page.locator("#files_wrapper .accordion-heading .accordion-toggle").first.click()


def leave_files_open(page: Page) -> None:
    expect(page.locator("#files")).to_have_class(re.compile(r"\bin\b"))


def close_files(page: Page) -> None:
    click_files_heading(page)
    expect(page.locator("#files")).to_have_css("height", "0px")


def close_and_open_files(page: Page) -> None:
    close_files(page)
    click_files_heading(page)
    expect(page.locator("#files")).to_have_attribute("style", re.compile("height: auto"))


def search_for_another(page: Page) -> None:
    page.evaluate("OctoPrint.coreui.viewmodels.filesViewModel.searchQuery('nothing like it')")


IS_INSIDE_THE_PANEL = """() => {
    const entries = [...document.querySelectorAll("#files .entry")];
    const row = entries.find(({textContent}) => textContent.includes("benchy.gcode")).getBoundingClientRect();
    const panel = document.getElementById("files").getBoundingClientRect();
    return panel.top <= row.top && row.height > 0 && row.bottom <= panel.bottom;
}"""


@pytest.mark.each_octoprint
@pytest.mark.parametrize(
    "before",
    [leave_files_open, close_files, close_and_open_files, click_files_heading, search_for_another],
    ids=["open", "closed", "opened again", "closing", "searching"],
)
def test_show_file_shows_it_in_its_folder_and_starts_nothing(
    with_files: OctoPrint, share_page: SharePage, before: Callable[[Page], None]
) -> None:
    page = share_page(with_files)
    page.evaluate("OctoPrint.coreui.viewmodels.filesViewModel.changeFolderByPath('')")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    before(page)
    files = page.locator("#files")
    row = files.locator(".entry", has_text="benchy.gcode")
    for _ in range(2):
        notice(page).get_by_role("button", name="Show file").click()
        page.wait_for_function("OctoPrint.coreui.viewmodels.filesViewModel.currentPath() === 'parts'")
        page.wait_for_timeout(500)  # longer than Bootstrap's animation
        expect(row).to_be_in_viewport(ratio=1)
        page.wait_for_function(IS_INSIDE_THE_PANEL)  # OctoPrint may draw the list again
    assert not [url for url in posts if "sockjs" not in url]
    expect(notice(page)).to_be_visible()
    assert only_state(with_files)["job"]["file"]["name"] is None
    close_and_open_files(page)  # its heading still works
    page.evaluate("OctoPrint.coreui.viewmodels.filesViewModel.searchQuery('')")


def only_state(server: OctoPrint) -> dict[str, Any]:
    job: dict[str, Any] = server.session("admin").get(f"{server.url}/api/job").json()
    return job


def test_a_missing_file_is_reported(page_with_log: Page) -> None:
    page = page_with_log
    notice(page).get_by_role("button", name="Show file").click()
    expect(page.locator(".ui-pnotify:visible", has_text="The file no longer exists.")).to_be_visible()


def test_a_file_hidden_by_a_filter_is_reported(with_files: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(with_files)
    page.evaluate(
        "() => { OctoPrint.coreui.viewmodels.filesViewModel.listHelper.supportedFilters.none = () => false;"
        " OctoPrint.coreui.viewmodels.filesViewModel.listHelper.currentFilters(['none']); }"
    )
    notice(page).get_by_role("button", name="Show file").click()
    expect(
        page.locator(".ui-pnotify:visible", has_text="A filter in the file list is hiding this file.")
    ).to_be_visible()


def test_clean_shutdowns_give_neither_notice_nor_badge(make_server: MakeServer, open_page: OpenPage) -> None:
    clean = [run._replace(ended="clean", path=None) for run in RUNS]
    server = make_server(UP_FOR_AN_HOUR, seed=seed(clean))
    until(lambda: server.answer()["last_restart"])
    page = open_page(server)
    expect(entry(page)).to_contain_text("Host")
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)
    expect(badge(page)).to_be_hidden()
    assert server.answer()["unseen_restarts"] == 0


@pytest.fixture
def with_causes(shared_server: SharedServer, octoprint_executable: Path) -> OctoPrint:
    """Give a running OctoPrint with its log viewer, whose restart log has causes."""

    def start(server: OctoPrint) -> None:
        server.prepare(USERS, GROUPS, enable=["logging"])
        start_with_runs(server, WITH_CAUSES)

    return shared_server(octoprint_executable, "with_causes", start)


@pytest.mark.each_octoprint
def test_it_links_to_octoprints_log_viewer(with_causes: OctoPrint, share_page: SharePage) -> None:
    page = share_page(with_causes)
    link = notice(page).get_by_role("link", name="octoprint.log")
    expect(link).to_be_visible()
    assert violations(page, ".octoprint_uptime_notice") == []
    link.click()
    expect(page.locator("#settings_plugin_logging")).to_be_visible()


def test_notice_and_row_say_why_octoprint_stopped(with_causes: OctoPrint, share_page: SharePage) -> None:
    for locale, what_happened, what_to_do in (
        (
            "en-US",
            "OctoPrint crashed in the plugin gpx. The host restarted later.",
            "Update or disable gpx. Details are in octoprint.log.",
        ),
        (
            "de-DE",
            "OctoPrint ist im Plugin gpx abgestürzt. Der Host startete später neu.",
            "Aktualisiere oder deaktiviere gpx. Einzelheiten stehen in octoprint.log.",
        ),
    ):
        page = share_page(with_causes, "viewer", locale)
        assert paragraphs(page)[-1] == f"{what_happened} {what_to_do}"
        # To users who may not read logs, the log is only named.
        expect(notice(page).get_by_role("link")).to_have_count(0)
        open_log(page)
        rows(page).first.click()
        facts = log(page).locator("details").first.locator("dl")
        expect(facts).to_contain_text(what_happened)
        assert {what_happened, what_to_do} < set(all_words_of(facts.locator("dd")))
        # The clean shutdown with a cause counts on the page as it does on the server.
        assert [*figures(page).values()][1] == "3"
        log(page).get_by_role("button", name=re.compile(r"(Unexpected shutdowns|Ausfälle) \(3\)")).click()
        expect(rows(page)).to_have_count(3)


def test_if_the_cause_is_unknown_it_links_to_how_to_find_out(page_with_log: Page) -> None:
    link = notice(page_with_log).get_by_role("link", name="How to find out next time")
    expect(link).to_have_attribute("href", "https://ajimaru.github.io/OctoPrint-Uptime/why.html")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener")
