"""The grammar of types: what it takes, what it refuses, and what its types check."""

from __future__ import annotations

import pytest

from cosem.classes.type_grammar import parse_type
from cosem.errors import ConfigurationError, EncodeError
from cosem.types.data import (
    Array,
    BitString,
    CompactArray,
    DoubleLongUnsigned,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName
from tests.vectors import load

TYPES = sorted(
    {
        text
        for table in load("interface-classes")
        for text in (
            *(row["type"] for row in table["attributes"]),
            *(row["parameter"] for row in table["methods"]),
            *(row["returns"] for row in table["methods"] if "returns" in row),
        )
    }
)


@pytest.mark.parametrize("text", TYPES)
def test_every_type_of_the_standard_is_written_as_it_was_read(text):
    assert str(parse_type(text)) == text


@pytest.mark.parametrize("text", TYPES)
def test_the_default_of_a_type_is_of_the_type(text):
    kind = parse_type(text)
    assert kind.mismatch(kind.default()) is None


@pytest.mark.parametrize("text", TYPES)
def test_a_default_is_coerced_to_itself_and_adopted_unchanged(text):
    kind = parse_type(text)
    default = kind.default()
    assert kind.coerce(default) == default
    assert kind.adopt(default) == default


@pytest.mark.parametrize("text", [text for text in TYPES if "{" in text])
def test_a_type_cut_short_is_another_type_or_refused(text):
    for size in range(len(text)):
        try:
            assert str(parse_type(text[:size])) == text[:size]
        except ConfigurationError as error:
            assert "is no type" in str(error)  # noqa: PT017 - a part may be a type of its own


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "array of ",
        "array of",
        "structure{}",
        "structure{a}",
        "structure{a integer",
        "structure{a integer,b integer}",
        "integer or ",
        "octet-string[",
        "octet-string[x]",
        "CHOICE(",
        "CHOICE()",
        "integer integer",
        "integer(1)",
        "long\n",
    ],
)
def test_what_is_no_type_is_refused(text):
    with pytest.raises(ConfigurationError, match="is no type"):
        parse_type(text)


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        ("long-unsigned", LongUnsigned(1), None),
        ("long-unsigned", Unsigned(1), "long-unsigned wanted, unsigned given"),
        ("long-unsigned", 1, "long-unsigned wanted, int (no COSEM type) given"),
        ("null-data", None, None),
        ("boolean", True, None),
        ("octet-string[6]", OctetString(bytes(6)), None),
        ("octet-string[6]", OctetString(bytes(5)), "octet-string[6] wanted, 5 given"),
        ("bit-string[8]", BitString.from_text("1"), "bit-string[8] wanted, 1 given"),
        ("array of unsigned", Array([Unsigned(1), Enum(2)]), "[1]: unsigned wanted, enum given"),
        ("array of unsigned", CompactArray([Unsigned(1)], TypeDescription(Unsigned.tag), b"\x01"), None),
        ("array", Structure([]), "array wanted, structure given"),
        ("structure{a unsigned, b enum}", Structure([Unsigned(1), Enum(2)]), None),
        ("structure{a unsigned, b enum}", Structure([Unsigned(1)]), "structure of 2 wanted, 1 given"),
        ("structure{a unsigned, b enum}", Array([]), "structure wanted, array given"),
        (
            "array of structure{a array of unsigned}",
            Array([Structure([Array([Enum(1)])])]),
            "[0]: a[0]: unsigned wanted, enum given",
        ),
        ("null-data or array of integer", None, None),
        (
            "null-data or array of integer",
            Unsigned(1),
            "null-data or array of integer wanted, unsigned given",
        ),
        ("CHOICE", 1, "a COSEM type wanted, int (no COSEM type) given"),
        ("CHOICE(simple)", Array([]), "CHOICE(simple) wanted, array given"),
    ],
)
def test_a_value_is_checked_against_its_type(text, value, problem):
    assert parse_type(text).mismatch(value) == problem


def test_types_are_equal_when_they_are_written_alike():
    assert parse_type("array of unsigned") == parse_type("array of unsigned")
    assert hash(parse_type("enum")) == hash(parse_type("enum"))
    assert parse_type("enum") != parse_type("unsigned")


def test_octets_are_read_as_what_they_hold():
    name = LogicalName.parse("1-0:1.8.0")
    kind = parse_type("structure{name octet-string[6], when octet-string[12], any octet-string[3]}")
    read = kind.read(
        Structure(
            [OctetString(name), OctetString(parse_type("octet-string[12]").default()), OctetString(b"abc")]
        )
    )
    assert read[0] == name
    assert isinstance(read[0], LogicalName)
    assert isinstance(parse_type("octet-string[12]").read(OctetString(bytes(12))), DateTime)
    assert read[2] == b"abc"


@pytest.mark.parametrize(
    ("text", "given", "like", "made"),
    [
        ("CHOICE(simple)", 5, DoubleLongUnsigned(1), DoubleLongUnsigned(5)),
        ("CHOICE", 5, Unsigned(1), Unsigned(5)),
        ("CHOICE(simple)", "abc", None, VisibleString("abc")),
        ("CHOICE(simple)", "abc", OctetString(b""), OctetString(b"abc")),
        ("unsigned or integer", 5, None, Unsigned(5)),
        ("unsigned or integer", -5, None, Integer(-5)),
        ("CHOICE(simple)", LongUnsigned(5), Unsigned(1), LongUnsigned(5)),
    ],
)
def test_a_choice_takes_the_type_of_the_value_before_or_the_first_that_fits(text, given, like, made):
    found = parse_type(text).coerce(given, like)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize("text", ["CHOICE", "CHOICE(simple)", "CHOICE(any)"])
def test_a_number_without_a_type_is_not_guessed(text):
    with pytest.raises(EncodeError, match="say of which type"):
        parse_type(text).coerce(5)
