"""Prints that came to no end that OctoPrint announced, that it does not stream, or whose progress can't be right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorded_runs import (
    FLAT,
    LOST_PRINT_FIELDS,
    connect,
    end,
    job,
    moment,
    pause,
    print_file,
    printing,
    restarts,
    rows,
    rows_of_any_print,
    state,
    system_info,
    until,
)
from support import ENDPOINT, GROUPS, USERS, MakeServer, OctoPrint

# Makes OctoPrint as slow at the end of a print as it is with thousands of files, and writes down its events.
SLOW = """
import os, time
import octoprint.plugin, octoprint.settings
from octoprint.filemanager import FileManager

__plugin_pythoncompat__ = ">=3"

log_print = FileManager.log_print

def slowly(*args, **kwargs):
    time.sleep(3)
    return log_print(*args, **kwargs)

FileManager.log_print = slowly

class Slow(octoprint.plugin.EventHandlerPlugin):
    def on_event(self, event, payload):
        if event.startswith("Print"):
            with open(os.path.join(octoprint.settings.settings().getBaseFolder("base"), "print_events"), "a") as file:
                file.write(f"{event} {(payload or {}).get('path')}\\n")

__plugin_implementation__ = Slow()
"""


@pytest.fixture(scope="module")
def shared(octoprint_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrint]:
    server = OctoPrint(octoprint_executable, tmp_path_factory.mktemp("prints"))
    # OctoPrint 1.11 gives up an upload to the card after the first of these errors.
    server.prepare(USERS, GROUPS, {"virtual_printer": {"enabled": True, "simulated_errors": []}})
    server.add_plugins({"slow.py": SLOW})
    (server.basedir / "virtualSd").mkdir(parents=True)
    (server.basedir / "virtualSd" / "on the card.gcode").write_text("G1 X100 F600\nG1 X0 F600\n" * 1000)
    yield server
    server.stop()
    server.check_log()


@pytest.fixture
def server(shared: OctoPrint) -> OctoPrint:
    """A server that has just started, with a printer that is connected; each test ends it."""
    if shared.process and state(shared) not in ("Offline", "Operational"):
        shared.kill()  # a failed test has left its print
    if shared.process is None:
        shared.start()
    connect(shared)
    return shared


def after(server: OctoPrint, how: str) -> dict[str, Any]:
    """End the server, start it again, and return that restart."""
    count = len(restarts(server))
    end(server, how)
    server.start()
    until(lambda: len(restarts(server)) > count)
    restart = restarts(server)[0]
    assert restart["clean"] is (how == "clean")
    return restart


def heartbeat(server: OctoPrint) -> None:
    """Wait until the log is written once more: pausing or resuming makes it write."""
    before = rows_of_any_print(server)[-1]["last_alive"]
    pause(server, "resume" if state(server) == "Paused" else "pause")
    until(lambda: rows_of_any_print(server)[-1]["last_alive"] > before)


def command_job(server: OctoPrint, command: str) -> None:
    server.session("admin").post(f"{server.url}/api/job", json={"command": command}).raise_for_status()


@pytest.mark.each_octoprint
def test_late_failure_of_a_cancelled_print_hides_no_lost_print(server: OctoPrint) -> None:
    print_file(server, "flat.gcode")
    until(lambda: printing(server))
    command_job(server, "cancel")
    until(lambda: state(server) == "Operational")
    print_file(server, "parts/long.gcode")
    told = server.basedir / "print_events"
    until(lambda: told.read_text().splitlines()[-1] == "PrintFailed flat.gcode")
    assert "PrintStarted parts/long.gcode" in told.read_text()
    heartbeat(server)
    lost = after(server, "killed")["lost_print"]
    assert lost is not None
    assert lost["path"] == "parts/long.gcode"


@pytest.mark.each_octoprint
@pytest.mark.parametrize("how", ["killed", "clean"])
def test_print_of_a_disconnected_printer_is_not_lost_later(server: OctoPrint, how: str) -> None:
    print_file(server, "flat.gcode")
    until(lambda: printing(server))
    pause(server)
    server.session("admin").post(f"{server.url}/api/connection", json={"command": "disconnect"}).raise_for_status()
    until(lambda: state(server) == "Offline")
    until(lambda: not printing(server))
    restart = after(server, how)
    assert (restart["lost_print"], restart["unattended_print"]) == (None, None)


@pytest.mark.each_octoprint
def test_print_lost_by_a_clean_shutdown_is_unseen_until_dismissed(server: OctoPrint) -> None:
    print_file(server, "flat.gcode")
    until(lambda: printing(server))
    counted = server.answer()
    restart = after(server, "clean")
    assert restart["lost_print"]["path"] == "flat.gcode"
    answer = server.answer()
    assert answer["unseen_restart"] == {**restart, "printed_since": False}
    assert answer["unseen_restarts"] == counted["unseen_restarts"]
    assert answer["unseen_lost_prints"] == counted["unseen_lost_prints"] + 1
    connect(server)
    print_file(server, "flat.gcode")
    until(lambda: server.answer()["unseen_restart"] == {**restart, "printed_since": True})
    command = {"command": "dismiss", "id": restart["id"]}
    server.session("admin").post(server.url + ENDPOINT, json=command).raise_for_status()
    answer = server.answer()
    assert (answer["unseen_restart"], answer["unseen_restarts"], answer["unseen_lost_prints"]) == (None, 0, 0)
    assert after(server, "killed")["lost_print"] is not None


@pytest.mark.each_octoprint
@pytest.mark.parametrize("size", [16, 0])
def test_percentage_that_cannot_be_right_is_unknown_but_not_the_bytes(server: OctoPrint, size: int) -> None:
    """OctoPrint keeps the size of a file that is replaced by a longer one after it was selected."""
    file = server.basedir / "uploads" / "flat.gcode"
    file.write_text(FLAT[:size])
    print_file(server, "flat.gcode", start=False)
    until(lambda: job(server)["job"]["file"]["path"] == "flat.gcode")
    file.write_text(FLAT)
    command_job(server, "start")
    until(lambda: (job(server)["progress"]["filepos"] or 0) > 24)
    completion = job(server)["progress"]["completion"]
    assert completion > 100 if size else completion < 0
    heartbeat(server)
    lost = after(server, "killed")["lost_print"]
    assert lost["progress"] is None
    assert lost["position_bytes"] > 16
    assert lost["seen_at"] is not None


@pytest.mark.each_octoprint
def test_upload_to_the_printers_card_is_no_print(server: OctoPrint, octoprint_version: str) -> None:
    session = server.session("admin")
    session.post(f"{server.url}/api/printer/sd", json={"command": "init"}).raise_for_status()
    until(lambda: session.get(f"{server.url}/api/printer/sd").json()["ready"])
    card = "sdcard" if octoprint_version.startswith("1.") else "printer"
    files = {"file": ("upload.gcode", "G1 X100 F600\n" * 50000)}
    session.post(f"{server.url}/api/files/{card}", files=files).raise_for_status()
    until(lambda: state(server) == "Sending file to SD")
    for wanted in (False, True):  # which makes it write
        server.save({"restart_log": wanted}).raise_for_status()
    until(lambda: rows(server)[-1]["recorded_from"] > rows(server)[-1]["started"])
    assert state(server) == "Sending file to SD"
    assert rows(server)[-1]["printed"] == 0
    restart = after(server, "killed")
    assert (restart["lost_print"], restart["unattended_print"]) == (None, None)


@pytest.mark.each_octoprint
@pytest.mark.parametrize("seconds", [0, 0.02, 0.05])
def test_kill_at_the_start_of_a_print_claims_no_more_than_is_known(server: OctoPrint, seconds: float) -> None:
    """The log knows whether a print was running at its last heartbeat, which is reported as the earliest end."""
    before = time.time()
    print_file(server, "flat.gcode")
    time.sleep(seconds)
    restart = after(server, "killed")
    if restart["lost_print"] is None:
        assert moment(restart["ended_after"]) <= before
    else:
        assert restart["lost_print"]["path"] == "flat.gcode"


@pytest.mark.each_octoprint
def test_print_from_the_printers_storage_is_unattended_not_lost(server: OctoPrint) -> None:
    session = server.session("admin")
    session.post(f"{server.url}/api/printer/sd", json={"command": "init"}).raise_for_status()

    def on_the_card() -> Any:
        files = session.get(f"{server.url}/api/files").json()["files"]
        found = (file for file in files if file["origin"] != "local" and file["name"].startswith("on"))
        return next(found, None)

    file = until(on_the_card)
    command = {"command": "select", "print": True}
    session.post(f"{server.url}/api/files/{file['origin']}/{file['path']}", json=command).raise_for_status()
    row = until(lambda: next((row for row in rows_of_any_print(server)[-1:] if row["print_path"]), None))
    assert row["print_origin"] == file["origin"] != "local"
    restart = after(server, "killed")
    assert restart["lost_print"] is None
    unattended = restart["unattended_print"]
    assert unattended.keys() == LOST_PRINT_FIELDS
    assert (unattended["file"], unattended["path"]) == (file["name"], file["path"])
    assert unattended["origin"] == file["origin"]
    text = "octoprint, unexpected shutdown, an unattended print may have continued"
    assert system_info(server)[0] == text


# A printer that prints by itself, also the local files that it is given, and may do so already when OctoPrint connects.
REMOTE = """
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class Remote(octoprint.plugin.OctoPrintPlugin):
    def initialize(self):
        from octoprint.printer.connection import ConnectedPrinter, ConnectedPrinterState
        from octoprint.printer.job import JobProgress

        class RemotePrinter(ConnectedPrinter):
            connector = "remote"
            name = "Remote"

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self._prints = kwargs["prints"]

            def connect(self, *args, **kwargs):
                self.state = ConnectedPrinterState.PRINTING if self._prints else ConnectedPrinterState.OPERATIONAL

            def disconnect(self, *args, **kwargs):
                self.state = ConnectedPrinterState.CLOSED

            def is_ready(self, *args, **kwargs):
                return self.is_operational() and not self.is_printing()

            def supports_job(self, job):
                return True

            def start_print(self, *args, **kwargs):
                self.state = ConnectedPrinterState.PRINTING
                self._listener.on_printer_job_started(suppress_script=True)

            @property
            def job_progress(self):
                if self.current_job is None:
                    return None
                return JobProgress(job=self.current_job, progress=0.125, pos=1000, elapsed=5, cleaned_elapsed=5)

