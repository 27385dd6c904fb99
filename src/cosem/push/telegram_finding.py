"""Telegrams of text in a stream (P1, readouts of IEC 62056-21): where one stands, how long it is, what is wrong with it."""

from __future__ import annotations

import re
from typing import Final

from cosem.errors import FrameError
from cosem.link.iec62056_21.messages import block_check
from cosem.link.iec62056_21.readout import parse_data_sets
from cosem.link.p1 import P1Telegram, decode_p1_telegram
from cosem.push.trials import Ahead, Trials

__all__ = ["BLOCK_CHECK_WRONG", "P1", "READOUT", "TelegramFinder", "is_telegram", "text_framing"]

BLOCK_CHECK_WRONG: Final = "the block check is wrong"
P1: Final = "p1"
"""The framing of a telegram that ends with ``!``."""
READOUT: Final = "iec62056-21"
"""The framing of a readout, which stands between STX, and ETX with a block check."""
_FIRST_LINE: Final = re.compile(rb"/[A-Za-z]{3}[\x02\t\x20\x22-\x2e\x30-\x7e]{0,96}\r*\n")
_FIRST_LINE_SO_FAR: Final = re.compile(
    rb"/(?:[A-Za-z]{0,2}|[A-Za-z]{3}[\x02\t\x20\x22-\x2e\x30-\x7e]{0,96}\r*)"
)
_FIRST_LINE_SIZE: Final = 101
_NEWLINE: Final = b"\n"
_LAST_OR_FIRST_LINE: Final = re.compile(rb"\n[/!]")
_NO_TEXT: Final = re.compile(rb"[^\t\r\n\x20-\x7e]")
_STX, _ETX = b"\x02", b"\x03"
_STROKE: Final = 0x2F
_CRC: Final = re.compile(rb"[0-9A-Fa-f]{0,4}")
_LARGEST_TELEGRAM: Final = 16 * 1024

_Found = tuple[P1Telegram | None, int, str]


def is_telegram(data: bytes, pos: int) -> bool:
    """Whether the first line of a telegram of text stands at ``pos``."""
    return _FIRST_LINE.match(data, pos) is not None


def text_framing(data: bytes, pos: int) -> str:
    """Return which framing a text has whose first line stands at ``pos``: :data:`P1` or :data:`READOUT`."""
    line = _FIRST_LINE.match(data, pos)
    return READOUT if line is not None and data[line.end() : line.end() + 1] == _STX else P1


class TelegramFinder:
    """Finds telegrams: the first line names the maker, the last begins with ``!``, and all of it is text.

    Args:
        trials: Where it is counted what was read in vain.
        check: Whether a readout must have the right block check.
    """

    __slots__ = ("_check", "_foreign", "_lines", "_trials")

    def __init__(self, trials: Trials, *, check: bool = True) -> None:
        self._trials = trials
        self._check = check
        self._lines = Ahead(_LAST_OR_FIRST_LINE, 2)
        self._foreign = Ahead(_NO_TEXT, 1)

    def forget(self) -> None:
        """Forget what was seen in the octets: others follow."""
        self._lines.forget()
        self._foreign.forget()

    def at(self, data: bytes, pos: int, place: int, *, more: bool) -> _Found:
        """Return the telegram of text at ``pos``, its size and what is wrong with it.

        Args:
            data: The octets; the same ones until :meth:`forget`.
            pos: Where its stroke stands.
            place: Where that is in the stream.
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
        if data[begin + 1 : begin + 2] == _STX:
            return self._readout(data, pos, begin + 2, place, more=more)
        mark = self._lines.find(data, begin, min(end, limit))
        if data[mark + 1] == _STROKE if mark >= 0 else end >= limit:
            return None, 0, "the end is missing"
        if self._foreign.find(data, begin, mark if mark >= 0 else end) >= 0:
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
        if not self._trials.allowed(place):
            return None, 0, ""
        try:
            telegram = decode_p1_telegram(data[pos:stop])
        except FrameError as error:
            self._trials.failed(stop - pos)
            return None, 0, "the CRC is wrong" if "CRC" in error.problem else error.problem
        if stop == after and not telegram.data_sets:
            self._trials.failed(stop - pos)
            return None, 0, ""  # two lines of text
        return telegram, stop - pos, ""

    def _readout(self, data: bytes, pos: int, begin: int, place: int, *, more: bool) -> _Found:
        """As :meth:`at`, where the data stand between STX, and ETX with a block check (IEC 62056-21, 5.4)."""
        end = len(data)
        limit = pos + _LARGEST_TELEGRAM
        last = self._foreign.find(data, begin, min(end, limit))
        if last < 0:
            return (None, 0, "the end is missing") if end >= limit else (None, pos - end - 1, "")
        if data[last : last + 1] != _ETX:
            return None, 0, "there is more than text in it"
        checked = last + 1 < end
        if not checked and more:
            return None, pos - end - 1, ""
        if not self._trials.allowed(place):
            return None, 0, ""
        wrong = checked and block_check(data[begin : last + 1]) != data[last + 1]
        if wrong and self._check:
            self._trials.failed(last - pos)
            return None, 0, BLOCK_CHECK_WRONG
        head, text = data[pos + 1 : begin - 1].decode("ascii"), data[begin:last].decode("ascii")
        data_sets = parse_data_sets(text)
        if not data_sets:
            self._trials.failed(last - pos)
            return None, 0, ""
        problem = BLOCK_CHECK_WRONG if wrong else ""
        telegram = P1Telegram(head.strip("\r\n"), data_sets, f"/{head}{text}", checked=checked and not wrong)
        return telegram, last + 1 + checked - pos, problem
