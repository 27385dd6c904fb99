"""Pushes for MQTT: a topic for each value, and the announcements with which Home Assistant finds them.

A value goes to ``PREFIX/METER/OBIS`` as ``{"value": ..., "unit": ..., "timestamp": ...}``; its announcement, kept by
the broker, to ``homeassistant/sensor/METER/OBIS/config``. ``PREFIX/status`` says ``online`` or ``offline``.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from cosem.cli.output import plain
from cosem.cli.push_records import meter_name
from cosem.cli.push_sinks import one_line
from cosem.errors import ConfigurationError, TransportError, UnsupportedError

if TYPE_CHECKING:
    from cosem.push import PushMessage, PushValue

__all__ = ["MqttBroker", "announcement"]

_DEFAULT_PREFIX: Final = "cosem"
_DISCOVERY: Final = "homeassistant"
_PORT: Final = 1883
_TLS_PORT: Final = 8883
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")
_PATIENCE: Final = 2.0
"""Seconds that a broker is waited for at the end."""
_QUEUED: Final = 10_000
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


class MqttBroker:
    """A broker: connected to in the background, again and again.

    Args:
        url: ``mqtt://[USER:PASSWORD@]HOST[:1883][/PREFIX]``, or ``mqtts://`` with TLS.

    Raises:
        ConfigurationError: It is no such URL.
        UnsupportedError: The package paho-mqtt is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise UnsupportedError(
                "MQTT needs the package paho-mqtt, which is not installed: pip install 'cosem[mqtt]'"
            ) from None
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ConfigurationError("a broker is named as mqtt://[USER:PASSWORD@]HOST[:1883][/PREFIX]")
        self._prefix = parts.path.strip("/") or _DEFAULT_PREFIX
        self._announced: set[tuple[str, str]] = set()
        self._client: Any = Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(_QUEUED)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        status = f"{self._prefix}/status"
        self._client.will_set(status, "offline", qos=1, retain=True)
        self._connected = threading.Event()

        def connected(client: Any, *_: Any) -> None:
            client.publish(status, "online", qos=1, retain=True)
            self._connected.set()

        self._client.on_connect = connected
        port = parts.port or (_TLS_PORT if parts.scheme == "mqtts" else _PORT)
        try:
            self._client.connect_async(parts.hostname, port)
            self._client.loop_start()
        except (OSError, ValueError) as error:
            raise TransportError(f"the broker {parts.hostname}: {error}") from None

    def take(self, message: PushMessage, source: str, received: str | None) -> None:
        """Publish the values of a message, and announce those that are new."""
        meter = _safe(meter_name(message, source))
        timestamp = plain(message.timestamp) if message.timestamp is not None else received
        for value in message.values:
            if value.obis is None:
                continue
            own = _safe(value.obis.reduced.removesuffix("*255"))
            topic = f"{self._prefix}/{meter}/{own}"
            if (meter, own) not in self._announced:
                self._announced.add((meter, own))
                said = announcement(value, message, meter, topic, f"{self._prefix}/status")
                self._client.publish(
                    f"{_DISCOVERY}/sensor/{meter}/{own}/config", one_line(said), qos=1, retain=True
                )
            said = {"value": value.value, "unit": value.unit or None, "timestamp": timestamp}
            self._client.publish(topic, one_line(said), qos=1, retain=False)

    def close(self) -> None:
        """Say goodbye: what is queued goes out first, as far as the broker takes it."""
        if self._connected.wait(_PATIENCE):
            status = self._client.publish(f"{self._prefix}/status", "offline", qos=1, retain=True)
            with suppress(RuntimeError, ValueError):  # the broker is gone
                status.wait_for_publish(timeout=_PATIENCE)
        self._client.disconnect()
        self._client.loop_stop()


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
    own = value.obis.reduced.removesuffix("*255")
    unit = _UNITS.get(value.unit, value.unit)
    said: dict[str, Any] = {
        "name": value.name or own,
        "unique_id": f"cosem_{meter}_{_safe(own)}",
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


def _safe(text: str) -> str:
    """Return a text that may stand in a topic of Home Assistant."""
    return _UNSAFE.sub("_", text).strip("_") or "meter"
