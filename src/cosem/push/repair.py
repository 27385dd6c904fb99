"""Bodies that are no Data as they came from known meters, written as the standard has it; each repair is named.

Only what cannot be read otherwise is repaired: a body that is Data stays as it is.
"""

from __future__ import annotations

from cosem.codec.axdr import encode_length
from cosem.push.findings import DESCRIPTORS_UNTAGGED, TAG_AND_LENGTH_SWAPPED
from cosem.push.walking import DATA_SIZES, is_descriptor

__all__ = ["repaired"]

_ARRAY, _STRUCTURE, _BIT_STRING = 1, 2, 4
_SWAPPED = b"\x06\x09"
_NAME = 6


def repaired(octets: bytes, pos: int) -> tuple[bytes, tuple[str, ...]] | None:
    """Return an APDU whose Data, from ``pos`` to its end, is made readable, and what was wrong.

    Returns:
        ``None`` where it does not show one of the known faults, or more than those.

    >>> octets, findings = repaired(bytes.fromhex("02 02 0001 0000600101FF 02 0A 01 41"), 0)
    >>> octets.hex(" "), findings
    ('02 04 12 00 01 09 06 00 00 60 01 01 ff 0f 02 0a 01 41', ('attribute-descriptor-untagged',))
    """
    out = bytearray(octets[:pos])
    findings: dict[str, None] = {}
    end = len(octets)
    stack: list[
        tuple[int, bool]
    ] = []  # elements that follow, and whether the next one is the first of a structure
    remaining, first = 1, False
    while True:
        while not remaining:
            if not stack:
                return (bytes(out), tuple(findings)) if pos == end and findings else None
            remaining, first = stack.pop()
        if pos >= end:
            return None
        remaining -= 1
        tag = octets[pos]
        if first and octets[pos : pos + 2] == _SWAPPED and octets[pos + 7 : pos + 8] == b"\xff":
            findings[TAG_AND_LENGTH_SWAPPED] = None
            out += b"\x09\x06" + octets[pos + 2 : pos + 2 + _NAME]
            pos += 2 + _NAME
            first = False
            continue
        first = False
        size = DATA_SIZES.get(tag)
        if size is None and tag in (9, 10, 12, _BIT_STRING):
            if pos + 1 >= end or octets[pos + 1] > 0x80:
                return None
            size = 1 + ((octets[pos + 1] + 7) // 8 if tag == _BIT_STRING else octets[pos + 1])
        if size is not None:
            if pos + 1 + size > end:
                return None
            out += octets[pos : pos + 1 + size]
            pos += 1 + size
            continue
        if tag not in (_ARRAY, _STRUCTURE) or pos + 1 >= end or octets[pos + 1] >= 0x80 or len(stack) > 8:
            return None
        count = octets[pos + 1]
        pos += 2
        if tag == _STRUCTURE and count == 2 and is_descriptor(octets, pos):
            findings[DESCRIPTORS_UNTAGGED] = None
            out += bytes((_STRUCTURE, 4, 18)) + octets[pos : pos + 2]
            out += bytes((9, _NAME)) + octets[pos + 2 : pos + 8]
            out += bytes((15, octets[pos + 8]))
            pos += 9
            count = 1
        else:
            out += bytes((tag,)) + encode_length(count)
        stack.append((remaining, False))
        remaining, first = count, tag == _STRUCTURE
