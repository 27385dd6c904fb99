"""What the tests of the server share: a clock that stands still, a client without a network, and raw octets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cosem.apdu import decode
from cosem.apdu.common import SelectiveAccessDescriptor
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.link.base import ServerLink
from cosem.link.wrapper import WrapperParser, WrapperServerLink, wrap
from cosem.server import AccessRights, LogicalDevice, Server
from cosem.server.connection import Connection
from cosem.types.data import ABSENT
from cosem.types.logical_name import LogicalName

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class StandingClock:
    """A clock that moves when a test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def aarq(
    *, conformance: str = "00FE1F", size: int = 0xFFFF, password: bytes | None = None, mechanism: int = 1
) -> bytes:
    """Return an AARQ, with a password if one is given."""
    initiate = bytes.fromhex(f"0100000006 5F1F0400{conformance} {size:04X}")
    information = bytes((0xBE, len(initiate) + 2, 0x04, len(initiate))) + initiate
    body = bytes.fromhex("A109060760857405080101")
    if password is not None:
        body += bytes.fromhex("8A0207808B07608574050802") + bytes((mechanism, 0xAC, len(password) + 2, 0x80))
        body += bytes((len(password),)) + password
    body += information
    return bytes((0x60, len(body))) + body


def opened(device: LogicalDevice, client_sap: int = 16, request: bytes | None = None) -> ServerAssociation:
    """Return an association that stands, without any network."""
    association = device.association(client_sap)
    answer = process(device, association, request or aarq())
    assert answer is not None
    assert "A203020100" in answer.hex().upper()
    return association


def process(device: LogicalDevice, association: ServerAssociation, octets: bytes) -> bytes | None:
    """Return the answer of a device whose handlers answer at once."""
    processing = association.process(octets, 0.0)
    outcome: Any = None
    try:
        while True:
            outcome = device.resolve(association, processing.send(outcome))
    except StopIteration as stop:
        return stop.value[0] if stop.value else None


class Client:
    """Asks a logical device as an association would, and gets results instead of octets."""

    def __init__(self, device: LogicalDevice, client_sap: int = 16, request: bytes | None = None) -> None:
        self.device = device
        self.association = opened(device, client_sap, request)

    def get(self, class_id: int, name: str, attribute: int, selector: int = 0, parameters: Any = None) -> Any:
        selection = SelectiveAccessDescriptor(selector, parameters) if selector else None
        return self._ask(ReadAttribute(class_id, LogicalName(name), attribute, selection))

    def set(self, class_id: int, name: str, attribute: int, value: Any) -> Any:
        return self._ask(WriteAttribute(class_id, LogicalName(name), attribute, value))

    def call(self, class_id: int, name: str, method: int, parameters: Any = ABSENT) -> MethodOutcome:
        outcome: MethodOutcome = self._ask(InvokeMethod(class_id, LogicalName(name), method, parameters))
        return outcome

    def _ask(self, indication: Any) -> Any:
        return self.device.resolve(self.association, indication)


def meter(
    *objects: Any, clock: Any = None, sap: int = 1, rights: AccessRights | None = None, **facts: Any
) -> LogicalDevice:
    """Return a logical device with a public client that may do everything."""
    device = LogicalDevice("TST0000000000001", sap=sap, objects=objects, clock=clock or StandingClock())
    device.add_association(16, rights or AccessRights.full(), **facts)
    return device


class Wire:
    """A TCP connection that sends and receives wrapper units."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._parser = WrapperParser()
        self._units: list[tuple[int, int, bytes]] = []

    @classmethod
    async def to(cls, server: Server) -> Wire:
        host, _, port = server.address.removeprefix("tcp://").rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    def send(self, *apdus: bytes | str, client: int = 16, server: int = 1) -> None:
        for apdu in apdus:
            octets = bytes.fromhex(apdu) if isinstance(apdu, str) else apdu
            self.writer.write(wrap(octets, client, server))

    def send_raw(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def unit(self) -> tuple[int, int, bytes] | None:
        """Return source, destination and APDU of the next unit; ``None`` when the server has closed."""
        while not self._units:
            try:
                octets = await asyncio.wait_for(self.reader.read(65536), 20)
            except ConnectionResetError:
                return None
            if not octets:
                return None
            self._units += self._parser.feed(octets)
        return self._units.pop(0)

    async def answer(self) -> Any:
        """Return the next APDU, decoded."""
        unit = await self.unit()
        return None if unit is None else decode(unit[2])

    async def ask(self, apdu: bytes | str, client: int = 16, server: int = 1) -> Any:
        self.send(apdu, client=client, server=server)
        return await self.answer()

    async def open(self, request: bytes | None = None, client: int = 16, server: int = 1) -> Any:
        return await self.ask(request or aarq(), client, server)

    async def closed(self) -> bool:
        """Wait until the server has closed, and return True."""
        while await self.unit() is not None:
            pass
        return True

    def close(self) -> None:
        self.writer.close()


@contextlib.asynccontextmanager
async def serving(*devices: LogicalDevice, **facts: Any) -> AsyncIterator[Server]:
    """Serve on any free port of this machine."""
    async with Server(devices, **facts).listen() as server:
        yield server


def run(test: Any) -> Any:
    """Run a coroutine function as a test."""

    def runs(*arguments: Any, **facts: Any) -> Any:
        return asyncio.run(test(*arguments, **facts))

    runs.__name__ = test.__name__
    runs.__doc__ = test.__doc__
    import inspect

    runs.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return runs


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go round until something holds; what never holds ends the test."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happens")


def each_cut(octets: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return the two parts of octets for every place where they can be cut."""
    return ((octets[:at], octets[at:]) for at in range(1, len(octets)))


class Pipe:
    """A connection of a server without a network: what goes in and what came out, at once."""

    def __init__(
        self, server: Server, peer: str = "198.51.100.1", link: Callable[[], ServerLink] = WrapperServerLink
    ) -> None:
        self.out = bytearray()
        self.closed = self.paused = False
        self.untaken = 0
        self.connection = Connection(server, link())
        self.connection.attach(self, peer)

    def feed(self, octets: bytes) -> None:
        self.connection.data_received(octets)

    def ask(self, *apdus: bytes | str, client: int = 16, server: int = 1) -> list[bytes]:
        """Send units in one go, and return the APDUs that came back."""
        octets = b"".join(
            wrap(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu, client, server) for apdu in apdus
        )
        self.feed(octets)
        return self.answers()

    def answers(self) -> list[bytes]:
        """Return the APDUs that came back since the last time."""
        units = WrapperParser().feed(bytes(self.out))
        answers = [apdu for _, _, apdu in units]
        self.out.clear()
        return answers

    def lose(self) -> None:
        """Break the connection."""
        self.connection.connection_lost(ConnectionResetError())

    # What asyncio's transports offer.

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.out += data

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.connection.connection_lost(None)

    abort = close

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return self.untaken
