"""The security suites and the security control octet (IEC 62056-5-3, 5.3.7 and Tables 2 and 3; later editions)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Self

from cosem.errors import ConfigurationError

__all__ = ["TAG_SIZE", "SecurityControl", "SecuritySuite"]

TAG_SIZE: Final = 12
"""Octets of the authentication tag of every suite."""


class SecuritySuite(IntEnum):
    """Which algorithms protect, sign and agree.

    >>> SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384.key_size
    32
    """

    AES_GCM_128 = 0
    ECDH_ECDSA_AES_GCM_128_SHA_256 = 1
    ECDH_ECDSA_AES_GCM_256_SHA_384 = 2

    @property
    def key_size(self) -> int:
        """Octets of encryption, authentication and master key."""
        return 32 if self is SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384 else 16

    @property
    def coordinate_size(self) -> int:
        """Octets of a coordinate of the curve, of a private key, of r and of s.

        Raises:
            ConfigurationError: Suite 0 has no elliptic curve.
        """
        if self is SecuritySuite.AES_GCM_128:
            raise ConfigurationError("security suite 0 has neither signatures nor key agreement")
        return 32 if self is SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256 else 48

    @property
    def signature_size(self) -> int:
        """Octets of a signature r ‖ s, and of a public key x ‖ y.

        Raises:
            ConfigurationError: Suite 0 has no signatures.
        """
        return 2 * self.coordinate_size


_AUTHENTICATED, _ENCRYPTED, _BROADCAST, _COMPRESSED = 0x10, 0x20, 0x40, 0x80


class SecurityControl(int):
    """The octet before the invocation counter: suite, and what was done to the APDU (Table 3).

    >>> control = SecurityControl.build(0, authenticated=True, encrypted=True)
    >>> control, control.authenticated, control.broadcast
    (SecurityControl(0x30), True, False)
    """

    __slots__ = ()

    @classmethod
    def build(
        cls,
        suite: int,
        *,
        authenticated: bool = False,
        encrypted: bool = False,
        broadcast: bool = False,
        compressed: bool = False,
    ) -> Self:
        """Return the octet.

        Raises:
            ConfigurationError: The suite is outside 0..15.
        """
        if not 0 <= suite <= 15:
            raise ConfigurationError(f"security suite {suite} is outside 0..15")
        return cls(
            suite
            + (_AUTHENTICATED if authenticated else 0)
            + (_ENCRYPTED if encrypted else 0)
            + (_BROADCAST if broadcast else 0)
            + (_COMPRESSED if compressed else 0)
        )

    @property
    def suite(self) -> int:
        """Bits 3 to 0: number of the security suite; 3 to 15 are reserved."""
        return self & 0x0F

    @property
    def authenticated(self) -> bool:
        """Bit 4, A: whether there is an authentication tag."""
        return bool(self & _AUTHENTICATED)

    @property
    def encrypted(self) -> bool:
        """Bit 5, E."""
        return bool(self & _ENCRYPTED)

    @property
    def broadcast(self) -> bool:
        """Bit 6, Key_Set: whether the key is the global broadcast key; always 0 with other than global keys."""
        return bool(self & _BROADCAST)

    @property
    def compressed(self) -> bool:
        """Bit 7: whether the APDU was compressed before (V.44); always 0 in service-specific ciphering."""
        return bool(self & _COMPRESSED)

    @property
    def protected(self) -> bool:
        """Whether an invocation counter follows: it does unless there is neither authentication nor encryption."""
        return bool(self & (_AUTHENTICATED | _ENCRYPTED))

    def __repr__(self) -> str:
        return f"SecurityControl(0x{int(self):02X})"
