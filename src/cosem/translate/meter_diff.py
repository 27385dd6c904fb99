"""What two meters, or two dumps of one, differ in: objects, versions, rights, values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cosem.classes.meter_record import MeterRecord, RecordedObject
from cosem.codec.data import encode_data
from cosem.translate.access_text import rights_to_text
from cosem.translate.configuration import is_configuration
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["Difference", "differences", "left_out"]

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is different.

    Args:
        kind: ``"only in the first"``, ``"only in the second"``, ``"version"``, ``"rights"`` or ``"value"``.
        logical_name: The object.
        class_id: Its interface class.
        number: The attribute, of a value; else 0.
        attribute: Its name in the class; empty where there is none.
        before: What the first has: Data or a refusal of a value, a number of a version, a text of rights.
        after: What the second has. ``None`` stands for null-data, see :attr:`missing`.
        missing: Which of the two has no such value at all: 0 neither, 1 the first, 2 the second.
    """

    kind: str
    logical_name: LogicalName
    class_id: int
    number: int = 0
    attribute: str = ""
    before: Any = None
    after: Any = None
    missing: int = 0


def differences(first: MeterRecord, second: MeterRecord, *, dynamic: bool = False) -> Iterator[Difference]:
    """Yield what differs, in the order of the first meter.

    Args:
        first: A meter.
        second: Another one.
        dynamic: Whether values are compared that the meter changes by itself: registers, buffers, the time; see
            :func:`~cosem.translate.configuration.is_configuration`.
    """
    others = {each.key: each for each in second.objects}
    for each in first.objects:
        other = others.pop(each.key, None)
        if other is None:
            yield Difference("only in the first", each.logical_name, each.class_id)
        else:
            yield from _of_objects(each, other, dynamic=dynamic)
    for each in others.values():
        yield Difference("only in the second", each.logical_name, each.class_id)


def left_out(first: MeterRecord, second: MeterRecord) -> int:
    """Return how many values that both have differ, and do not count because a meter changes them by itself."""
    wholly, partly = (
        sum(each.kind == "value" and not each.missing for each in differences(first, second, dynamic=dynamic))
        for dynamic in (True, False)
    )
    return wholly - partly


def _of_objects(one: RecordedObject, other: RecordedObject, *, dynamic: bool) -> Iterator[Difference]:
    name, class_id = one.logical_name, one.class_id
    if one.version != other.version:
        yield Difference("version", name, class_id, before=one.version, after=other.version)
    if one.rights != other.rights:
        yield Difference("rights", name, class_id, before=_rights(one), after=_rights(other))
    ours, theirs = _outcomes(one), _outcomes(other)
    for number in sorted(ours.keys() | theirs.keys()):
        if not dynamic and not is_configuration(one, number):
            continue
        attribute = one.attribute(number)
        before, after = ours.get(number, _ABSENT), theirs.get(number, _ABSENT)
        if _octets(before) != _octets(after):
            missing = 1 if before is _ABSENT else 2 if after is _ABSENT else 0
            yield Difference(
                "value",
                name,
                class_id,
                number,
                "" if attribute is None else attribute.name,
                None if missing == 1 else before,
                None if missing == 2 else after,
                missing,
            )


def _rights(each: RecordedObject) -> str:
    texts = [
        (f"client {client}: " if client is not None else "") + rights_to_text(rights)
        for client, rights in each.rights.items()
    ]
    return "; ".join(texts)


def _outcomes(each: RecordedObject) -> Mapping[int, Any]:
    return {**each.refusals, **each.values}


def _octets(value: Any) -> Any:
    """Return what values are compared by: their octets, types included."""
    if value is _ABSENT or isinstance(value, DataAccessResult):
        return value
    return encode_data(value)
