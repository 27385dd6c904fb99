"""Values of the fields of AARQ, AARE, RLRQ and RLRE as words, for JSON and XML alike."""

from __future__ import annotations

from typing import Any, Final

from cosem.apdu.acse import AARE, RLRE, RLRQ
from cosem.apdu.acse_fields import NAME_HEADS, Acse
from cosem.codec.ber import object_identifier_from_text, object_identifier_text
from cosem.errors import ConversionError, EncodeError
from cosem.translate.fields import enumerated
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ReleaseRequestReason,
    ReleaseResponseReason,
)

__all__ = ["CODES", "NAMES", "diagnostic_from_words", "diagnostic_words", "name_from_text", "name_text"]

NAMES: Final[dict[str, type[ApplicationContext | AuthenticationMechanism]]] = {
    "application_context_name": ApplicationContext,
    "mechanism_name": AuthenticationMechanism,
}
"""Fields that hold an object identifier, and the enumeration of the known ones."""

CODES: Final[dict[tuple[type[Acse], str], Any]] = {
    (AARE, "result"): AssociationResult,
    (RLRQ, "reason"): ReleaseRequestReason,
    (RLRE, "reason"): ReleaseResponseReason,
}
"""Fields that hold a code with names."""

_SOURCES: Final[dict[str, Any]] = {
    "acse-service-user": AcseServiceUserDiagnostic,
    "acse-service-provider": AcseServiceProviderDiagnostic,
}


def name_text(value: Any) -> str:
    """Return an application context or mechanism name as an object identifier with dots."""
    if isinstance(value, (ApplicationContext, AuthenticationMechanism)):
        return object_identifier_text(NAME_HEADS[type(value)] + bytes((value,)))
    return object_identifier_text(value)


def name_from_text(kind: type[ApplicationContext | AuthenticationMechanism], text: object) -> Any:
    """Return the name of an object identifier with dots, or of its last arc alone.

    Raises:
        EncodeError: It is neither.
    """
    word = str(text).strip()
    if word.isascii() and word.isdigit() and int(word) < 0x80:
        return kind(int(word))
    try:
        octets = object_identifier_from_text(word)
    except ConversionError as error:
        raise EncodeError(str(error)) from None
    head = NAME_HEADS[kind]
    if octets.startswith(head) and len(octets) == len(head) + 1:
        return kind(octets[-1])
    return octets


def diagnostic_words(value: Any) -> tuple[str, str]:
    """Return whose a diagnostic is, and its name."""
    source = "acse-service-user" if isinstance(value, AcseServiceUserDiagnostic) else "acse-service-provider"
    return source, str(value).replace("-ap-", "-AP-").replace("-ae-", "-AE-")


def diagnostic_from_words(source: str, word: str | int) -> Any:
    """Return the diagnostic of these words.

    Raises:
        EncodeError: There is no such source or diagnostic.
    """
    kind = _SOURCES.get(source)
    if kind is None:
        raise EncodeError(f"{source!r} is neither acse-service-user nor acse-service-provider")
    return enumerated(kind, word)
