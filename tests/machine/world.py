"""Start the machine and its OctoPrints, ask them, and record what really happened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import requests

from machine import Machine, Setup
from machine_image import CONTAINER, HOME, SHORT_FILE, SLOW_FILE
from octoprint_server import api_key
from octoprint_uptime.restart_log.recorder import CLOCK_CHECK_SECONDS
from octoprint_uptime.restart_log.trusted_clocks import EARLIEST
from truth import ON_DISK_SECONDS, TOLERANCE, Run, Span, Start, Told, Truth, WallClock

_ENDPOINT = "/api/plugin/octoprint_uptime"
_START_SECONDS = 600  # emulation is slow on a busy host
_TELL_SECONDS = 60
_EXPLAIN_SECONDS = 60  # two calls of journalctl, each up to ten seconds long, and a margin
_FIRST_PORT, _CONTAINER_PORT = 5000, 5001

# Prints the start of the OctoPrint on this port in ticks after boot, and the machine's uptime and wall clock.
_CLOCKS = (
    "until pid=$(pgrep --oldest --full '[-]-port={port}$'); do sleep 0.1; done; "
    "sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f20; cut -d' ' -f1 /proc/uptime; date +%s.%N"
)
_TICKS = 100
_CLOCK_TRIALS = 5  # on a busy host, a response that took long does not tell the time


class OctoPrint:
    """Use the API of an OctoPrint on the machine or in its container."""

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self.port = port
        self.truth: Truth | None = None
        self.told: list[Told] = []

    def ask(self, path: str, body: Any = None) -> Any:
        """Send a GET, or a POST if there is a body, and return the response."""
        headers = {"X-Api-Key": api_key("admin")}
        method, url = ("GET" if body is None else "POST"), self._machine.url(self.port) + path
        response = requests.request(method, url, json=body, headers=headers, timeout=20)
        response.raise_for_status()
        return response.json() if response.content else None

    def restarts(self) -> list[Told]:
        """Return the restarts in its log, newest first."""
        found: list[Told] = self.ask(f"{_ENDPOINT}?restarts=1000")["restarts"]
        return found

    def unseen_lost_prints(self) -> int:
        """Return how many lost prints nobody has dismissed."""
        return int(self.ask(_ENDPOINT)["unseen_lost_prints"])

    def wait_until_it_has_told(self) -> float:
        """Wait until OctoPrint responds and its log has the last restart. Return the time of that.

        If the log lacks a restart, stop waiting after a while.
        """
        expected = self.truth.restarts_next() if self.truth else 0
        self.until(self._answers, _START_SECONDS, "OctoPrint does not respond")
        deadline = time.monotonic() + _TELL_SECONDS
        while len(self.told) < expected and time.monotonic() < deadline:
            time.sleep(0.3)
            self.told = self.restarts()
        return time.time()

    def _answers(self) -> bool:
        try:
            self.told = self.restarts()
        except (requests.RequestException, KeyError, ValueError):
            return False
        return True

    def answers_in_safe_mode(self) -> bool:
        try:
            return self.ask("/api/server")["safemode"] is not None
        except (requests.RequestException, KeyError, ValueError):
            return False

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or not self._machine.runs:
                raise self._machine.error(f"{what} after {seconds} s")
            time.sleep(0.3)

    def state(self) -> str:
        return str(self.ask("/api/job")["state"])

    def print_file(self, name: str) -> Span:
        """Connect the printer, start a print, and return when it started."""
        if self.state() != "Operational":
            # Delete the virtual printer's memory: a half-written one after a power cut prevents the connection.
            self._machine.run(f"rm -f /{{{HOME}/.octoprint,{CONTAINER}/octoprint}}/data/virtual_printer/eeprom.json")
            self.ask("/api/connection", {"command": "connect", "port": "VIRTUAL", "baudrate": 115200})
            self.until(lambda: self.state() == "Operational", 60, "the printer is not connected")
        return span(lambda: self._print(name))

    def _print(self, name: str) -> None:
        self.ask(f"/api/files/local/{name}", {"command": "select", "print": True})
        self.until(lambda: self.state().startswith("Printing"), 60, "the print does not start")


class World:
    """Keep a running machine, its OctoPrint, another one in its container, and what really happened to both."""

    def __init__(self, machine: Machine, setup: Setup) -> None:
        self.machine = machine
        self.octoprint = OctoPrint(self.machine, _FIRST_PORT)
        self.in_container = OctoPrint(self.machine, _CONTAINER_PORT)
        self.wrong: list[str] = []
        self.setup = setup  # from the next time it is switched on
        self._boots = 0
        self._containers = 0
        self._clock = WallClock()
        self.switch_on()
        time.sleep(2 * ON_DISK_SECONDS)  # the first run has no restart that would show when it is on the disk

    def switch_on(self, chip: float | None = None) -> None:
        """Start the machine and its OctoPrint, and check the log. ``chip`` is the time of a wrong clock chip.

        If it is older than systemd, systemd sets the clock to its own date at the start.
        """
        self._boots += 1
        if chip is None:
            self._clock = WallClock()
            self.machine.switch_on(self.setup)
        else:
            self._clock = WallClock(right=False)
            self.machine.switch_on(self.setup, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(chip)))
        self.begun(self.octoprint)

    def start_container(self) -> None:
        self._containers += 1
        self.machine.run("lxc-start -n c1")
        self.begun(self.in_container)

    def set_clock(self) -> None:
        """Set the machine's clock right, and check the log."""
        self.machine.run(f"date -s @{time.time():.2f}")
        self._clock = WallClock()
        assert self.octoprint.truth is not None
        self.octoprint.truth.clock_was_set(self._boots)
        self.check(self.octoprint)
        time.sleep(CLOCK_CHECK_SECONDS + ON_DISK_SECONDS)  # until it is on the disk

    def begun(self, octoprint: OctoPrint) -> None:
        """Wait for an OctoPrint that was started, and check its log."""
        recorded = octoprint.wait_until_it_has_told()
        run = Run(self._start(octoprint), recorded)
        if octoprint.truth is None:
            octoprint.truth = Truth(run)
        else:
            octoprint.truth.runs.append(run)
        self.check(octoprint)

    def begun_unseen(self, octoprint: OctoPrint) -> None:
        """Record a run whose process has started, and may not have got any further."""
        assert octoprint.truth is not None
        octoprint.truth.runs.append(Run(self._start(octoprint), recorded=math.inf))

    def check(self, octoprint: OctoPrint) -> None:
        """Compare the log of an OctoPrint with what really happened."""
        assert octoprint.truth is not None
        deadline = time.monotonic() + _EXPLAIN_SECONDS
        octoprint.told = octoprint.restarts()
        while not octoprint.truth.is_explained(octoprint.told) and time.monotonic() < deadline:
            time.sleep(0.5)
            octoprint.told = octoprint.restarts()
        self.wrong += octoprint.truth.complaints(octoprint.told)
        lost, unseen = sum(told["lost_print"] is not None for told in octoprint.told), octoprint.unseen_lost_prints()
        if lost != unseen:  # nobody dismisses them here
            self.wrong.append(f"{lost} prints were lost, and the log counts {unseen} that nobody has dismissed")

    def print_file(self, octoprint: OctoPrint) -> None:
        """Start a long print."""
        assert octoprint.truth is not None
        started = octoprint.print_file(SLOW_FILE)
        octoprint.truth.current = octoprint.truth.current.printing(SLOW_FILE, started)

    def print_whole_file(self, octoprint: OctoPrint) -> None:
        """Print a whole file."""
        octoprint.print_file(SHORT_FILE)
        octoprint.until(lambda: octoprint.state() == "Operational", 120, "the print does not end")

    def _start(self, octoprint: OctoPrint) -> Start:
        for _ in range(_CLOCK_TRIALS):  # the first one opens the connection, and may wait for the process
            asked = time.time()
            ticks, uptime, wall_clock = map(float, self.machine.run(_CLOCKS.format(port=octoprint.port)).split())
            now = (asked + time.time()) / 2
            if now - asked < TOLERANCE / 4:
                break
        if not self._clock.right:
            self._clock = WallClock(right=False, behind=now - wall_clock if wall_clock >= EARLIEST else 0)
        elif abs(wall_clock - now) > TOLERANCE:
            raise self.machine.error(f"the machine's clock is off by {wall_clock - now:.1f} s")
        container = self._containers if octoprint is self.in_container else 0
        return Start(self._boots, now - uptime, self._clock, container, now - uptime + ticks / _TICKS)


def span(action: Callable[[], object]) -> Span:
    """Do something, and return when."""
    low = time.time()
    action()
    return Span(low, time.time())
