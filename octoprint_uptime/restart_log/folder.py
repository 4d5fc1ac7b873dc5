"""Find out whether a reboot resets the log because its folder is kept in memory."""

from pathlib import Path

from .. import clock

COMMAND_LINE = Path("/proc/cmdline")


def survives_reboot(folder: Path) -> bool:
    """Return whether files in this folder outlive a reboot of the host; True if that is unknown.

    They don't on tmpfs, nor on the overlay with which raspi-config or overlayroot protects the root file system. An
    overlay alone proves nothing: Docker's root file system is one, and outlives reboots.
    """
    kind = _file_system(folder)
    if kind == "overlay":
        words = clock.proc_text(COMMAND_LINE).split()
        return not any(word == "boot=overlay" or word.startswith("overlayroot=tmpfs") for word in words)
    return kind not in ("tmpfs", "ramfs")


def _file_system(folder: Path) -> str | None:
    """Return the type of the file system that holds this folder, which may not exist yet; None if unknown."""
    mounts, place = clock.mounts(), folder.resolve()
    return next((mounts[str(each)] for each in (place, *place.parents) if str(each) in mounts), None)
