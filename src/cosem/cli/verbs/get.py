"""Read attributes as they are, with their types.

1-0:1.8.0:3 is attribute 3 of the object, 1-0:1.8.0.scaler_unit the same by its name. Without either it is
attribute 2, which holds the value in most classes. What the value means, with its unit, is told by cosem read.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_class_option, add_connection_options, connected, converter
from cosem.cli.facts import status_of
from cosem.cli.members import split_target

if TYPE_CHECKING:
    from cosem.client.results import Result

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem get sim: 1-0:1.8.0", "attribute 2 of a register"),
    ("cosem get sim: 1-0:1.8.0.scaler_unit", "an attribute by its name"),
    ("cosem get sim: 0-0:1.0.0:3 0-0:1.0.0:8 --json", "by number, for machines"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    add_class_option(parser)
    parser.add_argument(
        "targets",
        metavar="OBIS[:NUMBER|.NAME]",
        nargs="+",
        type=converter(split_target),
        help="an attribute of an object, by its number or its name",
    )


def run(options: argparse.Namespace) -> int:
    """Read the attributes."""
    targets = [
        (name, 2 if attribute is None else attribute, options.class_id) for name, attribute in options.targets
    ]
    with connected(options) as meter:
        results = meter.get_many(targets)
    if options.json:
        from cosem.cli.output import print_json

        print_json([_facts(result) for result in results])
    else:
        for result in results:
            _show(result, several=len(results) > 1)
    return status_of("cosem get", results)


def _facts(result: Result[Any]) -> dict[str, Any]:
    from cosem.cli.facts import name_of, refusal_facts
    from cosem.cli.output import plain
    from cosem.translate.data_json import data_to_json

    if result.error is not None:
        return refusal_facts(result.logical_name, result.class_id, result.number, result.error)
    return {
        "obis": str(result.logical_name),
        "name": name_of(result.logical_name),
        "class_id": result.class_id,
        "attribute": result.number,
        "value": plain(result.value),
        "data": data_to_json(result.value),
    }


def _show(result: Result[Any], *, several: bool) -> None:
    from cosem.cli.facts import short_name, value_lines

    title = f"{short_name(result.logical_name)} attribute {result.number}: "
    if result.error is None:
        lines = value_lines(result.value)
    elif several:
        lines = ["refused"]
    else:
        return
    print(title + lines[0] if several else lines[0])
    for line in lines[1:]:
        print(line)
