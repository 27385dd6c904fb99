"""Which requests may have been refused by errors that name none (IEC 62056-5-3, clause 8: they have no invoke-id)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

__all__ = ["Refused"]


class Refused:
    """The requests that were open when an error came that says nothing of which it refuses.

    One of them is refused and the others are still answered: as soon as no more are left than there were errors,
    all that are left are refused, and no late answer to any of them can come. Where an answer was lost that is never:
    what is too old for an answer is no candidate any more, and takes an error along.

    >>> refused = Refused()
    >>> refused.one_of([1, 2])
    set()
    >>> refused.answered(2)
    {1}
    """

    __slots__ = ("_candidates", "_errors")

    def __init__(self) -> None:
        self._candidates: set[int | str] = set()
        self._errors = 0

    def __contains__(self, key: object) -> bool:
        return key in self._candidates

    def one_of(self, keys: Collection[int | str]) -> set[int | str]:
        """Take note of an error while requests with these keys were open; return all that are refused for certain."""
        if len(keys) == 1 and self._candidates.isdisjoint(keys):
            return set(keys)
        self._candidates.update(keys)
        self._errors += 1
        return self._certain()

    def answered(self, key: int | str | None) -> set[int | str]:
        """Take note of an answer; return all that are refused for certain."""
        if key not in self._candidates:
            return set()
        self._candidates.remove(key)
        return self._certain()

    def aged(self, keys: Iterable[int | str]) -> None:
        """Take note that nothing more is waited for of these requests: each may be one that was refused."""
        for key in self._candidates.intersection(keys):
            self._candidates.remove(key)
            self._errors = max(0, self._errors - 1)
        if not self._candidates:
            self._errors = 0

    def _certain(self) -> set[int | str]:
        if len(self._candidates) > self._errors:
            return set()
        certain, self._candidates, self._errors = self._candidates, set(), 0
        return certain
