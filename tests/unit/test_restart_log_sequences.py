"""Test the log with any sequence of events on a machine, and compare its reports with what really happened."""

from __future__ import annotations

import logging
import queue
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from octoprint_uptime import clock, recording, restart_log
from octoprint_uptime.clock import Clock, Uptime
from octoprint_uptime.evidence import system
from octoprint_uptime.evidence.records import Found, Process, Signs
from octoprint_uptime.recording import Printer, Recording
from octoprint_uptime.restart_log import Print, Restart, RestartLog
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.restart_log.store import Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
UNTIL_OCTOPRINT_STARTS = 20.0  # seconds after the host's boot
DECADES = 45 * 365 * 86400.0
BEHIND = -1234567.5  # so little that nothing shows it


class WatchedQueue:
    """A queue that knows when its reader has done all tasks."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()
        self.idle = threading.Event()

    def put(self, item: Any) -> None:
        self.idle.clear()
        self._queue.put(item)

    def get(self, timeout: float | None = None) -> Any:
        if self._queue.empty():
            self.idle.set()
        return self._queue.get(timeout=timeout)

    def empty(self) -> bool:
        return self._queue.empty()


class Disk(Store):
    """A store whose disk may be full or stuck, whose process may be killed, and whose host may lose its power."""

    def __init__(self, path: Path, logger: logging.Logger) -> None:
        super().__init__(path, logger)
        self._folder = path.parent
        self.full = False
        self.killed = False
        self.moves = threading.Event()  # cleared while each wait for the disk takes forever
        self.moves.set()
        self.waited_for = threading.Event()
        self._on_disk = self._files()

    def save(self, run: Run) -> Run:
        self._check()
        return super().save(run)

    def before(self, run: Run) -> tuple[Run, ...]:
        self._check()
        return super().before(run)

    def note(self, run: Run, found: Found) -> None:
        self._check()
        super().note(run, found)

    def sync(self) -> None:
        if not (self.moves.is_set() or self.full):
            self.waited_for.set()
            self.moves.wait()
        self._end_if_killed()
        super().sync()
        self._on_disk = self._files()

    def close(self) -> None:
        self._end_if_killed()
        super().close()
        self._on_disk = self._files()

    def lose_power(self) -> None:
        """Leave only what was on the disk."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        for name, content in self._on_disk.items():
            (self._folder / name).write_bytes(content)

    def _files(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self._folder.glob("restart_log.db*")}

    def _check(self) -> None:
        self._end_if_killed()
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")

    def _end_if_killed(self) -> None:
        if self.killed:
            super().close()
            raise SystemExit  # ends the thread as silently as a kill


class OwnClock(Clock):
    """The age of a machine's OctoPrint."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def read(self) -> Uptime:
        return Uptime(self._machine.boot_clock - self._machine.started, "proc", None)


class Printing(NamedTuple):
    """A print that is on: its file, and whether OctoPrint streams it."""

    path: str
    streamed: bool


class PrinterData:
    """What OctoPrint's printer says of itself, and in which order it changes that."""

    def __init__(self) -> None:
        self.connector: str | None = "serial"
        self.flags: dict[str, bool] = {}
        self.path: str | None = None

    def __call__(self) -> dict[str, Any]:
        file = {"path": self.path, "origin": self.path and "local"}
        progress = {"completion": 50.0, "filepos": 5000}
        return {"state": {"text": "", "flags": self.flags}, "job": {"file": file}, "progress": progress}


class Truth:
    """What really happened in one run. Times are by the boot clock, which began at ``booted`` in seconds since 1970."""

    def __init__(self, machine: Machine) -> None:
        self.boot, self.host, self.booted = machine.boot_id, machine.host, machine.booted
        self.started = machine.started
        self.recorded_from = machine.boot_clock
        self.ended = 0.0
        self.how: str | None = None
        self.print: Printing | None = None
        # It ended while nothing could be written, or while a write still waited: the log may know an earlier state.
        self.excused = False
        self.offset = machine.offset  # as of its end
        self.memory_kills = machine.memory_kills  # as of its start


