"""GET at the server: one attribute, lists, features, and services that there are not."""

from __future__ import annotations

import pytest

from cosem.association.control_function import State
from cosem.association.server.indications import Fault, InvokeMethod, ReadAttribute, WriteAttribute
from cosem.association.server.profile import AssociationProfile
from cosem.errors import EncodeError
from cosem.types.data import Array, Structure, Unsigned
from cosem.types.enumerations import DataAccessResult
from cosem.types.making import trusted
from tests.association.server_driver import (
    LONG,
    METHOD,
    SHORT,
    Server,
    conformance_without,
    get,
    opened_server,
)


@pytest.mark.parametrize("invoke_id", ["40", "4F", "C0", "CF", "C5"])
def test_an_answer_repeats_invoke_id_class_and_priority(invoke_id):
    assert opened_server()(get(SHORT, invoke_id=invoke_id)) == f"C401{invoke_id}000A03303030"


@pytest.mark.parametrize("result", [each for each in DataAccessResult if each])
def test_each_refusal_of_an_attribute_is_told(result):
    server = opened_server()
    server.application.values["0.0.128.1.0.255", 2] = result
    assert server(get(SHORT)) == f"C401C101{int(result):02X}"
    assert server(f"C003C102{SHORT}00{SHORT}00") == f"C403C10201{int(result):02X}01{int(result):02X}"


def test_success_is_no_value():
    server = opened_server()
    server.application.values["0.0.128.1.0.255", 2] = DataAccessResult.SUCCESS
    assert server(get(SHORT)) == "C401C101FA"


def test_null_data_is_a_value():
    server = opened_server()
    server.application.values["0.0.128.1.0.255", 2] = None
    assert server(get(SHORT)) == "C401C10000"


@pytest.mark.parametrize(
    "value", [5, trusted(Unsigned)(256), Array([trusted(Unsigned)(-1)]), object(), Structure([1.5])]
)
def test_a_value_that_cannot_be_sent_is_a_fault_and_other_reason(value):
    server = opened_server()
    server.application.values["0.0.128.1.0.255", 2] = value
    assert server(get(SHORT)) == "C401C101FA"
    assert server(f"C003C102{SHORT}00{LONG}00")[:12] == "C403C10201FA"
    faults = server.application.of_kind(Fault)
    assert len(faults) == 2
    assert all(isinstance(fault.error, EncodeError) for fault in faults)


def test_selective_access_reaches_the_application():
    server = opened_server()
    server(get(LONG, "01021105"))
    server(get(LONG, "00"))
    with_selection, without = server.application.of_kind(ReadAttribute)
    assert (with_selection.selection.access_selector, with_selection.selection.access_parameters) == (2, 5)
    assert without.selection is None


def test_features_that_were_not_agreed_on_are_refused_item_by_item():
    without_selection = opened_server(conformance=conformance_without(21))
    assert without_selection(get(LONG, "01021105")) == "C401C101FA"
    assert without_selection(f"C003C102{LONG}01021105{SHORT}00") == "C403C10201FA000A03303030"
    without_all = opened_server(conformance=conformance_without(10))
    assert without_all(get("00010000800000FF00")) == "C401C101FA"
    without_lists = opened_server(conformance=conformance_without(14))
    assert without_lists(f"C003C102{LONG}00{SHORT}00") == "C403C10201FA01FA"
    for server in (without_selection, without_all, without_lists):
        assert not [each for each in server.application.of_kind(ReadAttribute) if each.selection]


def test_attribute_0_is_asked_of_the_application_but_never_with_a_selection():
    server = opened_server()
    server.application.values["0.0.128.0.0.255", 0] = Structure([None, Unsigned(1)])
    assert server(get("00010000800000FF00")) == "C401C100020200 1101".replace(" ", "")
    assert server(get("00010000800000FF00", "01021105")) == "C401C101FA"


