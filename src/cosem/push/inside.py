"""What begins inside a part of a stream, looked at once however often it is asked.

Whoever believes in a long piece asks whether something better begins inside it.
Pieces that overlap ask about the same octets: what was seen there is kept, so
that many beginnings cost no more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from cosem.push.beginnings import STRONG, STRONG_HEAD

__all__ = ["Inside"]

_WRAPPER, _TEXT = 0x00, 0x2F


class Inside:
    """Where something strong begins next.

    Args:
        more: Whether more octets may come: then what cannot be told yet counts, too.
    """

    __slots__ = ("_again", "_base", "_first", "_last", "_more", "_size", "_waiting")

    def __init__(self, *, more: bool) -> None:
        self._more = more
        self._base = 0  # octets that were taken from the begin
        self._waiting: list[
            tuple[int, int]
        ] = []  # so many octets of the stream tell more of this place: a heap
        self._again: list[int] = []  # places that are to be looked at again
        self._forget(1, 0)

    def _forget(self, first: int, last: int) -> None:
        self._first = first  # nothing begins from here,
        self._last = last  # up to here,
        self._size = 0  # where this begins, if it is not 0
        self._waiting.clear()
        self._again.clear()

    def moved(self, end: int, by: int, now: int) -> None:
        """Say that octets were taken from the begin, and others came.

        Args:
            end: How many octets there were.
            by: How many went.
            now: How many there are.
        """
        self._base += by
        self._first -= by
        self._last = min(self._last, end - STRONG_HEAD) - by
        self._size = 0
        while self._waiting and self._waiting[0][0] <= self._base + now:
            self._again.append(heappop(self._waiting)[1])

    def look(self, data: bytes, start: int, stop: int, strong: Callable[[bytes, int], int]) -> int:
        """Return 1 if something strong begins in a part; 0 if nothing does; minus what is needed to tell.

        Args:
            data: The octets.
            start: Where the part begins.
            stop: Where it ends.
            strong: What stands at a place: its size; 0 for nothing; minus the octets needed to tell.
        """
        if not self._first <= start <= self._last:
            self._forget(start, start)
        if self._again:
            self._look_again(data, start, strong)
        pos, size = self._last, self._size
        while not size and pos < stop:
            begin = STRONG.search(data, pos, stop + STRONG_HEAD)
            pos = stop if begin is None else min(begin.start(), stop)
            if pos < stop:
                size = self._strong(data, pos, strong)
                pos += not size
        self._last, self._size = pos, size
        # A header that the end cuts off is more often a number.
        while size and pos < stop and data[pos] == _WRAPPER and pos + STRONG_HEAD > stop:
            begin = STRONG.search(data, pos + 1, stop + STRONG_HEAD)
            pos = stop if begin is None else min(begin.start(), stop)
            size = self._strong(data, pos, strong) if pos < stop else 0
        if not size or pos >= stop:
            return 0
        return 1 if size > 0 else start - pos + size

    def _look_again(self, data: bytes, start: int, strong: Callable[[bytes, int], int]) -> None:
        """Look at the places of which more can be told now; the first one at which something begins is the next."""
        places = sorted(place - self._base for place in self._again)
        self._again.clear()
        for index, pos in enumerate(places):
            if pos < start or pos >= self._last:
                continue  # passed, or looked at anyhow
            size = self._strong(data, pos, strong)
            if size:
                self._last, self._size = pos, size
                self._again = [place + self._base for place in places[index + 1 :]]
                return

    def _strong(self, data: bytes, pos: int, strong: Callable[[bytes, int], int]) -> int:
        size = strong(data, pos)
        place = self._base + pos
        if data[pos] == _TEXT:
            heappush(self._waiting, (self._base + len(data) + 1, place))
        if size > 0 or self._more:
            return size
        if size < 0:
            heappush(self._waiting, (place - size, place))
        return 0
