"""Octets that mean a date or a time: how they are held, made of a text, and what "not specified" is."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, ClassVar, Final, Self, TypeVar

from cosem.errors import ConversionError
from cosem.types.making import octets as octets_of

__all__ = ["NOT_SPECIFIED", "FixedOctets", "is_hexadecimal", "known", "of_iso", "with_fault"]

NOT_SPECIFIED: Final = 0xFF


class FixedOctets:
    """Fixed octets with meaning: immutable, and equal where the octets are."""

    __slots__ = ("octets",)
    octets: bytes
    size: ClassVar[int]
    asn1_name: ClassVar[str]

    def __init__(self, octets: bytes) -> None:
        """Hold the octets as they are.

        Raises:
            ConversionError: They are not as many as the type has, or are none.
        """
        if type(octets) is not bytes:
            octets = octets_of(octets, self.asn1_name)
        if len(octets) != self.size:
            raise ConversionError(f"{type(self).__name__} has {self.size} octets, not {len(octets)}")
        _set_octets(self, octets)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.fromhex({self.octets.hex()!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.octets,)

    @classmethod
    def fromhex(cls, text: str) -> Self:
        """Return the value of octets in hexadecimal.

        Raises:
            ConversionError: They are not as many as the type has, or the text is not hexadecimal.
        """
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            raise ConversionError(f"{text!r} is not hexadecimal") from None
        return cls(octets)

    def __bytes__(self) -> bytes:
        return self.octets


_set_octets: Final[Any] = FixedOctets.__dict__["octets"].__set__
"""Fills the slot past __setattr__, in a third of the time of ``object.__setattr__``: profiles make many."""


def known(octet: int) -> int | None:
    """Return the octet; ``None`` if it is not specified."""
    return None if octet == NOT_SPECIFIED else octet


_Calendar = TypeVar("_Calendar", date, datetime, time)


def of_iso(kind: type[_Calendar], text: str) -> _Calendar:
    """Return what a text of ISO 8601 means.

    Raises:
        ConversionError: It is no such text.
    """
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise ConversionError(f"{text!r} is no {kind.__name__} of ISO 8601") from None


def is_hexadecimal(text: str, size: int) -> bool:
    """Return whether a text is ``size`` octets in hexadecimal digits, without blanks."""
    return len(text) == 2 * size and all(letter in "0123456789abcdefABCDEF" for letter in text)


def with_fault(text: str, fault: str) -> str:
    """Return a text with what is impossible about the value, if anything is."""
    return f"{text} (invalid: {fault})" if fault else text
