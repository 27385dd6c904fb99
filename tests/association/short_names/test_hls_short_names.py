"""HLS with short names: passes 3 and 4 as a Read of reply_to_HLS_authentication, at both sides."""

from __future__ import annotations

from typing import Any

import pytest

from cosem.apdu.variable_access import VariableName
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.read import read
from cosem.association.client.parameters import AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.indications import AuthenticationFailed, Established
from cosem.errors import AuthenticationError, ProtocolError, StateError
from cosem.types.enumerations import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationStatus,
    AuthenticationMechanism,
    Conformance,
)
from tests.association.client_driver import Client, aare, initiate_response
from tests.association.fakes import CTOS, SERVER_TITLE, STOC, FakeClientHalf, FakeServerHalf
from tests.association.openings import authenticated, initiate
from tests.association.server_driver import Server
from tests.association.short_names.driver import ALL, SN, short_name_profile

M = AuthenticationMechanism
PROOF = STOC[::-1].hex().upper()
ANSWER = CTOS[::-1].hex().upper()
PASS_3 = f"050104FA58000910{PROOF}"
PASS_4 = f"0C01000910{ANSWER}"


def pending_server(**facts: Any) -> Server:
    profile = short_name_profile(
        mechanism=M.HLS_MD5, authenticator=FakeServerHalf, system_title=SERVER_TITLE, **facts
    )
    proposed = Conformance.from_octets(bytes.fromhex(ALL))
    request = authenticated(M.HLS_MD5, CTOS, SN, user_information=initiate(proposed_conformance=proposed))
    server = Server(profile, opened=request)
    assert server.association.status is AssociationStatus.ASSOCIATION_PENDING
    return server


def authenticating_client(size: int = 1200, conformance: str = ALL, **facts: Any) -> tuple[Client, Any]:
    client = Client(
        AssociationParameters(application_context=SN, mechanism=M.HLS_MD5), authenticator=FakeClientHalf()
    )
    exchange = client.association.open()
    assert len(client.sent()) == 1
    client.receive(
        aare(
            application_context_name=SN,
            result_source_diagnostic=AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED,
            responding_authentication_value=STOC,
            user_information=initiate_response(size, conformance, **facts),
        )
    )
    return client, exchange


def test_the_server_takes_the_proof_and_gives_its_own():
    server = pending_server()
    assert server(PASS_3) == PASS_4
    assert server.association.status is AssociationStatus.ASSOCIATED
    assert server.application.of_kind(Established) == [Established(pending=True), Established()]
    assert server("0501020110") == "0C01000A03303030"


def test_the_selector_of_the_method_does_not_matter():
    assert pending_server()(PASS_3.replace("FA5800", "FA5801")) == PASS_4


@pytest.mark.parametrize(
    "proof", [f"0910{STOC.hex()}", "0900", "00", "0A10" + "30" * 16, f"0202 0910{PROOF} 00".replace(" ", "")]
)
def test_a_wrong_proof_ends_the_association(proof):
    server = pending_server()
    assert server(f"050104FA5800{proof}") == "0C010103"
    assert server.association.state is State.IDLE
    assert server.application.of_kind(AuthenticationFailed) == [AuthenticationFailed(3)]
    assert server(PASS_3) == "0E050201"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("0501020110", "0E050302"),
        ("050102FA58", "0E050302"),
        (f"0502 04FA58000910{PROOF} 020110", "0E050302"),
        (f"050104FA50000910{PROOF}", "0E050302"),
        ("0501050001", "0E050302"),
        ("05010601000100", "0E050302"),
        (f"060102FA58010910{PROOF}", "0E060302"),
        (f"160102FA58010910{PROOF}", None),
        (f"C301C1000F0000280000FF01010910{PROOF}", "D80101"),
    ],
)
def test_nothing_else_is_allowed_before(request_, answer):
    server = pending_server()
    assert server(request_.replace(" ", "")) == answer
    assert server.association.status is AssociationStatus.ASSOCIATION_PENDING
    assert server.application.seen[-1] == Established(pending=True)
    assert server(PASS_3) == PASS_4


