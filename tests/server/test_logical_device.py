"""The rules of a logical device: which error comes first, rights, protection, attribute 0, handlers."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from cosem.association.server.indications import ReadAttribute
from cosem.classes import Register, all_classes
from cosem.codec.data import encode_data
from cosem.errors import ConfigurationError
from cosem.server import (
    AccessMode,
    AccessRights,
    CosemObject,
    DataObject,
    LogicalDevice,
    RegisterObject,
    blocking,
    make_object,
)
from cosem.types.data import (
    ABSENT,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import Client, meter

NAME = "1.0.1.8.0.255"
_R, _A = DataAccessResult, ActionResult


def energy(**facts) -> RegisterObject:
    return RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30), **facts)


# --- the order of the checks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_id", "name", "attribute", "result"),
    [
        (3, "1.0.2.8.0.255", 2, _R.OBJECT_UNDEFINED),
        (4, NAME, 2, _R.OBJECT_CLASS_INCONSISTENT),
        (3, NAME, 4, _R.OBJECT_UNDEFINED),
        (3, NAME, -1, _R.OBJECT_UNDEFINED),
        (3, NAME, 3, _R.READ_WRITE_DENIED),
    ],
)
def test_which_error_a_reader_gets(class_id, name, attribute, result):
    client = Client(meter(energy(), rights=AccessRights.read_only().allow(NAME, 3, AccessMode.NO_ACCESS)))
    assert client.get(class_id, name, attribute) is result


@pytest.mark.parametrize(
    ("class_id", "attribute", "value", "result"),
    [
        (4, 2, Unsigned(1), _R.OBJECT_CLASS_INCONSISTENT),
        (3, 4, Unsigned(1), _R.OBJECT_UNDEFINED),
        (3, 3, Unsigned(1), _R.READ_WRITE_DENIED),
        (3, 2, Unsigned(1), _R.TYPE_UNMATCHED),
        (3, 2, DoubleLongUnsigned(1), _R.SUCCESS),
    ],
)
def test_which_error_a_writer_gets(class_id, attribute, value, result):
    rights = AccessRights.read_only().allow(NAME, 2, AccessMode.READ | AccessMode.WRITE)
    assert Client(meter(energy(), rights=rights)).set(class_id, NAME, attribute, value) is result


@pytest.mark.parametrize(
    ("class_id", "name", "method", "result"),
    [
        (3, "1.0.2.8.0.255", 1, _A.OBJECT_UNDEFINED),
        (4, NAME, 1, _A.OBJECT_CLASS_INCONSISTENT),
        (3, NAME, 2, _A.OBJECT_UNDEFINED),
        (3, NAME, 1, _A.READ_WRITE_DENIED),
    ],
)
def test_which_error_a_caller_gets(class_id, name, method, result):
    client = Client(meter(energy(), rights=AccessRights.read_only()))
    assert client.call(class_id, name, method, Integer(0)).result is result


def test_a_range_is_checked_after_the_type():
    client = Client(meter(make_object(8, "0-0:1.0.0")))
    assert client.set(8, "0.0.1.0.0.255", 7, Unsigned(3)) is _R.TYPE_UNMATCHED


def test_a_selection_where_there_is_none_is_of_the_wrong_type():
    assert Client(meter(energy())).get(3, NAME, 2, selector=1, parameters=None) is _R.TYPE_UNMATCHED


def test_hidden_objects_are_undefined_for_every_service():
    client = Client(meter(energy(), rights=AccessRights.full().hide(NAME)))
    assert client.get(3, NAME, 2) is _R.OBJECT_UNDEFINED
    assert client.set(3, NAME, 2, DoubleLongUnsigned(1)) is _R.OBJECT_UNDEFINED
    assert client.call(3, NAME, 1, Integer(0)).result is _A.OBJECT_UNDEFINED


def test_name_and_current_association_can_always_be_read():
    client = Client(meter(energy(), rights=AccessRights.nothing()))
    assert client.get(1, "0.0.42.0.0.255", 2) == OctetString(b"TST0000000000001")
    assert client.get(15, "0.0.40.0.0.255", 8) == Enum(2)
    assert client.get(15, "0.0.40.0.0.255", 7) is _R.READ_WRITE_DENIED
    assert client.get(3, NAME, 2) is _R.READ_WRITE_DENIED


@pytest.mark.parametrize(
    ("mode", "status", "allowed"),
    [
        (AccessMode.READ, {}, True),
        (AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, {}, False),
        (AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, {"authenticated": True}, True),
        (AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, {"encrypted": True}, False),
        (AccessMode.READ | AccessMode.ENCRYPTED_REQUEST, {"encrypted": True}, True),
        (AccessMode.READ | AccessMode.SIGNED_REQUEST, {"authenticated": True, "encrypted": True}, False),
        (AccessMode.READ | AccessMode.AUTHENTICATED_RESPONSE, {}, False),  # there are no keys to do it with
    ],
)
def test_a_right_may_demand_protection_of_the_request(mode, status, allowed):
    rights = AccessRights.full().allow(NAME, 2, mode).allow_method(NAME, 1, mode)
    client = Client(meter(energy(), rights=rights))
    client.association.security_status = SimpleNamespace(**status) if status else None
    assert (client.get(3, NAME, 2) == 5) is allowed
    result = client.call(3, NAME, 1, Integer(0)).result
    assert result is (_A.SUCCESS if allowed else _A.SCOPE_OF_ACCESS_VIOLATED)


# --- attribute 0 ------------------------------------------------------------------------------------------


def test_attribute_zero_is_everything_that_may_be_read():
    client = Client(meter(energy(), rights=AccessRights.full().allow(NAME, 2, AccessMode.NO_ACCESS)))
    name, value, unit = client.get(3, NAME, 0)
    assert (name, value, unit) == (LogicalName(NAME), None, Structure((Integer(0), Enum(30))))


def test_writing_attribute_zero_leaves_alone_what_is_null():
    rights = AccessRights.full().allow(NAME, 2, AccessMode.WRITE | AccessMode.READ)
    client = Client(meter(energy(), rights=rights))

    def write(*members):
        return asyncio.run(client.set(3, NAME, 0, Structure(members)))

    assert write(None, DoubleLongUnsigned(9), None) is _R.SUCCESS
    assert client.get(3, NAME, 2) == 9
    assert write(None, Unsigned(9), None) is _R.TYPE_UNMATCHED
    assert write(None, DoubleLongUnsigned(8), Structure((Integer(0), Enum(27)))) is _R.READ_WRITE_DENIED
    assert write(None, DoubleLongUnsigned(8)) is _R.TYPE_UNMATCHED
    assert client.get(3, NAME, 2) == 9


# --- handlers -----------------------------------------------------------------------------------------------


class Thermometer(CosemObject, Register):
    """A register whose value is measured."""

    def get_value(self):
        return LongUnsigned(21)

    def set_value(self, value):
        if value > 100:
            return _R.SCOPE_OF_ACCESS_VIOLATED
        self.put("value", value)
        return None

    async def call_reset(self):
        await asyncio.sleep(0)


def test_handlers_of_a_subclass():
    client = Client(
        meter(
            Thermometer("0-0:96.9.0", value=LongUnsigned(0)),
            rights=AccessRights.full().allow("0-0:96.9.0", 2, AccessMode.READ | AccessMode.WRITE),
        )
    )
    assert client.get(3, "0.0.96.9.0.255", 2) == LongUnsigned(21)
    assert client.set(3, "0.0.96.9.0.255", 2, LongUnsigned(101)) is _R.SCOPE_OF_ACCESS_VIOLATED
    assert client.set(3, "0.0.96.9.0.255", 2, LongUnsigned(100)) is _R.SUCCESS

    async def reset():
        return await client.call(3, "0.0.96.9.0.255", 1, Integer(0))

    assert asyncio.run(reset()).result is _A.SUCCESS


def test_handlers_given_as_functions_come_first():
    register = Thermometer("1-0:1.8.0")

    @register.getter("value")
    async def read():
        return DoubleLongUnsigned(6)

    @register.handler("reset")
    def refuse():
        return _A.TEMPORARY_FAILURE

    client = Client(meter(register))

    async def both():
        return await client.get(3, NAME, 2), await client.get(3, NAME, 0)

    value, everything = asyncio.run(both())
    assert (value, everything[1]) == (6, 6)
    assert client.call(3, NAME, 1, Integer(0)).result is _A.TEMPORARY_FAILURE


def test_what_blocks_runs_in_a_thread():
    import threading

    register = energy()
    threads = []

    @register.getter("value")
    @blocking
    def read():
        threads.append(threading.current_thread())
        return DoubleLongUnsigned(8)

    async def get():
        return await Client(meter(register)).get(3, NAME, 2)

    assert asyncio.run(get()) == 8
    assert threads != [threading.main_thread()]


def test_a_plain_value_becomes_the_type_of_the_attribute():
    clock = make_object(8, "0-0:1.0.0")
    clock.getter("time_zone")(lambda: 60)
    value = Client(meter(clock)).get(8, "0.0.1.0.0.255", 3)
    assert (value, value.tag) == (60, 16)


# --- objects ------------------------------------------------------------------------------------------------


def test_an_object_of_every_class_and_version_can_be_made_and_read():
    made = 0
    for number, declaration in enumerate(all_classes()):
        if declaration.class_id == 15:
            continue
        target = make_object(
            declaration.class_id, f"0.0.128.{number // 200}.{number % 200}.255", version=declaration.version
        )
        assert (target.class_id, target.version) == (declaration.class_id, declaration.version)
        assert {a.number for a in target.attributes} == {a.number for a in declaration.attributes}
        client = Client(meter(target))
        for attribute in target.attributes:
            if attribute.access == "w":
                continue
            value = client.get(target.class_id, str(target.name), attribute.number)
            assert not isinstance(value, DataAccessResult), (target, attribute)
            encode_data(value)
        made += 1
    assert made >= 140


def test_a_method_without_behaviour_is_undefined():
    client = Client(meter(make_object(111, "0-0:19.0.0")))
    assert client.call(111, "0.0.19.0.0.255", 1, Integer(0)).result is _A.OBJECT_UNDEFINED


def test_an_unknown_class_cannot_be_made():
    with pytest.raises(ConfigurationError):
        make_object(4711, "0-0:1.0.0")


def test_objects_come_and_go():
    device = meter(energy())
    client = Client(device)
    device.remove(NAME)
    assert client.get(3, NAME, 2) is _R.OBJECT_UNDEFINED
    device.add(energy())
    assert client.get(3, NAME, 2) == 5
    with pytest.raises(ConfigurationError):
        device.add(DataObject("1-0:1.8.0"))
    assert device[NAME].device is device


@pytest.mark.parametrize("name", ["", "TST45678901234567"])
def test_a_device_name_has_one_to_sixteen_octets(name):
    with pytest.raises(ConfigurationError):
        LogicalDevice(name)


def test_an_association_that_no_entry_knows_sees_nothing():
    device = meter(energy())
    stranger = LogicalDevice("TST2").association(16)
    assert device.resolve(stranger, ReadAttribute(3, LogicalName(NAME), 2)) is _R.OBJECT_UNDEFINED


def test_a_method_with_a_parameter_needs_one():
    client = Client(meter(make_object(9, "0-0:10.0.0")))
    assert client.call(9, "0.0.10.0.0.255", 1, ABSENT).result is _A.TYPE_UNMATCHED


def test_an_object_that_fails_when_it_is_due_does_not_stop_the_others(caplog):
    from cosem.server import ProfileGenericObject
    from tests.server.driver import StandingClock

    class Broken(ProfileGenericObject):
        def on_time(self, at):
            raise ZeroDivisionError(at)

    clock = StandingClock()
    broken = Broken("1-0:99.1.0", capture_period=60)
    healthy = ProfileGenericObject("1-0:99.2.0", capture_period=60, capture_objects=[(1, "0-0:42.0.0", 2, 0)])
    client = Client(meter(broken, healthy, clock=clock))
    clock.move(minutes=3)
    assert client.get(7, "1.0.99.2.0.255", 7) == 3
    assert len(caplog.records) == 3


def test_a_misspelt_hook_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"Meter\.get_valeu is no hook of Register: get_value is meant"
    ):

        class Meter(RegisterObject):
            def get_valeu(self):
                return 1

    class Other(RegisterObject):
        def get_the_meter_its_coffee(self):
            return "a method of its own"

    assert Other("1-0:1.8.0").get_the_meter_its_coffee()


def test_two_associations_that_nothing_tells_apart_are_refused():
    device = LogicalDevice("ABC0000000000001")
    device.add_association(16)
    device.add_association(16, secret="12345678")
    with pytest.raises(ConfigurationError, match="client 16 has such an association already"):
        device.add_association(16)
