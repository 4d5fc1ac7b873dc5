"""Servers, users and page helpers that the tests share."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import requests
import yaml
from playwright.sync_api import Locator, Page, Request

from namespaces import with_boot_clock
from octoprint_server import PASSWORD, Process, Server, api_key
from warm_starts import WarmStarts

ID = "octoprint_uptime"
ENDPOINT = f"/api/plugin/{ID}"

SUFFIXES = {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}


# The fields of the API's response.
ANSWER_FIELDS = {
    *(f"{prefix}seconds" for prefix in ("", "octoprint_")),
    *(f"{prefix}started_at" for prefix in ("", "octoprint_")),
    *(f"{prefix}uptime{suffix}" for prefix in ("", "octoprint_") for suffix in SUFFIXES),
    *("uptime_available", "uptime_source", "uptime_scope", "display_format", "poll_interval_seconds"),
    *("last_restart", "unseen_restart", "unseen_restarts", "unseen_lost_prints", "recorded_since"),
    *("recorded_runs", "unexpected_shutdowns", "lost_prints", "boots", "plugin_version"),
}

USERS: dict[str, dict[str, Any]] = {
    "admin": {"groups": ["users", "admins"]},
    "operator": {"groups": ["users"]},
    "viewer": {"groups": ["readonly"]},
    "stranger": {"groups": ["bare"]},  # may log in, but has no STATUS
    "nameless": {"groups": ["nameless"]},  # has STATUS, but not FILES_LIST
    "former": {"groups": ["users"], "active": False},
}
GROUPS = {
    "bare": {"name": "Bare", "description": "", "permissions": ["SETTINGS_READ"], "subgroups": [], "default": False},
    "nameless": {
        "name": "Nameless",
        "description": "",
        "permissions": ["STATUS", "SETTINGS_READ"],
        "subgroups": [],
        "default": False,
    },
}

OTHER = """
import octoprint.plugin
__plugin_name__ = "Other"
__plugin_pythoncompat__ = ">=3.10,<4"
class Other(octoprint.plugin.TemplatePlugin):
    def is_template_autoescaped(self):
        return True
    def get_template_configs(self):
        return [{"type": "navbar", "suffix": f"_{n}", "classes": ["other"], "custom_bindings": False} for n in range(3)]
__plugin_implementation__ = Other()
"""
# Three entries of 200 px with the padding of 15 px on each side that OctoPrint gives to all.
OTHERS = {
    "other/__init__.py": OTHER,
    "other/templates/other_navbar.jinja2": """
        <a style="display: block; width: 170px; overflow: hidden; white-space: nowrap">Another plugin</a>
    """,
}

# OctoPrint logs these without internet, or when it stops during an analysis.
_OCTOPRINTS_OWN = re.compile(
    r"^[^a-z]* - octoprint\.(?:plugins\.pluginmanager|plugins\.softwareupdate|filemanager\.analysis) - "
)


# Plugins of OctoPrint's that no test needs: without them, servers start and pages load faster.
_UNNEEDED = {
    "action_command_notification",
    "action_command_prompt",
    "appkeys",
    "backup",
    "classicwebcam",
    "customcontrolmanager",
    "eventmanager",
    "file_check",
    "gcodeviewer",
    "logging",
    "uploadmanager",
}


def boot_clock() -> float:
    """Return the seconds since this host booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


UP_FOR_AN_HOUR = with_boot_clock(3600 - int(boot_clock()))
COLD = ["env"]  # a prefix that changes nothing, for a start without `WarmStarts`


# Nor its page's tabs, and most of its settings: a page without them loads in two thirds of the time.
_UNNEEDED_PARTS = {
    "tab": ["temperature", "control", "terminal", "timelapse"],
    "settings": [
        # Not "temperatures", whose controls the contrast tests compare with.
        *("serial", "printerprofiles", "terminalfilters", "gcodescripts", "features", "webcam", "api"),
        *("accesscontrol", "folders", "server"),
    ],
    "usersettings": ["access", "interface"],
    "about": ["about", "license", "thirdparty", "authors", "supporters", "systeminfo"],
}


