"""The abuse cases of client (B) and server (C) that an association meets without ciphering, and where the others are."""

from __future__ import annotations

import logging
import tracemalloc
from collections.abc import Callable

import pytest

from cosem.apdu import decode
from cosem.apdu.acse import AUTHENTICATION
from cosem.association.client.conversations.get import get, get_with_list
from cosem.association.context import TransferLimits
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import ReadAttribute, WriteAttribute
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.errors import AuthenticationError, LimitError, ProtocolError, StateError, TransportTimeout
from cosem.types.data import OctetString
from cosem.types.enumerations import ApplicationContext, AssociationStatus, AuthenticationMechanism
from tests.association.client_driver import LONG, SHORT, Client, aare, initiate_response, opened_client
from tests.association.fakes import CTOS, STOC, FakeClientHalf, FakeServerHalf
from tests.association.openings import PASSWORD, aarq, authenticated, ciphered, hls, lls
from tests.association.server_driver import LONG as TARGET
from tests.association.server_driver import METHOD, Server, open_request, opened_server
from tests.association.test_client_opening import HLS, hls_aare, opening
from tests.association.test_machines import REQUESTS

CASES: dict[str, Callable[[], None]] = {}
ELSEWHERE = {
    # With keys: tests/security and tests/client/test_security.py.
    "B-02", "B-05", "B-06", "B-07", "B-08", "B-17", "B-20", "C-05", "C-06", "C-07", "C-08", "C-09",
    # Time, sockets and datagrams: tests/transport, tests/server.
    "B-14", "B-15", "B-16", "C-12", "C-17", "C-18", "C-20",
    # What applications show and store: tests/cli, tests/client, tests/server, tests/store.
    "B-18", "B-19", "C-16", "C-21", "C-22",
    # General block transfer is a service of its own.
    "B-12",
}  # fmt: skip


