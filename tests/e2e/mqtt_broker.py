"""A real MQTT broker, and a plugin that has two helpers of OctoPrint-MQTT."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from octoprint_server import free_port
from recorded_runs import until
from support import OctoPrint
from system import unpacked

# Like OctoPrint-MQTT: its helpers, its settings, its last will, and its events. It drops what it can't send.
PLUGIN = """
import json, sys
import octoprint.plugin

sys.path.append({libraries!r})
from paho.mqtt.client import CallbackAPIVersion, Client

__plugin_name__ = "MQTT"
__plugin_pythoncompat__ = ">=3"

class Mqtt(
    octoprint.plugin.SettingsPlugin,
    octoprint.plugin.StartupPlugin,
    octoprint.plugin.ShutdownPlugin,
    octoprint.plugin.EventHandlerPlugin,
):
    def __init__(self):
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.connected, self.callbacks, self.queue = False, dict(), []

    def get_settings_defaults(self):
        publish = dict(baseTopic="octoPrint/", lwTopic="mqtt", lwActive=True)
        return dict(port=1883, publish=publish, broker=dict(lwRetain=True))

    def on_startup(self, host, port):
        base, will, active = (self._settings.get(["publish", key]) for key in ("baseTopic", "lwTopic", "lwActive"))
        self.base, self.will = base, base + will if active else None
        self.retain = self._settings.get(["broker", "lwRetain"])
        if self.will:
            self.client.will_set(self.will, "disconnected", qos=1, retain=self.retain)
        self.client.on_connect, self.client.on_disconnect = self.on_connect, self.on_disconnect
        self.client.on_message = lambda client, _, message: self.callbacks[message.topic](
            message.topic, message.payload, retained=message.retain, qos=message.qos
        )
        self.client.reconnect_delay_set(1, 2)
        self.client.connect_async("127.0.0.1", self._settings.get(["port"]))
        self.client.loop_start()

    def on_connect(self, client, userdata, flags, reason, properties):
        if self.will:
            self.client.publish(self.will, "connected", qos=1, retain=self.retain)
        for topic, payload in self.queue:
            self.client.publish(topic, payload, qos=1, retain=True)
        self.queue.clear()
        for topic in self.callbacks:
            self.client.subscribe(topic)
        self.connected = True

    def on_disconnect(self, client, userdata, flags, reason, properties):
        self.connected = False

    def on_shutdown(self):
        if self.will:
            self.client.publish(self.will, "disconnected", qos=1, retain=self.retain).wait_for_publish(2)
        self.client.loop_stop()

    def on_event(self, event, payload):
        if hasattr(self, "base"):
            self.mqtt_publish(f"{{self.base}}event/{{event}}", payload)

    def mqtt_publish(self, topic, payload, retained=None, qos=0, allow_queueing=False):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        if self.connected:
            self.client.publish(topic, text, qos, retained is not False and retained is not None)
        elif allow_queueing:
            self.queue.append((topic, text))
        return self.connected or allow_queueing

    def mqtt_subscribe(self, topic, callback):
        self.callbacks[topic] = callback
        if self.connected:
            self.client.subscribe(topic)

def __plugin_load__():
    global __plugin_implementation__, __plugin_helpers__
    __plugin_implementation__ = plugin = Mqtt()
    __plugin_helpers__ = dict(mqtt_publish=plugin.mqtt_publish, mqtt_subscribe=plugin.mqtt_subscribe)
"""


def add_mqtt_plugin(server: OctoPrint) -> None:
    """Add the plugin to a server before its start, with the library that OctoPrint's environment lacks."""
    libraries = server.basedir / "libraries"
    libraries.mkdir()
    (libraries / "paho").symlink_to(Path(paho.__path__[0]))
    server.add_plugins({"mqtt.py": PLUGIN.format(libraries=str(libraries))})


class Broker:
    """A mosquitto that keeps nothing when it is restarted."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        # As root, it would become another user.
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self._log, "ab") as log:
            command = [*unpacked("mosquitto"), "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._accepts)

    def _accepts(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            self.retained()
        except ConnectionRefusedError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def retained(self) -> dict[str, str]:
        """Return the broker's retained messages by their topics."""
        found: dict[str, str] = {}
        complete = threading.Event()

        def note(_client: Client, _data: object, message: MQTTMessage) -> None:
            if message.topic == "complete":
                complete.set()
            elif message.retain:
                found[message.topic] = message.payload.decode()

        with self._client() as client:
            client.on_message = note
            client.subscribe("#")
            client.publish("complete")  # comes back after all retained messages
            assert complete.wait(10)
        return found

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Give the topics of all messages from now on."""
        topics: list[str] = []
        with self._client() as client:
            client.on_message = lambda _client, _data, message: topics.append(message.topic)
            client.subscribe("#")
            yield topics

    @contextmanager
    def _client(self) -> Iterator[Client]:
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        yield client
        client.disconnect()
        client.loop_stop()
