"""The plugin class: OctoPrint's mixins wired to the clock, the formats and the settings."""

import logging
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import flask
import octoprint.plugin
from flask_babel import gettext
from octoprint import __version__ as octoprint_version
from octoprint.access.permissions import Permissions
from octoprint.events import Events
from octoprint.settings import NoSuchSettingsPath

from . import settings
from .clock import Uptime, boot_clock, process_clock, scope, system_clock
from .formatting import DISPLAY_FORMATS, format_uptime
from .history import RUNS_KEPT, History
from .restarts import Print

_EXAMPLE_SECONDS = 93784  # with a figure in every unit

_PRINT_ENDS = (Events.PRINT_DONE, Events.PRINT_FAILED, Events.PRINT_CANCELLED)


class UptimePlugin(
    octoprint.plugin.SettingsPlugin,
    octoprint.plugin.SimpleApiPlugin,
    octoprint.plugin.TemplatePlugin,
    octoprint.plugin.AssetPlugin,
    octoprint.plugin.EnvironmentDetectionPlugin,
    octoprint.plugin.StartupPlugin,
    octoprint.plugin.EventHandlerPlugin,
    octoprint.plugin.ShutdownPlugin,
):
    """System and OctoPrint uptime in the navbar, over the API and in System info; what restarted, and when."""

    def __init__(self) -> None:
        super().__init__()
        # Not with self._logger, which comes with initialize: other plugins may call the helpers before that.
        logger = logging.getLogger("octoprint.plugins.octoprint_uptime")
        self._system = system_clock(logger)
        self._octoprint = process_clock(logger)

    def initialize(self) -> None:
        # Read from here, never from OctoPrint's layered settings: those are slow, and hold what people typed.
        self._values = settings.defaults()
        self._print: Print | None = None
        path = Path(self._data_folder) / "history.db"
        self._history = History(path, octoprint_version, self._logger, self._announce_restart, self._progress)
        try:
            stored = self._settings.get_all_data(merged=False, incl_defaults=False, error_on_path=True)
        except NoSuchSettingsPath:
            return
        if not isinstance(stored, dict):
            self._logger.warning("Ignoring settings in config.yaml that are no mapping but %s", type(stored).__name__)
            self._settings.clean_all_data()

    ##~~ SettingsPlugin

    def get_settings_version(self) -> int:
        return 2  # 1 may be there already, from the earlier plugin of this identifier

    def get_settings_defaults(self) -> dict[str, Any]:
        return settings.defaults()

    def on_settings_migrate(self, target: int, current: int | None) -> None:
        stored = self._settings.get_all_data(merged=False, incl_defaults=False) or {}
        for key in stored.keys() - settings.RULES.keys():
            self._settings.remove([key])
            self._logger.info("Dropped the setting %s, which this plugin does not have", key)

    def on_settings_initialized(self) -> None:
        stored = self._settings.get_all_data()
        self._values |= self._clean({key: value for key, value in stored.items() if key != self.config_version_key})

    def on_settings_load(self) -> dict[str, Any]:
        return dict(self._values)

    def on_settings_save(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self._logger.warning("Ignoring settings that are not an object but %s", type(data).__name__)
            return {}
        values = self._clean(data)
        saved: dict[str, Any] = octoprint.plugin.SettingsPlugin.on_settings_save(self, values)
        logged = self._values["restart_log"]
        self._values |= values
        if self._values["restart_log"] and not logged:
            self._begin_history()
        elif logged and not self._values["restart_log"]:
            self._history.switch_off()
        self._logger.debug("Settings are now %s", self._values)
        return saved

    def _clean(self, raw: dict[str, Any]) -> dict[str, settings.Value]:
        values, complaints = settings.clean(raw)
        for complaint in complaints:
            self._logger.warning("%s", complaint)
        return values

    ##~~ SimpleApiPlugin

    def is_api_protected(self) -> bool:
        return True

    def on_api_get(self, request: flask.Request) -> flask.Response:
        # OctoPrint itself asks for no permission, and before 1.11.2 not even for a login.
        if not Permissions.STATUS.can():
            flask.abort(403)
        answer = self._read(*DISPLAY_FORMATS)
        answer["uptime_available"] = answer["seconds"] is not None
        if not answer["uptime_available"]:
            answer["uptime_note"] = gettext(
                "Neither /proc/uptime nor psutil gives the system uptime; octoprint.log says why. If psutil is "
                "missing, run 'pip install psutil' in OctoPrint's virtual environment and restart OctoPrint."
            )
        for key in ("display_format", "poll_interval_seconds"):
            answer[key] = self._values[key]
        last, unseen = self._history.news() if self._values["restart_log"] else (None, None)
        answer["last_restart"] = last and _for_caller(last)
        answer["unseen_restart"] = unseen and _for_caller(unseen)
        if "restarts" in request.args:
            count = _count(request.args["restarts"])
            restarts = self._history.restarts() if self._values["restart_log"] else iter(())
            answer["restarts"] = [_for_caller(restart) for restart in islice(restarts, count)]
        return flask.jsonify(answer)

    def get_api_commands(self) -> dict[str, list[str]]:
        return {"dismiss": ["id"], "clear": []}

    def on_api_command(self, command: str, data: dict[str, Any]) -> None:
        if not (Permissions.STATUS if command == "dismiss" else Permissions.SETTINGS).can():
            flask.abort(403)
        if command == "clear":
            self._history.clear()
        elif type(data["id"]) is int:
            self._history.dismiss(data["id"])
        else:
            flask.abort(400, description="id is not a whole number")

    def _read(self, *formats: str) -> dict[str, Any]:
        system, octoprint = self._system.read(), self._octoprint.read()
        self._logger.debug("Read system %s and OctoPrint %s", system, octoprint)
        return {
            **_fields("", system, formats),
            **_fields("octoprint_", octoprint, formats),
            "uptime_source": system.source,
            "uptime_scope": scope(system),
        }

    ##~~ TemplatePlugin

    def is_template_autoescaped(self) -> bool:
        return True

    def get_template_configs(self) -> list[dict[str, Any]]:
        return [
            {"type": "navbar", "styles": ["display: none"], "data_bind": "visible: visible, css: {open: open}"},
            {"type": "settings", "name": gettext("Uptime")},
            {"type": "generic"},
        ]

    def get_template_vars(self) -> dict[str, Any]:
        return {
            "rules": settings.RULES,
            "examples": {name: format_uptime(_EXAMPLE_SECONDS, name) for name in DISPLAY_FORMATS},
        }

    ##~~ EnvironmentDetectionPlugin

    def get_additional_environment(self) -> dict[str, Any]:
        if not self._values["include_in_systeminfo"]:
            return {}
        return self._read("full") | (self._restart_summary() if self._values["restart_log"] else {})

    ##~~ The restart log: StartupPlugin, EventHandlerPlugin, ShutdownPlugin, hooks for custom events and backups

    def on_startup(self, host: str, port: int) -> None:
        if self._values["restart_log"]:
            self._begin_history()

    def on_event(self, event: str, payload: dict[str, Any]) -> None:
        if event == Events.PRINT_STARTED:
            self._print = Print(payload["name"], None, boot_clock())
        elif event in _PRINT_ENDS:
            self._print = None
        elif event not in (Events.PRINT_PAUSED, Events.PRINT_RESUMED):
            return
        if self._values["restart_log"]:
            self._history.printing(self._print)

    def on_shutdown(self) -> None:
        self._history.stop()

    def get_custom_events(self, *args: Any, **kwargs: Any) -> list[str]:
        return ["restarted"]

    def get_backup_excludes(self, excludes: list[str], *args: Any, **kwargs: Any) -> list[str]:
        # The run that makes the backup has no end in it: once restored, it would pass for a crash.
        return ["."]

    @cached_property
    def _started(self) -> float:
        return boot_clock() - (self._octoprint.read().seconds or 0)

    def _begin_history(self) -> None:
        self._history.start(self._started)
        if self._print:
            self._history.printing(self._print)

    def _announce_restart(self) -> None:
        last, _ = self._history.news()
        # An older one was told when it was new: between it and this run the log was off.
        if last and last["id"] in [run.id for run in self._history.runs[-1:]]:
            # OctoPrint passes events on to every client that has STATUS.
            self._event_bus.fire("plugin_octoprint_uptime_restarted", _without_file(last))

    def _progress(self) -> float | None:
        completion: float | None = self._printer.get_current_data()["progress"]["completion"]
        return completion

    def _restart_summary(self) -> dict[str, Any]:
        last, _ = self._history.news()
        if last is None:
            return {"last_restart": None, "last_restart_at": None}
        how = "clean" if last["clean"] else "without warning"
        lost = ", a print was lost" if last["lost_print"] else ""
        return {"last_restart": f"{last['kind']}, {how}{lost}", "last_restart_at": last["started_at"]}

    ##~~ Helpers

    def system_uptime(self) -> float | None:
        """Seconds since the host was started, as the API's ``seconds``; ``None`` where no source answers."""
        return self._system.read().seconds

    def octoprint_uptime(self) -> float | None:
        """Seconds since OctoPrint's process was started; ``None`` where no source answers."""
        return self._octoprint.read().seconds

    ##~~ CLI commands hook

    def get_cli_commands(self, cli_group: Any, *args: Any, **kwargs: Any) -> list[Any]:
        from . import cli

        return cli.commands(cli_group.settings)

    ##~~ Software Update hook

    def get_update_information(self) -> dict[str, Any]:
        return {
            self._identifier: {
                "displayName": self._plugin_name,
                "displayVersion": self._plugin_version,
                "type": "github_release",
                "user": "Ajimaru",
                "repo": "OctoPrint-Uptime",
                "current": self._plugin_version,
                "pip": "https://github.com/Ajimaru/OctoPrint-Uptime/archive/{target_version}.zip",
            }
        }

    ##~~ API request hook

    def get_after_request_handlers(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [self._after_request]

    def _after_request(self, response: flask.Response) -> flask.Response:
        if flask.request.path != f"/api/plugin/{self._identifier}":
            return response
        response.headers["Cache-Control"] = "no-store"
        if response.status_code >= 400:
            # OctoPrint's own refusals too (no login, wrong method, failed CSRF check) get the body that is promised.
            body = response.get_json(silent=True)
            error = body.get("error") if isinstance(body, dict) else None
            response.data = flask.json.dumps({"error": error or response.status, "uptime_available": False})
            response.mimetype = "application/json"
        return response


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= count <= RUNS_KEPT:
        flask.abort(400, description=f"restarts must be a whole number from 1 to {RUNS_KEPT}")
    return count


def _for_caller(restart: dict[str, Any]) -> dict[str, Any]:
    return restart if not restart["lost_print"] or Permissions.FILES_LIST.can() else _without_file(restart)


def _without_file(restart: dict[str, Any]) -> dict[str, Any]:
    lost = restart["lost_print"]
    return restart | {"lost_print": lost and lost | {"file": None}}


def _fields(prefix: str, uptime: Uptime, formats: tuple[str, ...]) -> dict[str, Any]:
    seconds = uptime.seconds
    fields: dict[str, Any] = {f"{prefix}seconds": seconds, f"{prefix}started_at": uptime.started_at}
    for display_format in formats:
        name = f"{prefix}uptime" if display_format == "full" else f"{prefix}uptime_{display_format}"
        fields[name] = None if seconds is None else format_uptime(seconds, display_format)
    return fields
