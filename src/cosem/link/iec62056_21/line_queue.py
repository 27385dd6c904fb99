"""Octets to send and changes of the line between them, in order."""

from __future__ import annotations

from collections import deque

from cosem.link.iec62056_21.messages import LineSettings, with_even_parity

__all__ = ["LineQueue"]


class LineQueue:
    """What a pump of a serial port has to do next.

    Args:
        emulate_parity: Whether the port only knows eight bits without parity: then the parity bit is computed.
        line_control: Whether there is a line to set; ``False`` over TCP, where changes of the line mean nothing.
    """

    __slots__ = ("_emulate_parity", "_line_control", "_queue")

    def __init__(self, *, emulate_parity: bool, line_control: bool) -> None:
        self._emulate_parity = emulate_parity
        self._line_control = line_control
        self._queue: deque[bytes | LineSettings] = deque()

    def __bool__(self) -> bool:
        return bool(self._queue)

    def send(self, octets: bytes) -> None:
        """Queue octets."""
        self._queue.append(with_even_parity(octets) if self._emulate_parity else octets)

    def set(self, line: LineSettings) -> None:
        """Queue a change of the line."""
        if self._line_control:
            self._queue.append(LineSettings(line.baud, 8, "N") if self._emulate_parity else line)

    def data_to_send(self) -> bytes:
        """Return the octets to send before the line changes next, and forget them."""
        octets = bytearray()
        while self._queue and isinstance(first := self._queue[0], bytes):
            octets += first
            self._queue.popleft()
        return bytes(octets)

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays."""
        if self._queue and isinstance(first := self._queue[0], LineSettings):
            self._queue.popleft()
            return first
        return None
