"""Find and install the programs that the tests need besides Python: Chromium, libfaketime, strace, jq, QEMU.

When run as a script, it installs those of its arguments that are missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

# The headless shell comes first, because it is several times faster.
_CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


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


def _apt_install(package: str) -> None:
    apt = [*([] if _ROOT else ["sudo"]), "apt-get", "-qq"]
    for step in (["update"], ["install", "--yes", package]):
        subprocess.run([*apt, *step], check=False, stdout=subprocess.DEVNULL)


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
    "machine": _install_machine,
}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        _INSTALLERS[name]()
