"""M-Bus as a carrier of COSEM: wired frames and the transport layer with segments (EN 13757-2 and -3).

Annex A's three duties for this profile:

- *What identifies an association*: the M-Bus address of the meter, and the two
  transport addresses STSAP and DTSAP. What meters push needs none.
- *How services map on the layer below*: each APDU is cut into segments of at most
  250 octets; unconfirmed services, and pushes, go to everybody (address FF).
- *What it adds to COSEM-OPEN*: M-Bus address, STSAP and DTSAP.

::

    68 L L 68 | C | A | CI | STSAP | DTSAP | part of the APDU | checksum | 16

CI 00..1F: bit 4 says that it is the last segment, bits 3 to 0 count from 0.
CI 7C and 7D, 60 and 61 have a header of the transport layer before STSAP.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived

__all__ = [
    "BROADCAST",
    "LARGEST_PART",
    "MBUS_ENCRYPTED",
    "MBUS_SEGMENT_MISSING",
    "MbusFrame",
    "MbusListener",
    "MbusParser",
    "decode_mbus_frame",
    "encode_mbus_frame",
    "wrap_mbus",
]

BROADCAST: Final = 0xFF
"""Address: everybody, and nobody answers."""
LARGEST_PART: Final = 250
"""Octets of an APDU that fit into one frame."""
MBUS_ENCRYPTED: Final = "mbus-encrypted-mode-"
"""A finding, the mode behind it: the transport layer has encrypted what is no APDU therefore (EN 13757-7)."""
MBUS_SEGMENT_MISSING: Final = "mbus-segment-missing"
"""Counted when segments do not follow each other, for example after joining late."""

_SND_UD: Final = 0x53
_LONG: Final = 0x68
_SHORT: Final = 0x10
_STOP: Final = 0x16
_ACKNOWLEDGE: Final = 0xE5
_LAST: Final = 0x10
_SEGMENT: Final = 0x0F
_LARGEST_MESSAGE: Final = 0x10000
_SEGMENTED: Final = range(0x20)
# Application data of COSEM behind a long or short header of the transport layer (EN 13757-3).
_HEADERS: Final = {0x60: 12, 0x7C: 12, 0x61: 4, 0x7D: 4}


@dataclass(frozen=True, slots=True)
class MbusFrame:
    """One frame of the wired link layer.

    Args:
        control: C, for example 53 SND-UD, 08 RSP-UD.
        address: A: 1..250 a meter, FD by secondary address, FF everybody.
        ci: CI, what the data are; ``None`` in a short frame, which has neither.
        data: What follows CI.
    """

    control: int
    address: int
    ci: int | None = None
    data: bytes = b""


def encode_mbus_frame(frame: MbusFrame) -> bytes:
    """Return a frame.

    Raises:
        EncodeError: It has more than 252 octets of data, or data without CI.
    """
    if frame.ci is None:
        if frame.data:
            raise EncodeError("a short M-Bus frame has no data")
        return bytes((_SHORT, frame.control, frame.address, (frame.control + frame.address) & 0xFF, _STOP))
    body = bytes((frame.control, frame.address, frame.ci)) + frame.data
    if len(body) > 0xFF:
        raise EncodeError(f"{len(frame.data)} octets of data do not fit into an M-Bus frame")
    return bytes((_LONG, len(body), len(body), _LONG)) + body + bytes((sum(body) & 0xFF, _STOP))


def decode_mbus_frame(octets: bytes) -> MbusFrame:
    """Return the frame of ``octets``, whole.

    Raises:
        FrameError: They are no M-Bus frame, or the checksum is wrong.

    >>> decode_mbus_frame(bytes.fromhex("10 40 01 41 16"))
    MbusFrame(control=64, address=1, ci=None, data=b'')
    """
    if octets[:1] == bytes((_SHORT,)) and len(octets) == 5:
        body, data = octets[1:3], b""
    elif len(octets) >= 9 and octets[0] == octets[3] == _LONG and octets[1] == octets[2] == len(octets) - 6:
        body, data = octets[4:-2], octets[7:-2]
    else:
        raise FrameError(f"{octets[:4].hex(' ') or 'nothing'} begins no M-Bus frame of {len(octets)} octets")
    if octets[-1] != _STOP:
        raise FrameError("the stop octet 16 is missing", len(octets) - 1)
    if sum(body) & 0xFF != octets[-2]:
        raise FrameError(f"the checksum is {octets[-2]:02X}, not {sum(body) & 0xFF:02X}", len(octets) - 2)
    return MbusFrame(body[0], body[1], body[2] if len(body) > 2 else None, data)


class MbusParser:
    """Finds M-Bus frames in octets that come in any cut, with rubbish between them.

    What fails is given up octet by octet; never more than one unfinished frame is kept.

    >>> parser = MbusParser()
    >>> parser.feed(bytes.fromhex("FF 68 10 40 01 41 16 E5"))
    [MbusFrame(control=64, address=1, ci=None, data=b'')]
    """

    __slots__ = ("_buffer", "acknowledgements", "discarded")

    def __init__(self) -> None:
        self._buffer = b""
        self.acknowledgements = 0
        """Single characters E5."""
        self.discarded = 0
        """Octets that belonged to no good frame."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, octets: bytes) -> list[MbusFrame]:
        """Return every frame that is whole now."""
        return self._scan(self._buffer + octets, more=True)

    def idle(self) -> list[MbusFrame]:
        """Give up the frame that has begun, after a silence, and return what is found inside it."""
        return self._scan(self._buffer, more=False)

    def _scan(self, data: bytes, *, more: bool) -> list[MbusFrame]:
        found = []
        pos, end = 0, len(data)
        while pos < end:
            size = self._size(data, pos)
            if size and pos + size > end:
                if more:
                    break
                size = 0
            if size:
                try:
                    found.append(decode_mbus_frame(data[pos : pos + size]))
                    pos += size
                    continue
                except FrameError:
                    pass
            if data[pos] == _ACKNOWLEDGE:
                self.acknowledgements += 1
            else:
                self.discarded += 1
            pos += 1
        self._buffer = data[pos:]
        return found

    @staticmethod
    def _size(data: bytes, pos: int) -> int:
        """Return how long the frame at ``pos`` would be, as far as can be told; 0 if there is none."""
        if data[pos] == _SHORT:
            return 5
        if data[pos] != _LONG:
            return 0
        head = data[pos : pos + 4]
        if len(head) > 2 and head[1] != head[2]:
            return 0
        if len(head) > 3 and head[3] != _LONG:
            return 0
        if len(head) > 1 and head[1] < 3:
            return 0
        return head[1] + 6 if len(head) > 3 else 9


