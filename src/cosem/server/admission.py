"""What a logical device lets the client of an association do: with what it asks for, and with what that names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from cosem.server.access_rights import AccessMode, AccessRights
from cosem.server.device_time import DeviceTime
from cosem.server.named_attributes import Named, Right, UnlikeError
from cosem.server.objects.association import AssociationObject
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.server.association_entries import AssociationEntry
    from cosem.server.objects.base import CosemObject

__all__ = ["DEVICE_NAME", "READ", "WRITE", "Admission"]

DEVICE_NAME: Final = LogicalName("0.0.42.0.0.255")
"""The object with the COSEM logical device name, which everybody may read."""
READ, WRITE = int(AccessMode.READ), int(AccessMode.WRITE)
"""Rights as numbers: flags would cost as much as the rest of a GET."""
_R = DataAccessResult


class Admission(DeviceTime):
    """The part of :class:`~cosem.server.logical_device.LogicalDevice` that knows who may do what."""

    _objects: dict[bytes, CosemObject]

    def entry_of(self, association: ServerAssociation) -> AssociationEntry | None:
        """Return the entry of the profile that an association is made by."""
        raise NotImplementedError

    def _sees(self, entry: AssociationEntry, target: CosemObject) -> bool:
        return entry.rights.sees(target.name) and self._shows(entry, target)

    def _shows(self, entry: AssociationEntry, target: CosemObject) -> bool:
        """Return whether the object of another association, if it is one, may be known to a client."""
        if not isinstance(target, AssociationObject) or target is entry.association_object:
            return True
        return target.is_managed_with(entry.rights)

    def _refusal(
        self,
        association: ServerAssociation,
        entry: AssociationEntry,
        target: CosemObject,
        number: int,
        wanted: int,
    ) -> DataAccessResult | None:
        """Return why an attribute may not be accessed, or ``None`` (0 is success, which is no refusal)."""
        if target.attribute(number) is None:
            return _R.OBJECT_UNDEFINED
        mode = self.attribute_mode(entry, target, number)
        if not int(mode) & wanted:
            return _R.READ_WRITE_DENIED
        return None if AccessRights.admits(mode, association) else _R.SCOPE_OF_ACCESS_VIOLATED

    def _refusal_of_named(
        self,
        association: ServerAssociation,
        entry: AssociationEntry,
        named: Iterator[Named],
        unknown: DataAccessResult = _R.READ_WRITE_DENIED,
    ) -> DataAccessResult | None:
        """Return why a client may not have the meter reach what a value names: it may not reach that itself.

        Args:
            association: In which the client asks.
            entry: That of the association.
            named: What the value names.
            unknown: What is told where something is not there; where it is hidden, the same.
        """
        try:
            found = (self._refusal_of_one(association, entry, each, unknown) for each in named)
            return next((refusal for refusal in found if refusal is not None), None)
        except UnlikeError:
            return _R.TYPE_UNMATCHED

    def _refusal_of_one(
        self,
        association: ServerAssociation,
        entry: AssociationEntry,
        named: Named,
        unknown: DataAccessResult,
    ) -> DataAccessResult | None:
        target = self._objects.get(named.name)
        if target is None or not self._shows(entry, target) or entry.rights.withholds(target.name):
            return unknown
        if named.class_id not in (None, target.class_id):
            return unknown
        if named.right is Right.SIGHT:
            return None
        if not self._sees(entry, target):
            return unknown
        if named.right is Right.EXECUTE:
            return self._refusal_of_call(association, entry, target, named.number)
        wanted = READ if named.right is Right.READ else WRITE
        numbers = (named.number,) if named.number else [each.number for each in target.attributes]
        for number in numbers:
            if target.attribute(number) is None:
                continue  # gives null-data, and takes nothing
            refusal = self._refusal(association, entry, target, number, wanted)
            if refusal is not None:
                return refusal
        return None

    def _refusal_of_call(
        self, association: ServerAssociation, entry: AssociationEntry, target: CosemObject, number: int
    ) -> DataAccessResult | None:
        """Return why a method may not be called, or ``None``."""
        if target.method(number) is None:
            return _R.OBJECT_UNDEFINED
        mode = self.method_mode(entry, target, number)
        if not int(mode) & READ:
            return _R.READ_WRITE_DENIED
        return None if AccessRights.admits(mode, association) else _R.SCOPE_OF_ACCESS_VIOLATED

    def attribute_mode(self, entry: AssociationEntry, target: CosemObject, number: int) -> AccessMode:
        """Return what a client may do with an attribute.

        In every association the current association and the logical device name can be read.
        """
        mode = entry.rights.attribute(target, number)
        if int(mode) & READ:
            return mode
        if target is entry.association_object:
            secret = number in entry.association_object.secret_attributes
            return mode if secret else mode | AccessMode.READ
        return mode | AccessMode.READ if target.name == DEVICE_NAME else mode

    def method_mode(self, entry: AssociationEntry, target: CosemObject, number: int) -> AccessMode:
        """Return whether a client may call a method.

        In every association what the current association tells can be asked for.
        """
        mode = entry.rights.method(target, number)
        asked = target is entry.association_object and number in entry.association_object.reading_methods
        return mode | AccessMode.READ if asked else mode

    def protection_of_telling(
        self, association: ServerAssociation, name: LogicalName, number: int
    ) -> int | None:
        """Return what protects an attribute of which a client is told unasked, as its right says for answers.

        What demands protection is told in no association that has none.

        Returns:
            A number of ``ProtectionKind``, besides what the policy says; ``None`` where the client may not read it.
        """
        entry = self.entry_of(association)
        target = self._objects.get(name)
        if entry is None or target is None or not self._sees(entry, target):
            return None
        mode = self.attribute_mode(entry, target, number)
        if AccessRights.demands_protection(mode) and association.protection is None:
            return None
        return AccessRights.of_answer(mode) if mode & AccessMode.READ else None

    def protection_of_pushing(self, entry: AssociationEntry, named: Iterable[tuple[LogicalName, int]]) -> int:
        """Return what protects the attributes that are pushed to the client of an association.

        Args:
            entry: That of the association.
            named: The attributes, by object and number; 0 for all.

        Returns:
            What their rights demand of answers, a number of ``ProtectionKind``.
        """
        kinds = 0
        for name, number in named:
            target = self._objects.get(name)
            if target is not None:
                numbers = (number,) if number else [each.number for each in target.attributes]
                for each in numbers:
                    kinds |= AccessRights.of_answer(self.attribute_mode(entry, target, each))
        return kinds
