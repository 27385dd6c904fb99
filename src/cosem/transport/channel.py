"""Blocking byte channels: TCP, and a pair in memory for tests."""

from __future__ import annotations

import os
import queue
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self

from cosem.errors import TransportClosed, TransportError, TransportTimeout

__all__ = ["Channel", "MemoryChannel", "TcpChannel", "peer_name", "reason_of", "refuse_cut_names"]

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

    __slots__ = ("_peer", "_readable", "_socket", "_timeout")

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._peer = peer_name(host, port)
        self._timeout = timeout
        refuse_cut_names(host)
        try:
            connection = socket.create_connection((host, port), timeout)
        except TimeoutError:
            raise TransportTimeout(f"{self._peer} did not answer within {timeout:g} s") from None
        except (OSError, UnicodeError) as error:
            raise TransportError(f"cannot connect to {self._peer}: {reason_of(error)}") from None
        # Not blocking: waiting is our own, so that one receive costs two system calls and not four.
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket = connection
        self._readable = _waiter(connection, for_reading=True)

    def send(self, octets: bytes) -> None:
        """Send all the octets."""
        try:
            sent = self._socket.send(octets)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise TransportClosed(f"connection to {self._peer} lost: {reason_of(error)}") from None
        if sent < len(octets):
            self._send_rest(memoryview(octets)[sent:])

    def _send_rest(self, rest: memoryview) -> None:
        """Send what the system did not take at once."""
        writable = _waiter(self._socket, for_reading=False)
        deadline = time.monotonic() + self._timeout
        while rest:
            if not writable(deadline - time.monotonic()):
                raise TransportClosed(f"{self._peer} takes no more octets")
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise TransportClosed(f"connection to {self._peer} lost: {reason_of(error)}") from None

    def receive(self, timeout: float) -> bytes:
        """Return the next octets."""
        try:
            if not self._readable(timeout):
                raise TransportTimeout(f"no answer from {self._peer}")
            octets = self._socket.recv(_CHUNK)
        except BlockingIOError:
            raise TransportTimeout(f"no answer from {self._peer}") from None
        except TransportTimeout:
            raise
        except (OSError, ValueError) as error:
            raise TransportClosed(f"connection to {self._peer} lost: {reason_of(error)}") from None
        if not octets:
            raise TransportClosed(f"{self._peer} closed the connection")
        return octets

    def close(self) -> None:
        """Close the connection; a thread that waits for octets of it is told at once."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # closing alone would not wake it up
        self._socket.close()


def _waiter(connection: socket.socket, *, for_reading: bool) -> Callable[[float], bool]:
    """Return a function that waits up to so many seconds until the socket is ready, and says whether it is."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connection, select.POLLIN if for_reading else select.POLLOUT)
        wait = poll.poll
        # Rounded up: a wait that ends too early would be taken for the end of the time allowed.
        return lambda seconds: bool(wait(max(0, int(seconds * 1000) + 1)))

    def ready(seconds: float) -> bool:
        sockets = [connection]
        nothing: list[socket.socket] = []
        reading, writing = (sockets, nothing) if for_reading else (nothing, sockets)
        return any(select.select(reading, writing, nothing, max(0.0, seconds)))

    return ready


def peer_name(host: str, port: int) -> str:
    """Return how a peer is called in messages."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_cut_names(host: str) -> None:
    """Refuse a host with a NUL in it: the system would connect to what stands before it.

    Raises:
        TransportError: It has one.
    """
    if "\0" in host:
        raise TransportError(f"{host!r} is no name of a host")


def reason_of(error: Exception) -> str:
    """Return why a connection failed, in the words of the system."""
    words = error.strerror if isinstance(error, OSError) else None
    if isinstance(error, OSError) and type(error) is not socket.gaierror and (error.errno or 0) > 0:
        words = os.strerror(
            error.errno or 0
        )  # asyncio writes whole stories there, with the address once more
    return words or str(error) or type(error).__name__


class MemoryChannel:
    """One end of a pair in memory."""

    __slots__ = ("_closed", "_incoming", "_peer")

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
        if not octets:
            return
        self._peer._incoming.put(octets)  # noqa: SLF001 -- the other half of the same pair

    def receive(self, timeout: float) -> bytes:
        """Return the next octets from the other end."""
        try:
            octets = self._incoming.get(timeout=max(timeout, 0))
        except queue.Empty:
            raise TransportTimeout("nothing came") from None
        if not octets:
            self._incoming.put(b"")  # closed stays closed
            raise TransportClosed("the channel is closed" if self._closed else "the other end closed")
        return octets

    def close(self) -> None:
        """Close this end; whoever waits at either is told."""
        if not self._closed and self._peer is not None:
            self._closed = True
            self._incoming.put(b"")  # a thread that waits here is told, too
            self._peer._incoming.put(b"")  # noqa: SLF001 -- the other half of the same pair
