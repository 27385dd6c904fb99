"""Schedule: scripts that run at times of day, on weekdays and special days.

(Blue Book, class_id 10)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.data import BitString
from cosem.types.date_time import Date, Time
from cosem.types.logical_name import LogicalName

__all__ = ["EnableDisable", "EntryRange", "Schedule", "ScheduleEntry"]


class ScheduleEntry(Structured):
    """One entry of a schedule.

    ``validity_window`` is in minutes: how late a missed entry may still run, FFFF for always. The first
    bit of ``exec_weekdays`` is Monday, bit n of ``exec_specdays`` the special day with day_id n.
    """

    index: int = member("long-unsigned")  # type: ignore[assignment] # hides tuple.index, which a structure does not need
    enable: bool = member("boolean")
    script_logical_name: LogicalName = member("octet-string[6]")
    script_selector: int = member("long-unsigned")
    switch_time: Time = member("octet-string[4]")
    validity_window: int = member("long-unsigned")
    exec_weekdays: BitString = member("bit-string[7]")
    exec_specdays: BitString = member("bit-string")
    begin_date: Date = member("octet-string[5]")
    end_date: Date = member("octet-string[5]")


class EnableDisable(Structured):
    """Ranges of entries: A is disabled, then B enabled.

    A range that begins with 0 or ends before it begins is empty.
    """

    firstIndexA: int = member("long-unsigned")
    lastIndexA: int = member("long-unsigned")
    firstIndexB: int = member("long-unsigned")
    lastIndexB: int = member("long-unsigned")


class EntryRange(Structured):
    """A range of entries, both ends included."""

    firstIndex: int = member("long-unsigned")
    lastIndex: int = member("long-unsigned")


class Schedule(
    InterfaceClass,
    class_id=10,
    version=0,
    title="Schedule",
    status="current",
    confidence="high",
    logical_names=("0.b.12.0.e.255",),
):
    """Schedule (class_id 10, version 0): entries that start scripts at times of day.

    An entry runs on the weekdays and special days that it names, between two dates. ``insert`` replaces
    an entry with the same index.
    """

    entries = Attribute(2, array_of(ScheduleEntry), access="rw")

    enable_disable = Method(1, EnableDisable, short_name_offset=0x20)
    insert = Method(2, "structure", short_name_offset=0x28, remark="one element as in entries")
    delete = Method(3, EntryRange, short_name_offset=0x30)
