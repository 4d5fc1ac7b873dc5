"""Test the file for crashes with processes that really crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octoprint_uptime.evidence import crash

# Defines what a crashing process does, and runs the statements of a test.
START = """
import ctypes, faulthandler, os, signal, sys, threading
from pathlib import Path
from octoprint_uptime.evidence import crash

folder = Path(sys.argv[1])
crash.watch(folder, 7)
"""
NULL = "ctypes.string_at(0)"
SEGFAULT = "Fatal Python error: Segmentation fault\n"


def run(folder: Path, code: str) -> int:
    """Return the status of a process, which is negative if a signal ended it."""
    script = folder / "badplugin.py"
    script.write_text(START + code)
    return subprocess.run(
        [sys.executable, "-W", "error", script, folder], cwd="/", stdin=subprocess.DEVNULL, timeout=60, check=False
    ).returncode


def crash_file(folder: Path, run_id: int = 7) -> Path:
    return folder / f"crash-{run_id}.txt"


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (NULL, -11, "Segmentation fault"),
        ("os.abort()", -6, "Aborted"),
        ("os.kill(os.getpid(), signal.SIGBUS)", -7, "Bus error"),
        (f"thread = threading.Thread(target=lambda: {NULL}); thread.start(); thread.join()", -11, "Segmentation fault"),
    ],
)
def test_crash_leaves_its_stack(tmp_path: Path, code: str, status: int, error: str) -> None:
    assert run(tmp_path, code) == status
    stack = crash.read(tmp_path, 7, 8)
    assert stack.startswith(f"Fatal Python error: {error}\n")
    assert "badplugin.py" in stack
    assert crash.plugin_in(stack, {"bad": str(tmp_path / "badplugin.py")}) == "bad"


@pytest.mark.parametrize(
    ("code", "status"),
    [("", 0), ("sys.exit(3)", 3), ("os._exit(3)", 3), ("os.kill(os.getpid(), signal.SIGKILL)", -9)],
)
def test_other_ends_leave_an_empty_file(tmp_path: Path, code: str, status: int) -> None:
    assert run(tmp_path, code) == status
    assert crash_file(tmp_path).read_bytes() == b""
    assert crash.read(tmp_path, 7, 8) == ""


@pytest.mark.parametrize("child", [NULL, "os.abort()"])
def test_crash_of_a_forked_child_is_not_ours(tmp_path: Path, child: str) -> None:
    """The parent's own crash is still written."""
    fork = f"pid = os.fork()\nif not pid: {child}\nassert os.WIFSIGNALED(os.waitpid(pid, 0)[1])\n"
    assert run(tmp_path, fork) == 0
    assert crash.read(tmp_path, 7, 8) == ""
    assert run(tmp_path, fork + NULL) == -11
    assert crash.read(tmp_path, 7, 8).startswith(SEGFAULT)


