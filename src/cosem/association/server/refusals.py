"""The answers with which a server refuses what it cannot process at all (IEC 62056-5-3, 7.3, clause 8)."""

from __future__ import annotations

from typing import Final

from cosem.apdu import encode
from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse
from cosem.errors import ReplayError
from cosem.types.enumerations import (
    ConfirmedServiceErrorChoice,
    ServiceErrorCode,
    ServiceErrorGroup,
    StateErrorCode,
)

__all__ = [
    "NOT_ALLOWED",
    "NOT_DECIPHERED",
    "NOT_PROTECTED",
    "NOT_SUPPORTED",
    "SHORT_NAME_REQUESTS",
    "TOO_LONG",
    "counter_error",
    "exception",
    "without_association",
]

SHORT_NAME_REQUESTS: Final = {
    0x05: ConfirmedServiceErrorChoice.READ,
    0x06: ConfirmedServiceErrorChoice.WRITE,
}
"""What a confirmedServiceError calls the requests by short names."""


def exception(
    state_error: StateErrorCode, service_error: ServiceErrorCode, invocation_counter: int | None = None
) -> bytes:
    """Return the octets of an exception-response."""
    return encode(ExceptionResponse(state_error, service_error, invocation_counter))


NOT_ALLOWED: Final = exception(StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.OPERATION_NOT_POSSIBLE)
NOT_SUPPORTED: Final = exception(StateErrorCode.SERVICE_UNKNOWN, ServiceErrorCode.SERVICE_NOT_SUPPORTED)
TOO_LONG: Final = exception(StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.PDU_TOO_LONG)
NOT_DECIPHERED: Final = exception(StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.DECIPHERING_ERROR)
NOT_PROTECTED: Final = exception(StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.OTHER_REASON)
"""The answer in place of one that cannot be protected as it must be."""


def without_association(tag: int) -> bytes:
    """Return the answer to a request for which there is no association."""
    service = SHORT_NAME_REQUESTS.get(tag)
    if service is None:
        return NOT_ALLOWED
    return encode(ConfirmedServiceError(service, ServiceErrorGroup.VDE_STATE_ERROR, 1))


def counter_error(error: ReplayError) -> bytes:
    """Return the exception-response that tells the lowest counter that would be accepted."""
    counter = min(max(error.expected, 0), 0xFFFFFFFF)
    return exception(StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.INVOCATION_COUNTER_ERROR, counter)
