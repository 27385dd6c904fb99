from __future__ import annotations

import hashlib
import itertools
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import AuthenticationError, ConfigurationError, ReplayError, SecurityError, StateError
from cosem.security.authentication import (
    Claim,
    ClientHls,
    DigestMechanism,
    EcdsaMechanism,
    GmacMechanism,
    ManufacturerMechanism,
    ServerHls,
    password_matches,
)
from cosem.security.authentication.claim import new_challenge
from cosem.security.counters import (
    CounterName,
    ReplayGuard,
    ReplayMode,
    VolatileCounter,
    VolatileCounterStore,
)
from cosem.security.gcm import AesGcmKey
from cosem.security.key_material import Secret
from cosem.security.signing import EcdsaKey
from cosem.security.suites import SecuritySuite
from cosem.types.enumerations import AuthenticationMechanism
from tests.vectors import vector

M = AuthenticationMechanism
CLIENT, SERVER = bytes.fromhex("4D4D4D0000000001"), bytes.fromhex("4D4D4D0000BC614E")
SECRET = Secret(bytes.fromhex("00112233445566778899AABBCCDDEEFF"))
EK, AK = bytes(range(16)), bytes(range(0xD0, 0xE0))
HANDSHAKES = ["hls3", "hls4", "T7-hls5", "hls6", "hls7-p256"]


def signing(private: bytes, size: int = 32) -> EcdsaKey:
    return EcdsaKey(SecuritySuite(1 if size == 32 else 2), private)


def of_vector(entry, side):
    """Return the mechanism of a vector as one side has it."""
    other = "server" if side == "client" else "client"
    if entry.id == "T7-hls5":
        key = AesGcmKey(entry.hex("encryption_key"), entry.hex("authentication_key"))
        counter = VolatileCounter(int(entry[side]["invocation_counter"], 16))
        return GmacMechanism(0, key, counter)
    if entry.id == "hls7-p256":
        key = signing(entry.hex(f"{side}_private_signing_key"))
        return EcdsaMechanism(key, entry.hex(f"{other}_public_signing_key"))
    mechanism = {"hls3": M.HLS_MD5, "hls4": M.HLS_SHA1, "hls6": M.HLS_SHA256}[entry.id]
    return DigestMechanism(mechanism, Secret(entry.hex("hls_secret")))


def proofs(entry):
    if entry.id == "T7-hls5":
        return bytes.fromhex(entry["client"]["f_stoc"]), bytes.fromhex(entry["server"]["f_ctos"])
    return entry.hex("f_stoc"), entry.hex("f_ctos")


def handshake(entry):
    """Return client and server of a vector, ready for pass 3, with the challenges of the vector."""
    ctos, stoc = entry.hex("ctos"), entry.hex("stoc")
    client = ClientHls(
        of_vector(entry, "client"), lambda _: ctos, client_title=CLIENT, challenge_size=len(ctos)
    )
    server = ServerHls(
        of_vector(entry, "server"), lambda _: stoc, server_title=SERVER, challenge_size=len(stoc)
    )
    assert client.challenge() == ctos
    assert server.begin(ctos, CLIENT) == stoc
    return client, server


@pytest.mark.parametrize("name", HANDSHAKES)
def test_vector_in_both_roles(name):
    entry = vector("security", name)
    client, server = handshake(entry)
    f_stoc, f_ctos = proofs(entry)
    assert client.answer(entry.hex("stoc"), SERVER) == f_stoc
    assert server.reply(f_stoc) == f_ctos
    client.verify(f_ctos)


@pytest.mark.parametrize("name", HANDSHAKES)
def test_no_flipped_bit_of_a_proof_is_taken(name):
    entry = vector("security", name)
    f_stoc, f_ctos = proofs(entry)
    texts = set()
    for position, bit in itertools.product(range(len(f_stoc)), range(8)):
        client, server = handshake(entry)
        client.answer(entry.hex("stoc"), SERVER)
        wrong = bytearray(f_stoc)
        wrong[position] ^= 1 << bit
        with pytest.raises(AuthenticationError) as refused:
            server.reply(bytes(wrong))
        texts.add(str(refused.value))
        wrong = bytearray(f_ctos)
        wrong[position] ^= 1 << bit
        with pytest.raises(AuthenticationError) as refused:
            client.verify(bytes(wrong))
        texts.add(str(refused.value))
    assert len(texts) == 1  # nobody learns what was wrong


