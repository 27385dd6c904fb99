"""The check sequences of HDLC: CRC-16/X-25, low octet first, through the standard library.

``binascii.crc_hqx`` runs the same polynomial over octets whose bits come in the
other order. So the octets are mirrored by ``bytes.translate``, both at the speed
of C: some thirty times faster than a table in Python. A register that has run
over octets *and* their check sequence always holds :data:`RESIDUE`; therefore
the second check sequence of a frame needs no second run over its header.

(IEC 62056-46; ISO/IEC 13239)
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

__all__ = ["MIRROR", "PRESET", "RESIDUE", "check_sequence", "register", "wire"]

MIRROR: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
"""Each octet with its bits in the other order, for ``bytes.translate``."""

PRESET: Final = 0xFFFF
"""The register before the first octet."""

RESIDUE: Final = 0x1D0F
"""The register after octets and their right check sequence."""


def register(octets: bytes, start: int = PRESET) -> int:
    """Return the register after ``octets``, from ``start`` on."""
    return crc_hqx(octets.translate(MIRROR), start)


def wire(state: int) -> bytes:
    """Return the two octets of the check sequence of a register, as sent."""
    return (state ^ 0xFFFF).to_bytes(2, "big").translate(MIRROR)


def check_sequence(octets: bytes) -> bytes:
    """Return the two octets that follow ``octets`` on the line.

    >>> check_sequence(b"123456789").hex(" "), check_sequence(bytes.fromhex("03 3F")).hex(" ")
    ('6e 90', '5b ec')
    """
    return wire(register(octets))
