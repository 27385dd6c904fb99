"""AARQ, AARE, RLRQ, RLRE: the ACSE APDUs that make and release an association, in BER.

Each is one table of fields: tag, name and kind. :mod:`cosem.apdu.acse_fields`
reads and writes by it.

(IEC 62056-5-3, 7.2, Annex B; ISO/IEC 15954)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cosem.apdu.acse_fields import (
    Acse,
    Authentication,
    AuthenticationValue,
    Bits,
    Diagnostic,
    Explicit,
    Field,
    Identifier,
    Integer,
    Name,
    Octets,
    SourceDiagnostic,
)
from cosem.types.data import BitString
from cosem.types.enumerations import (
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ReleaseRequestReason,
    ReleaseResponseReason,
)

__all__ = ["AARE", "AARQ", "AUTHENTICATION", "RLRE", "RLRQ", "AuthenticationValue", "SourceDiagnostic"]

AUTHENTICATION = BitString.from_text("1")
"""ACSE-requirements with the authentication functional unit selected."""

_OBJECT_IDENTIFIER, _OCTET_STRING, _INTEGER = 0x06, 0x04, 0x02
_explicit_name = Explicit(_OBJECT_IDENTIFIER, Name(ApplicationContext))
_mechanism = Name(AuthenticationMechanism)
_octets = Explicit(_OCTET_STRING, Octets(), "acse-inner-octet-string-missing")
_user_id = Explicit(_INTEGER, Identifier())
_user_information = Explicit(_OCTET_STRING, Octets())


@dataclass(frozen=True, slots=True, repr=False)
class AARQ(Acse):
    """AARQ [APPLICATION 0]: the client asks for an association.

    Attributes:
        application_context_name: Logical or short names, with or without ciphering.
        calling_ap_title: System title of the client, 8 octets.
        calling_ae_qualifier: DER certificate of the client's signature key.
        calling_ae_invocation_identifier: Client user id, 0..255.
        sender_acse_requirements: :data:`AUTHENTICATION` if there is any.
        mechanism_name: How the client proves who it is.
        calling_authentication_value: Password, or the client's challenge.
        user_information: The InitiateRequest, clear or ciphered.
    """

    tag: ClassVar[int] = 0x60
    mandatory: ClassVar[tuple[str, ...]] = ("application_context_name",)
    layout: ClassVar[tuple[Field, ...]] = (
        Field(0x80, "protocol_version", Bits()),
        Field(0xA1, "application_context_name", _explicit_name),
        Field(0xA2, "called_ap_title", _octets),
        Field(0xA3, "called_ae_qualifier", _octets),
        Field(0xA4, "called_ap_invocation_identifier", _user_id),
        Field(0xA5, "called_ae_invocation_identifier", _user_id),
        Field(0xA6, "calling_ap_title", _octets),
        Field(0xA7, "calling_ae_qualifier", _octets),
        Field(0xA8, "calling_ap_invocation_identifier", _user_id),
        Field(0xA9, "calling_ae_invocation_identifier", _user_id),
        Field(0x8A, "sender_acse_requirements", Bits()),
        Field(0x8B, "mechanism_name", _mechanism),
        Field(0xAC, "calling_authentication_value", Authentication()),
        Field(0x9D, "implementation_information", Octets(), 0xBD),
        Field(0xBE, "user_information", _user_information),
    )

    application_context_name: ApplicationContext | bytes
    protocol_version: BitString | None = None
    called_ap_title: bytes | None = None
    called_ae_qualifier: bytes | None = None
    called_ap_invocation_identifier: int | None = None
    called_ae_invocation_identifier: int | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ap_invocation_identifier: int | None = None
    calling_ae_invocation_identifier: int | None = None
    sender_acse_requirements: BitString | None = None
    mechanism_name: AuthenticationMechanism | bytes | None = None
    calling_authentication_value: bytes | AuthenticationValue | None = None
    implementation_information: bytes | None = None
    user_information: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class AARE(Acse):
    """AARE [APPLICATION 1]: the server's answer.

    Attributes:
        application_context_name: The one proposed, or, in a refusal, the one supported.
        result: accepted, or rejected for good or for now.
        result_source_diagnostic: Who says so and why.
        responding_ap_title: System title of the server, 8 octets.
        responding_ae_qualifier: DER certificate of the server's signature key.
        responder_acse_requirements: :data:`AUTHENTICATION` with HLS.
        mechanism_name: With HLS, the mechanism.
        responding_authentication_value: With HLS, the server's challenge.
        user_information: InitiateResponse or confirmedServiceError, clear or ciphered.
    """

    tag: ClassVar[int] = 0x61
    mandatory: ClassVar[tuple[str, ...]] = ("application_context_name", "result", "result_source_diagnostic")
    layout: ClassVar[tuple[Field, ...]] = (
        Field(0x80, "protocol_version", Bits()),
        Field(0xA1, "application_context_name", _explicit_name),
        Field(0xA2, "result", Explicit(_INTEGER, Integer(AssociationResult))),
        Field(0xA3, "result_source_diagnostic", Diagnostic()),
        Field(0xA4, "responding_ap_title", _octets),
        Field(0xA5, "responding_ae_qualifier", _octets),
        Field(0xA6, "responding_ap_invocation_identifier", _user_id),
        Field(0xA7, "responding_ae_invocation_identifier", _user_id),
        Field(0x88, "responder_acse_requirements", Bits()),
        Field(0x89, "mechanism_name", _mechanism),
        Field(0xAA, "responding_authentication_value", Authentication()),
        Field(0x9D, "implementation_information", Octets(), 0xBD),
        Field(0xBE, "user_information", _user_information),
    )

    application_context_name: ApplicationContext | bytes
    result: AssociationResult
    result_source_diagnostic: SourceDiagnostic
    protocol_version: BitString | None = None
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ap_invocation_identifier: int | None = None
    responding_ae_invocation_identifier: int | None = None
    responder_acse_requirements: BitString | None = None
    mechanism_name: AuthenticationMechanism | bytes | None = None
    responding_authentication_value: bytes | AuthenticationValue | None = None
    implementation_information: bytes | None = None
    user_information: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RLRQ(Acse):
    """RLRQ [APPLICATION 2]: the client releases the association.

    Attributes:
        reason: Why.
        user_information: The InitiateRequest, protected, where the association is.
    """

    tag: ClassVar[int] = 0x62
    layout: ClassVar[tuple[Field, ...]] = (
        Field(0x80, "reason", Integer(ReleaseRequestReason)),
        Field(0xBE, "user_information", _user_information),
    )

    reason: ReleaseRequestReason | None = None
    user_information: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RLRE(Acse):
    """RLRE [APPLICATION 3]: the server's answer; whatever it says, the association is over.

    Attributes:
        reason: normal, or why not.
        user_information: The InitiateResponse, protected, where the association is.
    """

    tag: ClassVar[int] = 0x63
    layout: ClassVar[tuple[Field, ...]] = (
        Field(0x80, "reason", Integer(ReleaseResponseReason)),
        Field(0xBE, "user_information", _user_information),
    )

    reason: ReleaseResponseReason | None = None
    user_information: bytes | None = None
