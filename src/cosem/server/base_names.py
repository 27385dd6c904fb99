"""The base names of the objects of a logical device: the same in all of its associations, and never given twice.

They are assigned when the first association with short names is declared, and go
on from there as objects are added. An object that is removed keeps its names: a
client that still has them must not meet another object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from cosem.association.short_names.assignment import assign
from cosem.association.short_names.layout import ClassLayout
from cosem.association.short_names.table import MappedObject, ShortNameTable
from cosem.errors import ConfigurationError
from cosem.server.objects.association import CURRENT_ASSOCIATION
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.server.objects.association_sn import AssociationSnObject
    from cosem.server.objects.base import CosemObject

__all__ = ["BaseNames"]

_ASSOCIATION_SN: Final = 12
_Key: TypeAlias = tuple[int, LogicalName]


class BaseNames:
    """Who has which base name.

    Args:
        given: Base names that are fixed, by logical name: multiples of 8. The others are assigned.
    """

    def __init__(self, given: Mapping[LogicalName | str, int] | None = None) -> None:
        self._given = {LogicalName(name): base_name for name, base_name in (given or {}).items()}
        self._named: dict[_Key, MappedObject] = {}
        self._layouts: dict[tuple[int, int], ClassLayout] = {}

    def add(self, objects: Iterable[CosemObject]) -> None:
        """Give base names to objects that have none yet.

        Raises:
            ConfigurationError: A given name is none or lies over another, or no name is left; nothing was changed.
        """
        layouts = dict(self._layouts)
        # The versions of the current association lay out alike: where the methods end is the same in all.
        versions = {(_ASSOCIATION_SN, CURRENT_ASSOCIATION): 0}
        versions |= {key: each.version for key, each in self._named.items()}
        for each in objects:
            layout = ClassLayout.of(type(each))
            kind = each.class_id, each.version
            # What the standard declares may be declared anew with more of the manufacturer's own.
            if kind not in layouts or layouts[kind].extent < layout.extent:
                layouts[kind] = layout
            versions[each.class_id, each.name] = each.version
        fixed = {key: self._given[key[1]] for key in versions if key[1] in self._given}
        fixed |= {key: each.base_name for key, each in self._named.items()}
        listed = [(class_id, version, name) for (class_id, name), version in versions.items()]
        self._named = {
            (each.class_id, each.logical_name): each for each in assign(listed, fixed, layouts=layouts)
        }
        self._layouts = layouts

    def table(self, association: AssociationSnObject, visible: Iterable[CosemObject]) -> ShortNameTable:
        """Return the base names of the objects that a client sees, the object of its association first.

        Raises:
            ConfigurationError: An object has no base name.
        """
        current = self._named.get((_ASSOCIATION_SN, CURRENT_ASSOCIATION))
        if current is None:
            raise ConfigurationError("no base names were assigned yet")
        objects = [MappedObject(current.base_name, _ASSOCIATION_SN, association.version, CURRENT_ASSOCIATION)]
        objects += [self._named[each.class_id, each.name] for each in visible if each is not association]
        return ShortNameTable(objects, layouts=self._layouts)
