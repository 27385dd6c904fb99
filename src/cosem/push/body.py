"""The body of a notification: which value belongs to which object, and what it means.

Four ways to say it are known, and they mix: a push object list before the values
(Blue Book, class_id 40); the logical name beside each value, with scaler_unit or
without; class, name and attribute beside each value; and nothing at all, where
only a layout helps. What the message says itself always wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cosem.push.findings import (
    NAME_UNKNOWN,
    NAMES_FROM_LAYOUT,
    PADDED,
    SCALES_FROM_LAYOUT,
    TEXT_NOT_AS_ITS_TYPE,
    TIME_IMPOSSIBLE,
)
from cosem.push.items import Item, is_number, items_of, object_list
from cosem.push.layouts import Facts, Layout, Layouts
from cosem.push.message import Known, Origin, PushValue
from cosem.types.data import Array, Enum, OctetString, Structure, Utf8String, VisibleString
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.logical_name import LogicalName
from cosem.types.units import Unit, scaled

__all__ = ["Body", "is_time", "meaning", "read_body"]

_TIME_SIZE: Final = 12
_NAME_SIZE: Final = 6
_YEARS: Final = range(1970, 2200)
_PUSH_SETUP: Final = 40
_MESSAGE, _LAYOUT = Origin.MESSAGE, Origin.LAYOUT
_CATALOGUE, _UNKNOWN = Origin.CATALOGUE, Origin.UNKNOWN


class Body(NamedTuple):
    """What a body says.

    Attributes:
        values: Its values, in order.
        clock: The time in it, if there is one.
        device: Logical device name, or the text that names the list; empty if there is neither.
        layout: The layout that was used.
        findings: What was assumed.
    """

    values: tuple[PushValue, ...]
    clock: DateTime | None
    device: str
    layout: Layout | None
    findings: tuple[str, ...]


class Usual(NamedTuple):
    """What is usual of a logical name."""

    name: LogicalName
    class_id: int | None
    known: bool
    clock: bool
    device: bool


@lru_cache(maxsize=4096)
def _usual(octets: bytes) -> Usual:
    from cosem.classes.obis import describe

    name = LogicalName(octets)
    described = describe(name)
    clock = name.a == 0 and name[2:5] == b"\x01\x00\x00"
    class_id = 8 if clock else described.class_ids[0] if described.class_ids else None
    device = name.a == 0 and name[2:5] == b"\x2a\x00\x00"
    return Usual(name, class_id, described.known, clock, device)


def read_body(
    body: Any, layouts: Layouts, letters: str, deviations: Iterable[str] = (), invoke_id: int = 0
) -> Body:
    """Return what a body says.

    Args:
        body: The value of the body.
        layouts: What is known beforehand.
        letters: Three letters of the maker, from the system title; empty if it is not known.
        deviations: The findings of the message so far: some makers are known by them.
        invoke_id: The long-invoke-id-and-priority of the message.
    """
    elements: Sequence[Any] = body if isinstance(body, (Structure, Array)) else (body,)
    items = list(items_of(elements))
    layout: Layout | None = None
    version, device = _texts(elements, items)
    if any(_wants(item) for item in items) or not (letters or device):
        layout = layouts.find(
            _facts(body, elements, items, version, letters or device[:3], deviations, invoke_id)
        )
    names = layout.names if layout is not None and layout.names else {}
    findings: dict[str, None] = {}
    values = []
    clock: DateTime | None = None
    count = len(elements)
    for item in items:
        octets, known_name = item.name, item.origin
        if octets is None and names and len(item.position) == 1:
            octets = names.get(item.position[0]) or names.get(item.position[0] - count)
            known_name = _LAYOUT
        value = _value(item, octets, known_name, layout, findings)
        values.append(value)
        if clock is None and value.class_id == 8 and isinstance(value.value, DateTime):
            clock = value.value
    return Body(tuple(values), clock, device or version, layout, tuple(findings))


def _value(
    item: Item, octets: bytes | None, known_name: Origin, layout: Layout | None, findings: dict[str, None]
) -> PushValue:
    raw = item.raw
    class_id, attribute = item.class_id, item.attribute
    known_attribute = item.origin if class_id is not None else _UNKNOWN
    name: LogicalName | None = None
    clock = False
    if octets is None:
        known_name = _UNKNOWN
    else:
        usual = _usual(octets)
        name, clock = usual.name, usual.clock
        if not usual.known:
            findings[NAME_UNKNOWN] = None
        if known_name is _LAYOUT:
            findings[NAMES_FROM_LAYOUT] = None
        if class_id is None:
            class_id = 3 if item.scale is not None else usual.class_id
            known_attribute = _UNKNOWN if class_id is None else _CATALOGUE
            attribute = 2
    if item.scale is not None:
        scaler, unit = item.scale
        return PushValue(
            *(name, item.position, class_id, attribute, scaled(raw, scaler), scaler, _symbol(unit), raw),
            _known(known_name, known_attribute, _MESSAGE),
        )
    if is_number(raw):
        scale = layout.scale_of(name) if layout is not None and name is not None and attribute == 2 else None
        if scale is not None:
            findings[SCALES_FROM_LAYOUT] = None
            return PushValue(
                *(
                    name,
                    item.position,
                    class_id,
                    attribute,
                    scaled(raw, scale.scaler),
                    scale.scaler,
                    scale.unit,
                ),
                raw,
                _known(known_name, known_attribute, _LAYOUT),
            )
        value: Any = raw
    else:
        value = meaning(raw, clock=clock, is_name=attribute == 1 and class_id is not None, findings=findings)
    return PushValue(
        *(name, item.position, class_id, attribute, value, None, "", raw),
        _known(known_name, known_attribute, _UNKNOWN),
    )


@lru_cache(maxsize=256)
def _known(name: Origin, attribute: Origin, scale: Origin) -> Known:
    return Known(name, attribute, scale)


@lru_cache(maxsize=256)
def _symbol(unit: int) -> str:
    return Unit(unit).symbol if 0 <= unit <= 0xFF else ""


def meaning(raw: Any, *, clock: bool = False, is_name: bool = False, findings: dict[str, None]) -> Any:
    """Return what a value that is no number of a register means: a time, a text, a name; else as it came."""
    if isinstance(raw, OctetString):
        if len(raw) == _TIME_SIZE and (clock or is_time(raw)):
            moment = DateTime(raw)
            if moment.fault:
                findings[TIME_IMPOSSIBLE] = None
            return moment
        if is_name and len(raw) == _NAME_SIZE:
            return LogicalName(raw)
        if not raw:
            return ""
        text = raw.text
        if text is None or len(raw) == 1:
            return bytes(raw)
        if raw.endswith(b"\0"):
            findings[PADDED] = None
        return text
    if isinstance(raw, (VisibleString, Utf8String)):
        text = str(raw)
        if not raw.well_formed:
            findings[TEXT_NOT_AS_ITS_TYPE] = None
        if text.endswith("\0"):
            findings[PADDED] = None
            return text.rstrip("\0 ")
        return text
    if isinstance(raw, (DateTime, Date, Time)):
        if raw.fault:
            findings[TIME_IMPOSSIBLE] = None
    elif isinstance(raw, (Array, Structure)):
        for each in raw:  # such as a row of a profile: it stays as it came
            if not isinstance(each, OctetString):
                meaning(each, findings=findings)
    return raw


def is_time(octets: bytes) -> bool:
    """Return whether twelve octets are those of a moment and not a text or number of that size."""
    return (
        int.from_bytes(octets[:2], "big") in _YEARS
        and 1 <= octets[2] <= 12
        and 1 <= octets[3] <= 31
        and (octets[5] < 24 or octets[5] == 0xFF)
    )


def _wants(item: Item) -> bool:
    """Whether a layout could tell more of a value."""
    if item.name is None:
        return True
    return (
        item.scale is None and isinstance(item.raw, (int, float)) and not isinstance(item.raw, (bool, Enum))
    )


# What layouts match ------------------------------------------------------------------------------------------------


def _texts(elements: Sequence[Any], items: list[Item]) -> tuple[str, str]:
    """Return the text that names the list, and the logical device name."""
    version = device = ""
    for item in items:
        if item.name is not None and isinstance(item.raw, (OctetString, VisibleString)):
            if item.name[2:5] == b"\x00\x02\x81":
                version = version or _text(item.raw)
            elif item.name[2:5] == b"\x2a\x00\x00" and item.name[0] == 0:
                device = device or _text(item.raw)
    return version or (_text(elements[0]) if elements else ""), device


def _text(value: Any) -> str:
    text = (
        value.text if isinstance(value, OctetString) else value if isinstance(value, VisibleString) else None
    )
    return str(text or "")


def _facts(
    body: Any,
    elements: Sequence[Any],
    items: list[Item],
    version: str,
    letters: str,
    deviations: Iterable[str],
    invoke_id: int,
) -> Facts:
    setup = next((item.name for item in items if item.class_id == _PUSH_SETUP and item.name), None)
    objects = object_list(elements[0]) if elements else None
    if setup is None and objects and objects[0][0] == _PUSH_SETUP:
        setup = objects[0][1]
    names = [item.name for item in items if item.name is not None]
    return Facts(
        container=getattr(type(body), "asn1_name", ""),
        types=tuple(getattr(type(element), "asn1_name", "null-data") for element in elements),
        version=version,
        named=bool(names),
        times=frozenset(
            item.position[0]
            for item in items
            if item.name is None and len(item.position) == 1 and _is_unnamed_time(item.raw)
        ),
        push_setup=None if setup is None else LogicalName(setup),
        objects=frozenset(map(LogicalName, names)),
        maker=letters,
        findings=frozenset(deviations),
        invoke_id=invoke_id,
    )


def _is_unnamed_time(raw: Any) -> bool:
    return isinstance(raw, OctetString) and len(raw) == _TIME_SIZE and is_time(raw)
