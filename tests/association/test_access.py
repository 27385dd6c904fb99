"""ACCESS on both sides: published octets, order, breaking, description, sizes, long invoke-ids."""

from __future__ import annotations

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.access import AccessRequest, AccessResponse
from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.association.client.conversations.access import access, action_item, get_item, set_item
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.errors import ExceptionResponseError, ProtocolError, TransportTimeout, UnsupportedError
from cosem.types.data import Integer, OctetString, Unsigned, VisibleString
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.identifiers import LongInvokeIdAndPriority
from cosem.types.logical_name import LogicalName
from tests.association.client_driver import METHOD, SHORT, opened_client
from tests.association.server_driver import Server, opened_server
from tests.vectors import Vector, parameters, vector

ACCESS = "00FE5D"
"""Conformance: the services of logical names and ACCESS, without GET's selective access left out."""
R, A = DataAccessResult, ActionResult
UNKNOWN = CosemAttributeDescriptor(1, LogicalName("0.0.99.9.0.255"), 2)


def asked(server: Server, *items, long_invoke_id: int = 5, **options) -> AccessResponse | str | None:
    """Ask for items and return the decoded answer; what is none as it came."""
    invoke_id = LongInvokeIdAndPriority.build(long_invoke_id, **({"confirmed": True} | options))
    request = AccessRequest(invoke_id, b"", tuple(i[0] for i in items), tuple(i[1] for i in items))
    answer = server(encode(request))
    return decode(bytes.fromhex(answer)) if answer and answer.startswith("DA") else answer


@pytest.mark.parametrize(
    "vector", [each for each in parameters("xdlms", kind="apdu") if "ACC" in str(each.id)]
)
def test_the_published_ones_come_back(vector: Vector):
    assert encode(decode(vector.octets)) == vector.octets


def test_a_server_answers_the_published_batch_with_the_published_octets():
    """ACC.mix.3 and .4: break on error at the third of five."""
    server = opened_server(conformance=ACCESS)
    clock = "0.0.1.0.0.255"
    server.application.values = {(clock, 9): None, (clock, 5): None}
    request = decode(vector("xdlms", "ACC.mix.3").octets)
    assert request.long_invoke_id_and_priority.break_on_error
    answer = server(vector("xdlms", "ACC.mix.3").octets)
    response = decode(bytes.fromhex(answer))
    published = decode(vector("xdlms", "ACC.mix.4").octets)
    assert len(response.access_response_specification) == len(published.access_response_specification)
    results = [int(each.result) for each in response.access_response_specification]
    failed = next(place for place, result in enumerate(results) if result)
    assert set(results[failed + 1 :]) == {250}
    assert response.long_invoke_id_and_priority == published.long_invoke_id_and_priority


def test_reads_writes_and_calls_in_order():
    server = opened_server(conformance=ACCESS)
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(A.SUCCESS, Unsigned(9))
    response = asked(
        server,
        get_item(SHORT),
        set_item(SHORT, VisibleString("111")),
        get_item(SHORT),
        action_item(METHOD, Integer(3)),
        get_item(UNKNOWN),
        set_item(UNKNOWN, None),
    )
    assert response.access_response_list_of_data == ("000", None, "111", 9, None, None)
    assert [each.result for each in response.access_response_specification] == [
        R.SUCCESS,
        R.SUCCESS,
        R.SUCCESS,
        A.SUCCESS,
        R.OBJECT_UNDEFINED,
        R.OBJECT_UNDEFINED,
    ]
    kinds = [type(each) for each in server.application.seen[-6:]]
    assert kinds == [
        ReadAttribute,
        WriteAttribute,
        ReadAttribute,
        InvokeMethod,
        ReadAttribute,
        WriteAttribute,
    ]


@pytest.mark.parametrize(("breaks", "done"), [(True, 1), (False, 3)])
def test_breaking_on_error_tries_nothing_more(breaks, done):
    server = opened_server(conformance=ACCESS)
    before = len(server.application.seen)
    response = asked(
        server,
        get_item(UNKNOWN),
        set_item(SHORT, VisibleString("111")),
        action_item(METHOD),
        break_on_error=breaks,
    )
    assert len(server.application.seen) - before == done
    assert server.application.values["0.0.128.1.0.255", 2] == ("000" if breaks else "111")
    if breaks:
        assert [int(each.result) for each in response.access_response_specification] == [4, 250, 250]


def test_the_answer_describes_itself_when_asked_to():
    server = opened_server(conformance=ACCESS)
    response = asked(server, get_item(SHORT), self_descriptive=True)
    assert response.access_request_specification == (get_item(SHORT)[0],)
    assert asked(server, get_item(SHORT)).access_request_specification is None


