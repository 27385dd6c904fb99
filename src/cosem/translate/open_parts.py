"""Where Data may be anything, though the rest of them is as a class declares it: the parameters of scripts, for example.

Also whatever is not as it is declared: a member too many, a string in place of a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from cosem.classes.choice_type import ChoiceType
from cosem.classes.data_types import ArrayType, DataType, SimpleType, StructureType
from cosem.translate.item import Item

__all__ = ["open_parts"]

Part: TypeAlias = tuple[Item, Item | None]
"""What is open, and the structure that it is a member of."""
_TEXTS: Final = frozenset({"octet-string", "visible-string", "utf8-string"})


def open_parts(item: Item, types: Iterable[DataType]) -> list[Part]:
    """Return the open parts of Data by that type of these which fits best; all of it where there is no type.

    Args:
        item: The Data, taken apart.
        types: What it may be: one for each version of the class, or for parameter and result of a method.
    """
    found = [list(_parts(item, kind, None)) for kind in types]
    return min(found, key=_size, default=[(item, None)])


def _size(parts: list[Part]) -> int:
    return sum(item.stop - item.start for item, _ in parts)


def _parts(item: Item, kind: DataType, parent: Item | None) -> Iterator[Part]:
    if item.kind == "null-data":
        return
    if isinstance(kind, ChoiceType):
        # Where only its form is left open, it is one of these.
        if kind.alternatives is None or kind.text.startswith("CHOICE"):
            yield item, parent
        else:
            yield from open_parts(item, kind.alternatives)
    elif item.kind.startswith("compact-array"):
        if not isinstance(kind, ArrayType) or "CHOICE" in kind.text:
            yield item, parent
    elif isinstance(kind, ArrayType):
        if not item.kind.startswith("array") or kind.element is None:
            yield item, parent
            return
        for each in item.children:
            yield from _parts(each, kind.element, None)
    elif isinstance(kind, StructureType):
        members = kind.members or ()
        if not item.kind.startswith("structure") or len(members) != len(item.children):
            yield item, parent
            return
        for (_, member), each in zip(members, item.children, strict=True):
            yield from _parts(each, member, item)
    elif item.children or (
        item.kind in _TEXTS and not (isinstance(kind, SimpleType) and kind.name in _TEXTS)
    ):
        yield item, parent
