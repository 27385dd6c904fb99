"""What the methods of an Association SN give, as far as the table says it (Blue Book, class_id 12, versions 0 to 4).

For the object of a server that shows the association: its ``object_list`` is
:meth:`~cosem.association.short_names.table.ShortNameTable.to_object_list`.
"""

from __future__ import annotations

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.short_names.table import ShortNameTable
from cosem.types.data import Array, Structure
from cosem.types.logical_name import LogicalName

__all__ = ["element_of_object", "elements_of_class", "wanted_by_logicalname"]


def wanted_by_logicalname(parameter: object) -> tuple[CosemAttributeDescriptor, ...] | None:
    """Return the attributes that ``read_by_logicalname`` (method 3) asks for, in order.

    Args:
        parameter: What the client sent: an array of class_id, logical_name and attribute_index.

    Returns:
        The attributes; index 0 stands for all of an object. ``None`` where the parameter is something else:
        type-unmatched.

    >>> from cosem.codec.data import decode_data
    >>> wanted_by_logicalname(decode_data(bytes.fromhex("0101 0203 120003 0906 0100010800FF 0F02")))[
    ...     0
    ... ].attribute_id
    2
    """
    if not isinstance(parameter, Array):
        return None
    found = []
    for element in parameter:
        if not isinstance(element, Structure) or len(element) != 3:
            return None
        target = _object(Structure(element[:2]))
        index = element[2]
        if target is None or not _is_number(index, -0x80, 0x7F):
            return None
        found.append(CosemAttributeDescriptor(*target, int(index)))  # type: ignore[arg-type] # a number, as just seen
    return tuple(found)


def elements_of_class(table: ShortNameTable, class_id: int) -> Array:
    """Return what ``getlist_by_classid`` gives (method 1 of version 0): elements of ``object_list`` of one class."""
    return Array(each.to_data() for each in table if each.class_id == class_id)


def element_of_object(table: ShortNameTable, parameter: object) -> Structure | None:
    """Return what ``getobj_by_logicalname`` gives (method 2 of version 0): one element of ``object_list``.

    Args:
        table: The objects that the client sees.
        parameter: What the client sent: a structure of class_id and logical_name.

    Returns:
        The element; ``None`` where there is no such object, or the parameter is something else.
    """
    target = _object(parameter)
    found = None if target is None else table.find(*target)
    return None if found is None else found.to_data()


def _object(value: object) -> tuple[int, LogicalName] | None:
    """Return class and name of a structure of both."""
    if not isinstance(value, Structure) or len(value) != 2:
        return None
    class_id, name = value
    if not _is_number(class_id, 0, 0xFFFF) or not isinstance(name, bytes) or len(name) != 6:
        return None
    return int(class_id), LogicalName(bytes(name))  # type: ignore[arg-type] # a number, as just seen


def _is_number(value: object, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
