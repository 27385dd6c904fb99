"""Register activation: which registers run under which tariff.

(Blue Book, class_id 6)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import ObjectReference
from cosem.classes.structured import Structured, array_of, member

__all__ = ["RegisterActMask", "RegisterActivation"]


class RegisterActMask(Structured):
    """Which registers of the assignment run under a mask: 1-based indices into it."""

    mask_name: bytes = member("octet-string")
    index_list: tuple[int, ...] = member("array of unsigned")


class RegisterActivation(
    InterfaceClass,
    class_id=6,
    version=0,
    title="Register activation",
    status="current",
    confidence="high",
    logical_names=("0.b.14.0.e.255",),
):
    """Register activation (class_id 6, version 0): which of the assigned registers count at present.

    The registers of the assignment that the active mask does not name stand still. ``active_mask`` is
    usually set by a script that an activity calendar starts.
    """

    register_assignment = Attribute(2, array_of(ObjectReference), access="rw")
    mask_list = Attribute(3, array_of(RegisterActMask), access="rw")
    active_mask = Attribute(4, "octet-string", nature="dynamic", access="rw")

    add_register = Method(1, ObjectReference, short_name_offset=0x30)
    add_mask = Method(2, RegisterActMask, short_name_offset=0x38)
    delete_mask = Method(3, "octet-string", short_name_offset=0x40)
