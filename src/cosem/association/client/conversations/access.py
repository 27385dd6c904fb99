"""ACCESS: reads, writes and calls in one request (later editions)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from cosem.apdu import encode
from cosem.apdu.access import (
    AccessRequest,
    AccessRequestAction,
    AccessRequestGet,
    AccessRequestGetWithSelection,
    AccessRequestSet,
    AccessRequestSetWithSelection,
    AccessResponse,
    AccessResponseAction,
    AccessResponseGet,
    AccessResponseSet,
)
from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress, require, unexpected
from cosem.codec.data import encode_data
from cosem.errors import ProtocolError
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.access import AccessRequestSpecification
    from cosem.types.data import DataValue

__all__ = [
    "HEAD",
    "AccessItem",
    "AccessOutcome",
    "access",
    "action_item",
    "get_item",
    "set_item",
    "size_of",
]

HEAD: Final = 12
"""Octets of a request besides its items, at most: tag, long invoke-id, empty date-time, two counts."""
_ANSWERS: Final = {
    AccessRequestGet: AccessResponseGet,
    AccessRequestGetWithSelection: AccessResponseGet,
    AccessRequestSet: AccessResponseSet,
    AccessRequestSetWithSelection: AccessResponseSet,
    AccessRequestAction: AccessResponseAction,
}
AccessItem: TypeAlias = "tuple[AccessRequestSpecification, DataValue]"
"""What to do, and the value or the parameter for it; null-data where there is none."""


class AccessOutcome(NamedTuple):
    """What came of one item.

    Attributes:
        value: The value that was read or returned; ``None`` for nothing.
        result: How it went.
    """

    value: DataValue
    result: DataAccessResult | ActionResult


def get_item(
    descriptor: CosemAttributeDescriptor, selection: SelectiveAccessDescriptor | None = None
) -> AccessItem:
    """Return the item that reads an attribute, or a part of it."""
    if selection is None:
        return AccessRequestGet(descriptor), None
    return AccessRequestGetWithSelection(descriptor, selection), None


def set_item(
    descriptor: CosemAttributeDescriptor, value: DataValue, selection: SelectiveAccessDescriptor | None = None
) -> AccessItem:
    """Return the item that writes an attribute, or a part of it."""
    if selection is None:
        return AccessRequestSet(descriptor), value
    return AccessRequestSetWithSelection(descriptor, selection), value


def action_item(descriptor: CosemMethodDescriptor, parameter: DataValue = None) -> AccessItem:
    """Return the item that calls a method."""
    return AccessRequestAction(descriptor), parameter


def size_of(item: AccessItem) -> int:
    """Return the octets that an item adds to a request.

    >>> from cosem.types.logical_name import LogicalName
    >>> size_of(get_item(CosemAttributeDescriptor(3, LogicalName("1.0.1.8.0.255"), 2)))
    11
    """
    specification, data = item
    selection = getattr(specification, "access_selection", None)
    selected = 0 if selection is None else 1 + len(encode_data(selection.access_parameters))
    return 10 + selected + len(encode_data(data))


def access(
    context: ServiceContext,
    items: Sequence[AccessItem],
    *,
    break_on_error: bool = False,
    self_descriptive: bool = False,
    progress: Progress = no_progress,
) -> Conversation[tuple[AccessOutcome, ...]]:
    """Do several things in one request, in order.

    Args:
        context: What the association tells.
        items: What to do.
        break_on_error: Whether the server tries nothing after the first failure; what it did not try has
            the result other-reason.
        self_descriptive: Whether the answer repeats what was asked.
        progress: Told of the octets transferred so far, in block transfers.

    Returns:
        An outcome for each item, in order.

    Raises:
        UnsupportedError: ACCESS or selective access was not agreed on.
        ProtocolError: The answer is of another kind, or does not answer these items.
    """
    require(context, Conformance.ACCESS, "reading, writing and calling in one request")
    if any(hasattr(specification, "access_selection") for specification, _ in items):
        require(context, Conformance.SELECTIVE_ACCESS, "a part of an attribute")
    context.follow(progress)
    invoke_id = context.new_long_invoke_id(self_descriptive=self_descriptive, break_on_error=break_on_error)
    asked = tuple(specification for specification, _ in items)
    answer = yield AccessRequest(invoke_id, b"", asked, tuple(data for _, data in items))
    if not isinstance(answer, AccessResponse):
        raise ProtocolError(unexpected(answer, "access-response"))
    values, results = answer.access_response_list_of_data, answer.access_response_specification
    if not len(items) == len(values) == len(results):
        raise ProtocolError(
            f"{len(items)} results expected, {len(values)} values and {len(results)} received"
        )
    repeated = answer.access_request_specification
    if repeated is not None and encode(_described(repeated)) != encode(_described(asked)):
        raise ProtocolError("the answer describes another request")
    for specification, result in zip(asked, results, strict=True):
        if not isinstance(result, _ANSWERS[type(specification)]):
            raise ProtocolError(unexpected(result, _ANSWERS[type(specification)].__name__))
    return tuple(AccessOutcome(value, result.result) for value, result in zip(values, results, strict=True))


def _described(specifications: tuple[AccessRequestSpecification, ...]) -> AccessResponse:
    from cosem.types.identifiers import LongInvokeIdAndPriority

    return AccessResponse(LongInvokeIdAndPriority(0), b"", specifications, (), ())
