"""How long the APDU is that begins at a place in a stream, where no frame says so.

Every answer is one of three: a size; no such APDU can begin here; or so many
octets are needed to tell. Only what meters push is looked for: a stream of
octets with nothing around them gives no other hold than their own structure.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BARE_TAGS",
    "DATA_SIZES",
    "SECURITY_CONTROLS",
    "Trails",
    "apdu_size",
    "data_size",
    "is_descriptor",
]

BARE_TAGS: Final = frozenset({0x0F, 0x60, 0x61, 0xC2, 0xDB, 0xDC, 0xDD, 0xDF, 0xE0})
"""DataNotification, AARQ, AARE, EventNotification, general protection, general block transfer."""

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

_ARRAY, _STRUCTURE, _BIT_STRING, _OCTET_STRING, _COMPACT_ARRAY = 1, 2, 4, 9, 19
_STRINGS: Final = frozenset({9, 10, 12})
_KNOWN: Final = frozenset((*DATA_SIZES, *_STRINGS, _ARRAY, _STRUCTURE, _BIT_STRING, _COMPACT_ARRAY))
_NESTING: Final = 16
"""Levels of Data that are believed where no frame says that it is Data: what meters push has four or five."""
_ELEMENTS: Final = 4096
_DESCRIPTOR: Final = 9
_TITLE: Final = 8
_TIME: Final = 12
_DATA_NOTIFICATION: Final = 0x0F
_NO_LIMIT: Final = 1 << 32
_TAG: Final = 12
# Of year (high and low octet), month, day, day of week, hour, minute, second and hundredths: the highest value, and the
# lowest one that stands for something else than a number.
_TIME_FIELDS: Final = (
    (0x27, 0xFF),
    (0xFF, 0xFF),
    (12, 0xFD),
    (31, 0xFD),
    (7, 0xFF),
    (23, 0xFF),
    (59, 0xFF),
    (59, 0xFF),
    (99, 0xFF),
)
SECURITY_CONTROLS: Final = frozenset(
    suite | protection | broadcast
    for suite in range(3)
    for protection in (0x10, 0x20, 0x30)
    for broadcast in (0x00, 0x40)
)
"""Security control: suite 0 to 2, any protection, broadcast key."""


_CONTEXT: Final = bytes.fromhex("A1 09 06 07 60 85 74 05 08 01")
_PROTOCOL_VERSION: Final = 0x80


class _Trail:
    """How far the last walk over Data came that did not reach its end.

    A walk from a container that was open there has the same way to go, so it goes on from there.
    """

    __slots__ = ("built", "levels", "looked", "paired", "pos", "remaining")

    def __init__(self) -> None:
        self.leave([], [], [], 0, 0, paired=False)

    def leave(
        self,
        places: list[int],
        befores: list[int],
        remaining: list[int],
        looked: int,
        pos: int,
        *,
        paired: bool,
    ) -> None:
        """Say where a walk stands.

        Args:
            places: Where the containers stand that are open.
            befores: How many values there were before each of them.
            remaining: How many must still come in each of them.
            looked: How many values there were.
            pos: Where the next one stands.
            paired: Whether a descriptor may stand in what was seen.
        """
        self.paired = paired
        self.levels = {place: level for level, place in enumerate(places)}
        self.built, self.remaining = befores, remaining
        self.looked, self.pos = looked, pos


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


def apdu_size(data: bytes, pos: int, most: int, trails: Trails | None = None) -> int:
    """Return the size of the APDU at ``pos``; 0 if none begins there; minus the octets needed to tell.

    Args:
        data: The octets.
        pos: Where its tag stands.
        most: Longest APDU that is taken.
        trails: What was seen in the same octets.

    >>> apdu_size(bytes.fromhex("0F 00000001 00 0201 0600000005 FF"), 0, 1000)
    13
    >>> (
    ...     apdu_size(bytes.fromhex("0F 00000001 00 02"), 0, 1000),
    ...     apdu_size(bytes.fromhex("0F 0F0F0F0F 0F"), 0, 1000),
    ... )
    (-8, 0)
    """
    tag = data[pos]
    if tag == _DATA_NOTIFICATION:
        size = _notification(data, pos, most, trails)
    else:
        measure = _MEASURES.get(tag)
        size = 0 if measure is None else measure(data, pos)
    return 0 if abs(size) > most else size


def is_descriptor(data: bytes, pos: int) -> bool:
    """Return whether class_id, logical name and attribute stand at ``pos`` without tags, and Data behind them."""
    part = data[pos : pos + _DESCRIPTOR + 1]
    return (
        len(part) == _DESCRIPTOR + 1
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
    return _walk(data, pos, descriptors=descriptors)[0]


def _walk(
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
    """As :func:`_walk`, and how many values it came to."""
    start, end = pos, len(data)
    limit = min(end, start + most)  # what is longer is none
    places: list[int] = []  # of the containers that are open,
    befores: list[int] = []  # values before each of them,
    stack: list[int] = []  # and values that follow it in what it stands in
    remaining = 1
    left = 1  # elements that must still come, each of at least one octet
    built = 0
    paired = False
    trail = None if trails is None else trails.of(descriptors=descriptors)
    level = None if trail is None else trail.levels.get(pos)
    if trail is not None and level is not None:
        befores = [before - trail.built[level] for before in trail.built[level:]]
        places = list(trail.levels)[level:]
        *inner, remaining = trail.remaining[level:]
        stack = [0, *inner]
        left = sum(inner) + remaining
        built = trail.looked - trail.built[level]
        pos = trail.pos
        paired = trail.paired  # or it was so before
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
        if tag not in _KNOWN or built > _ELEMENTS:
            if trail is not None:
                trail.leave(places, befores, [*stack[1:], remaining + 1], built - 1, pos - 1, paired=paired)
            return 0, paired, built - began
        at = pos - 1
        if tag == _COMPACT_ARRAY:
            pos = _type_description_end(data, pos)
            if pos <= 0:
                return (0 if not pos else start - end - 1), paired, built - began
        count, pos = _length(data, pos)
        if count < 0:
            return (start - end - 1 if pos else 0), paired, built - began
        if tag == _BIT_STRING:
            pos += (count + 7) // 8
        elif tag in _STRINGS or tag == _COMPACT_ARRAY:
            pos += count
        elif len(stack) >= _NESTING or built + left + count > _ELEMENTS:
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
                paired = paired or end - pos <= _DESCRIPTOR or not data[pos]
                if not descriptors:
                    continue
                if end - pos <= _DESCRIPTOR:
                    return start - pos - _DESCRIPTOR - 1, paired, built - began
                if is_descriptor(data, pos):
                    pos += _DESCRIPTOR
                    remaining -= 1
                    left -= 1


def _length(data: bytes, pos: int) -> tuple[int, int]:
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


def _notification(data: bytes, pos: int, most: int, trails: Trails | None) -> int:
    """DataNotification: invoke-id of four octets, time of 0 or 12 octets, a structure or an array that has elements."""
    at, end = pos + 5, len(data)
    if at >= end:
        return -8
    if data[at] == _OCTET_STRING:  # Kaifa: a tag before the time
        at += 1
        if at >= end:
            return -9
        if data[at] != _TIME:
            return 0
    if data[at] not in (0, _TIME):
        return 0
    if data[at] and not _is_time(data, at + 1):
        return 0
    at += 1 + data[at]
    if at + 1 >= end:
        return pos - at - 2
    if data[at] not in (_ARRAY, _STRUCTURE) or not data[at + 1]:
        return 0
    size, paired = _walk(data, at, descriptors=False, most=most, trails=trails)
    if not size and paired:
        size, _ = _walk(data, at, descriptors=True, most=most, trails=trails)
    return size + at - pos if size > 0 else size - (at - pos) if size else 0


def _is_time(data: bytes, pos: int) -> bool:
    """Whether a date-time stands at ``pos``, as far as it is there; any of its fields may be unspecified."""
    return all(
        octet <= most or octet >= least
        for octet, (most, least) in zip(data[pos : pos + len(_TIME_FIELDS)], _TIME_FIELDS, strict=False)
    )


def _association(data: bytes, pos: int) -> int:
    """AARQ and AARE: behind the length stands the name of a context of COSEM, behind a protocol-version at most."""
    size, at = _length(data, pos + 1)
    if size < 0:
        return pos - len(data) - 1 if at else 0
    whole = at + size - pos
    if at < len(data) and data[at] == _PROTOCOL_VERSION:
        at += 4
    head = data[at : at + len(_CONTEXT)]
    if head != _CONTEXT[: len(head)] or whole < at - pos + len(_CONTEXT):
        return 0
    if len(head) < len(_CONTEXT):
        return pos - at - len(_CONTEXT)
    return whole if pos + whole <= len(data) else -whole


def _event(data: bytes, pos: int) -> int:
    """EventNotification: time, class, logical name, attribute, Data."""
    at, end = pos + 1, len(data)
    if at >= end:
        return -2
    if data[at] > 1:
        return 0
    if data[at]:
        if at + 1 >= end:
            return -3
        if data[at + 1] != _TIME or not _is_time(data, at + 2):
            return 0
        at += 1 + _TIME
    at += 1
    if at + _DESCRIPTOR >= end:
        return pos - at - _DESCRIPTOR - 1
    if not is_descriptor(data, at):
        return 0
    size = data_size(data, at + _DESCRIPTOR)
    return size + at + _DESCRIPTOR - pos if size > 0 else size - (at + _DESCRIPTOR - pos) if size else 0


def _content(data: bytes, pos: int, at: int) -> int:
    """Return the size up to the end of a ciphered content whose length stands at ``at``."""
    size, at = _length(data, at)
    if size < 0:
        return pos - len(data) - 1 if at else 0
    if at >= len(data):
        return pos - at - 1
    control = data[at]
    if control not in SECURITY_CONTROLS or size <= 5 + (_TAG if control & 0x10 else 0):
        return 0
    whole = at + size - pos
    return whole if pos + whole <= len(data) else -whole


def _general_glo(data: bytes, pos: int) -> int:
    """general-glo-ciphering and general-ded-ciphering: a title of eight octets or none, a ciphered content."""
    at = pos + 1
    if at >= len(data):
        return -2
    if data[at] not in (0, _TITLE):
        return 0
    at += 1 + data[at]
    return _content(data, pos, at)


def _header(data: bytes, pos: int) -> int:
    """Return where the five fields of general-ciphering and general-signing end; 0 or minus what is needed."""
    at, end = pos + 1, len(data)
    for sizes in (range(1, 9), (_TITLE,), (0, _TITLE), (0, _TIME), range(0x80)):
        if at >= end:
            return pos - at - 1
        if data[at] not in sizes:
            return 0
        at += 1 + data[at]
    return at


def _general_ciphering(data: bytes, pos: int) -> int:
    at = _header(data, pos)
    if at <= 0:
        return at
    if at + 1 >= len(data):
        return pos - at - 2
    if data[at] > 1:
        return 0
    at += 1
    if data[at - 1]:  # key-info
        kind = data[at]
        if kind > 2:
            return 0
        at += 2 if kind < 2 else 1
        for _ in range((0, 1, 2)[kind]):
            if at >= len(data):
                return pos - at - 1
            size, after = _length(data, at)
            if size < 0:
                return pos - len(data) - 1 if after else 0
            at = after + size
        if at >= len(data):
            return pos - at - 1
    return _content(data, pos, at)


def _general_signing(data: bytes, pos: int) -> int:
    at = _header(data, pos)
    if at <= 0:
        return at
    for sizes in (range(1, 0x10000), (64, 96)):
        if at >= len(data):
            return pos - at - 1
        size, after = _length(data, at)
        if size < 0:
            return pos - len(data) - 1 if after else 0
        if size not in sizes:
            return 0
        at = after + size
    return at - pos if at <= len(data) else pos - at


def _block(data: bytes, pos: int) -> int:
    """general-block-transfer, unconfirmed: control, number, nothing acknowledged, data."""
    if pos + 7 > len(data):
        return -7
    number = data[pos + 2] << 8 | data[pos + 3]
    if data[pos + 1] & 0x3F or data[pos + 4] or data[pos + 5] or not 0 < number <= _MOST_BLOCKS:
        return 0
    size, at = _length(data, pos + 6)
    if size < 0:
        return pos - len(data) - 1 if at else 0
    if not size:
        return 0
    if number == 1 and at < len(data) and data[at] not in BARE_TAGS:
        return 0  # the first block begins with the tag of what is sent in blocks
    whole = at + size - pos
    return whole if pos + whole <= len(data) else -whole


_MOST_BLOCKS: Final = 511
"""Nobody pushes so much; a higher number is rarely one."""
_MEASURES: Final = {
    0x60: _association,
    0x61: _association,
    0xC2: _event,
    0xDB: _general_glo,
    0xDC: _general_glo,
    0xDD: _general_ciphering,
    0xDF: _general_signing,
    0xE0: _block,
}
