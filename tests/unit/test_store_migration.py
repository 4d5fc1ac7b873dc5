"""The file of the log's first versions: schema 1, under the name history.db."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from former_logs import BOOTS_1, MARCH, RUNS_1, SCHEMA_1, SCHEMA_2
from octoprint_uptime import answer
from octoprint_uptime.restart_log.history import History
from octoprint_uptime.restart_log.records import Print, Progress, Run
from octoprint_uptime.restart_log.store import Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
CURRENT = Run(0, "e", MARCH + 6 * 86400, 90, 90, 95, "1.11.8", None, None, False)

# What the version that wrote schema 1 told of these runs.
EXPECTED_MOMENTS = [
    (
        9,
        "host",
        False,
        "2026-03-04T00:00:20Z",
        "2026-03-04T00:01:20Z",
        "2026-03-07T00:00:00Z",
        "2026-03-07T00:00:00Z",
        "2026-03-07T00:01:30Z",
    ),
    (7, "host", True, None, None, None, "2026-03-04T00:00:00Z", "2026-03-04T00:00:20Z"),
    (6, "host", False, "2026-03-02T00:00:30Z", "2026-03-02T00:10:00Z", None, None, None),
    (
        3,
        "host",
        True,
        "2026-03-01T02:01:40Z",
        "2026-03-01T02:30:00Z",
        "2026-03-01T02:30:00Z",
        "2026-03-02T00:00:00Z",
        "2026-03-02T00:00:30Z",
    ),
    (
        2,
        "octoprint",
        False,
        "2026-03-01T00:01:00Z",
        "2026-03-01T02:00:00Z",
        "2026-03-01T02:01:40Z",
        None,
        "2026-03-01T02:01:40Z",
    ),
]
EXPECTED_OTHERS = [
    (90, 259210, "1.11.8", False),
    (None, None, "1.11.8", False),
    (10, None, "1.11.8", False),
    (77430, 77430, "1.11.7", False),
    (0, 100, "1.11.7", True),
]
EXPECTED_PRINTS = [
    ("x", 0.0, "2026-03-04T00:00:20Z"),
    None,
    ("cube.gcode", None, None),
    None,
    ("benchy.gcode", 43.2, "2026-03-01T01:00:00Z"),
]
IDS = [2, 3, 5, 6, 7, 9]
LAST_ID = 12  # of a run that was cleared


@pytest.fixture(params=["one file", "killed, with a write-ahead log"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with what a first version of the log has left there."""
    writing, folder = tmp_path / "writing", tmp_path / "folder"
    writing.mkdir()
    with closing(sqlite3.connect(writing / "history.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA_1)
        connection.executemany("INSERT INTO boots VALUES (?, ?)", BOOTS_1)
        connection.execute("INSERT INTO runs VALUES (?, 'a', 0, 0, 'x', NULL, NULL, NULL, NULL, 0)", (LAST_ID,))
        connection.execute("DELETE FROM runs")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", RUNS_1)
        if request.param != "one file":
            shutil.copytree(writing, folder)
            (folder / "history.db-shm").unlink()
            assert (folder / "history.db-wal").stat().st_size > 1000
    if request.param == "one file":
        shutil.copytree(writing, folder)
        assert [file.name for file in folder.iterdir()] == ["history.db"]
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(folder / "restart_log.db", LOGGER)
    yield store
    store.close()


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def ids(store: Store) -> list[int]:
    return [run.id for run in store.before(CURRENT._replace(id=100))]


def test_the_restarts_are_those_of_before(store: Store) -> None:
    current = store.save(CURRENT)
    history = History((*store.before(current), current), MARCH)
    found = [answer.restart(each, sees_files=True) for each in history.restarts()]
    keys = ("id", "kind", "clean", "run_started_at", "ended_after", "ended_before", "host_started_at", "started_at")
    assert [tuple(each[key] for key in keys) for each in found] == EXPECTED_MOMENTS
    others = ("downtime_seconds_min", "downtime_seconds_max", "octoprint_version", "dismissed")
    assert [tuple(each[key] for key in others) for each in found] == EXPECTED_OTHERS
    lost = [each["lost_print"] for each in found]
    assert [each and (each["file"], each["progress"], each["started_at"]) for each in lost] == EXPECTED_PRINTS
    unknown = ("origin", "position_bytes", "z", "seen_at")
    assert {each[key] for each in lost if each for key in unknown} == {None}


def test_ids_are_kept_and_none_is_used_again(store: Store) -> None:
    assert store.save(CURRENT).id == LAST_ID + 1
    assert ids(store) == [*IDS, LAST_ID + 1]


@pytest.mark.parametrize("query", ["PRAGMA table_info(runs)", "SELECT type, name, tbl_name FROM sqlite_master"])
def test_tables_and_columns_are_those_of_a_fresh_file(store: Store, folder: Path, tmp_path: Path, query: str) -> None:
    fresh = Store(tmp_path / "fresh.db", LOGGER)
    for each in (store, fresh):
        each.before(CURRENT)
        each.close()
    assert ask(folder / "restart_log.db", query) == ask(tmp_path / "fresh.db", query) != []
    assert [file.name for file in folder.iterdir()] == ["restart_log.db"]


def test_of_its_rows_those_without_a_boot_are_gone_and_all_are_recorded_since_their_start(
    store: Store, folder: Path
) -> None:
    store.before(CURRENT)
    store.close()
    rows = ask(folder / "restart_log.db", "SELECT id, started, recorded_from FROM runs ORDER BY id")
    assert rows == [(run[0], run[2], run[2]) for run in RUNS_1 if run[0] in IDS]


@pytest.mark.parametrize("failing", [1, 2])
def test_the_renaming_may_be_interrupted_at_any_moment(
    mocker: MockerFixture, store: Store, folder: Path, failing: int
) -> None:
    files = len(list(folder.iterdir()))
    rename, calls = Path.rename, iter(range(1, 10))

    def interrupted(path: Path, target: Path) -> Path:
        if next(calls) == failing:
            raise OSError("power fails")
        return rename(path, target)

    patched = mocker.patch.object(Path, "rename", autospec=True, side_effect=interrupted)
    if failing <= files:
        with pytest.raises(OSError, match="power fails"):
            store.before(CURRENT)
    mocker.stop(patched)
    assert ids(store) == IDS


def test_beside_a_newer_file_the_former_one_is_left_alone(store: Store, folder: Path) -> None:
    (folder / "restart_log.db").touch()
    before = {file.name: file.read_bytes() for file in folder.glob("history.*")}
    assert store.save(CURRENT).id == 1
    store.close()
    assert {file.name: file.read_bytes() for file in folder.glob("history.*")} == before


def test_of_schema_2_every_run_was_of_a_boot_of_its_host(tmp_path: Path) -> None:
    path = tmp_path / "restart_log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_2)
    store, fresh = Store(path, LOGGER), Store(tmp_path / "fresh.db", LOGGER)
    print_ = Print("x", "local", 61, Progress(1.5, 5, 0.2, 80))
    assert store.before(CURRENT._replace(id=100)) == (
        Run(7, "a", MARCH, 60, 61, 90, "1.11.7", "clean", print_, True, own_boot_id=False),
    )
    fresh.before(CURRENT)
    for each in (store, fresh):
        each.close()
    columns = "PRAGMA table_info(runs)"
    assert ask(path, columns) == ask(tmp_path / "fresh.db", columns)


# Opens the log in one copy after another of a folder, each time killed one statement later, until it survives.
KILLED = """
import itertools, logging, os, pathlib, shutil, signal, sqlite3, sys
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.restart_log.store import Store

connect = sqlite3.connect

def open_and_be_killed_at(number, folder):
    statements = itertools.count(1)
    def kill(statement):
        if next(statements) == number:
            os.kill(os.getpid(), signal.SIGKILL)
    def traced(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_trace_callback(kill)
        return connection
    sqlite3.connect = traced
    Store(folder / "restart_log.db", logging.getLogger()).before(Run(9, "", 0, 0, 0, 0, "", None, None, False))

original, copies = map(pathlib.Path, sys.argv[1:])
for number in itertools.count(1):
    copy = copies / str(number)
    shutil.copytree(original, copy)
    process = os.fork()
    if not process:
        open_and_be_killed_at(number, copy)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    if not status:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
"""


def test_killed_at_any_statement_it_leaves_a_file_that_opens_with_all_runs(folder: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    subprocess.run([sys.executable, "-W", "error", "-c", KILLED, folder, copies], check=True, cwd="/")
    left = sorted(copies.iterdir(), key=lambda copy: int(copy.name))
    assert len(left) > 20
    schemas = []
    for copy in left:
        path = copy / "restart_log.db"
        with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
            schemas += connection.execute("PRAGMA user_version").fetchone()
        store = Store(path, LOGGER)
        assert ids(store) == IDS, copy
        assert store.save(CURRENT).id == LAST_ID + 1
        store.close()
        assert [file.name for file in copy.iterdir()] == ["restart_log.db"], "it was not found damaged"
    assert 1 in schemas
