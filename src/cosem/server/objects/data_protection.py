"""Data protection at the server: attributes and methods under end-to-end protection (Blue Book, class_id 30).

Whoever asks reaches what its association lets it reach, item by item; the protection of the data comes on top. A
request that cannot be verified, or has less protection than is required, fails as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.classes.standard.data_protection import DataProtection
from cosem.codec.data import decode_data, encode_data
from cosem.errors import CosemError
from cosem.security.data_protection import DataLayer, kinds_proven
from cosem.security.policy import required_by_access_mode
from cosem.security.status import GeneralHeader, KeyUsed
from cosem.server.objects.base import CosemObject, Outcome, ReadResult, is_awaitable
from cosem.store.protected_data import DataProtector, layers_from_data, layers_to_data
from cosem.types.data import ABSENT, DataValue, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.security.policy import ProtectionKind
    from cosem.server.held_security import HeldSecurity
    from cosem.types.data import Absent

__all__ = ["DataProtectionObject"]

_MOST_OBJECTS: Final = 64
_R, _A = DataAccessResult, ActionResult


class _Refused(Exception):
    """A part of the request was refused."""

    def __init__(self, result: int) -> None:
        super().__init__(result)
        self.result = result


class DataProtectionObject(CosemObject, DataProtection):
    """Reads, writes and calls under protection of the data.

    Args:
        held: The keys.
        logical_name: 0-0:43.2.e.
        values: Values of attributes, such as ``required_protection``.
    """

    held: HeldSecurity

    def __init__(
        self, held: HeldSecurity, logical_name: LogicalName | str = "0.0.43.2.0.255", **values: Any
    ) -> None:
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "_asked_for", None)
        super().__init__(logical_name, **values)

    _asked_for: DataValue | None
    """protection_parameters_get as they were written, once they show those of the last capture; else ``None``."""

    # --- the buffer ---------------------------------------------------------------------------------------

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return an attribute; reading the buffer captures and protects what the lists name."""
        if association is None or selection is not None or number not in (2, 4):
            return super().get(number, selection, association)
        return self._captured(association) if number == 2 else self._told()

    async def _told(self) -> ReadResult:
        """Return the parameters of the last capture: also where the same request captures, which ends before this."""
        return self.stored(4)

    def changed(self, number: int) -> None:
        """Take the parameters that were written for those of every capture."""
        if number == 4:
            object.__setattr__(self, "_asked_for", None)

    async def _captured(self, association: ServerAssociation) -> ReadResult:
        asked = self.stored(4) if self._asked_for is None else self._asked_for
        try:
            octets, done = await self._read(self.stored(3), self._answering(asked), association)
            # What we have filled in (title, transaction-id, key) is what the buffer is opened with.
            self.put(4, layers_to_data(done))
            object.__setattr__(self, "_asked_for", asked)
        except _Refused as refusal:
            return DataAccessResult(refusal.result)
        except CosemError:
            return _R.OTHER_REASON
        return OctetString(octets)

    def set(
        self, number: int, value: DataValue, association: ServerAssociation | None = None
    ) -> Outcome[DataAccessResult]:
        """Write an attribute; writing the buffer takes off the protection and writes what the lists name."""
        if number != 2 or association is None:
            return super().set(number, value, association)
        if not isinstance(value, bytes):
            return _R.TYPE_UNMATCHED
        return self._released(bytes(value), association)

    async def _released(self, octets: bytes, association: ServerAssociation) -> DataAccessResult:
        try:
            layers = self._asked(self.stored(5), association)
            await self._write(self.stored(3), layers, octets, association)
        except _Refused as refusal:
            return DataAccessResult(refusal.result)
        except CosemError:
            return _R.OTHER_REASON
        return _R.SUCCESS

    # --- methods ------------------------------------------------------------------------------------------

    def call(
        self,
        number: int,
        parameters: DataValue | Absent = ABSENT,
        association: ServerAssociation | None = None,
    ) -> Outcome[MethodOutcome]:
        """Call a method; without an association there is nobody whose rights would count."""
        method = self.method(number)
        if method is None:
            return MethodOutcome(_A.OBJECT_UNDEFINED)
        if parameters is ABSENT or method.parameter_type.mismatch(parameters) is not None:
            return MethodOutcome(_A.TYPE_UNMATCHED)
        if association is None:
            return MethodOutcome(_A.SCOPE_OF_ACCESS_VIOLATED)
        return self._called(number, parameters, association)

    async def _called(self, number: int, parameters: Any, association: ServerAssociation) -> MethodOutcome:
        try:
            if number == 1:
                wanted, told = parameters
                return await self._get_protected(wanted, told, association)
            if number == 2:
                listed, told, octets = parameters
                await self._write(listed, self._asked(told, association), bytes(octets), association)
                return MethodOutcome()
            called, told, octets = parameters
            return await self._invoke_protected(called, told, octets, association)
        except _Refused as refusal:
            return MethodOutcome(ActionResult(refusal.result))
        except CosemError:
            return MethodOutcome(_A.OTHER_REASON)

    async def _get_protected(self, listed: Any, told: Any, association: ServerAssociation) -> MethodOutcome:
        octets, done = await self._read(listed, self._answering(told), association)
        return MethodOutcome(_A.SUCCESS, Structure((layers_to_data(done), OctetString(octets))))

    async def _invoke_protected(
        self, method: Any, told: Any, octets: Any, association: ServerAssociation
    ) -> MethodOutcome:
        if self.device is None or len(method) < 3 or not isinstance(method[1], bytes) or len(method[1]) != 6:
            raise _Refused(_A.TYPE_UNMATCHED)
        if method[0] == DataProtection.class_id:  # as in lists of objects
            raise _Refused(_A.READ_WRITE_DENIED)
        layers = self._asked(told, association)
        answering = self._sufficient(_in_kind(layers))
        protector = self._protector()
        parameter = decode_data(protector.unprotect(bytes(octets), layers, association.context.client_title))
        # Whatever the answer lacks is found before the method runs: who is told of a failure calls it again.
        answer = protector.prepare(answering)
        request = InvokeMethod(int(method[0]), LogicalName(method[1]), int(method[2]), parameter)
        outcome = self.device.invoke(association, request)
        result = await outcome if is_awaitable(outcome) else outcome
        if not isinstance(result, MethodOutcome) or result.result is not _A.SUCCESS:
            return MethodOutcome(getattr(result, "result", _A.OTHER_REASON))
        returned = result.return_parameters
        value: Any = None if returned is ABSENT else returned
        protected = answer.protect(encode_data(value))
        return MethodOutcome(_A.SUCCESS, Structure((layers_to_data(answer.layers), OctetString(protected))))

    # --- what all have in common ----------------------------------------------------------------------------

    def _protector(self) -> DataProtector:
        held = self.held
        material = held.fresh_protection(None, every_message=True).context.material
        return DataProtector(held.counted(), material, held.random_octets)

    def _asked(self, told: Any, association: ServerAssociation) -> tuple[DataLayer, ...]:
        """Return the layers of a request, of which those of the client give at least what is required."""
        layers = layers_from_data(told)
        self._require(kinds_proven(layers, association.context.client_title), response=False)
        return layers

    def _answering(self, told: Any) -> tuple[DataLayer, ...]:
        """Return the layers of an answer that is asked for."""
        return self._sufficient(layers_from_data(told))

    def _sufficient(self, layers: tuple[DataLayer, ...]) -> tuple[DataLayer, ...]:
        """Return the layers of an answer, which give at least what is required."""
        own = [replace(each, header=replace(each.header, originator=self.held.title)) for each in layers]
        self._require(kinds_proven(own), response=True)
        return layers

    def _require(self, found: ProtectionKind, *, response: bool) -> None:
        required = required_by_access_mode(int(self.stored(6) or 0), response=response)  # type: ignore[arg-type]
        if required & ~found:
            raise _Refused(_A.SCOPE_OF_ACCESS_VIOLATED)

    async def _read(
        self, listed: Any, layers: tuple[DataLayer, ...], association: ServerAssociation
    ) -> tuple[bytes, tuple[DataLayer, ...]]:
        """Return the values of attributes, as one structure under protection."""
        if self.device is None:
            raise _Refused(_R.OTHER_REASON)
        values = []
        for class_id, name, number, index in _objects(listed):
            outcome = self.device.read(association, ReadAttribute(class_id, name, number))
            value: Any = await outcome if is_awaitable(outcome) else outcome
            if isinstance(value, DataAccessResult):
                raise _Refused(value)
            values.append(_element(value, index))
        return self._protector().protect(encode_data(Structure(values)), layers)

    async def _write(
        self, listed: Any, layers: tuple[DataLayer, ...], octets: bytes, association: ServerAssociation
    ) -> None:
        """Write attributes; nothing is written before all protection was verified."""
        objects = _objects(listed)
        values = decode_data(self._protector().unprotect(octets, layers, association.context.client_title))
        if not isinstance(values, Structure) or len(values) != len(objects) or self.device is None:
            raise _Refused(_R.TYPE_UNMATCHED)
        for (class_id, name, number, index), value in zip(objects, values, strict=True):
            if index:
                raise _Refused(_R.TYPE_UNMATCHED)
            outcome = self.device.write(association, WriteAttribute(class_id, name, number, value))
            result: Any = await outcome if is_awaitable(outcome) else outcome
            if result is not _R.SUCCESS:
                raise _Refused(int(result))


