"""Test what events and the setting make the restart log record, and which print OctoPrint's printer shows."""

from __future__ import annotations

from typing import Any
from unittest.mock import NonCallableMagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from octoprint_uptime import recording
from octoprint_uptime.clock import Clock, Uptime
from octoprint_uptime.evidence.records import Signs
from octoprint_uptime.recording import Printer, Recording, current_print
from octoprint_uptime.restart_log import Print, Progress, RestartLog
from throttle_states import PI_3_AND_5, STATES

ID = "octoprint_uptime"
NOW = 1000.0
STARTED = 940.0
PATH = "parts/benchy.gcode"
BENCHY = Print(PATH, "local", None, None, True)
UNATTENDED = BENCHY._replace(streamed=False)
HALF = Progress(50.0, 5000, None, NOW)
PROGRESS = {"completion": 50.0, "filepos": 5000}

# OctoPrint's flags in its states. "Printing" includes all in which a job is not paused; 2.0 includes that one, too.
OPERATIONAL = {"operational": True, "printing": False, "paused": False, "cancelling": False, "finishing": False}
PRINTING = {**OPERATIONAL, "printing": True}
PAUSED = {**OPERATIONAL, "paused": True}
PAUSED_IN_2 = {**PRINTING, "paused": True}
PAUSING = {**PRINTING, "pausing": True}
CANCELLING = {**PRINTING, "cancelling": True}
FINISHING = {**PRINTING, "finishing": True}
NO_FILE = {"name": None, "path": None, "origin": None, "size": None}


def data(
    flags: object = PRINTING, path: object = PATH, origin: object = "local", text: str = "Printing", **file: object
) -> dict[str, Any]:
    """Return what OctoPrint's printer says of itself."""
    return {
        "state": {"text": text, "flags": flags, "error": ""},
        "job": {"file": {**NO_FILE, "path": path, "origin": origin, **file}, "user": None},
        "progress": PROGRESS,
    }


IDLE = data(OPERATIONAL)


