"""A server for blocking code: it runs in a thread of its own, with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from cosem.errors import StateError

if TYPE_CHECKING:
    from cosem.server.limits import ConnectionLimits
    from cosem.server.logical_device import LogicalDevice
    from cosem.server.server import Server

__all__ = ["serve_in_thread"]

T = TypeVar("T")


class serve_in_thread:
    """Serve logical devices from a thread, for as long as the context lasts; it gives the URL.

    ::

        with serve_in_thread(demonstration_meter()) as url:
            ...

    Args:
        devices: The logical devices, or a server that was made and not started.
        url: Where to listen; see :meth:`cosem.server.server.Server.listen`.
        limits: What clients may make it spend.

    Attributes:
        server: The server; touch it from its own thread only, for example with :meth:`call`.

    Raises:
        TransportError: The address cannot be listened at.
    """

    def __init__(
        self,
        devices: Iterable[LogicalDevice] | LogicalDevice | Server,
        url: str = "tcp://127.0.0.1:0",
        *,
        limits: ConnectionLimits | None = None,
    ) -> None:
        from cosem.server.server import Server

        self.server = devices if isinstance(devices, Server) else Server(devices, limits=limits)
        if not self.server.planned:
            self.server.listen(url)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cosem server", daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self.server.address

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server and wait until its thread has ended."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function in the thread of the server, and return what it returns.

        Raises:
            StateError: The server does not run.
        """
        if self._loop is None or not self._thread.is_alive():
            raise StateError("stopped", "call")

        async def run() -> T:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self.server.start()
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            await self.server.close(1.0)
