"""Rows at once give what decoding them one by one gives, whatever breaks the pattern; and the same errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cosem.codec.data import decode_data, encode_data
from cosem.codec.limits import Limits
from cosem.codec.reader import Reader
from cosem.codec.row_pattern import MixedRows
from cosem.codec.row_template import OddRows, RegularRows, complete_rows, decode_rows, scan
from cosem.errors import DecodeError, LimitError
from cosem.testing.strategies import INTEGERS, alike, of_tag, values
from cosem.types.data import (
    Array,
    BitString,
    CompactArray,
    DeltaInteger,
    DoubleLongUnsigned,
    Float32,
    LongUnsigned,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import DateTime

STAMP = DateTime.fromhex("07EA0B18020E1E00FFFFC400")


def plain(value: Any) -> Any:
    """The value as Python's own, where the fast path gives that."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return value


def same(fast: Any, slow: Any, *, strings: bool) -> bool:
    """Whether a value of the fast path is that of the general path."""
    if type(fast) is type(slow) and alike(fast, slow):
        return True
    if type(fast) is bytes:
        return not strings and fast == slow
    return type(fast) is type(plain(slow)) and repr(fast) == repr(plain(slow))


FLAT = [0, 3, 4, 9, 10, 12, 23, 24, 25, 26, 27, *INTEGERS]


@st.composite
def buffers(draw: st.DrawFn) -> Array:
    """Arrays of rows: runs of equal ones, and rows in between that break the pattern in every way."""
    tags = draw(st.lists(st.sampled_from(FLAT), min_size=1, max_size=5))
    first = [draw(of_tag(tag)) for tag in tags]
    rows: list[Any] = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["run", "nulls", "other", "short", "nested", "value"]))
        if kind == "run":
            rows += [Structure(first)] * draw(st.integers(1, 40))
        elif kind == "nulls":
            holes = draw(
                st.lists(
                    st.lists(st.booleans(), min_size=len(first), max_size=len(first)), min_size=1, max_size=12
                )
            )
            rows += [
                Structure(None if hole else value for hole, value in zip(row, first, strict=True))
                for row in holes
            ]
        elif kind == "other":
            other = [draw(of_tag(draw(st.sampled_from(FLAT)))) for _ in first]
            rows += [Structure(other)] * draw(st.integers(1, 10))
        elif kind == "short":
            rows.append(Structure(first[:-1]))
        elif kind == "nested":
            rows.append(Structure((Structure(first), *first[1:])))
        else:
            rows.append(draw(values))
    return Array(rows)


@given(buffers())
def test_rows_and_columns_are_those_of_the_general_path(array):
    octets = encode_data(array)
    slow = decode_data(octets)
    reader = Reader(octets)
    table = scan(reader)
    assert table is not None
    assert reader.left == 0
    rows = table.rows()
    assert len(table) == len(rows) == len(slow)
    for fast_row, slow_row in zip(rows, slow, strict=True):
        if type(fast_row) is tuple:
            assert len(fast_row) == len(slow_row)
            assert all(same(*pair, strings=False) for pair in zip(fast_row, slow_row, strict=True))
        else:
            assert alike(fast_row, slow_row)
    assert all(map(alike, table.values(), slow))
    widths = {len(row) if isinstance(row, tuple) else None for row in slow}
    assert {width for _, width in table.widths()} == widths
    if len(widths) == 1 and None not in widths:
        for index in range(widths.pop()):
            column = table.column(index)
            assert all(same(fast, row[index], strings=True) for fast, row in zip(column, slow, strict=True))
            sent = {0 if row[index] is None else getattr(row[index], "tag", 3) for row in slow}
            assert table.tags(index) == sent or -1 in table.tags(index)


def outcome(function: Any, octets: bytes) -> Any:
    try:
        return list(function(octets))
    except DecodeError as error:
        return type(error), error.problem, error.offset, error.path


@given(buffers(), st.data())
def test_octets_that_are_cut_or_changed_give_the_errors_of_the_general_path(array, data):
    octets = bytearray(encode_data(array))
    place = data.draw(st.integers(1, len(octets) - 1))
    if data.draw(st.booleans()):
        del octets[place:]
    else:
        octets[place] ^= data.draw(st.integers(1, 255))
    expected = outcome(decode_data, bytes(octets))
    found = outcome(decode_rows, bytes(octets))
    assert found == expected or repr(found) == repr(expected) or _equal_but_nan(found, expected)


