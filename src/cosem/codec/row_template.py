"""A buffer of rows as segments that are equal in layout: no object for each value until one is asked for.

:func:`scan` walks over an array of structures, or a compact-array, once. Equal rows
are found by comparing their tag and length octets column by column
(:mod:`cosem.codec.rows`); rows that vary in few ways, by null-data or a changed type,
are cut by a pattern (:mod:`cosem.codec.row_pattern`); any other row is decoded by the
general path. Octets that hold no rows are left to :func:`cosem.codec.data.read_data`,
which says what is wrong.

What is found is a :class:`~cosem.codec.row_table.RowTable`.
"""

from __future__ import annotations

from typing import Any, Final

from cosem.codec.axdr import encode_length
from cosem.codec.compact_array import read_type_description
from cosem.codec.data import read_data
from cosem.codec.limits import DEFAULT_LIMITS, Limits
from cosem.codec.reader import Reader
from cosem.codec.row_pattern import MixedRows, RowPattern
from cosem.codec.row_table import ODD, OddRows, RegularRows, RowTable, Segment
from cosem.codec.rows import FEWEST_ROWS, Cell, layout_of, learn, regular_rows
from cosem.codec.scalars import FIXED
from cosem.errors import DecodeError
from cosem.types.data import Array, Structure

__all__ = ["ODD", "OddRows", "RegularRows", "RowTable", "Segment", "complete_rows", "decode_rows", "scan"]

_ARRAY, _STRUCTURE, _COMPACT_ARRAY = 1, 2, 19
_LONG_RUN: Final = 32
"""Fewer equal rows are not worth a segment of their own while the pattern knows them."""
_LOOK_AGAIN: Final = (8, 512)
"""After so many rows cut by the pattern a run of equal ones is looked for again; each time later, up to the second."""
_MOST_SHAPES: Final = 16
"""So many times the pattern learns; what else varies is decoded row by row."""
_MOST_ODD: Final = 64
"""After so many rows decoded one by one, and no more others, the general path does the rest at once."""


def decode_rows(octets: bytes, *, limits: Limits = DEFAULT_LIMITS) -> list[Any]:
    """Return the rows of an array of structures, or of a compact-array.

    Numbers and octet-strings are Python's own; :func:`cosem.codec.data.decode_data` gives typed ones.

    Args:
        octets: One Data, with its tag.
        limits: What may be built.

    Raises:
        DecodeError: As :func:`~cosem.codec.data.decode_data`, or it is neither.
        LimitError: Too much nesting or too many elements.
    """
    reader = Reader(octets, limits=limits)
    table = scan(reader)
    if table is None:
        raise DecodeError("an array or a compact-array expected", 0)
    reader.finish()
    return table.rows()


def scan(reader: Reader) -> RowTable | None:
    """Return the rows of the Data at the reader, and move behind it.

    ``None`` stands for Data that is no array and no compact-array; then the reader stays where it is.

    Raises:
        DecodeError: As :func:`~cosem.codec.data.read_data`.
        LimitError: Too much nesting or too many elements.
    """
    start = reader.pos
    tag = reader.data[start] if reader.left else -1
    if tag == _COMPACT_ARRAY:
        return _compact(reader)
    if tag != _ARRAY:
        return None
    reader.pos += 1
    try:
        count = reader.count()
        segments, pos, built = _segments(reader.data, reader.pos, count, reader.limits)
    except DecodeError:
        segments, built = None, 0
    if segments is None or count + built > reader.limits.elements:
        # The general path says what is wrong, and where.
        reader.pos = start
        return RowTable((OddRows(list(read_data(reader))),))  # type: ignore[arg-type]
    reader.pos = pos
    return RowTable(segments)


