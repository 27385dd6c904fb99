"""Declared SEQUENCEs as elements of the published schema, and back.

One walk over the declaration for each direction. The tables say where the schema
names what the ASN.1 does not, or holds an element more.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any, Final

from cosem.codec.sequence import Nested
from cosem.codec.wires import Choice, Enumerated, Optional, OptionalData, SequenceOf, Wire, data_wire
from cosem.errors import ConversionError, EncodeError
from cosem.translate.data_items import date_time_note
from cosem.translate.fields import (
    Component,
    components_of,
    enumerated,
    kind_of,
    logical_name_of,
    octets_of,
    same_name,
    type_name,
)
from cosem.translate.naming import object_name
from cosem.translate.xml_data import data_element, data_of
from cosem.translate.xml_tree import Element
from cosem.types.data import ABSENT
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["leaf_text", "sequence_element", "sequence_of"]

_UNNAMED: Final = ("readRequest", "readResponse", "writeResponse")
"""APDUs that are a SEQUENCE OF themselves: their items stand directly in them."""
_ITEMS: Final = {
    "variable-access-specification": "Variable-Access-Specification",
    "access-request-specification": "Access-Request-Specification",
    "access-response-specification": "Access-Response-Specification",
    "get-response-with-list.result": "Get-Data-Result",
    "readResponse.result": "CHOICE",
    "writeResponse.result": "CHOICE",
}
"""What an item of a SEQUENCE OF a CHOICE is called, by component, or by APDU and component."""
_BODIES: Final = {
    "access-request": ("access-request-body", 2),
    "access-response": ("access-response-body", 2),
}
"""An element around the components from this one on."""
_WRAPPED: Final = {"notification-body": "data-value"}
"""A component whose Data stands in one more element."""
_SIGNED: Final = ("variable-name", "vaa-name")
_CODES: Final = {
    "key-id": ("global-unicast-encryption-key", "global-broadcast-encryption-key"),
    "kek-id": ("master-key",),
}
_RESERVED_SIX: Final = "reserved-six"
_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_BOOLEANS: Final = {
    "": True,
    "true": True,
    "1": True,
    "True": True,
    "false": False,
    "0": False,
    "False": False,
}
_GENERALIZED_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?(Z?)", re.ASCII)
_DATE_TIME: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z?)", re.ASCII)
_ALIASES: Final = {
    "BlockNumberAccess": "block-number-access",
    "ReadDataBlockAccess": "read-data-block-access",
    "WriteDataBlockAccess": "write-data-block-access",
    "parameterised-access": "parameterized-access",
}


class _Options:
    """How strictly and how lossily a document is written."""

    def __init__(self, strict: bool, lossy: bool) -> None:
        self.strict = strict
        self.lossy = lossy


def sequence_element(name: str, value: Any, *, strict: bool = True, lossy: bool = False) -> Element:
    """Return the element of a declared value.

    Args:
        name: What to call it.
        value: The value.
        strict: Refuse what the schema has no form for.
        lossy: As :func:`cosem.translate.xml_data.data_element`.

    Raises:
        EncodeError: The schema cannot hold a value in it; the path says where.
    """
    return Element(name, _children(value, name, _Options(strict, lossy)))


def _children(value: Any, owner: str, options: _Options) -> list[Element]:
    elements: list[Element] = []
    split = len(components_of(value.__class__))
    body, begin = _BODIES.get(owner, ("", split))
    for index, component in enumerate(components_of(value.__class__)):
        member = getattr(value, component.attribute)
        if member is ABSENT or (member is None and component.default is None):
            continue
        try:
            element = _component(component, member, owner, options)
        except EncodeError as error:
            path = component.name if not error.path else f"{component.name}.{error.path}"
            raise EncodeError(error.problem, path) from None
        if body and index >= begin:
            if not elements or elements[-1].name != body:
                elements.append(Element(body))
            elements[-1].children.append(element)
        else:
            elements.append(element)
    if owner in _UNNAMED:
        return elements[0].children
    return elements


def _component(component: Component, value: Any, owner: str, options: _Options) -> Element:
    name, wire = component.name, component.wire
    if isinstance(wire, (Optional, OptionalData)):
        wire = wire.inner
    if wire is data_wire:
        element = data_element(value, lossy=options.lossy)
        return Element(name, [Element(_WRAPPED[name], [element]) if name in _WRAPPED else element])
    if isinstance(wire, SequenceOf):
        return _list_element(name, wire.inner, value, owner, options)
    if isinstance(wire, Choice):
        return Element(name, [_chosen(wire, value, options)])
    if isinstance(wire, Nested):
        return Element(name, _children(value, name, options))
    return _leaf(name, value, options)


def _leaf(name: str, value: Any, options: _Options) -> Element:
    comment = ""
    if isinstance(value, LogicalName):
        comment = f"{value} {object_name(value)}".rstrip()
    elif isinstance(value, bytes) and name in ("date-time", "time"):
        comment = date_time_note(value)
    return Element(name, text=leaf_text(name, value, strict=options.strict), comment=comment)


def _list_element(name: str, wire: Wire, values: Any, owner: str, options: _Options) -> Element:
    if isinstance(wire, Enumerated):
        return Element(name, text=" ".join(leaf_text(name, each, strict=options.strict) for each in values))
    item = _ITEMS.get(f"{owner}.{name}") or _ITEMS.get(name, "")
    children = []
    for each in values:
        if wire is data_wire:
            children.append(Element("Data", [data_element(each, lossy=options.lossy)]))
        elif isinstance(wire, Choice):
            children.append(Element(item, [_chosen(wire, each, options)]))
        elif isinstance(wire, Nested):
            children.append(Element(type_name(wire.cls), _children(each, name, options)))
    return Element(name, children)


def _chosen(wire: Choice, value: Any, options: _Options) -> Element:
    """Return the element of the alternative that a CHOICE takes."""
    alternative = wire.select(value)
    name = alternative.name
    if name == "success":
        return Element(name)
    if alternative.wire is data_wire:
        return Element(name, [data_element(value, lossy=options.lossy)])
    if isinstance(alternative.wire, Nested):
        children = _children(value, name, options)
        return children[0] if same_name(alternative) else Element(name, children)
    return _leaf(name, value, options)


def leaf_text(name: str, value: Any, *, strict: bool = True) -> str:
    """Return the text of a component without parts.

    Raises:
        EncodeError: It is a code without a name, and ``strict``.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Conformance):
        return _conformance_text(value, strict)
    if isinstance(value, IntEnum):
        if not value.name.startswith("UNKNOWN_"):
            return str(value)
        if strict:
            raise EncodeError(f"the schema has no name for {int(value)}")
        return str(int(value))
    if isinstance(value, bytes):
        return _time_text(value) if name == "current-time" else value.hex().upper()
    if name in _SIGNED and value > 0x7FFF:
        return str(value - 0x10000)
    if name in _CODES:
        if int(value) < len(_CODES[name]):
            return str(_CODES[name][value])
        if strict:
            raise EncodeError(f"the schema has no name for {value}")
    return str(int(value))


