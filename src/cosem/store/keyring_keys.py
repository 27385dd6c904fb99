"""Keys in the keyring of the desktop or of the system; needs the package ``keyring`` (extra ``keyring``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from cosem.errors import ConfigurationError
from cosem.security.keys import Decide, Keys
from cosem.store.files import locked
from cosem.store.key_entries import entry_name, keys_of, texts_of, updated_texts

__all__ = ["KeyringBackend", "KeyringKeyStore"]

_NAMES: Final = " names"


class KeyringBackend(Protocol):
    """What is used of the package ``keyring``, or of one of its back ends."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """Return a password, or ``None``."""
        ...

    def set_password(self, service: str, username: str, password: str, /) -> Any:
        """Keep a password."""
        ...

    def delete_password(self, service: str, username: str, /) -> Any:
        """Forget a password."""
        ...


class KeyringKeyStore:
    """Keys in a keyring: each entry is one password of a service, a JSON object; their names are one more.

    Args:
        service: Name of the service.
        backend: A back end of ``keyring``; by default the one that it chooses.

    Raises:
        ConfigurationError: The package is not installed.
    """

    def __init__(self, service: str = "cosem", backend: KeyringBackend | None = None) -> None:
        if backend is None:
            try:
                backend = import_module("keyring")
            except ImportError:
                raise ConfigurationError(
                    "the package keyring is not installed: pip install 'cosem[keyring]'"
                ) from None
        self._service = service
        self._backend = backend

    def find(self, *, server_title: bytes | None = None, name: str | None = None) -> Keys | None:
        """Return what is known of a meter.

        Raises:
            ConfigurationError: The keyring cannot be used, or an entry cannot be read.
        """
        return keys_of(self._entry, server_title, name)

    def put(self, name: str, keys: Keys) -> None:
        """Keep keys under a name.

        Raises:
            ConfigurationError: The keyring cannot be used.
        """
        texts = texts_of(keys)
        with locked(self._beside):
            self._write(entry_name(name), texts)

    def update(self, name: str, decide: Decide) -> None:
        """Set fields of an entry and leave its others alone, or forget it.

        Raises:
            ConfigurationError: The keyring cannot be used.
        """
        name = entry_name(name)
        with locked(self._beside):
            changes = decide()
            if changes is None:
                self._forget(name)
            else:
                self._write(name, updated_texts(self._entry, name, changes))

    def remove(self, name: str) -> None:
        """Forget an entry, if there is one.

        Raises:
            ConfigurationError: The keyring cannot be used.
        """
        name = entry_name(name)
        with locked(self._beside):
            self._forget(name)

    def names(self) -> Iterable[str]:
        """Return the names of the entries, without those of which only the name is left."""
        text = self._ask("get_password", _NAMES)
        try:
            names = json.loads(text) if text else []
        except (ValueError, RecursionError):
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigurationError(
                "the entry of the keyring that lists the others is no JSON array of texts"
            )
        return tuple(name for name in names if self._ask("get_password", name) is not None)

    @property
    def _beside(self) -> Path:
        """Beside this file lies the lock: a keyring has none."""
        return Path.home() / ".cache" / "cosem" / f"keyring-{quote(self._service, safe='')}"

    def _write(self, name: str, texts: Mapping[str, Any]) -> None:
        # The entry first: a name without one would have the default answer for it.
        self._ask("set_password", name, json.dumps(texts))
        self._keep_names([*self.names(), name])

    def _forget(self, name: str) -> None:
        self._keep_names([each for each in self.names() if each != name])
        if self._ask("get_password", name) is not None:
            self._ask("delete_password", name)

    def _keep_names(self, names: list[str]) -> None:
        self._ask("set_password", _NAMES, json.dumps(list(dict.fromkeys(names))))

    def _entry(self, name: str) -> dict[str, Any] | None:
        text = self._ask("get_password", name)
        if text is None:
            return None
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict):
            raise ConfigurationError(f"entry {name} of the keyring is no JSON object")
        return entry

    def _ask(self, operation: str, *arguments: str) -> Any:
        try:
            return getattr(self._backend, operation)(self._service, *arguments)
        except Exception as error:  # noqa: BLE001 -- back ends raise whatever their system gives them
            # The text of a foreign error might hold what was to be kept.
            raise ConfigurationError(f"the keyring cannot be used: {type(error).__name__}") from None

    def __repr__(self) -> str:
        return f"<KeyringKeyStore {self._service}>"
