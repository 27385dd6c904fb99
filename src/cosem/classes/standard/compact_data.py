"""Compact data: values without their tags, for narrow channels.

(Blue Book, class_id 62)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import CaptureObjectDefinition, RestrictedObjectDefinition
from cosem.classes.structured import array_of
from cosem.types.enumerations import OpenEnumeration

__all__ = ["CaptureMethod", "CompactData", "CompactDataVersion0"]


class CaptureMethod(OpenEnumeration):
    """When the buffer is filled."""

    ON_METHOD = 0
    ON_READING = 1


class CompactDataVersion0(
    InterfaceClass,
    class_id=62,
    version=0,
    title="Compact data",
    status="old",
    confidence="high",
    logical_names=("0.b.66.0.e.255",),
):
    """Compact data (class_id 62, version 0): see :class:`CompactData`.

    Compared with that one it differs in ``capture_objects``.
    """

    compact_buffer = Attribute(2, "octet-string", nature="dynamic")
    capture_objects = Attribute(3, array_of(CaptureObjectDefinition), access="rw")
    template_id = Attribute(4, "unsigned")
    template_description = Attribute(5, "octet-string", nature="dynamic")
    capture_method = Attribute(6, "enum", CaptureMethod, access="rw")

    reset = Method(1)
    capture = Method(2)


class CompactData(CompactDataVersion0, version=1, status="current"):
    """Compact data (class_id 62, version 1): values as octets without their tags.

    ``template_description`` tells the types, the first value in the buffer is ``template_id``. A change
    of the capture objects needs another template_id, or old buffers are misread.
    """

    capture_objects = Attribute(3, array_of(RestrictedObjectDefinition), access="rw")  # type: ignore[assignment]
