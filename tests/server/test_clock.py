"""The clock: local time, daylight saving, setting and adjusting, with a time that the test gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cosem.classes.standard.clock import PresetAdjustingTime
from cosem.errors import ConfigurationError
from cosem.server import ClockObject, DemandRegisterObject, ProfileGenericObject
from cosem.server.objects.clock import LAST_SUNDAY_OF_MARCH, LAST_SUNDAY_OF_OCTOBER
from cosem.types.data import DoubleLongUnsigned, Integer, Long, OctetString
from cosem.types.date_time import ClockStatus, DateTime
from cosem.types.enumerations import ActionResult, DataAccessResult
from tests.server.driver import Client, StandingClock, meter

NAME = "0.0.1.0.0.255"


def central_european(**values):
    return ClockObject(
        time_zone=-60,
        daylight_savings_begin=LAST_SUNDAY_OF_MARCH,
        daylight_savings_end=LAST_SUNDAY_OF_OCTOBER,
        daylight_savings_deviation=60,
        daylight_savings_enabled=True,
        **values,
    )


def client_at(*moment: int, clock_object: ClockObject | None = None, objects=()) -> Client:
    clock = StandingClock(datetime(*moment, tzinfo=UTC))
    return Client(meter(clock_object or central_european(), *objects, clock=clock))


def shown(client: Client) -> str:
    return str(DateTime(client.get(8, NAME, 2)))


@pytest.mark.parametrize(
    ("moment", "local", "octets"),
    [
        ((2026, 11, 24, 13, 30), "2026-11-24 14:30:00+01:00", "FFC400"),
        ((2026, 3, 29, 0, 59, 59), "2026-03-29 01:59:59+01:00", "FFC400"),
        ((2026, 3, 29, 1, 0), "2026-03-29 03:00:00+02:00", "FF8880"),
        ((2026, 7, 1, 12, 0), "2026-07-01 14:00:00+02:00", "FF8880"),
        ((2026, 10, 25, 0, 59, 59), "2026-10-25 02:59:59+02:00", "FF8880"),
        ((2026, 10, 25, 1, 0), "2026-10-25 02:00:00+01:00", "FFC400"),
    ],
)
def test_local_time_follows_zone_and_daylight_saving(moment, local, octets):
    client = client_at(*moment)
    assert shown(client) == local
    assert client.get(8, NAME, 2).hex().upper().endswith(octets)
    assert client.get(8, NAME, 4) == (0x80 if octets.endswith("80") else 0)


def test_time_is_an_octet_string_of_twelve():
    value = client_at(2026, 11, 24, 13, 30).get(8, NAME, 2)
    assert type(value) is OctetString
    assert value.hex().upper() == "07EA0B18020E1E0000FFC400"


def test_daylight_saving_of_the_southern_hemisphere_spans_the_new_year():
    southern = ClockObject(
        time_zone=-600,
        daylight_savings_begin=DateTime.fromhex("FFFF0A010702000000FDA800"),  # first Sunday of October
        daylight_savings_end=DateTime.fromhex("FFFF04010703000000FD6C80"),  # first Sunday of April
        daylight_savings_deviation=60,
        daylight_savings_enabled=True,
    )
    saves = {month: southern.saves_daylight(datetime(2026, month, 15, tzinfo=UTC)) for month in range(1, 13)}
    assert [month for month, active in saves.items() if active] == [1, 2, 3, 10, 11, 12]


def test_without_daylight_saving_the_zone_holds_all_year():
    clock = ClockObject(time_zone=-60)
    assert not clock.saves_daylight(datetime(2026, 7, 1, tzinfo=UTC))
    disabled = central_european()
    disabled.put("daylight_savings_enabled", False)
    assert disabled.local(datetime(2026, 7, 1, 12, tzinfo=UTC)).hour == 13


@pytest.mark.parametrize("hours", range(-30, 30))
def test_local_time_and_moment_are_inverses_around_the_switches(hours):
    clock = central_european()
    for switch in (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)):
        moment = switch + timedelta(hours=hours, minutes=30)
        found = clock.instant(clock.local(moment).replace(tzinfo=None))
        twice = switch.month == 10 and hours == 0  # the second pass of the hour that comes twice
        assert found == moment - timedelta(hours=1 if twice else 0)


def test_setting_moves_the_time_and_clears_the_status():
    clock = central_european()
    client = client_at(2026, 11, 24, 13, 30, clock_object=clock)
    clock.mark(ClockStatus.DOUBTFUL_VALUE)
    assert client.get(8, NAME, 4) == 2
    wanted = DateTime.from_datetime(datetime(2027, 1, 5, 8, 0, tzinfo=UTC))
    assert client.set(8, NAME, 2, OctetString(wanted.octets)) is DataAccessResult.SUCCESS
    assert shown(client) == "2027-01-05 09:00:00+01:00"
    assert client.get(8, NAME, 4) == 0


def test_setting_without_deviation_means_local_time():
    client = client_at(2026, 11, 24, 13, 30)
    assert client.set(8, NAME, 2, OctetString(bytes.fromhex("07EA0701030A000000800000"))) == 0
    assert shown(client) == "2026-07-01 10:00:00+02:00"
    assert client.device.now() == datetime(2026, 7, 1, 8, tzinfo=UTC)


def test_the_time_goes_on_from_where_it_was_set():
    client = client_at(2026, 11, 24, 13, 30)
    client.set(8, NAME, 2, OctetString(bytes.fromhex("07EA0B18020C000000FFC400")))
    client.device._source.move(minutes=7)
    assert shown(client) == "2026-11-24 12:07:00+01:00"


@pytest.mark.parametrize(
    "octets", ["FFFF0B18020C000000FFC400", "07EA0D18020C000000FFC400", "07EA0B1802FF000000FFC400"]
)
def test_a_pattern_is_no_time_to_set(octets):
    client = client_at(2026, 11, 24, 13, 30)
    assert client.set(8, NAME, 2, OctetString(bytes.fromhex(octets))) is DataAccessResult.OTHER_REASON
    assert shown(client) == "2026-11-24 14:30:00+01:00"


def test_octets_of_another_length_are_of_the_wrong_type():
    client = client_at(2026, 11, 24, 13, 30)
    assert client.set(8, NAME, 2, OctetString(b"123")) is DataAccessResult.TYPE_UNMATCHED


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        (1, (13, 37, 29), "14:30:00"),
        (1, (13, 37, 30), "14:45:00"),
        (1, (13, 8, 0), "14:15:00"),
        (2, (13, 22, 29), "14:15:00"),
        (3, (13, 10, 29), "14:10:00"),
        (3, (13, 10, 30), "14:11:00"),
        (1, (22, 59, 0), "00:00:00"),
    ],
)
def test_adjusting_takes_the_nearest(method, before, after):
    client = client_at(2026, 11, 24, *before)
    assert client.call(8, NAME, method, Integer(0)).result is ActionResult.SUCCESS
    assert shown(client)[11:19] == after


def test_shift_moves_by_seconds_within_its_bounds():
    client = client_at(2026, 11, 24, 13, 30)
    assert client.call(8, NAME, 6, Long(-900)).result is ActionResult.SUCCESS
    assert shown(client)[11:19] == "14:15:00"
    assert client.call(8, NAME, 6, Long(901)).result is ActionResult.OTHER_REASON
    assert client.call(8, NAME, 6, Integer(5)).result is ActionResult.TYPE_UNMATCHED
    assert shown(client)[11:19] == "14:15:00"


@pytest.mark.parametrize(("start", "after"), [((13, 0), "18:00:00"), ((13, 45), "14:30:00")])
def test_a_preset_time_is_set_only_while_it_is_valid(start, after):
    client = client_at(2026, 11, 24, 13, 30)
    day = datetime(2026, 11, 24, tzinfo=UTC)
    preset = PresetAdjustingTime(
        preset_time=DateTime.from_datetime(day + timedelta(hours=17)),
        validity_interval_start=DateTime.from_datetime(day.replace(hour=start[0], minute=start[1])),
        validity_interval_end=DateTime.from_datetime(day.replace(hour=14)),
    )
    assert client.call(8, NAME, 5, preset).result is ActionResult.SUCCESS
    assert shown(client)[11:19] == "14:30:00"
    assert client.call(8, NAME, 4, Integer(0)).result is ActionResult.SUCCESS
    assert shown(client)[11:19] == after


def test_after_a_jump_forward_nothing_is_captured_for_the_time_that_never_was():
    profile = ProfileGenericObject(
        "1-0:99.1.0", capture_objects=[(8, NAME, 2, 0)], capture_period=900, profile_entries=100
    )
    client = client_at(2026, 11, 24, 13, 31, objects=(profile,))
    client.device._source.move(minutes=15)
    assert client.get(7, "1.0.99.1.0.255", 7) == DoubleLongUnsigned(1)
    client.set(
        8, NAME, 2, OctetString(DateTime.from_datetime(datetime(2026, 11, 26, 9, 1, tzinfo=UTC)).octets)
    )
    assert client.get(7, "1.0.99.1.0.255", 7) == 1
    client.device._source.move(minutes=15)
    times = [str(DateTime(row[0])) for row in client.get(7, "1.0.99.1.0.255", 2)]
    assert times == ["2026-11-24 14:45:00+01:00", "2026-11-26 10:15:00+01:00"]


@pytest.mark.parametrize(
    "octets",
    [
        "270F0C1FFF173B3B00FFC400",  # the last second of 9999
        "270F0C1FFF173B3B00008000",
        "00010101FF00000000FD3000",  # year 1, and in UTC before it
        "00010101FF0000000002D000",
        "00010101FF00000000800000",
        "07B10C1FFF173B3B00000000",  # the last second of 1969
    ],
)
def test_a_time_that_is_no_present_is_refused_and_changes_nothing(octets):
    demand = DemandRegisterObject("1-0:1.4.0", period=900, total=lambda: 0.0)
    client = client_at(2026, 11, 24, 13, 30, objects=(demand,))
    assert client.set(8, NAME, 2, OctetString(bytes.fromhex(octets))) is DataAccessResult.OTHER_REASON
    assert shown(client) == "2026-11-24 14:30:00+01:00"
    client.device._source.move(minutes=15)
    captured = client.get(5, "1.0.1.4.0.255", 6)
    assert str(DateTime(captured)) == "2026-11-24 14:45:00+01:00"  # what was planned is done yet


@pytest.mark.parametrize("octets", ["07B20101FF01000000FFC400", "26470C1FFF173B3B00FFC400"])
def test_the_ends_of_what_a_clock_takes_can_be_shown_and_left(octets):
    client = client_at(2026, 11, 24, 13, 30, objects=(DemandRegisterObject("1-0:1.4.0", period=900),))
    assert client.set(8, NAME, 2, OctetString(bytes.fromhex(octets))) is DataAccessResult.SUCCESS
    assert client.get(8, NAME, 2).hex().upper()[:8] == octets[:8]
    client.device._source.move(days=1)
    client.device.advance()
    back = DateTime.from_datetime(datetime(2026, 11, 24, 13, 30, tzinfo=UTC)).octets
    assert client.set(8, NAME, 2, OctetString(back)) is DataAccessResult.SUCCESS
    assert shown(client) == "2026-11-24 14:30:00+01:00"


@pytest.mark.parametrize("minutes", [841, -841, 1439, 1440, -1440, 32767, -32768])
def test_a_zone_that_no_date_time_can_have_is_refused_and_not_kept(minutes):
    client = client_at(2026, 11, 24, 13, 30)
    assert client.set(8, NAME, 3, Long(minutes)) is DataAccessResult.OTHER_REASON
    assert (client.get(8, NAME, 3), shown(client)) == (Long(-60), "2026-11-24 14:30:00+01:00")
    with pytest.raises(ConfigurationError, match=f"time_zone = {minutes}"):
        ClockObject(time_zone=minutes)


@pytest.mark.parametrize(("zone", "allowed"), [(840, 0), (-840, 0), (-780, 60), (780, -60), (720, -120)])
def test_zone_and_daylight_saving_together_are_kept_within_what_can_be_shown(zone, allowed):
    client = Client(meter(ClockObject(time_zone=zone)))
    assert client.set(8, NAME, 7, Integer(allowed)) is DataAccessResult.SUCCESS
    beyond = Integer(allowed + (1 if zone < 0 else -1))
    assert client.set(8, NAME, 7, beyond) is DataAccessResult.OTHER_REASON
    assert client.get(8, NAME, 7) == Integer(allowed)


def test_presets_at_the_ends_of_the_calendar_are_moments_too():
    client = client_at(2026, 11, 24, 13, 30)
    clock = client.device.find(NAME)
    first, last = DateTime.fromhex("00010101FF00000000800000"), DateTime.fromhex("270F0C1FFF173B3B00800000")
    clock.call_preset_adjusting_time(PresetAdjustingTime(last, first, last))
    assert clock.call_adjust_to_preset_time() is ActionResult.OTHER_REASON
    assert shown(client) == "2026-11-24 14:30:00+01:00"
