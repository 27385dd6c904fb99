"""COSEM-OPEN, the HLS passes and COSEM-RELEASE at the server (IEC 62056-5-3, 7.2.4 and 7.2.5).

The AARQ is examined in the order that the standard fixes: what the ACSE provider
cannot take; application context; authentication; the xDLMS context. The first
thing that fails decides the answer:

- context or authentication: rejected, a fitting diagnostic, and an InitiateResponse
  with the server's own xDLMS context;
- the xDLMS context: rejected, no-reason-given, and a confirmedServiceError with the reason.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from cosem.apdu import Apdu, decode, encode
from cosem.apdu.acse import AARE, AARQ, AUTHENTICATION, RLRE, RLRQ
from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse
from cosem.apdu.initiate import DLMS_VERSION, InitiateRequest, InitiateResponse
from cosem.association.control_function import ServerEvent, State
from cosem.association.indications import (
    AbortIndication,
    AuthenticationFailed,
    Established,
    Indication,
    OpenIndication,
    OpenRefusal,
    ReleaseIndication,
)
from cosem.association.parameters import LN_BITS, SN_BITS
from cosem.association.server_demands import refuses_clear
from cosem.association.server_profile import AssociationProfile, ServerAuthenticator, ServerProtection
from cosem.errors import AuthenticationError, ConfigurationError, DecodeError, ReplayError, SecurityError
from cosem.security.authentication.mechanisms import password_matches
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ConfirmedServiceErrorChoice,
    Conformance,
    ReleaseResponseReason,
    ServiceErrorCode,
    ServiceErrorGroup,
    StateErrorCode,
)

if TYPE_CHECKING:
    from cosem.association.server_association import ServerAssociation

__all__ = ["NO_CONTEXT", "ServerContext", "opening", "releasing"]

Opening: TypeAlias = Generator[Indication, Any, bytes | None]

_D = AcseServiceUserDiagnostic
_INITIATE, _APPLICATION_REFERENCE = ServiceErrorGroup.INITIATE, ServiceErrorGroup.APPLICATION_REFERENCE
_OTHER, _VERSION_TOO_LOW, _INCOMPATIBLE, _TOO_SHORT, _REFUSED = range(5)
_OTHER_ERROR: Final = bytes((0x0E, 1, 6, 0))
"""confirmedServiceError, initiateError, initiate, other: nothing of the xDLMS context was looked at."""
_DECIPHERING_ERROR: Final = 6
_SHORT_NAME_OF_ASSOCIATION: Final = 0xFA00
_SERVICES: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.ACCESS
    | Conformance.EVENT_NOTIFICATION
    | Conformance.DATA_NOTIFICATION
    | Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.INFORMATION_REPORT
)
"""Bits without any of which an association would be of no use."""


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What the server agreed to.

    Args:
        conformance: The services that may be used.
        client_max_receive_pdu_size: Longest APDU that the client takes, or that the server sends where that
            is less, octets; 0 means no limit.
        confirmed: Whether requests may be answered.
        user_id: Who the client says it is, where it says so.
        client_title: System title of the client.
        dedicated_key: Whether the client brought a key for this association.
    """

    conformance: Conformance
    client_max_receive_pdu_size: int = 0
    confirmed: bool = True
    user_id: int | None = None
    client_title: bytes | None = None
    dedicated_key: bool = False

    @classmethod
    def of_pre_established(cls, profile: AssociationProfile) -> Self:
        """Return the context of an association that was never negotiated."""
        return cls(
            profile.conformance & _style(profile),
            _smaller(profile.client_max_receive_pdu_size, profile.max_send_pdu_size),
            profile.confirmed,
            None,
            profile.client_system_title,
        )


NO_CONTEXT: Final = ServerContext(Conformance(0))


class _Refused(Exception):
    """The AARQ is refused with these values."""

    def __init__(
        self,
        diagnostic: AcseServiceUserDiagnostic,
        error: tuple[ServiceErrorGroup, int] | None = None,
        result: AssociationResult = AssociationResult.REJECTED_PERMANENT,
    ) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic
        self.error = error
        self.result = result


class _NotGenuine(Exception):
    """The AARQ is refused like this, and that counts as a guess: a wrong key, tag or title."""

    def __init__(self, refusal: _Refused) -> None:
        super().__init__()
        self.refusal = refusal


class _Instead(Exception):
    """Another APDU is sent in place of the AARE."""

    def __init__(self, answer: Apdu) -> None:
        super().__init__()
        self.answer = answer


