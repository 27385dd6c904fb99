"""SET at the client: whole, as a list, in blocks that fill the server's size, and what ends them."""

from __future__ import annotations

import pytest

from cosem.apdu import decode
from cosem.association.client.conversations.set import set_attribute, set_unconfirmed, set_with_list
from cosem.errors import (
    ConfigurationError,
    EncodeError,
    ExceptionResponseError,
    ProtocolError,
    UnsupportedError,
)
from cosem.types.data import OctetString, Unsigned
from cosem.types.enumerations import DataAccessResult
from cosem.types.making import trusted
from tests.association.client_driver import ALL_ATTRIBUTES, LONG, SELECTION, SHORT, opened_client

R = DataAccessResult
SET = "C1014100010000800000FF02001105"
LIST = "C104410200010000800000FF020000010000800100FF02000211051106"


FIVE, SIX = Unsigned(5), Unsigned(6)


def writing(value=FIVE, size=1200, selection=None, **options):
    client = opened_client(size, **options)
    return client, client.association.start(lambda context: set_attribute(context, LONG, value, selection))


def writing_list(values=(FIVE, SIX), size=1200, **options):
    client = opened_client(size, **options)
    items = [(LONG, None), (SHORT, None)]
    return client, client.association.start(lambda context: set_with_list(context, items, values))


@pytest.mark.parametrize("result", list(R))
def test_a_result(result):
    client, exchange = writing()
    assert client.converse(exchange, SET, f"C50141{int(result):02X}") is result
    client, exchange = writing_list()
    assert client.converse(exchange, LIST, f"C5054102{int(result):02X}00") == (result, R.SUCCESS)


def test_a_selection():
    client, exchange = writing(selection=SELECTION)
    assert client.converse(exchange, "C1014100010000800000FF020102001105", "C5014100") is R.SUCCESS


@pytest.mark.parametrize(
    ("conformance", "service"),
    [
        ("00FE15", lambda context: set_attribute(context, LONG, None)),
        ("00FE19", lambda context: set_attribute(context, LONG, None, SELECTION)),
        ("007E1D", lambda context: set_attribute(context, ALL_ATTRIBUTES, None)),
        ("00F61D", lambda context: set_attribute(context, LONG, OctetString(bytes(40)))),
        ("00FC1D", lambda context: set_with_list(context, [(LONG, None)], [None])),
        ("00F61D", lambda context: set_with_list(context, [(LONG, None)], [OctetString(bytes(40))])),
        ("00FE19", lambda context: set_with_list(context, [(LONG, SELECTION)], [None])),
    ],
)
def test_what_was_not_agreed_on_is_not_sent(conformance, service):
    client = opened_client(40, conformance)
    exchange = client.association.start(service)
    with pytest.raises(UnsupportedError):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize("value", [5, trusted(Unsigned)(256), object()])
def test_a_value_of_no_type_is_not_sent(value):
    client, exchange = writing(value)
    with pytest.raises(EncodeError):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize(
    "answer", ["C40141000 0", "C7014100 00", "C502410000 0001", "C505410100", "C0014100"]
)
def test_an_answer_of_another_kind(answer):
    client, exchange = writing()
    client.receive(answer.replace(" ", ""))
    if answer.startswith("C0"):
        assert not exchange.done
        return
    with pytest.raises(ProtocolError):
        exchange.result()


@pytest.mark.parametrize("answer", ["C5054101 00", "C5054103000000", "C5014100", "C505 4100"])
def test_more_or_fewer_results_than_items(answer):
    client, exchange = writing_list()
    client.receive(answer.replace(" ", ""))
    with pytest.raises(ProtocolError):
        exchange.result()


def test_a_list_that_is_refused_as_a_whole():
    client, exchange = writing_list()
    assert client.converse(exchange, LIST, "C50141FA") == (R.OTHER_REASON,) * 2


# --- blocks ----------------------------------------------------------------------------------------------------------


def written_in_blocks(client, exchange, final: str) -> tuple[list[int], bytes]:
    """Acknowledge every block; return the sizes of the requests and the joined raw data."""
    sizes, joined, number = [], b"", 0
    while True:
        (request,) = client.sent()
        octets = bytes.fromhex(request)
        sizes.append(len(octets))
        block = decode(octets).datablock
        number += 1
        assert block.block_number == number
        joined += block.raw_data
        if block.last_block:
            client.receive(final.format(number))
            return sizes, joined
        client.receive(f"C50241{number:08X}")


