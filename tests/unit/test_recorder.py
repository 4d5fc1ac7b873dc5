"""Test the recorder's thread with a fake store that writes nothing."""

from __future__ import annotations

import itertools
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from unittest.mock import NonCallableMagicMock

import pytest
from pytest_mock import MockerFixture

from octoprint_uptime import clock
from octoprint_uptime.evidence import system
from octoprint_uptime.evidence.records import Found, Process, Signs
from octoprint_uptime.restart_log import recorder as module
from octoprint_uptime.restart_log.recorder import Recorder, State
from octoprint_uptime.restart_log.records import Print, Progress, Run
from octoprint_uptime.restart_log.store import LaterSchemaError, Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
BENCHY = Print("parts/benchy.gcode", "local", 60.0, None, True)
HALF = Progress(50.0, 5000, 0.2, 70.0)
RUN = Run(0, "a", MARCH, 50.0, 55.0, 1000.0, "1.11.8", None, None, False)
EARLIER = (RUN._replace(id=1), RUN._replace(id=2, ended="clean"), RUN._replace(id=3))
ID = 4  # the store gives the current run this id


class Printer:
    """Return the print that a test sets, as `Recorder` asks for it."""

    def __init__(self) -> None:
        self.print: Print | None = None
        self.asked = threading.Semaphore(0)

    def __call__(self) -> Print | None:
        self.asked.release()
        return self.print


class Saving:
    """Replace `Store.save`: give the run an id and pass it to the test."""

    def __init__(self) -> None:
        self._saved: queue.SimpleQueue[Run] = queue.SimpleQueue()

    def __call__(self, run: Run) -> Run:
        stored = run._replace(id=run.id or ID)
        self._saved.put(stored)
        return stored

    def next(self, seconds: float = 10) -> Run:
        """Return the next saved run, or raise `queue.Empty`."""
        return self._saved.get(timeout=seconds)

    def rest(self) -> list[Run]:
        return [self._saved.get() for _ in range(self._saved.qsize())]


@pytest.fixture
def printer() -> Printer:
    return Printer()


@pytest.fixture
def saving() -> Saving:
    return Saving()


@pytest.fixture
def store(mocker: MockerFixture, saving: Saving) -> NonCallableMagicMock:
    store: NonCallableMagicMock = mocker.create_autospec(Store, instance=True)
    store.__str__.return_value = "/data/restart_log.db"  # type: ignore[attr-defined] # mypy takes it for object's
    store.save.side_effect = saving
    store.before.return_value = EARLIER
    return store


@pytest.fixture(autouse=True)
def _clocks(mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "boot_id", return_value="a")
    mocker.patch.object(clock, "boot_offset", return_value=MARCH)
    mocker.patch.object(clock, "boot_clock", return_value=1000.0)
    mocker.patch.object(system, "process", return_value=Process())


@pytest.fixture
def heartbeats(mocker: MockerFixture) -> None:
    mocker.patch.object(module, "HEARTBEAT_SECONDS", 0.01)
    mocker.patch.object(module, "PRINTING_HEARTBEAT_SECONDS", 0.01)


Make = Callable[..., Recorder]


@pytest.fixture
def make(store: Store) -> Iterator[Make]:
    made: list[Recorder] = []

    def make(on_loaded: Callable[[], None] = lambda: None) -> Recorder:
        made.append(Recorder(store, "1.11.8", LOGGER, on_loaded))
        return made[-1]

    yield make
    for each in made:
        each.stop(10)
    for thread in threading.enumerate():
        if thread.name == "uptime restart log":  # `stop` does not wait until it ends
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def loaded() -> threading.Event:
    return threading.Event()


@pytest.fixture
def running(make: Make, saving: Saving, loaded: threading.Event, printer: Printer) -> Recorder:
    """Return a recorder that has saved the current run and read the earlier ones."""
    recorder = make(on_loaded=loaded.set)
    recorder.begin(50.0, 55.0, printer)
    assert loaded.wait(10)
    saving.next()
    return recorder


def idle() -> Print | None:
    """Return no print."""
    return None


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def calls(store: NonCallableMagicMock) -> list[str]:
    """Return the names of the calls of the store, without `sync`."""
    return [name for name, _, _ in store.method_calls if name != "sync"]


