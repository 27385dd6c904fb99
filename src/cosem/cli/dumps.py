"""Dumps as people have them at hand: whatever the tool was that wrote them, the octets of the line come out.

Hexadecimal text with any separators, with addresses and text columns beside it, with times and words of a log
before it; decimal numbers; base64; captures of a network; the octets themselves.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any, Final

from cosem.errors import ConfigurationError

__all__ = ["Dump", "LineReader", "octets_of_line", "read_dump"]

_TEXT: Final = frozenset(b"\t\n\r\f\b") | frozenset(range(0x20, 0x7F))
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PCAP: Final = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
_PCAPNG: Final = b"\n\r\r\n"
_STAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|(?<![0-9A-Fa-f:])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![:0-9A-Fa-f])"
)
_ADDRESS: Final = re.compile(r"^\s*(?:0x)?[0-9A-Fa-f]{4,16}(?::|\s{2,}|\t)\s*(?=[0-9A-Fa-f]{2})")
_ADDRESS_ALONE: Final = re.compile(r"\s*[0-9A-Fa-f]{4,16}:?\s*")
_COLUMN: Final = re.compile(r"\s*\|.*\|\s*$")
_RUN: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:0[xX]|\\x)?[0-9A-Fa-f]{2}(?:(?:[\s,;:_|\-]|0[xX]|\\x|[\"'])*[0-9A-Fa-f]{2})*(?![0-9A-Za-z])"
)
_SEPARATORS: Final = re.compile(r"0[xX]|\\x|b'|[\s,;:_|\-\[\]{}()\"'.]")
_LAST: Final = re.compile(r"[:>=~\-]\s*(?:0[xX])?([0-9A-Fa-f]{2})\s*$")
_MARKS: Final = re.compile(r"0[xX]|\\x|[^0-9A-Fa-f]")
_DECIMAL: Final = re.compile(r"[\s,;\[\](){}]*\d{1,3}(?:[\s,;]+\d{1,3})+[\s,;\[\](){}]*")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_FEWEST_BASE64: Final = 24
_FIRST_LINE: Final = re.compile(r"/[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class Dump:
    """What a dump holds.

    Attributes:
        form: ``hexadecimal``, ``decimal``, ``base64``, ``octets``, ``text`` or ``capture``.
        streams: The octets, and where they come from; several in a capture, one else.
    """

    form: str
    streams: tuple[tuple[str, bytes], ...]

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
    >>> read_dump(b"126, 160, 8").form
    'decimal'
    """
    if content[:4] in _PCAP or content[:4] == _PCAPNG:
        return Dump("capture", _capture(content))
    text = content.removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        raise ConfigurationError("there are no octets")
    if not _TEXT.issuperset(text):
        return _one("octets", content)
    return _of_text(text.decode("ascii"))


def _one(form: str, octets: bytes) -> Dump:
    return Dump(form, (("", octets),))


def _of_text(text: str) -> Dump:
    lines = text.splitlines()
    telegram = any(_FIRST_LINE.match(line) for line in lines) and any(line.startswith("!") for line in lines)
    solid = "".join(text.split())
    base64 = _BASE64.fullmatch(solid) is not None and len(solid) >= _FEWEST_BASE64
    if telegram or (text.lstrip().startswith("/") and not base64):
        return _one("text", text.encode("ascii"))
    if _is_decimal(text):
        return _one("decimal", bytes(map(int, re.findall(r"\d+", text))))
    digits = _SEPARATORS.sub("", text)
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits) and not _STAMP.search(text) and not _ADDRESS.match(text):
        return _one("hexadecimal", bytes.fromhex(digits))
    if sum(_ADDRESS.match(line) is not None for line in lines) * 2 > len(lines):
        lines = [line for line in lines if not _ADDRESS_ALONE.fullmatch(line)]  # the end of a dump
    found = [octets_of_line(line) for line in lines]
    octets = b"".join(found)
    if _BASE64.fullmatch(solid) and not re.fullmatch(r"[0-9A-Fa-f]+", solid):
        try:
            padded = solid.replace("-", "+").replace("_", "/").rstrip("=")
            return _one("base64", b64decode(padded + "=" * (-len(padded) % 4), validate=True))
        except (Base64Error, ValueError):
            pass
    return _one("hexadecimal", octets) if octets else _one("text", text.encode("ascii"))


def _is_decimal(text: str) -> bool:
    """Whether a text is a list of decimal numbers; pairs of digits alone are hexadecimal."""
    if not _DECIMAL.fullmatch(text):
        return False
    numbers = re.findall(r"\d+", text)
    return all(int(number) < 256 for number in numbers) and any(len(number) != 2 for number in numbers)


