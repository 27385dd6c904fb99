"""When a date and time pattern comes true next."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from cosem.types.date_time import Date, Time

__all__ = ["next_match"]

_ANY: Final = 0xFF
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
    current, first = start.date(), start.time()
    last = current + _FARTHEST
    if day.year is not None:
        if not current.year <= day.year <= 9999:
            return None
        current = max(current, date(day.year, 1, 1))
        last = min(last, date(day.year, 12, 31))
    while current <= last:
        if day.matches(current):
            found = _time_from(moment, first if current == start.date() else time())
            if found is not None:
                return datetime.combine(current, found)
        current += timedelta(days=1)
    return None


def _time_from(pattern: Time, first: time) -> time | None:
    """Return the first time of day from ``first`` on that the pattern contains."""
    hours, minutes, seconds = (
        range(most) if octet == _ANY else (octet,) if octet < most else ()
        for octet, most in zip(pattern.octets[:3], (24, 60, 60), strict=True)
    )
    for hour in hours:
        for minute in minutes:
            if (hour, minute) < (first.hour, first.minute):
                continue
            for second in seconds:
                if (hour, minute, second) >= (first.hour, first.minute, first.second):
                    return time(hour, minute, second)
    return None
