"""Restart logs as each version of the plugin has left them, told as of March 2026."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

MARCH = 1772323200.0  # 2026-03-01 00:00 UTC

SCHEMA_1 = """
BEGIN;
CREATE TABLE boots (boot TEXT PRIMARY KEY, "offset" REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, started REAL NOT NULL, seen REAL NOT NULL,
    version TEXT NOT NULL, ended TEXT, print TEXT, progress REAL, print_started REAL, dismissed INTEGER NOT NULL
);
PRAGMA user_version = 1;
COMMIT;
"""
BOOTS_1 = [("a", MARCH), ("b", MARCH + 86400), ("c", 100.0), ("d", MARCH + 3 * 86400)]
RUNS_1: list[tuple[Any, ...]] = [
    (2, "a", 60.5, 7200.0, "1.11.7", None, "benchy.gcode", 43.21, 3600.0, 1),
    (3, "a", 7300.0, 9000.0, "1.11.7", "clean", None, None, None, 0),
    (5, "b", 30.0, 400.0, "1.11.8", "off", None, None, None, 0),
    (6, "b", 30.0, 600.0, "1.11.8", None, "cube.gcode", None, None, 0),
    (7, "c", 10.0, 50.0, "1.11.8", "clean", None, None, None, 0),
    (8, "no boot", 10.0, 50.0, "1.11.8", None, None, None, None, 0),
    (9, "d", 20.0, 80.0, "1.11.8", None, "x", 0.0, 20.0, 0),
]

SCHEMA_2 = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, started REAL NOT NULL, last_alive REAL NOT NULL,
    version TEXT NOT NULL, ended TEXT, print_path TEXT, print_percent REAL, print_started REAL,
    dismissed INTEGER NOT NULL, "offset" REAL NOT NULL DEFAULT 0, recorded_from REAL NOT NULL DEFAULT 0,
    print_origin TEXT, print_position INTEGER, print_z REAL, print_seen REAL
);
INSERT INTO runs VALUES (7, 'a', 60, 90, '1.11.7', 'clean', 'x', 1.5, 61, 1, 1772323200, 61, 'local', 5, 0.2, 80);
PRAGMA user_version = 2;
"""

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


def write_log(basedir: Path, schema: int) -> None:
    """Write the file of this schema into an OctoPrint's data folder, under the name that it had."""
    folder = basedir / "data" / "octoprint_uptime"
    folder.mkdir(parents=True)
    name = "history.db" if schema == 1 else "restart_log.db"
    with closing(sqlite3.connect(folder / name)) as connection, connection:
        connection.executescript({1: SCHEMA_1, 2: SCHEMA_2, 3: SCHEMA_3}[schema])
        if schema == 1:
            connection.executemany("INSERT INTO boots VALUES (?, ?)", BOOTS_1)
            connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", RUNS_1)