def test_forked_child_keeps_somebody_elses_handler(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.txt"
    lines = [
        f"file = open({str(theirs)!r}, 'w')",
        "faulthandler.enable(file)",
        f"pid = os.fork()\nif not pid: {NULL}",
        "os.waitpid(pid, 0)",
    ]
    # Our file is closed when theirs replaces it.
    assert run(tmp_path, "import warnings; warnings.simplefilter('ignore')\n" + "\n".join(lines)) == 0
    assert theirs.read_text().startswith(SEGFAULT)
    assert crash.read(tmp_path, 7, 8) == ""


def test_somebody_elses_handler_is_left_alone(tmp_path: Path) -> None:
    lines = ["crash.release()", "faulthandler.enable()", "crash.watch(folder, 8)", "crash.release()"]
    lines += ["assert faulthandler.is_enabled()", "assert not list(folder.glob('crash-*'))"]
    assert run(tmp_path, "\n".join(lines)) == 0


def test_release_gives_faulthandler_back(tmp_path: Path) -> None:
    lines = ["assert faulthandler.is_enabled()", "crash.release()", "crash.release()"]
    lines += ["assert not faulthandler.is_enabled()", "assert not list(folder.glob('crash-*'))"]
    assert run(tmp_path, "\n".join(lines)) == 0
    # The ids start again if the log's file was deleted.
    assert run(tmp_path, f"crash.release()\ncrash.watch(folder, 7)\n{NULL}") == -11
    assert crash.read(tmp_path, 7, 8).startswith(SEGFAULT)


def test_next_run_gets_its_own_file(tmp_path: Path) -> None:
    assert run(tmp_path, f"crash.watch(folder, 7)\ncrash.release()\ncrash.watch(folder, 8)\n{NULL}") == -11
    assert not crash_file(tmp_path).exists()
    assert crash.read(tmp_path, 8, 9).startswith(SEGFAULT)
    # The log's file may be replaced while OctoPrint runs.
    assert run(tmp_path, f"crash.watch(folder, 9)\n{NULL}") == -11
    assert crash_file(tmp_path, 9).read_text().startswith(SEGFAULT)


def test_failed_attempt_to_watch_is_repeated(tmp_path: Path) -> None:
    code = f"""
import contextlib, ctypes
folder = Path({str(tmp_path / "later")!r})
with contextlib.suppress(OSError):
    crash.watch(folder, 7)
folder.mkdir()
crash.watch(folder, 7)
ctypes.string_at(0)
"""
    assert run(tmp_path, code) == -11
    assert crash_file(tmp_path / "later").read_text().startswith("Fatal Python error: Segmentation fault")


def test_only_the_files_of_the_previous_and_the_current_run_are_kept(tmp_path: Path) -> None:
    for number in (1, 3, 7, 8, 70):
        crash_file(tmp_path, number).write_text(SEGFAULT)
    assert crash.read(tmp_path, 7, 8) == SEGFAULT
    assert {path.name for path in tmp_path.iterdir()} == {"crash-7.txt", "crash-8.txt"}


@pytest.mark.parametrize("text", ["", "Windows fatal exception: access violation\n", f"x{SEGFAULT}", "\0" * 99])
def test_other_texts_are_no_crash(tmp_path: Path, text: str) -> None:
    crash_file(tmp_path).write_text(text)
    assert crash.read(tmp_path, 7, 8) == ""


def test_file_that_can_not_be_read_is_no_crash(tmp_path: Path) -> None:
    crash_file(tmp_path).mkdir()
    crash_file(tmp_path, 3).mkdir()
    assert crash.read(tmp_path, 7, 8) == ""
    assert crash.read(tmp_path / "none", 7, 8) == ""


PLUGINS = {
    "virtual_printer": "/oprint/octoprint/plugins/virtual_printer",
    "bad": "/oprint/octoprint_bad",
    "single": "/home/pi/.octoprint/plugins/single.py",
    "umlaut": "/home/j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg/umlaut",
}


def stack(*files: str) -> str:
    lines = [f'  File "{file}", line 5 in work\n' for file in files]
    return f"{SEGFAULT}\nStack (most recent call first):\n{''.join(lines)}"


@pytest.mark.parametrize(
    ("files", "plugin"),
    [
        (["/usr/lib/python3.11/ctypes/__init__.py", "/oprint/octoprint_bad/deep/lib.py", "/usr/lib/x.py"], "bad"),
        (["/oprint/octoprint/plugins/virtual_printer/__init__.py", "/oprint/octoprint_bad/x.py"], "virtual_printer"),
        (["/home/pi/.octoprint/plugins/single.py"], "single"),
        (["/home/j\\xf6rg/umlaut/__init__.py"], "umlaut"),
        (["/oprint/octoprint/server/__init__.py", "/usr/lib/python3.11/threading.py"], None),
        (["/oprint/octoprint_badly/__init__.py", "/oprint/octoprint_bad.py"], None),
        ([], None),
    ],
)
def test_plugin_is_the_one_whose_code_was_running(files: list[str], plugin: str | None) -> None:
    assert crash.plugin_in(stack(*files), PLUGINS) == plugin


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(), st.text(), st.dictionaries(st.text(), st.text()))
def test_any_file_is_read(tmp_path: Path, garbage: bytes, text: str, plugins: dict[str, str]) -> None:
    crash_file(tmp_path).write_bytes(SEGFAULT.encode() + garbage)
    assert crash.read(tmp_path, 7, 8).startswith(SEGFAULT)
    crash.plugin_in(crash.read(tmp_path, 7, 8), plugins)
    crash.plugin_in(stack(text, *plugins.values()), plugins)
    crash_file(tmp_path).write_bytes(garbage)
    crash.read(tmp_path, 7, 8)
