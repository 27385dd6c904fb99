"""Frames of HDLC: format type 3, without transparency (IEC 62056-46, 6.4).

::

    7E | A0..AF length | destination | source | control | HCS | information | FCS | 7E

The length counts every octet between the flags. HCS stands only before
information; both check sequences are those of :mod:`~cosem.link.hdlc.checksum`.
Nothing is escaped: an octet 7E inside is data, so frames are cut by their length.
"""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from cosem.errors import EncodeError, FrameError
from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.checksum import MIRROR, PRESET, RESIDUE, wire

__all__ = [
    "CONTROLS",
    "FLAG",
    "LARGEST_FRAME",
    "LARGEST_INFORMATION",
    "SMALLEST_FRAME",
    "Control",
    "Frame",
    "FrameKind",
    "address_size",
    "control_octet",
    "decode_frame",
    "encode_frame",
    "frame_octets",
    "read_frame",
]

FLAG: Final = 0x7E
LARGEST_FRAME: Final = 0x7FF
"""Octets between the flags, at most: the length has 11 bits."""
SMALLEST_FRAME: Final = 7
LARGEST_INFORMATION: Final = 2030
"""Octets of information that fit beside the longest header."""

_FORMAT: Final = Struct(">H")
_FORMAT_TYPE_3: Final = 0xA000
_SEGMENTATION: Final = 0x0800


class FrameKind(Enum):
    """The frames of the repertoire (table 5); the value is their pattern without P/F and numbers."""

    I = 0x00  # noqa: E741 -- its name in the standard
    RR = 0x01
    RNR = 0x05
    SNRM = 0x83
    DISC = 0x43
    UA = 0x63
    DM = 0x0F
    FRMR = 0x87
    UI = 0x03
    UNKNOWN = -1
    """Not in the repertoire, for example REJ."""


@dataclass(frozen=True, slots=True)
class Control:
    """What a control octet says.

    Args:
        octet: The octet itself.
        kind: Which frame.
        final: P/F: the peer may speak now (poll), or the burst ends here (final).
        receive_number: N(R), in I, RR and RNR.
        send_number: N(S), in I.
    """

    octet: int
    kind: FrameKind
    final: bool
    receive_number: int = 0
    send_number: int = 0


_UNNUMBERED: Final = {
    kind.value: kind
    for kind in (FrameKind.SNRM, FrameKind.DISC, FrameKind.UA, FrameKind.DM, FrameKind.FRMR, FrameKind.UI)
}


def _control(octet: int) -> Control:
    final = bool(octet & 0x10)
    if not octet & 1:
        return Control(octet, FrameKind.I, final, octet >> 5, octet >> 1 & 7)
    if octet & 0x0F == FrameKind.RR.value:
        return Control(octet, FrameKind.RR, final, octet >> 5)
    if octet & 0x0F == FrameKind.RNR.value:
        return Control(octet, FrameKind.RNR, final, octet >> 5)
    return Control(octet, _UNNUMBERED.get(octet & 0xEF, FrameKind.UNKNOWN), final)


CONTROLS: Final = tuple(_control(octet) for octet in range(256))
"""What each control octet says."""


def control_octet(kind: FrameKind, *, final: bool, receive_number: int = 0, send_number: int = 0) -> int:
    """Return a control octet; the numbers count modulo 8.

    >>> hex(control_octet(FrameKind.SNRM, final=True))
    '0x93'
    >>> hex(control_octet(FrameKind.I, final=True, receive_number=2, send_number=1))
    '0x52'
    """
    poll_final = 0x10 if final else 0
    pattern: int = kind.value
    if kind is FrameKind.I:
        return poll_final | (receive_number & 7) << 5 | (send_number & 7) << 1
    if kind is FrameKind.RR or kind is FrameKind.RNR:
        return pattern | poll_final | (receive_number & 7) << 5
    return pattern | poll_final


class Frame(NamedTuple):
    """One frame.

    Args:
        destination: Whom it is for.
        source: Who sent it.
        control: What it is.
        information: What it carries.
        segmented: More segments of the same message follow.
    """

    destination: HdlcAddress
    source: HdlcAddress
    control: Control
    information: bytes = b""
    segmented: bool = False


