"""Evidence: whether octets that begin like something are it."""

from __future__ import annotations

import re
from typing import Final

from cosem.apdu import decode as decode_apdu
from cosem.errors import CosemError, FrameError
from cosem.link.hdlc.parser import header_is_right
from cosem.link.p1 import P1Telegram, decode_p1_telegram
from cosem.push.sizes import BARE_TAGS

__all__ = ["LLC", "is_apdu", "is_frame", "is_telegram", "prefix_size", "telegram_at"]

_HDLC, _GATEWAY_TO, _GATEWAY_FROM = 0x7E, 0xE6, 0xE7
_FIRST_LINE: Final = re.compile(rb"/[A-Za-z]{3}[\x02\t\x20\x22-\x2e\x30-\x7e]{0,96}\r*\n")
_FIRST_LINE_SO_FAR: Final = re.compile(
    rb"/(?:[A-Za-z]{0,2}|[A-Za-z]{3}[\x02\t\x20\x22-\x2e\x30-\x7e]{0,96}\r*)"
)
_NEWLINE: Final = b"\n"
_FIRST_LINE_SIZE: Final = 101
_NO_TEXT: Final = re.compile(rb"[^\t\r\n\x20-\x7e]")
_CRC: Final = re.compile(rb"[0-9A-Fa-f]{0,4}")
_MBUS_HEADER: Final = 10
_MBUS_CONTROLS: Final = frozenset({0x08, 0x53, 0x73})
_MBUS_SEGMENTS: Final = range(0x20)
LLC: Final = (b"\xe6\xe7\x00", b"\xe6\xe6\x00")
_LONGEST_ADDRESS: Final = 32
_LARGEST_TELEGRAM: Final = 16 * 1024
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


def is_telegram(data: bytes, pos: int) -> bool:
    """Whether the first line of a telegram of text stands at ``pos``."""
    return _FIRST_LINE.match(data, pos) is not None


def telegram_at(data: bytes, pos: int, *, more: bool) -> tuple[P1Telegram | None, int, str]:
    """Return the telegram of text at ``pos``, its size and what is wrong with it.

    Its first line names the maker, its last begins with ``!``, and all of it is text.

    Args:
        data: The octets.
        pos: Where its stroke stands.
        more: Whether more octets may come.

    Returns:
        As size, 0 for none, and minus the octets that are needed to tell.
    """
    end = len(data)
    if _FIRST_LINE.match(data, pos) is None:
        so_far = end - pos < _FIRST_LINE_SIZE and _FIRST_LINE_SO_FAR.fullmatch(data, pos)
        return None, pos - end - 1 if so_far else 0, ""
    limit = pos + _LARGEST_TELEGRAM
    begin = data.index(_NEWLINE, pos)
    mark = data.find(b"\n!", begin, limit)
    stop = mark if mark >= 0 else min(end, limit)
    if data.find(b"\n/", begin, stop) >= 0 or (mark < 0 and end >= limit):
        return None, 0, "the end is missing"
    if _NO_TEXT.search(data, begin, stop):
        return None, 0, "there is more than text in it"
    if mark < 0:
        return None, pos - end - 1, ""
    after = mark + 2
    check = _CRC.match(data, after)
    stop = check.end() if check is not None else after
    if stop - after < 4:
        if stop >= end and more:
            return None, pos - stop - 1, ""
        stop = after  # an older telegram, without a CRC
    try:
        telegram = decode_p1_telegram(data[pos:stop])
    except FrameError as error:
        return None, 0, "the CRC is wrong" if "CRC" in error.problem else error.problem
    if stop == after and not telegram.data_sets:
        return None, 0, ""  # two lines of text
    return telegram, stop - pos, ""
