"""Values of every COSEM type, for hypothesis.

A property of whatever you build on cosem takes them as it takes numbers::

    @given(value=strategies.values)
    def test_my_store_gives_back_what_it_took(value): ...
"""

from __future__ import annotations

from struct import pack
from typing import Any

from hypothesis import strategies as st

from cosem.codec.data import decode_data
from cosem.types.data import (
    DONT_CARE,
    Array,
    Bcd,
    BitString,
    CompactArray,
    DeltaDoubleLong,
    DeltaDoubleLongUnsigned,
    DeltaInteger,
    DeltaLong,
    DeltaLongUnsigned,
    DeltaUnsigned,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Integer,
    Long,
    Long64,
    Long64Unsigned,
    LongUnsigned,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
    Utf8String,
    VisibleString,
)
from cosem.types.date_time import Date, DateTime, Time

__all__ = ["INTEGERS", "TAGS", "alike", "compact_arrays", "of_tag", "scalars", "values"]

_INTEGERS: dict[int, Any] = {
    kind.tag: kind
    for kind in (
        Bcd, DoubleLong, DoubleLongUnsigned, Integer, Long, Unsigned, LongUnsigned, Long64, Long64Unsigned, Enum,
        DeltaInteger, DeltaLong, DeltaDoubleLong, DeltaUnsigned, DeltaLongUnsigned, DeltaDoubleLongUnsigned,
    )
}  # fmt: skip
INTEGERS = sorted(_INTEGERS)
"""The tags of the whole numbers."""


def _integers(tag: int) -> st.SearchStrategy[Any]:
    kind = _INTEGERS[tag]
    return st.integers(kind.minimum, kind.maximum).map(kind)


def _float32(octets: bytes) -> Any:
    return decode_data(b"\x17" + octets)


def _float64(octets: bytes) -> Any:
    return decode_data(b"\x18" + octets)


def _bits(text: str) -> BitString:
    return BitString.from_text(text)


_BY_TAG: dict[int, st.SearchStrategy[Any]] = {
    0: st.none(),
    3: st.booleans(),
    4: st.text("01", max_size=40).map(_bits),
    9: st.binary(max_size=30).map(OctetString),
    10: st.binary(max_size=30).map(VisibleString.from_octets),
    12: st.binary(max_size=30).map(Utf8String.from_octets)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(Utf8String),
    23: st.floats(width=32).map(lambda value: _float32(pack(">f", value)))
    | st.binary(min_size=4, max_size=4).map(_float32),
    24: st.floats().map(lambda value: _float64(pack(">d", value)))
    | st.binary(min_size=8, max_size=8).map(_float64),
    25: st.binary(min_size=12, max_size=12).map(DateTime),
    26: st.binary(min_size=5, max_size=5).map(Date),
    27: st.binary(min_size=4, max_size=4).map(Time),
    255: st.just(DONT_CARE),
    **{tag: _integers(tag) for tag in INTEGERS},
}
TAGS = sorted(_BY_TAG)
"""The tags of the types without elements."""


def of_tag(tag: int) -> st.SearchStrategy[Any]:
    """Values of the scalar type with this tag."""
    return _BY_TAG[tag]


scalars = st.sampled_from(TAGS).flatmap(of_tag)
"""Values without elements."""


def descriptions() -> st.SearchStrategy[TypeDescription]:
    """Descriptions of elements that take at least one octet."""
    leaf = st.sampled_from([tag for tag in TAGS if tag not in (0, 255)]).map(TypeDescription)
    empty = st.sampled_from([TypeDescription(0), TypeDescription(255)])
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(
                lambda members, more: TypeDescription(2, 0, (*members, more)),
                st.lists(inner | empty, max_size=3),
                inner,
            )
            | st.builds(
                lambda count, element: TypeDescription(1, count, (element,)), st.integers(1, 3), inner
            )
        ),
        max_leaves=5,
    )


def of_description(description: TypeDescription) -> st.SearchStrategy[Any]:
    """Values of the shape that a description gives."""
    if description.tag == 1:
        element = of_description(description.members[0])
        return st.lists(element, min_size=description.count, max_size=description.count).map(Array)
    if description.tag == 2:
        return st.tuples(*map(of_description, description.members)).map(Structure)
    return of_tag(description.tag)


compact_arrays = descriptions().flatmap(
    lambda description: st.lists(of_description(description), max_size=5).map(
        lambda elements: CompactArray(elements, description)
    )
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars | compact_arrays,
    lambda inner: st.lists(inner, max_size=6).map(Array) | st.lists(inner, max_size=6).map(Structure),
    max_leaves=20,
)


def alike(one: Any, other: Any) -> bool:
    """Return whether two values are the same in type and contents, to the payload of a NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    octets = getattr(one, "octets", None)
    if isinstance(octets, bytes):
        return bool(octets == other.octets)
    return repr(one) == repr(other)
