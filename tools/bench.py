"""Measure what the plugin costs, compared with a reference in the same run.

Prints a Markdown table with each figure, the values in each OctoPrint version, and the limit. Exits with 1 if a value
is over its limit.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import logging
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from namespaces import with_slow_disk
from octoprint_server import PASSWORD, Server, api_key
from octoprint_uptime import clock
from octoprint_uptime.clock import process_clock
from octoprint_uptime.evidence import system
from octoprint_uptime.recording import Printer, Recording
from octoprint_uptime.restart_log import Print, Progress, RestartLog
from octoprint_uptime.restart_log.recorder import HEARTBEAT_SECONDS, PRINTING_HEARTBEAT_SECONDS
from runs import Run, write_runs
from stopwatch import STOPWATCH, took
from system import launch

ENDPOINT = "/api/plugin/octoprint_uptime"
EMPTY = "/api/plugin/empty"
METRICS = f"{ENDPOINT}?format=prometheus"
ENTRY = "#navbar_plugin_octoprint_uptime"

# The smallest plugin with an API.
EMPTY_PLUGIN = """
import flask
import octoprint.plugin

__plugin_name__ = "Empty"
__plugin_pythoncompat__ = ">=3"

class EmptyPlugin(octoprint.plugin.SimpleApiPlugin):
    def is_api_protected(self):
        return True

    def on_api_get(self, request):
        return flask.jsonify(ok=True)

__plugin_implementation__ = EmptyPlugin()
"""


def short_runs(count: int) -> list[Run]:
    """Return ``count`` runs of 36 minutes; 1,000 fill a month. Every third was killed, every tenth had a print.

    The last one ended with a clean shutdown, and all notices are dismissed.
    """
    return [
        Run(
            f"boot {number // 24}",
            number * 2 / 3,
            (number - 0.9) * 2 / 3,
            "clean" if number % 3 else None,
            "part.gcode" if number % 10 == 0 else None,
            dismissed=True,
        )
        for number in range(count + 1, 1, -1)
    ]


@contextmanager
def running(
    executable: Path, without: bool = False, runs: int = 1000, wrapper: Iterable[str] = (), stopwatch: bool = False
) -> Iterator[Server]:
    """Run OctoPrint with the plugin, an empty plugin and a log of ``runs`` runs; ``without`` leaves the plugin out."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(executable, Path(folder))
        server.prepare({"admin": {"groups": ["users", "admins"]}}, disable=["octoprint_uptime"] if without else [])
        (server.basedir / "plugins").mkdir()
        for name, code in {"empty.py": EMPTY_PLUGIN, **(STOPWATCH if stopwatch else {})}.items():
            (server.basedir / "plugins" / name).write_text(code)
        if runs:
            write_runs(server.basedir, short_runs(runs))
        server.start(wrapper)
        try:
            assert status(server) == (404 if without else 200)
            yield server
        finally:
            server.stop()


def status(server: Server) -> int:
    """Return the HTTP status of the plugin's response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", ENDPOINT, headers={"X-Api-Key": api_key("admin")})
    return connection.getresponse().status


def milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def getter(server: Server) -> Callable[[str], bytes]:
    """Return a function that requests a path over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def get(path: str) -> bytes:
        connection.request("GET", path, headers={"X-Api-Key": api_key("admin")})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return response.read()

    return get


def request_ratio(executable: Path, path: str, reference: str, rounds: int = 5, pairs: int = 1000) -> float:
    """Return the median response time of ``path`` divided by that of ``reference``, measured over one connection."""
    with running(executable) as server:
        get = getter(server)
        order = [path, reference]

        def ratio(pairs: int) -> float:
            times: dict[str, list[float]] = {path: [] for path in order}
            for _ in range(pairs):
                for path in order:
                    times[path].append(milliseconds(partial(get, path)))
                order.reverse()
            return median(times[path]) / median(times[reference])

        ratio(50)
        return median(ratio(pairs) for _ in range(rounds))


