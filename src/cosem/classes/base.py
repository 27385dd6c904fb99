"""What an interface class is declared of: attributes and methods, with their numbers.

A class is declared once; the proxies of the client, the objects of the server, the
names in the translator and the tables in the documentation come from it. Nothing
here reads or writes: an object of a class that is asked for an attribute hands the
question on to :meth:`InterfaceClass.attribute_value`, which a proxy gives a body.

(Blue Book, 4.1 and 4.2)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, NoReturn, TypedDict, TypeVar, Unpack, overload

from cosem.classes.data_types import DataType
from cosem.classes.structured import ArrayOf, Structured, read_as, type_of
from cosem.errors import ConversionError, EncodeError
from cosem.types.data import BitString, DataValue
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.logical_name import LogicalName

__all__ = ["Attribute", "AttributeFacts", "InterfaceClass", "Method"]

T = TypeVar("T")
V = TypeVar("V", bound=Structured)

_Number = Literal[
    "integer",
    "long",
    "double-long",
    "long64",
    "unsigned",
    "long-unsigned",
    "double-long-unsigned",
    "long64-unsigned",
    "enum",
]


class AttributeFacts(TypedDict, total=False):
    """What the tables of the classes say of an attribute besides its number, name and type.

    ``name`` is the printed name where it cannot be the name of a Python attribute, such as ``class``.
    ``nature`` is static where not given, ``access`` read-only; the short-name offset is
    8 * (number - 1). ``access`` is what a meter usually gives: the right belongs to the association.
    """

    name: str
    nature: Literal["static", "dynamic", "either"]
    access: Literal["r", "w", "rw"]
    short_name_offset: int
    minimum: int
    maximum: int
    default: Any
    remark: str


class Attribute(Generic[T]):
    """One attribute of an interface class: its number, type and nature.

    Args:
        number: attribute_id, 1 for logical_name.
        data_type: Its type: a text of the grammar, a structured value, or an array of one.
        meaning: What its value is turned into when it is read, for example an enumeration.
        facts: See :class:`AttributeFacts`.
    """

    name: str
    """Its name in Python."""
    printed_name: str
    """Its name in the standard; another one only for ``class``, ``version`` and names with a hyphen."""
    owner: type[Any]
    """The class that declares it."""

    @overload
    def __init__(
        self,
        number: int,
        data_type: str | ArrayOf[Any] | type[Structured],
        meaning: Callable[[Any], T],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[tuple[V, ...]], number: int, data_type: ArrayOf[V], **facts: Unpack[AttributeFacts]
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[V], number: int, data_type: type[V], **facts: Unpack[AttributeFacts]
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[int], number: int, data_type: _Number, **facts: Unpack[AttributeFacts]
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[bool], number: int, data_type: Literal["boolean"], **facts: Unpack[AttributeFacts]
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[LogicalName],
        number: int,
        data_type: Literal["octet-string[6]"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[DateTime],
        number: int,
        data_type: Literal["octet-string[12]", "octet-string[12] or date-time", "date-time"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[Date],
        number: int,
        data_type: Literal["octet-string[5]"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[Time],
        number: int,
        data_type: Literal["octet-string[4]"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[bytes],
        number: int,
        data_type: Literal["octet-string", "octet-string[8]", "octet-string[16]"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[str],
        number: int,
        data_type: Literal["visible-string", "utf8-string"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[BitString],
        number: int,
        data_type: Literal["bit-string"],
        **facts: Unpack[AttributeFacts],
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[Any], number: int, data_type: str, **facts: Unpack[AttributeFacts]
    ) -> None: ...
    def __init__(
        self,
        number: int,
        data_type: str | ArrayOf[Any] | type[Structured],
        meaning: Callable[[Any], Any] | None = None,
        **facts: Unpack[AttributeFacts],
    ) -> None:
        self.number = number
        self.meaning = meaning
        self.nature = facts.get("nature", "static")
        self.access = facts.get("access", "r")
        self.short_name_offset = facts.get("short_name_offset", 8 * (number - 1))
        self.minimum = facts.get("minimum")
        self.maximum = facts.get("maximum")
        self.initial = facts.get("default")
        self.remark = facts.get("remark")
        self.printed_name = facts.get("name", "")
        self._source = data_type

    def __set_name__(self, owner: type[Any], name: str) -> None:
        if hasattr(self, "owner"):
            return  # another class takes it over; it stays what it was declared as
        self.name = name
        self.owner = owner
        self.printed_name = self.printed_name or name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Attribute[T]: ...
    @overload
    def __get__(self, instance: InterfaceClass, owner: type[Any]) -> T: ...
    def __get__(self, instance: InterfaceClass | None, owner: type[Any]) -> Any:
        return self if instance is None else instance.attribute_value(self)

    def __repr__(self) -> str:
        return f"<attribute {self.number} {self.name}: {self.data_type}>"

    @property
    def data_type(self) -> DataType:
        """Its type, parsed when first asked for."""
        return type_of(self._source)

    @property
    def static(self) -> bool:
        """Whether only the outside changes it: configuration, not a value that the meter measures."""
        return self.nature == "static"

    def from_data(self, value: DataValue) -> T:
        """Return what a value that was read means.

        A value that does not fit the type comes back as it is: meters bend types,
        and the value is still worth having.
        """
        return read_as(self.data_type, self.meaning, value)  # type: ignore[no-any-return]

    def coerce(self, value: Any, like: DataValue = None) -> DataValue:
        """Return the Data to write for ``value``.

        Args:
            value: What a program has: Data, numbers, texts, ``datetime``, dicts, structured values; the name
                of an enumeration's member, in any case and with hyphens or underscores.
            like: The value just read; where the type is a choice, its type decides.

        Raises:
            EncodeError: It cannot be of the type of the attribute, or is out of its range.
        """
        if isinstance(value, str) and isinstance(self.meaning, type):
            value = _named(self.meaning, value)
        made = self.data_type.coerce(value, like, self.name)
        if (outside := self._outside(made)) is not None:
            raise EncodeError(outside, self.name)
        return made

    def default(self) -> DataValue:
        """Return the value of a fresh object: the default of the standard, else 0, empty or not specified."""
        if self.initial is not None:
            return self.data_type.coerce(self.initial)
        if self.minimum is not None and self.minimum > 0:
            return self.data_type.coerce(self.minimum)
        return self.data_type.default()

    def problem(self, value: DataValue) -> str | None:
        """Return why ``value`` may not be written, its type or its range, or ``None`` if it may."""
        if (mismatch := self.data_type.mismatch(value)) is not None:
            return mismatch
        return self._outside(value)

    def _outside(self, value: DataValue) -> str | None:
        if self.minimum is not None and isinstance(value, int) and value < self.minimum:
            return f"{int(value)} is below {self.minimum}"
        if self.maximum is not None and isinstance(value, int) and value > self.maximum:
            return f"{int(value)} is above {self.maximum}"
        return None


def _named(meaning: type[Any], text: str) -> Any:
    """Return what a text means where its kind knows texts: a member of an enumeration, an address."""
    if issubclass(meaning, Enum):
        return meaning.__members__.get(text.upper().replace("-", "_"), text)
    try:
        return meaning(text)
    except (ConversionError, ValueError, TypeError):
        return text


class Method:
    """One method of an interface class: its number, and what goes in and comes back.

    Args:
        number: method_id, from 1.
        parameter: Type of the invocation parameter; ``integer(0)`` is the dummy of methods that need none.
        returns: Type of what comes back; ``None`` for nothing.
        mandatory: Whether every object of the class has it.
        short_name_offset: Distance of its short name from the base name; ``None`` if not established.
        remark: What else is to know.
    """

    name: str

    def __init__(
        self,
        number: int,
        parameter: str | ArrayOf[Any] | type[Structured] = "integer(0)",
        *,
        returns: str | ArrayOf[Any] | type[Structured] | None = None,
        mandatory: bool = False,
        short_name_offset: int | None = None,
        remark: str | None = None,
    ) -> None:
        self.number = number
        self.mandatory = mandatory
        self.short_name_offset = short_name_offset
        self.remark = remark
        self._parameter = parameter
        self._returns = returns

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    def __get__(self, instance: InterfaceClass | None, owner: type[Any]) -> Any:
        return self if instance is None else instance.method_call(self)

    def __repr__(self) -> str:
        return f"<method {self.number} {self.name}({self.parameter_type})>"

    @property
    def parameter_type(self) -> DataType:
        """Type of the invocation parameter."""
        return type_of(self._parameter)

    @property
    def return_type(self) -> DataType | None:
        """Type of the return parameter; ``None`` for nothing."""
        return None if self._returns is None else type_of(self._returns)

    @property
    def needs_parameter(self) -> bool:
        """Whether a caller has something to say: the dummy ``integer(0)`` says nothing."""
        return not self.parameter_type.text.endswith("(0)")

    def coerce(self, value: Any = None) -> DataValue:
        """Return the Data to send as the invocation parameter; nothing is the dummy, where that is allowed.

        Raises:
            EncodeError: It cannot be of the type of the parameter.
        """
        given = 0 if value is None and not self.needs_parameter else value
        if given is None and self.parameter_type.mismatch(None) is not None:
            raise EncodeError(f"a parameter is needed, {self.parameter_type}", self.name)
        return self.parameter_type.coerce(given, path=self.name)

    def from_data(self, value: DataValue) -> Any:
        """Return what the return parameter means; what does not fit comes back as it is."""
        kind = self.return_type
        return value if kind is None else kind.read(value)


class InterfaceClass:
    """Base of all interface classes.

    Subclass it with the numbers of the class, then declare attributes and methods::

        class Register(InterfaceClass, class_id=3, version=0, title="Register"): ...

    Class keywords:
        class_id: 0..8191 of the standard, 8192..32767 of manufacturers, above of user groups.
        version: The version of the class.
        title: Its name in the standard.
        status: Kept as ``edition_status``: ``current`` in the 13th edition of the Blue Book, ``old``, or ``later``
            than that edition; ``private`` where not given.
        confidence: How sure its table is: ``excerpt`` (printed by the standard), ``high``, ``medium``, ``low``.
        logical_names: Where it usually lives, value groups that are free as letters.
    """

    class_id: ClassVar[int]
    version: ClassVar[int]
    title: ClassVar[str]
    edition_status: ClassVar[str] = "private"
    confidence: ClassVar[str] = "high"
    logical_names: ClassVar[tuple[str, ...]] = ()
    attributes: ClassVar[tuple[Attribute[Any], ...]] = ()
    methods: ClassVar[tuple[Method, ...]] = ()
    members: ClassVar[MappingProxyType[str, Attribute[Any] | Method]] = MappingProxyType({})
    """Attributes and methods by name."""

    logical_name = Attribute(1, "octet-string[6]")
    """The name of the object: its OBIS code."""

    def __init_subclass__(
        cls,
        *,
        class_id: int | None = None,
        version: int | None = None,
        title: str | None = None,
        status: Literal["current", "old", "later"] | None = None,
        confidence: Literal["excerpt", "high", "medium", "low"] | None = None,
        logical_names: tuple[str, ...] | None = None,
    ) -> None:
        super().__init_subclass__()
        given = {
            "class_id": class_id,
            "version": version,
            "title": title,
            "edition_status": status,
            "confidence": confidence,
            "logical_names": logical_names,
        }
        for name, value in given.items():
            if value is not None:
                setattr(cls, name, value)
        found: dict[str, Attribute[Any] | Method] = {}
        for kind in reversed(cls.__mro__):
            for name, value in vars(kind).items():
                if isinstance(value, (Attribute, Method)):
                    found[name] = value
                elif value is None:  # a version that does without an inherited member sets it to None
                    found.pop(name, None)
        attributes = [item for item in found.values() if isinstance(item, Attribute)]
        methods = [item for item in found.values() if isinstance(item, Method)]
        cls.attributes = tuple(sorted(attributes, key=lambda attribute: attribute.number))
        cls.methods = tuple(sorted(methods, key=lambda method: method.number))
        cls.members = MappingProxyType(found)

    @classmethod
    def attribute(cls, key: int | str) -> Attribute[Any] | None:
        """Return the attribute of this number, name or printed name, or ``None``."""
        if isinstance(key, str):
            found = cls.members.get(key)
            if isinstance(found, Attribute):
                return found
            return next((attribute for attribute in cls.attributes if attribute.printed_name == key), None)
        return next((attribute for attribute in cls.attributes if attribute.number == key), None)

    @classmethod
    def method(cls, key: int | str) -> Method | None:
        """Return the method of this number or name, or ``None``."""
        if isinstance(key, str):
            found = cls.members.get(key)
            return found if isinstance(found, Method) else None
        return next((method for method in cls.methods if method.number == key), None)

    def attribute_value(self, attribute: Attribute[T]) -> T:
        """Return the value of an attribute of this object; proxies and simulated objects give it a body."""
        self._no_body(attribute.name)

    def method_call(self, method: Method) -> Any:
        """Return what calls a method of this object; proxies and simulated objects give it a body."""
        self._no_body(method.name)

    def _no_body(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is a declaration: {name} has no value here")
