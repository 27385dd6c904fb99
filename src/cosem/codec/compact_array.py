"""compact-array: the type once, then the elements without tags; and the dialect of Compact data (class 62).

Both descriptions use the tags of Data. In a compact-array the number of elements
of an inner array stands in the description, as two octets; in the template of
Compact data it stands in the contents, as a length. Which one applies follows
from the place, never from the octets.

(IEC 62056-5-3, clause 8, Data and TypeDescription; Blue Book, 4.3.10)
"""

from __future__ import annotations

from typing import Any

from cosem.codec.axdr import encode_length
from cosem.codec.reader import Reader
from cosem.codec.scalars import FIXED, TAG_NAMES
from cosem.errors import EncodeError, LimitError
from cosem.types.data import (
    DONT_CARE,
    Array,
    BitString,
    CompactArray,
    OctetString,
    Structure,
    TypeDescription,
    Utf8String,
    VisibleString,
)
from cosem.types.text import counted

__all__ = ["read_compact_array", "read_contents", "read_type_description", "write_compact_array"]

_ARRAY, _STRUCTURE, _NULL, _DONT_CARE = 1, 2, 0, 255
_BIT_STRING, _OCTET_STRING, _VISIBLE_STRING, _UTF8_STRING = 4, 9, 10, 12
_COMPACT_ARRAY = 19
_VALUES_FOR_AN_OCTET = 16
"""null-data and empty structures take no octets: so many values at most for each octet that is there."""
_SCALARS = {tag: TypeDescription(tag) for tag in TAG_NAMES if tag not in (_ARRAY, _STRUCTURE, _COMPACT_ARRAY)}
_DEEPEST = 200
"""Descriptions are walked by recursion: whatever the limits say, it stays far from Python's own."""


def read_type_description(
    reader: Reader, *, count_in_contents: bool = False, depth: int = 0
) -> TypeDescription:
    """Return the description at the reader.

    Args:
        reader: The octets.
        count_in_contents: The dialect of Compact data: no number of elements behind an array.
        depth: How deep it lies in another description.

    Raises:
        DecodeError: Unknown tag, a compact-array inside, octets missing.
        LimitError: It is nested too deep.
    """
    bound = min(reader.limits.nesting, _DEEPEST)
    if depth > bound:
        raise LimitError("nesting of a type description", depth, bound, reader.pos)
    start = reader.pos
    tag = reader.unsigned(1)
    if tag == _ARRAY:
        count = 0 if count_in_contents else reader.unsigned(2)
        element = read_type_description(reader, count_in_contents=count_in_contents, depth=depth + 1)
        return TypeDescription(tag, count, (element,))
    if tag == _STRUCTURE:
        members = reader.count()
        return TypeDescription(
            tag,
            0,
            tuple(
                read_type_description(reader, count_in_contents=count_in_contents, depth=depth + 1)
                for _ in range(members)
            ),
        )
    scalar = _SCALARS.get(tag)
    if scalar is None:
        reader.fail(f"tag {tag:02X} is not allowed in a type description", start)
    return scalar


def _smallest(description: TypeDescription, *, count_in_contents: bool) -> tuple[int, int, bool]:
    """Return the least octets and the least values of one element, and whether all elements have as many."""
    tag = description.tag
    if tag == _STRUCTURE:
        size, values, same = 0, 1, True
        for member in description.members:
            more, inside, alike = _smallest(member, count_in_contents=count_in_contents)
            size, values, same = size + more, values + inside, same and alike
        return size, values, same
    if tag == _ARRAY:
        if count_in_contents:
            return 1, 1, False
        size, values, same = _smallest(description.members[0], count_in_contents=False)
        return description.count * size, 1 + description.count * values, same
    if (fixed := FIXED.get(tag)) is not None:
        return fixed.size, 1, True
    nothing = tag in (_NULL, _DONT_CARE)
    return (0 if nothing else 1), 1, nothing


class _Budget:
    """The values that may still be built."""

    __slots__ = ("_bound", "left")

    def __init__(self, bound: int) -> None:
        self._bound = self.left = bound

    def spend(self, values: int, offset: int) -> None:
        """Take note that so many values are about to be built.

        Raises:
            LimitError: They are too many.
        """
        self.left -= values
        if self.left < 0:
            raise LimitError("values of a compact-array", self._bound - self.left, self._bound, offset)


