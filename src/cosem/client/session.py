"""What a client knows of the meter it talks to: how to treat it, and what was read once for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cosem.association.client.association import Findings
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor
    from cosem.client.profile_layout import ProfileLayout
    from cosem.client.results import ObjectEntry

__all__ = ["Session"]

_CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")


@dataclass(slots=True)
class Session:
    """State of one client, the same for the blocking and the asynchronous one.

    Args:
        retries: How often a read is repeated when its answer does not come.
        repeat_writes: Whether SET and ACTION are repeated, too: the meter may then execute them twice.
        objects: The object list, once it was read.
        class_ids: Interface classes that proved right.
        descriptors: Attributes by the way they were asked for.
        scalers: Scalers and units by class and name; ``None`` where the meter refuses them.
        profiles: Layouts of profiles.
        date_times: Attributes that were last read as date-time, where most meters have an octet-string.
        refused_selectors: Selective accesses that the meter refused, by object: they are not tried again.
        deviation: Minutes from the meter's local time to UTC, once its clock was read.
        methods_by_read: Whether methods with short names are called by Read even where they return nothing; found
            out of a meter that takes them no other way.
        methods_by_write_alone: Whether a Read was tried in vain for a method that Write refused: it is not again.
        findings: Deviations from the standard that were met on the level of objects.
    """

    retries: int = 1
    repeat_writes: bool = False
    objects: tuple[ObjectEntry, ...] | None = None
    class_ids: dict[LogicalName, int] = field(default_factory=dict)
    descriptors: dict[Any, CosemAttributeDescriptor] = field(default_factory=dict)
    scalers: dict[tuple[int, LogicalName], ScalerUnit | None] = field(default_factory=dict)
    profiles: dict[LogicalName, ProfileLayout] = field(default_factory=dict)
    date_times: set[CosemAttributeDescriptor] = field(default_factory=set)
    refused_selectors: dict[LogicalName, set[str]] = field(default_factory=dict)
    deviation: int | None = None
    methods_by_read: bool = False
    methods_by_write_alone: bool = False
    findings: Findings = field(default_factory=Findings)
    _indexed: tuple[ObjectEntry, ...] | None = field(default=None, init=False, repr=False)
    _index: dict[LogicalName, list[ObjectEntry]] = field(default_factory=dict, init=False, repr=False)

    def forget(self) -> None:
        """Forget what was learnt of the objects: it may be wrong now."""
        self.objects = None
        for cache in (self.descriptors, self.class_ids, self.scalers, self.profiles):
            cache.clear()
        self.refused_selectors.clear()
        self.date_times.clear()

    def version(self, name: LogicalName, class_id: int) -> int | None:
        """Return the version of the class of an object, if the object list was read and tells it.

        An association need not be in its own list by the name that means the current one.
        """
        entry = self.entry(name, class_id)
        if entry is not None:
            return entry.version
        if name != _CURRENT_ASSOCIATION:
            return None
        versions = {each.version for each in self.objects or () if each.class_id == class_id}
        return versions.pop() if len(versions) == 1 else None

    def entry(self, name: LogicalName, class_id: int | None = None) -> ObjectEntry | None:
        """Return the entry of the object list, if that was read and has it."""
        if self._indexed is not self.objects:
            self._index.clear()
            for each in self.objects or ():
                self._index.setdefault(each.logical_name, []).append(each)
            self._indexed = self.objects
        for entry in self._index.get(name, ()):
            if class_id in (None, entry.class_id):
                return entry
        return None
