"""Read and Write at the client: what is asked, what answers may come, and what wrong ones end in."""

from __future__ import annotations

import pytest

from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.client.association import Exchange
from cosem.association.client.conversations.read import read, read_list
from cosem.association.client.conversations.write import unconfirmed_write, write, write_list
from cosem.association.context import TransferLimits
from cosem.errors import (
    ConfigurationError,
    ConfirmedServiceErrorReceived,
    CosemError,
    DecodeError,
    ExceptionResponseError,
    LimitError,
    ProtocolError,
    StateError,
    TransportClosed,
    TransportTimeout,
    UnsupportedError,
)
from cosem.types.data import Array, OctetString, Unsigned
from cosem.types.enumerations import Conformance, DataAccessResult
from tests.association.client_driver import Client
from tests.association.short_names.driver import DIGITS, FIFTY, TEXT, opened_client, without

R, B = DataAccessResult, Conformance
NAME, OTHER = VariableName(0x0100), VariableName(0x0110)
PART = ParameterizedAccess(0x1208, 1, None)


def reading(client: Client, *variables: VariableName | ParameterizedAccess) -> Exchange:
    return client.association.start(lambda context: read_list(context, variables))


def writing(client: Client, *values: object) -> Exchange:
    variables = [NAME] * len(values)
    return client.association.start(lambda context: write_list(context, variables, values))


# --- what was not agreed on ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bit", "service"),
    [
        (B.READ, lambda context: read(context, NAME)),
        (B.MULTIPLE_REFERENCES, lambda context: read_list(context, [NAME, OTHER])),
        (B.PARAMETERIZED_ACCESS, lambda context: read(context, PART)),
        (B.BLOCK_TRANSFER_WITH_GET_OR_READ, lambda context: read(context, ParameterizedAccess(8, 0, FIFTY))),
        (B.WRITE, lambda context: write(context, NAME, TEXT)),
        (B.MULTIPLE_REFERENCES, lambda context: write_list(context, [NAME, OTHER], [TEXT, TEXT])),
        (B.PARAMETERIZED_ACCESS, lambda context: write(context, PART, TEXT)),
        (B.BLOCK_TRANSFER_WITH_SET_OR_WRITE, lambda context: write(context, NAME, FIFTY)),
    ],
)
def test_what_was_not_agreed_on_is_not_asked_for(bit, service):
    client = opened_client(40, without(bit))
    exchange = client.association.start(service)
    assert client.sent() == []
    with pytest.raises(UnsupportedError, match="did not agree on"):
        exchange.result()
    client = opened_client(40)
    assert not client.association.start(service).done
    assert len(client.sent()) == 1


@pytest.mark.parametrize(
    ("bit", "variables"),
    [(B.UNCONFIRMED_WRITE, [NAME]), (B.MULTIPLE_REFERENCES, [NAME, OTHER]), (B.PARAMETERIZED_ACCESS, [PART])],
)
def test_an_unconfirmed_write_needs_what_it_uses(bit, variables):
    values = [TEXT] * len(variables)
    client = opened_client(40, without(bit))
    with pytest.raises(UnsupportedError, match="did not agree on"):
        client.association.send_unconfirmed(lambda context: unconfirmed_write(context, variables, values))
    assert client.sent() == []
    opened_client(40).association.send_unconfirmed(
        lambda context: unconfirmed_write(context, variables, values)
    )


def test_an_unconfirmed_write_has_no_blocks():
    client = opened_client(40)
    with pytest.raises(UnsupportedError, match="the server takes 40"):
        client.association.send_unconfirmed(lambda context: unconfirmed_write(context, [NAME], [FIFTY]))


def test_as_many_values_as_variables():
    client = opened_client()
    exchange = client.association.start(lambda context: write_list(context, [NAME, OTHER], [TEXT]))
    with pytest.raises(ConfigurationError, match="2 variables and 1 values"):
        exchange.result()


# --- answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("0C00", ProtocolError),
        ("0C0100 00 0000", ProtocolError),
        ("0C0300000000 0000", ProtocolError),
        ("0C01030001", ProtocolError),
        ("0C0200000300 01", ProtocolError),
        ("0C02 02000001 00 02000001 00", ProtocolError),
        ("0C01 0200 0002 00", ProtocolError),
        ("0C01 0200 0000 00", ProtocolError),
        ("0C01 0201 0001 00", DecodeError),
        ("0C01 0201 0001 03 01 00 07", DecodeError),
        ("0C01 0201 0001 03 01 02 07", DecodeError),
        ("0C05", DecodeError),
        ("0E050302", ConfirmedServiceErrorReceived),
        ("D80102", ExceptionResponseError),
    ],
)
def test_answers_to_a_list_that_are_none(answer, error):
    client = opened_client()
    exchange = reading(client, NAME, OTHER)
    assert len(client.sent()) == 1
    client.receive(answer)
    with pytest.raises(error):
        exchange.result()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("0D00", ProtocolError),
        ("0D0100", ProtocolError),
        ("0D03000000", ProtocolError),
        ("0D01020001", ProtocolError),
        ("0D02020001020001", ProtocolError),
        ("0D02", DecodeError),
        ("0E060302", ConfirmedServiceErrorReceived),
        ("D80102", ExceptionResponseError),
    ],
)
def test_answers_to_writing_a_list_that_are_none(answer, error):
    client = opened_client()
    exchange = writing(client, TEXT, TEXT)
    assert len(client.sent()) == 1
    client.receive(answer)
    with pytest.raises(error):
        exchange.result()


