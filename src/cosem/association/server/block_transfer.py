"""General block transfer at the server: which exchange a block belongs to, and when one is over.

The blocks of a client carry no name of their exchange. A new one begins with block 1
that acknowledges nothing; the same block, come once more while its exchange goes on, is
a repetition, and the request in it is not executed a second time.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from cosem.apdu import decode, encode
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.association.block_transfer import DEFAULT_WINDOW, BlockTransfer
from cosem.association.context import TransferLimits
from cosem.association.control_function import State
from cosem.association.server.profile import ServerLimits
from cosem.association.server.refusals import NOT_ALLOWED, NOT_SUPPORTED, TOO_LONG
from cosem.association.server.request_tags import CIPHERED_REQUESTS
from cosem.association.unconfirmed_blocks import UnconfirmedBlocks, is_unconfirmed
from cosem.errors import ConfigurationError, DecodeError, LimitError, ProtocolError
from cosem.types.enumerations import Conformance

if TYPE_CHECKING:
    from cosem.association.server.association import Processing, ServerAssociation

__all__ = [
    "ServerBlocks",
    "block_received",
    "general_blocks_preferred",
    "in_blocks_if_long",
    "takes_blocks",
]

_REMEMBERED: Final = 16
"""First blocks of former exchanges that are remembered: datagrams come late and twice."""
_NO_REQUESTS: Final = frozenset({0x60, 0x61, 0x62, 0x63, 0xE0})
"""What cannot come in blocks: ACSE APDUs, and blocks."""
_CIPHERED: Final = frozenset(bytes((tag,)) for tag in CIPHERED_REQUESTS)


class ServerBlocks:
    """The general block transfers of one association.

    Args:
        limits: Bounds.
        window: Blocks that the server takes at once.

    Attributes:
        window: As given.
        spoken: Whether the client has sent a general block.
        unconfirmed: Collects what wants no answer.
    """

    __slots__ = (
        "_began",
        "_first",
        "_former",
        "_limits",
        "_moved",
        "_transfer",
        "spoken",
        "unconfirmed",
        "window",
    )

    def __init__(self, limits: ServerLimits, window: int = DEFAULT_WINDOW) -> None:
        self._limits = limits
        self.window = window
        self._transfer: BlockTransfer | None = None
        self._first: GeneralBlockTransfer | None = None
        self._former: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._began = self._moved = 0.0
        self.spoken = False
        self.unconfirmed = UnconfirmedBlocks(TransferLimits(limits.reassembly))

    @property
    def running(self) -> bool:
        """Whether there is an exchange."""
        return self._transfer is not None

    def take(
        self, block: GeneralBlockTransfer, size: int, now: float, *, keeps_order: bool = True
    ) -> bytes | None:
        """Take a block and return the request that it makes whole; give its answer to :meth:`answer`.

        Args:
            block: From the client.
            size: Longest block APDU that the client takes, octets; 0 for no limit.
            now: Monotonic seconds.
            keeps_order: Whether nothing comes late or twice. Else what can be of a former exchange only is dropped.

        Raises:
            ProtocolError: The client breaks the rules.
            LimitError: The request grows too long.
            ConfigurationError: The client takes no block with one octet in it.
        """
        self.spoken = True
        if block.block_number == 0:
            self.end()  # the client has aborted it
            return None
        if is_unconfirmed(block):
            return self.unconfirmed.take(block, now)
        self.expire(now)
        if not keeps_order and self._is_stray(block):
            return None
        if block.block_number == 1 and block.block_number_ack == 0 and not self._is_repetition(block):
            self._begin(size, now)
            self._first = block
            if not keeps_order:
                self._former.append(block.block_data)
        if self._transfer is None:
            return None  # of an exchange that is over, or whose first block got lost: the client asks again
        self._moved = now
        try:
            message = self._transfer.receive(block)
        except Exception:
            self.end()
            raise
        if message is None and self._transfer.finished:
            self.end()
        return message

    def _is_stray(self, block: GeneralBlockTransfer) -> bool:
        """Return whether a datagram holds a first block of a former exchange, or a block that cannot be of this."""
        if block.block_number == 1 and block.block_number_ack == 0:
            if block.block_data[:1] not in _CIPHERED or self._is_repetition(block):
                return False
            return block.block_data in self._former
        if self._transfer is None:
            return False
        try:
            self._transfer.check(block)
        except ProtocolError:
            return True
        return False

    def _is_repetition(self, block: GeneralBlockTransfer) -> bool:
        """Return whether a first block is the one of the exchange that goes on, come once more.

        Who has acknowledged a block of ours has no reason to begin anew: the same octets are then the same
        request for the next time. What is ciphered never has the same octets twice.
        """
        first, transfer = self._first, self._transfer
        if first is None or transfer is None:
            return False
        if block.block_data != first.block_data or block.last_block is not first.last_block:
            return False
        return not transfer.any_acknowledged or block.block_data[:1] in _CIPHERED

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
        self._transfer = BlockTransfer(size, client=False, window=self.window, limits=limits)
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
        self._former.clear()
        self.spoken = False
        self.unconfirmed = UnconfirmedBlocks(TransferLimits(self._limits.reassembly))

    def deadline(self) -> float | None:
        """Return when the exchange is given up; ``None`` where there is none."""
        transfer = self._transfer
        if transfer is None:
            return None
        octets = transfer.acknowledged_octets + transfer.received_octets
        return self._limits.end_of(self._began, self._moved, octets)

    def expire(self, now: float) -> None:
        """Forget an exchange whose client has gone silent or takes too long."""
        deadline = self.deadline()
        if deadline is not None and deadline <= now:
            self.end()


def takes_blocks(association: ServerAssociation) -> bool:
    """Return whether general blocks may go either way."""
    return (
        association.state is State.ASSOCIATED
        and association.pending_until is None
        and association.agreed(Conformance.GENERAL_BLOCK_TRANSFER)
    )


def general_blocks_preferred(association: ServerAssociation) -> bool:
    """Return whether a long answer of GET, ACTION or Read goes in general blocks, and not in those of its service.

    There are clients that propose general block transfer and do not understand one block (dlms-cosem 25.1.0):
    so they are used for one that has sent some itself, and where the service has no blocks of its own.
    """
    own = association.agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    return association.blocks.spoken or not own


def in_blocks_if_long(association: ServerAssociation, answer: bytes, now: float) -> list[bytes]:
    """Return the APDUs of an answer: blocks if the client takes nothing so long and general blocks were agreed on."""
    limit = association.context.client_max_receive_pdu_size
    if not limit or len(answer) <= limit or not takes_blocks(association):
        return [answer]
    return _in_blocks(association, answer, now)


def _in_blocks(association: ServerAssociation, answer: bytes, now: float) -> list[bytes]:
    try:
        if len(answer) > association.limits.answer:
            raise LimitError("octets of a long answer", len(answer), association.limits.answer)
        association.blocks.answer(answer, association.context.client_max_receive_pdu_size, now)
    except (LimitError, ConfigurationError):
        association.blocks.end()
        return [TOO_LONG]
    return association.blocks.outgoing()


def block_received(
    association: ServerAssociation, octets: bytes, now: float, *, confirmed: bool
) -> Processing:
    """Take a general block, and run the request that it makes whole.

    Args:
        association: Whose.
        octets: The block APDU.
        now: Monotonic seconds.
        confirmed: Whether the link lets the server answer.
    """
    blocks, profile = association.blocks, association.profile
    if profile is not None:
        blocks.window = profile.block_window
    try:
        block = decode(octets)
        if (
            profile is not None
            and profile.max_receive_pdu_size < len(octets)
            and profile.max_receive_pdu_size
        ):
            raise LimitError("octets of a block", len(octets), profile.max_receive_pdu_size)
        request = blocks.take(
            block,
            association.context.client_max_receive_pdu_size,
            now,
            keeps_order=association.keeps_order,
        )
    except (LimitError, ConfigurationError):
        return [TOO_LONG] if confirmed else []
    except (DecodeError, ProtocolError):
        return [NOT_ALLOWED] if confirmed else []
    answers = confirmed and not is_unconfirmed(block)
    if request is not None:
        if request[:1] and request[0] in _NO_REQUESTS:
            blocks.end()
            return [NOT_SUPPORTED] if answers else []
        answer = (yield from association.request(request, now, whole=True)) if request else None
        if answers and blocks.running:  # unless the association has ended meanwhile
            return _in_blocks(association, answer or b"", now)
    return blocks.outgoing() if answers else []
