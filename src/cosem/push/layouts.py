"""Layouts: what is known of a push beforehand, as data that everybody can add to.

A layout gives names to values that come without, and scalers and units to
numbers that come without. Those of public lists are in ``layouts.toml`` beside
this module; a file of the same form can be put before them.
"""

from __future__ import annotations

import re
import reprlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from cosem.codec.scalars import TAG_NAMES
from cosem.errors import ConfigurationError, ConversionError
from cosem.types.logical_name import LogicalName

__all__ = ["CONSTANT_ID", "Facts", "Layout", "Layouts", "known_layouts", "load_layouts"]

T = TypeVar("T")

_TYPE_ANY: Final = "*"

CONSTANT_ID: Final = 0x40000000
"""The invoke-id of meters that send the same one for ever (Aidon, Kaifa); others count, or send 0."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message says of itself, for layouts to match.

    Attributes:
        container: ``array`` or ``structure``.
        types: Types of the elements, named as in the ASN.1.
        version: The text that names the list; empty for none.
        named: Whether logical names stand beside values.
        times: Positions that hold a time without a name.
        push_setup: Of which push setup the object list says to be; ``None`` for none.
        objects: The names in the message.
        maker: Three letters of the system title or the logical device name; empty if there is neither.
        findings: How the message deviates from the standard.
        invoke_id: The long-invoke-id-and-priority.
    """

    container: str
    types: tuple[str, ...]
    version: str
    named: bool
    times: frozenset[int]
    push_setup: LogicalName | None
    objects: frozenset[LogicalName]
    maker: str
    findings: frozenset[str] = frozenset()
    invoke_id: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Scaler and unit of the names that a pattern matches.

    Attributes:
        groups: The values of each value group; ``None`` for any.
        scaler: Exponent of ten.
        unit: Symbol; empty for none.
    """

    groups: tuple[frozenset[int] | None, ...]
    scaler: int
    unit: str

    def matches(self, name: LogicalName) -> bool:
        """Return whether this is the scale of an object."""
        return all(group is None or number in group for group, number in zip(self.groups, name, strict=True))


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout; an entry ``[[layout]]`` of a file.

    Attributes:
        name: Its name.
        maker: Name of the maker; empty if several have it.
        about: What it is, in words.
        container: ``array`` or ``structure``; empty for either.
        elements: How many elements there may be; empty for any number.
        types: The types of the first elements; ``*`` for any.
        version: How the text begins that names the list.
        named: Whether logical names must stand beside values; ``None`` if either will do.
        times: Positions that must hold a time without a name.
        push_setup: The push setup that must be in the object list.
        objects: Names that must be there.
        letters: Three letters of the maker that must be there.
        findings: Deviations from the standard that the message must have.
        invoke_id: :data:`CONSTANT_ID` for makers whose meters do not count; ``None`` for any.
        names: The names of values by position; positions below 0 count from the end.
        scales: Scalers and units; the first one that matches holds.
    """

    name: str
    maker: str = ""
    about: str = ""
    container: str = ""
    elements: frozenset[int] = frozenset()
    types: tuple[str, ...] = ()
    version: str = ""
    named: bool | None = None
    times: frozenset[int] = frozenset()
    push_setup: LogicalName | None = None
    objects: frozenset[LogicalName] = frozenset()
    letters: str = ""
    findings: frozenset[str] = frozenset()
    invoke_id: int | None = None
    names: Mapping[int, LogicalName] | None = None
    scales: tuple[Scale, ...] = ()

    def matches(self, facts: Facts) -> bool:
        """Return whether this is the layout of a message."""
        types = facts.types
        return (
            (not self.container or self.container == facts.container)
            and (not self.elements or len(types) in self.elements)
            and facts.version.startswith(self.version)
            and (self.named is None or self.named == facts.named)
            and (self.push_setup is None or self.push_setup == facts.push_setup)
            and (not self.letters or self.letters == facts.maker)
            and (self.invoke_id is None or self.invoke_id == facts.invoke_id)
            and self.times <= facts.times
            and self.objects <= facts.objects
            and self.findings <= facts.findings
            and len(self.types) <= len(types)
            and all(wanted in (_TYPE_ANY, given) for wanted, given in zip(self.types, types, strict=False))
        )

    def scale_of(self, name: LogicalName) -> Scale | None:
        """Return scaler and unit of an object, if the layout has them."""
        return next((scale for scale in self.scales if scale.matches(name)), None)


@dataclass(frozen=True, slots=True)
class Layouts:
    """Layouts in the order in which they are tried, and the names of makers.

    Attributes:
        layouts: The layouts.
        makers: Names of makers by their three letters.
    """

    layouts: tuple[Layout, ...]
    makers: Mapping[str, str]

    def find(self, facts: Facts) -> Layout | None:
        """Return the first layout that matches."""
        return next((layout for layout in self.layouts if layout.matches(facts)), None)


@cache
def known_layouts() -> Layouts:
    """Return the layouts that come with cosem."""
    from importlib.resources import files

    return _read(files(__package__).joinpath("layouts.toml").read_text(encoding="utf-8"), "layouts.toml")


def load_layouts(*paths: str | Path) -> Layouts:
    """Return the layouts of files, before those that come with cosem.

    Raises:
        ConfigurationError: A file is no list of layouts; says where.
        OSError: A file cannot be read.
    """
    known = known_layouts()
    own = [_read(_text(Path(path)), str(path)) for path in paths]
    makers = dict(known.makers)
    for each in own:
        makers.update(each.makers)
    return Layouts((*(layout for each in own for layout in each.layouts), *known.layouts), makers)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: no text in UTF-8") from None


