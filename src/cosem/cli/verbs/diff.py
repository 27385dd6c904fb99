"""Compare two meters, or dumps of meters: objects, versions, rights, and what is configured.

METER is a URL or a file that cosem dump wrote, and so is OTHER; the options of the association hold for both.
Values that a meter changes by itself, such as readings, counters, states and buffers, count only with --all; how many
of them differ is told. Those of Data count, except where the name says that they are counted or a state.

The exit status is 0 where there is no difference, and 1 where there is one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_connection_options
from cosem.cli.records import taken_down

if TYPE_CHECKING:
    from cosem.translate.meter_diff import Difference

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem diff sim: sim:", "two meters that are alike"),
    ("cosem diff sim:water sim:water --json", "for machines"),
    ("cosem diff before.toml tcp://10.0.0.7", "what was changed since the dump"),
)
_LONGEST: Final = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser, files=True)
    parser.add_argument("other", metavar="OTHER", help="the other one: its URL, or the file of a dump")
    parser.add_argument("--all", action="store_true", help="compare what the meter changes by itself, too")


def run(options: argparse.Namespace) -> int:
    """Compare the meters."""
    from cosem.translate.meter_diff import differences, left_out

    first = taken_down(options, options.url, buffers=options.all)
    second = taken_down(options, options.other, buffers=options.all)
    found = list(differences(first, second, dynamic=options.all))
    others = 0 if options.all else left_out(first, second)
    if options.json:
        from cosem.cli.output import print_json

        print_json({"equal": not found, "differences": [_facts(each) for each in found], "left_out": others})
        return 1 if found else 0
    if found:
        _show(found)
    else:
        print(f"no difference in {len(first.objects)} objects")
    if others:
        print(f"left out: {others} that the meter changes by itself; --all compares them, too")
    return 1 if found else 0


def _facts(each: Difference) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "kind": each.kind,
        "obis": str(each.logical_name),
        "class_id": each.class_id,
    }
    if each.kind == "value":
        facts["attribute"] = each.number
        facts["attribute_name"] = each.attribute
    if not each.kind.startswith("only"):
        facts["before"] = _data(each, each.before, first=True)
        facts["after"] = _data(each, each.after, first=False)
    return facts


def _data(each: Difference, value: Any, *, first: bool) -> Any:
    from cosem.translate.data_json import data_to_json
    from cosem.types.enumerations import DataAccessResult

    if each.kind != "value":
        return value
    if each.missing == (1 if first else 2):
        return None
    return str(value) if isinstance(value, DataAccessResult) else data_to_json(value)


def _show(found: list[Difference]) -> None:
    from cosem.cli.facts import name_of, short_name
    from cosem.cli.output import Column, print_table

    columns = [
        Column("OBIS", style="cyan"),
        Column("name", style="bold", wrap=True),
        Column("what"),
        Column("METER", style="red", wrap=True),
        Column("OTHER", style="green", wrap=True),
    ]
    rows = [
        (
            short_name(each.logical_name),
            name_of(each.logical_name),
            (each.attribute or f"attribute {each.number}") if each.kind == "value" else each.kind,
            _text(each, each.before, first=True),
            _text(each, each.after, first=False),
        )
        for each in found
    ]
    print_table(columns, rows)


def _text(each: Difference, value: Any, *, first: bool) -> str:
    from cosem.translate.data_items import value_text
    from cosem.types.enumerations import DataAccessResult

    if each.kind.startswith("only"):
        return "yes" if first is (each.kind == "only in the first") else "no"
    if each.kind != "value":
        return str(value)
    if each.missing == (1 if first else 2):
        return "(none)"
    if isinstance(value, DataAccessResult):
        return f"({value})"
    text = value_text(value) or "null-data"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
