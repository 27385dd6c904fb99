"""The floating-point numbers of the Data CHOICE."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Self

from cosem.types.making import number

__all__ = [
    "Float32",
    "Float64",
]


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
