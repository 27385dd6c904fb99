"""BER as ACSE needs it: tag, definite length, contents (ISO/IEC 8825-1).

Tags of one octet, lengths of up to four. Lengths are written in their shortest
form and read in any; the indefinite form is refused.
"""

from __future__ import annotations

from cosem.codec.axdr import encode_length
from cosem.codec.reader import Reader
from cosem.errors import ConversionError, EncodeError
from cosem.types.text import counted

__all__ = [
    "encode_integer",
    "encode_object_identifier",
    "encode_tlv",
    "object_identifier_from_text",
    "object_identifier_text",
    "read_integer",
    "read_object_identifier",
    "read_tlv",
]

_INTEGER, _MOST_ARCS = 0x02, 16


def encode_tlv(tag: int, contents: bytes) -> bytes:
    """Return tag, length and contents."""
    return bytes((tag,)) + encode_length(len(contents)) + contents


def read_tlv(reader: Reader) -> tuple[int, Reader]:
    """Return the next tag, and a reader of its contents whose offsets are those of the whole input.

    Raises:
        DecodeError: A tag of more than one octet, an indefinite or too long length, octets missing.
    """
    start = reader.pos
    tag = reader.unsigned(1)
    if tag & 0x1F == 0x1F:
        reader.fail(f"tag {tag:02X} begins a tag of several octets", start)
    size = reader.length()
    if size > reader.left:
        reader.fail(f"{counted(size, 'octet')} wanted, {reader.left} left", reader.pos)
    begin = reader.pos
    reader.pos = begin + size
    return tag, reader.within(begin, begin + size)


def read_integer(reader: Reader) -> int:
    """Return the contents of an INTEGER of 1 to 4 octets, two's complement.

    Raises:
        DecodeError: No octets, or more than four.
    """
    if not 1 <= reader.left <= 4:
        reader.fail(f"INTEGER of {reader.left} octets")
    return reader.signed(reader.left)


def encode_integer(value: int) -> bytes:
    """Return the shortest contents of an INTEGER."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return value.to_bytes(size, "big", signed=True)


def read_object_identifier(reader: Reader) -> bytes:
    """Return the contents of an OBJECT IDENTIFIER.

    Raises:
        DecodeError: It is empty, its last arc does not end, or it has more than 16 arcs.
    """
    start = reader.pos
    octets = reader.take(reader.left)
    if not octets or octets[-1] & 0x80:
        reader.fail("object identifier without end", start)
    # The first number holds two arcs.
    if sum(octet < 0x80 for octet in octets) >= _MOST_ARCS or len(octets) > 5 * _MOST_ARCS:
        reader.fail(f"object identifier of more than {_MOST_ARCS} arcs", start)
    return octets


def encode_object_identifier(octets: bytes) -> bytes:
    """Return the contents of an OBJECT IDENTIFIER, after a look at them.

    Raises:
        EncodeError: It is empty or its last arc does not end.
    """
    if not octets or octets[-1] & 0x80:
        raise EncodeError("object identifier without end")
    return octets


def object_identifier_text(octets: bytes) -> str:
    """Return the arcs of an OBJECT IDENTIFIER, with dots.

    >>> object_identifier_text(bytes.fromhex("60857405080101"))
    '2.16.756.5.8.1.1'
    """
    arcs: list[int] = []
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            if not arcs:  # the first two arcs share one number
                first = min(value // 40, 2)
                arcs.append(first)
                value -= 40 * first
            arcs.append(value)
            value = 0
    return ".".join(map(str, arcs))


def object_identifier_from_text(text: str) -> bytes:
    """Return the contents of the OBJECT IDENTIFIER with these arcs.

    Raises:
        ConversionError: It is no object identifier of 2 to 16 arcs of up to ten digits each.

    >>> object_identifier_from_text("2.16.756.5.8.1.1").hex()
    '60857405080101'
    """
    parts = text.strip().split(".")
    if not 2 <= len(parts) <= _MOST_ARCS or not all(
        part.isascii() and part.isdigit() and len(part) <= 10 for part in parts
    ):
        raise ConversionError(f"{text!r} is no object identifier")
    first, second, *rest = map(int, parts)
    if first > 2 or (first < 2 and second > 39):
        raise ConversionError(f"{text!r} is no object identifier")
    return b"".join(map(_arc, (40 * first + second, *rest)))


def _arc(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(0x80 | value & 0x7F)
    return bytes(reversed(octets))
