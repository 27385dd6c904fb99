"""The asynchronous pump: an asyncio protocol that moves an association as octets come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from cosem.association.client.association import ClientAssociation, Exchange, Notification
from cosem.errors import (
    CosemError,
    FrameError,
    LinkError,
    TransportClosed,
    TransportError,
    TransportTimeout,
    UnsupportedError,
)
from cosem.link.base import ApduReceived, ClientLink, Connected, Disconnected, LineLink
from cosem.transport.channel import peer_name, reason_of, refuse_cut_names
from cosem.transport.farewell import say_farewell
from cosem.transport.lateness import given_up, named, prefix_of
from cosem.transport.observing import Observer
from cosem.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts
from cosem.transport.waiting import Waiting

__all__ = ["AsyncConnection", "open_tcp"]

T = TypeVar("T")


class AsyncConnection(asyncio.Protocol):
    """One association over one link over one asyncio transport; several conversations at once.

    Args:
        link: The communication profile.
        association: The application association.
        timeouts: How long to wait.
        observer: Who watches.

    Attributes:
        peer: How the meter is called in messages; empty where it has no name.
        received: Octets so far.
    """

    def __init__(
        self,
        link: ClientLink,
        association: ClientAssociation,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        *,
        observer: Observer | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._link = link
        self._next_line = link.next_line if isinstance(link, LineLink) else None
        self._observer = observer
        self._lost: LinkError | None = None
        self._connecting: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: set[Waiting] = set()
        self._notified = asyncio.Event()
        self._gone = asyncio.Event()
        self._lingering: asyncio.TimerHandle | None = None
        self.peer = ""
        self.received = 0
        self.association = association
        self.timeouts = timeouts
        self.on_notification: Callable[[Notification], None] | None = None

    @property
    def lost(self) -> LinkError | None:
        """Why the connection is over; ``None`` while it is not."""
        return self._lost

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take octets."""
        if self._lost is not None:
            return
        try:
            if self._observer is not None:
                self._observer.octets_received(data)
            self.received += len(data)
            self._link.receive(data, self._loop.time())
            self._drain()
            self._flush()
        except LinkError as error:
            self._drain()  # what came whole before
            self.lose(error)
        except Exception as error:
            # An observer of the application: whoever waits must not wait for ever.
            self.lose(TransportClosed(f"given up: {error}"))
            raise

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the peer is gone."""
        reason = (
            f"{prefix_of(self.peer)}connection lost: {reason_of(exc)}"
            if exc
            else f"{self.peer or 'the meter'} closed the connection"
        )
        self._gone.set()
        self.lose(TransportClosed(reason))
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None

    # --- for the client ---------------------------------------------------------------------------

    async def connect(self) -> None:
        """Bring up the supporting layer.

        Raises:
            LinkError: It cannot be.
        """
        seconds = self.timeouts.connect
        self._link.connect(self._loop.time())
        self._flush()
        self._drain()
        try:
            async with asyncio.timeout(seconds):
                await self._connecting
        except TransportTimeout:
            raise
        except TimeoutError:
            error = TransportTimeout(f"{prefix_of(self.peer)}no answer within {seconds:g} s while connecting")
            self.lose(error)
            raise error from None

    async def run(
        self, exchange: Exchange[T], answer_timeout: float | None = None, total_timeout: float | None = None
    ) -> T:
        """Wait until the exchange has ended, and return its result.

        A cancelled task gives the request up; its late answer is not taken for another one.

        Args:
            exchange: What was begun.
            answer_timeout: For each answer, seconds; by default as the time-outs say.
            total_timeout: For the whole, seconds; by default as the time-outs say.

        Raises:
            TransportTimeout: An answer or the whole took too long; the association stays usable.
            LinkError: The connection is lost.
            CosemError: What the conversation raised.
        """
        self.association.tick(
            self._loop.time(), self.timeouts.answer if answer_timeout is None else answer_timeout
        )
        if self._lost is not None and not exchange.done:
            self.association.cancel(exchange, self._lost)
        if not exchange.done:
            waiting = Waiting(
                self,
                exchange,
                self.timeouts.answer if answer_timeout is None else answer_timeout,
                self.timeouts.transfer if total_timeout is None else total_timeout,
            )
            self._waiting.add(waiting)
            try:
                self._flush()
                if not exchange.done:
                    await waiting.future
            except BaseException:
                self.cancel(exchange, given_up(exchange, "cancelled"))
                raise
            finally:
                waiting.stop()
                self._waiting.discard(waiting)
        self._follow()
        self._flush()
        return exchange.result()

    def flush(self) -> None:
        """Send what the association has queued.

        Raises:
            LinkError: The connection is lost.
        """
        self._flush()
        if self._lost is not None:
            raise self._lost

    def trigger_event_notification_sending(self) -> None:
        """Let the link give the server the turn (TriggerEventNotificationSending, 6.10).

        Raises:
            UnsupportedError: The communication profile has no turns to give.
            LinkError: The connection is lost.
        """
        give_turn = getattr(self._link, "trigger_event_notification_sending", None)
        if give_turn is None:
            raise UnsupportedError("with this communication profile the meter needs no turn to notify")
        give_turn(self._loop.time())
        self.flush()

    async def wait_for_notification(self, timeout: float | None) -> Notification | None:  # noqa: ASYNC109 -- as the blocking one
        """Return the oldest notification; ``None`` if none came within ``timeout`` seconds.

        Args:
            timeout: How long to wait; ``None`` for ever.

        Raises:
            LinkError: The connection is lost.
        """
        notifications = self.association.notifications
        try:
            async with asyncio.timeout(timeout):
                while not notifications:
                    if self._lost is not None:
                        raise self._lost
                    self._notified.clear()
                    await self._notified.wait()
        except TransportTimeout:
            raise
        except TimeoutError:
            return None
        return notifications.popleft()

    def tell(self) -> None:
        """Give what the meter sent by itself to the callback, if there is one, one after the other.

        An error of the callback goes to the exception handler of the event loop: it belongs to none of the requests
        that are under way.
        """
        notifications = self.association.notifications
        while notifications and (callback := self.on_notification) is not None:
            try:
                callback(notifications.popleft())
            except Exception as error:  # noqa: BLE001 -- whatever the application does wrong
                message = f"{prefix_of(self.peer)}the callback of on_notification raised"
                self._loop.call_exception_handler({"message": message, "exception": error, "protocol": self})

    async def disconnect(self) -> None:
        """Let the link say good-bye, and wait for its answer as long as for a release; then close."""
        if self._lost is None:
            self._link.disconnect(self._loop.time())
            self._flush()
            self._drain()
            try:
                async with asyncio.timeout(self.timeouts.release):
                    while self._lost is None:
                        self._notified.clear()
                        await self._notified.wait()
            except TimeoutError:
                pass
        self.close()
        await self.wait_closed()

    def close(self) -> None:
        """Close the connection at once."""
        self.lose(TransportClosed("the connection was closed"))

    def lose(self, error: CosemError) -> None:
        """Take note that the connection is over; whoever waits is told."""
        if self._lost is not None:
            return
        self._lost = named(error, self.peer)
        self._notified.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._connecting.done():
            self._connecting.set_exception(self._lost)
            self._connecting.exception()  # looked at: nobody may be waiting
        if self._transport is not None and not self._gone.is_set():
            write, now = self._transport.write, self._loop.time()
            say_farewell(self.association, self._link, write, now, self._observer)
        self.association.lost(self._lost)
        if self._transport is not None:
            self._transport.close()
            # A meter that takes no more octets must not keep the connection.
            self._lingering = self._loop.call_later(self.timeouts.release, self._abandon)

    def explain(self, error: LinkError) -> None:
        """Say why the connection is over, where more is known of that than when it was closed."""
        self._lost = error

    def _abandon(self) -> None:
        self._lingering = None
        # asyncio's transports know no abort any more once they have ended.
        if isinstance(self._transport, asyncio.WriteTransport) and not self._gone.is_set():
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the transport is gone, for a moment at most."""
        if self._transport is not None:
            try:
                async with asyncio.timeout(self.timeouts.release):
                    await self._gone.wait()
            except TimeoutError:
                self._abandon()

    # --- inside -------------------------------------------------------------------------------------

    def _flush(self) -> None:
        association, link = self.association, self._link
        while (outgoing := association.next_outgoing()) is not None:
            if self._observer is not None:
                self._observer.apdu_sent(outgoing.octets)
            link.send(outgoing.octets, self._loop.time(), confirmed=outgoing.confirmed)
        self._write(link.data_to_send())
        if self._next_line is not None:
            # The transport does one after the other: octets after a change of the line wait for it.
            while (line := self._next_line()) is not None:
                if (set_line := getattr(self._transport, "set_line", None)) is not None:
                    set_line(line)
                self._write(link.data_to_send())
        for waiting in self._waiting:
            waiting.restart()
        self._arm()

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None and self._lost is None:
            if self._observer is not None:
                self._observer.octets_sent(octets)
            self._transport.write(octets)

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
        association = self.association
        while (event := self._link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                if self._observer is not None:
                    self._observer.apdu_received(event.apdu)
                if event.findings:
                    association.findings.extend(event.findings)
                    if association.strict:
                        self.lose(
                            FrameError(f"the link deviates from its standard: {', '.join(event.findings)}")
                        )
                        return
                association.receive(event.apdu, self._loop.time())
                if association.notifications:
                    self.tell()
                self._follow()
            elif isinstance(event, Connected):
                if not self._connecting.done():
                    self._connecting.set_result(None)
            elif isinstance(event, Disconnected):
                self.lose(TransportClosed(f"the link is down: {event.reason}"))
        if association.notifications:
            self._notified.set()

    def expire(self, exchange: Exchange[Any], error: TransportTimeout) -> None:
        """Tell an exchange that its answer did not come, and send what it then wants to send."""
        self.association.tick(self._loop.time())
        self.association.timed_out(exchange, error)
        self._follow()
        self._flush()

    def cancel(self, exchange: Exchange[Any], error: CosemError) -> None:
        """End an exchange that waits in vain; with it the connection, where the association does not survive that."""
        self.association.tick(self._loop.time())
        self.association.cancel(exchange, error)
        self._follow()
        self._flush()  # it may have kept others from going out

    def _follow(self) -> None:
        """Close the connection where the association was given up: nothing could be asked over it any more."""
        if self.association.lost_by is not None:
            self.lose(self.association.lost_by)


async def open_tcp(
    host: str,
    port: int,
    link: ClientLink,
    association: ClientAssociation,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    *,
    observer: Observer | None = None,
) -> AsyncConnection:
    """Return a connection over TCP.

    Raises:
        TransportError: It cannot be reached; says why in plain words.
    """
    loop = asyncio.get_running_loop()
    peer = peer_name(host, port)
    refuse_cut_names(host)
    try:
        async with asyncio.timeout(timeouts.connect):
            _, connection = await loop.create_connection(
                lambda: AsyncConnection(link, association, timeouts, observer=observer), host, port
            )
    except TimeoutError:
        raise TransportTimeout(f"{peer} did not answer within {timeouts.connect:g} s") from None
    except (OSError, UnicodeError) as error:
        raise TransportError(f"cannot connect to {peer}: {reason_of(error)}") from None
    return connection
