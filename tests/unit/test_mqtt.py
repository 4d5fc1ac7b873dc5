"""Publish with a recording fake of the MQTT plugin's two helpers."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from made_up_restart import MARCH, RESTART
from octoprint_uptime import answer, mqtt
from octoprint_uptime.clock import Uptime
from octoprint_uptime.mqtt import Helpers, Place, Publisher, discovery
from octoprint_uptime.restart_log import News, Restart, Totals

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
PLACE = Place("octoPrint/", "octoPrint/mqtt", "Left")
STATE = "octoPrint/uptime"
UPTIMES = answer.Uptimes(Uptime(93784.5, "proc", MARCH, "host"), Uptime(60.9, "proc", MARCH + 93724))
UNEXPLAINED = RESTART._replace(cause=None)
NEWS = News(UNEXPLAINED, UNEXPLAINED, 3, 0, MARCH, totals=Totals(12, 5, 4, 7))


class Broker:
    """The MQTT plugin with its broker."""

    def __init__(self) -> None:
        self.is_connected = True
        self.retained: dict[str, Any] = {}
        self.senders: list[threading.Thread] = []
        self.topics: list[str] = []
        self.queue: list[tuple[str, Any]] = []
        self.subscriptions: list[tuple[str, Callable[..., None]]] = []
        self.error: Exception | None = None

    def publish(
        self, topic: str, payload: Any, retained: bool = False, qos: int = 0, allow_queueing: bool = False
    ) -> bool:
        if self.error:
            raise self.error
        assert (retained, qos) == (True, 1)
        if self.is_connected:
            self._store(topic, payload)
        elif allow_queueing:
            assert payload == "", "what is queued loses its flag"
            self.queue.append((topic, payload))
        return self.is_connected or allow_queueing

    def _store(self, topic: str, payload: Any) -> None:
        self.senders.append(threading.current_thread())
        self.topics.append(topic)
        if payload == "":
            self.retained.pop(topic, None)
        else:
            self.retained[topic] = json.loads(json.dumps(payload))

    def subscribe(self, topic: str, callback: Callable[..., None]) -> None:
        if self.error:
            raise self.error
        self.subscriptions.append((topic, callback))

    @property
    def sent(self) -> int:
        return len(self.senders)

    def connect(self, forget: bool = False) -> None:
        """Connect, as the MQTT plugin's thread does."""
        if forget:
            self.retained.clear()
        self.is_connected = True
        for topic, payload in self.queue:
            self._store(topic, payload)
        self.queue.clear()
        for topic, callback in self.subscriptions:
            callback(topic, b"connected", retained=True, qos=0)


@pytest.fixture
def broker() -> Broker:
    return Broker()


