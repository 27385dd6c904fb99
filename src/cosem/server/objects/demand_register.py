"""Demand register at the server: averages over periods (Blue Book, class_id 5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cosem.classes.standard.register import DemandRegister
from cosem.server.objects.base import CosemObject
from cosem.server.timetable import next_multiple
from cosem.types.data import DataValue, DoubleLongUnsigned
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["DemandRegisterObject"]


class DemandRegisterObject(CosemObject, DemandRegister):
    """The average of a quantity over ``number_of_periods`` periods of ``period`` seconds.

    One period is block demand: the current average grows from 0 to the average of the period.
    More are sliding demand: at the end of each period the average of the last ones is formed.
    While a Register activation object has it stand still, nothing is counted, and no average is replaced.
    A jump of the clock begins a period anew: the one that it cut has no result. One that a synchronisation made
    longer or shorter is averaged over the time that it took; one that took none keeps the last average.

    Args:
        logical_name: Its name.
        total: Returns the quantity times seconds, summed up from any beginning until now, in the unit of
            the register: for a power, the energy in watt-seconds. Without it the application calls
            :meth:`add`.
        number: Type of the averages.
        initial: Their value after a reset.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    timed = True

    def __init__(
        self,
        logical_name: LogicalName | str,
        *,
        total: Callable[[], float] | None = None,
        number: Callable[[int], DataValue] = DoubleLongUnsigned,
        initial: int = 0,
        **values: Any,
    ) -> None:
        self._total = total
        self._number = number
        self._fractions = isinstance(number, type) and issubclass(number, float)
        self._initial = initial
        self._base = 0.0
        self._added = 0.0
        self._counting = True
        self._begun = False
        self._status: DataValue = None
        self._began: tuple[datetime, datetime] | None = None  # as the clock showed it, and as it is measured
        self._periods: deque[tuple[float, float]] = deque(maxlen=1)
        values.setdefault("period", 900)
        values.setdefault("number_of_periods", 1)
        super().__init__(logical_name, **values)
        self.put("current_average_value", number(initial))
        self.put("last_average_value", number(initial))

    # --- measuring ------------------------------------------------------------------------------------

    def add(self, amount: float) -> None:
        """Count an amount of the quantity times seconds in the present period, unless the register stands still."""
        self.settle()
        if self._counting:
            self._added += amount

    def mark(self, status: DataValue) -> None:
        """Set the status that the next average is captured with."""
        self._status = status

    def settle(self) -> None:
        """Count what came until now, and go on or stand still as Register activation says from now on."""
        if self._total is not None:
            total = self._total()
            if self._counting:
                self._added += total - self._base
            self._base = total
        self._counting = self._is_active()

    def _is_active(self) -> bool:
        """Return whether no Register activation object has it stand still."""
        from cosem.server.objects.register_activation import RegisterActivationObject

        return all(
            each.counts(self.class_id, self.name)
            for each in self.device or ()
            if isinstance(each, RegisterActivationObject)
        )

    def _since_start(self) -> float:
        self.settle()
        return self._added

    def _longer(self) -> float:
        """Return the seconds by which the present period is longer than the clock made it look, less than 0: shorter."""
        if self._began is None or self.device is None:
            return 0.0
        shown = (self.device.now() - self._began[0]).total_seconds()
        measured = (self.device.measuring() - self._began[1]).total_seconds()
        return measured - min(shown, float(self.period))

    def _average(self, amount: float, longer: float) -> DataValue:
        """Return an average over all periods, which are longer than they are declared by so many seconds in all."""
        seconds = int(self.period) * int(self.number_of_periods) + longer
        if seconds <= 0:
            return self._number(self._initial)
        average = amount / seconds
        return self._number(average if self._fractions else round(average))  # type: ignore[arg-type] # a type of floats

    def _begin(self) -> None:
        """Begin a period."""
        self._added = 0.0
        if self.device is not None:
            if self._total is not None:
                self._base = self._total()
            self._counting = self._is_active()
            self._began = self.device.now(), self.device.measuring()
            self.put("start_time_current", self.device.timestamp())

    def _forget(self) -> None:
        """Begin anew: periods that nobody measured count 0."""
        self._periods = deque(maxlen=max(1, int(self.number_of_periods)))
        self._begin()

    # --- time -----------------------------------------------------------------------------------------

    @property
    def most_late(self) -> int:
        """104 days of quarters of an hour; the period that leaves something out is averaged over all of its time."""
        return 10_000

    def next_time(self, after: datetime) -> datetime | None:
        """Return the end of the present period."""
        if self.device is None or not self.period:
            return None
        if not self._begun:
            self._begun = True
            self._forget()
        return next_multiple(self.device, after, int(self.period))

    def on_time(self, at: datetime) -> None:
        """End the period; a register that stands still keeps what it has."""
        del at
        took_none = int(self.period) + self._longer() <= 0
        if not took_none and (self._counting or self._since_start()):
            self._end()
        else:
            self._begin()

    def _end(self) -> None:
        self._periods.append((self._since_start(), self._longer()))
        amounts, longer = zip(*self._periods, strict=True)
        self.put("last_average_value", self._average(sum(amounts), sum(longer)))
        self._captured()

    def on_shift(self, by: timedelta, *, jump: bool) -> None:
        """Begin anew after a jump: a period of another length has no average."""
        if jump and by:
            self._forget()

    def _captured(self) -> None:
        self.put("status", self._status)
        if self.device is not None:
            self.put("capture_time", self.device.timestamp())
        self._begin()

    # --- for clients ------------------------------------------------------------------------------------

    def get_current_average_value(self) -> DataValue:
        """Return the average so far, as if nothing came until the window ends."""
        return self._average(self._since_start(), self._longer())

    def set_period(self, seconds: int) -> DataAccessResult:
        """Change the period, and begin anew."""
        if not seconds:
            return DataAccessResult.OTHER_REASON
        return self._changed_to("period", seconds)

    def set_number_of_periods(self, number: int) -> DataAccessResult:
        """Change the number of periods, and begin anew."""
        if not 1 <= number <= 1000:
            return DataAccessResult.OTHER_REASON
        return self._changed_to("number_of_periods", number)

    def _changed_to(self, name: str, value: int) -> DataAccessResult:
        self.put(name, value)
        self.call_reset()
        return DataAccessResult.SUCCESS

    def call_reset(self) -> ActionResult:
        """End the period without a result."""
        self.put("last_average_value", self._number(self._initial))
        self._forget()
        self._captured()
        if self.device is not None:
            self.device.reschedule(self)
        return ActionResult.SUCCESS

    def call_next_period(self) -> ActionResult:
        """End the period as if its time had come, and begin the next."""
        self._end()
        if self.device is not None:
            self.device.reschedule(self)
        return ActionResult.SUCCESS
