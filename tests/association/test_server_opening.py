"""COSEM-OPEN at the server: every row of the table of refusals, negotiation, LLS and the HLS passes."""

from __future__ import annotations

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.acse import AARE, AUTHENTICATION
from cosem.apdu.initiate import InitiateResponse
from cosem.association.control_function import State
from cosem.association.referencing import SN_BITS
from cosem.association.server.indications import (
    AbortIndication,
    AuthenticationFailed,
    Established,
    OpenIndication,
    OpenRefusal,
)
from cosem.association.server.profile import AssociationProfile
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    AssociationStatus,
    Conformance,
)
from tests.association.fakes import CLIENT_TITLE, CTOS, SERVER_TITLE, STOC, FakeProtection, FakeServerHalf
from tests.association.openings import (
    NO_AUTHENTICATION,
    NOT_ALLOWED,
    PASSWORD,
    C,
    M,
    aarq,
    authenticated,
    ciphered,
    hls,
    initiate,
    lls,
    provider,
    replaying,
    secret,
    user,
)
from tests.association.server_driver import Server

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
        aarq(user_information=initiate(proposed_conformance=SN_BITS & ~Conformance.DATA_NOTIFICATION)),
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
