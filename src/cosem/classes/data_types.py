"""Types of attributes as objects: they check, default, coerce, adopt and read values of Data.

Two directions:

- *Towards the wire* :meth:`DataType.coerce` makes the right value of Data of what a
  program has at hand: a plain number, a text, a ``datetime``, a dict or a value
  with members of the right names. It is strict: what does not fit is an error.
- *From the wire* :meth:`DataType.adopt` gives structures the names of their members
  and changes no octet, :meth:`DataType.read` also turns octets into the logical
  names, dates and times that they hold. Both take what meters really send: an
  unsigned for an enum is kept, with its tag.

(Blue Book, 4.1.5; the type names are those of its table 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

from cosem.classes.coercion import CALENDAR, KINDS, make, type_name
from cosem.errors import ConversionError, EncodeError
from cosem.types.data import (
    Array,
    BitString,
    CompactArray,
    DataValue,
    OctetString,
    Structure,
    TypeDescription,
    Unsigned,
)
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.logical_name import LogicalName

__all__ = ["BASE_NAMES", "ArrayType", "DataType", "SimpleType", "StructureType"]

BASE_NAMES: Final = frozenset(KINDS)
"""The type names that the grammar knows besides array, structure and CHOICE."""

_MEANINGS: Final[dict[tuple[str, int | None], Callable[[bytes], Any]]] = {
    ("octet-string", 6): LogicalName,
    ("octet-string", 12): DateTime,
    ("octet-string", 5): Date,
    ("octet-string", 4): Time,
}
"""What octet-strings of these sizes hold, in every class of the standard."""

_NOT_SPECIFIED: Final[dict[str, bytes]] = {
    "date-time": b"\xff" * 9 + b"\x80\x00\xff",
    "date": b"\xff" * 5,
    "time": b"\xff" * 4,
}


def _fail(problem: str, path: str) -> NoReturn:
    raise EncodeError(problem, path)


def _below(path: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


class DataType:
    """A type of Data; two are equal when they are written alike."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.text}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def mismatch(self, value: DataValue) -> str | None:
        """Return why ``value`` is not of this type, or ``None`` if it is: tags, sizes and members all count."""
        raise NotImplementedError

    def default(self) -> DataValue:
        """Return the value of an object that nothing was written to: 0, empty, or "not specified"."""
        raise NotImplementedError

    def coerce(self, value: Any, like: DataValue = None, path: str = "") -> DataValue:
        """Return ``value`` as this type, to be written.

        Args:
            value: What a program has: Data, plain Python values, mappings by member name, values with members.
            like: The value just read. Where the type is a choice, its type decides.
            path: Where the value stands, for the error.

        Raises:
            EncodeError: It cannot be of this type, or is out of range.
        """
        raise NotImplementedError

    def adopt(self, value: DataValue) -> DataValue:
        """Return ``value`` with its structures as the values of their class; the octets stay the same.

        What does not fit is left as it is: a meter may send what the standard does not know.
        """
        return value

    def read(self, value: DataValue) -> Any:
        """Return what ``value`` means: as :meth:`adopt`, and octets as logical names, dates and times."""
        return value


