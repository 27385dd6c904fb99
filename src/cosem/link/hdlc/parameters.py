"""What SNRM and UA agree on: length of the information field and window, each way (IEC 62056-46, 6.4.4.4.3).

::

    81 80 LL | 05 n v | 06 n v | 07 n v | 08 n v | F0 LL user data
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cosem.errors import ConfigurationError, FrameError
from cosem.link.hdlc.frame import LARGEST_INFORMATION

__all__ = ["DEFAULT_PARAMETERS", "HdlcParameters", "Negotiation", "decode_negotiation"]

_FORMAT_IDENTIFIER: Final = 0x81
_PARAMETERS: Final = 0x80
_USER_DATA: Final = 0xF0
_SMALLEST_INFORMATION: Final = 32
_LARGEST_WINDOW: Final = 7


@dataclass(frozen=True, slots=True)
class HdlcParameters:
    """What one station can do, in its own view.

    Args:
        max_info_transmit: Octets of information in a frame that it sends, 32..2030.
        max_info_receive: Octets of information in a frame that it takes, 32..2030.
        window_transmit: Frames that it sends before an acknowledgement, 1..7.
        window_receive: Frames that it takes before it acknowledges, 1..7.

    Raises:
        ConfigurationError: A number is out of range.

    >>> HdlcParameters().encode().hex(" ")
    '81 80 12 05 01 80 06 01 80 07 04 00 00 00 01 08 04 00 00 00 01'
    >>> HdlcParameters(256, 2030, 7, 3).answer(HdlcParameters(128, 512, 1, 7))
    HdlcParameters(max_info_transmit=256, max_info_receive=128, window_transmit=7, window_receive=1)
    """

    max_info_transmit: int = 128
    max_info_receive: int = 128
    window_transmit: int = 1
    window_receive: int = 1

    def __post_init__(self) -> None:
        for size in (self.max_info_transmit, self.max_info_receive):
            if not _SMALLEST_INFORMATION <= size <= LARGEST_INFORMATION:
                raise ConfigurationError(
                    f"an HDLC information field of {size} octets is outside "
                    f"{_SMALLEST_INFORMATION}..{LARGEST_INFORMATION}"
                )
        for window in (self.window_transmit, self.window_receive):
            if not 1 <= window <= _LARGEST_WINDOW:
                raise ConfigurationError(f"an HDLC window of {window} is outside 1..{_LARGEST_WINDOW}")

    def answer(self, proposal: HdlcParameters) -> HdlcParameters:
        """Return what a station that can do this agrees to, in its own view, when the peer proposes that."""
        return HdlcParameters(
            min(self.max_info_transmit, proposal.max_info_receive),
            min(self.max_info_receive, proposal.max_info_transmit),
            min(self.window_transmit, proposal.window_receive),
            min(self.window_receive, proposal.window_transmit),
        )

    def encode(self, user_data: bytes = b"") -> bytes:
        """Return the information field of SNRM or UA.

        Raises:
            ConfigurationError: The user data has more than 255 octets.
        """
        if len(user_data) > 0xFF:
            raise ConfigurationError(f"{len(user_data)} octets of user data do not fit into SNRM or UA")
        group = bytearray()
        for identifier, size in ((5, self.max_info_transmit), (6, self.max_info_receive)):
            length = 1 if size <= 0xFF else 2
            group += bytes((identifier, length)) + size.to_bytes(length, "big")
        for identifier, window in ((7, self.window_transmit), (8, self.window_receive)):
            group += bytes((identifier, 4)) + window.to_bytes(4, "big")
        octets = bytes((_FORMAT_IDENTIFIER, _PARAMETERS, len(group))) + bytes(group)
        return octets + bytes((_USER_DATA, len(user_data))) + user_data if user_data else octets


DEFAULT_PARAMETERS: Final = HdlcParameters()
"""What holds where nothing is said: 128 octets, window 1."""


@dataclass(frozen=True, slots=True)
class Negotiation:
    """The information field of SNRM or UA.

    Args:
        parameters: In the view of the sender, brought into their ranges.
        user_data: What is meant for the application layer.
    """

    parameters: HdlcParameters = DEFAULT_PARAMETERS
    user_data: bytes = b""


def decode_negotiation(information: bytes) -> Negotiation:
    """Return what an information field of SNRM or UA says; an empty one means the defaults.

    Numbers of 1 to 4 octets are taken; parameters that are missing, zero or absurdly large count as their default
    or limit; groups and parameters that nobody knows are left out.

    Raises:
        FrameError: Another format, or a length that reaches beyond the field.
    """
    if not information:
        return Negotiation()
    if information[0] != _FORMAT_IDENTIFIER:
        raise FrameError(f"format identifier {information[0]:02X} of SNRM or UA is not 81", 0)
    numbers: dict[int, int] = {}
    user_data = b""
    for group, start, content in _groups(information, 1):
        if group == _PARAMETERS:
            for identifier, at, number in _groups(content, 0):
                if identifier in range(5, 9):
                    if not 1 <= len(number) <= 4:
                        raise FrameError(f"HDLC parameter {identifier} has {len(number)} octets", start + at)
                    numbers[identifier] = int.from_bytes(number, "big")
        elif group == _USER_DATA:
            user_data = content
    sizes = [numbers.get(identifier) or 128 for identifier in (5, 6)]
    windows = [numbers.get(identifier) or 1 for identifier in (7, 8)]
    return Negotiation(
        HdlcParameters(
            *(min(max(size, _SMALLEST_INFORMATION), LARGEST_INFORMATION) for size in sizes),
            *(min(window, _LARGEST_WINDOW) for window in windows),
        ),
        user_data,
    )


def _groups(octets: bytes, start: int) -> list[tuple[int, int, bytes]]:
    """Return identifier, place and content of every (identifier, length, content) from ``start`` on."""
    found = []
    while start < len(octets):
        if start + 2 > len(octets):
            raise FrameError("the length of an HDLC parameter is missing", start)
        stop = start + 2 + octets[start + 1]
        if stop > len(octets):
            raise FrameError("an HDLC parameter reaches beyond the information field", start)
        found.append((octets[start], start + 2, octets[start + 2 : stop]))
        start = stop
    return found
