"""The messages of IEC 62056-21: sign-on, identification, option select, data and commands.

All of them are seven-bit text with even parity. Where the port knows no parity,
:func:`with_even_parity` makes the same octets by computation; who receives masks
the eighth bit away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from types import MappingProxyType
from typing import Final

from cosem.errors import ConfigurationError, FrameError
from cosem.link.base import DEFAULT_LINE, LineSettings

__all__ = [
    "ACK",
    "BREAK",
    "DEFAULT_LINE",
    "EOT",
    "ETX",
    "MODE_B_BAUD",
    "MODE_C_BAUD",
    "NAK",
    "SOH",
    "STX",
    "Command",
    "Identification",
    "LineSettings",
    "block_check",
    "command_message",
    "data_message",
    "option_select",
    "parse_message",
    "sign_on_message",
    "with_even_parity",
    "without_parity",
]

SOH: Final = 0x01
STX: Final = 0x02
ETX: Final = 0x03
EOT: Final = 0x04
ACK: Final = 0x06
NAK: Final = 0x15

MODE_C_BAUD: Final = MappingProxyType(dict(zip("0123456", (300 << shift for shift in range(7)), strict=True)))
"""Baud rates of modes C and E, by their character."""
MODE_B_BAUD: Final = MappingProxyType(dict(zip("ABCDEF", (600 << shift for shift in range(6)), strict=True)))
"""Baud rates of mode B, by their character."""

_EVEN: Final = bytes(octet & 0x7F | (octet & 0x7F).bit_count() % 2 << 7 for octet in range(256))
_MASKED: Final = bytes(octet & 0x7F for octet in range(256))


def with_even_parity(octets: bytes) -> bytes:
    """Return octets with even parity in the eighth bit, for a port that sends eight bits and no parity.

    >>> with_even_parity(sign_on_message()).hex(" ")
    'af 3f 21 8d 0a'
    """
    return octets.translate(_EVEN)


def without_parity(octets: bytes) -> bytes:
    """Return octets with the eighth bit cleared."""
    return octets.translate(_MASKED)


def sign_on_message(address: str = "") -> bytes:
    """Return the request that wakes a meter: ``/?ADDRESS!``; without an address everybody answers.

    Raises:
        ConfigurationError: The address is longer than 32 characters, or has others than letters, digits and spaces.
    """
    if len(address) > 32 or not re.fullmatch(r"[0-9A-Za-z ]*", address):
        raise ConfigurationError(f"{address!r} is no device address of at most 32 letters, digits and spaces")
    return f"/?{address}!\r\n".encode("ascii")


def option_select(protocol: str, baud_character: str, mode: str) -> bytes:
    r"""Return acknowledgement and option select: ACK V Z Y.

    Args:
        protocol: V: ``"0"`` normal, ``"1"`` secondary, ``"2"`` HDLC.
        baud_character: Z.
        mode: Y: ``"0"`` readout, ``"1"`` programming, ``"2"`` binary (HDLC), ``"6"``-``"9"`` the maker's own.

    >>> option_select("2", "5", "2")
    b'\x06252\r\n'
    """
    return f"\x06{protocol}{baud_character}{mode}\r\n".encode("ascii")


# The standard has printable characters, at most 16, without the two that begin and end something.
_IDENTIFICATION: Final = re.compile(
    r"/(?P<maker>[A-Za-z]{3})(?P<baud>[ -~])(?P<escapes>(?:\\[ -~])*)(?P<text>[ \"-.0-~]{0,16})\r?\n?"
)


@dataclass(frozen=True, slots=True)
class Identification:
    r"""What a meter answers to the sign-on: ``/XXXZ\2Ident``.

    Args:
        manufacturer: Three letters (flag id).
        baud_character: The fastest rate that it offers, or anything else in mode A.
        escapes: The characters of the ``\W`` sequences, for example ``("2",)``.
        text: The identification of the device, at most 16 characters by the standard.

    >>> meter = Identification.parse("/LGZ5\\2ZMF100AC.M23\r\n")
    >>> meter.manufacturer, meter.mode, meter.baud, meter.text
    ('LGZ', 'E', 9600, 'ZMF100AC.M23')
    """

    manufacturer: str
    baud_character: str
    escapes: tuple[str, ...] = ()
    text: str = ""

    @classmethod
    def parse(cls, line: str) -> Identification:
        """Return what a line says.

        Raises:
            FrameError: It is no identification.
        """
        found = _IDENTIFICATION.fullmatch(line)
        if found is None:
            raise FrameError(f"{line[:40]!r} is no identification message")
        return cls(found["maker"], found["baud"], tuple(found["escapes"][1::2]), found["text"])

    def encode(self) -> bytes:
        """Return the message, CR LF included."""
        escapes = "".join(f"\\{each}" for each in self.escapes)
        return f"/{self.manufacturer}{self.baud_character}{escapes}{self.text}\r\n".encode("ascii", "replace")

    @property
    def hdlc(self) -> bool:
        """Whether the meter can go over to HDLC (mode E)."""
        return "2" in self.escapes and self.baud_character in MODE_C_BAUD

    @property
    def mode(self) -> str:
        """``"A"``, ``"B"``, ``"C"`` or ``"E"``; mode D sends without being asked."""
        if self.hdlc:
            return "E"
        if self.baud_character in MODE_C_BAUD:
            return "C"
        return "B" if self.baud_character in MODE_B_BAUD else "A"

    @property
    def baud(self) -> int:
        """The fastest rate that it offers; 300 in mode A."""
        return MODE_C_BAUD.get(self.baud_character) or MODE_B_BAUD.get(self.baud_character, 300)

    @property
    def reaction_time(self) -> float:
        """The least time between two messages, seconds: 0.02 if the third letter is small, else 0.2."""
        return 0.02 if self.manufacturer[2].islower() else 0.2


def block_check(octets: bytes) -> int:
    """Return the block check character: exclusive or of everything after SOH or STX, ETX included."""
    return reduce(xor, octets, 0)


def data_message(text: str) -> bytes:
    """Return a data message: STX text ETX BCC."""
    body = text.encode("ascii") + bytes((ETX,))
    return bytes((STX,)) + body + bytes((block_check(body),))


# Some meters name the address before it; there, a text that only begins as an error does is a value.
_ERROR: Final = re.compile(r"(?:\((ER[^()]*)\)|[^()\r\n]+\((ER\d{1,3})\))\s*")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or the answer to one, of programming mode.

    Args:
        name: ``P0``-``P2`` password, ``R1``-``R6`` read, ``W1``-``W6`` write, ``E2`` execute, ``B0`` end; empty in
            answers.
        data: Data sets as text, for example ``1.8.0()``.
        more: Whether further blocks follow (EOT instead of ETX).
    """

    name: str
    data: str = ""
    more: bool = False

    @property
    def error(self) -> str:
        """The error that the meter reports, for example ``ER01``; empty if it reports none.

        >>> Command("", "(ER01)").error, Command("", "1.8.0(ER01)").error, Command("", "1.8.0(1)").error
        ('ER01', 'ER01', '')
        """
        found = None if self.name else _ERROR.fullmatch(self.data)
        return "" if found is None else found[1] or found[2]


