"""Values of Data as objects that JSON can hold, each under the name of its type, and back.

``{"double-long-unsigned": 5}``, ``{"octet-string": "0100010800FF"}``,
``{"structure": [...]}``. Octets are hexadecimal, and so are date-times and floating
point numbers that JSON has no number for; every value comes back with its octets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from cosem.codec.compact_array import read_contents
from cosem.codec.limits import DEFAULT_LIMITS
from cosem.codec.reader import Reader
from cosem.codec.scalars import FIXED, TAG_NAMES
from cosem.errors import ConversionError, EncodeError
from cosem.translate.fields import octets_of
from cosem.types.data import (
    DONT_CARE,
    Array,
    BitString,
    CompactArray,
    Float32,
    Float64,
    OctetString,
    Structure,
    TypeDescription,
    Utf8String,
    VisibleString,
)
from cosem.types.date_time import Date, DateTime, Time

__all__ = ["data_from_json", "data_to_json", "description_from_json", "description_to_json"]

_ARRAY, _STRUCTURE, _COMPACT_ARRAY = 1, 2, 19
_DECIMAL: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_TAGS: Final = {name: tag for tag, name in TAG_NAMES.items()}
_NUMBERS: Final[dict[str, Any]] = {
    TAG_NAMES[tag]: scalar.kind for tag, scalar in FIXED.items() if hasattr(scalar.kind, "minimum")
}
_FLOATS: Final[dict[str, tuple[int, type[Float32 | Float64]]]] = {
    "float32": (23, Float32),
    "float64": (24, Float64),
}
_TIMES: Final[dict[str, type[DateTime | Date | Time]]] = {"date-time": DateTime, "date": Date, "time": Time}


def data_to_json(value: Any) -> dict[str, Any]:
    """Return a value of Data as an object with one member, named after its type.

    Raises:
        EncodeError: It is of no COSEM type.

    >>> data_to_json(OctetString(b"abc"))
    {'octet-string': '616263'}
    """
    if value is None:
        return {"null-data": None}
    if isinstance(value, bool):
        return {"boolean": value}
    name = getattr(value, "asn1_name", "octet-string" if isinstance(value, bytes) else None)
    if name is None:
        raise EncodeError(f"{type(value).__name__} is no COSEM type")
    if isinstance(value, CompactArray):
        content: Any = {
            "contents-description": description_to_json(value.type_description),
            "items": [data_to_json(element) for element in value],
        }
        if value.contents is not None:
            content["array-contents"] = value.contents.hex().upper()
        return {name: content}
    if isinstance(value, (Array, Structure)):
        return {name: [data_to_json(member) for member in value]}
    return {name: _scalar(value)}


def _scalar(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, Utf8String) and not value.well_formed:
        return {"octets": value.octets.hex().upper()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (DateTime, Date, Time)):
        return value.octets.hex().upper()
    if isinstance(value, BitString):
        return str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return FIXED[value.tag].pack(value)[1:].hex().upper()  # type: ignore[attr-defined]
    return int(value) if isinstance(value, int) else None


def description_to_json(description: TypeDescription) -> Any:
    """Return a type description: the name of a type, or an object for an array or structure."""
    if description.tag == _STRUCTURE:
        return {"structure": [description_to_json(member) for member in description.members]}
    if description.tag == _ARRAY:
        element = description_to_json(description.members[0])
        return {"array": {"number-of-elements": description.count, "type": element}}
    return TAG_NAMES[description.tag]


def data_from_json(value: Any, path: str = "", depth: int = 0) -> Any:
    """Return the value of Data that :func:`data_to_json` made this object of.

    Raises:
        EncodeError: It is no such object; the path says where.

    >>> data_from_json({"structure": [{"integer": -1}, {"enum": 30}]})
    Structure((Integer(-1), Enum(30)))
    """
    if not isinstance(value, dict) or len(value) != 1:
        raise EncodeError("an object with one member, the type, is wanted", path)
    ((name, content),) = value.items()
    where = f"{path}.{name}".removeprefix(".")
    if depth > DEFAULT_LIMITS.nesting:
        raise EncodeError(f"nested deeper than {DEFAULT_LIMITS.nesting}", where)
    if name in ("array", "structure"):
        members = [
            data_from_json(member, f"{where}[{index}]", depth + 1)
            for index, member in enumerate(_list(content, where))
        ]
        return Array(members) if name == "array" else Structure(members)
    if name == "compact-array":
        return _compact_array(content, where)
    make = _MAKERS.get(name) if isinstance(name, str) else None
    if make is None:
        raise EncodeError(f"{name!r} is no type of Data", path)
    try:
        return make(content)
    except EncodeError as error:
        raise EncodeError(error.problem, where) from None
    except (ConversionError, TypeError, ValueError, OverflowError) as error:
        raise EncodeError(f"{content!r} does not fit: {error}", where) from None


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise EncodeError("a list is wanted", path)
    return value


def _integer(kind: Any) -> Callable[[Any], Any]:
    def make(content: Any) -> Any:
        number = int(content) if isinstance(content, str) and _DECIMAL.fullmatch(content) else content
        if isinstance(number, bool) or not isinstance(number, int):
            raise EncodeError(f"{content!r} is no integer")
        if not kind.minimum <= number <= kind.maximum:
            raise EncodeError(f"{number} is outside {kind.minimum}..{kind.maximum}")
        return kind(number)

    return make


def _floating(tag: int, kind: type[Float32 | Float64]) -> Callable[[Any], Any]:
    def make(content: Any) -> Any:
        if isinstance(content, str):
            octets = octets_of(content)
            if len(octets) != FIXED[tag].size:
                raise EncodeError(f"{FIXED[tag].size} octets wanted, {len(octets)} given")
            return FIXED[tag].make(octets)
        if isinstance(content, bool) or not isinstance(content, (int, float)):
            raise EncodeError(f"{content!r} is no number")
        value = kind(content)
        FIXED[tag].pack(value)
        return value

    return make


def _boolean(content: Any) -> bool:
    if not isinstance(content, bool):
        raise EncodeError(f"{content!r} is no boolean")
    return content


def _nothing(value: Any) -> Callable[[Any], Any]:
    def make(content: Any) -> Any:
        if content is not None:
            raise EncodeError("null is wanted")
        return value

    return make


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise EncodeError(f"{content!r} is no text")
    return content


def _visible(content: Any) -> VisibleString:
    value = VisibleString(_text(content))
    value.octets.hex()  # raises where a character has no octet
    return value


def _utf8(content: Any) -> Utf8String:
    if isinstance(content, dict) and set(content) == {"octets"}:
        return Utf8String.from_octets(octets_of(content["octets"]))
    value = Utf8String(_text(content))
    value.octets.hex()
    return value


def _bits(content: Any) -> BitString:
    text = _text(content)
    if not set(text) <= {"0", "1"}:
        raise EncodeError(f"{content!r} is not of 0 and 1")
    return BitString.from_text(text)


_MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    **{name: _integer(kind) for name, kind in _NUMBERS.items()},
    **{name: _floating(tag, kind) for name, (tag, kind) in _FLOATS.items()},
    "date-time": lambda content: DateTime(octets_of(content)),
    "date": lambda content: Date(octets_of(content)),
    "time": lambda content: Time(octets_of(content)),
    "null-data": _nothing(None),
    "dont-care": _nothing(DONT_CARE),
    "boolean": _boolean,
    "octet-string": lambda content: OctetString(octets_of(content)),
    "visible-string": _visible,
    "utf8-string": _utf8,
    "bit-string": _bits,
}


def description_from_json(value: Any, path: str = "", depth: int = 0) -> TypeDescription:
    """Return the type description that :func:`description_to_json` made this of.

    Raises:
        EncodeError: It is none; the path says where.
    """
    if depth > DEFAULT_LIMITS.nesting:
        raise EncodeError(f"nested deeper than {DEFAULT_LIMITS.nesting}", path)
    if isinstance(value, str):
        tag = _TAGS.get(value)
        if tag is None or tag in (_ARRAY, _STRUCTURE, _COMPACT_ARRAY):
            raise EncodeError(f"{value!r} is no type of an element", path)
        return TypeDescription(tag)
    if isinstance(value, dict) and set(value) == {"structure"}:
        members = _list(value["structure"], path)
        return TypeDescription(
            _STRUCTURE,
            0,
            tuple(
                description_from_json(member, f"{path}[{index}]", depth + 1)
                for index, member in enumerate(members)
            ),
        )
    if isinstance(value, dict) and set(value) == {"array"} and isinstance(value["array"], dict):
        count = value["array"].get("number-of-elements")
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 0xFFFF:
            raise EncodeError("number-of-elements is no number 0..65535", path)
        return TypeDescription(
            _ARRAY, count, (description_from_json(value["array"].get("type"), path, depth + 1),)
        )
    raise EncodeError("a type, a structure or an array is wanted", path)


def _compact_array(content: Any, path: str) -> CompactArray:
    if not isinstance(content, dict) or "contents-description" not in content:
        raise EncodeError("an object with contents-description is wanted", path)
    description = description_from_json(content["contents-description"], path)
    if "array-contents" in content:
        octets = octets_of(content["array-contents"])
        try:
            return CompactArray(read_contents(Reader(octets), description), description, octets)
        except ValueError as error:
            raise EncodeError(f"array-contents do not fit: {error}", path) from None
    items = [
        data_from_json(item, f"{path}[{index}]", 1)
        for index, item in enumerate(_list(content.get("items"), path))
    ]
    return CompactArray(items, description)
