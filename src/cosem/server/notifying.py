"""What a server sends by itself to clients with open associations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cosem.apdu.notification import DataNotification
from cosem.association.server.notifications import notification_in_association
from cosem.errors import (
    ConfigurationError,
    ConversionError,
    EncodeError,
    SecurityError,
    StateError,
    UnsupportedError,
)
from cosem.types.date_time import DateTime
from cosem.types.enumerations import AssociationStatus
from cosem.types.identifiers import LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.server.server import Server
    from cosem.server.session import Session
    from cosem.types.data import DataValue

__all__ = ["data_notification", "event_notification"]

_MOST_FRAMES: Final = 200
"""So many frames of one notification may wait for the turn; a link keeps 256 in all."""


def event_notification(
    server: Server,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    *,
    time: DateTime | None,
    device: int,
    client: int | None,
) -> int:
    """Tell clients that may read an attribute of an event; see ``Server.notify``."""
    octets = None if time is None else time.octets

    def apdus(session: Session, longest: int) -> list[bytes] | None:
        association, name = session.association, descriptor.instance_id
        if session.device is None:
            return None
        kinds = session.device.protection_of_telling(association, name, descriptor.attribute_id)
        return (
            None if kinds is None else _notification(association, descriptor, value, octets, longest, kinds)
        )

    return _tell(server, device, client, apdus)


def data_notification(
    server: Server, body: DataValue, *, time: DateTime | None, device: int, client: int | None
) -> int:
    """Send a DataNotification; see ``Server.data_notification``."""
    sender = server.devices.get(device)
    if sender is None:
        return 0
    invoke_id = LongInvokeIdAndPriority.build(sender.new_long_invoke_id())
    notification = DataNotification(invoke_id, b"" if time is None else time.octets, body)
    return _tell(
        server,
        device,
        client,
        lambda session, longest: notification_in_association(
            session.association, notification, longest=longest
        ),
    )


def _tell(
    server: Server,
    device: int,
    client: int | None,
    apdus_for: Callable[[Session, int], list[bytes] | None],
) -> int:
    """Send each open association of a logical device what is meant for it, and return how many were told.

    An association that did not agree on the service, or cannot protect it as it must be, or whose link does not take the APDUs, is passed over; so is one
    whose client does not take what was sent before, or does not give the turn for it: the newest is lost, nothing is
    taken back that was begun.
    """
    told = 0
    most = server.limits.untaken
    for connection in server.connections:
        for session in list(connection.sessions.values()):
            association = session.association
            if association.server_sap != device or client not in (None, association.client_sap):
                continue
            if association.status is not AssociationStatus.ASSOCIATED:
                continue
            longest = connection.link.unconfirmed_size(device, association.client_sap)
            try:
                apdus = apdus_for(session, longest)
            except (ConfigurationError, UnsupportedError, StateError, SecurityError):
                continue
            if apdus is None or (longest and len(apdus) > _MOST_FRAMES):
                continue
            room = connection.link.unconfirmed_room()
            crowded = room is not None and len(apdus) > room
            if crowded or (most is not None and connection.untaken > most):
                server.statistics.notifications_dropped += 1
                continue
            try:
                for apdu in apdus:
                    connection.send(apdu, session, confirmed=False)
            except EncodeError:
                continue  # that client's link does not take it
            connection.flush()
            server.statistics.notifications += 1
            told += 1
    return told


def _notification(
    association: ServerAssociation,
    descriptor: CosemAttributeDescriptor,
    value: DataValue,
    time: bytes | None,
    longest: int,
    kinds: int,
) -> list[bytes]:
    """Return the APDUs that tell of an event in the way of the association."""
    profile = association.profile
    if profile is None or not profile.application_context.short_names:
        return association.event_notification(descriptor, value, time, longest=longest, kinds=kinds)
    if time is not None:
        try:
            DateTime(time).to_datetime()
        except ConversionError:
            time = None
    return association.information_report([(descriptor, value)], time, longest=longest, kinds=kinds)
