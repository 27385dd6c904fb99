"""Rows that are encoded all at once are what they are when each is encoded by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec.axdr import encode_length
from cosem.codec.data import encode_data
from cosem.codec.rows import write_rows
from cosem.types.data import (
    Array,
    DataValue,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    VisibleString,
)
from cosem.types.logical_name import LogicalName

CELLS: list[st.SearchStrategy[DataValue]] = [
    st.integers(0, 255).map(Unsigned),
    st.integers(0, 3).map(Enum),
    st.integers(-128, 127).map(Integer),
    st.integers(0, 0xFFFF).map(LongUnsigned),
    st.sampled_from([0, 1, 0x100, 0xFFFF_FFFF]).map(DoubleLongUnsigned),
    st.binary(min_size=3, max_size=3).map(OctetString),
    st.binary(min_size=6, max_size=6).map(LogicalName).map(OctetString),
    st.binary(max_size=2).map(OctetString),
    st.just(OctetString(b"same")),
    st.text("ab", min_size=2, max_size=2).map(VisibleString),
    st.booleans(),
    st.none(),
]


def one_by_one(rows: list[DataValue]) -> bytes:
    return b"\x01" + encode_length(len(rows)) + b"".join(map(encode_data, rows))


@given(st.data())
def test_equal_rows_are_encoded_as_one_by_one(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=5))
    count = data.draw(st.integers(1, 40))
    rows: list[DataValue] = [Structure(data.draw(kind) for kind in kinds) for _ in range(count)]
    assert encode_data(Array(rows)) == one_by_one(rows)


@given(st.data())
def test_rows_that_change_in_their_midst_are_encoded_as_one_by_one(data: st.DataObject) -> None:
    cell = st.one_of(CELLS)
    width = data.draw(st.integers(1, 3))
    rows: list[DataValue] = [Structure(data.draw(cell) for _ in range(width)) for _ in range(8)]
    assert encode_data(Array(rows)) == one_by_one(rows)


@pytest.mark.parametrize(
    "odd",
    [None, VisibleString("abc"), Unsigned(1), OctetString(b"abcd"), True],
    ids=["null", "text", "number", "longer", "boolean"],
)
def test_an_odd_cell_among_strings_goes_the_general_way(odd: DataValue) -> None:
    rows: list[DataValue] = [Structure((OctetString(b"abc"),)) for _ in range(9)]
    rows[5] = Structure((odd,))
    assert write_rows(tuple(rows)) is None
    assert encode_data(Array(rows)) == one_by_one(rows)


def test_octets_of_other_kinds_are_octet_strings() -> None:
    name = LogicalName("1.0.1.8.0.255")
    rows: list[DataValue] = [
        Structure((each,)) for each in (OctetString(name), name, bytes(name), OctetString(name))
    ]
    assert encode_data(Array(rows)) == one_by_one(rows)
    assert encode_data(Array(rows))[4:].count(bytes(name)) == 4
