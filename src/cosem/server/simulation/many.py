"""Many meters in one process: thousands that differ, behind as many ports or as many addresses.

A meter is made when its first client comes; before that it costs its port, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

from cosem.errors import ConfigurationError, TransportError
from cosem.server.connection import LinkFactory
from cosem.server.limits import ConnectionLimits
from cosem.server.listening import link_factory, parse_listening_url
from cosem.server.server import IDENTIFICATION, Server
from cosem.server.simulation.faults import Faults, faulty

if TYPE_CHECKING:
    from cosem.server.logical_device import LogicalDevice
    from cosem.transport.url import Address

__all__ = ["ManyMeters", "listen_with_faults"]

_MOST_PORTS = 60_000
_LAST_PORT = 0xFFFF
_LAST_SAP = 0xFFFF
_LAST_SAP_OF_HDLC = 0x3FFF


class ManyMeters(Server):
    """A server of meters that are made when somebody wants them.

    Args:
        make: Returns the meter of a number, from 0 on; at one port it has the address that it is told, too.
        count: How many there are.
        limits: What clients may make it spend; by default as many connections as they like.
        time: Returns monotonic seconds.

    Raises:
        ConfigurationError: There are none, or more than there is room for.
    """

    def __init__(
        self,
        make: Callable[[int, int | None], LogicalDevice],
        count: int,
        *,
        limits: ConnectionLimits | None = None,
        time: Callable[[], float] | None = None,
    ) -> None:
        super().__init__([], limits=limits or ConnectionLimits(connections=None), time=time)
        if not 1 <= count <= _LAST_SAP:
            raise ConfigurationError(f"{count} meters are outside 1..{_LAST_SAP}")
        self.count = count
        self._make = make
        self._ranges: list[tuple[Address, LinkFactory]] = []
        self._made: dict[int, LogicalDevice] = {}

    @property
    def made(self) -> Mapping[int, LogicalDevice]:
        """The meters that were made so far, by number."""
        return self._made

    def listen_at_ports(self, url: str = "tcp://127.0.0.1:0", *, faults: Faults | None = None) -> Self:
        """Give each meter a port of its own: from that of the URL on, or any that are free for port 0.

        Raises:
            ConfigurationError: It is no such URL, or there are not so many ports.
        """
        address = parse_listening_url(url)
        if address.scheme not in {"tcp", "hdlc+tcp"}:
            raise ConfigurationError(
                f"{address.scheme}: has no ports for many meters; tcp: and hdlc+tcp: have"
            )
        last = address.port + self.count - 1 if address.port else 0
        if last > _LAST_PORT or self.count > _MOST_PORTS:
            raise ConfigurationError(f"there are no {self.count} ports from {address.port} on")
        factory = link_factory(address, (self.meter(0).sap,), IDENTIFICATION)
        self._ranges.append((address, faulty(factory, faults) if faults else factory))
        return self

    def listen_at_addresses(self, url: str = "tcp://127.0.0.1:0", *, faults: Faults | None = None) -> Self:
        """Put all meters behind one port: their server addresses count from 1.

        Raises:
            ConfigurationError: It is no such URL, or there are not so many addresses.
        """
        address = parse_listening_url(url)
        wrapper = address.scheme in {"tcp", "udp"}
        if not wrapper and self.count > _LAST_SAP_OF_HDLC:
            raise ConfigurationError(f"HDLC has {_LAST_SAP_OF_HDLC} addresses, not {self.count}")
        self.devices = cast("dict[int, LogicalDevice]", _ByAddress(self))
        return listen_with_faults(self, url, faults) if faults else self.listen(url)

    def meter(self, number: int, sap: int | None = None) -> LogicalDevice:
        """Return a meter; make it first if nobody wanted it yet.

        Args:
            number: From 0 on.
            sap: The address that it must have, for one that is not made yet.
        """
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._make(number, sap)
        return made

    @property
    def planned(self) -> bool:
        """Whether it was said where to listen."""
        return bool(self._ranges) or super().planned

    async def start(self) -> Self:
        """Listen.

        Raises:
            TransportError: An address cannot be listened at; says why.
        """
        await super().start()
        try:
            for address, factory in self._ranges:
                for number in range(self.count):
                    await self._listen_at_port(address, self._watched(address, factory), number)
        except BaseException:
            await self.close(0)
            raise
        return self

    async def _listen_at_port(self, address: Address, factory: LinkFactory, number: int) -> None:
        at = replace(address, port=address.port + number if address.port else 0)
        try:
            await self._listeners.open(at, factory, server=cast("Server", _OneMeter(self, number)), backlog=8)
        except TransportError as error:
            raise TransportError(f"meter {number + 1} of {self.count}: {error}") from None

    def tick(self, now: float | None = None) -> None:
        """Close what takes too long, and let the meters that were made do what is due."""
        devices = self.devices
        self.devices = self._made
        try:
            super().tick(now)
        finally:
            self.devices = devices


class _ByAddress(Mapping[int, "LogicalDevice"]):
    """All meters by their addresses."""

    def __init__(self, server: ManyMeters) -> None:
        self._server = server

    def __getitem__(self, sap: int) -> LogicalDevice:
        if not 1 <= sap <= self._server.count:
            raise KeyError(sap)
        return self._server.meter(sap - 1, sap)

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, self._server.count + 1))

    def __len__(self) -> int:
        return self._server.count


class _OneMeter:
    """The server as the connections at one port see it: with one logical device."""

    __slots__ = ("_number", "_server")

    def __init__(self, server: ManyMeters, number: int) -> None:
        self._server = server
        self._number = number

    @property
    def devices(self) -> dict[int, LogicalDevice]:
        """The one logical device by its address."""
        device = self._server.meter(self._number)
        return {device.sap: device}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


def listen_with_faults(server: Server, url: str, faults: Faults) -> Any:
    """Let a server listen at a URL where things go wrong, and return it.

    Raises:
        ConfigurationError: It is no such URL.
    """
    address = parse_listening_url(url)
    return server.listen(url, link=faulty(link_factory(address, server.devices, IDENTIFICATION), faults))
