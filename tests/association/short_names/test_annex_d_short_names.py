"""Annex D, short names: both halves of every exchange, octet by octet; and the other published exchanges."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.client.conversations.read import read, read_list
from cosem.association.client.conversations.write import write, write_list
from cosem.association.server.indications import MethodOutcome, ReadAttribute
from cosem.association.short_names.table import ShortNameTable
from cosem.types.data import OctetString, Structure, VisibleString
from cosem.types.enumerations import DataAccessResult
from tests.association.short_names.driver import FIFTY, TABLE, TEXT, opened_client, opened_server
from tests.vectors import load, vector

SUCCESS = DataAccessResult.SUCCESS
NAMES = [VariableName(0x0100), VariableName(0x0110)]
EXCHANGES: dict[str, list[str]] = {}
for each in load("xdlms"):
    parts = each.id.split(".")
    if parts[0] == "D" and parts[2] == "SN":
        EXCHANGES.setdefault(f"{parts[0]}.{parts[1]}", []).append(each.octets.hex().upper())
SERVICES = {
    "D.2": (lambda context: read(context, NAMES[0]), FIFTY),
    "D.3": (lambda context: read_list(context, NAMES), (FIFTY, TEXT)),
    "D.4": (lambda context: read(context, NAMES[0]), FIFTY),
    "D.5": (lambda context: read_list(context, NAMES), (FIFTY, TEXT)),
    "D.6": (lambda context: write(context, NAMES[0], FIFTY), SUCCESS),
    "D.7": (lambda context: write_list(context, NAMES, [FIFTY, TEXT]), (SUCCESS, SUCCESS)),
    "D.8": (lambda context: write(context, NAMES[0], FIFTY), SUCCESS),
    "D.9": (lambda context: write_list(context, NAMES, [FIFTY, TEXT]), (SUCCESS, SUCCESS)),
}


@pytest.mark.parametrize("exchange", SERVICES)
def test_client(exchange):
    blocks = exchange in ("D.4", "D.5", "D.8", "D.9")
    client = opened_client(40 if blocks else 1200)
    service, result = SERVICES[exchange]
    assert client.converse(client.association.start(service), *EXCHANGES[exchange]) == result


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_server(exchange):
    blocks = exchange in ("D.4", "D.5", "D.8", "D.9")
    server = opened_server(40 if blocks else 1200)
    expected = {
        key: value for key, value in server.application.values.items() if key[0].startswith("0.0.128")
    }
    if exchange in ("D.6", "D.7", "D.8", "D.9"):
        server.application.values.update(dict.fromkeys(expected, VisibleString("")))
    for request, answer in list(pairwise(EXCHANGES[exchange]))[::2]:
        assert server(request) == answer
    assert len(server.association.transfers) == 0
    if exchange in ("D.7", "D.9"):
        assert {key: server.application.values[key] for key in expected} == expected


def test_every_exchange_of_the_annex_is_there():
    assert EXCHANGES.keys() == SERVICES.keys()


def test_selective_access_of_a_profile():
    request = vector("xdlms", "SN.par.1").octets
    server = opened_server()
    assert server(request) == "0C01000A03303030"
    (asked,) = server.application.of_kind(ReadAttribute)
    assert (asked.class_id, asked.attribute_id) == (7, 2)
    assert isinstance(asked.selection.access_parameters, Structure)
    client = opened_client()
    variable = ParameterizedAccess(0x1208, 1, asked.selection.access_parameters)
    exchange = client.association.start(lambda context: read(context, variable))
    assert client.converse(exchange, request.hex().upper(), "0C0100 0100") == ()


def test_a_method_and_the_same_in_blocks():
    table = ShortNameTable.from_text("FA00 12 4 0.0.40.0.0.255")
    server = opened_server(short_names=lambda: table)
    server.application.returns["0.0.40.0.0.255", 8] = MethodOutcome(return_parameters=OctetString(b"\x05"))
    assert server(vector("xdlms", "SN.meth.1").octets) == "0C0100090105"
    blocks = [vector("xdlms", f"SN.rdb.{number}").octets.hex().upper() for number in (1, 2, 3)]
    assert server(blocks[0]) == blocks[1]
    assert server(blocks[2]) == "0C0100090105"
    assert server.application.seen[-1] == server.application.seen[-2]


def test_results_of_both_kinds():
    answer = vector("xdlms", "SN.err.1").octets
    client = opened_client()
    exchange = client.association.start(lambda context: read_list(context, NAMES))
    assert client.sent() == ["0502020100020110"]
    client.receive(answer)
    assert exchange.result() == (DataAccessResult.OBJECT_UNDEFINED, 5)
    exchange = client.association.start(lambda context: write_list(context, NAMES, [None, None]))
    assert client.sent() == ["06020201000201100200 00".replace(" ", "")]
    client.receive(vector("xdlms", "SN.err.2").octets)
    assert exchange.result() == (DataAccessResult.READ_WRITE_DENIED, SUCCESS)


def test_the_short_names_of_the_annex_are_in_the_table():
    assert f"{TABLE.member(0x0100)}".count("0.0.128.0.0.255") == 1
    assert TABLE.member(0x0110).number == 2
