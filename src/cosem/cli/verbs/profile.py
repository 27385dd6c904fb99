"""Read a load profile, or any other profile, as a table with units.

Rows are chosen by time or by number; without either all of them are read. Registers are scaled, times that the
meter left out to save octets are filled in.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cosem.cli.connection import add_connection_options, connected, converter, logical_name
from cosem.errors import ConfigurationError, UnsupportedError

if TYPE_CHECKING:
    from cosem.client.profile_table import ProfileTable

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem profile sim: 1-0:99.1.0 --last 6h", "the last six hours"),
    ("cosem profile sim: 1-0:99.1.0 --last 7d -o week.csv", "a week, into a file"),
    (
        "cosem profile sim: 1-0:99.1.0 --last 7d -o week.parquet",
        "the same with types and units, for data frames",
    ),
    ("cosem profile sim: 1-0:99.1.0 --entries 1:4 --json", "the first four rows"),
    ("cosem profile tcp://10.0.0.7 1-0:99.1.0 --since 2026-11-01 --until 2026-11-07", "days of a real meter"),
)
_FORMATS: Final = (".csv", ".json", ".jsonl", ".parquet", ".arrow", ".feather")


def _entries(text: str) -> tuple[int, int] | int:
    """Return the first and the last row, or how many of the newest."""
    first, colon, last = text.partition(":")
    try:
        if not text.isascii():
            raise ValueError
        if not colon:
            return int(first)
        return int(first or "1"), int(last or "0")
    except ValueError:
        raise ConfigurationError(
            f"{text!r} are no rows; write them as 1:10, 11: or 96 (the newest)"
        ) from None


def _file(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in _FORMATS:
        raise ConfigurationError(f"{text!r} must end in {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}")
    return path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    parser.add_argument("name", metavar="OBIS", type=logical_name, help="the profile, for example 1-0:99.1.0")
    rows = parser.add_argument_group("rows")
    rows.add_argument("--last", metavar="SPAN", help="up to now: 7d, 36h, 90min")
    rows.add_argument(
        "--since", metavar="TIME", help="from then on: 2026-11-24 or 2026-11-24T08:00, in meter time"
    )
    rows.add_argument("--until", metavar="TIME", help="up to then, included")
    rows.add_argument(
        "--entries",
        metavar="A:B",
        type=converter(_entries),
        help="by number from 1 on: 1:10, 11:, or 96 (the newest)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=converter(_file),
        help="write to FILE.csv, .json, .jsonl (a row in each line), .parquet or .arrow instead",
    )
    parser.add_argument("--csv", action="store_true", help="CSV on standard output")


def run(options: argparse.Namespace) -> int:
    """Read the profile."""
    wanted = {
        "last": options.last,
        "since": options.since,
        "until": options.until,
        "entries": options.entries,
    }
    if options.csv + options.json + (options.output is not None) > 1:
        raise ConfigurationError("choose one of --csv, --json and --output")
    _check(wanted)
    if options.output is not None:
        _check_writer(options.output)
    with connected(options) as meter:
        table = meter.profile(options.name).read(**wanted)
    if options.output is not None:
        _write(table, options.output)
        print(f"{_rows(len(table))} written to {options.output}")
    elif options.csv:
        table.to_csv(sys.stdout)
    elif options.json:
        from cosem.cli.output import print_json
        from cosem.cli.profiles import profile_facts

        print_json(profile_facts(table))
    else:
        _show(table)
    return 0


def _check(wanted: dict[str, object]) -> None:
    """Refuse rows that contradict themselves before anything is connected."""
    from datetime import UTC, datetime

    from cosem.client.operations.profile import selection_of

    selection_of(**wanted, now=datetime.now(UTC))  # type: ignore[arg-type]


def _check_writer(path: Path) -> None:
    """Refuse a kind of file that nothing installed can write before anything is connected."""
    if path.suffix.lower() in {".csv", ".json", ".jsonl"}:
        return
    from importlib.util import find_spec

    if find_spec("pyarrow") is None and find_spec("polars") is None:
        raise UnsupportedError(
            f"{path.suffix} files need the package pyarrow, which is not installed: pip install 'cosem[arrow]'"
        )


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _write(table: ProfileTable, path: Path) -> None:
    kind = path.suffix.lower()
    if kind == ".csv":
        table.to_csv(path)
        return
    if kind not in (".json", ".jsonl"):
        write = table.to_parquet if kind == ".parquet" else table.to_arrow_file
        write(path)
        return
    from cosem.cli.output import json_text
    from cosem.cli.profiles import profile_facts

    facts = profile_facts(table)
    if kind == ".json":
        path.write_text(json_text(facts) + "\n", encoding="utf-8")
        return
    with path.open("w", encoding="utf-8", newline="\n") as file:
        # A text in JSON has no end of line: what ends a line is between the members of a long row.
        file.writelines(
            f"{' '.join(map(str.strip, json_text(row).split(chr(10))))}\n" for row in facts["rows"]
        )


def _show(table: ProfileTable) -> None:
    from cosem.cli.facts import name_of, short_name
    from cosem.cli.output import console
    from cosem.cli.profiles import plots, show_table

    if not len(table):
        print("no rows")
        return
    show_table(table)
    if console() is not None:
        layout = table.layout
        period = f", one every {layout.capture_period:,} s" if layout.capture_period else ""
        name = name_of(layout.logical_name)
        print(f"\n{short_name(layout.logical_name)} {name}: {_rows(len(table))}{period}")
        for line in plots(table):
            print(line)
