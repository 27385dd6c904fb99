"""Where something may begin in a stream: what no careful look would believe is left out at the speed of C.

What is said here of a place agrees with what the careful looks say (:mod:`cosem.push.sizes`,
:mod:`cosem.push.evidence`): a place that is left out is one where they would find nothing either.
"""

from __future__ import annotations

import re
from typing import Final

from cosem.push.sizes import BARE_TAGS, SECURITY_CONTROLS

__all__ = ["INITIATE", "MBUS_CONTROLS", "SERVICES", "STRONG", "STRONG_HEAD", "next_beginning"]

INITIATE: Final = frozenset(range(0x60, 0x64))
"""AARQ, AARE, RLRQ and RLRE."""
MBUS_CONTROLS: Final = frozenset({0x08, 0x18, 0x28, 0x38, 0x43, 0x53, 0x63, 0x73})
"""What long frames of M-Bus are: SND-UD and RSP-UD (EN 13757-2, 5.3)."""
SERVICES: Final = frozenset((*range(0xC0, 0xD0), 0x05, 0x06, 0x0C, 0x0D, 0x0E, 0x16, 0x18, 0xD8, 0xD9, 0xDA))
"""What else a unit of the wrapper may hold; InitiateRequest and InitiateResponse travel inside AARQ and AARE."""


def _any_of(octets: frozenset[int]) -> bytes:
    return b"[%s]" % b"".join(re.escape(bytes((octet,))) for octet in sorted(octets))


_TAG: Final = _any_of(BARE_TAGS)
_CONTROL: Final = _any_of(SECURITY_CONTROLS)
_LENGTH: Final = rb"(?:[\x00-\x7f]|\x81.|\x82.{2}|\x83.{3}|\x84.{4})"
_PREFIXED: Final = rb"[\xe6\xe7].[\x00-\x20]"
_HDLC: Final = rb"\x7e(?=[\xa0-\xaf]"
_ODD, _EVEN = (_any_of(frozenset(range(first, 0x100, 2))) for first in (1, 0))
_ADDRESS: Final = rb"(?:%s|%s%s|%s{3}%s)" % (_ODD, _EVEN, _ODD, _EVEN, _ODD)
_MBUS: Final = rb"h(?=([\x03-\xff])\1h"
_SND_OR_RSP: Final = _any_of(MBUS_CONTROLS)
_TIME: Final = rb"[\x00-\x27\xff].[\x00-\x0c\xfd-\xff][\x00-\x1f\xfd-\xff]"
_TEXT: Final = rb"/(?=[A-Za-z]{3}"
# Of each beginning, what the first octets behind it must be.
_BARE: Final = b"|".join(
    (
        # DataNotification: no time, and an array or a structure that has elements; or a time.
        rb"\x0f(?=.{4}(?:\x00[\x01\x02][^\x00]|\x09?\x0c%s))" % _TIME,
        rb"[\x60\x61](?=%s(?:\x80.{3})?\xa1)" % _LENGTH,
        rb"\xc2(?=\x00\x00[^\x00].{5}\xff[\x01-\x7f]|\x01\x0c)",
        rb"[\xdb\xdc](?=(?:\x00|\x08.{8})%s%s)" % (_LENGTH, _CONTROL),
        rb"[\xdd\xdf](?=(?:%s)\x08)"
        % b"|".join(rb"%s.{%d}" % (re.escape(bytes((size,))), size) for size in range(1, 9)),
        rb"\xe0(?=[\x00\x40\x80\xc0][\x00\x01].\x00\x00[^\x00])",
    )
)
_LIKELY: Final = re.compile(
    b"|".join(
        (
            _HDLC + b"." + _ADDRESS * 2 + b")",
            _MBUS + _SND_OR_RSP + b")",
            _TEXT + b")",
            # A unit of the wrapper: a length that is not zero, and an APDU that begins with a known tag.
            rb"\x00(?=\x01.{4}(?!\x00\x00).{2}(?:%s|%s))"
            % (_any_of(BARE_TAGS | SERVICES | INITIATE), _PREFIXED),
            rb"[\xe6\xe7](?=.\x00(?:%s)|.[\x01-\x20])" % _BARE,
            _BARE,
        )
    ),
    re.DOTALL,
)
_REACH: Final = 20
"""Octets, its own included, that must be there of a beginning to tell that it is none."""
_ANY: Final = re.compile(_any_of(BARE_TAGS | {0x7E, 0x68, 0x2F, 0x00, 0xE6, 0xE7}))

STRONG_HEAD: Final = 9
"""Octets of the longest beginning of :data:`STRONG`."""
STRONG: Final = re.compile(
    _HDLC
    + rb"|\Z)|"
    + _MBUS
    + rb"|.{0,2}\Z)|"
    + _TEXT
    + rb"|[A-Za-z]{0,2}\Z)"
    + rb"|\x00\x01(?=.{4}(?!\x00\x00).{2}(?:%s|[\xe6\xe7]))" % _TAG,
    re.DOTALL,
)
"""What proves itself by a check, inside of something else: only what is wholly there begins so, or at the very end."""


def next_beginning(data: bytes, pos: int) -> int:
    """Return where something may begin next, from ``pos`` on; the end of the octets if nowhere.

    >>> next_beginning(bytes.fromhex("0F 0F 0F 0F 00000001 00 0201 0600000005" + "55" * 20), 0)
    3
    """
    end = len(data)
    tail = max(pos, end - _REACH)
    if tail > pos:
        found = _LIKELY.search(data, pos)
        if found is not None and found.start() < tail:
            return found.start()
    found = _ANY.search(data, tail)
    return end if found is None else found.start()
