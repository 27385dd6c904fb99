"""Frames of HDLC in octets that come in any cut, with rubbish between them.

Frames are found by their flag, cut by their length field and believed by their
check sequences. What fails is given up from its opening flag to the next flag
behind it, and so on: whatever is in the rubbish, a good frame after it is found,
in linear time, and never more than one unfinished frame is kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from cosem.errors import FrameError
from cosem.link.hdlc.checksum import RESIDUE, register
from cosem.link.hdlc.frame import FLAG, SMALLEST_FRAME, Frame, address_size, read_frame

__all__ = ["Damaged", "FrameParser", "frame_at", "header_is_right", "header_is_wrong"]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A frame that did not arrive as it was sent.

    Args:
        problem: What is wrong with it.
        octets: The frame with its flags.
        frame: What it says all the same, if only its FCS is wrong.
    """

    problem: str
    octets: bytes
    frame: Frame | None


class FrameParser:
    """Finds the frames in octets that come in any cut.

    >>> parser = FrameParser()
    >>> frames = parser.feed(bytes.fromhex("00 FF 7E A0 08 02 23 21 93 BD 64 7E A0 08 02 23"))
    >>> frames += parser.feed(bytes.fromhex("21 53 B1 A2 7E"))
    >>> [frame.control.kind.name for frame in frames]
    ['SNRM', 'DISC']
    """

    __slots__ = ("_buffer", "_need", "discarded", "faults")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = 0
        self.discarded = 0
        """Octets that belonged to no good frame and were no flags."""
        self.faults: Counter[str] = Counter()
        """How often a frame was damaged, by problem."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return len(self._buffer) > 1

    def feed(self, octets: bytes) -> list[Frame]:
        """Return every frame that is whole now."""
        found = self.scan(octets)
        return [each for each in found if isinstance(each, Frame)]

    def scan(self, octets: bytes) -> list[Frame | Damaged]:
        """Return every frame that is whole now, and in their places those that are damaged."""
        if self._buffer:
            self._buffer += octets
            if len(self._buffer) < self._need:
                return []
            octets = bytes(self._buffer)
            self._buffer.clear()
        return self._scan(octets, more=True)

    def idle(self) -> list[Frame | Damaged]:
        """Give up the frame that has begun, after a silence, and return what is found inside it."""
        octets = bytes(self._buffer)
        self._buffer.clear()
        return self._scan(octets, more=False)

    def _scan(self, data: bytes, *, more: bool) -> list[Frame | Damaged]:
        """Return what is found in ``data``; keep its unfinished end if ``more`` may come."""
        found: list[Frame | Damaged] = []
        end = len(data)
        used = 0  # everything before is decided
        pos = data.find(FLAG)
        while pos >= 0:
            self.discarded += pos - used
            used = pos
            start = pos + 1
            if end - pos < 3:
                if more and (end - start < 1 or data[start] & 0xF0 == 0xA0 or data[start] == FLAG):
                    break
                size = 0
            else:
                size = (data[start] & 7) << 8 | data[start + 1] if data[start] & 0xF0 == 0xA0 else 0
            if size < SMALLEST_FRAME:
                used = start
                if start < end and data[start] == FLAG:
                    pos = start
                    continue
                pos = data.find(FLAG, start)
                continue
            stop = start + size
            if stop < end and data[stop] == FLAG:
                try:
                    found.append(read_frame(data, start, stop))
                    pos = used = stop
                    continue
                except FrameError:
                    pass
            verdict = _judge(data, start, end, stop)
            if verdict is _WAIT and more:
                break
            if isinstance(verdict, Damaged):
                self.faults[verdict.problem] += 1
                found.append(verdict)
            used = start
            pos = data.find(FLAG, start)
        else:
            self.discarded += end - used
            return found
        self._buffer += data[pos:]
        self._need = 0 if end - pos < 3 else _wanted(data, pos + 1, end)
        return found


_WAIT: Final = object()


def frame_at(data: bytes, pos: int) -> tuple[Frame | Damaged | None, int]:
    """Return the frame whose opening flag stands at ``pos``, for who looks for other things than frames too.

    Returns:
        The frame, whole or damaged, and the octets up to its closing flag, which may open the next one; or
        ``None`` and 0 where there is no frame; or ``None`` and so many octets as are needed to tell.

    >>> frame, size = frame_at(bytes.fromhex("7E A0 08 02 23 21 93 BD 64 7E"), 0)
    >>> frame.control.kind.name, size
    ('SNRM', 9)
    """
    end, start = len(data), pos + 1
    if start < end and data[start] & 0xF0 != 0xA0:
        return None, 0
    if end - pos < 3:
        return None, 3
    size = (data[start] & 7) << 8 | data[start + 1]
    if size < SMALLEST_FRAME:
        return None, 0
    stop = start + size
    if stop < end and data[stop] == FLAG:
        try:
            return read_frame(data, start, stop), 1 + size
        except FrameError:
            pass
    verdict = _judge(data, start, end, stop)
    if verdict is _WAIT:
        return None, max(_wanted(data, start, end), end - pos + 1)
    return (verdict, 1 + size) if isinstance(verdict, Damaged) else (None, 0)


def header_is_right(data: bytes, pos: int) -> bool:
    """Return whether the header of a frame that has information stands at ``pos``, with the right HCS.

    >>> frame = bytes.fromhex("7E A0 14 CF 02 23 13 C4 F9 E6 E7 00 0F 00 00 00 01 00 00 73 A8 7E")
    >>> header_is_right(frame[:9], 0), header_is_right(frame[:8], 0)
    (True, False)
    """
    start, end = pos + 1, len(data)
    if end - pos < 3 or data[start] & 0xF0 != 0xA0:
        return False
    stop = start + ((data[start] & 7) << 8 | data[start + 1])
    after = _header(data, start, min(end, stop))
    return 0 < after <= min(end, stop - 1) and register(data[start:after]) == RESIDUE


def header_is_wrong(data: bytes, pos: int) -> bool:
    """Return whether what begins at ``pos`` is a frame by all but its HCS: what costs least to see comes first.

    >>> frame = bytes.fromhex("7E A0 14 CF 02 23 13 C4 F8 E6 E7 00 0F 00 00 00 01 00 00 73 A8 7E")
    >>> header_is_wrong(frame, 0), header_is_wrong(frame[:8], 0)
    (True, False)
    """
    start, end = pos + 1, len(data)
    if end - pos < 3 or data[start] & 0xF0 != 0xA0:
        return False
    size = (data[start] & 7) << 8 | data[start + 1]
    after = _header(data, start, min(end, start + size))
    return (
        size >= SMALLEST_FRAME
        and 0 < after <= end
        and after < start + size
        and register(data[start:after]) != RESIDUE
    )


def _judge(data: bytes, start: int, end: int, stop: int) -> object:
    """Return what can be said of a frame that is not whole and good: damaged, no frame (``None``), or wait.

    The order of the checks is that in which the octets come; so the verdict does not depend on their cut.
    """
    after = _header(data, start, min(end, stop))
    if after < 0:
        return _WAIT if end < stop else None
    if after == 0 or after > stop:
        return None
    if after > end:
        return _WAIT
    if after < stop and register(data[start:after]) != RESIDUE:
        return Damaged("the header check sequence is wrong", data[start - 1 : after], None)
    if stop >= end:
        return _WAIT
    whole = data[start - 1 : stop + 1]
    if data[stop] != FLAG:
        return Damaged("the closing flag is missing", whole, None)
    try:
        return Damaged(
            "the frame check sequence is wrong", whole, read_frame(data, start, stop, verify=False)
        )
    except FrameError:
        return Damaged("the length leaves no place for information", whole, None)


def _header(data: bytes, start: int, end: int) -> int:
    """Return where the HCS of the frame ends; 0 if its addresses are wrong, -1 if that cannot be told yet."""
    at = start + 2
    for _ in range(2):
        if at + 4 > end:
            return -1
        size = address_size(data, at)
        if not size:
            return 0
        at += size
    return at + 3


def _wanted(data: bytes, start: int, end: int) -> int:
    """Return how many octets, the opening flag included, are needed before looking again can tell more."""
    after = _header(data, start, end)
    return 2 + ((data[start] & 7) << 8 | data[start + 1]) if 0 < after <= end else 0
