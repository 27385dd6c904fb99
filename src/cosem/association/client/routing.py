"""Which answer belongs to which request, by tags and invoke-ids alone (IEC 62056-5-3, 7.3, 9.1.4.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cosem.apdu import Apdu
from cosem.errors import ConfirmedServiceErrorReceived, ExceptionResponseError
from cosem.types.enumerations import ConfirmedServiceErrorChoice, describe_service_error

if TYPE_CHECKING:
    from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse

__all__ = [
    "ANSWERS_IN_CLEAR",
    "ANSWERS_WITH_INVOKE_ID",
    "CIPHERED_NOTIFICATION_TAGS",
    "CONTINUING",
    "GENERAL_BLOCK_TRANSFER",
    "NOTIFICATION_TAGS",
    "REQUESTS",
    "SERVICES",
    "confirmed_service_error",
    "exception_response",
    "goes_on",
    "has_invoke_id",
    "is_ciphered",
    "key_in",
    "key_of",
    "long_key",
]

NOTIFICATION_TAGS: Final = frozenset({0x0F, 0xC2, 0x18})
CIPHERED_NOTIFICATION_TAGS: Final = frozenset({0xCA, 0xD2, 0x38, 0x58})
GENERAL_BLOCK_TRANSFER: Final = 0xE0
REQUESTS: Final = frozenset({0x01, 0x05, 0x06, 0x10, 0x16, 0x60, 0x62, 0xC0, 0xC1, 0xC3, 0xD9})
ANSWERS_IN_CLEAR: Final = frozenset({0x61, 0x63, 0xD8, 0x0E})
"""Answers that may come without protection in an association with ciphering."""
_FIRST_CIPHERED, _GENERAL_TAGS = 0x21, frozenset({0xDB, 0xDC, 0xDD, 0xDF})
_ANSWERS_WITH_SHORT_ONE: Final = frozenset({0xC4, 0xC5, 0xC7})
_ACCESS_RESPONSE: Final = 0xDA
ANSWERS_WITH_INVOKE_ID: Final = _ANSWERS_WITH_SHORT_ONE | {_ACCESS_RESPONSE}
_PAIRS: Final = {
    "AARQ": "open",
    "AARE": "open",
    "RLRQ": "release",
    "RLRE": "release",
    "ReadRequest": "read",
    "ReadResponse": "read",
    "WriteRequest": "write",
    "WriteResponse": "write",
}
CONTINUING: Final = frozenset(
    {"GetRequestNext", "SetRequestWithDatablock", "ActionRequestNextPblock", "ActionRequestWithPblock"}
)
"""The requests that go on with one before and do not name its object."""
SERVICES: Final = {ConfirmedServiceErrorChoice.READ: "read", ConfirmedServiceErrorChoice.WRITE: "write"}
"""The keys of the services that a confirmedServiceError names."""


def is_ciphered(tag: int) -> bool:
    """Return whether an APDU with this tag is protected."""
    return tag in _GENERAL_TAGS or _FIRST_CIPHERED <= tag < 0x60 or 0xC8 <= tag < 0xD8


def long_key(long_invoke_id: int) -> str:
    """Return the key of a long invoke-id: short and long ones are counted apart."""
    return f"long {long_invoke_id & 0xFFFFFF}"


def has_invoke_id(key: int | str | None) -> bool:
    """Return whether a late answer to a request of this key can be told from the answer to a later one."""
    return isinstance(key, int) or (key is not None and key.startswith("long "))


def key_of(apdu: Apdu) -> int | str:
    """Return what pairs an answer with its request: the invoke-id where there is one."""
    invoke_id = getattr(apdu, "invoke_id_and_priority", None)
    if invoke_id is not None:
        return int(invoke_id) & 0x0F
    long_invoke_id = getattr(apdu, "long_invoke_id_and_priority", None)
    if long_invoke_id is not None:
        return long_key(long_invoke_id)
    name = type(apdu).__name__
    return _PAIRS.get(name, name)


def key_in(octets: bytes) -> int | str | None:
    """Return the key of an answer that cannot be decoded, if as much can be seen."""
    tag = octets[0] if octets else 0
    if tag in _ANSWERS_WITH_SHORT_ONE and len(octets) > 2:
        return octets[2] & 0x0F
    if tag == _ACCESS_RESPONSE and len(octets) > 4:
        return long_key(int.from_bytes(octets[1:5], "big"))
    return None


def goes_on(apdu: Apdu) -> bool:
    """Return whether an answer is a block of a result and more are to come: its request was executed."""
    results = getattr(apdu, "result", None)
    block = getattr(apdu, "pblock", None) or (
        results[0] if isinstance(results, tuple) and results else results
    )
    return getattr(block, "last_block", True) is False


def exception_response(
    apdu: ExceptionResponse, *, in_clear: bool, answer_begun: bool, of_another: bool
) -> ExceptionResponseError:
    """Return the error that an exception-response stands for."""
    return ExceptionResponseError(
        apdu.state_error, apdu.service_error, apdu.invocation_counter, in_clear, answer_begun, of_another
    )


def confirmed_service_error(apdu: ConfirmedServiceError) -> ConfirmedServiceErrorReceived:
    """Return the error that a confirmedServiceError stands for."""
    words = f"{apdu.service}, {describe_service_error(apdu.error_group, apdu.error)}"
    return ConfirmedServiceErrorReceived(apdu.service, apdu.error_group, apdu.error, words)
