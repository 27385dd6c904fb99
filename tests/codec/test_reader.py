"""The cursor: never past the end, and it knows where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.codec.limits import Limits
from cosem.codec.reader import Reader, TracingReader
from cosem.errors import DecodeError, LimitError


@given(st.binary(max_size=20), st.lists(st.integers(0, 8), max_size=6))
def test_octets_come_in_order_and_end(octets, sizes):
    reader = Reader(octets)
    taken = b""
    for size in sizes:
        if size > reader.left:
            before = reader.pos
            with pytest.raises(DecodeError) as caught:
                reader.take(size)
            assert caught.value.offset == reader.pos == before
            break
        taken += reader.take(size)
    assert octets.startswith(taken)
    assert reader.left == len(octets) - len(taken)


def test_numbers():
    reader = Reader(bytes.fromhex("FF FFFE 8000 7F"))
    assert (reader.unsigned(1), reader.signed(2), reader.unsigned(2), reader.signed(1)) == (
        255,
        -2,
        0x8000,
        127,
    )


def test_a_count_that_cannot_fit_is_refused_at_its_own_place():
    reader = Reader(bytes.fromhex("00 03 0000"))
    reader.pos = 1
    with pytest.raises(DecodeError) as caught:
        reader.count()
    assert caught.value.offset == 1
    reader.pos = 1
    assert Reader(bytes.fromhex("02 0000")).count() == 2
    with pytest.raises(DecodeError):
        Reader(bytes.fromhex("02 0000")).count(2)


def test_findings():
    named: list[str] = []
    reader = Reader(b"\x00", findings=named)
    reader.finding("something")
    reader.finish()
    assert named == ["something", "trailing-octets"]
    Reader(b"").finding("to nobody")
    for facts in ({"strict": True}, {"strict": True, "findings": []}):
        with pytest.raises(DecodeError, match="something"):
            Reader(b"", **facts).finding("something")
    with pytest.raises(DecodeError, match=r"^1 octet too many at"):
        Reader(b"\x00").finish()
    with pytest.raises(DecodeError, match=r"^1 octet wanted, 0 left at"):
        Reader(b"").take(1)
    with pytest.raises(DecodeError, match="too many"):
        Reader(b"\x00", findings=[]).strictly_finished()
    Reader(b"").strictly_finished()


def test_within_counts_as_the_whole_does():
    for kind in (Reader, TracingReader):
        inner = kind(bytes(range(10)), findings=[]).within(3, 6)
        assert (inner.pos, inner.left) == (3, 3)
        assert inner.take(3) == bytes((3, 4, 5))
        with pytest.raises(DecodeError) as caught:
            inner.take(1)
        assert caught.value.offset == 6


def test_the_longest_input():
    assert Reader(bytes(5), limits=Limits(octets=5)).left == 5
    with pytest.raises(LimitError):
        Reader(bytes(6), limits=Limits(octets=5))


def test_a_tracing_reader_takes_down_what_it_reads():
    reader = TracingReader(bytes(4))
    reader.component("one", lambda inner: inner.component("0", lambda deeper: deeper.take(2)))
    (one,) = reader.root.children
    assert (one.name, one.start, one.stop, one.value, one.children[0].name) == ("one", 0, 2, b"\x00\x00", "0")
    with pytest.raises(DecodeError) as caught:
        reader.component("two", lambda inner: inner.component("7", lambda deeper: deeper.take(9)))
    assert caught.value.path == "two[7]"
    with pytest.raises(LimitError) as limited:
        reader.component("two", lambda _: Reader(bytes(6), limits=Limits(octets=5)))
    assert limited.value.path == "two"
    assert reader.path == ""
