"""Build the disk of an emulated machine: Debian, OctoPrint under systemd as on OctoPi, and the plugin.

Building needs root, for a chroot. Without root, the script restarts itself with sudo. `.machine/` keeps Debian and
OctoPrint for good, and the disk until the wheel, this file or `machine_files/` changes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from octoprint_server import Server

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".machine"
FILES = Path(__file__).with_name("machine_files")

SUITE = "bookworm"
PACKAGES = (
    *("systemd-sysv", "systemd-timesyncd", "udev", "dbus", "linux-image-cloud-amd64", "kmod", "e2fsprogs"),
    *("python3", "python3-venv", "python3-dev", "gcc", "libc6-dev"),
    *("iproute2", "procps", "util-linux", "openssh-server", "sudo", "ca-certificates", "lxc"),
)
# As on OctoPi.
_COMMANDS = {
    "serverRestartCommand": "sudo service octoprint restart",
    "systemRestartCommand": "sudo shutdown -r now",
    "systemShutdownCommand": "sudo shutdown -h now",
}
# Background jobs that the tests don't need and that are slow with emulation.
_IDLE = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
)
DISK_SIZE = "4G"  # sparse
ENVIRONMENT = "/opt/octoprint"
HOME = "home/pi"
CONTAINER = "var/lib/lxc/c1"
SLOW_FILE = "slow.gcode"
SHORT_FILE = "short.gcode"


def image(version: str) -> Path:
    """Return the folder with the disk, the kernel and the SSH key for this version of OctoPrint."""
    return FOLDER / version


def build(version: str, wheel: Path) -> None:
    """Build whatever is missing or outdated."""
    folder = image(version)
    debian, octoprint, disk = FOLDER / "debian.tar", folder / "octoprint.tar", folder / "disk.img"
    if not debian.exists():
        _say("Debian, a minute")
        with _whole(debian) as new:
            _run(["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(new), *_mirrors()])
    if not octoprint.exists():
        _say(f"OctoPrint {version}, a minute")
        with _whole(octoprint) as new, _unpacked(debian) as root:
            _install_octoprint(root, version)
            _run(["tar", "--create", "--numeric-owner", "--file", str(new), "--directory", str(root), "."])
    newest = max(path.stat().st_mtime for path in (wheel, Path(__file__), octoprint, *FILES.iterdir()))
    if not disk.exists() or disk.stat().st_mtime < newest:
        _say(f"the disk with {wheel.name}")
        with _whole(disk) as new, _unpacked(octoprint) as root:
            _install_plugin(root, wheel)
            _configure(root, (folder / "key.pub").read_text())
            for name, pattern in (("kernel", "vmlinuz-*"), ("initrd", "initrd.img-*")):
                (found,) = (root / "boot").glob(pattern)
                shutil.copyfile(found, folder / name)
            _run(["mkfs.ext4", "-q", "-F", "-d", str(root), str(new), DISK_SIZE])


def _say(what: str) -> None:
    print(f"Building {what} ...", flush=True)


def _run(command: Iterable[str], **options: object) -> None:
    """Run a command, and show its output only if it fails."""
    done = subprocess.run(list(command), stdout=-1, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(f"{done.stdout[-5000:]}\n{done.args[0]} failed with {done.returncode}")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path, and rename it to ``path`` when the file is complete."""
    new = path.with_name(f"new-{path.name}")  # mmdebstrap needs the suffix
    new.unlink(missing_ok=True)
    yield new
    new.replace(path)


@contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        _run(["tar", "--extract", "--numeric-owner", "--file", str(archive), "--directory", folder])
        yield Path(folder)


def _mirrors() -> list[str]:
    """Return this system's package sources for the same Debian release. If there are none, mmdebstrap uses its own."""
    line = "deb $(REPO_URI) $(CODENAME) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", line, "Created-By: Packages", "Origin: Debian"]
    lines = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())
    return sorted(line for line in lines if line.split()[2].split("-")[0] == SUITE)


def _chroot(root: Path, *command: str) -> None:
    index = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
    ).stdout.strip()
    inherited = {key: value for key, value in os.environ.items() if key.lower() in ("http_proxy", "https_proxy")}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **inherited}
    if index:
        environment["PIP_INDEX_URL"] = index
    _run(["chroot", str(root), *command], env=environment)


