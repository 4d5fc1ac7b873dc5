"""Test questions to the journal, with a fake journalctl."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from fake_journal import FakeJournal
from octoprint_uptime.evidence import journal
from octoprint_uptime.evidence.records import Answer, Process

PROCESS = Process(700, "0123456789abcdef0123456789abcdef")
BOOT = "01234567-89ab-cdef-0123-456789abcdef"
KILL = r"Killed process 700 \(octoprint\)"

EXITED = {
    "MESSAGE": "octoprint.service: Main process exited, code=killed, status=9/KILL",
    "EXIT_CODE": "killed",
    "EXIT_STATUS": "9",
    "__REALTIME_TIMESTAMP": "1772366400000000",
}
FAILED = {"MESSAGE": "octoprint.service: Failed with result 'signal'.", "UNIT_RESULT": "signal"}
KERNEL = {"MESSAGE": "Out of memory: Killed process 700 (octoprint) total-vm:1kB, anon-rss:1kB, UID:1000"}
LIMITED = {"MESSAGE": "Memory cgroup out of memory: Killed process 700 (octoprint) total-vm:1kB"}
FOUND = Answer("found", False, "signal", "killed", 9)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeJournal:
    fake = FakeJournal(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(fake.folder), prepend=os.pathsep)
    return fake


def ask() -> Answer:
    return journal.ask(PROCESS, BOOT, "octoprint")


def numbers(text: str) -> list[int]:
    return list(text.encode())


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([FAILED, EXITED], FOUND),
        ([EXITED], FOUND._replace(unit_result=None)),
        ([FAILED], Answer("found", unit_result="signal")),
        ([FAILED | {"UNIT_RESULT": "oom-kill"}], Answer("found", unit_result="oom-kill")),
        ([KERNEL], Answer("found", True)),
        ([LIMITED], Answer("found", True)),
        ([FAILED, EXITED, KERNEL], FOUND._replace(killed_for_memory=True)),
        ([{"MESSAGE": numbers(KERNEL["MESSAGE"])}], Answer("found", True)),
        ([EXITED | {"MESSAGE": [*numbers(EXITED["MESSAGE"]), 255]}], FOUND._replace(unit_result=None)),
        # Another process, another program with the same id, and records without the fields.
        ([{"MESSAGE": "Out of memory: Killed process 7000 (octoprint) total-vm:1kB"}], Answer("nothing_found")),
        ([{"MESSAGE": "Out of memory: Killed process 700 (python3) total-vm:1kB"}], Answer("nothing_found")),
        ([{"MESSAGE": EXITED["MESSAGE"]}], Answer("nothing_found")),
        ([EXITED | {"EXIT_STATUS": "KILL"}], Answer("nothing_found")),
        ([EXITED | {"EXIT_STATUS": ["9", "9"], "UNIT_RESULT": None}], Answer("nothing_found")),
        ([], Answer("nothing_found")),
    ],
)
def test_records(fake: FakeJournal, records: list[dict[str, Any]], expected: Answer) -> None:
    fake.says(*records)
    assert ask() == expected


def test_question_is_about_this_run_only(fake: FakeJournal) -> None:
    fake.says(EXITED)
    ask()
    (call,) = fake.calls
    assert {"--quiet", "--no-pager", "--output=json", "--lines=20"} < set(call)
    assert f"--grep=Main process exited|Failed with result|{KILL}" in call
    assert call[-6:] == [
        *("_PID=1", f"INVOCATION_ID={PROCESS.invocation}", "+", "_TRANSPORT=kernel"),
        *(f"_BOOT_ID={BOOT.replace('-', '')}", "PRIORITY=3"),
    ]


def test_silence_is_checked(fake: FakeJournal) -> None:
    """A journal that can't be read is silent, too."""
    fake.says(can_see=False)
    assert ask() == Answer("unavailable")
    _, call = fake.calls
    assert call[-2:] == ["_PID=1", f"_BOOT_ID={BOOT.replace('-', '')}"]


@pytest.mark.parametrize(
    ("question", "control", "expected"),
    [
        ("cat /dev/urandom | head -c 1000000", "head -c 99 /dev/urandom", "unavailable"),
        ('yes \'{"MESSAGE": "moon"}\' | head -c 1000000', "cat any", "nothing_found"),
        ("yes '[' | tr -d '\\n' | head -c 1000000", "cat any", "nothing_found"),
        ("echo 7; echo null; echo '[1]'; echo '\"x\"'", "echo null", "unavailable"),
        ("echo 'Hint: You are currently not seeing messages'; exit 1", ":", "unavailable"),
        ("kill -9 $$", "kill -9 $$", "unavailable"),
    ],
)
def test_garbage_is_no_record(fake: FakeJournal, question: str, control: str, expected: str) -> None:
    fake.says()
    fake.runs(question, control)
    assert ask() == Answer(expected)


def test_one_record_among_garbage_is_found(fake: FakeJournal) -> None:
    fake.says(EXITED)
    fake.runs("echo '{'; echo; cat records; head -c 99 /dev/urandom")
    assert ask() == FOUND._replace(unit_result=None)


def test_hanging_journalctl_is_killed(mocker: MockerFixture, fake: FakeJournal) -> None:
    mocker.patch.object(journal, "TIMEOUT_SECONDS", 0.2)
    fake.runs("exec sleep 60", "exec sleep 60")
    started = time.monotonic()
    assert ask() == Answer("unavailable")
    assert time.monotonic() - started < 10
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "question", ["kill -9 $$", "exec sleep 60", "echo 'Compiled without pattern matching support' >&2; exit 1"]
)
def test_question_that_failed_has_no_answer(mocker: MockerFixture, fake: FakeJournal, question: str) -> None:
    """The journal has records of that boot, but the question about this run failed."""
    mocker.patch.object(journal, "TIMEOUT_SECONDS", 0.2)
    fake.says()
    fake.runs(question, "cat any")
    assert ask() == Answer("unavailable")


def test_record_before_a_hang_is_found(mocker: MockerFixture, fake: FakeJournal) -> None:
    mocker.patch.object(journal, "TIMEOUT_SECONDS", 1)
    fake.says(EXITED)
    fake.runs("cat records; exec sleep 60")
    assert ask() == FOUND._replace(unit_result=None)


def test_system_without_journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask() == Answer("unavailable")
    (tmp_path / "journalctl").write_text("not a program")
    (tmp_path / "journalctl").chmod(0o755)
    assert ask() == Answer("unavailable")


def test_process_that_can_not_be_asked_about() -> None:
    assert journal.ask(PROCESS._replace(invocation="\0"), BOOT, "\0(") == Answer("unavailable")


texts = st.text() | st.sampled_from(["killed", "9", "signal", KERNEL["MESSAGE"]])
values: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.floats() | texts | st.lists(st.integers(-1, 256) | texts) | st.just({"x": []})
)
records = st.dictionaries(st.sampled_from(["MESSAGE", "EXIT_CODE", "EXIT_STATUS", "UNIT_RESULT", "x"]), values)


@given(st.binary() | st.lists(records).map(lambda many: "\n".join(map(json.dumps, many)).encode()))
@example(b"[" * 100_000)
@example(b"9" * 10_000)
@example(json.dumps(EXITED | {"EXIT_STATUS": "9" * 5000}).encode())
@example(json.dumps({"MESSAGE": [256]}).encode() + b"\n" + json.dumps({"MESSAGE": [True]}).encode())
def test_any_output_is_read(output: bytes) -> None:
    answer = journal.answer_from(output, KILL)
    assert answer.journal in ("found", None)
    assert answer.exit_status is None or 0 <= answer.exit_status < 1000
