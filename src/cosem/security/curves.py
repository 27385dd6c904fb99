"""Points and numbers of the curves P-256 and P-384, as octets and as keys of the cipher library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.suites import SecuritySuite

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = ["ORDERS", "hash_of", "order_of", "private_key", "public_key", "public_octets", "suite_of_curve"]

_P256: Final = SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256
ORDERS: Final = {
    32: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    48: int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
}


def order_of(suite: SecuritySuite) -> int:
    """Return the order n of the base point of the suite's curve."""
    return ORDERS[suite.coordinate_size]


def hash_of(suite: SecuritySuite) -> HashAlgorithm:
    """Return SHA-256 of suite 1, SHA-384 of suite 2."""
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256() if suite.coordinate_size == 32 else hashes.SHA384()


def suite_of_curve(name: str) -> SecuritySuite | None:
    """Return the suite whose curve has this name in the cipher library; ``None`` for another curve."""
    return {"secp256r1": _P256, "secp384r1": SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384}.get(name)


def public_key(suite: SecuritySuite, octets: bytes) -> EllipticCurvePublicKey:
    """Return the public key x ‖ y, after the check that it is a point of the curve.

    Raises:
        VerificationError: It is no point of the curve, or the point at infinity.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(octets) != suite.signature_size:
        raise VerificationError(f"a public key of {len(octets)} octets, {suite.signature_size} are wanted")
    curve = ec.SECP256R1() if suite.coordinate_size == 32 else ec.SECP384R1()
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + octets)
    except ValueError:
        raise VerificationError("the public key is no point of the curve") from None


def private_key(suite: SecuritySuite, octets: bytes) -> EllipticCurvePrivateKey:
    """Return the private key with this number.

    Raises:
        ConfigurationError: The number has another length, or is not between 1 and n - 1.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(octets) != suite.coordinate_size:
        raise ConfigurationError(f"a private key of {len(octets)} octets, {suite.coordinate_size} are wanted")
    number = int.from_bytes(octets, "big")
    if not 1 <= number < order_of(suite):
        raise ConfigurationError("the private key is not between 1 and n - 1")
    return ec.derive_private_key(number, ec.SECP256R1() if suite.coordinate_size == 32 else ec.SECP384R1())


def public_octets(key: EllipticCurvePublicKey) -> bytes:
    """Return x ‖ y of a public key, each with the full length of a coordinate."""
    numbers = key.public_numbers()
    size = (key.curve.key_size + 7) // 8
    return numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
