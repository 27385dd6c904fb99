"""A buffer of rows that is not decoded yet: segments of equal, of mixed and of odd rows.

The values are those of the general path, in every respect but one: numbers are
Python's own, and their type is kept once for all (:meth:`RowTable.tags`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, TypeAlias

from cosem.codec.row_pattern import MixedRows, forms_of
from cosem.codec.rows import RowLayout
from cosem.types.data import Array, OctetString, Structure

__all__ = ["ODD", "OddRows", "RegularRows", "RowTable", "Segment"]

ODD: Final = -1
"""In place of the tag of a column whose values were decoded one by one."""


@dataclass(frozen=True, slots=True)
class RegularRows:
    """Rows that are equal in every octet that is not payload.

    Args:
        data: The octets they lie in.
        start: Where the first one starts.
        count: How many there are.
        layout: Where their payloads lie.
    """

    data: bytes
    start: int
    count: int
    layout: RowLayout

    @property
    def width(self) -> int:
        """How many values each row has."""
        return len(self.layout.cells)

    @property
    def octets(self) -> bytes:
        """The octets of these rows alone."""
        return self.data[self.start : self.start + self.count * self.layout.size]

    def tags(self, index: int) -> frozenset[int]:
        """Return the tags that a column has."""
        return frozenset((self.layout.cells[index].tag,))

    def payload(self, index: int) -> bytes:
        """Return the payloads of a column, one behind the other."""
        cell, size = self.layout.cells[index], self.layout.size
        out = bytearray(self.count * cell.size)
        first = self.start + cell.offset
        stop = self.start + self.count * size
        for octet in range(cell.size):
            out[octet :: cell.size] = self.data[first + octet : stop : size]
        return bytes(out)

    def column(self, index: int) -> list[Any]:
        """Return the values of a column."""
        form = forms_of(self.layout)[index]
        return form.unpack(self.payload(index), self.count) if form.tag else [None] * self.count

    def typed_column(self, index: int) -> list[Any]:
        """Return the values of a column, every one with its type."""
        form = forms_of(self.layout)[index]
        return form.typed(self.payload(index), self.count) if form.tag else [None] * self.count

    def without_first(self, count: int) -> RegularRows:
        """Return the rows behind the first ``count``."""
        start = self.start + count * self.layout.size
        return RegularRows(self.data, start, self.count - count, self.layout)

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows; octet-strings are plain octets."""
        forms = forms_of(self.layout)
        unpacked = self.layout.plain(self.octets)
        makers = [None if form.tag in {0, OctetString.tag} else form.make for form in forms]
        if not any(makers) and all(form.tag for form in forms):
            return list(unpacked)
        columns = zip(*unpacked, strict=True)
        return list(
            zip(
                *(
                    repeat(None, self.count)
                    if form.tag == 0
                    else (next(columns) if make is None else map(make, next(columns)))
                    for form, make in zip(forms, makers, strict=True)
                ),
                strict=True,
            )
        )


@dataclass(frozen=True, slots=True)
class OddRows:
    """Rows that were decoded one by one.

    Args:
        values: What they hold; an element that is no structure is as it came.
    """

    values: list[Any]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def width(self) -> int:
        """How many values each row has; -1 if they differ, or if one is no structure."""
        widths = {len(row) if isinstance(row, tuple) else -1 for row in self.values}
        return widths.pop() if len(widths) == 1 else -1

    def tags(self, index: int) -> frozenset[int]:
        """Return the mark of values that have their types with them."""
        del index
        return frozenset((ODD,))

    def column(self, index: int) -> list[Any]:
        """Return the values of a column."""
        return [row[index] for row in self.values]

    def typed_column(self, index: int) -> list[Any]:
        """Return the values of a column, every one with its type."""
        return self.column(index)

    def without_first(self, count: int) -> OddRows:
        """Return the rows behind the first ``count``."""
        return OddRows(self.values[count:])

    def rows(self) -> list[Any]:
        """Return the rows."""
        return list(self.values)


Segment: TypeAlias = RegularRows | MixedRows | OddRows


class RowTable:
    """A buffer of rows, not decoded yet.

    Args:
        segments: Its rows, in order.
        tag: Array or compact-array.
    """

    __slots__ = ("_count", "segments", "tag")

    def __init__(self, segments: Sequence[Segment], tag: int = Array.tag) -> None:
        self.segments = tuple(segments)
        self.tag = tag
        self._count = sum(segment.count for segment in self.segments)

    def __len__(self) -> int:
        return self._count

    def __add__(self, other: RowTable) -> RowTable:
        return RowTable(self.segments + other.segments, self.tag)

    def __repr__(self) -> str:
        return f"<RowTable {len(self)} rows in {len(self.segments)} segments>"

    def without_first(self, count: int) -> RowTable:
        """Return the rows behind the first ``count``."""
        kept: list[Segment] = []
        for segment in self.segments:
            if count >= segment.count:
                count -= segment.count
            elif count:
                kept.append(segment.without_first(count))
                count = 0
            else:
                kept.append(segment)
        return RowTable(kept, self.tag)

    def widths(self) -> Iterator[tuple[int, Any]]:
        """Yield the number of the first row and its width for each segment; the odd rows one by one."""
        number = 0
        for segment in self.segments:
            if isinstance(segment, OddRows):
                for index, row in enumerate(segment.values):
                    yield number + index, len(row) if isinstance(row, tuple) else None
            else:
                yield number, segment.width
            number += segment.count

    def tags(self, index: int) -> frozenset[int]:
        """Return the tags that a column has; -1 among them for values that were decoded one by one."""
        found: frozenset[int] = frozenset()
        for segment in self.segments:
            found |= segment.tags(index)
        return found

    def column(self, index: int) -> list[Any]:
        """Return the values of a column; numbers are Python's own."""
        if len(self.segments) == 1:
            return self.segments[0].column(index)
        values: list[Any] = []
        for segment in self.segments:
            values += segment.column(index)
        return values

    def values(self) -> list[Any]:
        """Return the rows as the general path gives them, every value with its type."""
        rows: list[Any] = []
        for segment in self.segments:
            if isinstance(segment, OddRows):
                rows += segment.values
            else:
                columns = (segment.typed_column(index) for index in range(segment.width))
                rows += map(Structure, zip(*columns, strict=True))
        return rows

    def rows(self) -> list[Any]:
        r"""Return the rows; numbers and octet-strings are Python's own.

        >>> from cosem.codec.reader import Reader
        >>> from cosem.codec.row_template import scan
        >>> table = scan(Reader(bytes.fromhex("0102 0202 1101 0901AA 0202 1102 0901BB")))
        >>> table.rows()
        [(1, b'\xaa'), (2, b'\xbb')]
        """
        if len(self.segments) == 1:
            return self.segments[0].rows()
        values: list[Any] = []
        for segment in self.segments:
            values += segment.rows()
        return values
