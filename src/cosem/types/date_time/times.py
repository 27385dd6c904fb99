"""The time of the day, alone or as four octets of a date-time."""

from __future__ import annotations

from datetime import time
from typing import ClassVar

from cosem.errors import ConversionError
from cosem.types.date_time.octets import NOT_SPECIFIED, FixedOctets, is_hexadecimal, known, of_iso, with_fault

__all__ = ["Time", "matches_time", "time_fault", "time_text", "to_time"]


class Time(FixedOctets):
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
        return known(self.octets[0])

    @property
    def minute(self) -> int | None:
        """0..59, ``None`` for any."""
        return known(self.octets[1])

    @property
    def second(self) -> int | None:
        """0..59, ``None`` for any."""
        return known(self.octets[2])

    @property
    def hundredths(self) -> int | None:
        """0..99, ``None`` if not specified."""
        return known(self.octets[3])

    @classmethod
    def parse(cls, text: str) -> Time:
        """Return the time of an ISO 8601 text, or of 8 hexadecimal digits.

        Raises:
            ConversionError: It is neither.
        """
        compact = text.strip()
        return cls.fromhex(compact) if is_hexadecimal(compact, 4) else cls.from_time(of_iso(time, compact))

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for more than one time of the day."""
        return NOT_SPECIFIED in self.octets[:3]

    @property
    def fault(self) -> str:
        """What is impossible about it, for example ``hour 25``; empty if nothing is."""
        return time_fault(self.octets)

    def to_time(self) -> time:
        """Return the time; hundredths that are not specified are 0.

        Raises:
            ConversionError: It is a pattern, or no time of the day.
        """
        return to_time(self.octets, str(self))

    def matches(self, moment: time) -> bool:
        """Return whether the time or pattern contains ``moment``, to the second."""
        return matches_time(self.octets, moment)

    def __str__(self) -> str:
        return with_fault(time_text(self.octets), self.fault)


def time_fault(octets: bytes) -> str:
    """Return what no time of the day can have; empty if nothing is wrong."""
    for name, octet, end in zip(
        ("hour", "minute", "second", "hundredths"), octets, (24, 60, 60, 100), strict=True
    ):
        if end <= octet != NOT_SPECIFIED:
            return f"{name} {octet}"
    return ""


def time_text(octets: bytes) -> str:
    """Return the time of four octets as text, ``*`` for what is not specified."""
    text = ":".join("*" if octet == NOT_SPECIFIED else f"{octet:02d}" for octet in octets[:3])
    if octets[3] not in (0, NOT_SPECIFIED):
        text += f".{octets[3]:02d}"
    return text


def to_time(octets: bytes, text: str) -> time:
    """Return the time of four octets; ``text`` is how an error calls the value.

    Raises:
        ConversionError: They are a pattern, or no time of the day.
    """
    if not time_fault(octets) and NOT_SPECIFIED in octets[:2]:
        raise ConversionError(f"{text} is a pattern, not a time")
    second = 0 if octets[2] == NOT_SPECIFIED else octets[2]
    hundredths = 0 if octets[3] == NOT_SPECIFIED else octets[3]
    try:
        return time(octets[0], octets[1], second, hundredths * 10_000)
    except ValueError:
        raise ConversionError(f"{text} is no time of the day") from None


def matches_time(octets: bytes, moment: time) -> bool:
    """Return whether four octets contain a time of the day, to the second."""
    wanted = zip(octets[:3], (moment.hour, moment.minute, moment.second), strict=True)
    return all(pattern in (NOT_SPECIFIED, value) for pattern, value in wanted)
