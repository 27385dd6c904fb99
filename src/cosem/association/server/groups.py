"""Requests to a group: what names the broadcast key is for many meters, and none of them answers."""

from __future__ import annotations

from typing import Final

from cosem.association.server.request_tags import CIPHERED_REQUESTS
from cosem.errors import DecodeError, SecurityError

__all__ = ["is_for_group"]

_DEEPEST: Final = 8
_GENERAL_SIGNING: Final = 0xDF


def is_for_group(octets: bytes) -> bool:
    """Return whether a request says that it is under the broadcast key, genuine or not.

    Only what can be read without a key tells: the outermost layer, and the ones within signatures.

    Args:
        octets: The request as it came.
    """
    from cosem.security.envelope import read_envelope
    from cosem.security.status import KeyUsed

    for _ in range(_DEEPEST):
        if not octets or octets[0] not in CIPHERED_REQUESTS:
            return False
        try:
            layer = read_envelope(octets)
        except (SecurityError, DecodeError):
            return False
        if layer.key is KeyUsed.GLOBAL_BROADCAST:
            return True
        if layer.tag != _GENERAL_SIGNING:
            return False
        octets = layer.body
    return False