class SimpleType(DataType):
    """A type without members, of any or of a fixed size.

    Args:
        name: Its name in the Data CHOICE.
        size: Octets of an octet-string, bits of a bit-string; ``None`` for any.
        text: How it is written, if not as these two say.
    """

    __slots__ = ("kind", "name", "size")

    def __init__(self, name: str, size: int | None = None, text: str = "") -> None:
        super().__init__(text or (name if size is None else f"{name}[{size}]"))
        self.name = name
        self.size = size
        self.kind = KINDS[name]

    def mismatch(self, value: DataValue) -> str | None:
        """Return why ``value`` is not of this type, or ``None``."""
        if type_name(value) != self.name:
            return f"{self.name} wanted, {type_name(value)} given"
        if self.size is not None and len(value) != self.size:  # type: ignore[arg-type]
            return f"{self.text} wanted, {len(value)} given"  # type: ignore[arg-type]
        return None

    def default(self) -> DataValue:
        """Return 0, an empty or zero string, or the date or time that is not specified."""
        octets = _NOT_SPECIFIED.get(self.name)
        if octets is not None:
            calendar: DataValue = self.kind(octets)
            return calendar
        if self.kind is type(None):
            return None
        if self.kind is OctetString:
            size = self.size or 0
            return OctetString(_NOT_SPECIFIED[CALENDAR[size]] if size in CALENDAR else bytes(size))
        if self.kind is BitString:
            return BitString.from_text("0" * (self.size or 0))
        if self.kind is CompactArray:
            return CompactArray((), TypeDescription(Unsigned.tag), b"")
        empty: DataValue = self.kind()
        return empty

    def coerce(self, value: Any, like: DataValue = None, path: str = "") -> DataValue:
        """Return ``value`` as this type.

        Raises:
            EncodeError: It cannot be, or is out of range.
        """
        del like
        try:
            made: DataValue = make(self.kind, self.size, value)
        except (ConversionError, ValueError, TypeError, OverflowError) as error:
            known = isinstance(error, (EncodeError, ConversionError))
            reason = getattr(error, "problem", str(error)) if known else f"{self.name} wanted"
            raise EncodeError(f"{value!r} is no {self.text}: {reason}", path) from None
        if (problem := self.mismatch(made)) is not None:
            _fail(problem, path)
        return made

    def adopt(self, value: DataValue) -> DataValue:
        """Return an octet-string of six octets as a logical name, anything else as it is."""
        if self.size == 6 and isinstance(value, bytes) and len(value) == 6 and self.kind is OctetString:
            return LogicalName(value)  # type: ignore[return-value]
        return value

    def read(self, value: DataValue) -> Any:
        """Return the logical name, date or time that the octets hold; anything else as it is."""
        if isinstance(value, bytes) and len(value) == self.size:
            meaning = _MEANINGS.get((self.name, self.size))
            if meaning is not None:
                return meaning(value)
        if self.kind is bool and isinstance(value, int):
            return bool(value)
        if self.kind in (DateTime, Date, Time) and isinstance(value, bytes) and len(value) == self.kind.size:
            return self.kind(value)
        return value


class ArrayType(DataType):
    """An array, of elements of one type or (``None``) of any.

    A compact-array means the same and is accepted in its place (Green Book, compact-array).
    """

    __slots__ = ("element",)

    def __init__(self, element: DataType | None) -> None:
        super().__init__("array" if element is None else f"array of {element}")
        self.element = element

    def mismatch(self, value: DataValue) -> str | None:
        """Return why ``value`` is no such array, or ``None``."""
        if not isinstance(value, (Array, CompactArray)):
            return f"array wanted, {type_name(value)} given"
        if self.element is not None:
            for index, element in enumerate(value):
                if (problem := self.element.mismatch(element)) is not None:
                    return f"[{index}]: {problem}"
        return None

    def default(self) -> DataValue:
        """Return the array of no elements."""
        return Array(())

    def coerce(self, value: Any, like: DataValue = None, path: str = "") -> DataValue:
        """Return the array of the elements of ``value``.

        Raises:
            EncodeError: It has no elements, or one of them does not fit.
        """
        if isinstance(value, CompactArray):
            return value
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            _fail(f"an array wanted, {value!r} given", path)
        if self.element is None:
            return Array(value)
        first = like[0] if isinstance(like, Array) and like else None
        coerce = self.element.coerce
        return Array(coerce(element, first, _below(path, index)) for index, element in enumerate(value))

    def adopt(self, value: DataValue) -> DataValue:
        """Return the array with adopted elements; a structure in place of an array stays one."""
        if self.element is None or type(value) is not Array:
            return value
        return Array(map(self.element.adopt, value))

    def read(self, value: DataValue) -> Any:
        """Return the elements, each read."""
        if self.element is None or not isinstance(value, (Array, CompactArray, Structure)):
            return value
        return tuple(map(self.element.read, value))


