"""Values as people type them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given, strategies

from cosem.cli.values import parse_value
from cosem.codec.data import encode_data
from cosem.errors import ConfigurationError
from cosem.translate.data_json import data_to_json
from cosem.types.data import (
    DONT_CARE,
    Array,
    BitString,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Float32,
    Integer,
    OctetString,
    Structure,
    Unsigned,
    Utf8String,
    VisibleString,
)
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.logical_name import LogicalName


def octets(text: str, **options: object) -> str:
    return encode_data(parse_value(text, **options)).hex()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("double-long-unsigned:5", "0600000005"),
        ("unsigned:0x1F", "111f"),
        ("integer:-1", "0fff"),
        ("long64:-2", "14fffffffffffffffe"),
        ("enum:30", "161e"),
        ("bcd:7", "0d07"),
        ("boolean:true", "0301"),
        ("boolean:OFF", "0300"),
        ("null-data:", "00"),
        ("null-data:null", "00"),
        ("dont-care:", "ff"),
        ("octet-string:00 ff", "090200ff"),
        ("hex:00:FF", "090200ff"),
        ("hex:", "0900"),
        ("text:1.8.0", "0905312e382e30"),
        ("text:a:b", "0903613a62"),
        ("visible-string:ab", "0a026162"),
        ("utf8-string:ü", "0c02c3bc"),
        ("bit-string:10100101 1".replace(" ", ""), "0409a580"),
        ("float32:1.5", "173fc00000"),
        ("float64:0.1", "183fb999999999999a"),
        ("float32:7FC00001", "177fc00001"),
        ("date-time:2024-03-01T12:00:00Z", "1907e80301050c000000000000"),
        ("date:2024-03-01", "1a07e8030105"),
        ("time:12:34:56", "1b0c2238ff"),
        ("date-time:07E80301050C000000000000", "1907e80301050c000000000000"),
        ('{"structure": [{"integer": -3}, {"enum": 30}]}', "02020ffd161e"),
        ('structure:[{"integer": -3}]', "02010ffd"),
        ("array:[]", "0100"),
    ],
)
def test_a_value_that_says_its_type(text, expected):
    assert octets(text) in (expected, expected.replace("2238ff", "223800"))


@pytest.mark.parametrize(
    ("text", "like", "expected"),
    [
        ("5", DoubleLong(0), DoubleLong(5)),
        ("-5", DoubleLong(0), DoubleLong(-5)),
        ("0x10", Unsigned(0), Unsigned(16)),
        ("true", False, True),
        ("12.5", Float32(0), Float32(12.5)),
        ("hello", OctetString(b"meter"), OctetString(b"hello")),
        ("ABCD", OctetString(b"meter"), OctetString(b"ABCD")),
        ("ABCD", OctetString(b"\x00\x01"), OctetString(b"\xab\xcd")),
        ("1-0:1.8.0", OctetString(b"\x00\x00\x01\x00\x00\xff"), OctetString(LogicalName("1.0.1.8.0.255"))),
        ("2024-03-01T12:00:00Z", OctetString(bytes(12)), OctetString.fromhex("07e80301050c000000000000")),
        ("07E80301050C000000000000", OctetString(bytes(12)), OctetString.fromhex("07e80301050c000000000000")),
        ("5", VisibleString("x"), VisibleString("5")),
        ("ü", Utf8String(""), Utf8String("ü")),
        ("0101", BitString.from_text("1"), BitString.from_text("0101")),
        ("[-3, 30]", Structure((Integer(0), Enum(0))), Structure((Integer(-3), Enum(30)))),
        (
            "[[1], [2]]",
            Array([Structure((Unsigned(0),))]),
            Array([Structure((Unsigned(1),)), Structure((Unsigned(2),))]),
        ),
        ("[]", Array([Unsigned(0)]), Array([])),
        ('[{"enum": 3}, null]', Structure((Unsigned(0), Unsigned(0))), Structure((Enum(3), None))),
        ("unsigned:5", DoubleLong(0), Unsigned(5)),
    ],
)
def test_a_bare_value_takes_the_type_of_the_present_one(text, like, expected):
    made = parse_value(text, like=like)
    assert (type(made), made) == (type(expected), expected)
    assert encode_data(made) == encode_data(expected)


@pytest.mark.parametrize(
    ("text", "given_"), [("5", 5), ("1.5", 1.5), ("true", True), ("x", "x"), ("[1, 2]", [1, 2])]
)
def test_the_declaration_of_the_class_decides_where_the_present_value_does_not(text, given_):
    seen = []
    assert parse_value(text, coerce=lambda value: seen.append(value) or Unsigned(1)) == 1
    assert seen == [given_]
    assert type(seen[0]) is type(given_)


@pytest.mark.parametrize(
    ("text", "like", "said"),
    [
        ("5", None, "nothing tells its type"),
        ("unsigned:256", None, "outside 0..255"),
        ("unsigned:x", None, "a whole number is wanted"),
        ("unsigned:1.5", None, "a whole number is wanted"),
        ("boolean:maybe", None, "true or false"),
        ("null-data:1", None, "null is wanted"),
        ("hex:xyz", None, "hexadecimal text is wanted"),
        ("hex:0", None, "hexadecimal text is wanted"),
        ("float32:inf", None, "a finite number"),
        ("float32:1e99", None, ""),
        ("date-time:tomorrow", None, "tomorrow"),
        ("bit-string:012", None, "0 and 1"),
        ("visible-string:€", None, ""),
        ("{", None, "no JSON"),
        ('{"integer": -300}', None, "outside"),
        ('{"nonsense": 1}', None, "no type of Data"),
        ("[1]", None, ""),
        ("5", Structure((Unsigned(1),)), "JSON is wanted"),
        ("[1]", Structure((Unsigned(1), Unsigned(2))), "has 2 members, 1 are given"),
        ("[1, 300]", Structure((Unsigned(1), Unsigned(2))), "[1]: "),
        ("[1]", Array([]), "empty"),
        ("[1]", Structure((None,)), "tells no type"),
        ("[" * 100_000, None, ""),
        ("xyz", OctetString(b"\x00"), "hexadecimal"),
        ("octet-sting:0102", OctetString(b"text"), "'octet-sting' is no type; did you mean octet-string"),
        ("octet_string:0102", OctetString(b"text"), "did you mean octet-string"),
        ("Unsigned:5", Unsigned(1), "did you mean unsigned"),
        ("hexx:00", OctetString(b"text"), "did you mean hex?"),
        (
            "meter:5",
            VisibleString("text"),
            "'meter' is no type; types are, for example, unsigned, octet-string, hex; text:...",
        ),
        (f"{'x' * 1000}:5", VisibleString("text"), "is no type"),
    ],
)
def test_what_means_no_value_is_wrong_usage(text, like, said):
    with pytest.raises(ConfigurationError) as caught:
        parse_value(text, like=like)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_octets_with_colons_between_them_name_no_type():
    assert parse_value("aa:bb", like=OctetString(b"\x00")) == OctetString(b"\xaa\xbb")


def test_a_misspelt_type_is_not_written_as_a_text(cosem):
    done = cosem(
        "set", "sim:", "0-0:96.1.0", "value", "octet-sting:0102", "--client", "1", "--password", "87654321"
    )
    assert (done.status, done.out) == (2, "")
    assert "did you mean octet-string" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("null-data:", "type-unmatched"),
        ('{"null-data": null}', "type-unmatched"),
        ("null", "whole number is wanted"),
    ],
)
def test_null_data_that_is_named_goes_to_the_meter(cosem, value, said):
    done = cosem("set", "sim:", "0-0:1.0.0", "time_zone", value, "--client", "1", "--password", "87654321")
    assert said in done.err


def test_now_is_this_moment():
    before = datetime.now().astimezone().replace(microsecond=0)
    made = parse_value("date-time:now")
    assert isinstance(made, DateTime)
    assert before <= made.to_datetime() <= datetime.now().astimezone()
    assert isinstance(parse_value("date:now"), Date)
    assert isinstance(parse_value("time:now"), Time)


def test_a_value_from_a_file(tmp_path):
    path = tmp_path / "value.json"
    path.write_text('{"array": [{"unsigned": 1}]}\n')
    assert parse_value(f"@{path}") == Array([Unsigned(1)])
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is no text"):
        parse_value(f"@{path}")
    with pytest.raises(FileNotFoundError):
        parse_value("@/nowhere")
    with path.open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(ConfigurationError, match="this is no value"):
        parse_value(f"@{path}")


def test_dont_care_is_a_value():
    assert parse_value("dont-care:") is DONT_CARE


@given(number=strategies.integers(0, 2**32 - 1))
def test_every_number_of_a_type_can_be_typed(number):
    for text in (f"double-long-unsigned:{number}", json.dumps(data_to_json(DoubleLongUnsigned(number)))):
        made = parse_value(text)
        assert (type(made), made) == (DoubleLongUnsigned, number)
    assert parse_value(str(number), like=DoubleLongUnsigned(0)) == number


@given(
    text=strategies.text(max_size=30),
    like=strategies.sampled_from([None, Unsigned(0), OctetString(b"a"), True]),
)
def test_any_text_is_a_value_or_wrong_usage(text, like):
    with suppress(ConfigurationError):
        assert encode_data(parse_value(text.replace("@", ""), like=like))
