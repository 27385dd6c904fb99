"""COSEM-OPEN and the HLS passes at the server (IEC 62056-5-3, 7.2.4)."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import Apdu, decode, encode
from cosem.association.control_function import ServerEvent
from cosem.association.server.attempt import (
    Attempt,
    Instead,
    Refused,
    profile_for,
    provider_refusal,
    wrong_version,
)
from cosem.association.server.context import ServerContext, smaller
from cosem.association.server.indications import (
    AbortIndication,
    AuthenticationFailed,
    Established,
    Indication,
)
from cosem.errors import AuthenticationError, DecodeError, SecurityError
from cosem.types.enumerations import AuthenticationMechanism, Conformance

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation

__all__ = ["opening", "reply_to_hls"]


_NOT_GUESSED: Final = frozenset({AuthenticationMechanism.HLS_GMAC, AuthenticationMechanism.HLS_ECDSA})


def opening(
    association: ServerAssociation, octets: bytes, now: float, *, confirmed: bool
) -> Generator[Indication, Any, bytes | None]:
    """Process an AARQ.

    Args:
        association: The association that is asked for; an old one between the same addresses is dropped.
        octets: The AARQ.
        now: Monotonic seconds.
        confirmed: Whether the link lets the server answer.

    Returns:
        The AARE, or what is sent in its place; ``None`` for an association without answers.
    """
    if association.pre_established:
        return None
    aborted = association.abort("the client opened a new association")
    own = association.profiles[0] if association.profiles else None
    refused: Apdu | None = None
    try:
        aarq = decode(octets, findings=[])
    except DecodeError:
        refused = provider_refusal(own)
    else:
        if aarq.protocol_version is not None and not (aarq.protocol_version and aarq.protocol_version[0]):
            refused = wrong_version(aarq)
    if refused is not None:
        if aborted is not None:
            yield aborted
        return encode(refused)
    # From here on nothing is told to anybody before the attempt stands: another one may come meanwhile.
    association.control.fire(ServerEvent.OPEN_INDICATION)
    attempt = association.attempt = Attempt(association, aarq, profile_for(association, aarq))
    accepted = Conformance(0)
    try:
        if aborted is not None:
            yield aborted
        accepted = yield from attempt.examine()
    except Refused as refusal:
        refused = attempt.refuse(refusal)
    except Instead as instead:
        refused = instead.answer
    except BaseException:  # whoever pumps has failed or gone: nothing may be left half open
        if association.attempt is attempt:
            association.abort("the association could not be made")
        raise
    if association.attempt is not attempt:
        return None  # the lower layer went, or another AARQ came, while the application process thought
    if refused is not None:
        association.control.fire(ServerEvent.OPEN_RESPONSE_NOK)
        association.forget()
        return encode(refused) if attempt.response_allowed else None
    profile = attempt.profile
    hls = attempt.authenticator is not None
    if hls and not (confirmed and attempt.response_allowed):
        association.control.fire(ServerEvent.OPEN_RESPONSE_NOK)
        association.forget()
        return None
    association.profile = profile
    association.protection = attempt.protection
    association.authenticator = attempt.authenticator
    association.context = ServerContext(
        accepted,
        smaller(attempt.initiate.client_max_receive_pdu_size, profile.max_send_pdu_size),
        attempt.response_allowed and confirmed,
        aarq.calling_ae_invocation_identifier,
        attempt.client_title,
        attempt.initiate.dedicated_key is not None,
    )
    if attempt.protection is not None and not hls:
        attempt.protection.activate_dedicated_key()
    association.pending_until = now + association.limits.pending if hls else None
    association.control.fire(ServerEvent.OPEN_RESPONSE_OK)
    yield Established(pending=hls)
    return attempt.accept(accepted)


def reply_to_hls(association: ServerAssociation, proof: object) -> Generator[Indication, Any, bytes | None]:
    """Run passes 3 and 4, whichever service carries them.

    A wrong proof ends the association: there is no second guess against the same challenge.

    Returns:
        f(CtoS), or ``None`` where the proof is wrong.
    """
    authenticator = association.authenticator
    mechanism = 0 if association.profile is None else int(association.profile.mechanism)
    association.authenticator = None
    try:
        if authenticator is None or not isinstance(proof, bytes):
            raise AuthenticationError("no proof")
        answer = authenticator.reply(bytes(proof))
    except SecurityError:
        aborted = association.abort("the client could not prove who it is")
        yield AuthenticationFailed(mechanism, guessable=mechanism not in _NOT_GUESSED)
        yield aborted or AbortIndication("")
        return None
    association.pending_until = None
    if association.protection is not None:
        association.protection.activate_dedicated_key()
    yield Established()
    return answer
