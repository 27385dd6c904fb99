"""SAP assignment: the logical devices of a physical device.

(Blue Book, class_id 17)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member

__all__ = ["SapAssignment", "SapAssignmentElement"]


class SapAssignmentElement(Structured):
    """One logical device: its address and its name."""

    SAP: int = member("long-unsigned")
    logical_device_name: bytes = member("octet-string")


class SapAssignment(
    InterfaceClass,
    class_id=17,
    version=0,
    title="SAP assignment",
    status="current",
    confidence="high",
    logical_names=("0.0.41.0.0.255",),
):
    """SAP assignment (class_id 17, version 0): the logical devices of a physical device and their addresses.

    It lives in the management logical device; a device with one logical device needs none.
    """

    SAP_assignment_list = Attribute(2, array_of(SapAssignmentElement))

    connect_logical_device = Method(1, SapAssignmentElement, short_name_offset=0x20)
