"""The pumps with a link that has timers and answers of its own, as HDLC has."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.get import get
from cosem.association.client.parameters import AssociationParameters
from cosem.association.context import TransferLimits
from cosem.errors import CosemError, FrameError, TransportClosed, TransportTimeout
from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.transport.aio import AsyncConnection
from cosem.transport.blocking import BlockingConnection
from cosem.transport.timeouts import Timeouts
from cosem.types.enumerations import Conformance
from cosem.types.logical_name import LogicalName
from tests.client.meter import run_virtual, settled

ENERGY = CosemAttributeDescriptor(3, LogicalName("1.0.1.8.0.255"), 2)


class TalkativeLink:
    """Connects with a question and an answer, repeats what is not answered in 3 s, and gives up the third time."""

    def __init__(self) -> None:
        self.events: deque[object] = deque()
        self.out = bytearray()
        self.timer: float | None = None
        self.repeats = 0
        self.sent = b""

    def _say(self, octets: bytes, now: float) -> None:
        self.out += octets
        self.sent, self.timer = octets, now + 3.0

    def connect(self, now: float) -> None:
        self._say(b"[hello]", now)

    def disconnect(self, now: float) -> None:
        self._say(b"[bye]", now)

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        self._say(b"<" + apdu + b">", now)

    def receive(self, octets: bytes, now: float) -> None:
        self.timer = None
        self.repeats = 0
        if octets == b"[welcome]":
            self.events.append(Connected())
        elif octets == b"[gone]":
            self.events.append(Disconnected("the meter said good-bye"))
        elif octets[:1] == b"<":
            tolerated = ("no-closing-bracket",) if octets[-1:] == b"|" else ()
            self.events.append(ApduReceived(octets[1:-1], 1, 16, findings=tolerated))
        else:
            raise FrameError("no frame")

    def data_to_send(self) -> bytes:
        octets = bytes(self.out)
        self.out.clear()
        return octets

    def next_event(self):
        return self.events.popleft() if self.events else None

    def deadline(self) -> float | None:
        return self.timer

    def tick(self, now: float) -> None:
        if self.timer is None or now < self.timer:
            return
        self.repeats += 1
        if self.repeats == 3:
            self.timer = None
            self.events.append(Disconnected("no answer from the other end"))
        else:
            self._say(self.sent, now)


class Line:
    """A blocking channel with a script, on a clock of its own."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.ready: deque[bytes] = deque()
        self.sent: list[bytes] = []
        self.time = 0.0
        self.closed = False

    def send(self, octets: bytes) -> None:
        self.sent.append(octets)
        if self.answers and (answer := self.answers.pop(0)):
            self.ready.append(answer)

    def receive(self, timeout: float) -> bytes:
        assert timeout > 0
        if not self.ready:
            self.time += timeout
            raise TransportTimeout("nothing")
        return self.ready.popleft()

    def close(self) -> None:
        self.closed = True


def blocking(*answers: bytes, **timeouts: float) -> tuple[BlockingConnection, Line]:
    line = Line(*answers)
    association = ClientAssociation(AssociationParameters(pre_established=True))
    connection = BlockingConnection(
        line, TalkativeLink(), association, Timeouts(**timeouts), clock=lambda: line.time
    )
    return connection, line


def test_the_link_connects_in_its_own_words():
    connection, line = blocking(b"[welcome]")
    connection.connect()
    assert line.sent == [b"[hello]"]
    assert connection.lost is None


def test_the_link_repeats_by_its_own_timer():
    connection, line = blocking(b"", b"[welcome]")
    connection.connect()
    assert line.sent == [b"[hello]", b"[hello]"]
    assert line.time == pytest.approx(3.0)


def test_a_link_that_gives_up_ends_the_connection():
    connection, line = blocking()
    with pytest.raises(TransportClosed, match="the link is down: no answer from the other end"):
        connection.connect()
    assert line.closed
    assert line.time == pytest.approx(9.0)


def test_connecting_has_a_limit_of_its_own():
    connection, line = blocking(connect=4.0)
    with pytest.raises(TransportTimeout, match="no answer within 4 s while connecting"):
        connection.connect()
    assert line.closed


def test_what_is_no_frame_while_connecting_ends_the_connection():
    connection, line = blocking(b"garbage")
    with pytest.raises(FrameError):
        connection.connect()
    assert line.closed


def test_saying_good_bye_waits_for_the_answer_or_for_the_time_of_a_release():
    connection, line = blocking(b"[welcome]", b"[gone]")
    connection.connect()
    connection.disconnect()
    assert line.sent == [b"[hello]", b"[bye]"]
    assert line.closed
    connection, line = blocking(b"[welcome]", release=2.0)
    connection.connect()
    connection.disconnect()
    assert line.closed
    assert line.time == pytest.approx(2.0)


