"""The asynchronous client: the same operations as the blocking one, awaited; several may run at once."""

from __future__ import annotations

from cosem.client.aio.comforts import AsyncComforts
from cosem.client.aio.handles import AsyncHandles
from cosem.client.aio.notifications import AsyncNotifications
from cosem.client.aio.objects import AsyncObjects

__all__ = ["AsyncClient"]


class AsyncClient(AsyncObjects, AsyncComforts, AsyncHandles, AsyncNotifications):
    """A meter, for one event loop; made by :func:`cosem.connect_async`.

    Any number of calls may be made at the same time; ``parallel`` of them are under way, and the others wait.

    Every call may raise a :class:`~cosem.errors.LinkError` when the connection fails, a
    :class:`~cosem.errors.TransportTimeout` when no answer comes, a :class:`~cosem.errors.ProtocolError`
    or :class:`~cosem.errors.DecodeError` when the meter breaks the rules, and
    :class:`~cosem.errors.UnsupportedError` for what the association did not agree on.
    """
