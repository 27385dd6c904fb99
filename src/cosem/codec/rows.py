"""Equal rows at once: the layout of one row, checked on all, then unpacked in one go.

Meters send arrays of structures that differ in their values only. The layout
(where tags, lengths and payloads lie) is learnt from one row; the tag and length
octets of the rows behind it are compared column by column; as far as they agree,
one precompiled :class:`struct.Struct` unpacks all. Nothing is guessed: a row that
differs in any octet that is not payload ends the run, and the general decoder
takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from itertools import repeat
from struct import Struct
from typing import Any, NamedTuple

from cosem.codec.scalars import FIXED
from cosem.types.data import BitString, OctetString, Structure, Utf8String, VisibleString
from cosem.types.making import trusted

__all__ = [
    "FEWEST_ROWS",
    "PLAIN_CODES",
    "Cell",
    "RowLayout",
    "layout_of",
    "learn",
    "maker_of",
    "read_rows",
    "regular_rows",
    "write_rows",
]

FEWEST_ROWS = 4
"""Below so many rows the general path is as fast."""
_FIRST_WINDOW = 32
"""So many rows are compared before more are looked at."""

_NULL, _BIT_STRING = 0, 4

_STRINGS: dict[int, Callable[[bytes], Any]] = {
    9: trusted(OctetString),
    10: VisibleString.from_octets,
    12: Utf8String.from_octets,
}
"""From octets to value, for the strings that count octets."""
PLAIN_CODES = {3: "?", 23: "f", 24: "d"}
"""What unpacks a type into Python's own value, where the codec unpacks it into something else."""


class Cell(NamedTuple):
    """One member of a row.

    Args:
        tag: Its type.
        offset: Where its payload starts in the row.
        size: Octets of the payload.
        length: What stands before the payload of a string: octets, or bits of a bit-string; -1 for other types.
    """

    tag: int
    offset: int
    size: int
    length: int = -1


class RowLayout(NamedTuple):
    """The layout of a row.

    Args:
        size: Octets of a row.
        fixed: Offset and value of each octet that is the same in every row.
        cells: The members.
        unpack: Unpacks the payloads of consecutive rows.
        makers: From payload to value for each member; ``None`` for null-data.
        plain: Unpacks the same into Python's own numbers and octets.
    """

    size: int
    fixed: tuple[tuple[int, int], ...]
    cells: tuple[Cell, ...]
    unpack: Callable[[bytes], Any]
    makers: tuple[Callable[[Any], Any] | None, ...]
    plain: Callable[[bytes], Any]


def learn(data: bytes, pos: int) -> RowLayout | None:
    """Return the layout of the structure at ``pos``, or ``None`` if it is not flat or not whole."""
    end = len(data)
    if pos + 2 > end or data[pos] != Structure.tag:
        return None
    members = data[pos + 1]
    if not 1 <= members <= 0x7F:
        return None
    cells: list[Cell] = []
    at = pos + 2
    for _ in range(members):
        if at >= end:
            return None
        tag = data[at]
        at += 1
        length = -1
        if (kind := FIXED.get(tag)) is not None:
            size = kind.size
        elif (tag in _STRINGS or tag == _BIT_STRING) and at < end and data[at] < 0x80:
            length = data[at]
            size = length if tag != _BIT_STRING else (length + 7) // 8
            at += 1
        elif tag == _NULL:
            size = 0
        else:
            return None
        cells.append(Cell(tag, at - pos, size, length))
        at += size
    if at > end:
        return None
    return layout_of(tuple(cells), at - pos)


@lru_cache(maxsize=64)
def layout_of(cells: tuple[Cell, ...], size: int, *, tagged: bool = True) -> RowLayout:
    """Compile a layout; meters have few, and send them again and again.

    Args:
        cells: The members.
        size: Octets of a row.
        tagged: Whether the row is a structure with the tags of its members; else the element of a compact-array.
    """
    fixed: list[tuple[int, int]] = [(0, Structure.tag), (1, len(cells))] if tagged else []
    at = len(fixed)
    code = plain = f">{at}x"
    makers: list[Callable[[Any], Any] | None] = []
    for tag, offset, octets, length in cells:
        if tagged:
            fixed.append((at, tag))
        if length >= 0:
            fixed.append((offset - 1, length))
        code += f"{offset - at}x"
        plain += f"{offset - at}x"
        if (kind := FIXED.get(tag)) is not None:
            code += kind.code
            plain += PLAIN_CODES.get(tag, kind.code)
            makers.append(kind.make)
        elif tag == _NULL:
            makers.append(None)
        else:
            code += f"{octets}s"
            plain += f"{octets}s"
            makers.append(maker_of(tag, length))
        at = offset + octets
    return RowLayout(
        size,
        tuple(fixed),
        cells,
        Struct(code).iter_unpack,
        tuple(makers),
        Struct(plain).iter_unpack,
    )


