"""The blocking pump: moves an association over a channel until a conversation has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from cosem.association.client.association import ClientAssociation, Exchange, Notification
from cosem.errors import (
    CosemError,
    FrameError,
    LinkError,
    StateError,
    TransportClosed,
    TransportTimeout,
    UnsupportedError,
)
from cosem.link.base import ApduReceived, ClientLink, Connected, Disconnected, LineLink, LineSettings
from cosem.transport.channel import Channel
from cosem.transport.farewell import say_farewell
from cosem.transport.lateness import given_up, named, prefix_of, unanswered, unfinished
from cosem.transport.observing import Observer
from cosem.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts

__all__ = ["BlockingConnection", "Timeouts"]

T = TypeVar("T")


class _Open:
    """An exchange that waits for an answer, and how long it still may."""

    __slots__ = ("answer", "before", "deadline", "end", "exchange", "steps", "total")

    def __init__(self, exchange: Exchange[Any], answer: float, total: float, now: float) -> None:
        self.exchange = exchange
        self.answer = answer
        self.total = total
        self.end = self.deadline = now + total
        self.steps = -1
        self.before = 0


class BlockingConnection:
    """One association over one link over one channel, for one thread at a time.

    Args:
        channel: Octets out and in.
        link: The communication profile.
        association: The application association.
        timeouts: How long to wait.
        observer: Who watches.
        clock: Monotonic seconds.

    Attributes:
        peer: How the meter is called in messages; empty where it has no name.
    """

    __slots__ = (
        "_channel",
        "_clock",
        "_connected",
        "_link",
        "_lost",
        "_next_line",
        "_observer",
        "_open",
        "_received",
        "_taking",
        "_telling",
        "association",
        "on_notification",
        "peer",
        "timeouts",
    )

    def __init__(
        self,
        channel: Channel,
        link: ClientLink,
        association: ClientAssociation,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._link = link
        self._next_line = link.next_line if isinstance(link, LineLink) else None
        self._observer = observer
        self._clock = clock
        self._connected = False
        self._lost: LinkError | None = None
        self._open: list[_Open] = []
        self._received = 0
        self._taking = self._telling = False
        self.peer = ""
        self.association = association
        self.timeouts = timeouts
        self.on_notification: Callable[[Notification], None] | None = None

    @property
    def lost(self) -> LinkError | None:
        """Why the connection is over; ``None`` while it is not."""
        return self._lost

    def connect(self) -> None:
        """Bring up the supporting layer.

        Raises:
            LinkError: It cannot be.
        """
        seconds = self.timeouts.connect
        deadline = self._clock() + seconds
        try:
            self._link.connect(self._clock())
            while not self._connected:
                self._flush()
                self._drain()
                if self._lost is not None:
                    raise self._lost
                if not self._connected:
                    self._receive(
                        deadline, f"{prefix_of(self.peer)}no answer within {seconds:g} s while connecting"
                    )
        except LinkError as error:
            raise self._lose(error) from None

    def run(
        self, exchange: Exchange[T], answer_timeout: float | None = None, total_timeout: float | None = None
    ) -> T:
        """Move the association until the exchange has ended, and return its result.

        Args:
            exchange: What was begun.
            answer_timeout: For each answer, seconds; by default as the time-outs say.
            total_timeout: For the whole, seconds; by default as the time-outs say.

        Raises:
            TransportTimeout: An answer or the whole took too long; the association stays usable,
                and a late answer is not taken for another one.
            LinkError: The connection is lost.
            CosemError: What the conversation raised.
        """
        self.association.tick(
            self._clock(), self.timeouts.answer if answer_timeout is None else answer_timeout
        )
        if exchange.done:
            self._follow()
            self._flush()
            return exchange.result()
        running = _Open(
            exchange,
            self.timeouts.answer if answer_timeout is None else answer_timeout,
            self.timeouts.transfer if total_timeout is None else total_timeout,
            self._clock(),
        )
        self._open.append(running)
        try:
            self._move(running)
        except BaseException:
            self.association.cancel(exchange, given_up(exchange, "interrupted"))
            self._follow()
            raise
        finally:
            self._open.remove(running)
        return exchange.result()

    def finish_open(self) -> None:
        """Move the requests that wait for answers until they have them: before one that a callback makes in between.

        By short names, and with general blocks, there is one request at a time.

        Raises:
            StateError: Of those a function asks that is told of the progress of a request: that one cannot go on.
        """
        if self._taking:
            if self.association.general_blocks or self.association.short_names is not None:
                raise StateError("the progress of another one is told", "a request")
            return
        for running in tuple(self._open):
            if not getattr(running.exchange.conversation, "gi_running", False):
                self._move(running)

    def _move(self, running: _Open) -> None:
        """Move the association until an exchange has ended."""
        exchange, clock = running.exchange, self._clock
        if self._lost is not None:
            self.association.cancel(exchange, self._lost)
            return
        # A callback that asks in between may find its answer, or the one before it, among what has come already.
        self._drain()
        while True:
            self._flush()
            if exchange.done:
                return
            # Only a request of this exchange begins a new wait: octets that trickle in do not.
            if exchange.steps != running.steps:
                running.steps = exchange.steps
                running.before = self._received
                patience = running.answer if exchange.patience is None else exchange.patience
                running.deadline = min(clock() + patience, running.end)
            try:
                self._receive(running.deadline, "")
            except TransportTimeout:
                self.association.tick(clock())
                if running.deadline >= running.end:
                    self.association.cancel(exchange, unfinished(self.peer, running.total, exchange))
                else:
                    octets = self._received - running.before
                    self.association.timed_out(
                        exchange, unanswered(self.peer, running.answer, exchange, octets)
                    )
                self._follow()
            except LinkError as error:
                self._lose(error)
            else:
                self._drain()

    def flush(self) -> None:
        """Send what the association has queued.

        Raises:
            LinkError: The connection is lost.
        """
        if self._lost is not None:
            raise self._lost
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
        give_turn(self._clock())
        self.flush()

    def wait_for_notification(self, timeout: float | None) -> Notification | None:
        """Return the oldest notification; ``None`` if none came within ``timeout`` seconds.

        Args:
            timeout: How long to wait; ``None`` for ever.

        Raises:
            LinkError: The connection is lost.
        """
        deadline = None if timeout is None else self._clock() + timeout
        notifications = self.association.notifications
        self._drain()
        while not notifications:
            try:
                self._receive(self._clock() + 3600 if deadline is None else deadline, "")
            except TransportTimeout:
                if deadline is None:
                    continue
                return None
            except LinkError as error:
                lost = self._lose(error)
                if not notifications:
                    raise lost from None
            self._drain()
            self._flush()
        return notifications.popleft()

    def close(self, *, in_turn: bool = True) -> None:
        """Disconnect the supporting layer as far as it lets us, and close the channel.

        Args:
            in_turn: Whether no other thread uses the connection; else nothing is sent.
        """
        if self._lost is None:
            self._lose(TransportClosed("the connection was closed"), in_turn=in_turn)
        self._channel.close()

    def explain(self, error: LinkError) -> None:
        """Say why the connection is over, where more is known of that than when it was closed."""
        self._lost = error

    def disconnect(self) -> None:
        """Let the link say good-bye, and wait for its answer as long as for a release; then close."""
        if self._lost is None:
            deadline = self._clock() + self.timeouts.release
            try:
                self._link.disconnect(self._clock())
                while self._lost is None:
                    self._flush()
                    self._drain()
                    if self._lost is None:
                        self._receive(deadline, "no answer while disconnecting")
            except LinkError as error:
                self._lose(error)
        self.close()

    def tell(self) -> None:
        """Give what the meter sent by itself to the callback, if there is one, one after the other.

        While the callback asks something itself, what comes waits until it has returned. An error of the callback is
        logged: it belongs to none of the requests that are under way.
        """
        notifications = self.association.notifications
        if self._telling:
            return
        self._telling = True
        try:
            while notifications and (callback := self.on_notification) is not None:
                try:
                    callback(notifications.popleft())
                except Exception:
                    from logging import getLogger

                    getLogger("cosem.client").exception(
                        "%sthe callback of on_notification raised", prefix_of(self.peer)
                    )
        finally:
            self._telling = False

    # --- inside -------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send what is queued."""
        association, link = self.association, self._link
        observer = self._observer
        while (outgoing := association.next_outgoing()) is not None:
            if observer is not None:
                observer.apdu_sent(outgoing.octets)
            link.send(outgoing.octets, self._clock(), confirmed=outgoing.confirmed)
        self._send(link.data_to_send())
        if self._next_line is not None:
            self._set_lines(self._next_line)

    def _send(self, octets: bytes) -> None:
        """Hand octets to the channel."""
        if octets and self._lost is None:
            if self._observer is not None:
                self._observer.octets_sent(octets)
            try:
                self._channel.send(octets)
            except LinkError as error:
                self._lose(error)

    def _set_lines(self, next_line: Callable[[], LineSettings | None]) -> None:
        """Carry out the changes of the line that the link asks for, and send what follows each."""
        set_line = getattr(self._channel, "set_line", None)
        while self._lost is None and (line := next_line()) is not None:
            if set_line is not None:  # else there is no line: octets travel through a network
                try:
                    set_line(line)
                except LinkError as error:
                    self._lose(error)
            self._send(self._link.data_to_send())

    def _receive(self, deadline: float, problem: str) -> None:
        """Take what comes until ``deadline``, letting the link's own timers run meanwhile."""
        if self._lost is not None:
            raise self._lost
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
            return
        if self._observer is not None:
            self._observer.octets_received(octets)
        self._received += len(octets)
        try:
            self._link.receive(octets, now)
        except LinkError:
            self._drain()  # what came whole before
            raise

    def _drain(self) -> None:
        """Give the events of the link to the association."""
        association = self.association
        while (event := self._link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                if self._observer is not None:
                    self._observer.apdu_received(event.apdu)
                if event.findings:
                    association.findings.extend(event.findings)
                    if association.strict:
                        self._lose(
                            FrameError(f"the link deviates from its standard: {', '.join(event.findings)}")
                        )
                        return
                self._taking = True
                try:
                    association.receive(event.apdu, self._clock())
                finally:
                    self._taking = False
                if association.notifications:
                    self.tell()
                self._follow()
            elif isinstance(event, Connected):
                self._connected = True
            elif isinstance(event, Disconnected):
                self._connected = False
                self._lose(TransportClosed(f"the link is down: {event.reason}"))

    def _follow(self) -> None:
        """Close the connection where the association was given up: nothing could be asked over it any more."""
        if self.association.lost_by is not None:
            self._lose(self.association.lost_by)

    def _lose(self, error: CosemError, *, in_turn: bool = True) -> LinkError:
        """Take note that the connection is over, and return why."""
        if self._lost is None:
            self._lost = named(error, self.peer)
            if in_turn:
                send, now = self._channel.send, self._clock()
                say_farewell(self.association, self._link, send, now, self._observer)
            self._channel.close()
            self.association.lost(self._lost)
        return self._lost
