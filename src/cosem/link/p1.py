r"""P1 and other telegrams of text, plain or ciphered, as customer ports send them (DSMR, ESMR, e-MUCS, smarty).

::

    /ISk5\2MT382-1000 CR LF CR LF
    1-0:1.8.1(000004.426*kWh) CR LF ...
    !CRC CR LF

CRC is CRC-16/ARC from ``/`` to ``!``, four hexadecimal digits; telegrams before
version 4 have none. In Luxembourg and Austria the telegram is the plaintext of a
general-glo-ciphering APDU, which comes bare, one after the other.

Annex A: no association is identified and COSEM-OPEN is not used; a plain
telegram carries no APDU, a ciphered one is an unconfirmed service.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, TypeAlias

from cosem.errors import FrameError
from cosem.link.iec62056_21.readout import DataSet, parse_data_sets

__all__ = [
    "CipheredTelegram",
    "P1Parser",
    "P1Telegram",
    "crc16_arc",
    "decode_p1_telegram",
]

_LARGEST_TELEGRAM: Final = 16 * 1024
_GENERAL_GLO_CIPHERING: Final = 0xDB
_SYSTEM_TITLE: Final = 8
_SMALLEST_CONTENT: Final = 5
# Security control: suite 0 to 2, authentication, encryption, broadcast key; compression is never used here.
_SECURITY_CONTROLS: Final = frozenset(
    suite | protection | broadcast
    for suite in range(3)
    for protection in (0x10, 0x20, 0x30)
    for broadcast in (0x00, 0x40)
)
_BEGIN: Final = re.compile(rb"[/\xdb]")
_LONGEST_FIRST_LINE: Final = 100
# Three letters of the maker, and neither / nor ! behind them.
_FIRST_LINE: Final = re.compile(rb"/[A-Za-z]{3}[^/!\n]{0,96}\n")
_FIRST_LINE_SO_FAR: Final = re.compile(rb"/(?:[A-Za-z]{0,2}|[A-Za-z]{3}[^/!\n]{0,96})")


def _table() -> tuple[int, ...]:
    entries = []
    for octet in range(256):
        register = octet
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
        entries.append(register)
    return tuple(entries)


_TABLE: Final = _table()


def crc16_arc(octets: bytes) -> int:
    """Return CRC-16/ARC.

    >>> f"{crc16_arc(b'123456789'):04X}"
    'BB3D'
    """
    # The standard library has no CRC with this polynomial; a telegram has a thousand octets and comes every second.
    register = 0
    for octet in octets:
        register = register >> 8 ^ _TABLE[(register ^ octet) & 0xFF]
    return register


@dataclass(frozen=True, slots=True)
class P1Telegram:
    """A plain telegram.

    Args:
        identification: The first line without ``/``.
        data_sets: Every data set, in order.
        text: The telegram as sent, from ``/`` to ``!``.
        checked: Whether a CRC stood behind it; it was right.
    """

    identification: str
    data_sets: tuple[DataSet, ...]
    text: str
    checked: bool


@dataclass(frozen=True, slots=True)
class CipheredTelegram:
    """A ciphered telegram: the general-glo-ciphering APDU, not opened.

    Args:
        apdu: Its octets.
    """

    apdu: bytes

    @property
    def system_title(self) -> bytes:
        """The system title of the meter."""
        return self.apdu[2 : 2 + _SYSTEM_TITLE]


Telegram: TypeAlias = P1Telegram | CipheredTelegram


def decode_p1_telegram(octets: bytes) -> P1Telegram:
    """Return the telegram of ``octets``, whole, from ``/`` to the end of the line that begins with ``!``.

    Raises:
        FrameError: It has no such ends, or the CRC is wrong.
    """
    end = octets.rfind(b"!")
    if octets[:1] != b"/" or end < 0 or (octets[end - 1 : end] not in {b"\n", b"\r"}):
        raise FrameError("a telegram begins with / and ends with ! at the begin of a line")
    body, said = octets[: end + 1], octets[end + 1 :].strip(b"\r\n")
    if said:
        try:
            expected = int(said, 16) if len(said) == 4 else -1
        except ValueError:
            expected = -1
        if expected < 0:
            raise FrameError(f"{said[:8]!r} is no CRC of four hexadecimal digits", end + 1)
        if (crc := crc16_arc(body)) != expected:
            raise FrameError(f"the CRC is {expected:04X}, not {crc:04X}", end + 1)
    text = body.decode("latin-1")
    first, _, rest = text.partition("\n")
    return P1Telegram(first[1:].rstrip("\r"), parse_data_sets(rest), text, checked=bool(said))


class P1Parser:
    r"""Finds telegrams, plain and ciphered, in octets that come in any cut, with rubbish between them.

    Args:
        most: Longest telegram that is taken, octets.

    >>> parser = P1Parser()
    >>> [each.identification for each in parser.feed(b"x)\r\n/KAM5\r\n\r\n1-0:1.8.0(00001*kWh)\r\n!\r\n")]
    ['KAM5']
    """

    __slots__ = ("_buffer", "_most", "discarded", "faults")

    def __init__(self, *, most: int = _LARGEST_TELEGRAM) -> None:
        self._buffer = b""
        self._most = most
        self.discarded = 0
        """Octets that belonged to no good telegram."""
        self.faults: Counter[str] = Counter()
        """How often a telegram was damaged, by problem."""

    @property
    def partial(self) -> bool:
        """Whether a telegram has begun and not ended."""
        return bool(self._buffer)

    def feed(self, octets: bytes) -> list[Telegram]:
        """Return every telegram that is whole now."""
        return self._scan(self._buffer + octets, more=True)

    def idle(self) -> list[Telegram]:
        """Give up the telegram that has begun, after a silence, and return what is found inside it."""
        ended = self._buffer.endswith(b"!")  # without a CRC, and without the end of the line
        return self._scan(self._buffer + b"\n" * ended, more=False)

    def _scan(self, data: bytes, *, more: bool) -> list[Telegram]:
        found: list[Telegram] = []
        pos, end = 0, len(data)
        marks, starts = _Finder(data, b"\n!"), _Finder(data, b"\n/")
        while pos < end:
            if data[pos] == 0x2F:
                telegram, size = self._plain(data, pos, marks.next(pos), starts.next(pos))
            elif data[pos] == _GENERAL_GLO_CIPHERING:
                telegram, size = self._ciphered(data, pos)
            else:
                begin = _BEGIN.search(data, pos)
                start = begin.start() if begin else end
                self.discarded += len(data[pos:start].strip(b"\r\n\0"))
                pos = start
                continue
            if telegram is not None:
                found.append(telegram)
                pos += size
            elif size and more:
                break
            else:
                self.discarded += 1
                pos += 1
        self._buffer = data[pos:]
        return found

    def _plain(self, data: bytes, pos: int, mark: int, again: int) -> tuple[Telegram | None, int]:
        """Return the telegram at ``pos`` and its size; no telegram and a size if it may still come, or 0.

        Args:
            data: The octets.
            pos: Where ``/`` stands.
            mark: Where the next line begins that begins with ``!``.
            again: Where the next line begins that begins with ``/``.
        """
        end = len(data)
        if _FIRST_LINE.match(data, pos) is None:
            so_far = end - pos < _LONGEST_FIRST_LINE and _FIRST_LINE_SO_FAR.fullmatch(data, pos)
            return None, int(bool(so_far))
        limit = pos + self._most
        if again < min(mark, limit):
            return None, 0  # another one begins: this one was cut off
        if min(mark, end) >= limit:
            return None, 0
        after = mark + 2
        if after >= end:
            return None, 1
        stop = after if data[after] in b"\r\n/" else after + 4
        if stop > end:
            return None, 1
        try:
            return decode_p1_telegram(data[pos:stop]), stop - pos
        except FrameError as error:
            self.faults["the CRC is wrong" if "CRC" in error.problem else error.problem] += 1
            return None, 0

    def _ciphered(self, data: bytes, pos: int) -> tuple[Telegram | None, int]:
        """Return the envelope at ``pos`` and its size; no envelope and a size if it may still come, or 0."""
        end = len(data)
        at = pos + 2 + _SYSTEM_TITLE
        if pos + 1 < end and data[pos + 1] != _SYSTEM_TITLE:
            return None, 0
        if at >= end:
            return None, 1
        size = data[at]
        at += 1
        if size > 0x80:
            octets = size & 0x7F
            if octets > 2:
                return None, 0
            if at + octets > end:
                return None, 1
            size = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if not _SMALLEST_CONTENT < size <= self._most:
            return None, 0
        if at < end and data[at] not in _SECURITY_CONTROLS:
            return None, 0
        if at + size > end:
            return None, 1
        return CipheredTelegram(data[pos : at + size]), at + size - pos


class _Finder:
    """Where a text comes next, looked for once however often it is asked."""

    __slots__ = ("_data", "_found", "_text")

    def __init__(self, data: bytes, text: bytes) -> None:
        self._data = data
        self._text = text
        self._found = -1

    def next(self, pos: int) -> int:
        """Return where the text comes next from ``pos`` on; the length of all if it does not."""
        if self._found < pos:
            found = self._data.find(self._text, pos)
            self._found = len(self._data) if found < 0 else found
        return self._found
