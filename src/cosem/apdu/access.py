"""ACCESS: a batch of reads, writes and calls in one APDU (later editions)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from cosem.apdu.common import (
    ActionResultCode,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResultCode,
    LongInvokeId,
    SelectiveAccessDescriptor,
)
from cosem.codec.sequence import Nested, sequence
from cosem.codec.wires import Alternative, AnyData, Choice, VariableOctets

__all__ = [
    "AccessRequest",
    "AccessRequestAction",
    "AccessRequestGet",
    "AccessRequestGetWithSelection",
    "AccessRequestSet",
    "AccessRequestSetWithSelection",
    "AccessRequestSpecification",
    "AccessResponse",
    "AccessResponseAction",
    "AccessResponseGet",
    "AccessResponseSet",
    "AccessResponseSpecification",
]


@sequence()
class AccessRequestGet:
    """access-request-get [1]: read an attribute."""

    cosem_attribute_descriptor: CosemAttributeDescriptor


@sequence()
class AccessRequestSet:
    """access-request-set [2]: write an attribute."""

    cosem_attribute_descriptor: CosemAttributeDescriptor


@sequence()
class AccessRequestAction:
    """access-request-action [3]: call a method."""

    cosem_method_descriptor: CosemMethodDescriptor


@sequence()
class AccessRequestGetWithSelection:
    """access-request-get-with-selection [4]: read a part of an attribute."""

    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccessDescriptor


@sequence()
class AccessRequestSetWithSelection:
    """access-request-set-with-selection [5]: write a part of an attribute."""

    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccessDescriptor


@sequence()
class AccessResponseGet:
    """access-response-get [1]: whether the attribute was read."""

    result: DataAccessResultCode


@sequence()
class AccessResponseSet:
    """access-response-set [2]: whether the attribute was written."""

    result: DataAccessResultCode


@sequence()
class AccessResponseAction:
    """access-response-action [3]: whether the method was executed."""

    result: ActionResultCode


if TYPE_CHECKING:
    AccessRequestSpecification: TypeAlias = (
        AccessRequestGet
        | AccessRequestSet
        | AccessRequestAction
        | AccessRequestGetWithSelection
        | AccessRequestSetWithSelection
    )
    AccessResponseSpecification: TypeAlias = AccessResponseGet | AccessResponseSet | AccessResponseAction
else:
    AccessRequestSpecification = Annotated[
        object,
        Choice(
            Alternative(1, "access-request-get", Nested(AccessRequestGet), AccessRequestGet),
            Alternative(2, "access-request-set", Nested(AccessRequestSet), AccessRequestSet),
            Alternative(3, "access-request-action", Nested(AccessRequestAction), AccessRequestAction),
            Alternative(
                4,
                "access-request-get-with-selection",
                Nested(AccessRequestGetWithSelection),
                AccessRequestGetWithSelection,
            ),
            Alternative(
                5,
                "access-request-set-with-selection",
                Nested(AccessRequestSetWithSelection),
                AccessRequestSetWithSelection,
            ),
        ),
    ]
    AccessResponseSpecification = Annotated[
        object,
        Choice(
            Alternative(1, "access-response-get", Nested(AccessResponseGet), AccessResponseGet),
            Alternative(2, "access-response-set", Nested(AccessResponseSet), AccessResponseSet),
            Alternative(3, "access-response-action", Nested(AccessResponseAction), AccessResponseAction),
        ),
    ]


@sequence(0xD9)
class AccessRequest:
    """access-request [217]: a batch, executed in order.

    Attributes:
        long_invoke_id_and_priority: Says too whether to stop at the first failure.
        date_time: When the service was invoked, octets of a date-time, or none.
        access_request_specification: What to do.
        access_request_list_of_data: One for each: the value, the parameter, or null-data.
    """

    long_invoke_id_and_priority: LongInvokeId
    date_time: VariableOctets
    access_request_specification: tuple[AccessRequestSpecification, ...]
    access_request_list_of_data: tuple[AnyData, ...]


@sequence(0xDA)
class AccessResponse:
    """access-response [218]: the data and results of a batch.

    Attributes:
        long_invoke_id_and_priority: That of the request.
        date_time: When it was answered, octets of a date-time, or none.
        access_request_specification: The request's, if it asked for a self-descriptive answer.
        access_response_list_of_data: One for each: the value, the return parameter, or null-data.
        access_response_specification: One for each: the result.
    """

    long_invoke_id_and_priority: LongInvokeId
    date_time: VariableOctets
    access_request_specification: tuple[AccessRequestSpecification, ...] | None
    access_response_list_of_data: tuple[AnyData, ...]
    access_response_specification: tuple[AccessResponseSpecification, ...]
