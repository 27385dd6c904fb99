"""When a push may be confirmed: as soon as it is kept wherever it goes, and not before.

A meter that got its confirmation never sends a notification again. What waits in memory for a database that is
locked, or for a broker that is away, is lost if the program ends; so it is confirmed later, or not at all.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

__all__ = ["Confirmations", "Waiting"]

_PATIENCE: Final = 2.0
"""Seconds that confirmations are waited for at the end."""


class Waiting:
    """What a sink says of a message that it took and has not kept yet.

    It may have several parts; each is kept or lost, in whatever thread. Whoever makes it is a part of its own.
    """

    __slots__ = ("_left", "_lock", "_then", "lost")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 1
        self._then: Callable[[], None] | None = None
        self.lost = False
        """Whether any part of it was lost."""

    def more(self) -> None:
        """There is one part more."""
        with self._lock:
            self._left += 1

    def over(self, *, kept: bool) -> None:
        """A part was kept, or was lost."""
        with self._lock:
            self.lost = self.lost or not kept
            self._left -= 1
            then = self._then if not self._left else None
        if then is not None:
            then()

    def then(self, act: Callable[[], None]) -> None:
        """Call ``act`` when all parts are kept or lost; now, if they are."""
        with self._lock:
            self._then = act
            waits = self._left
        if not waits:
            act()


class _Message:
    """A message, and what it waits for."""

    __slots__ = ("confirm", "forget", "key", "waits")

    def __init__(
        self,
        key: object,
        waits: Sequence[Waiting],
        confirm: Callable[[], None] | None,
        forget: Callable[[], None],
    ) -> None:
        self.key, self.waits, self.confirm, self.forget = key, waits, confirm, forget


class Confirmations:
    """Confirms each message when all sinks have kept it; one that a sink lost may come again.

    Args:
        wake: Called, in any thread, when :meth:`settle` has something to do.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: dict[object, _Message] = {}
        self._over: deque[_Message] = deque()
        self._settled: asyncio.Event | None = None

    def taken(
        self,
        own: bytes | None,
        waits: Sequence[Waiting],
        confirm: Callable[[], None] | None,
        forget: Callable[[], None],
    ) -> None:
        """A message was given to all sinks.

        Args:
            own: What makes a repetition of it the same; ``None`` if nothing does.
            waits: Those sinks' that have not kept it yet.
            confirm: Confirms it; ``None`` where nobody waits for that.
            forget: Lets a repetition of it be taken as if it were new.
        """
        message = _Message(object() if own is None else own, waits, confirm, forget)
        left = len(waits)
        if not left:
            self._end(message)
            return
        self._waiting[message.key] = message
        lock = threading.Lock()

        def one_less() -> None:
            nonlocal left
            with lock:
                left -= 1
                done = not left
            if done:
                self._over.append(message)
                self._wake()

        for wait in waits:
            wait.then(one_less)

    def repeated(self, own: bytes | None, confirm: Callable[[], None] | None) -> None:
        """A message came again: it is confirmed, since the answer may have been lost, but not before it is kept."""
        first = self._waiting.get(own)
        if first is not None:
            first.confirm = confirm or first.confirm
        elif confirm is not None:
            confirm()

    def settle(self) -> None:
        """Confirm what was kept in the meantime."""
        while self._over:
            message = self._over.popleft()
            self._waiting.pop(message.key, None)
            self._end(message)
        if self._settled is not None and not self._open:
            self._settled.set()

    @property
    def _open(self) -> bool:
        return any(each.confirm is not None for each in self._waiting.values())

    @staticmethod
    def _end(message: _Message) -> None:
        if any(wait.lost for wait in message.waits):
            message.forget()
        elif message.confirm is not None:
            message.confirm()

    async def last(self) -> None:
        """Wait a little for what is not confirmed yet."""
        if self._open:
            self._settled = asyncio.Event()
            self.settle()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), _PATIENCE)
