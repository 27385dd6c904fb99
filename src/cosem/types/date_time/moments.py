"""The date-time: a date, a time of the day, the deviation from UTC and the status of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import IntFlag
from typing import ClassVar, Final

from cosem.errors import ConversionError
from cosem.types.date_time.dates import Date, DatePart, date_octets, to_date
from cosem.types.date_time.octets import NOT_SPECIFIED, is_hexadecimal, known, of_iso, with_fault
from cosem.types.date_time.times import Time, matches_time, time_fault, time_text, to_time

__all__ = ["ClockStatus", "DateTime"]

_NO_DEVIATION: Final = -0x8000
_FILLED: Final = -1
"""FFFF: of a moment it is a minute; of a pattern it is what remains where all octets are "not specified"."""
_LARGEST_DEVIATION: Final = 840
"""Minutes. The Blue Book prints 720, which cannot express the zones of UTC+13 and +14."""


class ClockStatus(IntFlag):
    """The last octet of a date-time; FF means that the status is not specified."""

    INVALID_VALUE = 0x01
    DOUBTFUL_VALUE = 0x02
    DIFFERENT_CLOCK_BASE = 0x04
    INVALID_CLOCK_STATUS = 0x08
    DAYLIGHT_SAVING_ACTIVE = 0x80


class DateTime(DatePart):
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
            date_octets(value)
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
        if is_hexadecimal(compact, 12):
            return cls.fromhex(compact)
        return cls.from_datetime(of_iso(datetime, compact))

    @property
    def hour(self) -> int | None:
        """0..23, ``None`` if not specified."""
        return known(self.octets[5])

    @property
    def minute(self) -> int | None:
        """0..59, ``None`` if not specified."""
        return known(self.octets[6])

    @property
    def second(self) -> int | None:
        """0..59, ``None`` if not specified."""
        return known(self.octets[7])

    @property
    def hundredths(self) -> int | None:
        """0..99, ``None`` if not specified."""
        return known(self.octets[8])

    @property
    def deviation(self) -> int | None:
        """Minutes from local time to UTC, daylight saving included; ``None`` if not specified."""
        value = int.from_bytes(self.octets[9:11], "big", signed=True)
        return None if value == _NO_DEVIATION or (value == _FILLED and self.is_pattern) else value

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
        fault = self.date_fault or time_fault(self.octets[5:9])
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
        moment = datetime.combine(to_date(self), to_time(self.octets[5:9], str(self)))
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
        return self._matches_date(moment.date()) and matches_time(self.octets[5:9], moment.time())

    def __str__(self) -> str:
        text = f"{self._date_text()} {time_text(self.octets[5:9])}"
        deviation = self.deviation
        if deviation is not None:
            hours, minutes = divmod(abs(deviation), 60)
            text += f"{'-' if deviation > 0 else '+'}{hours:02d}:{minutes:02d}"
        return with_fault(text, self.fault)
