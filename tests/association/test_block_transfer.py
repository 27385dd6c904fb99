"""General block transfer: the octets of the example, rules of both parties, and what a hostile peer gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode, encode
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.block_transfer import BlockTransfer, cut_unconfirmed
from cosem.association.client.conversations.get import get
from cosem.association.client.conversations.set import set_attribute
from cosem.association.context import TransferLimits
from cosem.association.server.profile import ServerLimits
from cosem.association.unconfirmed_blocks import UnconfirmedBlocks
from cosem.errors import (
    ConfigurationError,
    ExceptionResponseError,
    LimitError,
    ProtocolError,
    TransportClosed,
    TransportTimeout,
)
from cosem.types.data import OctetString
from tests.association.client_driver import LONG, SHORT, opened_client
from tests.association.server_driver import LONG as LONG_NAME
from tests.association.server_driver import UNDEFINED, opened_server
from tests.association.server_driver import get as get_request
from tests.vectors import vector

GBT = "20EE1D"
"""Conformance: the services of logical names, and general block transfer in place of the blocks of GET."""
BOTH = "20FE1D"


def block(
    number: int, acknowledged: int, data: bytes = b"", *, last=False, streaming=False, window=1
) -> bytes:
    control = GeneralBlockTransfer.control(last_block=last, streaming=streaming, window=window)
    return encode(GeneralBlockTransfer(control, number, acknowledged, data))


def sent(transfer: BlockTransfer) -> list[tuple[bool, bool, int, int, int, bytes]]:
    out = [
        (
            each.last_block,
            each.streaming,
            each.window,
            each.block_number,
            each.block_number_ack,
            each.block_data,
        )
        for each in transfer.outgoing
    ]
    transfer.outgoing.clear()
    return out


def test_the_published_exchange():
    """GBT.1 to GBT.3: one block, its acknowledgement, and the rest with the last block."""
    client = opened_client(conformance=GBT)
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive(vector("xdlms", "GBT.1").octets)
    (acknowledgement,) = client.sent()
    assert acknowledgement == "E0880001000100"  # as GBT.2, with our window of 8
    assert not exchange.done
    client.receive(vector("xdlms", "GBT.3").octets)
    assert exchange.result() == OctetString(bytes.fromhex("".join(f"{n:02d}" for n in range(1, 51))))
    assert client.sent() == []  # no final acknowledgement: the next request says as much


def test_the_example_with_a_lost_block():
    """Client window 3, block 3 of 6 gets lost (xDLMS, 20.8)."""
    client = BlockTransfer(20, client=True, window=3)
    server = BlockTransfer(20, client=False, window=3)
    parts = [bytes([n]) * 13 for n in range(1, 7)]
    server.send(b"".join(parts))
    assert sent(server) == [(False, False, 3, 1, 0, parts[0])]
    assert client.receive(decode(block(1, 0, parts[0]))) is None
    (first,) = client.outgoing
    assert sent(client) == [(True, False, 3, 1, 1, b"")]
    server.receive(first)
    second = list(server.outgoing)
    assert [each[1:5] for each in sent(server)] == [(True, 3, 2, 1), (True, 3, 3, 1), (False, 3, 4, 1)]
    client.receive(second[0])
    client.receive(second[2])
    (ask,) = client.outgoing
    assert sent(client) == [(True, False, 1, 2, 2, b"")]
    server.receive(ask)
    (again,) = server.outgoing
    assert sent(server) == [(False, False, 3, 3, 2, parts[2])]
    client.receive(again)
    (go_on,) = client.outgoing
    assert sent(client) == [(True, False, 3, 3, 4, b"")]
    server.receive(go_on)
    last = list(server.outgoing)
    assert [each[:5] for each in sent(server)] == [(False, True, 3, 5, 3), (True, False, 3, 6, 3)]
    assert client.receive(last[0]) is None
    assert client.receive(last[1]) == b"".join(parts)
    assert sent(client) == []


def test_a_long_request_is_answered_in_blocks_however_short_the_answer_is():
    client = opened_client(size=40, conformance=GBT)
    server = opened_server(conformance=GBT, max_receive_pdu_size=40)
    value = OctetString(bytes(range(200)))
    exchange = client.association.start(lambda context: set_attribute(context, LONG, value))
    blocks = 0
    while not exchange.done:
        for octets in client.sent():
            assert octets.startswith("E0")
            assert len(octets) <= 80
            processing = server.association.process(bytes.fromhex(octets), server.now)
            outcome = None
            try:
                while True:
                    outcome = server.application.resolve(processing.send(outcome))
            except StopIteration as stop:
                for answer in stop.value:
                    blocks += 1
                    assert answer[0] == 0xE0
                    client.receive(answer)
    assert exchange.result() == 0
    assert server.application.values["0.0.128.0.0.255", 2] == value
    assert blocks < 7


def test_a_repeated_request_is_not_executed_twice_but_answered_again():
    server = opened_server(conformance=GBT)
    request = block(1, 0, bytes.fromhex(get_request(LONG_NAME)), last=True)
    first = server(request)
    assert first is not None
    assert first.startswith("E088000100013")
    assert server(request) == first
    assert len(server.application.seen) == 3  # two of the opening


def test_another_request_begins_a_new_exchange():
    server = opened_server(conformance=GBT)
    server(block(1, 0, bytes.fromhex(get_request(LONG_NAME)), last=True))
    other = server(block(1, 0, bytes.fromhex(get_request(LONG_NAME, invoke_id="C2")), last=True))
    assert other is not None
    assert "C401C2" in other


def test_a_client_that_has_shown_no_block_gets_those_of_the_service():
    """dlms-cosem 25.1.0 proposes general block transfer and does not understand it."""
    server = opened_server(size=40, conformance=BOTH)
    assert server(get_request(LONG_NAME))[:4] == "C402"
    assert server(block(1, 0, bytes.fromhex(get_request(UNDEFINED)), last=True))[:2] == "E0"
    assert server(get_request(LONG_NAME))[:2] == "E0"


def test_what_is_no_block_ends_the_exchange():
    server = opened_server(size=40, conformance=GBT)
    assert server(get_request(LONG_NAME)) is not None
    assert server.association.blocks.running
    assert server(get_request(UNDEFINED)) == "C401C10104"
    assert not server.association.blocks.running


def test_the_server_forgets_an_exchange_whose_client_is_silent():
    server = opened_server(size=40, conformance=GBT, limits=ServerLimits(progress=30))
    server(get_request(LONG_NAME))
    assert server.association.deadline() == 30
    server.association.tick(30)
    assert not server.association.blocks.running
    assert server(block(1, 1, last=True)) is None


@pytest.mark.parametrize(
    "octets",
    [
        block(1, 7, b"x"),  # acknowledges what nobody sent
        block(60, 0, b"x"),  # beyond the window
        "E0",
        "E088",
    ],
)
def test_a_server_refuses_what_breaks_the_rules(octets):
    server = opened_server(size=40, conformance=GBT)
    server(get_request(LONG_NAME))
    assert server(octets) == "D80101"


def test_abort_and_leftovers_are_met_with_silence():
    server = opened_server(size=40, conformance=GBT)
    assert server(block(3, 2, last=True)) is None
    server(get_request(LONG_NAME))
    assert server(block(0, 0, last=True, window=0, streaming=True)) is None
    assert server(block(0, 0, last=True)) is None
    assert not server.association.blocks.running


def test_blocks_need_to_be_agreed_on():
    assert opened_server()(block(1, 0, b"x", last=True)) == "D80202"
    client = opened_client()
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.receive(block(1, 0, b"x", last=True))
    assert not exchange.done
    assert client.association.unmatched == 1


def test_no_acse_apdu_comes_in_blocks():
    server = opened_server(conformance=GBT)
    assert server(block(1, 0, bytes.fromhex("6200"), last=True)) == "D80202"
    assert server.association.context.client_max_receive_pdu_size == 1200


@pytest.mark.parametrize(
    "blocks",
    [
        [block(1, 0, b"ab"), block(1, 0, b"ab", window=3), block(2, 0, b"x"), block(2, 0, b"y")],
        [block(1, 0, b"ab"), block(0, 0)],
        [block(1, 0, b"ab"), block(40, 0, b"x")],
        [block(1, 0, b"ab"), block(2, 9, b"x")],
    ],
)
def test_a_server_that_breaks_the_rules_ends_the_association_cleanly(blocks):
    client = opened_client(conformance=GBT)
    exchange = client.association.start(lambda context: get(context, SHORT))
    for octets in blocks:
        client.receive(octets)
    with pytest.raises(ProtocolError):
        exchange.result()
    assert isinstance(client.association.lost_by, TransportClosed)


def test_an_endless_answer_meets_the_limit():
    client = opened_client(conformance=GBT, transfer_limits=TransferLimits(octets=1000))
    exchange = client.association.start(lambda context: get(context, SHORT))
    for number in range(1, 20):
        client.receive(block(number, 0 if number == 1 else number - 1, bytes(100)))
        client.sent()
    with pytest.raises(LimitError):
        exchange.result()


@pytest.mark.parametrize("streaming", [True, False])
def test_a_server_that_begins_anew_for_ever_is_given_up(streaming):
    client = opened_client(conformance=GBT, transfer_limits=TransferLimits(empty_blocks=3))
    exchange = client.association.start(lambda context: get(context, SHORT))
    for number in range(5):  # last and streaming contradict each other; without, other data each time
        window = int(not streaming)
        client.receive(block(1, 0, bytes((0xC4, number)), last=streaming, streaming=streaming, window=window))
        client.sent()
    with pytest.raises(ProtocolError):
        exchange.result()
    assert isinstance(client.association.lost_by, TransportClosed)


def test_the_client_asks_again_and_gives_up_cleanly():
    client = opened_client(conformance=GBT)
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive(block(1, 0, b"ab"))
    (first,) = client.sent()
    for _ in range(3):
        client.association.timed_out(exchange, TransportTimeout("no answer"))
        assert client.sent() == [first]
    client.association.timed_out(exchange, TransportTimeout("no answer"))
    with pytest.raises(TransportTimeout):
        exchange.result()
    assert client.association.lost_by is not None


def test_notifications_come_between_blocks_and_in_blocks():
    client = opened_client(conformance=GBT)
    exchange = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive(vector("xdlms", "GBT.1").octets)
    client.receive(vector("xdlms", "DN.1").octets)
    for each in cut_unconfirmed(vector("xdlms", "DN.2").octets, 20):
        client.receive(encode(each))
    client.receive(vector("xdlms", "GBT.3").octets)
    assert exchange.done
    assert [encode(each.apdu) for each in client.association.notifications] == [
        vector("xdlms", name).octets for name in ("DN.1", "DN.2")
    ]


def test_an_exception_response_ends_the_transfer_and_leaves_the_association_usable():
    client = opened_client(size=40, conformance=GBT)
    value = OctetString(bytes(100))
    exchange = client.association.start(lambda context: set_attribute(context, LONG, value))
    client.receive(block(1, 1))
    client.receive("D80104")
    with pytest.raises(ExceptionResponseError):
        exchange.result()
    again = client.association.start(lambda context: get(context, SHORT))
    client.sent()
    client.receive("C401C2000A03303030")
    assert again.result() == "000"


def test_requests_wait_for_their_turn_and_urgent_ones_go_first():
    client = opened_client(conformance="20FE5D")
    start = client.association.start
    exchanges = [start(lambda context: get(context, SHORT)) for _ in range(3)]
    exchanges.append(start(lambda context: get(context, SHORT), high_priority=True))
    order = []
    while requests := client.sent():
        (request,) = requests
        order.append(request[4:6])
        client.receive("C401" + request[4:6] + "000A03303030")
    assert order == ["41", "C4", "42", "43"]
    assert all(exchange.done for exchange in exchanges)


@given(message=st.binary(min_size=1, max_size=300), size=st.integers(8, 60), order=st.randoms())
def test_unconfirmed_blocks_make_the_message_in_any_order(message, size, order):
    blocks = cut_unconfirmed(message, size)
    order.shuffle(blocks)
    collector = UnconfirmedBlocks()
    assert [each for each in (collector.take(each, 0.0) for each in blocks) if each is not None] == [message]


@given(message=st.binary(min_size=30, max_size=300), lost=st.data())
def test_what_is_not_whole_in_time_is_never_mixed_with_what_follows(message, lost):
    blocks = cut_unconfirmed(message, 20)
    del blocks[lost.draw(st.integers(0, len(blocks) - 1))]
    collector = UnconfirmedBlocks(patience=5)
    assert all(collector.take(each, 0.0) is None for each in blocks)
    whole = [collector.take(each, 6.0) for each in cut_unconfirmed(message[::-1], 20)]
    assert whole[-1] == message[::-1]
    assert collector.dropped == 1


@pytest.mark.parametrize("window", [0, 64])
def test_windows_have_6_bits(window):
    with pytest.raises(ConfigurationError):
        BlockTransfer(100, client=True, window=window)


def test_numbers_have_16_bits():
    with pytest.raises(LimitError):
        cut_unconfirmed(bytes(65536), 8)


class CountingNumber(int):
    """A block number that counts how often it is compared."""

    compared = 0

    def __ge__(self, other):
        type(self).compared += 1
        return int(self) >= other

    def __gt__(self, other):
        type(self).compared += 1
        return int(self) > other


def test_each_acknowledgement_costs_the_same_however_much_is_left_to_send(monkeypatch):
    monkeypatch.setattr(CountingNumber, "compared", 0)
    blocks = 1000
    server = BlockTransfer(8, client=False)
    server.receive(GeneralBlockTransfer(0x81, 1, 0, b"?"))
    server.send(bytes(blocks))
    while not server.finished:
        (held,) = server.outgoing
        server.outgoing.clear()
        number = CountingNumber(held.block_number)
        server.receive(GeneralBlockTransfer(0x81, held.block_number + 1, number, b""))
    assert server.acknowledged_octets == blocks
    assert CountingNumber.compared < 10 * blocks


def test_a_block_that_was_known_before_does_not_begin_a_new_wait():
    client = opened_client(size=40, conformance=GBT)
    exchange = client.association.start(lambda context: get(context, LONG))
    client.sent()
    first = block(1, 0, b"\xc4\x01", streaming=True, window=8)
    client.receive(first)
    steps = exchange.steps
    for _ in range(10):
        client.receive(first)
    assert not exchange.done
    assert exchange.steps == steps
    client.receive(block(2, 0, b"\x41\x00", streaming=True, window=8))
    assert exchange.steps == steps + 1


def test_a_slow_line_has_the_time_that_its_octets_need():
    server = opened_server(size=40, conformance=GBT)
    value = bytes(range(256)) * 20
    server.application.values["0.0.128.0.0.255", 2] = OctetString(value)
    answer = decode(bytes.fromhex(server(get_request(LONG_NAME))))
    read = answer.block_data
    while not answer.last_block:
        server.now += 1.0
        server.association.tick(server.now)
        following = block(answer.block_number, answer.block_number, last=True)
        answer = decode(bytes.fromhex(server(following)))
        read += answer.block_data
    assert server.now > 150
    assert read[-len(value) :] == value
