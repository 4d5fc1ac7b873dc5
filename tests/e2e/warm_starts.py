"""Start OctoPrint by forking a process that has already imported it: the import takes most of the time of a start.

OctoPrint still runs its own `main`, and loads its plugins, in a process of its own.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path

WAITING = """
import gc, json, os, signal, sys
import octoprint, octoprint.cli.server, octoprint.server

gc.freeze()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects the children
for line in sys.stdin:
    arguments, environment, console = json.loads(line)
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for path, flags, targets in (os.devnull, os.O_RDONLY, [0]), (console, os.O_WRONLY | os.O_APPEND, [1, 2]):
        for target in targets:
            os.dup2(os.open(path, flags), target)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    sys.exit(octoprint.main())
"""


class Forked:
    """A forked server, with the methods of `subprocess.Popen` that are used. Nobody learns how it exited."""

    returncode = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._end: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._end = None

    def poll(self) -> int | None:
        """Return None while it runs."""
        return 0 if self._ended_within(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        if not self._ended_within(timeout):
            raise subprocess.TimeoutExpired("octoprint", timeout or 0)
        return 0

    def _ended_within(self, timeout: float | None) -> bool:
        if self._end is not None and select.select([self._end], [], [], timeout)[0]:
            os.close(self._end)
            self._end = None
        return self._end is None


class WarmStarts:
    """Processes that have imported an OctoPrint and wait, one for each OctoPrint and prefix of its command."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], subprocess.Popen[str]] = {}

    def start(self, prefix: tuple[str, ...], command: list[str], env: Mapping[str, str], console: Path) -> Forked:
        python = str(Path(command[0]).with_name("python"))
        key = (*prefix, python)
        if key not in self._waiting:
            self._waiting[key] = subprocess.Popen(
                [*key, "-c", WAITING],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd="/",  # not in the folder with the package's source
            )
        process = self._waiting[key]
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps([command, dict(env), str(console)]), file=process.stdin, flush=True)
        return Forked(int(process.stdout.readline()))

    def end(self) -> None:
        for process in self._waiting.values():
            process.communicate()
