"""COSEM-OPEN at the server: every row of the table of refusals, negotiation, LLS and the HLS passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode, encode
from cosem.apdu.acse import AARE, AARQ, AUTHENTICATION
from cosem.apdu.initiate import InitiateRequest, InitiateResponse
from cosem.association.control_function import State
from cosem.association.indications import (
    AbortIndication,
    AuthenticationFailed,
    Established,
    OpenIndication,
    OpenRefusal,
)
from cosem.association.parameters import LN_BITS, SN_BITS
from cosem.association.server_profile import AssociationProfile, ServerLimits
from cosem.errors import ConfigurationError
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationStatus,
    AuthenticationMechanism,
    Conformance,
)
from tests.association.fakes import CLIENT_TITLE, CTOS, SERVER_TITLE, STOC, FakeProtection, FakeServerHalf
from tests.association.server_driver import Server

C, M = ApplicationContext, AuthenticationMechanism
PASSWORD = b"12345678"
NO_AUTHENTICATION = BitString.from_text("0")
NOT_ALLOWED = "D80101"


def initiate(**facts: Any) -> bytes:
    facts.setdefault("proposed_conformance", Conformance.from_octets(bytes.fromhex("007E1F")))
    facts.setdefault("client_max_receive_pdu_size", 1200)
    return encode(InitiateRequest(**facts))


def aarq(context: Any = C.LN, **facts: Any) -> bytes:
    facts.setdefault("user_information", initiate())
    return encode(AARQ(context, **facts))


def authenticated(mechanism: Any, value: Any, context: Any = C.LN, **facts: Any) -> bytes:
    return aarq(
        context,
        sender_acse_requirements=AUTHENTICATION,
        mechanism_name=mechanism,
        calling_authentication_value=value,
        **facts,
    )


def lls(**facts: Any) -> AssociationProfile:
    return AssociationProfile(mechanism=M.LLS, secret=lambda: PASSWORD, **facts)


def hls(mechanism: AuthenticationMechanism = M.HLS_GMAC, **facts: Any) -> AssociationProfile:
    facts.setdefault("authenticator", FakeServerHalf)
    facts.setdefault("system_title", SERVER_TITLE)
    return AssociationProfile(mechanism=mechanism, **facts)


def ciphered(**facts: Any) -> AssociationProfile:
    facts.setdefault("protection", FakeProtection)
    facts.setdefault("system_title", SERVER_TITLE)
    return AssociationProfile(application_context=C.LN_CIPHERED, **facts)


def secret(octets: bytes) -> bytes:
    return FakeProtection().protect(octets)


def replaying(title: bytes | None) -> FakeProtection:
    protection = FakeProtection(title)
    protection.replayed = True
    return protection


def user(number: int) -> AcseServiceUserDiagnostic:
    return AcseServiceUserDiagnostic(number)


def provider(number: int) -> AcseServiceProviderDiagnostic:
    return AcseServiceProviderDiagnostic(number)


OTHER, REFUSED = "0E010600", "0E010604"
DECIPHERING, VERSION, CONFORMANCE, SIZE = "0E010006", "0E010601", "0E010602", "0E010603"
IR = "IR"
PUBLIC = AssociationProfile()
USERS = AssociationProfile(users=lambda: frozenset({1, 200}))
ROWS = [
    ("01-broken", PUBLIC, bytes.fromhex("6003A109"), 1, provider(1), OTHER),
    ("01-no-context", PUBLIC, bytes.fromhex("6006BE0404020100"), 1, provider(1), OTHER),
    ("01-nothing", PUBLIC, b"\x60", 1, provider(1), OTHER),
    ("01-repeated", PUBLIC, bytes.fromhex("6016" + "A109060760857405080101" * 2), 1, provider(1), OTHER),
    ("02", PUBLIC, aarq(protocol_version=BitString.from_text("0")), 1, provider(2), OTHER),
    ("02-empty", PUBLIC, aarq(protocol_version=BitString.from_text("")), 1, provider(2), OTHER),
    ("02-version2", PUBLIC, aarq(protocol_version=BitString.from_text("01")), 1, provider(2), OTHER),
    ("04", None, aarq(), 1, user(1), REFUSED),
    ("05-sn", PUBLIC, aarq(C.SN), 1, user(2), IR),
    ("05-ciphered", PUBLIC, aarq(C.LN_CIPHERED), 1, user(2), IR),
    ("05-plain-for-ciphered", ciphered(), aarq(C.LN), 1, user(2), IR),
    ("05-foreign", PUBLIC, aarq(b"\x2a\x03\x04"), 1, user(2), IR),
    ("05-unreadable-initiate", PUBLIC, aarq(C.SN, user_information=b"\xff\xff"), 1, user(2), IR),
    ("07-absent", hls(), authenticated(M.HLS_GMAC, CTOS), 1, user(3), IR),
    ("07-short", hls(), authenticated(M.HLS_GMAC, CTOS, calling_ap_title=b"seven77"), 1, user(3), IR),
    ("07-absent-ciphered", ciphered(), aarq(C.LN_CIPHERED), 1, user(3), IR),
    (
        "07-other",
        hls(client_system_title=CLIENT_TITLE),
        authenticated(M.HLS_GMAC, CTOS, calling_ap_title=b"SOMEBODY"),
        1,
        user(3),
        IR,
    ),
    (
        "08",
        hls(M.HLS_ECDSA, authenticator=lambda: FakeServerHalf(certificate=False)),
        authenticated(M.HLS_ECDSA, CTOS * 2, calling_ap_title=CLIENT_TITLE, calling_ae_qualifier=b"0"),
        1,
        user(5),
        IR,
    ),
    ("09-absent", USERS, aarq(), 1, user(6), IR),
    ("09-unknown", USERS, aarq(calling_ae_invocation_identifier=2), 1, user(6), IR),
    ("10", lls(), aarq(), 1, user(12), IR),
    ("10-bit-0", lls(), aarq(sender_acse_requirements=NO_AUTHENTICATION), 1, user(12), IR),
    (
        "10-ignored-without-the-functional-unit",
        lls(),
        aarq(
            sender_acse_requirements=NO_AUTHENTICATION,
            mechanism_name=M.LLS,
            calling_authentication_value=PASSWORD,
        ),
        1,
        user(12),
        IR,
    ),
    (
        "10-no-name",
        lls(),
        aarq(sender_acse_requirements=AUTHENTICATION, calling_authentication_value=PASSWORD),
        1,
        user(12),
        IR,
    ),
    ("11-known", lls(), authenticated(M.HLS_MD5, CTOS), 1, user(11), IR),
    ("11-lowest", lls(), authenticated(M.LOWEST, b""), 1, user(11), IR),
    ("11-unknown", lls(), authenticated(b"\x2a\x03\x04", PASSWORD), 1, user(11), IR),
    ("11-lower-than-declared", hls(M.HLS_MD5), authenticated(M.LLS, PASSWORD), 1, user(11), IR),
    ("12-lls-at-lowest", PUBLIC, authenticated(M.LLS, PASSWORD), 1, user(11), IR),
    ("13-wrong", lls(), authenticated(M.LLS, b"87654321"), 1, user(13), IR),
    ("13-absent", lls(), authenticated(M.LLS, None), 1, user(13), IR),
    ("13-prefix", lls(), authenticated(M.LLS, PASSWORD[:-1]), 1, user(13), IR),
    ("13-longer", lls(), authenticated(M.LLS, PASSWORD + b"\0"), 1, user(13), IR),
    ("13-empty", lls(), authenticated(M.LLS, b""), 1, user(13), IR),
    ("13-challenge-7", hls(M.HLS_MD5), authenticated(M.HLS_MD5, b"7" * 7), 1, user(13), IR),
    ("13-challenge-65", hls(M.HLS_MD5), authenticated(M.HLS_MD5, b"6" * 65), 1, user(13), IR),
    (
        "13-challenge-31-ecdsa",
        hls(M.HLS_ECDSA),
        authenticated(M.HLS_ECDSA, b"3" * 31, calling_ap_title=CLIENT_TITLE),
        1,
        user(13),
        IR,
    ),
    ("13-unusable", hls(M.HLS_MD5), authenticated(M.HLS_MD5, b"unusable challenge"), 1, user(13), IR),
    ("14-absent", PUBLIC, aarq(user_information=None), 1, user(1), OTHER),
    ("14-empty", PUBLIC, aarq(user_information=b""), 1, user(1), OTHER),
    ("14-response", PUBLIC, aarq(user_information=encode(InitiateResponse())), 1, user(1), OTHER),
    ("14-cut", PUBLIC, aarq(user_information=initiate()[:-1]), 1, user(1), OTHER),
    ("15-in-a-plain-context", PUBLIC, aarq(user_information=secret(initiate())), 1, user(1), DECIPHERING),
    (
        "15-not-genuine",
        ciphered(),
        aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=secret(initiate())[:-1] + b"\0"),
        1,
        user(1),
        DECIPHERING,
    ),
    (
        "16-as-aare",
        ciphered(protection=replaying, counter_error_as_exception=False),
        aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=secret(initiate())),
        1,
        user(1),
        DECIPHERING,
    ),
    (
        "17",
        ciphered(protected_only=True),
        aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE),
        1,
        user(1),
        DECIPHERING,
    ),
    ("18", PUBLIC, aarq(user_information=initiate(proposed_dlms_version_number=5)), 1, user(1), VERSION),
    (
        "19-nothing",
        PUBLIC,
        aarq(user_information=initiate(proposed_conformance=Conformance(0))),
        1,
        user(1),
        CONFORMANCE,
    ),
    (
        "19-other-names",
        PUBLIC,
        aarq(user_information=initiate(proposed_conformance=SN_BITS)),
        1,
        user(1),
        CONFORMANCE,
    ),
    (
        "19-not-ours",
        AssociationProfile(conformance=Conformance.GET),
        aarq(
            user_information=initiate(
                proposed_conformance=Conformance.SET | Conformance.PRIORITY_MGMT_SUPPORTED
            )
        ),
        1,
        user(1),
        CONFORMANCE,
    ),
    *(
        (
            f"20-{size}",
            PUBLIC,
            aarq(user_information=initiate(client_max_receive_pdu_size=size)),
            1,
            user(1),
            SIZE,
        )
        for size in (1, 11)
    ),
    (
        "20-below-our-minimum",
        AssociationProfile(smallest_client_pdu_size=64),
        aarq(user_information=initiate(client_max_receive_pdu_size=63)),
        1,
        user(1),
        SIZE,
    ),
]


@pytest.mark.parametrize(
    ("profile", "request_", "result", "diagnostic", "information"),
    [pytest.param(*row[1:], id=row[0]) for row in ROWS],
)
def test_refusal(profile, request_, result, diagnostic, information):
    server = Server(*([profile] if profile else []))
    octets = server(request_)
    answer = decode(bytes.fromhex(octets))
    assert isinstance(answer, AARE)
    assert answer.result == result
    assert answer.result_source_diagnostic is diagnostic
    if information == IR:
        assert answer.application_context_name is profile.application_context
        response = decode(answer.user_information)
        assert isinstance(response, InitiateResponse)
        assert response.server_max_receive_pdu_size == profile.max_receive_pdu_size
        assert response.negotiated_conformance == profile.conformance
    else:
        assert answer.user_information.hex().upper() == information
    assert answer.responding_authentication_value is None
    assert server.association.state is State.IDLE
    assert server.association.status is AssociationStatus.NON_ASSOCIATED
    assert not server.application.of_kind(Established)
    assert bool(server.application.of_kind(OpenIndication)) is not isinstance(
        diagnostic, AcseServiceProviderDiagnostic
    )
    assert server("C001C1000F0000280000FF0200") == NOT_ALLOWED


def test_every_row_of_the_table_that_refuses_is_here():
    elsewhere = {"03", "06", "16", "21", "22", "23", "24"}
    rows = {row[0][:2] for row in ROWS} | elsewhere
    assert rows == {f"{number:02d}" for number in range(1, 25)}


def test_row_02_names_the_version_that_there_is():
    answer = decode(bytes.fromhex(Server(PUBLIC)(aarq(protocol_version=BitString.from_text("0")))))
    assert answer.protocol_version == BitString.from_text("1")


def test_row_02_version_1_among_others_is_good():
    server = Server(PUBLIC, opened=aarq(protocol_version=BitString.from_text("11")))
    assert server.association.state is State.ASSOCIATED


def test_row_06_called_titles_are_ignored():
    server = Server(PUBLIC, opened=aarq(called_ap_title=b"nobody", called_ae_invocation_identifier=3))
    assert server.association.state is State.ASSOCIATED


def test_row_07_a_title_that_the_server_knows_need_not_be_sent():
    server = Server(hls(client_system_title=CLIENT_TITLE), opened=authenticated(M.HLS_GMAC, CTOS))
    assert server.association.context.client_title == CLIENT_TITLE
    assert server.association.authenticator.title == CLIENT_TITLE


@pytest.mark.parametrize("number", [1, 200])
def test_row_09_a_user_of_the_list_is_let_in(number):
    server = Server(USERS, opened=aarq(calling_ae_invocation_identifier=number))
    assert server.association.context.user_id == number


def test_row_12_lowest_level_by_name_is_accepted():
    assert Server(PUBLIC, opened=authenticated(M.LOWEST, b"")).association.state is State.ASSOCIATED


def test_row_13_a_wrong_password_is_told_to_the_application():
    server = Server(lls(), opened=authenticated(M.LLS, b"wrong"))
    assert server.application.of_kind(AuthenticationFailed) == [AuthenticationFailed(1)]


def test_row_13_without_a_password_there_is_no_right_one():
    server = Server(AssociationProfile(mechanism=M.LLS, secret=lambda: None))
    for guess in (b"", b"None"):
        assert decode(bytes.fromhex(server(authenticated(M.LLS, guess)))).result == 1


def test_row_16_the_exception_tells_the_counter():
    request = aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=secret(initiate()))
    server = Server(ciphered(protection=replaying))
    assert server(request) == "D801060000004D"
    assert server.association.state is State.IDLE


@pytest.mark.parametrize(
    ("refusal", "result", "diagnostic", "error"),
    [
        (OpenRefusal(), 2, 1, REFUSED),
        (OpenRefusal(initiate_error=0), 2, 1, OTHER),
        (OpenRefusal(diagnostic=AcseServiceUserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED), 2, 7, REFUSED),
    ],
)
def test_row_21_the_application_may_refuse(refusal, result, diagnostic, error):
    server = Server(PUBLIC)
    server.application.open_answer = refusal
    answer = decode(bytes.fromhex(server(aarq())))
    assert (answer.result, answer.result_source_diagnostic) == (result, diagnostic)
    assert answer.user_information.hex().upper() == error
    assert server.association.state is State.IDLE


def test_row_22_lowest_level():
    server = Server(PUBLIC)
    assert server("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0") == (
        "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400007E1FFFFF0007"
    )
    assert server.association.state is State.ASSOCIATED
    assert server.association.status is AssociationStatus.ASSOCIATED
    assert server.application.of_kind(Established) == [Established()]


def test_row_22_lls_is_accepted_as_if_there_were_none():
    answer = decode(bytes.fromhex(Server(lls())(authenticated(M.LLS, PASSWORD))))
    assert (answer.result, answer.result_source_diagnostic) == (0, user(0))
    assert answer.mechanism_name is None
    assert answer.responder_acse_requirements is None
    assert answer.responding_authentication_value is None


def test_row_22_a_ciphered_request_is_answered_ciphered():
    request = aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=secret(initiate()))
    answer = decode(bytes.fromhex(Server(ciphered())(request)))
    assert answer.result == 0
    assert answer.responding_ap_title == SERVER_TITLE
    clear, _ = FakeProtection().unprotect(answer.user_information)
    assert isinstance(decode(clear), InitiateResponse)


def test_row_19_a_refusal_after_deciphering_is_ciphered():
    information = secret(initiate(proposed_conformance=Conformance(0)))
    request = aarq(C.LN_CIPHERED, calling_ap_title=CLIENT_TITLE, user_information=information)
    answer = decode(bytes.fromhex(Server(ciphered())(request)))
    assert FakeProtection().unprotect(answer.user_information)[0].hex().upper() == CONFORMANCE


def test_row_23_hls():
    server = Server(hls())
    answer = decode(bytes.fromhex(server(authenticated(M.HLS_GMAC, CTOS, calling_ap_title=CLIENT_TITLE))))
    assert (answer.result, answer.result_source_diagnostic) == (0, user(14))
    assert answer.responder_acse_requirements == AUTHENTICATION
    assert answer.mechanism_name is M.HLS_GMAC
    assert answer.responding_authentication_value == STOC
    assert answer.responding_ap_title == SERVER_TITLE
    assert server.association.state is State.ASSOCIATED
    assert server.association.status is AssociationStatus.ASSOCIATION_PENDING
    assert server.application.of_kind(Established) == [Established(pending=True)]


@pytest.mark.parametrize("length", [8, 64])
def test_row_23_challenges_of_8_to_64_octets(length):
    server = Server(hls(M.HLS_MD5), opened=authenticated(M.HLS_MD5, b"c" * length))
    assert server.association.status is AssociationStatus.ASSOCIATION_PENDING


@pytest.mark.parametrize(
    ("profile", "request_"),
    [
        (PUBLIC, aarq(user_information=initiate(response_allowed=False))),
        (
            lls(),
            authenticated(M.LLS, PASSWORD, user_information=initiate(response_allowed=False)),
        ),
    ],
)
def test_row_24_an_unconfirmed_association_is_never_answered(profile, request_):
    server = Server(profile)
    assert server(request_) is None
    assert server.association.state is State.ASSOCIATED
    assert not server.association.context.confirmed
    assert server("C001C100010000800000FF0200") is None
    assert server("6203800100") is None
    assert server.association.state is State.IDLE


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row[0] in ("05-sn", "13-wrong", "18", "19-nothing", "20-1")]
)
def test_row_24_a_refusal_is_not_answered_either(row):
    sent = decode(row[2])
    facts = {"proposed_dlms_version_number": 5} if row[0] == "18" else {}
    if row[0] == "19-nothing":
        facts["proposed_conformance"] = Conformance(0)
    if row[0] == "20-1":
        facts["client_max_receive_pdu_size"] = 1
    request = aarq(
        sent.application_context_name,
        sender_acse_requirements=sent.sender_acse_requirements,
        mechanism_name=sent.mechanism_name,
        calling_authentication_value=sent.calling_authentication_value,
        user_information=initiate(response_allowed=False, **facts),
    )
    server = Server(row[1])
    assert server(request) is None
    assert server.association.state is State.IDLE


def test_row_24_in_a_ui_frame_nothing_is_answered():
    server = Server(PUBLIC)
    assert server(aarq(), confirmed=False) is None
    assert server.association.state is State.ASSOCIATED
    assert not server.association.context.confirmed


def test_row_24_no_hls_where_the_server_cannot_answer():
    for request, confirmed in (
        (authenticated(M.HLS_MD5, CTOS), False),
        (authenticated(M.HLS_MD5, CTOS, user_information=initiate(response_allowed=False)), True),
    ):
        server = Server(hls(M.HLS_MD5))
        assert server(request, confirmed=confirmed) is None
        assert server.association.state is State.IDLE


def test_an_aarq_in_an_association_takes_its_place():
    server = Server(PUBLIC, opened=aarq())
    assert server("C001C100010000800000FF0200")[:8] == "C401C100"
    answer = decode(bytes.fromhex(server(aarq(user_information=initiate(client_max_receive_pdu_size=99)))))
    assert answer.result == 0
    assert server.association.context.client_max_receive_pdu_size == 99
    assert len(server.application.of_kind(AbortIndication)) == 1


def test_a_refused_aarq_in_an_association_ends_it():
    server = Server(lls(), opened=authenticated(M.LLS, PASSWORD))
    server(authenticated(M.LLS, b"wrong"))
    assert server.association.state is State.IDLE
    assert server("C001C100010000800000FF0200") == NOT_ALLOWED


# --- negotiation ------------------------------------------------------------------------------------------


@given(proposed=st.integers(0, 0xFFFFFF), own=st.integers(0, 0xFFFFFF))
def test_conformance_is_what_both_have_and_logical_names_use(proposed, own):
    server = Server(AssociationProfile(conformance=Conformance(own)))
    answer = decode(
        bytes.fromhex(server(aarq(user_information=initiate(proposed_conformance=Conformance(proposed)))))
    )
    both = Conformance(proposed & own) & LN_BITS
    if answer.result:
        assert answer.user_information.hex().upper() == CONFORMANCE
        assert not both & (Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.ACCESS)
    else:
        response = decode(answer.user_information)
        assert response.negotiated_conformance == both
        assert server.association.context.conformance == both


@given(size=st.sampled_from([0, *range(12, 80), 1200, 65535]), own=st.sampled_from([0, 12, 40, 1200, 65535]))
def test_sizes_are_two_declarations(size, own):
    server = Server(AssociationProfile(max_receive_pdu_size=own))
    information = initiate(client_max_receive_pdu_size=size)
    response = decode(decode(bytes.fromhex(server(aarq(user_information=information)))).user_information)
    assert response.server_max_receive_pdu_size == own
    assert server.association.context.client_max_receive_pdu_size == size


@pytest.mark.parametrize("version", [6, 7, 255])
def test_a_later_version_is_answered_with_6(version):
    information = initiate(proposed_dlms_version_number=version, proposed_quality_of_service=3)
    answer = decode(bytes.fromhex(Server(PUBLIC)(aarq(user_information=information))))
    response = decode(answer.user_information)
    assert response.negotiated_dlms_version_number == 6
    assert response.negotiated_quality_of_service is None
    assert response.vaa_name == 7


def test_the_profile_is_chosen_by_context_and_mechanism():
    md5, gmac = hls(M.HLS_MD5), hls()
    server = Server(PUBLIC, lls(), md5, gmac, ciphered())
    assert decode(bytes.fromhex(server(authenticated(M.LLS, PASSWORD)))).result == 0
    assert server.association.profile.mechanism is M.LLS
    server(authenticated(M.HLS_GMAC, CTOS, calling_ap_title=CLIENT_TITLE))
    assert server.association.profile is gmac
    server(aarq())
    assert server.association.profile is PUBLIC


@pytest.mark.parametrize(
    "facts",
    [
        {"mechanism": M.LLS},
        {"mechanism": M.HLS_GMAC},
        {"application_context": C.LN_CIPHERED},
        {"pre_established": True, "mechanism": M.LLS, "secret": lambda: b""},
        {"max_receive_pdu_size": 11},
        {"system_title": b"seven77"},
        {"client_system_title": b"nine99999"},
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(facts):
    with pytest.raises(ConfigurationError):
        AssociationProfile(**facts)


# --- the HLS passes -----------------------------------------------------------------------------------------


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


# --- whoever pumps may be slow, fail, or serve something else meanwhile -------------------------------------


def begin(server: Server, octets: bytes) -> tuple[Any, Any]:
    processing = server.association.process(octets, 0.0)
    return processing, next(processing)


def ended(processing: Any, outcome: Any = None) -> list[bytes]:
    with pytest.raises(StopIteration) as stop:
        while True:
            outcome = processing.send(outcome)
            outcome = None
    return stop.value.value


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
    server = Server(AssociationProfile(pre_established=True, client_max_receive_pdu_size=40))
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
