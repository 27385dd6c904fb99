"""Single action schedule: one script at given times.

(Blue Book, class_id 22)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.standard.references import ScriptReference
from cosem.classes.structured import Structured, array_of, member
from cosem.types.date_time import Date, Time
from cosem.types.enumerations import OpenEnumeration

__all__ = ["ExecutionTime", "ScheduleType", "SingleActionSchedule"]


class ScheduleType(OpenEnumeration):
    """How many execution times there are, and whether their dates may have wildcards."""

    ONE_WITH_WILDCARDS = 1
    SAME_TIMES = 2
    SAME_TIMES_WITH_WILDCARDS = 3
    DIFFERENT_TIMES = 4
    DIFFERENT_TIMES_WITH_WILDCARDS = 5


class ExecutionTime(Structured):
    """When to run: a time of day on a date; both may have wildcards, as the type of the schedule allows."""

    time: Time = member("octet-string[4]")
    date: Date = member("octet-string[5]")


class SingleActionSchedule(
    InterfaceClass,
    class_id=22,
    version=0,
    title="Single action schedule",
    status="current",
    confidence="high",
    logical_names=("0.b.15.0.0-7.255", "other D for own schedules"),
):
    """Single action schedule (class_id 22, version 0): one script that runs at given times."""

    executed_script = Attribute(2, ScriptReference, access="rw")
    type = Attribute(3, "enum", ScheduleType, access="rw")
    execution_time = Attribute(4, array_of(ExecutionTime), access="rw")
