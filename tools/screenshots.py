"""Take the screenshots for the documentation.

Fails if a screenshot would show an unknown value or lack content.
"""

from __future__ import annotations

import base64
import itertools
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from namespaces import with_boot_clock
from octoprint_server import PASSWORD, Server
from octoprint_uptime import clock
from runs import Run, write_runs
from system import launch
from themes import DARK, set_theme

IMAGES = Path(__file__).resolve().parent.parent / "assets" / "img"

ENTRY = "#navbar_plugin_octoprint_uptime"
LOG = "#octoprint_uptime"
NOTICE = ".octoprint_uptime_notice"

BOOTED = 38 * 60  # seconds ago
DAY = 24
# Several power cuts until two weeks ago, when the power supply was replaced. Today memory ran out.
PAST = [
    Run("a", 26 * DAY - 5, 25 * DAY + 2, None, dismissed=True),
    Run("b", 25 * DAY + 1, 23 * DAY, None, dismissed=True),
    Run("c", 23 * DAY - 3, 21 * DAY + 12, None, "gearbox_housing_v3.gcode", dismissed=True),
    Run("d", 21 * DAY + 7, 19 * DAY, None, dismissed=True),
    Run("d", 19 * DAY - 0.1, 18 * DAY + 20, "clean"),
    Run("e", 17 * DAY + 6, 14 * DAY, "off"),
    Run("f", 12 * DAY + 10, 11 * DAY + 19, "clean"),
    Run("g", 11 * DAY + 9, 10 * DAY + 20, "clean"),
    Run("h", 10 * DAY + 10, 9 * DAY + 19, "clean"),
    Run("i", 9 * DAY + 11, 3 * DAY + 8, "clean"),
    Run("i", 3 * DAY + 8 - 0.02, 0.75, None, "benchy.gcode", cause="out_of_memory"),
]

# The README's first picture: the right part of the popover next to the top of the log.
OVERVIEW = """
    <style>
        main { display: flex; width: 1446px; }
        div { border: 1px solid #bbb; border-radius: 6px; overflow: hidden; position: relative; }
        #popover { width: 722px; margin-right: 16px; }
        #popover img { display: block; width: 1100px; margin-left: -378px; }
        #log { width: 704px; }
        #log img { position: absolute; inset: -2px; width: 708px; }
        #log::after { content: ""; position: absolute; inset: auto 0 0; height: 48px; }
        #log::after { background: linear-gradient(#fff0, #fff); }
    </style>
    <main><div id="popover"><img></div><div id="log"><img></div></main>
"""

NEVER = re.compile(r"uptime unknown|Betriebszeit unbekannt|not known|undefined|NaN|null|\[object")


def log_in(page: Page, url: str) -> None:
    """Log in to OctoPrint, and wait for the navbar entry."""
    page.goto(f"{url}/login/")
    page.fill("#login-user", "admin")
    page.fill("#login-password", PASSWORD)
    page.click("#login-button")
    page.wait_for_selector(ENTRY, state="visible")


def check(*shown: Locator) -> None:
    for each in shown:
        text = each.inner_text()
        if found := NEVER.search(text):
            sys.exit(f"A screenshot shows {found[0]!r}: {text}")


def check_strip(page: Page) -> None:
    """Fail unless the strip shows 30 days, with every state among them."""
    options = page.locator(f"{ENTRY} [role=option]")
    options.first.wait_for()
    check(page.locator(f"{ENTRY}_popover"))
    states = options.evaluate_all("all => all.map(each => each.firstElementChild.className)")
    if len(states) != 30 or not {"running", "stopped", "unrecorded", "unexpected", "lost"} <= set(states):
        sys.exit(f"The strip shows {states}")


class Camera:
    """A camera for screenshots in one language and theme.

    The names of screenshots in English, and with the light theme, have no suffix for that.
    """

    def __init__(self, browser: Browser, server: Server, locale: str, dark: bool) -> None:
        self._browser, self._server, self._locale, self._dark = browser, server, locale, dark
        self._suffix = ("_de" if locale == "de-DE" else "") + ("_dark" if dark else "")

    def open(self, width: int = 1100, height: int = 900) -> Page:
        page = self._browser.new_page(
            viewport={"width": width, "height": height}, locale=self._locale, device_scale_factor=2
        )
        log_in(page, self._server.url)
        set_theme(page, DARK if self._dark else "")
        page.locator(NOTICE).wait_for()
        page.wait_for_timeout(1000)
        return page

    def shoot(self, page: Page, name: str, height: float) -> None:
        width: int = page.evaluate("window.innerWidth")
        path = IMAGES / f"{name}{self._suffix}.png"
        page.screenshot(path=path, clip={"x": 0, "y": 0, "width": width, "height": height})

    def popover(self) -> None:
        page = self.open()
        page.click(f"{ENTRY}_button")
        check_strip(page)
        check(page.locator(NOTICE))
        lowest = max(bottom(page, f"{ENTRY}_popover"), bottom(page, NOTICE))
        self.shoot(page, "uptime_popover", lowest + 16)
        page.close()

    def log(self) -> None:
        page = self.open(height=1160)
        page.click(f"{ENTRY}_button")
        page.click(f"{ENTRY}_popover .btn >> nth=0")
        page.locator(f"{LOG} summary").first.click()
        page.wait_for_timeout(1000)
        check(page.locator(LOG))
        page.locator(LOG).screenshot(path=IMAGES / f"uptime_restarts{self._suffix}.png")
        page.close()

    def entry_and_settings(self) -> None:
        page = self.open(height=1190)
        check(page.locator(ENTRY))
        self.shoot(page, "uptime_navbar", 42)
        page.click(f"{ENTRY}_button")
        page.click(f"{ENTRY}_popover .btn >> nth=1")
        page.wait_for_timeout(1000)
        check(page.locator("#settings_plugin_octoprint_uptime"))
        page.locator("#settings_dialog").screenshot(path=IMAGES / f"uptime_settings{self._suffix}.png")
        page.close()


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box, selector
    return box["y"] + box["height"]


def overview(browser: Browser) -> None:
    """Put the screenshots of the popover and of the log side by side."""
    page = browser.new_page(viewport={"width": 1500, "height": 600}, device_scale_factor=2)
    page.set_content(OVERVIEW)
    for place, name in (("#popover img", "uptime_popover"), ("#log img", "uptime_restarts")):
        picture = base64.b64encode((IMAGES / f"{name}.png").read_bytes()).decode()
        show = "async (img, picture) => { img.src = `data:image/png;base64,${picture}`; await img.decode(); }"
        page.locator(place).evaluate(show, picture)
    page.locator("main").screenshot(path=IMAGES / "uptime_overview.png", omit_background=True)
    page.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(sys.argv[1]).absolute(), Path(folder) / "octoprint")
        server.prepare({"admin": {"groups": ["users", "admins"]}})
        write_runs(server.basedir, PAST)
        server.start(with_boot_clock(BOOTED - int(clock.boot_clock())))
        browser = launch(playwright)
        try:
            for locale, dark in itertools.product(("en-US", "de-DE"), (False, True)):
                camera = Camera(browser, server, locale, dark)
                camera.popover()
                camera.log()
            Camera(browser, server, "en-US", dark=False).entry_and_settings()
            overview(browser)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
