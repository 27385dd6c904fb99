"""UDP, blocking and with asyncio: a datagram holds whole wrapper units, and stands for itself.

What does not is dropped, as the network might have dropped it: a read whose answer got
lost is asked for again by whoever waits for it.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

from cosem.association.client.association import ClientAssociation
from cosem.errors import FrameError, TransportClosed, TransportError, TransportTimeout
from cosem.link.base import ClientLink
from cosem.link.wrapper import WrapperParser
from cosem.transport.aio import AsyncConnection
from cosem.transport.channel import peer_name, reason_of, refuse_cut_names
from cosem.transport.observing import Observer
from cosem.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts

__all__ = ["UdpChannel", "holds_whole_units", "open_udp", "units_of"]

_LARGEST = 65535
_HEADER = 8
"""Octets of a unit before its APDU; the last two of them are the length of that."""


def holds_whole_units(datagram: bytes) -> bool:
    """Return whether a datagram is one or more wrapper units, and nothing else.

    >>> holds_whole_units(bytes.fromhex("0001 0001 0010 0001 FF"))
    True
    >>> holds_whole_units(bytes.fromhex("0001 0001 0010 0002 FF"))
    False
    """
    parser = WrapperParser()
    try:
        units = sum(1 for _ in parser.feed(datagram))
    except FrameError:
        return False
    return units > 0 and not parser.partial


def units_of(octets: bytes) -> Iterator[bytes]:
    """Return wrapper units one by one: a lost datagram then loses one only, and none grows too long.

    >>> [unit.hex() for unit in units_of(bytes.fromhex("0001 0001 0010 0001 FF 0001 0001 0010 0002 AABB"))]
    ['0001000100100001ff', '0001000100100002aabb']
    """
    start = 0
    while start < len(octets):
        stop = start + _HEADER + int.from_bytes(octets[start + 6 : start + 8], "big")
        yield octets[start:stop]
        start = stop


class UdpChannel:
    """Datagrams to and from one peer.

    Args:
        host: Name or IP address.
        port: 1..65535.

    Raises:
        TransportError: There is no way to it; says why in plain words.
    """

    __slots__ = ("_peer", "_socket")

    def __init__(self, host: str, port: int) -> None:
        self._peer = peer_name(host, port)
        refuse_cut_names(host)
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
        except (OSError, UnicodeError, ValueError) as error:
            raise TransportError(f"cannot reach {self._peer}: {reason_of(error)}") from None
        try:
            self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise TransportError(f"cannot reach {self._peer}: {reason_of(error)}") from None

    def send(self, octets: bytes) -> None:
        """Send the octets, each unit in a datagram of its own.

        Raises:
            TransportClosed: A unit is too long for one, or nobody takes it.
        """
        try:
            for unit in units_of(octets):
                self._socket.send(unit)
        except OSError as error:
            raise TransportClosed(f"cannot send to {self._peer}: {reason_of(error)}") from None

    def receive(self, timeout: float) -> bytes:
        """Return the next datagram that holds whole units.

        Raises:
            TransportTimeout: None came within ``timeout`` seconds.
            TransportClosed: Nobody listens there.
        """
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._socket.settimeout(left)
                datagram = self._socket.recv(_LARGEST)
            except TimeoutError:
                break
            except OSError as error:
                raise TransportClosed(f"{self._peer} cannot be reached: {reason_of(error)}") from None
            if holds_whole_units(datagram):
                return datagram
        raise TransportTimeout(f"no answer from {self._peer}")

    def close(self) -> None:
        """Close the socket; a thread that waits for a datagram is told at once."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Hands the datagrams of a peer to a connection."""

    def __init__(self, connection: AsyncConnection, peer: str) -> None:
        self._connection = connection
        self._peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection.connection_made(_Writer(transport))  # type: ignore[arg-type] # a DatagramTransport

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr  # the socket is connected: there is one peer
        if holds_whole_units(data):
            self._connection.data_received(data)

    def error_received(self, exc: Exception) -> None:
        self._connection.lose(TransportClosed(f"{self._peer} cannot be reached: {reason_of(exc)}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)


class _Writer(asyncio.WriteTransport):
    """What a connection writes to: each unit is a datagram."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        super().__init__()
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        for unit in units_of(bytes(data)):
            self._transport.sendto(unit)

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


async def open_udp(
    host: str,
    port: int,
    link: ClientLink,
    association: ClientAssociation,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    *,
    observer: Observer | None = None,
) -> AsyncConnection:
    """Return a connection over UDP.

    Raises:
        TransportError: There is no way to the peer; says why in plain words.
    """
    peer = peer_name(host, port)
    refuse_cut_names(host)
    connection = AsyncConnection(link, association, timeouts, observer=observer)
    try:
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(connection, peer), remote_addr=(host, port)
        )
    except (OSError, UnicodeError, ValueError) as error:
        raise TransportError(f"cannot reach {peer}: {reason_of(error)}") from None
    return connection
