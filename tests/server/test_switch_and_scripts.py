"""Disconnect control against its table, scripts, and SAP assignment."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest

from cosem.classes.standard.disconnect_control import ControlState
from cosem.errors import AccessError, ConfigurationError
from cosem.server import (
    DataObject,
    DisconnectControlObject,
    RegisterObject,
    SapAssignmentObject,
    ScriptTableObject,
    make_object,
)
from cosem.server.objects.disconnect_control import MODES, TRANSITIONS, Command
from cosem.server.physical_device import share_addresses
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
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, meter

SWITCH, TABLE, SAP = "0.0.96.3.10.255", "0.0.10.0.106.255", "0.0.41.0.0.255"


# --- disconnect control ---------------------------------------------------------------------------------

PRINTED = {
    # (mode, command): {from: to}, as the table of the Blue Book says in words
    (0, "any"): {},
    (1, Command.REMOTE_DISCONNECT): {1: 0, 2: 0},
    (1, Command.REMOTE_RECONNECT): {0: 2},
    (2, Command.REMOTE_RECONNECT): {0: 1},
    (3, Command.MANUAL_DISCONNECT): {},
    (4, Command.REMOTE_RECONNECT): {0: 1},
    (4, Command.LOCAL_RECONNECT): {},
    (5, Command.LOCAL_RECONNECT): {2: 1},
    (6, Command.MANUAL_DISCONNECT): {},
    (6, Command.REMOTE_RECONNECT): {0: 2},
    (7, Command.REMOTE_RECONNECT): {0: 1, 2: 1},
}


@pytest.mark.parametrize(("mode", "command"), PRINTED)
def test_a_mode_allows_the_transitions_that_are_printed(mode, command):
    for state, each in product(map(ControlState, range(3)), Command):
        if command not in ("any", each):
            continue
        switch = DisconnectControlObject(control_mode=mode, control_state=state)
        switch.command(each)
        assert switch.control_state == PRINTED[mode, command].get(int(state), int(state))
        assert switch.output_state is (switch.control_state == 1)


def test_every_command_in_every_mode_and_state_follows_the_table():
    for mode, letters in MODES.items():
        for state, command in product((0, 1, 2), Command):
            switch = DisconnectControlObject(control_mode=mode, control_state=ControlState(state))
            result = switch.command(command)
            moves = [TRANSITIONS[letter] for letter in letters if TRANSITIONS[letter][:2] == (state, command)]
            assert switch.control_state == (moves[0][2] if moves else state)
            assert len(moves) <= 1
            if moves:
                assert result is ActionResult.SUCCESS


def test_a_command_that_is_done_already_succeeds_and_one_that_is_not_allowed_does_not():
    switch = DisconnectControlObject(control_mode=1)
    assert switch.command(Command.REMOTE_RECONNECT) is ActionResult.SUCCESS
    assert switch.command(Command.LOCAL_DISCONNECT) is ActionResult.SUCCESS
    assert switch.command(Command.LOCAL_RECONNECT) is ActionResult.OTHER_REASON
    assert (
        DisconnectControlObject(control_mode=0).command(Command.REMOTE_DISCONNECT)
        is ActionResult.OTHER_REASON
    )
    assert (
        DisconnectControlObject(control_mode=0).command(Command.REMOTE_RECONNECT) is ActionResult.OTHER_REASON
    )


def test_clients_switch_and_see_both_states():
    seen = []
    client = Client(meter(DisconnectControlObject(control_mode=2, on_change=seen.append)))
    assert client.get(70, SWITCH, 2) is True
    assert client.call(70, SWITCH, 1, Integer(0)).result is ActionResult.SUCCESS
    assert (client.get(70, SWITCH, 2), client.get(70, SWITCH, 3)) == (False, Enum(0))
    assert client.call(70, SWITCH, 2, Integer(0)).result is ActionResult.SUCCESS
    assert (client.get(70, SWITCH, 2), client.get(70, SWITCH, 3)) == (True, Enum(1))
    assert seen == [0, 1]


@pytest.mark.parametrize(
    ("version", "mode", "result"),
    [
        (0, 6, DataAccessResult.SUCCESS),
        (0, 7, DataAccessResult.OTHER_REASON),
        (1, 7, DataAccessResult.SUCCESS),
    ],
)
def test_the_newest_mode_belongs_to_the_newer_version(version, mode, result):
    client = Client(meter(make_object(70, "0-0:96.3.10", version=version)))
    assert client.set(70, SWITCH, 4, Enum(mode)) is result
    assert client.set(70, SWITCH, 4, Enum(8)) is DataAccessResult.OTHER_REASON


# --- scripts --------------------------------------------------------------------------------------------


def scripted(*actions, more=()):
    switch = DisconnectControlObject(control_mode=2)
    data = DataObject("0-0:96.1.10", value=Unsigned(0))
    register = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(8))
    table = ScriptTableObject("0-0:10.0.106", scripts=[(1, list(actions)), *more])
    return Client(meter(switch, data, register, table))


def test_a_script_writes_and_calls_in_order_without_rights():
    client = scripted(
        (1, 1, "0-0:96.1.10", 2, Unsigned(7)),
        (2, 70, "0-0:96.3.10", 1, Integer(0)),
        (2, 3, "1-0:1.8.0", 1, Integer(0)),
    )
    rights = client.device.associations[0].rights
    rights.allow("0-0:96.1.10", 2, 1)
    rights.allow_method("0-0:96.3.10", 1, 0)
    assert client.call(9, TABLE, 1, LongUnsigned(1)).result is ActionResult.SUCCESS
    assert client.get(1, "0.0.96.1.10.255", 2) == Unsigned(7)
    assert client.get(70, SWITCH, 3) == Enum(0)
    assert client.get(3, "1.0.1.8.0.255", 2) == DoubleLongUnsigned(0)


def test_script_zero_does_nothing_and_an_unknown_one_is_refused():
    client = scripted((1, 1, "0-0:96.1.10", 2, Unsigned(7)))
    assert client.call(9, TABLE, 1, LongUnsigned(0)).result is ActionResult.SUCCESS
    assert client.call(9, TABLE, 1, LongUnsigned(2)).result is ActionResult.OTHER_REASON
    assert client.call(9, TABLE, 1, Unsigned(1)).result is ActionResult.TYPE_UNMATCHED
    assert client.get(1, "0.0.96.1.10.255", 2) == Unsigned(0)


@pytest.mark.parametrize(
    ("action", "result"),
    [
        ((1, 1, "0-0:96.1.99", 2, Unsigned(1)), ActionResult.OBJECT_UNDEFINED),
        ((1, 3, "0-0:96.1.10", 2, Unsigned(1)), ActionResult.OBJECT_CLASS_INCONSISTENT),
        ((1, 1, "0-0:96.1.10", 2, LongUnsigned(1)), ActionResult.TYPE_UNMATCHED),
        ((2, 70, "0-0:96.3.10", 9, Integer(0)), ActionResult.OBJECT_UNDEFINED),
        ((9, 1, "0-0:96.1.10", 2, Unsigned(1)), ActionResult.OTHER_REASON),
    ],
)
def test_an_action_that_fails_is_reported_and_the_others_run(action, result):
    client = scripted(action, (1, 1, "0-0:96.1.10", 2, Unsigned(5)))
    assert client.call(9, TABLE, 1, LongUnsigned(1)).result is result
    assert client.get(1, "0.0.96.1.10.255", 2) == Unsigned(5)


def test_an_action_of_service_zero_is_none():
    client = scripted((0, 0, "0-0:0.0.0", 0, None))
    assert client.call(9, TABLE, 1, LongUnsigned(1)).result is ActionResult.SUCCESS


def test_a_script_that_calls_itself_ends():
    client = scripted((2, 9, "0-0:10.0.106", 1, LongUnsigned(1)))
    assert client.call(9, TABLE, 1, LongUnsigned(1)).result is ActionResult.OTHER_REASON


@pytest.mark.parametrize(
    ("error", "result"),
    [(AccessError("x", 1), ActionResult.HARDWARE_FAULT), (ZeroDivisionError(), ActionResult.OTHER_REASON)],
)
@pytest.mark.parametrize("waits", [False, True])
def test_handlers_of_a_script_may_wait_and_may_fail(error, result, waits, caplog):
    client = scripted((1, 1, "0-0:96.1.10", 2, Unsigned(3)), (2, 70, "0-0:96.3.10", 1, Integer(0)))
    data = client.device["0-0:96.1.10"]
    if waits:

        @data.setter("value")
        async def later(value):
            await asyncio.sleep(0)
            raise error

        outcome = asyncio.run(awaited(client.call(9, TABLE, 1, LongUnsigned(1))))
    else:

        @data.setter("value")
        def now(value):
            raise error

        outcome = client.call(9, TABLE, 1, LongUnsigned(1))
    assert outcome.result is result
    assert client.get(70, SWITCH, 3) == Enum(0)
    assert bool(caplog.records) is isinstance(error, ZeroDivisionError)


async def awaited(outcome):
    return await outcome


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("tables", [["0-0:10.0.106"], ["0-0:10.0.106", "0-0:10.0.107", "0-0:10.0.108"]])
def test_scripts_that_call_each_other_many_times_end_soon(tables, waits):
    """Five calls, each with five calls, eight deep, are 390,625 runs; in one table or from one to the next."""
    count = DataObject("0-0:96.1.10", value=Unsigned(0))
    runs = []

    @count.setter("value")
    def counted(value):
        runs.append(value)

    @count.setter("value")
    async def counted_later(value):
        await asyncio.sleep(0)
        runs.append(value)

    if not waits:
        count.setter("value")(counted)
    following = [*tables[1:], tables[0]]
    objects = [
        ScriptTableObject(
            name,
            scripts=[
                (1, [(1, 1, "0-0:96.1.10", 2, Unsigned(1)), *[(2, 9, other, 1, LongUnsigned(1))] * 5]),
                (2, [(1, 1, "0-0:96.1.10", 2, Unsigned(2))]),
            ],
        )
        for name, other in zip(tables, following, strict=True)
    ]
    client = Client(meter(count, *objects))

    def call(script):
        outcome = client.call(9, TABLE, 1, LongUnsigned(script))
        return asyncio.run(awaited(outcome)).result if waits else outcome.result

    assert call(1) is ActionResult.OTHER_REASON
    assert 100 < len(runs) < 2000
    runs.clear()
    assert call(2) is ActionResult.SUCCESS  # each call from outside counts for itself
    assert runs == [2]


def test_a_script_may_have_many_actions():
    client = scripted(*[(1, 1, "0-0:96.1.10", 2, Unsigned(n % 200)) for n in range(2000)])
    assert client.call(9, TABLE, 1, LongUnsigned(1)).result is ActionResult.SUCCESS
    assert client.get(1, "0.0.96.1.10.255", 2) == Unsigned(199)


# --- SAP assignment -----------------------------------------------------------------------------------------


def physical():
    devices = [meter(), meter(sap=17), meter(sap=18)]
    for device, name in zip(devices, (b"TSTmanagement", b"TSTenergy", b"TSTgas"), strict=True):
        device.name = name
    return share_addresses(devices), Client(devices[0])


def element(sap: int, name: bytes) -> Structure:
    return Structure((LongUnsigned(sap), OctetString(name)))


def test_the_management_device_lists_all():
    _, client = physical()
    assert client.get(17, SAP, 2) == Array(
        (element(1, b"TSTmanagement"), element(17, b"TSTenergy"), element(18, b"TSTgas"))
    )


def test_one_device_needs_no_list_and_may_have_one():
    assert share_addresses([meter()])[1].find(SAP) is None
    client = Client(meter(SapAssignmentObject()))
    assert [int(each[0]) for each in client.get(17, SAP, 2)] == [1]


def test_a_device_moves_and_comes_back():
    devices, client = physical()
    gas = devices[18]
    assert client.call(17, SAP, 1, element(20, b"TSTgas")).result is ActionResult.SUCCESS
    assert (sorted(devices), gas.sap) == ([1, 17, 20], 20)
    assert client.call(17, SAP, 1, element(0, b"TSTgas")).result is ActionResult.SUCCESS
    assert sorted(devices) == [1, 17]
    assert client.call(17, SAP, 1, element(18, b"TSTgas")).result is ActionResult.SUCCESS
    assert devices[18] is gas


@pytest.mark.parametrize(
    ("sap", "name", "result"),
    [
        (17, b"TSTgas", ActionResult.OTHER_REASON),
        (18, b"TSTgas", ActionResult.SUCCESS),
        (30, b"TSTwater", ActionResult.OBJECT_UNDEFINED),
        (0, b"TSTmanagement", ActionResult.OTHER_REASON),
    ],
)
def test_what_cannot_be_connected_changes_nothing(sap, name, result):
    devices, client = physical()
    before = dict(devices)
    assert client.call(17, SAP, 1, element(sap, name)).result is result
    assert devices == before


def test_two_devices_cannot_share_an_address():
    with pytest.raises(ConfigurationError):
        share_addresses([meter(), meter()])
