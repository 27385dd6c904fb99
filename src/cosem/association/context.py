"""What a conversation may know of the association it runs in: what was agreed, sizes, invoke-ids.

A conversation is a generator: it yields the APDU to send, is resumed with the
APDU that answers it, and returns the result. It knows services only; the
association alone knows ciphers, the link alone knows frames.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from cosem.apdu import Apdu
from cosem.errors import UnsupportedError
from cosem.types.enumerations import Conformance
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.association.short_names.table import ShortNameTable
    from cosem.codec.reader import Reader
    from cosem.types.data import DataValue

__all__ = ["Conversation", "EncodedData", "ServiceContext", "TransferLimits", "no_progress", "require"]

T = TypeVar("T")
Conversation: TypeAlias = Generator[Apdu, Apdu, T]
"""Yields requests, is sent the answers, returns the result."""
Progress: TypeAlias = Callable[[int], None]
"""Called with the octets transferred so far."""


def no_progress(octets: int) -> None:
    """Report a progress to nobody."""
    del octets


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Bounds of one long transfer, so that a peer cannot keep us for ever.

    Args:
        octets: Most octets that blocks may add up to.
        empty_blocks: Most blocks without octets in a row.
    """

    octets: int = 16 * 1024 * 1024
    empty_blocks: int = 16


class EncodedData(NamedTuple):
    """A value that is still in its octets.

    Args:
        octets: One value of Data, tag included.
    """

    octets: bytes


class ServiceContext(Protocol):
    """What the association tells a conversation, and is told by it.

    Attributes:
        results_so_far: Returns what is known already of the items of a list; ``None`` for nothing. An error that ends
            the conversation takes it along.
    """

    results_so_far: Callable[[], Sequence[Any]] | None

    def follow(self, progress: Progress) -> None:
        """Begin another request: ``progress`` is told of the octets that its blocks transfer, or those of its answer.

        The association tells of general blocks, which the conversation does not see.
        """
        ...

    def transferred(self, octets: int) -> None:
        """Tell how many octets of the present request, or of its answer, were transferred so far."""
        ...

    @property
    def conformance(self) -> Conformance:
        """The services that were agreed on."""
        ...

    @property
    def max_request_size(self) -> int:
        """Longest request before protection, octets from its tag on; 0 means no limit."""
        ...

    @property
    def transfer_limits(self) -> TransferLimits:
        """Bounds of long transfers."""
        ...

    @property
    def short_names(self) -> ShortNameTable | None:
        """The mapping table (6.16); ``None`` where objects have logical names."""
        ...

    def set_mapper_table(self, table: ShortNameTable) -> None:
        """Take another mapping table: SetMapperTable.request (6.16)."""
        ...

    def value(self, octets: bytes) -> DataValue:
        """Return the value in joined blocks; deviations become findings, or errors where the association is strict.

        Raises:
            DecodeError: They hold no value.
        """
        ...

    def reader(self, octets: bytes) -> Reader:
        """Return a cursor over joined blocks that treats deviations as :meth:`value` does."""
        ...

    def new_invoke_id(self, *, confirmed: bool = True) -> InvokeIdAndPriority:
        """Return an invoke-id that no open request has, with the class and priority of this conversation."""
        ...

    def keep_encoded(self, invoke_id: InvokeIdAndPriority) -> None:
        """Let the value in the get-response-normal with this invoke-id stay octets: :class:`EncodedData`."""
        ...

    def new_long_invoke_id(
        self, *, self_descriptive: bool = False, break_on_error: bool = False
    ) -> LongInvokeIdAndPriority:
        """Return a long invoke-id that no open request has, confirmed, with the priority of this conversation."""
        ...


def require(context: ServiceContext, bit: Conformance, what: str) -> None:
    """Refuse what the association did not agree on (7.3.1).

    Raises:
        UnsupportedError: The bit is not in the negotiated conformance.
    """
    if bit not in context.conformance:
        name = (bit.name or str(int(bit))).lower().replace("_", "-")
        raise UnsupportedError(f"{what} needs {name}, which this association did not agree on")


def unexpected(answer: Any, wanted: str) -> str:
    """Return the words for an answer of the wrong kind."""
    return f"{wanted} expected, {type(answer).__name__} received"
