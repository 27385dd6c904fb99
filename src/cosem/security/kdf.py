"""Keys from an agreed secret: the concatenation KDF of NIST SP 800-56A (later editions, 9.2.3.4.6)."""

from __future__ import annotations

from enum import Enum
from hashlib import sha256, sha384
from typing import Final

from cosem.errors import ConfigurationError
from cosem.security.suites import SecuritySuite

__all__ = ["AlgorithmIdentifiers", "KeyAlgorithm", "derive_key", "key_derivation_information"]

_ROUND: Final = bytes((0, 0, 0, 1))


class AlgorithmIdentifiers(Enum):
    """How the identifier of the algorithm is written in the information of the KDF; the value is its beginning.

    The first printing of Green Book 8 has 06 for 05 in its examples, and some firmware does as it says.
    """

    CORRECTED = bytes.fromhex("608574050803")
    FIRST_PRINTING = bytes.fromhex("608574060803")


class KeyAlgorithm(Enum):
    """What the agreed key is for."""

    AES_GCM = 0
    AES_WRAP = 2


def key_derivation_information(
    suite: SecuritySuite,
    party_u: bytes,
    party_v: bytes,
    *,
    nonce_u: bytes | None = None,
    algorithm: KeyAlgorithm = KeyAlgorithm.AES_GCM,
    identifiers: AlgorithmIdentifiers = AlgorithmIdentifiers.CORRECTED,
) -> bytes:
    """Return OtherInfo: which algorithm the key is for, and who agreed on it.

    Args:
        suite: 1 or 2.
        party_u: System title of party U: the client in C(2e,0s), the originator of the message otherwise.
        party_v: System title of party V.
        nonce_u: The transaction-id, in C(0e,2s) only; its length octet is put before it.
        algorithm: Whether the key encrypts messages or wraps keys.
        identifiers: See :class:`AlgorithmIdentifiers`.

    Raises:
        ConfigurationError: Suite 0, a system title that has not 8 octets, or a nonce beyond 255 octets.
    """
    if suite is SecuritySuite.AES_GCM_128:
        raise ConfigurationError("security suite 0 has no key agreement")
    if len(party_u) != 8 or len(party_v) != 8:
        raise ConfigurationError("a system title has 8 octets")
    if nonce_u is not None and len(nonce_u) > 0xFF:
        raise ConfigurationError("a transaction-id of more than 255 octets")
    longer = suite is SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384
    last = algorithm.value + (1 if longer else 0)
    nonce = b"" if nonce_u is None else bytes((len(nonce_u),)) + nonce_u
    return identifiers.value + bytes((last,)) + party_u + nonce + party_v


def derive_key(suite: SecuritySuite, shared_secret: bytes, information: bytes) -> bytes:
    """Return the key that both parties derive: 16 octets (suite 1) or 32 octets (suite 2).

    Args:
        suite: 1 or 2.
        shared_secret: Z, the x coordinate of the common point.
        information: :func:`key_derivation_information`.

    Raises:
        ConfigurationError: Suite 0, or Z of another length.
    """
    if len(shared_secret) != suite.coordinate_size:
        raise ConfigurationError(f"Z has {suite.coordinate_size} octets, not {len(shared_secret)}")
    digest = sha256 if suite is SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256 else sha384
    # One round gives 32 or 48 octets, which is always enough.
    return digest(_ROUND + shared_secret + information).digest()[: suite.key_size]
