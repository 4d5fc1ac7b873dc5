"""An emulated machine whose plug can be pulled: QEMU with the disk that `machine_image` builds.

KVM is used where a kernel starts under it, which takes more than that `/dev/kvm` is there; else all is emulated.
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

from machine_image import image
from octoprint_server import free_port

_QEMU = ["nice", "-n", "5", "qemu-system-x86_64", "-no-reboot", "-display", "none", "-nodefaults"]
_MEMORY = ["-m", "1024", "-smp", "2"]
_KERNEL_LINE = "root=/dev/vda rw console=ttyS0 quiet panic=1"
_TRIAL_SECONDS = 15


class MachineError(Exception):
    """The machine did not do what a machine does; says what its console showed last."""


class Machine:
    """A machine with a disk of its own, a copy that begins as the image is."""

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
        """Where this machine's port is on this host."""
        return f"http://127.0.0.1:{self._ports[port]}"

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def switch_on(self, clock: str | None = None) -> None:
        """Start it; ``clock`` is what its clock chip says, instead of this host's time. Returns at once."""
        assert not self.runs
        forwarded = ",".join(f"hostfwd=tcp:127.0.0.1:{ours}-:{its}" for its, ours in self._ports.items())
        command = [
            *(*_QEMU, *_MEMORY, *_accelerator(self._image)),
            *("-kernel", str(self._image / "kernel"), "-initrd", str(self._image / "initrd"), "-append", _KERNEL_LINE),
            # Without a cache of this host's: what the machine has not written is gone with QEMU.
            *("-drive", f"file={self._disk},if=virtio,format=raw,cache=none"),
            # It reaches nobody, so nobody sets its clock.
            *("-netdev", f"user,id=n,restrict=on,{forwarded}", "-device", "virtio-net-pci,netdev=n"),
            *("-chardev", f"file,id=c,append=on,path={self._console}", "-serial", "chardev:c"),
            *("-rtc", f"base={clock or 'utc'}"),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def cut_power(self) -> None:
        """Pull the plug of a machine that is on; one that went off before would make a wrong truth of this moment."""
        assert self._process is not None
        if not self.runs:
            raise self.error("it went off before its power was cut")
        self._process.kill()
        self.wait_until_off(10)

    def wait_until_off(self, seconds: float) -> None:
        """Wait until it has switched itself off, or wants to boot again, which it does not by itself."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.error(f"it is still on after {seconds} s") from None
        self._hang_up()

    def run(self, command: str, timeout: float = 120) -> str:
        """What a command prints that root runs in it."""
        try:
            done = subprocess.run(
                [*self._ssh(), command], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            raise self.error(f"no answer in {timeout} s to: {command}") from None
        if done.returncode:
            raise self.error(f"{command!r} failed with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_last(self, command: str) -> None:
        """Have root run a command that ends the machine; returns once it has been told."""
        self.run(f"nohup sh -c {_quoted(f'sleep 0.2; {command}')} > /dev/null 2>&1 < /dev/null &")

    def error(self, what: str) -> MachineError:
        """The error to raise, with the end of the console."""
        text = self._console.read_text(errors="replace") if self._console.exists() else ""
        state = "on" if self.runs else "off"
        return MachineError(f"{what}\nThe machine is {state}; the end of its console, {self._console}:\n{text[-3000:]}")

    def throw_away(self) -> None:
        """End it for good; its disk stays to be looked at."""
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
            # One connection for all commands: where all is emulated, a new one takes seconds.
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
    """Whether a kernel comes to its end under KVM: without a program to run it panics, and QEMU ends."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    kernel = ["-kernel", str(folder / "kernel"), "-append", "panic=-1"]
    command = [*_QEMU, *_MEMORY, "-M", "q35", "-accel", "kvm", "-cpu", "host", *kernel]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + _TRIAL_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return process.wait() == 0
