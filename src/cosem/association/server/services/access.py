"""ACCESS at the server: reads, writes and calls of one APDU, in order (later editions).

Access rights, protection and types are looked at item by item, as if each had come
alone. Attribute 0 and several references are part of the service; selective access
and ACCESS itself must have been agreed on. The service has no blocks of its own: what
does not fit, and may not go in general blocks, is refused item by item, so that what was
written and called is told in any case.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import encode
from cosem.apdu.access import (
    AccessRequest,
    AccessRequestAction,
    AccessRequestGet,
    AccessRequestGetWithSelection,
    AccessResponse,
    AccessResponseAction,
    AccessResponseGet,
    AccessResponseSet,
)
from cosem.association.server.association import ServerAssociation, Service
from cosem.association.server.indications import Fault, Indication, ReadAttribute, WriteAttribute
from cosem.association.server.refusals import NOT_ALLOWED, NOT_SUPPORTED, TOO_LONG
from cosem.association.server.room import has_room, longest_answer
from cosem.association.server.services.action import invoke_method
from cosem.codec.data import encode_data
from cosem.errors import EncodeError
from cosem.types.data import Absent
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.access import AccessRequestSpecification, AccessResponseSpecification
    from cosem.types.data import DataValue

__all__ = ["access"]

_R = DataAccessResult
_Outcome: TypeAlias = "tuple[DataValue, AccessResponseSpecification]"

_SMALLEST_ITEM: Final = 3
"""Octets of null-data, and of a result with its choice."""
_COUNTS: Final = 6
"""Octets by which two counts may grow."""


def access(association: ServerAssociation, request: AccessRequest, now: float) -> Service:
    """Run an ACCESS request."""
    del now
    if not association.agreed(Conformance.ACCESS):
        return NOT_SUPPORTED
    invoke_id = request.long_invoke_id_and_priority
    specifications = request.access_request_specification
    if len(specifications) != len(request.access_request_list_of_data):
        return NOT_ALLOWED
    if not association.context.confirmed and invoke_id.confirmed:
        return None  # an unconfirmed association has no confirmed services
    described = specifications if invoke_id.self_descriptive else None
    empty = encode(AccessResponse(invoke_id, b"", described, (), ()))
    size = len(empty) + _COUNTS + _SMALLEST_ITEM * len(specifications)
    if not has_room(association, size):
        return TOO_LONG  # before anything is done
    values: list[DataValue] = []
    results: list[AccessResponseSpecification] = []
    broken = False
    for specification, data in zip(specifications, request.access_request_list_of_data, strict=True):
        if broken:
            value, result = None, _refused(specification, int(_R.OTHER_REASON))
        else:
            value, result = yield from _one(association, specification, data)
        left = longest_answer(association) - size  # less than before where a right demands more protection
        more, value, result = yield from _measured(value, result, specification, left)
        size += more
        association.demands.least = size
        values.append(value)
        results.append(result)
        broken = broken or (invoke_id.break_on_error and int(result.result) != 0)
    return encode(AccessResponse(invoke_id, b"", described, tuple(values), tuple(results)))


def _one(
    association: ServerAssociation, specification: AccessRequestSpecification, data: DataValue
) -> Generator[Indication, Any, _Outcome]:
    """Do one item, and return what it gives and how it went."""
    if isinstance(specification, AccessRequestAction):
        # A list has no way to leave a parameter out: null-data stands for none as well.
        response = yield from invoke_method(association, specification.cosem_method_descriptor, data)
        returned, result = response.return_parameters, response.result
        if isinstance(returned, DataAccessResult):
            if returned is not _R.SUCCESS and result is ActionResult.SUCCESS:
                result = ActionResult(int(returned))
            returned = None
        return (None if isinstance(returned, Absent) else returned), AccessResponseAction(result)
    descriptor = specification.cosem_attribute_descriptor
    selection = getattr(specification, "access_selection", None)
    reads = isinstance(specification, (AccessRequestGet, AccessRequestGetWithSelection))
    if selection is not None and (
        descriptor.attribute_id == 0 or not association.agreed(Conformance.SELECTIVE_ACCESS)
    ):
        return None, _refused(specification, int(_R.OTHER_REASON))
    where = descriptor.class_id, descriptor.instance_id, descriptor.attribute_id
    if not reads:
        return None, AccessResponseSet((yield WriteAttribute(*where, data, selection)))
    value = yield ReadAttribute(*where, selection)
    if isinstance(value, DataAccessResult):
        return None, AccessResponseGet(_R.OTHER_REASON if value is _R.SUCCESS else value)
    return value, AccessResponseGet(_R.SUCCESS)


def _measured(
    value: DataValue,
    result: AccessResponseSpecification,
    specification: AccessRequestSpecification,
    left: int,
) -> Generator[Indication, Any, tuple[int, DataValue, AccessResponseSpecification]]:
    """Return the octets by which a value is longer than null-data; without it where it cannot be sent."""
    try:
        size = 0 if value is None else len(encode_data(value)) - 1
    except EncodeError as error:
        # What a method returns was looked at already: this is an attribute.
        descriptor: Any = getattr(specification, "cosem_attribute_descriptor", None)
        subject = ReadAttribute(descriptor.class_id, descriptor.instance_id, descriptor.attribute_id)
        yield Fault(subject, error)
        return 0, None, _refused(specification, int(_R.OTHER_REASON))
    if size <= left:
        return size, value, result
    if isinstance(result, AccessResponseGet):
        result = AccessResponseGet(_R.OTHER_REASON)
    return 0, None, result  # a method was called, whatever becomes of what it returns


def _refused(specification: AccessRequestSpecification, number: int) -> AccessResponseSpecification:
    if isinstance(specification, AccessRequestAction):
        return AccessResponseAction(ActionResult(number))
    if isinstance(specification, (AccessRequestGet, AccessRequestGetWithSelection)):
        return AccessResponseGet(DataAccessResult(number))
    return AccessResponseSet(DataAccessResult(number))
