"""Test the clocks, with real and fake sources."""

import itertools
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
    is_synchronized,
    is_time,
    process_clock,
    same_boot,
    system_clock,
)
from octoprint_uptime.readings import Reading

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def fails(error: Exception) -> Callable[[], float]:
    def source() -> float:
        raise error

    return source


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@linux_only
def test_source_that_takes_long_falsifies_no_age(mocker: MockerFixture) -> None:
    """A busy machine may take its time between two steps, and the first reading counts for good."""
    read_bytes = Path.read_bytes

    def slowly(path: Path) -> bytes:
        time.sleep(0.2)
        return read_bytes(path)

    mocker.patch.object(Path, "read_bytes", slowly)
    subject = process_clock(LOGGER)
    ticks = int(read_bytes(Path("/proc/self/stat")).rpartition(b")")[2].split()[19])
    before = boot_clock() - ticks / os.sysconf("SC_CLK_TCK")
    assert (subject.read().seconds or 0) >= before + 0.15


class WallClock:
    """Replace `time.time` with a clock that the test sets, while the boot clock stands still."""

    _days = itertools.count()  # one for each test, because a small change would keep the last offset

    def __init__(self) -> None:
        self.time = 1772366400.4 + 86400 * next(self._days)  # from 2026-03-01 12:00 UTC

    def __call__(self) -> float:
        return self.time


class Fixed:
    """Replace a source with one that always returns the same reading."""

    scope = None

    def __init__(self, uptime: float) -> None:
        self._reading = Reading(5000.0, uptime)

    def read(self) -> Reading:
        return self._reading


class Machine:
    """Replace the boot clock and the files of a machine whose OctoPrint started when it had been up for 4000 seconds.

    `read` lets some seconds pass and then reads the host's uptime from the file, which is this far behind the boot
    clock unless the test gives its content.
    """

    def __init__(self, folder: Path, mocker: MockerFixture, lag: float) -> None:
        self.boot_clock = 5000.0
        self.lag = lag
        self._uptime = folder / "uptime"
        fields = " ".join(["0"] * 18)
        (folder / "stat").write_text(f"1 (octoprint) S {fields} {4000 * os.sysconf('SC_CLK_TCK')} 0")
        mocker.patch.object(clock, "PROC_UPTIME", self._uptime)
        mocker.patch.object(clock, "PROC_STAT", folder / "stat")
        mocker.patch.object(clock, "boot_clock", self._boot_clock)
        mocker.patch.object(time, "time", self._wall_clock)
        self.boot_time = mocker.patch.object(psutil, "boot_time", return_value=1772366400.0)
        self.system = system_clock(LOGGER)

    def _boot_clock(self) -> float:
        return self.boot_clock

    def _wall_clock(self) -> float:
        return 1772366400.0 + self.boot_clock

    def read(self, after: float, content: str | None = None) -> Uptime:
        self.boot_clock += after
        self._uptime.write_text(f"{self.boot_clock - self.lag:.2f} 1.00\n" if content is None else content)
        return self.system.read()


@pytest.fixture
def machine(tmp_path: Path, mocker: MockerFixture) -> Callable[[float], Machine]:
    return lambda lag: Machine(tmp_path, mocker, lag)


MakeMachine = Callable[[float], Machine]


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
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="/")
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
    run = subprocess.run([sys.executable, "-c", RENAMED, name], check=True, capture_output=True, text=True, cwd="/")
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
@pytest.mark.parametrize("broken", ["missing", "lacks a part", "raises at import", "raises when asked"])
def test_broken_psutil_is_logged_once_if_proc_fails(
    tmp_path: Path, mocker: MockerFixture, caplog: pytest.LogCaptureFixture, broken: str, which: str
) -> None:
    if broken == "raises when asked":
        mocker.patch.object(psutil, "boot_time", fails(RuntimeError("no btime")))
        mocker.patch.object(psutil, "Process", fails(RuntimeError("no process")))
    elif broken == "missing":
        mocker.patch.dict(sys.modules, {"psutil": None})
    else:
        code = {
            "lacks a part": "import _no_such_part",
            "raises at import": "raise OSError('built for another machine')",
        }
        (tmp_path / "psutil.py").write_text(code[broken])
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
    assert [subject.read() for _ in range(3)] == [Uptime(None, None, None, None, broken == "missing")] * 3
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
    boot_time = psutil.boot_time()
    mocker.patch.object(psutil, "boot_time", return_value=time.time() + 100)
    system = system_clock(LOGGER)
    assert system.read().seconds is None
    mocker.patch.object(psutil, "boot_time", return_value=boot_time)
    assert system.read().seconds == pytest.approx(time.time() - boot_time, abs=0.5)


