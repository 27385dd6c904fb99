"""date-time, date and time: octets kept, fields read, patterns matched, moments converted."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConversionError
from cosem.types.date_time import ClockStatus, Date, DateTime, Time

MOMENT = "07EA0B18020E1E0A0CFFC480"


def test_the_fields_of_a_full_date_time() -> None:
    moment = DateTime.fromhex(MOMENT)
    assert (moment.year, moment.month, moment.day, moment.weekday) == (2026, 11, 24, 2)
    assert (moment.hour, moment.minute, moment.second, moment.hundredths) == (14, 30, 10, 12)
    assert moment.deviation == -60
    assert moment.status is ClockStatus.DAYLIGHT_SAVING_ACTIVE
    assert not moment.is_pattern
    assert moment.weekday_is_consistent
    assert (moment.date, moment.time) == (Date.fromhex("07EA0B1802"), Time.fromhex("0E1E0A0C"))


def test_what_is_not_specified_is_none() -> None:
    nothing = DateTime(b"\xff" * 9 + b"\x80\x00\xff")
    fields = (
        nothing.year,
        nothing.month,
        nothing.day,
        nothing.weekday,
        nothing.hour,
        nothing.minute,
        nothing.second,
        nothing.hundredths,
        nothing.deviation,
        nothing.status,
    )
    assert fields == (None,) * 10
    assert nothing.is_pattern
    assert str(nothing) == "*-*-* *:*:*"


@pytest.mark.parametrize(
    ("deviation", "offset"),
    [("FFC4", 60), ("FF88", 120), ("FEB6", 330), ("0000", 0), ("003C", -60), ("FCF4", 780), ("FCB8", 840)],
)
def test_utc_is_local_time_plus_deviation(deviation: str, offset: int) -> None:
    moment = DateTime.fromhex(f"07EA0701030C000000{deviation}00")
    converted = moment.to_datetime()
    assert converted.utcoffset() == timedelta(minutes=offset)
    assert moment.to_utc() == datetime(2026, 7, 1, 12, tzinfo=UTC) - timedelta(minutes=offset)
    assert DateTime.from_datetime(converted) == moment


def test_meters_with_the_opposite_sign() -> None:
    moment = DateTime.fromhex("07EA0701030C000000003C00")
    assert moment.to_datetime(inverted_deviation=True).utcoffset() == timedelta(minutes=60)
    assert moment.to_utc(inverted_deviation=True).hour == 11
    assert (
        DateTime.from_datetime(moment.to_datetime(inverted_deviation=True), inverted_deviation=True) == moment
    )


def test_without_deviation_the_moment_has_no_zone() -> None:
    moment = DateTime.fromhex("07EA0701030C000000800000")
    assert moment.to_datetime() == datetime(2026, 7, 1, 12)
    assert DateTime.from_datetime(datetime(2026, 7, 1, 12)) == moment
    with pytest.raises(ConversionError):
        moment.to_utc()


def test_daylight_saving_is_taken_from_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    summer = DateTime.from_datetime(datetime(2026, 7, 1, 12, tzinfo=berlin))
    winter = DateTime.from_datetime(datetime(2026, 1, 1, 12, tzinfo=berlin))
    assert (summer.deviation, summer.status) == (-120, ClockStatus.DAYLIGHT_SAVING_ACTIVE)
    assert (winter.deviation, winter.status) == (-60, ClockStatus(0))
    assert DateTime.from_datetime(datetime(2026, 1, 1, tzinfo=UTC), 0xFF).status is None


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=14, minutes=1)), timezone(timedelta(hours=-15))])
def test_a_zone_that_no_deviation_expresses_is_refused(zone: timezone) -> None:
    with pytest.raises(ConversionError):
        DateTime.from_datetime(datetime(2026, 1, 1, tzinfo=zone))


@pytest.mark.parametrize("status", [-1, 256])
def test_a_status_is_one_octet(status: int) -> None:
    with pytest.raises(ConversionError):
        DateTime.from_datetime(datetime(2026, 1, 1), status)


@pytest.mark.parametrize(
    "octets",
    [
        "FFFF0B18020E1E0000FFC400",  # any year
        "07EAFE18020E1E0000FFC400",  # begin of daylight saving
        "07EA0BFE020E1E0000FFC400",  # last day
        "07EA0D18020E1E0000FFC400",  # month 13
        "07EA0220020E1E0000FFC400",  # day 32
        "07EA021E020E1E0000FFC400",  # 30 February
        "07EA0B1802191E0000FFC400",  # hour 25
        "07EA0B1802FF1E0000FFC400",  # any hour
        "07EA0B18020E3C0000FFC400",  # minute 60
        "07EA0B18020E1E3C00FFC400",  # second 60
        "07EA0B18020E1E0064FFC400",  # 100 hundredths
        "07EA0B18020E1E00007FFF00",  # impossible deviation
        "07EA0B18020E1E0000034900",  # 841 minutes
        "000000000000000000000000",
        "FFFFFFFFFFFFFFFFFF8000FF",
    ],
)
def test_what_is_no_moment_is_kept_and_raises_our_error(octets: str) -> None:
    moment = DateTime.fromhex(octets)
    assert moment.octets.hex().upper() == octets
    assert str(moment)
    with pytest.raises(ConversionError):
        moment.to_datetime()


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (DateTime.fromhex("07EA021E020E1E0000FFC400"), "day 30 of month 2"),
        (DateTime.fromhex("FFFF021EFF0E1E0000FFC400"), "day 30 of month 2"),
        (DateTime.fromhex("07EA021D020E1E0000FFC400"), "day 29 of month 2"),
        (DateTime.fromhex("07EA0D18020E1E0000FFC400"), "month 13"),
        (DateTime.fromhex("07EA0B00020E1E0000FFC400"), "day 0"),
        (DateTime.fromhex("07EA0B1802191E0000FFC400"), "hour 25"),
        (DateTime.fromhex("07EA0B18020E3C0000FFC400"), "minute 60"),
        (DateTime.fromhex("07EA0B18020E1E3C00FFC400"), "second 60"),
        (DateTime.fromhex("07EA0B18020E1E0064FFC400"), "hundredths 100"),
        (DateTime.fromhex("07EA0B18020E1E0000034900"), "deviation 841"),
        (DateTime.fromhex("000000000000000000000000"), "month 0"),
        (Date.fromhex("07EA0432FF"), "day 50"),
        (Date.fromhex("07EA0BF0FF"), "day 240"),
        (Time.fromhex("19000000"), "hour 25"),
        (Time.fromhex("19FFFFFF"), "hour 25"),
    ],
)
def test_what_is_impossible_is_named_and_is_no_pattern_for_it(
    value: DateTime | Date | Time, fault: str
) -> None:
    assert value.fault == fault
    assert str(value).endswith(f" (invalid: {fault})")
    convert = getattr(value, "to_datetime", None) or getattr(value, "to_date", None) or value.to_time
    with pytest.raises(ConversionError) as caught:
        convert()
    assert "pattern" not in str(caught.value)


@pytest.mark.parametrize(
    "octets",
    [
        "FFFFFFFFFFFFFFFFFF8000FF",
        "FFFF03FE0702000000800000",
        "07E8021D04FFFFFFFF800000",
        "07EAFDFDFF170000FF003C80",
    ],
)
def test_patterns_and_days_of_the_calendar_have_no_fault(octets: str) -> None:
    value = DateTime.fromhex(octets)
    assert value.fault == ""
    assert "invalid" not in str(value)


def test_hundredths_that_are_not_specified_are_zero() -> None:
    moment = DateTime.fromhex("07EA0B18020E1E0AFFFFC400")
    assert moment.hundredths is None
    assert moment.to_datetime().microsecond == 0


def test_a_wrong_weekday_is_not_used_but_can_be_told() -> None:
    moment = DateTime.fromhex("07EA0B18030E1E0A00FFC400")
    assert moment.to_datetime().day == 24
    assert not moment.weekday_is_consistent


@pytest.mark.parametrize(
    ("pattern", "contained", "not_contained"),
    [
        ("FFFFFFFEFF", [(2026, 2, 28), (2028, 2, 29), (9999, 12, 31)], [(2028, 2, 28), (2026, 1, 30)]),
        ("FFFFFFFDFF", [(2026, 2, 27), (2026, 1, 30)], [(2026, 1, 31)]),
        ("FFFF03FE07", [(2026, 3, 29), (2027, 3, 28)], [(2026, 3, 22), (2026, 4, 26), (2026, 3, 30)]),
        ("FFFF03FD07", [(2026, 3, 22)], [(2026, 3, 29), (2026, 3, 15)]),
        ("FFFF030107", [(2026, 3, 1), (2027, 3, 7)], [(2026, 3, 8), (2027, 3, 14)]),
        ("FFFF031605", [(2026, 3, 27)], [(2026, 3, 20), (2026, 3, 28)]),
        ("FFFF0A1607", [(2026, 10, 25)], [(2026, 10, 18)]),
        ("FFFFFFFF01", [(2026, 11, 23)], [(2026, 11, 24)]),
        ("FFFF0B18FF", [(2026, 11, 24), (2027, 11, 24)], [(2026, 11, 25), (2026, 12, 24)]),
        ("07EAFFFFFF", [(2026, 1, 1), (2026, 12, 31)], [(2027, 1, 1)]),
        ("07EA0B1802", [(2026, 11, 24)], [(2026, 11, 25), (2025, 11, 24)]),
        ("07EA0B1803", [], [(2026, 11, 24), (2026, 11, 25)]),
        ("FFFFFEFFFF", [], [(2026, 3, 29)]),
        ("FFFFFFE0FF", [], [(2026, 3, 29)]),
    ],
)
def test_patterns(
    pattern: str, contained: list[tuple[int, int, int]], not_contained: list[tuple[int, int, int]]
) -> None:
    wanted = Date.fromhex(pattern)
    assert [day for day in contained if not wanted.matches(date(*day))] == []
    assert [day for day in not_contained if wanted.matches(date(*day))] == []


def test_patterns_of_times_and_moments() -> None:
    assert Time.fromhex("0C1EFFFF").matches(time(12, 30, 59))
    assert Time.fromhex("FFFFFFFF").matches(time(0))
    assert not Time.fromhex("0C1E00FF").matches(time(12, 30, 1))
    every_last_day = DateTime.fromhex("FFFFFFFEFF000000FF8000FF")
    assert every_last_day.matches(datetime(2026, 2, 28))
    assert not every_last_day.matches(datetime(2026, 2, 28, 0, 0, 1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (DateTime.fromhex(MOMENT), "2026-11-24 14:30:10.12+01:00"),
        (DateTime.fromhex("07EA0B18FF0E1E0000012C00"), "2026-11-24 14:30:00-05:00"),
        (DateTime.fromhex("07EA0B18FF0E1E0000800000"), "2026-11-24 14:30:00"),
        (DateTime(b"\xff" * 12), "*-*-* *:*:*"),
        (DateTime.fromhex("07EAFFFFFF0E1E0000FFFFFF"), "2026-*-* 14:30:00"),
        (DateTime.fromhex("07EA0B18FF0E1E0000FFFF00"), "2026-11-24 14:30:00+00:01"),
        (Date.fromhex("FFFF03FE07"), "*-03-last Sun"),
        (Date.fromhex("FFFFFEFDFF"), "*-dst-begin-second-last"),
        (Date.fromhex("07EA0B1802"), "2026-11-24"),
        (Time.fromhex("0C1EFFFF"), "12:30:*"),
        (Time.fromhex("0C1E0005"), "12:30:00.05"),
    ],
)
def test_text(value: object, text: str) -> None:
    assert str(value) == text


@pytest.mark.parametrize(
    ("parse", "text", "octets"),
    [
        (DateTime.parse, "2026-11-24T14:30:00+01:00", "07EA0B18020E1E0000FFC400"),
        (DateTime.parse, "2026-11-24 14:30", "07EA0B18020E1E0000800000"),
        (DateTime.parse, "2026-11-24T13:30:00Z", "07EA0B18020D1E0000000000"),
        (DateTime.parse, MOMENT, MOMENT),
        (Date.parse, "2026-11-24", "07EA0B1802"),
        (Date.parse, "FFFF03FE07", "FFFF03FE07"),
        (Time.parse, "14:30:10.5", "0E1E0A32"),
        (Time.parse, "0C1EFFFF", "0C1EFFFF"),
    ],
)
def test_parse(parse: object, text: str, octets: str) -> None:
    assert parse(text).octets.hex().upper() == octets


@pytest.mark.parametrize("parse", [DateTime.parse, Date.parse, Time.parse])
@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13-01", "25:00", "FFFF", "\uff12\uff10\uff12\uff16-01-01"]
)
def test_what_is_no_time_is_refused(parse: object, text: str) -> None:
    with pytest.raises(ConversionError):
        parse(text)


@pytest.mark.parametrize("kind", [DateTime, Date, Time])
def test_the_number_of_octets_is_fixed(kind: type[DateTime]) -> None:
    for size in range(15):
        if size == kind.size:
            kind(bytes(size))
            continue
        with pytest.raises(ConversionError):
            kind(bytes(size))
    with pytest.raises(ConversionError):
        kind.fromhex("no hex")
    with pytest.raises(ConversionError, match="5 are no octets"):
        kind(5)


def test_values_cannot_be_changed_and_hash_by_their_octets() -> None:
    moment = DateTime.fromhex(MOMENT)
    with pytest.raises(AttributeError):
        moment.octets = b""
    assert {moment: 1}[DateTime.fromhex(MOMENT)] == 1
    assert Date.fromhex("0C1E00FF00") != Time.fromhex("0C1E00FF")
    assert bytes(moment) == moment.octets
    assert (DateTime.tag, Date.tag, Time.tag) == (25, 26, 27)


@given(st.binary(min_size=12, max_size=12))
def test_any_twelve_octets_are_kept_and_understood_or_refused_by_our_error(octets: bytes) -> None:
    moment = DateTime(octets)
    assert moment.octets == octets
    assert pickle.loads(pickle.dumps(moment)) == moment
    assert eval(repr(moment)) == moment  # noqa: S307 -- our own text
    assert str(moment)
    assert moment.status is None or int(moment.status) == octets[11]
    moment.matches(datetime(2026, 3, 29, 2))
    try:
        converted = moment.to_datetime()
        moment.to_utc()
    except ConversionError:
        return
    again = DateTime.from_datetime(converted, octets[11])
    assert (again.octets[:4], again.octets[5:7]) == (octets[:4], octets[5:7])


@given(st.binary(min_size=5, max_size=5), st.dates())
def test_any_five_octets_are_a_date_or_a_pattern(octets: bytes, day: date) -> None:
    value = Date(octets)
    matched = value.matches(day)
    if not value.is_pattern and value.weekday_is_consistent:
        assert matched is (value.to_date() == day if _is_a_day(value) else False)
    assert Date.from_date(day).matches(day)
    assert Date.from_date(day).to_date() == day


def _is_a_day(value: Date) -> bool:
    try:
        value.to_date()
    except ConversionError:
        return False
    return True


@given(st.times())
def test_any_time_survives_to_a_hundredth(moment: time) -> None:
    value = Time.from_time(moment)
    assert value.to_time() == moment.replace(microsecond=moment.microsecond // 10_000 * 10_000)
    assert value.matches(moment)
    assert not value.is_pattern


@given(st.datetimes(timezones=st.just(UTC) | st.none()))
def test_any_moment_survives_to_a_hundredth(moment: datetime) -> None:
    value = DateTime.from_datetime(moment)
    assert value.to_datetime() == moment.replace(microsecond=moment.microsecond // 10_000 * 10_000)
    assert DateTime.parse(str(value)) == value
