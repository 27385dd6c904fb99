"""Published values and edge cases of the primitives, run through our own keys: NIST CAVP and Project Wycheproof.

Files and licences: ``tests/vectors/nist_*.json`` and ``tests/vectors/wycheproof_*.json``.
"""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.agreement import EcdhKey, agreed_key
from cosem.security.gcm import AesGcmKey
from cosem.security.kdf import derive_key
from cosem.security.key_wrap import KeyEncryptionKey
from cosem.security.signing import EcdsaKey, verify_signature
from cosem.security.suites import SecuritySuite
from tests.vectors import Vector, load, parameters

TAG = 12
KEY_SIZES = (16, 32)


def with_associated_data(name: str) -> list[Any]:
    """Return those that can be said with a security control octet: it is the first of the associated data."""
    return [each for each in parameters(name, with_octets=False) if each.values[0]["aad"]]


@pytest.mark.parametrize("vector", parameters("wycheproof_aes_gcm", with_octets=False, result="valid"))
def test_gcm_encrypts_as_published(vector: Vector) -> None:
    key, nonce = AesGcmKey(vector.hex("key"), None), vector.hex("iv")
    assert key.stream(nonce, vector.hex("plaintext")) == vector.hex("ciphertext")
    assert key.stream(nonce, vector.hex("ciphertext")) == vector.hex("plaintext")


@pytest.mark.parametrize("vector", with_associated_data("wycheproof_aes_gcm"))
def test_gcm_opens_what_is_genuine_in_the_octets_that_are_sent(vector: Vector) -> None:
    key, nonce, associated = AesGcmKey(vector.hex("key"), None), vector.hex("iv"), vector.hex("aad")
    sealed = vector.hex("ciphertext") + vector.hex("tag")[:TAG]
    full = AESGCM(vector.hex("key")).encrypt(nonce, vector.hex("plaintext"), associated)
    genuine = full[: len(sealed)] == sealed  # some differ only in the last four octets of the tag
    assert genuine or vector["result"] == "invalid"
    if genuine:
        assert key.seal(associated[0], nonce, vector.hex("plaintext"), associated[1:]) == sealed
        assert key.open(associated[0], nonce, sealed, associated[1:]) == vector.hex("plaintext")
    else:
        with pytest.raises(VerificationError):
            key.open(associated[0], nonce, sealed, associated[1:])


def test_most_of_the_wrong_tags_are_wrong_in_what_is_sent() -> None:
    wrong = [each for each in load("wycheproof_aes_gcm") if each["result"] == "invalid" and each["aad"]]
    assert len(wrong) > 100
    assert all("ModifiedTag" in each["flags"] for each in wrong)


@pytest.mark.parametrize("vector", parameters("nist_aes_gcm", with_octets=False))
def test_gcm_of_nist(vector: Vector) -> None:
    key, nonce, associated = AesGcmKey(vector.hex("key"), None), vector.hex("iv"), vector.hex("aad")
    sealed = vector.hex("ciphertext") + vector.hex("tag")[:TAG]
    if vector["plaintext"] is None:
        with pytest.raises(VerificationError):
            key.open(associated[0], nonce, sealed, associated[1:])
    else:
        plaintext = vector.hex("plaintext")
        assert key.seal(associated[0], nonce, plaintext, associated[1:]) == sealed
        assert key.open(associated[0], nonce, sealed, associated[1:]) == plaintext


def check_wrapping(vector: Vector, *, genuine: bool) -> None:
    """Check that a key is wrapped as published, and that what is wrong, or of a length that no key has, is refused."""
    master, wrapped = KeyEncryptionKey(vector.hex("key")), vector.hex("wrapped")
    if not genuine:
        with pytest.raises(VerificationError):
            master.unwrap(wrapped)
    elif len(unwrapped := vector.hex("unwrapped")) in KEY_SIZES:
        assert master.wrap(unwrapped) == wrapped
        assert master.unwrap(wrapped) == unwrapped
    else:
        with pytest.raises(ConfigurationError):
            master.wrap(unwrapped)
        with pytest.raises(VerificationError):
            master.unwrap(wrapped)


