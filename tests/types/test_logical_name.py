"""Logical names: every written form, both ways, and what is none."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConversionError
from cosem.types.logical_name import LogicalName

groups = st.tuples(*[st.integers(0, 255)] * 6)
ENERGY = bytes.fromhex("0100010800FF")


@pytest.mark.parametrize(
    "text",
    [
        "1-0:1.8.0*255",
        "1-0:1.8.0.255",
        "1-0:1.8.0&255",
        "1.0.1.8.0.255",
        "1-0:1.8.0",
        "0100010800FF",
        "0100010800ff",
        " 1-0:1.8.0 ",
        "001.000.001.008.000.255",
    ],
)
def test_every_written_form_is_the_same_name(text: str) -> None:
    assert LogicalName.parse(text) == ENERGY
    assert LogicalName(text) == ENERGY


def test_a_number_after_the_name_is_told_apart_from_value_group_f() -> None:
    assert LogicalName("0-0:98.1.0.126").f == 126
    assert LogicalName("1-0:1.8.0*3").f == 3
    assert LogicalName("1-0:1.8.0.3").f == 3
    with pytest.raises(ConversionError):
        LogicalName("1-0:1.8.0:3")


@pytest.mark.parametrize("value", [ENERGY, bytearray(ENERGY), (1, 0, 1, 8, 0, 255), [1, 0, 1, 8, 0, 255]])
def test_octets_and_numbers_are_taken_too(value: object) -> None:
    assert LogicalName.parse(value) == ENERGY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.8.0",
        "1-0:1.8",
        "1-0:1.8.0.255.1",
        "1.0.1.8.0",
        "1-0:1.8.0*256",
        "256.0.1.8.0.255",
        "1-0:1.8.0*",
        "0100010800F",
        "0100010800FG",
        "-1.0.1.8.0.255",
        "energy",
        "\u0661.0.1.8.0.255",
        "\uff11-0:1.8.0",
    ],
)
def test_what_is_no_logical_name_is_refused_and_named(text: str) -> None:
    with pytest.raises(ConversionError) as caught:
        LogicalName.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [b"", b"12345", b"1234567", (1, 2, 3), (1, 2, 3, 4, 5, 256), (1, 2, 3, 4, 5, -1), 5, None, ["a"] * 6],
)
def test_a_name_has_six_octets(value: object) -> None:
    with pytest.raises(ConversionError):
        LogicalName(value)


def test_the_groups_have_letters() -> None:
    name = LogicalName.parse("1-2:3.4.5*6")
    assert (name.a, name.b, name.c, name.d, name.e, name.f) == (1, 2, 3, 4, 5, 6)


@given(groups)
def test_every_name_survives_each_of_its_texts(values: tuple[int, ...]) -> None:
    name = LogicalName(values)
    assert tuple(name) == values
    assert LogicalName.parse(str(name)) == name
    assert LogicalName.parse(name.reduced) == name
    assert LogicalName.parse(name.hex()) == name
    assert eval(repr(name)) == name  # noqa: S307 -- our own text


@given(groups)
def test_a_name_pickles_and_is_octet_string_data(values: tuple[int, ...]) -> None:
    name = LogicalName(values)
    assert type(pickle.loads(pickle.dumps(name))) is LogicalName
    assert encode_data(name) == b"\x09\x06" + name
    assert decode_data(encode_data(name)) == name


@given(st.text(max_size=30))
def test_any_text_is_a_name_or_our_error(text: str) -> None:
    try:
        name = LogicalName.parse(text)
    except ConversionError:
        return
    assert len(name) == 6
