"""The premises behind simulated meters: what flows into them, by the names that the file of a meter uses.

Everything follows from a seed and the time, so that registers, profiles and demands agree with each
other, and the past is there without having been waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

from cosem.errors import ConfigurationError
from cosem.server.load_curve import Curve, Household, noise

__all__ = ["IDENTITIES", "QUANTITIES", "Premises", "Quantity"]

Quantity: TypeAlias = Callable[[datetime], float]
"""A quantity at a moment, in the unit without prefix: Wh, varh, W, V, A, Hz, m3."""
_PHASES: Final = (0.5, 0.3, 0.2)
IDENTITIES: Final = ("serial", "device-name")
"""What tells one meter from another: octets that stay."""
QUANTITIES: Final = (
    "energy-import",
    "energy-import-1",
    "energy-import-2",
    "energy-export",
    "reactive-import",
    "reactive-export",
    "power-import",
    "power-export",
    "power-net",
    *(f"{kind}-{phase}" for kind in ("voltage", "current", "power-import") for phase in (1, 2, 3)),
    "current",
    "frequency",
    "power-factor",
    "gas-volume",
    "gas-flow",
    "water-volume",
    "water-flow",
    "heat-energy",
)
"""The names of the quantities: those that end in energy or volume only ever grow."""


class Premises:
    """What one meter measures.

    Args:
        seed: Which premises.
    """

    __slots__ = ("_gas", "_heat", "_water", "house", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.house = Household(seed)
        size = 0.7 + 0.6 * noise(seed, -2)
        # The curves count watt-hours; here they count litres.
        self._gas = Curve(seed * 16 + 10, 4_000 * size, 0.8, 0.2, 0)
        self._water = Curve(seed * 16 + 13, 280 * size, -0.05, 0.25, 0)
        self._heat = Curve(seed * 16 + 15, 28_000 * size, 0.85, 0.15, 0)

    @property
    def serial(self) -> str:
        """The serial number: eight digits."""
        return f"{10_000_000 + self.seed % 90_000_000:08d}"

    def quantity(self, name: str) -> Quantity:
        """Return a quantity.

        Raises:
            ConfigurationError: There is none of this name.
        """
        house = self.house
        kind, _, phase = name.rpartition("-")
        if phase.isdigit() and kind in ("voltage", "current", "power-import") and name in QUANTITIES:
            return partial(
                {"voltage": self._voltage, "current": self._current}.get(kind, self._phase_power),
                int(phase) - 1,
            )
        known: dict[str, Quantity] = {
            "energy-import": house.imported,
            "energy-import-1": partial(house.tariff, 1),
            "energy-import-2": partial(house.tariff, 2),
            "energy-export": house.exported,
            "reactive-import": partial(house.reactive, imported=True),
            "reactive-export": partial(house.reactive, imported=False),
            "power-import": self._power,
            "power-export": house.export_power,
            "power-net": lambda moment: self._power(moment) - house.export_power(moment),
            "current": lambda moment: self._power(moment) / 230,
            "frequency": lambda moment: 50 + 0.03 * house.flicker(moment, 9),
            "power-factor": lambda moment: 0.97 + 0.015 * house.flicker(moment, 10),
            "gas-volume": lambda moment: self._gas.energy(moment) / 1000,
            "gas-flow": lambda moment: self._gas.power(moment) / 1000,
            "water-volume": lambda moment: self._water.energy(moment) / 1000,
            "water-flow": lambda moment: self._water.power(moment) / 1000,
            "heat-energy": self._heat.energy,
        }
        found = known.get(name)
        if found is None:
            raise ConfigurationError(f"{name!r} is no quantity; there are {', '.join(QUANTITIES)}")
        return found

    def _power(self, moment: datetime) -> float:
        return self.house.power(moment) * (1 + 0.08 * self.house.flicker(moment, 0))

    def _phase_power(self, phase: int, moment: datetime) -> float:
        return self._power(moment) * _PHASES[phase]

    def _voltage(self, phase: int, moment: datetime) -> float:
        return 231 + 2.5 * self.house.flicker(moment, 1 + phase) - 0.5 * phase

    def _current(self, phase: int, moment: datetime) -> float:
        return self._phase_power(phase, moment) / 230
