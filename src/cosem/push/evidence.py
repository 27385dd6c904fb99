"""Evidence: whether octets that begin like something are it."""

from __future__ import annotations

from typing import Final

from cosem.apdu import decode as decode_apdu
from cosem.errors import CosemError
from cosem.link.hdlc.parser import header_is_right
from cosem.push.sizes import BARE_TAGS

__all__ = ["LLC", "is_apdu", "is_frame", "prefix_size"]

_HDLC, _GATEWAY_TO, _GATEWAY_FROM = 0x7E, 0xE6, 0xE7
_MBUS_HEADER: Final = 10
_MBUS_CONTROLS: Final = frozenset({0x08, 0x53, 0x73})
_MBUS_SEGMENTS: Final = range(0x20)
LLC: Final = (b"\xe6\xe7\x00", b"\xe6\xe6\x00")
_LONGEST_ADDRESS: Final = 32
_LARGEST_WITHOUT_HCS: Final = 16


def is_frame(data: bytes, pos: int, *, segments: bool) -> bool:
    """Whether what begins like a frame, and is damaged or cut off, is one all the same: its header says so."""
    if data[pos] == _HDLC:
        return header_is_right(data, pos)
    head = data[pos : pos + _MBUS_HEADER]
    if len(head) < _MBUS_HEADER or head[4] not in _MBUS_CONTROLS or head[6] not in _MBUS_SEGMENTS:
        return False
    return segments if head[6] & 0x0F else head[9] in BARE_TAGS


def is_apdu(octets: bytes) -> bool:
    """Whether octets are one whole APDU, known faults of meters aside."""
    findings: list[str] = []
    try:
        decode_apdu(octets, findings=findings)
    except CosemError:
        return False
    return "trailing-octets" not in findings


def prefix_size(data: bytes, pos: int) -> int:
    """Return the size of the LLC header or the gateway prefix at ``pos``, 0 for none; minus what is needed to tell."""
    end = len(data)
    if data[pos] not in (_GATEWAY_TO, _GATEWAY_FROM):
        return 0
    if pos + 3 >= end:
        return -4
    if data[pos : pos + 3] in LLC and data[pos + 3] in BARE_TAGS:
        return 3
    size = 3 + data[pos + 2]
    if data[pos + 2] > _LONGEST_ADDRESS:
        return 0
    return size if pos + size < end else -size - 1
