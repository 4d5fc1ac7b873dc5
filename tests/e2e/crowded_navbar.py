"""A navbar with little room, because of other plugins' entries and long uptimes."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from page_parts import answers
from support import OctoPrint

LONGEST_SECONDS = 1234 * 86400 + 23 * 3600 + 50 * 60


def longest(server: OctoPrint) -> Callable[[Page], None]:
    """Return a function that prepares a page with the widest uptimes."""
    return answers(server, seconds=LONGEST_SECONDS, octoprint_seconds=LONGEST_SECONDS)


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
