"""Clock at the server: the time of the logical device, its zone and its daylight saving (Blue Book, class_id 8).

The logical device has one time, in which everything happens; this object shows it
as local time, and setting the object moves it. Switching dates are patterns in the
local time just before the switch, evaluated for each year.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from cosem.classes.standard.clock import Clock, PresetAdjustingTime
from cosem.errors import ConfigurationError
from cosem.server.objects.base import CosemObject
from cosem.server.timetable import EARLIEST, LATEST
from cosem.types.data import OctetString
from cosem.types.date_time import ClockStatus, DateTime
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["LAST_SUNDAY_OF_MARCH", "LAST_SUNDAY_OF_OCTOBER", "ClockObject"]

LAST_SUNDAY_OF_MARCH: Final = DateTime.fromhex("FFFF03FE0702000000FFC400")
"""Begin of daylight saving in central Europe."""
LAST_SUNDAY_OF_OCTOBER: Final = DateTime.fromhex("FFFF0AFE0703000000FF8880")
"""End of daylight saving in central Europe."""

_QUARTER: Final = 900
_MINUTE: Final = 60
_NOT_SPECIFIED: Final = 0xFF
_FARTHEST_ZONE: Final = 840
"""Minutes from UTC that the time of a date-time can be, daylight saving included."""
_FIRST: Final = datetime(1, 1, 3)  # noqa: DTZ001 -- local time
_LAST: Final = datetime(9999, 12, 29)  # noqa: DTZ001 -- local time
"""Between these every local time is a moment, whatever the zone."""
_ZONE, _SAVING = 3, 7


class ClockObject(CosemObject, Clock):
    """The time of a logical device.

    Args:
        logical_name: Its name.
        measuring_period: Seconds of a measuring period, for adjust_to_measuring_period.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    def __init__(
        self,
        logical_name: LogicalName | str = "0.0.1.0.0.255",
        *,
        measuring_period: int = _QUARTER,
        **values: Any,
    ) -> None:
        self._measuring_period = measuring_period
        self._flags = ClockStatus(0)
        self._preset: PresetAdjustingTime | None = None
        self._rules: tuple[int, int, DateTime, DateTime] | None = None
        super().__init__(logical_name, **values)

    def put(self, key: int | str, value: Any) -> None:
        """Store the value of an attribute, by number or name: a change from inside the meter.

        Raises:
            ConfigurationError: The class declares no such attribute, or no date-time can have such a zone.
            EncodeError: The value cannot be of the type of the attribute.
        """
        attribute = self.attribute(key)
        if attribute is not None and attribute.number in (_ZONE, _SAVING):
            minutes = int(attribute.coerce(value, self._values.get(attribute.number)))  # type: ignore[arg-type] # an integer, by its declaration
            if not self._can_have(attribute.number, minutes):
                raise ConfigurationError(
                    f"{attribute.name} = {minutes}: the time is more than {_FARTHEST_ZONE} minutes from UTC"
                )
        super().put(key, value)

    def _can_have(self, number: int, minutes: int) -> bool:
        """Return whether local time can be shown with another zone, or another deviation of daylight saving."""
        zone, saving = int(self.time_zone), int(self.daylight_savings_deviation)
        if number == _ZONE:
            zone = minutes
        else:
            saving = minutes
        return max(abs(zone), abs(zone - saving)) <= _FARTHEST_ZONE

    def changed(self, number: int) -> None:
        """Take note that the zone or daylight saving was changed."""
        del number
        self._rules = None
        if self.device is not None:
            self.device.local_time_changed()  # periods are counted from local midnight

    # --- local time ---------------------------------------------------------------------------------

    def _zone(self) -> tuple[int, int, DateTime, DateTime]:
        """Return the zone and the daylight saving in minutes, and when it begins and ends."""
        if self._rules is None:
            saving = int(self.daylight_savings_deviation) if self.daylight_savings_enabled else 0
            self._rules = int(self.time_zone), saving, self.daylight_savings_begin, self.daylight_savings_end
        return self._rules

    def saves_daylight(self, moment: datetime) -> bool:
        """Return whether daylight saving is active at a moment."""
        zone, saving, begin, end = self._zone()
        if not saving:
            return False
        normal = moment.astimezone(UTC).replace(tzinfo=None) - timedelta(minutes=zone)
        first, last = _switch(begin, normal.year), _switch(end, normal.year)
        if first is None or last is None:
            return False
        last -= timedelta(minutes=saving)  # it ends in daylight saving time
        return first <= normal < last if first < last else not last <= normal < first

    def local(self, moment: datetime) -> datetime:
        """Return a moment in local time, with its distance from UTC."""
        return self._local(moment, saves=self.saves_daylight(moment))

    def _local(self, moment: datetime, *, saves: bool) -> datetime:
        zone, saving, _, _ = self._zone()
        return moment.astimezone(timezone(timedelta(minutes=saving - zone if saves else -zone)))

    def instant(self, local: datetime) -> datetime:
        """Return the moment of a local time without zone; in the hour that comes twice, the first."""
        zone, saving, _, _ = self._zone()
        normal = min(max(local, _FIRST), _LAST).replace(tzinfo=UTC) + timedelta(minutes=zone)
        earlier = normal - timedelta(minutes=saving)
        return earlier if saving and self.saves_daylight(earlier) else normal

    def date_time(self, moment: datetime | None = None) -> DateTime:
        """Return the local time of a moment, the present one by default, with deviation and status."""
        status = self._flags if moment is None else ClockStatus(0)
        if moment is None:
            moment = self.device.now() if self.device is not None else datetime.now(UTC)
        saves = self.saves_daylight(moment)
        if saves:
            status |= ClockStatus.DAYLIGHT_SAVING_ACTIVE
        return DateTime.from_datetime(self._local(moment, saves=saves), int(status))

    def mark(self, flags: ClockStatus) -> None:
        """Set the clock status besides daylight saving, for example doubtful after a power failure."""
        self._flags = flags & ~ClockStatus.DAYLIGHT_SAVING_ACTIVE

    # --- attributes -----------------------------------------------------------------------------------

    def get_time(self) -> OctetString:
        """Return the present time."""
        return OctetString(self.date_time().octets)

    def get_status(self) -> int:
        """Return the present status."""
        return self.date_time().octets[11]

    def set_time(self, value: DateTime) -> DataAccessResult:
        """Set the time. What counts is the moment; without deviation it is taken as local time.

        Refused before 1970 and after 9799.
        """
        try:
            moment = value.to_datetime()
        except ValueError:
            return DataAccessResult.OTHER_REASON
        if moment.tzinfo is None:
            moment = self.instant(moment)
        return DataAccessResult.SUCCESS if self._move_to(moment) else DataAccessResult.OTHER_REASON

    def set_time_zone(self, minutes: int) -> DataAccessResult:
        """Set the zone: such that date-times can be shown in it."""
        return self._store(_ZONE, minutes)

    def set_daylight_savings_deviation(self, minutes: int) -> DataAccessResult:
        """Set how far daylight saving moves the time: such that date-times can be shown with it."""
        return self._store(_SAVING, minutes)

    def _store(self, number: int, minutes: int) -> DataAccessResult:
        if not self._can_have(number, minutes):
            return DataAccessResult.OTHER_REASON
        self.put(number, minutes)
        return DataAccessResult.SUCCESS

    def _move_to(self, moment: datetime) -> bool:
        """Set the time, and return whether it was; what is no present of any meter changes nothing."""
        if not EARLIEST <= moment <= LATEST:
            return False
        self._flags = ClockStatus(0)
        if self.device is not None:
            self.device.shift(moment - self.device.now())
        return True

    def _moved_to(self, moment: datetime) -> ActionResult:
        return ActionResult.SUCCESS if self._move_to(moment) else ActionResult.OTHER_REASON

    # --- methods ------------------------------------------------------------------------------------

    def _adjust(self, seconds: int) -> ActionResult:
        """Set the time to the nearest multiple of so many seconds from local midnight; half of it goes up."""
        if self.device is None:
            return ActionResult.TEMPORARY_FAILURE
        now = self.device.now()
        local = self.local(now).replace(tzinfo=None)
        passed = local - local.replace(hour=0, minute=0, second=0, microsecond=0)
        period = timedelta(seconds=seconds)
        rest = passed % period
        return self._moved_to(now - rest + (period if 2 * rest >= period else timedelta()))

    def call_adjust_to_quarter(self) -> ActionResult:
        """Set the time to the nearest quarter of an hour."""
        return self._adjust(_QUARTER)

    def call_adjust_to_measuring_period(self) -> ActionResult:
        """Set the time to the nearest beginning of a measuring period."""
        return self._adjust(self._measuring_period)

    def call_adjust_to_minute(self) -> ActionResult:
        """Set the time to the nearest minute."""
        return self._adjust(_MINUTE)

    def call_preset_adjusting_time(self, preset: PresetAdjustingTime) -> None:
        """Take a time to set later."""
        self._preset = preset

    def call_adjust_to_preset_time(self) -> ActionResult:
        """Set the time that was taken, if it is valid now; else nothing changes."""
        if self._preset is None or self.device is None:
            return ActionResult.SUCCESS
        try:
            start, end, wanted = (
                self._moment(each)
                for each in (
                    self._preset.validity_interval_start,
                    self._preset.validity_interval_end,
                    self._preset.preset_time,
                )
            )
        except ValueError:
            return ActionResult.OTHER_REASON
        if start <= self.device.now() <= end:
            return self._moved_to(wanted)
        return ActionResult.SUCCESS

    def _moment(self, value: DateTime) -> datetime:
        moment = value.to_datetime()
        return self.instant(moment) if moment.tzinfo is None else moment

    def call_shift_time(self, seconds: int) -> ActionResult:
        """Move the time by -900..900 seconds."""
        if not -900 <= seconds <= 900:
            return ActionResult.OTHER_REASON
        if self.device is not None:
            return self._moved_to(self.device.now() + timedelta(seconds=int(seconds)))
        return ActionResult.SUCCESS


@lru_cache(maxsize=256)
def _switch(pattern: DateTime, year: int) -> datetime | None:
    """Return when in a year a pattern comes true first; ``None`` for never, or for one that says nothing."""
    octets = pattern.octets
    if octets[2] == _NOT_SPECIFIED and octets[3] == _NOT_SPECIFIED and octets[4] == _NOT_SPECIFIED:
        return None
    hour, minute, second = (0 if octet == _NOT_SPECIFIED else octet for octet in octets[5:8])
    if hour > 23 or minute > 59 or second > 59:
        return None
    day = date(year, 1, 1)
    wanted = pattern.date
    while day.year == year:
        if wanted.matches(day):
            return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 -- local time
        day += timedelta(days=1)
        if day.year > 9998:
            return None
    return None
