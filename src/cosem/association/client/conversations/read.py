"""Read: by short name, one or a list, either direction in blocks (IEC 62056-5-3, 6.12, 7.3.7, figures 22 to 24)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cosem.apdu import Apdu, decode, encode
from cosem.apdu.variable_access import (
    BlockNumberAccess,
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    ReceivedBlock,
    VariableName,
)
from cosem.association.blocks import BlockJoiner, cut, room_for
from cosem.association.client.conversations.get import EncodedData
from cosem.association.client.conversations.refused_list import RefusedList
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress, require, unexpected
from cosem.codec.axdr import encode_length
from cosem.errors import DecodeError, ProtocolError, UnsupportedError
from cosem.types.enumerations import Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = [
    "MOST_BLOCKS",
    "Variable",
    "read",
    "read_encoded",
    "read_list",
    "read_without_agreement",
    "require_variables",
]

Variable: TypeAlias = VariableName | ParameterizedAccess
"""What may be listed: an attribute, a part of one, or a method with its parameter (selector 0)."""

MOST_BLOCKS = 0xFFFF
"""Block numbers of short-name services have 16 bits."""
_RESPONSE_TAG = b"\x0c"
_ONE_VALUE = b"\x01\x00"
"""What stands before a value that is alone in a Read response: the count, and the choice of data."""
_BLOCK = 6
"""Octets of a Read request with read-data-block-access besides the raw data and its length."""


def read(
    context: ServiceContext, variable: Variable, progress: Progress = no_progress
) -> Conversation[DataValue | DataAccessResult]:
    """Read one variable, or call one method; request and answer go in blocks if they must.

    Args:
        context: The association.
        variable: The short name of an attribute; parameterized access for a part of one, or, with
            selector 0, for a method and its parameter.
        progress: Told of the octets transferred.

    Returns:
        The value, or the result with which the server refused.

    Raises:
        UnsupportedError: Read, parameterized access or the block transfer that is needed was not agreed on.
        ProtocolError: The answer is of another kind, or a block has the wrong number.
    """
    results = yield from read_list(context, (variable,), progress)
    return results[0]


def read_list(
    context: ServiceContext, variables: Sequence[Variable], progress: Progress = no_progress
) -> Conversation[tuple[DataValue | DataAccessResult, ...]]:
    """Read several variables in one request, in blocks if it is longer than the server takes.

    Returns:
        A value or a refusal for each variable, in order.

    Raises:
        UnsupportedError: As :func:`read`, or lists were not agreed on.
        ProtocolError: The answer is of another kind, or has more or fewer results than variables.
    """
    require(context, Conformance.READ, "reading a variable")
    require_variables(context, variables)
    return (yield from read_without_agreement(context, variables, progress))


def require_variables(context: ServiceContext, variables: Sequence[object]) -> None:
    """Refuse lists and parameterized access where they were not agreed on.

    Raises:
        UnsupportedError: They were not.
    """
    if len(variables) > 1:
        require(context, Conformance.MULTIPLE_REFERENCES, "accessing several variables at once")
    if any(isinstance(variable, ParameterizedAccess) for variable in variables):
        require(context, Conformance.PARAMETERIZED_ACCESS, "accessing a variable with parameters")


def read_without_agreement(
    context: ServiceContext, variables: Sequence[Variable], progress: Progress = no_progress
) -> Conversation[tuple[DataValue | DataAccessResult, ...]]:
    """As :func:`read_list`, for what must be possible whatever was agreed on: HLS passes 3 and 4."""
    context.follow(progress)
    answer = yield from _asked(context, variables)
    return (yield from _results(context, answer, variables))


def _asked(context: ServiceContext, variables: Sequence[Variable]) -> Conversation[Apdu]:
    """Send a request, in blocks if it is longer than the server takes, and return what is answered to it."""
    request = ReadRequest(tuple(variables))
    octets = encode(request)
    limit = context.max_request_size
    if not limit or len(octets) <= limit:
        return (yield request)
    return (yield from _send_blocks(context, octets[1:]))


def read_encoded(
    context: ServiceContext,
    variable: Variable,
    progress: Progress = no_progress,
    each_block: Callable[[bytes], object] | None = None,
) -> Conversation[DataValue | DataAccessResult | EncodedData]:
    """Read one variable; what comes in blocks is not decoded, so that long profiles need no object for each value.

    Args:
        context: The association.
        variable: As for :func:`read`.
        progress: Told of the octets transferred so far.
        each_block: Told of the octets of the value in each block, as it comes.

    Raises:
        UnsupportedError: As :func:`read`.
        ProtocolError: As :func:`read`.
    """
    require(context, Conformance.READ, "reading a variable")
    require_variables(context, (variable,))
    context.follow(progress)
    answer = yield from _asked(context, (variable,))
    block = answer.result[0] if isinstance(answer, ReadResponse) and len(answer.result) == 1 else None
    if not isinstance(block, DataBlockResult):
        return (yield from _results(context, answer, (variable,)))[0]

    def value_of(number: int, octets: bytes) -> None:
        if each_block is not None:
            each_block(octets.removeprefix(_ONE_VALUE) if number == 1 else octets)

    joined = yield from _receive_blocks(context, block, value_of)
    if isinstance(joined, DataAccessResult):
        return joined
    if joined.startswith(_ONE_VALUE):
        return EncodedData(joined[len(_ONE_VALUE) :])
    return _joined(context, joined, (variable,))[0]  # type: ignore[no-any-return] # of any type


def _results(
    context: ServiceContext, answer: Apdu, variables: Sequence[Variable]
) -> Conversation[tuple[DataValue | DataAccessResult, ...]]:
    """Return what an answer says of each variable, with the blocks that follow it."""
    if not isinstance(answer, ReadResponse):
        raise ProtocolError(unexpected(answer, "readResponse"))
    results: tuple[Any, ...] = answer.result
    if len(results) == 1 and isinstance(results[0], DataBlockResult):
        joined = yield from _receive_blocks(context, results[0])
        results = (joined,) if isinstance(joined, DataAccessResult) else _joined(context, joined, variables)
    if any(isinstance(each, (DataBlockResult, ReceivedBlock)) for each in results):
        raise ProtocolError("data or errors expected, a block received")
    if len(results) == 1 and isinstance(results[0], DataAccessResult):
        return RefusedList(results * len(variables))
    if len(results) != len(variables):
        raise ProtocolError(f"{len(variables)} results expected, {len(results)} received")
    return results


def _send_blocks(context: ServiceContext, octets: bytes) -> Conversation[Apdu]:
    """Send a long request and return the answer to its last block, or to the one that ended it."""
    require(
        context, Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ, f"a Read request of {len(octets) + 1} octets"
    )
    room = room_for(context.max_request_size, _BLOCK)
    if len(octets) > room * MOST_BLOCKS:
        raise UnsupportedError(f"{len(octets)} octets need more than {MOST_BLOCKS} blocks of {room}")
    sent = 0
    answer: Apdu = None
    for last, number, part in cut(octets, room, room):
        answer = yield ReadRequest((ReadDataBlockAccess(last, number, part),))
        sent += len(part)
        context.transferred(sent)
        if last or not isinstance(answer, ReadResponse):
            break
        (result, *others) = answer.result or (None,)
        if others or not isinstance(result, (ReceivedBlock, DataAccessResult)):
            raise ProtocolError(f"the acknowledgement of block {number} expected, {answer.result!r} received")
        if isinstance(result, DataAccessResult):
            break
        if result.block_number != number:
            raise ProtocolError(f"block {number} was sent, block {result.block_number} was acknowledged")
    return answer


def _receive_blocks(
    context: ServiceContext,
    block: DataBlockResult,
    each_block: Callable[[int, bytes], object] = lambda _number, _octets: None,
) -> Conversation[bytes | DataAccessResult]:
    """Ask for block after block and return the joined octets, or the result that ended the transfer."""
    joiner = BlockJoiner(context.transfer_limits)
    previous = None
    while True:
        if block == previous:
            previous = None  # a duplicate: the acknowledgement got lost, repeat it once
        else:
            previous = block
            joiner.add(block.block_number, block.raw_data)
            context.transferred(joiner.size)
            each_block(block.block_number, block.raw_data)
        if block.last_block:
            return joiner.joined()
        # The number of the block received, not of the one wanted.
        answer: Apdu = yield ReadRequest((BlockNumberAccess(joiner.number),))
        result = answer.result[0] if isinstance(answer, ReadResponse) and len(answer.result) == 1 else None
        if isinstance(result, DataAccessResult):
            return result
        if not isinstance(result, DataBlockResult):
            raise ProtocolError(f"data-block-result expected, {type(answer).__name__} without one received")
        block = result


def _joined(context: ServiceContext, octets: bytes, variables: Sequence[Variable]) -> tuple[Any, ...]:
    """Return the results in joined blocks: a Read response without its tag.

    Some servers leave out the count and the choice of the first result as well.
    """
    reader = context.reader(octets)
    findings: list[str] = []
    response: Any = None
    fault = None
    try:
        response = decode(_RESPONSE_TAG + octets, strict=reader.strict, findings=findings)
    except DecodeError as error:
        fault = error
    if fault is not None or "trailing-octets" in findings:
        try:
            lenient = decode(_RESPONSE_TAG + encode_length(len(variables)) + b"\x00" + octets)
        except DecodeError:
            pass
        else:
            reader.finding("read-blocks-without-count")
            return lenient.result  # type: ignore[no-any-return]
    if fault is not None:
        raise fault
    for finding in findings:
        reader.finding(finding)
    return response.result  # type: ignore[no-any-return]