def test_the_class_bit_does_not_matter():
    """Great Britain's requests have it clear, and are answered."""
    assert asked(opened_server(conformance=ACCESS), get_item(SHORT), confirmed=False) is not None


def test_a_part_needs_selective_access_and_attribute_0_needs_nothing():
    part = get_item(SHORT, SelectiveAccessDescriptor(2, None))
    server = opened_server(conformance="00FE59")
    assert [int(e.result) for e in asked(server, part).access_response_specification] == [250]
    assert not [e for e in server.application.seen if isinstance(e, ReadAttribute)]
    everything = CosemAttributeDescriptor(1, SHORT.instance_id, 0)
    server = opened_server(conformance="000040")
    server.application.values["0.0.128.1.0.255", 0] = VisibleString("all")
    assert asked(server, get_item(everything)).access_response_list_of_data == ("all",)


def test_a_value_that_does_not_fit_is_refused_alone():
    server = opened_server(size=40, conformance="000040")
    long = CosemAttributeDescriptor(1, LogicalName("0.0.128.0.0.255"), 2)
    response = asked(server, get_item(long), get_item(SHORT))
    assert response.access_response_list_of_data == (None, "000")
    assert [int(each.result) for each in response.access_response_specification] == [250, 0]


def test_a_batch_whose_results_cannot_be_told_is_not_begun():
    server = opened_server(size=40, conformance="000040")
    before = len(server.application.seen)
    assert asked(server, *[set_item(SHORT, VisibleString("111"))] * 20) == "D80104"
    assert len(server.application.seen) == before


def test_access_must_be_agreed_on_and_lists_must_match():
    assert asked(opened_server(), get_item(SHORT)) == "D80202"
    server = opened_server(conformance=ACCESS)
    assert server("D940000001 00 01 01" + "00010000800100FF02" + "00") == "D80101"


# --- the client -------------------------------------------------------------------------------------


def test_the_client_counts_long_invoke_ids_and_pairs_answers_by_them():
    client = opened_client(conformance=ACCESS)
    start = client.association.start
    one, two = (start(lambda context: access(context, [get_item(SHORT)])) for _ in range(2))
    assert [each[:10] for each in client.sent()] == ["D940000000", "D940000001"]
    client.receive("DA40000001 00 00 01 0A0131 01 0100")
    assert two.result()[0].value == "1"
    client.receive("DA40000000 00 00 01 0A0130 01 0100")
    assert one.result()[0].value == "0"


def test_a_late_answer_is_not_taken_for_the_next_one():
    client = opened_client(conformance=ACCESS)
    late = client.association.start(lambda context: access(context, [get_item(SHORT)]))
    client.association.timed_out(late, TransportTimeout("no answer"))
    with pytest.raises(TransportTimeout):
        late.result()
    following = client.association.start(lambda context: access(context, [get_item(SHORT)]))
    client.receive("DA40000000 00 00 01 0A0130 01 0100")
    assert not following.done
    assert client.association.unmatched == 0
    client.receive("DA40000001 00 00 01 0A0131 01 0100")
    assert following.result()[0].value == "1"
    assert client.association.findings == ["late answer dropped: AccessResponse"]


def test_an_answer_that_cannot_be_decoded_fails_its_own_request():
    client = opened_client(conformance=ACCESS)
    start = client.association.start
    one, two = (start(lambda context: access(context, [get_item(SHORT)])) for _ in range(2))
    client.receive("DA40000001 00 00 01 FF")
    assert two.done
    assert not one.done


@pytest.mark.parametrize(
    "answer",
    [
        "DA40000000 00 00 02 0000 01 0100",  # two values
        "DA40000000 00 00 01 00 02 0100 0100",  # two results
        "DA40000000 00 00 01 00 01 0200",  # the result of a write
        "DA40000000 00 01 01 02 00010000800100FF02 01 00 01 0100",  # describes a write
    ],
)
def test_an_answer_to_something_else_is_an_error(answer):
    client = opened_client(conformance=ACCESS)
    exchange = client.association.start(lambda context: access(context, [get_item(SHORT)]))
    client.receive(answer)
    with pytest.raises(ProtocolError):
        exchange.result()


def test_an_exception_response_is_told():
    client = opened_client(conformance=ACCESS)
    exchange = client.association.start(lambda context: access(context, [get_item(SHORT)]))
    client.receive("D80104")
    with pytest.raises(ExceptionResponseError):
        exchange.result()


def test_what_was_not_agreed_on_is_not_asked_for():
    client = opened_client()
    with pytest.raises(UnsupportedError):
        client.association.start(lambda context: access(context, [get_item(SHORT)])).result()
    client = opened_client(conformance="000040")
    part = get_item(SHORT, SelectiveAccessDescriptor(2, OctetString(b"")))
    with pytest.raises(UnsupportedError):
        client.association.start(lambda context: access(context, [part])).result()
