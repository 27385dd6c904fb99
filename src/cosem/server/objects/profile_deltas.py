"""Delta values: numbers of a buffer as differences to the row before (later editions, delta-value-encoding)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cosem.types.data import (
    DeltaDoubleLong,
    DeltaDoubleLongUnsigned,
    DeltaInteger,
    DeltaLong,
    DeltaLongUnsigned,
    DeltaUnsigned,
    Structure,
)

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["with_deltas"]

_SIZES: Final = {5: 4, 6: 4, 16: 2, 18: 2, 20: 8, 21: 8}
"""Octets of the numbers that are longer than the shortest difference, by tag."""
_DELTAS: Final[Any] = (
    (1, DeltaUnsigned),
    (1, DeltaInteger),
    (2, DeltaLongUnsigned),
    (2, DeltaLong),
    (4, DeltaDoubleLongUnsigned),
    (4, DeltaDoubleLong),
)


def with_deltas(rows: Sequence[DataValue]) -> list[DataValue]:
    """Return rows whose numbers are differences where that takes fewer octets.

    A number after null-data stays whole, which may stand for the value before or for a time one period later;
    so does one of another type than the number before.

    >>> from cosem.types.data import DoubleLongUnsigned
    >>> rows = [Structure([DoubleLongUnsigned(n)]) for n in (1_000_000, 1_000_250, 1_000_200)]
    >>> [row[0] for row in with_deltas(rows)]
    [DoubleLongUnsigned(1000000), DeltaUnsigned(250), DeltaInteger(-50)]
    """
    short: list[DataValue] = []
    before: dict[int, Any] = {}
    for row in rows:
        if not isinstance(row, Structure):
            before.clear()
            short.append(row)
            continue
        members = []
        for index, value in enumerate(row):
            members.append(_difference(before.get(index), value))
            before[index] = value
        short.append(Structure(members))
    return short


def _difference(old: Any, new: DataValue) -> DataValue:
    size = _SIZES.get(getattr(new, "tag", 0))
    if size is None or type(old) is not type(new):
        return new
    difference = int(new) - int(old)  # type: ignore[arg-type] # these tags are whole numbers
    for octets, kind in _DELTAS:
        if octets < size and kind.minimum <= difference <= kind.maximum:
            return kind(difference)  # type: ignore[no-any-return]
    return new
