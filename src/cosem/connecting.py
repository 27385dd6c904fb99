"""From a URL to a client: which channel, which link, which association, which options.

A communication profile is one row of :data:`PROFILES`: how to make its link, its blocking
channel and its asynchronous connection. Options of the URL and arguments mean the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.association.client_association import ClientAssociation
from cosem.association.parameters import AssociationParameters
from cosem.client.session import Session
from cosem.errors import ConfigurationError
from cosem.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts
from cosem.transport.url import Address, parse_url
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance

if TYPE_CHECKING:
    from cosem.association.preparation import ClientSecurity
    from cosem.client.aio import AsyncClient
    from cosem.client.blocking import Client
    from cosem.link.base import ClientLink
    from cosem.transport.aio import AsyncConnection
    from cosem.transport.channel import Channel
    from cosem.transport.observing import Observer

__all__ = ["PROFILES", "ConnectingClient", "Profile", "connect", "connect_async"]

PUBLIC_CLIENT: Final = 16
MANAGEMENT_LOGICAL_DEVICE: Final = 1
_MOST_PARALLEL: Final = 15
"""One invoke-id of the 16 stays free for what was given up."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A communication profile.

    Args:
        link: Makes the client's end of the link of an address and the association's parameters.
        channel: Opens the octets, blocking.
        connection: Opens the octets with asyncio, and moves the association over them.
        options: What the query of its URLs may hold besides what every profile takes.
    """

    link: Callable[[Address, AssociationParameters], ClientLink]
    channel: Callable[[Address, Timeouts], Channel]
    connection: Callable[
        [Address, ClientLink, ClientAssociation, Timeouts, Observer | None], Awaitable[AsyncConnection]
    ]
    options: frozenset[str] = frozenset()


def _wrapper_link(address: Address, parameters: AssociationParameters) -> ClientLink:
    from cosem.link.wrapper import WrapperClientLink

    del address
    return WrapperClientLink(parameters.client_sap, parameters.server_sap)


def _tcp_channel(address: Address, timeouts: Timeouts) -> Channel:
    from cosem.transport.channel import TcpChannel

    return TcpChannel(address.host, address.port, timeouts.connect)


async def _tcp_connection(
    address: Address,
    link: ClientLink,
    association: ClientAssociation,
    timeouts: Timeouts,
    observer: Observer | None,
) -> AsyncConnection:
    from cosem.transport.aio import open_tcp

    return await open_tcp(address.host, address.port, link, association, timeouts, observer=observer)


def _udp_channel(address: Address, timeouts: Timeouts) -> Channel:
    from cosem.transport.udp import UdpChannel

    del timeouts
    return UdpChannel(address.host, address.port)


async def _udp_connection(
    address: Address,
    link: ClientLink,
    association: ClientAssociation,
    timeouts: Timeouts,
    observer: Observer | None,
) -> AsyncConnection:
    from cosem.transport.udp import open_udp

    return await open_udp(address.host, address.port, link, association, timeouts, observer=observer)


def _hdlc_link(address: Address, parameters: AssociationParameters) -> ClientLink:
    from cosem.link.hdlc.client import HdlcClientLink
    from cosem.link.hdlc.parameters import HdlcParameters

    most, window = address.number("max_info", 128), address.number("window", 1)
    return HdlcClientLink(
        parameters.client_sap,
        parameters.server_sap,
        physical=address.number("physical", 0) if "physical" in address.options else None,
        address_size=address.number("address_size", 0),
        parameters=HdlcParameters(most, most, window, window),
        connection=parameters.confirmed,
    )


_HDLC_OPTIONS: Final = frozenset({"physical", "address_size", "max_info", "window"})

PROFILES: Final[dict[str, Profile]] = {
    "tcp": Profile(_wrapper_link, _tcp_channel, _tcp_connection),
    "udp": Profile(_wrapper_link, _udp_channel, _udp_connection),
    "hdlc+tcp": Profile(_hdlc_link, _tcp_channel, _tcp_connection, _HDLC_OPTIONS),
}
"""The communication profiles by the scheme of their URLs."""

_COMMON: Final = frozenset({"client", "server", "max_pdu_size", "timeout", "retries", "strict"})
_TRUTH: Final = {
    "1": True,
    "yes": True,
    "true": True,
    "on": True,
    "0": False,
    "no": False,
    "false": False,
    "off": False,
}
OnClose: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that a client is made of, before anything is opened."""

    address: Address
    parameters: AssociationParameters
    security: ClientSecurity | None
    timeouts: Timeouts
    retries: int
    repeat_writes: bool
    strict: bool
    observer: Observer | None

    def association(self) -> ClientAssociation:
        """Return a fresh association, with what security contributes to it."""
        if self.security is None:
            return ClientAssociation(self.parameters, strict=self.strict)
        prepared = self.security.prepare(self.parameters)
        return ClientAssociation(
            prepared.parameters,
            protection=prepared.protection,
            authenticator=prepared.authenticator,
            strict=self.strict,
        )

    def session(self) -> Session:
        """Return a fresh session."""
        return Session(retries=self.retries, repeat_writes=self.repeat_writes)

    def profile(self) -> Profile:
        """Return the profile of the address."""
        return _profile(self.address)