def test_repeating_of_the_link_does_not_prolong_the_wait_for_an_answer():
    connection, line = blocking(b"[welcome]", b"", b"", answer=5.0)
    connection.connect()
    exchange = connection.association.start(lambda context: get(context, ENERGY))
    with pytest.raises(TransportTimeout, match="no answer within 5 s"):
        connection.run(exchange)
    assert line.time == pytest.approx(5.0)
    assert line.sent[1:] == [line.sent[1]] * 2


@pytest.mark.parametrize("strict", [False, True])
def test_what_the_link_tolerates_is_a_finding_or_an_error(strict):
    connection, line = blocking(b"[welcome]", b"<\xc4\x01\xc0\x00\x11\x05|")
    connection.association.strict = strict
    connection.connect()
    exchange = connection.association.start(lambda context: get(context, ENERGY))
    if strict:
        with pytest.raises(FrameError, match="no-closing-bracket"):
            connection.run(exchange)
        assert line.closed
    else:
        assert connection.run(exchange) == 5
        assert connection.association.findings == ["no-closing-bracket"]


@pytest.mark.parametrize("strict", [False, True])
def test_the_asynchronous_pump_tolerates_alike(strict):
    async def test():
        connection, wire = awaited(b"[welcome]", b"<\xc4\x01\xc0\x00\x11\x05|")
        connection.association.strict = strict
        await connection.connect()
        exchange = connection.association.start(lambda context: get(context, ENERGY))
        if strict:
            with pytest.raises(FrameError, match="no-closing-bracket"):
                await connection.run(exchange)
            assert wire.closed
        else:
            assert await connection.run(exchange) == 5
            connection.close()
        assert connection.association.findings == ["no-closing-bracket"]

    run_virtual(test)


def with_blocks(connection):
    """Return the same, in an association with general blocks whose answers have 64 octets at most."""
    limits = TransferLimits(octets=64)
    parameters = AssociationParameters(
        pre_established=True, conformance=Conformance.GET | Conformance.GENERAL_BLOCK_TRANSFER
    )
    connection.association = ClientAssociation(parameters, transfer_limits=limits)
    return connection


FIRST_BLOCK = b"<" + bytes.fromhex("E001 0001 0000 04 C401C000") + b">"
"""The first of several blocks; the client confirms it, since the window is 1."""
GIVEN_UP = {
    "aborted": ((b"[welcome]", FIRST_BLOCK, b"<" + bytes.fromhex("E081 0000 0000 00") + b">"), "aborted"),
    "too long": (
        (b"[welcome]", FIRST_BLOCK, b"<" + bytes.fromhex("E001 0002 0001 50") + bytes(80) + b">"),
        "64",
    ),
    "never finished": ((b"[welcome]", FIRST_BLOCK), "not finished within 2 s"),
}


