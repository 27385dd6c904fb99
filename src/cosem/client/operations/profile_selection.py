"""Which rows of a profile are wanted, and the selective accesses that say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from cosem.apdu.common import SelectiveAccessDescriptor
from cosem.client.profile_layout import Column, ProfileLayout
from cosem.types.data import Array, DoubleLongUnsigned, LongUnsigned, OctetString, Structure
from cosem.types.date_time import DateTime

__all__ = ["Selection", "instant_of", "most_rows", "surely_outside", "ways_of"]

_RANGE, _ENTRY = 1, 2


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are wanted; nothing set means all.

    Args:
        since: From this moment on, included; without zone in the local time of the meter.
        until: Up to this moment, included.
        last: From so long before the meter's time on.
        entries: Numbers of the first and last row, from 1; 0 as the last means the end.
        newest: So many rows, the newest ones.
        now: The time here, for a meter whose clock cannot be read.
    """

    since: datetime | None = None
    until: datetime | None = None
    last: timedelta | None = None
    entries: tuple[int, int] | None = None
    newest: int | None = None
    now: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether rows are wanted by their time."""
        return self.since is not None or self.until is not None or self.last is not None

    @property
    def by_number(self) -> bool:
        """Whether rows are wanted by their number."""
        return self.entries is not None or self.newest is not None


def instant_of(moment: datetime, deviation: int | None) -> datetime:
    """Return a moment that can be compared with any other: one without zone is local time of the meter."""
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=timezone(timedelta(minutes=-(deviation or 0))))


def surely_outside(moment: Any, since: datetime, until: datetime) -> bool:
    """Return whether a row is not between the bounds, where it and a bound say in which zone they are."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return False
    return (since.tzinfo is not None and moment < since) or (until.tzinfo is not None and moment > until)


def most_rows(layout: ProfileLayout, selection: Selection, deviation: int | None) -> int | None:
    """Return how many rows a selection has at most; ``None`` if that cannot be told."""
    if selection.entries is not None:
        first, final = selection.entries
        return final - first + 1 if final else None
    if selection.since is None or selection.until is None or not layout.capture_period:
        return None
    span = instant_of(selection.until, deviation) - instant_of(selection.since, deviation)
    return int(span.total_seconds() // layout.capture_period) + 1


def ways_of(
    layout: ProfileLayout, selection: Selection, deviation: int | None
) -> dict[str, SelectiveAccessDescriptor]:
    """Return the selective accesses that give the rows, the most usual one first."""
    clock = layout.clock
    ways: dict[str, SelectiveAccessDescriptor] = {}
    if selection.by_time and clock is not None and selection.since and selection.until:
        bounds = [_date_time(moment, deviation) for moment in (selection.since, selection.until)]
        if clock.kind == "seconds":
            seconds = [
                DoubleLongUnsigned(_seconds(moment, deviation))
                for moment in (selection.since, selection.until)
            ]
            ways["range seconds"] = _by_range(clock, *seconds)
        else:
            ways["range"] = _by_range(clock, *(OctetString(bound.octets) for bound in bounds))
            ways["range date-time"] = _by_range(clock, *bounds)
    if selection.entries is not None:
        first, final = selection.entries
        entries = DoubleLongUnsigned(first), DoubleLongUnsigned(final), LongUnsigned(1), LongUnsigned(0)
        ways["entry"] = SelectiveAccessDescriptor(_ENTRY, Structure(entries))
    return ways


def _by_range(clock: Column, since: Any, until: Any) -> SelectiveAccessDescriptor:
    return SelectiveAccessDescriptor(_RANGE, Structure((clock.to_data(), since, until, Array(()))))


def _date_time(moment: datetime, deviation: int | None) -> DateTime:
    """Return a bound as the meter writes it: in its own zone where that is known."""
    if moment.tzinfo is not None and deviation is not None:
        moment = moment.astimezone(timezone(timedelta(minutes=-deviation)))
    return DateTime.from_datetime(moment)


def _seconds(moment: datetime, deviation: int | None) -> int:
    return min(max(0, int(instant_of(moment, deviation).timestamp())), 0xFFFFFFFF)
