"""Protocols that meters speak and that are not DLMS/COSEM, told from their octets."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Strangers", "iec62056_21", "other_protocols", "seven_bits"]

_SML: Final = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"
_SML_END: Final = re.compile(rb"\x1b\x1b\x1b\x1b\x1a[\x00-\x03]")
_TIC: Final = re.compile(
    rb"(?:^|[\n\x02])(?:ADCO|ADSC|OPTARIF|ISOUSC|BASE|PTEC|PAPP|EAST|IINST[123]?|NGTF|LTARF|VTIC|DATE|HCHC|HCHP)"
    rb"[ \t][^\r\n]{1,40}[ \t].\r?(?:\n|\x03|\Z)"
)
_SIGN_ON: Final = re.compile(rb"/\?[0-9A-Za-z]{0,32}!\r\n")
_IDENTIFICATION: Final = re.compile(rb"(?:^|[\n\x00])/([A-Za-z]{3})([0-9A-I])([^\r\n]{0,24})\r?\n")
_DATA_SET: Final = re.compile(
    rb"(?:^|\n)(?:\d+-\d+:)?[0-9A-Z]+\.[0-9A-Z]+(?:\.\d+)?(?:[*&.]\d+)?\([^()\r\n]*\)"
)
_OMS: Final = frozenset({0x44, 0x46, 0x06, 0x08, 0x48})
_OMS_CI: Final = frozenset({0x72, 0x78, 0x7A, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0xA0, 0xA2})


def other_protocols(part: bytes) -> list[str]:
    r"""Return the other protocols in octets, in words.

    >>> other_protocols(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01\x76")
    ['SML (Smart Message Language, Germany): another protocol, not DLMS/COSEM; use a reader of SML']
    """
    said = []
    if _SML in part or _SML_END.search(part):
        said.append(
            "SML (Smart Message Language, Germany): another protocol, not DLMS/COSEM; use a reader of SML"
        )
    if _TIC.search(part) or _TIC.search(seven_bits(part)):
        said.append(
            "TIC (télé-information client, France): another protocol, not DLMS/COSEM; use a reader of TIC"
        )
    if _wireless(part):
        said.append("wireless M-Bus (OMS): another protocol, not DLMS/COSEM; use a reader of wireless M-Bus")
    return said


def iec62056_21(part: bytes, *, telegrams: bool) -> list[str]:
    """Return what of IEC 62056-21 is in octets, in words.

    Args:
        part: The octets.
        telegrams: Whether whole telegrams of text were found.
    """
    said = []
    seven = seven_bits(part)
    if _SIGN_ON.search(seven):
        said.append(
            "IEC 62056-21 sign-on: a client asks a meter; cosem speaks it with serial://PORT?mode_e=1"
        )
    found = _IDENTIFICATION.search(seven)
    if telegrams or not found:
        return said
    maker = found[1].decode("ascii").upper()
    after = seven[found.end() :]
    if _DATA_SET.search(after):
        # DSMR and its kin write 5 for the rate, value groups A and B, and a CRC; readouts do not.
        kind = "P1 telegram" if found[2] == b"5" or b":" in after else "readout of IEC 62056-21"
        mark = after.find(b"\n!")
        if mark < 0:
            fault = "its end is missing"
        elif seven != part:
            fault = "octets in it are no text"
        else:
            fault = "its CRC is wrong"
        said.append(f"{kind} of a meter of {maker}: {fault}")
    elif b"\\2" in found[3]:
        said.append(f"IEC 62056-21: identification of a meter of {maker} (mode E, HDLC follows)")
    else:
        said.append(f"IEC 62056-21: identification of a meter of {maker} (readout of text follows)")
    return said


def seven_bits(octets: bytes) -> bytes:
    """Return octets without their bit 7."""
    return octets.translate(_SEVEN)


_SEVEN: Final = bytes(octet & 0x7F for octet in range(256))


def _wireless(part: bytes) -> bool:
    """Whether octets begin like telegrams of wireless M-Bus: length, C, three letters of the maker, CI."""
    pos = 2 if part[:1] == b"\xff" else 0  # some sticks write FF and the type before
    head = part[pos : pos + 12]
    if len(head) < 11 or head[0] < 10 or head[1] not in _OMS:
        return False
    number = int.from_bytes(head[2:4], "little")
    letters = [(number >> shift & 31) + 64 for shift in (10, 5, 0)]
    whole = len(part) - pos in range(head[0] + 1, head[0] + 40)
    return all(65 <= letter <= 90 for letter in letters) and (head[10] in _OMS_CI or whole)


_ENOUGH: Final = 4096


class Strangers:
    """Tells, of a stream in which nothing of DLMS/COSEM was found yet, what else it is."""

    __slots__ = ("_octets", "_said")

    def __init__(self) -> None:
        self._octets: bytearray | None = bytearray()
        self._said: set[str] = set()

    def take(self, octets: bytes, *, ended: bool) -> list[str]:
        """Return what can be told now, each only once.

        Args:
            octets: What came.
            ended: Whether the stream is silent or at its end.
        """
        if self._octets is None:
            return []
        self._octets += octets
        if not ended and len(self._octets) < _ENOUGH:
            return []
        part, self._octets = bytes(self._octets), bytearray()
        said = [*other_protocols(part), *iec62056_21(part, telegrams=False)]
        new = [text for text in said if text not in self._said]
        self._said.update(new)
        return new

    def stop(self) -> None:
        """Something was found: the stream is no stranger."""
        self._octets = None
