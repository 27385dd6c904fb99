"""BER: tag, length, contents; what is tolerated and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec.ber import (
    encode_integer,
    encode_object_identifier,
    encode_tlv,
    object_identifier_from_text,
    object_identifier_text,
    read_integer,
    read_object_identifier,
    read_tlv,
)
from cosem.codec.reader import Reader
from cosem.errors import ConversionError, DecodeError, EncodeError
from tests.vectors import vector


@given(
    st.integers(0, 0xFE).filter(lambda tag: tag & 0x1F != 0x1F),
    st.binary(max_size=300),
    st.binary(max_size=5),
)
def test_what_is_written_is_read(tag: int, contents: bytes, behind: bytes) -> None:
    reader = Reader(encode_tlv(tag, contents) + behind)
    found, inner = read_tlv(reader)
    assert (found, inner.take(inner.left)) == (tag, contents)
    assert reader.take(reader.left) == behind


@pytest.mark.parametrize(
    ("size", "head"), [(0, "0400"), (127, "047F"), (128, "048180"), (255, "0481FF"), (256, "04820100")]
)
def test_lengths_are_written_in_their_shortest_form(size: int, head: str) -> None:
    assert encode_tlv(4, bytes(size))[: len(head) // 2] == bytes.fromhex(head)


@pytest.mark.parametrize(
    "octets", ["0402AABB", "048102AABB", "04820002AABB", "0483000002AABB", "048400000002AABB"]
)
def test_lengths_are_read_in_every_form(octets: str) -> None:
    tag, contents = read_tlv(Reader(bytes.fromhex(octets)))
    assert (tag, contents.take(contents.left)) == (4, b"\xaa\xbb")


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        ("", 0),
        ("04", 1),
        ("0401", 2),
        ("0480AA0000", 1),  # indefinite
        ("0485000000000 1AA".replace(" ", ""), 1),
        ("04FF", 1),
        ("0484FFFFFFFF", 6),
        ("0482FFFF00", 4),
        ("1F8101AA", 0),  # a tag of several octets
        ("BF1F01AA", 0),
    ],
)
def test_what_is_no_element_is_refused_where_it_is_wrong(octets: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        read_tlv(Reader(bytes.fromhex(octets)))
    assert caught.value.offset == offset


def test_offsets_inside_are_those_of_the_whole() -> None:
    reader = Reader(bytes.fromhex("30050203010203"))
    _, sequence = read_tlv(reader)
    _, number = read_tlv(sequence)
    assert number.pos == 4
    assert read_integer(number) == 0x010203


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_survive_in_their_shortest_form(value: int) -> None:
    octets = encode_integer(value)
    assert read_integer(Reader(octets)) == value
    assert len(octets) == 1 or octets[:2] not in (b"\x00\x00", b"\xff\xff")


@pytest.mark.parametrize("octets", ["", "0102030405"])
def test_an_integer_has_one_to_four_octets(octets: str) -> None:
    with pytest.raises(DecodeError):
        read_integer(Reader(bytes.fromhex(octets)))


def test_the_registered_names() -> None:
    for text, octets in vector("acse", "oids")["values"].items():
        assert object_identifier_from_text(text).hex().upper() == octets
        assert object_identifier_text(bytes.fromhex(octets)) == text


arcs = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), st.integers(0, 2**31))
).flatmap(lambda first: st.lists(st.integers(0, 2**32 - 1), max_size=14).map(lambda rest: [*first, *rest]))


@given(arcs)
def test_every_object_identifier_survives(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))
    octets = object_identifier_from_text(text)
    assert object_identifier_text(octets) == text
    assert read_object_identifier(Reader(octets)) == octets
    assert encode_object_identifier(octets) == octets


@pytest.mark.parametrize(
    "text", ["", "1", "1.", "3.1", "1.40", "2.-1", "a.b", "2.16.²", "2." + ".".join("1" * 16)]
)
def test_what_is_no_object_identifier_is_refused(text: str) -> None:
    with pytest.raises(ConversionError):
        object_identifier_from_text(text)


@pytest.mark.parametrize("octets", [b"", b"\x60\x85", b"\x60" + b"\x01" * 15, b"\x81" * 100 + b"\x01"])
def test_an_object_identifier_ends_and_has_at_most_16_arcs(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        read_object_identifier(Reader(octets))


@pytest.mark.parametrize("octets", [b"", b"\x60\x85"])
def test_an_object_identifier_without_end_is_not_written(octets: bytes) -> None:
    with pytest.raises(EncodeError):
        encode_object_identifier(octets)
