"""Links that are watched: an observer of each connection of a server sees its octets and its APDUs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from cosem.link.base import ApduReceived, LineLink, LineSettings, LinkEvent, ServerLink

if TYPE_CHECKING:
    from cosem.server.connection import LinkFactory
    from cosem.transport.url import Address

__all__ = ["ConnectionObserver", "Observing", "ObservedLink", "observed"]


class ConnectionObserver(Protocol):
    """Watches one connection of a server, which may carry several pairs of client and logical device."""

    def octets_sent(self, octets: bytes) -> None:
        """See octets that go to the line, framing included."""
        ...

    def octets_received(self, octets: bytes) -> None:
        """See octets that came from the line, framing included."""
        ...

    def apdu_sent(self, apdu: bytes, client: int, server: int) -> None:
        """See one APDU that goes to a client."""
        ...

    def apdu_received(self, apdu: bytes, client: int, server: int) -> None:
        """See one APDU that came from a client."""
        ...

    def close(self) -> None:
        """Take note that the connection is gone."""
        ...


Observing: TypeAlias = Callable[["Address"], ConnectionObserver]
"""Returns the observer of a connection that begins at an address where the server listens."""


class ObservedLink:
    """The server's end of a link that is watched.

    Args:
        inner: The link.
        observer: Who watches; it is told when the link is not used any more.
    """

    def __init__(self, inner: ServerLink, observer: ConnectionObserver) -> None:
        self._inner = inner
        self._observer = observer
        weakref.finalize(self, observer.close)

    @property
    def partial(self) -> bool:
        """Whether a unit has begun and not ended."""
        return bool(getattr(self._inner, "partial", False))

    def send(self, apdu: bytes, source: int, destination: int, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU."""
        self._observer.apdu_sent(apdu, destination, source)
        self._inner.send(apdu, source, destination, now, confirmed=confirmed)

    def unconfirmed_size(self, source: int, destination: int) -> int:
        """Return the longest APDU that can be sent unconfirmed; 0: any."""
        return self._inner.unconfirmed_size(source, destination)

    def unconfirmed_room(self) -> int | None:
        """Return how many more unconfirmed APDUs can wait for the turn; ``None``: none has to."""
        return self._inner.unconfirmed_room()

    def give_turn(self, source: int, destination: int, now: float) -> None:
        """Take note that an APDU gets no answer."""
        self._inner.give_turn(source, destination, now)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            LinkError: They cannot be the profile.
        """
        self._observer.octets_received(octets)
        self._inner.receive(octets, now)

    def data_to_send(self) -> bytes:
        """Return the queued octets, and forget them."""
        octets = self._inner.data_to_send()
        if octets:
            self._observer.octets_sent(octets)
        return octets

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        event = self._inner.next_event()
        if isinstance(event, ApduReceived):
            self._observer.apdu_received(event.apdu, event.source, event.destination)
        return event

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        return self._inner.deadline()

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        self._inner.tick(now)


class _ObservedLineLink(ObservedLink):
    """The same of a link that sets a serial line."""

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays."""
        inner: Any = self._inner
        line: LineSettings | None = inner.next_line()
        return line


def observed(factory: LinkFactory, address: Address, observing: Observing) -> LinkFactory:
    """Return what makes links of an address that are watched, each by an observer of its own."""

    def make() -> ServerLink:
        inner = factory()
        kind = _ObservedLineLink if isinstance(inner, LineLink) else ObservedLink
        return kind(inner, observing(address))

    return make
