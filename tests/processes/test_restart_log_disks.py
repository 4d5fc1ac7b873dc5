"""Test the restart log with failing disks and killed processes, each in its own process and file system."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from namespaces import on_small_disk

# Runs the log in a folder, does `middle`, and prints the outcome.
SCRIPT = """
import json, logging, pathlib, sqlite3, sys, threading, time
from octoprint_uptime import clock
from octoprint_uptime.restart_log import Print, Progress, RestartLog, recorder
from octoprint_uptime.restart_log.store import Store

lines = []
logging.getLogger().addHandler(logging.Handler())
logging.getLogger().handlers[0].emit = lambda record: lines.append(record.getMessage())
recorder.HEARTBEAT_SECONDS = recorder.PRINTING_HEARTBEAT_SECONDS = 0.05
save, written = Store.save, []

def counted(store, run):
    try:
        return save(store, run)
    finally:
        written.append(run)

def settle(writes=3):
    count = len(written) + writes
    deadline = time.monotonic() + 10
    while len(written) < count and time.monotonic() < deadline:
        time.sleep(0.01)

Store.save = counted
folder = pathlib.Path(sys.argv[1])
half = lambda: Print("benchy.gcode", "local", None, Progress(50.0, 5000, 0.2, clock.boot_clock()), True)
printer = [lambda: None]
log = RestartLog(folder / "restart_log.db", "1.11.8", logging.getLogger(), lambda restart: None)
log.begin(clock.boot_clock(), clock.boot_clock(), lambda: printer[-1]())
settle()
printer.append(half)
log.update()
settle()
{middle}
alive = "uptime restart log" in [thread.name for thread in threading.enumerate()]
restarts = [restart.id for restart in log.history().restarts()]
log.stop(10)
for thread in threading.enumerate():
    if thread.name == "uptime restart log":
        thread.join(10)  # until the file is closed
try:
    kept = sqlite3.connect(f"file:{folder}/restart_log.db?immutable=1", uri=True)
    ends = kept.execute("SELECT ended FROM runs ORDER BY id").fetchall()
    kept.close()
except sqlite3.Error:
    ends = None
print(json.dumps(dict(alive=alive, path=written[-1].print.path, restarts=restarts, lines=lines, ends=ends)))
"""


def outcome(wrapper: list[str], folder: Path, middle: str = "") -> dict[str, Any]:
    code = SCRIPT.replace("{middle}", middle)
    run = subprocess.run(
        [*wrapper, sys.executable, "-W", "error", "-c", code, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",  # not in the folder with the package's source
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    answer: dict[str, Any] = json.loads(run.stdout)
    assert answer["alive"]
    assert answer["path"] == "benchy.gcode"
    return answer


def rows(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "restart_log.db")) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA quick_check").fetchall()[0][0] == "ok"
        return [dict(row) for row in connection.execute("SELECT * FROM runs ORDER BY id")]


def test_nothing_is_logged_on_a_healthy_disk(tmp_path: Path) -> None:
    for number in range(3):
        answer = outcome([], tmp_path)
        assert answer["lines"] == []
        assert answer["restarts"] == list(range(number, 0, -1))
    assert [row["ended"] for row in rows(tmp_path)] == ["clean"] * 3


def test_process_exits_while_the_log_is_stuck(tmp_path: Path) -> None:
    code = """
import logging, pathlib, sys, threading
from octoprint_uptime.restart_log import RestartLog
from octoprint_uptime.restart_log.store import Store

saving = threading.Event()
Store.save = lambda store, run: saving.set() or threading.Event().wait()
log = RestartLog(pathlib.Path(sys.argv[1]), "1.11.8", logging.getLogger(), lambda restart: None)
log.begin(0.0, 0.0, lambda: None)
assert saving.wait(10)
log.stop()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code, tmp_path / "x.db"], check=True, cwd="/", timeout=20)


def test_heartbeat_writes_one_small_page(tmp_path: Path) -> None:
    middle = """
def sample():
    counters = dict(line.split(": ") for line in pathlib.Path("/proc/self/io").read_text().splitlines())
    return int(counters["wchar"]), len(written), (folder / "restart_log.db-wal").stat().st_size

recorder.HEARTBEAT_SECONDS = recorder.PRINTING_HEARTBEAT_SECONDS = 0.001
settle(40)
before = sample()
settle(200)
bytes_, beats, grown = (after - first for after, first in zip(sample(), before))
assert 500 < bytes_ / beats < 650, bytes_ / beats
assert grown == 0, "the log is overwritten and does not grow"
"""
    outcome([], tmp_path, middle)


@pytest.mark.parametrize("before", ["nothing", "a log", "a damaged log"])
def test_read_only_folder_is_logged_once(tmp_path: Path, before: str) -> None:
    if before != "nothing":
        outcome([], tmp_path)
    if before == "a damaged log":
        (tmp_path / "restart_log.db").write_bytes(b"x" * 5000)
    content = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    answer = outcome(on_small_disk(tmp_path, "64k", read_only=True), tmp_path)
    assert len(answer["lines"]) == 1
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == content


def test_full_disk_is_logged_once(tmp_path: Path) -> None:
    (tmp_path / "filler").write_bytes(b"x" * 65536)
    answer = outcome(on_small_disk(tmp_path, "64k"), tmp_path)
    (line,) = answer["lines"]
    assert "full" in line
    assert answer["ends"] is None


def test_writing_resumes_after_a_full_disk(tmp_path: Path) -> None:
    outcome([], tmp_path)
    middle = """
filler = folder / "filler"
try:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
except OSError:
    pass
settle(60)
assert len(lines) == 1, lines
filler.unlink()
settle()
"""
    answer = outcome(on_small_disk(tmp_path, "64k"), tmp_path, middle)
    assert answer["restarts"] == [1]
    assert answer["ends"] == [["clean"], ["clean"]]
    (line,) = answer["lines"]
    assert "full" in line


