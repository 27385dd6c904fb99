"""What the clock does to what is due: synchronisation, jumps, and the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cosem.server import (
    ClockObject,
    DataObject,
    ProfileGenericObject,
    RegisterObject,
    ScriptTableObject,
    make_object,
)
from cosem.server.objects.clock import LAST_SUNDAY_OF_MARCH, LAST_SUNDAY_OF_OCTOBER
from cosem.types.data import BitString, DoubleLongUnsigned, Unsigned
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, StandingClock, meter

TABLE, TARIFF, CLOCK = "0-0:10.0.100", "0-0:96.14.0", "0-0:1.0.0"
SIX = datetime(2026, 6, 10, 4, 0, tzinfo=UTC)
"""06:00:00 of a summer day in central Europe."""


class Scene:
    """A central European meter whose scripts 1 to 9 say when they ran, and whatever a test adds."""

    def __init__(self, *objects, now: datetime):
        self.source = StandingClock(now)
        self.runs: list[tuple[str, int]] = []
        self.clock = ClockObject(
            time_zone=-60,
            daylight_savings_begin=LAST_SUNDAY_OF_MARCH,
            daylight_savings_end=LAST_SUNDAY_OF_OCTOBER,
            daylight_savings_deviation=60,
            daylight_savings_enabled=True,
        )
        tariff = DataObject(TARIFF, value=Unsigned(0))

        @tariff.setter("value")
        def written(value):
            self.runs.append((f"{self.device.now():%d %H:%M:%S}Z", int(value)))

        scripts = [(n, [(1, 1, TARIFF, 2, Unsigned(n))]) for n in range(1, 10)]
        table = ScriptTableObject(TABLE, scripts=scripts)
        self.device = Client(meter(self.clock, tariff, table, *objects, clock=self.source)).device

    def move(self, **by: float) -> list[tuple[str, int]]:
        """Let time go by, and return what ran."""
        self.runs.clear()
        self.source.move(**by)
        self.device.advance()
        return list(self.runs)

    def shift(self, seconds: int) -> None:
        assert self.clock.call_shift_time(seconds) is ActionResult.SUCCESS

    def set(self, moment: datetime) -> None:
        assert self.clock.set_time(DateTime.from_datetime(moment)) is DataAccessResult.SUCCESS


def single(*times: str):
    return make_object(
        22,
        "0-0:15.0.0",
        executed_script=(TABLE, 1),
        type=5,
        execution_time=[(Time.fromhex(each), Date.fromhex("FFFFFFFFFF")) for each in times],
    )


def entry(time: str, window: int = 0):
    return make_object(
        10,
        "0-0:12.0.0",
        entries=[
            (
                1,
                True,
                TABLE,
                1,
                Time.fromhex(time),
                window,
                BitString.from_text("1111111"),
                BitString.from_text("0"),
                Date.fromhex("FFFF0101FF"),
                Date.fromhex("FFFF0C1FFF"),
            )
        ],
    )


def calendar(*actions: tuple[str, int]):
    return make_object(
        20,
        "0-0:13.0.0",
        calendar_name_active=b"a",
        season_profile_active=[(b"s", DateTime.fromhex("FFFF0101FFFFFFFFFF800000"), b"w")],
        week_profile_table_active=[(b"w", *(1,) * 7)],
        day_profile_table_active=[(1, [(Time.fromhex(time), TABLE, number) for time, number in actions])],
    )


def profile():
    return ProfileGenericObject("1-0:99.1.0", capture_objects=[(8, CLOCK, 2, 0)], capture_period=900)


# --- synchronisation ----------------------------------------------------------------------------------------

AT_SIX = [
    pytest.param(lambda: single("06000000"), id="single action schedule"),
    pytest.param(lambda: calendar(("06000000", 1)), id="activity calendar"),
    pytest.param(lambda: entry("06000000"), id="schedule"),
]


@pytest.mark.parametrize("make", AT_SIX)
@pytest.mark.parametrize("seconds", [5, 900])
def test_what_a_synchronisation_passes_over_runs_at_its_moment(make, seconds):
    scene = Scene(make(), now=SIX - timedelta(seconds=12))
    scene.move(seconds=10)
    scene.shift(seconds)
    assert scene.move() == [("10 04:00:00Z", 1)]
    assert scene.move(hours=1) == []


@pytest.mark.parametrize("make", AT_SIX)
@pytest.mark.parametrize("seconds", [-5, -900])
def test_what_ran_before_the_clock_was_synchronised_back_does_not_run_again(make, seconds):
    scene = Scene(make(), now=SIX - timedelta(seconds=10))
    scene.move(seconds=9)
    assert scene.move(seconds=3) == [("10 04:00:00Z", 1)]
    scene.shift(seconds)
    target = next(each for each in scene.device if each.timed)
    target.changed(2)  # whatever makes the object look at its times again
    assert scene.move(hours=1) == []
    assert scene.move(days=1) == [("11 04:00:00Z", 1)]


@pytest.mark.parametrize(("before", "seconds"), [(-2, 5), (1, -5), (-2, 900), (1, -900), (450, -449)])
def test_a_profile_keeps_one_row_for_each_period_when_the_clock_is_synchronised(before, seconds):
    rows = profile()
    scene = Scene(rows, now=SIX - timedelta(minutes=20))
    scene.move(minutes=20, seconds=before)
    scene.shift(seconds)
    scene.move()
    scene.move(minutes=35)
    times = [str(DateTime(bytes(row[0])))[11:19] for row in rows.rows]
    assert times[:3] == ["05:45:00", "06:00:00", "06:15:00"]
    assert times == sorted(set(times))


def test_synchronising_again_and_again_neither_loses_nor_repeats():
    scene = Scene(single("FF0F0000"), now=SIX)
    for _ in range(12):
        scene.move(minutes=10)
        scene.shift(-600)
    scene.runs.clear()
    for _ in range(12):
        scene.source.move(minutes=10)
        scene.shift(600)
        scene.device.advance()
    assert scene.runs == [(f"10 {hour:02}:15:00Z", 1) for hour in (4, 5, 6, 7)]


def test_a_script_that_sets_the_clock_sees_the_time_that_it_set():
    scene = Scene(single("06000000"), now=SIX - timedelta(seconds=1))
    seen = []

    @scene.device["0-0:96.14.0"].setter("value")
    def written(value):
        del value
        scene.shift(30)
        seen.append(scene.device.now() - SIX)

    scene.move(seconds=1)
    assert seen == [timedelta(seconds=30)]
    assert scene.device.now() == SIX + timedelta(seconds=30)


# --- jumps ------------------------------------------------------------------------------------------------


def test_what_a_jump_back_repeats_runs_again():
    scene = Scene(single("06000000"), now=SIX - timedelta(seconds=1))
    assert scene.move(seconds=2) == [("10 04:00:00Z", 1)]
    scene.set(SIX - timedelta(hours=1))
    assert scene.move(hours=2) == [("10 04:00:00Z", 1)]


def test_a_date_that_is_past_comes_again_when_the_clock_is_set_back():
    schedule = single()
    schedule.put("execution_time", [(Time.fromhex("06000000"), Date.fromhex("07EA060AFF"))])
    scene = Scene(schedule, now=SIX + timedelta(days=1))
    assert scene.move(days=30) == []
    scene.set(SIX - timedelta(days=1))
    assert scene.move(days=2) == [("10 04:00:00Z", 1)]


def test_a_single_action_that_a_jump_forward_passes_over_does_not_run():
    scene = Scene(single("06000000"), now=SIX - timedelta(hours=1))
    scene.set(SIX + timedelta(hours=1))
    assert scene.move(hours=1) == []


def test_many_synchronisations_back_are_a_jump_in_all():
    rows = profile()
    scene = Scene(rows, now=SIX + timedelta(seconds=30))
    scene.move(minutes=60)
    captured = len(rows.rows)
    for _ in range(10):
        scene.shift(-840)
        scene.move(seconds=1)
    for _ in range(8):
        scene.move(minutes=15)
    assert len(rows.rows) == captured + 8


# --- a long silence -------------------------------------------------------------------------------------------

OFTEN = [
    pytest.param(lambda: single("FFFFFFFF"), id="single action schedule"),
    pytest.param(lambda: entry("FFFFFFFF"), id="schedule"),
]


@pytest.mark.parametrize("make", OFTEN)
def test_of_what_comes_each_second_a_week_of_silence_leaves_the_first_and_the_last(make):
    scene = Scene(make(), now=SIX)
    asked = []
    target = next(each for each in scene.device if each.timed)
    planned = target.next_time
    target.next_time = lambda after: asked.append(after) or planned(after)
    runs = scene.move(days=7)
    assert runs[0] == ("10 04:00:01Z", 1)
    assert runs[-1] == ("17 04:00:00Z", 1)
    assert 900 < len(runs) <= 1000
    assert len(asked) <= 1000
    assert scene.move(seconds=3) == [(f"17 04:00:0{second}Z", 1) for second in (1, 2, 3)]


def test_an_hour_of_what_comes_each_second_is_made_up_for_where_it_is_asked_often():
    scene = Scene(single("FFFFFFFF"), now=SIX)
    assert sum(len(scene.move(minutes=5)) for _ in range(12)) == 3600


def test_what_plans_itself_anew_while_it_catches_up_catches_up_with_no_more():
    schedule = single("FFFFFFFF")
    scene = Scene(schedule, now=SIX)

    @scene.device[TARIFF].setter("value")
    def written(value):
        scene.runs.append(("", int(value)))
        schedule.changed(4)

    assert len(scene.move(days=7)) <= 1000


@pytest.mark.parametrize("method", [1, 2])
def test_a_full_profile_makes_up_for_the_rows_that_there_is_room_for(method):
    rows = ProfileGenericObject(
        "1-0:99.1.0",
        capture_objects=[(8, CLOCK, 2, 0)],
        capture_period=1,
        profile_entries=600,
        sort_method=method,
    )
    scene = Scene(rows, now=SIX)
    captured = []
    capture = rows.call_capture
    rows.call_capture = lambda: captured.append(scene.device.now()) or capture()
    scene.move(days=7)
    assert len(captured) <= 1204
    end = SIX + timedelta(days=7)
    assert captured[-600:] == [end - timedelta(seconds=back) for back in range(599, -1, -1)]
    assert len(rows.rows) == 600
    # in the order of another value the first rows may be the ones that stay
    rows.put("sort_method", 3)
    captured.clear()
    scene.move(hours=1)
    assert len(captured) == 3600


# --- the hour that comes twice, and the one that never comes ---------------------------------------------------

AUTUMN = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
"""When 03:00 becomes 02:00."""
SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
"""When 02:00 becomes 03:00."""


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: single("021E0000"), id="single action schedule"),
        pytest.param(lambda: calendar(("021E0000", 1)), id="activity calendar"),
        pytest.param(lambda: entry("021E0000"), id="schedule"),
    ],
)
@pytest.mark.parametrize("seconds", [0, 1, -1])
def test_in_the_hour_that_comes_twice_nothing_runs_twice_and_all_goes_on(make, seconds):
    scene = Scene(make(), now=AUTUMN - timedelta(hours=2))
    scene.move(hours=1)
    assert scene.move(minutes=70) == [("25 00:30:00Z", 1)]
    scene.clock.changed(6)
    scene.shift(seconds)
    assert scene.move(hours=30) == [("26 01:30:00Z", 1)]


def test_a_meter_that_begins_in_the_second_of_the_hours_waits_for_the_next_day():
    scene = Scene(single("021E0000", "03000000"), now=AUTUMN + timedelta(minutes=10))
    assert scene.move(hours=24) == [("25 02:00:00Z", 1)]
    assert scene.move(hours=1) == [("26 01:30:00Z", 1), ("26 02:00:00Z", 1)]


def test_a_calendar_goes_on_after_the_hour_that_comes_twice():
    scene = Scene(
        calendar(("00000000", 1), ("021E0000", 2), ("06000000", 3)), now=AUTUMN - timedelta(hours=2)
    )
    scene.move(hours=2, minutes=10)
    scene.clock.changed(6)
    assert scene.move(hours=24) == [("25 05:00:00Z", 3), ("25 23:00:00Z", 1)]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_what_is_due_in_the_hour_that_never_comes_runs_in_the_next(minutes):
    scene = Scene(single("021E0000"), now=SPRING - timedelta(hours=1))
    scene.move(minutes=60 + minutes)
    scene.clock.changed(6)
    assert scene.move(hours=23) == [("29 01:30:00Z", 1)]


def test_every_second_is_due_once_also_in_the_hour_after_the_one_that_never_came():
    scene = Scene(single("03FFFFFF"), now=SPRING - timedelta(seconds=2))
    assert sum(len(scene.move(minutes=10)) for _ in range(12)) == 3600


def test_a_calendar_keeps_the_order_of_the_wall_where_an_hour_never_comes():
    scene = Scene(
        calendar(("01000000", 1), ("021E0000", 2), ("03000000", 3)), now=SPRING - timedelta(minutes=30)
    )
    scene.move(minutes=1)
    assert scene.move(hours=3) == [("29 01:00:00Z", 3)]


# --- limiter ------------------------------------------------------------------------------------------------


def limited(**facts):
    register = RegisterObject("1-0:1.7.0", value=DoubleLongUnsigned(0))
    return register, make_object(
        71,
        "0-0:17.0.0",
        monitored_value=(3, "1-0:1.7.0", 2),
        threshold_normal=DoubleLongUnsigned(100),
        threshold_emergency=DoubleLongUnsigned(40),
        min_over_threshold_duration=60,
        min_under_threshold_duration=60,
        actions=((TABLE, 1), (TABLE, 2)),
        **facts,
    )


@pytest.mark.parametrize(
    "by",
    [
        timedelta(seconds=100),
        timedelta(seconds=-100),
        timedelta(seconds=5),
        timedelta(days=1),
        timedelta(days=-1),
    ],
    ids=str,
)
def test_the_duration_of_a_limiter_goes_on_when_the_clock_is_set(by):
    register, limiter = limited()
    scene = Scene(register, limiter, now=SIX)
    register.put("value", DoubleLongUnsigned(200))
    scene.move(seconds=10)
    scene.set(scene.device.now() + by)
    assert scene.move(seconds=49) == []
    assert [number for _, number in scene.move(seconds=1)] == [1]
    assert scene.move(hours=30) == []


def test_a_limiter_that_is_over_in_an_emergency_acts_though_the_clock_jumped_into_it():
    emergency = (7, DateTime.from_datetime(SIX + timedelta(hours=5)), 3600)
    register, limiter = limited(emergency_profile=emergency, emergency_profile_group_id_list=[7])
    scene = Scene(register, limiter, now=SIX)
    register.put("value", DoubleLongUnsigned(60))
    scene.set(SIX + timedelta(hours=5, minutes=30))
    assert int(limiter.stored(3)) == 40
    assert scene.move(minutes=20) == [("10 09:31:00Z", 1)]
    assert scene.move(minutes=20) == [("10 10:01:00Z", 2)]


def test_a_shorter_duration_that_has_passed_already_acts_at_once():
    register, limiter = limited()
    scene = Scene(register, limiter, now=SIX)
    register.put("value", DoubleLongUnsigned(200))
    scene.move(seconds=30)
    register.getter("value")(lambda: None)  # nobody says any more how high it is
    limiter.put("min_over_threshold_duration", 20)
    assert scene.move(seconds=1) == [("10 04:00:30Z", 1)]


def test_a_value_that_dropped_between_looks_does_not_count_as_over():
    register, limiter = limited(look_every=40)
    scene = Scene(register, limiter, now=SIX)
    register.getter("value")(
        lambda: DoubleLongUnsigned(200 if scene.device.now() < SIX + timedelta(seconds=50) else 50)
    )
    assert scene.move(seconds=99) == []
    assert scene.move(hours=1) == []


# --- what a calendar missed ---------------------------------------------------------------------------------

TWO_TARIFFS = ("06000000", 1), ("16000000", 2)


@pytest.mark.parametrize(("hours", "number"), [(-1, 2), (1, 1), (16, 2), (17, 2)])
def test_at_start_up_a_calendar_switches_to_what_is_in_force(hours, number):
    scene = Scene(calendar(*TWO_TARIFFS), now=SIX + timedelta(hours=hours))
    assert [each for _, each in scene.move(minutes=1)] == [number]
    assert scene.move(minutes=1) == []


def test_a_calendar_that_is_filled_in_later_starts_then():
    target, full = calendar(), calendar(*TWO_TARIFFS)
    scene = Scene(target, now=SIX + timedelta(hours=1))
    assert scene.move(minutes=1) == []
    target.put("day_profile_table_active", full.day_profile_table_active)
    assert scene.move(minutes=1) == [("10 05:01:00Z", 1)]


@pytest.mark.parametrize(
    ("by", "runs"),
    [
        (timedelta(hours=1), []),
        (timedelta(hours=14), []),
        (timedelta(hours=15), [2]),
        (timedelta(hours=18), [2]),
        (timedelta(hours=24), [1]),
        (timedelta(days=30), [1]),
        (-timedelta(minutes=30), []),
        (-timedelta(hours=2), [2]),
        (-timedelta(days=1), [1]),
    ],
    ids=str,
)
def test_after_a_jump_a_calendar_switches_once_to_what_is_in_force(by, runs):
    scene = Scene(calendar(*TWO_TARIFFS), now=SIX)
    assert [number for _, number in scene.move(hours=1)] == [1]
    scene.set(SIX + timedelta(hours=1) + by)
    assert [number for _, number in scene.move(seconds=1)] == runs
    assert scene.move(seconds=1) == []


def test_a_zone_that_moves_the_wall_past_a_switching_switches():
    scene = Scene(calendar(*TWO_TARIFFS), now=SIX - timedelta(minutes=30))
    assert [number for _, number in scene.move(seconds=1)] == [2]
    scene.clock.put("time_zone", -120)
    assert [number for _, number in scene.move(seconds=1)] == [1]
    assert scene.move(minutes=50) == []
    assert scene.move(hours=16) == [("10 19:00:00Z", 2)]


def test_a_start_time_that_is_a_pattern_never_comes():
    scene = Scene(calendar(("FF0F0000", 3), *TWO_TARIFFS), now=SIX)
    assert [number for _, number in scene.move(days=1)] == [1, 2, 1]


@pytest.mark.parametrize(
    ("time", "order"), [("05000000", [1, 4]), ("06000000", [1, 4]), ("07000000", [4, 1])]
)
def test_what_a_calendar_missed_runs_in_its_place_among_the_entries_of_the_schedule(time, order):
    scene = Scene(
        entry(time, window=0xFFFF), calendar(("02000000", 3), ("06000000", 4)), now=SIX - timedelta(hours=2)
    )
    scene.move(seconds=1)
    scene.set(SIX + timedelta(hours=3))
    assert [number for _, number in scene.move(seconds=1)] == order
    assert scene.move(seconds=1) == []
