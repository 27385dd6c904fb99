"""The invoke-ids of requests that nobody waits for any more, and how long they rest."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final

__all__ = ["LateAnswers"]

_TIMES: Final = 8
"""An answer that is later than so many waits for it, is believed not to come any more."""
_NEWER: Final = 4
"""So many requests that were sent later must have come to something: silence of the line makes no answer too late."""


class _Resting:
    """An invoke-id that rests: after which request, until when, and what has come of later ones."""

    __slots__ = ("after", "newer", "until")

    def __init__(self, after: int, until: float) -> None:
        self.after = after
        self.until = until
        self.newer = 0


class LateAnswers:
    """The invoke-ids that no further request may have: their answers may still come.

    One is free when its answer has come, or when none can come: time has passed, and later requests were answered.
    Both are needed. A line that was interrupted may deliver all that it holds afterwards, and a meter may answer
    others first.

    >>> late = LateAnswers()
    >>> late.tick(0.0, patience=10.0)
    set()
    >>> late.rest(3)
    >>> for _ in range(4):
    ...     _ = late.came_to_something(late.request())
    >>> late.tick(79.0)
    set()
    >>> late.tick(80.0)
    {3}
    >>> 3 in late
    False
    """

    __slots__ = ("_now", "_patience", "_requests", "_resting")

    def __init__(self) -> None:
        self._now = 0.0
        self._patience = inf
        self._requests = 0
        self._resting: dict[int | str, _Resting] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._resting

    def __len__(self) -> int:
        return len(self._resting)

    def tick(self, now: float, patience: float | None = None) -> set[int | str]:
        """Take note of the time, and return the invoke-ids that are free for it.

        Args:
            now: Monotonic seconds.
            patience: How long whoever pumps waits for an answer now, seconds: that counts for the requests of which
                nothing else is known. As long as nobody has said so, time alone never makes an answer too late.
        """
        self._now = max(self._now, now)
        if patience is not None:
            self._patience = patience
        return self._wake() if self._resting else set()

    def request(self) -> int:
        """Take note that a request goes out, and return its number."""
        self._requests += 1
        return self._requests

    def came_to_something(self, number: int) -> set[int | str]:
        """Take note that the request with this number was answered, or refused; return what is free for it."""
        if not self._resting:
            return set()
        for resting in self._resting.values():
            resting.newer += number > resting.after
        return self._wake()

    def rest(self, key: int | str, patience: float | None = None, *, answered: bool = False) -> None:
        """Let an invoke-id rest.

        Args:
            key: Of the request that was given up.
            patience: How long its answer would have been waited for, seconds; ``None`` if nobody has said so.
            answered: Whether an answer came that was most likely its own: time need not pass.
        """
        until = -inf if answered else self._now + _TIMES * (self._patience if patience is None else patience)
        self._resting[key] = _Resting(self._requests, until)

    def free(self, keys: Iterable[int | str]) -> None:
        """Let invoke-ids be used again: no answer to them can come."""
        for key in keys:
            self._resting.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._resting.clear()

    def _wake(self) -> set[int | str]:
        now = self._now
        free = {key for key, each in self._resting.items() if each.newer >= _NEWER and each.until <= now}
        self.free(free)
        return free
