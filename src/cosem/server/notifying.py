"""DataNotification to clients with open associations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cosem.apdu.notification import DataNotification
from cosem.association.server.notifications import notification_in_association
from cosem.errors import EncodeError, StateError, UnsupportedError
from cosem.types.enumerations import AssociationStatus
from cosem.types.identifiers import LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.server.server import Server
    from cosem.types.data import DataValue
    from cosem.types.date_time import DateTime

__all__ = ["MOST_FRAMES", "data_notification"]

MOST_FRAMES: Final = 200
"""So many frames of one notification may wait for the turn; behind more than 256 a link drops the oldest."""


def data_notification(
    server: Server, body: DataValue, *, time: DateTime | None, device: int, client: int | None
) -> int:
    """Send a DataNotification; see ``Server.data_notification``."""
    sender = server.devices.get(device)
    if sender is None:
        return 0
    invoke_id = LongInvokeIdAndPriority.build(sender.new_long_invoke_id())
    notification = DataNotification(invoke_id, b"" if time is None else time.octets, body)
    told = 0
    for connection in server.connections:
        for session in list(connection.sessions.values()):
            association = session.association
            if association.server_sap != device or client not in (None, association.client_sap):
                continue
            if association.status is not AssociationStatus.ASSOCIATED:
                continue
            longest = connection.link.unconfirmed_size(device, association.client_sap)
            try:
                apdus = notification_in_association(association, notification, longest=longest)
            except (UnsupportedError, StateError):
                continue
            if longest and len(apdus) > MOST_FRAMES:
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
