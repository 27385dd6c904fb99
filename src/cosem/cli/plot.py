"""Small plots of numbers in text: for the eye, not for measuring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["columns", "resampled", "sparkline"]

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_PLAIN: Final = " .:-=+*%#"


def resampled(values: Sequence[float], width: int) -> list[float]:
    """Return at most ``width`` numbers: the means of as many equal parts.

    >>> resampled([1, 3, 5, 7], 2)
    [2.0, 6.0]
    """
    count = len(values)
    if count <= width:
        return [float(value) for value in values]
    parts = [values[index * count // width : (index + 1) * count // width] for index in range(width)]
    return [float(sum(part)) / len(part) for part in parts]


def sparkline(values: Sequence[float], width: int = 40, *, blocks: bool = True) -> str:
    """Return one line of blocks, from the least value to the largest.

    >>> sparkline([0, 1, 2, 4])
    '▁▃▅█'
    """
    points = resampled(values, width)
    if not points:
        return ""
    low, high = min(points), max(points)
    signs = (_BLOCKS if blocks else _PLAIN)[1:]
    last = len(signs) - 1
    span = high - low
    return "".join(signs[round((point - low) / span * last) if span else 0] for point in points)


def columns(values: Sequence[float], *, width: int = 48, height: int = 4, blocks: bool = True) -> list[str]:
    r"""Return lines of columns that stand on zero, the highest line first.

    >>> print("\n".join(columns([1, 2, 4], height=2)))
      █
    ▄██
    """
    points = [max(point, 0.0) for point in resampled(values, width)]
    signs = _BLOCKS if blocks else _PLAIN
    steps = len(signs) - 1
    high = max(points, default=0.0) or 1.0
    levels = [round(point / high * height * steps) for point in points]
    if blocks:
        # What is not zero must be seen.
        levels = [max(level, 1) if point else 0 for level, point in zip(levels, points, strict=True)]
    return [
        "".join(signs[min(max(level - row * steps, 0), steps)] for level in levels)
        for row in range(height - 1, -1, -1)
    ]
