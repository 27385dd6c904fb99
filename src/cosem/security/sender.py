"""Who applied a layer of protection, for whom it is, and what may stand behind it.

A layer names its sender, or leaves that to what the association knows. The name is taken only where the key proves
it: a key that both sides of the association have proves nobody else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cosem.apdu import decode
from cosem.errors import DecodeError, KeyMissingError, SecurityError, VerificationError
from cosem.security.envelope import read_envelope
from cosem.security.status import KeyUsed

if TYPE_CHECKING:
    from cosem.security.context import SecuritySession
    from cosem.security.envelope import Envelope

__all__ = ["is_for_another", "refuse_octets_behind", "sender_of"]

_KEYS_OF_THIRD_PARTIES: Final = frozenset({KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED, KeyUsed.SIGNING})


def sender_of(envelope: Envelope, session: SecuritySession, *, outermost: bool, findings: list[str]) -> bytes:
    """Return the title of who applied a layer, after the check that it may be who it says.

    Args:
        envelope: The layer; nothing of it is verified yet.
        session: Titles and keys of the association.
        outermost: Whether no other layer is around it: then it is from the other side of the association.
        findings: Where it is noted that a title is there and empty.

    Raises:
        KeyMissingError: The layer names nobody, and the association knows nobody.
        VerificationError: It is for another recipient, says that it is ours, or names somebody whom its key does not
            prove.
    """
    own, peer, title = session.context.system_title, session.peer_title, envelope.title
    if envelope.header is not None and envelope.header.recipient not in (b"", own):
        raise VerificationError("the message is for another recipient")
    if not title:
        if peer is None:
            raise KeyMissingError("the system title of the sender is not known")
        if title is not None:
            findings.append("system-title-empty")
        return peer
    if title == own:
        raise VerificationError("the message says that we sent it")
    if (
        peer is not None
        and title != peer
        and (outermost or not _third_party_may_use(envelope, session, title))
    ):
        raise VerificationError("the system title is not that of the other side of the association")
    return title


def _third_party_may_use(envelope: Envelope, session: SecuritySession, title: bytes) -> bool:
    """Return whether a layer of a third party proves that it was the third party.

    Keys that the peer has too prove nothing of the kind. A layer without protection proves nothing
    either, and claims nothing.
    """
    control = envelope.control
    if envelope.key in _KEYS_OF_THIRD_PARTIES or (control is not None and not control.protected):
        return True
    return envelope.key is KeyUsed.ESTABLISHED and session.established_for_receiving(title) is not None


def is_for_another(apdu: bytes, own_title: bytes) -> bool:
    """Return whether an inner layer is for another party, and is therefore handed up as it is."""
    try:
        header = read_envelope(apdu).header
    except SecurityError:
        return False
    return header is not None and header.recipient not in (b"", own_title)


def refuse_octets_behind(apdu: bytes) -> None:
    """Refuse an APDU that is authenticated and not encrypted, and has octets behind it.

    A proof of HLS 5 has the form of its tag. Such a proof is made for no challenge that is an APDU; with anything
    behind an APDU it would pass for none, and be one here.

    Raises:
        VerificationError: It has some.
    """
    further: list[str] = []
    with suppress(DecodeError):  # which its receiver will find, too
        decode(apdu, findings=further)
    if "trailing-octets" in further:
        raise VerificationError("octets behind an APDU that is authenticated and not encrypted")