@pytest.mark.parametrize("name", HANDSHAKES)
def test_no_cut_or_longer_proof_is_taken(name):
    entry = vector("security", name)
    f_stoc, f_ctos = proofs(entry)
    for size in range(len(f_stoc)):
        client, server = handshake(entry)
        client.answer(entry.hex("stoc"), SERVER)
        with pytest.raises(AuthenticationError):
            server.reply(f_stoc[:size])
        with pytest.raises(AuthenticationError):
            client.verify(f_ctos[:size])
    client, server = handshake(entry)
    client.answer(entry.hex("stoc"), SERVER)
    with pytest.raises(AuthenticationError):
        server.reply(f_stoc + b"\0")
    with pytest.raises(AuthenticationError):
        client.verify(f_ctos + b"\0")


@pytest.mark.parametrize("name", HANDSHAKES)
def test_the_proof_of_one_side_is_not_that_of_the_other(name):
    entry = vector("security", name)
    f_stoc, f_ctos = proofs(entry)
    client, server = handshake(entry)
    client.answer(entry.hex("stoc"), SERVER)
    with pytest.raises(AuthenticationError):
        client.verify(f_stoc)
    with pytest.raises(AuthenticationError):
        server.reply(f_ctos)


@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_challenge_is_used_once(name):
    entry = vector("security", name)
    f_stoc, f_ctos = proofs(entry)
    client, server = handshake(entry)
    client.answer(entry.hex("stoc"), SERVER)
    with pytest.raises(StateError):
        client.answer(entry.hex("stoc"), SERVER)
    with pytest.raises(AuthenticationError):
        server.reply(bytes(len(f_stoc)))
    with pytest.raises(AuthenticationError, match="no challenge waits"):
        server.reply(f_stoc)  # the right one, after a wrong one
    client.verify(f_ctos)
    with pytest.raises(StateError):
        client.verify(f_ctos)


@pytest.mark.parametrize("name", ["T7-hls5", "hls6", "hls7-p256"])
def test_titles_are_part_of_the_proof(name):
    entry = vector("security", name)
    f_stoc, f_ctos = proofs(entry)
    client, server = handshake(entry)
    server.begin(entry.hex("ctos"), bytes.fromhex("4D4D4D0000000002"))
    with pytest.raises(AuthenticationError):
        server.reply(f_stoc)
    client.answer(entry.hex("stoc"), bytes.fromhex("4D4D4D0000BC614F"))
    with pytest.raises(AuthenticationError):
        client.verify(f_ctos)


@pytest.mark.parametrize("name", ["T7-hls5", "hls6", "hls7-p256"])
def test_an_unknown_title_ends_the_mechanism_that_needs_it(name):
    entry = vector("security", name)
    client, server = handshake(entry)
    with pytest.raises(AuthenticationError, match="titles"):
        client.answer(entry.hex("stoc"), None)
    server.begin(entry.hex("ctos"), None)
    with pytest.raises(AuthenticationError, match="titles"):
        server.reply(proofs(entry)[0])


def test_a_title_other_than_the_configured_one_is_refused():
    client = ClientHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes, server_title=SERVER)
    client.challenge()
    with pytest.raises(AuthenticationError, match="not that of the meter"):
        client.answer(b"P6wRJ21F", CLIENT)


@pytest.mark.parametrize(("known", "said"), [(SERVER, None), (SERVER, SERVER), (None, SERVER)])
def test_a_title_may_be_known_before_or_said_or_both(known, said):
    client = ClientHls(
        DigestMechanism(M.HLS_SHA256, SECRET), secrets.token_bytes, client_title=CLIENT, server_title=known
    )
    challenge = client.challenge()
    expected = DigestMechanism(M.HLS_SHA256, SECRET).prove(Claim(b"P6wRJ21F", challenge, CLIENT, SERVER))
    assert client.answer(b"P6wRJ21F", said) == expected


def test_our_own_challenge_sent_back_is_refused():
    client = ClientHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes)
    with pytest.raises(AuthenticationError, match="sent back"):
        client.answer(client.challenge(), None)


