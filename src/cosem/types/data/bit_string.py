"""The bit-string of the Data CHOICE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, SupportsIndex, overload

from cosem.errors import ConversionError

__all__ = [
    "BitString",
]


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
