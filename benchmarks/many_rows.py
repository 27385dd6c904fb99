"""100,000 rows to columns, beside copying their octets: no peer has columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import inputs

__all__ = ["report"]


def best(function: Callable[[], Any], rounds: int) -> float:
    """Return the least CPU seconds of some calls."""
    found = []
    for _ in range(rounds):
        start = time.process_time_ns()
        function()
        found.append(time.process_time_ns() - start)
    return min(found) / 1e9


def report(rounds: int) -> None:
    """Print octets a second, and how many times longer than copying it takes."""
    from cosem.codec.columns import decode_columns
    from cosem.codec.row_template import decode_rows
    from cosem.errors import UnsupportedError

    octets = inputs.many()
    try:
        times, *_, last = decode_columns(octets, {0})
    except UnsupportedError as error:
        print(f"\n{inputs.MANY_ROWS:,} rows: {error}")
        return
    assert len(times.values) == inputs.MANY_ROWS
    assert last.values[-1] == 11 * (inputs.MANY_ROWS - 1)
    copying = best(lambda: bytearray(octets), 3 * rounds)
    print(f"\n| {inputs.MANY_ROWS:,} rows, {len(octets):,} octets | ms CPU | GB/s | x copying | to reach |")
    print("|---|--:|--:|--:|---|")
    cases: list[tuple[str, Callable[[], Any], str]] = [
        ("columns (numpy)", lambda: decode_columns(octets, {0}), "1 GB/s, 40 x copying"),
        ("tuples (standard library)", lambda: decode_rows(octets), ""),
    ]
    for name, function, goal in cases:
        taken = best(function, 3 * rounds)
        rate = len(octets) / taken / 1e9
        print(f"| {name} | {1000 * taken:.2f} | {rate:.2f} | {taken / copying:.0f} | {goal} |")
