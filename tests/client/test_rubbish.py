"""What came whole before rubbish is taken, and then the connection is over."""

from __future__ import annotations

import pytest

from cosem.errors import FrameError
from cosem.link.wrapper import wrap
from tests.client.meter import ENERGY, SILENCE, Meter, connected, connected_async, run_virtual

RUBBISH = b"\xff" * 20
WORDS = "this is no DLMS/COSEM wrapper"


def answer(request: bytes) -> bytes:
    return wrap(b"\xc4\x01" + request[2:3] + bytes.fromhex("00 06 00000005"), 1, 16) + RUBBISH


def test_an_answer_is_taken_although_rubbish_follows_it_in_the_same_octets():
    meter = Meter()
    client, channel = connected(meter)
    meter.bend = lambda apdu: channel.incoming.append(answer(apdu)) or SILENCE
    assert client.get(ENERGY, class_id=3) == 5
    assert channel.closed
    with pytest.raises(FrameError, match=WORDS):
        client.get(ENERGY, class_id=3)


def test_the_asynchronous_client_takes_an_answer_before_rubbish_too():
    async def test():
        meter = Meter()
        client, transport = await connected_async(meter)
        meter.bend = lambda apdu: transport.deliver(answer(apdu)) or SILENCE
        assert await client.get(ENERGY, class_id=3) == 5
        assert transport.closed
        with pytest.raises(FrameError, match=WORDS):
            await client.get(ENERGY, class_id=3)

    run_virtual(test)


def test_a_notification_is_given_although_rubbish_follows_it_in_the_same_octets():
    client, channel = connected(Meter())
    channel.incoming.append(wrap(bytes.fromhex("0F00000001 00 1107"), 1, 16) + RUBBISH)
    notifications = client.notifications(5)
    assert next(notifications).apdu.notification_body == 7
    with pytest.raises(FrameError, match=WORDS):
        next(notifications)
