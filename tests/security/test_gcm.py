"""AES-GCM with 12 octets of tag: equal to the streaming cipher of the library, and to published values."""

from __future__ import annotations

import pickle

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, GCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.gcm import AesGcmKey, HeldGcmKey
from cosem.security.key_material import Key
from cosem.security.key_wrap import KeyEncryptionKey
from tests.vectors import Vector, parameters, vector

keys = st.sampled_from([16, 32]).flatmap(
    lambda size: st.tuples(st.binary(min_size=size, max_size=size), st.binary(min_size=size, max_size=size))
)
nonces = st.binary(min_size=12, max_size=12)
texts = st.binary(max_size=200)
controls = st.integers(0, 255)


def reference_seal(ek: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    encryptor = Cipher(AES(ek), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag[:12]


def reference_open(ek: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    decryptor = Cipher(AES(ek), GCM(nonce, sealed[-12:], min_tag_length=12)).decryptor()
    decryptor.authenticate_additional_data(associated)
    try:
        return decryptor.update(sealed[:-12]) + decryptor.finalize()
    except InvalidTag:
        return None


@given(keys, nonces, texts, texts, controls)
def test_it_seals_and_opens_as_the_reference(pair, nonce, plaintext, further, control):
    ek, ak = pair
    key = AesGcmKey(ek, ak)
    sealed = key.seal(control, nonce, plaintext, further)
    assert sealed == reference_seal(ek, nonce, plaintext, bytes((control,)) + ak + further)
    assert len(sealed) == len(plaintext) + 12
    assert key.open(control, nonce, sealed, further) == plaintext


@given(keys, nonces, st.binary(min_size=12, max_size=80), texts, controls, st.data())
def test_it_refuses_exactly_what_the_reference_refuses(pair, nonce, noise, further, control, data):
    ek, ak = pair
    key, associated = AesGcmKey(ek, ak), bytes((control,)) + ak + further
    sealed = bytearray(key.seal(control, nonce, noise, further))
    for _ in range(data.draw(st.integers(0, 2))):
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(0, 255))
    expected = reference_open(ek, nonce, bytes(sealed), associated)
    if expected is None:
        with pytest.raises(VerificationError):
            key.open(control, nonce, bytes(sealed), further)
    else:
        assert key.open(control, nonce, bytes(sealed), further) == expected
    assert reference_open(ek, nonce, noise, associated) is None
    with pytest.raises(VerificationError):
        key.open(control, nonce, noise, further)


@given(keys, nonces, texts)
def test_the_stream_is_counter_mode_from_the_second_block_on_and_its_own_inverse(pair, nonce, octets):
    key = AesGcmKey(pair[0], pair[1])
    encryptor = Cipher(AES(pair[0]), CTR(nonce + b"\x00\x00\x00\x02")).encryptor()
    assert key.stream(nonce, octets) == encryptor.update(octets) + encryptor.finalize()
    assert key.stream(nonce, key.stream(nonce, octets)) == octets


@given(nonces, texts, texts)
def test_a_system_without_authentication_key_leaves_it_out(nonce, plaintext, further):
    ek = bytes(range(16))
    sealed = AesGcmKey(ek, None).seal(0x30, nonce, plaintext, further)
    assert sealed == reference_seal(ek, nonce, plaintext, b"\x30" + further)


# McGrew and Viega, The Galois/Counter Mode of Operation, test cases 1, 2, 4 (AES-128) and 13, 14, 16 (AES-256);
# also in the example values of NIST SP 800-38D. The tag is theirs, 16 octets, of which 12 are sent.
PUBLISHED = {
    "1": ("00" * 16, "00" * 12, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
    "2": (
        "00" * 16,
        "00" * 12,
        "00" * 16,
        "",
        "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf",
    ),
    "4": (
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
    "13": ("00" * 32, "00" * 12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    "14": (
        "00" * 32,
        "00" * 12,
        "00" * 16,
        "",
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ),
    "16": (
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_published_values(case):
    ek, nonce, plaintext, associated, ciphertext, tag = map(bytes.fromhex, PUBLISHED[case])
    key = AesGcmKey(ek, None)
    assert key.stream(nonce, plaintext) == ciphertext
    assert reference_seal(ek, nonce, plaintext, associated) == ciphertext + tag[:12]
    # Ours always puts the security control octet first, so that the rest of the associated data is "further".
    if associated:
        sealed = key.seal(associated[0], nonce, plaintext, associated[1:])
        assert sealed == ciphertext + tag[:12]
        assert key.open(associated[0], nonce, sealed, associated[1:]) == plaintext


# NIST CAVP, gcmDecrypt128.rsp and gcmDecrypt256.rsp: nonces of 96 and tags of 96 bits; None where the tag is wrong.
CAVP = [
    (
        "1ec88e9faf1c031e05b49d7b8962d4dd",
        "3095ed05ab2dcbcdfa4166ab",
        "42316a676b8bcb5829215ea3cc",
        "c0e3a79ee04121025ce3f90351306b6d",
        "fa127c77e471c5372343669feb",
        "51b205c94a870325c30a0429",
    ),
    (
        "d36cd8e8dd709b68433b4cef15efa4b8",
        "dc859fa01cf3992fd5e74ba3",
        "",
        "5983b73431118f294a4de08a4fbfbcc3",
        "",
        "109412f2cd3dee2e75d9d90d",
    ),
    (
        "5de854554a9dd09594b9607d1a2765cf",
        "e04d5e5bc1e4929b6763c657",
        None,
        "76cc5d9d940611aa0d6597fde8bbb05b",
        "727c5c319d13fd5a99515ccfe6",
        "530a8e2e6654e9da3e1448f9",
    ),
    (
        "aa2717236879b0bfc29661187c0d2420",
        "1264dcda92ded29c03d846be",
        None,
        "6b12dfb961f2e4d0ca2cea60666003af",
        "",
        "d69227a40670b13097d6f583",
    ),
    (
        "016c714d6bb5b29ebfcc01cbd43c800f09cc3a0bf8460f86644108b3a89a8c6c",
        "0afec536cebb30825f27d16d",
        "b4ab03245cc67fd84ab1db8510",
        "de89ea113ceea71243fe8305f7f787bd",
        "8303f8554f316766f932b89066",
        "23e0dcf66d41181acdca6e94",
    ),
    (
        "06606d9143aef750f057c890fa6fb206208f57a200123a29ff5401e837fbbd03",
        "8d7d69c3b9cb8fbfcc0bcc31",
        "",
        "4624593aedaf56c25f9570f663d06e1a",
        "",
        "13fcbabecffb91d549236642",
    ),
    (
        "56ca5870768d6c345a60b63edad812a8f8e0a6bf956ee771ae9abfd8ce1c7f0c",
        "43c4566b9a44fa1c415f49cd",
        None,
        "feccbc42c6b51f3b7ed04fda95bb72ff",
        "de1b1f451715eaa2ff4d8c63f9",
        "97c92a189c9ebc00c8456805",
    ),
    (
        "3411f341a22e887943f520e94055c876639e17f2467f5f578db1ccb7187372e5",
        "e0a30c53de17f31989459ff0",
        None,
        "47c00ad4ff457a05a0d0510f027540c7",
        "",
        "fbec44dc6763e417f1d8c7ed",
    ),
]


@pytest.mark.parametrize("case", CAVP)
def test_the_validation_values_of_nist_with_a_tag_of_96_bits(case):
    ek, nonce, plaintext, associated, ciphertext, tag = (
        None if part is None else bytes.fromhex(part) for part in case
    )
    key = AesGcmKey(ek, None)
    if plaintext is None:
        with pytest.raises(VerificationError):
            key.open(associated[0], nonce, ciphertext + tag, associated[1:])
    else:
        assert key.open(associated[0], nonce, ciphertext + tag, associated[1:]) == plaintext
        assert key.seal(associated[0], nonce, plaintext, associated[1:]) == ciphertext + tag


@pytest.mark.parametrize("size", range(12))
def test_a_tag_that_is_too_short_is_none(size):
    key = AesGcmKey(bytes(16), bytes(16))
    sealed = key.seal(0x10, bytes(12), b"")
    for each in (key, HeldGcmKey(Module(bytes(range(16))), bytes(16))):
        with pytest.raises(VerificationError, match="no authentication tag"):
            each.open(0x10, bytes(12), sealed[:size])


@pytest.mark.parametrize("sizes", [(15, 16), (16, 15), (16, 32), (32, 16), (24, 24), (0, 0), (17, None)])
def test_lengths_that_no_suite_has_are_refused(sizes):
    ek, ak = (None if size is None else bytes(size) for size in sizes)
    with pytest.raises(ConfigurationError):
        AesGcmKey(ek, ak)


def test_a_key_shows_compares_and_pickles_nothing():
    key = AesGcmKey(bytes(range(16)), bytes(range(16, 32)))
    shown = repr(key) + str(key) + format(key)
    assert "AES-128" in shown
    assert "0001" not in shown
    assert "\\x" not in shown
    assert key != AesGcmKey(bytes(range(16)), bytes(range(16, 32)))
    for secret in (key, KeyEncryptionKey(bytes(16)), HeldGcmKey(object(), bytes(16))):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_a_sibling_has_the_same_authentication_key():
    key, other = AesGcmKey(bytes(16), bytes(range(16))), bytes(range(1, 17))
    nonce = bytes(12)
    assert key.sibling(other).seal(0x30, nonce, b"x") == AesGcmKey(other, bytes(range(16))).seal(
        0x30, nonce, b"x"
    )
    assert AesGcmKey(bytes(16), None).sibling(other).seal(0x30, nonce, b"x") == AesGcmKey(other, None).seal(
        0x30, nonce, b"x"
    )
    for size in (15, 32):
        with pytest.raises(ConfigurationError):
            key.sibling(bytes(size))
        with pytest.raises(ConfigurationError):
            AesGcmKey(bytes(16), None).sibling(bytes(size))
        with pytest.raises(ConfigurationError):
            HeldGcmKey(object(), bytes(16)).sibling(bytes(size))


class Module:
    """A hardware module, as far as a key holder is concerned."""

    def __init__(self, key: bytes) -> None:
        self._key = AesGcmKey(key, None)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        return reference_seal(bytes(range(16)), nonce, plaintext, associated_data)

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        found = reference_open(bytes(range(16)), nonce, ciphertext, associated_data)
        if found is None:
            raise VerificationError("wrong")
        return found

    def fingerprint(self, salt: bytes = b"") -> bytes:
        return bytes(16)


@given(nonces, texts, texts, controls)
def test_a_key_that_is_held_elsewhere_does_the_same(nonce, plaintext, further, control):
    ek, ak = bytes(range(16)), bytes(range(16, 32))
    here, there = AesGcmKey(ek, ak), HeldGcmKey(Module(ek), Key(ak))
    sealed = here.seal(control, nonce, plaintext, further)
    assert there.seal(control, nonce, plaintext, further) == sealed
    assert there.open(control, nonce, sealed, further) == plaintext
    assert there.stream(nonce, plaintext) == here.stream(nonce, plaintext)
    assert there.sibling(ak).seal(control, nonce, plaintext) == here.sibling(ak).seal(
        control, nonce, plaintext
    )
    for wrong in (sealed[:11], sealed[:-1] + bytes((sealed[-1] ^ 1,))):
        with pytest.raises(VerificationError):
            there.open(control, nonce, wrong, further)


def test_nothing_further_is_authenticated_unless_it_is_given():
    ek, ak, nonce = bytes(range(16)), bytes(range(16, 32)), bytes(12)
    for key in (AesGcmKey(ek, ak), HeldGcmKey(Module(ek), ak)):
        sealed = reference_seal(ek, nonce, b"text", b"\x30" + ak)
        assert key.seal(0x30, nonce, b"text") == sealed
        assert key.open(0x30, nonce, sealed) == b"text"


def test_a_held_key_needs_an_authentication_key_of_a_suite():
    with pytest.raises(ConfigurationError):
        HeldGcmKey(Module(bytes(16)), bytes(15))
    assert HeldGcmKey(Module(bytes(16)), bytes(32)).size == 32
    assert repr(HeldGcmKey(Module(bytes(16)), bytes(16))) == "<HeldGcmKey AES-128>"


WRAPS = ["kw-128", "kw-256-128", "kw-256-256"]


@pytest.mark.parametrize("name", WRAPS)
def test_keys_are_wrapped_as_published(name):
    each = vector("security", name)
    master = KeyEncryptionKey(each.hex("kek"))
    assert master.wrap(each.hex("key")) == each.hex("wrapped")
    assert master.unwrap(each.hex("wrapped")) == each.hex("key")
    for index in range(len(each.hex("wrapped"))):
        wrapped = bytearray(each.hex("wrapped"))
        wrapped[index] ^= 1
        with pytest.raises(VerificationError):
            master.unwrap(bytes(wrapped))
    for size in range(len(each.hex("wrapped"))):
        with pytest.raises(VerificationError):
            master.unwrap(each.hex("wrapped")[:size])


def test_a_master_key_of_192_bits_belongs_to_no_suite():
    with pytest.raises(ConfigurationError):
        KeyEncryptionKey(vector("security", "kw-192-128").hex("kek"))


def test_a_wrapped_key_of_192_bits_is_the_key_of_no_suite():
    with pytest.raises(VerificationError):
        KeyEncryptionKey(bytes(16)).unwrap(aes_key_wrap(bytes(16), bytes(24)))


@pytest.mark.parametrize("size", [0, 8, 15, 17, 24, 40])
def test_what_is_no_key_is_not_wrapped(size):
    with pytest.raises(ConfigurationError):
        KeyEncryptionKey(bytes(16)).wrap(bytes(size))


@pytest.mark.parametrize("each", parameters("security", with_octets=True, id="key-transfer"))
def test_the_keys_of_the_key_transfer_example(each: Vector):
    master = KeyEncryptionKey(Key(each.hex("master_key")))
    octets = each.octets
    for name in ("guek", "gak"):
        wrapped = master.wrap(each.hex(name))
        assert wrapped in octets
        assert master.unwrap(wrapped) == each.hex(name)
