"""Test the clocks, with real and fake sources."""

import itertools
import logging
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pytest_mock import MockerFixture

from octoprint_uptime import clock
from octoprint_uptime.clock import (
    Clock,
    Uptime,
    boot_clock,
    boot_id,
    boot_offset,
    has_own_boot_id,
    process_clock,
    same_boot,
    scope_of,
    system_clock,
)

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def fails(error: Exception) -> Callable[[], float]:
    def source() -> float:
        raise error

    return source


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


class WallClock:
    """Replace `time.time` by a clock that the test sets, while the boot clock stands still."""

    _days = itertools.count()  # one for each test, because a small change would keep the last offset

    def __init__(self) -> None:
        self.time = 1772366400.4 + 86400 * next(self._days)  # from 2026-03-01 12:00 UTC

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def wall(mocker: MockerFixture) -> WallClock:
    wall = WallClock()
    mocker.patch.object(time, "time", wall)
    mocker.patch.object(clock, "boot_clock", return_value=5000.0)
    return wall


def start(subject: Clock) -> float:
    started = subject.read().started
    assert started is not None
    return started


@linux_only
def test_host_uptime_is_read_from_proc() -> None:
    uptime = system_clock(LOGGER).read()
    assert uptime.source == "proc"
    assert uptime.seconds == pytest.approx(float(Path("/proc/uptime").read_text().split()[0]), abs=0.5)


@pytest.mark.parametrize(
    ("platform", "expected"), [("linux", "CLOCK_BOOTTIME"), ("darwin", "CLOCK_MONOTONIC"), ("win32", "monotonic")]
)
def test_boot_clock_includes_sleep(mocker: MockerFixture, platform: str, expected: str) -> None:
    # On macOS time.monotonic is mach_absolute_time, which stops during sleep; CLOCK_MONOTONIC is mach_continuous_time.
    mocker.patch.object(sys, "platform", platform)
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        mocker.patch.object(time, name, name, create=True)
    mocker.patch.object(time, "clock_gettime", lambda name: name, create=True)
    mocker.patch.object(time, "monotonic", return_value="monotonic")
    read: object = boot_clock()
    assert read == expected


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_proc_is_only_read_on_linux(
    mocker: MockerFixture, tmp_path: Path, caplog: pytest.LogCaptureFixture, platform: str
) -> None:
    (tmp_path / "boot_id").write_text("linux")
    mocker.patch.object(clock, "PROC_BOOT_ID", tmp_path / "boot_id")
    mocker.patch.object(clock, "boot_clock", return_value=5000.0)
    mocker.patch.object(psutil, "boot_time", return_value=time.time() - 5000)
    mocker.patch.object(sys, "platform", platform)
    assert [make(LOGGER).read().source for make in (system_clock, process_clock)] == ["psutil", "psutil"]
    assert boot_id().isdigit()
    assert not has_own_boot_id()
    assert warnings(caplog) == []


# What LXC 5 shows in a container, and what a machine without containers shows.
LXC = """\
1036 1030 0:44 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1041 1036 0:62 /.lxc-boot-id /proc/sys/kernel/random/boot_id ro,nosuid,nodev,noexec,relatime shared:5 - tmpfs none rw
"""
MACHINE = """\
24 30 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
77 30 8:1 / /media/proc/sys/kernel/random/boot_id rw,relatime shared:1 - ext4 /dev/sda1 rw
"""


@linux_only
@pytest.mark.parametrize(
    ("mounts", "expected"), [(LXC, True), (MACHINE, False), ("", False), ("1 2\n\n\xff", False), (None, False)]
)
def test_mounted_boot_id_belongs_to_a_container(
    mocker: MockerFixture, tmp_path: Path, mounts: str | None, expected: bool
) -> None:
    if mounts is not None:
        (tmp_path / "mountinfo").write_bytes(mounts.encode("latin-1"))
    mocker.patch.object(clock, "PROC_MOUNTINFO", tmp_path / "mountinfo")
    assert has_own_boot_id() is expected


@linux_only
def test_process_age_counts_from_its_start() -> None:
    code = (
        "import logging, time; from octoprint_uptime.clock import process_clock;"
        "time.sleep(0.5); print(process_clock(logging.getLogger()).read().seconds)"
    )
    before = time.monotonic()
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    took = time.monotonic() - before
    assert 0.5 <= float(run.stdout) <= took + 0.02


@linux_only
@pytest.mark.parametrize("name", ["octoprint", "a b", ") R 1 2", "((x) "])
def test_process_name_may_contain_spaces_and_brackets(tmp_path: Path, mocker: MockerFixture, name: str) -> None:
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2]
    (tmp_path / "stat").write_text(f"{os.getpid()} ({name}){fields}")
    real = process_clock(LOGGER).read()
    mocker.patch.object(clock, "PROC_STAT", tmp_path / "stat")
    read = process_clock(LOGGER).read()
    assert read.source == "proc"
    assert read.seconds == pytest.approx(real.seconds, abs=0.5)


