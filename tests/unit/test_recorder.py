"""The recorder's thread, before a store that does what each test says and writes nothing."""

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
from octoprint_uptime.restart_log import recorder as module
from octoprint_uptime.restart_log.recorder import Recorder, State
from octoprint_uptime.restart_log.records import Print, Progress, Run
from octoprint_uptime.restart_log.store import LaterSchemaError, Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
BENCHY = Print("parts/benchy.gcode", "local", 60.0, None)
HALF = Progress(50.0, 5000, 0.2, 70.0)
RUN = Run(0, "a", MARCH, 50.0, 55.0, 1000.0, "1.11.8", None, None, False)
EARLIER = (RUN._replace(id=1), RUN._replace(id=2, ended="clean"), RUN._replace(id=3))
ID = 4  # which the store gives to the current run


class Saving:
    """What stands in for `Store.save`: gives the run its id and passes it on to the test."""

    def __init__(self) -> None:
        self._saved: queue.SimpleQueue[Run] = queue.SimpleQueue()

    def __call__(self, run: Run) -> Run:
        stored = run._replace(id=run.id or ID)
        self._saved.put(stored)
        return stored

    def next(self, seconds: float = 10) -> Run:
        """The next run that is saved; raises `queue.Empty` if none is."""
        return self._saved.get(timeout=seconds)

    def rest(self) -> list[Run]:
        return [self._saved.get() for _ in range(self._saved.qsize())]


@pytest.fixture
def saving() -> Saving:
    return Saving()


@pytest.fixture
def store(mocker: MockerFixture, saving: Saving) -> NonCallableMagicMock:
    store: NonCallableMagicMock = mocker.create_autospec(Store, instance=True)
    store.__str__.return_value = "/data/restart_log.db"  # type: ignore[attr-defined] # which mypy takes for object's
    store.save.side_effect = saving
    store.before.return_value = EARLIER
    return store


@pytest.fixture(autouse=True)
def _clocks(mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "boot_id", return_value="a")
    mocker.patch.object(clock, "boot_offset", return_value=MARCH)
    mocker.patch.object(clock, "boot_clock", return_value=1000.0)


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
        if thread.name == "uptime restart log":  # nobody waits for it but this
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def loaded() -> threading.Event:
    return threading.Event()


@pytest.fixture
def running(make: Make, saving: Saving, loaded: threading.Event) -> Recorder:
    """A recorder whose current run is saved, and which knows the earlier ones."""
    recorder = make(on_loaded=loaded.set)
    recorder.begin(50.0, 55.0, unknown)
    assert loaded.wait(10)
    saving.next()
    return recorder


def unknown() -> Progress | None:
    """Return the progress of a print that OctoPrint doesn't know."""
    return None


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def calls(store: NonCallableMagicMock) -> list[str]:
    """What was done with the store, but for waiting for the disk."""
    return [name for name, _, _ in store.method_calls if name != "sync"]


def test_a_run_that_begins_is_saved_and_the_earlier_ones_are_read(
    mocker: MockerFixture, make: Make, store: NonCallableMagicMock, loaded: threading.Event
) -> None:
    recorder = make(on_loaded=loaded.set)
    assert recorder.state == State((), None)
    recorder.begin(50.0, 55.0, unknown)
    assert loaded.wait(10)
    current = RUN._replace(id=ID)
    assert recorder.state == State(EARLIER, current)
    assert store.method_calls[:2] == [mocker.call.save(RUN), mocker.call.before(current)]


def test_each_event_is_one_write(running: Recorder, store: NonCallableMagicMock, saving: Saving) -> None:
    for print_ in (BENCHY, BENCHY, None, BENCHY._replace(path="cube.gcode"), None):
        running.note(print_)
        assert saving.next() == RUN._replace(id=ID, print=print_)
    running.stop(10)
    assert saving.rest() == [RUN._replace(id=ID, ended="clean")]
    assert calls(store) == ["save", "before", *["save"] * 6, "close"]


