"""A plugin that hangs as OctoPrint ends, if it is told to, until a service manager loses its patience."""

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