class Written(NamedTuple):
    """A run as it is written."""

    truth: Truth
    alive: float
    how: str | None
    print: Printing | None


class Content(NamedTuple):
    """The content of the file: runs in order, and when each boot began, by the clock at that time."""

    runs: dict[Truth, Written]
    boots: dict[str, float]

    def copy(self) -> Content:
        return Content(dict(self.runs), dict(self.boots))


class Machine:
    """A host with OctoPrint, in an LXC container or not: its clocks, its disk, and what really happened."""

    disk: Disk
    queue: WatchedQueue
    printing: Printing | None

    def __init__(self, folder: Path, lxc: bool) -> None:
        self.path = folder / "log" / "restart_log.db"
        self.path.parent.mkdir()
        self.lxc = lxc
        self.host = self.container = 0
        self.booted, self.boot_clock = MARCH, UNTIL_OCTOPRINT_STARTS
        self.skew = 0.0  # of the wall clock
        self.ever_skewed = self.ever_behind = False
        self.synchronized = False
        self.memory_kills = 0
        self.log_is_on = True
        self.all: list[Truth] = []
        self.processes: list[tuple[float, float]] = []  # start and end of each that has ended
        self.committed = self.synced = Content({}, {})

    @property
    def boot_id(self) -> str:
        return f"container {self.container}" if self.lxc else f"host {self.host}"

    @property
    def offset(self) -> float:
        return self.booted + self.skew

    @property
    def now(self) -> float:
        return self.booted + self.boot_clock

    # Possible events

    def wait(self, seconds: float) -> None:
        self.boot_clock += seconds
        self.write()

    @property
    def wall_clock(self) -> float:
        return self.offset + self.boot_clock

    @property
    def clock_is_right(self) -> bool:
        """Whether the clock is right, and there is evidence for it."""
        return self.skew == 0 and (self.synchronized or self.offset != self.first_offset)

    def set_clock(self, skew: float) -> None:
        self.skew = skew
        self.ever_skewed |= skew != 0
        self.ever_behind |= skew == BEHIND
        self.synchronized &= skew == 0
        self.write()

    def synchronize(self) -> None:
        """Have timesyncd set the clock, as it does once it reaches a server."""
        self.synchronized = True
        self.set_clock(0)

    def print_(self, path: str) -> None:
        """Start a print, which another one must not prevent, and send the events in OctoPrint's order."""
        self.connect("serial")
        self.say(Printing(path, True), {"printing": True}, path, "PrinterStateChanged", "PrintStarted")

    def pause(self) -> None:
        self.say(self.printing, {"paused": True} if self.printing else {}, self.printer.path, "PrintPaused")

    def end_print(self, how: str) -> None:
        """Send the last line of a print, or cancel it: the flags say so until the printer has done its part."""
        self.say(None, {"printing": True, how: True}, self.printer.path, "PrinterStateChanged")

    def send_late_event(self, event: str) -> None:
        """Send an event about a print that has ended long ago, as OctoPrint does after it has written metadata."""
        self.task(lambda: self.recording.on_event(event, {"path": "another.gcode", "origin": "local"}))

    def lose_printer(self) -> None:
        """Disconnect as 1.11 does: clear the job, then the flags, and send no event about the print."""
        if self.printer.connector != "serial":
            self.printer.connector = None  # 2.0 has none from the first step on
        self.say(None, self.printer.flags, None, "Disconnected")
        self.say(None, {}, None, "PrinterStateChanged")

    def find_print(self, path: str) -> None:
        """Connect to a printer that prints by itself already, so no event says that a print started."""
        self.connect("moonraker")
        self.say(Printing(path, False), {"printing": True}, path, "PrinterStateChanged")

    def connect(self, connector: str) -> None:
        if self.printer.connector != connector:
            self.lose_printer()
            self.printer.connector = connector

    def kill_for_memory(self) -> None:
        """Have the kernel kill another program for lack of memory."""
        self.memory_kills += 1

    def fill_disk(self) -> None:
        self.disk.full = True

    def free_disk(self) -> None:
        self.disk.full = False
        self.write()

    def stall_disk(self) -> None:
        self.disk.moves.clear()

    def move_disk(self) -> None:
        waited = self.disk.waited_for.is_set()
        self.disk.waited_for.clear()
        self.disk.moves.set()
        if waited:
            self.synced = self.committed.copy()  # even where the disk has become full since
            self.task(lambda: None)  # but what it was asked for meanwhile
        self.write()

    def switch_log(self) -> None:
        self.log_is_on = not self.log_is_on
        if self.log_is_on:
            self.begin()
        else:
            self.end("off")
            self.task(lambda: self.recording.switch(False))

    def restart(self, what: str, clean: bool, damaged: bool, seconds: float) -> None:
        """Stop OctoPrint, its container or its host, cleanly or not, and start it again after some seconds."""
        self.end("clean" if clean else None)
        if clean:
            in_vain = self.disk.waited_for.is_set() or not (self.disk.moves.is_set() or self.disk.full)
            self.task(lambda: self.log.stop(0.01 if in_vain else 10))
        self.kill()
        self.processes.append((self.booted + self.started, self.now))
        if what == "host" and not clean:
            self.disk.lose_power()
            self.committed = self.synced
        if damaged:
            self.path.write_bytes(b"damaged" * 1000)
            self.path.with_name("restart_log.db-wal").unlink(missing_ok=True)
            self.committed = Content({}, {})
        self.boot_clock += seconds
        if what == "host":
            self.booted, self.boot_clock = self.booted + self.boot_clock, UNTIL_OCTOPRINT_STARTS
            self.host += 1
            self.synchronized = False
            self.memory_kills = 0
        if what != "octoprint":
            self.container += 1
        self.start()

    # How events are performed

    def say(self, printing: Printing | None, flags: dict[str, bool], path: str | None, *events: str) -> None:
        """Have the printer say something else, and OctoPrint send these events."""
        self.printing, self.printer.flags, self.printer.path = printing, flags, path
        if self.current:
            self.current.print = printing
        for event in events:
            self.task(partial(self.recording.on_event, event, {"path": path}))

    def start(self) -> None:
        self.started, self.first_offset = self.boot_clock, self.offset
        self.printing = None
        self.printer = PrinterData()
        self.synced = self.committed.copy()
        self.loaded = False
        self.unwritten: list[Truth] = []  # which have ended
        self.current: Truth | None = None
        self.log = RestartLog(self.path, "1.11.8", LOGGER, lambda _: None)
        printer = Printer(self.printer, lambda: self.printer.connector)
        self.recording = Recording(self.log, OwnClock(self), "octoprint_uptime", printer)
        if self.log_is_on:
            self.begin()

    def begin(self) -> None:
        self.current = Truth(self)
        self.current.print = self.printing
        self.all.append(self.current)
        self.task(lambda: self.recording.switch(True))
        self.write()

    def write(self) -> None:
        """Make the log write, as at a heartbeat."""
        if self.current:
            self.task(self.log.update)

    def end(self, how: str | None) -> None:
        if self.current:
            ended, self.current = self.current, None
            ended.ended, ended.how, ended.offset = self.boot_clock, how, self.offset
            ended.excused = self.disk.full or not self.disk.moves.is_set()
            if how:
                self.unwritten.append(ended)

    def task(self, enqueue: Callable[[], object]) -> None:
        """Give the log a task, and note what is written once the task is done."""
        waits = self.disk.waited_for.is_set()
        enqueue()
        self.settle()
        if waits or self.disk.full:
            return
        for truth in self.unwritten:
            self.committed.runs[truth] = Written(truth, truth.ended, truth.how, truth.print)
            self.committed.boots[truth.boot] = truth.offset
        self.unwritten = []
        if self.current:
            self.committed.runs[self.current] = Written(self.current, self.boot_clock, None, self.current.print)
            self.committed.boots[self.current.boot] = self.offset
            self.loaded = True
        if not self.disk.waited_for.is_set():
            self.synced = self.committed.copy()

    def settle(self) -> None:
        while not (self.queue.idle.wait(0.001) or self.disk.waited_for.is_set() or not writers()):
            pass

    def kill(self) -> None:
        self.disk.killed = True
        self.disk.moves.set()
        self.log.update()
        for thread in writers():
            thread.join(10)
            assert not thread.is_alive()

    # Comparing the log's reports

    def check(self) -> None:
        if self.disk.waited_for.is_set():
            return  # its tasks are still to be done
        told = list(self.log.history().restarts())
        known = {self.current, *self.unwritten}
        runs = [written for truth, written in self.committed.runs.items() if truth not in known]
        runs += [Written(truth, truth.ended, truth.how, truth.print) for truth in self.unwritten]
        if self.current:
            runs.append(Written(self.current, self.boot_clock, None, self.current.print))
        expected = [pair for pair in pairwise(runs if self.loaded else []) if pair[0].how != "off"]
        assert len(told) == len(expected)
        for restart, (previous, following) in zip(told, reversed(expected), strict=True):
            self.check_end(restart, previous)
            if self.current:
                self.check_kind(restart, previous.truth, following.truth)
                self.check_cause(restart, previous.truth, following.truth)
                self.check_moments(restart, previous, following.truth)
        self.check_nothing_is_in_the_future(told)
        assert self.log.news().unseen_lost_prints == sum(restart.lost_print is not None for restart in told)
        if not self.ever_skewed:
            self.check_period(runs if self.loaded else [], told)

    def check_end(self, restart: Restart, previous: Written) -> None:
        assert restart.clean is (previous.how == "clean")
        assert (reported(restart.lost_print) or reported(restart.unattended_print)) == previous.print
        truth = previous.truth
        assert truth.excused or (previous.how, previous.print) == (truth.how, truth.print)
        assert truth.how == "clean" or not restart.clean, "nobody asked for this end, whatever the excuse"

    def check_cause(self, restart: Restart, previous: Truth, following: Truth) -> None:
        """Only the counter is evidence, and only within one boot."""
        assert restart.unexpected is not restart.clean
        assert restart.cause in (None, "out_of_memory")
        if restart.cause:
            assert (restart.clean, restart.cause_proven) == (False, False)
            assert previous.boot == following.boot
            assert previous.memory_kills < following.memory_kills

    def check_kind(self, restart: Restart, previous: Truth, following: Truth) -> None:
        if previous.boot == following.boot:
            assert restart.kind == "octoprint"
        elif previous.host != following.host:
            assert restart.kind == "host"
        else:
            was_set = abs(self.offset_of(following) - self.offset_of(previous)) > 2
            assert restart.kind == ("host" if was_set else "container")

    def check_moments(self, restart: Restart, previous: Written, following: Truth) -> None:
        truth = previous.truth
        moments = (restart.run_started, restart.ended_after, restart.ended_before, restart.started)
        assert self.ever_skewed or None not in moments
        ended, started = truth.booted + truth.ended, following.booted + following.started
        was_right = self.offset_of(truth) == truth.booted
        is_right = self.offset_of(following) == following.booted
        if self.clock_is_right and following is self.current:
            assert restart.started is not None
        # The runs of earlier containers keep a wrong clock, and then contradict those of the same boot of the host.
        if self.clock_is_right and not (self.ever_behind or self.lxc):
            assert not was_right or None not in (restart.run_started, restart.ended_after)
            assert not is_right or restart.started is not None
        if was_right:
            assert restart.run_started in (None, truth.booted + truth.started)
            assert restart.ended_after in (None, truth.booted + previous.alive)
            assert previous.alive <= truth.ended
        if was_right and is_right:
            assert restart.started in (None, started)
            assert restart.ended_before is None or restart.ended_before >= ended
        whole = not truth.excused and self.all.index(following) == self.all.index(truth) + 1
        if whole and (restart.kind != "host" or (was_right and is_right)):
            assert restart.downtime_min is None or restart.downtime_min <= started - ended + 1e-6
            assert restart.downtime_max is None or restart.downtime_max >= started - ended - 1e-6

    def check_nothing_is_in_the_future(self, told: list[Restart]) -> None:
        history, news = self.log.history(), self.log.news()
        moments = [news.recorded_since, *(moment for each in history.unrecorded() for moment in each)]
        for restart in (*told, *filter(None, (news.last, news.unseen))):
            print_ = restart.lost_print
            moments += [restart.run_started, restart.ended_after, restart.ended_before, restart.host_started]
            moments += [restart.started, print_ and print_.started, print_ and print_.progress and print_.progress.seen]
        period = history.period(366, "host", self.booted)
        moments += [span.until for span in (*period.octoprint, *period.host)]
        assert all(moment is None or moment <= self.wall_clock for moment in moments)

    def check_period(self, runs: list[Written], told: list[Restart]) -> None:
        """Check spans and figures: nothing runs while it is dead, and nothing recorded is missing while it runs."""
        period = self.log.history().period(1, "host", self.booted)
        processes = [*self.processes, (self.booted + self.started, self.now)]
        for span in period.octoprint:
            if span.state == "running":
                assert not gaps(processes, span.since, span.until)
        for truth, *_ in runs:
            end = self.now if truth is self.current else truth.booted + truth.ended
            assert not gaps([span[:2] for span in period.octoprint], truth.booted + truth.recorded_from, end)
        for lane in (period.octoprint, period.host):
            assert all(one.until <= other.since for one, other in pairwise(lane))

        figures = period.figures
        assert figures.restarts == len(told)
        assert figures.unexpected_shutdowns == sum(not restart.clean for restart in told)
        assert figures.lost_prints == sum(restart.lost_print is not None for restart in told)
        assert figures.running_min <= sum(end - start for start, end in processes)
        recorded = sum(each.alive - each.truth.recorded_from for each in runs)
        assert figures.running_max is None or recorded <= figures.running_max <= figures.recorded
        longest = max(end - start for start, end in processes)
        assert (figures.longest_uptime or 0) <= longest
        if figures.longest_uptime_is_exact and runs:
            known = {each.truth for each in runs}
            assert figures.longest_uptime == max(self.uptime_of(truth) for truth in known)

    def uptime_of(self, truth: Truth) -> float:
        return (self.boot_clock if truth is self.current else truth.ended) - truth.started

    def offset_of(self, truth: Truth) -> float:
        here = self.current and truth.boot == self.current.boot
        return self.offset if here else self.committed.boots[truth.boot]