class Changing:
    """Replace a source with one that always changes. Its scope is the name of its last reading."""

    def __init__(self) -> None:
        self._count = 0
        self.scope = ""

    def read(self) -> Reading:
        self._count += 1
        count = self._count
        self.scope = f"{count}.0"
        time.sleep(0.001)  # lets other threads run
        return Reading(5000.0, float(count))


def test_scope_belongs_to_the_reading_in_every_thread() -> None:
    subject = Clock("x", {"proc": Changing()}, LOGGER)
    with ThreadPoolExecutor(8) as pool:
        uptimes = list(pool.map(lambda _: subject.read(), range(100)))
    assert sorted(uptime.seconds or 0 for uptime in uptimes) == list(range(1, 101))
    assert [uptime for uptime in uptimes if uptime.scope != str(uptime.seconds)] == []


def test_uptime_is_not_rounded(wall: WallClock) -> None:
    uptime = Clock("x", {"proc": Fixed(3600.23456)}, LOGGER).read()
    assert uptime.seconds == 3600.23456
    assert uptime.started == pytest.approx(wall() - 3600.23456, abs=1e-6)


@pytest.mark.parametrize("jitter", [-1.9, -1.2, -0.7, 0.0, 0.7, 1.2, 1.9])
def test_start_does_not_jitter(wall: WallClock, jitter: float) -> None:
    subject = Clock("x", {"proc": Fixed(3600.0)}, LOGGER)
    first = start(subject)
    wall.time += jitter
    assert start(subject) == first


@pytest.mark.parametrize("step", [365 * 86400.0, -3600.0, 3.0, -3.0, 2.1])
def test_start_follows_the_wall_clock(wall: WallClock, step: float) -> None:
    subject = Clock("x", {"proc": Fixed(3600.0)}, LOGGER)
    first = start(subject)
    wall.time += step
    assert start(subject) == pytest.approx(first + step, abs=1e-6)


def test_start_follows_slow_drift(wall: WallClock) -> None:
    subject = Clock("x", {"proc": Fixed(3600.0)}, LOGGER)
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
        subject = Clock("x", {"proc": Fixed(3600.0)}, LOGGER)
        assert start(subject) == pytest.approx(boot_offset() + 1400.0, abs=1e-6)


@linux_only
@pytest.mark.parametrize(("lag", "scope"), [(0, "host"), (1.9, "host"), (-1.9, "host"), (2.1, "container")])
def test_uptime_behind_the_boot_clock_is_of_a_container(machine: MakeMachine, lag: float, scope: str) -> None:
    uptime = machine(lag).read(0)
    assert (uptime.seconds, uptime.source, uptime.scope) == (5000 - lag, "proc", scope)


@linux_only
def test_scope_does_not_jitter(machine: MakeMachine) -> None:
    """A container that started with its host is two seconds younger, give or take lxcfs' rounding."""
    host = machine(2.1)
    for lag in (2.1, 1.9, 2.4, 1.6, 2.1):
        host.lag = lag
        assert host.read(10).scope == "container"


@linux_only
@pytest.mark.parametrize("after", [1.0, 10.0, 3600.0])
def test_uptime_that_stands_still_is_not_reported(
    machine: MakeMachine, caplog: pytest.LogCaptureFixture, after: float
) -> None:
    """proot-distro on Android binds a constant file over /proc/uptime."""
    host = machine(0)
    host.read(0, "1200.50 0.00")
    while host.boot_clock <= 5002:  # two seconds are not enough to see it
        uptime = host.read(after, "1200.50 0.00")
    for _ in range(5):
        assert (uptime.seconds, uptime.source, uptime.scope) == (host.boot_clock, "psutil", "host")
        uptime = host.read(after, "1200.50 0.00")
    (warning,) = warnings(caplog)
    assert "stays at 1200.5 seconds" in warning


@linux_only
@pytest.mark.parametrize(
    ("boot_time", "expected"),
    [
        (-86400, (None, None)),  # before the boot
        (4100, (None, None)),  # after this process started
        (100, (5310.0 - 100, "psutil")),  # plausible, so it runs
    ],
)
def test_constant_btime_is_checked_and_runs(
    machine: MakeMachine, boot_time: float, expected: tuple[float | None, str | None]
) -> None:
    """proot-distro has a constant /proc/stat, too."""
    host = machine(0)
    host.boot_time.return_value = 1772366400.0 + boot_time
    host.read(0, "1200.50 0.00")
    host.read(300, "1200.50 0.00")
    assert host.read(10, "1200.50 0.00")[:2] == expected