# Renames the process with prctl, as setproctitle does, and then reads its age.
RENAMED = """
import ctypes, logging, sys
from octoprint_uptime.clock import process_clock
assert ctypes.CDLL(None).prctl(15, sys.argv[1].encode()) == 0
assert f"({sys.argv[1]})" in open("/proc/self/stat").read()
print(*process_clock(logging.getLogger()).read()[:2])
"""


@linux_only
@pytest.mark.parametrize("name", ["octo print", "o) R 1 (2"])
def test_renaming_does_not_change_the_process_age(name: str) -> None:
    before = time.monotonic()
    run = subprocess.run([sys.executable, "-c", RENAMED, name], check=True, capture_output=True, text=True)
    seconds, source = run.stdout.split()
    assert source == "proc"
    assert 0 <= float(seconds) <= time.monotonic() - before + 0.02


@linux_only
def test_unreadable_proc_uptime_is_skipped(mocker: MockerFixture, caplog: pytest.LogCaptureFixture) -> None:
    mocker.patch.object(clock, "PROC_UPTIME", Path("/proc/self/mem"))  # not even root can read its first page
    system = system_clock(LOGGER)
    assert [system.read().source for _ in range(3)] == ["psutil"] * 3
    (warning,) = warnings(caplog)
    assert "OSError(" in warning


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"garbage", b"nan 1", b"inf 1", b"-1.00 1.00", b"1e300", b"\xff\xfe", None]
)
def test_psutil_replaces_an_unusable_proc_uptime(
    tmp_path: Path, mocker: MockerFixture, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "uptime").write_bytes(content)
    mocker.patch.object(clock, "PROC_UPTIME", tmp_path / "uptime")
    system = system_clock(LOGGER)
    uptime = [system.read() for _ in range(3)][-1]
    assert uptime.source == "psutil"
    assert uptime.seconds == pytest.approx(time.time() - psutil.boot_time(), abs=1.5)
    (warning,) = warnings(caplog)
    assert "the host" in warning
    assert "proc" in warning


@pytest.mark.parametrize("content", [b"", b"1 (name) R", b"1 (name) " + b"x " * 50, None])
def test_psutil_replaces_an_unusable_stat(tmp_path: Path, mocker: MockerFixture, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "stat").write_bytes(content)
    mocker.patch.object(clock, "PROC_STAT", tmp_path / "stat")
    uptime = process_clock(LOGGER).read()
    assert uptime.source == "psutil"
    assert uptime.seconds == pytest.approx(time.time() - psutil.Process().create_time(), abs=1.5)


@pytest.mark.parametrize("which", ["the host", "OctoPrint"])
@pytest.mark.parametrize("broken", ["missing", "raises at import", "raises when asked"])
def test_broken_psutil_is_logged_once_if_proc_fails(
    tmp_path: Path, mocker: MockerFixture, caplog: pytest.LogCaptureFixture, broken: str, which: str
) -> None:
    if broken == "raises when asked":
        mocker.patch.object(psutil, "boot_time", fails(RuntimeError("no btime")))
        mocker.patch.object(psutil, "Process", fails(RuntimeError("no process")))
    elif broken == "missing":
        mocker.patch.dict(sys.modules, {"psutil": None})
    else:
        (tmp_path / "psutil.py").write_text("raise OSError('built for another machine')")
        mocker.patch.object(sys, "path", [str(tmp_path), *sys.path])
        mocker.patch.dict(sys.modules)
        del sys.modules["psutil"]
    make = {"the host": system_clock, "OctoPrint": process_clock}[which]
    if sys.platform == "linux":
        assert make(LOGGER).read().source == "proc"
        assert warnings(caplog) == []
    mocker.patch.object(clock, "PROC_UPTIME", tmp_path / "none")
    mocker.patch.object(clock, "PROC_STAT", tmp_path / "none")
    subject = make(LOGGER)
    assert [subject.read() for _ in range(3)] == [Uptime(None, None, None)] * 3
    assert [
        f"Could not read the uptime of {which} from {source}" in line
        for source, line in zip(("proc", "psutil"), warnings(caplog), strict=True)
    ] == [True, True]


def test_psutil_is_read_once(tmp_path: Path, mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "PROC_UPTIME", tmp_path / "none")
    system = system_clock(LOGGER)
    before = system.read()
    mocker.patch.object(psutil, "boot_time", return_value=0.0)
    after = system.read()
    assert before.seconds is not None
    assert after.seconds is not None
    assert 0 <= after.seconds - before.seconds < 1


def test_psutil_time_in_the_future_is_read_again(tmp_path: Path, mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "PROC_UPTIME", tmp_path / "none")
    mocker.patch.object(psutil, "boot_time", return_value=time.time() + 100)
    system = system_clock(LOGGER)
    assert system.read().seconds is None
    mocker.patch.object(psutil, "boot_time", return_value=time.time() - 100)
    assert system.read().seconds == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.01, 1e11])
