"""The keys and secrets of an association of a simulated meter: as its record names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from cosem.classes.meter_record import DEMONSTRATION_KEYS, RecordedAssociation
from cosem.errors import ConfigurationError
from cosem.types.enumerations import AuthenticationMechanism

__all__ = ["ciphers", "recorded_keys", "recorded_secret"]

_LONGEST_SECRET: Final = 4096
_TITLES: Final = frozenset({"server_title", "client_title"})


def ciphers(record: RecordedAssociation) -> bool:
    """Return whether an association needs keys and their counters."""
    return record.context.ciphered or record.mechanism is AuthenticationMechanism.HLS_GMAC


def recorded_keys(
    record: RecordedAssociation, serial: str, environment: Mapping[str, str], *, titles_only: bool
) -> dict[str, Any]:
    """Return the keys of an association by name.

    Args:
        record: The association.
        serial: Number of the meter: the published keys are those of its title.
        environment: Where keys given as ``env:NAME`` are.
        titles_only: Whether the keys come from elsewhere, and the system titles alone are wanted.

    Raises:
        ConfigurationError: What a key names is not there, or the system title of the meter is missing.
    """
    if DEMONSTRATION_KEYS in record.keys:
        from cosem.security.demonstration import demonstration_keys

        known = demonstration_keys(int(serial))
        found = {each.name: getattr(known, each.name) for each in fields(known)}
        return {n: v for n, v in found.items() if v is not None and (n == "server_title" or not titles_only)}
    texts = {name: text for name, text in record.keys.items() if name in _TITLES or not titles_only}
    keys = {name: _of_environment(text, environment, record.client) for name, text in texts.items()}
    titled = record.context.ciphered or record.mechanism >= AuthenticationMechanism.HLS_GMAC
    if titled and not titles_only and "server_title" not in keys:
        raise ConfigurationError(
            'the system title of the meter is missing: write keys = {server_title = "16 hexadecimal digits",'
            ' ...}, or keys = "demo" for the published ones'
        )
    return keys


def recorded_secret(text: str, environment: Mapping[str, str], client: int) -> bytes:
    """Return a secret that is given by a text, ``hex:``, ``@FILE`` or ``env:NAME``."""
    text = _of_environment(text, environment, client)
    if text.startswith("@"):
        with Path(text[1:]).open("rb") as file:
            return file.read(_LONGEST_SECRET).removesuffix(b"\n").removesuffix(b"\r")
    if text.startswith("hex:"):
        try:
            return bytes.fromhex(text[4:])
        except ValueError:
            raise ConfigurationError(f"the secret of client {client} is not hexadecimal") from None
    return text.encode()


def _of_environment(text: str, environment: Mapping[str, str], client: int) -> str:
    if not text.startswith("env:"):
        return text
    value = environment.get(text[4:])
    if value is None:
        raise ConfigurationError(f"the variable {text[4:]} with a secret of client {client} is not set")
    return value
