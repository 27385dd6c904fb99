"""List the interface classes that cosem knows, or show one: its attributes and methods with their numbers and types.

Named by class_id, by class_id:version, or by a part of the name.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from cosem.classes.base import InterfaceClass

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem classes", "all of them"),
    ("cosem classes 7", "the newest Profile generic, in full"),
    ("cosem classes 15:1", "one version of Association LN"),
    ("cosem classes --json clock", "for machines"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "name",
        metavar="CLASS",
        nargs="?",
        help="class_id, class_id:version, or a part of the name; all by default",
    )


def run(options: argparse.Namespace) -> int:
    """List the classes, or show one."""
    found = _found(options.name)
    if options.json:
        from cosem.cli.output import print_json

        print_json([_facts(each) for each in found])
    elif len(found) == 1:
        _show(found[0])
    else:
        _list(found)
    return 0


def _found(name: str | None) -> list[type[InterfaceClass]]:
    from cosem.classes.registry import all_classes, class_of

    if name is None:
        return list(all_classes())
    class_id, colon, version = name.partition(":")
    if (
        class_id.isdecimal()
        and class_id.isascii()
        and (not colon or (version.isdecimal() and version.isascii()))
    ):
        one = class_of(int(class_id), int(version) if colon else None)
        if one is None:
            raise ConfigurationError(f"no class {name} is known; cosem classes lists them")
        return [one]
    wanted = name.lower()
    many = [each for each in all_classes() if wanted in each.title.lower()]
    if not many:
        raise ConfigurationError(f"no class has {name!r} in its name; cosem classes lists them")
    exact = [each for each in many if each.title.lower() == wanted]
    return [exact[-1]] if exact else many


def _facts(declared: type[InterfaceClass]) -> dict[str, Any]:
    return {
        "class_id": declared.class_id,
        "version": declared.version,
        "name": declared.title,
        "attributes": [
            {"id": each.number, "name": each.printed_name, "type": str(each.data_type)}
            for each in declared.attributes
        ],
        "methods": [{"id": each.number, "name": each.name} for each in declared.methods],
    }


def _list(found: list[type[InterfaceClass]]) -> None:
    from cosem.cli.output import Column, print_table

    columns = (
        Column("class", right=True, style="cyan"),
        Column("version", right=True),
        Column("name", style="bold"),
        Column("attributes", right=True),
        Column("methods", right=True),
    )
    rows = [
        (str(each.class_id), str(each.version), each.title, str(len(each.attributes)), str(len(each.methods)))
        for each in found
    ]
    print_table(columns, rows)


def _show(declared: type[InterfaceClass]) -> None:
    from cosem.cli.output import Column, print_table

    print(f"{declared.title}: class_id {declared.class_id}, version {declared.version}\n")
    rows = [(str(each.number), each.printed_name, str(each.data_type)) for each in declared.attributes]
    print_table(
        (
            Column("attribute", right=True, style="cyan"),
            Column("name", style="bold"),
            Column("type", wrap=True),
        ),
        rows,
    )
    if declared.methods:
        print()
        calls = [(str(each.number), each.name, str(each.parameter_type)) for each in declared.methods]
        print_table(
            (
                Column("method", right=True, style="cyan"),
                Column("name", style="bold"),
                Column("parameter", wrap=True),
            ),
            calls,
        )
