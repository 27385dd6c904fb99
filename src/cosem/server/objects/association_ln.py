"""Association LN at the server: what a client sees of its association (Blue Book, class_id 15).

There is one object for each association that the logical device supports. A client
meets the one of its own association under 0-0:40.0.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cosem.classes.standard.association_ln import (
    AssociationLn,
    AssociationLnVersion0,
    AssociationLnVersion1,
    AssociationLnVersion2,
)
from cosem.errors import ConfigurationError
from cosem.server.access_rights import AccessMode
from cosem.server.objects.association import CURRENT_ASSOCIATION, AssociationObject
from cosem.server.objects.base import CosemObject, Outcome, ReadResult
from cosem.types.data import (
    Array,
    BitString,
    DataValue,
    Enum,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.enumerations import ActionResult, AssociationStatus, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.server.access_rights import AccessRights
    from cosem.server.association_entries import AssociationEntry

__all__ = ["AssociationLnObject", "association_ln_object"]

_CONTEXT_OID: Final = bytes.fromhex("608574050801")
_MECHANISM_OID: Final = bytes.fromhex("608574050802")
_DLMS_VERSION: Final = 6
_R = DataAccessResult


class AssociationLnObject(AssociationObject):
    """The part that all versions share; :func:`association_ln_object` makes one of a version."""

    access_selectors = {2: (1, 2, 3, 4)}  # noqa: RUF012 -- declared ClassVar in the base
    without_enumeration = 3
    boolean_methods = 0
    secret_attributes = frozenset({7})

    def __init__(
        self, logical_name: LogicalName | str, *, secret: bytes | None = None, **values: Any
    ) -> None:
        self._listed: tuple[tuple[int, int], list[Structure]] | None = None
        super().__init__(logical_name, secret=secret, **values)

    def is_managed_with(self, rights: AccessRights) -> bool:
        """Return whether these rights let the client of another association change the secret of this one."""
        return bool(rights.attribute(self, 7) & AccessMode.WRITE)

    # --- for clients ------------------------------------------------------------------------------------

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return an attribute as the asking association sees it."""
        entry = self.entry
        if entry is None:
            return _R.TEMPORARY_FAILURE
        if number == 2:
            return self._object_list(selection)
        if selection is not None:
            return _R.TYPE_UNMATCHED
        if number == 7:
            return _R.READ_WRITE_DENIED
        if number in (3, 4, 5, 6, 8) or (number == 11 and self.attribute(11) is not None):
            return self._shown(number, entry, self.active_for(association))
        return super().get(number, selection, association)

    def _shown(self, number: int, entry: AssociationEntry, active: ServerAssociation | None) -> DataValue:
        profile = entry.profile
        if number == 3:
            sap = self.device.sap if self.device is not None else 0
            client = profile.client_sap & 0xFF  # the class gives it one octet with a sign
            return Structure((Integer(client - 256 if client > 127 else client), LongUnsigned(sap)))
        if number == 4:
            return OctetString(_CONTEXT_OID + bytes((profile.application_context,)))
        if number == 5:
            agreed = profile.conformance if active is None else active.context.conformance
            most = 0 if active is None else active.context.client_max_receive_pdu_size
            return Structure(
                (
                    BitString(agreed.to_octets()),
                    LongUnsigned(profile.max_receive_pdu_size),
                    LongUnsigned(most),
                    Unsigned(_DLMS_VERSION),
                    Integer(0),
                    OctetString(b""),
                )
            )
        if number == 6:
            return OctetString(_MECHANISM_OID + bytes((profile.mechanism,)))
        if number == 8:
            return Enum(AssociationStatus.NON_ASSOCIATED if active is None else active.status)
        return self.user_of(active)

    def set(
        self, number: int, value: DataValue, association: ServerAssociation | None = None
    ) -> Outcome[DataAccessResult]:
        """Write an attribute; only the secret, the users and the reference to the security setup can be."""
        if number == 7:
            if not isinstance(value, bytes):
                return _R.TYPE_UNMATCHED
            return _R.SUCCESS if self.change_secret(value) else _R.OTHER_REASON
        if number in (2, 3, 4, 5, 6, 8, 11):
            return _R.READ_WRITE_DENIED
        return super().set(number, value, association)

    def call_change_HLS_secret(self, secret: bytes) -> ActionResult:
        """Change the HLS secret; it counts from the next association on."""
        changed = self.uses_hls and self.change_secret(secret)
        return ActionResult.SUCCESS if changed else ActionResult.OTHER_REASON

    def call_add_object(self, element: tuple[Any, ...]) -> ActionResult:
        """Let the client see an object that the logical device has.

        Whoever calls it must not have that object withheld itself; the logical device looks to that.
        """
        return self._show(element, visible=True)

    def call_remove_object(self, element: tuple[Any, ...]) -> ActionResult:
        """Hide an object from the client."""
        return self._show(element, visible=False)

    def _show(self, element: tuple[Any, ...], *, visible: bool) -> ActionResult:
        if len(element) != 4 or not isinstance(element[2], bytes) or len(element[2]) != 6:
            return ActionResult.TYPE_UNMATCHED
        name = LogicalName(element[2])
        target = None if self.device is None else self.device.find(name)
        if target is None or self.entry is None:
            return ActionResult.OBJECT_UNDEFINED
        if target.class_id != element[0]:
            return ActionResult.OBJECT_CLASS_INCONSISTENT
        if target is self:
            return ActionResult.OTHER_REASON
        rights = self.entry.rights
        _ = rights.show(name) if visible else rights.remove(name)
        return ActionResult.SUCCESS

    # --- object_list --------------------------------------------------------------------------------------

    def _object_list(self, selection: SelectiveAccessDescriptor | None) -> ReadResult:
        elements = self._elements()
        if selection is None:
            return Array(elements)
        selector, wanted = selection.access_selector, selection.access_parameters
        if selector == 1:
            return Array(Structure(element[:3]) for element in elements)
        if selector == 2 and isinstance(wanted, tuple):
            return Array(element for element in elements if element[0] in wanted)
        if selector == 3 and isinstance(wanted, tuple):
            pairs = {_pair(each) for each in wanted}
            return _R.TYPE_UNMATCHED if None in pairs else Array(e for e in elements if (e[0], e[2]) in pairs)
        if selector == 4 and (pair := _pair(wanted)) is not None:
            found = next((element for element in elements if (element[0], element[2]) == pair), None)
            return _R.OBJECT_UNAVAILABLE if found is None else found
        return _R.TYPE_UNMATCHED

    def _elements(self) -> list[Structure]:
        """Return the elements of object_list; made anew only after objects or rights have changed."""
        entry, device = self.entry, self.device
        if entry is None or device is None:
            return []
        made = device.changes, entry.rights.changes
        if self._listed is None or self._listed[0] != made:
            elements = [self._element(self, CURRENT_ASSOCIATION)]
            elements += [self._element(each, each.name) for each in device.visible(entry) if each is not self]
            self._listed = made, elements
        return self._listed[1]

    def _element(self, target: CosemObject, name: LogicalName) -> Structure:
        return Structure(
            (
                LongUnsigned(target.class_id),
                Unsigned(target.version),
                OctetString(name),
                Structure(self.rights_to(target)),
            )
        )


def _pair(value: object) -> tuple[int, bytes] | None:
    """Return class and name of a structure of both."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], bytes):
        return value
    return None


class _Version0(AssociationLnObject, AssociationLnVersion0):
    """Association LN, version 0."""


class _Version1(AssociationLnObject, AssociationLnVersion1):
    """Association LN, version 1."""


class _Version2(AssociationLnObject, AssociationLnVersion2):
    """Association LN, version 2."""


class _Version3(AssociationLnObject, AssociationLn):
    """Association LN, version 3."""


_VERSIONS: Final = (_Version0, _Version1, _Version2, _Version3)


def association_ln_object(
    logical_name: LogicalName | str, secret: bytes | None = None, version: int = 2
) -> AssociationLnObject:
    """Return the object of an association in a version of the class.

    Raises:
        ConfigurationError: There is no such version.
    """
    if not 0 <= version < len(_VERSIONS):
        raise ConfigurationError(f"Association LN has no version {version} here; there are 0 to 3")
    return _VERSIONS[version](logical_name, secret=secret)
