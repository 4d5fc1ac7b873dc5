"""Store the runs in a SQLite file: open, check, migrate and prune it, and set it aside if it is damaged."""

import contextlib
import itertools
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from .. import clock
from ..evidence.records import ASKED_BY, CAUSES, JOURNAL, Found, Process, Signs
from ..formatting import format_moment
from ..readings import JITTER_SECONDS
from .records import Print, Progress, Run, Totals, number, text, whole

RUNS_KEPT = 1000
DAMAGED_KEPT = 3  # files that were set aside

_COLUMNS = """
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, started REAL NOT NULL, last_alive REAL NOT NULL,
    version TEXT NOT NULL, ended TEXT, print_path TEXT, print_percent REAL, print_started REAL,
    dismissed INTEGER NOT NULL, "offset" REAL NOT NULL DEFAULT 0, recorded_from REAL NOT NULL DEFAULT 0,
    print_origin TEXT, print_position INTEGER, print_z REAL, print_seen REAL, own_boot_id INTEGER NOT NULL DEFAULT 0,
    print_streamed INTEGER NOT NULL DEFAULT 0, printed INTEGER NOT NULL DEFAULT 0
"""
_EVIDENCE = (
    *("pid INTEGER", "invocation TEXT", "power_reset INTEGER", "oom_kills INTEGER", "memory INTEGER"),
    *("under_voltage REAL", "asked TEXT", "asked_at REAL", "cause TEXT", "proven INTEGER", "crashed_in TEXT"),
    *("journal TEXT", "examined INTEGER NOT NULL DEFAULT 0"),
)
_TOTALS = tuple(f"{name} INTEGER NOT NULL DEFAULT 0" for name in ("unexpected_shutdowns", "lost_prints", "boots"))
# The statements that lead from each schema to the next; an empty file has schema 0. No release wrote schema 1 or 2.
MIGRATIONS = {
    0: (f"CREATE TABLE runs ({_COLUMNS}, {', '.join(_EVIDENCE + _TOTALS)})", "PRAGMA user_version = 4"),
    3: (
        "ALTER TABLE runs ADD COLUMN print_streamed INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE runs ADD COLUMN printed INTEGER NOT NULL DEFAULT 0",
        "UPDATE runs SET print_streamed = print_origin IS NULL OR print_origin = 'local' WHERE print_path IS NOT NULL",
        # Version 1.1.0 did not record whether a run had a print. Assume that each did: otherwise the page would warn
        # about the heaters after an old restart.
        "UPDATE runs SET printed = 1",
        # Version 1.1.0 showed no notice after a clean shutdown, and an update must not announce old prints.
        "UPDATE runs SET dismissed = 1 WHERE ended = 'clean'",
        *(f"ALTER TABLE runs ADD COLUMN {column}" for column in _EVIDENCE + _TOTALS),
        "PRAGMA user_version = 4",
    ),
}
SCHEMA = 4

# Each run's row stores the totals of the runs before it: no other write is needed, and deleted runs still count.
_ADD = """
INSERT INTO runs (
    boot, "offset", started, recorded_from, last_alive, version, ended, dismissed, own_boot_id, printed,
    print_path, print_origin, print_started, print_percent, print_position, print_z, print_seen, print_streamed,
    pid, invocation, power_reset, oom_kills, memory, under_voltage, asked, asked_at,
    unexpected_shutdowns, lost_prints, boots
) SELECT
    :boot, :offset, :started, :recorded_from, :last_alive, :version, :ended, :dismissed, :own_boot_id, :printed,
    :print_path, :print_origin, :print_started, :print_percent, :print_position, :print_z, :print_seen, :print_streamed,
    :pid, :invocation, :power_reset, :oom_kills, :memory, :under_voltage, :asked, :asked_at,
    ifnull(unexpected_shutdowns + (ended IS NOT 'off' AND (ended IS NOT 'clean' OR cause IS NOT NULL)), 0),
    ifnull(lost_prints + (ended IS NOT 'off' AND print_path IS NOT NULL AND print_streamed), 0),
    ifnull(boots + (boot IS NOT :boot), 0)
FROM (SELECT 1) LEFT JOIN (SELECT * FROM runs ORDER BY id DESC LIMIT 1)
"""
_UPDATE = """
UPDATE runs SET last_alive = :last_alive, ended = :ended, printed = :printed,
    print_path = :print_path, print_origin = :print_origin, print_started = :print_started,
    print_percent = :print_percent, print_position = :print_position, print_z = :print_z, print_seen = :print_seen,
    print_streamed = :print_streamed, oom_kills = :oom_kills, memory = :memory, under_voltage = :under_voltage,
    asked = :asked, asked_at = :asked_at
WHERE id = :id AND boot = :boot AND started = :started
"""
# A clean shutdown with a cause is an unexpected one.
_COUNT_CAUSE = """
UPDATE runs SET unexpected_shutdowns = unexpected_shutdowns + 1 WHERE id > :id AND :cause IS NOT NULL AND EXISTS (
    SELECT * FROM runs WHERE id = :id AND started = :started AND ended = 'clean' AND cause IS NULL
)
"""
_EXAMINED = """
UPDATE runs SET cause = :cause, proven = :proven, crashed_in = :crashed_in, journal = :journal, examined = 1
WHERE id = :id AND started = :started
"""
# When the wall clock is set, the new offset applies to every run of the same boot.
_SET_CLOCK = 'UPDATE runs SET "offset" = :offset WHERE boot = :boot AND "offset" IS NOT :offset'
_PRUNE = "DELETE FROM runs WHERE id <= (SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET ?)"


