"""What is repeated of a list when an answer does not come: the request without an answer, nothing before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.access import AccessResponse, AccessResponseAction, AccessResponseGet, AccessResponseSet
from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor
from cosem.client.aio.services import AsyncServices
from cosem.client.batch import Call, Read, Write
from cosem.client.blocking.services import BlockingServices
from cosem.client.operations import batches, methods, services
from cosem.client.session import Session
from cosem.errors import TransportTimeout
from cosem.types.data import LongUnsigned
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import opened_client

ACCESS = "00FE5F"
"""Conformance with ACCESS besides the services of logical names."""
ACCESS_ALONE = "000040"
NAMES = [LogicalName(f"0.0.10.0.{number}.255") for number in range(100, 106)]
SCRIPTS = [CosemMethodDescriptor(9, name, 1) for name in NAMES]
ATTRIBUTES = [(CosemAttributeDescriptor(1, name, 2), None) for name in NAMES]
ONE = LongUnsigned(1)


def carry_out(operation, lost, conformance=ACCESS):
    """Run an operation whose requests with these places get no answer.

    Returns:
        The exchange, and the objects of each request.
    """
    client = opened_client(conformance=conformance)
    association = client.association
    association.negotiated = replace(association.negotiated, server_max_receive_pdu_size=60)
    exchange = association.start(operation)
    asked = []
    while sent := client.sent():
        assert len(asked) < 20
        request = decode(bytes.fromhex(sent[0]))
        specifications = request.access_request_specification
        descriptors = [
            getattr(each, "cosem_method_descriptor", None) or each.cosem_attribute_descriptor
            for each in specifications
        ]
        asked.append([each.instance_id for each in descriptors])
        if len(asked) - 1 in lost:
            association.timed_out(exchange, TransportTimeout("no answer"))
            continue
        results = {
            "AccessRequestAction": AccessResponseAction(ActionResult.SUCCESS),
            "AccessRequestSet": AccessResponseSet(DataAccessResult.SUCCESS),
            "AccessRequestGet": AccessResponseGet(DataAccessResult.SUCCESS),
        }
        answer = AccessResponse(
            request.long_invoke_id_and_priority,
            b"",
            None,
            (ONE,) * len(specifications),
            tuple(results[type(each).__name__] for each in specifications),
        )
        client.receive(encode(answer))
    assert exchange.done
    return exchange, asked


def calling(session):
    return lambda context: services.call_list(context, session, SCRIPTS, [ONE] * len(SCRIPTS))


def writing(session):
    return lambda context: services.write_list(context, session, ATTRIBUTES, [ONE] * len(ATTRIBUTES))


def reading(session):
    return lambda context: services.read_list(context, session, ATTRIBUTES)


def portions(asked):
    """Return the requests without those that were made again."""
    return [each for place, each in enumerate(asked) if place == 0 or asked[place - 1] != each]


@pytest.mark.parametrize(
    ("operation", "conformance"), [(calling, ACCESS), (writing, ACCESS), (reading, ACCESS_ALONE)]
)
@pytest.mark.parametrize("lost", [0, 1])
def test_the_request_without_an_answer_is_repeated_alone(operation, conformance, lost):
    session = Session(retries=1, repeat_writes=True)
    exchange, asked = carry_out(operation(session), {lost}, conformance)
    assert len(exchange.result()) == len(NAMES)
    assert asked[lost] == asked[lost + 1]
    assert [name for each in portions(asked) for name in each] == NAMES


def test_each_request_is_repeated_as_often_as_agreed_on():
    session = Session(retries=1, repeat_writes=True)
    exchange, asked = carry_out(calling(session), {0, 2})
    assert len(exchange.result()) == len(NAMES)
    assert asked[0] == asked[1]
    assert asked[2] == asked[3]


@pytest.mark.parametrize("operation", [calling, writing])
def test_what_writes_or_calls_is_not_repeated_unasked(operation):
    exchange, asked = carry_out(operation(Session(retries=3)), {1})
    with pytest.raises(TransportTimeout):
        exchange.result()
    assert len(asked) == 2


def test_results_of_the_first_request_outlive_a_second_that_is_never_answered():
    session = Session(retries=1, repeat_writes=True)
    items = [(name, 1, ONE, 9) for name in NAMES]
    exchange, asked = carry_out(lambda context: methods.call_many(context, session, items), {1, 2})
    with pytest.raises(TransportTimeout) as caught:
        exchange.result()
    assert [result.logical_name for result in caught.value.results] == asked[0]
    assert all(result.ok for result in caught.value.results)


def test_a_batch_that_only_reads_is_repeated_like_a_list():
    items = [Read(name, 2, class_id=1) for name in NAMES]
    exchange, asked = carry_out(lambda context: batches.access(context, Session(retries=1), items), {1})
    assert all(result.ok for result in exchange.result())
    assert asked[1] == asked[2]
    assert [name for each in portions(asked) for name in each] == NAMES


@pytest.mark.parametrize("item", [Write(NAMES[0], 2, ONE, class_id=1), Call(NAMES[0], 1, ONE, class_id=9)])
@pytest.mark.parametrize("repeat", [False, True])
def test_a_batch_that_does_more_is_repeated_where_that_was_asked_for(item, repeat):
    session = Session(retries=1, repeat_writes=repeat)
    items = [Read(NAMES[1], 2, class_id=1), item]
    exchange, asked = carry_out(lambda context: batches.access(context, session, items), {0})
    assert len(asked) == 1 + repeat
    if repeat:
        assert all(result.ok for result in exchange.result())
    else:
        with pytest.raises(TransportTimeout):
            exchange.result()


@pytest.mark.parametrize("client", [BlockingServices, AsyncServices])
@pytest.mark.parametrize("name", ["set_many", "call_many", "access"])
def test_what_is_known_after_an_error_is_told_where_it_is_looked_for(client, name):
    assert "``results``" in getattr(client, name).__doc__
