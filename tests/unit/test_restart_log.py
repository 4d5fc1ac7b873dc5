"""Test the restart log as a whole, with its thread and real files."""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from octoprint_uptime import clock
from octoprint_uptime.evidence.records import Found
from octoprint_uptime.restart_log import News, Print, Progress, Restart, RestartLog, Totals
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.restart_log.store import Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
DAY = 86400.0
BENCHY = Print("parts/benchy.gcode", "local", 60.0, None, True)
HALF = Progress(50.0, 5000, 0.2, 70.0)
EARLIER = Run(0, "a", MARCH, 50.0, 50.0, 80.0, "1.11.7", None, None, False)
CRASHED = EARLIER
CLEAN = EARLIER._replace(ended="clean")
OFF = EARLIER._replace(ended="off")
COSTLY = EARLIER._replace(print=BENCHY, printed=True)
COSTLY_BUT_CLEAN = COSTLY._replace(ended="clean")
KILLED_IN_ORDER = CLEAN._replace(found=Found("out_of_memory", True))
UNATTENDED = COSTLY._replace(print=BENCHY._replace(streamed=False))
NOW = 1000.0

Make = Callable[..., RestartLog]


@pytest.fixture(autouse=True)
def _clocks(mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "boot_id", return_value="b")
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + DAY)
    mocker.patch.object(clock, "boot_clock", return_value=NOW)
    mocker.patch.object(clock, "is_synchronized", return_value=False)


@pytest.fixture
def make(path: Path, told: queue.SimpleQueue[Restart]) -> Iterator[Make]:
    made: list[RestartLog] = []

    def make(file: Path = path) -> RestartLog:
        made.append(RestartLog(file, "1.11.8", LOGGER, told.put))
        return made[-1]

    yield make
    for each in made:
        each.stop(10)


@pytest.fixture
def read() -> threading.Event:
    """An event that is set when the log has asked for the print. By then, all its earlier tasks are done."""
    return threading.Event()


@pytest.fixture
def begin(make: Make, path: Path, read: threading.Event) -> Callable[..., RestartLog]:
    """Return a function that begins a run after earlier ones, and waits until the log has read them."""

    def begin(*earlier: Run) -> RestartLog:
        write(path, *earlier)
        log = make()
        log.begin(NOW - 10, NOW - 10, lambda: read.set() if log.is_read else None)
        log.update()
        assert read.wait(10)
        return log

    return begin


Begin = Callable[..., RestartLog]


def write(path: Path, *runs: Run) -> None:
    store = Store(path, LOGGER)
    for number, run in enumerate(runs):
        moved = run._replace(started=run.started + 100 * number, last_alive=run.last_alive + 100 * number)
        stored = store.save(moved)
        if run.found:
            store.note(stored, run.found)
    store.close()


def stored(path: Path) -> list[Run]:
    store = Store(path, LOGGER)
    runs = store.before(EARLIER._replace(id=10**9))
    store.close()
    return list(runs)


def ids(log: RestartLog) -> list[int]:
    return [restart.id for restart in log.history().restarts()]


def test_first_run_is_no_restart(begin: Begin, told: queue.SimpleQueue[Restart], path: Path) -> None:
    log = begin()
    assert list(log.history().restarts()) == []
    assert log.news() == News(None, None, recorded_since=MARCH + DAY + NOW - 10, totals=Totals(1))
    log.stop(10)
    assert told.empty()
    assert [(run.started, run.version, run.ended) for run in stored(path)] == [(NOW - 10, "1.11.8", "clean")]


def test_last_restart_is_announced_once(begin: Begin, told: queue.SimpleQueue[Restart]) -> None:
    log = begin(CLEAN, CRASHED._replace(print=BENCHY._replace(started=160.0)))
    restart = told.get(timeout=10)
    assert restart == next(log.history().restarts()) == log.news().last
    assert (restart.id, restart.kind, restart.clean, restart.version) == (2, "host", False, "1.11.7")
    assert (restart.ended_after, restart.started) == (MARCH + 180, MARCH + DAY + NOW - 10)
    assert restart.lost_print == BENCHY._replace(started=MARCH + 160)
    assert ids(log) == [2, 1]
    log.switch_off()
    log.begin(NOW - 10, NOW, lambda: None)
    log.stop(10)
    assert told.empty()


def test_no_restart_is_announced_after_the_log_was_off(begin: Begin, told: queue.SimpleQueue[Restart]) -> None:
    log = begin(CRASHED, OFF)
    assert ids(log) == [1]
    assert log.news().last == next(log.history().restarts())
    log.stop(10)
    assert told.empty()


