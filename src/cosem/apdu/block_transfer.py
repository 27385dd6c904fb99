"""general-block-transfer: any APDU in blocks, with windows and recovery (later editions)."""

from __future__ import annotations

from cosem.codec.sequence import sequence
from cosem.codec.wires import Unsigned8, Unsigned16, VariableOctets

__all__ = ["GeneralBlockTransfer"]

_LAST_BLOCK, _STREAMING, _WINDOW = 0x80, 0x40, 0x3F


@sequence(0xE0)
class GeneralBlockTransfer:
    """general-block-transfer [224]: one block.

    Attributes:
        block_control: Bit 7 last block, bit 6 streaming, bits 5..0 window, in blocks.
        block_number: From 1.
        block_number_ack: The highest block received with none missing below it.
        block_data: A part of the APDU; empty in a pure acknowledgement.
    """

    block_control: Unsigned8
    block_number: Unsigned16
    block_number_ack: Unsigned16
    block_data: VariableOctets

    @property
    def last_block(self) -> bool:
        """Whether the sender has nothing more to send."""
        return bool(self.block_control & _LAST_BLOCK)

    @property
    def streaming(self) -> bool:
        """Whether the sender goes on without waiting for an acknowledgement."""
        return bool(self.block_control & _STREAMING)

    @property
    def window(self) -> int:
        """How many blocks the sender can take at once, 0..63; 0 in an unconfirmed transfer."""
        return self.block_control & _WINDOW

    @staticmethod
    def control(*, last_block: bool, streaming: bool, window: int) -> int:
        """Return the block-control octet of these properties."""
        return (_LAST_BLOCK if last_block else 0) | (_STREAMING if streaming else 0) | (window & _WINDOW)
