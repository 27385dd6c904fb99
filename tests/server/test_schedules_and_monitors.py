"""Schedules, calendars, monitors and limiters: what runs when, with a time that the test gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.server import ClockObject, DataObject, RegisterObject, ScriptTableObject, make_object
from cosem.server.objects.clock import LAST_SUNDAY_OF_MARCH, LAST_SUNDAY_OF_OCTOBER
from cosem.server.patterns import next_match
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import Client, StandingClock, meter

TABLE, TARIFF = "0-0:10.0.100", "0-0:96.14.0"
MIDNIGHT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # a Monday
ANY_DAY = "FFFFFFFFFF"


class Scene:
    """Scripts 1 to 9 that write their number into the tariff, and whatever a test adds."""

    def __init__(self, *objects, now: datetime = MIDNIGHT):
        self.clock = StandingClock(now)
        scripts = [(n, [(1, 1, TARIFF, 2, Unsigned(n))]) for n in range(1, 10)]
        self.runs: list[tuple[str, int]] = []
        tariff = DataObject(TARIFF, value=Unsigned(0))

        @tariff.setter("value")
        def written(value):
            self.runs.append((f"{self.client.device.now():%a %H:%M:%S}", int(value)))

        self.client = Client(
            meter(
                ClockObject(), tariff, ScriptTableObject(TABLE, scripts=scripts), *objects, clock=self.clock
            )
        )

    def move(self, **by: float) -> list[tuple[str, int]]:
        """Let time go by, and return what ran."""
        self.runs.clear()
        self.clock.move(**by)
        self.client.device.advance()
        return list(self.runs)


def script(number: int) -> tuple[str, int]:
    return TABLE, number


# --- patterns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "moment", "expected"),
    [
        (ANY_DAY, "06000000", "2026-11-23 06:00:00"),
        (ANY_DAY, "00000000", "2026-11-24 00:00:00"),
        (ANY_DAY, "FFFF1EFF", "2026-11-23 00:00:30"),
        (ANY_DAY, "FF0F00FF", "2026-11-23 00:15:00"),
        ("FFFFFFFF07", "06000000", "2026-11-29 06:00:00"),
        ("FFFFFFFEFF", "06000000", "2026-11-30 06:00:00"),
        ("FFFF03FE07", "02000000", "2027-03-28 02:00:00"),
        ("FFFF021DFF", "00000000", "2028-02-29 00:00:00"),
        ("07EB0101FF", "00000000", "2027-01-01 00:00:00"),
        ("07E90101FF", "00000000", None),
        ("FFFF021EFF", "00000000", None),
        ("FFFE0101FF", "00000000", None),
        (ANY_DAY, "18000000", None),
    ],
)
def test_when_a_pattern_comes_true_next(day, moment, expected):
    found = next_match(Date.fromhex(day), Time.fromhex(moment), MIDNIGHT.replace(tzinfo=None))
    assert (None if found is None else str(found)) == expected


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.binary(min_size=4, max_size=4))
def test_the_next_time_is_later_and_of_the_pattern(after, octets):
    pattern = Time(bytes(octet if octet < 60 else 0xFF for octet in octets))
    found = next_match(Date.fromhex(ANY_DAY), pattern, after)
    if found is not None:
        assert after < found <= after + timedelta(days=2)
        assert pattern.matches(found.time())
    else:
        assert 24 <= pattern.octets[0] < 60


# --- single action schedule -------------------------------------------------------------------------------


def schedule(*times: tuple[str, str], kind: int = 5, number: int = 1):
    return make_object(
        22,
        "0-0:15.0.0",
        executed_script=script(number),
        type=kind,
        execution_time=[(Time.fromhex(time), Date.fromhex(day)) for time, day in times],
    )


def test_a_script_runs_at_its_times():
    scene = Scene(schedule(("06000000", ANY_DAY), ("14000000", "FFFFFFFF03")))
    assert scene.move(days=3) == [
        ("Mon 06:00:00", 1),
        ("Tue 06:00:00", 1),
        ("Wed 06:00:00", 1),
        ("Wed 20:00:00", 1),
    ]


def test_without_times_or_without_a_script_nothing_runs():
    assert Scene(schedule()).move(days=3) == []
    assert Scene(schedule(("06000000", ANY_DAY), number=0)).move(days=3) == []


@pytest.mark.parametrize(
    ("kind", "times", "allowed"),
    [
        (1, [("06000000", ANY_DAY)], True),
        (1, [("06000000", ANY_DAY)] * 2, False),
        (2, [("06000000", "07EA0C01FF"), ("06000000", "07EA0C02FF")], True),
        (2, [("06000000", ANY_DAY)], False),
        (3, [("06000000", ANY_DAY), ("07000000", ANY_DAY)], False),
        (4, [("06000000", "07EA0C01FF"), ("07000000", "07EA0C02FF")], True),
        (4, [("06000000", ANY_DAY)], False),
        (5, [("06000000", ANY_DAY), ("07000000", ANY_DAY)], True),
        (5, [], True),
    ],
)
def test_the_type_says_which_times_there_may_be(kind, times, allowed):
    scene = Scene(schedule(kind=kind))
    value = Array(Structure((OctetString(bytes.fromhex(t)), OctetString(bytes.fromhex(d)))) for t, d in times)
    result = scene.client.set(22, "0.0.15.0.0.255", 4, value)
    assert result is (DataAccessResult.SUCCESS if allowed else DataAccessResult.OTHER_REASON)


def test_times_that_a_client_writes_hold_from_then_on():
    scene = Scene(schedule())
    value = Array((Structure((OctetString(bytes.fromhex("0C000000")), OctetString(bytes.fromhex(ANY_DAY)))),))
    scene.client.set(22, "0.0.15.0.0.255", 4, value)
    assert scene.move(days=1) == [("Mon 12:00:00", 1)]


# --- calendar ---------------------------------------------------------------------------------------------


def half(name: str, suffix: str, *, weekday: int = 1, sunday: int = 2, first: int = 1) -> dict[str, object]:
    everyday = [(Time.fromhex("06000000"), *script(first)), (Time.fromhex("16000000"), *script(first + 1))]
    quiet = [(Time.fromhex("00000000"), *script(first + 1))]
    return {
        f"calendar_name_{suffix}": name.encode(),
        f"season_profile_{suffix}": [(b"all", DateTime.fromhex("FFFF0101FFFFFFFFFF800000"), b"week")],
        f"week_profile_table_{suffix}": [(b"week", *(weekday,) * 6, sunday)],
        f"day_profile_table_{suffix}": [
            (1, everyday),
            (2, quiet),
            (3, [(Time.fromhex("09000000"), *script(9))]),
        ],
    }


def calendar(*halves: dict[str, object]):
    return make_object(20, "0-0:13.0.0", **{name: value for each in halves for name, value in each.items()})


def test_a_calendar_switches_by_weekday():
    scene = Scene(calendar(half("A", "active")))
    runs = scene.move(days=6, hours=12)
    assert runs[-3:] == [("Sat 06:00:00", 1), ("Sat 22:00:00", 2), ("Sun 00:00:00", 2)]
    assert runs[0] == ("Mon 00:00:00", 2)  # what has been in force since Sunday
    assert len(runs) == 14


def test_a_special_day_overrides_the_week():
    special = make_object(11, "0-0:11.0.0", entries=[(1, Date.fromhex("FFFF0B18FF"), 3)])
    scene = Scene(calendar(half("A", "active")), special)
    assert scene.move(minutes=1) == [("Mon 00:00:00", 2)]
    assert scene.move(days=2) == [("Mon 06:00:00", 1), ("Mon 22:00:00", 2), ("Tue 09:00:00", 9)]
    entry = Structure((LongUnsigned(2), OctetString(bytes.fromhex("FFFF0B19FF")), Unsigned(3)))
    assert scene.client.call(11, "0.0.11.0.0.255", 1, entry).result is ActionResult.SUCCESS
    assert scene.move(days=1) == [("Wed 09:00:00", 9)]
    assert scene.client.call(11, "0.0.11.0.0.255", 2, LongUnsigned(1)).result is ActionResult.SUCCESS
    assert scene.client.call(11, "0.0.11.0.0.255", 2, LongUnsigned(1)).result is ActionResult.OTHER_REASON


def test_seasons_follow_each_other_through_the_year():
    values = half("A", "active")
    values["season_profile_active"] = [
        (b"winter", DateTime.fromhex("FFFF0A01FFFFFFFFFF800000"), b"week"),
        (b"summer", DateTime.fromhex("FFFF0401FFFFFFFFFF800000"), b"sun"),
    ]
    target = calendar(values)
    seasons = {
        month: target.season_of(datetime(2026, month, 15).date()).season_profile_name
        for month in range(1, 13)
    }
    assert [month for month, name in seasons.items() if name == b"summer"] == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("summer", "first"),
    [
        ("FFFF03FE07FFFFFFFF800000", date(2026, 3, 29)),  # the last Sunday of March
        ("FFFF0401FFFFFFFFFF800000", date(2026, 4, 1)),
        ("07D0040106000000008000FF", date(2026, 4, 1)),  # a Saturday in 2000, and again in every year
        ("FFFFFFFFFFFFFFFFFF800000", date(2026, 1, 1)),
    ],
)
def test_a_season_begins_on_the_day_that_its_pattern_means(summer, first):
    values = half("A", "active")
    values["season_profile_active"] = [
        (b"winter", DateTime.fromhex("FFFF0A01FFFFFFFFFF800000"), b"week"),
        (b"summer", DateTime.fromhex(summer), b"sun"),
    ]
    target = calendar(values)
    days = [target.season_of(first + timedelta(days=by)).season_profile_name for by in (-1, 0, 150)]
    assert days == [b"winter", b"summer", b"summer"]


def test_a_season_does_not_begin_before_its_year():
    values = half("A", "active")
    values["season_profile_active"] = [
        (b"a", DateTime.fromhex("07E90101FFFFFFFFFF800000"), b"week"),  # 2025-01-01
        (b"b", DateTime.fromhex("07EB0401FFFFFFFFFF800000"), b"sun"),  # 2027-04-01
    ]
    target = calendar(values)
    days = {
        "2025-06-01": b"a",
        "2026-06-01": b"a",
        "2027-03-31": b"a",
        "2027-04-01": b"b",
        "2028-06-01": b"b",
    }
    assert {day: target.season_of(date.fromisoformat(day)).season_profile_name for day in days} == days


@pytest.mark.parametrize("count", [1, 2])
def test_seasons_of_a_year_to_come_are_not_in_force_however_many_there_are(count):
    values = half("A", "active")
    values["season_profile_active"] = [
        (b"a", DateTime.fromhex("07EE0101FFFFFFFFFF800000"), b"week"),  # 2030-01-01
        (b"b", DateTime.fromhex("07EE0601FFFFFFFFFF800000"), b"sun"),
    ][:count]
    target = calendar(values)
    assert target.season_of(date(2026, 9, 2)) is None
    assert target.season_of(date(2030, 1, 1)).season_profile_name == b"a"


def test_a_single_season_without_a_year_is_always_in_force():
    values = half("A", "active")
    values["season_profile_active"] = [(b"a", DateTime.fromhex("FFFF0601FFFFFFFFFF800000"), b"week")]
    assert calendar(values).season_of(date(2026, 1, 1)).season_profile_name == b"a"


SAVING = {
    "daylight_savings_begin": LAST_SUNDAY_OF_MARCH,
    "daylight_savings_end": LAST_SUNDAY_OF_OCTOBER,
    "daylight_savings_enabled": True,
    "daylight_savings_deviation": 60,
}


def test_months_stand_for_the_days_on_which_daylight_saving_begins_and_ends():
    begin, end = Date.fromhex("FFFFFEFFFF"), Date.fromhex("FFFFFDFFFF")
    values = half("A", "active")
    values["season_profile_active"] = [
        (b"summer", DateTime.fromhex("FFFFFEFFFFFFFFFFFF800000"), b"week"),
        (b"winter", DateTime.fromhex("FFFFFDFFFFFFFFFFFF800000"), b"sun"),
    ]
    seasons = calendar(values)
    entry = (1, True, TABLE, 1, Time.fromhex("06000000"), 0, "1111111", "1", begin, end)
    entries = make_object(10, "0-0:12.0.0", entries=[entry])
    action = schedule(("06000000", "FFFFFEFFFF"))
    device = meter(ClockObject(**SAVING), seasons, entries, action)
    days = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)]
    names = [seasons.season_of(day).season_profile_name for day in days]
    assert names == [b"winter", b"summer", b"summer", b"winter", b"winter"]
    assert [entries.runs_on(entries.entries[0], day) for day in days] == [False, True, True, True, False]
    assert device.local(action.next_time(device.now())).isoformat()[:16] == "2027-03-28T06:00"
    unknown = make_object(20, "0-0:13.0.0", **values)
    meter(ClockObject(), unknown)
    assert unknown.season_of(date(2026, 6, 1)) is None


def test_a_season_whose_start_never_comes_is_none():
    values = half("A", "active")
    never = DateTime.fromhex("FFFF021EFFFFFFFFFF800000")  # the 30th of February
    values["season_profile_active"] = [(b"a", never, b"week"), (b"b", never, b"week")]
    assert calendar(values).season_of(date(2026, 11, 25)) is None


def test_the_passive_calendar_takes_over_in_one_step_and_at_once():
    scene = Scene(
        calendar(half("A", "active"), half("B", "passive", first=4)), now=MIDNIGHT + timedelta(hours=12)
    )
    scene.runs.clear()
    assert scene.client.call(20, "0.0.13.0.0.255", 1, Integer(0)).result is ActionResult.SUCCESS
    assert scene.runs == [("Mon 12:00:00", 4)]
    assert scene.client.get(20, "0.0.13.0.0.255", 2) == b"B"
    assert scene.move(hours=12) == [("Mon 22:00:00", 5)]


def test_the_passive_calendar_takes_over_at_its_time_and_only_once():
    scene = Scene(calendar(half("A", "active"), half("B", "passive", first=4)))
    time = OctetString(DateTime.from_datetime(MIDNIGHT + timedelta(hours=10)).octets)
    assert scene.client.set(20, "0.0.13.0.0.255", 10, time) is DataAccessResult.SUCCESS
    assert scene.move(days=1)[1:] == [("Mon 06:00:00", 1), ("Mon 10:00:00", 4), ("Mon 22:00:00", 5)]
    assert DateTime(scene.client.get(20, "0.0.13.0.0.255", 10)).is_pattern


def test_a_time_that_has_passed_means_at_once():
    scene = Scene(
        calendar(half("A", "active"), half("B", "passive", first=4)), now=MIDNIGHT + timedelta(hours=12)
    )
    scene.client.set(20, "0.0.13.0.0.255", 10, OctetString(DateTime.from_datetime(MIDNIGHT).octets))
    assert scene.move(seconds=1) == [("Mon 12:00:00", 4)]


@pytest.mark.parametrize("broken", [{"weekday": 7}, {"sunday": 8}])
def test_a_calendar_that_leads_nowhere_is_not_activated(broken):
    scene = Scene(calendar(half("A", "active"), half("B", "passive", **broken)))
    assert scene.client.call(20, "0.0.13.0.0.255", 1, Integer(0)).result is ActionResult.OTHER_REASON
    time = OctetString(DateTime.from_datetime(MIDNIGHT + timedelta(hours=1)).octets)
    scene.client.set(20, "0.0.13.0.0.255", 10, time)
    scene.move(hours=2)
    assert scene.client.get(20, "0.0.13.0.0.255", 2) == b"A"


# --- monitors -----------------------------------------------------------------------------------------------


def monitored(**facts):
    register = RegisterObject("1-0:1.7.0", value=DoubleLongUnsigned(0))
    return register, make_object(
        21,
        "0-0:16.0.0",
        monitored_value=(3, "1-0:1.7.0", 2),
        thresholds=[DoubleLongUnsigned(10), DoubleLongUnsigned(20)],
        actions=[(script(1), script(2)), (script(3), script(0))],
        **facts,
    )


def test_a_monitor_acts_when_a_threshold_is_crossed():
    register, monitor = monitored()
    scene = Scene(register, monitor)
    seen = []
    for value in (0, 10, 11, 25, 20, 10, 9, 30):
        scene.runs.clear()
        register.put("value", DoubleLongUnsigned(value))
        seen.append([number for _, number in scene.runs])
    assert seen == [[], [], [1], [3], [], [], [2], [1, 3]]


def test_a_monitor_looks_at_a_value_that_is_computed():
    register, monitor = monitored(look_every=60)
    scene = Scene(register, monitor)
    register.getter("value")(lambda: DoubleLongUnsigned(15 if scene.client.device.now().minute >= 3 else 5))
    assert scene.move(minutes=10) == [("Mon 00:03:00", 1)]


def test_the_first_change_that_a_monitor_sees_may_cross_a_threshold():
    register, monitor = monitored()
    scene = Scene(register, monitor)
    register.put("value", DoubleLongUnsigned(15))
    assert [number for _, number in scene.runs] == [1]


def test_nothing_crosses_a_threshold_between_two_attributes():
    register, monitor = monitored()
    other = RegisterObject("1-0:2.7.0", value=DoubleLongUnsigned(15))
    scene = Scene(register, other, monitor)
    register.put("value", DoubleLongUnsigned(5))
    where = Structure((LongUnsigned(3), OctetString(LogicalName("1.0.2.7.0.255")), Integer(2)))
    assert scene.client.set(21, "0.0.16.0.0.255", 3, where) is DataAccessResult.SUCCESS
    other.put("value", DoubleLongUnsigned(16))  # was 15: above the first threshold all the time
    assert scene.runs == []
    other.put("value", DoubleLongUnsigned(9))
    assert [number for _, number in scene.runs] == [2]


def limited(**facts):
    register = RegisterObject("1-0:1.7.0", value=DoubleLongUnsigned(0))
    return register, make_object(
        71,
        "0-0:17.0.0",
        monitored_value=(3, "1-0:1.7.0", 2),
        threshold_normal=DoubleLongUnsigned(100),
        threshold_emergency=DoubleLongUnsigned(40),
        min_over_threshold_duration=60,
        min_under_threshold_duration=120,
        actions=(script(1), script(2)),
        **facts,
    )


def test_a_limiter_acts_once_after_the_duration_and_once_when_it_is_back():
    register, limiter = limited()
    scene = Scene(register, limiter)
    register.put("value", DoubleLongUnsigned(101))
    assert scene.move(seconds=30) == []
    register.put("value", DoubleLongUnsigned(100))
    assert scene.move(minutes=10) == []
    register.put("value", DoubleLongUnsigned(200))
    assert scene.move(minutes=10) == [("Mon 00:11:30", 1)]
    register.put("value", DoubleLongUnsigned(50))
    assert scene.move(minutes=10) == [("Mon 00:22:30", 2)]
    assert scene.move(minutes=10) == []


def test_a_limiter_acts_on_what_was_above_its_threshold_from_the_beginning():
    register, limiter = limited()
    register.put("value", DoubleLongUnsigned(150))
    assert Scene(register, limiter).move(minutes=10) == [("Mon 00:01:00", 1)]


@pytest.mark.parametrize("year", ["270F", "0001"])
def test_an_emergency_may_end_after_the_calendar(year):
    register, limiter = limited(emergency_profile_group_id_list=[7])
    scene = Scene(register, limiter)
    begin = OctetString(bytes.fromhex(f"{year}0C1FFF173B3B00800000"))
    profile = Structure((LongUnsigned(7), begin, DoubleLongUnsigned(0xFFFFFFFF)))
    assert scene.client.set(71, "0.0.17.0.0.255", 8, profile) is DataAccessResult.SUCCESS
    assert scene.client.get(71, "0.0.17.0.0.255", 3) == DoubleLongUnsigned(100)
    assert scene.client.get(71, "0.0.17.0.0.255", 10) is False
    assert scene.move(days=2) == []


def test_a_limiter_that_is_to_watch_something_else_begins_anew():
    register, limiter = limited()
    other = RegisterObject("1-0:2.7.0", value=DoubleLongUnsigned(50))
    scene = Scene(register, other, limiter)
    register.put("value", DoubleLongUnsigned(101))
    scene.move(seconds=59)
    where = Structure((LongUnsigned(3), OctetString(LogicalName("1.0.2.7.0.255")), Integer(2)))
    assert scene.client.set(71, "0.0.17.0.0.255", 2, where) is DataAccessResult.SUCCESS
    assert scene.move(minutes=5) == []
    other.put("value", DoubleLongUnsigned(101))
    assert scene.move(minutes=5) == [("Mon 00:06:59", 1)]


def test_in_an_emergency_the_other_threshold_holds():
    begin = MIDNIGHT + timedelta(minutes=5)
    register, limiter = limited(
        emergency_profile=(7, DateTime.from_datetime(begin), 600), emergency_profile_group_id_list=[7]
    )
    scene = Scene(register, limiter)
    register.put("value", DoubleLongUnsigned(60))
    assert scene.client.get(71, "0.0.17.0.0.255", 3) == 100
    assert scene.move(minutes=7) == [("Mon 00:06:00", 1)]
    assert scene.client.get(71, "0.0.17.0.0.255", 3) == 40
    assert scene.client.get(71, "0.0.17.0.0.255", 10) is True
    assert scene.move(minutes=20) == [("Mon 00:17:00", 2)]
    assert scene.client.get(71, "0.0.17.0.0.255", 10) is False


def test_an_emergency_of_another_group_concerns_nobody_here():
    register, limiter = limited(
        emergency_profile=(7, DateTime.from_datetime(MIDNIGHT), 600), emergency_profile_group_id_list=[8]
    )
    scene = Scene(register, limiter)
    assert scene.client.get(71, "0.0.17.0.0.255", 10) is False


# --- register activation --------------------------------------------------------------------------------


def test_registers_outside_the_active_mask_stand_still():
    target = make_object(6, "0-0:14.0.0")
    energies = [make_object(3, f"1-0:1.8.{number}") for number in (1, 2)]
    client = Client(meter(target, *energies))
    for name in ("1.0.1.8.1.255", "1.0.1.8.2.255", "1.0.1.8.1.255"):
        reference = Structure((LongUnsigned(3), OctetString(LogicalName(name))))
        assert client.call(6, "0.0.14.0.0.255", 1, reference).result is ActionResult.SUCCESS
    assert len(client.get(6, "0.0.14.0.0.255", 2)) == 2

    def mask(name: bytes, *indices: int) -> Structure:
        return Structure((OctetString(name), Array(map(Unsigned, indices))))

    for each, result in (
        (mask(b"day", 1), 0),
        (mask(b"night", 2), 0),
        (mask(b"no", 3), 250),
        (mask(b"day", 1), 0),
    ):
        assert client.call(6, "0.0.14.0.0.255", 2, each).result == result
    assert client.set(6, "0.0.14.0.0.255", 4, OctetString(b"night")) is DataAccessResult.SUCCESS
    assert client.set(6, "0.0.14.0.0.255", 4, OctetString(b"noon")) is DataAccessResult.OTHER_REASON
    counting = [target.counts(3, f"1-0:1.8.{number}") for number in (0, 1, 2)]
    assert counting == [True, False, True]
    assert client.call(6, "0.0.14.0.0.255", 3, OctetString(b"night")).result is ActionResult.SUCCESS
    assert target.counts(3, "1-0:1.8.2") is False


# --- hostile and odd times --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "begin", "end", "within"),
    [
        ("2025-06-01", "07EA0101FF", ANY_DAY, False),  # a year on one side is a limit
        ("2026-01-01", "07EA0101FF", ANY_DAY, True),
        ("2031-01-01", "07EA0601FF", ANY_DAY, True),
        ("2027-01-01", ANY_DAY, "07EA0C1FFF", False),
        ("2026-12-31", ANY_DAY, "07EA0C1FFF", True),
        ("2027-05-01", "07EA0601FF", "FFFF0A1FFF", False),  # every summer from 2026 on
        ("2027-07-01", "07EA0601FF", "FFFF0A1FFF", True),
        ("2025-07-01", "07EA0601FF", "FFFF0A1FFF", False),
        ("2026-03-28", "FFFF03FE07", "FFFF0AFE07", False),  # from the last Sunday of March to that of October
        ("2026-03-29", "FFFF03FE07", "FFFF0AFE07", True),
        ("2026-10-25", "FFFF03FE07", "FFFF0AFE07", True),
        ("2026-10-26", "FFFF03FE07", "FFFF0AFE07", False),
        ("2026-02-28", ANY_DAY, "FFFF02FEFF", True),
        ("2026-03-01", ANY_DAY, "FFFF02FEFF", False),
        ("2026-12-31", "FFFFFFFEFF", "FFFFFFFEFF", True),
        ("2026-01-15", "FFFF0B01FF", "FFFF02FEFF", True),  # over New Year's Eve
        ("2026-06-01", "07EAFFFFFF", "07EAFFFFFF", True),
        ("2027-06-01", "07EAFFFFFF", "07EAFFFFFF", False),
        ("2026-06-01", "FFFDFFFFFF", ANY_DAY, False),  # a year that no calendar has
        ("2026-06-01", "000001FEFF", "FFFDFFFFFF", True),
        ("2026-06-01", "FFFF0DFF01", ANY_DAY, False),  # a month that never comes
    ],
)
def test_an_entry_holds_from_its_first_day_to_its_last(day, begin, end, within):
    entry = (1, True, TABLE, 1, Time.fromhex("06000000"), 0, "1111111", "1", begin, end)
    target = make_object(
        10, "0-0:12.0.0", entries=[(*entry[:8], Date.fromhex(entry[8]), Date.fromhex(entry[9]))]
    )
    assert target.runs_on(target.entries[0], date.fromisoformat(day)) is within


def test_an_entry_for_every_second_runs_the_last_times_late_and_holds_nothing_up():
    every_day = Date.fromhex(ANY_DAY)
    entry = (1, True, TABLE, 1, Time.fromhex("FFFFFFFF"), 0xFFFF, "1111111", "1", every_day, every_day)
    scene = Scene(make_object(10, "0-0:12.0.0", entries=[entry]))
    asked = []
    instant = scene.client.device.instant
    scene.client.device.instant = lambda local: asked.append(local) or instant(local)
    wanted = DateTime.from_datetime(MIDNIGHT + timedelta(days=300))
    assert scene.client.set(8, "0.0.1.0.0.255", 2, OctetString(wanted.octets)) is DataAccessResult.SUCCESS
    runs = scene.move(seconds=5)
    assert (len(runs), runs[0][0], runs[99][0]) == (105, "Sun 00:00:00", "Sun 00:00:00")
    assert [at for at, _ in runs[100:]] == [f"Sun 00:00:0{second}" for second in range(1, 6)]
    assert len(asked) < 1000


def test_days_that_never_come_are_looked_for_once(monkeypatch):
    looked = []
    matches = Date.matches
    monkeypatch.setattr(Date, "matches", lambda self, day: looked.append(day) or matches(self, day))
    scene = Scene(schedule())
    never = ("FFFF021EFF", "FFFF021FFF", "FFFF041FFF", "FFFFFF00FF", "FFFF0D01FF", "FFFFFE01FF", "FFFF0220FF")
    times = Array(
        Structure((OctetString(bytes(4)), OctetString(bytes.fromhex(never[n % 7])))) for n in range(800)
    )
    assert scene.client.set(22, "0.0.15.0.0.255", 4, times) is DataAccessResult.SUCCESS
    assert scene.move(days=1) == []
    assert len(looked) < 10_000


@pytest.mark.parametrize("year", ["270F", "0001", "FFFE", "0000"])
def test_times_at_the_ends_of_the_calendar_are_taken_and_never_come(year):
    moment = OctetString(bytes.fromhex(f"{year}0C1FFF173B3B00FFC400"))
    scene = Scene(schedule(), calendar(half("A", "active"), half("B", "passive")))
    when = Array([Structure((OctetString(bytes.fromhex("173B3B00")), OctetString(moment[:5])))])
    assert scene.client.set(22, "0.0.15.0.0.255", 4, when) is DataAccessResult.SUCCESS
    assert scene.client.set(20, "0.0.13.0.0.255", 10, moment) is DataAccessResult.SUCCESS
    scene.move(days=400)
    assert scene.client.get(8, "0.0.1.0.0.255", 4) == 0
