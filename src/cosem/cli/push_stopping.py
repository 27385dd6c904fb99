"""Stopping at a signal: cleanly the first time, and at once when that does not come to an end."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

__all__ = ["stopping"]

_PATIENCE: Final = 5.0
"""Seconds after the first signal in which what was begun is brought to its end."""


@contextmanager
def stopping(stopped: asyncio.Event) -> Iterator[None]:
    """Set ``stopped`` at SIGINT and SIGTERM.

    A second signal, or a few seconds without an end, do what the signal does by itself: standard output may be a pipe
    that nobody reads, and whoever waits for it to be written cannot look whether it is to stop. The handlers are those
    of the system and not of the event loop, which does not turn then.
    """
    loop = asyncio.get_running_loop()
    at_last: list[threading.Timer] = []

    def end(number: int) -> None:
        os.kill(os.getpid(), number)

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        if at_last:
            signal.signal(number, signal.SIG_DFL)
            end(number)
            return
        timer = threading.Timer(_PATIENCE, end, (number,))
        timer.daemon = True
        at_last.append(timer)
        timer.start()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(stopped.set)

    former: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}
    with suppress(ValueError):  # no handlers outside the main thread
        for number in (signal.SIGINT, signal.SIGTERM):
            former[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for timer in at_last:
            timer.cancel()
        for caught, handler in former.items():
            signal.signal(caught, handler)