def test_impossible_uptime_counts_as_failure(value: float) -> None:
    assert Clock("x", {"proc": lambda: value, "psutil": lambda: 7.0}, LOGGER).read()[:2] == (7.0, "psutil")


def test_uptime_is_not_rounded(wall: WallClock) -> None:
    uptime = Clock("x", {"proc": lambda: 3600.23456}, LOGGER).read()
    assert uptime.seconds == 3600.23456
    assert uptime.started == pytest.approx(wall() - 3600.23456, abs=1e-6)


@pytest.mark.parametrize("jitter", [-1.9, -1.2, -0.7, 0.0, 0.7, 1.2, 1.9])
def test_start_does_not_jitter(wall: WallClock, jitter: float) -> None:
    subject = Clock("x", {"proc": lambda: 3600.0}, LOGGER)
    first = start(subject)
    wall.time += jitter
    assert start(subject) == first


@pytest.mark.parametrize("step", [365 * 86400.0, -3600.0, 3.0, -3.0, 2.1])
def test_start_follows_the_wall_clock(wall: WallClock, step: float) -> None:
    subject = Clock("x", {"proc": lambda: 3600.0}, LOGGER)
    first = start(subject)
    wall.time += step
    assert start(subject) == pytest.approx(first + step, abs=1e-6)


def test_start_follows_slow_drift(wall: WallClock) -> None:
    subject = Clock("x", {"proc": lambda: 3600.0}, LOGGER)
    starts = []
    for _ in range(50):
        starts.append(start(subject))
        wall.time += 0.1
    assert len(set(starts)) == 3
    assert starts == sorted(starts)


def test_start_matches_the_restart_log(wall: WallClock) -> None:
    boot_offset()
    for drift in (0.5, 1.0, 1.0, 1.0, 1.0):  # the log may read the offset before or after a request
        wall.time += drift
        subject = Clock("x", {"proc": lambda: 3600.0}, LOGGER)
        assert start(subject) == pytest.approx(boot_offset() + 1400.0, abs=1e-6)


@pytest.mark.parametrize(
    ("uptime", "scope"),
    [
        (Uptime(5000.0, "proc", 0.0), "host"),
        (Uptime(4998.1, "proc", 0.0), "host"),
        (Uptime(4997.9, "proc", 0.0), "container"),
        (Uptime(60.0, "proc", 0.0), "container"),
        (Uptime(60.0, "psutil", 0.0), "host"),
        (Uptime(None, None, None), None),
    ],
)
def test_uptime_behind_the_boot_clock_is_of_a_container(
    mocker: MockerFixture, uptime: Uptime, scope: str | None
) -> None:
    mocker.patch.object(clock, "boot_clock", return_value=5000.0)
    assert scope_of(uptime) == scope


@linux_only
def test_boot_clock_matches_proc_uptime() -> None:
    assert boot_clock() == pytest.approx(float(Path("/proc/uptime").read_text().split()[0]), abs=0.5)


def test_offset_is_the_difference_of_the_clocks(wall: WallClock) -> None:
    assert boot_offset() + clock.boot_clock() == pytest.approx(wall(), abs=0.5)


@pytest.mark.parametrize(("step", "followed"), [(1.5, False), (-1.5, False), (3600.0, True), (-3.0, True)])
def test_offset_follows_the_wall_clock_without_jitter(wall: WallClock, step: float, followed: bool) -> None:
    first = boot_offset()
    wall.time += step
    assert boot_offset() - first == pytest.approx(step if followed else 0, abs=0.5)
    assert (boot_offset() == first) is not followed


def test_boot_id_is_read_from_linux(tmp_path: Path, mocker: MockerFixture) -> None:
    (tmp_path / "boot_id").write_text("06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd\n")
    mocker.patch.object(clock, "PROC_BOOT_ID", tmp_path / "boot_id")
    assert boot_id() == "06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd"


@pytest.mark.parametrize("content", [b"", b"\n", None])
def test_boot_without_id_is_named_by_its_time(
    tmp_path: Path, mocker: MockerFixture, wall: WallClock, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "boot_id").write_bytes(content)
    mocker.patch.object(clock, "PROC_BOOT_ID", tmp_path / "boot_id")
    first = boot_id()
    assert int(first) == pytest.approx(wall() - clock.boot_clock(), abs=1)
    wall.time += 20
    assert same_boot(first, boot_id())
    wall.time += 200
    assert not same_boot(first, boot_id())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd", "06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd", True),
        ("06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd", "06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0ce", False),
        ("06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd", "1770000000", False),
        ("1770000000", "1770000060", True),
        ("1770000061", "1770000000", False),
        ("anything", "anything", True),
    ],
)
def test_same_boot_compares_ids_or_times(one: str, other: str, same: bool) -> None:
    assert same_boot(one, other) is same
    assert same_boot(other, one) is same