def case(identifier: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def note(function: Callable[[], None]) -> Callable[[], None]:
        assert identifier not in CASES
        CASES[identifier] = function
        return function

    return note


def started(client: Client):
    return client.association.start(lambda context: get(context, LONG))


@case("B-01")
def an_acceptance_of_something_else() -> None:
    for facts, field in (
        ({"application_context_name": ApplicationContext.SN}, "application-context-name"),
        ({"application_context_name": ApplicationContext.LN_CIPHERED}, "application-context-name"),
        (
            {
                "responder_acse_requirements": AUTHENTICATION,
                "mechanism_name": AuthenticationMechanism.HLS_MD5,
            },
            "mechanism-name",
        ),
    ):
        client, exchange = opening()
        client.receive(aare(**facts))
        with pytest.raises(ProtocolError, match=field):
            exchange.result()
        assert client.association.state is State.IDLE
    # A larger conformance is cut to what was proposed, and named (acse-and-associations, negotiation 2).
    client, exchange = opening()
    client.receive(aare(user_information=initiate_response(conformance="FFFFFF")))
    negotiated = exchange.result()
    assert negotiated.conformance & ~client.association.parameters.proposed_conformance == 0
    assert "conformance-not-proposed" in negotiated.findings


@case("B-03")
def challenges_that_are_none() -> None:
    for challenge in (CTOS, b"", b"seven77", b"6" * 65):
        client, exchange = opening(HLS, authenticator=FakeClientHalf())
        client.sent()
        client.receive(hls_aare(responding_authentication_value=challenge))
        with pytest.raises(AuthenticationError):
            exchange.result()
        assert client.sent() == []


@case("B-04")
def proofs_that_are_none() -> None:
    for proof in (b"", STOC[::-1], CTOS, STOC):
        client, exchange = opening(HLS, authenticator=FakeClientHalf())
        client.receive(hls_aare())
        with pytest.raises(StateError):
            started(client)
        client.receive(f"C701400001000 9{len(proof):02X}{proof.hex()}".replace(" ", ""))
        with pytest.raises(AuthenticationError):
            exchange.result()
        with pytest.raises(StateError):
            started(client)


@case("B-09")
def answers_to_something_else() -> None:
    client = opened_client()
    exchange = started(client)
    client.sent()
    for octets in ("C40142001106", "C50142 00", "C7014F0000", "6300", "0C01001106"):
        client.receive(octets.replace(" ", ""))
        assert not exchange.done
    client.association.cancel(exchange, TransportTimeout("no answer"))
    after = started(client)
    client.receive("C40141001106")
    assert not after.done
    client.receive("C40142001105")
    assert after.result() == 5
    wrong_service = started(client)
    client.receive("C5014300")
    with pytest.raises(ProtocolError):
        wrong_service.result()


@case("B-10")
def notifications_in_between() -> None:
    client = opened_client()
    exchange = started(client)
    for number in range(1000):
        client.receive(f"C20000030100010800FF0212{number:04X}")
    client.receive("C40141001105")
    assert exchange.result() == 5
    assert len(client.association.notifications) == 256
    assert client.association.notifications_dropped == 1000 - 256


@case("B-11")
def blocks_that_do_not_follow() -> None:
    for numbers in ((0,), (2,), (0xFFFFFFFF,), (1, 3), (1, 1, 1)):
        client = opened_client()
        exchange = started(client)
        for number in numbers:
            client.receive(f"C4024100{number:08X}000109")
        with pytest.raises(ProtocolError):
            exchange.result()
    client = opened_client()
    exchange = started(client)
    for number in range(1, 18):
        client.receive(f"C4024100{number:08X}0000")
    with pytest.raises(ProtocolError):
        exchange.result()
    client = opened_client(transfer_limits=TransferLimits(octets=1000))
    exchange = started(client)
    for number in range(1, 12):
        client.receive(f"C4024100{number:08X}0064" + "00" * 100)
    with pytest.raises(LimitError):
        exchange.result()


@case("B-13")
def lists_of_another_length() -> None:
    for results in ("00", "01001105", "03001105001105001105"):
        for answer in (f"C40341{results}", f"C402410100000001 00{len(results) // 2:02X}{results}"):
            client = opened_client()
            items = [(LONG, None), (SHORT, None)]
            exchange = client.association.start(lambda context, items=items: get_with_list(context, items))
            client.receive(answer.replace(" ", ""))
            with pytest.raises(ProtocolError):
                exchange.result()


@case("C-01")
def services_without_an_association() -> None:
    server = Server(AssociationProfile(), lls(), hls())
    for octets in [*REQUESTS, bytes.fromhex("C81E1001234567") + bytes(25), bytes.fromhex("DB00021000")]:
        answer = server(octets)
        assert answer is None or answer[:2] in ("D8", "0E", "63")
    assert server.application.seen == []


@case("C-02")
def less_than_the_association_wants() -> None:
    for profile, request in (
        (ciphered(), aarq(ApplicationContext.LN)),
        (hls(AuthenticationMechanism.HLS_MD5), authenticated(AuthenticationMechanism.LLS, PASSWORD)),
        (hls(AuthenticationMechanism.HLS_MD5), aarq()),
        (lls(), aarq()),
        (lls(), authenticated(AuthenticationMechanism.LOWEST, b"")),
    ):
        server = Server(profile)
        assert decode(bytes.fromhex(server(request))).result == 1
        assert server.association.state is State.IDLE


@case("C-03")
def services_between_the_passes() -> None:
    right = f"C301C1000F0000280000FF010109{len(STOC):02X}{STOC[::-1].hex()}"
    server = Server(
        hls(AuthenticationMechanism.HLS_MD5), opened=authenticated(AuthenticationMechanism.HLS_MD5, CTOS)
    )
    for octets in REQUESTS:
        if octets[0] == 0x62 or octets[:12].hex().upper().endswith("000F0000280000FF01"):
            continue
        answer = server(octets)
        assert answer is None or answer[:2] in ("D8", "0E")
    assert not server.application.of_kind(ReadAttribute)
    assert not server.application.of_kind(WriteAttribute)
    assert server(right)[:8] == "C701C100"
    assert server(right) == "C701C10300"
    assert server.association.status is AssociationStatus.ASSOCIATED
    server = Server(
        hls(AuthenticationMechanism.HLS_MD5), opened=authenticated(AuthenticationMechanism.HLS_MD5, CTOS)
    )
    assert server(right.replace(STOC[::-1].hex(), STOC.hex())) == "C701C10300"
    assert server.association.state is State.IDLE
    assert server(right) == "D80101"


@case("C-04")
def another_client_on_the_same_connection() -> None:
    profiles = (AssociationProfile(),)
    one, other = (ServerAssociation(profiles, client_sap=sap) for sap in (16, 17))
    assert len(list(one.process(open_request(), 0.0))) == 2  # may I, and it stands
    assert (one.state, other.state) == (State.ASSOCIATED, State.IDLE)
    with pytest.raises(StopIteration) as stop:
        next(other.process(bytes.fromhex(f"C001C1{TARGET}00"), 0.0))
    assert stop.value.value == [bytes.fromhex("D80101")]


@case("C-10")
def guessing_passwords() -> None:
    server = Server(lls())
    answers = set()
    for number in range(1000):
        answers.add(server(authenticated(AuthenticationMechanism.LLS, b"%08d" % number)))
        assert server.association.state is State.IDLE
    assert len(answers) == 1
    # Who waits how long after which guess is known to whoever counts these: tests/server/test_throttle.py.
    assert (
        len([each for each in server.application.seen if type(each).__name__ == "AuthenticationFailed"])
        == 1000
    )


@case("C-11")
def associations_without_end() -> None:
    server = Server(AssociationProfile(), hls(AuthenticationMechanism.HLS_MD5, authenticator=FakeServerHalf))
    requests = [
        open_request(),
        authenticated(AuthenticationMechanism.HLS_MD5, CTOS),
        aarq(ApplicationContext.SN),
    ]

    def many() -> None:
        for number in range(3000):
            server(requests[number % 3])
            server.application.seen.clear()

    for request in requests:
        server(request)
    tracemalloc.start()
    many()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1 << 20


@case("C-13")
def blocks_without_end() -> None:
    server = opened_server(40, limits=ServerLimits(reassembly=1000, answer=2000))
    server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(1500))
    for turn in range(256):
        invoke_id = f"C{turn % 16:X}"
        server(f"C102{invoke_id}{TARGET}000000000001100910" + "00" * 14)
        server(f"C304{invoke_id}{METHOD}0000000001100910" + "00" * 14)
        server(f"C001{invoke_id}{TARGET}00")
    transfers = server.association.transfers
    assert len(transfers) <= 16
    assert sum(each.transfer.held for each in transfers._running.values()) <= 2000
    server(f"C102C1{TARGET}000000000001100910" + "00" * 14)
    answers = [server(f"C103C100{number:08X}40" + "00" * 64) for number in range(2, 40)]
    assert "C503C11100000011" in answers
    assert answers[-1][:6] == "C503C1"
    assert server.application.of_kind(WriteAttribute) == []


