"""Methods with short names that Write refuses: some meters know them for Read with parameters alone.

What was refused so was not executed, so Read may be tried. If that brings nothing the first refusal stands:
it is what the meter says of the method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Final

from cosem.apdu.action import ActionResponseWithOptionalData
from cosem.apdu.common import CosemMethodDescriptor
from cosem.association.context import Conversation, ServiceContext
from cosem.client.operations.refusals import call_refused
from cosem.client.session import Session
from cosem.errors import ExceptionResponseError, ServiceError, TransportTimeout
from cosem.types.enumerations import ActionResult

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["all_called_by_read", "called_by_read", "may_be_called_by_read"]

_NOT_BY_WRITE: Final = frozenset(
    {
        ActionResult.READ_WRITE_DENIED,
        ActionResult.OBJECT_UNDEFINED,
        ActionResult.OBJECT_CLASS_INCONSISTENT,
        ActionResult.OBJECT_UNAVAILABLE,
    }
)
"""Results of a meter that does not know, or does not let, the short name of a method be written."""


def may_be_called_by_read(
    context: ServiceContext,
    session: Session,
    mapped: ModuleType,
    descriptor: CosemMethodDescriptor,
    response: ActionResponseWithOptionalData,
) -> bool:
    """Return whether a method was refused because it was written, and Read is worth a try."""
    return (
        response.result in _NOT_BY_WRITE
        and not session.methods_by_read
        and not session.methods_by_write_alone
        and mapped.is_called_by_write(context, descriptor)
    )


def called_by_read(
    session: Session,
    descriptor: CosemMethodDescriptor,
    refusal: ActionResponseWithOptionalData,
    start: Callable[[], Conversation[ActionResponseWithOptionalData]],
) -> Conversation[ActionResponseWithOptionalData]:
    """Call a method by Read that Write refused.

    Args:
        session: Learns whether this meter takes methods so.
        descriptor: The method.
        refusal: What Write said.
        start: Begins the Read.

    Returns:
        What came of it, or the first refusal.

    Raises:
        TransportTimeout: The Read has no answer; the text has the first refusal, too.
        ExceptionResponseError: The answer to the Read had begun: the method was executed.
    """
    words = f"{descriptor.instance_id} method {descriptor.method_id}"
    try:
        again = yield from start()
    except ServiceError as error:
        session.methods_by_write_alone = True
        session.findings.append(f"methods-by-read refused: {words}: {error}")
        if isinstance(error, ExceptionResponseError) and error.answer_begun:
            raise
        return refusal
    except TransportTimeout as error:
        session.methods_by_write_alone = True
        raise TransportTimeout(f"{error}, after Write: {call_refused(descriptor, refusal.result)}") from error
    if again.result is not ActionResult.SUCCESS:
        return refusal
    session.methods_by_read = True
    session.findings.append(f"methods-by-read: {words}")
    return again


def all_called_by_read(
    session: Session,
    descriptors: Sequence[CosemMethodDescriptor],
    parameters: Sequence[DataValue],
    refusals: Sequence[ActionResponseWithOptionalData],
    start: Callable[[CosemMethodDescriptor, DataValue], Conversation[ActionResponseWithOptionalData]],
    results: list[ActionResponseWithOptionalData | ServiceError],
) -> Conversation[None]:
    """Call methods by Read, one by one, all of which Write refused; when Read is in vain the refusals stand.

    What came of each goes to ``results`` as it comes.
    """
    for descriptor, parameter, refusal in zip(descriptors, parameters, refusals, strict=True):
        if session.methods_by_write_alone:
            results.append(refusal)
            continue
        try:
            begin = partial(start, descriptor, parameter)
            results.append((yield from called_by_read(session, descriptor, refusal, begin)))
        except ServiceError as error:
            results.append(error)