class OctoPrint(Server):
    """A server that remembers how much of its log a test has read."""

    left_out = Server.left_out | _UNNEEDED
    warm_starts: WarmStarts | None = None  # set by conftest.py
    more_config: Mapping[str, Any] = {"appearance": {"components": {"disabled": _UNNEEDED_PARTS}}}
    _seen = 0

    def _run(self, wrapper: list[str], command: list[str], env: dict[str, str]) -> Process:
        """Start warm, unless the environment or the command's prefix differ from the usual ones."""
        warm = self.warm_starts
        if warm is None or env != os.environ or wrapper not in ([], UP_FOR_AN_HOUR):
            return super()._run(wrapper, command, env)
        console = self.basedir / "console.log"
        console.touch()
        return warm.start(tuple(wrapper), command, env, console)

    def add_plugins(self, files: dict[str, str]) -> None:
        """Write other plugins' files into the data folder, before the start."""
        for name, text in files.items():
            file = self.basedir / "plugins" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def session(self, user: str | None = None) -> requests.Session:
        """Return a client with a user's API key, or without one."""
        session = requests.Session()
        if user is not None:
            session.headers["X-Api-Key"] = api_key(user)
        return session

    def log_in(self, user: str) -> requests.Session:
        """Return a client with a session cookie, like a browser's."""
        session = requests.Session()
        session.get(f"{self.url}/login/")
        session.headers["X-CSRF-Token"] = session.cookies[f"csrf_token_P{self.port}"]
        answer = session.post(f"{self.url}/api/login", json={"user": user, "pass": PASSWORD, "remember": True})
        answer.raise_for_status()
        return session

    def answer(self, user: str = "admin") -> dict[str, Any]:
        """Return the API's response."""
        response = self.session(user).get(self.url + ENDPOINT)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def save(self, values: Any, user: str = "admin") -> requests.Response:
        """Save settings of the plugin over the API, as a script does."""
        return self.session(user).post(f"{self.url}/api/settings", json={"plugins": {ID: values}})

    def settings(self) -> dict[str, Any]:
        """Return the plugin's settings from OctoPrint's API."""
        values: dict[str, Any] = self.session("admin").get(f"{self.url}/api/settings").json()["plugins"][ID]
        return values

    def config(self) -> dict[str, Any]:
        """Return config.yaml."""
        config: dict[str, Any] = yaml.safe_load((self.basedir / "config.yaml").read_text(encoding="utf-8"))
        return config

    def stored(self) -> Any:
        """Return the plugin's part of config.yaml."""
        return self.config().get("plugins", {}).get(ID)

    def shell(self, line: str, wrapper: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run a shell command with this data folder and with OctoPrint's virtual environment activated."""
        home = self.basedir.with_name(f"{self.basedir.name}-home")
        home.mkdir(exist_ok=True)
        if not (home / ".octoprint").exists():
            (home / ".octoprint").symlink_to(self.basedir)  # where OctoPrint looks for it by itself
        path = f"{self.executable.parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "HOME": str(home), "PATH": path}
        return subprocess.run([*wrapper, "sh", "-c", line], env=environment, capture_output=True, text=True)

    def new_log(self) -> str:
        """Return the lines that were logged since the last call."""
        time.sleep(0.05)  # OctoPrint writes its log in a thread
        log = self.log
        new, self._seen = log[self._seen :], len(log)
        return new

    def warnings(self) -> list[str]:
        """Return the plugin's warnings since the last call of this or `new_log`, and fail on anything worse."""
        records = self._bad_records()
        messages = [record.partition(f" - octoprint.plugins.{ID} - WARNING - ")[2].rstrip() for record in records]
        assert all(messages), records
        return messages

    def check_log(self) -> None:
        """Fail on an error, a traceback or a warning of the plugin since the last look at the log."""
        assert self._bad_records() == []

    def _bad_records(self) -> list[str]:
        records = re.split(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,)", self.new_log(), flags=re.MULTILINE)
        bad = re.compile(rf" - (?:ERROR|CRITICAL) - |^Traceback| - octoprint\.plugins\.{ID} - WARNING - ", re.MULTILINE)
        return [record for record in records if bad.search(record) and not _OCTOPRINTS_OWN.search(record)]


def check_error(response: requests.Response) -> None:
    """Check that an error response of the plugin's API has the documented form."""
    assert response.headers["Content-Type"] == "application/json"
    assert "no-store" in response.headers["Cache-Control"]
    if response.request.method == "HEAD":
        assert int(response.headers["Content-Length"]) > 0
        assert response.text == ""
        return
    body = response.json()
    assert body.keys() == {"error", "uptime_available"}
    assert body["uptime_available"] is False
    assert isinstance(body["error"], str)
    assert len(body["error"]) > 5


def process_age(pid: int) -> float:
    """Return the age of a process in seconds, by the boot clock."""
    start = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return boot_clock() - start / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(handle: Callable[[BaseHTTPRequestHandler], bytes]) -> Iterator[str]:
    """Run a web server that responds to each request with the result of ``handle``. Give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = handle(self)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


SharedServer = Callable[[Path, str, Callable[[OctoPrint], None]], OctoPrint]


class MakeServer(Protocol):
    def __call__(
        self,
        wrapper: list[str] = ...,
        plugins: dict[str, Any] = ...,
        extra_plugins: dict[str, str] = ...,
        env: dict[str, str] = ...,
        enable: Iterable[str] = ...,
        groups: dict[str, Any] = ...,
        seed: Callable[[Path], None] = ...,
        has_whole_page: bool = ...,
    ) -> OctoPrint: ...


class OpenPage(Protocol):
    def __call__(
        self,
        server: OctoPrint,
        user: str | None = ...,
        width: int = ...,
        prepare: Callable[[Page], None] | None = ...,
        **options: Any,
    ) -> Page: ...


class SharePage(Protocol):
    def __call__(self, server: OctoPrint, user: str = ..., locale: str = ...) -> Page: ...


def entry(page: Page) -> Locator:
    """Return the plugin's entry in the navbar."""
    return page.locator(f"#navbar_plugin_{ID}_button")


MONTHS = {
    "en-US": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "de-DE": ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."],
}


def said(moment: datetime, locale: str = "en-US", zone: str = "UTC") -> str:
    """Return a time in the page's words: without the day if it is today, without the year if it is this year."""
    local = moment.astimezone(ZoneInfo(zone))
    now = datetime.now(ZoneInfo(zone))
    german = locale == "de-DE"
    near = (("heute", "gestern") if german else ("today", "yesterday"))[(now.date() - local.date()).days :][:1]
    clock = local.strftime("%H:%M") if german else local.strftime("%-I:%M\u00a0%p")
    if near:
        return f"{near[0]} {clock}" if german else f"{clock} {near[0]}"
    month = MONTHS[locale][local.month - 1]
    year = "" if local.year == now.year else f" {local.year}" if german else f", {local.year}"
    return f"{local.day}. {month}{year} {clock}" if german else f"{month} {local.day}{year}, {clock}"


def said_about(moment: datetime, locale: str = "en-US", zone: str = "UTC") -> set[str]:
    """Return the words that the page may show for a time that it knows to two seconds."""
    return {said(moment + timedelta(seconds=off), locale, zone) for off in (-2, 0, 2)}


UPTIME = r"(\d+d )?(\d+h )?(\d+m )?\d+s"
BOTH = re.compile(rf"^\s*Host {UPTIME} \| OctoPrint {UPTIME}\s*$")
SYSTEM = re.compile(rf"^\s*Host {UPTIME}\s*$")
OCTOPRINT = re.compile(rf"^\s*OctoPrint {UPTIME}\s*$")


class Requests:
    """A counter of a page's requests to the plugin's API."""

    def __init__(self, page: Page) -> None:
        self.times: list[float] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.split("?")[0].endswith(ENDPOINT):
            self.times.append(time.monotonic())

    @property
    def count(self) -> int:
        return len(self.times)


class PageRequests:
    """The times of a page's requests to the plugin's API, by a clock that the test advances."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.clock.install()
        page.add_init_script(
            f"""
            window.asked = [];
            window.answered = 0;
            const {{open}} = XMLHttpRequest.prototype;
            XMLHttpRequest.prototype.open = function (method, url, ...rest) {{
                if (url.split("?")[0].endsWith("{ENDPOINT}")) {{
                    window.asked.push(performance.now() / 1000);
                    this.addEventListener("loadend", () => {{
                        window.answered++;
                        window.lastAnswer = this.responseText;
                    }});
                }}
                return open.call(this, method, url, ...rest);
            }};
            """
        )

    @property
    def times(self) -> list[float]:
        times: list[float] = self._page.evaluate("window.asked")
        return times

    def within(self, seconds: float, answered: bool = False) -> list[float]:
        """Advance the page's clock by ``seconds``, and return the requests in that time.

        With ``answered``, wait for the response to each request before going on.
        """
        before = len(self.times)
        for _ in range(round(seconds * 4)):
            self._page.clock.run_for(250)
            self._page.wait_for_timeout(25)
            if answered:
                self._page.wait_for_function("answered === asked.length")
        return self.times[before:]
