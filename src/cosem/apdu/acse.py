"""AARQ, AARE, RLRQ, RLRE: the ACSE APDUs that make and release an association, in BER.

Each is one table of fields: tag, name and kind. On reception fields may come in
any order, unknown ones are skipped and named, repeated ones refused.

(IEC 62056-5-3, 7.2, Annex B; ISO/IEC 15954)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

from cosem.codec.ber import (
    encode_integer,
    encode_object_identifier,
    encode_tlv,
    read_integer,
    read_object_identifier,
    read_tlv,
)
from cosem.codec.reader import Reader
from cosem.errors import EncodeError
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ReleaseRequestReason,
    ReleaseResponseReason,
)

__all__ = ["AARE", "AARQ", "AUTHENTICATION", "RLRE", "RLRQ", "AuthenticationValue"]

AUTHENTICATION = BitString.from_text("1")
"""ACSE-requirements with the authentication functional unit selected."""

_PREFIX = bytes.fromhex("6085740508")
"""{joint-iso-ccitt(2) country(16) country-name(756) identified-organization(5) DLMS-UA(8)}"""
_CONTEXT, _MECHANISM = 1, 2
_OBJECT_IDENTIFIER, _OCTET_STRING, _INTEGER = 0x06, 0x04, 0x02
_CHARSTRING = 0x80
_USER, _PROVIDER = 0xA1, 0xA2

SourceDiagnostic: TypeAlias = AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic
"""Associate-source-diagnostic: the enumeration says who refused."""


@dataclass(frozen=True, slots=True)
class AuthenticationValue:
    """An authentication value that is not the usual charstring.

    Attributes:
        choice: The tag: 81 bitstring, A2 external, A3 other.
        octets: Its contents.
    """

    choice: int
    octets: bytes

    def __repr__(self) -> str:
        return f"AuthenticationValue(choice=0x{self.choice:02X}, octets=***)"


class _Kind:
    """How the contents of one field are read and written."""

    def read(self, reader: Reader) -> Any:
        """Return the value of the contents."""
        raise NotImplementedError

    def write(self, value: Any) -> bytes:
        """Return the contents."""
        raise NotImplementedError


class _Bits(_Kind):
    """IMPLICIT BIT STRING."""

    def read(self, reader: Reader) -> BitString:
        unused = reader.unsigned(1)
        octets = reader.take(reader.left)
        if unused > 7 or (unused and not octets):
            reader.fail(f"BIT STRING with {unused} unused bits in {len(octets)} octets")
        return BitString(octets, 8 * len(octets) - unused)

    def write(self, value: BitString) -> bytes:
        return bytes((-len(value) % 8,)) + value.octets


class _Name(_Kind):
    """OBJECT IDENTIFIER; the DLMS UA's own become members of an enumeration, others stay octets."""

    def __init__(self, arc: int, names: type[ApplicationContext | AuthenticationMechanism]) -> None:
        self._head = _PREFIX + bytes((arc,))
        self._names = names

    def read(self, reader: Reader) -> Any:
        octets = read_object_identifier(reader)
        if octets.startswith(self._head) and len(octets) == len(self._head) + 1:
            return self._names(octets[-1])
        return octets

    def write(self, value: Any) -> bytes:
        if isinstance(value, self._names):
            return self._head + bytes((value,))
        return encode_object_identifier(bytes(value))


class _Explicit(_Kind):
    """EXPLICIT: a field whose contents carry the universal tag of their type once more."""

    def __init__(self, tag: int, inner: _Kind, finding: str = "") -> None:
        self._tag = tag
        self._inner = inner
        self._finding = finding

    def read(self, reader: Reader) -> Any:
        start = reader.pos
        if self._finding and (not reader.left or not self._wrapped(reader)):
            # Some meters leave the inner tag and length out.
            reader.finding(self._finding)
            return self._inner.read(reader)
        tag, contents = read_tlv(reader)
        if tag != self._tag:
            reader.fail(f"tag {self._tag:02X} expected, {tag:02X} found", start)
        value = self._inner.read(contents)
        contents.strictly_finished()
        reader.strictly_finished()
        return value

    def _wrapped(self, reader: Reader) -> bool:
        data, pos = reader.data, reader.pos
        return (
            data[pos] == self._tag
            and reader.left >= 2
            and (data[pos + 1] == reader.left - 2 or data[pos + 1] > 0x7F)
        )

    def write(self, value: Any) -> bytes:
        return encode_tlv(self._tag, self._inner.write(value))


