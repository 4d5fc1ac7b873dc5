"""Find and install the programs that the tests need besides Python, such as Chromium, libfaketime and Prometheus.

When run as a script, it installs those of its arguments that are missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

# The headless shell comes first, because it is several times faster.
_CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

_UNPACKED = Path(__file__).resolve().parents[1] / ".venv" / "debian"


def chromium(playwright: Playwright) -> str | None:
    """Return the path of Chromium from the variable ``CHROMIUM``, from Playwright or from the PATH; None if missing."""
    own = playwright.chromium.executable_path
    candidates = [os.environ.get("CHROMIUM"), own if Path(own).exists() else None, *map(shutil.which, _CHROMIUMS)]
    return next(filter(None, candidates), None)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium without a window. Raises `RuntimeError` if none is installed."""
    path = chromium(playwright)
    if path is None:
        raise RuntimeError("no Chromium found; `make test` installs one")
    # Chromium's sandbox doesn't work as root, the usual user in containers.
    return playwright.chromium.launch(executable_path=path, chromium_sandbox=not _ROOT, args=["--disable-quic"])


def libfaketime() -> Path:
    """Return the library that shifts a process's wall clock. Raises `RuntimeError` if it isn't installed."""
    for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1"):
        return path
    raise RuntimeError("no libfaketime found; `make test` installs Debian's package faketime")


def unpacked(name: str) -> list[str]:
    """Return the command that runs a program from `_unpack` or from the PATH. Raises `RuntimeError` if missing."""
    folders = [*os.environ["PATH"].split(os.pathsep), *(str(_UNPACKED / "usr" / each) for each in ("bin", "sbin"))]
    path = shutil.which(name, path=os.pathsep.join(folders))
    if path is None:
        raise RuntimeError(f"no {name} found; `make test` unpacks Debian's package")
    libraries = os.pathsep.join(map(str, _UNPACKED.glob("usr/lib/*-linux-*")))
    return ["env", f"LD_LIBRARY_PATH={libraries}", path]


def _apt(*arguments: str) -> None:
    apt = [*([] if _ROOT else ["sudo"]), "apt-get", "-qq"]
    subprocess.run([*apt, *arguments], check=False, stdout=subprocess.DEVNULL)


@cache
def _update() -> None:
    _apt("update")


def _apt_install(package: str) -> None:
    _update()
    _apt("install", "--yes", package)


def _install_chromium() -> None:
    with sync_playwright() as playwright:
        if chromium(playwright) is None:
            subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=False)
        for package in ("chromium-headless-shell", "chromium"):
            found = chromium(playwright)
            # Root needs no password, so install the faster headless shell even if another Chromium is installed.
            if found is None or (_ROOT and package == "chromium-headless-shell" and found == shutil.which("chromium")):
                _apt_install(package)
        print("Chromium:", chromium(playwright) or sys.exit("no Chromium, and none could be installed"))


def _install_faketime() -> None:
    try:
        libfaketime()
    except RuntimeError:
        _apt_install("faketime")
    print("libfaketime:", libfaketime())


def _install_command(name: str) -> None:
    if shutil.which(name) is None:
        _apt_install(name)
    print(f"{name}:", shutil.which(name) or sys.exit(f"no {name}, and none could be installed"))


def _unpack(package: str) -> None:
    """Unpack a Debian package and the libraries that it needs. Installing it would start its service."""
    try:
        unpacked(package)
    except RuntimeError:
        _update()
        simulate = ["apt-get", "-qq", "--simulate", "install", "--no-install-recommends", package]
        steps = subprocess.run(simulate, check=True, capture_output=True, text=True).stdout
        # Without the parts of a web interface.
        packages = re.findall(r"^Inst (?!libjs-|fonts-)(\S+)", steps, re.MULTILINE)
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)  # apt downloads as another user
            subprocess.run(["apt-get", "-qq", "download", *packages], cwd=folder, check=True)
            for archive in Path(folder).glob("*.deb"):
                subprocess.run(["dpkg-deb", "--extract", str(archive), str(_UNPACKED)], check=True)
    print(f"{package}:", unpacked(package)[-1])


def _install_machine() -> None:
    """Install the programs that build and run an emulated machine, and Debian's keys.

    Other distributions have Debian's keys in a separate package.
    """
    packages = {"mmdebstrap": "mmdebstrap", "qemu-system-x86_64": "qemu-system-x86", "ssh": "openssh-client"}
    for command, package in packages.items():
        if shutil.which(command) is None:
            _apt_install(package)
        print(f"{command}:", shutil.which(command) or sys.exit(f"no {command}, and none could be installed"))
    if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        _apt_install("debian-archive-keyring")


_INSTALLERS: dict[str, Callable[[], None]] = {
    "chromium": _install_chromium,
    "faketime": _install_faketime,
    "jq": partial(_install_command, "jq"),
    "strace": partial(_install_command, "strace"),
    "mosquitto": partial(_unpack, "mosquitto"),
    "prometheus": partial(_unpack, "prometheus"),
    "prometheus-alertmanager": partial(_unpack, "prometheus-alertmanager"),
    "machine": _install_machine,
}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        _INSTALLERS[name]()
