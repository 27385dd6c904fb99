"""Write and UnconfirmedWrite: by short name, one or a list, in blocks if long.

(IEC 62056-5-3, 6.13, 6.14, 7.3.8, 7.3.9, figures 25 to 28)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cosem.apdu import Apdu, encode
from cosem.apdu.variable_access import (
    ReceivedBlock,
    UnconfirmedWriteRequest,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
)
from cosem.association.blocks import cut, room_for
from cosem.association.client.conversations.read import MOST_BLOCKS, Variable, require_variables
from cosem.association.client.conversations.refused_list import RefusedList
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress, require, unexpected
from cosem.errors import ConfigurationError, ProtocolError, UnsupportedError
from cosem.types.data import OctetString
from cosem.types.enumerations import Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["unconfirmed_write", "write", "write_list"]

_BLOCK = 8
"""Octets of a Write request with write-data-block-access besides the raw data and its length."""


def write(
    context: ServiceContext, variable: Variable, value: DataValue, progress: Progress = no_progress
) -> Conversation[DataAccessResult]:
    """Write one variable, or call a method whose parameter is ``value``; in blocks if it must be.

    Returns:
        success, or the result with which the server refused.

    Raises:
        UnsupportedError: Write, parameterized access or the block transfer that is needed was not agreed on.
        ProtocolError: The answer is of another kind, or acknowledges another block.
    """
    results = yield from write_list(context, (variable,), (value,), progress)
    return results[0]


def write_list(
    context: ServiceContext,
    variables: Sequence[Variable],
    values: Sequence[DataValue],
    progress: Progress = no_progress,
) -> Conversation[tuple[DataAccessResult, ...]]:
    """Write several variables in one request, in blocks if it is longer than the server takes.

    Returns:
        A result for each variable, in order: the server may have written some and refused others.

    Raises:
        ConfigurationError: There are more or fewer values than variables.
        UnsupportedError: As :func:`write`, or lists were not agreed on.
        ProtocolError: The answer is of another kind, or has more or fewer results than variables.
    """
    require(context, Conformance.WRITE, "writing a variable")
    _check(context, variables, values)
    context.follow(progress)
    request = WriteRequest(tuple(variables), tuple(values))
    octets = encode(request)
    limit = context.max_request_size
    answer: Apdu
    if not limit or len(octets) <= limit:
        answer = yield request
    else:
        answer = yield from _send_blocks(context, octets[1:])
    if not isinstance(answer, WriteResponse):
        raise ProtocolError(unexpected(answer, "writeResponse"))
    results: tuple[Any, ...] = answer.result
    if any(isinstance(each, ReceivedBlock) for each in results):
        raise ProtocolError("results expected, the acknowledgement of a block received")
    if len(results) == 1 and results[0] is not DataAccessResult.SUCCESS:
        return RefusedList(results * len(variables))
    if len(results) != len(variables):
        raise ProtocolError(f"{len(variables)} results expected, {len(results)} received")
    return results


def unconfirmed_write(
    context: ServiceContext, variables: Sequence[Variable], values: Sequence[DataValue]
) -> UnconfirmedWriteRequest:
    """Return the request that writes variables, or calls methods, and asks for no answer.

    Raises:
        ConfigurationError: There are more or fewer values than variables.
        UnsupportedError: UnconfirmedWrite, lists or parameterized access was not agreed on.
    """
    require(context, Conformance.UNCONFIRMED_WRITE, "writing without an answer")
    _check(context, variables, values)
    return UnconfirmedWriteRequest(tuple(variables), tuple(values))


def _check(context: ServiceContext, variables: Sequence[Variable], values: Sequence[DataValue]) -> None:
    if len(variables) != len(values):
        raise ConfigurationError(f"{len(variables)} variables and {len(values)} values")
    require_variables(context, variables)


def _send_blocks(context: ServiceContext, octets: bytes) -> Conversation[Apdu]:
    """Send a long request and return the answer to its last block, or to the one that ended it."""
    require(
        context, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, f"a Write request of {len(octets) + 1} octets"
    )
    room = room_for(context.max_request_size, _BLOCK)
    if len(octets) > room * MOST_BLOCKS:
        raise UnsupportedError(f"{len(octets)} octets need more than {MOST_BLOCKS} blocks of {room}")
    sent = 0
    answer: Apdu = None
    for last, number, part in cut(octets, room, room):
        answer = yield WriteRequest((WriteDataBlockAccess(last, number),), (OctetString(part),))
        sent += len(part)
        context.transferred(sent)
        if last or not isinstance(answer, WriteResponse):
            break
        (result, *others) = answer.result or (None,)
        if not others and isinstance(result, DataAccessResult) and result is not DataAccessResult.SUCCESS:
            break
        if others or not isinstance(result, ReceivedBlock):
            raise ProtocolError(f"the acknowledgement of block {number} expected, {answer.result!r} received")
        if result.block_number != number:
            raise ProtocolError(f"block {number} was sent, block {result.block_number} was acknowledged")
    return answer
