"""Long values in blocks: joining what arrives, cutting what is sent, sizes to the octet.

The limit of an APDU counts it whole, from its tag on (xDLMS, 9.1.4.8): the octets
left for raw data are the limit less the fixed part of the block APDU and less
the octets of the raw data's own length.
"""

from __future__ import annotations

from collections.abc import Iterator

from cosem.association.context import TransferLimits
from cosem.codec.axdr import encoded_length_size
from cosem.errors import ConfigurationError, LimitError, ProtocolError

__all__ = ["BlockJoiner", "cut", "room_for"]


def room_for(limit: int, fixed: int) -> int:
    """Return how many octets of raw data fit into an APDU.

    Args:
        limit: Longest APDU, octets; 0 means no limit.
        fixed: Octets of the APDU besides the raw data and its length.

    Raises:
        ConfigurationError: Not one octet fits.

    >>> room_for(40, 9), room_for(40, 18), room_for(1000, 9)
    (30, 21, 988)
    """
    if limit == 0:
        return 0xFFFFFFFF
    room = limit - fixed - 1
    if room > 0x7F:
        room = limit - fixed - 2
        room = max(room if room <= 0xFF else limit - fixed - 3, 0x7F)
        while room + fixed + encoded_length_size(room) > limit:
            room -= 1
    if room < 1:
        raise ConfigurationError(f"a limit of {limit} octets leaves no room for data in a block")
    return room


def cut(octets: bytes, first: int, others: int) -> Iterator[tuple[bool, int, bytes]]:
    """Return the blocks of a long value: whether it is the last, its number from 1 on, its octets.

    Args:
        octets: The whole value.
        first: Octets that fit into the first block.
        others: Octets that fit into each further block.

    >>> [(last, number, len(part)) for last, number, part in cut(bytes(52), 21, 31)]
    [(False, 1, 21), (True, 2, 31)]
    """
    number = 1
    start, stop = 0, first
    while True:
        last = stop >= len(octets)
        yield last, number, octets[start:stop]
        if last:
            return
        number += 1
        start, stop = stop, stop + others


class BlockJoiner:
    """Joins the blocks of one transfer, in order, within bounds.

    Args:
        limits: The bounds.
    """

    __slots__ = ("_empty", "_limits", "_parts", "number", "size")

    def __init__(self, limits: TransferLimits) -> None:
        self._limits = limits
        self._parts: list[bytes] = []
        self._empty = 0
        self.number = 0
        self.size = 0

    def add(self, number: int, octets: bytes) -> None:
        """Take the next block.

        Raises:
            ProtocolError: It does not have the number that follows, or is empty once too often.
            LimitError: The value grows too long.
        """
        if number != self.number + 1:
            raise ProtocolError(f"block {self.number + 1} expected, block {number} received")
        self.number = number
        self._empty = 0 if octets else self._empty + 1
        if self._empty > self._limits.empty_blocks:
            raise ProtocolError(f"{self._empty} blocks without octets in a row")
        self.size += len(octets)
        if self.size > self._limits.octets:
            raise LimitError("octets of a long transfer", self.size, self._limits.octets)
        self._parts.append(octets)

    def joined(self) -> bytes:
        """Return the whole value."""
        return b"".join(self._parts)
