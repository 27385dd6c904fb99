"""Several logical devices as the ones of one physical device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from cosem.server.logical_device import LogicalDevice

__all__ = ["share_addresses"]


def share_addresses(devices: Iterable[LogicalDevice]) -> dict[int, LogicalDevice]:
    """Make logical devices the ones of one physical device, and return them by their addresses.

    With more than one the management logical device gets a SAP assignment object, unless it has one.

    Raises:
        ConfigurationError: Two have one address.
    """
    shared: dict[int, LogicalDevice] = {}
    for device in devices:
        if device.sap in shared:
            raise ConfigurationError(f"two logical devices have the address {device.sap}")
        shared[device.sap] = device
    for device in shared.values():
        device.neighbours = shared
    management = shared.get(1)
    if management is not None and len(shared) > 1 and management.find("0.0.41.0.0.255") is None:
        from cosem.server.objects.sap_assignment import SapAssignmentObject

        management.add(SapAssignmentObject())
    return shared