def maker_of(tag: int, length: int) -> Callable[[bytes], Any]:
    """Return what makes the value of a string from its octets; ``length`` counts the bits of a bit-string."""
    return partial(BitString, length=length) if tag == _BIT_STRING else _STRINGS[tag]


def regular_rows(data: bytes, pos: int, layout: RowLayout, most: int) -> int:
    """Return how many rows from ``pos`` on, at most ``most``, have the layout to the octet."""
    size = layout.size
    whole = min(most, (len(data) - pos) // size)
    found = 0
    window = _FIRST_WINDOW
    while found < whole:
        # Window after window, each wider than all before it: a run that ends soon costs little, however
        # much the octets far behind it look like more of the same.
        rows = wanted = min(window, whole - found)
        start = pos + found * size
        for offset, octet in layout.fixed:
            first = start + offset
            column = data[first : first + (rows - 1) * size + 1 : size]
            if column.count(octet) != rows:
                rows -= len(column.lstrip(bytes((octet,))))
                if not rows:
                    return found
        found += rows
        if rows < wanted:
            break
        window *= 16
    return found


def read_rows(data: bytes, pos: int, most: int) -> tuple[list[Any], int]:
    """Return the structures of the longest run of equal rows at ``pos``, and the octets they took.

    The list is empty where the general decoder must do the work.
    """
    layout = learn(data, pos)
    if layout is None:
        return [], 0
    rows = regular_rows(data, pos, layout, most)
    if rows < FEWEST_ROWS:
        return [], 0
    taken = rows * layout.size
    columns = zip(*layout.unpack(data[pos : pos + taken]), strict=True)
    values: list[Any] = [
        repeat(None, rows) if maker is None else map(maker, next(columns)) for maker in layout.makers
    ]
    return list(map(Structure, zip(*values, strict=True))), taken


def write_rows(rows: tuple[Any, ...]) -> bytearray | None:
    """Return the octets of structures that all have the same layout; ``None`` if they have not.

    The first row is repeated; each octet that is not the same in all rows is then placed, over all of them, by one
    slice assignment.

    Raises:
        struct.error: A value is out of range.
    """
    width = len(rows[0])
    count = len(rows)
    if not 1 <= width <= 0x7F:
        return None
    try:
        columns = list(zip(*rows, strict=True))
    except ValueError:
        return None
    template = bytearray((Structure.tag, width))
    payloads: list[tuple[int, int, bytes]] = []
    for column in columns:
        kind = type(column[0])
        # Whatever is joined to octets is an octet-string; of everything else the types must be the same.
        if kind is not OctetString and list(map(type, column)) != [kind] * count:
            return None
        if kind is type(None):
            template.append(_NULL)
            continue
        tag = 3 if kind is bool else getattr(kind, "tag", None)
        if (fixed := FIXED.get(tag)) is not None:  # type: ignore[arg-type]
            values = column if fixed.plain is None else map(fixed.plain, column)
            numbers = len(fixed.code) == 1
            octets = Struct(f">{count}{fixed.code}").pack(*values) if numbers else b"".join(values)
            template.append(tag)  # type: ignore[arg-type]
            size = fixed.size
        elif kind is OctetString:
            size = len(column[0])
            try:
                octets = b"".join(column)
                if size > 0x7F or list(map(len, column)) != [size] * count:
                    return None
            except TypeError:  # it holds something else, too
                return None
            template += bytes((OctetString.tag, size))
        else:
            return None
        payloads.append((len(template), size, octets))
        template += octets[:size]
    row_size = len(template)
    out = template * count
    for offset, size, octets in payloads:
        for index in range(size):
            plane = octets[index::size]
            if plane != plane[:1] * count:
                out[offset + index :: row_size] = plane
    return out
