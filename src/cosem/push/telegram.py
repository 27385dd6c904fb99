"""Telegrams of text (DSMR, ESMR, e-MUCS and their kin) as values."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from cosem.errors import ConversionError
from cosem.link.iec62056_21.readout import DataSet, TextValue
from cosem.link.p1 import P1Telegram
from cosem.push.message import Known, Origin, PushValue
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName

__all__ = ["telegram_clock", "telegram_letters", "telegram_values"]

_TIME: Final = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})([WS]?)")
_CLOCK: Final = LogicalName.parse("0-0:1.0.0")
# Winter and summer time of the countries that have such telegrams; without a letter the time is local.
_OFFSETS: Final = {"W": timedelta(hours=1), "S": timedelta(hours=2)}
_SAID: Final = Known(Origin.MESSAGE, Origin.CATALOGUE, Origin.MESSAGE)
_SAID_WITHOUT_SCALE: Final = Known(Origin.MESSAGE, Origin.CATALOGUE, Origin.UNKNOWN)
_NOTHING: Final = Known(Origin.UNKNOWN, Origin.UNKNOWN, Origin.UNKNOWN)


def telegram_values(telegram: P1Telegram) -> tuple[PushValue, ...]:
    """Return the values of a telegram, one for each data set, in the units that it writes."""
    return tuple(_value(index, data_set) for index, data_set in enumerate(telegram.data_sets))


def telegram_clock(values: tuple[PushValue, ...]) -> DateTime | None:
    """Return the time of a telegram: the value of its clock."""
    found = next((each.value for each in values if each.obis == _CLOCK), None)
    return found if isinstance(found, DateTime) else None


def telegram_letters(telegram: P1Telegram) -> str:
    """Return the three letters of the maker."""
    return telegram.identification[:3].upper()


def _value(index: int, data_set: DataSet) -> PushValue:
    name = data_set.logical_name
    raw = data_set.values if len(data_set.values) != 1 else data_set.values[0]
    measured = [each for each in data_set.values if each.unit and each.number is not None]
    unit = measured[0].unit if measured else ""
    value: Any
    if len(measured) == 1:
        value = measured[0].number
    elif measured:
        value = tuple(each.number for each in measured)
    elif len(data_set.values) == 1:
        value = _meaning(data_set.values[0], clock=name == _CLOCK)
    else:
        value = tuple(_meaning(each) for each in data_set.values)
    if name is None:
        return PushValue(None, (index,), None, None, value, None, unit, raw, _NOTHING)
    clock = isinstance(value, DateTime)
    known = _SAID if measured else _SAID_WITHOUT_SCALE
    class_id = 8 if clock else 3 if measured else 1
    scaler = 0 if measured else None
    return PushValue(name, (index,), class_id, 2, value, scaler, unit, raw, known)


def _meaning(value: TextValue, *, clock: bool = False) -> Any:
    """Return a time where a text is one, else the text: numbers without a unit are codes more often than numbers."""
    found = _TIME.fullmatch(value.text)
    if found is None or not (clock or found[7]):
        return value.text
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    try:
        offset = _OFFSETS.get(found[7])
        moment = datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001 -- a local time, as sent
        if offset is not None:
            moment = moment.replace(tzinfo=timezone(offset))
        return DateTime.from_datetime(moment)
    except (ValueError, ConversionError):
        return value.text
