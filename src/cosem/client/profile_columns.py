"""Columns of a profile in numpy: nulls filled, deltas added, moments in UTC, without an object for each value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cosem.codec.columns import (
    ColumnArray,
    filled,
    load_numpy,
    moment_column,
    number_column,
    with_deltas_added,
)

if TYPE_CHECKING:
    from cosem.client.profile_layout import Column
    from cosem.client.profile_table import ProfileTable

__all__ = ["Prepared", "numpy_columns", "prepared"]

_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799
"""UNIX times of the years 1 to 9999: what ``datetime`` can be."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A column, put right.

    Args:
        values: Numbers as the meter has them, booleans, or ``datetime64[us]``.
        missing: Where there is none; ``None`` for nowhere.
        utc: Of moments: whether they are UTC; otherwise they are local time of the meter.
    """

    values: Any
    missing: Any = None
    utc: bool | None = None


def prepared(table: ProfileTable, index: int) -> Prepared | None:
    """Return a column that is made of numbers or moments; ``None`` for every other one.

    Raises:
        UnsupportedError: numpy is not installed.
    """
    if table.parent is not None:
        parent, kept = table.parent
        whole = prepared(parent, index)
        if whole is None:
            return None
        places = load_numpy().array(kept, "i8")
        missing = None if whole.missing is None else whole.missing[places]
        return replace(whole, values=whole.values[places], missing=missing)
    column = table.columns[index]
    rows = table.encoded()
    if column.kind != "value" and rows.tags(index) <= {0}:
        numpy = load_numpy()
        values = numpy.full(len(rows), numpy.datetime64("NaT"), "datetime64[us]")
        utc = column.kind == "seconds" or column.zoned is not False
        return Prepared(values, numpy.ones(len(rows), bool) if len(rows) else None, utc)
    if column.kind == "moment":
        found = moment_column(rows, index)
        return None if found is None else _moments(table, column, found)
    found = number_column(rows, index)
    if found is None:
        return None
    values, nulls = found.values, found.nulls
    if found.deltas is not None:
        if not table.fills:
            return None  # they stay differences, which are no numbers among these
        if column.kind == "seconds" and nulls is not None:
            return None  # a difference to a time that was left out: row by row
        values, nulls = with_deltas_added(values, found.deltas, nulls)
    if column.kind == "seconds":
        return _seconds(table, column, values, nulls)
    if nulls is not None and table.fills:
        values, nulls = filled(values, nulls, _step(table, column))
    return Prepared(values, nulls)


def _seconds(table: ProfileTable, column: Column, values: Any, nulls: Any) -> Prepared | None:
    """Return UNIX times as moments; ``None`` if some are no moments of the calendar: row by row, then."""
    if values.dtype.kind not in "iu" or not _in_calendar(values):
        return None
    numpy = load_numpy()
    values = values.astype("i8")
    if nulls is not None and table.fills:
        step = _step(table, column)
        values, nulls = filled(values, nulls, None if step is None else step // 1_000_000)
        if not _in_calendar(values):
            return None
    moments = (values * 1_000_000).view("datetime64[us]")
    if nulls is not None:
        moments = numpy.where(nulls, numpy.datetime64("NaT"), moments)
    return Prepared(moments, nulls, utc=True)


def _in_calendar(seconds: Any) -> bool:
    return int(seconds.min()) >= _FIRST_SECOND and int(seconds.max()) <= _LAST_SECOND


def _step(table: ProfileTable, column: Column) -> int | None:
    """Return what a missing value is above the one before it."""
    if not column.is_clock:
        return 0
    return table.period * 1_000_000 or None


def _moments(table: ProfileTable, column: Column, found: ColumnArray) -> Prepared:
    numpy = load_numpy()
    values, nulls, zoned = found.values, found.nulls, found.zoned
    if nulls is not None and table.fills:
        step = _step(table, column)
        if not isinstance(zoned, bool):
            zoned, _ = filled(zoned, nulls, 0)
        values, nulls = filled(values, nulls, step)
    missing = numpy.isnat(values)
    if nulls is not None:
        missing |= nulls
    if not isinstance(zoned, bool):
        # Some rows say how far they are from UTC, some do not: the others are no moments among these.
        present = zoned[~missing]
        if present.any() and not present.all():
            missing |= ~zoned
        zoned = bool(present.any())
    if missing.any():
        values = numpy.where(missing, numpy.datetime64("NaT"), values)
        return Prepared(values, missing, zoned)
    return Prepared(values, None, zoned)


def numpy_columns(table: ProfileTable, *, scaled: bool = True) -> dict[str, Any]:
    """Return the columns as numpy arrays, by key; see :meth:`ProfileTable.to_numpy`."""
    numpy = load_numpy()
    found: dict[str, Any] = {}
    for index, column in enumerate(table.columns):
        made = prepared(table, index)
        if made is None:
            cells = table.column(index) if scaled else table.unscaled(index)
            numbers = column.scaler_unit is not None and scaled and all(cell is None for cell in cells)
            objects = numpy.empty(len(table), "f8" if numbers else object)
            objects[:] = numpy.nan if numbers else cells
            found[column.key] = objects
            continue
        values, missing = made.values, made.missing
        if made.utc is None:
            if scaled and column.scaler_unit is not None and values.dtype.kind != "b":
                values = _scaled(numpy, values, column.scaler_unit.scaler)
            if missing is not None and scaled and values.dtype.kind != "b":
                values = numpy.where(missing, numpy.nan, values)
            elif missing is not None:
                values = numpy.ma.masked_array(values, missing)
        found[column.key] = values
    return found


def _scaled(numpy: Any, values: Any, scaler: int) -> Any:
    """Return the nearest double-precision numbers: a division by a power of ten rounds once, a product twice."""
    with numpy.errstate(invalid="ignore", over="ignore", under="ignore"):  # of floats that a meter sent
        if scaler >= 0:
            return values * numpy.float64(10.0**scaler)
        return values / numpy.float64(10.0**-scaler)
