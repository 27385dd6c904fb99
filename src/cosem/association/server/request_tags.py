"""What the first octets of an APDU tell a server: whether it is a request, and whether an answer is wanted (clause 8)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ANSWERS",
    "CIPHERED_REQUESTS",
    "CLASS_BIT_TAGS",
    "REQUESTS",
    "SILENT_REQUESTS",
    "wants_no_answer",
]

_ACCESS_REQUEST: Final = 0xD9
_GET_REQUEST: Final = 0xC0
_CONFIRMED: Final = 0x40
SILENT_REQUESTS: Final = frozenset({0x10, 0x16, 0x36, 0x56})
"""data-notification-confirm and unconfirmedWriteRequest in their forms: nothing is ever answered to them."""
ANSWERS: Final = frozenset(
    {0x08, 0x28, 0x48, 0x0C, 0x2C, 0x4C, 0x0D, 0x2D, 0x4D, 0x0E, 0x2E, 0x4E, 0x0F, 0x18, 0x38, 0x58}
    | {0x61, 0x63, 0xC2, 0xCA, 0xD2, 0xC4, 0xCC, 0xD4, 0xC5, 0xCD, 0xD5, 0xC7, 0xCF, 0xD7, 0xD8, 0xDA, 0xE7}
)
"""What servers send. Two servers that answered such APDUs could keep each other busy for ever."""
CLASS_BIT_TAGS: Final = frozenset({0xC0, 0xC1, 0xC3})
REQUESTS: Final = frozenset({0x05, 0x06, 0xC0, 0xC1, 0xC3, 0xD9, 0xE0})
"""Clear requests: where there is no association they are answered, and nothing else is."""
CIPHERED_REQUESTS: Final = (
    frozenset({0x25, 0x26, 0x36, 0x45, 0x46, 0x56, 0xDB, 0xDC, 0xDD, 0xDF})
    | set(range(0xC8, 0xCC))
    | set(range(0xD0, 0xD4))
)


def wants_no_answer(request: bytes) -> bool:
    """Return whether a clear request is of an unconfirmed service that means something without an answer."""
    tag = request[0] if request else _GET_REQUEST
    if tag == _GET_REQUEST:
        return False
    place = 2 if tag in CLASS_BIT_TAGS else 1 if tag == _ACCESS_REQUEST else 0
    if place:
        return len(request) > place and not request[place] & _CONFIRMED
    return tag in SILENT_REQUESTS
