"""The plugin class: OctoPrint's mixins wired to the clock, the formats and the settings."""

import logging
from typing import Any

import flask
import octoprint.plugin
from flask_babel import gettext
from octoprint.access.permissions import Permissions
from octoprint.settings import NoSuchSettingsPath

from . import settings
from .clock import Uptime, process_clock, scope, system_clock
from .formatting import DISPLAY_FORMATS, format_uptime

_EXAMPLE_SECONDS = 93784  # with a figure in every unit


class UptimePlugin(
    octoprint.plugin.SettingsPlugin,
    octoprint.plugin.SimpleApiPlugin,
    octoprint.plugin.TemplatePlugin,
    octoprint.plugin.AssetPlugin,
    octoprint.plugin.EnvironmentDetectionPlugin,
):
    """System and OctoPrint uptime in the navbar, over the API and in System info."""

    def __init__(self) -> None:
        super().__init__()
        # Not with self._logger, which comes with initialize: other plugins may call the helpers before that.
        logger = logging.getLogger("octoprint.plugins.octoprint_uptime")
        self._system = system_clock(logger)
        self._octoprint = process_clock(logger)

    def initialize(self) -> None:
        # Read from here, never from OctoPrint's layered settings: those are slow, and hold what people typed.
        self._values = settings.defaults()
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
        self._values |= values
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
        return flask.jsonify(answer)

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
        return self._read("full")

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


def _fields(prefix: str, uptime: Uptime, formats: tuple[str, ...]) -> dict[str, Any]:
    seconds = uptime.seconds
    fields: dict[str, Any] = {f"{prefix}seconds": seconds, f"{prefix}started_at": uptime.started_at}
    for display_format in formats:
        name = f"{prefix}uptime" if display_format == "full" else f"{prefix}uptime_{display_format}"
        fields[name] = None if seconds is None else format_uptime(seconds, display_format)
    return fields
