"""Special days table: dates on which another day profile holds.

(Blue Book, class_id 11)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.date_time import Date

__all__ = ["SpecialDay", "SpecialDaysTable"]


class SpecialDay(Structured):
    """One special day: its date, which may leave the year open, and the day_id of its day profile."""

    index: int = member("long-unsigned")  # type: ignore[assignment] # hides tuple.index, which a structure does not need
    specialday_date: Date = member("octet-string[5]")
    day_id: int = member("unsigned")


class SpecialDaysTable(
    InterfaceClass,
    class_id=11,
    version=0,
    title="Special days table",
    status="current",
    confidence="high",
    logical_names=("0.b.11.0.e.255",),
):
    """Special days table (class_id 11, version 0).

    Dates on which other switching rules hold than on ordinary days.

    They override the weekdays of schedules and of the activity calendar.
    """

    entries = Attribute(2, array_of(SpecialDay), access="rw")

    insert = Method(1, SpecialDay, short_name_offset=0x10)
    delete = Method(2, "long-unsigned", short_name_offset=0x18, remark="index")
