"""The wrapper of the TCP-UDP/IP profile: four 16-bit numbers before each APDU (IEC 62056-47).

Annex A's three duties for this profile:

- *What identifies an association*: the pair of wrapper ports (client SAP, server
  SAP) within one TCP connection, or one pair of UDP addresses.
- *How services map on the layer below*: every APDU, confirmed or not, is one
  unit of data; the service class is known from the APDU alone.
- *What it adds to COSEM-OPEN*: the two IP addresses and ports, and the two
  wrapper ports; connecting is that of TCP.

A unit is ``0001``, source port, destination port, length, APDU. TCP may cut
units anywhere and put several into one segment; a datagram holds whole units.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from struct import Struct
from typing import Final

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived, Connected, Disconnected, LinkEvent

__all__ = ["DEFAULT_PORT", "WrapperClientLink", "WrapperParser", "WrapperServerLink", "wrap"]

DEFAULT_PORT: Final = 4059
"""The port of TCP and UDP that is registered for DLMS/COSEM."""

_HEADER: Final = Struct(">HHHH")
_VERSION: Final = 1
_LARGEST: Final = 0xFFFF
_OTHERS: Final = (
    (b"HT", "HTTP"),
    (b"SSH-", "SSH"),
    (b"\x15\x03", "TLS"),
    (b"\x16\x03", "TLS"),
    (b"220", "FTP or SMTP"),
    (b"\x7e", "HDLC frames (hdlc+tcp:// reads them)"),
    (b"\xff\xfb", "Telnet"),
    (b"\xff\xfd", "Telnet"),
)
"""How other protocols begin that wrong ports speak."""


def wrap(apdu: bytes, source: int, destination: int) -> bytes:
    """Return the unit of an APDU.

    Raises:
        EncodeError: It is longer than 65535 octets, or an address is outside 0..65535.

    >>> wrap(b"abc", 16, 1).hex(" ")
    '00 01 00 10 00 01 00 03 61 62 63'
    """
    if len(apdu) > _LARGEST:
        raise EncodeError(f"an APDU of {len(apdu)} octets does not fit into a wrapper unit")
    if not (0 <= source <= _LARGEST and 0 <= destination <= _LARGEST):
        raise EncodeError(f"wrapper ports {source} and {destination} must be 0..65535")
    return _HEADER.pack(_VERSION, source, destination, len(apdu)) + apdu


def _no_wrapper(octets: bytes, offset: int) -> FrameError:
    """Return the error of octets that are no unit, with what they look like."""
    other = next((name for start, name in _OTHERS if octets.startswith(start)), "")
    if not other and octets.isascii() and octets.decode("ascii").strip().isprintable():
        other = "text"
    looks = f"; it answers {other}" if other else ""
    return FrameError(
        f"wrapper version {octets[:2].hex().upper()} is not 0001: this is no DLMS/COSEM wrapper{looks}",
        offset,
    )


class WrapperParser:
    """Finds the units in octets that come in any cut.

    Args:
        most: Longest APDU that is taken, octets.
    """

    __slots__ = ("_buffer", "_most", "_wanted")

    def __init__(self, most: int = _LARGEST) -> None:
        self._buffer = bytearray()
        self._wanted = 0
        self._most = most

    @property
    def partial(self) -> bool:
        """Whether a unit has begun and not ended."""
        return bool(self._buffer)

    def feed(self, octets: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Return source, destination and APDU of every unit that is whole now.

        Raises:
            FrameError: Another version than 1, or a unit longer than is taken: whatever follows is lost.
        """
        self._buffer += octets
        if len(self._buffer) < self._wanted:
            return  # nothing new can be told: a unit that drips in is not looked at for each octet
        data = bytes(self._buffer)
        self._buffer.clear()
        self._wanted = 0
        pos, end = 0, len(data)
        while end - pos >= _HEADER.size:
            version, source, destination, size = _HEADER.unpack_from(data, pos)
            if version != _VERSION:
                raise _no_wrapper(data[pos:], pos)
            if size > self._most:
                raise FrameError(f"wrapper unit of {size} octets, {self._most} are taken", pos)
            stop = pos + _HEADER.size + size
            if stop > end:
                self._wanted = stop - pos
                break
            yield source, destination, data[pos + _HEADER.size : stop]
            pos = stop
        rest = data[pos:]
        if len(rest) >= 2 and rest[:2] != b"\x00\x01":
            raise _no_wrapper(rest, pos)
        self._buffer += rest


class _Wrapper:
    """What both ends share."""

    __slots__ = ("_events", "_out", "_parser")

    def __init__(self, most: int) -> None:
        self._parser = WrapperParser(most)
        self._events: deque[LinkEvent] = deque()
        self._out = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a unit has begun and not ended."""
        return self._parser.partial

    def data_to_send(self) -> bytes:
        """Return the queued octets, and forget them."""
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        return self._events.popleft() if self._events else None

    def deadline(self) -> float | None:
        """Return ``None``: the wrapper has no timers."""
        return None

    def tick(self, now: float) -> None:
        """Do nothing: the wrapper has no timers."""


class WrapperClientLink(_Wrapper):
    """The client's end: one pair of wrapper ports.

    Units for other ports are counted in :attr:`ignored` and dropped.

    Args:
        client: Wrapper port of the client.
        server: Wrapper port of the logical device.
        most: Longest APDU that is taken, octets.
    """

    __slots__ = ("client", "ignored", "server")

    def __init__(self, client: int, server: int, *, most: int = _LARGEST) -> None:
        super().__init__(most)
        self.client = client
        self.server = server
        self.ignored = 0

    def connect(self, now: float) -> None:
        """Say that the link is up: it is as soon as TCP is."""
        del now
        self._events.append(Connected())

    def disconnect(self, now: float) -> None:
        """Say that the link is down; closing TCP is up to the transport."""
        del now
        self._events.append(Disconnected("released"))

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU; the wrapper sends confirmed and unconfirmed ones alike."""
        del now, confirmed
        self._out += wrap(apdu, self.client, self.server)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            FrameError: They are no wrapper units.
        """
        del now
        for source, destination, apdu in self._parser.feed(octets):
            if source == self.server and destination == self.client and apdu:
                self._events.append(ApduReceived(apdu, source, destination))
            else:
                self.ignored += 1


class WrapperServerLink(_Wrapper):
    """The server's end of one connection: any pair of wrapper ports.

    Args:
        most: Longest APDU that is taken, octets.
    """

    __slots__ = ()

    def __init__(self, *, most: int = _LARGEST) -> None:
        super().__init__(most)

    def send(self, apdu: bytes, source: int, destination: int, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU from the logical device ``source`` to the client ``destination``."""
        del now, confirmed
        self._out += wrap(apdu, source, destination)

    def unconfirmed_size(self, source: int, destination: int) -> int:
        """Return 0: an unconfirmed APDU may have any length."""
        del source, destination
        return 0

    def unconfirmed_room(self) -> None:
        """Return ``None``: nothing waits for a turn."""

    def give_turn(self, source: int, destination: int, now: float) -> None:
        """Do nothing: either end may speak at any time."""

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            FrameError: They are no wrapper units.
        """
        del now
        for source, destination, apdu in self._parser.feed(octets):
            if apdu:
                self._events.append(ApduReceived(apdu, source, destination))
