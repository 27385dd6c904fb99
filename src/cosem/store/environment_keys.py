"""Keys in environment variables, for containers and CI.

``COSEM_<FIELD>`` is the default, ``COSEM_<NAME>_<FIELD>`` belongs to one meter. The fields are those of
:class:`~cosem.security.keys.Keys` in capitals, or GUEK, GAK, GBEK and KEK; the name is the title or name of the
meter in capitals, with ``_`` for all that is no letter or digit::

    COSEM_ENCRYPTION=000102030405060708090A0B0C0D0E0F
    COSEM_MMM0000BC614E_GAK=@/run/secrets/gak
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Final

from cosem.errors import ConfigurationError
from cosem.security.key_material import ReadFile
from cosem.security.keys import ALIASES, Keys
from cosem.store.files import read_secret_file
from cosem.store.key_entries import DEFAULT, keys_of

__all__ = ["EnvironmentKeyStore"]

_SEPARATORS: Final = re.compile(r"[^A-Z0-9]+")
_FIELDS: Final = sorted([field.name for field in fields(Keys)] + list(ALIASES), key=len, reverse=True)
"""The longest first: PEER_SIGNING is not SIGNING of a meter called PEER."""


class EnvironmentKeyStore:
    """Keys in environment variables; they are only read.

    >>> variables = {"COSEM_MMM0000BC614E_GUEK": "000102030405060708090A0B0C0D0E0F", "COSEM_PASSWORD": "1234"}
    >>> EnvironmentKeyStore(variables).find(server_title=bytes.fromhex("4D4D4D0000BC614E"))
    Keys(suite=0, server_title=MMM0000BC614E, encryption=<Key AES-128>, password=<Secret>)

    Args:
        variables: The environment; by default that of the process, as it is when asked.
        prefix: What the names begin with.
        read_file: Reads the file of ``@name``.
    """

    def __init__(
        self,
        variables: Mapping[str, str] | None = None,
        *,
        prefix: str = "COSEM",
        read_file: ReadFile | None = read_secret_file,
    ) -> None:
        self._variables = variables
        self._prefix = prefix + "_"
        self._read_file = read_file

    def find(self, *, server_title: bytes | None = None, name: str | None = None) -> Keys | None:
        """Return what is known of a meter.

        Raises:
            ConfigurationError: A variable cannot be read; says of which field.
        """
        entries = self._entries()
        try:
            return keys_of(
                lambda each: entries.get(_name_in_capitals(each)), server_title, name, self._read_file
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"environment variables {self._prefix}*: {error}") from None

    def put(self, name: str, keys: Keys) -> None:
        """Refuse.

        Raises:
            ConfigurationError: Always: an environment is set by whoever starts the process.
        """
        raise ConfigurationError(f"environment variables are only read: {name} was not kept ({keys!r})")

    def remove(self, name: str) -> None:
        """Refuse.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(f"environment variables are only read: {name} was not removed")

    def names(self) -> Iterable[str]:
        """Return the names of the entries, as the variables write them."""
        return tuple(name or DEFAULT for name in self._entries())

    def _entries(self) -> dict[str, dict[str, str]]:
        """Return the texts by field, by name in capitals; the default has the name of no letters."""
        entries: dict[str, dict[str, str]] = {}
        for variable, text in (os.environ if self._variables is None else self._variables).items():
            if not variable.startswith(self._prefix) or not text:
                continue
            rest = "_" + variable[len(self._prefix) :]
            field = next((each for each in _FIELDS if rest.endswith(f"_{each.upper()}")), None)
            if field is not None:
                entries.setdefault(rest[1 : -len(field) - 1], {})[field] = text
        return entries

    def __repr__(self) -> str:
        return f"<EnvironmentKeyStore {self._prefix}*>"


def _name_in_capitals(name: str) -> str:
    return "" if name == DEFAULT else _SEPARATORS.sub("_", name.upper()).strip("_")
