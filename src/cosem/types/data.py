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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum as Enumeration
from typing import TYPE_CHECKING, ClassVar, Final, Self, SupportsIndex, TypeAlias, overload

from cosem.errors import ConversionError
from cosem.types.making import number, octets, text, whole_number

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


class _Float(float):
    """A floating-point type; a NaN keeps the octets it came with, so that it is written back unchanged."""

    __slots__ = ("_octets",)
    tag: ClassVar[int]
    asn1_name: ClassVar[str]
    _octets: bytes

    def __new__(cls, value: float | Decimal | str = 0.0) -> Self:
        """Return the number.

        Raises:
            ConversionError: It is none.
        """
        return float.__new__(cls, number(value, cls.asn1_name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({float(self)!r})"

    __str__ = float.__repr__

    @property
    def octets(self) -> bytes | None:
        """The octets of a NaN as received; ``None`` for every other value."""
        return getattr(self, "_octets", None)

    @classmethod
    def not_a_number(cls, octets: bytes) -> _Float:
        """Return the NaN of these octets, payload and signalling bit included."""
        value = cls("nan")
        value._octets = octets
        return value

    def __reduce__(self) -> tuple[object, ...]:
        if (octets := self.octets) is not None:
            return type(self).not_a_number, (octets,)
        return type(self), (float(self),)


class Float32(_Float):
    """float32 [23]: IEEE 754 single precision, 4 octets."""

    __slots__ = ()
    tag = 23
    asn1_name = "float32"


class Float64(_Float):
    """float64 [24]: IEEE 754 double precision, 8 octets."""

    __slots__ = ()
    tag = 24
    asn1_name = "float64"


class OctetString(bytes):
    """octet-string [9]: octets whose meaning the attribute gives.

    >>> OctetString(b"12").hex()
    '3132'
    """

    __slots__ = ()
    tag: ClassVar[int] = 9
    asn1_name: ClassVar[str] = "octet-string"

    def __new__(cls, value: bytes | bytearray | memoryview | Iterable[int] = b"") -> Self:
        """Return the octets of a buffer, or of numbers 0..255.

        Raises:
            ConversionError: It is a text, a single number, or something else.
        """
        return bytes.__new__(cls, value if type(value) is bytes else octets(value, cls.asn1_name))

    def __repr__(self) -> str:
        return f"OctetString.fromhex({self.hex()!r})"

    def __str__(self) -> str:
        return self.hex().upper()

    @property
    def text(self) -> str | None:
        """The octets as printable ASCII, blanks and NULs at the end left out; ``None`` if they are not."""
        stripped = self.rstrip(b"\x00 ")
        if stripped and all(0x20 <= octet < 0x7F for octet in stripped):
            return stripped.decode("ascii")
        return None


class VisibleString(str):
    """visible-string [10]: ASCII by the standard; an octet above 7F is kept as the Latin-1 character.

    >>> VisibleString("000").octets
    b'000'
    """

    __slots__ = ()
    tag: ClassVar[int] = 10
    asn1_name: ClassVar[str] = "visible-string"

    def __new__(cls, value: str = "") -> Self:
        """Return the text.

        Raises:
            ConversionError: It is none: octets are made a text by :meth:`from_octets`.
        """
        return str.__new__(cls, text(value, cls.asn1_name))

    @classmethod
    def from_octets(cls, octets: bytes) -> VisibleString:
        """Return the string of these octets; never raises."""
        return str.__new__(cls, octets, "latin-1")

    def __repr__(self) -> str:
        return f"VisibleString({str.__repr__(self)})"

    @property
    def octets(self) -> bytes:
        """The octets on the wire.

        Raises:
            UnicodeEncodeError: A character has no single octet.
        """
        return self.encode("latin-1")

    @property
    def well_formed(self) -> bool:
        """Whether it holds ASCII alone, as the standard demands."""
        return self.isascii()


class Utf8String(str):
    """utf8-string [12]; octets that are no UTF-8 are kept aside and shown escaped.

    >>> Utf8String.from_octets(bytes.fromhex("C3BC41"))
    Utf8String('üA')
    >>> damaged = Utf8String.from_octets(bytes.fromhex("FF41"))
    >>> damaged.well_formed, damaged.octets.hex()
    (False, 'ff41')
    """

    __slots__ = ("_octets",)
    tag: ClassVar[int] = 12
    asn1_name: ClassVar[str] = "utf8-string"
    _octets: bytes

    def __new__(cls, value: str = "") -> Self:
        """Return the text.

        Raises:
            ConversionError: It is none: octets are made a text by :meth:`from_octets`.
        """
        return str.__new__(cls, text(value, cls.asn1_name))

    def __repr__(self) -> str:
        return f"Utf8String({str.__repr__(self)})"

    @classmethod
    def from_octets(cls, octets: bytes) -> Utf8String:
        """Return the string of these octets; never raises."""
        try:
            return str.__new__(cls, octets, "utf-8")
        except UnicodeDecodeError:
            value = str.__new__(cls, octets.decode("utf-8", "backslashreplace"))
            value._octets = octets  # noqa: SLF001 -- its own
            return value

    @property
    def octets(self) -> bytes:
        """The octets on the wire.

        Raises:
            UnicodeEncodeError: The text holds lone surrogates.
        """
        kept: bytes | None = getattr(self, "_octets", None)
        return self.encode("utf-8") if kept is None else kept

    @property
    def well_formed(self) -> bool:
        """Whether the octets were UTF-8."""
        return not hasattr(self, "_octets")

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (str(self),)) if self.well_formed else (type(self).from_octets, (self.octets,))


class Array(tuple["DataValue", ...]):
    """array [1]: elements of one type."""

    __slots__ = ()
    tag: ClassVar[int] = 1
    asn1_name: ClassVar[str] = "array"

    def __repr__(self) -> str:
        return f"Array({tuple.__repr__(self)})"


class Structure(tuple["DataValue", ...]):
    """structure [2]: members whose types the attribute gives."""

    __slots__ = ()
    tag: ClassVar[int] = 2
    asn1_name: ClassVar[str] = "structure"

    def __repr__(self) -> str:
        return f"Structure({tuple.__repr__(self)})"


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """TypeDescription of a compact-array: the shape of one element.

    Args:
        tag: The tag of the type in the Data CHOICE.
        count: Elements of an array, 0..65535; 0 for every other type.
        members: The element type of an array, or the member types of a structure.
    """

    tag: int
    count: int = 0
    members: tuple[TypeDescription, ...] = ()


class CompactArray(tuple["DataValue", ...]):  # noqa: SLOT001 -- a tuple can have a __dict__, but no slots
    """compact-array [19]: an array whose element type is sent once.

    The elements are those of the tuple. ``type_description`` and ``contents``
    are kept, so that it is written back unchanged.
    """

    tag: ClassVar[int] = 19
    asn1_name: ClassVar[str] = "compact-array"
    type_description: TypeDescription
    contents: bytes | None

    def __new__(
        cls,
        elements: Iterable[DataValue],
        type_description: TypeDescription,
        contents: bytes | None = None,
    ) -> Self:
        """Return the array of ``elements``, each of the shape ``type_description``."""
        value = super().__new__(cls, elements)
        value.type_description = type_description
        value.contents = contents
        return value

    def __getnewargs__(self) -> tuple[object, ...]:
        return tuple(self), self.type_description, self.contents

    def __repr__(self) -> str:
        return f"CompactArray({tuple.__repr__(self)}, {self.type_description!r})"


class BitString:
    """bit-string [4]: bits, the first one sent first (the most significant of the first octet).

    >>> bits = BitString.from_text("10100101 1")
    >>> len(bits), bits[0], bits[1], bits.octets.hex(), str(bits)
    (9, True, False, 'a580', '101001011')
    """

    __slots__ = ("_length", "octets")
    tag: ClassVar[int] = 4
    asn1_name: ClassVar[str] = "bit-string"
    octets: bytes

    def __init__(self, octets: bytes, length: int | None = None) -> None:
        """Hold ``length`` bits, by default all, of ``octets``.

        Raises:
            ConversionError: The octets are not just enough for the bits, or no octets.
        """
        if not isinstance(octets, (bytes, bytearray, memoryview)):
            raise ConversionError(f"{octets!r} are no octets; BitString.from_text takes a text of 0 and 1")
        bits = 8 * len(octets) if length is None else length
        if bits < 0 or (bits + 7) // 8 != len(octets):
            raise ConversionError(f"{len(octets)} octets do not hold just {bits} bits")
        object.__setattr__(self, "octets", bytes(octets))
        object.__setattr__(self, "_length", bits)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a BitString cannot be changed: {name}")

    @classmethod
    def from_text(cls, text: str) -> BitString:
        """Return the bits of a text of 0 and 1; blanks count for nothing.

        Raises:
            ConversionError: Another sign is in it.
        """
        bits = "".join(text.split())
        if bits.strip("01"):
            raise ConversionError(f"{text!r} is no bit-string")
        size = (len(bits) + 7) // 8
        return cls(int(bits.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big"), len(bits))

    def __len__(self) -> int:
        return self._length  # type: ignore[attr-defined,no-any-return]

    @overload
    def __getitem__(self, index: SupportsIndex) -> bool: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[bool, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> bool | tuple[bool, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        position = range(len(self))[index]
        return bool(self.octets[position >> 3] & (0x80 >> (position & 7)))

    def __iter__(self) -> Iterator[bool]:
        return (bit == "1" for bit in str(self))

    def __int__(self) -> int:
        """Return the bits as a number, the first bit the highest."""
        return int.from_bytes(self.octets, "big") >> (8 * len(self.octets) - len(self))

    def __str__(self) -> str:
        return f"{int(self):0{len(self)}b}" if len(self) else ""

    def __repr__(self) -> str:
        return f"BitString.from_text({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BitString):
            return NotImplemented
        return (self.octets, len(self)) == (other.octets, len(other))

    def __hash__(self) -> int:
        return hash((self.octets, len(self)))

    def __reduce__(self) -> tuple[object, ...]:
        return BitString, (self.octets, len(self))


class DontCare:
    """dont-care [255]: stands for any value in a request; never a value to store."""

    __slots__ = ()
    tag: ClassVar[int] = 255
    asn1_name: ClassVar[str] = "dont-care"

    def __repr__(self) -> str:
        return "DONT_CARE"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DontCare)

    def __hash__(self) -> int:
        return 255


DONT_CARE: Final = DontCare()


class Absent(Enumeration):
    """That an OPTIONAL Data was not sent, which is not the same as null-data (``None``)."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


class NullData(Enumeration):
    """null-data that is meant: written and sent even where the class of the object declares another type."""

    NULL_DATA = "null-data"

    def __repr__(self) -> str:
        return "NULL_DATA"


NULL_DATA: Final = NullData.NULL_DATA

DataValue: TypeAlias = (
    "None | bool | Array | Structure | BitString | DoubleLong | DoubleLongUnsigned | OctetString"
    " | VisibleString | Utf8String | Bcd | Integer | Long | Unsigned | LongUnsigned | CompactArray"
    " | Long64 | Long64Unsigned | Enum | Float32 | Float64 | DateTime | Date | Time | DeltaInteger"
    " | DeltaLong | DeltaDoubleLong | DeltaUnsigned | DeltaLongUnsigned | DeltaDoubleLongUnsigned | DontCare"
)
