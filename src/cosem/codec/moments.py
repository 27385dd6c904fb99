"""Many date-times at once: octets to ``datetime``, and to microseconds in numpy arrays.

Both give what :meth:`cosem.types.date_time.DateTime.to_datetime` gives for each; what it
refuses (patterns, days that no calendar has, impossible deviations) is left to the
caller, who is told where.

(Blue Book, 4.1.6.1)
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from importlib import import_module
from struct import Struct
from typing import Any, Final, NamedTuple

from cosem.errors import ConversionError
from cosem.types.date_time import DateTime

__all__ = ["SIZE", "Moments", "datetimes", "moments"]

SIZE: Final = DateTime.size
_UNPACK: Final = Struct(">HBBxBBBBhB").iter_unpack
_NOT_SPECIFIED: Final = 0xFF
_NO_DEVIATION: Final = -0x8000
_LARGEST_DEVIATION: Final = 840
_MINUTE: Final = 60_000_000
_DAY: Final = 24 * 60 * _MINUTE
_NEVER: Final = -(1 << 63)
"""The microseconds of NaT, which no moment has."""


@lru_cache(maxsize=256)
def _zone(deviation: int) -> timezone | None:
    if deviation == _NO_DEVIATION:
        return None
    if not -_LARGEST_DEVIATION <= deviation <= _LARGEST_DEVIATION:
        raise ValueError(deviation)
    return timezone(timedelta(minutes=-deviation))


def datetimes(octets: bytes) -> list[datetime | DateTime]:
    """Return the moments of date-times, one behind the other; what is none stays a date-time.

    >>> datetimes(bytes.fromhex("07EA0B18020E1E00FFFFC400"))
    [datetime.datetime(2026, 11, 24, 14, 30, tzinfo=datetime.timezone(datetime.timedelta(seconds=3600)))]
    """
    values: list[datetime | DateTime] = []
    add = values.append
    for year, month, day, hour, minute, second, hundredths, deviation, _status in _UNPACK(octets):
        try:
            add(
                datetime(
                    year,
                    month,
                    day,
                    hour,
                    minute,
                    0 if second == _NOT_SPECIFIED else second,
                    0 if hundredths == _NOT_SPECIFIED else hundredths * 10_000,
                    _zone(deviation),
                )
            )
        except ValueError:
            at = len(values) * SIZE
            add(_one(octets[at : at + SIZE]))
    return values


def _one(octets: bytes) -> datetime | DateTime:
    value = DateTime(octets)
    try:
        return value.to_datetime()
    except ConversionError:
        return value


class Moments(NamedTuple):
    """Date-times as numpy arrays.

    Args:
        values: ``datetime64[us]``: UTC where the zone is known, else local time; NaT where there is no moment.
        zoned: Whether the zone is known: for all, for none, or an array of booleans.
        odd: Numbers of those that are no moments.
    """

    values: Any
    zoned: Any
    odd: list[int]


def moments(octets: bytes, offset: int, size: int, count: int) -> Moments:
    """Return the date-times that lie ``size`` octets apart, the first one at ``offset``.

    Raises:
        ModuleNotFoundError: numpy is not installed.
    """
    numpy: Any = import_module("numpy")
    minutes, parts = _tables()

    def words(at: int, kind: str) -> Any:
        return numpy.ndarray((count,), kind, octets, offset + at, (size,))

    # Rows follow each other: a date stands in many of them, and is worked out once.
    dates = words(0, "<u4").copy()
    changes = numpy.flatnonzero(dates[1:] != dates[:-1])
    changes += 1
    starts = [0, *changes.tolist()]
    different = dates[starts]
    days = numpy.array([_day(word) for word in different.tolist()], "i8")
    values = days.repeat(numpy.diff(numpy.append(starts, count))) if len(starts) > 1 else days.repeat(count)
    time_of_day = minutes[words(5, ">u2").astype(numpy.intp)]
    values += time_of_day
    rests = words(7, ">u2")
    if (rests == rests[0]).all():
        rest = parts[int(rests[0])]
        values += rest
    else:
        rest = parts[rests.astype(numpy.intp)]
        values += rest
    deviations = words(9, ">i2")
    zoned: Any
    wrong_zone: Any = False
    if (deviations == deviations[0]).all():
        deviation = int(deviations[0])
        zoned = deviation != _NO_DEVIATION
        wrong_zone = zoned and abs(deviation) > _LARGEST_DEVIATION
        if zoned and not wrong_zone:
            values += deviation * _MINUTE
    else:
        native = deviations.astype("i8")
        zoned = native != _NO_DEVIATION
        wrong_zone = zoned & (abs(native) > _LARGEST_DEVIATION)
        values += numpy.where(zoned & ~wrong_zone, native, 0) * _MINUTE
        if zoned.all():
            zoned = True
        wrong_zone = wrong_zone if wrong_zone.any() else False
    odd: list[int] = []
    # What no table knows is far below every moment, and stays there whatever is added.
    if wrong_zone is not False or values.min() < _EARLIEST:
        bad = (values < _EARLIEST) | wrong_zone
        odd = numpy.flatnonzero(bad).tolist()
        values[bad] = _NEVER
    return Moments(values.view("datetime64[us]"), zoned, odd)


_BAD: Final = -(1 << 61)
"""In the tables: no such date, no such time."""
_EARLIEST: Final = -(1 << 60)
"""Below every moment of the years 1 to 9999, in microseconds since 1970."""


@lru_cache(maxsize=4096)
def _day(word: int) -> int:
    """Return the microseconds from 1970 to the date in four octets, read as a little-endian number."""
    octets = word.to_bytes(4, "little")
    try:
        date = datetime(octets[0] << 8 | octets[1], octets[2], octets[3])  # noqa: DTZ001 -- a date, in no zone
    except ValueError:
        return _BAD
    return (date.toordinal() - _EPOCH) * _DAY


_EPOCH: Final = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 -- a date, in no zone


@lru_cache(maxsize=1)
def _tables() -> tuple[Any, Any]:
    """Return microseconds by hour and minute, and by second and hundredths, each as two octets."""
    numpy: Any = import_module("numpy")
    minutes = numpy.full(1 << 16, _BAD, "i8")
    parts = numpy.full(1 << 16, _BAD, "i8")
    octets = numpy.arange(256)
    hours = octets[:24]
    minutes[(hours[:, None] << 8) | octets[:60]] = (hours[:, None] * 60 + octets[:60]) * _MINUTE
    seconds = numpy.append(octets[:60], _NOT_SPECIFIED)
    hundredths = numpy.append(octets[:100], _NOT_SPECIFIED)
    exact = numpy.append(octets[:60], 0)[:, None] * 1_000_000 + numpy.append(octets[:100], 0) * 10_000
    parts[(seconds[:, None] << 8) | hundredths] = exact
    return minutes, parts