@pytest.mark.parametrize(
    "size", [20, 21, 39, 40, 41, 136, 137, 138, 146, 147, 148, 264, 265, 266, 274, 275, 276, 500]
)
@pytest.mark.parametrize("selection", [None, SELECTION], ids=["whole", "part"])
def test_blocks_fill_the_size_of_the_server_to_the_octet(size, selection):
    value = OctetString(bytes(range(256)) * 4)
    client, exchange = writing(value, size, selection)
    if selection is not None and size < 22:
        with pytest.raises(ConfigurationError):
            exchange.result()
        return
    sizes, joined = written_in_blocks(client, exchange, "C5034100{:08X}")
    assert exchange.result() is R.SUCCESS
    assert joined == b"\x09\x82\x04\x00" + value
    assert max(sizes) <= size
    assert all(each >= size - 1 for each in sizes[:-1])


@pytest.mark.parametrize("size", [35, 40, 160, 300])
def test_a_list_in_blocks(size):
    values = (OctetString(bytes(200)), OctetString(bytes(range(200))))
    client, exchange = writing_list(values, size)
    sizes, joined = written_in_blocks(client, exchange, "C50441020003{:08X}")
    assert exchange.result() == (R.SUCCESS, R.READ_WRITE_DENIED)
    assert joined == b"\x02\x09\x81\xc8" + values[0] + b"\x09\x81\xc8" + values[1]
    assert max(sizes) <= size
    assert all(each >= size - 1 for each in sizes[:-1])


@pytest.mark.parametrize("answer", ["C5034111{:08X}", "C5014111"])
@pytest.mark.parametrize("after", [1, 2])
def test_the_server_may_end_a_transfer(answer, after):
    client, exchange = writing(OctetString(bytes(200)), 40)
    for number in range(1, after):
        client.receive(f"C50241{number:08X}")
    client.sent()
    client.receive(answer.format(after))
    assert exchange.result() is R.LONG_SET_ABORTED
    assert client.sent() == []


def test_the_server_may_end_the_transfer_of_a_list():
    for answer in ("C5034111 00000001", "C504410211 1100000001", "C5014111"):
        client, exchange = writing_list((OctetString(bytes(200)), None), 40)
        client.receive(answer.replace(" ", ""))
        assert exchange.result() == (R.LONG_SET_ABORTED,) * 2
    client, exchange = writing_list((OctetString(bytes(200)), None), 40)
    client.receive("C504410111 00000001".replace(" ", ""))
    assert exchange.result() == (R.LONG_SET_ABORTED,) * 2


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (["C5024100000002"], ProtocolError),
        (["C5024100000000"], ProtocolError),
        (["C5024100000001", "C5024100000001"], ProtocolError),
        (["C5014100"], ProtocolError),
        (["C5044103131313 00000001"], ProtocolError),
        (["C4014101 00"], ProtocolError),
        (["C70141 0000"], ProtocolError),
        (["D80101"], ExceptionResponseError),
    ],
)
def test_an_acknowledgement_of_something_else(answers, error):
    client, exchange = writing(OctetString(bytes(200)), 40)
    for answer in answers:
        assert not exchange.done
        client.receive(answer.replace(" ", ""))
    with pytest.raises(error):
        exchange.result()


def test_the_last_block_wants_a_result():
    client, exchange = writing(OctetString(bytes(40)), 40)
    client.receive("C5024100000001")
    client.receive("C5024100000002")
    with pytest.raises(ProtocolError):
        exchange.result()


def test_a_server_that_takes_too_little_for_one_octet():
    _, exchange = writing(OctetString(bytes(40)), 19)
    with pytest.raises(ConfigurationError):
        exchange.result()


# --- unconfirmed -----------------------------------------------------------------------------------------------------


def test_unconfirmed():
    client = opened_client()
    client.association.send_unconfirmed(lambda context: set_unconfirmed(context, LONG, Unsigned(5)))
    outgoing = client.association.next_outgoing()
    assert outgoing.octets.hex().upper() == "C1010100010000800000FF02001105"
    assert not outgoing.confirmed


def test_unconfirmed_has_no_blocks_and_no_more_features():
    client = opened_client(40)
    with pytest.raises(UnsupportedError):
        client.association.send_unconfirmed(
            lambda context: set_unconfirmed(context, LONG, OctetString(bytes(26)))
        )
    client.association.send_unconfirmed(
        lambda context: set_unconfirmed(context, LONG, OctetString(bytes(25)))
    )
    assert len(client.sent()[0]) == 80
    client = opened_client(conformance="007E19")
    for descriptor, selection in ((LONG, SELECTION), (ALL_ATTRIBUTES, None)):
        with pytest.raises(UnsupportedError):
            client.association.send_unconfirmed(
                lambda context, d=descriptor, s=selection: set_unconfirmed(context, d, None, s)
            )
    assert client.sent() == []
