"""Array manager: single elements of long arrays.

(Blue Book, class_id 123)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import AttributeReference
from cosem.classes.structured import Structured, array_of, member

__all__ = [
    "ArrayEntryRange",
    "ArrayManager",
    "ArrayObject",
    "EntriesOfArray",
    "EntryToInsert",
    "EntryToUpdate",
    "NumberedEntry",
]


class ArrayObject(Structured):
    """An array that is managed: a number, and the attribute that holds it."""

    array_object_id: int = member("unsigned")
    array_object_definition: AttributeReference = member(AttributeReference)


class ArrayEntryRange(Structured):
    """A range of elements from 1, both ends included."""

    from_entry: int = member("long-unsigned")
    to_entry: int = member("long-unsigned")


class EntriesOfArray(Structured):
    """A range of elements of one array."""

    array_object_id: int = member("unsigned")
    entry_range: ArrayEntryRange = member(ArrayEntryRange)


class NumberedEntry(Structured):
    """An element and its number, from 1."""

    entry_number: int = member("long-unsigned")
    entry: Any = member("CHOICE")


class EntryToInsert(Structured):
    """An element to insert into an array; behind the last number it is appended."""

    array_object_id: int = member("unsigned")
    insert: NumberedEntry = member(NumberedEntry)


class EntryToUpdate(Structured):
    """An element that takes the place of another one."""

    array_object_id: int = member("unsigned")
    update: NumberedEntry = member(NumberedEntry)


class ArrayManager(
    InterfaceClass,
    class_id=123,
    version=0,
    title="Array manager",
    status="current",
    confidence="high",
    logical_names=("0.b.18.0.e.255",),
):
    """Array manager (class_id 123, version 0).

    Reads, inserts, replaces and removes single elements of array attributes of other objects.
    """

    array_object_list = Attribute(2, array_of(ArrayObject), access="rw")

    retrieve_number_of_entries = Method(
        1,
        "unsigned",
        returns="long-unsigned",
        mandatory=True,
        short_name_offset=0x20,
        remark="array_object_id",
    )
    retrieve_entries = Method(2, EntriesOfArray, returns="array", mandatory=True, short_name_offset=0x28)
    insert_entry = Method(3, EntryToInsert, mandatory=True, short_name_offset=0x30)
    update_entry = Method(4, EntryToUpdate, mandatory=True, short_name_offset=0x38)
    remove_entries = Method(5, EntriesOfArray, mandatory=True, short_name_offset=0x40)
