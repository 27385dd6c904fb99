"""GET at the client: every kind of answer, blocks in order and out of it."""

from __future__ import annotations

import pytest

from cosem.association.client.conversations.get import get, get_with_list
from cosem.association.context import TransferLimits
from cosem.errors import DecodeError, ExceptionResponseError, LimitError, ProtocolError, UnsupportedError
from cosem.types.data import Structure
from cosem.types.enumerations import DataAccessResult
from tests.association.client_driver import ALL_ATTRIBUTES, LONG, SELECTION, SHORT, opened_client

GET = "C0014100010000800000FF0200"
LIST = "C003410200010000800000FF020000010000800100FF0200"
R = DataAccessResult


def reading(*facts, **options):
    client = opened_client(*facts, **options)
    return client, client.association.start(lambda context: get(context, LONG))


def reading_list(**options):
    client = opened_client(**options)
    items = [(LONG, None), (SHORT, None)]
    return client, client.association.start(lambda context: get_with_list(context, items))


def block(number: int, octets: str, *, last: bool = False, invoke_id: str = "41") -> str:
    return f"C402{invoke_id}{int(last):02X}{number:08X}00{len(octets) // 2:02X}{octets}"


def next_(number: int) -> str:
    return f"C00241{number:08X}"


def test_a_value():
    client, exchange = reading()
    assert client.converse(exchange, GET, "C40141001105") == 5


@pytest.mark.parametrize("result", [each for each in R if each])
def test_a_refusal_is_a_result(result):
    client, exchange = reading()
    assert client.converse(exchange, GET, f"C4014101{int(result):02X}") is result


def test_an_unknown_refusal_keeps_its_number():
    client, exchange = reading()
    assert client.converse(exchange, GET, "C401410163") == 0x63


def test_selection_and_attribute_0():
    client = opened_client()
    exchange = client.association.start(lambda context: get(context, LONG, SELECTION))
    assert client.converse(exchange, "C0014100010000800000FF02010200", "C4014100 00".replace(" ", "")) is None
    exchange = client.association.start(lambda context: get(context, ALL_ATTRIBUTES))
    assert client.converse(
        exchange, "C0014200010000800000FF0000", "C40142000201 1105".replace(" ", "")
    ) == Structure([5])


@pytest.mark.parametrize(
    ("conformance", "service"),
    [
        ("00FE0D", lambda context: get(context, LONG)),
        ("00FE19", lambda context: get(context, LONG, SELECTION)),
        ("00DE1D", lambda context: get(context, ALL_ATTRIBUTES)),
        ("00FC1D", lambda context: get_with_list(context, [(LONG, None)])),
        ("00FE19", lambda context: get_with_list(context, [(LONG, SELECTION)])),
        ("00FE0D", lambda context: get_with_list(context, [(LONG, None)])),
    ],
)
def test_what_was_not_agreed_on_is_not_sent(conformance, service):
    client = opened_client(conformance=conformance)
    exchange = client.association.start(service)
    with pytest.raises(UnsupportedError):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize(
    "answer", ["C501C100", "C5014100", "C7014100 00", "C4034101001105", "C704410000 0001"]
)
def test_an_answer_of_another_kind(answer):
    client, exchange = reading()
    client.receive(answer.replace(" ", ""))
    with pytest.raises(ProtocolError):
        exchange.result()


@pytest.mark.parametrize("answer", ["C40141", "C4014100", "C4014102", "C40441", "C401410007", "C4024101"])
def test_an_answer_that_cannot_be_read(answer):
    client, exchange = reading()
    client.receive(answer)
    with pytest.raises(DecodeError):
        exchange.result()


def test_octets_after_the_answer_are_named():
    client, exchange = reading()
    assert client.converse(exchange, GET, "C401410011050000") == 5
    assert list(client.association.findings) == ["trailing-octets"]


# --- lists ---------------------------------------------------------------------------------------------------------


def test_a_list_has_a_result_for_each_item():
    client, exchange = reading_list()
    assert client.converse(exchange, LIST, "C403410200110501 03".replace(" ", "")) == (5, R.READ_WRITE_DENIED)


def test_a_list_that_is_refused_as_a_whole():
    client, exchange = reading_list()
    assert client.converse(exchange, LIST, "C4014101FA") == (R.OTHER_REASON, R.OTHER_REASON)
    client, exchange = reading_list()
    assert client.converse(exchange, LIST, "C4024101000000010110") == (R.NO_LONG_GET_IN_PROGRESS,) * 2


@pytest.mark.parametrize(
    "answer",
    ["C4034100", "C4034101001105", "C403410300110500110500 1105", "C40141001105", "C50141 00"],
)
def test_more_or_fewer_results_than_items(answer):
    client, exchange = reading_list()
    client.receive(answer.replace(" ", ""))
    with pytest.raises(ProtocolError):
        exchange.result()


