"""COSEM-OPEN at the client: AARQ, AARE, and the HLS passes (IEC 62056-5-3, 6.3, 7.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cosem.apdu import Apdu, decode, encode
from cosem.apdu.acse import AARE, AARQ, AUTHENTICATION
from cosem.apdu.action import ActionRequestNormal, ActionResponseNormal
from cosem.apdu.common import CosemMethodDescriptor
from cosem.apdu.failure import ConfirmedServiceError
from cosem.apdu.initiate import DLMS_VERSION, InitiateRequest, InitiateResponse
from cosem.association.client.parameters import AssociationParameters, NegotiatedContext
from cosem.association.context import Conversation, unexpected
from cosem.association.referencing import LN_BITS, SN_BITS
from cosem.errors import (
    AssociationRefused,
    AuthenticationError,
    ConfirmedServiceErrorReceived,
    CosemError,
    DecodeError,
    ExceptionResponseError,
    ProtocolError,
    SecurityError,
    ServiceError,
)
from cosem.types.data import OctetString
from cosem.types.enumerations import (
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    DataAccessResult,
    describe_service_error,
)
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.client.association import ClientAssociation

__all__ = [
    "ClientAuthenticator",
    "association_request",
    "opening",
    "reply_to_hls",
    "reply_to_hls_by_short_name",
]

_CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")
_ASSOCIATION_LN: Final = 15
_D = AcseServiceUserDiagnostic
_HINTS: Final = {
    _D.NO_REASON_GIVEN: "the client address is not known to the meter, it is busy with another client, or it waits after "
    "wrong passwords or proofs",
    _D.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: "the meter wants the other kind of names, or ciphering",
    _D.CALLING_AP_TITLE_NOT_RECOGNIZED: "the system title of the client is missing or not the one registered",
    _D.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: "the meter wants another authentication mechanism",
    _D.AUTHENTICATION_MECHANISM_NAME_REQUIRED: "the meter wants a password or keys for this client address",
    _D.AUTHENTICATION_FAILURE: "wrong password or key for this client address",
    _D.AUTHENTICATION_REQUIRED: "the meter wants a password or keys for this client address",
}
_HINTS_OF_NAMES: Final = {
    (False, True): "the meter refers to its objects by short names: short_names=True, or --short-names",
    (True, False): "the meter refers to its objects by logical names, not by short names",
}
"""By whether we have short names, and whether the meter has."""
_DECIPHERING: Final = (0, 6)
"""application-reference, deciphering-error."""
_WRONG_KEYS: Final = "the keys, the security suite or a system title are not those of the meter"


class ClientAuthenticator(Protocol):
    """Runs the client's half of an HLS mechanism; challenges and secrets are its own."""

    def challenge(self) -> bytes:
        """Return the client's challenge CtoS, 8 to 64 octets, fresh for each association."""
        ...

    def answer(self, server_challenge: bytes, server_title: bytes | None) -> bytes:
        """Return f(StoC), pass 3.

        Raises:
            AuthenticationError: The challenge is too short, too long or our own.
        """
        ...

    def verify(self, proof: bytes) -> None:
        """Check f(CtoS), pass 4.

        Raises:
            AuthenticationError: It is not what the server should have sent.
        """
        ...


def association_request(
    parameters: AssociationParameters, user_information: bytes, challenge: bytes | None
) -> AARQ:
    """Return the AARQ of these parameters.

    Args:
        parameters: What to ask for.
        user_information: The InitiateRequest, protected if it must be.
        challenge: Password of LLS or CtoS of HLS; ``None`` without authentication.
    """
    authenticated = parameters.mechanism is not AuthenticationMechanism.LOWEST
    return AARQ(
        application_context_name=parameters.application_context,
        calling_ap_title=parameters.calling_ap_title,
        calling_ae_qualifier=parameters.calling_ae_qualifier,
        calling_ae_invocation_identifier=parameters.calling_ae_invocation_identifier,
        sender_acse_requirements=AUTHENTICATION if authenticated else None,
        mechanism_name=parameters.mechanism if authenticated else None,
        calling_authentication_value=challenge if authenticated else None,
        user_information=user_information,
    )


def initiate_request(parameters: AssociationParameters) -> InitiateRequest:
    """Return the InitiateRequest of these parameters."""
    return InitiateRequest(
        dedicated_key=parameters.dedicated_key,
        response_allowed=parameters.confirmed,
        proposed_conformance=parameters.proposed_conformance,
        client_max_receive_pdu_size=parameters.client_max_receive_pdu_size,
    )


