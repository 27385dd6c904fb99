"""SET: write attributes by logical name (IEC 62056-5-3, 6.7, 7.3.4 and clause 8)."""

from __future__ import annotations

from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
    DataAccessResultCode,
    DataBlockSA,
    InvokeId,
    SelectiveAccessDescriptor,
)
from cosem.codec.sequence import sequence
from cosem.codec.wires import AnyData, Unsigned32

__all__ = [
    "SetRequestNormal",
    "SetRequestWithDatablock",
    "SetRequestWithFirstDatablock",
    "SetRequestWithList",
    "SetRequestWithListAndFirstDatablock",
    "SetResponseDatablock",
    "SetResponseLastDatablock",
    "SetResponseLastDatablockWithList",
    "SetResponseNormal",
    "SetResponseWithList",
]


@sequence(0xC1, 1)
class SetRequestNormal:
    """set-request-normal [1]: write one attribute."""

    invoke_id_and_priority: InvokeId
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccessDescriptor | None
    value: AnyData


@sequence(0xC1, 2)
class SetRequestWithFirstDatablock:
    """set-request-with-first-datablock [2]: begin to write one attribute in blocks."""

    invoke_id_and_priority: InvokeId
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccessDescriptor | None
    datablock: DataBlockSA


@sequence(0xC1, 3)
class SetRequestWithDatablock:
    """set-request-with-datablock [3]: a further block."""

    invoke_id_and_priority: InvokeId
    datablock: DataBlockSA


@sequence(0xC1, 4)
class SetRequestWithList:
    """set-request-with-list [4]: write several attributes; as many values as descriptors."""

    invoke_id_and_priority: InvokeId
    attribute_descriptor_list: tuple[CosemAttributeDescriptorWithSelection, ...]
    value_list: tuple[AnyData, ...]


@sequence(0xC1, 5)
class SetRequestWithListAndFirstDatablock:
    """set-request-with-list-and-first-datablock [5]: begin to write several attributes in blocks."""

    invoke_id_and_priority: InvokeId
    attribute_descriptor_list: tuple[CosemAttributeDescriptorWithSelection, ...]
    datablock: DataBlockSA


@sequence(0xC5, 1)
class SetResponseNormal:
    """set-response-normal [1]: whether one attribute was written."""

    invoke_id_and_priority: InvokeId
    result: DataAccessResultCode


@sequence(0xC5, 2)
class SetResponseDatablock:
    """set-response-datablock [2]: a block arrived, send the next."""

    invoke_id_and_priority: InvokeId
    block_number: Unsigned32


@sequence(0xC5, 3)
class SetResponseLastDatablock:
    """set-response-last-datablock [3]: the end of a transfer for one attribute."""

    invoke_id_and_priority: InvokeId
    result: DataAccessResultCode
    block_number: Unsigned32


@sequence(0xC5, 4)
class SetResponseLastDatablockWithList:
    """set-response-last-datablock-with-list [4]: the end of a transfer for several attributes."""

    invoke_id_and_priority: InvokeId
    result: tuple[DataAccessResultCode, ...]
    block_number: Unsigned32


@sequence(0xC5, 5)
class SetResponseWithList:
    """set-response-with-list [5]: a result for each attribute, in the order of the request."""

    invoke_id_and_priority: InvokeId
    result: tuple[DataAccessResultCode, ...]
