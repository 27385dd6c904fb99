"""Reading profiles: layout once, then rows by range, by entry, or whole and sorted out here.

What the association agreed on, and what the meter took last time, decides how rows
are selected. A meter that refuses one way is asked in the next one. Many rows are
asked for in several requests (:mod:`~cosem.client.operations.profile_parts`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from operator import index
from typing import Any, Final

from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.context import Conversation, Progress, ServiceContext, no_progress
from cosem.client.operations import services
from cosem.client.operations.clock import read_clock
from cosem.client.operations.profile_parts import ENTRIES_IN_USE, Rows, attribute_of, parted
from cosem.client.operations.profile_selection import Selection, instant_of, surely_outside
from cosem.client.operations.reading import lasts, scaler_attribute, scaler_of
from cosem.client.operations.refusals import Refusal, refused
from cosem.client.profile_layout import Column, ProfileLayout, columns_of
from cosem.client.profile_reading import ProfileReading
from cosem.client.profile_table import ProfileTable
from cosem.client.profile_types import known_by
from cosem.client.session import Session
from cosem.client.targets import Target, name_of
from cosem.codec.row_template import RowTable
from cosem.errors import AccessError, ConfigurationError, ConversionError, UnsupportedError
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["Selection", "duration", "layout_of", "read_profile", "selection_of"]

_CAPTURE_OBJECTS, _CAPTURE_PERIOD, _SORT_METHOD = 3, 4, 5
_UNITS: Final = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)", re.ASCII)
_LONG_AGO: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- local time of the meter
"""Where clocks begin: a meter that lost its time writes rows from then on."""
_MARGIN: Final = timedelta(days=1)
"""Rows of a meter whose clock was put back lie in its future."""
_FIRST: Final = datetime(1, 1, 4)  # noqa: DTZ001 -- whatever the zone
_LAST: Final = datetime(9999, 12, 28)  # noqa: DTZ001 -- whatever the zone
"""Bounds of the calendar, with room for zones and margins: what is beyond means from the beginning, or to the end."""


def duration(value: str | timedelta | float) -> timedelta:
    """Return a span of time: ``"7d"``, ``"36h"``, ``"90min"``, ``"2w"``, or seconds.

    Raises:
        ConfigurationError: It is none, or not above 0.

    >>> duration("7d"), duration("1h30min")
    (datetime.timedelta(days=7), datetime.timedelta(seconds=5400))
    """
    given = value
    if isinstance(value, str):
        text = value.strip().lower()
        parts = _DURATION.findall(text)
        if not parts or _DURATION.sub("", text).strip():
            raise ConfigurationError(f"{value!r} is no span of time; write it as 7d, 36h or 90min")
        value = sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    except OverflowError:
        raise ConfigurationError(f"{given!r} is longer than any profile") from None
    except (TypeError, ValueError):
        raise ConfigurationError(f"{given!r} is no span of time; write it as 7d, 36h or 90min") from None
    if span <= timedelta(0):
        raise ConfigurationError("a span of time must be above 0")
    return span


def selection_of(
    since: datetime | date | str | None,
    until: datetime | date | str | None,
    last: str | timedelta | float | None,
    entries: tuple[int, int] | int | None,
    now: datetime,
) -> Selection:
    """Return the selection that the arguments of a call mean.

    Raises:
        ConfigurationError: They contradict each other, or mean nothing.
    """
    by_time = since is not None or until is not None or last is not None
    if by_time and entries is not None:
        raise ConfigurationError("select rows by time or by number, not both")
    if last is not None and (since is not None or until is not None):
        raise ConfigurationError("last=... reaches up to now: give it without since and until")
    if isinstance(entries, int):
        if isinstance(entries, bool) or entries < 1:
            raise ConfigurationError(f"entries={entries}: at least 1 row must be wanted")
        return Selection(newest=entries, now=now)
    if entries is not None:
        try:
            first, final = map(index, entries)  # a range of two numbers is one, too
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"entries={entries!r}: give the first and the last row, such as (1, 4), or how many of the newest"
            ) from None
        entries = (first, final)
        if first < 1 or (final and final < first) or max(first, final) > 0xFFFFFFFF:
            raise ConfigurationError(
                f"entries {first} to {final}: rows count from 1, and 0 means the last one"
            )
    first_moment, last_moment = _moment(since, "since", end=False), _moment(until, "until", end=True)
    if (
        first_moment is not None
        and last_moment is not None
        and (first_moment.tzinfo is None) == (last_moment.tzinfo is None)
        and first_moment > last_moment
    ):
        raise ConfigurationError(
            f"since {first_moment} is after until {last_moment}: no row lies between them"
        )
    return Selection(
        first_moment,
        last_moment,
        None if last is None else duration(last),
        entries,
        now=now,
    )


def _moment(value: datetime | date | str | None, what: str, *, end: bool) -> datetime | None:
    """Return a bound as a moment; a bare date is its first, or last, second."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value.strip()) == 10 else datetime.fromisoformat(value)
        except ValueError:
            raise ConfigurationError(
                f"{what}={value!r} is no date or time; write it as 2026-11-24 08:00"
            ) from None
    if value is None or isinstance(value, datetime):
        return None if value is None else _in_calendar(value)
    if not isinstance(value, date):
        raise ConfigurationError(f"{what}={value!r} is no date or time: give a datetime, a date or a text")
    return _in_calendar(datetime.combine(value, time(23, 59, 59) if end else time()))


