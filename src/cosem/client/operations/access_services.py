"""ACCESS for lists: portions that fit, and what to do where one does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

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
from cosem.client.operations.repeating import repeated
from cosem.errors import ExceptionResponseError, ServiceError
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.access import AccessRequestSpecification
    from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
    from cosem.client.session import Session
    from cosem.types.data import DataValue

__all__ = [
    "Outcome",
    "agreed",
    "all_of",
    "failed",
    "get",
    "not_tried",
    "portions",
    "preferred_for_reading",
    "reads",
    "repeatable",
]

_MOST: Final = 255
_C = Conformance
_NOTHING_DONE: Final = frozenset({1, 2})
"""operation-not-possible and service-not-supported: no method of the request was called."""

Outcome: TypeAlias = AccessOutcome | ServiceError
"""What came of one item, or that the server refused every request with it as a whole."""


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


def failed(outcome: Outcome) -> bool:
    """Return whether an item was not done."""
    return isinstance(outcome, ServiceError) or bool(int(outcome.result))


def repeatable(error: ServiceError) -> bool:
    """Return whether methods of a request that was refused as a whole may be called again: nothing was done.

    What came in clear where it need not have may be forged, a meter that answers has executed, and an error that may
    refuse another request says nothing of this one.
    """
    return (
        isinstance(error, ExceptionResponseError)
        and error.service_error in _NOTHING_DONE
        and not error.in_clear
        and not error.answer_begun
        and not error.of_another
    )


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
    context: ServiceContext,
    session: Session,
    items: Sequence[AccessItem],
    *,
    break_on_error: bool = False,
    outcomes: list[Outcome] | None = None,
) -> Conversation[list[Outcome]]:
    """Do everything, in as few requests as the sizes allow; outcomes in order.

    A request without an answer is repeated alone, where it only reads or that was asked for: what was answered before
    is not done again.

    Args:
        context: The association.
        session: How often what gets no answer is repeated.
        items: What to do.
        break_on_error: Whether nothing is done after the first failure.
        outcomes: Where the outcomes go as they come.
    """
    outcomes = [] if outcomes is None else outcomes
    for portion in portions(context, items):
        yield from _after(context, session, outcomes, portion, break_on_error=break_on_error)
    return outcomes


def _after(
    context: ServiceContext,
    session: Session,
    outcomes: list[Outcome],
    portion: Sequence[AccessItem],
    *,
    break_on_error: bool,
) -> Conversation[None]:
    """Do a portion, unless something before it failed and that ends everything.

    If it is refused as a whole its halves are done: it or its answer may be too long, or one item be the reason. A
    portion with methods is not repeated unless nothing of it was done: that would call them twice.
    """
    if break_on_error and any(map(failed, outcomes)):
        outcomes += [AccessOutcome(None, not_tried(specification)) for specification, _ in portion]
        return
    repeatedly = session.repeat_writes or all(reads(specification) for specification, _ in portion)
    try:
        outcomes += yield from repeated(
            session.retries if repeatedly else 0,
            partial(access, context, portion, break_on_error=break_on_error),
        )
        return
    except ServiceError as error:
        calls = any(isinstance(specification, AccessRequestAction) for specification, _ in portion)
        if len(portion) == 1 or (calls and not repeatable(error)):
            outcomes += [error] * len(portion)
            return
    half = len(portion) // 2
    yield from _after(context, session, outcomes, portion[:half], break_on_error=break_on_error)
    yield from _after(context, session, outcomes, portion[half:], break_on_error=break_on_error)


def get(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
) -> Conversation[DataValue | DataAccessResult]:
    """Read one attribute, where GET was not agreed on."""
    ((value, result),) = yield from access(context, [get_item(descriptor, selection)])
    return DataAccessResult(int(result)) if int(result) else value
