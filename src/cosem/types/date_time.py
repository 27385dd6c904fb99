"""date-time, date and time: 12, 5 and 4 octets, any of which may say "not specified" or stand for a pattern.

The octets are kept as they came; what they mean is read from them on demand, so
that whatever a meter sends can be shown, compared and written back.

The deviation is local time to UTC: ``UTC = local + deviation``. Central European
Time is -60, with daylight saving -120.

(Blue Book, 4.1.6.1; IEC 62056-5-3, clause 8)
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import IntFlag
from typing import Any, ClassVar, Final, Self, TypeVar

from cosem.errors import ConversionError
from cosem.types.making import octets as octets_of

__all__ = ["ClockStatus", "Date", "DateTime", "Time"]

NOT_SPECIFIED: Final = 0xFF
LAST_DAY: Final = 0xFE
SECOND_LAST_DAY: Final = 0xFD
DAYLIGHT_SAVINGS_BEGIN: Final = 0xFE
DAYLIGHT_SAVINGS_END: Final = 0xFD
_NO_YEAR: Final = 0xFFFF
_NO_DEVIATION: Final = -0x8000
_LARGEST_DEVIATION: Final = 840
"""Minutes. The Blue Book prints 720, which cannot express the zones of UTC+13 and +14."""
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class ClockStatus(IntFlag):
    """The last octet of a date-time; FF means that the status is not specified."""

    INVALID_VALUE = 0x01
    DOUBTFUL_VALUE = 0x02
    DIFFERENT_CLOCK_BASE = 0x04
    INVALID_CLOCK_STATUS = 0x08
    DAYLIGHT_SAVING_ACTIVE = 0x80


class _Octets:
    """Fixed octets with meaning: immutable, and equal where the octets are."""

    __slots__ = ("octets",)
    octets: bytes
    size: ClassVar[int]
    asn1_name: ClassVar[str]

    def __init__(self, octets: bytes) -> None:
        """Hold the octets as they are.

        Raises:
            ConversionError: They are not as many as the type has, or are none.
        """
        if type(octets) is not bytes:
            octets = octets_of(octets, self.asn1_name)
        if len(octets) != self.size:
            raise ConversionError(f"{type(self).__name__} has {self.size} octets, not {len(octets)}")
        _set_octets(self, octets)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.fromhex({self.octets.hex()!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.octets,)

    @classmethod
    def fromhex(cls, text: str) -> Self:
        """Return the value of octets in hexadecimal.

        Raises:
            ConversionError: They are not as many as the type has, or the text is not hexadecimal.
        """
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            raise ConversionError(f"{text!r} is not hexadecimal") from None
        return cls(octets)

    def __bytes__(self) -> bytes:
        return self.octets


_set_octets: Final[Any] = _Octets.__dict__["octets"].__set__
"""Fills the slot past __setattr__, in a third of the time of ``object.__setattr__``: profiles make many."""


def _known(octet: int) -> int | None:
    return None if octet == NOT_SPECIFIED else octet


class _DatePart(_Octets):
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
        return _known(self.octets[2])

    @property
    def day(self) -> int | None:
        """1..31, FE for the last and FD for the second last day, ``None`` for any day."""
        return _known(self.octets[3])

    @property
    def weekday(self) -> int | None:
        """1 Monday .. 7 Sunday, ``None`` for any."""
        return _known(self.octets[4])

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
            return _to_date(self).isoweekday() == self.weekday
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


_Calendar = TypeVar("_Calendar", date, datetime, time)


def _iso(kind: type[_Calendar], text: str) -> _Calendar:
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise ConversionError(f"{text!r} is no {kind.__name__} of ISO 8601") from None


def _is_hexadecimal(text: str, size: int) -> bool:
    return len(text) == 2 * size and all(letter in "0123456789abcdefABCDEF" for letter in text)


def _last_day(day: date) -> int:
    """Return the number of the last day of the month."""
    if day.month == 12:
        return 31
    return (day.replace(month=day.month + 1, day=1) - timedelta(days=1)).day


def _time_fault(octets: bytes) -> str:
    """Return what no time of the day can have; empty if nothing is wrong."""
    for name, octet, end in zip(
        ("hour", "minute", "second", "hundredths"), octets, (24, 60, 60, 100), strict=True
    ):
        if end <= octet != NOT_SPECIFIED:
            return f"{name} {octet}"
    return ""


def _with_fault(text: str, fault: str) -> str:
    return f"{text} (invalid: {fault})" if fault else text


def _time_text(octets: bytes) -> str:
    text = ":".join("*" if octet == NOT_SPECIFIED else f"{octet:02d}" for octet in octets[:3])
    if octets[3] not in (0, NOT_SPECIFIED):
        text += f".{octets[3]:02d}"
    return text


class Date(_DatePart):
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
        return cls(_date_octets(value))

    @classmethod
    def parse(cls, text: str) -> Date:
        """Return the date of an ISO 8601 text, or of 10 hexadecimal digits.

        Raises:
            ConversionError: It is neither.
        """
        compact = text.strip()
        return cls.fromhex(compact) if _is_hexadecimal(compact, 5) else cls.from_date(_iso(date, compact))

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
        return _to_date(self)

    def matches(self, day: date) -> bool:
        """Return whether the date or pattern contains ``day``."""
        return self._matches_date(day)

    def __str__(self) -> str:
        return _with_fault(self._date_text(), self.fault)


def _date_octets(value: date) -> bytes:
    return bytes((value.year >> 8, value.year & 0xFF, value.month, value.day, value.isoweekday()))


def _to_date(value: _DatePart) -> date:
    if value.date_fault:
        raise ConversionError(f"there is no {value.date_fault} in the calendar")
    if value.date_is_pattern:
        raise ConversionError(f"{value} is a pattern, not a day")
    try:
        return date(value.year or 0, value.octets[2], value.octets[3])
    except ValueError:
        raise ConversionError(f"{value} is no day of the calendar") from None


class Time(_Octets):
    """time [27]: hour, minute, second, hundredths.

    >>> str(Time.fromhex("0C1E00FF"))
    '12:30:00'
    """

    __slots__ = ()
    tag: ClassVar[int] = 27
    asn1_name: ClassVar[str] = "time"
    size: ClassVar[int] = 4

    @classmethod
    def from_time(cls, value: time) -> Time:
        """Return the time, to a hundredth of a second."""
        return cls(bytes((value.hour, value.minute, value.second, value.microsecond // 10_000)))

    @property
    def hour(self) -> int | None:
        """0..23, ``None`` for any."""
        return _known(self.octets[0])

    @property
    def minute(self) -> int | None:
        """0..59, ``None`` for any."""
        return _known(self.octets[1])

    @property
    def second(self) -> int | None:
        """0..59, ``None`` for any."""
        return _known(self.octets[2])

    @property
    def hundredths(self) -> int | None:
        """0..99, ``None`` if not specified."""
        return _known(self.octets[3])

    @classmethod
    def parse(cls, text: str) -> Time:
        """Return the time of an ISO 8601 text, or of 8 hexadecimal digits.

        Raises:
            ConversionError: It is neither.
        """
        compact = text.strip()
        return cls.fromhex(compact) if _is_hexadecimal(compact, 4) else cls.from_time(_iso(time, compact))

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for more than one time of the day."""
        return NOT_SPECIFIED in self.octets[:3]

    @property
    def fault(self) -> str:
        """What is impossible about it, for example ``hour 25``; empty if nothing is."""
        return _time_fault(self.octets)

    def to_time(self) -> time:
        """Return the time; hundredths that are not specified are 0.

        Raises:
            ConversionError: It is a pattern, or no time of the day.
        """
        return _to_time(self.octets, str(self))

    def matches(self, moment: time) -> bool:
        """Return whether the time or pattern contains ``moment``, to the second."""
        return _matches_time(self.octets, moment)

    def __str__(self) -> str:
        return _with_fault(_time_text(self.octets), self.fault)


