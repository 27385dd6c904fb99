"""Trials: what is read at length before it can be told that it is nothing, and how much of that is put up with.

A check sequence over a telegram, or an APDU that is read through, costs as much
as its octets. Octets made for it let the same ones be read again and again from
a thousand beginnings. So what is read in vain is counted; a sender may cause
some for each octet that it sends, which is far more than a damaged line does.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Ahead", "Trials"]

_FREE: Final = 64 * 1024
_RATE: Final = 2
"""Octets that may be read in vain for each one that has come."""


class Trials:
    """How many octets were read in vain, or values of Data.

    >>> trials = Trials()
    >>> trials.failed(70_000)
    >>> trials.allowed(20), trials.allowed(5_000)
    (False, True)
    """

    __slots__ = ("spent",)

    def __init__(self) -> None:
        self.spent = 0
        """Octets and values."""

    def allowed(self, place: int) -> bool:
        """Whether something may be read through that begins at a place of the stream, counted from its begin."""
        return self.spent <= _FREE + _RATE * place

    def failed(self, size: int) -> None:
        """Say that so many octets or values were read in vain."""
        self.spent += size


class Ahead:
    """Where a pattern stands next: found once, however many beginnings ask for it.

    Args:
        pattern: The pattern; it looks neither forward nor back.
        width: Octets that it matches.

    >>> ahead = Ahead(re.compile(b"!"), 1)
    >>> ahead.find(b"/a/b/c!", 0, 7), ahead.find(b"/a/b/c!", 4, 7), ahead.find(b"/a/b/c!", 0, 3)
    (6, 6, -1)
    """

    __slots__ = ("_first", "_found", "_last", "_pattern", "_width")

    def __init__(self, pattern: re.Pattern[bytes], width: int) -> None:
        self._pattern = pattern
        self._width = width
        self.forget()

    def forget(self) -> None:
        """Forget what was found: other octets follow."""
        self._first, self._last, self._found = 0, 0, False  # it does not stand from here to there, but there

    def find(self, data: bytes, start: int, stop: int) -> int:
        """Return where the pattern begins from ``start`` on, whole before ``stop``; -1 if it does not."""
        if not self._first <= start <= self._last:
            self._first, self._last, self._found = start, start, False
        last = stop - self._width  # where it may begin
        if not self._found and self._last <= last:
            found = self._pattern.search(data, self._last, stop)
            self._found = found is not None
            self._last = last + 1 if found is None else found.start()
        return self._last if self._found and self._last <= last else -1
