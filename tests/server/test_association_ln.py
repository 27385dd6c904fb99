"""The Association object: object_list in every version, its selections, secrets, users, visibility."""

from __future__ import annotations

import pytest

from cosem.classes import AssociationLn, AssociationLnVersion0, AssociationLnVersion2
from cosem.codec.data import encode_data
from cosem.errors import ConfigurationError
from cosem.server import (
    AccessMode,
    AccessRights,
    DataObject,
    LogicalDevice,
    ProfileGenericObject,
    RegisterObject,
)
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    VisibleString,
)
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import Client, aarq, opened, process

CURRENT = "0.0.40.0.0.255"


def device(version: int = 2, rights: AccessRights | None = None, **facts) -> LogicalDevice:
    made = LogicalDevice(
        "TST0000000000001",
        objects=[
            RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(1)),
            ProfileGenericObject("1-0:99.1.0"),
            DataObject("0-0:96.1.10", value=OctetString(b"x")),
        ],
    )
    made.add_association(16, rights or AccessRights.full(), version=version, **facts)
    return made


def listed(client: Client, **facts) -> dict[str, Structure]:
    value = client.get(15, CURRENT, 2, **facts)
    return {str(LogicalName(each[2])): each for each in value}


def test_the_list_holds_every_object_and_the_current_association_once():
    client = Client(device())
    assert sorted(listed(client)) == [
        "0.0.40.0.0.255",
        "0.0.42.0.0.255",
        "0.0.96.1.10.255",
        "1.0.1.8.0.255",
        "1.0.99.1.0.255",
    ]


def modes(element: Structure) -> tuple[list[tuple[int, object]], list[tuple[int, object]]]:
    attributes, methods = element[3]
    return [(int(each[0]), each[1]) for each in attributes], [(int(each[0]), each[1]) for each in methods]


@pytest.mark.parametrize(
    ("version", "mode", "attribute", "method"),
    [
        (0, AccessMode.READ | AccessMode.WRITE, Enum(3), True),
        (0, AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, Enum(1), True),
        (1, AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, Enum(4), Enum(2)),
        (2, AccessMode.READ | AccessMode.WRITE | AccessMode.AUTHENTICATED_REQUEST, Enum(6), Enum(2)),
        (2, AccessMode.READ, Enum(1), Enum(1)),
        (2, AccessMode.NO_ACCESS, Enum(0), Enum(0)),
        (
            3,
            AccessMode.READ | AccessMode.ENCRYPTED_REQUEST | AccessMode.SIGNED_RESPONSE,
            Enum(0x89),
            Enum(0x89),
        ),
    ],
)
def test_rights_are_shown_in_the_form_of_the_version(version, mode, attribute, method):
    rights = AccessRights.full().allow("1-0:1.8.0", 2, mode).allow_method("1-0:1.8.0", 1, mode)
    client = Client(device(version, rights))
    attributes, methods = modes(listed(client)["1.0.1.8.0.255"])
    assert dict(attributes)[2] == attribute
    assert type(dict(attributes)[2]) is Enum
    assert methods == [(1, method)]
    assert type(methods[0][1]) is type(method)
    assert client.association.profile is not None
    assert client.device.associations[0].association_object.version == version


@pytest.mark.parametrize(
    ("version", "declaration"), [(0, AssociationLnVersion0), (2, AssociationLnVersion2), (3, AssociationLn)]
)
def test_every_attribute_is_of_its_declared_type(version, declaration):
    client = Client(device(version))
    for attribute in declaration.attributes:
        if attribute.number != 7:
            value = client.get(15, CURRENT, attribute.number)
            assert attribute.data_type.mismatch(value) is None, attribute
            encode_data(value)


def test_access_selectors_are_listed_where_there_are_any():
    elements = listed(Client(device()))
    selectors = {int(each[0]): each[2] for each in elements["1.0.99.1.0.255"][3][0]}
    assert selectors[2] == Array((Integer(1), Integer(2)))
    assert selectors[3] is None


