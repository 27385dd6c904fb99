"""Long answers of GET at the server: sizes to the octet, and what ends a transfer."""

from __future__ import annotations

import pytest

from cosem.apdu import decode
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.association.server.indications import AbortIndication, MethodOutcome, ReadAttribute
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.types.data import OctetString
from cosem.types.enumerations import Conformance
from tests.association.server_driver import (
    ALL,
    LONG,
    METHOD,
    SHORT,
    Server,
    conformance_without,
    get,
    open_request,
    opened_server,
)


def blocks_of(server: Server, first: str) -> tuple[list[str], bytes]:
    """Return every answer and the joined octets."""
    answers = [first]
    joined = b""
    number = 1
    while True:
        block = decode(bytes.fromhex(answers[-1])).result
        assert block.block_number == number
        joined += block.result
        if block.last_block:
            return answers, joined
        answers.append(server(f"C002C1{number:08X}"))
        number += 1


@pytest.mark.parametrize("size", [12, 13, 39, 40, 41, 137, 138, 139, 140, 265, 266, 267, 268, 269, 270, 1000])
@pytest.mark.parametrize("length", [0, 1, 30, 127, 128, 300, 2000])
def test_blocks_fill_the_size_of_the_client_to_the_octet(size, length):
    server = opened_server(size)
    value = OctetString(bytes(range(256)) * 8)[:length]
    server.application.values["0.0.128.0.0.255", 2] = OctetString(value)
    whole = server(get(LONG))
    if whole[:4] == "C401":
        assert len(whole) // 2 <= size
        return
    answers, joined = blocks_of(server, whole)
    assert (
        joined
        == bytes.fromhex(
            "09"
            + (f"{length:02X}" if length < 128 else f"81{length:02X}" if length < 256 else f"82{length:04X}")
        )
        + value
    )
    sizes = [len(answer) // 2 for answer in answers]
    assert max(sizes) <= size
    # One octet more in a full block would not fit: at most the second octet of a length is lost.
    assert all(each >= size - 1 for each in sizes[:-1])
    assert len(server.association.transfers) == 0


@pytest.mark.parametrize(
    ("requests", "answer"),
    [
        ([get(LONG), "C002C100000000"], "C402C101000000000113"),
        ([get(LONG), "C002C100000002"], "C402C101000000020113"),
        ([get(LONG), "C002C1FFFFFFFF"], "C402C101FFFFFFFF0113"),
        (["C002C100000001"], "C402C101000000010110"),
        (["C002C100000000"], "C402C101000000000110"),
        ([get(LONG), "C002C200000001"], "C402C201000000010110"),
        ([get(LONG), "C002C100000001", "C002C100000002"], "C402C101000000020110"),
        ([get(LONG), "C002C100000007", "C002C100000001"], "C402C101000000010110"),
        ([get(LONG), get(SHORT), "C002C100000001"], "C402C101000000010110"),
        ([get(LONG), f"C101C1{SHORT}001105", "C002C100000001"], "C402C101000000010110"),
        ([get(LONG), f"C301C1{METHOD}00", "C002C100000001"], "C402C101000000010110"),
        ([get(LONG), "C302C100000001"], "C701C11000"),
        ([get(LONG), "C103C10100000002021105"], "C503C11200000002"),
        ([get(LONG), "C306C10100000002021105"], "C701C11000"),
    ],
)
def test_a_wrong_next_ends_the_transfer(requests, answer):
    server = opened_server(40)
    for request in requests[:-1]:
        server(request)
    assert server(requests[-1]) == answer


def test_transfers_of_other_invoke_ids_go_on():
    server = opened_server(40)
    first = [server(get(LONG, invoke_id=each)) for each in ("C1", "C2")]
    assert first[0].replace("C402C1", "C402C2") == first[1]
    server(get(SHORT, invoke_id="C3"))
    assert server("C002C200000001")[:16] == "C402C20100000002"
    assert server("C002C100000001")[:16] == "C402C10100000002"


def test_blocks_are_a_snapshot():
    server = opened_server(40)
    _, before = blocks_of(server, server(get(LONG)))
    first = server(get(LONG))
    server.application.values["0.0.128.0.0.255", 2] = OctetString(b"changed")
    assert blocks_of(server, first)[1] == before


def test_without_block_transfer_a_long_value_is_refused():
    server = opened_server(40, conformance_without(11))
    assert server(get(LONG)) == "C401C101FA"
    assert server(f"C003C102{LONG}00{SHORT}00") == "C403C10201FA01FA"
    assert server(f"C003C10F{f'{SHORT}00' * 15}") == "C403C10F" + "01FA" * 15
    assert server(f"C003C113{f'{SHORT}00' * 19}") == "D80104"


def test_an_answer_beyond_the_limit_is_not_begun():
    server = opened_server(40, limits=ServerLimits(answer=51))
    assert server(get(LONG)) == "D80104"
    assert server(f"C003C103{f'{LONG}00' * 3}") == "D80104"
    assert len(server.application.of_kind(ReadAttribute)) == 2
    assert len(server.association.transfers) == 0


def test_snapshots_are_bounded_together():
    server = opened_server(40, limits=ServerLimits(answer=120))
    for number in range(16):
        server(get(LONG, invoke_id=f"C{number:X}"))
    assert len(server.association.transfers) == 2
    assert server("C002CF00000001")[:16] == "C402CF0100000002"
    assert server("C002CE00000001")[:16] == "C402CE0100000002"
    assert server("C002C000000001") == "C402C001000000010110"


def test_a_silent_client_loses_its_transfer():
    server = opened_server(40, limits=ServerLimits(progress=30, transfer=120))
    server(get(LONG))
    assert server.association.deadline() == 30
    server.now = 30.0
    assert server("C002C100000001") == "C402C101000000010110"
    server(get(LONG))
    server.association.tick(59.9)
    assert len(server.association.transfers) == 1
    server.association.tick(60.0)
    assert len(server.association.transfers) == 0
    assert server.association.deadline() is None


def test_a_slow_line_has_the_time_that_its_octets_need():
    server = opened_server(40)
    value = bytes(range(256)) * 20
    server.application.values["0.0.128.0.0.255", 2] = OctetString(value)
    answer = bytes.fromhex(server(get(LONG)))
    read = b""
    for number in range(1, 1000):
        read += answer[10:]
        if answer[3]:
            break
        server.now += 1.0
        server.association.tick(server.now)
        answer = bytes.fromhex(server(f"C002C1{number:08X}"))
    assert server.now > 150
    assert read[4:] == value


def test_a_client_slower_than_any_line_has_120_seconds_in_all():
    server = opened_server(12, limits=ServerLimits(progress=30, transfer=120))
    server(get(LONG))
    for number in range(1, 5):
        server.now += 29
        assert server(f"C002C1{number:08X}")[:6] == "C402C1"
    server.now += 5
    assert server("C002C100000005") == "C402C101000000050110"


def test_over_datagrams_the_last_block_may_be_asked_for_again():
    server = opened_server(40, repeat_blocks=True)
    server(get(LONG))
    second = server("C002C100000001")
    assert server("C002C100000001") == second
    assert server("C002C100000002") == "C402C101000000020110"
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=OctetString(bytes(50)))
    server(f"C301C1{METHOD}00")
    second = server("C302C100000001")
    assert server("C302C100000001") == second
    assert server("C302C100000002") == "C701C11000"


def test_a_release_and_an_abort_drop_the_transfers():
    for end in ("6200", open_request(ALL, 40)):
        server = opened_server(40)
        server(get(LONG))
        server(end)
        assert len(server.association.transfers) == 0
    server = opened_server(40)
    server(get(LONG))
    assert isinstance(server.association.abort("gone"), AbortIndication)
    assert len(server.association.transfers) == 0


def test_a_size_without_room_for_one_octet_in_a_block_is_told():
    conformance = ALL_SERVICES_LN & ~Conformance.GENERAL_BLOCK_TRANSFER
    profile = AssociationProfile(
        pre_established=True, client_max_receive_pdu_size=10, conformance=conformance
    )
    server = Server(profile)
    assert server(get(LONG)) == "D80104"
    assert len(server.association.transfers) == 0
