"""Which value of a body belongs to what: a push object list, names, scalers and units beside values, or positions alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from cosem.push.message import Origin
from cosem.types.data import Array, Enum, Integer, LongUnsigned, OctetString, Structure

__all__ = ["SCALER_UNIT", "Item", "is_number", "items_of", "object_list"]

_NAME_SIZE: Final = 6
SCALER_UNIT: Final = {3: 3, 4: 3, 5: 4}
"""The attribute scaler_unit of the classes that have one."""


class Item(NamedTuple):
    """A value and what the message says beside it."""

    position: tuple[int, ...]
    raw: Any
    name: bytes | None = None
    class_id: int | None = None
    attribute: int | None = None
    scale: tuple[int, int] | None = None
    origin: Origin = Origin.MESSAGE


def items_of(elements: Sequence[Any]) -> Iterator[Item]:
    """Return the values of a body, each with what the body says beside it."""
    objects = object_list(elements[0]) if elements else None
    if objects is not None:
        shift = 0 if len(objects) == len(elements) else 1
        if len(objects) + shift == len(elements):
            return _listed(objects, elements, shift)
    return _walk(elements, ())


class Entry(NamedTuple):
    """An entry of a push object list."""

    class_id: int
    name: bytes
    attribute: int
    element: int  # of the attribute, from 1; 0 is all of it


def object_list(value: Any) -> list[Entry] | None:
    """Return the entries of a push object list; ``None`` if it is none."""
    if type(value) is not Array or not value:
        return None
    found = []
    for entry in value:
        if not (type(entry) is Structure and 4 <= len(entry) <= 6):
            return None
        class_id, name, attribute = entry[:3]
        if not (isinstance(class_id, int) and isinstance(attribute, int) and isinstance(entry[3], int)):
            return None
        if not (isinstance(name, OctetString) and len(name) == _NAME_SIZE):
            return None
        found.append(Entry(int(class_id), bytes(name), int(attribute), int(entry[3]) & 0x0FFF))
    return found


def _listed(objects: list[Entry], elements: Sequence[Any], shift: int) -> Iterator[Item]:
    scales = _pushed_scales(objects, elements, shift)
    for position in range(
        1, len(elements)
    ):  # the list itself stands first, also where it does not name itself
        class_id, name, attribute, _ = objects[position - shift]
        raw = elements[position]
        scale = scales.get(name) if attribute == 2 and is_number(raw) else None
        yield Item((position,), raw, name, class_id, attribute, scale, Origin.OBJECT_LIST)


def _pushed_scales(objects: list[Entry], elements: Sequence[Any], shift: int) -> dict[bytes, tuple[int, int]]:
    """Return scaler and unit of the objects whose scaler_unit is pushed too, whole or element by element."""
    parts: dict[bytes, dict[int, Any]] = {}
    for entry, raw in zip(objects, elements[shift:], strict=False):
        if SCALER_UNIT.get(entry.class_id) == entry.attribute:
            parts.setdefault(entry.name, {})[entry.element] = raw
    found = {}
    for name, elements_of in parts.items():
        whole = elements_of.get(0, Structure((elements_of.get(1), elements_of.get(2))))
        scale = _scale_of(whole, 0)
        if scale is not None:
            found[name] = scale
    return found


def is_number(raw: Any) -> bool:
    """Whether a value may be scaled."""
    return isinstance(raw, (int, float)) and not isinstance(raw, (bool, Enum))


def _walk(elements: Sequence[Any], above: tuple[int, ...]) -> Iterator[Item]:
    index, count = 0, len(elements)
    named = False
    while index < count:
        element = elements[index]
        position = (*above, index)
        index += 1
        if _is_name(element) and index < count:
            raw = elements[index]
            scale = _scale_of(elements[index + 1], raw) if index + 1 < count else None
            yield Item((*above, index), raw, bytes(element), scale=scale)
            index += 1 if scale is None else 2
            named = True
        elif isinstance(element, (Structure, Array)):
            described = _described(element, position) if len(element) == 4 else None
            if described is not None:
                yield described
            elif element:
                yield from _walk(element, position)
        elif element is not None or not named:
            yield Item(position, element)


def _described(element: Sequence[Any], position: tuple[int, ...]) -> Item | None:
    """Return the value beside class, name and attribute; ``None`` if the four are something else."""
    class_id, name, attribute, raw = element
    if type(class_id) is LongUnsigned and _is_name(name) and type(attribute) is Integer:
        return Item(position, raw, bytes(name), int(class_id), int(attribute))
    return None


def _is_name(value: Any) -> bool:
    return type(value) is OctetString and len(value) == _NAME_SIZE and value[5] == 0xFF


def _scale_of(value: Any, raw: Any) -> tuple[int, int] | None:
    """Return scaler and unit if a value is the scaler_unit of a number."""
    if (
        type(value) is Structure
        and len(value) == 2
        and type(value[1]) is Enum
        and isinstance(value[0], int)
        and isinstance(raw, (int, float))
        and -128 <= value[0] <= 127
    ):
        return int(value[0]), int(value[1])
    return None
