"""Listening to a line on which meters push: frames in, APDUs out, nothing is ever sent.

Meters push in UI frames, some in I frames although there is no link, some cut
one message into several frames. All of it is taken; what the standard has
otherwise is named.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from cosem.errors import FrameError
from cosem.link.base import ApduReceived
from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.frame import Frame, FrameKind
from cosem.link.hdlc.line import LARGEST_MESSAGE, UnnumberedMessages
from cosem.link.hdlc.llc import LLC_MISSING, split_llc
from cosem.link.hdlc.parser import Damaged, FrameParser

__all__ = [
    "BEGIN_MISSING",
    "FCS_WRONG",
    "INFORMATION_WITHOUT_LINK",
    "UNNUMBERED_SEGMENTED",
    "HdlcListener",
]

INFORMATION_WITHOUT_LINK: Final = "hdlc-i-frame-without-link"
"""Finding: pushed in an I frame, which needs a link (Kaifa in Norway)."""
UNNUMBERED_SEGMENTED: Final = "hdlc-ui-segmented"
"""Finding: one message in several UI frames, whose loss nobody would notice (Iskraemeco)."""
FCS_WRONG: Final = "hdlc-fcs-wrong"
"""Finding: the frame check sequence does not match, and was told not to matter."""

BEGIN_MISSING: Final = "rest of a message"
"""Why segments were left out: the first one did not arrive."""
_MOST_LINKS: Final = 64
_GENERAL_BLOCK: Final = 0xE0


class HdlcListener:
    """Finds the APDUs that are pushed on a line.

    Args:
        check: Whether a frame must have the right FCS. Without, a frame whose header is right is taken all the same.
        most: Longest message that is taken, octets.
        joined: Whether the line was listened to from any moment on. The first message may then be the rest of one.

    Where messages begin with an LLC header, one without is the rest of a message whose first segment was lost, and
    is left out; general blocks alone may come without (Landis+Gyr).

    >>> listener = HdlcListener()
    >>> pushed = bytes.fromhex("7E A0 14 CF 02 23 13 C4 F9 E6 E7 00 0F 00 00 00 01 00 00 73 A8 7E")
    >>> [apdu.apdu.hex() for apdu in listener.feed(pushed)]
    ['0f000000010000']
    """

    __slots__ = ("_check", "_findings", "_headed", "_linked", "_messages", "_seen", "ignored", "parser")

    def __init__(self, *, check: bool = True, most: int = LARGEST_MESSAGE, joined: bool = False) -> None:
        self._check = check
        self._headed = joined  # whether a message without an LLC header is the rest of one
        self._seen = False  # a message with such a header
        self._messages = UnnumberedMessages(most)
        self._findings: list[str] = []  # of the segments so far
        self._linked: set[frozenset[HdlcAddress]] = set()
        self.parser = FrameParser()
        self.ignored: Counter[str] = Counter()
        """Good frames that carry no APDU, by kind."""

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self.parser.partial

    def feed(self, octets: bytes) -> list[ApduReceived]:
        """Return every APDU that is whole now."""
        return self.take(self.parser.scan(octets))

    def idle(self) -> list[ApduReceived]:
        """Give up what has begun, after a silence or at the end, and return what is found inside it."""
        found = self.take(self.parser.idle())
        self._messages.drop()
        return found

    def take(self, found: list[Frame | Damaged]) -> list[ApduReceived]:
        """Return every APDU that frames end which somebody else has found, as :func:`frame_at` does."""
        taken = []
        for each in found:
            frame = each.frame if isinstance(each, Damaged) else each
            if isinstance(each, Damaged):
                if self._check or frame is None:
                    self._messages.tear()
                    continue
                self._findings.append(FCS_WRONG)
            apdu = self._message(frame) if frame else None
            if apdu is not None:
                taken.append(apdu)
        return taken

    def _message(self, frame: Frame) -> ApduReceived | None:
        """Return the APDU that a frame ends, if it does."""
        kind = frame.control.kind
        pair = frozenset((frame.source, frame.destination))
        if kind is FrameKind.UA and len(self._linked) < _MOST_LINKS:
            self._linked.add(pair)  # somebody talks here: I frames are what they should be
        if kind not in {FrameKind.UI, FrameKind.I} or not frame.information:
            self.ignored[kind.name] += 1
            return None
        if kind is FrameKind.I and pair not in self._linked:
            self._findings.append(INFORMATION_WITHOUT_LINK)
        message = self._messages.take(frame)
        if message is None:
            return None
        octets, several = message
        if several and kind is FrameKind.UI:
            self._findings.append(UNNUMBERED_SEGMENTED)
        findings = tuple(dict.fromkeys(self._findings))
        self._findings.clear()
        try:
            apdu, tolerated = split_llc(octets)
        except FrameError:
            self.ignored["no APDU"] += 1
            return None
        if LLC_MISSING not in tolerated:
            self._headed = self._seen = True
        elif self._headed and apdu[0] != _GENERAL_BLOCK:
            self._headed = self._seen
            self.ignored[BEGIN_MISSING] += 1
            return None
        confirmed = kind is FrameKind.I
        return ApduReceived(
            apdu, frame.source.upper, frame.destination.upper, confirmed, (*findings, *tolerated)
        )
