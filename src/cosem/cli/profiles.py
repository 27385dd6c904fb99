"""Load profiles as people see them: short times, a table, a plot for each quantity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.output import can_show, human, plain
from cosem.cli.plot import sparkline

if TYPE_CHECKING:
    from cosem.client.profile_layout import Column
    from cosem.client.profile_table import ProfileTable

__all__ = ["numbers_of", "plots", "profile_facts", "show_table", "steps_of", "times_text"]

_BLOCKS: Final = "▁█"
_PLOT: Final = 60


def profile_facts(table: ProfileTable) -> dict[str, Any]:
    """Return a profile as JSON can hold it: its columns, and its rows by the keys of the columns."""
    from cosem.cli.facts import name_of

    layout = table.layout
    return {
        "obis": str(layout.logical_name),
        "name": name_of(layout.logical_name),
        "capture_period": layout.capture_period,
        "selected_by": table.selected_by,
        "columns": [
            {
                "key": column.key,
                "obis": str(column.logical_name),
                "name": name_of(column.logical_name),
                "class_id": column.class_id,
                "attribute": column.attribute,
                "unit": column.unit,
            }
            for column in table.columns
        ],
        "rows": [{key: plain(value) for key, value in row.items()} for row in table.to_dicts()],
    }


def times_text(values: Sequence[Any]) -> tuple[str, list[str]]:
    """Return the zone that all moments share, and the moments without it; no seconds if all are 0.

    >>> from datetime import UTC
    >>> times_text([datetime(2026, 3, 1, 0, 15, tzinfo=UTC), None])
    ('UTC', ['2026-03-01 00:15', '-'])
    """
    moments = [value for value in values if isinstance(value, datetime)]
    zones = {moment.strftime("%z") for moment in moments}
    zone = zones.pop() if len(zones) == 1 else ""
    shared = bool(zone) or not zones
    whole = all(moment.second == 0 and moment.microsecond == 0 for moment in moments)
    form = f"%Y-%m-%d %H:%M{'' if whole else ':%S'}{'' if shared else '%z'}"
    texts = [value.strftime(form) if isinstance(value, datetime) else human(value) for value in values]
    named = "UTC" if zone == "+0000" else f"UTC{zone[:3]}:{zone[3:5]}" if zone else ""
    return named, texts


def show_table(table: ProfileTable) -> None:
    """Write the rows as a table."""
    from cosem.cli.output import Column as Shown
    from cosem.cli.output import print_table

    columns: list[Shown] = []
    cells: list[list[str]] = []
    for index, column in enumerate(table.columns):
        values = table.column(index)
        if column.is_clock:
            zone, texts = times_text(values)
            columns.append(Shown("time", zone, style="cyan"))
        else:
            texts = [human(value) for value in values]
            columns.append(Shown(column.key, column.unit, right=numbers_of(values) is not None))
        cells.append(texts)
    print_table(columns, list(zip(*cells, strict=True)))


def numbers_of(values: Sequence[Any]) -> list[float] | None:
    """Return the values as numbers for a plot, gaps left out; ``None`` if they are no numbers."""
    numbers = [
        float(value) for value in values if isinstance(value, (int, float, Decimal)) and value is not True
    ]
    present = sum(value is not None for value in values)
    return numbers if numbers and len(numbers) == present else None


def is_total(column: Column) -> bool:
    """Return whether a column counts up since the meter was installed, so that its steps are what happened."""
    return column.logical_name.d == 8


def steps_of(column: Column, values: Sequence[Any]) -> list[float] | None:
    """Return what to plot of a column: the numbers, or the steps between those of a total; ``None`` for nothing."""
    numbers = numbers_of(values)
    if numbers is None or not is_total(column):
        return numbers
    return [max(after - before, 0.0) for before, after in pairwise(numbers)]


def plots(table: ProfileTable) -> list[str]:
    """Return two lines for each column of numbers: what it is, and how it went."""
    from cosem.cli.facts import name_of

    lines = []
    for index, column in enumerate(table.columns):
        if column.is_clock:
            continue
        points = steps_of(column, table.column(index))
        if points is None or len(points) < 2 or column.unit == "":
            continue
        kind = "from row to row" if is_total(column) else ""
        span = f"{min(points):,.6g} to {max(points):,.6g} {column.unit}".rstrip()
        name = name_of(column.logical_name)
        lines += [
            f"\n{column.key} {name}: {' '.join(filter(None, (span, kind)))}",
            sparkline(points, _PLOT, blocks=can_show(_BLOCKS)),
        ]
    return lines
