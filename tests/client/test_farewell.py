"""Over datagrams closing tells the meter nothing: an association that is not released is taken leave of."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

import cosem
from cosem.association.client.association import ClientAssociation
from cosem.association.client.parameters import AssociationParameters
from cosem.association.control_function import State
from cosem.errors import CosemError, TransportTimeout
from cosem.link.wrapper import WrapperClientLink
from cosem.server import Server
from cosem.transport.aio import AsyncConnection
from cosem.transport.observing import Observer
from cosem.types.enumerations import AuthenticationMechanism
from tests.client.meter import (
    ENERGY,
    SILENCE,
    Meter,
    MeterTransport,
    connected,
    connected_async,
    run_virtual,
    settled,
)
from tests.client.secured import SecuredMeter, security

RLRQ = bytes.fromhex("6203800100")


def released(meter: Meter) -> int:
    """How many RLRQs have come."""
    return sum(apdu[0] == 0x62 for apdu in meter.received)


@pytest.mark.parametrize(("keeps_order", "told"), [(False, 1), (True, 0)], ids=["datagrams", "stream"])
def test_an_abort_takes_leave_once_where_closing_says_nothing(keeps_order, told):
    meter = Meter()
    client, channel = connected(meter, keeps_order=keeps_order)
    client.abort()
    client.abort()
    client.close()
    assert released(meter) == told
    assert channel.closed


@pytest.mark.parametrize(("keeps_order", "told"), [(False, 1), (True, 0)], ids=["datagrams", "stream"])
def test_the_asynchronous_client_takes_leave_alike(keeps_order, told):
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter, keeps_order=keeps_order)
        client.abort()
        await client.close()
        assert released(meter) == told
        assert transport.closed

    run_virtual(test)


def test_what_was_released_is_not_taken_leave_of():
    meter = Meter()
    client, _ = connected(meter, keeps_order=False)
    client.close()
    assert released(meter) == 1


def test_a_release_without_answer_is_said_once_more():
    meter = Meter()
    client, channel = connected(meter, keeps_order=False)
    meter.bend = lambda apdu: SILENCE
    client.close()
    assert released(meter) == 2
    assert channel.closed


def test_what_is_pre_established_is_not_taken_leave_of():
    meter = Meter()
    client, _ = connected(meter, keeps_order=False, pre_established=True, opened=False)
    client.abort()
    assert meter.received == []


def test_an_answer_to_the_aarq_that_got_lost_leaves_no_association_at_the_meter():
    meter = Meter()
    client, _ = connected(meter, keeps_order=False, opened=False)

    def lost(apdu: bytes) -> Any:
        if apdu[0] == 0x60:
            list(meter.association.process(apdu, 0.0))
            return SILENCE
        return None

    meter.bend = lost
    connection = client._connection
    with pytest.raises(TransportTimeout):
        connection.run(connection.association.open())
    connection.close()
    assert meter.received[-1] == RLRQ


def test_a_cancelled_opening_leaves_no_association_at_the_meter():
    async def test():
        meter = Meter()
        transport = MeterTransport(meter)
        transport.held = []  # the AARE does not come in time
        association = ClientAssociation(AssociationParameters(keeps_order=False))
        connection = AsyncConnection(WrapperClientLink(16, 1), association)
        transport.protocol = connection
        connection.connection_made(transport)
        await connection.connect()
        task = asyncio.ensure_future(connection.run(association.open()))
        await settled()
        assert meter.association.status.name == "ASSOCIATED"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        connection.close()
        assert meter.received[1:] == [RLRQ]
        assert meter.association.status.name != "ASSOCIATED"

    run_virtual(test)


def test_an_association_that_was_refused_is_not_taken_leave_of():
    meter = Meter(mechanism=AuthenticationMechanism.LLS, secret=lambda: b"12345678")
    client, _ = connected(meter, keeps_order=False, opened=False)
    connection = client._connection
    with pytest.raises(CosemError):
        connection.run(connection.association.open())
    connection.close()
    assert released(meter) == 0


def test_another_thread_that_closes_sends_nothing_in_between():
    meter = Meter()
    client, _ = connected(meter, keeps_order=False)

    def close() -> None:
        thread = threading.Thread(target=client.abort)
        thread.start()
        thread.join()

    def bend(apdu: bytes) -> Any:
        close()
        return SILENCE

    meter.bend = bend
    with pytest.raises(CosemError, match="closed"):
        client.get(ENERGY, class_id=3)
    assert released(meter) == 0


def test_an_observer_sees_the_leave_and_one_that_raises_does_not_keep_the_connection():
    class Seeing(Observer):
        seen: list[bytes] = []  # noqa: RUF012 -- one test

        def apdu_sent(self, apdu):
            self.seen.append(apdu)
            if apdu == RLRQ:
                raise OSError("disk full")

    client, channel = connected(Meter(), keeps_order=False, observer=Seeing())
    client.abort()
    assert Seeing.seen[-1] == RLRQ
    assert channel.closed
    assert client._association.state is State.IDLE


def test_a_server_keeps_no_association_of_what_was_closed_without_a_release():
    secured = SecuredMeter()

    async def test():
        async with Server(secured.device).listen("udp://127.0.0.1:0") as server:
            meter = await cosem.connect_async(server.address, client=1, security=security())
            for _ in range(5):
                await meter.reopen()
                assert len(list(server.connections)) == 1
            meter.abort()
            async with cosem.connect_async(server.address):
                assert len(list(server.connections)) == 1

    asyncio.run(test())
