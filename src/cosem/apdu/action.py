"""ACTION: call methods by logical name (IEC 62056-5-3, 6.8, 7.3.5 and clause 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from cosem.apdu.common import (
    ActionResultCode,
    CosemMethodDescriptor,
    DataBlockSA,
    InvokeId,
    get_data_result_wire,
)
from cosem.codec.sequence import sequence
from cosem.codec.wires import AnyData, OptionalData, Unsigned32, data_wire
from cosem.types.data import ABSENT

if TYPE_CHECKING:
    from cosem.types.data import Absent, DataValue
    from cosem.types.enumerations import DataAccessResult

__all__ = [
    "ActionRequestNextPblock",
    "ActionRequestNormal",
    "ActionRequestWithFirstPblock",
    "ActionRequestWithList",
    "ActionRequestWithListAndFirstPblock",
    "ActionRequestWithPblock",
    "ActionResponseNextPblock",
    "ActionResponseNormal",
    "ActionResponseWithList",
    "ActionResponseWithOptionalData",
    "ActionResponseWithPblock",
]

if TYPE_CHECKING:
    OptionalParameters: TypeAlias = DataValue | Absent
    ReturnParameters: TypeAlias = DataValue | DataAccessResult | Absent
else:
    OptionalParameters = Annotated[object, OptionalData(data_wire)]
    ReturnParameters = Annotated[object, OptionalData(get_data_result_wire)]


@sequence(0xC3, 1)
class ActionRequestNormal:
    """action-request-normal [1]: call one method.

    ``method_invocation_parameters`` is ``ABSENT`` where none are sent; ``None`` sends null-data.
    """

    invoke_id_and_priority: InvokeId
    cosem_method_descriptor: CosemMethodDescriptor
    method_invocation_parameters: OptionalParameters = ABSENT


@sequence(0xC3, 2)
class ActionRequestNextPblock:
    """action-request-next-pblock [2]: acknowledge a block of the answer and ask for the next."""

    invoke_id_and_priority: InvokeId
    block_number: Unsigned32


@sequence(0xC3, 3)
class ActionRequestWithList:
    """action-request-with-list [3]: call several methods; null-data where one takes no parameter."""

    invoke_id_and_priority: InvokeId
    cosem_method_descriptor_list: tuple[CosemMethodDescriptor, ...]
    method_invocation_parameters: tuple[AnyData, ...]


@sequence(0xC3, 4)
class ActionRequestWithFirstPblock:
    """action-request-with-first-pblock [4]: begin to call one method with parameters in blocks."""

    invoke_id_and_priority: InvokeId
    cosem_method_descriptor: CosemMethodDescriptor
    pblock: DataBlockSA


@sequence(0xC3, 5)
class ActionRequestWithListAndFirstPblock:
    """action-request-with-list-and-first-pblock [5]: begin to call several methods, parameters in blocks."""

    invoke_id_and_priority: InvokeId
    cosem_method_descriptor_list: tuple[CosemMethodDescriptor, ...]
    pblock: DataBlockSA


@sequence(0xC3, 6)
class ActionRequestWithPblock:
    """action-request-with-pblock [6]: a further block of parameters."""

    invoke_id_and_priority: InvokeId
    pblock: DataBlockSA


@sequence()
class ActionResponseWithOptionalData:
    """Action-Response-With-Optional-Data: the result of one method, and what it returned.

    ``return_parameters`` is ``ABSENT`` where nothing was returned.
    """

    result: ActionResultCode
    return_parameters: ReturnParameters = ABSENT


@sequence(0xC7, 1)
class ActionResponseNormal:
    """action-response-normal [1]: the answer of one method."""

    invoke_id_and_priority: InvokeId
    single_response: ActionResponseWithOptionalData


@sequence(0xC7, 2)
class ActionResponseWithPblock:
    """action-response-with-pblock [2]: one block of a long answer."""

    invoke_id_and_priority: InvokeId
    pblock: DataBlockSA


@sequence(0xC7, 3)
class ActionResponseWithList:
    """action-response-with-list [3]: an answer for each method, in the order of the request."""

    invoke_id_and_priority: InvokeId
    list_of_responses: tuple[ActionResponseWithOptionalData, ...]


@sequence(0xC7, 4)
class ActionResponseNextPblock:
    """action-response-next-pblock [4]: a block of parameters arrived, send the next."""

    invoke_id_and_priority: InvokeId
    block_number: Unsigned32