class State:
    """What the plugin knows, which a test sets."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] | None = {"boots": 7}
        self.reads = 0

    def read(self) -> dict[str, Any] | None:
        self.reads += 1
        return self.fields and dict(self.fields)


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def publisher(mocker: MockerFixture, broker: Broker, state: State) -> Iterator[Publisher]:
    mocker.patch.object(mqtt, "CHECK_SECONDS", 0.01)
    publisher = Publisher(Helpers(broker.publish, broker.subscribe), state.read, LOGGER)
    yield publisher
    broker.error = None
    publisher.switch(None)
    until(lambda: not threads())


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "uptime mqtt"]


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def checked(state: State, times: int = 3) -> None:
    """Wait until the state has been checked a few times more."""
    reads = state.reads + times
    until(lambda: state.reads >= reads)


def test_state_and_discovery_are_published(publisher: Publisher, broker: Broker) -> None:
    publisher.switch(PLACE)
    until(lambda: broker.retained == {STATE: {"boots": 7}, **discovery(PLACE)})
    assert len(broker.retained) == 8


def test_only_a_change_is_published(publisher: Publisher, broker: Broker, state: State) -> None:
    publisher.switch(PLACE)
    until(lambda: broker.sent == 8)
    checked(state)
    assert broker.sent == 8
    state.fields = {"boots": 8}
    until(lambda: broker.retained[STATE] == {"boots": 8})
    checked(state)
    assert broker.sent == 9


def test_nothing_is_published_before_the_state_is_known(publisher: Publisher, broker: Broker, state: State) -> None:
    state.fields = None
    publisher.switch(PLACE)
    checked(state)
    broker.connect()
    assert broker.retained == {}
    state.fields = {"boots": 7}
    until(lambda: len(broker.retained) == 8)


def test_late_broker_has_everything_at_once(publisher: Publisher, broker: Broker, state: State) -> None:
    broker.is_connected = False
    publisher.switch(PLACE)
    checked(state)
    assert broker.retained == {}
    broker.connect()
    assert len(broker.retained) == 8
    assert broker.senders.count(threading.current_thread()) == 8, "the connection itself makes it publish"


@pytest.mark.parametrize("lost", [1, 2, 8])
def test_what_a_lost_connection_drops_is_sent_again(
    mocker: MockerFixture, publisher: Publisher, broker: Broker, lost: int
) -> None:
    publish = broker.publish
    calls = 0

    def fail_once(*arguments: Any, **options: Any) -> bool:
        nonlocal calls
        calls += 1
        return calls != lost and publish(*arguments, **options)

    mocker.patch.object(broker, "publish", fail_once)
    mocker.patch.object(publisher, "_helpers", Helpers(fail_once, broker.subscribe))
    publisher.switch(PLACE)
    until(lambda: len(broker.retained) == 8)


def test_broker_that_forgets_has_everything_at_once(publisher: Publisher, broker: Broker) -> None:
    publisher.switch(PLACE)
    until(lambda: broker.sent == 8)
    broker.connect(forget=True)
    assert len(broker.retained) == 8


def test_only_the_word_connected_publishes_anew(publisher: Publisher, broker: Broker, state: State) -> None:
    publisher.switch(PLACE)
    until(lambda: broker.sent == 8)
    ((topic, callback),) = broker.subscriptions
    assert topic == PLACE.will
    callback(topic, b"disconnected", retained=True, qos=0)
    checked(state)
    assert broker.sent == 8


def test_without_a_last_will_a_connection_is_noticed_at_the_next_check(publisher: Publisher, broker: Broker) -> None:
    broker.is_connected = False
    place = PLACE._replace(will=None)
    publisher.switch(place)
    broker.is_connected = True
    until(lambda: len(broker.retained) == 8)
    assert broker.subscriptions == []
    assert "avty_t" not in json.dumps(broker.retained)


def test_without_a_last_will_a_broker_that_forgets_has_everything_at_the_next_change(
    publisher: Publisher, broker: Broker, state: State
) -> None:
    publisher.switch(PLACE._replace(will=None))
    until(lambda: broker.sent == 8)
    broker.retained.clear()
    checked(state)
    assert broker.retained == {}
    state.fields = {"boots": 8}
    until(lambda: len(broker.retained) == 8)


@pytest.mark.parametrize("is_connected", [True, False])
def test_switching_off_removes_everything(publisher: Publisher, broker: Broker, is_connected: bool) -> None:
    publisher.switch(PLACE)
    until(lambda: broker.sent == 8)
    broker.retained["other"] = 1
    broker.is_connected = is_connected
    publisher.switch(None)
    until(lambda: not threads())
    broker.connect()
    assert broker.retained == {"other": 1}
    assert broker.topics[0] == broker.topics[-1] == STATE, "Home Assistant can't read an empty state"


def test_switching_on_again_publishes_at_the_new_place(publisher: Publisher, broker: Broker) -> None:
    publisher.switch(PLACE)
    until(lambda: broker.sent == 8)
    publisher.switch(None)
    publisher.switch(Place("plant/", "plant/mqtt", "Left"))
    until(lambda: len(broker.retained) == 8)
    assert "plant/uptime" in broker.retained
    assert [topic for topic, _ in broker.subscriptions] == ["octoPrint/mqtt", "plant/mqtt"]
    publisher.switch(None)
    publisher.switch(PLACE)
    assert len(broker.subscriptions) == 2


def test_saving_other_settings_changes_nothing(publisher: Publisher, broker: Broker, state: State) -> None:
    publisher.switch(None)
    assert threads() == []
    for _ in range(3):
        publisher.switch(PLACE)
        publisher.switch(PLACE._replace(base="plant/"))
    until(lambda: broker.sent == 8)
    checked(state)
    assert (broker.sent, len(threads()), STATE in broker.retained) == (8, 1, True)


def test_failing_helpers_are_logged_once_and_tried_again(
    publisher: Publisher, broker: Broker, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    broker.error = RuntimeError("no luck")
    publisher.switch(PLACE)
    checked(state)
    broker.error = None
    until(lambda: len(broker.retained) == 8)
    broker.connect(forget=True)
    assert len(broker.retained) == 8, "it has subscribed after all"
    broker.error = RuntimeError("again")
    publisher.switch(None)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning == "Could not use the MQTT plugin: RuntimeError('no luck')"


def test_threads_do_not_disturb_each_other(publisher: Publisher, broker: Broker) -> None:
    publisher.switch(PLACE)
    connecting = [threading.Thread(target=broker.connect) for _ in range(5)]
    for thread in connecting:
        thread.start()
    publisher.switch(None)
    for thread in connecting:
        thread.join()
    until(lambda: not threads())
    assert broker.retained == {}


# The state


def test_state_has_moments_and_counts_and_no_file_name() -> None:
    state = answer.for_mqtt(UPTIMES, NEWS, "1.2.0")
    last = state.pop("last_restart")
    assert state == {
        "started_at": "2026-03-01T00:00:00Z",
        "octoprint_started_at": "2026-03-02T02:02:04Z",
        "uptime_scope": "host",
        "unseen_restarts": 3,
        "unseen_lost_prints": 0,
        "recorded_since": "2026-03-01T00:00:00Z",
        "recorded_runs": 12,
        "unexpected_shutdowns": 5,
        "lost_prints": 4,
        "boots": 7,
        "plugin_version": "1.2.0",
    }
    assert last == answer.restart(UNEXPLAINED, sees_files=False)
    assert "benchy" not in json.dumps(last)


def test_without_the_log_the_counts_are_unknown() -> None:
    state = answer.for_mqtt(UPTIMES, News(), "1.2.0")
    known = {name for name, value in state.items() if value is not None}
    assert known == {"started_at", "octoprint_started_at", "uptime_scope", "plugin_version"}


# Home Assistant's messages


def values(news: News) -> dict[str, str]:
    """Return what Home Assistant makes of the state, by the entities' names."""
    state = answer.for_mqtt(UPTIMES, news, "1.2.0")
    environment = jinja2.Environment(autoescape=False)
    found = {}
    for message in discovery(PLACE).values():
        assert (message["stat_t"], message["~"]) == ("~", STATE)
        found[message["name"]] = environment.from_string(message["val_tpl"]).render(value_json=state)
    return found


