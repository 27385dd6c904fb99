"""compact-array: descriptions nested as they may be, both dialects, and what must not be built."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given

from cosem.codec.compact_array import read_contents, read_type_description
from cosem.codec.data import decode_data, encode_data
from cosem.codec.limits import Limits
from cosem.codec.reader import Reader
from cosem.errors import DecodeError, EncodeError, LimitError
from cosem.testing.strategies import alike, compact_arrays
from cosem.types.data import (
    Array,
    CompactArray,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    VisibleString,
)
from cosem.types.making import trusted

UNSIGNED = TypeDescription(17)


@given(compact_arrays)
def test_what_is_written_is_read(value):
    octets = encode_data(value)
    decoded = decode_data(octets)
    assert alike(decoded, value)
    assert decoded.type_description == value.type_description
    assert encode_data(decoded) == octets
    assert encode_data(CompactArray(decoded, decoded.type_description)) == octets
    assert alike(pickle.loads(pickle.dumps(decoded)), value)


@pytest.mark.parametrize(
    ("octets", "elements"),
    [
        ("131206000100020003", (1, 2, 3)),
        ("13020209120C03AABBCC000103DDEEFF0002", ((b"\xaa\xbb\xcc", 1), (b"\xdd\xee\xff", 2))),
        ("13010002 1106 010203040506", ((1, 2), (3, 4), (5, 6))),
        ("130202110202101608 01FFFF1E 0200021E", ((1, (-1, 30)), (2, (2, 30)))),
        ("1311 00", ()),
        ("13 0201 00 00", None),
        ("13 0202 00 11 02 0102", ((None, 1), (None, 2))),
        ("13 0202 FF 11 01 05", None),
        ("13 0100 00 11 00", None),
        ("13 0202 010000 11 11 02 0102", (((), 1), ((), 2))),
    ],
)
def test_example(octets, elements):
    octets = bytes.fromhex(octets)
    if elements is None and octets[1:3] != b"\x02\x02":
        with pytest.raises(DecodeError, match="no octets"):
            decode_data(octets)
        return
    value = decode_data(octets)
    assert isinstance(value, CompactArray)
    assert elements is None or tuple(value) == elements
    assert encode_data(value) == octets


@pytest.mark.parametrize(
    "octets",
    [
        "13",
        "1313",
        "1313 12 00",
        "130213 1100",
        "1307 00",
        "1322 00",
        "13 12 05 0001000200",
        "1309 02 0500",
        "1301 00",
    ],
)
def test_what_is_none_is_refused(octets):
    with pytest.raises(DecodeError):
        decode_data(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octet", sorted(set(range(256)) - {0, *range(1, 7), 9, 10, 12, 13, *range(15, 19), *range(20, 34), 255})
)
def test_other_tags_are_no_type(octet):
    with pytest.raises(DecodeError) as caught:
        decode_data(bytes((0x13, 2, 1, octet, 1, 0)))
    assert caught.value.offset == 3


def test_nesting_of_descriptions_is_bounded():
    assert decode_data(b"\x13" + b"\x02\x01" * 32 + b"\x11\x01\x05")
    for levels in (33, 1000, 10_000):
        for head in (b"\x02\x01", b"\x01\x00\x01"):
            with pytest.raises(LimitError):
                decode_data(b"\x13" + head * levels + b"\x11\x01\x05")


BOMBS = {
    "null-data": "1300 82FFFF" + "00" * 65535,
    "empty structure": "130200 01 00",
    "65535 ** 3": "13" + "01FFFF" * 3 + "00 01 00",
    "65535 ** 8": "13" + "01FFFF" * 8 + "11 01 00",
    "null-data beside one octet": "13 0202 01FFFF 00 11 0F" + "05" * 15,
    "many members of nothing": "13 0282FFFF" + "00" * 65534 + "11 7F" + "05" * 127,
    "empty structures": "13 0202 01FFFF 0200 11 01 05",
    "arrays of nothing in arrays": "13 0202 010FFF 010FFF 00 11 01 05",
}


@pytest.mark.parametrize("octets", BOMBS.values(), ids=BOMBS)
def test_octets_that_say_little_and_mean_much_are_refused(octets):
    with pytest.raises(DecodeError):
        decode_data(bytes.fromhex(octets))
    one = bytes.fromhex(octets)
    if len(one) < 100:  # many of them, each small enough alone
        with pytest.raises(DecodeError):
            decode_data(b"\x01\x82\x03\xe8" + one * 1000)


def test_columns_of_nothing_are_read_within_reason():
    row = TypeDescription(2, 0, (*[TypeDescription(0)] * 9, UNSIGNED))
    value = CompactArray([Structure([*[None] * 9, Unsigned(n)]) for n in range(100)], row)
    assert alike(decode_data(encode_data(value)), value)


def test_the_bound_is_an_argument():
    octets = bytes.fromhex("13110A") + bytes(10)
    assert len(decode_data(octets, limits=Limits(compact_elements=10))) == 10
    with pytest.raises(LimitError, match="compact-array"):
        decode_data(octets, limits=Limits(compact_elements=9))


@pytest.mark.parametrize(
    ("elements", "description"),
    [
        ([trusted(Unsigned)(256)], UNSIGNED),
        ([VisibleString("a")], UNSIGNED),
        ([None], UNSIGNED),
        ([object()], UNSIGNED),
        ([Unsigned(1)], TypeDescription(2, 0, (UNSIGNED,))),
        ([Structure([Unsigned(1)] * 2)], TypeDescription(2, 0, (UNSIGNED,))),
        ([Array([Unsigned(1)])], TypeDescription(1, 2, (UNSIGNED,))),
        ([Unsigned(1)], TypeDescription(9)),
        ([Unsigned(1)], TypeDescription(10)),
        ([Unsigned(1)], TypeDescription(4)),
        ([Array([Unsigned(1)] * 65536)], TypeDescription(1, 65536, (UNSIGNED,))),
    ],
)
def test_elements_of_another_shape_are_not_written(elements, description):
    with pytest.raises(EncodeError):
        encode_data(CompactArray(elements, description))


# --- the dialect of Compact data (class 62) --------------------------------------------------------------------------


def compact_data(template: str, buffer: str):
    reader = Reader(bytes.fromhex(template))
    description = read_type_description(reader, count_in_contents=True)
    assert reader.left == 0
    return read_contents(Reader(bytes.fromhex(buffer)), description, count_in_contents=True)


def test_daily_billing():
    (row,) = compact_data(
        "020A11061111060606060912",
        "0051EE530529180061FFD3000D33D20012D6870023CACE064142434445461ED2",
    )
    assert row[0] == 0
    assert row[-2:] == (OctetString(b"ABCDEF"), 0x1ED2)


def test_an_array_has_its_count_in_the_contents():
    (row,) = compact_data("02021101020206 11", "0232" + "0000000101" * 50)
    assert row[0] == 2
    assert len(row[1]) == 50
    (row,) = compact_data("0202110111", "0100")
    assert row == (1, ())


def test_bombs_of_the_dialect():
    template = "02021101" + "0281C8" + "00" * 199 + "11"
    with pytest.raises(LimitError):
        compact_data(template, "01" + "7F" + "05" * 127)
    for buffer in ("0184FFFFFFFF", "0182FFFF0000", "01"):
        with pytest.raises(DecodeError):
            compact_data("0202110111", buffer)