def test_selections_of_the_list():
    client = Client(device())
    without = client.get(15, CURRENT, 2, selector=1)
    assert {len(each) for each in without} == {3}
    registers = client.get(15, CURRENT, 2, selector=2, parameters=Array((LongUnsigned(3), LongUnsigned(7))))
    assert sorted(int(each[0]) for each in registers) == [3, 7]
    pair = Structure((LongUnsigned(3), OctetString(LogicalName("1.0.1.8.0.255"))))
    assert len(client.get(15, CURRENT, 2, selector=3, parameters=Array((pair,)))) == 1
    assert client.get(15, CURRENT, 2, selector=4, parameters=pair)[0] == 3


@pytest.mark.parametrize(
    ("selector", "parameters"),
    [(5, None), (2, Unsigned(3)), (3, Array((Unsigned(3),))), (4, None), (0xFF, None)],
)
def test_other_selections_are_of_the_wrong_type(selector, parameters):
    value = Client(device()).get(15, CURRENT, 2, selector=selector, parameters=parameters)
    assert value is DataAccessResult.TYPE_UNMATCHED


def test_a_selected_object_that_is_not_there_is_unavailable():
    pair = Structure((LongUnsigned(3), OctetString(LogicalName("1.0.9.8.0.255"))))
    assert (
        Client(device()).get(15, CURRENT, 2, selector=4, parameters=pair)
        is DataAccessResult.OBJECT_UNAVAILABLE
    )


def test_the_current_association_has_its_own_name_whoever_asks():
    client = Client(device())
    assert client.get(15, CURRENT, 1) == OctetString(LogicalName(CURRENT))
    assert client.get(15, "0.0.40.0.1.255", 1) == OctetString(LogicalName("0.0.40.0.1.255"))


def test_what_was_agreed_is_shown():
    client = Client(device(max_receive_pdu_size=500), request=aarq(conformance="001E1D", size=700))
    assert client.get(15, CURRENT, 3) == Structure((Integer(16), LongUnsigned(1)))
    assert client.get(15, CURRENT, 4).hex() == "60857405080101"
    assert client.get(15, CURRENT, 6).hex() == "60857405080200"
    conformance, receive, send, version, quality, key = client.get(15, CURRENT, 5)
    assert conformance.octets.hex() == "001e1d"
    assert (receive, send, version, quality, key) == (500, 700, 6, 0, b"")
    assert client.get(15, CURRENT, 8) == Enum(2)


def test_the_status_of_another_association_follows_its_life():
    made = device()
    made.add_association(17, AccessRights.full())
    manager = Client(made)
    other = "0.0.40.0.2.255"
    assert manager.get(15, other, 8) == Enum(0)
    association = opened(made, 17)
    assert manager.get(15, other, 8) == Enum(2)
    process(made, association, bytes.fromhex("6203800100"))
    assert manager.get(15, other, 8) == Enum(0)
    association = opened(made, 17)
    aborted = association.abort("gone")
    made.resolve(association, aborted)
    assert manager.get(15, other, 8) == Enum(0)


# --- secrets ----------------------------------------------------------------------------------------------


def test_no_right_lets_anybody_read_a_secret():
    rights = AccessRights.full().allow("0-0:40.0.1", 7, AccessMode.READ | AccessMode.WRITE)
    made = device(rights=rights, secret=b"12345678")
    client = Client(made, request=aarq(password=b"12345678"))
    assert client.get(15, CURRENT, 7) is DataAccessResult.READ_WRITE_DENIED
    assert client.get(15, CURRENT, 0)[6] is None
    assert "12345678" not in repr((made.associations[0].profile, made.associations[0].association_object))


def test_a_client_changes_its_password_and_the_next_association_needs_the_new_one():
    made = device(secret=b"12345678")
    client = Client(made, request=aarq(password=b"12345678"))
    assert client.set(15, CURRENT, 7, OctetString(b"longer password")) is DataAccessResult.SUCCESS
    refused = process(made, made.association(16), aarq(password=b"12345678"))
    assert "A203020101" in refused.hex().upper()
    opened(made, request=aarq(password=b"longer password"))


