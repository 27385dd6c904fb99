"""Readings: a value with its unit, exact, and what else tells what it means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.context import Conversation, ServiceContext
from cosem.client.naming import object_name
from cosem.client.operations import services
from cosem.client.operations.refusals import Refusal, refused
from cosem.client.operations.resolving import AttributeItem, number_of, parts_of, resolve, wrongly_guessed
from cosem.client.results import Reading, Result
from cosem.client.session import Session
from cosem.client.targets import AttributeLike, ClassLike, Target, declared, name_of
from cosem.errors import AccessError, ConversionError, ServiceError
from cosem.types.date_time import DateTime
from cosem.types.enumerations import DataAccessResult
from cosem.types.units import ScalerUnit

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["lasts", "moment_of", "read", "read_many", "scaler_attribute", "scaler_of", "value_of"]


class _Measured(NamedTuple):
    """Where a class keeps what belongs to its measured values."""

    values: frozenset[int]
    scaler_unit: int
    status: int | None = None
    capture_time: int | None = None


_MEASURED: Final = {
    3: _Measured(frozenset({2}), 3),
    4: _Measured(frozenset({2}), 3, 4, 5),
    5: _Measured(frozenset({2, 3}), 4, 5, 6),
}
"""Register, Extended register, Demand register."""
_LASTING: Final = frozenset(
    {
        DataAccessResult.OBJECT_UNDEFINED,
        DataAccessResult.READ_WRITE_DENIED,
        DataAccessResult.OBJECT_CLASS_INCONSISTENT,
    }
)
"""Refusals that say what the meter has and whom it lets read it; every other one may be over the next time."""


def scaler_attribute(class_id: int, attribute: int) -> int | None:
    """Return the attribute that holds scaler and unit of another one; ``None`` if it has none."""
    measured = _MEASURED.get(class_id)
    return measured.scaler_unit if measured is not None and attribute in measured.values else None


def read(
    context: ServiceContext,
    session: Session,
    target: Target,
    attribute: AttributeLike = 2,
    class_id: ClassLike | None = None,
) -> Conversation[Reading]:
    """Read one value with all that belongs to it, in one request where lists were agreed on.

    Raises:
        AccessError: The server refused the value itself.
        ServiceError: It refused a request, with an error that does not say whether for the value or for its scaler.
    """
    return (yield from read_many(context, session, [(target, attribute, class_id)]))[0].value


def read_many(
    context: ServiceContext, session: Session, items: Iterable[AttributeItem]
) -> Conversation[list[Result[Reading]]]:
    """Read values with all that belongs to them; what is refused becomes a result with an error."""
    asked = list(items)
    results = yield from _read_many(context, session, asked)
    again = yield from wrongly_guessed(context, session, asked, results)
    if again:
        better = yield from _read_many(context, session, [asked[place] for place in again])
        for place, result in zip(again, better, strict=True):
            results[place] = result
    return results


def _read_many(
    context: ServiceContext, session: Session, items: Iterable[AttributeItem]
) -> Conversation[list[Result[Reading]]]:
    plans: list[CosemAttributeDescriptor | Result[Reading]] = []
    wanted: dict[CosemAttributeDescriptor, Any] = {}
    for item in items:
        target, attribute, class_id, _ = parts_of(item)
        try:
            descriptor = yield from resolve(context, session, target, attribute, class_id)
        except AccessError as error:
            plans.append(Result(name_of(target), 0, number_of(attribute), error=error))
            continue
        plans.append(descriptor)
        wanted.update(dict.fromkeys(_needed(session, descriptor)))
    values = yield from services.read_list(context, session, [(each, None) for each in wanted])
    wanted.update(zip(wanted, values, strict=True))
    results: list[Result[Reading]] = []
    for plan in plans:
        if isinstance(plan, Result):
            results.append(plan)
            continue
        value = wanted[plan]
        name, number = plan.instance_id, plan.attribute_id
        if not isinstance(value, Refusal):
            # Without its scaler a value is wrong by powers of ten, and this refusal need not even be about the scaler.
            needed = _scaler_of(plan)
            scaler = None if needed is None else wanted.get(needed)
            value = scaler if isinstance(scaler, ServiceError) else value
        if isinstance(value, Refusal):
            results.append(Result(name, plan.class_id, number, error=refused(plan, value)))
        else:
            results.append(Result(name, plan.class_id, number, _reading(session, plan, wanted)))
    return results


def _scaler_of(descriptor: CosemAttributeDescriptor) -> CosemAttributeDescriptor | None:
    """Return the attribute with scaler and unit of another one; ``None`` if it has none."""
    attribute = scaler_attribute(descriptor.class_id, descriptor.attribute_id)
    return None if attribute is None else replace(descriptor, attribute_id=attribute)


def _needed(session: Session, descriptor: CosemAttributeDescriptor) -> list[CosemAttributeDescriptor]:
    """Return the attributes that make a reading: the value first, then what is not known yet."""
    class_id, name = descriptor.class_id, descriptor.instance_id
    needed = [descriptor]
    measured = _MEASURED.get(class_id)
    if measured is not None and descriptor.attribute_id in measured.values:
        if (class_id, name) not in session.scalers:
            needed.append(CosemAttributeDescriptor(class_id, name, measured.scaler_unit))
        needed += [
            CosemAttributeDescriptor(class_id, name, number)
            for number in (measured.status, measured.capture_time)
            if number is not None
        ]
    return needed


def _reading(session: Session, descriptor: CosemAttributeDescriptor, values: dict[Any, Any]) -> Reading:
    class_id, name, number = descriptor.class_id, descriptor.instance_id, descriptor.attribute_id
    raw = values[descriptor]
    measured = _MEASURED.get(class_id)
    if measured is None or number not in measured.values:
        value = value_of(class_id, number, raw, session.version(name, class_id))
        return Reading(name, object_name(name), class_id, number, value, "", raw)
    scaler_unit = scaler_of(
        session, descriptor, values.get(CosemAttributeDescriptor(class_id, name, measured.scaler_unit))
    )
    status, capture_time = (
        None if kept is None else values.get(CosemAttributeDescriptor(class_id, name, kept))
        for kept in (measured.status, measured.capture_time)
    )
    return Reading(
        name,
        object_name(name),
        class_id,
        number,
        raw
        if scaler_unit is None or not isinstance(raw, (int, float)) or isinstance(raw, bool)
        else scaler_unit.apply(raw),
        "" if scaler_unit is None else scaler_unit.unit.symbol,
        raw,
        scaler_unit,
        "refused" if scaler_unit is None else "meter",
        None if isinstance(status, Refusal) else status,
        None if isinstance(capture_time, Refusal) else moment_of(capture_time),
    )


def scaler_of(session: Session, descriptor: CosemAttributeDescriptor, value: Any) -> ScalerUnit | None:
    """Return scaler and unit of an object, remembered or as just read; ``None`` where it gives none."""
    key = descriptor.class_id, descriptor.instance_id
    if key in session.scalers:
        return session.scalers[key]
    try:
        found = ScalerUnit.from_data(value)
    except ConversionError:
        found = None
        if not isinstance(value, Refusal):
            session.findings.append(f"scaler-unit: {descriptor.instance_id} has none that can be read")
    if lasts(value):
        session.scalers[key] = found
    else:
        session.findings.append(f"scaler-unit: {descriptor.instance_id} was not given this time: {value}")
    return found


def lasts(value: Any) -> bool:
    """Return whether an answer may be remembered: a value, or a refusal that will be the same the next time."""
    return not isinstance(value, Refusal) or value in _LASTING


def value_of(class_id: int, attribute: int, raw: DataValue, version: int | None = None) -> Any:
    """Return what the class makes of a raw value; texts in octet-strings become texts."""
    from cosem.types.data import OctetString

    found = declared(class_id, version)
    known = None if found is None else found.attribute(attribute)
    value = raw if known is None else known.from_data(raw)
    if type(value) is OctetString and class_id == 1:
        text = value.text
        return value if text is None else text
    return value


def moment_of(value: Any) -> Any:
    """Return a date-time as ``datetime`` where it is a moment, as it is where it is a pattern or no date-time."""
    if isinstance(value, bytes) and len(value) == 12:
        value = DateTime(bytes(value))
    if isinstance(value, DateTime):
        try:
            return value.to_datetime()
        except ConversionError:
            return value
    return value
