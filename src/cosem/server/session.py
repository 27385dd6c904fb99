"""One association of a connection: what waits for it, and what is being served."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import Indication
from cosem.types.enumerations import AssociationStatus

if TYPE_CHECKING:
    from cosem.server.logical_device import LogicalDevice

__all__ = ["Session", "Transport"]

_ACSE: Final = frozenset({0x60, 0x62})
"""Tags of AARQ and RLRQ."""


class Transport(Protocol):
    """What a connection needs of asyncio's transports."""

    def write(self, data: bytes) -> None:
        """Send octets."""
        ...

    def close(self) -> None:
        """Close when all is sent."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...

    def pause_reading(self) -> None:
        """Take no more octets."""
        ...

    def resume_reading(self) -> None:
        """Take octets again."""
        ...

    def get_write_buffer_size(self) -> int:
        """Return how many octets were not sent yet."""
        ...


class Session:
    """One association of a connection, and the requests that wait for it.

    Attributes:
        association: The association.
        device: The logical device; ``None`` for an address that has none.
        queue: Requests that wait: octets, and whether the link lets the server answer.
        task: What serves the present request, where that takes waiting.
    """

    __slots__ = ("association", "device", "queue", "task")

    def __init__(self, association: ServerAssociation, device: LogicalDevice | None) -> None:
        self.association = association
        self.device = device
        self.queue: list[tuple[bytes, bool]] = []
        self.task: asyncio.Task[None] | None = None

    def take(self) -> tuple[bytes, bool]:
        """Return the request to serve next: an urgent one where that was agreed on, else the oldest.

        Nothing overtakes the opening or the release of an association.
        """
        if len(self.queue) > 1:
            for index, (octets, _) in enumerate(self.queue):
                if octets[0] in _ACSE:
                    break
                if self.association.is_urgent(octets):
                    return self.queue.pop(index)
        return self.queue.pop(0)

    @property
    def worth_keeping(self) -> bool:
        """Whether there is anything to remember."""
        association = self.association
        return (
            bool(self.queue)
            or self.task is not None
            or association.status is not AssociationStatus.NON_ASSOCIATED
            or association.pre_established
        )

    def told(self, indication: Indication) -> None:
        """Tell the logical device what nobody asked for."""
        if self.device is not None:
            self.device.resolve(self.association, indication)