@linux_only
@pytest.mark.parametrize("bad", ["0.00 0.00", "0.0 0.0", "-1 0", "", "9e9 1", "nan 1", "inf 1", "450 1", "garbage"])
@pytest.mark.parametrize("lag", [0.0, 3900.0])
@pytest.mark.parametrize("after", [1.0, 60.0, 3600.0])
def test_flicker_changes_nothing(machine: MakeMachine, bad: str, lag: float, after: float) -> None:
    """Old lxcfs shows 0.0 now and then."""
    host = machine(lag)
    first = host.read(0)
    assert first.source == "proc"
    for content in (None, bad, None, bad, bad, None, bad):
        uptime = host.read(after, content)
        assert uptime.seconds == pytest.approx(host.boot_clock - lag, abs=0.01)
        assert uptime[1:] == first[1:]  # source, start and scope


@linux_only
@pytest.mark.parametrize("seconds", [5002.1, 93784.25, 997.9, 0.0])
def test_implausible_proc_uptime_is_not_reported(
    machine: MakeMachine, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    """The host is up for 5000 seconds, and this process for 1000."""
    assert machine(0).read(0, f"{seconds} 1")[:2] == (5000.0, "psutil")
    (warning,) = warnings(caplog)
    assert f"{seconds} seconds is not between" in warning


@linux_only
@pytest.mark.parametrize(("seconds", "known"), [(5001.9, True), (5002.1, False), (998.1, True), (997.9, False)])
def test_implausible_psutil_uptime_is_not_reported(machine: MakeMachine, seconds: float, known: bool) -> None:
    host = machine(0)
    host.boot_time.return_value = 1772366400.0 + 5000 - seconds
    uptime = host.read(0, "")
    assert uptime.seconds == (pytest.approx(seconds) if known else None)
    assert not uptime.lacks_psutil


@pytest.mark.parametrize("platform", ["darwin", "win32"])
@pytest.mark.parametrize(("seconds", "known"), [(5001.9, True), (5002.1, False), (0.0, True), (-0.1, False)])
def test_psutil_alone_is_checked_without_proc(
    machine: MakeMachine, mocker: MockerFixture, platform: str, seconds: float, known: bool
) -> None:
    """The age of the process is unknown there, so the lower bound is the plugin's own age."""
    mocker.patch.object(sys, "platform", platform)
    host = machine(0)
    host.boot_time.return_value = 1772366400.0 + 5000 - seconds
    assert host.read(0)[:2] == ((pytest.approx(seconds), "psutil") if known else (None, None))


@linux_only
@pytest.mark.parametrize("lag", [0.0, 3900.0])
def test_sleep_and_restored_machines_are_believed(machine: MakeMachine, lag: float) -> None:
    """Both clocks include sleep, and go back together when a virtual machine is restored."""
    host = machine(lag)
    for after in (10, 86400, 10, -50000, 10):
        uptime = host.read(after)
        assert uptime.seconds == pytest.approx(host.boot_clock - lag, abs=0.01)
        assert uptime.source == "proc"


@linux_only
def test_uptime_that_runs_again_is_believed_again(machine: MakeMachine) -> None:
    host = machine(3900)
    host.read(0, "1200.50 0.00")
    assert [host.read(5, "1200.50 0.00").source for _ in range(3)] == ["psutil"] * 3
    assert [host.read(5).source for _ in range(4)] == ["psutil", "psutil", "proc", "proc"]
    assert host.read(5).scope == "container"


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


def test_timesyncd_shows_that_the_clock_is_synchronized(tmp_path: Path, mocker: MockerFixture) -> None:
    mocker.patch.object(clock, "SYNCHRONIZED", tmp_path / "synchronized")
    assert not is_synchronized()
    (tmp_path / "synchronized").touch()
    assert is_synchronized()
    mocker.patch.object(clock, "SYNCHRONIZED", tmp_path / "synchronized" / "file")
    assert not is_synchronized()


@pytest.mark.parametrize(
    ("boot", "expected"),
    [("1772366400", True), ("-1", True), ("06a2c4c4-6de3-4f86-a5d3-b0c61d2cb0cd", False), ("", False), ("1e9", False)],
)
def test_name_shows_whether_it_is_only_a_time(boot: str, expected: bool) -> None:
    assert is_time(boot) is expected
