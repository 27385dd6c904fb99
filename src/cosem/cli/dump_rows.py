"""Rows of dumps with addresses, as xxd, hexdump, od and Wireshark write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["Rows", "without_text"]

_ROW: Final = re.compile(r"[ \t]{0,8}(?:0[xX])?([0-9A-Fa-f]{4,16})(:?)((?:[ \t]+.*)?)")
_BITS: Final = re.compile(r"\s*[01]{8}(?:\s+[01]{8})+\s*")
_BIT_ROW: Final = re.compile(r"[ \t]+([01]{8}(?: [01]{8})*)(?:[ \t]{2,}(.*))?")
_SAME: Final = re.compile(r"\s*\*\s*")
_COLUMN: Final = re.compile(r"\s+[|>].*[|<]\s*$")
_PAIRS: Final = re.compile(r"\s*[0-9A-Fa-f]{2}(?:[\s\-]+[0-9A-Fa-f]{2})*\s*")
_WORDS: Final = re.compile(r"\s*[0-9A-Fa-f]{4}(?:\s+[0-9A-Fa-f]{4})*(?:\s+[0-9A-Fa-f]{2})?\s*")
_GROUPS: Final = re.compile(r"\s*(?:[0-9A-Fa-f]{2})+(?:\s+(?:[0-9A-Fa-f]{2})+)*\s*")
_OCTAL_WORDS: Final = re.compile(r"\s*[01][0-7]{5}(?:\s+[01][0-7]{5})*\s*")
_OCTAL: Final = re.compile(r"\s*[0-3][0-7]{2}(?:\s+[0-3][0-7]{2})*\s*")
_WIDE: Final = re.compile(r"(?:\s{3}\d|\s{2}\d\d|\s\d{3})+\s*")
_SIGNED: Final = re.compile(r"(?: {4}\d| {3}-\d| {3}\d\d| {2}-\d\d| {2}\d{3}| -\d{3})+\s*")
_CELL: Final = re.compile(r" {3}\S| {2}\\[0abfnrtv]| [0-3][0-7]{2}| {4}")
_ESCAPES: Final = {"0": 0, "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_UNIX: Final = 7
"""Digits of the addresses of od and hexdump; they write words with the low octet first."""
_MOST_FILL: Final = 0x10000
_WRITTEN: Final = {
    "bits": "binary",
    "octal words": "octal",
    "octal": "octal",
    "decimal": "decimal",
    "signed": "decimal",
    "signs": "characters",
    "more signs": "characters",
}
"""How octets are written in the forms of od and xxd that are not hexadecimal."""


class Rows:
    """Reads the rows of one dump after the other."""

    __slots__ = ("_address", "_base", "_form", "_held", "_previous", "_same", "written")

    def __init__(self) -> None:
        self._reset()
        self.written = "hexadecimal"
        """How the octets of the latest row are written: ``hexadecimal``, ``octal``, ``decimal``, ``binary``, ``characters``."""
        self._held = b""

    def _reset(self) -> None:
        self._address = ""
        self._form = ""  # how od wrote the rows before: some rows could be read in two ways
        self._base = 0
        self._previous = b""
        self._same = False

    def read(self, line: str) -> bytes | None:
        """Return the octets of a row; ``None`` if the line is none.

        The last octet of a row of words is held back: only the address at the end tells whether it is there.

        >>> rows = Rows()
        >>> rows.read("00000000  7e a0 08 02  |~...|").hex(), rows.read("00000004: 2321  #!").hex()
        ('7ea00802', '2321')
        """
        if self._address and _SAME.fullmatch(line):
            self._same = True
            return b""
        found = _ROW.fullmatch(line)
        if found is None or _BITS.fullmatch(line):
            return None
        address, colon, body = found[1], found[2], found[3]
        if not body.strip():
            return self._ended(address)
        begins = int(address, 16) == 0 or (address[0] == "0" and address[-1] in "08")
        follows = self._follows(address) if self._address else 0
        if not follows and not begins:
            return None
        little = len(address) == _UNIX and not colon
        before = self._form if follows else ""
        form, octets = _unix(body, before) if little else ("", None)
        if octets is None and colon:
            form, octets = "bits", _bits(body, known=before == "bits")
        if octets is None:
            form, octets = "", _octets(body)
        if octets is None:
            return None
        out, self._held = self._held, b""
        if follows and self._same:
            gap = int(address, self._base or 16) - self._end()
            if 0 < gap <= _MOST_FILL:
                out += (self._previous * (gap // len(self._previous) + 1))[:gap]
        if not follows:
            self._reset()
        self._same = False
        self._form = "more signs" if form == "signs" else form
        self.written = _WRITTEN.get(form, "hexadecimal")
        self._address, self._previous = address, octets
        if little:
            self._held = octets[-1:]
            octets = octets[:-1]
        return out + octets

    def finish(self) -> bytes:
        """Return what was held back."""
        held, self._held = self._held, b""
        self._reset()
        return held

    def _end(self) -> int:
        return int(self._address, self._base or 16) + len(self._previous)

    def _follows(self, address: str) -> bool:
        for base in (self._base,) if self._base else (16, 8, 10):
            try:
                now = int(address, base)
                end = int(self._address, base) + len(self._previous)
            except ValueError:
                continue
            if now == end or (self._same and now > end):
                if not self._same:
                    self._base = base
                return True
        return False

    def _ended(self, address: str) -> bytes | None:
        """An address alone ends a dump: it says how many octets there are."""
        if not self._address:
            return None
        held, self._held = self._held, b""
        ends = {int(address, base) for base in (16, 8, 10) if _digits(address, base)}
        starts = {
            base: int(self._address, base) + len(self._previous)
            for base in (16, 8, 10)
            if _digits(self._address, base)
        }
        if self._same and self._base:
            gap = int(address, self._base) - self._end() if _digits(address, self._base) else 0
            if 0 < gap <= _MOST_FILL:
                held += (self._previous * (gap // len(self._previous) + 1))[:gap]
        elif held and not any(end in ends for end in starts.values()):
            if not any(end - 1 in ends for end in starts.values()):
                self._held = held
                return None
            held = b""
        elif not held and not any(end in ends for end in starts.values()):
            return None
        self._reset()
        return held


def _digits(address: str, base: int) -> bool:
    try:
        int(address, base)
    except ValueError:
        return False
    return True


def _octets(body: str) -> bytes | None:
    """Return the octets of a row behind its address; ``None`` if it is none."""
    column = _COLUMN.search(body)
    body = without_text(body) if column is None else body[: column.start()]
    if _PAIRS.fullmatch(body):
        return bytes.fromhex(body.replace("-", " "))
    return bytes.fromhex(body) if _GROUPS.fullmatch(body) else None


def _bits(body: str, *, known: bool) -> bytes | None:
    """Return the octets of a row of binary digits, as xxd -b writes them.

    Eight digits may be four octets, which have four signs beside them; an octet has one. Only blanks are cut off.
    """
    found = _BIT_ROW.fullmatch(body)
    if found is None:
        return None
    groups = found[1].split()
    if not (known or 0 < len((found[2] or "").strip()) <= len(groups)):
        return None
    return bytes(int(group, 2) for group in groups)


def _unix(body: str, before: str) -> tuple[str, bytes | None]:
    """Return how od or hexdump wrote a row, and its octets; ``None`` if it wrote them as pairs, or not at all."""
    names = [before] if before in _UNIX_FORMS else []
    for name in (*names, *_UNIX_FORMS):
        octets = _UNIX_FORMS[name](body)
        if octets is not None:
            return name, octets
    return "", None


def _words(body: str) -> bytes | None:
    if not _WORDS.fullmatch(body):
        return None
    return b"".join(bytes.fromhex(word)[::-1] for word in body.split())


def _octal_words(body: str) -> bytes | None:
    if not _OCTAL_WORDS.fullmatch(body):
        return None
    return b"".join(int(word, 8).to_bytes(2, "little") for word in body.split())


def _octal(body: str) -> bytes | None:
    return bytes(int(word, 8) for word in body.split()) if _OCTAL.fullmatch(body) else None


def _numbers(body: str) -> bytes | None:
    if not _WIDE.fullmatch(body):
        return None
    numbers = [int(word) for word in body.split()]
    return bytes(numbers) if max(numbers) < 256 else None


def _signed(body: str) -> bytes | None:
    """Cells of five places: an octet as a number of -128..127."""
    if not _SIGNED.fullmatch(body):
        return None
    numbers = [int(word) for word in body.split()]
    return bytes(number & 0xFF for number in numbers) if -128 <= min(numbers) <= max(numbers) < 128 else None


def _signs(body: str) -> bytes | None:
    """Cells of four places: an octet as a sign, as an escape or in octal."""
    if len(body) % 4 or not body:
        return None
    cells = [body[at : at + 4] for at in range(0, len(body), 4)]
    if not all(_CELL.fullmatch(cell) for cell in cells):
        return None
    octets = bytearray()
    for text in (cell.strip() or " " for cell in cells):
        if len(text) == 3:
            octets.append(int(text, 8))
        elif len(text) == 2:
            octets.append(_ESCAPES[text[1]])
        elif text.isascii():
            octets.append(ord(text))
        else:
            return None
    return bytes(octets)


def _some_signs(body: str) -> bytes | None:
    """As :func:`_signs`, if not all of them could be numbers."""
    return None if all(text.isdecimal() for text in body.split()) else _signs(body)


_UNIX_FORMS: Final[dict[str, Callable[[str], bytes | None]]] = {
    "signed": _signed,
    "signs": _some_signs,
    "octal words": _octal_words,
    "octal": _octal,
    "decimal": _numbers,
    "words": _words,
    "more signs": _signs,
}


def without_text(line: str) -> str:
    """Return a line without the column of text beside its octets, which has a sign for each of them."""
    shorter = ""
    for found in re.finditer(r"\s{2,}", line):
        before, beside = line[: found.start()], line[found.end() :]
        if not before.strip():
            continue
        digits = sum(sign in "0123456789abcdefABCDEF" for sign in before)
        if 2 * len(beside.rstrip()) <= digits <= 2 * len(beside):
            return before
        if 0 < 2 * len(beside) < digits and not _PAIRS.fullmatch(beside) and _GROUPS.fullmatch(before):
            shorter = before  # its last signs were blanks, which somebody cut off
    return shorter or line