def _install_octoprint(root: Path, version: str) -> None:
    for name in ("resolv.conf", "hosts", "ssl/certs/ca-certificates.crt"):
        shutil.copyfile(Path("/etc", name), root / "etc" / name)
    _chroot(root, "useradd", "--create-home", "--shell", "/bin/bash", "--groups", "tty,dialout,adm,video", "pi")
    _chroot(root, "python3", "-m", "venv", ENVIRONMENT)
    _chroot(root, f"{ENVIRONMENT}/bin/pip", "install", "--no-cache-dir", f"OctoPrint=={version}")


def _install_plugin(root: Path, wheel: Path) -> None:
    shutil.copy(wheel, root / "tmp")
    _chroot(root, f"{ENVIRONMENT}/bin/pip", "install", "--no-deps", "--no-index", f"/tmp/{wheel.name}")


def _configure(root: Path, public_key: str) -> None:
    """Configure the network, the service, OctoPrint and the container, and build the library that slows the disk."""
    _write(root / "etc/fstab", "/dev/vda / ext4 defaults,noatime 0 1\n")
    _write(root / "etc/hostname", "machine\n")
    _write(root / "etc/hosts", "127.0.0.1 localhost machine\n")
    _write(root / "etc/systemd/network/80-machine.network", "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n")
    _write(root / "etc/ssh/sshd_config.d/machine.conf", "UseDNS no\n")
    _write(root / "root/.ssh/authorized_keys", public_key)
    _write(root / "etc/sudoers.d/pi", "pi ALL=(ALL) NOPASSWD: ALL\n")
    shutil.copy(FILES / "volatile-journal", _folder(root / "etc/systemd/system-generators"))
    shutil.copy(FILES / "octoprint.service", root / "etc/systemd/system")
    shutil.copy(FILES / "container.config", _folder(root / CONTAINER) / "config")
    shutil.copy(FILES / "slow_card.c", root / "opt")
    _chroot(root, "gcc", "-shared", "-fPIC", "-O2", "-o", "/opt/slow_card.so", "/opt/slow_card.c", "-ldl")
    _write(root / "etc/default/octoprint", "PORT=5000\n")
    _write(root / CONTAINER / "default", "PORT=5001\n")
    _data_folder(root / HOME / ".octoprint")
    _data_folder(root / CONTAINER / "octoprint")
    for folder in (f"/{HOME}", f"/{CONTAINER}/octoprint"):
        _chroot(root, "chown", "--recursive", "pi:pi", folder)
    _chroot(root, "systemctl", "--quiet", "enable", "systemd-networkd", "octoprint")
    _chroot(root, "systemctl", "--quiet", "disable", "lxc", "lxc-net", "systemd-timesyncd", "lxc-monitord")
    _chroot(root, "systemctl", "--quiet", "mask", *_IDLE)


def _data_folder(folder: Path) -> None:
    """Create a data folder with a user, a virtual printer, two files to print, and a plugin that can misbehave."""
    Server(Path(), folder).prepare({"admin": {"groups": ["users", "admins"]}})
    config = json.loads((folder / "config.yaml").read_text())  # JSON is YAML
    config["server"]["commands"] = _COMMANDS
    config["gcodeAnalysis"] = {"runAt": "never"}  # it takes a long time with emulation
    _write(folder / "config.yaml", json.dumps(config))
    _write(folder / "uploads" / SLOW_FILE, "G4 P300\n" * 4000)  # twenty minutes
    _write(folder / "uploads" / SHORT_FILE, "G4 P20\n" * 40)
    shutil.copy(FILES / "aaa_misbehave.py", _folder(folder / "plugins"))


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    _folder(path.parent)
    path.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the disk of the emulated machine.")
    parser.add_argument("octoprint", help="OctoPrint's version")
    parser.add_argument("wheel", type=Path, help="the plugin")
    arguments = parser.parse_args()
    key = _folder(image(arguments.octoprint)) / "key"
    if not key.exists():
        _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
    if os.geteuid():
        os.execvp("sudo", ["sudo", "--preserve-env", sys.executable, *sys.argv])
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # mkfs.ext4, chroot
    build(arguments.octoprint, arguments.wheel.resolve())


if __name__ == "__main__":
    main()
