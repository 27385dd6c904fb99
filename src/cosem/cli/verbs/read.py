"""Read objects by their OBIS codes.

Registers come scaled and with their unit, the clock as a date and time, texts as text, and whatever else an object
holds as it is. The exit status is 1 if the meter refused one of them; the others are shown all the same.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_connection_options, connected, logical_name
from cosem.cli.facts import status_of

if TYPE_CHECKING:
    from cosem.client.results import Reading, Result

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem read sim: 1-0:1.8.0", "one register of the demonstration meter"),
    ("cosem read sim: 0-0:1.0.0 1-0:1.8.0 1-0:2.8.0 --json", "several, for machines"),
    ("cosem read tcp://10.0.0.7 1-0:1.8.0 --client 1 --password @password.txt", "with a password"),
)

_FEW: Final = 8
"""Lists of so many elements are shown."""
_WIDEST: Final = 300
"""Lists with more signs are not; JSON has all of them."""
_LISTS: Final = {(7, 2): ("row", "profile"), (12, 2): ("object", "objects"), (15, 2): ("object", "objects")}
"""What the elements of long lists are, and what shows them, by class and attribute."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    parser.add_argument(
        "names", metavar="OBIS", nargs="+", type=logical_name, help="1-0:1.8.0, 1.0.1.8.0.255 or 0100010800FF"
    )


def run(options: argparse.Namespace) -> int:
    """Read the objects."""
    with connected(options) as meter:
        results = meter.read_many(options.names)
    if options.json:
        from cosem.cli.output import print_json

        print_json([_facts(result) for result in results])
    else:
        show_readings(results)
    return status_of("cosem read", results)


def _facts(result: Result[Reading]) -> dict[str, Any]:
    from cosem.cli.facts import reading_facts, refusal_facts

    if result.error is None:
        return reading_facts(result.value)
    return refusal_facts(result.logical_name, result.class_id, result.number, result.error)


def show_readings(results: list[Result[Reading]]) -> None:
    """Write readings and refusals as a table."""
    from cosem.cli.facts import name_of, short_name
    from cosem.cli.output import Column, print_table

    rows: list[tuple[str, ...]] = []
    for result in results:
        if result.error is None:
            reading = result.value
            row = (short_name(reading.obis), reading.name, _shortened(reading), reading.unit)
        else:
            row = (short_name(result.logical_name), name_of(result.logical_name), "refused", "")
        rows.append(row)
    columns = [
        Column("OBIS", style="cyan"),
        Column("name", wrap=True),
        Column("value", right=True, style="bold", wrap=True),
        Column("unit", style="green"),
    ]
    if not any(row[3] for row in rows):
        columns, rows = columns[:3], [row[:3] for row in rows]
    print_table(columns, rows)


def _shortened(reading: Reading) -> str:
    """Return a value for people; of a long list how long it is, and which verb shows it."""
    from cosem.cli.output import human

    value = reading.value
    if not isinstance(value, (tuple, list)):
        return human(value)
    if len(value) <= _FEW and len(text := human(value)) <= _WIDEST:
        return text
    noun, verb = _LISTS.get((reading.class_id, reading.attribute), ("element", "get"))
    return f"{len(value):,} {noun}{'' if len(value) == 1 else 's'}: cosem {verb}"
