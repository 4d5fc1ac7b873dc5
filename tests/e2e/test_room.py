"""The navbar entry beside other entries: it shortens itself so that the navbar stays one line."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page, Route, expect

from crowded_navbar import LONGEST, LONGEST_SECONDS, longest, show_longest, show_others
from page_parts import answers, poll_now
from support import ENDPOINT, UPTIME, OctoPrint, OpenPage, SharePage, entry

ENTRY = "#navbar_plugin_octoprint_uptime"

# The forms of the entry, from the widest to the narrowest.
BOTH_LABELLED = re.compile(rf"^\s*Host {UPTIME} \| OctoPrint {UPTIME}\s*$")
BOTH = re.compile(rf"^{UPTIME} \| {UPTIME}$")
ONE = re.compile(rf"^{UPTIME}$")
ONE_WITHOUT_SECONDS = re.compile(r"^(\d+d )?(\d+h )?\d+m$")
ICON = re.compile("^$")
FORMS = [BOTH_LABELLED, BOTH, ONE, ONE_WITHOUT_SECONDS, ICON]


def form(page: Page) -> int:
    """Return the number of the entry's form."""
    text = entry(page).inner_text().strip()
    (place,) = (place for place, pattern in enumerate(FORMS) if pattern.match(text))
    return place


def heights(page: Page) -> tuple[int, int]:
    """Return the navbar's height with and without the plugin's entry."""
    with_it, without = page.evaluate(
        """() => {
            const navbar = document.querySelector("#navbar");
            const entry = document.querySelector("#navbar_plugin_octoprint_uptime");
            const heights = [navbar.offsetHeight];
            entry.style.display = "none";
            heights.push(navbar.offsetHeight);
            entry.style.display = "";
            return heights;
        }"""
    )
    return with_it, without


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_navbar_stays_one_line(crowded_server: OctoPrint, share_page: SharePage, locale: str) -> None:
    page = share_page(crowded_server, locale=locale)
    show_longest(crowded_server, page)
    for width, (others, at_best) in itertools.product((1400, 1200, 960), enumerate((0, 0, 2, 4))):
        page.set_viewport_size({"width": width, "height": 900})
        show_others(page, others)
        assert heights(page) == (41, 41)
        assert form(page) == at_best
    for icon in ("fa-server", "fa-print"):
        assert entry(page).locator(f"i.{icon}").get_attribute("aria-label")


def test_it_shrinks_and_grows_in_steps_without_flicker(crowded_server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(crowded_server, prepare=longest(crowded_server))
    show_others(page, 0)
    expect(entry(page)).to_have_text(LONGEST)
    # The neighbour changes at the start of a frame. A timer runs between frames, so it sees what was painted.
    page.evaluate(
        """() => {
            window.painted = new Set();
            setInterval(() => window.painted.add(document.querySelector("#navbar").offsetHeight));
        }"""
    )
    widths = list(range(0, 590, 10))
    forms = []
    for width in [*widths, *reversed(widths)]:
        show_others(page, 1, width)
        forms.append(form(page))
    narrowing, widening = forms[: len(widths)], forms[len(widths) :]
    assert [place for place, _ in itertools.groupby(narrowing)] == [0, 1, 2, 3, 4]
    assert widening == narrowing[::-1]
    assert page.evaluate("[...window.painted]") == [41]


def test_uptimes_alternate_where_only_one_fits(crowded_server: OctoPrint, share_page: SharePage) -> None:
    page = share_page(crowded_server)
    answers(crowded_server, seconds=LONGEST_SECONDS, octoprint_seconds=93000)(page)
    poll_now(page)
    show_others(page, 0)
    expect(entry(page)).to_have_text(re.compile("Host 1234d .* OctoPrint 1d 1h 5"))
    show_others(page, 2)
    seen = set()
    for _ in range(24):
        text, icons = entry(page).evaluate(
            """entry => [entry.innerText.trim(), [...entry.querySelectorAll("[id$=texts] i")]
                .filter(icon => icon.offsetParent).map(icon => icon.className).join()]"""
        )
        assert ONE.match(text)
        icon = "fa-server" if text.startswith("1234d") else "fa-print"
        assert icons.split() == ["fas", "fa-fw", icon]
        seen.add(icon)
        page.wait_for_timeout(250)
    assert seen == {"fa-server", "fa-print"}


@pytest.mark.parametrize(("compact", "seconds"), [(False, 60), (True, 12)])
def test_neighbours_stay_in_place_while_it_counts(
    crowded_server: OctoPrint, open_page: OpenPage, compact: bool, seconds: int
) -> None:
    crowded_server.save({"compact_display": compact}).raise_for_status()
    # Minutes and hours turn within the minute, and figures of one digit become two.
    system, octoprint = 10 * 86400 + 3600 - 41, 3 * 86400 + 9 * 3600 - 45
    answer = answers(crowded_server, seconds=system, octoprint_seconds=octoprint, poll_interval_seconds=3600)

    def prepare(page: Page) -> None:
        answer(page)
        page.clock.install()

    page = open_page(crowded_server, prepare=prepare)
    show_others(page, 1)
    expect(entry(page)).to_have_text(re.compile("10d"))
    page.evaluate(
        """() => {
            window.texts = new Set();
            window.places = new Set();
            setInterval(() => {
                texts.add(document.querySelector("#navbar_plugin_octoprint_uptime_texts").innerText);
                places.add(JSON.stringify([...document.querySelectorAll("#navbar .nav > li")].map(item => {
                    const {left, top, width, height} = item.getBoundingClientRect();
                    return [left, top, width, height];
                })));
            }, 50);
        }"""
    )
    for _ in range(seconds):
        page.clock.run_for(1000)
        page.wait_for_timeout(50)  # a real one, in which the page is painted
    texts, places = page.evaluate("[window.texts.size, window.places.size]")
    crowded_server.save({"compact_display": False}).raise_for_status()
    assert texts >= seconds
    assert places == 1


def test_it_is_empty_and_keeps_its_place_until_the_first_answer(crowded_server: OctoPrint, open_page: OpenPage) -> None:
    waiting: list[Route] = []

    def hold(page: Page) -> None:
        page.route(f"**{ENDPOINT}", lambda route: waiting.append(route))

    page = open_page(crowded_server, prepare=hold)
    show_others(page, 1)
    expect(entry(page)).to_be_visible()
    for _ in range(10):
        assert entry(page).inner_text().strip() == ""
        page.wait_for_timeout(100)

    def places() -> object:
        return page.evaluate(
            "[...document.querySelectorAll('#navbar .nav > li')].map(item => item.getBoundingClientRect().left)"
        )

    before = places()
    assert heights(page) == (41, 41)
    waiting[0].fulfill(json={**crowded_server.answer(), "seconds": 12.5 * 86400, "octoprint_seconds": 11 * 86400})
    expect(entry(page)).to_have_text(BOTH_LABELLED)
    assert places() == before
