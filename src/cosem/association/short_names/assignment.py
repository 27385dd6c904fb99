"""Base names for the objects of a server: as reserved, as given, and the rest one behind the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cosem.association.short_names.layout import (
    FIRST_RESERVED,
    ClassLayout,
    checked_base_name,
    layout_of,
    reserved_base_name,
)
from cosem.association.short_names.table import MappedObject
from cosem.errors import ConfigurationError
from cosem.types.logical_name import LogicalName

__all__ = ["FIRST_BASE_NAME", "assign"]

FIRST_BASE_NAME: Final = 0x0198
"""Where automatic assignment begins: S-FSK devices must not use 8..400."""


def assign(
    objects: Iterable[tuple[int, int, LogicalName]],
    given: Mapping[tuple[int, LogicalName], int] | None = None,
    *,
    layouts: Mapping[tuple[int, int], ClassLayout] | None = None,
    first: int = FIRST_BASE_NAME,
) -> tuple[MappedObject, ...]:
    """Return every object with a base name, in the order of ``objects``; no short names overlap.

    The same objects get the same names every time, and an object that is added at
    the end changes none of the others.

    Args:
        objects: class_id, version and logical name of each.
        given: Base names that are fixed, by class_id and logical name.
        layouts: Layouts of classes that the standard does not know, by class_id and version.
        first: The lowest base name that is assigned automatically.

    Raises:
        ConfigurationError: A given name is no multiple of 8, lies over another, or is reserved for
            another object; there are two objects of one class and name; the names do not suffice.

    >>> names = assign([(12, 4, LogicalName("0.0.40.0.0.255")), (3, 0, LogicalName("1.0.1.8.0.255"))])
    >>> [f"{each.base_name:04X}" for each in names]
    ['FA00', '0198']
    """
    listed = list(objects)
    if len({(class_id, name) for class_id, _, name in listed}) != len(listed):
        raise ConfigurationError("two objects have the same class and logical name")
    fixed = dict(given or {})
    room = _Room()
    names: dict[int, int] = {}
    extents: list[int] = []
    for index, (class_id, version, name) in enumerate(listed):
        layout = (layouts or {}).get((class_id, version)) or layout_of(class_id, version)
        extents.append(layout.extent)
        wanted = fixed.get((class_id, name))
        reserved = reserved_base_name(class_id, name)
        base_name = reserved if wanted is None else checked_base_name(wanted)
        if base_name is None:
            continue
        if base_name + layout.extent > FIRST_RESERVED and base_name != reserved:
            raise ConfigurationError(f"{name}: base name {base_name:04X} reaches into the reserved names")
        room.take(base_name, layout.extent, name)
        names[index] = base_name
    position = checked_base_name(first)
    for index, (_, _, name) in enumerate(listed):
        if index not in names:
            position = room.free(position, extents[index])
            if position + extents[index] > FIRST_RESERVED:
                raise ConfigurationError(f"{name}: no base name is left")
            names[index] = position
            position += extents[index]
    return tuple(
        MappedObject(names[index], class_id, version, name)
        for index, (class_id, version, name) in enumerate(listed)
    )


class _Room:
    """Which short names are taken."""

    def __init__(self) -> None:
        self._taken: list[tuple[int, int]] = []

    def take(self, base_name: int, extent: int, name: LogicalName) -> None:
        """Take the names of one object.

        Raises:
            ConfigurationError: Another object has one of them.
        """
        if base_name + extent > 0x10000 or self._in_the_way(base_name, extent) is not None:
            raise ConfigurationError(f"{name}: the short names from {base_name:04X} on are not all free")
        self._taken.append((base_name, base_name + extent))

    def free(self, position: int, extent: int) -> int:
        """Return the first base name from ``position`` on behind which there is enough room."""
        while (stop := self._in_the_way(position, extent)) is not None:
            position = stop
        return position

    def _in_the_way(self, position: int, extent: int) -> int | None:
        """Return where the object ends that has one of these names; ``None`` if they are free."""
        for start, stop in self._taken:
            if start < position + extent and position < stop:
                return stop
        return None
