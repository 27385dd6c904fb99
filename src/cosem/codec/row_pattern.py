"""Rows that vary in few ways: cut by one pattern, so that no loop of ours looks at each value.

Meters leave out what did not change (null-data), or send a number in a shorter
type where it fits. The pattern names, for each member of the row, the tags with
lengths that were seen, and null-data always; :mod:`re` then finds the payloads.
Tags and lengths tell the alternatives apart at the first octets, so that nothing
is tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Any, Final, NamedTuple

from cosem.codec.rows import PLAIN_CODES, RowLayout, maker_of
from cosem.codec.scalars import FIXED
from cosem.types.data import OctetString, Structure

__all__ = ["Form", "MixedRows", "RowPattern", "forms_of"]

_MOST_FORMS: Final = 8


class Form(NamedTuple):
    """One form of a member: its tag, the octets of its payload, its length octet (-1 for none)."""

    tag: int
    size: int
    length: int = -1

    @property
    def lead(self) -> bytes:
        """The octets before the payload."""
        return bytes((self.tag,)) if self.length < 0 else bytes((self.tag, self.length))

    @property
    def code(self) -> str:
        """What unpacks the payload into Python's own value."""
        kind = FIXED.get(self.tag)
        return f"{self.size}s" if kind is None else PLAIN_CODES.get(self.tag, kind.code)

    @property
    def make(self) -> Callable[[Any], Any] | None:
        """From what was unpacked to the value; ``None`` where it is the value."""
        if (kind := FIXED.get(self.tag)) is not None:
            return kind.make if self.code.endswith("s") else None
        return maker_of(self.tag, self.length)

    def unpack(self, payload: bytes, count: int, *, octet_strings: bool = True) -> list[Any]:
        """Return the values of so many payloads, one behind the other.

        Args:
            payload: Their octets.
            count: How many there are.
            octet_strings: Whether octet-strings are typed; else they are plain octets.
        """
        code, size = self.code, self.size
        if not code.endswith("s"):
            return list(Struct(f">{count}{code}").unpack(payload))
        octets = [payload[at : at + size] for at in range(0, count * size, size)] if size else [b""] * count
        make = self.make
        if make is None or (not octet_strings and self.tag == OctetString.tag):
            return octets
        return list(map(make, octets))

    def typed(self, payload: bytes, count: int) -> list[Any]:
        """Return the values of so many payloads, every one with its type."""
        kind = FIXED.get(self.tag)
        if kind is None:
            return self.unpack(payload, count)
        single = Struct(">" + kind.code)
        return [kind.make(value) for (value,) in single.iter_unpack(payload)]


class RowPattern:
    """What the rows of a buffer look like.

    Args:
        members: The forms of each member, without null-data, which every member may be.
    """

    __slots__ = ("_match", "members")

    def __init__(self, members: tuple[tuple[Form, ...], ...]) -> None:
        self.members = members
        self._match = _compiled(members)

    @classmethod
    def of(cls, layout: RowLayout) -> RowPattern:
        """Return the pattern that knows one layout."""
        return cls(tuple((form,) if form.tag else () for form in forms_of(layout)))

    def knows(self, layout: RowLayout) -> bool:
        """Return whether rows of this layout match."""
        return len(layout.cells) == len(self.members) and all(
            form.tag == 0 or form in known for form, known in zip(forms_of(layout), self.members, strict=True)
        )

    def extended(self, layout: RowLayout) -> RowPattern | None:
        """Return a pattern that knows this layout too; ``None`` if it cannot."""
        if len(layout.cells) != len(self.members):
            return None
        members = tuple(
            known if form.tag == 0 or form in known else (*known, form)
            for form, known in zip(forms_of(layout), self.members, strict=True)
        )
        if any(len(known) > _MOST_FORMS for known in members):
            return None
        return RowPattern(members)

    def cut(self, data: bytes, pos: int, most: int) -> tuple[MixedRows, int] | None:
        """Return rows from ``pos`` on, and where they end; ``None`` if the first does not match."""
        match = self._match
        groups: list[tuple[bytes | None, ...]] = []
        add = groups.append
        for _ in range(most):
            found = match(data, pos)
            if found is None:
                break
            add(found.groups())
            pos = found.end()
        return (MixedRows(self, groups), pos) if groups else None


def forms_of(layout: RowLayout) -> list[Form]:
    """Return the form of each member of a layout."""
    return [Form(cell.tag, cell.size, cell.length) for cell in layout.cells]


@lru_cache(maxsize=64)
def _compiled(members: tuple[tuple[Form, ...], ...]) -> Callable[[bytes, int], re.Match[bytes] | None]:
    code = re.escape(bytes((Structure.tag, len(members))))
    for known in members:
        forms = [re.escape(form.lead) + b"(.{%d})" % form.size for form in known]
        code += b"(?:" + b"|".join([*forms, rb"\x00"]) + b")"
    return re.compile(code, re.DOTALL).match


@dataclass(frozen=True, slots=True)
class MixedRows:
    """Rows that a pattern has cut.

    Args:
        pattern: What they look like.
        groups: The payloads of each row: one place for each form of each member, ``None`` for the forms it has not.
    """

    pattern: RowPattern
    groups: list[tuple[bytes | None, ...]]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.groups)

    @property
    def width(self) -> int:
        """How many values each row has."""
        return len(self.pattern.members)

    def parts(self, index: int) -> list[tuple[Form, list[int] | None, bytes]]:
        """Return each form that a column has: in which rows (``None`` for all), and their payloads."""
        first = sum(map(len, self.pattern.members[:index]))
        parts: list[tuple[Form, list[int] | None, bytes]] = []
        for place, form in enumerate(self.pattern.members[index], first):
            payloads = [row[place] for row in self.groups]
            present = [payload for payload in payloads if payload is not None]
            if len(present) == len(payloads):
                parts.append((form, None, b"".join(present)))
            elif present:
                rows = [number for number, payload in enumerate(payloads) if payload is not None]
                parts.append((form, rows, b"".join(present)))
        return parts

    def tags(self, index: int) -> frozenset[int]:
        """Return the tags that a column has."""
        parts = self.parts(index)
        found = {form.tag for form, _, _ in parts}
        if sum(self.count if rows is None else len(rows) for _, rows, _ in parts) < self.count:
            found.add(0)
        return frozenset(found)

    def column(self, index: int) -> list[Any]:
        """Return the values of a column."""
        return self._column(index, octet_strings=True)

    def typed_column(self, index: int) -> list[Any]:
        """Return the values of a column, every one with its type."""
        values: list[Any] = [None] * self.count
        for form, rows, payload in self.parts(index):
            places = range(self.count) if rows is None else rows
            for number, value in zip(places, form.typed(payload, len(places)), strict=True):
                values[number] = value
        return values

    def _column(self, index: int, *, octet_strings: bool) -> list[Any]:
        values: list[Any] = [None] * self.count
        for form, rows, payload in self.parts(index):
            made = form.unpack(
                payload, self.count if rows is None else len(rows), octet_strings=octet_strings
            )
            if rows is None:
                return made
            for number, value in zip(rows, made, strict=True):
                values[number] = value
        return values

    def without_first(self, count: int) -> MixedRows:
        """Return the rows behind the first ``count``."""
        return MixedRows(self.pattern, self.groups[count:])

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows; octet-strings are plain octets."""
        return list(
            zip(*(self._column(index, octet_strings=False) for index in range(self.width)), strict=True)
        )
