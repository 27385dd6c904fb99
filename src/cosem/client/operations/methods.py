"""Calling methods, one or many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from cosem.apdu.action import ActionResponseWithOptionalData
from cosem.apdu.common import CosemMethodDescriptor
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.client.operations import services
from cosem.client.operations.refusals import call_refused
from cosem.client.operations.resolving import class_of_object, version_wanted
from cosem.client.results import Result
from cosem.client.session import Session
from cosem.client.targets import ClassLike, MethodLike, Target, declared, method_number, name_of, version_of
from cosem.errors import ActionError, ConfigurationError, CosemError, ServiceError
from cosem.types.data import ABSENT, NULL_DATA, Absent, Integer
from cosem.types.enumerations import ActionResult, DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu import Apdu
    from cosem.types.data import DataValue

__all__ = ["MethodItem", "call", "call_many", "outcome_of", "resolved"]

MethodItem: TypeAlias = tuple[Any, ...]
"""A tuple: object, method, and if need be parameter and class."""


def call(
    context: ServiceContext,
    session: Session,
    target: Target,
    method: MethodLike,
    parameter: Any = None,
    class_id: ClassLike | None = None,
    progress: Progress = no_progress,
) -> Conversation[DataValue]:
    """Call one method and return what it returned; ``None`` for nothing.

    Raises:
        ActionError: The server refused it.
        EncodeError: The parameter is not what the method takes.
    """
    descriptor, data = yield from resolved(context, session, target, method, parameter, class_id)
    response = yield from services.call(context, session, descriptor, data, progress)
    value, error = outcome_of(descriptor, response)
    if error is not None:
        raise error
    return value


def unconfirmed_call(
    context: ServiceContext,
    session: Session,
    target: Target,
    method: MethodLike,
    parameter: Any = None,
    class_id: ClassLike | None = None,
) -> Conversation[Apdu]:
    """Return the request that calls one method and asks for no answer.

    Raises:
        EncodeError: The parameter is not what the method takes.
        UnsupportedError: ACTION was not agreed on, or the request is longer than the server takes.
    """
    descriptor, data = yield from resolved(context, session, target, method, parameter, class_id)
    return services.unconfirmed_call(context, descriptor, data)


def call_many(
    context: ServiceContext, session: Session, items: Iterable[MethodItem]
) -> Conversation[list[Result[DataValue]]]:
    """Call methods in order; a result for each."""
    descriptors: list[CosemMethodDescriptor] = []
    parameters: list[DataValue] = []
    for item in items:
        if not 2 <= len(item) <= 4:
            raise ConfigurationError(f"{item!r} is no (object, method, parameter, class_id)")
        target, method, parameter, class_id = (*item, None, None)[:4]
        descriptor, data = yield from resolved(context, session, target, method, parameter, class_id)
        descriptors.append(descriptor)
        # A list has no way to leave a parameter out: null-data stands for none.
        parameters.append(None if isinstance(data, Absent) else data)
    responses: list[ActionResponseWithOptionalData | ServiceError] = []

    def results() -> list[Result[DataValue]]:
        return [_called(*pair) for pair in zip(descriptors, responses, strict=False)]

    context.results_so_far = results
    yield from services.call_list(context, session, descriptors, parameters, responses)
    return results()


def _called(
    descriptor: CosemMethodDescriptor, response: ActionResponseWithOptionalData | ServiceError
) -> Result[DataValue]:
    """Return what came of one method."""
    value: DataValue = None
    error: CosemError | None
    if isinstance(response, ServiceError):
        error = response
    else:
        value, error = outcome_of(descriptor, response)
    return Result(descriptor.instance_id, descriptor.class_id, descriptor.method_id, value, error)


def resolved(
    context: ServiceContext,
    session: Session,
    target: Target,
    method: MethodLike,
    parameter: Any,
    class_id: ClassLike | None,
) -> Conversation[tuple[CosemMethodDescriptor, DataValue | Absent]]:
    """Return the descriptor of a method, and its parameter as Data."""
    found = yield from class_of_object(context, session, target, class_id)
    name = name_of(target)
    version = version_of(target, class_id)
    if isinstance(method, str):
        version = yield from version_wanted(context, session, target, class_id, found, (method, "method"))
    elif version is None:
        version = session.version(name, found)
    descriptor = CosemMethodDescriptor(found, name, method_number(method, found, version))
    return descriptor, _parameter(descriptor, version, parameter)


def _parameter(descriptor: CosemMethodDescriptor, version: int | None, parameter: Any) -> DataValue | Absent:
    """Return the invocation parameter: every method takes one, integer 0 where it says nothing."""
    if parameter is NULL_DATA:
        return None
    if parameter is ABSENT or hasattr(parameter, "tag"):
        return parameter  # type: ignore[no-any-return]
    from cosem.errors import EncodeError

    found = declared(descriptor.class_id, version)
    method = None if found is None else found.method(descriptor.method_id)
    if method is not None:
        return method.coerce(parameter)
    if parameter is None:
        return Integer(0)
    if isinstance(parameter, bool):
        return parameter
    raise EncodeError(f"{parameter!r}: the type of this parameter is not known; give a value of cosem.types")


def outcome_of(
    descriptor: CosemMethodDescriptor, response: ActionResponseWithOptionalData
) -> tuple[DataValue, ActionError | None]:
    """Return what a method returned, or the error with which it was refused."""
    if response.result is not ActionResult.SUCCESS:
        return None, call_refused(descriptor, response.result)
    returned = response.return_parameters
    if isinstance(returned, DataAccessResult):
        if returned is DataAccessResult.SUCCESS:
            return None, None
        return None, call_refused(descriptor, returned)
    return (None if isinstance(returned, Absent) else returned), None
