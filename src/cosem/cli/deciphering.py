"""What ``cosem decode`` can say of a ciphered message with keys: verified, unverifiable, or failed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.security import Entry, add_key_file_options, entry_of
from cosem.errors import ConfigurationError, DecodeError

if TYPE_CHECKING:
    from cosem.security.inspection import Inspection, MaterialLookup
    from cosem.security.keys import Keys
    from cosem.security.material import SecurityMaterial
    from cosem.translate.explain import Explanation

__all__ = ["Deciphering", "Opened", "add_deciphering_options", "deciphering_of", "facts_of"]

_FROM_CLIENT: Final = frozenset({0x21, 0x25, 0x26, 0x36, 0x41, 0x45, 0x46, 0x56, 0x60, 0x62}) | {
    *range(0xC8, 0xCA),
    0xCB,
    *range(0xD0, 0xD2),
    0xD3,
}
"""Tags of what a client sends in a form that names no sender."""


def add_deciphering_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that open ciphered messages."""
    group = parser.add_argument_group("ciphered messages")
    add_key_file_options(group)
    group.add_argument(
        "--dedicated", metavar="KEY", help="dedicated key of the association, from its InitiateRequest"
    )
    group.add_argument(
        "--unverified",
        action="store_true",
        help="also decrypt what cannot be verified: nobody can tell who changed it",
    )


def deciphering_of(options: argparse.Namespace) -> Deciphering | None:
    """Return what opens ciphered messages; ``None`` without keys.

    Raises:
        ConfigurationError: The keys cannot be read.
    """
    entry = entry_of(options)
    if entry is None:
        if options.unverified or options.dedicated:
            raise ConfigurationError("--unverified and --dedicated say nothing without --keys")
        return None
    dedicated = None
    if options.dedicated is not None:
        from cosem.security.key_material import Key
        from cosem.store.files import read_secret_file

        dedicated = Key.parse(options.dedicated, read_secret_file).octets
    return Deciphering(entry, dedicated, unverified=options.unverified)


class Opened:
    """A ciphered message and what is in it.

    Attributes:
        inspection: What can be said of it.
        explanation: What is in it; ``None`` where nothing is given out.
    """

    __slots__ = ("explanation", "inspection")

    def __init__(self, inspection: Inspection, explanation: Explanation | None) -> None:
        self.inspection = inspection
        self.explanation = explanation

    @property
    def failed(self) -> bool:
        """Whether it is not what somebody with the keys sent."""
        return self.inspection.verdict.value == "failed"

    @property
    def words(self) -> str:
        """The verdict in one line."""
        found = self.inspection
        line = found.verdict.value
        if found.reason:
            line += f": {found.reason}"
        if self.explanation is not None and found.verdict.value != "verified":
            line = f"NOT VERIFIED, anybody may have changed it: {found.reason}"
        return line


class Deciphering:
    """Opens ciphered messages with the keys of an entry, and of the other entries of its file.

    Args:
        entry: The keys.
        dedicated: The dedicated key of an association.
        unverified: Whether to decrypt what cannot be verified.
    """

    def __init__(self, entry: Entry, dedicated: bytes | None, *, unverified: bool) -> None:
        self._entry = entry
        self._dedicated = dedicated
        self._unverified = unverified

    def open(self, octets: bytes, *, strict: bool) -> Opened | None:
        """Return what can be said of an APDU; ``None`` if nothing protects it."""
        keys = self._entry.keys
        sender = keys.client_title if octets[:1] and octets[0] in _FROM_CLIENT else keys.server_title
        return self._open(octets, self._material, None if sender is None else bytes(sender), strict=strict)

    def open_of(
        self,
        octets: bytes,
        sender: bytes | None,
        meter: bytes | None,
        *,
        sent: bool,
        dedicated: bytes | None,
    ) -> Opened | None:
        """Return what can be said of an APDU of an association; ``None`` if nothing protects it.

        Args:
            octets: The APDU.
            sender: System title of who sent it, if the association has told it.
            meter: That of the meter.
            sent: Whether the client sent it.
            dedicated: The dedicated key of the association, where it is not given.
        """
        keys = self._keys_of(meter)
        own = None if keys is None else keys.client_title if sent else keys.server_title
        title = sender if sender is not None or own is None else bytes(own)

        def material(named: bytes | None) -> SecurityMaterial | None:
            # What the association has told of titles says whose keys these are.
            if keys is not None and named == title:
                return self._bound(keys, server=sent, dedicated=self._dedicated or dedicated)
            return self._material(named)

        return self._open(octets, material, title, strict=False)

    def _open(
        self, octets: bytes, lookup: MaterialLookup, sender: bytes | None, *, strict: bool
    ) -> Opened | None:
        from cosem.security.inspection import Verdict, inspect
        from cosem.translate.explain import explain

        try:
            found = inspect(octets, lookup, system_title=sender, decrypt_unverified=self._unverified)
        except DecodeError:
            return None
        if found.plain is None:
            return Opened(found, None)
        try:
            return Opened(found, explain(found.plain, strict=strict))
        except DecodeError as error:
            if found.verdict is Verdict.VERIFIED:
                raise
            return Opened(replace(found, verdict=Verdict.FAILED, plain=None, reason=str(error)), None)

    def _material(self, title: bytes | None) -> SecurityMaterial | None:
        keys = self._keys_of(title)
        if keys is None:
            return None
        return self._bound(keys, server=title == keys.client_title, dedicated=self._dedicated)

    @staticmethod
    def _bound(keys: Keys, *, server: bool, dedicated: bytes | None) -> SecurityMaterial:
        from cosem.security.material import material_of

        material = material_of(keys, server=server, dedicated=dedicated)
        return replace(material, authentication_key_known=keys.authentication is not None)

    def _keys_of(self, title: bytes | None) -> Keys | None:
        keys = self._entry.keys
        if title is None or title in (keys.client_title, keys.server_title):
            return keys
        found = None if self._entry.store is None else self._entry.store.find(server_title=title)
        if found is not None and found.encryption is not None:
            return found
        # An entry without a title may be anybody's; the tag says whether it is.
        return keys if keys.server_title is None else None


def facts_of(opened: Opened) -> dict[str, Any]:
    """Return verification and content as JSON can hold them."""
    from cosem.translate.as_json import apdu_to_json

    explanation = opened.explanation
    return {
        "verification": opened.inspection.verdict.value,
        "reason": opened.inspection.reason or None,
        "plain": None if explanation is None else apdu_to_json(explanation.value),
    }
