"""Make keys, show what a file has of them, and change those of a meter.

A key file is TOML, has an entry for each meter, and is for its owner alone. Keys are never shown: what is masked
tells keys apart and does not give them away.

A change of keys is a transaction. The new keys are in the file before the meter gets them, and the old ones until a
read has proven the new ones. When something breaks in between, the next command finds out which keys the meter has.
"""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_connection_options, connected
from cosem.cli.security import DEMONSTRATION, Entry, entry_of
from cosem.client.operations.keys_at_rest import waits
from cosem.errors import ConfigurationError, ConversionError

if TYPE_CHECKING:
    from cosem.client.blocking import Client
    from cosem.security.keys import Keys, KeyStore

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem keys new keys.toml --meter MMM:12345678 --title MMM:1", "an entry with fresh keys"),
    ("cosem keys show demo", "the published keys, masked"),
    ("cosem keys rotate sim: --client 2 --keys demo", "give a meter new keys"),
    ("cosem keys rotate 10.0.0.7 --client 1 --keys keys.toml --which master", "one of them"),
)
_ROTATED: Final = ("encryption", "authentication", "broadcast", "master")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be done with keys, each with its options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="make keys and write them into a file", allow_abbrev=False)
    new.add_argument("file", metavar="FILE", help="key file; it is made if it is not there")
    new.add_argument("--meter", metavar="TITLE", help="system title of the meter")
    new.add_argument("--title", metavar="TITLE", help="system title of the client")
    new.add_argument("--name", metavar="NAME", help="name of the entry; by default the title of the meter")
    new.add_argument("--suite", type=int, choices=(0, 1, 2), default=0, help="security suite (default 0)")
    new.add_argument("--force", action="store_true", help="replace an entry that is there: its keys are lost")
    show = actions.add_parser("show", help="show what a file has, masked", allow_abbrev=False)
    show.add_argument("file", metavar="FILE", help="key file, or demo: the published keys")
    show.add_argument("--key-name", metavar="NAME", help="only this entry")
    show.add_argument("--masked", action="store_true", help="mask the keys; they always are")
    rotate = actions.add_parser("rotate", help="give a meter new keys", allow_abbrev=False)
    add_connection_options(rotate)
    rotate.add_argument(
        "--which",
        choices=_ROTATED,
        action="append",
        help="which key; may be given several times (default the first two)",
    )
    rotate.add_argument(
        "--agree",
        action="store_true",
        help="agree on them with the meter (suites 1 and 2) instead of sending them",
    )
    rotate.add_argument("--resume", action="store_true", help="finish a change that was begun")
    rotate.add_argument(
        "--setup", metavar="OBIS", default="0-0:43.0.0", help="Security setup object (default 0-0:43.0.0)"
    )
    for action in (new, show, rotate):
        action.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="for machines: JSON on standard output",
        )


def run(options: argparse.Namespace) -> int:
    """Do what the action says."""
    actions = {"new": _new, "show": _show, "rotate": _rotate}
    return actions[options.action](options)


def _new(options: argparse.Namespace) -> int:
    from cosem.store.key_entries import entry_name
    from cosem.store.key_file import KeyFile

    if options.name is not None and not options.name.isprintable():
        raise ConfigurationError("--name wants characters that can be printed")
    keys = _fresh(options)
    if keys.client_title is not None and keys.client_title == keys.server_title:
        raise ConfigurationError("--meter and --title are the same: nonces would come twice under one key")
    name = options.name or (None if keys.server_title is None else str(keys.server_title))
    if name is None:
        raise ConfigurationError("say which meter the keys are for: --meter TITLE or --name NAME")
    if options.file == DEMONSTRATION:
        raise ConfigurationError(f"{DEMONSTRATION} stands for the published keys: name the file otherwise")
    store = KeyFile(options.file)
    name = entry_name(name)
    if name in store.names() and not options.force:
        raise ConfigurationError(
            f"{options.file} has keys of {name} already: --force replaces them, and they are lost"
        )
    store.put(name, keys)
    _say(options, {"file": str(store.path), "entries": {name: keys.masked()}})
    return 0


