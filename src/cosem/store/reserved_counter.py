"""A counter of sending whose values are reserved ahead in a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from logging import getLogger
from threading import Lock
from typing import Final

from cosem.security.counters import CounterName, CounterStore, check_resumption, is_near_the_end

__all__ = ["ReservedCounter"]

_FIRST_STEP: Final = 16
_log = getLogger(__name__)


class ReservedCounter:
    """Gives each value once: among threads, after a fork, among processes, and after a crash.

    Few values are reserved at first, twice as many each further time, up to ``step``: a program that
    reads one meter wastes little, and one that reads many seldom waits for the disk.

    Args:
        store: Where values are reserved.
        name: Of which key and sender.
        step: How many values are reserved at most.
    """

    __slots__ = ("_ahead", "_lock", "_name", "_process", "_step", "_store", "_values", "_warned")

    def __init__(self, store: CounterStore, name: CounterName, *, step: int = 1024) -> None:
        self._store = store
        self._name = name
        self._step = max(1, step)
        self._warned = False
        self._values: Iterator[int] = iter(())
        self._ahead = min(_FIRST_STEP, self._step)
        self._lock = Lock()
        self._process = os.getpid()

    def next(self) -> int:
        """Return a value that nobody was given before.

        Raises:
            CounterExhausted: There is none left: the key must be changed.
            SecurityError: The store cannot be used; then nothing may be sent.
        """
        if self._process != os.getpid():
            self._begin_anew()  # what is reserved belongs to the parent
        with self._lock:
            for value in self._values:
                return value
            self._reserve()
            return next(self._values)

    def raise_to(self, value: int) -> None:
        """Go on at ``value``, if that is further on.

        Raises:
            CounterExhausted: Nothing can follow.
        """
        check_resumption(value)
        if self._process != os.getpid():
            self._begin_anew()
        with self._lock:
            if value <= self._store.peek(self._name):
                # Within what is reserved by us or others: the values below it are skipped.
                self._values = iter([each for each in self._values if each >= value])
                return
            self._reserve(value)

    def _reserve(self, least: int = 0) -> None:
        """Reserve values, in place of those that are left."""
        reserved = self._store.reserve(self._name, self._ahead, least)
        self._ahead = min(self._step, 2 * self._ahead)
        if is_near_the_end(reserved.stop) and not self._warned:
            self._warned = True
            left = 0xFFFFFFFF - reserved.stop
            _log.warning("only %d invocation counters are left for a key: change it", left)
        self._values = iter(reserved)

    def _begin_anew(self) -> None:
        self._lock = Lock()
        self._values = iter(())
        self._ahead = min(_FIRST_STEP, self._step)
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"<ReservedCounter of {self._name.title.hex().upper()}>"
