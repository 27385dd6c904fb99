"""Read at the server: variables, a list, either direction in blocks (IEC 62056-5-3, 7.3.7, figures 22 to 24).

A long answer is the Read response without its tag, encoded once before its first
block goes out; a long request is collected whole before anything is read. While
the HLS passes are pending, reply_to_HLS_authentication is all that can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import decode, encode
from cosem.apdu.variable_access import (
    BlockNumberAccess,
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    ReceivedBlock,
)
from cosem.association.blocks import room_for
from cosem.association.server.association import ServerAssociation, Service
from cosem.association.server.indications import Fault
from cosem.association.server.opening import reply_to_hls
from cosem.association.server.room import has_room
from cosem.association.server.services.long_requests import READ, take_block
from cosem.association.server.transfers import Delivery
from cosem.association.server.variables import (
    LONG_READ,
    REPLY_TO_HLS_NAME,
    drop_transfers,
    error_of_service,
    listed,
    read_variable,
)
from cosem.codec.axdr import encode_length, encoded_length_size
from cosem.errors import DecodeError, EncodeError, LimitError
from cosem.types.data import OctetString
from cosem.types.enumerations import ConfirmedServiceErrorChoice, Conformance, DataAccessResult

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read"]

_R = DataAccessResult
_TAG: Final = b"\x05"
_RESPONSE_TAG: Final = b"\x0c"
_BLOCK: Final = 6
"""Octets of a Read response with data-block-result besides the raw data and its length."""
_MOST_BLOCKS: Final = 0xFFFF
_OTHER, _PDU_SIZE, _UNSUPPORTED = range(3)


def read(association: ServerAssociation, request: ReadRequest, now: float) -> Service:
    """Run a Read request of any kind."""
    variables = request.variable_access_specification
    alone = variables[0] if len(variables) == 1 else None
    if association.pending_until is not None:
        if isinstance(alone, ReadDataBlockAccess):
            return (yield from _take(association, alone, now))
        return (yield from _authenticate(association, variables, now))
    if not association.context.confirmed:
        return None  # what nobody is told is not read
    if not association.agreed(Conformance.READ):
        return _error(_UNSUPPORTED)
    if isinstance(alone, BlockNumberAccess):
        return _next(association, alone.block_number, now)
    if isinstance(alone, ReadDataBlockAccess):
        return (yield from _take(association, alone, now))
    drop_transfers(association)
    return (yield from _read(association, variables, now))


def _error(error: int) -> bytes:
    return error_of_service(ConfirmedServiceErrorChoice.READ, error)


def _refused(result: DataAccessResult, count: int = 1) -> bytes:
    return encode(ReadResponse((result,) * count))


def _authenticate(association: ServerAssociation, variables: Sequence[object], now: float) -> Service:
    """Run HLS passes 3 and 4; nothing else is allowed before they are done."""
    variable = variables[0] if len(variables) == 1 else None
    if not isinstance(variable, ParameterizedAccess) or variable.variable_name != REPLY_TO_HLS_NAME:
        return _error(_UNSUPPORTED)
    proof = yield from reply_to_hls(association, variable.parameter)
    if proof is None:
        return _refused(_R.READ_WRITE_DENIED)
    return _answer(association, encode(ReadResponse((OctetString(proof),)))[1:], 1, now)


# --- what is read -------------------------------------------------------------------------------------


def _read(association: ServerAssociation, variables: Sequence[object], now: float) -> Service:
    """Read variables and answer, with the first block of the answer if it is long."""
    wanted = listed(variables)
    if wanted is None:
        return _error(_OTHER)
    count = len(wanted)
    if count > 1 and not association.agreed(Conformance.MULTIPLE_REFERENCES):
        return _if_it_fits(association, _refused(_R.OTHER_REASON, count))
    blocks = association.agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    # A variable may be a method, too, and is then called.
    least = 1 + encoded_length_size(count) + 2 * count
    if not has_room(association, min(least, _BLOCK + 2) if blocks else least):
        return _error(_PDU_SIZE)
    limit = association.max_answer_size
    most = association.limits.answer if blocks or not limit else limit
    results = bytearray(encode_length(count))
    for variable in wanted:
        value, subject = yield from read_variable(association, variable)
        try:
            octets = encode(ReadResponse((value,)))
        except EncodeError as error:
            octets = _refused(_R.OTHER_REASON)
            if subject is not None:
                yield Fault(subject, error)
        results += octets[2:]
        if len(results) > most:
            return _too_long(association, count)
    return _answer(association, bytes(results), count, now)


def _answer(association: ServerAssociation, results: bytes, count: int, now: float) -> bytes:
    """Return the Read response of these results, its first block, or the refusal of what is too long."""
    limit = association.max_answer_size
    if not limit or 1 + len(results) <= limit:
        return _RESPONSE_TAG + results
    blocks = association.agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    if not blocks or len(results) > association.limits.answer:
        return _too_long(association, count)
    room = room_for(limit, _BLOCK)
    if len(results) > room * _MOST_BLOCKS:
        return _error(_PDU_SIZE)
    delivery = Delivery(results, room, action=False)
    association.transfers.begin(LONG_READ, delivery, now)
    return _block(delivery.next_block())


def _too_long(association: ServerAssociation, count: int) -> bytes:
    if association.agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
        return _error(_PDU_SIZE)
    return _if_it_fits(association, _refused(_R.OTHER_REASON, count))


def _if_it_fits(association: ServerAssociation, octets: bytes) -> bytes:
    limit = association.max_answer_size
    return octets if not limit or len(octets) <= limit else _error(_PDU_SIZE)


# --- a long answer ------------------------------------------------------------------------------------


def _next(association: ServerAssociation, number: int, now: float) -> bytes:
    """Give out the block after the one that the client acknowledges, or end the transfer."""
    delivery = association.transfers.delivery(LONG_READ, now, action=False)
    if delivery is None:
        drop_transfers(association)
        return _refused(_R.NO_LONG_GET_IN_PROGRESS)
    repeats = association.profile is not None and association.profile.repeat_blocks
    if number == delivery.number:
        if delivery.ended:
            association.transfers.drop(LONG_READ)
            return _refused(_R.NO_LONG_GET_IN_PROGRESS)
        block = delivery.next_block()
    elif repeats and number == delivery.number - 1:
        block = delivery.block()
    else:
        association.transfers.drop(LONG_READ)
        return _refused(_R.DATA_BLOCK_NUMBER_INVALID)
    if block[0] and not repeats:
        association.transfers.drop(LONG_READ)
    return _block(block)


def _block(block: tuple[bool, int, bytes]) -> bytes:
    return encode(ReadResponse((DataBlockResult(*block),)))


# --- a long request -----------------------------------------------------------------------------------


def _take(association: ServerAssociation, block: ReadDataBlockAccess, now: float) -> Service:
    """Take a block of a long request, and read when it was the last; block 1 begins a new one."""
    collection = take_block(association, READ, block.block_number, block.raw_data, now)
    if isinstance(collection, DataAccessResult):
        return _refused(collection)
    if not block.last_block:
        return encode(ReadResponse((ReceivedBlock(block.block_number),)))
    association.transfers.drop(LONG_READ)
    try:
        request: Any = decode(_TAG + collection.joined(), findings=[])
    except LimitError:
        return _error(_PDU_SIZE)
    except DecodeError:
        return _error(_UNSUPPORTED)
    if association.pending_until is not None:
        return (yield from _authenticate(association, request.variable_access_specification, now))
    return (yield from _read(association, request.variable_access_specification, now))
