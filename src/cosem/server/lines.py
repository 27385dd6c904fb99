"""Serial lines and pseudo-terminals: whoever is on the line is one connection, until it falls silent.

A line has no beginning and no end as a TCP connection has: where a connection would
be closed, the line begins anew with a fresh link, set as at the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from cosem.errors import TransportError, UnsupportedError
from cosem.link.base import LineLink
from cosem.server.connection import Connection, LinkFactory
from cosem.server.listening import line_of
from cosem.server.session import Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cosem.link.base import LineSettings, ServerLink
    from cosem.server.server import Server
    from cosem.transport.url import Address

__all__ = ["SerialLine", "open_line"]

log = logging.getLogger("cosem.server")
_PATIENCE: Final = (0.2, 1.0, 2.0, 5.0)
"""Seconds before a port that is gone is opened again, the more the longer it is gone."""


class _Port(Transport, Protocol):
    """What a line needs of a transport."""

    def set_line(self, line: LineSettings) -> None:
        """Set the line once all octets are out."""
        ...


class SerialLine(asyncio.Protocol):
    """The server's end of a line.

    Args:
        server: Whose.
        link: Makes the communication profile.
        name: How the line is called in logs.
    """

    def __init__(self, server: Server, link: LinkFactory, name: str) -> None:
        self._server = server
        self._make = link
        self._link: ServerLink | None = None
        self._name = name
        self._transport: _Port | None = None
        self._connection: Connection | None = None
        self._closed = asyncio.Event()
        self._closing = False
        self._opener: Callable[[], Awaitable[object]] | None = None
        self._opening: asyncio.Task[None] | None = None

    def open_again_with(self, opener: Callable[[], Awaitable[object]]) -> None:
        """Open the port again with this whenever it is gone, as one that is unplugged and plugged in again."""
        self._opener = opener

    # --- asyncio.Protocol ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and set the line."""
        self._transport = transport  # type: ignore[assignment] # asyncio says BaseTransport
        self._closed.clear()
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Take octets."""
        if self._connection is None and self._transport is not None and self._link is not None:
            self._connection = connection = Connection(self._server, self._link)
            connection.attach(_OnLine(self, connection, self._transport), self._name)
        if self._connection is not None:
            self._connection.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the port is gone: nobody can be served there until it is opened again."""
        if exc is not None:
            log.error("%s is gone: %s", self._name, exc)
        self._transport = None
        self._closed.set()
        if self._connection is not None:
            self.forget(self._connection)
        if self._opener is not None and not self._closing and not self._server.stopping:
            self._opening = asyncio.get_running_loop().create_task(self._open_again(self._opener))

    async def _open_again(self, opener: Callable[[], Awaitable[object]]) -> None:
        for attempt in count():
            await asyncio.sleep(_PATIENCE[min(attempt, len(_PATIENCE) - 1)])
            try:
                await opener()
            except TransportError as error:
                if not attempt:
                    log.warning("%s; trying again", error)
                continue
            log.info("%s is served again", self._name)
            return

    def pause_writing(self) -> None:
        """Serve nothing while the line does not take its answers."""
        if self._connection is not None:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Go on."""
        if self._connection is not None:
            self._connection.resume_writing()

    # --- for the server -----------------------------------------------------------------------------

    def forget(self, connection: Connection) -> None:
        """End a connection, and begin anew."""
        if self._connection is connection:
            self._connection = None
            connection.connection_lost(None)
            self._begin()

    def _begin(self) -> None:
        """Make a fresh link, and set the line as it wants it."""
        if self._transport is None or self._server.stopping:
            self._link = None
            return
        self._link = self._make()
        if isinstance(self._link, LineLink):
            while (line := self._link.next_line()) is not None:
                self._transport.set_line(line)

    async def close(self) -> None:
        """Close the port once all answers are out."""
        self._closing = True
        if self._opening is not None:
            self._opening.cancel()
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()


class _OnLine:
    """What a connection takes for its transport: closing it leaves the port open."""

    __slots__ = ("_connection", "_line", "_transport")

    def __init__(self, line: SerialLine, connection: Connection, transport: _Port) -> None:
        self._line = line
        self._connection = connection
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send octets."""
        self._transport.write(data)

    def set_line(self, line: LineSettings) -> None:
        """Set the line once all octets are out."""
        self._transport.set_line(line)

    def close(self) -> None:
        """End the connection."""
        self._line.forget(self._connection)

    def abort(self) -> None:
        """End the connection."""
        self._line.forget(self._connection)

    def pause_reading(self) -> None:
        """Let what comes wait."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on to read."""
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return how many octets wait."""
        return self._transport.get_write_buffer_size()


async def open_line(server: Server, link: LinkFactory, address: Address) -> tuple[SerialLine, str]:
    """Return the server's end of a line, and the URL of the port at which clients find it.

    Raises:
        UnsupportedError: The package for serial ports is not installed, or the system has no pseudo-terminals.
        TransportError: The port cannot be opened; says why.
    """
    if address.scheme == "pty":
        path, transport = await _open_pty(server, link, address.path)
        return transport, f"serial://{path}"
    from cosem.transport.serial import connect_serial

    host = f"[{address.host}]" if ":" in address.host else address.host
    target = address.path if address.scheme == "serial" else f"rfc2217://{host}:{address.port}"
    line = await connect_serial(lambda: SerialLine(server, link, target), target, line_of(address))
    line.open_again_with(lambda: connect_serial(lambda: line, target, line_of(address)))
    return line, str(address)


# Pseudo-terminals -------------------------------------------------------------------------------------------------


async def _open_pty(server: Server, link: LinkFactory, name: str) -> tuple[str, SerialLine]:
    try:
        import tty

        ours, theirs = os.openpty()
    except (ImportError, AttributeError):
        raise UnsupportedError("this system has no pseudo-terminals") from None
    except OSError as error:
        raise TransportError(f"there is no pseudo-terminal: {error.strerror or error}") from None
    # The other end stays open here, too: else the line would be gone whenever a client closes its port.
    pty = _Pty(ours, theirs)
    try:
        tty.setraw(theirs)
        path = os.ttyname(theirs)
        pty.give_name(path, name)
        line = SerialLine(server, link, name or path)
        await pty.begin(line)
    except BaseException:
        pty.free()
        raise
    return name or path, line


class _Pty:
    """Our end of a pseudo-terminal: two pipes of asyncio that look like one transport."""

    def __init__(self, ours: int, theirs: int) -> None:
        self._reading_end = os.fdopen(ours, "rb", buffering=0)
        self._writing_end = os.fdopen(os.dup(ours), "wb", buffering=0)
        self._theirs = theirs
        self._name = ""
        self._reader: asyncio.ReadTransport | None = None
        self._writer: asyncio.WriteTransport | None = None
        self._line: SerialLine | None = None

    def give_name(self, path: str, name: str) -> None:
        """Let the other end be known by a name of its own, too, as long as it lasts."""
        if name:
            try:
                Path(name).symlink_to(path)
            except OSError as error:
                raise TransportError(f"cannot name the pseudo-terminal {name}: {error.strerror}") from None
            self._name = name

    async def begin(self, line: SerialLine) -> None:
        """Move octets to and from a line."""
        loop = asyncio.get_running_loop()
        self._line = line
        self._writer, _ = await loop.connect_write_pipe(lambda: _Writing(line), self._writing_end)
        self._reader, _ = await loop.connect_read_pipe(lambda: _Reading(line, self), self._reading_end)
        line.connection_made(self)  # type: ignore[arg-type] # looks like a transport

    def free(self) -> None:
        """Give the descriptors back."""
        for end in (self._reading_end, self._writing_end):
            end.close()
        if self._theirs >= 0:
            os.close(self._theirs)
            self._theirs = -1
        if self._name:
            with contextlib.suppress(OSError):
                Path(self._name).unlink()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return nothing: there is nothing to know."""
        del name
        return default

    def write(self, data: bytes) -> None:
        """Send octets."""
        if self._writer is not None:
            self._writer.write(data)

    def set_line(self, line: LineSettings) -> None:
        """Do nothing: a pseudo-terminal has no line."""

    def pause_reading(self) -> None:
        """Let what comes wait in the system."""
        if self._reader is not None:
            self._reader.pause_reading()

    def resume_reading(self) -> None:
        """Go on to read."""
        if self._reader is not None:
            self._reader.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return how many octets wait."""
        return 0 if self._writer is None else self._writer.get_write_buffer_size()

    def close(self) -> None:
        """Close our end; what nobody has read by now is lost."""
        if self._writer is not None:
            self._writer.abort()
        if self._reader is not None:
            self._reader.close()

    abort = close


class _Writing(asyncio.BaseProtocol):
    def __init__(self, line: SerialLine) -> None:
        self._line = line

    def pause_writing(self) -> None:
        self._line.pause_writing()

    def resume_writing(self) -> None:
        self._line.resume_writing()


class _Reading(asyncio.Protocol):
    def __init__(self, line: SerialLine, pty: _Pty) -> None:
        self._line = line
        self._pty = pty

    def data_received(self, data: bytes) -> None:
        self._line.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pty.free()
        self._line.connection_lost(exc)
