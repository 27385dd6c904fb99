"""SET at the server: whole, as a list, in blocks, and what ends a transfer."""

from __future__ import annotations

import pytest

from cosem.association.server.indications import WriteAttribute
from cosem.association.server.profile import ServerLimits
from cosem.types.enumerations import DataAccessResult
from tests.association.server_driver import (
    LONG,
    METHOD,
    SHORT,
    UNDEFINED,
    conformance_without,
    get,
    opened_server,
)


@pytest.mark.parametrize("result", list(DataAccessResult))
def test_each_result_of_writing_is_told(result):
    server = opened_server()
    server.application.resolve = lambda indication: result
    assert server(f"C101C1{SHORT}001105") == f"C501C1{int(result):02X}"
    assert server(f"C104C102{SHORT}00{LONG}000211051106") == f"C505C102{int(result):02X}{int(result):02X}"
    assert server(f"C102C1{SHORT}000100000001021105") == f"C503C1{int(result):02X}00000001"
    assert server(f"C105C101{SHORT}00010000000103011105") == f"C504C101{int(result):02X}00000001"


def test_a_list_is_no_transaction():
    server = opened_server()
    assert server(f"C104C103{SHORT}00{UNDEFINED}00{LONG}0003110511061107") == "C505C103000400"
    assert server.application.values["0.0.128.0.0.255", 2] == 7


def test_descriptors_and_values_that_do_not_pair_write_nothing():
    server = opened_server()
    assert server(f"C104C102{SHORT}00{LONG}00011105") == "C505C1020C0C"
    assert server(f"C105C102{SHORT}00{LONG}00010000000103011105") == "C504C1020C0C00000001"
    assert server.application.of_kind(WriteAttribute) == []


def test_a_list_whose_results_cannot_be_told_is_not_written():
    server = opened_server(14)
    assert server(f"C104C10B{f'{SHORT}00' * 11}0B{'1105' * 11}") == "D80104"
    assert server.application.of_kind(WriteAttribute) == []
    assert server(f"C104C10A{f'{SHORT}00' * 10}0A{'1105' * 10}") == "C505C10A" + "00" * 10
    values = f"07{'1105' * 7}"
    assert server(f"C105C107{f'{SHORT}00' * 7}01000000010F{values}") == "D80104"
    values = f"06{'1105' * 6}"
    assert server(f"C105C106{f'{SHORT}00' * 6}01000000010D{values}") == f"C504C106{'00' * 6}00000001"


def test_features_of_set_that_were_not_agreed_on():
    server = opened_server(conformance=conformance_without(8, 14, 21, 12))
    assert server(f"C101C1{SHORT}010211011105") == "C501C1FA"
    assert server("C101C100010000800100FF00001105") == "C501C1FA"
    assert server(f"C104C101{SHORT}00011105") == "C505C101FA"
    assert server(f"C102C1{SHORT}000100000001021105") == "C503C1FA00000001"
    assert server(f"C105C101{SHORT}00010000000103011105") == "C504C101FA00000001"
    assert server.application.of_kind(WriteAttribute) == []
    assert len(server.association.transfers) == 0


FIRST, LAST = f"C102C1{LONG}00000000000102090A", "C103C1010000000203010203"


@pytest.mark.parametrize(
    ("requests", "answers"),
    [
        ([FIRST, "C103C101000000030A" + "00" * 10], ["C502C100000001", "C503C11300000003"]),
        ([FIRST, "C103C101000000010A" + "00" * 10], ["C502C100000001", "C503C11300000001"]),
        ([FIRST, "C103C1010000000002AAAA"], ["C502C100000001", "C503C11300000000"]),
        (["C103C1010000000102AAAA"], ["C503C11200000001"]),
        ([f"C102C1{LONG}00000000000202090A"], ["C503C11300000002"]),
        ([f"C102C1{LONG}00000000000002090A"], ["C503C11300000000"]),
        ([FIRST, get(SHORT), "C103C101000000020A" + "00" * 10], ["C502C100000001", None, "C503C11200000002"]),
        ([FIRST, FIRST, "C103C101000000020A" + "07" * 10], ["C502C100000001"] * 2 + ["C503C10000000002"]),
        ([FIRST, "C103C101000000020900" + "07" * 8], ["C502C100000001", "C503C10C00000002"]),
        ([FIRST, "C103C20100000002020105"], ["C502C100000001", "C503C21200000002"]),
        (
            [f"C105C102{SHORT}00{LONG}0000000000010102", "C103C101000000030102"],
            ["C502C100000001", "C504C102131300000003"],
        ),
        ([FIRST, "C302C100000001"], ["C502C100000001", "C701C11000"]),
        ([FIRST, "C002C100000001"], ["C502C100000001", "C402C101000000010110"]),
        ([FIRST, "C306C1010000000200"], ["C502C100000001", "C701C11000"]),
    ],
)
def test_blocks_of_a_set_and_what_ends_them(requests, answers):
    server = opened_server()
    for request, answer in zip(requests, answers, strict=True):
        given_ = server(request)
        if answer is not None:
            assert given_ == answer
    written = server.application.of_kind(WriteAttribute)
    assert len(written) == answers[-1].startswith("C503C100")


def test_a_set_in_blocks_is_written_once_after_the_last():
    server = opened_server()
    assert server(FIRST) == "C502C100000001"
    assert server("C103C1000000000203010203") == "C502C100000002"
    assert server.application.of_kind(WriteAttribute) == []
    assert server("C103C101000000030704050607080910") == "C503C10000000003"
    (written,) = server.application.of_kind(WriteAttribute)
    assert written.value == bytes.fromhex("01020304050607080910")
    assert server("C103C101000000030704050607080910") == "C503C11200000003"


def test_a_set_without_end_is_ended():
    server = opened_server(limits=ServerLimits(reassembly=1000))
    server(FIRST)
    for number in range(2, 12):
        assert server(f"C103C100{number:08X}63" + "00" * 99) == f"C502C1{number:08X}"
    assert server("C103C1000000000C63" + "00" * 99) == "C503C1110000000C"
    assert len(server.association.transfers) == 0


def test_all_long_requests_together_are_bounded():
    server = opened_server(limits=ServerLimits(reassembly=160))
    for number in range(10):
        assert server(f"C102C{number:X}{LONG}000000000001100910" + "00" * 14) == f"C502C{number:X}00000001"
    assert server(f"C102CA{LONG}000000000001100910" + "00" * 14) == "C503CA1100000001"
    assert server(f"C304CB{METHOD}0000000001100910" + "00" * 14) == "C701CB0F00"
    assert len(server.association.transfers) == 10


def test_blocks_without_octets_are_bounded():
    server = opened_server()
    server(FIRST)
    for number in range(2, 18):
        assert server(f"C103C100{number:08X}00") == f"C502C1{number:08X}"
    assert server("C103C1000000001200") == "C503C11100000012"
