"""Profile generic at the server: it captures, keeps, sorts and gives out rows (Blue Book, class_id 7)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from cosem.classes.base import Attribute
from cosem.classes.standard.profile_generic import ProfileGeneric, SortMethod
from cosem.errors import ConfigurationError
from cosem.server.objects.base import CosemObject, Outcome, ReadResult, is_awaitable, then
from cosem.server.objects.capture_cycles import captures_itself
from cosem.server.objects.profile_buffer import ProfileBuffer, compressed, in_range
from cosem.server.objects.profile_deltas import with_deltas
from cosem.server.timetable import next_multiple
from cosem.types.data import Array, DataValue, DoubleLongUnsigned, Structure
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation

__all__ = ["ProfileGenericObject"]

_BY_RANGE, _BY_ENTRY = 1, 2
_CLOCK: Final = 8
T = TypeVar("T")
_BUFFER, _CAPTURE_OBJECTS, _CAPTURE_PERIOD, _ENTRIES_IN_USE = 2, 3, 4, 7
_EMPTYING: Final = frozenset({_CAPTURE_OBJECTS, _CAPTURE_PERIOD, 5, 6, 8})
_WITH_BUFFER: Final = frozenset({7, 61, 62})
_MOST_DATA_INDEX: Final = 0x0FFF
_R = DataAccessResult

_MOST_SINCE: Final = 1000
"""So many rows wait at most until the history before them is made."""


class _Column(NamedTuple):
    """One capture object."""

    class_id: int
    name: bytes
    attribute: int
    data_index: int


class ProfileGenericObject(CosemObject, ProfileGeneric):
    """Rows of captured values.

    A row is captured every ``capture_period`` seconds, counted from local midnight where
    that divides the day, or when :meth:`capture` is called. What cannot be read is
    captured as null-data. Changing what, when or how is captured empties the buffer.

    Args:
        logical_name: Its name.
        history: Returns the rows that were captured before the object was made; called when the buffer
            is first used. Rows may also be given as ``buffer``.
        compress: Whether null-data is sent for values that are as in the row before.
        deltas: Whether numbers are sent as differences to the row before, to clients that agreed on it.
        most_entries: Most rows that a client may ask the buffer to hold.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    timed = True
    access_selectors = {_BUFFER: (_BY_RANGE, _BY_ENTRY)}  # noqa: RUF012 -- declared ClassVar in the base

    def __init__(
        self,
        logical_name: LogicalName | str,
        *,
        history: Callable[[], Iterable[Structure]] | None = None,
        compress: bool = False,
        deltas: bool = False,
        most_entries: int = 100_000,
        **values: Any,
    ) -> None:
        self._history = history
        self._compress = compress
        self._deltas = deltas
        self._most_entries = most_entries
        self._columns: tuple[_Column, ...] = ()
        self._buffer: ProfileBuffer | None = None
        self._since: list[Structure] = []
        values.setdefault("profile_entries", 1000)
        values.setdefault("sort_method", SortMethod.FIFO)
        buffer = values.pop("buffer", None)
        if buffer is not None and history is not None:
            raise ConfigurationError("give the rows of a profile as buffer or as history, not as both")
        super().__init__(logical_name, **values)
        self._history = history
        if buffer is not None:
            self.put("buffer", buffer)

    # --- the buffer -----------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Structure]:
        """The rows in the order of their numbers."""
        return self._rows().entries()

    def _rows(self) -> ProfileBuffer:
        if self._buffer is None:
            sort_object = self.stored(6)
            column = self._find(sort_object) if isinstance(sort_object, tuple) else None
            self._buffer = ProfileBuffer(
                SortMethod(int(self.stored(5))),  # type: ignore[arg-type] # an enum, by its declaration
                column,
                max(1, int(self.stored(8))),  # type: ignore[arg-type] # a number, by its declaration
            )
            if self._history is not None:
                history, self._history = self._history, None
                self._buffer.extend(history())
            self._buffer.extend(self._since)
            self._since = []
        return self._buffer

    def attribute_value(self, attribute: Attribute[T]) -> T:
        """Return the value of an attribute; the rows and their number are those of the buffer."""
        if attribute.number == _BUFFER:
            return attribute.from_data(Array(self.rows))
        if attribute.number == _ENTRIES_IN_USE:
            return attribute.from_data(self.get_entries_in_use())
        return super().attribute_value(attribute)

    def changed(self, number: int) -> None:
        """Empty the buffer when what it holds would no longer fit together; take rows that are given anew."""
        if number == _BUFFER:
            rows: Any = self._values.pop(_BUFFER)
            self._buffer = None
            self._history = lambda: rows
            return
        if number not in _EMPTYING:
            return
        self._buffer = None
        self._history = None
        self._since = []
        if number == _CAPTURE_OBJECTS:
            self._columns = tuple(_Column(*map(_plain, each)) for each in self.stored(_CAPTURE_OBJECTS))  # type: ignore[union-attr,arg-type] # an array of structures, by its declaration
            self._empty_those_who_capture_it()
        if self.device is not None:
            self.device.reschedule(self)

    def _empty_those_who_capture_it(self) -> None:
        own = self.class_id, bytes(self.name), _BUFFER
        for each in self.device or ():
            if isinstance(each, ProfileGenericObject) and each is not self and each.captures(*own):
                each.call_reset()

    def captures(self, class_id: int, name: bytes, attribute: int) -> bool:
        """Return whether an attribute is one of the columns, whole or in part."""
        return any(column[:3] == (class_id, name, attribute) for column in self._columns)

    def _find(self, reference: tuple[Any, ...]) -> int | None:
        """Return the index of the column that a reference names."""
        if len(reference) != 4 or not isinstance(reference[1], bytes):
            return None
        try:
            return self._columns.index(_Column(*map(_plain, reference)))
        except ValueError:
            return None

    # --- capturing --------------------------------------------------------------------------------------

    @property
    def most_late(self) -> int:
        """As many rows as there is room for, twice; all of them where the order is another one than that of time."""
        if self.stored(5) not in (SortMethod.FIFO, SortMethod.LIFO):
            return sys.maxsize
        return max(1000, 2 * int(self.stored(8)) + 4)  # type: ignore[arg-type] # a number, by its declaration

    def next_time(self, after: datetime) -> datetime | None:
        """Return when the next row is captured by itself."""
        period = int(self.stored(_CAPTURE_PERIOD))  # type: ignore[arg-type] # a number, by its declaration
        if self.device is None or not period:
            return None
        return next_multiple(self.device, after, period)

    def on_time(self, at: datetime) -> Outcome[Any]:
        """Capture a row."""
        del at
        return self.call_capture()

    def capture(self) -> Outcome[ActionResult]:
        """Capture a row now; to be awaited where a value is read asynchronously."""
        return self.call_capture()

    def call_capture(self) -> Outcome[ActionResult]:
        """Capture a row now."""
        device = self.device
        if device is None:
            return ActionResult.TEMPORARY_FAILURE
        read = device.value_of
        own = self._own()
        values: list[Any] = [None if each in own else _quietly(read, each) for each in self._columns]
        if any(map(is_awaitable, values)):
            return self._capture_later(values)
        self._store(values)
        return ActionResult.SUCCESS

    def _own(self) -> list[_Column]:
        """Return the columns that lead back to the buffer: nothing is captured in them."""
        if not any(each.attribute == _BUFFER for each in self._columns if each.class_id in _WITH_BUFFER):
            return []
        pairs = zip(self._columns, self.capture_objects, strict=True)
        return [column for column, each in pairs if captures_itself(self, [each])]

    async def _capture_later(self, values: list[Any]) -> ActionResult:
        settled = []
        for value in values:
            try:
                settled.append(await value if is_awaitable(value) else value)
            except Exception:  # noqa: BLE001 -- what cannot be read is null-data, whatever the reason
                settled.append(None)
        self._store(settled)
        return ActionResult.SUCCESS

    def _store(self, values: list[ReadResult]) -> None:
        pairs = zip(values, self._columns, strict=True)
        row = Structure(_element(value, column.data_index) for value, column in pairs)
        if self._buffer is None and self._history is not None and len(self._since) < _MOST_SINCE:
            self._since.append(row)  # nobody has looked yet: the rows before it need not be made for it
        else:
            self._rows().add(row)
        if self.device is not None:
            for column in self._columns:
                if (target := self.device.find(LogicalName(column.name))) is not None:
                    target.captured()

    def call_reset(self) -> None:
        """Empty the buffer."""
        self._history = None
        self._since = []
        self._rows().clear()

    # --- for clients ------------------------------------------------------------------------------------

    def get_entries_in_use(self) -> DoubleLongUnsigned:
        """Return the number of rows."""
        return DoubleLongUnsigned(len(self._rows()))

    def get_buffer(self) -> DataValue:
        """Return all rows."""
        return self._given_out(self.rows, None)

    def set_buffer(self, value: object) -> DataAccessResult:
        """Refuse: rows are captured, not written."""
        del value
        return _R.READ_WRITE_DENIED

    def set_capture_objects(self, columns: tuple[Any, ...]) -> DataAccessResult:
        """Change the columns, and empty the buffer; a buffer in which it would find itself is none."""
        if captures_itself(self, columns):
            return _R.OTHER_REASON
        self.put("capture_objects", columns)
        return _R.SUCCESS

    def set_profile_entries(self, number: int) -> DataAccessResult:
        """Change how many rows there is room for, and empty the buffer."""
        if not 1 <= number <= self._most_entries:
            return _R.OTHER_REASON
        self.put("profile_entries", number)
        return _R.SUCCESS

    def set_sort_method(self, method: SortMethod) -> DataAccessResult:
        """Change the order of the rows, and empty the buffer."""
        if not SortMethod.FIFO <= method <= SortMethod.FARTHEST_FROM_ZERO:
            return _R.OTHER_REASON
        self.put("sort_method", method)
        return _R.SUCCESS

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return an attribute; the buffer with differences, if the association agreed on delta values."""
        outcome = super().get(number, selection, association)
        if (
            number == _BUFFER
            and self._deltas
            and association is not None
            and association.agreed(Conformance.DELTA_VALUE_ENCODING)
        ):
            return then(outcome, _shortened)
        return outcome

    def select_buffer(
        self, selection: SelectiveAccessDescriptor, association: ServerAssociation | None
    ) -> ReadResult:
        """Return some rows and columns: by range, or by entry."""
        del association
        parameters = selection.access_parameters
        if not isinstance(parameters, tuple) or len(parameters) != 4:
            return _R.TYPE_UNMATCHED
        if selection.access_selector == _BY_RANGE:
            return self._by_range(*parameters)
        if selection.access_selector == _BY_ENTRY:
            return self._by_entry(*parameters)
        return _R.TYPE_UNMATCHED

    def _by_range(
        self, restricting: DataValue, low: DataValue, high: DataValue, selected: DataValue
    ) -> ReadResult:
        """Return the rows whose value of the restricting column lies between two, of the columns selected."""
        if not isinstance(restricting, tuple) or not isinstance(selected, tuple):
            return _R.TYPE_UNMATCHED
        column = self._find(restricting)
        if column is None:
            return _R.OTHER_REASON
        columns: list[int] | None = None
        if selected:
            wanted = {self._find(each) if isinstance(each, tuple) else None for each in selected}
            columns = sorted(index for index in wanted if index is not None)
            if len(columns) != len(wanted):
                return _R.OTHER_REASON
        rows = in_range(self.rows, column, low, high)
        return _R.TYPE_UNMATCHED if rows is None else self._given_out(rows, columns)

    def _by_entry(
        self, first: DataValue, last: DataValue, first_column: DataValue, last_column: DataValue
    ) -> ReadResult:
        """Return rows and columns by their numbers from 1; 0 as an end is the last one.

        0 as the first column is taken as 1, since clients send it.
        """
        numbers = []
        for each in (first, last, first_column, last_column):
            if not isinstance(each, int) or each < 0:
                return _R.TYPE_UNMATCHED
            numbers.append(int(each))
        start, stop, left, right = numbers
        if start == 0 or left > len(self._columns) or (right and right < left):
            return _R.OTHER_REASON
        rows = self.rows[start - 1 : stop or None]
        columns = range(max(left, 1) - 1, min(right or len(self._columns), len(self._columns)))
        return self._given_out(rows, None if len(columns) == len(self._columns) else list(columns))

    def _given_out(self, rows: list[Structure], columns: list[int] | None) -> DataValue:
        """Return rows as they are sent."""
        names = self._columns
        if columns is not None:
            names = tuple(names[index] for index in columns)
            rows = [Structure([row[index] for index in columns]) for row in rows]
        if self._compress:
            clock = next(
                (i for i, each in enumerate(names) if each.class_id == _CLOCK and each.attribute == 2), None
            )
            rows = compressed(rows, clock, int(self.stored(_CAPTURE_PERIOD)))  # type: ignore[arg-type] # a number
        return Array(rows)


def _shortened(outcome: ReadResult) -> ReadResult:
    return Array(with_deltas(outcome)) if isinstance(outcome, Array) else outcome


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytes) else int(value)


def _quietly(read: Callable[[int, bytes, int], Any], column: _Column) -> Any:
    try:
        return read(column.class_id, column.name, column.attribute)
    except Exception:  # noqa: BLE001 -- what cannot be read is null-data, whatever the reason
        return None


def _element(value: ReadResult, data_index: int) -> DataValue:
    """Return the whole of a captured value or, from 1 on, one element of its structure or array."""
    if isinstance(value, DataAccessResult):
        return None
    if data_index == 0:
        return value
    if isinstance(value, tuple) and data_index <= min(len(value), _MOST_DATA_INDEX):
        return value[data_index - 1]
    return None
