"""A push as a record that can be written down, and what makes two pushes one."""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from cosem.link.iec62056_21.readout import TextValue

if TYPE_CHECKING:
    from cosem.push import PushMessage, PushValue

__all__ = ["Duplicates", "identity", "is_unread", "meter_name", "place", "record"]

_REMEMBERED: Final = 512
_SERIAL_NUMBERS: Final = (
    *("0.0.96.1.0.255", "1.1.0.0.5.255", "0.0.42.0.0.255", "0.0.96.1.1.255"),
    *("1.0.0.0.0.255", "1.1.0.0.1.255"),
)

_OF_NETWORK: Final = re.compile(
    r"(?P<scheme>tcp|udp)://(?P<host>.+):\d+"
    r"|.*\b(?P<kind>tcp|udp) (?P<sender>\S+):\d+ > \S+:\d+"  # in a capture
)


def record(message: PushMessage, source: str, received: str | None) -> dict[str, Any]:
    """Return a message as the line of JSON that is written of it.

    Args:
        message: The message.
        source: Where it came from.
        received: When, where that is now.
    """
    said: dict[str, Any] = {
        "timestamp": message.timestamp,
        "source": source,
        "verification": None if message.verification is None else message.verification.value,
        "findings": list(message.findings),
        "values": [_value(each) for each in message.values],
    }
    if received is not None:
        said["received"] = received
    if message.maker:
        said["maker"] = message.maker
    if message.system_title is not None:
        said["system_title"] = message.system_title
    if message.reason:
        said["reason"] = message.reason
    return said


def _value(value: PushValue) -> dict[str, Any]:
    return {
        "obis": None if value.obis is None else str(value.obis),
        "name": value.name or None,
        "class_id": value.class_id,
        "attribute": value.attribute,
        "value": value.value,
        "unit": value.unit or None,
        "raw": _raw(value.raw),
    }


def _raw(raw: Any) -> Any:
    if isinstance(raw, TextValue):
        return f"{raw.text}*{raw.unit}" if raw.unit else raw.text
    if isinstance(raw, (tuple, list)):
        return [_raw(each) for each in raw]
    return raw


def meter_name(message: PushMessage, source: str) -> str:
    """Return what tells a meter from others: its number, else its system title, else where it is."""
    return _own_name(message) or place(source)


def _own_name(message: PushMessage) -> str:
    """Return what a message says itself of its meter; empty if nothing."""
    for name in _SERIAL_NUMBERS:
        for value in message.values:
            if (
                value.obis is not None
                and str(value.obis) == name
                and isinstance(value.value, str)
                and value.value
            ):
                return value.value
    return message.system_title.hex().upper() if message.system_title is not None else ""


def place(source: str) -> str:
    """Return where a source is: without the port that is another one for each connection and datagram.

    >>> place("udp://10.0.0.5:49152"), place("connect+tcp://10.0.0.5:2001"), place("/dev/ttyUSB0")
    ('udp://10.0.0.5', 'connect+tcp://10.0.0.5:2001', '/dev/ttyUSB0')
    >>> place("trace.pcap udp 10.0.0.5:49152 > 10.0.0.1:4059")
    'udp://10.0.0.5'
    """
    found = _OF_NETWORK.fullmatch(source)
    return f"{found['scheme'] or found['kind']}://{found['host'] or found['sender']}" if found else source


def is_unread(message: PushMessage) -> bool:
    """Return whether a message could not be opened or not be understood: another key or layout may do it later."""
    from cosem.push.findings import NOT_UNDERSTOOD

    return NOT_UNDERSTOOD in message.findings or (message.verification is not None and message.plain is None)


def identity(message: PushMessage, source: str) -> bytes | None:
    """Return what makes a message the same as one before; ``None`` where the same octets may be a new message.

    A message with a time in it is never sent twice but as a repetition, also where the repetition was ciphered
    anew; one with a counter only where the octets are the same. One without either may say the same value again.
    Where nothing in it tells the meter, the host that sent it does: two meters may say the same.

    Args:
        message: The message.
        source: Where it came from.
    """
    if message.timestamp is not None:
        said = (message.system_title or b"") + (message.clear or message.octets)
    elif message.invocation_counter is not None:
        said = message.octets
    else:
        return None
    if not _own_name(message):
        there = place(source)
        said = (there.partition("://")[2].encode() if "://" in there else b"") + said
    return blake2b(said, digest_size=16).digest()


class Duplicates:
    """Remembers the latest messages of all sources."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self.dropped = 0

    def __call__(self, message: PushMessage, source: str) -> bool:
        """Return whether a message came before from the same meter; remember it."""
        own = identity(message, source)
        if own is None:
            return False
        if own in self._seen:
            self._seen.move_to_end(own)
            self.dropped += 1
            return True
        self._seen[own] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def forget(self, message: PushMessage, source: str) -> None:
        """Take the next repetition of a message for a new one: this one was lost after all."""
        self._seen.pop(identity(message, source) or b"", None)
