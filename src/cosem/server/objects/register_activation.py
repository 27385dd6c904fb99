"""Register activation at the server: which registers count, and which stand still (Blue Book, class_id 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cosem.classes.standard.references import ObjectReference
from cosem.classes.standard.register_activation import RegisterActivation, RegisterActMask
from cosem.server.objects.base import CosemObject
from cosem.server.objects.demand_register import DemandRegisterObject
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["RegisterActivationObject"]


class RegisterActivationObject(CosemObject, RegisterActivation):
    """Says which of the assigned registers count at present.

    A Demand register stands still by itself while its mask is not in force; for other registers, whose values the
    application measures, it asks :meth:`counts`.

    Attributes:
        listeners: Called when other registers may count from now on.
    """

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        self.listeners: list[Callable[[], object]] = []
        super().__init__(logical_name, **values)

    def changed(self, number: int) -> None:
        """Let registers count, or stand still, from now on."""
        del number
        for each in self.device or ():
            if isinstance(each, DemandRegisterObject):
                each.settle()
        for listener in self.listeners:
            listener()

    def assigns(self, class_id: int, name: LogicalName | str) -> bool:
        """Return whether a register is assigned: whether it is for the masks to say that it counts."""
        return (class_id, LogicalName(name)) in self._assigned()

    def _assigned(self) -> list[tuple[int, LogicalName]]:
        return [(int(each.class_id), each.logical_name) for each in self.register_assignment]

    def counts(self, class_id: int, name: LogicalName | str) -> bool:
        """Return whether a register counts: it is in the active mask, or was never assigned."""
        wanted = class_id, LogicalName(name)
        assigned = self._assigned()
        if wanted not in assigned:
            return True
        masks: tuple[RegisterActMask, ...] = self.mask_list
        mask = next((each for each in masks if each.mask_name == self.active_mask), None)
        return mask is not None and assigned.index(wanted) + 1 in mask.index_list

    def set_active_mask(self, name: bytes) -> DataAccessResult:
        """Put another mask in force."""
        if name not in [each.mask_name for each in self.mask_list]:
            return DataAccessResult.OTHER_REASON
        self.put("active_mask", name)
        return DataAccessResult.SUCCESS

    def call_add_register(self, register: ObjectReference) -> None:
        """Assign a register, once."""
        if register not in self.register_assignment:
            self.put("register_assignment", [*self.register_assignment, register])

    def call_add_mask(self, mask: RegisterActMask) -> ActionResult:
        """Add a mask, in place of one of the same name."""
        if not all(1 <= index <= len(self.register_assignment) for index in mask.index_list):
            return ActionResult.OTHER_REASON
        others = [each for each in self.mask_list if each.mask_name != mask.mask_name]
        self.put("mask_list", [*others, mask])
        return ActionResult.SUCCESS

    def call_delete_mask(self, name: bytes) -> None:
        """Delete a mask; if it was in force, all assigned registers stand still."""
        self.put("mask_list", [each for each in self.mask_list if each.mask_name != name])