def test_the_server_never_answers_with_the_challenge_it_got():
    server = ServerHls(DigestMechanism(M.HLS_MD5, SECRET), lambda _: bytes(range(16)))
    with pytest.raises(AuthenticationError, match="sent back"):
        server.begin(bytes(range(16)), None)
    with pytest.raises(AuthenticationError, match="no challenge waits"):
        server.reply(bytes(16))


@pytest.mark.parametrize(
    ("mechanism", "sizes"),
    [
        (DigestMechanism(M.HLS_SHA1, SECRET), (8, 64)),
        (EcdsaMechanism(signing(b"\1" * 32), bytes(64)), (32, 64)),
    ],
)
def test_lengths_of_challenges(mechanism, sizes):
    shortest, longest = sizes
    for size in range(70):
        client = ClientHls(mechanism, secrets.token_bytes, client_title=CLIENT)
        server = ServerHls(mechanism, secrets.token_bytes, server_title=SERVER)
        assert len(client.challenge()) == max(16, shortest)
        received = secrets.token_bytes(size)
        if shortest <= size <= longest:
            assert client.answer(received, SERVER)
            assert server.begin(received, CLIENT)
            assert len(ClientHls(mechanism, secrets.token_bytes, challenge_size=size).challenge()) == size
        else:
            with pytest.raises(AuthenticationError, match=f"allows {shortest} to {longest}"):
                client.answer(received, SERVER)
            with pytest.raises(AuthenticationError, match=f"allows {shortest} to {longest}"):
                server.begin(received, CLIENT)
            with pytest.raises(ConfigurationError):
                ClientHls(mechanism, secrets.token_bytes, challenge_size=size)
            with pytest.raises(ConfigurationError):
                ServerHls(mechanism, secrets.token_bytes, challenge_size=size)


@pytest.mark.parametrize("broken", [lambda n: b"\0" * n, lambda n: bytes(range(n - 1)), lambda _: b""])
def test_a_broken_source_of_random_octets_is_noticed(broken):
    with pytest.raises(AuthenticationError, match="source"):
        ClientHls(DigestMechanism(M.HLS_MD5, SECRET), broken).challenge()


def test_printable_challenges():
    client = ClientHls(
        DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes, printable=True, challenge_size=64
    )
    for _ in range(20):
        assert client.challenge().decode("ascii").isprintable()


def test_a_printable_challenge_has_six_bits_of_every_random_octet():
    for first in range(0, 256, 64):
        challenge = new_challenge(
            lambda size, first=first: bytes(range(first, first + size)), 64, printable=True
        )
        assert len(set(challenge)) == 64
        assert challenge.decode("ascii").replace("+", "").replace("-", "").isalnum()


def test_a_client_answers_and_verifies_nothing_before_its_challenge():
    client = ClientHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes)
    with pytest.raises(StateError, match="no challenge was sent"):
        client.answer(b"P6wRJ21F", None)
    with pytest.raises(StateError, match="no proof was sent"):
        client.verify(bytes(16))


def test_a_new_challenge_ends_the_wait_for_the_proof_of_the_one_before():
    client, server = handshake(vector("security", "hls3"))
    answer = server.reply(client.answer(vector("security", "hls3").hex("stoc"), None))
    client.challenge()
    with pytest.raises(StateError, match="no proof was sent"):
        client.verify(answer)


def test_an_exchange_that_fails_ends_the_wait_for_the_proof_of_the_one_before():
    client, server = handshake(vector("security", "hls3"))
    proof = client.answer(vector("security", "hls3").hex("stoc"), None)
    with pytest.raises(AuthenticationError, match="allows 8 to 64"):
        server.begin(b"short", CLIENT)
    with pytest.raises(AuthenticationError, match="no challenge waits"):
        server.reply(proof)


def test_the_printable_challenge_of_a_server():
    server = ServerHls(
        DigestMechanism(M.HLS_MD5, SECRET), lambda size: bytes(range(192, 192 + size)), printable=True
    )
    assert server.begin(b"K56iVagY", None) == b"ABCDEFGHIJKLMNOP"


def test_a_server_takes_no_proof_before_it_gave_a_challenge():
    server = ServerHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes)
    with pytest.raises(AuthenticationError, match="no challenge waits"):
        server.reply(bytes(16))