def opening(association: ClientAssociation) -> Conversation[NegotiatedContext]:
    """Open the association and, with HLS, prove both sides to each other.

    Returns:
        What was agreed on.

    Raises:
        AssociationRefused: The server does not want it; says result, source, diagnostic and likely cause.
        AuthenticationError: The server could not prove who it is.
        SecurityError: The answer has less protection than was asked for.
        ProtocolError: The answer contradicts the request.
    """
    try:
        negotiated = yield from _opening(association)
    except BaseException:
        association.refused()
        raise
    return negotiated


def _opening(association: ClientAssociation) -> Conversation[NegotiatedContext]:
    parameters = association.parameters
    authenticator = association.authenticator
    challenge = parameters.secret
    if authenticator is not None and parameters.mechanism > AuthenticationMechanism.LLS:
        challenge = authenticator.challenge()
    octets = encode(initiate_request(parameters))
    if association.protection is not None and parameters.application_context.ciphered:
        octets = association.protection.protect(octets)
    request = association_request(parameters, octets, challenge)
    if not parameters.confirmed:
        association.send_without_answer(request)
        negotiated = NegotiatedContext(parameters.proposed_conformance)
        association.opened(negotiated)
        association.use_dedicated_key()
        return negotiated
    try:
        answer = yield request
    except ServiceError as error:
        raise _refused_by(error) from None
    if not isinstance(answer, AARE):
        raise ProtocolError(unexpected(answer, "AARE"))
    if answer.result is not AssociationResult.ACCEPTED:
        raise _refused(answer, association)
    negotiated = _accepted(answer, association)
    hls = authenticator is not None and parameters.mechanism > AuthenticationMechanism.LLS
    association.opened(negotiated, authenticating=hls)
    if authenticator is not None and hls:
        value = answer.responding_authentication_value
        if not isinstance(value, bytes):
            raise AuthenticationError("the server sent no challenge: it did not offer to prove who it is")
        if value == challenge:
            raise AuthenticationError("the server sent our own challenge back")
        proof = authenticator.answer(value, answer.responding_ap_title)
        if parameters.application_context.short_names:
            server_proof = yield from reply_to_hls_by_short_name(association, proof)
        else:
            server_proof = yield from reply_to_hls(association, proof)
        authenticator.verify(server_proof)
        association.authenticated()
    association.use_dedicated_key()
    return negotiated


def reply_to_hls(association: ClientAssociation, proof: bytes) -> Conversation[bytes]:
    """Send f(StoC) and return f(CtoS): passes 3 and 4, as a method of the current Association LN.

    Raises:
        AuthenticationError: The server refused the proof, or sent none of its own.
    """
    descriptor = CosemMethodDescriptor(_ASSOCIATION_LN, _CURRENT_ASSOCIATION, 1)
    invoke_id = association.new_invoke_id()
    try:
        answer = yield ActionRequestNormal(invoke_id, descriptor, OctetString(proof))
    except ServiceError as error:
        raise AuthenticationError(f"the server did not accept our proof: {error}") from None
    if not isinstance(answer, ActionResponseNormal):
        raise ProtocolError(unexpected(answer, "action-response-normal"))
    response = answer.single_response
    if response.result is not ActionResult.SUCCESS:
        raise AuthenticationError(f"the server did not accept our proof: {response.result}")
    if not isinstance(response.return_parameters, bytes):
        raise AuthenticationError("the server did not prove who it is")
    return bytes(response.return_parameters)


def reply_to_hls_by_short_name(association: ClientAssociation, proof: bytes) -> Conversation[bytes]:
    """Send f(StoC) and return f(CtoS): passes 3 and 4, as a method of the current Association SN.

    Raises:
        AuthenticationError: The server refused the proof, or sent none of its own.
    """
    from cosem.apdu.variable_access import ParameterizedAccess
    from cosem.association.client.conversations.read import read_without_agreement
    from cosem.association.short_names.layout import REPLY_TO_HLS
    from cosem.association.short_names.table import initial_table

    (current,) = initial_table(association.negotiated.vaa_name)
    method = ParameterizedAccess(
        current.base_name + REPLY_TO_HLS, association.parameters.hls_selector, OctetString(proof)
    )
    try:
        (result,) = yield from read_without_agreement(association.context(), (method,))
    except ServiceError as error:
        raise AuthenticationError(f"the server did not accept our proof: {error}") from None
    if isinstance(result, DataAccessResult):
        raise AuthenticationError(f"the server did not accept our proof: {result}")
    if not isinstance(result, bytes):
        raise AuthenticationError("the server did not prove who it is")
    return bytes(result)


