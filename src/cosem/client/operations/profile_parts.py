"""The requests of a reading: which rows at once, in which of the ways, and again after a break.

Rows by time are cut into spans that share their bound, so that no row can fall between
them, whatever fraction of a second it has; the row that comes twice is taken once. When
an answer does not come, the whole rows of the blocks that came are kept, and the rest
is asked for from the last of them on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu.common import CosemAttributeDescriptor, SelectiveAccessDescriptor
from cosem.association.client.conversations.get import EncodedData, get_encoded
from cosem.association.context import Conversation, Progress, ServiceContext
from cosem.client.operations import services
from cosem.client.operations.profile_selection import (
    Selection,
    instant_of,
    most_rows,
    surely_outside,
    ways_of,
)
from cosem.client.operations.refusals import refused
from cosem.client.profile_layout import ProfileLayout
from cosem.client.profile_reading import ProfileReading
from cosem.client.profile_table import ProfileTable
from cosem.client.session import Session
from cosem.codec.reader import Reader
from cosem.codec.row_template import RowTable, complete_rows, scan
from cosem.errors import ServiceError, TransportTimeout
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["ENTRIES_IN_USE", "Rows", "attribute_of", "parted"]

_CLASS: Final = 7
_BUFFER: Final = 2
ENTRIES_IN_USE: Final = 7
_MOST_PARTS: Final = 1000
"""A span that would need more requests is one request: the meter has far fewer rows than it could hold."""
_LENIENCE: Final = timedelta(hours=3)
_PRECISION: Final = timedelta(seconds=1)
"""To which a meter may know the bounds of a part."""
_ROUNDED: Final = 2
"""Rows more than a span can hold, from a meter that rounds its bounds."""
_REFUSE_SELECTION: Final = frozenset(
    {
        DataAccessResult.READ_WRITE_DENIED,
        DataAccessResult.OBJECT_UNAVAILABLE,
        DataAccessResult.TYPE_UNMATCHED,
        DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        DataAccessResult.OTHER_REASON,
    }
)
"""Results after which a meter may still give the buffer when it is asked in another way."""


def attribute_of(name: LogicalName, number: int) -> CosemAttributeDescriptor:
    """Return an attribute of a profile."""
    return CosemAttributeDescriptor(_CLASS, name, number)


def _held(context: ServiceContext, session: Session, layout: ProfileLayout) -> Conversation[int | None]:
    """Return how many rows the meter has, if it says so."""
    try:
        in_use = yield from services.read(context, session, attribute_of(layout.logical_name, ENTRIES_IN_USE))
    except ServiceError:
        return None
    return int(in_use) if isinstance(in_use, int) and not isinstance(in_use, DataAccessResult) else None


def parted(
    context: ServiceContext, session: Session, layout: ProfileLayout, selection: Selection, rows_at_once: int
) -> Conversation[list[Selection]]:
    """Return the selection in parts of about so many rows, in the order in which the meter has the rows."""
    most = most_rows(layout, selection, session.deviation)
    if most is not None and most <= rows_at_once:
        return [selection]
    held = yield from _held(context, session, layout)
    if selection.entries is not None:
        first, final = selection.entries
        last = final or held or 0
        starts = range(first, last + 1, rows_at_once)
        if not 1 < len(starts) <= _MOST_PARTS:
            return [selection]
        ends = [start - 1 for start in starts[1:]]
        return [replace(selection, entries=pair) for pair in zip(starts, [*ends, final], strict=True)]
    period, since, until = layout.capture_period, selection.since, selection.until
    if not period or since is None or until is None or most is None:
        return [selection]
    parts = -(-min(most, most if held is None else held) // rows_at_once)
    if not 1 < parts <= _MOST_PARTS:
        return [selection]
    # Counted from the end: what lies before the oldest row that there can be is in the first part.
    step = timedelta(seconds=period * rows_at_once)
    bounds = [since, *(until - step * number for number in range(parts - 1, 0, -1)), until]
    spans = [replace(selection, since=start, until=end) for start, end in pairwise(bounds)]
    return spans[::-1] if layout.newest_first else spans


@dataclass(slots=True)
class Rows:
    """The requests of one reading.

    Args:
        context: The association.
        session: What is known of the meter.
        layout: What the rows mean.
        progress: Told of the octets transferred so far.
        reading: How far it has come.
    """

    context: ServiceContext
    session: Session
    layout: ProfileLayout
    progress: Progress
    reading: ProfileReading

    def selected(self) -> Conversation[bool]:
        """Read what is pending; ``False`` if the meter takes no selection of it.

        Raises:
            AccessError: The meter refused for another reason.
        """
        reading = self.reading
        self._salvage()  # what a connection that broke has left
        while reading.pending:
            rows = yield from self._part(reading.pending[0])
            if rows is None:
                return False
            self._add(rows, reading.pending[0])
            reading.pending.pop(0)
        return True

    def whole(self) -> Conversation[None]:
        """Read the whole buffer.

        Raises:
            AccessError: The meter refused it.
        """
        reading = self.reading
        reading.start_again()
        reading.selected_by = "whole"
        left = self.session.retries
        while True:
            try:
                rows = yield from self._request(None)
                break
            except TransportTimeout:
                if not left:
                    raise
                left -= 1
                reading.start_again()
        if isinstance(rows, DataAccessResult):
            raise refused(attribute_of(self.layout.logical_name, _BUFFER), rows)
        reading.rows = rows
        reading.pending = []

    def _part(self, selection: Selection) -> Conversation[RowTable | None]:
        """Read one part in the first way that the meter takes."""
        rejected = self.session.refused_selectors.setdefault(self.layout.logical_name, set())
        for way in ways_of(self.layout, selection, self.session.deviation):
            if way in rejected:
                continue
            try:
                rows = yield from self._insisted(way)
            except ServiceError:
                rows = DataAccessResult.OTHER_REASON
            if not isinstance(rows, DataAccessResult):
                if (yield from self._ignored(rows, selection)):
                    # In other words it would be ignored as well; the whole buffer is sorted out by whoever asked.
                    rejected.update(ways_of(self.layout, selection, self.session.deviation))
                    self.session.findings.append(
                        f"selective-access-ignored: {self.layout.logical_name} by {way}"
                    )
                    return None
                self.reading.selected_by = way.split()[0]
                return rows
            if rows not in _REFUSE_SELECTION:
                raise refused(attribute_of(self.layout.logical_name, _BUFFER), rows)
            rejected.add(way)
        return None

    def _ignored(self, rows: RowTable, selection: Selection) -> Conversation[bool]:
        """Return whether rows are there that were not asked for: some meters take a selection and give everything."""
        if selection.entries is not None:
            left: Selection = (self.reading.pending or [selection])[0]  # what a break has left of it
            first, final = left.entries or selection.entries
            if final:
                return len(rows) > final - first + 1
            if selection.newest is not None:
                begin = selection.entries[0]
                return begin > 1 and len(rows) >= begin + selection.newest - 1
            if first == 1 or not len(rows):
                return False
            held = yield from _held(self.context, self.session, self.layout)
            return held is not None and len(rows) > max(0, held - first + 1)
        return self._out_of_time(rows, selection)

    def _out_of_time(self, rows: RowTable, selection: Selection) -> bool:
        """Return whether rows cannot be those of a span, by their time and their number.

        Three hours more on either side are possible: there are meters that round, or mean a neighbouring zone.
        Of a part nothing may be outside that tells its time: it would come with the next part, too.
        """
        since, until = selection.since, selection.until
        clock = self.layout.clock
        if since is None or until is None or clock is None or not len(rows):
            return False
        table, deviation = ProfileTable(self.layout, rows), self.session.deviation
        low, high = instant_of(since, deviation) - _LENIENCE, instant_of(until, deviation) + _LENIENCE
        ends = (*table[:1].column(clock), *table[-1:].column(clock))
        moments = [each for each in ends if isinstance(each, datetime)]
        if any(not low <= instant_of(moment, deviation) <= high for moment in moments):
            return True
        if not all(isinstance(each, datetime) and each.tzinfo is not None for each in ends):
            most = most_rows(self.layout, selection, deviation)
            return most is not None and len(rows) > most + _ROUNDED
        if selection == self.reading.wanted:
            return False
        return any(
            surely_outside(each, since - _PRECISION, until + _PRECISION) for each in table.column(clock)
        )

    def _insisted(self, way: str) -> Conversation[RowTable | DataAccessResult]:
        """Ask for the first part, and for the rest of it when an answer does not come."""
        reading = self.reading
        left = self.session.retries
        while True:
            selection: Selection = (reading.pending or [reading.wanted])[0]
            try:
                return (
                    yield from self._request(ways_of(self.layout, selection, self.session.deviation)[way])
                )
            except TransportTimeout:
                before = len(reading.rows)
                self._salvage()
                if len(reading.rows) > before:
                    left = self.session.retries
                elif not left:
                    raise
                else:
                    left -= 1

    def _request(self, access: SelectiveAccessDescriptor | None) -> Conversation[RowTable | DataAccessResult]:
        reading = self.reading
        done = reading.octets
        descriptor = attribute_of(self.layout.logical_name, _BUFFER)

        def progress(octets: int) -> None:
            self.progress(done + octets)

        ask: Callable[..., Conversation[DataValue | DataAccessResult | EncodedData]] = get_encoded
        if self.context.short_names is not None:
            from cosem.association.client.conversations import mapped

            ask = mapped.get_encoded
        answer = yield from ask(self.context, descriptor, access, progress, reading.received.append)
        reading.taken()
        if isinstance(answer, DataAccessResult):
            return answer
        if isinstance(answer, EncodedData):
            reader = self.context.reader(answer.octets)
            rows = scan(reader)
            if rows is not None:
                reader.finish()
                return self._checked(rows)
            answer = self.context.value(answer.octets)
        return self._checked(answer)

    def _checked(self, rows: Any) -> RowTable:
        return ProfileTable(self.layout, rows).table

    def _add(self, rows: RowTable, selection: Selection) -> None:
        """Take rows behind those that are there; the row on the bound comes twice, and is taken once."""
        reading = self.reading
        if selection.by_time and len(reading.rows) and len(rows):
            there = self._times(reading.rows)
            last = there[-1]
            if isinstance(last, datetime):
                double = min(_leading(reversed(there), last), _leading(self._times(rows), last))
                rows = rows.without_first(double)
        reading.rows = reading.rows + rows if len(reading.rows) else rows

    def _times(self, rows: RowTable) -> list[Any]:
        clock = self.layout.clock
        assert clock is not None  # noqa: S101 -- for the type checker: rows are selected by time
        return ProfileTable(self.layout, rows).column(clock)

    def _salvage(self) -> None:
        """Keep the whole rows of an answer that broke off, and want only what lies behind them."""
        reading = self.reading
        octets = b"".join(reading.taken())
        kept = complete_rows(octets)
        if not kept or not reading.pending:
            return
        rows = scan(Reader(kept))
        selection = reading.pending[0]
        if rows is None:
            return
        self._checked(rows)
        if selection.entries is not None:
            first, final = selection.entries
            if final and first + len(rows) > final:
                return
            self._add(rows, selection)
            reading.pending[0] = replace(selection, entries=(first + len(rows), final))
            return
        last = self._times(rows)[-1]
        if not isinstance(last, datetime):
            return
        self._add(rows, selection)
        reading.pending[0] = (
            replace(selection, until=last) if self.layout.newest_first else replace(selection, since=last)
        )


def _leading(times: Iterable[Any], moment: datetime) -> int:
    """Return how many of the first times are this moment."""
    return sum(1 for _ in takewhile(moment.__eq__, times))