def test_every_challenge_is_fresh():
    client = ClientHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes)
    server = ServerHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes)
    drawn = {client.challenge() for _ in range(100)} | {server.begin(b"P6wRJ21F", None) for _ in range(100)}
    assert len(drawn) == 200


@given(
    st.binary(min_size=1, max_size=40), st.binary(min_size=8, max_size=64), st.binary(min_size=8, max_size=64)
)
def test_digests_are_those_of_the_formulas(secret, challenge, own):
    claim = Claim(challenge, own, CLIENT, SERVER)
    expected = {
        M.HLS_MD5: hashlib.md5(challenge + secret, usedforsecurity=False),
        M.HLS_SHA1: hashlib.sha1(challenge + secret, usedforsecurity=False),
        M.HLS_SHA256: hashlib.sha256(secret + CLIENT + SERVER + challenge + own),
    }
    for mechanism, digest in expected.items():
        assert DigestMechanism(mechanism, Secret(secret)).prove(claim) == digest.digest()


def test_only_digests_are_digests():
    with pytest.raises(ConfigurationError):
        DigestMechanism(M.HLS_GMAC, SECRET)


@given(st.integers(0, 2), st.binary(min_size=8, max_size=64), st.binary(min_size=8, max_size=64))
def test_gmac_of_every_suite(suite, ctos, stoc):
    size = 32 if suite == 2 else 16
    key = AesGcmKey(bytes(range(size)), bytes(range(1, size + 1)))
    mine, theirs = (
        GmacMechanism(suite, key, VolatileCounter(1)),
        GmacMechanism(suite, key, VolatileCounter(9)),
    )
    claim = Claim(stoc, ctos, CLIENT, SERVER)
    proof = mine.prove(claim)
    assert proof[:5] == bytes((0x10 | suite, 0, 0, 0, 1))
    theirs.check(claim, proof)
    if ctos != stoc:
        with pytest.raises(AuthenticationError):
            theirs.check(Claim(ctos, stoc, CLIENT, SERVER), proof)
    with pytest.raises(AuthenticationError):
        GmacMechanism((suite + 1) % 2, key, VolatileCounter(9)).check(claim, proof)


@pytest.mark.parametrize(
    "key",
    [AesGcmKey(AK, AK), AesGcmKey(EK, EK), AesGcmKey(EK, None)],
    ids=["encryption", "authentication", "none"],
)
def test_gmac_with_another_key_is_refused(key):
    claim = Claim(b"P6wRJ21F", b"K56iVagY", CLIENT, SERVER)
    proof = GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter()).prove(claim)
    with pytest.raises(AuthenticationError, match="did not prove"):
        GmacMechanism(0, key, VolatileCounter()).check(claim, proof)


@pytest.mark.parametrize(("mode", "taken"), [("strict", False), ("warn", True), ("off", True)])
def test_gmac_counter_used_before(mode, taken):
    store, told = VolatileCounterStore(), []
    name = CounterName(b"key", CLIENT)
    store.accept(name, 41)

    def guard(title):
        assert title == CLIENT
        return ReplayGuard(store, name, ReplayMode(mode), lambda *facts: told.append(facts))

    key = AesGcmKey(EK, AK)
    server = GmacMechanism(0, key, VolatileCounter(), guard)
    server.prepare(CLIENT)
    claim = Claim(b"P6wRJ21F", b"K56iVagY", CLIENT, SERVER)
    proof = GmacMechanism(0, key, VolatileCounter(41)).prove(claim)
    if taken:
        server.check(claim, proof)
    else:
        with pytest.raises(ReplayError) as refused:
            server.check(claim, proof)
        assert (refused.value.received, refused.value.expected) == (41, 42)
    assert told == ([(41, 42)] if mode == "warn" else [])
    assert store.lowest_acceptable(name) == 42


