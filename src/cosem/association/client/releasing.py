"""COSEM-RELEASE at the client, by RLRQ and RLRE (IEC 62056-5-3, 6.4, 7.2.5).

The server cannot refuse: whatever it answers, the association is over.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cosem.apdu import Apdu, encode
from cosem.apdu.acse import RLRE, RLRQ
from cosem.association.client.opening import initiate_request
from cosem.association.context import Conversation
from cosem.errors import SecurityError, ServiceError
from cosem.types.enumerations import ReleaseRequestReason, ReleaseResponseReason

if TYPE_CHECKING:
    from cosem.association.client.association import ClientAssociation

__all__ = ["release_request", "releasing"]


def releasing(association: ClientAssociation) -> Conversation[bool]:
    """Release the association; return whether the server answered with reason normal.

    In a ciphered context the RLRQ carries the InitiateRequest under the global
    key, so that nobody else can tear the association down.
    """
    confirmed = association.parameters.confirmed
    answer: Apdu = None
    try:
        request = release_request(association)
        if confirmed:
            answer = yield request
    except ServiceError:
        return False
    finally:
        association.released()
    if not confirmed:
        association.send_without_answer(request)
        return True
    return isinstance(answer, RLRE) and answer.reason in (None, ReleaseResponseReason.NORMAL)


def release_request(association: ClientAssociation) -> RLRQ:
    """Return the RLRQ of an association, protected where its context is ciphered."""
    information = None
    parameters = association.parameters
    if association.protection is not None and parameters.application_context.ciphered:
        # Another program may have used higher counters: a server answers a stale RLRQ with silence.
        with suppress(SecurityError):  # protecting tells it, should it still be so
            getattr(association.protection, "renew_counter", bool)()
        information = association.protection.protect(encode(initiate_request(parameters)))
    return RLRQ(ReleaseRequestReason.NORMAL, information)
