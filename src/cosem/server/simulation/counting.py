"""Registers of simulated meters: the numbers that they show, and what they count.

They count what the premises use, and stand still while no mask of theirs is in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from cosem.classes.meter_record import RecordedObject
from cosem.server.objects.base import CosemObject
from cosem.server.objects.register_activation import RegisterActivationObject
from cosem.server.simulation.premises import Quantity
from cosem.types.enumerations import DataAccessResult

__all__ = ["Counter", "count_in", "grows", "number_of", "rounded", "scaler_of"]

_SCALERS: Final = {3: 3, 4: 3, 5: 4}
"""The attribute with scaler and unit, by class."""
_VALUE, _RESET = 2, 1
_GROWING: Final = ("energy", "volume", "reactive")


class Counter:
    """What one register counts.

    Args:
        register: The register.
        own: What it counts by itself: a tariff, by the hours that the premises keep.
        whole: What it counts while Register activation decides about it: all that flows.
        now: Returns the moment that counts for the premises.
    """

    __slots__ = ("_before", "_flow", "_now", "_own", "_register", "_stopped", "_whole")

    def __init__(
        self, register: CosemObject, own: Quantity, whole: Quantity, now: Callable[[], datetime]
    ) -> None:
        self._register = register
        self._own = self._flow = own
        self._whole = whole
        self._now = now
        self._before = 0.0
        self._stopped: float | None = None

    def amount(self) -> float:
        """Return what was counted until now."""
        return self._before + self._flow(self._now()) if self._stopped is None else self._stopped

    def begin(self, amount: float = 0.0) -> None:
        """Go on from another amount, as after a reset."""
        self._before = amount - self._flow(self._now())
        if self._stopped is not None:
            self._stopped = amount

    def settle(self, activations: Iterable[RegisterActivationObject]) -> None:
        """Go on, or stand still, as Register activation says from now on."""
        which = self._register.class_id, self._register.name
        deciding = [each for each in activations if each.assigns(*which)]
        flow = self._whole if deciding else self._own
        counts = all(each.counts(*which) for each in deciding)
        if counts and self._stopped is None and flow is self._flow:
            return
        amount = self.amount()
        self._flow, self._before = flow, amount - flow(self._now())
        self._stopped = None if counts else amount


def count_in(register: Any, count: Counter, shown: Callable[[float], Any], scaler: int) -> None:
    """Let a register show what is counted, begin at 0 when it is reset, and go on from what is written to it."""
    reset, unit = register.call_reset, 10.0**scaler

    def begin_at_0() -> None:
        count.begin()
        reset()

    def go_on_from(value: Any) -> DataAccessResult:
        if not isinstance(value, (int, float)) or value < 0:
            return DataAccessResult.OTHER_REASON
        # Half a unit more, of which nothing shows: what is not rounded up must not lose one by reckoning.
        count.begin((value + 0.5) * unit)
        register.put(_VALUE, value)
        return DataAccessResult.SUCCESS

    register.getter(_VALUE)(lambda: shown(count.amount()))
    register.setter(_VALUE)(go_on_from)
    register.handler(_RESET)(begin_at_0)


def scaler_of(record: RecordedObject) -> int:
    """Return the exponent of a register."""
    value = record.values.get(_SCALERS.get(record.class_id, 0))
    return int(value[0]) if isinstance(value, tuple) and value else 0  # type: ignore[arg-type] # an integer


def rounded(quantity: Quantity, source: str, kind: Any, scaler: int) -> Callable[[datetime], Any]:
    """Return a quantity as the number that a register shows: what only grows is not rounded up."""
    number = number_of(source, kind, scaler)
    return lambda moment: number(quantity(moment))


def number_of(source: str, kind: Any, scaler: int) -> Callable[[float], Any]:
    """Return what makes an amount the number that a register shows, in its type."""
    factor = 10.0**-scaler
    if grows(source):
        most = getattr(kind, "maximum", None)
        if most is None:
            return lambda amount: kind(max(0, int(amount * factor)))  # nothing before the premises were built
        # A register that is full begins again at 0.
        return lambda amount: kind(max(0, int(amount * factor)) % (most + 1))
    return lambda amount: kind(round(amount * factor))


def grows(source: str) -> bool:
    """Return whether a quantity only ever grows."""
    return source.startswith(_GROWING) or source.split("-")[1:2] in (["energy"], ["volume"])
