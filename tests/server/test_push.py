"""Push setup: what it collects, how it waits and repeats, and what arrives over TCP and UDP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.notification import DataNotification, DataNotificationConfirm
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.association.server.indications import NotificationConfirmed
from cosem.association.server.profile import AssociationProfile
from cosem.association.unconfirmed_blocks import UnconfirmedBlocks
from cosem.classes.standard.push_setup import (
    PushObjectDefinition,
    PushOperationMethod,
    RepetitionDelay,
    SendDestinationAndMethod,
    TransportService,
)
from cosem.classes.standard.references import CaptureObjectDefinition, Restriction, TimeWindow
from cosem.connecting import connect_async
from cosem.errors import ConfigurationError, EncodeError
from cosem.link.wrapper import WrapperParser, wrap
from cosem.security.counters import VolatileCounterStore
from cosem.security.inspection import inspect
from cosem.security.keys import Keys
from cosem.security.material import material_of
from cosem.server import (
    ClockObject,
    DataObject,
    LogicalDevice,
    ProfileGenericObject,
    RegisterObject,
    Server,
    make_object,
    object_class,
    secured_profile,
)
from cosem.server.push import destination_of
from cosem.types.data import DoubleLongUnsigned, Integer, OctetString, Structure
from cosem.types.date_time import DateTime
from cosem.types.enumerations import ActionResult, AuthenticationMechanism, Conformance
from cosem.types.identifiers import LongInvokeIdAndPriority
from cosem.types.logical_name import LogicalName
from tests.client.meter import run_virtual
from tests.server.driver import StandingClock

ENERGY, PUSH, CLOCK, PROFILE = "1.0.1.8.0.255", "0.0.25.9.0.255", "0.0.1.0.0.255", "1.0.99.1.0.255"
NOTHING = Restriction(0, None)
WITHOUT_BLOCKS = ALL_SERVICES_LN & ~Conformance.GENERAL_BLOCK_TRANSFER
SIX_TO_SEVEN = (
    TimeWindow(DateTime.fromhex("FFFFFFFFFF060000FF8000FF"), DateTime.fromhex("FFFFFFFFFF070000FF8000FF")),
)


def entry(class_id: int, name: str, attribute: int, data_index: int = 0, **more: Any) -> PushObjectDefinition:
    more = {"restriction": NOTHING, "columns": ()} | more
    return PushObjectDefinition(class_id, LogicalName(name), attribute, data_index, **more)


def meter(destination: str = "127.0.0.1:1", **values: Any) -> LogicalDevice:
    service = values.pop("service", TransportService.TCP)
    profile = values.pop("profile", AssociationProfile(client_sap=1))
    values = {
        "push_object_list": (entry(3, ENERGY, 2), entry(3, ENERGY, 3, 2), entry(3, "1.0.9.9.9.255", 2)),
        "send_destination_and_method": SendDestinationAndMethod(service, destination.encode(), 0),
        "number_of_retries": 0,
        "repetition_delay": RepetitionDelay(0, 100, 0),
    } | values
    energy = RegisterObject(ENERGY, value=DoubleLongUnsigned(5017), scaler_unit=(0, 30))
    device = LogicalDevice("TST0000000000001", objects=[energy, make_object(40, PUSH, **values)])
    device.add_association(profile)
    return device


class Receiver:
    """Takes what is pushed; answers as a test says."""

    def __init__(self, answer: Callable[[bytes], bytes | None] = lambda apdu: None) -> None:
        self.answer = answer
        self.apdus: list[bytes] = []
        self.ports: set[tuple[int, int]] = set()
        self.came = asyncio.Event()

    def take(self, parser: WrapperParser, octets: bytes, send: Callable[[bytes], object]) -> None:
        for source, destination, apdu in parser.feed(octets):
            self.apdus.append(apdu)
            self.ports.add((source, destination))
            if (answer := self.answer(apdu)) is not None:
                send(wrap(answer, destination, source))
            self.came.set()

    def tcp(self) -> asyncio.Protocol:
        receiver, parser = self, WrapperParser()

        class Tcp(asyncio.Protocol):
            def connection_made(self, transport: Any) -> None:
                self.transport = transport

            def data_received(self, data: bytes) -> None:
                receiver.take(parser, data, self.transport.write)

        return Tcp()

    def udp(self) -> asyncio.DatagramProtocol:
        receiver = self

        class Udp(asyncio.DatagramProtocol):
            def connection_made(self, transport: Any) -> None:
                self.transport = transport

            def datagram_received(self, data: bytes, addr: Any) -> None:
                receiver.take(WrapperParser(), data, lambda unit: self.transport.sendto(unit, addr))

        return Udp()


async def pushed(receiver: Receiver, service: TransportService, **values: Any) -> Any:
    """Push once to a receiver, and return the push setup."""
    loop = asyncio.get_running_loop()
    if service is TransportService.UDP:
        transport, _ = await loop.create_datagram_endpoint(receiver.udp, ("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
    else:
        transport = await loop.create_server(receiver.tcp, "127.0.0.1", 0)
        port = transport.sockets[0].getsockname()[1]
    device = meter(f"127.0.0.1:{port}", service=service, **values)
    setup: Any = device[PUSH]
    assert setup.call(1, Integer(0)).result is ActionResult.SUCCESS
    assert setup.call(1, Integer(0)).result is ActionResult.TEMPORARY_FAILURE
    await setup.task
    async with asyncio.timeout(10):
        if setup.pushed:
            await receiver.came.wait()
    transport.close()
    return setup


@pytest.mark.parametrize("service", [TransportService.TCP, TransportService.UDP])
def test_what_is_pushed_arrives(service):
    async def test() -> None:
        receiver = Receiver()
        setup = await pushed(receiver, service)
        (apdu,) = receiver.apdus
        assert decode(apdu).notification_body == Structure((DoubleLongUnsigned(5017), 30, None))
        assert receiver.ports == {(1, 1)}
        assert (setup.pushed, setup.failed) == (1, 0)

    asyncio.run(test())


@pytest.mark.parametrize("service", [TransportService.TCP, TransportService.UDP])
def test_a_confirmed_push_is_repeated_under_the_same_id_until_it_is_confirmed(service):
    async def test() -> None:
        def typed(apdu: bytes) -> bytes | None:
            notification: DataNotification = decode(apdu)
            number = notification.long_invoke_id_and_priority
            wrong = len(receiver.apdus) < 3
            return encode(DataNotificationConfirm(LongInvokeIdAndPriority(number + wrong), b""))

        receiver = Receiver(typed)
        loop = asyncio.get_running_loop()
        transport: Any
        if service is TransportService.UDP:
            transport, _ = await loop.create_datagram_endpoint(receiver.udp, ("127.0.0.1", 0))
            port = transport.get_extra_info("sockname")[1]
        else:
            transport = await loop.create_server(receiver.tcp, "127.0.0.1", 0)
            port = transport.sockets[0].getsockname()[1]
        device = meter(
            f"127.0.0.1:{port}",
            service=service,
            push_operation_method=PushOperationMethod.CONFIRMED,
            number_of_retries=5,
        )
        setup: Any = device[PUSH]
        setup.confirmation_timeout = 0.05
        setup.call(1, Integer(0))
        assert await setup.task is True
        assert len(receiver.apdus) == 3
        assert len(set(receiver.apdus)) == 1
        assert bytes(setup.stored(13)) != bytes(12)
        transport.close()

    asyncio.run(test())


def confirmation_of(apdu: bytes) -> bytes:
    return encode(
        DataNotificationConfirm(LongInvokeIdAndPriority(decode(apdu).long_invoke_id_and_priority), b"")
    )


class Rubbish(Receiver):
    """Sends rubbish before the confirmation, after it, or until the last attempt in its place.

    Attributes:
        where: Which of them.
    """

    where = "after"

    def take(self, parser: WrapperParser, octets: bytes, send: Callable[[bytes], object]) -> None:
        for source, destination, apdu in parser.feed(octets):
            self.apdus.append(apdu)
            unit = wrap(confirmation_of(apdu), destination, source)
            if self.where == "before":
                send(b"\xff" * 20)
            if self.where != "instead" or len(self.apdus) == 3:
                send(unit + b"\xff" * 20 if self.where == "after" else unit)
            else:
                send(b"\xff" * 20)
            self.came.set()


@pytest.mark.parametrize(
    ("service", "where", "attempts"),
    [
        (TransportService.TCP, "after", 1),
        (TransportService.TCP, "instead", 3),
        (TransportService.UDP, "after", 1),
        (TransportService.UDP, "before", 1),
    ],
)
def test_rubbish_beside_a_confirmation_does_not_hide_it_and_in_its_place_it_is_a_failed_attempt(
    service, where, attempts
):
    async def test() -> None:
        receiver = Rubbish()
        receiver.where = where
        confirmed = {"push_operation_method": PushOperationMethod.CONFIRMED, "number_of_retries": 2}
        setup = await pushed(receiver, service, **confirmed)
        assert (setup.pushed, setup.failed, len(receiver.apdus)) == (1, 0, attempts)

    asyncio.run(test())


def test_a_push_that_nobody_takes_is_given_up():
    async def test() -> None:
        device = meter("127.0.0.1:1", number_of_retries=2)
        setup: Any = device[PUSH]
        setup.call(1, Integer(0))
        assert await setup.task is False
        assert (setup.pushed, setup.failed) == (0, 1)

    asyncio.run(test())


class Taker(asyncio.Transport):
    """What a receiver takes of a connection, at a pace that a test says; it answers when it has all.

    Attributes:
        left: Octets that it has not taken yet.
    """

    def __init__(self, protocol: Any, octets: int, seconds: float, confirms: bool) -> None:
        super().__init__()
        self.protocol = protocol
        self.pace = octets, seconds
        self.confirms = confirms
        self.left = 0
        self.closing = self.gone = self.aborted = False

    def write(self, data: Any) -> None:
        if not self.left:
            asyncio.get_running_loop().call_later(self.pace[1], self.take)
            self.protocol.pause_writing()
        self.left += len(data)
        if self.confirms:
            (unit,) = WrapperParser().feed(bytes(data))
            number = decode(unit[2]).long_invoke_id_and_priority
            answer = encode(DataNotificationConfirm(LongInvokeIdAndPriority(number), b""))
            asyncio.get_running_loop().call_soon(self.protocol.data_received, wrap(answer, 1, 1))

    def take(self) -> None:
        self.left = max(0, self.left - self.pace[0])
        if self.left and self.pace[0] and not self.gone:
            asyncio.get_running_loop().call_later(self.pace[1], self.take)
        elif not self.left and not self.gone:
            self.protocol.resume_writing()
            if self.closing:
                self.end()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0  # the protocol wants to know when everything was taken

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closing = True  # the receiver ends too when it has all

    def end(self) -> None:
        if not self.gone:
            self.gone = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def close(self) -> None:
        self.closing = True
        if not self.left:
            self.end()

    def abort(self) -> None:
        self.aborted = not self.gone
        self.left = 0
        self.end()

    def get_write_buffer_size(self) -> int:
        return self.left


def taken(
    octets: int, seconds: float, *, confirms: bool = False, timeout: float = 10, **values: Any
) -> tuple[Any, list[Taker], float]:
    """Push to a receiver that takes so many octets every so many seconds; return setup, connections and seconds."""

    async def test() -> tuple[Any, list[Taker], float]:
        loop: Any = asyncio.get_running_loop()
        takers: list[Taker] = []

        async def connect(factory: Callable[[], Any], *where: object) -> tuple[Taker, Any]:
            protocol = factory()
            takers.append(Taker(protocol, octets, seconds, confirms))
            return takers[-1], protocol

        loop.create_connection = connect
        setup: Any = meter("192.0.2.1:4059", **values)[PUSH]
        setup.confirmation_timeout = timeout
        setup.call(1, Integer(0))
        await setup.task
        return setup, takers, loop.time()

    return run_virtual(test)


def test_a_push_that_the_receiver_does_not_take_is_repeated_and_has_not_arrived():
    setup, takers, _ = taken(0, 1, number_of_retries=2)
    assert (setup.pushed, setup.failed) == (0, 1)
    assert len(takers) == 3
    assert all(taker.aborted for taker in takers)


def test_a_push_that_the_receiver_takes_slowly_has_arrived():
    setup, takers, seconds = taken(4, 9)
    assert (setup.pushed, setup.failed) == (1, 0)
    assert seconds > 30
    assert not takers[0].aborted


def test_a_push_that_was_confirmed_has_arrived_whatever_becomes_of_its_connection():
    confirmed = {"push_operation_method": PushOperationMethod.CONFIRMED}
    setup, takers, _ = taken(0, 1, confirms=True, number_of_retries=2, **confirmed)
    assert (setup.pushed, setup.failed) == (1, 0)
    assert [taker.aborted for taker in takers] == [True]


def test_a_push_larger_than_the_buffers_of_the_system_arrives_once():
    async def test() -> None:
        octets: list[int] = []
        ended = asyncio.Event()

        class Counting(asyncio.Protocol):
            def connection_made(self, transport: Any) -> None:
                octets.append(0)

            def data_received(self, data: bytes) -> None:
                octets[-1] += len(data)

            def connection_lost(self, exc: Exception | None) -> None:
                ended.set()

        receiver = await asyncio.get_running_loop().create_server(Counting, "127.0.0.1", 0)
        host, port = receiver.sockets[0].getsockname()
        device = meter(
            f"{host}:{port}", number_of_retries=2, push_object_list=[entry(1, "0.0.97.1.0.255", 2)]
        )
        device.add(DataObject("0.0.97.1.0.255", value=OctetString(bytes(8_000_000))))
        setup: Any = device[PUSH]
        setup.call(1, Integer(0))
        assert await setup.task is True
        await ended.wait()
        receiver.close()
        assert (setup.pushed, setup.failed, len(octets)) == (1, 0, 1)
        assert octets[0] > 8_000_000

    asyncio.run(test())


class Talker(asyncio.Protocol):
    """Says something at once, reads nothing for some turns of the loop, and then the rest; counts octets."""

    def __init__(self, octets: list[int], ended: asyncio.Event) -> None:
        self.octets = octets
        self.ended = ended

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.octets.append(0)

    def data_received(self, data: bytes) -> None:
        if not self.octets[-1]:
            self.transport.write(wrap(b"\xc0", 102, 1))
            self.transport.pause_reading()
            # The pusher goes on by itself in the meantime, and fills what the two systems hold.
            loop = asyncio.get_running_loop()
            turns = iter(range(200))

            def turn() -> None:
                if next(turns, None) is None:
                    self.transport.resume_reading()
                else:
                    loop.call_soon(turn)

            turn()
        self.octets[-1] += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


def test_a_receiver_that_talks_meanwhile_loses_nothing_of_an_unconfirmed_push():
    async def test() -> None:
        octets: list[int] = []
        ended = asyncio.Event()
        receiver = await asyncio.get_running_loop().create_server(
            lambda: Talker(octets, ended), "127.0.0.1", 0
        )
        host, port = receiver.sockets[0].getsockname()
        device = meter(f"{host}:{port}", push_object_list=[entry(1, "0.0.97.1.0.255", 2)])
        device.add(DataObject("0.0.97.1.0.255", value=OctetString(bytes(1_000_000))))
        setup: Any = device[PUSH]
        setup.call(1, Integer(0))
        assert await setup.task is True
        await ended.wait()
        receiver.close()
        assert (setup.pushed, setup.failed, len(octets)) == (1, 0, 1)
        assert octets[0] > 1_000_000

    asyncio.run(test())


class Lingering(Taker):
    """Does not end when the other does, but says something every so many seconds, so many times, and may then end."""

    times = 0
    seconds = 0.0
    ends = True

    def write_eof(self) -> None:
        asyncio.get_running_loop().call_later(self.seconds, self.say, self.times)

    def say(self, times: int) -> None:
        if self.gone:
            return
        if times:
            self.protocol.data_received(b"?")
            asyncio.get_running_loop().call_later(self.seconds, self.say, times - 1)
        elif self.ends:
            self.end()


@pytest.mark.parametrize(
    ("times", "ends", "expected"),
    [
        (0, True, 8),  # it ends
        (4, True, 40),  # it talks, and ends
        (0, False, 11),  # it is silent, and does not end
        (1000, True, 61),  # it does nothing but talk
    ],
)
def test_an_unconfirmed_push_waits_for_the_end_of_its_receiver_but_not_for_ever(times, ends, expected):
    async def test() -> tuple[Any, float]:
        loop: Any = asyncio.get_running_loop()

        async def connect(factory: Callable[[], Any], *where: object) -> tuple[Taker, Any]:
            protocol = factory()
            receiver = Lingering(protocol, 1000, 1, confirms=False)
            receiver.times, receiver.seconds, receiver.ends = times, 8, ends
            return receiver, protocol

        loop.create_connection = connect
        setup: Any = meter("192.0.2.1:4059")[PUSH]
        setup.call(1, Integer(0))
        await setup.task
        return setup, loop.time()

    setup, seconds = run_virtual(test)
    assert (setup.pushed, setup.failed) == (1, 0)
    assert seconds == pytest.approx(expected)


class Slow(Taker):
    """Confirms so many seconds after it has taken everything."""

    seconds = 0.0
    answer = b""

    def write(self, data: Any) -> None:
        super().write(data)
        (unit,) = WrapperParser().feed(bytes(data))
        self.answer = wrap(confirmation_of(unit[2]), 1, 1)

    def take(self) -> None:
        super().take()
        if not self.left and not self.gone:
            asyncio.get_running_loop().call_later(self.seconds, self.protocol.data_received, self.answer)


@pytest.mark.parametrize(("seconds", "arrives"), [(2.5, True), (3.5, False)])
def test_the_time_for_a_confirmation_runs_from_when_the_receiver_has_taken_everything(seconds, arrives):
    async def test() -> tuple[Any, float]:
        loop: Any = asyncio.get_running_loop()

        async def connect(factory: Callable[[], Any], *where: object) -> tuple[Taker, Any]:
            protocol = factory()
            receiver = Slow(protocol, 4, 9, confirms=False)
            receiver.seconds = seconds
            return receiver, protocol

        loop.create_connection = connect
        setup: Any = meter("192.0.2.1:4059", push_operation_method=PushOperationMethod.CONFIRMED)[PUSH]
        setup.confirmation_timeout = 3
        setup.call(1, Integer(0))
        await setup.task
        return setup, loop.time()

    setup, now = run_virtual(test)
    assert (setup.pushed, setup.failed) == (arrives, not arrives)
    assert now > 30
    assert now % 9 == pytest.approx(2.5 if arrives else 3)


def test_a_confirmation_is_not_waited_for_where_the_receiver_takes_nothing():
    confirmed = {"push_operation_method": PushOperationMethod.CONFIRMED}
    setup, takers, seconds = taken(0, 1, timeout=600, **confirmed)
    assert (setup.pushed, setup.failed) == (0, 1)
    assert [taker.aborted for taker in takers] == [True]
    assert seconds == pytest.approx(10)


def test_the_system_holds_little_of_a_push_so_that_the_transport_knows_what_is_taken():
    async def test() -> None:
        loop: Any = asyncio.get_running_loop()
        receiver = Receiver()
        listening = await loop.create_server(receiver.tcp, "127.0.0.1", 0)
        create_connection = loop.create_connection
        transports: list[Any] = []

        async def connect(*arguments: Any) -> Any:
            transports.append(await create_connection(*arguments))
            return transports[-1]

        loop.create_connection = connect
        setup: Any = meter(f"127.0.0.1:{listening.sockets[0].getsockname()[1]}")[PUSH]
        held: list[int] = []

        def answer(apdu: bytes) -> None:
            connection = transports[0][0].get_extra_info("socket")
            held.append(connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))

        receiver.answer = answer
        setup.call(1, Integer(0))
        assert await setup.task is True
        listening.close()
        assert held[0] <= 131072

    asyncio.run(test())


def test_a_confirmation_is_not_waited_for_over_a_connection_that_is_gone():
    async def test() -> None:
        loop: Any = asyncio.get_running_loop()
        attempts: list[float] = []

        async def connect(factory: Callable[[], Any], *where: object) -> tuple[Taker, Any]:
            protocol = factory()
            taker = Taker(protocol, 100, 1, confirms=False)
            attempts.append(loop.time())
            loop.call_later(2, taker.end)
            return taker, protocol

        loop.create_connection = connect
        device = meter(
            "192.0.2.1:4059", push_operation_method=PushOperationMethod.CONFIRMED, number_of_retries=1
        )
        setup: Any = device[PUSH]
        setup.confirmation_timeout = 600
        setup.call(1, Integer(0))
        assert await setup.task is False
        assert len(attempts) == 2
        assert loop.time() < 10

    run_virtual(test)


def test_a_long_push_goes_in_blocks():
    async def test() -> None:
        receiver = Receiver()
        profile = AssociationProfile(client_sap=1, client_max_receive_pdu_size=12)
        await pushed(receiver, TransportService.TCP, profile=profile)
        async with asyncio.timeout(10):
            while len(receiver.apdus) < 2:
                receiver.came.clear()
                await receiver.came.wait()
        collector = UnconfirmedBlocks()
        whole = [collector.take(decode(apdu), 0.0) for apdu in receiver.apdus]
        assert decode(whole[-1]).notification_body == Structure((DoubleLongUnsigned(5017), 30, None))

    asyncio.run(test())


def test_a_push_is_protected_as_the_association_of_its_client():
    keys = Keys.parse(
        guek=b"k" * 15 + b"1",
        gak=b"a" * 15 + b"2",
        server_title="MMM0000BC614E",
        client_title="4D4D4D0000000001",
    )

    async def test() -> None:
        receiver = Receiver()
        profile = secured_profile(
            AuthenticationMechanism.HLS_GMAC, keys, client_sap=1, counters=VolatileCounterStore()
        )
        await pushed(receiver, TransportService.TCP, profile=profile)
        (apdu,) = receiver.apdus
        assert apdu[0] in (0xDB, 0xDD)
        found = inspect(apdu, lambda *_: material_of(keys, server=False))
        assert decode(found.plain or b"").notification_body[0] == 5017

    asyncio.run(test())


def test_parts_and_columns_of_a_profile():
    async def test() -> None:
        profile = ProfileGenericObject(
            PROFILE, capture_objects=[(8, CLOCK, 2, 0), (3, ENERGY, 2, 0)], profile_entries=9
        )
        device = meter(
            push_object_list=(
                entry(7, PROFILE, 2, restriction=Restriction(2, Structure((2, 3)))),
                entry(7, PROFILE, 2, columns=(CaptureObjectDefinition(3, LogicalName(ENERGY), 2, 0),)),
            )
        )
        device.add(profile, ClockObject(CLOCK))
        for _ in range(4):
            profile.call(2, Integer(0))
        entries, columns = await device[PUSH].collect()
        assert [len(row) for row in entries] == [2, 2]
        assert [tuple(row) for row in columns] == [(5017,)] * 4

    asyncio.run(test())


def rows_pushed(columns: list[CaptureObjectDefinition], first: int, last: int) -> Any:
    """Return what a push of some entries of a profile with three columns collects."""
    captured = [(8, CLOCK, 2, 0), (3, ENERGY, 2, 0), (3, ENERGY, 3, 2)]
    profile = ProfileGenericObject(PROFILE, capture_objects=captured, profile_entries=9)
    restriction = Restriction(2, Structure((first, last)))
    device = meter(push_object_list=(entry(7, PROFILE, 2, restriction=restriction, columns=columns),))
    device.add(profile, ClockObject(CLOCK))
    for number in range(4):
        device[ENERGY].value = DoubleLongUnsigned(number)
        profile.call(2, Integer(0))
    (value,) = asyncio.run(device[PUSH].collect())
    return value


def test_columns_of_entries_are_any_columns_in_the_order_of_the_profile():
    energy, unit, clock = (
        CaptureObjectDefinition(class_id, LogicalName(name), attribute, index)
        for class_id, name, attribute, index in ((3, ENERGY, 2, 0), (3, ENERGY, 3, 2), (8, CLOCK, 2, 0))
    )
    assert [tuple(row) for row in rows_pushed([energy], 2, 3)] == [(1,), (2,)]
    both = rows_pushed([unit, clock], 3, 4)
    assert [len(row) for row in both] == [2, 2]
    assert [row[1] for row in both] == [30, 30]
    assert [len(row) for row in rows_pushed([], 1, 2)] == [3, 3]
    assert rows_pushed([], 0, 2) is None  # there is no entry 0
    assert rows_pushed([energy], 0, 2) is None
    foreign = CaptureObjectDefinition(3, LogicalName("1.0.2.8.0.255"), 2, 0)
    assert rows_pushed([energy, foreign], 2, 3) is None  # the profile has no such column


def test_delays_before_and_between():
    setup: Any = meter(randomisation_start_interval=600, repetition_delay=RepetitionDelay(10, 200, 50))[PUSH]
    setup.randomness = lambda: 0.5
    assert [setup.delay(attempt) for attempt in range(5)] == [300, 10, 20, 40, 50]
    for low, exponent, high in ((0, 100, 0), (0, 65535, 60), (10, 0, 60), (1, 1, 1)):
        setup.put("repetition_delay", RepetitionDelay(low, exponent, high))
        assert [setup.delay(attempt) for attempt in (2, 300, 65535)] == [1, 1, 1]
    setup.put("repetition_delay", RepetitionDelay(10, 65535, 60))
    assert [setup.delay(attempt) for attempt in (1, 2, 300, 65535)] == [10, 60, 60, 60]
    assert object_class(40, 0)(PUSH, repetition_delay=0).delay(1) == 1
    old: Any = object_class(40, 0)(PUSH, repetition_delay=7)
    assert old.delay(3) == 7
    assert old.receiver_sap == 1
    assert not old.confirmed


def test_pushes_wait_for_a_window():
    setup: Any = meter(communication_window=SIX_TO_SEVEN)[PUSH]
    assert setup.until_window(datetime(2026, 11, 25, 6, 30)) == 0
    assert setup.until_window(datetime(2026, 11, 25, 5, 0)) == 3600
    assert setup.until_window(datetime(2026, 11, 25, 8, 0)) == 22 * 3600


def waits(setup: Any, attempt: int, clock: StandingClock) -> list[float]:
    """Return what is waited before an attempt, with a clock that goes on by it."""
    seconds = []
    for wait in setup.waits(attempt, lambda: clock().replace(tzinfo=None)):
        clock.move(seconds=wait)
        seconds.append(wait)
    return seconds


def test_the_random_delay_is_in_the_window_and_not_before_it():
    setup: Any = meter(communication_window=SIX_TO_SEVEN, randomisation_start_interval=600)[PUSH]
    setup.randomness = lambda: 0.5
    clock = StandingClock(datetime(2026, 11, 25, 5, 0))
    assert waits(setup, 0, clock) == [3600, 300]
    assert clock() == datetime(2026, 11, 25, 6, 5)
    assert waits(setup, 0, clock) == [300]  # the window is open already


def test_a_random_delay_that_ends_behind_the_window_waits_for_the_next_one():
    setup: Any = meter(communication_window=SIX_TO_SEVEN, randomisation_start_interval=600)[PUSH]
    numbers = iter([0.5, 0.25])
    setup.randomness = lambda: next(numbers)
    clock = StandingClock(datetime(2026, 11, 25, 6, 58))
    assert waits(setup, 0, clock) == [300, 22 * 3600 + 57 * 60, 150]
    assert clock() == datetime(2026, 11, 26, 6, 2, 30)


def test_a_repetition_is_random_again_in_a_further_window_only():
    setup: Any = meter(
        communication_window=SIX_TO_SEVEN,
        randomisation_start_interval=600,
        repetition_delay=RepetitionDelay(60, 100, 60),
    )[PUSH]
    setup.randomness = lambda: 0.5
    clock = StandingClock(datetime(2026, 11, 25, 6, 30))
    assert waits(setup, 1, clock) == [60]
    clock.now = datetime(2026, 11, 25, 6, 59, 30)
    assert waits(setup, 1, clock) == [60, 22 * 3600 + 59 * 60 + 30, 300]


def test_without_windows_only_the_first_attempt_is_random():
    setup: Any = meter(randomisation_start_interval=600, repetition_delay=RepetitionDelay(10, 200, 60))[PUSH]
    setup.randomness = lambda: 0.5
    assert [waits(setup, attempt, StandingClock()) for attempt in range(3)] == [[300], [10], [20]]


def test_a_push_whose_windows_are_all_in_the_past_is_given_up():
    async def test() -> None:
        receiver = Receiver()
        past = [DateTime.fromhex(text) for text in ("07E40101FF000000FF8000FF", "07E40101FF010000FF8000FF")]
        window = TimeWindow(*past)
        setup = await pushed(receiver, TransportService.TCP, communication_window=(window,))
        assert setup.until_window(datetime(2026, 11, 25)) is None
        assert receiver.apdus == []
        assert (setup.pushed, setup.failed) == (0, 1)

    asyncio.run(test())


def test_an_empty_list_is_not_pushed():
    async def test() -> None:
        receiver = Receiver()
        setup = await pushed(receiver, TransportService.TCP, push_object_list=())
        assert receiver.apdus == []
        assert (setup.pushed, setup.failed) == (0, 0)

    asyncio.run(test())


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_every_version_can_be_made(version):
    setup = make_object(40, PUSH, version=version)
    assert type(setup).version == version
    assert setup.call(1, Integer(0)).result is ActionResult.OTHER_REASON  # no logical device


@pytest.mark.parametrize("text", [b"", b":4059", b"a:b", b"\xff", b"[::1"])
def test_what_is_no_destination(text):
    with pytest.raises(ConfigurationError):
        destination_of(text)


def test_a_data_notification_reaches_a_client_and_its_confirmation_the_meter():
    async def test() -> None:
        device = meter()
        device.add_association(16)
        confirmed = asyncio.Event()
        seen: list[Any] = []

        def listen(_: object, indication: object) -> None:
            if isinstance(indication, NotificationConfirmed):
                seen.append(indication)
                confirmed.set()

        device.listeners.append(listen)
        async with (
            Server(device).listen("tcp://127.0.0.1:0") as server,
            connect_async(server.address, max_pdu_size=100) as client,
        ):
            assert server.data_notification(OctetString(bytes(300))) == 1
            async with asyncio.timeout(10):
                notification = await anext(client.notifications(None))
                assert notification.apdu.notification_body == bytes(300)
                await client.confirm(notification)
                await confirmed.wait()
            assert seen == [NotificationConfirmed(0)]
            assert await client.get(ENERGY) == 5017

    asyncio.run(test())


def test_a_data_notification_too_long_for_the_link_of_one_client_reaches_the_others():
    async def test() -> None:
        device = meter()
        device.add_association(16)
        device.add_association(32)
        listening = Server(device).listen("hdlc+tcp://127.0.0.1:0").listen("tcp://127.0.0.1:0")
        async with listening as server:
            narrow, wide = server.addresses
            async with (
                connect_async(narrow, client=16, conformance=WITHOUT_BLOCKS) as before,
                connect_async(wide, client=32) as after,
            ):
                long = OctetString(bytes(5000))
                assert server.data_notification(long) == 1
                assert server.data_notification(OctetString(b"short")) == 2
                assert [(await anext(after.notifications(10.0))).apdu.notification_body for _ in "12"] == [
                    long,
                    b"short",
                ]
                assert await before.get(ENERGY) == 5017  # gives the meter the turn
                assert (await anext(before.notifications(10.0))).apdu.notification_body == b"short"
                with pytest.raises(EncodeError):
                    server.data_notification(object())  # type: ignore[arg-type]
                assert server.data_notification(OctetString(b"nobody"), device=7) == 0

    asyncio.run(test())


def test_on_hdlc_the_newest_is_left_out_and_counted_where_too_many_wait_for_the_turn():
    async def test() -> None:
        device = meter()
        device.add_association(16)
        async with (
            Server(device).listen("hdlc+tcp://127.0.0.1:0") as server,
            connect_async(server.address, client=16) as client,
        ):
            told = [server.notify(3, ENERGY, 2, DoubleLongUnsigned(number)) for number in range(300)]
            assert told == [1] * 256 + [0] * 44
            assert (server.statistics.notifications, server.statistics.notifications_dropped) == (256, 44)
            assert await client.get(ENERGY) == 5017  # gives the meter the turn
            notifications = client.notifications(10.0)
            values = [(await anext(notifications)).apdu.attribute_value for _ in range(256)]
            assert values == list(range(256))
            assert server.notify(3, ENERGY, 2, DoubleLongUnsigned(300)) == 1

    asyncio.run(test())


def test_blocks_of_a_notification_wait_for_the_turn_all_together_or_not_at_all():
    async def test() -> None:
        device = meter()
        device.add_association(16)
        async with (
            Server(device).listen("hdlc+tcp://127.0.0.1:0") as server,
            connect_async(server.address, client=16) as client,
        ):
            long = OctetString(bytes(5000))
            told = [server.data_notification(long) for _ in range(8)]
            fitting = sum(told)
            assert told == [1] * fitting + [0] * (8 - fitting)
            assert 0 < fitting < 8
            assert server.statistics.notifications_dropped == 8 - fitting
            assert await client.get(ENERGY) == 5017
            notifications = client.notifications(10.0)
            for _ in range(fitting):
                assert (await anext(notifications)).apdu.notification_body == long
            assert server.data_notification(long) == 1

    asyncio.run(test())


@pytest.mark.parametrize(("query", "octets"), [("", 100), ("", 5000), ("?max_info=512&window=3", 5000)])
def test_a_data_notification_too_long_for_a_frame_goes_in_blocks_where_they_are_agreed(query, octets):
    async def test() -> None:
        device = meter()
        device.add_association(16)
        async with (
            Server(device).listen("hdlc+tcp://127.0.0.1:0") as server,
            connect_async(server.address + query, client=16) as client,
        ):
            assert server.data_notification(OctetString(bytes(octets))) == 1
            assert await client.get(ENERGY) == 5017  # gives the meter the turn
            notification = await anext(client.notifications(10.0))
            assert notification.apdu.notification_body == bytes(octets)
            # A link keeps 256 frames: what needs more than it has room for is not begun.
            assert server.data_notification(OctetString(bytes(200_000))) == 0
            assert server.statistics.notifications == 1
            assert await client.get(ENERGY) == 5017

    asyncio.run(test())


@pytest.mark.parametrize("short_names", [False, True])
def test_an_event_too_long_for_a_frame_goes_in_blocks_where_they_are_agreed(short_names):
    async def test() -> None:
        device = meter()
        device.add_association(16, short_names=short_names)
        async with Server(device).listen("hdlc+tcp://127.0.0.1:0") as server:
            options: Any = {"client": 16, "short_names": short_names}
            async with connect_async(server.address, **options) as client:
                assert server.notify(3, ENERGY, 2, OctetString(bytes(500))) == 1
                assert server.notify(3, ENERGY, 2, OctetString(bytes(200_000))) == 0
                assert await client.get(ENERGY) == 5017  # gives the meter the turn
                told = encode((await anext(client.notifications(10.0))).apdu)
                assert bytes(500) in told
            plain = Conformance.GET | Conformance.EVENT_NOTIFICATION
            plain |= Conformance.READ | Conformance.INFORMATION_REPORT
            async with connect_async(server.address, conformance=plain, **options) as client:
                assert await client.get(ENERGY) == 5017
                assert server.notify(3, ENERGY, 2, OctetString(bytes(500))) == 0
                assert server.notify(3, ENERGY, 2, OctetString(bytes(5))) == 1

    asyncio.run(test())


def test_all_that_a_meter_sends_by_itself_has_numbers_of_one_count():
    async def test() -> None:
        receiver = Receiver()
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(receiver.tcp, "127.0.0.1", 0)
        destination = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        device = meter(destination)
        first = device[PUSH]
        second = make_object(
            40,
            "0.1.25.9.0.255",
            push_object_list=first.push_object_list,
            send_destination_and_method=first.send_destination_and_method,
            number_of_retries=0,
            repetition_delay=RepetitionDelay(0, 100, 0),
        )
        device.add(second)
        device.add_association(16)
        numbers = []
        async with (
            listening,
            Server(device).listen("tcp://127.0.0.1:0") as server,
            connect_async(server.address) as client,
        ):
            for setup in (first, second, first):
                assert setup.call(1, Integer(0)).result is ActionResult.SUCCESS
                assert await setup.task
                numbers.append(decode(receiver.apdus[-1]).long_invoke_id_and_priority.long_invoke_id)
                assert server.data_notification(Integer(1)) == 1
                notification = await anext(client.notifications(10.0))
                numbers.append(notification.apdu.long_invoke_id_and_priority.long_invoke_id)
        assert numbers == [0, 1, 2, 3, 4, 5]

    asyncio.run(test())
