"""Single action schedule, Special days table and Activity calendar at the server (Blue Book, class_id 22, 11, 20)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cosem.classes.standard.activity_calendar import ActivityCalendar, DayProfileAction, SeasonProfile
from cosem.classes.standard.references import ScriptReference
from cosem.classes.standard.single_action_schedule import ExecutionTime, ScheduleType, SingleActionSchedule
from cosem.classes.standard.special_days_table import SpecialDay, SpecialDaysTable
from cosem.errors import ConversionError
from cosem.server.objects.base import CosemObject, Outcome, then
from cosem.server.patterns import next_match
from cosem.types.data import LongUnsigned
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.server.logical_device import LogicalDevice

__all__ = ["ActivityCalendarObject", "SingleActionScheduleObject", "SpecialDaysTableObject", "run_script"]

_SCRIPT_TABLE: Final = 9
_EXECUTE: Final = 1
_T = ScheduleType
_NEVER: Final = DateTime(b"\xff" * 9 + b"\x80\x00\xff")
_HOUR: Final = timedelta(hours=1)
_DAYS: Final = 31
_AHEAD: Final = 400
"""Days that are looked ahead for the next switching of a calendar: more than a year."""


def run_script(target: CosemObject, name: LogicalName, selector: int) -> Outcome[Any]:
    """Run a script of the logical device of an object; selector 0 and the name of nothing do nothing."""
    if target.device is None or not selector or not any(name):
        return None
    return target.device.invoke_inside(_SCRIPT_TABLE, name, _EXECUTE, LongUnsigned(selector))


class SingleActionScheduleObject(CosemObject, SingleActionSchedule):
    """Runs one script at given times."""

    timed = True

    def changed(self, number: int) -> None:
        """Look anew for the next time."""
        del number
        if self.device is not None:
            self.device.reschedule(self)

    def next_time(self, after: datetime) -> datetime | None:
        """Return when the script runs next."""
        device = self.device
        if device is None:
            return None
        times: tuple[ExecutionTime, ...] = self.execution_time
        found = (_first_instant(device, each, after) for each in times)
        return min((at for at in found if at is not None), default=None)

    def on_time(self, at: datetime) -> Outcome[Any]:
        """Run the script."""
        del at
        script: ScriptReference = self.executed_script
        return run_script(self, script.script_logical_name, script.script_selector)

    def set_execution_time(self, times: tuple[ExecutionTime, ...]) -> DataAccessResult:
        """Change when it runs, as its type allows; no times switch it off."""
        kind = self.type
        wildcards = any(each.date.is_pattern for each in times)
        same = len({each.time.octets[:3] for each in times}) <= 1
        if (
            (kind is _T.ONE_WITH_WILDCARDS and len(times) > 1)
            or (kind in (_T.SAME_TIMES, _T.DIFFERENT_TIMES) and wildcards)
            or (kind in (_T.SAME_TIMES, _T.SAME_TIMES_WITH_WILDCARDS) and not same)
        ):
            return DataAccessResult.OTHER_REASON
        self.put("execution_time", times)
        return DataAccessResult.SUCCESS


def _wall(device: LogicalDevice, moment: datetime) -> datetime:
    """Return what a clock at the wall shows at a moment."""
    return device.local(moment).replace(tzinfo=None)


def _first_instant(device: LogicalDevice, times: ExecutionTime, after: datetime) -> datetime | None:
    """Return the first moment after another; local times that come twice count when they come first."""
    wall = _wall(device, after)
    # an hour that the wall left out comes with the next: what was due in its rest is due yet
    day = device.dated(times.date)
    found = next_match(day, times.time, min(wall, _wall(device, after - _HOUR) + _HOUR))
    while found is not None:
        at = device.instant(found)
        if at > after:
            return at
        found = next_match(day, times.time, max(found, wall))
    return None


class SpecialDaysTableObject(CosemObject, SpecialDaysTable):
    """Days on which another day profile holds."""

    def changed(self, number: int) -> None:
        """Let the calendars look anew at the days to come."""
        del number
        for each in self.device or ():
            if isinstance(each, ActivityCalendarObject) and each.device is not None:
                each.device.reschedule(each)

    def day_id(self, day: date) -> int | None:
        """Return the day profile of a special day; ``None`` for an ordinary one."""
        days: tuple[SpecialDay, ...] = self.entries
        dated = (lambda special: special) if self.device is None else self.device.dated
        return next((each.day_id for each in days if dated(each.specialday_date).matches(day)), None)

    def call_insert(self, entry: SpecialDay) -> None:
        """Insert a day in place of one with the same index or the same date."""
        others = [
            e for e in self.entries if entry.index != e.index and e.specialday_date != entry.specialday_date
        ]
        self.put("entries", [*others, entry])

    def call_delete(self, index: int) -> ActionResult:
        """Delete a day."""
        left = [each for each in self.entries if each.index != index]
        if len(left) == len(self.entries):
            return ActionResult.OTHER_REASON
        self.put("entries", left)
        return ActionResult.SUCCESS


class ActivityCalendarObject(CosemObject, ActivityCalendar):
    """Switches the tariff by scripts, at times of day that depend on season, weekday and special days.

    Args:
        logical_name: Its name.
        special_days: Name of the Special days table that it heeds.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    timed = True

    def __init__(
        self,
        logical_name: LogicalName | str = "0.0.13.0.0.255",
        *,
        special_days: LogicalName | str = "0.0.11.0.0.255",
        **values: Any,
    ) -> None:
        self._special_days = LogicalName(special_days)
        self._behind = True  # at start-up, what is in force has yet to be switched
        self._switched: datetime | None = None
        super().__init__(logical_name, **values)

    def changed(self, number: int) -> None:
        """Look anew for the next switching."""
        del number
        if self.device is not None:
            self.device.reschedule(self)

    # --- which day it is ----------------------------------------------------------------------------

    def season_of(self, day: date) -> SeasonProfile | None:
        """Return the season in force: the one whose start was passed last, in the order of the year.

        A single one is in force always, and from its start on if that has a year.
        """
        seasons: tuple[SeasonProfile, ...] = self.season_profile_active
        if len(seasons) == 1 and seasons[0].season_start.date.year is None:
            return seasons[0]
        years = day.year, max(day.year - 1, 1)
        starts = [
            (_start_of(self._date_of(each.season_start), year), each) for year in years for each in seasons
        ]
        passed = [(start, each) for start, each in starts if start is not None and start <= day]
        return max(passed, key=lambda pair: pair[0])[1] if passed else None

    def _date_of(self, start: DateTime) -> Date:
        return start.date if self.device is None else self.device.dated(start.date)

    def switchings(self, day: date) -> list[tuple[Time, DayProfileAction]]:
        """Return what is switched on a day, in the order of time."""
        number = self._day_id(day)
        profile = next((each for each in self.day_profile_table_active if each.day_id == number), None)
        actions: tuple[DayProfileAction, ...] = () if profile is None else profile.day_schedule
        pairs = [(each.start_time, each) for each in actions if _is_moment(each.start_time)]
        return sorted(pairs, key=lambda pair: pair[0].octets)

    def _day_id(self, day: date) -> int | None:
        table = None if self.device is None else self.device.find(self._special_days)
        special = table.day_id(day) if isinstance(table, SpecialDaysTableObject) else None
        if special is not None:
            return special
        season = self.season_of(day)
        weeks = self.week_profile_table_active
        name = None if season is None else season.week_name
        week = next((each for each in weeks if each.week_profile_name == name), None)
        return None if week is None else int(week[day.isoweekday()])  # type: ignore[arg-type] # a number, by its declaration

    # --- time -----------------------------------------------------------------------------------------

    def next_time(self, after: datetime) -> datetime | None:
        """Return the next switching, or when the passive calendar becomes active."""
        device = self.device
        if device is None:
            return None
        activation = self._activation()
        switching = self._next_switching(device, after)
        times = [at for at in (activation, switching) if at is not None and at > after]
        if (activation is not None and activation <= after) or self.missed(after) is not None:
            times.append(after + timedelta(microseconds=1))  # a time that has passed: at once
        return min(times, default=None)

    def on_shift(self, by: timedelta, *, jump: bool) -> None:
        """Take note that the clock jumped: what is in force then may be something else."""
        del by
        if jump and self._switched is not None and self.device is not None:
            self._behind = True
            self._behind = self.missed(self.device.now()) is not None

    def missed(self, now: datetime) -> datetime | None:
        """Return the switching in force, in local time, if it was missed: at start-up, or when the clock jumped."""
        found = self._last_switching(now) if self._behind else None
        return None if found is None or found[0] == self._switched else found[0]

    def _next_switching(self, device: LogicalDevice, after: datetime) -> datetime | None:
        """Return the first switching after a moment; what the clock leaves out or repeats can change their order."""
        today = _wall(device, after).date()
        for ahead in range(_AHEAD):
            day = today + timedelta(days=ahead)
            found = (
                device.instant(datetime.combine(day, start.to_time())) for start, _ in self.switchings(day)
            )
            if later := [at for at in found if at > after]:
                return min(later)
        return None

    def _activation(self) -> datetime | None:
        value: DateTime = self.activate_passive_calendar_time
        if self.device is None or value.is_pattern:
            return None
        try:
            moment = value.to_datetime()
        except ConversionError:  # a day that no calendar has never comes
            return None
        return self.device.instant(moment) if moment.tzinfo is None else moment

    def on_time(self, at: datetime) -> Outcome[Any]:
        """Switch, or activate the passive calendar."""
        device = self.device
        if device is None:
            return None
        activation = self._activation()
        if activation is not None and activation <= at:
            outcome = self.call_activate_passive_calendar()
            if outcome is ActionResult.OTHER_REASON:
                self.put("activate_passive_calendar_time", _NEVER)
            return outcome
        return self.switch(at)

    def in_force(self, now: datetime) -> DayProfileAction | None:
        """Return the last switching up to a moment: of that day, or else of the day before."""
        found = self._last_switching(now)
        return None if found is None else found[1]

    def _last_switching(self, now: datetime) -> tuple[datetime, DayProfileAction] | None:
        """Return it with its local time."""
        device = self.device
        if device is None:
            return None
        today = _wall(device, now).date()
        for day in (today, today - timedelta(days=1)):
            pairs = ((datetime.combine(day, start.to_time()), each) for start, each in self.switchings(day))
            if passed := [pair for pair in pairs if device.instant(pair[0]) <= now]:
                return passed[-1]
        return None

    def switch(self, now: datetime, *, again: bool = False) -> Outcome[Any]:
        """Run the script in force, unless it was the last that ran.

        Args:
            now: The moment that counts.
            again: Whether to run it in any case.
        """
        found = self._last_switching(now)
        if found is None or self.device is None:
            return None
        done, self._switched = found[0] == self._switched, found[0]
        self._behind = False
        self.device.reschedule(self)
        if done and not again:
            return None
        return run_script(self, found[1].script_logical_name, found[1].script_selector)

    def call_activate_passive_calendar(self) -> Outcome[ActionResult]:
        """Copy the passive calendar to the active one, and switch to what it says for now.

        Refused where a name or a day of it leads nowhere.
        """
        if not self._consistent():
            return ActionResult.OTHER_REASON
        for name in ("calendar_name", "season_profile", "week_profile_table", "day_profile_table"):
            self.put(f"{name}_active", getattr(self, f"{name}_passive"))
        self.put("activate_passive_calendar_time", _NEVER)
        if self.device is not None:
            return then(self.switch(self.device.now(), again=True), lambda _: ActionResult.SUCCESS)
        return ActionResult.SUCCESS

    def _consistent(self) -> bool:
        """Return whether every name and number of the passive calendar leads somewhere."""
        weeks = {each.week_profile_name for each in self.week_profile_table_passive}
        days = {each.day_id for each in self.day_profile_table_passive}
        times = [each.start_time for day in self.day_profile_table_passive for each in day.day_schedule]
        if not all(_is_moment(each) for each in times):
            return False
        return all(each.week_name in weeks for each in self.season_profile_passive) and all(
            number in days for each in self.week_profile_table_passive for number in each[1:]
        )


def _is_moment(value: Time) -> bool:
    try:
        value.to_time()
    except ValueError:
        return False
    return True


@lru_cache(maxsize=64)
def _start_of(start: Date, year: int) -> date | None:
    """Return the first day of a year that a start contains: not before its own year, but in all after it."""
    if start.year is not None and year < start.year:
        return None
    month, day, weekday = start.octets[2:5]
    if start.year is not None and day <= _DAYS:
        weekday = 0xFF  # that of the year it was written for
    pattern = Date(bytes((0xFF, 0xFF, month, day, weekday)))
    first = date(year, 1, 1)
    days = (first + timedelta(days=ahead) for ahead in range(366 if year % 4 == 0 else 365))
    return next((day for day in days if pattern.matches(day)), None)