def test_gmac_counter_moves_only_after_the_tag():
    store, name = VolatileCounterStore(), CounterName(b"key", CLIENT)
    server = GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(), lambda _: ReplayGuard(store, name))
    server.prepare(CLIENT)
    claim = Claim(b"P6wRJ21F", b"K56iVagY", CLIENT, SERVER)
    proof = bytearray(GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(7)).prove(claim))
    forged = proof[:1] + b"\xff\xff\xff\xf0" + proof[5:]
    with pytest.raises(AuthenticationError):
        server.check(claim, bytes(forged))
    assert store.lowest_acceptable(name) == 0
    server.check(claim, bytes(proof))
    assert store.lowest_acceptable(name) == 8


def test_gmac_proof_inside_a_ciphered_apdu_with_a_later_counter():
    store, name = VolatileCounterStore(), CounterName(b"key", CLIENT)
    server = GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(), lambda _: ReplayGuard(store, name))
    server.prepare(CLIENT)
    claim = Claim(b"P6wRJ21F", b"K56iVagY", CLIENT, SERVER)
    proof = GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(7)).prove(claim)
    store.accept(name, 8)  # the APDU around it was verified first
    server.check(claim, proof)
    assert store.lowest_acceptable(name) == 9


def test_manufacturer_function_in_both_roles():
    def function(claim: Claim) -> bytes:
        return hashlib.sha512(b"ours" + claim.challenge).digest()

    client = ClientHls(ManufacturerMechanism(function), secrets.token_bytes)
    server = ServerHls(ManufacturerMechanism(function), secrets.token_bytes)
    client.verify(server.reply(client.answer(server.begin(client.challenge(), None), None)))
    assert client.mechanism is server.mechanism is M.HLS
    server.begin(b"P6wRJ21F", None)
    with pytest.raises(AuthenticationError):
        server.reply(b"")


def test_manufacturer_function_with_its_own_check():
    mechanism = ManufacturerMechanism(lambda _: b"one of many", lambda _, proof: proof.endswith(b"many"))
    mechanism.check(Claim(b"P6wRJ21F", b"K56iVagY"), b"another of many")
    with pytest.raises(AuthenticationError):
        mechanism.check(Claim(b"P6wRJ21F", b"K56iVagY"), b"none")


def test_ecdsa_of_suite_2():
    keys = signing(b"\1" * 48, 48), signing(b"\2" * 48, 48)
    client = ClientHls(EcdsaMechanism(keys[0], keys[1].public_key), secrets.token_bytes, client_title=CLIENT)
    server = ServerHls(EcdsaMechanism(keys[1], keys[0].public_key), secrets.token_bytes, server_title=SERVER)
    proof = client.answer(server.begin(client.challenge(), CLIENT), SERVER)
    assert len(proof) == 96
    client.verify(server.reply(proof))


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(63) + b"\1", b"\1" + bytes(63)])
def test_ecdsa_numbers_out_of_range_are_no_signature(signature):
    mine = signing(b"\1" * 32)
    with pytest.raises(AuthenticationError, match="did not prove"):
        EcdsaMechanism(mine, mine.public_key).check(Claim(b"\1" * 32, b"\2" * 32, CLIENT, SERVER), signature)


@pytest.mark.parametrize("count", [0x01000005, 0x00FF0005, 0x7FFFFFFF])
def test_gmac_counter_of_a_proof_is_compared_with_all_its_octets(count):
    store, name = VolatileCounterStore(), CounterName(b"key", CLIENT)
    store.accept(name, count - 1)
    server = GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(), lambda _: ReplayGuard(store, name))
    server.prepare(CLIENT)
    claim = Claim(b"P6wRJ21F", b"K56iVagY", CLIENT, SERVER)
    server.check(claim, GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(count)).prove(claim))
    assert store.lowest_acceptable(name) == count + 1


def test_gmac_asks_for_the_counters_of_nobody_where_the_client_names_no_title():
    asked = []
    mechanism = GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter(), asked.append)
    server = ServerHls(mechanism, secrets.token_bytes, server_title=SERVER)
    server.begin(b"K56iVagY", None)
    assert asked == []
    with pytest.raises(AuthenticationError, match="titles"):
        server.reply(bytes(17))


