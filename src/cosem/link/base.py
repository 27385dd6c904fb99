"""What every communication profile offers to the application layer, without I/O.

A link takes whatever octets the transport received, in any cut, and turns them
into events; it takes APDUs and queues the octets to send. Time is an argument,
in seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

__all__ = ["ApduReceived", "ClientLink", "Connected", "Disconnected", "LinkEvent", "ServerLink"]


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
