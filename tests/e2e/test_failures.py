"""The navbar entry while the server, the network or an answer fails."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from octoprint_server import PASSWORD
from page_parts import poll_now
from support import BOTH, ENDPOINT, MakeServer, OctoPrint, OpenPage, PageRequests, Requests, entry

STALE = re.compile(r"\bocto[a-z_]*stale\b")


def link(page: Page) -> Locator:
    return entry(page)


def point_at(page: Page) -> None:
    """Focus the entry, which computes its tooltip only then. The mouse could meet an overlay."""
    expect(link(page)).to_be_visible()
    link(page).focus()


def expect_stale(page: Page, timeout: float = 15000) -> None:
    expect(link(page)).to_have_class(STALE, timeout=timeout)
    point_at(page)
    expect(link(page)).to_have_attribute("title", re.compile(r"^No response from the server since "))
    expect(entry(page).locator("i.fa-unlink")).to_be_visible()


def expect_fresh(page: Page, timeout: float = 15000) -> None:
    expect(link(page)).not_to_have_class(STALE, timeout=timeout)
    point_at(page)
    expect(link(page)).to_have_attribute("title", re.compile(r"^Host since "))
    expect(entry(page).locator("i.fa-stopwatch")).to_be_visible()
    expect(entry(page)).to_have_text(BOTH)


def shown_seconds(page: Page, name: str) -> int:
    found = re.search(rf"{name} ((\d+[dhms] ?)+)", entry(page).inner_text())
    assert found
    sizes = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(part[:-1]) * sizes[part[-1]] for part in found[1].split())


@pytest.mark.each_octoprint
def test_it_is_stale_without_a_server_and_recovers(
    make_server: MakeServer, open_page: OpenPage, console_errors: list[str]
) -> None:
    server = make_server()
    page = open_page(server)
    expect_fresh(page)
    page.evaluate("window.notReloaded = true")
    server.kill()
    expect_stale(page)
    frozen = entry(page).inner_text()
    page.wait_for_timeout(1500)  # more than one tick
    assert entry(page).inner_text() == frozen
    restarted = time.monotonic()
    server.start()
    expect_fresh(page, timeout=40000)
    answer = server.answer()
    assert answer["octoprint_seconds"] < time.monotonic() - restarted + 0.02, "the age is the second run's"
    assert shown_seconds(page, "OctoPrint") == pytest.approx(answer["octoprint_seconds"], abs=1.5)
    assert shown_seconds(page, "Host") == pytest.approx(answer["seconds"], abs=1.5)
    assert page.evaluate("window.notReloaded")
    console_errors.clear()  # the browser's, of the connections that were refused


def answer_with(body: str, status: int = 200, content_type: str = "application/json") -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, body=body, content_type=content_type)


BAD_ANSWERS: dict[str, Callable[[Route], None]] = {
    "500": answer_with('{"error": "x", "uptime_available": false}', 500),
    "403": answer_with('{"error": "x", "uptime_available": false}', 403),
    "HTML": answer_with("<!doctype html><title>Gateway</title>", content_type="text/html"),
    "HTML as JSON": answer_with("<!doctype html><title>Gateway</title>"),
    "truncated": answer_with('{"seconds": 12'),
    "empty": answer_with(""),
    "null": answer_with("null"),
    "list": answer_with("[1, 2]"),
    "text": answer_with('"seconds"'),
    "nothing in it": answer_with("{}"),
    "text for a number": answer_with('{"seconds": "5", "octoprint_seconds": 5, "poll_interval_seconds": 60}'),
    "no interval": answer_with('{"seconds": 5, "octoprint_seconds": 5, "poll_interval_seconds": null}'),
    "interval of nothing": answer_with('{"seconds": 5, "octoprint_seconds": 5, "poll_interval_seconds": 0.001}'),
    "markup": answer_with('{"seconds": "<img src=x onerror=alert(1)>", "octoprint_seconds": 1}'),
    "no connection": lambda route: route.abort("connectionrefused"),
}


def test_bad_answer_makes_it_stale_until_a_good_one(server: OctoPrint, page: Page, console_errors: list[str]) -> None:
    expect_fresh(page)
    for name, bad in BAD_ANSWERS.items():
        page.route(f"**{ENDPOINT}", bad)
        poll_now(page)
        expect_stale(page)
        page.unroute(f"**{ENDPOINT}")
        poll_now(page)
        expect_fresh(page)
        assert shown_seconds(page, "Host") == pytest.approx(server.answer()["seconds"], abs=1.5), name
    console_errors.clear()


def test_it_is_unknown_before_the_first_answer(
    server: OctoPrint, open_page: OpenPage, console_errors: list[str]
) -> None:

    def refuse(page: Page) -> None:
        page.route(f"**{ENDPOINT}", BAD_ANSWERS["500"])

    page = open_page(server, prepare=refuse)
    expect(entry(page)).to_have_text(re.compile(r"^\s*Host uptime unknown \| OctoPrint uptime unknown\s*$"))
    expect(link(page)).to_have_class(STALE)
    point_at(page)
    # since the page was opened
    expect(link(page)).to_have_attribute(
        "title", re.compile(r"^No response from the server since \d+:\d\d\s[AP]M today$")
    )
    console_errors.clear()


def test_late_failure_does_not_replace_a_newer_answer(page: Page) -> None:
    expect_fresh(page)
    held: list[Route] = []
    page.route(f"**{ENDPOINT}", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request(lambda request: request.url.endswith(ENDPOINT)):
        poll_now(page)
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)) as late:
        held[0].fulfill(status=200, body="[]", content_type="application/json")
    late.value.finished()
    expect_fresh(page)


def test_failed_polls_back_off(server: OctoPrint, open_page: OpenPage, console_errors: list[str]) -> None:
    server.save({"poll_interval_seconds": 1}).raise_for_status()
    watched: list[PageRequests] = []
    page = open_page(server, prepare=lambda page: watched.append(PageRequests(page)))
    (requests,) = watched
    expect_fresh(page)
    bad = itertools.cycle([*BAD_ANSWERS.values()])
    page.route(f"**{ENDPOINT}", lambda route: next(bad)(route))
    expect_stale(page)
    times = requests.within(16)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) >= 2
    assert all(second == pytest.approx(2 * first, rel=0.25) for first, second in itertools.pairwise(gaps))
    page.unroute(f"**{ENDPOINT}")
    requests.within(20)
    expect_fresh(page)
    assert 3 <= len(requests.within(4.5)) <= 5
    console_errors.clear()


@pytest.mark.parametrize(
    ("interval", "minutes"),
    # After 2 and 4 minutes, then every 5; or every 5 from the start.
    [(60, (2, 6, 11, 16)), (3600, (5, 10, 15, 20))],
)
def test_polls_are_at_most_five_minutes_apart(
    server: OctoPrint, open_page: OpenPage, console_errors: list[str], interval: int, minutes: tuple[int, ...]
) -> None:
    server.save({"poll_interval_seconds": interval}).raise_for_status()
    # Installed from the start, since a clock that changes later makes the page ask.
    page = open_page(server, prepare=lambda page: page.clock.install())
    expect_fresh(page)
    page.route(f"**{ENDPOINT}", BAD_ANSWERS["500"])
    poll_now(page)
    expect_stale(page)
    requests = Requests(page)
    counts = []
    for _ in range(21):
        page.clock.fast_forward(60_000)
        page.wait_for_timeout(150)
        counts.append(requests.count)
    assert [counts.index(number) + 1 for number in (1, 2, 3, 4)] == [pytest.approx(each, abs=1) for each in minutes]
    console_errors.clear()


def test_request_without_an_answer_is_given_up(
    server: OctoPrint, open_page: OpenPage, console_errors: list[str]
) -> None:
    server.save({"poll_interval_seconds": 1}).raise_for_status()
    watched: list[PageRequests] = []
    page = open_page(server, prepare=lambda page: watched.append(PageRequests(page)))
    (requests,) = watched
    expect_fresh(page)
    page.route(f"**{ENDPOINT}", lambda _: None)
    assert len(requests.within(8)) <= 2, "polls pile up"
    requests.within(8)
    expect_stale(page)
    page.unroute(f"**{ENDPOINT}")
    requests.within(30)
    expect_fresh(page)
    console_errors.clear()


def test_absurd_interval_causes_no_flood(page: Page) -> None:
    expect_fresh(page)
    absurd = '{"seconds": 5, "octoprint_seconds": 5, "poll_interval_seconds": 1e12}'
    page.route(f"**{ENDPOINT}", answer_with(absurd))
    requests = Requests(page)
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)
    page.wait_for_timeout(1000)
    assert requests.count <= 2  # a poll may have been under way


@pytest.mark.each_octoprint
def test_guests_do_not_poll_after_a_logout(
    make_server: MakeServer, open_page: OpenPage, console_errors: list[str]
) -> None:
    guests = {"name": "Guests", "description": "", "permissions": ["STATUS", "SETTINGS_READ"], "subgroups": []}
    server = make_server(
        groups={"guests": {**guests, "default": True}}, plugins={"octoprint_uptime": {"poll_interval_seconds": 1}}
    )
    page = open_page(server, prepare=lambda page: page.clock.install())
    expect_fresh(page)
    requests = Requests(page)
    page.clock.run_for(2500)
    page.wait_for_timeout(250)
    assert requests.count >= 1
    other = page.context.new_page()
    other.goto("/")
    expect(other.get_by_test_id("login-menu")).to_contain_text("admin")
    other.evaluate("OctoPrint.browser.logout().catch(answer => { throw new Error(answer.status) })")
    expect(page.get_by_test_id("login-menu")).not_to_contain_text("admin")
    requests.times.clear()
    page.clock.run_for(4000)
    page.wait_for_timeout(250)
    assert requests.count == 0
    expect(entry(page)).to_be_hidden()
    assert page.evaluate("typeof ko") == "object", "OctoPrint shows its page to guests"
    page.get_by_test_id("login-menu").click()
    page.get_by_test_id("login-username").fill("admin")
    page.get_by_test_id("login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    expect_fresh(page)
    console_errors.clear()  # a poll may be under way as the server logs out
