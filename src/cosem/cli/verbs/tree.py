"""Show what a meter has as a tree: media, objects, attributes and methods, with types and rights.

--values reads the attributes and shows them; buffers of profiles stay closed. In a terminal, --browse opens and closes
branches with the arrow keys and reads what is opened; q leaves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_class_option, add_connection_options, connected
from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from cosem.client.blocking import Client
    from cosem.client.results import ObjectEntry

__all__ = ["EXAMPLES", "Branch", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem tree sim:", "objects with their attributes"),
    ("cosem tree sim: --values --class 3", "with values, the registers only"),
    ("cosem tree sim:water --json", "for machines"),
)
_PROFILE, _BUFFER = 7, 2
_LONGEST: Final = 80


@dataclass(slots=True)
class Branch:
    """One line of the tree, and those below it.

    Args:
        text: What stands in the line.
        facts: The same for machines.
        entry: The object that it is about, if it is about one.
        number: The attribute that it is about, else 0.
        children: What is below.
        opened: Whether that shows when the tree is browsed.
    """

    text: str
    facts: dict[str, Any] = field(default_factory=dict)
    entry: ObjectEntry | None = None
    number: int = 0
    children: list[Branch] = field(default_factory=list)
    opened: bool = False

    def lines(
        self, before: str = "", *, signs: tuple[str, str, str] = ("├─ ", "└─ ", "│  ")
    ) -> Iterator[str]:
        """Yield the lines below this one, with the branches drawn before them.

        >>> list(Branch("a", children=[Branch("b", children=[Branch("c")]), Branch("d")]).lines())
        ['├─ b', '│  └─ c', '└─ d']
        """
        fork, last, line = signs
        for place, child in enumerate(self.children, 1):
            end = place == len(self.children)
            yield f"{before}{last if end else fork}{child.text}"
            yield from child.lines(before + (" " * len(line) if end else line), signs=signs)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    add_class_option(parser)
    parser.add_argument("--values", action="store_true", help="read the attributes")
    parser.add_argument("--browse", action="store_true", help="open and close branches with the arrow keys")


def run(options: argparse.Namespace) -> int:
    """Show the tree."""
    from cosem.cli.output import can_show, is_terminal

    if options.browse and (options.json or not is_terminal()):
        raise ConfigurationError("--browse needs a terminal, and no --json")
    with connected(options) as meter:
        entries = [e for e in meter.objects() if options.class_id in (None, e.class_id)]
        root = _tree(meter.peer, entries)
        if options.values:
            _read(
                meter, [leaf for media in root.children for each in media.children for leaf in each.children]
            )
        if options.browse:
            from cosem.cli.browsing import browse

            browse(root, lambda branch: _read(meter, branch.children))
            return 0
    if not entries and not options.json:
        wanted = "" if options.class_id is None else f" of class {options.class_id}"
        print(f"{root.text}: no objects{wanted}")
        return 0
    if options.json:
        from cosem.cli.output import print_json

        print_json([each.facts for media in root.children for each in media.children])
        return 0
    signs = ("├─ ", "└─ ", "│  ") if can_show("├└│─") else ("|- ", "`- ", "|  ")
    print("\n".join([root.text, *root.lines(signs=signs)]))
    return 0


def _tree(peer: str, entries: Iterable[ObjectEntry]) -> Branch:
    from cosem.classes.obis import describe

    media: dict[int, Branch] = {}
    for entry in sorted(entries, key=lambda each: bytes(each.logical_name)):
        number = entry.logical_name[0] & 0x0F
        title = describe(entry.logical_name).medium or f"medium {number}"
        branch = media.setdefault(number, Branch(title, {"medium": title}))
        branch.children.append(_object(entry))
    return Branch(peer, children=list(media.values()))


def _object(entry: ObjectEntry) -> Branch:
    from cosem.classes.registry import class_of
    from cosem.cli.facts import short_name

    declared = class_of(entry.class_id, entry.version)
    attributes, methods = [], []
    known = {} if declared is None else {each.number: each for each in declared.attributes}
    for number in sorted(known.keys() | entry.attribute_rights.keys()):
        attribute = known.get(number)
        name = "" if attribute is None else attribute.printed_name
        kind = "" if attribute is None else attribute.data_type.text
        right = entry.attribute_rights.get(number, "" if entry.attribute_rights else "unknown")
        facts = {"number": number, "name": name, "type": kind, "right": right}
        text = f"{number} {name}: {kind or 'unknown'} [{right or 'no access'}]"
        attributes.append(Branch(text, facts, entry, number))
    for method in () if declared is None else declared.methods:
        right = entry.method_rights.get(method.number, "")
        facts = {"number": method.number, "name": method.name, "right": right}
        methods.append(Branch(f"method {method.number} {method.name} [{right or 'no access'}]", facts, entry))
    shown = f"{short_name(entry.logical_name)}  {entry.name}".rstrip()
    return Branch(
        f"{shown}  ({entry.title}, class {entry.class_id} version {entry.version})",
        {
            "obis": str(entry.logical_name),
            "name": entry.name,
            "class_id": entry.class_id,
            "class": entry.title,
            "version": entry.version,
            "attributes": [each.facts for each in attributes],
            "methods": [each.facts for each in methods],
        },
        entry,
        0,
        [*attributes, *methods],
    )


def _read(meter: Client, leaves: Iterable[Branch]) -> None:
    """Read attributes, and add what came to their lines."""
    from cosem.cli.output import plain
    from cosem.translate.data_items import value_text
    from cosem.types.data import OctetString

    wanted = [
        leaf
        for leaf in leaves
        if leaf.number
        and leaf.entry is not None
        and leaf.entry.readable(leaf.number)
        and "value" not in leaf.facts
        and "error" not in leaf.facts
        and not (leaf.entry.class_id == _PROFILE and leaf.number == _BUFFER)
    ]
    items = [(leaf.entry, leaf.number, leaf.entry.class_id) for leaf in wanted if leaf.entry is not None]
    for leaf, result in zip(wanted, meter.get_many(items), strict=True):
        if not result.ok:
            leaf.facts["error"] = str(result.error)
            leaf.text += " = refused"
            continue
        leaf.facts["value"] = plain(result.value)
        text = value_text(result.value) or "null-data"
        known = OctetString(result.value).text if isinstance(result.value, bytes) else None
        if known is not None and known.isprintable() and len(known) > 1:
            text += f" ({known})"
        leaf.text += f" = {text if len(text) <= _LONGEST else f'{text[: _LONGEST - 3]}...'}"
