"""Whatever a meter sends: a result or an error of ours, at once, and never the value of another request."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.client.session import Session
from cosem.errors import CosemError, LinkError
from cosem.types.data import OctetString
from tests.client.meter import CLOCK, ENERGY, ODD, VOLTAGE, Meter, connected, connected_async, run_virtual
from tests.client.test_profile import PROFILE, ProfileMeter

OPERATIONS = {
    "get": lambda client: client.get(ENERGY),
    "get_many": lambda client: client.get_many([ENERGY, VOLTAGE, CLOCK]),
    "read": lambda client: client.read(ENERGY),
    "set": lambda client: client.set(ENERGY, 2, 5),
    "set_many": lambda client: client.set_many([(ENERGY, 2, 1), (VOLTAGE, 2, 2)]),
    "call": lambda client: client.call(ENERGY, 1),
    "call_many": lambda client: client.call_many([(ENERGY, 1), (ENERGY, 1)]),
    "objects": lambda client: client.objects(),
    "clock": lambda client: client.clock(),
    "profile": lambda client: client.profile(PROFILE).read(last="1h").rows,
    "entries": lambda client: client.profile(PROFILE).read(entries=3).to_csv(),
}


def bent(meter: Meter, change) -> None:
    """Let every answer be changed before it is sent."""

    def bend(apdu):
        if apdu[0] == 0x60:
            return None
        meter.bend = lambda _: None
        answers = meter.answers(apdu)
        meter.received.pop()
        meter.bend = bend
        return change(answers)

    meter.bend = bend


@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 3),
)
@settings(max_examples=400, deadline=None)
def test_changed_octets(operation, changes, first):
    count = [0]

    def change(answers):
        count[0] += 1
        if count[0] <= first:
            return answers
        octets = bytearray(answers[0]) if answers else bytearray()
        for place, value in changes:
            if octets:
                octets[place % len(octets)] = value
        return [bytes(octets)]

    check(operation, change)


@given(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 60), st.binary(max_size=5))
@settings(max_examples=300, deadline=None)
def test_octets_cut_off_or_added(operation, cut, more):
    check(operation, lambda answers: [each[:cut] + more if cut < 50 else each + more for each in answers])


@given(st.sampled_from(sorted(OPERATIONS)), st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_octets(operation, octets):
    check(operation, lambda _: [octets])


@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.sampled_from([b"\xc4\x01", b"\xc4\x02", b"\xc4\x03", b"\xc5\x01", b"\xc7\x01"]),
    st.binary(max_size=30),
)
@settings(max_examples=300, deadline=None)
def test_answers_that_begin_as_they_should(operation, head, octets):
    check(operation, lambda answers: [head + answers[0][2:3] + octets])


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_without_hostility_every_operation_works(operation):
    client, _ = connected(ProfileMeter())
    OPERATIONS[operation](client)


def outcome(action) -> CosemError | None:
    """Run an action and return the error of ours that it ends with; any other goes through."""
    try:
        action()
    except CosemError as error:
        return error
    return None


def check(operation, change):
    meter = ProfileMeter()
    client, channel = connected(meter, session=Session(retries=0))
    bent(meter, change)
    error = outcome(lambda: OPERATIONS[operation](client))
    assert "\n" not in str(error)
    assert len(meter.received) < 100
    meter.bend = lambda _: None
    try:
        value = client.get(ENERGY, class_id=3)
    except LinkError:
        assert not client.associated
    else:
        # What the meter sent before cannot have become the answer to this.
        assert value == meter.values[3, ENERGY, 2]
    assert channel.time < 600


@given(st.lists(st.binary(max_size=20), max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_octets_on_the_line(portions):
    meter = Meter()
    client, channel = connected(meter, session=Session(retries=0))
    meter.bend = lambda _: []
    channel.incoming.extend(portion for portion in portions if portion)
    error = outcome(lambda: client.get(ENERGY, class_id=3))
    assert error is not None
    assert "\n" not in str(error)


@given(st.lists(st.tuples(st.sampled_from("qcd"), st.integers(0, 7)), max_size=40), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_requests_cancellations_and_deliveries_in_any_order_never_mix_values(moves, retries):
    """q begins a request, c cancels one, d delivers one of the answers that are held back."""

    async def test():
        meter = Meter()
        for number in range(8):
            meter.values[1, f"0.0.200.{number}.0.255", 2] = OctetString(bytes([number]))
        client, transport = await connected_async(meter, session=Session(retries=retries), parallel=12)
        transport.held = []
        tasks: list[tuple[int, asyncio.Task[object]]] = []
        for move, number in moves:
            if move == "q" and len(tasks) < 12:
                get = client.get(f"0.0.200.{number}.0.255", class_id=1)
                tasks.append((number, asyncio.ensure_future(get)))
            elif move == "c" and tasks:
                tasks[number % len(tasks)][1].cancel()
            elif move == "d" and transport.held:
                transport.deliver(transport.held.pop(number % len(transport.held)))
            for _ in range(3):
                await asyncio.sleep(0)
        held, transport.held = transport.held, None
        for unit in held:
            transport.deliver(unit)
        results = await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
        for (number, _), result in zip(tasks, results, strict=True):
            assert result == bytes([number]) or isinstance(result, asyncio.CancelledError)
        assert await client.get(ENERGY, class_id=3) == 12_345_678
        assert await client.get(ODD, class_id=1) == 7
        await client.close()

    run_virtual(test)
