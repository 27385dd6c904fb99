"""What the file of a meter that behaves may not say: it would be accepted, and do nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from cosem.classes.base import Attribute
from cosem.classes.meter_record import RecordedObject
from cosem.errors import ConfigurationError
from cosem.server.timetable import EARLIEST, LATEST
from cosem.types.data import DataValue
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName

__all__ = ["refuse_missing", "refuse_no_moment", "refuse_time"]

_CAPTURE_OBJECTS: Final = 3
_ASSOCIATIONS: Final = frozenset({12, 15})
"""Classes whose objects are made of the associations of the file."""


def refuse_missing(profile: RecordedObject, find: Callable[[LogicalName], Any]) -> None:
    """Refuse a profile that captures what is not there: its rows would hold nulls for ever.

    Args:
        profile: What the file says of it.
        find: Returns the object of a name, or ``None``.

    Raises:
        ConfigurationError: It does.
    """
    columns = profile.values.get(_CAPTURE_OBJECTS)
    for column in columns if isinstance(columns, tuple) else ():
        class_id, name, number = int(column[0]), LogicalName(column[1]), int(column[2])  # type: ignore[index,arg-type] # adopted as the class declares it
        if class_id in _ASSOCIATIONS:
            continue
        found = find(name)
        if found is None or found.class_id != class_id or (number and found.attribute(number) is None):
            raise ConfigurationError(
                f"{profile.logical_name}: it captures attribute {number} of {name} of class {class_id}, "
                "which is not there"
            )


def refuse_no_moment(attribute: Attribute[Any], value: DataValue) -> None:
    """Refuse octets that are no moment where one is wanted: a meter that behaves reckons with them.

    Raises:
        ConfigurationError: They are none.
    """
    kind = attribute.data_type.text
    if "octet-string[12]" not in kind and "date-time" not in kind:
        return
    moment = DateTime(value) if isinstance(value, bytes) and len(value) == DateTime.size else value
    if isinstance(moment, DateTime) and moment.fault:
        raise ConfigurationError(f"{attribute.name}: {moment}")


def refuse_time(time: datetime) -> None:
    """Refuse a time that the clock of a meter cannot go on from.

    Raises:
        ConfigurationError: It is none.
    """
    if not EARLIEST <= time <= LATEST:
        raise ConfigurationError(
            f"[meter] time: {time.isoformat()} is not within {EARLIEST.year}..{LATEST.year}"
        )