@pytest.mark.usefixtures("heartbeats")
def test_a_heartbeat_tells_that_it_is_alive_and_how_far_the_print_is(
    mocker: MockerFixture, make: Make, saving: Saving
) -> None:
    mocker.patch.object(clock, "boot_clock", side_effect=itertools.count(1001.0))
    percents = itertools.count(0.5)
    recorder = make()
    recorder.begin(50.0, 55.0, lambda: HALF._replace(percent=next(percents)))
    recorder.note(BENCHY)
    found = [saving.next() for _ in range(6)]
    assert [run.last_alive for run in found] == [1001.0 + beat for beat in range(6)]
    percents_found = [run.print.progress.percent for run in found if run.print and run.print.progress]
    assert percents_found == [0.5 + beat for beat in range(len(percents_found))]
    assert len(percents_found) >= 3
    assert {run.ended for run in found} == {None}


def test_a_clock_that_is_set_gets_into_the_next_write(mocker: MockerFixture, running: Recorder, saving: Saving) -> None:
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 60)
    running.note(None)
    assert saving.next().offset == MARCH + 60


def test_a_clock_that_is_set_is_written_soon(mocker: MockerFixture, running: Recorder, saving: Saving) -> None:
    mocker.patch.object(module, "CLOCK_CHECK_SECONDS", 0.01)
    running.note(None)
    saving.next()
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 60)
    assert saving.next().offset == MARCH + 60
    mocker.patch.object(clock, "boot_offset", return_value=MARCH + 61)  # jitters
    time.sleep(0.1)
    assert saving.rest() == []


