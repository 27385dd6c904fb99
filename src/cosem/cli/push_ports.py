"""Ports at which meters are waited for, over TCP and UDP: how many, how long, and how much of what they send."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from cosem.transport.channel import peer_name

if TYPE_CHECKING:
    from cosem.transport.url import Address

__all__ = ["CHUNK", "SILENCE", "Chunk", "Say", "keep_alive", "octets_of", "tcp_server", "udp_server"]

CHUNK: Final = 65536
"""Octets that are taken at once."""
SILENCE: Final = 3.0
"""Seconds without an octet after which an unfinished frame is given up."""
_MOST_WAITING: Final = 1024 * 1024
"""Octets that wait to be read, of all senders together."""
_OF_EACH: Final = 512
"""Octets that a portion counts for, besides its own."""
_MOST_CONNECTIONS: Final = 256
_MOST_OF_A_HOST: Final = 16
_MOST_SILENT: Final = 120.0
"""Seconds after which a connection is closed that never said anything."""
_MOST_UNSENT: Final = 64 * 1024
"""Octets of answers that a meter may leave unread."""
_LAST: Final = 2.0
"""Seconds for reading what waits when stopped."""
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))

Say: TypeAlias = Callable[[str], None]


class Chunk(NamedTuple):
    """What came from a source.

    Attributes:
        source: Which one; each connection and each sender of datagrams is one of its own.
        octets: What came.
        ended: Nothing follows of this source for now: the connection is closed, the datagram or file at its end,
            the line silent.
        closed: What comes next of this source is another stream, joined at any moment.
        live: Whether it came just now; not so of a file.
        answer: Sends octets back to where they came from; ``None`` where nobody waits for an answer.
    """

    source: str
    octets: bytes
    ended: bool = False
    live: bool = True
    closed: bool = False
    answer: Callable[[bytes], None] | None = None


class _Inbox:
    """What came and was not read yet, in the order it came: so many octets, and no more."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._octets = 0
        self._lost = 0
        self._came = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def _full(self) -> bool:
        return self._octets >= _MOST_WAITING

    def add(self, chunk: Chunk) -> None:
        """Take a portion, room or not: for an end, which must not be lost."""
        self._chunks.append(chunk)
        self._octets += len(chunk.octets) + _OF_EACH
        self._came.set()

    def offer(self, chunk: Chunk) -> bool:
        """Take a portion if there is room; return whether there was."""
        if self._full:
            return False
        self.add(chunk)
        return True

    async def put(self, chunk: Chunk) -> None:
        """Take a portion as soon as there is room."""
        try:
            while self._full:
                self._room.clear()
                await self._room.wait()
        except asyncio.CancelledError:
            self._lost += len(chunk.octets)
            raise
        self.add(chunk)

    def _next(self) -> Chunk:
        chunk = self._chunks.popleft()
        self._octets -= len(chunk.octets) + _OF_EACH
        if not self._full:
            self._room.set()
        if not self._chunks:
            self._came.clear()
        return chunk

    async def chunks(
        self, stopped: asyncio.Event, close: Callable[[], None], say: Say
    ) -> AsyncGenerator[Chunk, None]:
        """Return what comes until stopped; then ``close`` lets nothing more come, and what is there is returned.

        What there was no time or no room for is told of.
        """
        stop = asyncio.ensure_future(stopped.wait())
        try:
            while not stopped.is_set():
                if self._chunks:
                    yield self._next()
                    await asyncio.sleep(
                        0
                    )  # however much comes, signals and other connections have their turn
                    continue
                came = asyncio.ensure_future(self._came.wait())
                await asyncio.wait({came, stop}, return_when=asyncio.FIRST_COMPLETED)
                came.cancel()
        finally:
            stop.cancel()
        close()
        await asyncio.sleep(0)  # the ends of connections
        end = time.monotonic() + _LAST
        while self._chunks and time.monotonic() < end:
            yield self._next()
        left = self._lost + sum(len(chunk.octets) for chunk in self._chunks)
        if left:
            say(f"{left} octets that had come are lost: they came faster than they could be written")


