"""A store in a process that is killed at each SQL statement in turn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Does something with one copy of a folder after another, killed one SQL statement later each time, until it is not
# killed.
_SCRIPT = """
import itertools, logging, os, pathlib, shutil, signal, sqlite3, sys
from octoprint_uptime.evidence.records import Found
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.restart_log.store import Store

connect = sqlite3.connect
NEW = Run(0, "b", 1772366400.0, 50.0, 50.0, 80.0, "1.11.8", None, None, False)
FIRST = NEW._replace(id=1, boot="a")

def work_and_be_killed_at(number, folder):
    statements = itertools.count(1)
    def kill(statement):
        if next(statements) == number:
            os.kill(os.getpid(), signal.SIGKILL)
    def traced(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_trace_callback(kill)
        return connection
    sqlite3.connect = traced
    store = Store(folder / "restart_log.db", logging.getLogger())
    {work}

original, copies = map(pathlib.Path, sys.argv[1:])
for number in itertools.count(1):
    copy = copies / str(number)
    shutil.copytree(original, copy)
    process = os.fork()
    if not process:
        work_and_be_killed_at(number, copy)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    if not status:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
"""


def kill_at_each_statement(work: str, original: Path, copies: Path) -> None:
    """Do ``work``, a line of Python, with the ``store`` of each copy of a folder, which this puts into ``copies``.

    The line can use ``NEW``, a run that is not stored yet, and ``FIRST``, the run with the id 1.
    """
    command = [sys.executable, "-W", "error", "-c", _SCRIPT.replace("{work}", work), str(original), str(copies)]
    subprocess.run(command, check=True, cwd="/")
