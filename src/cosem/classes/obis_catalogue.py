"""The rows of the catalogue of OBIS codes, and the texts that they give.

The rows lie beside this module as JSON, specific ones first, and are read when they
are first asked for.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from cosem.types.logical_name import LogicalName

__all__ = ["ANY", "TOKEN", "Catalogue", "Row", "catalogue", "fill", "name_of_d"]


class Row(NamedTuple):
    """The numbers that each value group may have, and what such a code means."""

    patterns: tuple[frozenset[int], ...]
    description: str
    class_ids: tuple[int, ...]
    unit: str


class Catalogue(NamedTuple):
    """The content of the file; media and names of D by numbers as texts."""

    media: dict[str, str]
    d_names: dict[str, dict[str, str]]
    rows: tuple[Row, ...]
    places: dict[tuple[int, int], list[Row]]
    """The rows of certain media by value groups A and C, in their order."""
    general: tuple[Row, ...]
    """The rows of every medium, which stand behind all others."""


ANY: Final = 256
"""How many numbers the pattern ``*`` takes."""


@lru_cache(maxsize=512)
def _numbers(pattern: str) -> frozenset[int]:
    """Return the numbers that a pattern takes: ``*``, or a comma list of ``n`` and ``n-m``."""
    if pattern == "*":
        return frozenset(range(ANY))
    found: set[int] = set()
    for part in pattern.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue, read at the first call."""
    octets = pkgutil.get_data("cosem.classes", "obis_catalogue.json") or b"{}"
    content: dict[str, Any] = json.loads(octets)
    rows = tuple(
        Row(tuple(map(_numbers, patterns.split())), description, tuple(class_ids), unit)
        for patterns, description, class_ids, unit in content["rows"]
    )
    places: dict[tuple[int, int], list[Row]] = {}
    general = tuple(row for row in rows if len(row.patterns[0]) == ANY)
    for row in rows[: len(rows) - len(general)]:
        for a in row.patterns[0]:
            for c in row.patterns[2]:
                places.setdefault((a, c), []).append(row)
    return Catalogue(content["media"], content["d_names"], rows, places, general)


# What stands in braces in the catalogue.

TOKEN: Final = re.compile(r"\{(?P<group>[A-F])(?P<offset>[+-]\d+)?\}|\{(?P<word>\w+)\}")
_GAS_NAMES: Final = (
    ("7:volume", _numbers("1-8,11-16,21-26,31-36,61-66")),
    ("7:flow", _numbers("43")),
    ("7:process", _numbers("41,42,44-49")),
    ("7:factor", _numbers("51-55")),
)
_THRESHOLDS: Final = range(31, 43)
"""D of electricity for which F counts thresholds and not billing periods."""


def fill(description: str, name: LogicalName) -> str:
    """Return a description with what its tokens say of ``name``."""

    def one(match: re.Match[str]) -> str:
        if match["group"]:
            return str(name["ABCDEF".index(match["group"])] + int(match["offset"] or 0))
        return _WORDS[match["word"]](name)

    return TOKEN.sub(one, description)


def name_of_d(name: LogicalName) -> str:
    """Return what value group D means in this medium."""
    key = str(name.a)
    if name.a == 7:
        key = next((known for known, quantities in _GAS_NAMES if name.c in quantities), key)
    return catalogue().d_names.get(key, {}).get(str(name.d)) or f"D={name.d}"


def _tariff(name: LogicalName) -> str:
    if name.e == 0:
        return "total"
    return f"rate {name.e}" if name.e < 64 else f"E={name.e} (reserved)"


def _harmonic(name: LogicalName) -> str:
    special = {
        0: "total",
        124: "THD",
        125: "TDD",
        126: "all harmonics",
        127: "all harmonics to nominal ratio",
    }
    if name.e in special:
        return special[name.e]
    return f"harmonic {name.e}" if name.e <= 120 else f"E={name.e} (reserved)"


def _billing_period(name: LogicalName) -> str:
    f = name.f
    if f == 255:
        return ""
    if f <= 99:
        counts_thresholds = name.a == 1 and name.d in _THRESHOLDS
        return f", threshold #{f + 1}" if counts_thresholds else f", billing period VZ={f}"
    if f == 101:
        return ", last billing period"
    if f <= 125 and f != 100:
        return f", {_ordinal(f - 100)} last billing period"
    return ", all previous billing periods" if f == 126 else f", F={f} (reserved)"


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


_WORDS: Final[dict[str, Callable[[LogicalName], str]]] = {
    "Dname": name_of_d,
    "Etariff": _tariff,
    "Eharm": _harmonic,
    "Fbill": _billing_period,
    "table": lambda name: str(name.d % 16 * 128 + name.e),
}