def test_begin_saves_the_run_and_reads_the_earlier_ones(
    mocker: MockerFixture, make: Make, store: NonCallableMagicMock, loaded: threading.Event
) -> None:
    recorder = make(on_loaded=loaded.set)
    assert recorder.state == State((), None)
    recorder.begin(50.0, 55.0, idle)
    assert loaded.wait(10)
    current = RUN._replace(id=ID)
    assert recorder.state == State(EARLIER, current)
    assert store.method_calls[:2] == [mocker.call.save(RUN), mocker.call.before(current)]


def test_each_change_writes_once(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, printer: Printer
) -> None:
    for print_ in (BENCHY, None, BENCHY._replace(path="cube.gcode"), BENCHY, BENCHY._replace(started=70.0), None):
        printer.print = print_
        for _ in range(3):
            running.update(only_if_changed=True)
        assert saving.next() == RUN._replace(id=ID, print=print_, printed=True)
    running.stop(10)
    wait_for_the_thread()
    assert saving.rest() == [RUN._replace(id=ID, ended="clean", printed=True)]
    assert calls(store) == ["save", "before", *["save"] * 7, "close"]


def test_progress_is_no_change(running: Recorder, saving: Saving, printer: Printer) -> None:
    printer.print = BENCHY._replace(progress=HALF)
    running.update(only_if_changed=True)
    saving.next()
    later = printer.print = BENCHY._replace(progress=HALF._replace(percent=51.0))
    running.update(only_if_changed=True)
    with pytest.raises(queue.Empty):
        saving.next(0.1)
    running.update(only_if_changed=False)  # like pausing
    assert saving.next().print == later


def test_print_is_read_before_the_first_and_the_last_write(make: Make, saving: Saving, printer: Printer) -> None:
    """Check that a clean shutdown in the middle of a print keeps the print."""
    printer.print = BENCHY
    recorder = make()
    recorder.begin(50.0, 55.0, printer)
    assert saving.next().print == BENCHY
    printer.print = BENCHY._replace(progress=HALF)
    recorder.stop(10)
    assert saving.rest() == [RUN._replace(id=ID, print=printer.print, ended="clean", printed=True)]


def test_run_without_a_print_is_stored_as_such(make: Make, saving: Saving) -> None:
    recorder = make()
    recorder.begin(50.0, 55.0, idle)
    recorder.stop(10)
    assert {run.printed for run in saving.rest()} == {False}


def test_failed_write_of_a_change_is_retried_at_the_next_event(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, printer: Printer
) -> None:
    store.save.side_effect = OSError("not yet")
    printer.print = BENCHY
    running.update(only_if_changed=True)
    assert saving_failed(store)
    store.save.side_effect = saving
    running.update(only_if_changed=True)
    assert saving.next().print == BENCHY


def saving_failed(store: NonCallableMagicMock) -> bool:
    """Wait until the recorder has closed the file after a failed write."""
    deadline = time.monotonic() + 10
    while not store.close.call_count and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(store.close.call_count)


@pytest.mark.parametrize("due", ["heartbeat", "offset"])
def test_events_without_a_change_do_not_delay_what_is_due(
    mocker: MockerFixture, running: Recorder, saving: Saving, due: str
) -> None:
    """A printer that tries to connect again and again changes its state without a print."""
    running.update(only_if_changed=True)
    with pytest.raises(queue.Empty):
        saving.next(0.1)
    if due == "heartbeat":
        mocker.patch.object(clock, "boot_clock", return_value=1000.0 + module.HEARTBEAT_SECONDS)
    else:
        mocker.patch.object(clock, "boot_offset", return_value=MARCH + 60)
    running.update(only_if_changed=True)
    saving.next()


@pytest.mark.usefixtures("heartbeats")
def test_heartbeat_saves_time_and_progress(mocker: MockerFixture, make: Make, saving: Saving) -> None:
    mocker.patch.object(clock, "boot_clock", side_effect=itertools.count(1001.0))
    percents = itertools.count(0.5)
    recorder = make()
    recorder.begin(50.0, 55.0, lambda: BENCHY._replace(progress=HALF._replace(percent=next(percents))))
    found = [saving.next() for _ in range(6)]
    assert [run.last_alive for run in found] == [1001.0 + beat for beat in range(6)]
    percents_found = [run.print.progress.percent for run in found if run.print and run.print.progress]
    assert percents_found == [0.5 + beat for beat in range(6)]
    assert {run.ended for run in found} == {None}


