"""Read, Write, UnconfirmedWrite and InformationReport: access by short name.

(IEC 62056-5-3, 6.11 to 6.15, 7.3.7 to 7.3.10 and clause 8)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from cosem.codec.reader import Reader
from cosem.codec.sequence import Nested, sequence
from cosem.codec.wires import (
    Alternative,
    AnyData,
    Boolean,
    Choice,
    Enumerated,
    Unsigned8,
    Unsigned16,
    VariableOctets,
    Wire,
    data_wire,
)
from cosem.errors import EncodeError
from cosem.types.enumerations import DataAccessResult

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = [
    "BlockNumberAccess",
    "DataBlockResult",
    "InformationReportRequest",
    "ParameterizedAccess",
    "ReadDataBlockAccess",
    "ReadRequest",
    "ReadResponse",
    "ReceivedBlock",
    "UnconfirmedWriteRequest",
    "VariableAccessSpecification",
    "VariableName",
    "WriteDataBlockAccess",
    "WriteRequest",
    "WriteResponse",
]


@sequence()
class VariableName:
    """variable-name [2]: the short name of an attribute or method.

    Attributes:
        variable_name: 0..65535; written as ``FA00`` in the books, although the ASN.1 says Integer16.
    """

    variable_name: Unsigned16


@sequence()
class ParameterizedAccess:
    """parameterized-access [4]: selective access to an attribute, or a method with its parameter.

    Attributes:
        variable_name: The short name.
        selector: The selector of the attribute; 0 for a method.
        parameter: What the selector or the method takes.
    """

    variable_name: Unsigned16
    selector: Unsigned8
    parameter: AnyData


@sequence()
class BlockNumberAccess:
    """block-number-access [5]: acknowledge a block of a long answer and ask for the next."""

    block_number: Unsigned16


@sequence()
class ReadDataBlockAccess:
    """read-data-block-access [6]: a block of a long Read request.

    Attributes:
        last_block: Whether it is the last one.
        block_number: From 1.
        raw_data: A part of the request, from the count behind its tag on.
    """

    last_block: Boolean
    block_number: Unsigned16
    raw_data: VariableOctets


@sequence()
class WriteDataBlockAccess:
    """write-data-block-access [7]: says that the one value of this Write request is a block of a long one."""

    last_block: Boolean
    block_number: Unsigned16


if TYPE_CHECKING:
    VariableAccessSpecification: TypeAlias = (
        VariableName | ParameterizedAccess | BlockNumberAccess | ReadDataBlockAccess | WriteDataBlockAccess
    )
else:
    VariableAccessSpecification = Annotated[
        object,
        Choice(
            Alternative(2, "variable-name", Nested(VariableName), VariableName),
            Alternative(4, "parameterized-access", Nested(ParameterizedAccess), ParameterizedAccess),
            Alternative(5, "block-number-access", Nested(BlockNumberAccess), BlockNumberAccess),
            Alternative(6, "read-data-block-access", Nested(ReadDataBlockAccess), ReadDataBlockAccess),
            Alternative(7, "write-data-block-access", Nested(WriteDataBlockAccess), WriteDataBlockAccess),
        ),
    ]
"""Variable-Access-Specification. detailed-access [3] of IEC 61334-4-41 is not used in DLMS/COSEM."""


@sequence(name="data-block-result")
class DataBlockResult:
    """data-block-result [2]: one block of a long Read response.

    Attributes:
        last_block: Whether it is the last one.
        block_number: From 1.
        raw_data: A part of the response, from the count behind its tag on.
    """

    last_block: Boolean
    block_number: Unsigned16
    raw_data: VariableOctets


@sequence(name="block-number")
class ReceivedBlock:
    """block-number: a block of a long request arrived, send the next."""

    block_number: Unsigned16


class _Success(Wire):
    """success [0] of a Write response: no content. The value is ``DataAccessResult.SUCCESS``."""

    __slots__ = ()

    def read(self, reader: Reader) -> DataAccessResult:
        """Return success."""
        del reader
        return DataAccessResult.SUCCESS

    def write(self, out: bytearray, value: DataAccessResult) -> None:
        """Append nothing."""
        del out
        if value is not DataAccessResult.SUCCESS:
            raise EncodeError(f"{value!r} is no Write-Result")


class _WriteResult(Choice):
    """The CHOICE of a Write response, in which success is an alternative of its own."""

    __slots__ = ()

    def select(self, value: object) -> Alternative:
        """Return success, data-access-error or block-number."""
        return self.alternatives[0] if value == DataAccessResult.SUCCESS else super().select(value)


if TYPE_CHECKING:
    ReadResult: TypeAlias = DataValue | DataAccessResult | DataBlockResult | ReceivedBlock
    WriteResult: TypeAlias = DataAccessResult | ReceivedBlock
else:
    ReadResult = Annotated[
        object,
        Choice(
            Alternative(0, "data", data_wire),
            Alternative(1, "data-access-error", Enumerated(DataAccessResult), DataAccessResult),
            Alternative(2, "data-block-result", Nested(DataBlockResult), DataBlockResult),
            Alternative(3, "block-number", Nested(ReceivedBlock), ReceivedBlock),
        ),
    ]
    WriteResult = Annotated[
        object,
        _WriteResult(
            Alternative(0, "success", _Success()),
            Alternative(1, "data-access-error", Enumerated(DataAccessResult), DataAccessResult),
            Alternative(2, "block-number", Nested(ReceivedBlock), ReceivedBlock),
        ),
    ]


@sequence(0x05, name="readRequest")
class ReadRequest:
    """readRequest [5]: read by short name.

    A block access stands alone; everything else may be listed.
    """

    variable_access_specification: tuple[VariableAccessSpecification, ...]


@sequence(0x0C, name="readResponse")
class ReadResponse:
    """readResponse [12]: a result for each specification, in the order of the request."""

    result: tuple[ReadResult, ...]


@sequence(0x06, name="writeRequest")
class WriteRequest:
    """writeRequest [6]: write by short name; as many values as specifications."""

    variable_access_specification: tuple[VariableAccessSpecification, ...]
    list_of_data: tuple[AnyData, ...]


@sequence(0x0D, name="writeResponse")
class WriteResponse:
    """writeResponse [13]: a result for each specification; ``DataAccessResult.SUCCESS`` if it was written."""

    result: tuple[WriteResult, ...]


@sequence(0x16, name="unconfirmedWriteRequest")
class UnconfirmedWriteRequest:
    """unconfirmedWriteRequest [22]: write by short name; nothing comes back."""

    variable_access_specification: tuple[VariableAccessSpecification, ...]
    list_of_data: tuple[AnyData, ...]


@sequence(0x18, name="informationReportRequest")
class InformationReportRequest:
    """informationReportRequest [24]: the server sends values without being asked.

    Attributes:
        current_time: GeneralizedTime in ASCII, ``YYYYMMDDhhmmss``; some meters send the 12 octets
            of a COSEM date-time instead.
        variable_access_specification: What is reported.
        list_of_data: The values.
    """

    current_time: VariableOctets | None
    variable_access_specification: tuple[VariableAccessSpecification, ...]
    list_of_data: tuple[AnyData, ...]
