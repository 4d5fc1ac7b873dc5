from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

try:
    from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
except ModuleNotFoundError:
    sys.exit("These tests run in the tools' environment: `make .venv/tools/.plugin`, then .venv/tools/bin/pytest.")

from octoprint_uptime import settings
from page_parts import RUNS, notice, poll_now, popover
from recorded_runs import start_with_runs
from support import (
    ENDPOINT,
    GROUPS,
    OTHERS,
    USERS,
    MakeServer,
    OctoPrint,
    OpenPage,
    SharedServer,
    SharePage,
    entry,
)
from system import launch
from warm_starts import WarmStarts

expect.set_options(timeout=20_000)  # a busy machine takes its time

# The page of 2.0.0rc7 requests these even for read-only users, whom OctoPrint refuses.
OCTOPRINTS_OWN_REFUSALS = ("/api/settings/reauthReq", "/api/printer/command/custom")

KEPT_PAGES = 3
CLIPBOARD = ["clipboard-read", "clipboard-write"]

# The page has the settings that the server has.
HAS_SETTINGS = "saved => _.isEqual(OctoPrint.coreui.viewmodels.octoprintUptimeViewModel.saved(), saved)"

# OctoPrint's dialogs and notices fade. Tests don't wait for that; what the plugin itself animates is not touched.
WITHOUT_FADES = """
    document.addEventListener("DOMContentLoaded", () => { if (window.$) $.fx.off = true; });
    window.addEventListener("load", () => { if (window.$) $.support.transition = false; });
"""


@pytest.fixture(scope="session")
def octoprint_executable(octoprint_environment: Path) -> Path:
    return octoprint_environment / "bin" / "octoprint"


@pytest.fixture(scope="session", autouse=True)
def _warm_starts() -> Iterator[None]:
    OctoPrint.warm_starts = WarmStarts()
    yield
    OctoPrint.warm_starts.end()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    """Start each kind of server once for each OctoPrint, whatever the order of the tests.

    A session-scoped fixture for each kind would start a new server whenever the tests switch to the other OctoPrint.
    """
    servers: dict[tuple[Path, str], OctoPrint] = {}

    def get(executable: Path, kind: str, start: Callable[[OctoPrint], None]) -> OctoPrint:
        if (executable, kind) not in servers:
            server = servers[executable, kind] = OctoPrint(executable, tmp_path_factory.mktemp(kind))
            server.prepare(USERS, GROUPS)
            start(server)
        return servers[executable, kind]

    yield get
    for server in servers.values():
        server.stop()
    for server in servers.values():
        server.check_log()


@pytest.fixture
def server(shared_server: SharedServer, octoprint_executable: Path) -> Iterator[OctoPrint]:
    """Give a running OctoPrint with default settings, and restore these after the test."""
    server = shared_server(octoprint_executable, "server", OctoPrint.start)
    config = server.basedir / "config.yaml"
    before = config.stat().st_mtime_ns
    yield server
    server.check_log()
    if config.stat().st_mtime_ns != before and server.settings() != settings.defaults():
        server.save(settings.defaults()).raise_for_status()


@pytest.fixture
def only_read(shared_server: SharedServer, octoprint_executable: Path) -> OctoPrint:
    """Give a running OctoPrint with a restart log, for tests that dismiss and clear nothing."""
    return shared_server(octoprint_executable, "only_read", lambda server: start_with_runs(server, RUNS))


def start_crowded(server: OctoPrint) -> None:
    server.add_plugins(OTHERS)
    server.start()


@pytest.fixture
def crowded_server(shared_server: SharedServer, octoprint_executable: Path) -> OctoPrint:
    """Give a running OctoPrint with three entries of another plugin in its navbar, of 200 px each."""
    return shared_server(octoprint_executable, "crowded_server", start_crowded)


@pytest.fixture
def make_server(octoprint_executable: Path, tmp_path: Path) -> Iterator[MakeServer]:
    """Start OctoPrint with a test's own settings, surroundings and plugins."""
    servers: list[OctoPrint] = []

    def make(
        wrapper: Iterable[str] = (),
        plugins: dict[str, Any] | None = None,
        extra_plugins: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
        enable: Iterable[str] = (),
        groups: dict[str, Any] | None = None,
        seed: Callable[[Path], None] | None = None,
        has_whole_page: bool = False,
    ) -> OctoPrint:
        server = OctoPrint(octoprint_executable, tmp_path / f"octoprint{len(servers)}")
        if has_whole_page:
            server.more_config = {}
        servers.append(server)
        server.prepare(USERS, {**GROUPS, **(groups or {})}, plugins, enable)
        server.add_plugins(extra_plugins or {})
        if seed is not None:
            seed(server.basedir)
        server.start(wrapper, env)
        return server

    yield make
    for server in servers:
        server.kill()  # stopping takes a second and a half; the tests of shutdowns and the shared servers do that
        server.check_log()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as browser:
        playwright.selectors.set_test_id_attribute("data-test-id")  # OctoPrint's
        yield browser


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """Collect the browser console's errors. A test that causes some clears them."""
    errors: list[str] = []
    yield errors
    assert errors == []


