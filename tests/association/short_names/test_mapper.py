"""The mapper beyond the tables: filling it from the meter, attribute 0, unknown objects, what was not agreed on."""

from __future__ import annotations

import pytest

from cosem.apdu.action import ActionResponseWithOptionalData as Response
from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.mapped import (
    action,
    action_result,
    action_unconfirmed,
    action_with_list,
    get,
    get_with_list,
    set_attribute,
    set_unconfirmed,
    set_with_list,
)
from cosem.association.client.conversations.mapper_table import (
    mapper_table,
    read_by_logicalname,
    read_object_list,
)
from cosem.association.client.parameters import AssociationParameters
from cosem.association.short_names.table import MappedObject, ShortNameTable
from cosem.errors import AccessError, ConfigurationError, DecodeError, ProtocolError, UnsupportedError
from cosem.types.data import ABSENT, Integer, OctetString, Structure, Unsigned
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import opened_client as opened_ln_client
from tests.association.short_names.driver import (
    BUFFER,
    CAPTURE,
    RESET,
    RETURNING,
    SELECTION,
    SHORT,
    TABLE,
    TEXT,
    UNMAPPED,
    opened_client,
    without,
)

R, A, B = DataAccessResult, ActionResult, Conformance
ENERGY = UNMAPPED.instance_id
UNKNOWN_METHOD = CosemMethodDescriptor(3, ENERGY, 1)
READ_LIST = "050102FA08"
LIST = "0C0100 0102 0204 10FA00 12000C 1104 0906 0000280000FF 0204 101000 120003 1100 0906 0100010800FF"
VALUE = "0A03303030"


def test_the_object_list_is_read_once_when_it_is_needed():
    client = opened_client(table=None)
    exchange = client.association.start(lambda context: get(context, UNMAPPED))
    client.converse(exchange, READ_LIST, LIST, "0501021008", f"0C0100{VALUE}")
    assert exchange.result() == TEXT
    exchange = client.association.start(lambda context: action(context, UNKNOWN_METHOD, Integer(0)))
    client.converse(exchange, "0601021028010F00", "0D0100")
    exchange = client.association.start(lambda context: get(context, SHORT))
    assert exchange.result() is R.OBJECT_UNDEFINED
    assert client.sent() == []
    assert client.association.short_names.to_text() == ("1000 3 0 1.0.1.8.0.255\nFA00 12 4 0.0.40.0.0.255\n")


def test_the_list_itself_and_the_association_need_no_list():
    client = opened_client(table=None)
    target = CosemAttributeDescriptor(12, LogicalName("0.0.40.0.0.255"), 2)
    exchange = client.association.start(lambda context: get(context, target))
    assert len(client.converse(exchange, READ_LIST, LIST)) == 2
    assert not client.association.short_names.complete


def test_a_version_that_is_listed_counts():
    client = opened_client(table=None)
    exchange = client.association.start(read_object_list)
    listed = "0C0100 0101 0204 10FA00 12000C 1100 0906 0000280000FF"
    table = client.converse(exchange, READ_LIST, listed)
    assert table is client.association.short_names
    assert table.method(12, LogicalName("0.0.40.0.0.255"), 7) == 0xFA50


def test_what_was_given_by_hand_stays_if_it_is_not_listed():
    client = opened_client(table=ShortNameTable([*TABLE], complete=False))
    exchange = client.association.start(lambda context: mapper_table(context, [(3, ENERGY)]))
    table = client.converse(exchange, READ_LIST, LIST)
    assert len(table) == 5
    assert table.attribute(1, SHORT.instance_id, 2) == 0x0110


def test_a_server_that_keeps_its_list_is_told_apart():
    client = opened_client(table=None)
    exchange = client.association.start(lambda context: get(context, UNMAPPED))
    with pytest.raises(AccessError, match="mapping table") as caught:
        client.converse(exchange, READ_LIST, "0C010103")
    assert caught.value.result is R.READ_WRITE_DENIED
    exchange = client.association.start(lambda context: get(context, UNMAPPED))
    with pytest.raises(DecodeError):
        client.converse(exchange, READ_LIST, f"0C0100{VALUE}")


def test_a_table_that_is_set_counts_from_then_on_and_nothing_is_sent():
    """SetMapperTable.request (table 29) has the whole table as its parameter, and is a local service."""
    client = opened_client()
    client.association.set_mapper_table(ShortNameTable([MappedObject(0x2000, 3, 0, ENERGY)]))
    assert client.sent() == []
    exchange = client.association.start(lambda context: get(context, UNMAPPED))
    assert client.converse(exchange, "0501022008", f"0C0100{VALUE}") == TEXT
    assert client.association.start(lambda context: get(context, SHORT)).result() is R.OBJECT_UNDEFINED
    client.association.set_mapper_table(TABLE)
    exchange = client.association.start(lambda context: get(context, SHORT))
    assert client.converse(exchange, "0501020110", f"0C0100{VALUE}") == TEXT
    assert client.association.start(lambda context: get(context, UNMAPPED)).result() is R.OBJECT_UNDEFINED