def test_one_refusal_of_a_list_refuses_all():
    client = opened_client()
    assert client.converse(reading(client, NAME, OTHER), "0502020100020110", "0C0101FA") == (
        R.OTHER_REASON,
        R.OTHER_REASON,
    )
    assert client.converse(writing(client, None, None), "060202010002010002 0000", "0D0101FA") == (
        R.OTHER_REASON,
        R.OTHER_REASON,
    )


def test_an_answer_of_another_kind_is_no_answer():
    client = opened_client()
    exchange = reading(client, NAME)
    client.sent()
    client.receive("0D0100")
    client.receive("C401C100 0F01")
    assert not exchange.done
    assert client.association.unmatched == 2
    client.receive("0C01000F07")
    assert exchange.result() == (7,)


def test_a_confirmed_service_error_ends_the_request_that_it_names():
    client = opened_client()
    first, second = reading(client, NAME), writing(client, TEXT)
    client.sent()
    client.receive("0E060302")
    assert second.done
    assert not first.done
    client.receive("0C01000F07")
    assert first.result() == (7,)
    with pytest.raises(ConfirmedServiceErrorReceived) as caught:
        second.result()
    assert (caught.value.service, caught.value.error_group, caught.value.error) == (6, 3, 2)


def test_there_is_one_request_at_a_time():
    client = opened_client()
    first, second = reading(client, NAME), reading(client, OTHER)
    with pytest.raises(StateError):
        second.result()
    assert not first.done


def test_a_silent_server_costs_the_association():
    client = opened_client()
    exchange = reading(client, NAME)
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    with pytest.raises(TransportTimeout):
        exchange.result()
    assert isinstance(client.association.lost_by, TransportClosed)
    with pytest.raises(StateError):
        reading(client, NAME)


# --- long answers ---------------------------------------------------------------------------------------


def test_the_progress_is_told():
    client = opened_client()
    told: list[int] = []
    exchange = client.association.start(lambda context: read(context, NAME, told.append))
    client.converse(exchange, "0501020100", "0C010200000103 010009", "0501050001", "0C010201000202 01 07")
    assert exchange.result() == b"\x07"
    assert told == [3, 5]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("0C01020000010007", None),  # a duplicate of the block: the acknowledgement is repeated
        ("0C010200000300", ProtocolError),
        ("0C010200000000", ProtocolError),
        ("0C01000F01", ProtocolError),
        ("0C01030001", ProtocolError),
        ("0C00", ProtocolError),
        ("0C0202010002000000", ProtocolError),
        ("0E050302", ConfirmedServiceErrorReceived),
        ("D80102", ExceptionResponseError),
    ],
)
def test_what_may_come_in_place_of_the_second_block(answer, error):
    client = opened_client()
    exchange = reading(client, NAME)
    client.sent()
    client.receive("0C010200000103 010009")
    assert client.sent() == ["0501050001"]
    if error is None:
        client.receive("0C010200000103 010009")
        assert client.sent() == ["0501050001"]
        client.receive("0C010200000103 010009")
        error = ProtocolError
    else:
        client.receive(answer)
    with pytest.raises(error):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize("result", [14, 15, 16, 19])
def test_an_error_ends_a_long_answer(result):
    client = opened_client()
    exchange = client.association.start(lambda context: read(context, NAME))
    client.converse(exchange, "0501020100", "0C010200000103 010009", "0501050001", f"0C0101{result:02X}")
    assert exchange.result() == R(result)


def test_blocks_without_the_count_are_taken_and_named():
    client = opened_client()
    exchange = client.association.start(lambda context: read(context, NAME))
    client.converse(exchange, "0501020100", f"0C01020100 0134 0932{DIGITS}")
    assert exchange.result() == FIFTY
    assert client.association.findings == ["read-blocks-without-count"]
    exchange = reading(client, NAME, OTHER)
    client.converse(exchange, "0502020100020110", f"0C01020100 013A 0932{DIGITS}000A03303030")
    assert exchange.result() == (FIFTY, TEXT)


def test_a_strict_client_refuses_blocks_without_the_count():
    client = opened_client(strict=True)
    exchange = client.association.start(lambda context: read(context, NAME))
    with pytest.raises(DecodeError):
        client.converse(exchange, "0501020100", f"0C01020100 0134 0932{DIGITS}")


