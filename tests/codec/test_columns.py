"""Columns in numpy hold what decoding row by row gives: nulls, deltas, types that change, date-times of every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec import columns
from cosem.codec.columns import decode_columns, filled, moment_column, number_column, with_deltas_added
from cosem.codec.data import encode_data
from cosem.codec.moments import datetimes, moments
from cosem.codec.reader import Reader
from cosem.codec.row_template import RowTable, scan
from cosem.errors import ConversionError, DecodeError, UnsupportedError
from cosem.testing.strategies import INTEGERS, of_tag
from cosem.types.data import (
    Array,
    CompactArray,
    DeltaInteger,
    DoubleLongUnsigned,
    LongUnsigned,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import DateTime

OCTETS = st.one_of(
    st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)).map(lambda m: DateTime.from_datetime(m).octets),
    st.datetimes(timezones=st.timezones()).map(
        lambda moment: DateTime.from_datetime(moment.astimezone(UTC)).octets if moment.year > 2 else bytes(12)
    ),
    st.binary(min_size=12, max_size=12),
    st.builds(
        lambda month, day, hour, rest, deviation: (
            b"\x07\xea"
            + bytes((month, day, 255, hour, *rest))
            + deviation.to_bytes(2, "big", signed=True)
            + b"\x00"
        ),
        st.sampled_from([1, 2, 12, 13, 0, 0xFD, 0xFE, 0xFF]),
        st.sampled_from([1, 28, 29, 30, 31, 32, 0, 0xFD, 0xFE, 0xFF]),
        st.sampled_from([0, 23, 24, 0xFF]),
        st.tuples(*[st.sampled_from([0, 59, 60, 99, 100, 0xFF])] * 3),
        st.sampled_from([-0x8000, -841, -840, -60, 0, 60, 840, 841]),
    ),
)


def moment_of(octets: bytes) -> datetime | None:
    try:
        return DateTime(octets).to_datetime()
    except ConversionError:
        return None


def microseconds(moment: datetime) -> int:
    """Since 1970, in UTC where the zone is known, else in local time; exact, and for any year."""
    naive = moment.replace(tzinfo=None) - (moment.utcoffset() or naive_zero)
    return (naive - datetime(1970, 1, 1)) // one_microsecond


naive_zero = datetime(1970, 1, 1) - datetime(1970, 1, 1)
one_microsecond = datetime(1970, 1, 1, microsecond=1) - datetime(1970, 1, 1)


@given(st.lists(OCTETS, min_size=1, max_size=20))
def test_date_times_are_those_of_the_single_path(stamps):
    expected = [moment_of(octets) for octets in stamps]
    found = datetimes(b"".join(stamps))
    assert [each if isinstance(each, datetime) else None for each in found] == expected
    assert [
        getattr(each, "octets", None) for each, moment in zip(found, expected, strict=True) if moment is None
    ] == [octets for octets, moment in zip(stamps, expected, strict=True) if moment is None]
    for moment, each in zip(expected, found, strict=True):
        assert moment is None or moment.utcoffset() == each.utcoffset()


@given(st.lists(OCTETS, min_size=1, max_size=20), st.integers(0, 3), st.integers(0, 3))
def test_date_times_in_an_array_are_those_of_the_single_path(stamps, before, behind):
    row = [bytes(before) + octets + bytes(behind) for octets in stamps]
    found = moments(b"".join(row), before, before + 12 + behind, len(stamps))
    for index, octets in enumerate(stamps):
        try:
            moment = moment_of(octets)
            wanted = None if moment is None else microseconds(moment)
        except OverflowError:  # in UTC outside the years 1 to 9999: numpy can, Python cannot
            continue
        if wanted is None:
            assert numpy.isnat(found.values[index])
            assert index in found.odd
        else:
            assert found.values[index].astype("i8") == wanted
            assert index not in found.odd
            zoned = found.zoned if isinstance(found.zoned, bool) else bool(found.zoned[index])
            assert zoned == (moment.tzinfo is not None)


NUMBERS = [3, 23, 24, *INTEGERS]


@st.composite
def number_rows(draw: st.DrawFn) -> list[Any]:
    tags = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3))
    rows: list[Any] = []
    for tag in tags:
        value = draw(of_tag(tag))
        rows += [value] * draw(st.integers(1, 40))
        rows += draw(st.lists(of_tag(tag) | st.none(), max_size=10))
    return rows


def table_of(*members: list[Any]) -> RowTable:
    table = scan(Reader(encode_data(Array(map(Structure, zip(*members, strict=True))))))
    assert table is not None
    return table


@given(number_rows())
def test_numbers_are_those_of_the_single_path(sent):
    table = table_of(sent)
    column = number_column(table, 0)
    tags = {3 if value is True or value is False else value.tag for value in sent if value is not None}
    if column is None:
        assert not tags or len(tags) > 1
        return
    for index, value in enumerate(sent):
        null = column.nulls is not None and bool(column.nulls[index])
        assert null == (value is None)
        if value is not None:
            found = column.values[index]
            assert found == value or repr(float(found)) == repr(float(value)) == "nan"
            delta = column.deltas is not None and bool(column.deltas[index])
            assert delta == (getattr(value, "tag", 0) in range(28, 34))


def test_whole_numbers_of_all_sizes_share_a_column():
    sent = [LongUnsigned(5), DoubleLongUnsigned(1 << 31), None, Unsigned(7)] * 5
    column = number_column(table_of(sent), 0)
    assert column is not None
    assert column.values.dtype == numpy.int64
    assert column.values[:2].tolist() == [5, 1 << 31]


def test_a_boolean_is_any_octet_but_0():
    octets = b"\x01\x04" + b"".join(b"\x02\x01\x03" + bytes((octet,)) for octet in (0, 1, 2, 255))
    (column,) = decode_columns(octets)
    assert column.values.tolist() == [False, True, True, True]


@given(st.lists(st.sampled_from(["value", "null", "delta"]), min_size=1, max_size=40), st.randoms())
def test_nulls_and_deltas_are_undone_as_one_by_one(kinds, random):
    sent: list[Any] = []
    for kind in kinds:
        number = random.randrange(-100, 100)
        sent.append(
            None if kind == "null" else DeltaInteger(number) if kind == "delta" else Unsigned(abs(number))
        )
    wanted: list[int | None] = []
    previous: int | None = None
    for value in sent:
        if value is not None:
            if type(value) is not DeltaInteger:
                previous = int(value)
            elif previous is not None:  # else a difference to nobody knows what
                previous += value
        wanted.append(previous)
    column = number_column(table_of(sent), 0)
    if column is None:
        assert wanted == [None] * len(sent)
        return
    values, nulls = column.values, column.nulls
    if column.deltas is not None:
        values, nulls = with_deltas_added(values, column.deltas, nulls)
    if nulls is not None:
        values, nulls = filled(values, nulls)
    missing = [False] * len(sent) if nulls is None else nulls.tolist()
    assert [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)] == wanted


def stamp(minute: int) -> OctetString:
    return OctetString(DateTime.from_datetime(datetime(2026, 11, 24, 0, minute, tzinfo=UTC)).octets)


def test_missing_times_follow_from_the_period():
    sent = [None, stamp(0), None, None, stamp(30), None]
    column = moment_column(table_of(sent), 0)
    assert column is not None
    values, nulls = filled(column.values, column.nulls, 60_000_000)
    assert nulls.tolist() == [True, False, False, False, False, False]
    assert [str(value)[11:16] for value in values[1:]] == ["00:00", "00:01", "00:02", "00:30", "00:31"]
    untouched, still = filled(column.values, column.nulls, None)
    assert still is column.nulls
    assert untouched is column.values


@pytest.mark.parametrize(
    "sent",
    [
        [stamp(0), OctetString(b"short")] * 8,
        [stamp(0)] * 40 + [OctetString(b"short")] * 40,
        [None] * 8,
        [VisibleString("x")] * 8,
        [Unsigned(1), stamp(1)] * 8,
    ],
    ids=["mixed", "regular", "nulls", "text", "numbers"],
)
def test_what_are_no_date_times_is_no_column_of_moments(sent):
    assert moment_column(table_of(sent), 0) is None


def test_date_times_of_both_types_and_zones_share_a_column():
    local = DateTime.from_datetime(datetime(2026, 11, 24, 1))
    pattern = OctetString(bytes.fromhex("FFFF0B18FFFFFFFFFF8000FF"))
    sent = [stamp(0)] * 40 + [local] * 40 + [pattern, None, stamp(1), local, None, stamp(2)]
    column = moment_column(table_of(sent, [Unsigned(1)] * 86), 0)
    assert column is not None
    assert column.zoned.tolist() == [True] * 40 + [False] * 40 + [False, False, True, False, False, True]
    assert column.odd == (80,)
    assert column.nulls.nonzero()[0].tolist() == [81, 84]
    assert str(column.values[79]) == "2026-11-24T01:00:00.000000"


def test_columns_of_a_buffer_and_of_a_compact_array_are_the_same():
    rows = [Structure((stamp(n), DoubleLongUnsigned(n), VisibleString("a"))) for n in range(50)]
    description = TypeDescription(2, 0, tuple(map(TypeDescription, (9, 6, 10))))
    for value in (Array(rows), CompactArray(rows, description)):
        times, numbers, texts = decode_columns(encode_data(value), {0})
        assert times.values.dtype == "datetime64[us]"
        assert times.zoned is True
        assert numbers.values.dtype == numpy.uint32
        assert numbers.values.tolist() == list(range(50))
        assert texts == ["a"] * 50


@pytest.mark.parametrize("octets", [b"\x00", b"\x01\x02\x02\x01\x00\x02\x02\x00\x00", b"\x01\x01\x11\x01"])
def test_what_has_no_columns_is_refused(octets):
    with pytest.raises(DecodeError, match="equally many members"):
        decode_columns(octets)


def test_no_rows_have_no_columns():
    assert decode_columns(b"\x01\x00") == []


def test_without_numpy_the_error_says_what_to_install(monkeypatch):
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(columns, "import_module", missing)
    with pytest.raises(UnsupportedError, match=r"pip install 'cosem\[numpy\]'"):
        decode_columns(b"\x01\x01\x02\x01\x11\x01")


def test_a_signalling_nan_among_floats_of_two_sizes_is_taken_without_a_warning():
    rows = bytes.fromhex("0103 0201 177F800001 0201 183FF8000000000000 0201 173FC00000")
    (column,) = decode_columns(rows)
    assert numpy.isnan(column.values).tolist() == [True, False, False]
    assert column.values[1:].tolist() == [1.5, 1.5]
