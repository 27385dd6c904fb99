"""Serial ports, blocking and with asyncio, through the package `serialx`: local ones, and those behind RFC 2217.

A link may change the settings of the line between two portions of octets (mode E).
Octets and changes are carried out in their order: a change waits until all octets
before it are out. A pseudo-terminal has no line: changes mean nothing there.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.association.client.association import ClientAssociation
from cosem.errors import (
    ConfigurationError,
    TransportClosed,
    TransportError,
    TransportTimeout,
    UnsupportedError,
)
from cosem.link.base import ClientLink, LineSettings
from cosem.transport.aio import AsyncConnection
from cosem.transport.channel import reason_of
from cosem.transport.observing import Observer
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

DIRECT_LINE: Final = LineSettings(9600, 8, "N")
"""How most ports are set on which HDLC is spoken from the start."""
_CHUNK: Final = 4096


def parse_format(text: str, baud: int) -> LineSettings:
    """Return the settings of a line from its rate and the usual three signs.

    Raises:
        ConfigurationError: They are none, or the rate is not above 0.

    >>> str(parse_format("7e1", 300))
    '300 7E1'
    """
    found = re.fullmatch(r"([78])([NEO])([12])", text.upper())
    if found is None or not 0 < baud <= 4_000_000:
        raise ConfigurationError(
            f"{baud} {text!r} is no rate and format of a line, as 9600 and 8N1, 7E1 or 8E1 are"
        )
    return LineSettings(baud, int(found[1]), found[2], int(found[3]))


def transmission_time(octets: int, line: LineSettings) -> float:
    """Return how many seconds so many octets take on a line.

    >>> transmission_time(30, LineSettings(300, 7, "E"))
    1.0
    """
    bits = 1 + line.data_bits + (line.parity != "N") + line.stop_bits
    return octets * bits / line.baud


def _library() -> Any:
    try:
        import serialx
    except ImportError:
        raise UnsupportedError(
            "serial ports need the package serialx, which is not installed: pip install 'cosem[serial]'"
        ) from None
    return serialx


def _words(line: LineSettings) -> dict[str, Any]:
    """Return settings as `serialx` calls them."""
    return {
        "baudrate": line.baud,
        "byte_size": line.data_bits,
        "parity": line.parity,
        "stopbits": line.stop_bits,
    }


def _has_line(target: str) -> bool:
    """Return whether a port has a line to set; a pseudo-terminal would also lose what is on its way."""
    return not re.match(r"/dev/(pts/|ttys\d)", os.path.realpath(target))


def _settable(target: str, line: LineSettings) -> LineSettings:
    """Return how a port is opened: a pseudo-terminal knows eight bits without parity only."""
    return line if _has_line(target) else DIRECT_LINE


# Errors -----------------------------------------------------------------------------------------------------------


def _problem(target: str, line: LineSettings, error: Exception) -> TransportError:
    """Return why a port cannot be opened, in one line that says what to do."""
    if isinstance(error, TimeoutError):
        return TransportTimeout(f"{target} did not answer in time")
    if isinstance(error, FileNotFoundError):
        return TransportError(f"there is no port {target}; {_ports()}")
    if isinstance(error, PermissionError):
        return TransportError(f"you may not use {target}{_who_may(target)}")
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return TransportError(f"{target} is in use by another program")
    if number in {errno.ENOTTY, errno.EISDIR, errno.EINVAL} and not isinstance(error, socket.gaierror):
        return TransportError(f"{target} is no serial port, or cannot be set to {line}")
    return TransportError(f"cannot open {target}: {reason_of(error)}")


def _ports() -> str:
    try:
        found = [each.device for each in _library().list_serial_ports()]
    except Exception:  # noqa: BLE001 -- listing is a courtesy; whatever it meets must not hide the error
        found = []
    return f"there are {', '.join(sorted(found)[:8])}" if found else "no serial port is there at all"


def _who_may(target: str) -> str:
    """Return which group may use a port, where the system has groups."""
    try:
        import grp

        group = grp.getgrgid(os.stat(target).st_gid).gr_name  # noqa: PTH116 -- a name of a port, not of a file
    except (ImportError, OSError, KeyError):
        return "; another program may use it"
    return f": join its group with `sudo usermod -aG {group} $USER`, and log in again"


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

    __slots__ = ("_buffer", "_has_line", "_line", "_out_at", "_port", "_target")

    def __init__(self, target: str, line: LineSettings = DIRECT_LINE, timeout: float = 10.0) -> None:
        library = _library()
        self._target = target
        self._line = line
        self._has_line = _has_line(target)
        self._buffer = bytearray(_CHUNK)
        self._out_at = 0.0
        try:
            self._port = library.serial_for_url(
                target, write_timeout=timeout, **_words(_settable(target, line))
            )
            self._port.open()
        except Exception as error:  # noqa: BLE001 -- the library raises what it meets, OSError and its own kinds
            raise _problem(target, line, error) from None

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
            self._port.reconfigure_port(**_words(line))
        except Exception as error:  # noqa: BLE001 -- as above
            raise TransportClosed(f"{self._target} cannot be set to {line}: {reason_of(error)}") from None
        self._line = line

    def receive(self, timeout: float) -> bytes:
        """Return the next octets."""
        try:
            size = self._port.readinto(self._buffer, timeout=max(0.0, timeout))
        except Exception as error:  # noqa: BLE001 -- as above
            raise TransportClosed(f"{self._target} is gone: {reason_of(error)}") from None
        if not size:
            raise TransportTimeout(f"no answer at {self._target}")
        return bytes(self._buffer[:size])

    def close(self) -> None:
        """Close the port."""
        with suppress(Exception):
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
        self._has_line = _has_line(target)
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
        await self._transport.reconfigure_port(**_words(line))
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
    library = _library()
    loop = asyncio.get_running_loop()
    protocol = protocol_factory()
    try:
        async with asyncio.timeout(timeout):
            await library.create_serial_connection(
                loop, lambda: _Port(target, line, protocol), url=target, **_words(_settable(target, line))
            )
    except Exception as error:  # noqa: BLE001 -- the library raises what it meets, OSError and its own kinds
        raise _problem(target, line, error) from None
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
