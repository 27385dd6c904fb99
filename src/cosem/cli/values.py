"""Values of Data as people type them: ``double-long-unsigned:5``, ``text:hello``, JSON, or bare.

A bare value takes the type of what it replaces, so that ``cosem set URL OBIS value 5`` needs no knowledge of
tags; a named type, or JSON with types, says it all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cosem.errors import ConfigurationError, ConversionError, EncodeError

__all__ = ["HELP", "HELP_OF_PARAMETERS", "parse_value", "says_its_type"]

HELP: Final = """\
values:
  5, true, 12.5, hello      of the type that the present value has
  double-long-unsigned:5    any type of Data by its name; numbers also as 0x1F
  text:hello, hex:00FF      octet-string by characters or by octets
  text:a:b                  text with a colon after a word has to say so
  date-time:now             or ISO 8601, or 24 hexadecimal digits; date:, time:
                            (octets where the class has octets for it)
  {"structure": [{"integer": -3}, {"enum": 30}]}   JSON with types
  [-3, 30]                  JSON without types: those of the present value
  @FILE                     any of these from a file
"""
"""How a value is written that takes the place of another one."""
HELP_OF_PARAMETERS: Final = HELP.replace("that the present value has", "that the class declares").replace(
    "those of the present value", "as the class declares"
)
"""The same where there is no present value."""
_TYPED: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):(.*)", re.DOTALL)
_OCTETS: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+")
"""Octets with colons between them: ``aa`` in front is no name of a type."""
_BOOLEANS: Final = {
    "true": True,
    "1": True,
    "on": True,
    "yes": True,
    "false": False,
    "0": False,
    "off": False,
    "no": False,
}
_STRUCTURED: Final = frozenset({"array", "structure", "compact-array"})
_LONGEST_FILE: Final = 16 * 1024 * 1024


def parse_value(text: str, *, like: Any = None, coerce: Callable[[Any], Any] | None = None) -> Any:
    """Return the value of Data that a person means.

    Args:
        text: What was typed.
        like: The present value, whose type a bare value takes; ``None`` if there is none.
        coerce: Makes Data of a Python value by the declaration of the class; used where ``like`` does not tell.

    Raises:
        ConfigurationError: It means no value, or does not fit the type.
        OSError: The file cannot be read.

    >>> parse_value("unsigned:5"), parse_value("text:ab")
    (Unsigned(5), OctetString.fromhex('6162'))
    """
    if text.startswith("@"):
        text = _file(Path(text[1:]))
    try:
        return _value(text, like, coerce)
    except (ConversionError, EncodeError) as error:
        raise ConfigurationError(f"the value {_short(text)}: {error}") from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"the value {_short(text)} is no JSON: {error}") from None
    except (RecursionError, OverflowError):
        raise ConfigurationError(f"the value {_short(text)} is out of every range") from None


def _file(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_LONGEST_FILE + 1)
    if len(content) > _LONGEST_FILE:
        raise ConfigurationError(f"{path} holds more than {_LONGEST_FILE} octets; this is no value")
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no text") from None


def _value(text: str, like: Any, coerce: Callable[[Any], Any] | None) -> Any:
    typed = _named_type(text)
    if typed is not None:
        return _of_type(*typed)
    if text.lstrip().startswith(("{", "[")):
        return _of_json(json.loads(text), like, coerce)
    if like is not None and not isinstance(like, tuple):
        return _bare(text, like)
    if coerce is not None:
        return coerce(_guessed(text))
    if isinstance(like, tuple):
        raise EncodeError(f"the present value is {like.asn1_name}: JSON is wanted")  # type: ignore[attr-defined]
    raise EncodeError("nothing tells its type; name it, for example unsigned:5 or text:hello")


def says_its_type(text: str) -> bool:
    """Return whether a value can be understood without the present one: a named type, or JSON with types.

    >>> says_its_type("unsigned:5"), says_its_type("5"), says_its_type('{"unsigned": 5}')
    (True, False, True)
    """
    return _named_type(text) is not None or text.startswith(("@", "{"))


def _named_type(text: str) -> tuple[str, str] | None:
    """Return the type that a value names, and what comes after it; ``None`` if it names none.

    Raises:
        ConfigurationError: A word before a colon is no type: it would be written to the meter as a text.
    """
    from cosem.codec.scalars import TAG_NAMES

    typed = _TYPED.fullmatch(text)
    if typed is None or _OCTETS.fullmatch(text):
        return None
    name = typed[1]
    known = ("text", "hex", *TAG_NAMES.values())
    if name in known:
        return name, typed[2]
    from difflib import get_close_matches

    near = get_close_matches(name.lower().replace("_", "-"), known, n=3, cutoff=0.6)
    meant = (
        f"did you mean {', '.join(near)}?" if near else "types are, for example, unsigned, octet-string, hex;"
    )
    raise ConfigurationError(
        f"the value {_short(text)}: {_short(name)} is no type; {meant} text:... writes text with a colon"
    )


def _of_type(name: str, text: str) -> Any:
    """Return the value of a named type."""
    from cosem.translate.data_json import data_from_json
    from cosem.types.data import OctetString

    if name == "text":
        return OctetString(text.encode("utf-8"))
    if name == "hex":
        name = "octet-string"
    if name in _STRUCTURED:
        return data_from_json({name: json.loads(text)})
    return data_from_json({name: _content(name, text)})


def _content(name: str, text: str) -> Any:
    """Return the text of a value of this type as the JSON form has it."""
    if name == "boolean":
        if text.lower() not in _BOOLEANS:
            raise EncodeError("true or false is wanted")
        return _BOOLEANS[text.lower()]
    if name in ("null-data", "dont-care"):
        if text.lower() not in ("", "null"):
            raise EncodeError("null is wanted")
        return None
    if name == "octet-string":
        return _hexadecimal(text)
    if name in ("date-time", "date", "time"):
        return _calendar(name, text).octets.hex()
    if name in ("float32", "float64"):
        try:
            number = float(text)
        except ValueError:
            return text  # the octets of a NaN
        if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 -- NaN is what differs from itself
            raise EncodeError("a finite number is wanted, or its octets in hexadecimal")
        return number
    if name in ("visible-string", "utf8-string", "bit-string"):
        return text
    try:
        return int(text, 0)
    except ValueError:
        raise EncodeError("a whole number is wanted") from None


def _hexadecimal(text: str) -> str:
    try:
        return bytes.fromhex(text.removeprefix("0x").replace(":", " ")).hex()
    except ValueError:
        raise EncodeError("hexadecimal text is wanted; text:... writes characters") from None


def _calendar(name: str, text: str) -> Any:
    from cosem.types.date_time import Date, DateTime, Time

    if text == "now":
        now = datetime.now().astimezone()
        if name == "date-time":
            return DateTime.from_datetime(now)
        return Date.from_date(now.date()) if name == "date" else Time.from_time(now.time())
    kinds: dict[str, Any] = {"date-time": DateTime, "date": Date, "time": Time}
    return kinds[name].parse(text)


def _bare(text: str, like: Any) -> Any:
    """Return the value of a text that has the type of ``like``, which is no array or structure."""
    from cosem.translate.data_json import data_from_json
    from cosem.types.data import OctetString

    name = "boolean" if isinstance(like, bool) else getattr(like, "asn1_name", "octet-string")
    if name != "octet-string":
        return data_from_json({name: _content(name, text)})
    octets = bytes(like)
    meaning = {12: "date-time", 5: "date", 4: "time"}.get(len(octets))
    as_text = OctetString(octets).text is not None
    if meaning is not None and not as_text:
        try:
            return OctetString(_calendar(meaning, text).octets)
        except ConversionError:
            return OctetString(bytes.fromhex(_hexadecimal(text)))
    if len(octets) == 6 and not as_text:
        from cosem.types.logical_name import LogicalName

        return OctetString(LogicalName.parse(text))
    if as_text:
        return OctetString(text.encode("utf-8"))
    return OctetString(bytes.fromhex(_hexadecimal(text)))


def _guessed(text: str) -> Any:
    """Return the Python value that a text most likely means."""
    lower = text.lower()
    if lower in ("true", "false"):
        return lower == "true"
    if lower in ("", "null"):
        return None
    for kind in (lambda said: int(said, 0), float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _of_json(value: Any, like: Any, coerce: Callable[[Any], Any] | None) -> Any:
    """Return Data of JSON: with types, else as the present value or the declaration has them."""
    from cosem.translate.data_json import data_from_json

    try:
        return data_from_json(value)
    except EncodeError as error:
        fault = error
    if isinstance(like, tuple) and isinstance(value, list):
        return _alike(value, like)
    if coerce is not None:
        return coerce(value)
    raise fault


def _alike(value: Any, like: Any, path: str = "") -> Any:
    """Return JSON without types as Data of the same shape as ``like``."""
    from cosem.translate.data_json import data_from_json
    from cosem.types.data import Array, Structure

    if isinstance(value, dict):
        return data_from_json(value, path)
    if isinstance(like, (Array, Structure)):
        if not isinstance(value, list):
            raise EncodeError("a list is wanted", path)
        if isinstance(like, Array):
            if not like and value:
                raise EncodeError("the present array is empty and tells no types: write them", path)
            return Array([_alike(member, like[0], f"{path}[{index}]") for index, member in enumerate(value)])
        if len(value) != len(like):
            raise EncodeError(f"the structure has {len(like)} members, {len(value)} are given", path)
        pairs = zip(value, like, strict=True)
        return Structure(
            [_alike(member, each, f"{path}[{index}]") for index, (member, each) in enumerate(pairs)]
        )
    if value is None:
        return None
    if like is None:
        raise EncodeError("null-data tells no type: write it", path)
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        return _bare(text, like)
    except (ConversionError, EncodeError) as error:
        raise EncodeError(str(error), path) from None


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
