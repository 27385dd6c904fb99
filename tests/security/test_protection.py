"""Both ends of an association protect and open: every form, key and suite, in layers, in kind, and within the policy."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.apdu import decode
from cosem.apdu.ciphered import CIPHERED_NAMES, GeneralCiphering
from cosem.errors import (
    ConfigurationError,
    CounterExhausted,
    DecodeError,
    KeyMissingError,
    LimitError,
    PolicyError,
    ReplayError,
    SecurityError,
    VerificationError,
)
from cosem.security.agreement import EcdhKey
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import (
    LAST_COUNTER,
    CounterName,
    ReplayGuard,
    VolatileCounter,
    VolatileCounterStore,
)
from cosem.security.curves import order_of
from cosem.security.gcm import AesGcmKey, HeldGcmKey
from cosem.security.kdf import AlgorithmIdentifiers
from cosem.security.material import AssociatedFields, Interpretation, SecurityMaterial, gcm_key, material_of
from cosem.security.policy import ProtectionKind, SecurityPolicyV0, SecurityPolicyV1
from cosem.security.protection import Protection
from cosem.security.signing import EcdsaKey
from cosem.security.status import (
    GeneralHeader,
    KeyUsed,
    LayerOptions,
    ProtectionForm,
    SecurityOptions,
    SecurityStatus,
)
from tests.security.protecting import (
    AGREEMENT,
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

F, K = ProtectionForm, KeyUsed
SIGNED = LayerOptions(F.GENERAL_SIGNING, K.SIGNING)
NOTIFICATION = bytes.fromhex("0F00000001000600000001")
EVENT = bytes.fromhex("C20000080000010000FF020600000001")

#: form and key of every layer that can be made in every suite, and of those that need key pairs
FORMS = [
    (F.SERVICE_SPECIFIC, K.GLOBAL_UNICAST),
    (F.SERVICE_SPECIFIC, K.GLOBAL_BROADCAST),
    (F.SERVICE_SPECIFIC, K.DEDICATED),
    (F.GENERAL_GLO, K.GLOBAL_UNICAST),
    (F.GENERAL_GLO, K.GLOBAL_BROADCAST),
    (F.GENERAL_DED, K.DEDICATED),
    (F.GENERAL_CIPHERING, K.GLOBAL_UNICAST),
    (F.GENERAL_CIPHERING, K.GLOBAL_BROADCAST),
    (F.GENERAL_CIPHERING, K.WRAPPED),
    (F.GENERAL_CIPHERING, K.ESTABLISHED),
]
WITH_PAIRS = [
    (F.GENERAL_CIPHERING, K.ONE_PASS),
    (F.GENERAL_CIPHERING, K.STATIC_UNIFIED),
    (F.GENERAL_SIGNING, K.SIGNING),
]
BITS = [(True, True), (True, False), (False, True)]
LAYERS = [
    (suite, LayerOptions(form, key, authenticated, encrypted))
    for suite in (SUITE_0, SUITE_1, SUITE_2)
    for form, key in FORMS + ([] if suite is SUITE_0 else WITH_PAIRS)
    for authenticated, encrypted in BITS
]


def ends(suite=SUITE_0, **context):
    """Return the client and the server of one association, with a dedicated key in use."""
    client = protection(HEAD_END, METER, suite=suite, counter=10, side=Side.CLIENT, in_kind=False, **context)
    server = protection(METER, HEAD_END, suite=suite, counter=500, side=Side.SERVER, **context)
    for end in (client, server):
        end.hold_dedicated_key(DEDICATED * (2 if suite is SUITE_2 else 1))
        end.activate_dedicated_key()
    return client, server


@pytest.mark.parametrize(("suite", "layer"), LAYERS)
def test_what_one_end_protects_the_other_opens_and_answers_in_kind(suite, layer):
    client, server = ends(suite, encryption_only=True)
    octets = client.protect(GET, SecurityOptions((layer,)))
    clear, status = server.unprotect(octets)
    assert clear == GET
    assert (status.form, status.system_title, status.originator) == (layer.form, HEAD_END, HEAD_END)
    assert status.key is layer.key
    assert status.kinds == layer.kinds
    assert status.verified is (layer.form is F.GENERAL_SIGNING or layer.authenticated)
    assert status.broadcast is (layer.key is K.GLOBAL_BROADCAST)
    answer = server.protect(GET_ANSWER, status)
    assert len(answer) == len(GET_ANSWER) + server.overhead(len(GET_ANSWER), status)
    clear, found = client.unprotect(answer)
    assert (clear, found.kinds, found.form) == (GET_ANSWER, status.kinds, status.form)
    assert found.key is (K.GLOBAL_UNICAST if status.broadcast else status.key)
    if status.layers[0].header is not None:
        request, response = status.layers[0].header, found.layers[0].header
        assert response.transaction_id == request.transaction_id
        assert (response.originator, response.recipient) == (request.recipient, request.originator)


layers = st.lists(
    st.sampled_from([layer for suite, layer in LAYERS if suite is SUITE_1]), min_size=1, max_size=3
)


@settings(max_examples=60)
@given(layers, st.binary(max_size=300))
def test_layers_in_any_order_come_off_as_they_were_put_on(chosen, rest):
    client, server = ends(SUITE_1, encryption_only=True)
    apdu = decodable(rest)
    options = SecurityOptions(tuple(chosen))
    octets = client.protect(apdu, options)
    clear, status = server.unprotect(octets)
    assert clear == apdu
    assert [each.kinds for each in status.layers] == [each.kinds for each in options.layers]
    assert status.kinds == options.kinds
    answer = server.protect(GET_ANSWER, status)
    assert len(answer) == len(GET_ANSWER) + server.overhead(len(GET_ANSWER), status)
    assert client.unprotect(answer)[0] == GET_ANSWER


def decodable(rest: bytes) -> bytes:
    """Return a set-request that carries ``rest``."""
    length = bytes((len(rest),)) if len(rest) < 128 else b"\x82" + len(rest).to_bytes(2, "big")
    return bytes.fromhex("C101C1 0001 0000600100FF 02 00 09") + length + rest


@settings(max_examples=150)
@given(st.integers(1, 70000), layers)
def test_the_overhead_is_exact(size, chosen):
    client, _ = ends(SUITE_1, encryption_only=True)
    options = SecurityOptions(tuple(chosen))
    apdu = b"\xc1" + bytes(size - 1)
    assert client.overhead(size, options) == len(client.protect(apdu, options)) - size


@pytest.mark.parametrize(
    "size", [1, 108, 109, 110, 111, 127, 128, 238, 239, 240, 255, 256, 65517, 65518, 65519, 70000]
)
def test_the_overhead_is_exact_where_lengths_grow(size):
    sender = protection()
    assert sender.overhead(size) == len(sender.protect(b"\xc0" + bytes(size - 1))) - size


@pytest.mark.parametrize("form", list(F))
def test_the_overhead_is_exact_where_a_service_specific_form_is_not_the_innermost(form):
    client, _ = ends(SUITE_1)
    inner = {F.GENERAL_DED: LayerOptions(form, K.DEDICATED), F.GENERAL_SIGNING: SIGNED}.get(
        form, LayerOptions(form)
    )
    for options in (
        SecurityOptions((LayerOptions(), inner)),
        SecurityOptions((inner, LayerOptions(), inner)),
    ):
        octets = client.protect(GET, options)
        assert client.overhead(len(GET), options) == len(octets) - len(GET)


@pytest.mark.parametrize("tag", sorted(CIPHERED_NAMES))
def test_every_service_that_has_a_form_of_its_own_uses_it(tag):
    dedicated = CIPHERED_NAMES[tag].startswith("ded-")
    offset = {0x20: 32, 0x30: 32, 0x40: 64, 0x50: 64, 0xC0: 8, 0xD0: 16}[tag & 0xF0]
    clear_tag = tag - offset
    client, server = ends()
    layer = LayerOptions(key=K.DEDICATED if dedicated else K.GLOBAL_UNICAST)
    apdu = bytes((clear_tag, 0))
    octets = client.protect(apdu, SecurityOptions((layer,)))
    initiate = clear_tag in (0x01, 0x08)
    assert octets[0] == (clear_tag + 32 if initiate else tag), "the Initiate APDUs go under the global key"
    assert server.unprotect(octets)[0] == apdu


@pytest.mark.parametrize("tag", [0x0F, 0xD8, 0xD9, 0xDA, 0xE0])
@pytest.mark.parametrize("key", [K.GLOBAL_UNICAST, K.DEDICATED])
def test_a_service_without_a_form_of_its_own_goes_in_the_general_one(tag, key):
    client, server = ends()
    apdu = bytes((tag, 1, 2, 3))
    options = SecurityOptions((LayerOptions(key=key),))
    octets = client.protect(apdu, options)
    assert octets[0] == (0xDC if key is K.DEDICATED else 0xDB)
    assert server.unprotect(octets)[0] == apdu
    assert len(octets) == len(apdu) + client.overhead(len(apdu), options) + 9


def test_signed_then_ciphered_and_the_reverse():
    client, server = ends(SUITE_1)
    inside = client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_GLO), SIGNED)))
    assert inside[0] == 0xDB
    clear, status = server.unprotect(inside)
    assert [each.form for each in status.layers] == [F.GENERAL_GLO, F.GENERAL_SIGNING]
    outside = client.protect(GET, SecurityOptions((SIGNED, LayerOptions())))
    assert outside[0] == 0xDF
    assert decode(outside).content[0] == 0xC8
    clear, status = server.unprotect(outside)
    assert clear == GET
    assert (status.signed, status.authenticated, status.encrypted) == (True, True, True)
    assert status.invocation_counter == 12  # signing took 10 and 13, for the transaction-ids


def test_a_replayed_key_does_not_become_the_one_established():
    client, server = ends(SUITE_1)
    wrapped = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))
    old, new = client.protect(GET, wrapped), client.protect(GET, wrapped)
    for octets in (old, new):
        server.unprotect(octets)
    with pytest.raises(ReplayError):
        server.unprotect(old)
    established = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),))
    assert server.unprotect(client.protect(GET, established))[0] == GET


def test_layers_of_one_message_have_counters_of_their_own():
    client, server = ends()
    twice = SecurityOptions((LayerOptions(F.GENERAL_GLO), LayerOptions()))
    octets = client.protect(GET, twice)
    _, status = server.unprotect(octets)
    assert [layer.invocation_counter for layer in status.layers] == [11, 10]
    with pytest.raises(ReplayError):
        server.unprotect(octets)
    # One counter in both layers is one nonce for two plaintexts.
    key, nonce = AesGcmKey(EK, AK), HEAD_END + b"\x00\x00\x00\x20"
    inner = b"\xc8\x1e\x30" + nonce[8:] + key.seal(0x30, nonce, GET)
    outer = b"\x30" + nonce[8:] + key.seal(0x30, nonce, inner)
    with pytest.raises(ReplayError):
        server.unprotect(b"\xdb\x08" + HEAD_END + bytes((len(outer),)) + outer)


def test_layers_are_limited():
    client, server = ends(SUITE_1)
    three = SecurityOptions((SIGNED, SIGNED, SIGNED))
    assert server.unprotect(client.protect(GET, three))[0] == GET
    with pytest.raises(LimitError):
        server.unprotect(client.protect(GET, SecurityOptions((SIGNED,) * 4)))
    with pytest.raises(ConfigurationError):
        protection(most_layers=0)
    one = protection(METER, HEAD_END, suite=SUITE_1, most_layers=1)
    assert one.unprotect(client.protect(GET, SecurityOptions((SIGNED,))))[0] == GET
    with pytest.raises(LimitError):
        one.unprotect(client.protect(GET, SecurityOptions((SIGNED, SIGNED))))


# --- keys of one association -------------------------------------------------------------------------


def test_a_dedicated_key_is_used_from_its_activation_until_it_is_forgotten():
    client = protection(HEAD_END, METER, side=Side.CLIENT)
    server = protection(METER, HEAD_END)
    for end in (client, server):
        end.hold_dedicated_key(DEDICATED)
    assert client.protect(GET)[0] == 0xC8
    with pytest.raises(KeyMissingError):
        server.unprotect(ends()[0].protect(GET, SecurityOptions((LayerOptions(key=K.DEDICATED),))))
    client.activate_dedicated_key()
    server.activate_dedicated_key()
    octets = client.protect(GET)
    assert octets[:7] == bytes.fromhex("D01E3000000000")
    _, status = server.unprotect(octets)
    assert status.key is K.DEDICATED
    assert server.protect(GET_ANSWER, status)[0] == 0xD4
    assert server.protect(NOTIFICATION)[0] == 0xDC
    with pytest.raises(ReplayError):
        server.unprotect(octets)
    client.forget()
    server.forget()
    assert client.protect(GET)[0] == 0xC8
    with pytest.raises(KeyMissingError):
        server.unprotect(octets)


def test_activation_without_a_dedicated_key_changes_nothing():
    client = protection(HEAD_END, METER)
    client.activate_dedicated_key()
    assert client.protect(GET)[0] == 0xC8


def test_a_new_dedicated_key_begins_with_new_counters():
    client, server = ends()
    layer = SecurityOptions((LayerOptions(key=K.DEDICATED),))
    old = client.protect(GET, layer)
    server.unprotect(old)
    for end in (client, server):
        end.hold_dedicated_key(AK)
        end.activate_dedicated_key()
    assert server.unprotect(client.protect(GET, layer))[1].invocation_counter == 0
    with pytest.raises(VerificationError):
        server.unprotect(old)


def test_a_client_that_brings_one_key_twice_makes_no_server_repeat_a_nonce():
    counter, nonces = VolatileCounter(500), set()
    for _ in range(2):  # two associations: what they share is the counter at rest
        server = protection()
        server._session.counter = counter
        server.hold_dedicated_key(DEDICATED)
        server.activate_dedicated_key()
        nonces |= {server.protect(GET_ANSWER)[3:7] for _ in range(3)}
    assert len(nonces) == 6


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_dedicated_key_has_the_length_of_the_suite(size):
    with pytest.raises(ConfigurationError):
        protection().hold_dedicated_key(bytes(size))


@pytest.mark.parametrize("form", [F.GENERAL_GLO, F.SERVICE_SPECIFIC])
def test_the_options_of_the_context_go_over_to_the_dedicated_key(form):
    client = protection(HEAD_END, METER, options=SecurityOptions((LayerOptions(form),)))
    client.hold_dedicated_key(DEDICATED)
    client.activate_dedicated_key()
    assert client.protect(GET)[0] == (0xDC if form is F.GENERAL_GLO else 0xD0)
    assert client.protect(bytes.fromhex("01000000065F1F0400007E1F04B0"))[0] == (
        0xDB if form is F.GENERAL_GLO else 0x21
    )


def test_a_broadcast_stays_a_broadcast():
    options = SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),))
    client = protection(HEAD_END, METER, options=options)
    client.hold_dedicated_key(DEDICATED)
    client.activate_dedicated_key()
    assert client.protect(GET)[:3] == b"\xc8\x1e\x70"


def test_other_options_stay_as_they_are():
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))
    client = protection(HEAD_END, METER, options=options)
    client.hold_dedicated_key(DEDICATED)
    client.activate_dedicated_key()
    assert client.protect(GET)[0] == 0xDD


INITIATE_WITH_KEY = bytes.fromhex("01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0")


def test_a_dedicated_key_never_goes_out_in_clear():
    for bits in BITS:
        layer = LayerOptions(F.SERVICE_SPECIFIC, K.GLOBAL_UNICAST, *bits)
        octets = protection(encryption_only=True).protect(INITIATE_WITH_KEY, SecurityOptions((layer,)))
        assert octets[2] == 0x30
        assert DEDICATED not in octets
    with pytest.raises(ConfigurationError):
        protection(suite=SUITE_1).protect(INITIATE_WITH_KEY, SecurityOptions((SIGNED,)))
    both = protection(suite=SUITE_1).protect(
        INITIATE_WITH_KEY, SecurityOptions((SIGNED, LayerOptions(F.GENERAL_CIPHERING, encrypted=False)))
    )
    assert DEDICATED not in both


@pytest.mark.parametrize("key", [K.GLOBAL_BROADCAST, K.WRAPPED])
def test_an_initiate_apdu_keeps_every_key_but_the_dedicated_one(key):
    apdu = bytes.fromhex("01000000065F1F0400007E1F04B0")
    client, server = ends()
    octets = client.protect(apdu, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),)))
    assert server.unprotect(octets)[1].key is key


def test_a_transaction_id_has_eight_octets_and_is_not_used_twice():
    client, server = ends(SUITE_1)
    options = [SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),)), SecurityOptions((SIGNED,))]
    seen = [
        server.unprotect(client.protect(GET, each))[1].layers[0].header.transaction_id for each in options * 2
    ]
    assert {len(each) for each in seen} == {8}
    assert len(set(seen)) == 4
    given = GeneralHeader(b"\x07", date_time=bytes(12), other_information=b"more")
    for layer in (LayerOptions(F.GENERAL_CIPHERING, header=given), replace(SIGNED, header=given)):
        found = server.unprotect(client.protect(GET, SecurityOptions((layer,))))[1].layers[0].header
        assert found == replace(given, originator=HEAD_END, recipient=METER)


def test_a_transaction_id_that_is_given_costs_no_number():
    client, server = ends(SUITE_1)
    given = SecurityOptions((replace(SIGNED, header=GeneralHeader(b"\x07")),))
    client.protect(GET, given)
    assert (
        server.unprotect(client.protect(GET, SecurityOptions((LayerOptions(),))))[1].invocation_counter == 10
    )


def test_a_general_ded_initiate_goes_in_general_glo():
    client, server = ends()
    apdu = bytes.fromhex("01000000065F1F0400007E1F04B0")
    octets = client.protect(apdu, SecurityOptions((LayerOptions(F.GENERAL_DED, K.DEDICATED),)))
    assert octets[0] == 0xDB
    assert server.unprotect(octets)[1].key is K.GLOBAL_UNICAST


def test_a_signature_needs_a_signing_key():
    with pytest.raises(KeyMissingError):
        protection().protect(GET, SecurityOptions((SIGNED,)))


def test_an_initiate_request_without_a_key_is_protected_as_asked():
    apdu = bytes.fromhex("01000000065F1F0400007E1F04B0")
    octets = protection().protect(apdu, SecurityOptions((LayerOptions(encrypted=False),)))
    assert octets[2] == 0x10
    assert apdu in octets


# --- keys that come with messages ----------------------------------------------------------------------


@pytest.mark.parametrize("key", [K.WRAPPED, K.ONE_PASS, K.STATIC_UNIFIED])
def test_a_key_that_came_once_may_be_used_without_coming_again(key):
    client, server = ends(SUITE_1)
    server.unprotect(client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),))))
    again = client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),)))
    assert decode(again).key_info is None
    clear, status = server.unprotect(again)
    assert (clear, status.key) == (GET, K.ESTABLISHED)
    with pytest.raises(ReplayError):
        server.unprotect(again)
    answer = server.protect(GET_ANSWER, status)
    assert client.unprotect(answer)[0] == GET_ANSWER
    content = decode(answer).ciphered_content
    nonce = METER + content[1:5]
    with pytest.raises(VerificationError):  # it is not the global key that is used
        AesGcmKey(EK, AK).open(content[0], nonce, content[5:], decode_header(answer))
    server.forget()
    with pytest.raises(VerificationError):
        server.unprotect(
            client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),)))
        )
    client.forget()
    assert server.unprotect(
        client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),)))
    )


def decode_header(octets: bytes) -> bytes:
    apdu = decode(octets)
    return GeneralHeader(
        apdu.transaction_id,
        apdu.originator_system_title,
        apdu.recipient_system_title,
        apdu.date_time,
        apdu.other_information,
    ).octets


def test_a_key_established_by_us_is_ours_before_it_is_theirs():
    client, server = ends(SUITE_1)
    ours = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))
    server.unprotect(client.protect(GET, ours))
    client.unprotect(server.protect(GET_ANSWER, ours))
    established = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),))
    assert server.unprotect(client.protect(GET, established))[0] == GET
    assert client.unprotect(server.protect(GET_ANSWER, established))[0] == GET_ANSWER


@pytest.mark.parametrize("key", [K.WRAPPED, K.ONE_PASS, K.STATIC_UNIFIED])
def test_a_message_that_brings_its_key_is_taken_once(key):
    client, server = ends(SUITE_1)
    octets = client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),)))
    server.unprotect(octets)
    for _ in range(2):
        with pytest.raises(ReplayError):
            server.unprotect(octets)


def test_a_static_agreement_with_one_transaction_id_never_repeats_a_nonce():
    client, server = ends(SUITE_1)
    header = GeneralHeader(bytes(8))
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.STATIC_UNIFIED, header=header),))
    counters = {server.unprotect(client.protect(GET, options))[1].invocation_counter for _ in range(3)}
    assert len(counters) == 3


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_a_signature_is_taken_once_in_either_of_its_two_forms(suite):
    client, server = ends(suite)
    octets = client.protect(GET, SecurityOptions((SIGNED,)))
    server.unprotect(octets)
    size, order = suite.coordinate_size, order_of(suite)
    other = octets[:-size] + (order - int.from_bytes(octets[-size:], "big")).to_bytes(size, "big")
    for again in (octets, other):
        with pytest.raises(VerificationError, match="before"):
            server.unprotect(again)
    assert protection(METER, HEAD_END, suite=suite).unprotect(other)[0] == GET
    assert server.unprotect(client.protect(GET, SecurityOptions((SIGNED,))))[0] == GET


def test_a_signature_within_a_new_envelope_is_taken_once():
    third, server = third_party(), server_that_knows_the_third_party()
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT)
    inner = third.protect(GET, SecurityOptions((SIGNED,)))
    outer = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))
    server.unprotect(client.protect(inner, outer))
    with pytest.raises(VerificationError, match="before"):
        server.unprotect(client.protect(inner, outer))


def test_the_last_signatures_are_remembered(monkeypatch):
    monkeypatch.setattr("cosem.security.freshness._MOST_SIGNATURES", 2)
    client, server = ends(SUITE_1)
    sent = [client.protect(GET, SecurityOptions((SIGNED,))) for _ in range(3)]
    for octets in sent:
        server.unprotect(octets)
    for octets in sent[1:]:
        with pytest.raises(VerificationError, match="before"):
            server.unprotect(octets)
    assert len(server._session.freshness._signatures) == 2


def test_keys_that_come_with_messages_are_limited(monkeypatch):
    monkeypatch.setattr("cosem.security.freshness._MOST_MESSAGE_KEYS", 3)
    client, server = ends()
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))
    for _ in range(3):
        server.unprotect(client.protect(GET, options))
    with pytest.raises(LimitError):
        server.unprotect(client.protect(GET, options))


@pytest.mark.parametrize(
    ("key", "without"),
    [
        (K.WRAPPED, "master"),
        (K.ONE_PASS, "signing"),
        (K.STATIC_UNIFIED, "agreement"),
        (K.GLOBAL_UNICAST, "unicast"),
        (K.GLOBAL_BROADCAST, "broadcast"),
    ],
)
def test_a_key_that_is_not_known_says_so(key, without):
    sender = protection(keys=material(SUITE_1, METER, **{without: None}))
    with pytest.raises(KeyMissingError):
        sender.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),)))


@pytest.mark.parametrize("key", [K.ONE_PASS, K.STATIC_UNIFIED])
def test_the_public_keys_of_the_other_side_are_needed(key):
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),))
    with pytest.raises(KeyMissingError):
        protection(keys=material(SUITE_1, METER, agreement_keys={})).protect(GET, options)
    octets = ends(SUITE_1)[0].protect(GET, options)
    without = {"signing_keys": {}} if key is K.ONE_PASS else {"agreement_keys": {}}
    for changes in (without, {"agreement": None}):
        with pytest.raises(KeyMissingError):
            protection(keys=material(SUITE_1, METER, **changes)).unprotect(octets)
    with pytest.raises(KeyMissingError):
        protection(keys=material(SUITE_1, METER, signing_keys={})).unprotect(
            ends(SUITE_1)[0].protect(GET, SecurityOptions((SIGNED,)))
        )


def test_random_octets_are_needed_and_counted():
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),))
    sender = protection()
    for random in (None, lambda size: bytes(size - 1)):
        sender._random = random
        with pytest.raises(ConfigurationError, match="random octets"):
            sender.protect(GET, options)


def test_wrapped_keys_of_another_suite_are_refused():
    client, server = ends()
    octets = client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED),)))
    apdu = decode(octets)
    longer = material().master.wrap(bytes(32))
    from cosem.apdu import encode
    from cosem.apdu.ciphered import AgreedKey, IdentifiedKey, WrappedKey

    def with_info(info: object) -> bytes:
        return encode(replace(apdu, key_info=info))

    with pytest.raises(VerificationError):
        server.unprotect(with_info(WrappedKey(0, longer)))
    for info in (
        WrappedKey(1, longer),
        IdentifiedKey(2),
        AgreedKey(b"\x03", b""),
        AgreedKey(b"", b""),
        AgreedKey(b"\x02", b"\x00"),
    ):
        with pytest.raises(SecurityError, match="key-info"):
            server.unprotect(with_info(info))


def test_a_received_signature_or_agreement_in_suite_0_is_an_error_of_security():
    octets = ends(SUITE_1)[0].protect(GET, SecurityOptions((SIGNED,)))
    keys = replace(material(), signing_keys={HEAD_END: SIGNING[HEAD_END].public_key})
    with pytest.raises(SecurityError):
        protection(keys=keys).unprotect(octets)


# --- counters -------------------------------------------------------------------------------------------


class Stuck:
    """A counter that does not know where to stop."""

    def __init__(self, value: int) -> None:
        self.value = value

    def next(self) -> int:
        return self.value


@pytest.mark.parametrize("form", [F.SERVICE_SPECIFIC, F.GENERAL_GLO, F.GENERAL_CIPHERING])
def test_nothing_is_sent_beyond_the_last_counter(form):
    options = SecurityOptions((LayerOptions(form),))
    sender = protection(counter=LAST_COUNTER)
    octets = sender.protect(GET, options)
    assert protection(HEAD_END, METER).unprotect(octets)[1].invocation_counter == 0xFFFFFFFE
    with pytest.raises(CounterExhausted):
        sender.protect(GET, options)
    for value in (LAST_COUNTER + 1, -1, 1 << 32):
        sender._session.counter = Stuck(value)
        with pytest.raises(CounterExhausted):
            sender.protect(GET, options)


def test_each_protection_takes_a_number_of_its_own():
    client, server = ends()
    options = [
        SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),))
        for key in (K.GLOBAL_UNICAST, K.WRAPPED, K.ESTABLISHED)
    ]
    seen = [server.unprotect(client.protect(GET, each))[1].invocation_counter for each in options * 2]
    assert seen == list(range(10, 16))


def test_one_guard_serves_all_messages_of_a_sender():
    client, server = ends()
    server._session._replay = lambda title: ReplayGuard(VolatileCounterStore(), CounterName(b"k", title))
    for layer in (LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED), LayerOptions()):
        octets = client.protect(GET, SecurityOptions((layer,)))
        server.unprotect(octets)
        for _ in range(2):
            with pytest.raises(ReplayError):
                server.unprotect(octets)
    with pytest.raises(ReplayError):
        server.unprotect(protection(HEAD_END, METER, counter=10).protect(GET))


def test_the_broadcast_key_has_counters_of_its_own():
    client, server = ends()
    broadcast = SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),))
    first = client.protect(GET, broadcast)
    server.unprotect(first)
    with pytest.raises(ReplayError):
        server.unprotect(first)
    unicast = SecurityOptions((LayerOptions(),))
    assert server.unprotect(client.protect(GET, unicast))[1].invocation_counter == 10
    client._session.broadcast_counter = None
    with pytest.raises(KeyMissingError):
        client.protect(GET, broadcast)
    with pytest.raises(KeyMissingError):
        client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.GLOBAL_BROADCAST),)))


def test_a_guard_that_warns_is_told_of_counters_used_before():
    told = []
    client, server = ends()
    store = VolatileCounterStore()
    server._session._replay = lambda title: ReplayGuard(
        store, CounterName(b"k", title), "warn", lambda received, expected: told.append((received, expected))
    )
    octets = client.protect(GET, SecurityOptions((LayerOptions(),)))
    for _ in range(2):
        assert server.unprotect(octets)[0] == GET
    assert told == [(10, 11)]


def test_a_deviation_is_an_error_when_strict():
    octets = protection(METER, HEAD_END).protect(GET, SecurityOptions((LayerOptions(F.GENERAL_GLO),)))
    empty = b"\xdb\x00" + octets[10:]
    assert protection(HEAD_END, METER).unprotect(empty)[1].findings == ("system-title-empty",)
    with pytest.raises(SecurityError, match="system-title-empty"):
        protection(HEAD_END, METER, strict=True).unprotect(empty)
    assert protection(HEAD_END, METER, strict=True).unprotect(octets)[0] == GET


def test_a_broadcast_without_replay_protection_is_refused():
    client, server = ends()
    server._session._broadcast_replay = None
    with pytest.raises(SecurityError):
        server.unprotect(client.protect(GET, SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),))))


def test_a_message_without_key_info_counts_with_the_global_key():
    client, server = ends()
    octets = client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED),)))
    server.unprotect(octets)
    with pytest.raises(ReplayError):
        server.unprotect(protection(HEAD_END, METER, counter=10).protect(GET))


# --- titles and third parties ------------------------------------------------------------------------------


def test_titles_are_learnt_and_kept():
    client = protection(HEAD_END, None, side=Side.CLIENT)
    server = protection(METER, HEAD_END)
    answer = server.protect(GET_ANSWER)
    with pytest.raises(KeyMissingError):
        client.unprotect(answer)
    for wrong in (HEAD_END, METER[:7], b""):
        with pytest.raises(SecurityError):
            client.learn_peer_title(wrong)
    assert client.peer_title is None
    client.learn_peer_title(METER)
    client.learn_peer_title(METER)
    with pytest.raises(SecurityError):
        client.learn_peer_title(THIRD)
    assert client.peer_title == METER
    assert client.unprotect(answer)[0] == GET_ANSWER


def test_a_message_that_says_who_sent_it_needs_no_title_learnt():
    client = protection(HEAD_END, None, side=Side.CLIENT)
    octets = protection().protect(GET_ANSWER, SecurityOptions((LayerOptions(F.GENERAL_GLO),)))
    assert client.unprotect(octets)[1].system_title == METER


def test_two_ends_have_two_titles():
    with pytest.raises(ConfigurationError):
        protection(METER, METER)
    for own, peer in ((METER[:7], HEAD_END), (METER, b"")):
        with pytest.raises(ConfigurationError):
            protection(own, peer)


@pytest.mark.parametrize("layer", [LayerOptions(F.GENERAL_CIPHERING), SIGNED])
def test_a_message_for_somebody_else_is_refused(layer):
    client, server = ends(SUITE_1)
    aimed = SecurityOptions((replace(layer, header=GeneralHeader(recipient=THIRD)),))
    with pytest.raises(VerificationError, match="recipient"):
        server.unprotect(client.protect(GET, aimed))


def test_a_message_for_nobody_in_particular_is_taken():
    server = protection()
    octets = protection(HEAD_END, None).protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),)))
    assert decode(octets).recipient_system_title == b""
    assert server.unprotect(octets)[0] == GET


def third_party(own=THIRD, peer=METER) -> Protection:
    keys = SecurityMaterial(
        SUITE_1,
        unicast=AesGcmKey(EK, AK),
        master=material().master,
        signing=EcdsaKey(SUITE_1, bytes(31) + b"\x07"),
        agreement=EcdhKey(SUITE_1, bytes(31) + b"\x09"),
        signing_keys={METER: SIGNING[METER].public_key},
        agreement_keys={METER: AGREEMENT[METER].public_key},
    )
    return protection(own, peer, keys=keys, counter=77)


def server_that_knows_the_third_party(**context) -> Protection:
    keys, third = material(SUITE_1, METER), third_party().context.material
    keys = replace(
        keys,
        signing_keys={**keys.signing_keys, THIRD: third.signing.public_key},
        agreement_keys={**keys.agreement_keys, THIRD: third.agreement.public_key},
    )
    return protection(METER, HEAD_END, keys=keys, **context)


@pytest.mark.parametrize("key", [K.ONE_PASS, K.STATIC_UNIFIED, K.SIGNING])
def test_a_third_party_talks_through_the_client(key):
    form = F.GENERAL_SIGNING if key is K.SIGNING else F.GENERAL_CIPHERING
    third, server = third_party(), server_that_knows_the_third_party()
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT, in_kind=False)
    inner = third.protect(GET, SecurityOptions((LayerOptions(form, key),)))
    octets = client.protect(inner, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),)))
    clear, status = server.unprotect(octets)
    assert (clear, status.system_title, status.originator) == (GET, HEAD_END, THIRD)
    answer = server.protect(GET_ANSWER, status)
    passed_on, outer = client.unprotect(answer)
    assert [each.form for each in outer.layers] == [F.GENERAL_CIPHERING], (
        "the inner layer is not for the client"
    )
    assert passed_on[0] == (0xDF if key is K.SIGNING else 0xDD)
    assert third.unprotect(passed_on)[0] == GET_ANSWER
    with pytest.raises(VerificationError):
        server.unprotect(third.protect(GET, SecurityOptions((LayerOptions(form, key),))))


@pytest.mark.parametrize("key", [K.GLOBAL_UNICAST, K.WRAPPED, K.ESTABLISHED])
def test_keys_that_the_client_has_too_prove_no_third_party(key):
    third, server = third_party(), server_that_knows_the_third_party()
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT)
    inner = third.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),)))
    with pytest.raises(VerificationError, match="title"):
        server.unprotect(client.protect(inner, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))))


def test_a_third_party_may_use_again_the_key_that_it_brought():
    third, server = third_party(), server_that_knows_the_third_party()
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT)
    outer = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))
    for key in (K.ONE_PASS, K.ESTABLISHED):
        inner = third.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),)))
        assert server.unprotect(client.protect(inner, outer))[1].originator == THIRD


def test_the_key_that_a_third_party_brought_makes_no_other_key_its_own():
    third, server = third_party(), server_that_knows_the_third_party()
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT)
    outer = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))
    brought = third.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ONE_PASS),)))
    server.unprotect(client.protect(brought, outer))
    for key in (K.GLOBAL_UNICAST, K.WRAPPED):
        inner = third.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, key),)))
        with pytest.raises(VerificationError, match="title"):
            server.unprotect(client.protect(inner, outer))


def test_a_layer_without_protection_may_name_anybody_and_proves_nothing():
    inner = third_party().protect(GET, SecurityOptions((bare(GeneralHeader()),)))
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT)
    octets = client.protect(inner, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),)))
    clear, status = server_that_knows_the_third_party().unprotect(octets)
    assert (clear, [layer.verified for layer in status.layers]) == (GET, [True, False])
    assert [layer.system_title for layer in status.layers] == [HEAD_END, THIRD]


def bare(header: GeneralHeader) -> LayerOptions:
    return LayerOptions(
        F.GENERAL_CIPHERING, K.ESTABLISHED, authenticated=False, encrypted=False, header=header
    )


def test_our_own_message_is_refused_before_the_other_side_is_known():
    server = protection(METER, None)
    ours = protection(METER, HEAD_END).protect(GET, SecurityOptions((LayerOptions(F.GENERAL_GLO),)))
    with pytest.raises(VerificationError, match="we sent it"):
        server.unprotect(ours)


def sealed_by_hand(inner: bytes, counter: int = 0x40) -> bytes:
    """Return general-glo-ciphering of the head end around any octets."""
    octets = counter.to_bytes(4, "big")
    content = b"\x30" + octets + AesGcmKey(EK, AK).seal(0x30, HEAD_END + octets, inner)
    return b"\xdb\x08" + HEAD_END + bytes((len(content),)) + content


@pytest.mark.parametrize(
    "inner",
    [
        b"\xc8\x0d\x80" + bytes(12),  # compressed
        b"\xdb\x07" + HEAD_END[:7] + b"\x01\x30",  # a title of seven octets
        b"\xdd\x00\x07" + HEAD_END[:7] + bytes(30),
        b"\xc8\x05\x30",
        b"\xdf\x00",
        b"\xdd",
    ],
)
def test_what_is_broken_inside_a_genuine_layer_is_refused(inner):
    with pytest.raises((SecurityError, DecodeError)):
        protection().unprotect(sealed_by_hand(inner))
    assert protection().unprotect(sealed_by_hand(GET))[0] == GET


def test_an_inner_layer_for_nobody_in_particular_is_taken_off():
    key = AesGcmKey(EK, AK)
    header = GeneralHeader(b"", HEAD_END, b"")
    content = b"\x30\x00\x00\x00\x3f" + key.seal(0x30, HEAD_END + b"\x00\x00\x00\x3f", GET, header.octets)
    inner = b"\xdd" + header.octets + b"\x00" + bytes((len(content),)) + content
    clear, status = protection().unprotect(sealed_by_hand(inner))
    assert (clear, len(status.layers)) == (GET, 2)


def test_a_layer_without_protection_needs_no_key():
    client = ends(SUITE_1)[0]
    octets = client.protect(GET, SecurityOptions((bare(GeneralHeader()), SIGNED)))
    server = protection(keys=SecurityMaterial(SUITE_1, signing_keys={HEAD_END: SIGNING[HEAD_END].public_key}))
    assert server.unprotect(octets)[0] == GET


def test_the_overhead_of_a_layer_without_protection_has_no_key():
    layer = LayerOptions(F.GENERAL_CIPHERING, authenticated=False, encrypted=False)
    options = SecurityOptions((layer, SIGNED))
    client, server = ends(SUITE_1)
    octets = client.protect(GET, options)
    assert client.overhead(len(GET), options) == len(octets) - len(GET)
    assert server.unprotect(octets)[0] == GET


def test_a_layer_without_protection_is_a_layer_and_protects_nothing():
    client, server = ends(SUITE_1)
    empty = client.protect(GET, SecurityOptions((bare(GeneralHeader()),)))
    assert decode(empty).ciphered_content == b"\x01" + GET
    with pytest.raises(PolicyError):
        server.unprotect(empty)
    around = client.protect(GET, SecurityOptions((bare(GeneralHeader()), SIGNED)))
    clear, status = server.unprotect(around)
    assert (clear, status.kinds) == (GET, ProtectionKind.SIGNED)
    assert client.overhead(len(GET), SecurityOptions((bare(GeneralHeader()), SIGNED))) == len(around) - len(
        GET
    )


# --- what is concluded once for many messages ---------------------------------------------------------------


def test_what_was_concluded_of_one_message_ends_with_the_keys_it_was_concluded_of():
    client, server = ends()
    layer = SecurityOptions((LayerOptions(key=K.DEDICATED),))
    server.unprotect(client.protect(GET, layer))
    late = client.protect(GET, layer)
    assert server._known
    server.forget()
    with pytest.raises(KeyMissingError):
        server.unprotect(late)
    for end in (client, server):
        end.hold_dedicated_key(AK)
        end.activate_dedicated_key()
    with pytest.raises(VerificationError):
        server.unprotect(late)
    assert server.unprotect(client.protect(GET, layer))[0] == GET
    assert client.protect(GET)[0] == 0xD0
    client.forget()
    assert client.protect(GET)[0] == 0xC8


def test_what_was_concluded_ends_when_a_title_is_learnt():
    server = protection()
    server.unprotect(protection(HEAD_END, METER, counter=0).protect(GET))
    server.protect(GET_ANSWER)
    assert server._known
    assert server._prepared
    server.learn_peer_title(HEAD_END)
    assert not server._known
    assert not server._prepared


@pytest.mark.parametrize(
    "layer",
    [
        LayerOptions(encrypted=False),
        LayerOptions(key=K.GLOBAL_BROADCAST),
        LayerOptions(F.GENERAL_GLO),
        LayerOptions(F.GENERAL_CIPHERING),
    ],
)
def test_nothing_is_concluded_of_what_is_not_usual(layer):
    client, server = ends()
    for _ in range(2):
        octets = client.protect(GET, SecurityOptions((layer,)))
        clear, status = server.unprotect(octets)
        assert (clear, status.kinds) == (GET, layer.kinds)
        with pytest.raises(ReplayError):
            server.unprotect(octets)
        server.protect(GET_ANSWER, status)
    assert not server._known
    assert not server._prepared
    assert not client._prepared


def test_the_usual_way_makes_the_octets_of_the_long_way():
    status = protection(HEAD_END, METER).unprotect(protection(counter=5).protect(GET))[1]
    for options in (None, status, SecurityOptions()):
        short, long = (protection(counter=7) for _ in range(2))
        long._prepare = lambda tag, key: None
        for apdu in (GET, GET_ANSWER, NOTIFICATION, b"\x01\x00\x00\x00\x06", b"\xd8\x01\x01"):
            assert [short.protect(apdu, options) for _ in range(2)] == [
                long.protect(apdu, options) for _ in range(2)
            ]
        assert short._prepared
        assert not long._prepared


def test_an_answer_is_signed_where_the_policy_says_so_although_its_request_was_not():
    server = protection(METER, HEAD_END, suite=SUITE_1, policy=SecurityPolicyV1.DIGITALLY_SIGNED_RESPONSE)
    status = server.unprotect(protection(HEAD_END, METER, suite=SUITE_1).protect(GET))[1]
    assert server.protect(GET_ANSWER, status)[0] == 0xDB
    assert not server._prepared


def test_the_usual_way_ends_with_the_counters():
    sender = protection(counter=LAST_COUNTER - 1)
    for _ in range(2):
        sender.protect(GET)
    with pytest.raises(CounterExhausted):
        sender.protect(GET)
    sender._session.counter = Stuck(LAST_COUNTER + 1)
    sender._start_anew()
    with pytest.raises(CounterExhausted):
        sender.protect(GET)


# --- policies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "bits"), list(product(SecurityPolicyV0, BITS)))
def test_a_server_takes_what_its_policy_of_version_0_admits(policy, bits):
    client = protection(HEAD_END, METER, side=Side.CLIENT, encryption_only=True)
    server = protection(METER, HEAD_END, policy=policy, encryption_only=True)
    layer = LayerOptions(F.SERVICE_SPECIFIC, K.GLOBAL_UNICAST, *bits)
    octets = client.protect(GET, SecurityOptions((layer,)))
    wanted = {0: (False, False), 1: (True, False), 2: (False, True), 3: (True, True)}[policy]
    if all(has or not wants for has, wants in zip(bits, wanted, strict=True)):
        assert server.unprotect(octets)[0] == GET
    else:
        with pytest.raises(PolicyError):
            server.unprotect(octets)


def test_requests_and_responses_have_demands_of_their_own_in_version_1():
    policy = SecurityPolicyV1.AUTHENTICATED_REQUEST | SecurityPolicyV1.ENCRYPTED_RESPONSE
    authenticated = SecurityOptions((LayerOptions(encrypted=False),))
    client = protection(
        HEAD_END, METER, side=Side.CLIENT, policy=policy, options=authenticated, in_kind=False
    )
    server = protection(METER, HEAD_END, policy=policy)
    request = client.protect(GET)
    assert request[2] == 0x10
    _, status = server.unprotect(request)
    answer = server.protect(GET_ANSWER, status)
    assert answer[2] == 0x30, "in kind, and what the policy demands beyond it"
    assert client.unprotect(answer)[1].encrypted
    weaker = protection(METER, HEAD_END, counter=0x01300000).protect(GET_ANSWER, authenticated)
    with pytest.raises(PolicyError, match="encrypted"):
        client.unprotect(weaker)


def test_a_policy_that_demands_signatures_adds_them():
    policy = SecurityPolicyV1.parse(0x90)
    client = protection(HEAD_END, METER, suite=SUITE_1, side=Side.CLIENT, policy=policy)
    server = protection(METER, HEAD_END, suite=SUITE_1, policy=policy)
    request = client.protect(GET)
    clear, status = server.unprotect(request)
    assert (clear, status.signed, status.encrypted) == (GET, True, True)
    with pytest.raises(PolicyError, match="signed"):
        server.unprotect(protection(HEAD_END, METER, suite=SUITE_1, counter=0x01300000).protect(GET))
    assert client.unprotect(server.protect(GET_ANSWER, status))[1].signed


def test_a_client_wants_to_be_answered_in_kind():
    weaker = [
        SecurityOptions((LayerOptions(encrypted=False),)),
        SecurityOptions((LayerOptions(authenticated=False),)),
    ]
    for options in weaker:
        octets = protection(METER, HEAD_END, encryption_only=True).protect(GET_ANSWER, options)
        strict = protection(HEAD_END, METER, side=Side.CLIENT, encryption_only=True)
        with pytest.raises(PolicyError):
            strict.unprotect(octets)
        lenient = protection(HEAD_END, METER, side=Side.CLIENT, encryption_only=True, in_kind=False)
        assert lenient.unprotect(octets)[0] == GET_ANSWER


def test_an_answer_under_the_broadcast_key_is_refused_and_a_notification_is_not():
    broadcast = SecurityOptions((LayerOptions(key=K.GLOBAL_BROADCAST),))
    for apdu in (GET_ANSWER, GET):
        with pytest.raises(PolicyError, match="broadcast"):
            protection(HEAD_END, METER, side=Side.CLIENT).unprotect(protection().protect(apdu, broadcast))
    for apdu in (NOTIFICATION, EVENT, b"\x18\x00\x00"):
        client = protection(HEAD_END, METER, side=Side.CLIENT)
        assert client.unprotect(protection().protect(apdu, broadcast))[1].broadcast


def test_encryption_alone_has_to_be_asked_for():
    layer = LayerOptions(authenticated=False)
    with pytest.raises(ConfigurationError, match="encryption_only"):
        protection(options=SecurityOptions((layer,)))
    octets = protection(encryption_only=True).protect(GET, SecurityOptions((layer,)))
    with pytest.raises(PolicyError):
        protection(HEAD_END, METER).unprotect(octets)


def test_encryption_alone_counts_only_what_is_an_apdu():
    layer = SecurityOptions((LayerOptions(authenticated=False),))
    sender = protection(counter=100, encryption_only=True)
    octets = bytearray(sender.protect(GET, layer))
    receiver = protection(HEAD_END, METER, encryption_only=True)
    octets[-1] ^= 0x7F  # an access selection that is none
    with pytest.raises(DecodeError):
        receiver.unprotect(bytes(octets))
    octets[-1] ^= 0x7F
    assert receiver.unprotect(bytes(octets))[0] == GET
    with pytest.raises(ReplayError):
        receiver.unprotect(bytes(octets))


@pytest.mark.parametrize(
    "layer",
    [
        LayerOptions(authenticated=False, encrypted=False),
        LayerOptions(F.GENERAL_GLO, authenticated=False, encrypted=False),
        LayerOptions(key=K.WRAPPED),
        LayerOptions(key=K.ESTABLISHED),
        LayerOptions(F.GENERAL_GLO, K.ONE_PASS),
        LayerOptions(F.GENERAL_DED, K.SIGNING),
        LayerOptions(F.GENERAL_CIPHERING, K.DEDICATED),
        LayerOptions(F.GENERAL_CIPHERING, K.SIGNING),
        SIGNED,
    ],
)
def test_options_that_contradict_themselves_are_refused(layer):
    with pytest.raises(ConfigurationError):
        protection(options=SecurityOptions((layer,)))


def test_an_apdu_has_octets():
    with pytest.raises(ConfigurationError):
        protection().protect(b"")
    with pytest.raises(DecodeError):
        protection().unprotect(b"")
    for octets in (GET, b"\x60\x00", b"\x00"):
        with pytest.raises(DecodeError):
            protection().unprotect(octets)


# --- readings of the standard, and material -------------------------------------------------------------------


@pytest.mark.parametrize("reading", AssociatedFields)
def test_each_reading_of_the_associated_data_is_spoken_with_itself_alone(reading):
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),))
    octets = protection(interpretation=Interpretation(reading)).protect(GET, options)
    for other in AssociatedFields:
        receiver = protection(HEAD_END, METER, interpretation=Interpretation(other))
        if other is reading:
            assert receiver.unprotect(octets)[0] == GET
        else:
            with pytest.raises(VerificationError):
                receiver.unprotect(octets)
    content = decode(octets).ciphered_content
    apdu = decode(octets)
    fields = (apdu.transaction_id, METER, HEAD_END, b"", b"")
    further = {
        AssociatedFields.WITH_LENGTHS: b"".join(bytes((len(field),)) + field for field in fields),
        AssociatedFields.WITHOUT_LENGTHS: b"".join(fields),
        AssociatedFields.NONE: b"",
    }[reading]
    assert AesGcmKey(EK, AK).open(0x30, METER + content[1:5], content[5:], further) == GET


def test_the_first_printing_is_spoken_with_itself_alone():
    first = Interpretation(algorithm_identifiers=AlgorithmIdentifiers.FIRST_PRINTING)
    options = SecurityOptions((LayerOptions(F.GENERAL_CIPHERING, K.ONE_PASS),))
    octets = protection(suite=SUITE_1, interpretation=first).protect(GET, options)
    assert protection(HEAD_END, METER, suite=SUITE_1, interpretation=first).unprotect(octets)[0] == GET
    with pytest.raises(VerificationError):
        protection(HEAD_END, METER, suite=SUITE_1).unprotect(octets)


def test_lengths_of_more_octets_than_needed_are_authenticated_as_they_came():
    key = AesGcmKey(EK, AK)
    header = b"\x81\x02\x01\x02" + b"\x08" + METER + b"\x82\x00\x08" + HEAD_END + b"\x00\x00"
    nonce = METER + b"\x00\x00\x00\x01"
    content = b"\x30\x00\x00\x00\x01" + key.seal(0x30, nonce, GET, header)
    octets = b"\xdd" + header + b"\x00" + b"\x81" + bytes((len(content),)) + content
    clear, status = protection(HEAD_END, METER).unprotect(octets)
    assert (clear, status.layers[0].header.transaction_id) == (GET, b"\x01\x02")


def test_long_lengths_of_service_specific_forms_are_read():
    octets = protection().protect(GET)
    longer = octets[:1] + b"\x81" + octets[1:]
    assert protection(HEAD_END, METER).unprotect(longer)[0] == GET


def test_material_shows_which_keys_there_are_and_no_key():
    shown = repr(material(SUITE_1))
    assert shown == "<SecurityMaterial suite 1: unicast, broadcast, master, signing, agreement>"
    assert repr(SecurityMaterial()) == "<SecurityMaterial suite 0: no keys>"
    for part in (EK, AK, DEDICATED):
        assert part.hex() not in repr(protection(suite=SUITE_1).context).lower()


def test_material_has_keys_of_its_suite():
    with pytest.raises(ConfigurationError):
        SecurityMaterial(SUITE_2, unicast=AesGcmKey(EK, AK))
    with pytest.raises(ConfigurationError):
        SecurityMaterial(SUITE_0, broadcast=AesGcmKey(EK * 2, AK * 2))
    with pytest.raises(ConfigurationError):
        SecurityMaterial(SUITE_2, signing=SIGNING[METER])
    with pytest.raises(ConfigurationError):
        SecurityMaterial(SUITE_0, agreement=AGREEMENT[METER])
    with pytest.raises(KeyMissingError):
        SecurityMaterial().bound(bytes(16))
    with pytest.raises(ConfigurationError):
        SecurityMaterial().bound(bytes(15))


def test_keys_of_a_store_become_material():
    from cosem.security.keys import Keys

    keys = Keys.parse(
        suite=1,
        encryption=EK.hex(),
        authentication=AK.hex(),
        broadcast=bytes(range(0xF0, 0x100)).hex(),
        master=DEDICATED.hex(),
        client_title=HEAD_END.hex(),
        server_title=METER.hex(),
        signing=(b"\x00" * 31 + b"\x07").hex(),
        key_agreement=(b"\x00" * 31 + b"\x09").hex(),
        peer_signing=SIGNING[METER].public_key.hex(),
        peer_key_agreement=AGREEMENT[METER].public_key.hex(),
    )
    made = material_of(keys, dedicated=DEDICATED)
    assert made.dedicated is not None
    assert (made.signing_keys, made.agreement_keys) == (
        {METER: SIGNING[METER].public_key},
        {METER: AGREEMENT[METER].public_key},
    )
    assert material_of(keys, server=True).signing_keys == {HEAD_END: SIGNING[METER].public_key}
    assert made.signing.public_key == EcdsaKey(SUITE_1, bytes(31) + b"\x07").public_key
    assert made.agreement.public_key == EcdhKey(SUITE_1, bytes(31) + b"\x09").public_key
    octets = protection(HEAD_END, METER, keys=made).protect(GET)
    assert protection(METER, HEAD_END, suite=SUITE_1).unprotect(octets)[0] == GET
    empty = material_of(Keys())
    assert repr(empty) == "<SecurityMaterial suite 0: no keys>"
    assert isinstance(gcm_key(EK, AK), AesGcmKey)
    assert made.master is not None
    assert made.broadcast is not None
    untitled = replace(keys, server_title=None)
    assert (material_of(untitled).signing_keys, material_of(untitled).agreement_keys) == ({}, {})
    assert (empty.signing_keys, empty.agreement_keys) == ({}, {})
    alone = material_of(replace(keys, peer_signing=None, peer_key_agreement=None))
    assert (alone.signing_keys, alone.agreement_keys) == ({}, {})
    only_authentication = material_of(replace(keys, encryption=None))
    bound, usual = only_authentication.bound(DEDICATED), made.bound(DEDICATED)
    assert bound.seal(0x30, bytes(12), GET) == usual.seal(0x30, bytes(12), GET)


def test_a_key_that_is_held_elsewhere_protects_too():
    class Vault:
        def encrypt(self, nonce, plaintext, associated_data):
            return AesGcmKey(EK, None).seal(associated_data[0], nonce, plaintext, associated_data[1:])

        def decrypt(self, nonce, ciphertext, associated_data):
            return AesGcmKey(EK, None).open(associated_data[0], nonce, ciphertext, associated_data[1:])

        def fingerprint(self, salt=b""):
            return bytes(16)

    held = gcm_key(Vault(), AK)
    assert isinstance(held, HeldGcmKey)
    sender = protection(HEAD_END, METER, keys=SecurityMaterial(unicast=held))
    assert protection().unprotect(sender.protect(GET))[0] == GET


def test_the_status_of_nothing_special():
    client, server = ends()
    _, status = server.unprotect(client.protect(GET))
    assert isinstance(status, SecurityStatus)
    assert status.control == 0x30
    assert status.findings == ()
    assert repr(status.control) == "SecurityControl(0x30)"
    assert not status.signed
    assert isinstance(
        decode(client.protect(GET, SecurityOptions((LayerOptions(F.GENERAL_CIPHERING),)))), GeneralCiphering
    )
    assert SecurityContext(material(), METER).peer_system_title is None
    assert VolatileCounter().next() == 0
    assert THIRD != METER