def test_print_of_a_killed_run_is_lost(
    make: Make, told: queue.SimpleQueue[Restart], path: Path, tmp_path: Path
) -> None:
    reads, go = threading.Semaphore(0), threading.Event()
    prints = iter([BENCHY._replace(progress=HALF)])

    def read_print() -> Print | None:
        reads.release()
        known = next(prints, None)
        if known is None:
            assert go.wait(10)
        return known

    log = make()
    log.begin(50.0, 50.0, read_print)
    log.update()
    assert reads.acquire(timeout=10)
    assert reads.acquire(timeout=10), "by now the first is written"
    (tmp_path / "killed").mkdir()
    for file in tmp_path.glob("restart_log.db*"):
        shutil.copy(file, tmp_path / "killed")
    go.set()
    after = make(tmp_path / "killed" / path.name)
    after.begin(NOW, NOW, lambda: None)
    restart = told.get(timeout=10)
    assert (restart.kind, restart.clean) == ("octoprint", False)
    assert restart.lost_print == BENCHY._replace(
        started=MARCH + DAY + 60, progress=HALF._replace(seen=MARCH + DAY + 70)
    )


@pytest.mark.parametrize(
    ("earlier", "last", "unseen"),
    [
        ([CLEAN], 1, None),
        ([CRASHED], 1, 1),
        ([CRASHED, CLEAN], 2, 1),
        ([CRASHED, CRASHED], 2, 2),
        ([COSTLY, CRASHED], 2, 1),
        ([COSTLY, COSTLY, CRASHED], 3, 2),
        ([CRASHED, COSTLY._replace(dismissed=True)], 2, 1),
        ([CRASHED._replace(dismissed=True)], 1, None),
        ([COSTLY_BUT_CLEAN], 1, 1),
        ([COSTLY_BUT_CLEAN, CRASHED, CLEAN], 3, 1),
        ([COSTLY, COSTLY_BUT_CLEAN], 2, 2),
        ([COSTLY_BUT_CLEAN._replace(dismissed=True)], 1, None),
        ([UNATTENDED._replace(ended="clean")], 1, None),
        ([KILLED_IN_ORDER, CLEAN], 2, 1),
        ([UNATTENDED, CRASHED], 2, 2),
        ([COSTLY._replace(ended="off")], None, None),
        ([CRASHED, OFF], 1, 1),
        ([OFF], None, None),
        ([COSTLY, *[CRASHED] * 60], 61, 1),
        ([COSTLY_BUT_CLEAN, *[CLEAN] * 60], 61, 1),
        ([CRASHED, *[CLEAN] * 60], 61, 1),
    ],
)
def test_news_are_the_last_restart_and_the_unseen_one(
    begin: Begin, earlier: list[Run], last: int | None, unseen: int | None
) -> None:
    news = begin(*earlier).news()
    assert (news.last and news.last.id, news.unseen and news.unseen.id) == (last, unseen)


def test_news_count_what_nobody_has_dismissed(begin: Begin) -> None:
    log = begin(COSTLY, CRASHED, COSTLY, CLEAN, CRASHED)
    news = log.news()
    assert (news.unseen_shutdowns, news.unseen_lost_prints) == (4, 2)
    log.dismiss(2)
    news = log.news()
    assert (news.unseen_shutdowns, news.unseen_lost_prints) == (2, 1)


@pytest.mark.parametrize(
    ("earlier", "shutdowns", "prints"),
    [
        ([COSTLY_BUT_CLEAN], 0, 1),
        ([COSTLY_BUT_CLEAN, COSTLY, CLEAN], 1, 2),
        ([COSTLY_BUT_CLEAN._replace(dismissed=True), CRASHED], 1, 0),
        ([COSTLY._replace(ended="off"), CRASHED], 1, 0),
        ([KILLED_IN_ORDER, CRASHED, CLEAN], 2, 0),
        ([UNATTENDED, UNATTENDED._replace(ended="clean")], 1, 0),
    ],
)
def test_print_lost_by_a_clean_shutdown_counts_as_a_lost_print_only(
    begin: Begin, earlier: list[Run], shutdowns: int, prints: int
) -> None:
    news = begin(*earlier).news()
    assert (news.unseen_shutdowns, news.unseen_lost_prints) == (shutdowns, prints)


