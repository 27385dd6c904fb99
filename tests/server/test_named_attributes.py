"""Nobody has the meter read, write or call what it may not reach itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cosem.server import AccessMode, AccessRights, make_object
from cosem.server.named_attributes import Right, UnlikeError, named_by_attribute, named_by_method
from cosem.server.objects.making import object_class
from cosem.types.data import (
    ABSENT,
    Array,
    BitString,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import Client, aarq, meter
from tests.vectors import load

NAME = "1-0:1.8.0"
SCRIPTS = "0-0:10.0.100"
TARGET = "0-0:99.99.99"
LN = OctetString(LogicalName(NAME))
ATTRIBUTE = (3, LogicalName(NAME), 2)
SCRIPT = (LogicalName(SCRIPTS), 1)
R, A = DataAccessResult, ActionResult
NOBODY, READ, WRITE = AccessMode.NO_ACCESS, AccessMode.READ, AccessMode.WRITE


def script(service: int, class_id: int, name: str, index: int, parameter: Any) -> Array:
    action = (
        Enum(service),
        LongUnsigned(class_id),
        OctetString(LogicalName(name)),
        Integer(index),
        parameter,
    )
    return Array((Structure((LongUnsigned(1), Array((Structure(action),)))),))


def data(class_id: int, number: int, value: Any, version: int | None = None) -> Any:
    attribute = object_class(class_id, version).attribute(number)
    assert attribute is not None
    return attribute.coerce(value)


def entry() -> Structure:
    times = OctetString(b"\xff" * 4), LongUnsigned(0), BitString.from_text("1111111"), BitString.from_text("")
    dates = OctetString(b"\xff" * 5), OctetString(b"\xff" * 5)
    where = OctetString(SCRIPT[0]), LongUnsigned(SCRIPT[1])
    return Structure((LongUnsigned(1), True, *where, *times, *dates))


REFERENCE = Structure((LongUnsigned(3), LN, Integer(2)))
UP_AND_DOWN = Structure(
    (
        Structure((OctetString(SCRIPT[0]), LongUnsigned(1))),
        Structure((OctetString(bytes(6)), LongUnsigned(0))),
    )
)
READING = {
    (7, 3): [(*ATTRIBUTE, 0)],
    (7, 6): (*ATTRIBUTE, 0),
    (21, 3): ATTRIBUTE,
    (40, 2): [(*ATTRIBUTE, 0, (0, None), [])],
    (61, 3): (3, LogicalName("1-0:1.8.255"), [0], 2),
    (62, 3): [(*ATTRIBUTE, 0, (0, None))],
    (65, 4): [ATTRIBUTE],
    (67, 13): ATTRIBUTE,
    (71, 2): ATTRIBUTE,
    (113, 6): ((0, 0), ATTRIBUTE, []),
}
EXECUTING = {
    (10, 2): Array((entry(),)),
    (20, 9): [(1, [(b"\x00\x00\x00\x00", *SCRIPT)])],
    (21, 4): Array((UP_AND_DOWN,)),
    (22, 2): SCRIPT,
    (67, 12): Array((UP_AND_DOWN,)),
    (67, 15): Array((UP_AND_DOWN,)),
    (68, 2): [SCRIPT],
    (71, 11): UP_AND_DOWN,
}
SEEING = {
    (6, 2): [(3, LogicalName(NAME))],
    (111, 9): Array((LN,)),
    (111, 10): Array((LN,)),
    (111, 11): Array((Structure((OctetString(bytes(6)), LN, BitString.from_text("000"))),)),
    (111, 12): Array((Structure((LN, Unsigned(1))),)),
    (122, 3): [(b"f", [(3, LogicalName(NAME))])],
}


def written(rights: AccessRights, key: tuple[int, int], value: Any) -> DataAccessResult:
    """Return how a client with these rights writes a value, and check that nothing changes where it is refused."""
    class_id, number = key
    register, scripts = make_object(3, NAME), make_object(9, SCRIPTS)
    target = make_object(class_id, TARGET)
    client = Client(meter(register, scripts, target, rights=rights))
    before = target.stored(number)
    result = client.set(class_id, TARGET, number, data(class_id, number, value))
    assert isinstance(result, DataAccessResult)
    assert result is R.SUCCESS or target.stored(number) == before
    return result


@pytest.mark.parametrize(("key", "value"), READING.items(), ids=str)
def test_what_is_captured_pushed_or_watched_must_be_readable(key, value):
    full = AccessRights.full
    assert written(full(), key, value) is R.SUCCESS
    assert written(full().hide(NAME), key, value) is R.READ_WRITE_DENIED
    assert written(full().allow(NAME, 2, WRITE), key, value) is R.READ_WRITE_DENIED
    demanding = full().allow(NAME, 2, READ | AccessMode.AUTHENTICATED_REQUEST)
    assert written(demanding, key, value) is R.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(("key", "value"), EXECUTING.items(), ids=str)
def test_who_names_a_script_must_be_able_to_execute_it(key, value):
    full = AccessRights.full
    assert written(full(), key, value) is R.SUCCESS
    assert written(full().hide(SCRIPTS), key, value) is R.READ_WRITE_DENIED
    assert written(full().allow_method(SCRIPTS, 1, NOBODY), key, value) is R.READ_WRITE_DENIED
    demanding = full().allow_method(SCRIPTS, 1, READ | AccessMode.ENCRYPTED_REQUEST)
    assert written(demanding, key, value) is R.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(("key", "value"), SEEING.items(), ids=str)
def test_what_is_only_switched_or_listed_must_be_seen(key, value):
    assert written(AccessRights.full(), key, value) is R.SUCCESS
    assert written(AccessRights.full().allow(NAME, 2, NOBODY), key, value) is R.SUCCESS
    assert written(AccessRights.full().hide(NAME), key, value) is R.READ_WRITE_DENIED


def test_who_has_an_array_managed_must_be_able_to_read_and_write_it():
    value = [(1, ATTRIBUTE)]
    assert written(AccessRights.full().allow(NAME, 2, READ | WRITE), (123, 2), value) is R.SUCCESS
    for mode in (READ, WRITE):
        assert written(AccessRights.full().allow(NAME, 2, mode), (123, 2), value) is R.READ_WRITE_DENIED


def test_each_cell_of_a_register_table_must_be_readable():
    energies = [make_object(3, f"1-0:1.8.{number}") for number in (0, 1)]
    table = make_object(61, TARGET)
    client = Client(meter(*energies, table, rights=AccessRights.full().allow("1-0:1.8.1", 2, NOBODY)))
    for groups, result in (([0], R.SUCCESS), ([0, 1], R.READ_WRITE_DENIED), ([2], R.READ_WRITE_DENIED)):
        cells = data(61, 3, (3, LogicalName("1-0:1.8.255"), groups, 2))
        assert client.set(61, TARGET, 3, cells) is result


def test_the_name_of_nothing_and_script_0_name_nothing():
    rights = AccessRights.full().hide(SCRIPTS)
    assert written(rights, (22, 2), (LogicalName(bytes(6)), 1)) is R.SUCCESS
    assert written(rights, (22, 2), (LogicalName(SCRIPTS), 0)) is R.SUCCESS
    assert written(rights, (71, 2), (0, LogicalName(bytes(6)), 0)) is R.SUCCESS


@pytest.mark.parametrize(
    ("class_id", "number", "parameters", "hidden"),
    [
        (65, 1, REFERENCE, NAME),
        (6, 1, Structure((LongUnsigned(3), LN)), NAME),
        (10, 2, entry(), SCRIPTS),
    ],
)
def test_what_is_given_to_a_method_counts_as_what_is_written(class_id, number, parameters, hidden):
    for rights, result in (
        (AccessRights.full(), A.SUCCESS),
        (AccessRights.full().hide(hidden), A.OBJECT_UNDEFINED),
    ):
        target = make_object(class_id, TARGET)
        before = [target.stored(each.number) for each in target.attributes]
        client = Client(meter(make_object(3, NAME), make_object(9, SCRIPTS), target, rights=rights))
        assert client.call(class_id, TARGET, number, parameters).result is result
        unchanged = [target.stored(each.number) for each in target.attributes] == before
        assert unchanged is (result is not A.SUCCESS)


def test_a_hidden_parameter_is_not_told_apart_from_one_that_is_not_there():
    client = Client(
        meter(make_object(3, NAME), make_object(65, TARGET), rights=AccessRights.full().hide(NAME))
    )
    absent = Structure((LongUnsigned(3), OctetString(LogicalName("1-0:2.8.0")), Integer(2)))
    assert client.call(65, TARGET, 1, REFERENCE) == client.call(65, TARGET, 1, absent)


# --- scripts ------------------------------------------------------------------------------------------------


def two_clients(rights: AccessRights) -> tuple[Any, Client, Client]:
    """Return a meter with a management association and a client that does not see it."""
    device = meter(make_object(3, NAME), make_object(9, SCRIPTS), make_object(65, TARGET))
    device.add_association(1, AccessRights.full(), secret="12345678")
    device.add_association(17, rights, secret="12345678")
    request = aarq(password=b"12345678")
    return device, Client(device, 1, request), Client(device, 17, request)


SECRET = script(1, 15, "0-0:40.0.2", 7, OctetString(b"hacked!!"))


def test_a_script_cannot_change_the_secret_of_a_hidden_association():
    device, _, client = two_clients(AccessRights.full().hide("0-0:40.0.2"))
    assert client.set(9, SCRIPTS, 2, SECRET) is R.READ_WRITE_DENIED
    assert client.call(9, SCRIPTS, 1, LongUnsigned(1)).result is not A.SUCCESS
    assert device["0-0:40.0.2"].current_secret() == b"12345678"


def test_execute_is_the_grant_for_what_another_client_wrote():
    device, management, client = two_clients(AccessRights.full().hide("0-0:40.0.2"))
    assert management.set(9, SCRIPTS, 2, SECRET) is R.SUCCESS
    assert client.call(9, SCRIPTS, 1, LongUnsigned(1)).result is A.SUCCESS
    assert device["0-0:40.0.2"].current_secret() == b"hacked!!"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (script(1, 3, NAME, 2, LongUnsigned(1)), R.READ_WRITE_DENIED),  # only readable
        (script(2, 3, NAME, 1, Integer(0)), R.SUCCESS),
        (script(0, 3, NAME, 2, None), R.SUCCESS),  # does nothing
        (script(2, 3, NAME, 99, None), R.OBJECT_UNDEFINED),
        (script(1, 65, TARGET, 4, Array((REFERENCE,))), R.SUCCESS),
        (script(1, 4, NAME, 2, LongUnsigned(1)), R.READ_WRITE_DENIED),  # of another class
    ],
)
def test_an_action_needs_the_right_to_what_it_does(value, result):
    _, _, client = two_clients(AccessRights.full())
    assert client.set(9, SCRIPTS, 2, value) is result


@pytest.mark.parametrize(
    "value",
    [
        script(1, 65, TARGET, 4, Array((REFERENCE,))),
        script(2, 65, TARGET, 1, REFERENCE),
        script(1, 9, SCRIPTS, 2, script(1, 65, TARGET, 4, Array((REFERENCE,)))),
        script(1, 9, SCRIPTS, 2, script(1, 3, NAME, 2, LongUnsigned(1))),
    ],
)
def test_a_script_that_names_something_needs_the_right_to_that_too(value):
    _, _, client = two_clients(AccessRights.full().hide(NAME))
    assert client.set(9, SCRIPTS, 2, value) is R.READ_WRITE_DENIED


# --- the list of objects -----------------------------------------------------------------------------------


def element(class_id: int, name: str) -> Structure:
    rights = Structure((Array(()), Array(())))
    return Structure((LongUnsigned(class_id), Unsigned(0), OctetString(LogicalName(name)), rights))


def test_nobody_adds_a_hidden_object_to_what_it_sees():
    _, _, client = two_clients(AccessRights.full().hide("0-0:40.0.2").hide(NAME))
    for class_id, name in ((15, "0-0:40.0.2"), (3, NAME)):
        assert client.call(15, "0-0:40.0.0", 3, element(class_id, name)).result is A.OBJECT_UNDEFINED
        assert client.get(class_id, name, 1) is R.OBJECT_UNDEFINED


def test_what_a_client_removed_it_adds_again():
    _, _, client = two_clients(AccessRights.full())
    for method, seen in ((4, False), (3, True)):
        assert client.call(15, "0-0:40.0.0", method, element(3, NAME)).result is A.SUCCESS
        assert (client.get(3, NAME, 1) is not R.OBJECT_UNDEFINED) is seen


def test_management_shows_an_object_to_a_client():
    _, management, client = two_clients(AccessRights.full().hide(NAME))
    assert management.call(15, "0-0:40.0.3", 3, element(3, NAME)).result is A.SUCCESS
    assert client.get(3, NAME, 1) == LN


# --- the table ------------------------------------------------------------------------------------------------

WITHOUT_RIGHTS = {
    **dict.fromkeys(
        ((30, "a3"), (30, "m1"), (30, "m2"), (30, "m3")), "counts with the rights of who uses it"
    ),
    **dict.fromkeys(((12, "a2"), (15, "a2")), "what there is, never written"),
    **dict.fromkeys(((12, "m2"), (12, "m4")), "tells of what the client sees"),
    **dict.fromkeys(((12, "m3"),), "reads with the rights of who calls"),
    **dict.fromkeys(((12, "a4"), (15, "a9")), "tells which Security setup there is"),
    **dict.fromkeys(((7, "m3"),), "columns of the profile itself"),
    **dict.fromkeys(((65, "a2"), (65, "m2")), "what was noted, and what is no longer watched"),
    **dict.fromkeys(
        ((40, "a8"), (41, "a3"), (42, "a2"), (44, "a2"), (48, "a2"), (72, "a2"), (124, "a7"), (152, "a2")),
        "a link to a lower layer",
    ),
}


def test_every_attribute_and_method_that_names_objects_is_in_the_table():
    found = set()
    for declared in load("interface-classes"):
        for kind in ("attributes", "methods"):
            for each in declared.get(kind, ()):
                if (kind, each["id"]) != ("attributes", 1) and re.search(
                    r"octet-string\[6\]", json.dumps(each)
                ):
                    found.add((int(declared["class_id"]), f"{kind[0]}{each['id']}"))
    unlike = {"a": named_by_attribute, "m": named_by_method}
    for class_id, member in found - WITHOUT_RIGHTS.keys():
        with pytest.raises(UnlikeError):  # the table looks into it
            list(unlike[member[0]](class_id, int(member[1:]), None))
    for class_id, member in WITHOUT_RIGHTS:
        assert list(unlike[member[0]](class_id, int(member[1:]), None)) == []
    assert found >= WITHOUT_RIGHTS.keys() - {(30, "m1"), (30, "m2"), (30, "m3")}


@pytest.mark.parametrize(
    ("class_id", "value"),
    [
        (7, Array((Structure((LongUnsigned(3), LN)),))),
        (7, Array((Structure((LongUnsigned(3), OctetString(b"short"), Integer(2), LongUnsigned(0))),))),
        (7, Array((Structure((LN, LN, Integer(2), LongUnsigned(0))),))),
        (7, Array((OctetString(b"123456"),))),
        (61, Structure((LongUnsigned(3), LN, Array((LongUnsigned(256),)), Integer(2)))),
        (61, None),
    ],
)
def test_a_value_that_is_built_otherwise_is_refused(class_id, value):
    client = Client(meter(make_object(3, NAME), make_object(class_id, TARGET)))
    assert client.set(class_id, TARGET, 3, value) is R.TYPE_UNMATCHED
    with pytest.raises(UnlikeError):
        list(named_by_attribute(class_id, 3, value))


def test_a_method_without_parameters_names_nothing_that_could_be_told():
    with pytest.raises(UnlikeError):
        list(named_by_method(65, 1, ABSENT))
    (named,) = named_by_method(65, 1, REFERENCE)
    assert (named.class_id, named.name, named.number, named.right) == (3, bytes(LN), 2, Right.READ)