def _fresh(options: argparse.Namespace) -> Keys:
    """Return keys that nobody knows; with key pairs in the suites that have some."""
    from cosem.security.agreement import ephemeral_random_size
    from cosem.security.key_material import KEY_SIZES, Key
    from cosem.security.keys import Keys
    from cosem.security.requests import new_private_key
    from cosem.security.suites import SecuritySuite
    from cosem.security.system_title import SystemTitle

    try:
        titles: Any = {
            name: None if text is None else SystemTitle(text)
            for name, text in (("client_title", options.title), ("server_title", options.meter))
        }
    except ConversionError as error:
        raise ConfigurationError(str(error)) from None
    symmetric: Any = {name: Key(secrets.token_bytes(KEY_SIZES[options.suite])) for name in _ROTATED}
    keys = Keys(suite=options.suite, **titles, **symmetric)
    if not options.suite:
        return keys
    suite = SecuritySuite(options.suite)
    pairs = [new_private_key(suite, secrets.token_bytes(ephemeral_random_size(suite))) for _ in range(2)]
    return replace(keys, signing=pairs[0], key_agreement=pairs[1])


def _show(options: argparse.Namespace) -> int:
    if options.file == DEMONSTRATION and not Path(DEMONSTRATION).exists():
        from cosem.security.demonstration import demonstration_keys

        keys = demonstration_keys()
        _say(options, {"file": "published", "entries": {str(keys.server_title): keys.masked()}})
        return 0
    from cosem.store.key_entries import entry_name
    from cosem.store.key_file import KeyFile

    path = Path(options.file).expanduser()
    if not path.exists():
        raise ConfigurationError(f"there is no file {options.file}")
    store = KeyFile(path)
    names = list(store.names())
    if options.key_name is not None:
        if entry_name(options.key_name) not in names:
            raise ConfigurationError(f"{options.file} has no entry {options.key_name}")
        names = [entry_name(options.key_name)]
    found = {name: each.masked() for name in names if (each := store.find(name=name)) is not None}
    _say(options, {"file": str(path), "entries": found})
    return 0


def _rotate(options: argparse.Namespace) -> int:
    if options.resume and (options.agree or options.which):
        raise ConfigurationError("--resume finishes what was begun: it goes with neither --agree nor --which")
    entry = entry_of(options, options.url)
    if entry is None:
        raise ConfigurationError("--keys says which keys the meter has")
    store = _store(entry)
    if options.resume and not waits(store, entry.name):
        raise ConfigurationError(f"no change of the keys of {entry.name} was begun")
    with connected(options) as meter:
        keys = _changed(meter, options, store, entry)
    facts: dict[str, Any] = {"file": "nowhere" if entry.store is None else str(entry.store.path)}
    facts["entries"] = {entry.name: keys.masked()}
    _say(options, facts)
    return 0


def _store(entry: Entry) -> KeyStore:
    """Return where the new keys go: those of the demonstration are forgotten, as is the meter."""
    if entry.store is not None:
        return entry.store
    from cosem.store.memory_keys import MemoryKeyStore

    return MemoryKeyStore({entry.name: entry.keys})


def _changed(meter: Client, options: argparse.Namespace, store: KeyStore, entry: Entry) -> Keys:
    if options.resume:
        if not waits(store, entry.name):  # what opened the meter has proven them
            return meter.keys.present
        return meter.keys.resume(store=store, name=entry.name, setup=options.setup)
    which = tuple(options.which or ())
    if options.agree:
        return meter.keys.agree(*which, store=store, name=entry.name, setup=options.setup)
    return meter.keys.rotate(*which, store=store, name=entry.name, setup=options.setup)


def _say(options: argparse.Namespace, facts: dict[str, Any]) -> None:
    if options.json:
        from cosem.cli.output import print_json

        print_json(facts)
        return
    from cosem.cli.output import Column, print_table

    rows = [
        (name if index == 0 else "", field, shown)
        for name, fields in facts["entries"].items()
        for index, (field, shown) in enumerate(fields.items())
    ]
    print(f"keys: {facts['file']}")
    print_table((Column("entry"), Column("field"), Column("masked")), rows)
