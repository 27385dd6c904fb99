"""What the clients do with the demonstration meter, and what our own client reads there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import cosem
from cosem.types.units import ScalerUnit

__all__ = ["PLAN", "OurReading", "plan_with_range", "read_with_ours"]

PLAN: Final[dict[str, Any]] = {
    "identity": "0.0.42.0.0.255",
    "registers": ["1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.32.7.0.255"],
    "clock": "0.0.1.0.0.255",
    "profile": "1.0.99.1.0.255",
    "entries": [3, 7],
    "message": "0.0.96.13.0.255",
    "write": b"Hello, meter \xff".hex(),
    "write in blocks": (bytes(range(1, 251)) * 12).hex(),
    "disconnect": "0.0.96.3.10.255",
    "nothing": "0.0.199.99.99.255",
}
"""All but the range, which is a part of the profile as it is at the moment."""


@dataclass(frozen=True)
class OurReading:
    """What our own client read."""

    objects: list[list[Any]]
    identity: str
    registers: dict[str, tuple[int, ScalerUnit]]
    clock: datetime
    columns: list[list[Any]]
    rows: list[list[Any]]
    period: timedelta

    def chosen(self, plan: dict[str, Any]) -> list[list[Any]]:
        """Return the rows that are asked for by entry."""
        first, last = plan["entries"]
        return self.rows[first - 1 : last]


def read_with_ours(port: int, **options: Any) -> OurReading:
    """Read the demonstration meter with our client."""
    with cosem.connect(f"tcp://127.0.0.1:{port}", **options) as meter:
        entries = meter.objects()
        table = meter.profile(PLAN["profile"]).read(fill=False)
        columns = meter.get(PLAN["profile"], 3)
        readings = {name: meter.read(name) for name in PLAN["registers"]}
        return OurReading(
            objects=[[each.class_id, str(each.logical_name), each.version] for each in entries],
            identity=bytes(meter.get(PLAN["identity"], 2)).hex(),
            registers={name: (int(each.raw), each.scaler_unit) for name, each in readings.items()},
            clock=meter.clock().to_datetime().replace(tzinfo=None),
            columns=[[int(each[0]), ".".join(map(str, bytes(each[1]))), int(each[2])] for each in columns],
            rows=[[_wall_clock(stamp), *map(int, cells)] for stamp, *cells in table],
            period=timedelta(seconds=int(meter.get(PLAN["profile"], 4))),
        )


def plan_with_range(port: int) -> dict[str, Any]:
    """Return the plan with the moments of the tenth and the twentieth row, with their zone."""
    with cosem.connect(f"tcp://127.0.0.1:{port}") as meter:
        moments = meter.profile(PLAN["profile"]).read(entries=(10, 20)).column(0)
    return PLAN | {"range": [moments[0].isoformat(), moments[-1].isoformat()]}


def _wall_clock(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()
