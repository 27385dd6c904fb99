"""Which attribute is meant: the class of an object and the number of a name, looked up where nobody knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.association.context import Conversation, ServiceContext
from cosem.client.results import Result
from cosem.client.session import Session
from cosem.client.targets import (
    AttributeLike,
    ClassLike,
    Target,
    attribute_number,
    class_id_of,
    name_of,
    named_in,
    only_in_other_versions,
    version_of,
)
from cosem.errors import AccessError, ConfigurationError, CosemError, LinkError
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = [
    "WRONG_CLASS",
    "AttributeItem",
    "class_of_object",
    "looked_up",
    "number_of",
    "parts_of",
    "resolve",
    "version_wanted",
    "wrongly_guessed",
]

AttributeItem: TypeAlias = Target | tuple[Any, ...]
"""An object (its attribute 2 is meant), or a tuple: object, attribute, and if need be class and selection."""

WRONG_CLASS: Final = frozenset(
    {DataAccessResult.OBJECT_UNDEFINED, DataAccessResult.OBJECT_CLASS_INCONSISTENT}
)
"""Results that may come of a class that was guessed wrongly."""
_MOST_DESCRIPTORS: Final = 65536


def resolve(
    context: ServiceContext,
    session: Session,
    target: Target,
    attribute: AttributeLike,
    class_id: ClassLike | None = None,
) -> Conversation[CosemAttributeDescriptor]:
    """Return the descriptor of an attribute, looking its class up where nobody knows it.

    Raises:
        ConversionError: The target or the attribute is none.
        AccessError: The class is not known, and the object list has no such object.
    """
    key = (target, attribute, class_id)
    try:
        return session.descriptors[key]
    except KeyError:
        hashable = True
    except TypeError:
        hashable = False
    target, attribute = named_in(target, attribute)
    name = name_of(target)
    found = yield from class_of_object(context, session, target, class_id)
    if isinstance(attribute, str):
        version = yield from version_wanted(
            context, session, target, class_id, found, (attribute, "attribute")
        )
        descriptor = CosemAttributeDescriptor(found, name, attribute_number(attribute, found, version))
    else:
        descriptor = CosemAttributeDescriptor(found, name, attribute_number(attribute, found))
    if hashable and len(session.descriptors) < _MOST_DESCRIPTORS:
        session.descriptors[key] = descriptor
    return descriptor


def class_of_object(
    context: ServiceContext, session: Session, target: Target, given: ClassLike | None
) -> Conversation[int]:
    """Return the class of an object: as given, as the object list says, as usual for its name, or looked up.

    Raises:
        AccessError: The object list has no such object.
    """
    from cosem.client.naming import usual_class

    found = class_id_of(target, given)
    if found is not None:
        return found
    name = name_of(target)
    entry = session.entry(name)
    found = (
        entry.class_id
        if entry is not None
        else session.class_ids.get(name, usual_class(name, short_names=context.short_names is not None))
    )
    if found is not None:
        return found
    found = yield from _class_in_list(context, session, name)
    if found is None:
        raise AccessError(
            str(name),
            DataAccessResult.OBJECT_UNDEFINED,
            "the object list of this association has no such object; give its class_id to ask all the same",
        )
    return found


def version_wanted(
    context: ServiceContext,
    session: Session,
    target: Target,
    given: ClassLike | None,
    class_id: int,
    member: tuple[str, str],
) -> Conversation[int | None]:
    """Return the version of the class of an object; ``None`` if nobody knows it.

    The object list is read for it only where the name is one that the newest version does not have.

    Args:
        context: The association.
        session: What is known of the meter.
        target: The object.
        given: Its class, if it was given.
        class_id: Its class.
        member: Name of the attribute or method, and which of the two it is.
    """
    version = version_of(target, given)
    if version is None:
        version = session.version(name_of(target), class_id)
    if version is None and session.objects is None and only_in_other_versions(member[0], class_id, member[1]):
        try:
            yield from _class_in_list(context, session, name_of(target))
        except LinkError:
            raise
        except CosemError:
            return None
        version = session.version(name_of(target), class_id)
    return version


def _class_in_list(context: ServiceContext, session: Session, name: LogicalName) -> Conversation[int | None]:
    """Return the class that the object list gives an object, reading the list if it was not yet."""
    from cosem.client.operations.objects import objects

    yield from objects(context, session)
    entry = session.entry(name)
    return None if entry is None else entry.class_id


def looked_up(
    context: ServiceContext, session: Session, target: Target, given: ClassLike | None
) -> Conversation[int | None]:
    """Return the true class of an object whose class was guessed wrongly; ``None`` if it was not."""
    if class_id_of(target, given) is not None or session.objects is not None:
        return None
    target, _ = named_in(target)
    name = name_of(target)
    guessed = yield from class_of_object(context, session, target, None)
    try:
        found = yield from _class_in_list(context, session, name)
    except LinkError:
        raise
    except CosemError:
        return None
    if found is None or found == guessed:
        return None
    session.class_ids[name] = found
    session.descriptors.clear()
    return found


def wrongly_guessed(
    context: ServiceContext, session: Session, items: Sequence[AttributeItem], results: Sequence[Result[Any]]
) -> Conversation[list[int]]:
    """Return the places of refused items whose class was guessed wrongly, once the object list tells the true one."""
    wrong = [
        place
        for place, (item, result) in enumerate(zip(items, results, strict=True))
        if isinstance(result.error, AccessError)
        and result.error.result in WRONG_CLASS
        and class_id_of(parts_of(item)[0], parts_of(item)[2]) is None
    ]
    if not wrong:
        return []
    try:
        yield from _class_in_list(context, session, results[wrong[0]].logical_name)
    except LinkError:
        raise
    except CosemError:
        return []
    entries = [(place, session.entry(results[place].logical_name)) for place in wrong]
    again = [
        place for place, entry in entries if entry is not None and entry.class_id != results[place].class_id
    ]
    if again:
        session.descriptors.clear()
    return again


def parts_of(
    item: AttributeItem,
) -> tuple[Any, AttributeLike, ClassLike | None, SelectiveAccessDescriptor | None]:
    """Return target, attribute, class and selection of an item.

    Raises:
        ConfigurationError: It has too few parts, or too many.
    """
    if not isinstance(item, tuple) or hasattr(item, "logical_name"):
        return *named_in(item), None, None
    if not 1 <= len(item) <= 4:
        raise ConfigurationError(f"{item!r} is no (object, attribute, class_id, selection)")
    target, attribute, class_id, selection = (
        (*item, 2, None, None)[:4] if len(item) == 1 else (*item, None, None)[:4]
    )
    return *named_in(target, attribute), class_id, selection


def number_of(attribute: AttributeLike) -> int:
    """Return the number of an attribute; 0 where only its name is known."""
    return attribute if isinstance(attribute, int) else getattr(attribute, "number", 0)