def _conformance_text(value: Conformance, strict: bool) -> str:
    if value & Conformance.DELTA_VALUE_ENCODING and strict:
        return f"{int(value):024b}"  # the schema calls the bit by another name
    return " ".join(value.names())


def _time_text(value: bytes) -> str:
    """Return a GeneralizedTime as the schema writes moments; other octets as they are."""
    found = _GENERALIZED_TIME.fullmatch(value.decode("latin-1"))
    if not found:
        return value.hex().upper()
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}{fraction or ''}{zone}"


def sequence_of(cls: Any, element: Element) -> Any:
    """Return the declared value that an element holds.

    Raises:
        EncodeError: It holds none; the path says where.
    """
    return _value(cls, element, element.name)


def _value(cls: Any, element: Element, owner: str) -> Any:
    components = components_of(cls)
    if owner in _UNNAMED:
        element = Element(owner, [Element(components[0].name, element.children)])
    parts: dict[str, Element] = {}
    for child in _unwrapped(element.children):
        if child.name in parts:
            raise EncodeError("is there twice", child.name)
        parts[child.name] = child
    values = []
    for component in components:
        part = parts.pop(component.name, None)
        if part is None and component.name == "cosem-method-descriptor":
            part = parts.pop("cosem-attribute-descriptor", None)  # as other translators write it
        if part is None and component.name == "method-id":
            part = parts.pop("attribute-id", None)
        if part is None:
            if component.default is ...:
                raise EncodeError("is missing", component.name)
            values.append(component.default)
            continue
        try:
            values.append(_component_value(component, part, owner))
        except (EncodeError, ConversionError) as error:
            path = getattr(error, "path", "")
            problem = getattr(error, "problem", str(error))
            raise EncodeError(problem, f"{component.name}.{path}" if path else component.name) from None
    if parts:
        raise EncodeError("there is no such component", next(iter(parts)))
    return cls(*values)


