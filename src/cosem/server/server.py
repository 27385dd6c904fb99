"""The server: logical devices behind TCP, UDP or a serial line, and any number of clients at once.

::

    async with Server([meter]).listen("tcp://127.0.0.1:0") as server:
        print(server.address)
        await server.wait_closed()
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.server.indications import (
    AuthenticationFailed,
    DecipheringFailed,
    Established,
    Fault,
    Indication,
    OpenIndication,
    OpenRefusal,
)
from cosem.errors import ConfigurationError
from cosem.server.connection import Connection, LinkFactory
from cosem.server.incidents import Incidents, hold
from cosem.server.limits import ConnectionLimits, Statistics
from cosem.server.listeners import Listeners
from cosem.server.listening import link_factory, parse_listening_url
from cosem.server.session import Session
from cosem.server.throttle import Throttle
from cosem.types.date_time import DateTime
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.server.logical_device import LogicalDevice
    from cosem.server.observing import Observing
    from cosem.transport.url import Address
    from cosem.types.data import DataValue

__all__ = ["Server"]

IDENTIFICATION: Final = r"/CSM5\2COSEM"
"""What is answered to a sign-on unless it is told otherwise: up to 9600 baud, HDLC in mode E."""
_TICK: Final = 1.0
"""Seconds between two looks at what takes too long."""


class Server:
    """Logical devices that clients reach.

    Args:
        devices: The logical devices, each with an address of its own.
        limits: What clients may make it spend.
        time: Returns monotonic seconds; by default those of the event loop.

    Attributes:
        devices: The logical devices by their addresses.
        statistics: What it has seen.
        stopping: Whether it takes no more requests.

    Raises:
        ConfigurationError: Two logical devices have one address.
    """

    def __init__(
        self,
        devices: Iterable[LogicalDevice] | LogicalDevice,
        *,
        limits: ConnectionLimits | None = None,
        time: Callable[[], float] | None = None,
    ) -> None:
        from cosem.server.logical_device import LogicalDevice
        from cosem.server.physical_device import share_addresses

        self.devices = share_addresses([devices] if isinstance(devices, LogicalDevice) else devices)
        self.limits = limits or ConnectionLimits()
        self.statistics = Statistics()
        self._incidents = Incidents(self.statistics)
        self._time = time
        self._connections: set[Connection] = set()
        self._addresses: Counter[str] = Counter()
        self._throttle = Throttle(self.limits.guesses, self.limits.first_delay, self.limits.longest_delay)
        self._wanted: list[tuple[Address, LinkFactory]] = []
        self._observing: Observing | None = None
        self._listeners = Listeners(self)
        self._ticking: asyncio.TimerHandle | None = None
        self.stopping = False
        self._closed: asyncio.Event | None = None
        self._empty: asyncio.Event | None = None

    # --- its life -------------------------------------------------------------------------------------

    def listen(self, url: str = "tcp://127.0.0.1:0", *, link: LinkFactory | None = None) -> Self:
        """Say where to listen; may be said several times. Begin with ``async with`` or :meth:`start`.

        Args:
            url: ``tcp://HOST:PORT`` or ``udp://HOST:PORT`` for the wrapper, ``hdlc+tcp://HOST:PORT`` for HDLC
                over TCP, ``serial:///dev/ttyUSB0`` or ``rfc2217://HOST:PORT`` for HDLC on a serial line, ``pty:``
                for HDLC on a pseudo-terminal that is made for it; port 0 takes any that is free, and an empty
                host all addresses of the machine. The query may hold ``mode_e=1`` and other options; see the
                how-to "Connect".
            link: Makes the server's end of the communication profile for each connection, in place of the
                one that the URL names.

        Raises:
            ConfigurationError: It is no such URL.
        """
        address = parse_listening_url(url)
        self._wanted.append((address, link or link_factory(address, self.devices, IDENTIFICATION)))
        return self

    def watch(self, observing: Observing) -> Self:
        """Let every connection that begins from the start on be watched.

        Args:
            observing: Returns who watches the connection of a client at one of the addresses.
        """
        self._observing = observing
        return self

    def _watched(self, address: Address, link: LinkFactory) -> LinkFactory:
        if self._observing is None:
            return link
        from cosem.server.observing import observed

        return observed(link, address, self._observing)

    @property
    def planned(self) -> bool:
        """Whether it was said where to listen."""
        return bool(self._wanted)

    async def start(self) -> Self:
        """Listen.

        Raises:
            TransportError: An address cannot be listened at; says why.
        """
        self._closed = asyncio.Event()
        self.stopping = False
        try:
            for address, link in self._wanted:
                await self._listeners.open(address, self._watched(address, link))
        except BaseException:
            await self.close(0)
            raise
        self._tick_later()
        return self

    @property
    def address(self) -> str:
        """The URL of the first address that it listens at, with the port that was found.

        Raises:
            ConfigurationError: It does not listen.
        """
        if not self._listeners.urls:
            raise ConfigurationError("the server does not listen")
        return self._listeners.urls[0]

    @property
    def addresses(self) -> tuple[str, ...]:
        """The URLs of all addresses that it listens at."""
        return tuple(self._listeners.urls)

    async def close(self, grace: float = 5.0) -> None:
        """Stop: requests that are being served are answered, those that wait are not begun.

        Args:
            grace: Seconds that the answers may take; then every connection is cut.
        """
        if self._closed is None or self._closed.is_set():
            return
        self.stopping = True
        if self._ticking is not None:
            self._ticking.cancel()
        for connection in self._connections:
            connection.stop()
        for device in self.devices.values():
            for each in device:
                stop = getattr(each, "stop", None)
                if stop is not None:
                    stop()
        await self._listeners.stop()
        tasks = [task for connection in self._connections for task in connection.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        self._empty = asyncio.Event()
        for connection in list(self._connections):
            connection.flush()
            connection.drop("the server stops")
        if self._connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace)
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            await self._empty.wait()
        await self._listeners.close()
        self._closed.set()

    async def wait_closed(self) -> None:
        """Wait until it was closed."""
        if self._closed is not None:
            await self._closed.wait()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    # --- time -----------------------------------------------------------------------------------------

    def time(self) -> float:
        """Return monotonic seconds."""
        return asyncio.get_running_loop().time() if self._time is None else self._time()

    def tick(self, now: float | None = None) -> None:
        """Close what takes too long, and let the logical devices do what is due. Happens every second by itself."""
        moment = self.time() if now is None else now
        for connection in list(self._connections):
            connection.tick(moment)
        for device in self.devices.values():
            due = device.advance()
            if due is not None:
                hold(asyncio.ensure_future(due))

    def _tick_later(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick_and_again)

    def _tick_and_again(self) -> None:
        try:
            self.tick()
        except Exception as error:  # noqa: BLE001 -- whatever an application raises must not stop the server
            self.incident("while the clock was looked at", error)
        self._tick_later()

    # --- connections ------------------------------------------------------------------------------------

    @property
    def open_connections(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    @property
    def sessions(self) -> Iterator[Session]:
        """The associations of all connections."""
        return (session for connection in self._connections for session in connection.sessions.values())

    def admits(self, connection: Connection) -> bool:
        """Return whether there is room for one more connection, and count it."""
        limits = self.limits
        full = limits.connections is not None and len(self._connections) >= limits.connections
        if limits.per_address is not None and self._addresses[connection.peer] >= limits.per_address:
            full = True
        if full or self.stopping:
            self.statistics.refused_connections += 1
            return False
        self._connections.add(connection)
        self._addresses[connection.peer] += 1
        self.statistics.connections += 1
        return True

    def forget(self, connection: Connection) -> None:
        """Take note that a connection is gone."""
        if connection in self._connections:
            self._connections.discard(connection)
            self._addresses[connection.peer] -= 1
            if not self._addresses[connection.peer]:
                del self._addresses[connection.peer]
            if not self._connections and self._empty is not None:
                self._empty.set()

    # --- indications ------------------------------------------------------------------------------------

    def resolve(self, connection: Connection, session: Session, indication: Indication) -> Any:
        """Return the outcome of an indication, at once or when awaited; what the application raises is an outcome too."""
        if isinstance(
            indication, (OpenIndication, AuthenticationFailed, DecipheringFailed, Established, Fault)
        ):
            refusal = self._note(connection, session, indication)
            if refusal is not None:
                return refusal
        if session.device is None:
            return DataAccessResult.OBJECT_UNDEFINED
        try:
            return session.device.resolve(session.association, indication)
        except Exception as error:  # noqa: BLE001 -- whatever an application raises must not stop the server
            return self._incidents.outcome(indication, error)

    async def settle(self, indication: Indication, outcome: Awaitable[Any]) -> Any:
        """Wait for an outcome, for as long as the limit lets it."""
        try:
            async with asyncio.timeout(self.limits.request):
                return await outcome
        except Exception as error:  # noqa: BLE001 -- as above
            return self._incidents.outcome(indication, error)

    def _note(self, connection: Connection, session: Session, indication: Indication) -> OpenRefusal | None:
        """Count what concerns the server, and return a refusal for one who guesses too often."""
        association = session.association
        who = connection.peer, association.client_sap, association.server_sap
        if isinstance(indication, OpenIndication):
            if self._throttle.blocked(who, self.time()):
                return OpenRefusal()
        elif isinstance(indication, AuthenticationFailed):
            self.statistics.authentication_failures += 1
            # A delay for what nobody guesses would only help a stranger to keep the client out.
            if indication.guessable:
                self._throttle.failed(who, self.time())
        elif isinstance(indication, DecipheringFailed):
            self.statistics.deciphering_failures += 1
        elif isinstance(indication, Established) and not indication.pending:
            self.statistics.associations += 1
            self._throttle.succeeded(who)
            connection.established()
        elif isinstance(indication, Fault):
            self._incidents.fault(indication.subject, indication.error)
        return None

    def incident(self, when: str, error: BaseException) -> None:
        """Log an error of the application process with a number of its own; where it happened only once."""
        self._incidents.note(when, error)

    # --- what the server sends by itself ----------------------------------------------------------------

    def notify(
        self,
        class_id: int,
        logical_name: LogicalName | str,
        attribute: int,
        value: DataValue,
        *,
        time: DateTime | None = None,
        device: int = 1,
        client: int | None = None,
    ) -> int:
        """Send an EventNotification to the clients whose associations agreed on it, by short names an InformationReport.

        Only clients that may read the attribute are told. Call it in the event loop of the server.

        Args:
            class_id: Class of the object that the event is about.
            logical_name: Its name.
            attribute: The attribute whose value is sent.
            value: The value.
            time: When it happened; it is left out of an InformationReport if it is no moment but a pattern.
            device: Address of the logical device.
            client: Address of the one client to tell; ``None`` for all.

        Returns:
            How many were told.

        Raises:
            EncodeError: The value is of no COSEM type.
        """
        from cosem.server.notifying import event_notification

        descriptor = CosemAttributeDescriptor(class_id, LogicalName(logical_name), attribute)
        return event_notification(self, descriptor, value, time=time, device=device, client=client)

    def data_notification(
        self, body: DataValue, *, time: DateTime | None = None, device: int = 1, client: int | None = None
    ) -> int:
        """Send a DataNotification to the clients whose associations agreed on it; in blocks where it is long.

        Call it in the event loop of the server.

        Args:
            body: What is sent.
            time: When, if it shall be told.
            device: Address of the logical device.
            client: Address of the one client to tell; ``None`` for all.

        Returns:
            How many were told.

        Raises:
            EncodeError: The body is of no COSEM type.
        """
        from cosem.server.notifying import data_notification

        return data_notification(self, body, time=time, device=device, client=client)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections that are open."""
        return tuple(self._connections)
