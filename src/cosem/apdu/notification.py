"""EventNotification and DataNotification: what a server sends without being asked.

(IEC 62056-5-3, 6.9, 7.3.6 and clause 8; DataNotification and its confirm are of later editions)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from cosem.apdu.common import CosemAttributeDescriptor, LongInvokeId
from cosem.codec.axdr import encode_length
from cosem.codec.reader import Reader
from cosem.codec.sequence import sequence
from cosem.codec.wires import AnyData, Optional, Wire
from cosem.errors import EncodeError

__all__ = ["DataNotification", "DataNotificationConfirm", "DateTimeOctets", "EventNotificationRequest"]

_DATE_TIME_SIZE = 12


class _EventTime(Wire):
    """The time of an event: OCTET STRING, or, in the 2013 edition, 12 octets without length."""

    __slots__ = ()

    def read(self, reader: Reader) -> bytes:
        """Return the octets of the time.

        A length octet 0C could be the year 3072 and above as well; it is taken for the length.
        """
        if reader.left and reader.data[reader.pos] == _DATE_TIME_SIZE:
            return reader.octet_string()
        reader.finding("event-time-without-length")
        return reader.take(_DATE_TIME_SIZE)

    def write(self, out: bytearray, value: bytes) -> None:
        """Append length and octets."""
        if len(value) != _DATE_TIME_SIZE:
            raise EncodeError(f"a date-time of 12 octets wanted, {len(value)} given")
        out += encode_length(len(value)) + value


class _NotificationTime(Wire):
    """The date-time of a notification: OCTET STRING of 0 or 12 octets; some meters put a tag 09 before it."""

    __slots__ = ()

    def read(self, reader: Reader) -> bytes:
        """Return the octets, none if there is no time."""
        start = reader.pos
        if reader.data[start : start + 2] == b"\x09\x0c":
            reader.finding("notification-time-with-tag")
            reader.take(1)
        octets = reader.octet_string()
        if len(octets) not in (0, _DATE_TIME_SIZE):
            reader.fail(f"a date-time of 12 octets wanted, {len(octets)} found", start)
        return octets

    def write(self, out: bytearray, value: bytes) -> None:
        """Append length and octets."""
        if len(value) not in (0, _DATE_TIME_SIZE):
            raise EncodeError(f"a date-time of 0 or 12 octets wanted, {len(value)} given")
        out += encode_length(len(value)) + value


if TYPE_CHECKING:
    DateTimeOctets: TypeAlias = bytes
    EventTime: TypeAlias = bytes | None
else:
    DateTimeOctets = Annotated[bytes, _NotificationTime()]
    EventTime = Annotated[object, Optional(_EventTime())]


@sequence(0xC2)
class EventNotificationRequest:
    """event-notification-request [194]: the value of an attribute, sent because of an event.

    Attributes:
        time: When it happened, the 12 octets of a date-time.
        cosem_attribute_descriptor: The attribute.
        attribute_value: Its value.
    """

    time: EventTime
    cosem_attribute_descriptor: CosemAttributeDescriptor
    attribute_value: AnyData


@sequence(0x0F)
class DataNotification:
    """data-notification [15]: what a push setup collects.

    Attributes:
        long_invoke_id_and_priority: Repeated when the notification is; receivers drop duplicates by it.
        date_time: When it was sent, 12 octets of a date-time, or none.
        notification_body: The push object list, or the bare list of its values.
    """

    long_invoke_id_and_priority: LongInvokeId
    date_time: DateTimeOctets
    notification_body: AnyData


@sequence(0x10)
class DataNotificationConfirm:
    """data-notification-confirm [16]: the client has the notification of the same invoke-id."""

    long_invoke_id_and_priority: LongInvokeId
    date_time: DateTimeOctets
