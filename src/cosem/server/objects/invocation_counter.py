"""The invocation counter that a server has seen, shown to clients that lost theirs: 0-b:43.1.e (Blue Book, class_id 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosem.server.objects.data import DataObject
from cosem.types.data import DoubleLongUnsigned

if TYPE_CHECKING:
    from cosem.server.held_security import HeldSecurity
    from cosem.types.logical_name import LogicalName

__all__ = ["InvocationCounterObject"]


class InvocationCounterObject(DataObject):
    """The last invocation counter that was taken from the client, under the global unicast key.

    A client goes on at this value plus 1. It says nothing that those do not see who listen.

    Args:
        held: Whose counter.
        logical_name: 0-b:43.1.e; e is that of the Security setup object.
    """

    held: HeldSecurity

    def __init__(self, held: HeldSecurity, logical_name: LogicalName | str = "0.0.43.1.0.255") -> None:
        object.__setattr__(self, "held", held)
        super().__init__(logical_name, value=DoubleLongUnsigned(0))

    def get_value(self) -> DoubleLongUnsigned:
        """Return the counter."""
        return DoubleLongUnsigned(self.held.last_counter_of())
