"""Addresses of HDLC: one octet for a client, one, two or four for a server (IEC 62056-46, 6.4.2).

Seven bits of each octet are address; the lowest bit says that it is the last.
A server's address has an upper part, the logical device, and may have a lower
part, the physical device on a line that several share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from cosem.errors import ConfigurationError, FrameError

__all__ = [
    "ALL_STATION",
    "CALLING_PHYSICAL_DEVICE",
    "CLIENT_MANAGEMENT",
    "MANAGEMENT_LOGICAL_DEVICE",
    "NO_STATION",
    "RECEIVED_LENGTHS",
    "HdlcAddress",
    "Reception",
]

NO_STATION: Final = 0
"""Upper or lower part, and client: nobody."""

CLIENT_MANAGEMENT: Final = 1
"""The client management process: it receives EventNotification."""

MANAGEMENT_LOGICAL_DEVICE: Final = 1
"""Upper part of the logical device that every meter has."""

CALLING_PHYSICAL_DEVICE: Final = 0x3FFE
"""Lower part: the server that opened this physical connection (0x7E in seven bits)."""

ALL_STATION: Final = 0x3FFF
"""Upper or lower part: everybody (0x7F in seven bits)."""

_WIDENED: Final[Mapping[int, int]] = MappingProxyType({0x7E: CALLING_PHYSICAL_DEVICE, 0x7F: ALL_STATION})
_NARROWED: Final[Mapping[int, int]] = MappingProxyType({value: key for key, value in _WIDENED.items()})


@dataclass(frozen=True, slots=True)
class HdlcAddress:
    """One address.

    Both parts are kept in 14 bits; the reserved ones mean the same in every length.

    Args:
        upper: The client, or the logical device: 0..127 in one or two octets, else 0..16383.
        lower: The physical device; ``None`` in an address of one octet.
        size: Octets on the line, 1, 2 or 4; 0 takes the shortest that fits.

    Raises:
        ConfigurationError: The parts do not fit into the size.

    >>> HdlcAddress(1, 17), HdlcAddress(1, 17).octets.hex(" ")
    (HdlcAddress(1, 17), '02 23')
    >>> HdlcAddress(0x1234, 0x3FFF).octets.hex(" ")
    '48 68 fe ff'
    """

    upper: int
    lower: int | None = None
    size: int = 0

    def __post_init__(self) -> None:
        size = self.size or self._shortest()
        if size not in {1, 2, 4}:
            raise ConfigurationError(f"an HDLC address has 1, 2 or 4 octets, not {size}")
        if size == 1 and self.lower is not None:
            raise ConfigurationError("an HDLC address of 1 octet has no lower part")
        object.__setattr__(self, "size", size)
        if size > 1 and self.lower is None:
            object.__setattr__(self, "lower", NO_STATION)
        most = 0x7F if size < 4 else 0x3FFF
        for part in _narrow(self.upper, self.lower, size):
            if not 0 <= part <= most:
                raise ConfigurationError(f"HDLC address part {part} does not fit into {size} octets")
        if size < 4:  # 0x7F and 0x7E in seven bits are the reserved addresses, whoever writes them
            object.__setattr__(self, "upper", ALL_STATION if self.upper == 0x7F else self.upper)
            if self.lower is not None:
                object.__setattr__(self, "lower", _WIDENED.get(self.lower, self.lower))

    def _shortest(self) -> int:
        if max(_narrow(self.upper, self.lower, 1)) > 0x7F:
            return 4
        return 1 if self.lower is None else 2

    @property
    def octets(self) -> bytes:
        """The address as it stands in a frame."""
        upper, lower = _narrow(self.upper, self.lower, self.size)
        if self.size == 1:
            return bytes((upper << 1 | 1,))
        if self.size == 2:
            return bytes((upper << 1, lower << 1 | 1))
        return bytes((upper >> 6 & 0xFE, upper << 1 & 0xFE, lower >> 6 & 0xFE, lower << 1 & 0xFE | 1))

    @property
    def is_all_station(self) -> bool:
        """Whether a part means everybody."""
        return ALL_STATION in {self.upper, self.lower}

    @property
    def is_group(self) -> bool:
        """Whether it names no single station: such a frame is never answered."""
        return self.is_all_station or (self.upper == NO_STATION and not self.lower)

    def answers(self, called: HdlcAddress) -> bool:
        """Return whether a frame from here can be the answer to one sent to ``called``.

        The length need not be the same, and whoever was called as CALLING answers with its own number.
        """
        if self.upper != called.upper:
            return False
        mine, theirs = self.lower, called.lower
        return mine == theirs or mine is None or theirs is None or theirs == CALLING_PHYSICAL_DEVICE

    @classmethod
    def decode(cls, octets: bytes) -> HdlcAddress:
        """Return the address of ``octets``, whole.

        Raises:
            FrameError: They are no address: 3 octets, more than 4, or an extension bit in the wrong place.
        """
        size = len(octets)
        if size not in {1, 2, 4} or any(octet & 1 for octet in octets[:-1]) or not octets[-1] & 1:
            raise FrameError(f"{octets.hex(' ')} is no HDLC address of 1, 2 or 4 octets")
        seven = [octet >> 1 for octet in octets]
        if size == 1:
            return cls(seven[0])
        if size == 2:
            return cls(seven[0], seven[1], 2)
        return cls(seven[0] << 7 | seven[1], seven[2] << 7 | seven[3], 4)

    def __str__(self) -> str:
        return str(self.upper) if self.lower is None else f"{self.upper}/{self.lower}"

    def __repr__(self) -> str:
        parts = [str(self.upper)] + ([] if self.lower is None else [str(self.lower)])
        if self.size != self._shortest():
            parts.append(f"size={self.size}")
        return f"HdlcAddress({', '.join(parts)})"


def _narrow(upper: int, lower: int | None, size: int) -> tuple[int, int]:
    """Return both parts as they are written in ``size`` octets."""
    lower = lower or NO_STATION
    if size == 4:
        return upper, lower
    return 0x7F if upper == ALL_STATION else upper, _NARROWED.get(lower, lower)


class Reception(Enum):
    """What a server does with a destination address of another length than its own."""

    COMPARE = auto()
    """Compare both parts, reserved ones included."""
    DISCARD = auto()
    LOWER_ALL_STATION = auto()
    """Take it only if the lower part is all-station; the upper part says who."""
    BOTH_ALL_STATION = auto()
    """Take it only if both parts are all-station."""
    SPECIAL_ONLY = auto()
    """Take it only if both parts are all-station, or it is for the management logical device of a calling device."""


R = Reception

RECEIVED_LENGTHS: Final[Mapping[tuple[int, int], Reception]] = MappingProxyType(
    {
        (1, 1): R.COMPARE,
        (1, 2): R.DISCARD,
        (1, 4): R.DISCARD,
        (2, 1): R.LOWER_ALL_STATION,
        (2, 2): R.COMPARE,
        (2, 4): R.COMPARE,
        (4, 1): R.BOTH_ALL_STATION,
        (4, 2): R.SPECIAL_ONLY,
        (4, 4): R.COMPARE,
    }
)
"""(octets received, octets configured): what to do."""
