"""The engine of A-XDR: the generated readers and writers are those of the declaration, component by component."""

from __future__ import annotations

import pickle
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem import apdu
from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.apdu.get import GetRequestNormal, GetResponseNormal
from cosem.codec.reader import Reader, TracingReader
from cosem.codec.sequence import asn1_name, codec_of, header_of, sequence, sequences_by_header, wires_of
from cosem.codec.wires import Boolean, Fixed, Unsigned8, Unsigned16, VariableOctets
from cosem.errors import DecodeError, EncodeError
from cosem.types.logical_name import LogicalName
from tests.vectors import Vector, parameters

APDUS = parameters("xdlms", kind="apdu")
NAME = LogicalName("1.0.1.8.0.255")


@sequence()
class Inner:
    """A part."""

    flag: Boolean
    number: Unsigned16


@sequence(0x7E, 7)
class Whole:
    """Every kind of component."""

    first: Unsigned8
    inner: Inner
    maybe: Inner | None
    octets: VariableOctets
    several: tuple[Inner, ...]
    last: Unsigned16 | None = None


inners = st.builds(Inner, st.booleans(), st.integers(0, 65535))
wholes = st.builds(
    Whole,
    st.integers(0, 255),
    inners,
    st.none() | inners,
    st.binary(max_size=10),
    st.lists(inners, max_size=4).map(tuple),
    st.none() | st.integers(0, 65535),
)


@given(wholes)
def test_what_is_written_is_read(value):
    octets = apdu.encode(value)
    assert octets[:2] == b"\x7e\x07"
    codec = codec_of(Whole)
    for read in (codec.read, codec.read_components):
        for kind in (Reader, TracingReader):
            reader = kind(octets)
            reader.pos = 2
            assert read(reader) == value
            assert reader.left == 0
    buffer = bytearray()
    codec.write_components(buffer, value)
    assert buffer == codec.encode(value) == octets
    assert pickle.loads(pickle.dumps(value)) == value
    assert hash(value) == hash(pickle.loads(pickle.dumps(value)))


def test_the_layout_by_hand():
    value = Whole(1, Inner(True, 2), None, b"ab", (Inner(False, 3),), 4)
    assert apdu.encode(value).hex(" ") == "7e 07 01 01 00 02 00 02 61 62 01 00 00 03 01 00 04"
    assert asn1_name(Whole) == "whole"
    assert header_of(Inner) == b""
    assert sequences_by_header[b"\x7e\x07"] is Whole
    assert [name for name, _ in wires_of(Whole)] == ["first", "inner", "maybe", "octets", "several", "last"]


def test_values_are_frozen_and_are_made_as_dataclasses_are():
    value = Inner(number=2, flag=True)
    assert value == Inner(True, 2)
    assert repr(value) == "Inner(flag=True, number=2)"
    with pytest.raises(AttributeError):
        value.flag = False
    with pytest.raises(TypeError):
        Inner(True)
    with pytest.raises(TypeError):
        Inner(True, 2, 3)
    assert Whole.__init__.__qualname__.startswith("Whole")
    assert GetRequestNormal(1, CosemAttributeDescriptor(1, NAME, 2)).access_selection is None


@pytest.mark.parametrize("vector", APDUS)
def test_both_readers_and_all_writers_agree(vector: Vector) -> None:
    findings: list[str] = []
    value = apdu.decode(vector.octets, findings=findings)
    assert apdu.trace(vector.octets, findings=[]).value == value
    assert pickle.loads(pickle.dumps(value)) == value
    if type(value) not in set(sequences_by_header.values()):
        return
    codec = codec_of(type(value))
    generated, by_component = bytearray(), bytearray()
    codec.write(generated, value)
    codec.write_components(by_component, value)
    assert generated == by_component == codec.encode(value) == vector.octets


