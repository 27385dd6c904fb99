"""The sockets and lines that a server listens at."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cosem.errors import TransportError
from cosem.server.connection import Connection, LinkFactory
from cosem.server.listening import as_client
from cosem.transport.channel import reason_of

if TYPE_CHECKING:
    from cosem.server.datagrams import Datagrams
    from cosem.server.lines import SerialLine
    from cosem.server.server import Server
    from cosem.transport.url import Address

__all__ = ["Listeners"]

_ROUNDS: Final = 3
"""Rounds of the event loop until what it has accepted is a connection."""


class Listeners:
    """What a server listens at.

    Args:
        server: The server whose connections begin here.

    Attributes:
        urls: Where clients reach it, in the order in which it was said.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sockets: list[asyncio.Server] = []
        self._datagrams: list[Datagrams] = []
        self._lines: list[SerialLine] = []
        self.urls: list[str] = []

    async def open(
        self, address: Address, link: LinkFactory, *, server: Server | None = None, backlog: int = 1024
    ) -> None:
        """Listen at one more address.

        Args:
            address: Where; port 0 takes any that is free.
            link: Makes the server's end of the communication profile for each connection.
            server: To which the connections of a stream belong, if not to this one.
            backlog: So many connections of a stream may wait until they are taken.

        Raises:
            TransportError: It cannot be listened at; says why.
        """
        if address.scheme in {"serial", "rfc2217", "pty"}:
            from cosem.server.lines import open_line

            line, url = await open_line(self._server, link, address)
            self._lines.append(line)
            self.urls.append(as_client(address, url))
            return
        try:
            if address.scheme == "udp":
                name = await self._open_datagrams(address, link)
            else:
                name = await self._open_stream(address, link, server or self._server, backlog)
        except OSError as error:
            raise TransportError(f"cannot listen at {address}: {reason_of(error)}") from None
        shown = f"[{name[0]}]" if ":" in name[0] else name[0]
        self.urls.append(as_client(address, f"{address.scheme}://{shown}:{name[1]}"))

    async def _open_datagrams(self, address: Address, link: LinkFactory) -> tuple[str, int]:
        from cosem.server.datagrams import Datagrams

        _, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Datagrams(self._server, link),
            (address.host or "0.0.0.0", address.port),  # noqa: S104 -- asked for
        )
        self._datagrams.append(datagrams)
        return datagrams.sockname

    async def _open_stream(
        self, address: Address, link: LinkFactory, server: Server, backlog: int
    ) -> tuple[str, int]:
        listening = await asyncio.get_running_loop().create_server(
            lambda: Connection(server, link()), address.host or None, address.port, backlog=backlog
        )
        self._sockets.append(listening)
        host, port, *_ = listening.sockets[0].getsockname()
        return host, port

    async def stop(self) -> None:
        """Take no more connections over streams, and close the sockets that take them.

        What asyncio has accepted already gets a transport in the next rounds of the loop, which may not be when its
        server is closed: it would be left open, with an AssertionError inside the loop.
        """
        loop = asyncio.get_running_loop()
        for server in self._sockets:
            for listening in server.sockets:
                with suppress(NotImplementedError, ValueError):  # a loop without readers
                    loop.remove_reader(listening.fileno())
        if self._sockets:
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)
        for server in self._sockets:
            server.close()
        self._sockets = []

    async def close(self) -> None:
        """Close the datagram sockets and the lines, once nothing is to be sent over them."""
        for datagrams in self._datagrams:
            datagrams.close()
        for line in self._lines:
            await line.close()
        self._datagrams, self._lines, self.urls = [], [], []
