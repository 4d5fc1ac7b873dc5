"""Test what events and the setting make the restart log record."""

from __future__ import annotations

from typing import Any
from unittest.mock import NonCallableMagicMock

import pytest
from pytest_mock import MockerFixture

from octoprint_uptime import recording
from octoprint_uptime.clock import Clock, Uptime
from octoprint_uptime.recording import Recording
from octoprint_uptime.restart_log import Print, Progress, RestartLog

ID = "octoprint_uptime"
NOW = 1000.0
STARTED = 940.0
BENCHY = Print("parts/benchy.gcode", "local", NOW, None)
PAYLOAD = {"name": "benchy.gcode", "path": "parts/benchy.gcode", "origin": "local", "size": 5}


@pytest.fixture
def log(mocker: MockerFixture) -> NonCallableMagicMock:
    mocker.patch.object(recording, "boot_clock", return_value=NOW)
    log: NonCallableMagicMock = mocker.create_autospec(RestartLog, instance=True)
    return log


@pytest.fixture
def subject(mocker: MockerFixture, log: NonCallableMagicMock) -> Recording:
    process = mocker.create_autospec(Clock, instance=True)
    process.read.return_value = Uptime(NOW - STARTED, "proc", None)
    current = {"progress": {"completion": 12.5, "filepos": 5000}}
    return Recording(log, process, ID, lambda: current)


def calls(log: NonCallableMagicMock) -> list[Any]:
    found = list(log.method_calls)
    log.reset_mock()
    return found


def test_recording_follows_the_setting(mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording) -> None:
    subject.start(True)
    assert calls(log) == [mocker.call.begin(STARTED, STARTED, mocker.ANY)]
    subject.switch(True)
    assert calls(log) == []
    subject.switch(False)
    assert calls(log) == [mocker.call.switch_off()]
    subject.switch(False)
    assert calls(log) == []
    subject.switch(True)
    assert calls(log) == [mocker.call.begin(STARTED, NOW, mocker.ANY)]


def test_print_is_recorded_after_switching_on(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording
) -> None:
    subject.start(False)
    subject.on_event("PrintStarted", PAYLOAD)
    assert calls(log) == []
    subject.switch(True)
    assert calls(log) == [mocker.call.begin(STARTED, NOW, mocker.ANY), mocker.call.printing(BENCHY)]


@pytest.mark.parametrize("end", ["PrintDone", "PrintFailed", "PrintCancelled"])
def test_print_is_recorded_from_start_to_end(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, end: str
) -> None:
    subject.start(True)
    calls(log)
    for event in ("PrintStarted", "PrintPaused", "Upload", "PrintResumed", end, "PrintResumed"):
        subject.on_event(event, PAYLOAD)
    assert calls(log) == [mocker.call.printing(print_) for print_ in (BENCHY, BENCHY, BENCHY, None, None)]


@pytest.mark.parametrize("payload", [{"name": None, "path": None, "origin": None}, {"path": 5, "origin": {}}, {}, None])
def test_print_without_a_name_is_recorded(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, payload: dict[str, Any] | None
) -> None:
    subject.start(True)
    calls(log)
    subject.on_event("PrintStarted", payload)
    assert calls(log) == [mocker.call.printing(Print("", None, NOW, None))]


def test_log_reads_the_progress(log: NonCallableMagicMock, subject: Recording) -> None:
    """Check that the height is unknown until it changes during the print."""
    subject.start(True)
    read_progress = log.begin.call_args.args[2]
    subject.on_event("ZChange", {"new": 7.0, "old": 0.0})
    subject.on_event("PrintStarted", PAYLOAD)
    assert read_progress() == Progress(12.5, 5000, None, NOW)
    subject.on_event("ZChange", {"new": 0.2, "old": 7.0})
    assert read_progress() == Progress(12.5, 5000, 0.2, NOW)


@pytest.mark.parametrize("event", ["ZChange", "PrintDone", "plugin_pluginmanager_disable_plugin", "Startup"])
def test_events_may_lack_details(subject: Recording, event: str) -> None:
    subject.on_event(event, None)
    subject.on_event(event, {})


@pytest.mark.parametrize(("off", "on"), [("disable", "enable"), ("uninstall", "install")])
def test_recording_follows_the_plugin_manager(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, off: str, on: str
) -> None:
    subject.start(True)
    calls(log)
    subject.on_event(f"plugin_pluginmanager_{off}_plugin", {"id": "another"})
    assert calls(log) == []
    subject.on_event(f"plugin_pluginmanager_{off}_plugin", {"id": ID})
    assert calls(log) == [mocker.call.switch_off()]
    subject.switch(False)
    subject.switch(True)
    subject.on_event("PrintStarted", PAYLOAD)
    assert calls(log) == [], "the plugin is disabled from the next start on"
    subject.on_event(f"plugin_pluginmanager_{on}_plugin", {"id": ID})
    assert calls(log) == [mocker.call.begin(STARTED, NOW, mocker.ANY), mocker.call.printing(BENCHY)]