class LaterSchemaError(Exception):
    """A later version of this plugin wrote the file. The store doesn't touch it."""


class Store:
    """A store that reads and writes the runs in one file, from one thread.

    Each method except `sync` and `close` is one transaction, and opens the file if it isn't open. A method that can't
    open or write the file raises `OSError`, `sqlite3.Error` or `LaterSchemaError`. The caller then calls `close` and
    tries again later.
    """

    def __init__(self, path: Path, logger: logging.Logger) -> None:
        self._path = path
        self._logger = logger
        self._connection: sqlite3.Connection | None = None

    def __str__(self) -> str:
        return str(self._path)

    def save(self, run: Run) -> Run:
        """Update a run, or add it if it is new. Return it as stored, with its id."""
        with self._transaction() as connection:
            if not run.id:
                run = run._replace(boot=_stored_boot(connection, run.boot, run.started))
            values = _to_row(run)
            if not connection.execute(_UPDATE, values).rowcount:
                run = run._replace(id=connection.execute(_ADD, values).lastrowid or 0)
                connection.execute(_PRUNE, (RUNS_KEPT,))
            connection.execute(_SET_CLOCK, values)
            # Read the totals at each write: a cause that is stored later changes them.
            row = connection.execute("SELECT * FROM runs WHERE id = ?", (run.id,)).fetchone()
        return run._replace(totals=_totals_from_row(row))

    def before(self, run: Run) -> tuple[Run, ...]:
        """Return the runs before this one, oldest first, without rows that make no sense."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM runs WHERE id < ? ORDER BY id", (run.id,)).fetchall()
        return tuple(filter(None, map(_from_row, rows)))

    def dismiss(self, runs: Iterable[Run]) -> None:
        """Record that the notices about the ends of these runs were dismissed."""
        with self._transaction() as connection:
            for run in runs:
                connection.execute("UPDATE runs SET dismissed = 1 WHERE id = ? AND started = ?", (run.id, run.started))

    def note(self, run: Run, found: Found) -> None:
        """Record what was found out about the end of this run."""
        with self._transaction() as connection:
            values = {"id": run.id, "started": run.started} | found._asdict()
            connection.execute(_COUNT_CAUSE, values)
            connection.execute(_EXAMINED, values)

    def clear(self, keep: int) -> None:
        """Delete all runs except the one with this id."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM runs WHERE id <> ?", (keep,))

    def close(self) -> None:
        """Close the file. The next transaction opens it again."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def sync(self) -> None:
        """Wait until all writes are on the disk, where they survive a power cut."""
        if self._connection:
            # Don't open the database file here: closing it again would release SQLite's lock.
            log = os.open(f"{self._path}-wal", os.O_RDWR)  # Windows refuses to sync what is opened read-only
            try:
                os.fsync(log)
            finally:
                os.close(log)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            self._connection = self._open()
        with self._connection:  # commit or roll back
            self._connection.execute("BEGIN IMMEDIATE")
            _migrate(self._connection)
            yield self._connection

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if not is_corruption(error):
                raise
            aside = self._set_aside()
            message = "The restart log can't be used (%s). It was renamed to %s, and a new log was started."
            self._logger.warning(message, error, aside)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=1, isolation_level=None)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _decode
        # With an exclusive lock, SQLite needs no memory-mapped index file, which would double the amount written.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if 0 < schema < SCHEMA and schema not in MIGRATIONS:
            raise sqlite3.DatabaseError(f"its schema is {schema}, from an unreleased version of this plugin")
        if schema != SCHEMA and schema not in MIGRATIONS:
            raise LaterSchemaError(f"its schema is {schema}, from a later version of this plugin")
        (check,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if check != "ok":
            raise sqlite3.DatabaseError(check)
        # Of all modes that survive a power cut, this one writes the least: a heartbeat appends one page to the
        # write-ahead log, whereas a rollback journal writes, syncs and deletes a file. After 16 pages SQLite moves them
        # to the database and starts the log over, so it doesn't grow. Only that and `sync` wait for the disk.
        connection.execute("PRAGMA page_size = 512")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 16")

    def _set_aside(self) -> Path:
        now = format_moment(clock.boot_offset() + clock.boot_clock()).replace("-", "").replace(":", "")
        name = f"{self._path.name}.damaged-{now}"
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        aside = next(path for path in map(self._path.with_name, names) if not path.exists())
        # The write-ahead log can stay: SQLite has already merged it into the old file, or will discard it when it opens
        # the new one.
        self._path.rename(aside)
        kept = sorted(self._path.parent.glob(f"{self._path.name}.damaged-*"), key=lambda path: path.stat().st_ctime_ns)
        for path in kept[:-DAMAGED_KEPT]:
            path.unlink()
        return aside


def is_corruption(error: Exception) -> bool:
    """Return whether the file itself is unusable, and not just locked, read-only or full."""
    # Other errors are subclasses of DatabaseError. If SQLite's message quotes a damaged schema,
    # Python raises UnicodeDecodeError.
    return type(error) in (sqlite3.DatabaseError, UnicodeDecodeError)


def _migrate(connection: sqlite3.Connection) -> None:
    while (schema := connection.execute("PRAGMA user_version").fetchone()[0]) != SCHEMA:
        for statement in MIGRATIONS[schema]:
            connection.execute(statement)


def _stored_boot(connection: sqlite3.Connection, boot: str, started: float) -> str:
    """Return the name under which this boot is already stored, or a new name. ``started`` is the new run's start."""
    if not clock.is_time(boot):
        return boot
    columns = "boot, \"offset\", CASE ended WHEN 'off' THEN started ELSE last_alive END, max(id)"  # of the newest run
    rows = connection.execute(f"SELECT {columns} FROM runs WHERE typeof(boot) = 'text' GROUP BY boot ORDER BY id DESC")  # noqa: S608
    names = set()
    for name, raw_offset, raw_end, _ in rows:
        names.add(name)
        offset, end = number(raw_offset), number(raw_end)
        # If the stored boot lasted beyond this start, it is another one: without a clock chip, two boots can seem to
        # begin at the same time.
        is_later = end is not None and end > started + JITTER_SECONDS
        # The clock may have been set since the boot got its name. Its offset is kept up to date.
        if clock.is_time(name) and offset is not None and not is_later and clock.same_boot(str(round(offset)), boot):
            return str(name)
    return next(name for name in map(str, itertools.count(int(boot))) if name not in names)


