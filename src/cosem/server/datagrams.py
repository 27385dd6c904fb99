"""UDP: each peer that sends datagrams is a connection of its own, for as long as it is heard of.

A datagram holds whole units; the rest of one that does not is dropped, and an
answer goes out in a datagram of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cosem.server.connection import Connection, LinkFactory

if TYPE_CHECKING:
    from cosem.server.server import Server

__all__ = ["Datagrams"]


class Datagrams(asyncio.DatagramProtocol):
    """The server's end of UDP.

    Args:
        server: Whose.
        link: Makes the communication profile of one peer.
    """

    def __init__(self, server: Server, link: LinkFactory) -> None:
        self._server = server
        self._link = link
        self._peers: dict[Any, Connection] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def sockname(self) -> tuple[str, int]:
        """Its own address."""
        name = None if self._transport is None else self._transport.get_extra_info("sockname")
        return ("", 0) if name is None else (name[0], name[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment] # asyncio says BaseTransport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take a datagram."""
        connection = self._peers.get(addr)
        if connection is None:
            connection = Connection(self._server, self._link(), each_alone=True)
            self._peers[addr] = connection
            connection.attach(_Peer(self, addr, connection), addr[0])
        if addr in self._peers:
            connection.data_received(data)
            if getattr(connection.link, "partial", False):
                connection.link = self._link()
            if not connection.sessions:
                self.forget(addr)  # whoever has no association costs nothing

    def forget(self, addr: Any) -> None:
        """Forget a peer."""
        connection = self._peers.pop(addr, None)
        if connection is not None:
            connection.connection_lost(None)

    def error_received(self, exc: Exception) -> None:
        """Ignore that a peer is unreachable: it may come back, and is forgotten when it stays silent."""

    def send(self, octets: bytes, addr: Any) -> None:
        """Send one datagram."""
        if self._transport is not None:
            self._transport.sendto(octets, addr)

    @property
    def untaken(self) -> int:
        """How many octets the system has not taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()  # type: ignore[attr-defined] # it has

    def close(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class _Peer:
    """What a connection takes for its transport."""

    __slots__ = ("_addr", "_connection", "_datagrams")

    def __init__(self, datagrams: Datagrams, addr: Any, connection: Connection) -> None:
        self._datagrams = datagrams
        self._addr = addr
        self._connection = connection

    def write(self, data: bytes) -> None:
        """Send one datagram."""
        self._datagrams.send(data, self._addr)

    def close(self) -> None:
        """Forget the peer."""
        self._datagrams.forget(self._addr)

    def abort(self) -> None:
        """Forget the peer."""
        self._datagrams.forget(self._addr)

    def pause_reading(self) -> None:
        """Do nothing: the system drops the datagrams that nobody takes."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def get_write_buffer_size(self) -> int:
        """Return how many octets the system has not taken, those of all peers."""
        return self._datagrams.untaken
