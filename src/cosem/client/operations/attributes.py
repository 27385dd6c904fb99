"""Reading and writing attributes, one or many, by any name that a caller may use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.client.operations import services
from cosem.client.operations.refusals import Refusal, refused
from cosem.client.results import Result
from cosem.client.session import Session
from cosem.client.targets import (
    AttributeLike,
    ClassLike,
    Target,
    attribute_number,
    class_id_of,
    declared,
    name_of,
    named_in,
    only_in_other_versions,
    version_of,
)
from cosem.errors import AccessError, ConfigurationError, CosemError, LinkError
from cosem.types.data import NULL_DATA
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu import Apdu
    from cosem.types.data import DataValue

__all__ = [
    "AttributeItem",
    "AttributeValue",
    "coerced",
    "get",
    "get_many",
    "resolve",
    "set_many",
    "set_value",
]

AttributeItem: TypeAlias = Target | tuple[Any, ...]
"""An object (its attribute 2 is meant), or a tuple: object, attribute, and if need be class and selection."""
AttributeValue: TypeAlias = tuple[Any, ...]
"""A tuple: object, attribute, value, and if need be its class."""

_WRONG_CLASS = frozenset({DataAccessResult.OBJECT_UNDEFINED, DataAccessResult.OBJECT_CLASS_INCONSISTENT})
_MOST_DESCRIPTORS = 65536


def get(
    context: ServiceContext,
    session: Session,
    target: Target,
    attribute: AttributeLike = 2,
    class_id: ClassLike | None = None,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataValue]:
    """Read one attribute.

    Raises:
        AccessError: The server refused it.
    """
    descriptor = yield from resolve(context, session, target, attribute, class_id)
    result = yield from services.read(context, session, descriptor, selection, progress)
    if not isinstance(result, DataAccessResult):
        return result
    if result in _WRONG_CLASS and (better := (yield from _looked_up(context, session, target, class_id))):
        descriptor = CosemAttributeDescriptor(better, descriptor.instance_id, descriptor.attribute_id)
        result = yield from services.read(context, session, descriptor, selection, progress)
        if not isinstance(result, DataAccessResult):
            return result
    raise refused(descriptor, result)


def get_many(
    context: ServiceContext, session: Session, items: Iterable[AttributeItem]
) -> Conversation[list[Result[DataValue]]]:
    """Read attributes, with as few requests as possible; what is refused becomes a result with an error."""
    asked = list(items)
    results = yield from _get_many(context, session, asked)
    again = yield from wrongly_guessed(context, session, asked, results)
    if again:
        better = yield from _get_many(context, session, [asked[place] for place in again])
        for place, result in zip(again, better, strict=True):
            results[place] = result
    return results


def _get_many(
    context: ServiceContext, session: Session, items: Iterable[AttributeItem]
) -> Conversation[list[Result[DataValue]]]:
    results: list[Result[DataValue]] = []
    wanted: list[services.Item] = []
    places: list[int] = []
    for item in items:
        target, attribute, class_id, selection = _parts_of(item)
        try:
            descriptor = yield from resolve(context, session, target, attribute, class_id)
        except LinkError:
            raise
        except AccessError as error:
            results.append(Result(name_of(target), 0, _number(attribute), error=error))
            continue
        places.append(len(results))
        results.append(Result(descriptor.instance_id, descriptor.class_id, descriptor.attribute_id))
        wanted.append((descriptor, selection))
    for place, (descriptor, _), value in zip(
        places, wanted, (yield from services.read_list(context, session, wanted)), strict=True
    ):
        results[place] = _result(descriptor, value)
    return results


def set_value(
    context: ServiceContext,
    session: Session,
    target: Target,
    attribute: AttributeLike,
    value: Any,
    class_id: ClassLike | None = None,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[None]:
    """Write one attribute; a plain Python value becomes the type that the class declares.

    Raises:
        AccessError: The server refused it.
        EncodeError: The value fits no type that the attribute may have.
    """
    descriptor = yield from resolve(context, session, target, attribute, class_id)
    data = yield from coerced(context, session, descriptor, value)
    result = yield from services.write(context, session, descriptor, data, selection, progress)
    if result is not DataAccessResult.SUCCESS:
        raise refused(descriptor, result)


def unconfirmed_set(
    context: ServiceContext,
    session: Session,
    target: Target,
    attribute: AttributeLike,
    value: Any,
    class_id: ClassLike | None = None,
    selection: SelectiveAccessDescriptor | None = None,
) -> Conversation[Apdu]:
    """Return the request that writes one attribute and asks for no answer.

    Raises:
        EncodeError: The value fits no type that the attribute may have.
        UnsupportedError: SET was not agreed on, or the request is longer than the server takes.
    """
    descriptor = yield from resolve(context, session, target, attribute, class_id)
    data = yield from coerced(context, session, descriptor, value)
    return services.unconfirmed_write(context, descriptor, data, selection)


def set_many(
    context: ServiceContext, session: Session, items: Iterable[AttributeValue]
) -> Conversation[list[Result[None]]]:
    """Write attributes; the server may take some and refuse others: a result for each, in order."""
    wanted: list[services.Item] = []
    values: list[DataValue] = []
    for item in items:
        if not 3 <= len(item) <= 4:
            raise ConfigurationError(f"{item!r} is no (object, attribute, value) or (..., class_id)")
        target, attribute, value, class_id = (*item, None)[:4]
        descriptor = yield from resolve(context, session, target, attribute, class_id)
        values.append((yield from coerced(context, session, descriptor, value)))
        wanted.append((descriptor, None))
    results = yield from services.write_list(context, session, wanted, values)
    return [
        Result(
            descriptor.instance_id,
            descriptor.class_id,
            descriptor.attribute_id,
            error=None if result is DataAccessResult.SUCCESS else refused(descriptor, result),
        )
        for (descriptor, _), result in zip(wanted, results, strict=True)
    ]


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


def _looked_up(
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
        and result.error.result in _WRONG_CLASS
        and class_id_of(_parts_of(item)[0], _parts_of(item)[2]) is None
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


def coerced(
    context: ServiceContext, session: Session, descriptor: CosemAttributeDescriptor, value: Any
) -> Conversation[DataValue]:
    """Return the Data to write; where the class leaves the type open, the present value decides.

    Raises:
        EncodeError: It fits no type that the attribute may have; ``None`` is null-data, which few may be.
    """
    if value is NULL_DATA:
        return None
    if hasattr(value, "tag"):
        return value  # type: ignore[no-any-return]
    from cosem.errors import EncodeError

    class_id = descriptor.class_id
    found = declared(class_id, session.version(descriptor.instance_id, class_id))
    attribute = None if found is None else found.attribute(descriptor.attribute_id)
    if value is None:
        if attribute is not None and attribute.data_type.mismatch(None) is not None:
            raise EncodeError(
                f"None would be null-data, but {attribute.data_type} is wanted; NULL_DATA sends it all the same",
                attribute.name,
            )
        return None
    if isinstance(value, bool) and (attribute is None or "CHOICE" in attribute.data_type.text):
        return value  # its type is said, where the class leaves it open
    if attribute is not None and "CHOICE" not in attribute.data_type.text:
        return attribute.coerce(value)
    present = yield from services.read(context, session, descriptor)
    if isinstance(present, DataAccessResult):
        raise EncodeError(f"{value!r}: the type of this attribute is open; give a value of cosem.types")
    if attribute is not None:
        return attribute.coerce(value, like=present)
    kind: Any = type(present)
    try:
        return kind(value)  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        raise EncodeError(f"{value!r} is no {kind.__name__}, the type of the present value") from error


def _parts_of(
    item: AttributeItem,
) -> tuple[Any, AttributeLike, ClassLike | None, SelectiveAccessDescriptor | None]:
    """Return target, attribute, class and selection of an item."""
    if not isinstance(item, tuple) or hasattr(item, "logical_name"):
        return *named_in(item), None, None
    if not 1 <= len(item) <= 4:
        raise ConfigurationError(f"{item!r} is no (object, attribute, class_id, selection)")
    target, attribute, class_id, selection = (
        (*item, 2, None, None)[:4] if len(item) == 1 else (*item, None, None)[:4]
    )
    return *named_in(target, attribute), class_id, selection


def _number(attribute: AttributeLike) -> int:
    return attribute if isinstance(attribute, int) else getattr(attribute, "number", 0)


def _result(descriptor: CosemAttributeDescriptor, value: DataValue | Refusal) -> Result[DataValue]:
    name, class_id, number = descriptor.instance_id, descriptor.class_id, descriptor.attribute_id
    if isinstance(value, Refusal):
        return Result(name, class_id, number, error=refused(descriptor, value))
    return Result(name, class_id, number, value)
