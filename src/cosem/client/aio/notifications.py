"""What a meter sends by itself to an asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from cosem.client.aio.base import AsyncBase

if TYPE_CHECKING:
    from cosem.association.client.association import Notification

__all__ = ["AsyncNotifications"]


class AsyncNotifications(AsyncBase):
    """Queues notifications, or hands them to a function as they come."""

    async def confirm(self, notification: Notification) -> None:
        """Tell the meter that a DataNotification has arrived; pushes that are confirmed are repeated until then.

        Raises:
            StateError: There is no association.
            LinkError: The connection is lost.
        """
        self._association.confirm_notification(notification.apdu)
        self._connection.flush()

    async def notifications(  # the same words as for the blocking client
        self,
        timeout: float | None = 0,  # noqa: ASYNC109 -- it ends the iteration, it does not cancel
    ) -> AsyncIterator[Notification]:
        """Yield what the meter sent by itself, until none has come for a time.

        Args:
            timeout: How long to wait for the next one, seconds; 0 yields what is there already,
                ``None`` waits for ever.
        """
        while (notification := await self._connection.wait_for_notification(timeout)) is not None:
            for each in self._alike(notification):
                yield each

    def on_notification(self, callback: Callable[[Notification], None] | None) -> None:
        """Have every notification given to a function as it arrives, instead of queued; ``None`` queues again.

        What the function raises goes to the exception handler of the event loop, and harms no request.
        """
        self._connection.on_notification = self._given_alike(callback)

    def trigger_event_notification_sending(self) -> None:
        """Give the meter the turn to send what has happened, where it may not speak unasked: on HDLC lines.

        What it sends comes with :meth:`notifications`.

        Raises:
            UnsupportedError: The communication profile has no turns to give.
        """
        self._connection.trigger_event_notification_sending()
