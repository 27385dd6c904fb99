"""How one field of an ACSE APDU is read and written, and what the four APDUs share.

On reception fields may come in any order, unknown ones are skipped and named,
repeated ones refused; they are written in the order of the table.

(IEC 62056-5-3, 7.2; ISO/IEC 15954)
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
    AuthenticationMechanism,
)

__all__ = [
    "NAME_HEADS",
    "Acse",
    "Authentication",
    "AuthenticationValue",
    "Bits",
    "Diagnostic",
    "Explicit",
    "Field",
    "Identifier",
    "Integer",
    "Kind",
    "Name",
    "Octets",
    "SourceDiagnostic",
]

_PREFIX = bytes.fromhex("6085740508")
"""{joint-iso-ccitt(2) country(16) country-name(756) identified-organization(5) DLMS-UA(8)}"""
NAME_HEADS: dict[type[ApplicationContext | AuthenticationMechanism], bytes] = {
    ApplicationContext: _PREFIX + bytes((1,)),
    AuthenticationMechanism: _PREFIX + bytes((2,)),
}
"""The object identifier of each kind of name, but for its last arc."""
_INTEGER = 0x02
_CHARSTRING = 0x80
_USER, _PROVIDER = 0xA1, 0xA2
_CLASS, _CONTEXT_CLASS = 0xC0, 0x80
_LARGEST_IDENTIFIER = 0x7FFFFFFF

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


class Kind:
    """How the contents of one field are read and written."""

    def read(self, reader: Reader) -> Any:
        """Return the value of the contents."""
        raise NotImplementedError

    def write(self, value: Any) -> bytes:
        """Return the contents."""
        raise NotImplementedError


def _as_octets(value: object) -> bytes:
    """Return ``value`` as octets; a number is not so many zeros."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise EncodeError(f"octets wanted, {type(value).__name__} given")
    return bytes(value)


class Bits(Kind):
    """IMPLICIT BIT STRING."""

    def read(self, reader: Reader) -> BitString:
        """Return the bits."""
        unused = reader.unsigned(1)
        octets = reader.take(reader.left)
        if unused > 7 or (unused and not octets):
            reader.fail(f"BIT STRING with {unused} unused bits in {len(octets)} octets")
        return BitString(octets, 8 * len(octets) - unused)

    def write(self, value: BitString) -> bytes:
        """Return unused bits and octets."""
        return bytes((-len(value) % 8,)) + value.octets


class Name(Kind):
    """OBJECT IDENTIFIER; the DLMS UA's own become members of an enumeration, others stay octets."""

    def __init__(self, names: type[ApplicationContext | AuthenticationMechanism]) -> None:
        self._head = NAME_HEADS[names]
        self._names = names

    def read(self, reader: Reader) -> Any:
        """Return the member of the enumeration, or the octets of a name of others."""
        octets = read_object_identifier(reader)
        if octets.startswith(self._head) and len(octets) == len(self._head) + 1:
            return self._names(octets[-1])
        return octets

    def write(self, value: Any) -> bytes:
        """Return the octets of the name."""
        if isinstance(value, int):
            if not 0 <= value < 0x80:
                raise EncodeError(f"{int(value)} is outside 0..127")
            return self._head + bytes((value,))
        return encode_object_identifier(_as_octets(value))


class Explicit(Kind):
    """EXPLICIT: a field whose contents carry the universal tag of their type once more."""

    def __init__(self, tag: int, inner: Kind, finding: str = "") -> None:
        self._tag = tag
        self._inner = inner
        self._finding = finding

    def read(self, reader: Reader) -> Any:
        """Return the value inside."""
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
        """Return tag, length and the contents inside."""
        return encode_tlv(self._tag, self._inner.write(value))


class Octets(Kind):
    """OCTET STRING or GraphicString contents."""

    def read(self, reader: Reader) -> bytes:
        """Return the octets."""
        return reader.take(reader.left)

    def write(self, value: bytes) -> bytes:
        """Return the octets."""
        return _as_octets(value)


class Integer(Kind):
    """INTEGER; ``make`` names its values."""

    def __init__(self, make: Any = int) -> None:
        self._make = make

    def read(self, reader: Reader) -> Any:
        """Return the number, named where it has a name."""
        start = reader.pos
        value = read_integer(reader)
        try:
            return self._make(value)
        except ValueError:
            reader.fail(f"{value} is out of range", start)

    def write(self, value: int) -> bytes:
        """Return the shortest octets."""
        return encode_integer(int(value))