def test_dismissing_a_lost_print_of_a_clean_shutdown_is_stored(begin: Begin, path: Path) -> None:
    log = begin(COSTLY_BUT_CLEAN)
    log.dismiss(1)
    news = log.news()
    assert (news.unseen, news.unseen_lost_prints) == (None, 0)
    log.stop(10)
    assert [run.dismissed for run in stored(path)] == [True, False]


@pytest.mark.parametrize(
    ("earlier", "printed_since"),
    [
        ([], False),
        ([COSTLY], False),
        ([COSTLY, CLEAN], False),
        ([COSTLY, CLEAN._replace(printed=True)], True),
        ([COSTLY, OFF], True),  # there may have been one while the log was off
        ([COSTLY, CLEAN._replace(recorded_from=170.0)], True),
        ([OFF, CLEAN._replace(recorded_from=170.0), COSTLY], False),
        ([CLEAN._replace(printed=True), CRASHED], False),
        ([COSTLY, COSTLY], False),
    ],
)
def test_printed_since_is_about_the_runs_after_the_unseen_restart(
    begin: Begin, earlier: list[Run], printed_since: bool
) -> None:
    assert begin(*earlier).news().printed_since is printed_since


def test_print_that_is_over_before_it_is_seen_counts_as_printed(make: Make, path: Path) -> None:
    log = make()
    log.begin(NOW - 10, NOW - 10, lambda: None)
    log.update(only_if_changed=True, printed=True)
    log.stop(10)
    assert [(run.print, run.printed) for run in stored(path)] == [(None, True)]


def test_printed_since_is_true_from_the_first_print_on(make: Make, path: Path) -> None:
    write(path, COSTLY)
    prints: list[Print] = []
    asked = threading.Event()

    def read_print() -> Print | None:
        if log.is_read:
            asked.set()
        return prints[-1] if prints else None

    log = make()
    log.begin(NOW - 10, NOW - 10, read_print)
    log.update()
    assert asked.wait(10)
    assert log.news().printed_since is False
    prints.append(BENCHY)
    log.update()
    deadline = time.monotonic() + 10
    while not log.news().printed_since:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    prints.clear()
    log.stop(10)
    assert [(run.print, run.printed) for run in stored(path)] == [(BENCHY, True), (None, True)]


def test_news_count_all_restarts(begin: Begin) -> None:
    news = begin(COSTLY, *[CRASHED] * 60).news()
    assert (news.unseen_shutdowns, news.unseen_lost_prints) == (61, 1)


def test_dismissing_includes_earlier_restarts_and_is_stored(begin: Begin, path: Path) -> None:
    log = begin(COSTLY, CRASHED, CRASHED)
    log.dismiss(2)
    assert [restart.dismissed for restart in log.history().restarts()] == [False, True, True]
    news = log.news()
    assert news.unseen == news.last == next(log.history().restarts())
    log.dismiss(3)
    assert log.news().unseen is None
    log.stop(10)
    assert [run.dismissed for run in stored(path)] == [True, True, True, False]


def test_unknown_or_dismissed_restart_is_ignored(mocker: MockerFixture, begin: Begin) -> None:
    dismiss = mocker.spy(Store, "dismiss")
    log = begin(CRASHED, CRASHED, CRASHED)
    log.dismiss(2)
    for unknown in (1, 2, 4, 99, 0, -1, 2**70):
        log.dismiss(unknown)
    assert [restart.dismissed for restart in log.history().restarts()] == [False, True, True]
    log.stop(10)
    assert dismiss.call_count == 1


def test_end_of_recording_is_no_restart_to_dismiss(begin: Begin) -> None:
    log = begin(CRASHED, OFF)
    log.dismiss(2)
    assert log.news().unseen_shutdowns == 1


def test_cleared_log_has_no_restarts(begin: Begin, path: Path) -> None:
    log = begin(CRASHED, CRASHED)
    log.clear()
    assert ids(log) == []
    assert log.news() == News(None, None, recorded_since=MARCH + DAY + NOW - 10, totals=Totals(3, 2, boots=1))
    log.stop(10)
    assert [run.id for run in stored(path)] == [3]


def test_log_may_be_cleared_during_the_announcement(
    mocker: MockerFixture, begin: Begin, told: queue.SimpleQueue[Restart], caplog: pytest.LogCaptureFixture
) -> None:
    news = RestartLog.news

    def then_clear(log: RestartLog) -> News:
        found = news(log)
        log.clear(seconds=0)  # the log's own thread calls this, so it would wait for itself
        return found

    mocker.patch.object(RestartLog, "news", autospec=True, side_effect=then_clear)
    begin(CRASHED).stop(10)
    assert told.get_nowait().id == 1
    assert caplog.messages == []


