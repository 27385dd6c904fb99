"""How a command proves who it is: ``--auth``, ``--keys`` and the options around them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError, ConversionError

if TYPE_CHECKING:
    from cosem.client.security_base import SecurityOfClient
    from cosem.security.keys import Keys
    from cosem.store.key_file import KeyFile

__all__ = [
    "DEMONSTRATION",
    "Entry",
    "add_key_file_options",
    "add_security_options",
    "entry_of",
    "security_of",
]

DEMONSTRATION: Final = "demo"
"""In place of a file: the published keys of the demonstration meter."""
_MECHANISMS: Final = ("none", "lls", "md5", "sha1", "gmac", "sha256", "ecdsa")
_PROTECTIONS: Final = ("none", "authentication", "both")
_WITH_TITLE: Final = ("gmac", "sha256", "ecdsa")
_CIPHERED_BY_DEFAULT: Final = ("none", "gmac", "ecdsa")


def add_key_file_options(parser: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    """Declare the options that name keys."""
    parser.add_argument(
        "--keys",
        metavar="FILE",
        help="file with the keys (cosem keys new writes one), or demo: the published keys of the demonstration meter",
    )
    parser.add_argument(
        "--key-name",
        metavar="NAME",
        help="entry of the file: a system title or a name; by default that of the URL, else the only one",
    )


def add_security_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of authentication and ciphering."""
    group = parser.add_argument_group("security")
    add_key_file_options(group)
    group.add_argument(
        "--auth",
        choices=_MECHANISMS,
        help="how the client proves who it is; by default gmac with encryption keys, lls with a password, else none",
    )
    group.add_argument(
        "--protection",
        choices=_PROTECTIONS,
        help="of every message: a tag, or a tag and encryption; by default both with gmac, ecdsa, and none with keys",
    )
    group.add_argument("--title", metavar="TITLE", help="system title of the client, such as MMM0000000001")
    group.add_argument("--suite", type=int, choices=(0, 1, 2), help="security suite, if not that of the file")
    group.add_argument(
        "--dedicated-key", action="store_true", help="make a key for this association, and use that"
    )
    group.add_argument(
        "--read-counter",
        action="store_true",
        help="read the invocation counter that the meter has seen, through client 16, where ours is not known or behind",
    )
    group.add_argument(
        "--largest-jump",
        metavar="N",
        type=_distance,
        help="take counters of the meter up to N beyond the one expected; any takes every one (default: 16777216)",
    )


_ANY: Final = -1
_NEED_KEYS: Final = (
    "key_name",
    "title",
    "suite",
    "dedicated_key",
    "read_counter",
    "largest_jump",
    "protection",
)


def _distance(text: str) -> int:
    """Return a number of counters, :data:`_ANY` for ``any``."""
    if text == "any":
        return _ANY
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text} is neither a number nor any")
    return int(text)


class Entry:
    """The entry of a key file that a command means.

    Attributes:
        keys: What it holds.
        name: Its name.
        store: The file; ``None`` for the published keys.
    """

    __slots__ = ("keys", "name", "store")

    def __init__(self, keys: Keys, name: str, store: KeyFile | None) -> None:
        self.keys = keys
        self.name = name
        self.store = store


def entry_of(options: argparse.Namespace, url: str | None = None) -> Entry | None:
    """Return the entry that the options name, completed by their title and suite; ``None`` without ``--keys``.

    Args:
        options: With ``keys``, ``key_name``, and perhaps ``title`` and ``suite``.
        url: Where the meter is: entries may be named after it.

    Raises:
        ConfigurationError: There is no such file or entry, or it cannot be read.
    """
    if options.keys is None:
        for option in _NEED_KEYS:
            if getattr(options, option, None) not in (None, False) and getattr(options, "auth", None) is None:
                raise ConfigurationError(
                    f"--{option.replace('_', '-')} says nothing without --keys or --auth"
                )
        return None
    if options.keys == DEMONSTRATION and not Path(DEMONSTRATION).exists():
        from cosem.security.demonstration import demonstration_keys

        if options.key_name is not None:
            raise ConfigurationError("the published keys have no entries")
        keys = demonstration_keys()
        return Entry(_completed(keys, options), str(keys.server_title), None)
    from cosem.store.key_file import KeyFile

    if not Path(options.keys).expanduser().exists():
        raise ConfigurationError(f"there is no file {options.keys}: cosem keys new writes one")
    store = KeyFile(options.keys)
    name = options.key_name or _name_in(store, url)
    if name not in store.names() and _printed(name) not in store.names():
        raise ConfigurationError(
            f"{options.keys} has no entry {name}; it has {', '.join(store.names()) or 'none'}"
        )
    found = store.find(name=name)
    if found is None:
        raise ConfigurationError(f"{options.keys} has no entry {name}")
    return Entry(_completed(found, options), _printed(name), store)


