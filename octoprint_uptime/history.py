"""The runs of OctoPrint, kept in a small database by one thread of its own."""

import itertools
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from . import clock
from .formatting import format_moment
from .restarts import EARLIEST, Print, Run, restarts

HEARTBEAT_SECONDS = 300.0
STOP_SECONDS = 0.025  # half of what a shutdown may be delayed by
RUNS_KEPT = 1000
NEWS_FROM = 50  # restarts, the newest ones
SECONDS_KEPT = 365 * 86400.0

# Times are by the boot clock, and each boot has one offset to the wall clock: as soon as a wall clock is set, late as
# on a host without a clock chip, every run of that boot is put right.
_TABLES = """
BEGIN;
CREATE TABLE boots (boot TEXT PRIMARY KEY, "offset" REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, started REAL NOT NULL, seen REAL NOT NULL,
    version TEXT NOT NULL, ended TEXT, print TEXT, progress REAL, print_started REAL, dismissed INTEGER NOT NULL
);
PRAGMA user_version = 1;
COMMIT;
"""
_SCHEMA = 1
_RUNS = "SELECT * FROM runs JOIN boots USING (boot) WHERE id < ? ORDER BY id"
_SET_BOOT = """
INSERT INTO boots VALUES (:boot, :offset) ON CONFLICT (boot) DO UPDATE SET "offset" = excluded."offset"
"""
_SET_RUN = """
UPDATE runs SET seen = :seen, ended = :ended, print = :print, progress = :progress, print_started = :print_started
WHERE id = :id AND boot = :boot AND started = :started
"""
_ADD_RUN = """
INSERT INTO runs (boot, started, seen, version, ended, print, progress, print_started, dismissed)
VALUES (:boot, :started, :seen, :version, :ended, :print, :progress, :print_started, 0)
"""
_DISMISS = "UPDATE runs SET dismissed = 1 WHERE id = ? AND started = ?"
_DROP_OTHERS = "DELETE FROM runs WHERE id <> ?"
_DROP_BEYOND = "DELETE FROM runs WHERE id <= (SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET ?)"
# The age is that before now or before the last run's end, whichever is less: a clock that is ahead today must not
# cost the whole history. What a clock that was never set has dated is of no known age.
_DROP_OLD = """
DELETE FROM runs WHERE id IN (
    SELECT id FROM runs JOIN boots USING (boot) WHERE "offset" + seen BETWEEN :earliest AND min(:now, (
        SELECT "offset" + seen FROM runs JOIN boots USING (boot) WHERE id < :id ORDER BY id DESC LIMIT 1
    )) - :kept
)
"""
_DROP_BOOTS = "DELETE FROM boots WHERE boot NOT IN (SELECT boot FROM runs)"

_News = tuple[dict[str, Any] | None, dict[str, Any] | None]


