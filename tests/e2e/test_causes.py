"""Really crash, restart and update OctoPrint, and check who and what the log names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from fake_journal import FakeJournal
from recorded_runs import RECORDER, end, events, restarts, rows, system_info, until
from support import MakeServer, OctoPrint
from throttle_states import STATES

# Crashes in a thread of its own, or in a forked child that the server waits for.
BAD = """
import ctypes, os, threading
import flask
import octoprint.plugin

__plugin_name__ = "Bad"
__plugin_pythoncompat__ = ">=3"

def crash():
    ctypes.string_at(0)

class Bad(octoprint.plugin.SimpleApiPlugin):
    def is_api_protected(self):
        return True

    def get_api_commands(self):
        return {"thread": [], "child": []}

    def on_api_command(self, command, data):
        if command == "thread":
            threading.Thread(target=crash).start()
        else:
            child = os.fork()
            if not child:
                crash()
            return flask.jsonify(signal=os.WTERMSIG(os.waitpid(child, 0)[1]))

__plugin_implementation__ = Bad()
"""
NOT_ASKED = {"under_voltage_at": None, "journal": None}


def start_again(server: OctoPrint, how: str | None = None) -> dict[str, Any]:
    """Start the server again once it has ended, and return the restart, as the event and the API report it."""
    assert server.process is not None
    if how is None:
        server.process.wait(30)
    end(server, how or "killed")
    told = len(events(server))
    server.start()
    until(lambda: len(events(server)) > told)
    (restart,) = events(server)[told:]
    assert restart == restarts(server)[0] == server.answer()["last_restart"]
    assert {name: restart[name] for name in NOT_ASKED} == NOT_ASKED
    return restart


def cause(restart: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(restart[name] for name in ("cause", "cause_proven", "crashed_in"))


def command(server: OctoPrint, name: str) -> Any:
    response = server.session("admin").post(f"{server.url}/api/plugin/bad", json={"command": name})
    response.raise_for_status()
    return response.json() if response.content else None


@pytest.mark.each_octoprint
def test_causes_and_who_asked(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"recorder.py": RECORDER, "bad/__init__.py": BAD})
    until(lambda: rows(server))

    # A shutdown that was asked for may still turn out unexpected.
    commands = {"server": {"commands": {"serverRestartCommand": "true", "systemRebootCommand": "true"}}}
    server.session("admin").post(f"{server.url}/api/settings", json=commands).raise_for_status()
    ask(server, "admin", "restart").raise_for_status()
    assert ask(server, "viewer", "reboot").status_code == 403
    assert until(lambda: rows(server)[-1]["asked"]) == "restart"
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSEGV)
    restart = start_again(server)
    assert (restart["clean"], restart["asked_by"], *cause(restart)) == (False, "restart", "crashed", True, None)
    (warning,) = server.warnings()
    assert "Fatal Python error: Segmentation fault" in warning
    assert "octoprint/server/__init__.py" in warning, "the main thread's stack"

    with suppress(requests.ConnectionError):
        command(server, "thread")
    restart = start_again(server)
    assert (restart["asked_by"], *cause(restart)) == (None, "crashed", True, "bad")
    (warning,) = server.warnings()
    assert "plugins/bad/__init__.py" in warning
    assert system_info(server)[0] == "octoprint, unexpected shutdown (crashed in bad)"

    assert command(server, "child") == {"signal": signal.SIGSEGV}
    restart = start_again(server, "killed")
    assert (restart["clean"], *cause(restart)) == (False, None, None, None)
    assert server.warnings() == []


def ask(server: OctoPrint, user: str, name: str) -> requests.Response:
    return server.session(user).post(f"{server.url}/api/system/commands/core/{name}")


# Run OctoPrint as systemd does: the variables name its own process.
AS_UNIT = ["sh", "-c", 'unset MANAGERPID; SYSTEMD_EXEC_PID=$$ exec "$@"', "sh"]


def test_journal_is_asked_about_the_process_that_was_killed(make_server: MakeServer, tmp_path: Path) -> None:
    fake = FakeJournal(tmp_path / "bin")
    fake.says({"EXIT_CODE": "killed", "EXIT_STATUS": "9"}, {"UNIT_RESULT": "signal"})
    env = {"INVOCATION_ID": f"{1:032}", "PATH": f"{fake.folder}{os.pathsep}{os.environ['PATH']}"}
    server = make_server(AS_UNIT, env=env, extra_plugins={"recorder.py": RECORDER})
    until(lambda: rows(server))
    assert server.process is not None
    pid = server.process.pid
    end(server, "killed")
    server.start(AS_UNIT, env | {"INVOCATION_ID": f"{2:032}"})
    (restart,) = until(lambda: events(server))
    assert restart == restarts(server)[0]
    assert (*cause(restart), restart["journal"]) == ("killed", True, None, "found")
    (call,) = fake.calls
    assert {f"INVOCATION_ID={1:032}", "_PID=1"} < set(call)
    assert any(rf"Killed process {pid} \(octoprint\)" in argument for argument in call)


@pytest.mark.each_octoprint
def test_pi_support_reports_what_the_unit_tests_expect(octoprint_environment: Path) -> None:
    """Call its class, since the plugin itself loads only on a Raspberry Pi."""
    lines = ["import json, sys", "from octoprint_pi_support import ThrottleState"]
    lines += ["print(json.dumps([ThrottleState.from_value(value).as_dict() for value in json.loads(sys.argv[1])]))"]
    program = [str(octoprint_environment / "bin" / "python"), "-c", "\n".join(lines), json.dumps([*STATES])]
    run = subprocess.run(program, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [*STATES.values()]