def opening(association: ServerAssociation, octets: bytes, now: float, *, confirmed: bool) -> Opening:
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
        refused = _provider_refusal(own)
    else:
        if aarq.protocol_version is not None and not (aarq.protocol_version and aarq.protocol_version[0]):
            refused = _wrong_version(aarq)
    if refused is not None:
        if aborted is not None:
            yield aborted
        return encode(refused)
    # From here on nothing is told to anybody before the attempt stands: another one may come meanwhile.
    association.control.fire(ServerEvent.OPEN_INDICATION)
    attempt = association.attempt = _Attempt(association, aarq, _profile_for(association, aarq))
    accepted = Conformance(0)
    try:
        if aborted is not None:
            yield aborted
        accepted = yield from attempt.examine()
    except _Refused as refusal:
        refused = attempt.refuse(refusal)
    except _Instead as instead:
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
        _smaller(attempt.initiate.client_max_receive_pdu_size, profile.max_send_pdu_size),
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
        yield AuthenticationFailed(mechanism)
        yield aborted or AbortIndication("")
        return None
    association.pending_until = None
    if association.protection is not None:
        association.protection.activate_dedicated_key()
    yield Established()
    return answer


def releasing(association: ServerAssociation, octets: bytes) -> Opening:
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
        try:
            if request.user_information is None:
                raise SecurityError("a RLRQ without protection")
            clear, status = protection.unprotect(request.user_information)
            if not isinstance(decode(clear, findings=[]), InitiateRequest):
                raise SecurityError("no InitiateRequest in the RLRQ")
            response = encode(_initiate_response(profile, association.context.conformance))
            information = protection.protect(response, status)
        except (SecurityError, DecodeError):
            if not profile.lenient_release:
                association.ignored += 1
                return None
    answered = association.context.confirmed
    association.control.fire(ServerEvent.RELEASE_INDICATION)
    yield ReleaseIndication(request.reason)
    if association.control.state is State.ASSOCIATION_RELEASE_PENDING:  # and not aborted meanwhile
        association.control.fire(ServerEvent.RELEASE_RESPONSE)
        association.forget()
    return encode(RLRE(ReleaseResponseReason.NORMAL, information)) if answered else None


