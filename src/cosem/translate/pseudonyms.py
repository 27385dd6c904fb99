"""Pseudonyms: other octets in place of those that tell somebody, the same ones wherever the same ones stood.

They have the same length and the same kind of signs, so that whatever is made of
them still is what it was. Without the key nobody can say what they stand for.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from typing import Final

__all__ = ["Pseudonyms"]

_PRINTABLE: Final = frozenset(range(0x20, 0x7F))
_DIGITS, _UPPER, _LOWER = b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"
_TRIES: Final = 8
_LARGEST_FLOAT: Final = 1000.0
_FLOATS: Final = {"float32": ">f", "float64": ">d"}


class Pseudonyms:
    """The pseudonyms of one file.

    Args:
        key: Random octets, to be forgotten afterwards.

    Attributes:
        given: The pseudonyms of all strings so far, by what they stand for.

    >>> names = Pseudonyms(bytes(16))
    >>> name = names.string(b"LGZ12345")
    >>> name != b"LGZ12345", name[:3].isalpha(), name[3:].isdigit(), names.string(b"LGZ12345") == name
    (True, True, True, True)
    """

    __slots__ = ("_key", "_texts", "given")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.given: dict[bytes, bytes] = {}
        self._texts: dict[bytes, bytes] = {}

    def string(self, original: bytes) -> bytes:
        """Return other octets; text stays text, digits stay digits, letters stay letters."""
        known = self.given.get(original)
        if known is None:
            like = _like_text if _PRINTABLE.issuperset(original) else _like_title
            known = self.given[original] = self._other(b"string", original, like)
        return known

    def text(self, original: bytes) -> bytes:
        """Return other octets that are text in UTF-8, whatever the original was."""
        if _PRINTABLE.issuperset(original):
            return self.string(original)
        known = self._texts.get(original)
        if known is None:
            known = self._texts[original] = self._other(b"text", original, _letters)
            self.given.setdefault(original, known)
        return known

    def number(self, kind: str, original: bytes) -> bytes:
        """Return another number of the same type.

        Args:
            kind: The type, such as ``long-unsigned``.
            original: Its octets without the tag.
        """
        layout = _FLOATS.get(kind)
        if layout is None:
            return self._other(kind.encode(), original, _positive)
        part = int.from_bytes(self._octets(kind.encode(), original, 4), "big") / 2**32
        return struct.pack(layout, part * _LARGEST_FLOAT)

    def noise(self, original: bytes) -> bytes:
        """Return octets that mean nothing, in place of what nobody can read anyway."""
        return self._octets(b"noise", original, len(original))

    def _other(self, purpose: bytes, original: bytes, like: Callable[[bytes, bytes], bytes]) -> bytes:
        found = original
        for attempt in range(_TRIES):
            found = like(original, self._octets(b"%b%d" % (purpose, attempt), original, len(original)))
            if found != original:
                break
        return found

    def _octets(self, purpose: bytes, original: bytes, size: int) -> bytes:
        seed = hmac.digest(self._key, b"%b\x00%b" % (purpose, original), "sha256")
        return hashlib.shake_256(seed).digest(size)


def _like_text(original: bytes, noise: bytes) -> bytes:
    return bytes(map(_like, original, noise))


def _like(octet: int, noise: int) -> int:
    for alphabet in (_DIGITS, _UPPER, _LOWER):
        if octet in alphabet:
            return alphabet[noise % len(alphabet)]
    return octet


def _like_title(original: bytes, noise: bytes) -> bytes:
    """Return octets like those of a system title: letters first, if there are, and anything after them."""
    return bytes(
        _like(octet, other) if at < 3 and octet in _UPPER else other
        for at, (octet, other) in enumerate(zip(original, noise, strict=True))
    )


def _letters(original: bytes, noise: bytes) -> bytes:
    del original
    return bytes(_LOWER[each % len(_LOWER)] for each in noise)


def _positive(original: bytes, noise: bytes) -> bytes:
    del original
    return bytes((noise[0] & 0x7F,)) + noise[1:] if noise else noise
