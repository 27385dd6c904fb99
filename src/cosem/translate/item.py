"""One line of an explanation: which octets, what they are called, what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Item"]


@dataclass(frozen=True, slots=True)
class Item:
    """A component of a message, and the octets that it came from.

    Args:
        name: Its name in the standard, or its index in a list.
        start: Offset of its first octet in the whole message.
        stop: Offset after its last octet.
        kind: The type of a Data value, for example ``long-unsigned``; empty where the name says it.
        text: The value; empty where the parts say it.
        note: What the value means.
        children: Its parts.
    """

    name: str
    start: int
    stop: int
    kind: str = ""
    text: str = ""
    note: str = ""
    children: tuple[Item, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Item]]:
        """Give this item and everything in it, each with its depth."""
        stack = [(depth, self)]
        while stack:
            level, item = stack.pop()
            yield level, item
            stack.extend((level + 1, child) for child in reversed(item.children))

    def line(self) -> str:
        """Return name, type, value and meaning in one line."""
        text = f"{self.name}: {self.kind}" if self.kind else self.name
        if self.text:
            text += f" = {self.text}"
        return f"{text}  ({self.note})" if self.note else text

    def to_json(self) -> dict[str, Any]:
        """Return the item and its parts as JSON can hold them; what is empty is left out."""
        facts: dict[str, Any] = {"name": self.name, "start": self.start, "stop": self.stop}
        words = {"type": self.kind, "value": self.text, "note": self.note}
        facts |= {key: word for key, word in words.items() if word}
        if self.children:
            facts["children"] = [child.to_json() for child in self.children]
        return facts