# The plugin has its first answer, or asks for none.
HAS_ASKED = """() => {
    const asking = window.OctoPrint?.coreui?.viewmodels.octoprintUptimeViewModel;
    return !asking || asking.answer() || asking.stale() || !asking.permitted();
}"""


class Reports:
    """What a page reports: its console's errors, and its exceptions."""

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors
        self.exceptions: list[str] = []

    def note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(OCTOPRINTS_OWN_REFUSALS):
            self.errors.append(f"{message.text} {message.location['url']}")


def load_page(
    chromium: Browser,
    reports: Reports,
    server: OctoPrint,
    user: str | None = "admin",
    width: int = 1400,
    prepare: Callable[[Page], None] | None = None,
    **options: Any,
) -> Page:
    """Open OctoPrint's page in a new context. Unless it is prepared by a test, wait for the plugin's first answer."""
    options = {"locale": "en-US", "viewport": {"width": width, "height": 900}, **options}
    context = chromium.new_context(base_url=server.url, **options)
    context.add_init_script(WITHOUT_FADES)
    if user is not None:
        cookies = server.log_in(user).cookies.get_dict()
        context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
    page = context.new_page()
    page.on("console", reports.note)
    page.on("pageerror", lambda error: reports.exceptions.append(str(error)))
    if prepare is not None:
        prepare(page)
    page.goto("/")
    page.wait_for_selector("#navbar", state="attached")
    page.wait_for_selector("#page-container-loading", state="hidden")
    if prepare is None:
        page.wait_for_function(HAS_ASKED)
    return page


@pytest.fixture
def open_page(chromium: Browser, console_errors: list[str]) -> Iterator[OpenPage]:
    """Open OctoPrint's page for a logged-in user, or without a login; an exception in it fails the test."""
    pages: list[Page] = []
    reports = Reports(console_errors)

    def open_page(server: OctoPrint, *arguments: Any, **options: Any) -> Page:
        page = load_page(chromium, reports, server, *arguments, **options)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert reports.exceptions == []


KeptPages = Callable[[OctoPrint, str, str], tuple[Page, Reports]]


@pytest.fixture(scope="session")
def kept_pages(chromium: Browser) -> Iterator[KeptPages]:
    """Load a page for a server, a user and a language. Keep only the last few, since each takes processor time."""
    pages: dict[tuple[str, str, str], tuple[Page, Reports]] = {}

    def get(server: OctoPrint, user: str, locale: str) -> tuple[Page, Reports]:
        key = (server.url, user, locale)
        if key not in pages:
            reports = Reports([])
            pages[key] = load_page(chromium, reports, server, user, locale=locale, permissions=CLIPBOARD), reports
        pages[key] = pages.pop(key)
        while len(pages) > KEPT_PAGES:
            pages.pop(next(iter(pages)))[0].context.close()
        return pages[key]

    yield get
    for page, _ in pages.values():
        page.context.close()


@pytest.fixture
def share_page(kept_pages: KeptPages, console_errors: list[str]) -> Iterator[SharePage]:
    """Give a page that many tests share, because OctoPrint's takes two seconds to load.

    Its tests may open and change things, but must leave the notice.
    """
    used: list[tuple[Page, Reports, int]] = []

    def share_page(server: OctoPrint, user: str = "admin", locale: str = "en-US") -> Page:
        page, reports = kept_pages(server, user, locale)
        page.wait_for_function(HAS_SETTINGS, arg=server.settings())
        reports.errors = console_errors
        notices = 1 if server.answer()["unseen_restart"] else 0
        expect(notice(page)).to_have_count(notices)
        used.append((page, reports, notices))
        return page

    yield share_page
    for page, reports, notices in used:
        tidy(page)
        expect(notice(page)).to_have_count(notices)
        found, reports.exceptions[:] = reports.exceptions[:], []
        assert found == []


def tidy(page: Page) -> None:
    """Undo everything that a test may have opened, changed or pointed at."""
    page.unroute_all(behavior="ignoreErrors")
    page.set_viewport_size({"width": 1400, "height": 900})
    page.evaluate("""() => {
        if ($("#settings_dialog").is(":visible")) OctoPrint.coreui.viewmodels.settingsViewModel.cancelData();
        $(".modal:visible").modal("hide");
        $("style.theme").remove();
        PNotify.notices
            .filter(({elem}) => !elem.hasClass("octoprint_uptime_notice"))
            .forEach((other) => other.remove(false));
        document.activeElement.blur();
        OctoPrint.coreui.viewmodels.octoprintUptimeStripViewModel.reachable(29);
        scrollTo(0, 0);
    }""")
    page.mouse.move(600, 500)
    if popover(page).is_visible():
        entry(page).click()
    with page.expect_response(lambda response: response.url.endswith(ENDPOINT)):
        poll_now(page)


@pytest.fixture
def page(share_page: SharePage, server: OctoPrint) -> Page:
    """Give an administrator's page of `server`, which many tests share."""
    return share_page(server)


@pytest.fixture
def page_with_log(share_page: SharePage, only_read: OctoPrint) -> Page:
    """Give an administrator's page of `only_read`, which many tests share."""
    return share_page(only_read)
