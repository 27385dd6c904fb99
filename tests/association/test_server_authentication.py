"""HLS passes 3 and 4 at the server, and openings that are slow, fail or are overtaken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cosem.apdu import decode
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.association.control_function import State
from cosem.association.server.indications import (
    AbortIndication,
    AuthenticationFailed,
    Established,
    OpenIndication,
)
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.types.enumerations import AssociationStatus, Conformance
from tests.association.fakes import CLIENT_TITLE, CTOS, STOC, FakeProtection, FakeServerHalf
from tests.association.openings import NOT_ALLOWED, C, M, aarq, authenticated, ciphered, hls, initiate, secret
from tests.association.server_driver import Server

PUBLIC = AssociationProfile()


def reply(proof: bytes, invoke_id: str = "C1", target: str = "000F0000280000FF01") -> str:
    return f"C301{invoke_id}{target}0109{len(proof):02X}{proof.hex()}"


def pending(**facts: Any) -> Server:
    return Server(
        hls(M.HLS_MD5, **facts), opened=authenticated(M.HLS_MD5, CTOS), limits=ServerLimits(pending=30)
    )


def test_the_right_proof_is_answered_with_that_of_the_server():
    server = pending()
    assert server(reply(STOC[::-1])) == f"C701C100010009{len(CTOS):02X}{CTOS[::-1].hex().upper()}"
    assert server.association.status is AssociationStatus.ASSOCIATED
    assert server.application.of_kind(Established) == [Established(pending=True), Established()]
    assert server("C001C100010000800000FF0200")[:8] == "C401C100"


@pytest.mark.parametrize("proof", [b"", STOC, STOC[::-1][:-1], CTOS[::-1]])
def test_a_wrong_proof_ends_the_association(proof):
    server = pending()
    assert server(reply(proof)) == "C701C10300"
    assert server.association.state is State.IDLE
    assert server.application.of_kind(AuthenticationFailed) == [AuthenticationFailed(3)]
    assert len(server.application.of_kind(AbortIndication)) == 1
    assert server(reply(STOC[::-1])) == NOT_ALLOWED


def test_a_proof_that_is_no_octet_string_is_wrong():
    server = pending()
    assert server("C301C1000F0000280000FF01011105") == "C701C10300"
    assert server.association.state is State.IDLE


@pytest.mark.parametrize(
    "request_",
    [
        "C001C100010000800000FF0200",
        "C001C1000F0000280000FF0200",
        "C002C100000001",
        "C101C100010000800000FF02001105",
        reply(STOC[::-1], target="000F0000280000FF02"),
        reply(STOC[::-1], target="000F0000280001FF01"),
        reply(STOC[::-1], target="00010000280000FF01"),
        "C303C101000F0000280000FF01010900",
        "C304C1000F0000280000FF010000000001020900",
        "D9C100000000",
        "050102FA00",
        "E0C10001000000",
    ],
)
def test_nothing_else_is_allowed_before_the_proof(request_):
    server = pending()
    assert server(request_) == NOT_ALLOWED
    assert server.association.status is AssociationStatus.ASSOCIATION_PENDING
    assert server(reply(STOC[::-1]))[:8] == "C701C100"


def test_a_second_proof_is_refused_and_changes_nothing():
    server = pending()
    server(reply(STOC[::-1]))
    for target in ("000F0000280000FF01", "000F0000280002FF01"):
        assert server(reply(STOC[::-1], target=target)) == "C701C10300"
    assert server.association.status is AssociationStatus.ASSOCIATED


def test_the_proof_must_come_in_time():
    server = pending()
    assert server.association.deadline() == 30
    assert server.association.tick(29.9) is None
    aborted = server.association.tick(30)
    assert isinstance(aborted, AbortIndication)
    assert server.association.state is State.IDLE
    assert server(reply(STOC[::-1])) == NOT_ALLOWED


def test_the_last_answer_to_a_wrong_proof_is_still_protected():
    profile = ciphered(mechanism=M.HLS_MD5, authenticator=FakeServerHalf)
    request = authenticated(
        M.HLS_MD5, CTOS, C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=secret(initiate())
    )
    server = Server(profile, opened=request)
    answer = bytes.fromhex(server(secret(bytes.fromhex(reply(b"wrong")))))
    assert FakeProtection().unprotect(answer)[0].hex().upper() == "C701C10300"


def begin(server: Server, octets: bytes) -> tuple[Any, Any]:
    processing = server.association.process(octets, 0.0)
    return processing, next(processing)


def ended(processing: Any) -> list[bytes]:
    answers: list[bytes] = []

    def to_its_end() -> Any:
        answers.extend((yield from processing))

    for _ in to_its_end():
        pass
    return answers


def test_an_application_that_fails_leaves_nothing_half_open():
    server = Server(PUBLIC)
    processing, _ = begin(server, aarq())
    with pytest.raises(RuntimeError):
        processing.throw(RuntimeError("broken"))
    assert server.association.state is State.IDLE
    processing, _ = begin(server, aarq())
    processing.close()
    assert server.association.state is State.IDLE


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda server: server.association.abort("cable pulled"),
        lambda server: server(aarq()),
        lambda server: server("6200"),
    ],
    ids=["abort", "AARQ", "RLRQ"],
)
def test_an_opening_that_was_overtaken_does_nothing(meanwhile: Callable[[Server], object]):
    server = Server(PUBLIC)
    processing, indication = begin(server, aarq())
    assert isinstance(indication, OpenIndication)
    assert server.association.state is State.ASSOCIATION_PENDING
    meanwhile(server)
    state = server.association.state
    assert ended(processing) == []
    assert server.association.state is state


def test_no_data_before_the_application_has_agreed():
    server = Server(PUBLIC)
    processing, _ = begin(server, aarq())
    assert server("C001C100010000800000FF0200") == NOT_ALLOWED
    assert decode(ended(processing)[0]).result == 0


def test_a_pre_established_association_is_there_and_ignores_aarq_and_rlrq():
    conformance = ALL_SERVICES_LN & ~Conformance.GENERAL_BLOCK_TRANSFER
    profile = AssociationProfile(
        pre_established=True, client_max_receive_pdu_size=40, conformance=conformance
    )
    server = Server(profile)
    assert server.association.state is State.ASSOCIATED
    assert server(aarq()) is None
    assert server("6200") is None
    assert server.association.abort("cable pulled") is None
    assert server.association.state is State.ASSOCIATED
    assert server("C001C100010000800000FF0200")[:4] == "C402"


def test_a_pre_established_unconfirmed_association_answers_nothing_and_obeys():
    server = Server(AssociationProfile(pre_established=True, confirmed=False))
    assert server("C1018100010000800000FF02001105") is None
    assert server.application.values["0.0.128.0.0.255", 2] == 5
    assert server("C101C100010000800000FF02001106") is None
    assert server.application.values["0.0.128.0.0.255", 2] == 5
