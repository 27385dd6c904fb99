"""When a date and time pattern comes true next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from cosem.types.date_time import Date, Time

__all__ = ["day_in_year", "next_match", "times_backwards"]

_ANY: Final = 0xFF
_LAST: Final = date(9999, 12, 1)
_FARTHEST: Final = timedelta(days=8 * 366)
"""A day that does not come within the years from one leap day to the next but one does not come at all."""


def next_match(day: Date, moment: Time, after: datetime) -> datetime | None:
    """Return the first second later than ``after`` that both patterns contain, or ``None``.

    Args:
        day: The date, or a pattern.
        moment: The time of day, or a pattern; hundredths do not count.
        after: Local time without zone.

    >>> next_match(Date.fromhex("FFFFFF01FF"), Time.fromhex("06000000"), datetime(2026, 11, 25, 12))
    datetime.datetime(2026, 12, 1, 6, 0)
    """
    start = after.replace(microsecond=0) + timedelta(seconds=1)
    today = start.date()
    if day.matches(today) and (found := _time_from(moment, start.time())) is not None:
        return datetime.combine(today, found)
    first = _time_from(moment, time())
    following = None if first is None else _next_day(day, today)
    return None if first is None or following is None else datetime.combine(following, first)


@lru_cache(maxsize=1024)
def _next_day(day: Date, after: date) -> date | None:
    """Return the first day later than ``after`` that the pattern contains."""
    if day.fault:
        return None
    current = after + timedelta(days=1)
    last = min(after, _LAST - _FARTHEST) + _FARTHEST
    if day.year is not None:
        if not current.year <= day.year <= _LAST.year:
            return None
        current = max(current, date(day.year, 1, 1))
        last = min(last, date(day.year, 12, 31))
    while current <= last:
        if day.month not in (None, current.month):  # such months are left out as a whole
            current = (current.replace(day=28) + timedelta(days=4)).replace(day=1)
        elif day.matches(current):
            return current
        else:
            current += timedelta(days=1)
    return None


@lru_cache(maxsize=256)
def day_in_year(day: Date, year: int, *, last: bool = False) -> date | None:
    """Return the first day of a year, or the last one, that a pattern contains; ``None`` for none.

    >>> day_in_year(Date.fromhex("FFFF03FE07"), 2026)
    datetime.date(2026, 3, 29)
    """
    current, step = (date(year, 12, 31), -1) if last else (date(year, 1, 1), 1)
    for ahead in range((date(year, 12, 31) - date(year, 1, 1)).days + 1):
        found = current + timedelta(days=step * ahead)
        if day.matches(found):
            return found
    return None


def times_backwards(pattern: Time) -> Iterator[time]:
    """Yield the times of day that a pattern contains, to the second, the latest first.

    >>> [str(each) for each in times_backwards(Time.fromhex("0CFF1E00"))][:2]
    ['12:59:30', '12:58:30']
    """
    hours, minutes, seconds = _fields(pattern)
    for hour in reversed(hours):
        for minute in reversed(minutes):
            for second in reversed(seconds):
                yield time(hour, minute, second)


def _time_from(pattern: Time, first: time) -> time | None:
    """Return the first time of day from ``first`` on that the pattern contains."""
    hours, minutes, seconds = _fields(pattern)
    for hour in hours:
        for minute in minutes:
            if (hour, minute) < (first.hour, first.minute):
                continue
            for second in seconds:
                if (hour, minute, second) >= (first.hour, first.minute, first.second):
                    return time(hour, minute, second)
    return None


def _fields(pattern: Time) -> tuple[range, range, range]:
    """Return the hours, minutes and seconds that a pattern contains."""
    hours, minutes, seconds = (
        range(most) if octet == _ANY else range(octet, octet + 1) if octet < most else range(0)
        for octet, most in zip(pattern.octets[:3], (24, 60, 60), strict=True)
    )
    return hours, minutes, seconds
