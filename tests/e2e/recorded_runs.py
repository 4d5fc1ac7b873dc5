"""Record runs of a server, and read them from the database, the API and the event."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from octoprint_uptime.restart_log.trusted_clocks import EARLIEST
from runs import Run, write_runs
from support import ENDPOINT, ID, UP_FOR_AN_HOUR, OctoPrint

LOST_PRINT_FIELDS = {"file", "path", "origin", "progress", "position_bytes", "z", "seen_at", "started_at"}
EVENT = f"plugin_{ID}_restarted"

# Writes each event to a file, as other plugins get it.
RECORDER = f"""
import json, os
import octoprint.plugin, octoprint.settings

__plugin_pythoncompat__ = ">=3"

class Recorder(octoprint.plugin.EventHandlerPlugin):
    def on_event(self, event, payload):
        if event == {EVENT!r}:
            with open(os.path.join(octoprint.settings.settings().getBaseFolder("base"), "events"), "a") as file:
                file.write(json.dumps(payload) + "\\n")

__plugin_implementation__ = Recorder()
"""

SHORT = "G4 P20\n" * 40
FLAT = "G4 P300\n" * 1000  # five minutes
LONG = f"G1 Z12.4 F6000\n{FLAT}"


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait until the condition is true, and return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
    return found


def events(server: OctoPrint) -> list[dict[str, Any]]:
    """Return the payloads of the event so far."""
    path = server.basedir / "events"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def restarts(server: OctoPrint, user: str = "admin") -> list[dict[str, Any]]:
    """Return the API's list of restarts."""
    response = server.session(user).get(server.url + ENDPOINT, params={"restarts": "1000"})
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["restarts"]
    return found


def system_info(server: OctoPrint) -> tuple[Any, Any]:
    """Return the two lines in System info."""
    info = server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"]
    return tuple(info[f"env.plugins.{ID}.{key}"] for key in ("last_restart", "last_restart_at"))


def database(server: OctoPrint) -> Path:
    return server.basedir / "data" / ID / "restart_log.db"


@contextmanager
def opened(server: OctoPrint) -> Iterator[sqlite3.Connection]:
    """Open a copy of the database as a power cut would leave it, since a running server locks its file."""
    with tempfile.TemporaryDirectory() as folder:
        while not _copied(database(server), folder):
            pass
        with closing(sqlite3.connect(Path(folder, database(server).name))) as connection:
            connection.row_factory = sqlite3.Row
            yield connection


def _copied(path: Path, folder: str) -> bool:
    """Copy the database's files. Return False if the server deleted one meanwhile by closing the database."""
    try:
        for part in path.parent.glob(f"{path.name}*"):
            shutil.copy(part, folder)
    except FileNotFoundError:
        Path(folder, f"{path.name}-wal").unlink(missing_ok=True)
        return False
    return True


def rows(server: OctoPrint) -> list[dict[str, Any]]:
    """Return the database's runs, after checking them. Their prints must be files of `connect`."""
    found = rows_of_any_print(server)
    for row in found:
        if row["print_path"] is not None:
            assert row["print_path"].rpartition("/")[2] in ("short.gcode", "flat.gcode", "long.gcode")
            assert row["print_origin"] == "local"
    return found


def rows_of_any_print(server: OctoPrint) -> list[dict[str, Any]]:
    """Return the database's runs, after checking them, or nothing if there is no database yet."""
    if not database(server).exists():
        return []
    with opened(server) as connection:
        assert [tuple(row) for row in connection.execute("PRAGMA integrity_check")] == [("ok",)]
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            return []
        found = [dict(row) for row in connection.execute("SELECT * FROM runs ORDER BY id")]
    for row in found:
        assert 0 < row["started"] <= row["recorded_from"] <= row["last_alive"]
        assert row["offset"] > EARLIEST - row["started"] or row["offset"] < 0
        assert row["ended"] in ("clean", "off", None)
        about_the_print = {key: value for key, value in row.items() if key.startswith("print_")}
        streamed = about_the_print.pop("print_streamed")
        if row["print_path"] is None:
            assert (streamed, set(about_the_print.values())) == (0, {None})
        else:
            assert row["printed"] == 1
            assert row["print_started"] is None or row["started"] <= row["print_started"] <= row["last_alive"]
        if row["print_seen"] is not None:
            assert row["print_percent"] is None or 0 <= row["print_percent"] <= 100
            assert (row["print_started"] or row["started"]) <= row["print_seen"] <= row["last_alive"]
            # The print head may move before OctoPrint reports a position.
            assert row["print_position"] is None or row["print_position"] >= 0
    return found