@case("C-14")
def lists_of_the_largest_attribute() -> None:
    server = opened_server(1200, limits=ServerLimits(answer=1 << 20), max_receive_pdu_size=0)
    server.application.values["0.0.128.0.0.255", 2] = OctetString(bytes(100_000))
    assert server("C003C182FFFF" + f"{TARGET}00" * 65535) == "D80104"
    assert len(server.application.of_kind(ReadAttribute)) < 20
    assert len(server.association.transfers) == 0


@case("C-15")
def mutants() -> None:
    server = opened_server(200)
    for seed in REQUESTS:
        for at in range(len(seed)):
            mutant = bytearray(seed)
            mutant[at] ^= 0xFF
            answer = server(bytes(mutant))
            assert answer is None or decode(bytes.fromhex(answer)) is not None
        if server.association.state is not State.ASSOCIATED:
            server(open_request())
        assert server("C001C100010000800100FF0200")[:4] == "C401"


@case("C-19")
def answers_are_not_answered() -> None:
    for server in (Server(AssociationProfile()), opened_server()):
        first = [server(octets) for octets in REQUESTS]
        for answer in filter(None, first):
            assert server(answer) is None


@pytest.mark.parametrize("identifier", CASES)
def test_case(identifier: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        CASES[identifier]()
    assert PASSWORD.decode() not in caplog.text


def test_no_case_is_forgotten() -> None:
    every = {f"B-{number:02d}" for number in range(1, 21)} | {f"C-{number:02d}" for number in range(1, 23)}
    assert CASES.keys() | ELSEWHERE == every
    assert not CASES.keys() & ELSEWHERE
