"""Frames whose APDUs were changed: the same frames with what the APDUs say now, and right check sequences."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, TypeAlias

from cosem.errors import FrameError
from cosem.link.hdlc.frame import Frame, FrameKind, encode_frame
from cosem.link.hdlc.parser import FrameParser
from cosem.link.wrapper import WrapperParser, wrap

__all__ = ["Framing", "Masked", "Splitter"]

Framing: TypeAlias = Literal["wrapper", "hdlc"]
"""A communication profile, as a recording names it."""
_STAR: Final = b"*"
_FLAG: Final = 0x7E
_HDLC_TAIL: Final = 3
"""FCS and flag."""
_MODULUS: Final = 8
_TEXT: Final = frozenset(range(0x20, 0x7F)) | {0x06, 0x0A, 0x0D}
"""What a sign-on is made of: text, line ends, and the acknowledgement."""
_LONGEST_PREFIX: Final = 32
"""LLC header or prefix of a gateway."""
_MOST_APDUS: Final = 64
"""So many APDUs may wait for their frames."""
_REMEMBERED: Final = 16
"""So many frames are known again when they are repeated: twice the window of HDLC."""


class Masked:
    """A frame, or octets that are none, before and after the change.

    Attributes:
        kind: ``frame`` or ``octets``.
        information: What it carried before the change.
        ranges: What was masked whole because no APDU was found for it.
    """

    __slots__ = ("_addresses", "_frame", "_repeated", "_shown", "information", "kind", "ranges")

    def __init__(
        self,
        kind: Literal["frame", "octets"],
        information: bytes,
        *,
        frame: Frame | None = None,
        addresses: tuple[int, int] | None = None,
        repeated: Masked | None = None,
    ) -> None:
        self.kind: Literal["frame", "octets"] = kind
        self.information = information
        self.ranges: tuple[tuple[int, int], ...] = ()
        self._shown: bytes | None = None
        self._frame = frame
        self._addresses = addresses
        self._repeated = repeated

    @property
    def shown(self) -> bytes | None:
        """What it is after the change; ``None`` while that is not known."""
        return self._shown if self._repeated is None else self._repeated.shown

    def fill(self, information: bytes) -> None:
        """Say what it carries after the change."""
        if self._frame is not None:
            self._shown = encode_frame(self._frame._replace(information=information))
        elif self._addresses is not None:
            self._shown = wrap(information, *self._addresses)
        else:
            self._shown = information

    def hide(self) -> None:
        """Mask all that it carries."""
        size = len(self.information)
        self.fill(_STAR * size)
        stop = len(self._shown or b"") - (_HDLC_TAIL if self._frame is not None else 0)
        self.ranges = ((stop - size, stop),) if size else ()


class Splitter:
    """Cuts the octets of one direction into frames, and puts changed APDUs into them.

    Frames and their APDU may come in either order. A frame that is repeated is
    filled as it was at first.

    Args:
        profile: The communication profile.
    """

    __slots__ = (
        "_apdus",
        "_begun",
        "_hdlc",
        "_lost",
        "_message",
        "_messages",
        "_next",
        "_profile",
        "_seen",
        "_wrapper",
    )

    def __init__(self, profile: Framing) -> None:
        self._profile = profile
        self._hdlc = FrameParser()
        self._wrapper = WrapperParser()
        self._begun = self._lost = False
        self._next = 0
        self._message: list[Masked] = []
        self._messages: deque[list[Masked]] = deque()
        self._apdus: deque[tuple[bytes, bytes]] = deque(maxlen=_MOST_APDUS)
        self._seen: deque[tuple[Frame, Masked]] = deque(maxlen=_REMEMBERED)

    def apdu(self, real: bytes, shown: bytes) -> None:
        """Say what becomes of an APDU of this direction."""
        self._apdus.append((real, shown))
        self._match()

    def feed(self, octets: bytes) -> list[Masked]:
        """Return the frames that are whole now; each is filled as soon as its APDU is known."""
        parts = self._of_hdlc(octets) if self._profile == "hdlc" else self._of_wrapper(octets)
        self._match()
        return parts

    def close(self) -> None:
        """Mask every frame whose APDU is not known."""
        for message in (*self._messages, self._message):
            _give_up(message)
        self._messages.clear()
        self._message = []

    # --- inside -------------------------------------------------------------------------------------

    def _of_wrapper(self, octets: bytes) -> list[Masked]:
        parts: list[Masked] = []
        if not self._lost:
            try:
                for source, destination, apdu in self._wrapper.feed(octets):
                    part = Masked("frame", apdu, addresses=(source, destination))
                    parts.append(part)
                    self._messages.append([part])
            except FrameError:
                self._lost = True  # there is no way to find the next unit
            else:
                return parts
        return [*parts, self._no_frame(octets)]

    def _of_hdlc(self, octets: bytes) -> list[Masked]:
        if not self._begun and _FLAG not in octets:
            return [self._no_frame(octets)]
        self._begun = True
        before = self._hdlc.discarded
        parts = [
            self._frame(found) if isinstance(found, Frame) else self._no_frame(found.octets)
            for found in self._hdlc.scan(octets)
        ]
        if (discarded := self._hdlc.discarded - before) and all(part.kind == "frame" for part in parts):
            parts.append(self._no_frame(bytes(discarded)))
        return parts

    def _frame(self, frame: Frame) -> Masked:
        """Take one frame of HDLC."""
        part = Masked("frame", frame.information, frame=frame)
        if frame.control.kind is FrameKind.I:
            number = frame.control.send_number
            first = next((part for seen, part in self._seen if _same(seen, frame)), None)
            if number != self._next and first is not None:
                return Masked("frame", frame.information, repeated=first)
            self._next = (number + 1) % _MODULUS
            self._seen.append((frame, part))
        elif frame.control.kind is not FrameKind.UI:
            if frame.control.kind not in (FrameKind.RR, FrameKind.RNR):
                self._next = 0
                self._seen.clear()
            part.fill(frame.information)
            return part
        self._message.append(part)
        if not frame.segmented:
            self._messages.append(self._message)
            self._message = []
        return part

    def _match(self) -> None:
        """Fill the messages whose APDUs are known."""
        while self._messages and self._apdus:
            message = self._messages[0]
            carried = b"".join(part.information for part in message)
            index = next((i for i, (real, _) in enumerate(self._apdus) if _carries(carried, real)), None)
            if index is None:
                if len(self._messages) == 1:
                    return
                # The link gave nothing of it to anybody: what follows may still be known.
                _give_up(self._messages.popleft())
                continue
            real, shown = self._apdus[index]
            for _ in range(index + 1):
                self._apdus.popleft()
            filled = carried[: len(carried) - len(real)] + shown
            at = 0
            for part in message:
                part.fill(filled[at : at + len(part.information)])
                at += len(part.information)
            self._messages.popleft()

    def _no_frame(self, octets: bytes) -> Masked:
        """Return octets that are no frame: those of a sign-on as they are, others masked."""
        part = Masked("octets", octets)
        # With parity in the eighth bit of a line of 8 bits.
        if self._profile == "hdlc" and not self._begun and all(each & 0x7F in _TEXT for each in octets):
            part.fill(octets)
        else:
            part.hide()
        return part


def _same(one: Frame, other: Frame) -> bool:
    """Return whether one frame repeats the other; N(R) and P/F may have changed."""
    return (
        one.control.send_number == other.control.send_number
        and one.information == other.information
        and one.source == other.source
        and one.destination == other.destination
    )


def _carries(message: bytes, apdu: bytes) -> bool:
    return 0 <= len(message) - len(apdu) <= _LONGEST_PREFIX and message.endswith(apdu)


def _give_up(message: list[Masked]) -> None:
    for part in message:
        part.hide()