def test_a_progress_that_is_unknown_keeps_the_one_before(
    mocker: MockerFixture, make: Make, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    read = mocker.Mock(side_effect=[HALF, None, RuntimeError("no printer"), RuntimeError("no printer"), None])
    recorder = make()
    recorder.begin(50.0, 55.0, read)
    assert saving.next().print is None
    assert read.call_count == 0, "nothing prints"
    recorder.note(BENCHY)
    for _ in range(3):
        recorder.note(BENCHY)  # as when it is paused and resumed
    recorder.stop(10)
    assert [run.print for run in saving.rest()] == [BENCHY._replace(progress=HALF)] * 5
    assert warnings(caplog) == ["Could not read the progress of the print: RuntimeError('no printer')"]


def test_names_that_no_text_may_hold_are_kept_as_far_as_they_can_be(running: Recorder, saving: Saving) -> None:
    running.note(BENCHY._replace(path="b\udcffenchy \U0001f6a2 'x'.gcode"))
    print_ = saving.next().print
    assert print_
    assert print_.path == "b?enchy \U0001f6a2 'x'.gcode"


@pytest.mark.usefixtures("heartbeats")
@pytest.mark.parametrize("step", ["save", "before"])
@pytest.mark.parametrize(
    "error", [OSError(5, "rotten card"), sqlite3.OperationalError("disk is full"), RuntimeError("whatever")]
)
def test_a_store_that_fails_is_said_once_and_tried_again(
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
    recorder.begin(50.0, 55.0, unknown)
    assert loaded.wait(10)
    assert recorder.state == State(EARLIER, RUN._replace(id=ID))
    assert calls(store).count("close") == 3, "it lets go of the file each time"
    assert warnings(caplog) == [f"Could not use the restart log /data/restart_log.db: {error!r}"]


def test_while_the_store_fails_the_current_run_is_known(
    make: Make, store: NonCallableMagicMock, saving: Saving
) -> None:
    asked = threading.Event()

    def fail(_: Run) -> None:
        asked.set()
        raise OSError("not yet")

    store.save.side_effect = fail
    recorder = make()
    recorder.begin(50.0, 55.0, unknown)
    assert asked.wait(10)
    assert recorder.state == State((), RUN)
    store.save.side_effect = saving
    recorder.note(BENCHY)
    recorder.stop(10)
    assert saving.next() == RUN._replace(id=ID, print=BENCHY)


@pytest.mark.usefixtures("heartbeats")
def test_a_later_schema_is_one_look(
    mocker: MockerFixture, make: Make, store: NonCallableMagicMock, caplog: pytest.LogCaptureFixture
) -> None:
    store.save.side_effect = LaterSchemaError("its schema is 3")
    beats = threading.Semaphore(0)
    on_loaded = mocker.Mock()
    recorder = make(on_loaded=on_loaded)
    recorder.begin(50.0, 55.0, lambda: beats.release())
    recorder.note(BENCHY)
    recorder.clear()
    recorder.dismiss(EARLIER)
    for _ in range(6):
        assert beats.acquire(timeout=10)
    recorder.stop(10)
    assert calls(store)[:2] == ["save", "close"]
    assert set(calls(store)[2:]) == {"close"}
    assert on_loaded.call_count == 0
    (warning,) = warnings(caplog)
    assert "its schema is 3" in warning


@pytest.mark.parametrize("loads", ["at once", "as it ends"])
def test_what_raises_once_loaded_ends_neither_the_thread_nor_what_it_does(
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
    recorder.begin(50.0, 55.0, unknown)
    recorder.note(None)
    recorder.stop(10)
    assert [run.ended for run in saving.rest()] == [None, None, "clean"]
    assert recorder.state == State((*EARLIER, RUN._replace(id=ID, ended="clean")), None)
    assert calls(store)[-1] == "close"
    assert on_loaded.call_count == 1
    assert warnings(caplog)[-1] == "Could not announce the last restart: RuntimeError('no event bus')"


def test_an_event_that_raises_does_not_end_the_thread(
    mocker: MockerFixture, make: Make, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(clock, "boot_id", side_effect=[RuntimeError("no boot"), "a"])
    recorder = make()
    recorder.begin(50.0, 55.0, unknown)
    recorder.begin(51.0, 55.0, unknown)
    assert saving.next().started == 51.0
    assert warnings(caplog) == ["Could not record an event in the restart log: RuntimeError('no boot')"]


def test_a_dismissal_is_known_at_once_and_written(
    mocker: MockerFixture, running: Recorder, store: NonCallableMagicMock
) -> None:
    running.dismiss(iter(EARLIER[:2]))
    assert [run.dismissed for run in running.state.earlier] == [True, True, False]
    running.dismiss(EARLIER[2:])
    assert [run.dismissed for run in running.state.earlier] == [True, True, True], "those before stay dismissed"
    running.stop(10)
    assert store.dismiss.call_args_list == [mocker.call(EARLIER[:2]), mocker.call(EARLIER[2:])]


def test_a_dismissal_is_written_before_the_earlier_runs_are_read(make: Make, store: NonCallableMagicMock) -> None:
    store.save.side_effect = [OSError("not yet"), RUN._replace(id=ID), RUN._replace(id=ID)]
    recorder = make()
    recorder.begin(50.0, 55.0, unknown)
    recorder.dismiss(EARLIER)
    recorder.stop(10)
    done = [name for name in calls(store) if name != "close"]
    assert done == ["save", "dismiss", "save", "before", "save"]


@pytest.mark.usefixtures("heartbeats")
def test_a_dismissal_that_fails_is_written_later_and_once(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    store.dismiss.side_effect = [OSError("no disk"), None]
    running.dismiss(EARLIER)
    for _ in range(4):
        saving.next()
    assert store.dismiss.call_count == 2


def test_cleared_it_knows_the_current_run_alone(
    mocker: MockerFixture, running: Recorder, store: NonCallableMagicMock
) -> None:
    running.clear()
    assert running.state == State((), RUN._replace(id=ID))
    running.stop(10)
    assert store.clear.call_args_list == [mocker.call(ID)]


def test_cleared_before_it_is_loaded_it_forgets_what_is_loaded(
    mocker: MockerFixture, make: Make, store: NonCallableMagicMock
) -> None:
    go = threading.Event()
    store.before.side_effect = lambda _: EARLIER if go.wait(10) else ()
    loaded_states = []
    recorder: Recorder = make(on_loaded=lambda: loaded_states.append(recorder.state.earlier))
    recorder.begin(50.0, 55.0, unknown)
    recorder.clear()
    go.set()
    recorder.stop(10)
    assert loaded_states == [EARLIER]
    assert [run.id for run in recorder.state.earlier] == [ID]
    assert store.clear.call_args_list == [mocker.call(ID)]


def test_it_is_cleared_once(running: Recorder, store: NonCallableMagicMock) -> None:
    running.clear()
    running.end("off")
    running.begin(50.0, 2000.0, unknown)
    running.note(BENCHY)
    running.stop(10)
    assert store.clear.call_count == 1


def test_it_can_be_changed_while_it_is_off(mocker: MockerFixture, make: Make, store: NonCallableMagicMock) -> None:
    recorder = make()
    recorder.clear()
    recorder.dismiss(EARLIER)
    recorder.stop(10)
    store.sync.assert_called_once_with()
    changes = [call for call in store.method_calls if call not in (mocker.call.close(), mocker.call.sync())]
    assert changes == [mocker.call.clear(0), mocker.call.dismiss(EARLIER)]
    assert calls(store)[-1] == "close", "the file is free"


@pytest.mark.usefixtures("heartbeats")
def test_switched_off_it_lets_go_of_the_file_and_writes_no_more(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    closed = threading.Event()
    store.close.side_effect = closed.set
    running.end("off")
    running.note(BENCHY)
    assert closed.wait(10)
    saving.rest()
    with pytest.raises(queue.Empty):
        saving.next(0.1)
    assert running.state == State((*EARLIER, RUN._replace(id=ID, ended="off")), None)


def test_switched_on_again_it_begins_another_run(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, loaded: threading.Event
) -> None:
    loaded.clear()
    running.end("off")
    running.begin(50.0, 2000.0, unknown)
    ended, begun = saving.next(), saving.next()
    assert (ended.ended, ended.recorded_from) == ("off", 55.0)
    assert begun == RUN._replace(id=ID, recorded_from=2000.0)
    running.note(None)
    saving.next()
    assert running.state.earlier == (*EARLIER, ended)
    assert store.save.call_args_list[2].args[0].id == 0
    assert not loaded.is_set()
    assert calls(store).count("before") == 1


def test_each_event_waits_for_the_disk_once_nothing_else_is_waiting(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    go = threading.Event()

    def wait() -> None:
        go.wait(10)

    store.reset_mock()
    store.sync.side_effect = wait
    for _ in range(5):
        running.note(BENCHY)
    go.set()
    running.stop(10)
    assert [run.ended for run in saving.rest()] == [None] * 5 + ["clean"]
    # One may have begun after the first event, the next are for all that came meanwhile and for the end.
    assert 1 <= store.sync.call_count <= 3
    names = [name for name, _, _ in store.method_calls]
    assert names[-3:] == ["save", "sync", "close"]


def test_stopping_waits_until_the_disk_has_the_end_and_for_nothing_else(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
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


def test_stopping_takes_less_than_fifty_milliseconds_where_the_disk_is_healthy(
    make: Make, loaded: threading.Event
) -> None:
    times = []
    for _ in range(5):
        loaded.clear()
        recorder = make(on_loaded=loaded.set)
        recorder.begin(50.0, 55.0, unknown)
        assert loaded.wait(10)
        before = time.monotonic()
        recorder.stop()
        times.append(time.monotonic() - before)
    assert min(times) < 0.05, "of several, since on a busy machine any may wait for its turn"


def test_stopping_gives_up_on_a_disk_that_does_not_answer(running: Recorder, store: NonCallableMagicMock) -> None:
    go = threading.Event()
    store.sync.side_effect = lambda: go.wait(10)
    before = time.monotonic()
    assert running.stop(0.1) is False
    assert 0.1 <= time.monotonic() - before < 5
    go.set()


def test_stopping_gives_up_at_once_where_the_store_fails(running: Recorder, store: NonCallableMagicMock) -> None:
    store.save.side_effect = OSError("no disk")
    before = time.monotonic()
    assert running.stop(60) is False
    assert time.monotonic() - before < 30


def test_an_end_that_could_not_be_written_is_written_before_the_next_beginning(
    running: Recorder, store: NonCallableMagicMock, saving: Saving
) -> None:
    store.save.side_effect = OSError("full")
    running.end("off")
    running.begin(50.0, 200.0, unknown)
    running.note(BENCHY)  # which fails as well
    running.dismiss([])
    store.save.side_effect = saving
    running.stop(10)
    ended, current = [run for run in saving.rest() if run.ended][:2]
    assert (ended.id, ended.recorded_from, ended.ended) == (ID, 55.0, "off")
    assert (current.recorded_from, current.ended) == (200.0, "clean")
    assert running.state.earlier[-2] == ended


def test_a_run_that_ends_before_its_beginning_was_written_is_recorded_whole(
    make: Make, store: NonCallableMagicMock
) -> None:
    store.save.side_effect = [OSError("slow to come"), OSError("slow to come"), RUN._replace(id=ID, ended="off")]
    recorder = make()
    recorder.begin(50.0, 55.0, unknown)
    recorder.end("off")
    recorder.dismiss([])
    assert recorder.stop(10) is True
    assert [call.args[0].ended for call in store.save.call_args_list] == [None, "off", "off"]
    assert store.save.call_args.args[0].id == 0
    assert recorder.state.earlier == (RUN._replace(id=ID, ended="off"),)


@pytest.mark.usefixtures("heartbeats")
def test_an_end_that_could_not_be_written_is_tried_again_while_the_log_is_off(
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


def test_an_end_that_could_not_be_written_is_tried_again_at_the_very_end(
    running: Recorder, store: NonCallableMagicMock
) -> None:
    store.save.side_effect = [OSError("full"), RUN._replace(id=ID, ended="off")]
    running.end("off")
    assert running.stop(10) is True
    assert store.save.call_count == 3, "as it began, as it was switched off, and at the end"


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), FileNotFoundError("it was removed")])
def test_an_end_that_the_disk_does_not_have_is_said_not_to_be_there(
    running: Recorder, store: NonCallableMagicMock, error: OSError
) -> None:
    store.sync.side_effect = error
    assert running.stop(10) is False


def test_a_file_that_can_not_be_closed_does_not_end_the_thread(
    running: Recorder, store: NonCallableMagicMock, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    store.close.side_effect = [OSError("no disk"), None, None]
    running.end("off")
    assert saving.next().ended == "off"
    running.begin(50.0, 2000.0, unknown)
    assert saving.next().recorded_from == 2000.0
    assert "no disk" in warnings(caplog)[0]


def test_an_origin_that_no_text_may_hold_is_recorded_too(running: Recorder, saving: Saving) -> None:
    running.note(BENCHY._replace(origin="lo\udcffcal"))
    print_ = saving.next().print
    assert print_ is not None
    assert print_.origin == "lo?cal"


def test_a_print_is_seen_while_its_run_is_alive(mocker: MockerFixture, make: Make, saving: Saving) -> None:
    ticks = itertools.count(1000)
    mocker.patch.object(clock, "boot_clock", side_effect=lambda: float(next(ticks)))
    recorder = make()
    recorder.begin(50.0, 55.0, lambda: Progress(50.0, 5000, 0.2, clock.boot_clock()))
    recorder.note(BENCHY)
    recorder.note(BENCHY)
    recorder.stop(10)
    saved = saving.rest()
    assert saved[-1].ended == "clean"
    for run in saved[1:]:
        assert run.print is not None
        assert run.print.progress is not None
        assert run.print.progress.seen is not None
        assert run.print.progress.seen <= run.last_alive


def test_while_a_print_runs_it_is_written_more_often(mocker: MockerFixture, make: Make, saving: Saving) -> None:
    mocker.patch.object(module, "PRINTING_HEARTBEAT_SECONDS", 0.01)
    recorder = make()
    recorder.begin(50.0, 55.0, lambda: HALF)
    saving.next()
    with pytest.raises(queue.Empty):
        saving.next(0.1)
    recorder.note(BENCHY)
    assert [saving.next().print for _ in range(4)] == [BENCHY._replace(progress=HALF)] * 4
    recorder.note(None)
    while saving.next().print:
        pass
    with pytest.raises(queue.Empty):
        saving.next(0.1)


def test_stopping_what_never_ran_is_nothing(make: Make, store: NonCallableMagicMock) -> None:
    make().stop()
    assert store.method_calls == []
