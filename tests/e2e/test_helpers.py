"""What other plugins get through OctoPrint's helpers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from namespaces import with_files
from support import MakeServer, OctoPrint

# The order in which OctoPrint initialises plugins is nobody's to choose, so this one asks before and after ours.
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


def test_helpers_give_seconds_even_before_the_plugin_is_initialised(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"a_neighbour.py": NEIGHBOUR})
    at_first, now = ask(server)
    api = server.answer()
    assert at_first.keys() == now.keys() == {"system_uptime", "octoprint_uptime"}
    assert now["system_uptime"] == pytest.approx(api["seconds"], abs=2)
    assert now["octoprint_uptime"] == pytest.approx(api["octoprint_seconds"], abs=2)
    for name in now:
        assert 0 < at_first[name] < now[name]


def test_what_is_unknown_is_none(make_server: MakeServer, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.touch()
    # Without its btime psutil knows no boot time either.
    server = make_server(
        with_files({"/proc/uptime": nothing, "/proc/stat": nothing}), extra_plugins={"a_neighbour.py": NEIGHBOUR}
    )
    _, now = ask(server)
    assert now["system_uptime"] is None
    assert now["octoprint_uptime"] > 0
    assert len(server.warnings()) == 2
