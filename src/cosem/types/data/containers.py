"""The values of the Data CHOICE that hold others: array, structure and compact-array."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = [
    "Array",
    "CompactArray",
    "Structure",
    "TypeDescription",
]


class Array(tuple["DataValue", ...]):
    """array [1]: elements of one type."""

    __slots__ = ()
    tag: ClassVar[int] = 1
    asn1_name: ClassVar[str] = "array"

    def __repr__(self) -> str:
        return f"Array({tuple.__repr__(self)})"


class Structure(tuple["DataValue", ...]):
    """structure [2]: members whose types the attribute gives."""

    __slots__ = ()
    tag: ClassVar[int] = 2
    asn1_name: ClassVar[str] = "structure"

    def __repr__(self) -> str:
        return f"Structure({tuple.__repr__(self)})"


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """TypeDescription of a compact-array: the shape of one element.

    Args:
        tag: The tag of the type in the Data CHOICE.
        count: Elements of an array, 0..65535; 0 for every other type.
        members: The element type of an array, or the member types of a structure.
    """

    tag: int
    count: int = 0
    members: tuple[TypeDescription, ...] = ()


class CompactArray(tuple["DataValue", ...]):  # noqa: SLOT001 -- a tuple can have a __dict__, but no slots
    """compact-array [19]: an array whose element type is sent once.

    The elements are those of the tuple. ``type_description`` and ``contents``
    are kept, so that it is written back unchanged.
    """

    tag: ClassVar[int] = 19
    asn1_name: ClassVar[str] = "compact-array"
    type_description: TypeDescription
    contents: bytes | None

    def __new__(
        cls,
        elements: Iterable[DataValue],
        type_description: TypeDescription,
        contents: bytes | None = None,
    ) -> Self:
        """Return the array of ``elements``, each of the shape ``type_description``."""
        value = super().__new__(cls, elements)
        value.type_description = type_description
        value.contents = contents
        return value

    def __getnewargs__(self) -> tuple[object, ...]:
        return tuple(self), self.type_description, self.contents

    def __repr__(self) -> str:
        return f"CompactArray({tuple.__repr__(self)}, {self.type_description!r})"