def connect(server: OctoPrint) -> None:
    """Connect the virtual printer and upload the three files, one of them into a folder."""
    session = server.session("admin")
    command = {"command": "connect", "port": "VIRTUAL", "baudrate": 115200}
    session.post(f"{server.url}/api/connection", json=command).raise_for_status()
    for name, code, folder in (("short.gcode", SHORT, ""), ("flat.gcode", FLAT, ""), ("long.gcode", LONG, "parts")):
        files, data = {"file": (name, code)}, {"path": folder}
        session.post(f"{server.url}/api/files/local", files=files, data=data).raise_for_status()
    until(lambda: state(server) == "Operational")


def job(server: OctoPrint) -> dict[str, Any]:
    """Return the state of OctoPrint's print job."""
    found: dict[str, Any] = server.session("admin").get(f"{server.url}/api/job").json()
    return found


def state(server: OctoPrint) -> str:
    return str(job(server)["state"])


def print_file(server: OctoPrint, name: str, start: bool = True) -> None:
    """Select a file, and start its print."""
    command = {"command": "select", "print": start}
    server.session("admin").post(f"{server.url}/api/files/local/{name}", json=command).raise_for_status()


def jog(server: OctoPrint) -> None:
    """Raise the print head by hand, and wait until OctoPrint has reported it."""
    command = {"command": "jog", "z": 7}
    server.session("admin").post(f"{server.url}/api/printer/printhead", json=command).raise_for_status()
    time.sleep(1)


def pause(server: OctoPrint, action: str = "pause") -> None:
    """Pause the print, or resume it, and wait until it is."""
    # OctoPrint 1.11 forgets a pause that comes while it is still starting the print.
    until(lambda: state(server) in ("Printing", "Paused"))
    command = {"command": "pause", "action": action}
    server.session("admin").post(f"{server.url}/api/job", json=command).raise_for_status()
    until(lambda: state(server) == {"pause": "Paused", "resume": "Printing"}[action])


def printing(server: OctoPrint) -> Any:
    """Return the newest run if it prints."""
    return next((row for row in rows(server)[-1:] if row["print_path"]), None)


def end(server: OctoPrint, how: str) -> None:
    """Stop the server and all its processes, including those of a wrapper."""
    assert server.process is not None
    group = server.process.pid
    {"clean": server.stop, "killed": server.kill}[how]()
    until(lambda: not _alive(group))


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def moment(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def check_order(found: list[dict[str, Any]]) -> None:
    """Check that restarts don't overlap, and that their times are in order and plausible."""
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True)
    last = EARLIEST
    for each in reversed(found):
        # Each is a whole second, rounded by itself.
        ended_after, host_started, started = (each[key] for key in ("ended_after", "host_started_at", "started_at"))
        for key in ("run_started_at", "ended_after", "ended_before", "started_at"):
            if each[key] is not None:
                assert last - 1 <= moment(each[key]) <= time.time() + 1, (key, each)
                last = max(last, moment(each[key]))
        if host_started:
            assert moment(ended_after or host_started) - 1 <= moment(host_started) <= moment(started) + 1
        low, high = each["downtime_seconds_min"], each["downtime_seconds_max"]
        assert low is None or low >= 0
        assert low is None or high is None or low <= high


class Start(NamedTuple):
    """The state of a server soon after a start."""

    answer: dict[str, Any]
    listed: list[dict[str, Any]]
    events: list[dict[str, Any]]
    system_info: tuple[Any, Any]
    rows: list[dict[str, Any]]
    before: float  # wall clock before and after the end of the run before
    after: float

    @property
    def last(self) -> dict[str, Any]:
        last: dict[str, Any] = self.answer["last_restart"]
        return last


def start_with_runs(server: OctoPrint, runs: Iterable[Run]) -> None:
    """Start a server that has these runs in its log, and wait until it has read them."""
    write_runs(server.basedir, runs)
    server.start(UP_FOR_AN_HOUR)
    until(lambda: server.answer()["last_restart"])


def begin(server: OctoPrint, how: str | None = None) -> Start:
    """Stop the server if it is running, start it, and return its state once it has read its log."""
    again = database(server).exists()
    before = time.time()
    if how is not None:
        end(server, how)
    after = time.time()
    told = len(events(server))
    server.start()
    if again:
        until(lambda: len(events(server)) > told)
    else:
        until(lambda: database(server).exists() and rows(server))
    return Start(
        server.answer(), restarts(server), events(server)[told:], system_info(server), rows(server), before, after
    )
