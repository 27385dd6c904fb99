"""Association SN at the server: what a client sees of an association with short names (Blue Book, class_id 12).

There is one object for each association that the logical device supports. A client
meets the one of its own association under 0-0:40.0.0, at base name FA00.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cosem.association.server.indications import MethodOutcome, ReadAttribute
from cosem.association.short_names.association_sn import (
    element_of_object,
    elements_of_class,
    wanted_by_logicalname,
)
from cosem.association.short_names.layout import as_long, as_unsigned
from cosem.association.short_names.table import MappedObject, ShortNameTable, initial_table
from cosem.classes.standard.association_sn import (
    AssociationSn,
    AssociationSnVersion0,
    AssociationSnVersion1,
    AssociationSnVersion2,
    AssociationSnVersion3,
)
from cosem.errors import ConfigurationError
from cosem.server.access_rights import AccessMode
from cosem.server.objects.association import CURRENT_ASSOCIATION, AssociationObject
from cosem.server.objects.base import Outcome, ReadResult, is_awaitable
from cosem.types.data import ABSENT, Array, DataValue, LongUnsigned, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.server.access_rights import AccessRights
    from cosem.server.base_names import BaseNames
    from cosem.types.data import Absent

__all__ = ["AssociationSnObject", "association_sn_object"]

_R = DataAccessResult
_OBJECT_LIST: Final = 2
_ACCESS_RIGHTS_LIST: Final = 3
_CURRENT_USER: Final = 6


class AssociationSnObject(AssociationObject):
    """The part that all versions share; :func:`association_sn_object` makes one of a version.

    Args:
        logical_name: Its name among the objects of the device.
        base_names: Those of the logical device.
        secret: Password of LLS, or HLS secret.
        values: Values of attributes.
    """

    without_enumeration = 4
    boolean_methods = 1
    reading_methods = frozenset({1, 2, 3, 4})
    _changing_secrets = (5, 6)

    def __init__(
        self,
        logical_name: LogicalName | str,
        base_names: BaseNames,
        *,
        secret: bytes | None = None,
        **values: Any,
    ) -> None:
        self.base_names = base_names
        self._table: tuple[tuple[int, int], ShortNameTable] | None = None
        super().__init__(logical_name, secret=secret, **values)

    def is_managed_with(self, rights: AccessRights) -> bool:
        """Return whether these rights let the client of another association change the secret of this one."""
        return any(rights.method(self, number) & AccessMode.READ for number in self._changing_secrets)

    def table(self) -> ShortNameTable:
        """Return the base names of the objects that the client sees; made anew only after a change."""
        entry, device = self.entry, self.device
        if entry is None or device is None:
            return initial_table()
        made = device.changes, entry.rights.changes
        if self._table is None or self._table[0] != made:
            self._table = made, self.base_names.table(self, device.visible(entry))
        return self._table[1]

    # --- attributes ---------------------------------------------------------------------------------------

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return an attribute as the asking association sees it."""
        if self.attribute(number) is None:
            return _R.OBJECT_UNDEFINED
        if self.entry is None:
            return _R.TEMPORARY_FAILURE
        if number == _OBJECT_LIST:
            return self._object_list(selection)
        if number == _ACCESS_RIGHTS_LIST:
            return self._access_rights_list(selection)
        if selection is not None:
            return _R.TYPE_UNMATCHED
        if number == _CURRENT_USER:
            return self.user_of(self.active_for(association))
        return super().get(number, selection, association)

    def set(
        self, number: int, value: DataValue, association: ServerAssociation | None = None
    ) -> Outcome[DataAccessResult]:
        """Write an attribute; only the users and the reference to the security setup can be."""
        if number in (_OBJECT_LIST, _ACCESS_RIGHTS_LIST, _CURRENT_USER):
            return _R.READ_WRITE_DENIED
        return super().set(number, value, association)

    def _object_list(self, selection: SelectiveAccessDescriptor | None) -> ReadResult:
        table = self.table()
        if selection is None:
            return table.to_object_list()
        selector, wanted = selection.access_selector, selection.access_parameters
        if selector not in self.access_selectors.get(_OBJECT_LIST, ()):
            return _R.TYPE_UNMATCHED
        if selector == 1:
            return elements_of_class(table, wanted) if isinstance(wanted, LongUnsigned) else _R.TYPE_UNMATCHED
        if not isinstance(wanted, Structure):
            return _R.TYPE_UNMATCHED
        found = element_of_object(table, wanted)
        return _R.OBJECT_UNAVAILABLE if found is None else found

    def _access_rights_list(self, selection: SelectiveAccessDescriptor | None) -> ReadResult:
        table = self.table()
        if selection is None:
            return Array(map(self._access_rights, sorted(table, key=lambda each: each.base_name)))
        wanted = selection.access_parameters
        if selection.access_selector != 1 or not isinstance(wanted, int) or isinstance(wanted, bool):
            return _R.TYPE_UNMATCHED
        found = next((each for each in table if each.base_name == as_unsigned(wanted)), None)
        return _R.OBJECT_UNAVAILABLE if found is None else self._access_rights(found)

    def _access_rights(self, listed: MappedObject) -> Structure:
        """Return the rights to one object of the table."""
        device = None if listed.logical_name == CURRENT_ASSOCIATION else self.device
        target = self if device is None else device[listed.logical_name]
        return Structure((as_long(listed.base_name), *self.rights_to(target)))

    # --- methods ------------------------------------------------------------------------------------------

    def call(
        self,
        number: int,
        parameters: DataValue | Absent = ABSENT,
        association: ServerAssociation | None = None,
    ) -> Outcome[MethodOutcome]:
        """Call a method for a client, and return how it went."""
        if number == 3:
            return self._read_by_logicalname(parameters, association)
        return super().call(number, parameters, association)

    def _read_by_logicalname(
        self, parameters: DataValue | Absent, association: ServerAssociation | None
    ) -> Outcome[MethodOutcome]:
        """Return the values of attributes in order, null-data for each that is refused beside others that are not."""
        wanted = wanted_by_logicalname(parameters)
        if wanted is None:
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        device = self.device
        if device is None or association is None:
            return MethodOutcome(ActionResult.OTHER_REASON)
        values = [
            device.read(association, ReadAttribute(each.class_id, each.instance_id, each.attribute_id))
            for each in wanted
        ]
        if any(map(is_awaitable, values)):
            return _gathered(values)
        return _returned(values)

    def call_getlist_by_classid(self, class_id: int) -> Array:
        """Return the elements of object_list of one class."""
        return elements_of_class(self.table(), class_id)

    def call_getobj_by_logicalname(self, wanted: Structure) -> Structure | ActionResult:
        """Return the element of object_list of one object."""
        found = element_of_object(self.table(), wanted)
        return ActionResult.OBJECT_UNAVAILABLE if found is None else found

    def call_change_secret(self, secret: bytes) -> ActionResult:
        """Change the password of LLS, or the HLS secret; it counts from the next association on."""
        return ActionResult.SUCCESS if self.change_secret(secret) else ActionResult.OTHER_REASON

    def call_change_LLS_secret(self, secret: bytes) -> ActionResult:
        """Change the password of LLS."""
        changed = not self.uses_hls and self.change_secret(secret)
        return ActionResult.SUCCESS if changed else ActionResult.OTHER_REASON

    def call_change_HLS_secret(self, secret: bytes) -> ActionResult:
        """Change the HLS secret."""
        changed = self.uses_hls and self.change_secret(secret)
        return ActionResult.SUCCESS if changed else ActionResult.OTHER_REASON


