"""Batches of reads, writes and calls: in ACCESS requests where those were agreed on, else one by one, in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cosem.apdu.action import ActionResponseWithOptionalData
from cosem.apdu.common import CosemMethodDescriptor
from cosem.association.client.conversations.access import (
    AccessItem,
    AccessOutcome,
    action_item,
    get_item,
    set_item,
)
from cosem.association.context import Conversation, ServiceContext
from cosem.client.batch import BatchItem, Call, Read, Write
from cosem.client.operations import access_services, services
from cosem.client.operations.access_services import Outcome
from cosem.client.operations.attributes import coerced, noted
from cosem.client.operations.methods import outcome_of, resolved
from cosem.client.operations.refusals import call_refused, refused
from cosem.client.operations.resolving import resolve
from cosem.client.results import Result
from cosem.client.session import Session
from cosem.errors import ConfigurationError, CosemError, ServiceError
from cosem.types.data import Absent
from cosem.types.enumerations import ActionResult, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor
    from cosem.types.data import DataValue

__all__ = ["access"]


def access(
    context: ServiceContext, session: Session, items: Iterable[BatchItem], *, break_on_error: bool = False
) -> Conversation[list[Result[Any]]]:
    """Do what the items say, in order; what is refused becomes a result with an error.

    Raises:
        ConfigurationError: An item is none of Read, Write and Call.
        EncodeError: A value fits no type that its attribute or method takes.
    """
    wanted: list[AccessItem] = []
    for item in items:
        prepared = yield from _prepared(context, session, item)
        wanted.append(prepared)
    outcomes: list[Outcome] = []

    def results() -> list[Result[Any]]:
        return [_result(session, *pair) for pair in zip(wanted, outcomes, strict=False)]

    context.results_so_far = results
    if access_services.agreed(context):
        yield from access_services.all_of(
            context, session, wanted, break_on_error=break_on_error, outcomes=outcomes
        )
    else:
        yield from _one_by_one(context, session, wanted, outcomes, break_on_error=break_on_error)
    return results()


def _prepared(context: ServiceContext, session: Session, item: BatchItem) -> Conversation[AccessItem]:
    if isinstance(item, Call):
        method, parameter = yield from resolved(
            context, session, item.target, item.method, item.parameter, item.class_id
        )
        return action_item(method, None if isinstance(parameter, Absent) else parameter)
    if not isinstance(item, (Read, Write)):
        raise ConfigurationError(f"{item!r} is no Read, Write or Call")
    descriptor = yield from resolve(context, session, item.target, item.attribute, item.class_id)
    if isinstance(item, Read):
        return get_item(descriptor, item.selection)
    value = yield from coerced(context, session, descriptor, item.value)
    return set_item(descriptor, value, item.selection)


def _one_by_one(
    context: ServiceContext,
    session: Session,
    items: list[AccessItem],
    outcomes: list[Outcome],
    *,
    break_on_error: bool,
) -> Conversation[None]:
    """Do the same with the services for one attribute or method each."""
    for item in items:
        if break_on_error and outcomes and access_services.failed(outcomes[-1]):
            outcomes.append(AccessOutcome(None, access_services.not_tried(item[0])))
            continue
        try:
            outcomes.append((yield from _alone(context, session, item)))
        except ServiceError as error:
            outcomes.append(error)


def _alone(context: ServiceContext, session: Session, item: AccessItem) -> Conversation[AccessOutcome]:
    """Do one item with the service of its kind."""
    specification, data = item
    method = getattr(specification, "cosem_method_descriptor", None)
    if method is not None:
        response = yield from services.call(context, session, method, data)
        return _of_response(method, response)
    descriptor: CosemAttributeDescriptor = specification.cosem_attribute_descriptor  # type: ignore[union-attr]
    selection = getattr(specification, "access_selection", None)
    if access_services.reads(specification):
        value = yield from services.read(context, session, descriptor, selection)
        if isinstance(value, DataAccessResult):
            return AccessOutcome(None, value)
        return AccessOutcome(value, DataAccessResult.SUCCESS)
    result = yield from services.write(context, session, descriptor, data, selection)
    return AccessOutcome(None, result)


def _of_response(method: CosemMethodDescriptor, response: ActionResponseWithOptionalData) -> AccessOutcome:
    value, error = outcome_of(method, response)
    return AccessOutcome(value, ActionResult.SUCCESS if error is None else ActionResult(int(error.result)))


def _result(session: Session, item: AccessItem, outcome: Outcome) -> Result[Any]:
    specification = item[0]
    error: CosemError | None = None
    value: DataValue = None
    result: DataAccessResult | ActionResult | None = None
    if isinstance(outcome, ServiceError):
        error = outcome
    else:
        value, result = outcome
    method = getattr(specification, "cosem_method_descriptor", None)
    if method is not None:
        if result:
            error = call_refused(method, result)
        return Result(method.instance_id, method.class_id, method.method_id, value, error)
    descriptor: CosemAttributeDescriptor = specification.cosem_attribute_descriptor  # type: ignore[union-attr]
    if result:
        value, error = None, refused(descriptor, DataAccessResult(int(result)))
    elif error is None and access_services.reads(specification):
        noted(session, descriptor, value)
    return Result(descriptor.instance_id, descriptor.class_id, descriptor.attribute_id, value, error)
