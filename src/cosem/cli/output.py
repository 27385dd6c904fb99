"""What the verbs print: tables and trees for people, JSON for machines.

On a terminal where `rich` is installed tables have colour; everywhere else they are plain text. JSON is exact:
decimals are written as numbers with all their digits, octets as hexadecimal text.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from cosem.types.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from cosem.translate.explain import Explanation

__all__ = [
    "Column",
    "can_show",
    "console",
    "human",
    "json_text",
    "plain",
    "print_explanation",
    "print_json",
    "print_table",
]

_LINE: Final = 100
"""JSON that fits into so many columns is written in one line."""
_RECORD: Final = 240
"""The same for an object or list that holds no other: a row of a table stays in one line."""
_NARROWEST: Final = 16
"""Columns of text that may be broken keep this width."""
_MOST_DIGITS: Final = 24
"""A longer number is shown to people in scientific notation."""
_MOST_ZEROS: Final = 20
"""A decimal with a larger exponent is written with one."""


def is_terminal() -> bool:
    """Return whether a person with a terminal that can do more than print lines reads standard output."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def console() -> Console | None:
    """Return what writes in colour, or ``None`` where plain text is wanted or `rich` is not installed."""
    if not is_terminal() or find_spec("rich") is None:
        return None
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def can_show(text: str) -> bool:
    """Return whether standard output has these signs."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# JSON -----------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, without its type: octets as hexadecimal, moments as ISO 8601.

    >>> from cosem.types.data import OctetString, Structure, Unsigned
    >>> plain(Structure((Unsigned(3), OctetString(b"ab"), None)))
    [3, '6162', None]
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return value if value.is_finite() else _not_finite(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _not_finite(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex().upper()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(member) for member in value]
    if hasattr(value, "isoformat"):  # date, time and datetime of Python
        return value.isoformat()
    return _moment(value)


def _not_finite(value: float | Decimal) -> str:
    """Return the word for what JSON has no number for, the same for every type of number."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _moment(value: Any) -> str:
    """Return a date-time as ISO 8601 where it is a moment; a pattern, and whatever else, in its own words."""
    if hasattr(value, "to_datetime"):
        try:
            moment: str = value.to_datetime().isoformat()
        except ValueError:
            return str(value)
        return moment
    return str(value)


def json_text(value: Any) -> str:
    """Return the JSON of what :func:`plain` gives, in lines that a person can read.

    >>> print(json_text({"value": Decimal("12345.670"), "unit": "kWh"}))
    {"value": 12345.670, "unit": "kWh"}
    """
    ascii_only = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "") != "utf8"
    return _json(value, "", ascii_only)


def _json(value: Any, indent: str, ascii_only: bool) -> str:
    if isinstance(value, Decimal):
        return _number(value)
    if not isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    inner = f"{indent}  "
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(str(name), ensure_ascii=ascii_only)}: {_json(member, inner, ascii_only)}"
            for name, member in value.items()
        ]
    else:
        parts = [_json(member, inner, ascii_only) for member in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    line = f"{opening}{', '.join(parts)}{closing}"
    members = value.values() if isinstance(value, dict) else value
    flat = not any(isinstance(member, (dict, list, tuple)) for member in members)
    several = isinstance(value, list) and any(isinstance(member, dict) and member for member in value)
    if len(indent) + len(line) <= (_RECORD if flat else _LINE) and "\n" not in line and not several:
        return line
    separator = f",\n{inner}"
    return f"{opening}\n{inner}{separator.join(parts)}\n{indent}{closing}"


def _number(value: Decimal) -> str:
    """Return a decimal as a number of JSON with all its digits; what JSON has no number for is text."""
    if not value.is_finite():
        return json.dumps(_not_finite(value))
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -_MOST_ZEROS <= exponent <= _MOST_ZEROS:
        return format(value, "f")
    return str(value)


def print_json(value: Any) -> None:
    """Write a value to standard output as JSON."""
    print(json_text(plain(value)))


# Text for people ------------------------------------------------------------------------------------------------


def _short(value: Decimal) -> str:
    """Return a decimal in digits; in scientific notation where most of them would be zeros of a scaler.

    >>> _short(Decimal(5 * 10**127)), _short(Decimal("5E-120")), _short(Decimal("-12.50"))
    ('5E+127', '5E-120', '-12.50')
    """
    text = _number(value)
    if len(text) <= _MOST_DIGITS:
        return text
    if value.as_tuple().exponent != 0:
        return str(value)
    kept = text.rstrip("0")
    return str(Decimal(f"{kept}E{len(text) - len(kept)}"))


def human(value: Any) -> str:
    r"""Return a value in one line, for people: text where octets are text, moments as dates.

    >>> human(b"meter"), human(b"\x00\x01"), human(Decimal("12.50"))
    ('meter', '0001', '12.50')
    """
    if value is None:
        return "-"
    if isinstance(value, (Decimal, float)) and not math.isfinite(value):
        return _not_finite(value)
    if isinstance(value, Decimal):
        return _short(value)
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (bytes, bytearray)):
        from cosem.types.data import OctetString

        text = OctetString(value).text
        return text if text is not None and len(value) > 1 else bytes(value).hex().upper() or "(empty)"
    if hasattr(value, "isoformat") and not hasattr(value, "octets"):
        shown: str = (
            value.isoformat(" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat()
        )
        return shown
    if isinstance(value, (tuple, list)):
        return f"{{{', '.join(human(member) for member in value)}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(str(value))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        heading: What stands above it.
        unit: What stands after the heading, or below it on a terminal.
        right: Whether its cells end in one line, as numbers do.
        style: Its colour on a terminal, in the words of `rich`.
        wrap: Whether long cells may be broken on a terminal.
    """

    heading: str
    unit: str = ""
    right: bool = False
    style: str = ""
    wrap: bool = False

    @property
    def title(self) -> str:
        """Heading and unit in one line."""
        return f"{self.heading} {self.unit}".rstrip()


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output."""
    colour = console()
    if colour is None:
        for line in _plain_table(columns, rows):
            print(line)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    needed = 3 * (len(columns) - 1)
    for index, column in enumerate(columns):
        width = max(len(column.heading), len(column.unit), *(len(row[index]) for row in rows), 0)
        needed += min(width, _NARROWEST) if column.wrap else width
        table.add_column(
            f"{column.heading}\n{column.unit}".rstrip(),
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=not column.wrap,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # No value is ever cut off: a table that is too wide goes over the edge.
    colour.width = max(needed, colour.width)
    colour.print(table)


def _plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [
        max(len(column.title), *(len(row[index]) for row in rows), 0) for index, column in enumerate(columns)
    ]
    lines = [[column.title for column in columns], ["-" * width for width in widths], *rows]
    return [
        "  ".join(
            cell.rjust(width) if column.right else cell.ljust(width)
            for column, cell, width in zip(columns, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def print_explanation(explanation: Explanation) -> None:
    """Write a message that was taken apart: offsets, octets and meaning."""
    colour = console()
    if colour is None:
        print(explanation.text())
        return
    from rich.text import Text

    for line in explanation.text().splitlines():
        if line.startswith("finding: "):
            colour.print(Text(line, style="yellow"), soft_wrap=True)
            continue
        offset, octets, meaning = line[:7], line[7:48], line[48:]
        name, equals, value = meaning.partition(" = ")
        shown = Text.assemble((offset, "dim"), (octets, "cyan"), name, equals)
        text, bracket, note = value.partition("  (")
        shown.append(text, "bold")
        shown.append(f"{bracket}{note}", "green")
        colour.print(shown, soft_wrap=True)
