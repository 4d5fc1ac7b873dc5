"""The notice of an end without warning, and the badge that stays for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accessibility import violations
from page_parts import (
    RUNS,
    UP_FOR_AN_HOUR,
    all_words_of,
    badge,
    changing,
    close_log,
    notice,
    open_popover,
    poll_now,
    popover,
    refuse_posts,
    rows,
    seed,
)
from recorded_runs import until
from runs import Run
from support import MakeServer, OctoPrint, OpenPage, entry, said_about

CHECK = "Check the printer: its heaters may have been on ever since."
WHY = "Why is not known; octoprint.log or System info may tell."


def said(moment: str) -> str:
    """A pattern of what the page says of one of the API's moments."""
    found = said_about(datetime.fromisoformat(moment.replace("Z", "+00:00")))
    return "(?:" + "|".join(re.escape(text.replace("\u00a0", " ")) for text in found) + ")"


def paragraphs(page: Page) -> list[str]:
    expect(notice(page)).to_be_visible()
    return all_words_of(notice(page).locator(".ui-pnotify-text p"))


def check(page: Page, title: str, *patterns: str) -> None:
    """The notice has this title, and a paragraph for each pattern."""
    expect(notice(page).locator(".ui-pnotify-title")).to_have_text(title)
    found = paragraphs(page)
    assert len(found) == len(patterns), found
    for text, pattern in zip(found, patterns, strict=True):
        assert re.fullmatch(pattern, text), (text, pattern)


def test_it_says_what_was_lost_what_is_known_and_what_to_do(only_read: OctoPrint, open_page: OpenPage) -> None:
    unseen = only_read.answer()["unseen_restart"]
    page = open_page(only_read)
    seen, again = said(unseen["lost_print"]["seen_at"]), said(unseen["started_at"])
    check(
        page,
        "2 prints were lost",
        rf"The last one: benchy\.gcode, at least 43 % \(Z 12\.4 mm\), last seen {seen}\. The print was not resumed\.",
        rf"The host went down unexpectedly .*between .* and .*\. OctoPrint is running again since {again}\.",
        r"One of 2 ends without warning that nobody has dismissed; the restart log has them all\.",
        re.escape(CHECK),
        re.escape(WHY),
    )
    assert violations(page, ".octoprint_uptime_notice") == []
    expect(page.get_by_role("region", name="2 prints were lost")).to_be_visible()
    # The popover tells of the same end in the same words.
    open_popover(page)
    expect(popover(page)).to_contain_text(
        re.compile(
            r"The host went down unexpectedly .*; a print was lost: benchy\.gcode, at least 43\s% \(Z\s12\.4\smm\)"
        )
    )


