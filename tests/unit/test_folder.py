"""Test whether a folder survives a reboot, with the mounts and kernel command lines of real systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from octoprint_uptime import clock
from octoprint_uptime.restart_log import folder

DISK = "24 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw"
OVERLAY = "24 1 0:23 / / rw,noatime - overlay overlay rw,lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work"
DOCKER = "612 521 0:52 / / rw,relatime master:236 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w"
TMPFS = "35 24 0:31 / {} rw,nosuid,nodev shared:9 - tmpfs tmpfs rw,size=102400k"
VOLUME = "650 612 8:1 /volumes/octoprint /octoprint rw,relatime - ext4 /dev/sda1 rw"
PI = "console=tty1 root=PARTUUID=8a438930-02 rootfstype=ext4 fsck.repair=yes rootwait"


@pytest.mark.parametrize(
    ("path", "mounts", "command_line", "survives"),
    [
        ("/home/pi/.octoprint", [DISK], PI, True),
        ("/home/pi/.octoprint", [DISK, TMPFS.format("/tmp")], PI, True),
        ("/tmp/octoprint", [DISK, TMPFS.format("/tmp")], PI, False),
        ("/tmpfs/octoprint", [DISK, TMPFS.format("/tmp")], PI, True),
        ("/home/pi/.octoprint", [DISK, TMPFS.format("/home/pi/.octoprint").replace("tmpfs", "ramfs")], PI, False),
        ("/home/my pi/data", [DISK, TMPFS.format("/home/my\\040pi")], PI, False),
        # raspi-config, by initramfs-tools and later by overlayroot
        ("/home/pi/.octoprint", [OVERLAY], f"boot=overlay {PI}", False),
        ("/home/pi/.octoprint", [OVERLAY], f"{PI} overlayroot=tmpfs", False),
        ("/home/pi/.octoprint", [OVERLAY], f"{PI} overlayroot=tmpfs:swap=1,recurse=0", False),
        ("/home/pi/.octoprint", [OVERLAY], f"{PI} overlayroot=device:dev=/dev/sda1", True),
        ("/home/pi/.octoprint", [DISK], f"{PI} overlayroot=disabled", True),
        ("/data/octoprint", [OVERLAY, "60 24 8:1 / /data rw - ext4 /dev/sda1 rw"], f"boot=overlay {PI}", True),
        ("/octoprint/octoprint", [DOCKER], PI, True),
        ("/octoprint/octoprint", [DOCKER, VOLUME], f"boot=overlay {PI}", True),
        ("/octoprint/octoprint", [DOCKER, TMPFS.format("/octoprint")], PI, False),
        # the last of several mounts at one point
        ("/data/octoprint", [DISK, TMPFS.format("/data"), "61 35 8:1 / /data rw - ext4 /dev/sda1 rw"], PI, True),
        ("/data/octoprint", [DISK, "61 24 8:1 / /data rw - ext4 /dev/sda1 rw", TMPFS.format("/data")], PI, False),
        # nothing is known
        ("/home/pi/.octoprint", [], PI, True),
        ("/home/pi/.octoprint", ["", "no mount", "24 1 179:2 / / rw"], PI, True),
    ],
)
def test_folder_in_memory_is_reset_by_a_reboot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, mounts: list[str], command_line: str, survives: bool
) -> None:
    (tmp_path / "mountinfo").write_text("\n".join(mounts) + "\n", encoding="utf-8")
    (tmp_path / "cmdline").write_text(command_line + "\n", encoding="utf-8")
    monkeypatch.setattr(clock, "PROC_MOUNTINFO", tmp_path / "mountinfo")
    monkeypatch.setattr(folder, "COMMAND_LINE", tmp_path / "cmdline")
    assert folder.survives_reboot(Path(path)) is survives


def test_link_leads_to_the_folder_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    (tmp_path / "link").symlink_to(memory)
    (tmp_path / "mountinfo").write_text(f"{DISK}\n{TMPFS.format(memory.resolve())}\n", encoding="utf-8")
    monkeypatch.setattr(clock, "PROC_MOUNTINFO", tmp_path / "mountinfo")
    assert folder.survives_reboot(tmp_path / "link" / "octoprint") is False


def test_other_systems_have_no_such_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "PROC_MOUNTINFO", tmp_path / "missing")
    assert folder.survives_reboot(tmp_path) is True
