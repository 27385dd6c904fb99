"""Lists in portions that one request each can carry, where ACCESS was not agreed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.association.context import ServiceContext
from cosem.codec.data import encode_data
from cosem.types.enumerations import Conformance

__all__ = ["Item", "attribute_size", "method_size", "parts"]

T = TypeVar("T")
Item: TypeAlias = tuple[CosemAttributeDescriptor, SelectiveAccessDescriptor | None]
"""An attribute, and which part of it."""
_COUNT: Final = 2
"""Octets of the count of a list, at most: no request has more than 255 items."""


def attribute_size(context: ServiceContext, item: Item) -> int:
    """Return the octets of an attribute in a list, without a value."""
    descriptor, selection = item
    selected = 0 if selection is None else 1 + len(encode_data(selection.access_parameters))
    table = context.short_names
    if table is None:
        return 10 + selected  # class_id, name, number, flag of the selection
    found = table.find(descriptor.class_id, descriptor.instance_id) if descriptor.attribute_id == 0 else None
    names = 1 if found is None else len(table.layout(found.class_id, found.version).attributes)
    return 3 * names + selected  # choice, short name


def method_size(context: ServiceContext) -> int:
    """Return the octets of a method in a list, without its parameters."""
    return 9 if context.short_names is None else 4  # choice, short name, selector


def parts(
    context: ServiceContext, items: Sequence[T], sizes: Sequence[int], *, lists: int
) -> Iterator[Sequence[T]]:
    """Return the items in portions that one request each can carry: single ones where lists were not agreed on.

    Args:
        context: The association.
        items: What the requests carry.
        sizes: Octets of each item, with its value.
        lists: How many lists a request has: of names, and of values.
    """
    if Conformance.MULTIPLE_REFERENCES not in context.conformance:
        yield from ([item] for item in items)
        return
    limit = context.max_request_size or 0xFFFF
    head = 3 if context.short_names is None else 1  # tag; with names choice and invoke-id
    head += lists * _COUNT
    start = 0
    size = head
    for index, more in enumerate(sizes):
        if index > start and (size + more > limit or index - start == 0xFF):
            yield items[start:index]
            start, size = index, head
        size += more
    if start < len(items):
        yield items[start:]
