"""An association that is opened anew goes on as the former one, and there is never more than one connection."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from cosem.association.client.association import ClientAssociation
from cosem.association.client.parameters import AssociationParameters
from cosem.client.aio import AsyncClient
from cosem.client.blocking import Client
from cosem.client.session import Session
from cosem.errors import StateError, TransportClosed, TransportError
from cosem.link.wrapper import WrapperClientLink
from cosem.transport.aio import AsyncConnection
from cosem.transport.blocking import BlockingConnection
from cosem.transport.timeouts import Timeouts
from tests.client.meter import ENERGY, Meter, MeterChannel, MeterTransport, run_virtual, settled
from tests.client.test_short_names import SN, short_named

PUSH = bytes.fromhex("0F00000001 00 1107")


class Opener:
    """Opens associations with meters that it makes.

    Attributes:
        security: That of the association.
        channels: What it has opened.
        meanwhile: Called while it opens.
    """

    def __init__(self, kind: Any = Meter, **parameters: Any) -> None:
        self.kind = kind
        self.asked_for = AssociationParameters(**parameters)
        self.security: Any = None
        self.channels: list[MeterChannel] = []
        self.transports: list[MeterTransport] = []
        self.meanwhile: Any = lambda: None

    def open(self, security: Any) -> BlockingConnection:
        channel = MeterChannel(self.kind())
        self.channels.append(channel)
        self.meanwhile()
        association = ClientAssociation(self.asked_for)
        connection = BlockingConnection(channel, WrapperClientLink(16, 1), association, clock=channel.clock)
        connection.connect()
        connection.run(association.open())
        self.security = security
        return connection

    async def open_async(self, security: Any) -> AsyncConnection:
        transport = MeterTransport(self.kind())
        self.transports.append(transport)
        await asyncio.sleep(1)
        self.meanwhile()
        association = ClientAssociation(self.asked_for)
        connection = AsyncConnection(WrapperClientLink(16, 1), association)
        transport.protocol = connection
        connection.connection_made(transport)
        await connection.connect()
        await connection.run(association.open())
        self.security = security
        return connection

    def client(self) -> Client:
        return Client(self.open(None), Session(), opener=self)

    async def async_client(self) -> AsyncClient:
        return AsyncClient(await self.open_async(None), Session(), opener=self, parallel=4)

    @property
    def standing(self) -> int:
        """How many connections are open."""
        return sum(not each.closed for each in (*self.channels, *self.transports))


def test_what_was_set_holds_for_the_association_that_is_opened_anew():
    opener = Opener()
    client = opener.client()
    seen: list[object] = []
    client.on_notification(lambda each: seen.append(each.apdu.notification_body))
    client.timeouts = Timeouts(answer=1.5)
    client.reopen()
    assert client.timeouts == Timeouts(answer=1.5)
    opener.channels[-1].push(PUSH)
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert seen == [7]
    assert opener.standing == 1


def test_what_was_set_holds_for_the_asynchronous_client_too():
    async def test():
        opener = Opener()
        client = await opener.async_client()
        seen: list[object] = []
        client.on_notification(lambda each: seen.append(each.apdu.notification_body))
        client.timeouts = Timeouts(answer=1.5)
        await client.reopen()
        assert client.timeouts == Timeouts(answer=1.5)
        opener.transports[-1].push(PUSH)
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        assert seen == [7]
        await client.close()

    run_virtual(test)


def test_base_names_that_are_known_stay_known():
    opener = Opener(short_named, **SN)
    client = opener.client()
    client.objects()
    table = client.mapper_table
    assert table is not None
    assert table.complete
    client.reopen()
    assert client.mapper_table is table
    assert client.get(ENERGY) == 12_345_678
    assert len(opener.channels[-1].meter.kinds()) == 1  # the value alone


def test_notifications_that_nobody_fetched_outlive_their_association():
    opener = Opener()
    client = opener.client()
    for number in range(257):
        opener.channels[0].push(bytes.fromhex(f"0F{number:08X} 00 1101"))
    client.get(ENERGY, class_id=3)
    opener.meanwhile = lambda: opener.channels[-1].push(PUSH)
    client.reopen()
    assert client.notifications_dropped == 2
    kept = [each.apdu.long_invoke_id_and_priority for each in client.notifications()]
    assert kept == [*range(2, 257), 1]


def test_what_comes_while_the_association_is_opened_anew_is_given_to_the_callback():
    opener = Opener()
    client = opener.client()
    seen: list[object] = []
    client.on_notification(lambda each: seen.append(each.apdu.notification_body))
    opener.meanwhile = lambda: opener.channels[-1].push(PUSH)
    client.reopen()
    assert seen == [7]


def test_tasks_that_reopen_at_the_same_time_share_one_connection():
    async def test():
        opener = Opener()
        client = await opener.async_client()
        opener.transports[0].close()
        await settled()
        await asyncio.gather(*(client.reopen() for _ in range(5)))
        assert len(opener.transports) == 2
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        await client.close()
        assert opener.standing == 0

    run_virtual(test)


def test_other_keys_are_not_taken_for_those_of_the_first_who_reopens():
    async def test():
        opener = Opener()
        client = await opener.async_client()
        keys = [object(), object()]
        await asyncio.gather(*(client.reopen(each) for each in keys))
        assert opener.security is keys[1]
        assert len(opener.transports) == 3
        assert opener.standing == 1
        await client.close()

    run_virtual(test)


def test_a_later_loss_is_no_reason_to_keep_the_connection_of_the_first_who_reopened():
    async def test():
        opener = Opener()
        client = await opener.async_client()

        async def reopen_and_lose():
            await client.reopen()
            opener.transports[-1].protocol.close()

        await asyncio.gather(reopen_and_lose(), client.reopen())
        assert client.associated
        assert opener.standing == 1
        await client.close()

    run_virtual(test)


def test_a_client_that_is_closed_while_it_reopens_leaves_no_connection():
    async def test():
        opener = Opener()
        client = await opener.async_client()
        task = asyncio.ensure_future(client.reopen())
        await settled()
        await client.close()
        with pytest.raises(TransportClosed, match="closed while"):
            await task
        await settled()
        assert opener.standing == 0
        await client.reopen()  # a client that was closed may be opened anew
        assert client.associated
        await client.close()

    run_virtual(test)


def test_a_client_that_another_thread_closes_while_it_reopens_leaves_no_connection():
    opener = Opener()
    client = opener.client()

    def close():
        thread = threading.Thread(target=client.close)
        thread.start()
        thread.join()

    opener.meanwhile = close
    with pytest.raises(TransportClosed, match="closed while"):
        client.reopen()
    assert opener.standing == 0


def test_two_threads_do_not_reopen_at_the_same_time():
    opener = Opener()
    client = opener.client()
    raised: list[StateError] = []

    def reopen():
        try:
            client.reopen()
        except StateError as error:
            raised.append(error)

    def reopen_too():
        thread = threading.Thread(target=reopen)
        thread.start()
        thread.join()

    opener.meanwhile = reopen_too
    client.reopen()
    assert "another thread uses this client" in str(raised[0])
    assert len(opener.channels) == 2
    assert opener.standing == 1


def failing(error: BaseException):
    def fail():
        raise error

    return fail


REFUSED = "the association could not be opened anew: nobody is at home"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TransportError("nobody is at home"), REFUSED),
        (KeyboardInterrupt(), "the association could not be opened anew: that was cancelled or interrupted"),
    ],
    ids=["unreachable", "interrupted"],
)
def test_after_a_reopening_that_failed_requests_say_why_and_the_next_one_may_succeed(error, words):
    opener = Opener()
    client = opener.client()
    opener.meanwhile = failing(error)
    with pytest.raises(type(error)):
        client.reopen()
    with pytest.raises(TransportClosed) as raised:
        client.get(ENERGY, class_id=3)
    assert str(raised.value) == words
    assert not client.associated
    opener.meanwhile = lambda: None
    client.reopen()
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_the_asynchronous_client_says_why_too():
    async def test():
        opener = Opener()
        client = await opener.async_client()
        opener.meanwhile = failing(TransportError("nobody is at home"))
        with pytest.raises(TransportError):
            await client.reopen()
        with pytest.raises(TransportClosed, match=REFUSED):
            await client.get(ENERGY, class_id=3)
        opener.meanwhile = lambda: None
        task = asyncio.ensure_future(client.reopen())
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TransportClosed, match="that was cancelled or interrupted"):
            await client.get(ENERGY, class_id=3)
        await client.reopen()
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        await client.close()

    run_virtual(test)
