"""COSEM-RELEASE at the server (IEC 62056-5-3, 7.2.5)."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from cosem.apdu import decode, encode
from cosem.apdu.acse import RLRE, RLRQ
from cosem.apdu.initiate import InitiateRequest
from cosem.association.control_function import ServerEvent, State
from cosem.association.server.context import initiate_response
from cosem.association.server.forgeries import not_genuine
from cosem.association.server.indications import Indication, ReleaseIndication
from cosem.errors import DecodeError, PolicyError, ReplayError, SecurityError
from cosem.types.enumerations import ReleaseResponseReason

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation

__all__ = ["releasing"]


def releasing(association: ServerAssociation, octets: bytes) -> Generator[Indication, Any, bytes | None]:
    """Process a RLRQ; the server cannot refuse it, but an unprotected one may be nobody's.

    Returns:
        The RLRE; ``None`` where no answer is due.
    """
    if association.pre_established:
        return None
    try:
        request: RLRQ = decode(octets, findings=[])
    except DecodeError:
        association.ignored += 1
        return None
    if association.state is not State.ASSOCIATED:
        aborted = association.abort("the client released what was being made")
        if aborted is not None:
            yield aborted
        return encode(RLRE(ReleaseResponseReason.NORMAL))
    information = None
    profile, protection = association.profile, association.protection
    if profile is not None and protection is not None and profile.application_context.ciphered:
        forged = request.user_information is not None
        try:
            if request.user_information is None:
                raise PolicyError("a RLRQ without protection")
            clear, status = protection.unprotect(request.user_information)
            forged = False
            if getattr(status, "broadcast", False):
                raise PolicyError("a RLRQ under the broadcast key, which others have too")
            if not isinstance(decode(clear, findings=[]), InitiateRequest):
                raise PolicyError("no InitiateRequest in the RLRQ")
            response = encode(initiate_response(profile, association.context.conformance))
            information = protection.protect(response, status)
        except (SecurityError, DecodeError) as error:
            if not profile.lenient_release:
                if forged and not isinstance(error, (PolicyError, ReplayError)):
                    return (yield from not_genuine(association, silent=True))
                association.ignored += 1
                return None
    answered = association.context.confirmed
    association.control.fire(ServerEvent.RELEASE_INDICATION)
    yield ReleaseIndication(request.reason)
    if association.control.state is State.ASSOCIATION_RELEASE_PENDING:  # and not aborted meanwhile
        association.control.fire(ServerEvent.RELEASE_RESPONSE)
        association.forget()
    return encode(RLRE(ReleaseResponseReason.NORMAL, information)) if answered else None
