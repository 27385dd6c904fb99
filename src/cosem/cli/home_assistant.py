"""Pushes for MQTT: a topic for each value, and the announcements with which Home Assistant finds them.

A value goes to ``PREFIX/METER/OBIS`` as ``{"value": ..., "unit": ..., "timestamp": ...}``; its announcement, kept by
the broker, to ``homeassistant/sensor/METER/OBIS/config``. ``PREFIX/status`` says ``online`` or ``offline``. An
attribute that is not the value of its object goes to ``PREFIX/METER/OBIS-attribute-N``, a value without a name to
``PREFIX/METER/position-N``: nothing is known of it, so that it is not announced.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from cosem.cli.output import plain
from cosem.cli.push_keeping import Waiting
from cosem.cli.push_records import meter_name
from cosem.cli.push_sinks import one_line
from cosem.errors import ConfigurationError, TransportError, UnsupportedError
from cosem.transport.channel import peer_name
from cosem.types.text import counted

if TYPE_CHECKING:
    from cosem.push import PushMessage, PushValue

__all__ = ["MqttBroker", "announcement"]

_DEFAULT_PREFIX: Final = "cosem"
_DISCOVERY: Final = "homeassistant"
_PORT: Final = 1883
_TLS_PORT: Final = 8883
_FORM: Final = "a broker is named as mqtt://[USER:PASSWORD@]HOST[:1883][/PREFIX]"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")
_PATIENCE: Final = 2.0
"""Seconds that a broker is waited for at the end."""
_TIME_TO_ANSWER: Final = 10.0
"""Seconds until a broker has answered the first connection, or it is known that there is none."""
_QUEUED: Final = 10_000
_MOST_ANNOUNCED: Final = 10_000
"""Values of all meters; whoever can send anything could else fill the broker."""
_ENERGY: Final = frozenset({"Wh", "kWh", "MWh"})
_DEVICE_CLASSES: Final = {
    **dict.fromkeys(_ENERGY, "energy"),
    **dict.fromkeys(("W", "kW"), "power"),
    **dict.fromkeys(("var", "kvar", "kVAr"), "reactive_power"),
    **dict.fromkeys(("VA", "kVA"), "apparent_power"),
    "V": "voltage",
    "A": "current",
    "Hz": "frequency",
    "°C": "temperature",
}
_UNITS: Final = {"kVAr": "kvar", "kVArh": "kvarh", "m3": "m³"}
"""How Home Assistant writes a unit that meters write otherwise."""
_VOLUMES: Final = {7: "gas", 8: "water", 9: "water"}
_TIME_INTEGRAL: Final = 8


class _Deliveries:
    """Which messages a broker has not taken yet; it says so for each of them, in a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[int, Waiting | None] = {}  # the values, each for its push, and others
        self._early: dict[int, bool] = {}  # whether they were taken
        self._lost = {True: 0, False: 0}

    @property
    def values(self) -> int:
        """How many values were not taken."""
        with self._changed:
            return sum(each is not None for each in self._waiting.values()) + self._lost[True]

    @property
    def others(self) -> int:
        """How many announcements were not taken, and of what is said of ourselves."""
        with self._changed:
            return sum(each is None for each in self._waiting.values()) + self._lost[False]

    def given(self, number: int, push: Waiting | None, *, queued: bool) -> None:
        """A message was given to the client, which has no room for it unless it was ``queued``.

        Args:
            number: The number of the client.
            push: Told when the broker has taken it; ``None`` for what is no value.
            queued: Whether there is room for it.
        """
        with self._changed:
            if queued and number not in self._early:
                self._waiting[number] = push
                return
            taken = queued and self._early.pop(number)
            self._lost[push is not None] += not taken
        if push is not None:
            push.over(kept=taken)

    def answered(self, number: int, *, taken: bool) -> None:
        """The broker took a message, or refused it."""
        push = None
        with self._changed:
            if number in self._waiting:
                push = self._waiting.pop(number)
                self._lost[push is not None] += not taken
            else:
                self._early[number] = taken
            self._changed.notify_all()
        if push is not None:
            push.over(kept=taken)

    def wait(self, patience: float) -> None:
        """Wait until all are taken, or none for so many seconds."""
        with self._changed:
            before = -1
            while self._waiting and len(self._waiting) != before:
                before = len(self._waiting)
                self._changed.wait(patience)


