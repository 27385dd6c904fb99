"""General block transfer, one party of one confirmed exchange, without I/O (later editions, GBT).

A whole APDU, protected as it would be sent, is cut into numbered blocks. Each block
says how many blocks its sender can take at once and which it has; so a lost block is
asked for again, and nothing is sent that the other cannot take. Either party sends
and receives: a request, its answer, and the acknowledgements of both are one exchange.

Only the client repeats by itself, when nothing has come in time. The server answers
what reaches it, and forgets the exchange when it was given up.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.blocks import cut, room_for
from cosem.association.context import TransferLimits
from cosem.errors import ConfigurationError, LimitError, ProtocolError

__all__ = ["DEFAULT_WINDOW", "MOST_BLOCKS", "BlockTransfer", "cut_unconfirmed", "most_octets"]

DEFAULT_WINDOW: Final = 8
"""Blocks that we take at once where nothing else is asked for."""
MOST_BLOCKS: Final = 0xFFFF
"""Block numbers have 16 bits and do not begin anew."""
_HEAD: Final = 6
"""Octets of a block besides its data and their length: tag, control, number, acknowledged number."""
_LARGEST: Final = 0xFFFF
_WIDEST: Final = 63
_TELLING: Final = 8
"""Octets of a ciphered block that no other block has by chance."""


def most_octets(size: int) -> int:
    """Return how many octets go in general blocks at most: there is no number for a further one.

    Args:
        size: Longest block APDU, octets; 0 for as long as can be.

    Raises:
        ConfigurationError: The size leaves no room for one octet.
    """
    return room_for(size or _LARGEST, _HEAD) * MOST_BLOCKS


def _cut(octets: bytes, size: int) -> list[tuple[bool, bytes]]:
    room = room_for(size or _LARGEST, _HEAD)
    if len(octets) > room * MOST_BLOCKS:
        raise LimitError("blocks of a general block transfer", -(-len(octets) // room), MOST_BLOCKS)
    return [(last, part) for last, _, part in cut(octets, room, room)]


def cut_unconfirmed(octets: bytes, size: int) -> list[GeneralBlockTransfer]:
    """Return the blocks of an APDU to which nothing comes back: window 0, no streaming, no acknowledgement.

    Args:
        octets: The APDU, protected as it must be.
        size: Longest block APDU, octets; 0 for as long as can be.

    Raises:
        ConfigurationError: The size leaves no room for one octet.
        LimitError: It would take more than 65535 blocks.
    """
    return [
        GeneralBlockTransfer(
            GeneralBlockTransfer.control(last_block=last, streaming=False, window=0), n, 0, part
        )
        for n, (last, part) in enumerate(_cut(octets, size), 1)
    ]


class BlockTransfer:
    """One party of one exchange.

    Args:
        size: Longest block APDU that the other takes, octets; 0 for no limit.
        client: Whether this party asked; it repeats when nothing comes, and the other does not.
        window: Blocks that we take at once, 1..63.
        peer_window: Blocks that the other takes at once, as far as is known before it says so.
        limits: Octets of a message, and rounds without progress until the exchange is given up.
        repeats: How often the client repeats itself in vain.
        final_acknowledgement: Whether the client acknowledges even the last window.

    Attributes:
        outgoing: Blocks to send, the oldest first.
        complete: Whether the message of the other was received whole.
        acknowledged: Highest number received with none missing below it.
        acknowledged_octets: Octets of our message that the other has.
        received_octets: Octets that have come of its own.
        moves: How many times something new came: a block, or the acknowledgement of one.
        finished: Whether the other has all that we sent, our message included.

    Raises:
        ConfigurationError: A window is outside 1..63.
    """

    __slots__ = (
        "_client",
        "_empty",
        "_filling",
        "_given",
        "_highest",
        "_idle",
        "_limits",
        "_next",
        "_parts",
        "_peer_acknowledged",
        "_peer_window",
        "_progress",
        "_queue",
        "_received",
        "_repeats",
        "_rounds",
        "_silences",
        "_size",
        "_window",
        "_window_now",
        "acknowledged",
        "acknowledged_octets",
        "complete",
        "final_acknowledgement",
        "moves",
        "outgoing",
        "received_octets",
    )

    def __init__(
        self,
        size: int,
        *,
        client: bool,
        window: int = DEFAULT_WINDOW,
        peer_window: int = 1,
        limits: TransferLimits | None = None,
        repeats: int = 3,
        final_acknowledgement: bool = False,
    ) -> None:
        for blocks in (window, peer_window):
            if not 1 <= blocks <= _WIDEST:
                raise ConfigurationError(f"a window of {blocks} blocks is outside 1..{_WIDEST}")
        self._size = size
        self._client = client
        self._window = self._window_now = window
        self._peer_window = peer_window
        self._limits = limits or TransferLimits()
        self._repeats = repeats
        self._queue: deque[tuple[int, bool, bytes]] = deque()
        self._next = 1
        self._highest = 0
        self._given = client
        self._received: dict[int, GeneralBlockTransfer] = {}
        self._parts: list[bytes] = []
        self._peer_acknowledged = 0
        self._filling = False
        self._progress = True
        self._rounds = 0
        self._silences = 0
        self._idle = 0
        self._empty = 0
        self.acknowledged = 0
        self.complete = False
        self.final_acknowledgement = final_acknowledgement
        self.acknowledged_octets = 0
        self.received_octets = 0
        self.moves = 0
        self.outgoing: deque[GeneralBlockTransfer] = deque()

    # --- sending -----------------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        """Begin to send our message: the request of the client, the answer of the server.

        Raises:
            ConfigurationError: The size leaves no room for one octet in a block.
            LimitError: It would take more blocks than there are numbers.
        """
        blocks = _cut(message, self._size)
        if self._next + len(blocks) - 1 > MOST_BLOCKS:
            raise LimitError("blocks of a general block transfer", len(blocks), MOST_BLOCKS)
        for each in blocks:
            self._append(*each)
        self._given = True
        self._progress = True
        self._transmit()

    @property
    def finished(self) -> bool:
        """Whether our message was given and the other has acknowledged all of it."""
        return self._given and not self._queue

    @property
    def any_acknowledged(self) -> bool:
        """Whether the other has acknowledged any block of ours."""
        return self._peer_acknowledged > 0

    def _append(self, last: bool, part: bytes) -> None:
        if self._next > MOST_BLOCKS:
            raise LimitError("blocks of a general block transfer", self._next, MOST_BLOCKS)
        self._queue.append((self._next, last, part))
        self._next += 1

    def _transmit(self) -> None:
        """Send what the window of the other lets us, or an acknowledgement where there is nothing to send."""
        self._rounds = 0 if self._progress else self._rounds + 1
        self._progress = False
        if self._rounds > self._limits.empty_blocks:
            raise ProtocolError(f"no progress of a general block transfer in {self._rounds} rounds")
        if not self._queue:
            # It takes a number, too: the other can say that it has it.
            self._append(self._given, b"")
        batch = list(islice(self._queue, self._peer_window))
        closing = len(batch) - 1
        for index, (number, last, part) in enumerate(batch):
            control = GeneralBlockTransfer.control(
                last_block=last, streaming=index < closing, window=self._window_now
            )
            self.outgoing.append(GeneralBlockTransfer(control, number, self.acknowledged, part))
        self._highest = max(self._highest, batch[-1][0])

    # --- receiving ---------------------------------------------------------------------------------

    def receive(self, block: GeneralBlockTransfer) -> bytes | None:
        """Take a block; what is to be sent then stands in ``outgoing``.

        Returns:
            The message of the other, once it is whole. The server then gives its answer to :meth:`send`.

        Raises:
            ProtocolError: The other aborts, breaks the rules, or makes no progress.
            LimitError: Its message grows too long.
        """
        self.check(block)
        # Two marks that contradict each other: the window is over, and the block does not count.
        incoherent = block.last_block and block.streaming
        if not incoherent:
            self._take(block)
        self._peer_window = max(1, block.window)
        if block.block_number_ack > self._peer_acknowledged:
            self._peer_acknowledged = block.block_number_ack
            while self._queue and self._queue[0][0] <= block.block_number_ack:
                self.acknowledged_octets += len(self._queue.popleft()[2])
            self.moves += 1
            self._progress = True
            self._silences = 0
        if block.streaming and not incoherent and not self._window_is_full():
            return None
        return self._window_over()

    def _count_empty(self) -> None:
        """Bound the blocks that bring nothing: no data, and no acknowledgement of anything."""
        self._empty += 1
        if self._empty > self._limits.empty_blocks:
            raise ProtocolError(f"{self._empty} blocks of a general block transfer brought nothing")

    def timed_out(self) -> bool:
        """Take note that the client has waited in vain; it asks again.

        Returns:
            Whether it does: ``False`` once it has done so too often.
        """
        self._silences += 1
        if not self._client or self._silences > self._repeats:
            return False
        self._progress = True
        if self._received:
            self._window_over()
        else:
            self._window_now = self._window
            self._transmit()
        return True

    def check(self, block: GeneralBlockTransfer) -> None:
        """See that a block can belong to this exchange; nothing is changed.

        Raises:
            ProtocolError: It cannot, or the peer aborts.
        """
        number = block.block_number
        if number == 0:
            raise ProtocolError("the peer has aborted the general block transfer")
        if block.block_number_ack > self._highest:
            raise ProtocolError(
                f"block {block.block_number_ack} was acknowledged, {self._highest} is the last that was sent"
            )
        if number > self.acknowledged + self._window:
            raise ProtocolError(
                f"block {number} is beyond the window of {self._window} after {self.acknowledged}"
            )
        known = self._known(number)
        if known is not None and known != block.block_data:
            raise ProtocolError(f"block {number} came twice, and not the same")

    def holds(self, block: GeneralBlockTransfer) -> bool:
        """Return whether this very block was received."""
        return self._known(block.block_number) == block.block_data

    @property
    def received_parts(self) -> dict[int, int]:
        """What tells the blocks that came from others, by their numbers: those that are long enough for that."""
        return {number: hash(part) for number, part in enumerate(self._parts, 1) if len(part) >= _TELLING}

    def _known(self, number: int) -> bytes | None:
        """Return what block ``number`` holds, if it was received."""
        if number <= len(self._parts):
            return self._parts[number - 1]
        held = self._received.get(number)
        return None if held is None else held.block_data

    def _take(self, block: GeneralBlockTransfer) -> None:
        number = block.block_number
        if number <= self.acknowledged or number in self._received:
            return
        if self.complete and block.block_data:
            raise ProtocolError(f"block {number} holds data behind the last block")
        self._received[number] = block
        self.moves += 1
        if block.block_data or block.block_number_ack > self._peer_acknowledged:
            self._empty = 0
        else:
            self._count_empty()
        self._progress = True
        self.received_octets += len(block.block_data)
        if self.received_octets > self._limits.octets:
            raise LimitError("octets of a general block transfer", self.received_octets, self._limits.octets)
        self._silences = self._idle = 0

    def _window_is_full(self) -> bool:
        if len(self._received) >= self._window:
            return True
        # A gap was asked for, and what came late has closed it.
        return self._filling and len(self._received) == max(self._received, default=0) - self.acknowledged

    def _window_over(self) -> bytes | None:
        """Take over what has no gap before it, ask for the first gap, or go on."""
        if not self._received and self._client:
            self._idle += 1
            if self._idle > self._limits.empty_blocks:
                raise ProtocolError(f"{self._idle} windows of a general block transfer brought nothing new")
            return None  # a repetition of what we have: answering it would double every window from now on
        message = self._take_over()
        self._filling = bool(self._received)
        self._window_now = self._window
        if self._filling:
            gap = min(self._received) - self.acknowledged - 1
            self._window_now = min(self._window, gap)
        if message is None:
            wanted = self._client or not self.finished
        else:
            wanted = self._client and self.final_acknowledgement
        if wanted:
            self._transmit()
        return message

    def _take_over(self) -> bytes | None:
        """Move the blocks without a gap to the message, and return that if it is whole."""
        while (block := self._received.pop(self.acknowledged + 1, None)) is not None:
            self.acknowledged += 1
            self._parts.append(block.block_data)
            if block.last_block and not self.complete and any(self._parts):
                self.complete = True
                if any(each.block_data for each in self._received.values()):
                    raise ProtocolError("there are blocks with data behind the last one")
                return b"".join(self._parts)
        return None