def _accepted(answer: AARE, association: ClientAssociation) -> NegotiatedContext:
    """Return what an accepting AARE agrees to, after comparing it with what was asked for."""
    parameters = association.parameters
    if answer.application_context_name != parameters.application_context:
        name = answer.application_context_name
        raise ProtocolError(
            f"application-context-name: {parameters.application_context} was asked for, {name!r} given"
        )
    requirements = answer.responder_acse_requirements
    hls = parameters.mechanism > AuthenticationMechanism.LLS
    selected = hls or (requirements is not None and bool(requirements) and requirements[0])
    # Without the authentication functional unit the name may be there and means nothing.
    if selected and answer.mechanism_name not in (
        None,
        parameters.mechanism,
        *(() if hls else (AuthenticationMechanism.LOWEST,)),
    ):
        raise ProtocolError(
            f"mechanism-name: {parameters.mechanism} was asked for, {answer.mechanism_name!r} given"
        )
    findings: list[str] = []
    if answer.user_information is None:
        raise ProtocolError("the AARE has no user-information")
    initiate = _user_information(answer, association, findings)
    if not isinstance(initiate, InitiateResponse):
        raise ProtocolError(unexpected(initiate, "initiateResponse"))
    if initiate.negotiated_dlms_version_number != DLMS_VERSION:
        raise ProtocolError(
            f"negotiated-dlms-version-number: {DLMS_VERSION} was proposed,"
            f" {initiate.negotiated_dlms_version_number} given"
        )
    size = initiate.server_max_receive_pdu_size
    if 1 <= size <= 11:
        raise ProtocolError(f"server-max-receive-pdu-size {size} is reserved")
    agreed = initiate.negotiated_conformance
    proposed = parameters.proposed_conformance
    if agreed & ~proposed:
        findings.append("conformance-not-proposed")
        agreed &= proposed
    style = SN_BITS if parameters.application_context.short_names else LN_BITS
    if agreed & ~style:
        findings.append("conformance-of-the-other-referencing")
        agreed &= style
    if findings and association.strict:
        raise ProtocolError(f"the AARE deviates from the standard: {', '.join(findings)}")
    return NegotiatedContext(
        agreed,
        size,
        initiate.negotiated_dlms_version_number,
        initiate.vaa_name,
        answer.responding_ap_title,
        tuple(findings),
    )


def _user_information(answer: AARE, association: ClientAssociation, findings: list[str]) -> Apdu:
    """Return the APDU in the user-information, unprotected if it is protected."""
    octets: bytes = answer.user_information or b""
    protection = association.protection
    if association.parameters.application_context.ciphered and protection is not None:
        if octets[:1] == b"\x08":
            raise SecurityError("the server answered a ciphered request in clear")
        if octets[:1] != b"\x0e":
            if answer.responding_ap_title is not None:
                protection.learn_peer_title(answer.responding_ap_title)
            octets, _ = protection.unprotect(octets)
    return decode(octets, strict=association.strict, findings=findings)


def _refused(answer: AARE, association: ClientAssociation) -> AssociationRefused:
    """Return the error of a refusing AARE; whatever is wrong with its user-information hides nothing."""
    diagnostic = answer.result_source_diagnostic
    source = "acse-service-user" if isinstance(diagnostic, _D) else "acse-service-provider"
    detail, undeciphered = "", False
    if answer.user_information:
        try:
            apdu = _user_information(answer, association, [])
        except (DecodeError, CosemError):
            apdu = None
        if isinstance(apdu, ConfirmedServiceError):
            detail = describe_service_error(apdu.error_group, apdu.error)
            undeciphered = (apdu.error_group, apdu.error) == _DECIPHERING
    own, offered = association.parameters.application_context, answer.application_context_name
    if offered != own:
        detail += "; " if detail else ""
        detail += f"it offers {offered!s}" if isinstance(offered, ApplicationContext) else ""
    hint = _HINTS.get(diagnostic, "") if isinstance(diagnostic, _D) else ""
    if isinstance(offered, ApplicationContext):
        hint = _HINTS_OF_NAMES.get((own.short_names, offered.short_names), hint)
    if undeciphered:
        hint = _WRONG_KEYS
    return AssociationRefused(int(answer.result), source, int(diagnostic), str(diagnostic), detail, hint)


def _refused_by(error: ServiceError) -> AssociationRefused:
    """Return the error of an exception-response or confirmedServiceError in place of an AARE."""
    if isinstance(error, ExceptionResponseError):
        return AssociationRefused(1, "exception-response", error.service_error, str(error))
    if isinstance(error, ConfirmedServiceErrorReceived):
        hint = _WRONG_KEYS if (error.error_group, error.error) == _DECIPHERING else ""
        return AssociationRefused(1, "confirmedServiceError", error.error, error.description, "", hint)
    return AssociationRefused(1, "server", 0, str(error))
