"""Let OctoPrint die in ways whose cause can be known, or ask it to shut down, and keep a record of both."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import requests

from machine import Setup
from steps import SETTLED_SECONDS, End, drop_in, prepare, restart, set_ended, start
from truth import NO_CAUSE, UNAVAILABLE, Span, Why
from world import World, span

_JOURNAL_SECONDS = 75  # after this time the machine's disk has the journal
_PLUGIN = "aaa_misbehave"
_LITTLE_MEMORY = Setup(memory=640)
_NO_CONTROLLER = Setup(memory=640, words="cgroup_disable=memory")  # as on Raspberry Pi OS
_VOLATILE = "machine.volatile_journal"


class Death(NamedTuple):
    """Describe a way in which OctoPrint dies, and what the log must report then.

    - ``started``: if OctoPrint is started again.
    - ``cut``: if the power is cut some time later.
    - ``volatile``: the same, if the journal is kept in memory.

    ``unit`` has lines for OctoPrint's unit.
    """

    strike: Callable[[World], object]
    started: Why
    cut: Why
    volatile: Why
    setup: Setup = Setup()
    unit: str = ""
    clean: bool = False


def _misbehave(command: str) -> Callable[[World], object]:
    return lambda world: world.octoprint.ask(f"/api/plugin/{_PLUGIN}", {"command": command})


def _run_out_of_memory(command: str) -> Callable[[World], object]:
    def strike(world: World) -> None:
        # Keep what was used in the last second, or kill. Otherwise, a slow machine that is short of memory reads its
        # programs from the disk again and again for minutes.
        world.machine.run("cd /sys/kernel/mm/lru_gen; echo y > enabled; echo 1000 > min_ttl_ms")
        _misbehave(command)(world)

    return strike


def _kill(signal: str) -> Callable[[World], object]:
    return lambda world: world.machine.run(f"systemctl kill -s {signal} octoprint")


def _hang(world: World) -> None:
    _misbehave("hang")(world)
    time.sleep(2)
    world.machine.run("systemctl stop octoprint")


_MEMORY = Why("out_of_memory", True, journal="found")
_CRASH = Why("crashed", True)
_CRASH_IN_PLUGIN = Why("crashed", True, crashed_in=_PLUGIN)
_EXIT = Why("crashed", True, journal="found")
_KILLED = Why("killed", True, journal="found")
_HUNG = Why("hung", True, journal="found")

DEATHS = {
    "out of memory": Death(_run_out_of_memory("take_memory"), _MEMORY, _MEMORY, UNAVAILABLE, _LITTLE_MEMORY),
    # The log does not ask the journal about a clean shutdown that ended in another boot.
    "child out of memory": Death(
        _run_out_of_memory("take_memory_in_a_child"), _MEMORY, Why(), Why(), _LITTLE_MEMORY, clean=True
    ),
    "out of memory, no controller": Death(
        _run_out_of_memory("take_memory"), _MEMORY, _MEMORY, UNAVAILABLE, _NO_CONTROLLER
    ),
    "MemoryMax": Death(_run_out_of_memory("take_memory"), _MEMORY, _MEMORY, UNAVAILABLE, unit="MemoryMax=220M"),
    "kill -9": Death(_kill("KILL"), _KILLED, _KILLED, UNAVAILABLE),
    "kill -SEGV": Death(_kill("SEGV"), _CRASH, _CRASH, _CRASH),
    "NULL in a plugin": Death(_misbehave("read_a_null_pointer"), _CRASH_IN_PLUGIN, _CRASH_IN_PLUGIN, _CRASH_IN_PLUGIN),
    "os._exit(3)": Death(_misbehave("exit"), _EXIT, _EXIT, UNAVAILABLE),
    "thread that hangs": Death(_hang, _HUNG, _HUNG, UNAVAILABLE, unit="TimeoutStopSec=5"),
}


def die(world: World, end: End, death: Death) -> None:
    """Let OctoPrint die, and start it again."""
    with _dead(world, end, death, death.started):
        time.sleep(5 * end.moment)
    start(world)


def die_and_cut_power(world: World, end: End, death: Death, why: Why) -> None:
    """Let OctoPrint die, and cut the power when the journal is on the disk."""
    with _dead(world, end, death, why):
        time.sleep(_JOURNAL_SECONDS + 5 * end.moment)
        world.machine.cut_power()
        world.switch_on()


def kill_and_cut_power_at_once(world: World, end: End) -> None:
    """Cut the power before the journal is on the disk, unless it is by chance."""
    with _dead(world, end, DEATHS["kill -9"], *NO_CAUSE, _KILLED):
        time.sleep(SETTLED_SECONDS)
        world.machine.cut_power()
        world.switch_on()


def kill_without_adm(world: World, end: End) -> None:
    """Kill OctoPrint while its user may not read the journal."""
    world.machine.run("gpasswd --delete pi adm")
    restart(world, UNAVAILABLE)
    with _dead(world, end, DEATHS["kill -9"], UNAVAILABLE):
        pass
    start(world)
    world.machine.run("gpasswd --add pi adm")
    restart(world)


def child_killed_without_controller(world: World, end: End) -> None:
    """Let a child run out of memory. Without the memory controller OctoPrint goes on, so this is no cause."""
    prepare(world, world.octoprint, end)
    kills = "grep oom_kill /proc/vmstat"
    before = world.machine.run(kills)
    _run_out_of_memory("take_memory_in_a_child")(world)
    world.octoprint.until(lambda: world.machine.run(kills) != before, 120, "no process was killed")
    time.sleep(3)
    restart(world)


def restart_by_api(world: World, end: End) -> None:
    _shut_down_by_api(world, end, "restart")
    world.begun(world.octoprint)


def restart_in_safe_mode(world: World, end: End) -> None:
    """Restart in safe mode, which loads no plugin, and again."""
    _shut_down_by_api(world, end, "restart_safe")
    world.octoprint.until(world.octoprint.answers_in_safe_mode, 180, "OctoPrint does not respond in safe mode")
    world.machine.run("systemctl restart octoprint")
    world.begun(world.octoprint)


def reboot_by_api(world: World, end: End) -> None:
    _shut_down_by_api(world, end, "reboot")
    world.switch_on()


def shut_down_by_api(world: World, end: End) -> None:
    _shut_down_by_api(world, end, "shutdown")
    world.switch_on()


def _kinds() -> Iterator[tuple[str, Setup, Callable[[World, End], None]]]:
    for name, death in DEATHS.items():
        yield name, death.setup, partial(die, death=death)
        cut = partial(die_and_cut_power, death=death)
        yield f"{name}, power cut", death.setup, partial(cut, why=death.cut)
        volatile = death.setup._replace(words=f"{death.setup.words} {_VOLATILE}".strip())
        yield f"{name}, power cut, volatile", volatile, partial(cut, why=death.volatile)
    yield "child out of memory, no controller", _NO_CONTROLLER, child_killed_without_controller
    yield "kill -9, power cut at once", Setup(), kill_and_cut_power_at_once
    yield "kill -9, not in adm", Setup(), kill_without_adm
    yield "API: restart", Setup(), restart_by_api
    yield "API: restart in safe mode", Setup(), restart_in_safe_mode
    yield "API: reboot", Setup(), reboot_by_api
    yield "API: shutdown", Setup(), shut_down_by_api


KINDS = {name: run for name, _, run in _kinds()}
SETUPS = {name: setup for name, setup, _ in _kinds()}


@contextlib.contextmanager
def _dead(world: World, end: End, death: Death, *whys: Why) -> Iterator[None]:
    """Let OctoPrint die, and keep the lines in its unit for as long as it is dead."""
    with contextlib.ExitStack() as stack:
        if death.unit:
            stack.enter_context(drop_in(world, death.unit))
            restart(world)
        prepare(world, world.octoprint, end)
        time.sleep(2 + 3 * end.moment)
        ended = span(lambda: _strike(world, death))
        set_ended(world.octoprint, lambda run: run.end(ended, death.clean, *whys))
        yield


def _strike(world: World, death: Death) -> None:
    """Let OctoPrint die. systemd may not notice that the kernel killed a child, so try again if OctoPrint lives on."""
    for _ in range(3):
        death.strike(world)
        wait = "while systemctl --quiet is-active octoprint; do sleep 0.2; done"
        if world.machine.run(f"timeout 300 sh -c '{wait}' && echo dead || true", timeout=400):
            return
    raise world.machine.error("OctoPrint lives on")


def _shut_down_by_api(world: World, end: End, command: str) -> None:
    prepare(world, world.octoprint, end)
    time.sleep(1 + 3 * end.moment)
    ended = _asked(world, command)
    set_ended(world.octoprint, lambda run: run.end(ended, True, Why(asked_by=command)))


def _asked(world: World, command: str) -> Span:
    process = "systemctl show --property MainPID octoprint"
    before = world.machine.run(process)

    def ask() -> None:
        # OctoPrint may be gone before it has answered.
        with contextlib.suppress(requests.ConnectionError):
            world.octoprint.ask(f"/api/system/commands/core/{command}", {})
        if command in ("reboot", "shutdown"):
            world.machine.wait_until_off(120)
        else:
            world.octoprint.until(lambda: world.machine.run(process) != before, 120, "OctoPrint does not restart")

    return span(ask)
