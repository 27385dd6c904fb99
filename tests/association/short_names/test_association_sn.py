"""The methods of an Association SN: what clients ask for, and what the table answers."""

from __future__ import annotations

import pytest

from cosem.apdu import decode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.client.conversations.mapper_table import read_by_logicalname
from cosem.association.short_names.association_sn import (
    element_of_object,
    elements_of_class,
    wanted_by_logicalname,
)
from cosem.codec.data import decode_data
from cosem.types.data import Array, LongUnsigned, OctetString, Structure
from tests.association.short_names.driver import BUFFER, LONG, SHORT, TABLE, opened_client

NAME = OctetString(SHORT.instance_id)


def test_what_the_client_asks_for_is_what_the_server_understands():
    wanted = [
        LONG,
        BUFFER,
        CosemAttributeDescriptor(1, SHORT.instance_id, 0),
        CosemAttributeDescriptor(1, SHORT.instance_id, -1),
    ]
    client = opened_client()
    client.association.start(lambda context: read_by_logicalname(context, wanted))
    (octets,) = client.sent()
    (variable,) = decode(bytes.fromhex(octets)).variable_access_specification
    assert variable.variable_name == 0xFA30
    assert wanted_by_logicalname(variable.parameter) == tuple(wanted)
    assert wanted_by_logicalname(Array(())) == ()


@pytest.mark.parametrize(
    "parameter",
    [
        "00",
        "0203 120003 0906 0100010800FF 0F02",
        "0101 120003",
        "0101 0202 120003 0906 0100010800FF",
        "0101 0204 120003 0906 0100010800FF 0F02 00",
        "0101 0203 120003 0905 0100010800 0F02",
        "0101 0203 0301 0906 0100010800FF 0F02",
        "0101 0203 0FFF 0906 0100010800FF 0F02",
        "0101 0203 120003 0906 0100010800FF 1180",
        "0101 0203 120003 0906 0100010800FF 0301",
        "0101 0203 120003 00 0F02",
        "0102 0203 120003 0906 0100010800FF 0F02 00",
    ],
)
def test_what_is_no_list_of_attributes_is_refused(parameter):
    assert wanted_by_logicalname(decode_data(bytes.fromhex(parameter))) is None


def test_elements_of_the_object_list_by_class_and_by_name():
    assert [element[0] for element in elements_of_class(TABLE, 1)] == [0x00F8, 0x0108]
    assert elements_of_class(TABLE, 3) == Array(())
    assert [tuple(element) for element in TABLE.to_object_list()] == [
        tuple(each.to_data()) for each in sorted(TABLE, key=lambda each: each.base_name)
    ]
    found = element_of_object(TABLE, Structure((LongUnsigned(1), NAME)))
    assert found == next(each for each in TABLE if each.base_name == 0x0108).to_data()
    for parameter in (
        Structure((LongUnsigned(3), NAME)),
        Structure((NAME, LongUnsigned(1))),
        Structure((LongUnsigned(1),)),
        Structure((LongUnsigned(1), OctetString(b"12345"))),
        None,
    ):
        assert element_of_object(TABLE, parameter) is None
