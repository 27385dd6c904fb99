"""Fresh key pairs, and the requests by which an authority is asked to certify them (PKCS#10; later editions)."""

from __future__ import annotations

from typing import Any

from cosem.errors import ConfigurationError
from cosem.security.agreement import ephemeral_random_size
from cosem.security.curves import hash_of, order_of, private_key, public_octets
from cosem.security.gcm import octets_of
from cosem.security.key_material import PrivateKey
from cosem.security.suites import SecuritySuite

__all__ = ["certificate_request", "is_request", "new_private_key", "public_key_of"]


def new_private_key(suite: SecuritySuite, random_octets: bytes) -> PrivateKey:
    """Return a fresh private key (FIPS 186-4, B.4.1).

    Args:
        suite: 1 or 2.
        random_octets: 8 more than the key has, that nobody can guess.

    Raises:
        ConfigurationError: Another number of octets, or suite 0.
    """
    if len(random_octets) != ephemeral_random_size(suite):
        raise ConfigurationError(f"{ephemeral_random_size(suite)} random octets are wanted")
    number = int.from_bytes(random_octets, "big") % (order_of(suite) - 1) + 1
    return PrivateKey(number.to_bytes(suite.coordinate_size, "big"))


def public_key_of(suite: SecuritySuite, private: PrivateKey | bytes) -> bytes:
    """Return the public key x ‖ y that belongs to a private key.

    Raises:
        ConfigurationError: It is no private key of the suite's curve.
    """
    key: Any = private_key(suite, octets_of(private))
    return public_octets(key.public_key())


def certificate_request(suite: SecuritySuite, private: PrivateKey | bytes, system_title: bytes) -> bytes:
    """Return a certificate signing request, DER: the common name is the system title in hexadecimal digits.

    Args:
        suite: 1 or 2.
        private: The key to be certified; it signs the request.
        system_title: Whose key it is.

    Raises:
        ConfigurationError: It is no private key of the suite's curve.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, system_title.hex().upper())])
    key: Any = private_key(suite, octets_of(private))
    digest: Any = hash_of(suite)
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, digest)
    return request.public_bytes(Encoding.DER)


def is_request(octets: bytes) -> bool:
    """Return whether octets are a certificate signing request, DER."""
    from cryptography import x509

    try:
        x509.load_der_x509_csr(octets)
    except Exception:  # noqa: BLE001 -- the library raises a dozen of its own kinds
        return False
    return True
