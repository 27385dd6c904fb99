"""What waits for an exchange of an asynchronous connection: for each answer, and for all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cosem.association.client.association import Exchange
from cosem.transport.lateness import unanswered, unfinished

if TYPE_CHECKING:
    from cosem.transport.aio import AsyncConnection

__all__ = ["Waiting"]


class Waiting:
    """A task that waits for an exchange, and the two clocks that bound it.

    Args:
        connection: Where the exchange goes on.
        exchange: What is waited for.
        answer: Seconds for each answer.
        total: Seconds for all of it.
    """

    __slots__ = (
        "_answer",
        "_before",
        "_connection",
        "_exchange",
        "_loop",
        "_steps",
        "_timer",
        "_total",
        "future",
    )

    def __init__(
        self, connection: AsyncConnection, exchange: Exchange[Any], answer: float, total: float
    ) -> None:
        loop = asyncio.get_running_loop()
        self._connection = connection
        self._exchange = exchange
        self._answer = answer
        self._before = 0
        self._loop = loop
        self._steps = -1
        self._timer: asyncio.TimerHandle | None = None
        self.future: asyncio.Future[None] = loop.create_future()
        self._total = loop.call_later(total, self._end, total)
        exchange.on_done = self._done

    def _done(self, exchange: Exchange[Any]) -> None:
        del exchange
        if not self.future.done():
            self.future.set_result(None)

    def _end(self, seconds: float) -> None:
        error = unfinished(self._connection.peer, seconds, self._exchange)
        self._connection.cancel(self._exchange, error)

    def _expire(self) -> None:
        connection = self._connection
        octets = connection.received - self._before
        connection.expire(self._exchange, unanswered(connection.peer, self._answer, self._exchange, octets))

    def restart(self) -> None:
        """Begin to wait anew where this exchange has sent something since."""
        if self._exchange.steps != self._steps and not self._exchange.done:
            self._steps = self._exchange.steps
            self._before = self._connection.received
            if self._timer is not None:
                self._timer.cancel()
            patience = self._exchange.patience
            self._timer = self._loop.call_later(self._answer if patience is None else patience, self._expire)

    def stop(self) -> None:
        """Stop both clocks."""
        self._total.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._exchange.on_done = None
