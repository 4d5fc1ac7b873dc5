"""Prints that OctoPrint does not stream, or does not name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recorded_runs import LOST_PRINT_FIELDS, connect, end, restarts, rows_of_any_print, system_info, until
from support import MakeServer


@pytest.mark.each_octoprint
def test_print_from_the_printers_storage_is_unattended_not_lost(make_server: MakeServer) -> None:
    def insert_card(basedir: Path) -> None:
        (basedir / "virtualSd").mkdir(parents=True)
        (basedir / "virtualSd" / "on the card.gcode").write_text("G1 X100 F600\nG1 X0 F600\n" * 1000)

    server = make_server(seed=insert_card)
    connect(server)
    session = server.session("admin")
    session.post(f"{server.url}/api/printer/sd", json={"command": "init"}).raise_for_status()

    def on_the_card() -> Any:
        files = session.get(f"{server.url}/api/files").json()["files"]
        return next((file for file in files if file["origin"] != "local"), None)

    file = until(on_the_card)
    command = {"command": "select", "print": True}
    session.post(f"{server.url}/api/files/{file['origin']}/{file['path']}", json=command).raise_for_status()
    row = until(lambda: next((row for row in rows_of_any_print(server)[-1:] if row["print_path"]), None))
    assert row["print_origin"] == file["origin"] != "local"
    end(server, "killed")
    server.start()
    (restart,) = until(lambda: restarts(server))
    assert (restart["clean"], restart["lost_print"]) == (False, None)
    unattended = restart["unattended_print"]
    assert unattended.keys() == LOST_PRINT_FIELDS
    assert (unattended["file"], unattended["path"]) == (file["name"], file["path"])
    assert unattended["origin"] == file["origin"]
    text = "octoprint, unexpected shutdown, a print from the printer's own storage may have continued"
    assert system_info(server)[0] == text


# Reports a print as a plugin does that prints a file without a name.
NAMELESS = """
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class Nameless(octoprint.plugin.StartupPlugin):
    def on_after_startup(self):
        ours = self._plugin_manager.get_plugin_info("octoprint_uptime").implementation
        ours.on_event("PrintStarted", {"name": None, "path": None, "origin": "local"})

__plugin_implementation__ = Nameless()
"""


def test_print_without_a_name_is_recorded(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"nameless.py": NAMELESS})
    until(lambda: (rows_of_any_print(server) or [{}])[-1].get("print_started"))
    end(server, "killed")
    server.start()
    lost = until(lambda: restarts(server))[0]["lost_print"]
    assert (lost["file"], lost["path"], lost["origin"]) == (None, None, "local")
    assert lost["started_at"] is not None