def connect(
    url: str = "sim:",
    *,
    client: int | None = None,
    server: int | None = None,
    physical: int | None = None,
    password: str | bytes | None = None,
    security: ClientSecurity | None = None,
    conformance: Conformance | None = None,
    max_pdu_size: int | None = None,
    timeouts: Timeouts | float | None = None,
    retries: int | None = None,
    repeat_writes: bool = False,
    strict: bool | None = None,
    confirmed: bool = True,
    pre_established: bool = False,
    short_names: bool = False,
    observer: Observer | None = None,
) -> Client:
    """Return a client with an open association; use it as a context manager, or close it.

    Args:
        url: ``tcp://host:4059`` or ``udp://host:4059`` (wrapper), a bare ``host:port``, ``hdlc+tcp://host:port``, or
            ``sim:`` for a simulated meter in this process. Its query may hold ``client``, ``server``,
            ``max_pdu_size``, ``timeout``, ``retries`` and ``strict``, which mean what the arguments of these
            names do; with HDLC also ``physical``, ``address_size`` (1, 2, 4), ``max_info`` and ``window``.
        client: Client address; 16, the public client, if neither here nor in the URL.
        server: Address of the logical device; 1, the management logical device, by default.
        physical: Address of the physical device on a line that several share; HDLC only.
        password: Low level security with this password; a text is sent as UTF-8.
        security: High level security and ciphering; see :class:`cosem.association.preparation.ClientSecurity`.
        conformance: The services to propose; all that this client can use by default.
        max_pdu_size: Longest APDU that we take, octets: 64..65535 (the default), or 0 for no limit.
        timeouts: How long to wait; a number is the time for one answer, seconds.
        retries: How often a read is repeated when no answer comes; 1 by default.
        repeat_writes: Whether writing and calling are repeated, too. The meter may execute them twice.
        strict: Whether deviations from the standard that are tolerated otherwise are errors.
        confirmed: ``False`` for an unconfirmed association, in which nothing is answered.
        pre_established: The association stands without being opened, and is not released.
        short_names: Whether the meter refers to its objects by short names.
        observer: Sees all octets and APDUs, both directions.

    Raises:
        ConfigurationError: The URL or the options contradict each other, or are out of range.
        TransportError: The meter cannot be reached, or does not answer; says why.
        AssociationRefused: The meter does not want this association; says why, and what it may be.
        SecurityError: One side could not prove who it is.
    """
    from cosem.client.blocking import Client
    from cosem.transport.blocking import BlockingConnection

    plan = _plan(
        url, client, server, physical, password, security, conformance, max_pdu_size, timeouts, retries,
        repeat_writes, strict, confirmed, pre_established, short_names, observer,
    )  # fmt: skip
    plan, on_close = _simulated(plan)
    try:
        association = plan.association()
        profile = plan.profile()
        link = profile.link(plan.address, association.parameters)
        channel = profile.channel(plan.address, plan.timeouts)
        connection = BlockingConnection(channel, link, association, plan.timeouts, observer=plan.observer)
        try:
            connection.connect()
            if not association.parameters.pre_established:
                connection.run(association.open())
        except BaseException:
            connection.close()
            raise
    except BaseException:
        if on_close is not None:
            on_close()
        raise
    return Client(connection, plan.session(), str(plan.address), on_close)


