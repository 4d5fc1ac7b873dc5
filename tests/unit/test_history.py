"""The history in real files, written by its real thread."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from octoprint_uptime import clock, history
from octoprint_uptime.history import History
from octoprint_uptime.restarts import Print

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
DAY = 86400.0
BENCHY = Print("benchy.gcode", 12.5, None)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


class Subject(History):
    """A history whose callbacks are noted, and which counts what it has written."""

    def __init__(self, path: Path) -> None:
        self.ready = threading.Event()
        self.ready_calls = 0
        self.written = 0
        self.percent: Any = 12.5
        super().__init__(path, "1.11.8", LOGGER, self.note_ready, lambda: self.percent)

    def note_ready(self) -> None:
        self.ready_calls += 1
        self.ready.set()

    def _write(self) -> None:
        try:
            super()._write()
        finally:
            self.written += 1

    def begin(self) -> Subject:
        self.start(clock.boot_clock())
        wait_for(lambda: self.written)
        return self

    def settle(self) -> None:
        """Wait until everything that was asked for is done."""
        done = threading.Event()
        self._do(done.set)
        assert done.wait(10)

    def end(self) -> None:
        """Stop, and wait until that is written however busy the machine."""
        self.stop()
        assert self._thread
        self._thread.join(10)

    def crash(self) -> None:
        """Let go of the file as a process that is killed does: with nothing written."""
        self.settle()
        self._run = None
        self._do(self._close)
        self._tasks.put(None)
        assert self._thread
        self._thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def make(path: Path) -> Iterator[Callable[..., Subject]]:
    made: list[Subject] = []

    def make(file: Path = path) -> Subject:
        made.append(Subject(file))
        return made[-1]

    yield make
    for each in made:
        each.stop()
        if each._thread:
            each._thread.join(10)
            assert not each._thread.is_alive()


Make = Callable[..., Subject]


def rows(path: Path, query: str = "SELECT * FROM runs ORDER BY id") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_the_first_run_has_no_earlier_ones(make: Make, path: Path) -> None:
    before = clock.boot_clock()
    subject = make()
    subject.start(before)
    assert subject.ready.wait(10)
    assert subject.runs == ()
    assert list(subject.restarts()) == []
    subject.end()
    (row,) = rows(path)
    assert (row["started"], row["version"], row["ended"], row["print"]) == (before, "1.11.8", "clean", None)
    assert before <= row["seen"] <= clock.boot_clock()
    (boot,) = rows(path, "SELECT * FROM boots")
    assert boot == {"boot": clock.boot_id(), "offset": pytest.approx(time.time() - clock.boot_clock(), abs=2.1)}


def test_the_earlier_runs_are_there_when_it_says_so(make: Make) -> None:
    make().begin().end()
    crashed = make().begin()
    crashed.printing(BENCHY)
    crashed.crash()
    subject = make()
    subject.start(clock.boot_clock())
    assert subject.ready.wait(10)
    assert [run.ended for run in subject.runs] == ["clean", None]
    assert [run.print for run in subject.runs] == [None, BENCHY]
    assert [run.id for run in subject.runs] == [1, 2]
    unclean, clean = subject.restarts()
    assert (unclean["id"], unclean["clean"], unclean["kind"]) == (2, False, "octoprint")
    assert unclean["lost_print"]["file"] == "benchy.gcode"
    assert (clean["id"], clean["clean"]) == (1, True)


def test_another_boot_is_known_by_its_id(make: Make, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make().begin().end()
    monkeypatch.setattr(clock, "boot_id", lambda: "06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd")
    subject = make().begin()
    assert subject.ready.wait(10)
    (answer,) = subject.restarts()
    assert answer["kind"] == "host"
    assert len(rows_while_running(path, "SELECT * FROM boots")) == 2


def rows_while_running(path: Path, query: str) -> list[dict[str, Any]]:
    """The rows as after a power cut now: of copies, since a running history has its file for itself."""
    copy = path.with_name("copy.db")
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        if path.with_name(path.name + suffix).exists():
            shutil.copy(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
    return rows(copy, query)


def test_without_boot_ids_runs_of_one_boot_stay_together(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in (1772366400, 1772366430):
        monkeypatch.setattr(clock, "boot_id", lambda second=second: str(second))
        make().begin().end()
    assert [row["boot"] for row in rows(path)] == ["1772366400"] * 2


def test_each_event_is_one_write(make: Make, path: Path) -> None:
    subject = make().begin()
    for number, job in enumerate([BENCHY, BENCHY, None, BENCHY._replace(name="cube.gcode"), None], start=2):
        subject.printing(job)
        subject.settle()
        assert subject.written == number
        (row,) = rows_while_running(path, "SELECT * FROM runs")
        assert (row["print"], row["progress"]) == ((job.name, 12.5) if job else (None, None))
    time.sleep(0.2)
    assert subject.written == 6
    assert subject.ready_calls == 1


def test_a_heartbeat_tells_that_it_is_alive_and_how_far_the_print_is(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.05)
    subject = make().begin()
    subject.printing(BENCHY)
    subject.percent = 50
    subject.settle()
    wait_for(lambda: subject.written > 6)
    subject.crash()
    (row,) = rows(path)
    assert row["seen"] - row["started"] > 0.15
    assert row["progress"] == 50
    assert row["ended"] is None


@pytest.mark.parametrize("nonsense", [None, "50", float("nan"), float("inf"), -1, 101])
def test_a_progress_that_is_none_keeps_the_one_before(make: Make, path: Path, nonsense: object) -> None:
    subject = make().begin()
    subject.printing(BENCHY)
    subject.settle()
    subject.percent = nonsense
    subject.printing(BENCHY)
    subject.end()
    assert rows(path)[0]["progress"] == 12.5


def test_names_that_no_text_may_hold_are_kept_as_far_as_they_can_be(make: Make, path: Path) -> None:
    subject = make().begin()
    subject.printing(Print("b\udcffenchy \U0001f6a2 'x'.gcode", None, None))
    subject.end()
    assert rows(path)[0]["print"] == "b?enchy \U0001f6a2 'x'.gcode"


def test_a_clock_set_late_puts_every_run_of_its_boot_right(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "boot_offset", lambda: 100.0)  # 1970
    make().begin().end()
    subject = make().begin()
    assert subject.ready.wait(10)
    assert next(subject.restarts())["started_at"] is None
    monkeypatch.setattr(clock, "boot_offset", lambda: 1772366400.0)
    answer = next(subject.restarts())
    assert answer["run_started_at"].startswith("2026-03-0")
    assert answer["started_at"].startswith("2026-03-0")
    subject.end()
    assert rows(path, "SELECT * FROM boots")[0]["offset"] == 1772366400.0


def test_switched_off_and_on_it_begins_another_run_that_is_no_restart(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = make().begin()
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.01)
    subject.switch_off()
    subject.printing(BENCHY)
    subject.settle()
    before = subject.written
    time.sleep(0.1)
    assert subject.written == before
    assert [row["ended"] for row in rows(path)] == ["off"], "while it is off, the file is free"
    assert subject.run is None
    assert list(subject.restarts()) == []
    subject.begin()
    subject.settle()
    assert [run.ended for run in subject.runs] == ["off"]
    assert list(subject.restarts()) == []
    subject.end()
    assert [(row["id"], row["ended"], row["print"]) for row in rows(path)] == [(1, "off", None), (2, "clean", None)]
    again = make().begin()
    assert again.ready.wait(10)
    assert [answer["id"] for answer in again.restarts()] == [2]


def test_a_dismissed_notice_stays_dismissed(make: Make, path: Path) -> None:
    for _ in range(3):
        make().begin().end()
    subject = make().begin()
    assert subject.ready.wait(10)
    subject.dismiss(2)
    assert [run.dismissed for run in subject.runs] == [True, True, False]
    subject.settle()
    before = subject.written
    for unknown in (1, 2, 4, 99, -1, 2**70):
        subject.dismiss(unknown)
    subject.settle()
    assert subject.written == before
    subject.crash()
    assert [row["dismissed"] for row in rows(path)] == [1, 1, 0, 0]
    again = make().begin()
    assert again.ready.wait(10)
    assert [answer["dismissed"] for answer in again.restarts()] == [False, False, True, True]


@pytest.mark.parametrize("when", ["once ready", "at once"])
def test_clearing_leaves_the_current_run_alone(make: Make, path: Path, when: str) -> None:
    make().begin().end()
    change(path, "UPDATE runs SET boot = 'other'", "INSERT INTO boots VALUES ('other', 1772366400.0)")
    subject = make()
    subject.start(clock.boot_clock())
    if when == "once ready":
        assert subject.ready.wait(10)
        assert len(subject.runs) == 1
    subject.clear()
    if when == "once ready":
        assert subject.runs == ()
    subject.settle()
    assert subject.runs == ()
    subject.end()
    assert [row["id"] for row in rows(path)] == [2]
    assert [row["boot"] for row in rows(path, "SELECT * FROM boots")] == [clock.boot_id()]


def test_it_is_cleared_once(make: Make, path: Path) -> None:
    subject = make().begin()
    subject.clear()
    subject.switch_off()
    subject.begin()
    subject.printing(BENCHY)
    subject.end()
    assert [(row["id"], row["ended"]) for row in rows(path)] == [(1, "off"), (2, "clean")]


def test_it_can_be_cleared_while_it_is_off(make: Make, path: Path) -> None:
    make().begin().end()
    subject = make()
    subject.clear()
    subject.settle()
    assert rows(path) == []


def fill(path: Path, ends: list[float]) -> None:
    """As many runs as ends, each in a boot of its own, at these moments."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for number, end in enumerate(ends):
            connection.execute("INSERT INTO boots VALUES (?, ?)", (f"boot {number}", end - 100))
            connection.execute(
                "INSERT INTO runs (boot, started, seen, version, dismissed) VALUES (?, 10, 100, 'x', 0)",
                (f"boot {number}",),
            )