_MATCHES: Final = {
    "container": "container",
    "elements": "elements",
    "types": "types",
    "version": "version",
    "named": "named",
    "times": "times",
    "push_setup": "push_setup",
    "objects": "objects",
    "maker": "letters",
    "findings": "findings",
    "invoke_id": "invoke_id",
}
_TEXTS: Final = frozenset({"types", "objects", "findings"})
_TYPES: Final = frozenset({_TYPE_ANY, *TAG_NAMES.values()})
_KINDS: Final = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
"""What TOML has, in words."""


def _read(text: str, source: str) -> Layouts:
    try:
        content = tomllib.loads(text)
        unknown = content.keys() - {"makers", "layout"}
        if unknown:
            raise ConfigurationError(f"{min(unknown)!r} means nothing; [[layout]] and [makers] do")
        entries = content.get("layout", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigurationError("layouts are a list of tables: each begins with [[layout]]")
        makers = _a(dict, content.get("makers", {}), "makers")
        for letters, name in makers.items():
            _a(str, name, f"makers: {letters}")
        return Layouts(tuple(map(_layout, entries)), makers)
    except (tomllib.TOMLDecodeError, ConfigurationError) as error:
        raise ConfigurationError(f"{source}: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{source}: it is nested too deeply") from None


def _a(kind: type[T], value: Any, name: str) -> T:
    """Return a value that must be of this kind; a truth value is no number."""
    if type(value) is not kind:
        raise ConfigurationError(f"{name} must be {_KINDS[kind]}, which {reprlib.repr(value)} is not")
    return value


def _each(kind: type[T], value: Any, name: str) -> list[T]:
    """Return a list, all of whose members must be of this kind."""
    return [_a(kind, each, f"each of {name}") for each in _a(list, value, name)]


def _layout(entry: dict[str, Any]) -> Layout:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigurationError("a layout has no name")
    try:
        if "match" not in entry:
            raise ConfigurationError("match is missing")
        match = _a(dict, entry["match"], "match")
        unknown = (entry.keys() - {"name", "maker", "about", "match", "names", "scales"}) | (
            match.keys() - _MATCHES.keys()
        )
        if unknown:
            raise ConfigurationError(f"{min(unknown)!r} means nothing here")
        if not match:
            raise ConfigurationError("a layout without anything to match would be that of every message")
        facts = {_MATCHES[key]: _fact(key, value) for key, value in match.items()}
        return Layout(
            name,
            _a(str, entry.get("maker", ""), "maker"),
            _a(str, entry.get("about", ""), "about"),
            names=_names(entry.get("names", {})),
            scales=tuple(map(_scale, _a(list, entry.get("scales", []), "scales"))),
            **facts,
        )
    except (ConversionError, ConfigurationError) as error:
        raise ConfigurationError(f"layout {name}: {error}") from None


def _fact(key: str, value: Any) -> Any:
    if key in {"elements", "times"}:
        numbers = _each(int, value, key)
        if any(number < 0 for number in numbers):
            raise ConfigurationError(f"each of {key} is 0 or more")
        return frozenset(numbers)
    if key == "invoke_id":
        if value != CONSTANT_ID:
            raise ConfigurationError(f"invoke_id tells makers apart by {CONSTANT_ID:#x} alone: others count")
        return CONSTANT_ID
    if key == "named":
        return _a(bool, value, key)
    if key not in _TEXTS:
        text = _a(str, value, key)
        if key == "container" and text not in {"array", "structure"}:
            raise ConfigurationError(f"the container is an array or a structure, not {text!r}")
        return LogicalName.parse(text) if key == "push_setup" else text
    texts = _each(str, value, key)
    if key == "types":
        for text in texts:
            if text not in _TYPES:
                raise ConfigurationError(f"{text!r} is no type of an element; double-long-unsigned is one")
        return tuple(texts)
    return frozenset(map(LogicalName.parse, texts)) if key == "objects" else frozenset(texts)


def _names(given: Any) -> Mapping[int, LogicalName]:
    if isinstance(given, dict):
        for position in given:
            if re.fullmatch(r"-?[0-9]{1,6}", position) is None:
                raise ConfigurationError(f"names: the position {position!r} is no whole number")
        pairs = [(int(position), _a(str, name, "each of names")) for position, name in given.items()]
    else:
        pairs = list(enumerate(_each(str, given, "names")))
    return {position: LogicalName.parse(name) for position, name in pairs if name}


def _scale(row: Any) -> Scale:
    if not isinstance(row, list) or len(row) != 3:
        raise ConfigurationError(
            f"each of scales is [pattern, scaler, unit], which {reprlib.repr(row)} is not"
        )
    pattern = _a(str, row[0], "the pattern of a scale")
    scaler = _a(int, row[1], f"{pattern}: the scaler")
    unit = _a(str, row[2], f"{pattern}: the unit")
    groups = pattern.split(".")
    if len(groups) != 6:
        raise ConfigurationError(f"{pattern!r} is no pattern of six groups")
    if not -128 <= scaler <= 127:
        raise ConfigurationError(f"{pattern}: the scaler {scaler!r} is none of -128..127")
    return Scale(tuple(_group(group, pattern) for group in groups), scaler, unit)


def _group(text: str, pattern: str) -> frozenset[int] | None:
    if text == _TYPE_ANY:
        return None
    numbers = [number.strip() for number in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,3}", number) and int(number) <= 255 for number in numbers):
        raise ConfigurationError(f"{pattern!r}: a group is *, or numbers of 0..255 with commas between")
    return frozenset(map(int, numbers))
