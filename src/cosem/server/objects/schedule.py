"""Schedule at the server: scripts at times of day, on weekdays and special days (Blue Book, class_id 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias

from cosem.classes.standard.schedule import EnableDisable, EntryRange, Schedule, ScheduleEntry
from cosem.errors import ConversionError, EncodeError
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.schedules import ActivityCalendarObject, SpecialDaysTableObject, run_script
from cosem.server.patterns import day_in_year, next_match, times_backwards
from cosem.types.date_time import Date
from cosem.types.enumerations import ActionResult
from cosem.types.logical_name import LogicalName

__all__ = ["ScheduleObject"]

_AHEAD: Final = 400
"""Days that are looked ahead: more than a year."""
_ALWAYS: Final = 0xFFFF
_ANY: Final = 0xFF
_HOUR: Final = timedelta(hours=1)
_SAVING: Final = timedelta(hours=3)
"""More than daylight saving moves the wall clock."""
_MOST_LATE: Final = 100
"""So often an entry runs late at most, the last times: one for every second is no reason to stand still for a day."""
_Step: TypeAlias = Callable[[], Outcome[Any]]
_INSTANT: Final = timedelta(microseconds=1)


class ScheduleObject(CosemObject, Schedule):
    """Runs a script for each of its entries; what was missed when the clock was set forward runs late, if it may.

    Args:
        logical_name: Its name.
        special_days: Name of the Special days table that it heeds.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    timed = True

    def __init__(
        self,
        logical_name: LogicalName | str = "0.0.12.0.0.255",
        *,
        special_days: LogicalName | str = "0.0.11.0.0.255",
        **values: Any,
    ) -> None:
        self._special_days = LogicalName(special_days)
        self._planned: datetime | None = None
        self._late: list[tuple[datetime, ScheduleEntry]] = []
        super().__init__(logical_name, **values)

    def changed(self, number: int) -> None:
        """Look anew for the next entry; entries that are new were not missed."""
        del number
        self._planned = None
        self._late = []
        if self.device is not None:
            self.device.reschedule(self)

    # --- when an entry runs ---------------------------------------------------------------------------------

    def runs_on(self, entry: ScheduleEntry, day: date) -> bool:
        """Return whether an entry runs on a day: its weekday, or its special day, within its dates."""
        limits = entry.begin_date, entry.end_date
        if self.device is not None:
            limits = self.device.dated(limits[0]), self.device.dated(limits[1])
        if not entry.enable or not _within(day, *limits):
            return False
        table = None if self.device is None else self.device.find(self._special_days)
        special = table.day_id(day) if isinstance(table, SpecialDaysTableObject) else None
        bits = str(entry.exec_weekdays if special is None else entry.exec_specdays)
        place = day.weekday() if special is None else special - 1
        return 0 <= place < len(bits) and bits[place] == "1"

    def _first(self, entry: ScheduleEntry, after: datetime) -> datetime | None:
        """Return when an entry runs after a moment, as far as is looked ahead."""
        device = self.device
        if device is None:
            return None
        wall = device.local(after).replace(tzinfo=None)
        # an hour that the wall left out comes with the next: what was due in its rest is due yet
        start = min(wall, device.local(after - _HOUR).replace(tzinfo=None) + _HOUR)
        for ahead in range(_AHEAD):
            day = start.date() + timedelta(days=ahead)
            if not self.runs_on(entry, day):
                continue
            midnight = datetime.combine(day, datetime.min.time())
            this = Date.from_date(day)
            found = next_match(this, entry.switch_time, max(start, midnight - timedelta(seconds=1)))
            while found is not None:
                at = device.instant(found)
                if at > after:
                    return at
                found = next_match(this, entry.switch_time, max(found, wall))
        return None

    def _backwards(self, entry: ScheduleEntry, since: datetime, now: datetime) -> Iterator[datetime]:
        """Yield when an entry would have run after one moment and up to another, the latest time of day first."""
        device = self.device
        if device is None:
            return
        walls = [device.local(at).replace(tzinfo=None) for at in (since, since - _SAVING, now, now - _SAVING)]
        first, last = min(walls[0], walls[1] + _SAVING), max(walls[2], walls[3] + _SAVING)
        for back in range(min((last.date() - first.date()).days, _AHEAD) + 1):
            day = last.date() - timedelta(days=back)
            if not self.runs_on(entry, day):
                continue
            for each in times_backwards(entry.switch_time):
                local = datetime.combine(day, each)
                if local < first:
                    return
                if local <= last and since < (at := device.instant(local)) <= now:
                    yield at

    def next_time(self, after: datetime) -> datetime | None:
        """Return when an entry runs next; at once, where the clock has passed some that may still run."""
        if self._planned is not None and self._planned < after:
            self._late = self._missed(self._planned - _INSTANT, after)
        self._planned = None
        if self._late:
            return after + _INSTANT
        entries: tuple[ScheduleEntry, ...] = self.entries
        times = (self._first(each, after) for each in entries)
        self._planned = min((at for at in times if at is not None), default=None)
        return self._planned

    def _missed(self, since: datetime, now: datetime) -> list[tuple[datetime, ScheduleEntry]]:
        """Return the entries between two moments that may still run, in the order of time and index.

        Of an entry that comes often, the last times only.
        """
        missed = []
        for entry in self.entries:
            window = int(entry.validity_window)
            oldest = since if window == _ALWAYS else max(since, now - timedelta(minutes=window) - _INSTANT)
            if window:
                times = islice(self._backwards(entry, oldest, now), _MOST_LATE)
                missed += [(at, _index(entry), entry) for at in times]
        return [(at, entry) for at, _, entry in sorted(missed, key=lambda each: each[:2])]

    def on_time(self, at: datetime) -> Outcome[Any]:
        """Run the scripts that are due, the smallest index first."""
        late, self._late = self._late, []
        if late:
            return _in_order(self._late_scripts(late, at))
        due = [each for each in self.entries if self._first(each, at - _INSTANT) == at]
        return _in_order([self._script(each) for each in sorted(due, key=_index)])

    def _script(self, entry: ScheduleEntry) -> _Step:
        return lambda: run_script(self, entry.script_logical_name, entry.script_selector)

    def _late_scripts(self, late: list[tuple[datetime, ScheduleEntry]], now: datetime) -> list[_Step]:
        """Return what was missed in the order of time; at one instant the Schedule comes before calendars."""
        steps = [(at, self._script(entry)) for at, entry in late]
        for each in self.device or ():
            if isinstance(each, ActivityCalendarObject) and self.device is not None:
                missed = each.missed(now)
                if missed is not None:
                    steps.append((self.device.instant(missed), partial(each.switch, now)))
        return [step for _, step in sorted(steps, key=lambda pair: pair[0])]

    # --- methods ------------------------------------------------------------------------------------------

    def call_enable_disable(self, ranges: EnableDisable) -> None:
        """Disable the entries of the first range, then enable those of the second."""
        made = []
        for entry in self.entries:
            index, enable = _index(entry), entry.enable
            if 0 < ranges.firstIndexA <= index <= ranges.lastIndexA:
                enable = False
            if 0 < ranges.firstIndexB <= index <= ranges.lastIndexB:
                enable = True
            made.append(entry.replace(enable=enable))
        self.put("entries", made)

    def call_insert(self, given: Any) -> ActionResult:
        """Insert an entry, in place of one with the same index."""
        try:
            entry = ScheduleEntry.from_data(given)
            entries = [each for each in self.entries if _index(each) != _index(entry)]
            self.put("entries", sorted([*entries, entry], key=_index))
        except (ConversionError, EncodeError):
            return ActionResult.TYPE_UNMATCHED
        return ActionResult.SUCCESS

    def call_delete(self, given: EntryRange) -> None:
        """Delete a range of entries."""
        self.put("entries", [e for e in self.entries if not given.firstIndex <= _index(e) <= given.lastIndex])


