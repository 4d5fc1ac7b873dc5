"""Test how the log examines earlier runs, with real files and a fake journal."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from octoprint_uptime import clock
from octoprint_uptime.evidence import crash, journal, system
from octoprint_uptime.evidence.records import Answer, Found, Process, Signs
from octoprint_uptime.restart_log import Restart, RestartLog, examiner
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.restart_log.store import Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
NOW = 1000.0
NO_SIGNS = Signs()
UNIT = Process(700, "0123456789abcdef0123456789abcdef")
BY_HAND = Process(700)
KILLED = Run(0, "a", MARCH, 100.0, 100.0, 900.0, "1.11.8", None, None, False, process=UNIT)
STOPPED = KILLED._replace(ended="clean")
SIGKILL = Answer("found", exit_code="killed", exit_status=9)
SEGFAULT = 'Fatal Python error: Segmentation fault\n\n  File "/oprint/bad/__init__.py", line 5 in work\n'


class Journal:
    """Answers questions about runs once the test lets it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Process, str, str]] = []
        self.answer = Answer("nothing_found")
        self.answers = threading.Event()
        self.answers.set()
        self.thread = ""

    def ask(self, process: Process, boot: str, command: str) -> Answer:
        self.asked.append((process, boot, command))
        self.thread = threading.current_thread().name
        assert self.answers.wait(10)
        return self.answer


@pytest.fixture(autouse=True)
def fake(mocker: MockerFixture) -> Iterator[Journal]:
    fake = Journal()
    mocker.patch.object(journal, "ask", fake.ask)
    yield fake
    fake.answers.set()


@pytest.fixture(autouse=True)
def _machine(mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "boot_id", return_value="a")
    mocker.patch.object(clock, "boot_offset", return_value=MARCH)
    mocker.patch.object(clock, "boot_clock", return_value=NOW)
    mocker.patch.object(system, "process", return_value=Process())
    mocker.patch.object(system, "command", return_value="octoprint")


Begin = Callable[..., RestartLog]


@pytest.fixture
def begin(path: Path, told: queue.SimpleQueue[Restart]) -> Iterator[Begin]:
    made: list[RestartLog] = []

    def begin(*earlier: Run, signs: Signs = NO_SIGNS) -> RestartLog:
        store = Store(path, LOGGER)
        for run in earlier:
            stored = store.save(run)
            if run.found:
                store.note(stored, run.found)
        store.close()
        log = RestartLog(path, "1.11.8", LOGGER, told.put, lambda: {"bad": "/oprint/bad"})
        made.append(log)
        log.begin(NOW - 10, NOW - 10, lambda: None, lambda: signs)
        return log

    yield begin
    for log in made:
        log.stop(10)


def stored(path: Path) -> list[Found | None]:
    store = Store(path, LOGGER)
    runs = store.before(KILLED._replace(id=10**9))
    store.close()
    return [run.found for run in runs]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def told_once(told: queue.SimpleQueue[Restart], log: RestartLog) -> Restart:
    restart = told.get(timeout=10)
    log.stop(10)
    assert told.empty()
    return restart


def test_answer_of_the_journal_is_announced_and_stored(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal, path: Path
) -> None:
    fake.answer = SIGKILL
    log = begin(KILLED)
    restart = told.get(timeout=10)
    assert (restart.cause, restart.cause_proven, restart.journal) == ("killed", True, "found")
    assert log.news().last == restart
    assert fake.asked == [(UNIT, "a", "octoprint")]
    assert fake.thread != "uptime restart log"
    log.stop(10)
    assert stored(path)[0] == Found("killed", True, None, "found")
    told_once(told, begin())
    assert len(fake.asked) == 1, "an examined run is not examined again"


def test_event_waits_for_the_answer_and_comes_once(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal
) -> None:
    fake.answers.clear()
    fake.answer = SIGKILL
    log = begin(KILLED)
    with pytest.raises(queue.Empty):
        told.get(timeout=0.2)
    fake.answers.set()
    assert told_once(told, log).cause == "killed"


