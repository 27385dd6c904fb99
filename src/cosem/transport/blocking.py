"""The blocking pump: moves an association over a channel until a conversation has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cosem.association.client_association import ClientAssociation, Exchange, Notification
from cosem.errors import CosemError, FrameError, LinkError, TransportClosed, TransportTimeout
from cosem.link.base import ApduReceived, ClientLink, Connected, Disconnected
from cosem.transport.channel import Channel

__all__ = ["BlockingConnection", "Timeouts"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait.

    Args:
        answer: For one answer, seconds from the request, whatever trickles in meanwhile.
        transfer: For a whole conversation, block transfers included, seconds.
        connect: For the connection, seconds.
        release: For the answer to a release, seconds.
    """

    answer: float = 10.0
    transfer: float = 300.0
    connect: float = 10.0
    release: float = 2.0


class BlockingConnection:
    """One association over one link over one channel.

    Args:
        channel: Octets out and in.
        link: The communication profile.
        association: The application association.
        timeouts: How long to wait.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        channel: Channel,
        link: ClientLink,
        association: ClientAssociation,
        timeouts: Timeouts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._link = link
        self.association = association
        self.timeouts = timeouts
        self._clock = clock
        self._connected = False
        self._lost: LinkError | None = None

    def connect(self) -> None:
        """Bring up the supporting layer.

        Raises:
            LinkError: It cannot be.
        """
        deadline = self._clock() + self.timeouts.connect
        self._link.connect(self._clock())
        while not self._connected:
            self._flush()
            self._drain()
            if self._lost is not None:
                raise self._lost
            if not self._connected:
                self._receive(deadline, "no answer while connecting")

    def run(self, exchange: Exchange[T], answer_timeout: float | None = None) -> T:
        """Move the association until the exchange has ended, and return its result.

        Raises:
            TransportTimeout: An answer or the whole took too long; the association stays usable,
                and a late answer is not taken for another one.
            LinkError: The connection is lost.
            CosemError: What the conversation raised.
        """
        if self._lost is not None and not exchange.done:
            self.association.cancel(exchange, self._lost)
        clock = self._clock
        answer = self.timeouts.answer if answer_timeout is None else answer_timeout
        start = clock()
        total = start + self.timeouts.transfer
        deadline = start + answer
        while not exchange.done:
            if self._flush():
                deadline = min(clock() + answer, total)
            try:
                self._receive(deadline, f"no answer within {answer:g} s")
            except TransportTimeout as error:
                self.association.cancel(exchange, error)
                break
            except LinkError as error:
                self._lose(error)
                break
            self._drain()
        self._flush()
        return exchange.result()

    def flush(self) -> None:
        """Send what the association has queued."""
        self._flush()

    def wait_for_notification(self, timeout: float) -> Notification | None:
        """Return the oldest notification, waiting up to ``timeout`` seconds for one; ``None`` if none comes."""
        deadline = self._clock() + timeout
        while not self.association.notifications:
            try:
                self._receive(deadline, "no notification")
            except TransportTimeout:
                return None
            self._drain()
        return self.association.notifications.popleft()

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()
        self._lost = self._lost or TransportClosed("the connection was closed")

    def _flush(self) -> bool:
        """Send what is queued; return whether there was anything."""
        association, link, now = self.association, self._link, self._clock()
        while (outgoing := association.next_outgoing()) is not None:
            link.send(outgoing.octets, now, confirmed=outgoing.confirmed)
        octets = link.data_to_send()
        if not octets:
            return False
        try:
            self._channel.send(octets)
        except LinkError as error:
            self._lose(error)
        return True

    def _receive(self, deadline: float, problem: str) -> None:
        """Take what comes until ``deadline``, letting the link's own timers run meanwhile."""
        if self._lost is not None:
            raise self._lost
        while True:
            now = self._clock()
            if now >= deadline:
                raise TransportTimeout(problem)
            timer = self._link.deadline()
            until = deadline if timer is None else min(deadline, timer)
            try:
                octets = self._channel.receive(until - now)
            except TransportTimeout:
                if timer is None or until >= deadline:
                    raise TransportTimeout(problem) from None
                self._link.tick(self._clock())
                self._flush()
                return
            self._link.receive(octets, self._clock())
            return

    def _drain(self) -> None:
        """Give the events of the link to the association."""
        while (event := self._link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                self.association.receive(event.apdu)
            elif isinstance(event, Connected):
                self._connected = True
            elif isinstance(event, Disconnected):
                self._connected = False
                self._lose(TransportClosed(f"the link is down: {event.reason}"))

    def _lose(self, error: CosemError) -> None:
        if self._lost is None:
            self._lost = error if isinstance(error, LinkError) else TransportClosed(str(error))
            if isinstance(error, FrameError):
                self._channel.close()
            self.association.lost(self._lost)
