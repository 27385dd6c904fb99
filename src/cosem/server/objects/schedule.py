"""Schedule at the server: scripts at times of day, on weekdays and special days (Blue Book, class_id 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from cosem.classes.standard.schedule import EnableDisable, EntryRange, Schedule, ScheduleEntry
from cosem.errors import ConversionError, EncodeError
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.schedules import ActivityCalendarObject, SpecialDaysTableObject, run_script
from cosem.server.patterns import next_match
from cosem.types.date_time import Date
from cosem.types.enumerations import ActionResult
from cosem.types.logical_name import LogicalName

__all__ = ["ScheduleObject"]

_AHEAD: Final = 400
"""Days that are looked ahead: more than a year."""
_ALWAYS: Final = 0xFFFF
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
        if not entry.enable or not _within(day, entry.begin_date, entry.end_date):
            return False
        table = None if self.device is None else self.device.find(self._special_days)
        special = table.day_id(day) if isinstance(table, SpecialDaysTableObject) else None
        bits = str(entry.exec_weekdays if special is None else entry.exec_specdays)
        place = day.weekday() if special is None else special - 1
        return 0 <= place < len(bits) and bits[place] == "1"

    def _moments(
        self, entry: ScheduleEntry, after: datetime, until: datetime | None = None
    ) -> Iterator[datetime]:
        """Yield when an entry runs after a moment, as long as it is looked ahead."""
        device = self.device
        if device is None:
            return
        local = device.local(after).replace(tzinfo=None)
        for ahead in range(-1, _AHEAD):
            day = local.date() + timedelta(days=ahead)
            if not self.runs_on(entry, day):
                continue
            midnight = datetime.combine(day, datetime.min.time())
            found = next_match(Date.from_date(day), entry.switch_time, midnight - timedelta(seconds=1))
            while found is not None and found.date() == day:
                at = device.instant(found)
                if until is not None and at > until:
                    return
                if at > after:
                    yield at
                found = next_match(Date.from_date(day), entry.switch_time, found)

    def next_time(self, after: datetime) -> datetime | None:
        """Return when an entry runs next; at once, where the clock has passed some that may still run."""
        if self._planned is not None and self._planned < after:
            self._late = self._missed(self._planned - _INSTANT, after)
        self._planned = None
        if self._late:
            return after + _INSTANT
        entries: tuple[ScheduleEntry, ...] = self.entries
        times = (next(self._moments(each, after), None) for each in entries)
        self._planned = min((at for at in times if at is not None), default=None)
        return self._planned

    def _missed(self, since: datetime, now: datetime) -> list[tuple[datetime, ScheduleEntry]]:
        """Return the entries between two moments that may still run, in the order of time and index."""
        missed = []
        for entry in self.entries:
            window = int(entry.validity_window)
            oldest = since if window == _ALWAYS else max(since, now - timedelta(minutes=window) - _INSTANT)
            if window:
                missed += [(at, _index(entry), entry) for at in self._moments(entry, oldest, now)]
        return [(at, entry) for at, _, entry in sorted(missed, key=lambda each: each[:2])]

    def on_time(self, at: datetime) -> Outcome[Any]:
        """Run the scripts that are due, the smallest index first."""
        late, self._late = self._late, []
        if late:
            return _in_order(self._late_scripts(late, at))
        due = [each for each in self.entries if next(self._moments(each, at - _INSTANT), None) == at]
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
    """Return whether a day lies between two dates; without years it is so every year, over New Year's Eve if need be."""
    first, last = begin.octets, end.octets
    if first[:2] != b"\xff\xff" and last[:2] != b"\xff\xff":
        start = (int.from_bytes(first[:2], "big"), *_known(first, 1))
        stop = (int.from_bytes(last[:2], "big"), *_known(last, 31))
        return start <= (day.year, day.month, day.day) <= stop
    begins, ends, today = _known(first, 1), _known(last, 31), (day.month, day.day)
    if begins <= ends:
        return begins <= today <= ends
    return today >= begins or today <= ends


def _known(octets: bytes, missing: int) -> tuple[int, int]:
    """Return month and day of a date, the earliest or the latest where they are not specified."""
    month = octets[2] if octets[2] <= 12 else 1 if missing == 1 else 12
    return month, octets[3] if octets[3] <= 31 else missing
