"""Measure how long the plugin takes when OctoPrint shuts down."""

from __future__ import annotations

from octoprint_server import Server

STOPWATCH = {
    "stopwatch.py": """
import os, time
import octoprint.plugin, octoprint.settings

__plugin_pythoncompat__ = ">=3"

class Stopwatch(octoprint.plugin.StartupPlugin):
    def on_after_startup(self):
        ours = self._plugin_manager.get_plugin_info("octoprint_uptime").implementation
        stop = ours.on_shutdown

        def on_shutdown():
            started = time.perf_counter()
            stop()
            with open(os.path.join(octoprint.settings.settings().getBaseFolder("base"), "took"), "w") as file:
                file.write(str(time.perf_counter() - started))

        ours.on_shutdown = on_shutdown

__plugin_implementation__ = Stopwatch()
"""
}


def took(server: Server) -> float:
    """Return how many seconds the plugin took at the last shutdown of a server."""
    return float((server.basedir / "took").read_text())