class History:
    """This run and the earlier ones: in memory for whoever asks, on disk by a thread that nothing waits for.

    The thread writes at each event and each `HEARTBEAT_SECONDS`. What can't be written is logged once and tried again
    at the next heartbeat. ``on_ready`` is called in the thread, once, when the earlier runs are known; ``progress``
    too, at each write while a print runs, for its percentage.
    """

    def __init__(
        self,
        path: Path,
        version: str,
        logger: logging.Logger,
        on_ready: Callable[[], None],
        progress: Callable[[], float | None],
    ) -> None:
        self._path = path
        self._version = version
        self._logger = logger
        self._on_ready = on_ready
        self._progress = progress
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # around the three that requests read
        self._run: Run | None = None
        self._runs: tuple[Run, ...] = ()
        self._offsets: dict[str, float] = {}
        self._connection: sqlite3.Connection | None = None
        self._pending: list[tuple[str, tuple[float, ...]]] = []
        self._news: tuple[object, _News] = (None, (None, None))
        self._loaded = self._refused = self._warned = False

    def start(self, started: float) -> None:
        """Begin a run that started at this reading of the boot clock; returns at once."""
        self._do(partial(self._begin, started))

    def printing(self, job: Print | None) -> None:
        """Note the print that has started, paused or resumed, or None when it has ended."""
        self._do(partial(self._note, job))

    def switch_off(self) -> None:
        """End the run since it is no longer to be recorded; `start` begins another."""
        self._do(partial(self._end, "off"))

    def stop(self) -> None:
        """End the run cleanly, for good; where the disk is slow, returns before that is written."""
        if self._thread:
            self._do(partial(self._end, "clean"))
            self._tasks.put(None)
            self._thread.join(STOP_SECONDS)

    def dismiss(self, run_id: int) -> None:
        """Note that the notices about the ends of this run and those before were dismissed; an unknown one: of none."""
        with self._lock:
            known = any(run.id == run_id for run in self._runs)
            found = [run for run in self._runs if known and run.id <= run_id and not run.dismissed]
            if not found:
                return
            self._runs = tuple(run._replace(dismissed=run.dismissed or run in found) for run in self._runs)
        self._do(partial(self._change, *((_DISMISS, (run.id, run.started)) for run in found)))

    def clear(self) -> None:
        """Forget every run but the current one."""
        self._forget()
        self._do(self._clear)

    @property
    def run(self) -> Run | None:
        """The current run; None before `start` and after the end."""
        return self._run

    @property
    def runs(self) -> tuple[Run, ...]:
        """The earlier runs, oldest first."""
        return self._runs

    def restarts(self) -> Iterator[dict[str, Any]]:
        """The restarts, newest first, by the wall clock as it is set now; see `restarts.restarts`."""
        with self._lock:
            runs, offsets = self._runs, dict(self._offsets)
            if self._run:
                runs = (*runs, self._run)
                offsets[self._run.boot] = clock.boot_offset()
        return restarts(runs, offsets)

    def news(self) -> _News:
        """The newest restart, and the one that somebody ought to be told of, each None where there is none.

        That is the newest end without warning that nobody has dismissed, rather one that cost a print. Made anew only
        when it may have changed.
        """
        basis = (self._runs, self._run and self._run.id, clock.boot_offset())
        known, news = self._news
        if known != basis:
            newest = list(itertools.islice(self.restarts(), NEWS_FROM))
            unseen = [restart for restart in newest if not (restart["clean"] or restart["dismissed"])]
            costly = [restart for restart in unseen if restart["lost_print"]]
            news = next(iter(newest), None), next(iter(costly + unseen), None)
            self._news = (basis, news)
        return news

    def _do(self, task: Callable[[], None]) -> None:
        self._tasks.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="uptime history", daemon=True)
            self._thread.start()

    def _forget(self) -> None:
        with self._lock:
            self._runs = ()

    # From here on, everything is done in the thread.

    def _work(self) -> None:
        for task in iter(self._next, None):
            task()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._tasks.get(timeout=HEARTBEAT_SECONDS if self._run else None)
        except queue.Empty:
            return self._save

    def _begin(self, started: float) -> None:
        self._run = Run(0, clock.boot_id(), started, started, self._version, None, None, False)
        self._save()

    def _note(self, job: Print | None) -> None:
        if self._run:
            # A file's name may hold what no text may.
            job = job and job._replace(name=_text(job.name.encode("utf-8", "replace")))
            self._run = self._run._replace(print=job)
            self._save()

    def _end(self, how: str) -> None:
        if self._run:
            self._run = self._run._replace(ended=how)
            self._save()
            with self._lock:
                self._runs, self._run = (*self._runs, self._run), None
                self._offsets[self._runs[-1].boot] = clock.boot_offset()
        self._close()

    def _clear(self) -> None:
        self._forget()  # again, since they may have been loaded only now
        self._change((_DROP_OTHERS, (self._run.id if self._run else 0,)), (_DROP_BOOTS, ()))

    def _change(self, *statements: tuple[str, tuple[float, ...]]) -> None:
        if not self._refused:
            self._pending += statements
        self._save()
        if not self._run:
            self._close()

    def _save(self) -> None:
        if self._refused:
            return
        try:
            self._write()
        except Exception as error:
            self._warn("The restart log can't be kept in %s: %r", self._path, error)
            self._close()  # and opened again, and checked, at the next heartbeat

    def _write(self) -> None:
        opened = self._connection is None
        if self._connection is None:
            self._connection = self._open()
        connection, run = self._connection, self._run
        with connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            for statement in self._pending:
                connection.execute(*statement)
            if run:
                run = self._write_run(connection, self._alive(run), opened)
        self._pending.clear()
        self._run = run
        if run and not self._loaded:
            self._load(connection, run.id)
            self._on_ready()

    def _alive(self, run: Run) -> Run:
        job = run.print
        if job:
            progress = _number(self._progress(), 0, 100)
            job = job._replace(progress=job.progress if progress is None else progress)
        return run._replace(seen=clock.boot_clock(), print=job)

    def _write_run(self, connection: sqlite3.Connection, run: Run, opened: bool) -> Run:
        if opened:
            boots = [boot for (boot,) in connection.execute("SELECT boot FROM boots")]
            run = run._replace(boot=next((boot for boot in boots if clock.same_boot(boot, run.boot)), run.boot))
        columns = ("print", "progress", "print_started")
        job = dict(zip(columns, run.print or (None, None, None), strict=True))
        values = run._asdict() | job | {"offset": clock.boot_offset()}
        connection.execute(_SET_BOOT, values)
        if not connection.execute(_SET_RUN, values).rowcount:
            run = run._replace(id=connection.execute(_ADD_RUN, values).lastrowid or 0)
        if opened:
            self._prune(connection, run)
        return run

    def _prune(self, connection: sqlite3.Connection, run: Run) -> None:
        now = clock.boot_offset() + run.seen
        connection.execute(_DROP_OLD, {"id": run.id, "now": now, "kept": SECONDS_KEPT, "earliest": EARLIEST})
        connection.execute(_DROP_BEYOND, (RUNS_KEPT,))
        connection.execute(_DROP_BOOTS)

    def _load(self, connection: sqlite3.Connection, run_id: int) -> None:
        rows = connection.execute(_RUNS, (run_id,)).fetchall()
        runs = tuple(filter(None, map(_parse, rows)))
        boots = {run.boot for run in runs}
        with self._lock:
            self._runs = runs
            self._offsets = {row["boot"]: float(row["offset"]) for row in rows if row["boot"] in boots}
        self._loaded = True

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # the subclasses: locked, read-only, full, and so on
                raise
            aside = self._set_aside()
            self._warn("The restart log was damaged (%s); it is kept as %s, and a new one begun", error, aside)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=1, isolation_level=None)
        try:
            self._prepare(connection)
        except Exception:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        # Alone with its file, SQLite needs no memory-mapped index beside it, which would double what is written.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, _SCHEMA):
            self._refused = True
            raise sqlite3.NotSupportedError(f"its schema is {version}, from a later version of this plugin")
        (check,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if check != "ok":
            raise sqlite3.DatabaseError(check)
        # Of all ways that survive a power cut this one writes least: a page appended to the log and synced for a
        # heartbeat, where a rollback journal writes, syncs and removes a file. Few pages in the log keep it in place.
        connection.execute("PRAGMA page_size = 512")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 16")
        if version == 0:
            connection.executescript(_TABLES)

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _set_aside(self) -> Path:
        now = format_moment(clock.boot_offset() + clock.boot_clock()).replace("-", "").replace(":", "")
        name = f"{self._path.name}.damaged-{now}"
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        aside = next(path for path in map(self._path.with_name, names) if not path.exists())
        # A write-ahead log beside it is SQLite's: it has gone into this file, or is dropped with an empty new one.
        self._path.rename(aside)
        return aside

    def _warn(self, message: str, *details: object) -> None:
        self._logger.log(logging.DEBUG if self._warned else logging.WARNING, message, *details)
        self._warned = True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _number(raw: object, low: float = -1e12, high: float = 1e12) -> float | None:
    return float(raw) if isinstance(raw, (int, float)) and low <= raw <= high else None


def _parse(row: sqlite3.Row) -> Run | None:
    """The run in a row, or None where it makes no sense: someone may have edited it, or a card gone bad."""
    started = _number(row["started"], 0)
    seen = _number(row["seen"], started or 0)
    if started is None or seen is None or _number(row["offset"]) is None:
        return None
    name = row["print"]
    job = Print(name, _number(row["progress"], 0, 100), _number(row["print_started"], started, seen))
    version = row["version"] if isinstance(row["version"], str) else ""
    ended = row["ended"] if row["ended"] in ("clean", "off") else None
    lost = job if isinstance(name, str) else None
    return Run(row["id"], row["boot"], started, seen, version, ended, lost, row["dismissed"] == 1)
