"""The machine with its OctoPrints: starting them, asking them, and keeping the truth about them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import requests

from machine import Machine
from machine_image import CONTAINER, HOME, SHORT_FILE, SLOW_FILE
from octoprint_server import api_key
from octoprint_uptime.restart_log.recorder import CLOCK_CHECK_SECONDS
from octoprint_uptime.restart_log.trusted_clocks import EARLIEST
from truth import ON_DISK_SECONDS, TOLERANCE, Run, Span, Start, Told, Truth, WallClock

_ENDPOINT = "/api/plugin/octoprint_uptime"
_START_SECONDS = 180  # a loaded host emulates slowly
_TELL_SECONDS = 30
_FIRST_PORT, _CONTAINER_PORT = 5000, 5001

# Prints the machine's uptime and wall clock, and the start of the OctoPrint on this port in ticks after the boot.
_CLOCKS = (
    "until pid=$(pgrep --oldest --full '[-]-port={port}$'); do sleep 0.1; done; "
    "sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f20; cut -d' ' -f1 /proc/uptime; date +%s.%N"
)
_TICKS = 100


class OctoPrint:
    """An OctoPrint in the machine or in its container, by its API."""

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self.port = port
        self.truth: Truth | None = None
        self.told: list[Told] = []

    def ask(self, path: str, body: Any = None) -> Any:
        """The answer to a request; with a body it is a POST."""
        headers = {"X-Api-Key": api_key("admin")}
        method, url = ("GET" if body is None else "POST"), self._machine.url(self.port) + path
        response = requests.request(method, url, json=body, headers=headers, timeout=20)
        response.raise_for_status()
        return response.json() if response.content else None

    def restarts(self) -> list[Told]:
        """What its log tells, newest first."""
        found: list[Told] = self.ask(f"{_ENDPOINT}?restarts=1000")["restarts"]
        return found

    def wait_until_it_has_told(self) -> float:
        """Wait until it answers, and its log has told of the last restart; gives the moment when that was seen.

        A log that tells less than it should is no matter of patience: after a while this returns all the same.
        """
        expected = self.truth.restarts_next() if self.truth else 0
        self.until(self._answers, _START_SECONDS, "OctoPrint does not answer")
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

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or not self._machine.runs:
                raise self._machine.error(f"{what} after {seconds} s")
            time.sleep(0.3)

    def state(self) -> str:
        return str(self.ask("/api/job")["state"])

    def print_file(self, name: str) -> Span:
        """Connect the printer and start a print; gives when that began."""
        if self.state() != "Operational":
            # The virtual printer's memory, which does not connect once a power cut has left it half written.
            self._machine.run(f"rm -f /{{{HOME}/.octoprint,{CONTAINER}/octoprint}}/data/virtual_printer/eeprom.json")
            self.ask("/api/connection", {"command": "connect", "port": "VIRTUAL", "baudrate": 115200})
            self.until(lambda: self.state() == "Operational", 60, "the printer is not connected")
        return span(lambda: self._print(name))

    def _print(self, name: str) -> None:
        self.ask(f"/api/files/local/{name}", {"command": "select", "print": True})
        self.until(lambda: self.state().startswith("Printing"), 60, "it does not print")


class World:
    """A machine that is on, an OctoPrint in it, another in its container if that runs, and the truth about both."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.octoprint = OctoPrint(self.machine, _FIRST_PORT)
        self.in_container = OctoPrint(self.machine, _CONTAINER_PORT)
        self.wrong: list[str] = []
        self._boots = 0
        self._containers = 0
        self._clock = WallClock()
        self.switch_on()
        time.sleep(2 * ON_DISK_SECONDS)  # a first run has no restart to tell, and so does not show that it is recorded

    def switch_on(self, chip: float | None = None) -> None:
        """Start the machine and its OctoPrint, and check what is told; ``chip`` is what its clock chip says, if wrong.

        That is a moment of ours where the clock was restored from a file, or one that can't be.
        """
        self._boots += 1
        if chip is None:
            self._clock = WallClock()
            self.machine.switch_on()
        else:
            self._clock = WallClock(right=False, behind=time.time() - chip if chip >= EARLIEST else 0)
            self.machine.switch_on(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(chip)))
        self.begun(self.octoprint)

    def start_container(self) -> None:
        self._containers += 1
        self.machine.run("lxc-start -n c1")
        self.begun(self.in_container)

    def set_clock(self) -> None:
        """Set the machine's clock right, and check what is told then."""
        self.machine.run(f"date -s @{time.time():.2f}")
        self._clock = WallClock()
        assert self.octoprint.truth is not None
        self.octoprint.truth.clock_was_set(self._boots)
        self.check(self.octoprint)
        time.sleep(CLOCK_CHECK_SECONDS + ON_DISK_SECONDS)  # until a power cut can't take that away again

    def begun(self, octoprint: OctoPrint) -> None:
        """Wait for an OctoPrint that was started, and compare what it tells with the truth."""
        recorded = octoprint.wait_until_it_has_told()
        run = Run(self._start(octoprint), recorded)
        if octoprint.truth is None:
            octoprint.truth = Truth(run)
        else:
            octoprint.truth.runs.append(run)
        self.check(octoprint)

    def begun_unseen(self, octoprint: OctoPrint) -> None:
        """Add a run to the truth whose process is there and need not have got any further."""
        assert octoprint.truth is not None
        octoprint.truth.runs.append(Run(self._start(octoprint), recorded=math.inf))

    def check(self, octoprint: OctoPrint) -> None:
        """Compare what an OctoPrint tells now with the truth."""
        assert octoprint.truth is not None
        octoprint.told = octoprint.restarts()
        self.wrong += octoprint.truth.complaints(octoprint.told)

    def print_file(self, octoprint: OctoPrint) -> None:
        """Have it begin a print that goes on for long."""
        assert octoprint.truth is not None
        started = octoprint.print_file(SLOW_FILE)
        octoprint.truth.current = octoprint.truth.current.printing(SLOW_FILE, started)

    def print_whole_file(self, octoprint: OctoPrint) -> None:
        """Have it print a file to its end."""
        octoprint.print_file(SHORT_FILE)
        octoprint.until(lambda: octoprint.state() == "Operational", 120, "the print does not end")

    def _start(self, octoprint: OctoPrint) -> Start:
        self.machine.run("true")  # so that the connection is there
        before = time.time()
        ticks, uptime, wall_clock = map(float, self.machine.run(_CLOCKS.format(port=octoprint.port)).split())
        now = (before + time.time()) / 2
        if self._clock.right and abs(wall_clock - now) > TOLERANCE:
            raise self.machine.error(f"its clock is off by {wall_clock - now:.1f} s, so nothing can be compared")
        container = self._containers if octoprint is self.in_container else 0
        return Start(self._boots, now - uptime, self._clock, container, now - uptime + ticks / _TICKS)


def span(action: Callable[[], object]) -> Span:
    """When an action was done."""
    low = time.time()
    action()
    return Span(low, time.time())