class Identifier(Integer):
    """An invocation identifier: unsigned, although some send 128..255 without the leading zero."""

    def read(self, reader: Reader) -> int:
        """Return the number, 0 or above."""
        start, one_octet = reader.pos, reader.left == 1
        value = read_integer(reader)
        if value < 0:
            if not one_octet:
                reader.fail(f"invocation identifier {value} is below 0", start)
            reader.finding("invocation-identifier-negative")
            return value & 0xFF
        return value

    def write(self, value: int) -> bytes:
        """Return the shortest octets."""
        if not 0 <= value <= _LARGEST_IDENTIFIER:
            raise EncodeError(f"{value} is outside 0..{_LARGEST_IDENTIFIER}")
        return encode_integer(int(value))


class Authentication(Kind):
    """Authentication-value: a charstring in practice, raw octets."""

    def read(self, reader: Reader) -> bytes | AuthenticationValue:
        """Return the octets, or what is no charstring with its tag."""
        tag, contents = read_tlv(reader)
        reader.strictly_finished()
        octets = contents.take(contents.left)
        return octets if tag == _CHARSTRING else AuthenticationValue(tag, octets)

    def write(self, value: bytes | AuthenticationValue) -> bytes:
        """Return the alternative with its tag."""
        if isinstance(value, AuthenticationValue):
            return encode_tlv(value.choice, value.octets)
        return encode_tlv(_CHARSTRING, _as_octets(value))


class Diagnostic(Kind):
    """Associate-source-diagnostic: acse-service-user [1] or acse-service-provider [2]."""

    def read(self, reader: Reader) -> SourceDiagnostic:
        """Return the diagnostic; its type says whose it is."""
        start = reader.pos
        tag, contents = read_tlv(reader)
        reader.strictly_finished()
        if tag not in (_USER, _PROVIDER):
            reader.fail(f"diagnostic {tag:02X} is neither A1 user nor A2 provider", start)
        kind = AcseServiceUserDiagnostic if tag == _USER else AcseServiceProviderDiagnostic
        value: SourceDiagnostic = Explicit(_INTEGER, Integer(kind)).read(contents)
        return value

    def write(self, value: SourceDiagnostic) -> bytes:
        """Return the alternative with its tag."""
        if not isinstance(value, (AcseServiceUserDiagnostic, AcseServiceProviderDiagnostic)):
            raise EncodeError("a diagnostic of the enumeration that says whose it is wanted")
        tag = _USER if isinstance(value, AcseServiceUserDiagnostic) else _PROVIDER
        return encode_tlv(tag, encode_tlv(_INTEGER, encode_integer(int(value))))


class Field(NamedTuple):
    """One field: its tag, the attribute that holds it, its kind, and other tags accepted for it."""

    tag: int
    name: str
    kind: Kind
    also: int = -1


class Acse:
    """What the four APDUs share: reading and writing by their table."""

    __slots__ = ()
    tag: ClassVar[int]
    layout: ClassVar[tuple[Field, ...]]
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
                if name in self.mandatory:
                    raise EncodeError("a value is mandatory", name)
                continue
            try:
                contents += encode_tlv(tag, kind.write(value))
            except EncodeError as error:
                raise EncodeError(error.problem, name) from None
            except (TypeError, ValueError, AttributeError, OverflowError) as error:
                raise EncodeError(f"{type(value).__name__} does not fit: {error}", name) from None
        return encode_tlv(self.tag, bytes(contents))

    @classmethod
    def from_octets(cls, octets: bytes, *, strict: bool = False, findings: list[str] | None = None) -> Self:
        """Return the APDU that ``octets`` hold, whole.

        Args:
            octets: From its tag on.
            strict: Whether a tolerated deviation of real meters is an error.
            findings: Where deviations are named; octets after the APDU are an error unless it is given.

        Raises:
            DecodeError: As :meth:`read`, or octets too many.
        """
        reader = Reader(bytes(octets), strict=strict, findings=findings)
        value = cls.read(reader)
        reader.finish()
        return value

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
                tag = contents.data[at]
                if tag & _CLASS != _CONTEXT_CLASS:
                    contents.fail(f"tag {tag:02X} is no field of {cls.__name__}", at)
                contents.component(f"unknown-field-{tag:02X}", _skip)
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


def _skip(reader: Reader) -> bytes:
    """Return the contents of a field that nobody knows."""
    _, contents = read_tlv(reader)
    return contents.take(contents.left)


def _reader_of(kind: Kind) -> Any:
    def read(reader: Reader) -> Any:
        _, contents = read_tlv(reader)
        value = kind.read(contents)
        contents.strictly_finished()
        return value

    return read