@pytest.mark.parametrize(("answers", "words"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_a_transfer_that_is_given_up_takes_the_connection_along(answers, words):
    connection, line = blocking(*answers, transfer=2.0)
    with_blocks(connection).connect()
    with pytest.raises(CosemError, match=words):
        connection.run(connection.association.start(lambda context: get(context, ENERGY)))
    assert line.closed
    with pytest.raises(TransportClosed, match=words):
        connection.wait_for_notification(None)
    with pytest.raises(TransportClosed, match=words):
        connection.flush()


@pytest.mark.parametrize(("answers", "words"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_the_asynchronous_pump_lets_nobody_wait_for_notifications_of_what_is_given_up(answers, words):
    async def test():
        connection, wire = awaited(*answers, transfer=2.0)
        await with_blocks(connection).connect()
        listener = asyncio.ensure_future(connection.wait_for_notification(None))
        with pytest.raises(CosemError, match=words):
            await connection.run(connection.association.start(lambda context: get(context, ENERGY)))
        assert wire.closed
        with pytest.raises(TransportClosed, match=words):
            await listener

    run_virtual(test)


def test_a_cancelled_transfer_takes_the_connection_along():
    async def test():
        connection, wire = awaited(b"[welcome]", FIRST_BLOCK)
        await with_blocks(connection).connect()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await connection.run(connection.association.start(lambda context: get(context, ENERGY)))
        assert wire.closed
        with pytest.raises(
            TransportClosed, match=r"^GET 1-0:1\.8\.0 attribute 2 was cancelled and given up; a late answer"
        ):
            await connection.wait_for_notification(None)

    run_virtual(test)


def test_an_interrupted_transfer_takes_the_connection_along():
    connection, line = blocking(b"[welcome]", FIRST_BLOCK)
    with_blocks(connection).connect()
    exchange = connection.association.start(lambda context: get(context, ENERGY))
    receive = line.receive

    def interrupted(timeout):
        if not line.ready:
            raise KeyboardInterrupt
        return receive(timeout)

    line.receive = interrupted
    with pytest.raises(KeyboardInterrupt):
        connection.run(exchange)
    assert line.closed
    with pytest.raises(TransportClosed, match=r"GET 1-0:1\.8\.0 attribute 2 was interrupted and given up"):
        connection.flush()


class Wire(asyncio.WriteTransport):
    def __init__(self, *answers: bytes) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[bytes] = []
        self.protocol: AsyncConnection | None = None
        self.closed = False

    def write(self, data) -> None:
        self.sent.append(bytes(data))
        if self.answers and (answer := self.answers.pop(0)):
            asyncio.get_running_loop().call_soon(self.protocol.data_received, answer)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


def awaited(*answers: bytes, **timeouts: float) -> tuple[AsyncConnection, Wire]:
    wire = Wire(*answers)
    association = ClientAssociation(AssociationParameters(pre_established=True))
    connection = AsyncConnection(TalkativeLink(), association, Timeouts(**timeouts))
    wire.protocol = connection
    connection.connection_made(wire)
    return connection, wire


def test_the_asynchronous_pump_does_the_same():
    async def test():
        connection, wire = awaited(b"", b"[welcome]", b"[gone]")
        await connection.connect()
        assert wire.sent == [b"[hello]", b"[hello]"]
        assert asyncio.get_running_loop().time() == pytest.approx(3.0)
        await connection.disconnect()
        assert wire.sent[2:] == [b"[bye]"]
        assert wire.closed

    run_virtual(test)


@pytest.mark.parametrize(
    ("answers", "timeouts", "kind", "words"),
    [
        ((), {}, TransportClosed, "no answer from the other end"),
        ((), {"connect": 4.0}, TransportTimeout, "no answer within 4 s while connecting"),
        ((b"garbage",), {}, FrameError, "no frame"),
    ],
    ids=["gives up", "takes too long", "garbage"],
)
def test_the_asynchronous_pump_fails_as_the_blocking_one_does(answers, timeouts, kind, words):
    async def test():
        connection, wire = awaited(*answers, **timeouts)
        with pytest.raises(kind, match=words):
            await connection.connect()
        assert wire.closed
        with pytest.raises(kind):
            connection.flush()

    run_virtual(test)


def test_good_bye_without_answer_takes_the_time_of_a_release():
    async def test():
        connection, wire = awaited(b"[welcome]", release=2.0)
        await connection.connect()
        await connection.disconnect()
        assert asyncio.get_running_loop().time() == pytest.approx(2.0)
        assert wire.closed
        connection.close()

    run_virtual(test)


class Stuck(Wire):
    """What a meter does not read: closing waits for ever."""

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True
        self.protocol.connection_lost(None)

    aborted = False


def test_a_meter_that_takes_no_more_octets_does_not_keep_the_connection():
    async def test():
        association = ClientAssociation(AssociationParameters(pre_established=True))
        connection = AsyncConnection(TalkativeLink(), association, Timeouts(release=2.0))
        wire = Stuck()
        wire.protocol = connection
        connection.connection_made(wire)
        connection.close()
        assert wire.closed
        await asyncio.sleep(1.9)
        assert not wire.aborted
        await asyncio.sleep(0.2)
        assert wire.aborted

    run_virtual(test)


def test_an_observer_that_raises_ends_the_connection_and_nobody_waits_for_ever():
    from cosem.transport.observing import Observer

    class Broken(Observer):
        def apdu_received(self, apdu):
            raise OSError("disk full")

    async def test():
        connection, wire = awaited(b"[welcome]", b"<\xc4\x01\xc0\x00\x11\x05>")
        connection._observer = Broken()
        await connection.connect()
        seen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        with pytest.raises(TransportClosed, match="given up: disk full"):
            await connection.run(connection.association.start(lambda context: get(context, ENERGY)))
        await settled()
        assert len(seen) == 1  # the error itself goes where asyncio reports errors of callbacks
        assert wire.closed

    run_virtual(test)


def test_a_connection_that_ends_in_the_moment_in_which_it_is_given_up_is_not_aborted():
    async def test():
        association = ClientAssociation(AssociationParameters(pre_established=True))
        connection = AsyncConnection(TalkativeLink(), association, Timeouts(release=2.0))
        wire = Stuck()
        wire.protocol = connection
        connection.connection_made(wire)
        connection.close()
        connection._lingering.cancel()
        task = asyncio.ensure_future(connection.wait_closed())
        await settled()
        asyncio.get_running_loop().call_at(2.0, connection.connection_lost, None)
        await task
        assert not wire.aborted

    run_virtual(test)