def test_attributes_of_the_manufacturer_are_negative():
    server = opened_server()
    server(get("00010000800000FFFF"))
    assert server.application.of_kind(ReadAttribute)[0].attribute_id == -1


@pytest.mark.parametrize("service", ["get", "set", "action"])
def test_a_service_that_was_not_agreed_on_is_unknown(service):
    bit, requests = {
        "get": (19, [get(LONG), "C002C100000001", f"C003C101{LONG}00"]),
        "set": (20, [f"C101C1{LONG}001105", f"C102C1{LONG}000100000001021105", "C103C10100000001021105"]),
        "action": (23, [f"C301C1{METHOD}00", "C302C100000001", "C306C10100000001021105"]),
    }[service]
    server = opened_server(conformance=conformance_without(bit))
    for request in requests:
        assert server(request) == "D80202"


@pytest.mark.parametrize(
    "request_", ["050102FA00", "0601020100010511", "D9C1000000000000", "E0C1000100000000"]
)
def test_services_of_others_are_unknown(request_):
    assert opened_server()(request_) == "D80202"


@pytest.mark.parametrize(
    "request_", ["C0", "C004C1", "C001C1", "C001C1000100", get(LONG)[:-2], "C101C1", "C3FFC100"]
)
def test_what_cannot_be_read_is_not_possible(request_):
    server = opened_server()
    assert server(request_) in ("D80101", None)
    assert server(get(SHORT)) == "C401C1000A03303030"


def test_a_request_longer_than_the_server_takes():
    server = opened_server(max_receive_pdu_size=64)
    assert server(f"C101C1{LONG}0009{64 - 15:02X}{'AB' * (64 - 15)}") == "C501C100"
    assert server(f"C101C1{LONG}0009{64 - 14:02X}{'AB' * (64 - 14)}") == "D80104"
    assert server.association.state is State.ASSOCIATED


@pytest.mark.parametrize("bits", ["01", "81"])
def test_unconfirmed_requests_are_not_answered_and_gets_not_even_read(bits):
    server = opened_server()
    assert server(get(LONG, invoke_id=bits)) is None
    assert server(f"C003{bits}01{LONG}00") is None
    assert server(f"C002{bits}00000001") is None
    assert server(f"C301{bits}{METHOD}00") is None
    assert server(f"C101{bits}{SHORT}001105") is None
    assert server(f"C104{bits}01{SHORT}00011106") is None
    assert server("C101" + bits) is None
    assert server.application.of_kind(ReadAttribute) == []
    assert len(server.application.of_kind(InvokeMethod)) == 1
    assert [each.value for each in server.application.of_kind(WriteAttribute)] == [5, 6]
    assert len(server.association.transfers) == 0


def test_unconfirmed_requests_have_no_blocks():
    server = opened_server()
    assert server(f"C10201{LONG}000000000001021105") is None
    assert server(f"C30401{METHOD}0000000001021105") is None
    assert len(server.association.transfers) == 0


def test_what_servers_send_is_never_answered():
    server = opened_server()
    for request in (
        "D80101",
        "C401C10000",
        "C501C100",
        "C701C10000",
        "0E010600",
        "0F00000000000500",
        "6100",
        "63",
        "C2",
    ):
        assert server(request) is None
    assert server("") is None
    assert server.association.ignored == 10


def test_without_an_association_only_requests_are_answered():
    server = Server(AssociationProfile())
    assert server(get(LONG)) == "D80101"
    assert server("050102FA00") == "0E050201"
    assert server("060102FA0001 1105".replace(" ", "")) == "0E060201"
    for tag in ("C8", "D0", "DB", "E0", "D9"):
        assert server(tag + "0000") == "D80101"
    for octets in ("00", "FF", "01000000065F1F040000000004B0", "07", "C6", "80" * 40):
        assert server(octets) is None
    assert server(get(LONG, invoke_id="01")) is None
    assert server("160102FA00011105") is None
    assert server.application.seen == []
