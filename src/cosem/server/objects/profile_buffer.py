"""The buffer of a profile: rows in the order of a sort method, and the ways to choose some of them.

Rows are kept as the structures that go over the wire, so that reading a profile
copies references and encodes. A date-time counts as the moment that it means, and
as local time where either side does not say how far it is from UTC.

(Blue Book, class_id 7)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from struct import Struct
from typing import Any, Final

from cosem.classes.standard.profile_generic import SortMethod
from cosem.types.data import DataValue, Structure
from cosem.types.date_time import DateTime

__all__ = ["ProfileBuffer", "compressed", "in_range", "sort_key"]

_DATE_TIME: Final = Struct(">HBBxBBBBhx")
_NO_DEVIATION: Final = -0x8000
_ANY, _LAST, _SECOND_LAST = 0xFF, 0xFE, 0xFD
_NUMBER: Final[Any] = (int, float)
_WORST: Final = float("inf")
_TIMELINE: Final = (SortMethod.FIFO, SortMethod.LIFO)


class ProfileBuffer:
    """Rows, at most so many.

    Args:
        method: The sort method.
        column: Index of the column that rows are sorted by; ``None`` for the first.
        capacity: Most rows.
    """

    __slots__ = ("_capacity", "_column", "_keys", "_method", "_rows")

    def __init__(self, method: SortMethod, column: int | None, capacity: int) -> None:
        self._method = method
        self._column = column or 0
        self._capacity = capacity
        self._rows: list[Structure] = []
        self._keys: list[float] = []

    def __len__(self) -> int:
        return len(self._rows)

    def extend(self, rows: Iterable[Structure]) -> None:
        """Take rows in the order of their capture."""
        if self._method in _TIMELINE:
            self._rows.extend(rows)
            if (surplus := len(self._rows) - self._capacity) > 0:
                del self._rows[:surplus]
        else:
            for row in rows:
                self.add(row)

    def add(self, row: Structure) -> None:
        """Take a row; when the buffer is full, the one that the sort method says is lost."""
        rows = self._rows
        if self._method in _TIMELINE:
            rows.append(row)
            if len(rows) > self._capacity:
                del rows[0]
            return
        value = row[self._column] if self._column < len(row) else None
        key = sort_key(self._method, value)
        position = bisect_right(self._keys, key)  # of equal ones, the older stays ahead
        if len(rows) >= self._capacity:
            if position == len(rows):
                return
            rows.pop()
            self._keys.pop()
        rows.insert(position, row)
        self._keys.insert(position, key)

    def entries(self) -> list[Structure]:
        """Return the rows in the order of their numbers."""
        return self._rows[::-1] if self._method is SortMethod.LIFO else self._rows

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()
        self._keys.clear()


def sort_key(method: SortMethod, value: DataValue) -> float:
    """Return the number by which a value is sorted, the best first; what is no number and no time comes last."""
    number: float
    if isinstance(value, (int, float)):
        number = float(value)
    elif (octets := _date_time_octets(value)) is not None and (instant := _instant(octets)) is not None:
        local, deviation = instant
        number = local + (deviation or 0) * 60
    else:
        return _WORST
    if method in (SortMethod.NEAREST_TO_ZERO, SortMethod.FARTHEST_FROM_ZERO):
        number = abs(number)
    return -number if method in (SortMethod.LARGEST, SortMethod.FARTHEST_FROM_ZERO) else number


def in_range(
    rows: Sequence[Structure], column: int, low: DataValue, high: DataValue
) -> list[Structure] | None:
    """Return the rows whose value of a column lies from ``low`` to ``high``, both included.

    Returns:
        ``None`` where the bounds are of a type that the values cannot be compared with.
    """
    accepts = _acceptor(next((row[column] for row in rows if row[column] is not None), None), low, high)
    return None if accepts is None else [row for row in rows if accepts(row[column])]


def _acceptor(example: DataValue, low: DataValue, high: DataValue) -> Callable[[Any], bool] | None:
    """Return the test of a value, made for the type of the values in the column."""
    if example is None:
        return lambda _: False
    if (first := _date_time_octets(low)) is not None and (last := _date_time_octets(high)) is not None:
        if _date_time_octets(example) is None:
            return None
        return _time_acceptor(first, last)
    for kind in (_NUMBER, bytes, str):
        if isinstance(example, kind) and isinstance(low, kind) and isinstance(high, kind):
            if kind is bytes and not len(example) == len(low) == len(high):
                return None
            return _value_acceptor(kind, low, high)
    return None


def _value_acceptor(kind: Any, low: Any, high: Any) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind) and low <= value <= high


def _time_acceptor(low: bytes, high: bytes) -> Callable[[Any], bool] | None:
    first, last = _instant(_filled(low, lowest=True)), _instant(_filled(high, lowest=False))
    if first is None or last is None:
        return None
    (from_local, from_deviation), (to_local, to_deviation) = first, last
    from_utc = None if from_deviation is None else from_local + 60 * from_deviation
    to_utc = None if to_deviation is None else to_local + 60 * to_deviation

    def accepts(value: Any) -> bool:
        octets = _date_time_octets(value)
        instant = None if octets is None else _instant(octets)
        if instant is None:
            return False
        local, deviation = instant
        if deviation is None:
            return from_local <= local <= to_local
        utc = local + 60 * deviation
        after = from_local <= local if from_utc is None else from_utc <= utc
        before = local <= to_local if to_utc is None else utc <= to_utc
        return after and before

    return accepts


def _date_time_octets(value: object) -> bytes | None:
    if isinstance(value, bytes):
        return value if len(value) == 12 else None
    return value.octets if isinstance(value, DateTime) else None


@lru_cache(maxsize=1024)
def _day(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() * 86_400
    except ValueError:
        return None


def _instant(octets: bytes) -> tuple[float, int | None] | None:
    """Return local seconds and the deviation in minutes of a date-time; ``None`` for one that is no moment."""
    year, month, day, hour, minute, second, hundredths, deviation = _DATE_TIME.unpack(octets)
    start = _day(year, month, day)
    if start is None or hour > 23 or minute > 59:
        return None
    seconds = start + 3600 * hour + 60 * minute
    if second <= 59:
        seconds += second
    if hundredths <= 99:
        seconds += hundredths / 100
    return seconds, None if deviation == _NO_DEVIATION else deviation


def _filled(octets: bytes, *, lowest: bool) -> bytes:
    """Return the lowest or the highest moment of a pattern."""
    year, month, day, hour, minute, second, hundredths, deviation = _DATE_TIME.unpack(octets)
    if year == 0xFFFF:
        year = 1 if lowest else 9999
    if month == _ANY:
        month = 1 if lowest else 12
    if day in (_ANY, _LAST, _SECOND_LAST):
        back = 1 if day == _SECOND_LAST else 0
        day = 1 if day == _ANY and lowest else _last_of(year, month) - back
    hour, minute, second, hundredths = (
        (0 if lowest else most) if value == _ANY else value
        for value, most in ((hour, 23), (minute, 59), (second, 59), (hundredths, 99))
    )
    return _DATE_TIME.pack(year, month, day, hour, minute, second, hundredths, deviation)


def _last_of(year: int, month: int) -> int:
    return next((day for day in (31, 30, 29) if _day(year, month, day) is not None), 28)


def compressed(rows: Sequence[Structure], clock: int | None, period: int) -> list[Structure]:
    """Return rows with null-data for what the row before says already.

    Args:
        rows: The rows of one answer; the first stays whole.
        clock: Index of the column with the time of capture, if there is one.
        period: Seconds from one capture to the next: a time that lies just that much after the one before
            is null-data too.
    """
    short: list[Structure] = []
    before: Structure | None = None
    for row in rows:
        if before is None or len(row) != len(before):
            short.append(row)
        else:
            members = [
                None if type(new) is type(old) and new == old else new
                for new, old in zip(row, before, strict=True)
            ]
            if clock is not None:
                # Here null-data means one period later; an equal time must be said.
                members[clock] = None if _is_next(before[clock], row[clock], period) else row[clock]
            short.append(Structure(members))
        before = row
    return short


def _is_next(old: DataValue, new: DataValue, period: int) -> bool:
    one, other = _date_time_octets(old), _date_time_octets(new)
    if one is None or other is None or one[9:] != other[9:]:
        return False
    first, second = _instant(one), _instant(other)
    return first is not None and second is not None and second[0] - first[0] == period > 0
