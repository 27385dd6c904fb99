"""What client and server agree on, seen from the server: conformance, sizes, version, profile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode
from cosem.association.referencing import LN_BITS
from cosem.association.server.profile import AssociationProfile
from cosem.errors import ConfigurationError
from cosem.types.enumerations import Conformance
from tests.association.fakes import CLIENT_TITLE, CTOS
from tests.association.openings import PASSWORD, C, M, aarq, authenticated, ciphered, hls, initiate, lls
from tests.association.server_driver import Server

PUBLIC = AssociationProfile()
CONFORMANCE = "0E010602"


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
