"""SAP assignment at the server: the logical devices of a physical device (Blue Book, class_id 17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cosem.classes.standard.sap_assignment import SapAssignment, SapAssignmentElement
from cosem.server.objects.base import CosemObject
from cosem.types.enumerations import ActionResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.server.logical_device import LogicalDevice

__all__ = ["SapAssignmentObject"]


class SapAssignmentObject(CosemObject, SapAssignment):
    """The logical devices of the server that its own logical device belongs to."""

    def __init__(self, logical_name: LogicalName | str = "0.0.41.0.0.255", **values: Any) -> None:
        self._disconnected: list[LogicalDevice] = []
        super().__init__(logical_name, **values)

    def get_SAP_assignment_list(self) -> list[tuple[int, bytes]]:
        """Return addresses and names."""
        devices = {} if self.device is None else self.device.neighbours
        return [(sap, devices[sap].name) for sap in sorted(devices)]

    def call_connect_logical_device(self, element: SapAssignmentElement) -> ActionResult:
        """Move a logical device to an address; address 0 disconnects it.

        Associations that stand go on; the next one is opened at the new address.
        """
        if self.device is None:
            return ActionResult.TEMPORARY_FAILURE
        devices = self.device.neighbours
        name, sap = bytes(element.logical_device_name), int(element.SAP)
        known = [*devices.values(), *self._disconnected]
        moved = next((each for each in known if each.name == name), None)
        if moved is None:
            return ActionResult.OBJECT_UNDEFINED
        if sap in devices:
            return ActionResult.SUCCESS if devices[sap] is moved else ActionResult.OTHER_REASON
        if moved is self.device and sap == 0:
            return ActionResult.OTHER_REASON  # nobody could connect it again
        devices.pop(moved.sap, None)
        if moved in self._disconnected:
            self._disconnected.remove(moved)
        if sap == 0:
            self._disconnected.append(moved)
        else:
            moved.sap = sap
            devices[sap] = moved
        return ActionResult.SUCCESS
