"""What one conversation of a client knows of its association."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cosem.association.context import Progress, TransferLimits, no_progress
from cosem.codec.data import decode_data
from cosem.codec.reader import Reader
from cosem.types.enumerations import Conformance
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.association.client.association import ClientAssociation
    from cosem.association.short_names.table import ShortNameTable
    from cosem.types.data import DataValue

__all__ = ["ClientContext"]


class ClientContext:
    """See :class:`~cosem.association.context.ServiceContext`."""

    __slots__ = (
        "_association",
        "_before",
        "_high_priority",
        "_now",
        "_of_all",
        "_of_request",
        "results_so_far",
    )

    def __init__(
        self, association: ClientAssociation, *, high_priority: bool, progress: Progress = no_progress
    ) -> None:
        self._association = association
        self._high_priority = high_priority
        self._of_all = progress
        self._of_request: Progress = no_progress
        self._before = self._now = 0
        self.results_so_far: Callable[[], Sequence[Any]] | None = None

    def follow(self, progress: Progress) -> None:
        """Begin another request, of whose octets ``progress`` is told."""
        self._of_request = progress
        self._before += self._now
        self._now = 0

    def transferred(self, octets: int) -> None:
        """Tell whoever wants to know: of this request, and of all requests of the conversation."""
        self._now = octets
        self._of_request(octets)
        self._of_all(self._before + octets)

    @property
    def conformance(self) -> Conformance:
        """The services that were agreed on."""
        return self._association.negotiated.conformance

    @property
    def max_request_size(self) -> int:
        """Longest request before protection, octets from its tag on; 0 means no limit."""
        return self._association.max_request_size

    @property
    def transfer_limits(self) -> TransferLimits:
        """Bounds of long transfers."""
        return self._association.transfer_limits

    @property
    def short_names(self) -> ShortNameTable | None:
        """The mapping table; ``None`` where objects have logical names."""
        return self._association.short_names

    def set_mapper_table(self, table: ShortNameTable) -> None:
        """Take another mapping table."""
        self._association.set_mapper_table(table)

    def value(self, octets: bytes) -> DataValue:
        """Return the value in joined blocks."""
        findings: list[str] = []
        value = decode_data(octets, strict=self._association.strict, findings=findings)
        self._association.findings.extend(findings)
        return value

    def reader(self, octets: bytes) -> Reader:
        """Return a cursor over joined blocks."""
        association = self._association
        return Reader(octets, strict=association.strict, findings=association.findings)

    def new_invoke_id(self, *, confirmed: bool = True) -> InvokeIdAndPriority:
        """Return an invoke-id that no open request has."""
        return self._association.new_invoke_id(confirmed=confirmed, high_priority=self._high_priority)

    def keep_encoded(self, invoke_id: InvokeIdAndPriority) -> None:
        """Let the value in the answer with this invoke-id stay octets."""
        self._association.keep_encoded(invoke_id)

    def new_long_invoke_id(
        self, *, self_descriptive: bool = False, break_on_error: bool = False
    ) -> LongInvokeIdAndPriority:
        """Return a long invoke-id that no open request has."""
        return self._association.new_long_invoke_id(
            self_descriptive=self_descriptive,
            break_on_error=break_on_error,
            high_priority=self._high_priority,
        )
