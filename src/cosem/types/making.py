"""What the constructors of the values of Data refuse, and the way past them for those who know what they have.

A program that writes ``Unsigned(5.7)`` or ``VisibleString(b"abc")`` means something that Python's own
constructors would quietly make something else of. The codec makes millions of values of what
:mod:`struct` gave it, which needs no look: :func:`trusted`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from cosem.errors import ConversionError

__all__ = ["number", "octets", "text", "trusted", "whole_number"]


def trusted(kind: type[Any]) -> Callable[..., Any]:
    """Return what makes values of a type without a look at what they are made of.

    Args:
        kind: A subclass of ``int``, ``float``, ``bytes`` or ``str``; its own ``__new__`` is left out.
    """
    base = next(each for each in (int, float, bytes, str) if issubclass(kind, each))
    return MethodType(base.__new__, kind)  # bound to the class: the cheapest call there is


def whole_number(value: Any, kind: str) -> int:
    """Return a number that has no fraction.

    Raises:
        ConversionError: It is none; a text is none either.
    """
    try:
        if isinstance(value, (str, bytes, bytearray, memoryview)) or (made := int(value)) != value:
            raise ConversionError(f"{value!r} is no whole number for {kind}")
    except (TypeError, ValueError, OverflowError) as error:
        raise ConversionError(f"{value!r} is no whole number for {kind}") from error
    return made


def number(value: Any, kind: str) -> float:
    """Return a number.

    Raises:
        ConversionError: It is none, except for the texts ``"nan"`` and ``"inf"``.
    """
    try:
        if isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ConversionError(f"{value!r} is no number for {kind}") from None


def octets(value: Any, kind: str) -> bytes:
    """Return octets: those of a buffer, or the numbers 0..255 of a sequence.

    Raises:
        ConversionError: A text, whose encoding nobody said, a number, or something else.
    """
    if isinstance(value, str):
        raise ConversionError(f"a text is no {kind}: encode it, or use fromhex for hexadecimal digits")
    try:
        if isinstance(value, (int, float)) or value is None:
            raise TypeError
        return bytes(value)
    except (TypeError, ValueError):
        raise ConversionError(f"{value!r} are no octets for {kind}") from None


def text(value: Any, kind: str) -> str:
    """Return a text.

    Raises:
        ConversionError: It is none; octets are to be decoded first.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ConversionError(f"octets are no text for {kind}: decode them")
    raise ConversionError(f"{value!r} is no text for {kind}")
