"""Conversations seen from outside: of what each Data is.

Requests name attributes and methods, and answers only follow them. It is the same for all who look at both directions from outside: what records a
conversation masks the values of passwords and keys, what redacts it knows which
values tell a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.errors import CosemError
from cosem.translate.explain import Explanation, explain
from cosem.translate.item import Item

if TYPE_CHECKING:
    from cosem.translate.blocks import Joiner

__all__ = ["Conversation", "Member", "Place", "Target", "places_of"]

_SERVICES: Final = frozenset(range(0xC0, 0xC8)) - {0xC2}
"""Tags of APDUs whose third octet is the invoke-id: GET, SET and ACTION."""
_ACCESS: Final = frozenset({0xD9, 0xDA})
_DESCRIPTORS: Final = {"cosem-attribute-descriptor", "cosem-method-descriptor"}
_SHORT_NAME_TAGS: Final = frozenset({0x05, 0x06, 0x0C, 0x0D, 0x18})
_BLOCK: Final = 0xE0
_ASSOCIATION_SN: Final = 0xFA00
_OBJECT_LIST: Final = (12, 8)
"""Class and offset of the object list with short names."""
_SELECTING: Final = frozenset({"access-selection", "parameterized-access"})
_RAW: Final = frozenset({"raw-data", "block-data"})


class Member(Enum):
    """What of an object is meant."""

    ATTRIBUTE = auto()
    METHOD = auto()
    VARIABLE = auto()
    """Something with a short name: which attribute or method is not known."""


class Target(NamedTuple):
    """An attribute, a method, or a variable.

    Args:
        member: Which of them.
        class_id: Its class; 0 if that is not known.
        name: The logical name, six octets; empty for a variable.
        number: Of the attribute or method; for a variable the offset from the base name, or the name itself
            where the base name is not known.
    """

    member: Member
    class_id: int
    name: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Place:
    """A Data in an APDU.

    Args:
        item: Where it lies, and its elements.
        targets: Of what it may be: one, or several for a block; none if that is not known.
        raw: Whether it is a piece of a long encoding instead of a Data.
        parameters: Whether it says what to select, instead of being a value; with short names also what a method
            is called with.
    """

    item: Item
    targets: tuple[Target, ...]
    raw: bool = False
    parameters: bool = False


class Conversation:
    """Follows one conversation from its first APDU on.

    Attributes:
        latest: What the last request names; nothing while it is not whole.
    """

    def __init__(self) -> None:
        self._targets: dict[int, tuple[Target, ...]] = {}
        self.latest: tuple[Target, ...] = ()
        self._blocks = b""
        self._bases: dict[int, int] = {_ASSOCIATION_SN: 12}
        self._joiner: Joiner[None] | None = None

    def places(self, explanation: Explanation, *, sent: bool) -> list[Place]:
        """Return every Data of the next APDU, with what it is of.

        Args:
            explanation: The APDU, taken apart; without a wrapper around it.
            sent: Whether the client sent it.
        """
        octets = explanation.octets
        tag = octets[0]
        named = tuple(self._named(explanation.root, octets)) if sent or tag in (0xC2, 0x18) else ()
        if sent and tag == _BLOCK:
            self._take_block(explanation.value)
        key = _key(octets)
        if named:
            self._targets[key] = self.latest = named
        # A general block does not say whose it is: it is taken for the answer to the last request.
        targets = named or (self.latest if tag == _BLOCK else self._targets.get(key, ()))
        places = places_of(explanation.root, targets)
        for place in places:
            if not sent and _may_be_object_list(place):
                self._learn_of(explanation, place)
        return places

    @property
    def base_names(self) -> dict[int, int]:
        """The class of every base name that is known."""
        return dict(self._bases)

    def know(self, base_names: Mapping[int, int]) -> None:
        """Take base names with their classes from elsewhere."""
        self._bases |= base_names

    def _learn_of(self, explanation: Explanation, place: Place) -> None:
        """Learn from an object list, when it is whole if it comes in blocks."""
        from cosem.translate.blocks import Joiner  # which joins places of conversations

        if not place.raw:
            self._learn(place.item)
            return
        if self._joiner is None:
            self._joiner = Joiner[None]()
        joined = self._joiner.add(None, explanation, place, sent=False)
        for candidate, prefix in () if joined is None else joined.candidates():
            try:
                whole = explain(candidate, strict=prefix > 0)
            except CosemError:
                continue
            for each in places_of(whole.root, joined.targets if joined is not None else ()):
                if _may_be_object_list(each):
                    self._learn(each.item)
            return

    def _take_block(self, block: GeneralBlockTransfer) -> None:
        """Take a general block of the client; once the request is whole it is known what the answer is of."""
        if not block.block_data:
            return
        self._blocks = block.block_data if block.block_number <= 1 else self._blocks + block.block_data
        self.latest = ()
        if not block.last_block:
            return
        try:
            request = explain(self._blocks)
        except CosemError:
            return
        if request.octets[0] != _BLOCK:
            self.places(request, sent=True)

    def _learn(self, item: Item) -> None:
        for element in item.children:
            parts = [child.text for child in element.children]
            if len(parts) == 4 and parts[0].lstrip("-").isdigit() and parts[1].isdigit():
                self._bases[int(parts[0]) & 0xFFFF] = int(parts[1])

    def _named(self, root: Item, octets: bytes) -> Iterator[Target]:
        """Return what an APDU names, in its order."""
        for _, item in root.walk():
            if item.name in _DESCRIPTORS:
                at = item.start
                method = item.name == "cosem-method-descriptor"
                yield Target(
                    Member.METHOD if method else Member.ATTRIBUTE,
                    int.from_bytes(octets[at : at + 2], "big"),
                    octets[at + 2 : at + 8],
                    int.from_bytes(octets[at + 8 : at + 9], "big", signed=True),
                )
            elif item.name == "variable-name" and item.stop - item.start == 2:
                yield self._variable(int.from_bytes(octets[item.start : item.stop], "big"))

    def _variable(self, name: int) -> Target:
        base = max((base for base in self._bases if 0 <= name - base < 0x100), default=None)
        if base is None:
            return Target(Member.VARIABLE, 0, b"", name)
        return Target(Member.VARIABLE, self._bases[base], b"", name - base)


def places_of(root: Item, targets: tuple[Target, ...]) -> list[Place]:
    """Return every Data of an APDU that is of these targets: each of one of them, where it is a list of as many."""
    return [
        Place(
            item,
            targets[index : index + 1] if count == len(targets) else targets,
            raw=not _is_data(item),
            parameters=parameters,
        )
        for item, index, count, parameters in _data_of(root)
    ]


def _may_be_object_list(place: Place) -> bool:
    return any((each.class_id, each.number) == _OBJECT_LIST for each in place.targets)


def _key(octets: bytes) -> int:
    """Return which requests an answer may belong to, by invoke-id."""
    tag = octets[0]
    if tag in _SERVICES and len(octets) > 2:
        return octets[2] & 0x0F
    if tag in _ACCESS and len(octets) > 4:
        return 0x1000000 | int.from_bytes(octets[2:5], "big")
    return -1 if tag in _SHORT_NAME_TAGS else -2


def _is_data(item: Item) -> bool:
    return bool(item.kind) and not item.kind.startswith("list of")


def _data_of(root: Item) -> Iterator[tuple[Item, int, int, bool]]:
    """Return the Data of an APDU: where, its place in which length of list, and whether it selects."""
    stack: list[tuple[Item, int, int, bool]] = [(root, 0, 1, False)]
    while stack:
        item, index, count, parameters = stack.pop()
        parameters = parameters or item.name in _SELECTING
        if _is_data(item) or (item.name in _RAW and not item.children):
            yield item, index, count, parameters
            continue
        listed = item.kind.startswith("list of")
        for at in range(len(item.children) - 1, -1, -1):
            place = (at, len(item.children)) if listed else (index, count)
            stack.append((item.children[at], *place, parameters))
