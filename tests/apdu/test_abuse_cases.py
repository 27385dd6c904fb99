"""The abuse cases of our decoders, A-01 to A-19, one after the other; nobody sends such octets in good faith."""

from __future__ import annotations

import math
import pickle
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem import apdu
from cosem.codec.ber import encode_tlv
from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConversionError, CosemError, DecodeError, FrameError, LimitError
from cosem.link.hdlc.frame import Frame
from cosem.link.hdlc.parser import FrameParser
from cosem.link.wrapper import WrapperParser, wrap
from cosem.testing.strategies import alike, values
from cosem.types.data import Bcd, Enum, Utf8String, VisibleString
from cosem.types.date_time import DateTime
from tests.vectors import load

SEEDS = [each.octets for each in load("xdlms") if each.get("kind") == "apdu"] + [
    each.octets for each in load("acse") if each.octets
]
DATA_SEEDS = [each.octets for each in load("xdlms") if each.get("kind") == "data"]
LENGTHS = ["82FFFF", "83FFFFFF", "84FFFFFFFF", "85FFFFFFFFFF", "88FFFFFFFFFFFFFFFF", "80", "FF"]
CASES: dict[str, Callable[[], None]] = {}


def case(identifier: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def note(function: Callable[[], None]) -> Callable[[], None]:
        assert identifier not in CASES
        CASES[identifier] = function
        return function

    return note


def refused(
    octets: bytes, read: Callable[..., Any] = apdu.decode, kind: type[CosemError] = DecodeError
) -> None:
    for facts in ({}, {"findings": []}, {"strict": True}):
        with pytest.raises(kind) as caught:
            read(octets, **facts)
        offset = caught.value.offset
        assert 0 <= offset <= len(octets)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@contextmanager
def little_memory(most: int = 1 << 20) -> Iterator[None]:
    """See that nothing large is built on the way."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


@case("A-01")
def every_prefix() -> None:
    for octets in SEEDS:
        for size in range(len(octets)):
            with pytest.raises(DecodeError) as caught:
                apdu.decode(octets[:size], findings=[])
            assert 0 <= caught.value.offset <= size
    for octets in DATA_SEEDS:
        for size in range(len(octets)):
            with pytest.raises(DecodeError):
                decode_data(octets[:size], findings=[])


@case("A-02")
def octets_behind() -> None:
    for read, seeds in ((apdu.decode, SEEDS), (decode_data, DATA_SEEDS)):
        for octets, behind in product(seeds, (b"\x00", b"\xff\xff", b"\x00" * 8)):
            with pytest.raises(DecodeError) as caught:
                read(octets + behind)
            assert caught.value.offset == len(octets)
            findings: list[str] = []
            read(octets + behind, findings=findings)
            assert findings[-1] == "trailing-octets"


@case("A-03")
def nesting() -> None:
    for levels, head in product((64, 1000, 10_000, 100_000), (b"\x01\x01", b"\x02\x01")):
        bomb = head * levels + b"\x00"
        refused(bomb, decode_data, LimitError)
        refused(b"\xc4\x01\xc1\x00" + bomb, kind=LimitError)
        refused(b"\x0f\x00\x00\x00\x01\x00" + bomb, kind=LimitError)


@case("A-04")
def counts_and_lengths() -> None:
    with little_memory():
        for tag, length in product(("01", "02", "04", "09", "0A", "0C", "13", "1311"), LENGTHS):
            bomb = bytes.fromhex(tag + length) + bytes(8)
            refused(bomb, decode_data)
            refused(b"\xc4\x01\xc1\x00" + bomb)


@case("A-05")
def a_million_null_data() -> None:
    value = decode_data(b"\x01\x83\x0f\x42\x40" + bytes(1_000_000))
    assert len(value) == 1_000_000


@case("A-06")
def compact_arrays_that_swell() -> None:
    with little_memory(16 << 20):
        refused(b"\x13\x00\x82\xff\xff" + bytes(65535), decode_data)
        refused(bytes.fromhex("1302000105"), decode_data)
        for depth in (3, 8):
            refused(b"\x13" + b"\x01\xff\xff" * depth + b"\x11\x01\x05", decode_data)
        refused(b"\x13" + b"\x02\x01" * 10_000 + b"\x11\x01\x05", decode_data, LimitError)
        refused(bytes.fromhex("01821000") + bytes.fromhex("13020201FFFF00110F") * 4096, decode_data)


@case("A-07")
def compact_arrays_inside_their_type() -> None:
    refused(bytes.fromhex("131311020101"), decode_data)
    refused(bytes.fromhex("1302011311 0101"), decode_data)
    for tag in (7, 8, 11, 14, 34, 0x80, 0xFE):
        refused(bytes((0x13, tag, 1, 0)), decode_data)


@case("A-08")
def odd_values_of_small_types() -> None:
    for octet in range(256):
        assert decode_data(bytes((3, octet))) is (octet != 0)
        for tag, kind in ((13, Bcd), (22, Enum)):
            value = decode_data(bytes((tag, octet)))
            assert type(value) is kind
            assert encode_data(value) == bytes((tag, octet))


@case("A-09")
def text_that_is_none() -> None:
    for octets in (b"\xff\xfe", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"):
        for tag, kind in ((10, VisibleString), (12, Utf8String)):
            value = decode_data(bytes((tag, len(octets))) + octets)
            assert type(value) is kind
            assert value.octets == octets
            assert not value.well_formed
            assert str(value) != ""


@case("A-10")
def date_times() -> None:
    @given(
        st.binary(min_size=12, max_size=12)
        | st.lists(st.sampled_from([0xFF, 0xFE, 0xFD, 0, 13, 32, 25]), min_size=12, max_size=12).map(bytes)
    )
    def any_octets(octets: bytes) -> None:
        value = decode_data(b"\x19" + octets)
        assert isinstance(value, DateTime)
        assert value.octets == octets
        assert str(value)
        try:
            assert isinstance(value.to_datetime(), datetime)
        except CosemError as error:
            kind = type(error)
            assert issubclass(kind, ConversionError)

    any_octets()
    for octets in ("07E50D01FF00000000000000", "07E50120FF00000000000000", "07E50101FF19000000000000"):
        with pytest.raises(ConversionError):
            DateTime.fromhex(octets).to_datetime()


@case("A-11")
def numbers_that_are_none() -> None:
    for code, tag, patterns in (
        (">f", 23, ("7F800000", "FF800000", "7FC00000", "7F800001", "FFFFFFFF", "80000000", "00000001")),
        (
            ">d",
            24,
            (
                "7FF0000000000000",
                "FFF0000000000000",
                "7FF8000000000001",
                "7FF0000000000001",
                "8000000000000000",
            ),
        ),
    ):
        for pattern in patterns:
            octets = bytes((tag,)) + bytes.fromhex(pattern)
            value = decode_data(octets)
            assert encode_data(value) == octets
            assert encode_data(pickle.loads(pickle.dumps(value))) == octets
            assert math.isnan(value) is math.isnan(struct.unpack(code, octets[1:])[0])


@case("A-12")
def bare_tags() -> None:
    for tag in range(256):
        refused(bytes((tag,)))
    # One octet leaves nothing behind that would spoil what comes after it.
    for octets in SEEDS:
        assert apdu.encode(apdu.decode(octets, findings=[])) == octets


@case("A-13")
def bombs_in_ber() -> None:
    context = bytes.fromhex("A109060760857405080101")
    with little_memory():
        for tag in (0x60, 0x61, 0x62, 0x63):
            refused(bytes((tag, 0x80)) + bytes(2))
            for length in LENGTHS:
                refused(bytes((tag,)) + bytes.fromhex(length) + bytes(8))
            information = encode_tlv(0xBE, encode_tlv(4, b"\x01"))
            refused(encode_tlv(tag, (context if tag < 0x62 else b"") + information * 2))
            nested = b"\x01"
            for _ in range(1000):
                nested = encode_tlv(0xBE, nested)
            refused(encode_tlv(tag, nested))
        for arcs in (b"\x81" * 50_000, b"\x01" * 50_000):
            refused(encode_tlv(0x60, encode_tlv(0xA1, encode_tlv(6, arcs))))
        for tag in (0x60, 0x61):
            refused(bytes((tag, 0)))


@case("A-14")
def lists_that_claim_more_than_there_is() -> None:
    heads = [
        "C003C1",
        "C104C1",
        "C105C1",
        "C303C1",
        "C305C1",
        "C403C1",
        "C504C1",
        "C505C1",
        "C703C1",
        "05",
        "06",
        "0C",
        "0D",
        "16",
        "1800",
        "D90000000000",
        "DA000000000000",
    ]
    with little_memory():
        for head, count in product(heads, ["81FF", "82FFFF", "84FFFFFFFF", "85FFFFFFFFFF", "80"]):
            refused(bytes.fromhex(head + count) + bytes(20))


@case("A-15")
def envelopes() -> None:
    # From outside: every length is kept to the octet. That nothing is deciphered is shown where keys are.
    for tag in (0x21, 0x28, 0x41, 0xC8, 0xCC, 0xD0, 0xD7):
        for size in range(18):
            octets = bytes((tag, size)) + bytes(size)
            assert apdu.encode(apdu.decode(octets)) == octets
            if size:
                refused(octets[:-1])
        for length in LENGTHS:
            refused(bytes((tag,)) + bytes.fromhex(length) + bytes(8))
    for tag, title, control in product((0xDB, 0xDC), (0, 1, 7, 8, 9, 255), (0, 0x10, 0x30, 0xFF)):
        head = bytes((tag,)) + (bytes((title,)) if title < 128 else bytes((0x81, title))) + bytes(title)
        octets = head + bytes((2, control, 0))
        assert apdu.encode(apdu.decode(octets)) == octets
        refused(octets[:-1])


@case("A-16")
def noise_on_a_serial_line() -> None:
    good = bytes.fromhex("7EA00A00020023219318717E")
    for noise in (
        b"\x7e" * 100_000,
        bytes(range(1, 126)) * 800,
        b"\x7e\xa0" + b"\x02" * 5000,
        b"\x7e\xa7\xff" + bytes(3000),
        b"\x7e\xb0\x00",
    ):
        parser = FrameParser()
        found: list[Any] = []
        with little_memory(8 << 20):
            for at in range(0, len(noise), 4096):
                found += [each for each in parser.feed(noise[at : at + 4096]) if isinstance(each, Frame)]
        assert not found
        for _ in range(3):
            found += [each for each in parser.feed(b"\x7e" + good) if isinstance(each, Frame)]
        assert found


@case("A-17")
def a_stream_in_any_cut() -> None:
    stream = b"".join(wrap(octets, 1, 16) for octets in SEEDS)
    whole = list(WrapperParser().feed(stream))

    @given(st.lists(st.integers(1, 400), max_size=60))
    def cut(sizes: list[int]) -> None:
        parser, found, at = WrapperParser(), [], 0
        for size in [*sizes, len(stream)]:
            found += parser.feed(stream[at : at + size])
            at += size
        assert found == whole

    cut()


@case("A-18")
def wrapper_headers() -> None:
    assert len(list(WrapperParser().feed(wrap(b"", 1, 16) * 10_000))) == 10_000
    for octets in ("0000001000010000", "0002001000010001AA", "FFFF"):
        with pytest.raises(FrameError):
            list(WrapperParser().feed(bytes.fromhex(octets)))
    parser = WrapperParser()
    assert list(parser.feed(bytes.fromhex("000100100001FFFF") + bytes(1000))) == []
    assert parser.partial


@case("A-19")
def there_and_back() -> None:
    for octets in SEEDS:
        value = apdu.decode(octets, findings=[])
        assert apdu.encode(value) == octets
        assert apdu.decode(apdu.encode(value), findings=[]) == value

    @given(values)
    def any_value(value: Any) -> None:
        octets = encode_data(value)
        assert alike(decode_data(octets), value)
        assert encode_data(decode_data(octets)) == octets

    any_value()


@pytest.mark.parametrize("identifier", CASES)
def test_case(identifier: str) -> None:
    CASES[identifier]()


def test_no_case_is_forgotten() -> None:
    assert list(CASES) == [f"A-{number:02d}" for number in range(1, 20)]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    octets = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["change", "insert", "delete", "repeat"]))
        at = draw(st.integers(0, max(0, len(octets) - 1)))
        if kind == "change" and octets:
            octets[at] = draw(st.integers(0, 255))
        elif kind == "insert":
            octets[at:at] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "delete":
            del octets[at : at + draw(st.integers(1, 4))]
        else:
            octets[at:at] = octets[at : at + draw(st.integers(1, 20))]
    return bytes(octets)


@given(mangled() | st.binary(max_size=100), st.booleans())
def test_any_octets_are_understood_or_refused_at_a_place_within(octets: bytes, strict: bool) -> None:
    findings: list[str] = []
    try:
        value = apdu.decode(octets, findings=findings, strict=strict)
    except DecodeError as error:
        offset = error.offset
        assert 0 <= offset <= len(octets)
        with pytest.raises(DecodeError):
            apdu.trace(octets, findings=[], strict=strict)
    else:
        assert apdu.trace(octets, findings=[], strict=strict).value == value or "nan" in repr(value)
        again = apdu.encode(value)
        assert repr(apdu.decode(again, findings=[])) == repr(value)
        assert strict <= (not findings)
