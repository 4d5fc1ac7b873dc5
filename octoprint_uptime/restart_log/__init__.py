"""The restart log: which runs of OctoPrint there were, and what restarted between them."""

import logging
from collections.abc import Callable, Iterator
from concurrent import futures
from itertools import islice
from math import inf
from pathlib import Path
from typing import NamedTuple

from .. import clock
from .recorder import STOP_SECONDS, Recorder
from .records import Print, Progress, Restart, Run, Unrecorded
from .restarts import recorded_since, restarts, unrecorded
from .store import RUNS_KEPT, Store

__all__ = ["RUNS_KEPT", "News", "Print", "Progress", "Restart", "RestartLog", "Unrecorded"]

_NEWS_FROM = 50  # of the newest restarts, which `news` looks at


class News(NamedTuple):
    """The newest restart, and the one that the notice is about, since nobody has dismissed it; None without one.

    ``unseen_ends`` counts all ends without warning that nobody has dismissed, ``unseen_lost_prints`` what they cost;
    both are 0 where ``unseen`` is None.
    ``recorded_since`` is when the oldest run that is known began to be recorded, in seconds since 1970.
    """

    last: Restart | None = None
    unseen: Restart | None = None
    unseen_ends: int = 0
    unseen_lost_prints: int = 0
    recorded_since: float | None = None


class RestartLog:
    """Records the runs of OctoPrint, and tells the restarts between them.

    ``on_restart`` is called with the restart that led to the current run, if any, once the log knows of it.
    ``read_progress`` says how far the print is. Both are called in a thread of the log's own.
    """

    def __init__(
        self,
        path: Path,
        version: str,
        logger: logging.Logger,
        on_restart: Callable[[Restart], None],
        read_progress: Callable[[], Progress | None],
    ) -> None:
        self._recorder = Recorder(Store(path, logger), version, logger, read_progress, self._on_loaded)
        self._on_restart = on_restart
        self._known_news: tuple[object, News] = (None, News())

    def begin(self, started: float, recorded_from: float) -> None:
        """Begin to record the current run; both moments are by the boot clock. Returns at once."""
        self._recorder.begin(started, recorded_from)

    def printing(self, print_: Print | None) -> None:
        """Note the print that has started, paused or resumed, or None when it has ended. Returns at once."""
        self._recorder.note(print_)

    def switch_off(self) -> None:
        """Stop recording until `begin`; the restarts so far stay known. Returns at once."""
        self._recorder.end("off")

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """End the run cleanly, for good; says whether that is on the disk, after ``seconds`` at most."""
        return self._recorder.stop(seconds)

    def dismiss(self, restart_id: int, seconds: float = STOP_SECONDS) -> bool:
        """Note that the notices about this restart and those before it were dismissed; ignores an unknown one.

        Everybody sees that at once. Says whether it is written, too, after ``seconds`` at most.
        """
        earlier = self._recorder.state.earlier
        known = any(run.id == restart_id for run in earlier)
        found = [run for run in earlier if known and run.id <= restart_id and not run.dismissed]
        return not found or _is_done(self._recorder.dismiss(found), seconds)

    def clear(self, seconds: float = STOP_SECONDS) -> bool:
        """Forget every run but the current one, at once; says whether they are deleted, after ``seconds`` at most."""
        return _is_done(self._recorder.clear(), seconds)

    def restarts(self, days: int | None = None) -> Iterator[Restart]:
        """The restarts, newest first, by the wall clock as it is set now.

        With ``days`` those after which OctoPrint started within so many times 24 hours, or nobody knows when.
        """
        oldest = -inf if days is None else clock.boot_offset() + clock.boot_clock() - days * 86400
        return (found for found in restarts(self._runs()) if found.started is None or found.started >= oldest)

    def unrecorded(self) -> Iterator[Unrecorded]:
        """When the log was off since the first run that is known, newest first."""
        return unrecorded(self._runs())

    def _runs(self) -> tuple[Run, ...]:
        earlier, current = self._recorder.state
        if current is None:
            return earlier
        # The clock may have been set since the runs of this boot were recorded.
        offset = clock.boot_offset()
        runs = (*earlier, current)
        return tuple(run._replace(offset=offset) if run.boot == current.boot else run for run in runs)

    def news(self) -> News:
        """The newest restart, and of the newest fifty the last end without warning that nobody has dismissed.

        If some of these ends cost a print, the newest of those is taken instead. All of it is worked out only when it
        may have changed.
        """
        earlier, current = self._recorder.state
        basis = (earlier, current and current.id, clock.boot_offset())
        known, news = self._known_news
        if known != basis:
            newest = list(islice(self.restarts(), _NEWS_FROM))
            unseen = [restart for restart in newest if not (restart.clean or restart.dismissed)]
            costly = [restart for restart in unseen if restart.lost_print]
            runs = self._runs()
            unseen_runs = [run for run in runs[:-1] if unseen and not (run.ended or run.dismissed)]
            news = News(
                last=next(iter(newest), None),
                unseen=next(iter(costly + unseen), None),
                unseen_ends=len(unseen_runs),
                unseen_lost_prints=sum(run.print is not None and run.print.streamed for run in unseen_runs),
                recorded_since=recorded_since(runs),
            )
            self._known_news = (basis, news)
        return news

    def _on_loaded(self) -> None:
        # After a run that ended because the log was switched off, the last restart is an older one, already announced.
        # The runs are read first, because somebody may clear the log in between.
        before, last = self._recorder.state.earlier[-1:], self.news().last
        if last and last.id == before[0].id:
            self._on_restart(last)


def _is_done(task: "futures.Future[bool]", seconds: float) -> bool:
    try:
        return task.result(seconds)
    except futures.TimeoutError:
        return False
