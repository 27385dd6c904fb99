"""Dumps as people have them at hand: whatever the tool was that wrote them, the octets of the line come out.

Hexadecimal text with any separators, with addresses and text columns beside it, with times and words of a log
before it; decimal numbers; base64; fields of JSON; literals of Python and C; captures of a network; the octets
themselves. Text may be UTF-8 or UTF-16. A file and a stream are read by the same reader, :class:`DumpReader`.
"""

from __future__ import annotations

import codecs
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from dataclasses import dataclass
from typing import Final

from cosem.cli.captures import CAPTURES, read_capture
from cosem.cli.dump_lines import clean, octets_of_line
from cosem.cli.dump_rows import Rows
from cosem.errors import ConfigurationError

__all__ = ["Dump", "DumpReader", "read_dump"]

_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_WIDE: Final = {
    "utf-16-le": re.compile(rb"(?:[\t\n\r\x20-\x7e]\0){4,}"),
    "utf-16-be": re.compile(rb"(?:\0[\t\n\r\x20-\x7e]){4,}"),
}
_CONTROLS: Final = re.compile(rb"[\0-\x07\x0e-\x1a\x1c-\x1f\x7f]|\x1b(?!\[|\Z)")
_BEGIN: Final = 10
"""Octets that tell how a dump begins."""
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_NEWLINE: Final = b"\n"
_LONG_LINE: Final = 8192
_LONGEST_LINE: Final = 32 * 1024 * 1024
_KEPT: Final = 64 * 1024
_UNDECIDED: Final = 64
_TELEGRAM: Final = re.compile(
    rb"/[A-Za-z]{3}[0-9A-I][^\r\n]{0,96}\r?\n?\Z"  # P1, a readout
    rb"|/\?[0-9A-Za-z]{0,32}!"  # a sign-on
    rb"|\d+-\d+:[0-9A-F]+\.\d+(?:\.\d+)?(?:[*.]\d+)?\([^()]*\)|[0-9CFL]\.\d+(?:\.\d+)?(?:\*\d+)?\([^()]*\)"
    rb"|(?:ADCO|ADSC|OPTARIF|ISOUSC|PAPP|EAST|IINST|IINST1|VTIC|NGTF)[ \t]\S"  # TIC
)


_PREFIX: Final = re.compile(
    rb"[\[(]?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?[\])]?[ \t:>|-]*"
)
"""A time before each line of a telegram of text."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What a dump holds.

    Attributes:
        form: ``hexadecimal``, ``octal``, ``decimal``, ``binary``, ``base64``, ``characters`` (of od), ``octets``,
            ``text`` or ``capture``.
        streams: The octets, and where they come from; several in a capture, one else.
        notes: What of a capture is missing, a sentence each.
    """

    form: str
    streams: tuple[tuple[str, bytes], ...]
    notes: tuple[str, ...] = ()

    @property
    def octets(self) -> bytes:
        """All octets, one stream after the other."""
        return b"".join(octets for _, octets in self.streams)


def read_dump(content: bytes) -> Dump:
    r"""Return what a dump holds.

    Raises:
        ConfigurationError: There is nothing in it, or a capture cannot be read.

    >>> read_dump(b"2026-01-02 03:04:05 RX: 7E A0 08").octets.hex()
    '7ea008'
    >>> read_dump(b"00000000  7e a0 08 02  |~...|\n00000004  23 21        |#!|").octets.hex()
    '7ea008022321'
    >>> read_dump("7EA0080223219".encode("utf-16")).octets.hex()
    '7ea008022321'
    >>> read_dump(b"126, 160, 8").form
    'decimal'
    """
    reader = DumpReader()
    octets = reader.feed(content) + reader.finish()
    if reader.streams:
        return Dump("capture", reader.streams, reader.notes)
    if not content.removeprefix(_MARK).strip():
        raise ConfigurationError("there are no octets")
    return Dump(reader.form, (("", octets),))


