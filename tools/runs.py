"""A restart log with a past that was never lived, for tests, benchmarks and screenshots."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from octoprint_uptime import history


class Run(NamedTuple):
    """From ``start`` to ``end``, in hours before now; ``ended`` as in the database."""

    boot: str
    start: float
    end: float
    ended: str | None
    print: str | None = None
    dismissed: bool = False


def write_runs(basedir: Path, runs: Iterable[Run]) -> None:
    """Make the database of an OctoPrint with this data folder; a boot begins half a minute before its first run."""
    path = basedir / "data" / "octoprint_uptime" / "history.db"
    path.parent.mkdir(parents=True)
    now = time.time()
    offsets: dict[str, float] = {}
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 512")  # as the log itself does
        connection.executescript(history._TABLES)
        for boot, start, end, ended, name, dismissed in runs:
            offset = offsets.setdefault(boot, now - start * 3600 - 30)
            started, seen = (now - hours * 3600 - offset for hours in (start, end))
            lost = (None, None, None) if name is None else (name, 43.7, started)
            connection.execute("INSERT OR IGNORE INTO boots VALUES (?, ?)", (boot, offset))
            connection.execute(
                "INSERT INTO runs (boot, started, seen, version, ended, print, progress, print_started, dismissed)"
                " VALUES (?, ?, ?, '1.11.8', ?, ?, ?, ?, ?)",
                (boot, started, seen, ended, *lost, dismissed),
            )
        connection.commit()
