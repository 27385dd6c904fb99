"""AES-GCM with a tag of 12 octets, as keys that protect and open (IEC 62056-5-3, 5.3.7; NIST SP 800-38D).

A :class:`GcmKey` is an encryption key together with the authentication key of its
security context, since one is never used without the other. It may hold its keys
itself, or name keys in a hardware module.

How :class:`AesGcmKey` checks a tag of 12 octets with a library that checks tags of
16 only, and why that is right, is argued in ``docs/explanation/gcm.md``.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.key_material import Secret
from cosem.security.suites import TAG_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cosem.security.keys import KeyHolder

__all__ = ["AesGcmKey", "GcmKey", "HeldGcmKey", "octets_of"]

_FULL_TAG: Final = 16
_CUT: Final = _FULL_TAG - TAG_SIZE


class GcmKey(Protocol):
    """An encryption key with the authentication key that belongs to it, wherever they are.

    The additional authenticated data are always ``control ‖ authentication key ‖ further``;
    the key puts them together, so that no authentication key has to leave a hardware module.
    """

    @property
    def size(self) -> int:
        """Octets of the encryption key: 16 or 32."""
        ...

    def seal(self, control: int, nonce: bytes, plaintext: bytes, further: bytes = b"") -> bytes:
        """Return ciphertext and tag.

        Args:
            control: The security control octet.
            nonce: System title and invocation counter of the sender; never the same twice.
            plaintext: What is encrypted; nothing, where there is authentication only.
            further: What is authenticated and not encrypted.
        """
        ...

    def open(self, control: int, nonce: bytes, sealed: bytes, further: bytes = b"") -> bytes:
        """Return the plaintext of ciphertext and tag.

        Raises:
            VerificationError: The tag does not match, or is not there; nothing was released.
        """
        ...

    def stream(self, nonce: bytes, octets: bytes) -> bytes:
        """Return octets encrypted without authentication; its own inverse. Nobody can tell whether they are genuine."""
        ...

    def sibling(self, octets: bytes) -> GcmKey:
        """Return another encryption key, of these octets, with the same authentication key: dedicated, wrapped, agreed.

        Raises:
            ConfigurationError: It has another length.
        """
        ...


class AesGcmKey:
    """A :class:`GcmKey` whose octets are held here; it never shows, compares or pickles them.

    Args:
        encryption_key: 16 octets in suites 0 and 1, 32 octets in suite 2.
        authentication_key: As many octets; ``None`` for a system that uses none.

    Raises:
        ConfigurationError: A length that no suite has, or two lengths.

    >>> key = AesGcmKey(bytes(range(16)), bytes(range(0xD0, 0xE0)))
    >>> key
    <AesGcmKey AES-128 with authentication key>
    >>> key.seal(0x10, bytes.fromhex("4D4D4D000000000100000001"), b"", b"P6wRJ21F").hex()  # Table 7
    '1a52fe7dd3e72748973c1e28'
    """

    __slots__ = ("_authentication_key", "_cipher", "_encrypt", "size")

    def __init__(self, encryption_key: bytes | Secret, authentication_key: bytes | Secret | None) -> None:
        octets = octets_of(encryption_key)
        self._authentication_key = b"" if authentication_key is None else octets_of(authentication_key)
        self.size = len(octets)
        if self.size not in (16, 32):
            raise ConfigurationError(f"an encryption key has 16 or 32 octets, not {self.size}")
        if authentication_key is not None and len(self._authentication_key) != self.size:
            raise ConfigurationError(
                f"an encryption key of {self.size} octets with an authentication key of"
                f" {len(self._authentication_key)}: both must have the length of the security suite"
            )
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher: Any = AESGCM(octets)
        self._encrypt: Callable[[bytes, bytes, bytes | None], bytes] = self._cipher.encrypt

    def seal(self, control: int, nonce: bytes, plaintext: bytes, further: bytes = b"") -> bytes:
        """Return ciphertext and tag; see :meth:`GcmKey.seal`."""
        associated = bytes((control,)) + self._authentication_key + further
        return self._encrypt(nonce, plaintext, associated)[:-_CUT]

    def open(self, control: int, nonce: bytes, sealed: bytes, further: bytes = b"") -> bytes:
        """Return the plaintext; see :meth:`GcmKey.open`.

        Raises:
            VerificationError: The tag does not match, or is not there.
        """
        size = len(sealed) - TAG_SIZE
        if size < 0:
            raise VerificationError("no authentication tag")
        associated = bytes((control,)) + self._authentication_key + further
        # Counter mode is its own inverse; what it gives stays here until the tag is known to be right.
        candidate = self._encrypt(nonce, sealed[:size], None)[:size] if size else b""
        if not compare_digest(self._encrypt(nonce, candidate, associated)[size:-_CUT], sealed[size:]):
            raise VerificationError("the authentication tag does not match")
        return candidate

    def stream(self, nonce: bytes, octets: bytes) -> bytes:
        """Return octets encrypted without authentication; see :meth:`GcmKey.stream`."""
        return self._encrypt(nonce, octets, None)[:-_FULL_TAG]

    def sibling(self, octets: bytes) -> AesGcmKey:
        """Return a key of other octets with the same authentication key; see :meth:`GcmKey.sibling`.

        Raises:
            ConfigurationError: It has another length.
        """
        if len(octets) != self.size:
            raise ConfigurationError(f"a key of {len(octets)} octets where {self.size} are wanted")
        return AesGcmKey(octets, self._authentication_key or None)

    def __repr__(self) -> str:
        what = "with" if self._authentication_key else "without"
        return f"<AesGcmKey AES-{8 * self.size} {what} authentication key>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled: hand over the name of the key instead")


class HeldGcmKey:
    """A :class:`GcmKey` whose encryption key is elsewhere, behind a :class:`~cosem.security.keys.KeyHolder`.

    Args:
        holder: Encrypts and decrypts by AES-GCM with tags of 12 octets.
        authentication_key: 16 or 32 octets, for the suite of the key that is held.

    Raises:
        ConfigurationError: The authentication key has another length.
    """

    __slots__ = ("_authentication_key", "_holder", "size")

    def __init__(self, holder: KeyHolder, authentication_key: bytes | Secret) -> None:
        self._holder = holder
        self._authentication_key = octets_of(authentication_key)
        self.size = len(self._authentication_key)
        if self.size not in (16, 32):
            raise ConfigurationError(f"an authentication key has 16 or 32 octets, not {self.size}")

    def seal(self, control: int, nonce: bytes, plaintext: bytes, further: bytes = b"") -> bytes:
        """Return ciphertext and tag; see :meth:`GcmKey.seal`."""
        return self._holder.encrypt(nonce, plaintext, bytes((control,)) + self._authentication_key + further)

    def open(self, control: int, nonce: bytes, sealed: bytes, further: bytes = b"") -> bytes:
        """Return the plaintext; see :meth:`GcmKey.open`.

        Raises:
            VerificationError: The tag does not match, or is not there.
        """
        if len(sealed) < TAG_SIZE:
            raise VerificationError("no authentication tag")
        return self._holder.decrypt(nonce, sealed, bytes((control,)) + self._authentication_key + further)

    def stream(self, nonce: bytes, octets: bytes) -> bytes:
        """Return octets encrypted without authentication; see :meth:`GcmKey.stream`."""
        return self._holder.encrypt(nonce, octets, b"")[:-TAG_SIZE]

    def sibling(self, octets: bytes) -> AesGcmKey:
        """Return a key of other octets with the same authentication key; see :meth:`GcmKey.sibling`."""
        if len(octets) != self.size:
            raise ConfigurationError(f"a key of {len(octets)} octets where {self.size} are wanted")
        return AesGcmKey(octets, self._authentication_key)

    def __repr__(self) -> str:
        return f"<HeldGcmKey AES-{8 * self.size}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled: hand over the name of the key instead")


def octets_of(key: bytes | Secret) -> bytes:
    """Return the octets of a key that is given as octets or as key material."""
    return key.octets if isinstance(key, Secret) else bytes(key)
