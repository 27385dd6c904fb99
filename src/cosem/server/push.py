"""Pushing: DataNotification to a destination of its own, over TCP or UDP, again and again until it arrived.

The long invoke-id stays the same from one attempt to the next, so that receivers can
drop what they have already; protection is made anew, since no invocation counter is
used twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import decode
from cosem.apdu.notification import DataNotification, DataNotificationConfirm
from cosem.association.server.notifications import pushed
from cosem.association.server.profile import ServerProtection
from cosem.classes.standard.push_setup import TransportService
from cosem.errors import ConfigurationError, CosemError, FrameError, LinkError, TransportError
from cosem.link.wrapper import DEFAULT_PORT, WrapperParser, wrap
from cosem.types.identifiers import LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.server.association_entries import AssociationEntry
    from cosem.server.logical_device import LogicalDevice
    from cosem.server.objects.push_setup import PushSetupBehaviour

__all__ = ["destination_of", "push"]

log = logging.getLogger("cosem.server")

_CONNECTING: Final = 10.0
"""Seconds that a connection to a destination may take, or its receiver to take more octets."""

_HELD: Final = 65536
"""Octets that the system is asked to hold of a connection; it may hold twice as many."""

_ENDING: Final = 60.0
"""Seconds that a receiver that has been sent everything may go on talking before the connection is closed."""


def destination_of(text: bytes) -> tuple[str, int]:
    """Return host and port of a destination.

    Raises:
        ConfigurationError: It is no such thing.

    >>> destination_of(b"192.0.2.7:4061"), destination_of(b"[2001:db8::7]:4061"), destination_of(b"head-end")
    (('192.0.2.7', 4061), ('2001:db8::7', 4061), ('head-end', 4059))
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit("//" + text.decode("ascii"))
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        raise ConfigurationError(f"{text!r} is no destination; write it as HOST:PORT")
    return host, DEFAULT_PORT if port is None else port


async def push(device: LogicalDevice, setup: PushSetupBehaviour) -> bool:
    """Push what a setup says, as often as it says, and return whether it arrived; an empty list is not sent.

    Args:
        device: The logical device; the association with the client of the setup says how to protect.
        setup: The push setup.
    """
    try:
        arrived = await _attempts(device, setup)
    except _NothingToPushError:
        return False
    except (CosemError, OSError) as error:
        log.warning("%r: given up: %s", setup, error)
        arrived = False
    setup.count(arrived=arrived)
    return arrived


class _NothingToPushError(Exception):
    """The push object list is empty."""


async def _attempts(device: LogicalDevice, setup: PushSetupBehaviour) -> bool:
    entry, protection = _context(device, setup.receiver_sap)
    where = destination_of(bytes(setup.send_destination_and_method.destination))
    datagrams = setup.send_destination_and_method.transport_service == TransportService.UDP
    invoke_id = LongInvokeIdAndPriority.build(device.new_long_invoke_id(), confirmed=setup.confirmed)
    notification: DataNotification | None = None
    for attempt in range(int(setup.number_of_retries) + 1):
        for seconds in setup.waits(attempt, lambda: device.local(device.now()).replace(tzinfo=None)):
            await asyncio.sleep(seconds)
        if notification is None:
            if not setup.push_object_list:
                raise _NothingToPushError
            time = bytes(device.timestamp()) if setup.timestamped else b""
            notification = DataNotification(invoke_id, time, await setup.collect())
        named = [(each.logical_name, int(each.attribute_index)) for each in setup.push_object_list]
        apdus = pushed(notification, entry.profile, protection, device.protection_of_pushing(entry, named))
        units = [wrap(apdu, device.sap, setup.receiver_sap) for apdu in apdus]
        waiting = _Confirmation(invoke_id, protection, datagrams=datagrams) if setup.confirmed else None
        try:
            await _send(setup, where, units, waiting)
        except (OSError, LinkError, TimeoutError) as error:
            log.info("%r: attempt %d failed: %s", setup, attempt + 1, str(error) or type(error).__name__)
        else:
            return True
    return False


def _context(device: LogicalDevice, client_sap: int) -> tuple[AssociationEntry, ServerProtection | None]:
    """Return the association that the client of a push has, and what protects it."""
    for entry in device.associations:
        profile = entry.profile
        if profile.client_sap == client_sap:
            ciphered = profile.application_context.ciphered and profile.protection is not None
            return entry, profile.protection(profile.client_system_title) if ciphered else None  # type: ignore[misc]
    raise ConfigurationError(f"there is no association with client {client_sap}")


