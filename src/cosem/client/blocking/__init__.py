"""The blocking client."""

from __future__ import annotations

from cosem.client.blocking.comforts import BlockingComforts
from cosem.client.blocking.handles import BlockingHandles
from cosem.client.blocking.notifications import BlockingNotifications
from cosem.client.blocking.objects import BlockingObjects

__all__ = ["Client"]


class Client(BlockingObjects, BlockingComforts, BlockingHandles, BlockingNotifications):
    """A meter, for one thread at a time; made by :func:`cosem.connect`.

    Every call may raise a :class:`~cosem.errors.LinkError` when the connection fails, a
    :class:`~cosem.errors.TransportTimeout` when no answer comes, a :class:`~cosem.errors.ProtocolError`
    or :class:`~cosem.errors.DecodeError` when the meter breaks the rules, and
    :class:`~cosem.errors.UnsupportedError` for what the association did not agree on.
    """