def reported(print_: Print | None) -> Printing | None:
    return print_ and Printing(print_.path, print_.streamed)


def gaps(spans: list[tuple[float, float]], since: float, until: float) -> list[tuple[float, float]]:
    """Return the gaps between these spans, which are in order, from ``since`` to ``until``."""
    ends = [since, *(min(max(end, since), until) for _, end in spans)]
    starts = [*(min(max(start, since), until) for start, _ in spans), until]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if end < start]


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "uptime restart log"]


SECONDS = st.sampled_from([0.0, 7.0, 400.0])
WHAT = st.sampled_from(["octoprint", "container", "host"])
PATHS = st.sampled_from(["a.gcode", "b/c.gcode"])
EVENTS = st.one_of(
    st.tuples(st.just("wait"), SECONDS),
    st.tuples(st.just("print_"), PATHS),
    st.tuples(st.just("end_print"), st.sampled_from(["finishing", "cancelling"])),
    st.tuples(st.just("send_late_event"), st.sampled_from(["PrintDone", "PrintFailed", "PrintCancelled"])),
    st.tuples(st.just("find_print"), PATHS),
    *(st.tuples(st.just(name)) for name in ("pause", "lose_printer", "kill_for_memory")),
    st.tuples(st.just("restart"), WHAT, st.just(True), st.just(False), SECONDS),
    st.tuples(st.just("restart"), WHAT, st.just(False), st.just(False), SECONDS),
    st.tuples(st.just("restart"), WHAT, st.booleans(), st.sampled_from([True, False, False, False]), SECONDS),
    *(st.tuples(st.just(name)) for name in ("switch_log", "fill_disk", "free_disk", "stall_disk", "move_disk")),
    st.tuples(st.just("set_clock"), st.sampled_from([0.0, 2600000.5, BEHIND, -40000000.0, DECADES])),
    st.tuples(st.just("synchronize")),
)
CLEANLY = ("restart", "octoprint", True, False, 7.0)
KILLED = ("restart", "octoprint", False, False, 7.0)
PRINT_A, PRINT_B = ("print_", "a.gcode"), ("print_", "b/c.gcode")
POWER_CUT = ("restart", "host", False, False, 7.0)
AHEAD = ("set_clock", DECADES)


