"""What every part of an asynchronous client stands on: conversations that are run, and the end of the connection."""

from __future__ import annotations

from asyncio import Lock, Semaphore, to_thread
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from cosem.association.context import no_progress
from cosem.client.base import ClientBase, closed_meanwhile, not_reopened
from cosem.client.session import Session
from cosem.errors import CosemError, StateError
from cosem.transport.aio import AsyncConnection

if TYPE_CHECKING:
    from cosem.association.client.preparation import ClientSecurity
    from cosem.association.context import Conversation, Progress, ServiceContext
    from cosem.client.base import Opener

__all__ = ["AsyncBase"]

T = TypeVar("T")


class AsyncBase(ClientBase):
    """Runs conversations over one connection, one or several at a time.

    Args:
        connection: Moves the association.
        session: How to treat the meter, and what is known of it.
        peer: How the meter is called in messages.
        on_close: Called once, when the client is closed.
        opener: Opens the association anew.
        parallel: How many conversations are under way at once.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        session: Session,
        peer: str = "meter",
        on_close: Callable[[], object] | None = None,
        parallel: int = 1,
        opener: Opener | None = None,
    ) -> None:
        super().__init__(connection, session, peer, opener)
        self._turns = Semaphore(parallel)
        self._reopening = Lock()
        self._connection = connection
        self._on_close = on_close

    async def run(
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
        """
        async with self._turns:
            try:
                exchange = self._association.start(operation, high_priority=high_priority, progress=progress)
            except StateError:
                if self._connection.lost is not None:
                    raise self._connection.lost from None
                raise
            return await self._connection.run(exchange)

    async def reopen(self, security: ClientSecurity | None = None) -> None:
        """Open the association anew, over a new connection: after a loss, or with other keys.

        Of tasks that ask for that at the same time one does it, and the others take the connection that it opened.

        Args:
            security: How to prove who we are and to protect what is sent; by default as before.

        Raises:
            UnsupportedError: The client was not made by :func:`cosem.connect`.
            LinkError: The meter cannot be reached; requests then say so, until it is reopened.
            CosemError: Whatever else :func:`cosem.connect` raises, likewise.
        """
        opener = self._opened
        former, closings = self._connection, self._closings
        async with self._reopening:
            as_now = security is None or security is opener.security
            if as_now and self._connection is not former and self.associated:
                return
            former = self._connection
            former.close()
            await former.wait_closed()  # some ports and gateways take one at a time
            if self._closings != closings:
                raise closed_meanwhile()
            try:
                connection = await opener.open_async(security or opener.security)
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

    async def release(self) -> bool:
        """Release the association, keep the connection, and return whether the meter agreed.

        Raises:
            StateError: There is no association, or it is pre-established.
        """
        return await self._connection.run(self._association.release(), self._connection.timeouts.release)

    def abort(self) -> None:
        """Close the connection at once, without release."""
        self._connection.close()
        on_close = self._closed()
        if on_close is not None:
            on_close()

    async def close(self) -> None:
        """Release the association, disconnect and close; a second time does nothing."""
        try:
            if self.associated:
                if not self.parameters.pre_established:
                    with suppress(CosemError):
                        await self.release()
                await self._connection.disconnect()
        finally:
            self._connection.close()
            on_close = self._closed()
            if on_close is not None:
                # It waits for a thread: the loop goes on meanwhile.
                await to_thread(on_close)

    def _closed(self) -> Callable[[], object] | None:
        """Take note that the client is closed, and return what is still to be called for that."""
        self._closings += 1
        on_close, self._on_close = self._on_close, None
        return on_close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
