"""What both stations share: the line with its parser, its silences, its queue of octets and its events."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

from cosem.link.base import LinkEvent
from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.frame import Control, Frame, FrameKind
from cosem.link.hdlc.llc import COMMAND, RESPONSE
from cosem.link.hdlc.parser import Damaged, FrameParser

__all__ = ["LARGEST_MESSAGE", "NO_FRAME", "Line", "UnnumberedMessages", "earliest"]

NO_FRAME: Final = Frame(HdlcAddress(0), HdlcAddress(0), Control(0, FrameKind.UNKNOWN, final=False))
"""What an action gets that no frame caused."""

LARGEST_MESSAGE: Final = 0x10000 + 3
"""Octets of the longest message that is put together unless told otherwise: 64 KiB and the LLC header."""


def earliest(*times: float | None) -> float | None:
    """Return the earliest of the times that are given; ``None`` if none is."""
    return min((time for time in times if time is not None), default=None)


class UnnumberedMessages:
    """Puts UI frames together, whose segments have no numbers, as some meters push them.

    Args:
        most: Longest message, octets.
    """

    __slots__ = ("_most", "_open", "_parts", "_torn")

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts = bytearray()
        self._open: tuple[HdlcAddress, HdlcAddress] | None = None
        self._torn = False  # what comes may be the rest of a message: only an LLC header tells the next one

    def take(self, frame: Frame) -> tuple[bytes, bool] | None:
        """Return the message that a frame ends and whether it had several segments; ``None`` if it ends none."""
        pair = (frame.destination, frame.source)
        if self._open != pair:
            self.drop()
        if self._torn and frame.information[:3] not in {COMMAND, RESPONSE}:
            return None
        self._torn = False
        several = self._open is not None
        if not frame.segmented:
            message = bytes(self._parts) + frame.information
            self.drop()
            return message, several
        if len(self._parts) + len(frame.information) > self._most:
            self.tear()
            return None
        self._open = pair
        self._parts += frame.information
        return None

    def drop(self) -> None:
        """Forget the message that has begun."""
        self._open = None
        self._parts.clear()

    def tear(self) -> None:
        """Forget the message that has begun, and the rest of it: a segment is lost."""
        self.drop()
        self._torn = True


class Line:
    """One end of a line: octets in any cut become frames, silences end broken ones.

    Args:
        inter_octet_timeout: Seconds of silence after which an unfinished frame is given up.
        most: Longest message that is put together, octets.
    """

    def __init__(self, *, inter_octet_timeout: float, most: int) -> None:
        self._parser = FrameParser()
        self._events: deque[LinkEvent] = deque()
        self._out = bytearray()
        self._inter_octet_timeout = inter_octet_timeout
        self._silence: float | None = None
        self._unnumbered = UnnumberedMessages(most)
        self.ignored = 0
        """Good frames that were not for this station or not possible in its state."""
        self.findings: Counter[str] = Counter()
        """How often something was tolerated that the standard has otherwise."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._parser.partial

    @property
    def faults(self) -> Counter[str]:
        """How often a frame was damaged, by problem."""
        return self._parser.faults

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport; rubbish is skipped."""
        self._take(self._parser.scan(octets), now)
        self._silence = now + self._inter_octet_timeout if self._parser.partial else None

    def data_to_send(self) -> bytes:
        """Return the queued octets, and forget them."""
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        return self._events.popleft() if self._events else None

    def _listen(self, now: float) -> None:
        """Give up an unfinished frame if the line has been silent for long enough."""
        if self._silence is not None and now >= self._silence:
            self._silence = None
            self._take(self._parser.idle(), now)

    def _take(self, found: list[Frame | Damaged], now: float) -> None:
        for each in found:
            if isinstance(each, Damaged):
                self._unnumbered.tear()
            else:
                self._frame(each, now)

    def _frame(self, frame: Frame, now: float) -> None:
        raise NotImplementedError
