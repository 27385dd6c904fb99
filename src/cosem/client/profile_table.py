"""A profile as a table: what the meter sent, put right, with units, in rows or columns.

The octets as they came stay; what they mean is worked out for a column when it is
first asked for, so that a reader of one column pays for one. Rows, CSV and JSON need
the standard library alone; numpy, pandas, polars, pyarrow and DuckDB get columns when
they are there (:mod:`~cosem.client.profile_columns`, :mod:`~cosem.client.profile_export`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, overload

from cosem.client.profile_layout import Column, ProfileLayout
from cosem.client.profile_outputs import ProfileOutputs
from cosem.client.profile_types import DELTA_TAGS, DELTAS
from cosem.codec.data import encode_data
from cosem.codec.moments import SIZE, datetimes
from cosem.codec.reader import Reader
from cosem.codec.row_template import ODD, OddRows, RowTable, scan
from cosem.errors import ProtocolError
from cosem.types.data import Array
from cosem.types.date_time import DateTime

__all__ = ["Gap", "ProfileTable"]


class Gap(NamedTuple):
    """Rows that a profile with a period should have and has not.

    Args:
        after: The time of the last row before them.
        before: The time of the first row behind them.
        missing: How many there should be.
    """

    after: datetime
    before: datetime
    missing: int


class ProfileTable(ProfileOutputs):
    """Rows of a profile.

    A null in a column that tells the time means one capture period after the row before, and
    in any other column the value of the row before; a delta is added to it. Where there is none
    before, either is ``None``. Register values are scaled exactly. Clock columns are ``datetime``,
    with zone where the meter says it.

    Args:
        layout: What the rows mean.
        raw: The buffer, as it came: an array of structures, a compact-array, or its rows, not decoded yet.
        selected_by: How the meter selected the rows: ``"range"``, ``"entry"`` or ``"whole"``.
        fill: Whether nulls are filled and deltas added; otherwise they stay ``None``, and what they were sent as,
            such as :class:`~cosem.types.data.DeltaInteger`, in units of the meter.

    Raises:
        ProtocolError: The buffer does not have the columns of the layout.
    """

    def __init__(
        self, layout: ProfileLayout, raw: Any, selected_by: str = "whole", *, fill: bool = True
    ) -> None:
        self.layout = layout
        self.selected_by = selected_by
        self._fill = fill
        self._table = _checked(raw, len(layout.columns))
        self._values: dict[int, list[Any]] = {}
        self._restored: dict[int, list[Any]] = {}
        self._rows: list[tuple[Any, ...]] | None = None
        self._encoded: RowTable | None = None
        self._parent: tuple[ProfileTable, Sequence[int]] | None = None

    @property
    def raw(self) -> tuple[Any, ...]:
        """The rows as they came, every value with its type."""
        if self._parent is not None:
            parent, kept = self._parent
            rows = parent.raw
            return tuple(rows[index] for index in kept)
        return tuple(self._table.values())

    @property
    def table(self) -> RowTable:
        """The rows as they came, not decoded."""
        return self._table

    @property
    def fills(self) -> bool:
        """Whether nulls are filled, and deltas added."""
        return self._fill

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

    def where(self, keep: Iterable[bool]) -> ProfileTable:
        """Return the table of those rows for which ``keep`` has a true value; what they mean stays the same."""
        kept = [index for index, wanted in enumerate(keep) if wanted]
        return self._picked(kept)

    def _picked(self, indices: Iterable[int]) -> ProfileTable:
        # Filled values refer to the row before, which may be left out: they are taken from here.
        table = ProfileTable(self.layout, RowTable(()), self.selected_by, fill=self._fill)
        table._parent = self, list(indices)
        return table

    @property
    def parent(self) -> tuple[ProfileTable, Sequence[int]] | None:
        """The table that the rows were picked from, and their numbers there."""
        return self._parent

    @property
    def gaps(self) -> list[Gap]:
        """Where rows are missing, told by the time of the rows and the capture period."""
        clock = self.layout.clock
        if clock is None or not self.period:
            return []
        step = timedelta(seconds=self.period)
        gaps = []
        previous: datetime | None = None
        for moment in self.column(clock):
            if not isinstance(moment, datetime):
                continue
            if previous is not None and (moment.tzinfo is None) is (previous.tzinfo is None):
                missing = round((moment - previous) / step) - 1
                if missing > 0:
                    gaps.append(Gap(previous, moment, missing))
            previous = moment
        return gaps

    @property
    def clock_status(self) -> list[int | None]:
        """The status octet that the clock had at each row; ``None`` where it was not sent, or not specified."""
        clock = self.layout.clock
        if clock is None or clock.kind != "moment":
            return [None] * len(self)
        if self._parent is not None:
            parent, kept = self._parent
            statuses = parent.clock_status
            return [statuses[index] for index in kept]
        return [_status(value) for value in self._table.column(self.columns.index(clock))]

    def _column(self, index: int) -> list[Any]:
        values = self._values.get(index)
        if values is None:
            scaler_unit = self.columns[index].scaler_unit
            values = self.unscaled(index)
            if scaler_unit is not None:
                apply = scaler_unit.apply
                values = [apply(value) if _is_scaled(value) else value for value in values]
            self._values[index] = values
        return values

    def unscaled(self, index: int) -> list[Any]:
        """Return the values of a column, filled, with moments as ``datetime``; numbers as the meter has them."""
        values = self._restored.get(index)
        if values is None:
            if self._parent is not None:
                parent, kept = self._parent
                whole = parent.unscaled(index)
                values = [whole[number] for number in kept]
            else:
                values = self._as_sent(index)
            self._restored[index] = values
        return values

    def _as_sent(self, index: int) -> list[Any]:
        """Return the values of a column as they mean something; nulls and deltas undone if they are to be."""
        kind = self.columns[index].kind
        values = self._table.column(index)
        if kind == "moment":
            values = _moments(values)
        deltas = self._deltas(index)
        if self._fill:
            self._restore(values, index, deltas)
        if kind == "seconds":
            values = [_since_1970(value) for value in values]
        if deltas is None or self._fill:
            return values
        # A difference without its type would look like a value.
        return [value if delta is None else delta for delta, value in zip(deltas, values, strict=True)]

    def _restore(self, values: list[Any], index: int, deltas: list[Any] | None) -> None:
        """Undo null-data compression and delta values, in place."""
        column = self.columns[index]
        if deltas is None and None not in values:
            return
        period = self.period
        clock: type[Any] = int if column.kind == "seconds" else datetime
        step: Any = timedelta(seconds=period) if clock is datetime else period
        previous: Any = None
        for number, value in enumerate(values):
            if value is None:
                if column.is_clock and isinstance(previous, clock):
                    values[number] = _later(previous, step) if period else None
                else:
                    values[number] = previous
            elif deltas is not None and deltas[number] is not None:
                values[number] = previous + int(value) if _is_number(previous) else None
            previous = values[number]

    @property
    def period(self) -> int:
        """Seconds from one row to the next, negative where the newest comes first; 0 if there is no period."""
        period = self.layout.capture_period or 0
        return -period if self.layout.newest_first else period

    def encoded(self) -> RowTable:
        """Return the rows as octets even if they came as values: columns are made of octets."""
        if self._encoded is None:
            self._encoded = self._table
            if any(isinstance(segment, OddRows) for segment in self._table.segments):
                self._encoded = scan(Reader(encode_data(Array(self._table.values())))) or self._table
        return self._encoded

    def _deltas(self, index: int) -> list[Any] | None:
        """Return the values that are differences to the row before, with their types; ``None`` if none is."""
        tags = self._table.tags(index)
        if not tags & DELTA_TAGS and ODD not in tags:
            return None
        deltas: list[Any] = []
        for segment in self._table.segments:
            deltas += [value if type(value) in DELTAS else None for value in segment.typed_column(index)]
        return deltas if any(delta is not None for delta in deltas) else None

    def __len__(self) -> int:
        return len(self._table) if self._parent is None else len(self._parent[1])

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


def _checked(raw: Any, width: int) -> RowTable:
    """Return the rows of a buffer."""
    if not isinstance(raw, (tuple, RowTable)):
        raise ProtocolError(f"a profile buffer expected, {type(raw).__name__} received")
    table = raw if isinstance(raw, RowTable) else RowTable((OddRows(list(raw)),) if raw else ())
    for number, found in table.widths():
        if found == width:
            continue
        if found is None and width == 1:
            # A compact-array of a simple type has bare values.
            return RowTable(
                [OddRows([row if isinstance(row, tuple) else (row,) for row in table.values()])], table.tag
            )
        said = "no structure" if found is None else f"{found} values"
        raise ProtocolError(f"row {number} has {said}, the profile has {width} columns")
    return table


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_scaled(value: Any) -> bool:
    """Return whether a scaler applies; a difference that stays one stays in units of the meter."""
    return _is_number(value) and type(value) not in DELTAS


def _moments(values: list[Any]) -> list[Any]:
    """Return date-times as ``datetime`` where they are moments, else as they are."""
    octets = [
        bytes(value) if type(value) is DateTime or (isinstance(value, bytes) and len(value) == SIZE) else b""
        for value in values
    ]
    made: Iterator[Any] = iter(datetimes(b"".join(octets)))
    return [next(made) if each else value for each, value in zip(octets, values, strict=True)]


def _status(value: Any) -> int | None:
    if type(value) is DateTime or (isinstance(value, bytes) and len(value) == SIZE):
        status = bytes(value)[-1]
        return None if status == 0xFF else status
    return None


def _since_1970(value: Any) -> Any:
    if not isinstance(value, int):
        return value
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (OverflowError, ValueError, OSError):
        return value


def _later(moment: Any, step: Any) -> Any:
    try:
        return moment + step
    except OverflowError:
        return None
