"""Structured attribute values: structures of Data whose members have names and Python types.

A structured value *is* the Structure that goes over the wire: it compares, encodes
and pickles as one, and a member that a meter sent with an unusual tag keeps it.
Its declaration is the only place where the layout stands; the type text, the
reader and the writer come from it.

>>> from cosem.types.logical_name import LogicalName
>>> class Example(Structured):
...     scaler: int = member("integer")
...     logical_name: LogicalName = member("octet-string[6]")
>>> Example(-3, LogicalName.parse("1-0:1.8.0")).logical_name.reduced
'1-0:1.8.0*255'
>>> Example.data_type.text
'structure{scaler integer, logical_name octet-string[6]}'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, dataclass_transform

from cosem.classes.data_types import ArrayType, DataType, StructureType
from cosem.classes.type_grammar import parse_type
from cosem.errors import ConversionError, EncodeError
from cosem.types.data import DataValue, Structure

__all__ = ["ArrayOf", "Member", "Structured", "array_of", "each", "member", "read_as", "type_of"]

S = TypeVar("S", bound="Structured")
T = TypeVar("T")


class ArrayOf(Generic[S]):
    """An array of structured values, as a type of an attribute or member."""

    __slots__ = ("data_type",)

    def __init__(self, element: type[S]) -> None:
        self.data_type = ArrayType(element.data_type)


def array_of(element: type[S]) -> ArrayOf[S]:
    """Return the type of an array of ``element``; its Python value is a tuple."""
    return ArrayOf(element)


def each(meaning: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """Return the meaning of an array: that of each element.

    >>> each(str)([1, 2])
    ('1', '2')
    """
    return lambda values: tuple(map(meaning, values))


def type_of(source: str | DataType | ArrayOf[Any] | type[Structured]) -> DataType:
    """Return the type that a declaration names."""
    if isinstance(source, str):
        return parse_type(source)
    if isinstance(source, DataType):
        return source
    return source.data_type


def read_as(data_type: DataType, meaning: Callable[[Any], Any] | None, value: DataValue) -> Any:
    """Return what ``value`` means; what does not fit its type or meaning comes back as it is."""
    read = data_type.read(value)
    if meaning is None or read is None:
        return read
    try:
        return meaning(read)
    except (ConversionError, ValueError, TypeError):
        return read


class Member:
    """One member of a structured value; read on an instance, it gives the Python value."""

    __slots__ = ("data_type", "index", "meaning", "name")

    def __init__(self, data_type: DataType, meaning: Callable[[Any], Any] | None) -> None:
        self.data_type = data_type
        self.meaning = meaning
        self.name = ""
        self.index = 0

    def __get__(self, instance: tuple[Any, ...] | None, owner: type[Any]) -> Any:
        if instance is None:
            return self
        return read_as(self.data_type, self.meaning, instance[self.index])

    def __set__(self, instance: object, value: object) -> NoReturn:
        raise AttributeError(f"{type(instance).__name__} cannot be changed: {self.name}")


def member(
    data_type: str | DataType | ArrayOf[Any] | type[Structured], meaning: Callable[[Any], Any] | None = None
) -> Any:
    """Declare a member of a structured value.

    Args:
        data_type: Its type on the wire.
        meaning: What its value is turned into when it is read, for example an enumeration.
    """
    return Member(type_of(data_type), meaning)


@dataclass_transform(frozen_default=True, field_specifiers=(member,))
class Structured(Structure):
    """A structure whose members have names; subclass it and declare them with :func:`member`.

    Raises:
        EncodeError: When made: a member is missing, too much, or does not fit its type.
    """

    __slots__ = ()
    data_type: ClassVar[StructureType]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        members = [(name, value) for name, value in vars(cls).items() if isinstance(value, Member)]
        for index, (name, value) in enumerate(members):
            value.name = name
            value.index = index
        cls.data_type = StructureType(tuple((name, value.data_type) for name, value in members), cls)

    def __new__(cls, *values: Any, **named: Any) -> Self:
        """Return the structure of these members, in order or by name."""
        names = [name for name, _ in cls.data_type.members or ()]
        given = dict(zip(names, values, strict=False)) | named
        if len(values) > len(names) or len(given) < len(values) + len(named):
            raise EncodeError(f"{cls.__name__} has the members {', '.join(names)}, each once")
        return cls.data_type.coerce(given)  # type: ignore[return-value]

    @classmethod
    def from_data(cls, value: DataValue) -> Self:
        """Return the structure that came over the wire with names for its members, tags kept.

        Raises:
            ConversionError: It is no structure, or has another number of members.
        """
        made = cls.data_type.read(value)
        if not isinstance(made, cls):
            names = ", ".join(name for name, _ in cls.data_type.members or ())
            raise ConversionError(f"{value!r} is no {cls.__name__}: a structure of {names} wanted")
        return made

    def to_data(self) -> Structure:
        """Return the plain structure."""
        return Structure(self)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values for the named members.

        Raises:
            EncodeError: There is no such member, or a value does not fit.
        """
        names = (name for name, _ in self.data_type.members or ())
        return type(self)(**(dict(zip(names, self, strict=True)) | changes))

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name, _ in self.data_type.members or ())
        return f"{type(self).__name__}({members})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_data, (Structure(self),)
