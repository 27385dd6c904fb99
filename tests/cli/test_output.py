"""Tables, JSON and plots."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, strategies

from cosem.cli import output, plot
from cosem.cli.members import member, split_target
from cosem.errors import ConfigurationError
from cosem.types.data import Array, BitString, Float64, OctetString, Structure, Unsigned, VisibleString
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("12345.670"), "12345.670"),
        (Decimal("0E-3"), "0.000"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E+100"), "1E+100"),
        (Decimal("NaN"), '"NaN"'),
        (2**64 - 1, "18446744073709551615"),
        (Unsigned(5), "5"),
        (True, "true"),
        (None, "null"),
        (Float64(0.1), "0.1"),
        (float("inf"), '"Infinity"'),
        (Float64("-inf"), '"-Infinity"'),
        (Decimal("-Infinity"), '"-Infinity"'),
        (Float64("nan"), '"NaN"'),
        (OctetString(b"\x00\xab"), '"00AB"'),
        (LogicalName("1-0:1.8.0"), '"0100010800FF"'),
        (VisibleString('a"b'), '"a\\"b"'),
        (BitString.from_text("0101"), '"0101"'),
        (DateTime.parse("2024-03-01T12:00:00+01:00"), '"2024-03-01T12:00:00+01:00"'),
        (datetime(2024, 3, 1, tzinfo=UTC), '"2024-03-01T00:00:00+00:00"'),
        (date(2024, 3, 1), '"2024-03-01"'),
        (Structure((Unsigned(1), Array([]))), "[1, []]"),
        ({}, "{}"),
        ({"a": {"b": 1}}, '{"a": {"b": 1}}'),
    ],
)
def test_json_is_exact(value, text):
    assert output.json_text(output.plain(value)) == text
    json.loads(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("NaN"), "NaN"),
        (Float64("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ("a\x1b[2Jb\n", "a\\x1b[2Jb\\x0a"),
    ],
)
def test_people_see_words_without_quotes_and_nothing_that_a_terminal_obeys(value, text):
    assert output.human(value) == text


def test_a_pattern_is_shown_as_it_is():
    shown = output.plain(DateTime(b"\xff" * 12))
    assert isinstance(shown, str)
    assert shown


def test_a_list_of_objects_has_a_line_for_each():
    assert output.json_text([{"a": 1}, {"a": 2}]) == '[\n  {"a": 1},\n  {"a": 2}\n]'


VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: (
        strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(value=VALUES)
def test_json_comes_back(value):
    assert json.loads(output.json_text(value)) == value


@given(value=strategies.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_come_back_with_all_digits(value):
    back = json.loads(output.json_text(value), parse_float=Decimal, parse_int=Decimal)
    assert back == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (b"", "(empty)"),
        (b"1", "31"),
        (b"COSEM", "COSEM"),
        (b"\x00\x1b", "001B"),
        ("a\x1b[31mb\n", r"a\x1b[31mb\x0a"),
        (Decimal("1.50"), "1.50"),
        (Decimal(7 * 10**127), "7E+127"),
        (Decimal(-123 * 10**60), "-1.23E+62"),
        (Decimal("7E+60"), "7E+60"),
        (Decimal("7E-60"), "7E-60"),
        (Decimal("0E-60"), "0E-60"),
        (Decimal(2**64 - 1), "18446744073709551615"),
        (Decimal("-1844674407370955.1615"), "-1844674407370955.1615"),
        (True, "true"),
        (7, "7"),
        (datetime(2024, 3, 1, 12, tzinfo=UTC), "2024-03-01 12:00:00+00:00"),
        ((1, b"ab", None), "{1, ab, -}"),
    ],
)
def test_values_for_people_hold_nothing_that_a_terminal_obeys(value, text):
    assert output.human(value) == text


def test_plain_table_is_aligned(capsys):
    columns = (output.Column("name"), output.Column("value", right=True))
    output.print_table(columns, [("energy", "1.5"), ("é", "12345678")])
    assert capsys.readouterr().out == (
        "name       value\n------  --------\nenergy       1.5\né       12345678\n"
    )
    output.print_table(columns, [])
    assert capsys.readouterr().out == "name  value\n----  -----\n"


class Terminal:
    """A standard output that is a terminal of 80 columns."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colour(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    output.print_table((output.Column("name", style="cyan"),), [("[bold]energy",)])
    assert "[bold]energy" in terminal.text
    assert "\x1b[" in terminal.text
    monkeypatch.setenv("TERM", "dumb")
    assert output.console() is None


def test_a_terminal_without_the_extra_gets_plain_text(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(output, "find_spec", lambda name: None)
    output.print_table((output.Column("name", "kWh"),), [("energy",)])
    assert terminal.text == "name kWh\n--------\nenergy\n"


def test_a_table_that_is_too_wide_loses_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    cells = [f"{number:012d}" for number in range(10)]
    output.print_table([output.Column(f"c{number}") for number in range(10)], [cells])
    assert all(cell in terminal.text for cell in cells)


@given(values=strategies.lists(strategies.floats(-1e9, 1e9), max_size=200), width=strategies.integers(1, 60))
def test_plots_have_the_size_that_was_asked_for(values, width):
    line = plot.sparkline(values, width)
    assert len(line) == min(len(values), width)
    rows = plot.columns(values, width=width, height=3)
    assert [len(row) for row in rows] == [min(len(values), width)] * 3


def test_plots_without_blocks_are_plain_signs():
    assert plot.sparkline([0, 1, 2, 3], blocks=False).isascii()
    assert all(row.isascii() for row in plot.columns([0, 1, 2, 3], blocks=False))


def test_a_flat_line_is_flat():
    assert plot.sparkline([5, 5, 5]) == "▁▁▁"
    assert plot.columns([0, 0], height=1) == ["  "]
    assert plot.columns([1, 1], height=1) == ["██"]


@pytest.mark.parametrize(
    ("text", "attribute"),
    [
        ("1-0:1.8.0", None),
        ("1-0:1.8.0:2", 2),
        ("1.0.1.8.0.255:2", 2),
        ("1.0.1.8.0.255.value", "value"),
        ("1-0:1.8.0.scaler-unit", "scaler_unit"),
        ("1-0:1.8.0*255:3", 3),
        ("0100010800FF:-1", -1),
    ],
)
def test_a_target_names_an_object_and_perhaps_an_attribute(text, attribute):
    assert split_target(text) == (LogicalName("1-0:1.8.0"), attribute)


@pytest.mark.parametrize(
    "text", ["", ":", "1.8.0:2", "1-0:1.8.0:", "1-0:1.8.0:2x!", "1-0:1.8.0:200", "1-0:300.8.0", "x:2"]
)
def test_what_names_no_object_is_wrong_usage(text):
    with pytest.raises(ConfigurationError):
        split_target(text)


@pytest.mark.parametrize("text", ["", "2x", "a b", "128", "-129", "é"])
def test_what_names_no_member_is_wrong_usage(text):
    with pytest.raises(ConfigurationError):
        member(text)
