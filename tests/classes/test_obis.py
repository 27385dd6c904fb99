"""The catalogue of OBIS codes, both ways."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.classes import class_of
from cosem.classes.obis import ObisDescription, describe, search
from cosem.errors import ConversionError
from cosem.types.logical_name import LogicalName
from tests.vectors import parameters


@pytest.mark.parametrize("vector", parameters("obis", with_octets=False))
def test_a_code_has_the_description_of_the_standard(vector):
    found = describe(vector["code"])
    assert (found.text if found.known else None) == vector["description"]


@given(st.binary(min_size=6, max_size=6).map(LogicalName))
def test_any_code_is_described(name):
    found = describe(name)
    assert found.logical_name == name
    assert found.text
    assert found.short
    assert "{" not in found.text
    assert all(class_of(class_id) is not None for class_id in found.class_ids)


@pytest.mark.parametrize(
    ("code", "short"),
    [
        ("1-0:1.8.0", "Active energy import (+A), total"),
        ("1-0:2.8.1", "Active energy export (-A), rate 1"),
        ("1-0:3.8.0", "Reactive energy import (+R), total"),
        ("1-0:1.20.0", "Active energy import (+A), time integral 10, total"),
        ("1-0:1.7.0", "Active power import (+P)"),
        ("1-0:21.7.0", "Active power import (+P), L1"),
        ("1-0:1.6.0", "Active power import (+P), maximum demand"),
        ("1-0:1.4.0", "Active power import (+P), current average 1, total"),
        ("1-0:32.7.0", "Voltage, L1"),
        ("1-0:52.7.5", "Voltage, L2, harmonic 5"),
        ("1-0:1.8.0*101", "Active energy import (+A), total, last billing period"),
        ("0-0:1.0.0", "Clock"),
        ("0-0:96.1.0", "Serial number"),
        ("7-0:3.0.0", "Gas volume, total"),
        ("1-0:99.1.0", "Load profile 1"),
        ("1-0:200.7.0", "Reserved or unknown code"),
    ],
)
def test_usual_codes_have_short_names(code, short):
    assert describe(code).short == str(describe(code)) == short


@pytest.mark.parametrize(
    ("code", "medium", "unit", "class_id"),
    [
        ("1-0:1.8.0", "Electricity", "Wh", 3),
        ("1-0:32.7.0", "Electricity", "V", 3),
        ("0-0:1.0.0", "Abstract", "", 8),
        ("7-0:3.0.0", "Gas", "m³", 3),
        ("6-0:1.0.0", "Thermal energy (heat)", "Wh", 3),
        ("9-0:3.5.0", "Hot water", "°C", 3),
    ],
)
def test_medium_unit_and_class_are_told(code, medium, unit, class_id):
    found = describe(code)
    assert (found.medium, found.unit_hint, found.class_ids[0]) == (medium, unit, class_id)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("active energy import total", "1-0:1.8.0"),
        ("import energy active", "1-0:1.8.0"),
        ("active energy export rate 2", "1-0:2.8.2"),
        ("Voltage L1", "1-0:32.7.0"),
        ("volt l2 harmonic 5", "1-0:52.7.5"),
        ("current thd", "1-0:31.7.124"),
        ("serial number", "0-0:96.1.0"),
        ("frame counter", "0-0:43.1.0"),
        ("maximum demand", "1-0:1.6.0"),
        ("active power import", "1-0:1.7.0"),
        ("consumption kWh", "1-0:1.8.0"),
        ("m-bus value 3 channel 2", "0-2:24.2.3"),
        ("push setup", "0-0:25.9.0"),
        ("device id 3", "0-0:96.1.2"),
        ("gas volume", "7-0:3.0.0"),
        ("1.8.0", "1-0:1.8.0"),
        ("0-0:1.0.0", "0-0:1.0.0"),
        ("0100010800FF", "1-0:1.8.0"),
    ],
)
def test_words_find_the_code_first(query, code):
    assert search(query, limit=1) == (LogicalName.parse(code),)


@pytest.mark.parametrize("query", ["", "   ", "nonsense", "active energy nonsense", "1-0:999.8.0", "\u00b2"])
def test_what_is_not_there_is_not_found(query):
    assert search(query) == ()


@pytest.mark.parametrize(
    "code", ["1-0:1.8.0", "1-0:2.8.3", "1-0:52.7.0", "0-0:40.0.3", "0-0:44.0.0", "8-0:1.0.0"]
)
def test_a_code_is_found_by_its_own_short_name(code):
    assert LogicalName.parse(code) in search(describe(code).short)


def test_no_more_names_than_the_limit():
    assert len(search("energy", limit=7)) == 7


def test_what_is_no_logical_name_cannot_be_described():
    with pytest.raises(ConversionError):
        describe("nonsense")


def test_a_description_pickles():
    found = describe("1-0:1.8.0")
    copy = pickle.loads(pickle.dumps(found))
    assert isinstance(copy, ObisDescription)
    assert copy == found