def test_a_thousand_runs_are_kept(make: Make, path: Path) -> None:
    make().begin().end()
    now = time.time()
    fill(path, [now - (1100 - number) * 60 for number in range(1100)])
    subject = make().begin()
    assert subject.ready.wait(10)
    assert [run.id for run in subject.runs] == list(range(103, 1102))
    subject.end()
    assert len(rows(path)) == 1000
    assert len(rows(path, "SELECT * FROM boots")) == 1000


def test_a_year_is_kept(make: Make, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make().begin().end()
    now = time.time() + 1000 * DAY
    monkeypatch.setattr(clock, "boot_offset", lambda: now - clock.boot_clock())
    change(path, "DELETE FROM runs", "DELETE FROM boots")
    fill(path, [now - days * DAY for days in (800, 366, 364, 30, 1)])
    subject = make().begin()
    assert subject.ready.wait(10)
    assert [run.boot for run in subject.runs] == ["boot 2", "boot 3", "boot 4"]
    subject.end()
    assert len(rows(path, "SELECT * FROM boots")) == 4


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (10_000, (-30, -1)),  # a clock that is ahead
        (0, (-30, 10_000, -1)),  # one that was
        (400, (-30, -1)),  # more than a year out of use
        (0, (-20_000, -30, -20_000, -1)),  # never set
        (-20_000, (-30, -1)),
    ],
)
def test_a_wrong_clock_does_not_cost_the_history(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, now: int, ends: tuple[int, ...]
) -> None:
    make().begin().end()
    change(path, "DELETE FROM runs", "DELETE FROM boots")
    right = 1800000000.0
    fill(path, [right + days * DAY for days in ends])
    monkeypatch.setattr(clock, "boot_offset", lambda: right + now * DAY - clock.boot_clock())
    subject = make().begin()
    assert subject.ready.wait(10)
    assert len(subject.runs) == len(ends)


