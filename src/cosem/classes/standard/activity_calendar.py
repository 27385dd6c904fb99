"""Activity calendar: seasons, weeks and days that switch the tariff.

(Blue Book, class_id 20)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.date_time import DateTime, Time
from cosem.types.logical_name import LogicalName

__all__ = ["ActivityCalendar", "DayProfile", "DayProfileAction", "SeasonProfile", "WeekProfile"]


class SeasonProfile(Structured):
    """A season: when it starts, the year usually left open, and the week profile that holds in it."""

    season_profile_name: bytes = member("octet-string")
    season_start: DateTime = member("octet-string[12]")
    week_name: bytes = member("octet-string")


class WeekProfile(Structured):
    """A week: the day_id of the day profile of each weekday."""

    week_profile_name: bytes = member("octet-string")
    monday: int = member("unsigned")
    tuesday: int = member("unsigned")
    wednesday: int = member("unsigned")
    thursday: int = member("unsigned")
    friday: int = member("unsigned")
    saturday: int = member("unsigned")
    sunday: int = member("unsigned")


class DayProfileAction(Structured):
    """One switching of a day: the script that runs at a time of day."""

    start_time: Time = member("octet-string[4]")
    script_logical_name: LogicalName = member("octet-string[6]")
    script_selector: int = member("long-unsigned")


class DayProfile(Structured):
    """A day: its switchings, in the order of their times."""

    day_id: int = member("unsigned")
    day_schedule: tuple[DayProfileAction, ...] = member(array_of(DayProfileAction))


class ActivityCalendar(
    InterfaceClass,
    class_id=20,
    version=0,
    title="Activity calendar",
    status="current",
    confidence="high",
    logical_names=("0.b.13.0.e.255",),
):
    """Activity calendar (class_id 20, version 0).

    The tariff calendar: seasons refer to weeks, weeks to days, days to scripts.

    The passive half is written and then takes the place of the active half in one step, at
    ``activate_passive_calendar_time`` or by the method.
    """

    calendar_name_active = Attribute(2, "octet-string")
    season_profile_active = Attribute(3, array_of(SeasonProfile))
    week_profile_table_active = Attribute(4, array_of(WeekProfile))
    day_profile_table_active = Attribute(5, array_of(DayProfile))
    calendar_name_passive = Attribute(6, "octet-string", access="rw")
    season_profile_passive = Attribute(7, array_of(SeasonProfile), access="rw")
    week_profile_table_passive = Attribute(8, array_of(WeekProfile), access="rw")
    day_profile_table_passive = Attribute(9, array_of(DayProfile), access="rw")
    activate_passive_calendar_time = Attribute(10, "octet-string[12] or date-time", access="rw")

    activate_passive_calendar = Method(1, short_name_offset=0x50)
