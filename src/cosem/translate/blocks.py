"""What travels in blocks, joined from outside: the octets of all blocks, and where each piece lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from cosem.translate.conversation import Place, Target
from cosem.translate.explain import Explanation

__all__ = ["Joined", "Joiner"]

T = TypeVar("T")
_GENERAL: Final = "GeneralBlockTransfer"
_DATA: Final = bytes.fromhex("C401C100")
_RESULTS: Final = bytes.fromhex("C403C1")
_VALUES: Final = bytes.fromhex("0C")
"""The heads of APDUs around one Data, and around lists of results: with them the contents of blocks can be read."""


@dataclass(slots=True)
class Joined(Generic[T]):
    """One long encoding.

    Attributes:
        sent: Whether the client sent it.
        general: Whether it is an APDU; else it is a Data or a list.
        targets: Of what it is.
        pieces: For each block its number, what holds it, and from where to where; a block may be repeated.
        octets: All of it.
    """

    sent: bool
    general: bool
    targets: tuple[Target, ...]
    pieces: list[tuple[int, T, int, int]] = field(default_factory=list)
    octets: bytes = b""

    def candidates(self) -> Iterator[tuple[bytes, int]]:
        """Return what it may be as an APDU, and how many octets were put before it."""
        if self.general:
            yield self.octets, 0
            return
        listed = len(self.targets) > 1
        for head in (_RESULTS, _VALUES, _DATA) if listed else (_DATA, _RESULTS, _VALUES):
            yield head + self.octets, len(head)


class Joiner(Generic[T]):
    """Joins the blocks of one conversation."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[tuple[bool, bool], Joined[T]] = {}

    def add(self, holder: T, explanation: Explanation, place: Place, *, sent: bool) -> Joined[T] | None:
        """Take one block, and return the whole after the last one.

        Args:
            holder: What holds the block.
            explanation: The APDU, taken apart.
            place: Where the block lies in it.
            sent: Whether the client sent it.
        """
        octets = explanation.octets
        general = type(explanation.value).__name__ == _GENERAL
        number, last = _number_and_last(explanation)
        key = sent, general
        joined = self._open.get(key)
        if joined is None:
            joined = self._open[key] = Joined(sent, general, place.targets)
        first = octets[place.item.start]
        start = place.item.start + 1 + (first & 0x7F if first & 0x80 else 0)
        if start < place.item.stop:
            if not any(number == known for known, *_ in joined.pieces):
                joined.octets += octets[start : place.item.stop]
            joined.pieces.append((number, holder, start, place.item.stop))
        if not last:
            return None
        del self._open[key]
        return joined if joined.pieces else None

    def rest(self) -> list[Joined[T]]:
        """Return what did not end."""
        return [joined for joined in self._open.values() if joined.pieces]


def _number_and_last(explanation: Explanation) -> tuple[int, bool]:
    """Return the number of a block, and whether it is the last."""
    value: Any = explanation.value
    if type(value).__name__ == _GENERAL:
        return value.block_number, value.last_block
    texts = {item.name: item.text for _, item in explanation.root.walk()}
    number = texts.get("block-number", "0")
    return int(number) if number.isdigit() else 0, texts.get("last-block") == "true"
