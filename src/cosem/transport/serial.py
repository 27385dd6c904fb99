"""Serial ports, blocking and with asyncio, through the package `serialx`: local ones, and those behind RFC 2217.

A link may change the settings of the line between two portions of octets (mode E).
Octets and changes are carried out in their order: a change waits until all octets
before it are out. A pseudo-terminal has no line: changes mean nothing there.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.association.client.association import ClientAssociation
from cosem.errors import TransportClosed, TransportTimeout
from cosem.link.base import ClientLink, LineSettings
from cosem.transport.aio import AsyncConnection
from cosem.transport.channel import reason_of
from cosem.transport.observing import Observer
from cosem.transport.serial_line import (
    DIRECT_LINE,
    has_line,
    opening_problem,
    parse_format,
    serial_library,
    settable,
    settings_of,
    transmission_time,
)
from cosem.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts

if TYPE_CHECKING:
    import serialx

__all__ = [
    "DIRECT_LINE",
    "SerialChannel",
    "SerialTransport",
    "connect_serial",
    "open_serial",
    "parse_format",
    "transmission_time",
]

P = TypeVar("P", bound=asyncio.Protocol)

_CHUNK: Final = 4096
_SLICE: Final = 0.5
"""Seconds after which whoever waits for octets looks whether the port was closed: nothing else would tell."""


# Blocking ---------------------------------------------------------------------------------------------------------


class SerialChannel:
    """A serial port.

    Args:
        target: Device, as ``/dev/ttyUSB0`` or ``COM3``, or ``rfc2217://HOST:PORT``.
        line: How the line is set.
        timeout: Longest time to hand octets to the system, seconds.

    Raises:
        UnsupportedError: The package `serialx` is not installed.
        TransportError: It cannot be opened; says why in plain words.
    """

    __slots__ = ("_buffer", "_closed", "_has_line", "_line", "_out_at", "_port", "_reading", "_target")

    def __init__(self, target: str, line: LineSettings = DIRECT_LINE, timeout: float = 10.0) -> None:
        library = serial_library()
        self._target = target
        self._line = line
        self._has_line = has_line(target)
        self._buffer = bytearray(_CHUNK)
        self._out_at = 0.0
        self._closed = False
        self._reading = threading.RLock()  # a signal handler may close the port that its own thread reads
        try:
            self._port = library.serial_for_url(
                target, write_timeout=timeout, **settings_of(settable(target, line))
            )
            self._port.open()
        except Exception as error:  # noqa: BLE001 -- the library raises what it meets, OSError and its own kinds
            raise opening_problem(target, line, error) from None

    @property
    def has_line(self) -> bool:
        """Whether there is a line to set; a pseudo-terminal has none."""
        return self._has_line

    def send(self, octets: bytes) -> None:
        """Send all the octets."""
        self._out_at = max(self._out_at, time.monotonic()) + transmission_time(len(octets), self._line)
        try:
            self._port.write(octets)
        except Exception as error:  # noqa: BLE001 -- as above
            raise TransportClosed(f"{self._target} takes no more octets: {reason_of(error)}") from None

    def set_line(self, line: LineSettings) -> None:
        """Set the line once all octets are out.

        Raises:
            TransportError: The port cannot be set so.
        """
        if not self._has_line or line == self._line:
            return
        try:
            self._port.flush()
            # Adapters and servers of ports say too early that all is out.
            time.sleep(max(0.0, self._out_at - time.monotonic()))
            self._port.reconfigure_port(**settings_of(line))
        except Exception as error:  # noqa: BLE001 -- as above
            raise TransportClosed(f"{self._target} cannot be set to {line}: {reason_of(error)}") from None
        self._line = line

    def receive(self, timeout: float) -> bytes:
        """Return the next octets."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            with self._reading:
                try:
                    size = 0 if self._closed else self._port.readinto(self._buffer, timeout=min(left, _SLICE))
                except Exception as error:  # noqa: BLE001 -- as above
                    raise TransportClosed(f"{self._target} is gone: {reason_of(error)}") from None
                if self._closed:
                    raise TransportClosed(f"{self._target} is gone: it was closed")
                if size:
                    return bytes(self._buffer[:size])
            if left <= _SLICE:
                raise TransportTimeout(f"no answer at {self._target}")

    def close(self) -> None:
        """Close the port; a thread that waits for octets of it is told within half a second, and awaited.

        A port that is closed while somebody reads it would stay locked until octets come.
        """
        self._closed = True
        with self._reading, suppress(Exception):
            self._port.close()


# With asyncio -----------------------------------------------------------------------------------------------------


