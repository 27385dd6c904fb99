"""Keys wrapped by a master key (IEC 62056-5-3, 5.3.7.5; RFC 3394)."""

from __future__ import annotations

from typing import NoReturn, Protocol

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.gcm import octets_of
from cosem.security.key_material import Secret

__all__ = ["KeyEncryptionKey", "KeyWrap"]

_OVERHEAD = 8


class KeyWrap(Protocol):
    """A master key, wherever it is."""

    def wrap(self, key: bytes) -> bytes:
        """Return a key in wrapped form: 8 octets more."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key of its wrapped form.

        Raises:
            VerificationError: It was not wrapped by this master key.
        """
        ...


class KeyEncryptionKey:
    """A :class:`KeyWrap` whose octets are held here: AES key wrap with the initial value of RFC 3394.

    Args:
        octets: 16 octets in suites 0 and 1, 32 octets in suite 2.

    Raises:
        ConfigurationError: Another length.

    >>> master = KeyEncryptionKey(bytes(range(16)))
    >>> master, master.unwrap(master.wrap(bytes(16))) == bytes(16)
    (<KeyEncryptionKey AES-128>, True)
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes | Secret) -> None:
        self._octets = octets_of(octets)
        if len(self._octets) not in (16, 32):
            raise ConfigurationError(f"a master key has 16 or 32 octets, not {len(self._octets)}")

    def wrap(self, key: bytes) -> bytes:
        """Return a key in wrapped form.

        Raises:
            ConfigurationError: The key has not 16 or 32 octets.
        """
        if len(key) not in (16, 32):
            raise ConfigurationError(f"a key of {len(key)} octets, 16 or 32 are wanted")
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap

        return aes_key_wrap(self._octets, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key of its wrapped form.

        Raises:
            VerificationError: It was not wrapped by this master key, or has the length of no key.
        """
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

        if len(wrapped) - _OVERHEAD not in (16, 32):
            raise VerificationError(f"{len(wrapped)} octets are no wrapped key")
        try:
            return aes_key_unwrap(self._octets, wrapped)
        except InvalidUnwrap:
            raise VerificationError("the key was not wrapped by this master key") from None

    def __repr__(self) -> str:
        return f"<KeyEncryptionKey AES-{8 * len(self._octets)}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled: hand over the name of the key instead")
