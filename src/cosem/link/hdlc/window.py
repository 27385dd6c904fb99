"""Numbered frames of one link, one station's view: sending in windows, receiving in order, both modulo 8.

A message is cut into segments of the agreed length. Up to a window of them goes
out in a burst; what the peer has not acknowledged by the end of a burst is sent
again from there (P/F checkpointing: go back N). What comes out of order is
dropped and asked for by N(R).
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from cosem.link.hdlc.parameters import DEFAULT_PARAMETERS, HdlcParameters

__all__ = ["Accepted", "Segment", "Window"]

_MODULO: Final = 8


class Segment(NamedTuple):
    """The information of one I frame, and whether more of its message follow."""

    information: bytes
    segmented: bool


class Accepted(NamedTuple):
    """What became of a received I frame.

    Args:
        in_sequence: Its N(S) was the one awaited.
        message: The message that it ends, if it does.
        too_long: The message outgrew its limit.
    """

    in_sequence: bool
    message: bytes | None = None
    too_long: bool = False


class Window:
    """V(S), V(R), what is under way and what has arrived.

    Args:
        most: Longest message that is put together, octets.
    """

    __slots__ = (
        "_message",
        "_most",
        "_waiting",
        "incomplete",
        "parameters",
        "peer_busy",
        "receive",
        "send",
        "unacknowledged",
    )

    def __init__(self, most: int) -> None:
        self._most = most
        self.reset(DEFAULT_PARAMETERS)

    def reset(self, parameters: HdlcParameters) -> None:
        """Begin anew: numbers at zero, nothing under way."""
        self.parameters = parameters
        self.send = 0
        """V(S): the number of the next new frame."""
        self.receive = 0
        """V(R): the number that is awaited."""
        self.unacknowledged: deque[Segment] = deque()
        """Sent, in order; the first has number V(S) - len."""
        self.peer_busy = False
        """Whether the peer said RNR last."""
        self.incomplete = False
        """Whether a message has begun to arrive and not ended."""
        self._waiting: deque[Segment] = deque()
        self._message = bytearray()

    @property
    def pending(self) -> bool:
        """Whether something is not sent or not acknowledged."""
        return bool(self._waiting or self.unacknowledged)

    def queue(self, message: bytes) -> None:
        """Cut a message into segments and queue them."""
        size = self.parameters.max_info_transmit
        last = (len(message) - 1) // size * size
        self._waiting.extend(Segment(message[at : at + size], at < last) for at in range(0, last + 1, size))

    def acknowledge(self, number: int) -> bool:
        """Take N(R); return whether it is one of those that are possible."""
        missing = (self.send - number) % _MODULO
        if missing > len(self.unacknowledged):
            return False
        for _ in range(len(self.unacknowledged) - missing):
            self.unacknowledged.popleft()
        return True

    def burst(self) -> list[tuple[int, Segment]]:
        """Return what goes out now with its N(S): first again what is not acknowledged, then what is new."""
        while self._waiting and len(self.unacknowledged) < self.parameters.window_transmit:
            self.unacknowledged.append(self._waiting.popleft())
            self.send = (self.send + 1) % _MODULO
        first = self.send - len(self.unacknowledged)
        return [((first + index) % _MODULO, each) for index, each in enumerate(self.unacknowledged)]

    def is_ahead(self, number: int) -> bool:
        """Return whether N(S) can only be that of a later frame, and not that of one that came before."""
        window = self.parameters.window_receive
        return 0 < (number - self.receive) % _MODULO < min(window, _MODULO - window)

    def accept(self, number: int, information: bytes, *, segmented: bool) -> Accepted:
        """Take the information of an I frame, if it is its turn."""
        if number != self.receive:
            return Accepted(in_sequence=False)
        self.receive = (self.receive + 1) % _MODULO
        self._message += information
        self.incomplete = segmented
        if len(self._message) > self._most:
            self._message.clear()
            self.incomplete = False
            return Accepted(in_sequence=True, too_long=True)
        if segmented:
            return Accepted(in_sequence=True)
        message = bytes(self._message)
        self._message.clear()
        return Accepted(in_sequence=True, message=message)
