"""Requests of an association that cannot be deciphered: counted, told, and after a while no longer answered.

Whoever can write to a connection can put octets there that nobody with a key has made. Each is answered by the
exception-response of the standard, so that a client with a wrong key learns what is wrong; but not for ever, or a
stranger could try and measure as long as it likes. A genuine request is served at any time and ends the silence:
nobody locks the client out. A forged RLRQ counts with the others, and is answered never: it releases nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from cosem.association.server.indications import DecipheringFailed, Indication
from cosem.association.server.refusals import NOT_DECIPHERED

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation

__all__ = ["not_genuine"]


def not_genuine(association: ServerAssociation, *, silent: bool) -> Generator[Indication, Any, bytes | None]:
    """Count a request that could not be deciphered.

    Args:
        association: That it came in.
        silent: Whether nothing is answered anyway.

    Returns:
        The answer; ``None`` for silence.
    """
    association.forgeries += 1
    ignored = association.forgeries > association.limits.forgeries
    yield DecipheringFailed(association.context.client_title, association.forgeries, ignored)
    if silent or ignored:
        association.ignored += 1
        return None
    return NOT_DECIPHERED
