"""The history where the disk fails it, and where its process is killed: in processes and file systems of their own."""

from __future__ import annotations

import json
import os
import random
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

# Runs the history in a folder, through what `middle` does, and prints what a caller sees of it.
SCRIPT = """
import json, logging, pathlib, sqlite3, sys, time
from octoprint_uptime import clock, history
from octoprint_uptime.restarts import Print

lines = []
logging.getLogger().addHandler(logging.Handler())
logging.getLogger().handlers[0].emit = lambda record: lines.append(record.getMessage())
history.HEARTBEAT_SECONDS = 0.05
folder = pathlib.Path(sys.argv[1])
subject = history.History(folder / "history.db", "1.11.8", logging.getLogger(), lambda: None, lambda: 50.0)
write, written = subject._write, []

def counted():
    try:
        write()
    finally:
        written.append(True)

def settle(writes=3):
    count = len(written) + writes
    deadline = time.monotonic() + 10
    while len(written) < count and time.monotonic() < deadline:
        time.sleep(0.01)

subject._write = counted
subject.start(clock.boot_clock())
settle()
subject.printing(Print("benchy.gcode", None, None))
settle()
{middle}
alive, job = subject._thread.is_alive(), subject.run.print
runs = [run.id for run in subject.runs]
subject.stop()
subject._thread.join(10)
try:
    kept = sqlite3.connect(f"file:{folder}/history.db?immutable=1", uri=True)
    ends = kept.execute("SELECT ended FROM runs ORDER BY id").fetchall()
    kept.close()
except sqlite3.Error:
    ends = None
print(json.dumps(dict(alive=alive, name=job.name, runs=runs, lines=lines, ends=ends)))
"""


def outcome(wrapper: list[str], folder: Path, middle: str = "") -> dict[str, Any]:
    code = SCRIPT.replace("{middle}", middle)
    run = subprocess.run(
        [*wrapper, sys.executable, "-W", "error", "-c", code, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",  # not here, where the package lies as source
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    answer: dict[str, Any] = json.loads(run.stdout)
    assert answer["alive"]
    assert answer["name"] == "benchy.gcode"
    return answer


def rows(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "history.db")) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA quick_check").fetchall()[0][0] == "ok"
        return [dict(row) for row in connection.execute("SELECT * FROM runs ORDER BY id")]


def test_on_a_healthy_disk_nothing_is_said(tmp_path: Path) -> None:
    for number in range(3):
        answer = outcome([], tmp_path)
        assert answer["lines"] == []
        assert answer["runs"] == list(range(1, number + 1))
    assert [row["ended"] for row in rows(tmp_path)] == ["clean"] * 3


def test_a_heartbeat_writes_one_small_page(tmp_path: Path) -> None:
    middle = """
def sample():
    counters = dict(line.split(": ") for line in pathlib.Path("/proc/self/io").read_text().splitlines())
    return int(counters["wchar"]), len(written), (folder / "history.db-wal").stat().st_size

history.HEARTBEAT_SECONDS = 0.001
settle(40)
before = sample()
settle(200)
bytes_, beats, log = (after - first for after, first in zip(sample(), before))
assert 500 < bytes_ / beats < 650, bytes_ / beats
assert log == 0, "it is written over, not grown"
"""
    outcome([], tmp_path, middle)


@pytest.mark.parametrize("before", ["nothing", "a history", "a damaged history"])
def test_a_read_only_folder_is_said_once(tmp_path: Path, before: str) -> None:
    if before != "nothing":
        outcome([], tmp_path)
    if before == "a damaged history":
        (tmp_path / "history.db").write_bytes(b"x" * 5000)
    content = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    answer = outcome(on_small_disk(tmp_path, "64k", read_only=True), tmp_path)
    assert len(answer["lines"]) == 1
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == content


def test_a_disk_that_is_full_from_the_start_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "filler").write_bytes(b"x" * 65536)
    answer = outcome(on_small_disk(tmp_path, "64k"), tmp_path)
    (line,) = answer["lines"]
    assert "full" in line
    assert answer["ends"] is None


def test_a_disk_that_is_full_for_a_while_is_said_once_and_written_to_again(tmp_path: Path) -> None:
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
    assert answer["runs"] == [1]
    assert answer["ends"] == [["clean"], ["clean"]]
    (line,) = answer["lines"]
    assert "full" in line


# For each line it reads, a process of its own that writes as fast as it can and says so, until it is killed.
WRITERS = """
import logging, os, pathlib, sys, time
from octoprint_uptime import clock, history
from octoprint_uptime.restarts import Print

def write():
    history.HEARTBEAT_SECONDS = 0.0
    ready = lambda: print(os.getpid(), flush=True)
    subject = history.History(pathlib.Path(sys.argv[1]), "1.11.8", logging.getLogger(), ready, lambda: 50.0)
    subject.start(clock.boot_clock())
    while True:
        subject.printing(Print("benchy.gcode", None, clock.boot_clock()))
        subject.printing(None)
        subject.dismiss(1)
        while subject._tasks.qsize() > 5:
            time.sleep(0.0005)

for line in sys.stdin:
    writer = os.fork()
    if not writer:
        write()
    os.waitpid(writer, 0)
    print("gone", flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_history_that_makes_sense(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
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
                assert row["seen"] >= row["started"]
                assert row["ended"] is None
                assert row["print"] in (None, "benchy.gcode")
                assert (row["print_started"] is None) == (row["print"] is None)
            assert len({row["started"] for row in found}) == kill, "one row for each process"
            assert [row["seen"] for row in found] == sorted(row["seen"] for row in found)
            prints += found[-1]["print"] is not None
        writers.stdin.close()
    assert 0 < prints < 100, "killed in the middle of prints, and between them"
    assert [file.name for file in tmp_path.iterdir()] == ["history.db"], "none was found damaged"
