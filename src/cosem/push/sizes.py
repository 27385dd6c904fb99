"""How long the APDU is that begins at a place in a stream, where no frame says so.

Every answer is one of three: a size; no such APDU can begin here; or so many
octets are needed to tell. Only what meters push is looked for: a stream of
octets with nothing around them gives no other hold than their own structure.
"""

from __future__ import annotations

from typing import Final

from cosem.push.walking import DESCRIPTOR_SIZE, Trails, data_size, is_descriptor, length_at, walk

__all__ = ["BARE_TAGS", "SECURITY_CONTROLS", "apdu_size"]

BARE_TAGS: Final = frozenset({0x0F, 0x60, 0x61, 0xC2, 0xDB, 0xDC, 0xDD, 0xDF, 0xE0})
"""DataNotification, AARQ, AARE, EventNotification, general protection, general block transfer."""

_ARRAY, _STRUCTURE, _OCTET_STRING = 1, 2, 9
_TITLE: Final = 8
_TIME: Final = 12
_TAG: Final = 12
_DATA_NOTIFICATION: Final = 0x0F
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
    size, paired = walk(data, at, descriptors=False, most=most, trails=trails)
    if not size and paired:
        size, _ = walk(data, at, descriptors=True, most=most, trails=trails)
    return size + at - pos if size > 0 else size - (at - pos) if size else 0


def _is_time(data: bytes, pos: int) -> bool:
    """Whether a date-time stands at ``pos``, as far as it is there; any of its fields may be unspecified."""
    return all(
        octet <= most or octet >= least
        for octet, (most, least) in zip(data[pos : pos + len(_TIME_FIELDS)], _TIME_FIELDS, strict=False)
    )


def _association(data: bytes, pos: int) -> int:
    """AARQ and AARE: behind the length stands the name of a context of COSEM, behind a protocol-version at most."""
    size, at = length_at(data, pos + 1)
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
    if at + DESCRIPTOR_SIZE >= end:
        return pos - at - DESCRIPTOR_SIZE - 1
    if not is_descriptor(data, at):
        return 0
    size = data_size(data, at + DESCRIPTOR_SIZE)
    return (
        size + at + DESCRIPTOR_SIZE - pos if size > 0 else size - (at + DESCRIPTOR_SIZE - pos) if size else 0
    )


def _content(data: bytes, pos: int, at: int) -> int:
    """Return the size up to the end of a ciphered content whose length stands at ``at``."""
    size, at = length_at(data, at)
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
            size, after = length_at(data, at)
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
        size, after = length_at(data, at)
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
    size, at = length_at(data, pos + 6)
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
