"""How objects and attributes are named in calls of the client: every usual way, and one thing that comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, Union, runtime_checkable

from cosem.errors import ConversionError
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.classes.base import Attribute, InterfaceClass, Method

__all__ = [
    "AttributeLike",
    "ClassLike",
    "MethodLike",
    "NamedObject",
    "Target",
    "class_id_of",
    "name_of",
    "named_in",
]

_WITH_ATTRIBUTE: Final = re.compile(r"(.+)(?::(-?\d{1,3})|\.([A-Za-z_]\w*))", re.ASCII)
_VALUE: Final = 2


@runtime_checkable
class NamedObject(Protocol):
    """An object with its class: an entry of the object list, a proxy, a reference in a value that was read."""

    @property
    def class_id(self) -> int:
        """Its interface class."""
        ...

    @property
    def logical_name(self) -> LogicalName:
        """Its name."""
        ...


Target: TypeAlias = Union[str, bytes, Iterable[int], NamedObject]  # noqa: UP007 -- evaluated at run time
"""An object: ``"1-0:1.8.0"`` in any written form, six octets, a :class:`LogicalName`, or a named object.

A text may name an attribute, too: ``"1-0:1.8.0:3"``, ``"1-0:1.8.0.scaler_unit"``.
"""
ClassLike: TypeAlias = "int | type[InterfaceClass]"
"""An interface class: its class_id or its declaration."""
AttributeLike: TypeAlias = "int | str | Attribute[Any]"
"""An attribute: its number, its name in the class, or its declaration, for example ``Clock.time``."""
MethodLike: TypeAlias = "int | str | Method"
"""A method: its number, its name in the class, or its declaration."""


def name_of(target: Target) -> LogicalName:
    """Return the logical name of an object.

    Raises:
        ConversionError: ``target`` names none.

    >>> name_of("1-0:1.8.0")
    LogicalName('1.0.1.8.0.255')
    """
    if isinstance(target, LogicalName):
        return target
    if isinstance(target, (str, bytes)):
        return LogicalName(target)
    named = getattr(target, "logical_name", None)
    if named is not None:
        return named if isinstance(named, LogicalName) else LogicalName(named)
    try:
        return LogicalName(target)  # type: ignore[arg-type]
    except TypeError:
        raise ConversionError(f"{target!r} names no object; write it as 1-0:1.8.0") from None


def named_in(target: Target, attribute: AttributeLike = _VALUE) -> tuple[Target, AttributeLike]:
    """Return object and attribute, whether the target names the attribute or not.

    Raises:
        ConversionError: The target names another attribute than was asked for.

    >>> named_in("1-0:1.8.0:3"), named_in("1-0:1.8.0", 4)
    (('1-0:1.8.0', 3), ('1-0:1.8.0', 4))
    """
    match = _WITH_ATTRIBUTE.fullmatch(target.strip()) if isinstance(target, str) else None
    if match is None:
        return target, attribute
    try:
        LogicalName.parse(match[1])
    except ConversionError:
        return target, attribute  # the error is told of the whole
    named = match[3] if match[2] is None else int(match[2])
    if attribute not in (_VALUE, named):
        raise ConversionError(f"{target!r} names attribute {named}, but {attribute} was asked for")
    return match[1], named


def class_id_of(target: Target, given: ClassLike | None) -> int | None:
    """Return the class_id that was given, or that the target carries along; else ``None``.

    Raises:
        ConversionError: It is outside 0..65535.
    """
    if given is None:
        given = getattr(target, "class_id", None)
    if given is None:
        return None
    if not isinstance(given, int):
        return given.class_id
    if not 0 <= given <= 0xFFFF:
        raise ConversionError(f"class_id {given} is outside 0..65535")
    return given


def version_of(target: Target, given: ClassLike | None) -> int | None:
    """Return the version of the class that was given, or that the target carries along; else ``None``."""
    if isinstance(given, int):
        return None
    return getattr(target if given is None else given, "version", None)


def declared(class_id: int, version: int | None) -> type[InterfaceClass] | None:
    """Return the declaration of a class: of this version, or the newest where it is not known."""
    from cosem.classes.registry import class_of

    return (None if version is None else class_of(class_id, version)) or class_of(class_id)


def attribute_number(attribute: AttributeLike, class_id: int, version: int | None = None) -> int:
    """Return the number of an attribute.

    Args:
        attribute: What names it.
        class_id: Its class.
        version: The version of the class; ``None`` for the newest.

    Raises:
        ConversionError: The class has no attribute of this name, or a number is outside -128..127.
    """
    if isinstance(attribute, int):
        return _in_range(attribute, "attribute")
    if isinstance(attribute, str):
        return _member(attribute, class_id, "attribute", version)
    return attribute.number


def method_number(method: MethodLike, class_id: int, version: int | None = None) -> int:
    """Return the number of a method.

    Args:
        method: What names it.
        class_id: Its class.
        version: The version of the class; ``None`` for the newest.

    Raises:
        ConversionError: The class has no method of this name, or a number is outside -128..127.
    """
    if isinstance(method, int):
        return _in_range(method, "method")
    if isinstance(method, str):
        return _member(method, class_id, "method", version)
    return method.number


def _in_range(number: int, kind: str) -> int:
    if not -128 <= number <= 127:
        raise ConversionError(f"{kind} {number} is outside -128..127")
    return number


def only_in_other_versions(name: str, class_id: int, kind: str) -> bool:
    """Return whether the newest version of a class has no attribute or method of this name, but another one has."""
    from cosem.classes.registry import CLASSES

    newest = declared(class_id, None)
    if newest is None or getattr(newest, kind)(name) is not None:
        return False
    versions = (version for known, version in CLASSES if known == class_id)
    return any(getattr(declared(class_id, version), kind)(name) is not None for version in versions)


def _member(name: str, class_id: int, kind: str, version: int | None) -> int:
    found_class = declared(class_id, version)
    found = None if found_class is None else getattr(found_class, kind)(name)
    if found is None:
        title = f"class {class_id}" if found_class is None else found_class.title
        known = "" if found_class is None or version is None else f", version {found_class.version},"
        raise ConversionError(f"{title}{known} has no {kind} {name!r}")
    number: int = found.number
    return number


def words_of(class_id: int, name: LogicalName, number: int, kind: str = "attribute") -> str:
    """Return how messages call an attribute or method.

    >>> words_of(8, LogicalName("0-0:1.0.0"), 2)
    'Clock 0.0.1.0.0.255 attribute 2 (time)'
    """
    found_class = declared(class_id, None)
    found = None if found_class is None else getattr(found_class, kind)(number)
    title = f"class {class_id}" if found_class is None else found_class.title
    return f"{title} {name} {kind} {number}" + (f" ({found.name})" if found is not None else "")
