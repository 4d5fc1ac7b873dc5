"""The restart log while it, or the whole plugin, is switched off, and after it is cleared."""

from __future__ import annotations

import time
from typing import Any

import pytest

from prompt import PROMPT
from recorded_runs import (
    RECORDER,
    begin,
    check_order,
    connect,
    database,
    end,
    events,
    moment,
    print_file,
    printing,
    restarts,
    rows,
    state,
    until,
)
from support import ENDPOINT, ID, MakeServer, OctoPrint


def not_recorded(server: OctoPrint) -> list[dict[str, Any]]:
    """Return the API's gaps, in which nothing was recorded."""
    response = server.session("admin").get(server.url + ENDPOINT, params={"restarts": "1"})
    found: list[dict[str, Any]] = response.json()["not_recorded"]
    return found


def test_switched_off_log_records_and_forgets_nothing(make_server: MakeServer) -> None:
    server = make_server(plugins={ID: {"restart_log": False}}, extra_plugins={"recorder.py": RECORDER})
    connect(server)
    print_file(server, "parts/long.gcode")
    until(lambda: state(server) == "Printing")
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    assert not database(server).exists()

    server.save({"restart_log": True}).raise_for_status()
    assert until(lambda: database(server).exists() and printing(server))["print_path"] == "parts/long.gcode"
    server.save({"restart_log": False}).raise_for_status()
    until(lambda: rows(server)[0]["ended"] == "off")
    server.save({"restart_log": True}).raise_for_status()
    until(lambda: [row["ended"] for row in rows(server)] == ["off", None])
    assert restarts(server) == []  # since none was

    first = begin(server, "killed")
    assert len(first.listed) == 1
    assert first.last["lost_print"]["file"] == "long.gcode"
    assert first.last["started_at"] == server.answer()["octoprint_started_at"]
    assert moment(first.last["lost_print"]["started_at"]) <= moment(first.last["ended_after"])
    check_order(first.listed)

    server.save({"restart_log": False}).raise_for_status()
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    until(lambda: rows(server)[-1]["ended"] == "off")
    server.stop()
    server.start()
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    assert (server.answer()["recorded_since"], not_recorded(server)) == (None, [])
    assert (
        f"env.plugins.{ID}.last_restart"
        not in (server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"])
    )
    server.save({"restart_log": True}).raise_for_status()
    assert until(lambda: restarts(server)) == first.listed  # nothing is known about the time when it was off
    assert len(events(server)) == 1
    since = moment(server.answer()["recorded_since"])
    assert since == pytest.approx(rows(server)[0]["offset"] + rows(server)[0]["recorded_from"], abs=2.5)
    newest, oldest = not_recorded(server)
    for gap in (newest, oldest):
        assert moment(gap["from"]) <= moment(gap["to"]) <= time.time()
    assert since <= moment(oldest["from"])
    assert moment(oldest["to"]) <= moment(newest["from"])

    assert begin(server, "clean").listed[1:] == first.listed
    response = server.session("admin").post(server.url + ENDPOINT, json={"command": "clear"})
    assert response.status_code == 204
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    assert len(rows(server)) == 1
    assert len(begin(server, "clean").listed) == 1
    # Stored runs can also be cleared while nothing is recorded.
    server.save({"restart_log": False}).raise_for_status()
    until(lambda: rows(server)[-1]["ended"] == "off")
    response = server.session("admin").post(server.url + ENDPOINT, json={"command": "clear"})
    assert response.status_code == 204
    assert rows(server) == []


@pytest.mark.each_octoprint
def test_disabling_in_the_plugin_manager_is_no_restart(make_server: MakeServer) -> None:
    prompt = PROMPT.format(lines=['self._plugin_manager.get_helpers("octoprint_uptime") is None'])
    server = make_server(enable=("pluginmanager",), extra_plugins={"prompt.py": prompt})

    def toggle(command: str) -> None:
        body = {"command": command, "plugin": ID}
        response = server.session("admin").post(f"{server.url}/api/plugin/pluginmanager", json=body)
        response.raise_for_status()

    until(lambda: rows(server))
    first_off = time.time()
    toggle("disable")
    until(lambda: rows(server)[-1]["ended"] == "off")
    toggle("enable")
    until(lambda: [row["ended"] for row in rows(server)] == ["off", None])
    first_on = time.time()
    toggle("disable")
    until(lambda: [row["ended"] for row in rows(server)] == ["off", "off"])
    second_off = time.time()
    end(server, "killed")
    server.start()  # without the plugin
    response = server.session("admin").get(server.url + ENDPOINT)
    assert (response.status_code, response.json().keys()) == (404, {"error"})
    assert server.session("admin").get(f"{server.url}/api/plugin/prompt").json() == ["True\n"]
    toggle("enable")
    end(server, "killed")
    second_on = time.time()
    server.start()
    until(lambda: [row["ended"] for row in rows(server)] == ["off", "off", None])
    assert restarts(server) == []
    newest, oldest = not_recorded(server)
    # Times are in whole seconds, and the two clocks differ by milliseconds.
    assert moment(newest["to"]) - moment(newest["from"]) >= second_on - second_off - 1.1
    assert moment(oldest["to"]) - moment(oldest["from"]) <= first_on - first_off + 1.1
    assert newest["to"] == server.answer()["octoprint_started_at"]
    server.new_log()  # where the Plugin Manager says that there is no internet
