"""The restart log, which records the runs of OctoPrint and the restarts between them."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

from .. import clock
from ..evidence.records import Signs
from ..readings import JITTER_SECONDS
from . import folder
from .examiner import Examiner
from .history import History
from .recorder import STOP_SECONDS, ReadPrint, ReadSigns, Recorder
from .records import Figures, Period, Print, Progress, Restart, Run, Span, Totals, Unrecorded
from .store import RUNS_KEPT, Store

__all__ = [
    "RUNS_KEPT",
    "Figures",
    "History",
    "News",
    "Period",
    "Print",
    "Progress",
    "Restart",
    "RestartLog",
    "Span",
    "Totals",
    "Unrecorded",
]


class News(NamedTuple):
    """What every API response says about restarts.

    ``last`` is the newest restart, and ``unseen`` is the undismissed one that the notice is about. Each is None if
    there is none. ``unseen_shutdowns`` counts the undismissed unexpected shutdowns, and ``unseen_lost_prints`` the
    undismissed lost prints, including those lost in clean shutdowns. Both are 0 if ``unseen`` is None.
    ``printed_since`` is true if there was or may have been a print after ``unseen``. ``recorded_since`` is when
    recording began in the oldest run whose clock is trusted, in seconds since 1970. ``totals`` is None until the log
    has been read.
    """

    last: Restart | None = None
    unseen: Restart | None = None
    unseen_shutdowns: int = 0
    unseen_lost_prints: int = 0
    recorded_since: float | None = None
    printed_since: bool = False
    totals: Totals | None = None


class RestartLog:
    """A log of OctoPrint's runs and of what happened between them.

    Once the log has read the earlier runs, it calls ``on_restart`` with the restart that led to the current run, if
    any. It makes this call as soon as the search for the cause is over, 20 seconds have passed, or `announce` is
    called. The call may come from any thread. ``plugins`` returns the file or folder of each plugin, to name the one
    that crashed.
    """

    def __init__(
        self,
        path: Path,
        version: str,
        logger: logging.Logger,
        on_restart: Callable[[Restart], None],
        plugins: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._recorder = Recorder(Store(path, logger), version, logger, self._on_loaded, self._on_written)
        self._examiner = Examiner(path.parent, self._recorder, plugins, logger)
        self._unannounced: deque[Restart] = deque()  # the thread that takes it announces it
        self._path = path
        self._logger = logger
        self._survives_reboot: bool | None = None
        self._on_restart = on_restart
        self._first_offset = clock.boot_offset()
        self._known_news: tuple[object, News] = (None, News())

    def begin(self, started: float, recorded_from: float, read_print: ReadPrint, read_signs: ReadSigns = Signs) -> None:
        """Start to record the current run. Both times are boot-clock times. Returns immediately.

        The log's thread calls ``read_print`` and ``read_signs`` before each write. The former returns the print that is
        running or paused.
        """
        self._recorder.begin(started, recorded_from, read_print, read_signs)

    def update(self, only_if_changed: bool = False, printed: bool = False) -> None:
        """Record the current print. Returns immediately.

        With ``only_if_changed``, do so only if there is something new to write, such as a different print. With
        ``printed``, also record that there was a print in this run; it may be over already.
        """
        self._recorder.update(only_if_changed, printed)

    def switch_off(self) -> None:
        """Stop recording until the next `begin`, but keep what has been recorded. Returns immediately."""
        self._recorder.end("off")
        self.announce()

    def announce(self) -> None:
        """Announce the last restart now if it is still waiting for its cause.

        Call this before OctoPrint's Shutdown event, because OctoPrint delivers no events after it.
        """
        try:
            restart = self._unannounced.pop()
        except IndexError:
            return
        last = self.news().last
        self._on_restart(last if last and last.id == restart.id else restart)

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Record a clean shutdown and stop. Wait up to ``seconds``, and return whether that has reached the disk."""
        is_on_disk = self._recorder.stop(seconds)
        self.announce()
        return is_on_disk

    def dismiss(self, restart_id: int, seconds: float = STOP_SECONDS) -> bool:
        """Dismiss the notices about this restart and all earlier ones, for everybody. Ignore an unknown id.

        Takes effect immediately. Wait up to ``seconds``, and return whether the change has also been written.
        """
        earlier = self._recorder.state.earlier
        known = any(run.id == restart_id and run.precedes_restart for run in earlier)
        found = [run for run in earlier if known and run.id <= restart_id and not run.dismissed]
        return not found or _is_done(self._recorder.dismiss(found), seconds)

    def clear(self, seconds: float = STOP_SECONDS) -> bool:
        """Delete all runs except the current one.

        Takes effect immediately. Wait up to ``seconds``, and return whether the change has also been written.
        """
        return _is_done(self._recorder.clear(), seconds)

    @property
    def is_read(self) -> bool:
        """Whether the earlier runs have been read from the disk."""
        return self._recorder.is_loaded

    @property
    def survives_reboot(self) -> bool | None:
        """Whether the log is still there after the host reboots. None until the earlier runs have been read."""
        return self._survives_reboot

    @property
    def is_pending(self) -> bool:
        """Whether the first attempt to read the earlier runs isn't over yet."""
        return not self._recorder.has_tried

    def history(self) -> History:
        """Return the history of the runs so far, by the current wall clock."""
        return self._history_of(self._runs())

    def _history_of(self, runs: tuple[Run, ...]) -> History:
        offset = clock.boot_offset()
        # A clock that was set during this run is more reliable than the one that the host started with.
        was_set = abs(offset - self._first_offset) > JITTER_SECONDS
        return History(runs, offset + clock.boot_clock(), was_set or clock.is_synchronized())

    def _runs(self) -> tuple[Run, ...]:
        earlier, current = self._recorder.state
        if current is None:
            return earlier
        if current.ended is None:
            current = current._replace(last_alive=max(current.last_alive, clock.boot_clock()))
        # The wall clock may have been changed since the earlier runs of this boot were recorded.
        offset = clock.boot_offset()
        runs = (*earlier, current)
        return tuple(run._replace(offset=offset) if run.boot == current.boot else run for run in runs)

    def news(self) -> News:
        """Return the news.

        The notice is about the newest undismissed lost print, or else the newest undismissed unexpected shutdown. The
        news is recomputed only if it may have changed, and at each heartbeat: by then, a time that was in the future
        may have passed, or the clock may have been synchronized.
        """
        basis = (*self._recorder.state, self.is_read, clock.boot_offset())
        known, news = self._known_news
        if known != basis:
            runs = self._runs()
            history = self._history_of(runs)
            unseen = [run for run in runs[:-1] if run.precedes_restart and not run.dismissed]
            lost = [run for run in unseen if run.print and run.print.streamed]
            unexpected = [run for run in unseen if run.unexpected]
            shown = next(reversed(lost or unexpected), None)
            news = News(
                last=next(history.restarts(), None),
                unseen=history.restart_after(shown) if shown else None,
                unseen_shutdowns=len(unexpected),
                unseen_lost_prints=len(lost),
                recorded_since=history.recorded_since,
                printed_since=shown is not None and _printed_since(runs, shown),
                totals=_totals(runs) if self.is_read else None,
            )
            self._known_news = (basis, news)
        return news

    def _on_written(self, run: Run) -> None:
        self._examiner.watch(run)

    def _on_loaded(self) -> None:
        self._survives_reboot = folder.survives_reboot(self._path.parent)
        if not self._survives_reboot:
            self._logger.info("A reboot of the host resets the restart log, because %s is in memory", self._path.parent)
        # If the last run ended because the log was switched off, the last restart is an older one, which has already
        # been announced. Read the runs first, because somebody may clear the log in between.
        (earlier, current), last = self._recorder.state, self.news().last
        if not (earlier and current):
            return
        if last and last.id == earlier[-1].id:
            self._unannounced.append(last)
        self._examiner.examine(earlier, current, self.announce)


def _totals(runs: tuple[Run, ...]) -> Totals | None:
    """Return the totals of the newest run; None if it isn't stored yet."""
    return next((run.totals for run in runs[-1:] if run.id), None)


def _printed_since(runs: tuple[Run, ...], earlier: Run) -> bool:
    """Return whether a run after this one had a print, or may have had one while the log was off."""
    later = runs[runs.index(earlier) + 1 :]
    return any(run.printed or run.ended == "off" or run.recorded_from > run.started for run in later)


def _is_done(task: "futures.Future[bool]", seconds: float) -> bool:
    try:
        return task.result(seconds)
    except futures.TimeoutError:
        return False