# Goes through the events of a run. Prints each to stderr after the last one has reached the disk.
EVENTS = """
import logging, os, pathlib, sys, threading
from octoprint_uptime import clock
from octoprint_uptime.restart_log import Print, Progress, RestartLog
from octoprint_uptime.restart_log.store import Store

sync, close, settled, told = Store.sync, Store.close, threading.Event(), threading.Event()

def seen(store):
    sync(store)
    settled.set()

def close_once_told(store):
    assert told.wait(10)
    close(store)

def event(name, task):
    settled.clear()
    os.write(2, name.encode())
    task()
    assert settled.wait(10)

Store.sync = seen
half = lambda: Print("benchy.gcode", "local", None, Progress(50.0, 5000, 0.2, clock.boot_clock()), True)
printer = [lambda: None]
log = RestartLog(pathlib.Path(sys.argv[1]), "1.11.8", logging.getLogger(), lambda restart: None)
event("start", lambda: log.begin(clock.boot_clock(), clock.boot_clock(), lambda: printer[-1]()))
printer.append(half)
event("print", lambda: log.update(only_if_changed=True))
event("as a heartbeat", log.update)
printer.append(lambda: None)
event("no print", lambda: log.update(only_if_changed=True))
Store.close = close_once_told
event("end", log.stop)
os.write(2, b"closing")
told.set()
for thread in threading.enumerate():
    if thread.name == "uptime restart log":
        thread.join(10)
"""


@pytest.mark.parametrize(("existing", "start"), [(False, 6), (True, 3)])
def test_number_of_syncs_per_event(tmp_path: Path, existing: bool, start: int) -> None:
    folder, trace = tmp_path / "log", tmp_path / "trace"
    if existing:
        outcome([], folder)
    strace = ["strace", "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,write"]
    command = [*strace, sys.executable, "-c", EVENTS, str(folder / "restart_log.db")]
    subprocess.run(command, check=True, cwd="/", stderr=subprocess.DEVNULL)
    syncs: dict[str, int] = {}
    for line in trace.read_text().splitlines():
        if event := re.search(r'write\(2, "(.+)", ', line):
            syncs[event[1]] = 0
        elif re.search(r"\bf(data)?sync\(", line):
            syncs[next(reversed(syncs))] += 1
    # OctoPrint does not wait for closing, which ends with a checkpoint, like every sixteenth write.
    expected = {"start": start, "print": 1, "as a heartbeat": 1, "no print": 1, "end": 1, "closing": 2}
    assert syncs == expected


# For each line of input, starts a process that prints its id and writes as fast as it can until it is killed.
WRITERS = """
import itertools, logging, os, pathlib, sys, time
from octoprint_uptime import clock
from octoprint_uptime.restart_log import Print, Progress, RestartLog, recorder
from octoprint_uptime.restart_log.store import Store

save, written, now = Store.save, [], clock.boot_clock

def said(store, run):
    saved = save(store, run)
    if not written:
        print(os.getpid(), flush=True)
    written.append(saved)
    return saved

def write():
    recorder.HEARTBEAT_SECONDS = recorder.PRINTING_HEARTBEAT_SECONDS = 0.0
    Store.save = said
    half = lambda: Print("benchy.gcode", "local", now(), Progress(50.0, 5000, 0.2, now()), True)
    prints = itertools.cycle([half, lambda: None])
    log = RestartLog(pathlib.Path(sys.argv[1]), "1.11.8", logging.getLogger(), lambda restart: None)
    log.begin(clock.boot_clock(), clock.boot_clock(), lambda: next(prints)())
    while True:
        count = len(written)
        log.update()
        log.update()
        log.dismiss(1)
        while len(written) < count + 2:
            time.sleep(0.0005)

for line in sys.stdin:
    writer = os.fork()
    if not writer:
        write()
    os.waitpid(writer, 0)
    print("gone", flush=True)
"""


def test_killed_process_leaves_a_valid_log(tmp_path: Path) -> None:
    path = tmp_path / "restart_log.db"
    moments = random.Random(7)
    highest = 0
    prints = 0
    command = [sys.executable, "-c", WRITERS, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd="/"
    ) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for kill in range(1, 101):
            writers.stdin.write("\n")
            writer = int(writers.stdout.readline())
            time.sleep(moments.uniform(0, 0.05))
            os.kill(writer, signal.SIGKILL)
            assert writers.stdout.readline() == "gone\n"
            found = rows(tmp_path)
            assert len(found) == kill
            assert [row["id"] for row in found] == sorted({row["id"] for row in found})
            assert found[-1]["id"] > highest
            highest = found[-1]["id"]
            for row in found:
                assert row["last_alive"] >= row["started"]
                assert row["ended"] is None
                print_ = (row["print_path"], row["print_origin"], row["print_percent"], row["print_position"])
                assert print_ in ((None,) * 4, ("benchy.gcode", "local", 50.0, 5000))
                assert (row["print_started"] is None) == (row["print_seen"] is None) == (row["print_path"] is None)
            assert len({row["started"] for row in found}) == kill, "each process has one row"
            assert [row["last_alive"] for row in found] == sorted(row["last_alive"] for row in found)
            prints += found[-1]["print_path"] is not None
        assert [row["dismissed"] for row in found] == [1] + [0] * 99
        writers.stdin.close()
    assert 0 < prints < 100, "some were killed during a print, and some between prints"
    assert list(tmp_path.glob("*damaged*")) == []