def connect_async(
    url: str = "sim:",
    *,
    client: int | None = None,
    server: int | None = None,
    physical: int | None = None,
    password: str | bytes | None = None,
    security: ClientSecurity | None = None,
    conformance: Conformance | None = None,
    max_pdu_size: int | None = None,
    timeouts: Timeouts | float | None = None,
    retries: int | None = None,
    repeat_writes: bool = False,
    strict: bool | None = None,
    confirmed: bool = True,
    pre_established: bool = False,
    short_names: bool = False,
    observer: Observer | None = None,
    parallel: int = 1,
) -> ConnectingClient:
    """Return what becomes an :class:`~cosem.client.aio.AsyncClient`: ``await`` it, or enter it with ``async with``.

    Arguments and errors are those of :func:`connect`. One more, ``parallel``, says how many requests may be
    under way at the same time, 1..15; the others wait. Few meters work on more than one, and the standard
    leaves it to them. With short names it is always 1.

    Raises:
        ConfigurationError: As :func:`connect`, or ``parallel`` is out of range.
    """
    if not 1 <= parallel <= _MOST_PARALLEL:
        raise ConfigurationError(f"parallel {parallel} is outside 1..{_MOST_PARALLEL}")
    return ConnectingClient(
        _plan(
            url, client, server, physical, password, security, conformance, max_pdu_size, timeouts, retries,
            repeat_writes, strict, confirmed, pre_established, short_names, observer,
        ),
        1 if short_names else parallel,
    )  # fmt: skip


class ConnectingClient:
    """An asynchronous client on its way: awaitable, and an async context manager that closes it."""

    __slots__ = ("_client", "_parallel", "_plan")

    def __init__(self, plan: _Plan, parallel: int = 1) -> None:
        self._plan = plan
        self._parallel = parallel
        self._client: AsyncClient | None = None

    def __await__(self) -> Generator[Any, None, AsyncClient]:
        return _open_async(self._plan, self._parallel).__await__()

    async def __aenter__(self) -> AsyncClient:
        self._client = await _open_async(self._plan, self._parallel)
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


async def _open_async(plan: _Plan, parallel: int) -> AsyncClient:
    """Open a client with asyncio."""
    import asyncio

    from cosem.client.aio import AsyncClient

    plan, on_close = (
        await asyncio.to_thread(_simulated, plan) if plan.address.scheme == "sim" else (plan, None)
    )
    try:
        association = plan.association()
        profile = plan.profile()
        link = profile.link(plan.address, association.parameters)
        connection = await profile.connection(plan.address, link, association, plan.timeouts, plan.observer)
        try:
            await connection.connect()
            if not association.parameters.pre_established:
                await connection.run(association.open())
        except BaseException:
            connection.close()
            raise
    except BaseException:
        if on_close is not None:
            on_close()
        raise
    return AsyncClient(connection, plan.session(), str(plan.address), on_close, parallel)


