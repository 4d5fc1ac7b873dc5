"""A real OctoPrint on the loopback interface, for people (`make run`) and for the tests.

It uses only the standard library, so that it runs in OctoPrint's own virtual environment.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

# The servers listen only on loopback, so the hash has the lowest cost.
PASSWORD = "admin-secret"
_PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$6j3nfC8FIMS4915LyVnLGQ$SsdC9GGgBjphcB883bd/6WMyvP73ElQURzUTPGHkg/A"
_DISABLED_PLUGINS = {
    "announcements",
    "achievements",
    "corewizard",
    "discovery",
    "errortracking",
    "firmware_check",
    "health_check",
    "pi_support",
    "pluginmanager",
    "softwareupdate",
    "tracking",
}
_SERVER = {
    "firstRun": False,
    "ignoreIncompleteStartup": True,
    "onlineCheck": {"enabled": False},
    "pluginBlacklist": {"enabled": False},
    "pluginBlocklist": {"enabled": False},
    "pythonEolCheck": {"enabled": False},
}


def api_key(user: str) -> str:
    """Return the API key of a user that `Server.prepare` created."""
    return f"{user}-api-key-0123456789abcdef"


class Process(Protocol):
    pid: int
    returncode: Any

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = ...) -> int: ...


class Server:
    """One OctoPrint process with its own data folder."""

    more_config: Mapping[str, Any] = {}  # what `prepare` writes into config.yaml besides
    left_out = _DISABLED_PLUGINS  # OctoPrint's plugins that are disabled, except those that `prepare` enables

    def __init__(self, executable: Path, basedir: Path, port: int | None = None) -> None:
        self.executable = executable
        self.basedir = basedir
        self.port = port or free_port()
        self.process: Process | None = None
        self.ready_after = 0.0  # seconds

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        path = self.basedir / "logs" / "octoprint.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def prepare(
        self,
        users: Mapping[str, Mapping[str, Any]],
        groups: Mapping[str, Mapping[str, Any]] | None = None,
        plugins: Mapping[str, Any] | None = None,
        enable: Iterable[str] = (),
        disable: Iterable[str] = (),
    ) -> None:
        """Write a new data folder. The password of all ``users`` is `PASSWORD`.

        ``plugins`` maps plugins to their settings.

        Plugins that use the internet or open a dialog are disabled, except those in ``enable``. The plugins in
        ``disable`` are disabled, too.
        """
        self.basedir.mkdir(parents=True, exist_ok=True)
        disabled = sorted((self.left_out - set(enable)) | set(disable))
        all_plugins = {"_disabled": disabled, "virtual_printer": {"enabled": True}, **(plugins or {})}
        # JSON is YAML.
        self._write("config.yaml", {"server": _SERVER, "plugins": all_plugins, **self.more_config})
        self._write("users.yaml", {"_version": 2, **{name: _user(name, **more) for name, more in users.items()}})
        if groups:
            self._write("groups.yaml", {"_version": 2, "groups": groups})

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        (self.basedir / name).write_text(json.dumps(data, indent=2), encoding="utf-8")

    def start(self, wrapper: Iterable[str] = (), env: Mapping[str, str] | None = None, timeout: float = 90) -> None:
        """Start OctoPrint, with ``wrapper`` before its command, and wait until it responds."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))  # fails if another server uses the port
            except OSError as error:
                raise RuntimeError(f"port {self.port} can't be used: {error}") from error
        command = [str(self.executable), "serve", "--basedir", str(self.basedir)]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--iknowwhatimdoing")
        self.process = self._run([*wrapper], command, {**os.environ, **(env or {})})
        started = time.monotonic()
        while not self._answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"OctoPrint exited with {self.process.returncode}:\n{self._console()}")
            if time.monotonic() > started + timeout:
                self.kill()
                raise TimeoutError(f"OctoPrint did not respond within {timeout} s:\n{self._console()}")
            time.sleep(0.02)
        self.ready_after = time.monotonic() - started

    def _run(self, wrapper: list[str], command: list[str], env: dict[str, str]) -> Process:
        with open(self.basedir / "console.log", "ab") as console:
            return subprocess.Popen(
                [*wrapper, *command], stdout=console, stderr=console, env=env, start_new_session=True
            )

    def _console(self) -> str:
        return (self.basedir / "console.log").read_text(encoding="utf-8", errors="replace")[-5000:]

    def _answers(self) -> bool:
        try:
            # OctoPrint's intermediary server responds earlier, but doesn't have this file.
            with urllib.request.urlopen(f"{self.url}/online.txt", timeout=5) as response:
                return bool(response.status == 200)
        except (OSError, http.client.HTTPException):
            return False

    def skip_wizards(self) -> None:
        """Mark every wizard as seen, so that none covers the page."""
        seen = {"handled": list(self._ask("/api/setup/wizard"))}
        self._ask("/api/setup/wizard", json.dumps(seen).encode())

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        headers = {"X-Api-Key": api_key("admin"), "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or "null")

    def stop(self) -> None:
        """Stop OctoPrint with SIGTERM, as a service manager does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill OctoPrint with SIGKILL."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None


def _user(
    name: str, groups: Iterable[str] = ("users",), permissions: Iterable[str] = (), **more: Any
) -> dict[str, Any]:
    return {
        "active": True,
        "apikey": api_key(name),
        "groups": list(groups),
        "password": _PASSWORD_HASH,
        "permissions": list(permissions),
        "settings": {},
        **more,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description="Run OctoPrint with the plugin on this machine only.")
    parser.add_argument("--basedir", type=Path, required=True, help="where OctoPrint keeps its data")
    parser.add_argument("--port", type=int, default=5000)
    arguments = parser.parse_args()

    server = Server(Path(sys.executable).with_name("octoprint"), arguments.basedir, arguments.port)
    is_new = not (arguments.basedir / "config.yaml").exists()
    if is_new:
        server.prepare({"admin": {"groups": ["users", "admins"]}})
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT is ignored after `make run &`
        signal.signal(number, signal.default_int_handler)
    try:
        try:
            server.start()
        except (RuntimeError, TimeoutError) as error:
            sys.exit(str(error))
        if is_new:
            server.skip_wizards()
        print(f"OctoPrint is at {server.url}\nuser: admin\npassword: {PASSWORD}\nPress Ctrl-C to stop it.", flush=True)
        assert server.process is not None
        server.process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


if __name__ == "__main__":
    main()
