"""Have Python's faulthandler write the stack trace of a native crash into a file, and read it at the next start."""

import contextlib
import faulthandler
import os
import re
import sys
import weakref
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path, PurePath

_FATAL = "Fatal Python error: "  # on Windows the file may also have errors that were handled
_ABORTED = _FATAL + "Aborted"
_MOST_BYTES = 20_000

_path: Path | None = None  # the file of the current run
# The open file, while faulthandler uses it. Only faulthandler keeps it alive, so if other code enables it with another
# file, this becomes None.
_file: Callable[[], FileIO | None] = lambda: None  # noqa: E731 # a weak reference later


def watch(folder: Path, run_id: int) -> None:
    """Have Python write a stack trace to a file if this process crashes, unless other code has enabled faulthandler.

    Raises `OSError` if the file can't be written. Does nothing if called again for the same run.
    """
    global _path, _file
    path = _path_of(folder, run_id)
    if path != _path:
        _disable()
        if not faulthandler.is_enabled():
            file = FileIO(path, "w")
            # With all threads, at most a hundred stacks are written, and the crashed thread's might be missing.
            faulthandler.enable(file, all_threads=False)
            _file = weakref.ref(file)
        _path = path


def release() -> None:
    """Stop using faulthandler, and delete the file."""
    global _path
    _disable()
    if _path:
        _path.unlink(missing_ok=True)
        _path = None


def read(folder: Path, run_id: int, current_id: int) -> str:
    """Return the stack trace of this run's crash, or an empty string.

    Delete the files of all runs except this one and the current one.
    """
    path = _path_of(folder, run_id)
    with contextlib.suppress(OSError):
        for other in set(folder.glob("crash-*.txt")) - {path, _path_of(folder, current_id)}:
            other.unlink()
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    return text if text.startswith(_FATAL) else ""


def was_aborted(stack: str) -> bool:
    """Return whether SIGABRT ended the process. The process or, if a stop takes too long, systemd may have sent it."""
    return stack.startswith(_ABORTED)


def plugin_in(stack: str, locations: Mapping[str, str]) -> str | None:
    """Return the identifier of the plugin whose code was running, given each plugin's file or folder."""
    # The stack has only ASCII, and begins with the most recent call.
    plugins = {PurePath(place.encode("ascii", "backslashreplace").decode()): key for key, place in locations.items()}
    files = map(PurePath, re.findall(r'^  File "(.*)", line ', stack, re.MULTILINE))
    return next((plugins[path] for file in files for path in (file, *file.parents) if path in plugins), None)


def _path_of(folder: Path, run_id: int) -> Path:
    return folder / f"crash-{run_id}.txt"


def _disable() -> None:
    file = _file()
    if file:
        faulthandler.disable()
        file.close()


# A forked child would write into the same file while OctoPrint lives on. The hook can't be removed, so
# register it only once.
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_disable)
