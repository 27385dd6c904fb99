"""InformationReport and EventNotification: the one for short names, the other for logical names (6.17, table 45)."""

from __future__ import annotations

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.notification import EventNotificationRequest
from cosem.apdu.variable_access import InformationReportRequest, VariableName
from cosem.association.short_names.layout import MemberKind
from cosem.association.short_names.table import ShortNameTable
from cosem.association.short_names.time import date_time_of_report
from cosem.errors import ProtocolError

__all__ = ["event_notifications"]


def event_notifications(
    table: ShortNameTable, report: InformationReportRequest
) -> tuple[EventNotificationRequest | InformationReportRequest, ...]:
    """Return the events that a report means: one for each variable, in order.

    A variable that the table does not know stays a report, of that variable alone: nothing is lost.

    Raises:
        ProtocolError: The report has more or fewer values than variables.
        DecodeError: Its time is none.
    """
    variables, values = report.variable_access_specification, report.list_of_data
    if len(variables) != len(values):
        raise ProtocolError(f"{len(variables)} variables and {len(values)} values in an InformationReport")
    time = None if report.current_time is None else date_time_of_report(report.current_time)
    events: list[EventNotificationRequest | InformationReportRequest] = []
    for variable, value in zip(variables, values, strict=True):
        member = table.member(variable.variable_name) if isinstance(variable, VariableName) else None
        if member is None or member.kind is not MemberKind.ATTRIBUTE:
            events.append(InformationReportRequest(report.current_time, (variable,), (value,)))
            continue
        descriptor = CosemAttributeDescriptor(member.class_id, member.logical_name, member.number)
        events.append(EventNotificationRequest(time, descriptor, value))
    return tuple(events)
