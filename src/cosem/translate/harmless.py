"""Which numbers tell nothing about anybody: told by what the classes declare.

What a class leaves open, such as the value of a register or a threshold, is
measured, or somebody's contract. What it declares is a count, a period, an index, a
size, a port, a name of an object; except where its name says that it is an address
or an identity, and in the classes that hold money or where something is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from cosem.classes.registry import all_classes
from cosem.translate.conversation import Member, Target
from cosem.translate.open_parts import open_parts

if TYPE_CHECKING:
    from cosem.classes.data_types import DataType
    from cosem.translate.item import Item

__all__ = ["has_plain_numbers", "is_kept", "is_selected", "open_parts_of"]

_TIMES: Final = frozenset({6, 8, 9, 10, 11, 20, 22})
"""Classes that hold times and what happens at them: masks of tariffs, clock, scripts, schedules, calendars."""
_HARMLESS: Final = frozenset({12, 15, 17, 18, 64, 70})
"""Classes whose numbers are names, sizes and states, whatever they are called."""
_PERSONAL: Final = frozenset({42, 45, 47, 101, 111, 112, 113, 115, 116})
"""Classes that hold addresses and cells of a network, or money."""
_IDENTITY: Final = re.compile(
    r"addr|ident|cell_|pin_code|\bpan|mask|station|dns|group_(?:id|table)|lnid|lcid|lsid|_sid\b|switch_table|mcast"
    r"|pos_table|(?<!class)(?<!attribute)(?<!user)(?<!profile)_id\b",
    re.IGNORECASE,
)
_FORMS: Final = frozenset({(Member.ATTRIBUTE, 72, 3)})
"""Attributes whose strings are of a format: which values a slave on the M-Bus has."""
_OPEN: Final = re.compile(r"CHOICE|compact-array|structure(?!\{)|array(?! of)")
"""What may be anything, or of which the members are not told."""
_SCRIPTS: Final = 9
_ACTION: Final = 5
"""Members of the action of a script."""
_DATA: Final = 1
_PLAIN_DATA: Final = frozenset({1, 43})
"""Value group C of Data of medium 0 that are moments, 0-b:1.x.y, and invocation counters, 0-b:43.x.y."""


def has_plain_numbers(targets: tuple[Target, ...]) -> bool:
    """Return whether the numbers of all of them say nothing about anybody; not if nothing is known of what they are.

    >>> name = bytes((1, 0, 99, 1, 0, 255))
    >>> [has_plain_numbers((Target(Member.ATTRIBUTE, 7, name, number),)) for number in (2, 4)]
    [False, True]
    """
    return bool(targets) and all(map(_is_plain, targets))


def is_kept(target: Target) -> bool:
    """Return whether its strings say nothing either: they are moments, and names of tariffs, seasons and days.

    What is open among them may say something all the same, see :func:`open_parts_of`.
    """
    return target.class_id in _TIMES or (target.member, target.class_id, target.number) in _FORMS


def open_parts_of(target: Target, item: Item) -> list[tuple[Item, tuple[Target, ...]]]:
    """Return the parts of a value of a class that is kept which may be anything, and of what each is if that is told.

    The parameter of an action of a script is a value of the attribute that it writes, or of the method that it calls.
    """
    if target.class_id not in _TIMES:
        return []
    found = open_parts(item, _types(target.member, target.class_id, target.number))
    return [(part, _of_action(part, parent) if target.class_id == _SCRIPTS else ()) for part, parent in found]


def _of_action(part: Item, parent: Item | None) -> tuple[Target, ...]:
    """Return what the action of a script writes or calls with this parameter."""
    if parent is None or len(parent.children) != _ACTION or part is not parent.children[-1]:
        return ()
    service, class_id, name, index, _ = (child.text for child in parent.children)
    try:
        return (
            Target(
                {1: Member.ATTRIBUTE, 2: Member.METHOD}[int(service)],
                int(class_id),
                bytes.fromhex(name),
                int(index),
            ),
        )
    except (KeyError, ValueError):  # of no type that it should have
        return ()


def is_selected(target: Target) -> bool:
    """Return whether parameters of it select: not if it is a method with a short name, or nobody knows what."""
    return target.member is not Member.VARIABLE or any(
        attribute.short_name_offset == target.number
        for each in all_classes()
        if each.class_id == target.class_id
        for attribute in each.attributes
    )


def _is_plain(target: Target) -> bool:
    if target.class_id in _HARMLESS | _TIMES:
        # What a manufacturer has added may be anything.
        return bool(_declared(target.member, target.class_id, target.number))
    if target.class_id == _DATA:
        return target.name[:1] == b"\x00" and target.name[2] in _PLAIN_DATA
    if target.class_id in _PERSONAL:
        return False
    texts = _declared(target.member, target.class_id, target.number)
    return bool(texts) and not any(_OPEN.search(text) or _IDENTITY.search(text) for text in texts)


def _declared(member: Member, class_id: int, number: int) -> tuple[str, ...]:
    """Return names and types of an attribute or method in every version of its class."""
    return tuple(f"{name} {kind}" for name, kind in _members(member, class_id, number))


def _types(member: Member, class_id: int, number: int) -> tuple[DataType, ...]:
    return tuple(kind for _, kind in _members(member, class_id, number) if kind is not None)


@cache
def _members(member: Member, class_id: int, number: int) -> tuple[tuple[str, DataType | None], ...]:
    """Return the name of an attribute or method with each type that it has in any version of its class."""
    found: list[tuple[str, DataType | None]] = []
    for each in all_classes():
        if each.class_id != class_id:
            continue
        if member is not Member.METHOD:
            found += (
                (attribute.name, attribute.data_type)
                for attribute in each.attributes
                if number == (attribute.number if member is Member.ATTRIBUTE else attribute.short_name_offset)
            )
        if member is not Member.ATTRIBUTE:
            found += (
                (method.name, kind)
                for method in each.methods
                for kind in (method.parameter_type, method.return_type)
                if number == (method.number if member is Member.METHOD else method.short_name_offset)
            )
    return tuple(found)
