"""Stopping at a signal: cleanly the first time, and at once when that does not come to an end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

__all__ = ["stopping"]

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)
_PATIENCE: Final = 5.0
"""Seconds after the first signal in which there must be progress."""
_BETWEEN_TRIALS: Final = 0.1
"""Seconds until a write that nobody takes is interrupted again."""


@contextmanager
def stopping(stopped: asyncio.Event, progress: Callable[[], int]) -> Iterator[None]:
    """Set ``stopped`` at SIGINT and SIGTERM.

    A second signal, or a few seconds without progress, do what the signal does by itself: standard output may be a
    pipe that nobody reads, and whoever waits for it to be written cannot look whether it is to stop. A thread of its
    own hears the signals, since a signal can come just before a write begins to wait, which does not end then.

    Args:
        stopped: Set at the first signal.
        progress: Says, in any thread, how much was done.
    """
    if threading.current_thread() is not threading.main_thread():  # there are no signals
        yield
        return
    watch = _Watch(asyncio.get_running_loop(), stopped, progress)
    former = {number: signal.signal(number, watch.handle) for number in _NUMBERS}
    heard = signal.set_wakeup_fd(watch.told, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(heard)
        for number, handler in former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        watch.close()


class _Watch:
    """A thread that hears signals whatever the program waits for."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, stopped: asyncio.Event, progress: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._progress = progress
        self._stopped = stopped
        self._hears, self._told = socket.socketpair()
        self._told.setblocking(False)
        self._at_once = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def told(self) -> int:
        """The descriptor to which the number of each signal is written."""
        return self._told.fileno()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Let a signal do what it does by itself, if it is to; the thread does the rest."""
        del frame
        if self._at_once:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _heard(self) -> int | None:
        """Return the number of the next signal; ``None`` at the end.

        Raises:
            TimeoutError: None comes for so long.
        """
        while octet := self._hears.recv(1):
            if octet[0] in _NUMBERS:
                return octet[0]
        return None

    def _second(self, number: int) -> int | None:
        """Return the number of the second signal; that of the first where there is no progress; ``None`` at the end."""
        before = self._progress()
        while True:
            try:
                return self._heard()
            except TimeoutError:
                if before == (before := self._progress()):
                    return number

    def _watch(self) -> None:
        number = self._heard()
        if number is None:
            return
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._hears.settimeout(_PATIENCE)
        number = self._second(number)
        if number is None:
            return
        self._at_once = True
        while not self._ended.is_set():
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, number)
            else:
                signal.raise_signal(number)
            self._ended.wait(_BETWEEN_TRIALS)

    def close(self) -> None:
        """Hear no more."""
        self._ended.set()
        self._told.close()
        self._thread.join()
        self._hears.close()
