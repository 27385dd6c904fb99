"""confirmedServiceError and exception-response: a request that could not be processed at all.

(IEC 62056-5-3, clause 8; the invocation counter of an exception-response is of later editions)
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cosem.codec.reader import Reader
from cosem.codec.sequence import sequence
from cosem.codec.wires import Enumerated, Unsigned8, Wire
from cosem.errors import EncodeError
from cosem.types.enumerations import (
    ConfirmedServiceErrorChoice,
    ServiceErrorCode,
    ServiceErrorGroup,
    StateErrorCode,
)

__all__ = ["ConfirmedServiceError", "ExceptionResponse"]

_Choice: TypeAlias = Annotated[ConfirmedServiceErrorChoice, Enumerated(ConfirmedServiceErrorChoice)]
_Group: TypeAlias = Annotated[ServiceErrorGroup, Enumerated(ServiceErrorGroup)]
_State: TypeAlias = Annotated[StateErrorCode, Enumerated(StateErrorCode)]


@sequence(0x0E, name="confirmedServiceError")
class ConfirmedServiceError:
    """confirmedServiceError [14]: a service failed as a whole.

    Attributes:
        service: Which service: 1 initiateError, 5 read, 6 write.
        error_group: The alternative of ServiceError.
        error: The value within that group.
    """

    service: _Choice
    error_group: _Group
    error: Unsigned8


class _CounterAfterError(Wire):
    """Unsigned32 behind invocation-counter-error (6); nothing behind any other error."""

    __slots__ = ()
    smallest = 0

    def read(self, reader: Reader) -> int | None:
        """Return the counter, or ``None``."""
        before = reader.data[reader.pos - 1]
        return reader.unsigned(4) if before == ServiceErrorCode.INVOCATION_COUNTER_ERROR else None

    def write(self, out: bytearray, value: int | None) -> None:
        """Append the counter where it belongs."""
        wanted = out[-1] == ServiceErrorCode.INVOCATION_COUNTER_ERROR
        if wanted is not (value is not None):
            raise EncodeError("an invocation counter belongs to invocation-counter-error and to no other")
        if value is not None:
            out += value.to_bytes(4, "big")


@sequence(0xD8)
class ExceptionResponse:
    """exception-response [216]: the server cannot process the request.

    Attributes:
        state_error: 1 service-not-allowed, 2 service-unknown.
        service_error: 1 operation-not-possible ... 6 invocation-counter-error.
        invocation_counter: The lowest counter that the server accepts, with error 6 only.
    """

    state_error: _State
    service_error: Annotated[ServiceErrorCode, Enumerated(ServiceErrorCode)]
    invocation_counter: Annotated[int | None, _CounterAfterError()] = None