def _printed(name: str) -> str:
    from cosem.store.key_entries import entry_name

    return entry_name(name)


def _name_in(store: KeyFile, url: str | None) -> str:
    """Return the entry of a URL, else the only entry there is."""
    from cosem.client.operations.keys_at_rest import apart_entries, pending_entry
    from cosem.store.key_entries import DEFAULT

    names = list(store.names())
    if url is not None:
        for each in (url, url.partition("?")[0]):
            if each in names:
                return each
    waiting = {each for name in names for each in (pending_entry(name), *apart_entries(store, name))}
    single = [name for name in names if name != DEFAULT and name not in waiting] or names
    if len(single) != 1:
        raise ConfigurationError(
            f"{store.path} has {len(single)} entries: say which with --key-name: {', '.join(single) or 'none there'}"
        )
    return single[0]


def _completed(keys: Keys, options: argparse.Namespace) -> Keys:
    from dataclasses import replace

    from cosem.security.system_title import SystemTitle

    changes: dict[str, Any] = {}
    if getattr(options, "title", None) is not None:
        try:
            changes["client_title"] = SystemTitle(options.title)
        except ConversionError as error:
            raise ConfigurationError(f"--title: {error}") from None
    if getattr(options, "suite", None) is not None:
        changes["suite"] = options.suite
    return replace(keys, **changes)


def security_of(
    options: argparse.Namespace, entry: Entry | None, password: bytes | None
) -> SecurityOfClient | None:
    """Return the security that the options ask for; ``None`` for none, or for a password alone.

    Raises:
        ConfigurationError: They contradict each other, or what they need is missing.
        KeyMissingError: A key, a secret or a title is missing.
    """
    from cosem.client import security as of_client
    from cosem.client.ciphering import Ciphering
    from cosem.security.keys import Keys

    auth = options.auth or _usual(entry, password)
    if entry is None and auth in ("none", "lls"):
        if auth == "lls" and password is None:
            raise ConfigurationError("--auth lls needs a password: --password, or keys with one")
        return None
    keys = entry.keys if entry is not None else _completed(Keys(), options)
    ciphered = keys.encryption is not None and auth in _CIPHERED_BY_DEFAULT
    protection = options.protection or ("both" if ciphered else "none")
    if options.dedicated_key and protection == "none":
        raise ConfigurationError("--dedicated-key says nothing without ciphering")
    ciphering = None
    if protection != "none":
        ciphering = Ciphering(encrypted=protection == "both", dedicated=options.dedicated_key)
    if keys.client_title is None and (ciphering is not None or auth in _WITH_TITLE):
        raise ConfigurationError(
            "the system title of the client is missing: --title, or client_title in the key file"
        )
    settings: Any = {}
    if entry is not None and entry.store is None:  # published keys: nothing to keep, and nothing to warn of
        from cosem.security.counters import VolatileCounterStore

        settings = {"counters": VolatileCounterStore(), "allow_test_keys": True}
    if options.largest_jump is not None:
        settings["largest_jump"] = None if options.largest_jump == _ANY else options.largest_jump
    if password is not None and auth != "lls":
        raise ConfigurationError(f"--password is not used by --auth {auth}")
    if auth == "none":
        return None if ciphering is None else of_client.Ciphered(keys, ciphering, **settings)
    if auth == "lls":
        return of_client.LowLevel(password, keys=keys, ciphering=ciphering, **settings)
    if auth in ("gmac", "ecdsa"):
        kind = of_client.HighGmac if auth == "gmac" else of_client.HighEcdsa
        return kind(keys, ciphering, **settings)
    kinds = {"md5": of_client.HighMd5, "sha1": of_client.HighSha1, "sha256": of_client.HighSha256}
    return kinds[auth](keys=keys, ciphering=ciphering, **settings)


def _usual(entry: Entry | None, password: bytes | None) -> str:
    """Return the mechanism that fits what is there."""
    if entry is None:
        return "none" if password is None else "lls"
    if password is not None or (entry.keys.password is not None and entry.keys.encryption is None):
        return "lls"
    if entry.keys.encryption is not None:
        return "gmac"
    if entry.keys.hls_secret is not None:
        raise ConfigurationError("there is an HLS secret: say --auth md5, sha1 or sha256")
    raise ConfigurationError(
        f"the entry {entry.name} has neither an encryption key nor a password nor a secret"
    )