class MqttBroker:
    """A broker: connected to in the background, again and again.

    Args:
        url: ``mqtt://[USER:PASSWORD@]HOST[:1883][/PREFIX]``, or ``mqtts://`` with TLS.
        say: Told once of each time that the broker cannot be reached, refuses or goes away.

    Raises:
        ConfigurationError: It is no such URL.
        UnsupportedError: The package paho-mqtt is not installed.
    """

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise UnsupportedError(
                "MQTT needs the package paho-mqtt, which is not installed: pip install 'cosem[mqtt]'"
            ) from None
        try:
            parts = urlsplit(url)
            port = parts.port or (_TLS_PORT if parts.scheme == "mqtts" else _PORT)
        except ValueError:
            raise ConfigurationError(_FORM) from None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ConfigurationError(_FORM)
        self._name = f"{parts.scheme}://{peer_name(parts.hostname, port)}"
        self._prefix = parts.path.strip("/") or _DEFAULT_PREFIX
        self._announced: dict[tuple[str, str], int] = {}  # before how many losses of the connection
        self._losses = 0
        self._full = False
        self._nameless = False
        self._crowded = False
        self._say = say
        self._complained = False
        self._closing = False
        self._connected = threading.Event()
        self._answered = threading.Event()  # there is a connection, or it was said why there is none
        self._deliveries = _Deliveries()
        self._client: Any = Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(_QUEUED)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda *_: self._complain("cannot be reached")
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda _client, _data, number, reason, _properties: (
            self._deliveries.answered(number, taken=not reason.is_failure)
        )
        try:
            self._client.connect_async(parts.hostname, port)
            self._client.loop_start()
        except (OSError, ValueError) as error:
            raise TransportError(f"the broker {self._name}: {error}") from None

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        del client, data, flags, properties
        if reason.is_failure:
            self._complain(f"refuses the connection ({str(reason).lower()})")
            return
        self._complained = False
        self._status("online")
        self._connected.set()
        self._answered.set()

    def _on_disconnect(self, *_: Any) -> None:
        self._losses += 1  # a broker that was started anew may have forgotten what it kept
        self._complain("closed the connection")

    def _complain(self, problem: str) -> None:
        """Tell of a trouble once, until a connection was made again."""
        self._connected.clear()
        if not self._closing and not self._complained:
            self._complained = True
            self._say(f"the broker {self._name} {problem}; trying again")
        self._answered.set()

    def _status(self, word: str) -> None:
        self._publish(f"{self._prefix}/status", word, retain=True)

    def _publish(self, topic: str, text: str, *, retain: bool, push: Waiting | None = None) -> None:
        from paho.mqtt.enums import MQTTErrorCode

        given = self._client.publish(topic, text, qos=1, retain=retain)
        queued = given.rc != MQTTErrorCode.MQTT_ERR_QUEUE_SIZE
        self._deliveries.given(given.mid, push, queued=queued)
        if not queued and not self._crowded:
            self._crowded = True
            self._say(f"{_QUEUED} messages wait for the broker {self._name}: further ones are lost")

    def take(self, message: PushMessage, source: str, received: str | None) -> Waiting:
        """Publish the values of a message, and announce those that are new; return when the broker has all values."""
        push = Waiting()
        meter = _safe(meter_name(message, source))
        timestamp = plain(message.timestamp) if message.timestamp is not None else received
        for value in message.values:
            own = _own(value)
            topic = f"{self._prefix}/{meter}/{own}"
            if value.obis is None:
                self._tell_of_nameless(topic)
            elif self._is_new(meter, own):
                said = announcement(value, message, meter, topic, f"{self._prefix}/status")
                self._publish(f"{_DISCOVERY}/sensor/{meter}/{own}/config", one_line(said), retain=True)
            said = {"value": value.value, "unit": value.unit or None, "timestamp": timestamp}
            push.more()
            self._publish(topic, one_line(said), retain=False, push=push)
        push.over(kept=True)
        return push

    def _tell_of_nameless(self, topic: str) -> None:
        if not self._nameless:
            self._nameless = True
            self._say(
                f"values without names are published by position, as {topic}, and not announced; --layouts names them"
            )

    def _is_new(self, meter: str, own: str) -> bool:
        """Return whether a value is to be announced; each announcement stays with the broker for ever."""
        key = meter, own
        announced = self._announced.get(key)
        if announced is None and len(self._announced) >= _MOST_ANNOUNCED:
            if not self._full:
                self._full = True
                self._say(f"{_MOST_ANNOUNCED} values are announced: further ones are published only")
            return False
        losses = self._losses
        self._announced[key] = losses
        return announced != losses

    def close(self) -> None:
        """Say goodbye: what is queued goes out first, as long as the broker takes it.

        Raises:
            TransportError: The broker did not take all that was published.
        """
        self._answered.wait(_TIME_TO_ANSWER)
        connected = self._connected.wait(_PATIENCE)
        if connected:
            self._deliveries.wait(_PATIENCE)
        values, others = self._deliveries.values, self._deliveries.others
        if connected and not values and not others:
            self._status("offline")
            self._deliveries.wait(_PATIENCE)
        self._closing = True
        self._client.disconnect()
        self._client.loop_stop()
        if values or others:
            undelivered = counted(values, "value") if values else counted(others, "announcement")
            raise TransportError(f"the broker {self._name}: {undelivered} not delivered")


