"""Where the elements of Data lie, without tags and lengths: those of compact arrays, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from cosem.codec.compact_array import read_type_description
from cosem.codec.reader import Reader
from cosem.codec.scalars import FIXED, TAG_NAMES
from cosem.translate.item import Item
from cosem.types.data import TypeDescription

__all__ = ["elements_of"]

Element: TypeAlias = tuple[str, int, int]
"""Type, first octet, octet after the last."""
_ARRAY, _STRUCTURE, _BIT_STRING = 1, 2, 4
_STRINGS: Final = {9: "octet-string", 10: "visible-string", 12: "utf8-string"}
_NAMED_STRINGS: Final = frozenset(_STRINGS.values())
_NUMBERS: Final = frozenset({5, 6, 13, 15, 16, 17, 18, 20, 21, 22, 23, 24, *range(28, 34)})
_NUMBER_NAMES: Final = frozenset(TAG_NAMES[tag] for tag in _NUMBERS)
_EMPTY: Final = frozenset({0, 255})
_FIXED: Final = {25: 12, 26: 5, 27: 4, 3: 1}


def elements_of(root: Item, octets: bytes) -> Iterator[Element]:
    """Return the strings and numbers of a Data, in their order.

    Args:
        root: The Data, taken apart.
        octets: The message that it lies in.
    """
    stack = [root]
    while stack:
        item = stack.pop()
        if item.kind.startswith("compact-array"):
            yield from _of_compact_array(item, octets)
        elif item.children:
            stack.extend(reversed(item.children))
        elif item.kind in _NAMED_STRINGS:
            first = octets[item.start + 1]
            yield item.kind, item.start + 2 + (first & 0x7F if first & 0x80 else 0), item.stop
        elif item.kind in _NUMBER_NAMES:
            yield item.kind, item.start + 1, item.stop


def _of_compact_array(item: Item, octets: bytes) -> Iterator[Element]:
    described, contents = item.children
    reader = Reader(octets)
    reader.pos = described.start
    description = read_type_description(reader)
    reader.pos = contents.start
    reader.count()
    while reader.pos < contents.stop:
        before = reader.pos
        yield from _element(reader, description)
        if reader.pos == before:
            return


def _element(reader: Reader, description: TypeDescription) -> Iterator[Element]:
    tag = description.tag
    if tag in (_ARRAY, _STRUCTURE):
        repeated = description.count if tag == _ARRAY else 1
        for _ in range(repeated):
            for member in description.members:
                yield from _element(reader, member)
    elif tag in _STRINGS:
        size = reader.count()
        yield _STRINGS[tag], reader.pos, reader.pos + size
        reader.pos += size
    elif tag == _BIT_STRING:
        reader.pos += (reader.count() + 7) // 8
    elif tag not in _EMPTY:
        size = _FIXED[tag] if tag in _FIXED else FIXED[tag].size
        if tag in _NUMBERS:
            yield TAG_NAMES[tag], reader.pos, reader.pos + size
        reader.pos += size
