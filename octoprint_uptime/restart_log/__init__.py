"""The restart log: which runs of OctoPrint there were, and what restarted between them."""

import logging
from collections.abc import Callable
from concurrent import futures
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from .. import clock
from .history import History
from .recorder import STOP_SECONDS, ReadProgress, Recorder
from .records import Figures, Period, Print, Progress, Restart, Run, Span, Unrecorded
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
    "Unrecorded",
]

_NEWS_FROM = 50  # of the newest restarts, which `news` looks at


class News(NamedTuple):
    """What each answer reports of restarts.

    ``last`` is the newest restart, ``unseen`` the one that the notice is about, since nobody has dismissed it; both
    are None without one. ``unseen_shutdowns`` counts all unexpected shutdowns that nobody has dismissed, and
    ``unseen_lost_prints`` the prints lost with them; both are 0 if ``unseen`` is None. ``recorded_since`` is when the
    oldest run began to be recorded, in seconds since 1970.
    """

    last: Restart | None = None
    unseen: Restart | None = None
    unseen_shutdowns: int = 0
    unseen_lost_prints: int = 0
    recorded_since: float | None = None


class RestartLog:
    """Records the runs of OctoPrint, and knows what happened between them.

    ``on_restart`` is called with the restart that led to the current run, if any, once the log has read it. It is
    called in the log's own thread.
    """

    def __init__(
        self,
        path: Path,
        version: str,
        logger: logging.Logger,
        on_restart: Callable[[Restart], None],
    ) -> None:
        self._recorder = Recorder(Store(path, logger), version, logger, self._on_loaded)
        self._on_restart = on_restart
        self._known_news: tuple[object, News] = (None, News())

    def begin(self, started: float, recorded_from: float, read_progress: ReadProgress) -> None:
        """Begin to record the current run; both moments are by the boot clock. Returns at once.

        While a print runs, the log's thread calls ``read_progress`` before each write.
        """
        self._recorder.begin(started, recorded_from, read_progress)

    def printing(self, print_: Print | None) -> None:
        """Note the print that has started, paused or resumed, or None when it has ended. Returns at once."""
        self._recorder.note(print_)

    def switch_off(self) -> None:
        """Stop recording until `begin`; the restarts so far stay known. Returns at once."""
        self._recorder.end("off")

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """End the run cleanly, for good; return whether that is on the disk, after at most ``seconds``."""
        return self._recorder.stop(seconds)

    def dismiss(self, restart_id: int, seconds: float = STOP_SECONDS) -> bool:
        """Dismiss the notices about this restart and those before it, for everybody; ignore an unknown one.

        That takes effect at once. Return whether it is written, too, after at most ``seconds``.
        """
        earlier = self._recorder.state.earlier
        known = any(run.id == restart_id for run in earlier)
        found = [run for run in earlier if known and run.id <= restart_id and not run.dismissed]
        return not found or _is_done(self._recorder.dismiss(found), seconds)

    def clear(self, seconds: float = STOP_SECONDS) -> bool:
        """Forget every run but the current one, at once; return whether they are deleted, after at most ``seconds``."""
        return _is_done(self._recorder.clear(), seconds)

    @property
    def is_read(self) -> bool:
        """Whether the earlier runs have been read from the disk."""
        return self._recorder.is_loaded

    def history(self) -> History:
        """Return what the runs so far show, by the wall clock as it is set now."""
        return self._history_of(self._runs())

    def _history_of(self, runs: tuple[Run, ...]) -> History:
        return History(runs, clock.boot_offset() + clock.boot_clock())

    def _runs(self) -> tuple[Run, ...]:
        earlier, current = self._recorder.state
        if current is None:
            return earlier
        if current.ended is None:
            current = current._replace(last_alive=max(current.last_alive, clock.boot_clock()))
        # The clock may have been set since the runs of this boot were recorded.
        offset = clock.boot_offset()
        runs = (*earlier, current)
        return tuple(run._replace(offset=offset) if run.boot == current.boot else run for run in runs)

    def news(self) -> News:
        """Return the news, whose notice is about the last unexpected shutdown of the newest fifty restarts.

        If some of these lost a print, it is about the newest of those instead. The news are worked out only when they
        may have changed.
        """
        earlier, current = self._recorder.state
        basis = (earlier, current and current.id, clock.boot_offset())
        known, news = self._known_news
        if known != basis:
            runs = self._runs()
            history = self._history_of(runs)
            newest = list(islice(history.restarts(), _NEWS_FROM))
            unseen = [restart for restart in newest if not (restart.clean or restart.dismissed)]
            costly = [restart for restart in unseen if restart.lost_print]
            unseen_runs = [run for run in runs[:-1] if unseen and not (run.ended or run.dismissed)]
            news = News(
                last=next(iter(newest), None),
                unseen=next(iter(costly + unseen), None),
                unseen_shutdowns=len(unseen_runs),
                unseen_lost_prints=sum(run.print is not None and run.print.streamed for run in unseen_runs),
                recorded_since=history.recorded_since,
            )
            self._known_news = (basis, news)
        return news

    def _on_loaded(self) -> None:
        # After a run that ended because the log was switched off, the last restart is an older one, already announced.
        # Read the runs first, because somebody may clear the log in between.
        before, last = self._recorder.state.earlier[-1:], self.news().last
        if last and last.id == before[0].id:
            self._on_restart(last)


def _is_done(task: "futures.Future[bool]", seconds: float) -> bool:
    try:
        return task.result(seconds)
    except futures.TimeoutError:
        return False