def announcement(
    value: PushValue, message: PushMessage, meter: str, topic: str, status: str
) -> dict[str, Any]:
    """Return what tells Home Assistant of a value.

    Args:
        value: The value.
        message: Its message, for the maker.
        meter: What names the meter in topics.
        topic: Where the value goes.
        status: Where it is said whether we are there.
    """
    if value.obis is None:
        raise ConfigurationError("a value without a name cannot be announced")
    unit = _UNITS.get(value.unit, value.unit)
    said: dict[str, Any] = {
        "name": _title(value),
        "unique_id": f"cosem_{meter}_{_own(value)}",
        "state_topic": topic,
        "value_template": "{{ value_json.value }}",
        "availability_topic": status,
        "device": {
            "identifiers": [f"cosem_{meter}"],
            "name": f"{message.maker or 'Meter'} {meter}",
            **({"manufacturer": message.maker} if message.maker else {}),
        },
    }
    if isinstance(value.value, Decimal) and unit:
        said["unit_of_measurement"] = unit
        device_class = _VOLUMES.get(value.obis.a) if unit == "m³" else _DEVICE_CLASSES.get(value.unit)
        if device_class:
            said["device_class"] = device_class
        counts_up = value.obis.d == _TIME_INTEGRAL or device_class in {"energy", "gas", "water"}
        said["state_class"] = "total_increasing" if counts_up else "measurement"
    return said


def _own(value: PushValue) -> str:
    """Return what names a value in topics: no two values of different objects, attributes or positions alike."""
    if value.obis is None:
        return "-".join(("position", *map(str, value.position)))
    own = _safe(value.obis.reduced.removesuffix("*255"))
    other = value.other_attribute
    return own if other is None else f"{own}-attribute-{other}"


def _title(value: PushValue) -> str:
    """Return how people may call a value."""
    other = value.other_attribute
    if not value.name or other is None:
        return value.name or value.label
    return f"{value.name}, attribute {other}"


def _safe(text: str) -> str:
    """Return a text that may stand in a topic of Home Assistant."""
    return _UNSAFE.sub("_", text).strip("_") or "meter"
