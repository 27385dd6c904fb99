"""What every part of a blocking client stands on: conversations that are run, and the end of the connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from cosem.association.context import no_progress
from cosem.client.base import ClientBase, closed_meanwhile, not_reopened
from cosem.client.session import Session
from cosem.errors import CosemError, StateError
from cosem.transport.blocking import BlockingConnection

if TYPE_CHECKING:
    from cosem.association.client.preparation import ClientSecurity
    from cosem.association.context import Conversation, Progress, ServiceContext
    from cosem.client.base import Opener

__all__ = ["BlockingBase"]

T = TypeVar("T")


class BlockingBase(ClientBase):
    """Runs conversations over one connection, for one thread at a time.

    Args:
        connection: Moves the association.
        session: How to treat the meter, and what is known of it.
        peer: How the meter is called in messages.
        on_close: Called once, when the client is closed.
        opener: Opens the association anew.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        session: Session,
        peer: str = "meter",
        on_close: Callable[[], object] | None = None,
        opener: Opener | None = None,
    ) -> None:
        super().__init__(connection, session, peer, opener)
        self._connection = connection
        self._on_close = on_close
        # Of one thread at a time; a callback for notifications may ask in between.
        self._turn = RLock()

    def run(
        self,
        operation: Callable[[ServiceContext], Conversation[T]],
        *,
        high_priority: bool = False,
        progress: Progress = no_progress,
    ) -> T:
        """Run a conversation of services in this association, and return its result.

        Args:
            operation: Makes the conversation of what it is told about the association.
            high_priority: Asks the meter to answer before other requests, where that was agreed on.
            progress: Told of the octets that block transfers have moved so far, those of all its requests.

        Raises:
            StateError: Another thread uses this client, or there is no association.
        """
        turn = self._turn
        if not turn.acquire(blocking=False):
            raise self._not_our_turn("a request")
        try:
            self._connection.finish_open()
            exchange = self._association.start(operation, high_priority=high_priority, progress=progress)
        except StateError:
            if self._connection.lost is not None:
                raise self._connection.lost from None
            raise
        else:
            return self._connection.run(exchange)
        finally:
            turn.release()

    def reopen(self, security: ClientSecurity | None = None) -> None:
        """Open the association anew, over a new connection: after a loss, or with other keys.

        Args:
            security: How to prove who we are and to protect what is sent; by default as before.

        Raises:
            UnsupportedError: The client was not made by :func:`cosem.connect`.
            StateError: Another thread uses this client.
            LinkError: The meter cannot be reached; requests then say so, until it is reopened.
            CosemError: Whatever else :func:`cosem.connect` raises, likewise.
        """
        opener = self._opened
        with self._in_turn("a reopening"):
            former, closings = self._connection, self._closings
            former.close()
            try:
                connection = opener.open(security or opener.security)
            except BaseException as error:
                former.explain(not_reopened(error))
                raise
            if self._closings != closings:
                connection.close()
                raise closed_meanwhile()
            self._carry_over(former, connection)
            self._connection = self._state_of = connection
            self._association = connection.association
            connection.tell()

    def release(self) -> bool:
        """Release the association, keep the connection, and return whether the meter agreed.

        Raises:
            StateError: There is no association, it is pre-established, or another thread uses this client.
        """
        with self._in_turn("a release"):
            return self._connection.run(self._association.release(), self._connection.timeouts.release)

    def abort(self) -> None:
        """Close the connection at once, without release."""
        ours = self._turn.acquire(blocking=False)
        try:
            self._connection.close(in_turn=ours)
        finally:
            if ours:
                self._turn.release()
        self._closed()

    def close(self) -> None:
        """Release the association, disconnect and close; a second time does nothing.

        While another thread uses this client it is closed at once, as by :meth:`abort`.
        """
        ours = self._turn.acquire(blocking=False)
        try:
            if ours and self.associated:
                if not self.parameters.pre_established:
                    with suppress(CosemError):
                        self.release()
                self._connection.disconnect()
        finally:
            self._connection.close(in_turn=ours)
            if ours:
                self._turn.release()
            self._closed()

    @contextmanager
    def _in_turn(self, what: str) -> Iterator[None]:
        """Keep other threads away meanwhile.

        Raises:
            StateError: One of them uses this client.
        """
        if not self._turn.acquire(blocking=False):
            raise self._not_our_turn(what)
        try:
            yield
        finally:
            self._turn.release()

    def _not_our_turn(self, what: str) -> StateError:
        return StateError("another thread uses this client (give each its own)", what)

    def _closed(self) -> None:
        self._closings += 1
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
