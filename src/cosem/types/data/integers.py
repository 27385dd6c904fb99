"""The integers of the Data CHOICE, and the differences that profiles send in their place."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Self, SupportsIndex

from cosem.errors import ConversionError
from cosem.types.making import whole_number

__all__ = [
    "Bcd",
    "DeltaDoubleLong",
    "DeltaDoubleLongUnsigned",
    "DeltaInteger",
    "DeltaLong",
    "DeltaLongUnsigned",
    "DeltaUnsigned",
    "DoubleLong",
    "DoubleLongUnsigned",
    "Enum",
    "Integer",
    "Long",
    "Long64",
    "Long64Unsigned",
    "LongUnsigned",
    "Unsigned",
]


class _Int(int):
    """An integer type of the Data CHOICE."""

    __slots__ = ()
    tag: ClassVar[int]
    asn1_name: ClassVar[str]
    minimum: ClassVar[int]
    maximum: ClassVar[int]

    def __new__(cls, value: SupportsIndex | float | Decimal = 0) -> Self:
        """Return the number.

        Raises:
            ConversionError: It is out of range, has a fraction, or is no number.
        """
        if type(value) is not int:
            value = whole_number(value, cls.asn1_name)
        if cls.minimum <= value <= cls.maximum:
            return int.__new__(cls, value)
        raise ConversionError(f"{int(value)} is outside {cls.minimum}..{cls.maximum} of {cls.asn1_name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"

    __str__ = int.__repr__


class DoubleLong(_Int):
    """double-long [5]: Integer32, -2147483648..2147483647."""

    __slots__ = ()
    tag = 5
    asn1_name = "double-long"
    minimum = -(1 << 31)
    maximum = (1 << 31) - 1


class DoubleLongUnsigned(_Int):
    """double-long-unsigned [6]: Unsigned32, 0..4294967295."""

    __slots__ = ()
    tag = 6
    asn1_name = "double-long-unsigned"
    minimum = 0
    maximum = (1 << 32) - 1


class Bcd(_Int):
    """bcd [13]: Integer8 in the ASN.1, one octet; :attr:`digits` reads it as two digits."""

    __slots__ = ()
    tag = 13
    asn1_name = "bcd"
    minimum = -128
    maximum = 127

    @property
    def digits(self) -> str:
        """The octet as two hexadecimal digits, which are decimal ones if the meter means BCD."""
        return f"{self & 0xFF:02X}"


class Integer(_Int):
    """integer [15]: Integer8, -128..127."""

    __slots__ = ()
    tag = 15
    asn1_name = "integer"
    minimum = -128
    maximum = 127


class Long(_Int):
    """long [16]: Integer16, -32768..32767."""

    __slots__ = ()
    tag = 16
    asn1_name = "long"
    minimum = -(1 << 15)
    maximum = (1 << 15) - 1


class Unsigned(_Int):
    """unsigned [17]: Unsigned8, 0..255."""

    __slots__ = ()
    tag = 17
    asn1_name = "unsigned"
    minimum = 0
    maximum = 255


class LongUnsigned(_Int):
    """long-unsigned [18]: Unsigned16, 0..65535."""

    __slots__ = ()
    tag = 18
    asn1_name = "long-unsigned"
    minimum = 0
    maximum = 65535


class Long64(_Int):
    """long64 [20]: Integer64."""

    __slots__ = ()
    tag = 20
    asn1_name = "long64"
    minimum = -(1 << 63)
    maximum = (1 << 63) - 1


class Long64Unsigned(_Int):
    """long64-unsigned [21]: Unsigned64."""

    __slots__ = ()
    tag = 21
    asn1_name = "long64-unsigned"
    minimum = 0
    maximum = (1 << 64) - 1


class Enum(_Int):
    """enum [22]: Unsigned8, 0..255; what a value means is said by the attribute that holds it."""

    __slots__ = ()
    tag = 22
    asn1_name = "enum"
    minimum = 0
    maximum = 255


class DeltaInteger(_Int):
    """delta-integer [28]: Integer8 to add to the last absolute value of the column."""

    __slots__ = ()
    tag = 28
    asn1_name = "delta-integer"
    minimum = -128
    maximum = 127


class DeltaLong(_Int):
    """delta-long [29]: Integer16 to add to the last absolute value of the column."""

    __slots__ = ()
    tag = 29
    asn1_name = "delta-long"
    minimum = -(1 << 15)
    maximum = (1 << 15) - 1


class DeltaDoubleLong(_Int):
    """delta-double-long [30]: Integer32 to add to the last absolute value of the column."""

    __slots__ = ()
    tag = 30
    asn1_name = "delta-double-long"
    minimum = -(1 << 31)
    maximum = (1 << 31) - 1


class DeltaUnsigned(_Int):
    """delta-unsigned [31]: Unsigned8 to add to the last absolute value of the column."""

    __slots__ = ()
    tag = 31
    asn1_name = "delta-unsigned"
    minimum = 0
    maximum = 255


class DeltaLongUnsigned(_Int):
    """delta-long-unsigned [32]: Unsigned16 to add to the last absolute value of the column."""

    __slots__ = ()
    tag = 32
    asn1_name = "delta-long-unsigned"
    minimum = 0
    maximum = 65535


class DeltaDoubleLongUnsigned(_Int):
    """delta-double-long-unsigned [33]: Unsigned32 to add to the last absolute value of the column."""

    __slots__ = ()
    tag = 33
    asn1_name = "delta-double-long-unsigned"
    minimum = 0
    maximum = (1 << 32) - 1
