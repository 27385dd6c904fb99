"""What comes late, twice or for nobody is never taken for something else; what brings nothing comes to an end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.apdu import decode
from cosem.apdu.variable_access import VariableName
from cosem.association.block_transfer import BlockTransfer, most_octets
from cosem.association.client.blocks import BlockSettings
from cosem.association.client.conversations.get import get
from cosem.association.client.conversations.read import read
from cosem.association.client.parameters import AssociationParameters
from cosem.association.context import TransferLimits
from cosem.association.control_function import State
from cosem.association.server.indications import InvokeMethod, NotificationConfirmed
from cosem.association.server.profile import ServerLimits
from cosem.errors import ExceptionResponseError, ProtocolError, TransportClosed, TransportTimeout
from cosem.types.data import OctetString
from cosem.types.enumerations import ApplicationContext, Conformance
from tests.association.client_driver import LONG as LONG_ATTRIBUTE
from tests.association.client_driver import SHORT, Client, aare, initiate_response, opened_client
from tests.association.server_driver import LONG, opened_server
from tests.association.server_driver import get as get_request
from tests.association.short_names.driver import opened_server as opened_by_names
from tests.association.test_block_transfer import BOTH, GBT, block

CANCELLED = TransportTimeout("cancelled")
NORMAL = bytes.fromhex("C001C100010000800100FF0200")


def opened_by_short_names(conformance="1C0320", **facts):
    client = Client(AssociationParameters(application_context=ApplicationContext.SN), **facts)
    exchange = client.association.open()
    client.sent()
    information = initiate_response(conformance=conformance, vaa_name=0xFA00)
    client.receive(aare(application_context_name=ApplicationContext.SN, user_information=information))
    exchange.result()
    return client


def answers_of(server, octets):
    """Return the APDUs with which a server answers."""
    processing, outcome = server.association.process(octets, 0.0), None
    try:
        while True:
            outcome = server.application.resolve(processing.send(outcome))
    except StopIteration as stop:
        return stop.value


def start_read(client):
    exchange = client.association.start(lambda context: read(context, VariableName(0x01A0)))
    return exchange, client.sent()


@pytest.mark.parametrize("end", ["cancel", "timed_out"])
def test_a_late_answer_without_invoke_id_is_never_that_of_the_next_request(end):
    client = opened_by_short_names()
    exchange, _ = start_read(client)
    getattr(client.association, end)(exchange, CANCELLED)
    with pytest.raises((TransportTimeout, TransportClosed)):
        exchange.result()
    assert client.association.state is State.IDLE
    assert "could not be told" in str(client.association.lost_by)
    client.receive("0C010006000003E8")  # late: for nobody
    assert client.association.unmatched == 1


@pytest.mark.parametrize(("lenient", "state"), [(True, State.IDLE), (False, State.ASSOCIATED)])
def test_a_cancelled_request_ends_an_association_where_invoke_ids_are_not_echoed(lenient, state):
    client = opened_client(any_invoke_id=lenient)
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.association.cancel(exchange, CANCELLED)
    assert client.association.state is state


@pytest.mark.parametrize("then", ["says more", "asks again", "returns"])
def test_who_has_no_invoke_id_may_say_more_but_ask_no_more(then):
    client = opened_by_short_names()
    closed = []

    def conversation(context):
        try:
            yield from read(context, VariableName(0x01A0))
        except TransportTimeout as error:
            if then == "says more":
                raise TransportTimeout(f"{error}, and more") from error
            if then == "asks again":
                yield from read(context, VariableName(0x01A0))
        finally:
            closed.append(True)

    exchange = client.association.start(conversation)
    client.sent()
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    with pytest.raises(
        TransportTimeout, match="no answer, and more" if then == "says more" else "no answer$"
    ):
        exchange.result()
    assert client.sent() == []
    assert closed == [True]
    assert client.association.state is State.IDLE


def test_who_has_no_invoke_id_does_not_ask_for_blocks_again():
    """The answer to the first request and that to the second could not be told apart."""
    client = opened_by_short_names("3C0320", block_transfer=BlockSettings(always=True))
    exchange, sent = start_read(client)
    assert [each[:2] for each in sent] == ["E0"]
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    assert client.sent() == []
    assert client.association.state is State.IDLE


def test_who_has_no_invoke_id_acknowledges_the_last_window_too():
    client = opened_by_short_names("3C0320", block_transfer=BlockSettings(always=True))
    exchange, _ = start_read(client)
    client.receive(block(1, 1, bytes.fromhex("0C010006000003E8"), last=True, window=8))
    assert exchange.result()
    assert client.sent() == ["E0 88 0002 0001 00".replace(" ", "")]


@pytest.mark.parametrize("acknowledged", [False, True])
def test_the_same_request_again_is_a_repetition_until_something_was_acknowledged(acknowledged):
    server = opened_server(conformance=GBT)
    server(block(1, 0, NORMAL, last=True))
    if acknowledged:
        server(block(2, 1))
    before = len(server.application.seen)
    server(block(1, 0, NORMAL, last=True))
    assert (len(server.application.seen) > before) is acknowledged


@pytest.mark.parametrize("begun", [False, True])
def test_an_exception_response_tells_whether_the_answer_in_general_blocks_had_begun(begun):
    client = opened_client(conformance=GBT, block_transfer=BlockSettings(always=True))
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive(block(1, 1, bytes.fromhex("C401") if begun else b""))
    client.receive("D80101")
    with pytest.raises(ExceptionResponseError) as caught:
        exchange.result()
    assert caught.value.answer_begun is begun


def test_an_exception_response_tells_whether_the_answer_to_a_read_had_begun():
    client = opened_by_short_names(conformance="1C8B20")
    exchange, _ = start_read(client)
    client.receive("0C010200000103010900")
    client.sent()
    client.receive("D80101")
    with pytest.raises(ExceptionResponseError) as caught:
        exchange.result()
    assert caught.value.answer_begun
    exchange, _ = start_read(client)
    client.receive("D80101")
    with pytest.raises(ExceptionResponseError) as caught:
        exchange.result()
    assert not caught.value.answer_begun


def started(client, descriptor=SHORT):
    exchange = client.association.start(lambda context: get(context, descriptor))
    (request,) = client.sent()
    return exchange, request[4:6][1]


@pytest.mark.parametrize("error", ["D80202", "0E050301"])
def test_the_answer_to_a_request_that_was_taken_for_refused_is_that_of_no_other(error):
    client = opened_client(first=0)
    taken_for_refused, _ = started(client)
    refused, _ = started(client)
    client.receive(error)
    assert taken_for_refused.done
    assert not refused.done
    ids = []
    for _ in range(14):
        exchange, number = started(client)
        client.receive(f"C4014{number}001105")
        assert exchange.result() == 5
        ids.append(number)
    exchange, number = started(client)
    assert "0" not in [*ids, number]  # it rests until its answer comes
    client.receive("C40140001101")
    assert not exchange.done
    assert "late answer dropped" in client.association.findings[-1]


def test_the_invoke_ids_of_refused_requests_are_used_again_once_they_can_be_told():
    client = opened_client(first=0)
    for _ in range(40):
        first, second = started(client), started(client)
        client.receive("D80202")
        assert first[0].done
        client.receive(f"C4014{second[1]}001105")
        assert second[0].result() == 5
    for _ in range(40):
        first, second = started(client), started(client)
        client.receive("D80202")
        client.receive("D80202")
        assert first[0].done
        assert second[0].done
    for _ in range(40):
        alone, _ = started(client)
        client.receive("D80202")
        assert alone.done


def test_a_late_answer_leaves_the_blocks_of_the_next_request_alone():
    client = opened_client(conformance=BOTH)
    client.association.cancel(client.association.start(lambda context: get(context, SHORT)), CANCELLED)
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive(block(1, 0, bytes.fromhex("C401420009")))
    client.receive("C4014100090101")  # the first one, late
    client.receive(block(2, 1, bytes.fromhex("0102"), last=True))
    assert exchange.result() == b"\x02"
    assert client.association.unmatched == 0


@pytest.mark.parametrize("keeps_order", [True, False])
def test_blocks_of_former_exchanges_are_remembered_only_where_they_may_come_late(keeps_order, monkeypatch):
    asked = []
    parts = BlockTransfer.received_parts.fget
    monkeypatch.setattr(
        BlockTransfer, "received_parts", property(lambda transfer: asked.append(transfer) or parts(transfer))
    )
    client = opened_client(conformance=BOTH)
    client.association.parameters = replace(client.association.parameters, keeps_order=keeps_order)
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive(block(1, 0, bytes.fromhex("C401410009")))
    client.receive(block(2, 1, bytes.fromhex("0102"), last=True))
    assert exchange.result() == b"\x02"
    assert bool(asked) is not keeps_order


def test_no_snapshot_of_an_abandoned_exchange_goes_to_the_next():
    server = opened_server(conformance=BOTH, size=60)
    request = bytes.fromhex(get_request(LONG))
    server.application.values["0.0.128.0.0.255", 2] = OctetString(b"A" * 500)
    answers_of(server, block(1, 0, request, last=True, window=3))
    answers_of(server, block(2, 3, window=3))
    server.application.values["0.0.128.0.0.255", 2] = OctetString(b"B" * 500)
    answers = answers_of(server, block(1, 0, request, last=True, window=3))
    parts = b"".join(decode(each).block_data for each in answers)
    assert b"B" in parts
    assert b"A" not in parts


@pytest.mark.parametrize("control", [0x80, 0x00, 0xC1])
def test_number_0_aborts_whatever_else_a_block_says(control):
    abort = bytes((0xE0, control)) + bytes(5)
    server = opened_server(conformance=GBT, size=60)
    server.application.values["0.0.128.0.0.255", 2] = OctetString(b"A" * 500)
    answers_of(server, block(1, 0, bytes.fromhex(get_request(LONG)), last=True, window=3))
    assert server(abort) is None
    assert server(block(2, 3, window=3)) is None, "the exchange is over"
    client = opened_client(conformance=GBT, block_transfer=BlockSettings(always=True))
    exchange = client.association.start(lambda context: get(context, LONG_ATTRIBUTE))
    client.sent()
    client.receive(abort)
    with pytest.raises(ProtocolError, match="aborted"):
        exchange.result()


def test_blocks_that_bring_nothing_come_to_an_end():
    transfer = BlockTransfer(60, client=True, limits=TransferLimits(empty_blocks=5))
    transfer.send(b"request")
    for number in range(1, 7):  # the first of them acknowledges our request
        transfer.receive(decode(block(number, 1)))
    with pytest.raises(ProtocolError, match="brought nothing"):
        transfer.receive(decode(block(7, 1)))


def test_acknowledgements_of_a_long_request_are_no_empty_blocks():
    transfer = BlockTransfer(20, client=True, limits=TransferLimits(empty_blocks=2))
    transfer.send(bytes(400))
    for number in range(1, 30):
        transfer.outgoing.clear()
        transfer.receive(decode(block(number, number)))
    assert transfer.acknowledged == 29


@pytest.mark.parametrize("tag", ["60", "62", "61", "E0"])
def test_what_cannot_come_in_blocks_is_answered_and_its_exchange_over(tag):
    server = opened_server(conformance=GBT)
    assert server(block(1, 0, bytes.fromhex(tag + "00"), last=True)) == "D80202"
    assert not server.association.blocks.running


def test_a_confirmation_in_blocks_is_one_too():
    server = opened_server(conformance=GBT)
    server(block(1, 0, bytes.fromhex("100000000500"), last=True))
    assert [each.long_invoke_id for each in server.application.of_kind(NotificationConfirmed)] == [5]


def test_blocks_in_clear_are_not_agreed_on_where_datagrams_come_late_or_twice():
    for keeps_order in (True, False):
        server = opened_server(conformance=BOTH, keeps_order=keeps_order)
        assert server.association.agreed(Conformance.GENERAL_BLOCK_TRANSFER) is keeps_order


def test_what_does_not_go_in_the_blocks_that_have_numbers_is_refused_item_by_item():
    limits = ServerLimits(answer=1 << 30)
    server = opened_server(conformance="20FFFF", size=12, limits=limits)
    room = most_octets(12)
    server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(room - 40))
    item = "01 0001 0000800000FF 02"
    answers = answers_of(server, bytes.fromhex(f"D9 40000001 00 02 {item} {item} 02 00 00".replace(" ", "")))
    assert answers[0][:1] == b"\xe0", "the first has room, the second is refused by itself"


def test_a_method_by_short_name_has_no_selections():
    server = opened_by_names()
    assert server("0501041258050F00") == "0C01010C"
    assert not server.application.of_kind(InvokeMethod)
