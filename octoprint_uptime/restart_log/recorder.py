"""The one thread that records the current run, so that nobody else waits for a disk."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from .. import clock
from .records import Print, Progress, Run
from .store import LaterSchemaError, Store

HEARTBEAT_SECONDS = 300.0
PRINTING_HEARTBEAT_SECONDS = 60.0  # how far a lost print was is what people want to know best
CLOCK_CHECK_SECONDS = 10.0
STOP_SECONDS = 4.9  # a service manager allows some ninety

ReadProgress = Callable[[], Progress | None]


class State(NamedTuple):
    """The runs that are known: an immutable value that is replaced whole, so that anybody may read it at any time."""

    earlier: tuple[Run, ...] = ()  # oldest first
    current: Run | None = None


class Recorder:
    """Records the current run, by a thread of its own; only `dismiss` and `clear` also change `state` at once.

    The thread takes one task after the other. A task changes the state, and then writes all that is not written yet:
    first what was dismissed or cleared, then the current run. It does so, too, each `HEARTBEAT_SECONDS`, or
    `PRINTING_HEARTBEAT_SECONDS` while a print runs, and within `CLOCK_CHECK_SECONDS` after the wall clock was set. What
    can't be written is logged once and tried again at the next task or heartbeat.

    Every later process sees what is written, even if this one is killed. After a power cut only what is on the disk is
    there; the thread waits for the disk when no task is waiting for the thread.

    The thread calls ``read_progress`` before each write while a print runs, and ``on_loaded`` once, when the earlier
    runs are known.
    """

    def __init__(
        self,
        store: Store,
        version: str,
        logger: logging.Logger,
        on_loaded: Callable[[], None],
    ) -> None:
        self._store = store
        self._version = version
        self._logger = logger
        self._on_loaded = on_loaded
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # while the state is replaced, or the thread started
        self._state = State()
        self._read_progress: ReadProgress = lambda: None
        self._unwritten: list[Callable[[], None]] = []
        self._loaded = False
        self._refused = False  # the file is a later version's, and is not touched again
        self._stopped = threading.Event()  # the end of the last run is on the disk, or can't be brought there
        self._end_is_on_disk = False
        self._said: set[str] = set()

    @property
    def state(self) -> State:
        """The earlier runs and the current one, as of now."""
        return self._state

    @property
    def is_loaded(self) -> bool:
        """Whether the earlier runs have been read."""
        return self._loaded

    def begin(self, started: float, recorded_from: float, read_progress: ReadProgress) -> None:
        """Begin to record a run; both moments are by the boot clock. Returns at once, as all methods but `stop`."""
        self._enqueue(partial(self._begin, started, recorded_from, read_progress))

    def note(self, print_: Print | None) -> None:
        """Note the print that has started, paused or resumed, or None when it has ended."""
        self._enqueue(partial(self._note, print_))

    def end(self, how: str) -> None:
        """End the run, ``clean`` or ``off``; `begin` begins another."""
        self._enqueue(partial(self._end, how, clock.boot_clock()))

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """End the run cleanly, for good. Returns once the disk has its end, or can't have it, or after ``seconds``.

        Returns whether the disk has it. Nobody waits for what the thread does after that.
        """
        if self._thread is None:
            return True
        self._enqueue(partial(self._stop, clock.boot_clock()))
        self._tasks.put(None)
        return self._stopped.wait(seconds) and self._end_is_on_disk

    def dismiss(self, runs: Iterable[Run]) -> "Future[bool]":
        """Note that the notices about the ends of these runs were dismissed; the result is whether that is written."""
        dismissed = tuple(runs)
        ids = {run.id for run in dismissed}
        with self._lock:
            earlier = tuple(run._replace(dismissed=run.dismissed or run.id in ids) for run in self._state.earlier)
            self._state = self._state._replace(earlier=earlier)
        written: Future[bool] = Future()
        self._enqueue(partial(self._also_write, partial(self._store.dismiss, dismissed), written))
        return written

    def clear(self) -> "Future[bool]":
        """Forget all runs but the current one; the result is whether they are deleted."""
        self._forget_earlier()
        written: Future[bool] = Future()
        self._enqueue(partial(self._clear, written))
        return written

    def _forget_earlier(self) -> None:
        with self._lock:
            self._state = self._state._replace(earlier=())

    def _enqueue(self, task: Callable[[], object]) -> None:
        self._tasks.put(task)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="uptime restart log", daemon=True)
                self._thread.start()

    # All that follows is done by the thread.

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
        except Exception as error:  # whatever it is, the next event is to be recorded
            self._warn_once("The restart log could not record an event", error)

    def _next_task(self) -> Callable[[], object] | None:
        current = self._state.current
        if not (current or self._unwritten):
            return self._tasks.get()
        beat = PRINTING_HEARTBEAT_SECONDS if current and current.print else HEARTBEAT_SECONDS
        waited = 0.0
        while True:
            wait = min(beat - waited, CLOCK_CHECK_SECONDS)
            try:
                return self._tasks.get(timeout=wait)
            except queue.Empty:
                waited += wait
            # Without the new offset nobody would know after a power cut when the runs of this boot were.
            if waited >= beat or (current and abs(clock.boot_offset() - current.offset) > clock.JITTER_SECONDS):
                return self._write_and_load

    def _begin(self, started: float, recorded_from: float, read_progress: ReadProgress) -> None:
        self._read_progress = read_progress
        boot, offset = clock.boot_id(), clock.boot_offset()
        own = clock.has_own_boot_id()
        self._set_current(Run(0, boot, offset, started, recorded_from, started, self._version, None, None, False, own))
        self._write_and_load()

    def _note(self, print_: Print | None) -> None:
        current = self._state.current
        if current:
            print_ = print_ and _storable(print_)
            if current.print and print_ == current.print._replace(progress=None):
                print_ = current.print  # it was paused or resumed, and how far it was stays known
            self._set_current(current._replace(print=print_))
            self._write_and_load()

    def _end(self, how: str, moment: float) -> None:
        current = self._state.current
        if current:
            # The thread may have waited for the disk since that moment.
            current = self._with_progress(current)
            last_alive = max(moment, current.last_alive, _seen(current))
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
                run._replace(id=stored.id, boot=stored.boot) if run._replace(dismissed=False) == ended else run
                for run in self._state.earlier
            )
            self._state = self._state._replace(earlier=earlier)

    def _stop(self, moment: float) -> None:
        try:
            if self._state.current:
                self._end("clean", moment)
            else:
                self._succeeds(self._write)  # the end of a run that was switched off, perhaps
            self._end_is_on_disk = self._succeeds(self._store.sync) and not self._unwritten
        finally:
            self._stopped.set()
        self._store.close()

    def _clear(self, written: "Future[bool]") -> None:
        self._forget_earlier()  # again, since they may have been loaded only now
        current = self._state.current
        self._also_write(partial(self._store.clear, current.id if current else 0), written)

    def _also_write(self, write: Callable[[], None], written: "Future[bool]") -> None:
        if not self._refused:
            self._unwritten.append(write)
        written.set_result(self._write_and_load())

    def _write_and_load(self) -> bool:
        """Write what is not written yet, and load the earlier runs once; returns whether all is written."""
        current = self._state.current
        if current and not current.ended:
            # In this order: a print is seen while its run is alive.
            current = self._with_progress(current)
            self._set_current(current._replace(last_alive=clock.boot_clock()))
        written = self._succeeds(self._write)
        if written and self._state.current and not self._loaded and self._succeeds(self._load):
            self._loaded = True
            self._announce()
        return written

    def _announce(self) -> None:
        try:
            self._on_loaded()
        except Exception as error:
            self._warn_once("The last restart could not be announced", error)

    def _with_progress(self, run: Run) -> Run:
        print_ = run.print
        if print_:
            try:
                progress = self._read_progress()
            except Exception as error:
                self._warn_once("The progress of the print can't be read", error)
                progress = None
            print_ = print_._replace(progress=progress or print_.progress)
        return run._replace(offset=clock.boot_offset(), print=print_)

    def _write(self) -> None:
        while self._unwritten:
            self._unwritten[0]()
            del self._unwritten[0]
        if self._state.current:
            self._set_current(self._store.save(self._state.current))

    def _load(self) -> None:
        if self._state.current:
            earlier = self._store.before(self._state.current)
            with self._lock:
                self._state = self._state._replace(earlier=earlier)

    def _succeeds(self, step: Callable[[], None]) -> bool:
        """Whether this step succeeded; if not, says so, and lets go of the file until the next heartbeat."""
        if self._refused:
            return False
        try:
            step()
        except Exception as error:
            self._warn_once(f"The restart log can't be kept in {self._store}", error)
            self._refused = isinstance(error, LaterSchemaError)
            self._store.close()
            return False
        return True

    def _set_current(self, run: Run) -> None:
        with self._lock:
            self._state = self._state._replace(current=run)

    def _warn_once(self, what: str, error: Exception) -> None:
        level = logging.DEBUG if what in self._said else logging.WARNING
        self._said.add(what)
        self._logger.log(level, "%s: %r", what, error)


def _storable(print_: Print) -> Print:
    """The print with names that may be stored: a file's may hold what no text may."""
    path, origin = (name and name.encode("utf-8", "replace").decode() for name in (print_.path, print_.origin))
    return print_._replace(path=path or "", origin=origin)


def _seen(run: Run) -> float:
    """When the progress of the run's print was seen; 0 where it was not."""
    return (run.print and run.print.progress and run.print.progress.seen) or 0.0