def _in_calendar(moment: datetime) -> datetime:
    return min(max(moment, _FIRST.replace(tzinfo=moment.tzinfo)), _LAST.replace(tzinfo=moment.tzinfo))


def _long_before(now: datetime, span: timedelta) -> datetime:
    """Return a moment so long ago; a time that every meter knows if that is before the calendar begins."""
    try:
        return _in_calendar(now - span)
    except OverflowError:
        return _LONG_AGO.replace(tzinfo=now.tzinfo)


def layout_of(
    context: ServiceContext, session: Session, target: Target, *, refresh: bool = False
) -> Conversation[ProfileLayout]:
    """Read what the rows of a profile mean: columns, scalers, units, period, order; then remember it.

    Raises:
        AccessError: The server refused the capture objects.
        ProtocolError: They are none.
    """
    name = name_of(target)
    known = session.profiles.get(name)
    if known is not None and not refresh:
        return known
    wanted = [attribute_of(name, number) for number in (_CAPTURE_OBJECTS, _CAPTURE_PERIOD, _SORT_METHOD)]
    objects, period, sort_method = yield from services.read_list(
        context, session, [(descriptor, None) for descriptor in wanted]
    )
    if isinstance(objects, Refusal):
        raise refused(wanted[0], objects)
    columns = columns_of(objects)
    scalers = yield from _scalers(context, session, columns)
    layout = ProfileLayout(
        name,
        tuple(
            replace(column, scaler_unit=scalers.get((column.class_id, column.logical_name)))
            if column.data_index == 0 and scaler_attribute(column.class_id, column.attribute) is not None
            else column
            for column in columns
        ),
        _plain(period),
        _plain(sort_method),
    )
    if all(map(lasts, (period, sort_method))) and scalers.keys() <= session.scalers.keys():
        session.profiles[name] = layout
    return layout


def _plain(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, DataAccessResult) else None


def _scalers(
    context: ServiceContext, session: Session, columns: tuple[Column, ...]
) -> Conversation[dict[tuple[int, LogicalName], Any]]:
    """Return scalers and units of the columns that have them, each read once."""
    wanted: dict[tuple[int, LogicalName], CosemAttributeDescriptor] = {}
    for column in columns:
        attribute = scaler_attribute(column.class_id, column.attribute)
        if attribute is not None:
            key = column.class_id, column.logical_name
            wanted[key] = CosemAttributeDescriptor(*key, attribute)
    unknown = {key: descriptor for key, descriptor in wanted.items() if key not in session.scalers}
    values = yield from services.read_list(
        context, session, [(descriptor, None) for descriptor in unknown.values()]
    )
    found = {
        key: scaler_of(session, descriptor, value)
        for (key, descriptor), value in zip(unknown.items(), values, strict=True)
    }
    return {key: found.get(key, session.scalers.get(key)) for key in wanted}


def read_profile(
    context: ServiceContext,
    session: Session,
    target: Target,
    selection: Selection,
    progress: Progress = no_progress,
    *,
    fill: bool = True,
    rows_at_once: int = 0,
    reading: ProfileReading | None = None,
) -> Conversation[ProfileTable]:
    """Read rows of a profile.

    Args:
        context: The association.
        session: What is known of the meter.
        target: The profile.
        selection: The rows.
        progress: Told of the octets transferred so far.
        fill: Whether nulls are filled and deltas added.
        rows_at_once: About so many rows are asked for at once; 0 asks for all.
        reading: How far an earlier call has come; it is brought up to date, and goes on after a break.

    Raises:
        AccessError: The server refused the buffer, or its capture objects.
        ConfigurationError: ``rows_at_once`` is below 0.
        UnsupportedError: Rows are wanted by time, and the profile has no column that tells it.
        ProtocolError: The buffer does not have the columns that the profile names.
    """
    if rows_at_once < 0:
        raise ConfigurationError(
            f"rows_at_once={rows_at_once}: a number from 1 on is wanted, or 0 for all at once"
        )
    reading = ProfileReading() if reading is None else reading
    layout = yield from layout_of(context, session, target)
    if selection.by_time:
        if layout.clock is None:
            raise UnsupportedError(
                f"profile {layout.logical_name} has no column that tells the time: select rows by number"
            )
        if reading.pending is None:
            selection = yield from _absolute(context, session, selection)
    if selection.newest is not None and reading.pending is None:
        selection = yield from _numbered(context, session, layout, selection)
    rows = Rows(context, session, layout, progress, reading)
    if reading.pending is None:
        reading.pending = [selection]
        if services.selective(context) and rows_at_once and (selection.by_time or selection.by_number):
            reading.pending = yield from parted(context, session, layout, selection, rows_at_once)
        reading.wanted = selection
    selection = reading.wanted
    if services.selective(context) and (yield from rows.selected()):
        layout = _remembered(session, layout, reading.rows)
        return _inside(session, ProfileTable(layout, reading.rows, reading.selected_by, fill=fill), selection)
    yield from rows.whole()
    layout = _remembered(session, layout, reading.rows)
    return _sorted_out(ProfileTable(layout, reading.rows, fill=fill), selection, session.deviation)