def test_a_mapping_table_belongs_to_short_names():
    association = opened_ln_client().association
    with pytest.raises(ConfigurationError):
        association.set_mapper_table(TABLE)
    assert association.short_names is None
    exchange = association.start(lambda context: get(context, SHORT))
    with pytest.raises(ConfigurationError, match="logical names"):
        exchange.result()
    assert ClientAssociation(AssociationParameters()).short_names is None


def test_without_the_association_in_the_table_its_list_cannot_be_read():
    client = opened_client(table=ShortNameTable(complete=False))
    exchange = client.association.start(lambda context: get(context, SHORT))
    with pytest.raises(ConfigurationError, match="current Association SN"):
        exchange.result()


def test_unknown_objects_keep_their_place_in_a_list():
    client = opened_client()
    beyond = CosemAttributeDescriptor(1, SHORT.instance_id, 3)
    items = [(UNMAPPED, None), (SHORT, None), (beyond, None)]
    exchange = client.association.start(lambda context: get_with_list(context, items))
    assert client.converse(exchange, "0501020110", f"0C0100{VALUE}") == (
        R.OBJECT_UNDEFINED,
        TEXT,
        R.OBJECT_UNDEFINED,
    )
    exchange = client.association.start(lambda context: set_with_list(context, items, [TEXT, TEXT, TEXT]))
    assert client.converse(exchange, f"060102011001{VALUE}", "0D0100") == (
        R.OBJECT_UNDEFINED,
        R.SUCCESS,
        R.OBJECT_UNDEFINED,
    )
    methods = [UNKNOWN_METHOD, RESET, CosemMethodDescriptor(7, RESET.instance_id, 9)]
    exchange = client.association.start(lambda context: action_with_list(context, methods, [None] * 3))
    undefined = Response(A.OBJECT_UNDEFINED, ABSENT)
    assert client.converse(exchange, "06010212580100", "0D0100") == (
        undefined,
        Response(A.SUCCESS, ABSENT),
        undefined,
    )


def test_unknown_objects_alone_are_not_asked_for():
    client = opened_client()
    services = [
        (lambda context: get(context, UNMAPPED), R.OBJECT_UNDEFINED),
        (lambda context: get_with_list(context, [(UNMAPPED, None)]), (R.OBJECT_UNDEFINED,)),
        (lambda context: set_attribute(context, UNMAPPED, TEXT), R.OBJECT_UNDEFINED),
        (lambda context: set_with_list(context, [], []), ()),
        (lambda context: action(context, UNKNOWN_METHOD), Response(A.OBJECT_UNDEFINED, ABSENT)),
    ]
    for service, result in services:
        assert client.association.start(service).result() == result
    for unconfirmed in (
        lambda context: set_unconfirmed(context, UNMAPPED, TEXT),
        lambda context: action_unconfirmed(context, UNKNOWN_METHOD),
    ):
        with pytest.raises(UnsupportedError, match="short name"):
            client.association.send_unconfirmed(unconfirmed)
    assert client.sent() == []


# --- attribute 0 ----------------------------------------------------------------------------------------

ALL_OF_IT = CosemAttributeDescriptor(1, SHORT.instance_id, 0)


def test_attribute_0_is_a_structure_of_all():
    client = opened_client()
    exchange = client.association.start(lambda context: get(context, ALL_OF_IT))
    assert client.converse(
        exchange, "0502020108020110", f"0C02000906000080010 0FF00{VALUE}".replace(" ", "")
    ) == (Structure((OctetString(SHORT.instance_id), TEXT)))
    exchange = client.association.start(lambda context: get(context, ALL_OF_IT))
    assert client.converse(exchange, "0502020108020110", f"0C02010300{VALUE}") == Structure((None, TEXT))
    exchange = client.association.start(lambda context: get(context, ALL_OF_IT))
    assert client.converse(exchange, "0502020108020110", "0C0201030103") is R.READ_WRITE_DENIED


def test_attribute_0_keeps_its_place_in_a_list():
    client = opened_client()
    items = [(BUFFER, SELECTION), (ALL_OF_IT, None), (SHORT, None)]
    exchange = client.association.start(lambda context: get_with_list(context, items))
    assert client.converse(
        exchange, "0504 041208 01090101 020108 020110 020110", "0C04 000F01 000F02 000F03 000F04"
    ) == (1, Structure((Integer(2), Integer(3))), 4)


