"""Test the store with real files and without a thread."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from former_logs import SCHEMA_3, write_log
from killed_store import kill_at_each_statement
from octoprint_uptime import clock
from octoprint_uptime.evidence.records import Found, Process, Signs
from octoprint_uptime.restart_log.records import Print, Progress, Run, Totals
from octoprint_uptime.restart_log.store import DAMAGED_KEPT, RUNS_KEPT, SCHEMA, LaterSchemaError, Store, is_corruption

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
BENCHY = Print("parts/benchy.gcode", "local", 60.5, Progress(12.5, 5000, 0.2, 70.25), True)
RUN = Run(0, "a", MARCH, 50.5, 55.25, 80.75, "1.11.8", None, BENCHY, False)
SIGNS = Signs(3, 14_000_000, 70.5, "restart", 80.5)
PROCESS = Process(700, "0123456789abcdef0123456789abcdef", 2)
FOUND = Found("crashed", True, "badplugin", "found")
LATER = RUN._replace(started=100.0, recorded_from=100.0, last_alive=110.0, print=None)
OTHER = RUN._replace(boot="b", offset=MARCH + 86400, print=None)
LAST = RUN._replace(id=10**9)

Make = Callable[..., Store]


@pytest.fixture
def make(path: Path) -> Iterator[Make]:
    made: list[Store] = []

    def make(file: Path = path) -> Store:
        made.append(Store(file, LOGGER))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def store(make: Make) -> Store:
    return make()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the content of a file with fifty runs, each in a boot of its own."""
    path = tmp_path_factory.mktemp("good") / "good.db"
    store = Store(path, LOGGER)
    for number in range(50):
        run = RUN._replace(boot=f"boot {number}", offset=MARCH + number * 600, signs=SIGNS, process=PROCESS)
        store.note(store.save(run), FOUND)
    store.close()
    return path.read_bytes()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def rows(path: Path, query: str = "SELECT * FROM runs ORDER BY id") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}{suffix}")


def left_by_a_kill(path: Path, copy: Path) -> None:
    """Copy an open file and its write-ahead log, as they would be after a kill."""
    for suffix in ("", "-wal"):
        shutil.copy(beside(path, suffix), beside(copy, suffix))


