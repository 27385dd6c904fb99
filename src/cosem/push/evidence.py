"""Evidence: whether octets that begin like something are it."""

from __future__ import annotations

import re
from typing import Final

from cosem.apdu import decode as decode_apdu
from cosem.errors import CosemError, FrameError
from cosem.link.hdlc.parser import header_is_right
from cosem.link.iec62056_21.messages import block_check
from cosem.link.iec62056_21.readout import parse_data_sets
from cosem.link.p1 import P1Telegram, decode_p1_telegram
from cosem.push.sizes import BARE_TAGS

__all__ = ["BLOCK_CHECK_WRONG", "LLC", "is_apdu", "is_frame", "is_telegram", "prefix_size", "telegram_at"]

_HDLC, _GATEWAY_TO, _GATEWAY_FROM = 0x7E, 0xE6, 0xE7
_FIRST_LINE: Final = re.compile(rb"/[A-Za-z]{3}[\x02\t\x20\x22-\x2e\x30-\x7e]{0,96}\r*\n")
_FIRST_LINE_SO_FAR: Final = re.compile(
    rb"/(?:[A-Za-z]{0,2}|[A-Za-z]{3}[\x02\t\x20\x22-\x2e\x30-\x7e]{0,96}\r*)"
)
_NEWLINE: Final = b"\n"
BLOCK_CHECK_WRONG: Final = "the block check is wrong"
_STX, _ETX = b"\x02", b"\x03"
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


def telegram_at(
    data: bytes, pos: int, *, more: bool, check: bool = True
) -> tuple[P1Telegram | None, int, str]:
    """Return the telegram of text at ``pos``, its size and what is wrong with it.

    Its first line names the maker, its last begins with ``!``, and all of it is text.

    Args:
        data: The octets.
        pos: Where its stroke stands.
        more: Whether more octets may come.
        check: Whether a readout must have the right block check.

    Returns:
        As size, 0 for none, and minus the octets that are needed to tell.
    """
    end = len(data)
    if _FIRST_LINE.match(data, pos) is None:
        so_far = end - pos < _FIRST_LINE_SIZE and _FIRST_LINE_SO_FAR.fullmatch(data, pos)
        return None, pos - end - 1 if so_far else 0, ""
    limit = pos + _LARGEST_TELEGRAM
    begin = data.index(_NEWLINE, pos)
    if data[begin + 1 : begin + 2] == _STX:
        return _readout_at(data, pos, begin + 2, more=more, check=check)
    mark = data.find(b"\n!", begin, limit)
    stop = mark if mark >= 0 else min(end, limit)
    if data.find(b"\n/", begin, stop) >= 0 or (mark < 0 and end >= limit):
        return None, 0, "the end is missing"
    if _NO_TEXT.search(data, begin, stop):
        return None, 0, "there is more than text in it"
    if mark < 0:
        return None, pos - end - 1, ""
    after = mark + 2
    crc = _CRC.match(data, after)
    stop = crc.end() if crc is not None else after
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


def _readout_at(
    data: bytes, pos: int, begin: int, *, more: bool, check: bool
) -> tuple[P1Telegram | None, int, str]:
    """As :func:`telegram_at`, where the data stand between STX, and ETX with a block check (IEC 62056-21, 5.4)."""
    end = len(data)
    limit = pos + _LARGEST_TELEGRAM
    last = data.find(_ETX, begin, limit)
    stop = last if last >= 0 else min(end, limit)
    if _NO_TEXT.search(data, begin, stop):
        return None, 0, "there is more than text in it"
    if last < 0:
        return (None, 0, "the end is missing") if end >= limit else (None, pos - end - 1, "")
    checked = last + 1 < end
    if not checked and more:
        return None, pos - end - 1, ""
    wrong = checked and block_check(data[begin : last + 1]) != data[last + 1]
    if wrong and check:
        return None, 0, BLOCK_CHECK_WRONG
    head, text = data[pos + 1 : begin - 1].decode("ascii"), data[begin:last].decode("ascii")
    data_sets = parse_data_sets(text)
    if not data_sets:
        return None, 0, ""
    telegram = P1Telegram(head.strip("\r\n"), data_sets, f"/{head}{text}", checked=checked and not wrong)
    return telegram, last + 1 + checked - pos, BLOCK_CHECK_WRONG if wrong else ""
