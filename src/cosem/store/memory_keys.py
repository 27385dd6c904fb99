"""Keys in memory, and several key stores as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from threading import Lock

from cosem.errors import ConfigurationError
from cosem.security.keys import Decide, Keys, KeyStore
from cosem.store.key_entries import entry_name, update_entry, wanted_names, with_title

__all__ = ["CombinedKeyStore", "MemoryKeyStore"]


class MemoryKeyStore:
    """Keys that are forgotten with the process.

    >>> store = MemoryKeyStore({"default": Keys.parse(encryption="000102030405060708090A0B0C0D0E0F")})
    >>> store.find(server_title=bytes.fromhex("4D4D4D0000BC614E"))
    Keys(suite=0, server_title=MMM0000BC614E, encryption=<Key AES-128>)

    Args:
        entries: By title, name or URL, or ``default``.
    """

    def __init__(self, entries: Mapping[str, Keys] | None = None) -> None:
        self._entries: dict[str, Keys] = {entry_name(name): keys for name, keys in (entries or {}).items()}
        self._lock = Lock()

    def find(self, *, server_title: bytes | None = None, name: str | None = None) -> Keys | None:
        """Return what is known of a meter.

        Raises:
            ConfigurationError: The keys are those of another meter.
        """
        found: Keys | None = None
        for each in wanted_names(server_title, name):
            keys = self._entries.get(each)
            if keys is not None:
                found = keys if found is None else found.over(keys)
        return with_title(found, server_title)

    def put(self, name: str, keys: Keys) -> None:
        """Keep keys under a name."""
        with self._lock:
            self._entries[entry_name(name)] = keys

    def update(self, name: str, decide: Decide) -> None:
        """Set fields of an entry and leave its others alone, or forget it."""
        name = entry_name(name)
        with self._lock:
            changes = decide()
            if changes is None:
                self._entries.pop(name, None)
                return
            self._entries[name] = replace(self._entries.get(name, Keys(changes["suite"])), **changes)

    def remove(self, name: str) -> None:
        """Forget an entry, if there is one."""
        with self._lock:
            self._entries.pop(entry_name(name), None)

    def names(self) -> Iterable[str]:
        """Return the names of the entries."""
        return tuple(self._entries)

    def __repr__(self) -> str:
        return f"<MemoryKeyStore of {len(self._entries)}>"


class CombinedKeyStore:
    """Several stores as one: what the first does not know, the next may. It writes to the first.

    Args:
        stores: At least one.

    Raises:
        ConfigurationError: None was given.
    """

    def __init__(self, *stores: KeyStore) -> None:
        if not stores:
            raise ConfigurationError("a combined key store of no stores")
        self._stores = stores

    def find(self, *, server_title: bytes | None = None, name: str | None = None) -> Keys | None:
        """Return what is known of a meter, completed by each store in its turn.

        Raises:
            ConfigurationError: An entry cannot be read, or is that of another meter.
        """
        found: Keys | None = None
        for store in self._stores:
            keys = store.find(server_title=server_title, name=name)
            if keys is not None:
                found = keys if found is None else found.over(keys)
        return found

    def put(self, name: str, keys: Keys) -> None:
        """Keep keys under a name, in the first store."""
        self._stores[0].put(name, keys)

    def update(self, name: str, decide: Decide) -> None:
        """Set fields of an entry of the first store, or forget it there."""
        update_entry(self._stores[0], name, decide)

    def remove(self, name: str) -> None:
        """Forget an entry of the first store."""
        self._stores[0].remove(name)

    def names(self) -> Iterable[str]:
        """Return the names of the entries of all stores."""
        return tuple(dict.fromkeys(name for store in self._stores for name in store.names()))

    def __repr__(self) -> str:
        return f"CombinedKeyStore({', '.join(map(repr, self._stores))})"