def test_log_that_is_off_keeps_its_restarts_and_records_nothing(begin: Begin, path: Path) -> None:
    log = begin(CRASHED)
    log.switch_off()
    log.update()
    log.begin(NOW - 10, NOW, lambda: None)
    log.switch_off()
    log.stop(10)
    assert ids(log) == [1]
    runs = stored(path)
    assert [(run.ended, run.print) for run in runs] == [(None, None), ("off", None), ("off", None)]
    assert [run.recorded_from for run in runs[1:]] == [NOW - 10, NOW]


def test_log_is_pending_until_it_was_read(make: Make, begin: Begin) -> None:
    assert make().is_pending
    assert not begin(CRASHED).is_pending


def test_log_that_cannot_be_read_is_not_pending_for_long(make: Make, path: Path) -> None:
    path.mkdir()
    log = make()
    log.begin(NOW - 10, NOW - 10, lambda: None)
    log.stop(10)
    assert (log.is_pending, log.is_read, log.news().totals) == (False, False, None)


def test_log_is_read_once_the_earlier_runs_are_known(make: Make, begin: Begin) -> None:
    assert not make().is_read
    log = begin(CRASHED)
    assert log.is_read
    log.switch_off()
    log.clear()
    assert log.is_read


def test_current_run_goes_on_until_now(mocker: MockerFixture, begin: Begin) -> None:
    log = begin(CLEAN)
    mocker.patch.object(clock, "boot_clock", return_value=NOW + 70)
    period = log.history().period(1, "host", None)
    assert period.until == MARCH + DAY + NOW + 70
    assert (period.octoprint[-1].until, period.figures.running_min) == (period.until, 80)
    log.stop(10)
    mocker.patch.object(clock, "boot_clock", return_value=NOW + 90)
    assert log.history().period(1, "host", None).figures.running_min == 80


def test_log_that_never_begins_writes_nothing(make: Make, path: Path) -> None:
    log = make()
    assert (list(log.history().restarts()), log.news()) == ([], News(None, None))
    log.dismiss(1)
    log.stop(10)
    assert not path.exists()


def test_restarts_of_some_days_are_those_that_started_within_them(begin: Begin) -> None:
    log = begin(CRASHED, CRASHED)
    assert ids(log) == [2, 1]
    # The last start was ten seconds ago, the one before at 150 seconds into a boot of 87,400 seconds ago.
    assert [found.id for found in log.history().restarts(days=1)] == [2]
    assert [found.id for found in log.history().restarts(days=2)] == [2, 1]


def test_start_of_an_unknown_moment_is_within_any_days(mocker: MockerFixture, begin: Begin) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=100.0)  # 1970
    log = begin(CRASHED, CRASHED._replace(boot="b", offset=100.0))
    assert next((found.id, found.started) for found in log.history().restarts(days=1)) == (2, None)


@pytest.mark.parametrize("still_running", [True, False])
def test_clock_that_is_set_late_corrects_the_runs_of_its_boot(
    mocker: MockerFixture, begin: Begin, path: Path, still_running: bool
) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=100.0)  # 1970
    log = begin(CRASHED, CRASHED._replace(boot="b", offset=100.0))
    newer, older = log.history().restarts()
    assert (newer.run_started, newer.started, older.started) == (None, None, None)
    assert older.run_started is None, "it lies in the future"
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + DAY)
    if not still_running:
        log.stop(10)
        assert {run.offset for run in stored(path) if run.boot == "b"} == {MARCH + DAY}
    newer, older = log.history().restarts()
    assert (newer.run_started, newer.started) == (MARCH + DAY + 150, MARCH + DAY + NOW - 10)
    assert (older.run_started, older.started) == (MARCH + 50, MARCH + DAY + 150)
    assert log.news().last == newer


DECADES = 16_000 * DAY
AHEAD = CRASHED._replace(offset=MARCH + DECADES)


def test_boot_decades_ahead_is_forgiven_at_once(begin: Begin) -> None:
    news = begin(AHEAD, AHEAD._replace(boot="x", offset=AHEAD.offset + DAY)).news()
    assert news.last
    assert (news.last.ended_after, news.last.started) == (None, MARCH + DAY + NOW - 10)
    assert news.recorded_since == MARCH + DAY + NOW - 10