def test_event_comes_without_a_cause_if_the_journal_hangs(
    mocker: MockerFixture, begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal, path: Path
) -> None:
    """The answer is stored all the same."""
    mocker.patch.object(examiner, "WAIT_SECONDS", 0.2)
    fake.answers.clear()
    fake.answer = SIGKILL
    log = begin(KILLED)
    assert told.get(timeout=10).cause is None
    fake.answers.set()
    until(lambda: [each.cause for each in log.history().restarts()] == ["killed"])
    log.stop(10)
    assert told.empty()
    assert stored(path)[0] == Found("killed", True, None, "found")


@pytest.mark.parametrize("how", ["stop", "switch off", "ask"])
def test_end_does_not_wait_for_the_journal(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal, path: Path, how: str
) -> None:
    fake.answers.clear()
    log = begin(KILLED)
    until(lambda: fake.asked)
    ends: dict[str, Callable[[], object]] = {"stop": log.stop, "switch off": log.switch_off, "ask": log.announce}
    ends[how]()
    assert told.get(timeout=0).cause is None
    assert log.stop(10)
    assert told.empty()
    assert stored(path)[0] is None
    fake.answers.set()
    fake.answer = SIGKILL
    again = begin()
    until(lambda: list(again.history().restarts())[-1:] and list(again.history().restarts())[-1].cause == "killed")


def test_stop_before_the_runs_are_read_announces_too(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal
) -> None:
    fake.answers.clear()
    begin(KILLED).stop(10)
    assert told.get(timeout=0).cause is None


def test_five_runs_are_asked_about_newest_first(begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal) -> None:
    runs = [KILLED._replace(process=Process(number, UNIT.invocation)) for number in range(1, 9)]
    log = begin(*runs)
    told.get(timeout=10)
    until(lambda: sum(each.journal is not None for each in log.history().restarts()) == 5)
    assert [process.pid for process, _, _ in fake.asked] == [8, 7, 6, 5, 4]
    assert [each.journal for each in log.history().restarts()] == ["nothing_found"] * 5 + [None] * 3
    log.stop(10)
    assert told.empty()


ASKED = STOPPED._replace(signs=Signs(asked="restart", asked_at=890.0))


@pytest.mark.parametrize(
    ("run", "asks"),
    [
        (KILLED, True),
        (KILLED._replace(boot="b"), True),
        (KILLED._replace(signs=ASKED.signs), True),  # it may have failed to stop
        (STOPPED, True),  # by systemctl, or after the kernel killed a child
        (STOPPED._replace(boot="b"), False),  # the host was shut down
        (ASKED, False),
        (ASKED._replace(signs=Signs(asked="restart", asked_at=700.0)), True),  # that failed
        (KILLED._replace(process=BY_HAND), False),
        (KILLED._replace(found=Found()), False),
    ],
)
def test_only_shutdowns_that_nobody_asked_for_are_examined(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal, run: Run, asks: bool
) -> None:
    log = begin(run)
    restart = told_once(told, log)
    assert (restart.journal, len(fake.asked)) == (("nothing_found", 1) if asks else (None, 0))


def test_child_that_was_killed_for_lack_of_memory(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal
) -> None:
    fake.answer = Answer("found", unit_result="oom-kill")
    log = begin(STOPPED)
    restart = told.get(timeout=10)
    assert (restart.clean, restart.unexpected, restart.cause) == (True, True, "out_of_memory")
    assert log.news().unseen == restart
    assert log.news().unseen_shutdowns == 1


def test_crash_file_proves_a_crash(
    begin: Begin, told: queue.SimpleQueue[Restart], fake: Journal, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.with_name("crash-1.txt").write_text(SEGFAULT)
    path.with_name("crash-5.txt").write_text(SEGFAULT)
    restart = told_once(told, begin(KILLED))
    assert (restart.cause, restart.cause_proven, restart.crashed_in) == ("crashed", True, "bad")
    assert (restart.journal, fake.asked) == (None, [])
    (warning,) = (record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)
    assert SEGFAULT in warning
    assert not path.with_name("crash-5.txt").exists()
    assert stored(path)[0] == Found("crashed", True, "bad", None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("found", unit_result="timeout", exit_code="dumped", exit_status=6), ("hung", True, None, "found")),
        (
            Answer("found", unit_result="core-dump", exit_code="dumped", exit_status=6),
            ("crashed", True, "bad", "found"),
        ),
        (Answer("nothing_found"), ("crashed", True, "bad", "nothing_found")),
    ],
)
def test_abort_may_be_systemds_answer_to_a_hang(
    begin: Begin,
    told: queue.SimpleQueue[Restart],
    fake: Journal,
    path: Path,
    answer: Answer,
    expected: tuple[str, bool, str | None, str],
) -> None:
    """``TimeoutStopFailureMode=abort`` makes systemd abort a process instead of killing it."""
    path.with_name("crash-1.txt").write_text(SEGFAULT.replace("Segmentation fault", "Aborted"))
    fake.answer = answer
    restart = told_once(told, begin(KILLED))
    assert (restart.cause, restart.cause_proven, restart.crashed_in, restart.journal) == expected


