"""The services below the operations: one attribute or a list, with what this association agreed on.

This is the one place of the client that knows which service of the standard does
what: GET, SET and ACTION; ACCESS for lists where it was agreed on; or Read and Write
where objects have short names. Reading is repeated when its answer does not come;
writing and calling only where that was asked for, since the meter may have executed a
request whose answer got lost.

A list that is refused as a whole is done one by one, and what is refused then has that
error as its result: one bad object never stops the rest, and no result gets lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cosem.apdu import Apdu, encode
from cosem.apdu.action import ActionResponseWithOptionalData
from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.association.client.conversations import get as logical_names
from cosem.association.client.conversations.access import AccessOutcome, action_item, get_item, set_item
from cosem.association.client.conversations.refused_list import RefusedList
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.client.operations import access_services, list_parts
from cosem.client.operations.list_parts import Item
from cosem.client.operations.methods_by_read import all_called_by_read, called_by_read, may_be_called_by_read
from cosem.client.operations.refusals import Refusal
from cosem.client.operations.repeating import repeated
from cosem.client.session import Session
from cosem.codec.data import encode_data
from cosem.errors import ServiceError, UnsupportedError
from cosem.types.data import Absent
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = [
    "Item",
    "call",
    "call_list",
    "read",
    "read_list",
    "selective",
    "unconfirmed_call",
    "unconfirmed_write",
    "write",
    "write_list",
]

T = TypeVar("T")
Service: TypeAlias = Callable[..., Conversation[T]]

_LIST_IS_THE_PROBLEM = frozenset({DataAccessResult.OTHER_REASON, DataAccessResult.DATA_BLOCK_UNAVAILABLE})
"""Results with which meters refuse a list as a whole."""


def read(
    context: ServiceContext,
    session: Session,
    descriptor: CosemAttributeDescriptor,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataValue | DataAccessResult]:
    """Read one attribute; repeat it from the start if an answer does not come."""
    if _only_access(context, Conformance.GET):
        get_by_access = partial(access_services.get, context, descriptor, selection)
        return (yield from repeated(session.retries, get_by_access))
    get: Service[DataValue | DataAccessResult] = (
        logical_names.get if context.short_names is None else _mapped().get
    )
    return (yield from repeated(session.retries, partial(get, context, descriptor, selection, progress)))


def read_list(
    context: ServiceContext, session: Session, items: Sequence[Item]
) -> Conversation[list[DataValue | Refusal]]:
    """Read attributes with as few requests as the association and its sizes allow; results in order."""
    if len(items) > 1 and access_services.preferred_for_reading(context):
        return (yield from _read_by_access(context, session, items))
    results: list[DataValue | Refusal] = []
    get_with_list = logical_names.get_with_list if context.short_names is None else _mapped().get_with_list
    for part in list_parts.parts(
        context, items, [list_parts.attribute_size(context, item) for item in items], lists=1
    ):
        if len(part) > 1:
            try:
                got = yield from repeated(session.retries, partial(get_with_list, context, part))
            except ServiceError:
                got = ()
            if got and not _list_is_the_problem(got):
                results += got
                continue
        for item in part:
            results.append((yield from _or_refusal(read(context, session, *item))))
    return results


def _list_is_the_problem(results: Sequence[Any]) -> bool:
    """Return whether all of a list was refused, at once or in words that may mean the list itself."""
    return isinstance(results, RefusedList) or (
        results[0] in _LIST_IS_THE_PROBLEM and all(each is results[0] for each in results)
    )


def _read_by_access(
    context: ServiceContext, session: Session, items: Sequence[Item]
) -> Conversation[list[DataValue | Refusal]]:
    """Read attributes with ACCESS; alone those that had no room in the answer."""
    wanted = [get_item(*item) for item in items]
    outcomes = yield from access_services.all_of(context, session, wanted)
    results: list[DataValue | Refusal] = []
    alone = Conformance.GET in context.conformance
    blocks = Conformance.GENERAL_BLOCK_TRANSFER in context.conformance
    for item, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, ServiceError):
            results.append((yield from _or_refusal(read(context, session, *item))) if alone else outcome)
        elif alone and not blocks and outcome.result in _LIST_IS_THE_PROBLEM:
            results.append((yield from _or_refusal(read(context, session, *item))))
        else:
            results.append(DataAccessResult(int(outcome.result)) if int(outcome.result) else outcome.value)
    return results


def write(
    context: ServiceContext,
    session: Session,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    selection: SelectiveAccessDescriptor | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataAccessResult]:
    """Write one attribute."""
    from cosem.association.client.conversations import set as logical

    if _only_access(context, Conformance.SET):
        (outcome,) = yield from access_services.all_of(
            context, session, [set_item(descriptor, value, selection)]
        )
        return DataAccessResult(int(_done(outcome).result))
    set_attribute: Service[DataAccessResult] = (
        logical.set_attribute if context.short_names is None else _mapped().set_attribute
    )
    return (
        yield from repeated(
            session.retries if session.repeat_writes else 0,
            partial(set_attribute, context, descriptor, value, selection, progress),
        )
    )


def write_list(
    context: ServiceContext,
    session: Session,
    items: Sequence[Item],
    values: Sequence[DataValue],
    results: list[Refusal] | None = None,
) -> Conversation[list[Refusal]]:
    """Write attributes with as few requests as possible; results in order, and in ``results`` as they come."""
    from cosem.association.client.conversations import set as logical

    results = [] if results is None else results
    if len(items) > 1 and access_services.agreed(context):
        wanted = [set_item(item[0], value, item[1]) for item, value in zip(items, values, strict=True)]
        outcomes: list[access_services.Outcome] = []
        try:
            yield from access_services.all_of(context, session, wanted, outcomes=outcomes)
        finally:  # also when the conversation is given up
            results += [
                outcome if isinstance(outcome, ServiceError) else DataAccessResult(int(outcome.result))
                for outcome in outcomes
            ]
        return results
    set_with_list = logical.set_with_list if context.short_names is None else _mapped().set_with_list
    sizes = [
        list_parts.attribute_size(context, item) + len(encode_data(value))
        for item, value in zip(items, values, strict=True)
    ]
    done = 0
    for part in list_parts.parts(context, items, sizes, lists=2):
        part_values = values[done : done + len(part)]
        done += len(part)
        if len(part) > 1:
            try:
                done_at_once = yield from repeated(
                    session.retries if session.repeat_writes else 0,
                    partial(set_with_list, context, part, part_values),
                )
            except ServiceError:
                done_at_once = ()
            if done_at_once and not _list_is_the_problem(done_at_once):
                results += done_at_once
                continue
        for (descriptor, selection), value in zip(part, part_values, strict=True):
            results.append((yield from _or_refusal(write(context, session, descriptor, value, selection))))
    return results


def call(
    context: ServiceContext,
    session: Session,
    descriptor: CosemMethodDescriptor,
    parameter: DataValue | Absent,
    progress: Progress = no_progress,
) -> Conversation[ActionResponseWithOptionalData]:
    """Call one method."""
    from cosem.association.client.conversations import action as logical

    if _only_access(context, Conformance.ACTION):
        taken = None if isinstance(parameter, Absent) else parameter
        (outcome,) = yield from access_services.all_of(context, session, [action_item(descriptor, taken)])
        return _response(_done(outcome))
    times = session.retries if session.repeat_writes else 0
    if context.short_names is None:
        return (yield from repeated(times, partial(logical.action, context, descriptor, parameter, progress)))
    action: Service[ActionResponseWithOptionalData] = partial(
        _mapped().action, context, descriptor, parameter, progress
    )
    response = yield from repeated(times, partial(action, by_read=session.methods_by_read))
    if may_be_called_by_read(context, session, _mapped(), descriptor, response):
        again = partial(_again, context, session, descriptor, parameter, progress)
        return (yield from called_by_read(session, descriptor, response, again))
    return response


def call_list(
    context: ServiceContext,
    session: Session,
    descriptors: Sequence[CosemMethodDescriptor],
    parameters: Sequence[DataValue],
    results: list[ActionResponseWithOptionalData | ServiceError] | None = None,
) -> Conversation[list[ActionResponseWithOptionalData | ServiceError]]:
    """Call methods, in order, with as few requests as possible; what came of them in ``results`` as it comes."""
    from cosem.association.client.conversations import action as logical

    results = [] if results is None else results
    if len(descriptors) > 1 and access_services.agreed(context):
        wanted = [action_item(*pair) for pair in zip(descriptors, parameters, strict=True)]
        outcomes: list[access_services.Outcome] = []
        try:
            yield from access_services.all_of(context, session, wanted, outcomes=outcomes)
        finally:  # also when the conversation is given up
            results += [
                outcome if isinstance(outcome, ServiceError) else _response(outcome) for outcome in outcomes
            ]
        return results
    sizes = [list_parts.method_size(context) + len(encode_data(parameter)) for parameter in parameters]
    done = 0
    for part in list_parts.parts(context, descriptors, sizes, lists=2):
        part_parameters = parameters[done : done + len(part)]
        done += len(part)
        if len(part) > 1:
            action_with_list: Any = logical.action_with_list
            if context.short_names is not None:
                action_with_list = partial(_mapped().action_with_list, by_read=session.methods_by_read)
            try:
                responses = yield from repeated(
                    session.retries if session.repeat_writes else 0,
                    partial(action_with_list, context, part, part_parameters),
                )
            except ServiceError as error:
                if not access_services.repeatable(error):
                    results += [error] * len(part)
                    continue
            else:
                if context.short_names is not None and all(
                    may_be_called_by_read(context, session, _mapped(), *pair)
                    for pair in zip(part, responses, strict=True)
                ):  # none was executed, so the order is kept
                    again = partial(_again, context, session)
                    yield from all_called_by_read(session, part, part_parameters, responses, again, results)
                else:
                    results += responses
                continue
        for descriptor, parameter in zip(part, part_parameters, strict=True):
            results.append((yield from _or_refusal(call(context, session, descriptor, parameter))))
    return results


def _again(
    context: ServiceContext,
    session: Session,
    descriptor: CosemMethodDescriptor,
    parameter: DataValue | Absent,
    progress: Progress = no_progress,
) -> Conversation[ActionResponseWithOptionalData]:
    """Call a method by Read that Write refused."""
    action: Service[ActionResponseWithOptionalData] = partial(
        _mapped().action, context, descriptor, parameter, progress, by_read=True
    )
    return (yield from repeated(session.retries if session.repeat_writes else 0, action))


def _or_refusal(conversation: Conversation[T]) -> Conversation[T | ServiceError]:
    """Return what a conversation returns, or with which error its request was refused as a whole."""
    try:
        return (yield from conversation)
    except ServiceError as error:
        return error


def _done(outcome: access_services.Outcome) -> AccessOutcome:
    """Return the outcome of the only item of a request; raises if the request was refused as a whole."""
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


def _response(outcome: AccessOutcome) -> ActionResponseWithOptionalData:
    return ActionResponseWithOptionalData(ActionResult(int(outcome.result)), outcome.value)


def _only_access(context: ServiceContext, bit: Conformance) -> bool:
    """Return whether ACCESS must do what the service of this bit does otherwise."""
    return bit not in context.conformance and access_services.agreed(context)


def unconfirmed_write(
    context: ServiceContext,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    selection: SelectiveAccessDescriptor | None = None,
) -> Apdu:
    """Return the request that writes one attribute and asks for no answer; it goes in one piece."""
    from cosem.association.client.conversations import set as logical

    set_unconfirmed = logical.set_unconfirmed if context.short_names is None else _mapped().set_unconfirmed
    return _fitting(context, set_unconfirmed(context, descriptor, value, selection))


def unconfirmed_call(
    context: ServiceContext, descriptor: CosemMethodDescriptor, parameter: DataValue | Absent
) -> Apdu:
    """Return the request that calls one method and asks for no answer; it goes in one piece."""
    from cosem.association.client.conversations import action as logical

    unconfirmed = logical.action_unconfirmed if context.short_names is None else _mapped().action_unconfirmed
    return _fitting(context, unconfirmed(context, descriptor, parameter))


def selective(context: ServiceContext) -> bool:
    """Return whether a part of an attribute may be asked for."""
    bit = Conformance.SELECTIVE_ACCESS if context.short_names is None else Conformance.PARAMETERIZED_ACCESS
    return bit in context.conformance


def _mapped() -> ModuleType:
    """Return the same services where objects have short names; loaded only then."""
    from cosem.association.client.conversations import mapped

    return mapped


def _fitting(context: ServiceContext, request: Apdu) -> Apdu:
    """Return a request that is no longer than the server takes: without answers there are no blocks."""
    size, limit = len(encode(request)), context.max_request_size
    if limit and size > limit:
        raise UnsupportedError(f"the request has {size} octets, the server takes {limit}")
    return request
