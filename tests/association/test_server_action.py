"""ACTION at the server: whole, as a list, blocks in both directions, and what ends them."""

from __future__ import annotations

import pytest

from cosem.apdu import decode
from cosem.association.server.indications import Fault, InvokeMethod, MethodOutcome
from cosem.types.data import ABSENT, OctetString, Unsigned
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.association.server_driver import METHOD, conformance_without, opened_server


@pytest.mark.parametrize("result", list(ActionResult))
def test_each_result_of_a_method_is_told(result):
    server = opened_server()
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(result)
    assert server(f"C301C1{METHOD}00") == f"C701C1{int(result):02X}00"
    assert server(f"C303C102{METHOD}{METHOD}020F0000") == f"C703C102{f'{int(result):02X}00' * 2}"
    assert server(f"C304C1{METHOD}0100000001021105") == f"C701C1{int(result):02X}00"
    assert server(f"C305C101{METHOD}010000000103011105") == f"C703C101{int(result):02X}00"


def test_what_a_method_returns():
    server = opened_server()
    outcomes = server.application.returns
    outcomes["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=Unsigned(5))
    assert server(f"C301C1{METHOD}010F00") == "C701C10001001105"
    outcomes["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=None)
    assert server(f"C301C1{METHOD}00") == "C701C100010000"
    outcomes["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=DataAccessResult.OTHER_REASON)
    assert server(f"C301C1{METHOD}00") == "C701C1000101FA"
    outcomes["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=5)
    assert server(f"C301C1{METHOD}00") == "C701C1FA00"
    assert len(server.application.of_kind(Fault)) == 1


def test_what_a_method_is_given():
    server = opened_server()
    server(f"C301C1{METHOD}00")
    server(f"C301C1{METHOD}0100")
    server(f"C301C1{METHOD}010F05")
    server(f"C303C101{METHOD}0100")
    given_ = [each.parameters for each in server.application.of_kind(InvokeMethod)]
    assert given_ == [ABSENT, None, 5, None]


def test_methods_and_parameters_that_do_not_pair_call_nothing():
    server = opened_server()
    assert server(f"C303C102{METHOD}{METHOD}0100") == "C703C1020C000C00"
    assert server(f"C305C102{METHOD}{METHOD}0100000001020100") == "C703C1020C000C00"
    assert server.application.of_kind(InvokeMethod) == []


def test_features_of_action_that_were_not_agreed_on():
    server = opened_server(conformance=conformance_without(13, 14))
    assert server(f"C303C102{METHOD}{METHOD}020000") == "C703C102FA00FA00"
    assert server(f"C304C1{METHOD}0100000001021105") == "C701C1FA00"
    assert server(f"C305C101{METHOD}010000000103011105") == "C701C1FA00"
    assert server.application.of_kind(InvokeMethod) == []


PFIRST = f"C304C1{METHOD}000000000102090A"


@pytest.mark.parametrize(
    ("requests", "answers"),
    [
        ([PFIRST, "C306C101000000020A" + "00" * 10], ["C704C100000001", "C701C10000"]),
        ([PFIRST, "C306C101000000030A" + "00" * 10], ["C704C100000001", "C701C10F00"]),
        ([PFIRST, "C306C101000000010A" + "00" * 10], ["C704C100000001", "C701C10F00"]),
        ([PFIRST, "C306C1010000000000"], ["C704C100000001", "C701C10F00"]),
        (["C306C1010000000100"], ["C701C11000"]),
        (["C302C100000001"], ["C701C11000"]),
        ([f"C304C1{METHOD}000000000202090A"], ["C701C10F00"]),
        ([PFIRST, "C306C1010000000205" + "00" * 5], ["C704C100000001", "C701C10C00"]),
        ([PFIRST, "C306C201000000020A" + "00" * 10], ["C704C100000001", "C701C21000"]),
        ([PFIRST, "C302C100000001"], ["C704C100000001", "C701C11000"]),
        ([PFIRST, "C103C1010000000200"], ["C704C100000001", "C503C11200000002"]),
        (["C305C100 00 00000001 00".replace(" ", "")], ["C701C1FA00"]),
    ],
)
def test_blocks_of_an_action_and_what_ends_them(requests, answers):
    server = opened_server()
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome()
    assert [server(request) for request in requests] == answers
    assert len(server.application.of_kind(InvokeMethod)) == (answers[-1] == "C701C10000")


@pytest.mark.parametrize("size", [12, 40, 140, 270, 1000])
def test_an_answer_of_a_method_in_blocks(size):
    server = opened_server(size)
    returned = OctetString(bytes(1100))
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=returned)
    answer = server(f"C301C1{METHOD}00")
    joined = b""
    for number in range(1, 1000):
        assert len(answer) // 2 <= size
        block = decode(bytes.fromhex(answer)).pblock
        assert block.block_number == number
        joined += block.raw_data
        if block.last_block:
            break
        assert len(answer) // 2 >= size - 1
        answer = server(f"C302C1{number:08X}")
    assert joined == bytes.fromhex("0001000982044C") + returned
    assert len(server.application.of_kind(InvokeMethod)) == 1
    assert len(server.association.transfers) == 0


def test_a_list_of_methods_in_blocks_both_ways():
    server = opened_server(40)
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=OctetString(bytes(20)))
    assert server(f"C305C102{METHOD}{METHOD}00000000010302110 5".replace(" ", "")) == "C704C100000001"
    first = server("C306C10100000002021106")
    assert first == "C702C1000000000 11F02000100 0914".replace(" ", "") + "00" * 20 + "0001000914"
    assert server("C302C100000001")[:18] == "C702C1010000000214"


def test_without_block_transfer_the_method_was_still_called():
    server = opened_server(40, conformance_without(13))
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=OctetString(bytes(50)))
    assert server(f"C301C1{METHOD}00") == "C701C1000101FA"
    assert server(f"C303C102{METHOD}{METHOD}020000") == "C703C10200000000"
    assert len(server.application.of_kind(InvokeMethod)) == 3
    assert server(f"C303C113{METHOD * 19}13{'00' * 19}") == "D80104"
    assert len(server.application.of_kind(InvokeMethod)) == 3


@pytest.mark.parametrize("number", ["00000000", "00000002"])
def test_a_wrong_next_pblock_ends_the_answer(number):
    server = opened_server(40)
    server.application.returns["0.0.128.0.0.255", 1] = MethodOutcome(return_parameters=OctetString(bytes(50)))
    server(f"C301C1{METHOD}00")
    assert server(f"C302C1{number}") == "C701C10F00"
    assert server("C302C100000001") == "C701C11000"
