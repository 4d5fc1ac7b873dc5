"""Run an emulated machine in QEMU, with the disk that `machine_image` builds, and cut its power.

QEMU uses KVM if a kernel starts under KVM, because `/dev/kvm` may exist without working. Otherwise it emulates the CPU.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from machine_image import image
from octoprint_server import free_port

_QEMU = ["nice", "-n", "5", "qemu-system-x86_64", "-no-reboot", "-display", "none", "-nodefaults"]
# On a busy host, the kernel may believe that the emulated timer does not work.
_KERNEL_LINE = "root=/dev/vda rw console=ttyS0 quiet panic=1 no_timer_check"
_TRIAL_SECONDS = 15


class MachineError(Exception):
    """The machine failed. The message ends with the last lines of its console."""


class Setup(NamedTuple):
    """What the machine is started with: its memory in MiB, and words for the kernel's command line."""

    memory: int = 1024
    words: str = ""

    def arguments(self) -> list[str]:
        return ["-m", str(self.memory), "-smp", "2"]


class Machine:
    """A machine whose disk is a copy of the image."""

    def __init__(self, version: str) -> None:
        self._image = image(version)
        self._disk = self._image / "used.img"
        self._console = self._image / "console.log"
        self._socket = Path(tempfile.mkdtemp(prefix="ssh-")) / "s"
        self._ports = {5000: free_port(), 5001: free_port(), 22: free_port()}
        self._process: subprocess.Popen[bytes] | None = None
        self._console.unlink(missing_ok=True)
        subprocess.run(
            ["cp", "--sparse=always", "--reflink=auto", str(self._image / "disk.img"), str(self._disk)], check=True
        )

    def url(self, port: int) -> str:
        """Return the URL on this host that is forwarded to a port of the machine."""
        return f"http://127.0.0.1:{self._ports[port]}"

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def switch_on(self, setup: Setup, clock: str | None = None) -> None:
        """Start the machine and return immediately. ``clock`` is the time of its clock chip, if it is wrong."""
        assert not self.runs
        kernel = ["-kernel", str(self._image / "kernel"), "-initrd", str(self._image / "initrd")]
        forwarded = ",".join(f"hostfwd=tcp:127.0.0.1:{ours}-:{its}" for its, ours in self._ports.items())
        command = [
            *(*_QEMU, *setup.arguments(), *_accelerator(self._image)),
            *(*kernel, "-append", f"{_KERNEL_LINE} {setup.words}"),
            # Without a cache on this host, so that killing QEMU loses whatever the machine has not written.
            *("-drive", f"file={self._disk},if=virtio,format=raw,cache=none"),
            # Without a network, so that no NTP server sets its clock.
            *("-netdev", f"user,id=n,restrict=on,{forwarded}", "-device", "virtio-net-pci,netdev=n"),
            *("-chardev", f"file,id=c,append=on,path={self._console}", "-serial", "chardev:c"),
            *("-rtc", f"base={clock or 'utc'}"),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def cut_power(self) -> None:
        """Cut the power. Raises an error if the machine is already off, because it then stopped at an unknown time."""
        assert self._process is not None
        if not self.runs:
            raise self.error("it was off before its power was cut")
        self._process.kill()
        self.wait_until_off(10)

    def wait_until_off(self, seconds: float) -> None:
        """Wait until the machine switches itself off or reboots. Both end QEMU."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.error(f"it is still on after {seconds} s") from None
        self._hang_up()

    def run(self, command: str, timeout: float = 120) -> str:
        """Run a command as root on the machine, and return its output."""
        try:
            done = subprocess.run(
                [*self._ssh(), command], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            raise self.error(f"no response within {timeout} s to: {command}") from None
        if done.returncode:
            raise self.error(f"{command!r} failed with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_last(self, command: str) -> None:
        """As root, start a command that shuts the machine down, and return without waiting for it."""
        self.run(f"nohup sh -c {_quoted(f'sleep 0.2; {command}')} > /dev/null 2>&1 < /dev/null &")

    def error(self, what: str) -> MachineError:
        """Return an error to raise, with the end of the console."""
        text = self._console.read_text(errors="replace") if self._console.exists() else ""
        state = "on" if self.runs else "off"
        return MachineError(f"{what}\nThe machine is {state}; the end of its console, {self._console}:\n{text[-3000:]}")

    def throw_away(self) -> None:
        """Stop the machine for good. Its disk stays for inspection."""
        if self.runs:
            self.cut_power()
        shutil.rmtree(self._socket.parent)

    def _ssh(self) -> list[str]:
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": os.devnull,
            "LogLevel": "ERROR",
            "ConnectTimeout": "20",
            # Share one connection: with emulation, opening a new one takes seconds.
            "ControlMaster": "auto",
            "ControlPath": str(self._socket),
            "ControlPersist": "yes",
        }
        flags = [flag for key, value in options.items() for flag in ("-o", f"{key}={value}")]
        return ["ssh", "-i", str(self._image / "key"), *flags, "-p", str(self._ports[22]), "root@127.0.0.1"]

    def _hang_up(self) -> None:
        subprocess.run([*self._ssh()[:-1], "-O", "exit", "root@127.0.0.1"], capture_output=True, check=False)
        self._socket.unlink(missing_ok=True)


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"


@functools.cache
def _accelerator(folder: Path) -> tuple[str, ...]:
    return ("-M", "q35", "-accel", "kvm", "-cpu", "host") if _kvm_works(folder) else _EMULATED


_EMULATED = ("-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max")


def _kvm_works(folder: Path) -> bool:
    """Return whether a kernel runs under KVM. It panics without an init program, which ends QEMU."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    kernel = ["-kernel", str(folder / "kernel"), "-append", "panic=-1"]
    command = [*_QEMU, *Setup().arguments(), "-M", "q35", "-accel", "kvm", "-cpu", "host", *kernel]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + _TRIAL_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return process.wait() == 0
