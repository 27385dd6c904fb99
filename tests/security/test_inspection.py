"""What a decoder says of protected APDUs: verified, unverifiable or failed, and what it shows of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.apdu import encode
from cosem.apdu.ciphered import GeneralSigning
from cosem.errors import DecodeError
from cosem.security.gcm import AesGcmKey
from cosem.security.inspection import Inspection, Verdict, inspect
from cosem.security.material import Interpretation, SecurityMaterial, SignatureInput
from cosem.security.status import GeneralHeader, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from tests.security.protecting import (
    AK,
    DEDICATED,
    EK,
    GET,
    GET_ANSWER,
    HEAD_END,
    METER,
    SIGNING,
    SUITE_0,
    SUITE_1,
    SUITE_2,
    THIRD,
    material,
    protection,
)
from tests.vectors import vector

F, K = ProtectionForm, KeyUsed
SIGNED = LayerOptions(F.GENERAL_SIGNING, K.SIGNING)
VERIFIED, UNVERIFIABLE, FAILED = Verdict


def options(*layers: LayerOptions) -> SecurityOptions:
    return SecurityOptions(layers)


def of_meter(keys: SecurityMaterial):
    return lambda title: keys if title == METER else None


def test_the_three_verdicts():
    octets = protection().protect(GET)
    known = inspect(octets, of_meter(material()), system_title=METER)
    assert (known.verdict, known.plain, known.reason, known.findings) == (VERIFIED, GET, "", ())
    assert known.status.verified
    unknown = inspect(octets, lambda title: None, system_title=METER)
    assert (unknown.verdict, unknown.plain, unknown.status) == (UNVERIFIABLE, None, None)
    assert "4D4D4D0000BC614E" in unknown.reason
    wrong = inspect(octets, lambda title: material(unicast=AesGcmKey(AK, EK)), system_title=METER)
    assert (wrong.verdict, wrong.plain) == (FAILED, None)
    assert "tag" in wrong.reason


def test_a_message_can_be_looked_at_twice():
    octets = protection().protect(GET)
    assert inspect(octets, of_meter(material()), system_title=METER) == inspect(
        octets, of_meter(material()), system_title=METER
    )


def test_without_any_title_keys_may_still_be_known_and_nothing_can_be_opened():
    octets = protection().protect(GET)
    asked = []

    def lookup(title):
        asked.append(title)
        return material() if len(asked) > 1 else None

    nobody = inspect(octets, lookup)
    assert "this sender" in nobody.reason
    untitled = inspect(octets, lookup)
    assert asked == [None, None]
    assert {nobody.verdict, untitled.verdict} == {UNVERIFIABLE}
    assert "title" in untitled.reason


def test_the_title_in_the_message_goes_before_the_one_given():
    octets = protection().protect(GET, options(LayerOptions(F.GENERAL_GLO)))
    assert inspect(octets, of_meter(material()), system_title=HEAD_END).verdict is VERIFIED
    empty = b"\xdb\x00" + octets[10:]
    found = inspect(empty, of_meter(material()), system_title=METER)
    assert (found.verdict, found.findings) == (VERIFIED, ("system-title-empty",))


@pytest.mark.parametrize(
    ("key", "missing"),
    [(K.GLOBAL_UNICAST, "unicast"), (K.GLOBAL_BROADCAST, "broadcast"), (K.WRAPPED, "master")],
)
def test_a_key_that_is_missing_makes_it_unverifiable(key, missing):
    octets = protection().protect(GET, options(LayerOptions(F.GENERAL_CIPHERING, key)))
    for ask in (False, True):
        found = inspect(octets, of_meter(material(**{missing: None})), decrypt_unverified=ask)
        assert (found.verdict, found.plain) == (UNVERIFIABLE, None)
    assert inspect(octets, of_meter(material())).plain == GET


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
@pytest.mark.parametrize("key", [K.ONE_PASS, K.STATIC_UNIFIED])
def test_agreed_keys_need_the_private_key_of_the_recipient(suite, key):
    octets = protection(suite=suite).protect(GET, options(LayerOptions(F.GENERAL_CIPHERING, key)))
    recipient = material(suite, HEAD_END)
    assert inspect(octets, of_meter(recipient)).plain == GET
    assert inspect(octets, of_meter(replace(recipient, agreement=None))).verdict is UNVERIFIABLE
    other = inspect(octets, of_meter(material(suite, METER)))
    assert (other.verdict, other.plain) == (FAILED, None)


def test_signatures_alone_verify_and_need_the_public_key():
    octets = protection(suite=SUITE_1).protect(GET, options(SIGNED))
    assert inspect(octets, of_meter(material(SUITE_1, HEAD_END))).verdict is VERIFIED
    unknown = inspect(octets, of_meter(material(SUITE_1, HEAD_END, signing_keys={})))
    assert (unknown.verdict, unknown.plain) == (UNVERIFIABLE, None)
    suite_0 = replace(material(), signing_keys=material(SUITE_1, HEAD_END).signing_keys)
    assert inspect(octets, of_meter(suite_0)).verdict is FAILED


def test_the_reading_of_the_standard_is_that_which_is_given():
    each = vector("security", "gs-with-len")
    keys = SecurityMaterial(SUITE_1, signing_keys={METER: each.hex("public_key")})
    assert inspect(each.octets, of_meter(keys)).findings == ("signature-input-of-the-other-reading",)
    reading = Interpretation(signature_input=SignatureInput.CONTENT_WITH_LENGTH)
    assert inspect(each.octets, of_meter(keys), interpretation=reading).findings == ()


@pytest.mark.parametrize("inside", [(SIGNED, LayerOptions()), (LayerOptions(F.GENERAL_GLO), SIGNED)])
def test_every_layer_is_taken_off(inside):
    octets = protection(suite=SUITE_1).protect(GET, options(*inside))
    found = inspect(octets, of_meter(material(SUITE_1, HEAD_END)))
    assert (found.verdict, found.plain, len(found.status.layers)) == (VERIFIED, GET, 2)


def test_a_tag_that_is_wrong_inside_a_right_signature_fails():
    broken = bytearray(protection().protect(GET))
    broken[0] = 0xC8
    broken[-1] ^= 1
    sender = protection(suite=SUITE_1)
    signature = sender.context.material.signing

    header = GeneralHeader(b"\x01", METER, HEAD_END)
    signed = encode(GeneralSigning(*header.fields, bytes(broken), signature.sign(header.octets + broken)))
    found = inspect(signed, of_meter(material(SUITE_1, HEAD_END)))
    assert (found.verdict, found.plain) == (FAILED, None)


def test_what_is_encrypted_alone_inside_a_signature_is_verified_by_the_signature():
    sender = protection(suite=SUITE_1, encryption_only=True)
    octets = sender.protect(GET, options(SIGNED, LayerOptions(authenticated=False)))
    found = inspect(octets, of_meter(material(SUITE_1, HEAD_END)))
    assert (found.verdict, found.plain, found.reason) == (VERIFIED, GET, "")


def test_what_is_encrypted_alone_says_so():
    octets = protection(encryption_only=True).protect(GET, options(LayerOptions(authenticated=False)))
    found = inspect(octets, of_meter(material()), system_title=METER)
    assert (found.verdict, found.plain) == (UNVERIFIABLE, None)
    assert "without an authentication tag" in found.reason
    assert protection().protect(GET) != octets


def test_a_layer_without_protection_verifies_nothing():
    bare = LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED, authenticated=False, encrypted=False)
    octets = protection().protect(GET, options(bare))
    found = inspect(octets, of_meter(material()))
    assert (found.verdict, found.plain) == (UNVERIFIABLE, None)
    assert "no layer" in found.reason
    loud = inspect(octets, of_meter(material()), decrypt_unverified=True)
    assert (loud.verdict, loud.plain) == (UNVERIFIABLE, GET)


def test_the_reason_is_that_of_the_outermost_layer_that_has_one():
    bare = LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED, authenticated=False, encrypted=False)
    sender = protection(encryption_only=True)
    found = inspect(sender.protect(GET, options(bare)), of_meter(material()))
    assert found.reason == "no layer authenticates or signs"
    alone = LayerOptions(F.GENERAL_GLO, authenticated=False)
    for layers in ((alone,), (bare, alone), (alone, bare)):
        found = inspect(sender.protect(GET, options(*layers)), of_meter(material()))
        assert (found.verdict, found.reason) == (
            UNVERIFIABLE,
            "it is encrypted without an authentication tag",
        )


def test_nothing_at_all_can_be_genuine():
    nonce = bytes(3) + b"\x01"
    content = b"\x30" + nonce + material().unicast.seal(0x30, METER + nonce, b"")
    found = inspect(b"\xdb\x08" + METER + bytes((len(content),)) + content, of_meter(material()))
    assert (found.verdict, found.plain) == (VERIFIED, b"")


def test_what_names_no_sender_was_protected_by_the_sender_of_the_layer_around():
    key = material(SUITE_1).unicast
    nonce = bytes(3) + b"\x01"
    inner = b"\xc8\x1e\x31" + nonce + key.seal(0x31, THIRD + nonce, GET)
    header = GeneralHeader(b"\x01", THIRD, HEAD_END)
    signature = SIGNING[METER].sign(header.octets + inner)
    signed = encode(GeneralSigning(*header.fields, inner, signature))
    around = protection(suite=SUITE_1).protect(signed, options(LayerOptions(F.GENERAL_GLO)))
    keys = replace(material(SUITE_1, HEAD_END), signing_keys={THIRD: SIGNING[METER].public_key})
    found = inspect(around, lambda title: keys if title in (METER, THIRD) else None)
    assert (found.verdict, found.plain) == (VERIFIED, GET)
    assert [layer.system_title for layer in found.status.layers] == [METER, THIRD, THIRD]


def test_a_sender_whom_nobody_names_is_this_one():
    found = inspect(protection().protect(GET), lambda title: None)
    assert found.reason == "no keys of this sender are known"


def test_an_association_request_with_octets_behind_it_is_looked_at():
    found = inspect(vector("acse", "C-aarq").octets + b"\x00", of_meter(material()))
    assert found.verdict is VERIFIED


def unauthenticated(suite=SUITE_0, **changes) -> SecurityMaterial:
    """Return the encryption keys without the authentication key."""
    long = suite is SUITE_2
    ek = bytes(range(32)) if long else EK
    keys = material(suite, HEAD_END)
    return replace(
        keys,
        unicast=AesGcmKey(ek, None),
        broadcast=AesGcmKey(bytes(range(0xF0, 0x100)), None) if not long else AesGcmKey(ek[::-1], None),
        dedicated=AesGcmKey(DEDICATED * (2 if long else 1), None),
        authentication_key_known=False,
        **changes,
    )


@pytest.mark.parametrize(
    "layer",
    [
        LayerOptions(),
        LayerOptions(encrypted=False),
        LayerOptions(F.GENERAL_GLO),
        LayerOptions(key=K.GLOBAL_BROADCAST),
        LayerOptions(key=K.DEDICATED),
        LayerOptions(F.GENERAL_DED, K.DEDICATED),
        LayerOptions(F.GENERAL_CIPHERING),
        LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),
    ],
)
@pytest.mark.parametrize("suite", [SUITE_0, SUITE_2])
def test_decryption_without_authentication_key_has_to_be_asked_for_and_is_loud(layer, suite):
    sender = protection(suite=suite)
    sender.hold_dedicated_key(DEDICATED * (2 if suite is SUITE_2 else 1))
    sender.activate_dedicated_key()
    octets = sender.protect(GET, options(layer))
    keys = unauthenticated(suite)
    silent = inspect(octets, of_meter(keys), system_title=METER)
    assert (silent.verdict, silent.plain) == (UNVERIFIABLE, None)
    assert silent.reason == "the authentication key is not known"
    assert silent.status is None
    loud = inspect(octets, of_meter(keys), system_title=METER, decrypt_unverified=True)
    assert (loud.verdict, loud.plain) == (UNVERIFIABLE, GET)
    assert loud.findings == ("decrypted-without-verification",)
    assert loud.reason == "the authentication key is not known"
    layer_found = loud.status.layers[0]
    assert (layer_found.verified, layer_found.key, layer_found.form) == (False, layer.key, layer.form)
    assert layer_found.system_title == METER
    assert not loud.status.verified


def test_decryption_without_authentication_key_shows_nothing_where_the_key_is_plainly_another():
    octets = protection().protect(GET)
    for number in range(20):
        keys = replace(unauthenticated(), unicast=AesGcmKey(bytes((number,)) * 16, None))
        found = inspect(octets, of_meter(keys), system_title=METER, decrypt_unverified=True)
        assert (found.verdict, found.plain) == (FAILED, None)
        assert "another one" in found.reason
    for missing in ({"unicast": None},):
        found = inspect(
            octets, of_meter(replace(keys, **missing)), system_title=METER, decrypt_unverified=True
        )
        assert (found.verdict, found.plain) == (UNVERIFIABLE, None)
    found = inspect(octets, of_meter(unauthenticated(SUITE_2)), system_title=METER, decrypt_unverified=True)
    assert (found.verdict, found.plain) == (FAILED, None)
    assert "suite" in found.reason


def test_another_key_is_not_tried_without_authentication_key_unless_asked_for():
    keys = replace(unauthenticated(), unicast=AesGcmKey(AK, None))
    found = inspect(protection().protect(GET), of_meter(keys), system_title=METER)
    assert (found.verdict, found.reason) == (UNVERIFIABLE, "the authentication key is not known")


def test_what_is_encrypted_alone_needs_no_authentication_key():
    octets = protection(encryption_only=True).protect(GET, options(LayerOptions(authenticated=False)))
    loud = inspect(octets, of_meter(unauthenticated()), system_title=METER, decrypt_unverified=True)
    assert (loud.verdict, loud.plain) == (UNVERIFIABLE, GET)
    assert loud.reason == "it is encrypted without an authentication tag"


def test_a_key_that_comes_with_a_message_is_not_used_without_authentication_key():
    octets = protection().protect(GET, options(LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED)))
    found = inspect(octets, of_meter(unauthenticated()), decrypt_unverified=True)
    assert (found.verdict, found.plain) == (UNVERIFIABLE, None)


def test_with_the_authentication_key_a_wrong_tag_is_never_decrypted():
    octets = bytearray(protection().protect(GET))
    octets[-1] ^= 1
    found = inspect(bytes(octets), of_meter(material()), system_title=METER, decrypt_unverified=True)
    assert (found.verdict, found.plain) == (FAILED, None)


def test_layers_are_limited():
    octets = GET
    sender = protection(suite=SUITE_1)
    for _ in range(8):
        octets = sender.protect(octets, options(SIGNED))
    keys = of_meter(material(SUITE_1, HEAD_END))
    assert inspect(octets, keys).plain == GET
    found = inspect(sender.protect(octets, options(SIGNED)), keys)
    assert (found.verdict, found.plain) == (FAILED, None)
    assert "layers" in found.reason


def test_the_title_of_an_aarq_or_aare_is_that_of_its_sender():
    for name in ("C-aarq", "C-aare"):
        found = inspect(vector("acse", name).octets, of_meter(material()))
        assert found.verdict is VERIFIED
        assert found.plain[0] in (0x01, 0x08)
    release = vector("acse", "C-rlrq").octets
    assert inspect(release, of_meter(material())).verdict is UNVERIFIABLE
    assert inspect(release, of_meter(material()), system_title=METER).verdict is VERIFIED


@pytest.mark.parametrize(
    "octets", [b"", GET, GET_ANSWER, vector("acse", "B-aarq-ln-none").octets, bytes.fromhex("6200")]
)
def test_what_has_no_protection_is_no_protected_apdu(octets):
    with pytest.raises(DecodeError):
        inspect(octets, of_meter(material()))


def test_an_inspection_that_found_nothing_says_nothing():
    nothing = Inspection(FAILED)
    assert (nothing.plain, nothing.status, nothing.reason, nothing.findings) == (None, None, "", ())


def test_an_inspection_prints_no_plain_octets():
    found = inspect(protection().protect(GET), of_meter(material()), system_title=METER)
    assert isinstance(found, Inspection)
    assert "plain" not in repr(found)
    assert THIRD != METER
