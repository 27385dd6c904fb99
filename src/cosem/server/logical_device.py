"""A logical device: its objects, its associations, and the rules by which services reach objects.

:meth:`LogicalDevice.resolve` answers the indications of an association. The order
of the checks decides which error a client gets: object, class, attribute or
method, access right, protection, type, value.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import (
    AbortIndication,
    Established,
    Indication,
    InvokeMethod,
    MethodOutcome,
    ReadAttribute,
    ReleaseIndication,
    WriteAttribute,
)
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.errors import ConfigurationError
from cosem.server.admission import DEVICE_NAME, READ, WRITE, Admission
from cosem.server.association_entries import AssociationEntry, new_entry
from cosem.server.base_names import BaseNames
from cosem.server.device_time import utc_now
from cosem.server.named_attributes import named_by_attribute, named_by_method
from cosem.server.objects.association import CURRENT_ASSOCIATION
from cosem.server.objects.base import CosemObject, Outcome, ReadResult, is_awaitable
from cosem.types.data import OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.server.access_rights import AccessRights
    from cosem.types.data import Absent, DataValue

__all__ = ["AssociationEntry", "LogicalDevice"]

log = logging.getLogger("cosem.server")

_LONG_INVOKE_IDS: Final = 1 << 24
_R = DataAccessResult


class LogicalDevice(Admission):
    """One logical device of a server.

    Args:
        name: COSEM logical device name: up to 16 octets, the first three are the letters of the manufacturer.
        sap: Its address; 1 is the management logical device.
        objects: Its objects; the objects of its associations and the logical device name are added.
        base_names: Base names of objects that shall have certain ones, by logical name; for associations with
            short names, where all other objects get some, too.
        clock: Returns the present time, with its zone. The time of the device follows it, at the distance
            to which a client has set the Clock object.

    Attributes:
        neighbours: The logical devices of the same physical device by their addresses, itself included.
        listeners: Functions that are called with each indication that only tells something, such as
            ``AuthenticationFailed``, and with the association that it comes from.

    Raises:
        ConfigurationError: Two objects have the same logical name, or the name is too long.
    """

    def __init__(
        self,
        name: str | bytes,
        *,
        sap: int = 1,
        objects: Iterable[CosemObject] = (),
        base_names: Mapping[LogicalName | str, int] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name.encode("ascii") if isinstance(name, str) else bytes(name)
        if not 1 <= len(self.name) <= 16:
            raise ConfigurationError(f"a logical device name has 1 to 16 octets, not {len(self.name)}")
        self.sap = sap
        super().__init__(clock)
        self.associations: list[AssociationEntry] = []
        self.neighbours: dict[int, LogicalDevice] = {sap: self}
        self.listeners: list[Callable[[ServerAssociation, Indication], None]] = []
        self.changes = 0
        self._next_long_invoke_id = 0
        self._base_names = BaseNames(base_names)
        self._has_base_names = False
        self._objects: dict[bytes, CosemObject] = {}
        for each in objects:
            self.add(each)
        if DEVICE_NAME not in self._objects:
            from cosem.server.objects.data import DataObject

            self.add(DataObject(DEVICE_NAME, value=OctetString(self.name)))

    def __iter__(self) -> Iterator[CosemObject]:
        return iter(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def __getitem__(self, name: LogicalName | str) -> CosemObject:
        """Return the object of a name; KeyError if there is none."""
        return self._objects[LogicalName(name)]

    def find(self, name: LogicalName | str) -> CosemObject | None:
        """Return the object of a name, or ``None``."""
        return self._objects.get(LogicalName(name))

    def add(self, *objects: CosemObject) -> None:
        """Add objects.

        Raises:
            ConfigurationError: There is one of that name already, or no base name for one that needs some.
        """
        for each in objects:
            if each.name in self._objects:
                raise ConfigurationError(f"there is an object {each.name} already")
            if self._has_base_names:
                self._base_names.add((each,))
            self._objects[bytes(each.name)] = each
            each.device = self
            self.changes += 1
            self.keep_time_of(each)

    def remove(self, name: LogicalName | str) -> None:
        """Remove the object of a name, if there is one."""
        found = self._objects.pop(LogicalName(name), None)
        if found is not None:
            found.device = None
            self.changes += 1
            self.forget_time_of(found)

    def add_association(
        self,
        client: AssociationProfile | int,
        rights: AccessRights | None = None,
        *,
        secret: bytes | str | None = None,
        version: int | None = None,
        short_names: bool = False,
        **facts: Any,
    ) -> AssociationEntry:
        """Support an association, and add the object that shows it.

        Args:
            client: What an AARQ must ask for; or only the address of the client.
            rights: What the client may do; by default reading only.
            secret: Password of LLS, or HLS secret; the client may change it if its rights let it.
            version: Version of the object: 0..3 of Association LN, 2 by default, or 0..4 of Association SN,
                3 by default. It says how access rights are shown.
            short_names: Whether objects have short names in it, where only the address was given.
            facts: What else the profile says, where only the address was given; with a secret and no
                ``mechanism``, LLS.

        Raises:
            ConfigurationError: Parameters that contradict each other, or nothing in an AARQ would tell it from
                an association that there is already.

        >>> from cosem.server import AccessRights
        >>> device = LogicalDevice("ABC0000000000001")
        >>> device.add_association(1, AccessRights.full(), secret="12345678").profile.mechanism
        <AuthenticationMechanism.LLS: 1>
        """
        names = (f"0.0.40.0.{number}.255" for number in range(len(self.associations) + 1, 256))
        name = next((each for each in names if LogicalName(each) not in self._objects), None)
        if name is None:
            raise ConfigurationError("a logical device has 255 associations at most")
        entry = new_entry(
            name,
            client,
            rights,
            self._base_names,
            secret=secret,
            version=version,
            short_names=short_names,
            facts=facts,
        )
        if any(each.profile.is_asked_for_like(entry.profile) for each in self.associations):
            raise ConfigurationError(f"client {entry.profile.client_sap} has such an association already")
        if entry.profile.application_context.short_names and not self._has_base_names:
            self._base_names.add(self)
            self._has_base_names = True
        self.associations.append(entry)
        self.add(entry.association_object)
        return entry

    def new_long_invoke_id(self) -> int:
        """Return the number of what the device sends next by itself: one count for all its pushes and notifications."""
        number = self._next_long_invoke_id
        self._next_long_invoke_id = (number + 1) % _LONG_INVOKE_IDS
        return number

    def association(self, client_sap: int, limits: ServerLimits | None = None) -> ServerAssociation:
        """Return a fresh association with a client of this address; it refuses unknown clients itself."""
        profiles = [each.profile for each in self.associations if each.profile.client_sap == client_sap]
        return ServerAssociation(profiles, client_sap=client_sap, server_sap=self.sap, limits=limits)

    def entry_of(self, association: ServerAssociation) -> AssociationEntry | None:
        """Return the entry of the profile that an association is made by."""
        return next((each for each in self.associations if each.profile is association.profile), None)

    def visible(self, entry: AssociationEntry) -> Iterator[CosemObject]:
        """Return the objects that a client sees; the objects of other associations only if it may manage them."""
        return (each for each in self._objects.values() if self._sees(entry, each))

    # --- services ---------------------------------------------------------------------------------------

    def resolve(self, association: ServerAssociation, indication: object) -> Outcome[Any]:
        """Return the outcome of an indication, at once or when awaited.

        Args:
            association: Where it comes from.
            indication: See :mod:`cosem.association.server.indications`.
        """
        if isinstance(indication, (ReadAttribute, WriteAttribute, InvokeMethod)):
            waiting = self.advance()
            if waiting is not None:
                return self._after(waiting, association, indication)
            return self._serve(association, indication)
        self._take_note(association, indication)
        return None

    async def _after(
        self,
        waiting: Awaitable[None],
        association: ServerAssociation,
        indication: ReadAttribute | WriteAttribute | InvokeMethod,
    ) -> Any:
        await waiting
        outcome = self._serve(association, indication)
        return await outcome if is_awaitable(outcome) else outcome

    def _serve(
        self, association: ServerAssociation, indication: ReadAttribute | WriteAttribute | InvokeMethod
    ) -> Outcome[Any]:
        if isinstance(indication, ReadAttribute):
            return self.read(association, indication)
        if isinstance(indication, WriteAttribute):
            return self.write(association, indication)
        return self.invoke(association, indication)

    def _take_note(self, association: ServerAssociation, indication: Any) -> None:
        """Keep account of the associations that stand, and tell those who listen."""
        if isinstance(indication, (Established, ReleaseIndication, AbortIndication)):
            entry = self.entry_of(association)
            if entry is not None and isinstance(indication, Established):
                entry.active.add(association)
            elif entry is not None:
                entry.active.discard(association)
        for listener in self.listeners:
            try:
                listener(association, indication)
            except Exception:
                log.exception("a listener failed at %s", type(indication).__name__)

    def _target(
        self, entry: AssociationEntry, class_id: int, name: LogicalName
    ) -> CosemObject | DataAccessResult:
        """Return the object that a client means."""
        found: CosemObject | None
        if name == CURRENT_ASSOCIATION:
            found = entry.association_object
        else:
            found = self._objects.get(name)
            if found is None or not self._sees(entry, found):
                return _R.OBJECT_UNDEFINED
        return found if found.class_id == class_id else _R.OBJECT_CLASS_INCONSISTENT

    def read(self, association: ServerAssociation, request: ReadAttribute) -> Outcome[ReadResult]:
        """Return an attribute, or why the client does not get it."""
        entry = self.entry_of(association)
        if entry is None:
            return _R.OBJECT_UNDEFINED
        target = self._target(entry, request.class_id, request.instance_id)
        if isinstance(target, DataAccessResult):
            return target
        if request.attribute_id == 0:
            return self._read_all(association, entry, target)
        if request.attribute_id == 1 and request.instance_id == CURRENT_ASSOCIATION:
            return OctetString(CURRENT_ASSOCIATION)
        refusal = self._refusal(association, entry, target, request.attribute_id, READ)
        return refusal or target.get(request.attribute_id, request.selection, association)

    def _read_all(
        self, association: ServerAssociation, entry: AssociationEntry, target: CosemObject
    ) -> Outcome[ReadResult]:
        """Return attribute 0: every attribute of the standard in order, null-data for what may not be read."""
        members: list[Outcome[ReadResult]] = []
        for attribute in target.attributes:
            number = attribute.number
            refusal = self._refusal(association, entry, target, number, READ)
            members.append(None if refusal is not None else target.get(number, None, association))
        if any(map(is_awaitable, members)):
            return _gathered(members)
        return _structure(members)

    def write(self, association: ServerAssociation, request: WriteAttribute) -> Outcome[DataAccessResult]:
        """Write an attribute, and return how it went."""
        entry = self.entry_of(association)
        if entry is None:
            return _R.OBJECT_UNDEFINED
        target = self._target(entry, request.class_id, request.instance_id)
        if isinstance(target, DataAccessResult):
            return target
        if request.attribute_id == 0:
            return self._write_all(association, entry, target, request.value)
        number = request.attribute_id
        refusal = self._refusal(association, entry, target, number, WRITE)
        if refusal is not None:
            return refusal
        if request.selection is not None:
            return _R.TYPE_UNMATCHED
        named = named_by_attribute(target.class_id, number, request.value)
        refusal = self._refusal_of_named(association, entry, named)
        if refusal is not None:
            return refusal
        return target.set(number, request.value, association)

    async def _write_all(
        self, association: ServerAssociation, entry: AssociationEntry, target: CosemObject, value: DataValue
    ) -> DataAccessResult:
        """Write attribute 0: a structure of every attribute in order, null-data for what stays as it is."""
        if not isinstance(value, Structure) or len(value) != len(target.attributes):
            return _R.TYPE_UNMATCHED
        pairs = [pair for pair in zip(target.attributes, value, strict=True) if pair[1] is not None]
        for attribute, member in pairs:
            refusal = self._refusal(association, entry, target, attribute.number, WRITE)
            if refusal is None:
                refusal = target.refusal_of(attribute, member)
            if refusal is None:
                named = named_by_attribute(target.class_id, attribute.number, member)
                refusal = self._refusal_of_named(association, entry, named)
            if refusal is not None:
                return refusal
        for attribute, member in pairs:
            outcome = target.set(attribute.number, member, association)
            result: Any = await outcome if is_awaitable(outcome) else outcome
            if result is not _R.SUCCESS:
                return DataAccessResult(result)
        return _R.SUCCESS

    def invoke(self, association: ServerAssociation, request: InvokeMethod) -> Outcome[MethodOutcome]:
        """Call a method, and return how it went."""
        entry = self.entry_of(association)
        if entry is None:
            return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
        target = self._target(entry, request.class_id, request.instance_id)
        if isinstance(target, DataAccessResult):
            return MethodOutcome(ActionResult(target))
        number = request.method_id
        refusal = self._refusal_of_call(association, entry, target, number)
        if refusal is None:
            named = named_by_method(target.class_id, number, request.parameters)
            refusal = self._refusal_of_named(association, entry, named, unknown=_R.OBJECT_UNDEFINED)
        if refusal is not None:
            return MethodOutcome(ActionResult(refusal))
        return target.call(number, request.parameters, association)

    # --- from inside the meter ------------------------------------------------------------------------------

    def value_of(self, class_id: int, name: bytes, number: int) -> Outcome[ReadResult]:
        """Return an attribute for another object of the meter, such as a profile that captures it."""
        target = self._inside(class_id, name)
        return target if isinstance(target, DataAccessResult) else target.get(number)

    def write_inside(
        self, class_id: int, name: bytes, number: int, value: DataValue
    ) -> Outcome[DataAccessResult]:
        """Write an attribute for another object of the meter, such as a script.

        Rights do not matter here: they counted when a client named this, see :mod:`cosem.server.named_attributes`.
        """
        target = self._inside(class_id, name)
        return target if isinstance(target, DataAccessResult) else target.set(number, value)

    def invoke_inside(
        self, class_id: int, name: bytes, number: int, parameters: DataValue | Absent
    ) -> Outcome[MethodOutcome]:
        """Call a method for another object of the meter, such as a script.

        Rights do not matter here: they counted when a client named this, see :mod:`cosem.server.named_attributes`.
        """
        target = self._inside(class_id, name)
        if isinstance(target, DataAccessResult):
            return MethodOutcome(ActionResult(target))
        return target.call(number, parameters)

    def _inside(self, class_id: int, name: bytes) -> CosemObject | DataAccessResult:
        target = self._objects.get(bytes(name))
        if target is None:
            return _R.OBJECT_UNDEFINED
        return target if target.class_id == class_id else _R.OBJECT_CLASS_INCONSISTENT


async def _gathered(members: list[Outcome[ReadResult]]) -> ReadResult:
    return _structure([await member if is_awaitable(member) else member for member in members])


def _structure(members: list[Any]) -> ReadResult:
    return Structure(None if isinstance(member, DataAccessResult) else member for member in members)
