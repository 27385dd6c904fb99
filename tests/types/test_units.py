"""Units and scalers: the table, and exact numbers."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConversionError
from cosem.types.data import DoubleLongUnsigned, Enum, Integer, Long, Structure, Unsigned
from cosem.types.units import ScalerUnit, Unit, scaled

RESERVED = [58, 59, 68, 69, *range(73, 128), *range(175, 253)]


def test_the_table_is_complete() -> None:
    assert [number for number in range(256) if not Unit(number).known] == RESERVED


@pytest.mark.parametrize(
    ("number", "symbol", "quantity"),
    [
        (1, "a", "time"),
        (9, "°C", "temperature"),
        (13, "m³", "volume"),
        (27, "W", "active power"),
        (30, "Wh", "active energy"),
        (35, "V", "voltage"),
        (44, "Hz", "frequency"),
        (56, "%", "percentage"),
        (62, "mol %", "molar fraction of gas"),
        (142, "psi", "pressure"),
        (174, "Btu/d", "thermal power"),
        (255, "", "count"),
        (0, "", "count"),
        (77, "", ""),
    ],
)
def test_unit(number: int, symbol: str, quantity: str) -> None:
    assert (Unit(number).symbol, Unit(number).quantity, str(Unit(number))) == (symbol, quantity, symbol)


@pytest.mark.parametrize(("one", "other"), [(139, 161), (140, 166), (137, 151)])
def test_numbers_of_the_same_unit_print_alike(one: int, other: int) -> None:
    assert Unit(one).symbol == Unit(other).symbol
    assert Unit.of(Unit(other).symbol) == one


def test_a_symbol_that_no_unit_has_is_refused() -> None:
    with pytest.raises(ConversionError):
        Unit.of("furlong")


@pytest.mark.parametrize(
    ("raw", "scaler", "text"),
    [
        (263788, -3, "263.788"),
        (593, 3, "593000"),
        (3467, -1, "346.7"),
        (3467, 1, "34670"),
        (2305000, -3, "2305.000"),
        (0, -2, "0.00"),
        (-5, -1, "-0.5"),
        (2**64 - 1, 0, "18446744073709551615"),
        (2**64 - 1, 20, "1844674407370955161500000000000000000000"),
        (1.5, -3, "0.0015"),
        (0.1, 1, "1"),
        (1e22, 3, "10000000000000000000000000"),
    ],
)
def test_scaled_numbers_are_exact(raw: float, scaler: int, text: str) -> None:
    assert str(scaled(raw, scaler)) == text


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-128, 127))
def test_scaling_never_rounds_whatever_the_context(raw: int, scaler: int) -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        value = scaled(raw, scaler)
    numerator, denominator = value.as_integer_ratio()
    assert numerator * 10 ** max(-scaler, 0) == raw * 10 ** max(scaler, 0) * denominator


@given(st.floats())
def test_every_float_can_be_scaled(raw: float) -> None:
    value = scaled(raw, 0)
    assert value == Decimal(repr(raw)) or value.is_nan()


@pytest.mark.parametrize("scaler", [-129, 128, 1000])
def test_a_scaler_outside_its_range_is_refused(scaler: int) -> None:
    with pytest.raises(ConversionError):
        scaled(1, scaler)


@pytest.mark.parametrize(
    "value",
    [
        Structure((Integer(-1), Enum(30))),
        Structure((Long(-1), Enum(30))),
        Structure((Integer(-1), Unsigned(30))),
    ],
)
def test_scaler_unit_of_a_structure(value: Structure) -> None:
    found = ScalerUnit.from_data(value)
    assert found == ScalerUnit(-1, Unit(30))
    assert found.apply(DoubleLongUnsigned(12345)) == Decimal("1234.5")


@pytest.mark.parametrize(
    "value",
    [
        None,
        Structure(()),
        Structure((Integer(0),)),
        Structure((Integer(0), Enum(30), Enum(1))),
        Structure((None, Enum(30))),
        Structure((Long(300), Enum(30))),
        b"12",
    ],
)
def test_what_is_no_scaler_unit_is_refused(value: object) -> None:
    with pytest.raises(ConversionError):
        ScalerUnit.from_data(value)
