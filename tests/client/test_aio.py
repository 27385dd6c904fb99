"""The asynchronous client: the same operations, several at once, cancelled, late, and lost."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from cosem.classes.standard.clock import Clock
from cosem.classes.standard.register import Register
from cosem.client.aio import AsyncClient
from cosem.client.blocking import Client
from cosem.client.profiles import AsyncProfile, Profile
from cosem.client.session import Session
from cosem.errors import AccessError, ConfigurationError, FrameError, TransportClosed, TransportTimeout
from cosem.transport.timeouts import Timeouts
from cosem.types.data import DoubleLongUnsigned, OctetString
from cosem.types.date_time import DateTime
from cosem.types.enumerations import Conformance
from cosem.types.logical_name import LogicalName
from tests.client.meter import ENERGY, ODD, SILENCE, VOLTAGE, Meter, connected_async, run_virtual, settled

AFTER_A_READ = b"\xc0\x01"


@pytest.mark.parametrize(("blocking", "awaited"), [(Client, AsyncClient), (Profile, AsyncProfile)])
def test_both_clients_have_the_same_methods_with_the_same_arguments(blocking, awaited):
    for name, function in inspect.getmembers(blocking, inspect.isfunction):
        if name.startswith("_"):
            continue
        twin = getattr(awaited, name)
        assert list(inspect.signature(function).parameters) == list(inspect.signature(twin).parameters), name
        if name not in {
            "abort",
            "on_notification",
            "profile",
            "set_mapper_table",
            "use_security",
            "notifications",
            "trigger_event_notification_sending",
        }:
            assert inspect.iscoroutinefunction(twin), name


def test_values_have_the_types_of_their_declarations():
    async def test():
        client, _ = await connected_async(Meter())
        time = await client.value(Clock.time)
        assert type(time) is DateTime
        assert time.year == 2026
        assert await client[Clock.time] == time
        assert await client.value(Register.value, ENERGY) == 12_345_678
        assert await client.value(Register.logical_name, ENERGY) == LogicalName(ENERGY)
        with pytest.raises(ConfigurationError):
            await client.value(Register.value)
        with pytest.raises(ConfigurationError, match="every class has a logical_name"):
            await client[Clock.logical_name]

    run_virtual(test)


def test_the_operations_are_those_of_the_blocking_client():
    async def test():
        meter = Meter()
        client, _ = await connected_async(meter)
        assert await client.get(ENERGY) == 12_345_678
        assert [result.ok for result in await client.get_many([ENERGY, (ENERGY, 9, 3)])] == [True, False]
        assert str(await client.read(ENERGY)) == "12345.678 Wh"
        assert [str(result.value) for result in await client.read_many([VOLTAGE])] == ["230.4 V"]
        await client.set(ENERGY, 2, 5)
        assert meter.written == [(ENERGY, 2, 5)]
        assert (await client.set_many([(ENERGY, 2, DoubleLongUnsigned(6))]))[0].ok
        assert await client.call(ENERGY, 1) is None
        assert (await client.call_many([(ENERGY, 1)]))[0].ok
        assert len(await client.objects()) == 8
        assert (await client.clock()).year == 2026
        await client.set_clock((await client.clock()).to_datetime())
        with pytest.raises(AccessError):
            await client.get(ENERGY, 9, class_id=3)
        assert await client.release()
        await client.close()

    run_virtual(test)


def test_several_requests_run_at_once_and_answers_in_any_order_find_theirs():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter, parallel=3)
        transport.held = []
        tasks = [
            asyncio.ensure_future(client.get(target, class_id=3)) for target in (ENERGY, VOLTAGE, ENERGY)
        ]
        await settled()
        assert len(transport.held) == 3
        held, transport.held = transport.held, None
        for unit in reversed(held):
            transport.deliver(unit)
        assert await asyncio.gather(*tasks) == [12_345_678, 2304, 12_345_678]
        await client.close()

    run_virtual(test)


def test_by_default_one_request_is_under_way_and_the_others_wait_their_turn():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter)
        transport.held = []
        tasks = [asyncio.ensure_future(client.get(ENERGY, class_id=3)) for _ in range(40)]
        for _ in tasks:
            await settled()
            assert len(transport.held) == 1
            transport.deliver(transport.held.pop())
        assert await asyncio.gather(*tasks) == [12_345_678] * 40
        transport.held = None
        await client.close()

    run_virtual(test)


def test_a_call_that_waits_its_turn_can_be_cancelled_and_its_clock_has_not_begun():
    async def test():
        meter = Meter()
        client, _ = await connected_async(meter, session=Session(retries=0))
        meter.bend = lambda _: SILENCE if len(meter.received) == 2 else None
        first, second, third = (asyncio.ensure_future(client.get(ENERGY, class_id=3)) for _ in range(3))
        await asyncio.sleep(5)
        second.cancel()
        with pytest.raises(TransportTimeout):
            await first
        assert await third == 12_345_678
        assert second.cancelled()
        assert len(meter.received) == 3
        await client.close()

    run_virtual(test)


def test_a_meter_that_drips_and_goes_is_told_with_its_name_and_the_step():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter, session=Session(retries=0))
        meter.bend = lambda _: SILENCE
        client._connection.peer = "tcp://10.0.0.7:4059"
        asking = asyncio.create_task(client.get(ENERGY, class_id=3))
        await asyncio.sleep(1)
        transport.protocol.data_received(bytes.fromhex("0001 0001 0010 0009 C401"))
        with pytest.raises(TransportTimeout) as late:
            await asking
        words = (
            "tcp://10.0.0.7:4059: no answer within 10 s to GET 1-0:1.8.0 attribute 2, though 10 octets came"
        )
        assert str(late.value) == words
        asking = asyncio.create_task(client.get(ENERGY, class_id=3))
        await asyncio.sleep(1)
        transport.protocol.connection_lost(None)
        with pytest.raises(TransportClosed) as gone:
            await asking
        assert str(gone.value) == "tcp://10.0.0.7:4059 closed the connection during GET 1-0:1.8.0 attribute 2"

    run_virtual(test)


def test_time_outs_can_be_set_on_the_way():
    async def test():
        meter = Meter()
        client, _ = await connected_async(meter, session=Session(retries=0))
        client.timeouts = Timeouts(answer=1.0)
        meter.bend = lambda _: SILENCE
        with pytest.raises(TransportTimeout, match=r"^no answer within 1 s to GET 1-0:1\.8\.0 attribute 2$"):
            await client.get(ENERGY, class_id=3)
        await client.close()

    run_virtual(test)


def test_a_cancelled_task_gives_its_request_up_and_its_late_answer_is_dropped():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter)
        transport.held = []
        task = asyncio.ensure_future(client.get(VOLTAGE, class_id=3))
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held, transport.held = transport.held, None
        transport.deliver(held[0])
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        assert "late answer dropped: GetResponseNormal" in client.findings
        await client.close()

    run_virtual(test)


def test_what_waited_for_a_cancelled_request_goes_out_at_once():
    async def test():
        # With general blocks, which do not say whose they are, requests wait for one another.
        services = Conformance.GET | Conformance.GENERAL_BLOCK_TRANSFER
        client, transport = await connected_async(
            Meter(conformance=services), parallel=4, conformance=services
        )
        transport.held = []
        first, second = (asyncio.ensure_future(client.get(each, class_id=3)) for each in (VOLTAGE, ENERGY))
        await settled()
        assert len(transport.held) == 1
        transport.held = None
        first.cancel()
        before = asyncio.get_running_loop().time()
        assert await second == 12_345_678
        assert asyncio.get_running_loop().time() == before
        await client.close()

    run_virtual(test)


def test_a_time_limit_of_the_caller_works():
    async def test():
        meter = Meter()
        client, _ = await connected_async(meter)
        meter.bend = lambda _: SILENCE
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.get(ENERGY, class_id=3)
        meter.bend = lambda _: None
        assert client.associated
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        await client.close()

    run_virtual(test)


def test_a_read_is_repeated_and_then_reported():
    async def test():
        meter = Meter()
        client, _ = await connected_async(meter, session=Session(retries=2))
        meter.bend = lambda apdu: SILENCE if apdu[:2] == AFTER_A_READ else None
        before = asyncio.get_running_loop().time()
        with pytest.raises(TransportTimeout, match="no answer within 10 s"):
            await client.get(ENERGY, class_id=3)
        assert asyncio.get_running_loop().time() - before == pytest.approx(30.0)
        assert [request[2] & 15 for request in meter.received[1:]] == [0, 1, 2]
        meter.bend = lambda _: None
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        await client.close()

    run_virtual(test)


def test_one_slow_request_does_not_delay_the_time_out_of_another():
    async def test():
        meter = Meter()
        client, _ = await connected_async(meter, session=Session(retries=0), parallel=2)
        loop = asyncio.get_running_loop()
        meter.bend = lambda _: SILENCE
        begin = loop.time()
        first = asyncio.ensure_future(client.get(ENERGY, class_id=3))
        await asyncio.sleep(6)
        second = asyncio.ensure_future(client.get(VOLTAGE, class_id=3))
        with pytest.raises(TransportTimeout):
            await first
        assert loop.time() - begin == pytest.approx(10.0)
        with pytest.raises(TransportTimeout):
            await second
        assert loop.time() - begin == pytest.approx(16.0)
        meter.bend = lambda _: None
        await client.close()

    run_virtual(test)


def test_the_whole_operation_has_a_deadline():
    async def test():
        meter = Meter()
        meter.values[1, ODD, 2] = OctetString(bytes(3000))
        client, transport = await connected_async(
            meter, client_max_receive_pdu_size=64, timeouts=Timeouts(transfer=20.0)
        )
        transport.held = []

        async def drip():
            while True:
                await asyncio.sleep(3)
                if transport.held:
                    transport.deliver(transport.held.pop(0))

        dripping = asyncio.ensure_future(drip())
        with pytest.raises(TransportTimeout, match="not finished within 20 s"):
            await client.get(ODD, class_id=1)
        dripping.cancel()
        transport.held = None
        assert client.associated
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        await client.close()

    run_virtual(test)


def test_a_lost_connection_ends_every_request_at_once():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter, parallel=2)
        meter.bend = lambda _: SILENCE
        tasks = [asyncio.ensure_future(client.get(ENERGY, class_id=3)) for _ in range(3)]
        await asyncio.sleep(0)
        transport.close()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, TransportClosed)
            assert "the meter closed the connection" in str(result)
        with pytest.raises(TransportClosed):
            await client.get(ENERGY, class_id=3)
        await client.close()

    run_virtual(test)


def test_garbage_ends_the_connection_with_a_clear_error():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter)
        meter.bend = lambda _: SILENCE
        task = asyncio.ensure_future(client.get(ENERGY, class_id=3))
        await asyncio.sleep(0)
        transport.deliver(b"SSH-2.0-OpenSSH_9.2\r\n")
        with pytest.raises(FrameError, match="this is no DLMS/COSEM wrapper"):
            await task
        assert transport.closed
        await client.close()

    run_virtual(test)


def test_notifications_are_awaited_iterated_or_called_back():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter)
        push = bytes.fromhex("0F00000001 00 1107")
        asyncio.get_running_loop().call_later(3, transport.push, push)
        seen = [each.apdu.notification_body async for each in client.notifications(timeout=5)]
        assert seen == [7]
        called: list[object] = []
        client.on_notification(called.append)
        transport.push(push)
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        assert len(called) == 1
        client.on_notification(None)
        waiting = asyncio.ensure_future(anext(client.notifications(timeout=None)))
        await asyncio.sleep(0)
        transport.close()
        with pytest.raises(TransportClosed):
            await waiting
        await client.close()

    run_virtual(test)


def test_closing_waits_no_longer_than_for_a_release():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter)
        meter.bend = lambda _: SILENCE
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await client.close()
        assert loop.time() - begin == pytest.approx(2.0)
        assert transport.closed
        await client.close()

    run_virtual(test)


def test_cancelling_while_a_transfer_runs_leaves_the_association_usable():
    async def test():
        meter = Meter()
        meter.values[1, ODD, 2] = OctetString(bytes(range(200)))
        for turns in range(1, 30):
            client, _ = await connected_async(meter, client_max_receive_pdu_size=64)
            task = asyncio.ensure_future(client.get(ODD, class_id=1))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert await client.get(ODD, class_id=1) == bytes(range(200))
            await client.close()

    run_virtual(test)
