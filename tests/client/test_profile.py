"""Profiles as tables: how rows are selected, how a meter may refuse, and what the values mean."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.client.operations.profile import duration, selection_of
from cosem.client.profile_layout import Column, ProfileLayout, columns_of
from cosem.client.profile_table import ProfileTable
from cosem.errors import AccessError, ConfigurationError, ProtocolError, UnsupportedError
from cosem.types.data import (
    Array,
    CompactArray,
    DeltaInteger,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import DateTime
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit, Unit
from tests.client.meter import CLOCK, ENERGY, NOW, PROFILE, Meter, connected, selector_of, without

ZONE = timezone(timedelta(hours=1))
START = datetime(2026, 11, 24, 0, 0, tzinfo=ZONE)
QUARTER = timedelta(minutes=15)


def captured(class_id: int, name: str, attribute: int = 2, index: int = 0) -> Structure:
    return Structure(
        (
            LongUnsigned(class_id),
            OctetString(LogicalName(name)),
            Integer(attribute),
            LongUnsigned(index),
        )
    )


def moment(number: int) -> OctetString:
    return OctetString(DateTime.from_datetime(START + number * QUARTER).octets)


class ProfileMeter(Meter):
    """A meter with a profile of 48 rows, the last one at 11:45, and a clock that says 12:00.

    Attributes:
        selectors: Which selective accesses it knows.
        asked: The selectors that it was asked with.
    """

    def __init__(self, selectors=(1, 2), tag=9, newest_first=False, **profile):
        super().__init__(**profile)
        self.selectors = selectors
        self.tag = tag
        self.asked: list[int | None] = []
        self.rows = [Structure((moment(n), DoubleLongUnsigned(1000 + n))) for n in range(48)]
        if newest_first:
            self.rows.reverse()
        self.values.update(
            {
                (7, PROFILE, 2): self.buffer,
                (7, PROFILE, 3): Array([captured(8, CLOCK), captured(3, ENERGY)]),
                (7, PROFILE, 4): DoubleLongUnsigned(900),
                (7, PROFILE, 5): Enum(2 if newest_first else 1),
                (7, PROFILE, 7): DoubleLongUnsigned(48),
            }
        )

    def buffer(self, selection):
        kind = selector_of(selection)
        self.asked.append(kind)
        if kind is None:
            return Array(self.rows)
        if kind not in self.selectors:
            return DataAccessResult.TYPE_UNMATCHED
        if kind == 2:
            first, last, *_ = selection.access_parameters
            return Array(self.rows[first - 1 : last or None])
        _, since, until, _ = selection.access_parameters
        if getattr(since, "tag", 9) != self.tag:
            return DataAccessResult.OTHER_REASON
        low, high = (DateTime(bytes(bound)).to_datetime() for bound in (since, until))
        if low.tzinfo is None:
            low, high = low.replace(tzinfo=ZONE), high.replace(tzinfo=ZONE)
        return Array(row for row in self.rows if low <= DateTime(bytes(row[0])).to_datetime() <= high)


def test_columns_scalers_and_period_are_read_once():
    meter = ProfileMeter()
    client, _ = connected(meter)
    profile = client.profile("1-0:99.1.0")
    layout = profile.layout()
    assert [column.key for column in layout.columns] == ["0-0:1.0.0", "1-0:1.8.0"]
    clock, energy = layout.columns
    assert (clock.kind, clock.is_clock, clock.unit) == ("moment", True, "")
    assert (energy.unit, energy.scaler_unit.scaler, energy.name) == (
        "Wh",
        -3,
        "Active energy import (+A), total",
    )
    assert (layout.capture_period, layout.sort_method) == (900, 1)
    requests = len(meter.received)
    assert profile.layout() is layout
    profile.read()
    assert len(meter.received) == requests + 1


def test_the_whole_profile_is_a_table_with_moments_and_exact_values():
    client, _ = connected(ProfileMeter())
    table = client.profile(PROFILE).read()
    assert len(table) == 48
    assert table.rows[0] == (START, Decimal("1.000"))
    assert table[47] == (START + 47 * QUARTER, Decimal("1.047"))
    assert list(table)[1] == table[1]
    assert table.column("1-0:1.8.0")[:2] == [Decimal("1.000"), Decimal("1.001")]
    assert table.column(0)[0] == START
    assert table.to_dicts()[0] == {"0-0:1.0.0": START, "1-0:1.8.0": Decimal("1.000")}
    with pytest.raises(KeyError):
        table.column("9-9:9.9.9")
    with pytest.raises(KeyError):
        table.column(2)


@pytest.mark.parametrize(
    ("selectors", "tag", "conformance", "asked"),
    [
        ((1, 2), 9, without(), [1]),
        ((1, 2), 25, without(), [1, 1]),
        ((), 9, without(), [1, 1, None]),
        ((1, 2), 9, without(Conformance.SELECTIVE_ACCESS), [None]),
    ],
    ids=["octet-string", "date-time", "refused", "not agreed on"],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_same_rows_come_whatever_the_meter_knows(selectors, tag, conformance, asked, newest_first):
    meter = ProfileMeter(selectors, tag, newest_first, conformance=conformance)
    client, _ = connected(meter)
    profile = client.profile(PROFILE)
    table = profile.read(last="2h")
    moments = sorted(table.column(0))
    assert moments == [START + number * QUARTER for number in range(40, 48)]
    assert meter.asked == asked
    assert table.selected_by == ("whole" if asked[-1] is None else "range")
    # What was refused is not tried again.
    meter.asked.clear()
    assert len(profile.read(last="1h")) == 4
    assert meter.asked == asked[-1:]


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        (datetime(2026, 11, 24, 1, 0), datetime(2026, 11, 24, 2, 0), 4, 8),
        (datetime(2026, 11, 24, 1, 0, tzinfo=ZONE), None, 4, 47),
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), datetime(2026, 11, 24, 1, 0, tzinfo=UTC), 4, 8),
        (None, datetime(2026, 11, 24, 0, 30, tzinfo=ZONE), 0, 2),
        ("2026-11-24 01:00", "2026-11-24 02:00", 4, 8),
        ("2026-11-24", None, 0, 47),
        (date(2026, 11, 24), date(2026, 11, 24), 0, 47),
    ],
    ids=["local", "open end", "other zone", "open beginning", "text", "day", "whole day"],
)
@pytest.mark.parametrize("selectors", [(1,), ()], ids=["range", "whole"])
def test_bounds_in_every_form_select_the_same_rows(since, until, first, last, selectors):
    client, _ = connected(ProfileMeter(selectors))
    table = client.profile(PROFILE).read(since=since, until=until)
    assert table.column(0) == [START + number * QUARTER for number in range(first, last + 1)]


@pytest.mark.parametrize("selectors", [(2,), ()], ids=["entry", "whole"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_by_number_and_the_newest_ones(selectors, newest_first):
    client, _ = connected(ProfileMeter(selectors, newest_first=newest_first))
    profile = client.profile(PROFILE)
    whole = profile.read().column(0)
    assert profile.read(entries=(3, 5)).column(0) == whole[2:5]
    assert profile.read(entries=(47, 0)).column(0) == whole[46:]
    newest = profile.read(entries=4)
    assert sorted(newest.column(0)) == sorted(whole)[-4:]
    assert newest.selected_by == ("entry" if selectors else "whole")
    assert len(profile.read(entries=1000)) == 48


def test_a_clock_that_cannot_be_read_is_replaced_by_ours():
    meter = ProfileMeter()
    meter.values[8, CLOCK, 2] = DataAccessResult.READ_WRITE_DENIED
    client, _ = connected(meter)
    assert len(client.profile(PROFILE).read(last=timedelta(days=365_0))) <= 48
    assert meter.asked == [1]


def test_a_clock_with_an_impossible_zone_is_taken_without_it():
    meter = ProfileMeter()
    meter.values[8, CLOCK, 2] = OctetString(bytes.fromhex("07EA0B18020C0000 00 0B4005"))
    client, _ = connected(meter)
    assert client.profile(PROFILE).read(since=datetime(2026, 11, 24, 1, 0, tzinfo=ZONE)).column(0)[0] == (
        START + 4 * QUARTER
    )
    assert "clock-deviation: 2880 minutes" in client.findings


def test_a_refused_profile_is_an_error_with_its_reason():
    for attribute in (2, 3):
        meter = ProfileMeter()
        meter.values[7, PROFILE, attribute] = DataAccessResult.READ_WRITE_DENIED
        client, _ = connected(meter)
        with pytest.raises(AccessError, match="read-write-denied"):
            client.profile(PROFILE).read()


def test_a_profile_without_time_cannot_be_selected_by_time():
    meter = ProfileMeter()
    meter.values[7, PROFILE, 3] = Array([captured(3, ENERGY), captured(3, ENERGY, 3)])
    client, _ = connected(meter)
    with pytest.raises(UnsupportedError, match="select rows by number"):
        client.profile(PROFILE).read(last="1d")


@pytest.mark.parametrize(
    "arguments",
    [
        {"last": "1d", "since": datetime(2026, 1, 1)},
        {"last": "soon"},
        {"last": "-1d"},
        {"last": 0},
        {"last": "1d 2"},
        {"entries": 0},
        {"entries": (0, 5)},
        {"entries": (5, 4)},
        {"entries": (1, 2), "last": "1d"},
        {"rows_at_once": -1},
        {"since": "yesterday"},
        {"since": "2026-11-25", "until": "2026-11-24"},
        {"since": "2026-11-24T08:00+01:00", "until": "2026-11-24T06:59Z"},
        {"last": "\u0663d"},
    ],
    ids=str,
)
def test_a_selection_that_means_nothing_is_refused_before_anything_is_sent(arguments):
    meter = ProfileMeter()
    client, _ = connected(meter)
    with pytest.raises(ConfigurationError):
        client.profile(PROFILE).read(**arguments)
    assert meter.kinds() == []


@pytest.mark.parametrize("selectors", [(1, 2), ()], ids=["selected", "whole"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"last": "800000d"},
        {"last": timedelta.max},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": date.min, "until": date.max},
        {"since": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
        {"until": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))},
        {"since": datetime.min, "rows_at_once": 1},
    ],
    ids=str,
)
def test_bounds_at_the_ends_of_the_calendar_mean_every_row(arguments, selectors):
    client, _ = connected(ProfileMeter(selectors))
    everything = client.profile(PROFILE).read()
    assert len(everything)
    assert client.profile(PROFILE).read(**arguments).rows == everything.rows


def test_a_meter_whose_clock_is_at_the_end_of_the_calendar_is_read():
    meter = ProfileMeter()
    meter.values[8, CLOCK, 2] = OctetString(DateTime.from_datetime(datetime(9999, 12, 31, 23, 59, 59)).octets)
    client, _ = connected(meter)
    assert client.profile(PROFILE).read(since="2026-01-01").rows == client.profile(PROFILE).read().rows


@given(st.integers(1, 400), st.sampled_from(["s", "min", "h", "d", "w"]))
def test_spans_of_time_are_read_as_written(number, unit):
    seconds = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    assert duration(f"{number}{unit}") == timedelta(seconds=number * seconds)
    assert duration(f"1w{number}{unit}") == timedelta(seconds=number * seconds, weeks=1)


def test_the_newest_rows_are_a_selection_of_their_own():
    selection = selection_of(None, None, None, 5, datetime(2026, 1, 1, tzinfo=UTC))
    assert (selection.newest, selection.entries, selection.by_time) == (5, None, False)


LAYOUT = ProfileLayout(
    LogicalName(PROFILE),
    (
        Column(8, LogicalName(CLOCK), 2, 0, "moment", key="clock"),
        Column(3, LogicalName(ENERGY), 2, 0, scaler_unit=ScalerUnit(-3, Unit(30)), key="energy"),
        Column(1, LogicalName("0.0.96.10.1.255"), 2, key="status"),
    ),
    900,
    1,
)


def test_nulls_of_the_compression_are_filled():
    raw = Array(
        [
            Structure((moment(0), DoubleLongUnsigned(1000), Unsigned(8))),
            Structure((None, None, None)),
            Structure((None, DoubleLongUnsigned(1002), None)),
            Structure((moment(7), None, Unsigned(0))),
            Structure((None, DoubleLongUnsigned(1003), None)),
        ]
    )
    table = ProfileTable(LAYOUT, raw)
    assert table.column("clock") == [START + number * QUARTER for number in (0, 1, 2, 7, 8)]
    assert table.column("energy") == [Decimal(n).scaleb(-3) for n in (1000, 1000, 1002, 1002, 1003)]
    assert table.column("status") == [8, 8, 8, 0, 0]
    # A part of the table keeps what its rows mean.
    assert table[2:].rows == table.rows[2:]
    assert ProfileTable(LAYOUT, raw, fill=False).column("status") == [8, None, None, 0, None]


def test_with_the_newest_row_first_time_runs_backwards():
    layout = ProfileLayout(LAYOUT.logical_name, LAYOUT.columns[:1], 900, 2)
    table = ProfileTable(layout, Array([Structure((moment(5),)), Structure((None,)), Structure((None,))]))
    assert table.column(0) == [START + number * QUARTER for number in (5, 4, 3)]


def test_without_a_period_a_missing_time_stays_missing():
    layout = ProfileLayout(LAYOUT.logical_name, LAYOUT.columns[:1], 0, 1)
    assert ProfileTable(layout, Array([Structure((moment(5),)), Structure((None,))])).rows[1] == (None,)


def test_a_first_row_of_nulls_stays_so():
    assert ProfileTable(LAYOUT, Array([Structure((None, None, None))])).rows == [(None, None, None)]


@given(st.lists(st.integers(-128, 127), max_size=20))
def test_deltas_are_added_to_the_row_before(deltas):
    layout = ProfileLayout(LAYOUT.logical_name, LAYOUT.columns[1:2])
    raw = Array(
        [Structure((DoubleLongUnsigned(5000),)), *(Structure((DeltaInteger(delta),)) for delta in deltas)]
    )
    values, total = [Decimal("5.000")], 5000
    for delta in deltas:
        total += delta
        values.append(Decimal(total).scaleb(-3))
    assert ProfileTable(layout, raw).column(0) == values


def test_a_compact_array_is_a_buffer_too():
    description = TypeDescription(2, (TypeDescription(9), TypeDescription(6), TypeDescription(17)))
    rows = [(moment(n), DoubleLongUnsigned(n), Unsigned(n)) for n in range(3)]
    raw = CompactArray(map(Structure, rows), description)
    table = ProfileTable(LAYOUT, raw)
    assert table.column("energy") == [Decimal(n).scaleb(-3) for n in range(3)]
    assert table.column("clock")[2] == START + 2 * QUARTER


def test_values_that_are_no_moments_and_no_numbers_are_kept():
    pattern = OctetString(bytes.fromhex("FFFF0B18FFFFFFFFFF8000FF"))
    raw = Array(
        [
            Structure((pattern, OctetString(b"x"), VisibleString("=1+1"))),
            Structure((Unsigned(3), True, VisibleString("ok"))),
        ]
    )
    table = ProfileTable(LAYOUT, raw)
    assert isinstance(table[0][0], DateTime)
    assert table[1] == (3, True, "ok")
    assert table[0][1] == b"x"


@pytest.mark.parametrize("raw", [None, Unsigned(1), Array([Structure((None, None))]), Array([Unsigned(1)])])
def test_a_buffer_that_does_not_fit_its_columns_is_an_error(raw):
    with pytest.raises(ProtocolError):
        ProfileTable(LAYOUT, raw)


@pytest.mark.parametrize(
    "value", [None, Unsigned(1), Array([Unsigned(1)]), Array([Structure((Unsigned(1),))])]
)
def test_capture_objects_that_are_none_are_an_error(value):
    with pytest.raises(ProtocolError):
        columns_of(value)


def test_every_column_has_a_key_of_its_own():
    columns = columns_of(
        Array(
            [
                captured(3, ENERGY),
                captured(3, ENERGY, 3),
                captured(3, ENERGY, 2, 1),
                captured(4, ENERGY),
                captured(4, "1.0.1.8.0.101"),
            ]
        )
    )
    assert [column.key for column in columns] == [
        "1-0:1.8.0",
        "1-0:1.8.0/3",
        "1-0:1.8.0/2[1]",
        "1-0:1.8.0#2",
        "1-0:1.8.0*101",
    ]


def test_csv_has_units_iso_times_and_no_formulas(tmp_path):
    raw = Array([Structure((moment(0), DoubleLongUnsigned(1500), VisibleString("=cmd|' /C calc'!A0")))])
    table = ProfileTable(LAYOUT, raw)
    text = table.to_csv()
    assert list(csv.reader(io.StringIO(text))) == [
        ["clock", "energy [Wh]", "status"],
        ["2026-11-24 00:00:00+01:00", "1.500", "'=cmd|' /C calc'!A0"],
    ]
    table.to_csv(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == text
    file = io.StringIO()
    table.to_csv(file)
    assert file.getvalue() == text


def test_csv_holds_nothing_that_a_terminal_obeys():
    raw = Array(
        [
            Structure((moment(0), DoubleLongUnsigned(1), VisibleString(text)))
            for text in ("\x1b[2J", "a\rb\nc", "\t=1")
        ]
    )
    text = ProfileTable(LAYOUT, raw).to_csv()
    assert text.replace("\n", "").isprintable()
    assert [row[2] for row in csv.reader(io.StringIO(text))][1:] == ["\\x1b[2J", "a\\x0db\\x0ac", "'\\x09=1"]


@pytest.mark.parametrize("span", ["99999999999d", 1e300, float("nan"), "soon", [1], None])
def test_a_span_that_is_none_is_told_as_it_was_written(span):
    with pytest.raises(ConfigurationError) as caught:
        duration(span)
    assert repr(span) in str(caught.value)


@pytest.mark.parametrize(
    "entries", [range(1, 5), "1:4", (1,), slice(1, 4), (1, 2, 3), (1.5, 2), ("1", "4"), True, 1.5]
)
def test_entries_that_are_none_are_an_error_of_ours(entries):
    with pytest.raises(ConfigurationError, match=r"^entries="):
        selection_of(None, None, None, entries, datetime.now(UTC))


@pytest.mark.parametrize("bound", [3, 3.5, b"2026", (2026, 11, 24)])
def test_a_bound_that_is_no_time_is_an_error_of_ours(bound):
    with pytest.raises(ConfigurationError, match=r"^since="):
        selection_of(bound, None, None, None, datetime.now(UTC))
    with pytest.raises(ConfigurationError, match=r"^until="):
        selection_of(None, bound, None, None, datetime.now(UTC))


def test_seconds_since_1970_are_moments_and_a_range_of_them_is_asked_for_in_seconds():
    meter = ProfileMeter()
    asked: list[tuple[int, int]] = []
    seconds = [int((START + number * QUARTER).timestamp()) for number in range(4)]

    def buffer(selection):
        if selection is None:
            return Array(Structure((DoubleLongUnsigned(each),)) for each in seconds)
        _, since, until, _ = selection.access_parameters
        asked.append((int(since), int(until)))
        return Array(Structure((DoubleLongUnsigned(each),)) for each in seconds if since <= each <= until)

    meter.values[7, PROFILE, 3] = Array([captured(1, "0.0.1.1.0.255")])
    meter.values[7, PROFILE, 2] = buffer
    client, _ = connected(meter)
    table = client.profile(PROFILE).read(since=START + QUARTER, until=START + 2 * QUARTER)
    assert table.column(0) == [START + QUARTER, START + 2 * QUARTER]
    assert asked == [(seconds[1], seconds[2])]


def test_long_profiles_come_in_blocks_and_progress_is_told():
    meter = ProfileMeter()
    client, _ = connected(meter, client_max_receive_pdu_size=200)
    seen: list[int] = []
    assert len(client.profile(PROFILE).read(progress=seen.append)) == 48
    assert len(seen) > 4
    assert NOW[:2] == b"\x07\xea"


@pytest.mark.parametrize(("class_id", "name", "attribute"), [(3, ENERGY, 3), (7, PROFILE, 4)])
@pytest.mark.parametrize(
    ("refusal", "again"),
    [(DataAccessResult.OBJECT_UNAVAILABLE, True), (DataAccessResult.READ_WRITE_DENIED, False)],
)
def test_a_layout_with_a_gap_that_may_be_filled_the_next_time_is_not_remembered(
    class_id, name, attribute, refusal, again
):
    meter = ProfileMeter()
    client, _ = connected(meter)
    whole = connected(meter)[0].profile(PROFILE).read(last=2)
    value, meter.values[class_id, name, attribute] = meter.values[class_id, name, attribute], refusal
    gap = client.profile(PROFILE).read(last=2)
    assert gap.layout != whole.layout
    meter.values[class_id, name, attribute] = value
    assert (client.profile(PROFILE).read(last=2).layout == whole.layout) is again
