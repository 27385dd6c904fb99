"""ACTION: one method or a list, either direction in blocks (IEC 62056-5-3, 7.3.5, figures 20 and 21)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cosem.apdu import Apdu, encode
from cosem.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    ActionResponseWithPblock,
)
from cosem.apdu.common import CosemMethodDescriptor, DataBlockSA
from cosem.association.blocks import BlockJoiner, cut, room_for
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress, require, unexpected
from cosem.codec.axdr import encode_length
from cosem.codec.data import decode_data, encode_data
from cosem.codec.sequence import codec_of
from cosem.errors import DecodeError, ProtocolError
from cosem.types.data import ABSENT
from cosem.types.enumerations import ActionResult, Conformance
from cosem.types.identifiers import InvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.types.data import Absent, DataValue

__all__ = ["action", "action_unconfirmed", "action_with_list"]

_NEXT_PBLOCK = 8
"""Octets of action-request-with-pblock besides the raw data and its length."""
_DATABLOCK = 5
"""Octets of last-block and block-number."""


def action(
    context: ServiceContext,
    descriptor: CosemMethodDescriptor,
    parameters: DataValue | Absent = ABSENT,
    progress: Progress = no_progress,
) -> Conversation[ActionResponseWithOptionalData]:
    """Call one method; parameters and answer go in blocks if they must.

    Args:
        context: The association.
        descriptor: The method.
        parameters: What it takes; ``ABSENT`` to send none. Many methods want ``Integer(0)``.
        progress: Told of the octets transferred.

    Raises:
        UnsupportedError: ACTION or the block transfer that is needed was not agreed on.
        ProtocolError: The answer is of another kind, or a block has the wrong number.
    """
    require(context, Conformance.ACTION, "calling a method")
    context.follow(progress)
    invoke_id = context.new_invoke_id()
    request = ActionRequestNormal(invoke_id, descriptor, parameters)
    size = len(encode(request))
    limit = context.max_request_size
    answer: Apdu
    if not limit or size <= limit or parameters is ABSENT:
        answer = yield request
    else:
        require(context, Conformance.BLOCK_TRANSFER_WITH_ACTION, f"calling a method with {size} octets")
        octets = encode_data(parameters)
        # The first block has no flag for optional parameters (clause 8): one octet less than the plain request.
        head = size - len(octets) - 1 + _DATABLOCK

        def first(block: DataBlockSA) -> Apdu:
            return ActionRequestWithFirstPblock(invoke_id, descriptor, block)

        answer = yield from _send_blocks(context, invoke_id, octets, head, first)
    if isinstance(answer, ActionResponseNormal):
        return answer.single_response
    if isinstance(answer, ActionResponseWithPblock):
        joined = yield from _receive_blocks(context, invoke_id, answer)
        return (
            joined
            if isinstance(joined, ActionResponseWithOptionalData)
            else _single_response(context, joined)
        )
    raise ProtocolError(unexpected(answer, "action-response"))


def action_with_list(
    context: ServiceContext,
    descriptors: Sequence[CosemMethodDescriptor],
    parameters: Sequence[DataValue],
    progress: Progress = no_progress,
) -> Conversation[tuple[ActionResponseWithOptionalData, ...]]:
    """Call several methods in one request; ``None`` (null-data) for a method that takes nothing.

    Returns:
        An answer for each method, in order.

    Raises:
        UnsupportedError: ACTION, lists or the block transfer that is needed was not agreed on.
        ProtocolError: The answer is of another kind, or has more or fewer results than methods.
    """
    require(context, Conformance.ACTION, "calling a method")
    require(context, Conformance.MULTIPLE_REFERENCES, "calling several methods at once")
    context.follow(progress)
    invoke_id = context.new_invoke_id()
    request = ActionRequestWithList(invoke_id, tuple(descriptors), tuple(parameters))
    size = len(encode(request))
    limit = context.max_request_size
    answer: Apdu
    if not limit or size <= limit:
        answer = yield request
    else:
        require(context, Conformance.BLOCK_TRANSFER_WITH_ACTION, f"calling methods with {size} octets")
        octets = encode_length(len(parameters)) + b"".join(encode_data(value) for value in parameters)

        def first(block: DataBlockSA) -> Apdu:
            return ActionRequestWithListAndFirstPblock(invoke_id, tuple(descriptors), block)

        head = size - len(octets) + _DATABLOCK
        answer = yield from _send_blocks(context, invoke_id, octets, head, first)
    if isinstance(answer, ActionResponseWithList):
        responses = answer.list_of_responses
    elif (
        isinstance(answer, ActionResponseNormal) and answer.single_response.result is not ActionResult.SUCCESS
    ):
        return (answer.single_response,) * len(descriptors)
    elif isinstance(answer, ActionResponseWithPblock):
        joined = yield from _receive_blocks(context, invoke_id, answer)
        if isinstance(joined, ActionResponseWithOptionalData):
            return (joined,) * len(descriptors)
        reader = context.reader(joined)
        read = codec_of(ActionResponseWithOptionalData).read_components
        responses = tuple(read(reader) for _ in range(reader.count(2)))
        reader.finish()
    else:
        raise ProtocolError(unexpected(answer, "action-response"))
    if len(responses) != len(descriptors):
        raise ProtocolError(f"{len(descriptors)} results expected, {len(responses)} received")
    return responses


def action_unconfirmed(
    context: ServiceContext, descriptor: CosemMethodDescriptor, parameters: DataValue | Absent = ABSENT
) -> Apdu:
    """Return the request that calls one method and asks for no answer.

    Raises:
        UnsupportedError: ACTION was not agreed on.
    """
    require(context, Conformance.ACTION, "calling a method")
    return ActionRequestNormal(context.new_invoke_id(confirmed=False), descriptor, parameters)


def _send_blocks(
    context: ServiceContext,
    invoke_id: InvokeIdAndPriority,
    octets: bytes,
    head: int,
    first: Callable[[DataBlockSA], Apdu],
) -> Conversation[Apdu]:
    """Send parameters block by block and return the answer to the last one, or to the one that ended it."""
    limit = context.max_request_size
    sent = 0
    answer: Apdu = None
    for last, number, part in cut(octets, room_for(limit, head), room_for(limit, _NEXT_PBLOCK)):
        block = DataBlockSA(last, number, part)
        answer = yield first(block) if number == 1 else ActionRequestWithPblock(invoke_id, block)
        sent += len(part)
        context.transferred(sent)
        if last or not isinstance(answer, ActionResponseNextPblock):
            break
        if answer.block_number != number:
            raise ProtocolError(f"block {number} was sent, block {answer.block_number} was acknowledged")
    return answer


def _receive_blocks(
    context: ServiceContext, invoke_id: InvokeIdAndPriority, answer: Any
) -> Conversation[bytes | ActionResponseWithOptionalData]:
    """Ask for block after block; a plain answer in between is a refusal and ends the transfer."""
    joiner = BlockJoiner(context.transfer_limits)
    while True:
        block: DataBlockSA = answer.pblock
        joiner.add(block.block_number, block.raw_data)
        context.transferred(joiner.size)
        if block.last_block:
            return joiner.joined()
        answer = yield ActionRequestNextPblock(invoke_id, joiner.number)
        if isinstance(answer, ActionResponseNormal):
            return answer.single_response
        if not isinstance(answer, ActionResponseWithPblock):
            raise ProtocolError(unexpected(answer, "action-response-with-pblock"))


def _single_response(context: ServiceContext, octets: bytes) -> ActionResponseWithOptionalData:
    """Return the response in the joined blocks; some servers send the bare return value instead."""
    reader = context.reader(octets)
    try:
        response: ActionResponseWithOptionalData = codec_of(ActionResponseWithOptionalData).read_components(
            reader
        )
        reader.finish()
    except DecodeError:
        # Only what is one value to the last octet: a broken response must not become a success.
        return ActionResponseWithOptionalData(ActionResult.SUCCESS, decode_data(octets))
    return response