def test_entities_show_the_state() -> None:
    assert values(NEWS) == {
        "Started": "2026-03-02T02:02:04Z",
        "Host started": "2026-03-01T00:00:00Z",
        "Unexpected shutdown": "ON",
        "Lost print": "OFF",
        "Last restart": "host, unexpected",
        "Unexpected shutdowns": "5",
        "Lost prints": "4",
    }


def test_what_is_unknown_is_none() -> None:
    unknown = {name for name, value in values(News()).items() if value == "None"}
    assert unknown == {"Unexpected shutdown", "Lost print", "Last restart", "Unexpected shutdowns", "Lost prints"}


@pytest.mark.parametrize(
    ("clean", "cause", "text"),
    [(True, None, "host, clean"), (True, "killed", "host, unexpected"), (False, "killed", "host, unexpected")],
)
def test_clean_shutdown_with_a_cause_is_unexpected(clean: bool, cause: str | None, text: str) -> None:
    assert values(NEWS._replace(last=UNEXPLAINED._replace(clean=clean, cause=cause)))["Last restart"] == text


@pytest.mark.parametrize(("last", "shown"), [(UNEXPLAINED, True), (None, False)])
def test_last_restart_has_the_restart_as_attributes(last: Restart | None, shown: bool) -> None:
    state = answer.for_mqtt(UPTIMES, NEWS._replace(last=last), "1.2.0")
    (message,) = (each for each in discovery(PLACE).values() if "json_attr_tpl" in each)
    assert message["json_attr_t"] == "~"
    attributes = jinja2.Environment(autoescape=False).from_string(message["json_attr_tpl"]).render(value_json=state)
    assert json.loads(attributes) == (answer.restart(UNEXPLAINED, sees_files=False) if shown else {})
    assert "cause" in json.loads(attributes) or not shown


def test_past_stays_available() -> None:
    available = {message["name"]: message.get("avty_t") for message in discovery(PLACE).values()}
    assert {name for name, topic in available.items() if topic is None} == {
        "Last restart",
        "Unexpected shutdowns",
        "Lost prints",
    }
    assert set(available.values()) == {PLACE.will, None}


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [
        ("dev_cla", "timestamp", ["Started", "Host started"]),
        ("dev_cla", "problem", ["Unexpected shutdown", "Lost print"]),
        ("stat_cla", "total_increasing", ["Unexpected shutdowns", "Lost prints"]),
    ],
)
def test_classes_of_entities(field: str, value: str, names: list[str]) -> None:
    found = {topic: message["name"] for topic, message in discovery(PLACE).items() if message.get(field) == value}
    assert list(found.values()) == names
    assert {topic.split("/")[1] for topic in found} == {"binary_sensor" if value == "problem" else "sensor"}


@pytest.mark.parametrize(
    ("place", "topic", "device"),
    [
        (PLACE, "homeassistant/sensor/octoprint_uptime_octoPrint_2f_started/config", "Left"),
        (PLACE._replace(base=""), "homeassistant/sensor/octoprint_uptime__started/config", "Left"),
        (PLACE._replace(base="ж", prefix="ha"), "ha/sensor/octoprint_uptime__d0_b6_started/config", "Left"),
        (PLACE._replace(device="abc"), "homeassistant/sensor/octoprint_uptime_octoPrint_2f_started/config", None),
        (PLACE._replace(device=""), "homeassistant/sensor/octoprint_uptime_octoPrint_2f_started/config", "Left"),
    ],
)
def test_topics_and_devices(place: Place, topic: str, device: str | None) -> None:
    message = discovery(place)[topic]
    own = topic.split("/")[2].removesuffix("_started")
    assert message["dev"] == ({"ids": own, "name": device} if device else {"ids": "abc"})
    assert message["uniq_id"] == f"{own}_started"


bases = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(bases, bases)
def test_two_base_topics_have_no_topic_in_common(one: str, other: str) -> None:
    topics, others = (set(discovery(PLACE._replace(base=base))) for base in (one, other))
    assert (one == other) == bool(topics & others)
    for topic in topics:
        assert set(topic.split("/")[2]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