def wait_for(server: Server, field: str) -> None:
    """Wait until the restart log has been read, as this field of a response shows."""
    get = getter(server)
    deadline = time.monotonic() + 60
    while not json.loads(get(ENDPOINT))[field]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{field} is still null")
        time.sleep(0.1)


def scrape_costs(executable: Path) -> tuple[float, float, int, int]:
    """Return the milliseconds of the first scrape and of a later one, and the bytes and samples after a crash."""
    with running(executable, runs=0) as server:
        wait_for(server, "recorded_runs")  # else the kill leaves no trace
        server.kill()
        server.start()
        wait_for(server, "last_restart")
        get = getter(server)
        first = milliseconds(partial(get, METRICS))
        later = median(milliseconds(partial(get, METRICS)) for _ in range(100))
        lines = get(METRICS).splitlines(keepends=True)
    return first, later, sum(map(len, lines)), sum(not line.startswith(b"#") for line in lines)


def import_cost(python: str, pairs: int = 30) -> float:
    """Return how many milliseconds longer it takes to import the format functions than to import an empty package."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "empty_package").mkdir()
        (Path(folder) / "empty_package" / "__init__.py").write_text("format_uptime = None\n")

        def fresh(package: str) -> float:
            command = [python, "-c", f"from {package} import format_uptime"]
            return milliseconds(lambda: subprocess.run(command, cwd=folder, check=True))

        fresh("octoprint_uptime")
        return median(fresh("octoprint_uptime") - fresh("empty_package") for _ in range(pairs))


def start_cost(executable: Path, pairs: int = 20) -> float:
    """Return how many milliseconds the plugin adds to the time until the server is ready."""

    def start(without: bool) -> float:
        with running(executable, without) as server:
            return server.ready_after * 1000

    start(without=False)
    differences = []
    for pair in range(pairs):
        first = pair % 2 == 0
        times = {without: start(without) for without in (first, not first)}
        differences.append(times[False] - times[True])
    return median(differences)


def stop_cost(executable: Path, ends: int = 1, wrapper: Iterable[str] = ()) -> float:
    """Return the longest time in milliseconds that the plugin takes when OctoPrint shuts down."""
    times = []
    for _ in range(ends):
        with running(executable, wrapper=wrapper, stopwatch=True) as server:
            time.sleep(1)  # until a healthy disk has everything that the start wrote
            server.stop()
            times.append(took(server) * 1000)
    return max(times)


def shipped_bytes(python: str) -> int:
    """Return how many bytes of JavaScript and CSS a page loads, with each file gzipped."""
    lines = ["import json", "from octoprint_uptime import plugin"]
    lines.append("print(json.dumps([plugin.__file__, plugin.UptimePlugin().get_assets()]))")
    run = subprocess.run([python, "-c", "\n".join(lines)], capture_output=True, text=True, check=True, cwd="/")
    file, assets = json.loads(run.stdout)
    files = [Path(file).parent / "static" / name for names in assets.values() for name in names]
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def written() -> int:
    """Return how many bytes this process has written."""
    found = re.search(r"wchar: (\d+)", Path("/proc/self/io").read_text())
    assert found
    return int(found[1])


def started_log(basedir: Path, runs: list[Run], read_print: Callable[[], Print | None] = lambda: None) -> RestartLog:
    """Start a log after these runs, with all signs, and wait until it has announced the last restart."""
    write_runs(basedir, runs)
    path = basedir / "data" / "octoprint_uptime" / "restart_log.db"
    announced = threading.Event()
    log = RestartLog(path, "1.11.8", logging.getLogger(), lambda _: announced.set())
    now = clock.boot_clock()
    signs = system.counters()._replace(under_voltage=now, asked="restart", asked_at=now)
    log.begin(now, now, read_print, lambda: signs)
    assert announced.wait(10)
    return log


def written_by_an_examination() -> int:
    """Return how many bytes more a start and a stop write if the run before stopped unexpectedly."""

    def start_and_stop(ended: str | None) -> int:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            *runs, last = short_runs(1000)
            before = written()
            log = started_log(Path(folder), [*runs, last._replace(ended=ended)])
            assert log.stop(60)
            return written() - before

    return start_and_stop(None) - start_and_stop("clean")


def written_by_an_ask(asks: int = 100) -> float:
    """Return how many bytes the log writes when OctoPrint is asked to shut down."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log = started_log(Path(folder), short_runs(1000))
        process = process_clock(logging.getLogger())
        recording = Recording(log, process, "octoprint_uptime", Printer(dict, lambda: None))
        recording.start(True)
        before = written()
        for _ in range(asks):
            recording.asked("restart")
        assert log.stop(60)
        return (written() - before) / asks


