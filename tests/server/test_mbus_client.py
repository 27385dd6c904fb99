"""M-Bus clients: slaves are read when it is time, installed and forgotten, and their keys come into use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.classes.standard.mbus_client import EncryptionKeyStatus
from cosem.server import ExtendedRegisterObject, RegisterObject, make_object
from cosem.server.objects.mbus_client import KEY_TRANSITIONS, MBusClientObject
from cosem.types.data import Array, DoubleLongUnsigned, Integer, OctetString, Structure, Unsigned
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, StandingClock, meter

K = EncryptionKeyStatus
NAME = "0-1:24.1.0"
OK = ActionResult.SUCCESS


def slave(**facts):
    facts = {"capture_definition": [(b"\x0c", b"\x13"), (b"\x02", b"\x5a")], "primary_address": 1} | facts
    return MBusClientObject(NAME, **facts)


def with_registers(child, clock=None):
    device = meter(
        child,
        ExtendedRegisterObject("0-1:24.2.1", value=DoubleLongUnsigned(0), status=Unsigned(0)),
        RegisterObject("0-1:24.2.2", value=DoubleLongUnsigned(0)),
        clock=clock,
    )
    return Client(device)


def test_a_slave_is_read_every_period_into_the_objects_of_its_channel():
    clock = StandingClock()
    read = {1: 100, 2: 7}
    client = with_registers(slave(capture_period=3600, read=lambda k: DoubleLongUnsigned(read[k])), clock)
    assert client.get(4, "0-1:24.2.1", 2) == 0
    clock.move(minutes=61)
    read[1] = 101
    assert client.get(4, "0-1:24.2.1", 2) == 101
    assert client.get(3, "0-1:24.2.2", 2) == 7
    assert client.get(4, "0-1:24.2.1", 5)[5:7] == bytes((13, 0))
    assert client.get(72, NAME, 10) == 1
    clock.move(hours=3)
    assert client.get(72, NAME, 10) == 4


def test_a_slave_that_does_not_answer_leaves_what_was_there():
    client = with_registers(slave())
    assert client.call(72, NAME, 3, Integer(0)).result == ActionResult.TEMPORARY_FAILURE
    assert client.get(72, NAME, 10) == 0


def test_slaves_that_are_slow_are_waited_for():
    import asyncio

    async def read(k):
        await asyncio.sleep(0)
        return DoubleLongUnsigned(k)

    async def capture():
        client = with_registers(slave(read=read))
        outcome = await client.call(72, NAME, 3, Integer(0))
        return outcome.result, client.get(4, "0-1:24.2.1", 2)

    assert asyncio.run(capture()) == (OK, 1)


def test_installing_takes_the_first_free_address():
    others = [make_object(72, f"0-{n}:24.1.0", primary_address=n) for n in (2, 3)]
    free = slave(primary_address=0)
    client = Client(meter(free, *others))
    assert client.call(72, NAME, 3, Integer(0)).result == ActionResult.OTHER_REASON
    assert client.call(72, NAME, 1, Unsigned(3)).result == ActionResult.OTHER_REASON
    assert client.call(72, NAME, 1, Unsigned(251)).result == ActionResult.OTHER_REASON
    assert client.call(72, NAME, 1, Unsigned(0)).result == OK
    assert free.primary_address == 1


def test_deinstalling_forgets_the_slave_and_its_key():
    child = slave(identification_number=5, device_type=3, manufacturer_id=1, version_=1)
    child.put("encryption_key_status", K.KEY_IN_USE)
    client = Client(meter(child))
    assert client.call(72, NAME, 2, Integer(0)).result == OK
    assert [client.get(72, NAME, number) for number in (5, 6, 7, 8, 9, 14)] == [0] * 6


def test_what_acts_on_the_slave_is_handed_on():
    done = []

    def command(name, parameter):
        done.append((name, parameter))
        return name != "synchronize_clock"

    child = slave(command=command, alarm=9)
    client = Client(meter(child))
    assert client.call(72, NAME, 4, Integer(0)).result == OK
    assert child.alarm == 0
    assert client.call(72, NAME, 5, Integer(0)).result == ActionResult.OTHER_REASON
    assert [name for name, _ in done] == ["reset_alarm", "synchronize_clock"]
    child.put("primary_address", 0)
    assert client.call(72, NAME, 4, Integer(0)).result == ActionResult.OTHER_REASON


def test_a_key_comes_into_use_when_both_sides_have_it():
    child = slave(read=DoubleLongUnsigned)
    client = with_registers(child)
    states = [child.encryption_key_status]
    for number, parameter in ((7, OctetString(b"k" * 16)), (8, OctetString(b"e" * 16)), (3, Integer(0))):
        assert client.call(72, NAME, number, parameter).result == OK
        states.append(child.encryption_key_status)
    assert states == [K.NO_KEY, K.KEY_SET, K.KEY_SET_AND_TRANSFERRED, K.KEY_IN_USE]
    client.call(72, NAME, 7, OctetString(b""))
    assert child.encryption_key_status == K.NO_KEY


@given(st.lists(st.sampled_from(["set", "transfer", "exchange"])))
def test_no_key_is_in_use_that_one_side_lacks(events):
    state, had = K.NO_KEY, set()
    for event in events:
        after = KEY_TRANSITIONS.get((event, state), state)
        had = (had if state is not K.KEY_IN_USE else set()) | {event}
        if after is K.KEY_IN_USE and state is not after:
            assert {"set", "transfer"} <= had
        state = after


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_has_the_behaviour(version):
    child = make_object(72, NAME, version=version, primary_address=1)
    assert (child.version, len(child.attributes)) == (version, 14 if version else 12)
    client = Client(meter(child))
    assert client.call(72, NAME, 7, OctetString(b"k")).result == OK
    assert client.call(72, NAME, 8, OctetString(b"k")).result == OK
    assert client.call(72, NAME, 2, Integer(0)).result == OK


def test_no_two_slaves_get_one_address():
    second = make_object(72, "0-2:24.1.0", primary_address=2)
    client = Client(meter(slave(primary_address=1), second, make_object(72, "0-3:24.1.0")))
    for address, result in ((1, "OTHER_REASON"), (251, "OTHER_REASON"), (3, "SUCCESS"), (0, "SUCCESS")):
        outcome = client.set(72, "0-2:24.1.0", 5, Unsigned(address))
        assert outcome is DataAccessResult[result]
    assert (second.primary_address, client.call(72, "0-2:24.1.0", 1, Unsigned(0)).result) == (0, OK)
    assert second.primary_address == 2


def test_a_slave_has_as_many_values_as_there_are_objects_for_them():
    element = Structure((OctetString(b"\x0c"), OctetString(b"\x13")))
    client = with_registers(slave(read=DoubleLongUnsigned))
    assert client.set(72, NAME, 3, Array([element] * 256)) is DataAccessResult.OTHER_REASON
    assert len(client.get(72, NAME, 3)) == 2
    assert client.set(72, NAME, 3, Array([element] * 255)) is DataAccessResult.SUCCESS
    assert client.call(72, NAME, 3, Integer(0)).result == OK
    given = slave(read=DoubleLongUnsigned, capture_definition=[(b"\x0c", b"\x13")] * 300)
    assert with_registers(given).call(72, NAME, 3, Integer(0)).result == OK
