"""Refusals as errors: what the server said, of which object, and what most likely lies behind it."""

from __future__ import annotations

from typing import Final, TypeAlias

from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor
from cosem.client.targets import words_of
from cosem.errors import AccessError, ActionError, ServiceError
from cosem.types.enumerations import ActionResult, DataAccessResult

__all__ = ["Refusal", "call_refused", "refused"]

Refusal: TypeAlias = DataAccessResult | ServiceError
"""Why there is no value: what the server says of the attribute, or that it refused the request as a whole."""

_HINTS: Final = {
    1: "a part of the meter is broken",
    2: "the meter is busy; try again later",
    3: "this client address has no such right; another one, or more authentication, may have it",
    4: "the meter has no such object or attribute, or hides it from this client address",
    9: "the object has another class_id; look it up in the object list",
    11: "the object cannot be used at the moment",
    12: "the meter expects another type, or does not know this selective access",
    13: "a value is out of the range that the meter takes, or the selection reaches beyond the object",
    14: "the answer is too long for the meter to send in one piece",
    15: "the meter gave up the transfer; start it again",
    17: "the meter gave up the transfer; start it again",
    19: "a block got lost on the way; start again",
}


def refused(descriptor: CosemAttributeDescriptor, result: Refusal) -> AccessError | ServiceError:
    """Return the error of an attribute that was refused."""
    if isinstance(result, ServiceError):
        return result
    words = words_of(descriptor.class_id, descriptor.instance_id, descriptor.attribute_id)
    return AccessError(words, result, _HINTS.get(int(result), ""))


def call_refused(descriptor: CosemMethodDescriptor, result: ActionResult | DataAccessResult) -> ActionError:
    """Return the error of a method that was refused, or of what it should have returned."""
    words = words_of(descriptor.class_id, descriptor.instance_id, descriptor.method_id, "method")
    hint = _HINTS.get(int(result), "").replace("attribute", "method")
    return ActionError(words, result, hint)
