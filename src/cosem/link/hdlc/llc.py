"""The LLC sublayer: three octets before the APDU, in the first segment of a message (IEC 62056-46, clause 5).

``E6 E6 00`` goes from client to server, ``E6 E7 00`` from server to client;
``FF`` instead of the first octet is the broadcast LSAP. What real meters do
otherwise is taken and named.
"""

from __future__ import annotations

from typing import Final

from cosem.errors import FrameError

__all__ = ["COMMAND", "LLC_DIRECTION", "LLC_MISSING", "LLC_TWICE", "RESPONSE", "split_llc", "streams_on"]

COMMAND: Final = b"\xe6\xe6\x00"
"""From client to server."""
RESPONSE: Final = b"\xe6\xe7\x00"
"""From server to client."""

LLC_MISSING: Final = "hdlc-llc-missing"
"""Finding: an APDU follows the HDLC header at once."""
LLC_TWICE: Final = "hdlc-llc-twice"
"""Finding: the LLC header stands there two times (seen in an AARE)."""
LLC_DIRECTION: Final = "hdlc-llc-direction"
"""Finding: the LLC header is that of the other direction."""

_BROADCAST: Final = {b"\xff\xe6\x00": COMMAND, b"\xff\xe7\x00": RESPONSE}

# First octets of xDLMS and ACSE APDUs (clause 8, and DataNotification, general protection and block transfer of the
# later editions); E6 and E7, the prefixes of the gateway protocol, cannot be told from a damaged LLC header.
_APDU_TAGS: Final = frozenset(
    (
        *(0x01, 0x05, 0x06, 0x08, 0x0C, 0x0D, 0x0E, 0x0F, 0x16, 0x18),
        *(0x1D, 0x21, 0x25, 0x26, 0x28, 0x2C, 0x2D),
        *range(0x60, 0x64),
        *(*range(0xC0, 0xC8), 0xC8, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF),
        *(*range(0xD0, 0xE1),),
    )
)


def split_llc(lpdu: bytes, expected: bytes | None = None) -> tuple[bytes, tuple[str, ...]]:
    r"""Return the APDU of a message, and what was tolerated.

    Args:
        lpdu: The message, with its LLC header.
        expected: :data:`COMMAND` or :data:`RESPONSE`; ``None`` if both may come.

    Raises:
        FrameError: There is neither an LLC header nor an APDU.

    >>> split_llc(bytes.fromhex("E6 E7 00 C4 01"), RESPONSE)
    (b'\xc4\x01', ())
    >>> split_llc(bytes.fromhex("0F 00"), RESPONSE)
    (b'\x0f\x00', ('hdlc-llc-missing',))
    """
    header = _BROADCAST.get(lpdu[:3], lpdu[:3])
    if header not in {COMMAND, RESPONSE}:
        if lpdu[:1] and lpdu[0] in _APDU_TAGS:
            return lpdu, (LLC_MISSING,)
        raise FrameError(f"{lpdu[:3].hex(' ') or 'nothing'} stands where the LLC header should be")
    findings: tuple[str, ...] = () if expected in {None, header} else (LLC_DIRECTION,)
    if lpdu[3:6] == header:
        return lpdu[6:], (*findings, LLC_TWICE)
    return lpdu[3:], findings


def streams_on(lpdu: bytes) -> bool:
    """Return whether a message is a general block after which others follow without being asked for.

    Whoever waits for them must give the turn again: with general block transfer one request
    has several answers, and only the first block says so (STR, later editions).

    >>> (
    ...     streams_on(bytes.fromhex("E6 E7 00 E0 48 0001 0000 01 C4")),
    ...     streams_on(bytes.fromhex("E6 E7 00 C4 01")),
    ... )
    (True, False)
    >>> streams_on(bytes.fromhex("E6 E7 00 E7 00 02 3132 E0 48 0001 0000 01 C4"))  # through a gateway
    True
    """
    at = 3
    if lpdu[at : at + 1] == b"\xe7" and len(lpdu) > at + 2:
        at += 3 + lpdu[at + 2]
    return lpdu[at : at + 1] == b"\xe0" and len(lpdu) > at + 1 and bool(lpdu[at + 1] & 0x40)