__plugin_implementation__ = Remote()
"""


@pytest.mark.connectors
@pytest.mark.each_octoprint
def test_printer_that_prints_by_itself_may_go_on(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"remote.py": REMOTE})
    session = server.session("admin")
    session.headers["X-OctoPrint-Api-Version"] = "2.0.0"

    def connect_to_it(prints: bool) -> None:
        command = {"command": "connect", "connector": "remote", "parameters": {"prints": prints}}
        session.post(f"{server.url}/api/connection", json=command).raise_for_status()
        until(lambda: state(server) == ("Printing" if prints else "Operational"))

    def on_record() -> Any:
        return next((row for row in rows_of_any_print(server)[-1:] if row["print_path"] is not None), None)

    connect_to_it(prints=False)
    upload = {"file": ("flat.gcode", FLAT)}
    session.post(f"{server.url}/api/files/local", files=upload).raise_for_status()
    print_file(server, "flat.gcode")
    until(on_record)
    restart = after(server, "killed")
    assert restart["lost_print"] is None
    assert restart["unattended_print"]["path"] == "flat.gcode"
    assert restart["unattended_print"]["started_at"] is not None

    connect_to_it(prints=True)
    until(on_record)
    restart = after(server, "killed")
    assert restart["lost_print"] is None
    unattended = restart["unattended_print"]
    assert (unattended["path"], unattended["origin"], unattended["started_at"]) == (None, None, None)

    connect_to_it(prints=True)
    until(on_record)
    session.post(f"{server.url}/api/connection", json={"command": "disconnect"}).raise_for_status()
    until(lambda: not on_record())
    restart = after(server, "killed")
    assert (restart["lost_print"], restart["unattended_print"]) == (None, None)
    assert server.answer()["unseen_lost_prints"] == 0
