"""The date, alone or as the first five octets of a date-time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar, Final

from cosem.errors import ConversionError
from cosem.types.date_time.octets import NOT_SPECIFIED, FixedOctets, is_hexadecimal, known, of_iso, with_fault

__all__ = ["Date", "DatePart", "date_octets", "to_date"]

LAST_DAY: Final = 0xFE
SECOND_LAST_DAY: Final = 0xFD
DAYLIGHT_SAVINGS_BEGIN: Final = 0xFE
DAYLIGHT_SAVINGS_END: Final = 0xFD
_NO_YEAR: Final = 0xFFFF
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class DatePart(FixedOctets):
    """The first five octets of a date or date-time."""

    __slots__ = ()

    @property
    def year(self) -> int | None:
        """0..65534, or ``None`` for any year."""
        value = self.octets[0] << 8 | self.octets[1]
        return None if value == _NO_YEAR else value

    @property
    def month(self) -> int | None:
        """1..12, FD and FE for the end and begin of daylight saving, ``None`` for any month."""
        return known(self.octets[2])

    @property
    def day(self) -> int | None:
        """1..31, FE for the last and FD for the second last day, ``None`` for any day."""
        return known(self.octets[3])

    @property
    def weekday(self) -> int | None:
        """1 Monday .. 7 Sunday, ``None`` for any."""
        return known(self.octets[4])

    @property
    def date_is_pattern(self) -> bool:
        """Whether the date stands for more than one day."""
        return (
            self.year is None or self.octets[2] >= DAYLIGHT_SAVINGS_END or self.octets[3] >= SECOND_LAST_DAY
        )

    @property
    def date_fault(self) -> str:
        """What no date can have, such as ``month 13`` or ``day 30 of month 2``; empty if nothing is wrong."""
        year, month, day = self.year, self.octets[2], self.octets[3]
        if month == 0 or 12 < month < DAYLIGHT_SAVINGS_END:
            return f"month {month}"
        if day == 0 or 31 < day < SECOND_LAST_DAY:
            return f"day {day}"
        if month <= 12 and day <= 31:
            try:  # leap years come again after 400
                date(2000 if year is None else 2000 + year % 400, month, day)
            except ValueError:
                return f"day {day} of month {month}"
        return ""

    @property
    def weekday_is_consistent(self) -> bool:
        """Whether the day of week is that of the date; true where either leaves it open.

        The Blue Book calls a mismatch an error; it is common, so the weekday of a full date is not used.
        """
        if self.date_is_pattern or self.weekday is None:
            return True
        try:
            return to_date(self).isoweekday() == self.weekday
        except ConversionError:
            return False

    def _matches_date(self, day: date) -> bool:
        """Return whether the pattern contains this day.

        With a weekday, a day number means the first such weekday on or after it,
        and FE the last such weekday of the month.
        """
        if self.year is not None and self.year != day.year:
            return False
        month, wanted, weekday = self.octets[2], self.octets[3], self.octets[4]
        if month not in (NOT_SPECIFIED, day.month):
            return False
        if weekday != NOT_SPECIFIED and weekday != day.isoweekday():
            return False
        if wanted == NOT_SPECIFIED:
            return True
        last = _last_day(day)
        if weekday == NOT_SPECIFIED or (self.year is not None and month != NOT_SPECIFIED and wanted < 0xE0):
            target = {LAST_DAY: last, SECOND_LAST_DAY: last - 1}.get(wanted, wanted)
            return day.day == target
        if wanted in (LAST_DAY, SECOND_LAST_DAY):
            weeks = 1 if wanted == LAST_DAY else 2
            return last - 7 * weeks < day.day <= last - 7 * (weeks - 1)
        return wanted <= day.day < wanted + 7

    def _date_text(self) -> str:
        year = "*" if self.year is None else f"{self.year:04d}"
        month = {0xFF: "*", 0xFE: "dst-begin", 0xFD: "dst-end"}.get(self.octets[2], f"{self.octets[2]:02d}")
        day = {0xFF: "*", 0xFE: "last", 0xFD: "second-last"}.get(self.octets[3], f"{self.octets[3]:02d}")
        text = f"{year}-{month}-{day}"
        weekday = self.octets[4]
        if self.date_is_pattern and weekday != NOT_SPECIFIED:
            text += f" {_WEEKDAYS[weekday - 1]}" if 1 <= weekday <= 7 else f" weekday {weekday}"
        return text


def _last_day(day: date) -> int:
    """Return the number of the last day of the month."""
    if day.month == 12:
        return 31
    return (day.replace(month=day.month + 1, day=1) - timedelta(days=1)).day


class Date(DatePart):
    """date [26]: year, month, day of month, day of week.

    >>> str(Date.fromhex("FFFF03FE07"))
    '*-03-last Sun'
    >>> Date.fromhex("FFFF03FE07").matches(date(2026, 3, 29))
    True
    """

    __slots__ = ()
    tag: ClassVar[int] = 26
    asn1_name: ClassVar[str] = "date"
    size: ClassVar[int] = 5

    @classmethod
    def from_date(cls, value: date) -> Date:
        """Return the date, day of week included."""
        return cls(date_octets(value))

    @classmethod
    def parse(cls, text: str) -> Date:
        """Return the date of an ISO 8601 text, or of 10 hexadecimal digits.

        Raises:
            ConversionError: It is neither.
        """
        compact = text.strip()
        return cls.fromhex(compact) if is_hexadecimal(compact, 5) else cls.from_date(of_iso(date, compact))

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for more than one day."""
        return self.date_is_pattern

    @property
    def fault(self) -> str:
        """What is impossible about it, for example ``day 30 of month 2``; empty if nothing is."""
        return self.date_fault

    def to_date(self) -> date:
        """Return the day.

        Raises:
            ConversionError: It is a pattern, or no day of the calendar.
        """
        return to_date(self)

    def matches(self, day: date) -> bool:
        """Return whether the date or pattern contains ``day``."""
        return self._matches_date(day)

    def __str__(self) -> str:
        return with_fault(self._date_text(), self.fault)


def date_octets(value: date) -> bytes:
    """Return the five octets of a day."""
    return bytes((value.year >> 8, value.year & 0xFF, value.month, value.day, value.isoweekday()))


def to_date(value: DatePart) -> date:
    """Return the day that the first five octets mean.

    Raises:
        ConversionError: They are a pattern, or no day of the calendar.
    """
    if value.date_fault:
        raise ConversionError(f"there is no {value.date_fault} in the calendar")
    if value.date_is_pattern:
        raise ConversionError(f"{value} is a pattern, not a day")
    try:
        return date(value.year or 0, value.octets[2], value.octets[3])
    except ValueError:
        raise ConversionError(f"{value} is no day of the calendar") from None
