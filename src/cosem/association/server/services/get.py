"""GET at the server: one attribute, a list, and long answers in blocks (IEC 62056-5-3, 7.3.3, figures 15 to 17).

What does not fit into one APDU is cut: of a single value the Data, of a list the
SEQUENCE OF results with its count. The whole is encoded once, before the first
block goes out, so that every block is of the same moment.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import encode
from cosem.apdu.common import (
    CosemAttributeDescriptor,
    DataBlockG,
    SelectiveAccessDescriptor,
    get_data_result_wire,
)
from cosem.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from cosem.association.blocks import room_for
from cosem.association.server.association import ServerAssociation, Service
from cosem.association.server.indications import Fault, Indication, ReadAttribute
from cosem.association.server.refusals import NOT_SUPPORTED, TOO_LONG
from cosem.association.server.transfers import Delivery
from cosem.codec.axdr import encode_length
from cosem.errors import EncodeError
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["get", "read_attribute"]

_Result: TypeAlias = "DataValue | DataAccessResult"

_DATABLOCK: Final = 9
"""Octets of get-response-with-datablock besides the raw data and its length."""
_NORMAL_HEAD: Final = 4
"""Octets of get-response-normal before the Data."""
_LIST_HEAD: Final = 3
"""Octets of get-response-with-list before the count."""


def get(association: ServerAssociation, request: Any, now: float) -> Service:
    """Run a GET request of any type."""
    if not association.agreed(Conformance.GET):
        return NOT_SUPPORTED
    invoke_id: InvokeIdAndPriority = request.invoke_id_and_priority
    if isinstance(request, GetRequestNext):
        return _next(association, request, now) if association.answers(invoke_id) else None
    association.transfers.drop(invoke_id.invoke_id)
    if not association.answers(invoke_id):
        return None  # a GET that nobody answers reads nothing
    if isinstance(request, GetRequestNormal):
        return (yield from _normal(association, request, now))
    return (yield from _with_list(association, request, now))


def read_attribute(
    association: ServerAssociation,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None,
) -> Generator[Indication, Any, _Result]:
    """Ask the application process for one attribute, unless it takes a feature that was not agreed on."""
    if descriptor.attribute_id == 0 and (
        selection is not None or not association.agreed(Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET)
    ):
        return DataAccessResult.OTHER_REASON
    if selection is not None and not association.agreed(Conformance.SELECTIVE_ACCESS):
        return DataAccessResult.OTHER_REASON
    value: _Result = yield ReadAttribute(
        descriptor.class_id, descriptor.instance_id, descriptor.attribute_id, selection
    )
    return DataAccessResult.OTHER_REASON if value is DataAccessResult.SUCCESS else value


def _normal(association: ServerAssociation, request: GetRequestNormal, now: float) -> Service:
    invoke_id = request.invoke_id_and_priority
    descriptor = request.cosem_attribute_descriptor
    value = yield from read_attribute(association, descriptor, request.access_selection)
    try:
        octets = encode(GetResponseNormal(invoke_id, value))
    except EncodeError as error:
        yield Fault(_subject(descriptor), error)
        octets = encode(GetResponseNormal(invoke_id, DataAccessResult.OTHER_REASON))
    limit = association.max_answer_size
    if not limit or len(octets) <= limit:
        return octets
    if not association.agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
        return encode(GetResponseNormal(invoke_id, DataAccessResult.OTHER_REASON))
    return _first_block(association, invoke_id, octets[_NORMAL_HEAD:], now)


def _with_list(association: ServerAssociation, request: GetRequestWithList, now: float) -> Service:
    invoke_id = request.invoke_id_and_priority
    items = request.attribute_descriptor_list
    refused = GetResponseWithList(invoke_id, (DataAccessResult.OTHER_REASON,) * len(items))
    limit = association.max_answer_size
    if not association.agreed(Conformance.MULTIPLE_REFERENCES):
        return _if_it_fits(encode(refused), limit)
    blocks = association.agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    most = association.limits.answer if blocks or not limit else limit
    results = bytearray(encode_length(len(items)))
    for item in items:
        descriptor = item.cosem_attribute_descriptor
        value = yield from read_attribute(association, descriptor, item.access_selection)
        start = len(results)
        try:
            get_data_result_wire.write(results, value)
        except EncodeError as error:
            del results[start:]
            get_data_result_wire.write(results, DataAccessResult.OTHER_REASON)
            yield Fault(_subject(descriptor), error)
        if len(results) > most:
            return TOO_LONG if blocks else _if_it_fits(encode(refused), limit)
    head = encode(GetResponseWithList(invoke_id, ()))[:_LIST_HEAD]
    if not limit or len(head) + len(results) <= limit:
        return head + bytes(results)
    if not blocks:
        return _if_it_fits(encode(refused), limit)
    return _first_block(association, invoke_id, bytes(results), now)


def _subject(descriptor: CosemAttributeDescriptor) -> ReadAttribute:
    return ReadAttribute(descriptor.class_id, descriptor.instance_id, descriptor.attribute_id)


def _if_it_fits(octets: bytes, limit: int) -> bytes:
    return octets if not limit or len(octets) <= limit else TOO_LONG


def _first_block(
    association: ServerAssociation, invoke_id: InvokeIdAndPriority, octets: bytes, now: float
) -> bytes:
    if len(octets) > association.limits.answer:
        return TOO_LONG
    delivery = Delivery(octets, room_for(association.max_answer_size, _DATABLOCK), action=False)
    association.transfers.begin(invoke_id.invoke_id, delivery, now)
    return _block(invoke_id, delivery.next_block())


def _next(association: ServerAssociation, request: GetRequestNext, now: float) -> bytes:
    """Give out the block after the one that the client acknowledges, or end the transfer."""
    invoke_id = request.invoke_id_and_priority
    number = request.block_number
    delivery = association.transfers.delivery(invoke_id.invoke_id, now, action=False)
    if delivery is None:
        return _block_error(invoke_id, number, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
    repeats = association.profile is not None and association.profile.repeat_blocks
    if number == delivery.number:
        if delivery.ended:
            association.transfers.drop(invoke_id.invoke_id)
            return _block_error(invoke_id, number, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
        block = delivery.next_block()
    elif repeats and number == delivery.number - 1:
        block = delivery.block()
    else:
        association.transfers.drop(invoke_id.invoke_id)
        return _block_error(invoke_id, number, DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
    if block[0] and not repeats:
        association.transfers.drop(invoke_id.invoke_id)
    return _block(invoke_id, block)


def _block(invoke_id: InvokeIdAndPriority, block: tuple[bool, int, bytes]) -> bytes:
    return encode(GetResponseWithDatablock(invoke_id, DataBlockG(*block)))


def _block_error(invoke_id: InvokeIdAndPriority, number: int, result: DataAccessResult) -> bytes:
    return encode(GetResponseWithDatablock(invoke_id, DataBlockG(True, number, result)))
