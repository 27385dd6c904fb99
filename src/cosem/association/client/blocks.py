"""General block transfer at the client: one exchange at a time, and what the server sends in blocks by itself."""

from __future__ import annotations

from dataclasses import dataclass

from cosem.apdu import encode
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.block_transfer import DEFAULT_WINDOW, BlockTransfer
from cosem.association.context import TransferLimits
from cosem.association.unconfirmed_blocks import UnconfirmedBlocks
from cosem.errors import ConfigurationError, ProtocolError

__all__ = ["BlockSettings", "ClientBlocks"]


@dataclass(frozen=True, slots=True)
class BlockSettings:
    """How a client transfers blocks, where general block transfer was agreed on.

    Args:
        window: Blocks that we take at once, 1..63.
        peer_window: Blocks that the server takes at once, where that is known beforehand.
        always: Whether every request goes in blocks: the server then knows our window from the start.
        patience: Seconds without a block until we ask again; by default as long as for any answer.
        repeats: How often we ask again in vain.
        final_acknowledgement: Whether the last window is acknowledged, too.

    Raises:
        ConfigurationError: A number is out of range.
    """

    window: int = DEFAULT_WINDOW
    peer_window: int = 1
    always: bool = False
    patience: float | None = None
    repeats: int = 3
    final_acknowledgement: bool = False

    def __post_init__(self) -> None:
        if not (1 <= self.window <= 63 and 1 <= self.peer_window <= 63):
            raise ConfigurationError("a window has 1..63 blocks")
        if self.repeats < 0 or (self.patience is not None and self.patience <= 0):
            raise ConfigurationError("repeats are 0 or more, patience is above 0 seconds")


class ClientBlocks:
    """The exchange in blocks that is under way, if there is one.

    Args:
        settings: Windows and patience.
        limits: Bounds of long transfers.

    Attributes:
        settings: As given.
        transferred: Octets of the present exchange, or of the last one, that have gone and were acknowledged, or came.
        moved: Whether the last block brought anything new: data, or the acknowledgement of some.
        unconfirmed: Collects long notifications.
    """

    __slots__ = (
        "_encrypted",
        "_keeps_order",
        "_limits",
        "_plain",
        "_previous",
        "_restarts",
        "_transfer",
        "moved",
        "settings",
        "transferred",
        "unconfirmed",
    )

    def __init__(self, settings: BlockSettings, limits: TransferLimits) -> None:
        self.settings = settings
        self._limits = limits
        self._transfer: BlockTransfer | None = None
        self._plain = False
        self._previous: dict[int, int] = {}
        self._keeps_order = True
        self._encrypted = True
        self._restarts = 0
        self.transferred = 0
        self.moved = False
        self.unconfirmed = UnconfirmedBlocks(limits)

    @property
    def running(self) -> bool:
        """Whether an exchange is under way."""
        return self._transfer is not None

    @property
    def answer_begun(self) -> bool:
        """Whether a part of the answer has come: the request arrived whole and was executed."""
        return self._transfer is not None and self._transfer.received_octets > 0

    def begin(self, octets: bytes, size: int, *, final_acknowledgement: bool = False) -> None:
        """Send a request in blocks.

        Args:
            octets: The request.
            size: Longest block APDU that the server takes, octets; 0 for no limit.
            final_acknowledgement: Whether the last window is acknowledged whatever the settings say: the server
                could take the same request, sent again, for a repetition.

        Raises:
            ConfigurationError: The server takes no block with one octet in it.
            LimitError: It would take too many blocks.
        """
        transfer = self._fresh(size)
        transfer.final_acknowledgement = transfer.final_acknowledgement or final_acknowledgement
        transfer.send(octets)
        self._transfer = transfer
        self._plain = False

    def take(
        self,
        block: GeneralBlockTransfer,
        size: int,
        *,
        keeps_order: bool = True,
        encrypted: bool = True,
    ) -> tuple[bytes | None, bool]:
        """Take a block of a confirmed exchange.

        Args:
            block: From the server.
            size: Longest block APDU that the server takes, octets; 0 for no limit.
            keeps_order: Whether nothing comes late or twice. Else what is ciphered goes in blocks, and the same
                octets are the same block: of the last exchange, or one that cannot be of this any more.
            encrypted: Whether that is encrypted. Else only its first and last block, with counter and tag, differ
                from those of an equal answer.

        Returns:
            The answer, once it is whole, and whether the block belongs to anything.

        Raises:
            ProtocolError: The server aborts or breaks the rules.
            LimitError: The answer grows too long.
        """
        self._keeps_order, self._encrypted = keeps_order, encrypted
        begins = block.block_number == 1 and block.block_number_ack == 0
        transfer = self._transfer
        if not keeps_order and block.block_number and self._is_stray(block):
            return None, False
        if transfer is None:
            if not begins:
                return None, False
            transfer = self._transfer = self._fresh(size)
            self._plain = True
            self._restarts = 0
        elif (
            self._plain
            and begins
            and transfer.acknowledged <= 1
            and (transfer.acknowledged or transfer.received_octets)
            and not transfer.holds(block)
        ):
            # What came before was the late answer to a request that was given up.
            self._restarts += 1
            if self._restarts > self._limits.empty_blocks:
                raise ProtocolError(f"a general block transfer has begun anew {self._restarts} times")
            transfer = self._transfer = self._fresh(size)
        before = transfer.moves
        message = transfer.receive(block)
        self.moved = transfer.moves != before
        self.transferred = transfer.acknowledged_octets + transfer.received_octets
        if message is not None and not transfer.outgoing:
            self.end()
        return message, True

    def _is_stray(self, block: GeneralBlockTransfer) -> bool:
        """Return whether a datagram holds a block of the last exchange, or one that cannot be of this."""
        if self._previous.get(block.block_number) == hash(block.block_data):
            return True
        if self._transfer is None:
            return False
        try:
            self._transfer.check(block)
        except ProtocolError:
            return True
        return False

    def timed_out(self) -> bool:
        """Ask again, and return whether that still makes sense."""
        return self._transfer is not None and self._transfer.timed_out()

    def outgoing(self) -> list[bytes]:
        """Return the blocks to send, and forget them."""
        transfer = self._transfer
        if transfer is None:
            return []
        blocks = [encode(block) for block in transfer.outgoing]
        transfer.outgoing.clear()
        return blocks

    def end(self) -> None:
        """Forget the exchange, but not what tells its blocks from those of the next where they may come late."""
        if self._transfer is not None and not self._keeps_order:
            parts = self._transfer.received_parts
            ends = parts.keys() if self._encrypted else {1, max(parts, default=1)}
            self._previous = {number: part for number, part in parts.items() if number in ends}
        self._transfer = None

    def clear(self) -> None:
        """Forget everything."""
        self._transfer = None
        self._previous = {}
        self.unconfirmed = UnconfirmedBlocks(self._limits)

    def _fresh(self, size: int) -> BlockTransfer:
        settings = self.settings
        return BlockTransfer(
            size,
            client=True,
            window=settings.window,
            peer_window=settings.peer_window,
            limits=self._limits,
            repeats=settings.repeats,
            final_acknowledgement=settings.final_acknowledgement,
        )
