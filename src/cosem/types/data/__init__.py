"""The values of the Data CHOICE: each is the Python value that it means, and remembers its tag.

A ``DoubleLongUnsigned(5)`` is the number 5 in every respect, and is written
back with the tag it came with: a register read as double-long never becomes a
long-unsigned. null-data is ``None`` and boolean is ``bool``, since Python allows
no subclass of them. Constructors refuse what is out of range; the codec makes
values past them, for profiles have millions (:func:`cosem.types.making.trusted`).

Two values are equal when the Python values are: ``Unsigned(1) == Long(1) == 1``.
Compare ``type(value)`` too where the tag matters.

(IEC 62056-5-3, clause 8, Data; Blue Book, 4.1.5)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cosem.types.data.bit_string import BitString
from cosem.types.data.containers import Array, CompactArray, Structure, TypeDescription
from cosem.types.data.floats import Float32, Float64
from cosem.types.data.integers import (
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
    Integer,
    Long,
    Long64,
    Long64Unsigned,
    LongUnsigned,
    Unsigned,
)
from cosem.types.data.markers import ABSENT, DONT_CARE, NULL_DATA, Absent, DontCare, NullData
from cosem.types.data.strings import OctetString, Utf8String, VisibleString

if TYPE_CHECKING:
    from cosem.types.date_time import Date, DateTime, Time

__all__ = [
    "ABSENT",
    "DONT_CARE",
    "NULL_DATA",
    "Absent",
    "Array",
    "Bcd",
    "BitString",
    "CompactArray",
    "DataValue",
    "DeltaDoubleLong",
    "DeltaDoubleLongUnsigned",
    "DeltaInteger",
    "DeltaLong",
    "DeltaLongUnsigned",
    "DeltaUnsigned",
    "DontCare",
    "DoubleLong",
    "DoubleLongUnsigned",
    "Enum",
    "Float32",
    "Float64",
    "Integer",
    "Long",
    "Long64",
    "Long64Unsigned",
    "LongUnsigned",
    "NullData",
    "OctetString",
    "Structure",
    "TypeDescription",
    "Unsigned",
    "Utf8String",
    "VisibleString",
]

DataValue: TypeAlias = (
    "None | bool | Array | Structure | BitString | DoubleLong | DoubleLongUnsigned | OctetString"
    " | VisibleString | Utf8String | Bcd | Integer | Long | Unsigned | LongUnsigned | CompactArray"
    " | Long64 | Long64Unsigned | Enum | Float32 | Float64 | DateTime | Date | Time | DeltaInteger"
    " | DeltaLong | DeltaDoubleLong | DeltaUnsigned | DeltaLongUnsigned | DeltaDoubleLongUnsigned | DontCare"
)
