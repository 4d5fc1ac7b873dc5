"""State and discovery messages in a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from mqtt_broker import Broker, add_mqtt_plugin
from octoprint_uptime.mqtt import Place, discovery
from page_parts import control, dialog, save
from recorded_runs import EVENT, RECORDER, end, events, until
from support import ENDPOINT, GROUPS, ID, USERS, OctoPrint, OpenPage

WILL = "octoPrint/mqtt"
STATE = "octoPrint/uptime"
PLACE = Place("octoPrint/", WILL, "OctoPrint")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def server(octoprint_executable: Path, tmp_path: Path, broker: Broker) -> Iterator[OctoPrint]:
    """Give an OctoPrint with the MQTT plugin, which is not running yet."""
    server = OctoPrint(octoprint_executable, tmp_path / "octoprint")
    server.prepare(USERS, GROUPS, {"mqtt": {"port": broker.port}})
    add_mqtt_plugin(server)
    server.add_plugins({"recorder.py": RECORDER, "threads.py": THREADS})
    yield server
    server.stop()
    server.check_log()


def ours(broker: Broker) -> dict[str, Any]:
    """Return this plugin's retained messages."""
    return {topic: json.loads(text) for topic, text in broker.retained().items() if "uptime" in topic}


def published(broker: Broker, server: OctoPrint, connected: bool = True) -> dict[str, Any]:
    """Wait until the broker has all of this plugin's messages, and return the state."""
    until(lambda: broker.retained().get(WILL) == ("connected" if connected else "disconnected"))
    found = until(lambda: len(found := ours(broker)) == 8 and found)
    state: dict[str, Any] = found.pop(STATE)
    assert found == discovery(PLACE)
    if connected:
        answer = server.answer()
        for name in state.keys() - {"last_restart"}:
            assert state[name] == answer[name], name
        last = state["last_restart"]
        assert (last and last["id"]) == (answer["last_restart"] and answer["last_restart"]["id"])
    return state


def test_the_state_in_the_broker_is_always_true(server: OctoPrint, broker: Broker) -> None:
    broker.start()
    server.start()
    until(lambda: broker.retained().get(WILL) == "connected")
    assert ours(broker) == {}
    server.save({"mqtt": True}).raise_for_status()
    state = published(broker, server)
    assert (state["recorded_runs"], state["last_restart"], state["unseen_restarts"]) == (1, None, 0)

    end(server, "killed")
    assert published(broker, server, connected=False) == state

    # The broker comes so late that the event is lost, but not the state.
    broker.stop()
    server.start()
    until(lambda: events(server))
    broker.start()
    with broker.listening() as heard:
        state = published(broker, server)
        until(lambda: STATE in heard)
    assert (state["unseen_restarts"], state["unexpected_shutdowns"]) == (1, 1)
    assert (state["last_restart"]["kind"], state["last_restart"]["clean"]) == ("octoprint", False)
    assert not [topic for topic in heard if EVENT in topic]

    # The broker is restarted and has forgotten everything.
    broker.stop()
    broker.start()
    assert published(broker, server) == state

    command = {"command": "dismiss", "id": state["last_restart"]["id"]}
    server.session("admin").post(server.url + ENDPOINT, json=command).raise_for_status()
    until(lambda: ours(broker)[STATE]["unseen_restarts"] == 0)
    state = published(broker, server)

    end(server, "clean")
    assert published(broker, server, connected=False) == state
    server.start()
    until(lambda: ours(broker)[STATE]["recorded_runs"] == 3)
    state = published(broker, server)
    assert (state["unseen_restarts"], state["unexpected_shutdowns"]) == (0, 1)
    assert state["last_restart"]["clean"] is True

    # The log is off: what it knew is unknown.
    server.save({"restart_log": False}).raise_for_status()
    until(lambda: ours(broker)[STATE]["unseen_restarts"] is None)
    assert published_counts(ours(broker)[STATE]) == {None}

    server.save({"mqtt": False}).raise_for_status()
    until(lambda: ours(broker) == {})


def published_counts(state: dict[str, Any]) -> set[Any]:
    names = ("recorded_runs", "unexpected_shutdowns", "lost_prints", "boots", "unseen_lost_prints", "last_restart")
    return {state[name] for name in names}


