"""date-time, date and time: 12, 5 and 4 octets, any of which may say "not specified" or stand for a pattern.

The octets are kept as they came; what they mean is read from them on demand, so
that whatever a meter sends can be shown, compared and written back.

The deviation is local time to UTC: ``UTC = local + deviation``. Central European
Time is -60, with daylight saving -120.

(Blue Book, 4.1.6.1; IEC 62056-5-3, clause 8)
"""

from __future__ import annotations

from cosem.types.date_time.dates import Date
from cosem.types.date_time.moments import ClockStatus, DateTime
from cosem.types.date_time.times import Time

__all__ = ["ClockStatus", "Date", "DateTime", "Time"]
