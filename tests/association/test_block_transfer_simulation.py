"""General block transfer over lines that lose, delay, repeat and reorder: thousands of seeded exchanges.

An exchange completes with the right octets, or it fails cleanly; the request is never executed twice.
Blocks carry no name of their exchange. So what is in clear goes over lines that keep the order of what they carry,
as every stream does; over the others it is ciphered, which is imitated here by a digest and by what is never twice alike.
"""

from __future__ import annotations

import hashlib
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

CIPHERED = b"\xc8"
REFUSED = b"\xd8\x01\x06"
PATIENCE = 5.0
"""Seconds that the client waits; most APDUs need less than one."""


class Line:
    """Virtual time, and APDUs on their way.

    Attributes:
        ordered: Whether nothing overtakes anything.
    """

    def __init__(
        self,
        chance: random.Random,
        *,
        loss: float,
        repeated: float = 0,
        late: float = 0,
        ordered: bool = False,
    ) -> None:
        self.chance = chance
        self.ordered = ordered
        self._arrived = {"client": 0.0, "meter": 0.0}
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
                time = self.now + self.chance.random() * (8.0 if slow else 0.2)
                if self.ordered:
                    time = self._arrived[to] = max(time, self._arrived[to])
                self.at(time, to, octets)

    def at(self, time: float, to: str, what: Any) -> None:
        heapq.heappush(self._events, (time, next(self._order), to, what))

    def next(self) -> tuple[str, Any] | None:
        if not self._events:
            return None
        self.now, _, to, what = heapq.heappop(self._events)
        return to, what


class Meter:
    """A server that counts what it executes.

    Args:
        responses: By request. What is ciphered and came before is refused, as its counter was used before.
    """

    def __init__(self, line: Line, window: int, size: int, responses: dict[bytes, bytes]) -> None:
        self.line, self.size, self.responses = line, size, responses
        self.blocks = ServerBlocks(ServerLimits(progress=1000, transfer=10000), window)
        self.requests: list[bytes] = []

    def receive(self, octets: bytes) -> None:
        now = self.line.now
        try:
            request = self.blocks.take(decode(octets), self.size, now)
        except CosemError:
            return
        if request is not None:
            if request[:1] == CIPHERED and (request in self.requests or request not in self.responses):
                response = REFUSED
            else:
                self.requests.append(request)
                response = self.responses[request]
            self.blocks.answer(response, self.size, now)
        for block in self.blocks.outgoing():
            self.line.send("client", block)


def exchange(line: Line, meter: Meter, client: BlockTransfer, request: bytes) -> bytes | CosemError:
    """Run one exchange until the client has an answer or gives up."""
    client.send(request)
    waiting = object()

    def flush() -> None:
        nonlocal waiting
        if client.outgoing:
            waiting = object()
            line.at(line.now + PATIENCE, "timer", waiting)
        while client.outgoing:
            line.send("meter", encode(client.outgoing.popleft()))

    flush()
    while (event := line.next()) is not None:
        to, what = event
        if to == "meter":
            meter.receive(what)
        elif to == "timer":
            if what is waiting and not client.timed_out():
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


def clear_message(chance: random.Random, number: int, size: int) -> bytes:
    """Return a message in clear, with an invoke-id."""
    return b"\xc0" + number.to_bytes(2, "big") + chance.randbytes(size)


def ciphered_message(chance: random.Random, number: int, size: int) -> bytes:
    """Return octets that are never twice alike, and of which it can be told whether they are whole."""
    octets = CIPHERED + number.to_bytes(2, "big") + chance.randbytes(max(size, 16))
    return octets + hashlib.sha256(octets).digest()[:12]


def is_taken(answer: bytes, number: int, *, clear: bool) -> bool:
    """Return whether a client believes that this answers its request."""
    if not clear and hashlib.sha256(answer[:-12]).digest()[:12] != answer[-12:]:
        return False
    return answer[1:3] == number.to_bytes(2, "big")


def run(
    seed: int,
    *,
    loss: float,
    repeated: float = 0,
    late: float = 0,
    repeats: int = 12,
    clear: bool = False,
    exchanges: int = 1,
) -> tuple[bool, int]:
    """Run exchanges one after the other on one line, and return whether the last completed."""
    chance = random.Random(seed)
    line = Line(chance, loss=loss, repeated=repeated, late=late, ordered=clear)
    windows = [chance.choice((1, 2, 3, 6, 63)) for _ in range(2)]
    size = chance.randint(16, 80)
    make = clear_message if clear else ciphered_message
    sizes = [(chance.choice((1, 20, 300, 1500)), chance.choice((1, 20, 300, 3000))) for _ in range(exchanges)]
    messages = [tuple(make(chance, number, size) for size in both) for number, both in enumerate(sizes)]
    meter = Meter(line, windows[1], size, dict(messages))
    for number, (request, response) in enumerate(messages):
        client = BlockTransfer(
            size,
            client=True,
            window=windows[0],
            peer_window=chance.choice((1, windows[1])),
            repeats=repeats,
            final_acknowledgement=chance.random() < 0.2,
        )
        answer = exchange(line, meter, client, request)
        assert meter.requests.count(request) <= 1, "the request was executed twice"
        if not isinstance(answer, bytes) or not is_taken(answer, number, clear=clear):
            return False, line.carried  # the association is given up
        assert request in meter.requests, "an answer without a request"
        assert answer == response, "wrong octets"
    return True, line.carried


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("loss", [0.0, 0.1, 0.25, 0.4])
def test_what_is_lost_comes_in_the_end(loss, clear):
    assert all(run(seed, loss=loss, repeats=40, clear=clear)[0] for seed in range(400))


@pytest.mark.parametrize(
    ("loss", "repeated", "late"), [(0, 0.3, 0), (0, 0, 0.3), (0.1, 0.1, 0.1), (0.3, 0.3, 0.3)]
)
def test_repetition_delay_and_reordering_never_give_wrong_octets(loss, repeated, late):
    completed = [run(seed, loss=loss, repeated=repeated, late=late)[0] for seed in range(500)]
    assert sum(completed) >= 495


def test_one_exchange_after_the_other_over_a_line_that_keeps_the_order():
    assert all(run(seed, loss=0, clear=True, exchanges=8)[0] for seed in range(100))


@pytest.mark.parametrize(("loss", "repeated", "late"), [(0.1, 0, 0), (0, 0.1, 0.1), (0.2, 0.2, 0.2)])
def test_what_is_left_of_one_exchange_never_gets_into_the_next(loss, repeated, late):
    """It may end the association: whatever is not genuine is never taken."""
    completed = [run(seed, loss=loss, repeated=repeated, late=late, exchanges=4)[0] for seed in range(150)]
    assert any(completed)


def test_a_client_that_asks_only_three_times_fails_cleanly_or_completes():
    completed = [run(seed, loss=0.5, repeated=0.2, late=0.2, repeats=3)[0] for seed in range(500)]
    assert 50 < sum(completed) < 500


def test_repetitions_are_not_answered_with_more_repetitions():
    """Without the rule each APDU that the line repeats would double all that follows."""
    for seed in range(100):
        _, plain = run(seed, loss=0, repeated=0, late=0)
        _, repeated = run(seed, loss=0, repeated=0.3, late=0)
        assert repeated <= 6 * plain + 20
