"""Blocking byte channels: TCP, and a pair in memory for tests."""

from __future__ import annotations

import queue
import socket
from typing import Protocol, Self

from cosem.errors import TransportClosed, TransportError, TransportTimeout

__all__ = ["Channel", "MemoryChannel", "TcpChannel"]

_CHUNK = 65536


class Channel(Protocol):
    """Octets out and in."""

    def send(self, octets: bytes) -> None:
        """Send all the octets.

        Raises:
            TransportError: The connection failed.
        """
        ...

    def receive(self, timeout: float) -> bytes:
        """Return the next octets, at least one.

        Raises:
            TransportTimeout: Nothing came within ``timeout`` seconds.
            TransportClosed: The peer closed.
            TransportError: The connection failed.
        """
        ...

    def close(self) -> None:
        """Close; a second time does nothing."""
        ...


class TcpChannel:
    """A TCP connection.

    Args:
        host: Name or IP address.
        port: 1..65535.
        timeout: Longest time to connect, and to hand octets to the system, seconds.

    Raises:
        TransportError: It cannot be reached; says why in plain words.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._peer = f"{host}:{port}"
        self._timeout = timeout
        try:
            self._socket = socket.create_connection((host, port), timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError:
            raise TransportTimeout(f"{self._peer} did not answer within {timeout:g} s") from None
        except OSError as error:
            raise TransportError(f"cannot connect to {self._peer}: {_reason(error)}") from None

    def send(self, octets: bytes) -> None:
        """Send all the octets."""
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(octets)
        except TimeoutError:
            raise TransportTimeout(f"{self._peer} takes no more octets") from None
        except OSError as error:
            raise TransportClosed(f"connection to {self._peer} lost: {_reason(error)}") from None

    def receive(self, timeout: float) -> bytes:
        """Return the next octets."""
        try:
            self._socket.settimeout(max(timeout, 1e-6))
            octets = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise TransportTimeout(f"no answer from {self._peer}") from None
        except OSError as error:
            raise TransportClosed(f"connection to {self._peer} lost: {_reason(error)}") from None
        if not octets:
            raise TransportClosed(f"{self._peer} closed the connection")
        return octets

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


class MemoryChannel:
    """One end of a pair in memory."""

    def __init__(self) -> None:
        self._incoming: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._peer: MemoryChannel | None = None
        self._closed = False

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Return two ends: what one sends, the other receives."""
        one, other = cls(), cls()
        one._peer, other._peer = other, one
        return one, other

    def send(self, octets: bytes) -> None:
        """Hand the octets to the other end."""
        if self._closed or self._peer is None:
            raise TransportClosed("the channel is closed")
        self._peer._incoming.put(octets)  # noqa: SLF001 -- the other half of the same pair

    def receive(self, timeout: float) -> bytes:
        """Return the next octets from the other end."""
        try:
            octets = self._incoming.get(timeout=max(timeout, 0))
        except queue.Empty:
            raise TransportTimeout("nothing came") from None
        if not octets:
            raise TransportClosed("the other end closed")
        return octets

    def close(self) -> None:
        """Close this end; the other one sees it."""
        if not self._closed and self._peer is not None:
            self._closed = True
            self._peer._incoming.put(b"")  # noqa: SLF001 -- the other half of the same pair
