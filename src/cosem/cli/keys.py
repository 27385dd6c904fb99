"""Keys on a command line: hexadecimal, text, base64, a file or a variable of the environment."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from cosem.security.keys import Keys

__all__ = ["add_key_options", "keys_of"]

_SUITE_2 = 32
"""Octets of a key of suite 2; those of 0 and 1 have 16, and each message says which it is."""


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the keys."""
    group = parser.add_argument_group("keys")
    for option, what in (("--key", "encryption key (GUEK)"), ("--auth-key", "authentication key (GAK)")):
        group.add_argument(
            option,
            metavar="KEY",
            help=f"{what}: hexadecimal, text:..., base64:..., @FILE or env:NAME; others can see what stands in a "
            "command line",
        )


def keys_of(options: argparse.Namespace) -> Keys | None:
    """Return the keys that the options give; ``None`` for none.

    Raises:
        ConfigurationError: A key cannot be read; nothing of it is said.
        OSError: A file cannot be read.
    """
    if options.key is None and options.auth_key is None:
        return None
    from cosem.security.key_material import Key
    from cosem.security.keys import Keys
    from cosem.store.files import read_secret_file

    def key(given: str | None) -> Key | None:
        return None if given is None else Key.parse(_text(given), read_secret_file)

    encryption, authentication = key(options.key), key(options.auth_key)
    longest = max(len(each) for each in (encryption, authentication) if each is not None)
    return Keys(suite=2 if longest == _SUITE_2 else 0, encryption=encryption, authentication=authentication)


def _text(given: str) -> str:
    if not given.startswith("env:"):
        return given
    value = os.environ.get(given[4:])
    if value is None:
        raise ConfigurationError(f"the variable {given[4:]} of the key is not set")
    return value
