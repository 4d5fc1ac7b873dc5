"""Publish the plugin's state and Home Assistant's discovery messages through the MQTT plugin."""

import logging
import re
import threading
from collections.abc import Callable
from typing import NamedTuple

from .answer import Fields

CHECK_SECONDS = 10.0


class Helpers(NamedTuple):
    """Two helpers of the MQTT plugin. ``publish`` returns False while that plugin is not connected to its broker."""

    publish: Callable[..., bool]
    subscribe: Callable[..., None]


class Place(NamedTuple):
    """Where to publish.

    ``base`` is the MQTT plugin's base topic, and ``will`` the topic of its retained last will, if any. ``prefix`` is
    Home Assistant's discovery prefix. ``device`` is the id of an existing device to join; if it is None, Home Assistant
    creates a device called ``name``.
    """

    base: str
    will: str | None
    name: str
    prefix: str = "homeassistant"
    device: str | None = None

    @property
    def state(self) -> str:
        """The topic of the state."""
        return f"{self.base}uptime"


# In Home Assistant, a template that gives none makes the entity unknown.
_PROBLEM = "{{{{ none if value_json.{0} is none else 'ON' if value_json.{0} else 'OFF' }}}}"
_KIND = "last.kind ~ (', clean' if last.clean and last.cause is none else ', unexpected')"
_ENTITIES: dict[str, Fields] = {
    "sensor/started": {"val_tpl": "{{ value_json.octoprint_started_at }}", "dev_cla": "timestamp"},
    "sensor/host_started": {"val_tpl": "{{ value_json.started_at }}", "dev_cla": "timestamp"},
    "binary_sensor/unexpected_shutdown": {"val_tpl": _PROBLEM.format("unseen_restarts"), "dev_cla": "problem"},
    "binary_sensor/lost_print": {"val_tpl": _PROBLEM.format("unseen_lost_prints"), "dev_cla": "problem"},
}
# These describe the past, so they stay available while OctoPrint is down.
_ENTITIES_OF_THE_PAST: dict[str, Fields] = {
    "sensor/last_restart": {
        "val_tpl": f"{{% set last = value_json.last_restart %}}{{{{ none if last is none else {_KIND} }}}}",
        "json_attr_t": "~",
        "json_attr_tpl": "{{ (value_json.last_restart or {}) | tojson }}",
    },
    "sensor/unexpected_shutdowns": {"val_tpl": "{{ value_json.unexpected_shutdowns }}", "stat_cla": "total_increasing"},
    "sensor/lost_prints": {"val_tpl": "{{ value_json.lost_prints }}", "stat_cla": "total_increasing"},
}


def discovery(place: Place) -> dict[str, Fields]:
    """Return the discovery messages for Home Assistant, keyed by topic."""
    # The base topic in characters that Home Assistant allows here, encoded so that no two OctoPrints share one.
    base = re.sub(rb"[^a-zA-Z0-9-]", lambda found: b"_%02x" % ord(found[0]), place.base.encode())
    own = f"octoprint_uptime_{base.decode()}"
    # Naming a device of another plugin would rename it.
    device = {"ids": place.device} if place.device else {"ids": own, "name": place.name}
    will = {"avty_t": place.will, "pl_avail": "connected", "pl_not_avail": "disconnected"} if place.will else {}
    messages = {}
    for key, fields in {**_ENTITIES, **_ENTITIES_OF_THE_PAST}.items():
        component, _, name = key.partition("/")
        config = {"~": place.state, "stat_t": "~", "name": name.replace("_", " ").capitalize(), "dev": device}
        config |= {"uniq_id": f"{own}_{name}"} | (will if key in _ENTITIES else {}) | fields
        messages[f"{place.prefix}/{component}/{own}_{name}/config"] = config
    return messages


class Publisher:
    """Publishes the state whenever it has changed, and everything again whenever the MQTT plugin connects.

    ``read_state`` returns the state, or None while it is unknown. All messages are retained.
    """

    def __init__(self, helpers: Helpers, read_state: Callable[[], Fields | None], logger: logging.Logger) -> None:
        self._helpers = helpers
        self._read_state = read_state
        self._logger = logger
        self._lock = threading.Lock()  # shared by requests, the thread below and the MQTT plugin's thread
        self._place: Place | None = None
        self._published: Fields | None = None
        self._subscribed: set[str] = set()
        self._switched_off = threading.Event()
        self._has_failed = False

    def switch(self, place: Place | None) -> None:
        """Start publishing at this place. With None, stop and remove all messages.

        If publishing is on already, ignore the new place.
        """
        with self._lock:
            if place and not self._place:
                self._place, self._published, self._switched_off = place, None, threading.Event()
                threading.Thread(target=self._work, args=[self._switched_off], name="uptime mqtt", daemon=True).start()
            elif self._place and not place:
                # The entities come first, because Home Assistant can't read an empty state.
                for topic in (*discovery(self._place), self._place.state):
                    self._try(self._helpers.publish, topic, "", retained=True, qos=1, allow_queueing=True)
                self._place = None
                self._switched_off.set()

    def _work(self, switched_off: threading.Event) -> None:
        self._publish()
        while not switched_off.wait(CHECK_SECONDS):
            self._publish()

    def _on_will(self, _topic: str, payload: bytes, **_: object) -> None:
        # The broker may have forgotten everything in the meantime.
        if payload == b"connected":
            self._publish(anew=True)

    def _publish(self, anew: bool = False) -> None:
        with self._lock:
            if anew:
                self._published = None
            self._try(self._publish_changes)

    def _publish_changes(self) -> None:
        place, state = self._place, self._read_state()
        if place and place.will and place.will not in self._subscribed:
            self._helpers.subscribe(place.will, self._on_will)
            self._subscribed.add(place.will)
        if place is None or state is None or state == self._published:
            return
        messages = {place.state: state}
        # Without a last will, nothing says that the broker has restarted and forgotten them.
        if self._published is None or not place.will:
            messages |= discovery(place)
        # Don't queue them: what the MQTT plugin queues may lose its retained flag.
        sent = all(self._helpers.publish(topic, each, retained=True, qos=1) for topic, each in messages.items())
        self._published = state if sent else None

    def _try(self, step: Callable[..., object], *arguments: object, **more: object) -> None:
        try:
            step(*arguments, **more)
        except Exception as error:  # another plugin's code can raise anything
            level = logging.DEBUG if self._has_failed else logging.WARNING
            self._has_failed = True
            self._logger.log(level, "Could not use the MQTT plugin: %r", error)
