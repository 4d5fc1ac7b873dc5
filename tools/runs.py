"""Write a restart log with made-up runs, for tests, benchmarks and screenshots."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from octoprint_uptime.restart_log.store import MIGRATIONS


class Run(NamedTuple):
    """A run from ``start`` to ``end``, both in hours before now. ``ended`` is as in the database."""

    boot: str
    start: float
    end: float
    ended: str | None
    path: str | None = None
    dismissed: bool = False
    cause: str | None = None  # proven
    crashed_in: str | None = None
    asked: str | None = None


def write_runs(basedir: Path, runs: Iterable[Run]) -> None:
    """Write the database into an OctoPrint data folder. Each boot begins 30 seconds before its first run."""
    path = basedir / "data" / "octoprint_uptime" / "restart_log.db"
    path.parent.mkdir(parents=True)
    now = time.time()
    offsets: dict[str, float] = {}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA page_size = 512")  # like the log itself
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        for boot, start, end, ended, file, dismissed, cause, crashed_in, asked in runs:
            offset = offsets.setdefault(boot, now - start * 3600 - 30)
            started, last_alive = (now - hours * 3600 - offset for hours in (start, end))
            lost = (*(None,) * 7, 0) if file is None else (file, "local", started, 43.7, 43700, 12.4, last_alive, 1)
            connection.execute(
                """
                INSERT INTO runs (
                    boot, "offset", started, recorded_from, last_alive, version, ended, dismissed, printed,
                    print_path, print_origin, print_started, print_percent, print_position, print_z, print_seen,
                    print_streamed, asked, asked_at, cause, proven, crashed_in, examined
                ) VALUES (?, ?, ?, ?, ?, '1.11.8', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    *(boot, offset, started, started, last_alive, ended, dismissed, file is not None, *lost),
                    *(asked, asked and last_alive, cause, cause is not None, crashed_in, cause is not None),
                ),
            )
