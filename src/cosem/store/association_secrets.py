"""The passwords and HLS secrets that clients changed in the associations of a meter, at rest in a file of their own.

A secret is changed since the old one may be known to somebody: a meter that comes back with the old one lets that
somebody in again. The file is written for its owner alone, whole or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from cosem.errors import ConfigurationError
from cosem.store.files import check_private, write_private

__all__ = ["AssociationSecretsFile"]

_FORMAT: Final = 1


class AssociationSecretsFile:
    """Secrets by association in a file of JSON.

    Args:
        path: The file; it need not be there.

    Raises:
        ConfigurationError: It cannot be read: to go on without it would bring old secrets back.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).expanduser().absolute()
        self._secrets = self._read()

    def get(self, association: str) -> bytes | None:
        """Return the secret of an association; ``None`` where it was never changed."""
        return self._secrets.get(association)

    def put(self, association: str, secret: bytes) -> None:
        """Put a secret to rest.

        Raises:
            ConfigurationError: The file cannot be written; what was there is there.
        """
        secrets = {**self._secrets, association: bytes(secret)}
        content = {"format": _FORMAT, "secrets": {name: each.hex() for name, each in secrets.items()}}
        write_private(self._path, json.dumps(content, indent=1).encode())
        self._secrets = secrets

    def __repr__(self) -> str:
        return f"AssociationSecretsFile({str(self._path)!r})"

    def _read(self) -> dict[str, bytes]:
        try:
            octets = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be read: {error.strerror}") from None
        check_private(self._path)
        try:
            content = json.loads(octets)
            if content["format"] != _FORMAT:
                raise ValueError("another format")
            return {str(name): bytes.fromhex(each) for name, each in content["secrets"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ConfigurationError(f"{self._path} holds no secrets of associations") from None
