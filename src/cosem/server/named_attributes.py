"""Which attributes a value that a client writes will give out: columns of profiles, what is pushed.

Nobody may learn in this way what it may not read itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cosem.types.data import DataValue

__all__ = ["named_attributes"]

_LISTS: Final = frozenset({(7, 3), (62, 3), (40, 2)})
"""capture_objects of Profile generic and Compact data, push_object_list of Push setup: class and attribute."""


def named_attributes(class_id: int, number: int, value: DataValue) -> Iterator[tuple[bytes, int]]:
    """Return the logical name and the number of each attribute that a list names; 0 stands for all of an object.

    Args:
        class_id: Of the object that is written.
        number: The attribute that is written.
        value: What is written; what is no such list names nothing, and is refused for its type.

    >>> from cosem.types.data import Array, Integer, LongUnsigned, OctetString, Structure
    >>> energy = Structure(
    ...     (LongUnsigned(3), OctetString(bytes((1, 0, 1, 8, 0, 255))), Integer(2), LongUnsigned(0))
    ... )
    >>> [(name.hex(), number) for name, number in named_attributes(7, 3, Array((energy,)))]
    [('0100010800ff', 2)]
    """
    if (class_id, number) not in _LISTS or not isinstance(value, tuple):
        return
    for each in value:
        if not isinstance(each, tuple) or len(each) < 3:
            continue
        name, attribute = each[1], each[2]
        if isinstance(name, bytes) and isinstance(attribute, int):
            yield bytes(name), int(attribute)
