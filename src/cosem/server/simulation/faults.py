"""Faults on demand: what lines, networks and bad meters do, the same each time for the same seed.

A link is wrapped, and everything that the server sends through it may be lost, doubled, damaged or
late; whatever the client sends may be the end of the connection. Damage flips one bit: in HDLC the
FCS is wrong then, in the wrapper a message. Counters of ciphered associations may jump ahead, as
after a meter lost its memory; they never go back, since a counter must not be used twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError, LinkError
from cosem.link.base import LineLink, LineSettings, LinkEvent, ServerLink
from cosem.security.counters import check_numbers, renew_numbers

if TYPE_CHECKING:
    from cosem.security.counters import CounterName, CounterStore, InvocationCounter
    from cosem.server.connection import LinkFactory

__all__ = ["FaultyLink", "Faults", "JumpingCounters", "faulty", "parse_faults"]

_JUMP: Final = 100_000
"""A counter jumps ahead by up to so much."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often things go wrong: from 0, never, to 1, always.

    Args:
        loss: What the server sends is lost.
        duplicate: It arrives twice.
        corrupt: One of its bits is flipped.
        drop: The connection is closed when the client sends something.
        delay: Seconds that everything takes longer.
        jitter: Seconds that it may take longer still.
        slow: An answer takes ``slow_by`` seconds longer.
        slow_by: Seconds of a slow answer.
        jump: A counter jumps ahead.
        seed: Which faults.

    Raises:
        ConfigurationError: A number is out of range.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    drop: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    slow: float = 0.0
    slow_by: float = 15.0
    jump: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "corrupt", "drop", "slow", "jump"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"{name} is a part from 0 to 1, not {getattr(self, name):g}")
        for name in ("delay", "jitter", "slow_by"):
            if not 0 <= getattr(self, name) <= 3600:
                raise ConfigurationError(f"{name} is 0 to 3600 seconds, not {getattr(self, name):g}")


def parse_faults(text: str) -> Faults:
    """Return the faults that a text names.

    Raises:
        ConfigurationError: It names none, or a number is out of range.

    >>> parse_faults("loss=0.1,delay=0.2").loss
    0.1
    """
    known = {field.name: field.default for field in fields(Faults)}
    given: dict[str, Any] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, number = part.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known or name in given:
            raise ConfigurationError(f"{part!r} is no fault; write NAME=NUMBER of {', '.join(known)}")
        try:
            given[name] = int(number) if name == "seed" else float(number)
        except ValueError:
            raise ConfigurationError(f"{number!r} of the fault {name} is no number") from None
    return Faults(**given)


class FaultyLink:
    """The server's end of a link through which things go wrong.

    Args:
        inner: The link.
        faults: What goes wrong, and how often.
        random: Decides; the same sequence gives the same faults.
    """

    def __init__(self, inner: ServerLink, faults: Faults, random: Random) -> None:
        self._inner = inner
        self._faults = faults
        self._random = random
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._now = 0.0

    @property
    def partial(self) -> bool:
        """Whether a unit has begun and not ended."""
        return bool(getattr(self._inner, "partial", False))

    def _happens(self, how_often: float) -> bool:
        return how_often > 0 and self._random.random() < how_often

    def send(self, apdu: bytes, source: int, destination: int, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU."""
        self._now = now
        self._inner.send(apdu, source, destination, now, confirmed=confirmed)

    def unconfirmed_size(self, source: int, destination: int) -> int:
        """Return the longest APDU that can be sent unconfirmed; 0: any."""
        return self._inner.unconfirmed_size(source, destination)

    def unconfirmed_room(self) -> int | None:
        """Return how many more unconfirmed APDUs can wait for the turn; ``None``: none has to."""
        return self._inner.unconfirmed_room()

    def give_turn(self, source: int, destination: int, now: float) -> None:
        """Take note that an APDU gets no answer."""
        self._now = now
        self._inner.give_turn(source, destination, now)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            LinkError: The connection is closed by a fault.
        """
        self._now = now
        if self._happens(self._faults.drop):
            raise LinkError("a fault closes the connection")
        self._inner.receive(octets, now)

    def data_to_send(self) -> bytes:
        """Return the octets that are due, and forget them."""
        octets = self._inner.data_to_send()
        if octets:
            self._spoil(octets)
        due = bytearray()
        while self._waiting and self._waiting[0][0] <= self._now:
            due += self._waiting.popleft()[1]
        return bytes(due)

    def _spoil(self, octets: bytes) -> None:
        faults = self._faults
        if self._happens(faults.loss):
            return
        if self._happens(faults.corrupt):
            spoilt = bytearray(octets)
            spoilt[self._random.randrange(len(spoilt))] ^= 1 << self._random.randrange(8)
            octets = bytes(spoilt)
        late = faults.delay
        if faults.jitter:
            late += faults.jitter * self._random.random()
        if self._happens(faults.slow):
            late += faults.slow_by
        # What is sent later never overtakes: TCP and lines keep the order.
        due = self._now + late if late else self._now
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, octets))
        if self._happens(faults.duplicate):
            self._waiting.append((due, octets))

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        return self._inner.next_event()

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        times = [self._inner.deadline(), self._waiting[0][0] if self._waiting else None]
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> None:
        """Let time-outs happen, and what was late be due."""
        self._now = now
        inner = self._inner.deadline()
        if inner is not None and inner <= now:
            self._inner.tick(now)


