"""The one thread that records the current run, so that nobody else waits for a disk."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from .. import clock
from .records import Print, Progress, Run
from .store import LaterSchemaError, Store

HEARTBEAT_SECONDS = 300.0
STOP_SECONDS = 0.025  # half of the 50 ms by which a shutdown may be delayed


class State(NamedTuple):
    """The runs that are known: an immutable value that is replaced whole, so that anybody may read it at any time."""

    earlier: tuple[Run, ...] = ()  # oldest first
    current: Run | None = None


class Recorder:
    """Records the current run, in memory at once and in the store by a thread of its own.

    The thread writes at each event and each `HEARTBEAT_SECONDS`. What can't be written is logged once and tried
    again at the next heartbeat. The thread calls ``read_progress`` before each write while a print runs, and
    ``on_loaded`` once, when the earlier runs are known.
    """

    def __init__(
        self,
        store: Store,
        version: str,
        logger: logging.Logger,
        read_progress: Callable[[], Progress | None],
        on_loaded: Callable[[], None],
    ) -> None:
        self._store = store
        self._version = version
        self._logger = logger
        self._read_progress = read_progress
        self._on_loaded = on_loaded
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._replacing = threading.Lock()  # while a new state is made of the old one
        self._state = State()
        self._unwritten: list[Callable[[], None]] = []
        self._loaded = self._refused = False
        self._said: set[str] = set()

    @property
    def state(self) -> State:
        """The earlier runs and the current one, as of now."""
        return self._state

    def begin(self, started: float, recorded_from: float) -> None:
        """Begin to record a run; both moments are by the boot clock. Returns at once, as all methods but `stop`."""
        self._do(partial(self._begin, started, recorded_from))

    def note(self, print_: Print | None) -> None:
        """Note the print that has started, paused or resumed, or None when it has ended."""
        self._do(partial(self._note, print_))

    def end(self, how: str) -> None:
        """End the run, ``clean`` or ``off``; `begin` begins another."""
        self._do(partial(self._end, how))

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the run cleanly, and then the thread; waits at most so many seconds for that."""
        if self._thread:
            self.end("clean")
            self._tasks.put(None)
            self._thread.join(seconds)

    def dismiss(self, runs: Iterable[Run]) -> None:
        """Note that the notices about the ends of these runs were dismissed."""
        dismissed = tuple(runs)
        ids = {run.id for run in dismissed}
        with self._replacing:
            earlier = tuple(run._replace(dismissed=run.dismissed or run.id in ids) for run in self._state.earlier)
            self._state = self._state._replace(earlier=earlier)
        self._do(partial(self._change, partial(self._store.dismiss, dismissed)))

    def clear(self) -> None:
        """Forget all runs but the current one."""
        self._forget_earlier()
        self._do(self._clear)

    def _forget_earlier(self) -> None:
        with self._replacing:
            self._state = self._state._replace(earlier=())

    def _do(self, task: Callable[[], None]) -> None:
        self._tasks.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="uptime restart log", daemon=True)
            self._thread.start()

    # All that follows is done by the thread.

    def _work(self) -> None:
        for task in iter(self._next_task, None):
            self._perform(task)

    def _perform(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Exception as error:  # whatever it is, the next event is to be recorded
            self._say_once("The restart log could not record an event", error)

    def _next_task(self) -> Callable[[], None] | None:
        try:
            return self._tasks.get(timeout=HEARTBEAT_SECONDS if self._state.current else None)
        except queue.Empty:
            return self._save

    def _begin(self, started: float, recorded_from: float) -> None:
        boot, offset = clock.boot_id(), clock.boot_offset()
        self._set_current(Run(0, boot, offset, started, recorded_from, started, self._version, None, None, False))
        self._save()

    def _note(self, print_: Print | None) -> None:
        current = self._state.current
        if current:
            print_ = print_ and _storable(print_)
            if current.print and print_ == current.print._replace(progress=None):
                print_ = current.print  # it was paused or resumed, and how far it was stays known
            self._set_current(current._replace(print=print_))
            self._save()

    def _end(self, how: str) -> None:
        if self._state.current:
            self._set_current(self._state.current._replace(ended=how))
            self._save()
            with self._replacing:
                earlier, ended = self._state
                self._state = State((*earlier, ended) if ended else earlier)
        self._store.close()

    def _clear(self) -> None:
        self._forget_earlier()  # again, since they may have been loaded only now
        current = self._state.current
        self._change(partial(self._store.clear, current.id if current else 0))

    def _change(self, write: Callable[[], None]) -> None:
        if not self._refused:
            self._unwritten.append(write)
        self._save()
        if not self._state.current:
            self._store.close()

    def _save(self) -> None:
        if self._state.current:
            self._set_current(self._alive(self._state.current))
        if self._tried(self._write) and self._state.current and not self._loaded and self._tried(self._load):
            self._loaded = True
            self._tell()

    def _tell(self) -> None:
        try:
            self._on_loaded()
        except Exception as error:
            self._say_once("The last restart can't be told", error)

    def _alive(self, run: Run) -> Run:
        print_ = run.print
        if print_:
            try:
                progress = self._read_progress()
            except Exception as error:
                self._say_once("The progress of the print can't be read", error)
                progress = None
            print_ = print_._replace(progress=progress or print_.progress)
        return run._replace(last_alive=clock.boot_clock(), offset=clock.boot_offset(), print=print_)

    def _write(self) -> None:
        while self._unwritten:
            self._unwritten[0]()
            del self._unwritten[0]
        if self._state.current:
            self._set_current(self._store.save(self._state.current))

    def _load(self) -> None:
        if self._state.current:
            earlier = self._store.before(self._state.current)
            with self._replacing:
                self._state = self._state._replace(earlier=earlier)

    def _tried(self, step: Callable[[], None]) -> bool:
        """Whether this step succeeded; if not, says so, and lets go of the file until the next heartbeat."""
        if self._refused:
            return False
        try:
            step()
        except Exception as error:
            self._say_once(f"The restart log can't be kept in {self._store}", error)
            self._refused = isinstance(error, LaterSchemaError)
            self._store.close()
            return False
        return True

    def _set_current(self, run: Run) -> None:
        with self._replacing:
            self._state = self._state._replace(current=run)

    def _say_once(self, what: str, error: Exception) -> None:
        level = logging.DEBUG if what in self._said else logging.WARNING
        self._said.add(what)
        self._logger.log(level, "%s: %r", what, error)


def _storable(print_: Print) -> Print:
    """The print with a path that may be stored: a file's name may hold what no text may."""
    return print_._replace(path=print_.path.encode("utf-8", "replace").decode())