@pytest.fixture
def machines(mocker: MockerFixture) -> list[Machine]:
    """The machine whose clocks and disk the log uses, if there is one."""
    machines: list[Machine] = []

    def disk(path: Path, logger: logging.Logger) -> Disk:
        machines[0].disk = Disk(path, logger)
        return machines[0].disk

    def watched_queue() -> WatchedQueue:
        machines[0].queue = WatchedQueue()
        return machines[0].queue

    mocker.patch.object(restart_log, "Store", disk)
    mocker.patch.object(queue, "SimpleQueue", watched_queue)
    mocker.patch.object(clock, "boot_id", side_effect=lambda: machines[0].boot_id)
    mocker.patch.object(clock, "has_own_boot_id", side_effect=lambda: machines[0].lxc)
    mocker.patch.object(clock, "boot_clock", side_effect=lambda: machines[0].boot_clock)
    mocker.patch.object(recording, "boot_clock", side_effect=lambda: machines[0].boot_clock)
    mocker.patch.object(clock, "boot_offset", side_effect=lambda: machines[0].offset)
    mocker.patch.object(clock, "is_synchronized", side_effect=lambda: machines[0].synchronized)
    mocker.patch.object(system, "process", return_value=Process())
    mocker.patch.object(recording, "counters", side_effect=lambda: Signs(machines[0].memory_kills))
    return machines


