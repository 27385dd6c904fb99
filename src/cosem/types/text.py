"""Small words of messages and tables: numbers with their noun, texts of a meter without what a terminal obeys."""

from __future__ import annotations

__all__ = ["counted", "printable"]


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "octet"), counted(2, "octet")
    ('1 octet', '2 octets')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    r"""Return text without signs that a terminal would obey.

    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\\x0a'
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)
