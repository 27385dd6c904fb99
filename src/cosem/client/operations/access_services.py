"""ACCESS for lists: portions that fit, and what to do where one does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cosem.apdu.access import AccessRequestAction, AccessRequestGet, AccessRequestGetWithSelection
from cosem.association.client.conversations.access import (
    HEAD,
    AccessItem,
    AccessOutcome,
    access,
    get_item,
    size_of,
)
from cosem.association.context import Conversation, ServiceContext
from cosem.errors import ServiceError
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.access import AccessRequestSpecification
    from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
    from cosem.types.data import DataValue

__all__ = ["agreed", "all_of", "get", "not_tried", "portions", "preferred_for_reading", "reads"]

_MOST: Final = 255
_C = Conformance


def agreed(context: ServiceContext) -> bool:
    """Return whether ACCESS was agreed on; by short names there is none."""
    return context.short_names is None and _C.ACCESS in context.conformance


def preferred_for_reading(context: ServiceContext) -> bool:
    """Return whether ACCESS reads a list better than GET does: it needs general blocks for a long answer."""
    if not agreed(context):
        return False
    return _C.GENERAL_BLOCK_TRANSFER in context.conformance or not (
        _C.GET in context.conformance and _C.MULTIPLE_REFERENCES in context.conformance
    )


def reads(specification: AccessRequestSpecification) -> bool:
    """Return whether an item reads."""
    return isinstance(specification, (AccessRequestGet, AccessRequestGetWithSelection))


def not_tried(specification: AccessRequestSpecification) -> DataAccessResult | ActionResult:
    """Return the result of an item that comes after the first failure."""
    if isinstance(specification, AccessRequestAction):
        return ActionResult.OTHER_REASON
    return DataAccessResult.OTHER_REASON


def portions(context: ServiceContext, items: Sequence[AccessItem]) -> Iterator[Sequence[AccessItem]]:
    """Return the items in portions that one request each can carry."""
    limit = context.max_request_size or 0xFFFF
    start, size = 0, HEAD
    for index, item in enumerate(items):
        more = size_of(item)
        if index > start and (size + more > limit or index - start == _MOST):
            yield items[start:index]
            start, size = index, HEAD
        size += more
    if start < len(items):
        yield items[start:]


def all_of(
    context: ServiceContext, items: Sequence[AccessItem], *, break_on_error: bool = False
) -> Conversation[list[AccessOutcome]]:
    """Do everything, in as few requests as the sizes allow; outcomes in order."""
    outcomes: list[AccessOutcome] = []
    for portion in portions(context, items):
        if break_on_error and any(int(outcome.result) for outcome in outcomes):
            outcomes += [AccessOutcome(None, not_tried(specification)) for specification, _ in portion]
            continue
        outcomes += yield from _halved(context, portion, break_on_error=break_on_error)
    return outcomes


def _halved(
    context: ServiceContext, portion: Sequence[AccessItem], *, break_on_error: bool
) -> Conversation[Sequence[AccessOutcome]]:
    """Do a portion; if it only reads and is refused as a whole, its halves: the answer may be too long."""
    try:
        return (yield from access(context, portion, break_on_error=break_on_error))
    except ServiceError:
        if len(portion) == 1 or not all(reads(specification) for specification, _ in portion):
            raise
    half = len(portion) // 2
    first = yield from _halved(context, portion[:half], break_on_error=break_on_error)
    second = yield from _halved(context, portion[half:], break_on_error=break_on_error)
    return [*first, *second]


def get(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
) -> Conversation[DataValue | DataAccessResult]:
    """Read one attribute, where GET was not agreed on."""
    ((value, result),) = yield from access(context, [get_item(descriptor, selection)])
    return DataAccessResult(int(result)) if int(result) else value
