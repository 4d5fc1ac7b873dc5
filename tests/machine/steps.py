"""The steps that the ends have in common: print, stop OctoPrint or the machine, and record what really happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from machine import Setup
from truth import NOTHING_FOUND, ON_DISK_SECONDS, Run, Span, Why
from world import OctoPrint, World, span

SETTLED_SECONDS = ON_DISK_SECONDS + 3  # after this time everything is on the disk
_OFF_SECONDS = 120  # the machine switches itself off within this time
_DROP_INS = "/run/systemd/system/octoprint.service.d"


class End(NamedTuple):
    """Describe one shutdown or crash. ``printing`` is what the printer does, and ``moment`` is from 0 to 1."""

    number: int
    kind: str
    printing: str
    moment: float
    variant: str

    def __str__(self) -> str:
        words = (f"{self.number:03}", self.kind, self.variant, self.printing, f"{self.moment:.2f}")
        return "-".join(word.replace(" ", "_") for word in words if word)


def prepare(world: World, octoprint: OctoPrint, end: End) -> None:
    """Start a print, or print a whole file, as ``end`` says."""
    if end.printing == "printing":
        world.print_file(octoprint)
    elif end.printing == "printed":
        world.print_whole_file(octoprint)


def set_up(world: World, setup: Setup) -> None:
    """Start the machine anew with this setup, unless it has it already."""
    if world.setup != setup:
        world.setup = setup
        shut_down(world, "systemctl poweroff")


def set_ended(octoprint: OctoPrint, end: Callable[[Run], Run]) -> None:
    assert octoprint.truth is not None
    octoprint.truth.current = end(octoprint.truth.current)


def shut_down(world: World, command: str) -> None:
    """Shut the machine down in order, and switch it on again."""
    ended = span(lambda: switch_off(world, command))
    set_ended(world.octoprint, lambda run: run.end(ended, True, Why()))
    world.switch_on()


def switch_off(world: World, command: str) -> None:
    world.machine.run_last(command)
    world.machine.wait_until_off(_OFF_SECONDS)


def end_with_the_machine(world: World, action: Callable[[], object]) -> Span:
    ended = span(action)
    set_ended(world.octoprint, lambda run: run.end_with_the_machine(ended))
    return ended


def cut_power(world: World, after: float) -> None:
    time.sleep(after)
    end_with_the_machine(world, world.machine.cut_power)
    world.switch_on()


def systemctl(world: World, what: str) -> None:
    world.machine.run(f"systemctl {what} octoprint")


def restart(world: World, why: Why = NOTHING_FOUND) -> None:
    """Restart OctoPrint with systemctl, which is a clean shutdown that nobody asked OctoPrint for."""
    ended = span(lambda: systemctl(world, "restart"))
    set_ended(world.octoprint, lambda run: run.end(ended, True, why))
    world.begun(world.octoprint)


def start(world: World) -> None:
    """Start OctoPrint again after its unit has ended, and keep it until its log is on the disk."""
    systemctl(world, "start")
    world.begun(world.octoprint)
    time.sleep(ON_DISK_SECONDS)


@contextmanager
def drop_in(world: World, lines: str) -> Iterator[None]:
    """Add lines to the service section of OctoPrint's unit for a while. A reboot removes them, too."""
    path, text = f"{_DROP_INS}/test.conf", f"[Service]\\n{lines}\\n"
    world.machine.run(f"mkdir -p {_DROP_INS}; printf '{text}' > {path}; systemctl daemon-reload")
    yield
    world.machine.run(f"rm -f {path}; systemctl daemon-reload")
