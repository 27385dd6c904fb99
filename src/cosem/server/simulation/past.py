"""The past of a simulated meter: what it would have captured before it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cosem.server.simulation.premises import Quantity
from cosem.types.data import DataValue, OctetString, Structure
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.classes.meter_record import RecordedObject
    from cosem.server.logical_device import LogicalDevice

__all__ = ["Past"]

_EXTENDED, _CAPTURE_TIME = 4, 5
_TIME = 2


class Past:
    """What a logical device would have captured before it was made.

    Args:
        device: The logical device.
        sources: What its attributes follow, by class, name and number.
        made: When it was made.
    """

    __slots__ = ("_device", "_made", "_sources")

    def __init__(
        self, device: LogicalDevice, sources: Mapping[tuple[int, bytes, int], Quantity], made: datetime
    ) -> None:
        self._device = device
        self._sources = sources
        self._made = made

    def captured_before(self, client: LogicalName) -> None:
        """Let the objects of the channel of an M-Bus client hold what was captured last."""
        period = int(self._device[client].stored(4) or 0)  # type: ignore[arg-type] # a number, by its declaration
        moment = self._beginning(period) if period else self._made
        for kept in self._device:
            if bytes(kept.name)[:4] == bytes((0, client[1], 24, 2)):
                number = self._sources.get((kept.class_id, bytes(kept.name), 2))
                if number is not None:
                    kept.put(2, number(moment))
                    if kept.class_id == _EXTENDED:
                        kept.put(_CAPTURE_TIME, self._stamp(moment))

    def rows(self, record: RecordedObject) -> Iterator[Structure]:
        """Return the rows that a profile would have captured."""
        profile = self._device[record.logical_name]
        period = int(profile.stored(4) or 0)  # type: ignore[arg-type] # a number, by its declaration
        if not period:
            return
        columns: Iterable[Any] = profile.stored(3)  # type: ignore[assignment] # an array, by its declaration
        cells = [self._cell(each) for each in columns]
        step = timedelta(seconds=period)
        last = self._beginning(period)
        most = int(profile.stored(8) or 1)  # type: ignore[arg-type] # a number, by its declaration
        for back in range(min(most, int(record.history // period)) - 1, -1, -1):
            moment = last - step * back
            yield Structure(cell(moment) for cell in cells)

    def _stamp(self, moment: datetime) -> OctetString:
        return OctetString(self._device.timestamp(moment).octets)

    def _beginning(self, period: int) -> datetime:
        """Return the last moment before the meter was made at which a row was due; days begin at midnight."""
        local = self._device.local(self._made).replace(tzinfo=None)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = (local - midnight).total_seconds()
        return self._device.instant(midnight + timedelta(seconds=passed // period * period))

    def _cell(self, column: Any) -> Callable[[datetime], DataValue]:
        class_id, name, number = int(column[0]), bytes(column[1]), int(column[2])
        source = self._sources.get((class_id, name, number))
        if source is not None:
            return source  # type: ignore[return-value] # a number with its type
        target = self._device.find(LogicalName(name))
        captured = class_id == _EXTENDED and number == _CAPTURE_TIME
        shown = target is not None and number == _TIME and self._device.shows_time(target)
        if not self._device.shows_time(None) and (shown or captured):
            return self._stamp
        value = None if target is None or target.class_id != class_id else target.stored(number)
        return lambda _moment: value
