"""One connection of a server: octets to associations, and their answers back.

Each pair of addresses on a connection is an association of its own, with one
request at a time. A request whose handlers answer at once is served without a
task; only one that must wait gets one, and meanwhile the other associations and
connections go on. What the client does not take, and what it sends faster than
it is served, is held back by TCP.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.association.server.association import Processing, ServerAssociation
from cosem.association.server.indications import AbortIndication, Indication
from cosem.errors import LinkError
from cosem.link.base import ApduReceived, Disconnected, LineLink, ServerLink
from cosem.server.objects.base import is_awaitable
from cosem.server.session import Session, Transport

if TYPE_CHECKING:
    from cosem.server.server import Server

__all__ = ["Connection", "LinkFactory"]

log = logging.getLogger("cosem.server")

_BATCH: Final = 16
"""So many requests of one connection are served before others get their turn."""

_ITEMS: Final = 64
"""So many items of one long list are served before others get their turn."""
_LINGER: Final = 10.0
"""Seconds that a client may take to fetch the last answers of a connection that is closed."""
_Waiting: TypeAlias = tuple[Indication, Any]
"""An indication, and what must be awaited to know its outcome."""


class Connection(asyncio.Protocol):
    """One client of a server: a TCP connection, or a peer that sends datagrams.

    Args:
        server: Whose.
        link: The communication profile.
        each_alone: Whether every answer is written by itself: into a datagram of its own.

    Attributes:
        peer: Address of the client.
        sessions: Its associations by client address and server address.
    """

    __slots__ = (
        "_closing",
        "_each_alone",
        "_established",
        "_partial_since",
        "_reading",
        "_sets_line",
        "_since",
        "_timer",
        "_transport",
        "_writable",
        "heard",
        "link",
        "peer",
        "server",
        "sessions",
    )

    def __init__(self, server: Server, link: ServerLink, *, each_alone: bool = False) -> None:
        self.server = server
        self.link = link
        self.peer = ""
        self.sessions: dict[tuple[int, int], Session] = {}
        self.heard = self._since = server.time()
        self._each_alone = each_alone
        self._sets_line = isinstance(link, LineLink)
        self._transport: Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._partial_since: float | None = None
        self._reading = self._writable = True
        self._established = self._closing = False

    # --- asyncio.Protocol ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless the server has enough connections."""
        address = transport.get_extra_info("peername")
        self.attach(transport, address[0] if address else "")  # type: ignore[arg-type] # BaseTransport of asyncio

    def attach(self, transport: Transport, peer: str) -> None:
        """Begin over a transport, unless the server has enough connections."""
        self._transport = transport
        self.peer = peer
        if not self.server.admits(self):
            self._closing = True
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take octets."""
        if self._closing or self.server.stopping:
            return
        now = self.heard = self.server.time()
        self.server.statistics.octets_received += len(data)
        problem: LinkError | None = None
        try:
            self.link.receive(data, now)
        except LinkError as error:
            problem = error
        whole = self._take_events()
        if not getattr(self.link, "partial", False):
            self._partial_since = None
        elif self._partial_since is None or whole:
            self._partial_since = now
        self._serve_all()
        if problem is not None:
            self.server.statistics.malformed += 1
            self.drop(f"malformed: {problem}")

    def eof_received(self) -> bool:
        """Close when the client has closed its half: nobody would read the answers to come."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Abort every association."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        reason = f"the connection was lost: {exc}" if exc else "the client closed the connection"
        for session in list(self.sessions.values()):
            self._abort(session, reason)
        self.sessions.clear()
        self.server.forget(self)

    def pause_writing(self) -> None:
        """Serve nothing while the client does not take its answers."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._serve_all()

    # --- for the server -----------------------------------------------------------------------------

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What is being served at the moment."""
        return [session.task for session in self.sessions.values() if session.task is not None]

    @property
    def untaken(self) -> int:
        """How many octets wait in our memory for the client to take them."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def tick(self, now: float) -> None:
        """Let time-outs happen: those of the connection and those of its associations."""
        limits = self.server.limits
        if self._closing:
            if _over(now, self._since, _LINGER) and self._transport is not None:
                self._transport.abort()  # the client does not take what is still to be sent
        elif not self._established and _over(now, self._since, limits.first_association):
            self._expire("no association in time")
        elif self._partial_since is not None and _over(now, self._partial_since, limits.partial_unit):
            self._expire("a unit that does not end")
        elif _over(now, self.heard, limits.idle) and not self.tasks:
            self._expire("idle")
        else:
            for key, session in list(self.sessions.items()):
                deadline = session.association.deadline()
                if deadline is not None and deadline <= now and session.task is None:
                    aborted = session.association.tick(now)
                    if aborted is not None:
                        session.told(aborted)
                    self._tidy(key, session)

    def _expire(self, reason: str) -> None:
        self.server.statistics.timed_out += 1
        self.drop(reason)

    def established(self) -> None:
        """Take note that an association stands."""
        self._established = True

    def drop(self, reason: str) -> None:
        """Close the connection when what is ready was sent."""
        if not self._closing:
            self._closing = True
            self._since = self.server.time()
            log.info("connection of %s closed: %s", self.peer, reason)
            if self._transport is not None:
                self._transport.close()

    def stop(self) -> None:
        """Take no more requests; those that are being served go on.

        What still comes is read and dropped: octets that nobody has read would make TCP drop the last answers.
        """
        for session in self.sessions.values():
            session.queue.clear()
        if not self._reading and not self._closing and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def send(self, apdu: bytes, session: Session, *, confirmed: bool = True) -> None:
        """Send an APDU of an association; confirmed are the answers.

        Raises:
            EncodeError: It does not fit into one frame where the link sends what is unconfirmed so.
        """
        association = session.association
        now = self.server.time()
        self.link.send(apdu, association.server_sap, association.client_sap, now, confirmed=confirmed)
        if self._each_alone:
            self.flush()

    def flush(self) -> None:
        """Write what the link has queued, and wake up when the link wants to."""
        link = self.link
        self._write(link.data_to_send())
        if self._sets_line:
            # The transport does one after the other: octets after a change of the line wait for it.
            while (line := link.next_line()) is not None:  # type: ignore[attr-defined] # it is a LineLink
                if (set_line := getattr(self._transport, "set_line", None)) is not None:
                    set_line(line)
                self._write(link.data_to_send())
        deadline = link.deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None and not self._closing:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._tick_link)

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None:
            self.server.statistics.octets_sent += len(octets)
            self._transport.write(octets)

    def _tick_link(self) -> None:
        self._timer = None
        self.link.tick(self.server.time())
        self._take_events()
        self._serve_all()

    # --- requests -----------------------------------------------------------------------------------

    def _take_events(self) -> bool:
        """Queue the APDUs that are whole, and return whether there were any."""
        any_event = False
        crowded = False
        while (event := self.link.next_event()) is not None:
            any_event = True
            if isinstance(event, ApduReceived):
                session = self._session(event.source, event.destination)
                session.queue.append((event.apdu, event.confirmed))
                crowded = crowded or len(session.queue) >= self.server.limits.queued
            elif isinstance(event, Disconnected):
                for key, session in list(self.sessions.items()):
                    if event.source in {None, key[0]} and event.destination in {None, key[1]}:
                        self._abort(session, event.reason)
                        self._tidy(key, session)
        if crowded and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()
        return any_event

    def _session(self, client: int, server: int) -> Session:
        key = client, server
        session = self.sessions.get(key)
        if session is None:
            device = self.server.devices.get(server)
            if device is None or len(self.sessions) >= self.server.limits.associations:
                # An association without profiles refuses whoever asks, in the words of the standard.
                device = None
                association = ServerAssociation((), client_sap=client, server_sap=server)
            else:
                association = device.association(client, self.server.limits.association)
            association.keeps_order = not self._each_alone
            session = self.sessions[key] = Session(association, device)
        return session

    def _serve_all(self) -> None:
        """Serve what waits, one request of each association in turn, and write the answers."""
        budget = _BATCH
        served = True
        while served and self._writable:
            served = False
            for key, session in list(self.sessions.items()):
                if session.task is not None or not session.queue:
                    continue
                if budget == 0:
                    asyncio.get_running_loop().call_soon(self._serve_all)
                    self.flush()
                    return
                budget -= 1
                served = True
                self._serve(session)
                self._tidy(key, session)
        self.flush()
        if (
            not self._reading
            and not self._closing
            and not self.server.stopping
            and self._transport is not None
        ):
            most = max((len(session.queue) for session in self.sessions.values()), default=0)
            if 2 * most <= self.server.limits.queued:
                self._reading = True
                self._transport.resume_reading()

    def _tidy(self, key: tuple[int, int], session: Session) -> None:
        if not session.worth_keeping:
            self.sessions.pop(key, None)

    def _serve(self, session: Session) -> None:
        octets, confirmed = session.take()
        self.server.statistics.requests += 1
        processing = session.association.process(octets, self.server.time(), confirmed=confirmed)
        waiting = self._step(session, processing, None)
        if waiting is not None:
            session.task = asyncio.get_running_loop().create_task(self._wait(session, processing, waiting))

    def _step(self, session: Session, processing: Processing, outcome: Any) -> _Waiting | None:
        """Go on until something must be awaited, or others must have their turn; ``None`` when the answer is out."""
        try:
            for step in count():
                indication = processing.send(outcome)
                outcome = self.server.resolve(self, session, indication)
                if is_awaitable(outcome):
                    return indication, outcome
                if step >= _ITEMS:
                    return indication, _in_the_next_round(outcome)
        except StopIteration as stop:
            for apdu in stop.value:
                self.server.statistics.answers += 1
                self.send(apdu, session)
            if not stop.value and not session.queue:
                association = session.association
                self.link.give_turn(association.server_sap, association.client_sap, self.server.time())
        except Exception as error:  # noqa: BLE001 -- one request must not stop the server
            self.server.incident(f"while a request of {self.peer} was processed", error)
            self._abort(session, "the server failed")
            self.drop("the server failed")
        return None

    async def _wait(self, session: Session, processing: Processing, waiting: _Waiting | None) -> None:
        """Serve a request that takes waiting."""
        try:
            while waiting is not None:
                indication, outcome = waiting
                waiting = self._step(session, processing, await self.server.settle(indication, outcome))
        finally:
            processing.close()
            session.task = None
        association = session.association
        self._tidy((association.client_sap, association.server_sap), session)
        self._serve_all()

    def _abort(self, session: Session, reason: str) -> None:
        session.queue.clear()
        if session.task is not None:
            session.task.cancel()
        aborted = session.association.abort(reason)
        if isinstance(aborted, AbortIndication):
            session.told(aborted)


async def _in_the_next_round(outcome: Any) -> Any:
    await asyncio.sleep(0)
    return outcome


def _over(now: float, since: float, limit: float | None) -> bool:
    return limit is not None and now - since >= limit


LinkFactory: TypeAlias = Callable[[], ServerLink]
"""Makes the server's end of a communication profile for one connection."""
