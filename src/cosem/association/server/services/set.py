"""SET at the server: one attribute, a list, either in blocks (IEC 62056-5-3, 7.3.4, figures 18 and 19).

A long request is collected whole before anything is written. A list is not one
transaction: each item has a result of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import encode
from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from cosem.association.server.association import ServerAssociation, Service
from cosem.association.server.indications import Indication, WriteAttribute
from cosem.association.server.refusals import NOT_SUPPORTED, TOO_LONG
from cosem.association.server.room import has_room
from cosem.association.server.transfers import Collection
from cosem.codec.axdr import encoded_length_size
from cosem.codec.data import decode_data, read_data
from cosem.codec.reader import Reader
from cosem.errors import DecodeError, LimitError, ProtocolError
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.apdu.common import DataBlockSA
    from cosem.types.data import DataValue

__all__ = ["set_"]

_Target: TypeAlias = tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]
_R = DataAccessResult

_LIST_HEAD: Final = 3
"""Octets of set-response-with-list before the count."""
_LAST_LIST_HEAD: Final = 7
"""Octets of set-response-last-datablock-with-list besides count and results."""


def set_(association: ServerAssociation, request: Any, now: float) -> Service:
    """Run a SET request of any type."""
    if not association.agreed(Conformance.SET):
        return NOT_SUPPORTED
    invoke_id: InvokeIdAndPriority = request.invoke_id_and_priority
    answers = association.answers(invoke_id)
    if isinstance(request, SetRequestWithDatablock):
        return (yield from _further_block(association, request, now)) if answers else None
    association.transfers.drop(invoke_id.invoke_id)
    if not association.executes(invoke_id):
        return None
    if isinstance(request, SetRequestNormal):
        target = request.cosem_attribute_descriptor, request.access_selection
        result = yield from _write(association, target, request.value)
        return encode(SetResponseNormal(invoke_id, result)) if answers else None
    if isinstance(request, SetRequestWithList):
        targets = _targets(request)
        if answers and not _room_for_results(association, len(targets), _LIST_HEAD):
            return TOO_LONG
        results = yield from _write_all(association, targets, request.value_list)
        return encode(SetResponseWithList(invoke_id, results)) if answers else None
    return (yield from _first_block(association, request, now)) if answers else None


def _targets(request: SetRequestWithList | SetRequestWithListAndFirstDatablock) -> tuple[_Target, ...]:
    return tuple(
        (item.cosem_attribute_descriptor, item.access_selection) for item in request.attribute_descriptor_list
    )


def _room_for_results(association: ServerAssociation, targets: int, head: int) -> bool:
    """Return whether the results of a list can be given, before anything is written."""
    return has_room(association, head + encoded_length_size(targets) + targets)


def _write(
    association: ServerAssociation, target: _Target, value: DataValue
) -> Generator[Indication, Any, DataAccessResult]:
    """Ask the application process to write one attribute, unless it takes a feature that was not agreed on."""
    descriptor, selection = target
    if descriptor.attribute_id == 0 and (
        selection is not None or not association.agreed(Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET)
    ):
        return _R.OTHER_REASON
    if selection is not None and not association.agreed(Conformance.SELECTIVE_ACCESS):
        return _R.OTHER_REASON
    result: DataAccessResult = yield WriteAttribute(
        descriptor.class_id, descriptor.instance_id, descriptor.attribute_id, value, selection
    )
    return result


def _write_all(
    association: ServerAssociation, targets: tuple[_Target, ...], values: tuple[DataValue, ...]
) -> Generator[Indication, Any, tuple[DataAccessResult, ...]]:
    if not association.agreed(Conformance.MULTIPLE_REFERENCES):
        return (_R.OTHER_REASON,) * len(targets)
    if len(targets) != len(values):
        return (_R.TYPE_UNMATCHED,) * len(targets)
    results = []
    for target, value in zip(targets, values, strict=True):
        results.append((yield from _write(association, target, value)))
    return tuple(results)


# --- blocks ------------------------------------------------------------------------------------------


def _first_block(association: ServerAssociation, request: Any, now: float) -> Service:
    invoke_id = request.invoke_id_and_priority
    targets: tuple[_Target, ...]
    if isinstance(request, SetRequestWithFirstDatablock):
        targets = ((request.cosem_attribute_descriptor, request.access_selection),)
        listed = False
    else:
        targets = _targets(request)
        listed = True
    collection = Collection(association.limits, attributes=targets, listed=listed)
    number = request.datablock.block_number
    if not association.agreed(Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE):
        return _end(association, invoke_id, collection, number, _R.OTHER_REASON)
    association.transfers.begin(invoke_id.invoke_id, collection, now)
    return (yield from _take(association, invoke_id, collection, request.datablock))


def _further_block(association: ServerAssociation, request: SetRequestWithDatablock, now: float) -> Service:
    invoke_id = request.invoke_id_and_priority
    collection = association.transfers.collection(invoke_id.invoke_id, now, action=False)
    if collection is None:
        number = request.datablock.block_number
        return encode(SetResponseLastDatablock(invoke_id, _R.NO_LONG_SET_IN_PROGRESS, number))
    return (yield from _take(association, invoke_id, collection, request.datablock))


def _take(
    association: ServerAssociation, invoke_id: InvokeIdAndPriority, collection: Collection, block: DataBlockSA
) -> Service:
    """Take a block, and write when it was the last."""
    number = block.block_number
    if number != collection.number + 1:
        return _end(association, invoke_id, collection, number, _R.DATA_BLOCK_NUMBER_INVALID)
    try:
        association.transfers.check_room(len(block.raw_data))
        collection.add(number, block.raw_data)
    except (LimitError, ProtocolError):
        return _end(association, invoke_id, collection, number, _R.LONG_SET_ABORTED)
    if not block.last_block:
        return encode(SetResponseDatablock(invoke_id, number))
    association.transfers.drop(invoke_id.invoke_id)
    octets = collection.joined()
    targets = collection.attributes
    if collection.listed and not _room_for_results(association, len(targets), _LAST_LIST_HEAD):
        return TOO_LONG
    try:
        values = read_list(octets) if collection.listed else (decode_data(octets, findings=[]),)
    except DecodeError:
        return _end(association, invoke_id, collection, number, _R.TYPE_UNMATCHED)
    if collection.listed:
        results = yield from _write_all(association, targets, values)
        return encode(SetResponseLastDatablockWithList(invoke_id, results, number))
    result = yield from _write(association, targets[0], values[0])
    return encode(SetResponseLastDatablock(invoke_id, result, number))


def _end(
    association: ServerAssociation,
    invoke_id: InvokeIdAndPriority,
    collection: Collection,
    number: int,
    result: DataAccessResult,
) -> bytes:
    """End a transfer before its last block."""
    association.transfers.drop(invoke_id.invoke_id)
    if collection.listed:
        count = len(collection.attributes)
        if not _room_for_results(association, count, _LAST_LIST_HEAD):
            return TOO_LONG
        return encode(SetResponseLastDatablockWithList(invoke_id, (result,) * count, number))
    return encode(SetResponseLastDatablock(invoke_id, result, number))


def read_list(octets: bytes) -> tuple[DataValue, ...]:
    """Return the values of a SEQUENCE OF Data with its count.

    Raises:
        DecodeError: The octets are something else.
    """
    reader = Reader(octets, findings=[])
    values = tuple(read_data(reader) for _ in range(reader.count()))
    reader.finish()
    return values