def _plan(
    url: str,
    client: int | None,
    server: int | None,
    physical: int | None,
    password: str | bytes | None,
    security: ClientSecurity | None,
    conformance: Conformance | None,
    max_pdu_size: int | None,
    timeouts: Timeouts | float | None,
    retries: int | None,
    repeat_writes: bool,
    strict: bool | None,
    confirmed: bool,
    pre_established: bool,
    short_names: bool,
    observer: Observer | None,
) -> _Plan:
    """Return what the URL and the arguments say together.

    Raises:
        ConfigurationError: They contradict each other, or mean nothing.
    """
    address = parse_url(url)
    if physical is not None:
        number = _number(address, "physical", physical, physical)
        address = replace(address, options=address.options | {"physical": str(number)})
    known = _COMMON if address.scheme == "sim" else _COMMON | _profile(address).options
    if unknown := sorted(address.options.keys() - known):
        raise ConfigurationError(
            f"unknown option {', '.join(unknown)} for {address}; known are {', '.join(sorted(known))}"
        )
    if password is not None and security is not None:
        raise ConfigurationError("give a password or security, not both")
    retries = _number(address, "retries", retries, 1)
    if not 0 <= retries <= 100:
        raise ConfigurationError(f"retries {retries} are outside 0..100")
    parameters = AssociationParameters(
        client_sap=_number(address, "client", client, PUBLIC_CLIENT),
        server_sap=_number(address, "server", server, MANAGEMENT_LOGICAL_DEVICE),
        application_context=ApplicationContext.SN if short_names else ApplicationContext.LN,
        mechanism=AuthenticationMechanism.LOWEST if password is None else AuthenticationMechanism.LLS,
        secret=password.encode() if isinstance(password, str) else password,
        conformance=conformance,
        client_max_receive_pdu_size=_number(address, "max_pdu_size", max_pdu_size, 0xFFFF),
        confirmed=confirmed,
        pre_established=pre_established,
    )
    return _Plan(
        address,
        parameters,
        security,
        _timeouts(address, timeouts),
        retries,
        repeat_writes,
        _truth(address, "strict", strict),
        observer,
    )


def _profile(address: Address) -> Profile:
    """Return the profile of an address.

    Raises:
        ConfigurationError: This version has none for its scheme.
    """
    found = PROFILES.get(address.scheme)
    if found is None:
        known = ", ".join([*PROFILES, "sim"])
        raise ConfigurationError(f"{address.scheme}: is not available here; use one of {known}")
    return found


def _number(address: Address, name: str, given: int | None, default: int) -> int:
    """Return a number given as an argument or in the URL, which may both give it if they agree."""
    in_url = address.number(name, default)
    if given is None:
        return in_url
    if name in address.options and in_url != given:
        raise ConfigurationError(f"{name} is {in_url} in the URL, but {given} was asked for")
    return given


def _truth(address: Address, name: str, given: bool | None) -> bool:
    """Return a truth value given as an argument or in the URL."""
    text = address.options.get(name)
    if text is None:
        return bool(given)
    in_url = _TRUTH.get(text.lower() or "1")
    if in_url is None:
        raise ConfigurationError(f"option {name}={text!r} is neither 1 nor 0")
    if given is not None and given != in_url:
        raise ConfigurationError(f"{name} is {in_url} in the URL, but {given} was asked for")
    return in_url


def _timeouts(address: Address, given: Timeouts | float | None) -> Timeouts:
    """Return the time-outs; a number is the time for one answer, and raises the others that are shorter."""
    text = address.options.get("timeout")
    if text is not None:
        try:
            in_url = float(text)
        except ValueError:
            raise ConfigurationError(f"option timeout={text!r} is no number of seconds") from None
        if given is not None and (given.answer if isinstance(given, Timeouts) else given) != in_url:
            raise ConfigurationError(f"timeout is {in_url:g} s in the URL, but another one was asked for")
        given = in_url if given is None else given
    if given is None:
        return DEFAULT_TIMEOUTS
    if isinstance(given, Timeouts):
        return given
    return replace(
        DEFAULT_TIMEOUTS, answer=float(given), transfer=max(DEFAULT_TIMEOUTS.transfer, float(given))
    )


def _simulated(plan: _Plan) -> tuple[_Plan, OnClose | None]:
    """Start the simulated meter if one is asked for, and return where to reach it, and how to stop it."""
    if plan.address.scheme != "sim":
        return plan, None
    if plan.address.path:
        raise ConfigurationError(f"sim:{plan.address.path} is unknown; the simulated meter is sim:")
    from importlib import import_module

    # Imported by name: client and server stand on one floor, and this module above both.
    serving_module, meter_module = map(import_module, ("cosem.server.threads", "cosem.server.demonstration"))
    serving = serving_module.serve_in_thread(meter_module.demonstration_meter())
    address = parse_url(serving.__enter__())
    return replace(plan, address=replace(address, options=plan.address.options)), serving.stop
