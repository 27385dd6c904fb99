"""COSEM-OPEN at the client: what it sends, and every kind of answer that may come."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode, encode
from cosem.apdu.acse import AARE, AUTHENTICATION, AuthenticationValue
from cosem.apdu.failure import ConfirmedServiceError
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.get import get
from cosem.association.client.parameters import AssociationParameters
from cosem.association.control_function import State
from cosem.errors import (
    AssociationRefused,
    AuthenticationError,
    ConfigurationError,
    CosemError,
    DecodeError,
    ProtocolError,
    SecurityError,
    StateError,
    TransportClosed,
    UnsupportedError,
    VerificationError,
)
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ConfirmedServiceErrorChoice,
    Conformance,
    ServiceErrorGroup,
)
from tests.association.client_driver import LONG, Client, aare, initiate_response, opened_client
from tests.association.fakes import CLIENT_TITLE, CTOS, SERVER_TITLE, STOC, FakeClientHalf, FakeProtection
from tests.vectors import vector

C, M = ApplicationContext, AuthenticationMechanism
D = AcseServiceUserDiagnostic
PASSWORD = b"12345678"
HLS = AssociationParameters(mechanism=M.HLS_MD5)
LLS = AssociationParameters(mechanism=M.LLS, secret=PASSWORD)
CIPHERED = AssociationParameters(application_context=C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE)
REPLY = f"C30140000F0000280000FF010109{len(STOC):02X}{STOC[::-1].hex().upper()}"


def opening(parameters: AssociationParameters | None = None, **facts: Any) -> tuple[Client, Any]:
    client = Client(parameters, **facts)
    exchange = client.association.open()
    assert client.association.state is State.ASSOCIATION_PENDING
    return client, exchange


def hls_aare(**facts: Any) -> bytes:
    facts.setdefault("result_source_diagnostic", D.AUTHENTICATION_REQUIRED)
    facts.setdefault("responder_acse_requirements", AUTHENTICATION)
    facts.setdefault("mechanism_name", M.HLS_MD5)
    facts.setdefault("responding_authentication_value", STOC)
    return aare(**facts)


# --- what is sent -------------------------------------------------------------------------------------------------

PROPOSED = {
    "conformance": Conformance.from_octets(bytes.fromhex("007E1F")),
    "client_max_receive_pdu_size": 1200,
}


@pytest.mark.parametrize(
    ("identifier", "facts", "half"),
    [
        ("B-aarq-ln-none", {}, None),
        ("B-aarq-ln-lls", {"mechanism": M.LLS, "secret": PASSWORD}, None),
        ("B-aarq-ln-hls5", {"mechanism": M.HLS_GMAC}, FakeClientHalf(b"K56iVagY")),
    ],
)
def test_the_aarq_of_annex_b(identifier, facts, half):
    client, _ = opening(AssociationParameters(**PROPOSED, **facts), authenticator=half)
    assert client.sent() == [vector("acse", identifier).octets.hex().upper()]


def test_what_a_user_may_add_to_the_aarq():
    parameters = AssociationParameters(
        calling_ap_title=CLIENT_TITLE,
        calling_ae_qualifier=b"certificate",
        calling_ae_invocation_identifier=200,
    )
    client, _ = opening(parameters)
    (octets,) = client.sent()
    aarq = decode(bytes.fromhex(octets))
    assert aarq.calling_ap_title == CLIENT_TITLE
    assert aarq.calling_ae_qualifier == b"certificate"
    assert "A904020200C8" in octets
    assert aarq.sender_acse_requirements is None


def test_a_dedicated_key_travels_ciphered():
    parameters = AssociationParameters(
        application_context=C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, dedicated_key=bytes(range(16))
    )
    client, _ = opening(parameters, protection=FakeProtection())
    aarq = decode(bytes.fromhex(client.sent()[0]))
    initiate = decode(FakeProtection().unprotect(aarq.user_information)[0])
    assert initiate.dedicated_key == bytes(range(16))


@pytest.mark.parametrize(
    "facts",
    [
        {"client_sap": -1},
        {"server_sap": 65536},
        {"client_max_receive_pdu_size": 11},
        {"client_max_receive_pdu_size": 63},
        {"client_max_receive_pdu_size": 65536},
        {"mechanism": M.LLS},
        {"confirmed": False, "mechanism": M.HLS_GMAC},
        {"pre_established": True, "mechanism": M.LLS, "secret": b""},
        {"dedicated_key": bytes(16)},
        {"calling_ap_title": b"seven77"},
    ],
)
def test_parameters_that_contradict_each_other(facts):
    with pytest.raises(ConfigurationError):
        AssociationParameters(**facts)


def test_keys_that_are_needed_must_be_there():
    for parameters in (HLS, CIPHERED):
        with pytest.raises(ConfigurationError):
            ClientAssociation(parameters)


def test_secrets_are_not_shown():
    assert PASSWORD.decode() not in repr(LLS)


# --- refusals --------------------------------------------------------------------------------------------------------


def refusal(result: int, diagnostic: Any, information: bytes | None = None, context: Any = C.LN) -> bytes:
    return encode(AARE(context, AssociationResult(result), diagnostic, user_information=information))


def initiate_error(value: int) -> bytes:
    choice, group = ConfirmedServiceErrorChoice.INITIATE_ERROR, ServiceErrorGroup.INITIATE
    return encode(ConfirmedServiceError(choice, group, value))


@pytest.mark.parametrize("result", [1, 2, 77])
@pytest.mark.parametrize(
    "diagnostic",
    [*D, *AcseServiceProviderDiagnostic, D(99), AcseServiceProviderDiagnostic(99)],
    ids=lambda each: f"{type(each).__name__}-{each}",
)
def test_every_refusal_says_who_and_why(result, diagnostic):
    client, exchange = opening()
    client.receive(refusal(result, diagnostic, initiate_error(3)))
    with pytest.raises(AssociationRefused) as caught:
        exchange.result()
    error = caught.value
    user = isinstance(diagnostic, AcseServiceUserDiagnostic)
    assert error.source == ("acse-service-user" if user else "acse-service-provider")
    assert (error.result, error.diagnostic) == (result, int(diagnostic))
    assert error.reason == str(diagnostic)
    assert "pdu-size-too-short" in error.detail
    assert client.association.state is State.IDLE
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_who_has_other_keys_is_told_to_look_at_them():
    undeciphered = encode(
        ConfirmedServiceError(
            ConfirmedServiceErrorChoice.INITIATE_ERROR, ServiceErrorGroup.APPLICATION_REFERENCE, 6
        )
    )
    for octets in (refusal(1, D.NO_REASON_GIVEN, undeciphered), undeciphered):
        client, exchange = opening()
        client.receive(octets)
        with pytest.raises(AssociationRefused) as caught:
            exchange.result()
        assert "deciphering-error" in str(caught.value)
        assert (
            caught.value.hint == "the keys, the security suite or a system title are not those of the meter"
        )
    client, exchange = opening()
    client.receive(refusal(1, D.NO_REASON_GIVEN, initiate_error(3)))
    with pytest.raises(
        AssociationRefused, match="busy with another client, or it waits after wrong passwords"
    ):
        exchange.result()


@pytest.mark.parametrize(
    "identifier",
    [
        "B-aare-ln-ctx-not-supported",
        "B-aare-ln-version-too-low",
        "meter-aare-auth-failure",
        "con-aare-provider",
        "con-aare-transient",
    ],
)
def test_the_refusals_of_annex_b(identifier):
    client, exchange = opening()
    client.receive(vector("acse", identifier).octets)
    with pytest.raises(AssociationRefused):
        exchange.result()


@pytest.mark.parametrize(
    "information", [None, b"", b"\xff", b"\x08\x00", b"\x0e\x01", initiate_response(), b"\x21\x00"]
)
@pytest.mark.parametrize("parameters", [None, CIPHERED], ids=["plain", "ciphered"])
def test_whatever_is_in_a_refusal_hides_nothing(information, parameters):
    context = parameters.application_context if parameters else C.LN
    client, exchange = opening(parameters, protection=FakeProtection() if parameters else None)
    client.receive(refusal(1, D.AUTHENTICATION_FAILURE, information, context))
    with pytest.raises(AssociationRefused) as caught:
        exchange.result()
    assert caught.value.diagnostic == 13
    assert "wrong password" in caught.value.hint


def test_a_ciphered_reason_is_read():
    client, exchange = opening(CIPHERED, protection=FakeProtection())
    information = FakeProtection().protect(initiate_error(2))
    client.receive(refusal(1, D.NO_REASON_GIVEN, information, C.LN_CIPHERED))
    with pytest.raises(AssociationRefused, match="incompatible-conformance"):
        exchange.result()


def test_a_refusal_tells_what_the_server_has_instead():
    client, exchange = opening()
    client.receive(refusal(1, D.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED, None, C.SN))
    with pytest.raises(AssociationRefused) as caught:
        exchange.result()
    assert caught.value.detail == f"it offers {C.SN}"
    assert caught.value.hint == (
        "the meter refers to its objects by short names: short_names=True, or --short-names"
    )


def test_a_refusal_that_offers_ciphering_says_nothing_of_names():
    client, exchange = opening()
    client.receive(refusal(1, D.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED, None, C.LN_CIPHERED))
    with pytest.raises(AssociationRefused) as caught:
        exchange.result()
    assert caught.value.hint == "the meter wants the other kind of names, or ciphering"


def test_after_a_refusal_another_attempt_may_be_made():
    client, exchange = opening()
    client.receive(refusal(2, D.NO_REASON_GIVEN))
    assert exchange.done
    client.sent()
    again = client.association.open()
    assert len(client.sent()) == 1
    client.receive(aare())
    assert again.result().conformance


@pytest.mark.parametrize(
    ("answer", "source", "diagnostic"),
    [
        ("D80101", "exception-response", 1),
        ("D80105", "exception-response", 5),
        ("D80106000000FF", "exception-response", 6),
        ("0E010601", "confirmedServiceError", 1),
        ("0E010006", "confirmedServiceError", 6),
    ],
)
def test_what_comes_in_place_of_an_aare(answer, source, diagnostic):
    client, exchange = opening()
    client.receive(answer)
    with pytest.raises(AssociationRefused) as caught:
        exchange.result()
    assert (caught.value.source, caught.value.diagnostic) == (source, diagnostic)
    assert client.association.state is State.IDLE


# --- acceptances that are none -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"application_context_name": C.SN}, "application-context-name"),
        ({"application_context_name": C.LN_CIPHERED}, "application-context-name"),
        ({"application_context_name": b"\x2a\x03"}, "application-context-name"),
        ({"user_information": None}, "user-information"),
        ({"user_information": initiate_error(4)}, "ConfirmedServiceError"),
        ({"user_information": initiate_response(negotiated_dlms_version_number=5)}, "version"),
        ({"user_information": initiate_response(negotiated_dlms_version_number=7)}, "version"),
        *(
            ({"user_information": initiate_response(size)}, "server-max-receive-pdu-size")
            for size in range(1, 12)
        ),
        (
            {"responder_acse_requirements": AUTHENTICATION, "mechanism_name": M.HLS_GMAC},
            "mechanism-name",
        ),
    ],
)
def test_an_acceptance_of_something_else_is_refused(facts, named):
    client, exchange = opening()
    client.receive(aare(**facts))
    with pytest.raises(ProtocolError, match=named):
        exchange.result()
    assert client.association.state is State.IDLE
    with pytest.raises(StateError):
        client.association.start(lambda context: get(context, LONG))


@pytest.mark.parametrize(
    "information",
    [b"", b"\x08", initiate_response()[:-1], b"\x07\x01", FakeProtection().protect(initiate_response())],
)
def test_an_acceptance_that_cannot_be_read_is_refused(information):
    client, exchange = opening()
    client.receive(aare(user_information=information))
    with pytest.raises(CosemError):
        exchange.result()
    assert client.association.state is State.IDLE


@pytest.mark.parametrize("octets", ["", "61", "6100", "61FF", "00", "FF" * 20, "C4"])
def test_rubbish_ends_the_opening(octets):
    client, exchange = opening()
    client.receive(octets)
    with pytest.raises(DecodeError):
        exchange.result()
    assert client.association.state is State.IDLE


@pytest.mark.parametrize(
    "octets", ["6300", "C401C10000", "C501C100", "C701C10000", "0C01001105", "C001C1000F0000280000FF0200"]
)
def test_an_answer_to_something_else_is_not_the_aare(octets):
    client, exchange = opening()
    client.receive(octets)
    assert not exchange.done
    assert client.association.unmatched == 1
    client.receive(aare())
    assert exchange.done


def test_the_echo_of_the_aarq_is_not_the_aare():
    client, exchange = opening()
    client.receive(client.sent()[0])
    assert not exchange.done


@given(st.binary(max_size=80))
def test_any_octets_end_the_opening_or_leave_it(octets):
    client, exchange = opening()
    client.receive(octets)
    client.receive(b"\x61" + octets)
    if exchange.done:
        with pytest.raises(CosemError):
            exchange.result()
        assert client.association.state is State.IDLE


# --- acceptances -----------------------------------------------------------------------------------------------------


def test_what_was_agreed_on():
    client, exchange = opening(AssociationParameters(**PROPOSED))
    client.receive(vector("acse", "B-aare-ln-ok").octets)
    negotiated = exchange.result()
    assert negotiated.conformance == Conformance.from_octets(bytes.fromhex("00501F"))
    assert negotiated.server_max_receive_pdu_size == 500
    assert negotiated.findings == ()
    assert client.association.state is State.ASSOCIATED


@given(proposed=st.integers(1, 0xFFFFFF), answered=st.integers(0, 0xFFFFFF))
def test_no_service_is_used_that_was_not_proposed(proposed, answered):
    client, exchange = opening(AssociationParameters(conformance=Conformance(proposed)))
    client.receive(aare(user_information=initiate_response(conformance=f"{answered:06X}")))
    negotiated = exchange.result()
    assert negotiated.conformance & ~Conformance(proposed & answered) == 0
    assert ("conformance-not-proposed" in negotiated.findings) is bool(answered & ~proposed)


def test_after_lls_the_fields_of_authentication_say_nothing():
    for facts in (
        {"responder_acse_requirements": AUTHENTICATION, "mechanism_name": M.LLS},
        {"responder_acse_requirements": BitString.from_text("0"), "mechanism_name": M.HLS_GMAC},
        {"result_source_diagnostic": D.AUTHENTICATION_REQUIRED},
        {"responder_acse_requirements": AUTHENTICATION, "mechanism_name": M.LOWEST},
    ):
        client, exchange = opening(LLS)
        client.receive(aare(**facts))
        assert exchange.result()
        assert client.association.state is State.ASSOCIATED


def test_size_0_is_no_limit():
    client = opened_client(0)
    assert client.association.max_request_size == 0


def test_a_ciphered_association():
    client, exchange = opening(CIPHERED, protection=FakeProtection())
    client.receive(
        aare(
            application_context_name=C.LN_CIPHERED,
            responding_ap_title=SERVER_TITLE,
            user_information=FakeProtection().protect(initiate_response(40)),
        )
    )
    assert exchange.result().responding_ap_title == SERVER_TITLE
    assert client.association.max_request_size == 36


@pytest.mark.parametrize(
    ("information", "error"),
    [
        (initiate_response(), SecurityError),
        (FakeProtection().protect(initiate_response())[:-1] + b"\0", VerificationError),
        (FakeProtection().protect(b"\x01\x02"), DecodeError),
    ],
)
def test_a_ciphered_request_wants_a_ciphered_answer(information, error):
    client, exchange = opening(CIPHERED, protection=FakeProtection())
    client.receive(aare(application_context_name=C.LN_CIPHERED, user_information=information))
    with pytest.raises(error):
        exchange.result()
    assert client.association.state is State.IDLE
    assert not client.association.protecting


# --- HLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("diagnostic", [D.NULL, D.AUTHENTICATION_REQUIRED])
@pytest.mark.parametrize("mechanism", [None, M.HLS_MD5])
def test_hls(diagnostic, mechanism):
    half = FakeClientHalf()
    client, exchange = opening(HLS, authenticator=half)
    client.sent()
    client.receive(
        hls_aare(
            result_source_diagnostic=diagnostic, mechanism_name=mechanism, responding_ap_title=SERVER_TITLE
        )
    )
    assert client.sent() == [REPLY]
    assert half.seen == [(STOC, SERVER_TITLE)]
    assert not exchange.done
    client.receive(f"C7014000010009{len(CTOS):02X}{CTOS[::-1].hex()}")
    assert exchange.result()
    assert client.association.start(lambda context: get(context, LONG))


def test_before_pass_4_there_is_no_service():
    client, exchange = opening(HLS, authenticator=FakeClientHalf())
    client.receive(hls_aare())
    for forbidden in (
        lambda: client.association.start(lambda context: get(context, LONG)),
        lambda: client.association.send_unconfirmed(lambda _: None),
        client.association.release,
        client.association.open,
    ):
        with pytest.raises(StateError):
            forbidden()
    assert not exchange.done


@pytest.mark.parametrize(
    "facts",
    [
        {"responding_authentication_value": None},
        {"responding_authentication_value": CTOS},
        {"responding_authentication_value": b""},
        {"responding_authentication_value": b"seven77"},
        {"responding_authentication_value": b"6" * 65},
        {"responding_authentication_value": AuthenticationValue(0x81, STOC)},
    ],
)
def test_a_challenge_that_cannot_be_used_is_not_answered(facts):
    client, exchange = opening(HLS, authenticator=FakeClientHalf())
    client.sent()
    client.receive(hls_aare(**facts))
    with pytest.raises(AuthenticationError):
        exchange.result()
    assert client.sent() == []
    assert client.association.state is State.IDLE


def test_another_mechanism_is_refused():
    client, exchange = opening(HLS, authenticator=FakeClientHalf())
    client.receive(hls_aare(mechanism_name=M.LLS))
    with pytest.raises(ProtocolError, match="mechanism-name"):
        exchange.result()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("C701400300", AuthenticationError),
        ("C70140FA00", AuthenticationError),
        ("C701400000", AuthenticationError),
        ("C70140000101FA", AuthenticationError),
        ("C7014000010000", AuthenticationError),
        ("C70140000100090101", AuthenticationError),
        (f"C7014000010009{len(STOC):02X}{STOC[::-1].hex()}", AuthenticationError),
        ("D80101", AuthenticationError),
        ("C401400000", ProtocolError),
        ("C70340010000", ProtocolError),
        ("C70140", DecodeError),
    ],
)
def test_a_server_that_does_not_prove_who_it_is(answer, error):
    client, exchange = opening(HLS, authenticator=FakeClientHalf())
    client.receive(hls_aare())
    client.receive(answer)
    with pytest.raises(error):
        exchange.result()
    assert client.association.state is State.IDLE
    with pytest.raises(StateError):
        client.association.start(lambda context: get(context, LONG))


def test_a_lost_connection_in_the_middle_of_hls():
    client, exchange = opening(HLS, authenticator=FakeClientHalf())
    client.receive(hls_aare())
    client.association.lost(TransportClosed("gone"))
    with pytest.raises(TransportClosed):
        exchange.result()
    assert client.association.state is State.IDLE


# --- no answer, no association -------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [None, HLS])
def test_an_opening_that_is_given_up(parameters):
    client, exchange = opening(parameters, authenticator=FakeClientHalf())
    client.association.cancel(exchange, TransportClosed("no answer"))
    with pytest.raises(TransportClosed):
        exchange.result()
    assert client.association.state is State.IDLE
    client.receive(aare())
    assert client.association.state is State.IDLE
    assert client.association.unmatched == 1


def test_no_second_association():
    client = opened_client()
    with pytest.raises(StateError):
        client.association.open()
    client, _ = opening()
    with pytest.raises(StateError):
        client.association.open()
    with pytest.raises(StateError):
        client.association.release()


def test_an_unconfirmed_association_is_there_at_once():
    client = Client(AssociationParameters(confirmed=False, conformance=Conformance.GET | Conformance.SET))
    exchange = client.association.open()
    outgoing = client.association.next_outgoing()
    assert not outgoing.confirmed
    assert not decode(decode(outgoing.octets).user_information).response_allowed
    assert exchange.result().conformance == Conformance.GET | Conformance.SET
    with pytest.raises(UnsupportedError):
        client.association.start(lambda context: get(context, LONG))


def test_a_pre_established_association_needs_no_opening_and_has_no_end():
    client = Client(AssociationParameters(pre_established=True))
    assert client.association.state is State.ASSOCIATED
    for service in (client.association.open, client.association.release):
        with pytest.raises(StateError):
            service()
    exchange = client.association.start(lambda context: get(context, LONG))
    assert client.converse(exchange, "C0014000010000800000FF0200", "C40140001105") == 5


@pytest.mark.parametrize(
    "secret",
    [
        {"mechanism": AuthenticationMechanism.LLS, "secret": b"12345678"},
        {"application_context": ApplicationContext.LN_CIPHERED, "dedicated_key": bytes(16)},
    ],
)
def test_parameters_are_pickled_without_secrets_only(secret):
    plain = AssociationParameters(client_sap=7, calling_ap_title=b"MMM12345")
    assert pickle.loads(pickle.dumps(plain)) == plain
    with pytest.raises(TypeError, match="secrets are not pickled"):
        pickle.dumps(AssociationParameters(**secret))
