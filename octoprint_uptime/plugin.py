"""The plugin class, which connects OctoPrint's mixins and hooks to the other modules."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import octoprint.plugin
from flask_babel import gettext
from flask_login import current_user
from octoprint import __version__ as octoprint_version
from octoprint.access.permissions import Permissions
from octoprint.settings import NoSuchSettingsPath
from octoprint.util.version import is_octoprint_compatible

from . import answer, metrics, mqtt, settings
from .clock import process_clock, system_clock
from .formatting import DISPLAY_FORMATS, format_uptime
from .recording import SERIAL, Printer, Recording
from .restart_log import News, Restart, RestartLog

_EXAMPLE_SECONDS = 93784  # with a number in every unit


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
    """A plugin that shows uptimes and restarts on the page, in the API and in System info."""

    def __init__(self) -> None:
        super().__init__()
        # OctoPrint sets self._logger just before initialize(), but other plugins may call the helpers earlier.
        logger = logging.getLogger("octoprint.plugins.octoprint_uptime")
        self._system = system_clock(logger)
        self._octoprint = process_clock(logger)
        self._news: Callable[[], News] = News  # no restarts are known before initialize()

    def initialize(self) -> None:
        # The plugin uses only this copy of its settings: OctoPrint's are slow to read, and may be invalid.
        self._values = settings.defaults()
        path = Path(self._data_folder) / "restart_log.db"
        self._restart_log = RestartLog(
            path, octoprint_version, self._logger, self._announce_restart, self._plugin_locations
        )
        printer = Printer(self._printer.get_current_data, self._connector)
        self._recording = Recording(self._restart_log, self._octoprint, self._identifier, printer)
        self._news = lambda: self._restart_log.news() if self._values["restart_log"] else News()
        self._mqtt: mqtt.Publisher | None = None  # without the MQTT plugin
        try:
            stored = self._settings.get_all_data(merged=False, incl_defaults=False, error_on_path=True)
        except NoSuchSettingsPath:
            return
        if not isinstance(stored, dict):
            self._logger.warning(
                "Ignoring settings in config.yaml: expected a mapping, found %s", type(stored).__name__
            )
            self._settings.clean_all_data()
        elif not isinstance(stored.get(self.config_version_key), (int, str, type(None))):
            # OctoPrint would fail to compare it, and ignore all settings.
            self._settings.remove([self.config_version_key])

    ##~~ SettingsPlugin

    def get_settings_version(self) -> int:
        return 2  # config.yaml may have 1 from the older plugin with this identifier

    def get_settings_defaults(self) -> dict[str, Any]:
        return settings.defaults()

    def on_settings_migrate(self, target: int, current: int | None) -> None:
        stored = self._settings.get_all_data(merged=False, incl_defaults=False) or {}
        for key in stored.keys() - settings.RULES.keys() - {self.config_version_key}:
            self._settings.remove([key])
            self._logger.info("Removed the unknown setting %s from config.yaml", key)

    def on_settings_initialized(self) -> None:
        stored = self._settings.get_all_data()
        self._values |= self._clean({key: value for key, value in stored.items() if key != self.config_version_key})

    def on_settings_load(self) -> dict[str, Any]:
        return dict(self._values)

    def on_settings_save(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self._logger.warning(
                "Ignoring invalid settings from a request: expected an object, found %s", type(data).__name__
            )
            return {}
        values = self._clean(data)
        saved: dict[str, Any] = octoprint.plugin.SettingsPlugin.on_settings_save(self, values)
        self._values |= values
        self._recording.switch(bool(self._values["restart_log"]))
        self._switch_mqtt()
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
        self._refuse_without(Permissions.STATUS)
        try:
            asked = answer.asked(request.args)
            wants_metrics = answer.wants_metrics(request.args)
        except ValueError as error:
            flask.abort(400, description=str(error))
        uptimes, news = self._read_clocks(), self._news()
        if wants_metrics:
            return self._metrics(uptimes, news)
        note = None
        if uptimes.system.lacks_psutil:
            note = gettext(
                "The host's uptime is unknown: /proc/uptime can't be used, and psutil is not installed. Run 'pip "
                "install psutil' in OctoPrint's virtual environment and restart OctoPrint."
            )
        elif uptimes.system.seconds is None:
            note = gettext(
                "The host's uptime is unknown: neither /proc/uptime nor psutil gives a usable value. See octoprint.log "
                "for the reasons."
            )
        # Check the permission only if there is a file name to show: a poll should cost next to nothing.
        named = (news.last, news.unseen)
        names_a_file = any(restart and (restart.lost_print or restart.unattended_print) for restart in named)
        sees_files = bool(asked or names_a_file) and Permissions.FILES_LIST.can()
        fields = answer.for_api(answer.Facts(uptimes, self._values, news, sees_files, note, self._plugin_version))
        if asked:
            fields |= self._past(asked, uptimes, sees_files)
            # OctoPrint's flask.jsonify indents, which takes three times as long for 1,000 restarts.
            text = flask.json.dumps(fields, indent=None, separators=(",", ":"))
            return flask.Response(text, mimetype="application/json")
        return flask.jsonify(fields)

    def _past(self, asked: answer.Asked, uptimes: answer.Uptimes, sees_files: bool) -> answer.Fields:
        # Read this flag first. Otherwise, runs that are loaded in between would be missing from the history.
        is_read = self._restart_log.is_read
        history = self._restart_log.history() if self._values["restart_log"] else None
        period = None
        if history and is_read and asked.days:
            period = history.period(asked.days, uptimes.system.scope, uptimes.system.started)
        survives_reboot = self._restart_log.survives_reboot if history else None
        return answer.of_the_past(history, period, asked, sees_files, survives_reboot)

    def _metrics(self, uptimes: answer.Uptimes, news: News) -> flask.Response:
        is_printing = self._recording.is_printing()
        facts = metrics.Facts(uptimes, news, is_printing, self._plugin_version, octoprint_version)
        try:
            text = metrics.text(facts)
        except metrics.MissingLibraryError as error:
            flask.abort(501, description=str(error))
        return flask.Response(text, content_type=metrics.CONTENT_TYPE)

    def get_api_commands(self) -> dict[str, list[str]]:
        return {"dismiss": ["id"], "clear": []}

    def on_api_command(self, command: str, data: dict[str, Any]) -> None:
        self._refuse_without(Permissions.CONTROL if command == "dismiss" else Permissions.SETTINGS)
        if command == "clear":
            written = self._restart_log.clear()
        elif type(data["id"]) is int:
            written = self._restart_log.dismiss(data["id"])
        else:
            flask.abort(400, description="id must be a whole number")
        if not written:
            flask.abort(503, description="done, but not saved to disk yet; see octoprint.log for the reason")

    def _refuse_without(self, permission: Any) -> None:
        # OctoPrint checks no permissions, and versions before 1.11.2 don't even check the login. Guests may have the
        # permission, and a deactivated user gets the permissions of guests.
        if current_user.is_anonymous or not current_user.is_active or not permission.can():
            flask.abort(403)

    def _read_clocks(self) -> answer.Uptimes:
        system, octoprint = self._system.read(), self._octoprint.read()
        self._logger.debug("Read host %s and OctoPrint %s", system, octoprint)
        return answer.Uptimes(system, octoprint)

    ##~~ TemplatePlugin

    def is_template_autoescaped(self) -> bool:
        return True

    def get_template_configs(self) -> list[dict[str, Any]]:
        return [
            {"type": "navbar", "styles": ["display: none"], "data_bind": "visible: visible, css: {open: popover.open}"},
            {"type": "settings", "name": "OctoPrint Uptime"},
            {"type": "generic"},
        ]

    def get_template_vars(self) -> dict[str, Any]:
        return {
            "rules": settings.RULES,
            "has_mqtt": bool(self._mqtt_helpers()),
            "examples": {name: format_uptime(_EXAMPLE_SECONDS, name) for name in DISPLAY_FORMATS},
        }

    ##~~ AssetPlugin

    def get_assets(self) -> dict[str, list[str]]:
        return {
            "clientjs": ["clientjs/octoprint_uptime.js"],
            # In order of dependency.
            "js": [
                "js/octoprint_uptime_words.js",
                "js/octoprint_uptime_causes.js",
                "js/octoprint_uptime_spans.js",
                "js/octoprint_uptime_figures.js",
                "js/octoprint_uptime_timeline.js",
                "js/octoprint_uptime_rows.js",
                "js/octoprint_uptime_news.js",
                "js/octoprint_uptime.js",
                "js/octoprint_uptime_file.js",
                "js/octoprint_uptime_strip.js",
                "js/octoprint_uptime_restarts.js",
                "js/octoprint_uptime_notice.js",
                "js/octoprint_uptime_popover.js",
                "js/octoprint_uptime_navbar.js",
                "js/octoprint_uptime_settings.js",
            ],
            "css": ["css/octoprint_uptime.css"],
        }

    ##~~ EnvironmentDetectionPlugin

    def get_additional_environment(self) -> dict[str, Any]:
        if not self._values["include_in_systeminfo"]:
            return {}
        fields = answer.for_system_info(self._read_clocks())
        if self._values["restart_log"]:
            fields |= answer.restart_for_system_info(self._news().last)
        return fields

    ##~~ The restart log: StartupPlugin, EventHandlerPlugin, ShutdownPlugin, hooks for custom events and backups

    def on_startup(self, host: str, port: int) -> None:
        self._recording.start(bool(self._values["restart_log"]))

    def on_event(self, event: str, payload: dict[str, Any]) -> None:
        self._recording.on_event(event, payload)

    def get_sorting_key(self, context: str) -> int | None:
        # Before all other plugins, so that a plugin that hangs doesn't make the shutdown look unexpected.
        return -(10**6) if context == "ShutdownPlugin.on_shutdown" else None

    def on_shutdown(self) -> None:
        if not self._restart_log.stop():
            # OctoPrint's log is already closed at this point.
            text = "this shutdown could not be written to disk in time and may be reported as unexpected."
            print(f"OctoPrint Uptime: {text}")

    def get_custom_events(self, *args: Any, **kwargs: Any) -> list[str]:
        return ["restarted"]

    def get_backup_excludes(self, excludes: list[str], *args: Any, **kwargs: Any) -> list[str]:
        # Exclude the whole data folder. In a restored backup, the current run would look like an unexpected shutdown.
        return ["."]

    def _connector(self) -> str | None:
        # OctoPrint 1.11 has no connectors: every connection is serial.
        if not is_octoprint_compatible(">=2"):
            return SERIAL
        connection = self._printer.current_connection
        name: str | None = connection and connection.connector
        return name

    def _plugin_locations(self) -> dict[str, str]:
        return {plugin.key: str(plugin.location) for plugin in list(self._plugin_manager.plugins.values())}

    def _announce_restart(self, restart: Restart) -> None:
        # OctoPrint sends events to every client with STATUS, so this one contains no file name.
        self._event_bus.fire("plugin_octoprint_uptime_restarted", answer.restart(restart, sees_files=False))

    ##~~ MQTT: StartupPlugin

    def on_after_startup(self) -> None:
        helpers = self._mqtt_helpers()
        if helpers:
            self._mqtt = mqtt.Publisher(helpers, self._mqtt_state, self._logger)
            self._switch_mqtt()

    def _mqtt_helpers(self) -> mqtt.Helpers | None:
        found = self._plugin_manager.get_helpers("mqtt", "mqtt_publish", "mqtt_subscribe") or {}
        return mqtt.Helpers(found["mqtt_publish"], found["mqtt_subscribe"]) if len(found) == 2 else None

    def _mqtt_state(self) -> answer.Fields | None:
        if self._values["restart_log"] and self._restart_log.is_pending:
            return None
        return answer.for_mqtt(self._read_clocks(), self._news(), self._plugin_version)

    def _mqtt_place(self) -> mqtt.Place:
        def read(*path: str) -> Any:
            return self._settings.global_get([*path])

        mqtt_plugin, home_assistant = ("plugins", "mqtt", "publish"), ("plugins", "homeassistant")
        base = read(*mqtt_plugin, "baseTopic") or ""
        # The MQTT plugin publishes its last will before it subscribes, so one that isn't retained is never received.
        is_on = self._settings.global_get_boolean
        is_told = is_on([*mqtt_plugin, "lwActive"]) and is_on(["plugins", "mqtt", "broker", "lwRetain"]) is not False
        will = read(*mqtt_plugin, "lwTopic") if is_told else None
        place = mqtt.Place(base, will and base + will, read("appearance", "name") or "OctoPrint")
        if self._plugin_manager.get_plugin_info("homeassistant") is None:
            return place
        prefix, device = read(*home_assistant, "discovery_topic"), read(*home_assistant, "node_id")
        return place._replace(prefix=prefix or place.prefix, device=device)

    def _switch_mqtt(self) -> None:
        if self._mqtt:
            self._mqtt.switch(self._mqtt_place() if self._values["mqtt"] else None)

    ##~~ Helpers

    def system_uptime(self) -> float | None:
        """Return how long the host has been up, in seconds like the API's ``seconds``; ``None`` if unknown."""
        return answer.seconds(self._system.read())

    def octoprint_uptime(self) -> float | None:
        """Return how long OctoPrint's process has been running, in seconds; ``None`` if unknown."""
        return answer.seconds(self._octoprint.read())

    def last_restart(self) -> dict[str, Any] | None:
        """Return the last restart like the API's ``last_restart``, without file names.

        Return ``None`` if there was none, or if the log is off or not loaded yet.
        """
        last = self._news().last
        return last and answer.restart(last, sees_files=False)

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
                "stable_branch": {"name": "Stable", "branch": "main", "commitish": ["main"]},
                "prerelease_branches": [
                    {"name": "Release candidates", "branch": "rc", "commitish": ["rc", "main"]},
                ],
                "pip": "https://github.com/Ajimaru/OctoPrint-Uptime/archive/{target_version}.zip",
            }
        }

    ##~~ API request hook

    def get_after_request_handlers(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [self._after_request]

    def _after_request(self, response: flask.Response) -> flask.Response:
        request = flask.request
        is_core = request.path.startswith("/api/system/commands/core/")
        if is_core and request.method == "POST" and response.status_code < 400 and request.view_args:
            self._recording.asked(request.view_args.get("command"))
        if request.path != f"/api/plugin/{self._identifier}":
            return response
        response.headers["Cache-Control"] = "no-store"
        if response.status_code >= 400:
            # OctoPrint's own refusals (no login, failed CSRF check) get the documented body, too.
            body = response.get_json(silent=True)
            message = body.get("error") if isinstance(body, dict) else None
            response.data = flask.json.dumps(answer.error(message or response.status))
            response.mimetype = "application/json"
        return response
