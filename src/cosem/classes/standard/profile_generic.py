"""Profile generic: captured values in rows, such as load profiles and event logs.

(Blue Book, class_id 7)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import CaptureObjectDefinition
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = ["EntryDescriptor", "ProfileGeneric", "ProfileGenericVersion0", "RangeDescriptor", "SortMethod"]


class SortMethod(OpenEnumeration):
    """In which order the rows stand, and which one is lost when the buffer is full."""

    FIFO = 1
    LIFO = 2
    LARGEST = 3
    SMALLEST = 4
    NEAREST_TO_ZERO = 5
    FARTHEST_FROM_ZERO = 6


class RangeDescriptor(Structured):
    """Selector 1: the rows whose value of one column lies in a range, both ends included.

    No selected values means all columns.
    """

    restricting_object: CaptureObjectDefinition = member(CaptureObjectDefinition)
    from_value: Any = member("CHOICE(simple)")
    to_value: Any = member("CHOICE(simple)")
    selected_values: tuple[CaptureObjectDefinition, ...] = member(array_of(CaptureObjectDefinition))


class EntryDescriptor(Structured):
    """Selector 2: rows and columns by number, from 1; 0 as an end means the last one."""

    from_entry: int = member("double-long-unsigned")
    to_entry: int = member("double-long-unsigned")
    from_selected_value: int = member("long-unsigned")
    to_selected_value: int = member("long-unsigned")


class ProfileGeneric(
    InterfaceClass,
    class_id=7,
    version=1,
    title="Profile generic",
    status="current",
    confidence="high",
    logical_names=(
        "0.b.21.0.e.255",
        "0.b.24.3.e.255",
        "0.b.24.5.0.255",
        "a.b.98.d.e.f",
        "a.b.99.d.e.f",
        "any ID or error profile (E=255)",
    ),
):
    """Profile generic (class_id 7, version 1).

    A table: each row holds the captured values of ``capture_objects``, in their order.

    A row is captured every ``capture_period`` seconds, or (period 0) when ``capture`` is called. The
    buffer holds up to ``profile_entries`` rows, numbered from 1; ``sort_method`` says which row goes
    when it is full. A value equal to the one in the row before may come as null-data.
    """

    buffer = Attribute(2, "array of structure or compact-array", nature="dynamic")
    capture_objects = Attribute(3, array_of(CaptureObjectDefinition), access="rw")
    capture_period = Attribute(4, "double-long-unsigned", access="rw")
    sort_method = Attribute(5, "enum", SortMethod, access="rw")
    sort_object = Attribute(6, CaptureObjectDefinition, access="rw")
    entries_in_use = Attribute(7, "double-long-unsigned", nature="dynamic")
    profile_entries = Attribute(8, "double-long-unsigned", access="rw")

    reset = Method(1, short_name_offset=0x58)
    capture = Method(2, short_name_offset=0x60)


class ProfileGenericVersion0(ProfileGeneric, version=0, status="old", confidence="medium"):
    """Profile generic (class_id 7, version 0): see :class:`ProfileGeneric`.

    Compared with that one it has ``get_buffer_by_range``, ``get_buffer_by_index``; it differs in
    ``buffer``.
    """

    buffer = Attribute(2, "array of structure", nature="dynamic")

    get_buffer_by_range = Method(3, RangeDescriptor, returns="array", short_name_offset=0x68)
    get_buffer_by_index = Method(4, EntryDescriptor, returns="array", short_name_offset=0x70)
