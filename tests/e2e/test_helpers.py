"""The helpers that other plugins call, and the API while the uptime is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from namespaces import with_files
from page_parts import RUNS, seed
from recorded_runs import until
from support import ANSWER_FIELDS, ENDPOINT, UP_FOR_AN_HOUR, MakeServer, OctoPrint

# Asks before and after the plugin is initialised: OctoPrint chooses the order of plugins.
NEIGHBOUR = """
import flask, octoprint.plugin

class Neighbour(octoprint.plugin.SimpleApiPlugin):
    def ask(self):
        helpers = self._plugin_manager.get_helpers("octoprint_uptime")
        return {name: helper() for name, helper in helpers.items()}

    def initialize(self):
        self.at_first = self.ask()

    def is_api_protected(self):
        return True

    def on_api_get(self, request):
        return flask.jsonify(at_first=self.at_first, now=self.ask())

__plugin_name__ = "Neighbour"
__plugin_pythoncompat__ = ">=3,<4"
__plugin_implementation__ = Neighbour()
"""


def ask(server: OctoPrint) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = server.session("admin").get(f"{server.url}/api/plugin/a_neighbour").json()
    return answer["at_first"], answer["now"]


@pytest.mark.each_octoprint
def test_helpers_work_before_and_after_the_plugin_is_initialised(make_server: MakeServer) -> None:
    """The last restart is like the API's, but without file names."""
    server = make_server(UP_FOR_AN_HOUR, seed=seed(RUNS), extra_plugins={"a_neighbour.py": NEIGHBOUR})
    told = until(lambda: server.answer()["last_restart"])
    at_first, now = ask(server)
    api = server.answer()
    assert at_first.keys() == now.keys() == {"system_uptime", "octoprint_uptime", "last_restart"}
    assert at_first.pop("last_restart") is None
    assert told["lost_print"]["file"] == "benchy.gcode"
    assert now.pop("last_restart") == {**told, "lost_print": {**told["lost_print"], "file": None, "path": None}}
    assert now["system_uptime"] == pytest.approx(api["seconds"], abs=2)
    assert now["octoprint_uptime"] == pytest.approx(api["octoprint_seconds"], abs=2)
    for name in now:
        assert 0 < at_first[name] < now[name]
    server.save({"restart_log": False}).raise_for_status()
    assert ask(server)[1]["last_restart"] is None


def test_unknown_uptime_is_null_with_a_note_in_the_callers_language(make_server: MakeServer, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.touch()
    # Without its btime psutil knows no boot time either.
    server = make_server(
        with_files({"/proc/uptime": nothing, "/proc/stat": nothing}), extra_plugins={"a_neighbour.py": NEIGHBOUR}
    )
    answer = server.answer()
    assert set(answer) == ANSWER_FIELDS | {"uptime_note"}
    assert {answer[field] for field in ("seconds", "started_at", "uptime", "uptime_dhm", "uptime_dh", "uptime_d")} == {
        None
    }
    assert answer["uptime_available"] is False
    assert answer["uptime_source"] is None
    assert answer["octoprint_seconds"] > 0
    german = server.session("admin").get(server.url + ENDPOINT, headers={"X-Locale": "de"}).json()["uptime_note"]
    assert "neither /proc/uptime nor psutil gives a usable value" in answer["uptime_note"]
    assert "Weder /proc/uptime noch psutil liefert einen brauchbaren Wert" in german
    _, now = ask(server)
    assert now["system_uptime"] is None
    assert now["octoprint_uptime"] > 0
    assert len(server.warnings()) == 2