class MbusListener:
    """Finds the APDUs that meters push over M-Bus, their segments put together.

    Args:
        most: Longest APDU that is taken, octets.

    >>> listener = MbusListener()
    >>> listener.feed(bytes.fromhex("680F0F6853FF1001670F000000010001011101EE16"))[0].apdu.hex()
    '0f000000010001011101'
    """

    __slots__ = ("_most", "_open", "_parts", "ignored", "parser")

    def __init__(self, *, most: int = _LARGEST_MESSAGE) -> None:
        self._most = most
        self._parts = bytearray()
        self._open: tuple[int, int, int, int] | None = None  # address, STSAP, DTSAP, next segment
        self.parser = MbusParser()
        self.ignored: Counter[str] = Counter()
        """Good frames that carry no APDU, by reason."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self.parser.partial

    def feed(self, octets: bytes) -> list[ApduReceived]:
        """Return every APDU that is whole now."""
        return self.take(self.parser.feed(octets))

    def idle(self) -> list[ApduReceived]:
        """Give up what has begun, after a silence or at the end, and return what is found inside it."""
        found = self.take(self.parser.idle())
        self._drop()
        return found

    def take(self, frames: list[MbusFrame]) -> list[ApduReceived]:
        """Return every APDU that frames end which somebody else has found."""
        taken = []
        for frame in frames:
            if frame.ci is None:
                self.ignored["short frame"] += 1
            elif frame.ci in _SEGMENTED and len(frame.data) > 2:
                apdu = self._segment(frame, frame.ci)
                if apdu is not None:
                    taken.append(apdu)
            elif frame.ci in _HEADERS and len(frame.data) > _HEADERS[frame.ci] + 2:
                size = _HEADERS[frame.ci]
                data = frame.data[size:]
                mode = frame.data[size - 1] & 0x1F  # in the high octet of the configuration field
                findings = (f"{MBUS_ENCRYPTED}{mode}",) if mode else ()
                taken.append(ApduReceived(data[2:], data[0], data[1], confirmed=False, findings=findings))
            else:
                self.ignored[f"CI {frame.ci:02X}"] += 1
        return taken

    def _segment(self, frame: MbusFrame, ci: int) -> ApduReceived | None:
        """Take one segment; return the APDU that it ends, if it does."""
        source, destination, part = frame.data[0], frame.data[1], frame.data[2:]
        number = ci & _SEGMENT
        key = (frame.address, source, destination, number)
        if number == 0:
            self._drop()
        elif self._open != key:
            self._drop()
            self.ignored[MBUS_SEGMENT_MISSING] += 1
            return None
        self._parts += part
        if len(self._parts) > self._most:
            self._drop()
            self.ignored["too long"] += 1
            return None
        if not ci & _LAST:
            self._open = (frame.address, source, destination, number + 1)
            return None
        apdu = bytes(self._parts)
        self._drop()
        return ApduReceived(apdu, source, destination, confirmed=False)

    def _drop(self) -> None:
        self._open = None
        self._parts.clear()


def wrap_mbus(
    apdu: bytes, source: int, destination: int, *, control: int = _SND_UD, address: int = BROADCAST
) -> bytes:
    """Return the frames of an APDU, one after the other.

    Args:
        apdu: The APDU.
        source: STSAP, 0..255; 1 is the management logical device.
        destination: DTSAP, 0..255; 103 takes consumer information.
        control: C.
        address: A.

    Raises:
        EncodeError: It needs more than 16 segments, or is empty.
    """
    if not 0 < len(apdu) <= 16 * LARGEST_PART:
        raise EncodeError(f"an APDU of {len(apdu)} octets does not fit into 16 M-Bus segments")
    frames = bytearray()
    for number, at in enumerate(range(0, len(apdu), LARGEST_PART)):
        last = _LAST if at + LARGEST_PART >= len(apdu) else 0
        part = bytes((source, destination)) + apdu[at : at + LARGEST_PART]
        frames += encode_mbus_frame(MbusFrame(control, address, number | last, part))
    return bytes(frames)