def _remembered(session: Session, layout: ProfileLayout, rows: RowTable) -> ProfileLayout:
    """Return the layout with what these rows tell of its columns, and keep it: the next rows may tell nothing."""
    layout = known_by(layout, rows)
    if (
        layout.logical_name in session.profiles
    ):  # else a refusal that may be over the next time left something out
        session.profiles[layout.logical_name] = layout
    return layout


def _absolute(context: ServiceContext, session: Session, selection: Selection) -> Conversation[Selection]:
    """Return the selection with both bounds, by the clock of the meter."""
    since, until = selection.since, selection.until
    if since is not None and until is not None and since.tzinfo is None and until.tzinfo is None:
        return selection
    try:
        now = _in_calendar((yield from read_clock(context, session)).to_datetime())
    except (AccessError, ConversionError):
        now = selection.now or _LONG_AGO
    if selection.last is not None:
        return replace(selection, since=_long_before(now, selection.last), until=now, last=None)
    # Without an end, or without a beginning: wide enough for any row, and still a time that every meter knows.
    return replace(
        selection,
        since=_LONG_AGO if since is None else since,
        until=_beyond(now, selection.now, session.deviation) if until is None else until,
    )


def _beyond(now: datetime, here: datetime | None, deviation: int | None) -> datetime:
    """Return a moment after any row: after the present here, too, if the clock of the meter was put back, or lost."""
    end = now + _MARGIN
    if here is not None and instant_of(here, None) > instant_of(end, deviation):
        return here + _MARGIN
    return end


def _numbered(
    context: ServiceContext, session: Session, layout: ProfileLayout, selection: Selection
) -> Conversation[Selection]:
    """Return the numbers of the newest rows."""
    newest = selection.newest or 0
    if layout.newest_first:
        return replace(selection, entries=(1, newest))
    in_use = yield from services.read(context, session, attribute_of(layout.logical_name, ENTRIES_IN_USE))
    if isinstance(in_use, DataAccessResult) or not isinstance(in_use, int):
        return selection  # only the whole buffer can tell
    return replace(selection, entries=(max(1, int(in_use) - newest + 1), 0))


def _moments(table: ProfileTable) -> list[Any]:
    """Return the times of the rows, filled even where the nulls of the table are to stay."""
    clock = table.layout.clock
    assert clock is not None  # noqa: S101 -- for the type checker: rows are selected by time
    return (table if table.fills else ProfileTable(table.layout, table.table)).column(clock)


def _inside(session: Session, table: ProfileTable, selection: Selection) -> ProfileTable:
    """Return the table that the meter selected, without rows that are surely not of the span."""
    since, until = selection.since, selection.until
    if since is None or until is None or table.layout.clock is None:
        return table
    keep = [not surely_outside(moment, since, until) for moment in _moments(table)]
    outside = keep.count(False)
    if not outside:
        return table
    session.findings.append(f"rows-outside-range: {outside} of {table.layout.logical_name} dropped")
    return table.where(keep)


def _sorted_out(table: ProfileTable, selection: Selection, deviation: int | None) -> ProfileTable:
    """Return the wanted rows of a whole buffer."""
    if selection.by_time and table.layout.clock is not None and selection.since and selection.until:
        since, until = selection.since, selection.until
        return table.where(_within(moment, since, until, deviation) for moment in _moments(table))
    if selection.newest is not None:
        newest_first = table.layout.newest_first
        return table[: selection.newest] if newest_first else table[max(0, len(table) - selection.newest) :]
    if selection.entries is not None:
        first, final = selection.entries
        return table[first - 1 : final or None]
    return table


def _within(moment: Any, since: datetime, until: datetime, deviation: int | None) -> bool:
    """Return whether a row lies between the bounds; one whose time cannot be told does not."""
    if not isinstance(moment, datetime):
        return False
    if since.tzinfo is None and until.tzinfo is None:
        # Both bounds are local time of the meter, and so is what it wrote.
        return since <= moment.replace(tzinfo=None) <= until
    instant = instant_of(moment, deviation)
    return instant_of(since, deviation) <= instant <= instant_of(until, deviation)
