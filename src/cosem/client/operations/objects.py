"""The object list of the current association: what this client sees, and what it may do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.client.naming import object_name
from cosem.client.operations import services
from cosem.client.operations.refusals import refused
from cosem.client.results import ObjectEntry
from cosem.client.session import Session
from cosem.client.targets import Target, declared, name_of
from cosem.errors import ConversionError, ProtocolError
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.classes.base import InterfaceClass
    from cosem.types.data import DataValue

__all__ = ["declaration_of", "entries_of", "objects"]

_ASSOCIATION_SN, _ASSOCIATION_LN = 12, 15
CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")
_OBJECT_LIST: Final = 2
_ACCESS_RIGHTS_LIST: Final = 3
_MOST_OBJECTS: Final = 100_000
_BIT_MASK_VERSION: Final = 3
"""From this version of Association LN on, access modes are bit masks."""
_BIT_MASK_VERSION_SN: Final = 4
"""The same for Association SN."""
_ENUMERATED: Final = (
    "",
    "read",
    "write",
    "read write",
    "authenticated read",
    "authenticated write",
    "authenticated read write",
)
_CALLS: Final = ("", "call", "authenticated call")
_MASKED: Final = (
    (0x01, "read"),
    (0x02, "write"),
    (0x04, "authenticated-request"),
    (0x08, "encrypted-request"),
    (0x10, "signed-request"),
    (0x20, "authenticated-response"),
    (0x40, "encrypted-response"),
    (0x80, "signed-response"),
)


def objects(
    context: ServiceContext, session: Session, *, refresh: bool = False, progress: Progress = no_progress
) -> Conversation[tuple[ObjectEntry, ...]]:
    """Return the objects that this association sees; read once, then remembered.

    Raises:
        AccessError: The server refused its object list.
        ProtocolError: It sent no list.
    """
    if session.objects is None or refresh:
        if context.short_names is None:
            descriptor = CosemAttributeDescriptor(_ASSOCIATION_LN, CURRENT_ASSOCIATION, _OBJECT_LIST)
            value = yield from services.read(context, session, descriptor, progress=progress)
            if isinstance(value, DataAccessResult):
                raise refused(descriptor, value)
            found = entries_of(value, session.findings.append)
        else:
            found = yield from _short_named(context, session, progress, refresh=refresh)
        if refresh:
            session.forget()
        session.descriptors.clear()  # some names mean other numbers in other versions of a class
        session.objects = found
    return session.objects


def _short_named(
    context: ServiceContext, session: Session, progress: Progress, *, refresh: bool
) -> Conversation[tuple[ObjectEntry, ...]]:
    """Return the objects of an Association SN, with rights where its version tells them."""
    from cosem.association.client.conversations.mapper_table import current_table, read_object_list

    table = current_table(context)
    if refresh or not table.complete:
        table = yield from read_object_list(context, progress)
    association = table.find(_ASSOCIATION_SN, CURRENT_ASSOCIATION)
    version = 0 if association is None else association.version
    value: Any = DataAccessResult.OBJECT_UNDEFINED
    if version:
        descriptor = CosemAttributeDescriptor(_ASSOCIATION_SN, CURRENT_ASSOCIATION, _ACCESS_RIGHTS_LIST)
        value = yield from services.read(context, session, descriptor, progress=progress)
    rights: dict[int, Any] = {}
    if isinstance(value, tuple):
        try:
            rights = {int(base) & 0xFFFF: (attributes, methods) for base, attributes, methods in value}
        except (TypeError, ValueError):
            session.findings.append("access-rights-list: no list of rights")
    masked = version >= _BIT_MASK_VERSION_SN
    entries = []
    for each in table:
        try:
            known = rights.get(each.base_name)
            made = (each.class_id, each.version, each.logical_name, known)
            entries.append(replace(_entry(made, masked=masked), base_name=each.base_name))
        except (TypeError, ValueError, IndexError):
            session.findings.append(f"access-rights-list: rights to {each.base_name:04X} cannot be read")
            made = (each.class_id, each.version, each.logical_name, None)
            entries.append(replace(_entry(made, masked=masked), base_name=each.base_name))
    return tuple(entries)


def declaration_of(
    context: ServiceContext, session: Session, target: Target
) -> Conversation[type[InterfaceClass]]:
    """Return the declaration of the class of an object, in the version that the meter has if that is known.

    Raises:
        AccessError: The class is not known, and the object list has no such object.
        ConversionError: The standard has no such class.
    """
    from cosem.client.operations.resolving import class_of_object

    class_id = yield from class_of_object(context, session, target, None)
    found = declared(class_id, session.version(name_of(target), class_id))
    if found is None:
        raise ConversionError(f"class {class_id} of {name_of(target)} is not in the standard")
    return found


def entries_of(value: DataValue, finding: Callable[[str], None]) -> tuple[ObjectEntry, ...]:
    """Return the entries of an object list; what is no entry, or comes twice, is a finding and left out.

    Raises:
        ProtocolError: The value is no list, or has more entries than any meter.
    """
    if not isinstance(value, tuple):
        raise ProtocolError(f"an object list expected, {type(value).__name__} received")
    if len(value) > _MOST_OBJECTS:
        raise ProtocolError(f"an object list of {len(value)} entries")
    masked = _has_masks(value)
    entries: dict[tuple[int, LogicalName], ObjectEntry] = {}
    for number, element in enumerate(value):
        try:
            entry = _entry(element, masked=masked)
        except (ConversionError, TypeError, ValueError, IndexError):
            finding(f"object-list-element: entry {number} is no object")
            continue
        key = entry.class_id, entry.logical_name
        if key in entries:
            finding(f"object-list-double: {entry.logical_name} of class {entry.class_id}")
        else:
            entries[key] = entry
    return tuple(entries.values())


def _has_masks(elements: tuple[Any, ...]) -> bool:
    """Return whether access modes are bit masks: the list itself tells the version of the association."""
    for element in elements:
        if (
            isinstance(element, tuple)
            and len(element) == 4
            and element[0] == _ASSOCIATION_LN
            and element[2] == CURRENT_ASSOCIATION
        ):
            return bool(element[1] >= _BIT_MASK_VERSION)
    return False


def _entry(element: Any, *, masked: bool) -> ObjectEntry:
    from cosem.classes.registry import title_of

    class_id, version, name, rights = element
    logical_name = LogicalName(name)
    attributes, methods = rights or ((), ())
    selectors = {int(item[0]): tuple(map(int, item[2])) for item in attributes if item[2]}
    return ObjectEntry(
        int(class_id),
        int(version),
        logical_name,
        title_of(int(class_id)) or f"class {int(class_id)}",
        object_name(logical_name),
        {int(item[0]): _attribute_right(int(item[1]), masked=masked) for item in attributes},
        {int(item[0]): _method_right(int(item[1]), masked=masked) for item in methods},
        selectors,
    )


def _attribute_right(mode: int, *, masked: bool) -> str:
    """Return an access mode in words.

    >>> _attribute_right(3, masked=False), _attribute_right(0x4D, masked=True)
    ('read write', 'read authenticated-request encrypted-request encrypted-response')
    """
    if not masked:
        return _ENUMERATED[mode] if mode < len(_ENUMERATED) else f"mode {mode}"
    return " ".join(word for bit, word in _MASKED if mode & bit)


def _method_right(mode: int, *, masked: bool) -> str:
    if not masked:
        return _CALLS[mode] if mode < len(_CALLS) else f"mode {mode}"
    if not mode & 0x01:
        return ""
    return " ".join(["call", *(word for bit, word in _MASKED[2:] if mode & bit)])
