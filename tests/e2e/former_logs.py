"""Restart logs as each released schema leaves them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

SCHEMA_3 = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, started REAL NOT NULL, last_alive REAL NOT NULL,
    version TEXT NOT NULL, ended TEXT, print_path TEXT, print_percent REAL, print_started REAL,
    dismissed INTEGER NOT NULL, "offset" REAL NOT NULL DEFAULT 0, recorded_from REAL NOT NULL DEFAULT 0,
    print_origin TEXT, print_position INTEGER, print_z REAL, print_seen REAL, own_boot_id INTEGER NOT NULL DEFAULT 0
);
INSERT INTO runs VALUES (7, 'a', 60, 90, '1.11.8', NULL, 'y', 1.5, 61, 1, 1772323200, 61, 'local', 5, 0.2, 80, 0);
PRAGMA user_version = 3;
"""


def write_log(path: Path, script: str) -> None:
    """Run a script of SQL in a new database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)