@pytest.mark.parametrize("vector", parameters("nist_key_wrap", with_octets=False))
def test_key_wrap_of_nist(vector: Vector) -> None:
    check_wrapping(vector, genuine=vector["unwrapped"] is not None)


@pytest.mark.parametrize("vector", parameters("wycheproof_aes_wrap", with_octets=False))
def test_key_wrap_in_edge_cases(vector: Vector) -> None:
    padded = vector.id.startswith("kwp")  # another initial value: no key of ours is wrapped like that
    check_wrapping(vector, genuine=vector["result"] == "valid" and not padded)


@pytest.mark.parametrize("vector", parameters("wycheproof_ecdsa", with_octets=False))
def test_signatures_in_edge_cases(vector: Vector) -> None:
    suite, public = SecuritySuite(vector["suite"]), vector.hex("public")
    if vector["result"] == "valid":
        verify_signature(suite, public, vector.hex("signature"), vector.hex("message"))
    else:
        with pytest.raises(VerificationError):
            verify_signature(suite, public, vector.hex("signature"), vector.hex("message"))


# RFC 6979, A.2.5 and A.2.6: the messages "sample" and "test".
DETERMINISTIC = {
    SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256: (
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        {
            b"sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
            b"test": "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
        },
    ),
    SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384: (
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        {
            b"sample": "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
            "81A648152E44ACF96E36DD1E80FABE4699EF4AEB15F178CEA1FE40DB2603138F"
            "130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
            b"test": "8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36AB775D509D7A5FEB"
            "0542A7F0812998DA8F1DD3CA3CF023DBDDD0760448D42D8A43AF45AF836FCE4D"
            "E8BE06B485E9B61B827C2F13173923E06A739F040649A667BF3B828246BAA5A5",
        },
    ),
}


@pytest.mark.parametrize("suite", DETERMINISTIC)
def test_signatures_are_the_deterministic_ones(suite: SecuritySuite) -> None:
    private, signatures = DETERMINISTIC[suite]
    key = EcdsaKey(suite, bytes.fromhex(private))
    for message, signature in signatures.items():
        assert key.sign(message) == bytes.fromhex(signature)
        verify_signature(suite, key.public_key, bytes.fromhex(signature), message)


@pytest.mark.parametrize("vector", parameters("wycheproof_ecdh", with_octets=False))
def test_agreement_in_edge_cases(vector: Vector) -> None:
    suite = SecuritySuite(vector["suite"])
    own = EcdhKey(suite, int(vector["private"], 16).to_bytes(suite.coordinate_size, "big"))
    public = vector.hex("public").removeprefix(b"\x04")  # x ‖ y; a compressed point has no such form
    if vector["result"] == "valid":
        assert own.agree(public) == vector.hex("shared")
    else:
        with pytest.raises(VerificationError):
            own.agree(public)
        with pytest.raises(VerificationError):
            agreed_key(own, public, bytes(8), bytes(8))


@pytest.mark.parametrize("vector", parameters("nist_key_agreement", with_octets=False))
def test_agreement_and_derivation_of_nist(vector: Vector) -> None:
    suite = SecuritySuite(vector["suite"])
    own, public = EcdhKey(suite, vector.hex("private")), vector.hex("public")
    if vector["result"] == "no point":
        with pytest.raises(VerificationError):
            own.agree(public)
        return
    shared, key = vector.hex("shared"), vector.hex("key")
    assert (own.agree(public) == shared) is (vector["result"] != "other shared")
    # Suite 2 takes 32 octets of the digest, these vectors 24.
    derived = derive_key(suite, shared, vector.hex("information"))[: len(key)]
    assert (derived == key) is (vector["result"] != "other key")
