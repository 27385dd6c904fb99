"""What an exchange was doing, in words."""

from __future__ import annotations

import pickle

import pytest

from cosem.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithList,
    ActionRequestWithPblock,
)
from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
    CosemMethodDescriptor,
    DataBlockSA,
)
from cosem.apdu.get import GetRequestNext, GetRequestNormal, GetRequestWithList
from cosem.apdu.set import SetRequestWithDatablock, SetRequestWithFirstDatablock
from cosem.apdu.variable_access import ReadRequest, VariableName
from cosem.association.client.doing import doing, during
from cosem.association.client.exchange import Exchange
from cosem.errors import FrameError, ProtocolError, TransportClosed, TransportError, TransportTimeout
from cosem.types.data import ABSENT
from cosem.types.identifiers import InvokeIdAndPriority
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import Client, opened_client

ID = InvokeIdAndPriority(0xC1)
ENERGY = CosemAttributeDescriptor(3, LogicalName("1-0:1.8.0"), 2)
SHIFT = CosemMethodDescriptor(8, LogicalName("0-0:1.0.0*101"), 6)
LISTED = CosemAttributeDescriptorWithSelection(ENERGY, None)
BLOCK = DataBlockSA(False, 2, b"\x00")


def started(*requests):
    """Return a client that has sent these, each but the last answered by a block that nobody reads."""

    def conversation(_context):
        for request in requests:
            assert request is not (yield request)

    client = opened_client()
    exchange = client.association.start(conversation)
    for _ in requests[1:]:
        client.sent()
        client.receive("C402C100000000010000")
    return client, exchange


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([GetRequestNormal(ID, ENERGY, None)], "GET 1-0:1.8.0 attribute 2"),
        ([GetRequestNormal(ID, ENERGY, None), GetRequestNext(ID, 1)], "GET 1-0:1.8.0 attribute 2, block 2"),
        ([GetRequestWithList(ID, (LISTED, LISTED))], "GET of 2 attributes"),
        ([GetRequestWithList(ID, (LISTED,)), GetRequestNext(ID, 4)], "GET of 1 attribute, block 5"),
        ([SetRequestWithFirstDatablock(ID, ENERGY, None, BLOCK)], "SET 1-0:1.8.0 attribute 2"),
        (
            [SetRequestWithFirstDatablock(ID, ENERGY, None, BLOCK), SetRequestWithDatablock(ID, BLOCK)],
            "SET 1-0:1.8.0 attribute 2, block 2",
        ),
        ([ActionRequestNormal(ID, SHIFT, ABSENT)], "ACTION 0-0:1.0.0*101 method 6"),
        (
            [ActionRequestNormal(ID, SHIFT, ABSENT), ActionRequestNextPblock(ID, 1)],
            "ACTION 0-0:1.0.0*101 method 6, block 2",
        ),
        (
            [ActionRequestNormal(ID, SHIFT, ABSENT), ActionRequestWithPblock(ID, BLOCK)],
            "ACTION 0-0:1.0.0*101 method 6, block 2",
        ),
        ([ActionRequestWithList(ID, (SHIFT, SHIFT), (None, None))], "ACTION of 2 methods"),
        ([ReadRequest((VariableName(8),))], "READ of 1 variable"),
        ([ReadRequest((VariableName(8), VariableName(16)))], "READ of 2 variables"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_requests_are_named(requests, words):
    exchange = Exchange(iter(()))
    exchange.subject, exchange.request = requests[0], requests[-1]
    assert doing(exchange) == words


def test_an_exchange_remembers_what_it_is_about_from_block_to_block():
    client, exchange = started(
        GetRequestNormal(ID, ENERGY, None), GetRequestNext(ID, 1), GetRequestNext(ID, 2)
    )
    assert doing(exchange) == "GET 1-0:1.8.0 attribute 2, block 3"
    client.association.lost(TransportClosed("10.0.0.7:4059 closed the connection"))
    with pytest.raises(TransportClosed) as caught:
        exchange.result()
    assert (
        str(caught.value) == "10.0.0.7:4059 closed the connection during GET 1-0:1.8.0 attribute 2, block 3"
    )


def test_opening_and_releasing_are_named():
    client = Client()
    assert doing(client.association.open()) == "the opening of the association"
    assert doing(opened_client().association.release()) == "the release of the association"


@pytest.mark.parametrize("kind", [TransportClosed, TransportError, TransportTimeout])
def test_the_error_of_a_connection_stays_of_its_kind(kind):
    exchange = Exchange(iter(()))
    error = kind("lost")
    assert during(error, exchange) is error
    exchange.subject = exchange.request = GetRequestNormal(ID, ENERGY, None)
    named = during(error, exchange)
    assert type(named) is kind
    assert str(pickle.loads(pickle.dumps(named))) == "lost during GET 1-0:1.8.0 attribute 2"


@pytest.mark.parametrize("error", [FrameError("no frame", 3), ProtocolError("wrong")])
def test_other_errors_say_it_themselves(error):
    exchange = Exchange(iter(()))
    exchange.subject = exchange.request = GetRequestNormal(ID, ENERGY, None)
    assert during(error, exchange) is error
