"""Write one attribute of an object.

A bare value takes the type that the attribute has now; any other says its type.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from cosem.cli.connection import add_class_option, add_connection_options, connected, converter, logical_name
from cosem.cli.members import member
from cosem.cli.values import HELP, parse_value, says_its_type

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem set sim: 0-0:1.0.0 time now --client 1 --password 87654321", "set the clock"),
    (
        "cosem set sim: 0-0:1.0.0 time_zone -60 --client 1 --password 87654321",
        "a bare value has the type of the present one",
    ),
    (
        "cosem set 'sim:?client=1' 0-0:1.0.0 3 long:60 --password 87654321 --json",
        "an attribute by its number, for machines",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    add_class_option(parser)
    parser.add_argument("name", metavar="OBIS", type=logical_name, help="the object")
    parser.add_argument(
        "attribute", metavar="ATTRIBUTE", type=converter(member), help="its number or its name"
    )
    parser.add_argument("value", metavar="VALUE", help="see below")
    parser.epilog = f"{HELP}\n{parser.epilog}"


def run(options: argparse.Namespace) -> int:
    """Write the attribute."""
    from cosem.client.operations.attributes import data_of
    from cosem.types.data import NULL_DATA
    from cosem.types.date_time import Date, DateTime, Time

    typed = says_its_type(options.value)
    value = parse_value(options.value) if typed else None
    before = None
    with connected(options) as meter:
        if not typed:
            before = meter.get(options.name, options.attribute, class_id=options.class_id)
            value = parse_value(options.value, like=before, coerce=_left_to_the_class)
        if isinstance(
            value, (DateTime, Date, Time)
        ):  # which goes out as octets where the class has octets for it
            moment = value
            value = meter.run(
                lambda context: data_of(
                    context, meter.session, options.name, options.attribute, moment, options.class_id
                )
            )
        meter.set(
            options.name,
            options.attribute,
            NULL_DATA if typed and value is None else value,
            class_id=options.class_id,
        )
    if options.json:
        from cosem.cli.output import print_json

        print_json(_facts(options, value, before, typed=typed))
    else:
        from cosem.cli.facts import short_name, value_lines

        was = "" if typed else f" (was {value_lines(before)[0]})"
        print(f"{short_name(options.name)} {options.attribute}: {_shown(value)}{was}")
    return 0


def _left_to_the_class(value: Any) -> Any:
    """Return a Python value as it is: the client makes Data of it as the class declares."""
    return value


def _is_data(value: Any) -> bool:
    return value is None or isinstance(value, bool) or hasattr(value, "tag")


def _shown(value: Any) -> str:
    from cosem.cli.facts import value_lines
    from cosem.cli.output import json_text

    return "\n".join(value_lines(value)) if _is_data(value) else json_text(value)


def _facts(options: argparse.Namespace, value: Any, before: Any, *, typed: bool) -> dict[str, Any]:
    from cosem.cli.facts import name_of
    from cosem.cli.output import plain
    from cosem.translate.data_json import data_to_json

    facts = {
        "obis": str(options.name),
        "name": name_of(options.name),
        "attribute": options.attribute,
        "value": plain(value),
    }
    if _is_data(value):
        facts["data"] = data_to_json(value)
    if not typed:
        facts["before"] = data_to_json(before)
    return facts
