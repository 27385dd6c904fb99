"""A profile as a table: what the meter sent, put right, with units, in rows or columns.

The values as they came stay; what they mean is worked out for a column when it is
first asked for, so that a reader of one column pays for one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO, overload

from cosem.client.profile_layout import Column, ProfileLayout
from cosem.errors import ConversionError, ProtocolError
from cosem.types.data import (
    DeltaDoubleLong,
    DeltaDoubleLongUnsigned,
    DeltaInteger,
    DeltaLong,
    DeltaLongUnsigned,
    DeltaUnsigned,
)
from cosem.types.date_time import DateTime

__all__ = ["ProfileTable"]

_DELTAS = frozenset(
    {DeltaInteger, DeltaLong, DeltaDoubleLong, DeltaUnsigned, DeltaLongUnsigned, DeltaDoubleLongUnsigned}
)


class ProfileTable:
    """Rows of a profile.

    A null in a column that tells the time means one capture period after the row before, and
    in any other column the value of the row before; a delta is added to it. Register values are
    scaled exactly. Clock columns are ``datetime``, with zone where the meter says it.

    Args:
        layout: What the rows mean.
        raw: The buffer, as it came: an array of structures, or a compact-array.
        selected_by: How the meter selected the rows: ``"range"``, ``"entry"`` or ``"whole"``.
        fill: Whether nulls are filled; otherwise they stay ``None``.

    Raises:
        ProtocolError: The buffer does not have the columns of the layout.
    """

    def __init__(
        self, layout: ProfileLayout, raw: Any, selected_by: str = "whole", *, fill: bool = True
    ) -> None:
        self.layout = layout
        self.selected_by = selected_by
        self.raw = _checked(raw, len(layout.columns))
        self._fill = fill
        self._values: dict[int, list[Any]] = {}
        self._rows: list[tuple[Any, ...]] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """What each value of a row is."""
        return self.layout.columns

    @property
    def keys(self) -> tuple[str, ...]:
        """What the columns are called."""
        return tuple(column.key for column in self.layout.columns)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """All rows, as tuples."""
        if self._rows is None:
            columns = [self._column(index) for index in range(len(self.columns))]
            self._rows = list(zip(*columns, strict=True)) if columns else []
        return self._rows

    def column(self, key: str | int | Column) -> list[Any]:
        """Return the values of a column.

        Args:
            key: Its key, its number from 0 on, or the column itself.

        Raises:
            KeyError: There is no such column.
        """
        if isinstance(key, int):
            if not -len(self.columns) <= key < len(self.columns):
                raise KeyError(key)
            return self._column(key % len(self.columns))
        wanted = key if isinstance(key, str) else key.key
        for index, column in enumerate(self.columns):
            if column.key == wanted:
                return self._column(index)
        raise KeyError(key)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each row as a dictionary by the keys of the columns."""
        keys = self.keys
        return [dict(zip(keys, row, strict=True)) for row in self.rows]

    @overload
    def to_csv(self, file: None = None) -> str: ...
    @overload
    def to_csv(self, file: str | Path | TextIO) -> None: ...
    def to_csv(self, file: str | Path | TextIO | None = None) -> str | None:
        """Write the table as CSV: a line of keys with units, then the rows; date-times as ISO 8601.

        Texts that a spreadsheet would take for a formula get an apostrophe in front.

        Args:
            file: Where to; ``None`` returns the text.
        """
        if file is None:
            text = io.StringIO()
            self._write_csv(text)
            return text.getvalue()
        if isinstance(file, (str, Path)):
            with Path(file).open("w", encoding="utf-8", newline="") as opened:
                self._write_csv(opened)
            return None
        self._write_csv(file)
        return None

    def _write_csv(self, file: TextIO) -> None:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            f"{column.key} [{column.unit}]" if column.unit else column.key for column in self.columns
        )
        writer.writerows(map(_csv_row, self.rows))

    def where(self, keep: Iterable[bool]) -> ProfileTable:
        """Return the table of those rows for which ``keep`` has a true value; what they mean stays the same."""
        kept = [index for index, wanted in enumerate(keep) if wanted]
        return self._picked(kept)

    def _picked(self, indices: Iterable[int]) -> ProfileTable:
        indices = list(indices)
        table = ProfileTable(
            self.layout, tuple(self.raw[index] for index in indices), self.selected_by, fill=self._fill
        )
        # Filled values refer to the row before, which may be left out: they are taken from here.
        for number in range(len(self.columns)):
            column = self._column(number)
            table._values[number] = [column[index] for index in indices]
        return table

    def _column(self, index: int) -> list[Any]:
        values = self._values.get(index)
        if values is None:
            column = self.columns[index]
            values = [row[index] for row in self.raw]
            if column.kind == "moment":
                values = [_moment(value) for value in values]
            elif column.kind == "seconds":
                values = [_since_1970(value) for value in values]
            if self._fill:
                self._restore(values, column)
            if column.scaler_unit is not None:
                apply = column.scaler_unit.apply
                values = [
                    apply(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
                    for value in values
                ]
            self._values[index] = values
        return values

    def _restore(self, values: list[Any], column: Column) -> None:
        """Undo null-data compression and delta values, in place."""
        kinds = set(map(type, values))
        if type(None) not in kinds and kinds.isdisjoint(_DELTAS):
            return
        step: timedelta | None = None
        if column.is_clock and self.layout.capture_period:
            period = self.layout.capture_period
            step = timedelta(seconds=-period if self.layout.newest_first else period)
        previous: Any = None
        for index, value in enumerate(values):
            if value is None:
                if isinstance(previous, datetime) and column.is_clock:
                    values[index] = None if step is None else _later(previous, step)
                else:
                    values[index] = previous
            elif type(value) in _DELTAS and isinstance(previous, int):
                values[index] = int(previous) + int(value)
            previous = values[index]

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> ProfileTable: ...
    def __getitem__(self, index: int | slice) -> tuple[Any, ...] | ProfileTable:
        if isinstance(index, slice):
            return self._picked(range(*index.indices(len(self))))
        return self.rows[index]

    def __repr__(self) -> str:
        return f"<ProfileTable {self.layout.logical_name} {len(self)} rows: {', '.join(self.keys)}>"


def _checked(raw: Any, width: int) -> tuple[Any, ...]:
    """Return the rows of a buffer."""
    if not isinstance(raw, tuple):
        raise ProtocolError(f"a profile buffer expected, {type(raw).__name__} received")
    if width == 1:
        # A compact-array of a simple type has bare values.
        return tuple(row if isinstance(row, tuple) else (row,) for row in raw)
    for number, row in enumerate(raw):
        if not isinstance(row, tuple) or len(row) != width:
            found = f"{len(row)} values" if isinstance(row, tuple) else "no structure"
            raise ProtocolError(f"row {number} has {found}, the profile has {width} columns")
    return raw


def _moment(value: Any) -> Any:
    """Return a date-time as ``datetime`` where it is a moment, else as it is."""
    if type(value) is not DateTime:
        if not isinstance(value, bytes) or len(value) != 12:
            return value
        value = DateTime(bytes(value))
    try:
        return value.to_datetime()
    except ConversionError:
        return value


def _since_1970(value: Any) -> Any:
    return datetime.fromtimestamp(int(value), UTC) if isinstance(value, int) else value


def _later(moment: datetime, step: timedelta) -> datetime | None:
    try:
        return moment + step
    except OverflowError:
        return None


def _csv_row(row: tuple[Any, ...]) -> list[Any]:
    return [_csv_cell(value) for value in row]


def _csv_cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