# A kill ends the thread with an exception.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@settings(
    max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@example(lxc=False, events=[("stall_disk",), ("wait", 7.0), ("switch_log",), ("move_disk",), KILLED, ("switch_log",)])
@example(lxc=False, events=[("stall_disk",), ("wait", 7.0), ("fill_disk",), ("move_disk",), POWER_CUT])
@example(lxc=False, events=[("fill_disk",), ("switch_log",), ("free_disk",), CLEANLY, ("switch_log",)])
@example(lxc=False, events=[AHEAD, POWER_CUT, POWER_CUT, ("set_clock", 0.0), POWER_CUT])
@example(lxc=False, events=[POWER_CUT, AHEAD, POWER_CUT, POWER_CUT, POWER_CUT, ("synchronize",)])
@example(lxc=False, events=[PRINT_A, ("end_print", "cancelling"), PRINT_B, ("send_late_event", "PrintFailed"), KILLED])
@example(lxc=False, events=[PRINT_A, ("pause",), ("lose_printer",), KILLED])
@example(lxc=False, events=[PRINT_A, ("pause",), ("lose_printer",), CLEANLY])
@example(lxc=False, events=[PRINT_A, CLEANLY])
@example(lxc=False, events=[("kill_for_memory",), KILLED, ("kill_for_memory",), POWER_CUT])
@example(lxc=False, events=[PRINT_A, ("end_print", "cancelling"), KILLED])
@example(lxc=False, events=[("find_print", "a.gcode"), KILLED])
@given(lxc=st.booleans(), events=st.lists(EVENTS, max_size=25))
def test_log_reports_what_was_done(machines: list[Machine], lxc: bool, events: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), lxc)
        machines[:] = [machine]
        machine.start()
        try:
            machine.check()
            for name, *arguments in events:
                getattr(machine, name)(*arguments)
                machine.check()
        finally:
            machine.kill()