def test_setting_attribute_0_leaves_what_is_null_data():
    client = opened_client()
    exchange = client.association.start(
        lambda context: set_attribute(context, ALL_OF_IT, Structure((None, TEXT)))
    )
    assert client.converse(exchange, f"060102011001{VALUE}", "0D0100") is R.SUCCESS
    exchange = client.association.start(
        lambda context: set_attribute(context, ALL_OF_IT, Structure((Unsigned(1), Unsigned(2))))
    )
    assert client.converse(exchange, "060202010802011002 1101 1102", "0D02000103") is R.READ_WRITE_DENIED
    for value, result in [
        (Structure((None, None)), R.SUCCESS),
        (Structure((None,)), R.TYPE_UNMATCHED),
        (TEXT, R.TYPE_UNMATCHED),
    ]:
        exchange = client.association.start(
            lambda context, value=value: set_attribute(context, ALL_OF_IT, value)
        )
        assert exchange.result() is result
    client.association.send_unconfirmed(
        lambda context: set_unconfirmed(context, ALL_OF_IT, Structure((None, TEXT)))
    )
    assert client.sent() == [f"160102011001{VALUE}"]
    with pytest.raises(UnsupportedError, match="type-unmatched"):
        client.association.send_unconfirmed(lambda context: set_unconfirmed(context, ALL_OF_IT, TEXT))


def test_attribute_0_with_selection_or_of_an_unknown_class_is_refused():
    table = TABLE.extended(ShortNameTable.from_text("2000 8192 0 1.0.1.8.0.255"))
    client = opened_client(table=table)
    private = CosemAttributeDescriptor(8192, ENERGY, 0)
    for service in (
        lambda context: get(context, ALL_OF_IT, SELECTION),
        lambda context: get(context, private),
        lambda context: set_attribute(context, private, TEXT),
    ):
        assert client.association.start(service).result() is R.OTHER_REASON
    assert client.sent() == []


# --- methods --------------------------------------------------------------------------------------------


def test_without_write_methods_are_called_by_read():
    client = opened_client(conformance=without(B.WRITE))
    exchange = client.association.start(lambda context: action(context, RESET, Integer(0)))
    assert client.converse(exchange, "0501041258000F00", "0C010000") == Response(A.SUCCESS, ABSENT)
    exchange = client.association.start(lambda context: action(context, RESET, Integer(0)))
    assert client.converse(exchange, "0501041258000F00", "0C01000F05") == Response(A.SUCCESS, Integer(5))


def test_a_method_that_returns_something_needs_parameterized_access():
    client = opened_client(conformance=without(B.PARAMETERIZED_ACCESS))
    exchange = client.association.start(lambda context: action(context, RETURNING))
    with pytest.raises(UnsupportedError, match="parameterized-access"):
        exchange.result()


def test_null_data_of_a_method_that_returns_something_is_a_value():
    client = opened_client()
    exchange = client.association.start(lambda context: action(context, RETURNING))
    assert client.converse(exchange, "050104FA300000", "0C010000") == Response(A.SUCCESS, None)


@pytest.mark.parametrize("number", [*range(20), 250, 77])
def test_results_of_methods(number):
    expected = {17: 15, 18: 16}.get(number, number)
    assert int(action_result(R(number))) == expected
    if number == 0:
        return
    client = opened_client()
    exchange = client.association.start(lambda context: action(context, CAPTURE))
    response = client.converse(exchange, "06010212600100", f"0D0101{number:02X}")
    assert response == Response(ActionResult(expected), ABSENT)


@pytest.mark.parametrize("service", [set_with_list, action_with_list])
def test_as_many_values_as_items(service):
    client = opened_client()
    items = [(SHORT, None), (SHORT, None)] if service is set_with_list else [RESET, RESET]
    exchange = client.association.start(lambda context: service(context, items, [None]))
    with pytest.raises(ConfigurationError, match=r"2 \w+ and 1 "):
        exchange.result()


# --- read_by_logicalname --------------------------------------------------------------------------------


def test_reading_by_logical_name_needs_no_table():
    client = opened_client(table=None)
    exchange = client.association.start(lambda context: read_by_logicalname(context, [UNMAPPED, SHORT]))
    request = "050104 FA30 00 0102 0203 120003 0906 0100010800FF 0F02 0203 120001 0906 0000800100FF 0F02"
    assert client.converse(exchange, request, f"0C0100 0102 0F01 {VALUE}") == (Integer(1), TEXT)
    exchange = client.association.start(lambda context: read_by_logicalname(context, [UNMAPPED]))
    request = "050104 FA30 00 0101 0203 120003 0906 0100010800FF 0F02"
    assert client.converse(exchange, request, "0C01010D") is R.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize("answer", ["0C0100 0100", "0C0100 0102 0F01 0F02", "0C0100 0F01", "0C010000"])
def test_reading_by_logical_name_gives_a_value_for_each(answer):
    client = opened_client()
    exchange = client.association.start(lambda context: read_by_logicalname(context, [SHORT]))
    client.sent()
    client.receive(answer)
    with pytest.raises(ProtocolError, match="array of 1 values"):
        exchange.result()