class _Connection:
    """A meter that connected."""

    def __init__(self, task: asyncio.Task[None], writer: asyncio.StreamWriter, say: Say) -> None:
        self.host, port = writer.get_extra_info("peername")[:2]
        self.name = f"tcp://{peer_name(self.host, port)}"
        self.task = task
        self.since = self.heard = time.monotonic()
        self._writer = writer
        self._say = say

    @property
    def spoke(self) -> bool:
        return self.heard > self.since

    def answer(self, octets: bytes) -> None:
        """Send octets, unless too many wait that the meter does not take."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(octets) > _MOST_UNSENT:
            self._say(f"{self.name} does not read its answers; the connection is closed")
            transport.abort()
            self.task.cancel()
        else:
            self._writer.write(octets)


class _Connections:
    """The connections that are open; a new one takes the place of the one that was silent longest.

    What that one sent already is still read: it leaves a little later, unless too many do.
    """

    def __init__(self, say: Say) -> None:
        self.open: dict[asyncio.Task[None], _Connection] = {}
        self._leaving: deque[asyncio.Task[None]] = deque()
        self._say = say
        self._said: set[str] = set()

    def admit(self, new: _Connection) -> None:
        """Make room for a connection and take it in."""
        of_host = [each for each in self.open.values() if each.host == new.host]
        if len(of_host) >= _MOST_OF_A_HOST:
            self._drop(of_host, f"{_MOST_OF_A_HOST} connections of {new.host} are open")
        elif len(self.open) >= _MOST_CONNECTIONS:
            self._drop(list(self.open.values()), f"{_MOST_CONNECTIONS} connections are open")
        self.open[new.task] = new

    def _drop(self, some: list[_Connection], why: str) -> None:
        idlest = min(some, key=lambda each: each.heard)
        del self.open[idlest.task]
        self._leaving.append(idlest.task)
        asyncio.get_running_loop().call_later(SILENCE, self._leave, idlest.task)
        self._say_once(why, ": for each further one, the one that was silent longest is closed")
        if len(self._leaving) > _MOST_CONNECTIONS:
            self._leave(self._leaving[0])
            self._say_once(
                "connections come faster than they can be read", ": what some of them sent is lost"
            )

    def _say_once(self, why: str, what: str) -> None:
        if why not in self._said and len(self._said) < _MOST_CONNECTIONS:
            self._said.add(why)
            self._say(why + what)

    def _leave(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        with suppress(ValueError):  # gone already
            self._leaving.remove(task)

    def close(self) -> None:
        """Close all."""
        for task in (*self.open, *self._leaving):
            task.cancel()


async def tcp_server(
    address: Address, stopped: asyncio.Event, say: Say, silence: float | None = None
) -> AsyncGenerator[Chunk, None]:
    """Return what meters send that connect to a port, until ``stopped`` is set.

    Args:
        address: Where to listen.
        stopped: Set to stop.
        say: Told what happens.
        silence: Seconds without an octet after which an unfinished frame is given up; :data:`SILENCE` if ``None``.
    """
    inbox = _Inbox()
    connections = _Connections(say)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or stopped.is_set() or writer.get_extra_info("peername") is None:
            writer.close()  # gone already
            return
        connection = _Connection(task, writer, say)
        name = connection.name
        connections.admit(connection)
        keep_alive(writer)
        ended = True
        try:
            async for octets in octets_of(reader, stopped, silence):
                if octets:
                    connection.heard = time.monotonic()
                    ended = False
                    await inbox.put(Chunk(name, octets, answer=connection.answer))
                elif not ended:
                    ended = True
                    await inbox.put(Chunk(name, b"", ended=True))
                elif not connection.spoke and time.monotonic() - connection.since > _MOST_SILENT:
                    break
        except OSError as error:
            say(f"{name} is gone: {error.strerror or error}")
        except asyncio.CancelledError:
            pass  # stopped, or another one took its place
        finally:
            connections.open.pop(task, None)
            inbox.add(Chunk(name, b"", ended=True, closed=True))
            writer.close()

    server = await asyncio.start_server(serve, address.host, address.port)

    def close() -> None:
        server.close()
        connections.close()

    host, port = server.sockets[0].getsockname()[:2]
    say(f"listening on tcp://{peer_name(host, port)}")
    try:
        async for chunk in inbox.chunks(stopped, close, say):
            yield chunk
    finally:
        close()


async def udp_server(
    address: Address, stopped: asyncio.Event, say: Say, silence: float | None = None
) -> AsyncGenerator[Chunk, None]:
    """As :func:`tcp_server`, for meters that send datagrams; each of them is whole, whatever the silence."""
    del silence
    inbox = _Inbox()
    lost = False

    class Datagrams(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            nonlocal lost

            def answer(octets: bytes) -> None:
                unsent = len(octets) + transport.get_write_buffer_size()  # type: ignore[attr-defined] # it has
                if not transport.is_closing() and unsent <= _MOST_UNSENT:
                    transport.sendto(octets, addr)

            # As UDP itself: what cannot be taken is lost.
            chunk = Chunk(f"udp://{peer_name(*addr[:2])}", data, ended=True, answer=answer)
            if not inbox.offer(chunk) and not lost:
                lost = True
                say("datagrams come faster than they can be read: some are lost")

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=(address.host, address.port))
    host, port = transport.get_extra_info("sockname")[:2]
    say(f"listening on udp://{peer_name(host, port)}")
    try:
        async for chunk in inbox.chunks(stopped, transport.close, say):
            yield chunk
    finally:
        transport.close()


async def octets_of(
    reader: asyncio.StreamReader, stopped: asyncio.Event, silence: float | None = None
) -> AsyncIterator[bytes]:
    """Return what comes over a connection; nothing after each silence."""
    stop = asyncio.ensure_future(stopped.wait())
    read = asyncio.ensure_future(reader.read(CHUNK))
    try:
        while not stopped.is_set():
            await asyncio.wait({read, stop}, timeout=silence or SILENCE, return_when=asyncio.FIRST_COMPLETED)
            if not read.done():
                yield b""
                continue
            octets = read.result()
            if not octets:
                return
            yield octets
            read = asyncio.ensure_future(reader.read(CHUNK))
    finally:
        read.cancel()
        stop.cancel()


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let the system find out that the other side of a connection is gone without a word."""
    connection: Any = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE:
            option = getattr(socket, name, None)  # not on every system
            if option is not None:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
