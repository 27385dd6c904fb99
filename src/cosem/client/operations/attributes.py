"""Reading and writing attributes, one or many, by any name that a caller may use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.client.operations import services
from cosem.client.operations.refusals import Refusal, refused
from cosem.client.operations.resolving import (
    WRONG_CLASS,
    AttributeItem,
    looked_up,
    number_of,
    parts_of,
    resolve,
    wrongly_guessed,
)
from cosem.client.results import Result
from cosem.client.session import Session
from cosem.client.targets import AttributeLike, ClassLike, Target, declared, name_of
from cosem.errors import AccessError, ConfigurationError, EncodeError, LinkError
from cosem.types.data import NULL_DATA
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.enumerations import DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu import Apdu
    from cosem.classes.base import Attribute
    from cosem.types.data import DataValue

__all__ = [
    "AttributeValue",
    "coerced",
    "data_of",
    "get",
    "get_many",
    "noted",
    "set_many",
    "set_value",
    "unconfirmed_set",
]

T = TypeVar("T")
AttributeValue: TypeAlias = tuple[Any, ...]
"""A tuple: object, attribute, value, and if need be its class."""
_DATE_TIME: Final = DateTime(bytes.fromhex("FFFFFFFFFFFFFFFFFF8000FF"))
"""One that stands for the type."""


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
        return noted(session, descriptor, result)
    if result in WRONG_CLASS and (better := (yield from looked_up(context, session, target, class_id))):
        descriptor = CosemAttributeDescriptor(better, descriptor.instance_id, descriptor.attribute_id)
        result = yield from services.read(context, session, descriptor, selection, progress)
        if not isinstance(result, DataAccessResult):
            return noted(session, descriptor, result)
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
        target, attribute, class_id, selection = parts_of(item)
        try:
            descriptor = yield from resolve(context, session, target, attribute, class_id)
        except LinkError:
            raise
        except AccessError as error:
            results.append(Result(name_of(target), 0, number_of(attribute), error=error))
            continue
        places.append(len(results))
        results.append(Result(descriptor.instance_id, descriptor.class_id, descriptor.attribute_id))
        wanted.append((descriptor, selection))
    for place, (descriptor, _), value in zip(
        places, wanted, (yield from services.read_list(context, session, wanted)), strict=True
    ):
        results[place] = _result(descriptor, value)
        noted(session, descriptor, value)
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
    written: list[Refusal] = []

    def results() -> list[Result[None]]:
        return [
            Result(
                descriptor.instance_id,
                descriptor.class_id,
                descriptor.attribute_id,
                error=None if result is DataAccessResult.SUCCESS else refused(descriptor, result),
            )
            for (descriptor, _), result in zip(wanted, written, strict=False)
        ]

    context.results_so_far = results
    yield from services.write_list(context, session, wanted, values, written)
    return results()


def data_of(
    context: ServiceContext,
    session: Session,
    target: Target,
    attribute: AttributeLike,
    value: Any,
    class_id: ClassLike | None = None,
) -> Conversation[DataValue]:
    """Return the Data that :func:`set_value` would write.

    Raises:
        EncodeError: The value fits no type that the attribute may have.
    """
    descriptor = yield from resolve(context, session, target, attribute, class_id)
    return (yield from coerced(context, session, descriptor, value))


def coerced(
    context: ServiceContext, session: Session, descriptor: CosemAttributeDescriptor, value: Any
) -> Conversation[DataValue]:
    """Return the Data to write; where the class leaves the type open, the present value decides.

    A value of cosem.types says of which type it is. Only a date-time, a date or a time does not where the class has
    octets for it: that is what an attribute means that was read. It goes out as it last came, else as octet-string.

    Raises:
        EncodeError: It fits no type that the attribute may have; ``None`` is null-data, which few may be.
    """
    if value is NULL_DATA:
        return None
    calendar = isinstance(value, (DateTime, Date, Time))
    if hasattr(value, "tag") and not calendar:
        return value  # type: ignore[no-any-return]
    class_id = descriptor.class_id
    found = declared(class_id, session.version(descriptor.instance_id, class_id))
    attribute = None if found is None else found.attribute(descriptor.attribute_id)
    if calendar:
        return value if descriptor in session.date_times else _as_octets(attribute, value)
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
        return attribute.coerce(value, like=_DATE_TIME if descriptor in session.date_times else None)
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


def noted(session: Session, descriptor: CosemAttributeDescriptor, value: T) -> T:
    """Return a value that was read, and take note of whether it was a date-time: what it means does not tell."""
    if type(value) is DateTime:
        session.date_times.add(descriptor)
    elif descriptor in session.date_times and isinstance(value, bytes):
        session.date_times.discard(descriptor)
    return value


def _as_octets(attribute: Attribute[Any] | None, value: DateTime | Date | Time) -> DataValue:
    """Return a moment as the octets that a class has for it; as it is where it has none."""
    if attribute is None or "CHOICE" in attribute.data_type.text:
        return value
    try:
        return attribute.coerce(value)
    except EncodeError:
        return value


def _result(descriptor: CosemAttributeDescriptor, value: DataValue | Refusal) -> Result[DataValue]:
    name, class_id, number = descriptor.instance_id, descriptor.class_id, descriptor.attribute_id
    if isinstance(value, Refusal):
        return Result(name, class_id, number, error=refused(descriptor, value))
    return Result(name, class_id, number, value)
