"""What every communication profile offers to the application layer, without I/O.

A link takes whatever octets the transport received, in any cut, and turns them
into events; it takes APDUs and queues the octets to send. Time is an argument,
in seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, runtime_checkable

__all__ = [
    "DEFAULT_LINE",
    "ApduReceived",
    "ClientLink",
    "Connected",
    "Disconnected",
    "LineLink",
    "LineSettings",
    "LinkEvent",
    "ServerLink",
]


@dataclass(frozen=True, slots=True)
class Connected:
    """The supporting layer is connected: XX-CONNECT.confirm, or XX-CONNECT.indication at the server.

    Args:
        source: At a server whose link is per pair of addresses: the client; else ``None``.
        destination: At such a server: the logical device; else ``None``.
        user_data: What the peer said along with it, if the profile carries that.
    """

    source: int | None = None
    destination: int | None = None
    user_data: bytes = b""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The supporting layer is gone, asked for or not.

    Args:
        reason: Why, in words.
        user_data: What the peer said along with it, if the profile carries that.
        source: At a server whose link is per pair of addresses: the client; ``None`` means every pair.
        destination: At such a server: the logical device; ``None`` means every one.
    """

    reason: str
    user_data: bytes = b""
    source: int | None = None
    destination: int | None = None


@dataclass(frozen=True, slots=True)
class ApduReceived:
    """One whole APDU.

    Args:
        apdu: Its octets.
        source: Address of the sender: wrapper port, or HDLC upper address.
        destination: Address of the receiver.
        confirmed: Whether the profile says that an answer is expected (I frame, not UI frame).
        findings: What was tolerated on the way although the profile has it otherwise, by name.
    """

    apdu: bytes
    source: int
    destination: int
    confirmed: bool = True
    findings: tuple[str, ...] = ()


LinkEvent: TypeAlias = Connected | Disconnected | ApduReceived


class ClientLink(Protocol):
    """The client's end of a profile, for one pair of addresses."""

    def connect(self, now: float) -> None:
        """Begin to connect; :class:`Connected` follows."""
        ...

    def disconnect(self, now: float) -> None:
        """Begin to disconnect; :class:`Disconnected` follows."""
        ...

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU."""
        ...

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            FrameError: They cannot be the profile, and nothing after them can be understood.
        """
        ...

    def data_to_send(self) -> bytes:
        """Return the queued octets, and forget them."""
        ...

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        ...

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        ...

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        ...


class ServerLink(Protocol):
    """The server's end of a profile; it may carry several pairs of addresses."""

    def send(self, apdu: bytes, source: int, destination: int, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU from the server address ``source`` to the client address ``destination``."""
        ...

    def unconfirmed_size(self, source: int, destination: int) -> int:
        """Return the longest APDU that can be sent unconfirmed from ``source`` to ``destination``; 0: any."""
        ...

    def unconfirmed_room(self) -> int | None:
        """Return how many more unconfirmed APDUs can wait for a client to give the turn; ``None``: none has to."""
        ...

    def give_turn(self, source: int, destination: int, now: float) -> None:
        """Take note that an APDU from the client ``destination`` gets no answer from ``source``.

        Where the two ends speak in turns, the client gets its turn back at once and need not wait for it in vain.
        """
        ...

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            FrameError: They cannot be the profile, and nothing after them can be understood.
        """
        ...

    def data_to_send(self) -> bytes:
        """Return the queued octets, and forget them."""
        ...

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        ...

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        ...

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        ...


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a serial line is set.

    Args:
        baud: Bits a second.
        data_bits: 7 or 8.
        parity: ``"E"`` even or ``"N"`` none.
        stop_bits: 1 or 2.
    """

    baud: int = 300
    data_bits: int = 7
    parity: str = "E"
    stop_bits: int = 1

    def __str__(self) -> str:
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


DEFAULT_LINE: Final = LineSettings()
"""300 baud 7E1: where every sign-on of the standard begins."""


@runtime_checkable
class LineLink(Protocol):
    """What a link of either end offers besides, if it changes the settings of a serial line."""

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays.

        To be asked after each ``data_to_send()``, until neither has any more.
        """
        ...
