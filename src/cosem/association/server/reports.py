"""InformationReport at the server: values that are sent without being asked for (IEC 62056-5-3, 6.15, 7.3.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cosem.apdu import encode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.variable_access import InformationReportRequest, VariableName
from cosem.association.control_function import ServerEvent, State
from cosem.association.short_names.time import generalized_time
from cosem.errors import ConfigurationError, StateError, UnsupportedError
from cosem.types.enumerations import Conformance

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.types.data import DataValue

__all__ = ["information_report"]


def information_report(
    association: ServerAssociation,
    items: Sequence[tuple[int | CosemAttributeDescriptor, DataValue]],
    time: bytes | None = None,
) -> bytes:
    """Return the APDU of InformationReport.request; see ``ServerAssociation.information_report``."""
    associated = association.state is State.ASSOCIATED
    if association.pending_until is not None:
        raise StateError("ASSOCIATED, authentication pending", ServerEvent.INFORMATION_REPORT_REQUEST.name)
    if associated:
        if not (association.context.confirmed and association.agreed(Conformance.INFORMATION_REPORT)):
            raise UnsupportedError("this association did not agree on information-report")
        if len(items) > 1 and not association.agreed(Conformance.MULTIPLE_REFERENCES):
            raise UnsupportedError("this association did not agree on multiple-references")
    variables = tuple(VariableName(_short_name(association, target)) for target, _ in items)
    current_time = None if time is None else generalized_time(time)
    octets = encode(InformationReportRequest(current_time, variables, tuple(value for _, value in items)))
    association.control.fire(ServerEvent.INFORMATION_REPORT_REQUEST)
    if association.protection is not None and associated:
        octets = association.protection.protect(octets)
    limit = association.context.client_max_receive_pdu_size
    if limit and len(octets) > limit:
        raise UnsupportedError(f"the report has {len(octets)} octets, the client takes {limit}")
    return octets


def _short_name(association: ServerAssociation, target: int | CosemAttributeDescriptor) -> int:
    if not isinstance(target, CosemAttributeDescriptor):
        return target
    found = association.short_names.attribute(target.class_id, target.instance_id, target.attribute_id)
    if found is None:
        raise ConfigurationError(f"{target.instance_id} attribute {target.attribute_id} has no short name")
    return found
