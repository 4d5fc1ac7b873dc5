"""Find out why earlier runs ended, once the log has read them."""

import logging
import threading
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

from ..evidence import crash, journal, system
from ..evidence.causes import Evidence, cause
from ..evidence.records import Found
from .recorder import Recorder
from .records import Run

RUNS_ASKED = 5
WAIT_SECONDS = 20.0  # how long to wait for the journal before announcing the restart without a cause


class Examiner:
    """Examines each run that stopped unexpectedly.

    If only OctoPrint restarted, it also examines a run that was stopped from outside OctoPrint.

    It looks first at the traces that the run left, and then, in a thread, at systemd's journal.

    ``plugins`` returns the file or folder of each plugin.
    """

    def __init__(
        self, folder: Path, recorder: Recorder, plugins: Callable[[], Mapping[str, str]], logger: logging.Logger
    ) -> None:
        self._folder = folder
        self._recorder = recorder
        self._plugins = plugins
        self._logger = logger

    def watch(self, run: Run) -> None:
        """Have a crash in this run leave a stack trace or, if the log is off, stop using faulthandler."""
        if run.ended == "off":
            crash.release()
        elif run.id:
            crash.watch(self._folder, run.id)

    def examine(self, earlier: tuple[Run, ...], current: Run, then: Callable[[], None]) -> None:
        """Examine the ``earlier`` runs that are due.

        ``then`` may be called several times, first when the newest run has been examined, or after `WAIT_SECONDS` at
        the latest.
        """
        previous = earlier[-1]
        stack = crash.read(self._folder, previous.id, current.id)
        if stack:
            self._logger.warning("OctoPrint's previous run crashed:\n%s", stack)
        questions = []
        for run, following in reversed([pair for pair in pairwise((*earlier, current)) if _is_due(*pair)]):
            gap, is_clean = following.started - run.last_alive, run.ended == "clean"
            evidence = Evidence(is_clean, run.boot == following.boot, gap, run.signs, run.process.power_reset)
            if run is previous:
                # Only the current run still has the signs from its start. Those of earlier runs were updated since.
                evidence = evidence._replace(
                    # If the disk or the setting delayed the log, its signs were read long after the start.
                    gap=max(gap, current.last_alive - current.started),
                    next_signs=current.signs,
                    next_power_reset=current.process.power_reset,
                    fatal_error=bool(stack),
                )
            crashed_in = crash.plugin_in(stack, self._plugins()) if evidence.fatal_error else None
            found = _found(evidence, crashed_in)
            if run.process.invocation and (not found.proven or crash.was_aborted(stack)):
                questions.append((run, evidence, crashed_in))
            elif run is previous:
                self._recorder.note(run, found, then)
        if not _is_due(previous, current):
            then()
        elif questions and questions[0][0] is previous:
            timer = threading.Timer(WAIT_SECONDS, then)
            timer.daemon = True
            timer.start()
        if questions:
            threading.Thread(target=self._ask, args=(questions[:RUNS_ASKED], then), daemon=True).start()

    def _ask(self, questions: list[tuple[Run, Evidence, str | None]], then: Callable[[], None]) -> None:
        command = system.command()
        for run, evidence, crashed_in in questions:
            answer = journal.ask(run.process, run.boot, command)
            self._recorder.note(run, _found(evidence._replace(answer=answer), crashed_in), then)


def _found(evidence: Evidence, crashed_in: str | None) -> Found:
    name, proven = cause(evidence)
    return Found(name, proven, crashed_in if name == "crashed" else None, evidence.answer.journal)


def _is_due(run: Run, following: Run) -> bool:
    """Return whether this run still has to be examined.

    This is the case if it stopped unexpectedly, or was stopped from outside OctoPrint and the next run is in the same
    boot.
    """
    if run.found or run.ended == "off":
        return False
    return run.ended is None or (run.boot == following.boot and run.asked_by is None)
