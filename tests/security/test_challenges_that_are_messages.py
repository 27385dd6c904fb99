"""A proof of HLS 5 has the form of the tag of a message that is authenticated alone: none is made for a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import AuthenticationError, CosemError, VerificationError
from cosem.security.authentication import Claim, GmacMechanism
from cosem.security.context import Side
from cosem.security.counters import VolatileCounter
from cosem.security.gcm import AesGcmKey
from cosem.security.status import LayerOptions, ProtectionForm, SecurityOptions
from tests.security.protecting import (
    AK,
    EK,
    GET,
    GET_ANSWER,
    HEAD_END,
    METER,
    SUITE_0,
    SUITE_1,
    SUITE_2,
    protection,
)
from tests.vectors import load

F = ProtectionForm


def gmac() -> GmacMechanism:
    return GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(7))


def proof_of(challenge: bytes) -> bytes:
    return gmac().prove(Claim(challenge, b"ours" * 4, HEAD_END, METER))


@pytest.mark.parametrize(
    "challenge",
    [
        GET,
        GET_ANSWER,
        bytes.fromhex("01000000065F1F0400007E1F04B0"),
        bytes.fromhex("C101C100010000800100FF02000981014100"[:-2]),  # a length that could be shorter
    ],
)
def test_no_proof_is_made_for_a_message(challenge):
    with pytest.raises(AuthenticationError, match="pass for ours"):
        proof_of(challenge)


def test_the_proof_would_be_the_tag_of_that_message():
    """Which is why: what would have been proved is taken by a server as a request."""
    options = SecurityOptions((LayerOptions(encrypted=False),))
    sealed = protection(HEAD_END, METER, counter=7, side=Side.CLIENT).protect(GET, options)
    key = AesGcmKey(EK, AK)
    nonce = HEAD_END + (7).to_bytes(4, "big")
    assert sealed[-12:] == key.seal(0x10, nonce, b"", GET)


@pytest.mark.parametrize("vector", [each for each in load("security") if "hls5" in each.id], ids=str)
def test_published_challenges_are_answered(vector):
    for name in ("stoc", "ctos"):
        assert len(proof_of(vector.hex(name))) == 17


@pytest.mark.parametrize("challenge", ["E080000100000A00010203040506070809", "DB084D4D4D000000000103300000"])
def test_layers_and_blocks_are_no_messages_by_themselves(challenge):
    assert len(proof_of(bytes.fromhex(challenge))) == 17


@pytest.mark.parametrize("suite", [SUITE_0, SUITE_1])
@pytest.mark.parametrize("clear", [b"\xff\xff", b"\xc0"])
def test_what_is_no_message_is_handed_up_for_its_receiver_to_judge(clear, suite):
    options = SecurityOptions((LayerOptions(F.GENERAL_GLO, encrypted=False),))
    octets = protection(HEAD_END, METER, suite=suite, side=Side.CLIENT).protect(clear, options)
    assert protection(METER, HEAD_END, suite=suite).unprotect(octets)[0] == clear


@pytest.mark.parametrize("head", [b"\xdb\x08" + HEAD_END + b"\x11", b"\xc8\x11"])
def test_a_tag_over_nothing_is_no_error_of_ours(head):
    key, count = AesGcmKey(EK, AK), (7).to_bytes(4, "big")
    octets = head + b"\x10" + count + key.seal(0x10, HEAD_END + count, b"", b"")
    receiver = protection(METER, HEAD_END)
    try:
        clear, _ = receiver.unprotect(octets)
    except CosemError:
        return
    assert clear == b""


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_octets_behind_a_message_are_refused_in_every_suite(suite):
    options = SecurityOptions((LayerOptions(encrypted=False),))
    octets = protection(HEAD_END, METER, suite=suite, side=Side.CLIENT).protect(GET + b"\0", options)
    with pytest.raises(VerificationError, match="behind"):
        protection(METER, HEAD_END, suite=suite).unprotect(octets)


@given(st.sampled_from([GET, GET_ANSWER]), st.binary(min_size=1, max_size=20))
def test_octets_behind_a_message_make_no_message_of_a_challenge(message, behind):
    assert len(proof_of(message + behind)) == 17
    options = SecurityOptions((LayerOptions(encrypted=False),))
    octets = protection(HEAD_END, METER, side=Side.CLIENT).protect(message + behind, options)
    with pytest.raises(VerificationError, match="behind"):
        protection(METER, HEAD_END).unprotect(octets)
