"""Logical names (OBIS codes): six octets, and every way to write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Self

from cosem.errors import ConversionError

__all__ = ["LogicalName"]

_REDUCED = re.compile(
    r"(?:(?P<a>\d{1,3})-(?P<b>\d{1,3}):)?(?P<c>\d{1,3})\.(?P<d>\d{1,3})\.(?P<e>\d{1,3})(?:[.*&](?P<f>\d{1,3}))?",
    re.ASCII,
)
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{1,3}){5}", re.ASCII)
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{12}")


class LogicalName(bytes):
    """A logical name: value groups A to F, one octet each (IEC 62056-6-1).

    It is an octet-string of six octets, and prints as six numbers.

    >>> LogicalName.parse("1-0:1.8.0")
    LogicalName('1.0.1.8.0.255')
    >>> LogicalName.parse("0100010800FF").reduced
    '1-0:1.8.0*255'
    """

    __slots__ = ()
    tag: ClassVar[int] = 9
    asn1_name: ClassVar[str] = "octet-string"

    def __new__(cls, value: str | bytes | Iterable[int]) -> Self:
        """Return the name of six octets, or of a text as :meth:`parse` takes it.

        Raises:
            ConversionError: It is no logical name.
        """
        if isinstance(value, str):
            return cls.parse(value)
        try:
            name = super().__new__(cls, tuple(value))
        except ValueError:
            raise ConversionError("every group of a logical name is 0..255") from None
        except TypeError:
            raise ConversionError(f"{value!r} is no logical name; write it as 1-0:1.8.0") from None
        if len(name) != 6:
            raise ConversionError(f"a logical name has 6 octets, not {len(name)}")
        return name

    @classmethod
    def parse(cls, value: str | bytes | Iterable[int]) -> Self:
        """Return the name that a text means.

        Forms: ``1-0:1.8.0*255``, ``1-0:1.8.0.255``, ``1.0.1.8.0.255``,
        ``1-0:1.8.0`` (F is 255) and 12 hexadecimal digits. The number behind a full stop is
        always F: ``1-0:1.8.0.3`` is no attribute, which stands behind a colon where one is meant.

        Raises:
            ConversionError: It is none of these, or a number is above 255.
        """
        if not isinstance(value, str):
            return cls(value)
        text = value.strip()
        if _HEXADECIMAL.fullmatch(text):
            return cls(bytes.fromhex(text))
        if _DOTTED.fullmatch(text):
            groups = [int(group) for group in text.split(".")]
        elif (match := _REDUCED.fullmatch(text)) and match["a"] is not None:
            groups = [int(match[group]) for group in "abcde"]
            groups.append(255 if match["f"] is None else int(match["f"]))
        else:
            raise ConversionError(f"{value!r} is no logical name; write it as 1-0:1.8.0 or 1.0.1.8.0.255")
        if max(groups) > 255:
            raise ConversionError(f"{value!r}: every group of a logical name is 0..255")
        return cls(bytes(groups))

    @property
    def reduced(self) -> str:
        """The form of IEC 62056-6-1: ``1-0:1.8.0*255``."""
        a, b, c, d, e, f = self
        return f"{a}-{b}:{c}.{d}.{e}*{f}"

    @property
    def a(self) -> int:
        """Value group A: the medium."""
        return self[0]

    @property
    def b(self) -> int:
        """Value group B: the channel."""
        return self[1]

    @property
    def c(self) -> int:
        """Value group C: the quantity."""
        return self[2]

    @property
    def d(self) -> int:
        """Value group D: how it was processed."""
        return self[3]

    @property
    def e(self) -> int:
        """Value group E: tariff or further classification."""
        return self[4]

    @property
    def f(self) -> int:
        """Value group F: billing period; 255 is the current one."""
        return self[5]

    def __str__(self) -> str:
        return ".".join(map(str, self))

    def __repr__(self) -> str:
        return f"LogicalName({str(self)!r})"
