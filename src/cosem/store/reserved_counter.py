"""A counter of sending whose values are reserved ahead in a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from logging import getLogger
from operator import length_hint
from threading import Lock
from typing import Final

from cosem.security.counters import CounterName, CounterStore, check_resumption, exhausted, is_near_the_end

__all__ = ["ReservedCounter"]

_FIRST_STEP: Final = 16
_log = getLogger(__name__)


class ReservedCounter:
    """Gives each value once: among threads, after a fork, among processes, and after a crash.

    Few values are reserved at first, twice as many each further time, up to ``step``: a program that
    reads one meter wastes little, and one that reads many seldom waits for the disk. Where others reserve
    in between it begins with few again: what one has in stock is behind what the other sends.

    Args:
        store: Where values are reserved.
        name: Of which key and sender.
        step: How many values are reserved at most.
    """

    __slots__ = ("_ahead", "_end", "_lock", "_name", "_process", "_step", "_store", "_values", "_warned")

    def __init__(self, store: CounterStore, name: CounterName, *, step: int = 1024) -> None:
        self._store = store
        self._name = name
        self._step = max(1, step)
        self._warned = False
        self._values: Iterator[int] = iter(())
        self._ahead = min(_FIRST_STEP, self._step)
        self._end = 0
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

    def check(self, count: int) -> None:
        """Refuse to go on where fewer values than ``count`` are left; they are reserved, and none is taken.

        Raises:
            CounterExhausted: Fewer are left.
            SecurityError: The store cannot be used.
        """
        if self._process != os.getpid():
            self._begin_anew()
        with self._lock:
            if length_hint(self._values) >= count:
                return
            left, end = list(self._values), self._end
            self._values = iter(left)
            self._reserve(count=count)
            reserved = list(self._values)
            if end and reserved[0] > end:
                left = []  # others have reserved in between: what was left is behind what they send
            self._values = iter([*left, *reserved])
            if length_hint(self._values) < count:
                raise exhausted()

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

    def renew(self) -> bool:
        """Drop what is reserved where others have reserved since, and return whether it was so.

        What they have sent lets the meter refuse what is in stock here. The store alone is asked: nobody's word
        can use up the range.

        Raises:
            SecurityError: The store cannot be used.
        """
        if self._process != os.getpid():
            self._begin_anew()
        with self._lock:
            if self._store.peek(self._name) <= self._end or not self._end:
                return False
            self._values = iter(())
            self._end = 0
            self._ahead = min(_FIRST_STEP, self._step)
            return True

    def _reserve(self, least: int = 0, count: int = 0) -> None:
        """Reserve values, at least so many if there are, in place of those that are left."""
        reserved = self._store.reserve(self._name, max(count, self._ahead), least)
        shared = self._end and reserved.start > max(self._end, least)
        self._ahead = min(_FIRST_STEP if shared else 2 * self._ahead, self._step)
        self._end = reserved.stop
        if is_near_the_end(reserved.stop) and not self._warned:
            self._warned = True
            left = 0xFFFFFFFF - reserved.stop
            _log.warning("only %d invocation counters are left for a key: change it", left)
        self._values = iter(reserved)

    def _begin_anew(self) -> None:
        self._lock = Lock()
        self._values = iter(())
        self._ahead = min(_FIRST_STEP, self._step)
        self._end = 0
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"<ReservedCounter of {self._name.title.hex().upper()}>"
