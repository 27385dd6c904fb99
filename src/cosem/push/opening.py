"""Keys for what meters push: whatever the caller has, made ready for each sender and suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from cosem.errors import ConfigurationError, DecodeError, SecurityError
from cosem.security.envelope import Envelope, is_protected, open_content, read_envelope
from cosem.security.inspection import Inspection, Verdict, inspect
from cosem.security.keys import Keys, KeyStore
from cosem.security.status import KeyUsed

if TYPE_CHECKING:
    from cosem.security.material import SecurityMaterial

__all__ = ["KeySource", "Opener"]

KeySource: TypeAlias = Keys | KeyStore | Mapping[bytes, Keys] | bytes | str | None
"""The keys of one meter; a store of the keys of many; keys by system title; or an encryption key alone."""

_MOST_SENDERS = 4096
_SHORT = 0x80


class Opener:
    """Opens protected messages.

    Args:
        keys: What is known.
        decrypt_unverified: Whether to decrypt where the tag cannot be checked, or is not there.

    Raises:
        ConfigurationError: The text of a key cannot be read.
    """

    __slots__ = ("_decrypt_unverified", "_keys", "_materials", "_title")

    def __init__(self, keys: KeySource, *, decrypt_unverified: bool) -> None:
        if isinstance(keys, (bytes, bytearray, str)):
            keys = Keys.parse(encryption=keys, suite=_suite_of(keys))
        self._keys: Any = keys
        self._title = keys.server_title if isinstance(keys, Keys) else None
        self._decrypt_unverified = decrypt_unverified
        self._materials: dict[tuple[bytes | None, int], SecurityMaterial | None] = {}

    def open(self, apdu: bytes) -> Inspection:
        """Return what can be said of a protected APDU."""
        suite = _suite(apdu)

        def lookup(title: bytes | None) -> SecurityMaterial | None:
            return self._material(title, suite)

        try:
            return inspect(
                apdu, lookup, system_title=self._title, decrypt_unverified=self._decrypt_unverified
            )
        except (DecodeError, SecurityError) as error:
            return Inspection(Verdict.FAILED, reason=str(error))

    def verified(self, apdu: bytes) -> tuple[bytes, Envelope] | None:
        """Return what is under a verified layer of general-glo-ciphering, and the layer; ``None`` for all else.

        The short way for what comes every few seconds; :meth:`open` tells what is to be said of the rest.
        """
        try:
            envelope = read_envelope(apdu)
            title, control = envelope.title, envelope.control
            if not title or control is None or control & 0x30 != 0x30:
                return None
            material = self._material(title, control & 0x0F)
            if material is None or not material.authentication_key_known:
                return None
            key = material.broadcast if envelope.key is KeyUsed.GLOBAL_BROADCAST else material.unicast
            counter = envelope.invocation_counter
            if key is None or counter is None:
                return None
            clear = open_content(envelope, key, control, title, counter, b"")
        except (DecodeError, SecurityError):
            return None
        return (clear, envelope) if clear and not is_protected(clear[0]) else None

    def _material(self, title: bytes | None, suite: int) -> SecurityMaterial | None:
        known = (title, suite)
        try:
            return self._materials[known]
        except KeyError:
            if len(self._materials) >= _MOST_SENDERS:
                self._materials.clear()
            self._materials[known] = made = self._make(title, suite)
            return made

    def _make(self, title: bytes | None, suite: int) -> SecurityMaterial | None:
        from cosem.security.material import material_of

        keys = self._found(title)
        if keys is None:
            return None
        try:
            # One key is often all that is known: it is then the one of broadcasts too.
            keys = replace(keys, suite=suite, broadcast=keys.broadcast or keys.encryption)
            material = material_of(keys)
        except ConfigurationError:
            return None  # keys of another size are not the keys of this message
        return replace(material, authentication_key_known=keys.authentication is not None)

    def _found(self, title: bytes | None) -> Keys | None:
        keys = self._keys
        if keys is None:
            return None
        if isinstance(keys, Keys):
            of_another = title is not None and keys.server_title is not None and keys.server_title != title
            return None if of_another else keys
        if isinstance(keys, Mapping):
            return None if title is None else keys.get(title)
        found: Keys | None = keys.find(server_title=title)
        return found


def _suite(apdu: bytes) -> int:
    """Return the security suite that a protected APDU names; 0 where it names none."""
    if apdu[0] in (0xDB, 0xDC) and len(apdu) > 16 and apdu[1] == 8:
        size = apdu[10]
        return apdu[11 if size < _SHORT else 11 + (size & 3)] & 0x0F
    try:
        control = read_envelope(apdu).control if is_protected(apdu[0]) else None
    except (DecodeError, SecurityError):
        control = None
    return 0 if control is None else control & 0x0F


def _suite_of(key: bytes | bytearray | str) -> int:
    """Return the suite of a bare key: 2 has longer ones; 0 and 1 are told apart by each message."""
    from cosem.security.key_material import Key

    return 2 if len(Key.parse(bytes(key) if isinstance(key, bytearray) else key)) == 32 else 0
