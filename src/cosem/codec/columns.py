"""Rows as numpy columns: views on the octets of the buffer, cast to native numbers once.

Rows that are equal in layout become strided views; rows that a pattern has cut are
joined column by column. null-data is a mask, deltas are undone with a running sum.
Columns that hold anything else (texts, structures, values that were decoded one by
one) are none of numpy's business: ``None`` is returned, and
:meth:`~cosem.codec.row_template.RowTable.column` has their values.

numpy is an extra. It is imported here by name, when a column is asked for, so that the
core neither needs it nor pays for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from cosem.codec.limits import DEFAULT_LIMITS, Limits
from cosem.codec.moments import SIZE, moments
from cosem.codec.reader import Reader
from cosem.codec.row_pattern import MixedRows
from cosem.codec.row_template import RegularRows, RowTable, scan
from cosem.errors import DecodeError, UnsupportedError

__all__ = [
    "ColumnArray",
    "common_kind",
    "decode_columns",
    "filled",
    "load_numpy",
    "moment_column",
    "number_column",
    "with_deltas_added",
]

_KINDS: Final = {
    3: "?",
    5: "i4",
    6: "u4",
    13: "i1",
    15: "i1",
    16: "i2",
    17: "u1",
    18: "u2",
    20: "i8",
    21: "u8",
    22: "u1",
    23: "f4",
    24: "f8",
    28: "i1",
    29: "i2",
    30: "i4",
    31: "u1",
    32: "u2",
    33: "u4",
}
_DELTAS: Final = frozenset(range(28, 34))
_FLOATS: Final = frozenset({23, 24})
_BOOLEAN, _OCTET_STRING, _LONG64_UNSIGNED, _DATE_TIME = 3, 9, 21, 25


def load_numpy() -> Any:
    """Return numpy.

    Raises:
        UnsupportedError: It is not installed.
    """
    try:
        return import_module("numpy")
    except ModuleNotFoundError:
        raise UnsupportedError(
            "columns need the package numpy, which is not installed: pip install 'cosem[numpy]'"
        ) from None


@dataclass(frozen=True, slots=True)
class ColumnArray:
    """The values of a column.

    Args:
        values: Numbers of one type, booleans, or ``datetime64[us]``.
        nulls: Where null-data was sent; ``None`` for nowhere.
        deltas: Where a difference to the row before was sent; ``None`` for nowhere.
        zoned: Of moments: whether they are UTC; ``True``, ``False`` (local time), or an array of booleans.
        odd: Of moments: the rows with date-times that are none; their values are NaT.
    """

    values: Any
    nulls: Any = None
    deltas: Any = None
    zoned: Any = None
    odd: tuple[int, ...] = ()


def decode_columns(
    octets: bytes, moments: Collection[int] = (), *, limits: Limits = DEFAULT_LIMITS
) -> list[ColumnArray | list[Any]]:
    """Return the columns of an array of structures, or of a compact-array.

    Args:
        octets: One Data, with its tag.
        moments: Numbers of the columns whose octet-strings are date-times.
        limits: What may be built.

    Returns:
        An array for each column, or its values where no array can hold them.

    Raises:
        DecodeError: As :func:`~cosem.codec.data.decode_data`, it is neither, or the rows differ in width.
        LimitError: Too much nesting or too many elements.
        UnsupportedError: numpy is not installed.
    """
    reader = Reader(octets, limits=limits)
    table = scan(reader)
    widths = {None} if table is None else {width for _, width in table.widths()}
    if table is None or len(widths) > 1 or None in widths:
        raise DecodeError("an array of structures with equally many members expected", 0)
    reader.finish()
    found: list[ColumnArray | list[Any]] = []
    for index in range(int(widths.pop() or 0) if widths else 0):
        column = moment_column(table, index) if index in moments else number_column(table, index)
        found.append(table.column(index) if column is None else column)
    return found


def number_column(table: RowTable, index: int) -> ColumnArray | None:
    """Return a column of numbers or booleans; ``None`` if it is none, or its numbers fit no common type.

    Raises:
        UnsupportedError: numpy is not installed.
    """
    numpy = load_numpy()
    segments = table.segments
    if len(segments) == 1 and isinstance(only := segments[0], RegularRows):
        # The usual case, without a copy in between.
        cell = only.layout.cells[index]
        kind = _KINDS.get(cell.tag)
        if kind is not None and cell.tag not in _DELTAS:
            return ColumnArray(_regular(numpy, only, cell.offset, kind))
    tags = table.tags(index) - {0}
    kind = common_kind(tags)
    if kind is None:
        return None
    count = len(table)
    values = numpy.zeros(count, kind)
    nulls = numpy.ones(count, "?")
    deltas = numpy.zeros(count, "?") if tags & _DELTAS else None
    with numpy.errstate(invalid="ignore"):  # any octets are a float32: a signalling NaN is no news
        for tag, place, part in _parts(numpy, table, index):
            values[place] = part
            nulls[place] = False
            if deltas is not None and tag in _DELTAS:
                deltas[place] = True
    return ColumnArray(values, nulls if nulls.any() else None, deltas)


def common_kind(tags: frozenset[int]) -> str | None:
    """Return the numpy type that holds all numbers of these tags exactly; ``None`` if there is none."""
    if not tags or not tags <= _KINDS.keys():
        return None
    if len(tags) == 1 and not tags & _DELTAS:
        return _KINDS[min(tags)]
    if tags <= _FLOATS:
        return "f8"
    if tags & (_FLOATS | {_BOOLEAN, _LONG64_UNSIGNED}):
        return None
    return "i8"


def _regular(numpy: Any, rows: RegularRows, offset: int, kind: str) -> Any:
    view = numpy.ndarray(
        (rows.count,),
        kind if kind == "?" else ">" + kind,
        rows.data,
        rows.start + offset,
        (rows.layout.size,),
    )
    # A boolean is any octet but 0; numpy takes the octet as it is.
    return view.view("u1") != 0 if kind == "?" else view.astype(kind)


def _parts(numpy: Any, table: RowTable, index: int) -> Iterator[tuple[int, Any, Any]]:
    """Yield tag, rows and numbers of everything that was sent in a column, null-data left out."""
    first = 0
    for segment in table.segments:
        if isinstance(segment, RegularRows):
            cell = segment.layout.cells[index]
            if cell.tag:
                part = _regular(numpy, segment, cell.offset, _KINDS[cell.tag])
                yield cell.tag, slice(first, first + segment.count), part
        elif isinstance(segment, MixedRows):
            for form, rows, payload in segment.parts(index):
                kind = _KINDS[form.tag]
                part = numpy.frombuffer(payload, "u1" if kind == "?" else ">" + kind)
                place: Any = slice(first, first + segment.count)
                if rows is not None:
                    place = numpy.array(rows) + first
                yield form.tag, place, part != 0 if kind == "?" else part
        first += segment.count


def moment_column(table: RowTable, index: int) -> ColumnArray | None:
    """Return a column of date-times, as octet-strings or as such; ``None`` if it holds anything else but nulls.

    Raises:
        UnsupportedError: numpy is not installed.
    """
    numpy = load_numpy()
    segments = table.segments
    if not len(table):
        return ColumnArray(numpy.empty(0, "datetime64[us]"), zoned=True)
    if len(segments) == 1 and isinstance(only := segments[0], RegularRows):
        cell = only.layout.cells[index]
        if cell.tag in (_OCTET_STRING, _DATE_TIME) and cell.size == SIZE:
            found = moments(only.data, only.start + cell.offset, only.layout.size, only.count)
            return ColumnArray(found.values, zoned=found.zoned, odd=tuple(found.odd))
    tags = table.tags(index)
    if not tags <= {0, _OCTET_STRING, _DATE_TIME} or tags == {0}:
        return None
    count = len(table)
    octets = bytearray()
    places: list[Any] = []
    first = 0
    for segment in segments:
        if isinstance(segment, RegularRows):
            cell = segment.layout.cells[index]
            if cell.tag and cell.size != SIZE:
                return None
            if cell.tag:
                octets += segment.payload(index)
                places.append(numpy.arange(first, first + segment.count))
        elif isinstance(segment, MixedRows):
            for form, rows, payload in segment.parts(index):
                if form.size != SIZE:
                    return None
                octets += payload
                places.append(
                    first + numpy.arange(segment.count) if rows is None else first + numpy.array(rows)
                )
        first += segment.count
    place = numpy.concatenate(places)
    found = moments(bytes(octets), 0, SIZE, len(place))
    values = numpy.full(count, "NaT", "datetime64[us]")
    values[place] = found.values
    nulls = numpy.ones(count, "?")
    nulls[place] = False
    zoned = found.zoned
    if not isinstance(zoned, bool):
        spread = numpy.zeros(count, "?")
        spread[place] = zoned
        zoned = spread
    odd = tuple(sorted(place[found.odd].tolist()))
    return ColumnArray(values, nulls if nulls.any() else None, zoned=zoned, odd=odd)


def filled(values: Any, nulls: Any, step: int | None = 0) -> tuple[Any, Any]:
    """Return values with the nulls filled from the row before, and where there is none.

    Args:
        values: Numbers, or moments.
        nulls: Where they are missing.
        step: What a missing value is above the one before, in the unit of the values; ``None`` fills nothing.
    """
    numpy = load_numpy()
    if step is None:
        return values, nulls
    count = len(values)
    numbers = numpy.arange(count)
    before = numpy.maximum.accumulate(numpy.where(nulls, -1, numbers))
    known = before >= 0
    made = values[numpy.maximum(before, 0)]
    if step:
        made = made + (numbers - before) * numpy.array(step, _step_kind(values))
    missing = ~known
    return made, missing if missing.any() else None


def _step_kind(values: Any) -> str:
    return "timedelta64[us]" if values.dtype.kind == "M" else "i8"


def with_deltas_added(values: Any, deltas: Any, nulls: Any) -> tuple[Any, Any]:
    """Return numbers in place of differences, and where there are none: each is added to the row before.

    A null adds nothing. A difference without any number before it tells nothing: it becomes a null.

    Args:
        values: Whole numbers, 64 bits.
        deltas: Where they are differences.
        nulls: Where they are missing; ``None`` for nowhere.
    """
    numpy = load_numpy()
    numbers = numpy.arange(len(values))
    bases = ~deltas if nulls is None else ~nulls & ~deltas
    before = numpy.maximum.accumulate(numpy.where(bases, numbers, -1))
    baseless = deltas & (before < 0)
    missing = baseless if nulls is None else nulls | baseless
    base = numpy.maximum(before, 0)
    sums = numpy.cumsum(numpy.where(deltas, values, 0))
    return values[base] + sums - sums[base], missing if missing.any() else None
