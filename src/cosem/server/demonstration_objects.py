"""What the demonstration meter has of its own: a clock whose setting is an event, and the maximum demand of the month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from cosem.server.device_time import utc_now
from cosem.server.load_curve import Household
from cosem.server.objects.clock import ClockObject
from cosem.server.objects.data import ExtendedRegisterObject
from cosem.types.data import DoubleLongUnsigned, OctetString
from cosem.types.logical_name import LogicalName

__all__ = ["EventClock", "MaximumDemand", "quarter_of"]

_QUARTER: Final = timedelta(minutes=15)


class EventClock(ClockObject):
    """A clock whose setting is an event.

    Args:
        when_set: Called after the clock was set to another time.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    def __init__(self, when_set: Callable[[], None], **values: Any) -> None:
        self._when_set = when_set
        super().__init__(**values)

    def _move_to(self, moment: datetime) -> bool:
        moved = super()._move_to(moment)
        if moved:
            self._when_set()
        return moved


class MaximumDemand(ExtendedRegisterObject):
    """The largest average power of a quarter of an hour since the month began, or since it was reset.

    Args:
        logical_name: Its name.
        household: Whose power it is.
        clock: The clock of the meter.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    def __init__(
        self, logical_name: LogicalName | str, *, household: Household, clock: ClockObject, **values: Any
    ) -> None:
        self._household = household
        self._clock = clock
        self._since: datetime | None = None
        self._looked_at: datetime | None = None
        self._best: tuple[int, datetime] | None = None
        super().__init__(logical_name, **values)

    def _maximum(self) -> tuple[int, datetime]:
        meter = self.device
        if meter is None:
            return 0, utc_now()
        now = meter.now()
        month = meter.instant(
            meter.local(now).replace(tzinfo=None, day=1, hour=0, minute=0, second=0, microsecond=0)
        )
        since = month if self._since is None else max(month, self._since)
        if self._looked_at is None or not since <= self._looked_at <= now:
            self._looked_at, self._best = since, None
        end = quarter_of(now)
        at = quarter_of(self._looked_at) + _QUARTER
        set_by = now - meter.measuring()
        best = self._best or (0, since)
        while at <= end:
            best = max(
                best, (round(self._household.power(at - _QUARTER - set_by)), at), key=lambda each: each[0]
            )
            at += _QUARTER
        self._looked_at, self._best = max(end, since), best
        return best

    def get_value(self) -> DoubleLongUnsigned:
        """Return the maximum."""
        return DoubleLongUnsigned(self._maximum()[0])

    def get_capture_time(self) -> OctetString:
        """Return the end of the quarter of an hour that it comes from."""
        return OctetString(self._clock.date_time(self._maximum()[1]).octets)

    def call_reset(self) -> None:
        """Begin anew."""
        if self.device is not None:
            self._since, self._looked_at, self._best = self.device.now(), None, None


def quarter_of(moment: datetime) -> datetime:
    """Return the moment at which a quarter of an hour began."""
    return moment - timedelta(seconds=moment.timestamp() % _QUARTER.total_seconds())
