"""Guessing costs time: after a few wrong passwords the next attempts are refused for a while.

The delay doubles with each further guess up to a bound. It holds for one client
address from one peer, and never for good. Who can send from the address of another
peer, as over UDP, can have that one wait: passwords are no protection there. Tags and
signatures are not guessed and not counted, so that strangers delay nobody who has keys.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

__all__ = ["Throttle"]

_MOST: Final = 4096
"""So many guessers are remembered; the one that was silent longest is forgotten first."""


class Throttle:
    """Counts wrong guesses.

    Args:
        free: Guesses that cost nothing.
        first: Seconds of delay after the next one.
        longest: Most seconds of delay.
    """

    __slots__ = ("_first", "_free", "_guesses", "_longest")

    def __init__(self, free: int, first: float, longest: float) -> None:
        self._free = free
        self._first = first
        self._longest = longest
        self._guesses: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._guesses)

    def blocked(self, who: Hashable, now: float) -> bool:
        """Return whether an attempt is refused unseen."""
        _, until = self._guesses.get(who, (0, 0.0))
        return now < until

    def failed(self, who: Hashable, now: float) -> None:
        """Count a wrong guess."""
        count = self._guesses.pop(who, (0, 0.0))[0] + 1
        over = count - self._free
        delay = min(self._first * 2.0 ** min(over - 1, 64), self._longest) if over > 0 else 0.0
        self._guesses[who] = count, now + delay
        if len(self._guesses) > _MOST:
            self._guesses.popitem(last=False)

    def succeeded(self, who: Hashable) -> None:
        """Forget the guesses of one who knows the secret."""
        self._guesses.pop(who, None)
