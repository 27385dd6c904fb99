"""Octets as people have them at hand: hexadecimal in any dress, a file, or standard input."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from cosem.errors import ConfigurationError, CosemError

__all__ = ["octets_of_words", "parse_hexadecimal"]

_SEPARATORS: Final = re.compile(r"0[xX]|\\x|[\s,;:_|\-\[\]{}()\"']+")
_TEXT: Final = frozenset(b"\t\n\r\f") | frozenset(range(0x20, 0x7F))
_MOST: Final = 16 * 1024 * 1024
"""Octets that are read from a file or a pipe; no APDU is longer."""


def parse_hexadecimal(text: str) -> bytes:
    r"""Return the octets of hexadecimal text; ``0x``, ``\x``, blanks, commas, colons and brackets count for nothing.

    Raises:
        ConfigurationError: Another sign stands in it, or half an octet is left.

    >>> parse_hexadecimal("0xC0, 0x01 | c1:00-08").hex()
    'c001c10008'
    """
    digits = _SEPARATORS.sub("", text)
    try:
        digits.encode("ascii")
        return bytes.fromhex(digits)
    except ValueError:
        pass
    wrong = next((sign for sign in digits if sign not in "0123456789abcdefABCDEF"), None)
    if wrong is not None:
        raise ConfigurationError(
            f"{wrong!r} at position {text.index(wrong)} is no hexadecimal digit; @FILE reads a file, - standard input"
        )
    raise ConfigurationError(
        f"{len(digits)} hexadecimal digits are no whole octets: one is missing or too many"
    )


def octets_of_words(words: list[str]) -> bytes:
    """Return the octets that the words of a command line mean.

    Args:
        words: Hexadecimal text, one word ``@FILE``, or one word ``-`` for standard input. What comes from a
            file or from standard input may be hexadecimal text or the octets themselves. No words are ``-``,
            unless a person sits at standard input.

    Raises:
        ConfigurationError: There are none, or they are no hexadecimal text.
        CosemError: The file or standard input is empty.
        OSError: The file cannot be read.
    """
    if not words:
        if sys.stdin is None or sys.stdin.isatty():
            raise ConfigurationError("octets are wanted: hexadecimal text, @FILE, or - for standard input")
        words = ["-"]
    if len(words) == 1 and words[0] == "-":
        if sys.stdin is None:
            raise ConfigurationError("standard input is closed")
        return _text_or_octets(_bounded(sys.stdin.buffer.read(_MOST + 1), "standard input"), "standard input")
    if len(words) == 1 and words[0].startswith("@"):
        path = Path(words[0][1:])
        with path.open("rb") as file:
            return _text_or_octets(_bounded(file.read(_MOST + 1), str(path)), str(path))
    octets = parse_hexadecimal(" ".join(words))
    if not octets:
        raise ConfigurationError("there are no octets")
    return octets


def _bounded(content: bytes, source: str) -> bytes:
    if len(content) > _MOST:
        raise ConfigurationError(f"{source} holds more than {_MOST} octets; this is no message")
    return content


def _text_or_octets(content: bytes, source: str) -> bytes:
    """Return what a file holds: the octets of its hexadecimal text if it is text, else the octets that it is."""
    text = content.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise CosemError(f"{source} is empty")
    if not _TEXT.issuperset(text):
        return content
    try:
        return parse_hexadecimal(text.decode("ascii"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{source}: {error}") from None
