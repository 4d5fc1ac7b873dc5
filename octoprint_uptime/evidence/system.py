"""Read signs of trouble, and what identifies this process, from the operating system. Malformed values become None."""

import os
import re
from pathlib import Path

from .records import Process, Signs

PROC_VMSTAT = Path("/proc/vmstat")
PROC_MEMINFO = Path("/proc/meminfo")
PROC_COMM = Path("/proc/self/comm")
POWER_RESET = Path("/proc/device-tree/chosen/power/power_reset")


def counters() -> Signs:
    """Return the kernel's count of processes killed for lack of memory, and the available memory in bytes."""
    kills = re.search(rb"^oom_kill (\d{1,12})$", _read(PROC_VMSTAT), re.MULTILINE)
    memory = re.search(rb"^MemAvailable: +(\d{1,9}) kB$", _read(PROC_MEMINFO), re.MULTILINE)
    return Signs(int(kills[1]) if kills else None, int(memory[1]) * 1024 if memory else None)


def process() -> Process:
    """Return what identifies this process."""
    pid, invocation, register = os.getpid(), os.environ.get("INVOCATION_ID", ""), _read(POWER_RESET)
    # A shell in another unit passes on that unit's id. A user's systemd is not process 1, whose records are needed.
    is_own = os.environ.get("SYSTEMD_EXEC_PID") == str(pid) and "MANAGERPID" not in os.environ
    is_valid = is_own and re.fullmatch(r"[0-9a-f]{32}", invocation)
    power_reset = int.from_bytes(register, "big") if len(register) == 4 else None
    return Process(pid, invocation if is_valid else None, power_reset)


def command() -> str:
    """Return the name that the kernel gives this process."""
    return _read(PROC_COMM).decode("utf-8", "replace").removesuffix("\n")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
