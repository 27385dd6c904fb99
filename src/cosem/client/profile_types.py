"""What types the columns of a profile have, as far as rows have told it: the next answer may hold no value of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from cosem.client.profile_layout import ProfileLayout
from cosem.codec.moments import SIZE
from cosem.codec.row_template import ODD, RowTable
from cosem.types.data import (
    DeltaDoubleLong,
    DeltaDoubleLongUnsigned,
    DeltaInteger,
    DeltaLong,
    DeltaLongUnsigned,
    DeltaUnsigned,
)
from cosem.types.date_time import DateTime

__all__ = ["DELTAS", "DELTA_TAGS", "known_by"]

DELTAS: Final = frozenset(
    {DeltaInteger, DeltaLong, DeltaDoubleLong, DeltaUnsigned, DeltaLongUnsigned, DeltaDoubleLongUnsigned}
)
"""The types of differences to the row before."""
DELTA_TAGS: Final = frozenset(range(DeltaInteger.tag, DeltaDoubleLongUnsigned.tag + 1))

_BOOLEAN: Final = 3
_DEVIATION: Final = slice(9, 11)
_NOT_SPECIFIED: Final = b"\x80\x00"


def known_by(layout: ProfileLayout, rows: RowTable) -> ProfileLayout:
    """Return a layout whose columns know what was met in these rows, besides what they knew."""
    if not len(rows):
        return layout
    columns = []
    for index, column in enumerate(layout.columns):
        zoned = _zoned(rows, index) if column.kind == "moment" else None
        columns.append(
            replace(
                column,
                tags=column.tags | _tags(rows, index),
                zoned=column.zoned if zoned is None else zoned,
            )
        )
    return replace(layout, columns=tuple(columns))


def _tags(rows: RowTable, index: int) -> frozenset[int]:
    tags = rows.tags(index)
    if ODD in tags:
        for segment in rows.segments:
            if ODD in segment.tags(index):
                tags |= set(map(_tag, set(map(type, segment.column(index)))))
    return tags - {0, ODD}


def _tag(kind: type[Any]) -> int:
    return _BOOLEAN if kind is bool else getattr(kind, "tag", 0)


def _zoned(rows: RowTable, index: int) -> bool | None:
    """Return whether moments say their distance from UTC; the last row tells it if it has one."""
    last = _told(rows.without_first(len(rows) - 1).column(index))
    return _told(reversed(rows.column(index))) if last is None else last


def _told(values: Iterable[Any]) -> bool | None:
    for value in values:
        if type(value) is DateTime or (isinstance(value, bytes) and len(value) == SIZE):
            return bytes(value)[_DEVIATION] != _NOT_SPECIFIED
    return None
