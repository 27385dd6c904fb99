"""Data: octets to values and back (IEC 62056-5-3, clause 8).

The decoder is one loop over an explicit stack, so that no nesting of a hostile
message can exhaust Python's own. Counts are checked against the octets left
before anything is built. Runs of equal rows are unpacked at once
(:mod:`cosem.codec.rows`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from cosem.codec.axdr import encode_length
from cosem.codec.compact_array import read_compact_array, write_compact_array
from cosem.codec.limits import DEFAULT_LIMITS, Limits
from cosem.codec.reader import Reader
from cosem.codec.rows import FEWEST_ROWS, read_rows, write_rows
from cosem.codec.scalars import FIXED
from cosem.errors import DecodeError, EncodeError, LimitError
from cosem.types.data import (
    DONT_CARE,
    Array,
    BitString,
    CompactArray,
    DontCare,
    OctetString,
    Structure,
    Utf8String,
    VisibleString,
)
from cosem.types.making import octets as octets_of
from cosem.types.making import trusted
from cosem.types.text import counted

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["decode_data", "encode_data", "read_data", "write_data"]

_NULL, _ARRAY, _STRUCTURE, _BIT_STRING, _COMPACT_ARRAY, _DONT_CARE = 0, 1, 2, 4, 19, 255
_CONTAINERS: dict[int, type[Any]] = {_ARRAY: Array, _STRUCTURE: Structure}
_STRINGS: dict[int, Callable[[bytes], Any]] = {
    9: trusted(OctetString),
    10: VisibleString.from_octets,
    12: Utf8String.from_octets,
}
_SCALARS = tuple(
    (FIXED[tag].make, FIXED[tag].unpack, 1 + FIXED[tag].size) if tag in FIXED else None for tag in range(256)
)
_MISSES = 3
"""So many rows in turn may break the pattern before an array is read item by item."""
_LONG_RUN = 16
"""Runs of fewer rows count as broken too: a layout for each of them would cost more than it saves."""


def decode_data(
    octets: bytes, *, strict: bool = False, findings: list[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> DataValue:
    """Return the value that ``octets`` hold.

    Args:
        octets: One Data, with its tag.
        strict: Whether a tolerated deviation is an error.
        findings: Where deviations are named; octets after the value are an error unless it is given.
        limits: What may be built.

    Raises:
        DecodeError: Unknown tag, octets missing, or octets too many.
        LimitError: Too much nesting or too many elements.
        ConversionError: A text or a number was given instead of octets.

    >>> decode_data(bytes.fromhex("0202 0FFF 161E"))
    Structure((Integer(-1), Enum(30)))
    """
    if type(octets) is not bytes:
        octets = octets_of(octets, "Data")
    reader = Reader(octets, strict=strict, findings=findings, limits=limits)
    value = read_data(reader)
    reader.finish()
    return value


def read_data(reader: Reader) -> DataValue:
    """Return the Data at the reader, and move behind it.

    Raises:
        DecodeError: Unknown tag or octets missing; its path names the elements, as ``[3][1]``.
        LimitError: Too much nesting or too many elements.
    """
    data = reader.data
    pos = reader.pos
    end = len(data)
    scalars = _SCALARS
    if pos < end and (scalar := scalars[data[pos]]) is not None:  # most Data are a number alone
        make, unpack, size = scalar
        if pos + size <= end:
            reader.pos = pos + size
            only: DataValue = make(unpack(data, pos + 1)[0])
            return only
    items: list[Any] = []
    remaining = 1
    container: type[Any] | None = None
    misses = 0
    built = 0
    stack: list[tuple[list[Any], int, type[Any] | None, int]] = []
    try:
        while True:
            while not remaining:
                if container is None:
                    reader.pos = pos
                    whole: DataValue = items[0]
                    return whole
                value = container(items)
                items, remaining, container, misses = stack.pop()
                items.append(value)
            if (
                container is Array
                and remaining >= FEWEST_ROWS
                and misses < _MISSES
                and data[pos] == _STRUCTURE
                and len(stack) < reader.limits.nesting
            ):
                rows, taken = read_rows(data, pos, remaining)
                if rows:
                    items += rows
                    remaining -= len(rows)
                    pos += taken
                    misses = 0 if len(rows) >= _LONG_RUN else misses + 1
                    built += len(rows) * len(rows[0])
                    if built > reader.limits.elements:
                        raise LimitError("elements", built, reader.limits.elements, pos)
                    continue
                misses += 1
            remaining -= 1
            tag = data[pos]
            scalar = scalars[tag]
            if scalar is not None:
                make, unpack, size = scalar
                items.append(make(unpack(data, pos + 1)[0]))
                pos += size
                continue
            pos += 1
            if tag in _CONTAINERS:
                reader.pos = pos
                count = reader.count()
                pos = reader.pos
                built += count
                if len(stack) >= reader.limits.nesting:
                    raise LimitError("nesting", len(stack) + 1, reader.limits.nesting, pos)
                if built > reader.limits.elements:
                    raise LimitError("elements", built, reader.limits.elements, pos)
                stack.append((items, remaining, container, misses))
                items = []
                remaining = count
                container = _CONTAINERS[tag]
                misses = 0
            elif tag in _STRINGS:
                size = data[pos]
                if size < 0x80 and pos + size < end:
                    pos += 1
                    octets = data[pos : pos + size]
                    pos += size
                else:
                    reader.pos = pos
                    octets = reader.octet_string()
                    pos = reader.pos
                items.append(_STRINGS[tag](octets))
            elif tag == _NULL:
                items.append(None)
            else:
                reader.pos = pos
                items.append(_read_rare(reader, tag))
                pos = reader.pos
    except (IndexError, struct.error):
        reader.pos = pos
        raise DecodeError(f"octets missing, {end - pos} left", pos, _path(stack, items)) from None
    except LimitError as error:
        raise LimitError(error.name, error.value, error.bound, error.offset, _path(stack, items)) from None
    except DecodeError as error:
        raise DecodeError(error.problem, error.offset, _path(stack, items)) from None


def _path(stack: list[tuple[list[Any], int, type[Any] | None, int]], items: list[Any]) -> str:
    """Return the indices of the element that was being read; empty for the whole."""
    levels = [*(frame[0] for frame in stack), items][1:]
    return "".join(f"[{len(level)}]" for level in levels)


def _read_rare(reader: Reader, tag: int) -> Any:
    """Return the value of a tag that few messages hold, the tag just read."""
    if tag == _BIT_STRING:
        bits = reader.length()
        size = (bits + 7) // 8
        if size > reader.left:
            reader.fail(f"{counted(size, 'octet')} wanted, {reader.left} left")
        return BitString(reader.take(size), bits)
    if tag == _COMPACT_ARRAY:
        return read_compact_array(reader)
    if tag == _DONT_CARE:
        return DONT_CARE
    return reader.fail(f"tag {tag:02X} is no type of Data", reader.pos - 1)


def encode_data(value: DataValue) -> bytes:
    """Return the octets of ``value``, tag included.

    Raises:
        EncodeError: It is of no COSEM type, or out of the range of its type.

    >>> from cosem.types.data import DoubleLongUnsigned
    >>> encode_data(DoubleLongUnsigned(5009)).hex(" ")
    '06 00 00 13 91'
    """
    out = bytearray()
    write_data(out, value)
    return bytes(out)


def write_data(out: bytearray, value: DataValue, depth: int = 0) -> None:
    """Append the octets of ``value``, tag included.

    Raises:
        EncodeError: It is of no COSEM type, or out of the range of its type.
    """
    write = _WRITERS.get(type(value)) or _writer_of(value)
    try:
        write(out, value, depth)
    except (struct.error, OverflowError, UnicodeEncodeError):
        _complain(value)


def _scalar_writer(pack: Callable[[Any], bytes]) -> Callable[[bytearray, Any, int], None]:
    def write(out: bytearray, value: Any, depth: int) -> None:
        del depth
        out += pack(value)

    return write


def _write_null(out: bytearray, value: None, depth: int) -> None:
    del value, depth
    out.append(_NULL)


def _write_string(out: bytearray, value: Any, depth: int) -> None:
    del depth
    octets = value.octets
    out.append(value.tag)
    out += encode_length(len(octets))
    out += octets


def _write_octet_string(out: bytearray, value: bytes, depth: int) -> None:
    del depth
    out.append(OctetString.tag)
    out += encode_length(len(value))
    out += value


def _write_bit_string(out: bytearray, value: BitString, depth: int) -> None:
    del depth
    out.append(BitString.tag)
    out += encode_length(len(value))
    out += value.octets


def _write_compact_array(out: bytearray, value: CompactArray, depth: int) -> None:
    del depth
    try:
        write_compact_array(out, value)
    except (TypeError, AttributeError, ValueError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError(f"an element does not fit the type description: {error}") from None


def _write_dont_care(out: bytearray, value: DontCare, depth: int) -> None:
    del value, depth
    out.append(_DONT_CARE)


def _write_array(out: bytearray, value: Array, depth: int) -> None:
    if len(value) >= FEWEST_ROWS and type(value[0]) is Structure and depth + 1 < DEFAULT_LIMITS.nesting:
        try:
            rows = write_rows(value) if list(map(type, value)) == [Structure] * len(value) else None
        except struct.error:
            rows = None  # the general path says which value does not fit
        if rows is not None:
            out.append(_ARRAY)
            out += encode_length(len(value))
            out += rows
            return
    _write_container(out, value, depth)


def _write_container(out: bytearray, value: Array | Structure, depth: int) -> None:
    if depth >= DEFAULT_LIMITS.nesting:
        raise EncodeError(f"nested deeper than {DEFAULT_LIMITS.nesting}")
    out.append(value.tag)
    out += encode_length(len(value))
    writers = _WRITERS
    inner = depth + 1
    done = 0
    try:
        for member in value:
            write = writers.get(type(member)) or _writer_of(member)
            write(out, member, inner)
            done += 1
    except (struct.error, OverflowError, UnicodeEncodeError):
        _complain(value[done], f"[{done}]")
    except EncodeError as error:
        raise EncodeError(error.problem, f"[{done}]{error.path}") from None


def _writer_of(value: object) -> Callable[[bytearray, Any, int], None]:
    """Return the writer of a scalar met for the first time, of a subclass, or of plain octets."""
    tag = getattr(value, "tag", None)
    if tag in FIXED:
        writer = _WRITERS[type(value)] = _scalar_writer(FIXED[tag].pack)
        return writer
    for kind in type(value).__mro__[1:]:
        if (write := _WRITERS.get(kind)) is not None and kind is not object:
            return write
    if isinstance(value, (bytearray, memoryview)):
        return _write_octet_string
    problem = f"{type(value).__name__} is no COSEM type"
    if isinstance(value, int):
        problem += ": say which, for example DoubleLongUnsigned(5)"
    elif isinstance(value, str):
        problem += ": say which, VisibleString, Utf8String or OctetString"
    elif isinstance(value, (tuple, list)):
        problem += ": say which, Array or Structure"
    raise EncodeError(problem)


def _complain(value: Any, path: str = "") -> NoReturn:
    """Raise the error of a value that does not fit its own type."""
    name = getattr(value, "asn1_name", type(value).__name__)
    if (minimum := getattr(value, "minimum", None)) is not None:
        raise EncodeError(f"{int(value)} is outside {minimum}..{value.maximum} of {name}", path)
    raise EncodeError(f"value does not fit {name}", path)


_WRITERS: dict[type[Any], Callable[[bytearray, Any, int], None]] = {
    type(None): _write_null,
    bool: _scalar_writer(lambda value: b"\x03\x01" if value else b"\x03\x00"),
    Array: _write_array,
    Structure: _write_container,
    BitString: _write_bit_string,
    bytes: _write_octet_string,
    OctetString: _write_octet_string,
    VisibleString: _write_string,
    Utf8String: _write_string,
    CompactArray: _write_compact_array,
    DontCare: _write_dont_care,
}