class _Octets(_Kind):
    """OCTET STRING or GraphicString contents."""

    def read(self, reader: Reader) -> bytes:
        return reader.take(reader.left)

    def write(self, value: bytes) -> bytes:
        return bytes(value)


class _Integer(_Kind):
    """INTEGER; ``make`` names its values."""

    def __init__(self, make: Any = int) -> None:
        self._make = make

    def read(self, reader: Reader) -> Any:
        start = reader.pos
        value = read_integer(reader)
        try:
            return self._make(value)
        except ValueError:
            reader.fail(f"{value} is out of range", start)

    def write(self, value: int) -> bytes:
        return encode_integer(int(value))


class _UserId(_Integer):
    """An invocation identifier: unsigned, although some send 128..255 without the leading zero."""

    def read(self, reader: Reader) -> int:
        one_octet = reader.left == 1
        value = read_integer(reader)
        if value < 0 and one_octet:
            reader.finding("invocation-identifier-negative")
            return value & 0xFF
        return value


class _Authentication(_Kind):
    """Authentication-value: a charstring in practice, raw octets."""

    def read(self, reader: Reader) -> bytes | AuthenticationValue:
        tag, contents = read_tlv(reader)
        reader.strictly_finished()
        octets = contents.take(contents.left)
        return octets if tag == _CHARSTRING else AuthenticationValue(tag, octets)

    def write(self, value: bytes | AuthenticationValue) -> bytes:
        if isinstance(value, AuthenticationValue):
            return encode_tlv(value.choice, value.octets)
        return encode_tlv(_CHARSTRING, bytes(value))


class _Diagnostic(_Kind):
    """Associate-source-diagnostic: acse-service-user [1] or acse-service-provider [2]."""

    def read(self, reader: Reader) -> SourceDiagnostic:
        start = reader.pos
        tag, contents = read_tlv(reader)
        reader.strictly_finished()
        if tag not in (_USER, _PROVIDER):
            reader.fail(f"diagnostic {tag:02X} is neither A1 user nor A2 provider", start)
        kind = AcseServiceUserDiagnostic if tag == _USER else AcseServiceProviderDiagnostic
        value: SourceDiagnostic = _Explicit(_INTEGER, _Integer(kind)).read(contents)
        return value

    def write(self, value: SourceDiagnostic) -> bytes:
        tag = _USER if isinstance(value, AcseServiceUserDiagnostic) else _PROVIDER
        return encode_tlv(tag, encode_tlv(_INTEGER, encode_integer(int(value))))


class _Field(NamedTuple):
    """One field: its tag, the attribute that holds it, its kind, and other tags accepted for it."""

    tag: int
    name: str
    kind: _Kind
    also: int = -1


_explicit_name = _Explicit(_OBJECT_IDENTIFIER, _Name(_CONTEXT, ApplicationContext))
_mechanism = _Name(_MECHANISM, AuthenticationMechanism)
_octets = _Explicit(_OCTET_STRING, _Octets(), "acse-inner-octet-string-missing")
_user_id = _Explicit(_INTEGER, _UserId())
_user_information = _Explicit(_OCTET_STRING, _Octets())