def frame_octets(
    addresses: bytes, control: int, information: bytes = b"", *, segmented: bool = False
) -> bytes:
    """Return a frame with both flags, from ready-made address octets.

    Raises:
        EncodeError: It is longer than 2047 octets.
    """
    size = len(addresses) + (len(information) + 7 if information else 5)
    if size > LARGEST_FRAME:
        raise EncodeError(f"an HDLC frame of {size} octets exceeds {LARGEST_FRAME}")
    head = _FORMAT.pack(_FORMAT_TYPE_3 | size | (_SEGMENTATION if segmented else 0)) + addresses
    head += control.to_bytes(1, "big")
    header_check = wire(crc_hqx(head.translate(MIRROR), PRESET))
    if not information:
        return b"\x7e%b%b\x7e" % (head, header_check)
    frame_check = wire(crc_hqx(information.translate(MIRROR), RESIDUE))
    return b"\x7e%b%b%b%b\x7e" % (head, header_check, information, frame_check)


def encode_frame(frame: Frame) -> bytes:
    """Return a frame with both flags.

    Raises:
        EncodeError: It is longer than 2047 octets.

    >>> snrm = Frame(HdlcAddress(1, 17, size=4), HdlcAddress(16), CONTROLS[0x93])
    >>> encode_frame(snrm).hex(" ")
    '7e a0 0a 00 02 00 23 21 93 18 71 7e'
    """
    return frame_octets(
        frame.destination.octets + frame.source.octets,
        frame.control.octet,
        frame.information,
        segmented=frame.segmented,
    )


_address = lru_cache(maxsize=512)(HdlcAddress.decode)


def address_size(octets: bytes, start: int) -> int:
    """Return how many octets the address at ``start`` has; 0 if it has no allowed length or is cut."""
    if octets[start] & 1:
        return 1
    if octets[start + 1] & 1:
        return 2
    return 4 if not octets[start + 2] & 1 and octets[start + 3] & 1 else 0


def read_frame(data: bytes, start: int, stop: int, *, verify: bool = True) -> Frame:
    """Return the frame between the flags, ``data[start:stop]``, whose format field was looked at.

    Args:
        data: Octets, with those of the frame.
        start: Where its format field begins.
        stop: Where its closing flag stands.
        verify: Whether a wrong FCS is an error; a wrong HCS always is.

    Raises:
        FrameError: Address, header check or frame check is wrong.
    """
    at = start + 2
    first = 1 if data[at] & 1 else address_size(data, at)
    at += first
    if not first or at >= stop - 3:
        raise FrameError("the destination address has no allowed length", start + 2)
    second = 1 if data[at] & 1 else address_size(data, at)
    control = at + second
    if not second or control > stop - 3:
        raise FrameError("the source address has no allowed length", at)
    destination, source = _address(data[start + 2 : at]), _address(data[at:control])
    after = control + 3
    state = crc_hqx(data[start:after].translate(MIRROR), PRESET)
    segmented = bool(data[start] & 8)
    if state != RESIDUE:
        if after == stop and not verify:
            return Frame(destination, source, CONTROLS[data[control]], b"", segmented)
        raise FrameError(
            "the header check sequence is wrong" if after < stop else "the FCS is wrong", control + 1
        )
    if after == stop:
        return Frame(destination, source, CONTROLS[data[control]], b"", segmented)
    if stop - after < 3:
        raise FrameError("the length leaves no place for information and FCS", start)
    if verify and crc_hqx(data[after:stop].translate(MIRROR), RESIDUE) != RESIDUE:
        raise FrameError("the FCS is wrong", stop - 2)
    return Frame(destination, source, CONTROLS[data[control]], data[after : stop - 2], segmented)


def decode_frame(octets: bytes) -> Frame:
    """Return the frame of ``octets``, whole, with both flags.

    Raises:
        FrameError: They are no frame; ``offset`` says where.

    >>> decode_frame(bytes.fromhex("7E A0 08 02 23 21 93 BD 64 7E")).control.kind.name
    'SNRM'
    """
    size = len(octets)
    if size < SMALLEST_FRAME + 2:
        raise FrameError(f"{size} octets are no HDLC frame", size)
    if octets[0] != FLAG or octets[-1] != FLAG:
        raise FrameError("the flags 7E do not stand at both ends", 0 if octets[0] != FLAG else size - 1)
    if octets[1] & 0xF0 != 0xA0:
        raise FrameError(f"frame format {octets[1] >> 4:X} is not type 3", 1)
    length = _FORMAT.unpack_from(octets, 1)[0] & LARGEST_FRAME
    if length != size - 2:
        raise FrameError(f"the length says {length} octets, there are {size - 2}", 1)
    return read_frame(octets, 1, size - 1)
