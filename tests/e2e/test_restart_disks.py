"""The restart log on a slow disk, in files that it can't use, and beside a plugin that hangs.

What else a disk may do is in tests/processes, and what a file may hold in tests/unit/test_store.py.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from namespaces import on_small_disk, with_slow_disk
from page_parts import log, open_log
from recorded_runs import connect, database, end, print_file, restarts, rows, state, system_info, until
from stopwatch import STOPWATCH, took
from support import ENDPOINT, ID, MakeServer, OctoPrint, OpenPage, check_error


def log_file(folder: Path, statements: str = "") -> Path:
    """Write a database where the server will look for its own."""
    path = folder / "octoprint0" / "data" / ID / "restart_log.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)
    return path


def check_unkept(server: OctoPrint, word: str) -> None:
    """Check that everything else works while the log can't be written, and that one warning has this word."""
    answer = server.answer()
    assert answer["uptime_available"] is True
    assert answer["last_restart"] is None
    assert restarts(server) == []
    assert system_info(server) == (None, None)
    found: list[str] = []

    def warned() -> bool:
        found.extend(server.warnings())
        return bool(found)

    until(warned)
    connect(server)
    print_file(server, "short.gcode")  # each start and end of a print is another try
    until(lambda: state(server) == "Operational")
    found += server.warnings()
    assert len(found) == 1, found
    assert word in found[0]
    assert server.answer()["last_restart"] is None


def test_damaged_file_is_set_aside_for_a_new_one(make_server: MakeServer, tmp_path: Path) -> None:
    path = log_file(tmp_path)
    garbage = random.randbytes(20000)
    path.write_bytes(garbage)
    server = make_server()
    check_unkept(server, "can't be used (file is not a database)")
    (aside,) = path.parent.glob("restart_log.db.damaged-*")
    assert aside.read_bytes() == garbage
    server.stop()
    server.start()
    assert until(lambda: server.answer()["last_restart"])["clean"] is True
    assert server.warnings() == []


@pytest.mark.parametrize(("kind", "seconds"), [pytest.param("new", 0.8, marks=pytest.mark.nightly), ("existing", 1.5)])
def test_clean_shutdown_is_recorded_on_a_slow_card(make_server: MakeServer, kind: str, seconds: float) -> None:
    slow = with_slow_disk(seconds)
    server = make_server([] if kind == "existing" else slow)
    if kind == "existing":
        until(lambda: database(server).exists() and rows(server))
        end(server, "clean")
        server.start(slow)
    time.sleep(2)  # some of its writes are under way
    end(server, "clean")
    server.start()
    expected = {"new": [True], "existing": [True, True]}[kind]
    assert until(lambda: [each["clean"] for each in restarts(server)]) == expected


def test_log_in_memory_says_that_a_reboot_resets_it(
    make_server: MakeServer, open_page: OpenPage, tmp_path: Path
) -> None:
    folder = log_file(tmp_path).parent
    server = make_server(on_small_disk(folder, "1M"))
    said = f"A reboot of the host resets the restart log, because {folder} is in memory"
    until(lambda: said in server.log)
    assert server.log.count(said) == 1
    answer = server.session("admin").get(server.url + ENDPOINT, params={"days": "1"}).json()
    assert answer["survives_reboot"] is False
    page = open_page(server)
    open_log(page)
    expect(log(page)).to_contain_text("so this log is reset when the host reboots.")


LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_locked_file_delays_nothing_and_is_used_once_unlocked(make_server: MakeServer, tmp_path: Path) -> None:
    path = log_file(tmp_path, "PRAGMA journal_mode = WAL")
    with subprocess.Popen([sys.executable, "-c", LOCKER, path], stdin=-1, stdout=-1, text=True) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        server = make_server(extra_plugins=STOPWATCH)
        check_unkept(server, "locked")
        # Clearing fails, since the stored runs are still there.
        response = server.session("admin").post(server.url + ENDPOINT, json={"command": "clear"})
        assert response.status_code == 503
        check_error(response)
        assert "ERROR" in server.new_log()  # OctoPrint's server notes each 5xx as one
        server.stop()
        assert took(server) < 5
        assert "could not be written to disk in time" in (server.basedir / "console.log").read_text()
        locker.communicate()
    server.start()
    assert until(lambda: rows(server))[0]["ended"] is None
    assert server.warnings() == []
    server.stop()
    assert took(server) < 0.05
    assert rows(server)[0]["ended"] == "clean"


# Hangs when OctoPrint shuts down, until the service manager kills it.
HANG = """
import os, time
import octoprint.plugin, octoprint.settings

__plugin_pythoncompat__ = ">=3"

class Hang(octoprint.plugin.ShutdownPlugin):
    def on_shutdown(self):
        open(os.path.join(octoprint.settings.settings().getBaseFolder("base"), "hangs"), "w").close()
        time.sleep(60)

__plugin_implementation__ = Hang()
"""


@pytest.mark.each_octoprint
def test_shutdown_is_clean_though_another_plugin_hangs(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"aaa_hang.py": HANG})
    until(lambda: database(server).exists() and rows(server))
    assert server.process is not None
    os.killpg(server.process.pid, signal.SIGTERM)
    until((server.basedir / "hangs").exists)
    assert server.process.poll() is None
    end(server, "killed")
    server.start()
    (restart,) = until(lambda: restarts(server))
    end(server, "killed")  # which hangs, too
    assert restart["clean"] is True
