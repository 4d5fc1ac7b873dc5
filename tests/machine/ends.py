"""Shut down or crash the machine and its OctoPrints, and keep a record of what really happened."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from truth import ON_DISK_SECONDS, Run, Span
from world import OctoPrint, World, span

_OFF_SECONDS = 120  # the machine switches itself off within this time
_SETTLED_SECONDS = ON_DISK_SECONDS + 3  # after this time everything is on the disk
_LONG_AGO = 1577836800.0  # 2020-01-01
_DROP_IN = "/run/systemd/system/octoprint.service.d"


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


def power_cut(world: World, end: End) -> None:
    _prepare(world, world.octoprint, end)
    _cut_power(world, after=_SETTLED_SECONDS + 5 * end.moment)


def kernel_panic(world: World, end: End) -> None:
    _end_itself(world, end, "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger", clean=False)


def forced_reboot(world: World, end: End) -> None:
    _end_itself(world, end, "reboot -ff", clean=False)


def reboot(world: World, end: End) -> None:
    _end_itself(world, end, "systemctl reboot", clean=True)


def power_off(world: World, end: End) -> None:
    _end_itself(world, end, "systemctl poweroff", clean=True)


def restart(world: World, end: End) -> None:
    _prepare(world, world.octoprint, end)
    time.sleep(1 + 5 * end.moment)
    _restart(world, clean=True)


def restart_during_a_print(world: World, end: End) -> None:
    """Shut OctoPrint down cleanly in the middle of a print, which is lost just as by a crash."""
    restart(world, end._replace(printing="printing"))


def kill(world: World, end: End) -> None:
    _prepare(world, world.octoprint, end)
    time.sleep(2 + 3 * end.moment)
    _kill(world)
    time.sleep(5 * end.moment)
    world.machine.run("systemctl start octoprint")
    world.begun(world.octoprint)


def kill_and_power_cut_later(world: World, end: End) -> None:
    _prepare(world, world.octoprint, end)
    time.sleep(2 + 3 * end.moment)
    _kill(world)
    time.sleep(_SETTLED_SECONDS + 5 * end.moment)
    world.machine.cut_power()
    world.switch_on()


def stop_that_hangs(world: World, end: End) -> None:
    """Stop OctoPrint while another plugin hangs, so that systemd kills it. The shutdown still counts as clean."""
    _prepare(world, world.octoprint, end)
    drop_in = f"[Service]\\nTimeoutStopSec={3 + 5 * end.moment:.1f}\\n"
    world.machine.run(
        f"mkdir -p {_DROP_IN}; printf '{drop_in}' > {_DROP_IN}/stop.conf; systemctl daemon-reload; touch /run/hang"
    )
    _restart(world, clean=True)
    world.machine.run(f"rm /run/hang {_DROP_IN}/stop.conf; systemctl daemon-reload")


def power_cut_as_a_print_starts(world: World, end: End) -> None:
    _prepare(world, world.octoprint, end._replace(printing="printing"))
    _cut_power(world, after=10 * end.moment)


def power_cut_as_octoprint_starts(world: World, end: End) -> None:
    """Cut the power within ten seconds of the start of the process or of the first response."""
    _prepare(world, world.octoprint, end)
    if end.variant == "answering":
        _restart(world, clean=True)
    else:
        _set_ended(world.octoprint, lambda run: run.end(span(lambda: _systemctl(world, "restart")), clean=True))
        world.begun_unseen(world.octoprint)
    _cut_power(world, after=10 * end.moment)


def container_stopped(world: World, end: End) -> None:
    _restart_container(world, end, "lxc-stop -n c1", clean=True)


def container_killed(world: World, end: End) -> None:
    _restart_container(world, end, "lxc-stop -n c1 -k", clean=False)


def container_without_power(world: World, end: End) -> None:
    """Cut the machine's power while one OctoPrint runs on it and another in its container."""
    world.start_container()
    _prepare(world, world.in_container, end)
    time.sleep(_SETTLED_SECONDS + 5 * end.moment)
    ended = span(world.machine.cut_power)
    for octoprint in (world.octoprint, world.in_container):
        _set_ended(octoprint, lambda run: run.end_with_the_machine(ended))
    world.switch_on()
    world.start_container()
    _stop_container(world, "lxc-stop -n c1", clean=True)


def no_clock_chip(world: World, end: End) -> None:
    """Start the machine with an old date, or with the time of its shutdown, and set the clock later or never."""
    _prepare(world, world.octoprint, end)
    time.sleep(_SETTLED_SECONDS)
    if end.variant == "set after a restart":
        ended = span(lambda: _switch_off(world, "systemctl poweroff"))
        _set_ended(world.octoprint, lambda run: run.end(ended, clean=True))
    else:
        ended = _end_with_the_machine(world, world.machine.cut_power)
    if end.variant == "restored":
        time.sleep(10 + 10 * end.moment)
    world.switch_on(ended.low if end.variant == "restored" else _LONG_AGO)
    if end.variant == "never set":
        _cut_power(world, after=_SETTLED_SECONDS)
        return
    if end.variant == "set after a restart":
        _restart(world, clean=True)
    time.sleep(10 * end.moment)
    world.set_clock()


