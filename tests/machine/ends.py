"""Shut down or crash the machine and its OctoPrints from outside, and keep a record of what really happened."""

from __future__ import annotations

import time
from collections.abc import Callable

from steps import (
    SETTLED_SECONDS,
    End,
    cut_power,
    drop_in,
    end_with_the_machine,
    prepare,
    restart,
    set_ended,
    shut_down,
    switch_off,
    systemctl,
)
from truth import NO_CAUSE, Why
from world import World, span

_LONG_AGO = 1577836800.0  # 2020-01-01


def power_cut(world: World, end: End) -> None:
    prepare(world, world.octoprint, end)
    cut_power(world, after=SETTLED_SECONDS + 5 * end.moment)


def kernel_panic(world: World, end: End) -> None:
    _crash_itself(world, end, "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger")


def forced_reboot(world: World, end: End) -> None:
    _crash_itself(world, end, "reboot -ff")


def watchdog(world: World, end: End) -> None:
    """Let a watchdog reset the machine, as it does when the system hangs."""
    _crash_itself(world, end, "modprobe softdog soft_margin=2; exec 3> /dev/watchdog; sleep 600")


def reboot(world: World, end: End) -> None:
    _shut_itself_down(world, end, "systemctl reboot")


def power_off(world: World, end: End) -> None:
    _shut_itself_down(world, end, "systemctl poweroff")


def systemctl_restart(world: World, end: End) -> None:
    prepare(world, world.octoprint, end)
    time.sleep(1 + 5 * end.moment)
    restart(world)


def restart_during_a_print(world: World, end: End) -> None:
    """Shut OctoPrint down cleanly in the middle of a print, which is lost just as by a crash."""
    systemctl_restart(world, end._replace(printing="printing"))


def stop_that_hangs(world: World, end: End) -> None:
    """Stop OctoPrint while another plugin hangs, so that systemd kills it. The shutdown still counts as clean."""
    prepare(world, world.octoprint, end)
    with drop_in(world, f"TimeoutStopSec={3 + 5 * end.moment:.1f}"):
        world.machine.run("touch /run/hang")
        restart(world, Why(journal="found"))
        world.machine.run("rm /run/hang")


def power_cut_as_a_print_starts(world: World, end: End) -> None:
    prepare(world, world.octoprint, end._replace(printing="printing"))
    cut_power(world, after=10 * end.moment)


def power_cut_as_octoprint_starts(world: World, end: End) -> None:
    """Cut the power within ten seconds of the start of the process or of the first response."""
    prepare(world, world.octoprint, end)
    if end.variant == "answering":
        restart(world)
    else:
        ended = span(lambda: systemctl(world, "restart"))
        # The next run may ask the journal before the power is cut or after it, or may not be in the log.
        set_ended(world.octoprint, lambda run: run.end(ended, True, Why(), *NO_CAUSE))
        world.begun_unseen(world.octoprint)
    cut_power(world, after=10 * end.moment)


def container_stopped(world: World, end: End) -> None:
    _restart_container(world, end, "lxc-stop -n c1", clean=True)


def container_killed(world: World, end: End) -> None:
    _restart_container(world, end, "lxc-stop -n c1 -k", clean=False)


def container_without_power(world: World, end: End) -> None:
    """Cut the machine's power while one OctoPrint runs on it and another in its container."""
    world.start_container()
    prepare(world, world.in_container, end)
    time.sleep(SETTLED_SECONDS + 5 * end.moment)
    ended = span(world.machine.cut_power)
    for octoprint in (world.octoprint, world.in_container):
        set_ended(octoprint, lambda run: run.end_with_the_machine(ended))
    world.switch_on()
    world.start_container()
    _stop_container(world, "lxc-stop -n c1", clean=True)


def no_clock_chip(world: World, end: End) -> None:
    """Start the machine with an old date, or with the time of its shutdown, and set the clock later or never."""
    prepare(world, world.octoprint, end)
    time.sleep(SETTLED_SECONDS)
    if end.variant == "set after a restart":
        ended = span(lambda: switch_off(world, "systemctl poweroff"))
        set_ended(world.octoprint, lambda run: run.end(ended, True, Why()))
    else:
        ended = end_with_the_machine(world, world.machine.cut_power)
    if end.variant == "restored":
        time.sleep(10 + 10 * end.moment)
    world.switch_on(ended.low if end.variant == "restored" else _LONG_AGO)
    if end.variant == "never set":
        cut_power(world, after=SETTLED_SECONDS)
        return
    if end.variant == "set after a restart":
        restart(world)
    time.sleep(10 * end.moment)
    world.set_clock()


def slow_card(world: World, end: End) -> None:
    """Slow down every write to the disk for one run of OctoPrint, which ends with a clean shutdown."""
    milliseconds = 500 if end.moment < 0.5 else 1000
    with drop_in(world, f"Environment=LD_PRELOAD=/opt/slow_card.so SLOW_CARD_MS={milliseconds}"):
        restart(world)
    prepare(world, world.octoprint, end)
    if end.variant == "restart":
        restart(world)
    else:
        _shut_itself_down(world, end._replace(printing=""), "systemctl reboot")


KINDS: dict[str, Callable[[World, End], None]] = {
    "power cut": power_cut,
    "kernel panic": kernel_panic,
    "reboot -ff": forced_reboot,
    "watchdog": watchdog,
    "systemctl reboot": reboot,
    "systemctl poweroff": power_off,
    "systemctl restart": systemctl_restart,
    "systemctl restart during a print": restart_during_a_print,
    "SIGTERM, then SIGKILL": stop_that_hangs,
    "power cut as a print starts": power_cut_as_a_print_starts,
    "power cut as OctoPrint starts": power_cut_as_octoprint_starts,
    "container stopped": container_stopped,
    "container killed": container_killed,
    "container, power cut": container_without_power,
    "no clock chip": no_clock_chip,
    "slow card": slow_card,
}
VARIANTS = {
    "power cut as OctoPrint starts": ("answering", "starting"),
    "no clock chip": ("set", "set after a restart", "restored", "never set"),
    "slow card": ("restart", "reboot"),
}


def _crash_itself(world: World, end: End, command: str) -> None:
    prepare(world, world.octoprint, end)
    time.sleep(SETTLED_SECONDS + 3 * end.moment)
    end_with_the_machine(world, lambda: switch_off(world, command))
    world.switch_on()


def _shut_itself_down(world: World, end: End, command: str) -> None:
    prepare(world, world.octoprint, end)
    time.sleep(1 + 3 * end.moment)
    shut_down(world, command)


def _restart_container(world: World, end: End, command: str, clean: bool) -> None:
    octoprint = world.in_container
    world.start_container()
    prepare(world, octoprint, end)
    time.sleep(2 + 3 * end.moment)
    _stop_container(world, command, clean)
    world.start_container()
    _stop_container(world, "lxc-stop -n c1", clean=True)


def _stop_container(world: World, command: str, clean: bool) -> None:
    ended = span(lambda: world.machine.run(command))
    whys = (Why(),) if clean else NO_CAUSE
    set_ended(world.in_container, lambda run: run.end(ended, clean, *whys))