class FakePrinter:
    """OctoPrint's printer, whose state a test sets."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = IDLE
        self.connector: str | None = "serial"


@pytest.fixture
def printer() -> FakePrinter:
    return FakePrinter()


@pytest.fixture
def log(mocker: MockerFixture) -> NonCallableMagicMock:
    mocker.patch.object(recording, "boot_clock", return_value=NOW)
    log: NonCallableMagicMock = mocker.create_autospec(RestartLog, instance=True)
    return log


@pytest.fixture
def subject(mocker: MockerFixture, log: NonCallableMagicMock, printer: FakePrinter) -> Recording:
    process = mocker.create_autospec(Clock, instance=True)
    process.read.return_value = Uptime(NOW - STARTED, "proc", None)
    return Recording(log, process, ID, Printer(lambda: printer.data, lambda: printer.connector))


def calls(log: NonCallableMagicMock) -> list[Any]:
    found = list(log.method_calls)
    log.reset_mock()
    return found


def read_print(log: NonCallableMagicMock) -> Print | None:
    """Ask as the log does before it writes."""
    found: Print | None = log.begin.call_args.args[2]()
    return found


# The print that the printer shows


@pytest.mark.parametrize("flags", [PRINTING, PAUSED, PAUSED_IN_2, PAUSING])
def test_print_is_on_while_it_runs_or_is_paused(flags: dict[str, bool]) -> None:
    assert current_print(data(flags), "serial") == BENCHY


@pytest.mark.parametrize("flags", [OPERATIONAL, CANCELLING, FINISHING])
def test_print_is_over_once_it_is_cancelled_or_its_last_line_was_sent(flags: dict[str, bool]) -> None:
    assert current_print(data(flags), "serial") is None


@pytest.mark.parametrize("flags", [PRINTING, PAUSED])
@pytest.mark.parametrize("connector", ["serial", None])
def test_disconnected_printer_does_not_print(flags: dict[str, bool], connector: str | None) -> None:
    """1.11 clears the job before the flags, 2.0 the connection before both."""
    path = None if connector == "serial" else PATH
    assert current_print(data(flags, path=path), connector) is None


@pytest.mark.parametrize(
    "uploading",
    [data(text="Sending file to SD", origin="sdcard"), data(origin="printer", upload=True)],
    ids=["1.11", "2.0"],
)
def test_upload_to_the_printers_card_is_no_print(uploading: dict[str, Any]) -> None:
    assert current_print(uploading, "serial") is None


@pytest.mark.parametrize(
    ("connector", "origin", "streamed"),
    [
        ("serial", "local", True),
        ("serial", "sdcard", False),  # 1.11's name of the printer's card
        ("serial", "printer", False),  # 2.0's
        ("moonraker", "local", False),
        ("bambu", "printer", False),
    ],
)
def test_only_a_local_file_over_a_serial_connection_is_streamed(connector: str, origin: str, streamed: bool) -> None:
    assert current_print(data(origin=origin, upload=False), connector) == Print(PATH, origin, None, None, streamed)


def test_print_without_a_job_is_unattended() -> None:
    """A printer that was printing already when OctoPrint connected to it may not say what."""
    assert current_print(data(path=None, origin=None), "moonraker") == Print("", None, None, None, False)


@pytest.mark.parametrize("nonsense", [5, {}, [], b"x"])
def test_bad_field_costs_only_that_field(nonsense: object) -> None:
    assert current_print(data(path=nonsense), "serial") == BENCHY._replace(path="")
    assert current_print(data(origin=nonsense), "serial") == UNATTENDED._replace(origin=None)
    assert current_print(data() | {"job": nonsense}, "moonraker") == Print("", None, None, None, False)
    assert current_print(data(nonsense) | {"state": nonsense}, "serial") is None
    assert current_print({}, "serial") is None


# What the log reads and when


def test_recording_follows_the_setting(mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording) -> None:
    subject.start(True)
    assert calls(log) == [mocker.call.begin(STARTED, STARTED, mocker.ANY, mocker.ANY)]
    subject.switch(True)
    assert calls(log) == []
    subject.switch(False)
    assert calls(log) == [mocker.call.switch_off()]
    subject.switch(False)
    assert calls(log) == []
    subject.switch(True)
    assert calls(log) == [mocker.call.begin(STARTED, NOW, mocker.ANY, mocker.ANY)]


def test_print_is_known_after_switching_on(log: NonCallableMagicMock, subject: Recording, printer: FakePrinter) -> None:
    subject.start(False)
    printer.data = data()
    subject.on_event("PrintStarted", None)
    assert calls(log) == []
    subject.switch(True)
    assert read_print(log) == BENCHY._replace(started=NOW, progress=HALF)


@pytest.mark.parametrize("event", ["PrintPaused", "PrintResumed"])
def test_pause_writes_the_progress(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, event: str
) -> None:
    subject.start(True)
    calls(log)
    subject.on_event(event, {})
    assert calls(log) == [mocker.call.update(False, False)]


@pytest.mark.parametrize(
    "event",
    [
        *("PrintStarted", "PrintDone", "PrintFailed", "PrintCancelling", "PrintCancelled"),
        *("PrinterStateChanged", "Disconnected"),
    ],
)
def test_other_events_about_the_printer_write_a_change(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, event: str
) -> None:
    subject.start(True)
    calls(log)
    subject.on_event(event, {})
    subject.on_event("Upload", {})
    assert calls(log) == [mocker.call.update(True, event == "PrintStarted")]


def test_late_end_of_a_print_does_not_end_the_next_one(
    log: NonCallableMagicMock, subject: Recording, printer: FakePrinter
) -> None:
    subject.start(True)
    printer.data = data(path="other.gcode")
    subject.on_event("PrintStarted", {"path": "other.gcode"})
    printer.data = data()
    subject.on_event("PrintStarted", {"path": PATH})
    subject.on_event("PrintFailed", {"path": "other.gcode", "reason": "cancelled"})
    assert read_print(log) == BENCHY._replace(started=NOW, progress=HALF)


def test_print_of_another_file_started_at_an_unknown_moment(
    log: NonCallableMagicMock, subject: Recording, printer: FakePrinter
) -> None:
    """Another plugin holds up the events while one print is cancelled and the next is started."""
    subject.start(True)
    printer.data = data(path="other.gcode")
    subject.on_event("PrintStarted", {"path": "other.gcode"})
    subject.on_event("ZChange", {"new": 80.0})
    printer.data = data()
    for event in ("PrintCancelling", "PrinterStateChanged", "PrintCancelled"):
        subject.on_event(event, {"path": "other.gcode"})
        assert read_print(log) == BENCHY._replace(progress=HALF)
    subject.on_event("PrintStarted", {"path": PATH})
    assert read_print(log) == BENCHY._replace(started=NOW, progress=HALF)


def test_path_on_a_card_may_begin_with_a_slash(
    log: NonCallableMagicMock, subject: Recording, printer: FakePrinter
) -> None:
    subject.start(True)
    printer.data = data(path="/card.gco", origin="sdcard")
    subject.on_event("PrintStarted", {"path": "card.gco", "origin": "sdcard"})
    found = read_print(log)
    assert found
    assert found.started == NOW


def test_each_start_begins_a_print(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, printer: FakePrinter
) -> None:
    """The same file may be printed twice, without a look at the printer in between."""
    subject.start(True)
    printer.data = data()
    for moment in (NOW, NOW + 70):
        mocker.patch.object(recording, "boot_clock", return_value=moment)
        subject.on_event("PrintStarted", {})
        found = read_print(log)
        assert found
        assert found.started == moment


def test_print_that_is_found_running_started_at_an_unknown_moment(
    log: NonCallableMagicMock, subject: Recording, printer: FakePrinter
) -> None:
    printer.connector = "moonraker"
    subject.start(True)
    printer.data = data()
    subject.on_event("PrintStarted", {})
    subject.on_event("ZChange", {"new": 0.2, "old": 7.0})
    assert read_print(log) == UNATTENDED._replace(started=NOW, progress=HALF._replace(z=0.2))
    printer.data = IDLE
    assert read_print(log) is None
    subject.on_event("ZChange", {"new": 80.0, "old": 0.2})
    printer.data = data()
    assert read_print(log) == UNATTENDED._replace(progress=HALF)


def test_print_that_ended_while_the_log_was_off_says_nothing_about_the_next(
    log: NonCallableMagicMock, subject: Recording, printer: FakePrinter
) -> None:
    subject.start(False)
    printer.data = data()
    subject.on_event("PrintStarted", {})
    subject.on_event("ZChange", {"new": 12.4})
    printer.data = data(FINISHING)
    subject.on_event("PrintDone", {})
    printer.data = data()
    subject.switch(True)
    (_, _, read_print, _), _ = log.begin.call_args
    assert read_print() == BENCHY._replace(progress=HALF)


def test_log_reads_the_progress(log: NonCallableMagicMock, subject: Recording, printer: FakePrinter) -> None:
    """Check that the height is unknown until it changes during the print."""
    subject.start(True)
    printer.data = data()
    subject.on_event("ZChange", {"new": 7.0, "old": 0.0})
    subject.on_event("PrintStarted", {})
    assert read_print(log) == BENCHY._replace(started=NOW, progress=HALF)
    subject.on_event("ZChange", {"new": 0.2, "old": 7.0})
    assert read_print(log) == BENCHY._replace(started=NOW, progress=HALF._replace(z=0.2))


@pytest.mark.parametrize(
    ("raw", "progress"),
    [
        ({"completion": 125.0, "filepos": 175}, Progress(None, 175, None, NOW)),
        ({"completion": -100, "filepos": 0}, Progress(None, 0, None, NOW)),
        ({"completion": "half", "filepos": 7}, Progress(None, 7, None, NOW)),
        ({"completion": 50.0}, Progress(50.0, None, None, NOW)),
        ({"completion": None, "filepos": None}, None),
        ({}, None),
        (None, None),
        (5, None),
    ],
)
def test_progress_without_what_cannot_be_right(
    log: NonCallableMagicMock, subject: Recording, printer: FakePrinter, raw: object, progress: Progress | None
) -> None:
    subject.start(True)
    printer.data = data() | {"progress": raw}
    assert read_print(log) == BENCHY._replace(progress=progress)


@pytest.mark.parametrize("event", ["ZChange", "PrintStarted", "plugin_pluginmanager_disable_plugin", "Startup"])
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
    subject.on_event("PrintStarted", {})
    assert calls(log) == [], "the plugin is disabled from the next start on"
    subject.on_event(f"plugin_pluginmanager_{on}_plugin", {"id": ID})
    assert calls(log) == [mocker.call.begin(STARTED, NOW, mocker.ANY, mocker.ANY)]


# Signs of trouble

THROTTLED = "plugin_pi_support_throttle_state"
UPDATED = "plugin_softwareupdate_update_succeeded"


def signs(log: NonCallableMagicMock) -> Signs:
    """Ask as the log does before it writes."""
    found: Signs = log.begin.call_args.args[3]()
    return found


def at(mocker: MockerFixture, moment: float) -> None:
    mocker.patch.object(recording, "boot_clock", return_value=moment)


def test_signs_have_the_counters(mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording) -> None:
    mocker.patch.object(recording, "counters", return_value=Signs(3, 14_000_000))
    subject.start(True)
    assert signs(log) == Signs(3, 14_000_000)


@pytest.mark.parametrize("by", ["restart", "restart_safe", "reboot", "shutdown"])
def test_ask_is_written_at_once(mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, by: str) -> None:
    """It also announces the last restart, since OctoPrint delivers no event while it shuts down."""
    subject.start(True)
    calls(log)
    subject.asked(by)
    assert calls(log) == [mocker.call.update(False, False), mocker.call.announce()]


@pytest.mark.parametrize("by", ["moon", "", None])
def test_other_commands_are_no_ask(log: NonCallableMagicMock, subject: Recording, by: str | None) -> None:
    subject.start(True)
    subject.asked("reboot")
    before = signs(log)
    calls(log)
    subject.asked(by)
    assert calls(log) == []
    assert (before.asked, before.asked_at) == ("reboot", NOW)


def test_update_is_an_ask(mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording) -> None:
    subject.start(True)
    at(mocker, NOW + 5)
    subject.on_event(UPDATED, {"target": "octoprint", "from_version": "1", "to_version": "2"})
    assert signs(log)[3:] == ("update", NOW + 5)
    subject.on_event("plugin_softwareupdate_update_failed", {"target": "octoprint"})
    assert signs(log)[3:] == ("update", NOW + 5)


def test_nothing_is_written_while_the_log_is_off(log: NonCallableMagicMock, subject: Recording) -> None:
    subject.start(False)
    subject.asked("restart")
    subject.on_event(THROTTLED, STATES[0x50005])
    assert "update" not in {name for name, _, _ in log.method_calls}


def events(subject: Recording, *raw_values: int) -> None:
    for raw_value in raw_values:
        subject.on_event(THROTTLED, STATES[raw_value])


@pytest.mark.parametrize("model", PI_3_AND_5)
def test_under_voltage_is_seen_while_it_lasts(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording, model: list[int]
) -> None:
    """Pi Support reports changes only, so each write in between counts as seen."""
    subject.start(True)
    events(subject, model[0])
    assert signs(log).under_voltage is None
    at(mocker, NOW + 30)
    events(subject, model[1])
    assert log.update.call_args_list == [mocker.call(False, False)]
    at(mocker, NOW + 300)
    assert signs(log).under_voltage == NOW + 300
    events(subject, model[2])
    at(mocker, NOW + 600)
    assert signs(log).under_voltage == NOW + 300


def test_under_voltage_between_two_checks_is_seen(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording
) -> None:
    subject.start(True)
    events(subject, 0x0)
    at(mocker, NOW + 300)
    events(subject, 0x50000)
    at(mocker, NOW + 600)
    events(subject, 0xD0008)
    assert signs(log).under_voltage == NOW + 300
    assert log.update.call_count == 1


def test_under_voltage_before_the_start_is_not_seen(log: NonCallableMagicMock, subject: Recording) -> None:
    """The bit is sticky since the boot."""
    subject.start(True)
    events(subject, 0x50000, 0xD0008, 0x50000)
    assert signs(log).under_voltage is None
    assert not log.update.called


@pytest.mark.parametrize("raw_value", [0x0, 0x20002, 0x60006, 0x80008, 0xE0008])
def test_heat_is_no_under_voltage(log: NonCallableMagicMock, subject: Recording, raw_value: int) -> None:
    subject.start(True)
    events(subject, 0x0, raw_value)
    assert signs(log).under_voltage is None


def test_under_voltage_is_written_at_most_once_a_minute(
    mocker: MockerFixture, log: NonCallableMagicMock, subject: Recording
) -> None:
    subject.start(True)
    for seconds in (0, 1, 59, 59.9):
        at(mocker, NOW + seconds)
        events(subject, 0x50005, 0x50000)
    assert log.update.call_count == 1
    at(mocker, NOW + 120)
    events(subject, 0x50005)
    assert log.update.call_count == 2


@given(st.none() | st.dictionaries(st.sampled_from([*STATES[0], "id", "x"]), st.none() | st.text() | st.integers()))
def test_any_event_of_other_plugins_is_survived(payload: dict[str, Any] | None) -> None:
    log = NonCallableMagicMock(RestartLog)
    process = NonCallableMagicMock(Clock)
    process.read.return_value = Uptime(60.0, "proc", None)
    subject = Recording(log, process, ID, Printer(lambda: IDLE, lambda: "serial"))
    subject.start(True)
    subject.on_event(THROTTLED, payload)
    subject.on_event(UPDATED, payload)
    assert signs(log).asked == "update"


@pytest.mark.parametrize(("flags", "printing"), [(PRINTING, True), (PAUSED, True), (OPERATIONAL, False)])
@pytest.mark.parametrize("connector", ["serial", "remote"])
def test_printer_is_asked_for_a_print_even_if_the_log_is_off(
    subject: Recording, printer: FakePrinter, log: NonCallableMagicMock, flags: object, printing: bool, connector: str
) -> None:
    printer.data, printer.connector = data(flags), connector
    assert subject.is_printing() is printing
    assert calls(log) == []
