"""Call a method of an object, by its number or its name.

Methods that have nothing to be told get integer 0, as the standard wants it; the others need a parameter.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from cosem.cli.connection import add_class_option, add_connection_options, connected, converter, logical_name
from cosem.cli.members import member
from cosem.cli.values import HELP_OF_PARAMETERS, parse_value, says_its_type

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    (
        "cosem call sim: 0-0:1.0.0 adjust_to_minute --client 1 --password 87654321",
        "a method without parameter",
    ),
    (
        "cosem call sim: 0-0:1.0.0 shift_time 30 --client 1 --password 87654321",
        "a bare parameter has the type that the class declares",
    ),
    (
        "cosem call 'sim:?client=1' 0-0:96.3.10 1 --password 87654321 --json",
        "a method by its number, for machines",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    add_class_option(parser)
    parser.add_argument("name", metavar="OBIS", type=logical_name, help="the object")
    parser.add_argument("method", metavar="METHOD", type=converter(member), help="its number or its name")
    parser.add_argument(
        "parameter", metavar="PARAMETER", nargs="?", help="see below; for a method that takes one"
    )
    parser.epilog = f"{HELP_OF_PARAMETERS}\n{parser.epilog}"


def run(options: argparse.Namespace) -> int:
    """Call the method."""
    given = options.parameter
    parameter = None if given is None else parse_value(given, coerce=_left_to_the_class)
    if given is not None and parameter is None and says_its_type(given):
        from cosem.types.data import NULL_DATA

        parameter = NULL_DATA
    with connected(options) as meter:
        returned = meter.call(options.name, options.method, parameter, class_id=options.class_id)
    if options.json:
        from cosem.cli.facts import name_of
        from cosem.cli.output import plain, print_json
        from cosem.translate.data_json import data_to_json

        print_json(
            {
                "obis": str(options.name),
                "name": name_of(options.name),
                "method": options.method,
                "value": plain(returned),
                "data": data_to_json(returned),
            }
        )
    elif returned is None:
        print("done")
    else:
        from cosem.cli.facts import value_lines

        print("\n".join(value_lines(returned)))
    return 0


def _left_to_the_class(value: Any) -> Any:
    """Return a Python value as it is: the client makes Data of it as the method declares."""
    return value
