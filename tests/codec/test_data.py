"""Data: every type both ways, equal rows by the fast path and by the general one, offsets, paths, limits."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec import data as codec
from cosem.codec import rows as row_codec
from cosem.codec.data import decode_data, encode_data, read_data
from cosem.codec.limits import Limits
from cosem.codec.reader import Reader
from cosem.codec.scalars import FIXED, TAG_NAMES
from cosem.errors import CosemError, DecodeError, EncodeError, LimitError
from cosem.testing.strategies import TAGS, alike, of_tag, values
from cosem.types.data import (
    DONT_CARE,
    Array,
    BitString,
    DeltaDoubleLongUnsigned,
    DeltaInteger,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Float32,
    Float64,
    Integer,
    Long,
    Long64,
    Long64Unsigned,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    Utf8String,
    VisibleString,
)
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.making import trusted

EXAMPLES = [
    (None, "00"),
    (Array([Unsigned(1), Unsigned(2)]), "010211011102"),
    (Structure([Integer(-1), Enum(30)]), "02020FFF161E"),
    (Array(), "0100"),
    (Structure(), "0200"),
    (True, "0301"),
    (False, "0300"),
    (BitString.from_text("10100101"), "0408A5"),
    (BitString.from_text("1010010110110"), "040DA5B0"),
    (BitString.from_text(""), "0400"),
    (DoubleLong(-1), "05FFFFFFFF"),
    (DoubleLongUnsigned(5009), "0600001391"),
    (OctetString(b"\x01\x00\x01\x08\x00\xff"), "09060100010800FF"),
    (OctetString(b""), "0900"),
    (OctetString(bytes(127)), "097F" + "00" * 127),
    (OctetString(bytes(128)), "098180" + "00" * 128),
    (OctetString(bytes(256)), "09820100" + "00" * 256),
    (OctetString(bytes(65536)), "0983010000" + "00" * 65536),
    (VisibleString("000"), "0A03303030"),
    (Utf8String("ü"), "0C02C3BC"),
    (Integer(-128), "0F80"),
    (Long(-32768), "108000"),
    (Unsigned(255), "11FF"),
    (LongUnsigned(65535), "12FFFF"),
    (Long64(-(1 << 63)), "148000000000000000"),
    (Long64Unsigned((1 << 64) - 1), "15FFFFFFFFFFFFFFFF"),
    (Enum(30), "161E"),
    (Float32(1.5), "173FC00000"),
    (Float32(62056), "1747726800"),
    (Float64(62056), "1840EE4D0000000000"),
    (DateTime.fromhex("07E50101FF00000000FFC400"), "1907E50101FF00000000FFC400"),
    (Date.fromhex("FFFFFFFEFF"), "1AFFFFFFFEFF"),
    (Time.fromhex("FF000000"), "1BFF000000"),
    (DeltaInteger(-5), "1CFB"),
    (DeltaDoubleLongUnsigned(250), "21000000FA"),
    (DONT_CARE, "FF"),
]


@pytest.mark.parametrize(("value", "octets"), EXAMPLES, ids=lambda each: repr(each)[:30])
def test_example(value, octets):
    assert encode_data(value).hex().upper() == octets
    assert alike(decode_data(bytes.fromhex(octets)), value)


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: TAG_NAMES[tag])
def test_every_type_both_ways(tag):
    @given(of_tag(tag))
    def both_ways(value: Any) -> None:
        octets = encode_data(value)
        assert octets[0] == tag
        assert alike(decode_data(octets), value)
        assert encode_data(decode_data(octets)) == octets
        assert alike(pickle.loads(pickle.dumps(value)), value)

    both_ways()


@given(values)
def test_what_is_written_is_read(value):
    octets = encode_data(value)
    decoded = decode_data(octets)
    assert alike(decoded, value)
    assert encode_data(decoded) == octets
    assert alike(pickle.loads(pickle.dumps(decoded)), value)


def test_every_other_tag_is_refused():
    for tag in set(range(256)) - TAG_NAMES.keys():
        for octets in (bytes((tag,)), bytes((tag,)) + bytes(20), bytes((1, 1, tag)) + bytes(20)):
            with pytest.raises(DecodeError) as caught:
                decode_data(octets)
            assert caught.value.offset == octets.index(tag)


@given(values, st.data())
def test_every_prefix_is_refused_at_an_offset_within(value, data):
    octets = encode_data(value)
    size = data.draw(st.integers(0, len(octets) - 1))
    for findings in (None, []):
        with pytest.raises(DecodeError) as caught:
            decode_data(octets[:size], findings=findings)
        assert 0 <= caught.value.offset <= size


@given(values, st.binary(min_size=1, max_size=5))
def test_octets_behind_are_an_error_or_a_finding(value, behind):
    octets = encode_data(value)
    for facts in ({}, {"strict": True}, {"strict": True, "findings": []}):
        with pytest.raises(DecodeError) as caught:
            decode_data(octets + behind, **facts)
        assert caught.value.offset == len(octets)
    findings: list[str] = []
    assert alike(decode_data(octets + behind, findings=findings), value)
    assert findings == ["trailing-octets"]


@given(values, st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_octets_are_read_or_refused(value, changes):
    octets = bytearray(encode_data(value))
    for place, octet in changes:
        octets[place % len(octets)] = octet
    try:
        decoded = decode_data(bytes(octets))
    except DecodeError as error:
        offset = error.offset
        assert 0 <= offset <= len(octets)
    else:
        # Lengths in long form and any octet for true are read, and written in their one form.
        assert alike(decode_data(encode_data(decoded)), decoded)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets):
    try:
        decoded = decode_data(octets, findings=[])
    except DecodeError as error:
        offset = error.offset
        assert 0 <= offset <= len(octets)
    else:
        assert len(encode_data(decoded)) <= len(octets)


# --- lengths -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["02", "8102", "820002", "83000002", "8400000002"])
def test_lengths_and_counts_are_read_in_every_form(length):
    assert decode_data(bytes.fromhex(f"09{length}AABB")) == b"\xaa\xbb"
    assert decode_data(bytes.fromhex(f"0A{length}4142")) == "AB"
    assert decode_data(bytes.fromhex(f"0C{length}4142")) == "AB"
    assert decode_data(bytes.fromhex(f"01{length}0000")) == (None, None)
    assert decode_data(bytes.fromhex(f"02{length}0000")) == (None, None)
    assert decode_data(bytes.fromhex(f"04{length}C0")) == BitString.from_text("11")
    assert decode_data(bytes.fromhex(f"1311{length}0102")) == (1, 2)


@pytest.mark.parametrize("length", ["80", "85", "88", "FF", "8503", "FE00"])
@pytest.mark.parametrize("tag", ["01", "02", "04", "09", "0A", "0C", "1311"])
def test_other_forms_are_refused(tag, length):
    with pytest.raises(DecodeError):
        decode_data(bytes.fromhex(tag + length) + bytes(10))


@given(st.integers(0, 0xFFFFFFFF))
def test_lengths_are_written_in_their_shortest_form(value):
    from cosem.codec.axdr import encode_length, encoded_length_size

    octets = encode_length(value)
    assert len(octets) == encoded_length_size(value)
    reader = Reader(octets)
    assert reader.length() == value
    assert reader.left == 0
    assert len(octets) == 1 + (0 if value < 128 else (value.bit_length() + 7) // 8)


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_lengths_out_of_range_are_not_written(value):
    from cosem.codec.axdr import encode_length

    with pytest.raises(EncodeError):
        encode_length(value)


# --- errors say where ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "offset", "path"),
    [
        ("", 0, ""),
        ("06 0000", 0, ""),
        ("07", 0, ""),
        ("0103 1101 1102 07", 6, "[2]"),
        ("0202 1101 0102 1102 12 00", 8, "[1][1]"),
        ("0103 1101", 1, ""),
        ("0102 1101", 4, "[1]"),
        ("0201 09 05 AA", 3, "[0]"),
        ("09 81", 2, ""),
        ("04 10 AA", 2, ""),
    ],
)
def test_an_error_has_offset_and_path(octets, offset, path):
    with pytest.raises(DecodeError) as caught:
        decode_data(bytes.fromhex(octets))
    assert (caught.value.offset, caught.value.path) == (offset, path)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (5, ""),
        ("text", ""),
        ((1, 2), ""),
        ([Unsigned(1)], ""),
        (1.5, ""),
        (object(), ""),
        (trusted(Unsigned)(256), ""),
        (trusted(Unsigned)(-1), ""),
        (trusted(Integer)(128), ""),
        (trusted(DoubleLong)(1 << 31), ""),
        (trusted(Long64Unsigned)(1 << 64), ""),
        (VisibleString("€"), ""),
        (Utf8String("\ud800"), ""),
        (Array([Unsigned(1), trusted(Unsigned)(256)]), "[1]"),
        (Structure([Unsigned(1), Array([None, Structure([5])])]), "[1][1][0]"),
        (Array([Structure([Unsigned(1)])] * 5 + [Structure([trusted(Unsigned)(999)])]), "[5][0]"),
        (Array([Structure([Unsigned(1)])] * 5 + [Structure([5])]), "[5][0]"),
    ],
)
def test_what_cannot_be_written_is_named(value, path):
    with pytest.raises(EncodeError) as caught:
        encode_data(value)
    assert caught.value.path == path
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_subclasses_and_plain_octets_are_written():
    class Meter(OctetString):
        __slots__ = ()

    assert encode_data(Meter(b"a")) == encode_data(b"a") == encode_data(bytearray(b"a")) == b"\x09\x01a"
    assert encode_data(memoryview(b"a")) == b"\x09\x01a"


# --- equal rows ------------------------------------------------------------------------------------------------------

ROW_TAGS = [tag for tag in TAGS if tag in FIXED or tag in (0, 9, 10, 12)]


@st.composite
def tables(draw: st.DrawFn) -> Array:
    """Rows of one shape, some of them broken by a row of another."""
    shape = draw(st.lists(st.sampled_from(ROW_TAGS), min_size=1, max_size=6))
    size = draw(st.integers(0, 8))
    columns = [
        st.binary(min_size=size, max_size=size).map(OctetString) if tag == 9 else of_tag(tag) for tag in shape
    ]
    table = draw(st.lists(st.tuples(*columns).map(Structure), min_size=4, max_size=40))
    for _ in range(draw(st.integers(0, 4))):
        odd = draw(
            st.sampled_from(
                [Structure(), Structure([Array()]), Array(), None, Structure([OctetString(bytes(9))])]
            )
        )
        table.insert(draw(st.integers(0, len(table))), odd)
    return Array(table)


@given(tables())
def test_the_fast_path_reads_and_writes_what_the_general_path_does(table):
    fast = encode_data(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "FEWEST_ROWS", 1 << 40)
        general = encode_data(table)
        slow = decode_data(fast)
    assert fast == general
    assert alike(decode_data(fast), slow)
    assert alike(slow, table)


@given(
    tables(),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 10),
)
def test_both_paths_refuse_the_same(table, changes, cut):
    octets = bytearray(encode_data(table))
    for place, octet in changes:
        octets[place % len(octets)] = octet
    damaged = bytes(octets[: len(octets) - cut])

    def outcome() -> Any:
        try:
            return decode_data(damaged)
        except DecodeError as error:
            return error.args

    fast = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "FEWEST_ROWS", 1 << 40)
        assert alike(fast, outcome())


@given(tables())
def test_rows_are_counted_the_same_in_windows_of_any_width(table):
    octets = encode_data(table)
    layout = row_codec.learn(octets, 2)
    if layout is None or len(table) > 127:
        return
    counts = set()
    for window in (1, 2, 3, 32, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(row_codec, "_FIRST_WINDOW", window)
            counts.add(row_codec.regular_rows(octets, 2, layout, len(table)))
    assert len(counts) == 1


def test_a_profile_is_read_by_the_fast_path():
    row = Structure([OctetString(bytes(12)), Unsigned(0), *[DoubleLongUnsigned(5)] * 4])
    octets = encode_data(Array([row] * 1440))
    rows, taken = row_codec.read_rows(octets, 4, 1440)
    assert len(rows) == 1440
    assert taken == len(octets) - 4


# --- limits -------------------------------------------------------------------------------------------------------------


def nested(levels: int, inner: str = "00", head: str = "0101") -> bytes:
    return bytes.fromhex(head * levels + inner)


@pytest.mark.parametrize("head", ["0101", "0201"])
def test_nesting_ends_at_32(head):
    assert decode_data(nested(32, head=head))
    with pytest.raises(LimitError) as caught:
        decode_data(nested(33, head=head))
    assert (caught.value.name, caught.value.value, caught.value.bound) == ("nesting", 33, 32)
    assert pickle.loads(pickle.dumps(caught.value)).bound == 32


def test_equal_rows_nest_no_deeper_than_others():
    rows = "0105" + "02011105" * 5
    assert decode_data(nested(30, rows))
    with pytest.raises(LimitError):
        decode_data(nested(32, rows))
    with pytest.raises(LimitError):
        decode_data(nested(31, "0105" + "0201020111 05".replace(" ", "") * 5))


def test_what_is_written_can_be_read_again():
    value: Any = Array([Structure([Unsigned(5)])] * 5)
    for _ in range(40):
        try:
            octets = encode_data(value)
        except EncodeError:
            break
        assert alike(decode_data(octets), value)
        value = Array([value])
    else:
        pytest.fail("nothing stopped it")


def test_limits_are_arguments():
    few = Limits(elements=5)
    assert decode_data(bytes.fromhex("01050000000000"), limits=few)
    with pytest.raises(LimitError, match="elements"):
        decode_data(bytes.fromhex("0106000000000000"), limits=few)
    with pytest.raises(LimitError, match="elements"):
        decode_data(bytes.fromhex("0105" + "02011105" * 5), limits=few)
    with pytest.raises(LimitError, match="octets"):
        decode_data(bytes(11), limits=Limits(octets=10))
    with pytest.raises(LimitError, match="nesting"):
        decode_data(nested(3), limits=Limits(nesting=2))


def test_a_reader_moves_behind_what_it_read():
    reader = Reader(bytes.fromhex("1105 0900 0201 00 FF"))
    assert [read_data(reader) for _ in range(3)] == [5, b"", (None,)]
    assert reader.left == 1
    assert read_data(reader) == DONT_CARE
    with pytest.raises(CosemError):
        read_data(reader)