def _equal_but_nan(found: Any, expected: Any) -> bool:
    """Compare rows whose floats may be no numbers."""
    return isinstance(found, list) and all(
        all(same(*pair, strings=False) for pair in zip(fast, slow, strict=True))
        if type(fast) is tuple
        else alike(fast, slow)
        for fast, slow in zip(found, expected, strict=True)
    )


def test_every_cut_of_a_buffer_is_refused_in_the_same_words():
    octets = encode_data(Array([Structure((STAMP, Unsigned(1), OctetString(b"ab")))] * 8))
    for end in range(1, len(octets)):
        assert outcome(decode_rows, octets[:end]) == outcome(decode_data, octets[:end])


@given(buffers(), st.data())
def test_the_whole_rows_of_a_buffer_that_was_cut_are_kept(array, data):
    octets = encode_data(array)
    cut = data.draw(st.integers(0, len(octets)))
    kept = complete_rows(octets[:cut])
    head = len(octets) - sum(len(encode_data(row)) for row in array)
    count, at = 0, head
    while count < len(array) and at + len(encode_data(array[count])) <= cut:
        at += len(encode_data(array[count]))
        count += 1
    assert kept == (encode_data(Array(array[:count])) if count else b"")


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\x01", b"\x01\x80", b"\x13\x11\x01\x05", b"\x01\x00"])
def test_what_has_no_whole_row_keeps_none(octets):
    assert complete_rows(octets) == b""


def rows_of(count: int) -> list[Structure]:
    return [
        Structure((OctetString(STAMP.octets), Unsigned(n % 256), DoubleLongUnsigned(n))) for n in range(count)
    ]


def segments_of(rows: list[Any]) -> list[tuple[type, int]]:
    table = scan(Reader(encode_data(Array(rows))))
    assert table is not None
    return [(type(segment), segment.count) for segment in table.segments]


def test_equal_rows_are_one_segment():
    assert segments_of(rows_of(1440)) == [(RegularRows, 1440)]


def test_a_clock_left_out_after_the_first_row_leaves_two_segments():
    rows = rows_of(1000)
    rows[1:] = [Structure((None, *row[1:])) for row in rows[1:]]
    assert segments_of(rows) == [(MixedRows, 8), (RegularRows, 992)]


def test_nulls_anywhere_are_cut_by_one_pattern():
    rows = [
        Structure(None if (7 * n + 3 * i) % 5 == 0 else value for i, value in enumerate(row))
        for n, row in enumerate(rows_of(500))
    ]
    rows[0] = rows_of(1)[0]
    assert segments_of(rows) == [(MixedRows, 500)]


def test_a_row_that_is_not_flat_is_decoded_alone():
    rows = rows_of(100)
    rows[50] = Structure((*rows[50][:2], Structure((Unsigned(1),))))
    assert segments_of(rows) == [(RegularRows, 50), (OddRows, 1), (RegularRows, 49)]


def test_a_type_that_changes_in_mid_buffer_starts_a_segment():
    rows = rows_of(100)
    rows[60:] = [Structure((*row[:2], LongUnsigned(row[2]))) for row in rows[60:]]
    assert segments_of(rows) == [(RegularRows, 60), (RegularRows, 40)]
    table = scan(Reader(encode_data(Array(rows))))
    assert table is not None
    assert table.tags(2) == {6, 18}
    assert table.column(2) == list(range(100))


def test_rows_that_have_nothing_in_common_are_left_to_the_general_path():
    rows = [Structure((OctetString(bytes(n)), Structure((Unsigned(n % 7),)))) for n in range(300)]
    assert segments_of(rows) == [(OddRows, 300)]
    strings = [Structure((OctetString(bytes(n)), Unsigned(n % 7))) for n in range(100)]
    assert decode_rows(encode_data(Array(strings))) == strings


def test_tables_can_be_joined():
    one, two = (scan(Reader(encode_data(Array(rows_of(count))))) for count in (10, 20))
    assert one is not None
    assert two is not None
    joined = one + two
    assert len(joined) == 30
    assert joined.column(2) == [*range(10), *range(20)]
    assert joined.rows() == one.rows() + two.rows()
    assert repr(joined) == "<RowTable 30 rows in 2 segments>"


def test_a_compact_array_of_equal_elements_is_one_segment():
    description = TypeDescription(2, 0, tuple(map(TypeDescription, (9, 4, 23, 6))))
    bits = BitString.from_text("10110")
    elements = [
        Structure((OctetString(STAMP.octets), bits, Float32(0.5), DoubleLongUnsigned(n))) for n in range(50)
    ]
    octets = encode_data(CompactArray(elements, description))
    table = scan(Reader(octets))
    assert table is not None
    assert [type(segment) for segment in table.segments] == [RegularRows]
    assert table.rows() == [tuple(row) for row in decode_data(octets)]
    assert table.column(1) == [bits] * 50


