"""An OctoPrint plugin that shows how long the host and OctoPrint have been up, and what restarted."""

from .formatting import format_uptime, format_uptime_d, format_uptime_dh, format_uptime_dhm

__all__ = ["format_uptime", "format_uptime_d", "format_uptime_dh", "format_uptime_dhm"]

# OctoPrint reads these from the source without importing it, so they must be plain literals.
__plugin_name__ = "OctoPrint Uptime"
__plugin_author__ = "Ajimaru"
__plugin_pythoncompat__ = ">=3.10,<4"

__plugin_implementation__: object = None
__plugin_hooks__: dict[str, object] = {}
__plugin_helpers__: dict[str, object] = {}


def __plugin_load__() -> None:
    """Create the plugin only when OctoPrint loads it, so that importing the package is cheap for other plugins."""
    global __plugin_implementation__, __plugin_hooks__, __plugin_helpers__
    from .plugin import UptimePlugin

    __plugin_implementation__ = plugin = UptimePlugin()
    __plugin_hooks__ = {
        "octoprint.cli.commands": plugin.get_cli_commands,
        "octoprint.events.register_custom_events": plugin.get_custom_events,
        "octoprint.plugin.backup.additional_excludes": plugin.get_backup_excludes,
        "octoprint.plugin.softwareupdate.check_config": plugin.get_update_information,
        "octoprint.server.api.after_request": plugin.get_after_request_handlers,
    }
    __plugin_helpers__ = {
        "system_uptime": plugin.system_uptime,
        "octoprint_uptime": plugin.octoprint_uptime,
        "last_restart": plugin.last_restart,
    }
