"""A client prepares the tariff calendar of a meter and puts it into force."""

from __future__ import annotations

from datetime import UTC, datetime

import cosem
from cosem.classes.standard.activity_calendar import DayProfileAction
from cosem.server import make_object
from cosem.testing.memory import connected
from cosem.types.date_time import DateTime, Time
from cosem.types.logical_name import LogicalName
from tests.server.driver import StandingClock, meter

SCRIPTS = LogicalName("0.0.10.0.100.255")


def test_a_client_prepares_a_calendar_and_activates_it():
    clock = StandingClock(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    scripts = make_object(9, SCRIPTS)
    device = meter(scripts, make_object(20, "0-0:13.0.0", calendar_name_active=b"old"), clock=clock)
    with connected(device) as client:
        calendar = client[cosem.classes.ActivityCalendar]
        assert (calendar.calendar_name_active, calendar.season_profile_active) == (b"old", ())
        calendar.calendar_name_passive = b"new"
        calendar.season_profile_passive = [(b"all", DateTime.fromhex("FFFF0101FFFFFFFFFF800000"), b"week")]
        calendar.week_profile_table_passive = [(b"week", 1, 1, 1, 1, 1, 1, 1)]
        calendar.day_profile_table_passive = [(1, [(Time.fromhex("06000000"), SCRIPTS, 3)])]
        calendar.activate_passive_calendar()
        assert calendar.calendar_name_active == b"new"
        assert calendar.week_profile_table_active[0].sunday == 1
        (day,) = calendar.day_profile_table_active
        assert day.day_schedule == (DayProfileAction(Time.fromhex("06000000"), SCRIPTS, 3),)
