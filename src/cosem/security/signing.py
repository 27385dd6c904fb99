"""Digital signatures: ECDSA as r ‖ s (later editions, 9.2.3.4.4; FIPS 186-4)."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from cosem.errors import VerificationError
from cosem.security.curves import hash_of, order_of, private_key, public_key, public_octets
from cosem.security.gcm import octets_of
from cosem.security.key_material import Secret
from cosem.security.suites import SecuritySuite

__all__ = ["EcdsaKey", "SigningKey", "verify_signature"]


class SigningKey(Protocol):
    """A private key that signs, wherever it is."""

    @property
    def suite(self) -> SecuritySuite:
        """1 or 2."""
        ...

    @property
    def public_key(self) -> bytes:
        """The public key x ‖ y that belongs to it."""
        ...

    def sign(self, octets: bytes) -> bytes:
        """Return the signature r ‖ s of octets: 64 (suite 1) or 96 octets (suite 2)."""
        ...


class EcdsaKey:
    """A :class:`SigningKey` whose octets are held here.

    The signature is deterministic (RFC 6979): no random number can be used twice.

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

    def sign(self, octets: bytes) -> bytes:
        """Return the signature r ‖ s of octets."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        der = self._key.sign(octets, ECDSA(hash_of(self.suite), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        size = self.suite.coordinate_size
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def __repr__(self) -> str:
        return f"<EcdsaKey P-{8 * self.suite.coordinate_size}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled: hand over the name of the key instead")


def verify_signature(suite: SecuritySuite, public: bytes, signature: bytes, octets: bytes) -> None:
    """Check that ``signature`` was made over ``octets`` with the private key of ``public``.

    Args:
        suite: 1 or 2.
        public: x ‖ y.
        signature: r ‖ s.
        octets: What was signed.

    Raises:
        VerificationError: It was not, or the public key is none.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    size = suite.coordinate_size
    key = public_key(suite, public)
    if len(signature) != 2 * size:
        raise VerificationError(f"a signature of {len(signature)} octets, {2 * size} are wanted")
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    order = order_of(suite)
    if not (1 <= r < order and 1 <= s < order):
        raise VerificationError("the signature does not match")
    try:
        key.verify(encode_dss_signature(r, s), octets, ECDSA(hash_of(suite)))
    except InvalidSignature:
        raise VerificationError("the signature does not match") from None
