"""What the page says of moments, spans, prints and restarts: tables, worked out in a real browser at a set time."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from support import OctoPrint, OpenPage

LOCALES = ("en-US", "de-DE")
PRINT = {"file": "benchy.gcode", "progress": 43.7, "z": 12.4}
ENDED = {"ended_after": "2026-11-25T17:55:00Z", "ended_before": "2026-11-25T18:02:00Z"}
RESTART: dict[str, Any] = {
    **ENDED,
    "kind": "host",
    "clean": False,
    "lost_print": None,
    "unattended_print": None,
    "started_at": "2026-11-25T18:04:00Z",
    "downtime_seconds_min": 120,
    "downtime_seconds_max": 540,
}
CLEAN = {
    "clean": True,
    "ended_before": ENDED["ended_after"],
    "started_at": "2026-11-25T17:56:00Z",
    "downtime_seconds_min": 60,
    "downtime_seconds_max": 60,
}


@pytest.fixture(params=LOCALES)
def page(request: pytest.FixtureRequest, server: OctoPrint, open_page: OpenPage) -> Page:
    """It is ten to eight in the evening of a Wednesday in Berlin."""
    page = open_page(server, locale=request.param, timezone_id="Europe/Berlin")
    page.clock.set_fixed_time("2026-11-25T18:50:00Z")
    return page


def said(page: Page, name: str, *arguments: Any) -> str:
    text: str = page.evaluate(
        "([name, rest]) => OctoPrint.plugins.octoprint_uptime._page.words[name](...rest)",
        [name, list(arguments)],
    )
    return text.replace("\u00a0", " ")


def locale(page: Page) -> int:
    return 1 if page.evaluate("LOCALE") == "de" else 0


def check(page: Page, name: str, cases: list[tuple[list[Any], str, str]]) -> None:
    assert [said(page, name, *arguments) for arguments, *_ in cases] == [
        (english, german)[locale(page)] for _, english, german in cases
    ]


def test_a_moment_has_no_more_of_a_date_than_it_needs(page: Page) -> None:
    check(
        page,
        "momentOf",
        [
            (["2026-11-24T23:00:00Z"], "today 12:00 AM", "heute 00:00"),
            (["2026-11-25T18:04:59Z"], "today 7:04 PM", "heute 19:04"),
            (["2026-11-24T22:59:00Z"], "yesterday 11:59 PM", "gestern 23:59"),
            (["2026-11-23T22:59:00Z"], "Nov 23, 11:59 PM", "23. Nov. 23:59"),
            (["2026-06-01T12:00:00Z"], "Jun 1, 2:00 PM", "1. Juni 14:00"),
            (["2025-12-31T12:00:00Z"], "Dec 31, 2025, 1:00 PM", "31. Dez. 2025 13:00"),
        ],
    )


def test_a_duration_has_seconds_only_where_it_has_nothing_else(page: Page) -> None:
    for seconds, text in [(0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h 0m"), (93784, "1d 2h 3m")]:
        assert said(page, "durationOf", seconds) == text
    check(
        page,
        "spanOf",
        [
            ([60, 60], "1m", "1m"),
            ([61, 119], "1m", "1m"),
            ([120, 540], "2m to 9m", "2m bis 9m"),
            ([0, 300], "up to 5m", "bis zu 5m"),
            ([0, 30], "up to 30s", "bis zu 30s"),
        ],
    )


def test_an_end_is_told_as_exactly_as_it_is_known(page: Page) -> None:
    def ended(after: str | None, before: str | None, clean: bool = False, started: str | None = None) -> list[Any]:
        return [{"clean": clean, "ended_after": after, "ended_before": before, "started_at": started}]

    at, later = "2026-11-25T17:55:00Z", "2026-11-25T17:57:00Z"
    check(
        page,
        "whenEnded",
        [
            (ended(at, at), "today at 6:55 PM", "heute um 18:55"),
            (ended(at, later), "today around 6:55 PM", "heute gegen 18:55"),
            (ended(at, "2026-11-25T17:57:01Z"), "today between 6:55 PM and 6:57 PM", "heute zwischen 18:55 und 18:57"),
            (
                ended("2026-11-16T09:00:00Z", "2026-11-16T10:00:00Z"),
                "on Nov 16 between 10:00 AM and 11:00 AM",
                "am 16. Nov. zwischen 10:00 und 11:00",
            ),
            (
                ended("2026-11-24T22:10:00Z", "2026-11-25T05:12:00Z"),
                "between yesterday 11:10 PM and today 6:12 AM",
                "zwischen gestern 23:10 und heute 06:12",
            ),
            (ended(None, at, started=later), "at some time before today 6:55 PM", "irgendwann vor heute 18:55"),
            (ended(None, None, started=later), "at some time before today 6:57 PM", "irgendwann vor heute 18:57"),
            (ended(None, None, True, later), "today at 6:57 PM", "heute um 18:57"),
            (ended(at, None), "at some time after today 6:55 PM", "irgendwann nach heute 18:55"),
            (ended(None, None), "at an unknown time", "zu unbekannter Zeit"),
        ],
    )


def test_a_print_is_at_least_as_far_as_it_was_last_seen(page: Page) -> None:
    check(
        page,
        "printOf",
        [
            ([PRINT], "benchy.gcode, at least 43 % (Z 12.4 mm)", "benchy.gcode, mindestens 43 % (Z 12,4 mm)"),
            ([{**PRINT, "z": None}], "benchy.gcode, at least 43 %", "benchy.gcode, mindestens 43 %"),
            ([{**PRINT, "progress": None}], "benchy.gcode", "benchy.gcode"),
            (
                [{**PRINT, "file": None, "progress": 0, "z": 0.2}],
                *(
                    "a file, at least 0 % (Z 0.2 mm)",
                    "eine Datei, mindestens 0 % (Z 0,2 mm)",
                ),
            ),
            ([{**PRINT, "file": "50%.gcode", "progress": None}], "50%.gcode", "50%.gcode"),
        ],
    )


def test_one_sentence_tells_a_restart(page: Page) -> None:
    def restart(**changes: Any) -> list[Any]:
        return [{**RESTART, **changes}]

    check(
        page,
        "sentenceOf",
        [
            (
                restart(),
                "The host went down unexpectedly today between 6:55 PM and 7:02 PM.",
                "Der Host ist heute zwischen 18:55 und 19:02 ausgefallen.",
            ),
            (
                restart(lost_print=PRINT),
                "The host went down unexpectedly today between 6:55 PM and 7:02 PM; "
                "a print was lost: benchy.gcode, at least 43 % (Z 12.4 mm).",
                "Der Host ist heute zwischen 18:55 und 19:02 ausgefallen; "
                "ein Druck ging verloren: benchy.gcode, mindestens 43 % (Z 12,4 mm).",
            ),
            (
                restart(kind="container", unattended_print=PRINT),
                "The container went down unexpectedly today between 6:55 PM and 7:02 PM. The printer was printing from "
                "its own storage and may have gone on: benchy.gcode, at least 43 % (Z 12.4 mm).",
                "Der Container ist heute zwischen 18:55 und 19:02 ausgefallen. Der Drucker druckte aus seinem eigenen "
                "Speicher und hat womöglich weitergedruckt: benchy.gcode, mindestens 43 % (Z 12,4 mm).",
            ),
            (
                restart(kind="octoprint", **CLEAN),
                "OctoPrint was restarted today at 6:55 PM; it was not running for 1m.",
                "OctoPrint wurde heute um 18:55 neu gestartet und lief 1m nicht.",
            ),
            (
                restart(**{**CLEAN, "lost_print": PRINT}),
                "The host was restarted today at 6:55 PM; OctoPrint was not running for 1m; "
                "a print was lost: benchy.gcode, at least 43 % (Z 12.4 mm).",
                "Der Host wurde heute um 18:55 neu gestartet; OctoPrint lief 1m nicht; "
                "ein Druck ging verloren: benchy.gcode, mindestens 43 % (Z 12,4 mm).",
            ),
            (
                restart(**{**CLEAN, "kind": "container", "downtime_seconds_max": None}),
                "The container was restarted today at 6:55 PM.",
                "Der Container wurde heute um 18:55 neu gestartet.",
            ),
        ],
    )


def test_two_moments_of_a_row_are_one_only_where_they_are_the_same(page: Page) -> None:
    def row(after: str, before: str) -> str:
        restart = {**RESTART, "ended_after": after, "ended_before": before, "bad": True, "run": {}}
        when: str = page.evaluate(
            "restart => OctoPrint.plugins.octoprint_uptime._page.rows.rowOf(restart, {canShow: () => false}).when", restart
        )
        return when.replace("\u00a0", " ")

    english = [
        ("2026-11-24T23:05:00Z", "2026-11-25T01:05:00Z", "Today 12:05 AM \u2013 2:05 AM"),
        ("2026-11-25T01:05:00Z", "2026-11-25T01:05:20Z", "Today 2:05 AM"),
        ("2026-11-24T21:05:00Z", "2026-11-25T01:05:00Z", "Yesterday 10:05 PM \u2013 today 2:05 AM"),
    ]
    if not locale(page):
        assert [row(after, before) for after, before, _ in english] == [text for *_, text in english]
