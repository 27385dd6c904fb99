"""Key agreement: the three schemes of ECDH (later editions, 9.2.3.4.6; NIST SP 800-56A).

=============  ===========================  ==========================  ============================
scheme         party U                      party V                     carried by
=============  ===========================  ==========================  ============================
C(2e,0s)       client: ephemeral            server: ephemeral           Security setup, method 3
C(1e,1s)       originator: ephemeral        recipient: static           general-ciphering, 01
C(0e,2s)       originator: static, nonce    recipient: static           general-ciphering, 02
=============  ===========================  ==========================  ============================
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.curves import order_of, private_key, public_key, public_octets
from cosem.security.gcm import octets_of
from cosem.security.kdf import AlgorithmIdentifiers, KeyAlgorithm, derive_key, key_derivation_information
from cosem.security.key_material import Secret
from cosem.security.signing import SigningKey, verify_signature
from cosem.security.suites import SecuritySuite

__all__ = [
    "AgreementKey",
    "EcdhKey",
    "agreed_key",
    "ephemeral_key",
    "ephemeral_random_size",
    "open_key_data",
    "sign_key_data",
]


class AgreementKey(Protocol):
    """A private key that agrees, wherever it is."""

    @property
    def suite(self) -> SecuritySuite:
        """1 or 2."""
        ...

    @property
    def public_key(self) -> bytes:
        """The public key x ‖ y that belongs to it."""
        ...

    def agree(self, public: bytes) -> bytes:
        """Return Z, the x coordinate of the point in common with another public key x ‖ y.

        Raises:
            VerificationError: The other key is no point of the curve.
        """
        ...


class EcdhKey:
    """An :class:`AgreementKey` whose octets are held here.

    Args:
        suite: 1 or 2.
        octets: The private key, 32 or 48 octets.

    Raises:
        ConfigurationError: Suite 0, or no private key of its curve.
    """

    __slots__ = ("_key", "public_key", "suite")

    def __init__(self, suite: SecuritySuite, octets: bytes | Secret) -> None:
        self.suite = suite
        self._key: Any = private_key(suite, octets_of(octets))
        self.public_key = public_octets(self._key.public_key())

    def agree(self, public: bytes) -> bytes:
        """Return Z; see :meth:`AgreementKey.agree`.

        Raises:
            VerificationError: The other key is no point of the curve.
        """
        from cryptography.hazmat.primitives.asymmetric.ec import ECDH

        other = public_key(self.suite, public)
        try:
            shared: bytes = self._key.exchange(ECDH(), other)
        except ValueError:
            raise VerificationError("the two keys have no point in common") from None
        return shared

    def __repr__(self) -> str:
        return f"<EcdhKey P-{8 * self.suite.coordinate_size}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled: hand over the name of the key instead")


def ephemeral_random_size(suite: SecuritySuite) -> int:
    """Return how many random octets :func:`ephemeral_key` wants: 8 more than the private key has."""
    return suite.coordinate_size + 8


def ephemeral_key(suite: SecuritySuite, random_octets: bytes) -> EcdhKey:
    """Return a fresh key pair (FIPS 186-4, B.4.1: extra random bits, so that no number is likelier than another).

    Args:
        suite: 1 or 2.
        random_octets: :func:`ephemeral_random_size` octets that nobody can guess.

    Raises:
        ConfigurationError: Another number of octets.
    """
    if len(random_octets) != ephemeral_random_size(suite):
        raise ConfigurationError(f"{ephemeral_random_size(suite)} random octets are wanted")
    number = int.from_bytes(random_octets, "big") % (order_of(suite) - 1) + 1
    return EcdhKey(suite, number.to_bytes(suite.coordinate_size, "big"))


def agreed_key(
    own: AgreementKey,
    other: bytes,
    party_u: bytes,
    party_v: bytes,
    *,
    transaction_id: bytes | None = None,
    algorithm: KeyAlgorithm = KeyAlgorithm.AES_GCM,
    identifiers: AlgorithmIdentifiers = AlgorithmIdentifiers.CORRECTED,
) -> bytes:
    """Return the key that two parties agree on, whichever scheme.

    Args:
        own: Our private key: static or ephemeral, as the scheme says.
        other: The public key of the other party, x ‖ y.
        party_u: System title of the client in C(2e,0s), of the originator otherwise.
        party_v: System title of the server in C(2e,0s), of the recipient otherwise.
        transaction_id: The nonce of C(0e,2s); ``None`` in the other schemes.
        algorithm: Whether the key encrypts messages or wraps keys.
        identifiers: See :class:`~cosem.security.kdf.AlgorithmIdentifiers`.

    Raises:
        VerificationError: The other key is no point of the curve.
    """
    information = key_derivation_information(
        own.suite, party_u, party_v, nonce_u=transaction_id, algorithm=algorithm, identifiers=identifiers
    )
    return derive_key(own.suite, own.agree(other), information)


def sign_key_data(signer: SigningKey, public: bytes, key_id: int | None = None) -> bytes:
    """Return an ephemeral public key with its signature, as both carriers have it.

    Args:
        signer: The static key that vouches for it.
        public: The ephemeral public key, x ‖ y.
        key_id: Which key is agreed on, in C(2e,0s): it is signed before the public key. ``None`` in C(1e,1s).
    """
    return public + signer.sign(_signed(public, key_id))


def open_key_data(suite: SecuritySuite, key_data: bytes, signer: bytes, key_id: int | None = None) -> bytes:
    """Return the ephemeral public key in ``key_data``, after the check of its signature.

    Args:
        suite: 1 or 2.
        key_data: Public key ‖ signature.
        signer: The public signing key of the other party, x ‖ y.
        key_id: As in :func:`sign_key_data`.

    Raises:
        VerificationError: Another length, a wrong signature, or no point of the curve.
    """
    size = suite.signature_size
    if len(key_data) != 2 * size:
        raise VerificationError(f"key data of {len(key_data)} octets, {2 * size} are wanted")
    public = key_data[:size]
    verify_signature(suite, signer, key_data[size:], _signed(public, key_id))
    public_key(suite, public)
    return public


def _signed(public: bytes, key_id: int | None) -> bytes:
    return public if key_id is None else bytes((key_id,)) + public
