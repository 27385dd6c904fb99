"""System titles: eight octets that name a DLMS/COSEM entity, and every way to write them.

(IEC 62056-5-3, 4.3.4) A client, a server or a third party has one; all logical
devices of a physical device share it. It is the fixed part of every nonce, so two
entities that use one key must never have the same title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Self

from cosem.errors import ConversionError

__all__ = ["SystemTitle"]

_HEXADECIMAL = re.compile(r"(?:0x)?([0-9A-Fa-f]{16})")
_MANUFACTURER_AND_HEXADECIMAL = re.compile(r"([A-Z]{3})([0-9A-Fa-f]{10})")
_MANUFACTURER_AND_NUMBER = re.compile(r"([A-Za-z]{3})[ :/](\d{1,13})", re.ASCII)
_SEPARATORS = re.compile(r"[ :.\-]")
_SIZE = 8
_SERIAL_SIZE = 5


class SystemTitle(bytes):
    """A system title: three letters of the manufacturer (FLAG identifier) and five octets of its own.

    >>> SystemTitle("4D4D4D0000BC614E")
    SystemTitle('MMM0000BC614E')
    >>> SystemTitle("MMM:12345678") == SystemTitle(bytes.fromhex("4D4D4D0000BC614E"))
    True
    >>> SystemTitle("MMM0000BC614E").manufacturer
    'MMM'
    """

    __slots__ = ()
    tag: ClassVar[int] = 9
    asn1_name: ClassVar[str] = "octet-string"

    def __new__(cls, value: str | bytes | Iterable[int]) -> Self:
        """Return the title of eight octets, or of a text as :meth:`parse` takes it.

        Raises:
            ConversionError: It is no system title.
        """
        if isinstance(value, str):
            return cls.parse(value)
        try:
            title = super().__new__(cls, bytes(value))
        except ValueError:
            raise ConversionError("every octet of a system title is 0..255") from None
        if len(title) != _SIZE:
            raise ConversionError(f"a system title has {_SIZE} octets, not {len(title)}")
        return title

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the title that a text means.

        Forms: 16 hexadecimal digits, also in pairs (``4D 4D 4D 00 00 BC 61 4E``); three capital letters
        and 10 hexadecimal digits (``MMM0000BC614E``, which is how a title prints); letters and a decimal
        number (``MMM:12345678``); any eight characters of ASCII, octet by octet.

        Raises:
            ConversionError: It is none of these.
        """
        text = text.strip()
        found = _MANUFACTURER_AND_NUMBER.fullmatch(text)
        if found:
            return cls.of(found[1], int(found[2]))
        found = _MANUFACTURER_AND_HEXADECIMAL.fullmatch(text)
        if found:
            return cls(found[1].encode("ascii") + bytes.fromhex(found[2]))
        found = _HEXADECIMAL.fullmatch(_SEPARATORS.sub("", text))
        if found:
            return cls(bytes.fromhex(found[1]))
        if len(text) == _SIZE and text.isascii():
            return cls(text.encode("ascii"))
        raise ConversionError(
            f"no system title in {text!r}: 16 hexadecimal digits, MMM and 10 hexadecimal digits,"
            " MMM:number or 8 characters are"
        )

    @classmethod
    def of(cls, manufacturer: str, serial: int) -> Self:
        """Return the title of a manufacturer's letters and a number in the other five octets.

        Companion specifications may pack the number otherwise: then give the octets.

        Raises:
            ConversionError: Not three letters, or a number that five octets do not hold.
        """
        if not (len(manufacturer) == 3 and manufacturer.isascii() and manufacturer.isalpha()):
            raise ConversionError(f"a manufacturer has three letters, not {manufacturer!r}")
        if not 0 <= serial < 1 << (8 * _SERIAL_SIZE):
            raise ConversionError(f"serial number {serial} is outside 0..1099511627775 (five octets)")
        return cls(manufacturer.upper().encode("ascii") + serial.to_bytes(_SERIAL_SIZE, "big"))

    @property
    def manufacturer(self) -> str:
        """The letters of the manufacturer; empty if the first three octets are no capital letters."""
        return self[:3].decode("ascii") if all(0x41 <= octet <= 0x5A for octet in self[:3]) else ""

    @property
    def serial(self) -> int:
        """The last five octets as a number."""
        return int.from_bytes(self[3:], "big")

    def __str__(self) -> str:
        """Return the title to read: letters of the manufacturer and hexadecimal digits."""
        if self.manufacturer:
            return self.manufacturer + self[3:].hex().upper()
        return self.hex().upper()

    def __repr__(self) -> str:
        return f"SystemTitle({str(self)!r})"
