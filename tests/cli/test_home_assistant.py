"""What goes to a broker of MQTT: which topics, what is announced again, what was not taken; without a network."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

from cosem.cli import home_assistant
from cosem.cli.home_assistant import MqttBroker
from cosem.cli.push_sinks import Terminal
from cosem.errors import TransportError
from cosem.push import decode

NOTIFICATION = bytes.fromhex("0F00000001000101020309060100010700FF060000011802020F00161B")
NAMELESS = bytes.fromhex("0F 00000001 00 0202 0202 06 00000102 12 0902 12 0903")
OBJECTS = "0204 12{:04X} 0906 {} 0F{:02X} 120000"
MAXIMUM = bytes.fromhex(  # a maximum demand, attribute 2, and when it was, attribute 5
    "0F 00000001 0C 07E80A0F020C000000003C00 0203 0103"
    + OBJECTS.format(40, "0000190900FF", 2)
    + OBJECTS.format(4, "0100010600FF", 2)
    + OBJECTS.format(4, "0100010600FF", 5)
    + "06 00000BB8 090C 07E80A0F020C000000003C00"
)


class Client:
    """Stands for the client of paho: keeps what is published, and connects when it is told to."""

    def __init__(self, *_: Any) -> None:
        self.published: list[tuple[str, Any, bool]] = []
        self.takes = True
        self.room = True
        self.on_connect: Any = None
        self.on_disconnect: Any = None
        self.on_publish: Any = None

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None

    def publish(self, topic: str, text: str, *, qos: int, retain: bool) -> Any:
        assert qos == 1
        if not self.room:
            return SimpleNamespace(mid=0, rc=MQTTErrorCode.MQTT_ERR_QUEUE_SIZE)
        self.published.append((topic, json.loads(text) if text[:1] == "{" else text, retain))
        number = len(self.published)
        if self.takes:
            self.on_publish(self, None, number, SimpleNamespace(is_failure=False), None)
        return SimpleNamespace(mid=number, rc=MQTTErrorCode.MQTT_ERR_SUCCESS)

    def connects(self) -> None:
        self.on_connect(self, None, None, SimpleNamespace(is_failure=False), None)

    def loses(self) -> None:
        self.on_disconnect(self, None, None, None, None)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def broker(monkeypatch, said) -> MqttBroker:
    monkeypatch.setattr(paho, "Client", Client)
    monkeypatch.setattr(home_assistant, "_PATIENCE", 0.0)
    made = MqttBroker("mqtt://broker/meters", said.append)
    made._client.connects()
    return made


def take(broker: MqttBroker, octets: bytes) -> dict[str, Any]:
    """Give it a message, and return what it published by topic."""
    broker._client.published.clear()
    for message in decode(octets):
        broker.take(message, "udp://10.0.0.5:1234", None)
    topics = [topic for topic, _, _ in broker._client.published]
    assert len(topics) == len(set(topics))
    return {topic: body for topic, body, _ in broker._client.published}


def test_attributes_of_one_object_have_topics_and_announcements_of_their_own(broker):
    published = take(broker, MAXIMUM)
    prefix = "meters/udp_10_0_0_5"
    assert published[f"{prefix}/1-0_1_6_0"]["value"] == 3000
    assert published[f"{prefix}/1-0_1_6_0-attribute-5"]["value"].startswith("2024-10-15")
    configs = [body for topic, body in published.items() if topic.endswith("/config")]
    assert {each["state_topic"] for each in configs} == set(published) - {
        topic for topic in published if topic.endswith("/config")
    }
    assert len({each["unique_id"] for each in configs}) == len({each["name"] for each in configs}) == 2
    assert configs[1]["name"].endswith(", attribute 5")


def test_a_fifth_attribute_is_not_the_fifth_storage_of_the_object(broker):
    (message,) = decode(MAXIMUM)
    other = message.values[1]._replace(obis=type(message.values[1].obis).parse("1-0:1.6.0*5"), attribute=2)
    assert home_assistant._own(other) != home_assistant._own(message.values[1])


def test_the_terminal_tells_attributes_of_one_object_apart(capsys):
    (message,) = decode(MAXIMUM)
    assert [value.label for value in message.values] == ["1-0:1.6.0", "1-0:1.6.0:5"]
    assert str(message.values[1]).startswith("1-0:1.6.0*255:5 2024-10-15")
    Terminal().take(message, "here", None)
    assert "1-0:1.6.0:5 " in capsys.readouterr().out


def test_values_without_names_go_out_by_position_which_is_said_once(broker, said):
    for _ in range(2):
        published = take(broker, NAMELESS)
    prefix = "meters/udp_10_0_0_5/position"
    assert {topic: body["value"] for topic, body in published.items()} == {
        f"{prefix}-0-0": 258,
        f"{prefix}-0-1": 2306,
        f"{prefix}-1": 2307,
    }
    (line,) = said
    assert f"as {prefix}-0-0, and not announced; --layouts names them" in line


def test_values_without_names_are_told_apart_in_the_terminal(capsys):
    (message,) = decode(NAMELESS)
    Terminal().take(message, "here", None)
    shown = capsys.readouterr().out
    assert all(each in shown for each in ("[0.0]", "[0.1]", "[1]"))


def test_announcements_are_made_again_after_the_connection_was_lost(broker):
    config = "homeassistant/sensor/udp_10_0_0_5/1-0_1_7_0/config"
    assert config in take(broker, NOTIFICATION)
    assert config not in take(broker, NOTIFICATION)
    broker._client.loses()
    broker._client.connects()
    assert config in take(broker, NOTIFICATION)
    assert config not in take(broker, NOTIFICATION)


def test_however_often_a_broker_is_lost_no_more_is_announced(broker, monkeypatch, said):
    monkeypatch.setattr(home_assistant, "_MOST_ANNOUNCED", 1)
    take(broker, NOTIFICATION)
    for _ in range(3):
        broker._client.loses()
        broker._client.connects()
        assert not any(topic.endswith("/config") for topic in take(broker, MAXIMUM))
    assert sum("further ones are published only" in line for line in said) == 1


def test_what_was_announced_before_the_first_connection_is_not_announced_again(monkeypatch, said):
    monkeypatch.setattr(paho, "Client", Client)
    broker = MqttBroker("mqtt://broker", said.append)
    take(broker, NOTIFICATION)
    broker._client.connects()
    assert not any(topic.endswith("/config") for topic in take(broker, NOTIFICATION))


def test_what_was_not_delivered_is_counted_in_values(broker):
    broker._client.takes = False
    take(broker, NOTIFICATION)  # a value and its announcement
    with pytest.raises(TransportError, match="1 value not delivered"):
        broker.close()


def test_an_announcement_that_was_not_delivered_is_told_as_one(broker):
    broker._client.takes = False
    take(broker, NOTIFICATION)
    broker._client.on_publish(None, None, 2, SimpleNamespace(is_failure=False), None)
    with pytest.raises(TransportError, match="1 announcement not delivered"):
        broker.close()


def test_values_that_the_broker_refuses_or_that_find_no_room_are_counted(broker, said):
    broker._client.takes = False
    take(broker, NOTIFICATION)
    for number in (1, 2):
        broker._client.on_publish(None, None, number, SimpleNamespace(is_failure=number == 2), None)
    broker._client.room = False
    take(broker, NOTIFICATION)
    take(broker, NOTIFICATION)
    with pytest.raises(TransportError, match="3 values not delivered"):
        broker.close()
    (line,) = said
    assert line.endswith("further ones are lost")


def test_a_broker_with_an_address_of_ipv6_is_named_with_brackets(monkeypatch, said):
    monkeypatch.setattr(paho, "Client", Client)
    MqttBroker("mqtt://[::1]:5", said.append)._client.loses()
    assert said == ["the broker mqtt://[::1]:5 closed the connection; trying again"]