def _index(entry: ScheduleEntry) -> int:
    value: Any = entry[0]  # its name, index, is that of a method of every tuple
    return int(value)


def _in_order(steps: list[_Step]) -> Outcome[Any]:
    """Run scripts one after the other."""
    for place, step in enumerate(steps):
        outcome = step()
        if is_awaitable(outcome):
            return _in_order_later(outcome, steps[place + 1 :])
    return None


async def _in_order_later(outcome: Any, steps: list[_Step]) -> None:
    await outcome
    rest = _in_order(steps)
    if is_awaitable(rest):
        await rest


def _within(day: date, begin: Date, end: Date) -> bool:
    """Return whether a day lies between two dates.

    A date with a year is a limit once and for all. Dates without say when in a year, over New Year's Eve if need be;
    one that says nothing is no limit.
    """
    today = day.month, day.day
    begins, ends = _place(begin, day.year), _place(end, day.year, last=True)
    if begins is None or ends is None:
        return False  # a day that never comes
    if begin.year is not None and (begin.year, *begins) > (day.year, *today):
        return False
    if end.year is not None and (end.year, *ends) < (day.year, *today):
        return False
    if begin.year is not None and end.year is not None:
        return True
    if _says_nothing(begin) or _says_nothing(end):
        return (begin.year is not None or begins <= today) and (end.year is not None or today <= ends)
    if begins <= ends:
        return begins <= today <= ends
    return today >= begins or today <= ends


def _says_nothing(limit: Date) -> bool:
    return limit.octets[:4] == b"\xff" * 4


def _place(limit: Date, year: int, *, last: bool = False) -> tuple[int, int] | None:
    """Return month and day of a limit: in its own year, or in the one given."""
    month, day, weekday = limit.octets[2:5]
    if month <= 12 and day <= 31 and (weekday == _ANY or limit.year is not None):
        return month, day  # as they are: the 31st of June is after the 30th
    if limit.year is not None:
        year = min(max(limit.year, 1), 9999)
        limit = Date(year.to_bytes(2, "big") + limit.octets[2:])
    found = day_in_year(limit, year, last=last)
    return None if found is None else (found.month, found.day)
