"""One AARQ on its way through the server's decision table (IEC 62056-5-3, 7.2.4).

It is examined in the order that the standard fixes: what the ACSE provider cannot take;
application context; authentication; the xDLMS context. The first thing that fails
decides the answer:

- context or authentication: rejected, a fitting diagnostic, and an InitiateResponse
  with the server's own xDLMS context;
- the xDLMS context: rejected, no-reason-given, and a confirmedServiceError with the reason.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import Apdu, decode, encode
from cosem.apdu.acse import AARE, AARQ, AUTHENTICATION
from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse
from cosem.apdu.initiate import DLMS_VERSION, InitiateRequest
from cosem.association.server.context import bits_of, initiate_response
from cosem.association.server.demands import refuses_clear
from cosem.association.server.indications import AuthenticationFailed, Indication, OpenIndication, OpenRefusal
from cosem.association.server.profile import AssociationProfile, ServerAuthenticator, ServerProtection
from cosem.errors import ConfigurationError, CounterJumpError, DecodeError, ReplayError, SecurityError
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
    ServiceErrorCode,
    ServiceErrorGroup,
    StateErrorCode,
)

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation

__all__ = ["Attempt", "Instead", "Refused", "profile_for", "provider_refusal", "wrong_version"]

_D = AcseServiceUserDiagnostic
_INITIATE, _APPLICATION_REFERENCE = ServiceErrorGroup.INITIATE, ServiceErrorGroup.APPLICATION_REFERENCE
_OTHER, _VERSION_TOO_LOW, _INCOMPATIBLE, _TOO_SHORT, _REFUSED = range(5)
_OTHER_ERROR: Final = bytes((0x0E, 1, 6, 0))
"""confirmedServiceError, initiateError, initiate, other: nothing of the xDLMS context was looked at."""
_DECIPHERING_ERROR: Final = 6
_PROTECTED_INITIATE: Final = frozenset({0x21, 0x41, 0xDB, 0xDC, 0xDD, 0xDF})
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


class Refused(Exception):
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


class NotGenuine(Exception):
    """The AARQ is refused like this, and that counts as a guess: a wrong key, tag or title."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__()
        self.refusal = refusal


class Instead(Exception):
    """Another APDU is sent in place of the AARE."""

    def __init__(self, answer: Apdu) -> None:
        super().__init__()
        self.answer = answer