def octets_of_line(line: str) -> bytes:
    """Return the octets in a line of a dump or a log: those of its longest run of hexadecimal pairs."""
    line = _STAMP.sub(" ~ ", line)
    address = _ADDRESS.match(line)
    if address is not None:
        line = line[address.end() :]
        column = _COLUMN.search(line)
        line = _without_text(line) if column is None else line[: column.start()]
    best = max(_RUN.findall(line), key=len, default="")
    digits = _MARKS.sub("", re.sub(r"0[xX]|\\x", " ", best))
    if len(digits) < 4 and len(digits) < len(re.sub(r"[\s~]", "", line)):
        last = _LAST.search(line)  # anything else is a number in a sentence
        digits = last[1] if last else ""
    return bytes.fromhex(digits) if len(digits) % 2 == 0 else b""


def _without_text(line: str) -> str:
    """Return a line without the column of text beside its octets, which has a sign for each of them."""
    for found in re.finditer(r"\s{2,}", line):
        before, beside = line[: found.start()], line[found.end() :]
        digits = _MARKS.sub("", before)
        if before and 2 * len(beside.rstrip()) <= len(digits) <= 2 * len(beside):
            return before
    return line


class LineReader:
    """Octets of a stream that is either the octets themselves or hexadecimal text, told apart by its begin."""

    __slots__ = ("_line", "form")

    def __init__(self) -> None:
        self.form = ""
        self._line = b""

    def feed(self, content: bytes) -> bytes:
        """Return the octets in what came."""
        if not self.form:
            begin = (self._line + content).removeprefix(_BYTE_ORDER_MARK)
            if _TEXT.issuperset(begin) and not begin.lstrip().startswith(b"/"):
                if b"\n" not in begin and len(begin) < 4096:
                    self._line = begin
                    return b""
                self.form = "hexadecimal"
                self._line, content = b"", begin
            else:
                self.form = "octets"
                content, self._line = self._line + content, b""
        if self.form == "octets":
            return content
        *lines, self._line = (self._line + content).split(b"\n")
        return b"".join(octets_of_line(line.decode("latin-1")) for line in lines)

    def finish(self) -> bytes:
        """Return the octets of the last line, or of all if there is no other."""
        line, self._line = self._line, b""
        if not self.form:
            return read_dump(line).octets if line.strip() else b""
        return octets_of_line(line.decode("latin-1")) if line else b""


# Captures of a network ----------------------------------------------------------------------------------------------


def _capture(content: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return what each sender said over TCP or UDP, retransmissions left out."""
    import io

    try:
        import dpkt
    except ImportError:
        raise ConfigurationError(
            "captures need the package dpkt, which is not installed: pip install 'cosem[pcap]'"
        ) from None
    flows: dict[str, bytearray] = {}
    expected: dict[str, int] = {}
    try:
        reader: Any = (dpkt.pcapng.Reader if content[:4] == _PCAPNG else dpkt.pcap.Reader)(
            io.BytesIO(content)
        )
        link = reader.datalink()
        for _, packet in reader:
            segment = _transport(dpkt, link, packet)
            if segment is None:
                continue
            name, payload, sequence = segment
            if sequence is not None:
                ahead = (expected.get(name, sequence) - sequence) % 2**32
                if 0 < ahead < 2**31:
                    payload = payload[ahead:]  # came before
                expected[name] = max(expected.get(name, 0), (sequence + len(segment[1])) % 2**32)
            flows.setdefault(name, bytearray()).extend(payload)
    except (dpkt.Error, ValueError, IndexError) as error:
        raise ConfigurationError(f"the capture cannot be read: {error}") from None
    return tuple((name, bytes(octets)) for name, octets in flows.items() if octets)


def _transport(dpkt: Any, link: int, packet: bytes) -> tuple[str, bytes, int | None] | None:
    """Return the name of the flow, the payload and the sequence number of a packet; ``None`` for another one."""
    import socket

    makers = {
        dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
        dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
        dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
    }
    try:
        outer: Any = makers[link](packet).data if link in makers else None
        if outer is None:
            outer = dpkt.ip.IP(packet) if packet[:1] and packet[0] >> 4 == 4 else dpkt.ip6.IP6(packet)
        inner = outer.data
        family = socket.AF_INET if len(outer.src) == 4 else socket.AF_INET6
        source, destination = (socket.inet_ntop(family, address) for address in (outer.src, outer.dst))
        kind = {dpkt.tcp.TCP: "tcp", dpkt.udp.UDP: "udp"}[type(inner)]
        name = f"{kind} {source}:{inner.sport} > {destination}:{inner.dport}"
    except (dpkt.Error, AttributeError, KeyError, ValueError, OSError):
        return None
    return name, bytes(inner.data), inner.seq if kind == "tcp" else None