class StructureType(DataType):
    """A structure with named members, or (``None``) of any.

    Args:
        members: Names and types in order.
        value_class: Makes the value with named members; without it a value stays a plain Structure.
    """

    __slots__ = ("members", "value_class")

    def __init__(
        self, members: tuple[tuple[str, DataType], ...] | None, value_class: type[Structure] | None = None
    ) -> None:
        inner = "" if members is None else ", ".join(f"{name} {kind}" for name, kind in members)
        super().__init__("structure" if members is None else f"structure{{{inner}}}")
        self.members = members
        self.value_class = value_class

    def mismatch(self, value: DataValue) -> str | None:
        """Return why ``value`` is no such structure, or ``None``."""
        if not isinstance(value, Structure):
            return f"structure wanted, {type_name(value)} given"
        if self.members is None:
            return None
        if len(value) != len(self.members):
            return f"structure of {len(self.members)} wanted, {len(value)} given"
        for (name, kind), member in zip(self.members, value, strict=True):
            if (problem := kind.mismatch(member)) is not None:
                return f"{name}{'' if problem.startswith('[') else ': '}{problem}"
        return None

    def default(self) -> DataValue:
        """Return the structure of the defaults of its members."""
        return self._made(kind.default() for _, kind in self.members or ())

    def _made(self, values: Iterable[DataValue]) -> Structure:
        if self.value_class is None:
            return Structure(values)
        return tuple.__new__(self.value_class, values)

    def coerce(self, value: Any, like: DataValue = None, path: str = "") -> DataValue:
        """Return the structure of a mapping, a sequence, or a value with members of the right names.

        Raises:
            EncodeError: A member is missing, too much, or does not fit.
        """
        if self.members is None:
            if not isinstance(value, (tuple, list)):
                _fail(f"a structure wanted, {value!r} given", path)
            return Structure(value)
        if self.value_class is not None and type(value) is self.value_class:
            made: Structure = value
            return made
        given = self._given(value, path)
        known = like if isinstance(like, Structure) and len(like) == len(given) else (None,) * len(given)
        return self._made(
            kind.coerce(member, old, _below(path, name))
            for (name, kind), member, old in zip(self.members, given, known, strict=True)
        )

    def _given(self, value: Any, path: str) -> tuple[Any, ...]:
        """Return the members of ``value`` in order."""
        names = [name for name, _ in self.members or ()]
        if isinstance(value, Mapping):
            if unknown := [name for name in value if name not in names]:
                _fail(f"no member {unknown[0]!r}; there are {', '.join(names)}", path)
            if missing := [name for name in names if name not in value]:
                _fail(f"{missing[0]} is missing", path)
            return tuple(value[name] for name in names)
        if isinstance(value, (tuple, list)):
            if len(value) != len(names):
                _fail(f"{len(names)} members wanted ({', '.join(names)}), {len(value)} given", path)
            return tuple(value)
        try:
            return tuple(getattr(value, name) for name in names)
        except AttributeError:
            _fail(f"a structure of {', '.join(names)} wanted, {value!r} given", path)

    def adopt(self, value: DataValue) -> DataValue:
        """Return the structure with names for its members, if it has as many."""
        if self.members is None or not isinstance(value, tuple) or len(value) != len(self.members):
            return value
        if type(value) is self.value_class or not isinstance(value, (Structure, Array)):
            return value
        adopted = (kind.adopt(member) for (_, kind), member in zip(self.members, value, strict=True))
        # Some firmware swaps the tags of array and structure: what came as an array is written back as one.
        return self._made(adopted) if isinstance(value, Structure) else Array(adopted)

    def read(self, value: DataValue) -> Any:
        """Return the structure with names for its members."""
        if isinstance(value, Array) and self.members is not None and len(value) == len(self.members):
            value = Structure(value)
        return self.adopt(value)
