"""The asynchronous pump: an asyncio protocol that moves an association as octets come and go."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from cosem.association.client_association import ClientAssociation, Exchange, Notification
from cosem.errors import CosemError, LinkError, TransportClosed, TransportError, TransportTimeout
from cosem.link.base import ApduReceived, ClientLink, Connected, Disconnected
from cosem.transport.blocking import Timeouts

__all__ = ["AsyncConnection"]

T = TypeVar("T")


class AsyncConnection(asyncio.Protocol):
    """One association over one link over one asyncio transport; several conversations at once.

    Args:
        link: The communication profile.
        association: The application association.
        timeouts: How long to wait.
    """

    def __init__(self, link: ClientLink, association: ClientAssociation, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._link = link
        self.association = association
        self.timeouts = timeouts
        self._lost: LinkError | None = None
        self._connecting: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._answers: set[_Waiting] = set()
        self._notified = asyncio.Event()

    @classmethod
    async def tcp(
        cls, host: str, port: int, link: ClientLink, association: ClientAssociation, timeouts: Timeouts
    ) -> AsyncConnection:
        """Return a connection over TCP.

        Raises:
            TransportError: It cannot be reached; says why in plain words.
        """
        loop = asyncio.get_running_loop()
        peer = f"{host}:{port}"
        try:
            async with asyncio.timeout(timeouts.connect):
                _, connection = await loop.create_connection(
                    lambda: cls(link, association, timeouts), host, port
                )
        except TimeoutError:
            raise TransportTimeout(f"{peer} did not answer within {timeouts.connect:g} s") from None
        except OSError as error:
            raise TransportError(f"cannot connect to {peer}: {error.strerror or error}") from None
        return connection

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take octets."""
        try:
            self._link.receive(data, self._loop.time())
        except LinkError as error:
            self._lose(error)
            return
        self._drain()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the peer is gone."""
        reason = f"connection lost: {exc}" if exc else "the meter closed the connection"
        self._lose(TransportClosed(reason))

    # --- for the client ---------------------------------------------------------------------------

    async def connect(self) -> None:
        """Bring up the supporting layer.

        Raises:
            LinkError: It cannot be.
        """
        self._link.connect(self._loop.time())
        self._flush()
        self._drain()
        try:
            async with asyncio.timeout(self.timeouts.connect):
                await self._connecting
        except TimeoutError:
            raise TransportTimeout("no answer while connecting") from None

    async def run(self, exchange: Exchange[T], answer_timeout: float | None = None) -> T:
        """Wait until the exchange has ended, and return its result.

        A cancelled task gives the request up; its late answer is not taken for another one.

        Raises:
            TransportTimeout: An answer or the whole took too long; the association stays usable.
            LinkError: The connection is lost.
            CosemError: What the conversation raised.
        """
        if self._lost is not None and not exchange.done:
            self.association.cancel(exchange, self._lost)
        if not exchange.done:
            answer = self.timeouts.answer if answer_timeout is None else answer_timeout
            waiting = _Waiting(self, exchange, answer)
            self._answers.add(waiting)
            self._flush()
            try:
                await waiting.future
            except asyncio.CancelledError:
                self.association.cancel(exchange, TransportTimeout("cancelled"))
                raise
            finally:
                waiting.stop()
                self._answers.discard(waiting)
        self._flush()
        return exchange.result()

    def flush(self) -> None:
        """Send what the association has queued."""
        self._flush()

    async def wait_for_notification(self, timeout: float | None) -> Notification | None:  # noqa: ASYNC109 -- as the blocking one
        """Return the oldest notification, waiting up to ``timeout`` seconds for one; ``None`` if none comes."""
        try:
            async with asyncio.timeout(timeout):
                while not self.association.notifications:
                    if self._lost is not None:
                        raise self._lost
                    self._notified.clear()
                    await self._notified.wait()
        except TimeoutError:
            return None
        return self.association.notifications.popleft()

    def close(self) -> None:
        """Close the connection."""
        self._lost = self._lost or TransportClosed("the connection was closed")
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    # --- inside -------------------------------------------------------------------------------------

    def _flush(self) -> None:
        now = self._loop.time()
        sent = False
        while (outgoing := self.association.next_outgoing()) is not None:
            self._link.send(outgoing.octets, now, confirmed=outgoing.confirmed)
            sent = True
        octets = self._link.data_to_send()
        if octets and self._transport is not None and self._lost is None:
            self._transport.write(octets)
        if sent:
            for waiting in self._answers:
                waiting.restart()
        self._arm()

    def _arm(self) -> None:
        """Wake up when the link wants to."""
        deadline = self._link.deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None and self._lost is None:
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._link.tick(self._loop.time())
        self._drain()
        self._flush()

    def _drain(self) -> None:
        while (event := self._link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                self.association.receive(event.apdu)
            elif isinstance(event, Connected):
                if not self._connecting.done():
                    self._connecting.set_result(None)
            elif isinstance(event, Disconnected):
                self._lose(TransportClosed(f"the link is down: {event.reason}"))
        if self.association.notifications:
            self._notified.set()

    def _lose(self, error: CosemError) -> None:
        if self._lost is not None:
            return
        self._lost = error if isinstance(error, LinkError) else TransportClosed(str(error))
        self._notified.set()
        if not self._connecting.done():
            self._connecting.set_exception(self._lost)
            self._connecting.exception()  # looked at: nobody may be waiting
        self.association.lost(self._lost)
        if self._transport is not None:
            self._transport.close()


class _Waiting:
    """A task that waits for an exchange, and the two clocks that bound it."""

    def __init__(self, connection: AsyncConnection, exchange: Exchange[Any], answer: float) -> None:
        self._connection = connection
        self._exchange = exchange
        self._answer = answer
        loop = asyncio.get_running_loop()
        self._loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self._total = loop.call_later(
            connection.timeouts.transfer, self._expire, "the transfer took too long"
        )
        self._timer = loop.call_later(answer, self._expire, f"no answer within {answer:g} s")
        self._steps = exchange.steps
        exchange.on_done = self._done

    def _done(self, exchange: Exchange[Any]) -> None:
        del exchange
        if not self.future.done():
            self.future.set_result(None)

    def _expire(self, problem: str) -> None:
        self._connection.association.cancel(self._exchange, TransportTimeout(problem))

    def restart(self) -> None:
        """Begin to wait anew where this exchange has sent something since."""
        if self._exchange.steps != self._steps:
            self._steps = self._exchange.steps
            self._timer.cancel()
            self._timer = self._loop.call_later(
                self._answer, self._expire, f"no answer within {self._answer:g} s"
            )

    def stop(self) -> None:
        """Stop both clocks."""
        self._total.cancel()
        self._timer.cancel()
        self._exchange.on_done = None
