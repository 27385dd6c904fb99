"""AARQs and profiles that the tests of both sides open associations with."""

from __future__ import annotations

from typing import Any

from cosem.apdu import encode
from cosem.apdu.acse import AARQ, AUTHENTICATION
from cosem.apdu.initiate import InitiateRequest
from cosem.association.server.profile import AssociationProfile
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
)
from tests.association.fakes import SERVER_TITLE, FakeProtection, FakeServerHalf

C, M = ApplicationContext, AuthenticationMechanism
PASSWORD = b"12345678"
NO_AUTHENTICATION = BitString.from_text("0")
NOT_ALLOWED = "D80101"


def initiate(**facts: Any) -> bytes:
    facts.setdefault("proposed_conformance", Conformance.from_octets(bytes.fromhex("007E1F")))
    facts.setdefault("client_max_receive_pdu_size", 1200)
    return encode(InitiateRequest(**facts))


def aarq(context: Any = C.LN, **facts: Any) -> bytes:
    facts.setdefault("user_information", initiate())
    return encode(AARQ(context, **facts))


def authenticated(mechanism: Any, value: Any, context: Any = C.LN, **facts: Any) -> bytes:
    return aarq(
        context,
        sender_acse_requirements=AUTHENTICATION,
        mechanism_name=mechanism,
        calling_authentication_value=value,
        **facts,
    )


def lls(**facts: Any) -> AssociationProfile:
    return AssociationProfile(mechanism=M.LLS, secret=lambda: PASSWORD, **facts)


def hls(mechanism: AuthenticationMechanism = M.HLS_GMAC, **facts: Any) -> AssociationProfile:
    facts.setdefault("authenticator", FakeServerHalf)
    facts.setdefault("system_title", SERVER_TITLE)
    return AssociationProfile(mechanism=mechanism, **facts)


def ciphered(**facts: Any) -> AssociationProfile:
    facts.setdefault("protection", FakeProtection)
    facts.setdefault("system_title", SERVER_TITLE)
    return AssociationProfile(application_context=C.LN_CIPHERED, **facts)


def secret(octets: bytes) -> bytes:
    return FakeProtection().protect(octets)


def replaying(title: bytes | None) -> FakeProtection:
    protection = FakeProtection(title)
    protection.replayed = True
    return protection


def user(number: int) -> AcseServiceUserDiagnostic:
    return AcseServiceUserDiagnostic(number)


def provider(number: int) -> AcseServiceProviderDiagnostic:
    return AcseServiceProviderDiagnostic(number)