def shortest_stop(subjects: list[Subject]) -> float:
    """Of several, since on a busy machine any may wait for its turn."""
    times = []
    for subject in subjects:
        before = time.monotonic()
        subject.stop()
        times.append(time.monotonic() - before)
    return min(times)


def test_stopping_takes_less_than_fifty_milliseconds_however_slow_the_disk(make: Make, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(3)]
    subjects = [make(path).begin() for path in paths]
    for subject in subjects:

        def slow(write: Callable[[], None] = subject._write) -> None:
            time.sleep(0.5)
            write()

        setattr(subject, "_write", slow)  # noqa: B010 - mypy forbids to assign a method
    assert shortest_stop(subjects) < 0.05
    for subject, path in zip(subjects, paths, strict=True):
        subject.end()
        assert rows(path)[0]["ended"] == "clean"


def test_stopping_takes_less_than_fifty_milliseconds_while_another_has_the_file(make: Make, path: Path) -> None:
    make().begin().end()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        subjects = [make() for _ in range(3)]
        for subject in subjects:
            subject.start(clock.boot_clock())
        time.sleep(0.1)
        assert shortest_stop(subjects) < 0.05


def test_stopping_what_never_ran_is_nothing(make: Make, path: Path) -> None:
    make().stop()
    assert not path.exists()