def test_ecdsa_learns_the_key_from_a_certificate_that_is_trusted():
    mine, theirs = signing(b"\1" * 32), signing(b"\2" * 32)
    known = {b"genuine": theirs.public_key}
    mechanism = EcdsaMechanism(mine, public_key_of=known.get)
    claim = Claim(b"\1" * 32, b"\2" * 32, CLIENT, SERVER)
    proof = EcdsaMechanism(theirs, mine.public_key).prove(claim)
    assert not mechanism.takes_certificate(None)
    assert not mechanism.takes_certificate(b"forged")
    with pytest.raises(AuthenticationError, match="not known"):
        mechanism.check(claim, proof)
    assert mechanism.takes_certificate(b"genuine")
    mechanism.check(claim, proof)


def test_ecdsa_certificate_of_another_key_than_the_configured_one_is_refused():
    mine, theirs = signing(b"\1" * 32), signing(b"\2" * 32)
    mechanism = EcdsaMechanism(
        mine, theirs.public_key, {b"other": mine.public_key, b"same": theirs.public_key}.get
    )
    assert mechanism.takes_certificate(None)
    assert mechanism.takes_certificate(b"same")
    assert mechanism.takes_certificate(b"other") is False


def test_ecdsa_looks_at_no_certificate_where_nothing_can_check_one():
    mine, theirs = signing(b"\1" * 32), signing(b"\2" * 32)
    assert EcdsaMechanism(mine, theirs.public_key).takes_certificate(b"DER") is True


def test_ecdsa_without_any_public_key_is_refused_at_once():
    with pytest.raises(ConfigurationError):
        EcdsaMechanism(signing(b"\1" * 32))


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_passwords(expected, received):
    assert password_matches(expected, received) == (expected == received)
    assert not password_matches(None, received)
    if expected:
        assert password_matches(Secret(expected), received) == (expected == received)


def test_nothing_shows_the_secret():
    for each in (
        DigestMechanism(M.HLS_MD5, Secret(b"sesame")),
        ClientHls(DigestMechanism(M.HLS_MD5, Secret(b"sesame")), secrets.token_bytes),
    ):
        assert "sesame" not in repr(each)


@given(st.binary(max_size=200))
def test_the_server_survives_every_proof(proof):
    for name in HANDSHAKES:
        _, server = handshake(vector("security", name))
        with pytest.raises(SecurityError):
            server.reply(proof)


@pytest.mark.parametrize("certificate", [None, b"DER"])
def test_certificates_play_no_part_in_the_other_mechanisms(certificate):
    for mechanism in (
        DigestMechanism(M.HLS_SHA256, SECRET),
        ManufacturerMechanism(lambda claim: claim.challenge),
        GmacMechanism(0, AesGcmKey(EK, AK), VolatileCounter()),
    ):
        assert ServerHls(mechanism, secrets.token_bytes).accepts_certificate(certificate)


def test_challenges_are_octets_of_any_value_unless_asked_otherwise():
    drawn = b"".join(
        half.challenge()
        for half in [ClientHls(DigestMechanism(M.HLS_MD5, SECRET), secrets.token_bytes)]
        for _ in range(100)
    )
    assert len(set(drawn)) > 128
    assert len(set(new_challenge(secrets.token_bytes, 64) + new_challenge(secrets.token_bytes, 64))) > 64


def test_a_recorded_proof_has_an_old_counter_in_both_roles():
    """The challenge is the same here, as nobody would have it: the counter alone tells the proof is old."""
    store, key = VolatileCounterStore(), AesGcmKey(EK, AK)
    counters = {title: VolatileCounter() for title in (CLIENT, SERVER)}

    def guard(title):
        return ReplayGuard(store, CounterName(b"key", title))

    def halves():
        client = ClientHls(
            GmacMechanism(0, key, counters[CLIENT], guard),
            lambda _: b"K56iVagY",
            client_title=CLIENT,
            challenge_size=8,
        )
        server = ServerHls(
            GmacMechanism(0, key, counters[SERVER], guard),
            lambda _: b"P6wRJ21F",
            server_title=SERVER,
            challenge_size=8,
        )
        return client, server, server.begin(client.challenge(), CLIENT)

    client, server, challenge = halves()
    f_stoc = client.answer(challenge, SERVER)
    f_ctos = server.reply(f_stoc)
    client.verify(f_ctos)
    client, server, challenge = halves()
    with pytest.raises(ReplayError):
        server.reply(f_stoc)
    client.answer(challenge, SERVER)
    with pytest.raises(ReplayError):
        client.verify(f_ctos)
