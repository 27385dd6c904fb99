"""Buffers that would capture themselves: each capture would double what the next one captures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from cosem.server.objects.base import CosemObject
from cosem.types.logical_name import LogicalName

__all__ = ["captures_itself"]

_CAPTURING: Final = frozenset({7, 61, 62})
"""Classes whose buffer holds what they capture: Profile generic, Register table and Compact data."""
_BUFFER: Final = 2


def captures_itself(target: CosemObject, captured: Iterable[Any]) -> bool:
    """Return whether what an object is to capture leads back to its own buffer.

    Args:
        target: The object.
        captured: The capture objects, with ``class_id``, ``logical_name`` and ``attribute_index``.
    """
    own = target.class_id, bytes(target.name)
    waiting, seen = list(captured), set()
    while waiting:
        each = waiting.pop()
        where = int(each.class_id), bytes(each.logical_name)
        if where[0] not in _CAPTURING or int(each.attribute_index) != _BUFFER or where in seen:
            continue
        if where == own:
            return True
        seen.add(where)
        found: Any = None if target.device is None else target.device.find(LogicalName(where[1]))
        if found is not None and found.class_id == where[0]:
            cells = getattr(found, "references", None)  # the cells of a table
            waiting += getattr(found, "capture_objects", ()) if cells is None else cells()
    return False