def _read_value(
    reader: Reader, description: TypeDescription, budget: _Budget, *, count_in_contents: bool
) -> Any:
    """Return one value without tag; whoever holds it has accounted for it."""
    tag = description.tag
    if (fixed := FIXED.get(tag)) is not None:
        (plain,) = fixed.unpack(reader.take(fixed.size), 0)
        return fixed.make(plain)
    if tag == _STRUCTURE:
        budget.spend(len(description.members), reader.pos)
        return Structure(
            [
                _read_value(reader, member, budget, count_in_contents=count_in_contents)
                for member in description.members
            ]
        )
    if tag == _ARRAY:
        element = description.members[0]
        count = description.count
        if count_in_contents:
            smallest, _, _ = _smallest(element, count_in_contents=True)
            start = reader.pos
            count = reader.length()
            if smallest == 0 or count * smallest > reader.left:
                reader.fail(f"{count} elements cannot fit in {reader.left} octets", start)
        budget.spend(count, reader.pos)
        return Array(
            [_read_value(reader, element, budget, count_in_contents=count_in_contents) for _ in range(count)]
        )
    if tag == _OCTET_STRING:
        return OctetString(reader.octet_string())
    if tag == _VISIBLE_STRING:
        return VisibleString.from_octets(reader.octet_string())
    if tag == _UTF8_STRING:
        return Utf8String.from_octets(reader.octet_string())
    if tag == _BIT_STRING:
        bits = reader.length()
        return BitString(reader.take((bits + 7) // 8), bits)
    return None if tag == _NULL else DONT_CARE


def read_contents(
    reader: Reader,
    description: TypeDescription,
    *,
    count_in_contents: bool = False,
    described_by: int = 64,
) -> list[Any]:
    """Return the elements that the octets of the reader hold, to the last octet.

    Args:
        reader: The contents.
        description: The shape of one element.
        count_in_contents: The dialect of Compact data: the number of elements of an array stands in the contents.
        described_by: Octets that the description took: the values built are bounded by its size and the contents'.

    Raises:
        DecodeError: An element of no octets, or octets that do not come out even.
        LimitError: More values than the limits allow.
    """
    smallest, values, same = _smallest(description, count_in_contents=count_in_contents)
    if smallest == 0:
        reader.fail("elements of a compact-array take no octets")
    octets = reader.left + described_by
    budget = _Budget(min(reader.limits.compact_elements, octets * _VALUES_FOR_AN_OCTET))
    # Nothing is built where the least number of values is too many already.
    fewest = reader.left // smallest if same else min(1, reader.left)
    _Budget(budget.left).spend(fewest * values, reader.pos)
    elements: list[Any] = []
    while reader.left:
        budget.spend(1, reader.pos)
        elements.append(_read_value(reader, description, budget, count_in_contents=count_in_contents))
    return elements


def read_compact_array(reader: Reader) -> CompactArray:
    """Return the compact-array whose tag was just read."""
    begin = reader.pos
    description = read_type_description(reader)
    size_at = reader.pos
    size = reader.length()
    if size > reader.left:
        reader.fail(f"{counted(size, 'octet')} wanted, {reader.left} left", size_at)
    start = reader.pos
    # Offsets stay those of the whole input: the same octets, cut behind the contents.
    inner = Reader(reader.data[: start + size], strict=reader.strict, findings=None, limits=reader.limits)
    inner.pos = start
    elements = read_contents(inner, description, described_by=start - begin)
    reader.pos = start + size
    return CompactArray(elements, description, reader.data[start : start + size])


def _write_type_description(out: bytearray, description: TypeDescription, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise EncodeError("type description nested too deep")
    out.append(description.tag)
    if description.tag == _ARRAY:
        out += description.count.to_bytes(2, "big")
    elif description.tag == _STRUCTURE:
        out += encode_length(len(description.members))
    for member in description.members:
        _write_type_description(out, member, depth + 1)


def _write_value(out: bytearray, value: Any, description: TypeDescription) -> None:
    tag = description.tag
    if (fixed := FIXED.get(tag)) is not None:
        out += fixed.pack(value)[1:]
    elif tag in (_ARRAY, _STRUCTURE):
        members = description.members * description.count if tag == _ARRAY else description.members
        if len(value) != len(members):
            raise EncodeError(f"{len(members)} members wanted, {len(value)} given")
        for member, inner in zip(value, members, strict=True):
            _write_value(out, member, inner)
    elif tag == _BIT_STRING:
        out += encode_length(len(value)) + value.octets
    elif tag == _OCTET_STRING:
        octets = memoryview(value)  # a number is not so many zeros
        out += encode_length(len(octets))
        out += octets
    elif tag in (_VISIBLE_STRING, _UTF8_STRING):
        out += encode_length(len(value.octets)) + value.octets
    elif value != (None if tag == _NULL else DONT_CARE):
        raise EncodeError(f"{type(value).__name__} is not {TAG_NAMES[tag]}")


def write_compact_array(out: bytearray, value: CompactArray) -> None:
    """Append the octets of ``value``, tag included; contents kept from decoding go out unchanged."""
    out.append(_COMPACT_ARRAY)
    _write_type_description(out, value.type_description)
    if value.contents is not None:
        contents = value.contents
    else:
        built = bytearray()
        for element in value:
            _write_value(built, element, value.type_description)
        contents = bytes(built)
    out += encode_length(len(contents)) + contents