def test_next_write_has_the_new_offset(mocker: MockerFixture, running: Recorder, saving: Saving) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 60)
    running.update(only_if_changed=False)
    assert saving.next().offset == MARCH + 60


def test_new_offset_is_written_soon(mocker: MockerFixture, running: Recorder, saving: Saving) -> None:
    mocker.patch.object(module, "CLOCK_CHECK_SECONDS", 0.01)
    running.update(only_if_changed=False)
    saving.next()
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 60)
    assert saving.next().offset == MARCH + 60
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 61)  # jitter only
    time.sleep(0.1)
    assert saving.rest() == []


@pytest.mark.parametrize("unknown", [None, Progress(None, None, 0.4, 80.0)])
def test_unknown_progress_keeps_the_last_one(
    running: Recorder, saving: Saving, printer: Printer, unknown: Progress | None
) -> None:
    for progress, expected in [
        (HALF, HALF),
        (unknown, HALF),
        (HALF._replace(percent=None), HALF._replace(percent=None)),
    ]:
        printer.print = BENCHY._replace(progress=progress)
        running.update(only_if_changed=False)
        assert saving.next().print == BENCHY._replace(progress=expected)


def test_progress_of_another_print_is_not_kept(running: Recorder, saving: Saving, printer: Printer) -> None:
    for print_ in (BENCHY._replace(progress=HALF), BENCHY._replace(started=70.0)):
        printer.print = print_
        running.update(only_if_changed=True)
        assert saving.next().print == print_


