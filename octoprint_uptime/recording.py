"""Turn OctoPrint's events and the plugin's setting into calls of the restart log."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from .clock import Clock, boot_clock
from .restart_log import Print, Progress, RestartLog

_PRINT_ENDS = ("PrintDone", "PrintFailed", "PrintCancelled")
# The Plugin Manager fires these. The change takes effect when OctoPrint starts again.
_ENABLED = ("plugin_pluginmanager_enable_plugin", "plugin_pluginmanager_install_plugin")
_DISABLED = ("plugin_pluginmanager_disable_plugin", "plugin_pluginmanager_uninstall_plugin")


class Recording:
    """Record this run of OctoPrint and its prints, unless the log or the plugin is switched off."""

    def __init__(
        self, log: RestartLog, process: Clock, identifier: str, get_current_data: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._log = log
        self._process = process
        self._identifier = identifier
        self._get_current_data = get_current_data
        self._wanted = False
        self._disabled = False
        self._print: Print | None = None
        self._print_z: float | None = None

    def start(self, wanted: bool) -> None:
        """Start recording when OctoPrint starts, if the setting is on."""
        self._wanted = wanted
        if wanted:
            self._begin(recorded_from=self._started)

    def switch(self, wanted: bool) -> None:
        """Start or stop recording when the setting changes."""
        self._set(wanted, self._disabled)

    def on_event(self, event: str, payload: Mapping[str, Any] | None) -> None:
        """Handle an event of OctoPrint about a print or about this plugin."""
        payload = payload or {}
        if event == "ZChange":
            self._print_z = payload.get("new")
        elif event == "PrintStarted":
            # Until this print moves in Z, OctoPrint reports the height of the last print or jog.
            self._print_z = None
            path, origin = (name if isinstance(name, str) else None for name in map(payload.get, ("path", "origin")))
            self._note(Print(path or "", origin, boot_clock(), None))
        elif event in _PRINT_ENDS:
            self._note(None)
        elif event in ("PrintPaused", "PrintResumed"):
            self._note(self._print)
        elif event in _ENABLED + _DISABLED and payload.get("id") == self._identifier:
            self._set(self._wanted, event in _DISABLED)

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

    def _note(self, print_: Print | None) -> None:
        self._print = print_
        if self._is_on:
            self._log.printing(print_)

    def _begin(self, recorded_from: float) -> None:
        self._log.begin(self._started, recorded_from, self._read_progress)
        if self._print:
            self._log.printing(self._print)

    def _read_progress(self) -> Progress | None:
        found = self._get_current_data()["progress"]
        return Progress.of(found["completion"], found["filepos"], self._print_z, boot_clock())