def written_a_day(printing: bool, heartbeat: float, beats: int = 100) -> float:
    """Return the kilobytes that the restart log writes per day, with or without a print.

    The log writes once per ``heartbeat``, in seconds.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        counter = itertools.count()

        def read_print() -> Print | None:
            if not printing:
                return None
            count = next(counter)
            progress = Progress.of(count / 10, 1000 * count, 12.4, clock.boot_clock())
            return Print("parts/benchy.gcode", "local", now, progress, streamed=True)

        now = clock.boot_clock()
        log = started_log(Path(folder), short_runs(1000), read_print)
        before = written()
        for _ in range(beats):
            log.update()  # writes the same as a heartbeat
        assert log.stop(60)
        spent = written() - before
    assert spent > beats * 100, "the log writes nothing"
    return spent / beats * 86400 / heartbeat / 1000


def open_page(browser: Browser, server: Server, install_clock: bool = False) -> Page:
    page = browser.new_page(base_url=server.url, locale="en-US")
    if install_clock:
        page.clock.install()  # before any script sets a timer
    page.goto("/login/")
    page.fill("#login-user", "admin")
    page.fill("#login-password", PASSWORD)
    page.click("#login-button")
    page.wait_for_selector(ENTRY, state="visible")
    return page


HIDE = """() => {
    Object.defineProperty(document, "hidden", {value: true, configurable: true});
    Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def requests_an_hour(browser: Browser, server: Server, hidden: bool) -> int:
    """Return how many requests the page sends in one simulated hour, with default settings."""
    page = open_page(browser, server, install_clock=True)
    page.wait_for_function("OctoPrint.coreui.viewmodels.octoprintUptimeViewModel.answer()")
    if hidden:
        page.evaluate(HIDE)
        page.wait_for_timeout(300)  # until requests that are under way have been sent
    count = 0

    def note(url: str) -> None:
        nonlocal count
        count += ENDPOINT in url

    page.on("request", lambda request: note(request.url))
    for _ in range(3600):
        page.clock.run_for(1000)
        page.wait_for_timeout(2)
    page.close()
    assert hidden or count > 55, "the visible page sends no requests"
    return count


def log_cost(browser: Browser, full: Server, empty: Server, pairs: int = 7) -> float:
    """Return how many milliseconds longer it takes to open the restart log than to open an empty one."""

    def open_log(server: Server, there: str) -> float:
        page = open_page(browser, server)
        page.click(f"{ENTRY}_button")
        link = page.locator(f"{ENTRY}_popover").get_by_text("Restart log", exact=True)
        link.wait_for()
        page.wait_for_timeout(1000)  # until the popover has loaded its strip

        def open_it() -> None:
            link.click()
            page.locator(f"#octoprint_uptime {there}").first.wait_for()

        spent = milliseconds(open_it)
        page.close()
        return spent

    rows, nothing = "summary", ".modal-body > ul:not([class]) > li"
    return median(open_log(full, rows) - open_log(empty, nothing) for _ in range(pairs))


# The lowest possible cost of a counting text: an entry with a one-line script.
START_FLOOR = """() => {
    const entry = $("<li><a></a></li>").prependTo("#navbar .nav");
    let count = 0;
    const write = () => entry.find("a").text(`Host 12d 3h 4m ${10 + (++count % 50)}s`);
    write();
    window.floor = {entry, timer: setInterval(write, 1000)};
}"""
STOP_FLOOR = "() => { clearInterval(floor.timer); floor.entry.remove(); }"


def show_entry(server: Server, shown: bool) -> None:
    """Show or hide the navbar's entry in every page."""
    values = {"show_system_uptime": shown, "show_octoprint_uptime": shown}
    headers = {"X-Api-Key": api_key("admin"), "Content-Type": "application/json"}
    body = json.dumps({"plugins": {"octoprint_uptime": values}}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/api/settings", body, headers)).close()


def idle_costs(browser: Browser, server: Server, rounds: int = 7, seconds: float = 10) -> tuple[float, float]:
    """Return the main thread's milliseconds per second for the entry and for the smallest possible one."""
    page = open_page(browser, server)
    session = page.context.new_cdp_session(page)
    # Measure CPU time of the thread, so that other processes don't count.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    def a_second() -> float:
        page.wait_for_timeout(1500)  # until the page has settled after the last change
        started, before = time.monotonic(), spent()
        page.wait_for_timeout(seconds * 1000)
        return (spent() - before) * 1000 / (time.monotonic() - started)

    entry, floor = [], []
    for _ in range(rounds):
        show_entry(server, True)
        page.wait_for_selector(ENTRY, state="visible")
        counting = a_second()
        show_entry(server, False)
        page.wait_for_selector(ENTRY, state="hidden")
        without = a_second()
        page.evaluate(START_FLOOR)
        least = a_second()
        page.evaluate(STOP_FLOOR)
        print(f"{counting:.2f} counting, {without:.2f} without, {least:.2f} floor", file=sys.stderr, flush=True)
        entry.append(counting - without)
        floor.append(least - without)
    show_entry(server, True)
    page.close()
    return median(entry), median(floor)


def seconds_of(text: str) -> int:
    sizes = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(part[:-1]) * sizes[part[-1]] for part in text.split())


def drifts(browser: Browser, servers: list[Server], minutes: float = 5) -> tuple[list[float], list[float]]:
    """Return the most seconds that each navbar was behind the API's texts, and the most that it was ahead."""
    pages = [open_page(browser, server) for server in servers]
    behind, ahead = [0.0] * len(servers), [0.0] * len(servers)
    fields = ("uptime", "octoprint_uptime")

    def texts_of(server: Server) -> list[int]:
        request = urllib.request.Request(server.url + ENDPOINT, headers={"X-Api-Key": api_key("admin")})
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
        return [seconds_of(answer[field]) for field in fields]

    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        for number, (server, page) in enumerate(zip(servers, pages, strict=True)):
            before = texts_of(server)
            text = page.inner_text(f"{ENTRY}_texts")
            after = texts_of(server)
            found = re.search(r"Host (.*?) \| OctoPrint (.*?)\s*$", text)
            assert found, text
            for least, shown, most in zip(before, map(seconds_of, found.groups()), after, strict=True):
                behind[number] = max(behind[number], least - shown)
                ahead[number] = max(ahead[number], shown - most)
        pages[0].wait_for_timeout(730)
    return behind, ahead


def main() -> int:
    environments = [Path(argument).absolute() for argument in sys.argv[1:]]
    executables = [environment / "bin" / "octoprint" for environment in environments]
    versions = [environment.name.removeprefix("octoprint-") for environment in environments]
    pythons = [str(executable.with_name("python")) for executable in executables]
    rows: list[tuple[str, str, list[float], float | None]] = []

    def row(figure: str, unit: str, bound: float | None, values: list[float]) -> None:
        rows.append((figure, unit, values, bound))
        print(figure, values, file=sys.stderr, flush=True)

    answer = "median response time relative to an empty plugin (5 rounds of 1,000 pairs)"
    row(answer, " times", 1.15, [request_ratio(executable, ENDPOINT, EMPTY) for executable in executables])
    scrape = "median time of a scrape relative to a response in JSON (5 rounds of 400 pairs)"
    ratios = [request_ratio(executable, METRICS, ENDPOINT, pairs=400) for executable in executables]
    row(scrape, " times", 1.3, ratios)
    first, later, size, samples = map(list, zip(*map(scrape_costs, executables), strict=True))
    row("the first scrape, which imports `prometheus_client`", " ms", None, first)
    row("a later scrape", " ms", None, later)
    row("size of a scrape", " bytes", 2560, size)
    row("samples of a scrape", "", 12, samples)
    imports = "`from octoprint_uptime import format_uptime`, beyond importing an empty package"
    row(imports, " ms", 10, [import_cost(python) for python in pythons])
    row("added to OctoPrint's start, 20 pairs", " ms", 100, [start_cost(executable) for executable in executables])
    row("added to OctoPrint's shutdown, longest of 7", " ms", 50, [stop_cost(each, ends=7) for each in executables])
    slow = [stop_cost(executable, wrapper=with_slow_disk(10)) for executable in executables]
    row("added to OctoPrint's shutdown if each write to the disk takes 10 s", " ms", 5000, slow)
    row("JavaScript and CSS, gzipped", " KiB", 32, [shipped_bytes(python) / 1024 for python in pythons])
    idle = written_a_day(False, HEARTBEAT_SECONDS)
    row("written by the restart log per day without a print", " KB", 1000, [idle] * len(executables))
    busy = written_a_day(True, PRINTING_HEARTBEAT_SECONDS)
    row("written by the restart log per day of printing", " KB", 1000, [busy] * len(executables))
    examined = float(written_by_an_examination())
    row("additionally written after an unexpected shutdown", " bytes", 1500, [examined] * len(executables))
    asked = written_by_an_ask()
    row("written each time OctoPrint is asked to shut down", " bytes", 1000, [asked] * len(executables))
    with ExitStack() as stack, sync_playwright() as playwright, launch(playwright) as browser:
        servers = [stack.enter_context(running(executable)) for executable in executables]
        visible = [requests_an_hour(browser, server, hidden=False) for server in servers]
        hidden = [requests_an_hour(browser, server, hidden=True) for server in servers]
        row("requests per hour, page visible", "", 61, [*map(float, visible)])
        row("requests per hour, page hidden", "", 0, [*map(float, hidden)])
        empty = [stack.enter_context(running(executable, runs=0)) for executable in executables]
        costs = [log_cost(browser, *pair) for pair in zip(servers, empty, strict=True)]
        row("opening a log with 1,000 runs, beyond opening an empty one", " ms", 150, costs)
        entry, floor = zip(*(idle_costs(browser, server) for server in servers), strict=True)
        row("main-thread time per second for the counting entry", " ms", 4, [*entry])
        row("main-thread time per second for a one-line script that counts", " ms", None, [*floor])
        behind, ahead = drifts(browser, servers)
        row("longest lag of the navbar behind the API's text, over five minutes", " s", 1, behind)
        row("longest lead of the navbar over the API's text, over five minutes", " s", 0, ahead)

    print("| Figure |", *(f"OctoPrint {version} |" for version in versions), "Limit |")
    print("|---|" + "---:|" * (len(versions) + 1))
    broken = False
    for figure, unit, values, bound in rows:
        over = [bound is not None and value > bound for value in values]
        broken |= any(over)
        cells = [
            f"{value:.4g}{unit}{' **over the limit**' if it else ''}" for value, it in zip(values, over, strict=True)
        ]
        print("|", " | ".join([figure, *cells, "" if bound is None else f"{bound:.4g}{unit}"]), "|")
    return broken


if __name__ == "__main__":
    sys.exit(main())