def _returned(values: list[Any]) -> MethodOutcome:
    if values and all(isinstance(value, DataAccessResult) for value in values):
        return MethodOutcome(ActionResult(int(values[0])))
    read = Array(None if isinstance(value, DataAccessResult) else value for value in values)
    return MethodOutcome(ActionResult.SUCCESS, read)


async def _gathered(values: list[Any]) -> MethodOutcome:
    return _returned([await value if is_awaitable(value) else value for value in values])


class _Version0(AssociationSnObject, AssociationSnVersion0):
    """Association SN, version 0. Methods 4 and 7 are not there: nobody knows any more what they give."""


class _WithSelections(AssociationSnObject):
    """What the versions from 1 on share."""

    access_selectors = {2: (1, 2), 3: (1,)}  # noqa: RUF012 -- declared ClassVar in the base


class _Version1(_WithSelections, AssociationSnVersion1):
    """Association SN, version 1."""


class _Version2(_WithSelections, AssociationSnVersion2):
    """Association SN, version 2."""


class _Version3(_WithSelections, AssociationSnVersion3):
    """Association SN, version 3."""


class _Version4(_WithSelections, AssociationSn):
    """Association SN, version 4."""


_VERSIONS: Final = (_Version0, _Version1, _Version2, _Version3, _Version4)


def association_sn_object(
    logical_name: LogicalName | str, base_names: BaseNames, secret: bytes | None = None, version: int = 3
) -> AssociationSnObject:
    """Return the object of an association in a version of the class.

    Raises:
        ConfigurationError: There is no such version.
    """
    if not 0 <= version < len(_VERSIONS):
        raise ConfigurationError(f"Association SN has no version {version}; there are 0 to 4")
    return _VERSIONS[version](logical_name, base_names, secret=secret)
