from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

try:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
except ModuleNotFoundError:
    sys.exit("These tests run in the tools' environment: `make .venv/tools/.plugin`, then .venv/tools/bin/pytest.")

from octoprint_uptime import settings
from page_parts import RUNS, UP_FOR_AN_HOUR
from recorded_runs import until
from runs import write_runs
from support import GROUPS, OTHERS, USERS, MakeServer, OctoPrint, OpenPage, SharedServer
from system import launch

# What the page of 2.0.0rc7 itself asks for on behalf of read-only users, who may not.
OCTOPRINTS_OWN_REFUSALS = ("/api/settings/reauthReq", "/api/printer/command/custom")

# OctoPrint's dialogs and notices fade. Tests don't wait for that; what the plugin itself animates is not touched.
WITHOUT_FADES = """
    document.addEventListener("DOMContentLoaded", () => { if (window.$) $.fx.off = true; });
    window.addEventListener("load", () => { if (window.$) $.support.transition = false; });
"""


@pytest.fixture(scope="session")
def octoprint_executable(octoprint_environment: Path) -> Path:
    return octoprint_environment / "bin" / "octoprint"


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    """Start each kind of server once for each OctoPrint, whatever the order of the tests.

    A session-scoped fixture for each kind would start anew whenever the tests switch to the other OctoPrint.
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


def start_with_runs(server: OctoPrint) -> None:
    write_runs(server.basedir, RUNS)
    server.start(UP_FOR_AN_HOUR)
    until(lambda: server.answer()["last_restart"])


@pytest.fixture
def only_read(shared_server: SharedServer, octoprint_executable: Path) -> OctoPrint:
    """Give a running OctoPrint with a restart log, to tests that dismiss and clear nothing."""
    return shared_server(octoprint_executable, "only_read", start_with_runs)


def start_crowded(server: OctoPrint) -> None:
    server.add_plugins(OTHERS)
    server.start()


@pytest.fixture
def crowded_server(shared_server: SharedServer, octoprint_executable: Path) -> OctoPrint:
    """Give a running OctoPrint with three entries of another plugin in its navbar, of 200 px each."""
    return shared_server(octoprint_executable, "crowded_server", start_crowded)


@pytest.fixture
def make_server(octoprint_executable: Path, tmp_path: Path) -> Iterator[MakeServer]:
    """Starts an OctoPrint of a test's own: its settings, its surroundings, other plugins' code beside ours."""
    servers: list[OctoPrint] = []

    def make(
        wrapper: Iterable[str] = (),
        plugins: dict[str, Any] | None = None,
        extra_plugins: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
        enable: Iterable[str] = (),
        groups: dict[str, Any] | None = None,
        seed: Callable[[Path], None] | None = None,
    ) -> OctoPrint:
        server = OctoPrint(octoprint_executable, tmp_path / f"octoprint{len(servers)}")
        servers.append(server)
        server.prepare(USERS, {**GROUPS, **(groups or {})}, plugins, enable)
        server.add_plugins(extra_plugins or {})
        if seed is not None:
            seed(server.basedir)
        server.start(wrapper, env)
        return server

    yield make
    for server in servers:
        server.stop()
        server.check_log()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as browser:
        playwright.selectors.set_test_id_attribute("data-test-id")  # OctoPrint's
        yield browser


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """What the browser's console saw; a test that causes errors clears it."""
    errors: list[str] = []
    yield errors
    assert errors == []


@pytest.fixture
def open_page(chromium: Browser, console_errors: list[str]) -> Iterator[OpenPage]:
    """Opens OctoPrint's page for somebody who has logged in, or for nobody; an exception in it fails the test."""
    contexts: list[BrowserContext] = []
    exceptions: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(OCTOPRINTS_OWN_REFUSALS):
            console_errors.append(f"{message.text} {message.location['url']}")

    def open_page(
        server: OctoPrint,
        user: str | None = "admin",
        width: int = 1400,
        prepare: Callable[[Page], None] | None = None,
        **options: Any,
    ) -> Page:
        options = {"locale": "en-US", "viewport": {"width": width, "height": 900}, **options}
        context = chromium.new_context(base_url=server.url, **options)
        contexts.append(context)
        context.add_init_script(WITHOUT_FADES)
        if user is not None:
            cookies = server.log_in(user).cookies.get_dict()
            context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: exceptions.append(str(error)))
        if prepare is not None:
            prepare(page)
        page.goto("/")
        page.wait_for_selector("#navbar", state="attached")
        page.wait_for_selector("#page-container-loading", state="hidden")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert exceptions == []
