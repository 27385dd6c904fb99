"""The status that a profile captures says what befell each period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cosem.server import ClockObject, ProfileGenericObject, ProfileStatusObject
from cosem.types.data import LongUnsigned, Unsigned
from tests.server.driver import Client, StandingClock, meter

CLOCK, STATUS = (8, "0-0:1.0.0", 2, 0), (1, "0-0:96.10.1", 2, 0)
ADJUSTED, SAVING, POWER_DOWN = 0x20, 0x08, 0x80


class Scene:
    """A profile of quarters of an hour with clock and status."""

    def __init__(self, now: datetime, **zone: object):
        self.clock = StandingClock(now)
        self.status = ProfileStatusObject("0-0:96.10.1", clock_adjusted=ADJUSTED, daylight_saving=SAVING)
        self.profile = ProfileGenericObject(
            "1-0:99.1.0", capture_objects=[CLOCK, STATUS], capture_period=900, profile_entries=100
        )
        self.client = Client(
            meter(ClockObject("0-0:1.0.0", **zone), self.status, self.profile, clock=self.clock)
        )

    def rows(self, **by: float) -> list[tuple[str, int]]:
        """Let time go by, and return local time and status of what was captured meanwhile."""
        seen = len(self.profile.rows)
        self.clock.move(**by)
        self.client.device.advance()
        return [
            (f"{time[5]:02}:{time[6]:02}", status)
            for time, status in self.profile.rows[seen:]  # type: ignore[index] # octets and a number
        ]


NOON = datetime(2026, 11, 25, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "expected"), [(2, ["14:15", "14:30"]), (-2, ["10:15", "10:30"])], ids=["forward", "back"]
)
def test_the_period_in_which_the_clock_jumped_is_marked_and_no_other(hours, expected):
    scene = Scene(NOON)
    assert scene.rows(minutes=5) == []
    scene.client.device.shift(timedelta(hours=hours))
    assert scene.rows(minutes=25) == [(expected[0], ADJUSTED), (expected[1], 0)]


def test_synchronising_marks_nothing():
    scene = Scene(NOON)
    scene.client.device.shift(timedelta(seconds=30))
    assert scene.rows(minutes=15) == [("12:15", 0)]


def test_daylight_saving_is_marked_while_it_lasts():
    begin = datetime(2026, 3, 29, 0, 46, tzinfo=UTC)
    saving = {
        "time_zone": -60,
        "daylight_savings_begin": bytes.fromhex("FFFF03FE0702000000FFC400"),
        "daylight_savings_end": bytes.fromhex("FFFF0AFE0703000000FF8880"),
        "daylight_savings_deviation": 60,
        "daylight_savings_enabled": True,
    }
    assert Scene(begin, **saving).rows(minutes=30) == [("03:00", SAVING), ("03:15", SAVING)]


def test_the_application_marks_what_it_knows():
    scene = Scene(NOON)
    scene.status.mark(POWER_DOWN)
    assert scene.client.get(1, "0.0.96.10.1.255", 2) == Unsigned(POWER_DOWN)  # reading ends no period
    assert scene.client.get(1, "0.0.96.10.1.255", 2) == Unsigned(POWER_DOWN)
    assert scene.rows(minutes=30) == [("12:15", POWER_DOWN), ("12:30", 0)]


def test_other_bits_and_the_type_are_those_of_the_value():
    status = ProfileStatusObject("0-0:96.10.2", value=LongUnsigned(0x0100))
    status.mark(1)
    client = Client(meter(status))
    assert client.get(1, "0.0.96.10.2.255", 2) == LongUnsigned(0x0101)
    assert type(client.get(1, "0.0.96.10.2.255", 2)) is LongUnsigned
