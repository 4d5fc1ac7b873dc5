"""Test what is read from the operating system, with replaced files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from octoprint_uptime.evidence import system
from octoprint_uptime.evidence.records import Process, Signs

VMSTAT = "nr_free_pages 12\noom_kill 3\noom_kill_disable 9\nunevictable 7\n"
MEMINFO = "MemTotal:        1893556 kB\nMemFree:          103020 kB\nMemAvailable:      13672 kB\nBuffers:  1 kB\n"
INVOCATION = "0123456789abcdef0123456789abcdef"
# Files of devices that nobody has here: the bytes of power_reset and what they mean.
POWER_RESETS = [
    (b"\0\0\0\0", 0),
    (b"\0\0\0\2", 2),
    (b"\0\0\1\2", 258),
    (b"\0\0\2", None),
    (b"\0\0\0\0\2", None),
    (b"", None),
]


@pytest.fixture(autouse=True)
def _files(mocker: MockerFixture, tmp_path: Path) -> None:
    for name in ("PROC_VMSTAT", "PROC_MEMINFO", "PROC_COMM", "POWER_RESET"):
        mocker.patch.object(system, name, tmp_path / name)


def test_missing_files_are_unknown() -> None:
    assert system.counters() == Signs()
    assert system.process().power_reset is None
    assert system.command() == ""


def test_real_counters(mocker: MockerFixture) -> None:
    mocker.stopall()
    found = system.counters()
    assert found.oom_kills is not None
    assert found.memory is not None
    assert found.memory > 1_000_000
    assert system.command()


def test_counters(tmp_path: Path) -> None:
    (tmp_path / "PROC_VMSTAT").write_text(VMSTAT)
    (tmp_path / "PROC_MEMINFO").write_text(MEMINFO)
    assert system.counters() == Signs(3, 13672 * 1024)


@pytest.mark.parametrize(
    ("vmstat", "meminfo", "expected"),
    [
        ("nr_free_pages 12\n", MEMINFO, Signs(None, 13672 * 1024)),
        (VMSTAT, "MemFree: 103020 kB\n", Signs(3, None)),
        ("oom_kill -3\n", "MemAvailable: 13672 MB\n", Signs()),
        ("oom_kill many\n", "MemAvailable: kB\n", Signs()),
        (f"oom_kill {'9' * 99}\n", f"MemAvailable: {'9' * 99} kB\n", Signs()),
    ],
)
def test_missing_or_malformed_counter_is_unknown(tmp_path: Path, vmstat: str, meminfo: str, expected: Signs) -> None:
    (tmp_path / "PROC_VMSTAT").write_text(vmstat)
    (tmp_path / "PROC_MEMINFO").write_text(meminfo)
    assert system.counters() == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(), st.binary())
def test_any_file_is_read(tmp_path: Path, garbage: bytes, register: bytes) -> None:
    (tmp_path / "PROC_VMSTAT").write_bytes(b"oom_kill " + garbage)
    (tmp_path / "PROC_MEMINFO").write_bytes(b"MemAvailable: " + garbage)
    (tmp_path / "PROC_COMM").write_bytes(garbage)
    (tmp_path / "POWER_RESET").write_bytes(register)
    for number in system.counters()[:2]:
        assert number is None or 0 <= number < 10**13
    system.command()
    system.process()


def test_command(tmp_path: Path) -> None:
    (tmp_path / "PROC_COMM").write_text("octo print\n")
    assert system.command() == "octo print"


@pytest.mark.parametrize(
    ("invocation", "pid", "expected"),
    [
        (INVOCATION, "own", INVOCATION),
        (INVOCATION, "1", None),  # a shell in another unit
        (INVOCATION, None, None),  # systemd older than v248
        (None, "own", None),
        (INVOCATION.upper(), "own", None),
        (f"{INVOCATION}0", "own", None),
        ("", "own", None),
    ],
)
def test_invocation_counts_only_for_the_units_own_process(
    monkeypatch: pytest.MonkeyPatch, invocation: str | None, pid: str | None, expected: str | None
) -> None:
    own = str(os.getpid())
    monkeypatch.delenv("MANAGERPID", raising=False)
    for name, value in (("INVOCATION_ID", invocation), ("SYSTEMD_EXEC_PID", own if pid == "own" else pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert system.process() == Process(int(own), expected, None)


def test_unit_of_a_user_has_no_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal has what a user's systemd says under other fields."""
    environment = {"INVOCATION_ID": INVOCATION, "SYSTEMD_EXEC_PID": str(os.getpid()), "MANAGERPID": "812"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert system.process().invocation is None


@pytest.mark.parametrize(("content", "expected"), POWER_RESETS)
def test_power_reset_has_four_bytes(tmp_path: Path, content: bytes, expected: int | None) -> None:
    (tmp_path / "POWER_RESET").write_bytes(content)
    assert system.process().power_reset == expected
