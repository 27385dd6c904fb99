"""General block transfer as a state machine: whatever a line does, whole octets arrive once, or there is a clean failure.

The model knows nothing of blocks: two messages, and how often each was handed over. The line
is a bag; what is in it may arrive in any order, twice, or never.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cosem.apdu import decode, encode
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.block_transfer import cut_unconfirmed
from cosem.association.client.blocks import BlockSettings, ClientBlocks
from cosem.association.context import TransferLimits
from cosem.association.server.block_transfer import ServerBlocks
from cosem.association.server.profile import ServerLimits
from cosem.association.unconfirmed_blocks import UnconfirmedBlocks
from cosem.errors import CosemError

WINDOWS = st.one_of(st.integers(1, 4), st.integers(1, 63))
MESSAGES = st.one_of(st.binary(min_size=1, max_size=12), st.binary(min_size=1, max_size=400))
LIMIT = 2000
BUDGET = 40
"""Time-outs of the client until a line that has become perfect must have brought the exchange to its end."""
UNNUMBERED = [
    GeneralBlockTransfer(0x80, 0, 0, b""),  # an abort
    GeneralBlockTransfer(0x41, 0, 7, b"x"),
]


class ConfirmedTransfers(RuleBasedStateMachine):
    """Both parties of exchanges one after the other, and the line between them."""

    @initialize(
        windows=st.tuples(WINDOWS, WINDOWS),
        sizes=st.tuples(st.integers(9, 80), st.integers(9, 80)),
        known=st.booleans(),
        final_acknowledgement=st.booleans(),
    )
    def meet(self, windows, sizes, known, final_acknowledgement):
        self.windows, self.sizes = windows, sizes
        self.client = ClientBlocks(
            BlockSettings(
                windows[0],
                windows[1] if known else 1,
                repeats=BUDGET,
                final_acknowledgement=final_acknowledgement,
            ),
            TransferLimits(octets=LIMIT, empty_blocks=10_000),
        )
        # What comes too often in vain ends an exchange; here it may come as often as hypothesis likes.
        limits = ServerLimits(reassembly=LIMIT, progress=1e9, transfer=1e9, empty_blocks=10_000)
        self.server = ServerBlocks(limits, windows[1])
        self.to_client: list[bytes] = []
        self.to_server: list[bytes] = []
        self.running = False
        self.reset()

    def reset(self):
        self.request = self.response = b""
        self.executed = self.delivered = 0
        self.honest = True
        self.failure: CosemError | None = None

    # --- the parties ------------------------------------------------------------------------------

    def flush(self):
        sent = self.client.outgoing()
        assert all(len(octets) <= self.sizes[1] for octets in sent)
        self.to_server += sent
        sent = self.server.outgoing()
        assert all(len(octets) <= self.sizes[0] for octets in sent)
        self.to_client += sent

    def fail(self, error: CosemError):
        assert not self.delivered
        self.failure = error
        self.running = False
        self.client.end()

    def server_takes(self, octets: bytes):
        try:
            request = self.server.take(decode(octets), self.sizes[0], 0.0)
        except CosemError:
            if self.honest:
                raise
            self.flush()
            return
        if request is not None:
            if self.honest and self.executed and not self.running:
                self.server.end()  # a late repetition of what is over: its counter was used before
            elif self.honest:
                assert request == self.request
                self.executed += 1
                assert self.executed == 1
            if self.server.running:
                self.server.answer(self.response, self.sizes[0], 0.0)
        self.flush()

    def client_takes(self, octets: bytes):
        try:
            message, _ = self.client.take(decode(octets), self.sizes[1])
        except CosemError as error:
            if self.honest:
                raise
            self.fail(error)
            return
        self.flush()
        if message is not None:
            self.delivered += 1
            self.running = False
            self.client.end()
            if self.honest:
                assert message == self.response
                assert self.executed == self.delivered == 1

    def time_out(self) -> bool:
        try:
            again = self.client.timed_out()
        except CosemError as error:
            self.fail(error)
            return False
        if not again:
            self.fail(CosemError("given up"))
            return False
        self.flush()
        return True

    # --- what may happen --------------------------------------------------------------------------

    @precondition(lambda self: not self.running)
    @rule(request=MESSAGES, response=MESSAGES)
    def ask(self, request, response):
        """Begin; blocks of an earlier exchange carry no name of it, so none may be under way any more.

        The line shuffles: what goes over it is ciphered, and therefore never twice alike.
        """
        self.to_client.clear()
        self.to_server.clear()
        self.server.end()
        self.reset()
        self.request, self.response = b"\xc8" + request, response
        self.running = True
        self.client.begin(self.request, self.sizes[1])
        self.flush()

    @precondition(lambda self: self.to_server)
    @rule(where=st.integers(0, 1000), repeated=st.booleans())
    def a_block_of_the_client_arrives(self, where, repeated):
        place = where % len(self.to_server)
        octets = self.to_server[place] if repeated else self.to_server.pop(place)
        self.server_takes(octets)

    @precondition(lambda self: self.running and self.to_client)
    @rule(where=st.integers(0, 1000), repeated=st.booleans())
    def a_block_of_the_server_arrives(self, where, repeated):
        place = where % len(self.to_client)
        octets = self.to_client[place] if repeated else self.to_client.pop(place)
        self.client_takes(octets)

    @precondition(lambda self: self.to_server or self.to_client)
    @rule(where=st.integers(0, 1000))
    def a_block_is_lost(self, where):
        bag = self.to_server + self.to_client
        place = where % len(bag)
        if place < len(self.to_server):
            del self.to_server[place]
        else:
            del self.to_client[place - len(self.to_server)]

    @precondition(lambda self: self.running)
    @rule()
    def everything_is_lost(self):
        self.to_server.clear()
        self.to_client.clear()

    @precondition(lambda self: self.running)
    @rule()
    def the_client_waits_in_vain(self):
        self.time_out()

    @precondition(lambda self: self.running and self.honest)
    @rule()
    def the_client_gives_up(self):
        self.fail(CosemError("cancelled"))

    @precondition(lambda self: self.running)
    @rule(block=st.sampled_from(UNNUMBERED))
    def the_client_is_told_to_stop(self, block):
        try:
            self.client.take(block, self.sizes[1])
        except CosemError as error:
            self.fail(error)
        assert not self.running

    @precondition(lambda self: self.running)
    @rule(
        control=st.integers(0, 255),
        number=st.one_of(st.integers(0, 6), st.integers(0, 0xFFFF)),
        acknowledged=st.one_of(st.integers(0, 6), st.integers(0, 0xFFFF)),
        data=st.binary(max_size=40),
        to_the_server=st.booleans(),
    )
    def a_stranger_sends_a_block(self, control, number, acknowledged, data, to_the_server):
        """From here on nothing is promised but bounds, and errors of ours."""
        self.honest = False
        octets = encode(GeneralBlockTransfer(control, number, acknowledged, data))
        if to_the_server:
            self.server_takes(octets)
        else:
            self.client_takes(octets)

    @precondition(lambda self: self.running)
    @rule()
    def the_line_is_perfect_from_now_on(self):
        """In order, nothing lost: the exchange comes to its end, and to the right one."""
        waits = 0
        for _ in range(4000):
            if not self.running:
                break
            if self.to_server:
                self.server_takes(self.to_server.pop(0))
            elif self.to_client:
                self.client_takes(self.to_client.pop(0))
            else:
                waits += 1
                self.time_out()
        assert not self.running
        assert waits <= BUDGET + 1
        if self.honest and self.failure is None:
            assert self.delivered == self.executed == 1

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def memory_is_bounded(self):
        if not hasattr(self, "client"):
            return
        for blocks, window, peer in (
            (self.client, *self.windows),
            (self.server, *reversed(self.windows)),
        ):
            transfer = blocks._transfer
            if transfer is not None:
                assert len(transfer._received) <= window
                assert transfer.received_octets <= LIMIT + 80
                assert not transfer.outgoing
                # Our message in blocks of at least one octet, and one acknowledgement that takes a number.
                assert len(transfer._queue) <= max(len(self.request), len(self.response)) + 1
                assert peer <= 63

    @invariant()
    def one_or_none(self):
        if hasattr(self, "client") and self.honest:
            assert self.delivered <= self.executed <= 1


ConfirmedTransfers.TestCase.settings = settings(max_examples=120, stateful_step_count=60, deadline=None)
TestConfirmedTransfers = ConfirmedTransfers.TestCase


class UnconfirmedTransfers(RuleBasedStateMachine):
    """What is sent in blocks and never acknowledged: messages of one sender over a line that loses and shuffles."""

    @initialize(size=st.integers(9, 40))
    def meet(self, size):
        self.size = size
        self.receiver = UnconfirmedBlocks(TransferLimits(octets=LIMIT))
        self.line: list[GeneralBlockTransfer] = []
        self.arrived: list[GeneralBlockTransfer] = []
        self.message = b""
        self.delivered = 0
        self.now = 0.0

    def take(self, block):
        self.arrived.append(block)
        message = self.receiver.take(block, self.now)
        if message is not None:
            assert message == self.message
            self.delivered += 1

    @rule(message=MESSAGES)
    def another_message(self, message):
        """What belongs to the one before is too late by now."""
        self.now += 60.0
        self.line = cut_unconfirmed(message, self.size)
        self.arrived = []
        self.message, self.delivered = message, 0

    @precondition(lambda self: self.line)
    @rule(where=st.integers(0, 1000))
    def a_block_arrives(self, where):
        self.take(self.line.pop(where % len(self.line)))

    @precondition(lambda self: self.line)
    @rule(where=st.integers(0, 1000))
    def a_block_is_lost(self, where):
        del self.line[where % len(self.line)]

    @precondition(lambda self: self.arrived and self.line)
    @rule(where=st.integers(0, 1000))
    def a_block_arrives_again_before_the_message_is_whole(self, where):
        """Blocks say nothing of their message: repeated behind it, all of them are another one."""
        self.take(self.arrived[where % len(self.arrived)])

    @precondition(lambda self: self.line)
    @rule()
    def the_rest_arrives(self):
        while self.line:
            self.take(self.line.pop(0))

    @invariant()
    def at_most_once_and_bounded(self):
        if hasattr(self, "receiver"):
            assert self.delivered <= 1
            assert self.receiver._size <= LIMIT
            assert len(self.receiver._held) <= LIMIT


UnconfirmedTransfers.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestUnconfirmedTransfers = UnconfirmedTransfers.TestCase