def _to_time(octets: bytes, text: str) -> time:
    if not _time_fault(octets) and NOT_SPECIFIED in octets[:2]:
        raise ConversionError(f"{text} is a pattern, not a time")
    second = 0 if octets[2] == NOT_SPECIFIED else octets[2]
    hundredths = 0 if octets[3] == NOT_SPECIFIED else octets[3]
    try:
        return time(octets[0], octets[1], second, hundredths * 10_000)
    except ValueError:
        raise ConversionError(f"{text} is no time of the day") from None


def _matches_time(octets: bytes, moment: time) -> bool:
    wanted = zip(octets[:3], (moment.hour, moment.minute, moment.second), strict=True)
    return all(pattern in (NOT_SPECIFIED, value) for pattern, value in wanted)


class DateTime(_DatePart):
    """date-time [25]: date, time, deviation from UTC, clock status.

    >>> moment = DateTime.fromhex("07EA0B18020E1E00FFFFC400")
    >>> str(moment), moment.deviation
    ('2026-11-24 14:30:00+01:00', -60)
    >>> moment.to_datetime().isoformat()
    '2026-11-24T14:30:00+01:00'
    """

    __slots__ = ()
    tag: ClassVar[int] = 25
    asn1_name: ClassVar[str] = "date-time"
    size: ClassVar[int] = 12

    @classmethod
    def from_datetime(
        cls, value: datetime, status: int | None = None, *, inverted_deviation: bool = False
    ) -> DateTime:
        """Return the date-time of a moment; the deviation is not specified for one without zone.

        Args:
            value: The moment; a hundredth of a second is kept.
            status: The clock status octet; by default 0, with daylight saving as the zone says.
            inverted_deviation: For meters that send UTC to local time instead.

        Raises:
            ConversionError: The status is outside 0..255, or the zone more than 14 hours from UTC.
        """
        offset = value.utcoffset()
        deviation = _NO_DEVIATION if offset is None else round(offset.total_seconds() / 60)
        if offset is not None:
            if abs(deviation) > _LARGEST_DEVIATION:
                raise ConversionError(f"zone {value:%z} is more than 14 hours from UTC")
            deviation = deviation if inverted_deviation else -deviation
        if status is None:
            status = ClockStatus.DAYLIGHT_SAVING_ACTIVE if value.dst() else 0
        if not 0 <= status <= 255:
            raise ConversionError(f"clock status {int(status)} is outside 0..255")
        return cls(
            _date_octets(value)
            + bytes((value.hour, value.minute, value.second, value.microsecond // 10_000))
            + deviation.to_bytes(2, "big", signed=True)
            + bytes((status,))
        )

    @classmethod
    def parse(cls, text: str) -> DateTime:
        """Return the date-time of an ISO 8601 text, or of 24 hexadecimal digits.

        Raises:
            ConversionError: It is neither.
        """
        compact = text.strip()
        if _is_hexadecimal(compact, 12):
            return cls.fromhex(compact)
        return cls.from_datetime(_iso(datetime, compact))

    @property
    def hour(self) -> int | None:
        """0..23, ``None`` if not specified."""
        return _known(self.octets[5])

    @property
    def minute(self) -> int | None:
        """0..59, ``None`` if not specified."""
        return _known(self.octets[6])

    @property
    def second(self) -> int | None:
        """0..59, ``None`` if not specified."""
        return _known(self.octets[7])

    @property
    def hundredths(self) -> int | None:
        """0..99, ``None`` if not specified."""
        return _known(self.octets[8])

    @property
    def deviation(self) -> int | None:
        """Minutes from local time to UTC, daylight saving included; ``None`` if not specified."""
        value = int.from_bytes(self.octets[9:11], "big", signed=True)
        return None if value == _NO_DEVIATION else value

    @property
    def status(self) -> ClockStatus | None:
        """The clock status; ``None`` if not specified."""
        return None if self.octets[11] == NOT_SPECIFIED else ClockStatus(self.octets[11])

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for more than one moment."""
        return self.date_is_pattern or NOT_SPECIFIED in self.octets[5:7]

    @property
    def fault(self) -> str:
        """What is impossible about it, for example ``day 30 of month 2``; empty if nothing is."""
        fault = self.date_fault or _time_fault(self.octets[5:9])
        deviation = self.deviation
        if not fault and deviation is not None and abs(deviation) > _LARGEST_DEVIATION:
            return f"deviation {deviation}"
        return fault

    @property
    def date(self) -> Date:
        """Its date."""
        return Date(self.octets[:5])

    @property
    def time(self) -> Time:
        """Its time of day."""
        return Time(self.octets[5:9])

    def to_datetime(self, *, inverted_deviation: bool = False) -> datetime:
        """Return the moment, with its zone where the deviation is specified.

        Args:
            inverted_deviation: For meters that send UTC to local time instead.

        Raises:
            ConversionError: It is a pattern, no moment of the calendar, or its deviation is impossible.
        """
        moment = datetime.combine(_to_date(self), _to_time(self.octets[5:9], str(self)))
        deviation = self.deviation
        if deviation is None:
            return moment
        if not -_LARGEST_DEVIATION <= deviation <= _LARGEST_DEVIATION:
            raise ConversionError(f"deviation of {deviation} minutes is outside -840..840")
        offset = deviation if inverted_deviation else -deviation
        return moment.replace(tzinfo=timezone(timedelta(minutes=offset)))

    def to_utc(self, *, inverted_deviation: bool = False) -> datetime:
        """Return the moment in UTC.

        Args:
            inverted_deviation: For meters that send UTC to local time instead.

        Raises:
            ConversionError: As :meth:`to_datetime`, the deviation is not specified, or the
                moment in UTC lies outside the years 1 to 9999.
        """
        moment = self.to_datetime(inverted_deviation=inverted_deviation)
        if moment.tzinfo is None:
            raise ConversionError(f"{self} does not say how far it is from UTC")
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ConversionError(f"{self} is outside the years 1 to 9999 in UTC") from None

    def matches(self, moment: datetime) -> bool:
        """Return whether the date-time or pattern contains ``moment``, to the second, in local time."""
        return self._matches_date(moment.date()) and _matches_time(self.octets[5:9], moment.time())

    def __str__(self) -> str:
        text = f"{self._date_text()} {_time_text(self.octets[5:9])}"
        deviation = self.deviation
        if deviation is not None:
            hours, minutes = divmod(abs(deviation), 60)
            text += f"{'-' if deviation > 0 else '+'}{hours:02d}:{minutes:02d}"
        return _with_fault(text, self.fault)