# The boot before this one ends an hour later than this one began, so one of the two is wrong.
OVERLAPS = CRASHED._replace(offset=MARCH + DAY - 50, last_alive=3700.0)


def test_contradicting_boot_loses_once_the_clock_is_set(mocker: MockerFixture, begin: Begin) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + DAY - 20)
    log = begin(OVERLAPS)
    assert next(log.history().restarts()).started is None
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + DAY)
    found = next(log.history().restarts())
    assert found == log.news().last
    assert (found.run_started, found.started) == (None, MARCH + DAY + NOW - 10)
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + DAY - 20)
    log.switch_off()
    log.begin(NOW - 10, NOW, lambda: None)
    assert next(log.history().restarts()).started is None, "it is as at the start of this process"


def beat(mocker: MockerFixture, log: RestartLog, read: threading.Event, moment: float = NOW + 1) -> None:
    """Have the log write at this moment, and wait until it does."""
    mocker.patch.object(clock, "boot_clock", return_value=moment)
    for _ in range(2):  # the first task is done once the second one asks for the print
        read.clear()
        log.update()
        assert read.wait(10)


def test_contradicting_boot_loses_once_the_clock_is_synchronized(
    mocker: MockerFixture, begin: Begin, read: threading.Event
) -> None:
    log = begin(OVERLAPS)
    last = log.news().last
    assert last
    assert last.started is None
    mocker.patch.object(clock, "is_synchronized", return_value=True)
    assert next(log.history().restarts()).started == MARCH + DAY + NOW - 10
    beat(mocker, log, read)
    assert log.news().last == next(log.history().restarts())


def test_moment_is_reported_once_it_is_past(mocker: MockerFixture, begin: Begin, read: threading.Event) -> None:
    log = begin(OVERLAPS)
    last = log.news().last
    assert last
    assert (last.run_started, last.ended_after) == (MARCH + DAY, None)
    beat(mocker, log, read, 3700.0)
    last = log.news().last
    assert last
    assert last.ended_after == MARCH + DAY + 3650


def test_old_moments_return_once_the_clock_is_set(mocker: MockerFixture, begin: Begin, path: Path) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=MARCH - 20 * DAY)
    log = begin(CRASHED, CLEAN)
    assert [each.ended_after for each in log.history().restarts()] == [None, None]
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + DAY)
    assert [each.ended_after for each in log.history().restarts()] == [MARCH + 180, MARCH + 80]
    log.stop(10)
    assert [run.offset for run in stored(path)] == [MARCH, MARCH, MARCH + DAY]


@pytest.mark.parametrize(("ended", "shortest"), [(None, 0), ("clean", 910)])
def test_clock_that_is_set_between_two_runs_without_a_boot_id(
    mocker: MockerFixture, begin: Begin, ended: str | None, shortest: float
) -> None:
    """The same boot has two names, an hour apart."""
    mocker.patch.object(clock, "boot_id", return_value=str(int(MARCH) + 3600))
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 3600)
    last = begin(CRASHED._replace(boot=str(int(MARCH)), ended=ended)).news().last
    assert last
    assert (last.kind, last.downtime_min, last.downtime_max) == ("host", shortest, 910 + 3600)


def test_clock_that_is_set_while_off_counts_once_on_again(
    mocker: MockerFixture, begin: Begin, read: threading.Event
) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=100.0)
    log = begin(CRASHED._replace(boot="b", offset=100.0))
    closed, close = threading.Event(), Store.close

    def then_say_so(store: Store) -> None:
        close(store)
        closed.set()

    mocker.patch.object(Store, "close", autospec=True, side_effect=then_say_so)
    log.switch_off()
    assert closed.wait(10)
    mocker.patch.object(clock, "boot_offset", return_value=MARCH)
    log.news()
    read.clear()
    log.begin(NOW - 10, NOW, read.set)
    assert read.wait(10)
    read.clear()
    log.update()
    assert read.wait(10)
    last = log.news().last
    assert last
    assert last.started == MARCH + NOW - 10


def test_two_logs_do_not_share_anything(
    make: Make, told: queue.SimpleQueue[Restart], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [tmp_path / name / "restart_log.db" for name in ("one", "two")]
    logs = [make(path) for path in paths]
    for log in logs:
        log.begin(NOW, NOW, lambda: None)
    for log in logs:
        log.stop(10)
    assert [[run.id for run in stored(path)] for path in paths] == [[1], [1]]
    assert told.empty()
    assert caplog.messages == []