class _Attempt:
    """One AARQ on its way through the decision table."""

    def __init__(
        self, association: ServerAssociation, aarq: AARQ, profile: AssociationProfile | None
    ) -> None:
        self.association = association
        self.aarq = aarq
        self.known = profile
        self.initiate = InitiateRequest()
        self.response_allowed = _response_allowed(aarq)
        self.client_title: bytes | None = None
        self.authenticator: ServerAuthenticator | None = None
        self.protection: ServerProtection | None = None
        self.security_status: Any = None
        self.server_challenge: bytes | None = None
        self.is_stranger = False

    @property
    def profile(self) -> AssociationProfile:
        """The profile; there is one wherever this is asked for."""
        if self.known is None:
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _REFUSED))
        return self.known

    def examine(self) -> Generator[Indication, Any, Conformance]:
        """Go through the table and return the conformance agreed on."""
        refusal = yield OpenIndication(self.aarq, self.known)
        if isinstance(refusal, OpenRefusal):
            raise _Refused(refusal.diagnostic, (_INITIATE, refusal.initiate_error), refusal.result)
        profile = self.profile
        if self.aarq.application_context_name != profile.application_context:
            raise _Refused(_D.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        try:
            self.check_names(profile)
            yield from self.authenticate(profile)
            self.read_initiate(profile)
        except _NotGenuine as failure:
            yield AuthenticationFailed(int(profile.mechanism))
            raise failure.refusal from None
        self.check_user(profile)
        return self.negotiate(profile)

    def check_names(self, profile: AssociationProfile) -> None:
        """Check system title and certificate."""
        title = self.aarq.calling_ap_title
        known = profile.client_system_title
        if title is not None and len(title) != 8 and profile.needs_client_title:
            raise _Refused(_D.CALLING_AP_TITLE_NOT_RECOGNIZED)
        if title is None:
            title = known
        if title is None and profile.needs_client_title:
            raise _Refused(_D.CALLING_AP_TITLE_NOT_RECOGNIZED)
        # With our own title, the client would use our nonces.
        own = title is not None and title == profile.system_title and profile.needs_client_title
        if own or (known is not None and title != known):
            refusal = _Refused(_D.CALLING_AP_TITLE_NOT_RECOGNIZED)
            if profile.protection is None:
                raise _NotGenuine(refusal) if profile.needs_client_title else refusal
            # Which title is right is told to nobody without the keys: this goes on like a wrong key.
            self.is_stranger = True
        self.client_title = title
        if profile.authenticator is not None and profile.mechanism > AuthenticationMechanism.LLS:
            self.authenticator = profile.authenticator()
            if not self.authenticator.accepts_certificate(self.aarq.calling_ae_qualifier):
                raise _Refused(_D.CALLING_AE_QUALIFIER_NOT_RECOGNIZED)

    def check_user(self, profile: AssociationProfile) -> None:
        """Check the user, of whom nobody learns anything that has neither password nor keys."""
        users = profile.users() if profile.users is not None else frozenset()
        if users and self.aarq.calling_ae_invocation_identifier not in users:
            raise _Refused(_D.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED)

    def authenticate(self, profile: AssociationProfile) -> Generator[Indication, Any, None]:
        """Check mechanism and password, or take the client's challenge."""
        aarq = self.aarq
        requirements = aarq.sender_acse_requirements
        selected = requirements is not None and bool(requirements) and requirements[0]
        mechanism = aarq.mechanism_name if selected else None
        if profile.mechanism is AuthenticationMechanism.LOWEST:
            if mechanism not in (None, AuthenticationMechanism.LOWEST):
                raise _Refused(_D.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
            return
        if mechanism is None:
            raise _Refused(_D.AUTHENTICATION_MECHANISM_NAME_REQUIRED)
        if mechanism != profile.mechanism:
            raise _Refused(_D.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
        value = aarq.calling_authentication_value
        if not isinstance(value, bytes) or not self.proves(profile, value):
            yield AuthenticationFailed(int(profile.mechanism))
            raise _Refused(_D.AUTHENTICATION_FAILURE)

    def proves(self, profile: AssociationProfile, value: bytes) -> bool:
        """Return whether a password is right, or whether a challenge can be used."""
        if self.authenticator is None:
            secret = profile.secret() if profile.secret is not None else None
            return password_matches(secret, value)
        shortest = 32 if profile.mechanism is AuthenticationMechanism.HLS_ECDSA else 8
        if not shortest <= len(value) <= 64:
            return False
        try:
            self.server_challenge = self.authenticator.begin(value, self.client_title)
        except SecurityError:
            return False
        return True

    def read_initiate(self, profile: AssociationProfile) -> None:
        """Take the InitiateRequest out of the user-information, unprotected if it is protected."""
        octets = self.aarq.user_information
        if not octets:
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER))
        if profile.protection is not None and not self.is_stranger:
            self.protection = profile.protection(self.client_title)
        if octets[0] != 0x01:
            octets = self.unprotected(octets, profile)
        elif self.is_stranger or profile.protected_only or refuses_clear(self.protection):
            raise _Refused(_D.NO_REASON_GIVEN, (_APPLICATION_REFERENCE, _DECIPHERING_ERROR))
        try:
            initiate = decode(octets, findings=[])
        except DecodeError:
            initiate = None
        if not isinstance(initiate, InitiateRequest):
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER))
        self.initiate = initiate
        self.response_allowed = initiate.response_allowed
        if initiate.dedicated_key is not None and self.protection is not None:
            self.take_dedicated_key(initiate.dedicated_key)

    def take_dedicated_key(self, key: bytes) -> None:
        """Take the client's key for this association; one that came in clear is a key no longer."""
        if self.protection is None or not getattr(self.security_status, "encrypted", False):
            raise _Refused(_D.NO_REASON_GIVEN, (_APPLICATION_REFERENCE, _DECIPHERING_ERROR))
        try:
            self.protection.hold_dedicated_key(key)
        except ConfigurationError:
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER)) from None

    def unprotected(self, octets: bytes, profile: AssociationProfile) -> bytes:
        """Return the clear octets of the user-information."""
        if octets[0] not in _PROTECTED_INITIATE:
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER))
        failure = _Refused(_D.NO_REASON_GIVEN, (_APPLICATION_REFERENCE, _DECIPHERING_ERROR))
        if self.is_stranger:
            raise _NotGenuine(failure)
        if self.protection is None or not profile.application_context.ciphered:
            raise failure
        try:
            clear, self.security_status = self.protection.unprotect(octets)
        except ReplayError as error:
            if not profile.counter_error_as_exception:
                raise failure from None
            counter = min(max(error.expected, 0), 0xFFFFFFFF)
            raise _Instead(
                ExceptionResponse(
                    StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.INVOCATION_COUNTER_ERROR, counter
                )
            ) from None
        except (SecurityError, DecodeError):
            raise _NotGenuine(failure) from None
        return clear

    def negotiate(self, profile: AssociationProfile) -> Conformance:
        """Return the services that both sides have (7.3.1)."""
        initiate = self.initiate
        if initiate.proposed_dlms_version_number < DLMS_VERSION:
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _VERSION_TOO_LOW))
        agreed = initiate.proposed_conformance & profile.conformance & _style(profile)
        if not agreed & _SERVICES:
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _INCOMPATIBLE))
        size = initiate.client_max_receive_pdu_size
        if size and size < max(12, profile.smallest_client_pdu_size):
            raise _Refused(_D.NO_REASON_GIVEN, (_INITIATE, _TOO_SHORT))
        return agreed

    def accept(self, agreed: Conformance) -> bytes | None:
        """Return the AARE that accepts."""
        if not self.response_allowed:
            return None
        profile = self.profile
        hls = self.authenticator is not None
        return encode(
            AARE(
                application_context_name=profile.application_context,
                result=AssociationResult.ACCEPTED,
                result_source_diagnostic=_D.AUTHENTICATION_REQUIRED if hls else _D.NULL,
                responding_ap_title=profile.system_title if profile.needs_client_title else None,
                responder_acse_requirements=AUTHENTICATION if hls else None,
                mechanism_name=profile.mechanism if hls else None,
                responding_authentication_value=self.server_challenge,
                user_information=self.protected(encode(_initiate_response(profile, agreed))),
            )
        )

    def refuse(self, refusal: _Refused) -> AARE:
        """Return the AARE that refuses."""
        context = self.aarq.application_context_name
        information: Apdu
        if refusal.error is not None:
            group, error = refusal.error
            information = ConfirmedServiceError(ConfirmedServiceErrorChoice.INITIATE_ERROR, group, error)
        else:
            profile = self.profile
            context = profile.application_context
            information = _initiate_response(profile, profile.conformance & _style(profile))
        return AARE(
            application_context_name=context,
            result=refusal.result,
            result_source_diagnostic=refusal.diagnostic,
            user_information=self.protected(encode(information)),
        )

    def protected(self, octets: bytes) -> bytes:
        """Return the user-information protected as that of the AARQ was."""
        if self.protection is None or self.security_status is None:
            return octets
        return self.protection.protect(octets, self.security_status)


