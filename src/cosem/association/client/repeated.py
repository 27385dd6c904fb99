"""Answers in clear that come a second time, where the line may deliver things twice."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

__all__ = ["RepeatedAnswers"]

_KEYS: Final = 16
"""So many requests are remembered, and of each so many answers: a long value has several."""
_ANSWERS: Final = 8
_NEWEST: Final = 2
"""A repetition comes before so many further requests are answered: more would leave too few on lines that lose half."""


class RepeatedAnswers:
    """The answers that came, by the invoke-ids of their requests, until these are those of other requests.

    The same octets are no repetition once their invoke-id has gone out anew: a value that does not change
    has the same answer each time.

    >>> answers = RepeatedAnswers()
    >>> answers.is_repetition(1, b"five"), answers.is_repetition(1, b"five")
    (False, True)
    >>> answers.asked(1)
    >>> answers.is_repetition(1, b"five")
    False
    """

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[int | str, deque[bytes]] = {}

    def is_repetition(self, key: int | str, octets: bytes) -> bool:
        """Take note of an answer, and return whether it has come before."""
        known = self._answers.pop(key, None) or deque(maxlen=_ANSWERS)
        self._answers[key] = known  # the last of them now
        if octets in known:
            return True
        known.append(octets)
        if len(self._answers) > _KEYS:
            del self._answers[next(iter(self._answers))]
        return False

    def may_repeat(self, key: int | str) -> bool:
        """Return whether the answer to the last request with this invoke-id is so new that it may come once more."""
        return key in islice(reversed(self._answers), _NEWEST)

    def asked(self, key: int | str) -> None:
        """Take note that a new request goes out with this invoke-id."""
        self._answers.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._answers.clear()
