"""The octets and texts of the Data CHOICE; a text that breaks its rules keeps its octets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from cosem.types.making import octets, text

__all__ = [
    "OctetString",
    "Utf8String",
    "VisibleString",
]


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
