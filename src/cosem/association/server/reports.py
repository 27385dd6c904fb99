"""EventNotification and InformationReport at the server: what is sent without being asked for (IEC 62056-5-3, 6.9, 6.15).

Nothing comes back. What is longer than the client takes goes in general blocks without acknowledgements,
where those were agreed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cosem.apdu import encode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.notification import EventNotificationRequest
from cosem.apdu.variable_access import InformationReportRequest, VariableName
from cosem.association.control_function import ServerEvent, State
from cosem.association.server.notifications import cut, protected_as_demanded, smaller
from cosem.association.short_names.time import generalized_time
from cosem.errors import ConfigurationError, StateError, UnsupportedError
from cosem.types.enumerations import Conformance

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.types.data import DataValue

__all__ = ["event_notification", "information_report"]


def event_notification(
    association: ServerAssociation,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    time: bytes | None = None,
    longest: int = 0,
    kinds: int = 0,
) -> list[bytes]:
    """Return the APDUs of EventNotification.request; see ``ServerAssociation.event_notification``."""
    event = ServerEvent.EVENT_NOTIFICATION_REQUEST
    _require(association, event, Conformance.EVENT_NOTIFICATION, "event-notification")
    return _sent(
        association, event, encode(EventNotificationRequest(time, descriptor, value)), longest, kinds
    )


def information_report(
    association: ServerAssociation,
    items: Sequence[tuple[int | CosemAttributeDescriptor, DataValue]],
    time: bytes | None = None,
    longest: int = 0,
    kinds: int = 0,
) -> list[bytes]:
    """Return the APDUs of InformationReport.request; see ``ServerAssociation.information_report``."""
    event = ServerEvent.INFORMATION_REPORT_REQUEST
    _require(association, event, Conformance.INFORMATION_REPORT, "information-report")
    if (
        _associated(association)
        and len(items) > 1
        and not association.agreed(Conformance.MULTIPLE_REFERENCES)
    ):
        raise UnsupportedError("this association did not agree on multiple-references")
    variables = tuple(VariableName(_short_name(association, target)) for target, _ in items)
    current_time = None if time is None else generalized_time(time)
    report = InformationReportRequest(current_time, variables, tuple(value for _, value in items))
    return _sent(association, event, encode(report), longest, kinds)


def _associated(association: ServerAssociation) -> bool:
    return association.state is State.ASSOCIATED


def _require(association: ServerAssociation, event: ServerEvent, bit: Conformance, words: str) -> None:
    """Refuse what an association that is open did not agree on; without one it is allowed."""
    if association.pending_until is not None:
        raise StateError("ASSOCIATED, authentication pending", event.name)
    if _associated(association) and not (association.context.confirmed and association.agreed(bit)):
        raise UnsupportedError(f"this association did not agree on {words}")


def _sent(
    association: ServerAssociation, event: ServerEvent, octets: bytes, longest: int, kinds: int
) -> list[bytes]:
    """Protect and cut what is sent."""
    associated = _associated(association)
    association.control.fire(event)
    protection = association.protection if associated else None
    if kinds:
        octets = protected_as_demanded(octets, protection, kinds)
    elif protection is not None:
        octets = protection.protect(octets)
    blocks = associated and association.agreed(Conformance.GENERAL_BLOCK_TRANSFER)
    return cut(octets, smaller(association.context.client_max_receive_pdu_size, longest), blocks=blocks)


def _short_name(association: ServerAssociation, target: int | CosemAttributeDescriptor) -> int:
    if not isinstance(target, CosemAttributeDescriptor):
        return target
    found = association.short_names.attribute(target.class_id, target.instance_id, target.attribute_id)
    if found is None:
        raise ConfigurationError(f"{target.instance_id} attribute {target.attribute_id} has no short name")
    return found
