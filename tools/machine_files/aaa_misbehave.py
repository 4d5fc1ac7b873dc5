"""Do what bad plugins do: take all memory, crash, exit, or keep OctoPrint from shutting down."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import octoprint.plugin

__plugin_name__ = "Misbehave"
__plugin_pythoncompat__ = ">=3"

# Take memory until the kernel kills the process.
_TAKE_MEMORY = "taken = []\nwhile True: taken.append(bytearray(b'x' * 4_000_000))"
_ACTIONS: dict[str, Callable[[], object]] = {
    "take_memory": lambda: exec(_TAKE_MEMORY),
    "take_memory_in_a_child": lambda: subprocess.run([sys.executable, "-c", _TAKE_MEMORY]),
    "read_a_null_pointer": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "hang": lambda: time.sleep(600),
}


class Misbehave(octoprint.plugin.SimpleApiPlugin, octoprint.plugin.ShutdownPlugin):
    """Do what the API asks for, in a thread and after the answer."""

    def get_api_commands(self) -> dict[str, list[str]]:
        return {command: [] for command in _ACTIONS}

    def is_api_protected(self) -> bool:
        return True

    def on_api_command(self, command: str, _data: object) -> None:
        thread = threading.Timer(0.5, _ACTIONS[command])
        # Python waits for threads that are no daemons before it ends.
        thread.daemon = command != "hang"
        thread.start()

    def on_shutdown(self) -> None:
        """Hang, if /run/hang exists, until the service manager kills OctoPrint."""
        if os.path.exists("/run/hang"):
            time.sleep(60)


__plugin_implementation__ = Misbehave()