async def _send(
    setup: PushSetupBehaviour, where: tuple[str, int], units: list[bytes], waiting: _Confirmation | None
) -> None:
    """Send the units, and wait for the confirmation where one is wanted, else until the receiver has ended too.

    Raises:
        TimeoutError: No connection or no confirmation in time, or the receiver takes no more octets.
        TransportError: The receiver closed the connection without confirming.
        FrameError: What it answers is no wrapper.
        OSError: There is no connection, or no longer.
    """
    loop = asyncio.get_running_loop()
    transport: Any
    protocol: _Stream
    datagrams = setup.send_destination_and_method.transport_service == TransportService.UDP
    async with asyncio.timeout(_CONNECTING):
        if datagrams:
            transport, protocol = await loop.create_datagram_endpoint(_Datagrams, remote_addr=where)
            send = transport.sendto
        else:
            transport, protocol = await loop.create_connection(_Stream, *where)
            send = transport.write
            _hold_little(transport.get_extra_info("socket"))
    try:
        transport.set_write_buffer_limits(0)  # the protocol is told when everything was taken
        for unit in units:
            send(unit)
        if waiting is not None:
            seconds = setup.confirmation_timeout
            if not await _heard(transport, protocol, waiting.is_in, seconds, seconds):
                if not protocol.closed.is_set():
                    raise TimeoutError(f"no confirmation has come within {seconds:g} s")
                raise protocol.lost or TransportError("the connection was closed without confirmation")
        elif not datagrams and transport.can_write_eof():
            # A transport that is closed reads no more, and a socket that is closed with unread octets is
            # reset: the receiver would lose what it has not read yet.
            transport.write_eof()
            await _heard(transport, protocol, lambda _: False, _CONNECTING, _ENDING)
        transport.close()
        try:
            await _taken(transport, protocol)
        except TimeoutError:
            if waiting is None:
                raise
    finally:
        if not protocol.closed.is_set():  # asyncio's transports know no abort any more once they have ended
            transport.abort()
    if waiting is None and protocol.lost is not None:
        raise protocol.lost


async def _heard(
    transport: Any, protocol: _Stream, enough: Callable[[bytes], bool], silence: float, longest: float
) -> bool:
    """Read until there is enough, and return whether there is; no clock runs while the receiver takes octets.

    Args:
        transport: The transport, to which everything has been given.
        protocol: Its protocol.
        enough: Whether these octets were the last that are needed.
        silence: Seconds for which nothing may come once everything was taken.
        longest: Seconds for which something may come from then on.

    Raises:
        TimeoutError: The receiver takes nothing any more.
        FrameError: As `enough` raises it.
    """
    now = asyncio.get_running_loop().time
    left = transport.get_write_buffer_size()
    due, end = now() + _CONNECTING, None
    while not (protocol.closed.is_set() and protocol.answers.empty()):
        if protocol.written:
            end = now() + longest if end is None else end
            due = min(now() + silence, end)
        try:
            async with asyncio.timeout_at(due):
                octets = await protocol.answers.get()
        except TimeoutError:
            if end is not None:
                return False
            left, before = transport.get_write_buffer_size(), left
            if left >= before:
                raise _stuck() from None
            due = now() + _CONNECTING
        else:
            if enough(octets):
                return True
    return False


def _hold_little(connection: Any) -> None:
    """Let the system hold few octets of a connection, so that what is left in the transport tells what is taken."""
    import socket

    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _HELD)


def _stuck() -> TimeoutError:
    return TimeoutError(f"the receiver has taken nothing for {_CONNECTING:g} s")


async def _taken(transport: Any, protocol: _Stream) -> None:
    """Wait until a transport that is closing has sent everything, as long as the receiver takes anything.

    Raises:
        TimeoutError: It does not.
    """
    while not protocol.closed.is_set():
        left = transport.get_write_buffer_size()
        try:
            async with asyncio.timeout(_CONNECTING):
                await protocol.closed.wait()
        except TimeoutError:
            if transport.get_write_buffer_size() >= left:
                raise _stuck() from None


class _Stream(asyncio.Protocol):
    """Puts what comes back into a queue.

    Attributes:
        answers: The queue; no octets in it only wake up whoever waits.
        written: Whether the transport holds nothing any more that is to be sent.
        closed: Set when the connection has ended.
        lost: Why, where it was lost.
    """

    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue(64)
        self.written = True
        self.closed = asyncio.Event()
        self.lost: Exception | None = None

    def pause_writing(self) -> None:
        self.written = False

    def resume_writing(self) -> None:
        self.written = True
        self._take(b"")

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def _take(self, data: bytes) -> None:
        with suppress(asyncio.QueueFull):
            self.answers.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc
        self.closed.set()
        self._take(b"")


class _Datagrams(_Stream, asyncio.DatagramProtocol):
    """The same for datagrams."""

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr  # the socket is connected
        self._take(data)

    def error_received(self, exc: Exception) -> None:
        self.lost = exc


class _Confirmation:
    """Looks for the confirmation of one push in what comes back."""

    def __init__(
        self, invoke_id: LongInvokeIdAndPriority, protection: ServerProtection | None, *, datagrams: bool
    ) -> None:
        self._wanted = invoke_id.long_invoke_id
        self._protection = protection
        self._datagrams = datagrams
        self._parser = WrapperParser()

    def is_in(self, octets: bytes) -> bool:
        """Return whether the confirmation has come with these octets; what follows it does not matter.

        Raises:
            FrameError: They are no wrapper units, and nothing after them can be understood; of datagrams never.
        """
        if not self._datagrams:
            return any(map(self._confirms, self._apdus(octets)))
        self._parser = WrapperParser()  # each stands for itself
        with suppress(FrameError):
            return any(map(self._confirms, self._apdus(octets)))
        return False

    def _apdus(self, octets: bytes) -> Iterator[bytes]:
        return (apdu for _, _, apdu in self._parser.feed(octets))

    def _confirms(self, apdu: bytes) -> bool:
        with suppress(CosemError):
            clear = apdu
            if self._protection is not None:
                if apdu[:1] == b"\x10":
                    return False  # anybody could have sent that
                clear, _ = self._protection.unprotect(apdu)
            confirm = decode(clear)
            return (
                isinstance(confirm, DataNotificationConfirm)
                and confirm.long_invoke_id_and_priority.long_invoke_id == self._wanted
            )
        return False
