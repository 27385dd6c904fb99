"""The values of the Data CHOICE: each is the Python value that it means, and remembers its tag."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec.scalars import FIXED, TAG_NAMES
from cosem.errors import ConversionError
from cosem.types import data
from cosem.types.data import (
    ABSENT,
    DONT_CARE,
    Array,
    Bcd,
    BitString,
    CompactArray,
    DontCare,
    DoubleLongUnsigned,
    Float32,
    Integer,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    Utf8String,
    VisibleString,
)

KINDS = [
    each
    for each in vars(data).values()
    if isinstance(each, type) and getattr(each, "tag", None) is not None and isinstance(each.tag, int)
]
NUMBERS = [each for each in KINDS if issubclass(each, int) and hasattr(each, "minimum")]


def test_every_tag_has_one_class_with_the_name_of_the_asn1():
    tags = {each.tag: each.asn1_name for each in KINDS if not each.__name__.startswith("_")}
    beside = {0, 3, 25, 26, 27}  # None, bool, and the types of date_time
    assert tags == {tag: name for tag, name in TAG_NAMES.items() if tag not in beside}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_numbers(kind):
    value = kind(5)
    assert value == 5
    assert value + 1 == 6
    assert type(value + 1) is int
    assert hash(value) == hash(5)
    assert repr(value) == f"{kind.__name__}(5)"
    assert str(value) == "5"
    assert f"{value:03d}" == "005"
    assert type(pickle.loads(pickle.dumps(value))) is kind
    assert kind.maximum - kind.minimum in (255, 65535, 4294967295, (1 << 64) - 1)


def test_values_are_equal_when_the_python_values_are():
    assert Unsigned(1) == Integer(1) == 1
    assert OctetString(b"a") == b"a"
    assert VisibleString("a") == Utf8String("a") == "a"
    assert Array([1]) == Structure([1]) == (1,)
    assert {Unsigned(1), DoubleLongUnsigned(1)} == {1}


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        *(
            (kind, wrong)
            for kind in (Unsigned, DoubleLongUnsigned)
            for wrong in (5.7, None, "5", b"5", [5], float("nan"))
        ),
        *((kind, wrong) for kind in (Unsigned, Integer) for wrong in (300, -129, 300.0, 1 << 70)),
        *((Float32, wrong) for wrong in (None, "five", b"5", [5])),
        *((OctetString, wrong) for wrong in (5, 5.0, True, "abc", None, [300], [-1], ["a"])),
        *(
            (kind, wrong)
            for kind in (VisibleString, Utf8String)
            for wrong in (b"abc", bytearray(b"a"), None, 5, ["a"])
        ),
        *((BitString, wrong) for wrong in (5, "0101", None)),
    ],
    ids=repr,
)
def test_what_is_no_value_of_the_type_is_refused(kind, wrong):
    with pytest.raises(ConversionError) as caught:
        kind(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", NUMBERS)
def test_the_ends_of_a_range_are_in_it_and_the_numbers_beyond_are_refused(kind):
    assert [kind(kind.minimum), kind(kind.maximum)] == [kind.minimum, kind.maximum]
    for wrong in (kind.minimum - 1, kind.maximum + 1):
        with pytest.raises(ConversionError) as caught:
            kind(wrong)
        assert str(caught.value) == f"{wrong} is outside {kind.minimum}..{kind.maximum} of {kind.asn1_name}"


def test_what_means_the_same_is_taken():
    assert Unsigned(5.0) == DoubleLongUnsigned(Decimal(5)) == Integer(Unsigned(5)) == 5
    assert Unsigned(True) == 1
    assert Float32(Decimal("1.5")) == Float32("1.5") == 1.5
    assert OctetString(bytearray(b"ab")) == OctetString(memoryview(b"ab")) == OctetString([97, 98]) == b"ab"
    assert VisibleString(Utf8String("a")) == "a"
    assert VisibleString.from_octets(b"a\xff") == "a\xff"
    assert BitString(bytearray(b"\xa0"), 3) == BitString.from_text("101")


@pytest.mark.parametrize("tag", sorted(FIXED))
def test_the_codec_makes_the_same_values_as_the_constructors(tag):
    scalar = FIXED[tag]
    for filled in (0x00, 0x7F, 0x80, 0xFF):
        (plain,) = scalar.unpack(bytes([filled]) * scalar.size, 0)
        made = scalar.make(plain)
        if (kind := scalar.kind) is not None:
            assert type(made) is kind
            assert made == kind(plain)
            assert repr(made) == repr(kind(plain))
        assert scalar.pack(made)[1:] == (bytes([bool(filled)]) if tag == 3 else bytes([filled]) * scalar.size)


def test_what_they_show():
    assert repr(OctetString(b"\x01\xff")) == "OctetString.fromhex('01ff')"
    assert OctetString.fromhex("01ff") == b"\x01\xff"
    assert str(OctetString(b"\x01\xff")) == "01FF"
    assert OctetString(b"MMM \x00").text == "MMM"
    assert OctetString(b"\x01").text is None
    assert OctetString(b"").text is None
    assert repr(Structure([Unsigned(1), None])) == "Structure((Unsigned(1), None))"
    assert repr(Float32(1.5)) == "Float32(1.5)"
    assert Bcd(-103).digits == "99"
    assert repr(DONT_CARE) == "DONT_CARE"
    assert repr(ABSENT) == "ABSENT"
    description = TypeDescription(17)
    assert repr(CompactArray([Unsigned(1)], description)).startswith(
        "CompactArray((Unsigned(1),), TypeDescription("
    )


def test_absent_is_not_null_data():
    assert ABSENT is not None
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT
    assert pickle.loads(pickle.dumps(DONT_CARE)) == DontCare() == DONT_CARE
    assert DONT_CARE != None  # noqa: E711 -- the operator is what is tested
    assert hash(DONT_CARE) == hash(DontCare())


# --- bit-string ----------------------------------------------------------------------------------------------------


@given(st.text("01", max_size=70))
def test_bits_are_those_of_the_text(text):
    bits = BitString.from_text(text)
    assert str(bits) == text
    assert len(bits) == len(text)
    assert list(bits) == [sign == "1" for sign in text]
    assert [bits[index] for index in range(len(text))] == list(bits)
    assert bits[1:5] == tuple(bits)[1:5]
    assert int(bits) == int(text or "0", 2)
    assert BitString(bits.octets, len(text)) == bits
    assert hash(BitString(bits.octets, len(text))) == hash(bits)
    assert pickle.loads(pickle.dumps(bits)) == bits
    assert eval(repr(bits), {"BitString": BitString}) == bits  # noqa: S307 -- our own repr
    with pytest.raises(IndexError):
        bits[len(text)]


@pytest.mark.parametrize("facts", [(b"", 1), (b"a", 0), (b"a", 9), (b"ab", 8), (b"", -1)])
def test_octets_that_do_not_hold_just_the_bits(facts):
    with pytest.raises(ConversionError):
        BitString(*facts)


@pytest.mark.parametrize("text", ["2", "01x", "-1", "0b1", "1_0"])
def test_a_text_that_is_no_bits(text):
    with pytest.raises(ConversionError):
        BitString.from_text(text)


def test_bits_cannot_be_changed():
    bits = BitString.from_text("10 10")
    with pytest.raises(AttributeError):
        bits.octets = b""
    assert bits != "1010"
    assert bits != BitString.from_text("1010 0")


# --- text that is none -----------------------------------------------------------------------------------------------


@given(st.binary(max_size=20))
def test_octets_of_text_are_kept(octets):
    for value in (VisibleString.from_octets(octets), Utf8String.from_octets(octets)):
        assert value.octets == octets
        again = pickle.loads(pickle.dumps(value))
        assert (again.octets, again, again.well_formed) == (octets, value, value.well_formed)
