"""The catalogue of OBIS codes: what a logical name means, and which names have a meaning.

The catalogue is a list of rows, specific ones first; the first row whose six
patterns match a code describes it. It is read when it is first asked.

>>> describe("1-0:1.8.0").short
'Active energy import (+A), total'
>>> search("active energy import total", limit=1)
(LogicalName('1.0.1.8.0.255'),)

(IEC 62056-6-1; Blue Book, clauses 6 and 7)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from typing import Final

from cosem.classes.obis_catalogue import ANY, TOKEN, Row, catalogue, fill, name_of_d
from cosem.errors import ConversionError
from cosem.types.logical_name import LogicalName

__all__ = ["ObisDescription", "describe", "search"]


@dataclass(frozen=True, slots=True)
class ObisDescription:
    """What a logical name means.

    Args:
        logical_name: The name.
        text: What the standard calls it, in full, for people; programs compare names, never texts.
        short: The same in fewer words, as people who read meters say it.
        medium: The medium of value group A, such as ``Electricity``; empty if reserved.
        unit_hint: The symbol of the usual unit, ``count`` for a plain number; empty if there is none or it
            is not fixed. The scaler_unit of the object always wins.
        class_ids: The classes that such an object usually has, the most usual first.
        known: Whether the standard gives the code a meaning, also if only that it belongs to somebody else.
    """

    logical_name: LogicalName
    text: str
    short: str
    medium: str
    unit_hint: str
    class_ids: tuple[int, ...]
    known: bool

    def __str__(self) -> str:
        return self.short


@lru_cache(maxsize=4096)
def _described(name: LogicalName) -> ObisDescription:
    found = catalogue()
    medium = found.media.get(str(name.a), "")
    for row in (*found.places.get((name.a, name.c), ()), *found.general):
        if all(number in pattern for number, pattern in zip(name, row.patterns, strict=True)):
            text = fill(row.description, name)
            return ObisDescription(
                name, text, _short(name, text), medium, row.unit, row.class_ids, known=True
            )
    unknown = "Reserved or unknown code"
    return ObisDescription(name, unknown, unknown, medium, "", (), known=False)


def describe(name: LogicalName | str | bytes) -> ObisDescription:
    """Return what a logical name means; of a code that the standard reserves, that it is unknown.

    Raises:
        ConversionError: It is no logical name.

    >>> description = describe("1-0:1.8.2*101")
    >>> description.text
    'Active energy+ (QI+QIV), sum of phases, time integral 1, rate 2, last billing period'
    >>> description.short, description.unit_hint, description.class_ids
    ('Active energy import (+A), rate 2, last billing period', 'Wh', (3, 4))
    """
    return _described(name if isinstance(name, LogicalName) else LogicalName.parse(name))


# How people say it.

_SHORTER: Final = {
    "Active energy+ (QI+QIV)": "Active energy import (+A)",
    "Active energy- (QII+QIII)": "Active energy export (-A)",
    "Active power+ (QI+QIV)": "Active power import (+P)",
    "Active power- (QII+QIII)": "Active power export (-P)",
    "Reactive energy+ (QI+QII)": "Reactive energy import (+R)",
    "Reactive energy- (QIII+QIV)": "Reactive energy export (-R)",
    "Reactive power+ (QI+QII)": "Reactive power import (+Q)",
    "Reactive power- (QIII+QIV)": "Reactive power export (-Q)",
    "Apparent energy+ (QI+QIV)": "Apparent energy import (+S)",
    "Apparent energy- (QII+QIII)": "Apparent energy export (-S)",
    "Apparent power+ (QI+QIV)": "Apparent power import (+S)",
    "Apparent power- (QII+QIII)": "Apparent power export (-S)",
    "sum of phases": "",
    "instantaneous value": "",
    "current value": "",
}
"""Parts of a description, and how they are said; what goes without saying is left out."""
_USUAL: Final = {
    "0-0:1.0.0*255": "Clock",
    "1-3:0.2.8*255": "Version of the P1 telegram",
    "0-0:13.0.0*255": "Activity calendar",
    "0-0:17.0.0*255": "Limiter",
    "0-0:42.0.0*255": "Logical device name",
    "0-0:43.0.0*255": "Security setup",
    "0-0:43.1.0*255": "Invocation counter",
    "0-0:44.0.0*255": "Image transfer",
    "0-0:96.1.0*255": "Serial number",
    "0-0:96.3.10*255": "Disconnect control",
    "0-0:96.14.0*255": "Active tariff",
    "0-0:97.97.0*255": "Error register",
    "0-0:97.98.0*255": "Alarm register",
    "0-0:98.1.0*255": "Billing data",
    "1-0:0.2.0*255": "Firmware identifier",
    "1-0:1.6.0*255": "Active power import (+P), maximum demand",
    "1-0:2.6.0*255": "Active power export (-P), maximum demand",
    "1-0:99.1.0*255": "Load profile 1",
    "1-0:99.2.0*255": "Load profile 2",
    "6-0:1.0.0*255": "Heat energy, total",
    "7-0:3.0.0*255": "Gas volume, total",
    "8-0:1.0.0*255": "Water volume, total",
    "9-0:1.0.0*255": "Hot water volume, total",
}
"""Codes that people have a name of their own for."""


def _short(name: LogicalName, text: str) -> str:
    return _USUAL.get(name.reduced) or _shorter(text)


def _shorter(text: str) -> str:
    """Return a description without what goes without saying, ``total`` of an instantaneous value included."""
    parts = text.split(", ")
    if "instantaneous value" in parts and parts[-1] == "total":
        parts.pop()
    if "time integral 1" in parts and "energy" in parts[0]:  # the reading of the meter
        parts.remove("time integral 1")
    said = (_SHORTER.get(part, part) for part in parts)
    return ", ".join(part for part in said if part)


# From words to names.

_WORD: Final = re.compile(r"[+-]?[a-z0-9°²³]+")
_CODE: Final = re.compile(r"(?:\d+-\d+:)?\d+\.\d+\.\d+(?:[.*]\d+)*|[0-9a-fA-F]{12}", re.ASCII)
_SAME: Final = {
    "imported": "import",
    "consumption": "import",
    "consumed": "import",
    "exported": "export",
    "produced": "export",
    "production": "export",
    "tariff": "rate",
    "max": "maximum",
    "min": "minimum",
    "kwh": "wh",
    "kw": "w",
    "kvarh": "varh",
    "kvar": "var",
}
"""Words of everyday use and the words of the catalogue; both are tried."""
_OF_E: Final = frozenset({"total", "rate", "harmonic", "harmonics", "thd", "tdd"})
"""Words that value group E adds, besides numbers."""
_INSTANCES: Final = (0, 1, 2, 3, 4)
"""The instances that are searched, besides the numbers in the query."""
_NO_WORDS: Final = ("Manufacturer", "Utility", "Consortia")
"""How descriptions begin that say only to whom a code belongs."""


def search(query: str, *, limit: int = 20) -> tuple[LogicalName, ...]:
    """Return the logical names whose description has all the words of ``query``, the plainest first.

    Args:
        query: Words in any order, whole or their beginnings, such as ``reactive export rate 2``; or a code
            in any form, where ``1.8.0`` means electricity.
        limit: How many names at most.

    Returns:
        Names of channel 0 and of the current billing period, unless a number in the query is a channel.

    >>> [name.reduced for name in search("current L2", limit=2)]
    ['1-0:51.7.0*255', '1-0:51.3.0*255']
    """
    if _CODE.fullmatch(query.strip()):
        return _by_code(query.strip())[:limit]
    words = [_SAME.get(word, word) for word in _words(query)]
    if not words:
        return ()
    candidates = set(map(LogicalName, _USUAL))
    for row, fixed in _searchable():
        missing = [word for word in words if not _is_in(word, fixed)]
        if not missing or "{" in row.description:
            candidates.update(_names(row, words, missing))
    ranked = [(rank, name) for name in candidates if (rank := _rank(words, name)) is not None]
    return tuple(name for _, name in sorted(ranked)[:limit])


def _by_code(code: str) -> tuple[LogicalName, ...]:
    try:
        return (
            LogicalName.parse(
                code if "-" in code or len(code) == 12 or code.count(".") > 3 else f"1-0:{code}"
            ),
        )
    except ConversionError:
        return ()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _is_in(word: str, words: Iterable[str]) -> bool:
    """Whether a word is among ``words``, or begins one of them; numbers must be whole."""
    return word in words or (not word.isdecimal() and any(known.startswith(word) for known in words))


@cache
def _searchable() -> tuple[tuple[Row, frozenset[str]], ...]:
    """The rows with a meaning, each with the words that all of its names have."""
    known = catalogue()
    found = []
    for row in known.rows:
        text = TOKEN.sub("", row.description)
        if text.startswith(_NO_WORDS):
            continue
        media = (known.media.get(str(a), "") for a in row.patterns[0])
        found.append((row, frozenset(_words(" ".join((text, _shorter(text), row.unit, *media))))))
    return tuple(found)


def _names(row: Row, words: list[str], missing: list[str]) -> Iterable[LogicalName]:
    """Return the names of a row that may have the missing words: in the name of D, or in a number."""
    digits = [int(word) for word in words if word.isdecimal() and int(word) < ANY]
    groups = [_choices(row, index, digits) for index in range(6)]
    if "{Etariff}" in row.description or "{Eharm}" in row.description:
        wanted = {0, *digits}
        if any(word != "total" and word.startswith(tuple(_OF_E)) for word in words):
            wanted |= {*_INSTANCES, 124, 125, 126, 127} if "{Eharm}" in row.description else {*_INSTANCES}
        groups[4] = sorted(wanted & row.patterns[4]) or groups[4]
    if "{Dname}" in row.description:
        of_d = [word for word in missing if not word.isdecimal() and not _is_in(word, _OF_E)]
        first = LogicalName(tuple(group[0] for group in groups))
        groups[3] = [
            d
            for d in sorted(row.patterns[3])
            if all(_is_in(word, _words(name_of_d(LogicalName((*first[:3], d, *first[4:]))))) for word in of_d)
        ]
    return (LogicalName(groups_of_one) for groups_of_one in product(*groups))


def _choices(row: Row, index: int, digits: list[int]) -> list[int]:
    """Return the numbers of a value group to try: those that the text would tell, else the lowest one."""
    pattern = row.patterns[index]
    if index == 0 and len(pattern) < ANY:
        return sorted(pattern)
    told = [match for match in TOKEN.finditer(row.description) if match["group"] == "ABCDEF"[index]]
    if not told:
        return [255 if index == 5 and 255 in pattern else min(pattern)]
    instances = _INSTANCES[1:] if "channel {B}" in row.description and index == 1 else _INSTANCES
    wanted = {
        number - int(match["offset"] or 0) for match in told for number in (*instances, *digits)
    } & pattern
    return sorted(wanted) or [min(pattern)]


def _rank(words: list[str], name: LogicalName) -> tuple[bool, int, bool, bool] | None:
    """Return what sorts the plainest names first, or ``None`` if the description lacks a word."""
    description = _described(name)
    short = _words(description.short)
    every = {*short, *_words(f"{description.text} {description.medium} {description.unit_hint}")}
    if not all(_is_in(word, every) for word in words):
        return None
    usual = name.reduced in _USUAL and len(short) <= 4
    return not usual, len(short), name.d != 7, name.a > 1