def set_aside(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{path.name}.damaged-*"))


@pytest.mark.parametrize(
    "run",
    [
        RUN,
        RUN._replace(print=None),
        RUN._replace(print=Print("x", None, None, None, False)),
        RUN._replace(print=Print("b\N{SHIP}'\"x", "sdcard", None, Progress(0.0, None, None, None), False)),
        RUN._replace(print=BENCHY._replace(progress=Progress(None, 175, None, 70.25)), printed=True),
        RUN._replace(print=BENCHY._replace(streamed=False), printed=True),
        RUN._replace(ended="clean", version="2.0.0rc7", recorded_from=50.5),
        RUN._replace(ended="off", dismissed=True),
        RUN._replace(signs=SIGNS, process=PROCESS),
        RUN._replace(signs=Signs(oom_kills=0), process=Process(power_reset=0)),
    ],
)
def test_run_is_read_as_saved(store: Store, make: Make, run: Run) -> None:
    saved = store.save(run)
    assert saved == run._replace(id=1, totals=Totals(1))
    store.close()
    assert make().before(LAST) == (saved,)


def test_saving_again_updates_the_row(store: Store) -> None:
    first = store.save(RUN)
    other = store.save(OTHER)
    later = first._replace(
        last_alive=99.0, ended="clean", print=Print("cube.gcode", "sdcard", 90.0, None, False), printed=True
    )
    assert store.save(later) == later
    assert store.before(LAST) == (later, other)


def test_signs_of_a_run_are_updated(store: Store) -> None:
    first = store.save(RUN._replace(signs=Signs(oom_kills=1), process=PROCESS))
    later = first._replace(signs=SIGNS)
    store.save(later)
    assert store.before(LAST) == (later,)


@pytest.mark.parametrize("found", [FOUND, Found(), Found("killed", False, None, "unavailable")])
def test_what_was_found_is_read_as_noted(store: Store, found: Found) -> None:
    first, second = store.save(RUN), store.save(OTHER)
    store.note(first, found)
    assert store.before(LAST) == (first._replace(found=found), second)
    store.save(first._replace(last_alive=81.0))
    assert store.before(LAST)[0].found == found, "saving a run must not undo it"
    store.note(second._replace(started=1), found)
    assert store.before(LAST)[1].found is None, "another run has this id"


def test_before_returns_the_earlier_runs(store: Store) -> None:
    runs = [store.save(RUN), store.save(OTHER), store.save(OTHER)]
    assert [run.id for run in runs] == [1, 2, 3]
    assert store.before(runs[2]) == tuple(runs[:2])
    assert store.before(runs[0]) == ()


def test_str_is_the_path(store: Store, path: Path) -> None:
    assert str(store) == str(path)
    store.close()
    assert not path.exists(), "no method has opened it"


def test_nearby_boot_times_are_stored_as_one_boot(store: Store) -> None:
    boots = ["1772366400", "1772366430", "1772366491", "1772366470"]
    runs = [
        RUN._replace(boot=boot, offset=float(boot), started=100.0 * n, last_alive=100.0 * n)
        for n, boot in enumerate(boots)
    ]
    stored = [store.save(run).boot for run in runs]
    assert stored == ["1772366400", "1772366400", "1772366491", "1772366491"]


def test_boot_without_an_id_is_known_by_its_latest_time(store: Store) -> None:
    """The clock stood in 1970 when it got its name, and was set since."""
    first = store.save(RUN._replace(boot="5", offset=5.0))
    store.save(first._replace(offset=MARCH))
    assert store.save(LATER._replace(boot=str(int(MARCH) + 3), offset=MARCH + 3)).boot == "5"


@pytest.mark.parametrize("seconds", [0, 3, -3])
@pytest.mark.parametrize(("ended", "is_same"), [(None, False), ("clean", False), ("off", True)])
def test_boot_clock_that_went_back_is_another_boot_without_an_id(
    store: Store, seconds: int, ended: str | None, is_same: bool
) -> None:
    """Without a clock chip, each boot may begin with the same restored time."""
    first = store.save(RUN._replace(boot=str(int(MARCH)), last_alive=500.0, ended=ended))
    second = store.save(RUN._replace(boot=str(int(MARCH) + seconds), offset=MARCH + seconds))
    assert (second.boot == first.boot) == is_same
    third = store.save(LATER._replace(boot=second.boot, offset=MARCH + seconds))
    assert third.boot == second.boot
    assert [run.offset for run in store.before(third)] == [MARCH + seconds if is_same else MARCH, MARCH + seconds]


@pytest.mark.parametrize("boot", ["3", "5", "6"])
def test_clock_that_is_not_set_yet_changes_no_other_boot(store: Store, boot: str) -> None:
    """Without an id, both boots began in the same minute of 1970; the first one's clock was set later."""
    first = store.save(RUN._replace(boot="5", offset=5.0))
    store.save(first._replace(offset=MARCH))
    second = store.save(RUN._replace(boot="6", offset=MARCH + 86400))
    third = store.save(RUN._replace(boot=boot, offset=float(boot)))
    assert len({first.boot, second.boot, third.boot}) == 3
    assert [run.offset for run in store.before(LAST)] == [MARCH, MARCH + 86400, float(boot)]


def test_new_offset_applies_to_all_runs_of_the_boot(store: Store) -> None:
    store.save(OTHER)
    store.save(RUN._replace(offset=100.0, ended="clean"))
    current = store.save(RUN._replace(offset=100.0))
    store.save(current._replace(offset=MARCH))
    assert [run.offset for run in store.before(LAST)] == [OTHER.offset, MARCH, MARCH]


def test_offset_is_written_only_when_it_changes(mocker: MockerFixture, store: Store) -> None:
    connect = mocker.spy(sqlite3, "connect")
    for _ in range(100):
        current = store.save(RUN)
    connection = connect.spy_return
    rows_written = []
    for offset in (MARCH, MARCH + 60, MARCH + 60):
        before = connection.total_changes
        store.save(current._replace(offset=offset, last_alive=offset))
        rows_written.append(connection.total_changes - before)
    assert rows_written == [1, 101, 1]


def test_newest_thousand_runs_are_kept(store: Store, path: Path) -> None:
    store.save(RUN)
    store.close()
    change(
        path,
        "INSERT INTO runs (boot, started, last_alive, version, dismissed)"
        " WITH RECURSIVE n(i) AS (SELECT 2 UNION SELECT i + 1 FROM n LIMIT 1099) SELECT i, 1, 2, 'x', 0 FROM n",
    )
    assert store.save(OTHER).id == 1101
    assert [run.id for run in store.before(LAST)] == list(range(102, 1102))
    assert RUNS_KEPT == 1000


def test_dismiss_changes_only_the_given_runs(store: Store) -> None:
    first, second, third = (store.save(RUN._replace(started=started)) for started in (50.5, 51, 52))
    store.dismiss([first, third])
    assert [run.dismissed for run in store.before(LAST)] == [True, False, True]
    store.save(third._replace(last_alive=99))
    assert [run.dismissed for run in store.before(LAST)] == [True, False, True], "saving a run must not undo it"
    store.dismiss([second._replace(started=1)])
    assert not store.before(third)[1].dismissed, "another run has this id"


def test_clear_keeps_one_run_and_reuses_no_id(store: Store) -> None:
    runs = [store.save(RUN) for _ in range(3)]
    store.clear(keep=2)
    assert store.before(LAST) == (runs[1],)
    store.clear(keep=0)
    assert store.before(LAST) == ()
    assert store.save(RUN).id == 4


def test_runs_survive_a_kill(store: Store, path: Path, make: Make) -> None:
    store.save(RUN)
    store.close()
    runs = [store.save(RUN), store.save(OTHER)]
    copy = path.with_name("copy.db")
    left_by_a_kill(path, copy)
    assert beside(copy, "-wal").stat().st_size > 0
    assert make(copy).before(LAST)[1:] == tuple(runs)


def test_close_leaves_one_file(store: Store, path: Path) -> None:
    store.save(RUN)
    store.close()
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_database_settings(mocker: MockerFixture, store: Store) -> None:
    connect = mocker.spy(sqlite3, "connect")
    store.save(RUN)
    connection = connect.spy_return
    asked = ("page_size", "journal_mode", "synchronous", "wal_autocheckpoint", "locking_mode")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    # 1 is NORMAL: only a checkpoint and `sync` wait for the disk.
    assert found == [512, "wal", 1, 16, "exclusive"]


def test_only_sync_waits_for_the_disk(mocker: MockerFixture, store: Store, path: Path) -> None:
    synced = mocker.spy(os, "fsync")
    store.sync()
    assert synced.call_count == 0, "nothing is written yet"
    store.save(RUN)
    assert synced.call_count == 0
    store.sync()
    assert synced.call_count == 1
    with closing(sqlite3.connect(path, timeout=0)) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT * FROM runs")
    store.close()
    store.sync()
    assert synced.call_count == 1


def test_file_is_opened_for_writing_to_sync_it(mocker: MockerFixture, store: Store) -> None:
    """Windows refuses to sync a file that is opened read-only."""
    modes = []
    mocker.patch.object(os, "fsync", lambda file: modes.append(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE))
    store.save(RUN)
    store.sync()
    assert modes == [os.O_RDWR]


def test_file_is_locked_until_closed(store: Store, make: Make) -> None:
    first = store.save(RUN)
    other = make()
    with pytest.raises(sqlite3.OperationalError, match="locked") as caught:
        other.save(OTHER)
    assert not is_corruption(caught.value)
    other.close()
    store.close()
    second = other.save(OTHER)
    assert other.before(LAST) == (first, second)


def test_folder_may_appear_later(tmp_path: Path, make: Make) -> None:
    (tmp_path / "none").touch()
    store = make(tmp_path / "none" / "deep" / "restart_log.db")
    with pytest.raises(OSError, match="none"):
        store.save(RUN)
    store.close()
    (tmp_path / "none").unlink()
    assert store.save(RUN).id == 1


def test_failed_save_is_rolled_back(store: Store, path: Path) -> None:
    earlier = store.save(RUN)
    store.close()
    change(path, "CREATE TRIGGER moon BEFORE UPDATE OF \"offset\" ON runs BEGIN SELECT RAISE(ABORT, 'moon'); END")
    current = RUN._replace(offset=MARCH + 60)
    with pytest.raises(sqlite3.IntegrityError, match="moon"):
        store.save(current)
    assert store.before(LAST) == (earlier,), "it works without being closed"
    store.close()
    change(path, "DROP TRIGGER moon")
    assert store.save(current).id == 2


def test_deleted_file_is_created_again_after_close(store: Store, path: Path) -> None:
    store.save(OTHER)
    current = store.save(RUN)
    for file in path.parent.iterdir():
        file.unlink()
    assert store.save(current) == current
    store.close()
    assert store.save(current) == current._replace(id=1, totals=Totals(1))


def test_replaced_file_keeps_its_own_runs(store: Store, path: Path) -> None:
    earlier, current = store.save(RUN), store.save(OTHER)
    store.close()
    path.unlink()
    others = tuple(store.save(RUN._replace(started=20.0 + number)) for number in range(3))
    store.close()
    assert store.save(current).id == 4
    store.dismiss([earlier])
    assert store.before(LAST)[:3] == others


def flipped(good: bytes, page: int) -> bytes:
    return good[: page * 512] + bytes(byte ^ 0xFF for byte in good[page * 512 :][:512]) + good[page * 512 + 512 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "random bytes": lambda _: bytes(number * 197 % 251 for number in range(9000)),
    "a text": lambda _: b"hello",
    "no header": lambda good: b"\0" * 100 + good[100:],
    "truncated in a page": lambda good: good[:4000],
    "truncated at a page": lambda good: good[:4096],
    "truncated in the header": lambda good: good[:50],
    "the second half zeroed": lambda good: good[: len(good) // 2] + bytes(len(good) - len(good) // 2),
    "the first page flipped": lambda good: flipped(good, 0),
    "a table's page flipped": lambda good: flipped(good, 4),
    "a later page flipped": lambda good: flipped(good, 8),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_is_set_aside(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture, good: bytes, damage: str
) -> None:
    bad = DAMAGES[damage](good)
    for _ in range(2):  # the second within the same second
        path.write_bytes(bad)
        run = store.save(RUN)
        assert store.before(LAST) == (run,) == (RUN._replace(id=1, totals=Totals(1)),)
        store.close()
    aside = set_aside(path)
    assert all(file.name.startswith("restart_log.db.damaged-20") for file in aside)
    assert [file.read_bytes() for file in aside] == [bad] * 2
    assert len(warnings(caplog)) == 2
    assert all("damaged" in warning for warning in warnings(caplog))


def test_any_damaged_page_is_survived(store: Store, path: Path, caplog: pytest.LogCaptureFixture, good: bytes) -> None:
    pages = len(good) // 512
    for page in range(pages):
        path.write_bytes(flipped(good, page))
        assert store.save(RUN) in store.before(LAST), page
        store.close()
    assert len(warnings(caplog)) > pages / 2


def test_sync_fails_if_the_file_was_deleted(store: Store, path: Path) -> None:
    store.save(RUN)
    store.sync()
    for file in path.parent.iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError):
        store.sync()
    store.close()
    assert store.save(RUN).id == 1


def test_newest_damaged_files_are_kept(mocker: MockerFixture, store: Store, path: Path) -> None:
    # Their names have the time by the wall clock, which may be set back.
    mocker.patch.object(clock, "boot_clock", return_value=0.0)
    offset = mocker.patch.object(clock, "boot_offset")
    for number in range(DAMAGED_KEPT + 2):
        offset.return_value = MARCH - 1000 * number
        path.write_bytes(b"damaged %d" % number)
        store.save(RUN)
        store.close()
    assert sorted(file.read_bytes()[-1:] for file in set_aside(path)) == [b"2", b"3", b"4"]


@pytest.mark.parametrize("garbage", [False, True])
def test_new_file_ignores_the_write_ahead_log_of_a_damaged_one(
    store: Store, path: Path, good: bytes, garbage: bool
) -> None:
    path.write_bytes(good)
    for _ in range(4):
        store.save(RUN)
    left = b"x" * 5000 if garbage else beside(path, "-wal").read_bytes()
    assert len(left) > 1000
    store.close()
    beside(path, "-wal").write_bytes(left)
    path.write_bytes(b"x" * 4096)
    assert (store.save(OTHER),) == store.before(LAST)
    assert len(set_aside(path)) == 1


def test_damage_while_open_is_noticed(mocker: MockerFixture, store: Store, path: Path, good: bytes) -> None:
    path.write_bytes(good)
    store.save(RUN)  # this splits a page, so that the next one doesn't
    store.close()
    connect = mocker.spy(sqlite3, "connect")
    current = store.save(RUN)
    path.write_bytes(b"x" * path.stat().st_size)
    beside(path, "-wal").write_bytes(b"")
    connect.spy_return.execute("PRAGMA shrink_memory")  # drop the cached pages
    with pytest.raises(sqlite3.DatabaseError) as caught:
        store.save(current)
    assert is_corruption(caught.value)
    store.close()
    assert store.save(current).id == 1
    assert len(set_aside(path)) == 1


@pytest.mark.parametrize("schema", [SCHEMA + 1, 1000, -1])
def test_later_schema_is_not_touched(store: Store, path: Path, good: bytes, schema: int) -> None:
    path.write_bytes(good)
    change(path, f"PRAGMA user_version = {schema}", "ALTER TABLE runs ADD COLUMN mood TEXT")
    content = path.read_bytes()
    for call in (
        lambda: store.save(RUN),
        lambda: store.before(RUN),
        lambda: store.dismiss([RUN]),
        lambda: store.note(RUN, FOUND),
        lambda: store.clear(0),
    ):
        with pytest.raises(LaterSchemaError, match=f"its schema is {schema}, from a later version"):
            call()
    store.close()
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [(path.name, content)]


@pytest.mark.parametrize("schema", [0, SCHEMA])
def test_unknown_tables_are_not_touched(store: Store, path: Path, schema: int) -> None:
    change(path, f"PRAGMA user_version = {schema}", "CREATE TABLE runs (a)", "CREATE TABLE boots (boot)")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            store.save(RUN)
        store.close()
    assert [row["sql"] for row in rows(path, "SELECT sql FROM sqlite_master")] == [
        "CREATE TABLE runs (a)",
        "CREATE TABLE boots (boot)",
    ]
    assert set_aside(path) == []


def test_schema_3_is_read(store: Store, path: Path) -> None:
    write_log(path, SCHEMA_3)
    print_ = Print("y", "local", 61, Progress(1.5, 5, 0.2, 80), True)
    expected = Run(7, "a", 1772323200, 60, 61, 90, "1.11.8", None, print_, True, printed=True, totals=Totals(7))
    assert store.before(LAST) == (expected,)


@pytest.mark.parametrize(
    ("origin", "streamed"), [("'local'", True), ("NULL", True), ("'sdcard'", False), ("'printer'", False)]
)
def test_print_of_schema_3_is_lost_as_it_was_then(store: Store, path: Path, origin: str, streamed: bool) -> None:
    write_log(path, f"{SCHEMA_3} UPDATE runs SET print_origin = {origin}")
    (run,) = store.before(LAST)
    assert run.print
    assert run.print.streamed is streamed


@pytest.mark.parametrize(("ended", "dismissed"), [("'clean'", True), ("'off'", False), ("NULL", False)])
def test_clean_shutdowns_of_schema_3_count_as_dismissed(store: Store, path: Path, ended: str, dismissed: bool) -> None:
    """An update must not announce prints that were lost long ago."""
    write_log(path, f"{SCHEMA_3} UPDATE runs SET ended = {ended}, dismissed = 0")
    assert [run.dismissed for run in store.before(LAST)] == [dismissed]


def test_runs_of_schema_3_may_have_printed(store: Store, path: Path) -> None:
    write_log(path, f"{SCHEMA_3} UPDATE runs SET print_path = NULL, print_origin = NULL")
    (run,) = store.before(LAST)
    assert (run.print, run.printed) == (None, True)
    assert store.save(RUN._replace(print=None)).printed is False


def test_migrated_file_has_the_columns_of_a_new_one(make: Make, path: Path) -> None:
    migrated = path.with_name("migrated.db")
    write_log(migrated, SCHEMA_3)
    for file in (path, migrated):
        store = make(file)
        store.before(LAST)
        store.close()
    for query in ("PRAGMA table_info(runs)", "PRAGMA user_version"):
        assert rows(path, query) == rows(migrated, query) != []


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize("killed", [False, True])
def test_unreleased_schema_is_set_aside(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture, schema: int, killed: bool
) -> None:
    """Check that this also keeps a run that a killed process left in the write-ahead log."""
    write_unreleased(path, schema, killed)
    assert store.save(RUN).id == 1
    (aside,) = set_aside(path)
    assert rows(aside) == [{"id": "kept"}]
    assert warnings(caplog) == [
        f"The restart log can't be used (its schema is {schema}, from an unreleased version of this plugin). "
        f"It was renamed to {aside}, and a new log was started."
    ]


def write_unreleased(path: Path, schema: int, killed: bool) -> None:
    """Write a log with a schema that no release has written."""
    writing = path.with_name("writing.db")
    with closing(sqlite3.connect(writing, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE runs (id)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute(f"PRAGMA user_version = {schema}")
        connection.execute("INSERT INTO runs VALUES ('kept')")
        if killed:
            left_by_a_kill(writing, path)
    if not killed:
        writing.rename(path)
    for file in path.parent.glob("writing.db*"):
        file.unlink()


@pytest.mark.parametrize("before", ["no log", "schema 2", "schema 3"])
def test_kill_while_opening_loses_nothing(tmp_path: Path, make: Make, before: str) -> None:
    folder, copies = tmp_path / "folder", tmp_path / "copies"
    folder.mkdir()
    if before == "schema 2":
        write_unreleased(folder / "restart_log.db", 2, killed=True)
    elif before == "schema 3":
        write_log(folder / "restart_log.db", SCHEMA_3)
    kill_at_each_statement("store.before(NEW._replace(id=9))", folder, copies)
    left = list(copies.iterdir())
    assert len(left) > 10
    for copy in left:
        path = copy / "restart_log.db"
        opened = make(path)
        assert [run.id for run in opened.before(LAST)] == ([7] if before == "schema 3" else [])
        assert opened.save(OTHER).id == (8 if before == "schema 3" else 1)
        opened.close()
        assert [rows(aside) for aside in set_aside(path)] == ([[{"id": "kept"}]] if before == "schema 2" else [])


@pytest.mark.parametrize(
    "nonsense",
    [
        "started = 'noon'",
        "last_alive = 'soon'",
        "last_alive = x'00ff'",
        "last_alive = 9e999",
        "last_alive = started - 1",
        "started = -1",
        "boot = x'ff'",
        "\"offset\" = 'late'",
        '"offset" = 9e999',
        '"offset" = -9e999',
        "\"offset\" = x'ff'",
    ],
)
def test_row_without_sense_is_left_out(store: Store, path: Path, good: bytes, nonsense: str) -> None:
    path.write_bytes(good)
    change(path, f"UPDATE runs SET {nonsense} WHERE id = 20")
    store.save(OTHER)
    assert {run.id for run in store.before(LAST)} == {*range(1, 52)} - {20}


UNKNOWN_PERCENTAGE = BENCHY._replace(progress=Progress(None, 5000, 0.2, 70.25))


@pytest.mark.parametrize(
    ("nonsense", "expected"),
    [
        ("version = x'ff'", {"version": ""}),
        ("version = CAST(x'ff61' AS TEXT)", {"version": "\ufffda"}),
        ("ended = 'maybe'", {}),
        ("ended = 7", {}),
        ("dismissed = 'so'", {}),
        ("recorded_from = 'then'", {"recorded_from": 50.5}),
        ("recorded_from = 1", {"recorded_from": 50.5}),
        ("recorded_from = 99", {"recorded_from": 50.5}),
        ("print_path = x'ff00'", {"print": BENCHY._replace(path="")}),
        ("print_path = NULL", {"print": None}),
        ("print_origin = x'ff'", {"print": BENCHY._replace(origin=None)}),
        ("print_started = 'now'", {"print": BENCHY._replace(started=None)}),
        ("print_started = -9e99", {"print": BENCHY._replace(started=None)}),
        ("print_started = 81", {"print": BENCHY._replace(started=None)}),
        ("print_percent = 'half'", {"print": UNKNOWN_PERCENTAGE}),
        ("print_percent = 1e300", {"print": UNKNOWN_PERCENTAGE}),
        ("print_percent = 125", {"print": UNKNOWN_PERCENTAGE}),
        ("print_percent = NULL", {"print": UNKNOWN_PERCENTAGE}),
        ("print_percent = NULL, print_position = -1, print_z = 'high'", {"print": BENCHY._replace(progress=None)}),
        ("print_streamed = 'so'", {"print": BENCHY._replace(streamed=False)}),
        ("printed = 'so'", {"printed": False}),
        ("print_position = 'far'", {"print": BENCHY._replace(progress=Progress(12.5, None, 0.2, 70.25))}),
        ("print_position = -1", {"print": BENCHY._replace(progress=Progress(12.5, None, 0.2, 70.25))}),
        ("print_z = x'ff'", {"print": BENCHY._replace(progress=Progress(12.5, 5000, None, 70.25))}),
        ("pid = 'x', power_reset = -1", {"process": PROCESS._replace(pid=None, power_reset=None)}),
        ("invocation = x'ff'", {"process": PROCESS._replace(invocation=None)}),
        ("oom_kills = 'many', memory = -1", {"signs": SIGNS._replace(oom_kills=None, memory=None)}),
        ("under_voltage = 81", {"signs": SIGNS._replace(under_voltage=None)}),
        ("asked = 'moon', asked_at = 9e99", {"signs": SIGNS._replace(asked=None, asked_at=None)}),
        ("cause = 'moon', proven = 'so'", {"found": FOUND._replace(cause=None, proven=False)}),
        ("crashed_in = x'ff', journal = 7", {"found": FOUND._replace(crashed_in=None, journal=None)}),
        ("examined = 'so'", {"found": None}),
        ("unexpected_shutdowns = 'x', lost_prints = -1, boots = x'ff'", {"totals": Totals(20)}),
        ("unexpected_shutdowns = 9e999, boots = 2.5", {"totals": Totals(20, 0, 19, 2)}),
        ("print_seen = 81", {"print": BENCHY._replace(progress=Progress(12.5, 5000, 0.2, None))}),
    ],
)
def test_value_without_sense_is_unknown(
    store: Store, path: Path, good: bytes, nonsense: str, expected: dict[str, Any]
) -> None:
    path.write_bytes(good)
    change(path, f"UPDATE runs SET {nonsense} WHERE id = 20")
    known = {"signs": SIGNS, "process": PROCESS, "found": FOUND, "totals": Totals(20, 19, 19, 19)}
    run = RUN._replace(id=20, boot="boot 19", offset=MARCH + 19 * 600, **(known | expected))
    assert store.before(LAST)[19] == run
