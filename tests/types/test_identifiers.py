"""Invoke-ids: the octets and the bits in them."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConversionError
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority


def test_c1_is_invoke_id_1_confirmed_high() -> None:
    octet = InvokeIdAndPriority(0xC1)
    assert (octet.invoke_id, octet.confirmed, octet.high_priority) == (1, True, True)


@given(st.integers(0, 15), st.booleans(), st.booleans())
def test_short_is_built_of_what_it_says(invoke_id: int, confirmed: bool, high_priority: bool) -> None:
    octet = InvokeIdAndPriority.build(invoke_id, confirmed=confirmed, high_priority=high_priority)
    assert (octet.invoke_id, octet.confirmed, octet.high_priority) == (invoke_id, confirmed, high_priority)
    assert 0 <= octet <= 255
    assert type(pickle.loads(pickle.dumps(octet))) is InvokeIdAndPriority


@given(st.integers(0, 0xFFFFFF), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_long_is_built_of_what_it_says(
    number: int, self_descriptive: bool, break_on_error: bool, confirmed: bool, high_priority: bool
) -> None:
    octets = LongInvokeIdAndPriority.build(
        number,
        self_descriptive=self_descriptive,
        break_on_error=break_on_error,
        confirmed=confirmed,
        high_priority=high_priority,
    )
    assert octets.long_invoke_id == number
    assert octets.self_descriptive is self_descriptive
    assert octets.break_on_error is break_on_error
    assert octets.confirmed is confirmed
    assert octets.high_priority is high_priority
    assert 0 <= octets <= 0xFFFFFFFF


@pytest.mark.parametrize("number", [-1, 16])
def test_a_short_invoke_id_has_four_bits(number: int) -> None:
    with pytest.raises(ConversionError):
        InvokeIdAndPriority.build(number)


@pytest.mark.parametrize("number", [-1, 1 << 24])
def test_a_long_invoke_id_has_24_bits(number: int) -> None:
    with pytest.raises(ConversionError):
        LongInvokeIdAndPriority.build(number)
