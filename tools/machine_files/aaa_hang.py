"""Hang when OctoPrint shuts down, if /run/hang exists, until the service manager kills OctoPrint."""

import os
import time

import octoprint.plugin

__plugin_name__ = "Hang"
__plugin_pythoncompat__ = ">=3"


class Hang(octoprint.plugin.ShutdownPlugin):
    def on_shutdown(self) -> None:
        if os.path.exists("/run/hang"):
            time.sleep(60)


__plugin_implementation__ = Hang()
