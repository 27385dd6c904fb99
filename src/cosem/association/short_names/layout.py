"""Where the attributes and methods of a class lie behind the base name of an object (4.2.4, clause 6.16).

Attribute k has the short name base_name + 8 * (k - 1); where the methods begin is
a matter of the class. Base names and short names are numbers 0..65535 whose last
three bits are 0, although ``object_list`` gives them as a ``long``, with a sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError
from cosem.types.data import Long
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.classes.base import InterfaceClass

__all__ = [
    "ASSOCIATION_SN",
    "CURRENT_ASSOCIATION",
    "FIRST_RESERVED",
    "OBJECT_LIST",
    "READ_BY_LOGICALNAME",
    "REPLY_TO_HLS",
    "SPACING",
    "ClassLayout",
    "MemberKind",
    "as_long",
    "as_unsigned",
    "checked_base_name",
    "layout_of",
    "reserved_base_name",
]

SPACING: Final = 8
"""Distance of two short names."""
FIRST_RESERVED: Final = 0xFA00
"""From here to FFF8 base names are reserved for objects of the standard."""
ASSOCIATION_SN: Final = 0xFA00
"""Base name of the current Association SN."""
OBJECT_LIST: Final = 0x08
"""Distance of ``object_list`` from the base name of an Association SN."""
READ_BY_LOGICALNAME: Final = 0x30
"""Distance of ``read_by_logicalname``."""
REPLY_TO_HLS: Final = 0x58
"""Distance of ``reply_to_HLS_authentication``, in every version."""
CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")

_RESERVED: Final[Mapping[tuple[int, LogicalName], int]] = {
    (12, CURRENT_ASSOCIATION): ASSOCIATION_SN,
    (9, LogicalName("0.0.10.0.125.255")): 0xFB00,
    (17, LogicalName("0.0.41.0.0.255")): 0xFC00,
    (1, LogicalName("0.0.42.0.0.255")): 0xFD00,
    (3, LogicalName("0.0.42.0.0.255")): 0xFD00,
}
_ATTRIBUTES_OF_UNKNOWN: Final = 127


def as_unsigned(base_name: int) -> int:
    """Return the base name 0..65535 that a ``long`` of ``object_list`` means.

    >>> f"{as_unsigned(-1536):04X}"
    'FA00'
    """
    return base_name & 0xFFFF


def as_long(base_name: int) -> Long:
    """Return the ``long`` that stands for a base name in ``object_list``.

    >>> as_long(0xFA00), as_long(0x0100)
    (Long(-1536), Long(256))
    """
    return Long(base_name - 0x10000 if base_name > 0x7FFF else base_name)


def checked_base_name(base_name: int) -> int:
    """Return a base name.

    Raises:
        ConfigurationError: It is outside 0..65528, or its last three bits are not 0.
    """
    if not 0 <= base_name <= 0xFFF8 or base_name % SPACING:
        raise ConfigurationError(f"base name {base_name:04X} is no multiple of 8 in 0000..FFF8")
    return base_name


def reserved_base_name(class_id: int, logical_name: LogicalName) -> int | None:
    """Return the base name that the standard reserves for an object, or ``None``.

    >>> f"{reserved_base_name(17, LogicalName('0.0.41.0.0.255')):04X}"
    'FC00'
    """
    return _RESERVED.get((class_id, logical_name))


class MemberKind(Enum):
    """What a short name stands for."""

    ATTRIBUTE = "attribute"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class ClassLayout:
    """The short names of one class, as distances from the base name.

    Args:
        attributes: Distance by number of the attribute.
        methods: Distance by number of the method; those whose distance is not established are missing.
        returning: The methods that give something back.
        open_ended: Whether attributes beyond the listed ones follow the rule: the class is not known.
    """

    attributes: Mapping[int, int]
    methods: Mapping[int, int]
    returning: frozenset[int] = frozenset()
    open_ended: bool = False

    @classmethod
    def of(cls, interface_class: type[InterfaceClass]) -> ClassLayout:
        """Return the layout of a declared class.

        >>> from cosem.classes.registry import class_of
        >>> layout = ClassLayout.of(class_of(3, 0))
        >>> layout.attribute(2), layout.method(1), layout.extent
        (8, 40, 48)
        """
        return cls(
            {each.number: each.short_name_offset for each in interface_class.attributes if each.number > 0},
            {
                each.number: each.short_name_offset
                for each in interface_class.methods
                if each.short_name_offset is not None
            },
            frozenset(each.number for each in interface_class.methods if each.return_type is not None),
        )

    def attribute(self, number: int) -> int | None:
        """Return the distance of an attribute; ``None`` if it has no short name."""
        offset = self.attributes.get(number)
        if offset is None and self.open_ended and 1 <= number <= _ATTRIBUTES_OF_UNKNOWN:
            return SPACING * (number - 1)
        return offset

    def method(self, number: int) -> int | None:
        """Return the distance of a method; ``None`` if it has no short name."""
        return self.methods.get(number)

    def member(self, offset: int) -> tuple[MemberKind, int] | None:
        """Return what lies at a distance from the base name, with its number; ``None`` for nothing."""
        for number, distance in self.attributes.items():
            if distance == offset:
                return MemberKind.ATTRIBUTE, number
        for number, distance in self.methods.items():
            if distance == offset:
                return MemberKind.METHOD, number
        if self.open_ended and not offset % SPACING and offset < SPACING * _ATTRIBUTES_OF_UNKNOWN:
            return MemberKind.ATTRIBUTE, offset // SPACING + 1
        return None

    @property
    def extent(self) -> int:
        """How much room an object takes, from its base name to the next name that is free."""
        return max((*self.attributes.values(), *self.methods.values()), default=0) + SPACING


_UNKNOWN: Final = ClassLayout({1: 0}, {}, open_ended=True)


@cache
def layout_of(class_id: int, version: int) -> ClassLayout:
    """Return the layout of a class of the standard; attributes by the rule alone where it has none such.

    >>> layout_of(8192, 0).attribute(3), layout_of(8192, 0).method(1)
    (16, None)
    """
    from cosem.classes.registry import class_of

    found = class_of(class_id, version)
    return _UNKNOWN if found is None else ClassLayout.of(found)
