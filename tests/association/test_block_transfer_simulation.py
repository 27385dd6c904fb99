"""General block transfer over lines that lose, delay, repeat and reorder: thousands of seeded exchanges.

An exchange completes with the right octets, or it fails cleanly; the request is never executed twice.
"""

from __future__ import annotations

import heapq
import random
from itertools import count
from typing import Any

import pytest

from cosem.apdu import decode, encode
from cosem.association.block_transfer import BlockTransfer
from cosem.association.server.block_transfer import ServerBlocks
from cosem.association.server.profile import ServerLimits
from cosem.errors import CosemError

PATIENCE = 5.0
"""Seconds that the client waits; most APDUs need less than one."""


class Line:
    """Virtual time, and APDUs on their way."""

    def __init__(self, chance: random.Random, *, loss: float, repeated: float, late: float) -> None:
        self.chance = chance
        self.loss, self.repeated, self.late = loss, repeated, late
        self.now = 0.0
        self.carried = 0
        self._order = count()
        self._events: list[tuple[float, int, str, Any]] = []

    def send(self, to: str, octets: bytes) -> None:
        self.carried += 1
        for _ in range(1 + (self.chance.random() < self.repeated)):
            if self.chance.random() >= self.loss:
                slow = self.chance.random() < self.late
                self.at(self.now + self.chance.random() * (8.0 if slow else 0.2), to, octets)

    def at(self, time: float, to: str, what: Any) -> None:
        heapq.heappush(self._events, (time, next(self._order), to, what))

    def next(self) -> tuple[str, Any] | None:
        if not self._events:
            return None
        self.now, _, to, what = heapq.heappop(self._events)
        return to, what


class Meter:
    """A server that counts what it executes."""

    def __init__(self, line: Line, window: int, size: int, response: bytes) -> None:
        self.line, self.size, self.response = line, size, response
        self.blocks = ServerBlocks(ServerLimits(progress=1000, transfer=10000), window)
        self.requests: list[bytes] = []

    def receive(self, octets: bytes) -> None:
        now = self.line.now
        try:
            request = self.blocks.take(decode(octets), self.size, now)
        except CosemError:
            return
        if request is not None:
            self.requests.append(request)
            self.blocks.answer(self.response, self.size, now)
        for block in self.blocks.outgoing():
            self.line.send("client", block)


def exchange(line: Line, meter: Meter, client: BlockTransfer, request: bytes) -> bytes | CosemError:
    """Run one exchange until the client has an answer or gives up."""
    client.send(request)
    waiting = -1

    def flush() -> None:
        nonlocal waiting
        if client.outgoing:
            waiting += 1
            line.at(line.now + PATIENCE, "timer", waiting)
        while client.outgoing:
            line.send("meter", encode(client.outgoing.popleft()))

    flush()
    while (event := line.next()) is not None:
        to, what = event
        if to == "meter":
            meter.receive(what)
        elif to == "timer":
            if what == waiting and not client.timed_out():
                return CosemError("given up")
            flush()
        else:
            try:
                answer = client.receive(decode(what))
            except CosemError as error:
                return error
            flush()
            if answer is not None:
                return answer
    return CosemError("nothing more can come")


def run(seed: int, *, loss: float, repeated: float, late: float, repeats: int = 12) -> tuple[bool, int]:
    chance = random.Random(seed)
    line = Line(chance, loss=loss, repeated=repeated, late=late)
    windows = [chance.choice((1, 2, 3, 6, 63)) for _ in range(2)]
    size = chance.randint(16, 80)
    request = chance.randbytes(chance.choice((1, 20, 300, 1500)))
    response = chance.randbytes(chance.choice((1, 20, 300, 3000)))
    meter = Meter(line, windows[1], size, response)
    client = BlockTransfer(
        size,
        client=True,
        window=windows[0],
        peer_window=chance.choice((1, windows[1])),
        repeats=repeats,
        final_acknowledgement=chance.random() < 0.2,
    )
    answer = exchange(line, meter, client, request)
    assert len(meter.requests) <= 1, "the request was executed twice"
    assert all(each == request for each in meter.requests)
    if isinstance(answer, bytes):
        assert answer == response, "wrong octets"
        return True, line.carried
    return False, line.carried


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.25, 0.4])
def test_what_is_lost_comes_in_the_end(loss):
    assert all(run(seed, loss=loss, repeated=0, late=0, repeats=40)[0] for seed in range(400))


@pytest.mark.parametrize(
    ("loss", "repeated", "late"), [(0, 0.3, 0), (0, 0, 0.3), (0.1, 0.1, 0.1), (0.3, 0.3, 0.3)]
)
def test_repetition_delay_and_reordering_never_give_wrong_octets(loss, repeated, late):
    completed = [run(seed, loss=loss, repeated=repeated, late=late)[0] for seed in range(500)]
    assert sum(completed) >= 495


def test_a_client_that_asks_only_three_times_fails_cleanly_or_completes():
    completed = [run(seed, loss=0.5, repeated=0.2, late=0.2, repeats=3)[0] for seed in range(500)]
    assert 50 < sum(completed) < 500


def test_repetitions_are_not_answered_with_more_repetitions():
    """Without the rule each APDU that the line repeats would double all that follows."""
    for seed in range(100):
        _, plain = run(seed, loss=0, repeated=0, late=0)
        _, repeated = run(seed, loss=0, repeated=0.3, late=0)
        assert repeated <= 6 * plain + 20