def test_without_a_print_it_says_so(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(UP_FOR_AN_HOUR, seed=seed([Run("a", 30, 5, None)]))
    until(lambda: server.answer()["unseen_restart"])
    page = open_page(server)
    again = said(server.answer()["unseen_restart"]["started_at"])
    check(
        page,
        "The host went down unexpectedly",
        rf"(Today|Yesterday|Between) .* and .*\. OctoPrint is running again since {again}\. No print was lost\.",
        re.escape(WHY),
    )
    buttons = notice(page).get_by_role("button").filter(visible=True)
    assert all_words_of(buttons) == ["", "Restart log", "Dismiss"]


def test_a_print_from_the_printers_own_storage_may_have_gone_on(only_read: OctoPrint, open_page: OpenPage) -> None:
    def change(answer: dict[str, Any]) -> None:
        unseen = answer["unseen_restart"]
        unseen.update(kind="octoprint", unattended_print=unseen["lost_print"], lost_print=None)
        unseen["ended_before"] = unseen["ended_after"]
        answer.update(unseen_restarts=1, unseen_lost_prints=0)

    page = open_page(only_read, prepare=changing(change))
    check(
        page,
        "OctoPrint stopped unexpectedly",
        r"(Today|Yesterday) at .*\. OctoPrint is running again since .*\. The printer was printing from its own "
        r"storage and may have gone on: benchy\.gcode, at least 43 % \(Z 12\.4 mm\)\.",
        re.escape(CHECK),
        re.escape(WHY),
    )
    expect(notice(page).get_by_role("button", name="Show file")).to_be_hidden()


def test_of_one_print_it_says_one(only_read: OctoPrint, open_page: OpenPage) -> None:
    def change(answer: dict[str, Any]) -> None:
        answer.update(unseen_restarts=1, unseen_lost_prints=1)

    page = open_page(only_read, prepare=changing(change))
    check(
        page,
        "A print was lost",
        r"benchy\.gcode, at least 43 % \(Z 12\.4 mm\), last seen .*\. The print was not resumed\.",
        r"The host went down unexpectedly .*\. OctoPrint is running again since .*\.",
        re.escape(CHECK),
        re.escape(WHY),
    )


@pytest.mark.parametrize(
    ("locale", "check", "end", "why"),
    [
        ("en-US", CHECK, "The host went down unexpectedly", "Why is not known"),
        (
            "de-DE",
            "Sieh nach dem Drucker: Womöglich heizt er seitdem weiter.",
            "Der Host ist ",
            "Warum, ist nicht bekannt",
        ),
    ],
)
def test_notice_and_popover_never_cover_each_others_buttons(
    only_read: OctoPrint, open_page: OpenPage, locale: str, check: str, end: str, why: str
) -> None:
    page = open_page(only_read, locale=locale)
    for width in (1400, 960):
        page.set_viewport_size({"width": width, "height": 900})
        expect(notice(page)).to_contain_text(check)
        expect(notice(page)).to_contain_text(end)
        expect(notice(page)).to_contain_text(why)
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


def test_opening_the_log_dismisses_nothing_and_closing_the_notice_leaves_the_badge(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    page = open_page(only_read)
    expect(badge(page)).to_be_visible()
    name = re.compile("^Uptime, 2 ends without warning not dismissed: Host OctoPrint$")
    expect(entry(page)).to_have_accessible_name(name)
    notice(page).get_by_role("button", name="Restart log").click()
    expect(rows(page).first).to_be_visible()
    page.wait_for_timeout(500)
    close_log(page)
    expect(notice(page)).to_be_visible()
    assert only_read.answer()["unseen_restart"] is not None
    # By the keyboard, which PNotify's own button can't be reached by.
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


def test_a_newer_end_is_told_while_a_notice_is_open_and_after_it_was_closed(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    newer = 0

    def change(answer: dict[str, Any]) -> None:
        if newer:  # an end without a print, so that the notice goes on to speak of the lost one
            answer["last_restart"] = {**answer["last_restart"], "id": 1000 + newer, "lost_print": None}
            answer["unseen_restarts"] += newer

    page = open_page(only_read, prepare=changing(change))
    expect(notice(page)).to_contain_text("One of 2 ends without warning")
    newer = 1
    poll_now(page)
    expect(notice(page)).to_contain_text("One of 3 ends without warning")
    expect(notice(page)).to_have_count(1)
    notice(page).get_by_role("button", name="Close the notice").click()
    poll_now(page)
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)
    newer = 2
    poll_now(page)
    expect(notice(page)).to_contain_text("One of 4 ends without warning")


def test_a_notice_that_comes_later_is_not_covered_by_the_open_popover(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
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


def test_after_midnight_today_is_yesterday(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    since = open_popover(page).locator("dd.octoprint_uptime_small").last
    expect(since).to_contain_text("since today")
    page.evaluate("() => { const {now} = moment; moment.now = () => now.call(moment) + 86400000; }")
    poll_now(page)
    expect(since).to_contain_text("since yesterday")
    expect(notice(page)).to_contain_text("OctoPrint is running again since yesterday")


def test_dismissed_once_it_is_dismissed_for_all(make_server: MakeServer, open_page: OpenPage) -> None:
    server = make_server(UP_FOR_AN_HOUR, seed=seed(RUNS))
    pages = [open_page(server), open_page(server, locale="de-DE")]
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
    for user in ("admin", "viewer"):
        other = open_page(server, user)
        expect(entry(other)).to_contain_text("Host")
        open_popover(other)
        expect(popover(other)).to_contain_text("benchy.gcode")
        expect(notice(other)).to_have_count(0)
        expect(badge(other)).to_be_hidden()


def test_a_lost_print_is_told_even_after_a_clean_restart(make_server: MakeServer, open_page: OpenPage) -> None:
    later = [Run("c", 4.9, 4, None), Run("c", 3.9, 3, "clean")]
    server = make_server(UP_FOR_AN_HOUR, seed=seed([*RUNS, *later]))
    until(lambda: server.answer()["last_restart"])
    answer = server.answer()
    assert answer["last_restart"]["clean"]
    assert answer["unseen_restart"]["lost_print"]["file"] == "benchy.gcode"
    assert (answer["unseen_restarts"], answer["unseen_lost_prints"]) == (3, 2)
    page = open_page(server)
    expect(notice(page)).to_contain_text("benchy.gcode")
    expect(notice(page)).to_contain_text("One of 3 ends without warning")
    open_popover(page)
    expect(popover(page)).to_contain_text("The host was restarted")


def test_who_may_not_dismiss_it_hides_it_until_the_next_visit(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read, "viewer")
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


def test_without_the_right_to_see_files_there_is_neither_name_nor_file(
    only_read: OctoPrint, open_page: OpenPage
) -> None:
    page = open_page(only_read, "nameless")
    expect(notice(page)).to_contain_text(
        re.compile(r"The last one: A file, at least 43\s% \(Z\s12\.4\smm\), last seen")
    )
    expect(notice(page).get_by_role("button", name="Show file")).to_be_hidden()
    assert "benchy" not in page.content()


@pytest.mark.parametrize("status", [403, 503])
def test_a_dismissal_that_fails_is_said_to(
    only_read: OctoPrint, open_page: OpenPage, console_errors: list[str], status: int
) -> None:
    page = open_page(only_read)
    refuse_posts(page, status)
    notice(page).get_by_role("button", name="Dismiss").click()
    expect(page.locator(".ui-pnotify:visible", has_text="could not be dismissed for good")).to_be_visible()
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


def test_the_file_is_shown_where_it_is_and_nothing_is_started(with_files: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(with_files)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.evaluate("$('#files').collapse('hide')")
    page.evaluate("OctoPrint.coreui.viewmodels.filesViewModel.searchQuery('nothing like it')")
    page.wait_for_timeout(500)
    notice(page).get_by_role("button", name="Show file").click()
    row = page.locator("#files .entry", has_text="benchy.gcode")
    expect(row).to_be_in_viewport()
    assert page.evaluate("OctoPrint.coreui.viewmodels.filesViewModel.currentPath()") == "parts"
    assert not [url for url in posts if "sockjs" not in url]
    expect(notice(page)).to_be_visible()
    assert only_state(with_files)["job"]["file"]["name"] is None


def only_state(server: OctoPrint) -> dict[str, Any]:
    job: dict[str, Any] = server.session("admin").get(f"{server.url}/api/job").json()
    return job


def test_of_a_file_that_is_gone_it_is_said(only_read: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(only_read)
    notice(page).get_by_role("button", name="Show file").click()
    expect(page.locator(".ui-pnotify:visible", has_text="The file is no longer there.")).to_be_visible()


def test_of_a_file_that_a_filter_hides_it_is_said(with_files: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(with_files)
    page.evaluate(
        "() => { OctoPrint.coreui.viewmodels.filesViewModel.listHelper.supportedFilters.none = () => false;"
        " OctoPrint.coreui.viewmodels.filesViewModel.listHelper.currentFilters(['none']); }"
    )
    notice(page).get_by_role("button", name="Show file").click()
    expect(page.locator(".ui-pnotify:visible", has_text="A filter of the list of files hides it.")).to_be_visible()


def test_a_log_of_nothing_bad_has_neither_notice_nor_badge(make_server: MakeServer, open_page: OpenPage) -> None:
    clean = [run._replace(ended="clean") for run in RUNS]
    server = make_server(UP_FOR_AN_HOUR, seed=seed(clean))
    until(lambda: server.answer()["last_restart"])
    page = open_page(server)
    expect(entry(page)).to_contain_text("Host")
    page.wait_for_timeout(500)
    expect(notice(page)).to_have_count(0)
    expect(badge(page)).to_be_hidden()
    assert server.answer()["unseen_restarts"] == 0
