"""A proof of HLS 5 has the form of the tag of a message that is authenticated alone: none is made for a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import AuthenticationError, VerificationError
from cosem.security.authentication import Claim, GmacMechanism
from cosem.security.context import Side
from cosem.security.counters import VolatileCounter
from cosem.security.gcm import AesGcmKey
from cosem.security.status import LayerOptions, SecurityOptions
from tests.security.protecting import AK, EK, GET, GET_ANSWER, HEAD_END, METER, protection
from tests.vectors import load


def gmac() -> GmacMechanism:
    return GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(7))


def proof_of(challenge: bytes) -> bytes:
    return gmac().prove(Claim(challenge, b"ours" * 4, HEAD_END, METER))


@pytest.mark.parametrize("challenge", [GET, GET_ANSWER, bytes.fromhex("01000000065F1F0400007E1F04B0")])
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


@given(st.sampled_from([GET, GET_ANSWER]), st.binary(min_size=1, max_size=20))
def test_octets_behind_a_message_make_no_message_of_a_challenge(message, behind):
    assert len(proof_of(message + behind)) == 17
    options = SecurityOptions((LayerOptions(encrypted=False),))
    octets = protection(HEAD_END, METER, side=Side.CLIENT).protect(message + behind, options)
    with pytest.raises(VerificationError, match="behind"):
        protection(METER, HEAD_END).unprotect(octets)
