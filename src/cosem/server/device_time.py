"""The time of a logical device, and how it catches up with what is due.

One time holds for all of its objects. It follows a clock that is handed in, at the
distance to which a client has set the Clock object; while something that was due
is being done, it stands at the moment when that was due.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError
from cosem.server.objects.base import CosemObject, is_awaitable
from cosem.server.timetable import EARLIEST, LATEST, Timetable
from cosem.types.date_time import Date, DateTime

if TYPE_CHECKING:
    from cosem.server.objects.clock import ClockObject

__all__ = ["DeviceTime", "utc_now"]

log = logging.getLogger("cosem.server")

_SYNCHRONISATION: Final = timedelta(seconds=900)
"""How far the clock is moved at most so that nothing is lost or repeated, and how far back by several moves in all."""

_SAVING: Final = {0xFE: "daylight_savings_begin", 0xFD: "daylight_savings_end"}
"""The attribute of the Clock that a month stands for."""

_moment: ContextVar[tuple[object, datetime] | None] = ContextVar("moment", default=None)
"""Which device is catching up with its clock, and where it stands."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class DeviceTime:
    """The part of a logical device that knows what time it is.

    Args:
        clock: Returns the present time, with its zone.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._source = clock
        self._offset = timedelta()
        self._measured: datetime | None = None
        self._reached: datetime | None = None
        self._clock_object: ClockObject | None = None
        self._timetable = Timetable()
        self._advancing: Awaitable[None] | None = None
        self._timed: list[CosemObject] = []
        self._monitors: list[Any] = []

    def keep_time_of(self, target: CosemObject) -> None:
        """Take note of an object that shows the time, or that does something by itself."""
        from cosem.server.objects.clock import ClockObject

        if isinstance(target, ClockObject) and self._clock_object is None:
            self._clock_object = target
            for each in self._timed:
                self.reschedule(each)
        if target.timed:
            self._timed.append(target)
            self.reschedule(target)
        if target.watching:
            self._monitors.append(target)

    @property
    def watched(self) -> bool:
        """Whether there are monitors."""
        return bool(self._monitors)

    def tell_monitors(self, target: CosemObject, number: int, value: Any, before: Any) -> None:
        """Tell the monitors that a stored value was replaced, and by what."""
        for monitor in self._monitors:
            if monitor.watches(target, number):
                monitor.observe(value, before)

    def forget_time_of(self, target: CosemObject) -> None:
        """Take note that an object is gone."""
        self._timetable.remove(target)
        if target in self._timed:
            self._timed.remove(target)
        if target in self._monitors:
            self._monitors.remove(target)
        if target is self._clock_object:
            self._clock_object = None

    def now(self) -> datetime:
        """Return the time of the device, with a zone; it stands while the device catches up with an event."""
        moment = _moment.get()
        if moment is not None and moment[0] is self:
            return moment[1]
        return self._source() + self._offset if self._offset else self._source()

    def measuring(self) -> datetime:
        """Return the moment that counts for what is measured: it goes on whatever the clock is set to, and never back."""
        at = self.now() - self._offset
        if self._measured is None or at > self._measured:
            self._measured = at
        return self._measured

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the local time of the device: that of its Clock object, else of its clock."""
        return moment if self._clock_object is None else self._clock_object.local(moment)

    def instant(self, local: datetime) -> datetime:
        """Return the moment of a local time without zone."""
        if self._clock_object is None:
            return local.replace(tzinfo=self.now().tzinfo or UTC)
        return self._clock_object.instant(local)

    def saves_daylight(self) -> bool:
        """Return whether daylight saving is active now."""
        return self._clock_object is not None and self._clock_object.saves_daylight(self.now())

    def dated(self, day: Date) -> Date:
        """Return a date with the day on which daylight saving begins or ends in place of the month FE or FD.

        (Blue Book, 4.1.6.1; what the Clock object does not know stays as it is, and never comes)
        """
        if self._clock_object is None or day.octets[2] not in _SAVING:
            return day
        switch = getattr(self._clock_object, _SAVING[day.octets[2]]).octets[2:5]
        return day if switch[:2] == b"\xff\xff" else Date(day.octets[:2] + switch)

    def timestamp(self, moment: datetime | None = None) -> DateTime:
        """Return a moment, by default the present one, as the Clock object shows it."""
        if self._clock_object is None:
            return DateTime.from_datetime(self.now() if moment is None else moment)
        return self._clock_object.date_time(moment)

    def shows_time(self, target: CosemObject | None) -> bool:
        """Return whether this is the Clock object whose time holds; of ``None``: whether there is none."""
        return target is self._clock_object

    def shift(self, by: timedelta) -> None:
        """Move the time of the device.

        A synchronisation, by up to 15 minutes, neither loses nor repeats what is due by itself: what is
        planned stays planned, so that what the clock passed over is done next, at its own moment, and what
        was done already is not done again. After a jump everything is planned anew from the new time. Several moves
        back that leave the clock more than 15 minutes before what it has shown are a jump, too.

        Raises:
            ConfigurationError: That would be before 1970 or after 9799; nothing is moved.
        """
        now = self.now()
        if not EARLIEST - now <= by <= LATEST - now:
            raise ConfigurationError(f"{now:%Y-%m-%d} is moved by {by.days} days to what is no present")
        moment = _moment.get()
        self._offset += by
        self._reached = now if self._reached is None else max(self._reached, now)
        if moment is not None and moment[0] is self:
            _moment.set((self, moment[1] + by))  # it is something due that sets the clock
        if abs(by) > _SYNCHRONISATION or self._reached - (now + by) > _SYNCHRONISATION:
            self._reached = None
            self._timetable.repeat()
            self._plan_anew(by)
            return
        for each in self._timed:
            each.on_shift(by, jump=False)
            if each.watching:
                self.reschedule(each)  # durations go on, whatever the clock shows

    def local_time_changed(self) -> None:
        """Plan anew after the zone or daylight saving was changed: the same moments have other local times."""
        self._plan_anew(timedelta())

    def _plan_anew(self, by: timedelta) -> None:
        for each in self._timed:
            each.on_shift(by, jump=True)
            self.reschedule(each)

    def reschedule(self, target: CosemObject) -> None:
        """Ask an object anew when it is due: after now, and after what it has done already."""
        if target.timed:
            now = self.now()
            after = self._timetable.left_out if target.watching else self._timetable.done
            self._timetable.put(target, target.next_time(after(target, now)))

    def advance(self) -> Awaitable[None] | None:
        """Do what has become due; every service does so first.

        Returns:
            ``None`` when all is done, else what must be awaited.
        """
        if self._timetable.next is None or _moment.get() is not None:
            return None
        if self._advancing is not None:
            import asyncio

            return asyncio.shield(self._advancing)
        now = self.now()
        if now < self._timetable.next:
            return None
        due = self._timetable.due(now)
        for at, target in due:
            token = _moment.set((self, at))
            try:
                outcome = target.on_time(at)
            except Exception:
                log.exception("%r failed at %s", target, at)
                continue
            finally:
                _moment.reset(token)
            if is_awaitable(outcome):
                import asyncio

                self._advancing = asyncio.ensure_future(self._advance_slowly(due, at, target, outcome))
                return asyncio.shield(self._advancing)
        return None

    async def _advance_slowly(
        self, due: Iterator[tuple[datetime, CosemObject]], at: datetime, target: CosemObject, outcome: Any
    ) -> None:
        """Go on with what is due where something takes waiting; the time stands in this task alone."""
        try:
            while True:
                _moment.set((self, at))
                try:
                    if is_awaitable(outcome):
                        await outcome
                except Exception:
                    log.exception("%r failed at %s", target, at)
                following = next(due, None)
                if following is None:
                    return
                at, target = following
                _moment.set((self, at))
                try:
                    outcome = target.on_time(at)
                except Exception:
                    log.exception("%r failed at %s", target, at)
                    outcome = None
        finally:
            self._advancing = None
