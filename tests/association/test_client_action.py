"""ACTION at the client: whole, as a list, blocks in both directions, and what ends them."""

from __future__ import annotations

import pytest

from cosem.apdu import decode
from cosem.apdu.action import ActionResponseWithOptionalData
from cosem.association.client.conversations.action import action, action_unconfirmed, action_with_list
from cosem.association.context import TransferLimits
from cosem.errors import DecodeError, ExceptionResponseError, LimitError, ProtocolError, UnsupportedError
from cosem.types.data import ABSENT, Integer, OctetString
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.association.client_driver import METHOD, opened_client

R = ActionResult
ACTION = "C3014100120000800000FF0100"
LIST = "C303410200120000800000FF0100120000800000FF01020F0000"


def response(result=R.SUCCESS, returned=ABSENT):
    return ActionResponseWithOptionalData(result, returned)


def calling(parameters=ABSENT, size=1200, **options):
    client = opened_client(size, **options)
    return client, client.association.start(lambda context: action(context, METHOD, parameters))


ZERO = Integer(0)


def calling_list(parameters=(ZERO, None), size=1200, **options):
    client = opened_client(size, **options)
    return client, client.association.start(
        lambda context: action_with_list(context, [METHOD, METHOD], parameters)
    )


@pytest.mark.parametrize("result", list(R))
def test_a_result(result):
    client, exchange = calling()
    assert client.converse(exchange, ACTION, f"C70141{int(result):02X}00") == response(result)
    client, exchange = calling_list()
    answer = f"C7034102{int(result):02X}000000"
    assert client.converse(exchange, LIST, answer) == (response(result), response())


@pytest.mark.parametrize(
    ("octets", "returned"), [("01001105", 5), ("010000", None), ("0101FA", DataAccessResult.OTHER_REASON)]
)
def test_what_a_method_returns(octets, returned):
    client, exchange = calling()
    assert client.converse(exchange, ACTION, f"C7014100{octets}") == response(R.SUCCESS, returned)


@pytest.mark.parametrize(("parameters", "octets"), [(ABSENT, "00"), (None, "0100"), (Integer(0), "010F00")])
def test_what_a_method_is_given(parameters, octets):
    client, exchange = calling(parameters)
    assert client.converse(exchange, f"{ACTION[:-2]}{octets}", "C701410000") == response()


def test_the_number_19_that_some_servers_send_is_kept():
    client, exchange = calling()
    assert client.converse(exchange, ACTION, "C701411300").result == 19


@pytest.mark.parametrize(
    ("conformance", "service"),
    [
        ("00FE1C", lambda context: action(context, METHOD)),
        ("00FA1D", lambda context: action(context, METHOD, OctetString(bytes(40)))),
        ("00FC1D", lambda context: action_with_list(context, [METHOD], [None])),
        ("00FA1D", lambda context: action_with_list(context, [METHOD], [OctetString(bytes(40))])),
    ],
)
def test_what_was_not_agreed_on_is_not_sent(conformance, service):
    client = opened_client(40, conformance)
    exchange = client.association.start(service)
    with pytest.raises(UnsupportedError):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize("answer", ["C4014100 00", "C50141 00", "C7044100000001", "C70341010000"])
def test_an_answer_of_another_kind(answer):
    client, exchange = calling()
    client.receive(answer.replace(" ", ""))
    with pytest.raises(ProtocolError):
        exchange.result()


@pytest.mark.parametrize(
    "answer", ["C70341010000", "C7034103000000000000", "C701410000", "C7034100", "C7044100000001"]
)
def test_more_or_fewer_results_than_methods(answer):
    client, exchange = calling_list()
    client.receive(answer)
    with pytest.raises(ProtocolError):
        exchange.result()


def test_a_list_that_is_refused_as_a_whole():
    client, exchange = calling_list()
    assert client.converse(exchange, LIST, "C70141FA00") == (response(R.OTHER_REASON),) * 2


# --- parameters in blocks ---------------------------------------------------------------------------------------------


def called_in_blocks(client, final: str) -> tuple[list[int], bytes]:
    sizes, joined, number = [], b"", 0
    while True:
        (request,) = client.sent()
        octets = bytes.fromhex(request)
        sizes.append(len(octets))
        block = decode(octets).pblock
        number += 1
        assert block.block_number == number
        joined += block.raw_data
        if block.last_block:
            client.receive(final)
            return sizes, joined
        client.receive(f"C70441{number:08X}")


@pytest.mark.parametrize("size", [19, 20, 40, 136, 137, 138, 145, 146, 147, 264, 265, 273, 274, 275, 500])
def test_blocks_fill_the_size_of_the_server_to_the_octet(size):
    value = OctetString(bytes(range(256)) * 4)
    client, exchange = calling(value, size)
    sizes, joined = called_in_blocks(client, "C701410000")
    assert exchange.result() == response()
    assert joined == b"\x09\x82\x04\x00" + value
    assert max(sizes) <= size
    assert all(each >= size - 1 for each in sizes[:-1])


@pytest.mark.parametrize("size", [30, 40, 160])
def test_a_list_in_blocks(size):
    values = (OctetString(bytes(200)), None)
    client, exchange = calling_list(values, size)
    sizes, joined = called_in_blocks(client, "C70341020000 0C00".replace(" ", ""))
    assert exchange.result() == (response(), response(R.TYPE_UNMATCHED))
    assert joined == b"\x02\x09\x81\xc8" + values[0] + b"\x00"
    assert max(sizes) <= size
    assert all(each >= size - 1 for each in sizes[:-1])


