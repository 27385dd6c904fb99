"""Octets that nobody sends in good faith: refused by our error, at their place, without cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cosem import apdu, push
from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConversionError, DecodeError
from cosem.types.data import Bcd, Enum, Utf8String, VisibleString
from tests.vectors import Vector, parameters

TAGS = [pytest.param(tag, id=f"{tag:02X}") for tag in range(256)]


@pytest.mark.parametrize("tag", TAGS)
def test_a_bare_tag_is_no_apdu(tag: int) -> None:
    for octets in (bytes((tag,)), bytes((tag, tag))):
        with pytest.raises(DecodeError) as caught:
            apdu.decode(octets)
        assert 0 <= caught.value.offset <= len(octets)


@pytest.mark.parametrize("decode", [apdu.decode, decode_data, push.decode])
@pytest.mark.parametrize("wrong", [1, 12, None, 1.5, True, "C001C1", object()])
def test_what_are_no_octets_is_not_taken_for_any(decode: Callable[..., object], wrong: object) -> None:
    with pytest.raises(ConversionError, match=r"no octets|is no"):
        decode(wrong)


@pytest.mark.parametrize(
    ("octets", "problem", "offset"),
    [
        ("C0", "1 octet wanted, 0 left: which C0 it is", 1),
        ("C4", "1 octet wanted, 0 left: which C4 it is", 1),
        ("C009", "unknown choice C0 09", 1),
        ("33", "unknown APDU 33", 0),
    ],
)
def test_a_missing_choice_is_told_from_an_unknown_one(octets: str, problem: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        apdu.decode(bytes.fromhex(octets))
    assert (caught.value.problem, caught.value.offset) == (problem, offset)


LENGTHS = ("82FFFF", "83FFFFFF", "84FFFFFFFF", "85FFFFFFFFFF", "88FFFFFFFFFFFFFFFF", "80", "FF")


@pytest.mark.parametrize("tag", TAGS)
def test_lengths_beyond_the_octets_are_refused_before_anything_is_built(tag: int) -> None:
    for length in LENGTHS:
        for head in (b"", b"\x01", b"\x01\xc1"):
            octets = bytes((tag,)) + head + bytes.fromhex(length) + b"\x00" * 4
            try:
                value = apdu.decode(octets, findings=[])
            except DecodeError as error:
                offset = error.offset
                assert 0 <= offset <= len(octets)
            else:
                assert len(apdu.encode(value)) <= len(octets)


@pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu"))
def test_trailing_octets_are_refused_or_reported(vector: Vector) -> None:
    whole = apdu.decode(vector.octets, findings=[])
    with pytest.raises(DecodeError) as caught:
        apdu.decode(vector.octets + b"\x00")
    assert caught.value.offset == len(vector.octets)
    findings: list[str] = []
    assert apdu.decode(vector.octets + b"\x00", findings=findings) == whole
    assert findings[-1] == "trailing-octets"


@pytest.mark.parametrize("octet", range(256))
def test_one_octet_types_keep_every_octet(octet: int) -> None:
    assert decode_data(bytes((3, octet))) is (octet != 0)
    for tag, kind in ((13, Bcd), (22, Enum)):
        value = decode_data(bytes((tag, octet)))
        assert type(value) is kind
        assert encode_data(value) == bytes((tag, octet))


@pytest.mark.parametrize("octets", [b"\xff\xfe", b"\x80", b"\xc3", b"\xed\xa0\x80", bytes(range(128))])
def test_text_that_is_none_is_kept_and_marked(octets: bytes) -> None:
    for tag, kind in ((10, VisibleString), (12, Utf8String)):
        encoded = bytes((tag,)) + (b"" if len(octets) < 128 else b"\x81") + bytes((len(octets),)) + octets
        value = decode_data(encoded)
        assert type(value) is kind
        assert value.octets == octets
        assert encode_data(value) == encoded
        assert value.well_formed is (max(octets) < 0x80)