@pytest.mark.parametrize(
    "elements",
    [
        [Structure((OctetString(b"a"),)), Structure((OctetString(b"bc"),))],
        [Structure((OctetString(b"ab"),)), Structure((OctetString(b""),))],
        [],
    ],
    ids=["lengths differ", "by chance as long", "empty"],
)
def test_a_compact_array_of_other_elements_is_decoded_whole(elements):
    octets = encode_data(CompactArray(elements, TypeDescription(2, 0, (TypeDescription(9),))))
    table = scan(Reader(octets))
    assert table is not None
    assert table.rows() == elements


@example(b"\x13\x02\x01\x11\x05\x01\x02")
@given(st.binary(max_size=30).map(lambda octets: b"\x13" + octets))
def test_a_broken_compact_array_gives_the_error_of_the_general_path(octets):
    expected = outcome(decode_data, octets)
    found = outcome(decode_rows, octets)
    assert repr(found) == repr(expected) or _equal_but_nan(found, expected) or found == expected


@st.composite
def compact_arrays(draw: st.DrawFn) -> CompactArray:
    """Elements of one description: runs of equal ones, and others whose strings may have other lengths."""
    tags = draw(st.lists(st.sampled_from([tag for tag in FLAT if tag]), min_size=1, max_size=5))
    elements: list[Any] = []
    for _ in range(draw(st.integers(1, 4))):
        element = Structure([draw(of_tag(tag)) for tag in tags])
        elements += [element] * draw(st.integers(1, 20))
    return CompactArray(elements, TypeDescription(2, 0, tuple(map(TypeDescription, tags))))


def check_compact_array(octets: bytes) -> None:
    """Rows, columns and errors are those of the general path."""
    expected, found = outcome(decode_data, octets), outcome(decode_rows, octets)
    assert found == expected or repr(found) == repr(expected) or _equal_but_nan(found, expected)
    if isinstance(expected, list) and expected and isinstance(expected[0], tuple):
        table = scan(Reader(octets))
        assert table is not None
        for index in range(len(expected[0])):
            pairs = zip(table.column(index), expected, strict=True)
            assert all(same(fast, row[index], strings=True) for fast, row in pairs)


@given(compact_arrays())
def test_a_compact_array_gives_what_the_general_path_gives(array):
    check_compact_array(encode_data(array))


@given(compact_arrays(), st.data())
def test_a_compact_array_that_is_cut_or_changed_gives_what_the_general_path_gives(array, data):
    octets = bytearray(encode_data(array))
    place = data.draw(st.integers(1, len(octets) - 1))
    if data.draw(st.booleans()):
        del octets[place:]
    else:
        octets[place] ^= data.draw(st.integers(1, 255))
    check_compact_array(bytes(octets))


@pytest.mark.parametrize("octets", [b"\x00", b"\x11\x01", b"\x02\x01\x00"])
def test_data_that_are_no_rows_are_refused_and_left_unread(octets):
    reader = Reader(octets)
    assert scan(reader) is None
    assert reader.pos == 0
    with pytest.raises(DecodeError):
        decode_rows(octets)


def test_octets_behind_the_rows_are_refused():
    with pytest.raises(DecodeError, match="1 octet too many"):
        decode_rows(encode_data(Array(rows_of(5))) + b"\x00")


def test_limits_hold_as_on_the_general_path():
    octets = encode_data(Array(rows_of(50)))
    for elements in (199, 200):
        limits = Limits(elements=elements)
        if elements == 199:
            with pytest.raises(LimitError):
                decode_data(octets, limits=limits)
            with pytest.raises(LimitError):
                decode_rows(octets, limits=limits)
        else:
            assert decode_rows(octets, limits=limits) == list(decode_data(octets, limits=limits))
    nested = encode_data(Array([Structure((Structure((Structure(()),)), VisibleString("x")))] * 3))
    for nesting in range(1, 6):
        limits = Limits(nesting=nesting)
        assert outcome(lambda o, limits=limits: decode_rows(o, limits=limits), nested) == outcome(
            lambda o, limits=limits: decode_data(o, limits=limits), nested
        )


def test_deltas_keep_their_tag():
    table = scan(
        Reader(encode_data(Array([Structure((LongUnsigned(5),)), *[Structure((DeltaInteger(-1),))] * 6])))
    )
    assert table is not None
    assert table.tags(0) == {18, 28}
    assert table.column(0) == [5, *[-1] * 6]