@pytest.mark.parametrize("again", [PASS_3, f"060102FA58010910{PROOF}"])
def test_a_second_proof_is_refused(again):
    server = pending_server()
    server(PASS_3)
    assert server(again)[-6:] == "010103"
    assert server.association.status is AssociationStatus.ASSOCIATED


def test_no_report_before():
    with pytest.raises(StateError):
        pending_server().association.information_report([(0x0110, None)])


def test_the_passes_take_time_only_so_long():
    server = pending_server()
    server.now = 30.0
    assert server.association.tick(server.now) is not None
    assert server(PASS_3) == "0E050201"


def test_the_client_proves_and_checks():
    client, exchange = authenticating_client(vaa_name=0xFA00)
    assert client.sent() == [PASS_3]
    assert client.association.authenticating
    client.receive(PASS_4)
    assert exchange.result().vaa_name == 0xFA00
    assert not client.association.authenticating


@pytest.mark.parametrize(("vaa_name", "name"), [(0x1000, "1058"), (0x0007, "FA58"), (0, "FA58")])
def test_the_method_lies_behind_the_base_name_of_the_association(vaa_name, name):
    client, _ = authenticating_client(vaa_name=vaa_name)
    assert client.sent() == [PASS_3.replace("FA58", name)]


def test_the_client_proves_whatever_was_agreed_on():
    client, exchange = authenticating_client(conformance="080000", vaa_name=0xFA00)
    assert client.sent() == [PASS_3]
    client.receive(PASS_4)
    assert exchange.done


def test_a_proof_longer_than_either_side_takes_goes_in_blocks():
    server = pending_server(max_receive_pdu_size=16, max_send_pdu_size=16)
    client, exchange = authenticating_client(16, vaa_name=0xFA00)
    carried = []
    while (sent := client.sent()) and len(carried) < 20:
        carried.append(sent[0])
        answer = server(sent[0])
        assert len(answer) // 2 <= 16
        client.receive(answer)
    assert [octets[:8] for octets in carried] == ["05010600"] * 2 + ["05010601"] + ["05010500"] * 2
    assert exchange.result().server_max_receive_pdu_size == 16
    assert server.association.status is AssociationStatus.ASSOCIATED
    assert not client.association.authenticating


def test_a_wrong_proof_in_blocks_ends_the_association_and_other_requests_do_not():
    server = pending_server()
    assert server("050106010001040102 0110".replace(" ", "")) == "0E050302"
    assert server.association.status is AssociationStatus.ASSOCIATION_PENDING
    assert server("0501060100010A0104FA58000904 00000000".replace(" ", "")) == "0E050302"
    assert server("0501060100010B0104FA580009040000 0000".replace(" ", "")) == "0C010103"
    assert server.association.state is State.IDLE


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (f"0C01000910{CTOS.hex()}", AuthenticationError),
        ("0C010103", AuthenticationError),
        ("0C010000", AuthenticationError),
        ("0C01001105", AuthenticationError),
        ("0C0200000000", ProtocolError),
        ("0C00", ProtocolError),
        ("0C01030001", ProtocolError),
        ("0E050302", AuthenticationError),
        ("D80101", AuthenticationError),
    ],
)
def test_a_server_that_proves_nothing_is_left(answer, error):
    client, exchange = authenticating_client(vaa_name=0xFA00)
    client.sent()
    client.receive(answer)
    with pytest.raises(error):
        exchange.result()
    assert client.association.state is State.IDLE
    with pytest.raises(StateError):
        client.association.start(lambda context: read(context, VariableName(0x0110)))


def test_both_sides_meet():
    client = ClientAssociation(
        AssociationParameters(application_context=SN, mechanism=M.HLS_MD5), authenticator=FakeClientHalf()
    )
    server = Server(short_name_profile(mechanism=M.HLS_MD5, authenticator=FakeServerHalf))
    exchange = client.open()
    for _ in range(2):
        outgoing = client.next_outgoing()
        assert outgoing is not None
        client.receive(bytes.fromhex(server(outgoing.octets)))
    assert exchange.result().conformance == Conformance.from_octets(bytes.fromhex(ALL))
    assert client.state is server.association.state is State.ASSOCIATED
    assert client.parameters.application_context is ApplicationContext.SN
