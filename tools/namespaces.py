"""Command prefixes that give a process tree its own view of the system. They need root or user namespaces."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from system import libfaketime


def _unshare(*options: str) -> list[str]:
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *user, *options]


def with_files(files: Mapping[str, Path]) -> list[str]:
    """Return a prefix that replaces the files at these paths, using bind mounts."""
    mounts = " && ".join(f"mount --bind {shlex.quote(str(file))} {path}" for path, file in files.items())
    return [*_unshare("--mount"), "sh", "-c", f'{mounts} && exec "$@"', "sh"]


def without_proc() -> list[str]:
    """Return a prefix that empties /proc."""
    return [*_unshare("--mount"), "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]


def on_small_disk(folder: Path, size: str, read_only: bool = False) -> list[str]:
    """Return a prefix that replaces a folder with a copy on an in-memory disk of this size."""
    path = shlex.quote(str(folder))
    mounts = (
        f"cd {path} && mount -t tmpfs -o size={size} none {path} && cp -a . {path}"
        + (f" && mount -o remount,ro {path}" if read_only else "")
        + " && cd /"
    )
    return [*_unshare("--mount"), "sh", "-c", f'{mounts} && exec "$@"', "sh"]


def with_slow_disk(seconds: float) -> list[str]:
    """Return a prefix that delays each sync to disk by ``seconds``."""
    delay = f"inject=fsync,fdatasync:delay_enter={int(seconds * 1_000_000)}"
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync", "-e", delay]


def with_boot_clock(seconds: int) -> list[str]:
    """Return a prefix that adds ``seconds`` to the host's uptime, using a time namespace."""
    return _unshare("--time", "--boottime", str(seconds), "--fork")


def with_wall_clock(folder: Path, cached: bool = False) -> tuple[dict[str, str], Callable[[str], None]]:
    """Return an environment that shifts a process's wall clock, and a function that sets the offset.

    The function takes an offset such as ``+365d``. Every reading of the clock reads a file, which makes a server
    several times slower. With ``cached`` the file is read once a second, and the function waits for that.
    """
    folder.mkdir()
    # libfaketime 0.9.10 breaks time.sleep in Python 3.11 and later if it doesn't fake the monotonic clock.
    (folder / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
    )
    offset = folder / "offset"
    offset.write_text("+0")
    environment = {
        "LD_PRELOAD": str(libfaketime()),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        **({"FAKETIME_CACHE_DURATION": "1"} if cached else {"FAKETIME_NO_CACHE": "1"}),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(folder),
    }

    def set_offset(text: str) -> None:
        new = folder / "new"
        new.write_text(text)
        new.replace(offset)
        if cached:
            time.sleep(2.1)  # libfaketime compares whole seconds

    return environment, set_offset