def slow_card(world: World, end: End) -> None:
    """Slow down every write to the disk for one run of OctoPrint, which ends with a clean shutdown."""
    milliseconds = 500 if end.moment < 0.5 else 1000
    drop_in = f"[Service]\\nEnvironment=LD_PRELOAD=/opt/slow_card.so SLOW_CARD_MS={milliseconds}\\n"
    world.machine.run(f"mkdir -p {_DROP_IN}; printf '{drop_in}' > {_DROP_IN}/slow.conf; systemctl daemon-reload")
    _restart(world, clean=True)
    _prepare(world, world.octoprint, end)
    if end.variant == "restart":
        world.machine.run(f"rm {_DROP_IN}/slow.conf; systemctl daemon-reload")
        _restart(world, clean=True)
    else:
        _end_itself(world, end._replace(printing=""), "systemctl reboot", clean=True)


KINDS: dict[str, Callable[[World, End], None]] = {
    "power cut": power_cut,
    "kernel panic": kernel_panic,
    "reboot -ff": forced_reboot,
    "systemctl reboot": reboot,
    "systemctl poweroff": power_off,
    "systemctl restart": restart,
    "systemctl restart during a print": restart_during_a_print,
    "kill -9": kill,
    "kill -9, power cut later": kill_and_power_cut_later,
    "SIGTERM, then SIGKILL": stop_that_hangs,
    "power cut as a print starts": power_cut_as_a_print_starts,
    "power cut as OctoPrint starts": power_cut_as_octoprint_starts,
    "container stopped": container_stopped,
    "container killed": container_killed,
    "container, power cut": container_without_power,
    "no clock chip": no_clock_chip,
    "slow card": slow_card,
}
_VARIANTS = {
    "power cut as OctoPrint starts": ("answering", "starting"),
    "no clock chip": ("set", "set after a restart", "restored", "never set"),
    "slow card": ("restart", "reboot"),
}
_PRINTING = ("printing", "printing", "idle", "printed")


def ends(count: int, seed: int) -> Iterator[End]:
    """Yield the same ends for the same seed: all kinds and variants in random order, then all again in another."""
    chance = random.Random(seed)
    kinds, printing = _dealt(chance, list(KINDS)), _dealt(chance, _PRINTING)
    variants = {kind: _dealt(chance, of_kind) for kind, of_kind in _VARIANTS.items()}
    for number in range(1, count + 1):
        kind = next(kinds)
        yield End(number, kind, next(printing), chance.random(), next(variants[kind]) if kind in variants else "")


def _dealt(chance: random.Random, cards: Sequence[str]) -> Iterator[str]:
    """Yield all cards in random order, and then again in another, forever."""
    while True:
        yield from chance.sample(cards, len(cards))


def _prepare(world: World, octoprint: OctoPrint, end: End) -> None:
    """Start a print, or print a whole file, as ``end`` says."""
    if end.printing == "printing":
        world.print_file(octoprint)
    elif end.printing == "printed":
        world.print_whole_file(octoprint)


def _set_ended(octoprint: OctoPrint, end: Callable[[Run], Run]) -> None:
    assert octoprint.truth is not None
    octoprint.truth.current = end(octoprint.truth.current)


def _end_with_the_machine(world: World, action: Callable[[], object]) -> Span:
    ended = span(action)
    _set_ended(world.octoprint, lambda run: run.end_with_the_machine(ended))
    return ended


def _cut_power(world: World, after: float) -> None:
    time.sleep(after)
    _end_with_the_machine(world, world.machine.cut_power)
    world.switch_on()


def _end_itself(world: World, end: End, command: str, clean: bool) -> None:
    _prepare(world, world.octoprint, end)
    time.sleep(1 + 3 * end.moment if clean else _SETTLED_SECONDS + 3 * end.moment)
    if clean:
        ended = span(lambda: _switch_off(world, command))
        _set_ended(world.octoprint, lambda run: run.end(ended, clean=True))
    else:
        _end_with_the_machine(world, lambda: _switch_off(world, command))
    world.switch_on()


def _switch_off(world: World, command: str) -> None:
    world.machine.run_last(command)
    world.machine.wait_until_off(_OFF_SECONDS)


def _systemctl(world: World, what: str) -> None:
    world.machine.run(f"systemctl {what} octoprint")


def _restart(world: World, clean: bool) -> None:
    ended = span(lambda: _systemctl(world, "restart"))
    _set_ended(world.octoprint, lambda run: run.end(ended, clean))
    world.begun(world.octoprint)


def _kill(world: World) -> None:
    ended = span(lambda: world.machine.run("systemctl kill -s KILL octoprint"))
    _set_ended(world.octoprint, lambda run: run.end(ended, clean=False))


def _restart_container(world: World, end: End, command: str, clean: bool) -> None:
    octoprint = world.in_container
    world.start_container()
    _prepare(world, octoprint, end)
    time.sleep(2 + 3 * end.moment)
    _stop_container(world, command, clean)
    world.start_container()
    _stop_container(world, "lxc-stop -n c1", clean=True)


def _stop_container(world: World, command: str, clean: bool) -> None:
    ended = span(lambda: world.machine.run(command))
    _set_ended(world.in_container, lambda run: run.end(ended, clean))
