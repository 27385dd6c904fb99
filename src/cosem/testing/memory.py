"""A meter in memory: client and logical device in one thread, with no socket and no waiting between them.

Everything else is real: octets, links and associations of both sides. What the
client sends is answered before its call of ``send`` returns, so that a test is as
fast and as repeatable as a call of a function.

>>> from cosem.server import LogicalDevice, RegisterObject
>>> from cosem.types.data import DoubleLongUnsigned
>>> energy = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(1234), scaler_unit=(0, 30))
>>> device = LogicalDevice("ABC0000000000001", objects=[energy])
>>> _ = device.add_association(16)
>>> with connected(device) as meter:
...     print(meter.read("1-0:1.8.0"))
1234 Wh
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from cosem.association.client.association import ClientAssociation
from cosem.association.client.parameters import AssociationParameters
from cosem.association.server.association import ServerAssociation
from cosem.client.blocking import Client
from cosem.client.session import Session
from cosem.errors import TransportClosed, TransportTimeout, UnsupportedError
from cosem.link.base import ApduReceived
from cosem.link.wrapper import WrapperClientLink, WrapperServerLink
from cosem.transport.blocking import BlockingConnection
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism

if TYPE_CHECKING:
    from cosem.association.client.preparation import ClientSecurity
    from cosem.server.logical_device import LogicalDevice
    from cosem.transport.aio import AsyncConnection
    from cosem.transport.observing import Observer

__all__ = ["DeviceChannel", "connected"]


class DeviceChannel:
    """A channel whose other end is logical devices, which answer while the octets are being sent.

    Args:
        devices: The logical devices, each with an address of its own.

    Attributes:
        associations: The server's side of each association, by client and server address.
        sent: What the client sent, unit by unit.
        silent: Whether the devices take what is sent and answer nothing: the client's time-outs happen at once.
    """

    def __init__(self, devices: Iterable[LogicalDevice]) -> None:
        self._devices = {device.sap: device for device in devices}
        self._link = WrapperServerLink()
        self._closed = False
        self.associations: dict[tuple[int, int], ServerAssociation] = {}
        self.sent: list[bytes] = []
        self.silent = False

    def send(self, octets: bytes) -> None:
        """Hand the octets to the devices, and queue their answers.

        Raises:
            TransportClosed: The channel was closed.
            FrameError: The octets are no wrapper units.
        """
        if self._closed:
            raise TransportClosed("the channel is closed")
        self.sent.append(octets)
        if self.silent:
            return
        self._link.receive(octets, 0.0)
        while (event := self._link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                self._serve(event)

    def receive(self, timeout: float) -> bytes:
        """Return the answers that are queued.

        Raises:
            TransportTimeout: There are none, and nothing will come: at once, without waiting.
        """
        octets = self._link.data_to_send()
        if not octets:
            raise TransportTimeout(f"the meter in memory says nothing, neither now nor in {timeout:g} s")
        return octets

    def close(self) -> None:
        """Close; every association is lost."""
        self._closed = True
        for association in self.associations.values():
            association.abort("the client closed the connection")

    def _serve(self, event: ApduReceived) -> None:
        device = self._devices.get(event.destination)
        key = event.source, event.destination
        association = self.associations.get(key)
        if association is None:
            made = ServerAssociation((), client_sap=event.source, server_sap=event.destination)
            association = made if device is None else device.association(event.source)
            self.associations[key] = association
        # Nothing takes time here: what is long would be given up for being late, and never is.
        processing = association.process(event.apdu, 0.0, confirmed=event.confirmed)
        outcome: Any = None
        try:
            while True:
                indication = processing.send(outcome)
                outcome = None if device is None else _settled(device.resolve(association, indication))
        except StopIteration as stop:
            for apdu in stop.value:
                self._link.send(apdu, event.destination, event.source, 0.0)


def _settled(outcome: Any) -> Any:
    """Return an outcome, waiting for it where a handler is asynchronous."""
    if not isawaitable(outcome):
        return outcome
    import asyncio

    async def wait(awaitable: Awaitable[Any]) -> Any:
        return await awaitable

    return asyncio.run(wait(outcome))


def connected(
    *devices: LogicalDevice,
    client: int = 16,
    server: int | None = None,
    password: str | bytes | None = None,
    security: ClientSecurity | None = None,
    max_pdu_size: int = 0xFFFF,
    short_names: bool = False,
    strict: bool = True,
    observer: Observer | None = None,
) -> Client:
    """Return a client with an open association with the first of the devices, or with that at ``server``.

    A device that would keep the client waiting ends the call with a
    :class:`~cosem.errors.TransportTimeout` at once. The arguments mean what those of
    :func:`cosem.connect` do; deviations from the standard are errors here unless told otherwise.

    Raises:
        AssociationRefused: The device does not want this association; says why, and what it may be.
        SecurityError: One side could not prove who it is.
    """
    parameters = AssociationParameters(
        client_sap=client,
        server_sap=devices[0].sap if server is None else server,
        application_context=ApplicationContext.SN if short_names else ApplicationContext.LN,
        mechanism=AuthenticationMechanism.LOWEST if password is None else AuthenticationMechanism.LLS,
        secret=password.encode() if isinstance(password, str) else password,
        client_max_receive_pdu_size=max_pdu_size,
    )
    opener = _Opener(devices, parameters, strict=strict, observer=observer)
    return Client(opener.open(security), Session(retries=0), "a meter in memory", opener=opener)


class _Opener:
    """Opens the association, also anew: with other keys."""

    def __init__(
        self,
        devices: Iterable[LogicalDevice],
        parameters: AssociationParameters,
        *,
        strict: bool,
        observer: Observer | None,
    ) -> None:
        self._devices = tuple(devices)
        self._strict = strict
        self._observer = observer
        self.asked_for = parameters
        self.security: ClientSecurity | None = None

    def open(self, security: ClientSecurity | None) -> BlockingConnection:
        """Return a new connection with an open association, and keep its security."""
        parameters = self.asked_for
        protection = authenticator = None
        if security is not None:
            prepared = security.prepare(parameters)
            parameters = prepared.parameters
            protection, authenticator = prepared.protection, prepared.authenticator
        association = ClientAssociation(
            parameters, protection=protection, authenticator=authenticator, strict=self._strict
        )
        link = WrapperClientLink(parameters.client_sap, parameters.server_sap)
        connection = BlockingConnection(
            DeviceChannel(self._devices), link, association, observer=self._observer
        )
        connection.connect()
        connection.run(association.open())
        self.security = security
        return connection

    async def open_async(self, security: ClientSecurity | None) -> AsyncConnection:
        """Refuse: between both ends in memory nothing is ever waited for.

        Raises:
            UnsupportedError: Always.
        """
        del security
        raise UnsupportedError("a meter in memory has a blocking client only")
