"""The building blocks of A-XDR (IEC 61334-6): how one component is read and written.

A wire is the layout of one ASN.1 type. It stands in the annotation of a field,
``Annotated[int, Fixed("H")]``, so that the type checker sees the Python type and
:mod:`cosem.codec.sequence` sees the layout. A wire with a ``code`` has a fixed
size and can be fused with its neighbours into one :class:`struct.Struct`.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias

from cosem.codec.axdr import encode_length
from cosem.codec.data import read_data, write_data
from cosem.codec.reader import Reader
from cosem.errors import EncodeError
from cosem.types.data import ABSENT
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = [
    "Alternative",
    "AnyData",
    "Boolean",
    "Choice",
    "DefaultTrue",
    "Enumerated",
    "Fixed",
    "InstanceId",
    "Integer8",
    "Integer16",
    "Octets",
    "Optional",
    "OptionalData",
    "Unsigned8",
    "Unsigned16",
    "SequenceOf",
    "Unsigned32",
    "VariableOctets",
    "Wire",
    "data_wire",
]


class Wire:
    """The layout of one ASN.1 type.

    Attributes:
        code: Its :mod:`struct` character where the size is fixed.
        make: From what :mod:`struct` gives to the Python value; ``None`` where they are the same.
        plain: The inverse; ``None`` where they are the same.
        as_it_is: A type whose values :mod:`struct` takes as they are, without ``plain``.
        smallest: The least octets that it takes, at least 1 where it may be repeated.
    """

    __slots__ = ()
    code: str | None = None
    make: Callable[[Any], Any] | None = None
    plain: Callable[[Any], Any] | None = None
    as_it_is: type[Any] | None = None
    smallest: int = 1

    def read(self, reader: Reader) -> Any:
        """Return the value at the reader."""
        raise NotImplementedError

    def write(self, out: bytearray, value: Any) -> None:
        """Append the octets of ``value``."""
        raise NotImplementedError


class Fixed(Wire):
    """A type of fixed size that :mod:`struct` knows."""

    __slots__ = ("_layout", "as_it_is", "code", "make", "plain", "smallest")

    def __init__(
        self,
        code: str,
        make: Callable[[Any], Any] | None = None,
        plain: Callable[[Any], Any] | None = None,
        as_it_is: type[Any] | None = None,
    ) -> None:
        self.code = code
        self.make = make
        self.plain = plain
        self.as_it_is = as_it_is
        self._layout = Struct(">" + code)
        self.smallest = self._layout.size

    def read(self, reader: Reader) -> Any:
        """Return the value at the reader."""
        (value,) = self._layout.unpack(reader.take(self._layout.size))
        return value if self.make is None else self.make(value)

    def write(self, out: bytearray, value: Any) -> None:
        """Append the octets of ``value``."""
        out += self._layout.pack(value if self.plain is None else self.plain(value))


def _one_or_zero(value: object) -> int:
    return 1 if value else 0


def _six_octets(value: bytes) -> bytes:
    if len(value) != 6:
        raise EncodeError(f"6 octets wanted, {len(value)} given")
    return value


def _logical_name(octets: bytes) -> LogicalName:
    return bytes.__new__(LogicalName, octets)


Unsigned8: TypeAlias = Annotated[int, Fixed("B")]
"""Unsigned8: 0..255, one octet."""
Unsigned16: TypeAlias = Annotated[int, Fixed("H")]
"""Unsigned16: 0..65535, two octets."""
Unsigned32: TypeAlias = Annotated[int, Fixed("I")]
"""Unsigned32: 0..4294967295, four octets."""
Integer8: TypeAlias = Annotated[int, Fixed("b")]
"""Integer8: -128..127, one octet."""
Integer16: TypeAlias = Annotated[int, Fixed("h")]
"""Integer16: -32768..32767, two octets."""
Boolean: TypeAlias = Annotated[bool, Fixed("B", bool, _one_or_zero)]
"""BOOLEAN: one octet, 00 false, anything else true; 01 is sent."""
InstanceId: TypeAlias = Annotated[LogicalName, Fixed("6s", _logical_name, _six_octets, LogicalName)]
"""Cosem-Object-Instance-Id: a logical name, 6 octets without length."""


class Enumerated(Fixed):
    """ENUMERATED of one octet, whose values have names."""

    __slots__ = ()

    def __init__(self, make: Callable[[int], Any]) -> None:
        super().__init__("B", make)


class Octets(Wire):
    """OCTET STRING of variable length."""

    __slots__ = ()

    def read(self, reader: Reader) -> bytes:
        """Return the octets."""
        return reader.octet_string()

    def write(self, out: bytearray, value: bytes) -> None:
        """Append length and octets."""
        out += encode_length(len(value))
        out += value


class _Data(Wire):
    """Data."""

    __slots__ = ()

    def read(self, reader: Reader) -> DataValue:
        """Return the value."""
        return read_data(reader)

    def write(self, out: bytearray, value: DataValue) -> None:
        """Append tag and contents."""
        write_data(out, value)


VariableOctets: TypeAlias = Annotated[bytes, Octets()]
"""OCTET STRING of variable length."""
data_wire: Final = _Data()
"""The layout of Data, where a CHOICE holds it."""
if TYPE_CHECKING:
    AnyData: TypeAlias = DataValue
else:
    AnyData = Annotated[object, data_wire]
"""Data: any COSEM value."""


class Optional(Wire):
    """``OPTIONAL``: a usage flag, then the value. Any flag but 00 means present; 01 is sent."""

    __slots__ = ("inner",)

    def __init__(self, inner: Wire) -> None:
        self.inner = inner

    def read(self, reader: Reader) -> Any:
        """Return the value, or ``None``."""
        return self.inner.read(reader) if reader.unsigned(1) else None

    def write(self, out: bytearray, value: Any) -> None:
        """Append the flag, and the value if there is one."""
        out.append(value is not None)
        if value is not None:
            self.inner.write(out, value)


class OptionalData(Wire):
    """An OPTIONAL component whose value may be null-data, hence ``ABSENT`` and not ``None`` where it is not sent."""

    __slots__ = ("inner",)

    def __init__(self, inner: Wire) -> None:
        self.inner = inner

    def read(self, reader: Reader) -> Any:
        """Return the value, or ``ABSENT``."""
        return self.inner.read(reader) if reader.unsigned(1) else ABSENT

    def write(self, out: bytearray, value: Any) -> None:
        """Append the flag, and the value if there is one."""
        out.append(value is not ABSENT)
        if value is not ABSENT:
            self.inner.write(out, value)


class DefaultTrue(Wire):
    """``BOOLEAN DEFAULT TRUE``: 00 means the default, 01 that a value follows."""

    __slots__ = ()

    def read(self, reader: Reader) -> bool:
        """Return the value."""
        return bool(reader.unsigned(1)) if reader.unsigned(1) else True

    def write(self, out: bytearray, value: bool) -> None:
        """Append the flag alone for true."""
        out += b"\x00" if value else b"\x01\x00"


class SequenceOf(Wire):
    """``SEQUENCE OF``: a count, then the elements. The value is a tuple."""

    __slots__ = ("inner",)

    def __init__(self, inner: Wire) -> None:
        self.inner = inner

    def read(self, reader: Reader) -> tuple[Any, ...]:
        """Return the elements."""
        count = reader.count(self.inner.smallest)
        read = self.inner.read
        if type(reader) is Reader:
            return tuple([read(reader) for _ in range(count)])
        return tuple([reader.component(str(index), read) for index in range(count)])

    def write(self, out: bytearray, value: tuple[Any, ...]) -> None:
        """Append count and elements."""
        out += encode_length(len(value))
        for index, element in enumerate(value):
            try:
                self.inner.write(out, element)
            except EncodeError as error:
                separator = "" if not error.path or error.path.startswith("[") else "."
                raise EncodeError(error.problem, f"[{index}]{separator}{error.path}") from None


class Alternative(NamedTuple):
    """One alternative of a CHOICE.

    Args:
        tag: Its tag octet.
        name: Its name in the ASN.1.
        wire: Its layout.
        kind: The Python type that selects it on writing; ``None`` for the one that takes the rest.
    """

    tag: int
    name: str
    wire: Wire
    kind: type[Any] | None = None


class Choice(Wire):
    """``CHOICE``: a tag octet, then the alternative. On writing the Python type of the value selects it."""

    __slots__ = ("_by_tag", "_readers", "alternatives")

    def __init__(self, *alternatives: Alternative) -> None:
        self.alternatives = alternatives
        self._by_tag = {alternative.tag: alternative for alternative in alternatives}
        self._readers = {
            alternative.tag: read_data if isinstance(alternative.wire, _Data) else alternative.wire.read
            for alternative in alternatives
        }

    def read(self, reader: Reader) -> Any:
        """Return the value of the alternative."""
        start = reader.pos
        if type(reader) is Reader and start < len(reader.data):
            read = self._readers.get(reader.data[start])
            if read is not None:
                reader.pos = start + 1
                return read(reader)
        tag = reader.unsigned(1)
        alternative = self._by_tag.get(tag)
        if alternative is None:
            known = ", ".join(f"{known:02X} {choice.name}" for known, choice in self._by_tag.items())
            reader.fail(f"choice {tag:02X} is none of {known}", start)
        return reader.component(alternative.name, alternative.wire.read)

    def write(self, out: bytearray, value: Any) -> None:
        """Append tag and alternative.

        Raises:
            EncodeError: No alternative takes such a value.
        """
        alternative = self.select(value)
        out.append(alternative.tag)
        alternative.wire.write(out, value)

    def select(self, value: object) -> Alternative:
        """Return the alternative that takes ``value``.

        Raises:
            EncodeError: None does.
        """
        for alternative in self.alternatives:
            if alternative.kind is not None and isinstance(value, alternative.kind):
                return alternative
        for alternative in self.alternatives:
            if alternative.kind is None:
                return alternative
        names = ", ".join(alternative.name for alternative in self.alternatives)
        raise EncodeError(f"{type(value).__name__} is none of {names}")
