"""Codes of the standard that have names; a code that no edition names is kept as a number.

An unknown code becomes a member of its own, ``UNKNOWN_77``, so that a meter that
invents one is still understood, and what it said can be written back.

(IEC 62056-5-3, 7.2.4, 7.3.1 and clause 8)
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Self

from cosem.errors import ConversionError

__all__ = [
    "AcseServiceProviderDiagnostic",
    "AcseServiceUserDiagnostic",
    "ActionResult",
    "ApplicationContext",
    "AssociationResult",
    "AssociationStatus",
    "AuthenticationMechanism",
    "ConfirmedServiceErrorChoice",
    "Conformance",
    "DataAccessResult",
    "OpenEnumeration",
    "ReleaseRequestReason",
    "ReleaseResponseReason",
    "ServiceErrorCode",
    "ServiceErrorGroup",
    "StateErrorCode",
    "describe_service_error",
    "service_error_name",
    "service_error_number",
]


class OpenEnumeration(IntEnum):
    """An enumeration that keeps unknown codes 0..255 as members of their own."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or not 0 <= value <= 255:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return cls._value2member_map_.setdefault(value, member)  # type: ignore[return-value]

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


class DataAccessResult(OpenEnumeration):
    """Data-Access-Result: how a GET or SET of one attribute went."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_GET_ABORTED = 15
    NO_LONG_GET_IN_PROGRESS = 16
    LONG_SET_ABORTED = 17
    NO_LONG_SET_IN_PROGRESS = 18
    DATA_BLOCK_NUMBER_INVALID = 19
    OTHER_REASON = 250


class ActionResult(OpenEnumeration):
    """Action-Result: how the call of one method went."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_ACTION_ABORTED = 15
    NO_LONG_ACTION_IN_PROGRESS = 16
    OTHER_REASON = 250


class AssociationResult(OpenEnumeration):
    """Association-result of an AARE."""

    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class AcseServiceUserDiagnostic(OpenEnumeration):
    """acse-service-user alternative of the Associate-source-diagnostic."""

    NULL = 0
    NO_REASON_GIVEN = 1
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED = 2
    CALLING_AP_TITLE_NOT_RECOGNIZED = 3
    CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 4
    CALLING_AE_QUALIFIER_NOT_RECOGNIZED = 5
    CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 6
    CALLED_AP_TITLE_NOT_RECOGNIZED = 7
    CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 8
    CALLED_AE_QUALIFIER_NOT_RECOGNIZED = 9
    CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 10
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED = 11
    AUTHENTICATION_MECHANISM_NAME_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class AcseServiceProviderDiagnostic(OpenEnumeration):
    """acse-service-provider alternative of the Associate-source-diagnostic."""

    NULL = 0
    NO_REASON_GIVEN = 1
    NO_COMMON_ACSE_VERSION = 2


class ReleaseRequestReason(OpenEnumeration):
    """Reason of a RLRQ."""

    NORMAL = 0
    URGENT = 1
    USER_DEFINED = 30


class ReleaseResponseReason(OpenEnumeration):
    """Reason of a RLRE."""

    NORMAL = 0
    NOT_FINISHED = 1
    USER_DEFINED = 30


class StateErrorCode(OpenEnumeration):
    """state-error of an exception-response."""

    SERVICE_NOT_ALLOWED = 1
    SERVICE_UNKNOWN = 2


