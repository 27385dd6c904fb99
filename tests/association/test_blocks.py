"""Cutting and joining: nothing lost, nothing longer than allowed, no room wasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.association.blocks import BlockJoiner, cut, room_for
from cosem.association.context import TransferLimits
from cosem.codec.axdr import encoded_length_size
from cosem.errors import ConfigurationError, LimitError, ProtocolError


@given(limit=st.integers(12, 70_000) | st.integers(12, 300), fixed=st.integers(0, 200))
def test_the_room_is_all_there_is(limit, fixed):
    if limit < fixed + 2:
        with pytest.raises(ConfigurationError):
            room_for(limit, fixed)
        return
    room = room_for(limit, fixed)
    assert fixed + encoded_length_size(room) + room <= limit
    assert fixed + encoded_length_size(room + 1) + room + 1 > limit


def test_no_limit():
    assert room_for(0, 18) > 1 << 31


@given(octets=st.binary(max_size=300), first=st.integers(1, 60), others=st.integers(1, 60))
def test_what_is_cut_is_joined(octets, first, others):
    joiner = BlockJoiner(TransferLimits())
    blocks = list(cut(octets, first, others))
    assert [last for last, _, _ in blocks] == [False] * (len(blocks) - 1) + [True]
    assert len(blocks[0][2]) <= first
    assert all(len(part) == others for _, _, part in blocks[1:-1])
    for _, number, part in blocks:
        joiner.add(number, part)
    assert joiner.joined() == octets
    assert joiner.size == len(octets)


@pytest.mark.parametrize("number", [0, 1, 3, 0xFFFFFFFF])
def test_the_next_number_and_no_other(number):
    joiner = BlockJoiner(TransferLimits())
    joiner.add(1, b"a")
    with pytest.raises(ProtocolError):
        joiner.add(number, b"b")
    joiner.add(2, b"b")
    assert joiner.joined() == b"ab"


def test_limits():
    joiner = BlockJoiner(TransferLimits(octets=5, empty_blocks=2))
    for number in (1, 2):
        joiner.add(number, b"")
    joiner.add(3, b"12345")
    with pytest.raises(LimitError):
        joiner.add(4, b"6")
    joiner = BlockJoiner(TransferLimits(empty_blocks=2))
    for number in (1, 2):
        joiner.add(number, b"")
    with pytest.raises(ProtocolError):
        joiner.add(3, b"")