@pytest.mark.parametrize("after", [1, 2])
def test_the_server_may_end_the_parameters(after):
    client, exchange = calling(OctetString(bytes(200)), 40)
    for number in range(1, after):
        client.receive(f"C70441{number:08X}")
    client.receive("C701410F00")
    assert exchange.result() == response(R.LONG_ACTION_ABORTED)
    client, exchange = calling_list((OctetString(bytes(200)), None), 40)
    client.receive("C701410F00")
    assert exchange.result() == (response(R.LONG_ACTION_ABORTED),) * 2


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (["C7044100000002"], ProtocolError),
        (["C7044100000001", "C7044100000001"], ProtocolError),
        (["C7034101 0000"], ProtocolError),
        (["C5014100"], ProtocolError),
        (["D80101"], ExceptionResponseError),
        (["C7044100000001"] + [f"C70441{number:08X}" for number in range(2, 8)], ProtocolError),
    ],
)
def test_an_acknowledgement_of_something_else(answers, error):
    client, exchange = calling(OctetString(bytes(200)), 40)
    for answer in answers:
        assert not exchange.done
        client.receive(answer.replace(" ", ""))
    with pytest.raises(error):
        exchange.result()


# --- answers in blocks -------------------------------------------------------------------------------------------------


def block(number: int, octets: str, *, last: bool = False) -> str:
    return f"C70241{int(last):02X}{number:08X}{len(octets) // 2:02X}{octets}"


def next_(number: int) -> str:
    return f"C30241{number:08X}"


def test_an_answer_in_blocks():
    client, exchange = calling()
    messages = [ACTION, block(1, "000100"), next_(1), block(2, "11"), next_(2), block(3, "05", last=True)]
    assert client.converse(exchange, *messages) == response(R.SUCCESS, 5)


def test_an_answer_in_blocks_after_parameters_in_blocks():
    client, exchange = calling(OctetString(bytes(40)), 40)
    client.sent()
    client.receive("C7044100000001")
    assert client.sent()[0][:18] == "C30641010000000214"
    client.receive(block(1, "0001001105", last=True))
    assert exchange.result() == response(R.SUCCESS, 5)


def test_an_answer_of_a_list_in_blocks():
    client, exchange = calling_list()
    messages = [LIST, block(1, "0200"), next_(1), block(2, "01001105FA00", last=True)]
    assert client.converse(exchange, *messages) == (response(R.SUCCESS, 5), response(R.OTHER_REASON))


def test_a_bare_value_in_blocks_as_some_servers_send_it():
    client, exchange = calling()
    assert client.converse(
        exchange, ACTION, block(1, "0905AABBCCDDEE", last=True)
    ).return_parameters == bytes.fromhex("AABBCCDDEE")


@pytest.mark.parametrize("numbers", [[0], [2], [1, 1], [1, 3], [1, 0], [0xFFFFFFFF]])
def test_blocks_out_of_order(numbers):
    client, exchange = calling()
    for number in numbers:
        assert not exchange.done
        client.receive(block(number, "00"))
    with pytest.raises(ProtocolError):
        exchange.result()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("C7044100000001", ProtocolError),
        ("C40141000 0", ProtocolError),
        ("D80101", ExceptionResponseError),
        ("C70241", DecodeError),
    ],
)
def test_whatever_comes_in_place_of_a_block_ends_the_transfer(answer, error):
    client, exchange = calling()
    client.receive(block(1, "00"))
    client.receive(answer.replace(" ", ""))
    with pytest.raises(error):
        exchange.result()


def test_the_server_may_end_the_answer():
    client, exchange = calling()
    client.receive(block(1, "00"))
    client.receive("C701410F00")
    assert exchange.result() == response(R.LONG_ACTION_ABORTED)
    client, exchange = calling_list()
    client.receive(block(1, "02"))
    client.receive("C701410F00")
    assert exchange.result() == (response(R.LONG_ACTION_ABORTED),) * 2


@pytest.mark.parametrize("octets", ["", "07", "0001000902"])
def test_blocks_that_do_not_make_an_answer(octets):
    client, exchange = calling()
    client.receive(block(1, octets, last=True))
    with pytest.raises(DecodeError):
        exchange.result()
    client, exchange = calling_list()
    client.receive(block(1, f"02{octets}", last=True))
    with pytest.raises(DecodeError):
        exchange.result()


def test_an_answer_without_end_is_ended():
    client, exchange = calling(transfer_limits=TransferLimits(octets=100, empty_blocks=3))
    for number in range(1, 12):
        client.receive(block(number, "00" * 10))
    with pytest.raises(LimitError):
        exchange.result()
    client, exchange = calling(transfer_limits=TransferLimits(octets=100, empty_blocks=3))
    for number in range(1, 5):
        client.receive(block(number, ""))
    with pytest.raises(ProtocolError):
        exchange.result()


def test_unconfirmed():
    client = opened_client(40)
    client.association.send_unconfirmed(lambda context: action_unconfirmed(context, METHOD, Integer(0)))
    outgoing = client.association.next_outgoing()
    assert outgoing.octets.hex().upper() == "C3010100120000800000FF01010F00"
    assert not outgoing.confirmed
    with pytest.raises(UnsupportedError):
        client.association.send_unconfirmed(
            lambda context: action_unconfirmed(context, METHOD, OctetString(bytes(26)))
        )