class DumpReader:
    """Reads a dump as it comes, in any cut.

    What begins with octets that are no text is taken as it is. Text is read line by line; a line of a
    telegram of text, where nothing was found before, says that the text itself is what was sent.
    """

    __slots__ = (
        "_begin",
        "_counts",
        "_decimal",
        "_decoder",
        "_format",
        "_line",
        "_rest",
        "_rows",
        "_state",
        "notes",
        "streams",
    )

    def __init__(self) -> None:
        self._state = "begin"  # begin, lines, octets or capture
        self._decoder: codecs.IncrementalDecoder | None = None
        self._line = b""
        self._begin: bytearray | None = bytearray()  # what came, while nothing was found in it
        self._rows = Rows()
        self._format = ""
        self._rest = ""
        self._decimal = False
        self._counts: Counter[str] = Counter()
        self.streams: tuple[tuple[str, bytes], ...] = ()
        """What a capture held, once it was finished."""
        self.notes: tuple[str, ...] = ()
        """What of it is missing, a sentence each."""

    @property
    def form(self) -> str:
        """How it is written, as far as can be told: that of most octets."""
        if self._state in {"octets", "text", "capture"}:
            return self._state
        if self._state == "stamped":
            return "text"
        return self._counts.most_common(1)[0][0] if self._counts else ""

    def feed(self, content: bytes) -> bytes:
        """Return the octets in what came."""
        if self._state == "begin":
            content = self._line + content
            if len(content) < _BEGIN:
                self._line = content
                return b""
            self._line = b""
            self._open(content)
            content = content.removeprefix(_MARK)
            if self._decoder is not None:
                content = content.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
        if self._decoder is not None:
            content = self._decoder.decode(content).encode("utf-8", "replace")
        if self._state in {"octets", "text"}:
            return content
        self._line += content
        if self._state == "capture":
            return b""
        if len(self._line) > _LONG_LINE and _NEWLINE not in content and len(self._line) <= _LONGEST_LINE:
            if self._begin is not None and not self._counts and _CONTROLS.search(content):
                return self._all("octets")
            return b""  # nothing is new to tell of a long line before its end
        return self._lines()

    def finish(self) -> bytes:
        """Return what the last line holds; of a capture, everything.

        Raises:
            ConfigurationError: A capture cannot be read.
        """
        if self._state == "begin":
            line, self._line = self._line, b""
            self._open(line)
            if self._state in {"octets", "text"}:
                return line
            self._line = line.removeprefix(_MARK)
        if self._state == "capture":
            content, self._line = self._line, b""
            self.streams, self.notes = read_capture(content)
            return b"".join(octets for _, octets in self.streams)
        out = b""
        if self._line:
            line, self._line = self._line, b""
            out = self._take(line)
        out += self._rows.finish()
        if self._rest and self._format == "base64":
            out += _tail(self._rest)
        self._rest = ""
        if self._begin and self._state == "lines" and not self._counts:
            self._state = "text"
            out = bytes(self._begin)
        self._begin = None
        return out

    def _open(self, content: bytes) -> None:
        """Tell from its begin what a dump is."""
        self._state = "lines"
        if content[:4] in CAPTURES:
            self._state = "capture"
            return
        encoding = _UTF_16.get(content[:2])
        if encoding is not None and content[2:4] and not _WIDE[encoding].match(content + content[2:] * 3, 2):
            encoding = None  # octets that happen to begin so
        for name, pattern in _WIDE.items():
            if encoding is None and pattern.match(content):
                encoding = name
        if encoding is not None:
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        elif _is_binary(content):
            self._state = "octets"

    def _lines(self) -> bytes:
        """Return what the whole lines hold."""
        if not self._counts and not self._format:
            self._decimal = _all_decimal(self._line)
            if self._decimal:
                self._format = "decimal"
            elif _all_base64(self._line):
                self._format = "base64"
        out = []
        if self._begin is not None and _is_binary(self._line.rpartition(_NEWLINE)[2]) and not self._counts:
            return self._all("octets")
        *lines, self._line = self._line.split(_NEWLINE)
        for index, line in enumerate(lines):
            out.append(self._take(line + _NEWLINE))
            if self._state in {"octets", "text"}:
                out += [_NEWLINE.join((*lines[index + 1 :], self._line))]
                self._line = b""
                break
        if len(self._line) > _LONGEST_LINE:
            line, self._line = self._line, b""
            out.append(self._take(line))
        return b"".join(out)

    def _all(self, state: str) -> bytes:
        """Take all that came, and all that comes, as it is."""
        self._state = state
        content, self._line = bytes(self._begin or b"") + self._line, b""
        self._begin = None
        return content

    def _take(self, line: bytes) -> bytes:
        """Return what a line holds."""
        if self._state == "stamped":
            return _PREFIX.sub(b"", line.rstrip(), count=1) + b"\r\n"
        if not self._counts:
            if _is_binary(line):
                return self._as_sent("octets", line)
            if _TELEGRAM.match(line.lstrip(b"\r\n\t ")) and not _is_base64(line):
                return self._as_sent("text", line)
            stamp = _PREFIX.match(line)
            if stamp is not None and _TELEGRAM.match(line[stamp.end() :]):
                self._state, self._begin = "stamped", None
                return self._take(line)
        text = clean(_text(line.rstrip(b"\r\n")))
        row = self._rows.read(text)
        if row is not None:
            self._count(self._rows.written, len(row) or 1)
            return row
        held = self._rows.finish()
        found = octets_of_line(text, self._format, self._rest)
        self._rest = found.rest
        if found.octets or found.rest:
            self._format = found.form
            self._count(found.form, len(found.octets))
        elif self._begin is not None:
            self._begin += line
            del self._begin[_KEPT:]
        return held + found.octets

    def _as_sent(self, state: str, line: bytes) -> bytes:
        before = bytes(self._begin or b"")
        if before.strip():
            before = b""  # words before it
        self._state, self._begin = state, None
        return before + line

    def _count(self, form: str, octets: int) -> None:
        self._counts[form] += octets
        self._begin = None


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _is_binary(content: bytes) -> bool:
    """Whether octets are no text: controls stand in them, or they are not UTF-8."""
    if _CONTROLS.search(content):
        return True
    if content.isascii():
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        # A blank of another code page may stand between digits.
        others = content.replace(b"\xa0", b" ")
        return not (others.isascii() and re.search(rb"(?:[0-9A-Fa-f]{2} +){2}", others))
    return False


def _all_decimal(content: bytes) -> bool:
    """Whether what is there is a list of decimal numbers over several lines."""
    numbers = re.findall(rb"\d+", content)
    return (
        re.fullmatch(rb"[\s\d,;\[\](){}-]+", content) is not None
        and re.search(rb"\d-|-(?!\d|\Z)", content) is None  # a minus, and nothing between numbers
        and len(numbers) > 1
        and all(int(number) < 256 for number in numbers[:10000] if len(number) < 6)
        and all(len(number) <= 3 and not (len(number) == 2 and number[:1] == b"0") for number in numbers)
        and any(len(number) != 2 for number in numbers)
    )


def _all_base64(content: bytes) -> bool:
    """Whether what is there is base64 over several lines of one length; some of them may look otherwise."""
    lines = content.split()
    solid = b"".join(lines)
    return (
        len(lines) > 1
        and len({len(line) for line in lines[:-1]}) == 1
        and len(lines[0]) >= 40
        and _BASE64.fullmatch(solid) is not None
        and re.fullmatch(rb"[0-9A-Fa-f]+", solid) is None
    )


def _is_base64(line: bytes) -> bool:
    return len(line) >= 48 and re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", line.strip()) is not None


def _tail(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        return b""
