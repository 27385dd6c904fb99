"""How entries of a key store are named, completed and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from cosem.errors import ConfigurationError, ConversionError
from cosem.security.key_material import ReadFile, Secret
from cosem.security.keys import ALIASES, Keys
from cosem.security.system_title import SystemTitle

__all__ = ["DEFAULT", "complete", "entry_name", "keys_of", "texts_of", "wanted_names", "with_title"]

DEFAULT: Final = "default"
"""The entry that completes every other one."""

_OF_THE_SUITE: Final = frozenset(
    {"encryption", "authentication", "broadcast", "master"}
    | {"signing", "key_agreement", "peer_signing", "peer_key_agreement"}
)


def entry_name(name: str | bytes) -> str:
    """Return the name under which an entry stands: a system title in its one printed form, else the text itself.

    >>> entry_name("4D4D4D0000BC614E"), entry_name("tcp://10.0.0.7:4059"), entry_name("meter-01")
    ('MMM0000BC614E', 'tcp://10.0.0.7:4059', 'meter-01')
    """
    if isinstance(name, bytes):
        return str(SystemTitle(name))
    name = name.strip()
    if len(name) == 8:  # a name of eight characters is a name; titles have other forms besides
        return name
    try:
        return str(SystemTitle(name))
    except ConversionError:
        return name


def wanted_names(server_title: bytes | None, name: str | None) -> tuple[str, ...]:
    """Return the names of the entries that tell of a meter, the most telling first."""
    title = [] if server_title is None else [entry_name(server_title)]
    given = [] if name is None else [entry_name(name)]
    return tuple(dict.fromkeys([*title, *given, DEFAULT]))


def complete(
    entry: Callable[[str], Mapping[str, Any] | None], server_title: bytes | None, name: str | None
) -> dict[str, Any] | None:
    """Return the texts of a meter: those of its title, completed by its name, then by the default.

    What has the length of another suite completes nothing.

    Args:
        entry: Returns the texts of an entry by name; ``None`` if there is none.
        server_title: System title of the meter.
        name: Its name or URL.
    """
    found: dict[str, Any] | None = None
    for each in wanted_names(server_title, name):
        texts = entry(each)
        if texts is None:
            continue
        texts = {ALIASES.get(field, field): value for field, value in texts.items()}
        if found is None:
            found = texts
            continue
        other_suite = "suite" in found and str(found["suite"]) != str(texts.get("suite", 0))
        for field, value in texts.items():
            if not (other_suite and field in _OF_THE_SUITE):
                found.setdefault(field, value)
    return found


def keys_of(
    entry: Callable[[str], Mapping[str, Any] | None],
    server_title: bytes | None,
    name: str | None,
    read_file: ReadFile | None = None,
) -> Keys | None:
    """Return the keys of a meter; ``None`` if no entry tells of it.

    Raises:
        ConfigurationError: A text cannot be read, or the keys are those of another meter.
    """
    texts = complete(entry, server_title, name)
    return None if texts is None else with_title(Keys.parse(texts, read_file), server_title)


def with_title(keys: Keys | None, server_title: bytes | None) -> Keys | None:
    """Return keys with the title of the meter that was asked for.

    Raises:
        ConfigurationError: They belong to a meter with another title.
    """
    if keys is None or server_title is None:
        return keys
    if keys.server_title is not None and keys.server_title != server_title:
        raise ConfigurationError(
            f"the keys found are those of {keys.server_title}, not of {SystemTitle(server_title)}"
        )
    return keys.over(Keys(suite=keys.suite, server_title=SystemTitle(server_title)))


def texts_of(keys: Keys) -> dict[str, str | int]:
    """Return keys as the texts that :meth:`Keys.parse` reads. They hold the secrets themselves.

    Raises:
        ConfigurationError: A key is held elsewhere and cannot be written down.
    """
    texts: dict[str, str | int] = {}
    for field in fields(keys):
        value = getattr(keys, field.name)
        if value is None:
            continue
        if isinstance(value, SystemTitle):
            texts[field.name] = str(value)
        elif isinstance(value, int):
            texts[field.name] = value
        elif isinstance(value, (Secret, bytes)):
            octets = value.octets if isinstance(value, Secret) else value
            texts[field.name] = f"hex:{octets.hex().upper()}"
        else:
            raise ConfigurationError(f"{field.name} is held elsewhere: it cannot be written down")
    return texts
