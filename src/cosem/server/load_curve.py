"""How much a household uses: energies that grow with the time, the same for the same seed.

Each curve is known at every midnight by a formula, and within a day it follows a
shape with noise. So the energy at any moment costs the same however long ago the
meter was installed, a load profile can be made after the fact, and every register
agrees with it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from math import cos, pi, sin
from typing import Final, NamedTuple

__all__ = ["Curve", "Household", "noise"]

_MASK: Final = (1 << 64) - 1
_QUARTERS: Final = 96
_DAY: Final = 86_400
_QUARTER: Final = 900
_INSTALLED: Final = datetime(2021, 3, 1, tzinfo=UTC) - timedelta(hours=1)
"""Midnight in the zone whose days the household lives by, UTC+1 throughout the year."""


def noise(seed: int, index: int) -> float:
    """Return a number from 0 up to 1 that depends on both and on nothing else (SplitMix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + index * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((value ^ (value >> 31)) >> 11) / (1 << 53)


class Curve(NamedTuple):
    """An energy that grows from day to day.

    Args:
        seed: Which one of many.
        per_day: Watt-hours of an average day.
        season: How much more, as a part of it, in the middle of winter; negative for the sun.
        jitter: How much a day may differ, as a part of it.
        shape: Which of the shapes of a day.
    """

    seed: int
    per_day: float
    season: float
    jitter: float
    shape: int

    def energy(self, moment: datetime) -> float:
        """Return the energy at a moment, watt-hours: nothing before the installation."""
        if moment < _INSTALLED:
            return 0.0
        days, seconds = _since_installation(moment)
        begin, used = _day(self, days)
        quarter, rest = divmod(seconds, _QUARTER)
        index = int(quarter)
        return begin + used[index] + (used[index + 1] - used[index]) * rest / _QUARTER

    def power(self, moment: datetime) -> float:
        """Return the power at a moment, watts: the average of its quarter of an hour, nothing before the installation."""
        if moment < _INSTALLED:
            return 0.0
        days, seconds = _since_installation(moment)
        used = _day(self, days)[1]
        index = int(seconds // _QUARTER)
        return (used[index + 1] - used[index]) * 4


def _since_installation(moment: datetime) -> tuple[int, float]:
    passed = moment - _INSTALLED
    return passed.days, passed.seconds + passed.microseconds / 1e6


def _at_midnight(curve: Curve, day: int) -> float:
    """Return the energy at the beginning of a day since installation, watt-hours."""
    year = 2 * pi / 365.25
    # The middle of January is 44 days before the installation.
    season = curve.season * (sin(year * (day + 44)) - sin(year * 44)) / year
    return curve.per_day * (day + season + curve.jitter * (noise(curve.seed, day) - noise(curve.seed, 0)))


@lru_cache(maxsize=512)
def _day(curve: Curve, day: int) -> tuple[float, tuple[float, ...]]:
    """Return the energy at the beginning of a day, and what was used since at that of each quarter."""
    begin = _at_midnight(curve, day)
    taken = []
    for index, weight in enumerate(_SHAPES[curve.shape]):
        factor = 0.5 + noise(curve.seed + 1, day * _QUARTERS + index)
        if noise(curve.seed + 2, day * _QUARTERS + index) > 0.96:
            factor += 2.0  # something that heats
        taken.append(weight * factor)
    scale = (_at_midnight(curve, day + 1) - begin) / sum(taken)
    return begin, tuple(scale * sofar for sofar in accumulate(taken, initial=0.0))


def _hours(*by_hour: float) -> tuple[float, ...]:
    """Return 96 weights from 24, without steps."""
    ring = (*by_hour, by_hour[0])
    return tuple(ring[q // 4] + (ring[q // 4 + 1] - ring[q // 4]) * (q % 4) / 4 for q in range(_QUARTERS))


_LIVING: Final = _hours(
    0.35, 0.28, 0.25, 0.24, 0.25, 0.32, 0.70, 1.25, 1.10, 0.75, 0.65, 0.75,
    1.05, 0.85, 0.65, 0.65, 0.80, 1.20, 1.75, 2.00, 1.80, 1.40, 0.95, 0.55,
)  # fmt: skip
_BY_DAY: Final = tuple(weight if 24 <= quarter < 88 else 0.0 for quarter, weight in enumerate(_LIVING))
_BY_NIGHT: Final = tuple(0.0 if 24 <= quarter < 88 else weight for quarter, weight in enumerate(_LIVING))
_SUN: Final = tuple(
    max(0.0, cos((quarter - 50) / 24 * pi / 2)) if 26 <= quarter < 74 else 0.0 for quarter in range(96)
)


_SHAPES: Final = (_BY_DAY, _BY_NIGHT, _SUN)


class Household:
    """What goes through one meter: import in two tariffs, export from the roof, and what follows from them.

    Args:
        seed: Which household.
    """

    __slots__ = ("_cut", "_first_cut", "_lost", "export", "seed", "tariffs")

    def __init__(self, seed: int) -> None:
        size = 0.7 + 0.6 * noise(seed, -1)
        self.seed = seed
        self.tariffs = (
            Curve(seed * 16 + 1, 7_600 * size, 0.22, 0.12, 0),
            Curve(seed * 16 + 4, 1_500 * size, 0.18, 0.10, 1),
        )
        self.export = Curve(seed * 16 + 7, 2_400, -0.65, 0.10, 2)
        self._cut: datetime | None = None
        self._first_cut: datetime | None = None
        self._lost: dict[Curve, float] = {}

    def cut(self, moment: datetime) -> None:
        """Let nothing flow from now on; whoever asks about later asks in the order of time."""
        if self._cut is None:
            self._cut = moment
            self._first_cut = self._first_cut or moment

    def restore(self, moment: datetime) -> None:
        """Let it flow again."""
        if self._cut is not None:
            for curve in (*self.tariffs, self.export):
                lost = curve.energy(moment) - curve.energy(self._cut)
                self._lost[curve] = self._lost.get(curve, 0.0) + lost
            self._cut = None

    def _is_cut(self, moment: datetime) -> bool:
        return self._cut is not None and moment >= self._cut

    def _energy(self, curve: Curve, moment: datetime) -> float:
        """Return what has flowed; what is asked about up to the first cut knows of none."""
        if self._first_cut is None or moment <= self._first_cut:
            return curve.energy(moment)
        at = moment if self._cut is None else min(moment, self._cut)
        return curve.energy(at) - self._lost.get(curve, 0.0)

    def imported(self, moment: datetime) -> int:
        """Return active energy import, watt-hours: the sum of the tariffs."""
        return self.tariff(1, moment) + self.tariff(2, moment)

    def tariff(self, number: int, moment: datetime) -> int:
        """Return active energy import of a tariff, watt-hours: 1 from six to ten o'clock, 2 by night."""
        return max(0, int(self._energy(self.tariffs[number - 1], moment)))

    def exported(self, moment: datetime) -> int:
        """Return active energy export, watt-hours."""
        return max(0, int(self._energy(self.export, moment)))

    def reactive(self, moment: datetime, *, imported: bool) -> int:
        """Return reactive energy, var-hours: motors take it, electronics give a little."""
        return int(self.imported(moment) * (0.18 if imported else 0.03))

    def power(self, moment: datetime) -> float:
        """Return active power import, watts."""
        return 0.0 if self._is_cut(moment) else sum(curve.power(moment) for curve in self.tariffs)

    def export_power(self, moment: datetime) -> float:
        """Return active power export, watts."""
        return 0.0 if self._is_cut(moment) else self.export.power(moment)

    def joules(self, moment: datetime) -> float:
        """Return active energy import as it is, watt-seconds."""
        return 3600 * sum(self._energy(curve, moment) for curve in self.tariffs)

    def flicker(self, moment: datetime, which: int) -> float:
        """Return a number from -1 to 1 that is another one each ten seconds."""
        return 2 * noise(self.seed * 64 + which, int(moment.timestamp()) // 10) - 1
