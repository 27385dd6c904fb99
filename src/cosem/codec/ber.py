"""BER as ACSE needs it: tag, definite length, contents (ISO/IEC 8825-1).

Tags of one octet, lengths of up to four. Lengths are written in their shortest
form and read in any; the indefinite form is refused.
"""

from __future__ import annotations

from cosem.codec.axdr import encode_length
from cosem.codec.reader import Reader
from cosem.errors import EncodeError

__all__ = ["encode_integer", "encode_tlv", "read_integer", "read_object_identifier", "read_tlv"]

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
        reader.fail(f"{size} octets wanted, {reader.left} left", reader.pos)
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
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def read_object_identifier(reader: Reader) -> bytes:
    """Return the contents of an OBJECT IDENTIFIER.

    Raises:
        DecodeError: It is empty, its last arc does not end, or it has more than 16 arcs.
    """
    start = reader.pos
    octets = reader.take(reader.left)
    if not octets or octets[-1] & 0x80:
        reader.fail("object identifier without end", start)
    if sum(octet < 0x80 for octet in octets) > _MOST_ARCS or len(octets) > 5 * _MOST_ARCS:
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