def command_message(command: Command) -> bytes:
    """Return a command as sent: SOH name STX data ETX BCC.

    >>> command_message(Command("B0")).hex(" ")
    '01 42 30 03 71'

    Raises:
        ConfigurationError: The name is no command, or the data are no text of seven bits.
    """
    if not re.fullmatch(r"[PWREB]\d", command.name):
        raise ConfigurationError(f"{command.name!r} is no command of programming mode")
    if not command.data.isascii() or re.search(r"[\x01-\x04]", command.data):
        raise ConfigurationError("the data of a command are text of seven bits without control characters")
    body = command.name.encode("ascii")
    if command.data:
        body += bytes((STX,)) + command.data.encode("ascii")
    body += bytes((EOT if command.more else ETX,))
    return bytes((SOH,)) + body + bytes((block_check(body),))


BREAK: Final = command_message(Command("B0"))
"""Ends programming mode."""


def parse_message(octets: bytes) -> Command:
    """Return the command, answer or data message of ``octets``, whole, without parity.

    Raises:
        FrameError: Its ends or its block check are wrong.
    """
    if len(octets) < 3 or octets[0] not in {SOH, STX}:
        raise FrameError("a message begins with SOH or STX and ends with ETX and a block check")
    if octets[-2] not in {ETX, EOT}:
        raise FrameError("ETX or EOT is missing before the block check", len(octets) - 2)
    if block_check(octets[1:-1]) != octets[-1]:
        raise FrameError(
            f"the block check is {octets[-1]:02X}, not {block_check(octets[1:-1]):02X}", len(octets) - 1
        )
    body = octets[1:-2].decode("latin-1")
    more = octets[-2] == EOT
    if octets[0] == STX:
        return Command("", body, more)
    name, _, data = body.partition("\x02")
    return Command(name, data, more)
