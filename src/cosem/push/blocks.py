"""general-block-transfer as meters push: streams of blocks that nobody acknowledges, put together or given up."""

from __future__ import annotations

from typing import Final

from cosem.apdu.block_transfer import GeneralBlockTransfer

__all__ = ["BlockReassembly"]

_MOST_SENDERS: Final = 16


class BlockReassembly:
    """Joins the blocks of each sender.

    Args:
        most: Longest message, octets.
    """

    __slots__ = ("_most", "_open", "lost")

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[
            object, tuple[int, bytearray]
        ] = {}  # the number of the last block, and what has come
        self.lost = 0
        """Messages of which not every block arrived."""

    def add(self, sender: object, block: GeneralBlockTransfer) -> bytes | None:
        """Return the message that a block ends, if it does and none was missing."""
        number, joined = self._open.pop(sender, (0, bytearray()))
        if block.block_number == 1:
            self.lost += number > 0
            joined = bytearray()
        elif block.block_number == number and number and not block.last_block:
            self._open[sender] = number, joined  # repeated
            return None
        elif block.block_number != number + 1:
            # The rest of a message that was given up counts once.
            self.lost += number > 0 or block.last_block
            return None
        joined += block.block_data
        if len(joined) > self._most:
            self.lost += 1
            return None
        if block.last_block:
            return bytes(joined)
        if len(self._open) >= _MOST_SENDERS:
            self._open.pop(next(iter(self._open)))
            self.lost += 1
        self._open[sender] = block.block_number, joined
        return None

    def drop(self) -> None:
        """Give up what has begun."""
        self.lost += len(self._open)
        self._open.clear()
