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
            StateError: There is no association.
            LinkError: The connection is lost.
        """
        self._association.confirm_notification(notification.apdu)
        self._connection.flush()

    def notifications(self, timeout: float | None = 0) -> Iterator[Notification]:
        """Yield what the meter sent by itself, until none has come for a time.

        Args:
            timeout: How long to wait for the next one, seconds; 0 yields what is there already,
                ``None`` waits for ever.
        """
        while (notification := self._connection.wait_for_notification(timeout)) is not None:
            yield from self._alike(notification)

    def on_notification(self, callback: Callable[[Notification], None] | None) -> None:
        """Have every notification given to a function as it arrives, instead of queued; ``None`` queues again."""
        self._connection.on_notification = self._given_alike(callback)

    def trigger_event_notification_sending(self) -> None:
        """Give the meter the turn to send what has happened, where it may not speak unasked: on HDLC lines.

        What it sends comes with :meth:`notifications`.

        Raises:
            UnsupportedError: The communication profile has no turns to give.
        """
        self._connection.trigger_event_notification_sending()
