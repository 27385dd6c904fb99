"""How each scalar of the Data CHOICE is packed: one table, for single values and for whole rows.

Tags and contents as in IEC 62056-5-3, clause 8, Data; sizes are those after the tag.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from struct import Struct
from typing import Any, Final, NamedTuple

from cosem.types.data import (
    Bcd,
    DeltaDoubleLong,
    DeltaDoubleLongUnsigned,
    DeltaInteger,
    DeltaLong,
    DeltaLongUnsigned,
    DeltaUnsigned,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Float32,
    Float64,
    Integer,
    Long,
    Long64,
    Long64Unsigned,
    LongUnsigned,
    Unsigned,
)
from cosem.types.making import trusted

__all__ = ["FIXED", "TAG_NAMES", "FixedScalar"]

TAG_NAMES: Final[dict[int, str]] = {
    0: "null-data",
    1: "array",
    2: "structure",
    3: "boolean",
    4: "bit-string",
    5: "double-long",
    6: "double-long-unsigned",
    9: "octet-string",
    10: "visible-string",
    12: "utf8-string",
    13: "bcd",
    15: "integer",
    16: "long",
    17: "unsigned",
    18: "long-unsigned",
    19: "compact-array",
    20: "long64",
    21: "long64-unsigned",
    22: "enum",
    23: "float32",
    24: "float64",
    25: "date-time",
    26: "date",
    27: "time",
    28: "delta-integer",
    29: "delta-long",
    30: "delta-double-long",
    31: "delta-unsigned",
    32: "delta-long-unsigned",
    33: "delta-double-long-unsigned",
    255: "dont-care",
}
"""Names of the alternatives of Data, by tag."""


class FixedScalar(NamedTuple):
    """A scalar of fixed size.

    Args:
        code: Its character in a :mod:`struct` format.
        size: Octets after the tag.
        make: From what :mod:`struct` gives to the value.
        unpack: Reads it at an offset.
        pack: Gives the tag and the octets of a value.
        plain: The inverse of ``make``: what :mod:`struct` takes; ``None`` when the value itself will do.
        kind: The class of a whole number; ``None`` for the others.
    """

    code: str
    size: int
    make: Callable[[Any], Any]
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    pack: Callable[[Any], bytes]
    plain: Callable[[Any], Any] | None = None
    kind: type[Any] | None = None


def _number(tag: int, code: str, kind: type[Any]) -> FixedScalar:
    single = Struct(">" + code)
    make = kind if kind is bool else trusted(kind)
    if single.size == 1 and kind is not bool:
        # All there are, made once: looking one up is cheaper than making it. Negative ones count from the end.
        numbers = range(256) if code == "B" else (*range(128), *range(-128, 0))
        make = list(map(make, numbers)).__getitem__
    pack = partial(Struct(">B" + code).pack, tag)
    return FixedScalar(code, single.size, make, single.unpack_from, pack, kind=kind)


def _octets(tag: int, size: int, make: Callable[[bytes], Any], plain: Callable[[Any], bytes]) -> FixedScalar:
    code = f"{size}s"
    head = bytes((tag,))
    return FixedScalar(code, size, make, Struct(code).unpack_from, lambda value: head + plain(value), plain)


def _date_time(tag: int, name: str, size: int) -> FixedScalar:
    made: Callable[[bytes], Any] | None = None

    def make(octets: bytes) -> Any:
        nonlocal made
        if made is None:
            from cosem.types import date_time  # most APDUs hold none

            made = getattr(date_time, name)
        return made(octets)

    return _octets(tag, size, make, lambda value: value.octets)


def _float(tag: int, code: str, cls: type[Float32 | Float64]) -> FixedScalar:
    layout = Struct(">" + code)
    unpack, pack = layout.unpack, layout.pack
    new = trusted(cls)

    def make(octets: bytes) -> Any:
        (number,) = unpack(octets)
        # A NaN that went through a Python float has lost its payload: keep the octets.
        return new(number) if number == number else cls.not_a_number(octets)  # noqa: PLR0124

    def plain(value: Any) -> bytes:
        return value.octets or pack(value)

    return _octets(tag, layout.size, make, plain)


FIXED: Final[dict[int, FixedScalar]] = {
    3: _number(3, "B", bool),
    5: _number(5, "i", DoubleLong),
    6: _number(6, "I", DoubleLongUnsigned),
    13: _number(13, "b", Bcd),
    15: _number(15, "b", Integer),
    16: _number(16, "h", Long),
    17: _number(17, "B", Unsigned),
    18: _number(18, "H", LongUnsigned),
    20: _number(20, "q", Long64),
    21: _number(21, "Q", Long64Unsigned),
    22: _number(22, "B", Enum),
    23: _float(23, "f", Float32),
    24: _float(24, "d", Float64),
    25: _date_time(25, "DateTime", 12),
    26: _date_time(26, "Date", 5),
    27: _date_time(27, "Time", 4),
    28: _number(28, "b", DeltaInteger),
    29: _number(29, "h", DeltaLong),
    30: _number(30, "i", DeltaDoubleLong),
    31: _number(31, "B", DeltaUnsigned),
    32: _number(32, "H", DeltaLongUnsigned),
    33: _number(33, "I", DeltaDoubleLongUnsigned),
}
"""The scalars of fixed size, by tag."""