@pytest.mark.parametrize("vector", APDUS)
def test_the_tree_covers_every_octet(vector: Vector) -> None:
    root = apdu.trace(vector.octets, findings=[])
    assert (root.start, root.stop) == (0, len(vector.octets))
    nodes = [root]
    while nodes:
        node = nodes.pop()
        at = node.start
        for child in node.children:
            assert at <= child.start <= child.stop <= node.stop
            at = child.stop
        nodes += node.children


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Whole(256, Inner(True, 2), None, b"", ()), "first"),
        (Whole(-1, Inner(True, 2), None, b"", ()), "first"),
        (Whole("1", Inner(True, 2), None, b"", ()), "first"),
        (Whole(1, Inner(True, 65536), None, b"", ()), "inner.number"),
        (Whole(1, None, None, b"", ()), "inner"),
        (Whole(1, Inner(True, 2), Inner(True, None), b"", ()), "maybe.number"),
        (Whole(1, Inner(True, 2), 5, b"", ()), "maybe"),
        (Whole(1, Inner(True, 2), None, "text", ()), "octets"),
        (Whole(1, Inner(True, 2), None, None, ()), "octets"),
        (Whole(1, Inner(True, 2), None, b"", (Inner(True, 1), Inner(True, -1))), "several[1].number"),
        (Whole(1, Inner(True, 2), None, b"", None), "several"),
        (Whole(1, Inner(True, 2), None, b"", (), 65536), "last"),
        (
            GetRequestNormal(0xC1, CosemAttributeDescriptor(3, b"short", 2)),
            "cosem_attribute_descriptor.instance_id",
        ),
        (
            GetRequestNormal(0xC1, CosemAttributeDescriptor(3, NAME, 128)),
            "cosem_attribute_descriptor.attribute_id",
        ),
        (
            GetRequestNormal(0xC1, CosemAttributeDescriptor(3, NAME, 2), SelectiveAccessDescriptor(1, 5)),
            "access_selection.access_parameters",
        ),
        (GetResponseNormal(0xC1, object()), "result"),
    ],
)
def test_a_value_that_does_not_fit_is_named(value, path):
    for _ in range(2):  # the second time another way is taken
        with pytest.raises(EncodeError) as caught:
            apdu.encode(value)
        assert caught.value.path == path
        assert pickle.loads(pickle.dumps(caught.value)).path == path


@pytest.mark.parametrize("value", [Inner(True, 2), 5, None, b"\xc0", object(), GetRequestNormal])
def test_what_is_no_apdu_is_not_written(value):
    with pytest.raises(EncodeError):
        apdu.encode(value)


def test_an_error_on_reading_has_a_path():
    for octets, path, offset in (
        ("C001C1 0003 0100010800FF 02 01 01", "get-request-normal.access-selection.access-parameters", 14),
        ("C401C1 00 0102 1101 07", "get-response-normal.result.data[1]", 8),
        (
            "C003C1 02 0003 0100010800FF 02 00 0003 0100010800FF 02 01 01 07",
            "get-request-with-list.attribute-descriptor-list[1].access-selection.access-parameters",
            25,
        ),
        ("C401C1 02", "get-response-normal.result", 3),
        ("C401", "get-response-normal.invoke-id-and-priority", 2),
    ):
        with pytest.raises(DecodeError) as caught:
            apdu.decode(bytes.fromhex(octets))
        assert caught.value.path == path
        assert caught.value.offset == offset


def test_an_annotation_without_a_layout_is_a_mistake_of_ours():
    @sequence()
    class Nothing:
        """No layout."""

        what: int

    with pytest.raises(TypeError):
        codec_of(Nothing)


def test_a_fixed_component_may_need_a_conversion():
    @sequence()
    class Converted:
        """A number that is kept as its double."""

        double: Annotated[Any, Fixed("B", lambda value: 2 * value, lambda value: value // 2)]

    reader = Reader(b"\x05")
    value = codec_of(Converted).read(reader)
    assert value.double == 10
    out = bytearray()
    codec_of(Converted).write(out, value)
    assert out == b"\x05"


@pytest.mark.parametrize("kind", [Reader, TracingReader])
def test_reading_component_by_component_says_what_is_missing_at_every_cut(kind):
    value = Whole(1, Inner(True, 2), Inner(False, 3), b"ab", (Inner(False, 3), Inner(True, 4)), 4)
    octets = apdu.encode(value)[2:]
    for size in range(len(octets)):
        with pytest.raises(DecodeError) as caught:
            codec_of(Whole).read_components(kind(octets[:size]))
        assert caught.value.offset <= size
