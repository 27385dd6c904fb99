"""How long a value of Data is that begins at a place in a stream, however many beginnings ask for the same octets.

Every answer is one of three: a size; there is none; or so many octets are needed to tell.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DATA_SIZES", "DESCRIPTOR_SIZE", "Trails", "data_size", "is_descriptor", "length_at", "walk"]

DATA_SIZES: Final = {
    tag: size
    for size, tags in {
        0: (0, 255),
        1: (3, 13, 15, 17, 22, 28, 31),
        2: (16, 18, 29, 32),
        4: (5, 6, 23, 27, 30, 33),
        5: (26,),
        8: (20, 21, 24),
        12: (25,),
    }.items()
    for tag in tags
}
"""Octets behind the tags of Data whose size is fixed."""

_ARRAY, _STRUCTURE, _BIT_STRING, _COMPACT_ARRAY = 1, 2, 4, 19
_STRINGS: Final = frozenset({9, 10, 12})
_KNOWN: Final = frozenset((*DATA_SIZES, *_STRINGS, _ARRAY, _STRUCTURE, _BIT_STRING, _COMPACT_ARRAY))
_NESTING: Final = 16
"""Levels of Data that are believed where no frame says that it is Data: what meters push has four or five."""
_ELEMENTS: Final = 4096
DESCRIPTOR_SIZE: Final = 9
"""Octets of class_id, logical name and attribute without tags."""
_NO_LIMIT: Final = 1 << 32


class _Trail:
    """How far the last walk over Data came that did not reach its end.

    A walk from a container that was open there has the same way to go, so it goes on from there.
    """

    __slots__ = ("befores", "built", "paired", "places", "pos", "remaining")

    def __init__(self) -> None:
        self.leave([], [], [], 0, 0, paired=False)

    def leave(
        self,
        places: list[int],
        befores: list[int],
        remaining: list[int],
        built: int,
        pos: int,
        *,
        paired: bool,
    ) -> None:
        """Say where a walk stands.

        Args:
            places: Where the containers stand that are open.
            befores: How many values there were before each of them.
            remaining: How many must still come in each of them.
            built: How many values there were.
            pos: Where the next one stands.
            paired: Whether a descriptor may stand in what was seen.
        """
        self.places, self.befores, self.remaining = places, befores, remaining
        self.built, self.pos, self.paired = built, pos, paired


class Trails:
    """What walks over the same octets need not see again, however many beginnings stand in them."""

    __slots__ = ("_trails", "looked")

    def __init__(self) -> None:
        self._trails: dict[bool, _Trail] = {}
        self.looked = 0
        """Values of Data that walks came to."""

    def forget(self) -> None:
        """Forget it: other octets follow."""
        self._trails.clear()

    def of(self, *, descriptors: bool) -> _Trail:
        """Return the trail of walks that look for descriptors, or of those that do not."""
        return self._trails.setdefault(descriptors, _Trail())


def is_descriptor(data: bytes, pos: int) -> bool:
    """Return whether class_id, logical name and attribute stand at ``pos`` without tags, and Data behind them."""
    part = data[pos : pos + DESCRIPTOR_SIZE + 1]
    return (
        len(part) == DESCRIPTOR_SIZE + 1
        and part[0] == 0
        and part[1] > 0
        and part[7] == 0xFF
        and 0 < part[8] < 0x80
        and part[9] in _KNOWN
    )


def data_size(data: bytes, pos: int, *, descriptors: bool = False) -> int:
    """Return the size of the Data at ``pos``; 0 if there is none; minus the octets needed to tell.

    Args:
        data: The octets.
        pos: Where its tag stands.
        descriptors: Whether a structure of two may hold an untagged attribute descriptor before its value.
    """
    return walk(data, pos, descriptors=descriptors)[0]


def walk(
    data: bytes, pos: int, *, descriptors: bool, most: int = _NO_LIMIT, trails: Trails | None = None
) -> tuple[int, bool]:
    """As :func:`data_size`, and whether a descriptor may stand in it, which only a structure of two has."""
    size, paired, looked = _steps(data, pos, descriptors, most, trails)
    if trails is not None:
        trails.looked += looked
    return size, paired


def _steps(
    data: bytes, pos: int, descriptors: bool, most: int, trails: Trails | None
) -> tuple[int, bool, int]:
    """As :func:`walk`, and how many values it came to."""
    start, end = pos, len(data)
    limit = min(end, start + most)  # what is longer is none
    places: list[int] = []  # of the containers that are open,
    befores: list[int] = []  # values before each of them,
    stack: list[int] = []  # and values that follow it in what it stands in
    remaining = 1
    left = 1  # elements that must still come, each of at least one octet
    built = 0
    paired = False
    first = 0  # values there were before this walk, where it goes on with another one
    trail = None if trails is None else trails.of(descriptors=descriptors)
    if trail is not None and pos in trail.places:
        level = trail.places.index(pos)
        places, befores = trail.places[level:], trail.befores[level:]
        *inner, remaining = trail.remaining[level:]
        stack = [0, *inner]
        left = sum(inner) + remaining
        built, first = trail.built, befores[0]
        pos, paired = trail.pos, trail.paired
    began = built
    while True:
        while not remaining:
            if not stack:
                return (pos - start if pos <= end else start - pos), paired, built - began
            remaining = stack.pop()
            places.pop()
            befores.pop()
        if pos >= limit:
            if trail is not None:
                trail.leave(places, befores, [*stack[1:], remaining], built, pos, paired=paired)
            return start - pos - left, paired, built - began
        remaining -= 1
        left -= 1
        built += 1
        tag = data[pos]
        pos += 1
        size = DATA_SIZES.get(tag)
        if size is not None:
            pos += size
            continue
        if tag not in _KNOWN or built - first > _ELEMENTS:
            if trail is not None:
                trail.leave(places, befores, [*stack[1:], remaining + 1], built - 1, pos - 1, paired=paired)
            return 0, paired, built - began
        at = pos - 1
        if tag == _COMPACT_ARRAY:
            pos = _type_description_end(data, pos)
            if pos <= 0:
                return (0 if not pos else start - end - 1), paired, built - began
        count, pos = length_at(data, pos)
        if count < 0:
            return (start - end - 1 if pos else 0), paired, built - began
        if tag == _BIT_STRING:
            pos += (count + 7) // 8
        elif tag in _STRINGS or tag == _COMPACT_ARRAY:
            pos += count
        elif len(stack) >= _NESTING or built - first + left + count > _ELEMENTS:
            if trail is not None:
                trail.leave(places, befores, [*stack[1:], remaining + 1], built - 1, at, paired=paired)
            return 0, paired, built - began
        else:
            stack.append(remaining)
            places.append(at)
            befores.append(built - 1)
            remaining = count
            left += count
            if count == 2 and tag == _STRUCTURE:
                paired = paired or end - pos <= DESCRIPTOR_SIZE or not data[pos]
                if not descriptors:
                    continue
                if end - pos <= DESCRIPTOR_SIZE:
                    return start - pos - DESCRIPTOR_SIZE - 1, paired, built - began
                if is_descriptor(data, pos):
                    pos += DESCRIPTOR_SIZE
                    remaining -= 1
                    left -= 1


def length_at(data: bytes, pos: int) -> tuple[int, int]:
    """Return the length at ``pos`` and where it ends; -1 and 1 if it is cut off, -1 and 0 if it is none."""
    end = len(data)
    if pos >= end:
        return -1, 1
    first = data[pos]
    if first < 0x80:
        return first, pos + 1
    octets = first & 0x7F
    if not 0 < octets <= 4:
        return -1, 0
    if pos + 1 + octets > end:
        return -1, 1
    return int.from_bytes(data[pos + 1 : pos + 1 + octets], "big"), pos + 1 + octets


def _type_description_end(data: bytes, pos: int) -> int:
    """Return where a type description ends; -1 if it is cut off, 0 if it is none."""
    end = len(data)
    left = 1
    while left:
        if pos >= end:
            return -1
        tag = data[pos]
        pos += 1
        left -= 1
        if tag == _ARRAY:
            pos += 2
            left += 1
        elif tag == _STRUCTURE:
            if pos >= end:
                return -1
            left += data[pos]
            pos += 1
        elif tag not in _KNOWN or tag == _COMPACT_ARRAY:
            return 0
        if left > 0xFF:
            return 0
    return pos
