"""Shapes: what the notifications of one meter have in common, so that each further one costs an unpacking.

A meter pushes the same list again and again; only numbers and times change. Once a
notification was read with care, its octets are known to be fixed parts and
variable ones. A notification of the same size whose fixed parts are the same
octets means the same: names, classes, scalers and texts are taken over, numbers
and times are read. Whatever differs otherwise is read with care again.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from itertools import repeat
from operator import call, itemgetter
from struct import Struct
from typing import Any, Final, NamedTuple

from cosem.codec.scalars import FIXED
from cosem.push.body import is_time
from cosem.push.items import SCALER_UNIT
from cosem.push.layouts import CONSTANT_ID
from cosem.push.message import PushValue
from cosem.push.walking import DATA_SIZES
from cosem.types.data import Enum
from cosem.types.date_time import DateTime

__all__ = ["Facts", "Shape", "Shapes"]

_MOST_SHAPES: Final = 64
_MOST_OF_A_KIND: Final = 4
_SMALLEST: Final = 7
_TIME: Final = 12
_OCTET_STRING: Final = 9
_CONSTANT_ID: Final = CONSTANT_ID.to_bytes(4, "big")
_CODES: Final = {5: "i", 6: "I", 15: "b", 16: "h", 17: "B", 18: "H", 20: "q", 21: "Q"}
"""How numbers that may vary are unpacked, by tag."""
_EXACT: Final = Context(prec=160)  # 64 bits times ten to the power of 127
_new = tuple.__new__


class Facts(NamedTuple):
    """What the messages of one shape have in common.

    Attributes:
        maker: Name of the maker.
        layout: Name of the layout.
        findings: What was tolerated and assumed in the APDU, times left out.
    """

    maker: str
    layout: str
    findings: tuple[str, ...]


class _Leaf(NamedTuple):
    tag: int
    start: int  # behind the tag, and the length if there is one
    size: int


class Shape:
    """One shape.

    Args:
        octets: A notification that was read.
        values: Its values.
        clock: The time in its body, if there is one.
        facts: What else was found.
    """

    __slots__ = (
        *("_clock", "_constant", "_fixed", "_plain", "_scaled", "_struct", "_times", "_values", "_whole"),
        *("facts", "time_size"),
    )

    def __init__(
        self, octets: bytes, values: tuple[PushValue, ...], clock: DateTime | None, facts: Facts
    ) -> None:
        self.facts = facts
        self._constant = octets[1:5] == _CONSTANT_ID  # layouts may want it
        start = 6 + (octets[5] == _OCTET_STRING)
        self.time_size = octets[start - 1]
        leaves = dict(_leaves(octets, start + self.time_size))
        parts: list[tuple[int, int, str, Any]] = [(1, 4, "4s", None)]
        if self.time_size:
            parts.append((start, _TIME, "12s", None))
        self._clock = -1
        for index, value in enumerate(values):
            leaf = leaves.get(value.position)
            if leaf is not None and SCALER_UNIT.get(value.class_id or 0, -1) == value.attribute:
                continue  # other values depend on it
            if leaf is not None and leaf.tag in _CODES and not isinstance(value.raw, Enum):
                parts.append((leaf.start, leaf.size, _CODES[leaf.tag], ("number", index)))
            elif leaf is not None and leaf.tag == _OCTET_STRING and isinstance(value.value, DateTime):
                parts.append((leaf.start, leaf.size, "12s", ("time", index)))
                if value.value is clock:
                    self._clock = index
            elif isinstance(value.raw, (int, float)) and leaf is None:
                raise ValueError(value.position)  # not where it seems to be
        layout, fixed, pos = [">"], [], 0
        order = []
        for at, size, code, what in sorted(parts):
            layout.append(f"{at - pos}s{code}")
            fixed.append(octets[pos:at])
            order.append(what)
            pos = at + size
        layout.append(f"{len(octets) - pos}s")
        fixed.append(octets[pos:])
        self._struct = Struct("".join(layout))
        self._fixed = tuple(fixed)
        self._values = values
        scaled = [(place, index) for place, index in _numbers_in(order) if values[index].scaler is not None]
        plain = [(place, index) for place, index in _numbers_in(order) if values[index].scaler is None]
        self._scaled = _Columns(scaled, values, leaves)
        self._plain = _Columns(plain, values, leaves)
        self._whole = [index for _, index in scaled] == list(range(len(values)))
        self._times = tuple(
            (place, what[1], values[what[1]])
            for place, what in enumerate(order)
            if what is not None and what[0] == "time"
        )

    def read(self, octets: bytes) -> tuple[tuple[PushValue, ...], bytes, DateTime | None] | None:
        """Return values, time and clock of a notification; ``None`` if it has another shape."""
        parts = self._struct.unpack(octets)
        if parts[::2] != self._fixed:
            return None
        varying = parts[1::2]
        if (varying[0] == _CONSTANT_ID) is not self._constant:
            return None
        time = varying[1] if self.time_size else b""
        if self._whole:
            return tuple(self._scaled.read(varying)), time, None
        values = list(self._values)
        for index, value in zip(self._scaled.indices, self._scaled.read(varying), strict=True):
            values[index] = value
        for index, value in zip(self._plain.indices, self._plain.read(varying), strict=True):
            values[index] = value
        for place, index, before in self._times:
            moment = varying[place]
            if moment != before.raw:
                if not is_time(moment) or (came := DateTime(moment)).fault:
                    return None
                values[index] = before._replace(value=came, raw=type(before.raw)(moment))
        clock: Any = values[self._clock].value if self._clock >= 0 else None
        return tuple(values), time, clock


class _Columns:
    """The numbers of a shape, field by field, so that no step of Python is taken for each of them.

    Args:
        numbers: Where each number stands among what varies, and which value it is.
        values: The values.
        leaves: What stands where in the octets.
    """

    __slots__ = ("_factors", "_fields", "_makes", "_pick", "_rest", "indices")

    def __init__(
        self,
        numbers: list[tuple[int, int]],
        values: tuple[PushValue, ...],
        leaves: dict[tuple[int, ...], _Leaf],
    ) -> None:
        self.indices = [index for _, index in numbers]
        picked = [values[index] for index in self.indices]
        places = [place for place, _ in numbers]
        run = places == list(range(places[0], places[0] + len(places))) if places else True
        first = places[0] if places else 0
        self._pick: Any = slice(first, first + len(places)) if run else itemgetter(*places)
        self._makes = [FIXED[leaves[value.position].tag].make for value in picked]
        self._factors = None
        if picked and picked[0].scaler is not None:
            # Exponents add up in a product: the number of decimals is that of the scaler, as the meter has it.
            self._factors = [
                Decimal(f"1E{value.scaler}") if value.scaler < 0 else Decimal(10**value.scaler)
                for value in picked
                if value.scaler is not None
            ]
        self._fields = tuple(zip(*(value[:4] for value in picked), strict=True)) or ((),) * 4
        self._rest = [[value[place] for value in picked] for place in (5, 6, 8)]

    def read(self, varying: tuple[Any, ...]) -> Iterator[PushValue]:
        """Return the values of the numbers that have come."""
        if not self.indices:
            return iter(())
        pick = self._pick
        numbers = varying[pick] if type(pick) is slice else pick(varying)
        raws = list(map(call, self._makes, numbers))
        values = raws if self._factors is None else map(_EXACT.multiply, numbers, self._factors)
        scalers, units, knowns = self._rest
        return map(
            _new, repeat(PushValue), zip(*self._fields, values, scalers, units, raws, knowns, strict=True)
        )


def _numbers_in(order: list[Any]) -> list[tuple[int, int]]:
    """Return the numbers among what varies: their places, and which values they are."""
    return [(place, what[1]) for place, what in enumerate(order) if what is not None and what[0] == "number"]


def _leaves(octets: bytes, pos: int) -> Iterator[tuple[tuple[int, ...], _Leaf]]:
    """Return every value that is no array or structure, and its path.

    Raises:
        ValueError: There is a type whose octets are not told apart here.
    """
    end = len(octets)
    stack: list[list[int]] = []  # elements of each container, and how many of them have begun
    begun = False
    while stack or not begun:
        if stack and stack[-1][0] == stack[-1][1]:
            stack.pop()
            continue
        if stack:
            stack[-1][1] += 1
        path = tuple(place - 1 for _, place in stack) or (0,)
        begun = True
        tag = octets[pos]
        pos += 1
        size = DATA_SIZES.get(tag)
        if size is not None:
            yield path, _Leaf(tag, pos, size)
            pos += size
            continue
        if tag not in (1, 2, 9, 10, 12) or octets[pos] >= 0x80:
            raise ValueError(pos)
        size = octets[pos]
        pos += 1
        if tag in (1, 2):
            stack.append([size, 0])
        else:
            yield path, _Leaf(tag, pos, size)
            pos += size
    if pos != end:
        raise ValueError(pos)


class Shapes:
    """The shapes that were met, by size and sender; a bounded number of them."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes | None], list[Shape]] = {}

    def read(
        self, octets: bytes, title: bytes | None
    ) -> tuple[Facts, tuple[PushValue, ...], bytes, DateTime | None] | None:
        """Return what a notification says, if its shape is known: facts, values, time and clock."""
        for shape in self._known.get((len(octets), title), ()):
            found = shape.read(octets)
            if found is not None:
                return shape.facts, *found
        return None

    def keep(
        self,
        octets: bytes,
        title: bytes | None,
        values: tuple[PushValue, ...],
        clock: DateTime | None,
        facts: Facts,
    ) -> None:
        """Remember the shape of a notification that was read, if one of its kind came before and it has a shape."""
        kind = (len(octets), title)
        if kind not in self._known:  # what comes once is not worth it
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            self._known[kind] = []
            return
        if len(octets) < _SMALLEST:
            return
        try:
            shape = Shape(octets, values, clock, facts)
        except (ValueError, IndexError):
            return
        again = shape.read(octets)
        if again is None or again[0] != values:
            return
        of_kind = self._known.setdefault(kind, [])
        of_kind.insert(0, shape)
        del of_kind[_MOST_OF_A_KIND:]