def _unwrapped(children: list[Element]) -> list[Element]:
    """Return the components, those of a body among the others."""
    bodies = {body for body, _ in _BODIES.values()}
    return [each for child in children for each in (child.children if child.name in bodies else [child])]


def _component_value(component: Component, element: Element, owner: str) -> Any:
    name, wire = component.name, component.wire
    if isinstance(wire, (Optional, OptionalData)):
        wire = wire.inner
    if wire is data_wire:
        inner = element.only()
        return data_of(inner.only() if inner.name == _WRAPPED.get(name) else inner)
    if isinstance(wire, SequenceOf):
        return _list_value(name, wire.inner, element, owner)
    if isinstance(wire, Choice):
        return _choice_value(wire, element.only())
    if isinstance(wire, Nested):
        return _value(wire.cls, element, name)
    return _leaf_value(name, component.kind, element)


def _list_value(name: str, wire: Wire, element: Element, owner: str) -> tuple[Any, ...]:
    if isinstance(wire, Enumerated):
        words = [word for each in element.children or [element] for word in each.text.split()]
        return tuple([enumerated(kind_of(wire), word) for word in words])
    item = _ITEMS.get(f"{owner}.{name}") or _ITEMS.get(name, "")
    values: list[Any] = []
    for index, child in enumerate(element.children):
        try:
            if wire is data_wire:
                values.append(data_of(child.only() if child.name == "Data" else child))
            elif isinstance(wire, Choice):
                values.append(_choice_value(wire, child.only() if child.name == item else child))
            elif isinstance(wire, Nested):
                values.append(_value(wire.cls, child, name))
        except EncodeError as error:
            raise EncodeError(error.problem, f"[{index}].{error.path}".rstrip(".")) from None
    return tuple(values)


def _choice_value(wire: Choice, element: Element) -> Any:
    name = _ALIASES.get(element.name, element.name)
    for alternative in wire.alternatives:
        if alternative.name != name:
            continue
        if name == "success":
            return DataAccessResult.SUCCESS
        if alternative.wire is data_wire:
            return data_of(element.only())
        if isinstance(alternative.wire, Nested):
            held = Element(name, [element]) if same_name(alternative) else element
            return _value(alternative.wire.cls, held, name)
        return _leaf_value(name, kind_of(alternative.wire), element)
    names = ", ".join(alternative.name for alternative in wire.alternatives)
    raise EncodeError(f"none of {names}", element.name)


def _leaf_value(name: str, kind: type[Any], element: Element) -> Any:
    if element.children:
        raise EncodeError("elements where a value is wanted")
    text = element.text.strip()
    if kind is bool:
        if text not in _BOOLEANS:
            raise EncodeError(f"{text!r} is no boolean")
        return _BOOLEANS[text]
    if kind is bytes:
        return _time_of(text) if name == "current-time" else octets_of(text)
    if kind is LogicalName:
        return logical_name_of(text)
    if kind is Conformance:
        return _conformance_of(text)
    if issubclass(kind, IntEnum):
        return enumerated(kind, text)
    if text in _CODES.get(name, ()):
        return _CODES[name].index(text)
    if not _INTEGER.fullmatch(text):
        raise EncodeError(f"{text!r} is no integer")
    number = int(text)
    return kind(number + 0x10000 if name in _SIGNED and -0x8000 <= number < 0 else number)


def _conformance_of(text: str) -> Conformance:
    if len(text) == 24 and set(text) <= {"0", "1"}:
        return Conformance(int(text, 2))
    names = {bit.names()[0]: bit for bit in Conformance} | {_RESERVED_SIX: Conformance.DELTA_VALUE_ENCODING}
    block = Conformance(0)
    for word in text.split():
        if word not in names:
            raise EncodeError(f"{word!r} is no conformance bit")
        block |= names[word]
    return block


def _time_of(text: str) -> bytes:
    found = _DATE_TIME.fullmatch(text)
    if not found:
        return octets_of(text)
    return "".join(group or "" for group in found.groups()).encode("ascii")
