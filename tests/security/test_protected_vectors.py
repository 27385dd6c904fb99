"""Every protected APDU that somebody published or that was computed twice, in both directions."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from cosem.apdu import decode
from cosem.errors import DecodeError, PolicyError, SecurityError, VerificationError
from cosem.security.context import Side
from cosem.security.counters import VolatileCounter
from cosem.security.inspection import Verdict, inspect
from cosem.security.material import Interpretation, SecurityMaterial, SignatureInput
from cosem.security.status import GeneralHeader, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.security.suites import SecuritySuite
from tests.security.protecting import (
    AGREEMENT,
    DEDICATED,
    EK,
    GBEK,
    HEAD_END,
    METER,
    SIGNING,
    material,
    protected_vectors,
    protection,
    vector_material,
    vector_protection,
)
from tests.vectors import Vector, vector

PROTECTED = [pytest.param(each, id=each.id) for each in protected_vectors()]
WITHOUT_TAG = [
    pytest.param(vector("security", name), id=name)
    for name in ("T6-get-20", "C-initreq-20", "C-initres-20", "gc-identified-20", "suite2-get-22")
]


def plain(each: Vector) -> bytes:
    return each.hex("plaintext") if "plaintext" in each.entry else each.hex("content")


@pytest.mark.parametrize("each", PROTECTED)
def test_a_receiver_opens_it(each: Vector) -> None:
    clear, status = vector_protection(each).unprotect(each.octets)
    assert clear == plain(each)
    assert status.verified
    assert status.system_title == METER
    decode(clear)


@pytest.mark.parametrize("each", PROTECTED)
def test_inspection_verifies_it(each: Vector) -> None:
    found = inspect(each.octets, lambda title: vector_material(each), system_title=METER)
    assert (found.verdict, found.plain, found.reason) == (Verdict.VERIFIED, plain(each), "")


@pytest.mark.parametrize("each", WITHOUT_TAG)
def test_what_has_no_tag_is_opened_when_asked_for_and_is_never_verified(each: Vector) -> None:
    keys = vector_material(each)
    asked = protection(HEAD_END, METER, keys=keys, encryption_only=True)
    clear, status = asked.unprotect(each.octets)
    assert clear == plain(each)
    assert (status.verified, status.authenticated, status.encrypted) == (False, False, True)
    with pytest.raises(PolicyError):
        protection(HEAD_END, METER, keys=keys).unprotect(each.octets)
    silent = inspect(each.octets, lambda title: keys, system_title=METER)
    assert (silent.verdict, silent.plain) == (Verdict.UNVERIFIABLE, None)
    loud = inspect(each.octets, lambda title: keys, system_title=METER, decrypt_unverified=True)
    assert (loud.verdict, loud.plain) == (Verdict.UNVERIFIABLE, plain(each))
    assert "decrypted-without-verification" in loud.findings


SPECIFIC = [
    *(f"T6-get-{control}" for control in ("10", "20", "30")),
    *(f"C-{name}-{control}" for name in ("initreq", "initres") for control in ("10", "20", "30")),
    "suite2-get-12",
    "suite2-get-22",
    "suite2-get-32",
]


@pytest.mark.parametrize("name", SPECIFIC)
def test_a_sender_makes_the_octets_of_the_service_specific_form(name: str) -> None:
    each = vector("security", name)
    control = each.octets[2]
    suite = SecuritySuite(control & 0x0F)
    sender = protection(suite=suite, encryption_only=True)
    options = SecurityOptions(
        (LayerOptions(authenticated=bool(control & 0x10), encrypted=bool(control & 0x20)),)
    )
    octets = sender.protect(plain(each), options)
    if control & 0x30 != 0x30 and "initreq" in name:
        # This request carries a dedicated key: ours goes out encrypted and authenticated, or not at all.
        assert octets == vector("security", "C-initreq-30").octets
    else:
        assert octets == each.octets


def header(date_time: str = "", transaction_id: str = "0102030405060708") -> GeneralHeader:
    return GeneralHeader(bytes.fromhex(transaction_id), b"", HEAD_END, bytes.fromhex(date_time))


def ciphering(key: KeyUsed, date_time: str = "", **bits: bool) -> SecurityOptions:
    return SecurityOptions(
        (LayerOptions(ProtectionForm.GENERAL_CIPHERING, key, header=header(date_time), **bits),)
    )


GENERAL: dict[str, tuple[SecurityOptions, dict[str, Any]]] = {
    "gglo-get": (SecurityOptions((LayerOptions(ProtectionForm.GENERAL_GLO),)), {}),
    "glo-broadcast": (SecurityOptions((LayerOptions(key=KeyUsed.GLOBAL_BROADCAST),)), {"counter": 5}),
    "ded-get": (SecurityOptions((LayerOptions(key=KeyUsed.DEDICATED),)), {}),
    "gded-get": (SecurityOptions((LayerOptions(ProtectionForm.GENERAL_DED, KeyUsed.DEDICATED),)), {}),
    "gc-identified-10": (ciphering(KeyUsed.GLOBAL_UNICAST, encrypted=False), {}),
    "gc-identified-20": (ciphering(KeyUsed.GLOBAL_UNICAST, authenticated=False), {}),
    "gc-identified-30": (ciphering(KeyUsed.GLOBAL_UNICAST), {}),
    "gc-wrapped": (ciphering(KeyUsed.WRAPPED), {"counter": 1}),
    "gc-0e2s": (ciphering(KeyUsed.STATIC_UNIFIED), {"counter": 0, "suite": SecuritySuite(1)}),
}


@pytest.mark.parametrize("name", GENERAL)
def test_a_sender_makes_the_octets_of_the_general_forms(name: str) -> None:
    each = vector("security", name)
    options, facts = GENERAL[name]
    sender = protection(encryption_only=True, **facts)
    sender._random = lambda size: each.hex("session_key")[:size]
    if "dedicated_key" in each.entry:
        sender.hold_dedicated_key(DEDICATED)
        sender.activate_dedicated_key()
        sender._session.dedicated_counter = VolatileCounter(1)
    assert sender.protect(plain(each), options) == each.octets


def test_a_sender_makes_the_octets_of_the_one_pass_agreement() -> None:
    # The private number of the ephemeral key is published; the signature over its public key is not
    # deterministic there, and ours is: everything else must be the same, and ours must verify.
    each, agreement = vector("security", "gc-1e1s"), vector("security", "ka-1e1s-request")
    keys = material(SecuritySuite(1), METER)

    keys = SecurityMaterial(
        SecuritySuite(1),
        bind=vector_material(each).bind,
        signing=SIGNING[HEAD_END],
        agreement_keys={HEAD_END: AGREEMENT[HEAD_END].public_key},
    )
    sender = protection(keys=keys, counter=0)
    number = int.from_bytes(agreement.hex("u_ephemeral_private"), "big")
    sender._random = lambda size: (number - 1).to_bytes(size, "big")
    octets = sender.protect(plain(each), ciphering(KeyUsed.ONE_PASS))
    start = each.octets.index(agreement.hex("signature"))
    assert octets[:start] == each.octets[:start]
    assert octets[start + 64 :] == each.octets[start + 64 :]
    assert vector_protection(each).unprotect(octets)[0] == plain(each)


@pytest.mark.parametrize("name", ["gc-1e1s", "gc-0e2s"])
def test_the_tags_that_are_printed_in_the_examples_of_general_ciphering_are_not_those_of_its_rule(
    name: str,
) -> None:
    each = vector("security", name)
    with pytest.raises(VerificationError):
        vector_protection(each).unprotect(each.hex("published_hex"))


@pytest.mark.parametrize("name", ["gs-with-len", "gs-without-content-len"])
def test_a_sender_makes_the_octets_of_general_signing(name: str) -> None:

    each = vector("security", name)
    reading = SignatureInput.CONTENT_WITH_LENGTH if name == "gs-with-len" else SignatureInput.CONTENT
    sender = protection(
        keys=material(SecuritySuite(1), signing=SIGNING[HEAD_END]),
        interpretation=Interpretation(signature_input=reading),
    )
    options = SecurityOptions(
        (LayerOptions(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING, header=header()),)
    )
    assert sender.protect(plain(each), options) == each.octets


def test_the_other_reading_of_general_signing_is_a_finding_and_an_error_when_strict() -> None:
    each = vector("security", "gs-with-len")
    _, status = vector_protection(each).unprotect(each.octets)
    assert status.findings == ("signature-input-of-the-other-reading",)
    strict = protection(HEAD_END, METER, keys=vector_material(each), strict=True)
    with pytest.raises(SecurityError):
        strict.unprotect(each.octets)


@pytest.mark.parametrize("name", ["C-aarq", "C-aare", "C-rlrq", "C-rlre", "con-aare-hls5-glo"])
def test_the_user_information_of_annex_c_opens_and_is_made_again(name: str) -> None:
    each = vector("acse", name)
    information = decode(each.octets).user_information
    found = inspect(each.octets, lambda title: material(), system_title=METER)
    assert found.verdict is Verdict.VERIFIED
    clear, status = protection(HEAD_END, METER, side=Side.CLIENT).unprotect(information)
    assert clear == found.plain
    assert decode(clear)
    again = protection(counter=status.invocation_counter)
    assert again.protect(clear) == information


def test_the_vector_with_a_wrong_tag_is_refused() -> None:
    each = vector("security", "neg-tag")
    with pytest.raises(VerificationError):
        vector_protection(each).unprotect(each.octets)
    found = inspect(
        each.octets, lambda title: vector_material(each), system_title=METER, decrypt_unverified=True
    )
    assert (found.verdict, found.plain) == (Verdict.FAILED, None)


def test_the_vector_whose_date_time_has_an_octet_too_many_is_refused_and_right_without_it() -> None:
    each = vector("security", "gc-nokeyinfo-datetime")
    with pytest.raises(DecodeError):
        vector_protection(each).unprotect(each.octets)
    date_time = bytes.fromhex("07EA0B160712140000FFC400")
    assert date_time.hex().upper() not in each["hex"]
    made = protection(counter=0x01234568).protect(
        plain(each), ciphering(KeyUsed.ESTABLISHED, date_time.hex())
    )
    start = each.octets.index(bytes.fromhex("3001234568"))
    assert made[44:-12] == each.octets[start:-12], "the same ciphertext; the tag is over the date-time too"
    aad = each.hex("aad").replace(bytes.fromhex("07EA0B16071214000000FFC400"), date_time)
    cipher = Cipher(AES(EK), GCM(METER + bytes.fromhex("01234568"))).encryptor()
    cipher.authenticate_additional_data(aad)
    cipher.update(plain(each))
    cipher.finalize()
    assert made[-12:] == cipher.tag[:12]
    clear, status = protection(HEAD_END, METER).unprotect(made)
    assert (clear, status.layers[0].header.date_time) == (plain(each), date_time)


def test_a_broadcast_is_told_from_what_the_peer_alone_can_have_sent() -> None:
    each = vector("security", "glo-broadcast")
    assert each.hex("broadcast_key") == GBEK
    _, status = vector_protection(each).unprotect(each.octets)
    assert status.broadcast
    assert status.answer().layers[0].key is KeyUsed.GLOBAL_UNICAST


def test_a_key_that_is_agreed_on_statically_is_another_one_when_the_counter_begins_anew() -> None:
    each = vector("security", "gc-0e2s")
    identifiers = set()
    for octets in (b"\x11" * 8, b"\x22" * 8):
        sender = protection(suite=SecuritySuite(1), counter=0)  # as after a change of the global key
        sender._random = lambda size, octets=octets: octets[:size]
        options = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_CIPHERING, KeyUsed.STATIC_UNIFIED),))
        identifiers.add(sender.protect(plain(each), options)[2:10])
    assert len(identifiers) == 2
