"""One refusal that came for a whole list."""

from __future__ import annotations

from typing import Any

__all__ = ["RefusedList"]


class RefusedList(tuple[Any, ...]):
    """The results of a list that was answered with one refusal for all: it may be about the list, or one of its items.

    >>> RefusedList((3, 3)) == (3, 3)
    True
    """

    __slots__ = ()
