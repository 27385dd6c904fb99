"""Small words of messages and tables: numbers with their noun, texts of a meter without what a terminal obeys."""

from __future__ import annotations

__all__ = ["counted", "printable", "spreadsheet_text"]

_FORMULAS = frozenset({"=", "+", "-", "@", "\t", "\r"})
"""What a spreadsheet takes for the beginning of a formula."""


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


def spreadsheet_text(text: str) -> str:
    """Return text that a spreadsheet takes for nothing else, and a terminal neither.

    >>> spreadsheet_text("=1+1"), spreadsheet_text("a-b")
    ("'=1+1", 'a-b')
    """
    return f"'{printable(text)}" if text[:1] in _FORMULAS else printable(text)
