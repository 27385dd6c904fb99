"""The communication profiles that a client can use, by the scheme of their URLs.

A profile is one row of :data:`PROFILES`: how to make its link, its blocking channel and
its asynchronous connection. A new one is added here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cosem.connecting.links import (
    HDLC_OPTIONS,
    MODE_E_OPTIONS,
    SERIAL_OPTIONS,
    hdlc_link,
    serial_line,
    serial_link,
    wrapper_link,
)
from cosem.errors import ConfigurationError
from cosem.transport.timeouts import Timeouts
from cosem.transport.url import Address

if TYPE_CHECKING:
    from cosem.association.client.association import ClientAssociation
    from cosem.association.client.parameters import AssociationParameters
    from cosem.link.base import ClientLink
    from cosem.transport.aio import AsyncConnection
    from cosem.transport.channel import Channel
    from cosem.transport.observing import Observer

__all__ = ["PROFILES", "Profile", "profile_of"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A communication profile.

    Args:
        link: Makes the client's end of the link of an address and the association's parameters.
        channel: Opens the octets, blocking.
        connection: Opens the octets with asyncio, and moves the association over them.
        options: What the query of its URLs may hold besides what every profile takes.
        keeps_order: Whether nothing overtakes anything, and nothing comes twice.
    """

    link: Callable[[Address, AssociationParameters], ClientLink]
    channel: Callable[[Address, Timeouts], Channel]
    connection: Callable[
        [Address, ClientLink, ClientAssociation, Timeouts, Observer | None], Awaitable[AsyncConnection]
    ]
    options: frozenset[str] = frozenset()
    keeps_order: bool = True


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


def _serial_target(address: Address) -> str:
    return address.path if address.scheme == "serial" else f"rfc2217://{_host(address)}:{address.port}"


def _host(address: Address) -> str:
    return f"[{address.host}]" if ":" in address.host else address.host


def _serial_channel(address: Address, timeouts: Timeouts) -> Channel:
    from cosem.transport.serial import SerialChannel

    return SerialChannel(_serial_target(address), serial_line(address), timeouts.connect)


async def _serial_connection(
    address: Address,
    link: ClientLink,
    association: ClientAssociation,
    timeouts: Timeouts,
    observer: Observer | None,
) -> AsyncConnection:
    from cosem.transport.serial import open_serial

    target = _serial_target(address)
    return await open_serial(target, serial_line(address), link, association, timeouts, observer=observer)


_GATEWAY: Final = frozenset({"gateway"})
_SERIAL: Final = HDLC_OPTIONS | MODE_E_OPTIONS | SERIAL_OPTIONS | _GATEWAY

PROFILES: Final[dict[str, Profile]] = {
    "tcp": Profile(wrapper_link, _tcp_channel, _tcp_connection, _GATEWAY),
    "udp": Profile(wrapper_link, _udp_channel, _udp_connection, _GATEWAY, keeps_order=False),
    "hdlc+tcp": Profile(hdlc_link, _tcp_channel, _tcp_connection, HDLC_OPTIONS | MODE_E_OPTIONS | _GATEWAY),
    "serial": Profile(serial_link, _serial_channel, _serial_connection, _SERIAL),
    "rfc2217": Profile(serial_link, _serial_channel, _serial_connection, _SERIAL),
}
"""The communication profiles by the scheme of their URLs."""


def profile_of(address: Address) -> Profile:
    """Return the profile of an address.

    Raises:
        ConfigurationError: This version has none for its scheme.
    """
    found = PROFILES.get(address.scheme)
    if found is None:
        known = ", ".join([*PROFILES, "sim"])
        raise ConfigurationError(f"{address.scheme}: is not available here; use one of {known}")
    return found