def complete_rows(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Return an array of the whole rows of an array that was cut off; empty if there is none.

    >>> complete_rows(bytes.fromhex("0103 0202 1101 1102 0202 1103")).hex(" ")
    '01 01 02 02 11 01 11 02'
    """
    if octets[:1] != bytes((_ARRAY,)) or len(octets) > limits.octets:
        return b""
    reader = Reader(octets, limits=limits)
    reader.pos = 1
    try:
        count = reader.length()
    except DecodeError:
        return b""
    start = reader.pos
    segments, stop, _ = _segments(octets, start, count, limits, whole=False)
    whole = sum(segment.count for segment in segments or ())
    return bytes((_ARRAY,)) + encode_length(whole) + octets[start:stop] if whole else b""


def _segments(
    data: bytes, pos: int, count: int, limits: Limits, *, whole: bool = True
) -> tuple[list[Segment] | None, int, int]:
    """Return ``count`` rows as segments, where they end, and how many values they hold.

    Args:
        data: The octets.
        pos: Where the first row starts.
        count: How many there are.
        limits: What may be built.
        whole: Whether ``None`` is returned if a row is missing or bad, or if too few rows are alike to gain
            anything; else the rows before it.
    """
    segments: list[Segment] = []
    pattern: RowPattern | None = None
    shapes = odd = built = 0
    wanted = count
    look = _LOOK_AGAIN[0]
    while count:
        layout = learn(data, pos)
        run = 0 if layout is None else regular_rows(data, pos, layout, count)
        if layout is not None and run >= (FEWEST_ROWS if run == count else _LONG_RUN):
            segments.append(RegularRows(data, pos, run, layout))
            look = _LOOK_AGAIN[0]
            pos += run * layout.size
            count -= run
            built += run * len(layout.cells)
            continue
        if layout is not None:
            if shapes < _MOST_SHAPES and (pattern is None or not pattern.knows(layout)):
                shapes += 1
                pattern = RowPattern.of(layout) if pattern is None else pattern.extended(layout)
            if pattern is not None and (found := pattern.cut(data, pos, min(count, look))):
                rows, pos = found
                look = min(8 * look, _LOOK_AGAIN[1])
                _append_mixed(segments, rows)
                count -= rows.count
                built += rows.count * rows.width
                continue
        try:
            value, pos, values = _odd(data, pos, limits)
        except DecodeError:
            return (None if whole else segments), pos, built
        if segments and isinstance(segments[-1], OddRows):
            segments[-1].values.append(value)
        else:
            segments.append(OddRows([value]))
        count -= 1
        built += values
        odd += 1
        if whole and odd > max(_MOST_ODD, (wanted - count) // 2):
            return None, pos, built
    return segments, pos, built


def _append_mixed(segments: list[Segment], rows: MixedRows) -> None:
    last = segments[-1] if segments else None
    if isinstance(last, MixedRows) and last.pattern is rows.pattern:
        last.groups.extend(rows.groups)
    else:
        segments.append(rows)


def _odd(data: bytes, pos: int, limits: Limits) -> tuple[Any, int, int]:
    """Return the value of a row by the general path, where it ends, and how many values it holds."""
    inner = Limits(limits.nesting - 1, limits.elements, limits.compact_elements, limits.octets)
    reader = Reader(data, limits=inner)
    reader.pos = pos
    value = read_data(reader)
    return value, reader.pos, _values_in(value)


def _values_in(value: Any) -> int:
    """Return how many elements the general decoder would count."""
    if type(value) in (Array, Structure):
        return len(value) + sum(map(_values_in, value))
    return 0


def _compact(reader: Reader) -> RowTable:
    """Return the rows of a compact-array: at once where each element has the size of the first."""
    start = reader.pos
    table = None
    try:
        reader.pos += 1
        description = read_type_description(reader)
        size = reader.length()
        if size <= reader.left and description.tag == _STRUCTURE:
            table = _regular_elements(reader, [member.tag for member in description.members], size)
    except DecodeError:
        table = None  # the general path says what is wrong
    if table is None:
        reader.pos = start
        value: Any = read_data(reader)
        return RowTable((OddRows(list(value)),) if value else (), _COMPACT_ARRAY)
    reader.pos += size
    return table


def _regular_elements(reader: Reader, tags: list[int], size: int) -> RowTable | None:
    """Return the elements at the reader if all are as long as the first, member by member."""
    data, start = reader.data, reader.pos
    cells = []
    at = 0
    for tag in tags:
        length = -1
        if (kind := FIXED.get(tag)) is not None:
            octets = kind.size
        elif tag in _STRING_TAGS and at < size and data[start + at] < 0x80:
            length = data[start + at]
            octets = length if tag != 4 else (length + 7) // 8
            at += 1
        else:
            return None
        cells.append(Cell(tag, at, octets, length))
        at += octets
    if not at or size % at:
        return None
    rows = size // at
    layout = layout_of(tuple(cells), at, tagged=False)
    if rows * (1 + len(cells)) > reader.limits.compact_elements or not rows:
        return None
    if regular_rows(data, start, layout, rows) != rows:
        return None
    return RowTable((RegularRows(data, start, rows, layout),), _COMPACT_ARRAY)


_STRING_TAGS: Final = frozenset({4, 9, 10, 12})
