"""HDLC on a line that loses, repeats, damages and delays: everything once and in order, or a clean failure.

The line keeps the order of what it does not lose, as a line does. Each seed is one conversation with its own
windows, sizes, rates of harm and slow answers; time is counted, not waited for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from heapq import heappop, heappush

import pytest

from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.link.hdlc import FrameParser, HdlcClientLink, HdlcParameters, HdlcServerLink, encode_frame

CONVERSATIONS = 300
"""In each of the tests of one harm."""


@dataclass
class Harm:
    """How often something happens to a frame."""

    lost: float = 0.0
    repeated: float = 0.0
    damaged: float = 0.0
    delayed: float = 0.0
    cut: bool = False


@dataclass
class Line:
    """One direction: frames arrive in order, if they do."""

    random: random.Random
    harm: Harm
    last: float = 0.0
    harmed: int = 0

    def carry(self, octets: bytes, now: float) -> list[tuple[float, bytes]]:
        """Return when which octets arrive."""
        arriving: list[tuple[float, bytes]] = []
        for frame in FrameParser().feed(octets):
            whole = encode_frame(frame)
            chance = self.random.random
            copies = 1
            if chance() < self.harm.lost:
                copies = 0
            elif chance() < self.harm.repeated:
                copies = 2
            delay = 3.0 * chance() if chance() < self.harm.delayed else 0.01
            self.harmed += copies != 1 or delay > 0.01
            for _ in range(copies):
                self.last = max(self.last, now + delay)
                arriving.append((self.last, self._damaged(whole)))
        if self.harm.cut and arriving:
            joined = b"".join(octets for _, octets in arriving)
            at = self.random.randrange(len(joined) + 1)
            return [(arriving[0][0], joined[:at]), (self.last, joined[at:])]
        return arriving

    def _damaged(self, octets: bytes) -> bytes:
        if self.random.random() >= self.harm.damaged:
            return octets
        self.harmed += 1
        changed = bytearray(octets)
        how = self.random.randrange(3)
        if how == 0:  # as many bits as the check sequence always notices
            for _ in range(self.random.randint(1, 3)):
                changed[self.random.randrange(len(changed))] ^= 1 << self.random.randrange(8)
        elif how == 1:
            del changed[self.random.randrange(len(changed)) :]
        else:
            at = self.random.randrange(len(changed))
            changed[at:at] = self.random.randbytes(self.random.randint(1, 20))
        return bytes(changed)


@dataclass
class Conversation:
    """A client that asks, a server that answers, and a line between them."""

    seed: int
    harm: Harm
    retries: int = 12
    failed: str = ""
    asked: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    harmed: int = 0

    def run(self) -> None:
        chance = random.Random(self.seed)
        sizes = [chance.randint(32, 90) for _ in range(2)]
        windows = [chance.randint(1, 7) for _ in range(2)]
        client = HdlcClientLink(
            16,
            1,
            parameters=HdlcParameters(*sizes, *windows),
            retries=self.retries,
            response_timeout=2.0,
            inter_octet_timeout=0.5,
            patience=1000.0,
        )
        server = HdlcServerLink(
            parameters=HdlcParameters(2030, 2030, 7, 7), inactivity_timeout=0, inter_octet_timeout=0.5
        )
        up, down = Line(chance, self.harm), Line(chance, self.harm)
        questions = [
            b"\xc0%d:" % number + chance.randbytes(chance.randint(0, 500))
            for number in range(chance.randint(1, 6))
        ]
        arrivals: list[tuple[float, int, bool, bytes]] = []
        replies: list[tuple[float, bytes]] = []
        now, order, connected, outstanding = 0.0, 0, False, 0
        client.connect(now)
        for _ in range(20_000):
            for line, octets, to_server in (
                (up, client.data_to_send(), True),
                (down, server.data_to_send(), False),
            ):
                for when, arriving in line.carry(octets, now):
                    order += 1
                    heappush(arrivals, (when, order, to_server, arriving))
            while (event := client.next_event()) is not None:
                if isinstance(event, Connected):
                    connected = True
                elif isinstance(event, ApduReceived):
                    self.answered.append(event.apdu)
                    outstanding -= 1
                elif isinstance(event, Disconnected):
                    self.failed = event.reason
            while (event := server.next_event()) is not None:
                if isinstance(event, ApduReceived):
                    self.heard.append(event.apdu)
                    replies.append((now + chance.choice((0.0, 0.0, 0.3, 4.0)), event.apdu))
            if self.failed or (connected and len(self.answered) == len(questions)):
                break
            if connected and outstanding == 0:
                for _ in range(chance.randint(1, 2)):
                    if len(self.asked) < len(questions):
                        self.asked.append(questions[len(self.asked)])
                        client.send(self.asked[-1], now)
                        outstanding += 1
                continue
            times = [time for time in (client.deadline(), server.deadline()) if time is not None]
            times += [each[0] for each in arrivals[:1]] + [each[0] for each in replies[:1]]
            if not times:
                raise AssertionError("nothing will ever happen again")
            now = max(now, min(times))
            while arrivals and arrivals[0][0] <= now:
                _, _, to_server, octets = heappop(arrivals)
                (server if to_server else client).receive(octets, now)
            while replies and replies[0][0] <= now:
                server.send(b"\xc4" + replies.pop(0)[1], 1, 16, now)
            for link in (client, server):
                if (due := link.deadline()) is not None and due <= now:
                    link.tick(now)
        else:
            raise AssertionError("the conversation does not end")
        self.harmed = up.harmed + down.harmed


def conversations(harm: Harm, seeds: range, **options: int) -> list[Conversation]:
    """Run conversations, and check of each that nothing came twice, changed, missing or in another order."""
    ran = []
    for seed in seeds:
        conversation = Conversation(seed, harm, **options)
        conversation.run()
        heard, asked = conversation.heard, conversation.asked
        assert heard == asked[: len(heard)], f"seed {seed}"
        answers = [b"\xc4" + each for each in asked]
        assert conversation.answered == answers[: len(conversation.answered)], f"seed {seed}"
        if not conversation.failed:
            assert conversation.answered == answers, f"seed {seed}"
        ran.append(conversation)
    return ran


@pytest.mark.parametrize(
    "harm",
    [
        Harm(),
        Harm(lost=0.15),
        Harm(repeated=0.3),
        Harm(damaged=0.15),
        Harm(delayed=0.3),
        Harm(cut=True),
        Harm(lost=0.08, repeated=0.08, damaged=0.08, delayed=0.1, cut=True),
    ],
    ids=["none", "lost", "repeated", "damaged", "delayed", "cut", "all"],
)
def test_everything_arrives_once_and_in_order(harm: Harm) -> None:
    ran = conversations(harm, range(CONVERSATIONS))
    complete = [each for each in ran if not each.failed]
    assert len(complete) > 0.98 * len(ran), {each.failed for each in ran if each.failed}
    harmless = harm.lost + harm.repeated + harm.damaged + harm.delayed == 0
    assert bool(sum(each.harmed for each in ran)) is not harmless


def test_a_line_that_is_too_bad_fails_cleanly() -> None:
    ran = conversations(Harm(lost=0.5, damaged=0.2, delayed=0.2), range(CONVERSATIONS), retries=2)
    failed = [each for each in ran if each.failed]
    assert len(failed) > CONVERSATIONS // 2
    assert {each.failed.split(" after ")[0] for each in failed} <= {
        "no usable answer",
        "the server has no link (DM): it was lost or timed out",
    }


def test_a_dead_line_fails_cleanly() -> None:
    (ran,) = conversations(Harm(lost=1.0), range(1))
    assert ran.failed
    assert ran.heard == []
