"""SET: one attribute or a list, whole or in blocks (IEC 62056-5-3, 7.3.4, figures 18 and 19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cosem.apdu import encode
from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
    DataBlockSA,
    SelectiveAccessDescriptor,
)
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
from cosem.association.blocks import cut, room_for
from cosem.association.client.conversations.refused_list import RefusedList
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress, require, unexpected
from cosem.codec.axdr import encode_length
from cosem.codec.data import encode_data
from cosem.errors import ProtocolError
from cosem.types.enumerations import Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["set_attribute", "set_unconfirmed", "set_with_list"]

_NEXT_BLOCK = 8
"""Octets of set-request-with-datablock besides the raw data and its length."""
_DATABLOCK = 5
"""Octets of last-block and block-number."""


def set_attribute(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataAccessResult]:
    """Write one attribute, in blocks if the request is longer than the server takes.

    Returns:
        success, or the result with which the server refused.

    Raises:
        UnsupportedError: SET, selective access or the block transfer that is needed was not agreed on.
        ProtocolError: The answer is of another kind, or acknowledges another block.
    """
    _require_set(context, descriptor, selection)
    context.follow(progress)
    invoke_id = context.new_invoke_id()
    request = SetRequestNormal(invoke_id, descriptor, selection, value)
    size = len(encode(request))
    limit = context.max_request_size
    if not limit or size <= limit:
        answer = yield request
        if isinstance(answer, (SetResponseNormal, SetResponseLastDatablock)):
            return answer.result
        raise ProtocolError(unexpected(answer, "set-response-normal"))
    require(context, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, f"writing {size} octets")
    octets = encode_data(value)
    head = size - len(octets) + _DATABLOCK

    def first(block: DataBlockSA) -> object:
        return SetRequestWithFirstDatablock(invoke_id, descriptor, selection, block)

    results = yield from _send_blocks(context, octets, head, first)
    if len(results) != 1:
        raise ProtocolError(f"1 result expected, {len(results)} received")
    return results[0]


def set_with_list(
    context: ServiceContext,
    items: Sequence[tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]],
    values: Sequence[DataValue],
    progress: Progress = no_progress,
) -> Conversation[tuple[DataAccessResult, ...]]:
    """Write several attributes in one request, in blocks if it is longer than the server takes.

    Returns:
        A result for each item, in order: the server may have written some and refused others.

    Raises:
        UnsupportedError: SET, lists, selective access or the block transfer was not agreed on.
        ProtocolError: The answer is of another kind, or has more or fewer results than items.
    """
    require(context, Conformance.SET, "writing an attribute")
    require(context, Conformance.MULTIPLE_REFERENCES, "writing several attributes at once")
    if any(selection is not None for _, selection in items):
        require(context, Conformance.SELECTIVE_ACCESS, "writing a part of an attribute")
    context.follow(progress)
    invoke_id = context.new_invoke_id()
    listed = tuple(CosemAttributeDescriptorWithSelection(*item) for item in items)
    request = SetRequestWithList(invoke_id, listed, tuple(values))
    size = len(encode(request))
    limit = context.max_request_size
    if not limit or size <= limit:
        answer = yield request
        results = _list_results(answer, len(items))
    else:
        require(context, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, f"writing {size} octets")
        octets = encode_length(len(values)) + b"".join(encode_data(value) for value in values)
        head = size - len(octets) + _DATABLOCK

        def first(block: DataBlockSA) -> object:
            return SetRequestWithListAndFirstDatablock(invoke_id, listed, block)

        results = yield from _send_blocks(context, octets, head, first)
        if len(results) == 1 != len(items) and results[0] is not DataAccessResult.SUCCESS:
            return RefusedList(results * len(items))
    if len(results) != len(items):
        raise ProtocolError(f"{len(items)} results expected, {len(results)} received")
    return results


def set_unconfirmed(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    selection: SelectiveAccessDescriptor | None = None,
) -> object:
    """Return the request that writes one attribute and asks for no answer.

    Raises:
        UnsupportedError: SET or selective access was not agreed on.
    """
    _require_set(context, descriptor, selection)
    return SetRequestNormal(context.new_invoke_id(confirmed=False), descriptor, selection, value)


def _require_set(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None,
) -> None:
    require(context, Conformance.SET, "writing an attribute")
    if selection is not None:
        require(context, Conformance.SELECTIVE_ACCESS, "writing a part of an attribute")
    if descriptor.attribute_id == 0:
        require(context, Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET, "writing all attributes at once")


def _list_results(answer: Any, count: int) -> tuple[DataAccessResult, ...]:
    """Return the results in an answer to a list."""
    if isinstance(answer, (SetResponseWithList, SetResponseLastDatablockWithList)):
        return answer.result
    if isinstance(answer, SetResponseNormal) and answer.result is not DataAccessResult.SUCCESS:
        return RefusedList((answer.result,) * count)
    raise ProtocolError(unexpected(answer, "set-response-with-list"))


def _send_blocks(
    context: ServiceContext, octets: bytes, head: int, first: Any
) -> Conversation[tuple[DataAccessResult, ...]]:
    """Send the octets block by block; the server may end the transfer at any of them."""
    limit = context.max_request_size
    invoke_id = None
    sent = 0
    for last, number, part in cut(octets, room_for(limit, head), room_for(limit, _NEXT_BLOCK)):
        block = DataBlockSA(last, number, part)
        request = first(block) if number == 1 else SetRequestWithDatablock(invoke_id, block)  # type: ignore[arg-type]
        invoke_id = request.invoke_id_and_priority
        answer = yield request
        sent += len(part)
        context.transferred(sent)
        if isinstance(answer, SetResponseLastDatablock):
            return (answer.result,)
        if isinstance(answer, SetResponseLastDatablockWithList):
            return answer.result
        if isinstance(answer, SetResponseNormal) and answer.result is not DataAccessResult.SUCCESS:
            return (answer.result,)
        if last or not isinstance(answer, SetResponseDatablock):
            raise ProtocolError(
                unexpected(answer, "set-response-last-datablock" if last else "set-response-datablock")
            )
        if answer.block_number != number:
            raise ProtocolError(f"block {number} was sent, block {answer.block_number} was acknowledged")
    raise ProtocolError("the transfer did not end")