class ServiceErrorCode(OpenEnumeration):
    """service-error of an exception-response; 4 to 6 are of later editions."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    PDU_TOO_LONG = 4
    DECIPHERING_ERROR = 5
    INVOCATION_COUNTER_ERROR = 6


class ConfirmedServiceErrorChoice(OpenEnumeration):
    """Which service a confirmedServiceError is about; COSEM uses 1, 5 and 6."""

    INITIATE_ERROR = 1
    GET_STATUS = 2
    GET_NAME_LIST = 3
    GET_VARIABLE_ATTRIBUTE = 4
    READ = 5
    WRITE = 6
    GET_DATA_SET_ATTRIBUTE = 7
    GET_TI_ATTRIBUTE = 8
    CHANGE_SCOPE = 9
    START = 10
    STOP = 11
    RESUME = 12
    MAKE_USABLE = 13
    INITIATE_LOAD = 14
    LOAD_SEGMENT = 15
    TERMINATE_LOAD = 16
    INITIATE_UP_LOAD = 17
    UP_LOAD_SEGMENT = 18
    TERMINATE_UP_LOAD = 19


class ServiceErrorGroup(OpenEnumeration):
    """The alternative of ServiceError in a confirmedServiceError."""

    APPLICATION_REFERENCE = 0
    HARDWARE_RESOURCE = 1
    VDE_STATE_ERROR = 2
    SERVICE = 3
    DEFINITION = 4
    ACCESS = 5
    INITIATE = 6
    LOAD_DATA_SET = 7
    CHANGE_SCOPE = 8
    TASK = 9
    OTHER = 10


_SERVICE_ERRORS: dict[int, tuple[str, ...]] = {
    0: (
        "other",
        "time-elapsed",
        "application-unreachable",
        "application-reference-invalid",
        "application-context-unsupported",
        "provider-communication-error",
        "deciphering-error",
    ),
    1: (
        "other",
        "memory-unavailable",
        "processor-resource-unavailable",
        "mass-storage-unavailable",
        "other-resource-unavailable",
    ),
    2: ("other", "no-dlms-context", "loading-data-set", "status-nochange", "status-inoperable"),
    3: ("other", "pdu-size", "service-unsupported"),
    4: ("other", "object-undefined", "object-class-inconsistent", "object-attribute-inconsistent"),
    5: (
        "other",
        "scope-of-access-violated",
        "object-access-violated",
        "hardware-fault",
        "object-unavailable",
    ),
    6: (
        "other",
        "dlms-version-too-low",
        "incompatible-conformance",
        "pdu-size-too-short",
        "refused-by-the-VDE-Handler",
    ),
    7: (
        "other",
        "primitive-out-of-sequence",
        "not-loadable",
        "dataset-size-too-large",
        "not-awaited-segment",
        "interpretation-failure",
        "storage-failure",
        "data-set-not-ready",
    ),
    9: ("other", "no-remote-control", "ti-stopped", "ti-running", "ti-unusable"),
}


def service_error_name(group: int, error: int) -> str:
    """Return the name of a value within a group of ServiceError; its number where it has none.

    >>> service_error_name(6, 3), service_error_name(6, 77)
    ('pdu-size-too-short', '77')
    """
    names = _SERVICE_ERRORS.get(group, ())
    return names[error] if 0 <= error < len(names) else str(int(error))


def service_error_number(group: int, name: str) -> int:
    """Return the value within a group of ServiceError that has this name, or is this number.

    Raises:
        ConversionError: There is none.
    """
    word = name.strip()
    names = _SERVICE_ERRORS.get(group, ())
    if word in names:
        return names.index(word)
    if word.isascii() and word.isdigit() and int(word) <= 255:
        return int(word)
    raise ConversionError(f"{word!r} is no error of {ServiceErrorGroup(group)}")


def describe_service_error(group: int, error: int) -> str:
    """Return a value of ServiceError in words.

    >>> describe_service_error(6, 3)
    'initiate: pdu-size-too-short'
    """
    name = service_error_name(group, error)
    return f"{ServiceErrorGroup(group)}: {f'value {name}' if name.isdigit() else name}"


class AuthenticationMechanism(OpenEnumeration):
    """The last arc of the mechanism name (Table 5)."""

    LOWEST = 0
    LLS = 1
    HLS = 2
    HLS_MD5 = 3
    HLS_SHA1 = 4
    HLS_GMAC = 5
    HLS_SHA256 = 6
    HLS_ECDSA = 7


class ApplicationContext(OpenEnumeration):
    """The last arc of the application context name (Table 34)."""

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4

    @property
    def short_names(self) -> bool:
        """Whether objects are referenced by short names."""
        return self in (ApplicationContext.SN, ApplicationContext.SN_CIPHERED)

    @property
    def ciphered(self) -> bool:
        """Whether ciphered APDUs may be used."""
        return self in (ApplicationContext.LN_CIPHERED, ApplicationContext.SN_CIPHERED)


class AssociationStatus(OpenEnumeration):
    """association_status of an Association object."""

    NON_ASSOCIATED = 0
    ASSOCIATION_PENDING = 1
    ASSOCIATED = 2


class Conformance(IntFlag):
    """The conformance block: 24 bits, bit 0 the most significant of the first octet (Table 35).

    >>> Conformance.GET | Conformance.SET
    <Conformance.GET|SET: 24>
    """

    RESERVED_ZERO = 0x800000
    GENERAL_PROTECTION = 0x400000
    GENERAL_BLOCK_TRANSFER = 0x200000
    READ = 0x100000
    WRITE = 0x080000
    UNCONFIRMED_WRITE = 0x040000
    DELTA_VALUE_ENCODING = 0x020000
    RESERVED_SEVEN = 0x010000
    ATTRIBUTE0_SUPPORTED_WITH_SET = 0x008000
    PRIORITY_MGMT_SUPPORTED = 0x004000
    ATTRIBUTE0_SUPPORTED_WITH_GET = 0x002000
    BLOCK_TRANSFER_WITH_GET_OR_READ = 0x001000
    BLOCK_TRANSFER_WITH_SET_OR_WRITE = 0x000800
    BLOCK_TRANSFER_WITH_ACTION = 0x000400
    MULTIPLE_REFERENCES = 0x000200
    INFORMATION_REPORT = 0x000100
    DATA_NOTIFICATION = 0x000080
    ACCESS = 0x000040
    PARAMETERIZED_ACCESS = 0x000020
    GET = 0x000010
    SET = 0x000008
    SELECTIVE_ACCESS = 0x000004
    EVENT_NOTIFICATION = 0x000002
    ACTION = 0x000001

    def names(self) -> tuple[str, ...]:
        """Return the names of the bits that are set, in the order of the standard."""
        return tuple(str(bit.name).lower().replace("_", "-") for bit in Conformance if self & bit)

    def to_octets(self) -> bytes:
        """Return the three octets."""
        return int(self).to_bytes(3, "big")

    @classmethod
    def from_octets(cls, octets: bytes) -> Conformance:
        """Return the bits of three octets.

        Raises:
            ConversionError: There are not three.
        """
        if len(octets) != 3:
            raise ConversionError(f"a conformance block has 3 octets, not {len(octets)}")
        return cls(int.from_bytes(octets, "big"))
