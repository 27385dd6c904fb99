"""The clock of the meter: read and set."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cosem.association.context import Conversation, ServiceContext
from cosem.client.operations.attributes import get, set_value
from cosem.client.session import Session
from cosem.errors import ConversionError, ProtocolError
from cosem.types.data import OctetString
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName

__all__ = ["read_clock", "set_clock"]

CLOCK: Final = LogicalName("0.0.1.0.0.255")
_CLASS, _TIME = 8, 2
_LARGEST_DEVIATION: Final = 840
"""Minutes: no zone of the Earth is farther from UTC, daylight saving included."""


def read_clock(context: ServiceContext, session: Session) -> Conversation[DateTime]:
    """Read the time of the meter, and remember how far it is from UTC.

    Raises:
        AccessError: The server refused it.
        ProtocolError: It is no date-time.
    """
    value = yield from get(context, session, CLOCK, _TIME, _CLASS)
    if not isinstance(value, DateTime):
        try:
            value = DateTime(bytes(value))  # type: ignore[arg-type]
        except (ConversionError, TypeError, ValueError):
            raise ProtocolError(f"the clock has no date-time, but {value!r}") from None
    deviation = value.deviation
    if deviation is not None and abs(deviation) > _LARGEST_DEVIATION:
        session.findings.append(f"clock-deviation: {deviation} minutes")
        deviation = None
    session.deviation = deviation
    return value


def set_clock(context: ServiceContext, session: Session, time: datetime | DateTime) -> Conversation[None]:
    """Set the time of the meter.

    Raises:
        AccessError: The server refused it.
        ConversionError: It is no moment that the meter can have.
    """
    moment = time if isinstance(time, DateTime) else DateTime.from_datetime(time)
    yield from set_value(context, session, CLOCK, _TIME, OctetString(moment.octets), _CLASS)
    session.deviation = moment.deviation