class Attempt:
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
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _REFUSED))
        return self.known

    def examine(self) -> Generator[Indication, Any, Conformance]:
        """Go through the table and return the conformance agreed on."""
        refusal = yield OpenIndication(self.aarq, self.known)
        if isinstance(refusal, OpenRefusal):
            raise Refused(refusal.diagnostic, (_INITIATE, refusal.initiate_error), refusal.result)
        profile = self.profile
        if self.aarq.application_context_name != profile.application_context:
            raise Refused(_D.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        try:
            self.check_names(profile)
            yield from self.authenticate(profile)
            self.read_initiate(profile)
        except NotGenuine as failure:
            yield AuthenticationFailed(int(profile.mechanism), guessable=False)
            raise failure.refusal from None
        self.check_user(profile)
        return self.negotiate(profile)

    def check_names(self, profile: AssociationProfile) -> None:
        """Check system title and certificate."""
        title = self.aarq.calling_ap_title
        known = profile.client_system_title
        if title is not None and len(title) != 8 and profile.needs_client_title:
            raise Refused(_D.CALLING_AP_TITLE_NOT_RECOGNIZED)
        if title is None:
            title = known
        if title is None and profile.needs_client_title:
            raise Refused(_D.CALLING_AP_TITLE_NOT_RECOGNIZED)
        # With our own title, the client would use our nonces.
        own = title is not None and title == profile.system_title and profile.needs_client_title
        if own or (known is not None and title != known):
            refusal = Refused(_D.CALLING_AP_TITLE_NOT_RECOGNIZED)
            if profile.protection is None:
                raise NotGenuine(refusal) if profile.needs_client_title else refusal
            # Which title is right is told to nobody without the keys: this goes on like a wrong key.
            self.is_stranger = True
        self.client_title = title
        if profile.authenticator is not None and profile.mechanism > AuthenticationMechanism.LLS:
            self.authenticator = profile.authenticator()
            if not self.authenticator.accepts_certificate(self.aarq.calling_ae_qualifier):
                raise Refused(_D.CALLING_AE_QUALIFIER_NOT_RECOGNIZED)

    def check_user(self, profile: AssociationProfile) -> None:
        """Check the user, of whom nobody learns anything that has neither password nor keys."""
        users = profile.users() if profile.users is not None else frozenset()
        if users and self.aarq.calling_ae_invocation_identifier not in users:
            raise Refused(_D.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED)

    def authenticate(self, profile: AssociationProfile) -> Generator[Indication, Any, None]:
        """Check mechanism and password, or take the client's challenge."""
        aarq = self.aarq
        requirements = aarq.sender_acse_requirements
        selected = requirements is not None and bool(requirements) and requirements[0]
        mechanism = aarq.mechanism_name if selected else None
        if profile.mechanism is AuthenticationMechanism.LOWEST:
            if mechanism not in (None, AuthenticationMechanism.LOWEST):
                raise Refused(_D.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
            return
        if mechanism is None:
            raise Refused(_D.AUTHENTICATION_MECHANISM_NAME_REQUIRED)
        if mechanism != profile.mechanism:
            raise Refused(_D.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
        value = aarq.calling_authentication_value
        if not isinstance(value, bytes) or not self.proves(profile, value):
            yield AuthenticationFailed(int(profile.mechanism))
            raise Refused(_D.AUTHENTICATION_FAILURE)

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
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER))
        if profile.protection is not None and not self.is_stranger:
            self.protection = profile.protection(self.client_title)
        if octets[0] != 0x01:
            octets = self.unprotected(octets, profile)
        elif self.is_stranger or profile.protected_only or refuses_clear(self.protection):
            raise Refused(_D.NO_REASON_GIVEN, (_APPLICATION_REFERENCE, _DECIPHERING_ERROR))
        try:
            initiate = decode(octets, findings=[])
        except DecodeError:
            initiate = None
        if not isinstance(initiate, InitiateRequest):
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER))
        self.initiate = initiate
        self.response_allowed = initiate.response_allowed
        if initiate.dedicated_key is not None and self.protection is not None:
            self.take_dedicated_key(initiate.dedicated_key)

    def take_dedicated_key(self, key: bytes) -> None:
        """Take the client's key for this association; one that came in clear is a key no longer."""
        if self.protection is None or not getattr(self.security_status, "encrypted", False):
            raise Refused(_D.NO_REASON_GIVEN, (_APPLICATION_REFERENCE, _DECIPHERING_ERROR))
        try:
            self.protection.hold_dedicated_key(key)
        except ConfigurationError:
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER)) from None

    def unprotected(self, octets: bytes, profile: AssociationProfile) -> bytes:
        """Return the clear octets of the user-information."""
        if octets[0] not in _PROTECTED_INITIATE:
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _OTHER))
        failure = Refused(_D.NO_REASON_GIVEN, (_APPLICATION_REFERENCE, _DECIPHERING_ERROR))
        if self.is_stranger:
            self.work_in_vain(octets, profile)
            raise NotGenuine(failure)
        if self.protection is None or not profile.application_context.ciphered:
            raise failure
        try:
            clear, self.security_status = self.protection.unprotect(octets)
        except ReplayError as error:
            if not profile.counter_error_as_exception:
                raise failure from None
            counter = min(max(error.expected, 0), 0xFFFFFFFF)
            raise Instead(
                ExceptionResponse(
                    StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.INVOCATION_COUNTER_ERROR, counter
                )
            ) from None
        except CounterJumpError:
            raise failure from None  # it is genuine, and nobody's guess
        except (SecurityError, DecodeError):
            raise NotGenuine(failure) from None
        if getattr(self.security_status, "broadcast", False):
            # Every meter of the group has that key: it proves nobody to be the client.
            self.security_status = None
            raise NotGenuine(failure)
        return clear

    def work_in_vain(self, octets: bytes, profile: AssociationProfile) -> None:
        """Do for a wrong title what is done for a wrong key, and throw it away: the time tells neither from the other.

        It is done in the name of the client that is expected, so that nothing is remembered of the stranger.
        """
        if profile.protection is None or not profile.application_context.ciphered:
            return
        with suppress(SecurityError, DecodeError):
            profile.protection(profile.client_system_title).unprotect(octets)

    def negotiate(self, profile: AssociationProfile) -> Conformance:
        """Return the services that both sides have (7.3.1)."""
        initiate = self.initiate
        if initiate.proposed_dlms_version_number < DLMS_VERSION:
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _VERSION_TOO_LOW))
        agreed = initiate.proposed_conformance & profile.conformance & bits_of(profile)
        if not self.association.keeps_order and self.security_status is None:
            # Blocks carry no name of their exchange: only a tag tells those that come late or twice.
            agreed &= ~Conformance.GENERAL_BLOCK_TRANSFER
        if not agreed & _SERVICES:
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _INCOMPATIBLE))
        size = initiate.client_max_receive_pdu_size
        if size and size < max(12, profile.smallest_client_pdu_size):
            raise Refused(_D.NO_REASON_GIVEN, (_INITIATE, _TOO_SHORT))
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
                user_information=self.protected(encode(initiate_response(profile, agreed))),
            )
        )

    def refuse(self, refusal: Refused) -> AARE:
        """Return the AARE that refuses."""
        context = self.aarq.application_context_name
        information: Apdu
        if refusal.error is not None:
            group, error = refusal.error
            information = ConfirmedServiceError(ConfirmedServiceErrorChoice.INITIATE_ERROR, group, error)
        else:
            profile = self.profile
            context = profile.application_context
            information = initiate_response(profile, profile.conformance & bits_of(profile))
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


def profile_for(association: ServerAssociation, aarq: AARQ) -> AssociationProfile | None:
    """Return the profile that an AARQ means: of its context, and of its mechanism if there is one."""
    profiles = [each for each in association.profiles if not each.pre_established]
    same = [each for each in profiles if each.application_context == aarq.application_context_name]
    wanted = aarq.mechanism_name or AuthenticationMechanism.LOWEST
    exact = [each for each in same if each.mechanism == wanted]
    return next(iter(exact or same or profiles), None)


def _response_allowed(aarq: AARQ) -> bool:
    """Return what a clear InitiateRequest says, so that a refusal is not answered where it may not be."""
    octets = aarq.user_information
    if not octets or octets[0] != 0x01:
        return True
    try:
        return bool(decode(octets, findings=[]).response_allowed)
    except DecodeError:
        return True


def provider_refusal(own: AssociationProfile | None) -> AARE:
    """Return the answer to an AARQ that is none: the server's own context, source service-provider."""
    return AARE(
        application_context_name=ApplicationContext.LN if own is None else own.application_context,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=AcseServiceProviderDiagnostic.NO_REASON_GIVEN,
        user_information=_OTHER_ERROR,
    )


def wrong_version(aarq: AARQ) -> AARE:
    """Return the answer to an AARQ of a protocol version that is not ours."""
    return AARE(
        protocol_version=BitString.from_text("1"),
        application_context_name=aarq.application_context_name,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=AcseServiceProviderDiagnostic.NO_COMMON_ACSE_VERSION,
        user_information=_OTHER_ERROR,
    )