# Has the settings of OctoPrint-HomeAssistant.
HOME_ASSISTANT = """
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class HomeAssistant(octoprint.plugin.SettingsPlugin):
    def get_settings_defaults(self):
        return {"node_id": "abc123", "discovery_topic": "ha"}

__plugin_implementation__ = HomeAssistant()
"""


def start_with(server: OctoPrint, broker: Broker, mqtt: dict[str, Any]) -> dict[str, Any]:
    """Start both with these settings of the MQTT plugin, and return all of this plugin's messages."""
    config = server.config()
    config["plugins"]["mqtt"] |= mqtt
    config["plugins"][ID] = {"mqtt": True}
    config["appearance"] = {"name": "Left"}
    (server.basedir / "config.yaml").write_text(json.dumps(config))
    broker.start()
    server.start()
    messages: dict[str, Any] = until(lambda: len(found := ours(broker)) == 8 and found)
    return messages


@pytest.mark.parametrize(
    ("base", "with_device", "will"),
    [
        ("Drucker ж/", True, {"broker": {"lwRetain": False}}),  # its word is never received
        pytest.param("ohne", False, {}, marks=pytest.mark.nightly),
        pytest.param("", False, {}, marks=pytest.mark.nightly),
    ],
)
def test_any_base_topic_works_without_a_last_will(
    server: OctoPrint, broker: Broker, base: str, with_device: bool, will: dict[str, Any]
) -> None:
    place = Place(base, None, "Left")
    if with_device:
        server.add_plugins({"homeassistant.py": HOME_ASSISTANT})
        place = place._replace(prefix="ha", device="abc123")
    messages = start_with(server, broker, {"publish": {"baseTopic": base, "lwActive": bool(will)}, **will})
    assert messages.pop(f"{base}uptime")["recorded_runs"] == 1
    assert messages == discovery(place)


def test_odd_settings_of_other_plugins_keep_the_defaults(server: OctoPrint, broker: Broker) -> None:
    """An early OctoPrint-HomeAssistant has no discovery topic, and a setting may have been written as text."""
    server.add_plugins({"homeassistant.py": HOME_ASSISTANT.replace(', "discovery_topic": "ha"', "")})
    messages = start_with(server, broker, {"publish": {"baseTopic": "odd/", "lwActive": "false"}})
    del messages["odd/uptime"]
    assert messages == discovery(Place("odd/", None, "Left", device="abc123"))


# Responds with the names of all threads.
THREADS = """
import flask, threading
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class Threads(octoprint.plugin.SimpleApiPlugin):
    def is_api_protected(self):
        return True

    def on_api_get(self, request):
        return flask.jsonify([thread.name for thread in threading.enumerate()])

__plugin_implementation__ = Threads()
"""


def threads(server: OctoPrint) -> list[str]:
    names: list[str] = server.session("admin").get(f"{server.url}/api/plugin/threads").json()
    return names


def test_checkbox_is_there_with_the_mqtt_plugin(server: OctoPrint, broker: Broker, open_page: OpenPage) -> None:
    broker.start()
    server.start()
    server.skip_wizards()
    page = open_page(server)
    pane = dialog(page)
    box = pane.get_by_label("Publish over MQTT", exact=True)
    expect(box).not_to_be_checked()
    assert box.get_attribute("id") == "octoprint_uptime_mqtt"
    assert len(control(page, "mqtt_help").inner_text()) > 15
    box.check()
    assert save(page)["plugins"] == {ID: {"mqtt": True}}
    until(lambda: len(ours(broker)) == 8)
    assert "uptime mqtt" in threads(server)


def test_without_the_mqtt_plugin_there_is_no_thread_and_no_log_line(server: OctoPrint) -> None:
    (server.basedir / "plugins" / "mqtt.py").unlink()
    server.start()
    server.save({"mqtt": True}).raise_for_status()
    until(lambda: server.answer()["recorded_runs"] == 1)
    assert "uptime restart log" in threads(server)
    assert "uptime mqtt" not in threads(server)
    assert f"octoprint.plugins.{ID} - " not in server.log