def _in_kind(layers: tuple[DataLayer, ...]) -> tuple[DataLayer, ...]:
    """Return the layers of an answer, each for who applied that of the request; never under the broadcast key."""
    return tuple(
        DataLayer(
            each.protection_type,
            GeneralHeader(recipient=each.header.originator),
            KeyUsed.GLOBAL_UNICAST if each.key is KeyUsed.GLOBAL_BROADCAST else each.key,
        )
        for each in layers
    )


def _objects(listed: Any) -> list[tuple[int, LogicalName, int, int]]:
    """Return a protection_object_list; restrictions of buffers are not carried out here.

    Objects of this class are refused: a list could name its own buffer, and so on without an end.
    """
    if not isinstance(listed, (tuple, list)) or not 1 <= len(listed) <= _MOST_OBJECTS:
        raise _Refused(_R.TYPE_UNMATCHED)
    found = []
    for each in listed:
        if (
            not isinstance(each, tuple)
            or len(each) != 5
            or not isinstance(each[1], bytes)
            or len(each[1]) != 6
        ):
            raise _Refused(_R.TYPE_UNMATCHED)
        if not isinstance(each[4], tuple) or len(each[4]) != 2 or each[4][0] != 0:
            raise _Refused(_R.OTHER_REASON)
        if each[0] == DataProtection.class_id:
            raise _Refused(_R.READ_WRITE_DENIED)
        found.append((int(each[0]), LogicalName(each[1]), int(each[2]), int(each[3])))
    return found


def _element(value: Any, index: int) -> DataValue:
    if not index:
        return value  # type: ignore[no-any-return]
    if not isinstance(value, tuple) or index > len(value):
        raise _Refused(_R.TYPE_UNMATCHED)
    return value[index - 1]  # type: ignore[no-any-return]
