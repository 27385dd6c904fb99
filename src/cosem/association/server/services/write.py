"""Write and UnconfirmedWrite at the server: variables, a list, in blocks (IEC 62056-5-3, 7.3.8, 7.3.9, figures 25 to 28).

A long request is collected whole before anything is written. A list is not one
transaction: each item has a result of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import decode, encode
from cosem.apdu.variable_access import (
    ReceivedBlock,
    UnconfirmedWriteRequest,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
)
from cosem.association.server.association import ServerAssociation, Service
from cosem.association.server.indications import Indication
from cosem.association.server.room import has_room
from cosem.association.server.services.long_requests import WRITE, take_block
from cosem.association.server.variables import (
    LONG_WRITE,
    Variable,
    drop_transfers,
    error_of_service,
    listed,
    write_variable,
)
from cosem.codec.axdr import encoded_length_size
from cosem.errors import DecodeError, LimitError
from cosem.types.enumerations import ConfirmedServiceErrorChoice, Conformance, DataAccessResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cosem.types.data import DataValue

__all__ = ["unconfirmed_write", "write"]

_R = DataAccessResult
_TAG: Final = b"\x06"
_OTHER, _PDU_SIZE, _UNSUPPORTED = range(3)


def write(association: ServerAssociation, request: WriteRequest, now: float) -> Service:
    """Run a Write request of any kind."""
    if not association.context.confirmed:
        return None  # an unconfirmed association has no confirmed services
    if not association.agreed(Conformance.WRITE):
        return _error(_UNSUPPORTED)
    variables = request.variable_access_specification
    alone = variables[0] if len(variables) == 1 else None
    if isinstance(alone, WriteDataBlockAccess):
        return (yield from _take(association, alone, request.list_of_data, now))
    drop_transfers(association)
    return (yield from _write(association, variables, request.list_of_data))


def unconfirmed_write(
    association: ServerAssociation, request: UnconfirmedWriteRequest, now: float
) -> Service:
    """Run an UnconfirmedWrite request; nothing is ever answered to it, and it disturbs no transfer."""
    del now
    variables, values = request.variable_access_specification, request.list_of_data
    targets = listed(variables)
    if association.agreed(Conformance.UNCONFIRMED_WRITE) and targets is not None:
        yield from _write_all(association, targets, values)
    return None


def _error(error: int) -> bytes:
    return error_of_service(ConfirmedServiceErrorChoice.WRITE, error)


def _answer(*results: DataAccessResult) -> bytes:
    return encode(WriteResponse(results))


def _write(
    association: ServerAssociation, variables: Sequence[object], values: Sequence[DataValue]
) -> Service:
    """Write variables and answer, unless the answer could not be given."""
    targets = listed(variables)
    if targets is None:
        return _error(_OTHER)
    count = len(targets)
    if not has_room(association, 1 + encoded_length_size(count) + 2 * count):
        return _error(_PDU_SIZE)
    return _answer(*(yield from _write_all(association, targets, values)))


def _write_all(
    association: ServerAssociation, variables: Sequence[Variable], values: Sequence[DataValue]
) -> Generator[Indication, Any, list[DataAccessResult]]:
    if len(variables) > 1 and not association.agreed(Conformance.MULTIPLE_REFERENCES):
        return [_R.OTHER_REASON] * len(variables)
    if len(variables) != len(values):
        return [_R.TYPE_UNMATCHED] * len(variables)
    results = []
    for variable, value in zip(variables, values, strict=True):
        results.append((yield from write_variable(association, variable, value)))
    return results


def _take(
    association: ServerAssociation, block: WriteDataBlockAccess, values: Sequence[DataValue], now: float
) -> Service:
    """Take a block of a long request, and write when it was the last; block 1 begins a new one."""
    raw_data = values[0] if len(values) == 1 else None
    collection = take_block(association, WRITE, block.block_number, raw_data, now)
    if isinstance(collection, DataAccessResult):
        return _answer(collection)
    if not block.last_block:
        return encode(WriteResponse((ReceivedBlock(block.block_number),)))
    association.transfers.drop(LONG_WRITE)
    try:
        request: Any = decode(_TAG + collection.joined(), findings=[])
    except LimitError:
        return _error(_PDU_SIZE)
    except DecodeError:
        return _error(_UNSUPPORTED)
    return (yield from _write(association, request.variable_access_specification, request.list_of_data))
