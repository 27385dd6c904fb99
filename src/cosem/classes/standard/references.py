"""References to attributes, objects and scripts, and other forms that many classes share.

(Blue Book, 4.1 and the tables of class_id 7, 9, 19, 23, 27, 28, 40, 62)
"""

from __future__ import annotations

from typing import Any, Final

from cosem.classes.structured import Structured, member
from cosem.types.date_time import DateTime
from cosem.types.enumerations import OpenEnumeration
from cosem.types.logical_name import LogicalName

__all__ = [
    "SCALER_UNIT",
    "AttributeReference",
    "Baud",
    "CaptureObjectDefinition",
    "CaptureTime",
    "ObjectReference",
    "RestrictedObjectDefinition",
    "Restriction",
    "RestrictionType",
    "ScriptReference",
    "TimeWindow",
]

SCALER_UNIT: Final = "structure{scaler integer, unit enum}"
"""The type of every scaler_unit; its value is a :class:`cosem.types.units.ScalerUnit`."""


class Baud(OpenEnumeration):
    """The speed of a serial line."""

    BAUD_300 = 0
    BAUD_600 = 1
    BAUD_1200 = 2
    BAUD_2400 = 3
    BAUD_4800 = 4
    BAUD_9600 = 5
    BAUD_19200 = 6
    BAUD_38400 = 7
    BAUD_57600 = 8
    BAUD_115200 = 9

    @property
    def bits_per_second(self) -> int | None:
        """The speed in bits per second; ``None`` for a code that no edition names.

        >>> Baud(5).bits_per_second
        9600
        """
        return _SPEEDS[self] if self < len(_SPEEDS) else None


_SPEEDS: Final = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


class RestrictionType(OpenEnumeration):
    """How the part of a buffer that is captured is chosen."""

    NONE = 0
    BY_DATE = 1
    BY_ENTRY = 2


class ObjectReference(Structured):
    """One object: its class and its logical name."""

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")


class AttributeReference(Structured):
    """One attribute of one object; index 0 means all of them."""

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    attribute_index: int = member("integer")


class CaptureObjectDefinition(Structured):
    """What is captured: an attribute, or one element of it.

    ``data_index`` 0 means the whole attribute, n the n-th element of its structure or array.
    """

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    attribute_index: int = member("integer")
    data_index: int = member("long-unsigned")


class Restriction(Structured):
    """Which part of a captured buffer is meant: all, from date to date, or from entry to entry."""

    restriction_type: RestrictionType = member("enum", RestrictionType)
    restriction_value: Any = member("CHOICE")


class RestrictedObjectDefinition(Structured):
    """What is captured: an attribute, one element of it, or a part of a buffer."""

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    attribute_index: int = member("integer")
    data_index: int = member("long-unsigned")
    restriction: Restriction = member(Restriction)


class ScriptReference(Structured):
    """One script of a script table; selector 0 is the script that does nothing."""

    script_logical_name: LogicalName = member("octet-string[6]")
    script_selector: int = member("long-unsigned")


class TimeWindow(Structured):
    """From when to when; fields that are not specified repeat the window."""

    start_time: DateTime = member("octet-string[12]")
    end_time: DateTime = member("octet-string[12]")


class CaptureTime(Structured):
    """Which attribute of a diagnostic object changed last, and when."""

    attribute_id: int = member("unsigned")
    timestamp: DateTime = member("date-time")
