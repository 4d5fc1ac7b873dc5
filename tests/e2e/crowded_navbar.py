"""A navbar with little room, because of other plugins' entries and long uptimes."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from page_parts import answers, poll_now
from support import OctoPrint, entry

LONGEST_SECONDS = 1234 * 86400 + 23 * 3600 + 50 * 60
LONGEST = re.compile("1234d 23h 5")  # as wide as "1234d 23h 59m 59s", with some minutes to run


def longest(server: OctoPrint) -> Callable[[Page], None]:
    """Return a function that prepares a page with the widest uptimes."""
    return answers(server, seconds=LONGEST_SECONDS, octoprint_seconds=LONGEST_SECONDS)


def show_longest(server: OctoPrint, page: Page) -> None:
    """Give a page the widest uptimes."""
    longest(server)(page)
    poll_now(page)
    show_others(page, 0)
    expect(entry(page)).to_have_text(LONGEST)


def show_others(page: Page, count: int, width: int = 170) -> None:
    page.evaluate(
        """([count, width]) => new Promise(done => requestAnimationFrame(() => {
            document.querySelectorAll("#navbar .other").forEach((other, place) => {
                other.style.display = place < count ? "" : "none";
                if (place === count - 1) other.firstElementChild.style.width = width + "px";
            });
            requestAnimationFrame(done);
        }))""",
        [count, width],
    )
