"""Parts that several services share: descriptors, selective access, results, blocks.

(IEC 62056-5-3, clause 8)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from cosem.codec.sequence import sequence
from cosem.codec.wires import (
    Alternative,
    AnyData,
    Boolean,
    Choice,
    Enumerated,
    Fixed,
    InstanceId,
    Integer8,
    Octets,
    Unsigned8,
    Unsigned16,
    Unsigned32,
    VariableOctets,
    data_wire,
)
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = [
    "ActionResultCode",
    "CosemAttributeDescriptor",
    "CosemAttributeDescriptorWithSelection",
    "CosemMethodDescriptor",
    "DataAccessResultCode",
    "DataBlockG",
    "DataBlockSA",
    "GetDataResult",
    "InvokeId",
    "LongInvokeId",
    "SelectiveAccessDescriptor",
    "get_data_result_wire",
]

InvokeId: TypeAlias = Annotated[InvokeIdAndPriority, Fixed("B", InvokeIdAndPriority)]
"""Invoke-Id-And-Priority: one octet, repeated by the answer."""
LongInvokeId: TypeAlias = Annotated[LongInvokeIdAndPriority, Fixed("I", LongInvokeIdAndPriority)]
"""Long-Invoke-Id-And-Priority: four octets."""
DataAccessResultCode: TypeAlias = Annotated[DataAccessResult, Enumerated(DataAccessResult)]
"""Data-Access-Result: one octet."""
ActionResultCode: TypeAlias = Annotated[ActionResult, Enumerated(ActionResult)]
"""Action-Result: one octet."""

get_data_result_wire: Final = Choice(
    Alternative(0, "data", data_wire),
    Alternative(1, "data-access-result", Enumerated(DataAccessResult), DataAccessResult),
)
if TYPE_CHECKING:
    GetDataResult: TypeAlias = DataValue | DataAccessResult
else:
    GetDataResult = Annotated[object, get_data_result_wire]
"""Get-Data-Result: the value, or a :class:`DataAccessResult` that says why there is none."""


@sequence()
class CosemAttributeDescriptor:
    """Cosem-Attribute-Descriptor: which attribute of which object.

    Attributes:
        class_id: The interface class.
        instance_id: The logical name.
        attribute_id: 1 and above of the standard, 0 all of them, negative ones of the manufacturer.
    """

    class_id: Unsigned16
    instance_id: InstanceId
    attribute_id: Integer8


@sequence()
class CosemMethodDescriptor:
    """Cosem-Method-Descriptor: which method of which object.

    Attributes:
        class_id: The interface class.
        instance_id: The logical name.
        method_id: 1 and above of the standard, negative ones of the manufacturer.
    """

    class_id: Unsigned16
    instance_id: InstanceId
    method_id: Integer8


@sequence()
class SelectiveAccessDescriptor:
    """Selective-Access-Descriptor: which part of the attribute.

    Attributes:
        access_selector: 0..255; its meaning belongs to the class and attribute.
        access_parameters: What the selector asks for.
    """

    access_selector: Unsigned8
    access_parameters: AnyData


@sequence()
class CosemAttributeDescriptorWithSelection:
    """Cosem-Attribute-Descriptor-With-Selection: an item of a list of attributes."""

    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccessDescriptor | None = None


if TYPE_CHECKING:
    DataBlockResult: TypeAlias = bytes | DataAccessResult
else:
    DataBlockResult = Annotated[
        object,
        Choice(
            Alternative(0, "raw-data", Octets()),
            Alternative(1, "data-access-result", Enumerated(DataAccessResult), DataAccessResult),
        ),
    ]


@sequence(name="DataBlock-G")
class DataBlockG:
    """DataBlock-G: a block of a GET response.

    Attributes:
        last_block: Whether it is the last one.
        block_number: From 1.
        result: The octets of this block, or why the transfer ends.
    """

    last_block: Boolean
    block_number: Unsigned32
    result: DataBlockResult


@sequence(name="DataBlock-SA")
class DataBlockSA:
    """DataBlock-SA: a block of a SET or ACTION request, or of an ACTION response.

    Attributes:
        last_block: Whether it is the last one.
        block_number: From 1.
        raw_data: The octets of this block.
    """

    last_block: Boolean
    block_number: Unsigned32
    raw_data: VariableOctets
