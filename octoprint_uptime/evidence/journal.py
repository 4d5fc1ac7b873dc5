"""Find out from systemd's journal how a run of OctoPrint ended. The only file that runs another program."""

import json
import re
import subprocess
from collections.abc import Iterator
from subprocess import DEVNULL
from typing import Any

from .records import Answer, Process

TIMEOUT_SECONDS = 10.0  # for each of at most two calls


def ask(process: Process, boot: str, command: str) -> Answer:
    """Return what the journal has about this process in this boot. Takes up to twice `TIMEOUT_SECONDS`.

    ``command`` is the name that the kernel gives the process. Never raises.
    """
    # The name guards against another process with the same id, as in a container.
    kill = rf"Killed process {process.pid} \({re.escape(command)}\)"
    boot_id = f"_BOOT_ID={boot.replace('-', '')}"
    unit = ("_PID=1", f"INVOCATION_ID={process.invocation}")
    fields = "--output-fields=MESSAGE,EXIT_CODE,EXIT_STATUS,UNIT_RESULT"
    grep = f"--grep=Main process exited|Failed with result|{kill}"
    output, is_whole = _run("--lines=20", fields, grep, *unit, "+", "_TRANSPORT=kernel", boot_id, "PRIORITY=3")
    answer = answer_from(output, kill)
    # The absence of a record means something only if the journal can be read, and reaches back to that boot.
    if answer.journal is None:
        can_see = is_whole and any(_records(_run("--lines=1", "--output-fields=_PID", "_PID=1", boot_id)[0]))
        answer = Answer("nothing_found" if can_see else "unavailable")
    return answer


def answer_from(output: bytes, kill: str) -> Answer:
    """Return what these lines of JSON say. ``kill`` matches the kernel's message.

    ``journal`` is None if they contain no record.
    """
    answer = Answer()
    for record in _records(output):
        fields = ("MESSAGE", "EXIT_CODE", "EXIT_STATUS", "UNIT_RESULT")
        message, code, status, result = (_text(record.get(name)) for name in fields)
        if re.search(kill, message):
            answer = answer._replace(journal="found", killed_for_memory=True)
        elif code and re.fullmatch(r"[0-9]{1,3}", status):
            answer = answer._replace(journal="found", exit_code=code, exit_status=int(status))
        elif result:
            answer = answer._replace(journal="found", unit_result=result)
    return answer


def _run(*arguments: str) -> tuple[bytes, bool]:
    """Return the output of journalctl, and whether it is complete.

    If ``--grep`` finds nothing, the return code is 1, as after an error, but there is no message.
    """
    command = ("journalctl", "--quiet", "--no-pager", "--output=json", *arguments)
    try:
        # No shell is involved.
        run = subprocess.run(command, stdin=DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", False
    except (OSError, ValueError, subprocess.SubprocessError):
        return b"", False
    return run.stdout, run.returncode == 0 or (run.returncode == 1 and not run.stderr)


def _records(output: bytes) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


def _text(value: object) -> str:
    """Return the text of a field. The journal returns values that aren't text as a list of bytes."""
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
