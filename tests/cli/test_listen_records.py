"""What makes a push a repetition, and what names its meter: the same rules for every place messages go to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from cosem.cli import home_assistant
from cosem.cli.push_database import Database
from cosem.cli.push_records import Duplicates, identity, meter_name
from cosem.push import decode
from tests.vectors import vector

IDENTIFIED = vector("telegrams", "iskra-am550-hdlc-3seg")
TIMED = bytes.fromhex("0F00000001 0C07E8010101000000FF800000 0101020309060100010700FF060000011802020F00161B")


@pytest.fixture
def anonymous():
    (message,) = decode(TIMED)
    assert message.timestamp is not None
    return message


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("udp://10.0.0.5:40000", "udp://10.0.0.5:40001", True),
        ("udp://10.0.0.5:40000", "udp://10.0.0.6:40000", False),
        ("tcp://fe80::5:40000", "tcp://fe80::6:40000", False),
        ("connect+tcp://10.0.0.5:2001", "connect+tcp://10.0.0.5:2002", False),
        ("a.pcap udp 10.0.0.5:1 > 10.0.0.1:4059", "b.pcap udp 10.0.0.5:2 > 10.0.0.1:4059", True),
        ("a.pcap udp 10.0.0.5:1 > 10.0.0.1:4059", "a.pcap udp 10.0.0.6:1 > 10.0.0.1:4059", False),
        ("a.bin", "b.bin", True),
    ],
)
def test_the_same_words_of_two_hosts_are_two_messages(anonymous, tmp_path, first, second, same):
    is_duplicate = Duplicates()
    assert not is_duplicate(anonymous, first)
    assert is_duplicate(anonymous, second) is same
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        database = Database(str(tmp_path / "db"), print)
        database.take(anonymous, first, None)
        database.take(anonymous, second, None)
        database.close()
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (1 if same else 2,)


def test_a_meter_that_says_its_number_is_the_same_wherever_it_is():
    (message,) = decode(IDENTIFIED.octets)
    assert identity(message, "udp://10.0.0.5:1") == identity(message, "udp://10.0.0.6:1")
    assert meter_name(message, "udp://10.0.0.5:1") == "84895126"


class Client:
    """As much of the client of a broker as is needed."""

    def __init__(self, *_: object) -> None:
        self.published: list[tuple[str, bool]] = []

    def publish(self, topic: str, text: str, qos: int = 0, retain: bool = False) -> SimpleNamespace:
        del text, qos
        self.published.append((topic, retain))
        return SimpleNamespace(rc=0, mid=len(self.published))

    def __getattr__(self, name: str):
        return lambda *_, **__: None


@pytest.fixture
def broker(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("paho.mqtt.client.Client", Client)
    return home_assistant.MqttBroker("mqtt://127.0.0.1", said.append), said


def test_a_meter_that_connects_again_is_the_same_device(anonymous, broker):
    sink, _ = broker
    for port in range(40000, 40005):
        sink.take(anonymous, f"tcp://10.0.0.5:{port}", None)
    assert sink._client.published == [
        ("homeassistant/sensor/tcp_10_0_0_5/1-0_1_7_0/config", True),
        *[("cosem/tcp_10_0_0_5/1-0_1_7_0", False)] * 5,
    ]


def test_announcements_are_bounded_and_values_go_on(anonymous, broker, monkeypatch):
    monkeypatch.setattr(home_assistant, "_MOST_ANNOUNCED", 2)
    sink, said = broker
    for host in range(5):
        sink.take(anonymous, f"tcp://10.0.0.{host}:4059", None)
    kept = [topic for topic, retain in sink._client.published if retain]
    assert len(kept) == 2
    assert len(sink._client.published) == 2 + 5
    assert said == ["2 values are announced: further ones are published only"]
