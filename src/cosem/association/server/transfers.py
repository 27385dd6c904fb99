"""Long transfers at the server: what is being collected and what is being given out, by invoke-id.

There is one transfer for each invoke-id; a new request with the same id ends the
old one. All that is being collected counts against one bound, and a client that
goes silent loses its transfer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosem.association.blocks import BlockJoiner
from cosem.association.context import TransferLimits
from cosem.association.server.demands import Demands
from cosem.errors import LimitError

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
    from cosem.association.server.profile import ServerLimits

__all__ = ["Collection", "Delivery", "Transfers"]


class Delivery:
    """A long answer that is given out block by block: a snapshot, so that the blocks are of one moment.

    Args:
        octets: The whole answer.
        room: Octets that fit into one block.
        action: Whether it answers an ACTION; else a GET.
    """

    __slots__ = ("_octets", "_room", "action", "number")

    def __init__(self, octets: bytes, room: int, *, action: bool) -> None:
        self._octets = octets
        self._room = room
        self.action = action
        self.number = 0

    def next_block(self) -> tuple[bool, int, bytes]:
        """Return the block after the last one: whether it is the last of all, its number, its octets."""
        self.number += 1
        return self.block()

    def block(self) -> tuple[bool, int, bytes]:
        """Return the block last given out once more."""
        start = (self.number - 1) * self._room
        stop = start + self._room
        return stop >= len(self._octets), self.number, self._octets[start:stop]

    @property
    def ended(self) -> bool:
        """Whether the last block was given out."""
        return self.number * self._room >= len(self._octets)

    @property
    def moved(self) -> int:
        """Octets that the client has: what was given out before the present block."""
        return max(self.number - 1, 0) * self._room

    @property
    def size(self) -> int:
        """Octets that count against the bound of what is collected: none."""
        return 0

    @property
    def held(self) -> int:
        """Octets of the snapshot."""
        return len(self._octets)


class Collection:
    """A long request that comes block by block.

    Args:
        attributes: What a SET writes, with its selections; empty for an ACTION.
        methods: What an ACTION calls; empty for a SET.
        listed: Whether the request is one with a list.
        limits: Bounds.
    """

    __slots__ = ("_joiner", "attributes", "listed", "methods")

    def __init__(
        self,
        limits: ServerLimits,
        *,
        attributes: tuple[tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None], ...] = (),
        methods: tuple[CosemMethodDescriptor, ...] = (),
        listed: bool = False,
    ) -> None:
        self.attributes = attributes
        self.methods = methods
        self.listed = listed
        self._joiner = BlockJoiner(TransferLimits(limits.reassembly, limits.empty_blocks))

    @property
    def action(self) -> bool:
        """Whether it collects the parameters of an ACTION; else the values of a SET."""
        return bool(self.methods)

    @property
    def number(self) -> int:
        """The block that came last; 0 before the first."""
        return self._joiner.number

    @property
    def moved(self) -> int:
        """Octets that have come."""
        return self.size

    @property
    def size(self) -> int:
        """Octets collected."""
        return self._joiner.size

    @property
    def held(self) -> int:
        """Octets that count against the bound of snapshots: none."""
        return 0

    def add(self, number: int, octets: bytes) -> None:
        """Take the next block.

        Raises:
            ProtocolError: Too many blocks without octets, or not the next number.
            LimitError: The value grows too long.
        """
        self._joiner.add(number, octets)

    def joined(self) -> bytes:
        """Return the whole value."""
        return self._joiner.joined()


class _Running:
    """A transfer, when it began and last moved, and the protection that it began with."""

    __slots__ = ("began", "found", "moved", "of_answers", "transfer")

    def __init__(self, transfer: Delivery | Collection, now: float, demands: Demands) -> None:
        self.transfer = transfer
        self.began = self.moved = now
        self.found, self.of_answers = demands.found, demands.of_answers


class Transfers:
    """The transfers of one association.

    Args:
        limits: Bounds.
        demands: What protects the request that is being served.
    """

    __slots__ = ("_demands", "_limits", "_running")

    def __init__(self, limits: ServerLimits, demands: Demands | None = None) -> None:
        self._demands = demands or Demands()
        self._limits = limits
        self._running: dict[int, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, invoke_id: int, transfer: Delivery | Collection, now: float) -> None:
        """Remember a transfer in place of any other of this invoke-id.

        Snapshots are bounded together: the oldest make room.
        """
        self._running.pop(invoke_id, None)
        held = transfer.held
        for other, running in reversed(list(self._running.items())):
            held += running.transfer.held
            if transfer.held and running.transfer.held and held > self._limits.answer:
                del self._running[other]
        self._running[invoke_id] = _Running(transfer, now, self._demands)

    def delivery(self, invoke_id: int, now: float, *, action: bool) -> Delivery | None:
        """Return the long answer of this invoke-id, and note that its client is alive."""
        running = self._touch(invoke_id, now)
        found = running.transfer if running else None
        return found if isinstance(found, Delivery) and found.action is action else None

    def collection(self, invoke_id: int, now: float, *, action: bool) -> Collection | None:
        """Return the long request of this invoke-id, and note that its client is alive."""
        running = self._touch(invoke_id, now)
        found = running.transfer if running else None
        return found if isinstance(found, Collection) and found.action is action else None

    def _touch(self, invoke_id: int, now: float) -> _Running | None:
        self.expire(now)
        running = self._running.get(invoke_id)
        if running is None or running.found != self._demands.found:
            return None  # whoever goes on with other protection is not whoever began
        self._demands.demand(running.of_answers)
        running.moved = now
        return running

    def check_room(self, more: int) -> None:
        """See that ``more`` octets may be collected.

        Raises:
            LimitError: All long requests together would grow too long.
        """
        total = more + sum(running.transfer.size for running in self._running.values())
        if total > self._limits.reassembly:
            raise LimitError("octets of long requests", total, self._limits.reassembly)

    def drop(self, invoke_id: int) -> None:
        """Forget the transfer of this invoke-id, if there is one."""
        self._running.pop(invoke_id, None)

    def clear(self) -> None:
        """Forget all."""
        self._running.clear()

    def deadline(self) -> float | None:
        """Return when the first of them is given up."""
        return min(map(self._end, self._running.values()), default=None)

    def expire(self, now: float) -> None:
        """Forget those whose client has gone silent or takes too long."""
        if self._running:
            for invoke_id in [number for number, each in self._running.items() if self._end(each) <= now]:
                del self._running[invoke_id]

    def _end(self, running: _Running) -> float:
        return self._limits.end_of(running.began, running.moved, running.transfer.moved)
