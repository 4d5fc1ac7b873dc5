"""Record the current run in a thread of its own, so that only this thread waits for the disk."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from .. import clock
from ..evidence import system
from ..evidence.records import Found, Signs
from ..readings import JITTER_SECONDS
from .records import Print, Run
from .store import LaterSchemaError, Store

HEARTBEAT_SECONDS = 300.0
PRINTING_HEARTBEAT_SECONDS = 60.0  # for the progress of a lost print
CLOCK_CHECK_SECONDS = 10.0
STOP_SECONDS = 4.9  # service managers allow about ninety

ReadPrint = Callable[[], Print | None]
ReadSigns = Callable[[], Signs]


class State(NamedTuple):
    """The known runs. The recorder replaces the whole state, so any thread may read it at any time."""

    earlier: tuple[Run, ...] = ()  # oldest first
    current: Run | None = None


class Recorder:
    """A recorder of the current run, in a thread that does one task after another.

    A task changes the state and then writes what isn't written yet: first changes to earlier runs, then the current
    run. `dismiss` and `clear` change `state` immediately, before their task runs; no other method does. Without a task,
    the thread writes every `HEARTBEAT_SECONDS`, every `PRINTING_HEARTBEAT_SECONDS` during a print, and within
    `CLOCK_CHECK_SECONDS` after the wall clock changed. It logs a failed write once, and tries again at the next task or
    heartbeat.

    If this process is killed, the next one reads everything that was written. After a power cut, only what reached the
    disk is left. The thread waits for the disk whenever it has no other task.

    Before each write of the current run, the thread calls the ``read_print`` and ``read_signs`` that were passed to
    `begin`. After the write, it calls ``on_written``. It calls ``on_loaded`` once, after it has read the earlier runs.
    """

    def __init__(
        self,
        store: Store,
        version: str,
        logger: logging.Logger,
        on_loaded: Callable[[], None],
        on_written: Callable[[Run], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._version = version
        self._logger = logger
        self._on_loaded = on_loaded
        self._on_written = on_written
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # held to replace the state or start the thread
        self._state = State()
        self._read_print: ReadPrint = lambda: None
        self._read_signs: ReadSigns = Signs
        self._unwritten: list[Callable[[], None]] = []
        self._is_written = False
        self._has_tried = False
        self._loaded = False
        self._refused = False  # a later version wrote the file; don't touch it again
        self._stopped = threading.Event()  # the last write has reached the disk, or failed
        self._end_is_on_disk = False
        self._logged: set[str] = set()

    @property
    def state(self) -> State:
        """Return the earlier runs and the current one."""
        return self._state

    @property
    def is_loaded(self) -> bool:
        """Whether the earlier runs have been read."""
        return self._loaded

    @property
    def has_tried(self) -> bool:
        """Whether the first attempt to read the earlier runs is over."""
        return self._has_tried

    def begin(self, started: float, recorded_from: float, read_print: ReadPrint, read_signs: ReadSigns = Signs) -> None:
        """Start to record a run. Both times are boot-clock times. All methods but `stop` return immediately."""
        self._enqueue(partial(self._begin, started, recorded_from, read_print, read_signs))

    def update(self, only_if_changed: bool, printed: bool = False) -> None:
        """Record the current print, and that there was one if ``printed`` is true.

        With ``only_if_changed``, do so only if there is something new to write.
        """
        self._enqueue(partial(self._update, only_if_changed, printed))

    def end(self, how: str) -> None:
        """End the run as ``clean`` or ``off``. `begin` starts another one."""
        self._enqueue(partial(self._end, how, clock.boot_clock()))

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Record a clean shutdown and stop. Return whether that reached the disk within ``seconds``.

        Returns early if the write fails. The thread may close the file later.
        """
        if self._thread is None:
            return True
        self._enqueue(partial(self._stop, clock.boot_clock()))
        self._tasks.put(None)
        return self._stopped.wait(seconds) and self._end_is_on_disk

    def dismiss(self, runs: Iterable[Run]) -> "Future[bool]":
        """Record that the notices about the ends of these runs were dismissed.

        The result says whether that was written.
        """
        dismissed = tuple(runs)
        ids = {run.id for run in dismissed}
        with self._lock:
            earlier = tuple(run._replace(dismissed=run.dismissed or run.id in ids) for run in self._state.earlier)
            self._state = self._state._replace(earlier=earlier)
        written: Future[bool] = Future()
        self._enqueue(partial(self._also_write, partial(self._store.dismiss, dismissed), written))
        return written

    def clear(self) -> "Future[bool]":
        """Delete all runs except the current one. The result says whether they were deleted."""
        self._forget_earlier()
        written: Future[bool] = Future()
        self._enqueue(partial(self._clear, written))
        return written

    def note(self, run: Run, found: Found, then: Callable[[], None]) -> None:
        """Record what was found out about the end of an earlier run, and call ``then``."""
        self._enqueue(partial(self._note, run, found, then))

    def _forget_earlier(self) -> None:
        with self._lock:
            self._state = self._state._replace(earlier=())

    def _enqueue(self, task: Callable[[], object]) -> None:
        self._tasks.put(task)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="uptime restart log", daemon=True)
                self._thread.start()

    # The thread calls everything below.

    def _work(self) -> None:
        for task in iter(self._next_task, None):
            self._perform(task)
            if self._tasks.empty():
                self._perform(self._settle)

    def _settle(self) -> None:
        if self._state.current:
            self._succeeds(self._store.sync)
        else:
            self._store.close()

    def _perform(self, task: Callable[[], object]) -> None:
        try:
            task()
        except Exception as error:  # whatever it is, keep going, to record the next event
            self._warn_once("Could not record an event in the restart log", error)

    def _next_task(self) -> Callable[[], object] | None:
        current = self._state.current
        if not (current or self._unwritten):
            return self._tasks.get()
        beat = _heartbeat(current)
        waited = 0.0
        while True:
            wait = min(beat - waited, CLOCK_CHECK_SECONDS)
            try:
                return self._tasks.get(timeout=wait)
            except queue.Empty:
                waited += wait
            # Write the new offset soon: without it, the dates of this boot would be wrong after a power cut.
            if waited >= beat or (current and _clock_was_set(current)):
                return self._write_and_load

    def _begin(self, started: float, recorded_from: float, read_print: ReadPrint, read_signs: ReadSigns) -> None:
        self._read_print, self._read_signs = read_print, read_signs
        boot, offset = clock.boot_id(), clock.boot_offset()
        run = Run(0, boot, offset, started, recorded_from, started, self._version, None, None, False)
        self._set_current(run._replace(own_boot_id=clock.has_own_boot_id(), process=system.process()))
        self._write_and_load()

    def _update(self, only_if_changed: bool, printed: bool) -> None:
        current = self._state.current
        if current and printed and not current.printed:
            current = current._replace(printed=True)
            self._set_current(current)
            self._is_written = False
        if current and not (only_if_changed and self._is_up_to_date(current)):
            self._write_and_load()

    def _is_up_to_date(self, current: Run) -> bool:
        """Return whether there is nothing to write."""
        # If tasks keep coming, the thread never waits long enough for a heartbeat, so check here whether one
        # is due.
        age = clock.boot_clock() - current.last_alive
        return (
            self._is_written
            and age < _heartbeat(current)
            and not _clock_was_set(current)
            and _is_same(current.print, self._with_print(current).print)
        )

    def _end(self, how: str, moment: float) -> None:
        current = self._state.current
        if current:
            # The thread may have waited for the disk since `end` was called.
            current = self._refreshed(current)
            seen = (_seen(current), current.signs.under_voltage or 0.0, current.signs.asked_at or 0.0)
            last_alive = max(moment, current.last_alive, *seen)
            self._set_current(current._replace(ended=how, last_alive=last_alive))
            written = self._write_and_load()
            with self._lock:
                earlier, ended = self._state
                self._state = State((*earlier, ended) if ended else earlier)
            if ended and not written and not self._refused:
                self._unwritten.append(partial(self._write_end, ended))

    def _write_end(self, ended: Run) -> None:
        stored = self._store.save(ended)
        with self._lock:
            earlier = tuple(
                stored._replace(dismissed=run.dismissed) if run._replace(dismissed=False) == ended else run
                for run in self._state.earlier
            )
            self._state = self._state._replace(earlier=earlier)

    def _stop(self, moment: float) -> None:
        try:
            if self._state.current:
                self._end("clean", moment)
            else:
                self._succeeds(self._write)  # such as the end of a run after the log was switched off
            self._end_is_on_disk = self._succeeds(self._store.sync) and not self._unwritten
        finally:
            self._stopped.set()
        self._store.close()

    def _clear(self, written: "Future[bool]") -> None:
        self._forget_earlier()  # again, because the thread may have read them in the meantime
        current = self._state.current
        self._also_write(partial(self._store.clear, current.id if current else 0), written)

    def _note(self, run: Run, found: Found, then: Callable[[], None]) -> None:
        with self._lock:
            self._state = _noted(self._state, run.id, found)
        if not self._refused:
            self._unwritten.append(partial(self._store.note, run, found))
        self._succeeds(self._write_unwritten)  # not the current run, which has not changed
        self._call("Could not fire the restart event", then)

    def _also_write(self, write: Callable[[], None], written: "Future[bool]") -> None:
        if not self._refused:
            self._unwritten.append(write)
        written.set_result(self._write_and_load())

    def _write_and_load(self) -> bool:
        """Write what isn't written yet, and read the earlier runs once. Return whether everything is written."""
        current = self._state.current
        if current and not current.ended:
            # In this order, so that the print is never newer than the heartbeat.
            current = self._refreshed(current)
            self._set_current(current._replace(last_alive=clock.boot_clock()))
        written = self._is_written = self._succeeds(self._write)
        if self._state.current:
            self._call("Could not set up crash reports", partial(self._on_written, self._state.current))
        if written and self._state.current and not self._loaded and self._succeeds(self._load):
            self._loaded = True
            self._call("Could not fire the restart event", self._on_loaded)
        self._has_tried = True
        return written

    def _call(self, failure: str, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:
            self._warn_once(failure, error)

    def _refreshed(self, run: Run) -> Run:
        """Return the run with the current print and signs."""
        return self._with_print(run)._replace(signs=self._read_signs())

    def _with_print(self, run: Run) -> Run:
        try:
            print_ = self._read_print()
        except Exception as error:
            self._warn_once("Could not get the current print from OctoPrint", error)
            print_ = run.print
        if print_:
            print_ = _storable(print_)
            if run.print and _is_same(run.print, print_) and not _says_how_far(print_):
                print_ = run.print  # the last progress is better than none
        return run._replace(offset=clock.boot_offset(), print=print_, printed=run.printed or print_ is not None)

    def _write_unwritten(self) -> None:
        while self._unwritten:
            self._unwritten[0]()
            del self._unwritten[0]

    def _write(self) -> None:
        self._write_unwritten()
        if self._state.current:
            self._set_current(self._store.save(self._state.current))

    def _load(self) -> None:
        if self._state.current:
            earlier = self._store.before(self._state.current)
            with self._lock:
                self._state = self._state._replace(earlier=earlier)

    def _succeeds(self, step: Callable[[], None]) -> bool:
        """Run this step, and return whether it succeeded. If not, log why, and close the file until the next try."""
        if self._refused:
            return False
        try:
            step()
        except Exception as error:
            self._warn_once(f"Could not use the restart log {self._store}", error)
            self._refused = isinstance(error, LaterSchemaError)
            self._store.close()
            return False
        return True

    def _set_current(self, run: Run) -> None:
        with self._lock:
            self._state = self._state._replace(current=run)

    def _warn_once(self, what: str, error: Exception) -> None:
        level = logging.DEBUG if what in self._logged else logging.WARNING
        self._logged.add(what)
        self._logger.log(level, "%s: %r", what, error)


def _noted(state: State, run_id: int, found: Found) -> State:
    """Add what was found out about a run to the state, and update the totals as the store does."""
    counts = found.cause is not None and any(
        run.id == run_id and run.ended == "clean" and not run.unexpected for run in state.earlier
    )

    def noted(run: Run) -> Run:
        if run.id == run_id:
            return run._replace(found=found)
        if not counts or run.id < run_id:
            return run
        return run._replace(totals=run.totals._replace(unexpected_shutdowns=run.totals.unexpected_shutdowns + 1))

    return State(tuple(map(noted, state.earlier)), state.current and noted(state.current))


def _heartbeat(run: Run | None) -> float:
    return PRINTING_HEARTBEAT_SECONDS if run and run.print else HEARTBEAT_SECONDS


def _clock_was_set(run: Run) -> bool:
    return abs(clock.boot_offset() - run.offset) > JITTER_SECONDS


def _storable(print_: Print) -> Print:
    """Replace characters in the print's file name that SQLite can't store as text."""
    path, origin = (name and name.encode("utf-8", "replace").decode() for name in (print_.path, print_.origin))
    return print_._replace(path=path or "", origin=origin)


def _says_how_far(print_: Print) -> bool:
    """Return whether the progress of this print is known, and not just its height."""
    return print_.progress is not None and print_.progress[:2] != (None, None)


def _is_same(one: Print | None, other: Print | None) -> bool:
    """Return whether these are the same print, regardless of progress."""
    return (one and one._replace(progress=None)) == (other and other._replace(progress=None))


def _seen(run: Run) -> float:
    """Return when the progress of the run's print was read, or 0 if it was not."""
    return (run.print and run.print.progress and run.print.progress.seen) or 0.0