def test_octets_behind_the_last_result_are_named():
    client = opened_client()
    exchange = client.association.start(lambda context: read(context, NAME))
    client.converse(exchange, "0501020100", "0C01020100 0105 01 00 0F 07 FF")
    assert exchange.result() == 7
    assert client.association.findings == ["trailing-octets"]


def test_a_bomb_of_blocks_is_bounded():
    client = opened_client(transfer_limits=TransferLimits(octets=1000, empty_blocks=3))
    exchange = reading(client, NAME)
    number = 0
    while not exchange.done:
        number += 1
        client.sent()
        client.receive(f"0C010200{number:04X}64{'00' * 100}")
    assert number == 11
    with pytest.raises(LimitError):
        exchange.result()
    exchange = reading(client, NAME)
    for number in range(1, 5):
        client.sent()
        client.receive(f"0C010200{number:04X}00")
    with pytest.raises(ProtocolError, match="without octets"):
        exchange.result()


def test_a_bomb_in_few_octets_is_not_built():
    client = opened_client()
    exchange = client.association.start(lambda context: read(context, NAME))
    with pytest.raises(DecodeError):
        client.converse(exchange, "0501020100", "0C0102010001 09 0100 01 83FFFFFF 01")
    exchange = client.association.start(lambda context: read(context, NAME))
    with pytest.raises(DecodeError):
        client.converse(exchange, "0501020100", f"0C0102010001 81CA 0100 {'0101' * 100}")


# --- long requests --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("0C01030002", ProtocolError),
        ("0C01030000", ProtocolError),
        ("0C0203000100 00", ProtocolError),
        ("0C01000F01", ProtocolError),
        ("0C00", ProtocolError),
        ("0C010200000100", ProtocolError),
        ("0E050301", ConfirmedServiceErrorReceived),
        ("D80104", ExceptionResponseError),
    ],
)
def test_what_may_acknowledge_a_block_of_a_long_read(answer, error):
    client = opened_client(40)
    exchange = client.association.start(lambda context: read(context, ParameterizedAccess(8, 0, FIFTY)))
    assert [octets[:14] for octets in client.sent()] == ["05010600000121"]
    client.receive(answer)
    with pytest.raises(error):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("0D01020002", ProtocolError),
        ("0D01020000", ProtocolError),
        ("0D0202000100", ProtocolError),
        ("0D0100", ProtocolError),
        ("0D00", ProtocolError),
        ("0E060301", ConfirmedServiceErrorReceived),
        ("D80104", ExceptionResponseError),
    ],
)
def test_what_may_acknowledge_a_block_of_a_long_write(answer, error):
    client = opened_client(40)
    exchange = writing(client, FIFTY)
    assert [octets[:18] for octets in client.sent()] == ["06010700000101091F"]
    client.receive(answer)
    with pytest.raises(error):
        exchange.result()
    assert client.sent() == []


@pytest.mark.parametrize("result", [15, 16, 17, 18, 19])
def test_an_error_ends_a_long_request(result):
    client = opened_client(40)
    exchange = client.association.start(lambda context: read(context, ParameterizedAccess(8, 0, FIFTY)))
    client.sent()
    client.receive(f"0C0101{result:02X}")
    assert exchange.result() == R(result)
    exchange = writing(client, FIFTY)
    client.sent()
    client.receive(f"0D0101{result:02X}")
    assert exchange.result() == (R(result),)


def test_the_last_block_must_be_answered_by_results():
    client = opened_client(40)
    exchange = writing(client, OctetString(bytes(40)))
    assert len(client.sent()) == 1
    client.receive("0D01020001")
    assert len(client.sent()) == 1
    client.receive("0D01020002")
    with pytest.raises(ProtocolError, match="acknowledgement of a block"):
        exchange.result()


def test_block_numbers_have_16_bits():
    client = opened_client(12)
    longer = OctetString(bytes(6 * 65535))
    for exchange in (
        client.association.start(lambda context: read(context, ParameterizedAccess(8, 0, longer))),
        writing(client, longer),
    ):
        with pytest.raises(UnsupportedError, match="65535 blocks"):
            exchange.result()
    assert client.sent() == []


def test_a_size_without_room_for_an_octet_is_told():
    client = opened_client()
    exchange = client.association.start(lambda context: read(context, NAME))
    assert not exchange.done
    client = opened_client(12)
    exchange = writing(client, Array([Unsigned(1)] * 5))
    sent = client.sent()
    assert sent[0].startswith("060107000001010903")
    assert all(len(octets) // 2 <= 12 for octets in sent)


def test_errors_of_a_conversation_are_ours():
    client = opened_client()
    exchange = client.association.start(lambda context: write(context, NAME, object()))  # type: ignore[arg-type]
    with pytest.raises(CosemError):
        exchange.result()
    assert client.sent() == []