def _to_row(run: Run) -> dict[str, object]:
    path, origin, started, progress, streamed = run.print or (None, None, None, None, False)
    percent, position, z, seen = progress or (None, None, None, None)
    row = run._asdict() | run.process._asdict() | run.signs._asdict()
    return row | {
        "print_path": path,
        "print_origin": origin,
        "print_started": started,
        "print_percent": percent,
        "print_position": position,
        "print_z": z,
        "print_seen": seen,
        "print_streamed": streamed,
    }


def _from_row(row: sqlite3.Row) -> Run | None:
    """Return the run in a row, or None if the row makes no sense, as can happen on a failing SD card."""
    offset = number(row["offset"])
    started = number(row["started"], 0)
    last_alive = number(row["last_alive"], started or 0)
    if offset is None or started is None or last_alive is None or not isinstance(row["boot"], str):
        return None
    recorded_from = number(row["recorded_from"], started, last_alive)
    version = text(row["version"]) or ""
    ended = row["ended"] if row["ended"] in ("clean", "off") else None
    return Run(
        row["id"],
        row["boot"],
        offset,
        started,
        started if recorded_from is None else recorded_from,
        last_alive,
        version,
        ended,
        _print_from_row(row, started, last_alive),
        row["dismissed"] == 1,
        row["own_boot_id"] == 1,
        row["printed"] == 1,
        *_evidence_from_row(row, started, last_alive),
        _totals_from_row(row),
    )


def _print_from_row(row: sqlite3.Row, began: float, last_alive: float) -> Print | None:
    path = row["print_path"]
    if path is None:
        return None
    seen = number(row["print_seen"], began, last_alive)
    progress = Progress.of(row["print_percent"], row["print_position"], row["print_z"], seen)
    started = number(row["print_started"], began, last_alive)
    return Print(text(path) or "", text(row["print_origin"]), started, progress, row["print_streamed"] == 1)


def _evidence_from_row(row: sqlite3.Row, began: float, last_alive: float) -> tuple[Signs, Process, Found | None]:
    invocation, crashed_in = text(row["invocation"]), text(row["crashed_in"])
    names = (("asked", ASKED_BY), ("cause", CAUSES), ("journal", JOURNAL))
    asked, cause, journal = (row[name] if row[name] in known else None for name, known in names)
    seen, asked_at = (number(row[name], began, last_alive) for name in ("under_voltage", "asked_at"))
    signs = Signs(whole(row["oom_kills"], 0), whole(row["memory"], 0), seen, asked, asked_at)
    found = Found(cause, row["proven"] == 1, crashed_in, journal) if row["examined"] == 1 else None
    return signs, Process(whole(row["pid"], 1), invocation, whole(row["power_reset"], 0)), found


def _totals_from_row(row: sqlite3.Row) -> Totals:
    counts = (whole(row[name], 0) or 0 for name in ("unexpected_shutdowns", "lost_prints", "boots"))
    return Totals(row["id"], *counts)


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
