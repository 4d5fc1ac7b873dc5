"""Take the screenshots that the README and the plugin repository show, from the running plugin."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from namespaces import with_boot_clock
from octoprint_server import PASSWORD, Server
from octoprint_uptime import clock
from runs import Run, write_runs
from system import launch

IMAGES = Path(__file__).resolve().parent.parent / "assets" / "img"

ENTRY = "#navbar_plugin_octoprint_uptime_button"

PAST = [
    Run("a", 700, 500, "clean"),
    Run("a", 499.9, 310, None),
    Run("a", 309, 290, "clean"),
    Run("b", 289, 140, None, "benchy.gcode"),
    Run("c", 130, 77, "clean"),
    Run(clock.boot_id(), 76.05, 20, "clean"),
]


def log_in(page: Page, url: str) -> None:
    """Go through OctoPrint's login form and wait for the navbar entry."""
    page.goto(f"{url}/login/")
    page.fill("#login-user", "admin")
    page.fill("#login-password", PASSWORD)
    page.click("#login-button")
    page.wait_for_selector("#navbar_plugin_octoprint_uptime", state="visible")


def crowd(page: Page) -> None:
    """Put two entries into the navbar as other plugins do."""
    page.evaluate("$('#navbar .nav').prepend('<li><a style=\"width: 170px\">Another plugin</a></li>'.repeat(2))")
    page.evaluate("window.dispatchEvent(new Event('resize'))")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(sys.argv[1]).absolute(), Path(folder) / "octoprint")
        server.prepare({"admin": {"groups": ["users", "admins"]}})
        write_runs(server.basedir, [run._replace(dismissed=True) for run in PAST])  # no notice in the way
        # A host that has been up for a few days, as most have.
        server.start(with_boot_clock(273906 - int(clock.boot_clock())))
        browser = launch(playwright)
        try:

            def open_page(width: int, locale: str = "en-US") -> Page:
                page = browser.new_page(viewport={"width": width, "height": 860}, locale=locale)
                log_in(page, server.url)
                page.wait_for_timeout(1000)
                return page

            def shoot(page: Page, name: str, height: int = 110) -> None:
                width = page.evaluate("window.innerWidth")
                page.screenshot(path=IMAGES / f"{name}.png", clip={"x": 0, "y": 0, "width": width, "height": height})

            def settings(page: Page, name: str) -> None:
                page.click("#navbar_plugin_octoprint_uptime_popover a >> text=Uptime settings")
                page.wait_for_timeout(1000)
                page.locator("#settings_dialog").screenshot(path=IMAGES / f"{name}.png")

            page = open_page(1200)
            shoot(page, "uptime_navbar")
            page.click(ENTRY)
            shoot(page, "uptime_popover", 300)
            settings(page, "uptime_settings")
            page = open_page(1200)
            page.click(ENTRY)
            page.click("#navbar_plugin_octoprint_uptime_popover a >> text=Restart log")
            page.wait_for_timeout(1500)
            page.screenshot(path=IMAGES / "uptime_restarts.png", clip={"x": 0, "y": 0, "width": 1200, "height": 620})
            page = open_page(960)
            crowd(page)
            shoot(page, "uptime_narrow")
            page = open_page(1200, "de-DE")
            page.click(ENTRY)
            shoot(page, "uptime_german", 300)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
