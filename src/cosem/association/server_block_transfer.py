"""General block transfer at the server: which exchange a block belongs to, and when one is over.

The blocks of a client carry no name of their exchange. A new one begins with block 1
that acknowledges nothing; the same block, come once more while its exchange goes on, is
a repetition, and the request in it is not executed a second time.
"""

from __future__ import annotations

from cosem.apdu import encode
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.block_transfer import DEFAULT_WINDOW, BlockTransfer
from cosem.association.context import TransferLimits
from cosem.association.server_profile import ServerLimits
from cosem.association.unconfirmed_blocks import UnconfirmedBlocks, is_unconfirmed

__all__ = ["ServerBlocks"]


class ServerBlocks:
    """The general block transfers of one association.

    Args:
        limits: Bounds.
        window: Blocks that the server takes at once.

    Attributes:
        unconfirmed: Collects what wants no answer.
    """

    __slots__ = ("_began", "_first", "_limits", "_moved", "_transfer", "_window", "unconfirmed")

    def __init__(self, limits: ServerLimits, window: int = DEFAULT_WINDOW) -> None:
        self._limits = limits
        self._window = window
        self._transfer: BlockTransfer | None = None
        self._first: GeneralBlockTransfer | None = None
        self._began = self._moved = 0.0
        self.unconfirmed = UnconfirmedBlocks(TransferLimits(limits.reassembly))

    @property
    def running(self) -> bool:
        """Whether there is an exchange."""
        return self._transfer is not None

    def take(self, block: GeneralBlockTransfer, size: int, now: float) -> bytes | None:
        """Take a block and return the request that it makes whole; give its answer to :meth:`answer`.

        Args:
            block: From the client.
            size: Longest block APDU that the client takes, octets; 0 for no limit.
            now: Monotonic seconds.

        Raises:
            ProtocolError: The client breaks the rules.
            LimitError: The request grows too long.
            ConfigurationError: The client takes no block with one octet in it.
        """
        if is_unconfirmed(block):
            return self.unconfirmed.take(block, now)
        self.expire(now)
        begins = block.block_number == 1 and block.block_number_ack == 0
        if begins and (self._first is None or not _same(block, self._first)):
            self._begin(size, now)
            self._first = block
        if self._transfer is None:
            return None  # of an exchange that is over, or whose first block got lost: the client asks again
        if block.block_number == 0:
            self.end()  # the client has aborted it
            return None
        self._moved = now
        try:
            message = self._transfer.receive(block)
        except Exception:
            self.end()
            raise
        if message is None and self._transfer.finished:
            self.end()
        return message

    def answer(self, octets: bytes, size: int, now: float) -> None:
        """Send an answer: to the request that came in blocks, or to one that came plainly.

        Raises:
            LimitError: It would take too many blocks.
            ConfigurationError: The client takes no block with one octet in it.
        """
        if self._transfer is None:
            self._begin(size, now)
        self._moved = now
        if self._transfer is not None:
            try:
                self._transfer.send(octets)
            except Exception:
                self.end()
                raise

    def _begin(self, size: int, now: float) -> None:
        # What the client may be made to hold for us is bounded by the answer, what we hold for it by the request.
        limits = TransferLimits(self._limits.reassembly, self._limits.empty_blocks)
        self._transfer = BlockTransfer(size, client=False, window=self._window, limits=limits)
        self._first = None
        self._began = self._moved = now

    def outgoing(self) -> list[bytes]:
        """Return the blocks to send, and forget them."""
        transfer = self._transfer
        if transfer is None:
            return []
        blocks = [encode(block) for block in transfer.outgoing]
        transfer.outgoing.clear()
        return blocks

    def end(self) -> None:
        """Forget the exchange."""
        self._transfer = None
        self._first = None

    def clear(self) -> None:
        """Forget everything."""
        self.end()
        self.unconfirmed = UnconfirmedBlocks(TransferLimits(self._limits.reassembly))

    def deadline(self) -> float | None:
        """Return when the exchange is given up; ``None`` where there is none."""
        if self._transfer is None:
            return None
        return min(self._began + self._limits.transfer, self._moved + self._limits.progress)

    def expire(self, now: float) -> None:
        """Forget an exchange whose client has gone silent or takes too long."""
        deadline = self.deadline()
        if deadline is not None and deadline <= now:
            self.end()


def _same(one: GeneralBlockTransfer, other: GeneralBlockTransfer) -> bool:
    """Return whether one block may be the repetition of the other: its window may have changed since."""
    return one.block_data == other.block_data and one.last_block is other.last_block