def test_more_or_fewer_results_in_blocks():
    for octets in ("01001105", "03001105001105001105"):
        client, exchange = reading_list()
        client.receive(block(1, octets, last=True))
        with pytest.raises(ProtocolError):
            exchange.result()


def test_a_list_that_is_too_long_is_not_sent():
    client = opened_client(32)
    items = [(LONG, None)] * 3
    exchange = client.association.start(lambda context: get_with_list(context, items))
    with pytest.raises(UnsupportedError):
        exchange.result()
    assert client.sent() == []


# --- blocks --------------------------------------------------------------------------------------------------------


def test_blocks():
    client, exchange = reading()
    progress = []
    client = opened_client()
    exchange = client.association.start(lambda context: get(context, LONG, None, progress.append))
    messages = [GET, block(1, "0203"), next_(1), block(2, "1105"), next_(2), block(3, ""), next_(3)]
    messages.append(block(4, "0000", last=True))
    assert client.converse(exchange, *messages) == (5, None, None)
    assert progress == [2, 4, 4, 6]


def test_one_block_alone():
    client, exchange = reading()
    assert client.converse(exchange, GET, block(1, "1105", last=True)) == 5


@pytest.mark.parametrize("numbers", [[0], [2], [0xFFFFFFFF], [1, 3], [1, 0], [1, 2, 1], [1, 0xFFFFFFFF]])
def test_blocks_out_of_order(numbers):
    client, exchange = reading()
    for number in numbers:
        assert not exchange.done
        client.receive(block(number, "09"))
    with pytest.raises(ProtocolError):
        exchange.result()


def test_a_duplicate_is_dropped_and_next_repeated_once():
    client, exchange = reading()
    assert client.sent() == [GET]
    client.receive(block(1, "09"))
    assert client.sent() == [next_(1)]
    client.receive(block(1, "09"))
    assert client.sent() == [next_(1)]
    client.receive(block(2, "01AA", last=True))
    assert exchange.result() == b"\xaa"


def test_a_duplicate_is_named_and_an_error_where_the_association_is_strict():
    client, exchange = reading()
    client.converse(
        exchange, GET, block(1, "09"), next_(1), block(1, "09"), next_(1), block(2, "01AA", last=True)
    )
    assert client.association.findings == ["get-block-repeated"]
    client, exchange = reading(strict=True)
    with pytest.raises(DecodeError, match="get-block-repeated"):
        client.converse(exchange, GET, block(1, "09"), next_(1), block(1, "09"))


@pytest.mark.parametrize(
    "again", [block(1, "0A"), block(1, "09", last=True), block(1, "0900")], ids=["other", "last", "longer"]
)
def test_the_number_of_a_block_with_other_contents_is_an_error(again):
    client, exchange = reading()
    client.receive(block(1, "09"))
    client.receive(again)
    with pytest.raises(ProtocolError):
        exchange.result()


def test_a_duplicate_twice_is_an_error():
    client, exchange = reading()
    for _ in range(3):
        client.receive(block(1, "09"))
    with pytest.raises(ProtocolError):
        exchange.result()


@pytest.mark.parametrize(
    "result", [R.DATA_BLOCK_UNAVAILABLE, R.LONG_GET_ABORTED, R.DATA_BLOCK_NUMBER_INVALID]
)
@pytest.mark.parametrize("form", ["C402410100000002 01{:02X}", "C402410000000007 01{:02X}", "C4014101{:02X}"])
def test_the_server_may_end_a_transfer(result, form):
    client, exchange = reading()
    client.receive(block(1, "09"))
    client.receive(form.format(int(result)).replace(" ", ""))
    assert exchange.result() is result


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("C40141001105", ProtocolError),
        ("C701411300", ProtocolError),
        ("D80101", ExceptionResponseError),
        ("0E050300", None),
        ("C4024101000000020107", None),
    ],
)
def test_whatever_comes_in_place_of_a_block_ends_the_transfer(answer, error):
    client, exchange = reading()
    client.receive(block(1, "09"))
    client.sent()
    client.receive(answer)
    assert exchange.done
    assert client.sent() == []
    if error is not None:
        with pytest.raises(error):
            exchange.result()


def test_blocks_that_do_not_make_a_value():
    for octets in ("0905AA", "07", ""):
        client, exchange = reading()
        client.receive(block(1, octets, last=True))
        with pytest.raises(DecodeError):
            exchange.result()


def test_empty_blocks_for_ever_are_ended():
    client, exchange = reading()
    for number in range(1, 18):
        assert not exchange.done
        client.receive(block(number, ""))
    with pytest.raises(ProtocolError):
        exchange.result()


def test_a_value_without_end_is_ended():
    client, exchange = reading(transfer_limits=TransferLimits(octets=100))
    for number in range(1, 12):
        assert not exchange.done
        client.receive(block(number, "00" * 10))
    with pytest.raises(LimitError):
        exchange.result()
