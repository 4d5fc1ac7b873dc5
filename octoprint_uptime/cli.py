"""Add a command to ``octoprint plugins`` that shows the host's uptime without a running server."""

import json
import logging
from typing import Any

import click

from . import answer, settings
from .clock import system_clock
from .formatting import format_uptime


def commands(octoprint_settings: Any) -> list[click.Command]:
    """Return the plugin's commands. ``octoprint_settings`` are OctoPrint's, without the defaults of plugins."""

    @click.command("show")
    @click.option("--json", "as_json", is_flag=True, help="Print the API's fields about the host as JSON.")
    def show(as_json: bool) -> None:
        """Print the host's uptime in the display format from the plugin's settings."""
        logger = logging.getLogger(__name__)
        logger.propagate = False  # OctoPrint's handler writes to stdout; without it, warnings go to stderr

        stored = octoprint_settings.get(["plugins", "octoprint_uptime", "display_format"])
        values, complaints = settings.clean({} if stored is None else {"display_format": stored})
        for complaint in complaints:
            logger.warning("%s", complaint)
        display_format = str((settings.defaults() | values)["display_format"])

        uptime = system_clock(logger).read()
        if as_json:
            click.echo(json.dumps(answer.for_command_line(uptime, display_format), sort_keys=True))
        elif uptime.seconds is not None:
            click.echo(format_uptime(uptime.seconds, display_format))
        if uptime.seconds is None:
            raise click.ClickException("Could not read the host's uptime from /proc/uptime or psutil.")

    return [show]
