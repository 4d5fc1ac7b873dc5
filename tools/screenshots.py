"""Take the screenshots that the README and the plugin repository show, from the running plugin."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from namespaces import with_files
from octoprint_server import PASSWORD, Server
from system import launch

IMAGES = Path(__file__).resolve().parent.parent / "assets" / "img"


def log_in(page: Page, url: str) -> None:
    """Go through OctoPrint's login form and wait for the navbar entry."""
    page.goto(f"{url}/login/")
    page.fill("#login-user", "admin")
    page.fill("#login-password", PASSWORD)
    page.click("#login-button")
    page.wait_for_selector("#navbar_plugin_octoprint_uptime", state="visible")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        uptime = Path(folder) / "uptime"
        uptime.write_text("273906.00 0.00")  # a host that has been up for a few days, as most have
        server = Server(Path(sys.argv[1]).absolute(), Path(folder) / "octoprint")
        server.prepare({"admin": {"groups": ["users", "admins"]}})
        server.start(with_files({"/proc/uptime": uptime}))
        browser = launch(playwright)
        try:
            page = browser.new_page(viewport={"width": 1200, "height": 860}, locale="en-US")
            log_in(page, server.url)
            page.wait_for_timeout(1000)
            page.screenshot(path=IMAGES / "uptime_navbar.png", clip={"x": 0, "y": 0, "width": 1200, "height": 110})
            page.click("#navbar_show_settings")
            page.click("#settings_plugin_octoprint_uptime_link a")
            page.wait_for_timeout(1000)
            page.locator("#settings_dialog").screenshot(path=IMAGES / "uptime_settings.png")
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