class SerialTransport(asyncio.Transport):
    """Octets and changes of the line, carried out in the order in which they are asked for.

    Args:
        target: Name of the port.
        transport: The open port.
        line: How its line is set.
    """

    def __init__(self, target: str, transport: serialx.BaseSerialTransport, line: LineSettings) -> None:
        super().__init__()
        self._target = target
        self._transport = transport
        self._line = line
        self._has_line = has_line(target)
        self._loop = asyncio.get_running_loop()
        self._queue: deque[bytes | LineSettings] = deque()
        self._task: asyncio.Task[None] | None = None
        self._out_at = 0.0
        self._closing = False
        self.problem: Exception | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the port as the name of the peer."""
        return (self._target, 0) if name == "peername" else self._transport.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets after all that was asked for before."""
        if self._task is None:
            self._send(bytes(data))
        else:
            self._queue.append(bytes(data))

    def set_line(self, line: LineSettings) -> None:
        """Set the line once all octets are out."""
        if not self._has_line or self._closing:
            return
        self._queue.append(line)
        if self._task is None:
            self._task = self._loop.create_task(self._work())

    def _send(self, octets: bytes) -> None:
        if self.problem is None and not self._transport.is_closing():
            self._out_at = max(self._out_at, self._loop.time()) + transmission_time(len(octets), self._line)
            self._transport.write(octets)

    async def _work(self) -> None:
        try:
            while self._queue:
                first = self._queue.popleft()
                if isinstance(first, bytes):
                    self._send(first)
                elif first != self._line:
                    await self._change(first)
        except Exception as error:  # noqa: BLE001 -- the library raises what it meets; the protocol is told
            self.problem = TransportClosed(f"{self._target} cannot be set: {reason_of(error)}")
            self._transport.abort()
        finally:
            self._task = None
            if self._closing:
                self._transport.close()

    async def _change(self, line: LineSettings) -> None:
        await self._transport.flush()
        # Adapters and servers of ports say too early that all is out.
        await asyncio.sleep(max(0.0, self._out_at - self._loop.time()))
        await self._transport.reconfigure_port(**settings_of(line))
        self._line = line

    def pause_reading(self) -> None:
        """Let what comes wait in the system."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on to read."""
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return how many octets wait."""
        waiting = sum(len(each) for each in self._queue if isinstance(each, bytes))
        return self._transport.get_write_buffer_size() + waiting

    def is_closing(self) -> bool:
        """Return whether it is closed, or about to be."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """Close the port once all that was asked for is done."""
        self._closing = True
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        """Close the port at once."""
        self._closing = True
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()


class _Port(asyncio.Protocol):
    """Stands between a port and the protocol that uses it."""

    def __init__(self, target: str, line: LineSettings, protocol: asyncio.Protocol) -> None:
        self._target = target
        self._line = line
        self.protocol = protocol
        self._transport: SerialTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = SerialTransport(self._target, transport, self._line)  # type: ignore[arg-type] # of serialx
        self.protocol.connection_made(self._transport)

    def data_received(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        problem = self._transport.problem if self._transport is not None else None
        self.protocol.connection_lost(problem or exc)

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()


async def connect_serial(
    protocol_factory: Callable[[], P],
    target: str,
    line: LineSettings = DIRECT_LINE,
    timeout: float = 10.0,  # noqa: ASYNC109 -- as the other transports
) -> P:
    """Open a port and return the protocol that uses it; its transport is a :class:`SerialTransport`.

    Args:
        protocol_factory: Makes the protocol.
        target: As for :class:`SerialChannel`.
        line: How the line is set.
        timeout: Longest time to open it, seconds.

    Raises:
        UnsupportedError: The package `serialx` is not installed.
        TransportError: It cannot be opened; says why in plain words.
    """
    library = serial_library()
    loop = asyncio.get_running_loop()
    protocol = protocol_factory()
    try:
        async with asyncio.timeout(timeout):
            await library.create_serial_connection(
                loop, lambda: _Port(target, line, protocol), url=target, **settings_of(settable(target, line))
            )
    except Exception as error:  # noqa: BLE001 -- the library raises what it meets, OSError and its own kinds
        raise opening_problem(target, line, error) from None
    return protocol


async def open_serial(
    target: str,
    line: LineSettings,
    link: ClientLink,
    association: ClientAssociation,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    *,
    observer: Observer | None = None,
) -> AsyncConnection:
    """Return a connection over a serial port.

    Raises:
        UnsupportedError: The package `serialx` is not installed.
        TransportError: It cannot be opened; says why in plain words.
    """
    return await connect_serial(
        lambda: AsyncConnection(link, association, timeouts, observer=observer),
        target,
        line,
        timeouts.connect,
    )
