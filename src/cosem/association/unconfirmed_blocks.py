"""General block transfer without acknowledgements: long notifications, and long unconfirmed requests.

Nothing can be asked for again: what is not whole after a time is dropped. Nor do the blocks
say to which message they belong; so whatever contradicts what is held begins anew.
"""

from __future__ import annotations

from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.context import TransferLimits

__all__ = ["UnconfirmedBlocks", "is_unconfirmed"]

_PATIENCE = 5.0


def is_unconfirmed(block: GeneralBlockTransfer) -> bool:
    """Return whether nothing comes back to a block: neither window nor streaming.

    >>> (
    ...     is_unconfirmed(GeneralBlockTransfer(0x80, 1, 0, b"")),
    ...     is_unconfirmed(GeneralBlockTransfer(0x81, 1, 0, b"")),
    ... )
    (True, False)
    """
    return not block.window and not block.streaming


class UnconfirmedBlocks:
    """Collects the blocks of one sender.

    Args:
        limits: Octets of a message.
        patience: Seconds from the first block of a message to its last: later ones belong to another.

    Attributes:
        dropped: Messages that did not become whole.
    """

    __slots__ = ("_began", "_held", "_last", "_limits", "_patience", "_size", "dropped")

    def __init__(self, limits: TransferLimits | None = None, patience: float = _PATIENCE) -> None:
        self._limits = limits or TransferLimits()
        self._patience = patience
        self._held: dict[int, bytes] = {}
        self._last: int | None = None
        self._size = 0
        self._began = 0.0
        self.dropped = 0

    def take(self, block: GeneralBlockTransfer, now: float) -> bytes | None:
        """Take a block, and return the message that it makes whole.

        Args:
            block: An unconfirmed one.
            now: Monotonic seconds.
        """
        number = block.block_number
        if self._held and (now - self._began > self._patience or self._contradicts(block)):
            self._drop()
        if number == 0 or number in self._held:
            return None
        if not self._held:
            self._began = now
        self._held[number] = block.block_data
        self._size += len(block.block_data)
        if block.last_block:
            self._last = number
        if self._size > self._limits.octets:
            self._drop()
        if self._last is None or len(self._held) < self._last:
            return None
        message = b"".join(self._held[each] for each in range(1, self._last + 1))
        self._forget()
        return message

    def _contradicts(self, block: GeneralBlockTransfer) -> bool:
        number = block.block_number
        if number in self._held:
            return self._held[number] != block.block_data or block.last_block is not (number == self._last)
        if self._last is not None:
            return block.last_block or number > self._last
        return block.last_block and number < max(self._held)

    def _drop(self) -> None:
        self.dropped += 1
        self._forget()

    def _forget(self) -> None:
        self._held = {}
        self._last = None
        self._size = 0