def test_each_write_waits_for_the_disk(make: Make) -> None:
    found: list[Any] = []
    subject = make().begin()

    def ask() -> None:
        assert subject._connection
        found.extend(subject._connection.execute("PRAGMA synchronous").fetchone())

    subject._do(ask)
    subject.settle()
    assert found == [2], "FULL: what a power cut leaves can't be seen without one"


def test_a_stop_leaves_one_file(make: Make, path: Path) -> None:
    make().begin().end()
    assert [file.name for file in path.parent.iterdir()] == ["history.db"]


def test_a_locked_file_is_tried_again_and_said_once(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make().begin().end()
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        subject = make().begin()
        subject.printing(BENCHY)
        wait_for(lambda: subject.written >= 2)
        assert not subject.ready.is_set()
        assert subject.run
        assert subject.run.print == BENCHY
    assert subject.ready.wait(10)
    assert [run.id for run in subject.runs] == [1]
    subject.end()
    assert [(row["ended"], row["print"]) for row in rows(path)] == [("clean", None), ("clean", "benchy.gcode")]
    (warning,) = warnings(caplog)
    assert "locked" in warning
    assert str(path) in warning


def test_a_write_that_fails_halfway_leaves_nothing_behind(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(history, "_DROP_BOOTS", "DELETE FROM moon")
    subject = make().begin()
    wait_for(lambda: subject.written > 3)
    assert not subject.ready.is_set()
    monkeypatch.undo()
    assert subject.ready.wait(10)
    subject.end()
    assert [row["id"] for row in rows(path)] == [1]
    assert len(warnings(caplog)) == 1


def test_of_two_with_one_file_the_second_waits_for_the_first(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.05)
    first = make().begin()
    second = make().begin()
    first.printing(BENCHY)
    first.settle()
    assert not second.ready.is_set()
    first.end()
    assert second.ready.wait(10)
    second.end()
    assert [row["ended"] for row in rows(path)] == ["clean", "clean"]
    assert len(warnings(caplog)) == 1


def test_two_with_folders_of_their_own_do_not_meet(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    subjects = [make(tmp_path / name / "history.db").begin() for name in ("one", "two")]
    for subject in subjects:
        assert subject.ready.wait(10)
        subject.end()
    assert [len(rows(tmp_path / name / "history.db")) for name in ("one", "two")] == [1, 1]
    assert warnings(caplog) == []


def test_a_folder_that_comes_later_will_do(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.05)
    (tmp_path / "none").touch()
    subject = make(tmp_path / "none" / "history.db").begin()
    wait_for(lambda: subject.written > 3)
    (tmp_path / "none").unlink()
    assert subject.ready.wait(10)
    assert len(warnings(caplog)) == 1


def test_a_file_deleted_meanwhile_is_begun_anew_by_the_next_run(
    make: Make, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make().begin().end()
    subject = make().begin()
    for file in path.parent.iterdir():
        file.unlink()
    subject.printing(BENCHY)
    subject.clear()
    subject.end()
    assert warnings(caplog) == []
    again = make().begin()
    assert again.ready.wait(10)
    assert again.runs == ()


def test_a_file_that_was_exchanged_meanwhile_keeps_the_rows_it_has(make: Make, path: Path) -> None:
    make().begin().end()
    make().begin().end()
    subject = make().begin()
    assert subject.ready.wait(10)
    subject._do(subject._close)
    subject.settle()
    path.unlink()
    for _ in range(3):
        make().begin().end()
    before = rows(path)
    subject.printing(BENCHY)
    subject.dismiss(1)
    subject.end()
    assert rows(path)[:3] == before
    assert [(row["id"], row["print"]) for row in rows(path)[3:]] == [(4, "benchy.gcode")]


def filled(make: Make, path: Path) -> bytes:
    make().begin().end()
    fill(path, [1772366400.0 + number * 600 for number in range(50)])
    return path.read_bytes()


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


def flipped(good: bytes, page: int) -> bytes:
    return good[: page * 512] + bytes(byte ^ 0xFF for byte in good[page * 512 :][:512]) + good[page * 512 + 512 :]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(
    make: Make, path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    bad = DAMAGES[damage](filled(make, path))
    contents = []
    for _ in range(2):  # within a second
        path.write_bytes(bad)
        subject = make().begin()
        assert subject.ready.wait(10)
        assert subject.runs == ()
        subject.printing(BENCHY)
        subject.end()
        assert [row["print"] for row in rows(path)] == ["benchy.gcode"]
    for file in path.parent.glob("history.db.damaged-*"):
        assert file.name[len("history.db.damaged-") :].startswith("20")
        contents.append(file.read_bytes())
    assert contents == [bad] * 2
    assert len(warnings(caplog)) == 2
    assert all("damaged" in warning for warning in warnings(caplog))


def test_no_flipped_page_can_stop_it(make: Make, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good = filled(make, path)
    aside = 0
    for page in range(len(good) // 512):
        path.write_bytes(flipped(good, page))
        subject = make().begin()
        assert subject.ready.wait(10), page
        list(subject.restarts())
        subject.end()
        aside = len(list(path.parent.glob("history.db.damaged-*")))
    assert aside == len(warnings(caplog)) > len(good) // 512 / 2


@pytest.mark.parametrize("garbage", [False, True])
def test_the_log_of_a_damaged_file_does_not_get_into_the_new_one(make: Make, path: Path, garbage: bool) -> None:
    filled(make, path)
    subject = make().begin()
    for _ in range(3):
        subject.printing(BENCHY)
        subject.settle()
    log = path.with_name("history.db-wal")
    left = b"x" * 5000 if garbage else log.read_bytes()
    assert len(left) > 1000
    subject.end()
    log.write_bytes(left)
    path.write_bytes(b"x" * 4096)
    subject = make().begin()
    assert subject.ready.wait(10)
    subject.end()
    assert [(row["id"], row["print"]) for row in rows(path)] == [(1, None)]
    assert len(list(path.parent.glob("history.db.damaged-*"))) == 1


def test_a_file_that_is_damaged_while_it_is_used_is_found_out(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    filled(make, path)
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.02)
    subject = make().begin()
    assert subject.ready.wait(10)
    with path.open("r+b") as file:
        file.write(b"x" * path.stat().st_size)
    path.with_name("history.db-wal").write_bytes(b"")

    def forget_cached_pages() -> None:
        assert subject._connection
        subject._connection.execute("PRAGMA shrink_memory")

    subject._do(forget_cached_pages)
    wait_for(lambda: list(path.parent.glob("history.db.damaged-*")))
    assert len(subject.runs) == 51
    subject.end()
    assert [row["ended"] for row in rows(path)] == ["clean"]
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("version", [2, 1000, -1])
def test_a_later_schema_is_left_alone(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, version: int
) -> None:
    filled(make, path)
    change(path, f"PRAGMA user_version = {version}", "ALTER TABLE runs ADD COLUMN mood TEXT")
    content = path.read_bytes()
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.02)
    subject = make().begin()
    subject.printing(BENCHY)
    subject.clear()
    time.sleep(0.1)
    subject.settle()
    assert subject.written == 1, "one look is enough"
    assert list(subject.restarts()) == []
    subject.end()
    assert path.read_bytes() == content
    (warning,) = warnings(caplog)
    assert "later version" in warning


@pytest.mark.parametrize(
    "nonsense",
    [
        "started = 'noon'",
        "seen = 'soon'",
        "seen = x'00ff'",
        "seen = 9e999",
        "seen = started - 1",
        "started = -1",
        "boot = 'nowhere'",
        "boot = x'ff'",
    ],
)
def test_a_row_that_makes_no_sense_is_left_out(make: Make, path: Path, nonsense: str) -> None:
    filled(make, path)
    change(path, f"UPDATE runs SET {nonsense} WHERE id = 20")
    subject = make().begin()
    assert subject.ready.wait(10)
    assert {run.id for run in subject.runs} == {*range(1, 52)} - {20}
    assert len(list(subject.restarts())) == 50


@pytest.mark.parametrize(
    "nonsense",
    [
        "version = x'ff'",
        "ended = 'maybe'",
        "ended = 7",
        "print = x'ff00'",
        "print = 'x', progress = 'half'",
        "print = 'x', progress = 1e300",
        "print = 'x', print_started = 'now'",
        "print = 'x', print_started = -9e99",
        "dismissed = 'so'",
        "version = CAST(x'ff61' AS TEXT)",
    ],
)
def test_a_value_that_makes_no_sense_is_unknown(make: Make, path: Path, nonsense: str) -> None:
    filled(make, path)
    change(path, f"UPDATE runs SET {nonsense} WHERE id = 20")
    subject = make().begin()
    assert subject.ready.wait(10)
    (run,) = (run for run in subject.runs if run.id == 20)
    assert (run.ended, run.dismissed) == (None, False)
    assert run.print in (None, Print("x", None, None))
    assert run.version in ("x", "", "\ufffda")
    assert len(list(subject.restarts())) == 51


@pytest.mark.parametrize("offset", ["'late'", "9e999", "-9e999", "x'ff'"])
def test_an_offset_that_makes_no_sense_costs_its_boot_alone(make: Make, path: Path, offset: str) -> None:
    filled(make, path)
    change(path, f"UPDATE boots SET \"offset\" = {offset} WHERE boot = 'boot 7'")
    subject = make().begin()
    assert subject.ready.wait(10)
    assert len(subject.runs) == 50
    assert len(list(subject.restarts())) == 50


def test_tables_of_another_shape_are_said_once(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change(path, "PRAGMA user_version = 1", "CREATE TABLE runs (a)", "CREATE TABLE boots (b)")
    monkeypatch.setattr(history, "HEARTBEAT_SECONDS", 0.02)
    subject = make().begin()
    wait_for(lambda: subject.written > 3)
    assert subject.run
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("broken", ["_on_ready", "_progress"])
def test_callbacks_that_raise_do_not_end_the_thread(
    make: Make, path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def fail() -> float:
        raise RuntimeError("no printer")

    subject = make()
    setattr(subject, broken, fail)
    subject.begin()
    subject.printing(BENCHY)
    subject.printing(None)
    subject.end()
    assert rows(path)[0]["ended"] == "clean"
    assert len(warnings(caplog)) == 1