class _Acse:
    """What the four APDUs share: reading and writing by their table."""

    __slots__ = ()
    tag: ClassVar[int]
    layout: ClassVar[tuple[_Field, ...]]
    mandatory: ClassVar[tuple[str, ...]] = ()

    def to_octets(self) -> bytes:
        """Return the octets, fields in the order of their tags.

        Raises:
            EncodeError: A value does not fit its field.
        """
        contents = bytearray()
        for tag, name, kind, _ in self.layout:
            value = getattr(self, name)
            if value is None:
                continue
            try:
                contents += encode_tlv(tag, kind.write(value))
            except EncodeError as error:
                raise EncodeError(error.problem, name) from None
            except (TypeError, ValueError, AttributeError, OverflowError) as error:
                raise EncodeError(f"{type(value).__name__} does not fit: {error}", name) from None
        return encode_tlv(self.tag, bytes(contents))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Return the APDU at the reader.

        Raises:
            DecodeError: A field is broken, repeated, or mandatory and missing.
        """
        return reader.component(cls.__name__, cls._read)

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        start = reader.pos
        tag, contents = read_tlv(reader)
        if tag != cls.tag:
            reader.fail(f"tag {cls.tag:02X} expected, {tag:02X} found", start)
        known = {field.tag: field for field in cls.layout} | {
            field.also: field for field in cls.layout if field.also >= 0
        }
        values: dict[str, Any] = {}
        while contents.left:
            at = contents.pos
            field = known.get(contents.data[at])
            if field is None:
                tag, _ = read_tlv(contents)
                contents.finding(f"acse-unknown-field-{tag:02X}")
                continue
            if field.name in values:
                contents.fail(f"{field.name.replace('_', '-')} is there twice", at)
            if field.also == contents.data[at]:
                contents.finding(f"acse-field-{field.also:02X}-for-{field.tag:02X}")
            values[field.name] = contents.component(field.name.replace("_", "-"), _reader_of(field.kind))
        for name in cls.mandatory:
            if name not in values:
                reader.fail(f"{name.replace('_', '-')} is missing", start)
        return cls(**values)

    def __repr__(self) -> str:
        """Return every field that is present, authentication values masked."""
        parts = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value is not None:
                shown = "***" if "authentication_value" in field.name else repr(value)
                parts.append(f"{field.name}={shown}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _reader_of(kind: _Kind) -> Any:
    def read(reader: Reader) -> Any:
        _, contents = read_tlv(reader)
        value = kind.read(contents)
        contents.strictly_finished()
        return value

    return read


@dataclass(frozen=True, slots=True, repr=False)
class AARQ(_Acse):
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
    layout: ClassVar[tuple[_Field, ...]] = (
        _Field(0x80, "protocol_version", _Bits()),
        _Field(0xA1, "application_context_name", _explicit_name),
        _Field(0xA2, "called_ap_title", _octets),
        _Field(0xA3, "called_ae_qualifier", _octets),
        _Field(0xA4, "called_ap_invocation_identifier", _user_id),
        _Field(0xA5, "called_ae_invocation_identifier", _user_id),
        _Field(0xA6, "calling_ap_title", _octets),
        _Field(0xA7, "calling_ae_qualifier", _octets),
        _Field(0xA8, "calling_ap_invocation_identifier", _user_id),
        _Field(0xA9, "calling_ae_invocation_identifier", _user_id),
        _Field(0x8A, "sender_acse_requirements", _Bits()),
        _Field(0x8B, "mechanism_name", _mechanism),
        _Field(0xAC, "calling_authentication_value", _Authentication()),
        _Field(0x9D, "implementation_information", _Octets(), 0xBD),
        _Field(0xBE, "user_information", _user_information),
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
class AARE(_Acse):
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
    layout: ClassVar[tuple[_Field, ...]] = (
        _Field(0x80, "protocol_version", _Bits()),
        _Field(0xA1, "application_context_name", _explicit_name),
        _Field(0xA2, "result", _Explicit(_INTEGER, _Integer(AssociationResult))),
        _Field(0xA3, "result_source_diagnostic", _Diagnostic()),
        _Field(0xA4, "responding_ap_title", _octets),
        _Field(0xA5, "responding_ae_qualifier", _octets),
        _Field(0xA6, "responding_ap_invocation_identifier", _user_id),
        _Field(0xA7, "responding_ae_invocation_identifier", _user_id),
        _Field(0x88, "responder_acse_requirements", _Bits()),
        _Field(0x89, "mechanism_name", _mechanism),
        _Field(0xAA, "responding_authentication_value", _Authentication()),
        _Field(0x9D, "implementation_information", _Octets(), 0xBD),
        _Field(0xBE, "user_information", _user_information),
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
class RLRQ(_Acse):
    """RLRQ [APPLICATION 2]: the client releases the association.

    Attributes:
        reason: Why.
        user_information: The InitiateRequest, protected, where the association is.
    """

    tag: ClassVar[int] = 0x62
    layout: ClassVar[tuple[_Field, ...]] = (
        _Field(0x80, "reason", _Integer(ReleaseRequestReason)),
        _Field(0xBE, "user_information", _user_information),
    )

    reason: ReleaseRequestReason | None = None
    user_information: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RLRE(_Acse):
    """RLRE [APPLICATION 3]: the server's answer; whatever it says, the association is over.

    Attributes:
        reason: normal, or why not.
        user_information: The InitiateResponse, protected, where the association is.
    """

    tag: ClassVar[int] = 0x63
    layout: ClassVar[tuple[_Field, ...]] = (
        _Field(0x80, "reason", _Integer(ReleaseResponseReason)),
        _Field(0xBE, "user_information", _user_information),
    )

    reason: ReleaseResponseReason | None = None
    user_information: bytes | None = None