_PROTECTED_INITIATE: Final = frozenset({0x21, 0x41, 0xDB, 0xDC, 0xDD, 0xDF})


def _smaller(one: int, other: int) -> int:
    """Return the smaller of two sizes of which 0 means no limit."""
    return min(one, other) if one and other else one or other


def _profile_for(association: ServerAssociation, aarq: AARQ) -> AssociationProfile | None:
    """Return the profile that an AARQ means: of its context, and of its mechanism if there is one."""
    profiles = [each for each in association.profiles if not each.pre_established]
    same = [each for each in profiles if each.application_context == aarq.application_context_name]
    wanted = aarq.mechanism_name or AuthenticationMechanism.LOWEST
    exact = [each for each in same if each.mechanism == wanted]
    return next(iter(exact or same or profiles), None)


def _style(profile: AssociationProfile) -> Conformance:
    """Return the conformance bits that mean something with the kind of names of this profile."""
    return SN_BITS if profile.application_context.short_names else LN_BITS


def _initiate_response(profile: AssociationProfile, conformance: Conformance) -> InitiateResponse:
    short = profile.application_context.short_names
    return InitiateResponse(
        negotiated_conformance=conformance,
        server_max_receive_pdu_size=profile.max_receive_pdu_size,
        vaa_name=_SHORT_NAME_OF_ASSOCIATION if short else 0x0007,
    )


def _response_allowed(aarq: AARQ) -> bool:
    """Return what a clear InitiateRequest says, so that a refusal is not answered where it may not be."""
    octets = aarq.user_information
    if not octets or octets[0] != 0x01:
        return True
    try:
        return bool(decode(octets, findings=[]).response_allowed)
    except DecodeError:
        return True


def _provider_refusal(own: AssociationProfile | None) -> AARE:
    """Return the answer to an AARQ that is none: the server's own context, source service-provider."""
    return AARE(
        application_context_name=ApplicationContext.LN if own is None else own.application_context,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=AcseServiceProviderDiagnostic.NO_REASON_GIVEN,
        user_information=_OTHER_ERROR,
    )


def _wrong_version(aarq: AARQ) -> AARE:
    """Return the answer to an AARQ of a protocol version that is not ours."""
    return AARE(
        protocol_version=BitString.from_text("1"),
        application_context_name=aarq.application_context_name,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=AcseServiceProviderDiagnostic.NO_COMMON_ACSE_VERSION,
        user_information=_OTHER_ERROR,
    )
