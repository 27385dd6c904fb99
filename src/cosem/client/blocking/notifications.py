"""What a meter sends by itself to a blocking client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cosem.client.blocking.base import BlockingBase

if TYPE_CHECKING:
    from cosem.association.client.association import Notification

__all__ = ["BlockingNotifications"]


class BlockingNotifications(BlockingBase):
    """Queues notifications, or hands them to a function as they come."""

    def confirm(self, notification: Notification) -> None:
        """Tell the meter that a DataNotification has arrived; pushes that are confirmed are repeated until then.

        Raises:
            StateError: There is no association, or another thread uses this client.
            LinkError: The connection is lost.
        """
        with self._in_turn("a confirmation"):
            self._association.confirm_notification(notification.apdu)
            self._connection.flush()

    def notifications(self, timeout: float | None = 0) -> Iterator[Notification]:
        """Yield what the meter sent by itself, until none has come for a time.

        Args:
            timeout: How long to wait for the next one, seconds; 0 yields what is there already,
                ``None`` waits for ever.

        Raises:
            StateError: Another thread uses this client.
            LinkError: The connection is lost.
        """
        while True:
            with self._in_turn("waiting for notifications"):  # not while the caller does something with one
                notification = self._connection.wait_for_notification(timeout)
            if notification is None:
                return
            yield from self._alike(notification)

    def on_notification(self, callback: Callable[[Notification], None] | None) -> None:
        """Have every notification given to a function as it arrives, instead of queued; ``None`` queues again.

        The function may ask the meter: the request in which the notification came is finished first, and further
        notifications wait until the function has returned. What it raises is logged, and harms no request.
        """
        self._connection.on_notification = self._given_alike(callback)

    def trigger_event_notification_sending(self) -> None:
        """Give the meter the turn to send what has happened, where it may not speak unasked: on HDLC lines.

        What it sends comes with :meth:`notifications`.

        Raises:
            UnsupportedError: The communication profile has no turns to give.
            StateError: Another thread uses this client.
        """
        with self._in_turn("giving the meter the turn"):
            self._connection.trigger_event_notification_sending()
