"""List the objects that this association sees: name, class, meaning, and what may be done with them.

v is the version of the class. Access is that of this association; another client address may see more. r, w and rw
stand before the numbers of attributes that can be read, written or both, and call before those of methods.
base is the base name in hexadecimal, where objects have short names.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_class_option, add_connection_options, connected

if TYPE_CHECKING:
    from cosem.client.results import ObjectEntry

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem objects sim:", "everything"),
    ("cosem objects sim: --class 3", "the registers"),
    ("cosem objects sim: --json", "for machines"),
    ("cosem objects sim: --short-names", "with their base names"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    add_class_option(parser, "only the objects of this class_id")


def run(options: argparse.Namespace) -> int:
    """List the objects."""
    with connected(options) as meter:
        entries = meter.objects()
    found = [entry for entry in entries if options.class_id in (None, entry.class_id)]
    if options.json:
        from cosem.cli.output import print_json

        print_json([_facts(entry) for entry in found])
    elif not found:
        wanted = "" if options.class_id is None else f" of class {options.class_id}"
        print(f"no objects{wanted}; {len(entries):,} in all")
    else:
        _show(found)
    return 0


def _facts(entry: ObjectEntry) -> dict[str, Any]:
    return {
        "obis": str(entry.logical_name),
        "name": entry.name,
        "class_id": entry.class_id,
        "class": entry.title,
        "version": entry.version,
        "attributes": {str(number): right for number, right in entry.attribute_rights.items()},
        **({} if entry.base_name is None else {"base_name": entry.base_name}),
        "methods": {str(number): right for number, right in entry.method_rights.items()},
    }


def _show(entries: list[ObjectEntry]) -> None:
    from cosem.cli.facts import short_name
    from cosem.cli.output import Column, print_table

    named = any(entry.base_name is not None for entry in entries)
    columns = [
        *([Column("base", right=True)] if named else []),
        Column("OBIS", style="cyan"),
        Column("name", style="bold", wrap=True),
        Column("class", wrap=True),
        Column("v", right=True),
        Column("access", style="green", wrap=True),
    ]
    rows = [
        (
            *([_base_name(entry)] if named else []),
            short_name(entry.logical_name),
            entry.name,
            f"{entry.class_id} {entry.title}",
            str(entry.version),
            access_text(entry.attribute_rights, entry.method_rights),
        )
        for entry in entries
    ]
    print_table(columns, rows)


def _base_name(entry: ObjectEntry) -> str:
    return "" if entry.base_name is None else f"{entry.base_name:04X}"


def access_text(attributes: Mapping[int, str], methods: Mapping[int, str]) -> str:
    """Return access rights in short.

    >>> access_text({1: "read", 2: "read", 3: "read write", 4: ""}, {1: "call", 2: ""})
    'r 1-2, rw 3, call 1'
    """
    kinds: dict[str, list[int]] = {}
    for number, right in sorted(attributes.items()):
        words = right.split()
        short = ("r" if "read" in words else "") + ("w" if "write" in words else "")
        if short:
            kinds.setdefault(f"{short}*" if len(words) > len(short) else short, []).append(number)
    for number, right in sorted(methods.items()):
        if "call" in right:
            kinds.setdefault("call" if right == "call" else "call*", []).append(number)
    return ", ".join(f"{kind} {_ranges(numbers)}" for kind, numbers in kinds.items())


def _ranges(numbers: list[int]) -> str:
    """Return ascending numbers with neighbours drawn together.

    >>> _ranges([1, 2, 3, 5])
    '1-3 5'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
