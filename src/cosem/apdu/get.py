"""GET: read attributes by logical name (IEC 62056-5-3, 6.6, 7.3.3 and clause 8)."""

from __future__ import annotations

from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
    DataBlockG,
    GetDataResult,
    InvokeId,
    SelectiveAccessDescriptor,
)
from cosem.codec.sequence import sequence
from cosem.codec.wires import Unsigned32

__all__ = [
    "GetRequestNext",
    "GetRequestNormal",
    "GetRequestWithList",
    "GetResponseNormal",
    "GetResponseWithDatablock",
    "GetResponseWithList",
]


@sequence(0xC0, 1)
class GetRequestNormal:
    """get-request-normal [1]: read one attribute."""

    invoke_id_and_priority: InvokeId
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccessDescriptor | None = None


@sequence(0xC0, 2)
class GetRequestNext:
    """get-request-next [2]: acknowledge ``block_number`` and ask for the block after it."""

    invoke_id_and_priority: InvokeId
    block_number: Unsigned32


@sequence(0xC0, 3)
class GetRequestWithList:
    """get-request-with-list [3]: read several attributes."""

    invoke_id_and_priority: InvokeId
    attribute_descriptor_list: tuple[CosemAttributeDescriptorWithSelection, ...]


@sequence(0xC4, 1)
class GetResponseNormal:
    """get-response-normal [1]: the value, or why there is none."""

    invoke_id_and_priority: InvokeId
    result: GetDataResult


@sequence(0xC4, 2)
class GetResponseWithDatablock:
    """get-response-with-datablock [2]: one block of a long answer."""

    invoke_id_and_priority: InvokeId
    result: DataBlockG


@sequence(0xC4, 3)
class GetResponseWithList:
    """get-response-with-list [3]: a result for each attribute asked for, in that order."""

    invoke_id_and_priority: InvokeId
    result: tuple[GetDataResult, ...]
