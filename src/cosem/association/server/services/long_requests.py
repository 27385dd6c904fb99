"""Read and Write requests that come in blocks (IEC 62056-5-3, 7.3.7 and 7.3.8, figures 24 and 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cosem.association.server.transfers import Collection
from cosem.association.server.variables import LONG_READ, LONG_WRITE, drop_transfers
from cosem.errors import LimitError, ProtocolError
from cosem.types.enumerations import Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation

__all__ = ["READ", "WRITE", "LongRequest", "take_block"]

_R = DataAccessResult


@dataclass(frozen=True, slots=True)
class LongRequest:
    """What tells long requests of one service from those of the other.

    Args:
        place: Where the transfers of an association hold one.
        conformance: What must have been agreed on.
        none_in_progress: What a further block is answered with where there was no first one.
        aborted: What a block is answered with that is too long.
    """

    place: int
    conformance: Conformance
    none_in_progress: DataAccessResult
    aborted: DataAccessResult


READ: Final = LongRequest(
    LONG_READ, Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ, _R.NO_LONG_GET_IN_PROGRESS, _R.LONG_GET_ABORTED
)
WRITE: Final = LongRequest(
    LONG_WRITE, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, _R.NO_LONG_SET_IN_PROGRESS, _R.LONG_SET_ABORTED
)


def take_block(
    association: ServerAssociation, kind: LongRequest, number: int, raw_data: object, now: float
) -> Collection | DataAccessResult:
    """Take a block of a long request; block 1 begins a new one.

    Args:
        association: That it came in.
        kind: Of which service.
        number: Of the block.
        raw_data: What it holds; octets, where it is right.
        now: Monotonic seconds.

    Returns:
        What was collected until now, or the result with which the block is refused.
    """
    if number == 1:
        drop_transfers(association)
        if not association.agreed(kind.conformance):
            return _R.OTHER_REASON
        association.transfers.begin(kind.place, Collection(association.limits), now)
    collection = association.transfers.collection(kind.place, now, action=False)
    if collection is None:
        drop_transfers(association)
        return kind.none_in_progress
    result: DataAccessResult
    if number != collection.number + 1:
        result = _R.DATA_BLOCK_NUMBER_INVALID
    elif not isinstance(raw_data, bytes):
        result = _R.TYPE_UNMATCHED
    else:
        try:
            association.transfers.check_room(len(raw_data))
            collection.add(number, raw_data)
        except (LimitError, ProtocolError):
            result = kind.aborted
        else:
            return collection
    association.transfers.drop(kind.place)
    return result
