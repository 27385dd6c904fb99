"""What begins inside a part of a stream, looked at once however often it is asked.

Whoever believes in a long piece asks whether something better begins inside it.
Pieces that overlap ask about the same octets: what was seen there is kept, so
that many beginnings cost no more than one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["Inside"]

_STRONG: Final = re.compile(
    rb"\x7e(?=[\xa0-\xaf]|\Z)|\x68(?=([\x03-\xff])\1h|.{0,2}\Z)|/(?=[A-Za-z]{3}|[A-Za-z]{0,2}\Z)"
    rb"|\x00\x01(?=.{7})",
    re.DOTALL,
)
_WRAPPER, _TEXT = 0x00, 0x2F
_HEAD: Final = 9  # octets of the longest beginning that is looked for
_NEVER: Final = 1 << 62


class Inside:
    """Where something strong begins next.

    Args:
        more: Whether more octets may come: then what cannot be told yet counts, too.
    """

    __slots__ = ("_due", "_first", "_last", "_more", "_size")

    def __init__(self, *, more: bool) -> None:
        self._more = more
        self._first = 1  # nothing begins from here,
        self._last = 0  # up to here,
        self._size = 0  # where this begins, if it is not 0
        self._due = _NEVER  # so many octets change what was seen

    def moved(self, end: int, by: int, now: int) -> None:
        """Say that octets were taken from the begin, and others came.

        Args:
            end: How many octets there were.
            by: How many went.
            now: How many there are.
        """
        self._first -= by
        self._last = min(self._last, end - _HEAD) - by
        self._size = 0
        self._due -= by
        if now >= self._due:
            self._first, self._last, self._due = 1, 0, _NEVER

    def look(self, data: bytes, start: int, stop: int, strong: Callable[[bytes, int], int]) -> int:
        """Return 1 if something strong begins in a part; 0 if nothing does; minus what is needed to tell.

        Args:
            data: The octets.
            start: Where the part begins.
            stop: Where it ends.
            strong: What stands at a place: its size; 0 for nothing; minus the octets needed to tell.
        """
        if not self._first <= start <= self._last:
            self._first, self._last, self._size, self._due = start, start, 0, _NEVER
        pos, size = self._last, self._size
        while not size and pos < stop:
            begin = _STRONG.search(data, pos, stop + _HEAD)
            pos = stop if begin is None else min(begin.start(), stop)
            if pos < stop:
                size = self._strong(data, pos, strong)
                pos += not size
        self._last, self._size = pos, size
        # A header that the end cuts off is more often a number.
        while size and pos < stop and data[pos] == _WRAPPER and pos + _HEAD > stop:
            begin = _STRONG.search(data, pos + 1, stop + _HEAD)
            pos = stop if begin is None else min(begin.start(), stop)
            size = self._strong(data, pos, strong) if pos < stop else 0
        if not size or pos >= stop:
            return 0
        return 1 if size > 0 else start - pos + size

    def _strong(self, data: bytes, pos: int, strong: Callable[[bytes, int], int]) -> int:
        size = strong(data, pos)
        if data[pos] == _TEXT:
            self._due = min(self._due, len(data) + 1)
        if size > 0 or self._more:
            return size
        if size < 0:
            self._due = min(self._due, pos - size)
        return 0