class _FaultyLineLink(FaultyLink):
    """The same of a link that sets a serial line."""

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays."""
        inner: Any = self._inner
        line: LineSettings | None = inner.next_line()
        return line


def faulty(factory: LinkFactory, faults: Faults) -> LinkFactory:
    """Return what makes links through which things go wrong, each in a way of its own."""
    numbers = count()

    def make() -> ServerLink:
        inner = factory()
        random = Random(faults.seed * 1_000_003 + next(numbers))  # noqa: S311 -- decides no secret
        kind = _FaultyLineLink if isinstance(inner, LineLink) else FaultyLink
        return kind(inner, faults, random)

    return make


class JumpingCounters:
    """Counters that jump ahead now and then.

    Args:
        inner: Where the counters are kept.
        faults: How often they jump.
    """

    def __init__(self, inner: CounterStore, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self._random = Random(faults.seed)  # noqa: S311 -- decides no secret

    @property
    def salt(self) -> bytes:
        """What goes into the fingerprints of keys."""
        return self._inner.salt

    def counter(self, name: CounterName) -> InvocationCounter:
        """Return the counter of a key and a sender."""
        return _Jumping(self._inner.counter(name), partial(self.jumped, name))

    def jumped(self, name: CounterName) -> int:
        """Return where a counter goes on; 0 where it does not jump."""
        if self._random.random() >= self._faults.jump:
            return 0
        return self._inner.peek(name) + 1 + self._random.randrange(_JUMP)

    def reserve(self, name: CounterName, count: int, least: int = 0) -> range:
        """Take values for sending, maybe much later ones than the next."""
        return self._inner.reserve(name, count, max(least, self.jumped(name)))

    def peek(self, name: CounterName) -> int:
        """Return the value from which the next reservation begins, if it does not jump."""
        return self._inner.peek(name)

    def lowest_acceptable(self, name: CounterName) -> int:
        """Return the lowest counter that is still accepted from a sender."""
        return self._inner.lowest_acceptable(name)

    def accept(self, name: CounterName, counter: int, *, durable: bool = True) -> bool:
        """Note a counter whose message was verified."""
        return self._inner.accept(name, counter, durable=durable)


class _Jumping:
    """One counter that jumps.

    Args:
        inner: The counter.
        jumped: Returns where it goes on; 0 where it does not jump.
    """

    __slots__ = ("_inner", "_jumped")

    def __init__(self, inner: InvocationCounter, jumped: Callable[[], int]) -> None:
        self._inner = inner
        self._jumped = jumped

    def next(self) -> int:
        """Return a value that was never returned before."""
        self.raise_to(self._jumped())
        return self._inner.next()

    def check(self, count: int) -> None:
        """Refuse to go on where fewer values are left, if it does not jump."""
        check_numbers(self._inner, count)

    def renew(self) -> bool:
        """Drop what is in stock where others have reserved since."""
        return renew_numbers(self._inner)

    def raise_to(self, value: int) -> None:
        """Go on at a value, if that is further on."""
        if value:
            self._inner.raise_to(value)
