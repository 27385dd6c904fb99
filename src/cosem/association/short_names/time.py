"""GeneralizedTime in an InformationReport, and the date-time of an event that it stands for (7.3.10).

An InformationReport gives its time as ASCII text, ``YYYYMMDDhhmmss`` with a
fraction and ``Z`` behind it if need be; an EventNotification as the 12 octets of a
date-time. Some meters put the 12 octets into the report, too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from cosem.errors import ConversionError, DecodeError, EncodeError
from cosem.types.date_time import DateTime

__all__ = ["date_time_of_report", "generalized_time"]

_FORM: Final = re.compile(
    rb"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d))?)?(?:[.,](\d+))?(Z|[+-]\d\d(?:\d\d)?)?"
)
_SIZE: Final = 12
_HIGHEST_YEAR_OCTET: Final = 0x10


def generalized_time(date_time: bytes) -> bytes:
    """Return the GeneralizedTime of the 12 octets of a date-time; in UTC where its deviation is known.

    Raises:
        EncodeError: It is no moment: a part of the date or the time is not specified.

    >>> generalized_time(bytes.fromhex("07E8020F04 0C1E00FF FFC4 00"))
    b'20240215113000Z'
    """
    try:
        moment = DateTime(bytes(date_time)).to_datetime()
        zone = ""
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
            zone = "Z"
    except (ConversionError, OverflowError) as error:
        raise EncodeError(f"no GeneralizedTime: {error}") from None
    hundredths = moment.microsecond // 10_000
    fraction = f".{hundredths:02d}" if hundredths else ""
    return f"{moment.year:04d}{moment:%m%d%H%M%S}{fraction}{zone}".encode("ascii")


def date_time_of_report(octets: bytes) -> bytes:
    """Return the 12 octets of the date-time that the time of a report means.

    Raises:
        DecodeError: It is neither GeneralizedTime nor 12 octets of a date-time.

    >>> date_time_of_report(b"20240215113000Z").hex().upper()
    '07E8020F040B1E0000000000'
    """
    if len(octets) == _SIZE and octets[0] < _HIGHEST_YEAR_OCTET:
        return octets
    found = _FORM.fullmatch(octets)
    if found is None:
        raise DecodeError("the time of the report is no GeneralizedTime", 0)
    year, month, day, hour, minute, second = (int(found[group] or 0) for group in range(1, 7))
    hundredths = int(((found[7] or b"") + b"00")[:2])
    try:
        moment = datetime(year, month, day, hour, minute, second, hundredths * 10_000, _zone(found[8]))
        return DateTime.from_datetime(moment).octets
    except (ValueError, OverflowError, ConversionError):
        raise DecodeError("the time of the report is no moment", 0) from None


def _zone(text: bytes | None) -> timezone | None:
    """Return the zone that a report names; ``None`` for the local time of the meter."""
    if text is None:
        return None
    if text == b"Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:5] or 0)
    return timezone(timedelta(minutes=-minutes if text[:1] == b"-" else minutes))
