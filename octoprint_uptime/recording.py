"""Record what OctoPrint is doing. Events say when to ask its printer which print is running."""

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from .clock import Clock, boot_clock
from .evidence.records import ASKED_BY, Signs
from .evidence.system import counters
from .restart_log import Print, Progress, RestartLog

SERIAL = "serial"  # OctoPrint 2.0's name for the connection over which OctoPrint streams a file

_PAUSES = ("PrintPaused", "PrintResumed")
_MAY_CHANGE_THE_PRINT = (
    *("PrintStarted", "PrintDone", "PrintFailed", "PrintCancelling", "PrintCancelled"),
    *("PrinterStateChanged", "Disconnected"),
)
# The Plugin Manager fires these. The change takes effect when OctoPrint starts again.
_ENABLED = ("plugin_pluginmanager_enable_plugin", "plugin_pluginmanager_install_plugin")
_DISABLED = ("plugin_pluginmanager_disable_plugin", "plugin_pluginmanager_uninstall_plugin")

_UPDATED = "plugin_softwareupdate_update_succeeded"
_THROTTLED = "plugin_pi_support_throttle_state"
_SIGHT_SECONDS = 60  # write newly reported under-voltage at most this often


class Printer(NamedTuple):
    """How to ask OctoPrint's printer for its current data and for the name of its connector."""

    get_current_data: Callable[[], Mapping[str, Any]]
    get_connector: Callable[[], str | None]


class Recording:
    """Records this run of OctoPrint and its prints while the log and the plugin are on."""

    def __init__(self, log: RestartLog, process: Clock, identifier: str, printer: Printer) -> None:
        self._log = log
        self._process = process
        self._identifier = identifier
        self._printer = printer
        self._wanted = False
        self._disabled = False
        self._lock = threading.Lock()  # event handlers and the log's thread share what follows
        self._print_path: object = None  # of the print that started last
        self._print_started: float | None = None
        self._print_z: float | None = None
        self._asked: tuple[str | None, float | None] = (None, None)
        self._under_voltage: float | None = None  # when it was last seen
        self._lasts = False
        # Whether Pi Support last reported under-voltage since the boot. Its first event may be about an earlier run.
        self._sagged = True

    def start(self, wanted: bool) -> None:
        """Start recording when OctoPrint starts, if the setting is on."""
        self._wanted = wanted
        if wanted:
            self._begin(recorded_from=self._started)

    def switch(self, wanted: bool) -> None:
        """Start or stop recording when the setting changes."""
        self._set(wanted, self._disabled)

    def on_event(self, event: str, payload: Mapping[str, Any] | None) -> None:
        """Handle an OctoPrint event about a print, an update, under-voltage or this plugin."""
        payload = payload or {}
        if event == "ZChange":
            self._print_z = payload.get("new")
        elif event in _PAUSES:
            self._update()  # for the progress
        elif event in _MAY_CHANGE_THE_PRINT:
            if event == "PrintStarted":
                self._begin_print(payload.get("path"))
            if not self._is_on:
                self._read_print()  # forgets the start of a print that is over
            self._update(only_if_changed=True, printed=event == "PrintStarted")
        elif event == _UPDATED:
            self.asked("update")
        elif event == _THROTTLED:
            self._on_throttled(bool(payload.get("current_undervoltage")), bool(payload.get("past_undervoltage")))
        elif event in _ENABLED + _DISABLED and payload.get("id") == self._identifier:
            self._set(self._wanted, event in _DISABLED)

    def asked(self, by: str | None) -> None:
        """Record that OctoPrint was asked to shut down, by one of `ASKED_BY`. Others are ignored."""
        if by in ASKED_BY:
            self._asked = (by, boot_clock())
            self._update()
            self._log.announce()

    def _on_throttled(self, lasts: bool, sagged: bool) -> None:
        """Handle Pi Support's report. ``sagged`` stays true until the host restarts."""
        now, before, is_new = boot_clock(), self._under_voltage, lasts or (sagged and not self._sagged)
        self._lasts, self._sagged = lasts, sagged
        if is_new:
            self._under_voltage = now
            if before is None or now - before >= _SIGHT_SECONDS:
                self._update()

    def _read_signs(self) -> Signs:
        if self._lasts:
            self._under_voltage = boot_clock()
        asked, asked_at = self._asked
        return counters()._replace(under_voltage=self._under_voltage, asked=asked, asked_at=asked_at)

    def is_printing(self) -> bool:
        """Ask the printer whether a print is running or paused, even if nothing is being recorded."""
        return current_print(self._printer.get_current_data(), self._printer.get_connector()) is not None

    @cached_property
    def _started(self) -> float:
        return boot_clock() - (self._process.read().seconds or 0)

    @property
    def _is_on(self) -> bool:
        return self._wanted and not self._disabled

    def _set(self, wanted: bool, disabled: bool) -> None:
        recorded = self._is_on
        self._wanted, self._disabled = wanted, disabled
        if self._is_on and not recorded:
            self._begin(recorded_from=boot_clock())
        elif recorded and not self._is_on:
            self._log.switch_off()

    def _begin_print(self, path: object) -> None:
        with self._lock:
            self._print_path = path
            self._print_started = boot_clock()
            # Until this print moves in Z, OctoPrint reports the height of the last print or jog.
            self._print_z = None

    def _update(self, only_if_changed: bool = False, printed: bool = False) -> None:
        if self._is_on:
            self._log.update(only_if_changed, printed)

    def _begin(self, recorded_from: float) -> None:
        self._log.begin(self._started, recorded_from, self._read_print, self._read_signs)

    def _read_print(self) -> Print | None:
        with self._lock:
            data = self._printer.get_current_data()
            print_ = current_print(data, self._printer.get_connector())
            if print_ is None:
                self._print_started = None  # a print that is found running later is a different one
                return None
            found = _part(data, "progress")
            # If events are late, the last PrintStarted may be about an earlier print.
            started = self._print_started if _is_same_file(self._print_path, print_.path) else None
            # If the plugin didn't see the print start, the print may not have moved in Z since the last print or jog.
            z = None if started is None else self._print_z
            progress = Progress.of(found.get("completion"), found.get("filepos"), z, boot_clock())
            return print_._replace(started=started, progress=progress)


