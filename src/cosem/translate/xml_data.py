"""Values of Data as elements of the published schema, and back.

Each value is an element named after its type. Date-times are octets there, and
floating point numbers are decimal; delta types and a few values that XML cannot
hold are written as the page on XML forms says, or refused.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from cosem.codec.compact_array import read_contents, read_type_description, write_compact_array
from cosem.codec.limits import DEFAULT_LIMITS
from cosem.codec.reader import Reader
from cosem.codec.scalars import FIXED, TAG_NAMES
from cosem.errors import ConversionError, EncodeError
from cosem.translate.data_items import octets_note, status_note
from cosem.translate.data_json import data_from_json, data_to_json
from cosem.translate.fields import octets_of
from cosem.translate.xml_tree import Element, unwritable
from cosem.types.data import Array, CompactArray, Structure, TypeDescription, Utf8String, VisibleString
from cosem.types.date_time import Date, DateTime, Time

__all__ = ["data_element", "data_of"]

_ARRAY, _STRUCTURE, _COMPACT_ARRAY = 1, 2, 19
_TAGS: Final = {name: tag for tag, name in TAG_NAMES.items()}
_BOOLEANS: Final = {"true": True, "1": True, "True": True, "false": False, "0": False, "False": False}
_DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LEXICAL: Final = {math.inf: "INF", -math.inf: "-INF"}
_SPECIAL: Final = {
    "float32": {"INF": "7F800000", "-INF": "FF800000", "NaN": "7FC00000"},
    "float64": {"INF": "7FF0000000000000", "-INF": "FFF0000000000000", "NaN": "7FF8000000000000"},
}
"""Numbers that are words in XML: their octets."""


def data_element(value: Any, *, lossy: bool = False) -> Element:
    """Return the element of a value of Data.

    Args:
        value: The value.
        lossy: Whether text that XML cannot hold becomes an octet-string, and a NaN loses its payload.

    Raises:
        EncodeError: It is of no COSEM type, or XML cannot hold it.
    """
    if isinstance(value, CompactArray):
        return _compact_array_element(value)
    if isinstance(value, (Array, Structure)):
        return Element(value.asn1_name, [data_element(member, lossy=lossy) for member in value])
    if isinstance(value, (VisibleString, Utf8String)):
        return _text_element(value, lossy)
    if isinstance(value, float):
        return _float_element(value, lossy)
    ((name, content),) = data_to_json(value).items()
    if isinstance(content, bool):
        return Element(name, text="true" if content else "false")
    text = "" if content is None else str(content)
    if isinstance(value, (DateTime, Date, Time)):
        notes = [str(value), status_note(value) if isinstance(value, DateTime) else ""]
        return Element(name, text=text, comment="; ".join(filter(None, notes)))
    return Element(name, text=text, comment=octets_note(value) if isinstance(value, bytes) else "")


def _text_element(value: VisibleString | Utf8String, lossy: bool) -> Element:
    name = value.asn1_name
    if unwritable(value) or (isinstance(value, Utf8String) and not value.well_formed):
        if not lossy:
            raise EncodeError("a text that XML cannot hold", name)
        octets = value.octets.hex().upper()
        return Element("octet-string", text=octets, comment=f"{name} that XML cannot hold")
    comment = "" if value.isascii() or isinstance(value, Utf8String) else "octets above 7F, as Latin-1"
    return Element(name, text=str(value), comment=comment)


def _float_element(value: Any, lossy: bool) -> Element:
    if not math.isnan(value):
        return Element(value.asn1_name, text=_LEXICAL.get(value) or repr(float(value)))
    octets = FIXED[value.tag].pack(value)[1:].hex().upper()
    if not lossy and octets != _SPECIAL[value.asn1_name]["NaN"]:
        raise EncodeError(f"XML cannot hold the payload of the NaN {octets}", value.asn1_name)
    return Element(value.asn1_name, text="NaN", comment=f"octets {octets}")


def _compact_array_element(value: CompactArray) -> Element:
    description, contents = value.type_description, value.contents
    if contents is None:
        built = bytearray()
        write_compact_array(built, value)
        reader = Reader(bytes(built))
        reader.pos = 1
        read_type_description(reader)
        contents = reader.octet_string()
    return Element(
        value.asn1_name,
        [
            Element("contents-description", [_description_element(description)]),
            Element("array-contents", text=contents.hex().upper()),
        ],
    )


def _description_element(description: TypeDescription) -> Element:
    name = TAG_NAMES[description.tag]
    if description.tag == _STRUCTURE:
        members = [Element("TypeDescription", [_description_element(each)]) for each in description.members]
        return Element(name, members)
    if description.tag == _ARRAY:
        return Element(
            name,
            [
                Element("number-of-elements", text=str(description.count)),
                Element("type-description", [_description_element(description.members[0])]),
            ],
        )
    return Element(name)


def data_of(element: Element, depth: int = 0) -> Any:
    """Return the value of Data that an element holds.

    Raises:
        EncodeError: It holds none; the path says where.
    """
    name, text = element.name, element.text
    if depth > DEFAULT_LIMITS.nesting:
        raise EncodeError(f"nested deeper than {DEFAULT_LIMITS.nesting}", name)
    if name in ("array", "structure"):
        members = []
        for index, child in enumerate(element.children):
            try:
                members.append(data_of(child, depth + 1))
            except EncodeError as error:
                raise EncodeError(error.problem, f"{name}[{index}].{error.path}") from None
        return Array(members) if name == "array" else Structure(members)
    if name == "compact-array":
        return _compact_array_of(element)
    if element.children:
        raise EncodeError("elements where a value is wanted", name)
    return data_from_json({name: _content(name, text)})


def _content(name: str, text: str) -> Any:
    """Return what stands for the text of an element in the JSON form."""
    if name in ("null-data", "dont-care"):
        return text.strip() or None
    if name in ("visible-string", "utf8-string"):
        return text
    word = text.strip()
    if name == "boolean":
        if word not in _BOOLEANS:
            raise EncodeError(f"{word!r} is no boolean", name)
        return _BOOLEANS[word]
    if name in _SPECIAL:
        if word in _SPECIAL[name]:
            return _SPECIAL[name][word]
        if not _DECIMAL.fullmatch(word):
            raise EncodeError(f"{word!r} is no number", name)
        return float(word)
    return word


def _compact_array_of(element: Element) -> CompactArray:
    parts = {child.name: child for child in element.children}
    if set(parts) != {"contents-description", "array-contents"}:
        raise EncodeError("contents-description and array-contents are wanted", element.name)
    try:
        description = _description_of(parts["contents-description"].only())
        octets = octets_of(parts["array-contents"].text.strip())
        return CompactArray(read_contents(Reader(octets), description), description, octets)
    except EncodeError as error:
        raise EncodeError(error.problem, element.name) from None
    except (ConversionError, ValueError) as error:
        raise EncodeError(f"array-contents do not fit: {error}", element.name) from None


def _description_of(element: Element, depth: int = 0) -> TypeDescription:
    if depth > DEFAULT_LIMITS.nesting:
        raise EncodeError(f"nested deeper than {DEFAULT_LIMITS.nesting}", element.name)
    tag = _TAGS.get(element.name)
    if tag is None or tag == _COMPACT_ARRAY:
        raise EncodeError("no type of an element", element.name)
    if tag == _STRUCTURE:
        members = [_description_of(child.only(), depth + 1) for child in element.children]
        return TypeDescription(tag, 0, tuple(members))
    if tag == _ARRAY:
        parts = {child.name: child for child in element.children}
        if set(parts) != {"number-of-elements", "type-description"}:
            raise EncodeError("number-of-elements and type-description are wanted", element.name)
        count = parts["number-of-elements"].text.strip()
        if not (count.isascii() and count.isdigit() and int(count) <= 0xFFFF):
            raise EncodeError(f"{count!r} is no number 0..65535", element.name)
        inner = _description_of(parts["type-description"].only(), depth + 1)
        return TypeDescription(tag, int(count), (inner,))
    return TypeDescription(tag)
