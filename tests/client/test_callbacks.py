"""What a meter says by itself while it is asked: callbacks that ask, that raise, and threads that come in between."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.client.session import Session
from cosem.errors import StateError, TransportClosed, TransportTimeout
from cosem.link.wrapper import wrap
from cosem.transport.timeouts import Timeouts
from tests.client.meter import (
    ENERGY,
    SILENCE,
    VOLTAGE,
    Meter,
    connected,
    connected_async,
    run_virtual,
    settled,
)
from tests.client.test_short_names import SN, short_named

KINDS = {
    "logical names": (Meter, {}),
    "one request at a time, in general blocks": (lambda: Meter(conformance=ALL_SERVICES_LN), {}),
    "short names": (short_named, SN),
}


def pushes(*bodies: int) -> bytes:
    """Return DataNotifications that arrive at the same moment."""
    return b"".join(wrap(bytes.fromhex(f"0F{body:08X} 00 11{body:02X}"), 1, 16) for body in bodies)


@pytest.mark.parametrize(("kind", "parameters"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_callback_may_ask_and_each_asks_in_the_order_in_which_notifications_came(kind, parameters, count):
    client, channel = connected(kind(), **parameters)
    client.objects()
    seen: list[tuple[object, object]] = []
    client.on_notification(lambda each: seen.append((each.apdu.notification_body, client.get(VOLTAGE))))
    channel.incoming.append(pushes(*range(count)))
    assert client.get(ENERGY) == 12_345_678
    assert seen == [(number, 2304) for number in range(count)]
    assert channel.time == 0
    assert client.associated
    assert client.get(ENERGY) == 12_345_678


@pytest.mark.parametrize(("kind", "parameters"), KINDS.values(), ids=KINDS)
def test_an_answer_that_came_together_with_the_notification_is_found_by_the_callback(kind, parameters):
    client, channel = connected(kind(), **parameters)
    client.objects()
    seen: list[object] = []
    client.on_notification(lambda each: seen.append(client.get(VOLTAGE)))
    channel.incoming.append(pushes(1))
    receive = channel.receive

    def all_at_once(timeout):
        octets = b"".join(channel.incoming)
        channel.incoming.clear()
        channel.incoming.append(octets)
        return receive(timeout)

    channel.receive = all_at_once
    assert client.get(ENERGY) == 12_345_678
    assert seen == [2304]
    assert channel.time == 0


def test_a_callback_may_ask_in_the_middle_of_a_transfer_in_general_blocks():
    meter = Meter(conformance=ALL_SERVICES_LN)
    client, channel = connected(meter, client_max_receive_pdu_size=64)
    seen: list[object] = []
    client.on_notification(lambda each: seen.append(client.get(VOLTAGE, class_id=3)))
    receive = channel.receive
    waiting: list[int] = []

    def push_in_between(timeout):
        if not waiting:
            waiting.append(len(channel.incoming))
            channel.incoming.insert(2, pushes(1, 2))
        return receive(timeout)

    channel.receive = push_in_between
    assert len(client.objects()) == 8
    assert waiting[0] > 4  # blocks
    assert seen == [2304, 2304]
    assert channel.time == 0


def test_a_request_that_a_callback_interrupts_has_the_time_that_it_was_given():
    meter = Meter()
    client, channel = connected(meter, timeouts=Timeouts(answer=5), session=Session(retries=0))
    seen: list[object] = []
    client.on_notification(lambda each: seen.append(client.get(VOLTAGE, class_id=3)))
    meter.bend = lambda apdu: SILENCE if len(meter.received) == 2 else None
    channel.incoming.append(pushes(1, 2, 3))
    with pytest.raises(TransportTimeout, match="no answer within 5 s"):
        client.get(ENERGY, class_id=3)
    assert channel.time == pytest.approx(5)
    assert seen == [2304] * 3
    assert client.get(ENERGY, class_id=3) == 12_345_678


def test_a_callback_may_fetch_what_came_after_its_notification():
    client, channel = connected(Meter())
    seen: list[object] = []

    def take(notification):
        seen.append(notification.apdu.notification_body)
        seen.extend(each.apdu.notification_body for each in client.notifications())

    client.on_notification(take)
    channel.incoming.append(pushes(1, 2, 3))
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert seen == [1, 2, 3]


@pytest.mark.parametrize(("kind", "parameters"), KINDS.values(), ids=KINDS)
def test_a_callback_that_raises_is_logged_and_harms_no_request(kind, parameters, caplog):
    client, channel = connected(kind(), **parameters)
    client.objects()
    seen: list[object] = []

    def fail(notification):
        seen.append(notification.apdu.notification_body)
        raise ValueError("mine")

    client.on_notification(fail)
    channel.incoming.append(pushes(1, 2))
    assert client.get(ENERGY) == 12_345_678
    assert seen == [1, 2]
    assert client.associated
    assert [record.message for record in caplog.records] == ["the callback of on_notification raised"] * 2
    assert all("mine" in str(record.exc_info[1]) for record in caplog.records)


@pytest.mark.parametrize(("kind", "parameters"), list(KINDS.values())[1:], ids=list(KINDS)[1:])
def test_who_is_told_of_the_progress_of_the_only_request_may_not_ask(kind, parameters):
    client, channel = connected(kind(), client_max_receive_pdu_size=64, **parameters)
    refused: list[StateError] = []

    def ask(_octets):
        try:
            client.get(VOLTAGE, class_id=3)
        except StateError as error:
            refused.append(error)

    assert client.objects(progress=ask)
    assert refused
    assert channel.time == 0
    assert client.get(ENERGY) == 12_345_678


def test_a_callback_that_is_interrupted_ends_the_request():
    client, channel = connected(Meter())

    def interrupt(notification):
        raise KeyboardInterrupt

    client.on_notification(interrupt)
    channel.incoming.append(pushes(1))
    with pytest.raises(KeyboardInterrupt):
        client.get(ENERGY, class_id=3)
    client.on_notification(None)
    assert client.get(VOLTAGE, class_id=3) == 2304


@pytest.mark.parametrize(("kind", "parameters"), KINDS.values(), ids=KINDS)
def test_a_callback_that_raises_is_reported_by_the_loop_and_the_association_stays(kind, parameters):
    async def test():
        client, transport = await connected_async(kind(), **parameters)
        await client.objects()
        reported: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        seen: list[object] = []

        def fail(notification):
            seen.append(notification.apdu.notification_body)
            raise ValueError("mine")

        client.on_notification(fail)
        transport.deliver(pushes(1, 2))
        assert await client.get(ENERGY) == 12_345_678
        await settled()
        assert seen == [1, 2]
        assert [context["message"] for context in reported] == ["the callback of on_notification raised"] * 2
        assert all(isinstance(context["exception"], ValueError) for context in reported)
        assert client.associated
        assert await client.get(VOLTAGE) == 2304
        await client.close()

    run_virtual(test)


def in_between(channel, action):
    """Let another thread do something, once, while this one waits for octets."""
    receive = channel.receive
    outcome: list[object] = []

    def act():
        try:
            outcome.append(action())
        except StateError as error:
            outcome.append(error)

    def receive_meanwhile(timeout):
        if not outcome:
            thread = threading.Thread(target=act)
            thread.start()
            thread.join()
        return receive(timeout)

    channel.receive = receive_meanwhile
    return outcome


USES = {
    "a request": lambda client: client.get(ENERGY, class_id=3),
    "a request without answer": lambda client: client.call(ENERGY, 1, class_id=3, confirmed=False),
    "waiting for notifications": lambda client: list(client.notifications()),
    "a release": lambda client: client.release(),
    "the turn": lambda client: client.trigger_event_notification_sending(),
    "a confirmation": lambda client: client.confirm(None),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_another_thread_wants_is_refused_while_one_waits_for_notifications(use):
    client, channel = connected(Meter())
    outcome = in_between(channel, lambda: use(client))
    assert list(client.notifications(timeout=1)) == []
    assert type(outcome[0]) is StateError
    assert "another thread uses this client" in str(outcome[0])
    assert client.get(ENERGY, class_id=3) == 12_345_678


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_another_thread_wants_is_refused_while_one_asks(use):
    client, channel = connected(Meter())
    outcome = in_between(channel, lambda: use(client))
    assert client.get(ENERGY, class_id=3) == 12_345_678
    assert type(outcome[0]) is StateError
    assert "another thread uses this client" in str(outcome[0])


def test_another_thread_may_ask_while_one_does_something_with_a_notification():
    client, channel = connected(Meter())
    channel.incoming.append(pushes(1))
    found: list[object] = []
    for _ in client.notifications(timeout=1):
        thread = threading.Thread(target=lambda: found.append(client.get(ENERGY, class_id=3)))
        thread.start()
        thread.join()
    assert found == [12_345_678]


def test_a_client_that_another_thread_uses_is_closed_at_once():
    meter = Meter()
    client, channel = connected(meter)
    meter.bend = lambda apdu: SILENCE
    in_between(channel, client.close)
    with pytest.raises(TransportClosed):
        client.get(ENERGY, class_id=3)
    assert channel.closed
    assert [apdu[0] for apdu in meter.received] == [0x60, 0xC0]  # no release in the middle of the request
