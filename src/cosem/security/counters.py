"""Invocation counters: what is sent never repeats, what was received is not taken twice.

(IEC 62056-5-3, 5.4.5) The nonce of AES-GCM is the system title of the sender and a
counter of 32 bits. A counter belongs to a key and a sender, and is kept under a
:class:`CounterName` made of both. Who sends takes a value and never takes it again;
who receives keeps the lowest value that is still acceptable, and moves it only after
the tag was verified. A new key has a new name, hence counters that begin at 0; an
old key that comes back finds its counters where they were.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from cosem.errors import CounterExhausted, CounterJumpError, ReplayError, SecurityError

__all__ = [
    "LARGEST_JUMP",
    "LAST_COUNTER",
    "CounterName",
    "CounterStore",
    "InvocationCounter",
    "ReplayGuard",
    "ReplayMode",
    "VolatileCounter",
    "VolatileCounterStore",
    "check_numbers",
    "is_near_the_end",
    "renew_numbers",
]

LAST_COUNTER: Final = 0xFFFFFFFE
"""The highest counter that is ever sent or taken; at 2³²-1 the key must have been changed."""

LARGEST_JUMP: Final = 1 << 24
"""How far a received counter may be beyond the one expected, if nobody says otherwise."""

_NEAR_THE_END: Final = 0xF0000000


class _Fingerprinted(Protocol):
    def fingerprint(self, salt: bytes = b"") -> bytes: ...


class CounterName(NamedTuple):
    """Which counter: of which key, and of which sender.

    Args:
        key: Fingerprint of the key, 16 octets; reveals nothing of it.
        title: System title of who sends with this counter.
    """

    key: bytes
    title: bytes

    @classmethod
    def of(cls, key: _Fingerprinted, title: bytes, salt: bytes = b"") -> CounterName:
        """Return the name of the counter of a key and a sender.

        Args:
            key: A :class:`~cosem.security.key_material.Key`, or what holds one.
            title: System title of the sender.
            salt: That of the store, :attr:`CounterStore.salt`.
        """
        return cls(key.fingerprint(salt), bytes(title))


class InvocationCounter(Protocol):
    """Gives the counters of what is sent under one key."""

    def next(self) -> int:
        """Return a value that was never returned before, and never will be again.

        Raises:
            CounterExhausted: There is none left: the key must be changed.
        """
        ...

    def raise_to(self, value: int) -> None:
        """Go on at ``value``, if that is further on: a meter says that it has seen more than we know of.

        Raises:
            CounterExhausted: Nothing can follow.
        """
        ...


class CounterStore(Protocol):
    """Counters at rest, shared by everything that uses the same keys."""

    @property
    def salt(self) -> bytes:
        """Random octets of this store, so that its fingerprints are useless elsewhere."""
        ...

    def counter(self, name: CounterName) -> InvocationCounter:
        """Return the counter of a key and a sender; everybody in this process gets the same."""
        ...

    def reserve(self, name: CounterName, count: int, least: int = 0) -> range:
        """Take up to ``count`` values for sending, for good: nobody gets any of them again.

        Args:
            name: Of the counter.
            count: How many; fewer are given at the end of the range.
            least: The lowest value wanted.

        Raises:
            CounterExhausted: None is left.
        """
        ...

    def peek(self, name: CounterName) -> int:
        """Return the value from which the next reservation begins."""
        ...

    def lowest_acceptable(self, name: CounterName) -> int:
        """Return the lowest counter that is still accepted from a sender; 0 if none was ever received."""
        ...

    def accept(self, name: CounterName, counter: int, *, durable: bool = True) -> bool:
        """Note a counter whose message was verified, in one step with the comparison.

        Args:
            name: Of the sender's counter.
            counter: What the message had.
            durable: Whether it must be at rest when this returns; else it may be lost if the process dies.

        Returns:
            Whether it was acceptable; what was kept goes up and never down.
        """
        ...


class VolatileCounter:
    """A counter without a memory: for dedicated keys, which live as long as one association, and for tests.

    >>> counter = VolatileCounter(7)
    >>> counter.next(), counter.next()
    (7, 8)

    Args:
        start: The first value.
    """

    __slots__ = ("_value",)

    def __init__(self, start: int = 0) -> None:
        self._value = start

    def next(self) -> int:
        """Return the next value.

        Raises:
            CounterExhausted: There is none left.
        """
        value = self._value
        self.check(1)
        self._value = value + 1
        return value

    def check(self, count: int) -> None:
        """Refuse to go on where fewer values than ``count`` are left."""
        if self._value + count - 1 > LAST_COUNTER:
            raise exhausted()

    def raise_to(self, value: int) -> None:
        """Go on at ``value``, if that is further on."""
        check_resumption(value)
        self._value = max(self._value, value)


class VolatileCounterStore:
    """Counters of one process and one run: for tests, and where somebody else keeps them.

    Args:
        salt: Goes into the fingerprints of keys.
    """

    def __init__(self, salt: bytes = b"") -> None:
        self._salt = salt
        self._sent: dict[CounterName, int] = {}
        self._received: dict[CounterName, int] = {}

    @property
    def salt(self) -> bytes:
        """What goes into the fingerprints of keys."""
        return self._salt

    def counter(self, name: CounterName) -> InvocationCounter:
        """Return the counter of a key and a sender."""
        return _CounterOfStore(self, name)

    def reserve(self, name: CounterName, count: int, least: int = 0) -> range:
        """Take values for sending."""
        first, end = reservation(self._sent.get(name, 0), count, least)
        self._sent[name] = end
        return range(first, end)

    def peek(self, name: CounterName) -> int:
        """Return the value from which the next reservation begins."""
        return self._sent.get(name, 0)

    def lowest_acceptable(self, name: CounterName) -> int:
        """Return the lowest counter that is still accepted."""
        return self._received.get(name, 0)

    def accept(self, name: CounterName, counter: int, *, durable: bool = True) -> bool:
        """Note a counter whose message was verified; nothing is ever at rest here."""
        del durable
        if counter < self._received.get(name, 0):
            return False
        self._received[name] = counter + 1
        return True


class _CounterOfStore:
    """Takes one value at a time."""

    __slots__ = ("_name", "_store")

    def __init__(self, store: VolatileCounterStore, name: CounterName) -> None:
        self._store = store
        self._name = name

    def next(self) -> int:
        return self._store.reserve(self._name, 1).start

    def check(self, count: int) -> None:
        if self._store.peek(self._name) + count - 1 > LAST_COUNTER:
            raise exhausted()

    def raise_to(self, value: int) -> None:
        check_resumption(value)
        if value > self._store.peek(self._name):
            self._store.reserve(self._name, 1, value - 1)


class ReplayMode(StrEnum):
    """What happens to a message whose counter was used before."""

    STRICT = "strict"
    """It is refused."""
    WARN = "warn"
    """It is taken and told: meters that lose their counter, notifications that overtake each other."""
    OFF = "off"
    """It is taken."""


class ReplayGuard:
    """The receiving side of one sender's counter.

    Whoever unprotects calls :meth:`check` before the tag is verified, which saves the work, and
    :meth:`accept` after it, which alone changes anything.

    The first counter that a guard accepts is at rest before :meth:`accept` returns. Whoever opens an
    association with each guard may leave the others to the store (``every_message=False``): should the
    process die, a new association begins with a message of its own, whose counter must be above that of
    every association before, and nothing recorded from the lost one can come after it.

    >>> guard = ReplayGuard(VolatileCounterStore(), CounterName(b"fingerprint", b"MMM00001"))
    >>> guard.accept(5)
    >>> guard.check(5)
    Traceback (most recent call last):
    ...
    cosem.errors.ReplayError: invocation counter 5 was used before: 6 or more is expected

    Args:
        store: Where the lowest acceptable counter is kept.
        name: Of the sender's counter.
        mode: What happens to counters used before.
        on_replay: Told of each counter used before and of the one expected, with ``WARN``.
        every_message: Whether each counter is at rest before its message is used: without associations,
            and in servers.
        largest_jump: How far a counter may be beyond the one expected; ``None`` for any distance. The first one
            of a sender may be any.
    """

    __slots__ = ("_durable", "_every_message", "_largest_jump", "_mode", "_name", "_on_replay", "_store")

    def __init__(
        self,
        store: CounterStore,
        name: CounterName,
        mode: ReplayMode | str = ReplayMode.STRICT,
        on_replay: Callable[[int, int], None] | None = None,
        *,
        every_message: bool = True,
        largest_jump: int | None = LARGEST_JUMP,
    ) -> None:
        self._store = store
        self._name = name
        self._mode = ReplayMode(mode)
        self._on_replay = on_replay
        self._every_message = every_message
        self._largest_jump = largest_jump
        self._durable = True

    @property
    def lowest_acceptable(self) -> int:
        """The lowest counter that is accepted."""
        return self._store.lowest_acceptable(self._name)

    def check(self, counter: int, least: int | None = None) -> None:
        """Refuse a counter that was used before; nothing changes.

        Args:
            counter: What the message says; nobody knows yet whether it is genuine.
            least: Compare with this in place of what is kept.

        Raises:
            ReplayError: It was used before, or is 2³²-1, which nobody may use.
            CounterJumpError: It is too far on.
        """
        if counter > LAST_COUNTER:
            raise ReplayError(counter, self.lowest_acceptable)
        if self._mode is ReplayMode.OFF:
            return
        expected = self.lowest_acceptable if least is None else least
        if counter < expected:
            self._used_before(counter, expected)
        self._refuse_jump(counter, expected)

    def accept(self, counter: int) -> None:
        """Note the counter of a message that was verified.

        Raises:
            ReplayError: It was used before: between check and now, by whoever shares the store.
        """
        if counter > LAST_COUNTER:
            raise ReplayError(counter, self.lowest_acceptable)
        taken = self._store.accept(self._name, counter, durable=self._durable)
        self._durable = self._every_message
        if not taken and self._mode is ReplayMode.STRICT:
            raise ReplayError(counter, self.lowest_acceptable)

    def note(self, counter: int) -> None:
        """Note the counter of a message that was verified and is fresh for another reason: it held a challenge."""
        self._store.accept(self._name, min(counter, LAST_COUNTER), durable=self._durable)

    def _refuse_jump(self, counter: int, expected: int) -> None:
        largest = self._largest_jump
        if largest is not None and 0 < expected < counter - largest:
            raise CounterJumpError(counter, expected, largest)

    def _used_before(self, counter: int, expected: int) -> None:
        if self._mode is ReplayMode.STRICT:
            raise ReplayError(counter, expected)
        if self._on_replay is not None:
            self._on_replay(counter, expected)


def reservation(kept: int, count: int, least: int = 0) -> tuple[int, int]:
    """Return the first value of a reservation, and the value after its last.

    Args:
        kept: The value after the last one that was ever reserved.
        count: How many are wanted, at least 1.
        least: The lowest value wanted.

    Raises:
        CounterExhausted: None is left.
        SecurityError: ``least`` is no counter.
    """
    check_resumption(least)
    first = max(kept, least)
    end = min(first + max(count, 1), LAST_COUNTER + 1)
    if first >= end:
        raise exhausted()
    return first, end


def check_resumption(value: int) -> None:
    """Refuse to go on at a value at which nothing can follow.

    Raises:
        CounterExhausted: It is 2³²-1.
        SecurityError: It is no counter at all.
    """
    if value < 0 or value > LAST_COUNTER + 1:
        raise SecurityError(f"{value} is no invocation counter: 0..4294967295 are")
    if value > LAST_COUNTER:
        raise exhausted()


def check_numbers(counter: object, count: int) -> None:
    """Refuse what needs more values than a counter has left; none is taken.

    A counter says so with a method ``check(count)``. One without such a method is trusted to have them.

    Args:
        counter: The counter.
        count: How many values are needed.

    Raises:
        CounterExhausted: Fewer are left.
        SecurityError: The store cannot be used.
    """
    check = getattr(counter, "check", None)
    if check is not None:
        check(count)


def renew_numbers(counter: object) -> bool:
    """Let a counter drop what it has in stock where others have reserved since, and return whether it was so.

    A counter does so with a method ``renew()``; one without has nothing in stock.

    Args:
        counter: The counter.

    Raises:
        SecurityError: The store cannot be used.
    """
    renew = getattr(counter, "renew", None)
    return renew is not None and bool(renew())


def exhausted() -> CounterExhausted:
    """Return the error of a counter at its end."""
    return CounterExhausted(
        "the invocation counter reached 4294967295: nothing is sent until the key is changed"
    )


def is_near_the_end(value: int) -> bool:
    """Return whether it is time to change the key: fifteen sixteenths of the counters are used."""
    return value >= _NEAR_THE_END