def test_crash_after_a_clean_shutdown_is_no_cause(
    begin: Begin, told: queue.SimpleQueue[Restart], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.with_name("crash-1.txt").write_text(SEGFAULT)
    restart = told_once(told, begin(STOPPED._replace(process=BY_HAND)))
    assert (restart.cause, restart.crashed_in) == (None, None)
    assert SEGFAULT in caplog.text


@pytest.mark.parametrize(
    ("before", "after", "last_alive", "cause"),
    [(3, 4, 900.0, "out_of_memory"), (3, 3, 900.0, None), (3, 4, 390.0, "out_of_memory"), (3, 4, 389.0, None)],
)
def test_counters_of_the_previous_run(
    begin: Begin, told: queue.SimpleQueue[Restart], before: int, after: int, last_alive: float, cause: str | None
) -> None:
    """The current run started at 990, which must be at most ten minutes after the last heartbeat."""
    run = KILLED._replace(process=BY_HAND, last_alive=last_alive, signs=Signs(oom_kills=before))
    restart = told_once(told, begin(run, signs=Signs(oom_kills=after)))
    assert (restart.cause, restart.cause_proven) == (cause, None if cause is None else False)


def test_counters_read_long_after_the_start_say_nothing(
    mocker: MockerFixture, begin: Begin, told: queue.SimpleQueue[Restart]
) -> None:
    """The log may have been off, or its disk full, until then."""
    mocker.patch.object(clock, "boot_clock", return_value=NOW + 600)
    run = KILLED._replace(process=BY_HAND, signs=Signs(oom_kills=3))
    assert told_once(told, begin(run, signs=Signs(oom_kills=4))).cause is None


def test_counters_are_compared_only_with_the_next_runs_start(begin: Begin, told: queue.SimpleQueue[Restart]) -> None:
    """Those of an earlier pair of runs have changed since."""
    first = KILLED._replace(signs=Signs(oom_kills=3))
    log = begin(first, KILLED._replace(signs=Signs(oom_kills=4)), signs=Signs(oom_kills=4))
    told.get(timeout=10)
    until(lambda: all(each.journal for each in log.history().restarts()))
    assert [each.cause for each in log.history().restarts()] == [None, None]


def test_under_voltage_needs_a_change_between_two_boots(
    mocker: MockerFixture, begin: Begin, told: queue.SimpleQueue[Restart]
) -> None:
    mocker.patch.object(system, "process", return_value=Process(power_reset=2))
    run = KILLED._replace(boot="b", process=Process(power_reset=0))
    restart = told_once(told, begin(run))
    assert (restart.cause, restart.cause_proven) == ("under_voltage", False)


def test_run_watches_for_its_own_crash(mocker: MockerFixture, begin: Begin, path: Path) -> None:
    watch, release = mocker.patch.object(crash, "watch"), mocker.patch.object(crash, "release")
    log = begin(STOPPED._replace(found=Found()))
    log.update()
    until(lambda: log.is_read)
    assert not release.called
    log.switch_off()
    log.stop(10)
    assert all(call == mocker.call(path.parent, 2) for call in watch.call_args_list)
    assert watch.called
    assert release.called


def test_failure_to_watch_costs_nothing_else(
    mocker: MockerFixture, begin: Begin, told: queue.SimpleQueue[Restart], caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(crash, "watch", side_effect=PermissionError("moon"))
    assert told_once(told, begin(STOPPED._replace(boot="b"))).clean
    assert caplog.text.count("moon") == 1
