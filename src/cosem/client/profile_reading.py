"""How far a reading of a profile has come: what survives a connection that breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cosem.codec.row_template import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ProfileReading"]


@dataclass(slots=True)
class ProfileReading:
    """Rows that have arrived, and what is still to be asked for.

    Give the same one to a second ``read`` with the same arguments, on a new connection: it goes on where
    the first one broke.

    Args:
        rows: The rows so far, in the order of the meter.
        pending: The selections to come; ``None`` before the first request.
        received: Blocks of the answer that is under way.
        octets: What was transferred so far, the answer under way left out.
        selected_by: How the meter selected the rows.
        wanted: The selection that the parts make up.
    """

    rows: RowTable = field(default_factory=lambda: RowTable(()))
    pending: list[Any] | None = None
    received: list[bytes] = field(default_factory=list)
    octets: int = 0
    selected_by: str = "whole"
    wanted: Any = None

    def taken(self) -> Sequence[bytes]:
        """Return the blocks that have arrived of the answer under way, and forget them."""
        blocks, self.received = self.received, []
        self.octets += sum(map(len, blocks))
        return blocks

    def start_again(self) -> None:
        """Forget the rows: they are asked for in another way."""
        self.rows = RowTable(())
        self.taken()