def test_a_reader_cannot_change_the_password():
    made = device(rights=AccessRights.read_only(), secret=b"12345678")
    client = Client(made, request=aarq(password=b"12345678"))
    assert client.set(15, CURRENT, 7, OctetString(b"mine")) is DataAccessResult.READ_WRITE_DENIED


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (OctetString(b""), DataAccessResult.OTHER_REASON),
        (OctetString(bytes(129)), DataAccessResult.OTHER_REASON),
        (Unsigned(1), DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_a_password_of_no_use_is_refused(value, result):
    client = Client(device(secret=b"12345678"), request=aarq(password=b"12345678"))
    assert client.set(15, CURRENT, 7, value) is result


def test_only_an_association_with_hls_has_an_hls_secret():
    client = Client(device(secret=b"12345678"), request=aarq(password=b"12345678"))
    assert client.call(15, CURRENT, 2, OctetString(b"new")).result is ActionResult.OTHER_REASON


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 8, 11])
def test_what_the_association_is_cannot_be_written(number):
    rights = AccessRights.full().allow("0-0:40.0.1", number, AccessMode.READ | AccessMode.WRITE)
    client = Client(device(rights=rights))
    assert (
        client.set(15, CURRENT, number, client.get(15, CURRENT, number)) is DataAccessResult.READ_WRITE_DENIED
    )


# --- visibility and users -----------------------------------------------------------------------------------


def test_objects_are_hidden_and_shown_again():
    client = Client(device())
    element = listed(client)["1.0.1.8.0.255"]
    assert client.call(15, CURRENT, 4, element).result is ActionResult.SUCCESS
    assert "1.0.1.8.0.255" not in listed(client)
    assert client.get(3, "1.0.1.8.0.255", 2) is DataAccessResult.OBJECT_UNDEFINED
    assert client.call(15, CURRENT, 3, element).result is ActionResult.SUCCESS
    assert client.get(3, "1.0.1.8.0.255", 2) == 1


@pytest.mark.parametrize(
    ("element", "result"),
    [
        (
            (LongUnsigned(3), Unsigned(0), OctetString(LogicalName("1.0.9.8.0.255")), None),
            ActionResult.OBJECT_UNDEFINED,
        ),
        (
            (LongUnsigned(4), Unsigned(0), OctetString(LogicalName("1.0.1.8.0.255")), None),
            ActionResult.OBJECT_CLASS_INCONSISTENT,
        ),
        (
            (LongUnsigned(15), Unsigned(2), OctetString(LogicalName("0.0.40.0.1.255")), None),
            ActionResult.OTHER_REASON,
        ),
        ((LongUnsigned(3),), ActionResult.TYPE_UNMATCHED),
    ],
)
def test_what_cannot_be_hidden_is_refused(element, result):
    assert Client(device()).call(15, CURRENT, 4, Structure(element)).result is result


def test_associations_of_others_are_shown_only_to_who_manages_them():
    made = device(rights=AccessRights.read_only())
    made.add_association(1, AccessRights.full())
    assert "0.0.40.0.2.255" not in listed(Client(made))
    assert Client(made).get(15, "0.0.40.0.2.255", 8) is DataAccessResult.OBJECT_UNDEFINED
    assert "0.0.40.0.1.255" in listed(Client(made, 1))


def user(number: int, name: str) -> Structure:
    return Structure((Unsigned(number), VisibleString(name)))


def test_users_are_added_and_removed():
    client = Client(device())
    assert client.call(15, CURRENT, 5, user(1, "Ada")).result is ActionResult.SUCCESS
    assert client.call(15, CURRENT, 5, user(2, "Bea")).result is ActionResult.SUCCESS
    assert client.call(15, CURRENT, 5, user(1, "Cid")).result is ActionResult.SUCCESS
    assert client.get(15, CURRENT, 10) == Array((user(2, "Bea"), user(1, "Cid")))
    assert client.call(15, CURRENT, 6, user(2, "Bea")).result is ActionResult.SUCCESS
    assert client.call(15, CURRENT, 6, user(2, "Bea")).result is ActionResult.OTHER_REASON


def test_with_users_only_they_may_associate():
    made = device()
    opened(made)
    made.associations[0].association_object.put("user_list", [user(7, "Ada")])
    refused = process(made, made.association(16), aarq())
    assert "A203020101" in refused.hex().upper()
    known = aarq()
    known = bytes((0x60, known[1] + 5)) + known[2:13] + bytes.fromhex("A903020107") + known[13:]
    client = Client(made, request=known)
    assert client.get(15, CURRENT, 11) == user(7, "Ada")


def test_there_is_no_version_four():
    with pytest.raises(ConfigurationError):
        device(version=4)