def current_print(data: Mapping[str, Any], connector: str | None) -> Print | None:
    """Return the print that the printer's ``data`` shows, without its start and progress, or None.

    When OctoPrint stops, a print is lost only if OctoPrint was streaming a local file over a serial connection. Any
    other connector may have given the file to the printer, and any other storage is the printer's own. Without a
    connection (``connector`` is None), OctoPrint is about to clear the data.
    """
    state, file = _part(data, "state"), _part(_part(data, "job"), "file")
    flags = _part(state, "flags")
    is_on = flags.get("printing") or flags.get("paused")
    is_over = flags.get("cancelling") or flags.get("finishing")
    # OctoPrint 2.0 marks an upload to the printer's card in the job, 1.11 in the state's text.
    is_upload = file.get("upload") or state.get("text") == "Sending file to SD"
    # When a serial connection closes, OctoPrint 1.11 clears the job before the flags.
    is_closed = connector is None or (connector == SERIAL and file.get("path") is None)
    if not is_on or is_over or is_upload or is_closed:
        return None
    path, origin = (value if isinstance(value, str) else None for value in (file.get("path"), file.get("origin")))
    return Print(path or "", origin, None, None, streamed=connector == SERIAL and origin == "local")


def _is_same_file(reported: object, current: str) -> bool:
    """Return whether an event's path may be that of the current print. On a card, one of the two may begin with /."""
    return not isinstance(reported, str) or reported.lstrip("/") == current.lstrip("/")


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of the printer's data, or an empty mapping if it is missing or not a mapping."""
    part = data.get(name)
    return part if isinstance(part, Mapping) else {}
