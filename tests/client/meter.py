"""A meter for tests of the client: our server's association, answers that a test may bend, and no real time."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cosem.apdu.common import SelectiveAccessDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.parameters import ALL_SERVICES_LN, AssociationParameters
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.association.server.profile import AssociationProfile
from cosem.client.aio import AsyncClient
from cosem.client.blocking import Client
from cosem.client.session import Session
from cosem.errors import TransportClosed, TransportTimeout
from cosem.link.wrapper import WrapperClientLink, WrapperParser, wrap
from cosem.transport.aio import AsyncConnection
from cosem.transport.blocking import BlockingConnection
from cosem.transport.timeouts import Timeouts
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName

T = TypeVar("T")
SERVICES = ALL_SERVICES_LN & ~(
    Conformance.GENERAL_BLOCK_TRANSFER | Conformance.ACCESS | Conformance.DATA_NOTIFICATION
)
"""Those of the edition of 2013; what came later has tests of its own."""
ENERGY, VOLTAGE, CLOCK, PROFILE = "1.0.1.8.0.255", "1.0.32.7.0.255", "0.0.1.0.0.255", "1.0.99.1.0.255"
DEMAND, MAXIMUM, ODD = "1.0.1.4.0.255", "1.0.1.6.0.255", "0.0.199.0.0.255"
NOW = OctetString(bytes.fromhex("07EA0B18020C0000 00FFC400"))
"""2026-11-24 12:00:00 +01:00."""
LIST = "0.0.40.0.0.255"
SILENCE: list[bytes] = []

Answer = bytes | list[bytes] | None


def scaler_unit(scaler: int, unit: int) -> Structure:
    return Structure((Integer(scaler), Enum(unit)))


def access(class_id: int, name: str, attributes: int = 3, version: int = 0) -> Structure:
    rights = Array(Structure((Integer(n), Enum(3 if n == 2 else 1), None)) for n in range(1, attributes + 1))
    methods = Array([Structure((Integer(1), Enum(1)))])
    return Structure(
        (
            LongUnsigned(class_id),
            Unsigned(version),
            OctetString(LogicalName(name)),
            Structure((rights, methods)),
        )
    )


class Meter:
    """What is behind the channel.

    Attributes:
        values: By class, name and attribute; a function is asked with the selection.
        methods: By class, name and method; a function is given the parameters.
        bend: Given each request APDU; ``None`` leaves it to the meter, a list of APDUs is sent instead.
        received: The requests, in order.
    """

    def __init__(self, **profile: Any) -> None:
        profile.setdefault("conformance", SERVICES)
        self.association = ServerAssociation([AssociationProfile(**profile)], client_sap=16, server_sap=1)
        self.values: dict[tuple[int, str, int], Any] = {
            (3, ENERGY, 2): DoubleLongUnsigned(12_345_678),
            (3, ENERGY, 3): scaler_unit(-3, 30),
            (3, VOLTAGE, 2): LongUnsigned(2304),
            (3, VOLTAGE, 3): scaler_unit(-1, 35),
            (4, MAXIMUM, 2): DoubleLongUnsigned(4711),
            (4, MAXIMUM, 3): scaler_unit(0, 27),
            (4, MAXIMUM, 4): Unsigned(8),
            (4, MAXIMUM, 5): NOW,
            (5, DEMAND, 2): DoubleLongUnsigned(100),
            (5, DEMAND, 3): DoubleLongUnsigned(90),
            (5, DEMAND, 4): scaler_unit(1, 27),
            (5, DEMAND, 5): Unsigned(0),
            (5, DEMAND, 6): NOW,
            (8, CLOCK, 2): NOW,
            (1, "0.0.42.0.0.255", 2): OctetString(b"COSEM0000000001"),
            (1, ODD, 2): Unsigned(7),
            (15, LIST, 2): Array(
                [
                    access(15, LIST, version=1),
                    access(3, ENERGY),
                    access(3, VOLTAGE),
                    access(4, MAXIMUM),
                    access(5, DEMAND),
                    access(8, CLOCK),
                    access(7, PROFILE),
                    access(1, ODD),
                ]
            ),
        }
        self.methods: dict[tuple[int, str, int], Any] = {(3, ENERGY, 1): MethodOutcome()}
        self.bend: Callable[[bytes], Answer] = lambda _: None
        self.received: list[bytes] = []
        self.written: list[tuple[str, int, Any]] = []
        self.now = 0.0

    def answers(self, apdu: bytes) -> list[bytes]:
        """Return what the meter says to a request."""
        self.received.append(apdu)
        bent = self.bend(apdu)
        if bent is not None:
            return [bent] if isinstance(bent, bytes) else bent
        processing = self.association.process(apdu, self.now)
        outcome = None
        try:
            while True:
                outcome = self.resolve(processing.send(outcome))
        except StopIteration as stop:
            return list(stop.value)

    def resolve(self, indication: Any) -> Any:
        if isinstance(indication, ReadAttribute):
            key = indication.class_id, str(indication.instance_id), indication.attribute_id
            value = self.values.get(key, DataAccessResult.OBJECT_UNDEFINED)
            if callable(value):
                return value(indication.selection)
            if indication.selection is not None:
                return DataAccessResult.TYPE_UNMATCHED
            return value
        if isinstance(indication, WriteAttribute):
            key = indication.class_id, str(indication.instance_id), indication.attribute_id
            if key not in self.values:
                return DataAccessResult.READ_WRITE_DENIED
            self.values[key] = indication.value
            self.written.append((key[1], key[2], indication.value))
            return DataAccessResult.SUCCESS
        if isinstance(indication, InvokeMethod):
            key = indication.class_id, str(indication.instance_id), indication.method_id
            outcome = self.methods.get(key, MethodOutcome(ActionResult.OBJECT_UNDEFINED))
            return outcome(indication.parameters) if callable(outcome) else outcome
        return None

    def kinds(self) -> list[str]:
        """Return tag and choice of the requests so far, but the AARQ."""
        return [apdu[:2].hex().upper() for apdu in self.received if apdu[0] != 0x60]


class MeterChannel:
    """A channel whose other end is a meter that answers at once; waiting moves the clock and takes no time."""

    def __init__(self, meter: Meter, *, cut: int = 0) -> None:
        self.meter = meter
        self.time = 0.0
        self.incoming: deque[bytes | BaseException] = deque()
        self.closed = False
        self._parser = WrapperParser()
        self._cut = cut

    def clock(self) -> float:
        return self.time

    def send(self, octets: bytes) -> None:
        for source, destination, apdu in self._parser.feed(octets):
            for answer in self.meter.answers(apdu):
                self.push(answer, source, destination)

    def push(self, apdu: bytes, source: int = 16, destination: int = 1) -> None:
        unit = wrap(apdu, destination, source)
        size = self._cut or len(unit)
        self.incoming.extend(unit[start : start + size] for start in range(0, len(unit), size))

    def receive(self, timeout: float) -> bytes:
        if self.closed:
            raise TransportClosed("closed")
        if not self.incoming:
            self.time += timeout
            raise TransportTimeout("nothing came")
        octets = self.incoming.popleft()
        if isinstance(octets, BaseException):
            raise octets
        return octets

    def close(self) -> None:
        self.closed = True


def connected(
    meter: Meter,
    *,
    cut: int = 0,
    timeouts: Timeouts | None = None,
    session: Session | None = None,
    opened: bool = True,
    strict: bool = False,
    any_invoke_id: bool = False,
    observer: Any = None,
    **parameters: Any,
) -> tuple[Client, MeterChannel]:
    """Return a blocking client of a meter, and the channel between."""
    channel = MeterChannel(meter, cut=cut)
    association = ClientAssociation(
        AssociationParameters(**parameters), strict=strict, any_invoke_id=any_invoke_id
    )
    connection = BlockingConnection(
        channel,
        WrapperClientLink(16, 1),
        association,
        timeouts or Timeouts(),
        clock=channel.clock,
        observer=observer,
    )
    connection.connect()
    if opened:
        connection.run(association.open())
    return Client(connection, session or Session()), channel


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when there is nothing to do."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_VirtualSelector(self))

    def time(self) -> float:
        return self.now


class _VirtualSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop_of = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise AssertionError("the test waits for something that cannot happen")
            self._loop_of.now += max(timeout, 0)
        return events


def run_virtual(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine without real time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(test())


async def settled() -> None:
    """Let everything happen that needs no time."""
    for _ in range(20):
        await asyncio.sleep(0)


class MeterTransport(asyncio.WriteTransport):
    """An asyncio transport whose other end is a meter; what it answers comes in the next turn of the loop.

    Attributes:
        held: While it is a list, answers are kept there instead.
    """

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter
        self.protocol: Any = None
        self.held: list[bytes] | None = None
        self.closed = False
        self._parser = WrapperParser()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        for source, destination, apdu in self._parser.feed(bytes(data)):
            for answer in self.meter.answers(apdu):
                unit = wrap(answer, destination, source)
                if self.held is not None:
                    self.held.append(unit)
                else:
                    self.deliver(unit)

    def deliver(self, unit: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._give, unit)

    def _give(self, unit: bytes) -> None:
        if not self.closed:
            self.protocol.data_received(unit)

    def push(self, apdu: bytes) -> None:
        self.deliver(wrap(apdu, 1, 16))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.closed


async def connected_async(
    meter: Meter,
    *,
    timeouts: Timeouts | None = None,
    session: Session | None = None,
    parallel: int = 1,
    **parameters: Any,
) -> tuple[AsyncClient, MeterTransport]:
    """Return an asynchronous client of a meter, and the transport between."""
    transport = MeterTransport(meter)
    association = ClientAssociation(AssociationParameters(**parameters))
    connection = AsyncConnection(WrapperClientLink(16, 1), association, timeouts or Timeouts())
    transport.protocol = connection
    connection.connection_made(transport)
    await connection.connect()
    await connection.run(association.open())
    return AsyncClient(connection, session or Session(), parallel=parallel), transport


def without(*bits: Conformance) -> Conformance:
    """Return what our server gives, less some services."""
    given = SERVICES
    for bit in bits:
        given &= ~bit
    return given


def selector_of(selection: SelectiveAccessDescriptor | None) -> int | None:
    return None if selection is None else int(selection.access_selector)
