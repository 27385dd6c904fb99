"""What the objects of a logical device do by themselves, in the order of time.

Nothing runs in the background: whoever uses the logical device first lets it catch
up with the clock, event by event, each at its own moment. So a simulated month
takes as long as its events take, and every run is the same. Of what came very often
meanwhile, the first times and the last are made up for, and those between left out. At one instant the
order is that of the standard where it gives one, and of class and name otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cosem.server.device_time import DeviceTime
    from cosem.server.objects.base import CosemObject

__all__ = ["EARLIEST", "LATEST", "Timetable", "next_multiple"]

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The first moment that a device takes for the present."""
LATEST: Final = datetime(9799, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The last one: every zone and every period (2**32 seconds are 136 years) ends before the calendar does."""

_ORDER: Final = {5: 0, 7: 1, 10: 2, 20: 3, 22: 4, 21: 5, 65: 6, 71: 7, 40: 8}
"""Periods end first; then schedules, before calendars (Blue Book, class_id 10); then monitors; then pushing."""
_DAY: Final = 86_400
_HOUR: Final = 3_600


class Timetable:
    """When each object is due."""

    __slots__ = ("_done", "_due", "_left", "next")

    def __init__(self) -> None:
        self._due: dict[CosemObject, datetime] = {}
        self._done: dict[CosemObject, datetime] = {}
        self._left: dict[
            CosemObject, datetime
        ] = {}  # while catching up: until when it has left something out
        self.next: datetime | None = None
        """When the first of them is due."""

    def put(self, target: CosemObject, at: datetime | None) -> None:
        """Say when an object is due; ``None`` for never."""
        if at is None:
            self._due.pop(target, None)
        else:
            self._due[target] = at
        self.next = min(self._due.values(), default=None)

    def remove(self, target: CosemObject) -> None:
        """Forget an object."""
        self._done.pop(target, None)
        self.put(target, None)

    def done(self, target: CosemObject, now: datetime) -> datetime:
        """Return up to when an object has done what was due: that is later than now after the clock was set back."""
        return max(self._done.get(target, now), self.left_out(target, now))

    def left_out(self, target: CosemObject, now: datetime) -> datetime:
        """Return up to when an object makes up for nothing more: later than now while it catches up with too much."""
        return max(self._left.get(target, now), now)

    def repeat(self) -> None:
        """Let what was done come again, where its time does."""
        self._done.clear()

    def due(self, now: datetime) -> Iterator[tuple[datetime, CosemObject]]:
        """Return what is due up to ``now``, and when; each object is asked for its next time as it goes by.

        An object that is due more often than its ``most_late`` does the first half of that, then what comes in a
        time as long as those took up to ``now``, and the rest never.
        """
        made_up: dict[CosemObject, _MadeUp] = {}
        try:
            while self.next is not None and self.next <= now:
                at = self.next
                target = min((each for each, when in self._due.items() if when == at), key=_rank)
                self._done[target] = at
                count = made_up.setdefault(target, _MadeUp(at, target.most_late))
                after = count.goes_on(at, now)
                if after > at:
                    self._left[target] = after
                self.put(target, target.next_time(after))
                yield at, target
        finally:
            self._left.clear()


class _MadeUp:
    """How often an object was due since nobody asked."""

    __slots__ = ("_first", "_most", "_stretch", "_times")

    def __init__(self, first: datetime, most: int) -> None:
        self._first = first
        self._most = most
        self._times = 0
        self._stretch = timedelta()

    def goes_on(self, at: datetime, now: datetime) -> datetime:
        """Return the moment after which it is due next, when it is at one."""
        self._times += 1
        half = self._most // 2
        if self._times < half:
            return at
        if self._times == half:
            self._stretch = at - self._first
        return max(at, now - self._stretch if self._times < self._most else now)


def _rank(target: CosemObject) -> tuple[int, int, bytes]:
    return _ORDER.get(target.class_id, 9), target.class_id, bytes(target.name)


def next_multiple(device: DeviceTime, after: datetime, seconds: int) -> datetime:
    """Return the first moment after ``after`` at which a period of so many seconds ends.

    Periods are counted from local midnight where they divide the day; others from ``after``.
    """
    if _DAY % seconds:
        return after + timedelta(seconds=seconds)
    local = device.local(after).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = local - midnight
    period = timedelta(seconds=seconds)
    rest = period - passed % period
    if _HOUR % seconds == 0:
        return after + rest  # daylight saving moves whole hours
    at = device.instant(local + rest)
    return at if at > after else after + period