def test_print_stays_if_the_printer_cannot_be_asked(
    mocker: MockerFixture, make: Make, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    halfway = BENCHY._replace(progress=HALF)
    read = mocker.Mock(side_effect=[halfway, RuntimeError("no printer"), RuntimeError("no printer"), None])
    recorder = make()
    recorder.begin(50.0, 55.0, read)
    for _ in range(3):
        recorder.update(only_if_changed=False)
    assert [saving.next().print for _ in range(4)] == [halfway, halfway, halfway, None]
    read.side_effect = None
    read.return_value = None
    recorder.stop(10)
    assert warnings(caplog) == ["Could not get the current print from OctoPrint: RuntimeError('no printer')"]


def test_invalid_characters_in_a_name_are_replaced(running: Recorder, saving: Saving, printer: Printer) -> None:
    printer.print = BENCHY._replace(path="b\udcffenchy \U0001f6a2 'x'.gcode", origin="lo\udcffcal", progress=HALF)
    running.update(only_if_changed=True)
    expected = BENCHY._replace(path="b?enchy \U0001f6a2 'x'.gcode", origin="lo?cal", progress=HALF)
    assert saving.next().print == expected
    running.update(only_if_changed=True)
    with pytest.raises(queue.Empty):
        saving.next(0.1)


@pytest.mark.usefixtures("heartbeats")
@pytest.mark.parametrize("step", ["save", "before"])
@pytest.mark.parametrize(
    "error", [OSError(5, "rotten card"), sqlite3.OperationalError("disk is full"), RuntimeError("whatever")]
)
def test_failing_store_is_logged_once_and_retried(
    make: Make,
    store: NonCallableMagicMock,
    loaded: threading.Event,
    caplog: pytest.LogCaptureFixture,
    step: str,
    error: Exception,
) -> None:
    failing = getattr(store, step)
    works = {"save": store.save.side_effect, "before": lambda _: EARLIER}[step]
    outcomes = iter([error] * 3)

    def fail(run: Run) -> object:
        for outcome in outcomes:
            raise outcome
        return works(run)

    failing.side_effect = fail
    recorder = make(on_loaded=loaded.set)
    recorder.begin(50.0, 55.0, idle)
    assert loaded.wait(10)
    assert recorder.state == State(EARLIER, RUN._replace(id=ID))
    assert calls(store).count("close") == 3, "it closes the file each time"
    assert warnings(caplog) == [f"Could not use the restart log /data/restart_log.db: {error!r}"]


def test_current_run_is_known_while_the_store_fails(
    make: Make, store: NonCallableMagicMock, saving: Saving, printer: Printer
) -> None:
    asked = threading.Event()

    def fail(_: Run) -> None:
        asked.set()
        raise OSError("not yet")

    store.save.side_effect = fail
    recorder = make()
    recorder.begin(50.0, 55.0, printer)
    assert asked.wait(10)
    assert recorder.state == State((), RUN)
    store.save.side_effect = saving
    printer.print = BENCHY
    recorder.update(only_if_changed=True)
    recorder.stop(10)
    assert saving.next() == RUN._replace(id=ID, print=BENCHY, printed=True)


@pytest.mark.usefixtures("heartbeats")
def test_later_schema_is_opened_once(
    mocker: MockerFixture,
    make: Make,
    store: NonCallableMagicMock,
    printer: Printer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.save.side_effect = LaterSchemaError("its schema is 3")
    on_loaded = mocker.Mock()
    recorder = make(on_loaded=on_loaded)
    recorder.begin(50.0, 55.0, printer)
    recorder.update(only_if_changed=True)
    recorder.clear()
    recorder.dismiss(EARLIER)
    for _ in range(6):
        assert printer.asked.acquire(timeout=10)
    recorder.stop(10)
    wait_for_the_thread()
    assert calls(store)[:2] == ["save", "close"]
    assert set(calls(store)[2:]) == {"close"}
    assert on_loaded.call_count == 0
    (warning,) = warnings(caplog)
    assert "its schema is 3" in warning


@pytest.mark.parametrize("loads", ["at once", "as it ends"])
def test_failing_on_loaded_does_not_stop_the_thread(
    mocker: MockerFixture,
    make: Make,
    store: NonCallableMagicMock,
    saving: Saving,
    caplog: pytest.LogCaptureFixture,
    loads: str,
) -> None:
    if loads == "as it ends":
        store.before.side_effect = [OSError("not yet"), OSError("not yet"), EARLIER]
    on_loaded = mocker.Mock(side_effect=RuntimeError("no event bus"))
    recorder = make(on_loaded=on_loaded)
    recorder.begin(50.0, 55.0, idle)
    recorder.update(only_if_changed=False)
    recorder.stop(10)
    assert [run.ended for run in saving.rest()] == [None, None, "clean"]
    assert recorder.state == State((*EARLIER, RUN._replace(id=ID, ended="clean")), None)
    wait_for_the_thread()
    assert calls(store)[-1] == "close"
    assert on_loaded.call_count == 1
    assert warnings(caplog)[-1] == "Could not fire the restart event: RuntimeError('no event bus')"


def test_failing_event_does_not_stop_the_thread(
    mocker: MockerFixture, make: Make, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(clock, "boot_id", side_effect=[RuntimeError("no boot"), "a"])
    recorder = make()
    recorder.begin(50.0, 55.0, idle)
    recorder.begin(51.0, 55.0, idle)
    assert saving.next().started == 51.0
    assert warnings(caplog) == ["Could not record an event in the restart log: RuntimeError('no boot')"]


def test_dismissal_shows_at_once_and_is_written(
    mocker: MockerFixture, running: Recorder, store: NonCallableMagicMock
) -> None:
    running.dismiss(iter(EARLIER[:2]))
    assert [run.dismissed for run in running.state.earlier] == [True, True, False]
    running.dismiss(EARLIER[2:])
    assert [run.dismissed for run in running.state.earlier] == [True, True, True], "the first two stay dismissed"
    running.stop(10)
    assert store.dismiss.call_args_list == [mocker.call(EARLIER[:2]), mocker.call(EARLIER[2:])]


def test_dismissal_is_written_before_reading_runs(make: Make, store: NonCallableMagicMock) -> None:
    store.save.side_effect = [OSError("not yet"), RUN._replace(id=ID), RUN._replace(id=ID)]
    recorder = make()
    recorder.begin(50.0, 55.0, idle)
    recorder.dismiss(EARLIER)
    recorder.stop(10)
    done = [name for name in calls(store) if name != "close"]
    assert done == ["save", "dismiss", "save", "before", "save"]


@pytest.mark.usefixtures("heartbeats")
def test_failed_dismissal_is_retried_once(running: Recorder, store: NonCallableMagicMock, saving: Saving) -> None:
    store.dismiss.side_effect = [OSError("no disk"), None]
    running.dismiss(EARLIER)
    for _ in range(4):
        saving.next()
    assert store.dismiss.call_count == 2


def test_clear_leaves_only_the_current_run(
    mocker: MockerFixture, running: Recorder, store: NonCallableMagicMock
) -> None:
    running.clear()
    assert running.state == State((), RUN._replace(id=ID))
    running.stop(10)
    assert store.clear.call_args_list == [mocker.call(ID)]


def test_clear_before_loading_clears_what_is_loaded(
    mocker: MockerFixture, make: Make, store: NonCallableMagicMock
) -> None:
    go = threading.Event()
    store.before.side_effect = lambda _: EARLIER if go.wait(10) else ()
    loaded_states = []
    recorder: Recorder = make(on_loaded=lambda: loaded_states.append(recorder.state.earlier))
    recorder.begin(50.0, 55.0, idle)
    recorder.clear()
    go.set()
    recorder.stop(10)
    assert loaded_states == [EARLIER]
    assert [run.id for run in recorder.state.earlier] == [ID]
    assert store.clear.call_args_list == [mocker.call(ID)]


def test_clear_is_written_once(running: Recorder, store: NonCallableMagicMock) -> None:
    running.clear()
    running.end("off")
    running.begin(50.0, 2000.0, idle)
    running.update(only_if_changed=False)
    running.stop(10)
    assert store.clear.call_count == 1


def wait_for_the_thread() -> None:
    """Wait until the recorder's thread has ended: `stop` returns before it closes the file."""
    for thread in threading.enumerate():
        if thread.name == "uptime restart log":
            thread.join(10)


def test_dismiss_and_clear_work_while_not_recording(
    mocker: MockerFixture, make: Make, store: NonCallableMagicMock
) -> None:
    recorder = make()
    recorder.clear()
    recorder.dismiss(EARLIER)
    recorder.stop(10)
    wait_for_the_thread()
    store.sync.assert_called_once_with()
    changes = [call for call in store.method_calls if call not in (mocker.call.close(), mocker.call.sync())]
    assert changes == [mocker.call.clear(0), mocker.call.dismiss(EARLIER)]
    assert calls(store)[-1] == "close", "it closes the file"


@pytest.mark.usefixtures("heartbeats")
def test_switching_off_closes_the_file(running: Recorder, store: NonCallableMagicMock, saving: Saving) -> None:
    closed = threading.Event()
    store.close.side_effect = closed.set
    running.end("off")
    running.update(only_if_changed=False)
    assert closed.wait(10)
    saving.rest()
    with pytest.raises(queue.Empty):
        saving.next(0.1)
    assert running.state == State((*EARLIER, RUN._replace(id=ID, ended="off")), None)


def test_switching_on_again_starts_another_run(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, loaded: threading.Event
) -> None:
    loaded.clear()
    running.end("off")
    running.begin(50.0, 2000.0, idle)
    ended, begun = saving.next(), saving.next()
    assert (ended.ended, ended.recorded_from) == ("off", 55.0)
    assert begun == RUN._replace(id=ID, recorded_from=2000.0)
    running.update(only_if_changed=False)
    saving.next()
    assert running.state.earlier == (*EARLIER, ended)
    assert store.save.call_args_list[2].args[0].id == 0
    assert not loaded.is_set()
    assert calls(store).count("before") == 1


def test_sync_waits_until_there_is_no_other_task(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    go = threading.Event()

    def wait() -> None:
        go.wait(10)

    store.reset_mock()
    store.sync.side_effect = wait
    for _ in range(5):
        running.update(only_if_changed=False)
    go.set()
    running.stop(10)
    wait_for_the_thread()
    assert [run.ended for run in saving.rest()] == [None] * 5 + ["clean"]
    # The thread may sync after its start, after the first event, after all events that came meanwhile, and at the end.
    assert 1 <= store.sync.call_count <= 4
    names = [name for name, _, _ in store.method_calls]
    assert names[-3:] == ["save", "sync", "close"]


def test_stop_waits_for_the_disk_only(running: Recorder, store: NonCallableMagicMock, saving: Saving) -> None:
    done: list[str] = []
    go = threading.Event()

    def sync() -> None:
        time.sleep(0.2)
        done.append("synced")

    def close() -> None:
        go.wait(10)
        done.append("closed")

    store.sync.side_effect, store.close.side_effect = sync, close
    assert running.stop(10) is True
    assert done[-1:] == ["synced"]
    assert saving.rest()[-1].ended == "clean"
    go.set()


def test_stop_is_fast_on_a_healthy_disk(make: Make, loaded: threading.Event) -> None:
    times = []
    for _ in range(5):
        loaded.clear()
        recorder = make(on_loaded=loaded.set)
        recorder.begin(50.0, 55.0, idle)
        assert loaded.wait(10)
        before = time.monotonic()
        recorder.stop()
        times.append(time.monotonic() - before)
    assert min(times) < 0.05, "the fastest of several, because the machine may be busy"


def test_stop_gives_up_on_a_stuck_disk(running: Recorder, store: NonCallableMagicMock) -> None:
    go = threading.Event()
    store.sync.side_effect = lambda: go.wait(10)
    before = time.monotonic()
    assert running.stop(0.1) is False
    assert 0.1 <= time.monotonic() - before < 5
    go.set()


def test_stop_returns_at_once_if_the_store_fails(running: Recorder, store: NonCallableMagicMock) -> None:
    store.save.side_effect = OSError("no disk")
    before = time.monotonic()
    assert running.stop(60) is False
    assert time.monotonic() - before < 30


def test_unwritten_end_is_written_before_the_next_run(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    store.save.side_effect = OSError("full")
    running.end("off")
    running.begin(50.0, 200.0, idle)
    running.update(only_if_changed=False)  # fails, too
    running.dismiss([])
    store.save.side_effect = saving
    running.stop(10)
    ended, current = [run for run in saving.rest() if run.ended][:2]
    assert (ended.id, ended.recorded_from, ended.ended) == (ID, 55.0, "off")
    assert (current.recorded_from, current.ended) == (200.0, "clean")
    assert running.state.earlier[-2] == ended


def test_run_that_was_never_written_is_written_at_its_end(make: Make, store: NonCallableMagicMock) -> None:
    store.save.side_effect = [OSError("slow to come"), OSError("slow to come"), RUN._replace(id=ID, ended="off")]
    recorder = make()
    recorder.begin(50.0, 55.0, idle)
    recorder.end("off")
    recorder.dismiss([])
    assert recorder.stop(10) is True
    assert [call.args[0].ended for call in store.save.call_args_list] == [None, "off", "off"]
    assert store.save.call_args.args[0].id == 0
    assert recorder.state.earlier == (RUN._replace(id=ID, ended="off"),)


@pytest.mark.usefixtures("heartbeats")
def test_unwritten_end_is_retried_while_the_log_is_off(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    disk = iter([OSError("full")] * 3)

    def save(run: Run) -> Run:
        for error in disk:
            raise error
        return saving(run)

    saving.rest()
    store.save.side_effect = save
    running.end("off")
    ended = RUN._replace(id=ID, ended="off")
    while saving.next() != ended:
        pass
    running.stop(10)
    assert running.state == State((*EARLIER, ended), None)


def test_unwritten_end_is_retried_on_stop(running: Recorder, store: NonCallableMagicMock) -> None:
    store.save.side_effect = [OSError("full"), RUN._replace(id=ID, ended="off")]
    running.end("off")
    assert running.stop(10) is True
    assert store.save.call_count == 3, "at the start, when switched off, and on stop"


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), FileNotFoundError("it was removed")])
def test_stop_returns_false_if_sync_fails(running: Recorder, store: NonCallableMagicMock, error: OSError) -> None:
    store.sync.side_effect = error
    assert running.stop(10) is False


def test_failing_close_does_not_stop_the_thread(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    store.close.side_effect = [OSError("no disk"), None, None]
    running.end("off")
    assert saving.next().ended == "off"
    running.begin(50.0, 2000.0, idle)
    assert saving.next().recorded_from == 2000.0
    assert "no disk" in warnings(caplog)[0]


def test_progress_is_never_newer_than_the_heartbeat(mocker: MockerFixture, make: Make, saving: Saving) -> None:
    ticks = itertools.count(1000)
    mocker.patch.object(clock, "boot_clock", side_effect=lambda: float(next(ticks)))
    recorder = make()
    recorder.begin(50.0, 55.0, lambda: BENCHY._replace(progress=HALF._replace(seen=clock.boot_clock())))
    recorder.update(only_if_changed=False)
    recorder.stop(10)
    saved = saving.rest()
    assert saved[-1].ended == "clean"
    for run in saved:
        assert run.print is not None
        assert run.print.progress is not None
        assert run.print.progress.seen is not None
        assert run.print.progress.seen <= run.last_alive


def test_heartbeats_are_more_frequent_during_a_print(
    mocker: MockerFixture, running: Recorder, saving: Saving, printer: Printer
) -> None:
    mocker.patch.object(module, "PRINTING_HEARTBEAT_SECONDS", 0.01)
    with pytest.raises(queue.Empty):
        saving.next(0.1)
    printer.print = BENCHY._replace(progress=HALF)
    running.update(only_if_changed=True)
    assert [saving.next().print for _ in range(4)] == [BENCHY._replace(progress=HALF)] * 4
    printer.print = None
    while saving.next().print:
        pass
    with pytest.raises(queue.Empty):
        saving.next(0.1)


def test_stop_without_begin_does_nothing(make: Make, store: NonCallableMagicMock) -> None:
    make().stop()
    assert store.method_calls == []


# Evidence


def test_signs_are_read_before_each_write(make: Make, saving: Saving) -> None:
    counter = itertools.count(1)
    recorder = make()
    recorder.begin(50.0, 55.0, idle, lambda: Signs(next(counter)))
    recorder.update(only_if_changed=False)
    recorder.stop(10)
    assert [run.signs.oom_kills for run in saving.rest()] == [1, 2, 3]


def test_end_is_not_before_the_last_sight_of_under_voltage(make: Make, saving: Saving) -> None:
    recorder = make()
    recorder.begin(50.0, 55.0, idle, lambda: Signs(under_voltage=1000.5))
    recorder.stop(10)
    assert saving.rest()[-1].last_alive == 1000.5


def test_end_is_not_before_somebody_asked_for_it(make: Make, saving: Saving) -> None:
    """The thread may read the signs after `stop` has been called."""
    recorder = make()
    recorder.begin(50.0, 55.0, idle, lambda: Signs(asked="restart", asked_at=1000.05))
    recorder.stop(10)
    assert saving.rest()[-1].last_alive == 1000.05


def test_process_is_recorded(mocker: MockerFixture, make: Make, saving: Saving) -> None:
    mocker.patch.object(system, "process", return_value=Process(700))
    recorder = make()
    recorder.begin(50.0, 55.0, idle)
    recorder.update(only_if_changed=False)
    recorder.stop(10)
    assert {run.process for run in saving.rest()} == {Process(700)}


def test_findings_are_noted(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, loaded: threading.Event
) -> None:
    loaded.clear()
    found = Found("killed", True, None, "found")
    running.note(EARLIER[0], found, loaded.set)
    assert loaded.wait(10)
    assert running.state.earlier == (EARLIER[0]._replace(found=found), *EARLIER[1:])
    store.note.assert_called_once_with(EARLIER[0], found)
    assert saving.rest() == [], "the current run has not changed"


def test_findings_that_can_not_be_written_are_written_later(
    mocker: MockerFixture, running: Recorder, store: NonCallableMagicMock, loaded: threading.Event
) -> None:
    loaded.clear()
    store.note.side_effect = sqlite3.OperationalError("database or disk is full")
    running.note(EARLIER[0], Found("killed"), loaded.set)
    assert loaded.wait(10)
    store.note.side_effect = None
    running.stop(10)
    assert store.method_calls.count(mocker.call.note(EARLIER[0], Found("killed"))) == 2


def test_owner_is_called_after_each_write(store: Store, saving: Saving) -> None:
    """It needs the run's id, and learns how the run ended even if that could not be written."""
    written: queue.SimpleQueue[Run] = queue.SimpleQueue()
    recorder = Recorder(store, "1.11.8", LOGGER, lambda: None, written.put)
    recorder.begin(50.0, 55.0, idle)
    assert written.get(timeout=10) == saving.next() == RUN._replace(id=ID)
    recorder.end("off")
    assert written.get(timeout=10).ended == "off"
    recorder.stop(10)
    assert written.empty()
