"""GET: one attribute or a list, whole or in blocks (IEC 62056-5-3, 7.3.3, figures 15 to 17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cosem.apdu import Apdu, encode
from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
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
from cosem.association.blocks import BlockJoiner
from cosem.association.client.conversations.refused_list import RefusedList
from cosem.association.context import (
    Conversation,
    EncodedData,
    Progress,
    ServiceContext,
    no_progress,
    require,
    unexpected,
)
from cosem.errors import ProtocolError
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["EncodedData", "get", "get_encoded", "get_with_list"]


def get(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataValue | DataAccessResult]:
    """Read one attribute, in blocks if the server answers so.

    Returns:
        The value, or the result with which the server refused.

    Raises:
        UnsupportedError: GET, selective access or attribute 0 was not agreed on.
        ProtocolError: The answer is of another kind, or a block has the wrong number.
    """
    answer = yield from get_encoded(context, descriptor, selection, progress)
    return context.value(answer.octets) if isinstance(answer, EncodedData) else answer


def get_encoded(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
    each_block: Callable[[bytes], object] | None = None,
) -> Conversation[DataValue | DataAccessResult | EncodedData]:
    """Read one attribute; what comes in blocks is not decoded, so that long profiles need no object for each value.

    Args:
        context: The association.
        descriptor: The attribute.
        selection: Which part of it.
        progress: Told of the octets transferred so far.
        each_block: Told of the octets of each block, as it comes. Whoever takes them so gets the value of an
            answer in one piece, or in general blocks, in octets, too.

    Raises:
        UnsupportedError: As :func:`get`.
        ProtocolError: As :func:`get`.
    """
    require(context, Conformance.GET, "reading an attribute")
    if selection is not None:
        require(context, Conformance.SELECTIVE_ACCESS, "reading a part of an attribute")
    if descriptor.attribute_id == 0:
        require(context, Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET, "reading all attributes at once")
    context.follow(progress)
    invoke_id = context.new_invoke_id()
    if each_block is not None:
        context.keep_encoded(invoke_id)
    answer = yield GetRequestNormal(invoke_id, descriptor, selection)
    if isinstance(answer, GetResponseNormal):
        return answer.result
    if not isinstance(answer, GetResponseWithDatablock):
        raise ProtocolError(unexpected(answer, "get-response"))
    joined = yield from _remaining_blocks(context, invoke_id, answer, each_block)
    return joined if isinstance(joined, DataAccessResult) else EncodedData(joined)


def get_with_list(
    context: ServiceContext,
    items: Sequence[tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]],
    progress: Progress = no_progress,
) -> Conversation[tuple[DataValue | DataAccessResult, ...]]:
    """Read several attributes in one request, which must fit into one APDU.

    Returns:
        A value or a refusal for each item, in order.

    Raises:
        UnsupportedError: GET, lists or selective access were not agreed on.
        ProtocolError: The answer is of another kind, or has more or fewer results than items.
    """
    require(context, Conformance.GET, "reading an attribute")
    require(context, Conformance.MULTIPLE_REFERENCES, "reading several attributes at once")
    if any(selection is not None for _, selection in items):
        require(context, Conformance.SELECTIVE_ACCESS, "reading a part of an attribute")
    context.follow(progress)
    invoke_id = context.new_invoke_id()
    listed = tuple(CosemAttributeDescriptorWithSelection(*item) for item in items)
    answer = yield GetRequestWithList(invoke_id, listed)
    if isinstance(answer, GetResponseWithList):
        results: tuple[Any, ...] = answer.result
    elif isinstance(answer, GetResponseNormal) and isinstance(answer.result, DataAccessResult):
        return RefusedList((answer.result,) * len(items))
    elif isinstance(answer, GetResponseWithDatablock):
        joined = yield from _remaining_blocks(context, invoke_id, answer)
        if isinstance(joined, DataAccessResult):
            return RefusedList((joined,) * len(items))
        reader = context.reader(joined)
        results = tuple(get_data_result_wire.read(reader) for _ in range(reader.count()))
        reader.finish()
    else:
        raise ProtocolError(unexpected(answer, "get-response"))
    if len(results) != len(items):
        raise ProtocolError(f"{len(items)} results expected, {len(results)} received")
    return results


def _remaining_blocks(
    context: ServiceContext,
    invoke_id: InvokeIdAndPriority,
    answer: GetResponseWithDatablock,
    each_block: Callable[[bytes], object] | None = None,
) -> Conversation[bytes | DataAccessResult]:
    """Ask for block after block and return the joined octets, or the result that ended the transfer."""
    joiner = BlockJoiner(context.transfer_limits)
    previous = None
    repeated = False
    while True:
        block = answer.result
        if isinstance(block.result, DataAccessResult):
            return block.result
        if block == previous and not repeated:
            repeated = True  # a duplicate of the last block: the acknowledgement got lost, repeat it once
            context.reader(b"").finding("get-block-repeated")
        else:
            repeated = False
            previous = block
            joiner.add(block.block_number, block.result)
            context.transferred(joiner.size)
            if each_block is not None:
                each_block(block.result)
        if block.last_block:
            return joiner.joined()
        # The number of the block received, not of the one wanted (figure 16).
        reply: Apdu = yield GetRequestNext(invoke_id, joiner.number)
        if isinstance(reply, GetResponseNormal) and isinstance(reply.result, DataAccessResult):
            return reply.result
        if not isinstance(reply, GetResponseWithDatablock):
            raise ProtocolError(unexpected(reply, "get-response-with-datablock"))
        answer = reply


def request_size(items: Sequence[tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]]) -> int:
    """Return the octets of the request for a list, to split it by."""
    listed = tuple(CosemAttributeDescriptorWithSelection(*item) for item in items)
    return len(encode(GetRequestWithList(InvokeIdAndPriority(0), listed)))
